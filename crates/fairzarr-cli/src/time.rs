//! Times as certificates and logs tell them.

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

/// RFC 3339 in UTC to the second, such as `2026-11-28T23:32:01Z`. Times before 1970 are told as 1970, and those from the year 10000
/// on, which the format does not have, as nothing.
pub(crate) fn rfc3339(time: SystemTime) -> String {
    let mut text = String::new();
    match write!(text, "{}", humantime::format_rfc3339_seconds(time.max(UNIX_EPOCH))) {
        Ok(()) => text,
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn times_are_told_in_utc() {
        let told = |seconds| rfc3339(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(told(0), "1970-01-01T00:00:00Z");
        assert_eq!(told(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(told(1_709_251_199), "2024-02-29T23:59:59Z");
        assert_eq!(told(4_107_542_399), "2100-02-28T23:59:59Z");
        assert_eq!(told(4_107_542_400), "2100-03-01T00:00:00Z");
        assert_eq!(rfc3339(UNIX_EPOCH - Duration::from_secs(1)), "1970-01-01T00:00:00Z");
        assert_eq!(told(300_000_000_000), "");
    }
}
