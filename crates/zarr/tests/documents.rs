//! The Zarr documents, member by member.
#![allow(clippy::unwrap_used, clippy::panic)]

use fairzarr_zarr::{
    ArrayDocument, ArraySpec, BloscCompressor, Codecs, Compressor, Document, Endian, Error, FillValue,
    Format, SampleType, Shuffle, array_document, chunk_key, group_document,
};
use serde_json::{Map, Value, json};

fn spec() -> ArraySpec {
    let mut spec = ArraySpec::new([3, 100, 70], SampleType::Uint16, [1, 32, 32]);
    spec.codecs = Codecs::new(Compressor::Blosc {
        cname: BloscCompressor::Lz4,
        clevel: 5,
        shuffle: Shuffle::Byte,
        typesize: None,
        blocksize: 0,
    });
    spec.dimension_names = ["c", "y", "x"].map(String::from).into();
    spec
}

fn changed(change: impl FnOnce(&mut ArraySpec)) -> ArraySpec {
    let mut spec = spec();
    change(&mut spec);
    spec
}

fn documents(format: Format, spec: &ArraySpec) -> Vec<(&'static str, Value)> {
    let documents = array_document(format, spec).unwrap();
    let parsed = |document: Document| (document.name, serde_json::from_slice(&document.bytes).unwrap());
    documents.into_iter().map(parsed).collect()
}

#[test]
fn zarr_2() {
    let expected = json!({
        "zarr_format": 2, "shape": [3, 100, 70], "chunks": [1, 32, 32], "dtype": "<u2", "fill_value": 0,
        "compressor": {"id": "blosc", "cname": "lz4", "clevel": 5, "shuffle": 1, "blocksize": 0},
        "order": "C", "filters": null, "dimension_separator": "/",
    });
    let names = json!({"_ARRAY_DIMENSIONS": ["c", "y", "x"]});
    assert_eq!(documents(Format::V2, &spec()), [(".zarray", expected), (".zattrs", names)]);
}

#[test]
fn zarr_3_with_shards() {
    let mut spec = spec();
    spec.shards = Some(vec![3, 128, 64]);
    spec.codecs.crc32c = true;
    let [(name, document)] = &documents(Format::V3, &spec)[..] else { panic!("one document expected") };
    assert_eq!(*name, "zarr.json");
    assert_eq!(document["chunk_grid"]["configuration"]["chunk_shape"], json!([3, 128, 64]));
    assert_eq!(document["dimension_names"], json!(["c", "y", "x"]));
    let sharding = &document["codecs"][0]["configuration"];
    assert_eq!(sharding["chunk_shape"], json!([1, 32, 32]));
    assert_eq!(
        sharding["codecs"],
        json!([
            {"name": "bytes", "configuration": {"endian": "little"}},
            {"name": "blosc", "configuration":
                {"typesize": 2, "cname": "lz4", "clevel": 5, "shuffle": "shuffle", "blocksize": 0}},
            {"name": "crc32c"},
        ])
    );
    assert_eq!(sharding["index_location"], "end");
    assert_eq!(sharding["index_codecs"][1], json!({"name": "crc32c"}));
}

#[test]
fn compressors() {
    let cases = [
        (Compressor::None, Value::Null, None),
        (
            Compressor::Zstd { level: 3, checksum: true },
            json!({"id": "zstd", "level": 3, "checksum": true}),
            Some(json!({"name": "zstd", "configuration": {"level": 3, "checksum": true}})),
        ),
        (
            Compressor::Gzip { level: 6 },
            json!({"id": "gzip", "level": 6}),
            Some(json!({"name": "gzip", "configuration": {"level": 6}})),
        ),
    ];
    for (compressor, v2, v3) in cases {
        let spec = changed(|spec| spec.codecs = Codecs::new(compressor));
        assert_eq!(documents(Format::V2, &spec)[0].1["compressor"], v2);
        assert_eq!(documents(Format::V3, &spec)[0].1["codecs"].get(1).cloned(), v3);
    }
}

#[test]
fn byte_order_is_a_codec_or_part_of_the_type() {
    for (data_type, dtype) in
        [(SampleType::Uint16, ">u2"), (SampleType::ComplexFloat, ">c8"), (SampleType::Uint8, "|u1")]
    {
        let spec = changed(|spec| {
            spec.codecs.endian = Endian::Big;
            spec.data_type = data_type;
        });
        assert_eq!(documents(Format::V2, &spec)[0].1["dtype"], dtype);
        let bytes = json!({"name": "bytes", "configuration": {"endian": "big"}});
        assert_eq!(documents(Format::V3, &spec)[0].1["codecs"][0], bytes);
    }
}

#[test]
fn data_types_and_fill_values() {
    let cases = [
        (SampleType::Bit, json!(1), "|b1", json!(true)),
        (SampleType::Int8, json!(-128), "|i1", json!(-128)),
        (SampleType::Uint64, json!(u64::MAX), "<u8", json!(u64::MAX)),
        (SampleType::Float, json!(0), "<f4", json!(0.0)),
        (SampleType::ComplexFloat, json!(0), "<c8", json!([0.0, 0.0])),
    ];
    for (data_type, fill, dtype, written) in cases {
        let Value::Number(fill_value) = fill else { panic!("a number expected") };
        let spec = changed(|spec| {
            spec.data_type = data_type;
            spec.fill_value = fill_value.into();
        });
        let v2 = &documents(Format::V2, &spec)[0].1;
        assert_eq!((&v2["dtype"], &v2["fill_value"]), (&json!(dtype), &written));
        let v3 = &documents(Format::V3, &spec)[0].1;
        assert_eq!((&v3["data_type"], &v3["fill_value"]), (&json!(data_type.zarr_v3()), &written));
        assert_eq!(SampleType::from_zarr_v3(data_type.zarr_v3()), Some(data_type));
        assert_eq!(SampleType::from_zarr_v2(dtype), Some(data_type));
        assert_eq!(SampleType::from_zarr_v2(&dtype.replace('<', ">")), Some(data_type));
    }
    let nan = changed(|spec| {
        spec.data_type = SampleType::Double;
        spec.fill_value = FillValue::Nan;
    });
    for format in [Format::V2, Format::V3] {
        assert_eq!(documents(format, &nan)[0].1["fill_value"], json!("NaN"));
    }
    assert_eq!(SampleType::Int16.range(), Some((-32768.0, 32767.0)));
    assert_eq!(SampleType::Uint32.range(), Some((0.0, 4_294_967_295.0)));
}

#[test]
fn what_contradicts_itself_is_refused() {
    let refused = |format: Format, change: &dyn Fn(&mut ArraySpec)| {
        array_document(format, &changed(change)).unwrap_err()
    };
    assert!(matches!(
        refused(Format::V3, &|spec| spec.chunks.truncate(2)),
        Error::Dimensions { member: "chunks", found: 2, expected: 3 }
    ));
    assert!(matches!(refused(Format::V3, &|spec| spec.chunks[1] = 0), Error::EmptyChunk { .. }));
    assert!(matches!(
        refused(Format::V3, &|spec| spec.shards = Some(vec![1, 48, 32])),
        Error::UnevenShard { .. }
    ));
    assert!(matches!(
        refused(Format::V2, &|spec| spec.shards = Some(vec![1, 64, 32])),
        Error::NotInFormat { feature: "sharding", zarr_format: 2 }
    ));
    assert!(matches!(refused(Format::V2, &|spec| spec.codecs.crc32c = true), Error::NotInFormat { .. }));
    assert!(matches!(
        refused(Format::V3, &|spec| spec.codecs.compressor = Compressor::Zlib { level: 1 }),
        Error::NotInFormat { zarr_format: 3, .. }
    ));
    assert!(matches!(
        refused(Format::V3, &|spec| spec.codecs.compressor = Compressor::Gzip { level: 10 }),
        Error::CodecParameter { found: 10, .. }
    ));
    assert!(matches!(refused(Format::V3, &|spec| spec.fill_value = 65_536.into()), Error::FillValue { .. }));
    assert!(matches!(refused(Format::V3, &|spec| spec.fill_value = FillValue::Nan), Error::FillValue { .. }));
}

#[test]
fn groups() {
    let plain = group_document(Format::V2, Map::new());
    assert_eq!(plain, [Document { name: ".zgroup", bytes: b"{\n  \"zarr_format\": 2\n}".to_vec() }]);
    let attributes = Map::from_iter([("ome".to_owned(), json!({"version": "0.6"}))]);
    let group = group_document(Format::V3, attributes);
    let document: Value = serde_json::from_slice(&group[0].bytes).unwrap();
    assert_eq!(
        document,
        json!({"zarr_format": 3, "node_type": "group", "attributes": {"ome": {"version": "0.6"}}})
    );
}

#[test]
fn chunk_keys() {
    assert_eq!(chunk_key(Format::V3, "0", &[0, 0, 1, 2, 3]), "0/c/0/0/1/2/3");
    assert_eq!(chunk_key(Format::V2, "A/1/0/0", &[0, 12, 3]), "A/1/0/0/0/12/3");
    assert_eq!(chunk_key(Format::V3, "", &[]), "c");
    assert_eq!(chunk_key(Format::V2, "0", &[]), "0/0");
}

/// What is written is read back, also by a reader that judges nothing.
#[test]
fn documents_are_read_back() {
    let sharded = changed(|spec| spec.shards = Some(vec![3, 64, 64]));
    for (format, spec, stored, inner) in [
        (Format::V2, spec(), vec![1, 32, 32], None),
        (Format::V3, spec(), vec![1, 32, 32], None),
        (Format::V3, sharded, vec![3, 64, 64], Some(vec![1, 32, 32])),
    ] {
        let documents = array_document(format, &spec).unwrap();
        let read = ArrayDocument::parse(format, &documents[0].bytes).unwrap();
        assert_eq!(read.shape(), Some(vec![3, 100, 70]));
        assert_eq!((read.storage().stored, read.storage().inner), (stored, inner));
        assert!(read.codecs().iter().any(|codec| codec.name == "blosc"));
        assert_eq!(read.dimension_names().is_some(), format == Format::V3);
    }
    assert!(ArrayDocument::parse(Format::V3, b"[]").is_err());
    let broken = ArrayDocument::parse(Format::V3, br#"{"shape": "x", "codecs": [7, {}]}"#).unwrap();
    assert_eq!((broken.shape(), broken.codecs().len(), broken.data_type()), (None, 0, None));
}
