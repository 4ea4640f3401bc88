// y = activation((x − mean)/√(variance + ε)·scale + shift + residual); statistics are joined from parts, or the running ones.
// Layouts: x, y, residual, kept [row][channel]; partial [part][channel][2]; statistics [2][channel]: mean, 1/√(variance + ε).
// A workgroup has sixteen channels, x, and every groups.y-th stretch of sixteen rows from y on, a thread four rows at a time.
// Parts are joined as Σ nᵢ·meanᵢ / n and Σ (squaresᵢ + nᵢ·(meanᵢ − mean)²) in a fixed tree; what the running numbers will
// be (unbiased variance) goes to running, where the optimizer takes it from. Limits: partial is NONE for running statistics.

struct Task {
    channels: u32, places: u32, parts: u32, input: u32, partial: u32, statistics: u32, running: u32, running_stride: u32,
    scale: u32, shift: u32, mean: u32, variance: u32, epsilon: f32, momentum: f32, residual: u32, output: u32, kept: u32,
    activation: u32,
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

// The normal distribution function by a rational function; 0 or 1 beyond 5.5.
fn normal_cdf(x: vec4<f32>) -> vec4<f32> {
    let size = min(abs(x), vec4<f32>(5.5));
    let square = size * size;
    let above = ((((3.6444206e-8 * square + 1.0014885e-5) * square + 2.6154603e-4) * square + 7.392552e-3) * square
        + 0.05317543) * square + 0.6340412;
    let below = ((((1.9055907e-6 * square + 1.1469066e-4) * square + 2.957068e-3) * square + 0.045161318) * square
        + 0.3981749) * square + 1.5893055;
    let from_half = min(size * above / below, vec4<f32>(0.5));
    return 0.5 + select(from_half, -from_half, x < vec4<f32>(0.0));
}

fn sigmoid(x: vec4<f32>) -> vec4<f32> {
    return 1.0 / (1.0 + exp(clamp(-x, vec4<f32>(-87.0), vec4<f32>(87.0))));
}

fn hyperbolic_tangent(x: vec4<f32>) -> vec4<f32> {
    let size = abs(x);
    let square = size * size;
    let series = (((-6.2459926e-3 * square + 0.021052472) * square - 0.05384785) * square + 0.13332546) * square
        - 0.33333316;
    let near = size + size * square * series;
    let far = 1.0 - 2.0 / (exp(min(2.0 * size, vec4<f32>(30.0))) + 1.0);
    let found = select(far, near, size < vec4<f32>(0.55));
    return select(found, -found, x < vec4<f32>(0.0));
}

// 0 nothing, 1 relu, 2 relu6, 3 hardswish, 4 silu, 5 tanh, 6 gelu.
fn activated(x: vec4<f32>, activation: u32) -> vec4<f32> {
    switch activation {
        case 1u: { return max(x, vec4<f32>(0.0)); }
        case 2u: { return clamp(x, vec4<f32>(0.0), vec4<f32>(6.0)); }
        case 3u: { return x * (clamp(x + 3.0, vec4<f32>(0.0), vec4<f32>(6.0)) * 0.16666667); }
        case 4u: { return x * sigmoid(x); }
        case 5u: { return hyperbolic_tangent(x); }
        case 6u: { return x * normal_cdf(x); }
        default: { return x; }
    }
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

// Of four parts: how many rows each has, its mean, its squares.
struct Parts {
    counts: vec4<f32>, means: vec4<f32>, squares: vec4<f32>,
}

// A thread's parts from one on; those beyond the last have no rows.
fn parts_from(first: u32, rows: u32, channel: u32) -> Parts {
    let share = (rows + task.parts - 1u) / task.parts;
    let numbers = first + vec4<u32>(0u, 16u, 32u, 48u);
    let are_parts = numbers < vec4<u32>(task.parts);
    let begins = min(numbers * share, vec4<u32>(rows));
    let untils = min(begins + share, vec4<u32>(rows));
    let at = task.partial + (min(numbers, vec4<u32>(task.parts - 1u)) * task.channels + channel) * 2u;
    return Parts(
        select(vec4<f32>(), vec4<f32>(untils - begins), are_parts),
        vec4<f32>(values[at.x], values[at.y], values[at.z], values[at.w]),
        select(vec4<f32>(), vec4<f32>(values[at.x + 1u], values[at.y + 1u], values[at.z + 1u], values[at.w + 1u]), are_parts),
    );
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32) {
    let channel = group.x * 16u + thread % 16u;
    let has_channel = channel < task.channels;
    let rows = turn.rows * task.places;
    var mean = 0.0;
    var variance = 0.0;
    if (task.partial == NONE) {
        if (has_channel) {
            mean = weights[task.mean + channel];
            variance = weights[task.variance + channel];
        }
    } else {
        var sums = vec4<f32>();
        var squares = vec4<f32>();
        if (has_channel) {
            for (var part = thread / 16u; part < task.parts; part += 64u) {
                let its = parts_from(part, rows, channel);
                sums += its.counts * its.means;
            }
        }
        let sum = (sums.x + sums.y) + (sums.z + sums.w);
        mean = over_rows(vec2<f32>(sum, 0.0), thread).x / f32(rows);
        if (has_channel) {
            for (var part = thread / 16u; part < task.parts; part += 64u) {
                let its = parts_from(part, rows, channel);
                let off = its.means - mean;
                squares += its.squares + its.counts * (off * off);
            }
        }
        let own_squares = (squares.x + squares.y) + (squares.z + squares.w);
        let all_squares = over_rows(vec2<f32>(own_squares, 0.0), thread).x;
        variance = all_squares / f32(rows);
        if (has_channel && group.y == 0u && thread < 16u) {
            let unbiased = all_squares / f32(max(rows, 2u) - 1u);
            let keep = 1.0 - task.momentum;
            values[task.running + channel] = keep * weights[task.mean + channel] + task.momentum * mean;
            values[task.running + task.running_stride + channel] =
                keep * weights[task.variance + channel] + task.momentum * unbiased;
        }
    }
    let inverse = 1.0 / sqrt(variance + task.epsilon);
    if (!has_channel) {
        return;
    }
    if (task.statistics != NONE && group.y == 0u && thread < 16u) {
        values[task.statistics + channel] = mean;
        values[task.statistics + task.channels + channel] = inverse;
    }
    let scale = weights[task.scale + channel];
    let shift = weights[task.shift + channel];
    let step = groups.y * 16u;
    for (var row = group.y * 16u + thread / 16u; row < rows; row += 4u * step) {
        var y = (four(task.input, row, step, rows, channel) - mean) * inverse * scale + shift;
        if (task.residual != NONE) {
            y += four(task.residual, row, step, rows, channel);
        }
        if (task.kept != NONE) {
            put_four(task.kept, row, step, rows, channel, y);
        }
        put_four(task.output, row, step, rows, channel, activated(y, task.activation));
    }
}
