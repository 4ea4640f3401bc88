// dy ← dy·slope(saved) in its place, then (Σ dy·n, Σ dy) with n = (x − mean)·inverse over a part of all rows.
// Layouts: x, dy, saved [row][channel]; statistics [2][channel]: mean, inverse; output [part][channel][2].
// A workgroup has sixteen channels, x, and one part, y, of the rows; sixteen rows at a time, then a tree.
// It is the first half of a batch norm's gradient; what it leaves in dy is also the residual's gradient.
// Limits: a part without rows gives zeros.

struct Task {
    channels: u32, places: u32, parts: u32, input: u32, gradient: u32, saved: u32, activation: u32, statistics: u32, output: u32,
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

// The normal distribution function by a rational function; 0 or 1 beyond 5.5.
fn normal_cdf(x: f32) -> f32 {
    let size = min(abs(x), 5.5);
    let square = size * size;
    let above = ((((3.6444206e-8 * square + 1.0014885e-5) * square + 2.6154603e-4) * square + 7.392552e-3) * square
        + 0.05317543) * square + 0.6340412;
    let below = ((((1.9055907e-6 * square + 1.1469066e-4) * square + 2.957068e-3) * square + 0.045161318) * square
        + 0.3981749) * square + 1.5893055;
    let from_half = min(size * above / below, 0.5);
    return 0.5 + select(from_half, -from_half, x < 0.0);
}

fn sigmoid(x: f32) -> f32 {
    return 1.0 / (1.0 + exp(clamp(-x, -87.0, 87.0)));
}

// The slope of activation 1 relu, 2 relu6 and 5 tanh by what it gave, of 3 hardswish, 4 silu and 6 gelu by what it was given.
fn slope(saved: f32, activation: u32) -> f32 {
    switch activation {
        case 1u: { return select(0.0, 1.0, saved > 0.0); }
        case 2u: { return select(0.0, 1.0, saved > 0.0 && saved < 6.0); }
        case 3u: {
            let outside = select(0.0, 1.0, saved > 0.0);
            return select(outside, saved * 0.33333334 + 0.5, saved > -3.0 && saved < 3.0);
        }
        case 4u: {
            let share = sigmoid(saved);
            return share + saved * share * (1.0 - share);
        }
        case 5u: { return 1.0 - saved * saved; }
        case 6u: {
            let density = exp(max(-0.5 * (saved * saved), -87.0)) * 0.3989423;
            return normal_cdf(saved) + saved * density;
        }
        default: { return 1.0; }
    }
}

// Sixteen channels side by side, sixteen rows one below the other.
var<workgroup> shared_sums: array<vec2<f32>, 256>;

// The sum over the sixteen rows, in a fixed tree; every thread of a channel gets it.
fn over_rows(own: vec2<f32>, thread: u32) -> vec2<f32> {
    shared_sums[thread] = own;
    workgroupBarrier();
    for (var half = 8u; half > 0u; half /= 2u) {
        if (thread / 16u < half) {
            shared_sums[thread] += shared_sums[thread + half * 16u];
        }
        workgroupBarrier();
    }
    let sum = shared_sums[thread % 16u];
    workgroupBarrier();
    return sum;
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) thread: u32) {
    let channel = group.x * 16u + thread % 16u;
    let has_channel = channel < task.channels;
    let rows = turn.rows * task.places;
    let share = (rows + task.parts - 1u) / task.parts;
    let begin = min(group.y * share, rows);
    let until = min(begin + share, rows);
    var sums = vec2<f32>();
    if (has_channel) {
        let mean = values[task.statistics + channel];
        let inverse = values[task.statistics + task.channels + channel];
        for (var row = begin + thread / 16u; row < until; row += 16u) {
            let index = row * task.channels + channel;
            var gradient = values[task.gradient + index];
            if (task.activation != 0u) {
                gradient *= slope(values[task.saved + index], task.activation);
                values[task.gradient + index] = gradient;
            }
            let normal = (values[task.input + index] - mean) * inverse;
            sums += vec2<f32>(gradient * normal, gradient);
        }
    }
    let all_sums = over_rows(sums, thread);
    if (has_channel && thread < 16u) {
        let at = task.output + (group.y * task.channels + channel) * 2u;
        values[at] = all_sums.x;
        values[at + 1u] = all_sums.y;
    }
}
