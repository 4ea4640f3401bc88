//! A row in a few numbers: its mean, its contrast and the means of sixteen equal parts; they stand for it in comparisons.

use crate::data::Dataset;

/// Parts of a row.
pub(super) const CELLS: usize = 16;

/// The numbers of every row.
pub(super) struct Features {
    means: Vec<f32>,
    contrasts: Vec<f32>,
    cells: Vec<f32>,
    /// Largest less smallest finite value of all rows.
    pub(super) range: f32,
}

impl Features {
    /// Of every row; what is missing counts as the row's mean.
    pub(super) fn of(data: &Dataset) -> Self {
        let mut features = Self {
            means: Vec::with_capacity(data.labels.len()),
            contrasts: Vec::with_capacity(data.labels.len()),
            cells: Vec::with_capacity(data.labels.len() * CELLS),
            range: 0.0,
        };
        let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
        let cell_of: Vec<usize> = (0..data.row_len()).map(|place| cell(data, place)).collect();
        let mut sizes = [0_u32; CELLS];
        for cell in &cell_of {
            sizes[*cell] += 1;
        }
        for row in 0..data.rows() {
            let values = data.row(row);
            let finite = || values.iter().copied().filter(|value| value.is_finite());
            let count = finite().count().max(1) as f32;
            let mean = finite().sum::<f32>() / count;
            let squares: f32 = finite().map(|value| (value - mean) * (value - mean)).sum();
            let mut sums = [0.0; CELLS];
            for (value, cell) in values.iter().zip(&cell_of) {
                sums[*cell] += if value.is_finite() { *value } else { mean };
            }
            low = finite().fold(low, f32::min);
            high = finite().fold(high, f32::max);
            features.means.push(mean);
            features.contrasts.push((squares / count).sqrt());
            // A row of fewer values than cells leaves some at its mean.
            let means = sums.iter().zip(sizes);
            features.cells.extend(means.map(|(sum, size)| match size {
                0 => mean,
                size => sum / size as f32,
            }));
        }
        features.range = if high > low { high - low } else { 0.0 };
        features
    }

    /// The mean of a row's values.
    pub(super) fn mean(&self, row: u32) -> f32 {
        self.means[row as usize]
    }

    /// The deviation of a row's values from their mean.
    pub(super) fn contrast(&self, row: u32) -> f32 {
        self.contrasts[row as usize]
    }

    /// The means of the parts of a row.
    pub(super) fn cells(&self, row: u32) -> &[f32] {
        &self.cells[row as usize * CELLS..(row as usize + 1) * CELLS]
    }
}

/// The part that a place belongs to: of an image one of 4×4, whatever the channel; of a single line one of 16.
fn cell(data: &Dataset, place: usize) -> usize {
    let (height, width) = (data.height as usize, data.width as usize);
    if height == 1 {
        return (place % width * CELLS / width).min(CELLS - 1);
    }
    let (row, column) = (place / width % height, place % width);
    row * 4 / height * 4 + column * 4 / width
}
