//! `fairzarr inspect`: what is in an OME-TIFF or an OME-Zarr, in one screen.

use fairzarr_ome_tiff::{Fileset, Image, Kind, UnmappedPage};
use fairzarr_ome_xml::{Document, Quantity, Structured};
use fairzarr_ome_zarr::StoredImage;
use fairzarr_store::Store;
use fairzarr_zarr::{ArrayDocument, DeclaredCodec, Format};
use serde_json::{Map, Value, json};

use crate::args::Inspect;
use crate::exit::{Code, Failure};
use crate::print;
use crate::source::{self, Input};
use crate::telling;

/// Images that the text form lists; the JSON form has all.
const LISTED: usize = 20;

pub(crate) fn run(args: &Inspect) -> Result<Code, Failure> {
    let input = source::open(&args.path, &args.store)?;
    if args.metadata {
        let model = metadata(&args.path, &input)?;
        if telling::is_json() {
            return print::outcome("metadata", Code::Done, &args.path, json!({"metadata": model}));
        }
        print::json(&model)?;
        return Ok(Code::Done);
    }
    let found = match input {
        Input::Tiff(fileset) => tiff(&fileset),
        Input::Store(store) => zarr(&store, if telling::is_json() { usize::MAX } else { LISTED })
            .map_err(|failure| failure.about(&args.path))?,
    };
    if telling::is_json() {
        return print::outcome("inspection", Code::Done, &args.path, found);
    }
    print_text(&args.path, &found)?;
    Ok(Code::Done)
}

/// The OME model in one piece.
fn metadata(path: &str, input: &Input) -> Result<Value, Failure> {
    let structured = match input {
        Input::Tiff(fileset) => fileset.document().map(Structured::from_document),
        Input::Store(store) => fairzarr_ome_zarr::model::read(store)?,
    };
    let missing = || Failure::new(Code::Input, anyhow::anyhow!("{path} holds no OME model"));
    Ok(structured.ok_or_else(missing)?.to_json())
}

fn tiff(fileset: &Fileset) -> Value {
    let format = match fileset.kind() {
        Kind::OmeTiff => "OME-TIFF",
        Kind::ImageJ => "ImageJ TIFF",
        _ => "TIFF",
    };
    let documents: Vec<Value> = fileset
        .sources()
        .iter()
        .map(|source| json!({"name": source.name, "role": source.role, "bytes": source.bytes()}))
        .collect();
    json!({
        "format": format,
        "files": fileset.files().iter().map(|file| json!({"name": file.name, "bytes": file.len})).collect::<Vec<_>>(),
        "documents": documents,
        "schema": fileset.document().map(|document| document.schema().to_string()),
        "schema_changes": fileset.document().map(Document::changes).unwrap_or_default(),
        "unmapped": fileset.unmapped().iter().map(|page| unmapped(fileset, page)).collect::<Vec<_>>(),
        "images": fileset.images().iter().map(|image| tiff_image(fileset, image)).collect::<Vec<_>>(),
        "warnings": fileset.warnings().iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

/// A page that no image uses.
fn unmapped(fileset: &Fileset, page: &UnmappedPage) -> Value {
    json!({
        "file": fileset.files().get(page.file).map(|file| file.name.as_str()), "ifd": page.ifd,
        "sub_ifd": page.sub_ifd, "y": page.y, "x": page.x, "samples": page.samples,
        "type": page.sample_type.map(|sample_type| sample_type.name()), "photometric": page.photometric,
        "kind": page.kind.name(), "description": page.description, "reason": page.reason,
    })
}

fn tiff_image(fileset: &Fileset, image: &Image) -> Value {
    let shape = image.shape();
    let described = fileset.described(image);
    let pixels = described.pixels.as_ref();
    let quantity = |quantity: Option<&Quantity>| quantity.map(ToString::to_string);
    let channels: Vec<Value> =
        pixels.map(|pixels| pixels.channels.iter().map(|c| json!(c.name)).collect()).unwrap_or_default();
    let levels: Vec<Value> = image
        .levels()
        .iter()
        .map(|level| {
            json!({
                "y": level.y, "x": level.x,
                "storage": format!("{} {} x {}", if level.grid.tiled { "tiles" } else { "strips" }, level.grid.height, level.grid.width),
                "compression": level.compression.name(),
            })
        })
        .collect();
    json!({
        "name": image.name(),
        "t": shape.t, "c": shape.c, "z": shape.z, "y": shape.y, "x": shape.x,
        "type": image.sample_type().name(),
        "pixel_size": pixels.map(|p| json!({
            "x": quantity(p.physical_size_x.as_ref()), "y": quantity(p.physical_size_y.as_ref()),
            "z": quantity(p.physical_size_z.as_ref()), "t": quantity(p.time_increment.as_ref()),
        })),
        "channels": channels,
        "levels": levels,
    })
}

/// What is in a store; of its images not more than `most` are described.
fn zarr(store: &Store, most: usize) -> Result<Value, Failure> {
    let (images, count) = fairzarr_ome_zarr::first_images(store, most)?;
    let read = |error| Failure::new(Code::Input, error);
    let documents: Vec<Value> = match store.list_if_allowed(fairzarr_ome_zarr::keys::SOURCES).map_err(read)? {
        Some(found) => found.into_iter().map(|(key, bytes)| json!({"name": key, "bytes": bytes})).collect(),
        None => fairzarr_ome_zarr::sources(store)?
            .into_iter()
            .map(|document| json!({"name": document.key, "sha256": document.sha256}))
            .collect(),
    };
    let described = fairzarr_task::in_order(images.iter().collect(), store.at_once(), |image| {
        Ok::<_, fairzarr_ome_zarr::Error>(zarr_image(store, image))
    })?;
    Ok(json!({
        "format": format!("OME-Zarr {}", images.first().map_or_else(String::new, |image| image.version.to_string())),
        "documents": documents,
        "image_count": count,
        "images": described.into_iter().collect::<Result<Vec<Value>, Failure>>()?,
    }))
}

fn zarr_image(store: &Store, image: &StoredImage) -> Result<Value, Failure> {
    let mut levels = Vec::new();
    let mut first = Map::new();
    for level in 0..image.multiscale.datasets.len() {
        let Some(path) = image.array_path(level) else { continue };
        let array = array(store, &path)?;
        levels.push(json!({
            "path": path, "shape": array.get("shape"),
            "storage": array.get("storage"), "compression": array.get("compression"),
        }));
        if level == 0 {
            first = array;
        }
    }
    let axes: Vec<&str> = image.multiscale.axes.iter().map(|axis| axis.name.as_str()).collect();
    let mut described = Map::new();
    described.insert("path".into(), json!(image.path));
    described.insert("name".into(), json!(image.multiscale.name));
    for (axis, size) in axes.iter().zip(first.get("shape").and_then(Value::as_array).into_iter().flatten()) {
        described.insert((*axis).into(), size.clone());
    }
    described.insert("type".into(), first.get("type").cloned().unwrap_or_default());
    let mut pixel_size = Map::new();
    if let Some(dataset) = image.multiscale.datasets.first() {
        for (axis, scale) in image.multiscale.axes.iter().zip(&dataset.scale) {
            if let Some(unit) = &axis.unit {
                pixel_size.insert(axis.name.clone(), format!("{scale} {unit}").into());
            }
        }
    }
    described.insert("pixel_size".into(), pixel_size.into());
    let channels: Vec<&str> = image
        .omero
        .iter()
        .flat_map(|omero| omero.channels.iter().map(|channel| channel.label.as_str()))
        .collect();
    described.insert("channels".into(), json!(channels));
    described.insert("levels".into(), levels.into());
    Ok(described.into())
}

/// Shape, type, chunks and codecs of an array, from its metadata document.
fn array(store: &Store, path: &str) -> Result<Map<String, Value>, Failure> {
    let read = |error| Failure::new(Code::Input, error);
    let (document, format) = match store.probe(&format!("{path}/zarr.json")).map_err(read)? {
        Some(document) => (Some(document), Format::V3),
        None => (store.get(&format!("{path}/.zarray")).map_err(read)?, Format::V2),
    };
    let document = document
        .and_then(|bytes| ArrayDocument::parse(format, &bytes).ok())
        .ok_or_else(|| Failure::new(Code::Input, anyhow::anyhow!("array {path} has no readable metadata")))?;
    let sides = |sides: &[u64]| sides.iter().map(ToString::to_string).collect::<Vec<_>>().join(" x ");
    let storage = document.storage();
    let stored = sides(&storage.stored);
    let storage = match &storage.inner {
        Some(inner) => format!("shards {stored} of chunks {}", sides(inner)),
        None => format!("chunks {stored}"),
    };
    let codecs = document.codecs();
    let names: Vec<String> = codecs.iter().filter(|codec| codec.name != "bytes").map(codec_name).collect();
    let mut array = Map::new();
    array.insert("shape".into(), document.members.get("shape").cloned().unwrap_or_default());
    array.insert("type".into(), document.data_type().cloned().unwrap_or_default());
    array.insert("storage".into(), storage.into());
    array.insert(
        "compression".into(),
        if names.is_empty() { "none".into() } else { names.join(" + ").into() },
    );
    Ok(array)
}

/// `blosc zstd` and `zstd`, without the details.
fn codec_name(codec: &DeclaredCodec<'_>) -> String {
    let inner = codec.configuration.and_then(|configuration| configuration.get("cname")?.as_str());
    match inner {
        Some(inner) => format!("{} {inner}", codec.name),
        None => codec.name.into(),
    }
}

fn print_text(path: &str, found: &Value) -> Result<(), Failure> {
    let text = |value: Option<&Value>| match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => "-".into(),
        Some(other) => other.to_string(),
    };
    print::result(format_args!("{path}: {}", text(found.get("format"))))?;
    let list = |key: &str| found.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    for file in list("files") {
        print::result(format_args!(
            "  file      {} ({} bytes)",
            text(file.get("name")),
            text(file.get("bytes"))
        ))?;
    }
    for document in list("documents") {
        let role = document.get("role").map_or(String::new(), |role| format!(", {}", text(Some(role))));
        let size = document.get("bytes").map_or("size unknown".into(), |bytes| format!("{bytes} bytes"));
        print::result(format_args!("  document  {} ({size}{role})", text(document.get("name"))))?;
    }
    if let Some(Value::String(schema)) = found.get("schema") {
        print::result(format_args!("  schema    {schema}"))?;
    }
    for change in list("schema_changes") {
        let (what, count) = (text(change.get("what")), text(change.get("count")));
        print::result(format_args!("    to 2016-06  {what} ({count})"))?;
    }
    let images = list("images");
    for (n, image) in images.iter().enumerate().take(LISTED) {
        let sizes: Vec<String> = ["t", "c", "z", "y", "x"]
            .iter()
            .filter_map(|axis| image.get(axis).map(|size| format!("{axis}={size}")))
            .collect();
        print::result(format_args!(
            "  image {n}   {}: {} {}",
            text(image.get("name")),
            sizes.join(" "),
            text(image.get("type"))
        ))?;
        let sizes: Vec<String> = image
            .get("pixel_size")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .filter(|(_, size)| !size.is_null())
            .map(|(axis, size)| format!("{axis} {}", text(Some(size))))
            .collect();
        if !sizes.is_empty() {
            print::result(format_args!("    pixel size  {}", sizes.join(", ")))?;
        }
        let channels = image.get("channels").and_then(Value::as_array).cloned().unwrap_or_default();
        if channels.iter().any(|channel| !channel.is_null()) {
            let names: Vec<String> = channels.iter().map(|channel| text(Some(channel))).collect();
            print::result(format_args!("    channels    {}", names.join(", ")))?;
        }
        for level in image.get("levels").and_then(Value::as_array).into_iter().flatten() {
            let size = match level.get("shape").and_then(Value::as_array) {
                Some(shape) => shape.iter().map(ToString::to_string).collect::<Vec<_>>().join(" x "),
                None => format!("{} x {}", text(level.get("y")), text(level.get("x"))),
            };
            print::result(format_args!(
                "    level       {size}, {}, {}",
                text(level.get("storage")),
                text(level.get("compression"))
            ))?;
        }
    }
    let count = found.get("image_count").and_then(Value::as_u64).map_or(images.len(), |count| count as usize);
    if count > LISTED {
        print::result(format_args!("  and {} more images", count - LISTED))?;
    }
    for warning in list("warnings") {
        print::result(format_args!("  warning   {}", text(Some(&warning))))?;
    }
    Ok(())
}
