//! What several families are put together from, and how kernels, windows and patches follow the image; no family's layout.
//!
//! An image of one row (or column) has no neighbours there: kernels are 1 long in that direction, nothing is halved, and
//! patches are stretches of the row. What is halved has its size over two, rounded up for strides as their padding is
//! chosen, and down for windows.

use crate::error::{Error, Result};
use crate::model::{Activation, Convolution, Graph, Layer, Window};

/// What follows each convolution or linear layer but the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Normalization {
    /// Nothing.
    None,
    /// [`Layer::BatchNorm`]; what comes before it has no bias, which it would take away again.
    Batch,
    /// [`Layer::LayerNorm`].
    Layer,
}

impl Normalization {
    /// By its name in a recipe.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for another name.
    pub fn from_name(name: &str) -> Result<Self> {
        match name {
            "none" => Ok(Self::None),
            "batch" => Ok(Self::Batch),
            "layer" => Ok(Self::Layer),
            other => Err(Error::Unsupported {
                feature: format!("the normalization {other:?}"),
                why: "this version has none, batch and layer".into(),
            }),
        }
    }

    /// Whether what comes before it has a bias.
    #[must_use]
    pub const fn keeps_bias(self) -> bool {
        !matches!(self, Self::Batch)
    }

    /// Trainable numbers per channel beside the weights: bias, scale and shift.
    #[cfg(test)]
    pub(crate) const fn extra(self) -> u64 {
        match self {
            Self::None => 1,
            Self::Batch => 2,
            Self::Layer => 3,
        }
    }

    /// Adds it, if it is one.
    pub(super) fn push(self, graph: &mut Graph, name: impl Into<String>) {
        match self {
            Self::None => {}
            Self::Batch => graph.push(name, Layer::batch_norm()),
            Self::Layer => graph.push(name, Layer::layer_norm()),
        }
    }
}

/// A convolution, its norm and its activation, as three layers.
pub(super) struct Stack {
    /// What precedes the names of its layers: `block1.`.
    pub(super) prefix: String,
    /// The convolution's own name and the number behind those of norm and activation: `conv`, `2`.
    pub(super) names: (&'static str, &'static str),
    pub(super) convolution: Convolution,
    pub(super) normalization: Normalization,
    /// None where a sum comes first.
    pub(super) activation: Option<Activation>,
}

impl Stack {
    pub(super) fn push(self, graph: &mut Graph) {
        let Self { prefix, names, .. } = self;
        let (name, number) = names;
        let convolution = Convolution {
            bias: self.normalization.keeps_bias(),
            ..self.convolution
        };
        graph.push(
            format!("{prefix}{name}{number}"),
            Layer::Convolution(convolution),
        );
        self.normalization
            .push(graph, format!("{prefix}norm{number}"));
        if let Some(activation) = self.activation {
            let name = format!("{prefix}{}{number}", activation.name());
            graph.push(name, Layer::Activation(activation));
        }
    }
}

/// A convolution with a kernel of this odd side that keeps the size of the image, or halves it, rounded up; 1 long and
/// without stride where the image is.
pub(super) fn convolution(input: [u32; 3], channels: u32, side: u32, stride: u32) -> Convolution {
    let [_, height, width] = input;
    let along = |size: u32, length: u32| if size == 1 { 1 } else { length };
    let kernel = [along(height, side), along(width, side)];
    let [top, left] = kernel.map(|length| length / 2);
    Convolution {
        channels,
        kernel,
        stride: [along(height, stride), along(width, stride)],
        padding: [top, left, top, left],
        groups: 1,
        bias: true,
    }
}

/// The window that halves an image of these sides, rounded down.
pub(super) fn halving([height, width]: [u32; 2]) -> Window {
    Window::tiling([height.min(2), width.min(2)])
}

/// Adds dropout where there is some.
pub(super) fn dropout(graph: &mut Graph, name: impl Into<String>, rate: f32) {
    if rate > 0.0 {
        graph.push(name, Layer::Dropout { rate });
    }
}

/// Rows and columns of a patch: `side` as far as the image goes; for 0, an eighth of each side but at least 2 (2 of 8, 4
/// of 28 and of 32), and a sixteenth where the image is a single row or column.
pub(super) fn patch(input: [u32; 3], side: u32) -> [u32; 2] {
    let [_, height, width] = input;
    let parts = if height == 1 || width == 1 { 16 } else { 8 };
    [height, width].map(|length| {
        let chosen = if side == 0 {
            length.div_ceil(parts).max(2)
        } else {
            side
        };
        chosen.min(length).max(1)
    })
}

/// Patches as tokens (Dosovitskiy et al. 2021, section 3.1): a convolution that moves by its own size, with zeros at the
/// bottom and right where patches do not fill the image. Gives how many there are.
pub(super) fn tokens(graph: &mut Graph, patch: [u32; 2], width: u32, positions: bool) -> u32 {
    let [_, rows, columns] = graph.input;
    let rest = |length: u32, patch: u32| length.next_multiple_of(patch) - length;
    let [high, wide] = patch;
    graph.push(
        "patch",
        Layer::Convolution(Convolution {
            channels: width,
            kernel: patch,
            stride: patch,
            padding: [0, 0, rest(rows, high), rest(columns, wide)],
            groups: 1,
            bias: true,
        }),
    );
    graph.push("tokens", Layer::Tokens { positions });
    rows.div_ceil(high).saturating_mul(columns.div_ceil(wide))
}

/// Adds a linear layer, an activation and a linear layer, `fc1`, its name and `fc2` behind the prefix.
pub(super) fn perceptron(
    graph: &mut Graph,
    prefix: &str,
    hidden: u32,
    units: u32,
    activation: Activation,
) {
    graph.push(format!("{prefix}fc1"), Layer::linear(hidden));
    let name = format!("{prefix}{}", activation.name());
    graph.push(name, Layer::Activation(activation));
    graph.push(format!("{prefix}fc2"), Layer::linear(units));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_follow_the_image() {
        for (input, side, wanted) in [
            ([1, 8, 8], 0, [2, 2]),
            ([1, 28, 28], 0, [4, 4]),
            ([3, 32, 32], 0, [4, 4]),
            ([1, 1, 256], 0, [1, 16]),
            ([1, 300, 1], 0, [19, 1]),
            ([1, 1, 1], 0, [1, 1]),
            ([1, 28, 28], 7, [7, 7]),
            ([1, 4, 28], 7, [4, 7]),
        ] {
            assert_eq!(patch(input, side), wanted, "{input:?} {side}");
        }
    }

    #[test]
    fn patches_cover_an_image_that_they_do_not_fill() {
        let mut graph = Graph::new([1, 30, 31]);
        let count = tokens(&mut graph, [4, 4], 5, false);
        let nodes = graph.resolve().expect("fits");
        assert_eq!((count, nodes[0].output.as_slice()), (64, &[5, 8, 8][..]));
    }
}
