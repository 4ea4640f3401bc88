//! Sums that become f32 numbers, in every kernel, by their definition; the sums themselves are the plain loop's.

use super::*;
use crate::activation::Activation;

/// What a sum becomes by definition, each operation rounded.
fn scaled_one(sum: i32, [row, step, bias]: [f32; 3], residual: f32, relu6: bool) -> f32 {
    let number = sum as f32 * (row * step) + bias + residual;
    if relu6 {
        let cut = if number > 0.0 { number } else { 0.0 };
        return if cut < 6.0 { cut } else { 6.0 };
    }
    number
}

#[test]
fn sums_become_f32_numbers_by_their_definition_in_every_kernel() {
    let depthwise = Geometry {
        channels: 12,
        planes: 12,
        groups: 12,
        ..SMALL
    };
    let grouped = Geometry {
        planes: 12,
        channels: 18,
        groups: 6,
        ..SMALL
    };
    let linear = Geometry {
        kernel: [1, 1],
        padding: [0; 4],
        ..SMALL
    };
    let single = Geometry {
        height: 1,
        width: 1,
        ..linear
    };
    for geometry in [depthwise, grouped, SMALL, linear, single] {
        let images = 13;
        let is_depthwise = geometry.groups == geometry.channels;
        let groups = if is_depthwise { 1 } else { geometry.groups };
        let each = geometry.channels / groups;
        let padded = each.next_multiple_of(8);
        let weight = weights(geometry.weight_len(), 1);
        let input = with_slack(numbers(images * geometry.input_len(), 3));
        let (steps, bias) = (drawn(groups * padded, 4), drawn(groups * padded, 5));
        let (rows, residual) = (drawn(images, 6), drawn(images * geometry.output_len(), 7));
        let zeros = vec![0; groups * padded];
        let mut out = vec![f32::NAN; images * geometry.output_len()];
        for activation in [None, Some(Activation::Relu6)] {
            let scaling = Scaling {
                rows: &rows,
                steps: &steps,
                bias: &bias,
                residual: activation.map(|_| residual.as_slice()),
                activation,
            };
            if geometry.kernel == [1, 1] {
                let linear = Linear {
                    inner: geometry.planes,
                    columns: geometry.channels,
                };
                let mut packed = vec![9; linear.packed_len()];
                linear.pack(&weight, &mut packed);
                let places = geometry.height * geometry.width;
                linear.scaled((&packed, &zeros), places, &input, &scaling, &mut out);
            } else if is_depthwise {
                let plan = Depthwise::new(geometry);
                let mut packed = vec![9; plan.packed_len()];
                plan.pack(&weight, &mut packed);
                let mut scratch = vec![77; plan.scratch_len()];
                let weights = (packed.as_slice(), zeros.as_slice());
                plan.scaled(weights, &input, &scaling, &mut out, &mut scratch);
            } else {
                let plan = Convolution::new(geometry);
                let mut packed = vec![9; plan.packed_len()];
                plan.pack(&weight, &mut packed);
                let mut scratch = vec![77; plan.scratch_len()];
                let weights = (packed.as_slice(), zeros.as_slice());
                plan.scaled(weights, &input, &scaling, &mut out, &mut scratch);
            }
            let without = vec![0; geometry.groups * 8 * geometry.channels];
            let wanted = (0..images).flat_map(|image| {
                let image = &input[image * geometry.input_len()..];
                plain(&geometry, &weight, &without, image)
            });
            for (index, sum) in wanted.enumerate() {
                let channel = index % geometry.channels;
                let column = channel / each * padded + channel % each;
                let row = rows[index / geometry.output_len()];
                let factors = [row, steps[column], bias[column]];
                let added = activation.map_or(0.0, |_| residual[index]);
                let wanted = scaled_one(sum, factors, added, activation.is_some());
                assert_eq!(
                    out[index].to_bits(),
                    wanted.to_bits(),
                    "{geometry:?} at {index}"
                );
            }
            // Without the cut other numbers would be there.
            assert_eq!(
                activation.is_none(),
                out.iter().any(|it| !(0.0..=6.0).contains(it))
            );
        }
    }
}
