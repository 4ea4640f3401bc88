//! Which errors are a GPU's, so that the CPU can go on, and how they are told; it recovers from nothing.

use crate::error::Error;

/// Whether the CPU could have done it.
pub(super) fn is_of_the_gpu(error: &Error) -> bool {
    match error {
        Error::Engine { engine, .. } => *engine == "gpu",
        Error::TooLarge { what, .. } => what.contains("GPU"),
        Error::Unsupported { .. } => true,
        _ => false,
    }
}

/// What went wrong, without what everybody sees: that it was the GPU.
pub(super) fn words(error: &Error) -> String {
    match error {
        Error::Engine { reason, .. } => reason.clone(),
        other => other.to_string(),
    }
}
