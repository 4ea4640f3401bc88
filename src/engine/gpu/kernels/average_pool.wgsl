// y = the mean of each window over its cells in the image, per channel; a window as large as the image is the global mean.
// Layouts: x [image][y][x][channel], y [image][y][x][channel].
// A thread computes one output after another, the grid's threads side by side along channels.
// Sums go over the window column by column, every fourth row, then those four sums.
// Limits: every window has a cell in the image; 2³² numbers in all.

struct Task {
    height: u32, width: u32, channels: u32, out_height: u32, out_width: u32,
    size_y: u32, size_x: u32, stride_y: u32, stride_x: u32, top: u32, left: u32,
    input: u32, output: u32,
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

// Cells of a window that lie in the image.
fn cells(window: vec2<u32>) -> f32 {
    let top = i32(window.x * task.stride_y) - i32(task.top);
    let left = i32(window.y * task.stride_x) - i32(task.left);
    let height = min(top + i32(task.size_y), i32(task.height)) - max(top, 0);
    let width = min(left + i32(task.size_x), i32(task.width)) - max(left, 0);
    return f32(height * width);
}

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let stride = groups.x * 256u;
    let count = turn.rows * task.out_height * task.out_width * task.channels;
    for (var index = id.x; index < count; index += stride) {
        let channel = index % task.channels;
        let place = index / task.channels;
        let row = place / task.out_width;
        let window = vec2<u32>(row % task.out_height, place % task.out_width);
        let top = i32(window.x * task.stride_y) - i32(task.top);
        let left = i32(window.y * task.stride_x) - i32(task.left);
        let image = task.input + row / task.out_height * task.height * task.width * task.channels;
        var sums = vec4<f32>();
        let first = u32(max(top, 0));
        let until = u32(min(top + i32(task.size_y), i32(task.height)));
        let line = task.width * task.channels;
        for (var x = max(left, 0); x < min(left + i32(task.size_x), i32(task.width)); x++) {
            var at = image + (first * task.width + u32(x)) * task.channels + channel;
            var y = first;
            // Four rows at a time, so that their numbers are on the way together.
            for (; y + 3u < until; y += 4u) {
                sums += vec4<f32>(values[at], values[at + line], values[at + 2u * line], values[at + 3u * line]);
                at += 4u * line;
            }
            for (; y < until; y++) {
                sums.x += values[at];
                at += line;
            }
        }
        let sum = (sums.x + sums.y) + (sums.z + sums.w);
        values[task.output + index] = sum / cells(window);
    }
}
