// values[output + row·words + word] = data[index(row)·words + word]: the rows of a batch, already in integers.
// Layouts: data [row][word], output [row][word]; numbers[indices + row] is the index. A word is four numbers of 8 bits.
// A thread copies one word after another, the grid's threads side by side.
// The rows are not checked here: whoever writes the indices has done that.
// Limits: 2³² words in all.

struct Task {
    words: u32, output: u32,
}
// One step's numbers.
struct Turn {
    rows: u32, indices: u32, labels: u32, slot: u32, key_low: u32, key_high: u32, smoothing: f32, optimizer: u32,
    rate: f32, momentum: f32, decay: f32, scale: f32, keep_first: f32, take_first: f32, keep_second: f32, take_second: f32,
    epsilon: f32,
}

@group(0) @binding(0) var<uniform> task: Task;
@group(0) @binding(1) var<uniform> turn: Turn;
@group(0) @binding(4) var<storage, read_write> values: array<u32>;
@group(0) @binding(5) var<storage, read> data: array<u32>;
@group(0) @binding(6) var<storage, read> numbers: array<u32>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let stride = groups.x * 256u;
    let count = turn.rows * task.words;
    for (var index = id.x; index < count; index += stride) {
        let row = index / task.words;
        values[task.output + index] = data[numbers[turn.indices + row] * task.words + index % task.words];
    }
}
