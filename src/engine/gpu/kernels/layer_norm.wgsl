// y = (x − mean)·inverse·scale + shift with mean and inverse = 1/√(variance + ε) of each row.
// Layouts: x, y [row][channel], a row being a place of an image, a token or a list; statistics [row][2]: mean, inverse.
// A workgroup has every groups.x-th row, a thread every 64th channel; sums in a fixed tree.
// The variance is the mean square around the mean, by a second pass.
// Limits: statistics is NONE where nobody needs them; 2³² numbers in all.

struct Task {
    channels: u32, places: u32, input: u32, scale: u32, shift: u32, epsilon: f32, output: u32, statistics: u32,
}
// One step's numbers.
struct Turn {
    rows: u32, indices: u32, labels: u32, slot: u32, key_low: u32, key_high: u32, smoothing: f32, optimizer: u32,
    rate: f32, momentum: f32, decay: f32, scale: f32, keep_first: f32, take_first: f32, keep_second: f32, take_second: f32,
    epsilon: f32,
}
const NONE: u32 = 0xffffffffu;

@group(0) @binding(0) var<uniform> task: Task;
@group(0) @binding(1) var<uniform> turn: Turn;
@group(0) @binding(2) var<storage, read_write> weights: array<f32>;
@group(0) @binding(4) var<storage, read_write> values: array<f32>;

var<workgroup> shared_sums: array<vec2<f32>, 64>;

// The sum over the workgroup, in a fixed tree; every thread gets it.
fn over_threads(own: vec2<f32>, thread: u32) -> vec2<f32> {
    shared_sums[thread] = own;
    workgroupBarrier();
    for (var half = 32u; half > 0u; half /= 2u) {
        if (thread < half) {
            shared_sums[thread] += shared_sums[thread + half];
        }
        workgroupBarrier();
    }
    let sum = shared_sums[0];
    workgroupBarrier();
    return sum;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32) {
    let rows = turn.rows * task.places;
    for (var row = group.x; row < rows; row += groups.x) {
        let begin = task.input + row * task.channels;
        var sum = 0.0;
        for (var i = thread; i < task.channels; i += 64u) {
            sum += values[begin + i];
        }
        let mean = over_threads(vec2<f32>(sum, 0.0), thread).x / f32(task.channels);
        var squares = 0.0;
        for (var i = thread; i < task.channels; i += 64u) {
            let off = values[begin + i] - mean;
            squares += off * off;
        }
        let variance = over_threads(vec2<f32>(squares, 0.0), thread).x / f32(task.channels);
        let inverse = 1.0 / sqrt(variance + task.epsilon);
        for (var i = thread; i < task.channels; i += 64u) {
            let y = (values[begin + i] - mean) * inverse * weights[task.scale + i] + weights[task.shift + i];
            values[task.output + row * task.channels + i] = y;
        }
        if (task.statistics != NONE && thread == 0u) {
            values[task.statistics + 2u * row] = mean;
            values[task.statistics + 2u * row + 1u] = inverse;
        }
    }
}
