// dx = inverse·(g − Σg/d − n·Σ(g·n)/d) with g = dy·scale, n = (x − mean)·inverse; dscale = Σ dy·n, dshift = Σ dy.
// Layouts: x, dy, dx [row][channel]; statistics [row][2]: mean, inverse; scale_output, shift_output [part][channel].
// A workgroup has a part of the rows, sixteen threads a row, each every sixteenth channel: dx, then dscale and dshift.
// Sums along a row and over rows by fours; dx is added to where accumulate is 1, left alone where output is NONE.
// Limits: the optimizer adds the parts; what is not finite raises metrics[0].

struct Task {
    channels: u32, places: u32, parts: u32, input: u32, gradient: u32, statistics: u32, scale: u32,
    scale_output: u32, shift_output: u32, output_stride: u32, output: u32, accumulate: u32,
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

// Sixteen threads a row, sixteen rows one below the other.
var<workgroup> shared_sums: array<vec2<f32>, 256>;

// The sum over a row's sixteen threads, by fours; each of them gets it.
fn over_row(own: vec2<f32>, thread: u32) -> vec2<f32> {
    shared_sums[thread] = own;
    workgroupBarrier();
    var sum = vec2<f32>();
    let first = thread - thread % 16u;
    for (var i = first; i < first + 16u; i += 4u) {
        sum += (shared_sums[i] + shared_sums[i + 1u]) + (shared_sums[i + 2u] + shared_sums[i + 3u]);
    }
    workgroupBarrier();
    return sum;
}

// The sum over the sixteen rows, by fours; the first row's threads need it.
fn over_rows(own: vec2<f32>, thread: u32) -> vec2<f32> {
    shared_sums[thread] = own;
    workgroupBarrier();
    var sum = vec2<f32>();
    for (var i = thread; thread < 16u && i < 256u; i += 64u) {
        sum += (shared_sums[i] + shared_sums[i + 16u]) + (shared_sums[i + 32u] + shared_sums[i + 48u]);
    }
    workgroupBarrier();
    return sum;
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let rows = turn.rows * task.places;
    let share = (rows + task.parts - 1u) / task.parts;
    let begin = min(group.x * share, rows);
    let until = min(begin + share, rows);
    let own_row = thread / 16u;
    let lane = thread % 16u;
    if (task.output != NONE) {
        for (var first = begin; first < until; first += 16u) {
            let row = min(first + own_row, until - 1u);
            let has_row = first + own_row < until;
            let mean = values[task.statistics + 2u * row];
            let inverse = values[task.statistics + 2u * row + 1u];
            var own = vec2<f32>();
            for (var i = lane; i < task.channels; i += 16u) {
                let index = row * task.channels + i;
                let slanted = values[task.gradient + index] * weights[task.scale + i];
                own += vec2<f32>(slanted, slanted * ((values[task.input + index] - mean) * inverse));
            }
            let sums = over_row(own, thread) / f32(task.channels);
            for (var i = lane; has_row && i < task.channels; i += 16u) {
                let index = row * task.channels + i;
                let slanted = values[task.gradient + index] * weights[task.scale + i];
                let normal = (values[task.input + index] - mean) * inverse;
                var gradient = inverse * (slanted - sums.x - normal * sums.y);
                if (task.accumulate != 0u) {
                    gradient += values[task.output + index];
                }
                values[task.output + index] = gradient;
            }
        }
    }
    for (var first = 0u; first < task.channels; first += 16u) {
        let channel = first + lane;
        var own = vec2<f32>();
        for (var row = begin + own_row; channel < task.channels && row < until; row += 16u) {
            let index = row * task.channels + channel;
            let normal = (values[task.input + index] - values[task.statistics + 2u * row])
                * values[task.statistics + 2u * row + 1u];
            let gradient = values[task.gradient + index];
            own += vec2<f32>(gradient * normal, gradient);
        }
        let sums = over_rows(own, thread);
        if (own_row == 0u && channel < task.channels) {
            values[task.scale_output + group.x * task.output_stride + channel] = sums.x;
            values[task.shift_output + group.x * task.output_stride + channel] = sums.y;
            if (is_broken(sums.x) || is_broken(sums.y)) {
                atomicMax(&metrics[0], 1u);
            }
        }
    }
}
