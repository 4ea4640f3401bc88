// y = min(max(⌊(n·gain + offset + 2^(s−1)) / 2^s⌋, low), high), n = (c − mean) / deviation of each place, with an integer root.
// Layouts: x, y [row][place][word of four channels]; weights[numbers + channel] are gains, behind them as many offsets.
// A thread takes one place after another, the grid's threads side by side. Bytes are c − base.
// Means are in 64ths; a sum of squares is in two halves; the variance has an even number of digits behind the point.
// Limits: 4 to 2000 channels; 2³² words in all.

struct Task {
    places: u32, channels: u32, input: u32, output: u32, numbers: u32, epsilon: u32, shift: u32, low: u32, high: u32,
    input_base: u32, base: u32,
}
// One step's numbers.
struct Turn {
    rows: u32, indices: u32, labels: u32, slot: u32, key_low: u32, key_high: u32, smoothing: f32, optimizer: u32,
    rate: f32, momentum: f32, decay: f32, scale: f32, keep_first: f32, take_first: f32, keep_second: f32, take_second: f32,
    epsilon: f32,
}

@group(0) @binding(0) var<uniform> task: Task;
@group(0) @binding(1) var<uniform> turn: Turn;
@group(0) @binding(2) var<storage, read_write> weights: array<u32>;
@group(0) @binding(4) var<storage, read_write> values: array<u32>;

// The number of a channel at a place whose words begin there.
fn number(first: u32, channel: u32) -> i32 {
    let word = values[first + channel / 4u];
    return (i32(word << (24u - channel % 4u * 8u)) >> 24u) + i32(task.input_base);
}

fn root(square: u32) -> u32 {
    var found = 0u;
    for (var bit = 1u << 15u; bit != 0u; bit >>= 1u) {
        let larger = found | bit;
        if (larger * larger <= square) {
            found = larger;
        }
    }
    return found;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let stride = groups.x * 64u;
    let words = (task.channels + 3u) / 4u;
    let width = i32(task.channels);
    let count = turn.rows * task.places;
    for (var index = id.x; index < count; index += stride) {
        let first = task.input + index * words;
        var sum = 0i;
        for (var channel = 0u; channel < task.channels; channel++) {
            sum += number(first, channel);
        }
        let parts = 64i * sum + width / 2i;
        var mean = parts / width;
        if (parts % width < 0i) {
            mean -= 1i;
        }
        var high = 0u;
        var low = 0u;
        for (var channel = 0u; channel < task.channels; channel++) {
            let off = 64i * number(first, channel) - mean;
            let square = u32(off * off);
            high += square >> 16u;
            low += square & 0xffffu;
        }
        high += low >> 16u;
        low &= 0xffffu;
        let room = select(i32(countLeadingZeros(low)) - 1i, i32(countLeadingZeros(high)) - 17i, high != 0u);
        let digits = min(min(room, i32(countLeadingZeros(task.epsilon)) + 4i), 30i) & -2i;
        var epsilon = 0u;
        if (digits >= 6i) {
            epsilon = task.epsilon << u32(digits - 6i);
        } else {
            epsilon = task.epsilon >> u32(6i - digits);
        }
        var squares = 0u;
        if (digits >= 0i) {
            squares = low << u32(digits);
            if (high != 0u) {
                squares |= high << u32(16i + digits);
            }
        } else {
            squares = (high << u32(16i + digits)) + (low >> u32(-digits));
        }
        let variance = max(squares / task.channels + epsilon, 1u);
        let more = max(i32(countLeadingZeros(variance)) - 2i, 0i) & -2i;
        let factor = min(i32((1u << 29u) / root(variance << u32(more))), 32767i);
        let shift = u32(max(18i - (digits + more) / 2i, 1i));
        for (var word = 0u; word < words; word++) {
            var bytes = 0u;
            for (var lane = 0u; lane < min(4u, task.channels - 4u * word); lane++) {
                let channel = 4u * word + lane;
                let off = 64i * number(first, channel) - mean;
                let normal = clamp((off * factor + (1i << (shift - 1u))) >> shift, -32768i, 32767i);
                let at = task.numbers + channel;
                let whole = normal * i32(weights[at]) + i32(weights[at + task.channels]) + ((1i << task.shift) >> 1u);
                let rounded = clamp(whole >> task.shift, i32(task.low), i32(task.high)) - i32(task.base);
                bytes |= (u32(rounded) & 255u) << (8u * lane);
            }
            values[task.output + index * words + word] = bytes;
        }
    }
}
