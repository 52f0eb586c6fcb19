//! The answers to demands.

use std::cmp::Reverse;
use std::fmt;

use serde::Serialize;

use super::relation::{Covers, NEAR, Relation, covers, relation};
use super::{Channel, Condition, Event, Images, Index, KINDS, Limit, Requirement, Wavelength};
use crate::record::value::{date, day_number};
use crate::unit;

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

/// The answer for images that share what decides about it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Verdict {
    /// The first of the images; empty where nothing is known of them.
    pub image: String,
    /// How many images it holds for.
    pub images: usize,
    /// The answer.
    pub outcome: Outcome,
    /// Why.
    pub reason: String,
    /// The channel that decided, where each is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// Age in days of the calibration that decided.
    pub age_days: Option<i64>,
    /// Its day, as yyyy-mm-dd.
    pub date: Option<String>,
    /// Identifier of that calibration.
    pub event: Option<String>,
}

/// What one part of a question, a channel for example, comes to.
struct Answer<'a> {
    outcome: Outcome,
    reason: String,
    age: Option<i64>,
    event: Option<&'a Event>,
}

/// What is asked: of the images as a whole, or of one of their channels.
#[derive(Clone, Copy)]
enum Part<'a> {
    Whole,
    Channel(&'a Channel),
    /// A pair of wavelengths that colours were registered at.
    Pair(&'a [Wavelength]),
}

/// A calibration that applies.
struct Candidate<'a> {
    event: &'a Event,
    how: &'static str,
    is_own: bool,
    age: Option<i64>,
    /// Whether it says that it is of the part that is asked about.
    is_said: bool,
}

impl Index {
    /// Answers a demand for the images of the store, group by group. Where none is known the one answer is unknown.
    pub fn require(&self, requirement: &Requirement) -> Vec<Verdict> {
        let judged = self.images.iter().filter(|images| images.in_store != Some(false));
        let verdicts: Vec<Verdict> = judged.map(|images| self.verdict(images, requirement)).collect();
        if !verdicts.is_empty() {
            return verdicts;
        }
        let reason = "the record says nothing about any image of the store";
        vec![unknown(&Images::default(), reason)]
    }

    /// The answers for images that the record describes and the store does not hold, such as those of beads. They count
    /// for nothing.
    pub fn others(&self, requirement: &Requirement) -> Vec<Verdict> {
        let others = self.images.iter().filter(|images| images.in_store == Some(false));
        others.map(|images| self.verdict(images, requirement)).collect()
    }

    /// For each kind of calibration that is recorded, in the order of [`KINDS`], the one that decides about these images, however
    /// old it is, or why none does.
    pub fn latest(&self, images: &Images) -> Vec<(&'static str, Verdict)> {
        let recorded = KINDS.into_iter().filter(|kind| self.events.iter().any(|event| event.kind == *kind));
        recorded
            .map(|kind| {
                let asked = Requirement {
                    kind: kind.to_owned(),
                    channel: None,
                    wavelength: None,
                    within_days: None,
                    either_side: false,
                    conditions: Vec::new(),
                };
                (kind, self.verdict(images, &asked))
            })
            .collect()
    }

    fn verdict(&self, images: &Images, requirement: &Requirement) -> Verdict {
        if images.images.is_empty() {
            return unknown(images, "the record says nothing about this image of the store");
        }
        let parts = self.parts(images, requirement);
        let mut worst: Option<(Part, Answer)> = None;
        for part in parts {
            let answer = self.answer(images, requirement, part);
            let rank = |outcome| match outcome {
                Outcome::Fail => 2,
                Outcome::Unknown => 1,
                Outcome::Pass => 0,
            };
            if worst.as_ref().is_none_or(|(_, before)| rank(answer.outcome) > rank(before.outcome)) {
                worst = Some((part, answer));
            }
        }
        let Some((part, answer)) = worst else {
            return unknown(images, "the record says nothing that could be asked");
        };
        let channel = match part {
            Part::Channel(channel) if images.channels.len() > 1 => channel.name.clone(),
            _ => None,
        };
        let place = channel.as_ref().map(|name| format!("channel {name}: ")).unwrap_or_default();
        Verdict {
            image: images.images.first().cloned().unwrap_or_default(),
            images: images.count,
            outcome: answer.outcome,
            reason: format!("{place}{}", answer.reason),
            channel,
            age_days: answer.age,
            date: answer.event.and_then(|e| e.date.clone()),
            event: answer.event.and_then(|e| e.id.clone()),
        }
    }

    /// A question about a metric is asked of every channel that the kind concerns, unless it names one; a question
    /// about a calibration as such of the images as a whole.
    fn parts<'a>(&'a self, images: &'a Images, requirement: &Requirement) -> Vec<Part<'a>> {
        let is_narrowed = requirement.channel.is_some() || requirement.wavelength.is_some();
        if requirement.conditions.is_empty() {
            return vec![Part::Whole];
        }
        match requirement.kind.as_str() {
            "OpticalCalibration"
            | "FieldUniformityEvaluation"
            | "ExcitationCalibration"
            | "DetectorCalibration"
                if !is_narrowed && !images.channels.is_empty() =>
            {
                images.channels.iter().map(Part::Channel).collect()
            }
            "ChromaticRegistrationEvaluation" => self.pairs(images, requirement, is_narrowed),
            _ => vec![Part::Whole],
        }
    }

    /// Every pair of wavelengths that was registered, and every channel of an image of several.
    fn pairs<'a>(
        &'a self,
        images: &'a Images,
        requirement: &Requirement,
        is_narrowed: bool,
    ) -> Vec<Part<'a>> {
        let mut pairs: Vec<&[Wavelength]> = Vec::new();
        for event in self.events.iter().filter(|e| e.kind == "ChromaticRegistrationEvaluation") {
            let applies = matches!(relation(self, event, images), Relation::Applies(..))
                && requirement.is_in_light_of(event) == Some(true);
            if applies && !pairs.iter().any(|pair| same_pair(pair, &event.wavelengths)) {
                pairs.push(&event.wavelengths);
            }
        }
        let mut parts: Vec<Part> = pairs.into_iter().map(Part::Pair).collect();
        if !is_narrowed && images.channels.len() > 1 {
            parts.extend(images.channels.iter().filter(|c| c.emission.is_some()).map(Part::Channel));
        }
        if parts.is_empty() { vec![Part::Whole] } else { parts }
    }

    fn answer<'a>(&'a self, images: &Images, requirement: &Requirement, part: Part) -> Answer<'a> {
        let mut candidates = Vec::new();
        let mut unclear: Option<String> = None;
        let mut not: Option<String> = None;
        for event in self.events.iter().filter(|e| e.kind == requirement.kind) {
            let (how, is_own) = match relation(self, event, images) {
                Relation::Not(why) => {
                    not.get_or_insert(why);
                    continue;
                }
                Relation::Unclear(why) => {
                    unclear.get_or_insert(why);
                    continue;
                }
                Relation::Applies(how, is_own) => (how, is_own),
            };
            if event.point_spread_function == Some(false) {
                not.get_or_insert("it holds no point spread function".into());
                continue;
            }
            match requirement.is_in_light_of(event) {
                Some(true) => {}
                Some(false) => {
                    not.get_or_insert("it is of another channel or wavelength".into());
                    continue;
                }
                None => {
                    unclear.get_or_insert_with(|| format!("{how} does not say its channel or wavelength"));
                    continue;
                }
            }
            let covered = match part {
                Part::Whole => Covers::Yes,
                Part::Channel(channel) => covers(event, channel),
                Part::Pair(pair) if same_pair(pair, &event.wavelengths) => Covers::Yes,
                Part::Pair(_) => Covers::No,
            };
            if covered == Covers::No {
                not.get_or_insert("it is of another channel, wavelength or part".into());
                continue;
            }
            let is_said = covered == Covers::Yes || is_own || images.channels.len() < 2;
            candidates.push(Candidate { event, how, is_own, age: age(event, images), is_said });
        }
        candidates.sort_by(|a, b| a.rank(requirement).cmp(&b.rank(requirement)));
        let Some(first) = candidates.first().map(|c| c.rank(requirement)) else {
            return nothing(requirement, images, part, unclear, not);
        };
        // Of several of one day none is the later.
        let answers = candidates.iter().take_while(|c| c.rank(requirement) == first);
        let answers: Vec<(bool, Answer)> =
            answers.map(|c| (c.measures(requirement), c.judge(images, requirement))).collect();
        let some_measure = answers.iter().any(|(measures, _)| *measures);
        let worst =
            answers.into_iter().filter(|(measures, _)| *measures || !some_measure).map(|(_, answer)| answer);
        worst
            .max_by_key(|answer| match answer.outcome {
                Outcome::Fail => 2,
                Outcome::Unknown => 1,
                Outcome::Pass => 0,
            })
            .unwrap_or_else(|| nothing(requirement, images, part, None, None))
    }
}

/// The answer where no calibration applies.
fn nothing<'a>(
    requirement: &Requirement,
    images: &Images,
    part: Part,
    unclear: Option<String>,
    not: Option<String>,
) -> Answer<'a> {
    let kind = &requirement.kind;
    let of = match part {
        Part::Channel(Channel { name: Some(name), .. }) if images.channels.len() > 1 => {
            format!("channel {name}")
        }
        _ => "the instrument".into(),
    };
    let (outcome, reason) = match (unclear, not) {
        (Some(why), _) => (Outcome::Unknown, why),
        (None, Some(why)) => (Outcome::Fail, format!("no {kind} that is recorded applies: {why}")),
        (None, None) if images.instrument.is_none() => {
            (Outcome::Unknown, format!("no {kind} is recorded, nor which microscope was used"))
        }
        (None, None) => (Outcome::Fail, format!("no {kind} is recorded for {of}")),
    };
    Answer { outcome, reason, age: None, event: None }
}

fn unknown(images: &Images, reason: &str) -> Verdict {
    Verdict {
        image: images.images.first().cloned().unwrap_or_default(),
        images: images.count,
        outcome: Outcome::Unknown,
        reason: reason.into(),
        channel: None,
        age_days: None,
        date: None,
        event: None,
    }
}

/// Whether two pairs are of the same two wavelengths, in either order.
fn same_pair(a: &[Wavelength], b: &[Wavelength]) -> bool {
    let sorted = |pair: &[Wavelength]| {
        let mut light: Vec<f64> = pair.iter().filter_map(Wavelength::nanometres).collect();
        light.sort_by(f64::total_cmp);
        light
    };
    let (a, b) = (sorted(a), sorted(b));
    a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| (a - b).abs() <= NEAR)
}

/// Whole days from the calibration to the acquisition.
fn age(event: &Event, images: &Images) -> Option<i64> {
    let days = |text: &Option<String>| text.as_deref().and_then(date).map(day_number);
    Some(days(&images.acquisition_date)? - days(&event.date)?)
}

impl<'a> Candidate<'a> {
    /// Which goes first: one that counts by its date, the image's own, the nearest in time.
    fn rank(&self, requirement: &Requirement) -> (bool, bool, bool, i64, Reverse<Option<&'a str>>) {
        let is_after = self.age.is_some_and(|age| age < 0) && !requirement.either_side;
        let date = self.event.date.as_deref();
        (is_after, !self.is_own, self.age.is_none(), self.age.map_or(i64::MAX, i64::abs), Reverse(date))
    }

    /// Whether it measured what is asked.
    fn measures(&self, requirement: &Requirement) -> bool {
        requirement.conditions.iter().all(|c| self.event.metrics.iter().any(|m| m.name == c.metric))
    }

    fn judge(&self, images: &Images, requirement: &Requirement) -> Answer<'a> {
        let Self { event, how, age, .. } = *self;
        let answer = |outcome, reason: String| Answer { outcome, reason, age, event: Some(event) };
        if let Some(limit) = requirement.within_days {
            let Some(age) = age else {
                let missing =
                    if images.acquisition_date.is_none() { "the acquisition" } else { "the calibration" };
                return answer(Outcome::Unknown, format!("{missing} has no date"));
            };
            if age < 0 && !requirement.either_side {
                return answer(Outcome::Fail, format!("{how} was made {} days after the acquisition", -age));
            }
            if age.abs() > i64::from(limit) {
                let reason = format!("{how} is {} days from the acquisition, more than {limit}", age.abs());
                return answer(Outcome::Fail, reason);
            }
        }
        for condition in &requirement.conditions {
            match condition.holds(event) {
                Ok((true, _)) => {}
                Ok((false, found)) => {
                    return answer(Outcome::Fail, format!("{} is {found}", condition.metric));
                }
                Err(why) => return answer(Outcome::Unknown, format!("{} {why}", condition.metric)),
            }
        }
        if !self.is_said && !requirement.conditions.is_empty() {
            return answer(Outcome::Unknown, format!("{how} does not say its channel or wavelength"));
        }
        let reason = match age {
            Some(age) if age < 0 => format!("{how}, {} days after the acquisition", -age),
            Some(age) => format!("{how}, {age} days before the acquisition"),
            None => how.to_owned(),
        };
        answer(Outcome::Pass, reason)
    }
}

impl Requirement {
    /// Whether a calibration was made in the channel and at the wavelength that is asked for; `None` if it does not say.
    /// Of the two wavelengths of a registration either will do.
    fn is_in_light_of(&self, event: &Event) -> Option<bool> {
        if let Some(channel) = &self.channel {
            if event.channels.is_empty() {
                return None;
            }
            if !event.channels.iter().any(|name| name.eq_ignore_ascii_case(channel)) {
                return Some(false);
            }
        }
        let Some((value, unit)) = &self.wavelength else { return Some(true) };
        let asked = unit::convert(*value, unit, "nm")?;
        let measured: Vec<f64> = if event.kind == "ChromaticRegistrationEvaluation" {
            event.wavelengths.iter().filter_map(Wavelength::nanometres).collect()
        } else {
            event.wavelength.iter().filter_map(Wavelength::nanometres).collect()
        };
        (!measured.is_empty()).then(|| measured.iter().any(|light| (light - asked).abs() <= NEAR))
    }
}

impl Condition {
    /// Whether it holds, and what was measured; or why that cannot be said.
    pub(super) fn holds(&self, event: &Event) -> Result<(bool, String), String> {
        let metric = |name: &str| event.metrics.iter().find(|m| m.name == name);
        let measured = metric(&self.metric).ok_or("was not measured")?;
        let convert = |value: f64, from: Option<&str>| match (from, measured.unit.as_deref()) {
            (Some(from), Some(to)) => {
                unit::convert(value, from, to).ok_or_else(|| format!("is recorded in {to}, not {from}"))
            }
            (None, None) => Ok(value),
            (None, Some(to)) => Err(format!("is recorded in {to}, and the demand names no unit")),
            (Some(from), None) => Err(format!("is recorded without unit, not in {from}")),
        };
        let limit = match &self.limit {
            Limit::Value(value, unit) => convert(*value, unit.as_deref())?,
            Limit::Multiple(factor, name) => {
                let other = metric(name).ok_or_else(|| format!("cannot be compared: there is no {name}"))?;
                factor * convert(other.value, other.unit.as_deref())?
            }
        };
        let holds = match self.operator.as_str() {
            "<" => measured.value < limit,
            "<=" => measured.value <= limit,
            ">" => measured.value > limit,
            _ => measured.value >= limit,
        };
        let unit = measured.unit.as_ref().map(|unit| format!(" {unit}")).unwrap_or_default();
        Ok((holds, format!("{}{unit}, not {} {limit}{unit}", measured.value, self.operator)))
    }
}
