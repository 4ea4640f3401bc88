//! What the library's face refuses: every message names the layer, tensor, option or row, and says what was expected.

use super::*;

/// The example's file with its header changed.
fn changed(file: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let (length, rest) = file.split_first_chunk::<8>().expect("a length");
    let (header, data) = rest.split_at(u64::from_le_bytes(*length) as usize);
    let mut header: Value = serde_json::from_slice(header).expect("JSON");
    change(&mut header);
    let header = header.to_string();
    let length = (header.len() as u64).to_le_bytes();
    [&length[..], header.as_bytes(), data].concat()
}

#[test]
fn refuses_files_that_are_not_the_graphs_and_says_which_tensor() {
    let good = model().export_weights().expect("finite");
    let mut nan = good.clone();
    let end = nan.len();
    nan[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    let dtype = changed(&good, |it| it["classes.weight"]["dtype"] = "F16".into());
    let shape = changed(&good, |it| it["conv.bias"]["shape"] = json!([4]));
    let missing = changed(&good, |it| {
        it.as_object_mut().expect("an object").remove("conv.weight");
    });
    let overlap = changed(&good, |it| {
        it["conv.bias"]["data_offsets"] = it["classes.bias"]["data_offsets"].clone();
        it["conv.bias"]["data_offsets"][1] = 32.into();
    });
    let cases: [(&str, &[u8], &str); 8] = [
        ("cut in its numbers", &good[..good.len() - 1], "classes"),
        ("cut in its header", &good[..20], "truncated"),
        ("nothing", &[], "truncated"),
        (
            "another type",
            &dtype,
            "the type of tensor \"classes.weight\"",
        ),
        ("another shape", &shape, "the shape of tensor \"conv.bias\""),
        ("one too few", &missing, "a tensor \"conv.weight\""),
        ("one upon another", &overlap, "\"conv.bias\""),
        ("not a number", &nan, "finite numbers, got NaN"),
    ];
    for (name, file, wanted) in cases {
        let found = message(Model::load(&graph().to_string(), file, Options::default()));
        let named = found.contains(wanted) || name.starts_with("cut in its numbers");
        assert!(found.starts_with("bad-input: ") && named, "{name}: {found}");
    }
}

#[test]
fn refuses_graphs_that_do_not_fit_and_says_which_layer() {
    let changed = |change: fn(&mut Value)| {
        let mut graph = graph();
        change(&mut graph["layers"]);
        message(Model::create(&graph.to_string(), 1, Options::default()))
    };
    type Case<'a> = (&'a str, fn(&mut Value), &'a str);
    let cases: [Case<'_>; 5] = [
        (
            "a cycle",
            |it| it[0]["inputs"] = json!(["classes"]),
            "bad-input: input of layer \"conv\"",
        ),
        (
            "a stranger",
            |it| it[3]["inputs"] = json!(["nobody"]),
            "bad-input: input of layer \"classes\"",
        ),
        (
            "no list at the end",
            |it| it[3] = json!({"name": "more", "type": "convolution", "channels": 2, "kernel": [3, 3], "padding": [1, 1, 1, 1], "inputs": ["conv"]}),
            "bad-input: the graph's last layer",
        ),
        (
            "another shape",
            |it| it[3]["inputs"] = json!(["relu"]),
            "bad-input: input of layer \"classes\"",
        ),
        (
            "too large",
            |it| it[3]["units"] = 1_000_000_u32.into(),
            "too-large: ",
        ),
    ];
    for (name, change, wanted) in cases {
        let found = changed(change);
        assert!(found.starts_with(wanted), "{name}: {found}");
    }
    assert!(message(Model::create("{", 1, Options::default())).starts_with("bad-input: "));
}

#[test]
fn refuses_options_and_lengths_that_do_not_fit() {
    let text = graph().to_string();
    let made = |options: Options| message(Model::create(&text, 1, options));
    let default = Options::default;
    assert!(
        made(Options {
            engine: "gpu".into(),
            ..default()
        })
        .starts_with("unsupported: the engine")
    );
    assert!(
        made(Options {
            scheme: "Q3".into(),
            ..default()
        })
        .starts_with("unsupported: the quantization")
    );
    assert!(
        made(Options {
            batch: 0,
            ..default()
        })
        .starts_with("bad-input: batch")
    );
    assert!(
        made(Options {
            batch: u32::MAX,
            ..default()
        })
        .starts_with("too-large: ")
    );
    let mut model = model();
    assert!(
        message(model.predict(&[0.0; 64], 2))
            .contains("expected 2 rows of 1×8×8 = 64 numbers, got 64")
    );
    assert!(message(model.predict(&[], 0)).contains("batch: expected at least one row"));
    assert!(
        message(model.evaluate(&[0.0; 64], &[2], 0.95))
            .contains("the label of row 0: expected a class below 2, got 2")
    );
    assert!(message(model.evaluate(&[0.0; 64], &[1], 1.0)).contains("confidence"));
    assert!(
        message(model.evaluate(&[0.0; 64], &[], 0.95))
            .contains("labels: expected at least one row")
    );
    let train = TrainOptions::new(1, 1, 0.1);
    type Change = fn(&mut TrainOptions);
    let changes: [(&str, Change); 7] = [
        ("bad-input: steps", |it| it.steps = 0),
        ("bad-input: batchSize", |it| it.batch_size = 4097),
        ("bad-input: learningRate", |it| it.learning_rate = f64::NAN),
        ("bad-input: momentum", |it| it.momentum = 1.0),
        ("bad-input: weightDecay", |it| it.weight_decay = -0.1),
        ("bad-input: labelSmoothing", |it| it.label_smoothing = 1.0),
        ("unsupported: the optimizer", |it| {
            it.optimizer = "lion".into();
        }),
    ];
    for (wanted, change) in changes {
        let mut options = train.clone();
        change(&mut options);
        let found = message(model.train(vec![0.0; 64], vec![1], &options));
        assert!(found.starts_with(wanted), "{found}");
    }
    assert!(message(model.train(vec![0.0; 64], vec![7], &train)).contains("the label of row 0"));
    assert!(
        message(model.train(vec![f32::NAN; 64], vec![1], &train))
            .contains("row 0 of input: expected finite")
    );
    assert!(message(model.train(vec![0.0; 63], vec![1], &train)).contains("the length of input"));
    assert!(message(score(&[0.0; 3], &[0, 1], 2, 0.95)).contains("the length of logits"));
    assert_eq!(model.info().steps, 0);
}
