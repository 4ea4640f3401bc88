#![allow(missing_docs)]
use assay::data;
use assay::engine::{Engine, Parameters, cpu::CpuEngine, loss};
use assay::model;
use assay::recipe::Recipe;
use assay::train::{Step, Trainer};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(v) => v,
        _ => panic!(),
    }
}
fn run(recipe: &Recipe) -> (f64, f64) {
    let d = data::load("digits").unwrap();
    let split = data::split(&d, &recipe.split, recipe.seed).unwrap();
    let rows = data::rows(&d, &recipe.preprocessing, &split).unwrap();
    let plan = model::plan(recipe, rows.shape, 10, split.train.len() as u32).unwrap();
    let mut e = CpuEngine::new();
    ready(e.load(&rows)).unwrap();
    let mut t = ready(Trainer::new(&e, &plan, recipe, &rows, &split)).unwrap();
    let s = std::time::Instant::now();
    loop {
        if let Step::Finished(_) = ready(t.step()).unwrap() {
            break;
        }
    }
    let secs = s.elapsed().as_secs_f64();
    let mut x = ready(e.prepare(t.graph(), Parameters::Exact(t.kept().unwrap().0), 64)).unwrap();
    let logits = ready(x.logits(&split.test)).unwrap();
    let labels: Vec<u16> = split
        .test
        .iter()
        .map(|&r| rows.labels[r as usize])
        .collect();
    let l = loss::cross_entropy(&logits, &labels, 10);
    (f64::from(l.correct) / f64::from(l.rows), secs)
}
#[test]
fn sweep() {
    for line in std::env::var("SWEEP").unwrap().split(';') {
        let (mut accs, mut secs) = (vec![], 0.0);
        let mut params = 0;
        for seed in 1..=std::env::var("SEEDS").map_or(5, |s| s.parse().unwrap()) {
            let mut words = line.split_whitespace();
            let mut doc = Recipe::default_for("digits", words.next().unwrap()).to_value();
            for w in words {
                let (p, v) = w.split_once('=').unwrap();
                let (a, b) = p.split_once('.').unwrap();
                doc[a][b] = serde_json::from_str(v).unwrap_or(serde_json::Value::String(v.into()));
            }
            doc["seed"] = seed.into();
            let r = assay::recipe::from_value(doc).unwrap();
            params = model::plan(&r, [1, 8, 8], 10, 1000).unwrap().cost.macs;
            let (a, s) = run(&r);
            accs.push(a);
            secs += s;
        }
        let mean = accs.iter().sum::<f64>() / accs.len() as f64;
        let min = accs.iter().copied().fold(1.0, f64::min);
        println!(
            "RES {line}: mean {mean:.4} min {min:.4} macs {params} {:.2} s each {accs:.3?}",
            secs / accs.len() as f64
        );
    }
}
