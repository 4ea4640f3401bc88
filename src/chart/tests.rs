//! Every chart: complete SVG, words with numbers, a table of the same, and no panic on any input.

mod engines;

use super::*;
use crate::result::{Breakdown, Confusion, EpochPoint, Latency};
use crate::runlog::record::{self, Record};

const SIZE: Size = Size {
    width: 640,
    height: 240,
};

fn sample() -> Record {
    record::read(crate::runlog::SAMPLE).expect("reads").0
}

fn point(label: &str, x: f64, accuracy: f64) -> Point {
    Point {
        label: label.into(),
        x,
        x_low: x,
        x_high: x,
        accuracy,
        accuracy_low: accuracy - 0.01,
        accuracy_high: accuracy + 0.01,
        highlighted: false,
    }
}

fn axis(log: bool) -> XAxis {
    XAxis {
        name: "p50 latency".into(),
        unit: "ms".into(),
        log,
    }
}

/// Tags are closed in the right order, numbers are numbers, the words are there and the text is large enough.
fn check(chart: &Chart, name: &str) {
    let svg = &chart.svg;
    assert!(
        svg.starts_with("<svg ") && svg.contains("role=\"img\""),
        "{name}"
    );
    assert!(svg.contains("<title>") && svg.contains("<desc>"), "{name}");
    let mut open = Vec::new();
    for piece in svg.split('<').skip(1) {
        let (tag, _) = piece
            .split_once('>')
            .unwrap_or_else(|| panic!("{name}: {piece}"));
        for wrong in ["NaN", "inf", "\u{0}", "style=", "script"] {
            assert!(!tag.contains(wrong), "{name}: {tag}");
        }
        let word = tag.split([' ', '/']).next().unwrap_or_default();
        if let Some(closed) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(closed), "{name}");
        } else if !tag.ends_with('/') {
            open.push(word);
        }
    }
    assert!(open.is_empty(), "{name}: {open:?}");
    for size in svg.split("font-size=\"").skip(1) {
        let size: f64 = size
            .split('"')
            .next()
            .expect("a value")
            .parse()
            .expect("a number");
        assert!(
            size >= 11.0 * f64::from(canvas::PX) - 1e-6,
            "{name}: {size}"
        );
    }
    assert!(!chart.summary.is_empty(), "{name}");
    for row in &chart.rows {
        assert_eq!(row.len(), chart.columns.len(), "{name}: {row:?}");
    }
}

#[test]
fn curves_say_what_they_show() {
    let record = sample();
    let training = record.results.training.as_ref().expect("trained");
    let curve = Curve {
        label: "base",
        points: &training.curve,
        epochs_planned: 12,
    };
    let chart = curves(&[curve], Theme::Light, SIZE);
    check(&chart, "curves");
    assert_eq!(chart.rows.len(), 12);
    assert!(
        chart.summary.starts_with("After epoch 12"),
        "{}",
        chart.summary
    );
    assert!(chart.summary.contains("lowest validation loss"));
    let two = curves(
        &[
            curve,
            Curve {
                label: "<b>&",
                ..curve
            },
        ],
        Theme::Dark,
        SIZE,
    );
    check(&two, "two curves");
    assert_eq!(two.rows.len(), 24);
    assert_eq!(two.columns[0], "run");
    assert!(two.svg.contains("&lt;b&gt;&amp;"));
}

#[test]
fn training_and_validation_differ_by_dash_too() {
    let record = sample();
    let training = record.results.training.as_ref().expect("trained");
    let curve = Curve {
        label: "",
        points: &training.curve,
        epochs_planned: 12,
    };
    let svg = curves(&[curve], Theme::Light, SIZE).svg;
    let lines = svg.matches("<polyline").count();
    // Two solid lines; the rest are the grid and the pieces of the dashed ones.
    assert!(lines > 50, "{lines}");
}

#[test]
fn the_confusion_matrix_counts_and_names_its_cells() {
    let record = sample();
    let matrix = record.results.confusion.as_ref().expect("scored");
    let chart = confusion(matrix, Theme::Light, SIZE);
    check(&chart, "confusion");
    assert!(
        chart.summary.starts_with("7 of 360 rows"),
        "{}",
        chart.summary
    );
    assert_eq!((chart.columns.len(), chart.rows.len()), (12, 10));
    assert!(chart.svg.contains("data-true=\"8\" data-predicted=\"1\""));
    assert!(
        chart
            .svg
            .contains("<title>true 8, answered 1: 3 of 35 (8.6 %)</title>")
    );
    let cells = matrix.counts.iter().filter(|count| **count > 0).count();
    assert_eq!(chart.svg.matches("data-true").count(), cells);
}

#[test]
fn the_latency_strip_draws_every_sample() {
    let record = sample();
    let latencies = [
        record.results.latency.as_ref().expect("measured"),
        record.results.throughput.as_ref().expect("measured"),
    ];
    let chart = latency(&latencies, Theme::Dark, SIZE);
    check(&chart, "latency");
    assert!(chart.summary.contains("p50 0.213 ms"), "{}", chart.summary);
    assert!(
        chart.summary.contains("mean of 4 calls"),
        "{}",
        chart.summary
    );
    let drawn = chart.svg.matches("<circle").count() + chart.svg.matches("<polygon").count();
    // Only samples on the same half pixel are drawn once.
    assert!((330..=390).contains(&drawn), "{drawn}");
    assert_eq!(chart.rows.len(), 240);
    assert!(
        chart.svg.contains("6 above, up to"),
        "far samples are counted"
    );
}

#[test]
fn the_scatter_finds_what_none_beats() {
    let points = [
        point("slow and good", 3.0, 0.98),
        point("fast and poor", 1.0, 0.90),
        point("beaten", 3.5, 0.95),
        point("equal to the first", 3.0, 0.98),
        point("not measured", f64::NAN, 0.99),
    ];
    for log in [false, true] {
        let chart = scatter(&points, &axis(log), Theme::Light, SIZE);
        check(&chart, "scatter");
        let front: Vec<&str> = chart.rows.iter().map(|row| row[5].as_str()).collect();
        assert_eq!(front, ["yes", "yes", "no", "no", "no"]);
        assert!(
            chart.summary.contains("2 are not beaten"),
            "{}",
            chart.summary
        );
        assert!(
            chart.summary.contains("1 run without both"),
            "{}",
            chart.summary
        );
        assert_eq!(chart.svg.matches("data-index").count(), 4);
    }
}

#[test]
fn five_thousand_runs_stay_below_a_megabyte() {
    let points: Vec<Point> = (0..5000_u32)
        .map(|index| {
            let share = f64::from(index.wrapping_mul(2_654_435_761) >> 8) / f64::from(1 << 24);
            point("run", 0.1 + share, 0.9 + 0.05 * share * share)
        })
        .collect();
    let chart = scatter(&points, &axis(true), Theme::Light, SIZE);
    assert!(chart.svg.len() < 1_000_000, "{}", chart.svg.len());
    assert_eq!(chart.rows.len(), 5000);
}

#[test]
fn nothing_to_show_is_said() {
    let none = Confusion {
        classes: Vec::new(),
        counts: Vec::new(),
    };
    for (name, chart) in [
        ("curves", curves(&[], Theme::Light, SIZE)),
        ("confusion", confusion(&none, Theme::Light, SIZE)),
        ("latency", latency(&[], Theme::Light, SIZE)),
        ("scatter", scatter(&[], &axis(false), Theme::Light, SIZE)),
        (
            "engines",
            engines(&Breakdown::default(), Theme::Light, SIZE),
        ),
    ] {
        check(&chart, name);
        assert!(chart.rows.is_empty(), "{name}");
        assert!(chart.svg.contains(&chart.summary), "{name}");
    }
}

#[test]
fn no_number_and_no_size_makes_a_chart_panic() {
    let hostile = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MAX,
        f64::MIN,
        f64::MIN_POSITIVE,
        -0.0,
        0.0,
        1e-320,
        1.0,
        0.97,
    ];
    let sizes = [(0, 0), (1, 5000), (360, 120), (u32::MAX, 10), (361, 777)];
    for (index, value) in hostile.into_iter().enumerate() {
        for (turn, (width, height)) in sizes.into_iter().enumerate() {
            let size = Size { width, height };
            let other = hostile[(index + turn) % hostile.len()];
            let epoch = |epoch, loss, share| EpochPoint {
                epoch,
                train_loss: loss,
                train_accuracy: share,
                validation_loss: share,
                validation_accuracy: loss,
                learning_rate: loss,
                secs: share,
            };
            let epochs = [
                epoch(1, value, other),
                epoch(u32::MAX, other, value),
                epoch(0, value, value),
            ];
            let curve = Curve {
                label: "x\u{0}\u{202e}",
                points: &epochs,
                epochs_planned: u32::MAX,
            };
            check(&curves(&[curve, curve], Theme::Light, size), "curves");
            check(&curves(&[curve; 9], Theme::Dark, size), "many curves");
            let mut measured = sample().results.latency.expect("measured");
            measured.samples_millis = vec![value, other, value];
            (measured.p50_low_millis, measured.p50_millis) = (value, other);
            check(&latency(&[&measured; 8], Theme::Dark, size), "latency");
            let strange = Point {
                x_low: other,
                x_high: value,
                accuracy_low: other,
                highlighted: turn == 0,
                ..point("</svg>", value, other)
            };
            let points = [strange.clone(), point("b", other, value), strange];
            for log in [false, true] {
                check(&scatter(&points, &axis(log), Theme::Light, size), "scatter");
            }
        }
    }
}

#[test]
fn a_hostile_confusion_matrix_is_drawn_or_refused() {
    for (classes, counts) in [
        (1, vec![u32::MAX]),
        (2, vec![1]),
        (2, vec![u32::MAX; 4]),
        (60, vec![7; 3600]),
        (199, vec![1; 199 * 199]),
        (300, vec![1; 90_000]),
    ] {
        let matrix = Confusion {
            classes: (0..classes)
                .map(|class| format!("<class> with a long name & number {class}\u{1}"))
                .collect(),
            counts,
        };
        for (width, height) in [(240, 120), (360, 360), (2000, 900)] {
            check(
                &confusion(&matrix, Theme::Dark, Size { width, height }),
                "confusion",
            );
        }
    }
    let _: fn(&[&Latency], Theme, Size) -> Chart = latency;
}
