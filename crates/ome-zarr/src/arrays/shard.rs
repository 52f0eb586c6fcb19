//! Shards assembled from inner chunks that are encoded already (Zarr v3 `sharding_indexed`, index at the end).
//!
//! Inner chunks lie in C order whatever the order in which they arrived, so the same pixels give the same
//! bytes. The index holds offset and length of each inner chunk as little-endian 64-bit numbers (both 2^64 - 1
//! for an inner chunk that is left out), followed by its CRC-32C.

use bytes::Bytes;

/// A shard whose inner chunks arrive one by one.
#[derive(Debug)]
pub struct Shard {
    parts: Vec<Option<Vec<u8>>>,
    missing: usize,
}

impl Shard {
    /// `slots`: inner chunks of a full shard. `expected`: those that lie inside the array.
    pub fn new(slots: usize, expected: usize) -> Self {
        Self { parts: vec![None; slots], missing: expected }
    }

    /// Adds the stored bytes of one inner chunk, or its absence; true once all have come.
    pub fn add(&mut self, slot: usize, stored: Option<Vec<u8>>) -> bool {
        self.parts[slot] = stored;
        self.missing -= 1;
        self.missing == 0
    }

    /// The shard's bytes in pieces: the inner chunks, then the index; `None` when every inner chunk was left out.
    pub fn assemble(self) -> Option<Vec<Bytes>> {
        if self.parts.iter().all(Option::is_none) {
            return None;
        }
        let mut pieces = Vec::with_capacity(self.parts.len() + 1);
        let mut index = Vec::with_capacity(self.parts.len() * 16 + 4);
        let mut end = 0u64;
        for part in self.parts {
            let (offset, length) = match &part {
                Some(part) => (end, part.len() as u64),
                None => (u64::MAX, u64::MAX),
            };
            index.extend_from_slice(&offset.to_le_bytes());
            index.extend_from_slice(&length.to_le_bytes());
            if let Some(part) = part {
                end += length;
                pieces.push(part.into());
            }
        }
        let checksum = crc32c::crc32c(&index);
        index.extend_from_slice(&checksum.to_le_bytes());
        pieces.push(index.into());
        Some(pieces)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_lie_in_slot_order_with_an_index_at_the_end() {
        let mut shard = Shard::new(4, 3);
        assert!(!shard.add(2, Some(vec![3, 3])));
        assert!(!shard.add(1, None));
        assert!(shard.add(0, Some(vec![1])));
        let bytes = shard.assemble().unwrap().concat();
        assert_eq!(bytes[..3], [1, 3, 3]);
        let index = &bytes[3..3 + 64];
        let numbers: Vec<u64> =
            index.chunks_exact(8).map(|b| u64::from_le_bytes(b.try_into().unwrap())).collect();
        assert_eq!(numbers, [0, 1, u64::MAX, u64::MAX, 1, 2, u64::MAX, u64::MAX]);
        assert_eq!(bytes[67..], crc32c::crc32c(index).to_le_bytes());
    }

    #[test]
    fn a_shard_without_any_chunk_is_not_written() {
        let mut shard = Shard::new(2, 2);
        shard.add(0, None);
        shard.add(1, None);
        assert_eq!(shard.assemble(), None);
    }
}
