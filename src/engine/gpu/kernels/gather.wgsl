// values[output + row·len + place·channels + channel] = data[index(row)·len + channel·places + place]: the rows of a batch.
// Layouts: data [row][channel][place] as datasets have it, output [row][place][channel]; numbers[indices + row] is the index.
// A thread writes one number after another, the grid's threads side by side.
// The rows are not checked here: whoever writes the indices has done that.
// Limits: 2³² numbers in all.

struct Task {
    channels: u32, places: u32, output: u32,
}
// One step's numbers.
struct Turn {
    rows: u32, indices: u32, labels: u32, slot: u32, key_low: u32, key_high: u32, smoothing: f32, optimizer: u32,
    rate: f32, momentum: f32, decay: f32, scale: f32, keep_first: f32, take_first: f32, keep_second: f32, take_second: f32,
    epsilon: f32,
}

@group(0) @binding(0) var<uniform> task: Task;
@group(0) @binding(1) var<uniform> turn: Turn;
@group(0) @binding(4) var<storage, read_write> values: array<f32>;
@group(0) @binding(5) var<storage, read> data: array<f32>;
@group(0) @binding(6) var<storage, read> numbers: array<u32>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let stride = groups.x * 256u;
    let count = turn.rows * task.channels * task.places;
    for (var index = id.x; index < count; index += stride) {
        let length = task.channels * task.places;
        let row = index / length;
        let rest = index % length;
        let source = numbers[turn.indices + row] * length + rest % task.channels * task.places + rest / task.channels;
        values[task.output + index] = data[source];
    }
}
