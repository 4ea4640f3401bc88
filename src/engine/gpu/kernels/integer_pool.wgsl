// y = the largest cell of each window that lies in the image, or the requantized sum of those cells, per channel.
// Layouts: x, y [image][y][x][word of four channels]; weights[multipliers + cells] is the multiplier for so many cells.
// A thread computes one word after another, the grid's threads side by side along channels.
// Without multipliers it is the largest. Bytes are c − base, and the largest of them is the largest c.
// Limits: every window has a cell in the image, at most 2¹⁵; 2³² words in all.

struct Task {
    height: u32, width: u32, channels: u32, out_height: u32, out_width: u32,
    size_y: u32, size_x: u32, stride_y: u32, stride_x: u32, top: u32, left: u32,
    input: u32, output: u32, multipliers: u32, shift: u32, low: u32, high: u32, input_base: u32, base: u32,
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
@group(0) @binding(2) var<storage, read_write> weights: array<u32>;
@group(0) @binding(4) var<storage, read_write> values: array<u32>;

// Four numbers of a word, and a word of four numbers.
fn unpacked(word: u32) -> vec4<i32> {
    return vec4<i32>(vec4<u32>(word) << vec4<u32>(24u, 16u, 8u, 0u)) >> vec4<u32>(24u);
}

fn packed(numbers: vec4<i32>) -> u32 {
    let bytes = vec4<u32>(numbers) & vec4<u32>(255u);
    return bytes.x | (bytes.y << 8u) | (bytes.z << 16u) | (bytes.w << 24u);
}

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let stride = groups.x * 256u;
    let words = (task.channels + 3u) / 4u;
    let count = turn.rows * task.out_height * task.out_width * words;
    for (var index = id.x; index < count; index += stride) {
        let word = index % words;
        let place = index / words;
        let row = place / task.out_width;
        let top = row % task.out_height * task.stride_y - task.top;
        let left = place % task.out_width * task.stride_x - task.left;
        let image = task.input + row / task.out_height * task.height * task.width * words + word;
        var largest = vec4<i32>(-128);
        var sums = vec4<i32>(0);
        var cells = 0u;
        for (var y = top; y != top + task.size_y; y++) {
            for (var x = left; x != left + task.size_x; x++) {
                if (y < task.height && x < task.width) {
                    let numbers = unpacked(values[image + (y * task.width + x) * words]);
                    largest = max(largest, numbers);
                    sums += numbers;
                    cells += 1u;
                }
            }
        }
        if (task.multipliers != NONE) {
            sums = (sums + vec4<i32>(i32(cells) * i32(task.input_base))) << vec4<u32>(8u);
            let multiplier = i32(weights[task.multipliers + cells]);
            let scaled = (sums >> vec4<u32>(16u)) * multiplier
                + (((sums & vec4<i32>(0xffff)) * multiplier) >> vec4<u32>(16u));
            let rounded = (scaled + vec4<i32>((1i << task.shift) >> 1u)) >> vec4<u32>(task.shift);
            largest = clamp(rounded, vec4<i32>(i32(task.low)), vec4<i32>(i32(task.high))) - vec4<i32>(i32(task.base));
        }
        values[task.output + index] = packed(largest);
    }
}
