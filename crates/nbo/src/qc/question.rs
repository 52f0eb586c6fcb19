//! Demands on quality control: their grammar, and whether they ask for something that there is.

use std::str::FromStr;

use super::{KINDS, metrics, quality};
use crate::Error;
use crate::catalogue::{self, Class};
use crate::unit;

/// `KIND [in channel NAME] [at N UNIT] [within N days [either side]] [and METRIC < | <= | > | >= LIMIT]…`, where the
/// limit is a number with or without unit, or a multiple of another metric (`1.2 x TheoreticalXYSpotSize_FWHM`).
#[derive(Clone, Debug, PartialEq)]
pub struct Requirement {
    /// One of [`KINDS`], or [`super::IMAGE_QUALITY`].
    pub kind: String,
    /// The channel that it was made in.
    pub channel: Option<String>,
    /// The wavelength that it was made with, give or take 10 nm, and its unit.
    pub wavelength: Option<(f64, String)>,
    /// Greatest age in days.
    pub within_days: Option<u32>,
    /// Whether a calibration after the acquisition counts too.
    pub either_side: bool,
    /// What the measured values have to satisfy.
    pub conditions: Vec<Condition>,
}

/// A demand on one metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// NBO attribute.
    pub metric: String,
    /// `<`, `<=`, `>` or `>=`.
    pub operator: String,
    /// What it is compared with.
    pub limit: Limit,
}

/// What a metric is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Limit {
    /// A value, in a unit or without one.
    Value(f64, Option<String>),
    /// A multiple of another metric of the same calibration.
    Multiple(f64, String),
}

const WHAT: &str = "quality-control demand";

const GRAMMAR: &str = "KIND [in channel NAME] [at N nm] [within N days [either side]] [and METRIC <= LIMIT [UNIT]], for example 'OpticalCalibration within 90 days'";

impl FromStr for Requirement {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let fail = || Error::Argument { what: WHAT, found: text.to_owned(), expected: GRAMMAR };
        let mut clauses = text.split(" and ");
        let words: Vec<_> = clauses.next().unwrap_or_default().split_whitespace().collect();
        let kind = *words.first().ok_or_else(fail)?;
        if !KINDS.contains(&kind) && kind != quality::KIND {
            let known = KINDS.into_iter().chain([quality::KIND]);
            return Err(misspelt("kind of calibration".into(), kind, known));
        }
        let mut rest = &words[1..];
        let mut channel = None;
        if let ["in", "channel", after @ ..] = rest {
            // Names may be of several words.
            let end = after.iter().position(|word| ["at", "within"].contains(word)).unwrap_or(after.len());
            channel = Some(after[..end].join(" ")).filter(|name| !name.is_empty());
            rest = &after[end..];
            channel.as_ref().ok_or_else(fail)?;
        }
        let mut wavelength = None;
        if let ["at", number, unit, after @ ..] = rest {
            let value: f64 = number.parse().map_err(|_| fail())?;
            if unit::convert(value, unit, "nm").is_none() {
                return Err(misspelt("unit of a wavelength".into(), unit, unit::like("nm")));
            }
            wavelength = Some((value, (*unit).to_owned()));
            rest = after;
        }
        let (within_days, either_side) = match rest {
            [] => (None, false),
            ["within", n, "day" | "days"] => (Some(n.parse().map_err(|_| fail())?), false),
            ["within", n, "day" | "days", "either", "side"] => (Some(n.parse().map_err(|_| fail())?), true),
            _ => return Err(fail()),
        };
        let conditions: Vec<Condition> = clauses.map(condition).collect::<Option<_>>().ok_or_else(fail)?;
        if let Some(class) = catalogue::class(kind) {
            conditions.iter().try_for_each(|condition| condition.is_of(class))?;
        }
        let requirement =
            Self { kind: kind.to_owned(), channel, wavelength, within_days, either_side, conditions };
        if kind == quality::KIND {
            requirement.conditions.iter().try_for_each(Condition::is_of_quality)?;
            if let Some(expected) = quality::refusal(&requirement) {
                return Err(Error::Argument { what: WHAT, found: text.to_owned(), expected });
            }
        }
        Ok(requirement)
    }
}

fn condition(clause: &str) -> Option<Condition> {
    let words: Vec<_> = clause.split_whitespace().collect();
    let [metric, operator, number, rest @ ..] = words.as_slice() else { return None };
    if !["<", "<=", ">", ">="].contains(operator) {
        return None;
    }
    let number: f64 = number.parse().ok()?;
    if !number.is_finite() {
        return None;
    }
    let limit = match rest {
        [] => Limit::Value(number, None),
        ["x" | "*" | "×", other] => Limit::Multiple(number, (*other).to_owned()),
        unit => Limit::Value(number, Some(unit.join(" "))),
    };
    Some(Condition { metric: (*metric).to_owned(), operator: (*operator).to_owned(), limit })
}

impl Condition {
    /// Whether image quality has such metrics.
    fn is_of_quality(&self) -> Result<(), Error> {
        let find = |name: &str| {
            if quality::METRICS.contains(&name) {
                return Ok(());
            }
            let kind = quality::KIND;
            Err(match kind_of(name) {
                Some(other) => {
                    let word = format!("metric of {kind}, but of {other}");
                    Error::Misspelt { what: WHAT, word, found: name.to_owned(), nearest: None }
                }
                None => misspelt(format!("metric of {kind}"), name, quality::METRICS),
            })
        };
        find(&self.metric)?;
        match &self.limit {
            Limit::Multiple(_, other) => find(other),
            Limit::Value(..) => Ok(()),
        }
    }

    /// Whether the class has such metrics, and they can have such a unit.
    fn is_of(&self, class: &'static Class) -> Result<(), Error> {
        let find = |name: &str| {
            let names = || metrics::of_class(class).map(|a| a.name);
            let found = metrics::of_class(class).find(|a| a.name == name);
            found.ok_or_else(|| {
                // A metric that another kind has is not misspelt.
                match kind_of(name) {
                    Some(other) => {
                        let word = format!("metric of {}, but of {other}", class.name);
                        Error::Misspelt { what: WHAT, word, found: name.to_owned(), nearest: None }
                    }
                    None => misspelt(format!("metric of {}", class.name), name, names()),
                }
            })
        };
        let metric = find(&self.metric)?;
        match &self.limit {
            Limit::Multiple(_, other) => find(other).map(|_| ()),
            Limit::Value(_, None) => Ok(()),
            Limit::Value(_, Some(unit)) => {
                let listed = metric.unit.and_then(|name| class.attribute(name)?.values());
                let listed = listed.is_some_and(|list| list.values.iter().any(|v| v.trim() == unit));
                match metrics::schema_unit(class, metric) {
                    Some(own) if listed || unit::convert(1.0, unit, own).is_some() => Ok(()),
                    // A unit that the model leaves open can be anything that is one.
                    None if metric.unit.is_some() && (listed || unit::is_known(unit)) => Ok(()),
                    Some(own) => Err(misspelt(format!("unit of {}", metric.name), unit, unit::like(own))),
                    None => {
                        let word = format!("unit of {}, which has none", metric.name);
                        Err(Error::Misspelt { what: WHAT, word, found: unit.clone(), nearest: None })
                    }
                }
            }
        }
    }
}

/// The kind that has a metric of this name.
fn kind_of(name: &str) -> Option<&'static str> {
    if quality::METRICS.contains(&name) {
        return Some(quality::KIND);
    }
    let classes = KINDS.iter().filter_map(|kind| catalogue::class(kind));
    let mut classes = classes.filter(|class| metrics::of_class(class).any(|a| a.name == name));
    classes.next().map(|class| class.name)
}

/// The error for a word that is none of `known`, with the one that was probably meant.
fn misspelt<'a>(word: String, found: &str, known: impl IntoIterator<Item = &'a str>) -> Error {
    let fold = |text: &str| text.to_lowercase().replace(['\u{3bc}', '\u{b5}'], "u");
    let found_folded = fold(found);
    let alike = |name: &str| {
        let name = fold(name);
        // Of equally near ones that which begins alike.
        let begins = name.chars().zip(found_folded.chars()).take_while(|(a, b)| a == b).count();
        (strsim::normalized_damerau_levenshtein(&name, &found_folded), begins)
    };
    let nearest = known.into_iter().max_by(|a, b| {
        let (a, b) = (alike(a), alike(b));
        a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
    });
    Error::Misspelt { what: WHAT, word, found: found.to_owned(), nearest: nearest.map(str::to_owned) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn demands_are_parsed_strictly() {
        for good in [
            "OpticalCalibration",
            "DetectorCalibration within 1 day",
            "ExcitationCalibration in channel Alexa Fluor 488 at 488 nm within 30 days",
            "OpticalCalibration at 0.525 µm",
            "OpticalCalibration within 90 days either side and MedianXYSpotSize_FWHM <= 1.2 x TheoreticalXYSpotSize_FWHM",
        ] {
            assert!(good.parse::<Requirement>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "Calibration within 90 days",
            "OpticalCalibration in 90 days",
            "OpticalCalibration within -1 days",
            "OpticalCalibration and X = 3",
            "OpticalCalibration in channel within 3 days",
            "OpticalCalibration at 488",
            "OpticalCalibration at 488 ms",
        ] {
            assert!(bad.parse::<Requirement>().is_err(), "{bad}");
        }
    }
}
