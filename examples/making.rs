//! Times how the generators make their sets on one core, natively, as docs/own-data.md; it judges nothing.
//!
//! `cargo run --release --example making`

#![expect(
    clippy::unwrap_used,
    reason = "a measurement that cannot go on has failed"
)]
#![expect(clippy::disallowed_methods, reason = "it measures time")]

use assay::data;
use assay::recipe::DataSpec;
use std::time::Instant;

const ROUNDS: usize = 5;

fn main() {
    for (set, size) in [("chess", 156), ("vibration", 2000)] {
        let spec = DataSpec {
            size: Some(size),
            ..DataSpec::named(set)
        };
        let mut rows = 0;
        let mut seconds: Vec<f64> = (0..ROUNDS)
            .map(|_| {
                let began = Instant::now();
                rows = data::from_spec(&spec).unwrap().rows();
                began.elapsed().as_secs_f64()
            })
            .collect();
        seconds.sort_by(f64::total_cmp);
        let median = seconds[ROUNDS / 2];
        let rate = f64::from(rows) / median;
        println!("{set}: {rows} rows in {median:.3} s, {rate:.0} a second (median of {ROUNDS})");
    }
}
