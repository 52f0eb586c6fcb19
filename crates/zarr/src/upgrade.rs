//! Arrays of Zarr 2 declared in Zarr 3, so that their chunks can stay as they are wherever Zarr 3 has a way to say what they are.

use serde_json::{Map, Value, json};

use crate::{ArrayDocument, ChunkKeys, Compressor, Format, SampleType};

/// An array of Zarr 2 as Zarr 3 declares it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct UpgradedArray {
    /// The members of its `zarr.json`.
    pub members: Map<String, Value>,
    /// How its chunks are named in Zarr 2; in Zarr 3 they lie below `c/`.
    pub keys: ChunkKeys,
    /// How chunks have to be encoded again; they are moved as they are where there is nothing here.
    pub recoded: Option<Recoded>,
}

/// What chunks that are encoded again become: little-endian samples in C order.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Recoded {
    /// Type of a sample.
    pub data_type: SampleType,
    /// Their compression.
    pub compressor: Compressor,
}

impl ArrayDocument {
    /// Declares an array of Zarr 2 in Zarr 3; `attributes` are its own. `names` of the dimensions are those of an image's axes; where
    /// there are none, those that xarray finds.
    ///
    /// # Errors
    /// What of it Zarr 3 has no word for.
    pub fn upgraded(
        &self,
        attributes: &Map<String, Value>,
        names: Option<&[String]>,
    ) -> Result<UpgradedArray, String> {
        let member = |name: &str| self.members.get(name).unwrap_or(&Value::Null);
        if self.format != Format::V2 {
            return Err("the array is not of Zarr 2".into());
        }
        let shape = self.shape().ok_or("its shape is no list of numbers")?;
        let keys = self.chunk_keys().ok_or("its chunks do not fit its shape")?;
        let dtype = member("dtype").as_str();
        let data_type = dtype.and_then(SampleType::from_zarr_v2);
        let (Some(dtype), Some(data_type)) = (dtype, data_type) else {
            return Err(format!("Zarr 3 has no data type {}", member("dtype")));
        };
        let filtered = member("filters").as_array().is_some_and(|filters| !filters.is_empty());
        let moved = compressor(member("compressor"), data_type).filter(|_| !filtered);
        let recoded = moved.is_none().then(|| {
            let compressor = match member("compressor")["id"].as_str() {
                Some("zlib") => Compressor::Gzip { level: level(member("compressor"), "level", 6) },
                _ => Compressor::Zstd { level: 3, checksum: true },
            };
            Recoded { data_type, compressor }
        });
        let compressor =
            moved.or(recoded.as_ref().map(|recoded| recoded.compressor)).unwrap_or(Compressor::None);
        let big = dtype.starts_with('>') && recoded.is_none();
        let mut codecs =
            vec![json!({"name": "bytes", "configuration": {"endian": if big { "big" } else { "little" }}})];
        if member("order") == "F" && recoded.is_none() {
            let order: Vec<usize> = (0..shape.len()).rev().collect();
            codecs.insert(0, json!({"name": "transpose", "configuration": {"order": order}}));
        }
        codecs.extend(compressor.to_v3(data_type));
        let mut attributes = attributes.clone();
        let of_xarray = attributes.get(DIMENSIONS).and_then(Value::as_array).and_then(|names| {
            names.iter().map(|name| name.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        });
        let names = names.map(<[String]>::to_vec).or(of_xarray).filter(|names| names.len() == shape.len());
        if names.is_some() {
            attributes.shift_remove(DIMENSIONS);
        }
        let mut members = Map::from_iter([
            ("zarr_format".to_owned(), json!(3)),
            ("node_type".into(), json!("array")),
            ("shape".into(), json!(shape)),
            ("data_type".into(), json!(data_type.zarr_v3())),
            (
                "chunk_grid".into(),
                json!({"name": "regular", "configuration": {"chunk_shape": member("chunks")}}),
            ),
            ("chunk_key_encoding".into(), json!({"name": "default", "configuration": {"separator": "/"}})),
            ("fill_value".into(), fill_value(member("fill_value"), data_type)?),
            ("codecs".into(), codecs.into()),
            ("attributes".into(), attributes.into()),
        ]);
        if let Some(names) = names {
            members.insert("dimension_names".into(), json!(names));
        }
        Ok(UpgradedArray { members, keys, recoded })
    }
}

impl UpgradedArray {
    /// The key of a chunk in Zarr 3, relative to the array, by that in Zarr 2; `None` where that is the key of no chunk.
    pub fn key(&self, of_v2: &str) -> Option<String> {
        let index = self.keys.index(of_v2)?;
        Some(index.iter().fold("c".to_owned(), |key, n| format!("{key}/{n}")))
    }
}

/// A compressor whose chunks Zarr 3 reads as they are; `None` of others.
fn compressor(declared: &Value, data_type: SampleType) -> Option<Compressor> {
    use crate::{BloscCompressor as Inner, Shuffle};
    if declared.is_null() {
        return Some(Compressor::None);
    }
    Some(match declared["id"].as_str()? {
        "blosc" => {
            let named = declared["cname"].as_str().unwrap_or("lz4");
            let all = [Inner::Lz4, Inner::Lz4hc, Inner::Blosclz, Inner::Snappy, Inner::Zlib, Inner::Zstd];
            Compressor::Blosc {
                cname: all.into_iter().find(|inner| inner.name() == named)?,
                clevel: level(declared, "clevel", 5),
                shuffle: match declared["shuffle"].as_i64().unwrap_or(1) {
                    0 => Shuffle::None,
                    2 => Shuffle::Bit,
                    // Automatic: bits of single bytes, bytes of what is larger.
                    -1 if data_type.bytes() == 1 => Shuffle::Bit,
                    _ => Shuffle::Byte,
                },
                typesize: None,
                blocksize: declared["blocksize"].as_u64().and_then(|size| size.try_into().ok()).unwrap_or(0),
            }
        }
        "zstd" => Compressor::Zstd {
            level: declared["level"].as_i64().and_then(|level| level.try_into().ok()).unwrap_or(1),
            checksum: declared["checksum"] == true,
        },
        "gzip" => Compressor::Gzip { level: level(declared, "level", 1) },
        _ => return None,
    })
}

fn level(declared: &Value, member: &str, default: u8) -> u8 {
    declared[member]
        .as_u64()
        .and_then(|level| level.try_into().ok())
        .filter(|level| *level <= 9)
        .unwrap_or(default)
}

/// The value of missing samples; Zarr 2 may leave it open, Zarr 3 has to have one.
fn fill_value(value: &Value, data_type: SampleType) -> Result<Value, String> {
    let refused = || format!("the fill value {value} is none of {}", data_type.zarr_v3());
    let is_float = |value: &Value| {
        value.is_number()
            || value.as_str().is_some_and(|text| ["NaN", "Infinity", "-Infinity"].contains(&text))
    };
    match data_type {
        SampleType::Bit => match value {
            Value::Null => Ok(json!(false)),
            Value::Bool(_) => Ok(value.clone()),
            other => match other.as_f64() {
                Some(0.0) => Ok(json!(false)),
                Some(1.0) => Ok(json!(true)),
                _ => Err(refused()),
            },
        },
        SampleType::ComplexFloat | SampleType::ComplexDouble => match value {
            Value::Null => Ok(json!([0.0, 0.0])),
            Value::Array(parts) if parts.len() == 2 && parts.iter().all(is_float) => Ok(value.clone()),
            other if is_float(other) => Ok(json!([other, 0.0])),
            _ => Err(refused()),
        },
        _ if value.is_null() => Ok(json!(0)),
        SampleType::Float16 | SampleType::Float | SampleType::Double => {
            if is_float(value) {
                Ok(value.clone())
            } else {
                Err(refused())
            }
        }
        _ => match (value.as_i64(), value.as_u64(), value.as_f64()) {
            (Some(_), ..) | (_, Some(_), _) => Ok(value.clone()),
            (.., Some(whole)) if whole.fract() == 0.0 && whole.abs() < 9e15 => Ok(json!(whole as i64)),
            _ => Err(refused()),
        },
    }
}

/// Where xarray looks for the names of dimensions in Zarr 2.
const DIMENSIONS: &str = "_ARRAY_DIMENSIONS";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Node, Severity, judge};

    fn array(members: &Value) -> ArrayDocument {
        let mut all = json!({
            "zarr_format": 2, "shape": [5, 7], "chunks": [2, 4], "dtype": "<u2", "compressor": null,
            "fill_value": 0, "order": "C", "filters": null, "dimension_separator": "/",
        });
        for (name, value) in members.as_object().unwrap() {
            all[name] = value.clone();
        }
        ArrayDocument::of(Format::V2, all.as_object().cloned().unwrap())
    }

    #[test]
    fn every_declaration_is_a_valid_one_of_zarr_3() {
        for (members, codecs, recoded) in [
            (json!({}), &["bytes"][..], false),
            (json!({"dtype": ">f4", "fill_value": "NaN"}), &["bytes"], false),
            (json!({"dtype": "|b1", "fill_value": 0}), &["bytes"], false),
            (json!({"dtype": "<c8", "fill_value": null}), &["bytes"], false),
            (json!({"order": "F"}), &["transpose", "bytes"], false),
            (
                json!({"compressor": {"id": "blosc", "cname": "zstd", "clevel": 5, "shuffle": -1}}),
                &["bytes", "blosc"],
                false,
            ),
            (json!({"compressor": {"id": "zstd", "level": 3}}), &["bytes", "zstd"], false),
            (json!({"compressor": {"id": "gzip", "level": 1}}), &["bytes", "gzip"], false),
            (json!({"compressor": {"id": "zlib", "level": 1}}), &["bytes", "gzip"], true),
            (json!({"compressor": {"id": "lz4"}, "dtype": ">i2", "order": "F"}), &["bytes", "zstd"], true),
            (json!({"filters": [{"id": "delta"}]}), &["bytes", "zstd"], true),
        ] {
            let upgraded = array(&members).upgraded(&Map::new(), None).unwrap();
            let findings = judge(Format::V3, Node::Array, &upgraded.members);
            assert!(
                findings.iter().all(|finding| finding.severity != Severity::Must),
                "{members}: {findings:?}"
            );
            let names: Vec<&str> = upgraded.members["codecs"]
                .as_array()
                .unwrap()
                .iter()
                .map(|codec| codec["name"].as_str().unwrap())
                .collect();
            assert_eq!((names.as_slice(), upgraded.recoded.is_some()), (codecs, recoded), "{members}");
        }
    }

    #[test]
    fn names_of_dimensions_are_those_of_the_axes_or_of_xarray() {
        let attributes = json!({"_ARRAY_DIMENSIONS": ["a", "b"], "mine": 1});
        let attributes = attributes.as_object().unwrap();
        let names = |names: Option<&[String]>| {
            let members = array(&json!({})).upgraded(attributes, names).unwrap().members;
            (members["dimension_names"].clone(), members["attributes"].clone())
        };
        assert_eq!(names(None), (json!(["a", "b"]), json!({"mine": 1})));
        let axes = ["y".to_owned(), "x".to_owned()];
        assert_eq!(names(Some(&axes)).0, json!(["y", "x"]));
    }

    #[test]
    fn chunks_are_found_by_either_separator() {
        let slash = array(&json!({})).upgraded(&Map::new(), None).unwrap();
        assert_eq!(slash.key("2/1").as_deref(), Some("c/2/1"));
        assert_eq!((slash.key("2.1"), slash.key("3/0"), slash.key("notes.txt")), (None, None, None));
        let dot = array(&json!({"dimension_separator": "."})).upgraded(&Map::new(), None).unwrap();
        assert_eq!(dot.key("2.1").as_deref(), Some("c/2/1"));
        let point = array(&json!({"shape": [], "chunks": []})).upgraded(&Map::new(), None).unwrap();
        assert_eq!(point.key("0").as_deref(), Some("c"));
    }

    #[test]
    fn what_zarr_3_has_no_word_for_is_refused() {
        for members in [
            json!({"dtype": "<U8"}),
            json!({"dtype": [["a", "<u2"]]}),
            json!({"fill_value": "x"}),
            json!({"chunks": [0, 1]}),
        ] {
            assert!(array(&members).upgraded(&Map::new(), None).is_err(), "{members}");
        }
    }
}
