//! Models stored under every scheme, and what those in integers answer: one digest each, for every browser and the command.
//!
//! A digest that differs from the committed one is printed as a line to put in its place. For weights that is right only
//! where a scheme's definition changed, for answers where that of integer inference did.

use super::Case;
use super::digests::made_up_rows;
use super::numerics::{ready, text};
use assay::digest::Hasher;
use assay::engine::cpu::CpuEngine;
use assay::engine::{Engine, Parameters};
use assay::eval;
use assay::model::{self, Weights};
use assay::quant::Scheme;
use assay::recipe::{QuantizationSpec, Recipe};
use assay::rng::Stream;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case {
            name: "every_scheme_stores_the_committed_bytes",
            run: stored_bytes_have_their_digests,
        },
        Case {
            name: "integer_models_of_every_family_give_the_committed_logits",
            run: integer_logits_have_their_digests,
        },
    ]
}

/// Scheme and digest of what a small network's weights are stored as.
const STORED: [(&str, &str); 16] = [
    (
        "f32",
        "8c8baea3ad150a71316f20ae2e962af8aa0317c6f2029433f7d2d7e97bdc2562",
    ),
    (
        "f16",
        "9ab25dc8beb0420867ee1313abb526f0ec2e525d9f6de8533906504cf0d6eb4c",
    ),
    (
        "int8-weights",
        "d087d17ef5389065cfad2c10e192e9753f2c225f9887e84c886ebb2f1e69a741",
    ),
    (
        "int8-weights-tensor",
        "22e632d4f20de862726035cb98ef1401da5cab530c0960d36069dc5ce1511b27",
    ),
    (
        "int4",
        "6ab1c0bd7c2c635855354339a245b1175a5d49aef8db85157f929f488931996c",
    ),
    (
        "int4-asymmetric",
        "13108c1780cbca2454e404e9166a1c13ad733dd63c13fc31d85207ec7b6ae57c",
    ),
    (
        "ternary",
        "0e355c16a9d865110a1caa6e9886f74cb1e3cfd0aafb1eba1572877ac9089197",
    ),
    (
        "Q8_0",
        "91a223ccb9d30a3cfccd0322c4df41e6344fbb89b9ed371cc4554617fc6e92f3",
    ),
    (
        "Q6_K",
        "9b28da1fb6ef56357f022d6bd472d786835753dc55f6fcd41aa6468e7eccb7a2",
    ),
    (
        "Q5_1",
        "d940f880f3c88374da62cf504907220ae4e52323832fb0dd01f819f2fd4b1aee",
    ),
    (
        "Q5_0",
        "fb1a97aa31c48e485c25282f41e70e18448dc35a212b76f3c9768780fe9faa17",
    ),
    (
        "Q4_1",
        "44f4859a87dd011366464b28a80ec16fe92652e7fc084f0d389052cfe274df9d",
    ),
    (
        "Q4_0",
        "99e256c6088637ff5e27dbdec2d18fd1a7035e14ea93c13fb4a4699f52ecfdcc",
    ),
    (
        "Q4_K",
        "1bcab6d99983bf4aa7fbec2bcb793dc81a3bf59e6414bba0b759cca0d97b882e",
    ),
    (
        "int8",
        "35cbe10e48091a0d2c0c4d1ebabfa241c8ac594926b6257b718fc85a2b9be09e",
    ),
    (
        "int8-dynamic",
        "fc8be00d196c603209ba052c908d613376e815965b7ad2ded553bc8aa2e84ce7",
    ),
];

/// Family, scheme and digest of the logits.
const LOGITS: [(&str, &str, &str); 12] = [
    (
        "mlp",
        "int8",
        "32c4a84727a24ba06d69d2e98d7fbb749eee4fa70ef437eaac55e22081a6e845",
    ),
    (
        "mlp",
        "int8-dynamic",
        "001d9944aa9f1629203aafe35921790040005748a3b96ac87bc246ffb501a518",
    ),
    (
        "lenet",
        "int8",
        "c487b88c208b59739cc2cfd176c10a25c7c86df6e998ecb079ac0846dfe6955c",
    ),
    (
        "lenet",
        "int8-dynamic",
        "74bb7f91ca550f1e710317862695b5c8a27b9f256c0ac8ff8a191e4699cb9358",
    ),
    (
        "resnet",
        "int8",
        "bfa54dc0c7ab1ac0285b96f55829ea711682045a7d9eb4a3a6d9e305458e3308",
    ),
    (
        "resnet",
        "int8-dynamic",
        "c643c135c71df16410847028d0b0000505f09eb6d56ec2221776192d13292d27",
    ),
    (
        "mobilenet",
        "int8",
        "3fc8fe08a37231cd896b606683f5341080083f01e5bef7b5473dad1dc6dba88d",
    ),
    (
        "mobilenet",
        "int8-dynamic",
        "042442287177a2e364f2cad283afdfaa67b089b2c445903a3bcd4a904c142a48",
    ),
    (
        "vit",
        "int8",
        "500e02a6c262860000438168d3de4c127af013dcd401ddba01fad8bff3638858",
    ),
    (
        "vit",
        "int8-dynamic",
        "3cbcc227b7a6f391d4332aa3a5ad00f1065d93a62807d1d57c92408e0251cd9b",
    ),
    (
        "mixer",
        "int8",
        "8b9bb2f965841d171e5c28a637f2d93ee86f54382a4a51c852a071596ba0fbf5",
    ),
    (
        "mixer",
        "int8-dynamic",
        "8c5ea62c5b70b657a2a4b601b20e64a6d2953714937d8c6f8725f3df074d935b",
    ),
];

fn differing(lines: Vec<String>) -> Result<(), String> {
    if lines.is_empty() {
        return Ok(());
    }
    Err(format!("these differ:\n{}", lines.join("\n")))
}

/// A family's default graph with weights and norms that are not the first ones.
fn made_up(family: &str) -> Result<(model::Plan, Weights), String> {
    let recipe = Recipe::default_for("digits", family);
    let plan = model::plan(&recipe, [1, 8, 8], 3, 50).map_err(text)?;
    let mut weights = Weights::init(&plan.graph, 7).map_err(text)?;
    let mut stream = Stream::new(11, "weights", 0);
    for parameter in plan.graph.parameters().map_err(text)? {
        let mut tensor = weights.remove(&parameter.name).ok_or("a tensor")?;
        let spread = if parameter.name.ends_with("running_var") {
            0.9
        } else {
            0.1
        };
        for value in &mut tensor.values {
            *value += spread * (stream.unit() - 0.5);
        }
        weights.insert(parameter.name, tensor.shape, tensor.values);
    }
    Ok((plan, weights))
}

fn stored_bytes_have_their_digests() -> Result<(), String> {
    let (plan, weights) = made_up("lenet")?;
    let (rows, split) = made_up_rows();
    let mut lines = Vec::new();
    for (_, scheme) in Scheme::ALL {
        let spec = QuantizationSpec {
            scheme: scheme.into(),
            rows: ["Q8_0", "Q4_0"].contains(&scheme).then(|| "padded".into()),
            ..QuantizationSpec::default()
        };
        let stored = eval::stored(&plan.graph, &weights, &spec, &rows, &split.train);
        let found = stored.map_err(text)?.digest();
        let committed = STORED.iter().find(|(name, _)| *name == scheme);
        if committed.is_none_or(|(_, wanted)| *wanted != found) {
            lines.push(format!("    (\"{scheme}\", \"{found}\"),"));
        }
    }
    differing(lines)
}

fn integer_logits_have_their_digests() -> Result<(), String> {
    let (rows, split) = made_up_rows();
    let mut lines = Vec::new();
    for family in ["mlp", "lenet", "resnet", "mobilenet", "vit", "mixer"] {
        let (plan, weights) = made_up(family)?;
        for scheme in ["int8", "int8-dynamic"] {
            let spec = QuantizationSpec {
                scheme: scheme.into(),
                ..QuantizationSpec::default()
            };
            let stored = eval::stored(&plan.graph, &weights, &spec, &rows, &split.train);
            let stored = stored.map_err(text)?;
            let mut engine = CpuEngine::new();
            ready(engine.load(&rows)).map_err(text)?;
            let logits = |rows: &[u32], batch: u32| {
                let parameters = Parameters::Stored(&stored);
                let mut executable = ready(engine.prepare(&plan.graph, parameters, batch))?;
                ready(executable.logits(rows))
            };
            let all = logits(&split.test, 64).map_err(text)?;
            for (index, &row) in split.test.iter().enumerate() {
                let alone = logits(&[row], 1).map_err(text)?;
                let bits = |list: &[f32]| list.iter().map(|it| it.to_bits()).collect::<Vec<_>>();
                if bits(&alone) != bits(&all[index * 3..][..3]) {
                    return Err(format!("{family} {scheme}: row {row} depends on its batch"));
                }
            }
            let mut hasher = Hasher::new();
            hasher.f32s(&all);
            let found = hasher.finish();
            let committed = (LOGITS.iter()).find(|(name, of, _)| *name == family && *of == scheme);
            if committed.is_none_or(|(_, _, wanted)| *wanted != found) {
                lines.push(format!("    (\n        \"{family}\",\n        \"{scheme}\",\n        \"{found}\",\n    ),"));
            }
        }
    }
    differing(lines)
}
