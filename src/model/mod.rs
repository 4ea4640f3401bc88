//! The model as plain data: its layer graph, what it costs, its first weights; nothing here computes an answer.

pub mod families;
mod first;
mod graph;
pub mod graph_json;
mod json_keys;
mod layer;
mod parameter;
mod plan;
pub(crate) mod safetensors;
mod shape;
pub mod stages;
mod weights;

pub use families::graph;
pub use graph::{Graph, INPUT, Node, ResolvedNode, Source};
pub use layer::{Activation, Convolution, Layer, NORM_EPSILON, NORM_MOMENTUM, Window};
pub use parameter::{Parameter, ParameterRole};
pub use plan::{
    MAX_ACTIVATION_BYTES, MAX_PARAMETERS, MAX_STEPS, MAX_TRAINING_MACS, Plan, cost, plan,
    plan_stages,
};
pub use safetensors::{MAX_HEADER_BYTES, Metadata};
pub(crate) use safetensors::{read as read_tensors, read_metadata};
pub use weights::{Tensor, Weights};
