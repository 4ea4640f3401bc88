//! From a layer graph to the steps that compute it, for answers or for training; it computes nothing.
//!
//! Steps are fewer than layers: what only looks at numbers in another way is an alias, and what follows a product or a
//! normalization number by number is done in the same pass where nothing else reads the value in between.

use super::fusion::{self, Group};
use super::operation::{self, Operation};
use super::parameters::Layout;
use crate::error::Result;
use crate::model::{self, Graph, Layer, ResolvedNode};
use crate::order;
use crate::quant::{Codes, value};
use assay_kernels::activation::Activation;

/// What the steps are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum Mode {
    /// Answers: running statistics, folded into weights; no dropout.
    Inference,
    /// A gradient: statistics of the batch, dropout, and every value that the way back needs.
    Training,
}

/// One pass over some values.
#[derive(Debug)]
pub(super) struct Step {
    /// What is computed.
    pub(super) operation: Operation,
    /// The first node that it computes: the one with the weights.
    pub(super) node: usize,
    /// The values that it reads.
    pub(super) inputs: Vec<usize>,
    /// A value added afterwards.
    pub(super) residual: Option<usize>,
    /// Applied last.
    pub(super) activation: Option<Activation>,
    /// The value that it writes.
    pub(super) output: usize,
}

impl Step {
    /// Every value that it reads.
    pub(super) fn reads(&self) -> impl Iterator<Item = usize> {
        self.inputs.iter().chain(&self.residual).copied()
    }
}

/// Steps in order, and the values between them. Value 0 is the input.
#[derive(Debug)]
pub(super) struct Plan {
    /// The steps.
    pub(super) steps: Vec<Step>,
    /// Numbers of each value for one row.
    pub(super) lens: Vec<usize>,
    /// Places of each value: what is beside channels.
    pub(super) places: Vec<usize>,
    /// The logits.
    pub(super) output: usize,
}

/// A graph whose aliases are known: value `n + 1` is node `n`'s, unless it is only another view of an earlier one.
pub(in crate::engine) struct Network<'a> {
    pub(in crate::engine) graph: &'a Graph,
    pub(in crate::engine) nodes: &'a [ResolvedNode],
    /// The value behind each value.
    pub(in crate::engine) roots: Vec<usize>,
    /// The nodes that read each value, once for each reading; a node that is an alias reads nothing.
    pub(in crate::engine) readers: Vec<Vec<usize>>,
    /// The value of the logits.
    pub(in crate::engine) output: usize,
}

impl<'a> Network<'a> {
    pub(in crate::engine) fn new(graph: &'a Graph, nodes: &'a [ResolvedNode], mode: Mode) -> Self {
        let mut roots = vec![0];
        for (node, resolved) in graph.nodes.iter().zip(nodes) {
            let alias = is_alias(node.layer, resolved, mode);
            roots.push(if alias {
                roots[value(resolved.sources[0])]
            } else {
                roots.len()
            });
        }
        let output = roots[nodes.len()];
        let mut network = Self {
            graph,
            nodes,
            readers: vec![Vec::new(); roots.len()],
            roots,
            output,
        };
        // Backwards, so that what nobody asks for reads nothing either.
        for node in (0..nodes.len()).rev() {
            let own = node + 1;
            let wanted = own == output || !network.readers[own].is_empty();
            if network.roots[own] == own && wanted {
                for input in network.inputs(node) {
                    network.readers[input].push(node);
                }
            }
        }
        network
    }

    /// The values that a node reads.
    pub(in crate::engine) fn inputs(&self, node: usize) -> Vec<usize> {
        let sources = self.nodes[node].sources.iter();
        sources.map(|&source| self.roots[value(source)]).collect()
    }

    /// The nodes in groups that one step computes each, in order; `keeps` as for [`fusion::group`].
    pub(in crate::engine) fn groups(&self, mode: Mode, keeps: bool) -> Vec<Group> {
        let mut taken = vec![false; self.nodes.len()];
        let mut groups: Vec<Group> = Vec::new();
        for node in 0..self.nodes.len() {
            if !taken[node] && self.is_computed(node) {
                let group = fusion::group(self, node, mode, keeps, &taken);
                for &member in &group.members {
                    taken[member] = true;
                }
                groups.push(group);
            }
        }
        // A group is computed where its last node stands: by then everything that it reads is there.
        order::sort_by(&mut groups, |a, b| a.members.last().cmp(&b.members.last()));
        groups
    }

    /// Whether a node is computed at all.
    fn is_computed(&self, node: usize) -> bool {
        let own = node + 1;
        self.roots[own] == own && (own == self.output || !self.readers[own].is_empty())
    }

    /// The only node that reads this node's value, if there is exactly one and the value is not the answer.
    pub(in crate::engine) fn sole_reader(&self, node: usize) -> Option<usize> {
        match self.readers[node + 1].as_slice() {
            &[reader] if node + 1 != self.output => Some(reader),
            _ => None,
        }
    }
}

impl Plan {
    /// Plans a resolved graph.
    ///
    /// # Errors
    /// [`crate::error::Error::BadInput`] where a layer lacks a tensor.
    pub(super) fn new(
        graph: &Graph,
        nodes: &[ResolvedNode],
        layout: &Layout,
        mode: Mode,
    ) -> Result<Self> {
        let network = Network::new(graph, nodes, mode);
        let groups = network.groups(mode, false);
        Self::of_groups(&network, groups, layout)
    }

    /// Plans answers in which an activation that is no rectifier is a step of its own: in integers it is a table.
    ///
    /// # Errors
    /// As [`Plan::new`].
    pub(super) fn with_tables(
        graph: &Graph,
        nodes: &[ResolvedNode],
        layout: &Layout,
    ) -> Result<Self> {
        let network = Network::new(graph, nodes, Mode::Inference);
        let mut groups = Vec::new();
        for mut group in network.groups(Mode::Inference, false) {
            let is_table = |it| !matches!(it, model::Activation::Relu | model::Activation::Relu6);
            let table = group
                .activation
                .is_some_and(is_table)
                .then(|| group.members.pop());
            if let Some(Some(last)) = table {
                group.activation = None;
                groups.push(group);
                group = Group {
                    members: vec![last],
                    folded: None,
                    residual: None,
                    activation: None,
                };
            }
            groups.push(group);
        }
        Self::of_groups(&network, groups, layout)
    }

    /// The same steps with every value but the answer rounded as its codes say, where it has some; not for answers in
    /// integers, whose steps do so themselves.
    pub(super) fn rounded(mut self, codes: &[Codes]) -> Self {
        if codes.is_empty() {
            return self;
        }
        let mut steps = Vec::with_capacity(2 * self.steps.len() + 1);
        let another = |plan: &mut (Vec<usize>, Vec<usize>), value: usize| {
            plan.0.push(plan.0[value]);
            plan.1.push(plan.1[value]);
            plan.0.len() - 1
        };
        let mut sizes = (self.lens, self.places);
        let step = |node, input, output, codes: Codes| Step {
            operation: Operation::Rounded(codes),
            node,
            inputs: vec![input],
            residual: None,
            activation: None,
            output,
        };
        // Everybody reads the rounded input; no node has that number, so that nobody asks for its gradient.
        let input = another(&mut sizes, 0);
        steps.push(step(usize::MAX, 0, input, codes[0]));
        for mut own in self.steps {
            for read in own.inputs.iter_mut().chain(&mut own.residual) {
                if *read == 0 {
                    *read = input;
                }
            }
            let value = own.output;
            let Some(&codes) = codes.get(value).filter(|_| value != self.output) else {
                steps.push(own);
                continue;
            };
            own.output = another(&mut sizes, value);
            let (node, exact) = (own.node, own.output);
            steps.push(own);
            steps.push(step(node, exact, value, codes));
        }
        (self.lens, self.places) = sizes;
        self.steps = steps;
        self
    }

    fn of_groups(network: &Network<'_>, groups: Vec<Group>, layout: &Layout) -> Result<Self> {
        let (graph, nodes) = (network.graph, network.nodes);
        let steps = (groups.into_iter())
            .map(|group| operation::step(network, group, layout))
            .collect::<Result<_>>()?;
        let shapes = std::iter::once(graph.input.as_slice())
            .chain(nodes.iter().map(|node| node.output.as_slice()));
        let (lens, places) = shapes.map(sizes).unzip();
        Ok(Self {
            steps,
            lens,
            places,
            output: network.output,
        })
    }
}

/// Whether a layer leaves every number where it stands, channels last.
fn is_alias(layer: Layer, resolved: &ResolvedNode, mode: Mode) -> bool {
    match layer {
        Layer::Flatten => match resolved.input() {
            &[channels, height, width] => channels == 1 || height * width == 1,
            _ => true,
        },
        Layer::Tokens { positions } => !positions,
        Layer::Dropout { rate } => mode == Mode::Inference || rate == 0.0,
        Layer::Transpose => resolved.input().contains(&1),
        _ => false,
    }
}

/// Numbers and places of a shape.
pub(in crate::engine) fn sizes(shape: &[u32]) -> (usize, usize) {
    let product = |sizes: &[u32]| sizes.iter().map(|&size| size as usize).product();
    let places = match shape {
        [_, places @ ..] if places.len() == 2 => product(places),
        &[places, _] => places as usize,
        _ => 1,
    };
    (product(shape), places)
}

#[cfg(test)]
mod tests {
    use super::super::gradients::{Pass, Place, Schedule};
    use super::*;
    use crate::model::{Activation, Window};

    fn planned(graph: &Graph, mode: Mode) -> Plan {
        let nodes = graph.resolve().expect("fits");
        Plan::new(graph, &nodes, &Layout::new(&nodes), mode).expect("fits")
    }

    /// What each step computes: the name of its first layer, and what was taken in.
    fn words(graph: &Graph, mode: Mode) -> Vec<String> {
        let words = |step: &Step| {
            let mut words = graph.nodes[step.node].name.clone();
            if step.residual.is_some() {
                words += " + residual";
            }
            if let Some(activation) = step.activation {
                words += &format!(", {activation:?}");
            }
            words
        };
        planned(graph, mode).steps.iter().map(words).collect()
    }

    /// Two branches that meet, as at the start of a stage of a residual network.
    fn branches() -> Graph {
        let mut graph = Graph::new([1, 4, 4]);
        let relu = Layer::Activation(Activation::Relu);
        graph.push("pool", Layer::MaxPool(Window::tiling([2, 2])));
        graph.push("conv1", Layer::convolution(4, 3));
        graph.push("norm1", Layer::batch_norm());
        graph.push("relu1", relu);
        graph.push("conv2", Layer::convolution(4, 3));
        graph.push("norm2", Layer::batch_norm());
        graph.push_reading("short", Layer::convolution(4, 1), &["pool"]);
        graph.push("norm3", Layer::batch_norm());
        graph.push_reading("add", Layer::Add, &["norm3", "norm2"]);
        graph.push("relu2", relu);
        graph.push("mean", Layer::GlobalAveragePool);
        graph.push("classes", Layer::linear(2));
        graph
    }

    #[test]
    fn what_follows_a_product_number_by_number_is_part_of_its_step() {
        assert_eq!(
            words(&branches(), Mode::Inference),
            [
                "pool",
                "conv1, Relu",
                "short",
                "conv2 + residual, Relu",
                "mean",
                "classes"
            ]
        );
        assert_eq!(
            words(&branches(), Mode::Training),
            [
                "pool",
                "conv1",
                "norm1, Relu",
                "conv2",
                "short",
                "norm3",
                "norm2 + residual, Relu",
                "mean",
                "classes"
            ]
        );
    }

    #[test]
    fn a_value_that_is_read_twice_and_the_answer_stay_as_they_are() {
        let mut graph = Graph::new([3, 1, 1]);
        graph.push("flatten", Layer::Flatten);
        graph.push("dense", Layer::linear(3));
        graph.push("gelu", Layer::Activation(Activation::Gelu));
        graph.push_reading("add", Layer::Add, &["dense", "gelu"]);
        graph.push_reading("nobody", Layer::linear(9), &["dense"]);
        graph.push_reading("classes", Layer::linear(2), &["add"]);
        for mode in [Mode::Inference, Mode::Training] {
            assert_eq!(words(&graph, mode), ["dense", "gelu", "add", "classes"]);
        }
        graph.nodes.truncate(3);
        // The gradient of gelu needs what it was given, so in training it is a step of its own.
        assert_eq!(words(&graph, Mode::Inference), ["dense, Gelu"]);
        assert_eq!(words(&graph, Mode::Training), ["dense", "gelu"]);
        graph.nodes.truncate(2);
        assert_eq!(words(&graph, Mode::Inference), ["dense"]);
    }

    #[test]
    fn another_view_of_the_same_numbers_costs_nothing() {
        let mut graph = Graph::new([3, 2, 2]);
        graph.push("tokens", Layer::Tokens { positions: false });
        graph.push("drop", Layer::Dropout { rate: 0.5 });
        graph.push("flatten", Layer::Flatten);
        graph.push("classes", Layer::linear(2));
        assert_eq!(words(&graph, Mode::Inference), ["classes"]);
        assert_eq!(words(&graph, Mode::Training), ["drop", "classes"]);
        graph.nodes.drain(..2);
        graph.nodes[0].inputs = vec![crate::model::INPUT.into()];
        // Channels first is another order.
        assert_eq!(words(&graph, Mode::Inference), ["flatten", "classes"]);
    }

    #[test]
    fn nobody_computes_a_gradient_that_nobody_asked_for() {
        let graph = branches();
        let nodes = graph.resolve().expect("fits");
        let layout = Layout::new(&nodes);
        let plan = planned(&graph, Mode::Training);
        let schedule = Schedule::training(&plan, |step| layout.trains(step.node));
        let back: Vec<(&str, bool)> = (schedule.reverse.iter())
            .map(|reverse| {
                let name = graph.nodes[plan.steps[reverse.step].node].name.as_str();
                (name, reverse.input != Place::Nowhere)
            })
            .collect();
        // Below both first convolutions there is no parameter: neither their input's gradient nor the pool's.
        assert_eq!(
            back,
            [
                ("classes", true),
                ("mean", true),
                ("norm2", true),
                ("norm3", true),
                ("short", false),
                ("conv2", true),
                ("norm1", true),
                ("conv1", false),
            ]
        );
        // The residual takes over the gradient of the sum without a copy.
        assert_eq!(schedule.reverse[2].passes[0], Pass::Keep);
    }
}
