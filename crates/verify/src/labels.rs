//! The proof of label images: regions of the OME-XML, painted again.

use fairzarr_ngff::parse_image;
use fairzarr_ome_xml::Document;
use fairzarr_ome_zarr::keys::{self, join};
use fairzarr_ome_zarr::{Hierarchy, OpenImage, StoredArray, attributes};
use fairzarr_pixel::Shape;
use fairzarr_rois::{Grid, Painter, Rois, of_image};
use fairzarr_task::{lock, try_for_each, unlocked};
use serde_json::{Map, Value, json};
use std::sync::Mutex;

use crate::error::Error;
use crate::halved::comparison;
use crate::pyramid::{Named, level_differences};
use crate::report::{Check, Difference, Differences, Proof, in_order};
use crate::{Context, Sample, readable};

/// The proof, image by image, of stores that say that they have such labels.
pub(crate) struct Labels {
    /// The store's OME-XML, which another proof compares with the source's; none where it has none.
    document: Option<Document>,
    regions: usize,
    levels: usize,
    differences: Differences,
}

/// Rows and columns that are painted and compared at a time.
const PIECE: (u32, u32) = (512, 4096);

impl Labels {
    /// `None` where the store says nothing of such labels.
    pub(crate) fn new(hierarchy: &Hierarchy) -> Result<Option<Self>, Error> {
        if hierarchy.conversion().is_none_or(|conversion| !conversion.has_roi_labels()) {
            return Ok(None);
        }
        let bytes = hierarchy.store().get(keys::METADATA)?;
        let document = bytes.and_then(|bytes| Document::parse(bytes.to_vec()).ok());
        Ok(Some(Self { document, regions: 0, levels: 0, differences: Differences::new("pieces") }))
    }

    /// Paints the regions of an image again.
    pub(crate) fn image(
        &mut self,
        image: &OpenImage<'_>,
        hierarchy: &Hierarchy,
        context: Context<'_>,
    ) -> Result<(), Error> {
        let Some(document) = &self.document else { return Ok(()) };
        let Some(full) = image.levels.first() else { return Ok(()) };
        let length = |at: Option<usize>| {
            let length = at.and_then(|at| full.shape().get(at)).copied().unwrap_or(1);
            u32::try_from(length).unwrap_or(u32::MAX)
        };
        let [t, c, z, y, x] = image.dimensions().map(length);
        let size = Shape { t, c, z, y, x };
        let rois = of_image(document, image.index, size);
        if rois.is_empty() {
            return Ok(());
        }
        let path = join(&image.stored.path, keys::ROI_LABELS);
        if let Err(reason) = rois.check(size) {
            self.differences.add(Difference::new(path, "regions that can be painted", reason));
            return Ok(());
        }
        let Some(found) = attributes(hierarchy.store(), &path)? else {
            self.differences.add(Difference::new(path, "a label image", "nothing"));
            return Ok(());
        };
        self.said(&path, &found, &rois);
        let multiscale = match parse_image(&found) {
            Ok((_, multiscale, _)) => multiscale,
            Err(error) => {
                self.differences.add(Difference::new(path, "the metadata of an image", error.to_string()));
                return Ok(());
            }
        };
        let open = |dataset: &fairzarr_ngff::Dataset| {
            StoredArray::open(hierarchy.store(), &join(&path, &dataset.path))
        };
        let levels: Vec<StoredArray> = match multiscale.datasets.iter().map(open).collect() {
            Ok(levels) => levels,
            Err(error @ fairzarr_ome_zarr::Error::Store(_)) => return Err(error.into()),
            Err(error) => {
                self.differences.add(Difference::new(path, "its arrays", error.to_string()));
                return Ok(());
            }
        };
        let [planes_t, planes_c, planes_z] = rois.planes(size).map(u64::from);
        // A label image has the axes of its image.
        let places = image.dimensions();
        let axes: Vec<&str> = ["t", "c", "z", "y", "x"]
            .into_iter()
            .zip(places)
            .filter_map(|(name, at)| at.map(|_| name))
            .collect();
        let sizes = |array: &StoredArray| array.shape().iter().rev().take(2).copied().collect::<Vec<u64>>();
        let fits = levels.len() == image.levels.len()
            && multiscale.axes.iter().map(|axis| axis.name.as_str()).eq(axes.iter().copied())
            && levels.iter().zip(&image.levels).all(|(label, level)| {
                let leading = [planes_t, planes_c, planes_z].into_iter().zip(places);
                let leading = leading.filter_map(|(size, at)| at.map(|_| size));
                label.shape().len() == axes.len()
                    && label.shape().iter().take(axes.len().saturating_sub(2)).copied().eq(leading)
                    && sizes(label) == sizes(level)
            });
        if !fits {
            let expected = format!(
                "{} levels of {planes_t}, {planes_c}, {planes_z} planes, as large as the image's",
                image.levels.len()
            );
            let found: Vec<&[u64]> = levels.iter().map(StoredArray::shape).collect();
            self.differences.add(Difference::new(path, expected, format!("{found:?}")));
            return Ok(());
        }
        let method = multiscale.downscaling.map_or_else(String::new, |downscaling| downscaling.method);
        for (level, array) in levels.iter().enumerate() {
            let series = (image.index as u64) << 8 | level as u64 | 1 << 63;
            let finer = level.checked_sub(1).and_then(|finer| levels.get(finer));
            let compare = if method == "mode" { comparison(&method, &array.data_type()) } else { None };
            let found = match finer.zip(compare) {
                Some((finer, compare)) => {
                    level_differences(finer, array, Named { method: &method, compare }, context, series)?
                }
                None => painted(array, places, &rois, (y, x), context, series)?,
            };
            self.differences.extend(found);
            self.levels += 1;
        }
        self.regions += rois.rois.len();
        Ok(())
    }

    /// What the label image says of its regions.
    fn said(&mut self, path: &str, found: &Map<String, Value>, rois: &Rois) {
        let members = found.get("ome").and_then(Value::as_object).unwrap_or(found);
        let label = members.get("image-label").cloned().unwrap_or_default();
        let numbered = || rois.rois.iter().zip(1_u32..);
        let colors: Vec<Value> =
            numbered().map(|(roi, n)| json!({"label-value": n, "rgba": roi.shown(n)})).collect();
        let properties: Vec<Value> = numbered()
            .map(|(roi, n)| {
                let shapes: Vec<&str> = roi.shapes.iter().map(|shape| shape.id.as_str()).collect();
                let mut said = json!({"label-value": n, "roi": roi.id, "shapes": shapes});
                for (name, text) in [("name", &roi.name), ("text", &roi.text)] {
                    if let Some(text) = text {
                        said[name] = json!(text);
                    }
                }
                said
            })
            .collect();
        let list = |name: &str| label[name].as_array().cloned().unwrap_or_default();
        for (name, expected) in [("colors", colors), ("properties", properties)] {
            if list(name) != expected {
                let place = format!("{path} image-label {name}");
                let expected = format!("those of {} regions", rois.rois.len());
                self.differences.add(Difference::new(place, expected, "others"));
            }
        }
    }

    pub(crate) fn finish(self, sample: Sample) -> Check {
        let Self { document, regions, levels, mut differences } = self;
        if document.is_none() {
            differences.add(Difference::new(
                keys::METADATA,
                "the OME-XML that labels were made of",
                "nothing",
            ));
        }
        let mut covered = format!("{regions} regions painted again in {levels} levels");
        if sample.is_part() {
            covered = format!("a sample of {sample} of {covered}");
        }
        Check::new(Proof::Labels, covered, differences.finish())
    }
}

/// Where an array does not hold what is painted. `places` says which dimension each of t, c, z, y, x is.
fn painted(
    array: &StoredArray,
    places: [Option<usize>; 5],
    rois: &Rois,
    full: (u32, u32),
    context: Context<'_>,
    series: u64,
) -> Result<Vec<Difference>, Error> {
    let [t, c, z, height, width] =
        places.map(|at| at.and_then(|at| array.shape().get(at)).copied().unwrap_or(1));
    let (height, width) = (height as u32, width as u32);
    let found = Mutex::new(Vec::new());
    let add = |place: String, wrong: String| {
        lock(&found).push(Difference::new(place, "the regions of the OME-XML", wrong));
    };
    for plane in 0..t * c * z {
        let at = [plane / z / c, plane / z % c, plane % z];
        let painter = match Painter::new(rois, at.map(|n| n as u32)) {
            Ok(painter) => painter,
            Err(reason) => {
                add(format!("array {}, plane {plane}", array.path()), reason);
                continue;
            }
        };
        let pieces: Vec<(u32, u32)> = (0..height)
            .step_by(PIECE.0 as usize)
            .flat_map(|row| (0..width).step_by(PIECE.1 as usize).map(move |column| (row, column)))
            .collect();
        let pieces = context.options.sample.choose(pieces, series ^ plane << 16);
        let bytes = u64::from(PIECE.0) * u64::from(PIECE.1) * 8;
        let name = |piece: &(u32, u32)| format!("array {}, plane {plane}, {piece:?}", array.path());
        try_for_each(
            &pieces,
            context.readers(bytes),
            name,
            || (),
            |(), &(row, column)| -> Result<(), Error> {
                context.job.cancel.check()?;
                let (rows, columns) = (
                    (row, height.min(row.saturating_add(PIECE.0))),
                    (column, width.min(column.saturating_add(PIECE.1))),
                );
                let leading = at.iter().zip(places).filter_map(|(n, place)| place.map(|_| *n..n + 1));
                let mut ranges: Vec<_> = leading.collect();
                ranges.extend([rows, columns].map(|(start, end)| u64::from(start)..u64::from(end)));
                let place = || format!("array {}, plane {plane}, rows {}..{}", array.path(), rows.0, rows.1);
                match readable(array.read(&ranges))? {
                    Ok(stored) => {
                        let expected = painter.paint(&Grid::new((height, width), full, rows, columns));
                        let size = (stored.len() / expected.len().max(1)).clamp(1, 4);
                        let label = |bytes: &[u8]| {
                            let mut whole = [0; 4];
                            whole[..bytes.len()].copy_from_slice(bytes);
                            u32::from_le_bytes(whole)
                        };
                        let wrong = stored
                            .chunks_exact(size)
                            .zip(&expected)
                            .filter(|(found, label_here)| label(found) != **label_here);
                        let count = wrong.count();
                        if count > 0 || stored.len() != expected.len() * size {
                            add(place(), format!("{count} other samples"));
                        }
                    }
                    Err(error) => add(place(), error),
                }
                Ok(())
            },
        )?;
        context.job.cancel.check()?;
    }
    Ok(in_order(unlocked(found)))
}
