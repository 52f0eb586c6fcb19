/// Why a document could not be read or a record not be written.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is not XML that can be read.
    #[error("not well-formed XML at byte {position}: {why}")]
    Xml {
        /// Byte offset.
        position: u64,
        /// What was found.
        why: String,
    },
    /// The text is not JSON or YAML that can be read.
    #[error("{form}: {why}")]
    Syntax {
        /// The form that was expected.
        form: &'static str,
        /// What was found.
        why: String,
    },
    /// The document is of none of the known forms.
    #[error("{name}: no known form of NBO metadata or quality control")]
    UnknownForm {
        /// Name of the document.
        name: String,
    },
    /// A record does not have the shape that it says.
    #[error("record: {at}: expected {expected}")]
    Shape {
        /// JSON pointer.
        at: String,
        /// What should stand there.
        expected: &'static str,
    },
    /// A policy, mapping or requirement says something that is not defined.
    #[error("{what}: {found:?}; expected {expected}")]
    Argument {
        /// Which setting.
        what: &'static str,
        /// What it says.
        found: String,
        /// What it may say.
        expected: &'static str,
    },
    /// A name in a demand that is none of those it can be.
    #[error("{what}: {found:?} is no {word}{}", nearest.as_ref().map(|near| format!("; the nearest is {near}")).unwrap_or_default())]
    Misspelt {
        /// Which setting.
        what: &'static str,
        /// What the word would have to be, for example `kind of calibration`.
        word: String,
        /// What it says.
        found: String,
        /// The nearest of what it may say.
        nearest: Option<String>,
    },
    /// A record cannot be written in a form that lacks a place for it.
    #[error("cannot be written as {form}: {why}")]
    NotExpressible {
        /// The form.
        form: &'static str,
        /// What does not fit.
        why: String,
    },
}
