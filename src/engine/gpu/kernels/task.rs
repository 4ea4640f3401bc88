//! What a dispatch is told: one struct of words for each form of task, in the order of its kernel's `Task`; no arithmetic.
//!
//! Places of values, gradients and saved numbers are indices into the values arena, those of parameters into the weights.

/// In place of a place: there is none.
pub(crate) const NONE: u32 = u32::MAX;

/// Something that a kernel reads as words.
pub(crate) trait Words {
    /// Its words, in order.
    fn words(&self, into: &mut Vec<u32>);
    /// Its fields as WGSL declares them: `name: type`.
    #[cfg(test)]
    fn fields(name: &str, into: &mut Vec<String>);
}

impl Words for u32 {
    fn words(&self, into: &mut Vec<u32>) {
        into.push(*self);
    }

    #[cfg(test)]
    fn fields(name: &str, into: &mut Vec<String>) {
        into.push(format!("{name}: u32"));
    }
}

impl Words for f32 {
    fn words(&self, into: &mut Vec<u32>) {
        into.push(self.to_bits());
    }

    #[cfg(test)]
    fn fields(name: &str, into: &mut Vec<String>) {
        into.push(format!("{name}: f32"));
    }
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $kind:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq)]
        pub(crate) struct $name { $(pub(crate) $field: $kind),* }

        impl Words for $name {
            fn words(&self, into: &mut Vec<u32>) {
                $(self.$field.words(into);)*
            }

            #[cfg(test)]
            fn fields(_: &str, into: &mut Vec<String>) {
                $(<$kind>::fields(stringify!($field), into);)*
            }
        }
    )*};
}

words! {
    /// One step's numbers, the same for all its dispatches. `indices` and `labels` are places in the numbers.
    Turn {
        rows: u32, indices: u32, labels: u32, slot: u32, key_low: u32, key_high: u32, smoothing: f32, optimizer: u32,
        rate: f32, momentum: f32, decay: f32, scale: f32, keep_first: f32, take_first: f32, keep_second: f32,
        take_second: f32, epsilon: f32,
    }
    /// Sizes of a convolution, or of a linear layer as one of 1×1 over a row of tokens.
    Shape {
        height: u32, width: u32, planes: u32, out_height: u32, out_width: u32, channels: u32, size_y: u32, size_x: u32,
        stride_y: u32, stride_x: u32, top: u32, left: u32, groups: u32,
    }
    /// Sizes of a pooling.
    Window {
        height: u32, width: u32, channels: u32, out_height: u32, out_width: u32, size_y: u32, size_x: u32, stride_y: u32,
        stride_x: u32, top: u32, left: u32,
    }
    /// A batch's rows out of the data set.
    Gather { channels: u32, places: u32, output: u32 }
    /// A convolution with what follows it. `factor` is what sums are multiplied by: 1 where the weights are f32, less
    /// where they are halves, which stand among the numbers; `weight` then counts halves.
    Forward {
        shape: Shape, input: u32, weight: u32, bias: u32, residual: u32, output: u32, kept: u32, activation: u32,
        norm_scale: u32, norm_shift: u32, norm_mean: u32, norm_variance: u32, epsilon: f32, factor: f32,
    }
    /// The gradient of its input, and of what the activation that gave the input was given.
    InputGradient {
        shape: Shape, gradient: u32, weight: u32, output: u32, accumulate: u32, saved: u32, activation: u32,
    }
    /// The gradient of its weight and bias, in parts.
    WeightGradient {
        shape: Shape, input: u32, gradient: u32, parts: u32, output: u32, output_stride: u32, bias: u32,
        bias_stride: u32,
    }
    /// A pooling.
    Pool { window: Window, input: u32, output: u32 }
    /// The gradient of a maximum.
    MaxGradient {
        window: Window, input: u32, gradient: u32, output: u32, accumulate: u32, saved: u32, activation: u32,
    }
    /// The gradient of a mean.
    AverageGradient {
        window: Window, gradient: u32, output: u32, accumulate: u32, saved: u32, activation: u32,
    }
    /// Batch statistics in parts.
    Statistics { channels: u32, places: u32, parts: u32, input: u32, output: u32 }
    /// A batch norm with what follows it.
    Normalize {
        channels: u32, places: u32, parts: u32, input: u32, partial: u32, statistics: u32, running: u32,
        running_stride: u32, scale: u32, shift: u32, mean: u32, variance: u32, epsilon: f32, momentum: f32,
        residual: u32, output: u32, kept: u32, activation: u32,
    }
    /// The sums of a batch norm's gradient in parts.
    NormSums {
        channels: u32, places: u32, parts: u32, input: u32, gradient: u32, statistics: u32, output: u32,
    }
    /// A batch norm's gradient.
    NormGradient {
        channels: u32, places: u32, parts: u32, input: u32, gradient: u32, statistics: u32, partial: u32, scale: u32,
        scale_output: u32, shift_output: u32, output: u32, accumulate: u32,
    }
    /// A layer norm.
    LayerNorm {
        channels: u32, places: u32, input: u32, scale: u32, shift: u32, epsilon: f32, output: u32, statistics: u32,
    }
    /// A layer norm's gradient, in parts.
    LayerNormGradient {
        channels: u32, places: u32, parts: u32, input: u32, gradient: u32, statistics: u32, scale: u32,
        scale_output: u32, shift_output: u32, output_stride: u32, output: u32, accumulate: u32,
    }
    /// An attention.
    Attention { tokens: u32, width: u32, heads: u32, factor: f32, input: u32, output: u32, statistics: u32 }
    /// An attention's gradient.
    AttentionGradient {
        tokens: u32, width: u32, heads: u32, factor: f32, input: u32, forward: u32, gradient: u32, statistics: u32,
        output: u32, accumulate: u32,
    }
    /// A function of each number.
    Activate { length: u32, input: u32, output: u32, activation: u32 }
    /// Its gradient.
    ActivateGradient { length: u32, gradient: u32, saved: u32, activation: u32, output: u32, accumulate: u32 }
    /// A sum, or a copy.
    Add { length: u32, left: u32, right: u32, output: u32, kept: u32, activation: u32 }
    /// Rows and columns change places.
    Transpose { height: u32, width: u32, input: u32, output: u32, accumulate: u32 }
    /// Learned positions.
    Positions { length: u32, input: u32, positions: u32, output: u32 }
    /// Their gradient, in parts.
    PositionsGradient { length: u32, parts: u32, gradient: u32, output: u32, output_stride: u32 }
    /// Dropout, or its gradient.
    Dropout { length: u32, input: u32, output: u32, node: u32, limit: u32, factor: f32, accumulate: u32 }
    /// The loss and its gradient.
    CrossEntropy { classes: u32, input: u32, output: u32 }
    /// The optimizer.
    Update { length: u32, blocks: u32 }
    /// A batch's rows in integers; words of a row.
    IntegerGather { words: u32, output: u32 }
    /// A convolution in integers. Numbers with a sign are told as the words that they are.
    IntegerProduct {
        shape: Shape, input: u32, weight: u32, constants: u32, residual: u32, output: u32, depthwise: u32, raw: u32,
        fill: u32, shift: u32, low: u32, high: u32, base: u32, residual_base: u32, residual_multiplier: u32,
        residual_shift: u32,
    }
    /// The largest or the mean of windows of integers.
    IntegerPool {
        window: Window, input: u32, output: u32, multipliers: u32, shift: u32, low: u32, high: u32, input_base: u32,
        base: u32,
    }
    /// A sum of two integers, or a table of one.
    IntegerMap {
        words: u32, left: u32, right: u32, output: u32, table: u32, left_multiplier: u32, right_multiplier: u32,
        shift: u32, low: u32, high: u32, left_base: u32, right_base: u32, base: u32, numbers: u32,
    }
    /// A layer norm in integers.
    IntegerNorm {
        places: u32, channels: u32, input: u32, output: u32, numbers: u32, epsilon: u32, shift: u32, low: u32, high: u32,
        input_base: u32, base: u32,
    }
    /// An attention in integers; words of a token's output, and of a head.
    IntegerAttention {
        tokens: u32, words: u32, head_words: u32, input: u32, output: u32, table: u32, index_multiplier: u32,
        index_shift: u32, multiplier: u32, shift: u32, low: u32, high: u32, input_base: u32, base: u32,
    }
    /// Rows and columns of integers change places.
    IntegerTranspose { places: u32, channels: u32, line: u32, input: u32, output: u32 }
}

impl Turn {
    /// A step of so many rows that neither finds its rows nor changes anything.
    pub(crate) const fn of_rows(rows: u32) -> Self {
        Self {
            rows,
            indices: 0,
            labels: 0,
            slot: 0,
            key_low: 0,
            key_high: 0,
            smoothing: 0.0,
            optimizer: 0,
            rate: 0.0,
            momentum: 0.0,
            decay: 0.0,
            scale: 0.0,
            keep_first: 0.0,
            take_first: 0.0,
            keep_second: 0.0,
            take_second: 0.0,
            epsilon: 0.0,
        }
    }
}
