//! What an interrupted or split conversion is finished by: the output's place and who may write there, the journal of what
//! is done, and what of it can be relied on.

pub(crate) mod journal;
pub(crate) mod lease;
pub(crate) mod present;
pub(crate) mod recovery;
pub(crate) mod replace;
pub(crate) mod target;
