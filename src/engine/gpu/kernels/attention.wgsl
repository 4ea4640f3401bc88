// y = softmax(q·kᵀ·factor)·v for each head of each image, keys in tiles of sixteen, the softmax carried along.
// Layouts: input [image][token][3·width]: q, k, v, each [head][number]; y [image][token][width]; statistics
// [image][head][token][2]: the largest score and 1 / Σ exp(score − largest). A workgroup has sixteen queries, x, of head y
// of images z on; a thread one query and one key, then one query and every sixteenth number.
// Limits: at most 112 numbers a head; the largest score starts from -3.40282e38; statistics is NONE where nobody needs them.

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

var<workgroup> keys: array<f32, 1792>;
var<workgroup> shared_values: array<f32, 1792>;
var<workgroup> scores: array<f32, 256>;

// eˣ for x ≤ 0; 0 where it is too small to matter.
fn bounded_exp(x: f32) -> f32 {
    return select(exp(clamp(x, -87.0, 0.0)), 0.0, x < -87.0);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32) {
    let head_width = task.width / task.heads;
    // Odd where there is room, so that neighbouring keys are in different banks.
    let stride = min(head_width | 1u, 112u);
    let own = thread / 16u;
    let other = thread % 16u;
    let query = group.x * 16u + own;
    let is_query = query < task.tokens;
    for (var image = group.z; image < turn.rows; image += groups.z) {
        let begin = task.input + image * task.tokens * 3u * task.width + group.y * head_width;
        let query_at = begin + min(query, task.tokens - 1u) * 3u * task.width;
        var largest = SMALLEST;
        var sum = 0.0;
        var outputs = array<f32, 7>();
        for (var first = 0u; first < task.tokens; first += 16u) {
            for (var i = thread; i < 16u * head_width; i += 256u) {
                let token = min(first + i / head_width, task.tokens - 1u);
                let at = begin + token * 3u * task.width + task.width + i % head_width;
                let to = i / head_width * stride + i % head_width;
                keys[to] = values[at];
                shared_values[to] = values[at + task.width];
            }
            workgroupBarrier();
            var terms = vec4<f32>();
            var number = 0u;
            for (; number + 3u < head_width; number += 4u) {
                let q = query_at + number;
                let k = other * stride + number;
                terms += vec4<f32>(values[q], values[q + 1u], values[q + 2u], values[q + 3u])
                    * vec4<f32>(keys[k], keys[k + 1u], keys[k + 2u], keys[k + 3u]);
            }
            for (; number < head_width; number++) {
                terms.x += values[query_at + number] * keys[other * stride + number];
            }
            let score = (terms.x + terms.y) + (terms.z + terms.w);
            let is_key = first + other < task.tokens;
            scores[thread] = select(SMALLEST, score * task.factor, is_key);
            workgroupBarrier();
            var tile_largest = SMALLEST;
            for (var i = 0u; i < 16u; i++) {
                tile_largest = max(tile_largest, scores[own * 16u + i]);
            }
            let next = max(largest, tile_largest);
            let shrink = bounded_exp(largest - next);
            let chance = select(0.0, bounded_exp(scores[thread] - next), is_key);
            workgroupBarrier();
            scores[thread] = chance;
            workgroupBarrier();
            var tile_sum = 0.0;
            for (var i = 0u; i < 16u; i++) {
                tile_sum += scores[own * 16u + i];
            }
            sum = sum * shrink + tile_sum;
            largest = next;
            for (var slot = 0u; slot < 7u; slot++) {
                let number = slot * 16u + other;
                if (number < head_width) {
                    var output = 0.0;
                    for (var i = 0u; i < 16u; i++) {
                        output += scores[own * 16u + i] * shared_values[i * stride + number];
                    }
                    outputs[slot] = outputs[slot] * shrink + output;
                }
            }
            workgroupBarrier();
        }
        if (is_query) {
            for (var slot = 0u; slot < 7u; slot++) {
                let number = slot * 16u + other;
                if (number < head_width) {
                    let at = (image * task.tokens + query) * task.width + group.y * head_width + number;
                    values[task.output + at] = outputs[slot] / sum;
                }
            }
            if (task.statistics != NONE && other == 0u) {
                let at = task.statistics + ((image * task.heads + group.y) * task.tokens + query) * 2u;
                values[at] = largest;
                values[at + 1u] = 1.0 / sum;
            }
        }
    }
}
