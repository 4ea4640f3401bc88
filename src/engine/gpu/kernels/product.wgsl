// y = activation(norm(w∗x + bias) + residual): a convolution or a linear layer (1×1), the batch folded into the rows.
// Layouts: x [image][y][x][plane], w [row][column][plane of the group][channel], y, residual and kept [image][y][x][channel].
// A workgroup has TILE_ROWS places by TILE_COLUMNS channels of group z, a thread 4 by 4; DEPTH terms at a time are shared.
// Sums go over the kernel's rows, columns, planes, ascending; norm is a batch norm by its running statistics, kept what
// the activation was given. Limits: THREADS ≤ 256, sides of an image below 1000000, 2³² numbers in all.

struct Task {
    height: u32, width: u32, planes: u32, out_height: u32, out_width: u32, channels: u32,
    size_y: u32, size_x: u32, stride_y: u32, stride_x: u32, top: u32, left: u32, groups: u32,
    input: u32, weight: u32, bias: u32, residual: u32, output: u32, kept: u32, activation: u32,
    norm_scale: u32, norm_shift: u32, norm_mean: u32, norm_variance: u32, epsilon: f32,
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

fn hyperbolic_tangent(x: f32) -> f32 {
    let size = abs(x);
    let square = size * size;
    let series = (((-6.2459926e-3 * square + 0.021052472) * square - 0.05384785) * square + 0.13332546) * square
        - 0.33333316;
    let near = size + size * square * series;
    let far = 1.0 - 2.0 / (exp(min(2.0 * size, 30.0)) + 1.0);
    let found = select(far, near, size < 0.55);
    return select(found, -found, x < 0.0);
}

// 0 nothing, 1 relu, 2 relu6, 3 hardswish, 4 silu, 5 tanh, 6 gelu.
fn activated(x: f32, activation: u32) -> f32 {
    switch activation {
        case 1u: { return max(x, 0.0); }
        case 2u: { return clamp(x, 0.0, 6.0); }
        case 3u: { return x * (clamp(x + 3.0, 0.0, 6.0) * 0.16666667); }
        case 4u: { return x * sigmoid(x); }
        case 5u: { return hyperbolic_tangent(x); }
        case 6u: { return x * normal_cdf(x); }
        default: { return x; }
    }
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

fn cell(corner: vec3<i32>, offset: vec2<i32>, plane: u32) -> f32 {
    let at = corner.yz + offset;
    if (any(at < vec2<i32>()) || at.x >= i32(task.height) || at.y >= i32(task.width)) {
        return 0.0;
    }
    return values[u32(corner.x) + (u32(at.x) * task.width + u32(at.y)) * task.planes + plane];
}

fn weight(k: u32, depth: u32, column: u32, columns: u32, at: u32) -> f32 {
    if (k < depth && column < columns) {
        return weights[at + k * task.channels + column];
    }
    return 0.0;
}

fn finish(place: u32, channel: u32, product: f32) {
    var sum = product;
    if (task.bias != NONE) {
        sum += weights[task.bias + channel];
    }
    if (task.norm_scale != NONE) {
        let factor = weights[task.norm_scale + channel] / sqrt(weights[task.norm_variance + channel] + task.epsilon);
        sum = (sum - weights[task.norm_mean + channel]) * factor + weights[task.norm_shift + channel];
    }
    let index = place * task.channels + channel;
    if (task.residual != NONE) {
        sum += values[task.residual + index];
    }
    if (task.kept != NONE) {
        values[task.kept + index] = sum;
    }
    values[task.output + index] = activated(sum, task.activation);
}

fn finish_four(place: u32, channel: u32, column: u32, columns: u32, sums: vec4<f32>) {
    for (var i = 0u; i < 4u; i++) {
        if (column + i < columns) {
            finish(place, channel + i, sums[i]);
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
    let first_row = group.x * TILE_ROWS;
    let first_column = group.y * TILE_COLUMNS;
    let first_channel = group.z * columns;
    let own_row = thread / COLUMN_QUADS;
    let own_column = thread % COLUMN_QUADS;
    for (var i = thread; i < TILE_ROWS; i += THREADS) {
        let row = first_row + i;
        let place = row % places;
        let y = i32(place / task.out_width * task.stride_y) - i32(task.top);
        let x = i32(place % task.out_width * task.stride_x) - i32(task.left);
        let image = task.input + row / places * task.height * task.width * task.planes + group.z * planes;
        corners[i] = vec3<i32>(i32(image), select(OUTSIDE, y, row < rows), x);
    }
    workgroupBarrier();
    var sum0 = vec4<f32>();
    var sum1 = vec4<f32>();
    var sum2 = vec4<f32>();
    var sum3 = vec4<f32>();
    for (var start = 0u; start < depth; start += DEPTH) {
        for (var i = thread; i < DEPTH * ROW_QUADS; i += THREADS) {
            let k = start + i % DEPTH;
            let quad = i / DEPTH;
            var loaded = vec4<f32>();
            if (k < depth) {
                let plane = k % planes;
                let spot = k / planes;
                let offset = vec2<i32>(i32(spot / task.size_x), i32(spot % task.size_x));
                loaded = vec4<f32>(
                    cell(corners[4u * quad], offset, plane),
                    cell(corners[4u * quad + 1u], offset, plane),
                    cell(corners[4u * quad + 2u], offset, plane),
                    cell(corners[4u * quad + 3u], offset, plane),
                );
            }
            left[i % DEPTH * LEFT_STRIDE + quad] = loaded;
        }
        for (var i = thread; i < DEPTH * COLUMN_QUADS; i += THREADS) {
            let k = start + i / COLUMN_QUADS;
            let column = first_column + 4u * (i % COLUMN_QUADS);
            let at = task.weight + first_channel;
            right[i] = vec4<f32>(
                weight(k, depth, column, columns, at),
                weight(k, depth, column + 1u, columns, at),
                weight(k, depth, column + 2u, columns, at),
                weight(k, depth, column + 3u, columns, at),
            );
        }
        workgroupBarrier();
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
    let place = first_row + 4u * own_row;
    let column = first_column + 4u * own_column;
    if (place < rows) { finish_four(place, first_channel + column, column, columns, sum0); }
    if (place + 1u < rows) { finish_four(place + 1u, first_channel + column, column, columns, sum1); }
    if (place + 2u < rows) { finish_four(place + 2u, first_channel + column, column, columns, sum2); }
    if (place + 3u < rows) { finish_four(place + 3u, first_channel + column, column, columns, sum3); }
}
