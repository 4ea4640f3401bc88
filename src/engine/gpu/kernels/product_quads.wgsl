// y = activation(norm(w∗x + bias) + residual) as product has it, sixteen bytes at a time.
// Layouts: x [image][y][x][plane], w [row][column][plane of the group][channel], y, residual and kept [image][y][x][channel].
// A workgroup has TILE_ROWS places by 4·COLUMN_THREADS channels of group z; each of its SLICES has a share of the terms, a
// thread of it 8 by 4 sums; DEPTH terms are shared while the next are fetched. Sums: a slice's ascending, then a tree.
// Limits: THREADS ≤ 256, sides of an image at most 32000, planes and channels of a group in fours, as every place.

struct Task {
    height: u32, width: u32, planes: u32, out_height: u32, out_width: u32, channels: u32,
    size_y: u32, size_x: u32, stride_y: u32, stride_x: u32, top: u32, left: u32, groups: u32,
    input: u32, weight: u32, bias: u32, residual: u32, output: u32, kept: u32, activation: u32,
    norm_scale: u32, norm_shift: u32, norm_mean: u32, norm_variance: u32, epsilon: f32, factor: f32,
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
@group(0) @binding(2) var<storage, read_write> weights: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> values: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> numbers: array<vec2<u32>>;

// Whether weights are halves, two to a word of the numbers, and sums are multiplied by task.factor.
override HALVES: bool = false;

fn weight_quad(index: u32) -> vec4<f32> {
    if (HALVES) {
        let halves = numbers[index];
        return vec4<f32>(unpack2x16float(halves.x), unpack2x16float(halves.y));
    }
    return weights[index];
}

// The normal distribution function by a rational function; 0 or 1 beyond 5.5.
fn normal_cdf(x: vec4<f32>) -> vec4<f32> {
    let size = min(abs(x), vec4<f32>(5.5));
    let square = size * size;
    let above = ((((3.6444206e-8 * square + 1.0014885e-5) * square + 2.6154603e-4) * square + 7.392552e-3) * square
        + 0.05317543) * square + 0.6340412;
    let below = ((((1.9055907e-6 * square + 1.1469066e-4) * square + 2.957068e-3) * square + 0.045161318) * square
        + 0.3981749) * square + 1.5893055;
    let from_half = min(size * above / below, vec4<f32>(0.5));
    return 0.5 + select(from_half, -from_half, x < vec4<f32>(0.0));
}

fn sigmoid(x: vec4<f32>) -> vec4<f32> {
    return 1.0 / (1.0 + exp(clamp(-x, vec4<f32>(-87.0), vec4<f32>(87.0))));
}

fn hyperbolic_tangent(x: vec4<f32>) -> vec4<f32> {
    let size = abs(x);
    let square = size * size;
    let series = (((-6.2459926e-3 * square + 0.021052472) * square - 0.05384785) * square + 0.13332546) * square
        - 0.33333316;
    let near = size + size * square * series;
    let far = 1.0 - 2.0 / (exp(min(2.0 * size, vec4<f32>(30.0))) + 1.0);
    let found = select(far, near, size < vec4<f32>(0.55));
    return select(found, -found, x < vec4<f32>(0.0));
}

// 0 nothing, 1 relu, 2 relu6, 3 hardswish, 4 silu, 5 tanh, 6 gelu.
fn activated(x: vec4<f32>, activation: u32) -> vec4<f32> {
    switch activation {
        case 1u: { return max(x, vec4<f32>(0.0)); }
        case 2u: { return clamp(x, vec4<f32>(0.0), vec4<f32>(6.0)); }
        case 3u: { return x * (clamp(x + 3.0, vec4<f32>(0.0), vec4<f32>(6.0)) * 0.16666667); }
        case 4u: { return x * sigmoid(x); }
        case 5u: { return hyperbolic_tangent(x); }
        case 6u: { return x * normal_cdf(x); }
        default: { return x; }
    }
}

override SLICES: u32 = 1u;
override ROW_THREADS: u32 = 16u;
override COLUMN_THREADS: u32 = 16u;
override DEPTH_QUADS: u32 = 4u;
override SLICE_THREADS: u32 = ROW_THREADS * COLUMN_THREADS;
override THREADS: u32 = SLICES * SLICE_THREADS;
override TILE_ROWS: u32 = 8u * ROW_THREADS;
override DEPTH: u32 = 4u * DEPTH_QUADS;
// Quads that a thread fetches, at most four of each kind.
override LEFT_QUADS: u32 = TILE_ROWS * DEPTH_QUADS;
override RIGHT_QUADS: u32 = DEPTH * COLUMN_THREADS;
// Odd strides, and a quad more in each block than needed, so that neighbouring threads use different banks.
override LEFT_STRIDE: u32 = ROW_THREADS | 1u;
override LEFT: u32 = DEPTH_QUADS * LEFT_STRIDE;
override RIGHT: u32 = DEPTH_QUADS * COLUMN_THREADS;
// Slices whose sums find room in left.
override ROUND: u32 = LEFT / SLICE_THREADS;
override CORNERS: u32 = TILE_ROWS;

var<workgroup> left: array<array<vec4<f32>, 9>, LEFT>;
var<workgroup> right: array<array<vec4<f32>, 5>, RIGHT>;
// Where a row's first term would be, in quads or numbers, and its row and column in the image, sixteen bits each.
var<workgroup> corners: array<vec2<i32>, CORNERS>;

// A row so far outside that no kernel reaches the image.
const OUTSIDE: i32 = -32700;

fn packed(y: i32, x: i32) -> i32 {
    return (y << 16u) | (x & 0xffff);
}

fn row_of(corner: vec2<i32>) -> i32 {
    return corner.y >> 16u;
}

fn column_of(corner: vec2<i32>) -> i32 {
    return (corner.y << 16u) >> 16u;
}

// Where a thread's quad of terms lies: its first quad of planes, column and row of the kernel.
struct Terms {
    inner: u32, x: u32, y: u32,
}

// The terms so many steps on, each counted in quad of planess, columns and rows; no sum passes twice its limit.
fn moved(terms: Terms, step: Terms, inner: u32, columns: u32) -> Terms {
    var next = Terms(terms.inner + step.inner, terms.x + step.x, terms.y + step.y);
    if (next.inner >= inner) {
        next.inner -= inner;
        next.x += 1u;
    }
    if (next.x >= columns) {
        next.x -= columns;
        next.y += 1u;
    }
    return next;
}

fn terms_at(index: u32, inner: u32, columns: u32) -> Terms {
    let spot = index / inner;
    return Terms(index % inner, spot % columns, spot / columns);
}

// Four planes of a place, or zeros outside the image and beyond the last term; offset leads from the corner to them.
fn fetched_left(index: u32, terms: Terms, offset: u32) -> vec4<f32> {
    let corner = corners[index / DEPTH_QUADS];
    let y = u32(row_of(corner) + i32(terms.y));
    let x = u32(column_of(corner) + i32(terms.x));
    if (y >= task.height || x >= task.width || terms.y >= task.size_y) {
        return vec4<f32>();
    }
    return values[u32(corner.x) + offset];
}

fn fetched_right(index: u32, start: u32, depth: u32, first: u32, columns: u32) -> vec4<f32> {
    let k = start + index / COLUMN_THREADS;
    let column = index % COLUMN_THREADS;
    if (k >= depth || column >= columns) {
        return vec4<f32>();
    }
    return weight_quad(first + k * (task.channels / 4u) + column);
}

fn keep_left(index: u32, quad: vec4<f32>) {
    let row = index / DEPTH_QUADS;
    left[index % DEPTH_QUADS * LEFT_STRIDE + row / 8u][row % 8u] = quad;
}

fn keep_right(index: u32, quad: vec4<f32>) {
    let k = index / COLUMN_THREADS;
    right[k / 4u * COLUMN_THREADS + index % COLUMN_THREADS][k % 4u] = quad;
}

// What a channel's sums go through: (sum + bias − mean)·factor + shift.
struct Finish {
    bias: vec4<f32>, mean: vec4<f32>, factor: vec4<f32>, shift: vec4<f32>,
}

fn finish(place: u32, rows: u32, channel: u32, by: Finish, product: vec4<f32>) {
    if (place >= rows) {
        return;
    }
    var sum = (product * task.factor + by.bias - by.mean) * by.factor + by.shift;
    let index = place * (task.channels / 4u) + channel;
    if (task.residual != NONE) {
        sum += values[task.residual / 4u + index];
    }
    if (task.kept != NONE) {
        values[task.kept / 4u + index] = sum;
    }
    values[task.output / 4u + index] = activated(sum, task.activation);
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let places = task.out_height * task.out_width;
    let rows = turn.rows * places;
    let first_row = group.x * TILE_ROWS;
    if (first_row >= rows) {
        return;
    }
    let columns = task.channels / task.groups / 4u;
    let planes = task.planes / task.groups / 4u;
    let all_planes = task.planes / 4u;
    let depth = 4u * planes * task.size_y * task.size_x;
    let first_column = group.y * COLUMN_THREADS;
    let first_weight = task.weight / 4u + group.z * columns + first_column;
    let own_columns = columns - first_column;
    let slice = thread / SLICE_THREADS;
    let own_row = thread % SLICE_THREADS / COLUMN_THREADS;
    let own_column = thread % COLUMN_THREADS;
    for (var i = thread; i < TILE_ROWS; i += THREADS) {
        let row = first_row + i;
        let place = row % places;
        let y = i32(place / task.out_width * task.stride_y) - i32(task.top);
        let x = i32(place % task.out_width * task.stride_x) - i32(task.left);
        let image = i32(row / places * task.height * task.width);
        let begin = i32(task.input / 4u + group.z * planes) + (image + y * i32(task.width) + x) * i32(all_planes);
        corners[i] = vec2<i32>(begin, packed(select(OUTSIDE, y, row < rows), x));
    }
    workgroupBarrier();
    var terms = terms_at(thread % DEPTH_QUADS, planes, task.size_x);
    let step = terms_at(DEPTH_QUADS, planes, task.size_x);
    var sum0 = vec4<f32>();
    var sum1 = vec4<f32>();
    var sum2 = vec4<f32>();
    var sum3 = vec4<f32>();
    var sum4 = vec4<f32>();
    var sum5 = vec4<f32>();
    var sum6 = vec4<f32>();
    var sum7 = vec4<f32>();
    var x0 = vec4<f32>();
    var x1 = vec4<f32>();
    var x2 = vec4<f32>();
    var x3 = vec4<f32>();
    var w0 = vec4<f32>();
    var w1 = vec4<f32>();
    var w2 = vec4<f32>();
    var w3 = vec4<f32>();
    // What one turn fetches the next multiplies, so that multiplying hides the way from memory.
    for (var start = 0u; ; start += DEPTH) {
        let offset = (terms.y * task.width + terms.x) * all_planes + terms.inner;
        x0 = fetched_left(thread, terms, offset);
        if (LEFT_QUADS > 1u * THREADS) { x1 = fetched_left(thread + THREADS, terms, offset); }
        if (LEFT_QUADS > 2u * THREADS) { x2 = fetched_left(thread + 2u * THREADS, terms, offset); }
        if (LEFT_QUADS > 3u * THREADS) { x3 = fetched_left(thread + 3u * THREADS, terms, offset); }
        w0 = fetched_right(thread, start, depth, first_weight, own_columns);
        if (RIGHT_QUADS > 1u * THREADS) { w1 = fetched_right(thread + THREADS, start, depth, first_weight, own_columns); }
        if (RIGHT_QUADS > 2u * THREADS) {
            w2 = fetched_right(thread + 2u * THREADS, start, depth, first_weight, own_columns);
        }
        if (RIGHT_QUADS > 3u * THREADS) {
            w3 = fetched_right(thread + 3u * THREADS, start, depth, first_weight, own_columns);
        }
        if (start > 0u) {
            for (var quad = slice; quad < DEPTH_QUADS; quad += SLICES) {
                let a = &left[quad * LEFT_STRIDE + own_row];
                let b = &right[quad * COLUMN_THREADS + own_column];
                let b0 = (*b)[0];
                let b1 = (*b)[1];
                let b2 = (*b)[2];
                let b3 = (*b)[3];
                let a0 = (*a)[0];
                let a1 = (*a)[1];
                let a2 = (*a)[2];
                let a3 = (*a)[3];
                sum0 += a0.x * b0;
                sum1 += a1.x * b0;
                sum2 += a2.x * b0;
                sum3 += a3.x * b0;
                sum0 += a0.y * b1;
                sum1 += a1.y * b1;
                sum2 += a2.y * b1;
                sum3 += a3.y * b1;
                sum0 += a0.z * b2;
                sum1 += a1.z * b2;
                sum2 += a2.z * b2;
                sum3 += a3.z * b2;
                sum0 += a0.w * b3;
                sum1 += a1.w * b3;
                sum2 += a2.w * b3;
                sum3 += a3.w * b3;
                let a4 = (*a)[4];
                let a5 = (*a)[5];
                let a6 = (*a)[6];
                let a7 = (*a)[7];
                sum4 += a4.x * b0;
                sum5 += a5.x * b0;
                sum6 += a6.x * b0;
                sum7 += a7.x * b0;
                sum4 += a4.y * b1;
                sum5 += a5.y * b1;
                sum6 += a6.y * b1;
                sum7 += a7.y * b1;
                sum4 += a4.z * b2;
                sum5 += a5.z * b2;
                sum6 += a6.z * b2;
                sum7 += a7.z * b2;
                sum4 += a4.w * b3;
                sum5 += a5.w * b3;
                sum6 += a6.w * b3;
                sum7 += a7.w * b3;
            }
        }
        if (start >= depth) {
            break;
        }
        workgroupBarrier();
        keep_left(thread, x0);
        if (LEFT_QUADS > 1u * THREADS) { keep_left(thread + THREADS, x1); }
        if (LEFT_QUADS > 2u * THREADS) { keep_left(thread + 2u * THREADS, x2); }
        if (LEFT_QUADS > 3u * THREADS) { keep_left(thread + 3u * THREADS, x3); }
        if (thread < RIGHT_QUADS) { keep_right(thread, w0); }
        if (RIGHT_QUADS > 1u * THREADS) { keep_right(thread + THREADS, w1); }
        if (RIGHT_QUADS > 2u * THREADS) { keep_right(thread + 2u * THREADS, w2); }
        if (RIGHT_QUADS > 3u * THREADS) { keep_right(thread + 3u * THREADS, w3); }
        workgroupBarrier();
        terms = moved(terms, step, planes, task.size_x);
    }
    workgroupBarrier();
    // The slices' sums are added in a tree, as many at a time as there is room for.
    for (var half = SLICES / 2u; half > 0u; half /= 2u) {
        for (var first = half; first < 2u * half; first += ROUND) {
            if (slice >= first && slice < min(first + ROUND, 2u * half)) {
                let to = &left[(slice - first) * SLICE_THREADS + thread % SLICE_THREADS];
                (*to)[0] = sum0;
                (*to)[1] = sum1;
                (*to)[2] = sum2;
                (*to)[3] = sum3;
                (*to)[4] = sum4;
                (*to)[5] = sum5;
                (*to)[6] = sum6;
                (*to)[7] = sum7;
            }
            workgroupBarrier();
            if (slice < half && slice + half >= first && slice + half < first + ROUND) {
                let others = &left[(slice + half - first) * SLICE_THREADS + thread % SLICE_THREADS];
                sum0 += (*others)[0];
                sum1 += (*others)[1];
                sum2 += (*others)[2];
                sum3 += (*others)[3];
                sum4 += (*others)[4];
                sum5 += (*others)[5];
                sum6 += (*others)[6];
                sum7 += (*others)[7];
            }
            workgroupBarrier();
        }
    }
    if (slice != 0u) {
        return;
    }
    if (own_column >= own_columns) {
        return;
    }
    let channel = group.z * columns + first_column + own_column;
    var by = Finish(vec4<f32>(), vec4<f32>(), vec4<f32>(1.0), vec4<f32>());
    if (task.bias != NONE) {
        by.bias = weights[task.bias / 4u + channel];
    }
    if (task.norm_scale != NONE) {
        by.mean = weights[task.norm_mean / 4u + channel];
        by.factor = weights[task.norm_scale / 4u + channel]
            / sqrt(weights[task.norm_variance / 4u + channel] + task.epsilon);
        by.shift = weights[task.norm_shift / 4u + channel];
    }
    let place = first_row + 8u * own_row;
    finish(place, rows, channel, by, sum0);
    finish(place + 1u, rows, channel, by, sum1);
    finish(place + 2u, rows, channel, by, sum2);
    finish(place + 3u, rows, channel, by, sum3);
    finish(place + 4u, rows, channel, by, sum4);
    finish(place + 5u, rows, channel, by, sum5);
    finish(place + 6u, rows, channel, by, sum6);
    finish(place + 7u, rows, channel, by, sum7);
}
