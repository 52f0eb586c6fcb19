//! Writes an OME-Zarr that has all its metadata and no chunks, so that every sample has the fill value.
//!
//! `cargo run -p fairzarr-ngff --example empty_store -- image 0.5 /tmp/empty.ome.zarr`
//!
//! The first argument is `image`, `sharded`, `collection` (bioformats2raw layout) or `plate`.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use fairzarr_ngff::{
    Acquisition, ArraySpec, Axis, AxisKind, BloscCompressor, Codecs, Compressor, DataType, Dataset, Document,
    Downscaling, Multiscale, Omero, OmeroChannel, Plate, PlateWell, Shuffle, Version, Well, WellImage,
    Window, array_document, bioformats2raw_attributes, group_document, image_attributes, merge,
    plain_attributes, series_attributes,
};
use serde_json::Map;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [layout, version, root] = arguments.as_slice() else {
        return Err("expected a layout, a version and a path".into());
    };
    let (version, root): (Version, _) = (version.parse()?, Path::new(root));
    match layout.as_str() {
        "image" => image(version, root, false),
        "sharded" => image(version, root, true),
        "collection" => collection(version, root),
        "plate" => plate(version, root),
        other => Err(format!("{other} is not a layout").into()),
    }
}

fn collection(version: Version, root: &Path) -> Result<(), Box<dyn Error>> {
    write(root, group_document(version, bioformats2raw_attributes(version)))?;
    let paths = ["0".to_owned(), "1".to_owned()];
    write(&root.join("OME"), group_document(version, series_attributes(version, &paths)))?;
    paths.iter().try_for_each(|path| image(version, &root.join(path), false))
}

fn plate(version: Version, root: &Path) -> Result<(), Box<dyn Error>> {
    let plate = Plate {
        name: Some("plate".into()),
        rows: vec!["A".into(), "B".into()],
        columns: vec!["1".into(), "2".into(), "3".into()],
        wells: vec![PlateWell { row: 1, column: 2 }],
        acquisitions: vec![Acquisition {
            name: Some("first".into()),
            maximum_field_count: Some(1),
            ..Acquisition::default()
        }],
        field_count: Some(1),
    };
    let mut attributes = bioformats2raw_attributes(version);
    merge(&mut attributes, plate.attributes(version));
    write(root, group_document(version, attributes))?;
    write(&root.join("B"), group_document(version, plain_attributes(version)))?;
    let well = Well { images: vec![WellImage { path: "0".into(), acquisition: Some(0) }] };
    write(&root.join("B/3"), group_document(version, well.attributes(version)))?;
    image(version, &root.join("B/3/0"), false)
}

fn image(version: Version, root: &Path, sharded: bool) -> Result<(), Box<dyn Error>> {
    let axes = vec![
        Axis::new("t", AxisKind::Time).with_unit("second"),
        Axis::new("c", AxisKind::Channel),
        Axis::new("z", AxisKind::Space).with_unit("micrometer"),
        Axis::new("y", AxisKind::Space).with_unit("micrometer"),
        Axis::new("x", AxisKind::Space).with_unit("micrometer"),
    ];
    let dataset = |level: u32| {
        let factor = f64::from(1 << level);
        let shift = 0.1 * (factor - 1.0) / 2.0;
        Dataset {
            path: level.to_string(),
            scale: vec![1.5, 1.0, 0.5, 0.1 * factor, 0.1 * factor],
            translation: (level > 0).then(|| vec![0.0, 0.0, 0.0, shift, shift]),
        }
    };
    let multiscale = Multiscale {
        name: Some("empty".into()),
        datasets: (0..2).map(dataset).collect(),
        downscaling: Some(Downscaling { method: "mean".into(), ..Downscaling::default() }),
        axes,
        ..Multiscale::default()
    };
    let channel = |label: &str, color| OmeroChannel {
        label: label.into(),
        color,
        window: Window::full(0.0, 65535.0),
        active: true,
        extra: Map::new(),
    };
    let omero = Omero {
        name: Some("empty".into()),
        channels: vec![channel("DAPI", [0, 0, 255]), channel("GFP", [0, 255, 0])],
        ..Omero::default()
    };
    write(root, group_document(version, image_attributes(version, &multiscale, Some(&omero))))?;
    for level in 0..2_u64 {
        let compressor = Compressor::Blosc {
            cname: BloscCompressor::Zstd,
            clevel: 1,
            shuffle: Shuffle::Bit,
            typesize: None,
            blocksize: 0,
        };
        let spec = ArraySpec {
            shape: vec![2, 2, 3, 256 >> level, 300 >> level],
            data_type: DataType::U16,
            chunks: vec![1, 1, 1, 64, 64],
            shards: sharded.then(|| vec![1, 1, 3, 128, 128]),
            codecs: Codecs { compressor, crc32c: version > Version::V04, ..Codecs::default() },
            dimension_names: multiscale.axes.iter().map(|axis| axis.name.clone()).collect(),
            // Not 0, so that viewers show something.
            fill_value: 20_000.into(),
            attributes: Map::new(),
        };
        write(&root.join(level.to_string()), array_document(version, &spec)?)?;
    }
    Ok(())
}

fn write(node: &Path, documents: Vec<Document>) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(node)?;
    for (name, bytes) in documents {
        fs::write(node.join(name), bytes)?;
    }
    Ok(())
}
