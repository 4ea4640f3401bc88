//! The architecture families: from a recipe's few numbers to a layer graph, one file each.

pub mod lenet;
pub mod mlp;
