//! Values as they are typed.

use fairzarr_convert::{ChunkChoice, ShardChoice, Share};
use fairzarr_store::Durability;

pub(crate) fn parse_version(text: &str) -> Result<fairzarr_ngff::Version, String> {
    text.parse().map_err(|_| format!("'{text}' is not an NGFF version that can be written (0.4, 0.5, 0.6)"))
}

pub(crate) fn parse_pair(text: &str) -> Result<(u32, u32), String> {
    let number = |part: &str| part.trim().parse::<u32>().ok().filter(|n| *n > 0);
    match text.split_once(',') {
        Some((y, x)) => number(y).zip(number(x)),
        None => number(text).map(|side| (side, side)),
    }
    .ok_or_else(|| format!("'{text}' is not a height and width such as 512,512"))
}

pub(crate) fn parse_chunk(text: &str) -> Result<ChunkChoice, String> {
    match text {
        "source" => Ok(ChunkChoice::Source),
        _ => parse_pair(text).map(|(y, x)| ChunkChoice::Size(y, x)),
    }
}

pub(crate) fn parse_shard(text: &str) -> Result<ShardChoice, String> {
    match text {
        "auto" => Ok(ShardChoice::Auto),
        "none" => Ok(ShardChoice::None),
        _ => parse_pair(text).map(|(y, x)| ShardChoice::Size(y, x)),
    }
}

pub(crate) fn parse_share(text: &str) -> Result<Share, String> {
    text.split_once('/')
        .and_then(|(number, of)| Some(Share { number: number.parse().ok()?, of: of.parse().ok()? }))
        .filter(|share| (1..=share.of).contains(&share.number))
        .ok_or_else(|| format!("'{text}' is not a task such as 1/4"))
}

pub(crate) fn parse_bytes(text: &str) -> Result<u64, String> {
    let wrong = || format!("'{text}' is not a size such as 256M or 2G");
    let upper = text.to_ascii_uppercase();
    let trimmed = upper.trim_end_matches('B').trim_end_matches('I');
    let (digits, shift) = match trimmed.chars().last() {
        Some('K') => (&trimmed[..trimmed.len() - 1], 10),
        Some('M') => (&trimmed[..trimmed.len() - 1], 20),
        Some('G') => (&trimmed[..trimmed.len() - 1], 30),
        Some('T') => (&trimmed[..trimmed.len() - 1], 40),
        _ => (trimmed, 0),
    };
    digits.parse::<u64>().ok().and_then(|n| n.checked_mul(1 << shift)).ok_or_else(wrong)
}

pub(crate) fn parse_time(text: &str) -> Result<std::time::Duration, String> {
    let (digits, unit) = match text.strip_suffix('m') {
        Some(minutes) => (minutes, 60),
        None => (text.strip_suffix('s').unwrap_or(text), 1),
    };
    let seconds = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    seconds
        .map(std::time::Duration::from_secs)
        .ok_or_else(|| format!("'{text}' is not a time such as 90s or 5m"))
}

pub(crate) fn parse_option(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .map(|(key, value)| (key.into(), value.into()))
        .ok_or_else(|| format!("'{text}' is not KEY=VALUE"))
}

pub(crate) fn parse_durability(text: &str) -> Result<Durability, String> {
    text.parse().map_err(|error: fairzarr_store::Error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        crate::args::command().debug_assert();
    }

    #[test]
    fn sizes_are_read() {
        assert_eq!(parse_bytes("256M"), Ok(256 << 20));
        assert_eq!(parse_bytes("2GiB"), Ok(2 << 30));
        assert_eq!(parse_bytes("100"), Ok(100));
        assert!(parse_bytes("lots").is_err());
        assert!(parse_bytes("99999999999T").is_err());
        assert_eq!(parse_pair("256"), Ok((256, 256)));
        assert_eq!(parse_pair("64, 128"), Ok((64, 128)));
        assert!(parse_pair("0,1").is_err());
    }
}

/// Numbers of images, ascending.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct SeriesArg(pub(crate) Vec<usize>);

/// `0,2-4`
pub(crate) fn parse_series(text: &str) -> Result<SeriesArg, String> {
    /// More images than any source has, so that a range cannot fill the memory.
    const MOST: usize = 1 << 24;
    let refuse = || format!("'{text}' is not a list of images such as 0,2-4");
    let number = |part: &str| part.trim().parse::<usize>().ok().filter(|n| *n < MOST).ok_or_else(refuse);
    let mut series = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let range = number(first)?..=number(last)?;
        if range.is_empty() {
            return Err(refuse());
        }
        series.extend(range);
    }
    series.sort_unstable();
    series.dedup();
    Ok(SeriesArg(series))
}
