//! The confusion matrix: counts in cells shaded by their share of the true class, errors in the accent.

use super::canvas::{
    Anchor, Area, Drawn, Label, Palette, empty, escaped, readable_on, render, rule, units,
    width_of, write,
};
use super::{Chart, Size, Theme};
use crate::order;
use crate::result::Confusion;
use crate::runlog::words::{count, cut, percent};
use plotters::prelude::*;

/// Classes that are drawn; a matrix of more has cells too small to see. The table is always complete.
const MAX_DRAWN: usize = 200;
/// Rows of the table beyond which only confusions are listed.
const MAX_TABLE: usize = 50;

/// Draws a confusion matrix: a row for each true class, a column for each answer.
///
/// Each drawn cell is a `rect` with the class indices in `data-true` and `data-predicted` and with its words in a
/// `title`. Cells without rows are not drawn.
#[must_use]
pub fn confusion(confusion: &Confusion, theme: Theme, size: Size) -> Chart {
    const TITLE: &str = "Confusion matrix";
    let matrix = Matrix(confusion);
    let classes = matrix.classes();
    let (columns, rows) = matrix.table();
    if classes == 0 || confusion.counts.len() != classes * classes {
        return empty(theme, size, TITLE, "No answers have been counted yet.");
    }
    let summary = matrix.summary();
    if classes > MAX_DRAWN {
        return Chart {
            columns,
            rows,
            ..empty(
                theme,
                size,
                TITLE,
                &format!("{classes} classes are too many to draw; the table has them. {summary}"),
            )
        };
    }
    let mut cells = Vec::new();
    let svg = render(size, TITLE, &summary, |area, width, height| {
        draw(area, &matrix, (width, height), &theme.palette(), &mut cells)
    });
    Chart {
        svg: with_cells(&svg, &matrix, &cells),
        summary,
        columns,
        rows,
    }
}

struct Matrix<'a>(&'a Confusion);

impl Matrix<'_> {
    fn classes(&self) -> usize {
        self.0.classes.len()
    }

    fn name(&self, class: usize) -> &str {
        self.0.classes.get(class).map_or("", String::as_str)
    }

    fn at(&self, truth: usize, predicted: usize) -> u32 {
        let index = truth * self.classes() + predicted;
        self.0.counts.get(index).copied().unwrap_or_default()
    }

    /// Test rows of a class.
    fn rows_of(&self, truth: usize) -> u64 {
        (0..self.classes())
            .map(|predicted| u64::from(self.at(truth, predicted)))
            .sum()
    }

    /// Part of the true class's rows, in 0..=1.
    fn share(&self, truth: usize, predicted: usize) -> f64 {
        let rows = self.rows_of(truth);
        if rows == 0 {
            return 0.0;
        }
        #[expect(clippy::cast_precision_loss, reason = "shown as percent")]
        let share = f64::from(self.at(truth, predicted)) / rows as f64;
        share
    }

    /// Wrong answers by true class and answer, the most frequent first.
    fn errors(&self) -> Vec<(usize, usize, u32)> {
        let mut errors = Vec::new();
        for truth in 0..self.classes() {
            for predicted in 0..self.classes() {
                let rows = self.at(truth, predicted);
                if rows > 0 && truth != predicted {
                    errors.push((truth, predicted, rows));
                }
            }
        }
        order::sort_by(&mut errors, |a, b| {
            b.2.cmp(&a.2).then(a.0.cmp(&b.0)).then(a.1.cmp(&b.1))
        });
        errors
    }

    fn words(&self, truth: usize, predicted: usize) -> String {
        format!(
            "true {}, answered {}: {} of {} ({})",
            self.name(truth),
            self.name(predicted),
            count(self.at(truth, predicted).into()),
            count(self.rows_of(truth)),
            percent(self.share(truth, predicted))
        )
    }

    fn summary(&self) -> String {
        let rows: u64 = (0..self.classes()).map(|truth| self.rows_of(truth)).sum();
        let errors = self.errors();
        let wrong: u64 = errors.iter().map(|error| u64::from(error.2)).sum();
        let mut text = format!(
            "{} of {} rows in {} classes were answered wrongly.",
            count(wrong),
            count(rows),
            self.classes()
        );
        let most: Vec<String> = errors
            .iter()
            .take(3)
            .map(|(truth, predicted, rows)| {
                format!(
                    "{} taken for {} ({}×)",
                    cut(self.name(*truth), 20),
                    cut(self.name(*predicted), 20),
                    count((*rows).into())
                )
            })
            .collect();
        if !most.is_empty() {
            text += &format!(" Most often {}.", most.join(", "));
        }
        text
    }

    fn table(&self) -> (Vec<String>, Vec<Vec<String>>) {
        let classes = self.classes();
        if classes > MAX_TABLE {
            let columns = ["true class", "answer", "rows", "share of the class"];
            let rows = self
                .errors()
                .into_iter()
                .map(|(truth, predicted, rows)| {
                    vec![
                        self.name(truth).into(),
                        self.name(predicted).into(),
                        count(rows.into()),
                        percent(self.share(truth, predicted)),
                    ]
                })
                .collect();
            return (columns.map(String::from).into(), rows);
        }
        let mut columns = vec!["true class".to_owned()];
        columns.extend((0..classes).map(|class| format!("answered {}", self.name(class))));
        columns.push("recall".into());
        let rows = (0..classes)
            .map(|truth| {
                let mut row = vec![self.name(truth).to_owned()];
                row.extend((0..classes).map(|answer| count(self.at(truth, answer).into())));
                row.push(percent(self.share(truth, truth)));
                row
            })
            .collect();
        (columns, rows)
    }
}

/// Draws the cells in the order that `cells` then lists.
fn draw(
    area: &Area<'_>,
    matrix: &Matrix<'_>,
    (width, height): (i32, i32),
    palette: &Palette,
    cells: &mut Vec<(usize, usize)>,
) -> Drawn {
    let classes = matrix.classes();
    let (width, height) = (f64::from(width), f64::from(height));
    let longest = (0..classes)
        .map(|class| width_of(matrix.name(class), false))
        .fold(8.0, f64::max);
    let left = longest.min(width / 4.0) + 8.0;
    let top = 36.0;
    #[expect(clippy::cast_precision_loss, reason = "at most MAX_DRAWN classes")]
    let n = classes as f64;
    // Whole pixels where they are at least two, so that all gaps are alike.
    let fit = ((width - left - 2.0) / n).min((height - top - 2.0) / n);
    let side = if fit >= 2.0 {
        fit.floor()
    } else {
        fit.max(0.2)
    };
    let place = |class: usize| {
        #[expect(clippy::cast_precision_loss, reason = "at most MAX_DRAWN classes")]
        let class = class as f64;
        class * side
    };
    write(
        area,
        Label::small(
            "row: true class, column: answer",
            (0.0, 7.0),
            Anchor::Start,
            palette.muted,
        ),
    )?;
    let room = |pixels: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a positive length of the screen"
        )]
        let characters = (pixels / width_of("0", false)) as usize;
        characters.max(1)
    };
    if side >= 12.0 {
        for class in 0..classes {
            let middle = place(class) + side / 2.0;
            let name = matrix.name(class);
            let short = |pixels: f64| {
                if width_of(name, false) <= pixels {
                    name.to_owned()
                } else {
                    cut(name, room(pixels - 8.0))
                }
            };
            write(
                area,
                Label::small(
                    &short(side),
                    (left + middle, 24.0),
                    Anchor::Middle,
                    palette.text,
                ),
            )?;
            write(
                area,
                Label::small(
                    &short(left - 8.0),
                    (left - 8.0, top + middle),
                    Anchor::End,
                    palette.text,
                ),
            )?;
        }
    }
    let gap = if side >= 8.0 { 1.0 } else { 0.0 };
    let (from, to) = ((left.round() - 1.0, top - 1.0), place(classes));
    let lines = if side >= 8.0 { 1 } else { classes };
    for class in (0..=classes).step_by(lines) {
        let at = place(class);
        rule(
            area,
            (from.0 + at, from.1),
            (from.0 + at, from.1 + to),
            palette.grid,
        )?;
        rule(
            area,
            (from.0, from.1 + at),
            (from.0 + to, from.1 + at),
            palette.grid,
        )?;
    }
    for truth in 0..classes {
        for predicted in 0..classes {
            let rows = matrix.at(truth, predicted);
            if rows == 0 {
                continue;
            }
            let (x, y) = (left.round() + place(predicted), top + place(truth));
            let share = matrix.share(truth, predicted);
            let colour = if truth == predicted {
                palette.blended(palette.line, 0.12 + 0.5 * share)
            } else {
                // Errors are rare: the root spreads the small shares.
                palette.blended(palette.accent, 0.3 + 0.7 * share.sqrt())
            };
            cells.push((truth, predicted));
            area.draw(&Rectangle::new(
                [
                    (units(x), units(y)),
                    (units(x + side - gap), units(y + side - gap)),
                ],
                colour.filled(),
            ))?;
            let text = count(rows.into());
            if side >= 13.0 && width_of(&text, false) <= side + 2.0 {
                write(
                    area,
                    Label::small(
                        &text,
                        (x + (side - gap) / 2.0, y + (side - gap) / 2.0),
                        Anchor::Middle,
                        readable_on(colour),
                    ),
                )?;
            }
        }
    }
    Ok(())
}

/// Says on each cell's `rect` which cell it is; `cells` are in the order in which they were drawn.
fn with_cells(svg: &str, matrix: &Matrix<'_>, cells: &[(usize, usize)]) -> String {
    let mut out = String::with_capacity(svg.len() * 2);
    let mut pieces = svg.split("<rect ");
    out.push_str(pieces.next().unwrap_or_default());
    for (piece, (truth, predicted)) in pieces.zip(cells) {
        let (attributes, rest) = piece.split_once("/>").unwrap_or((piece, ""));
        out.push_str(&format!(
            "<rect data-true=\"{truth}\" data-predicted=\"{predicted}\" {attributes}><title>{}</title></rect>{rest}",
            escaped(&matrix.words(*truth, *predicted)),
        ));
    }
    out
}
