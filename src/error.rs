//! Why something could not be done, sorted by what the person can do next; it knows no engine and no browser.
//!
//! Bad data is a finding and a non-finite training is an event; neither is an error.

/// One thing that is wrong with a document, at the place where it is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Dotted path of the field, such as `training.epochs`; empty for the document as a whole.
    pub path: String,
    /// What was expected and what was found, without a full stop.
    pub message: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.path.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.path, self.message)
        }
    }
}

/// Why an operation could not be completed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A recipe breaks its form or a range; every problem is listed. Next: correct those fields.
    #[error("the recipe cannot be used: {}", joined(.0))]
    Recipe(Vec<Problem>),
    /// A link cannot be read. Next: ask the sender for the whole link.
    #[error("the link cannot be read: {0}")]
    Link(String),
    /// A record or a line of a log cannot be read. Next: export it again.
    #[error("the record cannot be read: {0}")]
    Record(String),
    /// A value does not fit where it is used. Next: change that value.
    #[error("{what}: expected {expected}, got {got}")]
    BadInput {
        /// The thing that was wrong.
        what: String,
        /// What would have been right.
        expected: String,
        /// What was given.
        got: String,
    },
    /// A recipe names a file of a person's own that was not opened. Next: open it.
    #[error("the recipe learns from a file of your own{}: open it on the Data page, or give it with --data", asked_for(.0))]
    NoFile(String),
    /// A set could not be made, in the words of what makes it. Next: as they say.
    #[error("{0}")]
    Set(String),
    /// Planned work or memory is over a limit. Next: make the recipe smaller.
    #[error("{what} would be {} {unit}; the limit is {}", grouped(*.got), grouped(*.limit))]
    TooLarge {
        /// The quantity.
        what: String,
        /// Its planned value.
        got: u64,
        /// Its limit.
        limit: u64,
        /// The unit of both.
        unit: &'static str,
    },
    /// This build or engine has no such feature. Next: choose another.
    #[error("{feature} is not supported: {why}")]
    Unsupported {
        /// What was asked for.
        feature: String,
        /// Why it is not there, and what to use instead.
        why: String,
    },
    /// The person stopped it. What was measured is kept.
    #[error("stopped")]
    Stopped,
    /// An engine failed in a way that no input should cause. Next: report it.
    #[error("the {engine} engine failed while {during}: {reason}")]
    Engine {
        /// `cpu` or `gpu`.
        engine: &'static str,
        /// What it was doing.
        during: &'static str,
        /// Its own words.
        reason: String,
    },
}

impl Error {
    /// A stable code for programs: the page's decisions and the tests go by it, never by the message.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Recipe(_) => "recipe",
            Self::Link(_) => "link",
            Self::Record(_) => "record",
            Self::BadInput { .. } | Self::Set(_) => "bad-input",
            Self::NoFile(_) => "no-file",
            Self::TooLarge { .. } => "too-large",
            Self::Unsupported { .. } => "unsupported",
            Self::Stopped => "stopped",
            Self::Engine { .. } => "engine",
        }
    }

    /// Shorthand for [`Error::BadInput`].
    pub fn bad_input(
        what: impl Into<String>,
        expected: impl Into<String>,
        got: impl Into<String>,
    ) -> Self {
        Self::BadInput {
            what: what.into(),
            expected: expected.into(),
            got: got.into(),
        }
    }
}

/// The digest of a file that is missing, where it is known.
fn asked_for(identity: &str) -> String {
    if identity.is_empty() {
        String::new()
    } else {
        format!(", SHA-256 {identity}")
    }
}

/// A count with its thousands apart: `12,345`.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn joined(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}

/// The result of anything that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;
