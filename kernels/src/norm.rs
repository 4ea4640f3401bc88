//! Layer normalization along rows and batch normalization along columns, and their gradients.
//!
//! Both compute `y = ((x − mean)·inverse)·scale + shift` with `inverse = 1/√(variance + ε)`, the variance in a second pass
//! over `x − mean`. A layer norm's sums go along its row in the order of `reduce`; a batch norm's go down the rows
//! ascending, each channel its own sum, and so do the gradients of scale and shift.

pub mod batch;
pub mod layer;
