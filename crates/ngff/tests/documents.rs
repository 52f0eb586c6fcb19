//! The Zarr documents, member by member.
#![allow(clippy::unwrap_used, clippy::panic)]

use fairzarr_ngff::{
    ArraySpec, BloscCompressor, Codecs, Compressor, Endian, Error, FillValue, SampleType, Shuffle, Version,
    array_document, chunk_key, group_document, plain_attributes,
};
use serde_json::{Map, Value, json};

fn spec() -> ArraySpec {
    ArraySpec {
        shape: vec![3, 100, 70],
        data_type: SampleType::Uint16,
        chunks: vec![1, 32, 32],
        shards: None,
        codecs: Codecs {
            compressor: Compressor::Blosc {
                cname: BloscCompressor::Lz4,
                clevel: 5,
                shuffle: Shuffle::Byte,
                typesize: None,
                blocksize: 0,
            },
            ..Codecs::default()
        },
        dimension_names: ["c", "y", "x"].map(String::from).into(),
        fill_value: 0.into(),
        attributes: Map::new(),
    }
}

fn documents(version: Version, spec: &ArraySpec) -> Vec<(&'static str, Value)> {
    let documents = array_document(version, spec).unwrap();
    documents.into_iter().map(|(name, bytes)| (name, serde_json::from_slice(&bytes).unwrap())).collect()
}

#[test]
fn zarr_2() {
    let expected = json!({
        "zarr_format": 2, "shape": [3, 100, 70], "chunks": [1, 32, 32], "dtype": "<u2", "fill_value": 0,
        "compressor": {"id": "blosc", "cname": "lz4", "clevel": 5, "shuffle": 1, "blocksize": 0},
        "order": "C", "filters": null, "dimension_separator": "/",
    });
    let names = json!({"_ARRAY_DIMENSIONS": ["c", "y", "x"]});
    assert_eq!(documents(Version::V04, &spec()), [(".zarray", expected), (".zattrs", names)]);
}

#[test]
fn zarr_3_with_shards() {
    let mut spec = spec();
    spec.shards = Some(vec![3, 128, 64]);
    spec.codecs.crc32c = true;
    let [(name, document)] = &documents(Version::V05, &spec)[..] else { panic!("one document expected") };
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
        let spec = ArraySpec { codecs: Codecs { compressor, ..Codecs::default() }, ..spec() };
        assert_eq!(documents(Version::V04, &spec)[0].1["compressor"], v2);
        assert_eq!(documents(Version::V06, &spec)[0].1["codecs"].get(1).cloned(), v3);
    }
}

#[test]
fn byte_order_is_a_codec_or_part_of_the_type() {
    let codecs = Codecs { endian: Endian::Big, ..Codecs::default() };
    for (data_type, dtype) in
        [(SampleType::Uint16, ">u2"), (SampleType::ComplexFloat, ">c8"), (SampleType::Uint8, "|u1")]
    {
        let spec = ArraySpec { codecs, data_type, ..spec() };
        assert_eq!(documents(Version::V04, &spec)[0].1["dtype"], dtype);
        let bytes = json!({"name": "bytes", "configuration": {"endian": "big"}});
        assert_eq!(documents(Version::V05, &spec)[0].1["codecs"][0], bytes);
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
        let spec = ArraySpec { data_type, fill_value: fill_value.into(), ..spec() };
        let v2 = &documents(Version::V04, &spec)[0].1;
        assert_eq!((&v2["dtype"], &v2["fill_value"]), (&json!(dtype), &written));
        let v3 = &documents(Version::V05, &spec)[0].1;
        assert_eq!((&v3["data_type"], &v3["fill_value"]), (&json!(data_type.zarr_v3()), &written));
    }
    let nan = ArraySpec { data_type: SampleType::Double, fill_value: FillValue::Nan, ..spec() };
    for version in [Version::V04, Version::V05] {
        assert_eq!(documents(version, &nan)[0].1["fill_value"], json!("NaN"));
    }
}

#[test]
fn what_contradicts_itself_is_refused() {
    let refused = |version, change: &dyn Fn(&mut ArraySpec)| {
        let mut spec = spec();
        change(&mut spec);
        array_document(version, &spec).unwrap_err()
    };
    assert!(matches!(
        refused(Version::V05, &|spec| spec.chunks.truncate(2)),
        Error::Dimensions { member: "chunks", found: 2, expected: 3 }
    ));
    assert!(matches!(refused(Version::V05, &|spec| spec.chunks[1] = 0), Error::EmptyChunk { .. }));
    assert!(matches!(
        refused(Version::V05, &|spec| spec.shards = Some(vec![1, 48, 32])),
        Error::UnevenShard { .. }
    ));
    assert!(matches!(
        refused(Version::V04, &|spec| spec.shards = Some(vec![1, 64, 32])),
        Error::NotInFormat { feature: "sharding", zarr_format: 2 }
    ));
    assert!(matches!(refused(Version::V04, &|spec| spec.codecs.crc32c = true), Error::NotInFormat { .. }));
    assert!(matches!(
        refused(Version::V06, &|spec| spec.codecs.compressor = Compressor::Zlib { level: 1 }),
        Error::NotInFormat { zarr_format: 3, .. }
    ));
    assert!(matches!(
        refused(Version::V05, &|spec| spec.codecs.compressor = Compressor::Gzip { level: 10 }),
        Error::CodecParameter { found: 10, .. }
    ));
    assert!(matches!(
        refused(Version::V05, &|spec| spec.fill_value = 65_536.into()),
        Error::FillValue { .. }
    ));
    assert!(matches!(
        refused(Version::V05, &|spec| spec.fill_value = FillValue::Nan),
        Error::FillValue { .. }
    ));
}

#[test]
fn groups() {
    let plain = group_document(Version::V04, plain_attributes(Version::V04));
    assert_eq!(plain, [(".zgroup", b"{\n  \"zarr_format\": 2\n}".to_vec())]);
    let plain = group_document(Version::V06, plain_attributes(Version::V06));
    let document: Value = serde_json::from_slice(&plain[0].1).unwrap();
    assert_eq!(
        document,
        json!({"zarr_format": 3, "node_type": "group", "attributes": {"ome": {"version": "0.6"}}})
    );
}

#[test]
fn chunk_keys() {
    assert_eq!(chunk_key(Version::V05, "0", &[0, 0, 1, 2, 3]), "0/c/0/0/1/2/3");
    assert_eq!(chunk_key(Version::V04, "A/1/0/0", &[0, 12, 3]), "A/1/0/0/0/12/3");
    assert_eq!(chunk_key(Version::V06, "", &[]), "c");
    assert_eq!(chunk_key(Version::V04, "0", &[]), "0/0");
}
