//! How planes are cut: into tiles for the file, and into regions of whole tiles that follow the store's objects, so that
//! each object is decoded once.

/// One side of a plane.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Cut {
    /// Side of a tile: a multiple of 16, or all of a short side.
    pub(crate) tile: u64,
    /// Side of what is read at a time: a multiple of the tile, and of the object where that can be.
    pub(crate) region: u64,
}

/// What tiles are like where nothing asks for others.
const TILE: u64 = 512;
/// Sides up to which a tile is a chunk that readers like, and a region one that fits into the memory.
const TILES: std::ops::RangeInclusive<u64> = 128..=1024;
const MOST_REGION: u64 = 8192;

/// Cuts a side of `size` samples, of which an object holds `object`. A side of at most a tile is not cut.
pub(crate) fn cut(size: u64, object: u64) -> Cut {
    let object = object.clamp(1, size.max(1));
    if size <= *TILES.end() {
        let tile = size.max(1).next_multiple_of(16);
        return Cut { tile, region: tile };
    }
    if object == size && size <= MOST_REGION {
        return Cut { tile: TILE, region: size.next_multiple_of(TILE) };
    }
    let step = object / gcd(object, 16) * 16;
    let region = step * TILE.div_ceil(step);
    let divides = |tile: &u64| region.is_multiple_of(*tile);
    match TILES.rev().filter(|side| side.is_multiple_of(16)).find(divides) {
        _ if region.is_multiple_of(TILE) && region <= MOST_REGION => Cut { tile: TILE, region },
        Some(tile) if region <= MOST_REGION => Cut { tile, region },
        // Objects that nothing fits to are decoded again for each region that they reach into.
        _ => Cut { tile: TILE, region: object.next_multiple_of(TILE).min(MOST_REGION) },
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_whole_tiles_and_whole_objects() {
        for object in [1, 16, 32, 48, 100, 128, 256, 500, 512, 1000, 1024, 2000, 2048, 4096] {
            let Cut { tile, region } = cut(100_000, object);
            assert!(tile.is_multiple_of(16) && region.is_multiple_of(tile), "{object}: {tile} {region}");
            assert!(region.is_multiple_of(object), "{object}: {tile} {region}");
            assert!(TILES.contains(&tile) && region <= MOST_REGION, "{object}: {tile} {region}");
        }
        assert_eq!(cut(100_000, 1024), Cut { tile: 512, region: 1024 });
        // No tile fits to a prime.
        assert_eq!(cut(100_000, 997), Cut { tile: 512, region: 1024 });
    }

    #[test]
    fn short_sides_are_not_cut() {
        assert_eq!(cut(1, 512), Cut { tile: 16, region: 16 });
        assert_eq!(cut(520, 512), Cut { tile: 528, region: 528 });
    }
}
