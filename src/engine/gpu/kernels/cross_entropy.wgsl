// loss = ln Σ exp(x − m) + m − x_label, dx = (softmax(x) − (1 − s)·onehot − s/classes) / rows with the largest logit m.
// Layouts: x, dx [row][class]; numbers[labels + index(row)] is the label; metrics[4 + 4·slot] loss, right answers, rows, state.
// One workgroup: sixteen threads a row, or four for few classes, each every sixteenth or fourth class; a tree over rows.
// State 1 is a finite loss, 2 one that is not, which also raises metrics[0]; a raised metrics[0] leaves the slot as it was.
// Limits: the search for m starts from -3.40282e38; the loss is without smoothing; output is NONE where nobody trains.

struct Task {
    classes: u32, input: u32, output: u32,
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
@group(0) @binding(6) var<storage, read> numbers: array<u32>;
@group(0) @binding(7) var<storage, read_write> metrics: array<atomic<u32>>;

// Whether a number is NaN, infinite or on its way there: by its bits, since WGSL may assume that there is none.
fn is_broken(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7f800000u) >= 0x7e800000u;
}

const SMALLEST: f32 = -3.40282e38;

var<workgroup> shared_numbers: array<f32, 256>;
var<workgroup> shared_classes: array<u32, 256>;

// eˣ for x ≤ 0; 0 where it is too small to matter.
fn bounded_exp(x: f32) -> f32 {
    return select(exp(clamp(x, -87.0, 0.0)), 0.0, x < -87.0);
}

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) thread: u32) {
    // Few classes need few threads a row.
    let lanes = select(16u, 4u, task.classes <= 64u);
    let own = thread / lanes;
    let lane = thread % lanes;
    var loss = 0.0;
    var correct = 0u;
    var broken = 0u;
    for (var first = 0u; first < turn.rows; first += 256u / lanes) {
        let row = first + own;
        var label = 0u;
        if (row < turn.rows) {
            label = numbers[turn.labels + numbers[turn.indices + row]];
        }
        let count = select(0u, task.classes, row < turn.rows);
        let begin = task.input + row * task.classes;
        var largest = SMALLEST;
        var best = 0u;
        for (var candidate = lane; candidate < count; candidate += lanes) {
            let logit = values[begin + candidate];
            broken |= u32(is_broken(logit));
            if (logit > largest) {
                largest = logit;
                best = candidate;
            }
        }
        shared_numbers[thread] = largest;
        shared_classes[thread] = best;
        workgroupBarrier();
        for (var i = 0u; i < lanes; i++) {
            let other = shared_numbers[own * lanes + i];
            let its = shared_classes[own * lanes + i];
            if (other > largest || (other == largest && its < best)) {
                largest = other;
                best = its;
            }
        }
        workgroupBarrier();
        var part = 0.0;
        for (var candidate = lane; candidate < count; candidate += lanes) {
            part += bounded_exp(values[begin + candidate] - largest);
        }
        shared_numbers[thread] = part;
        workgroupBarrier();
        var sum = 0.0;
        for (var i = 0u; i < lanes; i++) {
            sum += shared_numbers[own * lanes + i];
        }
        workgroupBarrier();
        if (row < turn.rows) {
            if (lane == 0u) {
                loss += log(max(sum, 1.0)) + (largest - values[begin + label]);
                correct += u32(best == label);
            }
            if (task.output != NONE) {
                for (var candidate = lane; candidate < count; candidate += lanes) {
                    let share = bounded_exp(values[begin + candidate] - largest) / sum;
                    let wanted = select(0.0, 1.0 - turn.smoothing, candidate == label)
                        + turn.smoothing / f32(task.classes);
                    values[task.output + row * task.classes + candidate] = (share - wanted) / f32(turn.rows);
                }
            }
        }
    }
    shared_numbers[thread] = loss;
    shared_classes[thread] = correct + (broken << 31u);
    workgroupBarrier();
    for (var half = 128u; half > 0u; half /= 2u) {
        if (thread < half) {
            let other = shared_classes[thread + half];
            shared_numbers[thread] += shared_numbers[thread + half];
            shared_classes[thread] = ((shared_classes[thread] & 0x7fffffffu) + (other & 0x7fffffffu))
                | ((shared_classes[thread] | other) & 0x80000000u);
        }
        workgroupBarrier();
    }
    if (thread == 0u) {
        let all_loss = shared_numbers[0];
        let all_correct = shared_classes[0] & 0x7fffffffu;
        let all_broken = shared_classes[0] >> 31u;
        if (atomicLoad(&metrics[0]) == 0u) {
            let is_bad = all_broken != 0u || is_broken(all_loss);
            let slot = 4u + 4u * turn.slot;
            atomicStore(&metrics[slot], bitcast<u32>(all_loss));
            atomicStore(&metrics[slot + 1u], all_correct);
            atomicStore(&metrics[slot + 2u], turn.rows);
            atomicStore(&metrics[slot + 3u], select(1u, 2u, is_bad));
            if (is_bad) {
                atomicStore(&metrics[0], 1u);
            }
        }
    }
}
