// y = [w / step]·step, ties to even, step = max|w| / top of numbers that share it; as halves: y the nearest half to w.
// Layouts: w, y [place][plane][output]; in the order plane, place so many numbers of an output share a step, or all of the tensor.
// A workgroup has sixteen outputs and one stretch of them, or everything; a thread every sixteenth number of its output.
// Quotients and steps are taken in integers, so that every device comes to the CPU's; kinds: 0 halves, 1 and 2 steps in f32
// for a stretch and for all, 3 steps in halves, rounded up. Limits: numbers below 65504; steps below 2⁻¹⁰⁰ count as 0.

struct Task {
    outputs: u32, planes: u32, places: u32, stretch: u32, input: u32, output: u32, kind: u32, top: u32,
}

@group(0) @binding(0) var<uniform> task: Task;
@group(0) @binding(2) var<storage, read_write> weights: array<u32>;

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

// The smallest half that is not below a number above 0.
fn half_above(number: u32) -> u32 {
    // 2⁻¹⁴: below it halves are 2⁻²⁴ apart.
    if (number >= 0x38800000u) {
        return (number + 0x1fffu) & 0xffffe000u;
    }
    return bitcast<u32>(ceil(bitcast<f32>(number) * 16777216.0) * 5.9604645e-8);
}

// The nearest half to a number without its sign.
fn half_nearest(number: u32) -> u32 {
    if (number >= 0x38800000u) {
        return (number + 0xfffu + ((number >> 13u) & 1u)) & 0xffffe000u;
    }
    return bitcast<u32>(round(bitcast<f32>(number) * 16777216.0) * 5.9604645e-8);
}

// How many steps, a number above 0, are nearest to a number without its sign.
fn steps(number: u32, step: u32) -> u32 {
    let divisor = (step & 0x7fffffu) | 0x800000u;
    // Twice the quotient, so that its last digit is a half.
    let up = i32(number >> 23u) - i32(step >> 23u) + 1;
    if (up < 0) {
        return 0u;
    }
    let dividend = ((number & 0x7fffffu) | 0x800000u) << u32(min(up, 8));
    let twice = dividend / divisor;
    let whole = twice >> 1u;
    let is_up = (twice & 1u) != 0u && (twice * divisor != dividend || (whole & 1u) != 0u);
    return min(whole + select(0u, 1u, is_up), task.top);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32) {
    let inner = task.planes * task.places;
    let first = group.y * task.stretch + thread / 16u;
    let until = min((group.y + 1u) * task.stretch, inner);
    var most = 0u;
    for (var output = group.x * 16u + thread % 16u; output < task.outputs; output += groups.x * 16u) {
        for (var i = first; i < until; i += 16u) {
            let at = (i % task.places * task.planes + i / task.places) * task.outputs + output;
            most = max(most, weights[task.input + at] & 0x7fffffffu);
        }
    }
    largest[thread] = most;
    workgroupBarrier();
    let last = select(16u, 1u, task.kind == 2u);
    for (var half = 128u; half >= last; half /= 2u) {
        if (thread < half) {
            largest[thread] = max(largest[thread], largest[thread + half]);
        }
        workgroupBarrier();
    }
    most = largest[thread % last];
    var step = 0u;
    // 2⁻¹⁰⁰.
    if (task.kind != 0u && most >= 0x0d800000u) {
        step = divided(most, bitcast<u32>(f32(task.top)));
        if (task.kind == 3u) {
            step = half_above(step);
        }
    }
    for (var output = group.x * 16u + thread % 16u; output < task.outputs; output += groups.x * 16u) {
        for (var i = first; i < until; i += 16u) {
            let at = (i % task.places * task.planes + i / task.places) * task.outputs + output;
            let number = weights[task.input + at];
            let size = number & 0x7fffffffu;
            var rounded = 0u;
            if (task.kind == 0u) {
                rounded = half_nearest(size);
            } else if (step != 0u) {
                rounded = bitcast<u32>(f32(steps(size, step)) * bitcast<f32>(step));
            }
            weights[task.output + at] = rounded | (number & 0x80000000u);
        }
    }
}
