// y = softmax(q·kᵀ·factor)·v for each head of each image, keys in tiles of sixteen, the softmax carried along.
// Layouts: input [image][token][3·width]: q, k, v, each [head][number]; y [image][token][width]; statistics
// [image][head][token][2]: the largest score and 1 / Σ exp(score − largest). A workgroup has sixteen queries, x, of head y
// of images z on, four threads a query: a thread has four keys of a tile, then every fourth quad of the query's numbers.
// Limits: at most 108 numbers a head; the largest score starts from -3.40282e38; statistics is NONE where nobody needs them.

struct Task {
    tokens: u32, width: u32, heads: u32, factor: f32, input: u32, output: u32, statistics: u32,
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

const SMALLEST: f32 = -3.40282e38;

// Quads of a head's numbers, of sixteen keys one below the other.
var<workgroup> keys: array<vec4<f32>, 432>;
var<workgroup> shared_values: array<vec4<f32>, 432>;
// Four keys' scores of each thread.
var<workgroup> scores: array<vec4<f32>, 64>;

// eˣ for x ≤ 0; 0 where it is too small to matter.
fn bounded_exp(x: vec4<f32>) -> vec4<f32> {
    return select(exp(clamp(x, vec4<f32>(-87.0), vec4<f32>(0.0))), vec4<f32>(0.0), x < vec4<f32>(-87.0));
}

fn largest_of(x: vec4<f32>) -> f32 {
    return max(max(x.x, x.y), max(x.z, x.w));
}

// Four numbers of a head from one on; zeros beyond its last.
fn four(begin: u32, number: u32, width: u32) -> vec4<f32> {
    let at = begin + number;
    if (number + 3u < width) {
        return vec4<f32>(values[at], values[at + 1u], values[at + 2u], values[at + 3u]);
    }
    var found = vec4<f32>();
    if (number < width) { found.x = values[at]; }
    if (number + 1u < width) { found.y = values[at + 1u]; }
    if (number + 2u < width) { found.z = values[at + 2u]; }
    return found;
}

fn put(begin: u32, number: u32, width: u32, quad: vec4<f32>) {
    if (number < width) { values[begin + number] = quad.x; }
    if (number + 1u < width) { values[begin + number + 1u] = quad.y; }
    if (number + 2u < width) { values[begin + number + 2u] = quad.z; }
    if (number + 3u < width) { values[begin + number + 3u] = quad.w; }
}

// Sixteen values' quad, each by its chance.
fn mixed(chances: mat4x4<f32>, quad: u32, quads: u32) -> vec4<f32> {
    var sum = vec4<f32>();
    for (var four = 0u; four < 4u; four++) {
        let by = chances[four];
        let at = 4u * four * quads + quad;
        sum += by.x * shared_values[at] + by.y * shared_values[at + quads];
        sum += by.z * shared_values[at + 2u * quads] + by.w * shared_values[at + 3u * quads];
    }
    return sum;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32) {
    let head_width = task.width / task.heads;
    let quads = (head_width + 3u) / 4u;
    let own = thread / 4u;
    let lane = thread % 4u;
    let query = group.x * 16u + own;
    let step = 3u * task.width;
    for (var image = group.z; image < turn.rows; image += groups.z) {
        let begin = task.input + image * task.tokens * step + group.y * head_width;
        let query_at = begin + min(query, task.tokens - 1u) * step;
        var largest = SMALLEST;
        var sum = 0.0;
        var output0 = vec4<f32>();
        var output1 = vec4<f32>();
        var output2 = vec4<f32>();
        var output3 = vec4<f32>();
        var output4 = vec4<f32>();
        var output5 = vec4<f32>();
        var output6 = vec4<f32>();
        for (var first = 0u; first < task.tokens; first += 16u) {
            // A thread has every fourth quad of one key.
            let key_at = begin + min(first + own, task.tokens - 1u) * step + task.width;
            for (var quad = lane; quad < quads; quad += 4u) {
                keys[own * quads + quad] = four(key_at, 4u * quad, head_width);
                shared_values[own * quads + quad] = four(key_at + task.width, 4u * quad, head_width);
            }
            workgroupBarrier();
            var score = vec4<f32>();
            for (var quad = 0u; quad < quads; quad++) {
                let q = four(query_at, 4u * quad, head_width);
                let at = 4u * lane * quads + quad;
                score += vec4<f32>(dot(q, keys[at]), dot(q, keys[at + quads]), dot(q, keys[at + 2u * quads]),
                    dot(q, keys[at + 3u * quads]));
            }
            let key = vec4<u32>(first + 4u * lane) + vec4<u32>(0u, 1u, 2u, 3u);
            scores[thread] = select(vec4<f32>(SMALLEST), score * task.factor, key < vec4<u32>(task.tokens));
            workgroupBarrier();
            let score0 = scores[own * 4u];
            let score1 = scores[own * 4u + 1u];
            let score2 = scores[own * 4u + 2u];
            let score3 = scores[own * 4u + 3u];
            let next = max(largest, largest_of(max(max(score0, score1), max(score2, score3))));
            let shrink = bounded_exp(vec4<f32>(largest - next)).x;
            // Keys beyond the last are so far below that nothing of them is left.
            let chances = mat4x4<f32>(bounded_exp(score0 - next), bounded_exp(score1 - next), bounded_exp(score2 - next),
                bounded_exp(score3 - next));
            let sums = (chances[0] + chances[1]) + (chances[2] + chances[3]);
            sum = sum * shrink + ((sums.x + sums.y) + (sums.z + sums.w));
            largest = next;
            output0 = output0 * shrink + mixed(chances, lane, quads);
            if (quads > 4u) { output1 = output1 * shrink + mixed(chances, lane + 4u, quads); }
            if (quads > 8u) { output2 = output2 * shrink + mixed(chances, lane + 8u, quads); }
            if (quads > 12u) { output3 = output3 * shrink + mixed(chances, lane + 12u, quads); }
            if (quads > 16u) { output4 = output4 * shrink + mixed(chances, lane + 16u, quads); }
            if (quads > 20u) { output5 = output5 * shrink + mixed(chances, lane + 20u, quads); }
            if (quads > 24u) { output6 = output6 * shrink + mixed(chances, lane + 24u, quads); }
            workgroupBarrier();
        }
        if (query < task.tokens) {
            let to = task.output + (image * task.tokens + query) * task.width + group.y * head_width;
            put(to, 4u * lane, head_width, output0 / sum);
            put(to, 4u * lane + 16u, head_width, output1 / sum);
            put(to, 4u * lane + 32u, head_width, output2 / sum);
            put(to, 4u * lane + 48u, head_width, output3 / sum);
            put(to, 4u * lane + 64u, head_width, output4 / sum);
            put(to, 4u * lane + 80u, head_width, output5 / sum);
            put(to, 4u * lane + 96u, head_width, output6 / sum);
            if (task.statistics != NONE && lane == 0u) {
                let at = task.statistics + ((image * task.heads + group.y) * task.tokens + query) * 2u;
                values[at] = largest;
                values[at + 1u] = 1.0 / sum;
            }
        }
    }
}
