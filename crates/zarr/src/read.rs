//! Array documents of any writer, read as far as they can be understood.
//!
//! Nothing here refuses a document for what it does not understand: an inspector shows what there is, and the judge
//! says what is wrong. Each question answers `None` where the document has no answer.

use serde_json::{Map, Value};

use crate::Format;

/// What the document of an array declares: `zarr.json` in Zarr 3, `.zarray` in Zarr 2.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ArrayDocument {
    /// The format that the document was found in.
    pub format: Format,
    /// All members as they are written.
    pub members: Map<String, Value>,
}

/// How an array is cut into pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Storage {
    /// Shape of what is stored as one object.
    pub stored: Vec<u64>,
    /// Shape of the chunks inside, where an object is a shard of several.
    pub inner: Option<Vec<u64>>,
}

/// A codec as a document names it.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct DeclaredCodec<'a> {
    /// Name in Zarr 3, `id` in Zarr 2.
    pub name: &'a str,
    /// Its parameters.
    pub configuration: Option<&'a Map<String, Value>>,
}

impl ArrayDocument {
    /// Reads a document.
    ///
    /// # Errors
    ///
    /// When the bytes are not a JSON object.
    pub fn parse(format: impl Into<Format>, bytes: &[u8]) -> Result<Self, serde_json::Error> {
        Ok(Self::of(format, serde_json::from_slice(bytes)?))
    }

    /// A document that has been parsed.
    pub fn of(format: impl Into<Format>, members: Map<String, Value>) -> Self {
        Self { format: format.into(), members }
    }

    /// Number of samples per dimension.
    pub fn shape(&self) -> Option<Vec<u64>> {
        integers(self.members.get("shape"))
    }

    /// The data type as it is declared: a name, or an object of an extension.
    pub fn data_type(&self) -> Option<&Value> {
        self.members.get(match self.format {
            Format::V2 => "dtype",
            Format::V3 => "data_type",
        })
    }

    /// Names of the dimensions, which only Zarr 3 has; a dimension may be without one.
    pub fn dimension_names(&self) -> Option<Vec<Option<String>>> {
        let names = self.members.get("dimension_names")?.as_array()?;
        let name = |name: &Value| match name {
            Value::Null => Some(None),
            name => Some(Some(name.as_str()?.to_owned())),
        };
        names.iter().map(name).collect()
    }

    /// Chunks, or shards and the chunks inside.
    pub fn storage(&self) -> Storage {
        if self.format == Format::V2 {
            return Storage { stored: integers(self.members.get("chunks")).unwrap_or_default(), inner: None };
        }
        let grid = self.members.get("chunk_grid").and_then(|grid| grid.pointer("/configuration/chunk_shape"));
        let inner = self.sharding().and_then(|sharding| integers(sharding.get("chunk_shape")));
        Storage { stored: integers(grid).unwrap_or_default(), inner }
    }

    /// The codecs from samples to bytes on disk in their order: those of the chunks inside, where there are shards.
    pub fn codecs(&self) -> Vec<DeclaredCodec<'_>> {
        if self.format == Format::V2 {
            let filters = self.members.get("filters").and_then(Value::as_array).into_iter().flatten();
            let compressor = self.members.get("compressor").into_iter();
            return filters.chain(compressor).filter_map(DeclaredCodec::of_v2).collect();
        }
        let codecs = match self.sharding() {
            Some(sharding) => sharding.get("codecs"),
            None => self.members.get("codecs"),
        };
        codecs.and_then(Value::as_array).into_iter().flatten().filter_map(DeclaredCodec::of_v3).collect()
    }

    /// Configuration of the sharding codec.
    pub(crate) fn sharding(&self) -> Option<&Map<String, Value>> {
        let codecs = self.members.get("codecs")?.as_array()?;
        let sharding =
            codecs.iter().filter_map(DeclaredCodec::of_v3).find(|codec| codec.name == "sharding_indexed");
        sharding?.configuration
    }
}

impl<'a> DeclaredCodec<'a> {
    fn of_v2(value: &'a Value) -> Option<Self> {
        let configuration = value.as_object()?;
        Some(Self { name: configuration.get("id")?.as_str()?, configuration: Some(configuration) })
    }

    /// Zarr 3 allows a codec without parameters to be its bare name.
    fn of_v3(value: &'a Value) -> Option<Self> {
        if let Some(name) = value.as_str() {
            return Some(Self { name, configuration: None });
        }
        let codec = value.as_object()?;
        Some(Self {
            name: codec.get("name")?.as_str()?,
            configuration: codec.get("configuration").and_then(Value::as_object),
        })
    }
}

/// A list of non-negative integers; `None` where it is anything else.
pub(crate) fn integers(value: Option<&Value>) -> Option<Vec<u64>> {
    value?.as_array()?.iter().map(Value::as_u64).collect()
}
