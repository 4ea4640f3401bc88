// (mean, Σ (x − mean)²) of each channel over a part of all rows: the first half of a batch norm's statistics.
// Layouts: x [row][channel], a row being a place of an image; output [part][channel][2].
// A workgroup has sixteen channels, x, and one part, y, of the rows; a thread every sixteenth row, four at a time, then a tree.
// Two passes over the part: first its mean, then squares around it, so that nothing cancels.
// Limits: at least one row in all; a part without rows gives zeros.

struct Task {
    channels: u32, places: u32, parts: u32, input: u32, output: u32,
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

fn cell(row: u32, channel: u32) -> f32 {
    return values[task.input + row * task.channels + channel];
}

// Four rows of a thread, so that their numbers are on the way together.
fn four(row: u32, channel: u32) -> vec4<f32> {
    return vec4<f32>(cell(row, channel), cell(row + 16u, channel), cell(row + 32u, channel), cell(row + 48u, channel));
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
    let first = begin + thread / 16u;
    var sums = vec4<f32>();
    if (has_channel) {
        var row = first;
        for (; row + 48u < until; row += 64u) {
            sums += four(row, channel);
        }
        for (; row < until; row += 16u) {
            sums.x += cell(row, channel);
        }
    }
    let sum = (sums.x + sums.y) + (sums.z + sums.w);
    let mean = over_rows(vec2<f32>(sum, 0.0), thread).x / f32(max(until - begin, 1u));
    var squares = vec4<f32>();
    if (has_channel) {
        var row = first;
        for (; row + 48u < until; row += 64u) {
            let off = four(row, channel) - mean;
            squares += off * off;
        }
        for (; row < until; row += 16u) {
            let off = cell(row, channel) - mean;
            squares.x += off * off;
        }
    }
    let own_squares = (squares.x + squares.y) + (squares.z + squares.w);
    let all_squares = over_rows(vec2<f32>(own_squares, 0.0), thread).x;
    if (has_channel && thread < 16u) {
        let at = task.output + (group.y * task.channels + channel) * 2u;
        values[at] = mean;
        values[at + 1u] = all_squares;
    }
}
