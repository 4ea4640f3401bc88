// y = x, sixteen bytes at a time: what the memory moves at best.

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let count = arrayLength(&y);
    for (var index = id.x; index < count; index += groups.x * 256u) {
        y[index] = x[index];
    }
}
