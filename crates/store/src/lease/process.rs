//! What tells a process from all others, and whether it has ended.

use std::fs;

/// A process: of which machine, and since when.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Process {
    /// Machine, since it was started, and space of process numbers; empty where the operating system does not say.
    pub(super) machine: String,
    pub(super) number: u32,
    /// When it began, in the operating system's own units: numbers are used again.
    pub(super) began: u64,
}

impl Process {
    /// This one.
    pub(super) fn this() -> Self {
        let number = std::process::id();
        let began = look(number).map_or(0, |found| found.began);
        Self { machine: machine(), number, began }
    }

    /// Whether it ran on this machine and does so no more.
    pub(super) fn has_ended(&self) -> bool {
        !self.machine.is_empty()
            && self.machine == machine()
            && look(self.number).is_none_or(|found| found.is_dead || found.began != self.began)
    }
}

struct Found {
    /// It was killed, and nobody has asked yet how it ended.
    is_dead: bool,
    began: u64,
}

/// What runs here under a number.
fn look(number: u32) -> Option<Found> {
    let status = fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
    // The name, in parentheses, may contain anything.
    let mut fields = status.rsplit_once(") ")?.1.split(' ');
    let is_dead = matches!(fields.next()?, "Z" | "X");
    // The 22nd field; the third is the first after the name.
    Some(Found { is_dead, began: fields.nth(18)?.parse().ok()? })
}

fn machine() -> String {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let space = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let space: String = space.to_string_lossy().chars().filter(char::is_ascii_digit).collect();
    if boot.is_empty() || space.is_empty() { String::new() } else { format!("{}-{space}", boot.trim()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_was_killed_has_ended() {
        let this = Process::this();
        if this.machine.is_empty() {
            return;
        }
        assert!(!this.has_ended());
        assert!(Process { number: u32::MAX, ..this.clone() }.has_ended());
        // The number is another process's now.
        assert!(Process { began: this.began + 1, ..this.clone() }.has_ended());
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let began = look(child.id()).unwrap().began;
        let of_child = Process { number: child.id(), began, ..this.clone() };
        assert!(!of_child.has_ended());
        child.kill().unwrap();
        // Nobody has waited for it yet.
        let start = std::time::Instant::now();
        while !of_child.has_ended() {
            assert!(start.elapsed().as_secs() < 10);
        }
        child.wait().unwrap();
        assert!(of_child.has_ended());
        let elsewhere = Process { machine: "another".to_owned(), number: u32::MAX, ..this };
        assert!(!elsewhere.has_ended());
    }
}
