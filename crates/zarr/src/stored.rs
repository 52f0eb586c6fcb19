//! Stored objects of an array, as far as they can be judged without decoding samples: keys of chunks, sizes that a
//! header states, indexes of shards.

use serde_json::Value;

use crate::{ArrayDocument, Format, SampleType};

/// How the chunks of an array are named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkKeys {
    prefix: bool,
    separator: char,
    /// Number of stored chunks per dimension.
    counts: Vec<u64>,
    clause: &'static str,
}

impl ChunkKeys {
    /// Whether `name`, relative to the array, is the key of a chunk inside its grid.
    pub fn is_chunk(&self, name: &str) -> bool {
        self.index(name).is_some()
    }

    /// Which chunk of the grid has the key `name`, relative to the array; `None` where that is the key of none.
    pub fn index(&self, name: &str) -> Option<Vec<u64>> {
        let name = if self.prefix {
            match name.strip_prefix('c')? {
                "" => return self.counts.is_empty().then(Vec::new),
                rest => rest.strip_prefix(self.separator)?,
            }
        } else {
            name
        };
        if self.counts.is_empty() {
            return (name == "0").then(Vec::new);
        }
        let mut counts = self.counts.iter();
        let number = |part: &str| {
            let number = part.parse::<u64>().ok().filter(|number| number.to_string() == part)?;
            counts.next().filter(|count| number < **count).map(|_| number)
        };
        let index: Vec<u64> = name.split(self.separator).map(number).collect::<Option<_>>()?;
        (index.len() == self.counts.len()).then_some(index)
    }

    /// How many chunks the grid has; `None` where the number is beyond all that can be counted.
    pub fn count(&self) -> Option<u64> {
        self.counts.iter().try_fold(1_u64, |all, count| all.checked_mul(*count))
    }

    /// The key of a chunk, relative to the array, by its number in C order.
    pub fn name(&self, number: u64) -> String {
        let mut rest = number;
        let mut parts = Vec::new();
        for count in self.counts.iter().rev() {
            let count = (*count).max(1);
            parts.push((rest % count).to_string());
            rest /= count;
        }
        if self.prefix {
            parts.push("c".to_owned());
        } else if parts.is_empty() {
            return "0".to_owned();
        }
        parts.reverse();
        parts.join(&self.separator.to_string())
    }

    /// The section that says how chunks are named.
    pub fn clause(&self) -> &'static str {
        self.clause
    }
}

/// Where the index of a shard lies, and what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardIndex {
    chunks: u64,
    checksum: bool,
    at_end: bool,
    little_endian: bool,
}

impl ShardIndex {
    /// Length of the index.
    pub fn bytes(&self) -> u64 {
        self.chunks * 16 + if self.checksum { 4 } else { 0 }
    }

    /// Whether it is the last part of the shard; else it is the first.
    pub fn at_end(&self) -> bool {
        self.at_end
    }

    /// What is wrong with an index of a shard of `size` bytes.
    pub fn problem(&self, index: &[u8], size: u64) -> Option<String> {
        if index.len() as u64 != self.bytes() {
            return Some(format!("the index has {} bytes, expected {}", index.len(), self.bytes()));
        }
        let entries = if self.checksum {
            let (entries, stored) = index.split_at(index.len() - 4);
            if crc32c::crc32c(entries).to_le_bytes() != stored {
                return Some("the checksum of the shard's index does not fit it".into());
            }
            entries
        } else {
            index
        };
        let number = |bytes: &[u8]| {
            let bytes = <[u8; 8]>::try_from(bytes).unwrap_or_default();
            if self.little_endian { u64::from_le_bytes(bytes) } else { u64::from_be_bytes(bytes) }
        };
        let room = self.bytes();
        let (first, end) = if self.at_end { (0, size.saturating_sub(room)) } else { (room, size) };
        for (chunk, entry) in entries.chunks_exact(16).enumerate() {
            let (offset, length) = (number(&entry[..8]), number(&entry[8..]));
            if offset == u64::MAX && length == u64::MAX {
                continue;
            }
            if offset < first || offset.checked_add(length).is_none_or(|after| after > end) {
                return Some(format!(
                    "chunk {chunk} lies at {offset} with {length} bytes, expected it between {first} and {end}"
                ));
            }
        }
        None
    }
}

impl ArrayDocument {
    /// How chunks are named; `None` for encodings and grids that are not known here.
    pub fn chunk_keys(&self) -> Option<ChunkKeys> {
        let stored = self.storage().stored;
        let shape = self.shape()?;
        if stored.len() != shape.len() || stored.contains(&0) {
            return None;
        }
        let counts = shape.iter().zip(&stored).map(|(side, chunk)| side.div_ceil(*chunk)).collect();
        if self.format == Format::V2 {
            let separator = self.members.get("dimension_separator").and_then(Value::as_str);
            let separator = if separator == Some("/") { '/' } else { '.' };
            return Some(ChunkKeys { prefix: false, separator, counts, clause: "zarr-v2/arrays" });
        }
        let encoding = self.members.get("chunk_key_encoding")?;
        let name = encoding.as_str().or_else(|| encoding.get("name")?.as_str())?;
        let prefix = match name {
            "default" => true,
            "v2" => false,
            _ => return None,
        };
        let separator = encoding.pointer("/configuration/separator").and_then(Value::as_str);
        // What the two encodings mean by saying nothing differs.
        let separator = if separator == Some("/") || separator.is_none() && prefix { '/' } else { '.' };
        Some(ChunkKeys { prefix, separator, counts, clause: "zarr-v3/chunk-key-encodings" })
    }

    /// The index of a shard, where objects are shards and their index is stored in a way that is known here.
    pub fn shard_index(&self) -> Option<ShardIndex> {
        /// An index beyond this is no index but an attack.
        const MOST_CHUNKS: u64 = 1 << 24;
        let sharding = self.sharding()?;
        let storage = self.storage();
        let inner = storage.inner?;
        if inner.contains(&0) || inner.len() != storage.stored.len() {
            return None;
        }
        let chunks = storage
            .stored
            .iter()
            .zip(&inner)
            .try_fold(1_u64, |count, (shard, chunk)| count.checked_mul(shard / chunk))?;
        if chunks > MOST_CHUNKS {
            return None;
        }
        let codecs = sharding.get("index_codecs")?.as_array()?;
        let name = |codec: &Value| codec.as_str().or_else(|| codec.get("name")?.as_str()).map(str::to_owned);
        let names: Vec<String> = codecs.iter().filter_map(name).collect();
        let checksum = match names.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["bytes"] => false,
            ["bytes", "crc32c"] => true,
            _ => return None,
        };
        let endian = codecs.first().and_then(|codec| codec.pointer("/configuration/endian")?.as_str());
        Some(ShardIndex {
            chunks,
            checksum,
            at_end: sharding.get("index_location").and_then(Value::as_str) != Some("start"),
            little_endian: endian != Some("big"),
        })
    }

    /// Bytes of a chunk that no codec compresses; `None` where one does, or the type is not known.
    pub fn plain_chunk_bytes(&self) -> Option<u64> {
        let codecs = self.codecs();
        if self.sharding().is_some()
            || codecs.iter().any(|codec| !["bytes", "transpose", "crc32c"].contains(&codec.name))
        {
            return None;
        }
        let checksums = codecs.iter().filter(|codec| codec.name == "crc32c").count() as u64;
        let samples = self.storage().stored.iter().try_fold(1_u64, |count, side| count.checked_mul(*side))?;
        let name = self.data_type()?.as_str()?;
        let data_type = match self.format {
            Format::V2 => SampleType::from_zarr_v2(name)?,
            Format::V3 => SampleType::from_zarr_v3(name)?,
        };
        samples.checked_mul(data_type.bytes() as u64)?.checked_add(4 * checksums)
    }

    /// Whether the length of a stored chunk shows only when all of it is walked through.
    pub fn needs_whole_chunk(&self) -> bool {
        self.last_codec().is_some_and(|(codec, _)| codec == "zstd")
    }

    /// What is wrong with the frames of a chunk of Zstandard: one that was cut short has fewer bytes than its blocks.
    pub fn broken_frames(&self, chunk: &[u8]) -> Option<String> {
        let (codec, checksums) = self.last_codec()?;
        let frames = chunk.get(..chunk.len().checked_sub(4 * checksums)?)?;
        (codec == "zstd" && !zstd_is_whole(frames))
            .then(|| "its Zstandard frames do not end where the object does, expected whole frames".into())
    }

    /// The last codec that is no checksum, and how many checksums follow it.
    fn last_codec(&self) -> Option<(String, usize)> {
        let codecs = self.codecs();
        let checksums = codecs.iter().rev().take_while(|codec| codec.name == "crc32c").count();
        let last = codecs.len().checked_sub(checksums + 1).and_then(|index| codecs.get(index))?;
        Some((last.name.to_owned(), checksums))
    }

    /// How many bytes a stored chunk has, where its first 16 bytes say so: Blosc's header does.
    pub fn stored_bytes(&self, head: &[u8]) -> Option<u64> {
        let (codec, checksums) = self.last_codec()?;
        if codec != "blosc" {
            return None;
        }
        let stored = <[u8; 4]>::try_from(head.get(12..16)?).ok()?;
        Some(u64::from(u32::from_le_bytes(stored)) + 4 * checksums as u64)
    }
}

/// Whether bytes are whole Zstandard frames: headers and blocks are walked, nothing is decompressed.
fn zstd_is_whole(mut rest: &[u8]) -> bool {
    let int = |bytes: &[u8]| bytes.iter().rev().fold(0_usize, |value, byte| value << 8 | usize::from(*byte));
    while !rest.is_empty() {
        let Some(magic) = rest.get(..4).map(int) else { return false };
        rest = &rest[4..];
        if magic & 0xffff_fff0 == 0x184d_2a50 {
            let Some(skipped) = rest.get(..4).map(int).and_then(|length| rest.get(4 + length..)) else {
                return false;
            };
            rest = skipped;
            continue;
        }
        let Some(&descriptor) = rest.first().filter(|_| magic == 0xfd2f_b528) else { return false };
        let single = descriptor & 0x20 != 0;
        let content = match descriptor >> 6 {
            0 => usize::from(single),
            power => 1 << power,
        };
        let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
        let Some(blocks) = rest.get(1 + usize::from(!single) + dictionary + content..) else { return false };
        rest = blocks;
        loop {
            let Some(header) = rest.get(..3).map(int) else { return false };
            // A run of one byte is stored as that byte.
            let length = if header >> 1 & 3 == 1 { 1 } else { header >> 3 };
            let Some(next) = rest.get(3 + length..) else { return false };
            rest = next;
            if header & 1 == 1 {
                break;
            }
        }
        if descriptor & 4 != 0 {
            let Some(next) = rest.get(4..) else { return false };
            rest = next;
        }
    }
    true
}
