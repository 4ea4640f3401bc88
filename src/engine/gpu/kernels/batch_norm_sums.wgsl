// (Σ dy·n, Σ dy) with n = (x − mean)·inverse over a part of all rows: the first half of a batch norm's gradient.
// Layouts: x, dy [row][channel]; statistics [2][channel]: mean, inverse; output [part][channel][2].
// A workgroup has sixteen channels, x, and one part, y, of the rows; a thread every sixteenth row, four at a time, then a tree.
// dy is the gradient before whatever follows the norm: its slope is in dy already.
// Limits: a part without rows gives zeros.

struct Task {
    channels: u32, places: u32, parts: u32, input: u32, gradient: u32, statistics: u32, output: u32,
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

// Sixteen channels side by side, sixteen rows one below the other.
var<workgroup> shared_sums: array<vec2<f32>, 256>;

// The sum over the sixteen rows, in a fixed tree; every thread of a channel gets it.
fn over_rows(own: vec2<f32>, thread: u32) -> vec2<f32> {
    shared_sums[thread] = own;
    workgroupBarrier();
    for (var half = 8u; half > 0u; half /= 2u) {
        if (thread / 16u < half) {
            shared_sums[thread] += shared_sums[thread + half * 16u];
        }
        workgroupBarrier();
    }
    let sum = shared_sums[thread % 16u];
    workgroupBarrier();
    return sum;
}

fn four(first: u32) -> vec4<f32> {
    let stride = 16u * task.channels;
    return vec4<f32>(values[first], values[first + stride], values[first + 2u * stride], values[first + 3u * stride]);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) thread: u32) {
    let channel = group.x * 16u + thread % 16u;
    let has_channel = channel < task.channels;
    let rows = turn.rows * task.places;
    let share = (rows + task.parts - 1u) / task.parts;
    let begin = min(group.y * share, rows);
    let until = min(begin + share, rows);
    var along = vec4<f32>();
    var sums = vec4<f32>();
    if (has_channel) {
        let mean = values[task.statistics + channel];
        let inverse = values[task.statistics + task.channels + channel];
        var row = begin + thread / 16u;
        for (; row + 48u < until; row += 64u) {
            let index = row * task.channels + channel;
            let gradients = four(task.gradient + index);
            along += gradients * ((four(task.input + index) - mean) * inverse);
            sums += gradients;
        }
        for (; row < until; row += 16u) {
            let index = row * task.channels + channel;
            let gradient = values[task.gradient + index];
            along.x += gradient * ((values[task.input + index] - mean) * inverse);
            sums.x += gradient;
        }
    }
    let own = vec2<f32>((along.x + along.y) + (along.z + along.w), (sums.x + sums.y) + (sums.z + sums.w));
    let all_sums = over_rows(own, thread);
    if (has_channel && thread < 16u) {
        let at = task.output + (group.y * task.channels + channel) * 2u;
        values[at] = all_sums.x;
        values[at + 1u] = all_sums.y;
    }
}
