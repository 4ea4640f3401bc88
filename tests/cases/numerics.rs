//! Stored weights within their bound, and what every comparison of numbers needs.
//!
//! The bounds are derived in `docs/numerics.md`. Each check is also shown a broken value, which it must refuse.

use super::Case;
use assay::model::{Graph, Layer, Weights};
use assay::quant::{self, Extent, Scheme};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// Half the distance from 1 to the next f32.
pub(crate) const ROUNDING: f64 = 1.0 / 16_777_216.0;

pub(crate) fn cases() -> Vec<Case> {
    vec![Case {
        name: "stored_weights_come_back_within_their_bound",
        run: stored_weights_are_close,
    }]
}

pub(crate) fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the CPU engine never waits"),
    }
}

pub(crate) fn text(error: impl ToString) -> String {
    error.to_string()
}

pub(crate) fn same_bits(what: &str, found: &[f32], wanted: &[f32]) -> Result<(), String> {
    if found.len() != wanted.len() {
        return Err(format!(
            "{what}: {} numbers, expected {}",
            found.len(),
            wanted.len()
        ));
    }
    match (found.iter().zip(wanted)).position(|(a, b)| a.to_bits() != b.to_bits()) {
        Some(at) => Err(format!(
            "{what}: element {at} is {}, expected {}",
            found[at], wanted[at]
        )),
        None => Ok(()),
    }
}

/// Every element further than its bound, or nothing.
pub(crate) fn within(
    what: &str,
    found: &[f32],
    wanted: &[f64],
    bounds: &[f64],
) -> Result<(), String> {
    let mut failures = Vec::new();
    for (index, ((&found, &wanted), &bound)) in found.iter().zip(wanted).zip(bounds).enumerate() {
        let off = (f64::from(found) - wanted).abs();
        if off.is_nan() || off > bound {
            failures.push(format!(
                "[{index}] {found} for {wanted}, off by {off:e} > {bound:e}"
            ));
        }
    }
    if found.len() != wanted.len() || !failures.is_empty() {
        return Err(format!(
            "{what}: {} failures: {}",
            failures.len(),
            failures.join("; ")
        ));
    }
    Ok(())
}

/// How far a number may come back from where it was stored; derived in `docs/numerics.md`.
fn storage_bound(block: &[f32], value: f32, scheme: Scheme) -> f64 {
    // Half a unit in the last place of an f16 near `x`.
    let half = |x: f64| (x.abs() / 2048.0).max(1.0 / 33_554_432.0);
    let largest = block
        .iter()
        .fold(0.0_f64, |most, &x| most.max(f64::from(x).abs()));
    let value = f64::from(value);
    match scheme {
        Scheme::F32 => 0.0,
        Scheme::F16 => half(value),
        Scheme::Q8_0 => {
            let step = largest / 127.0;
            (0.5 + 1e-4) * step + 127.0 * half(step)
        }
        _ => {
            let step = largest / 8.0;
            // The side away from the largest number has only seven steps.
            let share = if value.abs() > 7.5 * step { 1.0 } else { 0.5 };
            (share + 1e-4) * step + 8.0 * half(step)
        }
    }
}

fn stored_weights_are_close() -> Result<(), String> {
    let mut graph = Graph::new([1, 8, 8]);
    graph.push("conv", Layer::convolution(32, 3));
    graph.push("conv2", Layer::convolution(4, 3));
    graph.push("flatten", Layer::Flatten);
    graph.push("dense", Layer::linear(10));
    let mut weights = Weights::init(&graph, 1).map_err(text)?;
    // All zero, one sign, tiny, and with its largest number on the positive side.
    let mut special = weights.get("dense.weight").ok_or("no tensor")?.clone();
    special.values[..32].fill(0.0);
    special.values[32..64].iter_mut().for_each(|x| *x = x.abs());
    special.values[64..96].iter_mut().for_each(|x| *x *= 1e-6);
    special.values[96] = 10.0;
    special.values[97] = -9.9;
    weights.insert("dense.weight", special.shape, special.values);
    for (name, scheme) in [
        ("f32", Scheme::F32),
        ("f16", Scheme::F16),
        ("Q8_0", Scheme::Q8_0),
        ("Q4_0", Scheme::Q4_0),
    ] {
        let stored = quant::quantize(
            &graph,
            &weights,
            &quant::Request::named(name).map_err(text)?,
        )
        .map_err(text)?;
        for layer in &stored.layers {
            let blocks = matches!(scheme, Scheme::Q8_0 | Scheme::Q4_0);
            let fits = layer.name == "conv2.weight" || layer.name == "dense.weight";
            let bias = layer.name.ends_with("bias");
            let applied = if bias || (blocks && !fits) {
                Scheme::F32
            } else {
                scheme
            };
            if layer.scheme != applied || layer.reason.is_empty() != (applied == scheme) {
                return Err(format!(
                    "{name}: {} is {:?}: {}",
                    layer.name, layer.scheme, layer.reason
                ));
            }
            let before = &weights.get(&layer.name).ok_or("no tensor")?.values;
            let after = &stored.weights().get(&layer.name).ok_or("no tensor")?.values;
            let outputs = u64::from(layer.shape[0]);
            let inner = before.len() as u64 / outputs;
            if layer.bytes.len() as u64 != applied.bytes(Extent { outputs, inner }) {
                return Err(format!(
                    "{name}: {} has {} bytes",
                    layer.name,
                    layer.bytes.len()
                ));
            }
            let wanted: Vec<f64> = before.iter().map(|&x| x.into()).collect();
            let bounds: Vec<f64> = (before.chunks(32))
                .flat_map(|block| block.iter().map(|&x| storage_bound(block, x, applied)))
                .collect();
            within(&format!("{name} {}", layer.name), after, &wanted, &bounds)?;
            if applied != Scheme::F32 {
                let mut broken = after.clone();
                broken[5] += (10.0 * bounds[5]) as f32;
                if within("broken", &broken, &wanted, &bounds).is_ok() {
                    return Err(format!(
                        "{name} {}: a broken number was not found",
                        layer.name
                    ));
                }
            }
        }
    }
    Ok(())
}
