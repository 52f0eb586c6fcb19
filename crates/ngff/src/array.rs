//! Descriptions of Zarr arrays: data types, codecs, and the documents that declare them in Zarr 2 and 3.

use fairzarr_pixel::SampleType;
use serde_json::{Map, Number, Value, json};

use crate::document::{Document, text};
use crate::{Error, Version};

/// One Zarr array, as written by every NGFF version. Dimensions are in C order.
#[derive(Debug, Clone, PartialEq)]
pub struct ArraySpec {
    /// Number of samples per dimension.
    pub shape: Vec<u64>,
    /// Type of a sample.
    pub data_type: SampleType,
    /// Shape of a chunk: what is compressed as one piece.
    pub chunks: Vec<u64>,
    /// Shape of a shard: what is stored as one object. A multiple of the chunk; each chunk is an object when
    /// not set. Zarr 3 only.
    pub shards: Option<Vec<u64>>,
    /// How chunks are stored.
    pub codecs: Codecs,
    /// Names of the dimensions, which must be the names of the image's axes. Empty for none.
    pub dimension_names: Vec<String>,
    /// The value of samples whose chunk is not stored.
    pub fill_value: FillValue,
    /// The array's own attributes.
    pub attributes: Map<String, Value>,
}

/// The value of samples that are not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FillValue {
    /// A number; of complex types the real part.
    Number(Number),
    /// Not a number, of floating point types.
    Nan,
}

/// How a chunk's bytes become what is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Codecs {
    /// Compression.
    pub compressor: Compressor,
    /// A checksum after compression, so that every reader notices damage. Zarr 3 only.
    pub crc32c: bool,
    /// Byte order of the samples before compression. Zarr 3 states it as a codec, Zarr 2 in the data type.
    pub endian: Endian,
}

/// Byte order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Endian {
    /// Least significant byte first.
    #[default]
    Little,
    /// Most significant byte first.
    Big,
}

/// Compression of chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compressor {
    /// Chunks are stored as they are.
    #[default]
    None,
    /// Blosc 1 container.
    Blosc {
        /// Compressor inside.
        cname: BloscCompressor,
        /// 0 to 9.
        clevel: u8,
        /// Rearrangement before compression.
        shuffle: Shuffle,
        /// Bytes per sample, for the rearrangement; the data type's when not set.
        typesize: Option<u8>,
        /// Bytes per block; 0 lets Blosc choose.
        blocksize: u32,
    },
    /// Zstandard.
    Zstd {
        /// -131072 to 22.
        level: i32,
        /// Zstandard's own checksum.
        checksum: bool,
    },
    /// Deflate in a gzip member.
    Gzip {
        /// 0 to 9.
        level: u8,
    },
    /// Deflate in a zlib stream. Zarr 2 only.
    Zlib {
        /// 0 to 9.
        level: u8,
    },
}

/// Compressors that a Blosc container can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BloscCompressor {
    /// LZ4.
    Lz4,
    /// LZ4 HC.
    Lz4hc,
    /// Blosc's own LZ.
    Blosclz,
    /// Snappy.
    Snappy,
    /// Deflate.
    Zlib,
    /// Zstandard.
    Zstd,
}

/// Rearrangement of samples before Blosc compresses them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shuffle {
    /// None.
    None,
    /// First bytes of all samples, then second bytes, …
    Byte,
    /// First bits of all samples, then second bits, …
    Bit,
}

/// The documents that declare an array, as file names relative to it and their bytes: `zarr.json`, or `.zarray`
/// and `.zattrs`.
///
/// # Errors
///
/// Whatever the array's description contradicts, or the version's Zarr format does not have.
pub fn array_document(version: Version, spec: &ArraySpec) -> Result<Vec<Document>, Error> {
    spec.check(version)?;
    if version.zarr_format() == 3 {
        return Ok(vec![("zarr.json", text(&spec.to_v3()?))]);
    }
    let mut attributes = spec.attributes.clone();
    if !spec.dimension_names.is_empty() {
        // Zarr 2 has no dimension names; xarray looks for them here.
        attributes.insert("_ARRAY_DIMENSIONS".into(), json!(spec.dimension_names));
    }
    let mut documents = vec![(".zarray", text(&spec.to_v2()?))];
    if !attributes.is_empty() {
        documents.push((".zattrs", text(&Value::Object(attributes))));
    }
    Ok(documents)
}

/// The key of a stored chunk, or of a shard where there are shards, below the root that `path` is relative to.
pub fn chunk_key(version: Version, path: &str, index: &[u64]) -> String {
    let mut key = String::from(path);
    let mut push = |part: &str| {
        if !key.is_empty() {
            key.push('/');
        }
        key.push_str(part);
    };
    match version.zarr_format() {
        2 if index.is_empty() => push("0"),
        2 => {}
        _ => push("c"),
    }
    for i in index {
        push(&i.to_string());
    }
    key
}

impl ArraySpec {
    /// The shape of what is stored as one object: the shard's, or the chunk's where there are no shards.
    pub fn stored_chunk(&self) -> &[u64] {
        self.shards.as_deref().unwrap_or(&self.chunks)
    }

    fn check(&self, version: Version) -> Result<(), Error> {
        let dimensions = self.shape.len();
        let names = (!self.dimension_names.is_empty()).then_some(self.dimension_names.len());
        let lengths = [
            ("chunks", Some(self.chunks.len())),
            ("shards", self.shards.as_ref().map(Vec::len)),
            ("dimension names", names),
        ];
        for (member, length) in lengths {
            if let Some(found) = length.filter(|&length| length != dimensions) {
                return Err(Error::Dimensions { member, found, expected: dimensions });
            }
        }
        for (member, shape) in [("chunks", Some(&self.chunks)), ("shards", self.shards.as_ref())] {
            if let Some(found) = shape.filter(|shape| shape.contains(&0)) {
                return Err(Error::EmptyChunk { member, found: found.clone() });
            }
        }
        if let Some(shards) = &self.shards
            && shards.iter().zip(&self.chunks).any(|(shard, chunk)| shard % chunk != 0)
        {
            return Err(Error::UnevenShard { shards: shards.clone(), chunks: self.chunks.clone() });
        }
        let zarr_format = version.zarr_format();
        let refused = [
            ("sharding", zarr_format == 2 && self.shards.is_some()),
            ("the crc32c codec", zarr_format == 2 && self.codecs.crc32c),
            ("the zlib codec", zarr_format == 3 && matches!(self.codecs.compressor, Compressor::Zlib { .. })),
        ];
        if let Some((feature, _)) = refused.into_iter().find(|(_, refused)| *refused) {
            return Err(Error::NotInFormat { feature, zarr_format });
        }
        self.codecs.compressor.check()
    }

    fn to_v3(&self) -> Result<Value, Error> {
        let endian = match self.codecs.endian {
            Endian::Little => "little",
            Endian::Big => "big",
        };
        let mut codecs = vec![json!({"name": "bytes", "configuration": {"endian": endian}})];
        codecs.extend(self.codecs.compressor.to_v3(self.data_type));
        if self.codecs.crc32c {
            codecs.push(crc32c());
        }
        if self.shards.is_some() {
            codecs = vec![json!({
                "name": "sharding_indexed",
                "configuration": {
                    "chunk_shape": self.chunks,
                    "codecs": codecs,
                    "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}, crc32c()],
                    // Several web readers look for the index at the end, whatever is written here.
                    "index_location": "end",
                },
            })];
        }
        let mut object = Map::new();
        object.insert("zarr_format".into(), 3.into());
        object.insert("node_type".into(), "array".into());
        object.insert("shape".into(), json!(self.shape));
        object.insert("data_type".into(), self.data_type.zarr_v3().into());
        object.insert(
            "chunk_grid".into(),
            json!({"name": "regular", "configuration": {"chunk_shape": self.stored_chunk()}}),
        );
        object.insert(
            "chunk_key_encoding".into(),
            json!({"name": "default", "configuration": {"separator": "/"}}),
        );
        object.insert("fill_value".into(), self.fill()?);
        object.insert("codecs".into(), codecs.into());
        object.insert("attributes".into(), self.attributes.clone().into());
        if !self.dimension_names.is_empty() {
            object.insert("dimension_names".into(), json!(self.dimension_names));
        }
        Ok(Value::Object(object))
    }

    fn to_v2(&self) -> Result<Value, Error> {
        Ok(json!({
            "zarr_format": 2,
            "shape": self.shape,
            "chunks": self.chunks,
            "dtype": match self.codecs.endian {
                Endian::Little => self.data_type.zarr_v2().to_owned(),
                Endian::Big => self.data_type.zarr_v2().replace('<', ">"),
            },
            "compressor": self.codecs.compressor.to_v2(),
            "fill_value": self.fill()?,
            "order": "C",
            "filters": null,
            "dimension_separator": "/",
        }))
    }

    fn fill(&self) -> Result<Value, Error> {
        let value = match &self.fill_value {
            FillValue::Number(value) => value,
            FillValue::Nan
                if matches!(self.data_type, SampleType::Float16 | SampleType::Float | SampleType::Double) =>
            {
                return Ok("NaN".into());
            }
            FillValue::Nan => {
                return Err(Error::FillValue { found: "NaN".into(), data_type: self.data_type.zarr_v3() });
            }
        };
        let in_range = |low: i64, high: u64| {
            value.as_i64().is_some_and(|v| v >= low && (v < 0 || v as u64 <= high))
                || value.as_u64().is_some_and(|v| v <= high)
        };
        let fits = match self.data_type {
            SampleType::Bit => in_range(0, 1),
            SampleType::Uint8 => in_range(0, u8::MAX.into()),
            SampleType::Uint16 => in_range(0, u16::MAX.into()),
            SampleType::Uint32 => in_range(0, u32::MAX.into()),
            SampleType::Uint64 => in_range(0, u64::MAX),
            SampleType::Int8 => in_range(i8::MIN.into(), i8::MAX as u64),
            SampleType::Int16 => in_range(i16::MIN.into(), i16::MAX as u64),
            SampleType::Int32 => in_range(i32::MIN.into(), i32::MAX as u64),
            SampleType::Int64 => in_range(i64::MIN, i64::MAX as u64),
            SampleType::Float16
            | SampleType::Float
            | SampleType::Double
            | SampleType::ComplexFloat
            | SampleType::ComplexDouble => value.as_f64().is_some(),
        };
        if !fits {
            return Err(Error::FillValue { found: value.to_string(), data_type: self.data_type.zarr_v3() });
        }
        Ok(match self.data_type {
            SampleType::Bit => json!(value.as_u64() == Some(1)),
            SampleType::Float16 | SampleType::Float | SampleType::Double => json!(value.as_f64()),
            SampleType::ComplexFloat | SampleType::ComplexDouble => json!([value.as_f64(), 0.0]),
            _ => Value::Number(value.clone()),
        })
    }
}

impl From<i32> for FillValue {
    fn from(value: i32) -> Self {
        Self::Number(value.into())
    }
}

impl From<Number> for FillValue {
    fn from(value: Number) -> Self {
        Self::Number(value)
    }
}

impl Compressor {
    fn check(self) -> Result<(), Error> {
        let (parameter, found, range, expected) = match self {
            Self::None => return Ok(()),
            Self::Blosc { clevel, .. } => ("blosc clevel", i64::from(clevel), 0..=9, "0 to 9"),
            Self::Zstd { level, .. } => ("zstd level", i64::from(level), -131_072..=22, "-131072 to 22"),
            Self::Gzip { level } => ("gzip level", i64::from(level), 0..=9, "0 to 9"),
            Self::Zlib { level } => ("zlib level", i64::from(level), 0..=9, "0 to 9"),
        };
        if range.contains(&found) {
            Ok(())
        } else {
            Err(Error::CodecParameter { parameter, found, expected })
        }
    }

    fn to_v3(self, data_type: SampleType) -> Option<Value> {
        Some(match self {
            // Refused by `ArraySpec::check`.
            Self::None | Self::Zlib { .. } => return None,
            Self::Blosc { cname, clevel, shuffle, typesize, blocksize } => json!({
                "name": "blosc",
                "configuration": {
                    "typesize": typesize.map_or(data_type.bytes(), usize::from),
                    "cname": cname.name(),
                    "clevel": clevel,
                    "shuffle": shuffle.name(),
                    "blocksize": blocksize,
                },
            }),
            Self::Zstd { level, checksum } => {
                json!({"name": "zstd", "configuration": {"level": level, "checksum": checksum}})
            }
            Self::Gzip { level } => json!({"name": "gzip", "configuration": {"level": level}}),
        })
    }

    fn to_v2(self) -> Value {
        match self {
            Self::None => Value::Null,
            Self::Blosc { cname, clevel, shuffle, blocksize, .. } => json!({
                "id": "blosc",
                "cname": cname.name(),
                "clevel": clevel,
                "shuffle": shuffle as u8,
                "blocksize": blocksize,
            }),
            // Readers of older numcodecs do not know the parameter.
            Self::Zstd { level, checksum: false } => json!({"id": "zstd", "level": level}),
            Self::Zstd { level, checksum } => json!({"id": "zstd", "level": level, "checksum": checksum}),
            Self::Gzip { level } => json!({"id": "gzip", "level": level}),
            Self::Zlib { level } => json!({"id": "zlib", "level": level}),
        }
    }
}

impl BloscCompressor {
    /// The compressor's name in metadata.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lz4 => "lz4",
            Self::Lz4hc => "lz4hc",
            Self::Blosclz => "blosclz",
            Self::Snappy => "snappy",
            Self::Zlib => "zlib",
            Self::Zstd => "zstd",
        }
    }
}

impl Shuffle {
    /// The rearrangement's name in Zarr 3; Zarr 2 numbers them 0, 1, 2.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "noshuffle",
            Self::Byte => "shuffle",
            Self::Bit => "bitshuffle",
        }
    }
}

fn crc32c() -> Value {
    json!({"name": "crc32c"})
}
