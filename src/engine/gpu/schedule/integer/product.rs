//! A product in integers as a task: its weights and constants as the kernel reads them; it places nothing else.

use super::{Builder, Lie, base, told};
use crate::engine::cpu::integer::product::Product;
use crate::engine::cpu::integer::whole::WholeStep;
use crate::engine::gpu::kernels::Task;
use crate::engine::gpu::kernels::task::{IntegerProduct, NONE};
use crate::engine::gpu::schedule::forward::{is_depthwise, shape};
use crate::error::{Error, Result};

impl Builder<'_> {
    pub(super) fn product(&mut self, step: &WholeStep, product: &Product) -> Result<()> {
        let (node, resolved) = (&self.graph.nodes[step.node], &self.nodes[step.node]);
        let shape = shape(node.layer, resolved);
        let is_depthwise = is_depthwise(&shape);
        if shape.groups > 1 && !is_depthwise && !shape.is_in_quads() {
            return Err(Error::Unsupported {
                feature: "this stored model on the GPU".into(),
                why: format!(
                    "layer {:?} has groups whose planes or channels are no multiple of four; the CPU engine takes any",
                    node.name
                ),
            });
        }
        let Some(layer) = self.integer.layers.get(&node.name) else {
            return Err(Error::bad_input(
                "a stored model",
                format!("integers for {:?}", node.name),
                "none",
            ));
        };
        let x = self.integer.codes[step.inputs[0]];
        let input = self.operand(step.inputs[0], Lie::of(resolved.input()))?;
        let (planes, outputs) = (
            (shape.planes / shape.groups) as usize,
            shape.channels as usize,
        );
        let cells = (shape.size_y * shape.size_x) as usize;
        let weight_of = |output: usize, plane: usize, cell: usize| {
            let inside = output < outputs && plane < planes;
            let at = (output * planes + plane) * cells + cell;
            if inside { layer.weights[at] } else { 0 }
        };
        let quads = outputs.div_ceil(4);
        let words = if is_depthwise { 1 } else { planes.div_ceil(4) };
        let mut all = Vec::with_capacity(4 * cells * words * quads);
        for cell in 0..cells {
            for word in 0..words {
                all.extend((0..4 * quads).map(|output| {
                    if is_depthwise {
                        return told(weight_of(output, 0, cell).into());
                    }
                    let bytes = [0, 1, 2, 3].map(|lane| weight_of(output, 4 * word + lane, cell));
                    u32::from_le_bytes(bytes.map(i8::cast_unsigned))
                }));
            }
        }
        let weight = self.weights(all) / 4;
        let constants = product.constants();
        let inner = planes * cells;
        let biases = (0..4 * quads).map(|output| {
            let Some([bias, _]) = constants.get(output) else {
                return 0;
            };
            let own = &layer.weights[output * inner..][..inner];
            let sum: i32 = own.iter().map(|&weight| i32::from(weight)).sum();
            told(bias + base(x) * sum)
        });
        let multipliers =
            (0..4 * quads).map(|output| constants.get(output).map_or(0, |it| told(it[1])));
        let constants = self.weights(biases.chain(multipliers)) / 4;
        let mut task = IntegerProduct {
            shape,
            input,
            weight,
            constants,
            residual: NONE,
            output: self.places[step.output],
            depthwise: u32::from(is_depthwise),
            raw: 1,
            fill: u32::from_le_bytes([(-base(x)) as i8 as u8; 4]),
            shift: 0,
            low: 0,
            high: 0,
            base: 0,
            residual_base: 0,
            residual_multiplier: 0,
            residual_shift: 0,
        };
        if let Some(finishing) = product.finishing() {
            task.raw = 0;
            task.shift = finishing.shift;
            [task.low, task.high] = finishing.range.map(|end| told(end.into()));
            task.base = told(base(self.integer.codes[step.output]));
            if let Some((value, factor)) = step.residual.zip(finishing.residual) {
                task.residual = self.operand(value, self.lies[step.output])?;
                task.residual_base = told(base(self.integer.codes[value]));
                task.residual_multiplier = told(factor.multiplier);
                task.residual_shift = factor.shift;
            }
        }
        self.push(Task::IntegerProduct(task))
    }
}
