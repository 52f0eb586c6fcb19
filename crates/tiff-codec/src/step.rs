//! One step of a byte codec.

/// What one step has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Step {
    /// Stored bytes that are used up.
    pub(crate) read: usize,
    /// Bytes written to the front of the output.
    pub(crate) written: usize,
    /// Whether the stream says itself that it ends here.
    pub(crate) ended: bool,
}
