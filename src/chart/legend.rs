//! What the lines of a chart mean, written above its panels; it measures text by estimate and knows no results.

use super::canvas::{Anchor, Area, Drawn, Label, Palette, rule, thickness, units, width_of, write};
use plotters::prelude::*;

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// A solid line.
    Line,
    /// A broken line.
    Dashes,
    /// A solid line with filled points.
    Dots,
    /// A solid line with filled triangles.
    Triangles,
    /// No line: words only.
    Words,
}

/// One series and its words.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) text: String,
    pub(super) colour: RGBColor,
    pub(super) mark: Mark,
}

impl Entry {
    pub(super) fn new(text: impl Into<String>, colour: RGBColor, mark: Mark) -> Self {
        Self {
            text: text.into(),
            colour,
            mark,
        }
    }
}

/// Length of a mark, CSS pixels, and the room between it and its words.
const MARK: f64 = 20.0;
const GAP: f64 = 6.0;
/// Radius of a point, CSS pixels, as in the panels.
pub(super) const DOT: f64 = 2.8;
/// The same for a triangle, which looks smaller.
pub(super) const TRIANGLE: f64 = 4.0;

/// Writes the entries into as many lines as they need; the panels begin at the height that it gives.
pub(super) fn legend(
    area: &Area<'_>,
    entries: &[Entry],
    width: f64,
    palette: &Palette,
) -> Drawn<f64> {
    let (mut left, mut top) = (0.0, 8.0);
    for Entry { text, colour, mark } in entries {
        let indent = if *mark == Mark::Words {
            0.0
        } else {
            MARK + GAP
        };
        let needed = indent + width_of(text, false) + 14.0;
        if left > 0.0 && left + needed > width {
            (left, top) = (0.0, top + 16.0);
        }
        draw(area, *mark, (left, top), *colour)?;
        write(
            area,
            Label::small(text, (left + indent, top), Anchor::Start, palette.muted),
        )?;
        left += needed;
    }
    Ok(top + 14.0)
}

fn draw(area: &Area<'_>, mark: Mark, (left, top): (f64, f64), colour: RGBColor) -> Drawn {
    if mark == Mark::Words {
        return Ok(());
    }
    if mark == Mark::Dashes {
        for from in [0.0, 8.0, 16.0] {
            rule(area, (left + from, top), (left + from + 4.0, top), colour)?;
        }
        return Ok(());
    }
    rule(area, (left, top), (left + MARK, top), colour)?;
    rule(area, (left, top + 1.0), (left + MARK, top + 1.0), colour)?;
    let centre = (units(left + MARK / 2.0), units(top + 1.0));
    match mark {
        Mark::Dots => area.draw(&Circle::new(centre, thickness(DOT), colour.filled())),
        Mark::Triangles => area.draw(&TriangleMarker::new(
            centre,
            thickness(TRIANGLE),
            colour.filled(),
        )),
        _ => Ok(()),
    }
}
