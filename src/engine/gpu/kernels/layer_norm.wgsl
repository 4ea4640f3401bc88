// y = (x − mean)·inverse·scale + shift with mean and inverse = 1/√(variance + ε) of each row.
// Layouts: x, y [row][channel], a row being a place of an image, a token or a list; statistics [row][2]: mean, inverse.
// A workgroup has four rows at a time, sixteen threads a row, each every sixteenth channel; their sums by fours.
// The variance is the mean square around the mean, by a second pass.
// Limits: statistics is NONE where nobody needs them; 2³² numbers in all.

struct Task {
    channels: u32, places: u32, input: u32, scale: u32, shift: u32, epsilon: f32, output: u32, statistics: u32,
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

// Two, so that the next rows' sums are written only once every thread has read these.
var<workgroup> sums: array<f32, 64>;
var<workgroup> square_sums: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32) {
    let rows = turn.rows * task.places;
    let lane = thread % 16u;
    let own = thread - lane;
    for (var first = 4u * group.x; first < rows; first += 4u * groups.x) {
        let row = min(first + thread / 16u, rows - 1u);
        let begin = task.input + row * task.channels;
        var sum = 0.0;
        for (var i = lane; i < task.channels; i += 16u) {
            sum += values[begin + i];
        }
        sums[thread] = sum;
        workgroupBarrier();
        var mean = 0.0;
        for (var i = own; i < own + 16u; i += 4u) {
            mean += (sums[i] + sums[i + 1u]) + (sums[i + 2u] + sums[i + 3u]);
        }
        mean /= f32(task.channels);
        var squares = 0.0;
        for (var i = lane; i < task.channels; i += 16u) {
            let off = values[begin + i] - mean;
            squares += off * off;
        }
        square_sums[thread] = squares;
        workgroupBarrier();
        var variance = 0.0;
        for (var i = own; i < own + 16u; i += 4u) {
            variance += (square_sums[i] + square_sums[i + 1u]) + (square_sums[i + 2u] + square_sums[i + 3u]);
        }
        variance /= f32(task.channels);
        let inverse = 1.0 / sqrt(variance + task.epsilon);
        if (first + thread / 16u < rows) {
            for (var i = lane; i < task.channels; i += 16u) {
                let y = (values[begin + i] - mean) * inverse * weights[task.scale + i] + weights[task.shift + i];
                values[task.output + row * task.channels + i] = y;
            }
            if (task.statistics != NONE && lane == 0u) {
                values[task.statistics + 2u * row] = mean;
                values[task.statistics + 2u * row + 1u] = inverse;
            }
        }
    }
}
