// dx = (dy·wᵀ + dx where accumulate is 1)·slope(saved): the gradient of a linear layer's input where there is little to do.
// Layouts: dx and saved [row][plane], w [plane][channel], dy [row][channel].
// A workgroup has 64 planes of row y, a thread one of them.
// Sums: ascending, four products at a time.
// Limits: none of its own; activation is that of whoever computed x, 0 where there is none.

struct Task {
    height: u32, width: u32, planes: u32, out_height: u32, out_width: u32, channels: u32,
    size_y: u32, size_x: u32, stride_y: u32, stride_x: u32, top: u32, left: u32, groups: u32,
    gradient: u32, weight: u32, output: u32, accumulate: u32, saved: u32, activation: u32,
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

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let plane = group.x * 64u + thread;
    let row = group.y;
    if (plane >= task.planes) {
        return;
    }
    let index = row * task.planes + plane;
    let gradient = task.gradient + row * task.channels;
    let weight = task.weight + plane * task.channels;
    var sum = 0.0;
    var k = 0u;
    for (; k + 3u < task.channels; k += 4u) {
        let dy = vec4<f32>(values[gradient + k], values[gradient + k + 1u], values[gradient + k + 2u], values[gradient + k + 3u]);
        let w = vec4<f32>(weights[weight + k], weights[weight + k + 1u], weights[weight + k + 2u], weights[weight + k + 3u]);
        sum += dot(dy, w);
    }
    for (; k < task.channels; k++) {
        sum += values[gradient + k] * weights[weight + k];
    }
    if (task.accumulate != 0u) {
        sum += values[task.output + index];
    }
    if (task.activation != 0u) {
        sum *= slope(values[task.saved + index], task.activation);
    }
    values[task.output + index] = sum;
}
