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

/// The gradient of the mean loss with respect to the logits, times `scale`: `scale · (softmax(x) − onehot) / rows`.
#[must_use]
pub fn cross_entropy_gradient(
    logits: &[f32],
    labels: &[u16],
    classes: usize,
    scale: f32,
) -> Vec<f32> {
    let scale = f64::from(scale) / labels.len().max(1) as f64;
    let mut gradient = Vec::with_capacity(logits.len());
    for (row, &label) in logits.chunks_exact(classes).zip(labels) {
        let (largest, sum) = log_sum(row);
        gradient.extend(row.iter().enumerate().map(|(class, &logit)| {
            let share = libm::exp(f64::from(logit) - largest) / sum;
            let wanted = f64::from(u8::from(class == usize::from(label)));
            (scale * (share - wanted)) as f32
        }));
    }
    gradient
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
