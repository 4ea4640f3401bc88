// y = Σ e·v / Σ e per head, e a table's power of how far a key's score q·k is below the largest, in integers.
// Layouts: x [row][token][queries, keys, values in words], y [row][token][word]; weights[table + place] is a power.
// A thread computes one word of y after another, and the scores of its query twice, for their largest and for their powers.
// Bytes are c − base; the table has 1024 powers of fourteen digits, the last 0.
// Limits: heads of whole words; at most 512 tokens.

struct Task {
    tokens: u32, words: u32, head_words: u32, input: u32, output: u32, table: u32, index_multiplier: u32, index_shift: u32,
    multiplier: u32, shift: u32, low: u32, high: u32, input_base: u32, base: u32,
}
// One step's numbers.
struct Turn {
    rows: u32, indices: u32, labels: u32, slot: u32, key_low: u32, key_high: u32, smoothing: f32, optimizer: u32,
    rate: f32, momentum: f32, decay: f32, scale: f32, keep_first: f32, take_first: f32, keep_second: f32, take_second: f32,
    epsilon: f32,
}

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

fn numbers(at: u32) -> vec4<i32> {
    return unpacked(values[at]) + vec4<i32>(i32(task.input_base));
}

// A query's score with a key, both by their first words.
fn score(query: u32, key: u32) -> i32 {
    var sum = vec4<i32>(0);
    for (var word = 0u; word < task.head_words; word++) {
        sum += numbers(query + word) * numbers(key + word);
    }
    return sum.x + sum.y + sum.z + sum.w;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let stride = groups.x * 64u;
    let token_words = 3u * task.words;
    let count = turn.rows * task.tokens * task.words;
    for (var index = id.x; index < count; index += stride) {
        let word = index % task.words;
        let token = index / task.words;
        let row = task.input + token / task.tokens * task.tokens * token_words;
        let head = word / task.head_words * task.head_words;
        let query = row + token % task.tokens * token_words + head;
        let keys = row + task.words + head;
        var largest = score(query, keys);
        for (var key = 1u; key < task.tokens; key++) {
            largest = max(largest, score(query, keys + key * token_words));
        }
        var sums = vec4<i32>(0);
        var of_powers = 0i;
        for (var key = 0u; key < task.tokens; key++) {
            let below = largest - score(query, keys + key * token_words);
            let multiplier = i32(task.index_multiplier);
            let scaled = (below >> 16u) * multiplier + (((below & 0xffffi) * multiplier) >> 16u);
            let place = (scaled + ((1i << task.index_shift) >> 1u)) >> task.index_shift;
            let power = i32(weights[task.table + u32(min(place, 1023i))]);
            sums += power * numbers(row + 2u * task.words + key * token_words + word);
            of_powers += power;
        }
        let up = countLeadingZeros(u32(of_powers)) - 1u;
        let inverse = min((1i << 29u) / ((of_powers << up) >> 16u), 32767i);
        let product = (sums >> vec4<u32>(16u)) * inverse + (((sums & vec4<i32>(0xffff)) * inverse) >> vec4<u32>(16u));
        let means = product >> vec4<u32>(23u - up);
        let rounded = (means * i32(task.multiplier) + vec4<i32>((1i << task.shift) >> 1u)) >> vec4<u32>(task.shift);
        let result = clamp(rounded, vec4<i32>(i32(task.low)), vec4<i32>(i32(task.high))) - vec4<i32>(i32(task.base));
        values[task.output + index] = packed(result);
    }
}
