//! Exit codes, and the one sentence that goes with each failure.

use std::fmt;
use std::process::ExitCode;
use std::sync::Arc;

/// How the program ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Code {
    /// Done, and as asked.
    Done = 0,
    /// A verification or validation found a difference.
    Different = 1,
    /// The request makes no sense.
    Usage = 2,
    /// The input cannot be read.
    Input = 3,
    /// The output cannot be written.
    Output = 4,
    /// The user stopped it.
    Interrupted = 5,
    /// Another process has taken the work over.
    TakenOver = 6,
    /// Finished, and some of many failed.
    SomeFailed = 7,
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code as u8)
    }
}

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
        let is_usage = |error: &fairzarr_store::Error| error.class() == fairzarr_store::Class::Usage;
        let code = if error.chain().filter_map(of_store).any(is_usage) { Code::Usage } else { code };
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
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut last = String::new();
        for (n, cause) in self.error.chain().enumerate() {
            // Some errors repeat their source's text; once is enough.
            let text = cause.to_string();
            if n > 0 && !last.contains(&text) {
                f.write_str(": ")?;
                f.write_str(&text)?;
            } else if n == 0 {
                f.write_str(&text)?;
            }
            last = text;
        }
        f.write_str(&self.help)
    }
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
            | Error::Rois { .. } => Code::Input,
            Error::ChunkSize(..)
            | Error::CodecNeedsZarr2(..)
            | Error::NeedsSamples
            | Error::NoLargest(_)
            | Error::AxisInUse { .. }
            | Error::NotOneImage(_)
            | Error::Memory { .. } => Code::Usage,
            Error::Interrupted => Code::Interrupted,
            Error::TakenOver(_) => Code::TakenOver,
            Error::Incomplete(_) | Error::NoPlan(_) => Code::Different,
            _ => Code::Output,
        };
        let help = match &error {
            Error::NeedsSamples => {
                ": --no-decode goes with --chunk source, and with --pyramid source or none".into()
            }
            Error::NotOneImage(_) => "; leave --layout image out".into(),
            Error::AxisInUse { .. } => "; --drop-axes all leaves out those that can be".into(),
            Error::NoLargest(_) => "; choose another --downsample".into(),
            Error::Rois { .. } => "; without --rois labels the OME-XML keeps them all the same".into(),
            Error::Memory { .. } => "; raise --memory, or choose a smaller --chunk or --shard".into(),
            Error::Exists(_) => {
                "; use --overwrite to replace it or --resume to finish an interrupted conversion".into()
            }
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

impl From<fairzarr_copy::Error> for Failure {
    fn from(error: fairzarr_copy::Error) -> Self {
        use fairzarr_copy::Error;
        let code = match &error {
            Error::Original(_) | Error::Unfit { .. } | Error::Unfinished(_) => Code::Input,
            Error::Interrupted => Code::Interrupted,
            Error::TakenOver(_) => Code::TakenOver,
            Error::Differs { .. } => Code::Different,
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
            Error::Unfit { .. } | Error::Unfinished(_) | Error::Original(_) => Code::Input,
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
            Error::Policy { .. } => Code::Different,
            Error::NothingEmbedded(_) | Error::NotAStore(_) | Error::NewerRecord => Code::Usage,
            Error::Store(_) => Code::Output,
            _ => Code::Input,
        };
        Self::new(code, error)
    }
}

impl From<fairzarr_ome_zarr::Error> for Failure {
    fn from(error: fairzarr_ome_zarr::Error) -> Self {
        let help = match &error {
            fairzarr_ome_zarr::Error::Unfinished(_) => "; finish it with --resume",
            _ => "",
        };
        Self::new(Code::Input, error).with_help(help)
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
            Error::Exists(_) => (Code::Output, "; use --overwrite to replace it"),
            _ => (Code::Output, ""),
        };
        Self::new(code, error).with_help(help)
    }
}
