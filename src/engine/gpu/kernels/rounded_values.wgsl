// y = min(max([x·inverse], low), high)·step, ties to even; or, with a gradient, that of x: 0 where x was cut off.
// Layouts: x, y, gradient [row][length]; y and gradient may be the same place.
// A thread computes one number after another, the grid's threads side by side.
// A number between two steps within rounding may come to either.
// Limits: gradient is NONE on the way there; 2³² numbers in all.

struct Task {
    length: u32, input: u32, output: u32, gradient: u32, step: f32, inverse: f32, low: f32, high: f32,
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

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let stride = groups.x * 256u;
    let count = turn.rows * task.length;
    for (var index = id.x; index < count; index += stride) {
        let place = values[task.input + index] * task.inverse;
        if (task.gradient == NONE) {
            values[task.output + index] = round(clamp(place, task.low, task.high)) * task.step;
        } else {
            let is_inside = place >= task.low && place <= task.high;
            values[task.output + index] = select(0.0, values[task.gradient + index], is_inside);
        }
    }
}
