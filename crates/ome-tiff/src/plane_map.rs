//! Which page holds which plane: the rules of TiffData, without files or XML.

/// An axis that pages are counted along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Axis {
    T,
    C,
    Z,
}

/// Planes of an image: along each axis, and which axis runs fastest through the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    pub(crate) t: u32,
    /// Channel groups: the channels that a page holds together count once.
    pub(crate) c: u32,
    pub(crate) z: u32,
    /// Fastest first, as in the last three letters of DimensionOrder.
    pub(crate) order: [Axis; 3],
}

impl Extent {
    /// Planes in all.
    pub(crate) fn planes(&self) -> u64 {
        u64::from(self.t).saturating_mul(u64::from(self.c)).saturating_mul(u64::from(self.z))
    }

    /// Place of a plane in the table: t slowest, z fastest.
    pub(crate) fn slot(&self, t: u32, c: u32, z: u32) -> Option<usize> {
        if t >= self.t || c >= self.c || z >= self.z {
            return None;
        }
        usize::try_from((u64::from(t) * u64::from(self.c) + u64::from(c)) * u64::from(self.z) + u64::from(z))
            .ok()
    }

    /// t, c and z of a place in the table.
    pub(crate) fn plane(&self, slot: usize) -> (u32, u32, u32) {
        let slot = slot as u64;
        let (z_size, c_size) = (u64::from(self.z.max(1)), u64::from(self.c.max(1)));
        ((slot / z_size / c_size) as u32, (slot / z_size % c_size) as u32, (slot % z_size) as u32)
    }

    fn size(&self, axis: Axis) -> u64 {
        u64::from(match axis {
            Axis::T => self.t,
            Axis::C => self.c,
            Axis::Z => self.z,
        })
    }

    /// How many planes come before this one in DimensionOrder.
    fn rank(&self, t: u64, c: u64, z: u64) -> u64 {
        self.order.iter().rev().fold(0, |rank, axis| {
            let position = match axis {
                Axis::T => t,
                Axis::C => c,
                Axis::Z => z,
            };
            rank.saturating_mul(self.size(*axis)).saturating_add(position)
        })
    }

    /// The table's place of the plane with `rank` planes before it.
    pub(crate) fn slot_of_rank(&self, mut rank: u64) -> Option<usize> {
        let (mut t, mut c, mut z) = (0, 0, 0);
        for axis in self.order {
            let size = self.size(axis).max(1);
            let position = (rank % size) as u32;
            rank /= size;
            match axis {
                Axis::T => t = position,
                Axis::C => c = position,
                Axis::Z => z = position,
            }
        }
        if rank == 0 { self.slot(t, c, z) } else { None }
    }
}

/// One TiffData element, its file resolved.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    /// `None`: the file cannot be found.
    pub(crate) file: Option<u32>,
    pub(crate) ifd: Option<u64>,
    pub(crate) t: u64,
    pub(crate) c: u64,
    pub(crate) z: u64,
    pub(crate) count: Option<u64>,
}

/// Where one plane is: a page of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PlaneRef {
    pub(crate) file: u32,
    pub(crate) page: u32,
}

impl PlaneRef {
    pub(crate) const MISSING: Self = Self { file: u32::MAX, page: u32::MAX };

    pub(crate) fn is_missing(self) -> bool {
        self == Self::MISSING
    }
}

/// The table of planes, and what had to be tolerated to make it.
#[derive(Debug)]
pub(crate) struct PlaneMap {
    pub(crate) planes: Vec<PlaneRef>,
    pub(crate) notes: Vec<String>,
    /// The first plane that the OME-XML promises and no page holds: what was promised, and what there is.
    pub(crate) broken_promise: Option<String>,
}

/// Assigns pages to planes. `pages` gives the number of pages of a file; the caller has bounded
/// [`Extent::planes`].
///
/// OME-TIFF specification, "The TiffData element": planes follow DimensionOrder from the first one named; IFD
/// is 0 where omitted; PlaneCount is 1 where IFD is given, else all pages of the file.
pub(crate) fn assign(extent: &Extent, blocks: &[Block], pages: impl Fn(u32) -> u32) -> PlaneMap {
    let total = extent.planes();
    let mut map =
        PlaneMap { planes: vec![PlaneRef::MISSING; total as usize], notes: Vec::new(), broken_promise: None };
    let base = one_based(extent, blocks, &mut map.notes);
    let mut twice = 0_u64;
    let mut beyond = 0_u64;
    for block in blocks {
        let (t, c, z) = (block.t - base.0, block.c - base.1, block.z - base.2);
        if t >= u64::from(extent.t) || c >= u64::from(extent.c) || z >= u64::from(extent.z) {
            map.broken_promise.get_or_insert_with(|| {
                format!(
                    "a TiffData element starts at FirstT {}, FirstC {}, FirstZ {}, outside of the image",
                    block.t, block.c, block.z
                )
            });
            continue;
        }
        let rank = extent.rank(t, c, z);
        let first = block.ifd.unwrap_or(0);
        let available = block.file.map_or(0, |file| u64::from(pages(file)));
        let count = match block.count {
            Some(0) | None if block.ifd.is_some() && block.count.is_none() => 1,
            Some(0) | None => {
                if block.count == Some(0) {
                    map.notes.push("a TiffData element has PlaneCount 0; read as if it had none".to_owned());
                }
                available.saturating_sub(first).min(total - rank)
            }
            Some(count) => {
                let rest = total - rank;
                beyond = beyond.saturating_add(count.saturating_sub(rest));
                count.min(rest)
            }
        };
        let Some(file) = block.file else { continue };
        for k in 0..count {
            let page = first.saturating_add(k);
            if page >= available {
                map.broken_promise.get_or_insert_with(|| {
                    format!("a TiffData element points to IFD {page}, the file has {available}")
                });
                break;
            }
            if let Some(slot) = extent.slot_of_rank(rank + k) {
                let place = PlaneRef { file, page: page as u32 };
                twice += u64::from(!map.planes[slot].is_missing() && map.planes[slot] != place);
                map.planes[slot] = place;
            }
        }
    }
    fill_down(extent, blocks, available_of(blocks, &pages), &mut map);
    if twice > 0 {
        map.notes.push(format!("{twice} planes are named by two TiffData elements; the later ones are used"));
    }
    if beyond > 0 {
        map.notes.push(format!("TiffData elements count {beyond} planes more than the image has; ignored"));
    }
    map
}

fn available_of(blocks: &[Block], pages: impl Fn(u32) -> u32) -> u64 {
    blocks.first().and_then(|block| block.file).map_or(0, |file| u64::from(pages(file)))
}

/// A single TiffData with IFD and without PlaneCount means one plane by the letter. Writers mean all of them,
/// and Bio-Formats reads them so; done here when the file has the pages.
fn fill_down(extent: &Extent, blocks: &[Block], available: u64, map: &mut PlaneMap) {
    let [Block { file: Some(file), ifd: Some(ifd), t: 0, c: 0, z: 0, count: None }] = blocks else { return };
    let total = extent.planes();
    if total < 2 || ifd.saturating_add(total) > available {
        return;
    }
    for rank in 1..total {
        if let Some(slot) = extent.slot_of_rank(rank) {
            map.planes[slot] = PlaneRef { file: *file, page: (ifd + rank) as u32 };
        }
    }
    map.notes.push(format!(
        "the only TiffData element has no PlaneCount, which means 1 plane of {total}; the following IFDs are read \
         as the other planes"
    ));
}

/// Some writers count FirstT, FirstC and FirstZ from 1: 1 for such an axis, else 0.
fn one_based(extent: &Extent, blocks: &[Block], notes: &mut Vec<String>) -> (u64, u64, u64) {
    let base = |axis: fn(&Block) -> u64, size: u32, name: &str, notes: &mut Vec<String>| {
        let least = blocks.iter().map(axis).min().unwrap_or(0);
        let most = blocks.iter().map(axis).max().unwrap_or(0);
        let shifted = least == 1 && most == u64::from(size);
        if shifted {
            notes.push(format!("First{name} of the TiffData elements counts from 1, not from 0"));
        }
        u64::from(shifted)
    };
    (
        base(|b| b.t, extent.t, "T", notes),
        base(|b| b.c, extent.c, "C", notes),
        base(|b| b.z, extent.z, "Z", notes),
    )
}
