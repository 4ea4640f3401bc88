//! Label consistency: how many labels are probably wrong, by models that did not learn from them; it corrects none.
//!
//! After C. Northcutt, L. Jiang and I. Chuang, "Confident learning: estimating uncertainty in dataset labels", 2021,
//! doi:10.1613/jair.1.12125: a row counts for a class where its probability reaches the mean that the rows labelled with the
//! class have; a row that counts for another class than its label is suspect. The counts of each label are then scaled to
//! the rows that have it.

use super::{Answers, Check, Count, Input, not_made};
use crate::order;
use crate::result::{Dimension, Finding};

/// Share of suspect labels above which it warns and fails, where a set declares no more by its nature: a good model's own
/// mistakes are suspect too.
const WARN_ABOVE: f64 = 0.04;
const FAIL_ABOVE: f64 = 0.1;
/// Share of the labels that the models have to agree with before their doubts count, where nothing is known of the set.
const MIN_AGREEMENT: f64 = 0.5;

/// The check.
pub(super) struct Consistency;

impl Check for Consistency {
    fn name(&self) -> &'static str {
        "consistency"
    }
    fn looks_at(&self) -> &'static str {
        "labels that models which did not learn from them deny"
    }
    fn dimension(&self) -> Dimension {
        Dimension::Consistency
    }
    fn run(&self, input: &Input<'_>) -> Finding {
        let classes = input.data.classes.len();
        let Some(Answers {
            rows,
            probabilities,
        }) = input.answers
        else {
            let why = match input.data.expected.learnable {
                Some(false) => "small models cannot tell the classes of this set apart",
                _ => "no model has answered the rows",
            };
            return not_made(self, "rows", why);
        };
        if probabilities.len() != rows.len() * classes {
            return not_made(self, "rows", "the answers are of other rows");
        }
        let labels: Vec<usize> = (rows.iter())
            .map(|row| usize::from(input.data.labels[*row as usize]))
            .collect();
        let agree = agreement(probabilities, &labels, classes);
        if input.data.expected.learnable.is_none() && agree < MIN_AGREEMENT {
            let percent = (agree * 100.0).round();
            let why = format!(
                "small models agree with only {percent} % of the labels, so either the rows are hard to tell apart or most labels are wrong"
            );
            return not_made(self, "rows", &why);
        }
        let doubted = input.data.expected.doubted;
        let suspects = suspects(probabilities, &labels, classes);
        let count = Count {
            check: self.name(),
            unit: "rows",
            affected: suspects.iter().map(|(at, _)| rows[*at]).collect(),
            of: rows.len() as u32,
            warn_above: WARN_ABOVE.max(doubted),
            fail_above: FAIL_ABOVE.max(doubted + FAIL_ABOVE - WARN_ABOVE),
        };
        let mut finding =
            count.finding(|counted| format!("{counted} that train probably have a wrong label."));
        finding.suggested = suspects.iter().map(|(_, class)| *class as u16).collect();
        finding
    }
}

/// Share of the rows whose likeliest class is their label.
fn agreement(probabilities: &[f32], labels: &[usize], classes: usize) -> f64 {
    let agrees = |(answer, label): (&[f32], &usize)| {
        let most = answer.iter().copied().fold(0.0, f32::max);
        answer[*label] >= most
    };
    let answers = probabilities.chunks_exact(classes).zip(labels);
    answers.filter(|it| agrees(*it)).count() as f64 / labels.len().max(1) as f64
}

/// Places of the suspect rows with the class that they count for, the most certain first; as many of each label as the
/// scaled counts say.
fn suspects(probabilities: &[f32], labels: &[usize], classes: usize) -> Vec<(usize, usize)> {
    let mut sums = vec![(0.0_f64, 0_u32); classes];
    for (answer, label) in probabilities.chunks_exact(classes).zip(labels) {
        sums[*label].0 += f64::from(answer[*label]);
        sums[*label].1 += 1;
    }
    let thresholds: Vec<f64> = (sums.iter())
        .map(|(sum, count)| {
            if *count > 0 {
                sum / f64::from(*count)
            } else {
                f64::INFINITY
            }
        })
        .collect();
    let mut joint = vec![vec![0_u32; classes]; classes];
    let mut candidates: Vec<Vec<(f32, usize, usize)>> = vec![Vec::new(); classes];
    for (at, (answer, label)) in probabilities.chunks_exact(classes).zip(labels).enumerate() {
        let confident =
            (0..classes).filter(|class| f64::from(answer[*class]) >= thresholds[*class]);
        let Some(class) = confident.max_by(|a, b| answer[*a].total_cmp(&answer[*b])) else {
            continue;
        };
        joint[*label][class] += 1;
        if class != *label {
            candidates[*label].push((answer[class] - answer[*label], at, class));
        }
    }
    let surest =
        |a: &(f32, usize, usize), b: &(f32, usize, usize)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
    let mut found = Vec::new();
    for (label, mut candidates) in candidates.into_iter().enumerate() {
        let all: u32 = joint[label].iter().sum();
        let off = all - joint[label][label];
        // Rows that count for no class are taken to be divided as those that do.
        let wanted = f64::from(off) / f64::from(all.max(1)) * f64::from(sums[label].1);
        order::sort_by(&mut candidates, surest);
        found.extend(candidates.into_iter().take((wanted + 0.5) as usize));
    }
    order::sort_by(&mut found, surest);
    (found.into_iter())
        .map(|(_, at, class)| (at, class))
        .collect()
}
