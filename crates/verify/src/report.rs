//! The outcome of a verification.

use fairzarr_task::shown;
use serde::Serialize;
use std::fmt;

/// What was proved, and what differs.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// One entry per proof that was attempted, in order.
    pub checks: Vec<Check>,
}

/// What is proved.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Proof {
    /// Every sample is that of the source.
    Pixels,
    /// Every sample decodes and has the recorded digest.
    Samples,
    /// Source documents, byte for byte.
    Documents,
    /// The source's document is that of an export of the store.
    Export,
    /// OME-XML made from attributes and arrays is canonically equal to the document.
    Structure,
    /// `OME/tiff-tags.json` says what the tags of the source's files say.
    Tags,
    /// `OME/METADATA.ome.xml` is the source's document without its data.
    Metadata,
    /// NGFF values follow from the OME-XML.
    Derivation,
    /// What is said of the microscope and its quality control follows from the documents.
    Record,
    /// What is said of the samples' values follows from them.
    Statistics,
    /// Computed levels are made of the level before as the store says.
    Pyramid,
    /// Regions of the OME-XML, painted again, and the files of labels are the label images.
    Labels,
    /// What of the source is not in the store is named there.
    Carried,
    /// Every object is there, and no other.
    Objects,
    /// The source's files have the recorded checksums.
    Files,
    /// Everything that is no chunk of an image has the recorded digest.
    Manifest,
    /// The documents of groups and arrays are such as readers of Zarr can open.
    Zarr,
}

impl Proof {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pixels => "pixels",
            Self::Samples => "samples",
            Self::Documents => "documents",
            Self::Export => "export",
            Self::Structure => "structure",
            Self::Tags => "tags",
            Self::Metadata => "metadata",
            Self::Derivation => "derivation",
            Self::Record => "record",
            Self::Statistics => "statistics",
            Self::Pyramid => "pyramid",
            Self::Labels => "labels",
            Self::Carried => "carried",
            Self::Objects => "objects",
            Self::Files => "files",
            Self::Manifest => "manifest",
            Self::Zarr => "zarr",
        }
    }
}

/// One proof.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// What was proved.
    #[serde(rename = "name")]
    pub proof: Proof,
    /// How much was compared, in words.
    pub covered: String,
    /// Everything that differs; empty when the proof holds.
    pub differences: Vec<Difference>,
    /// What was found that is no difference: documents written anew with the same values, objects that others have added.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl Check {
    pub(crate) fn new(proof: Proof, covered: impl Into<String>, differences: Vec<Difference>) -> Self {
        Self { proof, covered: covered.into(), differences, notes: Vec::new() }
    }
}

/// One difference between source and store.
#[derive(Clone, Debug, Serialize)]
pub struct Difference {
    /// Where: image, plane, tile; or a document's name.
    pub place: String,
    /// What the source says.
    pub expected: String,
    /// What the store says.
    pub found: String,
}

/// Differences of one proof. So many are listed, and all are counted.
#[derive(Debug)]
pub(crate) struct Differences {
    listed: Vec<Difference>,
    more: usize,
    /// What those that are not listed are called.
    what: &'static str,
}

impl Differences {
    pub(crate) fn new(what: &'static str) -> Self {
        Self { listed: Vec::new(), more: 0, what }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    pub(crate) fn add(&mut self, difference: Difference) {
        if self.listed.len() < LISTED {
            self.listed.push(difference);
        } else {
            self.more += 1;
        }
    }

    pub(crate) fn extend(&mut self, differences: impl IntoIterator<Item = Difference>) {
        differences.into_iter().for_each(|difference| self.add(difference));
    }

    /// The listed ones, and an entry for the others.
    pub(crate) fn finish(self) -> Vec<Difference> {
        let Self { mut listed, more, what } = self;
        if more > 0 {
            let place = format!("{more} more {what}");
            listed.push(Difference { place, expected: "no difference".into(), found: "differences".into() });
        }
        listed
    }
}

/// What several threads found, in the order of the places, numbers by their value: two runs of a proof say the same.
pub(crate) fn in_order(mut found: Vec<Difference>) -> Vec<Difference> {
    found.sort_by_cached_key(|difference| {
        let digits = difference.place.as_bytes().chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit());
        // Of numbers without leading zeros, the longer one is the larger.
        let key = |run: &[u8]| {
            if run.first().is_some_and(u8::is_ascii_digit) {
                (run.len(), run.to_vec())
            } else {
                (0, run.to_vec())
            }
        };
        digits.map(key).collect::<Vec<_>>()
    });
    found
}

/// Differences that are listed of each proof.
const LISTED: usize = 50;

impl Difference {
    pub(crate) fn new(
        place: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self { place: place.into(), expected: expected.into(), found: found.into() }
    }
}

impl Report {
    /// Whether every proof holds.
    pub fn holds(&self) -> bool {
        self.checks.iter().all(|check| check.differences.is_empty())
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, found {}", shown(&self.place), shown(&self.expected), shown(&self.found))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for check in &self.checks {
            let verdict = match check.differences.len() {
                0 => "equal".into(),
                1 => "1 DIFFERENCE".into(),
                n => format!("{n} DIFFERENCES"),
            };
            writeln!(f, "{:<10} {verdict}: {}", check.proof.name(), shown(&check.covered))?;
            for difference in &check.differences {
                writeln!(f, "  {difference}")?;
            }
            for note in &check.notes {
                writeln!(f, "  note: {}", shown(note))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_threads_found_is_in_the_order_of_the_places() {
        let places = ["plane t=10 c=0", "plane t=2 c=1", "plane t=2 c=0", "plane t=2 c=10"];
        let found = places.iter().map(|place| Difference::new(*place, "", "")).collect();
        let sorted: Vec<String> = in_order(found).into_iter().map(|difference| difference.place).collect();
        assert_eq!(sorted, ["plane t=2 c=0", "plane t=2 c=1", "plane t=2 c=10", "plane t=10 c=0"]);
    }
}
