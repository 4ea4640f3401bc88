//! Stored weights as a file and back: which numbers stand where; `docs/quantization.md` describes both forms for readers of
//! other programs. It neither runs a model nor decides whether a file may be handed out.

mod gguf;
mod parts;
mod safetensors;

use super::calibrate::Codes;
use super::fold::folds;
use super::scheme::{Extent, Scheme};
use super::stored::{Stored, StoredTensor};
use crate::error::{Error, Result};
use crate::model::{Graph, Parameter, ParameterRole};
use crate::order;
use parts::Kind;
use std::collections::BTreeMap;

/// Free text of a file, by key.
pub type Metadata = BTreeMap<String, String>;

/// Larger files are refused before they are read.
pub const MAX_FILE_BYTES: usize = 1 << 30;

/// A form of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Every scheme; packed integers as bytes with their scales beside them.
    Safetensors,
    /// f32, f16 and ggml's block types.
    Gguf,
}

impl Format {
    /// By its name, which is also the ending of its files.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for another name.
    pub fn from_name(name: &str) -> Result<Self> {
        match name {
            "safetensors" => Ok(Self::Safetensors),
            "gguf" => Ok(Self::Gguf),
            other => Err(Error::Unsupported {
                feature: format!("the file format {other:?}"),
                why: "this version writes safetensors and gguf".into(),
            }),
        }
    }
}

/// Writes a stored model; `metadata` is kept as it is, under keys that do not begin with `assay.`.
///
/// # Errors
/// [`Error::Unsupported`] for a scheme that the form has no type for; it names the tensor and what would do.
pub fn write(stored: &Stored, format: Format, metadata: &Metadata) -> Result<Vec<u8>> {
    let mut metadata = metadata.clone();
    metadata.insert("assay.version".into(), "1".into());
    let tensors = stored.layers.iter();
    match format {
        Format::Safetensors => {
            let mut parts = Vec::new();
            for tensor in tensors {
                metadata.insert(scheme_key(&tensor.name), tensor.scheme.name().into());
                parts.extend(parts::split(tensor));
            }
            parts.extend(parts::codes(stored.codes()));
            Ok(safetensors::write(&parts, &metadata))
        }
        Format::Gguf => {
            let parts = tensors.map(gguf::part).collect::<Result<Vec<_>>>()?;
            for tensor in &stored.layers {
                let shape: Vec<String> = tensor.shape.iter().map(ToString::to_string).collect();
                metadata.insert(format!("assay.shape.{}", tensor.name), shape.join(","));
            }
            Ok(gguf::write(&parts, &metadata))
        }
    }
}

/// Reads a file of a model's stored weights, given the graph that runs, [`Stored::graph`]: it must hold exactly its tensors. Nothing is
/// allocated before the file's own words on their sizes were compared with the graph's.
///
/// # Errors
/// [`Error::BadInput`] in words for a file that is cut short, that contradicts itself or the graph, or that is too long.
pub fn read(bytes: &[u8], format: Format, graph: &Graph) -> Result<(Stored, Metadata)> {
    if bytes.len() > MAX_FILE_BYTES {
        return Err(Error::TooLarge {
            what: "the file of weights".into(),
            got: bytes.len() as u64,
            limit: MAX_FILE_BYTES as u64,
            unit: "bytes",
        });
    }
    let file = match format {
        Format::Safetensors => safetensors::open(bytes)?,
        Format::Gguf => gguf::open(bytes)?,
    };
    let version = file.metadata.get("assay.version").map(String::as_str);
    if version != Some("1") {
        return Err(refused(
            "a file that this version of Assay wrote",
            format!("one of version {}", short(version.unwrap_or("none"))),
        ));
    }
    let parameters = graph.parameters()?;
    // Integers have no batch norms that a layer could take up.
    let can_be_integers = folds(graph)?.is_empty();
    let mut tensors = Vec::with_capacity(parameters.len());
    let mut left = file.places.len();
    for parameter in &parameters {
        let (tensor, taken) = match format {
            Format::Safetensors => parts::joined(&file, parameter)?,
            Format::Gguf => (gguf::tensor(&file, parameter)?, 1),
        };
        left -= taken;
        check_scheme(&tensor, parameter, can_be_integers)?;
        tensors.push(tensor);
    }
    let values = graph.nodes.len() + 1;
    let codes = match file.places.get(parts::STEPS) {
        Some(_) => {
            let codes = parts::read_codes(&file, values)?;
            left -= 2;
            codes
        }
        None => Vec::new(),
    };
    if codes.is_empty() && tensors.iter().any(|it| it.scheme == Scheme::Int8) {
        return Err(refused("steps of activations for int8", "none".into()));
    }
    if left > 0 {
        let known = |name: &str| {
            name == parts::STEPS
                || name == parts::RANGES
                || parameters.iter().any(|it| {
                    let rest = name.strip_prefix(it.name.as_str());
                    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
                })
        };
        let other = file.places.keys().find(|name| !known(name));
        let other = other.map_or("parts that its schemes do not have", String::as_str);
        return Err(refused(
            "only the model's tensors",
            format!("also {}", short(other)),
        ));
    }
    let stored = Stored::rebuilt(graph.clone(), tensors, codes)?;
    Ok((stored, file.metadata))
}

/// A file whose tensors were found, and its bytes.
struct File<'a> {
    metadata: Metadata,
    places: BTreeMap<String, Place>,
    data: &'a [u8],
}

/// Where a tensor's bytes are, as a file says; they lie within the data.
struct Place {
    kind: Kind,
    /// Outermost dimension first.
    shape: Vec<u64>,
    start: usize,
    end: usize,
}

impl File<'_> {
    /// The bytes of a tensor that must have this type and shape.
    fn take(&self, name: &str, kind: Kind, shape: &[u64]) -> Result<&[u8]> {
        let wanted = || format!("{} of shape {shape:?}", kind.name());
        let what = || format!("tensor {name:?} of the file of weights");
        let place = self
            .places
            .get(name)
            .ok_or_else(|| Error::bad_input(what(), wanted(), "none"))?;
        let bytes = &self.data[place.start..place.end];
        if place.kind != kind || place.shape != shape || bytes.len() as u64 != kind.bytes(shape) {
            let shape = short(&format!("{:?}", place.shape));
            let got = format!(
                "{} of shape {shape}, {} bytes",
                place.kind.name(),
                bytes.len()
            );
            return Err(Error::bad_input(what(), wanted(), got));
        }
        Ok(bytes)
    }
}

/// Whether tensors lie one after the other from the beginning to the end of the data, each beginning at a multiple.
fn check_order(places: &BTreeMap<String, Place>, data: usize, multiple: usize) -> Result<()> {
    let mut all: Vec<(usize, usize, &String)> = (places.iter())
        .map(|(name, place)| (place.start, place.end, name))
        .collect();
    order::sort(&mut all);
    let mut filled = 0_usize;
    for (start, end, name) in all {
        if start != filled.next_multiple_of(multiple) {
            let wanted = format!("tensor {:?} right after the one before it", short(name));
            return Err(refused(&wanted, "a gap or an overlap".into()));
        }
        filled = end;
    }
    if data != filled && data != filled.next_multiple_of(multiple) {
        return Err(refused(
            &format!("{filled} bytes of tensors"),
            format!("{data}"),
        ));
    }
    Ok(())
}

fn scheme_key(tensor: &str) -> String {
    format!("assay.scheme.{tensor}")
}

/// Whether a tensor may have its scheme, and integers their steps.
fn check_scheme(tensor: &StoredTensor, parameter: &Parameter, can_be_integers: bool) -> Result<()> {
    let scheme = tensor.scheme;
    let role = scheme == Scheme::F32 || parameter.role == ParameterRole::Weight;
    if !role || (scheme.is_integer() && !can_be_integers) {
        return Err(refused(
            &format!("a scheme that {} can take", tensor.name),
            scheme.name().into(),
        ));
    }
    let row = 4 + Extent::of(parameter).inner as usize;
    let is_sound = |row: &[u8]| {
        let (step, integers) = row.split_at(4);
        let step = step
            .first_chunk()
            .map_or(f32::NAN, |it| f32::from_le_bytes(*it));
        (step == 0.0 || (step.is_normal() && step > 0.0)) && !integers.contains(&0x80)
    };
    if scheme.is_integer() && !tensor.bytes.chunks_exact(row).all(is_sound) {
        return Err(refused(
            "steps above 0 and integers from -127 to 127",
            format!("others in {}", tensor.name),
        ));
    }
    Ok(())
}

/// The codes in a file, as they must be to be computed with.
fn checked(codes: &[Codes]) -> Result<()> {
    let sound = |it: &Codes| {
        let [low, high] = it.range;
        it.step.is_normal()
            && it.step > 0.0
            && (-255..=0).contains(&low)
            && (0..=255).contains(&high)
            && high - low <= 255
    };
    match codes.iter().position(|it| !sound(it)) {
        None => Ok(()),
        Some(value) => Err(refused(
            "steps above 0 and ranges of at most 256 codes with 0 between them",
            format!("{:?} for value {value}", codes[value]),
        )),
    }
}

fn refused(wanted: &str, got: String) -> Error {
    Error::bad_input("the file of weights", wanted, got)
}

/// A text from a file as it may be shown in a message.
fn short(text: &str) -> String {
    if text.chars().count() <= 60 {
        return text.into();
    }
    format!("{}…", text.chars().take(60).collect::<String>())
}

/// One tensor as a reader found it.
fn tensor(parameter: &Parameter, scheme: Scheme, bytes: Vec<u8>) -> StoredTensor {
    StoredTensor {
        name: parameter.name.clone(),
        shape: parameter.shape.clone(),
        scheme,
        reason: String::new(),
        bytes,
    }
}

#[cfg(test)]
mod tests;
