//! Memory for values that live for a while: who may stand where, decided once, and the memory itself.
//!
//! It knows nothing of layers. A value is given as the moments from which and until which it is needed; two values share
//! a slot where those do not meet.

use crate::order;

/// A value's stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) struct Stay {
    /// The moment it is written first.
    pub(in crate::engine) from: usize,
    /// The last moment it is read or written.
    pub(in crate::engine) until: usize,
    /// Numbers for one row.
    pub(in crate::engine) len: usize,
}

/// Slots, and which value stands in which.
#[derive(Debug, Default)]
pub(in crate::engine) struct Buffers {
    slot_of: Vec<usize>,
    lens: Vec<usize>,
    row_lens: Vec<usize>,
    slots: Vec<Vec<f32>>,
    rows: usize,
}

impl Buffers {
    /// Slots for the values, still without memory.
    pub(in crate::engine) fn new(stays: &[Stay]) -> Self {
        let mut order: Vec<usize> = (0..stays.len()).collect();
        order::sort_by(&mut order, |a, b| stays[*a].from.cmp(&stays[*b].from));
        let mut buffers = Self {
            slot_of: vec![0; stays.len()],
            lens: stays.iter().map(|stay| stay.len).collect(),
            ..Self::default()
        };
        let mut free_from: Vec<usize> = Vec::new();
        for value in order {
            let stay = stays[value];
            // The smallest free slot that is large enough, else the largest free one, which then grows.
            let free = (0..free_from.len()).filter(|&slot| free_from[slot] < stay.from);
            let row_lens = &buffers.row_lens;
            let best = free.min_by_key(|&slot| {
                let len = row_lens[slot];
                (
                    len < stay.len,
                    if len < stay.len {
                        usize::MAX - len
                    } else {
                        len
                    },
                )
            });
            let slot = best.unwrap_or_else(|| {
                free_from.push(0);
                buffers.row_lens.push(0);
                free_from.len() - 1
            });
            free_from[slot] = stay.until;
            buffers.row_lens[slot] = buffers.row_lens[slot].max(stay.len);
            buffers.slot_of[value] = slot;
        }
        buffers.slots = vec![Vec::new(); free_from.len()];
        buffers
    }

    /// The slot of a value.
    pub(in crate::engine) fn slot_of(&self, value: usize) -> usize {
        self.slot_of[value]
    }

    /// Numbers of each slot for one row.
    pub(in crate::engine) fn slot_lens(&self) -> &[usize] {
        &self.row_lens
    }

    /// Numbers of all slots for one row.
    pub(in crate::engine) fn row_len(&self) -> usize {
        self.row_lens.iter().sum()
    }

    /// Makes room for so many rows; more than that many are never there at once.
    pub(in crate::engine) fn reserve(&mut self, rows: usize) {
        if rows > self.rows {
            self.rows = rows;
            for (slot, &len) in self.slots.iter_mut().zip(&self.row_lens) {
                slot.resize(len * rows, 0.0);
            }
        }
    }

    /// A value of so many rows.
    pub(in crate::engine) fn get(&self, value: usize, rows: usize) -> &[f32] {
        &self.slots[self.slot_of[value]][..self.lens[value] * rows]
    }

    /// A value of so many rows, to write.
    pub(in crate::engine) fn get_mut(&mut self, value: usize, rows: usize) -> &mut [f32] {
        &mut self.slots[self.slot_of[value]][..self.lens[value] * rows]
    }

    /// Writes values while others are read: they are taken out for as long as `write` runs.
    pub(in crate::engine) fn with<const COUNT: usize>(
        &mut self,
        values: [usize; COUNT],
        rows: usize,
        write: impl FnOnce(&Self, [&mut [f32]; COUNT]),
    ) {
        let mut taken = values.map(|value| std::mem::take(&mut self.slots[self.slot_of[value]]));
        let mut index = 0;
        let slices = taken.each_mut().map(|slot| {
            let len = self.lens[values[index]] * rows;
            index += 1;
            &mut slot[..len]
        });
        write(self, slices);
        for (value, slot) in values.into_iter().zip(taken) {
            self.slots[self.slot_of[value]] = slot;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stay(from: usize, until: usize, len: usize) -> Stay {
        Stay { from, until, len }
    }

    #[test]
    fn values_that_meet_never_share_a_slot_and_others_do() {
        let stays = [
            stay(0, 1, 10),
            stay(1, 2, 20),
            stay(2, 3, 10),
            stay(3, 4, 30),
            stay(0, 9, 5),
        ];
        let buffers = Buffers::new(&stays);
        for (a, first) in stays.iter().enumerate() {
            for (b, second) in stays.iter().enumerate() {
                let meet = first.from <= second.until && second.from <= first.until;
                let share = buffers.slot_of[a] == buffers.slot_of[b];
                assert!(a == b || !(meet && share), "{a} and {b}");
            }
        }
        // A chain needs two slots, whatever its length.
        assert_eq!(buffers.row_len(), 10 + 30 + 5);
    }

    #[test]
    fn what_is_written_is_read_back() {
        let mut buffers = Buffers::new(&[stay(0, 1, 2), stay(1, 2, 3)]);
        buffers.reserve(2);
        buffers.get_mut(0, 2).copy_from_slice(&[1.0, 2.0, 3.0, 4.0]);
        buffers.with([1], 2, |others, [out]| {
            assert_eq!(out.len(), 6);
            out[..4].copy_from_slice(others.get(0, 2));
        });
        assert_eq!(buffers.get(1, 1), [1.0, 2.0, 3.0]);
    }
}
