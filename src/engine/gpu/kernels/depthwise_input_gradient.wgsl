// dx = (Σ w·dy over the outputs that read it + dx where accumulate is 1)·slope(saved): depthwise convolutions.
// Layouts: dx and saved [image][y][x][channel], w [row][column][channel], dy [image][y][x][channel].
// A thread computes four numbers of a row, a stride from each other, after another four; threads side by side along channels.
// Sums go over the kernel's rows and columns, ascending; activation is that of whoever computed x, 0 where there is none.
// Limits: 2³² numbers in all; planes and channels are as many, whatever groups says.

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
    let none = 0.0;
    let all = 1.0;
    switch activation {
        case 1u: { return select(none, all, saved > none); }
        case 2u: { return select(none, all, (saved > none) && (saved < 6.0)); }
        case 3u: {
            let outside = select(none, all, saved > none);
            return select(outside, saved * 0.33333334 + 0.5, (saved > -3.0) && (saved < 3.0));
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
        default: { return all; }
    }
}

// A number of a line of the outputs; zero beyond its ends.
fn cell(line: u32, x: i32) -> f32 {
    let last = i32(task.out_width) - 1;
    let found = values[line + u32(clamp(x, 0, last)) * task.channels];
    return select(0.0, found, x >= 0 && x <= last);
}

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let stride = groups.x * 256u;
    // A remainder by the stride has so many fours in a row.
    let fours = ((task.width + task.stride_x - 1u) / task.stride_x + 3u) / 4u;
    let in_row = fours * task.stride_x;
    let count = turn.rows * task.height * in_row * task.channels;
    for (var index = id.x; index < count; index += stride) {
        let channel = index % task.channels;
        let place = index / task.channels;
        let row = place / in_row;
        let first = place % in_row / task.stride_x * 4u * task.stride_x + place % task.stride_x;
        let y = row % task.height + task.top;
        let x = first + task.left;
        let image = row / task.height * task.out_height;
        let weight = task.weight + channel;
        let gradient = task.gradient + channel;
        var sums = vec4<f32>();
        // Only each stride's row and column of the kernel meets an output, each one output before the last.
        var out_y = i32(y / task.stride_y);
        for (var i = y % task.stride_y; i < task.size_y; i += task.stride_y) {
            if (out_y >= 0 && out_y < i32(task.out_height)) {
                let line = gradient + (image + u32(out_y)) * task.out_width * task.channels;
                var out_x = i32(x / task.stride_x);
                for (var j = x % task.stride_x; j < task.size_x; j += task.stride_x) {
                    sums += weights[weight + (i * task.size_x + j) * task.channels]
                        * vec4<f32>(cell(line, out_x), cell(line, out_x + 1), cell(line, out_x + 2), cell(line, out_x + 3));
                    out_x -= 1;
                }
            }
            out_y -= 1;
        }
        for (var i = 0u; i < 4u; i++) {
            let column = first + i * task.stride_x;
            if (column >= task.width) {
                break;
            }
            let at = (row * task.width + column) * task.channels + channel;
            var sum = sums[i];
            if (task.accumulate != 0u) {
                sum += values[task.output + at];
            }
            if (task.activation != 0u) {
                sum *= slope(values[task.saved + at], task.activation);
            }
            values[task.output + at] = sum;
        }
    }
}
