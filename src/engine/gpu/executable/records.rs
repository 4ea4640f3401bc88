//! Turns with their rows as they lie on the device, one behind the other, so that one write brings all of them.

use crate::engine::gpu::kernels::WORDS_STRIDE;
use crate::engine::gpu::kernels::task::{Turn, Words};

/// Turns between two synchronizations at most: each has its words and its slot of the metrics.
pub(super) const MOST_TURNS: usize = 256;

const STRIDE: usize = WORDS_STRIDE as usize / 4;

/// Turns with their rows; the first stands at the beginning of the numbers.
#[derive(Debug)]
pub(super) struct Records {
    /// Words of one.
    stride: usize,
    words: Vec<u32>,
    written: Vec<u32>,
}

impl Records {
    /// Room for batches of so many rows.
    pub(super) const fn new(batch: usize) -> Self {
        Self {
            stride: STRIDE + batch.next_multiple_of(STRIDE),
            words: Vec::new(),
            written: Vec::new(),
        }
    }

    /// Words of all that there is room for.
    pub(super) const fn words(&self) -> usize {
        MOST_TURNS * self.stride
    }

    /// Bytes before a turn.
    pub(super) const fn bytes_before(&self, turn: usize) -> u32 {
        (4 * turn * self.stride) as u32
    }

    /// Begins anew.
    pub(super) fn clear(&mut self) {
        self.words.clear();
    }

    /// Adds a turn that finds its rows, by number, beside it.
    pub(super) fn push(&mut self, mut turn: Turn, rows: impl Iterator<Item = u32>) {
        let begin = self.words.len();
        turn.indices = (begin + STRIDE) as u32;
        turn.words(&mut self.words);
        self.words.resize(begin + STRIDE, 0);
        self.words.extend(rows);
        self.words.resize(begin + self.stride, 0);
    }

    /// The words to write; nothing where the device has them already.
    pub(super) fn changed(&mut self) -> Option<&[u32]> {
        if self.written.starts_with(&self.words) {
            return None;
        }
        self.written.clone_from(&self.words);
        Some(&self.words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_device_has_is_not_written_again() {
        let mut records = Records::new(3);
        let mut filled = |rows: &[u32]| {
            records.clear();
            for &row in rows {
                records.push(Turn::of_rows(1), [row].into_iter());
            }
            records.changed().map(<[u32]>::len)
        };
        assert_eq!(filled(&[5, 6]), Some(2 * 128));
        assert_eq!(filled(&[5, 6]), None);
        assert_eq!(filled(&[5]), None);
        assert_eq!(filled(&[6]), Some(128));
        assert_eq!(filled(&[6, 6]), Some(2 * 128));
    }

    #[test]
    fn a_turn_says_where_its_rows_stand() {
        let mut records = Records::new(70);
        records.push(Turn::of_rows(2), 7..9);
        records.push(Turn::of_rows(1), 9..10);
        let words = records.changed().expect("new").to_vec();
        for (turn, first_row) in [(0, 7), (1, 9)] {
            let begin = records.bytes_before(turn) as usize / 4;
            // The second of a turn's words.
            assert_eq!(words[words[begin + 1] as usize], first_row);
        }
    }
}
