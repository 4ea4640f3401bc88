//! Claimed and measured latency side by side; a difference is never a failure.

use super::super::claim::ClaimedLatency;
use super::super::words::{millis, significant};
use super::metrics::Judge;
use super::{Judgement, Metric};
use crate::result::Latency;

impl Judge<'_> {
    pub(super) fn latencies(&self) -> Vec<Metric> {
        let results = &self.record.results;
        let found = [&results.latency, &results.throughput];
        self.claim
            .results
            .latency
            .iter()
            .filter_map(|claimed| {
                let found = found
                    .into_iter()
                    .flatten()
                    .find(|latency| latency.batch == claimed.batch)?;
                Some(self.latency(claimed, found))
            })
            .collect()
    }

    fn latency(&self, claimed: &ClaimedLatency, found: &Latency) -> Metric {
        let ratio = found.p50_millis / claimed.p50;
        let times = if !ratio.is_finite() || ratio <= 0.0 {
            "The two have no ratio".into()
        } else if found.p50_low_millis <= claimed.high && claimed.low <= found.p50_high_millis {
            "The intervals overlap".into()
        } else if ratio >= 1.0 {
            format!("{} times as long as claimed", significant(ratio, 3))
        } else {
            format!("{} times as fast as claimed", significant(1.0 / ratio, 3))
        };
        let environment = &self.record.environment;
        let name = |browser: &str, version: &str| format!("{browser} {version}").trim().to_owned();
        let there = name(&self.claim.browser, &self.claim.browser_version);
        let here = name(&environment.browser, &environment.browser_version);
        let place = if there == here {
            format!("both ran in {here}, but a link does not say on which device")
        } else {
            format!(
                "claimed from {there}, measured here in {here}, and a link does not say on which device"
            )
        };
        let mut flags = found.flags.join(", ");
        if !flags.is_empty() {
            flags = format!(" Measured here with reservations: {flags}.");
        }
        let text = |p50, low, high| {
            format!(
                "{} ({} to {})",
                millis(p50),
                significant(low, 3),
                significant(high, 3)
            )
        };
        Metric {
            name: format!("latency_{}", claimed.batch),
            label: if claimed.batch == 1 {
                "p50 latency, one row".into()
            } else {
                format!("p50 latency, {} rows", claimed.batch)
            },
            unit: "ms".into(),
            claimed: Some(claimed.p50),
            found: Some(found.p50_millis).filter(|p50| p50.is_finite()),
            claimed_text: text(claimed.p50, claimed.low, claimed.high),
            found_text: text(
                found.p50_millis,
                found.p50_low_millis,
                found.p50_high_millis,
            ),
            verdict: Judgement::Compared,
            tolerance: "none".into(),
            reason: format!(
                "{times}. Latency depends on the device: {place}. Never a failure.{flags}"
            ),
        }
    }
}
