// dw = xᵀ·dy and dbias = Σ dy over a part of all places: a convolution's or linear layer's weight gradient in several parts.
// Layouts: x [image][y][x][plane], dy [image][y][x][channel], output [part][row][column][plane][channel].
// A workgroup has TILE_ROWS weights of a channel by 4·COLUMN_THREADS channels of group z / parts in part z mod parts; a thread
// of one of SLICES has 8 by 4 sums over images and places; DEPTH places are shared while the next are fetched. Sums: a slice's
// ascending, then a tree; the optimizer adds the parts. Limits: as product's; what is not finite raises metrics[0].

struct Task {
    height: u32, width: u32, planes: u32, out_height: u32, out_width: u32, channels: u32,
    size_y: u32, size_x: u32, stride_y: u32, stride_x: u32, top: u32, left: u32, groups: u32,
    input: u32, gradient: u32, parts: u32, output: u32, output_stride: u32, bias: u32, bias_stride: u32,
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

// Whether a number is NaN, infinite or on its way there, by its size as bits: WGSL may assume that there is none.
const BROKEN: u32 = 0x7e800000u;

fn size_bits(x: vec4<f32>) -> vec4<u32> {
    return bitcast<vec4<u32>>(x) & vec4<u32>(0x7fffffffu);
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
override CORNERS: u32 = 2u * DEPTH;

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

// An image, and a row and a column of it.
struct Place {
    image: u32, y: u32, x: u32,
}

fn place_at(index: u32) -> Place {
    let row = index / task.out_width;
    return Place(row / task.out_height, row % task.out_height, index % task.out_width);
}

// The place so many on; no sum passes twice its limit.
fn moved(place: Place, step: Place) -> Place {
    var next = Place(place.image + step.image, place.y + step.y, place.x + step.x);
    if (next.x >= task.out_width) {
        next.x -= task.out_width;
        next.y += 1u;
    }
    if (next.y >= task.out_height) {
        next.y -= task.out_height;
        next.image += 1u;
    }
    return next;
}

// Writes where the planes of a thread's place begin, into one half of the corners.
fn keep_corner(thread: u32, place: Place, half: u32, is_place: bool, first_plane: u32) {
    if (thread < DEPTH) {
        let y = i32(place.y * task.stride_y) - i32(task.top);
        let x = i32(place.x * task.stride_x) - i32(task.left);
        let image = i32(place.image * task.height * task.width);
        let begin = i32(task.input + first_plane) + (image + y * i32(task.width) + x) * i32(task.planes);
        corners[half * DEPTH + thread] = vec2<i32>(begin, packed(select(OUTSIDE, y, is_place), x));
    }
}

// Four weights' places: rows and columns of the kernel, and how far from the corner.
struct Weights {
    y: vec4<i32>, x: vec4<i32>, offset: vec4<u32>,
}

fn cell(corner: vec2<i32>, spot_y: i32, spot_x: i32, offset: u32) -> f32 {
    let y = u32(row_of(corner) + spot_y);
    let x = u32(column_of(corner) + spot_x);
    if (y >= task.height || x >= task.width) {
        return 0.0;
    }
    return values[u32(corner.x) + offset];
}

// What four weights are multiplied with at a place.
fn fetched_left(index: u32, half: u32, its: Weights) -> vec4<f32> {
    let corner = corners[half * DEPTH + index / (2u * ROW_THREADS)];
    return vec4<f32>(
        cell(corner, its.y.x, its.x.x, its.offset.x),
        cell(corner, its.y.y, its.x.y, its.offset.y),
        cell(corner, its.y.z, its.x.z, its.offset.z),
        cell(corner, its.y.w, its.x.w, its.offset.w),
    );
}

fn gradient(at: u32, column: u32, columns: u32) -> f32 {
    if (column >= columns) {
        return 0.0;
    }
    return values[at + column];
}

fn fetched_right(index: u32, first: u32, until: u32, begin: u32, columns: u32) -> vec4<f32> {
    let row = first + index / COLUMN_THREADS;
    let column = 4u * (index % COLUMN_THREADS);
    if (row >= until) {
        return vec4<f32>();
    }
    let at = begin + row * task.channels;
    return vec4<f32>(
        gradient(at, column, columns),
        gradient(at, column + 1u, columns),
        gradient(at, column + 2u, columns),
        gradient(at, column + 3u, columns),
    );
}

fn keep_left(index: u32, quad: vec4<f32>) {
    let place = index / (2u * ROW_THREADS);
    let row = index % (2u * ROW_THREADS);
    left[place / 4u * LEFT_STRIDE + row / 2u][place % 4u * 2u + row % 2u] = quad;
}

fn keep_right(index: u32, quad: vec4<f32>) {
    let k = index / COLUMN_THREADS;
    right[k / 4u * COLUMN_THREADS + index % COLUMN_THREADS][k % 4u] = quad;
}

fn finish(row: u32, rows: u32, first: u32, count: u32, sums: vec4<f32>) {
    if (row >= rows) {
        return;
    }
    let at = first + row * task.channels;
    if (count > 0u) { values[at] = sums.x; }
    if (count > 1u) { values[at + 1u] = sums.y; }
    if (count > 2u) { values[at + 2u] = sums.z; }
    if (count > 3u) { values[at + 3u] = sums.w; }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let places = turn.rows * task.out_height * task.out_width;
    let columns = task.channels / task.groups;
    let planes = task.planes / task.groups;
    let rows = planes * task.size_y * task.size_x;
    let part = group.z % task.parts;
    let own_group = group.z / task.parts;
    let share = (places + task.parts - 1u) / task.parts;
    let begin = min(part * share, places);
    let until = min(begin + share, places);
    let first_row = group.x * TILE_ROWS;
    let first_column = group.y * 4u * COLUMN_THREADS;
    let first_gradient = task.gradient + own_group * columns + first_column;
    let own_columns = columns - first_column;
    let is_bias = task.bias != NONE && group.x == 0u;
    let slice = thread / SLICE_THREADS;
    let own_row = thread % SLICE_THREADS / COLUMN_THREADS;
    let own_column = thread % COLUMN_THREADS;
    // A thread fetches for the same four weights at each place.
    let own_rows = first_row + 4u * (thread % (2u * ROW_THREADS)) + vec4<u32>(0u, 1u, 2u, 3u);
    let spots = own_rows / planes;
    let spots_y = spots / task.size_x;
    let spots_x = spots % task.size_x;
    let its = Weights(
        select(vec4<i32>(OUTSIDE), vec4<i32>(spots_y), own_rows < vec4<u32>(rows)),
        vec4<i32>(spots_x),
        (spots_y * task.width + spots_x) * task.planes + own_rows % planes,
    );
    // The place whose corner a thread keeps next.
    var place = place_at(begin + thread);
    let step = place_at(DEPTH);
    keep_corner(thread, place, 0u, begin + thread < until, own_group * planes);
    place = moved(place, step);
    keep_corner(thread, place, 1u, begin + DEPTH + thread < until, own_group * planes);
    workgroupBarrier();
    var sum0 = vec4<f32>();
    var sum1 = vec4<f32>();
    var sum2 = vec4<f32>();
    var sum3 = vec4<f32>();
    var sum4 = vec4<f32>();
    var sum5 = vec4<f32>();
    var sum6 = vec4<f32>();
    var sum7 = vec4<f32>();
    var bias = vec4<f32>();
    var half = 0u;
    for (var start = begin; start < until; start += DEPTH) {
        for (var i = thread; i < LEFT_QUADS; i += THREADS) {
            keep_left(i, fetched_left(i, half, its));
        }
        for (var i = thread; i < RIGHT_QUADS; i += THREADS) {
            keep_right(i, fetched_right(i, start, until, first_gradient, own_columns));
        }
        workgroupBarrier();
        place = moved(place, step);
        keep_corner(thread, place, half, start + 2u * DEPTH + thread < until, own_group * planes);
        half = 1u - half;
        for (var quad = slice; quad < DEPTH_QUADS; quad += SLICES) {
            let a = &left[quad * LEFT_STRIDE + own_row];
            let b = &right[quad * COLUMN_THREADS + own_column];
            let b0 = (*b)[0];
            let b1 = (*b)[1];
            let b2 = (*b)[2];
            let b3 = (*b)[3];
            let near0 = (*a)[0];
            let far0 = (*a)[1];
            sum0 += near0.x * b0;
            sum1 += near0.y * b0;
            sum2 += near0.z * b0;
            sum3 += near0.w * b0;
            sum4 += far0.x * b0;
            sum5 += far0.y * b0;
            sum6 += far0.z * b0;
            sum7 += far0.w * b0;
            let near1 = (*a)[2];
            let far1 = (*a)[3];
            sum0 += near1.x * b1;
            sum1 += near1.y * b1;
            sum2 += near1.z * b1;
            sum3 += near1.w * b1;
            sum4 += far1.x * b1;
            sum5 += far1.y * b1;
            sum6 += far1.z * b1;
            sum7 += far1.w * b1;
            let near2 = (*a)[4];
            let far2 = (*a)[5];
            sum0 += near2.x * b2;
            sum1 += near2.y * b2;
            sum2 += near2.z * b2;
            sum3 += near2.w * b2;
            sum4 += far2.x * b2;
            sum5 += far2.y * b2;
            sum6 += far2.z * b2;
            sum7 += far2.w * b2;
            let near3 = (*a)[6];
            let far3 = (*a)[7];
            sum0 += near3.x * b3;
            sum1 += near3.y * b3;
            sum2 += near3.z * b3;
            sum3 += near3.w * b3;
            sum4 += far3.x * b3;
            sum5 += far3.y * b3;
            sum6 += far3.z * b3;
            sum7 += far3.w * b3;
            if (is_bias) {
                bias += (b0 + b1) + (b2 + b3);
            }
        }
        workgroupBarrier();
    }
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
                (*to)[8] = bias;
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
                bias += (*others)[8];
            }
            workgroupBarrier();
        }
    }
    if (slice != 0u) {
        return;
    }
    let row = first_row + 8u * own_row;
    let column = first_column + 4u * own_column;
    if (column >= columns) {
        return;
    }
    let count = columns - column;
    let channel = own_group * columns + column;
    let first = task.output + part * task.output_stride + channel;
    finish(row, rows, first, count, sum0);
    finish(row + 1u, rows, first, count, sum1);
    finish(row + 2u, rows, first, count, sum2);
    finish(row + 3u, rows, first, count, sum3);
    finish(row + 4u, rows, first, count, sum4);
    finish(row + 5u, rows, first, count, sum5);
    finish(row + 6u, rows, first, count, sum6);
    finish(row + 7u, rows, first, count, sum7);
    if (is_bias && own_row == 0u) {
        finish(0u, 1u, task.bias + part * task.bias_stride + channel, count, bias);
    }
    let sizes = max(
        max(max(size_bits(sum0), size_bits(sum1)), max(size_bits(sum2), size_bits(sum3))),
        max(max(size_bits(sum4), size_bits(sum5)), max(size_bits(sum6), size_bits(sum7))),
    );
    let largest = max(sizes, size_bits(bias));
    if (max(max(largest.x, largest.y), max(largest.z, largest.w)) >= BROKEN) {
        atomicMax(&metrics[0], 1u);
    }
}
