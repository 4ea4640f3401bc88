// y = x + positions: each row's numbers plus the learned ones of the same place.
// Layouts: x, y [row][length]; positions [length] in the weights.
// A thread computes one number after another, the grid's threads side by side.
// Its gradient is the same for x and, summed over rows, positions_gradient's.
// Limits: 2³² numbers in all.

struct Task {
    length: u32, input: u32, positions: u32, output: u32,
}
// One step's numbers.
struct Turn {
    rows: u32, indices: u32, labels: u32, slot: u32, key_low: u32, key_high: u32, smoothing: f32, optimizer: u32,
    rate: f32, momentum: f32, decay: f32, scale: f32, keep_first: f32, take_first: f32, keep_second: f32, take_second: f32,
    epsilon: f32,
}

@group(0) @binding(0) var<uniform> task: Task;
@group(0) @binding(1) var<uniform> turn: Turn;
@group(0) @binding(2) var<storage, read_write> weights: array<f32>;
@group(0) @binding(4) var<storage, read_write> values: array<f32>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let stride = groups.x * 256u;
    let count = turn.rows * task.length;
    for (var index = id.x; index < count; index += stride) {
        values[task.output + index] = values[task.input + index] + weights[task.positions + index % task.length];
    }
}
