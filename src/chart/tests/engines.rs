//! The chart of both engines: what it says, marks and lists, and that no number makes it panic.

use super::*;
use crate::result::BatchCost;

/// A CPU that takes 0.1 ms a row against a GPU that takes 1 ms a call and 0.01 ms a row.
fn breakdown(crossover: Option<u32>) -> Breakdown {
    let batches = (0..=8)
        .map(|power| {
            let batch = 1_u32 << power;
            let (cpu, compute) = (0.1 * f64::from(batch), 0.01 * f64::from(batch));
            BatchCost {
                batch,
                cpu_millis: cpu,
                cpu_range_millis: [0.9 * cpu, 1.5 * cpu],
                cpu_samples: 20,
                gpu_millis: 1.0 + compute,
                gpu_range_millis: [1.0, 2.0 + compute],
                gpu_samples: 10,
                compute_millis: compute,
                read_back_millis: 1.0,
                timestamp_millis: Some(compute),
            }
        })
        .collect();
    Breakdown {
        compile_millis: 120.0,
        upload_millis: 3.0,
        upload_bytes: 92_000,
        timestamps: true,
        batches,
        crossover,
    }
}

#[test]
fn the_engines_are_compared_batch_by_batch() {
    let chart = engines(&breakdown(Some(16)), Theme::Light, SIZE);
    check(&chart, "engines");
    assert!(
        chart
            .summary
            .starts_with("The GPU answers sooner than the CPU from 16 rows per call on. A call with one row takes 0.100 ms on the CPU and 1.01 ms on the GPU, 0.0100 ms of it computing"),
        "{}",
        chart.summary
    );
    assert!(chart.summary.contains("A call with 256 rows takes 25.6 ms"));
    assert!(chart.svg.contains("GPU sooner from 16"));
    assert_eq!((chart.columns.len(), chart.rows.len()), (8, 9));
    assert_eq!(chart.rows[4][..2], ["16", "1.60"]);
    // A point for each batch and one for the legend; nine ranges of each engine.
    assert_eq!(chart.svg.matches("<circle").count(), 10);
    assert_eq!(chart.svg.matches("<polygon").count(), 10);
    for batch in ["1", "16", "256"] {
        assert!(
            chart.svg.contains(&format!(">\n{batch}\n</text>")),
            "{batch}"
        );
    }
    let never = engines(&breakdown(None), Theme::Dark, SIZE);
    check(&never, "engines without a crossover");
    assert!(
        never
            .summary
            .starts_with("The CPU answers sooner, or as soon, up to 256 rows"),
        "{}",
        never.summary
    );
    assert!(!never.svg.contains("GPU sooner"));
    let always = engines(&breakdown(Some(1)), Theme::Dark, SIZE);
    assert!(
        always.summary.contains("at every batch measured"),
        "{}",
        always.summary
    );
    // A crossover that was not measured is not drawn.
    let made_up = engines(&breakdown(Some(7)), Theme::Light, SIZE);
    assert!(!made_up.svg.contains("GPU sooner"));
}

#[test]
fn a_hostile_breakdown_is_drawn_or_refused() {
    let hostile = [
        f64::NAN,
        f64::INFINITY,
        -1.0,
        0.0,
        1e-320,
        f64::MIN_POSITIVE,
        f64::MAX,
        1.0,
    ];
    for (index, value) in hostile.into_iter().enumerate() {
        let other = hostile[(index + 3) % hostile.len()];
        for batch in [0, 1, 256, u32::MAX] {
            let cost = BatchCost {
                batch,
                cpu_millis: value,
                cpu_range_millis: [other, value],
                gpu_millis: other,
                gpu_range_millis: [value, other],
                compute_millis: value,
                read_back_millis: other,
                timestamp_millis: Some(value),
                ..BatchCost::default()
            };
            let strange = Breakdown {
                batches: vec![cost, cost, BatchCost { batch: 3, ..cost }],
                crossover: Some(batch),
                timestamps: index % 2 == 0,
                ..Breakdown::default()
            };
            for (width, height) in [(0, 0), (360, 120), (2000, 900)] {
                check(
                    &engines(&strange, Theme::Dark, Size { width, height }),
                    "engines",
                );
            }
        }
    }
}
