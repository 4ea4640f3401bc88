//! Who stands where in the values arena: items share a place where they are never needed at the same time.

use crate::engine::cpu::buffers::{Buffers, Stay};
use crate::error::{Error, Result};
use std::collections::BTreeMap;

/// Places begin at multiples of it.
const ALIGNMENT: u64 = 64;

/// Something that needs a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Item {
    /// A value of the graph.
    Value(usize),
    /// The same before it was rounded as it will be stored.
    Exact(usize),
    /// What the activation at the end of a group was given, by the group's last node.
    Kept(usize),
    /// What a node's way back must know: statistics of a norm, of an attention.
    Statistics(usize),
    /// Statistics or sums in parts, between two dispatches.
    Partial(usize),
    /// The gradient of a value.
    Gradient(usize),
    /// A copy of a gradient for a value, at a node.
    Copied(usize, usize),
    /// What a node reads as integers, with the steps of its rows behind.
    Codes(usize),
    /// The parts of a parameter's gradient, by where it begins; needed until the optimizer has run.
    Part(usize),
}

/// Items with their stays, then with their places.
#[derive(Debug, Default)]
pub(super) struct Places {
    items: BTreeMap<Item, Stay>,
    decided: BTreeMap<Item, u32>,
    len: u64,
}

impl Places {
    /// The place of an item of so many numbers at a moment; 0 until places are decided.
    pub(super) fn at(&mut self, item: Item, len: u64, moment: usize) -> u32 {
        let stay = self.items.entry(item).or_insert(Stay {
            from: moment,
            until: moment,
            len: len as usize,
        });
        stay.until = stay.until.max(moment);
        self.decided.get(&item).copied().unwrap_or(0)
    }

    /// Keeps all parts until a moment.
    pub(super) fn touch_all_parts(&mut self, moment: usize) {
        for (item, stay) in &mut self.items {
            if matches!(item, Item::Part(_)) {
                stay.until = stay.until.max(moment);
            }
        }
    }

    /// Whether items have their places.
    pub(super) const fn is_decided(&self) -> bool {
        self.len > 0
    }

    /// Numbers of the arena.
    pub(super) const fn len(&self) -> u64 {
        self.len
    }

    /// Gives every item its place.
    ///
    /// # Errors
    /// [`Error::TooLarge`] where there are more numbers than a word can count.
    pub(super) fn decide(&mut self) -> Result<()> {
        let stays: Vec<Stay> = self.items.values().copied().collect();
        let buffers = Buffers::new(&stays);
        let mut firsts = Vec::new();
        let mut len = 0_u64;
        for slot in buffers.slot_lens() {
            firsts.push(len);
            len += (*slot as u64).next_multiple_of(ALIGNMENT);
        }
        if len > u64::from(u32::MAX / 4) {
            return Err(Error::TooLarge {
                what: "the numbers of a batch on the GPU".into(),
                got: len,
                limit: u64::from(u32::MAX / 4),
                unit: "numbers",
            });
        }
        self.decided = (self.items.keys().enumerate())
            .map(|(index, &item)| (item, firsts[buffers.slot_of(index)] as u32))
            .collect();
        self.len = len.max(1);
        Ok(())
    }
}
