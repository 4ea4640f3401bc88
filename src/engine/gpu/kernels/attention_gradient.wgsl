// dS = P·(dy·vᵀ − D)·factor, dq = dS·k, dk = dSᵀ·q, dv = Pᵀ·dy with P = softmax(q·kᵀ·factor), D = Σ dy·y of a query.
// Layouts: input and output [image][token][3·width]; dy and y [image][token][width]; statistics [image][head][token][2].
// A workgroup has sixteen tokens of head y of images z on: the first half of x as queries (dq), the rest as keys (dk and dv);
// the others pass by in tiles of sixteen; a thread has one pair, then one own token and every sixteenth number.
// Limits: at most 112 numbers a head; output is added to where accumulate is 1; P is computed anew from the statistics.

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

var<workgroup> score_side: array<f32, 1792>;
var<workgroup> chance_side: array<f32, 1792>;
var<workgroup> chances: array<f32, 256>;
var<workgroup> slopes: array<f32, 256>;

// eˣ for x ≤ 0, where rounding may have left it a little above; 0 where it is too small to matter.
fn bounded_exp(x: f32) -> f32 {
    return select(exp(clamp(x, -87.0, 1.0)), 0.0, x < -87.0);
}

fn store(index: u32, value: f32) {
    if (task.accumulate != 0u) {
        values[index] += value;
    } else {
        values[index] = value;
    }
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32) {
    let head_width = task.width / task.heads;
    // Odd where there is room, so that neighbouring tokens are in different banks.
    let stride = min(head_width | 1u, 112u);
    let tiles = (task.tokens + 15u) / 16u;
    let is_keys = group.x >= tiles;
    let own = thread / 16u;
    let other = thread % 16u;
    let token = group.x % tiles * 16u + own;
    let near = min(token, task.tokens - 1u);
    let offset = group.y * head_width;
    for (var image = group.z; image < turn.rows; image += groups.z) {
        let inputs = task.input + image * task.tokens * 3u * task.width + offset;
        let outputs = image * task.tokens * task.width + offset;
        // Queries pair q with k and dy with v; keys pair k with q and v with dy.
        let own_score = inputs + near * 3u * task.width + select(0u, task.width, is_keys);
        let own_chance = select(task.gradient + outputs + near * task.width,
            inputs + near * 3u * task.width + 2u * task.width, is_keys);
        var by_score = array<f32, 7>();
        var by_chance = array<f32, 7>();
        for (var first = 0u; first < task.tokens; first += 16u) {
            for (var i = thread; i < 16u * head_width; i += 256u) {
                let passing = min(first + i / head_width, task.tokens - 1u);
                let number = i % head_width;
                let at = inputs + passing * 3u * task.width + number;
                let to = i / head_width * stride + number;
                if (is_keys) {
                    score_side[to] = values[at];
                    chance_side[to] = values[task.gradient + outputs + passing * task.width + number];
                } else {
                    score_side[to] = values[at + task.width];
                    chance_side[to] = values[at + 2u * task.width];
                }
            }
            // D of this tile's sixteen queries, sixteen threads each: their shares first.
            let query_row = outputs + select(near, min(first + own, task.tokens - 1u), is_keys) * task.width;
            var share = 0.0;
            for (var i = other; i < head_width; i += 16u) {
                share += values[task.gradient + query_row + i] * values[task.forward + query_row + i];
            }
            slopes[thread] = share;
            workgroupBarrier();
            let own_query = select(own, other, is_keys);
            var mean = 0.0;
            for (var i = 0u; i < 16u; i++) {
                mean += slopes[own_query * 16u + i];
            }
            workgroupBarrier();
            let passing = min(first + other, task.tokens - 1u);
            let query = select(near, passing, is_keys);
            var scores = vec4<f32>();
            var gradients = vec4<f32>();
            var number = 0u;
            for (; number + 3u < head_width; number += 4u) {
                let q = own_score + number;
                let d = own_chance + number;
                let k = other * stride + number;
                scores += vec4<f32>(values[q], values[q + 1u], values[q + 2u], values[q + 3u])
                    * vec4<f32>(score_side[k], score_side[k + 1u], score_side[k + 2u], score_side[k + 3u]);
                gradients += vec4<f32>(values[d], values[d + 1u], values[d + 2u], values[d + 3u])
                    * vec4<f32>(chance_side[k], chance_side[k + 1u], chance_side[k + 2u], chance_side[k + 3u]);
            }
            for (; number < head_width; number++) {
                scores.x += values[own_score + number] * score_side[other * stride + number];
                gradients.x += values[own_chance + number] * chance_side[other * stride + number];
            }
            let score = (scores.x + scores.y) + (scores.z + scores.w);
            let chance_gradient = (gradients.x + gradients.y) + (gradients.z + gradients.w);
            let at = task.statistics + ((image * task.heads + group.y) * task.tokens + query) * 2u;
            let chance = bounded_exp(score * task.factor - values[at]) * values[at + 1u];
            let is_pair = first + other < task.tokens;
            chances[thread] = select(0.0, chance, is_pair);
            slopes[thread] = select(0.0, chance * (chance_gradient - mean) * task.factor, is_pair);
            workgroupBarrier();
            for (var slot = 0u; slot < 7u; slot++) {
                let number = slot * 16u + other;
                if (number < head_width) {
                    for (var i = 0u; i < 16u; i++) {
                        by_score[slot] += slopes[own * 16u + i] * score_side[i * stride + number];
                        by_chance[slot] += chances[own * 16u + i] * chance_side[i * stride + number];
                    }
                }
            }
            workgroupBarrier();
        }
        if (token < task.tokens) {
            let to = task.output + (image * task.tokens + token) * 3u * task.width + offset;
            for (var slot = 0u; slot < 7u; slot++) {
                let number = slot * 16u + other;
                if (number < head_width) {
                    if (is_keys) {
                        store(to + task.width + number, by_score[slot]);
                        store(to + 2u * task.width + number, by_chance[slot]);
                    } else {
                        store(to + number, by_score[slot]);
                    }
                }
            }
        }
    }
}
