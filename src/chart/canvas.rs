//! An SVG to draw on, and panels with axes on it; it knows no results.

use super::axis::Axis;
use super::{Size, Theme};
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Units of the drawing in one CSS pixel: plotters has whole coordinates only, and curves need finer ones.
pub(super) const PX: i32 = 10;
/// Height of tick labels, CSS pixels.
const SMALL: f64 = 11.0;
/// Height of titles, CSS pixels.
const NORMAL: f64 = 12.0;

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(super) type Plane<'a> =
    DrawingArea<SVGBackend<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;
/// Drawing into a string cannot fail; the type is plotters'.
pub(super) type Drawn<T = ()> = Result<T, DrawingAreaErrorKind<std::io::Error>>;

/// The colours of a theme.
#[derive(Debug, Clone, Copy)]
pub(super) struct Palette {
    /// What the chart is assumed to stand on; never drawn.
    pub(super) page: RGBColor,
    /// Titles and values.
    pub(super) text: RGBColor,
    /// Tick labels: at least 4.5 to 1 on the page.
    pub(super) muted: RGBColor,
    /// Lines of the grid.
    pub(super) grid: RGBColor,
    /// The line at the foot of a panel.
    pub(super) line: RGBColor,
    /// What a chart is about.
    pub(super) accent: RGBColor,
    /// Further series, in order; each at least 3 to 1 on the page.
    pub(super) others: [RGBColor; 4],
}

impl Theme {
    pub(super) const fn palette(self) -> Palette {
        match self {
            Self::Light => Palette {
                page: RGBColor(255, 255, 255),
                text: RGBColor(32, 36, 42),
                muted: RGBColor(92, 98, 107),
                grid: RGBColor(230, 232, 235),
                line: RGBColor(150, 156, 164),
                accent: RGBColor(11, 98, 181),
                others: [
                    RGBColor(179, 88, 6),
                    RGBColor(84, 39, 136),
                    RGBColor(0, 122, 92),
                    RGBColor(92, 98, 107),
                ],
            },
            Self::Dark => Palette {
                page: RGBColor(22, 25, 29),
                text: RGBColor(228, 231, 235),
                muted: RGBColor(160, 167, 176),
                grid: RGBColor(46, 51, 58),
                line: RGBColor(104, 111, 120),
                accent: RGBColor(106, 176, 243),
                others: [
                    RGBColor(244, 165, 96),
                    RGBColor(190, 160, 230),
                    RGBColor(98, 203, 168),
                    RGBColor(160, 167, 176),
                ],
            },
        }
    }
}

impl Palette {
    /// The colour of the `index`th series.
    pub(super) fn series(&self, index: usize) -> RGBColor {
        match index.checked_sub(1) {
            None => self.accent,
            Some(other) => self.others[other % self.others.len()],
        }
    }

    /// The page's colour with a share of another.
    pub(super) fn blended(&self, over: RGBColor, share: f64) -> RGBColor {
        let mix = |under: u8, over: u8| {
            let mixed = f64::from(under) + (f64::from(over) - f64::from(under)) * share;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between two bytes"
            )]
            let byte = mixed.round().clamp(0.0, 255.0) as u8;
            byte
        };
        RGBColor(
            mix(self.page.0, over.0),
            mix(self.page.1, over.1),
            mix(self.page.2, over.2),
        )
    }
}

/// The better readable of black and white on a colour, by WCAG 2.2's relative luminance.
pub(super) fn readable_on(colour: RGBColor) -> RGBColor {
    let channel = |byte: u8| {
        let share = f64::from(byte) / 255.0;
        if share <= 0.040_45 {
            share / 12.92
        } else {
            ((share + 0.055) / 1.055).powf(2.4)
        }
    };
    let luminance =
        0.2126 * channel(colour.0) + 0.7152 * channel(colour.1) + 0.0722 * channel(colour.2);
    // Contrast with white is 1.05 / (l + 0.05), with black (l + 0.05) / 0.05.
    if (luminance + 0.05) * (luminance + 0.05) < 1.05 * 0.05 {
        WHITE
    } else {
        RGBColor(16, 18, 21)
    }
}

impl Size {
    /// Width and height within their limits, CSS pixels.
    pub(super) fn clamped(self) -> (i32, i32) {
        let clamp = |value: u32, low| i32::try_from(value.clamp(low, 4096)).unwrap_or(4096);
        (clamp(self.width, 240), clamp(self.height, 120))
    }
}

/// Draws a chart; `draw` gets the area and its width and height in CSS pixels.
pub(super) fn render(
    size: Size,
    title: &str,
    summary: &str,
    draw: impl FnOnce(&Area<'_>, i32, i32) -> Drawn,
) -> String {
    let (width, height) = size.clamped();
    let units = |pixels: i32| u32::try_from(pixels * PX).unwrap_or_default();
    let mut text = String::new();
    {
        let backend = SVGBackend::with_string(&mut text, (units(width), units(height)));
        let area = backend.into_drawing_area();
        // A string cannot refuse what is written to it.
        let _ = draw(&area, width, height);
        let _ = area.present();
    }
    finished(&text, width, height, title, summary)
}

/// The SVG with its size in CSS pixels, its role and its words.
fn finished(svg: &str, width: i32, height: i32, title: &str, summary: &str) -> String {
    let body = svg
        .split_once('>')
        .map_or("", |(_, body)| body.trim_start());
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {} {}\">\n<title>{}</title>\n<desc>{}</desc>\n{body}",
        width * PX,
        height * PX,
        escaped(title),
        escaped(summary),
    )
}

/// Text as it may stand in XML; characters that XML 1.0 has no form for are left out.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}

/// Where a text stands relative to its position.
#[derive(Debug, Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A label to write.
#[derive(Debug, Clone, Copy)]
pub(super) struct Label<'a> {
    pub(super) text: &'a str,
    /// CSS pixels; the vertical middle of the text.
    pub(super) at: (f64, f64),
    pub(super) anchor: Anchor,
    pub(super) colour: RGBColor,
    /// Titles are larger than tick labels.
    pub(super) title: bool,
}

impl<'a> Label<'a> {
    /// A tick label.
    pub(super) const fn small(
        text: &'a str,
        at: (f64, f64),
        anchor: Anchor,
        colour: RGBColor,
    ) -> Self {
        Self {
            text,
            at,
            anchor,
            colour,
            title: false,
        }
    }

    /// A title.
    pub(super) const fn title(
        text: &'a str,
        at: (f64, f64),
        anchor: Anchor,
        colour: RGBColor,
    ) -> Self {
        Self {
            title: true,
            ..Self::small(text, at, anchor, colour)
        }
    }
}

/// Writes a label.
pub(super) fn write(area: &Area<'_>, label: Label<'_>) -> Drawn {
    // The backend divides by 1.24 again.
    let height = if label.title { NORMAL } else { SMALL } * 1.24 * f64::from(PX);
    let h_pos = match label.anchor {
        Anchor::Start => HPos::Left,
        Anchor::Middle => HPos::Center,
        Anchor::End => HPos::Right,
    };
    let text: String = label.text.chars().filter(|c| !c.is_control()).collect();
    let style = TextStyle::from(("system-ui, sans-serif", height).into_font())
        .color(&label.colour)
        .pos(Pos::new(h_pos, VPos::Center));
    area.draw(&Text::new(
        text,
        (units(label.at.0), units(label.at.1)),
        style,
    ))
}

/// CSS pixels in units of the drawing.
pub(super) fn units(pixels: f64) -> i32 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "`as` takes NaN to 0 and what is too large to the ends"
    )]
    let units = (pixels * f64::from(PX)).round().clamp(-1e6, 1e6) as i32;
    units
}

/// The estimated width of a text in CSS pixels: system fonts take 0.5 to 0.64 of their height for a digit, less for
/// the mean of a text.
pub(super) fn width_of(text: &str, title: bool) -> f64 {
    let height = if title { NORMAL } else { SMALL };
    #[expect(clippy::cast_precision_loss, reason = "a label")]
    let characters = text.chars().count() as f64;
    characters * height * 0.6
}

/// A straight line that covers whole pixels; ends in CSS pixels.
pub(super) fn rule(area: &Area<'_>, from: (f64, f64), to: (f64, f64), colour: RGBColor) -> Drawn {
    let snapped = |pixels: f64| units(pixels.floor() + 0.5);
    let style = ShapeStyle::from(&colour).stroke_width(PX.unsigned_abs());
    area.draw(&PathElement::new(
        vec![
            (snapped(from.0), snapped(from.1)),
            (snapped(to.0), snapped(to.1)),
        ],
        style,
    ))
}

/// Part of the drawing, CSS pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rect {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// Draws title, grid and tick labels into `rect`, and gives the plane inside to draw on.
pub(super) fn panel<'a>(
    area: &Area<'a>,
    rect: Rect,
    x: &Axis,
    y: &Axis,
    palette: &Palette,
) -> Drawn<Plane<'a>> {
    let widest = y
        .ticks
        .iter()
        .map(|(_, label)| width_of(label, false))
        .fold(14.0, f64::max)
        .min(rect.width / 3.0);
    let plot = Rect {
        left: (rect.left + widest + 6.0).round(),
        top: rect.top + 20.0,
        width: (rect.width - widest - 6.0 - 8.0).max(20.0).round(),
        height: (rect.height - 20.0 - 34.0).max(20.0),
    };
    let (right, bottom) = (plot.left + plot.width, plot.top + plot.height);
    let share = |axis: &Axis, value: f64| {
        axis.at(value)
            .map_or(0.0, |at| (at - axis.low) / (axis.high - axis.low))
    };
    write(
        area,
        Label::title(
            &y.title,
            (rect.left, rect.top + 7.0),
            Anchor::Start,
            palette.text,
        ),
    )?;
    for (value, text) in &y.ticks {
        let at = bottom - share(y, *value) * plot.height;
        rule(area, (plot.left, at), (right, at), palette.grid)?;
        write(
            area,
            Label::small(text, (plot.left - 6.0, at), Anchor::End, palette.muted),
        )?;
    }
    let mut free_from = f64::NEG_INFINITY;
    for (value, text) in &x.ticks {
        let at = plot.left + share(x, *value) * plot.width;
        rule(area, (at, bottom), (at, bottom + 4.0), palette.line)?;
        let half = width_of(text, false) / 2.0;
        // A label at the end is moved inwards, one that would touch its neighbour is left out.
        let centre = at.clamp(
            rect.left + half,
            (rect.left + rect.width - half).max(rect.left + half),
        );
        if centre - half >= free_from {
            free_from = centre + half + 6.0;
            write(
                area,
                Label::small(text, (centre, bottom + 12.0), Anchor::Middle, palette.muted),
            )?;
        }
    }
    rule(area, (plot.left, bottom), (right, bottom), palette.line)?;
    write(
        area,
        Label::small(&x.title, (right, bottom + 27.0), Anchor::End, palette.muted),
    )?;
    let pixels = (
        units(plot.left)..units(right),
        units(bottom)..units(plot.top),
    );
    Ok(area
        .clone()
        .apply_coord_spec(Cartesian2d::new(x.low..x.high, y.low..y.high, pixels)))
}

/// A line width, or a radius, in CSS pixels.
pub(super) fn thickness(pixels: f64) -> u32 {
    u32::try_from(units(pixels)).unwrap_or(10)
}

/// A chart that has nothing to show says so.
pub(super) fn empty(theme: Theme, size: Size, title: &str, words: &str) -> super::Chart {
    let palette = theme.palette();
    super::Chart {
        svg: render(size, title, words, |area, width, height| {
            write(
                area,
                Label::title(
                    words,
                    (f64::from(width) / 2.0, f64::from(height) / 2.0),
                    Anchor::Middle,
                    palette.muted,
                ),
            )
        }),
        summary: words.into(),
        ..super::Chart::default()
    }
}
