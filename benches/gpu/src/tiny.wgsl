// y = x + 1 for one number: what a dispatch costs that waits for the one before it and does nothing else.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(1)
fn main() {
    y[0] = x[0] + 1.0;
}
