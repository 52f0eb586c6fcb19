//! Image quality as a kind of quality control (QUAREP-LiMi WG 10), which NBO has no element for: what was counted of the
//! samples of a store's images while they were converted, and answers to demands on it.
//!
//! The values stand with what they were counted of, in `fairzarr:statistics` of each image; `docs/quality.md` has their
//! definitions. A demand is asked of every channel of every image, unless it names a channel. What was not counted is
//! *unknown*, and never passes.
//!
//! ```
//! use fairzarr_nbo::qc::Requirement;
//! let r: Requirement = "ImageQuality in channel GFP and SaturatedFraction <= 0.001".parse().unwrap();
//! assert_eq!(r.channel.as_deref(), Some("GFP"));
//! ```

use serde::Serialize;
use serde_json::Value as Json;

use super::{Event, Limit, Metric, Outcome, Requirement, Verdict};

/// The name of the kind.
pub const KIND: &str = "ImageQuality";

/// What is counted. None has a unit; `Background` and `NoiseSD` are in units of the samples.
pub const METRICS: [&str; 7] = [
    "SaturatedFraction",
    "DynamicRangeUsed",
    "Background",
    "NoiseSD",
    "SignalToNoise",
    "FocusScore",
    "Uniformity",
];

/// What was counted of one image of a store.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageQuality {
    /// Path of its group in the store; empty for the root.
    pub path: String,
    /// Its name, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// By channel, in order; empty where nothing was counted.
    pub channels: Vec<Counted>,
}

/// What was counted of one channel.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counted {
    /// Name of the channel, else its number from 0.
    pub channel: String,
    /// What is known; a metric that could not be computed is missing.
    pub metrics: Vec<Metric>,
}

impl ImageQuality {
    /// Reads what the attributes of an image say: its statistics, and the names of its channels.
    pub fn read(path: &str, name: Option<String>, statistics: Option<&Json>, channels: &[String]) -> Self {
        let counted = statistics.and_then(|all| all.get("channels")?.as_array());
        let channels = counted.into_iter().flatten().enumerate().map(|(index, channel)| {
            let number = |name: &str| channel.get("quality")?.get(name)?.as_f64().filter(|v| v.is_finite());
            let metric = |name: &&str| {
                Some(Metric { name: (*name).to_owned(), value: number(name)?, ..Metric::default() })
            };
            let named = channels.get(index).filter(|name| !name.is_empty()).cloned();
            Counted {
                channel: named.unwrap_or_else(|| index.to_string()),
                metrics: METRICS.iter().filter_map(metric).collect(),
            }
        });
        Self { path: path.to_owned(), name, channels: channels.collect() }
    }

    /// The answer for this image: that of its worst channel.
    fn verdict(&self, requirement: &Requirement) -> Verdict {
        let image =
            self.name.clone().filter(|name| !name.is_empty()).unwrap_or_else(|| {
                if self.path.is_empty() { "the image".to_owned() } else { self.path.clone() }
            });
        let answer = |outcome, channel: Option<String>, reason: String| Verdict {
            image: image.clone(),
            images: 1,
            outcome,
            reason,
            channel,
            date: None,
            age_days: None,
            event: None,
        };
        let is_asked = |counted: &&Counted| {
            requirement.channel.as_ref().is_none_or(|name| name.eq_ignore_ascii_case(&counted.channel))
        };
        let asked: Vec<&Counted> = self.channels.iter().filter(is_asked).collect();
        if asked.is_empty() {
            let reason = match &requirement.channel {
                Some(name) if !self.channels.is_empty() => format!("the image has no channel {name}"),
                _ => "nothing was counted of this image".to_owned(),
            };
            return answer(Outcome::Unknown, None, reason);
        }
        let several = self.channels.len() > 1;
        let of = |counted: &Counted, reason: &str| {
            if several { format!("channel {}: {reason}", counted.channel) } else { reason.to_owned() }
        };
        let mut unknown = None;
        for counted in &asked {
            let event = Event { metrics: counted.metrics.clone(), ..Event::default() };
            let channel = several.then(|| counted.channel.clone());
            if counted.metrics.is_empty() {
                unknown.get_or_insert_with(|| (channel.clone(), of(counted, "nothing was counted")));
            }
            for condition in &requirement.conditions {
                match condition.holds(&event) {
                    Ok((true, _)) => {}
                    Ok((false, found)) => {
                        let reason = format!("{} is {found}", condition.metric);
                        return answer(Outcome::Fail, channel, of(counted, &reason));
                    }
                    Err(why) => {
                        let reason = of(counted, &format!("{} {why}", condition.metric));
                        unknown.get_or_insert((channel.clone(), reason));
                    }
                }
            }
        }
        match unknown {
            Some((channel, reason)) => answer(Outcome::Unknown, channel, reason),
            None => answer(Outcome::Pass, None, "counted in every channel that is asked for".to_owned()),
        }
    }
}

/// The answers for the images of a store: one for all that pass, and one for each other.
pub fn require(images: &[ImageQuality], requirement: &Requirement) -> Vec<Verdict> {
    let mut verdicts: Vec<Verdict> = Vec::new();
    let mut passing: Option<usize> = None;
    for verdict in images.iter().map(|image| image.verdict(requirement)) {
        let known = passing.and_then(|place| verdicts.get_mut(place));
        match (verdict.outcome, known) {
            (Outcome::Pass, Some(known)) => known.images += 1,
            (Outcome::Pass, None) => {
                passing = Some(verdicts.len());
                verdicts.push(verdict);
            }
            _ => verdicts.push(verdict),
        }
    }
    verdicts
}

/// Whether a demand of this kind asks for what there is: a reason where it does not.
pub(super) fn refusal(requirement: &Requirement) -> Option<&'static str> {
    if requirement.within_days.is_some() {
        return Some("without days: image quality is of the image itself");
    }
    if requirement.wavelength.is_some() {
        return Some("with the channel by its name: 'in channel NAME'");
    }
    let has_unit = |limit: &Limit| matches!(limit, Limit::Value(_, Some(_)));
    requirement.conditions.iter().any(|c| has_unit(&c.limit)).then_some("numbers without a unit")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn image(saturated: [Json; 2]) -> ImageQuality {
        let channels =
            saturated.map(|value| json!({"quality": {"SaturatedFraction": value, "FocusScore": 0.1}}));
        let names = ["DAPI".to_owned(), "GFP".to_owned()];
        ImageQuality::read("0", Some("cells".into()), Some(&json!({"channels": channels})), &names)
    }

    #[test]
    fn every_channel_is_asked_and_what_was_not_counted_never_passes() {
        for (demand, saturated, expected) in [
            ("ImageQuality and SaturatedFraction <= 0.01", [json!(0.0), json!(0.01)], Outcome::Pass),
            ("ImageQuality and SaturatedFraction <= 0.01", [json!(0.0), json!(0.02)], Outcome::Fail),
            (
                "ImageQuality in channel dapi and SaturatedFraction <= 0.01",
                [json!(0.0), json!(0.02)],
                Outcome::Pass,
            ),
            (
                "ImageQuality in channel Cy5 and SaturatedFraction <= 0.01",
                [json!(0.0), json!(0.0)],
                Outcome::Unknown,
            ),
            ("ImageQuality and SaturatedFraction <= 0.01", [json!(0.0), Json::Null], Outcome::Unknown),
            ("ImageQuality and SaturatedFraction <= 0.01", [json!(0.5), Json::Null], Outcome::Fail),
            ("ImageQuality and SignalToNoise >= 3", [json!(0.0), json!(0.0)], Outcome::Unknown),
            ("ImageQuality and SaturatedFraction < 1 x FocusScore", [json!(0.0), json!(0.0)], Outcome::Pass),
            ("ImageQuality", [json!(0.0), json!(0.0)], Outcome::Pass),
        ] {
            let verdicts = require(&[image(saturated)], &demand.parse().unwrap());
            assert_eq!(verdicts.iter().map(|v| v.outcome).collect::<Vec<_>>(), [expected], "{demand}");
        }
        assert_eq!(require(&[ImageQuality::default()], &KIND.parse().unwrap())[0].outcome, Outcome::Unknown);
        assert!(require(&[], &KIND.parse().unwrap()).is_empty(), "and no images are no pass");
    }

    #[test]
    fn images_that_pass_are_one_answer_and_others_one_each() {
        let good = || image([json!(0.0), json!(0.0)]);
        let bad = || image([json!(0.5), json!(0.0)]);
        let demand = "ImageQuality and SaturatedFraction <= 0.01".parse().unwrap();
        let verdicts = require(&[good(), bad(), good(), bad()], &demand);
        assert_eq!(
            verdicts.iter().map(|v| (v.outcome, v.images)).collect::<Vec<_>>(),
            [(Outcome::Pass, 2), (Outcome::Fail, 1), (Outcome::Fail, 1)]
        );
    }

    #[test]
    fn what_is_asked_of_image_quality_has_to_be_something_that_it_has() {
        for (demand, told) in [
            ("ImageQualty and SaturatedFraction <= 0.1", "ImageQuality"),
            ("ImageQuality and SaturationFraction <= 0.1", "SaturatedFraction"),
            ("ImageQuality and MedianXYSpotSize_FWHM <= 250 nm", "of OpticalCalibration"),
            ("OpticalCalibration and FocusScore >= 1", "of ImageQuality"),
            ("ImageQuality within 3 days", "without days"),
            ("ImageQuality at 488 nm", "in channel NAME"),
            ("ImageQuality and SaturatedFraction <= 1 %", "without a unit"),
        ] {
            let error = demand.parse::<Requirement>().unwrap_err().to_string();
            assert!(error.contains(told), "{demand}: {error}");
        }
    }
}
