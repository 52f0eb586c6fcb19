//! Values as they are typed.

use fairzarr_convert::{ChunkChoice, DropAxes, ShardChoice, Share};
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

pub(crate) fn parse_jobs(text: &str) -> Result<usize, String> {
    let number = text.parse::<usize>().ok().filter(|number| *number > 0);
    number.ok_or_else(|| format!("'{text}' is not a number of 1 or more"))
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

    #[test]
    fn wells_are_read_as_people_write_them() {
        for (text, wells) in [
            ("A1", &[(0, 0)][..]),
            ("b03, A12", &[(0, 11), (1, 2)]),
            ("AF48,A/1,2/3", &[(0, 0), (1, 2), (31, 47)]),
        ] {
            assert_eq!(parse_wells(text), Ok(Wells(wells.to_vec())), "{text}");
        }
        for wrong in ["", "A", "1", "A0", "A1,", "1A", "A-1", "ABCD1", "A1B", "/1", "é1"] {
            assert!(parse_wells(wrong).is_err(), "{wrong}");
        }
    }
}

/// Numbers, ascending, each once.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Numbers(pub(crate) Vec<u32>);

/// `0,2-4`
pub(crate) fn parse_numbers(text: &str) -> Result<Numbers, String> {
    /// More images, fields and time points than any source has, so that a range cannot fill the memory.
    const MOST: u32 = 1 << 24;
    let refuse = || format!("'{text}' is not a list of numbers such as 0,2-4");
    let number = |part: &str| part.trim().parse::<u32>().ok().filter(|n| *n < MOST).ok_or_else(refuse);
    let mut numbers = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let range = number(first)?..=number(last)?;
        if range.is_empty() || numbers.len() + range.clone().count() > MOST as usize {
            return Err(refuse());
        }
        numbers.extend(range);
    }
    numbers.sort_unstable();
    numbers.dedup();
    Ok(Numbers(numbers))
}

/// Wells of plates: row and column of each, counted from 0.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Wells(pub(crate) Vec<(u32, u32)>);

/// `A1,B12`, with zeros before the number or a slash between both; rows may be numbers then: `2/12`.
pub(crate) fn parse_wells(text: &str) -> Result<Wells, String> {
    let refuse = |well: &str| format!("'{well}' is not a well such as B3");
    let number = |text: &str| text.parse::<u32>().ok().filter(|n| *n > 0 && *n < 1 << 24).map(|n| n - 1);
    // A to Z, then AA, AB, …
    let letters = |text: &str| {
        let value = text.bytes().try_fold(0_u32, |value, letter| {
            let letter = letter.to_ascii_uppercase();
            letter.is_ascii_uppercase().then(|| value * 26 + u32::from(letter - b'A') + 1)
        });
        value.filter(|_| (1..=3).contains(&text.len())).map(|value| value - 1)
    };
    let one = |well: &str| {
        let (row, column) = match well.split_once('/') {
            Some((row, column)) => (row, column),
            None => well.split_at(well.find(|letter: char| letter.is_ascii_digit())?),
        };
        Some((letters(row).or_else(|| number(row))?, number(column)?))
    };
    let mut wells = Vec::new();
    for well in text.split(',').map(str::trim) {
        wells.push(one(well).ok_or_else(|| refuse(well))?);
    }
    wells.sort_unstable();
    wells.dedup();
    Ok(Wells(wells))
}

/// `all`, or some of t, c and z.
pub(crate) fn parse_axes(text: &str) -> Result<DropAxes, String> {
    if text == "all" {
        return Ok(DropAxes::All);
    }
    let axis = |part: &str| ["t", "c", "z"].contains(&part).then(|| part.chars().next()).flatten();
    let axes: Option<Vec<char>> = text.split(',').map(|part| axis(part.trim())).collect();
    let mut axes =
        axes.ok_or_else(|| format!("'{text}' is neither all nor a list of t, c and z such as t,z"))?;
    axes.sort_unstable();
    axes.dedup();
    Ok(DropAxes::Of(axes))
}
