// y = min(max(⌊(a·m + b·k + n + 2^(s−1)) / 2^s⌋, low), high) without b or n where they are NONE; or a table's entry for each a.
// Layouts: a, b, y [row][word of four numbers], n [number of a row]; weights[table + byte + 128] is the byte of the result.
// A thread computes one word after another, the grid's threads side by side.
// Bytes are c − base, each value with its own base.
// Limits: m and k are below 2¹⁵; 2³² words in all.

struct Task {
    words: u32, left: u32, right: u32, output: u32, table: u32, left_multiplier: u32, right_multiplier: u32, shift: u32,
    low: u32, high: u32, left_base: u32, right_base: u32, base: u32, numbers: u32,
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
    let count = turn.rows * task.words;
    for (var index = id.x; index < count; index += stride) {
        var result = unpacked(values[task.left + index]);
        if (task.table != NONE) {
            let at = vec4<u32>(result + vec4<i32>(128)) + vec4<u32>(task.table);
            result = vec4<i32>(vec4<u32>(weights[at.x], weights[at.y], weights[at.z], weights[at.w]));
        } else {
            var sum = (result + vec4<i32>(i32(task.left_base))) * i32(task.left_multiplier);
            if (task.right != NONE) {
                let right = unpacked(values[task.right + index]) + vec4<i32>(i32(task.right_base));
                sum += right * i32(task.right_multiplier);
            }
            if (task.numbers != NONE) {
                let at = task.numbers + index % task.words * 4u;
                sum += vec4<i32>(vec4<u32>(weights[at], weights[at + 1u], weights[at + 2u], weights[at + 3u]));
            }
            let rounded = (sum + vec4<i32>((1i << task.shift) >> 1u)) >> vec4<u32>(task.shift);
            result = clamp(rounded, vec4<i32>(i32(task.low)), vec4<i32>(i32(task.high))) - vec4<i32>(i32(task.base));
        }
        values[task.output + index] = packed(result);
    }
}
