//! Which tile a product gets, by measurement: chosen once for each kernel and size, kept for the device; no result depends
//! on it but in rounding.
//!
//! Candidates are timed as the slope over repeats in one submission, so that handing over and waiting cancel. What the
//! budget does not reach keeps [`Tile::choose`]'s.

use super::arena::Memory;
use super::executable::Counts;
use super::kernels::grid::Dispatch;
use super::kernels::task::{Turn, Words};
use super::kernels::tile::{Device, Tile};
use super::pipeline::record;
use super::staging::Staging;
use super::workshop::Workshop;
use crate::error::Result;
use crate::order;
use crate::stats;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// How much measuring may take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TuningOptions {
    /// Milliseconds for a model's products, hottest first, compiling candidates included; 0 measures nothing.
    pub budget_millis: f64,
}

impl Default for TuningOptions {
    fn default() -> Self {
        Self {
            budget_millis: 300.0,
        }
    }
}

/// Candidates of a product, the default among them.
const CANDIDATES: usize = 4;
/// How often a product is repeated, and how often where one takes longer than [`SLOW_MILLIS`].
const REPEATS: [u32; 2] = [4, 16];
const FEW_REPEATS: [u32; 2] = [1, 3];
const SLOW_MILLIS: f64 = 3.0;
/// Rounds of a candidate.
const ROUNDS: usize = 3;
/// A candidate replaces the default only where it takes at most this share of its time: less is noise.
const WORTH_IT: f64 = 0.97;

/// The version of the text form; it changes with the kernels, whose times the choices are.
const VERSION: u64 = 1;
/// Longest text that is read, and most choices that are kept.
const MOST_BYTES: usize = 1 << 18;
const MOST_CHOICES: usize = 2_000;

/// Tiles that were chosen, by kernel and sizes.
#[derive(Debug, Default)]
pub(crate) struct Tiles {
    chosen: BTreeMap<String, Tile>,
}

/// What a choice is for: `product_quads 4096×576×64`, times how many there are of them.
fn key(dispatch: &Dispatch, rows: u32) -> Option<String> {
    let product = dispatch.task.product(rows)?;
    let name = dispatch.task.kernel().row().name;
    let [rows, columns, terms] = product.sizes;
    Some(match product.times {
        1 => format!("{name} {rows}×{terms}×{columns}"),
        times => format!("{name} {times}×{rows}×{terms}×{columns}"),
    })
}

/// The tiles worth timing, the default first.
fn candidates(device: Device, dispatch: &Dispatch, rows: u32) -> Vec<Tile> {
    let Some(product) = dispatch.task.product(rows) else {
        return Vec::new();
    };
    let [rows, columns, terms] = product.sizes;
    let cost = |tile: &Tile| tile.cost(device, rows * product.times, columns, terms);
    let mut tiles = Tile::ALL.to_vec();
    order::sort_by(&mut tiles, |a, b| cost(a).total_cmp(&cost(b)));
    tiles.retain(|&tile| Some(tile) != dispatch.tile);
    dispatch
        .tile
        .into_iter()
        .chain(tiles)
        .take(CANDIDATES)
        .collect()
}

impl Tiles {
    /// Those of a text that [`Tiles::text`] wrote for this adapter; none of any other text.
    pub(crate) fn read(text: &str, adapter: &str) -> Self {
        let mut tiles = Self::default();
        if text.len() > MOST_BYTES {
            return tiles;
        }
        let Ok(document) = serde_json::from_str::<Value>(text) else {
            return tiles;
        };
        let is_ours = document["version"].as_u64() == Some(VERSION)
            && document["adapter"].as_str() == Some(adapter);
        let chosen = document["tiles"].as_object().filter(|_| is_ours);
        for (key, words) in chosen.into_iter().flatten().take(MOST_CHOICES) {
            let tile =
                (Tile::ALL.into_iter()).find(|tile| words.as_str() == Some(tile.words().as_str()));
            if let Some(tile) = tile {
                tiles.chosen.insert(key.clone(), tile);
            }
        }
        tiles
    }

    /// As JSON text that names the adapter.
    pub(crate) fn text(&self, adapter: &str) -> String {
        let mut tiles = Map::new();
        for (key, tile) in &self.chosen {
            tiles.insert(key.clone(), tile.words().into());
        }
        json!({ "version": VERSION, "adapter": adapter, "tiles": tiles }).to_string()
    }

    /// In words, one choice each: `product_quads 4096×576×64 → 32×32 by 32 in 4 slices`.
    pub(crate) fn words(&self) -> Vec<String> {
        (self.chosen.iter())
            .map(|(key, tile)| format!("{key} → {}", tile.words()))
            .collect()
    }

    /// Gives dispatches for so many rows the tiles that were chosen for them.
    pub(crate) fn apply(&self, dispatches: &mut [Dispatch], rows: u32) {
        for dispatch in dispatches {
            let tile = key(dispatch, rows).and_then(|key| self.chosen.get(&key));
            let changed =
                tile.and_then(|&tile| Dispatch::with_tile(dispatch.task, rows, Some(tile)));
            if let Some(changed) = changed {
                *dispatch = changed;
            }
        }
    }

    fn keep(&mut self, key: String, tile: Tile) {
        if self.chosen.len() < MOST_CHOICES {
            self.chosen.insert(key, tile);
        }
    }
}

/// A model's memory while its products are timed.
pub(crate) struct Trial<'a> {
    pub(crate) workshop: &'a Workshop,
    pub(crate) memory: &'a Memory,
    pub(crate) staging: &'a mut Staging,
    pub(crate) counts: &'a mut Counts,
}

impl Trial<'_> {
    /// Times the products among dispatches, whose tasks are on the device in this order, and keeps what was chosen.
    ///
    /// # Errors
    /// The device's own.
    pub(crate) async fn tune(&mut self, dispatches: &[Dispatch], rows: u32) -> Result<()> {
        let budget = self.workshop.tuning().budget_millis;
        let Some(began) = self.workshop.millis().filter(|_| budget > 0.0) else {
            return Ok(());
        };
        let mut seen = BTreeSet::new();
        let mut products: Vec<(u64, u32, String)> = Vec::new();
        for (task, dispatch) in (0..).zip(dispatches) {
            let Some(key) = key(dispatch, rows) else {
                continue;
            };
            let is_known = self.workshop.tiles.borrow().chosen.contains_key(&key);
            if !is_known && seen.insert(key.clone()) {
                products.push((dispatch.task.work(rows).flops, task, key));
            }
        }
        if products.is_empty() {
            return Ok(());
        }
        order::sort_by(&mut products, |a, b| b.0.cmp(&a.0));
        let mut turn = Vec::new();
        Turn::of_rows(rows).words(&mut turn);
        let gpu = &self.workshop.gpu;
        self.memory
            .write(gpu, super::arena::Arena::Numbers, 0, &turn);
        let is_over =
            |workshop: &Workshop| workshop.millis().is_none_or(|now| now - began >= budget);
        for (_, task, key) in products {
            let dispatch = &dispatches[task as usize];
            let mut times = Vec::new();
            for tile in candidates(gpu.kind(), dispatch, rows) {
                if is_over(self.workshop) {
                    // The candidates that are left are not known to be slower.
                    return Ok(());
                }
                let Some(candidate) = Dispatch::with_tile(dispatch.task, rows, Some(tile)) else {
                    continue;
                };
                self.workshop.compile_quietly(&[candidate]).await?;
                times.push((tile, self.time(&candidate, task, rows).await?));
            }
            let Some(&(default, own)) = times.first() else {
                continue;
            };
            let (best, least) = (times.iter().copied())
                .reduce(|best, other| if other.1 < best.1 { other } else { best })
                .unwrap_or((default, own));
            let tile = if least <= WORTH_IT * own {
                best
            } else {
                default
            };
            self.workshop.tiles.borrow_mut().keep(key, tile);
        }
        Ok(())
    }

    /// Milliseconds of one dispatch.
    async fn time(&mut self, dispatch: &Dispatch, task: u32, rows: u32) -> Result<f64> {
        // The first time also warms up.
        let single = self.repeated(dispatch, [task, rows], 1).await?;
        let counts = if single > SLOW_MILLIS {
            FEW_REPEATS
        } else {
            REPEATS
        };
        let mut points = Vec::new();
        for _ in 0..ROUNDS {
            for count in counts {
                points.push((
                    f64::from(count),
                    self.repeated(dispatch, [task, rows], count).await?,
                ));
            }
        }
        Ok(stats::line(&points).map_or(single, |(slope, _)| slope))
    }

    /// Milliseconds from handing over so many repeats until the device has answered.
    async fn repeated(
        &mut self,
        dispatch: &Dispatch,
        [task, rows]: [u32; 2],
        times: u32,
    ) -> Result<f64> {
        const BYTES: u64 = 4;
        let gpu = &self.workshop.gpu;
        let recorded =
            (self.workshop.pipelines.borrow()).recorded(std::slice::from_ref(dispatch), task)?;
        let staging = self.staging.take(gpu, BYTES).await?;
        let mut encoder = gpu.device.create_command_encoder(&Default::default());
        let mut pass = encoder.begin_compute_pass(&Default::default());
        for _ in 0..times {
            record(&mut pass, self.memory, &recorded, 0, rows);
        }
        drop(pass);
        let values = super::arena::Arena::Values;
        self.memory
            .copy(&mut encoder, values, 0, &staging, 0, BYTES);
        let commands = encoder.finish();
        let before = self.workshop.millis();
        gpu.queue.submit([commands]);
        gpu.read(&staging, BYTES, |_| {}).await?;
        let after = self.workshop.millis();
        self.staging.give(staging);
        self.counts.dispatches += u64::from(times);
        self.counts.submissions += 1;
        self.counts.synchronizations += 1;
        self.counts.bytes_down += BYTES;
        Ok(Option::zip(before, after).map_or(0.0, |(before, after)| after - before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Tiles {
        let mut tiles = Tiles::default();
        tiles.keep("product_quads 4096×576×64".into(), Tile::ALL[4]);
        tiles.keep("product 64×128×10".into(), Tile::ALL[7]);
        tiles
    }

    #[test]
    fn choices_come_back_from_their_text() {
        let text = some().text("a GPU");
        let read = Tiles::read(&text, "a GPU");
        assert_eq!(read.chosen, some().chosen);
        assert_eq!(read.text("a GPU"), text);
        assert_eq!(
            read.words()[1],
            "product_quads 4096×576×64 → 32×32 by 32 in 4 slices"
        );
    }

    #[test]
    fn choices_of_another_adapter_version_or_form_are_none() {
        let text = some().text("a GPU");
        for (text, adapter) in [
            (text.clone(), "another GPU"),
            (text.replace("\"version\":1", "\"version\":2"), "a GPU"),
            (text.replace("by 32 in", "by 33 in"), "another"),
            (text[..text.len() - 2].to_owned(), "a GPU"),
            (String::new(), ""),
            ("[1, 2]".into(), "a GPU"),
            (format!("{text}{}", " ".repeat(MOST_BYTES)), "a GPU"),
        ] {
            assert_eq!(
                Tiles::read(&text, adapter).chosen.len(),
                0,
                "{adapter}: {text:.80}"
            );
        }
        let other_tile = text.replace("32×32 by 32 in 4 slices", "as it likes");
        assert_eq!(Tiles::read(&other_tile, "a GPU").chosen.len(), 1);
    }
}
