//! The table of kernels: name, text, threads of a workgroup and bindings; what they are dispatched with, nothing else.
//!
//! All kernels share one bind group, so that a dispatch is a pipeline, two offsets and a size. An arena is one binding,
//! readable and writable, because a buffer must not be bound twice where one binding writes it:
//!
//! | binding | what | |
//! |---|---|---|
//! | 0 | `task` | a dispatch's words, 256 bytes apart, by dynamic offset |
//! | 1 | `turn` | a step's words, likewise: the same dispatches are replayed for every step |
//! | 2 | `weights` | parameters, each from a multiple of 64 on, and running statistics; some kernels read it in fours |
//! | 3 | `moments` | the optimizer's, first then second |
//! | 4 | `values` | everything between layers, gradients, and parts of parameters' gradients; in fours likewise |
//! | 5 | `data` | the data set's features, read only |
//! | 6 | `numbers` | labels, indices, the optimizer's blocks, weights as halves, read only |
//! | 7 | `metrics` | word 0: raised once something is not finite; from word 4 on four for each step |

pub(crate) mod grid;
mod shipped;
mod strip;
pub(crate) mod task;
pub(crate) mod tile;
pub(crate) mod work;

pub(crate) use shipped::check;
pub use shipped::supply;
use task::{
    Activate, ActivateGradient, Add, Attention, AttentionGradient, AverageGradient, CrossEntropy,
    Dropout, DynamicCodes, DynamicProduct, Forward, Gather, InputGradient, IntegerAttention,
    IntegerGather, IntegerMap, IntegerNorm, IntegerPool, IntegerProduct, IntegerTranspose,
    LayerNorm, LayerNormGradient, MaxGradient, NormGradient, NormSums, Normalize, Pool, Positions,
    PositionsGradient, RoundedValues, RoundedWeights, Statistics, Transpose, Update,
    WeightGradient, Words,
};

/// What kernels may bind, by number.
pub(crate) const BINDINGS: [&str; 8] = [
    "task", "turn", "weights", "moments", "values", "data", "numbers", "metrics",
];

/// Bytes between the words of two dispatches or steps: what WebGPU's default limits ask for.
pub(crate) const WORDS_STRIDE: u32 = 256;

/// A kernel's row of the table; what the tests alone read is what they hold the texts to.
#[cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "threads, tiles and bindings are what the texts are checked against"
    )
)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    /// Its name: that of its file and of its twin.
    pub(crate) name: &'static str,
    /// The text of its file.
    #[cfg(test)]
    pub(crate) file: &'static str,
    /// What a device is given of it where that is in the program, and its hash.
    shipped: (&'static str, u64),
    /// Threads of a workgroup; for a tiled product the most of them.
    pub(crate) threads: u32,
    /// Whether the tile is chosen by override constants.
    pub(crate) tiled: bool,
    /// The bindings besides `task` that it uses.
    pub(crate) bindings: &'static [&'static str],
}

macro_rules! kernels {
    ($($(#[$doc:meta])* $kernel:ident($task:ident) $name:literal $threads:literal $tiled:literal
        [$($binding:literal)*];)*) => {
        /// A kernel.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(crate) enum Kernel { $($(#[$doc])* $kernel),* }

        /// What a kernel is told in one dispatch.
        #[derive(Debug, Clone, Copy, PartialEq)]
        pub(crate) enum Task { $($(#[$doc])* $kernel($task)),* }

        impl Kernel {
            /// Every one, in the table's order.
            pub(crate) const ALL: &[Self] = &[$(Self::$kernel),*];

            /// Its row.
            pub(crate) const fn row(self) -> Row {
                match self {$(
                    Self::$kernel => Row {
                        name: $name,
                        #[cfg(test)]
                        file: include_str!(concat!($name, ".wgsl")),
                        shipped: shipped::shipped!(concat!($name, ".wgsl")),
                        threads: $threads,
                        tiled: $tiled,
                        bindings: &[$($binding),*],
                    }
                ),*}
            }

            /// The fields of its task as WGSL declares them.
            #[cfg(test)]
            pub(crate) fn fields(self) -> Vec<String> {
                let mut fields = Vec::new();
                match self {$(Self::$kernel => $task::fields("", &mut fields)),*}
                fields
            }
        }

        impl Task {
            /// The kernel that it is for.
            pub(crate) const fn kernel(&self) -> Kernel {
                match self {$(Self::$kernel(_) => Kernel::$kernel),*}
            }

            /// Its words.
            pub(crate) fn words(&self) -> Vec<u32> {
                let mut words = Vec::new();
                match self {$(Self::$kernel(task) => task.words(&mut words)),*}
                words
            }
        }
    };
}

kernels! {
    /// Rows of a batch.
    Gather(Gather) "gather" 256 false ["turn" "values" "data" "numbers"];
    /// Convolutions and linear layers.
    Product(Forward) "product" 256 true ["turn" "weights" "values" "numbers"];
    /// The same where planes and channels come in fours.
    ProductQuads(Forward) "product_quads" 256 true ["turn" "weights" "values" "numbers"];
    /// Linear layers with little to do.
    LinearRow(Forward) "linear_row" 256 false ["turn" "weights" "values" "numbers"];
    /// The gradient of their input.
    LinearRowGradient(InputGradient) "linear_row_gradient" 64 false ["turn" "weights" "values"];
    /// The gradient of their input.
    ProductInputGradient(InputGradient) "product_input_gradient" 256 true ["turn" "weights" "values"];
    /// The same where planes and channels come in fours.
    ProductInputGradientQuads(InputGradient) "product_input_gradient_quads" 256 true ["turn" "weights" "values"];
    /// The gradient of their weight and bias.
    ProductWeightGradient(WeightGradient) "product_weight_gradient" 256 true ["turn" "values" "metrics"];
    /// The same where planes and channels come in fours.
    ProductWeightGradientQuads(WeightGradient) "product_weight_gradient_quads" 256 true ["turn" "values" "metrics"];
    /// Depthwise convolutions.
    Depthwise(Forward) "depthwise" 256 false ["turn" "weights" "values" "numbers"];
    /// The gradient of their input.
    DepthwiseInputGradient(InputGradient) "depthwise_input_gradient" 256 false ["turn" "weights" "values"];
    /// The gradient of their weight and bias.
    DepthwiseWeightGradient(WeightGradient) "depthwise_weight_gradient" 256 false ["turn" "values" "metrics"];
    /// The largest of each window.
    MaxPool(Pool) "max_pool" 256 false ["turn" "values"];
    /// Its gradient.
    MaxPoolGradient(MaxGradient) "max_pool_gradient" 256 false ["turn" "values"];
    /// The mean of each window.
    AveragePool(Pool) "average_pool" 256 false ["turn" "values"];
    /// Its gradient.
    AveragePoolGradient(AverageGradient) "average_pool_gradient" 256 false ["turn" "values"];
    /// Statistics of a batch.
    BatchNormStatistics(Statistics) "batch_norm_statistics" 256 false ["turn" "values"];
    /// A batch norm.
    BatchNormNormalize(Normalize) "batch_norm_normalize" 256 false ["turn" "weights" "values"];
    /// Sums of its gradient.
    BatchNormSums(NormSums) "batch_norm_sums" 256 false ["turn" "values"];
    /// Its gradient.
    BatchNormGradient(NormGradient) "batch_norm_gradient" 256 false ["turn" "weights" "values" "metrics"];
    /// A layer norm.
    LayerNorm(LayerNorm) "layer_norm" 64 false ["turn" "weights" "values"];
    /// Its gradient.
    LayerNormGradient(LayerNormGradient) "layer_norm_gradient" 256 false ["turn" "weights" "values" "metrics"];
    /// An attention.
    Attention(Attention) "attention" 64 false ["turn" "values"];
    /// Its gradient.
    AttentionGradient(AttentionGradient) "attention_gradient" 64 false ["turn" "values"];
    /// A function of each number.
    Activation(Activate) "activation" 256 false ["turn" "values"];
    /// Its gradient.
    ActivationGradient(ActivateGradient) "activation_gradient" 256 false ["turn" "values"];
    /// A sum.
    Add(Add) "add" 256 false ["turn" "values"];
    /// Another order of the same numbers.
    Transpose(Transpose) "transpose" 256 false ["turn" "values"];
    /// Learned positions.
    Positions(Positions) "positions" 256 false ["turn" "weights" "values"];
    /// Their gradient.
    PositionsGradient(PositionsGradient) "positions_gradient" 64 false ["turn" "values" "metrics"];
    /// Dropout.
    Dropout(Dropout) "dropout" 256 false ["turn" "values"];
    /// The loss and its gradient.
    CrossEntropy(CrossEntropy) "cross_entropy" 256 false ["turn" "values" "numbers" "metrics"];
    /// The optimizer.
    Update(Update) "update" 256 false ["turn" "weights" "moments" "values" "numbers" "metrics"];
    /// Rows of a batch in integers.
    IntegerGather(IntegerGather) "integer_gather" 256 false ["turn" "values" "data" "numbers"];
    /// Convolutions and linear layers in integers.
    IntegerProduct(IntegerProduct) "integer_product" 64 false ["turn" "weights" "values"];
    /// Windows of integers.
    IntegerPool(IntegerPool) "integer_pool" 256 false ["turn" "weights" "values"];
    /// Sums and tables of integers.
    IntegerMap(IntegerMap) "integer_map" 256 false ["turn" "weights" "values"];
    /// A layer norm in integers.
    IntegerNorm(IntegerNorm) "integer_norm" 64 false ["turn" "weights" "values"];
    /// An attention in integers.
    IntegerAttention(IntegerAttention) "integer_attention" 64 false ["turn" "weights" "values"];
    /// Another order of the same integers.
    IntegerTranspose(IntegerTranspose) "integer_transpose" 256 false ["turn" "values"];
    /// Numbers as integers with a step for each row.
    DynamicCodes(DynamicCodes) "dynamic_codes" 256 false ["turn" "values"];
    /// Convolutions and linear layers of those.
    DynamicProduct(DynamicProduct) "dynamic_product" 64 false ["turn" "weights" "values"];
    /// Weights as they will be stored.
    RoundedWeights(RoundedWeights) "rounded_weights" 256 false ["weights"];
    /// Values as they will be stored, or their gradient.
    RoundedValues(RoundedValues) "rounded_values" 256 false ["turn" "values"];
}

#[cfg(test)]
mod tests;
