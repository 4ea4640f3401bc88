// dx = scale·inverse·(dy − b/r − n·a/r), or added to dx where accumulate is 1; dscale = a = Σ dy·n, dshift = b = Σ dy.
// Layouts: x, dy, dx [row][channel], r rows; statistics [2][channel]: mean, inverse; partial [part][channel][2]: a, b.
// A workgroup has sixteen channels, x, and every groups.y-th stretch of sixteen rows from y on, a thread four rows at a time;
// it joins the parts in a tree. It is the second half of a batch norm's gradient; output is NONE where nobody wants dx.
// Limits: what is not finite raises metrics[0].

struct Task {
    channels: u32, places: u32, parts: u32, input: u32, gradient: u32, statistics: u32, partial: u32, scale: u32,
    scale_output: u32, shift_output: u32, output: u32, accumulate: u32,
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
@group(0) @binding(2) var<storage, read_write> weights: array<f32>;
@group(0) @binding(4) var<storage, read_write> values: array<f32>;
@group(0) @binding(7) var<storage, read_write> metrics: array<atomic<u32>>;

// Whether a number is NaN, infinite or on its way there: by its bits, since WGSL may assume that there is none.
fn is_broken(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7f800000u) >= 0x7e800000u;
}

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

// A number of each of four rows of a thread, so that they are on the way together; zeros beyond the last row.
fn four(place: u32, first: u32, step: u32, rows: u32, channel: u32) -> vec4<f32> {
    var found = vec4<f32>();
    let at = place + channel;
    if (first < rows) { found.x = values[at + first * task.channels]; }
    if (first + step < rows) { found.y = values[at + (first + step) * task.channels]; }
    if (first + 2u * step < rows) { found.z = values[at + (first + 2u * step) * task.channels]; }
    if (first + 3u * step < rows) { found.w = values[at + (first + 3u * step) * task.channels]; }
    return found;
}

fn put_four(place: u32, first: u32, step: u32, rows: u32, channel: u32, numbers: vec4<f32>) {
    let at = place + channel;
    if (first < rows) { values[at + first * task.channels] = numbers.x; }
    if (first + step < rows) { values[at + (first + step) * task.channels] = numbers.y; }
    if (first + 2u * step < rows) { values[at + (first + 2u * step) * task.channels] = numbers.z; }
    if (first + 3u * step < rows) { values[at + (first + 3u * step) * task.channels] = numbers.w; }
}

// A part's sums; zeros beyond the last part.
fn sums_of(part: u32, channel: u32) -> vec2<f32> {
    let at = task.partial + (min(part, task.parts - 1u) * task.channels + channel) * 2u;
    return select(vec2<f32>(), vec2<f32>(values[at], values[at + 1u]), part < task.parts);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32) {
    let channel = group.x * 16u + thread % 16u;
    let has_channel = channel < task.channels;
    let rows = turn.rows * task.places;
    var own = vec2<f32>();
    if (has_channel) {
        for (var part = thread / 16u; part < task.parts; part += 64u) {
            own += (sums_of(part, channel) + sums_of(part + 16u, channel))
                + (sums_of(part + 32u, channel) + sums_of(part + 48u, channel));
        }
    }
    let sums = over_rows(own, thread);
    if (!has_channel) {
        return;
    }
    if (group.y == 0u && thread < 16u) {
        values[task.scale_output + channel] = sums.x;
        values[task.shift_output + channel] = sums.y;
        if (is_broken(sums.x) || is_broken(sums.y)) {
            atomicMax(&metrics[0], 1u);
        }
    }
    if (task.output == NONE) {
        return;
    }
    let mean = values[task.statistics + channel];
    let inverse = values[task.statistics + task.channels + channel];
    let factor = weights[task.scale + channel] * inverse;
    let shares = sums / f32(rows);
    let step = groups.y * 16u;
    for (var row = group.y * 16u + thread / 16u; row < rows; row += 4u * step) {
        let normal = (four(task.input, row, step, rows, channel) - mean) * inverse;
        var gradient = factor * (four(task.gradient, row, step, rows, channel) - shares.y - normal * shares.x);
        if (task.accumulate != 0u) {
            gradient += four(task.output, row, step, rows, channel);
        }
        put_four(task.output, row, step, rows, channel, gradient);
    }
}
