//! What each layer makes of a shape: output, tensors, multiply-accumulates; checked, and nothing allocated for the numbers.

use super::graph::{Node, ResolvedNode, Source, shown};
use super::layer::{Convolution, Layer, Window};
use super::parameter::{Parameter, ParameterRole};
use crate::error::{Error, Result};

/// Output, tensors and work of one layer.
type Made = (Vec<u32>, Vec<Parameter>, u64);

/// Works out one node from the shapes that it reads, as many as its layer wants.
pub(super) fn resolve_node(
    node: &Node,
    sources: Vec<Source>,
    inputs: Vec<Vec<u32>>,
) -> Result<ResolvedNode> {
    let first = inputs.first().map_or(&[][..], Vec::as_slice);
    let (output, parameters, macs) = match node.layer {
        Layer::Flatten => {
            let count = checked_product(first, node)?;
            (vec![fits(count, "its output", node)?], Vec::new(), 0)
        }
        Layer::Linear { units, bias } => linear(node, first, units, bias)?,
        Layer::Convolution(convolution) => convolved(node, first, convolution)?,
        Layer::MaxPool(window) | Layer::AveragePool(window) => {
            let &[planes, height, width] = first else {
                return unfit(node, first, IMAGE);
            };
            let [height, width] = slid([height, width], window, "the window", node)?;
            (vec![planes, height, width], Vec::new(), 0)
        }
        Layer::GlobalAveragePool => match *first {
            [features, _, _] | [_, features] => (vec![features], Vec::new(), 0),
            _ => return unfit(node, first, "channels, rows and columns, or tokens"),
        },
        Layer::BatchNorm { epsilon, momentum } => batch_norm(node, first, epsilon, momentum)?,
        Layer::LayerNorm { epsilon } => layer_norm(node, first, epsilon)?,
        Layer::Activation(_) => (first.to_vec(), Vec::new(), 0),
        Layer::Add => {
            if let Some(other) = inputs.iter().find(|other| other.as_slice() != first) {
                return Err(Error::bad_input(
                    format!("inputs of layer {:?} (add)", node.name),
                    "two of one shape",
                    format!("{} and {}", shown(first), shown(other)),
                ));
            }
            (first.to_vec(), Vec::new(), 0)
        }
        Layer::Tokens { positions } => {
            let &[channels, height, width] = first else {
                return unfit(node, first, IMAGE);
            };
            let tokens = fits(checked_product(&[height, width], node)?, "its output", node)?;
            let shape = vec![tokens, channels];
            let mut parameters = Vec::new();
            if positions {
                checked_product(&shape, node)?;
                parameters.push(tensor(
                    node,
                    ParameterRole::Positions,
                    shape.clone(),
                    (0, 0),
                ));
            }
            (shape, parameters, 0)
        }
        Layer::Transpose => match *first {
            [rows, columns] => (vec![columns, rows], Vec::new(), 0),
            _ => return unfit(node, first, "tokens"),
        },
        Layer::Attention { heads } => attention(node, first, heads)?,
        Layer::Dropout { rate } => {
            if !(0.0..1.0).contains(&rate) {
                return refused(node, "rate", "from 0 to less than 1", rate);
            }
            (first.to_vec(), Vec::new(), 0)
        }
    };
    Ok(ResolvedNode {
        sources,
        inputs,
        output,
        parameters,
        macs,
    })
}

const IMAGE: &str = "channels, rows and columns";

fn linear(node: &Node, input: &[u32], units: u32, bias: bool) -> Result<Made> {
    let (tokens, features) = match *input {
        [features] => (1, features),
        [tokens, features] => (tokens, features),
        _ => {
            let expected = "a list of numbers or tokens; flatten it first";
            return unfit(node, input, expected);
        }
    };
    positive(units, "units", node)?;
    let fans = (features.into(), units.into());
    let mut parameters = vec![tensor(
        node,
        ParameterRole::Weight,
        vec![units, features],
        fans,
    )];
    if bias {
        parameters.push(tensor(node, ParameterRole::Bias, vec![units], fans));
    }
    let macs = checked_product(&[tokens, features, units], node)?;
    let output = match *input {
        [_] => vec![units],
        _ => vec![tokens, units],
    };
    Ok((output, parameters, macs))
}

fn convolved(node: &Node, input: &[u32], convolution: Convolution) -> Result<Made> {
    let &[planes, height, width] = input else {
        return unfit(node, input, IMAGE);
    };
    let Convolution {
        channels,
        kernel: [rows, columns],
        stride,
        padding,
        groups,
        bias,
    } = convolution;
    positive(channels, "channels", node)?;
    positive(groups, "groups", node)?;
    for (whose, count) in [("the input's", planes), ("the layer's", channels)] {
        if !count.is_multiple_of(groups) {
            return refused(
                node,
                "groups",
                &format!("a divisor of {whose} {count} channels"),
                groups,
            );
        }
    }
    let window = Window {
        size: [rows, columns],
        stride,
        padding,
    };
    let [out_height, out_width] = slid([height, width], window, "the kernel", node)?;
    let (planes, outputs) = (planes / groups, channels / groups);
    let shape = vec![channels, planes, rows, columns];
    let macs = checked_product(
        &[channels, planes, rows, columns, out_height, out_width],
        node,
    )?;
    let fans = (
        checked_product(&[planes, rows, columns], node)?,
        checked_product(&[outputs, rows, columns], node)?,
    );
    let mut parameters = vec![tensor(node, ParameterRole::Weight, shape, fans)];
    if bias {
        parameters.push(tensor(node, ParameterRole::Bias, vec![channels], fans));
    }
    Ok((vec![channels, out_height, out_width], parameters, macs))
}

fn batch_norm(node: &Node, input: &[u32], epsilon: f32, momentum: f32) -> Result<Made> {
    let (&[channels] | &[channels, _, _]) = input else {
        return unfit(
            node,
            input,
            "channels, rows and columns, or a list of numbers",
        );
    };
    small(epsilon, node)?;
    if !(momentum > 0.0 && momentum <= 1.0) {
        return refused(node, "momentum", "more than 0 and at most 1", momentum);
    }
    let parameters = [
        ParameterRole::Scale,
        ParameterRole::Shift,
        ParameterRole::RunningMean,
        ParameterRole::RunningVariance,
    ];
    let parameters = parameters.map(|role| tensor(node, role, vec![channels], (0, 0)));
    Ok((input.to_vec(), parameters.into(), 0))
}

fn layer_norm(node: &Node, input: &[u32], epsilon: f32) -> Result<Made> {
    let (&[features] | &[_, features] | &[features, _, _]) = input else {
        return unfit(node, input, "an image, tokens or a list of numbers");
    };
    small(epsilon, node)?;
    let parameters = [ParameterRole::Scale, ParameterRole::Shift];
    let parameters = parameters.map(|role| tensor(node, role, vec![features], (0, 0)));
    Ok((input.to_vec(), parameters.into(), 0))
}

fn attention(node: &Node, input: &[u32], heads: u32) -> Result<Made> {
    let expected = "tokens of queries, keys and values, so a multiple of 3 features";
    let &[tokens, features] = input else {
        return unfit(node, input, expected);
    };
    if !features.is_multiple_of(3) {
        return unfit(node, input, expected);
    }
    let features = features / 3;
    positive(heads, "heads", node)?;
    if !features.is_multiple_of(heads) {
        return refused(
            node,
            "heads",
            &format!("a divisor of its {features} features"),
            heads,
        );
    }
    // Two products: queries with keys, and what comes of it with values.
    let macs = checked_product(&[2, tokens, tokens, features], node)?;
    Ok((vec![tokens, features], Vec::new(), macs))
}

/// Rows and columns that a window gives: `⌊(size + padding − window) / stride⌋ + 1`.
fn slid(size: [u32; 2], window: Window, what: &str, node: &Node) -> Result<[u32; 2]> {
    let mut out = [0; 2];
    for (axis, sides) in ["rows", "columns"].into_iter().enumerate() {
        let (length, step) = (window.size[axis], window.stride[axis]);
        let around = [window.padding[axis], window.padding[axis + 2]];
        positive(length, &format!("{what}'s {sides}"), node)?;
        positive(step, &format!("the stride's {sides}"), node)?;
        if let Some(padding) = around.into_iter().find(|&padding| padding >= length) {
            let expected = format!("less than {what}'s {length} {sides}");
            return refused(node, "padding", &expected, padding);
        }
        let padded = u64::from(size[axis]) + around.map(u64::from).iter().sum::<u64>();
        let Some(rest) = padded.checked_sub(length.into()) else {
            return Err(Error::bad_input(
                format!("input of layer {:?} ({})", node.name, node.layer.words()),
                format!("at least {length} {sides} with its padding"),
                format!("{padded}"),
            ));
        };
        out[axis] = fits(rest / u64::from(step) + 1, "its output", node)?;
    }
    Ok(out)
}

fn tensor(node: &Node, role: ParameterRole, shape: Vec<u32>, fans: (u64, u64)) -> Parameter {
    Parameter {
        name: format!("{}.{}", node.name, role.suffix()),
        shape,
        role,
        fan_in: fans.0,
        fan_out: fans.1,
    }
}

fn unfit<T>(node: &Node, input: &[u32], expected: &str) -> Result<T> {
    Err(Error::bad_input(
        format!("input of layer {:?} ({})", node.name, node.layer.words()),
        expected,
        shown(input),
    ))
}

fn refused<T>(node: &Node, what: &str, expected: &str, got: impl ToString) -> Result<T> {
    Err(Error::bad_input(
        format!("{what} of layer {:?}", node.name),
        expected,
        got.to_string(),
    ))
}

/// The number that a norm adds to a variance; at most 1, or it would normalize nothing.
fn small(epsilon: f32, node: &Node) -> Result<()> {
    if epsilon > 0.0 && epsilon <= 1.0 {
        return Ok(());
    }
    refused(node, "epsilon", "more than 0 and at most 1", epsilon)
}

fn positive(size: u32, what: &str, node: &Node) -> Result<()> {
    if size > 0 {
        return Ok(());
    }
    refused(node, what, "at least 1", 0)
}

fn fits(count: u64, what: &str, node: &Node) -> Result<u32> {
    u32::try_from(count).map_err(|_| Error::TooLarge {
        what: format!("{what} of layer {:?}", node.name),
        got: count,
        limit: u32::MAX.into(),
        unit: "numbers",
    })
}

fn checked_product(sizes: &[u32], node: &Node) -> Result<u64> {
    sizes
        .iter()
        .try_fold(1_u64, |product, &size| product.checked_mul(size.into()))
        .ok_or_else(|| Error::TooLarge {
            what: format!("the work of layer {:?}", node.name),
            got: u64::MAX,
            limit: u64::MAX - 1,
            unit: "multiply-accumulates",
        })
}
