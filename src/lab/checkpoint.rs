//! The bytes from which a run goes on: the trainer's own, and beside them what only the job knows.

use crate::error::{Error, Result};
use crate::recipe::typed;
use crate::result::Execution;
use serde_json::{Value, json};

/// A run's state after an epoch.
pub struct Checkpoint {
    /// When the run started, RFC 3339.
    pub started: String,
    /// Seconds that it has worked.
    pub active_secs: f64,
    /// Finished epochs.
    pub epochs: u32,
    /// On what it has run, where its recipe asks for anything but the CPU.
    pub execution: Option<Execution>,
    /// The trainer's state.
    pub trainer: Vec<u8>,
}

const MAGIC: &[u8; 8] = b"assaycp1";
/// Most bytes of the JSON part, which takes about 60, or a few thousand with what a GPU tells of itself.
const MAX_HEADER: usize = 64 * 1024;

impl Checkpoint {
    /// As bytes: magic, length of the header, JSON header, the trainer's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let header = json!({
            "started": self.started,
            "activeSecs": self.active_secs,
            "epochs": self.epochs,
            "execution": self.execution,
        })
        .to_string();
        let mut bytes = MAGIC.to_vec();
        bytes.extend((header.len() as u32).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(&self.trainer);
        bytes
    }

    /// Reads them back.
    ///
    /// # Errors
    /// [`Error::BadInput`] when the bytes are no checkpoint or are cut short.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let broken = |got: &str| {
            Error::bad_input(
                "the checkpoint",
                "one that this version of Assay made; start the run anew",
                got,
            )
        };
        let rest = bytes
            .strip_prefix(MAGIC)
            .ok_or_else(|| broken("other bytes"))?;
        let (length, rest) = rest
            .split_first_chunk::<4>()
            .ok_or_else(|| broken("a cut one"))?;
        let length = u32::from_le_bytes(*length) as usize;
        if length > MAX_HEADER || length > rest.len() {
            return Err(broken("a cut one"));
        }
        let (header, trainer) = rest.split_at(length);
        let header: Value = std::str::from_utf8(header)
            .map_err(|error| broken(&error.to_string()))
            .and_then(|text| {
                serde_json::from_str(text).map_err(|error| broken(&error.to_string()))
            })?;
        Ok(Self {
            started: header["started"].as_str().unwrap_or_default().into(),
            active_secs: header["activeSecs"].as_f64().unwrap_or(0.0),
            epochs: header["epochs"].as_u64().unwrap_or(0) as u32,
            execution: typed(&header["execution"]).map_err(|message| broken(&message))?,
            trainer: trainer.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_and_refuses_every_cut() {
        let checkpoint = Checkpoint {
            started: "2026-01-01T00:00:00Z".into(),
            active_secs: 1.5,
            epochs: 4,
            execution: Some(Execution {
                engine: "gpu".into(),
                ..Execution::default()
            }),
            trainer: vec![1, 2, 3],
        };
        let bytes = checkpoint.to_bytes();
        let back = Checkpoint::read(&bytes).expect("its own bytes");
        assert_eq!(back.trainer, checkpoint.trainer);
        assert_eq!(back.started, checkpoint.started);
        assert_eq!(back.epochs, checkpoint.epochs);
        assert_eq!(back.execution, checkpoint.execution);
        for cut in 0..bytes.len() - 3 {
            assert!(Checkpoint::read(&bytes[..cut]).is_err(), "cut at {cut}");
        }
    }
}
