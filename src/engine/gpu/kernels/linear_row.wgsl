// y = activation(norm(x·w + bias) + residual): a linear layer, row by row, for so few rows that tiles would stay empty.
// Layouts: x [row][plane], w [plane][channel], y, residual and kept [row][channel].
// A workgroup has 16 channels of row y; thread 16·slice + channel has the terms slice, slice + 16, … of one sum.
// Sums: a slice's ascending, then the slices' ascending; norm is by running statistics.
// Limits: none of its own.

struct Task {
    height: u32, width: u32, planes: u32, out_height: u32, out_width: u32, channels: u32,
    size_y: u32, size_x: u32, stride_y: u32, stride_x: u32, top: u32, left: u32, groups: u32,
    input: u32, weight: u32, bias: u32, residual: u32, output: u32, kept: u32, activation: u32,
    norm_scale: u32, norm_shift: u32, norm_mean: u32, norm_variance: u32, epsilon: f32, factor: f32,
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
@group(0) @binding(6) var<storage, read> numbers: array<u32>;

// Whether weights are halves, two to a word of the numbers, and sums are multiplied by task.factor.
override HALVES: bool = false;

fn weight_at(index: u32) -> f32 {
    if (HALVES) {
        let both = unpack2x16float(numbers[index / 2u]);
        return select(both.x, both.y, index % 2u == 1u);
    }
    return weights[index];
}

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

fn hyperbolic_tangent(x: f32) -> f32 {
    let size = abs(x);
    let square = size * size;
    let series = (((-6.2459926e-3 * square + 0.021052472) * square - 0.05384785) * square + 0.13332546) * square
        - 0.33333316;
    let near = size + size * square * series;
    let far = 1.0 - 2.0 / (exp(min(2.0 * size, 30.0)) + 1.0);
    let found = select(far, near, size < 0.55);
    return select(found, -found, x < 0.0);
}

// 0 nothing, 1 relu, 2 relu6, 3 hardswish, 4 silu, 5 tanh, 6 gelu.
fn activated(x: f32, activation: u32) -> f32 {
    switch activation {
        case 1u: { return max(x, 0.0); }
        case 2u: { return clamp(x, 0.0, 6.0); }
        case 3u: { return x * (clamp(x + 3.0, 0.0, 6.0) * 0.16666667); }
        case 4u: { return x * sigmoid(x); }
        case 5u: { return hyperbolic_tangent(x); }
        case 6u: { return x * normal_cdf(x); }
        default: { return x; }
    }
}

const CHANNELS: u32 = 16u;
const SLICES: u32 = 16u;

var<workgroup> slices: array<f32, 256>;

fn term(input: u32, weight: u32, k: u32) -> f32 {
    return values[input + k] * weight_at(weight + k * task.channels);
}

fn finish_one(index: u32, channel: u32, product: f32) {
    var sum = product * task.factor;
    if (task.bias != NONE) {
        sum += weights[task.bias + channel];
    }
    if (task.norm_scale != NONE) {
        let factor = weights[task.norm_scale + channel] / sqrt(weights[task.norm_variance + channel] + task.epsilon);
        sum = (sum - weights[task.norm_mean + channel]) * factor + weights[task.norm_shift + channel];
    }
    if (task.residual != NONE) {
        sum += values[task.residual + index];
    }
    if (task.kept != NONE) {
        values[task.kept + index] = sum;
    }
    values[task.output + index] = activated(sum, task.activation);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let slice = thread / CHANNELS;
    let channel = group.x * CHANNELS + thread % CHANNELS;
    let row = group.y;
    let input = task.input + row * task.planes;
    let weight = task.weight + channel;
    var sum = 0.0;
    if (channel < task.channels) {
        var k = slice;
        // Four at a time, so that their ways from memory overlap.
        for (; k + 3u * SLICES < task.planes; k += 4u * SLICES) {
            let first = term(input, weight, k);
            let second = term(input, weight, k + SLICES);
            let third = term(input, weight, k + 2u * SLICES);
            let fourth = term(input, weight, k + 3u * SLICES);
            sum = (((sum + first) + second) + third) + fourth;
        }
        for (; k < task.planes; k += SLICES) {
            sum += term(input, weight, k);
        }
    }
    slices[thread] = sum;
    workgroupBarrier();
    if (slice != 0u || channel >= task.channels) {
        return;
    }
    for (var i = thread + CHANNELS; i < 256u; i += CHANNELS) {
        sum += slices[i];
    }
    finish_one(row * task.channels + channel, channel, sum);
}
