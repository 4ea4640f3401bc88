// dS = P·(dy·vᵀ − D)·factor, dq = dS·k, dk = dSᵀ·q, dv = Pᵀ·dy with P = softmax(q·kᵀ·factor), D = Σ dy·y of a query.
// Layouts: input and output [image][token][3·width]; dy and y [image][token][width]; statistics [image][head][token][2].
// A workgroup has 32 tokens of head y of images z on: the first half of x as queries (dq), the rest as keys (dk and dv); the
// others pass by in tiles of sixteen; a thread has two tokens with four of the others, then with every fourth quad of numbers.
// Limits: at most 96 numbers a head; output is added to where accumulate is 1; P is computed anew from the statistics.

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
var<workgroup> score_side: array<vec4<f32>, 384>;
var<workgroup> chance_side: array<vec4<f32>, 384>;
// Of each thread's pairs; slopes hold shares of D first, four of each of 32 queries.
var<workgroup> chances: array<array<vec4<f32>, 2>, 64>;
var<workgroup> slopes: array<array<vec4<f32>, 2>, 64>;

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

// A thread's share of a query's D.
fn share(gradient: u32, forward: u32, lane: u32, width: u32) -> f32 {
    var sum = 0.0;
    for (var number = 4u * lane; number < width; number += 16u) {
        sum += dot(four(gradient, number, width), four(forward, number, width));
    }
    return sum;
}

// D of one of 32 queries.
fn mean(query: u32) -> f32 {
    let shares = slopes[query][0];
    return (shares.x + shares.y) + (shares.z + shares.w);
}

// The chance of a pair by its score and its query.
fn chance(score: f32, image: u32, head: u32, query: u32) -> f32 {
    let at = task.statistics + ((image * task.heads + head) * task.tokens + min(query, task.tokens - 1u)) * 2u;
    return bounded_exp(score * task.factor - values[at]) * values[at + 1u];
}

// A quad of four passing tokens.
fn score_quads(at: u32, quads: u32) -> mat4x4<f32> {
    return mat4x4<f32>(score_side[at], score_side[at + quads], score_side[at + 2u * quads], score_side[at + 3u * quads]);
}

// The same of what meets the own tokens' in gradients of chances.
fn chance_quads(at: u32, quads: u32) -> mat4x4<f32> {
    return mat4x4<f32>(chance_side[at], chance_side[at + quads], chance_side[at + 2u * quads],
        chance_side[at + 3u * quads]);
}

const UP: vec4<u32> = vec4<u32>(0u, 1u, 2u, 3u);

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32) {
    let head_width = task.width / task.heads;
    let quads = (head_width + 3u) / 4u;
    let tiles = (task.tokens + 31u) / 32u;
    let is_keys = group.x >= tiles;
    let own = thread / 4u;
    let lane = thread % 4u;
    let last = task.tokens - 1u;
    let token = group.x % tiles * 32u + own;
    let near = min(token, last);
    let far = min(token + 16u, last);
    let offset = group.y * head_width;
    let step = 3u * task.width;
    for (var image = group.z; image < turn.rows; image += groups.z) {
        let inputs = task.input + image * task.tokens * step + offset;
        let outputs = image * task.tokens * task.width + offset;
        // Queries pair q with k and dy with v; keys pair k with q and v with dy.
        let score_begin = inputs + select(0u, task.width, is_keys);
        let chance_begin = select(task.gradient + outputs, inputs + 2u * task.width, is_keys);
        let chance_step = select(task.width, step, is_keys);
        var near_by_score = array<vec4<f32>, 6>();
        var near_by_chance = array<vec4<f32>, 6>();
        var far_by_score = array<vec4<f32>, 6>();
        var far_by_chance = array<vec4<f32>, 6>();
        for (var first = 0u; first < task.tokens; first += 16u) {
            // A thread has every fourth quad of one passing token, and shares of D of one or two queries.
            let passing = min(first + own, last);
            let score_at = inputs + passing * step + select(task.width, 0u, is_keys);
            let chance_at = select(inputs + passing * step + 2u * task.width,
                task.gradient + outputs + passing * task.width, is_keys);
            for (var quad = lane; quad < quads; quad += 4u) {
                score_side[own * quads + quad] = four(score_at, 4u * quad, head_width);
                chance_side[own * quads + quad] = four(chance_at, 4u * quad, head_width);
            }
            let near_row = outputs + select(near, passing, is_keys) * task.width;
            slopes[own][0][lane] = share(task.gradient + near_row, task.forward + near_row, lane, head_width);
            if (!is_keys) {
                let far_row = outputs + far * task.width;
                slopes[own + 16u][0][lane] = share(task.gradient + far_row, task.forward + far_row, lane, head_width);
            }
            workgroupBarrier();
            var near_score = vec4<f32>();
            var near_gradient = vec4<f32>();
            var far_score = vec4<f32>();
            var far_gradient = vec4<f32>();
            for (var quad = 0u; quad < quads; quad++) {
                let at = 4u * lane * quads + quad;
                let p = four(score_begin + near * step, 4u * quad, head_width);
                let q = four(score_begin + far * step, 4u * quad, head_width);
                let scored = score_quads(at, quads);
                near_score += p * scored;
                far_score += q * scored;
                let d = four(chance_begin + near * chance_step, 4u * quad, head_width);
                let e = four(chance_begin + far * chance_step, 4u * quad, head_width);
                let chanced = chance_quads(at, quads);
                near_gradient += d * chanced;
                far_gradient += e * chanced;
            }
            // Keys have the passing queries' D, queries their own.
            let by = 4u * lane * u32(is_keys);
            let near_mean = vec4<f32>(mean(select(own, by, is_keys)), mean(select(own, by + 1u, is_keys)),
                mean(select(own, by + 2u, is_keys)), mean(select(own, by + 3u, is_keys)));
            let far_mean = select(vec4<f32>(mean(own + 16u)), near_mean, vec4<bool>(is_keys));
            let other = vec4<u32>(first + 4u * lane) + UP;
            let near_query = select(vec4<u32>(near), other, vec4<bool>(is_keys));
            let far_query = select(vec4<u32>(far), other, vec4<bool>(is_keys));
            let near_chance = vec4<f32>(
                chance(near_score.x, image, group.y, near_query.x), chance(near_score.y, image, group.y, near_query.y),
                chance(near_score.z, image, group.y, near_query.z), chance(near_score.w, image, group.y, near_query.w));
            let far_chance = vec4<f32>(
                chance(far_score.x, image, group.y, far_query.x), chance(far_score.y, image, group.y, far_query.y),
                chance(far_score.z, image, group.y, far_query.z), chance(far_score.w, image, group.y, far_query.w));
            let is_pair = other < vec4<u32>(task.tokens);
            workgroupBarrier();
            chances[thread][0] = select(vec4<f32>(), near_chance, is_pair);
            chances[thread][1] = select(vec4<f32>(), far_chance, is_pair);
            slopes[thread][0] = select(vec4<f32>(), near_chance * (near_gradient - near_mean) * task.factor, is_pair);
            slopes[thread][1] = select(vec4<f32>(), far_chance * (far_gradient - far_mean) * task.factor, is_pair);
            workgroupBarrier();
            // Fours of passing tokens of which there is one at least.
            let fours = min(4u, (task.tokens - first + 3u) / 4u);
            for (var slot = 0u; 4u * slot + lane < quads; slot++) {
                var p = vec4<f32>();
                var q = vec4<f32>();
                var d = vec4<f32>();
                var e = vec4<f32>();
                for (var i = 0u; i < fours; i++) {
                    let at = 4u * i * quads + 4u * slot + lane;
                    let scored = score_quads(at, quads);
                    p += scored * slopes[4u * own + i][0];
                    q += scored * slopes[4u * own + i][1];
                    if (is_keys) {
                        let chanced = chance_quads(at, quads);
                        d += chanced * chances[4u * own + i][0];
                        e += chanced * chances[4u * own + i][1];
                    }
                }
                near_by_score[slot] += p;
                far_by_score[slot] += q;
                near_by_chance[slot] += d;
                far_by_chance[slot] += e;
            }
            workgroupBarrier();
        }
        let to = task.output + image * task.tokens * step + offset + select(0u, task.width, is_keys);
        for (var slot = 0u; slot < 6u; slot++) {
            let number = 16u * slot + 4u * lane;
            if (token < task.tokens) {
                store(to + token * step, number, head_width, near_by_score[slot]);
                if (is_keys) { store(to + token * step + task.width, number, head_width, near_by_chance[slot]); }
            }
            if (token + 16u < task.tokens) {
                store(to + (token + 16u) * step, number, head_width, far_by_score[slot]);
                if (is_keys) { store(to + (token + 16u) * step + task.width, number, head_width, far_by_chance[slot]); }
            }
        }
    }
}
