//! Exit codes, and the one sentence that goes with each failure.

mod code;

pub(crate) use code::Code;

use std::fmt;
use std::sync::Arc;

/// A failure with its causes.
#[derive(Debug)]
pub(crate) struct Failure {
    code: Code,
    error: anyhow::Error,
    /// What can be done about it, in the words of this program's options; follows the message.
    help: String,
}

impl Failure {
    pub(crate) fn new(code: Code, error: impl Into<anyhow::Error>) -> Self {
        let error = error.into();
        if error.chain().filter_map(of_store).any(is_stopped) {
            // Which of the requests it was that the signal cut off tells nobody anything.
            let error = anyhow::Error::msg("interrupted");
            return Self { code: Code::Interrupted, error, help: String::new() };
        }
        let code = error.chain().filter_map(of_store).find_map(of_class).unwrap_or(code);
        // Neither input nor request are at fault, whatever they were to be read for.
        let code = if error.chain().any(is_refused_thread) { Code::Output } else { code };
        let is_elsewhere = |error: &fairzarr_store::Error| error.class() == fairzarr_store::Class::Elsewhere;
        let is_elsewhere = error.chain().filter_map(of_store).any(is_elsewhere);
        let help = if is_elsewhere { "; --follow-redirects goes there" } else { "" };
        Self { code, error, help: help.into() }
    }

    pub(crate) fn usage(message: impl fmt::Display + fmt::Debug + Send + Sync + 'static) -> Self {
        Self::new(Code::Usage, anyhow::Error::msg(message))
    }

    /// The same failure with the place that it concerns, as it was typed, unless the message names that already.
    pub(crate) fn about(self, place: &str) -> Self {
        let name = place.trim_end_matches('/').rsplit('/').next().unwrap_or(place);
        if self.to_string().contains(name) {
            return self;
        }
        Self { error: self.error.context(place.to_owned()), ..self }
    }

    /// The same failure with what can be done about it, as it follows the message.
    fn with_help(self, help: impl Into<String>) -> Self {
        Self { help: self.help + &help.into(), ..self }
    }

    pub(crate) fn code(&self) -> Code {
        self.code
    }

    /// What a store says that the cause is, in one word.
    pub(crate) fn class(&self) -> Option<&'static str> {
        self.error.chain().filter_map(of_store).find_map(|error| class_name(error.class()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = Vec::new();
        let mut last = String::new();
        for cause in self.error.chain() {
            let text = cause.to_string();
            // Some errors repeat their source's text; once is enough.
            if parts.is_empty() || !last.contains(&text) {
                let rest = text.strip_prefix(last.as_str());
                // A cause that says the same and where: `cannot read a: cannot read a in b`.
                if rest.is_some_and(|rest| rest.starts_with(' ')) {
                    parts.pop();
                }
                // Nor is a name told twice that both begin with.
                let rest = rest.and_then(|rest| rest.strip_prefix(": "));
                parts.push(rest.unwrap_or(&text).to_owned());
            }
            last = text;
        }
        f.write_str(&parts.join(": "))?;
        f.write_str(&self.help)
    }
}

/// What the failure of a store means for whoever waits, whichever side it was on.
fn of_class(error: &fairzarr_store::Error) -> Option<Code> {
    use fairzarr_store::{Class, Error};
    match (error, error.class()) {
        (Error::Running { .. }, _) => Some(Code::Busy),
        (_, Class::Usage) => Some(Code::Usage),
        (_, Class::Throttled | Class::Transient) => Some(Code::Again),
        (_, Class::TakenOver) => Some(Code::TakenOver),
        _ => None,
    }
}

fn class_name(class: fairzarr_store::Class) -> Option<&'static str> {
    use fairzarr_store::Class;
    Some(match class {
        Class::NotFound => "not-found",
        Class::Permission => "permission",
        Class::Throttled => "throttled",
        Class::Precondition => "changed",
        Class::Transient => "transient",
        Class::Truncated => "truncated",
        Class::Damaged => "damaged",
        Class::Local => "local",
        Class::Usage => "usage",
        Class::Unsupported => "unsupported",
        Class::Untrusted => "untrusted",
        Class::Malformed => "malformed",
        Class::Cancelled => "cancelled",
        Class::TakenOver => "taken-over",
        _ => return None,
    })
}

/// Whether a request was cut off because the user stopped the program.
fn is_stopped(error: &fairzarr_store::Error) -> bool {
    error.class() == fairzarr_store::Class::Cancelled
}

/// Whether the system refused a thread.
fn is_refused_thread(error: &(dyn std::error::Error + 'static)) -> bool {
    use fairzarr_task::Error::Thread;
    type Zarr = fairzarr_ome_zarr::Error;
    type Verify = fairzarr_verify::Error;
    matches!(of_store(error), Some(fairzarr_store::Error::Thread(_)))
        || matches!(error.downcast_ref(), Some(Thread(_)))
        // Errors that show those of threads as their own leave them out of their causes.
        || matches!(error.downcast_ref(), Some(Zarr::Task(Thread(_))))
        || matches!(error.downcast_ref(), Some(Verify::Task(Thread(_)) | Verify::Zarr(Zarr::Task(Thread(_)))))
        || matches!(error.downcast_ref(), Some(fairzarr_export::Error::Task(Thread(_))))
}

/// The error of a store that an error is, apart from its causes.
fn of_store<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a fairzarr_store::Error> {
    use fairzarr_store::Error;
    error
        .downcast_ref::<Error>()
        .or_else(|| error.downcast_ref::<Arc<Error>>().map(|error| &**error))
        // An error of the standard library shows the one within as its own.
        .or_else(|| error.downcast_ref::<std::io::Error>()?.get_ref()?.downcast_ref())
        // Errors that show those of a store as their own leave them out of their causes.
        .or_else(|| match error.downcast_ref()? {
            fairzarr_convert::Error::Store(error) => Some(error),
            _ => None,
        })
        .or_else(|| match error.downcast_ref()? {
            fairzarr_copy::Error::Original(error) | fairzarr_copy::Error::Store(error) => Some(error),
            _ => None,
        })
        .or_else(|| match error.downcast_ref()? {
            fairzarr_ome_zarr::Error::Store(error) => Some(error),
            _ => None,
        })
        .or_else(|| match error.downcast_ref()? {
            fairzarr::open::Error::Store(error) => Some(error),
            _ => None,
        })
        .or_else(|| match error.downcast_ref()? {
            fairzarr_upgrade::Error::Original(error) | fairzarr_upgrade::Error::Store(error) => Some(error),
            _ => None,
        })
}

impl From<fairzarr_convert::Error> for Failure {
    fn from(error: fairzarr_convert::Error) -> Self {
        use fairzarr_convert::Error;
        let code = match error {
            // The store that a conversion cannot read or write is its output.
            Error::Zarr(fairzarr_ome_zarr::Error::Store(_)) => Code::Output,
            Error::Zarr(error) => return error.into(),
            Error::Provenance(error) => return error.into(),
            Error::Source(_)
            | Error::Xml(_)
            | Error::OtherSource(_)
            | Error::SourceChanged { .. }
            | Error::Rois { .. }
            | Error::LabelName(_)
            | Error::Labels { .. } => Code::Input,
            Error::ChunkSize(..)
            | Error::CodecNeedsZarr2(..)
            | Error::NeedsSamples
            | Error::NoLargest(_)
            | Error::AxisInUse { .. }
            | Error::NoScenes(_)
            | Error::OtherAxes { .. }
            | Error::NotOneImage(_)
            | Error::Memory { .. } => Code::Usage,
            Error::Interrupted => Code::Interrupted,
            Error::TakenOver(_) => Code::TakenOver,
            Error::Running { .. } => Code::Busy,
            Error::Exists(_) | Error::NotRemoved { .. } | Error::Settings { .. } | Error::Resume(_) => {
                Code::Exists
            }
            Error::Complete(_) => Code::Same,
            Error::Incomplete(_) | Error::NoPlan(_) => Code::NotReady,
            _ => Code::Output,
        };
        let help = match &error {
            Error::NeedsSamples => {
                ": --no-decode goes with --chunk source, and with --pyramid source or none".into()
            }
            Error::NotOneImage(_) => "; leave --layout image out".into(),
            Error::NoScenes(_) => "; --ngff 0.6 has them".into(),
            Error::OtherAxes { .. } => "; --positions stage gives each a translation of its own".into(),
            Error::AxisInUse { .. } => "; --drop-axes all leaves out those that can be".into(),
            Error::NoLargest(_) => "; choose another --downsample".into(),
            Error::Rois { .. } => "; without --rois labels the OME-XML keeps them all the same".into(),
            Error::Memory { .. } => "; raise --memory, or choose a smaller --chunk or --shard".into(),
            Error::Exists(_) => {
                "; use --overwrite to replace it or --resume to finish an interrupted conversion".into()
            }
            Error::Complete(_) => "; --skip-existing takes it as done, --overwrite replaces it".into(),
            Error::Running { unknown: true, .. } => ", or say --take-over".into(),
            Error::Settings { earlier, differences, .. } => {
                let typed = |setting| format!("{} {}", flag(setting), earlier.value(setting));
                let typed: Vec<_> = differences.iter().map(|setting| typed(*setting)).collect();
                format!(": {}; use --overwrite to start again", typed.join(" "))
            }
            Error::OtherSource(_) | Error::SourceChanged { .. } => {
                "; convert the source as it is now with --overwrite".into()
            }
            Error::NotExchanged(_) => {
                "; choose another target, or say --in-place: then there is no whole store until the new one is finished".into()
            }
            Error::NoPlan(_) => "; run `fairzarr plan` first".into(),
            _ => String::new(),
        };
        Self::new(code, error).with_help(help)
    }
}

/// What a setting of a plan is called on the command line.
pub(crate) fn flag(setting: fairzarr_convert::Setting) -> String {
    match setting {
        fairzarr_convert::Setting::Decode => "--no-decode".into(),
        fairzarr_convert::Setting::Consolidated => "--no-consolidated".into(),
        other => format!("--{other}"),
    }
}

impl From<fairzarr_migrate::Error> for Failure {
    fn from(error: fairzarr_migrate::Error) -> Self {
        use fairzarr_migrate::Error;
        let code = match &error {
            Error::Pattern { .. }
            | Error::Template { .. }
            | Error::Table { .. }
            | Error::Setting { .. }
            | Error::Newer { .. } => Code::Usage,
            Error::Source { .. } | Error::NoState(_) => Code::Input,
            Error::Interrupted => Code::Interrupted,
            _ => Code::Output,
        };
        let help = match &error {
            Error::NoState(_) => {
                "; `fairzarr migrate SOURCE TARGET` begins one, and --state names a state that lies elsewhere"
            }
            _ => "",
        };
        Self::new(code, error).with_help(help)
    }
}

impl From<fairzarr_catalog::Error> for Failure {
    fn from(error: fairzarr_catalog::Error) -> Self {
        use fairzarr_catalog::Error;
        let code = match &error {
            Error::Store(_) | Error::Nothing(_) => Code::Input,
            Error::Interrupted(_) => Code::Interrupted,
            _ => Code::Output,
        };
        Self::new(code, error)
    }
}

impl From<fairzarr_copy::Error> for Failure {
    fn from(error: fairzarr_copy::Error) -> Self {
        use fairzarr_copy::Error;
        let code = match &error {
            Error::Original(_) | Error::Unfit { .. } => Code::Input,
            Error::Unfinished(_) => Code::NotReady,
            Error::Interrupted => Code::Interrupted,
            Error::TakenOver(_) => Code::TakenOver,
            Error::Differs { .. } => Code::Different,
            Error::Running { .. } => Code::Busy,
            Error::Exists(_) | Error::Foreign(_) => Code::Exists,
            _ => Code::Output,
        };
        let help = match &error {
            Error::Exists(_) => "; use --resume to finish an interrupted copy",
            Error::Unfinished(_) => "; finish it with --resume",
            Error::Running { unknown: true, .. } => ", or say --take-over",
            _ => "",
        };
        Self::new(code, error).with_help(help)
    }
}

impl From<fairzarr_upgrade::Error> for Failure {
    fn from(error: fairzarr_upgrade::Error) -> Self {
        use fairzarr_upgrade::Error;
        let error = match error {
            Error::Copy(error) => return error.into(),
            Error::Provenance(error) => return error.into(),
            Error::Zarr(error) => return error.into(),
            error => error,
        };
        let code = match &error {
            Error::Unfit { .. } | Error::Original(_) => Code::Input,
            Error::Unfinished(_) => Code::NotReady,
            Error::Exists(_) => Code::Exists,
            Error::Already { .. } | Error::NeedsTarget { .. } | Error::NothingToUndo(_) => Code::Usage,
            Error::Interrupted => Code::Interrupted,
            _ => Code::Output,
        };
        let help = match &error {
            Error::NeedsTarget { .. } => "; name a TARGET",
            Error::Unfinished(_) => "; finish it with --resume",
            _ => "",
        };
        Self::new(code, error).with_help(help)
    }
}

impl From<fairzarr_provenance::Error> for Failure {
    fn from(error: fairzarr_provenance::Error) -> Self {
        use fairzarr_provenance::Error;
        let code = match &error {
            Error::Policy { .. } => Code::Refused,
            Error::NothingEmbedded(_) | Error::NotAStore(_) | Error::NewerRecord => Code::Usage,
            Error::Store(_) => Code::Output,
            _ => Code::Input,
        };
        Self::new(code, error)
    }
}

impl From<fairzarr_ome_zarr::Error> for Failure {
    fn from(error: fairzarr_ome_zarr::Error) -> Self {
        match &error {
            fairzarr_ome_zarr::Error::Unfinished(_) => {
                Self::new(Code::NotReady, error).with_help("; finish it with --resume")
            }
            _ => Self::new(Code::Input, error),
        }
    }
}

impl From<fairzarr_ome_tiff::Error> for Failure {
    fn from(error: fairzarr_ome_tiff::Error) -> Self {
        use fairzarr_ome_tiff::Error;
        let help = match &error {
            Error::Link { .. } => Some("--follow-links follows it"),
            Error::ExtraPages { .. } => {
                Some("--extra-pages keep makes them further images, report leaves them out")
            }
            Error::MissingPlanes { .. } | Error::MissingFile { .. } => {
                Some("--on-missing fill converts what is there, and records what is not")
            }
            Error::NotRead { .. } => {
                Some("--on-bad-metadata carry converts by the rest, and keeps the document as it is")
            }
            _ => None,
        };
        match help {
            Some(help) => Self::new(Code::Input, anyhow::anyhow!("{error}; {help}")),
            None => Self::new(Code::Input, error),
        }
    }
}

impl From<fairzarr_verify::Error> for Failure {
    fn from(error: fairzarr_verify::Error) -> Self {
        use fairzarr_verify::Error;
        match error {
            Error::Zarr(error) => error.into(),
            Error::Interrupted => Self::new(Code::Interrupted, error),
            error @ Error::Memory { .. } => Self::new(Code::Input, error).with_help("; raise --memory"),
            error => Self::new(Code::Input, error),
        }
    }
}

impl From<fairzarr_export::Error> for Failure {
    fn from(error: fairzarr_export::Error) -> Self {
        use fairzarr_export::Error;
        let (code, help) = match error {
            Error::Store(error) => return error.into(),
            Error::Unfit { .. } => (Code::Input, ""),
            Error::Interrupted => (Code::Interrupted, ""),
            Error::Exists(_) => (Code::Exists, "; use --overwrite to replace it"),
            _ => (Code::Output, ""),
        };
        Self::new(code, error).with_help(help)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_cause_says_again_is_told_once() {
        let told = |texts: &[&'static str]| {
            let mut texts = texts.iter().rev();
            let error = anyhow::Error::msg(*texts.next().unwrap());
            let error = texts.fold(error, |error, text| error.context(*text));
            Failure::new(Code::Input, error).to_string()
        };
        assert_eq!(told(&["cannot read a", "cannot read a in b", "denied"]), "cannot read a in b: denied");
        assert_eq!(told(&["cannot read a", "cannot read a in b: denied"]), "cannot read a in b: denied");
        assert_eq!(told(&["a", "a: b", "b"]), "a: b");
        assert_eq!(told(&["a", "ab"]), "a: ab");
        assert_eq!(told(&["x", "cannot read a", "cannot read a in b"]), "x: cannot read a in b");
    }

    #[test]
    fn the_documented_exit_codes_are_those_of_the_program() {
        let text = include_str!("../../../docs/exit-codes.md");
        let documented: Vec<&str> = text
            .lines()
            .filter(|line| line.starts_with("| ") && line.as_bytes()[2].is_ascii_digit())
            .collect();
        let known = Code::ALL.map(|code| {
            format!("| {} | {} | {} | {} |", code as u8, code.name(), code.meaning(), code.next())
        });
        assert_eq!(documented, known);
    }
}
