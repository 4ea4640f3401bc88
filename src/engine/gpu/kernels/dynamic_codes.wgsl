// c = [x / step] from −127 to 127 with step = max|x| / 127 of each row of a batch, each rounded as f32 does, ties to even.
// Layouts: x [row][place][channel]; c [row][place][word of four channels], filled up with 0; the step of a row at steps + row.
// A workgroup has every groups.x-th row, a thread every 256th number and then word.
// WGSL leaves roundings open, so all are done in integers over the numbers' bits, and every device gives the same.
// Limits: finite numbers; a row whose largest is below 2⁻¹⁰⁰ counts as zeros, and so does a number below 2⁻¹²⁶.

struct Task {
    places: u32, channels: u32, input: u32, output: u32, steps: u32,
}
// One step's numbers.
struct Turn {
    rows: u32, indices: u32, labels: u32, slot: u32, key_low: u32, key_high: u32, smoothing: f32, optimizer: u32,
    rate: f32, momentum: f32, decay: f32, scale: f32, keep_first: f32, take_first: f32, keep_second: f32, take_second: f32,
    epsilon: f32,
}

@group(0) @binding(0) var<uniform> task: Task;
@group(0) @binding(1) var<uniform> turn: Turn;
@group(0) @binding(4) var<storage, read_write> values: array<u32>;

var<workgroup> largest: array<u32, 256>;

// The bits of a / b, both normal and above 0, and so their quotient: no quotient is halfway between two numbers.
fn divided(a: u32, b: u32) -> u32 {
    let divisor = (b & 0x7fffffu) | 0x800000u;
    var rest = (a & 0x7fffffu) | 0x800000u;
    var exponent = (a >> 23u) + 127u - (b >> 23u);
    if (rest < divisor) {
        rest <<= 1u;
        exponent -= 1u;
    }
    rest -= divisor;
    var digits = 1u;
    for (var digit = 0u; digit < 23u; digit++) {
        rest <<= 1u;
        digits <<= 1u;
        if (rest >= divisor) {
            rest -= divisor;
            digits |= 1u;
        }
    }
    return (exponent << 23u) + (digits & 0x7fffffu) + select(0u, 1u, 2u * rest > divisor);
}

// What is left of a number without so many digits, 1 to 24 of them, rounded to the nearest, ties to even.
fn without(number: u32, digits: u32) -> u32 {
    let whole = number >> digits;
    let rest = number & ((1u << digits) - 1u);
    let half = 1u << (digits - 1u);
    return whole + select(0u, 1u, rest > half || (rest == half && (whole & 1u) != 0u));
}

// The whole number nearest to x·inverse, which is rounded to an f32 first.
fn code(x: u32, inverse: u32) -> u32 {
    let a = (x & 0x7fffffu) | 0x800000u;
    let b = (inverse & 0x7fffffu) | 0x800000u;
    // 48 digits of the product in two halves.
    let across = (a >> 12u) * (b & 0xfffu) + (a & 0xfffu) * (b >> 12u);
    let low = ((across & 0xfffu) << 12u) + (a & 0xfffu) * (b & 0xfffu);
    let high = (a >> 12u) * (b >> 12u) + (across >> 12u) + (low >> 24u);
    // Of these 24 digits 22 are behind the point, and as many more as the two exponents lack of 127 each.
    var behind = 276 - i32((x >> 23u) & 255u) - i32(inverse >> 23u);
    var number = high;
    var rest = low & 0xffffffu;
    if (high < 0x800000u) {
        number = (high << 1u) | (rest >> 23u);
        rest = (rest << 1u) & 0xffffffu;
        behind += 1;
    }
    let is_up = rest > 0x800000u || (rest == 0x800000u && (number & 1u) != 0u);
    number += select(0u, 1u, is_up);
    if (behind > 24 || ((x >> 23u) & 255u) == 0u) {
        return 0u;
    }
    return min(without(number, u32(max(behind, 17))), 127u);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32) {
    let length = task.places * task.channels;
    let line = (task.channels + 3u) / 4u;
    for (var row = group.x; row < turn.rows; row += groups.x) {
        let begin = task.input + row * length;
        var most = 0u;
        for (var i = thread; i < length; i += 256u) {
            most = max(most, values[begin + i] & 0x7fffffffu);
        }
        largest[thread] = most;
        workgroupBarrier();
        for (var half = 128u; half > 0u; half /= 2u) {
            if (thread < half) {
                largest[thread] = max(largest[thread], largest[thread + half]);
            }
            workgroupBarrier();
        }
        most = largest[0];
        workgroupBarrier();
        var step = 0u;
        var inverse = 0u;
        // 2⁻¹⁰⁰; 127 and 1.
        if (most >= 0x0d800000u) {
            step = divided(most, 0x42fe0000u);
            inverse = divided(0x3f800000u, step);
        }
        if (thread == 0u) {
            values[task.steps + row] = step;
        }
        for (var word = thread; word < task.places * line; word += 256u) {
            let first = word % line * 4u;
            var bytes = 0u;
            if (step != 0u) {
                for (var lane = 0u; lane < min(4u, task.channels - first); lane++) {
                    let x = values[begin + word / line * task.channels + first + lane];
                    let size = code(x, inverse);
                    bytes |= (select(size, 0u - size, (x >> 31u) != 0u) & 255u) << (8u * lane);
                }
            }
            values[task.output + row * task.places * line + word] = bytes;
        }
    }
}
