//! Softmax cross-entropy and its gradient as plain loops; the engines' versions are held to this one.

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

/// The loss of `rows × classes` logits, row by row, against as many labels, each below `classes`.
///
/// A row's loss is `ln Σ exp(xᵢ − m) + m − x_label` with the largest logit `m`, in f64 through `libm`, summed in order.
#[must_use]
pub fn cross_entropy(logits: &[f32], labels: &[u16], classes: usize) -> Loss {
    let mut loss = Loss::default();
    for (row, &label) in logits.chunks_exact(classes).zip(labels) {
        let label = usize::from(label);
        let (largest, sum) = log_sum(row);
        loss.sum += libm::log(sum) + largest - f64::from(row[label]);
        loss.correct += u32::from(argmax(row) == label);
        loss.rows += 1;
    }
    loss
}

/// The summed loss of the same rows against labels of which the share `smoothing`, in [0, 1), is spread over all classes
/// (Szegedy et al. 2016, arXiv 1512.00567, section 7): the row's wanted shares are `(1 − smoothing)·onehot +
/// smoothing / classes`, its loss `ln Σ exp(xᵢ − m) + m − Σ wantedᵢ·xᵢ`. It is what training lets fall; what is told is
/// [`cross_entropy`].
#[must_use]
pub fn smoothed_cross_entropy(
    logits: &[f32],
    labels: &[u16],
    classes: usize,
    smoothing: f32,
) -> f64 {
    let (kept, spread) = shares(smoothing, classes);
    let mut loss = 0.0;
    for (row, &label) in logits.chunks_exact(classes).zip(labels) {
        let (largest, sum) = log_sum(row);
        let everywhere: f64 = row.iter().map(|&logit| f64::from(logit)).sum();
        let wanted = kept * f64::from(row[usize::from(label)]) + spread * everywhere;
        loss += libm::log(sum) + largest - wanted;
    }
    loss
}

/// The gradient of the mean smoothed loss with respect to the logits, times `scale`:
/// `scale · (softmax(x) − wanted) / rows`, with the wanted shares of [`smoothed_cross_entropy`].
#[must_use]
pub fn cross_entropy_gradient(
    logits: &[f32],
    labels: &[u16],
    classes: usize,
    scale: f32,
    smoothing: f32,
) -> Vec<f32> {
    let scale = f64::from(scale) / labels.len().max(1) as f64;
    let (kept, spread) = shares(smoothing, classes);
    let mut gradient = Vec::with_capacity(logits.len());
    for (row, &label) in logits.chunks_exact(classes).zip(labels) {
        let (largest, sum) = log_sum(row);
        gradient.extend(row.iter().enumerate().map(|(class, &logit)| {
            let share = libm::exp(f64::from(logit) - largest) / sum;
            let right = f64::from(u8::from(class == usize::from(label)));
            (scale * (share - (kept * right + spread))) as f32
        }));
    }
    gradient
}

/// What the label's class keeps, and what every class gets.
fn shares(smoothing: f32, classes: usize) -> (f64, f64) {
    let smoothing = f64::from(smoothing);
    (1.0 - smoothing, smoothing / classes.max(1) as f64)
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

    const LOGITS: [f32; 8] = [0.3, -1.2, 2.0, 0.0, -0.5, 0.25, 4.0, -3.0];
    const LABELS: [u16; 2] = [2, 0];

    #[test]
    fn nothing_smoothed_is_the_plain_loss() {
        let smoothed = smoothed_cross_entropy(&LOGITS, &LABELS, 4, 0.0);
        let plain = cross_entropy(&LOGITS, &LABELS, 4).sum;
        assert!((smoothed - plain).abs() < 1e-12, "{smoothed} {plain}");
    }

    #[test]
    fn the_gradient_is_the_slope_of_the_smoothed_mean() {
        for smoothing in [0.0, 0.1, 0.5] {
            let gradient = cross_entropy_gradient(&LOGITS, &LABELS, 4, 1.0, smoothing);
            for (at, &found) in gradient.iter().enumerate() {
                // A power of two, so that the steps themselves are exact.
                let step = 2.0_f32.powi(-7);
                let moved = |by: f32| {
                    let mut logits = LOGITS;
                    logits[at] += by;
                    smoothed_cross_entropy(&logits, &LABELS, 4, smoothing) / 2.0
                };
                let slope = (moved(step) - moved(-step)) / f64::from(2.0 * step);
                // The third derivative of ln Σ exp is at most 1; halved by the mean.
                let bound = f64::from(step * step) / 12.0 + 1e-7;
                assert!(
                    (slope - f64::from(found)).abs() < bound,
                    "{smoothing} {at}: {found} {slope}"
                );
            }
            let total: f32 = gradient.iter().sum();
            assert!(total.abs() < 1e-6, "a row's wanted shares add up to 1");
        }
    }
}
