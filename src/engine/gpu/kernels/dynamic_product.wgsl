// y = activation(Σ c·w · (step of the row · step of the output) + bias + residual): products in integers of rounded rows.
// Layouts: c [image][y][x][word of four channels]; the row's step at steps + image; weights [term][word of y] in vec4s, each of
// them four weights of an output channel or, depthwise, one; constants [word of y] steps, then biases; y, residual in f32.
// A thread computes four channels of one place after another; padding is 0.
// Limits: groups are one, one for each channel, or of whole words; sums fit into 32 bits.

struct Task {
    height: u32, width: u32, planes: u32, out_height: u32, out_width: u32, channels: u32, size_y: u32, size_x: u32,
    stride_y: u32, stride_x: u32, top: u32, left: u32, groups: u32,
    input: u32, steps: u32, weight: u32, constants: u32, residual: u32, output: u32, depthwise: u32, activation: u32,
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
@group(0) @binding(2) var<storage, read_write> weights: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read_write> values: array<u32>;

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

// Four numbers of a word.
fn unpacked(word: u32) -> vec4<i32> {
    return vec4<i32>(vec4<u32>(word) << vec4<u32>(24u, 16u, 8u, 0u)) >> vec4<u32>(24u);
}

fn dot(a: u32, b: u32) -> i32 {
    return dot4I8Packed(a, b);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let stride = groups.x * 64u;
    let in_words = (task.planes + 3u) / 4u;
    let out_words = (task.channels + 3u) / 4u;
    let of_group = select(in_words / task.groups, 1u, task.depthwise != 0u);
    let count = turn.rows * task.out_height * task.out_width * out_words;
    for (var index = id.x; index < count; index += stride) {
        let quad = index % out_words;
        let place = index / out_words;
        let row = place / task.out_width;
        let top = row % task.out_height * task.stride_y - task.top;
        let left = place % task.out_width * task.stride_x - task.left;
        var image = task.input + row / task.out_height * task.height * task.width * in_words;
        if (task.depthwise != 0u) {
            image += quad;
        } else {
            image += quad * task.groups / out_words * of_group;
        }
        var sums = vec4<i32>(0i);
        var weight = task.weight + quad;
        for (var y = top; y != top + task.size_y; y++) {
            for (var x = left; x != left + task.size_x; x++) {
                // What is above or left of the image is beyond it as well, for these are not negative.
                let is_inside = y < task.height && x < task.width;
                let at = image + (y * task.width + x) * in_words;
                for (var word = 0u; word < of_group; word++) {
                    var a = 0u;
                    if (is_inside) {
                        a = values[at + word];
                    }
                    let b = weights[weight];
                    if (task.depthwise != 0u) {
                        sums += unpacked(a) * vec4<i32>(b);
                    } else {
                        sums += vec4<i32>(dot(a, b.x), dot(a, b.y), dot(a, b.z), dot(a, b.w));
                    }
                    weight += out_words;
                }
            }
        }
        let step = bitcast<f32>(values[task.steps + row / task.out_height]);
        let steps = bitcast<vec4<f32>>(weights[task.constants + quad]) * step;
        let numbers = vec4<f32>(sums) * steps + bitcast<vec4<f32>>(weights[task.constants + out_words + quad]);
        let channel = 4u * quad;
        for (var lane = 0u; lane < min(4u, task.channels - channel); lane++) {
            let at = place * task.channels + channel + lane;
            var y = numbers[lane];
            if (task.residual != NONE) {
                y += bitcast<f32>(values[task.residual + at]);
            }
            values[task.output + at] = bitcast<u32>(activated(y, task.activation));
        }
    }
}
