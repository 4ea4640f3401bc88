// dx = (wᵀ∗dy + dx where accumulate is 1)·slope(saved) as product_input_gradient has it, sixteen bytes at a time.
// Layouts: dx and saved [image][y][x][plane], w [row][column][plane of the group][channel], dy [image][y][x][channel].
// A workgroup has TILE_ROWS places of one remainder by the strides by 4·COLUMN_THREADS planes; z is group and remainder, a
// thread of one of SLICES has 8 by 4 sums; DEPTH terms are shared while the next are fetched. Sums as in product.
// Limits: THREADS ≤ 256, sides of an image at most 32000, planes and channels of a group in fours, as every place.

struct Task {
    height: u32, width: u32, planes: u32, out_height: u32, out_width: u32, channels: u32,
    size_y: u32, size_x: u32, stride_y: u32, stride_x: u32, top: u32, left: u32, groups: u32,
    gradient: u32, weight: u32, output: u32, accumulate: u32, saved: u32, activation: u32,
}
// One step's numbers.
struct Turn {
    rows: u32, indices: u32, labels: u32, slot: u32, key_low: u32, key_high: u32, smoothing: f32, optimizer: u32,
    rate: f32, momentum: f32, decay: f32, scale: f32, keep_first: f32, take_first: f32, keep_second: f32, take_second: f32,
    epsilon: f32,
}

@group(0) @binding(0) var<uniform> task: Task;
@group(0) @binding(1) var<uniform> turn: Turn;
@group(0) @binding(2) var<storage, read_write> weights: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> values: array<vec4<f32>>;

// The task's activation, so that no other one is part of the pipeline.
override ACTIVATION: u32 = 0u;

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

// The slope of activation 1 relu, 2 relu6 and 5 tanh by what it gave, of 3 hardswish, 4 silu and 6 gelu by what it was given.
fn slope(saved: vec4<f32>) -> vec4<f32> {
    let none = vec4<f32>(0.0);
    let all = vec4<f32>(1.0);
    switch ACTIVATION {
        case 1u: { return select(none, all, saved > none); }
        case 2u: { return select(none, all, (saved > none) & (saved < vec4<f32>(6.0))); }
        case 3u: {
            let outside = select(none, all, saved > none);
            return select(outside, saved * 0.33333334 + 0.5, (saved > vec4<f32>(-3.0)) & (saved < vec4<f32>(3.0)));
        }
        case 4u: {
            let share = sigmoid(saved);
            return share + saved * share * (1.0 - share);
        }
        case 5u: { return 1.0 - saved * saved; }
        case 6u: {
            let density = exp(max(-0.5 * (saved * saved), vec4<f32>(-87.0))) * 0.3989423;
            return normal_cdf(saved) + saved * density;
        }
        default: { return all; }
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

// Where a thread's quad of terms lies: its first quad of channels, column and row of the kernel.
struct Terms {
    inner: u32, x: u32, y: u32,
}

// The terms so many steps on, each counted in quad of channelss, columns and rows; no sum passes twice its limit.
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

// The places of an image, and of the kernel, that have one remainder by the strides.
struct Remainder {
    first: vec2<u32>, places: vec2<u32>, first_spot: vec2<u32>, spots: vec2<u32>, shift: vec2<u32>,
}

fn remainder(number: u32) -> Remainder {
    let stride = vec2<u32>(task.stride_y, task.stride_x);
    let first = vec2<u32>(number / task.stride_x, number % task.stride_x);
    let reach = first + vec2<u32>(task.top, task.left);
    let first_spot = reach % stride;
    return Remainder(
        first,
        (vec2<u32>(task.height, task.width) + stride - 1u - first) / stride,
        first_spot,
        (vec2<u32>(task.size_y, task.size_x) + stride - 1u - first_spot) / stride,
        (reach - first_spot) / stride,
    );
}

// Four channels of a place's gradient, or zeros where there is none.
fn fetched_left(index: u32, terms: Terms, rows: u32, offset: u32) -> vec4<f32> {
    let corner = corners[index / DEPTH_QUADS];
    let y = u32(row_of(corner) - i32(terms.y));
    let x = u32(column_of(corner) - i32(terms.x));
    if (y >= task.out_height || x >= task.out_width || terms.y >= rows) {
        return vec4<f32>();
    }
    return values[u32(corner.x) + offset];
}

fn keep_left(index: u32, quad: vec4<f32>) {
    let row = index / DEPTH_QUADS;
    left[index % DEPTH_QUADS * LEFT_STRIDE + row / 8u][row % 8u] = quad;
}

// Where a place of one remainder stands in all places.
fn place_of(row: u32, its: Remainder) -> u32 {
    if (task.stride_y == 1u && task.stride_x == 1u) {
        return row;
    }
    let place = row % (its.places.x * its.places.y);
    let image = row / (its.places.x * its.places.y);
    let y = its.first.x + place / its.places.y * task.stride_y;
    return (image * task.height + y) * task.width + its.first.y + place % its.places.y * task.stride_x;
}

// What is there already, and what the slope follows from.
struct Before {
    sum: vec4<f32>, saved: vec4<f32>,
}

fn before(has_row: bool, index: u32) -> Before {
    var found = Before();
    if (has_row && task.accumulate != 0u) {
        found.sum = values[task.output / 4u + index];
    }
    if (has_row && ACTIVATION != 0u) {
        found.saved = values[task.saved / 4u + index];
    }
    return found;
}

fn finish(has_row: bool, index: u32, product: vec4<f32>, there: Before) {
    if (!has_row) {
        return;
    }
    var sum = product + there.sum;
    if (ACTIVATION != 0u) {
        sum *= slope(there.saved);
    }
    values[task.output / 4u + index] = sum;
}

// Four rows, whose numbers from before are on the way together.
fn finish_four(row: u32, rows: u32, its: Remainder, plane: u32, products: mat4x4<f32>) {
    let planes = task.planes / 4u;
    let numbers = row + vec4<u32>(0u, 1u, 2u, 3u);
    let has = numbers < vec4<u32>(rows);
    let at = vec4<u32>(
        place_of(numbers.x, its),
        place_of(numbers.y, its),
        place_of(numbers.z, its),
        place_of(numbers.w, its),
    ) * planes + plane;
    let first = before(has.x, at.x);
    let second = before(has.y, at.y);
    let third = before(has.z, at.z);
    let fourth = before(has.w, at.w);
    finish(has.x, at.x, products[0], first);
    finish(has.y, at.y, products[1], second);
    finish(has.z, at.z, products[2], third);
    finish(has.w, at.w, products[3], fourth);
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let remainders = task.stride_y * task.stride_x;
    let its = remainder(group.z % remainders);
    let own_group = group.z / remainders;
    let places = its.places.x * its.places.y;
    let rows = turn.rows * places;
    let first_row = group.x * TILE_ROWS;
    if (first_row >= rows) {
        return;
    }
    let channels = task.channels / task.groups / 4u;
    let planes = task.planes / task.groups / 4u;
    let all_channels = task.channels / 4u;
    let depth = channels * its.spots.x * its.spots.y;
    if (depth == 0u && task.accumulate != 0u && ACTIVATION == 0u) {
        return;
    }
    let first_column = group.y * COLUMN_THREADS;
    let slice = thread / SLICE_THREADS;
    let own_row = thread % SLICE_THREADS / COLUMN_THREADS;
    let own_column = thread % COLUMN_THREADS;
    for (var i = thread; i < TILE_ROWS; i += THREADS) {
        let row = first_row + i;
        let place = row % places;
        let y = i32(place / its.places.y + its.shift.x);
        let x = i32(place % its.places.y + its.shift.y);
        let image = i32(row / places * task.out_height * task.out_width);
        let begin = i32(task.gradient / 4u + own_group * channels) + (image + y * i32(task.out_width) + x) * i32(all_channels);
        corners[i] = vec2<i32>(begin, packed(select(OUTSIDE, y, row < rows), x));
    }
    workgroupBarrier();
    // A thread fetches the weights of four terms for four planes, if it is among the first.
    let block = thread % DEPTH_QUADS * COLUMN_THREADS + thread / DEPTH_QUADS;
    let has_block = thread < DEPTH_QUADS * COLUMN_THREADS;
    let plane = first_column + thread / DEPTH_QUADS;
    let has_plane = has_block && plane < planes;
    let first_weight = task.weight / 4u + own_group * channels;
    let spots_across = max(its.spots.y, 1u);
    var terms = terms_at(thread % DEPTH_QUADS, channels, spots_across);
    let step = terms_at(DEPTH_QUADS, channels, spots_across);
    var x0 = vec4<f32>();
    var x1 = vec4<f32>();
    var x2 = vec4<f32>();
    var x3 = vec4<f32>();
    var w0 = vec4<f32>();
    var w1 = vec4<f32>();
    var w2 = vec4<f32>();
    var w3 = vec4<f32>();
    var sum0 = vec4<f32>();
    var sum1 = vec4<f32>();
    var sum2 = vec4<f32>();
    var sum3 = vec4<f32>();
    var sum4 = vec4<f32>();
    var sum5 = vec4<f32>();
    var sum6 = vec4<f32>();
    var sum7 = vec4<f32>();
    // What one turn fetches the next multiplies, so that multiplying hides the way from memory.
    for (var start = 0u; ; start += DEPTH_QUADS) {
        let offset = terms.inner - (terms.y * task.out_width + terms.x) * all_channels;
        x0 = fetched_left(thread, terms, its.spots.x, offset);
        if (LEFT_QUADS > 1u * THREADS) { x1 = fetched_left(thread + THREADS, terms, its.spots.x, offset); }
        if (LEFT_QUADS > 2u * THREADS) { x2 = fetched_left(thread + 2u * THREADS, terms, its.spots.x, offset); }
        if (LEFT_QUADS > 3u * THREADS) { x3 = fetched_left(thread + 3u * THREADS, terms, its.spots.x, offset); }
        if (has_plane && terms.y < its.spots.x) {
            let spot = (its.first_spot.x + terms.y * task.stride_y) * task.size_x + its.first_spot.y + terms.x * task.stride_x;
            let weight = first_weight + (spot * planes + plane) * 4u * all_channels + terms.inner;
            w0 = weights[weight];
            w1 = weights[weight + all_channels];
            w2 = weights[weight + 2u * all_channels];
            w3 = weights[weight + 3u * all_channels];
        } else {
            w0 = vec4<f32>();
            w1 = vec4<f32>();
            w2 = vec4<f32>();
            w3 = vec4<f32>();
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
        if (has_block) {
            right[block][0] = vec4<f32>(w0.x, w1.x, w2.x, w3.x);
            right[block][1] = vec4<f32>(w0.y, w1.y, w2.y, w3.y);
            right[block][2] = vec4<f32>(w0.z, w1.z, w2.z, w3.z);
            right[block][3] = vec4<f32>(w0.w, w1.w, w2.w, w3.w);
        }
        workgroupBarrier();
        terms = moved(terms, step, channels, spots_across);
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
    let column = first_column + own_column;
    if (column >= planes) {
        return;
    }
    let row = first_row + 8u * own_row;
    let own_plane = own_group * planes + column;
    finish_four(row, rows, its, own_plane, mat4x4<f32>(sum0, sum1, sum2, sum3));
    finish_four(row + 4u, rows, its, own_plane, mat4x4<f32>(sum4, sum5, sum6, sum7));
}
