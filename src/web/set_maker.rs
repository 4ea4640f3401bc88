//! The page's second module: makes a set of data, from a seed or from files of a person's own, step by step; it knows no lab.

use super::js_error::js_error;
use crate::data::import::{Opened, Options, Reading};
use crate::data::{self, Dataset, LocalMaker, Maker as _, Making};
use crate::error::{Error, Result};
use crate::recipe::{DataSpec, typed};
use serde_json::json;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

type Js<T> = std::result::Result<T, JsValue>;

/// Makes one set.
#[wasm_bindgen]
pub struct SetMaker {
    maker: LocalMaker,
    making: Option<Box<dyn Making>>,
    spec: DataSpec,
    made: Option<Dataset>,
}

#[wasm_bindgen]
impl SetMaker {
    /// Before anything.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new() -> Self {
        console_error_panic_hook::set_once();
        Self {
            maker: LocalMaker {
                opened: Opened::default(),
            },
            making: None,
            spec: DataSpec::default(),
            made: None,
        }
    }

    /// Adds a file of a person's own.
    ///
    /// # Errors
    /// Throws `too-large` where the files together are above the limit.
    #[wasm_bindgen(js_name = addFile)]
    pub fn add_file(&mut self, name: &str, bytes: &[u8]) -> Js<()> {
        thrown(self.maker.opened.add(name, bytes))
    }

    /// What a recipe calls the files that were added.
    #[must_use]
    pub fn identity(&self) -> String {
        self.maker.opened.identity()
    }

    /// Refuses the files where a recipe names others.
    ///
    /// # Errors
    /// Throws `bad-input` with the file that is another one.
    pub fn check(&self, identity: &str) -> Js<()> {
        thrown(self.maker.opened.check(identity))
    }

    /// Begins the set of a recipe's section `data`, given as JSON text.
    ///
    /// # Errors
    /// Throws `bad-input` for a set or parameter that there is not, `no-file` where a file has to be opened first.
    pub fn begin(&mut self, data: &str) -> Js<()> {
        thrown(self.start(data, false))
    }

    /// Begins to read the files that were added, whatever file the section names; what else it states counts.
    ///
    /// # Errors
    /// As [`SetMaker::begin`].
    pub fn read(&mut self, data: &str) -> Js<()> {
        thrown(self.start(data, true))
    }

    /// Makes a part of some milliseconds; the share that is done, or nothing where none is left.
    ///
    /// # Errors
    /// Throws what makes the set impossible.
    pub fn step(&mut self) -> Js<Option<f64>> {
        let step = match &mut self.making {
            Some(making) => thrown(making.step())?,
            None => None,
        };
        if step.is_none()
            && let Some(making) = self.making.take()
        {
            self.made = Some(thrown(making.finish())?);
        }
        Ok(step)
    }

    /// The packed set, once all was made.
    ///
    /// # Errors
    /// Throws `bad-input` where nothing was.
    pub fn take(&self) -> Js<Vec<u8>> {
        thrown(self.made().map(data::pack))
    }

    /// What to write into a recipe for it: `{ data, title, notes }` as JSON text.
    ///
    /// # Errors
    /// Throws `bad-input` where nothing was made.
    pub fn stated(&self) -> Js<String> {
        let stated = self.made().map(|dataset| {
            let mut spec = self.spec.clone();
            data::state(&mut spec, &self.identity(), dataset);
            let (title, notes) = (&dataset.title, &dataset.notes);
            json!({ "data": spec, "title": title, "notes": notes }).to_string()
        });
        thrown(stated)
    }

    fn start(&mut self, data: &str, whatever: bool) -> Result<()> {
        let unfit = |error: String| Error::bad_input("data", "a recipe's section", error);
        let value = serde_json::from_str(data).map_err(|error| unfit(error.to_string()))?;
        self.spec = typed(&value).map_err(unfit)?;
        self.made = None;
        self.making = Some(if whatever {
            let options = Options::from_spec(&self.spec)?;
            Box::new(Reading::new(&self.maker.opened, &options))
        } else {
            self.maker.begin(&self.spec)?
        });
        Ok(())
    }

    fn made(&self) -> Result<&Dataset> {
        let made = self.made.as_ref();
        made.ok_or_else(|| Error::bad_input("the set", "one that was made", "none"))
    }
}

impl Default for SetMaker {
    fn default() -> Self {
        Self::new()
    }
}

fn thrown<T>(result: Result<T>) -> Js<T> {
    result.map_err(|error| js_error(&error))
}
