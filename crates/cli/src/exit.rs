//! Exit codes, and the one sentence that goes with each failure.

use std::fmt;
use std::process::ExitCode;

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
}

impl Failure {
    pub(crate) fn new(code: Code, error: impl Into<anyhow::Error>) -> Self {
        Self { code, error: error.into() }
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
        Self { code: self.code, error: self.error.context(place.to_owned()) }
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
        Ok(())
    }
}

impl From<fairzarr_convert::Error> for Failure {
    fn from(error: fairzarr_convert::Error) -> Self {
        use fairzarr_convert::Error;
        let code = match &error {
            Error::Source(_)
            | Error::Xml(_)
            | Error::Original(_)
            | Error::Sidecar { .. }
            | Error::Unfit { .. } => Code::Input,
            Error::Request(_) => Code::Usage,
            Error::Interrupted => Code::Interrupted,
            Error::Incomplete(_) | Error::Differs { .. } | Error::Policy { .. } => Code::Different,
            _ => Code::Output,
        };
        Self::new(code, error)
    }
}

impl From<fairzarr_ome_tiff::Error> for Failure {
    fn from(error: fairzarr_ome_tiff::Error) -> Self {
        Self::new(Code::Input, error)
    }
}

impl From<fairzarr_verify::Error> for Failure {
    fn from(error: fairzarr_verify::Error) -> Self {
        Self::new(Code::Input, error)
    }
}

impl From<fairzarr_export::Error> for Failure {
    fn from(error: fairzarr_export::Error) -> Self {
        use fairzarr_export::Error;
        let code = match &error {
            Error::Store(_) | Error::Unfit { .. } => Code::Input,
            Error::Interrupted => Code::Interrupted,
            _ => Code::Output,
        };
        Self::new(code, error)
    }
}
