//! A share of the pixels, for a quick look: the same parts every time, spread over the whole.

use std::fmt;
use std::str::FromStr;

/// How much of the pixels is compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Above 0, at most 1.
    share: f64,
}

impl Sample {
    /// All of them: nothing less is a proof.
    pub const ALL: Self = Self { share: 1.0 };

    /// Whether anything is left out.
    pub fn is_part(self) -> bool {
        self.share < 1.0
    }

    /// The chosen ones of numbered parts, in order and at least one. `series` tells numberings apart.
    pub(crate) fn choose<T>(self, parts: Vec<T>, series: u64) -> Vec<T> {
        if !self.is_part() || parts.is_empty() {
            return parts;
        }
        let hash = |n: usize| mix(mix(series) ^ n as u64);
        let limit = (self.share * u64::MAX as f64) as u64;
        let least = (0..parts.len()).min_by_key(|n| hash(*n));
        let chosen = |n: usize| hash(n) <= limit || Some(n) == least;
        parts.into_iter().enumerate().filter(|(n, _)| chosen(*n)).map(|(_, part)| part).collect()
    }
}

impl Default for Sample {
    fn default() -> Self {
        Self::ALL
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.share * 100.0)
    }
}

impl FromStr for Sample {
    type Err = String;

    /// A percentage, such as `5%` or `0.1%`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.strip_suffix('%')
            .and_then(|number| number.trim().parse::<f64>().ok())
            .filter(|percent| *percent > 0.0 && *percent <= 100.0)
            .map(|percent| Self { share: percent / 100.0 })
            .ok_or_else(|| format!("'{text}' is not a percentage such as 5%"))
    }
}

/// The finaliser of SplitMix64: neighbouring numbers become unrelated ones.
fn mix(n: u64) -> u64 {
    let n = n.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    n ^ (n >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_about_that_and_always_the_same() {
        let sample: Sample = "5%".parse().unwrap();
        let chosen = sample.choose((0..10_000).collect(), 3);
        assert!((400..600).contains(&chosen.len()), "{}", chosen.len());
        assert_eq!(chosen, sample.choose((0..10_000).collect(), 3));
        assert_ne!(chosen, sample.choose((0..10_000).collect(), 4));
        assert!(chosen.is_sorted());
        assert_eq!(sample.to_string(), "5%");
    }

    #[test]
    fn never_nothing() {
        let sample: Sample = "0.001%".parse().unwrap();
        assert_eq!(sample.choose(vec![7, 8, 9], 0).len(), 1);
        assert_eq!(Sample::ALL.choose(vec![7, 8, 9], 0), [7, 8, 9]);
        for wrong in ["", "5", "0%", "101%", "NaN%", "-1%"] {
            assert!(wrong.parse::<Sample>().is_err(), "{wrong}");
        }
    }
}
