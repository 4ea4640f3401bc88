//! The outputs of a convolution in 8-bit integers with relu, beside the f32 ones of the same layer; it checks no numbers.

use assay_kernels::convolution::Geometry;
use assay_kernels::integer::{COLUMNS, Convolution, Depthwise, Finishing, Linear, SLACK};

/// Which kernel.
enum Kernel {
    Linear(Linear),
    Convolution(Convolution),
    Depthwise(Depthwise),
}

/// A convolution in integers with numbers to work on.
pub struct Integers {
    kernel: Kernel,
    images: usize,
    packed: Vec<i16>,
    bias: Vec<i32>,
    multipliers: Vec<i32>,
    input: Vec<i16>,
    output: Vec<i16>,
    scratch: Vec<i16>,
}

impl Integers {
    /// Prepares a layer as the engine does.
    pub fn new(geometry: Geometry, images: usize) -> Self {
        let weight: Vec<i8> = (super::drawn(geometry.weight_len(), 1).iter())
            .map(|value| (value * 127.0) as i8)
            .collect();
        let mut input: Vec<i16> = (super::drawn(images * geometry.input_len(), 3).iter())
            .map(|value| (value * 255.0) as i16)
            .collect();
        input.extend([0; SLACK]);
        let depthwise = geometry.groups > 1 && geometry.groups == geometry.planes;
        let (mut packed, mut scratch) = (Vec::new(), Vec::new());
        let kernel = if depthwise {
            let plan = Depthwise::new(geometry);
            packed.resize(plan.packed_len(), 0);
            plan.pack(&weight, &mut packed);
            scratch.resize(plan.scratch_len(), 0);
            Kernel::Depthwise(plan)
        } else if geometry.kernel == [1, 1] && geometry.stride == [1, 1] {
            let plan = Linear {
                inner: geometry.planes,
                columns: geometry.channels,
            };
            packed.resize(plan.packed_len(), 0);
            plan.pack(&weight, &mut packed);
            Kernel::Linear(plan)
        } else {
            let plan = Convolution::new(geometry);
            packed.resize(plan.packed_len(), 0);
            plan.pack(&weight, &mut packed);
            scratch.resize(plan.scratch_len(), 0);
            Kernel::Convolution(plan)
        };
        let groups = if depthwise { 1 } else { geometry.groups };
        let columns = groups * (geometry.channels / groups).next_multiple_of(COLUMNS);
        Self {
            kernel,
            images,
            packed,
            bias: vec![100; columns],
            multipliers: vec![20_000; columns],
            input,
            output: vec![0; images * geometry.output_len()],
            scratch,
        }
    }

    /// The outputs once.
    pub fn run(&mut self) {
        let finish = Finishing {
            multipliers: &self.multipliers,
            shift: 9,
            residual: None,
            range: [0, 255],
        };
        let numbers = (self.packed.as_slice(), self.bias.as_slice());
        let (images, input, output) = (self.images, &self.input, &mut self.output);
        match &self.kernel {
            Kernel::Linear(plan) => {
                let rows = (input.len() - SLACK) / plan.inner;
                plan.numbers(numbers, rows, input, &finish, output);
            }
            Kernel::Convolution(plan) => {
                plan.numbers(numbers, images, input, &finish, output, &mut self.scratch);
            }
            Kernel::Depthwise(plan) => {
                plan.numbers(numbers, images, input, &finish, output, &mut self.scratch);
            }
        }
    }
}
