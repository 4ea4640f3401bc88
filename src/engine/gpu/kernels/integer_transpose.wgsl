// y[channel·places + place] = x[place][channel]: rows and columns change places, in lines of so many numbers.
// Layouts: x [row][place][word of four channels], y [row][line][word of four numbers], filled up with 0.
// A thread gathers the four bytes of one word after another, the grid's threads side by side.
// A flattened image is one line, turned tokens have a line for each channel; of one channel it only packs closer.
// Limits: 2³² numbers in all; x and y are different places.

struct Task {
    places: u32, channels: u32, line: u32, input: u32, output: u32,
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

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let stride = groups.x * 256u;
    let in_words = (task.channels + 3u) / 4u;
    let out_words = (task.line + 3u) / 4u;
    let lines = task.places * task.channels / task.line;
    let count = turn.rows * lines * out_words;
    for (var index = id.x; index < count; index += stride) {
        let line = index / out_words;
        let row = line / lines;
        let first = index % out_words * 4u;
        var word = 0u;
        for (var lane = 0u; lane < min(4u, task.line - first); lane++) {
            let number = line % lines * task.line + first + lane;
            let channel = number / task.places;
            let at = task.input + (row * task.places + number % task.places) * in_words + channel / 4u;
            word |= ((values[at] >> (channel % 4u * 8u)) & 255u) << (lane * 8u);
        }
        values[task.output + index] = word;
    }
}
