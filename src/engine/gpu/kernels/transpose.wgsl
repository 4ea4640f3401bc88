// y[row][b][a] = x[row][a][b], or added to y where accumulate is 1: rows and columns of each matrix change places.
// Layouts: x [row][a][b], y [row][b][a].
// A thread writes one number after another, the grid's threads side by side.
// It flattens images (channels last to channels first), transposes tokens, and undoes both for gradients.
// Limits: 2³² numbers in all.

struct Task {
    height: u32, width: u32, input: u32, output: u32, accumulate: u32,
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

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let stride = groups.x * 256u;
    let count = turn.rows * task.height * task.width;
    for (var index = id.x; index < count; index += stride) {
        let length = task.height * task.width;
        let rest = index % length;
        var value = values[task.input + index - rest + rest % task.height * task.width + rest / task.height];
        if (task.accumulate != 0u) {
            value += values[task.output + index];
        }
        values[task.output + index] = value;
    }
}
