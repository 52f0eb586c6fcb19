//! Zarr arrays as this project writes them, and the documents that declare them in Zarr 2 and 3.

use serde_json::{Map, Value, json};

use crate::document::{Document, text};
use crate::{Codecs, Compressor, Endian, Error, FillValue, Format, SampleType};

/// One Zarr array to write. Dimensions are in C order. Made by [`ArraySpec::new`]; what differs from its defaults is
/// set field by field.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
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
    /// Names of the dimensions, which NGFF wants to be the names of the image's axes. Empty for none.
    pub dimension_names: Vec<String>,
    /// The value of samples whose chunk is not stored.
    pub fill_value: FillValue,
    /// The array's own attributes.
    pub attributes: Map<String, Value>,
}

/// The documents that declare an array, as file names relative to it and their bytes: `zarr.json`, or `.zarray`
/// and `.zattrs`.
///
/// # Errors
///
/// Whatever the array's description contradicts, or the Zarr format does not have.
pub fn array_document(format: impl Into<Format>, spec: &ArraySpec) -> Result<Vec<Document>, Error> {
    let format = format.into();
    spec.check(format)?;
    if format == Format::V3 {
        return Ok(vec![Document { name: "zarr.json", bytes: text(&spec.to_v3()?) }]);
    }
    let mut attributes = spec.attributes.clone();
    if !spec.dimension_names.is_empty() {
        // Zarr 2 has no dimension names; xarray looks for them here.
        attributes.insert("_ARRAY_DIMENSIONS".into(), json!(spec.dimension_names));
    }
    let mut documents = vec![Document { name: ".zarray", bytes: text(&spec.to_v2()?) }];
    if !attributes.is_empty() {
        documents.push(Document { name: ".zattrs", bytes: text(&Value::Object(attributes)) });
    }
    Ok(documents)
}

impl ArraySpec {
    /// An array of little-endian samples in uncompressed chunks, without dimension names, whose missing samples are 0.
    pub fn new(shape: impl Into<Vec<u64>>, data_type: SampleType, chunks: impl Into<Vec<u64>>) -> Self {
        Self {
            shape: shape.into(),
            data_type,
            chunks: chunks.into(),
            shards: None,
            codecs: Codecs::default(),
            dimension_names: Vec::new(),
            fill_value: FillValue::from(0),
            attributes: Map::new(),
        }
    }

    /// The shape of what is stored as one object: the shard's, or the chunk's where there are no shards.
    pub fn stored_chunk(&self) -> &[u64] {
        self.shards.as_deref().unwrap_or(&self.chunks)
    }

    fn check(&self, format: Format) -> Result<(), Error> {
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
        let zarr_format = format.number();
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
            codecs.push(json!({"name": "crc32c"}));
        }
        if self.shards.is_some() {
            codecs = vec![json!({
                "name": "sharding_indexed",
                "configuration": {
                    "chunk_shape": self.chunks,
                    "codecs": codecs,
                    "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}],
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
        object.insert("fill_value".into(), self.fill_value.to_json(self.data_type)?);
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
            "fill_value": self.fill_value.to_json(self.data_type)?,
            "order": "C",
            "filters": null,
            "dimension_separator": "/",
        }))
    }
}
