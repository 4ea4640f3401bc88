//! Softmax cross-entropy and its gradient as plain loops in f64; every engine's version is held to this one.

/// What a batch of logits is worth against the right answers.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Loss {
    /// Sum of the rows' cross-entropy, nats; NaN or infinite where a logit is.
    pub sum: f64,
    /// Rows whose largest logit, the first of equals, is the label's.
    pub correct: u32,
    /// Rows.
    pub rows: u32,
}

/// The loss that a training lowers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Objective {
    /// How many rows the mean is over.
    pub rows: usize,
    /// Share of each label, in [0, 1), that is spread over all classes (Szegedy et al. 2016, arXiv 1512.00567,
    /// section 7): the wanted shares are `(1 − smoothing)·onehot + smoothing / classes`.
    pub smoothing: f32,
}

/// The loss of `rows × classes` logits, row by row, against as many labels, each below `classes`.
///
/// A row's loss is `ln Σ exp(xᵢ − m) + m − x_label` with the largest logit `m`, in f64 through `libm`, summed in order.
#[must_use]
pub fn cross_entropy(logits: &[f32], labels: &[u16], classes: usize) -> Loss {
    let mut loss = Loss::default();
    for (row, &label) in logits.chunks_exact(classes).zip(labels) {
        loss.add(row, label, log_sum(row));
    }
    loss
}

impl Loss {
    /// Adds one row, given its largest logit and `Σ exp(x − largest)`.
    fn add(&mut self, row: &[f32], label: u16, (largest, sum): (f64, f64)) {
        let label = usize::from(label);
        self.sum += libm::log(sum) + largest - f64::from(row[label]);
        self.correct += u32::from(argmax(row) == label);
        self.rows += 1;
    }
}

impl Objective {
    /// Adds one row's cross-entropy, without smoothing, to `loss` and writes the gradient of the objective with respect to
    /// its logits: `(softmax(x) − wanted) / rows`, in f64 and rounded once. `gradient` is as long as `row`, and `label` is
    /// below that.
    pub fn row(&self, row: &[f32], label: u16, loss: &mut Loss, gradient: &mut [f32]) {
        let smoothing = f64::from(self.smoothing);
        let (largest, sum) = log_sum(row);
        loss.add(row, label, (largest, sum));
        let scale = 1.0 / self.rows.max(1) as f64;
        let spread = smoothing / row.len() as f64;
        for (class, (to, &logit)) in gradient.iter_mut().zip(row).enumerate() {
            let share = libm::exp(f64::from(logit) - largest) / sum;
            let own = if class == usize::from(label) {
                1.0 - smoothing
            } else {
                0.0
            };
            *to = (scale * (share - (own + spread))) as f32;
        }
    }
}

/// The index of the largest number, the first of equals; NaN is never larger, and a row of NaN gives 0.
#[must_use]
pub fn argmax(row: &[f32]) -> usize {
    let mut best = 0;
    for (index, &value) in row.iter().enumerate() {
        if value > row[best] || row[best].is_nan() && !value.is_nan() {
            best = index;
        }
    }
    best
}

/// The largest logit and `Σ exp(x − largest)`, in order.
fn log_sum(row: &[f32]) -> (f64, f64) {
    let largest = f64::from(row[argmax(row)]);
    let sum = row
        .iter()
        .map(|&logit| libm::exp(f64::from(logit) - largest))
        .sum();
    (largest, sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of three logits with their labels.
    const ROWS: [([f32; 3], u16); 3] = [
        ([0.5, -1.0, 2.0], 0),
        ([3.0, 3.0, -4.0], 1),
        ([0.0, 0.25, -0.5], 2),
    ];

    #[test]
    fn the_loss_that_is_told_is_the_cross_entropy_whatever_is_smoothed() {
        let logits: Vec<f32> = ROWS.iter().flat_map(|(row, _)| *row).collect();
        let labels = ROWS.map(|(_, label)| label);
        let objective = Objective {
            rows: 3,
            smoothing: 0.3,
        };
        let mut loss = Loss::default();
        for (row, label) in ROWS {
            objective.row(&row, label, &mut loss, &mut [0.0; 3]);
        }
        assert_eq!(loss, cross_entropy(&logits, &labels, 3));
    }

    #[test]
    fn gradients_are_the_central_differences_with_and_without_smoothing() {
        for smoothing in [0.0, 0.1, 0.5] {
            let objective = Objective { rows: 7, smoothing };
            for (row, label) in ROWS {
                let mut gradient = [0.0; 3];
                objective.row(&row, label, &mut Loss::default(), &mut gradient);
                for class in 0..3 {
                    // The cross-entropies against every class, by their wanted shares.
                    let at = |step: f32| {
                        let mut moved = row;
                        moved[class] += step;
                        let sum: f64 = (0..3_u16)
                            .map(|class| {
                                let own = f64::from(u8::from(class == label));
                                let smoothing = f64::from(smoothing);
                                let wanted = (1.0 - smoothing) * own + smoothing / 3.0;
                                wanted * cross_entropy(&moved, &[class], 3).sum
                            })
                            .sum();
                        sum / 7.0
                    };
                    let step = 1.0 / 128.0;
                    let slope = (at(step) - at(-step)) / f64::from(2.0 * step);
                    // Curvature 0.0963·h²/6 a row, and one rounding of the gradient.
                    let bound = 0.0963 / 6.0 / 7.0 / 16_384.0 + 6e-8;
                    assert!(
                        (f64::from(gradient[class]) - slope).abs() < bound,
                        "{smoothing} {row:?} {class}: {} for {slope}",
                        gradient[class]
                    );
                }
            }
        }
    }
}
