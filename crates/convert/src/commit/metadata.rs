//! What a finished store says about itself: group attributes, documents, and the record of the conversion.

use fairzarr_ngff::from_ome::{self, Placed, Samples};
use fairzarr_ngff::{
    Downscaling, Omero, Window, bioformats2raw_attributes, image_attributes, merge, scene_attributes,
    series_attributes,
};
use fairzarr_ome_tiff::{Fileset, Kind, SourceContent, SourceDocument};
use fairzarr_ome_xml::{self as ome_xml, ByteOrder, FurtherImage};
use fairzarr_ome_zarr::{MANIFEST_SCHEMA, SUMMARY_SCHEMA, Subject, edits_document, keys, pixel_type, sha256};
use fairzarr_zarr::{Endian, SampleType};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

use super::tiff_tags;
use crate::error::Error;
use crate::not_carried::NotCarried;
use crate::options::{PositionChoice, RoiChoice, TimeChoice};
use crate::pipeline::findings::Findings;
use crate::pixels::quality::{self, ChannelQuality};
use crate::pixels::statistics::{ChannelStatistics, PERCENTILES};
use crate::plan::placement::{BESIDE, Placement, on_stage, plates};
use crate::plan::tiles::Tiles;
use crate::plan::{ImagePlan, Plan};
use crate::resume::present::{recorded, recorded_documents};
use crate::source::SourceFile;

/// Shares of the samples that viewers show black and in full colour, at first; both are among [`PERCENTILES`].
const SHOWN: (f64, f64) = (0.001, 0.999);

/// Makes the metadata of one finished conversion.
pub(crate) struct Metadata<'a> {
    source: &'a Fileset,
    plan: &'a Plan,
    findings: &'a Findings,
    /// What is known of each image, as an Image element.
    described: Vec<ome_xml::Image>,
    /// Images that a scene places.
    placed: Vec<Placed>,
    /// The shape of each image along the axes that its arrays have.
    shapes: Vec<Vec<u64>>,
    /// What is recorded of files of labels.
    labels: Vec<Value>,
}

impl<'a> Metadata<'a> {
    pub(crate) fn new(
        source: &'a Fileset,
        plan: &'a Plan,
        findings: &'a Findings,
        labels: Vec<Value>,
    ) -> Self {
        let time_scale = plan.settings.time_scale;
        let described = source.images().iter().map(|image| time_scale.described(source.described(image)));
        let placed = match plan.settings.positions {
            PositionChoice::Scene => on_stage(source, plan).into_iter().map(|(_, placed)| placed).collect(),
            PositionChoice::Origin | PositionChoice::Stage => Vec::new(),
        };
        let shapes = plan.images.iter().map(|image| image.along_axes(image.shape.map(u64::from))).collect();
        Self { source, plan, findings, described: described.collect(), placed, shapes, labels }
    }

    /// What is known of an image.
    pub(crate) fn described(&self, index: usize) -> &ome_xml::Image {
        &self.described[index]
    }

    /// Where an image lies.
    pub(crate) fn origin(&self, index: usize) -> from_ome::Origin {
        match self.plan.settings.positions {
            PositionChoice::Origin | PositionChoice::Scene => [0.0; 5],
            PositionChoice::Stage => {
                from_ome::origin(self.source.document().map(ome_xml::Document::ome), &self.described[index])
            }
        }
    }

    /// Documents by key: METADATA.ome.xml, every source document byte for byte, and the tags of the TIFF pages.
    pub(crate) fn files(&self) -> Result<Vec<(String, Vec<u8>)>, Error> {
        let mut files = Vec::new();
        if let Some(document) = self.source.document() {
            let order = |plan: &ImagePlan| match plan.endian() {
                Endian::Little => ByteOrder::Little,
                Endian::Big => ByteOrder::Big,
            };
            let images = self.source.images().iter().zip(&self.plan.images);
            let images: Vec<_> =
                images.filter_map(|(image, plan)| Some((image.ome_index()?, order(plan)))).collect();
            if !images.is_empty() {
                let mut text = document.metadata_of_part(&images, self.source.times())?;
                // Images of pages that the document does not mention come last.
                if let Some(further) = self.further(order).filter(|further| !further.is_empty()) {
                    text = ome_xml::with_images(&text, &further)?;
                }
                files.push((keys::METADATA.into(), text.into_bytes()));
            }
        }
        for (index, document) in self.source.sources().iter().enumerate() {
            let (key, bytes) = self.kept(index, document);
            files.push((key, bytes.to_vec()));
        }
        files.push((keys::TIFF_TAGS.into(), tiff_tags::document(self.source)?));
        Ok(files)
    }

    /// What is known of images that the document does not mention; `None` where OME-XML has no type for their samples.
    fn further(&self, order: impl Fn(&ImagePlan) -> ByteOrder) -> Option<Vec<FurtherImage<'_>>> {
        let images = self.source.images().iter().zip(&self.plan.images).zip(&self.described);
        let further = images.filter(|((image, _), _)| image.ome_index().is_none());
        let further = further.map(|((_, plan), described)| {
            Some(FurtherImage {
                described,
                sizes: plan.shape.map(u64::from),
                pixel_type: pixel_type(plan.data_type().zarr_v3())?,
                samples: plan.groups.iter().map(|group| group.len()).max().unwrap_or(1) as u64,
                order: order(plan),
            })
        });
        further.collect()
    }

    /// Where a source document is kept, and what: itself, or what stands otherwise in it than in another one.
    fn kept(&self, index: usize, document: &SourceDocument) -> (String, Arc<[u8]>) {
        let bytes = self.source.source_bytes(index).unwrap_or_default();
        match &document.content {
            SourceContent::Like { document, edits, .. } => {
                (keys::source_edits(index), edits_document(&keys::source(*document), edits, &bytes).into())
            }
            _ => (keys::source(index), bytes),
        }
    }

    /// Attributes by path of all groups but those of images; the root's path is empty, and an image at the root is among
    /// its own. `sidecars` are entries for the documents beside the image.
    pub(crate) fn groups(&self, sidecars: Vec<Value>) -> Result<BTreeMap<String, Map<String, Value>>, Error> {
        let version = self.plan.ngff();
        let mut groups: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
        let mut root = match &self.plan.placement {
            Placement::Root => self.image(0),
            Placement::Collection(_) => bioformats2raw_attributes(version),
            Placement::Plate(paths) => {
                let mut root = bioformats2raw_attributes(version);
                for (path, layout) in plates(self.source)?.plates {
                    if let Some((folder, _)) = path.split_once('/') {
                        groups.insert(folder.into(), Map::new());
                        groups.insert(path.clone(), layout.plate.attributes(version));
                    } else {
                        merge(&mut root, layout.plate.attributes(version));
                    }
                    for well in layout.wells {
                        if let Some((row, _)) = well.path.split_once('/') {
                            groups.insert(keys::join(&path, row), Map::new());
                        }
                        groups.insert(keys::join(&path, &well.path), well.well.attributes(version));
                    }
                }
                if paths.iter().any(|path| path.split_once('/').is_some_and(|(first, _)| first == BESIDE)) {
                    groups.insert(BESIDE.into(), Map::new());
                }
                root
            }
        };
        let ome = match self.plan.placement {
            Placement::Root => Map::new(),
            _ => series_attributes(version, &self.plan.placement.paths()),
        };
        groups.insert(keys::OME.into(), ome);
        if !matches!(self.plan.placement, Placement::Root)
            && let Ok(Some(scene)) = from_ome::scene(&self.placed)
        {
            merge(&mut root, scene_attributes(version, scene));
        }
        merge(&mut root, self.record(sidecars));
        groups.insert(String::new(), root);
        Ok(groups)
    }

    /// One image's attributes: multiscales, omero, and what was seen of its samples.
    pub(crate) fn image(&self, index: usize) -> Map<String, Value> {
        let version = self.plan.ngff();
        let plan = &self.plan.images[index];
        let described = &self.described[index];
        let downsample = self.plan.settings.downsample;
        // The specification asks for it also where there is one level; nothing was reduced then, and that is said.
        let (method, description) = match plan.levels.len() {
            1 => ("none", "one level: nothing was downscaled"),
            _ if plan.is_copied() => {
                ("unknown", "levels of the source, copied; how they were made is not known")
            }
            _ => (&*downsample.to_string(), downsample.description()),
        };
        let mut downscaling = Downscaling::new(method);
        downscaling.description = Some(description.into());
        downscaling.metadata = Map::from_iter([
            ("method".into(), json!("fairzarr")),
            ("version".into(), json!(self.plan.fairzarr)),
        ]);
        let multiscale =
            from_ome::multiscale(described, index, &factors(plan), Some(downscaling), self.origin(index))
                .along(&plan.axes);
        let multiscale = match self.placed.first() {
            Some(placed) if plan.path.is_empty() => from_ome::on_stage(multiscale, &placed.place),
            _ => multiscale,
        };
        let omero = self.omero(index);
        let mut attributes = image_attributes(version, &multiscale, omero.as_ref());
        if plan.is_decoded(0) {
            attributes.insert(keys::STATISTICS.into(), self.statistics(index));
        }
        attributes
    }

    /// An image as its summary is about it, with the attributes of its group.
    pub(crate) fn subject<'b>(&'b self, index: usize, attributes: &'b Map<String, Value>) -> Subject<'b> {
        let plan = &self.plan.images[index];
        Subject {
            series: index,
            path: &plan.path,
            attributes,
            shape: &self.shapes[index],
            data_type: plan.data_type().zarr_v3(),
            in_model: self.source.images()[index].ome_index(),
            planes: self.described[index].pixels.as_ref().map(|pixels| &pixels.planes),
        }
    }

    /// Rendering settings; none for complex samples, which no viewer shows.
    fn omero(&self, index: usize) -> Option<Omero> {
        let plan = &self.plan.images[index];
        if matches!(plan.data_type(), SampleType::ComplexFloat | SampleType::ComplexDouble) {
            return None;
        }
        let [_, c, z, _, _] = plan.shape;
        let image = &self.source.images()[index];
        let samples = Samples {
            data_type: plan.data_type(),
            per_pixel: plan.groups.iter().map(|group| group.len()).max().unwrap_or(1),
            significant_bits: image.significant_bits(),
            inverted: image.appearance().inverted,
        };
        // Of samples that nobody has looked at only the type is known.
        let of_type = || samples.range().map_or(Window::full(0.0, 1.0), |(min, max)| Window::full(min, max));
        let windows: Vec<Window> = (0..c)
            .map(|c| self.shown(index, c, self.channel(index, c).map_or_else(of_type, window)))
            .collect();
        Some(from_ome::omero(&self.described[index], index, samples, z as u64, &windows))
    }

    /// The window of a channel, opened as its author did, where the file says how.
    fn shown(&self, image: usize, c: u32, window: Window) -> Window {
        let notes = self.source.images()[image].channel_notes();
        let range = notes.get(c as usize).and_then(|note| note.range);
        match range.filter(|(low, high)| low.is_finite() && high.is_finite() && low < high) {
            Some((start, end)) => Window { start, end, ..window },
            None => window,
        }
    }

    fn channel(&self, image: usize, c: u32) -> Option<&ChannelStatistics> {
        self.findings.statistics.get(&(image, c))
    }

    /// Image quality by channel: extremes, the fractions of zeros and of saturated samples, and what sampled rows say of noise,
    /// focus and evenness.
    fn statistics(&self, image: usize) -> Value {
        let plan = &self.plan.images[image];
        let range = quality::range(plan.data_type(), self.source.images()[image].significant_bits());
        let nothing = ChannelQuality::default();
        let channels = (0..plan.shape[1]).map(|c| {
            let Some(seen) = self.channel(image, c) else { return Value::Null };
            let sampled = self.findings.quality.get(&(image, c)).unwrap_or(&nothing);
            let fraction = |count: u64| count as f64 / (seen.count + seen.not_finite).max(1) as f64;
            json!({
                "count": seen.count, "min": seen.min, "max": seen.max,
                "percentiles": PERCENTILES.map(|(name, fraction)| (name.to_owned(), json!(seen.percentile(fraction)))).into_iter().collect::<Map<_, _>>(),
                "zero_fraction": fraction(seen.zeros),
                "saturated_fraction": fraction(seen.saturated),
                "not_finite_fraction": fraction(seen.not_finite),
                "quality": sampled.recorded(plan.quality_run(), range, seen),
            })
        });
        json!({"sampled": {"rows": quality::ROWS, "run": plan.quality_run()}, "channels": channels.collect::<Vec<_>>()})
    }

    /// The source's files: name, size, and checksum where one was asked for.
    fn files_read(&self) -> Vec<Value> {
        let entry = |(index, file): (usize, &SourceFile)| {
            let mut entry = json!({"name": file.name, "bytes": file.bytes});
            let checksum = self.findings.checksums.get(&(index as u32));
            if let Some((algorithm, value)) = self.plan.settings.source_checksum.zip(checksum) {
                entry["checksum"] = json!({"algorithm": algorithm.name(), "value": value});
            }
            entry
        };
        self.plan.files.iter().enumerate().map(entry).collect()
    }

    /// What was converted, with what, and how: `fairzarr:conversion` and `fairzarr:sources`.
    ///
    /// There is no date in it: the same source and options give the same bytes.
    fn record(&self, sidecars: Vec<Value>) -> Map<String, Value> {
        let decoders: BTreeMap<&str, &str> = self
            .source
            .images()
            .iter()
            .zip(&self.plan.images)
            .flat_map(|(image, plan)| image.levels().iter().take(plan.pyramids.len()))
            .filter(|level| level.lossy)
            .filter_map(|level| Some((level.compression.name(), level.compression.decoder_name()?)))
            .collect();
        let mut conversion = json!({
            "program": "fairzarr",
            "version": self.plan.fairzarr,
            "codec": self.plan.settings.codec.to_string(),
            "omit_empty": self.plan.settings.omit_empty,
            "settings": recorded(&self.plan.settings),
            // A manifest that is lost is missed.
            "manifest": MANIFEST_SCHEMA,
            "summary": SUMMARY_SCHEMA,
            "files": self.files_read(),
            "source_format": match self.source.kind() {
                Kind::OmeTiff => "OME-TIFF",
                Kind::ImageJ => "ImageJ TIFF",
                _ => "TIFF",
            },
            "warnings": self.source.warnings().iter().map(ToString::to_string).collect::<Vec<_>>(),
        });
        if let Some(documents) = recorded_documents(&self.plan.documents) {
            conversion["documents"] = json!(documents);
        }
        if let Some(document) = self.source.document() {
            conversion["schema"] = json!(document.schema().to_string());
            if !document.changes().is_empty() {
                conversion["schema_changes"] = json!(document.changes());
            }
        }
        let not_carried = NotCarried::of(self.source, self.plan);
        if !not_carried.is_empty() {
            conversion["not_carried"] = json!(not_carried);
        }
        if self.source.document().is_some()
            && self.source.images().iter().any(|image| image.ome_index().is_none())
        {
            conversion["extra_pages"] = json!("keep");
        }
        if self.plan.images.iter().any(|image| image.sample_type == SampleType::Float16) {
            conversion["half"] = json!("float16");
        }
        if !decoders.is_empty() {
            conversion["decoders"] = json!(decoders);
        }
        let images = self.plan.source_images();
        if images.iter().any(|image| image.tiles != Tiles::Encoded) {
            conversion["tiles"] = json!(images.iter().map(|image| &image.tiles).collect::<Vec<_>>());
        }
        if !self.labels.is_empty() {
            conversion["labels"] = json!(self.labels);
        }
        if self.plan.settings.rois == RoiChoice::Labels {
            conversion["rois"] = json!(self.plan.settings.rois.to_string());
        }
        if let Some(series) = &self.plan.settings.series {
            conversion["series"] = json!(series);
        }
        if let Some(times) = &self.plan.settings.timepoints {
            conversion["timepoints"] = json!(times);
        }
        let dropped = self.plan.settings.drop_axes.names();
        if !dropped.is_empty() {
            conversion["drop_axes"] = json!(dropped);
        }
        if self.plan.settings.positions != PositionChoice::Origin {
            conversion["positions"] = json!(self.plan.settings.positions.to_string());
        }
        if self.plan.settings.time_scale == TimeChoice::DeltaT {
            conversion["time_scale"] = json!(self.plan.settings.time_scale.to_string());
        }
        let copied: Vec<usize> =
            (0..self.plan.images.len()).filter(|index| self.plan.images[*index].is_copied()).collect();
        if !copied.is_empty() {
            conversion["copied_levels"] = json!(copied);
        }
        let filled = self.plan.filled_planes();
        if !filled.is_empty() {
            let planes =
                filled.iter().map(|(image, t, c, z)| json!({"image": image, "t": t, "c": c, "z": z}));
            conversion["filled_planes"] = planes.collect();
        }
        let sources: Vec<Value> = self
            .source
            .sources()
            .iter()
            .enumerate()
            .map(|(index, document)| {
                let (path, bytes) = self.kept(index, document);
                let mut entry = json!({
                    "path": path, "role": document.role, "media_type": "application/xml",
                    "file": document.name, "bytes": bytes.len(), "sha256": sha256(&bytes),
                });
                if let SourceContent::Like { bytes, .. } = document.content {
                    let restored = self.source.source_bytes(index).unwrap_or_default();
                    entry["media_type"] = "application/json".into();
                    entry["restored"] = json!({"bytes": bytes, "sha256": sha256(&restored)});
                }
                entry
            })
            .chain(sidecars)
            .collect();
        Map::from_iter([(keys::CONVERSION.into(), conversion), (keys::SOURCE_LIST.into(), sources.into())])
    }
}

/// How many full-resolution samples one sample of each level spans. Sides that are not even are halved with rounding; one
/// of a single pixel is not halved.
pub(crate) fn factors(plan: &ImagePlan) -> Vec<from_ome::Factors> {
    let step = |before: u32, now: u32| {
        if before == now {
            1.0
        } else if now == before / 2 || now == before.div_ceil(2) {
            2.0
        } else {
            before as f64 / now as f64
        }
    };
    let mut factor = (1.0, 1.0);
    let mut previous: Option<(u32, u32)> = None;
    plan.levels
        .iter()
        .map(|level| {
            if let Some((h, w)) = previous.replace(level.size) {
                factor.0 *= step(h, level.size.0);
                factor.1 *= step(w, level.size.1);
            }
            [1.0, 1.0, 1.0, factor.0, factor.1]
        })
        .collect()
}

/// Contrast limits: the data's range, and the part of it that most samples are in.
fn window(seen: &ChannelStatistics) -> Window {
    let (min, max) = (seen.min.unwrap_or(0.0), seen.max.unwrap_or(0.0));
    let start = seen.percentile(SHOWN.0).unwrap_or(min);
    let end = seen.percentile(SHOWN.1).filter(|end| *end > start).unwrap_or(max);
    Window { min, max, start, end }
}
