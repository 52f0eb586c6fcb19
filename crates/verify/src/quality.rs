//! The image quality of an image's samples, counted again in the plainest way: every sixteenth row, neighbours within runs of
//! columns, of whole numbers of at most 16 bits.

use fairzarr_pixel::SampleType;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Every how many rows one is looked at.
const ROWS: u64 = 16;
/// Images of more planes do not list them.
const LISTED_PLANES: usize = 1024;

/// How the rows of an image are looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sampling {
    /// Columns of a run; 0 where there are none.
    pub(crate) run: u64,
    pub(crate) height: u64,
    pub(crate) width: u64,
    pub(crate) sample_type: SampleType,
    /// The least and the greatest value that the detector gives.
    pub(crate) range: Option<(f64, f64)>,
}

/// What is found in one channel.
#[derive(Clone, Debug, Default)]
pub(crate) struct Quality {
    /// By time point and section: samples, their sum, squares of differences.
    planes: BTreeMap<(u64, u64), (u64, i64, u64)>,
    curvature: u64,
    /// By thirds of the height and of the width: samples, their sum.
    ninths: BTreeMap<(u64, u64), (u64, i64)>,
}

impl Sampling {
    /// As an image says that it was looked at; `None` if it says nothing that can be.
    pub(crate) fn of(
        recorded: &Value,
        (height, width): (u64, u64),
        sample_type: SampleType,
        range: Option<(f64, f64)>,
    ) -> Option<Self> {
        let sampled = recorded.get("sampled")?;
        if sampled.get("rows")?.as_u64()? != ROWS {
            return None;
        }
        let run = match sampled.get("run")? {
            Value::Null => 0,
            run => run.as_u64().filter(|run| [4, 8, 16].contains(run))?,
        };
        Some(Self { run, height, width, sample_type, range })
    }

    fn is_counted(&self) -> bool {
        let small = [SampleType::Uint8, SampleType::Int8, SampleType::Uint16, SampleType::Int16];
        self.run > 0 && small.contains(&self.sample_type)
    }
}

impl Quality {
    /// Looks at a row of a plane, from column `x` on.
    pub(crate) fn row(&mut self, sampling: &Sampling, plane: (u64, u64), (y, x): (u64, u64), values: &[f64]) {
        if !y.is_multiple_of(ROWS) || !sampling.is_counted() {
            return;
        }
        let run = sampling.run as usize;
        let skipped = (x.next_multiple_of(sampling.run) - x) as usize;
        let mut column = x + skipped as u64;
        for values in values.get(skipped..).unwrap_or_default().chunks_exact(run) {
            let values: Vec<i64> = values.iter().map(|value| *value as i64).collect();
            let sum: i64 = values.iter().sum();
            let steps = values.windows(3).map(|of| (of[2] - of[0]).pow(2) as u64).sum::<u64>();
            self.curvature +=
                values.windows(3).map(|of| (of[0] - 2 * of[1] + of[2]).unsigned_abs()).sum::<u64>();
            let plane = self.planes.entry(plane).or_default();
            *plane = (plane.0 + sampling.run, plane.1 + sum, plane.2 + steps);
            let ninth = (3 * y / sampling.height.max(1), 3 * column / sampling.width.max(1));
            let ninth = self.ninths.entry(ninth).or_default();
            *ninth = (ninth.0 + sampling.run, ninth.1 + sum);
            column += sampling.run;
        }
    }

    /// Adds what was found elsewhere.
    pub(crate) fn merge(&mut self, other: Self) {
        self.curvature += other.curvature;
        for (key, other) in other.planes {
            let plane = self.planes.entry(key).or_default();
            *plane = (plane.0 + other.0, plane.1 + other.1, plane.2 + other.2);
        }
        for (key, other) in other.ninths {
            let ninth = self.ninths.entry(key).or_default();
            *ninth = (ninth.0 + other.0, ninth.1 + other.1);
        }
    }

    /// As the attributes of an image have it, given the share of saturated samples and the percentiles by their names.
    pub(crate) fn recorded(
        &self,
        sampling: &Sampling,
        saturated: f64,
        percentile: impl Fn(f64) -> Option<f64>,
    ) -> Value {
        let differences =
            |samples: u64| (samples / sampling.run.max(1) * sampling.run.saturating_sub(2)) as f64;
        let spread = |low: f64, high: f64| Some(percentile(high)? - percentile(low)?);
        let samples: u64 = self.planes.values().map(|plane| plane.0).sum();
        let noise = (samples > 0).then(|| {
            let mean = self.curvature as f64 / differences(samples);
            (std::f64::consts::PI / 2.0).sqrt() * mean / 6f64.sqrt()
        });
        let means: Vec<f64> =
            self.ninths.values().map(|(samples, sum)| *sum as f64 / *samples as f64).collect();
        let dimmest = means.iter().copied().reduce(f64::min);
        let brightest = means.iter().copied().reduce(f64::max).filter(|mean| *mean > 0.0);
        let uniformity = dimmest.filter(|mean| means.len() > 1 && *mean >= 0.0).zip(brightest);
        let mean = |plane: &(u64, i64, u64)| (plane.0 > 0).then(|| plane.1 as f64 / plane.0 as f64);
        let focus: Vec<Option<f64>> = self
            .planes
            .values()
            .map(|plane| {
                let mean = mean(plane).filter(|mean| *mean > 0.0)?;
                Some(plane.2 as f64 / differences(plane.0) / (mean * mean))
            })
            .collect();
        let members = [
            ("SaturatedFraction", json!(sampling.range.map(|_| saturated))),
            (
                "DynamicRangeUsed",
                rounded(
                    spread(0.001, 0.999).zip(sampling.range).map(|(used, (low, high))| used / (high - low)),
                ),
            ),
            ("Background", json!(percentile(0.01))),
            ("NoiseSD", rounded(noise)),
            (
                "SignalToNoise",
                rounded(
                    spread(0.01, 0.99)
                        .zip(noise.filter(|noise| *noise > 0.0))
                        .map(|(signal, noise)| signal / noise),
                ),
            ),
            ("FocusScore", rounded(focus.iter().flatten().copied().reduce(f64::max))),
            ("Uniformity", rounded(uniformity.map(|(dimmest, brightest)| dimmest / brightest))),
        ];
        let mut members: Map<String, Value> =
            members.map(|(name, value)| (name.to_owned(), value)).into_iter().collect();
        if self.planes.len() > 1 && self.planes.len() <= LISTED_PLANES && samples > 0 {
            let planes = json!({
                "t": self.planes.keys().map(|plane| plane.0).collect::<Vec<_>>(),
                "z": self.planes.keys().map(|plane| plane.1).collect::<Vec<_>>(),
                "FocusScore": focus.into_iter().map(rounded).collect::<Vec<_>>(),
                "Mean": self.planes.values().map(|plane| rounded(mean(plane))).collect::<Vec<_>>(),
            });
            members.insert("planes".into(), planes);
        }
        Value::Object(members)
    }
}

/// To six significant digits.
fn rounded(value: Option<f64>) -> Value {
    let digits = value.filter(|value| value.is_finite()).map(|value| format!("{value:.5e}"));
    json!(digits.and_then(|digits| digits.parse::<f64>().ok()))
}
