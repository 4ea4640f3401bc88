//! The keys of a JSON object, read one by one with their ranges, so that what nobody asked for is refused by its name; it
//! knows no layers.

use super::layer::Window;
use crate::error::{Error, Result};
use serde_json::{Map, Value};

/// Largest number that says how large something is: sides, channels, units.
pub const MAX_SIZE: u32 = 1 << 20;

/// The keys of an object that have not been read yet.
pub(super) struct Keys<'a> {
    /// Whose they are, in messages.
    pub(super) what: String,
    map: &'a Map<String, Value>,
    read: Vec<&'static str>,
}

impl<'a> Keys<'a> {
    pub(super) fn of(value: &'a Value, what: String) -> Result<Self> {
        match value {
            Value::Object(map) => Ok(Self {
                what,
                map,
                read: Vec::new(),
            }),
            other => Err(Error::bad_input(what, "a JSON object", shown(other))),
        }
    }

    pub(super) fn bad<T>(&self, key: &str, expected: &str, got: &Value) -> Result<T> {
        let what = format!("{key} of {}", self.what);
        Err(Error::bad_input(what, expected, shown(got)))
    }

    pub(super) fn take_if(&mut self, key: &'static str) -> Option<&'a Value> {
        self.read.push(key);
        self.map.get(key)
    }

    pub(super) fn take(&mut self, key: &'static str) -> Result<&'a Value> {
        let found = self.take_if(key);
        found.ok_or_else(|| Error::bad_input(&self.what, format!("a key {key:?}"), "none"))
    }

    pub(super) fn word(&mut self, key: &'static str) -> Result<&'a str> {
        let found = self.take(key)?;
        match found.as_str() {
            Some(word) => Ok(word),
            None => self.bad(key, "a text", found),
        }
    }

    pub(super) fn truth(&mut self, key: &'static str, default: bool) -> Result<bool> {
        match self.take_if(key) {
            None => Ok(default),
            Some(Value::Bool(truth)) => Ok(*truth),
            Some(other) => self.bad(key, "true or false", other),
        }
    }

    pub(super) fn number(&mut self, key: &'static str) -> Result<f32> {
        let found = self.take(key)?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "rounded to what the engines compute with; the layer checks its range"
        )]
        match found.as_f64() {
            Some(number) => Ok(number as f32),
            None => self.bad(key, "a number", found),
        }
    }

    pub(super) fn number_or(&mut self, key: &'static str, default: f32) -> Result<f32> {
        match self.map.contains_key(key) {
            true => self.number(key),
            false => Ok(default),
        }
    }

    pub(super) fn size(&mut self, key: &'static str) -> Result<u32> {
        let found = self.take(key)?;
        match size(found, 1) {
            Some(size) => Ok(size),
            None => self.bad(key, &range(1), found),
        }
    }

    pub(super) fn size_or(&mut self, key: &'static str, default: u32) -> Result<u32> {
        match self.map.contains_key(key) {
            true => self.size(key),
            false => Ok(default),
        }
    }

    pub(super) fn sizes<const N: usize>(
        &mut self,
        key: &'static str,
        least: u32,
    ) -> Result<[u32; N]> {
        let found = self.take(key)?;
        let list = found.as_array().filter(|list| list.len() == N);
        let Some(list) = list else {
            return self.bad(key, &format!("a list of {N} numbers"), found);
        };
        let mut sizes = [0; N];
        for (place, value) in sizes.iter_mut().zip(list) {
            match size(value, least) {
                Some(size) => *place = size,
                None => return self.bad(key, &range(least), value),
            }
        }
        Ok(sizes)
    }

    pub(super) fn sizes_or<const N: usize>(
        &mut self,
        key: &'static str,
        least: u32,
        default: [u32; N],
    ) -> Result<[u32; N]> {
        match self.map.contains_key(key) {
            true => self.sizes(key, least),
            false => Ok(default),
        }
    }

    pub(super) fn window(&mut self) -> Result<Window> {
        let size = self.sizes("size", 1)?;
        Ok(Window {
            size,
            stride: self.sizes_or("stride", 1, size)?,
            padding: self.sizes_or("padding", 0, [0; 4])?,
        })
    }

    /// Refuses a key that nobody asked for: it may have meant something.
    pub(super) fn nothing_else(&self) -> Result<()> {
        let known = |key: &str| self.read.contains(&key);
        match self.map.keys().find(|key| !known(key)) {
            None => Ok(()),
            Some(key) => Err(Error::bad_input(
                &self.what,
                format!("only the keys {}", self.read.join(", ")),
                format!("also {:?}", shortened(key)),
            )),
        }
    }
}

fn size(value: &Value, least: u32) -> Option<u32> {
    let number = value.as_f64()?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "integral and in range by the guard"
    )]
    (number.trunc() == number && (f64::from(least)..=f64::from(MAX_SIZE)).contains(&number))
        .then_some(number as u32)
}

fn range(least: u32) -> String {
    format!("whole numbers from {least} to {MAX_SIZE}")
}

/// A value as a message shows it.
fn shown(value: &Value) -> String {
    match value {
        Value::Object(_) => "an object".into(),
        Value::Array(list) => format!("a list of {}", list.len()),
        Value::String(text) => format!("{:?}", shortened(text)),
        other => other.to_string(),
    }
}

/// A text as a message shows it, cut to a length that fits a line.
pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(40) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
