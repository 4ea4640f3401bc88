// dw = xᵀ·(dy·slope(saved)) and dbias = Σ dy·slope(saved) over a part of all places: the weight gradient in several parts.
// Layouts: x [image][y][x][plane], dy and saved [image][y][x][channel], output [part][row][column][plane][channel].
// A workgroup has TILE_ROWS weights of a channel by TILE_COLUMNS channels of group z / parts in part z mod parts, a thread
// 4 by 4; sums go over images and places, ascending; the optimizer adds the parts, so no second dispatch is needed.
// Limits: THREADS ≤ 256, sides of an image below 1000000; what is not finite raises metrics[0].

struct Task {
    height: u32, width: u32, planes: u32, out_height: u32, out_width: u32, channels: u32,
    size_y: u32, size_x: u32, stride_y: u32, stride_x: u32, top: u32, left: u32, groups: u32,
    input: u32, gradient: u32, saved: u32, activation: u32, parts: u32, output: u32, output_stride: u32,
    bias: u32, bias_stride: u32,
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
@group(0) @binding(7) var<storage, read_write> metrics: array<atomic<u32>>;

// The normal distribution function by a rational function; 0 or 1 beyond 5.5.
fn normal_cdf(x: f32) -> f32 {
    let size = min(abs(x), 5.5);
    let square = size * size;
    let above = ((((3.6444206e-8 * square + 1.0014885e-5) * square + 2.6154603e-4) * square + 7.392552e-3) * square
        + 0.05317543) * square + 0.6340412;
    let below = ((((1.9055907e-6 * square + 1.1469066e-4) * square + 2.957068e-3) * square + 0.045161318) * square
        + 0.3981749) * square + 1.5893055;
    let from_half = min(size * above / below, 0.5);
    return 0.5 + select(from_half, -from_half, x < 0.0);
}

fn sigmoid(x: f32) -> f32 {
    return 1.0 / (1.0 + exp(clamp(-x, -87.0, 87.0)));
}

// The slope of activation 1 relu, 2 relu6 and 5 tanh by what it gave, of 3 hardswish, 4 silu and 6 gelu by what it was given.
fn slope(saved: f32, activation: u32) -> f32 {
    switch activation {
        case 1u: { return select(0.0, 1.0, saved > 0.0); }
        case 2u: { return select(0.0, 1.0, saved > 0.0 && saved < 6.0); }
        case 3u: {
            let outside = select(0.0, 1.0, saved > 0.0);
            return select(outside, saved * 0.33333334 + 0.5, saved > -3.0 && saved < 3.0);
        }
        case 4u: {
            let share = sigmoid(saved);
            return share + saved * share * (1.0 - share);
        }
        case 5u: { return 1.0 - saved * saved; }
        case 6u: {
            let density = exp(max(-0.5 * (saved * saved), -87.0)) * 0.3989423;
            return normal_cdf(saved) + saved * density;
        }
        default: { return 1.0; }
    }
}

// Whether a number is NaN, infinite or on its way there: by its bits, since WGSL may assume that there is none.
fn is_broken(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7f800000u) >= 0x7e800000u;
}

override THREADS: u32 = 256u;
override TILE_COLUMNS: u32 = 64u;
override DEPTH: u32 = 16u;
override TILE_ROWS: u32 = THREADS * 16u / TILE_COLUMNS;
override ROW_QUADS: u32 = TILE_ROWS / 4u;
override COLUMN_QUADS: u32 = TILE_COLUMNS / 4u;
// A quad more than needed, so that neighbouring threads write to different banks.
override LEFT_STRIDE: u32 = ROW_QUADS + 1u;
override LEFT: u32 = DEPTH * LEFT_STRIDE;
override RIGHT_STRIDE: u32 = COLUMN_QUADS;
override RIGHT: u32 = DEPTH * RIGHT_STRIDE;

var<workgroup> left: array<vec4<f32>, LEFT>;
var<workgroup> right: array<vec4<f32>, RIGHT>;
var<workgroup> corners: array<vec3<i32>, TILE_ROWS>;

// A place so far outside that no kernel reaches the image.
const OUTSIDE: i32 = -1000000;

fn cell(image: u32, corner: vec2<i32>, spot: vec3<i32>) -> f32 {
    let at = corner + spot.yz;
    if (any(at < vec2<i32>()) || at.x >= i32(task.height) || at.y >= i32(task.width)) {
        return 0.0;
    }
    return values[image + (u32(at.x) * task.width + u32(at.y)) * task.planes + u32(spot.x)];
}

fn slanted(index: u32, column: u32, columns: u32) -> f32 {
    if (column >= columns) {
        return 0.0;
    }
    var gradient = values[task.gradient + index];
    if (task.activation != 0u) {
        gradient *= slope(values[task.saved + index], task.activation);
    }
    return gradient;
}

fn store(index: u32, value: f32) {
    values[index] = value;
    if (is_broken(value)) {
        atomicMax(&metrics[0], 1u);
    }
}

fn finish_four(k: u32, first: u32, column: u32, columns: u32, sums: vec4<f32>) {
    for (var i = 0u; i < 4u; i++) {
        if (column + i < columns) {
            store(first + k * task.channels + i, sums[i]);
        }
    }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let places = task.out_height * task.out_width;
    let rows = turn.rows * places;
    let columns = task.channels / task.groups;
    let planes = task.planes / task.groups;
    let depth = task.size_y * task.size_x * planes;
    let part = group.z % task.parts;
    let first_channel = group.z / task.parts * columns;
    let first_plane = group.z / task.parts * planes;
    let share = (rows + task.parts - 1u) / task.parts;
    let begin = min(part * share, rows);
    let until = min(begin + share, rows);
    let first_row = group.x * TILE_ROWS;
    let first_column = group.y * TILE_COLUMNS;
    let own_row = thread / COLUMN_QUADS;
    let own_column = thread % COLUMN_QUADS;
    for (var i = thread; i < TILE_ROWS; i += THREADS) {
        let k = first_row + i;
        let spot = k / planes;
        let plane = i32(first_plane + k % planes);
        let y = i32(spot / task.size_x);
        corners[i] = vec3<i32>(plane, select(OUTSIDE, y, k < depth), i32(spot % task.size_x));
    }
    workgroupBarrier();
    var sum0 = vec4<f32>();
    var sum1 = vec4<f32>();
    var sum2 = vec4<f32>();
    var sum3 = vec4<f32>();
    var bias = vec4<f32>();
    for (var start = begin; start < until; start += DEPTH) {
        for (var i = thread; i < DEPTH * ROW_QUADS; i += THREADS) {
            let row = start + i / ROW_QUADS;
            let quad = i % ROW_QUADS;
            var loaded = vec4<f32>();
            if (row < until) {
                let place = row % places;
                let image = task.input + row / places * task.height * task.width * task.planes;
                let corner = vec2<i32>(
                    i32(place / task.out_width * task.stride_y) - i32(task.top),
                    i32(place % task.out_width * task.stride_x) - i32(task.left),
                );
                loaded = vec4<f32>(
                    cell(image, corner, corners[4u * quad]),
                    cell(image, corner, corners[4u * quad + 1u]),
                    cell(image, corner, corners[4u * quad + 2u]),
                    cell(image, corner, corners[4u * quad + 3u]),
                );
            }
            left[i / ROW_QUADS * LEFT_STRIDE + quad] = loaded;
        }
        for (var i = thread; i < DEPTH * COLUMN_QUADS; i += THREADS) {
            let row = start + i / COLUMN_QUADS;
            let column = first_column + 4u * (i % COLUMN_QUADS);
            var loaded = vec4<f32>();
            if (row < until) {
                let index = row * task.channels + first_channel + column;
                loaded = vec4<f32>(
                    slanted(index, column, columns),
                    slanted(index + 1u, column + 1u, columns),
                    slanted(index + 2u, column + 2u, columns),
                    slanted(index + 3u, column + 3u, columns),
                );
            }
            right[i] = loaded;
        }
        workgroupBarrier();
        if (group.x == 0u) {
            for (var k = 0u; k < DEPTH; k++) {
                bias += right[k * RIGHT_STRIDE + own_column];
            }
        }
        for (var k = 0u; k < DEPTH; k++) {
            let a = left[k * LEFT_STRIDE + own_row];
            let b = right[k * RIGHT_STRIDE + own_column];
            sum0 += a.x * b;
            sum1 += a.y * b;
            sum2 += a.z * b;
            sum3 += a.w * b;
        }
        workgroupBarrier();
    }
    let k = first_row + 4u * own_row;
    let column = first_column + 4u * own_column;
    let first = task.output + part * task.output_stride + first_channel + column;
    if (k < depth) { finish_four(k, first, column, columns, sum0); }
    if (k + 1u < depth) { finish_four(k + 1u, first, column, columns, sum1); }
    if (k + 2u < depth) { finish_four(k + 2u, first, column, columns, sum2); }
    if (k + 3u < depth) { finish_four(k + 3u, first, column, columns, sum3); }
    if (task.bias != NONE && group.x == 0u && own_row == 0u) {
        finish_four(0u, task.bias + part * task.bias_stride + first_channel + column, column, columns, bias);
    }
}
