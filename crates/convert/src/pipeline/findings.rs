//! What is learnt of the pixels while they pass by.

use fairzarr_digest::PlaneDigest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::pipeline::timing::StageTimes;
use crate::pixels::quality::{ChannelQuality, Runs};
use crate::pixels::statistics::ChannelStatistics;
use crate::plan::{Plan, Task};

/// A plane of an image's level: image, level, and t, c, z.
type Plane = (usize, usize, (u32, u32, u32));

/// What was learnt of the pixels, by image.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// By image and channel.
    pub(crate) statistics: BTreeMap<(usize, u32), ChannelStatistics>,
    /// By image and channel, of images whose samples are small integers.
    pub(crate) quality: BTreeMap<(usize, u32), ChannelQuality>,
    /// Of the levels that were read.
    pub(crate) digests: BTreeMap<Plane, PlaneDigest>,
    /// Tasks that are still to come, of images that some have come of.
    missing: BTreeMap<usize, u64>,
    /// What it took.
    pub(crate) times: StageTimes,
    /// Checksums of the source's files, by their number in the plan.
    pub(crate) checksums: BTreeMap<u32, String>,
}

impl Findings {
    pub(crate) fn add(&mut self, plan: &Plan, task: Task, planes: &[PlaneResult]) {
        let image = &plan.images[task.image];
        let level = image.pyramids[task.pyramid].first;
        let sample_planes = image
            .task_pages(task.page)
            .flat_map(|page| image.channels(page).map(move |c| (page.t, c, page.z)));
        for ((t, c, z), plane) in sample_planes.zip(planes) {
            if level == 0 && image.is_decoded(level) {
                self.statistics.entry((task.image, c)).or_default().merge(&plane.statistics);
                if plane.runs != Runs::default() {
                    self.quality.entry((task.image, c)).or_default().merge((t, z), &plane.runs);
                }
            }
            let key = (task.image, level, (t, c, z));
            self.digests.entry(key).or_default().merge(plane.tiles.iter().copied());
        }
        let missing = self.missing.entry(task.image).or_insert_with(|| image.task_count());
        *missing -= 1;
        if *missing == 0 {
            self.missing.remove(&task.image);
            for (_, statistics) in self.statistics.range_mut((task.image, 0)..=(task.image, u32::MAX)) {
                statistics.settle();
            }
        }
    }
}

/// What was learnt of one sample plane while its pixels passed by.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) statistics: ChannelStatistics,
    pub(crate) runs: Runs,
    pub(crate) digest: PlaneDigest,
}

/// What was seen of one sample plane.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct PlaneResult {
    pub(crate) statistics: ChannelStatistics,
    pub(crate) runs: Runs,
    pub(crate) tiles: Vec<((u32, u32), u128)>,
}

impl From<Seen> for PlaneResult {
    fn from(seen: Seen) -> Self {
        Self { statistics: seen.statistics, runs: seen.runs, tiles: digest_entries(&seen.digest) }
    }
}

fn digest_entries(digest: &PlaneDigest) -> Vec<((u32, u32), u128)> {
    digest.tiles().iter().map(|(tile, digest)| (*tile, *digest)).collect()
}
