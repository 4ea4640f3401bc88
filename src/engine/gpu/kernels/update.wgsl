// g = Σ parts; SGD: v ← momentum·v + (g + decay·w), w ← w − rate·v; AdamW: m, v ← moments, w by both.
// Layouts: weights in blocks of 64, numbers[blocks + 4·block]: a part, how many, stride, kind; moments [2][length].
// A thread has one weight after another, the grid's threads side by side; every fourth part ascending, then those four sums.
// Kind 0 decays, 1 does not, 2 takes what the part holds (running statistics), 3 stays as it is.
// Limits: nothing changes once metrics[0] is raised, and the first slot to see that gets state 2.

struct Task {
    length: u32, blocks: u32,
}
// One step's numbers.
struct Turn {
    rows: u32, indices: u32, labels: u32, slot: u32, key_low: u32, key_high: u32, smoothing: f32, optimizer: u32,
    rate: f32, momentum: f32, decay: f32, scale: f32, keep_first: f32, take_first: f32, keep_second: f32, take_second: f32,
    epsilon: f32,
}

@group(0) @binding(0) var<uniform> task: Task;
@group(0) @binding(1) var<uniform> turn: Turn;
@group(0) @binding(2) var<storage, read_write> weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> moments: array<f32>;
@group(0) @binding(4) var<storage, read_write> values: array<f32>;
@group(0) @binding(6) var<storage, read> numbers: array<u32>;
@group(0) @binding(7) var<storage, read_write> metrics: array<atomic<u32>>;

// A number of four parts.
fn four(at: u32, stride: u32) -> vec4<f32> {
    return vec4<f32>(values[at], values[at + stride], values[at + 2u * stride], values[at + 3u * stride]);
}

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    if (atomicLoad(&metrics[0]) != 0u) {
        if (id.x == 0u) {
            let state = 4u + 4u * turn.slot + 3u;
            if (atomicLoad(&metrics[state]) == 1u) {
                atomicStore(&metrics[state], 2u);
            }
        }
        return;
    }
    for (var index = id.x; index < task.length; index += groups.x * 256u) {
        let block = task.blocks + index / 64u * 4u;
        let kind = numbers[block + 3u];
        if (kind == 3u) {
            continue;
        }
        // Sixteen parts at a time, so that their numbers are on the way together.
        let parts = numbers[block + 1u];
        let stride = numbers[block + 2u];
        var at = numbers[block] + index % 64u;
        var sums = vec4<f32>();
        var part = 0u;
        for (; part + 15u < parts; part += 16u) {
            let first = four(at, stride);
            let second = four(at + 4u * stride, stride);
            let third = four(at + 8u * stride, stride);
            let fourth = four(at + 12u * stride, stride);
            sums = (((sums + first) + second) + third) + fourth;
            at += 16u * stride;
        }
        for (; part + 3u < parts; part += 4u) {
            sums += four(at, stride);
            at += 4u * stride;
        }
        for (; part < parts; part++) {
            sums.x += values[at];
            at += stride;
        }
        let gradient = (sums.x + sums.y) + (sums.z + sums.w);
        if (kind == 2u) {
            weights[index] = gradient;
            continue;
        }
        let weight = weights[index];
        let decay = select(0.0, turn.decay, kind == 0u);
        if (turn.optimizer == 0u) {
            let velocity = turn.momentum * moments[index] + (gradient + decay * weight);
            moments[index] = velocity;
            weights[index] = weight - turn.rate * velocity;
        } else {
            let first = turn.keep_first * moments[index] + turn.take_first * gradient;
            let second = turn.keep_second * moments[task.length + index] + turn.take_second * (gradient * gradient);
            moments[index] = first;
            moments[task.length + index] = second;
            let change = turn.rate * first / (sqrt(second * turn.scale) + turn.epsilon);
            weights[index] = weight - decay * weight - change;
        }
    }
}
