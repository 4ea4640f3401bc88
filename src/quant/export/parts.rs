//! A stored tensor as the named parts that a safetensors file holds, and back: integers, and scales beside them.

use super::{Codes, Extent, File, Metadata, Scheme, StoredTensor, checked, refused, short, tensor};
use crate::error::Result;
use crate::model::Parameter;
use crate::quant::scheme::BLOCK;

/// Steps of activations, one for the input and for each layer's value.
pub(super) const STEPS: &str = "activations.step";
/// Their smallest and largest codes.
pub(super) const RANGES: &str = "activations.range";

/// The type of a part's numbers, or one of ggml's blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    F32,
    F16,
    I8,
    U8,
    I32,
    /// In GGUF only.
    Block(Scheme),
}

impl Kind {
    pub(super) const PLAIN: [(Self, &'static str); 5] = [
        (Self::F32, "F32"),
        (Self::F16, "F16"),
        (Self::I8, "I8"),
        (Self::U8, "U8"),
        (Self::I32, "I32"),
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Block(scheme) => scheme.name(),
            plain => {
                let mut all = Self::PLAIN.into_iter();
                all.find(|it| it.0 == plain).map_or("", |it| it.1)
            }
        }
    }

    /// Bytes of a tensor of this shape; `u64::MAX` where that is beyond all bounds.
    pub(super) fn bytes(self, shape: &[u64]) -> u64 {
        let numbers = shape
            .iter()
            .try_fold(1_u64, |all, &size| all.checked_mul(size));
        let (block, bytes) = match self {
            Self::F32 | Self::I32 => (1, 4),
            Self::F16 => (1, 2),
            Self::I8 | Self::U8 => (1, 1),
            Self::Block(scheme) => scheme.block().unwrap_or((1, 1)),
        };
        numbers
            .and_then(|numbers| (numbers / block).checked_mul(bytes))
            .unwrap_or(u64::MAX)
    }
}

/// A named list of numbers in a file.
pub(super) struct Part {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Outermost dimension first.
    pub(super) shape: Vec<u64>,
    pub(super) bytes: Vec<u8>,
}

/// One part of a scheme: what is added to the tensor's name, its type, its shape, and which bytes of each run of the stored
/// form are its.
struct Layout {
    suffix: &'static str,
    kind: Kind,
    shape: Vec<u64>,
}

/// How a scheme's bytes are divided: parts in the order of each run, and the bytes that each part has of run `n`.
struct Division {
    parts: Vec<Layout>,
    /// Runs of the stored form: one for each output, group or tensor.
    runs: u64,
    /// Bytes of each part in a run, the last run of an output apart.
    each: Vec<u64>,
    /// The same of the last run of each output, and how many runs an output has.
    last: Vec<u64>,
    of_output: u64,
}

fn division(scheme: Scheme, shape: &[u32]) -> Division {
    let Extent { outputs, inner } = Extent::of_shape(shape);
    let shape: Vec<u64> = shape.iter().map(|&it| u64::from(it)).collect();
    let part = |suffix, kind, shape: &[u64]| Layout {
        suffix,
        kind,
        shape: shape.to_vec(),
    };
    let whole = |parts: Vec<Layout>, runs: u64, each: Vec<u64>| Division {
        parts,
        runs,
        last: each.clone(),
        each,
        of_output: 1,
    };
    match scheme {
        Scheme::F32 => whole(
            vec![part("", Kind::F32, &shape)],
            1,
            vec![outputs * inner * 4],
        ),
        Scheme::F16 => whole(
            vec![part("", Kind::F16, &shape)],
            1,
            vec![outputs * inner * 2],
        ),
        Scheme::Int8WeightsTensor => whole(
            vec![part(".scale", Kind::F32, &[1]), part("", Kind::I8, &shape)],
            1,
            vec![4, outputs * inner],
        ),
        Scheme::Int8Weights | Scheme::Int8 | Scheme::Int8Dynamic => whole(
            vec![
                part(".scale", Kind::F32, &[outputs]),
                part("", Kind::I8, &shape),
            ],
            outputs,
            vec![4, inner],
        ),
        Scheme::Int4 | Scheme::Int4Asymmetric | Scheme::Ternary => {
            let groups = inner.div_ceil(BLOCK);
            let in_byte = if scheme == Scheme::Ternary { 4 } else { 2 };
            let packed = |numbers: u64| numbers.div_ceil(in_byte);
            let rest = inner - (groups - 1) * BLOCK;
            let mut parts = vec![part(".scale", Kind::F16, &[outputs, groups])];
            let mut each = vec![2];
            if scheme == Scheme::Int4Asymmetric {
                parts.push(part(".smallest", Kind::F16, &[outputs, groups]));
                each.push(2);
            }
            let row = (groups - 1) * packed(BLOCK) + packed(rest);
            parts.push(part("", Kind::U8, &[outputs, row]));
            let mut last = each.clone();
            each.push(packed(BLOCK));
            last.push(packed(rest));
            Division {
                parts,
                runs: outputs * groups,
                each,
                last,
                of_output: groups,
            }
        }
        block => {
            let (numbers, bytes) = block.block().unwrap_or((1, 1));
            let row = inner.div_ceil(numbers) * bytes;
            whole(
                vec![part("", Kind::U8, &[outputs, row])],
                1,
                vec![outputs * row],
            )
        }
    }
}

impl Division {
    /// Calls with the number of a part and how many bytes it has, in the order of the stored form.
    fn walk(&self, mut piece: impl FnMut(usize, usize)) {
        for run in 0..self.runs {
            let is_last = (run + 1).is_multiple_of(self.of_output);
            let sizes = if is_last { &self.last } else { &self.each };
            for (part, &size) in sizes.iter().enumerate() {
                piece(part, size as usize);
            }
        }
    }
}

/// The parts of a tensor.
pub(super) fn split(stored: &StoredTensor) -> Vec<Part> {
    let division = division(stored.scheme, &stored.shape);
    let mut bytes = vec![Vec::new(); division.parts.len()];
    let mut rest = stored.bytes.as_slice();
    division.walk(|part, size| {
        let (piece, after) = rest.split_at(size.min(rest.len()));
        bytes[part].extend_from_slice(piece);
        rest = after;
    });
    (division.parts.into_iter().zip(bytes))
        .map(|(part, bytes)| Part {
            name: format!("{}{}", stored.name, part.suffix),
            kind: part.kind,
            shape: part.shape,
            bytes,
        })
        .collect()
}

/// A tensor from its parts, and how many there were.
pub(super) fn joined(file: &File<'_>, parameter: &Parameter) -> Result<(StoredTensor, usize)> {
    let scheme = scheme_of(&file.metadata, &parameter.name)?;
    let division = division(scheme, &parameter.shape);
    let mut sides = Vec::new();
    for part in &division.parts {
        let name = format!("{}{}", parameter.name, part.suffix);
        sides.push(file.take(&name, part.kind, &part.shape)?);
    }
    let mut bytes = Vec::with_capacity(scheme.bytes(Extent::of(parameter)) as usize);
    division.walk(|part, size| {
        let (piece, after) = sides[part].split_at(size);
        bytes.extend_from_slice(piece);
        sides[part] = after;
    });
    Ok((tensor(parameter, scheme, bytes), division.parts.len()))
}

fn scheme_of(metadata: &Metadata, name: &str) -> Result<Scheme> {
    let key = super::scheme_key(name);
    let word = metadata.get(&key).map_or("none", String::as_str);
    let known = Scheme::ALL.into_iter().find(|it| it.1 == word);
    known.map(|it| it.0).ok_or_else(|| {
        refused(
            &format!("a scheme for tensor {name:?} in its metadata"),
            short(word),
        )
    })
}

/// The steps and ranges of activations; nothing where there are none.
pub(super) fn codes(codes: &[Codes]) -> Vec<Part> {
    if codes.is_empty() {
        return Vec::new();
    }
    let count = codes.len() as u64;
    let ends = codes.iter().flat_map(|it| it.range);
    vec![
        Part {
            name: STEPS.into(),
            kind: Kind::F32,
            shape: vec![count],
            bytes: codes.iter().flat_map(|it| it.step.to_le_bytes()).collect(),
        },
        Part {
            name: RANGES.into(),
            kind: Kind::I32,
            shape: vec![count, 2],
            bytes: ends.flat_map(|end| i32::from(end).to_le_bytes()).collect(),
        },
    ]
}

/// Of so many values.
pub(super) fn read_codes(file: &File<'_>, values: usize) -> Result<Vec<Codes>> {
    let count = values as u64;
    let steps = file.take(STEPS, Kind::F32, &[count])?;
    let ranges = file.take(RANGES, Kind::I32, &[count, 2])?;
    // An end beyond 16 bits is beyond what is checked next as well.
    let end = |bytes: [u8; 4]| i16::try_from(i32::from_le_bytes(bytes)).unwrap_or(i16::MIN);
    let codes: Vec<Codes> = (steps.as_chunks().0.iter())
        .zip(ranges.as_chunks().0.as_chunks().0)
        .map(|(&step, &[low, high])| Codes {
            step: f32::from_le_bytes(step),
            range: [end(low), end(high)],
        })
        .collect();
    checked(&codes)?;
    Ok(codes)
}
