//! Demands on quality control and the answers to them.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::{Event, Images, Index, KINDS};
use crate::Error;
use crate::record::value::date;
use crate::unit;

/// `KIND [in channel NAME] [at N UNIT] [within N days [either side]] [and METRIC < | <= | > | >= LIMIT]…`, where the
/// limit is a number with or without unit, or a multiple of another metric (`1.2 x TheoreticalXYSpotSize_FWHM`).
#[derive(Clone, Debug, PartialEq)]
pub struct Requirement {
    /// One of [`KINDS`].
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

/// The answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The demand is satisfied.
    Pass,
    /// It is not.
    Fail,
    /// The record does not say enough.
    Unknown,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
        })
    }
}

/// The answer for images that share date, instrument and objective.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// The first of the images.
    pub image: String,
    /// How many images it holds for.
    pub images: usize,
    /// The answer.
    pub outcome: Outcome,
    /// Why.
    pub reason: String,
    /// Age in days of the calibration that decided.
    pub age_days: Option<i64>,
    /// Identifier of that calibration.
    pub event: Option<String>,
}

/// How many nanometres a wavelength may be away from the one that is asked for: the width of a line or of a band.
const NEAR: f64 = 10.0;

const GRAMMAR: &str = "KIND [in channel NAME] [at N nm] [within N days [either side]] [and METRIC <= LIMIT [UNIT]], for example 'OpticalCalibration within 90 days'";

impl FromStr for Requirement {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let fail =
            || Error::Argument { what: "quality-control demand", found: text.to_owned(), expected: GRAMMAR };
        let mut clauses = text.split(" and ");
        let words: Vec<_> = clauses.next().unwrap_or_default().split_whitespace().collect();
        let kind = words.first().filter(|k| KINDS.contains(k)).ok_or_else(fail)?;
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
            unit::convert(value, unit, "nm").ok_or_else(fail)?;
            wavelength = Some((value, (*unit).to_owned()));
            rest = after;
        }
        let (within_days, either_side) = match rest {
            [] => (None, false),
            ["within", n, "day" | "days"] => (Some(n.parse().map_err(|_| fail())?), false),
            ["within", n, "day" | "days", "either", "side"] => (Some(n.parse().map_err(|_| fail())?), true),
            _ => return Err(fail()),
        };
        let conditions = clauses.map(condition).collect::<Option<_>>().ok_or_else(fail)?;
        Ok(Self { kind: (*kind).to_owned(), channel, wavelength, within_days, either_side, conditions })
    }
}

fn condition(clause: &str) -> Option<Condition> {
    let words: Vec<_> = clause.split_whitespace().collect();
    let [metric, operator, number, rest @ ..] = words.as_slice() else { return None };
    if !["<", "<=", ">", ">="].contains(operator) {
        return None;
    }
    let number = number.parse().ok()?;
    let limit = match rest {
        [] => Limit::Value(number, None),
        ["x" | "*" | "×", other] => Limit::Multiple(number, (*other).to_owned()),
        unit => Limit::Value(number, Some(unit.join(" "))),
    };
    Some(Condition { metric: (*metric).to_owned(), operator: (*operator).to_owned(), limit })
}

impl Index {
    /// Answers a demand, for each group of images. A store without images gives one answer: unknown.
    pub fn require(&self, requirement: &Requirement) -> Vec<Verdict> {
        if self.images.is_empty() {
            return vec![Verdict {
                image: String::new(),
                images: 0,
                outcome: Outcome::Unknown,
                reason: "the record says nothing about any image".into(),
                age_days: None,
                event: None,
            }];
        }
        self.images.iter().map(|images| self.verdict(images, requirement)).collect()
    }

    fn verdict(&self, images: &Images, requirement: &Requirement) -> Verdict {
        let verdict = |outcome, reason: String, age_days, event: Option<&Event>| Verdict {
            image: images.images.first().cloned().unwrap_or_default(),
            images: images.count,
            outcome,
            reason,
            age_days,
            event: event.and_then(|e| e.id.clone()),
        };
        let mut answers: Vec<_> = self
            .events
            .iter()
            .filter(|e| e.kind == requirement.kind)
            .filter_map(|event| {
                let (outcome, reason, age) = judge(event, images, requirement)?;
                Some(verdict(outcome, reason, age, Some(event)))
            })
            .collect();
        // The best answer counts, the youngest calibration among equals.
        answers.sort_by_key(|v| {
            let rank = match v.outcome {
                Outcome::Pass => 0,
                Outcome::Unknown => 1,
                Outcome::Fail => 2,
            };
            (rank, v.age_days.map_or(i64::MAX, i64::abs))
        });
        answers.into_iter().next().unwrap_or_else(|| {
            let reason = format!("no {} is recorded for the instrument", requirement.kind);
            verdict(Outcome::Fail, reason, None, None)
        })
    }
}

/// What one calibration says about these images; `None` if it is of another instrument or objective.
fn judge(
    event: &Event,
    images: &Images,
    requirement: &Requirement,
) -> Option<(Outcome, String, Option<i64>)> {
    let how = match relation(event, images) {
        Relation::None => return None,
        Relation::Other(why) => return Some((Outcome::Fail, why.into(), None)),
        Relation::Unclear(why) => return Some((Outcome::Unknown, why.into(), None)),
        Relation::Is(how) => how,
    };
    match requirement.is_in_light_of(event) {
        Some(true) => {}
        Some(false) => return None,
        None => {
            let why = format!("{how} does not say its channel or wavelength");
            return Some((Outcome::Unknown, why, None));
        }
    }
    let days = |text: &Option<String>| text.as_deref().and_then(date).map(day_number);
    let age =
        days(&images.acquisition_date).zip(days(&event.date)).map(|(image, calibration)| image - calibration);
    if let Some(limit) = requirement.within_days {
        let Some(age) = age else {
            let missing =
                if images.acquisition_date.is_none() { "the acquisition" } else { "the calibration" };
            return Some((Outcome::Unknown, format!("{missing} has no date"), None));
        };
        if age < 0 && !requirement.either_side {
            let reason = format!("{how} was made {} days after the acquisition", -age);
            return Some((Outcome::Fail, reason, Some(age)));
        }
        if age.abs() > i64::from(limit) {
            let reason = format!("{how} is {} days from the acquisition, more than {limit}", age.abs());
            return Some((Outcome::Fail, reason, Some(age)));
        }
    }
    for condition in &requirement.conditions {
        match condition.holds(event) {
            Some((true, _)) => {}
            Some((false, found)) => {
                return Some((Outcome::Fail, format!("{} is {found}", condition.metric), age));
            }
            None => return Some((Outcome::Unknown, format!("{} cannot be compared", condition.metric), age)),
        }
    }
    let reason = match age {
        Some(age) => format!("{how}, {age} days before the acquisition"),
        None => how.to_owned(),
    };
    Some((Outcome::Pass, reason, age))
}

enum Relation {
    None,
    /// It hangs on this image, and is of something else.
    Other(&'static str),
    Unclear(&'static str),
    Is(&'static str),
}

fn relation(event: &Event, images: &Images) -> Relation {
    let optical = ["OpticalCalibration", "ChromaticRegistrationEvaluation", "FieldUniformityEvaluation"]
        .contains(&event.kind.as_str());
    if event.images.iter().any(|i| images.images.contains(i)) {
        // It may have been measured on another image, and that one was taken otherwise.
        let differ = |a: &Option<String>, b: &Option<String>| a.is_some() && b.is_some() && a != b;
        return if optical && differ(&event.objective, &images.objective) {
            Relation::Other("the calibration of this image was measured with another objective")
        } else if optical && differ(&event.instrument, &images.instrument) {
            Relation::Other("the calibration of this image was measured on another instrument")
        } else {
            Relation::Is("a calibration of this image")
        };
    }
    let same_instrument = match (&event.instrument_key, &images.instrument_key) {
        (Some(a), Some(b)) => Some(a == b),
        _ => event.instrument.as_ref().zip(images.instrument.as_ref()).map(|(a, b)| a == b),
    };
    match same_instrument {
        Some(false) => return Relation::None,
        None => return Relation::Unclear("the record does not say which instrument was used"),
        Some(true) => {}
    }
    if !optical {
        return Relation::Is("a calibration of the same instrument");
    }
    match event.objective.as_ref().zip(images.objective.as_ref()) {
        Some((a, b)) if a == b => Relation::Is("a calibration of the same instrument and objective"),
        Some(_) => Relation::None,
        None => Relation::Unclear("the record does not say which objective was used"),
    }
}

impl Requirement {
    /// Whether a calibration was made in the channel and at the wavelength that is asked for; `None` if it does not say.
    fn is_in_light_of(&self, event: &Event) -> Option<bool> {
        if let Some(channel) = &self.channel {
            let mut names = event.channel.as_deref()?.split(", ");
            if !names.any(|name| name.eq_ignore_ascii_case(channel)) {
                return Some(false);
            }
        }
        let Some((value, unit)) = &self.wavelength else { return Some(true) };
        let measured = event.wavelength.as_ref()?;
        let measured = unit::convert(measured.value, &measured.unit, "nm")?;
        Some((measured - unit::convert(*value, unit, "nm")?).abs() <= NEAR)
    }
}

impl Condition {
    fn holds(&self, event: &Event) -> Option<(bool, String)> {
        let metric = |name: &str| event.metrics.iter().find(|m| m.name == name);
        let measured = metric(&self.metric)?;
        let convert = |value: f64, from: Option<&str>| match (from, measured.unit.as_deref()) {
            (Some(from), Some(to)) => unit::convert(value, from, to),
            (None, None) => Some(value),
            _ => None,
        };
        let limit = match &self.limit {
            Limit::Value(value, unit) => convert(*value, unit.as_deref())?,
            Limit::Multiple(factor, name) => {
                let other = metric(name)?;
                factor * convert(other.value, other.unit.as_deref())?
            }
        };
        let holds = match self.operator.as_str() {
            "<" => measured.value < limit,
            "<=" => measured.value <= limit,
            ">" => measured.value > limit,
            _ => measured.value >= limit,
        };
        let unit = measured.unit.as_deref().unwrap_or_default();
        Some((holds, format!("{} {unit}, not {} {limit} {unit}", measured.value, self.operator)))
    }
}

/// Days since an epoch, by the Gregorian calendar.
fn day_number((year, month, day): (i32, u32, u32)) -> i64 {
    // Years begin in March, so that the leap day is the last.
    let (year, month) =
        if month > 2 { (i64::from(year), month - 3) } else { (i64::from(year) - 1, month + 9) };
    let leap = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    365 * year + leap + i64::from((153 * month + 2) / 5 + day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_between_dates() {
        let days = |a, b| day_number(b) - day_number(a);
        assert_eq!(days((2024, 2, 1), (2024, 3, 14)), 42);
        assert_eq!(days((2023, 2, 28), (2023, 3, 1)), 1);
        assert_eq!(days((1999, 12, 31), (2000, 12, 31)), 366);
    }

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
