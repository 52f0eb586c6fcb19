//! Shares of a plan, one for each of several processes.

/// One of several equal shares of a plan's tasks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Share {
    /// From 1 to `of`.
    pub number: u32,
    /// Number of shares.
    pub of: u32,
}

impl Share {
    /// All of it.
    pub const ALL: Self = Self { number: 1, of: 1 };

    /// Contiguous runs of tasks, so that a process works on neighbouring pages.
    pub(crate) fn range(self, tasks: u64) -> std::ops::Range<u64> {
        let cut = |n: u32| (tasks as u128 * n as u128 / self.of.max(1) as u128) as u64;
        cut(self.number.saturating_sub(1))..cut(self.number)
    }
}
