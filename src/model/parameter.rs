//! The tensors that a graph needs: name, shape and what each is for; their numbers are in [`super::Weights`].

/// What a tensor is for: it decides first values, weight decay, quantization and whether it trains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterRole {
    /// Multiplies inputs and sums over them.
    Weight,
    /// Is added to an output.
    Bias,
    /// Multiplies what a norm has normalized.
    Scale,
    /// Is added to what a norm has normalized.
    Shift,
    /// Is added to tokens, each its own.
    Positions,
    /// The mean that batch norm uses after training; follows the batches, no gradient.
    RunningMean,
    /// The variance that batch norm uses after training; follows the batches, no gradient.
    RunningVariance,
}

impl ParameterRole {
    /// Whether it follows the gradient; the running numbers of batch norm do not.
    #[must_use]
    pub const fn trains(self) -> bool {
        !matches!(self, Self::RunningMean | Self::RunningVariance)
    }

    /// Whether weight decay pulls it towards zero: weights only.
    #[must_use]
    pub const fn decays(self) -> bool {
        matches!(self, Self::Weight)
    }

    /// Its plural in messages.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Weight => "weights",
            Self::Bias => "biases",
            Self::Scale => "scales",
            Self::Shift => "shifts",
            Self::Positions => "positions",
            Self::RunningMean => "running means",
            Self::RunningVariance => "running variances",
        }
    }

    /// The last part of its tensor's name, as PyTorch has it where it has one.
    pub(super) const fn suffix(self) -> &'static str {
        match self {
            Self::Weight | Self::Scale => "weight",
            Self::Bias | Self::Shift => "bias",
            Self::Positions => "positions",
            Self::RunningMean => "running_mean",
            Self::RunningVariance => "running_var",
        }
    }
}

/// A tensor that a graph needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// `conv1.weight`.
    pub name: String,
    /// Its shape, outermost dimension first.
    pub shape: Vec<u32>,
    /// What it is for.
    pub role: ParameterRole,
    /// Inputs that each output sums over; 0 for what is neither weight nor bias.
    pub fan_in: u64,
    /// Outputs that each input goes to; 0 for what is neither weight nor bias.
    pub fan_out: u64,
}

impl Parameter {
    /// How many numbers it holds; [`super::Graph::resolve`] has checked that this cannot overflow.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.shape.iter().map(|&size| u64::from(size)).product()
    }
}
