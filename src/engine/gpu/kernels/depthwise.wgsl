// y = activation(norm(Σ w·x + bias) + residual), each channel by its own kernel: a depthwise convolution.
// Layouts: x [image][y][x][channel], w [row][column][channel], y, residual and kept [image][y][x][channel].
// A thread computes one output after another, the grid's threads side by side along channels.
// Sums go over the kernel's rows and columns, ascending; norm is a batch norm by its running statistics, kept what the
// activation was given. Limits: 2³² numbers in all; planes and channels are as many, whatever groups says.

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

fn finish(place: u32, channel: u32, product: f32) {
    var sum = product * task.factor;
    if (task.bias != NONE) {
        sum += weights[task.bias + channel];
    }
    if (task.norm_scale != NONE) {
        let factor = weights[task.norm_scale + channel] / sqrt(weights[task.norm_variance + channel] + task.epsilon);
        sum = (sum - weights[task.norm_mean + channel]) * factor + weights[task.norm_shift + channel];
    }
    let index = place * task.channels + channel;
    if (task.residual != NONE) {
        sum += values[task.residual + index];
    }
    if (task.kept != NONE) {
        values[task.kept + index] = sum;
    }
    values[task.output + index] = activated(sum, task.activation);
}

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let stride = groups.x * 256u;
    let count = turn.rows * task.out_height * task.out_width * task.channels;
    for (var index = id.x; index < count; index += stride) {
        let channel = index % task.channels;
        let place = index / task.channels;
        let row = place / task.out_width;
        let top = i32(row % task.out_height * task.stride_y) - i32(task.top);
        let left = i32(place % task.out_width * task.stride_x) - i32(task.left);
        let image = task.input + row / task.out_height * task.height * task.width * task.channels;
        var sum = 0.0;
        for (var i = 0u; i < task.size_y; i++) {
            let y = top + i32(i);
            if (y < 0 || y >= i32(task.height)) {
                continue;
            }
            for (var j = 0u; j < task.size_x; j++) {
                let x = left + i32(j);
                if (x >= 0 && x < i32(task.width)) {
                    sum += weight_at(task.weight + (i * task.size_x + j) * task.channels + channel)
                        * values[image + (u32(y) * task.width + u32(x)) * task.channels + channel];
                }
            }
        }
        finish(place, channel, sum);
    }
}
