//! Results as SVG, with a sentence and a table that say the same; the same code on the page and in the command.
//!
//! Nothing is measured in the browser: plotters would measure text through elements with a `style` attribute, which the
//! page's Content-Security-Policy forbids, so labels are placed by anchors and estimated widths. Nothing here computes
//! a result.

mod axis;
mod canvas;
mod confusion;
mod curves;
mod engines;
mod latency;
mod legend;
mod scatter;
#[cfg(test)]
mod tests;

pub use confusion::confusion;
pub use curves::{Curve, curves};
pub use engines::engines;
pub use latency::latency;
pub use scatter::{Point, XAxis, scatter};

/// A drawn chart with its twins in words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chart {
    /// A complete SVG document, transparent, with `role="img"`, a title and a description.
    pub svg: String,
    /// What it shows, in a sentence or two with numbers; also the SVG's description.
    pub summary: String,
    /// Headings of the table twin, units included.
    pub columns: Vec<String>,
    /// Rows of the table twin, as long as the headings.
    pub rows: Vec<Vec<String>>,
}

/// On which background a chart stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Theme {
    /// Dark on light.
    #[default]
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    /// The theme of that name: `dark`, or light for every other.
    #[must_use]
    pub fn named(name: &str) -> Self {
        if name == "dark" {
            Self::Dark
        } else {
            Self::Light
        }
    }
}

/// Size of a chart in CSS pixels; outside 240..=4096 by 120..=4096 it is moved to the nearest end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// From left to right.
    pub width: u32,
    /// From top to bottom.
    pub height: u32,
}
