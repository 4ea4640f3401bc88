// dw = xᵀ·dy and dbias = Σ dy over a part of all places as product_weight_gradient has it, sixteen bytes at a time.
// Layouts: x [image][y][x][plane], dy [image][y][x][channel], output [part][row][column][plane][channel].
// A workgroup has TILE_ROWS weights of a channel by 4·COLUMN_THREADS channels of group z / parts in part z mod parts; a thread
// of one of SLICES has 8 by 4 sums; DEPTH places are shared while the next are fetched. Sums: a slice's ascending, then a tree.
// Limits: THREADS ≤ 256, sides at most 32000, planes and channels of a group in fours; what is not finite raises metrics[0].

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
@group(0) @binding(4) var<storage, read_write> values: array<vec4<f32>>;
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
        let begin = i32(task.input / 4u + first_plane) + (image + y * i32(task.width) + x) * i32(task.planes / 4u);
        corners[half * DEPTH + thread] = vec2<i32>(begin, packed(select(OUTSIDE, y, is_place), x));
    }
}

// Four planes beside a place; spot is the row and column of the kernel, offset leads from the corner to them.
fn fetched_left(index: u32, half: u32, spot: vec2<i32>, offset: u32) -> vec4<f32> {
    let corner = corners[half * DEPTH + index / (2u * ROW_THREADS)];
    let y = u32(row_of(corner) + spot.x);
    let x = u32(column_of(corner) + spot.y);
    if (y >= task.height || x >= task.width) {
        return vec4<f32>();
    }
    return values[u32(corner.x) + offset];
}

fn fetched_right(index: u32, first: u32, until: u32, begin: u32, columns: u32) -> vec4<f32> {
    let row = first + index / COLUMN_THREADS;
    let column = index % COLUMN_THREADS;
    if (row >= until || column >= columns) {
        return vec4<f32>();
    }
    return values[begin + row * (task.channels / 4u) + column];
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

fn finish(row: u32, rows: u32, first: u32, sums: vec4<f32>) {
    if (row < rows) {
        values[first + row * (task.channels / 4u)] = sums;
    }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let places = turn.rows * task.out_height * task.out_width;
    let columns = task.channels / task.groups / 4u;
    let planes = task.planes / task.groups / 4u;
    let rows = 4u * planes * task.size_y * task.size_x;
    let part = group.z % task.parts;
    let own_group = group.z / task.parts;
    let share = (places + task.parts - 1u) / task.parts;
    let begin = min(part * share, places);
    let until = min(begin + share, places);
    let first_row = group.x * TILE_ROWS;
    let first_column = group.y * COLUMN_THREADS;
    let first_gradient = task.gradient / 4u + own_group * columns + first_column;
    let own_columns = columns - first_column;
    let is_bias = task.bias != NONE && group.x == 0u;
    let slice = thread / SLICE_THREADS;
    let own_row = thread % SLICE_THREADS / COLUMN_THREADS;
    let own_column = thread % COLUMN_THREADS;
    // A thread fetches the same planes of the same spot of the kernel at each place.
    let own_quad = first_row / 4u + thread % (2u * ROW_THREADS);
    let own_spot = own_quad / planes;
    let is_row = own_spot < task.size_y * task.size_x;
    let spot = vec2<i32>(select(OUTSIDE, i32(own_spot / task.size_x), is_row), i32(own_spot % task.size_x));
    let offset = (own_spot / task.size_x * task.width + own_spot % task.size_x) * (task.planes / 4u) + own_quad % planes;
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
    var x0 = vec4<f32>();
    var x1 = vec4<f32>();
    var x2 = vec4<f32>();
    var x3 = vec4<f32>();
    var w0 = vec4<f32>();
    var w1 = vec4<f32>();
    var w2 = vec4<f32>();
    var w3 = vec4<f32>();
    // What one turn fetches the next multiplies, so that multiplying hides the way from memory.
    for (var start = begin; ; start += DEPTH) {
        x0 = fetched_left(thread, half, spot, offset);
        if (LEFT_QUADS > 1u * THREADS) { x1 = fetched_left(thread + THREADS, half, spot, offset); }
        if (LEFT_QUADS > 2u * THREADS) { x2 = fetched_left(thread + 2u * THREADS, half, spot, offset); }
        if (LEFT_QUADS > 3u * THREADS) { x3 = fetched_left(thread + 3u * THREADS, half, spot, offset); }
        w0 = fetched_right(thread, start, until, first_gradient, own_columns);
        if (RIGHT_QUADS > 1u * THREADS) { w1 = fetched_right(thread + THREADS, start, until, first_gradient, own_columns); }
        if (RIGHT_QUADS > 2u * THREADS) {
            w2 = fetched_right(thread + 2u * THREADS, start, until, first_gradient, own_columns);
        }
        if (RIGHT_QUADS > 3u * THREADS) {
            w3 = fetched_right(thread + 3u * THREADS, start, until, first_gradient, own_columns);
        }
        if (start > begin) {
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
        }
        if (start >= until) {
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
        place = moved(place, step);
        keep_corner(thread, place, half, start + 2u * DEPTH + thread < until, own_group * planes);
        half = 1u - half;
        workgroupBarrier();
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
    if (own_column >= own_columns) {
        return;
    }
    let row = first_row + 8u * own_row;
    let channel = own_group * columns + first_column + own_column;
    let first = (task.output + part * task.output_stride) / 4u + channel;
    finish(row, rows, first, sum0);
    finish(row + 1u, rows, first, sum1);
    finish(row + 2u, rows, first, sum2);
    finish(row + 3u, rows, first, sum3);
    finish(row + 4u, rows, first, sum4);
    finish(row + 5u, rows, first, sum5);
    finish(row + 6u, rows, first, sum6);
    finish(row + 7u, rows, first, sum7);
    if (is_bias && own_row == 0u) {
        values[(task.bias + part * task.bias_stride) / 4u + channel] = bias;
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
