// dS = P·(dy·vᵀ − D)·factor, dq = dS·k, dk = dSᵀ·q, dv = Pᵀ·dy with P = softmax(q·kᵀ·factor), D = Σ dy·y of a query.
// Layouts: input and output [image][token][3·width]; dy and y [image][token][width]; statistics [image][head][token][2].
// A workgroup has sixteen tokens of head y of images z on: the first half of x as queries (dq), the rest as keys (dk and dv);
// the others pass by in tiles of sixteen; four threads a token, each with four pairs, then every fourth quad of numbers.
// Limits: at most 108 numbers a head; output is added to where accumulate is 1; P is computed anew from the statistics.

struct Task {
    tokens: u32, width: u32, heads: u32, factor: f32, input: u32, forward: u32, gradient: u32, statistics: u32, output: u32,
    accumulate: u32,
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

// Quads of the numbers that meet the own tokens' in scores, and in gradients of chances, of sixteen tokens.
var<workgroup> score_side: array<vec4<f32>, 432>;
var<workgroup> chance_side: array<vec4<f32>, 432>;
// Of each thread's four pairs.
var<workgroup> chances: array<vec4<f32>, 64>;
var<workgroup> slopes: array<vec4<f32>, 64>;
// Shares of D, four a query.
var<workgroup> shares: array<vec4<f32>, 16>;

// eˣ for x ≤ 0, where rounding may have left it a little above; 0 where it is too small to matter.
fn bounded_exp(x: f32) -> f32 {
    return select(exp(clamp(x, -87.0, 1.0)), 0.0, x < -87.0);
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

fn store(begin: u32, number: u32, width: u32, quad: vec4<f32>) {
    var sum = quad;
    if (task.accumulate != 0u) {
        sum += four(begin, number, width);
    }
    if (number < width) { values[begin + number] = sum.x; }
    if (number + 1u < width) { values[begin + number + 1u] = sum.y; }
    if (number + 2u < width) { values[begin + number + 2u] = sum.z; }
    if (number + 3u < width) { values[begin + number + 3u] = sum.w; }
}

// Sixteen passing tokens' quad, each by the slope of its pair.
fn by_slopes(own: u32, quad: u32, quads: u32) -> vec4<f32> {
    var sum = vec4<f32>();
    for (var four = 0u; four < 4u; four++) {
        let by = slopes[own * 4u + four];
        let at = 4u * four * quads + quad;
        sum += by.x * score_side[at] + by.y * score_side[at + quads];
        sum += by.z * score_side[at + 2u * quads] + by.w * score_side[at + 3u * quads];
    }
    return sum;
}

// The same by its chance.
fn by_chances(own: u32, quad: u32, quads: u32) -> vec4<f32> {
    var sum = vec4<f32>();
    for (var four = 0u; four < 4u; four++) {
        let by = chances[own * 4u + four];
        let at = 4u * four * quads + quad;
        sum += by.x * chance_side[at] + by.y * chance_side[at + quads];
        sum += by.z * chance_side[at + 2u * quads] + by.w * chance_side[at + 3u * quads];
    }
    return sum;
}

// The chance of a pair by its score and its query.
fn chance(score: f32, image: u32, head: u32, query: u32) -> f32 {
    let at = task.statistics + ((image * task.heads + head) * task.tokens + min(query, task.tokens - 1u)) * 2u;
    return bounded_exp(score * task.factor - values[at]) * values[at + 1u];
}

fn mean_of(share: vec4<f32>) -> f32 {
    return (share.x + share.y) + (share.z + share.w);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32) {
    let head_width = task.width / task.heads;
    let quads = (head_width + 3u) / 4u;
    let tiles = (task.tokens + 15u) / 16u;
    let is_keys = group.x >= tiles;
    let own = thread / 4u;
    let lane = thread % 4u;
    let token = group.x % tiles * 16u + own;
    let near = min(token, task.tokens - 1u);
    let offset = group.y * head_width;
    let step = 3u * task.width;
    for (var image = group.z; image < turn.rows; image += groups.z) {
        let inputs = task.input + image * task.tokens * step + offset;
        let outputs = image * task.tokens * task.width + offset;
        // Queries pair q with k and dy with v; keys pair k with q and v with dy.
        let own_score = inputs + near * step + select(0u, task.width, is_keys);
        let own_chance = select(task.gradient + outputs + near * task.width,
            inputs + near * step + 2u * task.width, is_keys);
        var score0 = vec4<f32>();
        var chance0 = vec4<f32>();
        var score1 = vec4<f32>();
        var chance1 = vec4<f32>();
        var score2 = vec4<f32>();
        var chance2 = vec4<f32>();
        var score3 = vec4<f32>();
        var chance3 = vec4<f32>();
        var score4 = vec4<f32>();
        var chance4 = vec4<f32>();
        var score5 = vec4<f32>();
        var chance5 = vec4<f32>();
        var score6 = vec4<f32>();
        var chance6 = vec4<f32>();
        for (var first = 0u; first < task.tokens; first += 16u) {
            // A thread has every fourth quad of one passing token, and of one query for its D.
            let passing = min(first + own, task.tokens - 1u);
            let score_at = inputs + passing * step + select(task.width, 0u, is_keys);
            let chance_at = select(inputs + passing * step + 2u * task.width,
                task.gradient + outputs + passing * task.width, is_keys);
            let query_row = outputs + select(near, passing, is_keys) * task.width;
            var share = 0.0;
            for (var quad = lane; quad < quads; quad += 4u) {
                score_side[own * quads + quad] = four(score_at, 4u * quad, head_width);
                chance_side[own * quads + quad] = four(chance_at, 4u * quad, head_width);
                share += dot(four(task.gradient + query_row, 4u * quad, head_width),
                    four(task.forward + query_row, 4u * quad, head_width));
            }
            shares[own][lane] = share;
            workgroupBarrier();
            var score = vec4<f32>();
            var gradient = vec4<f32>();
            for (var quad = 0u; quad < quads; quad++) {
                let q = four(own_score, 4u * quad, head_width);
                let d = four(own_chance, 4u * quad, head_width);
                let at = 4u * lane * quads + quad;
                score += vec4<f32>(dot(q, score_side[at]), dot(q, score_side[at + quads]),
                    dot(q, score_side[at + 2u * quads]), dot(q, score_side[at + 3u * quads]));
                gradient += vec4<f32>(dot(d, chance_side[at]), dot(d, chance_side[at + quads]),
                    dot(d, chance_side[at + 2u * quads]), dot(d, chance_side[at + 3u * quads]));
            }
            let other = vec4<u32>(first + 4u * lane) + vec4<u32>(0u, 1u, 2u, 3u);
            let query = select(vec4<u32>(near), other, vec4<bool>(is_keys));
            let by = select(vec4<u32>(own), vec4<u32>(4u * lane) + vec4<u32>(0u, 1u, 2u, 3u), vec4<bool>(is_keys));
            let mean = vec4<f32>(mean_of(shares[by.x]), mean_of(shares[by.y]), mean_of(shares[by.z]), mean_of(shares[by.w]));
            let found = vec4<f32>(chance(score.x, image, group.y, query.x), chance(score.y, image, group.y, query.y),
                chance(score.z, image, group.y, query.z), chance(score.w, image, group.y, query.w));
            let is_pair = other < vec4<u32>(task.tokens);
            chances[thread] = select(vec4<f32>(), found, is_pair);
            slopes[thread] = select(vec4<f32>(), found * (gradient - mean) * task.factor, is_pair);
            workgroupBarrier();
            score0 += by_slopes(own, lane, quads);
            if (is_keys) { chance0 += by_chances(own, lane, quads); }
            if (quads > 4u) { score1 += by_slopes(own, lane + 4u, quads); }
            if (is_keys && quads > 4u) { chance1 += by_chances(own, lane + 4u, quads); }
            if (quads > 8u) { score2 += by_slopes(own, lane + 8u, quads); }
            if (is_keys && quads > 8u) { chance2 += by_chances(own, lane + 8u, quads); }
            if (quads > 12u) { score3 += by_slopes(own, lane + 12u, quads); }
            if (is_keys && quads > 12u) { chance3 += by_chances(own, lane + 12u, quads); }
            if (quads > 16u) { score4 += by_slopes(own, lane + 16u, quads); }
            if (is_keys && quads > 16u) { chance4 += by_chances(own, lane + 16u, quads); }
            if (quads > 20u) { score5 += by_slopes(own, lane + 20u, quads); }
            if (is_keys && quads > 20u) { chance5 += by_chances(own, lane + 20u, quads); }
            if (quads > 24u) { score6 += by_slopes(own, lane + 24u, quads); }
            if (is_keys && quads > 24u) { chance6 += by_chances(own, lane + 24u, quads); }
            workgroupBarrier();
        }
        if (token < task.tokens) {
            let to = task.output + (image * task.tokens + token) * step + offset + select(0u, task.width, is_keys);
            store(to, 4u * lane, head_width, score0);
            store(to, 4u * lane + 16u, head_width, score1);
            store(to, 4u * lane + 32u, head_width, score2);
            store(to, 4u * lane + 48u, head_width, score3);
            store(to, 4u * lane + 64u, head_width, score4);
            store(to, 4u * lane + 80u, head_width, score5);
            store(to, 4u * lane + 96u, head_width, score6);
            if (is_keys) {
                store(to + task.width, 4u * lane, head_width, chance0);
                store(to + task.width, 4u * lane + 16u, head_width, chance1);
                store(to + task.width, 4u * lane + 32u, head_width, chance2);
                store(to + task.width, 4u * lane + 48u, head_width, chance3);
                store(to + task.width, 4u * lane + 64u, head_width, chance4);
                store(to + task.width, 4u * lane + 80u, head_width, chance5);
                store(to + task.width, 4u * lane + 96u, head_width, chance6);
            }
        }
    }
}
