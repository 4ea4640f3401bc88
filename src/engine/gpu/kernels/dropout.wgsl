// y = x·factor where the number's random word is at least limit, else 0; or added to y where accumulate is 1.
// Layouts: x, y [row][length]; they may be the same place. Word i mod 4 of Philox4x32-10's block i / 4 decides on number i.
// A thread computes one number after another, the grid's threads side by side.
// Key: the step's two words; counter: block, 0, node, 0. Integers alone, so the CPU draws the same mask; gradients call it too.
// Limits: 2³² numbers in all.

struct Task {
    length: u32, input: u32, output: u32, node: u32, limit: u32, factor: f32, accumulate: u32,
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

// The upper half of a product of two words, by their halves.
fn high(a: u32, b: u32) -> u32 {
    let low = (a & 0xffffu) * (b & 0xffffu);
    let first = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
    let second = (a & 0xffffu) * (b >> 16u) + (first & 0xffffu);
    return (a >> 16u) * (b >> 16u) + (first >> 16u) + (second >> 16u);
}

fn philox(counter: vec4<u32>, seed: vec2<u32>) -> vec4<u32> {
    var word = counter;
    var key = seed;
    for (var round = 0u; round < 10u; round++) {
        word = vec4<u32>(
            high(0xcd9e8d57u, word.z) ^ word.y ^ key.x,
            0xcd9e8d57u * word.z,
            high(0xd2511f53u, word.x) ^ word.w ^ key.y,
            0xd2511f53u * word.x,
        );
        key += vec2<u32>(0x9e3779b9u, 0xbb67ae85u);
    }
    return word;
}

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let stride = groups.x * 256u;
    let count = turn.rows * task.length;
    for (var index = id.x; index < count; index += stride) {
        let words = philox(vec4<u32>(index / 4u, 0u, task.node, 0u), vec2<u32>(turn.key_low, turn.key_high));
        var value = 0.0;
        if (words[index % 4u] >= task.limit) {
            value = values[task.input + index] * task.factor;
        }
        if (task.accumulate != 0u) {
            value += values[task.output + index];
        }
        values[task.output + index] = value;
    }
}
