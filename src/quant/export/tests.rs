//! Files of every scheme there and back, and files that lie.

use super::*;
use crate::model::{Layer, Weights};
use crate::quant::{Calibration, Request, Seen, quantize, stored};
use crate::recipe::QuantizationSpec;
use proptest::prelude::*;

fn graph() -> Graph {
    let mut graph = Graph::new([1, 6, 6]);
    graph.push("conv", Layer::convolution(5, 3));
    graph.push("flatten", Layer::Flatten);
    graph.push("dense", Layer::linear(3));
    graph
}

fn weights() -> Weights {
    Weights::init(&graph(), 7).expect("fits")
}

fn asked(scheme: &str) -> Stored {
    let graph = graph();
    let seen = Calibration {
        seen: vec![Seen::default(); graph.nodes.len() + 1],
        rows: 100,
    };
    let spec = QuantizationSpec {
        scheme: scheme.into(),
        rows: Some("padded".into()),
        ..QuantizationSpec::default()
    };
    stored(&graph, &weights(), &spec, Some(&seen)).expect("fits")
}

fn metadata() -> Metadata {
    [("recipe_digest".to_owned(), "0".repeat(64))].into()
}

#[test]
fn every_scheme_comes_back_bit_for_bit_from_safetensors() {
    for (scheme, name) in Scheme::ALL {
        let stored = asked(name);
        let bytes = write(&stored, Format::Safetensors, &metadata()).expect("writes");
        let (back, text) = read(&bytes, Format::Safetensors, &graph()).expect("reads");
        assert_eq!(back.digest(), stored.digest(), "{name}");
        assert_eq!(back.weights().digest(), stored.weights().digest(), "{name}");
        assert_eq!(back.integer(), stored.integer(), "{name}");
        assert_eq!(text["recipe_digest"].len(), 64);
        assert_eq!(back.integer().is_some(), scheme.is_integer());
        // What is more than the numbers themselves is the header.
        let codes = stored.codes().len() * 12;
        let header = u64::from_le_bytes(*bytes.first_chunk().expect("a length")) as usize;
        assert_eq!(
            bytes.len(),
            8 + header + stored.bytes() as usize + codes,
            "{name}"
        );
    }
}

#[test]
fn ggmls_types_come_back_bit_for_bit_from_gguf_and_others_are_refused_by_name() {
    for (scheme, name) in Scheme::ALL {
        let stored = asked(name);
        let written = write(&stored, Format::Gguf, &metadata());
        if scheme.block().is_none() && !matches!(scheme, Scheme::F32 | Scheme::F16) {
            let error = written.expect_err("refused").to_string();
            assert!(
                error.contains("conv.weight") && error.contains("safetensors"),
                "{error}"
            );
            continue;
        }
        let bytes = written.expect("writes");
        let (back, text) = read(&bytes, Format::Gguf, &graph()).expect("reads");
        assert_eq!(back.digest(), stored.digest(), "{name}");
        assert_eq!(text["assay.shape.conv.weight"], "5,1,3,3");
    }
}

#[test]
fn one_changed_bit_of_a_weight_is_another_model() {
    for (format, scheme) in [(Format::Safetensors, "int4"), (Format::Gguf, "Q4_0")] {
        let stored = asked(scheme);
        let mut bytes = write(&stored, format, &metadata()).expect("writes");
        // Before what fills up the last two tensors.
        let last = bytes.len() - 70;
        bytes[last] ^= 1;
        let (back, _) = read(&bytes, format, &graph()).expect("reads");
        assert_ne!(back.digest(), stored.digest());
    }
}

#[test]
fn files_that_lie_are_refused_in_words() {
    let bytes = write(&asked("int8"), Format::Safetensors, &metadata()).expect("writes");
    let refused = |from: &str, to: &str| {
        let header = 8 + u64::from_le_bytes(*bytes.first_chunk().expect("a length")) as usize;
        let text = String::from_utf8(bytes[8..header].to_vec()).expect("JSON");
        assert!(text.contains(from), "{text}");
        let text = text.replacen(from, to, 1);
        let all = [
            &(text.len() as u64).to_le_bytes(),
            text.as_bytes(),
            &bytes[header..],
        ]
        .concat();
        let error = read(&all, Format::Safetensors, &graph()).expect_err("refused");
        error.to_string()
    };
    for (from, to, word) in [
        (
            r#""assay.scheme.conv.weight":"int8""#,
            r#""assay.scheme.conv.weight":"int5""#,
            "int5",
        ),
        (
            r#""assay.scheme.conv.bias":"f32""#,
            r#""assay.scheme.conv.bias":"int8""#,
            "conv.bias",
        ),
        (
            r#""assay.version":"1""#,
            r#""assay.version":"2""#,
            "version 2",
        ),
        (
            r#""shape":[5,1,3,3]"#,
            r#""shape":[5,3,1,3]"#,
            "[5, 1, 3, 3]",
        ),
        (r#""dtype":"I8""#, r#""dtype":"U8""#, "I8"),
        (r#""dtype":"I8""#, r#""dtype":"F64""#, "a type"),
        (r#""activations.step""#, r#""activations.stop""#, "int8"),
        (
            r#""activations.range""#,
            r#""activations.rings""#,
            "activations.range",
        ),
    ] {
        let error = refused(from, to);
        assert!(error.contains(word), "{to}: {error}");
    }
    let error = read(&bytes[..bytes.len() - 1], Format::Safetensors, &graph());
    assert!(error.is_err());
    let bytes = write(&asked("Q8_0"), Format::Gguf, &metadata()).expect("writes");
    for cut in 0..bytes.len() - 31 {
        let error = read(&bytes[..cut], Format::Gguf, &graph()).expect_err("refused");
        assert!(error.to_string().len() > 20, "{error}");
    }
    let mut huge = bytes.clone();
    huge[8..16].copy_from_slice(&u64::MAX.to_le_bytes());
    let error = read(&huge, Format::Gguf, &graph())
        .expect_err("refused")
        .to_string();
    assert!(error.contains("18446744073709551615"), "{error}");
}

#[test]
fn a_layer_of_another_scheme_says_so_in_the_file() {
    let request = Request::of(&QuantizationSpec {
        scheme: "int4".into(),
        layers: Some([("dense".to_owned(), "f16".to_owned())].into()),
        ..QuantizationSpec::default()
    })
    .expect("known");
    let mixed = quantize(&graph(), &weights(), &request).expect("fits");
    let bytes = write(&mixed, Format::Safetensors, &metadata()).expect("writes");
    let (back, text) = read(&bytes, Format::Safetensors, &graph()).expect("reads");
    assert_eq!(text["assay.scheme.dense.weight"], "f16");
    assert_eq!(back.digest(), mixed.digest());
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400), form in any::<bool>()) {
        let (format, magic) = if form { (Format::Gguf, &b"GGUF\x03\0\0\0"[..]) } else { (Format::Safetensors, &[][..]) };
        let bytes = [magic, &bytes].concat();
        if let Err(error) = read(&bytes, format, &graph()) {
            prop_assert!(error.to_string().len() < 400);
        }
    }
}
