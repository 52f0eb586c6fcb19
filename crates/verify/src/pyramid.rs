//! The pyramid proof: each computed level is made of the level before as the store says, computed again in the
//! plainest way.

use fairzarr_ome_zarr::{Hierarchy, OpenImage, Slab, StoredArray};
use fairzarr_task::{lock, try_for_each, unlocked};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Mutex;

use crate::error::Error;
use crate::halved::{Compare, MEAN, METHODS, comparison};
use crate::report::{Check, Difference, Differences, Proof, in_order};
use crate::{Context, Sample, readable};

/// The proof, image by image, for images that this program reduced; how others reduce is not known.
pub(crate) struct Pyramid {
    /// Images whose reduced levels are those of the source; `None` in stores of other programs.
    copied: Option<BTreeSet<u64>>,
    levels: usize,
    /// How they were made.
    methods: BTreeSet<String>,
    /// Levels whose samples are not computed here.
    skipped: usize,
    of_source: usize,
    differences: Differences,
}

impl Pyramid {
    pub(crate) fn new(hierarchy: &Hierarchy) -> Self {
        let copied = hierarchy.conversion().map(|conversion| conversion.copied_levels());
        let differences = Differences::new("rows");
        Self { copied, levels: 0, methods: BTreeSet::new(), skipped: 0, of_source: 0, differences }
    }

    /// Checks the levels of an image.
    pub(crate) fn image(&mut self, image: &OpenImage<'_>, context: Context<'_>) -> Result<(), Error> {
        let Some(copied) = &self.copied else { return Ok(()) };
        if copied.contains(&(image.index as u64)) {
            self.of_source += image.levels.len().saturating_sub(1);
            return Ok(());
        }
        if image.levels.len() < 2 {
            return Ok(());
        }
        let method = match image.stored.method() {
            // Stores of the first versions, which knew no other.
            "" => MEAN,
            method => method,
        };
        if !METHODS.contains(&method) {
            let place = format!("image {}, multiscales, type", image.index);
            let expected = format!("one of {}", METHODS.join(", "));
            self.differences.extend([Difference::new(place, expected, format!("{method:?}"))]);
            return Ok(());
        }
        self.methods.insert(method.to_owned());
        for (level, (finer, coarser)) in image.levels.iter().zip(image.levels.iter().skip(1)).enumerate() {
            let series = (image.index as u64) << 8 | level as u64;
            match comparison(method, &coarser.data_type()) {
                Some(compare) => {
                    let compare = Named { method, compare };
                    self.differences.extend(level_differences(finer, coarser, compare, context, series)?);
                }
                None => self.skipped += 1,
            }
            self.levels += 1;
        }
        Ok(())
    }

    pub(crate) fn finish(self, sample: Sample) -> Check {
        let proof = Proof::Pyramid;
        if self.copied.is_none() {
            let covered = "nothing: not made by this program";
            return Check::new(proof, covered, Vec::new());
        }
        let Self { levels, methods, skipped, of_source, differences, .. } = self;
        let others: Vec<String> = methods.into_iter().filter(|method| method != MEAN).collect();
        let mut covered = match skipped {
            0 if others.is_empty() => format!("{levels} reduced levels are the means of the level before"),
            0 => format!(
                "{levels} reduced levels are made of the level before as it says ({})",
                others.join(", ")
            ),
            _ => format!(
                "{levels} reduced levels, {skipped} of them of a type whose samples are not computed here"
            ),
        };
        if sample.is_part() && levels > 0 {
            covered = format!("a sample of {sample} of {covered}");
        }
        if of_source > 0 {
            let _ = write!(covered, "; {of_source} were copied from the source");
        }
        Check::new(proof, covered, differences.finish())
    }
}

/// How levels are compared, and what the store calls the way in which they were made.
#[derive(Clone, Copy)]
pub(crate) struct Named<'a> {
    pub(crate) method: &'a str,
    pub(crate) compare: Compare,
}

pub(crate) fn level_differences(
    finer: &StoredArray,
    coarser: &StoredArray,
    Named { method, compare }: Named<'_>,
    context: Context<'_>,
    series: u64,
) -> Result<Vec<Difference>, Error> {
    let Context { options, job, .. } = context;
    let [leading @ .., height, width] = coarser.shape() else { return Ok(Vec::new()) };
    let [finer_leading @ .., finer_height, finer_width] = finer.shape() else { return Ok(Vec::new()) };
    let fits = leading == finer_leading
        && *height == finer_height.div_ceil(2)
        && *width == finer_width.div_ceil(2)
        && finer.path() != coarser.path();
    if !fits {
        let expected = format!("half the size of {}, {:?}", finer.path(), finer.shape());
        let found = format!("{:?}", coarser.shape());
        return Ok(vec![Difference::new(coarser.path(), expected, found)]);
    }
    let band = coarser.object_shape()[leading.len()].clamp(1, (*height).max(1));
    let bands = height.div_ceil(band);
    let slabs = coarser.slabs(band);
    let parts: Vec<(&Slab, u64)> =
        slabs.iter().flat_map(|slab| (0..bands).map(move |n| (slab, n * band))).collect();
    let parts = options.sample.choose(parts, series);
    let found = Mutex::new(Vec::new());
    let name = |(_, y): &(&Slab, u64)| format!("array {}, rows from {y}", coarser.path());
    try_for_each(
        &parts,
        // Of the finer level four times as much, and each as it is stored.
        context.readers(10 * coarser.bytes_of_rows(band)),
        name,
        || (),
        |(), &(Slab { ranges, planes }, y)| -> Result<(), Error> {
            job.cancel.check()?;
            let (mut finer_ranges, mut ranges) = (ranges.clone(), ranges.clone());
            let end = (y + band).min(*height);
            ranges.extend([y..end, 0..*width]);
            finer_ranges.extend([2 * y..(2 * end).min(*finer_height), 0..*finer_width]);
            let add = |plane: &u64, wrong: String| {
                let place = format!("array {}, plane {plane}, rows {y}..{end}", coarser.path());
                let expected = format!("the {method} of {}", finer.path());
                lock(&found).push(Difference::new(place, expected, wrong));
            };
            let both = finer.read(&finer_ranges).and_then(|from| Ok((from, coarser.read(&ranges)?)));
            match readable(both)? {
                Ok((from, to)) => {
                    let from = from.chunks_exact((from.len() / planes.len()).max(1));
                    let to = to.chunks_exact((to.len() / planes.len()).max(1));
                    for (plane, (from, to)) in planes.iter().zip(from.zip(to)) {
                        let count = compare(from, *finer_width as usize, to, *width as usize);
                        if count > 0 {
                            add(plane, format!("{count} other samples"));
                        }
                    }
                }
                Err(error) => planes.iter().take(1).for_each(|plane| add(plane, error.clone())),
            }
            Ok(())
        },
    )?;
    job.cancel.check()?;
    Ok(in_order(unlocked(found)))
}
