// y = softmax(q·kᵀ·factor)·v for each head of each image, keys in tiles of sixteen, the softmax carried along.
// Layouts: input [image][token][3·width]: q, k, v, each [head][number]; y [image][token][width]; statistics
// [image][head][token][2]: the largest score and 1 / Σ exp(score − largest). A workgroup has 32 queries, x, of head y of
// images z on; a thread has two of them with four keys of a tile, then with every fourth quad of the head's numbers.
// Limits: at most 96 numbers a head; the largest score starts from -3.40282e38; statistics is NONE where nobody needs them.

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
var<workgroup> keys: array<vec4<f32>, 384>;
var<workgroup> shared_values: array<vec4<f32>, 384>;
// Scores of each thread's queries with its four keys.
var<workgroup> scores: array<array<vec4<f32>, 2>, 64>;

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

// A query's softmax so far: its largest score and its sum.
struct State {
    largest: f32, sum: f32,
}
// The next state, what is left of everything before, and sixteen keys' chances.
struct Next {
    state: State, shrink: f32, chances: mat4x4<f32>,
}

// Keys beyond the last are so far below that nothing of them is left.
fn carried(state: State, own: u32, which: u32) -> Next {
    let score0 = scores[own][which];
    let score1 = scores[own + 1u][which];
    let score2 = scores[own + 2u][which];
    let score3 = scores[own + 3u][which];
    let largest = max(state.largest, largest_of(max(max(score0, score1), max(score2, score3))));
    let shrink = bounded_exp(vec4<f32>(state.largest - largest)).x;
    let chances = mat4x4<f32>(bounded_exp(score0 - largest), bounded_exp(score1 - largest), bounded_exp(score2 - largest),
        bounded_exp(score3 - largest));
    let sums = (chances[0] + chances[1]) + (chances[2] + chances[3]);
    let sum = state.sum * shrink + ((sums.x + sums.y) + (sums.z + sums.w));
    return Next(State(largest, sum), shrink, chances);
}

// A quad of four keys' values.
fn four_values(at: u32, quads: u32) -> mat4x4<f32> {
    return mat4x4<f32>(shared_values[at], shared_values[at + quads], shared_values[at + 2u * quads],
        shared_values[at + 3u * quads]);
}

fn finish(image: u32, query: u32, head: u32, lane: u32, state: State, outputs: ptr<function, array<vec4<f32>, 6>>) {
    if (query >= task.tokens) {
        return;
    }
    let head_width = task.width / task.heads;
    let to = task.output + (image * task.tokens + query) * task.width + head * head_width;
    for (var slot = 0u; slot < 6u; slot++) {
        put(to, 16u * slot + 4u * lane, head_width, (*outputs)[slot] / state.sum);
    }
    if (task.statistics != NONE && lane == 0u) {
        let at = task.statistics + ((image * task.heads + head) * task.tokens + query) * 2u;
        values[at] = state.largest;
        values[at + 1u] = 1.0 / state.sum;
    }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32) {
    let head_width = task.width / task.heads;
    let quads = (head_width + 3u) / 4u;
    let own = thread / 4u;
    let lane = thread % 4u;
    let query = group.x * 32u + own;
    let last = task.tokens - 1u;
    let step = 3u * task.width;
    for (var image = group.z; image < turn.rows; image += groups.z) {
        let begin = task.input + image * task.tokens * step + group.y * head_width;
        let near_query = begin + min(query, last) * step;
        let far_query = begin + min(query + 16u, last) * step;
        var near = State(SMALLEST, 0.0);
        var far = State(SMALLEST, 0.0);
        var near_outputs = array<vec4<f32>, 6>();
        var far_outputs = array<vec4<f32>, 6>();
        for (var first = 0u; first < task.tokens; first += 16u) {
            // A thread has every fourth quad of one key.
            let key_at = begin + min(first + own, last) * step + task.width;
            for (var quad = lane; quad < quads; quad += 4u) {
                keys[own * quads + quad] = four(key_at, 4u * quad, head_width);
                shared_values[own * quads + quad] = four(key_at + task.width, 4u * quad, head_width);
            }
            workgroupBarrier();
            var near_score = vec4<f32>();
            var far_score = vec4<f32>();
            for (var quad = 0u; quad < quads; quad++) {
                let p = four(near_query, 4u * quad, head_width);
                let q = four(far_query, 4u * quad, head_width);
                let at = 4u * lane * quads + quad;
                let four_keys = mat4x4<f32>(keys[at], keys[at + quads], keys[at + 2u * quads], keys[at + 3u * quads]);
                near_score += p * four_keys;
                far_score += q * four_keys;
            }
            let is_key = vec4<u32>(first + 4u * lane) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(task.tokens);
            scores[thread][0] = select(vec4<f32>(SMALLEST), near_score * task.factor, is_key);
            scores[thread][1] = select(vec4<f32>(SMALLEST), far_score * task.factor, is_key);
            workgroupBarrier();
            let near_next = carried(near, 4u * own, 0u);
            let far_next = carried(far, 4u * own, 1u);
            near = near_next.state;
            far = far_next.state;
            for (var slot = 0u; 4u * slot + lane < quads; slot++) {
                let at = 4u * slot + lane;
                let values0 = four_values(at, quads);
                let values1 = four_values(at + 4u * quads, quads);
                let values2 = four_values(at + 8u * quads, quads);
                let values3 = four_values(at + 12u * quads, quads);
                let p = (values0 * near_next.chances[0] + values1 * near_next.chances[1])
                    + (values2 * near_next.chances[2] + values3 * near_next.chances[3]);
                let q = (values0 * far_next.chances[0] + values1 * far_next.chances[1])
                    + (values2 * far_next.chances[2] + values3 * far_next.chances[3]);
                near_outputs[slot] = near_outputs[slot] * near_next.shrink + p;
                far_outputs[slot] = far_outputs[slot] * far_next.shrink + q;
            }
            workgroupBarrier();
        }
        finish(image, query, group.y, lane, near, &near_outputs);
        finish(image, query + 16u, group.y, lane, far, &far_outputs);
    }
}
