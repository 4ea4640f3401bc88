// dpositions = Σ dy over a part of the rows.
// Layouts: dy [row][length]; output [part][length].
// A thread has one number, x, in part y; threads of a workgroup side by side.
// Sums go over the rows, ascending; the optimizer adds the parts.
// Limits: what is not finite raises metrics[0].

struct Task {
    length: u32, parts: u32, gradient: u32, output: u32, output_stride: u32,
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
@group(0) @binding(7) var<storage, read_write> metrics: array<atomic<u32>>;

// Whether a number is NaN, infinite or on its way there: by its bits, since WGSL may assume that there is none.
fn is_broken(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7f800000u) >= 0x7e800000u;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(workgroup_id) group: vec3<u32>) {
    if (id.x >= task.length) {
        return;
    }
    let share = (turn.rows + task.parts - 1u) / task.parts;
    let begin = min(group.y * share, turn.rows);
    let until = min(begin + share, turn.rows);
    var sum = 0.0;
    for (var row = begin; row < until; row++) {
        sum += values[task.gradient + row * task.length + id.x];
    }
    values[task.output + group.y * task.output_stride + id.x] = sum;
    if (is_broken(sum)) {
        atomicMax(&metrics[0], 1u);
    }
}
