// dx = wᵀ∗(dy·slope(saved)), or added to dx where accumulate is 1: the gradient of a convolution's or linear layer's input.
// Layouts: dx [image][y][x][plane], w [row][column][plane of the group][channel], dy and saved [image][y][x][channel].
// A workgroup has TILE_ROWS places by TILE_COLUMNS planes of group z, a thread 4 by 4; DEPTH terms at a time are shared.
// Sums go over the kernel's rows, columns and the group's channels, ascending; a stride leaves out places that no output hit.
// Limits: THREADS ≤ 256, sides of an image below 1000000, 2³² numbers in all.

struct Task {
    height: u32, width: u32, planes: u32, out_height: u32, out_width: u32, channels: u32,
    size_y: u32, size_x: u32, stride_y: u32, stride_x: u32, top: u32, left: u32, groups: u32,
    gradient: u32, saved: u32, activation: u32, weight: u32, output: u32, accumulate: u32,
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

override THREADS: u32 = 256u;
override TILE_COLUMNS: u32 = 64u;
override DEPTH: u32 = 16u;
override TILE_ROWS: u32 = THREADS * 16u / TILE_COLUMNS;
override ROW_QUADS: u32 = TILE_ROWS / 4u;
override COLUMN_QUADS: u32 = TILE_COLUMNS / 4u;
// A quad more than needed, so that neighbouring threads write to different banks.
override LEFT_STRIDE: u32 = ROW_QUADS + 1u;
override LEFT: u32 = DEPTH * LEFT_STRIDE;
override RIGHT_STRIDE: u32 = COLUMN_QUADS + 1u;
override RIGHT: u32 = DEPTH * RIGHT_STRIDE;

var<workgroup> left: array<vec4<f32>, LEFT>;
var<workgroup> right: array<vec4<f32>, RIGHT>;
var<workgroup> corners: array<vec3<i32>, TILE_ROWS>;

// A place so far outside that no kernel reaches the image.
const OUTSIDE: i32 = -1000000;

fn cell(corner: vec3<i32>, offset: vec2<i32>, channel: u32) -> f32 {
    let begin = corner.yz - offset;
    let stride = vec2<i32>(i32(task.stride_y), i32(task.stride_x));
    let at = begin / stride;
    if (any(begin < vec2<i32>()) || any(at * stride != begin)
        || at.x >= i32(task.out_height) || at.y >= i32(task.out_width)) {
        return 0.0;
    }
    let index = u32(corner.x) + (u32(at.x) * task.out_width + u32(at.y)) * task.channels + channel;
    var gradient = values[task.gradient + index];
    if (task.activation != 0u) {
        gradient *= slope(values[task.saved + index], task.activation);
    }
    return gradient;
}

fn weight(spot: u32, plane: u32, planes: u32, channel: u32) -> f32 {
    if (plane < planes) {
        return weights[task.weight + (spot * planes + plane) * task.channels + channel];
    }
    return 0.0;
}

fn finish_four(place: u32, first_plane: u32, column: u32, columns: u32, sums: vec4<f32>) {
    for (var i = 0u; i < 4u; i++) {
        if (column + i < columns) {
            let index = task.output + place * task.planes + first_plane + column + i;
            if (task.accumulate != 0u) {
                values[index] += sums[i];
            } else {
                values[index] = sums[i];
            }
        }
    }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let places = task.height * task.width;
    let rows = turn.rows * places;
    let channels = task.channels / task.groups;
    let planes = task.planes / task.groups;
    let depth = task.size_y * task.size_x * channels;
    let first_row = group.x * TILE_ROWS;
    let first_column = group.y * TILE_COLUMNS;
    let own_row = thread / COLUMN_QUADS;
    let own_column = thread % COLUMN_QUADS;
    for (var i = thread; i < TILE_ROWS; i += THREADS) {
        let row = first_row + i;
        let place = row % places;
        let y = i32(place / task.width + task.top);
        let x = i32(place % task.width + task.left);
        let image = row / places * task.out_height * task.out_width * task.channels + group.z * channels;
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
                let spot = k / channels;
                let channel = k % channels;
                let offset = vec2<i32>(i32(spot / task.size_x), i32(spot % task.size_x));
                loaded = vec4<f32>(
                    cell(corners[4u * quad], offset, channel),
                    cell(corners[4u * quad + 1u], offset, channel),
                    cell(corners[4u * quad + 2u], offset, channel),
                    cell(corners[4u * quad + 3u], offset, channel),
                );
            }
            left[i % DEPTH * LEFT_STRIDE + quad] = loaded;
        }
        for (var i = thread; i < DEPTH * COLUMN_QUADS; i += THREADS) {
            let k = start + i % DEPTH;
            let quad = i / DEPTH;
            let plane = first_column + 4u * quad;
            var loaded = vec4<f32>();
            if (k < depth) {
                let spot = k / channels;
                let channel = group.z * channels + k % channels;
                loaded = vec4<f32>(
                    weight(spot, plane, planes, channel),
                    weight(spot, plane + 1u, planes, channel),
                    weight(spot, plane + 2u, planes, channel),
                    weight(spot, plane + 3u, planes, channel),
                );
            }
            right[i % DEPTH * RIGHT_STRIDE + quad] = loaded;
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
    let first_plane = group.z * planes;
    if (place < rows) { finish_four(place, first_plane, column, planes, sum0); }
    if (place + 1u < rows) { finish_four(place + 1u, first_plane, column, planes, sum1); }
    if (place + 2u < rows) { finish_four(place + 2u, first_plane, column, planes, sum2); }
    if (place + 3u < rows) { finish_four(place + 3u, first_plane, column, planes, sum3); }
}
