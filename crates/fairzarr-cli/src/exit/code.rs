//! How the program ends: a number for scripts, with a word and a sentence.

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
    /// Something else is at the target's place.
    Exists = 8,
    /// The target is there, complete, of the same source and made with the same options.
    Same = 9,
    /// Another process is writing there.
    Busy = 10,
    /// A server does not answer as it should.
    Again = 11,
    /// An earlier step is missing: a plan, tasks, the end of an interrupted run.
    NotReady = 12,
    /// A policy refuses the record.
    Refused = 13,
}

impl Code {
    /// All of them, in order.
    pub(crate) const ALL: [Self; 14] = [
        Self::Done,
        Self::Different,
        Self::Usage,
        Self::Input,
        Self::Output,
        Self::Interrupted,
        Self::TakenOver,
        Self::SomeFailed,
        Self::Exists,
        Self::Same,
        Self::Busy,
        Self::Again,
        Self::NotReady,
        Self::Refused,
    ];

    /// The word for it in JSON.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Different => "different",
            Self::Usage => "usage",
            Self::Input => "input",
            Self::Output => "output",
            Self::Interrupted => "interrupted",
            Self::TakenOver => "taken-over",
            Self::SomeFailed => "some-failed",
            Self::Exists => "exists",
            Self::Same => "same",
            Self::Busy => "busy",
            Self::Again => "again",
            Self::NotReady => "not-ready",
            Self::Refused => "refused",
        }
    }

    /// What happened.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done, and as asked",
            Self::Different => "the answer is no: a proof, a validation, a check or a demand does not hold",
            Self::Usage => "the request makes no sense",
            Self::Input => "the input cannot be read",
            Self::Output => "the output cannot be written",
            Self::Interrupted => "stopped by a signal",
            Self::TakenOver => "another process has taken the work over",
            Self::SomeFailed => "finished, and some datasets of an archive failed",
            Self::Exists => {
                "something else is at the target's place: of another source, of other options, or not ours"
            }
            Self::Same => "the target is complete, of the same source and made with the same options",
            Self::Busy => "another process is writing to the target",
            Self::Again => "a server did not answer as it should, also after several attempts",
            Self::NotReady => "an earlier step is missing: a plan, tasks, or the end of an interrupted run",
            Self::Refused => "the record falls short of a policy that refuses",
        }
    }

    /// What whoever called the program does next, as docs/exit-codes.md says it.
    #[cfg(test)]
    pub(crate) fn next(self) -> &'static str {
        match self {
            Self::Done => "go on",
            Self::Different => "look at what differs",
            Self::Usage => "mend the command; again is no better",
            Self::Input => "mend or replace the source; again is no better",
            Self::Output => {
                "make room, permit it, or choose another target, then the same command with `--resume`"
            }
            Self::Interrupted => {
                "the same command with `--resume`; `run`, `migrate` and `export` as they are"
            }
            Self::TakenOver => "nothing: the other process goes on",
            Self::SomeFailed => {
                "`migrate status` tells the causes; the same command tries again what may pass by itself"
            }
            Self::Exists => "choose another target, or `--overwrite`",
            Self::Same => "nothing is left to do; `--skip-existing` makes it 0",
            Self::Busy => "wait, then the same command",
            Self::Again => "later, the same command with `--resume`",
            Self::NotReady => "do that step first, or `--resume`",
            Self::Refused => "complete the record, or `--policy-level warn`",
        }
    }
}
