//! The NBO record of a store, from its OME-XML and the documents beside it. `docs/nbo-zarr-convention.md` says how it
//! lies in the store.

use fairzarr_nbo::Record;
use fairzarr_nbo::check::{self, Enforce, Finding, Policy, Severity};
use fairzarr_nbo::ingest::{self, Form};
use fairzarr_nbo::merge::{Conflict, StoreImage, identify, merge};
use fairzarr_nbo::placement::{Images, Placement, maps};
use fairzarr_nbo::record::Source;
use fairzarr_ngff::{Version, group_document};
use fairzarr_ome_tiff::Fileset;
use fairzarr_ome_xml::Document;
use fairzarr_ome_zarr::{SmallArray, keys, put};
use fairzarr_store::Store;
use fairzarr_zarr::{FillValue, SampleType};
use serde_json::{Map, Value, json};

use crate::{Error, Sidecar};

/// The policy whose coverage is recorded where none is asked for.
const BASELINE: &str = "baseline";
/// Findings that an error lists; `fairzarr check` lists all.
const LISTED: usize = 5;

/// The OME-XML that describes the images of a file set.
#[derive(Clone, Debug)]
pub struct Described<'a> {
    /// The document.
    pub document: &'a Document,
    /// Name of its file, and its key in the store, where that keeps it.
    pub kept: Option<(String, String)>,
}

/// What is known of how the images came about.
#[derive(Clone, Debug)]
pub struct Provenance {
    record: Record,
    /// Maps whose cells lie in arrays.
    maps: Vec<maps::CalibrationMap>,
    /// Sidecars by key.
    documents: Vec<(String, Vec<u8>)>,
    /// Where sources differ.
    pub conflicts: Vec<Conflict>,
    /// How complete the record is.
    pub report: Option<check::Report>,
}

impl Provenance {
    /// Derives the record of a fileset from its OME-XML, and merges the sidecars into it.
    ///
    /// # Errors
    /// [`Error::Policy`] when the policy refuses the record.
    pub fn of_fileset(
        source: &Fileset,
        sidecars: &[Sidecar],
        policy: Option<&Policy>,
    ) -> Result<Self, Error> {
        let described = source.document().map(|document| {
            let kept = source.main_source();
            let kept = kept.map(|index| (source.sources()[index].name.clone(), keys::source(index)));
            Described { document, kept }
        });
        // Of the images that the OME-XML describes those of the file set are the store's.
        let images: Vec<_> =
            source.images().iter().map(|image| (image.ome_index(), store_image(image))).collect();
        let provenance = Self::of_images(described, &images, sidecars, source.sources().len(), policy);
        match (policy, &provenance.report) {
            (Some(policy), Some(report)) if policy.enforce == Enforce::Refuse && !report.passes() => {
                Err(Error::Policy { policy: policy.name.clone(), findings: listed(report) })
            }
            _ => Ok(provenance),
        }
    }

    /// As [`Self::of_fileset`], of what is left of a file set: its document, for each image of the store its number there
    /// and what the store says of it, and the sidecars, before which the store keeps `first` documents.
    pub(crate) fn of_images(
        described: Option<Described<'_>>,
        images: &[(Option<usize>, StoreImage)],
        sidecars: &[Sidecar],
        first: usize,
        policy: Option<&Policy>,
    ) -> Self {
        let mut record = Record::default();
        if let Some(Described { document, kept }) = described {
            record = ingest::from_ome(document);
            if let Some((name, key)) = kept {
                let read = ingest::source(&name, Form::OmeXml, "application/xml", document.bytes());
                record.sources.push(Source { path: Some(key), ..read });
            }
        }
        record.in_store = Some(images.iter().map(|(number, _)| *number).collect());
        let said: Vec<StoreImage> = images.iter().map(|(_, said)| said.clone()).collect();
        Self::new(record, &said, sidecars, policy, |n, ending| keys::sidecar(first + n, ending))
    }

    /// Merges sidecars into a record. `images` are what the store says of its own, in series order: those that the record
    /// does not know are looked for among what the sidecars describe. `key` says where the n-th sidecar is stored, given
    /// the ending of its kind.
    pub fn new(
        record: Record,
        images: &[StoreImage],
        sidecars: &[Sidecar],
        policy: Option<&Policy>,
        key: impl Fn(usize, &str) -> String,
    ) -> Self {
        let mut read = Vec::new();
        let mut sources = Vec::new();
        let mut documents = Vec::new();
        let mut conflicts = Vec::new();
        for (n, sidecar) in sidecars.iter().enumerate() {
            let mut said = sidecar.record().clone();
            conflicts.extend(Conflict::no_place(sidecar.name(), &said));
            let key = key(n, ending(said.sources.first()));
            for mut source in said.sources.drain(..) {
                source.path = Some(key.clone());
                sources.push(source);
            }
            documents.push((key, sidecar.bytes().to_vec()));
            read.push(said);
        }
        // Microscopes first: what was set on them follows them to their new identifiers.
        read.sort_by_key(|said| !said.objects.iter().any(|object| object.class == "Instrument"));
        let mut record = record;
        for said in read {
            let (merged, differ) = merge(record, said);
            record = merged;
            conflicts.extend(differ);
        }
        record.sources.append(&mut sources);
        identify(&mut record, images);
        let maps = maps::take(&mut record);
        let baseline = Policy::builtin(BASELINE);
        let report = policy.or(baseline.as_ref()).map(|policy| check::check(&record, policy));
        Self { record, maps, documents, conflicts, report }
    }

    /// What is known.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Attributes by path of group, made one by one: those of a large plate would fill the memory. `images` are the groups
    /// of images in series order. The root comes first, then the images in their order; an image at the root has no attributes besides the root's.
    /// Without a record there are none.
    pub fn attributes<'a>(
        &'a self,
        images: &'a [String],
    ) -> impl Iterator<Item = (&'a str, Map<String, Value>)> {
        let held =
            self.record.in_store.clone().unwrap_or_default().into_iter().chain(std::iter::repeat(None));
        let apart: Vec<_> = images.iter().zip(held).filter(|(path, _)| !path.is_empty()).collect();
        let place = if apart.is_empty() { Images::AtRoot } else { Images::InGroups };
        let placement = (!self.record.is_empty()).then(|| Placement::new(&self.record, place));
        placement.into_iter().flat_map(move |placement| {
            let root = ("", placement.root(self.report.as_slice()));
            std::iter::once(root).chain(apart.clone().into_iter().map(move |(path, image)| {
                let up = vec![".."; path.split('/').count()].join("/");
                let ours = image.map(|image| placement.image(image, &up));
                (path.as_str(), ours.unwrap_or_default())
            }))
        })
    }

    /// Entries of `fairzarr:sources` for the sidecars.
    pub fn sources(&self) -> Vec<Value> {
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

    /// Keys of documents and prefixes of arrays that [`Self::write`] writes.
    pub fn objects(&self) -> Vec<String> {
        let documents = self.documents.iter().map(|(key, _)| key.clone());
        documents.chain(self.maps.iter().map(|map| map.path.clone())).collect()
    }

    /// Writes sidecars and calibration maps, in the background.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn write(&self, store: &Store, version: Version) -> Result<(), Error> {
        for (key, bytes) in &self.documents {
            store.put_in_background(key, bytes.clone().into())?;
        }
        if !self.maps.is_empty() {
            put(store, keys::CALIBRATION, group_document(version, Map::new()))?;
        }
        for map in &self.maps {
            map_array(map).write(store, version)?;
        }
        Ok(())
    }
}

/// What a file without OME-XML says of its image.
pub(crate) fn store_image(image: &fairzarr_ome_tiff::Image) -> StoreImage {
    let shape = image.shape();
    let mut said = StoreImage::new(image.name().map(str::to_owned));
    said.sizes = [shape.t, shape.c, shape.z, shape.y, shape.x].map(|size| Some(u64::from(size)));
    said
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
    let first: Vec<String> = errors.take(LISTED).map(told).collect();
    let more = report.count(Severity::Error).saturating_sub(LISTED);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    format!("{}{more}", first.join("; "))
}

/// A finding by the part that it is about, as people know it: identifiers say nothing to a reader.
fn told(finding: &Finding) -> String {
    let part = if finding.part.is_empty() { "the record" } else { &finding.part };
    format!("{part}, {}: {}", finding.field, finding.message)
}
