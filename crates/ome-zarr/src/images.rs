//! Which images a store holds, from its metadata alone.

use fairzarr_ngff::{Multiscale, NodeKind, Omero, Version, classify, parse_image};
use fairzarr_store::{Class, Store};
use fairzarr_task::in_order;
use serde_json::{Map, Value};

use crate::Error;
use crate::group::{attributes, refused};
use crate::keys::{self, join};

/// One multiscale image of a store.
#[derive(Clone, Debug)]
pub struct StoredImage {
    /// Its group's path; empty for the root.
    pub path: String,
    /// NGFF version of its metadata.
    pub version: Version,
    /// Axes and levels.
    pub multiscale: Multiscale,
    /// Rendering settings.
    pub omero: Option<Omero>,
}

impl StoredImage {
    /// How the reduced levels were made, as the store says; empty where it does not.
    pub fn method(&self) -> &str {
        self.multiscale.downscaling.as_ref().map_or("", |downscaling| &downscaling.method)
    }

    /// The array's path of a level, below the store's root.
    pub fn array_path(&self, level: usize) -> Option<String> {
        let dataset = self.multiscale.datasets.get(level)?;
        Some(join(&self.path, &dataset.path))
    }
}

/// All images in series order: the root's own, those of a plate, or those of a bioformats2raw collection.
///
/// # Errors
/// When the store is unfinished, holds no image, or its metadata cannot be understood.
pub fn images(store: &Store) -> Result<Vec<StoredImage>, Error> {
    Ok(first_images(store, usize::MAX)?.0)
}

/// The first images of a store, `most` of them, and how many there are.
///
/// # Errors
/// As [`images`], as far as they are looked at.
pub fn first_images(store: &Store, most: usize) -> Result<(Vec<StoredImage>, usize), Error> {
    let mut paths = paths(store)?;
    let count = paths.len();
    paths.truncate(most);
    let images = in_order(paths, store.at_once(), |path| {
        let (path, attributes) = group(store, path)?;
        let image = parse_image(&attributes);
        let (version, multiscale, omero) = image.map_err(|error| refused(&path, error.to_string()))?;
        Ok::<_, Error>(StoredImage { path, version, multiscale, omero })
    })?;
    Ok((images, count))
}

/// Path and attributes of a group.
pub type Group = (String, Map<String, Value>);

/// The groups of all images, as [`images`] orders them.
///
/// # Errors
/// As [`images`].
pub fn image_groups(store: &Store) -> Result<Vec<Group>, Error> {
    in_order(paths(store)?, store.at_once(), |path| group(store, path))
}

fn paths(store: &Store) -> Result<Vec<String>, Error> {
    let Some(root) = attributes(store, "")? else {
        let place = store.location();
        return Err(if store.exists(&keys::plan())? {
            Error::Unfinished(place.to_string())
        } else if let Some(error) = missing_place(store) {
            // Not every server tells with an object that the bucket is missing, when it is asked for the object alone.
            error.into()
        } else {
            Error::NotAnImage(format!(
                "{place} is not an OME-Zarr: there is no zarr.json or .zattrs at its root"
            ))
        });
    };
    let paths = match classify(&root) {
        NodeKind::Image | NodeKind::Label => vec![String::new()],
        NodeKind::Plate | NodeKind::Bioformats2raw => series(store, &root)?,
        _ => Vec::new(),
    };
    if paths.is_empty() {
        return Err(Error::NotAnImage(format!("{} holds no OME-Zarr image", store.location())));
    }
    Ok(paths)
}

/// The error of a bucket that does not exist.
fn missing_place(store: &Store) -> Option<fairzarr_store::Error> {
    let listed = store.is_remote().then(|| store.list_children(""))?;
    listed.err().filter(|error| error.class() == Class::NotFound)
}

fn group(store: &Store, path: String) -> Result<Group, Error> {
    let found = attributes(store, &path)?;
    let attributes = found.ok_or_else(|| refused(&path, "the group of this image is missing".into()))?;
    Ok((path, attributes))
}

/// `OME/series` if it is there, else the plate's wells, else 0, 1, … as long as there are groups.
fn series(store: &Store, root: &Map<String, Value>) -> Result<Vec<String>, Error> {
    if let Some(listed) = attributes(store, keys::OME)? {
        let series = listed.get("ome").and_then(|ome| ome.get("series")).or_else(|| listed.get("series"));
        if let Some(Value::Array(series)) = series {
            return Ok(series.iter().filter_map(|path| path.as_str().map(Into::into)).collect());
        }
    }
    let plate = root.get("ome").and_then(|ome| ome.get("plate")).or_else(|| root.get("plate"));
    if let Some(wells) = plate.and_then(|plate| plate.get("wells")).and_then(Value::as_array) {
        let paths: Vec<&str> = wells.iter().filter_map(|well| well.get("path")?.as_str()).collect();
        let wells =
            in_order(paths, store.at_once(), |path| Ok::<_, Error>((path, attributes(store, path)?)))?;
        let mut paths = Vec::new();
        for (path, well) in wells {
            let Some(well) = well else { continue };
            let well = well.get("ome").and_then(|ome| ome.get("well")).or_else(|| well.get("well"));
            let images = well.and_then(|well| well.get("images")).and_then(Value::as_array);
            for image in images.into_iter().flatten() {
                paths.extend(image.get("path").and_then(Value::as_str).map(|field| join(path, field)));
            }
        }
        return Ok(paths);
    }
    let mut paths = Vec::new();
    while attributes(store, &paths.len().to_string())?.is_some() {
        paths.push(paths.len().to_string());
    }
    Ok(paths)
}
