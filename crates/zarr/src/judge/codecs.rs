//! Chains of codecs in Zarr 3.

use serde_json::{Map, Value};

use super::types::Declared;
use super::v3::{CODECS, Named};
use super::{Judge, has_owner};

/// What a codec makes of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    ArrayToArray,
    ArrayToBytes,
    BytesToBytes,
}

impl Judge {
    /// A chain: any codecs from array to array, exactly one from array to bytes, any from bytes to bytes.
    /// `chunk` is the shape of what the chain encodes.
    pub(super) fn codecs(
        &mut self,
        at: &str,
        object: &Map<String, Value>,
        name: &str,
        data_type: Option<Declared>,
        dimensions: Option<usize>,
        chunk: Option<&[u64]>,
    ) {
        self.chain(at, object, name, data_type, dimensions, chunk, 0);
    }

    #[allow(clippy::too_many_arguments)]
    fn chain(
        &mut self,
        at: &str,
        object: &Map<String, Value>,
        name: &str,
        data_type: Option<Declared>,
        dimensions: Option<usize>,
        chunk: Option<&[u64]>,
        depth: usize,
    ) {
        /// Shards of shards of shards serve nobody but an attacker.
        const DEEPEST: usize = 8;
        let at_chain = format!("{at}/{name}");
        if depth > DEEPEST {
            return self.must(&at_chain, CODECS, format!("nested more than {DEEPEST} deep"));
        }
        let Some(items) = self.member(at, object, name, CODECS, "an array of codecs", Value::as_array) else {
            return;
        };
        let mut stages = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let at = format!("{at_chain}/{index}");
            let Some(codec) = self.named_value(&at, item, CODECS) else {
                stages.push(None);
                continue;
            };
            let stage = stage(codec.name);
            if stage.is_none() && !REGISTERED.contains(&codec.name) && !has_owner(codec.name) {
                self.unknown_name(&at, CODECS, "codec", &Value::from(codec.name));
            }
            self.codec(&at, &codec, data_type, dimensions, chunk, depth);
            stages.push(stage);
        }
        // A codec that is not known here can stand anywhere.
        let Some(stages) = stages.into_iter().collect::<Option<Vec<Stage>>>() else { return };
        let to_bytes = stages.iter().filter(|stage| **stage == Stage::ArrayToBytes).count();
        if to_bytes != 1 {
            let message = format!(
                "{to_bytes} codecs from array to bytes, expected exactly one, such as bytes or sharding_indexed"
            );
            self.must(&at_chain, CODECS, message);
        } else if !stages.is_sorted() {
            let message = "codecs in this order do not fit each other, expected those on arrays, then the one to \
                           bytes, then those on bytes";
            self.must(&at_chain, CODECS, message);
        }
    }

    fn codec(
        &mut self,
        at: &str,
        codec: &Named<'_>,
        data_type: Option<Declared>,
        dimensions: Option<usize>,
        chunk: Option<&[u64]>,
        depth: usize,
    ) {
        let empty = Map::new();
        let configuration = codec.configuration.unwrap_or(&empty);
        let at = format!("{at}/configuration");
        match codec.name {
            "bytes" => self.bytes(&at, configuration, data_type),
            "gzip" => self.range(&at, configuration, "level", 0..=9),
            "zstd" => {
                self.range(&at, configuration, "level", -131_072..=22);
                if let Some(checksum) = configuration.get("checksum").filter(|value| !value.is_boolean()) {
                    self.wrong(&format!("{at}/checksum"), CODECS, checksum, "true or false");
                }
            }
            "blosc" => self.blosc(&at, configuration),
            "transpose" => self.transpose(&at, configuration, dimensions),
            "sharding_indexed" => self.sharding(&at, configuration, data_type, dimensions, chunk, depth),
            _ => {}
        }
    }

    fn bytes(&mut self, at: &str, configuration: &Map<String, Value>, data_type: Option<Declared>) {
        let at = format!("{at}/endian");
        match configuration.get("endian") {
            Some(endian) if !matches!(endian.as_str(), Some("little" | "big")) => {
                self.wrong(&at, CODECS, endian, "\"little\" or \"big\"");
            }
            None if data_type.and_then(Declared::is_single_byte) == Some(false) => {
                self.must(&at, CODECS, "missing, expected \"little\" or \"big\"");
            }
            _ => {}
        }
    }

    fn blosc(&mut self, at: &str, configuration: &Map<String, Value>) {
        self.member(at, configuration, "cname", CODECS, "a compressor of Blosc", |value| {
            ["lz4", "lz4hc", "blosclz", "snappy", "zlib", "zstd"].contains(&value.as_str()?).then_some(())
        });
        self.range(at, configuration, "clevel", 0..=9);
        let shuffle =
            self.member(at, configuration, "shuffle", CODECS, "noshuffle, shuffle or bitshuffle", |value| {
                let shuffle = value.as_str()?;
                ["noshuffle", "shuffle", "bitshuffle"].contains(&shuffle).then_some(shuffle)
            });
        if shuffle.is_some_and(|shuffle| shuffle != "noshuffle") {
            self.range(at, configuration, "typesize", 1..=i64::from(u32::MAX));
        }
        self.range(at, configuration, "blocksize", 0..=i64::from(u32::MAX));
    }

    fn transpose(&mut self, at: &str, configuration: &Map<String, Value>, dimensions: Option<usize>) {
        self.member(at, configuration, "order", CODECS, "a permutation of the dimensions", |value| {
            // Drafts allowed the letters.
            if matches!(value.as_str(), Some("C" | "F")) {
                return Some(());
            }
            let mut order = crate::read::integers(Some(value))?;
            let length = order.len();
            order.sort_unstable();
            (order.into_iter().eq(0..length as u64) && dimensions.is_none_or(|wanted| wanted == length))
                .then_some(())
        });
    }

    fn sharding(
        &mut self,
        at: &str,
        configuration: &Map<String, Value>,
        data_type: Option<Declared>,
        dimensions: Option<usize>,
        shard: Option<&[u64]>,
        depth: usize,
    ) {
        let inner = self.chunk_shape(at, configuration, "chunk_shape", CODECS, dimensions);
        if let (Some(shard), Some(inner)) = (shard, &inner)
            && shard.len() == inner.len()
            && shard.iter().zip(inner).any(|(shard, inner)| shard % inner != 0)
        {
            let message = format!("{inner:?}, expected divisors of the shard's {shard:?}");
            self.must(&format!("{at}/chunk_shape"), CODECS, message);
        }
        self.chain(at, configuration, "codecs", data_type, dimensions, inner.as_deref(), depth + 1);
        let index = Some(Declared::Core(crate::SampleType::Uint64));
        self.chain(at, configuration, "index_codecs", index, None, None, depth + 1);
        if let Some(location) = configuration.get("index_location")
            && !matches!(location.as_str(), Some("start" | "end"))
        {
            self.wrong(&format!("{at}/index_location"), CODECS, location, "\"start\" or \"end\"");
        }
    }
}

fn stage(name: &str) -> Option<Stage> {
    Some(match name {
        "transpose" => Stage::ArrayToArray,
        "bytes" | "sharding_indexed" | "vlen-utf8" | "vlen-bytes" => Stage::ArrayToBytes,
        "blosc" | "crc32c" | "gzip" | "zstd" => Stage::BytesToBytes,
        _ => return None,
    })
}

/// Codecs registered in zarr-extensions whose place in a chain is left to them, and those that earlier writers left
/// without a prefix.
const REGISTERED: &[&str] = &[
    "adler32",
    "bitround",
    "bz2",
    "cast_value",
    "delta",
    "endian",
    "fixedscaleoffset",
    "fletcher32",
    "gdeflate",
    "jpeg",
    "jpeg2k",
    "jpegxl",
    "lz4",
    "n5_default",
    "optional",
    "packbits",
    "pcodec",
    "png",
    "reshape",
    "scale_offset",
    "shuffle",
    "squeeze",
    "vlen",
    "vlen-array",
    "vlen_v2",
    "webp",
    "zfp",
    "zlib",
];
