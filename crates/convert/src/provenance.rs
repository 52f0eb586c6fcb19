//! Microscope provenance and quality control: the NBO record of a store, from its OME-XML and the documents beside
//! it. `docs/nbo-zarr-convention.md` says how it lies in the store.

use fairzarr_nbo::check::{self, Enforce, Policy, Severity};
use fairzarr_nbo::ingest::{self, Form, Mapping};
use fairzarr_nbo::merge::{Conflict, merge};
use fairzarr_nbo::placement::{Placement, maps};
use fairzarr_nbo::record::Source;
use fairzarr_nbo::{Record, derive};
use fairzarr_ngff::{FillValue, SampleType, Version, group_document};
use fairzarr_ome_tiff::Fileset;
use fairzarr_store::Store;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

use crate::Error;
use crate::arrays::{self, SmallArray};
use crate::commit::put;
use crate::metadata::source_key;
use crate::options::Options;

/// The policy whose coverage is recorded where none is asked for.
const BASELINE: &str = "baseline";
/// Findings that an error lists; `fairzarr check` lists all.
const LISTED: usize = 5;

/// A document beside the image: Micro-Meta App JSON, NBO XML, results of quality control.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sidecar {
    /// File name.
    pub name: String,
    /// Content, which the store keeps byte for byte.
    pub bytes: Vec<u8>,
}

/// What a plan knows of the documents beside the image: resumed or split, a conversion has to read the same ones.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Documents {
    /// Name and SHA-256 of each sidecar.
    pub sidecars: Vec<(String, String)>,
    /// How those are read that are of no known form.
    pub mapping: Option<Mapping>,
    /// What the record is checked by.
    pub policy: Option<Policy>,
}

impl Documents {
    /// Those of a conversion with these options.
    pub(crate) fn of(options: &Options) -> Self {
        let named = |sidecar: &Sidecar| (sidecar.name.clone(), sidecar.digest());
        Self {
            sidecars: options.sidecars.iter().map(named).collect(),
            mapping: options.mapping.clone(),
            policy: options.policy.clone(),
        }
    }
}

impl Sidecar {
    /// SHA-256 of the bytes, hexadecimal.
    pub(crate) fn digest(&self) -> String {
        ingest::source(&self.name, Form::Record, "", &self.bytes).sha256
    }
}

/// What is known of how the images came about.
#[derive(Clone, Debug)]
pub(crate) struct Provenance {
    record: Record,
    /// Maps whose cells lie in arrays.
    maps: Vec<maps::CalibrationMap>,
    /// Sidecars by key.
    documents: Vec<(String, Vec<u8>)>,
    /// Where sources differ.
    pub(crate) conflicts: Vec<Conflict>,
    /// How complete the record is.
    pub(crate) report: Option<check::Report>,
}

impl Provenance {
    /// Derives the record of a fileset from its OME-XML, and merges the sidecars into it.
    ///
    /// # Errors
    /// [`Error::Sidecar`] for a sidecar that cannot be read, [`Error::Policy`] when the policy refuses the record.
    pub(crate) fn of_fileset(source: &Fileset, options: &Options) -> Result<Self, Error> {
        let mut record = Record::default();
        if let Some(document) = source.document() {
            record = derive::from_ome(document);
            let stored = source.sources().iter().position(|stored| *stored.bytes == *document.bytes());
            if let Some(index) = stored {
                let name = &source.sources()[index].name;
                let read = ingest::source(name, Form::OmeXml, "application/xml", document.bytes());
                record.sources.push(Source { path: Some(source_key(index)), ..read });
            }
        }
        let first = source.sources().len();
        let key = |n: usize, ending: &str| format!("OME/sources/{}.{ending}", first + n);
        let provenance =
            Self::new(record, &options.sidecars, options.mapping.as_ref(), options.policy.as_ref(), key)?;
        match (&options.policy, &provenance.report) {
            (Some(policy), Some(report)) if policy.enforce == Enforce::Refuse && !report.passes() => {
                Err(Error::Policy { policy: policy.name.clone(), findings: listed(report) })
            }
            _ => Ok(provenance),
        }
    }

    /// Merges sidecars into a record. `key` says where the n-th of them is stored, given the ending of its kind.
    pub(crate) fn new(
        record: Record,
        sidecars: &[Sidecar],
        mapping: Option<&Mapping>,
        policy: Option<&Policy>,
        key: impl Fn(usize, &str) -> String,
    ) -> Result<Self, Error> {
        let mut read = Vec::new();
        let mut sources = Vec::new();
        let mut documents = Vec::new();
        for (n, sidecar) in sidecars.iter().enumerate() {
            let mut said = self::read(sidecar, mapping)?;
            let key = key(n, ending(said.sources.first()));
            for mut source in said.sources.drain(..) {
                source.path = Some(key.clone());
                sources.push(source);
            }
            documents.push((key, sidecar.bytes.clone()));
            read.push(said);
        }
        // Microscopes first: what was set on them follows them to their new identifiers.
        read.sort_by_key(|said| !said.objects.iter().any(|object| object.class == "Instrument"));
        let mut record = record;
        let mut conflicts = Vec::new();
        for said in read {
            let (merged, differ) = merge(record, said);
            record = merged;
            conflicts.extend(differ);
        }
        record.sources.append(&mut sources);
        let maps = maps::take(&mut record);
        let baseline = Policy::builtin(BASELINE);
        let report = policy.or(baseline.as_ref()).map(|policy| check::check(&record, policy));
        Ok(Self { record, maps, documents, conflicts, report })
    }

    /// Attributes by path of group, made one by one: those of a large plate would fill the memory. `images` are the groups
    /// of images, with the number of the record's image that each holds. The root comes first, then they in their order;
    /// an image at the root has no others. Without a record there are none.
    pub(crate) fn attributes<'a>(
        &'a self,
        images: &'a [(String, Option<usize>)],
    ) -> impl Iterator<Item = (&'a str, Map<String, Value>)> {
        let apart = images.iter().filter(|(path, _)| !path.is_empty());
        let placed: BTreeSet<usize> = apart.clone().filter_map(|(_, image)| *image).collect();
        let placement = (self.record != Record::default()).then(|| Placement::new(&self.record, &placed));
        placement.into_iter().flat_map(move |placement| {
            let root = ("", placement.root(self.report.as_slice()));
            std::iter::once(root).chain(apart.clone().map(move |(path, image)| {
                let up = vec![".."; path.split('/').count()].join("/");
                let ours = image.map(|image| placement.image(image, &up));
                (path.as_str(), ours.unwrap_or_default())
            }))
        })
    }

    /// Entries of `fairzarr:sources` for the sidecars.
    pub(crate) fn sources(&self) -> Vec<Value> {
        let stored = |source: &&Source| {
            self.documents.iter().any(|(key, _)| source.path.as_deref() == Some(key.as_str()))
        };
        let sources = self.record.sources.iter().filter(stored);
        sources
            .map(|source| {
                json!({
                    "path": source.path, "role": source.form, "media_type": source.media_type,
                    "file": source.name, "bytes": source.bytes, "sha256": source.sha256,
                })
            })
            .collect()
    }

    /// For each name, the record's image of that name.
    pub(crate) fn named(&self, names: &[Option<String>]) -> Vec<Option<usize>> {
        let images = || self.record.objects.iter().filter(|object| object.class == "Image");
        let of = |name: &str| images().position(|image| image.str("Name") == Some(name));
        names.iter().map(|name| name.as_deref().and_then(of)).collect()
    }

    /// Keys of documents and prefixes of arrays that [`Self::write`] writes.
    pub(crate) fn objects(&self) -> Vec<String> {
        let documents = self.documents.iter().map(|(key, _)| key.clone());
        documents.chain(self.maps.iter().map(|map| map.path.clone())).collect()
    }

    /// Writes sidecars and calibration maps, in the background.
    pub(crate) fn write(&self, store: &Store, version: Version) -> Result<(), Error> {
        for (key, bytes) in &self.documents {
            store.put_in_background(key, bytes.clone().into())?;
        }
        if !self.maps.is_empty() {
            put(store, "OME/calibration", group_document(version, Map::new()))?;
        }
        for map in &self.maps {
            arrays::write(store, version, &map_array(map))?;
        }
        Ok(())
    }
}

/// Reads a sidecar, by the mapping if its form is unknown.
fn read(sidecar: &Sidecar, mapping: Option<&Mapping>) -> Result<Record, Error> {
    let known = ingest::detect(&sidecar.bytes).is_some();
    let read = match mapping {
        Some(mapping) if !known => ingest::ingest_mapped(&sidecar.name, &sidecar.bytes, mapping),
        _ => ingest::ingest(&sidecar.name, &sidecar.bytes),
    };
    read.map_err(|source| Error::Sidecar { name: sidecar.name.clone(), source })
}

fn ending(source: Option<&Source>) -> &'static str {
    match source.map(|source| source.media_type.as_str()) {
        Some("application/xml") => "xml",
        Some("application/yaml") => "yaml",
        Some("text/csv") => "csv",
        _ => "json",
    }
}

fn map_array(map: &maps::CalibrationMap) -> SmallArray {
    SmallArray {
        path: map.path.clone(),
        data_type: SampleType::Double,
        shape: map.shape.map(|side| side as u64).into(),
        dimension_names: ["row", "cell"].map(Into::into).into(),
        fill: FillValue::Nan,
        attributes: Map::new(),
        bytes: map.values.iter().flat_map(|value| value.to_le_bytes()).collect(),
    }
}

/// The first errors of a report, in one line.
fn listed(report: &check::Report) -> String {
    let errors = report.findings.iter().filter(|finding| finding.severity == Severity::Error);
    let first: Vec<String> =
        errors.take(LISTED).map(|f| format!("{}/{}: {}", f.at, f.field, f.message)).collect();
    let more = report.count(Severity::Error).saturating_sub(LISTED);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    format!("{}{more}", first.join("; "))
}
