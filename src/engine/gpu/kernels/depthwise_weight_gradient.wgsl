// dw = Σ x·dy and dbias = Σ dy over a part of all places: depthwise convolutions.
// Layouts: x [image][y][x][channel], dy [image][y][x][channel], output [part][row][column][channel].
// A workgroup has sixteen channels, x, of one place of the kernel, y, in part z; sixteen of its threads share a channel, each
// every sixteenth place, ascending, then a tree; y one beyond the kernel is the bias; the optimizer adds the parts.
// Limits: planes and channels are as many, whatever groups says; what is not finite raises metrics[0].

struct Task {
    height: u32, width: u32, planes: u32, out_height: u32, out_width: u32, channels: u32,
    size_y: u32, size_x: u32, stride_y: u32, stride_x: u32, top: u32, left: u32, groups: u32,
    input: u32, gradient: u32, parts: u32, output: u32, output_stride: u32, bias: u32, bias_stride: u32,
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

// Whether a number is NaN, infinite or on its way there: by its bits, since WGSL may assume that there is none.
fn is_broken(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7f800000u) >= 0x7e800000u;
}

// Sixteen channels side by side, sixteen places one below the other.
var<workgroup> shared_sums: array<f32, 256>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let is_bias = group.y == task.size_y * task.size_x;
    if (is_bias && task.bias == NONE) {
        return;
    }
    let channel = group.x * 16u + thread % 16u;
    let has_channel = channel < task.channels;
    let places = task.out_height * task.out_width;
    let rows = turn.rows * places;
    let share = (rows + task.parts - 1u) / task.parts;
    let begin = min(group.z * share, rows);
    let until = min(begin + share, rows);
    let i = i32(group.y / task.size_x) - i32(task.top);
    let j = i32(group.y % task.size_x) - i32(task.left);
    var row = begin + thread / 16u;
    var image = row / places;
    var y = row % places / task.out_width;
    var x = row % places % task.out_width;
    // Sixteen places on, in images, rows and columns.
    let step_image = 16u / places;
    let step_y = 16u % places / task.out_width;
    let step_x = 16u % places % task.out_width;
    var sum = 0.0;
    while (has_channel && row < until) {
        var term = values[task.gradient + row * task.channels + channel];
        if (!is_bias) {
            let from_y = u32(i32(y * task.stride_y) + i);
            let from_x = u32(i32(x * task.stride_x) + j);
            var input = 0.0;
            if (from_y < task.height && from_x < task.width) {
                let place = (image * task.height + from_y) * task.width + from_x;
                input = values[task.input + place * task.channels + channel];
            }
            term *= input;
        }
        sum += term;
        row += 16u;
        x += step_x;
        y += step_y;
        image += step_image;
        if (x >= task.out_width) {
            x -= task.out_width;
            y += 1u;
        }
        if (y >= task.out_height) {
            y -= task.out_height;
            image += 1u;
        }
    }
    shared_sums[thread] = sum;
    workgroupBarrier();
    for (var half = 8u; half > 0u; half /= 2u) {
        if (thread / 16u < half) {
            shared_sums[thread] += shared_sums[thread + half * 16u];
        }
        workgroupBarrier();
    }
    if (!has_channel || thread >= 16u) {
        return;
    }
    let all = shared_sums[thread];
    if (is_bias) {
        values[task.bias + group.z * task.bias_stride + channel] = all;
    } else {
        values[task.output + group.z * task.output_stride + group.y * task.channels + channel] = all;
    }
    if (is_broken(all)) {
        atomicMax(&metrics[0], 1u);
    }
}
