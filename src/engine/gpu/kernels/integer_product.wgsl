// y = requantized(bias + Σ c·w + residual), or the sums themselves: convolutions, depthwise ones too, and linear layers.
// Layouts: x, y, residual [image][y][x][word of four channels]; weights [term][word of y] in vec4s, each of them four weights of
// an output channel or, depthwise, one; constants [word of y] bias, then multiplier; sums [image][y][x][channel].
// A thread computes four channels of one place after another. Bytes are c − base, so padding is fill and the bias has base·Σw.
// Limits: groups are one, one for each channel, or of whole words; sums wrap at 32 bits, those of whole layers fit.

struct Task {
    height: u32, width: u32, planes: u32, out_height: u32, out_width: u32, channels: u32, size_y: u32, size_x: u32,
    stride_y: u32, stride_x: u32, top: u32, left: u32, groups: u32,
    input: u32, weight: u32, constants: u32, residual: u32, output: u32, depthwise: u32, raw: u32, fill: u32, shift: u32,
    low: u32, high: u32, base: u32, residual_base: u32, residual_multiplier: u32, residual_shift: u32,
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
@group(0) @binding(2) var<storage, read_write> weights: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read_write> values: array<u32>;

// Four numbers of a word, and a word of four numbers.
fn unpacked(word: u32) -> vec4<i32> {
    return vec4<i32>(vec4<u32>(word) << vec4<u32>(24u, 16u, 8u, 0u)) >> vec4<u32>(24u);
}

fn packed(numbers: vec4<i32>) -> u32 {
    let bytes = vec4<u32>(numbers) & vec4<u32>(255u);
    return bytes.x | (bytes.y << 8u) | (bytes.z << 16u) | (bytes.w << 24u);
}

fn dot(a: u32, b: u32) -> i32 {
    return dot4I8Packed(a, b);
}

// Half of what is shifted away is added before.
fn shifted(numbers: vec4<i32>, shift: u32) -> vec4<i32> {
    return (numbers + vec4<i32>((1i << shift) >> 1u)) >> vec4<u32>(shift);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let stride = groups.x * 64u;
    let in_words = (task.planes + 3u) / 4u;
    let out_words = (task.channels + 3u) / 4u;
    let of_group = select(in_words / task.groups, 1u, task.depthwise != 0u);
    let count = turn.rows * task.out_height * task.out_width * out_words;
    for (var index = id.x; index < count; index += stride) {
        let quad = index % out_words;
        let place = index / out_words;
        let row = place / task.out_width;
        let top = row % task.out_height * task.stride_y - task.top;
        let left = place % task.out_width * task.stride_x - task.left;
        var image = task.input + row / task.out_height * task.height * task.width * in_words;
        if (task.depthwise != 0u) {
            image += quad;
        } else {
            image += quad * task.groups / out_words * of_group;
        }
        var sums = vec4<i32>(weights[task.constants + quad]);
        var weight = task.weight + quad;
        for (var y = top; y != top + task.size_y; y++) {
            for (var x = left; x != left + task.size_x; x++) {
                // What is above or left of the image is beyond it as well, for these are not negative.
                let is_inside = y < task.height && x < task.width;
                let at = image + (y * task.width + x) * in_words;
                for (var word = 0u; word < of_group; word++) {
                    var a = task.fill;
                    if (is_inside) {
                        a = values[at + word];
                    }
                    let b = weights[weight];
                    if (task.depthwise != 0u) {
                        sums += unpacked(a) * vec4<i32>(b);
                    } else {
                        sums += vec4<i32>(dot(a, b.x), dot(a, b.y), dot(a, b.z), dot(a, b.w));
                    }
                    weight += out_words;
                }
            }
        }
        if (task.raw != 0u) {
            let channel = 4u * quad;
            for (var lane = 0u; lane < min(4u, task.channels - channel); lane++) {
                values[task.output + place * task.channels + channel + lane] = u32(sums[lane]);
            }
            continue;
        }
        let multiplier = vec4<i32>(weights[task.constants + out_words + quad]);
        var scaled = (sums >> vec4<u32>(16u)) * multiplier
            + (((sums & vec4<i32>(0xffff)) * multiplier) >> vec4<u32>(16u));
        if (task.residual != NONE) {
            let numbers = unpacked(values[task.residual + index]) + vec4<i32>(i32(task.residual_base));
            scaled += shifted(numbers * i32(task.residual_multiplier), task.residual_shift);
        }
        let rounded = clamp(shifted(scaled, task.shift), vec4<i32>(i32(task.low)), vec4<i32>(i32(task.high)));
        values[task.output + index] = packed(rounded - vec4<i32>(i32(task.base)));
    }
}
