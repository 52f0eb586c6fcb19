//! Writes an OME-Zarr that has all its metadata and no chunks, so that every sample has the fill value.
//!
//! `cargo run -p fairzarr-ngff --example empty_store -- image 0.5 /tmp/empty.ome.zarr`
//!
//! The first argument is `image`, `sharded`, `collection` (bioformats2raw layout) or `plate`.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use fairzarr_ngff::{
    Acquisition, Axis, AxisKind, Dataset, Document, Downscaling, Multiscale, Omero, OmeroChannel, Plate,
    PlateWell, Version, Well, WellImage, Window, bioformats2raw_attributes, group_document, image_attributes,
    merge, plain_attributes, series_attributes,
};
use fairzarr_zarr::{ArraySpec, BloscCompressor, Codecs, Compressor, SampleType, Shuffle, array_document};

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
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    let mut plate =
        Plate::new(names(&["A", "B"]), names(&["1", "2", "3"]), vec![PlateWell { row: 1, column: 2 }]);
    plate.name = Some("plate".into());
    plate.field_count = Some(1);
    let mut acquisition = Acquisition::new(0);
    acquisition.name = Some("first".into());
    acquisition.maximum_field_count = Some(1);
    plate.acquisitions = vec![acquisition];
    let mut attributes = bioformats2raw_attributes(version);
    merge(&mut attributes, plate.attributes(version));
    write(root, group_document(version, attributes))?;
    write(&root.join("B"), group_document(version, plain_attributes(version)))?;
    let well = Well::new(vec![WellImage::new("0", Some(0))]);
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
        let mut dataset = Dataset::new(level.to_string(), vec![1.5, 1.0, 0.5, 0.1 * factor, 0.1 * factor]);
        dataset.translation = (level > 0).then(|| vec![0.0, 0.0, 0.0, shift, shift]);
        dataset
    };
    let mut multiscale = Multiscale::new(axes, (0..2).map(dataset).collect());
    multiscale.name = Some("empty".into());
    multiscale.downscaling = Some(Downscaling::new("mean"));
    let channel = |label: &str, color| OmeroChannel::new(label, color, Window::full(0.0, 65535.0));
    let mut omero = Omero::new(vec![channel("DAPI", [0, 0, 255]), channel("GFP", [0, 255, 0])]);
    omero.name = Some("empty".into());
    write(root, group_document(version, image_attributes(version, &multiscale, Some(&omero))))?;
    for level in 0..2_u64 {
        let compressor = Compressor::Blosc {
            cname: BloscCompressor::Zstd,
            clevel: 1,
            shuffle: Shuffle::Bit,
            typesize: None,
            blocksize: 0,
        };
        let mut spec =
            ArraySpec::new([2, 2, 3, 256 >> level, 300 >> level], SampleType::Uint16, [1, 1, 1, 64, 64]);
        spec.shards = sharded.then(|| vec![1, 1, 3, 128, 128]);
        spec.codecs = Codecs::new(compressor);
        spec.codecs.crc32c = version > Version::V04;
        spec.dimension_names = multiscale.axes.iter().map(|axis| axis.name.clone()).collect();
        // Not 0, so that viewers show something.
        spec.fill_value = 20_000.into();
        write(&root.join(level.to_string()), array_document(version, &spec)?)?;
    }
    Ok(())
}

fn write(node: &Path, documents: Vec<Document>) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(node)?;
    for document in documents {
        fs::write(node.join(document.name), document.bytes)?;
    }
    Ok(())
}
