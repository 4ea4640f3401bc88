//! Options as JavaScript gives them: a plain object, read name by name; nothing in it is passed over in silence.

use crate::api::{Options, TrainOptions};
use crate::error::{Error, Result};
use wasm_bindgen::{JsCast as _, JsValue};

/// One option that was given.
pub(super) struct Given {
    name: String,
    value: JsValue,
}

impl Given {
    /// Its name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Its value as a number.
    pub(super) fn number(&self) -> Result<f64> {
        self.value.as_f64().ok_or_else(|| self.unfit("a number"))
    }

    /// Its value as a whole number.
    pub(super) fn whole(&self) -> Result<u32> {
        whole(&self.name, self.number()?)
    }

    /// Its value as a text.
    pub(super) fn text(&self) -> Result<String> {
        self.value.as_string().ok_or_else(|| self.unfit("a text"))
    }

    /// Its value as a list of f32.
    fn numbers(&self) -> Result<Vec<f32>> {
        let array = self.value.dyn_ref::<js_sys::Float32Array>();
        array.map_or_else(|| Err(self.unfit("a Float32Array")), |it| Ok(it.to_vec()))
    }

    /// Its value as yes or no.
    pub(super) fn flag(&self) -> Result<bool> {
        self.value
            .as_bool()
            .ok_or_else(|| self.unfit("true or false"))
    }

    fn unfit(&self, expected: &str) -> Error {
        let got = self.value.js_typeof().as_string().unwrap_or_default();
        Error::bad_input(&self.name, expected, format!("a value of type {got}"))
    }
}

/// The options of an object whose value is not `undefined`. No object at all gives none.
pub(super) fn given(options: &JsValue, known: &[&str]) -> Result<Vec<Given>> {
    if options.is_undefined() || options.is_null() {
        return Ok(Vec::new());
    }
    let Some(object) = options.dyn_ref::<js_sys::Object>() else {
        return Err(Error::bad_input("options", "an object", "another value"));
    };
    let mut found = Vec::new();
    for entry in js_sys::Object::entries(object).iter() {
        let entry: js_sys::Array = entry.unchecked_into();
        let name = entry.get(0).as_string().unwrap_or_default();
        let value = entry.get(1);
        if !known.contains(&name.as_str()) {
            let shown: String = name.chars().take(40).collect();
            let expected = format!("only {}", known.join(", "));
            return Err(Error::bad_input("options", expected, format!("{shown:?}")));
        }
        if !value.is_undefined() {
            found.push(Given { name, value });
        }
    }
    Ok(found)
}

/// A JavaScript number that must be a whole one of 32 bits.
pub(super) fn whole(what: &str, number: f64) -> Result<u32> {
    if number.trunc() == number && (0.0..=f64::from(u32::MAX)).contains(&number) {
        Ok(number as u32)
    } else {
        let expected = "a whole number from 0 to 4294967295";
        Err(Error::bad_input(what, expected, number.to_string()))
    }
}

/// What a call cannot do without.
pub(super) fn needed<T>(what: &str, value: Option<T>) -> Result<T> {
    value.ok_or_else(|| Error::bad_input(what, "a number", "nothing"))
}

/// How a model is to run, on top of what holds if nothing is given.
pub(super) fn model_options(options: &JsValue, mut read: Options) -> Result<Options> {
    for option in given(options, &["engine", "scheme", "calibration", "batch"])? {
        match option.name() {
            "engine" => read.engine = option.text()?,
            "scheme" => read.scheme = option.text()?,
            "calibration" => read.calibration = option.numbers()?,
            _ => read.batch = option.whole()?,
        }
    }
    Ok(read)
}

/// How to train.
pub(super) fn train_options(options: &JsValue) -> Result<TrainOptions> {
    const KNOWN: [&str; 9] = [
        "steps",
        "batchSize",
        "learningRate",
        "optimizer",
        "momentum",
        "weightDecay",
        "labelSmoothing",
        "shuffle",
        "seed",
    ];
    let mut read = TrainOptions::new(0, 0, 0.0);
    let (mut steps, mut batch_size, mut learning_rate) = (None, None, None);
    for option in given(options, &KNOWN)? {
        match option.name() {
            "steps" => steps = Some(option.whole()?),
            "batchSize" => batch_size = Some(option.whole()?),
            "learningRate" => learning_rate = Some(option.number()?),
            "optimizer" => read.optimizer = option.text()?,
            "momentum" => read.momentum = option.number()?,
            "weightDecay" => read.weight_decay = option.number()?,
            "labelSmoothing" => read.label_smoothing = option.number()?,
            "shuffle" => read.shuffle = option.flag()?,
            _ => read.seed = option.whole()?,
        }
    }
    read.steps = needed("steps", steps)?;
    read.batch_size = needed("batchSize", batch_size)?;
    read.learning_rate = needed("learningRate", learning_rate)?;
    Ok(read)
}

/// Confidence of an evaluation's interval.
pub(super) fn confidence(options: &JsValue) -> Result<f64> {
    match given(options, &["confidence"])?.first() {
        Some(option) => option.number(),
        None => Ok(0.95),
    }
}
