//! Every kernel against its twin over a table of shapes, all arenas compared number by number; a test, not a gate.

mod dynamic;
mod integers;
mod layers;
mod numbers;
mod products;
mod rounding;
mod shapes;
mod table;

use super::arena::{Arena, Memory, Sizes};
use super::device::Gpu;
use super::kernels::grid::Dispatch;
use super::kernels::task::{Turn, Words};
use super::kernels::{Kernel, WORDS_STRIDE};
use super::pipeline::{DOTS, PLAIN_DOTS, Pipelines, record};
use super::staging::Staging;
use super::twin::{self, Arenas, Expected};
use crate::error::Result;
use std::cell::RefCell;

/// A dispatch with what the arenas hold before it.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its kernel and shape in words.
    pub name: String,
    dispatch: Dispatch,
    turn: Turn,
    before: Arenas,
}

/// How the products of integers multiply where WGSL has packed products, and where it has none.
pub const PRODUCTS_OF_FOUR: [&str; 2] = [DOTS, PLAIN_DOTS];

/// The table.
#[must_use]
pub fn cases() -> Vec<Case> {
    table::cases()
}

/// Kernels without a case: none.
#[must_use]
pub fn kernels_without_a_case() -> Vec<&'static str> {
    let cases = cases();
    let has = |kernel: Kernel| {
        cases
            .iter()
            .any(|case| case.dispatch.task.kernel() == kernel)
    };
    (Kernel::ALL.iter().filter(|&&kernel| !has(kernel)))
        .map(|kernel| kernel.row().name)
        .collect()
}

impl Case {
    /// Runs it on both and compares; then moves single numbers and expects to find each.
    ///
    /// # Errors
    /// What differs, in words.
    pub async fn check(&self, gpu: &Gpu) -> std::result::Result<(), String> {
        let expected = twin::run(&self.dispatch.task, &self.turn, &self.before);
        let found = self
            .run(gpu, None)
            .await
            .map_err(|error| error.to_string())?;
        let problems = differences(&expected, &found);
        if !problems.is_empty() {
            return Err(format!(
                "{} numbers differ: {}",
                problems.len(),
                problems[..problems.len().min(6)].join("; ")
            ));
        }
        would_notice(&expected, &found)
    }

    /// Runs it with another text in the kernel's place, and returns how many numbers differ.
    ///
    /// # Errors
    /// Where the kernel's text has no `from`, or the device fails.
    pub async fn sabotaged(
        &self,
        gpu: &Gpu,
        from: &str,
        to: &str,
    ) -> std::result::Result<usize, String> {
        let source = self.dispatch.task.kernel().source();
        if !source.contains(from) {
            return Err(format!("{} has no {from:?}", self.name));
        }
        let expected = twin::run(&self.dispatch.task, &self.turn, &self.before);
        let source = source.replacen(from, to, 1);
        let found = self
            .run(gpu, Some(&source))
            .await
            .map_err(|error| error.to_string())?;
        Ok(differences(&expected, &found).len())
    }

    /// Every arena after the dispatch.
    async fn run(&self, gpu: &Gpu, source: Option<&str>) -> Result<Arenas> {
        let before = &self.before;
        let pipelines = RefCell::new(Pipelines::new(gpu));
        match source {
            Some(source) => {
                let mut own = Pipelines::new(gpu);
                own.sabotage(gpu, &self.dispatch, source).await?;
                pipelines.replace(own);
            }
            None => {
                Pipelines::compile(&pipelines, gpu, &[self.dispatch], &mut |_, _| {}).await?;
            }
        }
        let pipelines = pipelines.into_inner();
        // The turn stands behind the numbers, where a window may begin.
        let turn_at = (before.numbers.len() as u64).next_multiple_of(u64::from(WORDS_STRIDE) / 4);
        let sizes = Sizes {
            tasks: 1,
            weights: before.weights.len() as u64,
            moments: before.moments.len() as u64,
            values: before.values.len() as u64,
            data: before.data.len() as u64,
            numbers: turn_at + u64::from(WORDS_STRIDE) / 4,
            metrics: before.metrics.len() as u64,
        };
        let memory = Memory::new(gpu, &pipelines.layout, sizes).await?;
        let mut turn = Vec::new();
        self.turn.words(&mut turn);
        memory.write(gpu, Arena::Tasks, 0, &self.dispatch.task.words());
        memory.write(gpu, Arena::Numbers, turn_at, &turn);
        memory.write_numbers(gpu, Arena::Weights, 0, &before.weights);
        memory.write_numbers(gpu, Arena::Moments, 0, &before.moments);
        memory.write_numbers(gpu, Arena::Values, 0, &before.values);
        memory.write_numbers(gpu, Arena::Data, 0, &before.data);
        memory.write(gpu, Arena::Numbers, 0, &before.numbers);
        memory.write(gpu, Arena::Metrics, 0, &before.metrics);
        let recorded = pipelines.recorded(&[self.dispatch], 0)?;
        gpu.scoped("running a kernel", || {
            let mut encoder = gpu.device.create_command_encoder(&Default::default());
            let mut pass = encoder.begin_compute_pass(&Default::default());
            record(
                &mut pass,
                &memory,
                &recorded,
                4 * turn_at as u32,
                self.turn.rows,
            );
            drop(pass);
            gpu.queue.submit([encoder.finish()]);
        })
        .await?;
        let stretches = [
            (Arena::Weights, 0, sizes.weights),
            (Arena::Moments, 0, sizes.moments),
            (Arena::Values, 0, sizes.values),
            (Arena::Metrics, 0, sizes.metrics),
        ];
        let words = Staging::default().read(gpu, &memory, &stretches).await?;
        let mut words = words.into_iter();
        let mut floats = |count: u64| {
            words
                .by_ref()
                .take(count as usize)
                .map(f32::from_bits)
                .collect()
        };
        Ok(Arenas {
            weights: floats(sizes.weights),
            moments: floats(sizes.moments),
            values: floats(sizes.values),
            metrics: words.collect(),
            data: before.data.clone(),
            numbers: before.numbers.clone(),
        })
    }
}

/// An arena's name, what was expected, how far off it may be, and what was found.
type List<'a> = (&'static str, &'a [f32], &'a [f64], &'a [f32]);

/// Names of the arenas with what was expected, how far off it may be, and what was found.
fn lists<'a>(expected: &'a Expected, found: &'a Arenas) -> [List<'a>; 3] {
    [
        (
            "weights",
            &expected.arenas.weights,
            &expected.weights,
            &found.weights,
        ),
        (
            "moments",
            &expected.arenas.moments,
            &expected.moments,
            &found.moments,
        ),
        (
            "values",
            &expected.arenas.values,
            &expected.values,
            &found.values,
        ),
    ]
}

fn differences(expected: &Expected, found: &Arenas) -> Vec<String> {
    let mut problems = Vec::new();
    for (name, wanted, errors, found) in lists(expected, found) {
        for (index, ((&wanted, &error), &found)) in wanted.iter().zip(errors).zip(found).enumerate()
        {
            let off = (f64::from(found) - f64::from(wanted)).abs();
            let fits = off <= error || found.to_bits() == wanted.to_bits();
            if !fits {
                problems.push(format!(
                    "{name} {index}: {found:e} instead of {wanted:e} ± {error:.1e}"
                ));
            }
        }
    }
    let metrics = expected
        .arenas
        .metrics
        .iter()
        .zip(&expected.metrics)
        .zip(&found.metrics);
    for (index, ((&wanted, &error), &found)) in metrics.enumerate() {
        let fits = match error {
            None => wanted == found,
            Some(error) => {
                (f64::from(f32::from_bits(wanted)) - f64::from(f32::from_bits(found))).abs()
                    <= error
            }
        };
        if !fits {
            problems.push(format!(
                "metrics {index}: {found:#x} instead of {wanted:#x}"
            ));
        }
    }
    problems
}

/// A number that is ten tolerances off must be found, one that nobody writes must not change by a bit, and tolerances
/// are small against the numbers.
fn would_notice(expected: &Expected, found: &Arenas) -> std::result::Result<(), String> {
    for (name, wanted, errors, _) in lists(expected, found) {
        let written: Vec<usize> = (0..errors.len())
            .filter(|&index| errors[index] > 0.0)
            .collect();
        let kept = (0..errors.len()).find(|&index| errors[index] == 0.0);
        let picked = [
            written.first(),
            written.get(written.len() / 2),
            written.last(),
            kept.as_ref(),
        ];
        for &index in picked.into_iter().flatten() {
            let mut moved = found.clone();
            let list = match name {
                "weights" => &mut moved.weights,
                "moments" => &mut moved.moments,
                _ => &mut moved.values,
            };
            let step = (10.0 * errors[index]).max(f64::from(wanted[index].abs()) * 1e-6 + 1e-30);
            list[index] = (f64::from(wanted[index]) + step) as f32;
            if differences(expected, &moved).len() != 1 {
                return Err(format!("{name} {index} was moved and nobody noticed"));
            }
        }
        let square = |sum: f64, size: f64| sum + size * size;
        let sizes = written
            .iter()
            .map(|&index| f64::from(wanted[index]))
            .fold(0.0, square);
        let bounds = written.iter().map(|&index| errors[index]).fold(0.0, square);
        if bounds.sqrt() > 2e-3 * sizes.sqrt() + 1e-5 {
            return Err(format!(
                "{name}: tolerances of {:.1e} of the numbers",
                (bounds / sizes).sqrt()
            ));
        }
    }
    Ok(())
}
