// dw = Σ x·(dy·slope(saved)) and dbias = Σ dy·slope(saved) over a part of all places: depthwise convolutions.
// Layouts: x [image][y][x][channel], dy and saved [image][y][x][channel], output [part][row][column][channel].
// A thread has one channel of one place of the kernel, y, in part z; y one beyond the kernel is the bias.
// Sums go over images and places, ascending; the optimizer adds the parts.
// Limits: planes and channels are as many, whatever groups says; what is not finite raises metrics[0].

struct Task {
    height: u32, width: u32, planes: u32, out_height: u32, out_width: u32, channels: u32,
    size_y: u32, size_x: u32, stride_y: u32, stride_x: u32, top: u32, left: u32, groups: u32,
    input: u32, gradient: u32, saved: u32, activation: u32, parts: u32, output: u32, output_stride: u32,
    bias: u32, bias_stride: u32,
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
@group(0) @binding(4) var<storage, read_write> values: array<f32>;
@group(0) @binding(7) var<storage, read_write> metrics: array<atomic<u32>>;

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

// Whether a number is NaN, infinite or on its way there: by its bits, since WGSL may assume that there is none.
fn is_broken(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7f800000u) >= 0x7e800000u;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(workgroup_id) group: vec3<u32>) {
    let channel = id.x;
    let is_bias = group.y == task.size_y * task.size_x;
    if (channel >= task.channels || (is_bias && task.bias == NONE)) {
        return;
    }
    let places = task.out_height * task.out_width;
    let rows = turn.rows * places;
    let share = (rows + task.parts - 1u) / task.parts;
    let begin = min(group.z * share, rows);
    let until = min(begin + share, rows);
    let i = i32(group.y / task.size_x) - i32(task.top);
    let j = i32(group.y % task.size_x) - i32(task.left);
    var sum = 0.0;
    for (var row = begin; row < until; row++) {
        let place = row % places;
        let index = row * task.channels + channel;
        let y = i32(place / task.out_width * task.stride_y) + i;
        let x = i32(place % task.out_width * task.stride_x) + j;
        let is_inside = y >= 0 && y < i32(task.height) && x >= 0 && x < i32(task.width);
        if (!is_bias && !is_inside) {
            continue;
        }
        var term = values[task.gradient + index];
        if (task.activation != 0u) {
            term *= slope(values[task.saved + index], task.activation);
        }
        if (!is_bias) {
            let image = row / places * task.height;
            term *= values[task.input + ((image + u32(y)) * task.width + u32(x)) * task.channels + channel];
        }
        sum += term;
    }
    if (is_bias) {
        values[task.bias + group.z * task.bias_stride + channel] = sum;
    } else {
        values[task.output + group.z * task.output_stride + group.y * task.channels + channel] = sum;
    }
    if (is_broken(sum)) {
        atomicMax(&metrics[0], 1u);
    }
}
