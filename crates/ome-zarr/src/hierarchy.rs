//! A store that was opened: what its root says, which images it holds, and their arrays, each opened once.

use fairzarr_store::Store;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

use crate::arrays::StoredArray;
use crate::images::{StoredImage, image, images};
use crate::keys::{LABELS, join};
use crate::{Conversion, Error, attributes};

/// A store with the metadata of its root and of all its images.
pub struct Hierarchy {
    store: Store,
    root: Map<String, Value>,
    images: Vec<StoredImage>,
}

/// An image with all its levels, opened.
pub struct OpenImage<'a> {
    /// Its number in series order.
    pub index: usize,
    /// Its metadata.
    pub stored: &'a StoredImage,
    /// The array of each level that its metadata name; level 0 is full resolution.
    pub levels: Vec<StoredArray>,
}

impl Hierarchy {
    /// Opens a store.
    ///
    /// # Errors
    /// When the store is unfinished, holds no image, or its metadata cannot be understood.
    pub fn open(store: &Store) -> Result<Self, Error> {
        let images = images(store)?;
        let root = attributes(store, "")?.unwrap_or_default();
        Ok(Self { store: store.clone(), root, images })
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The attributes of the root.
    pub fn root(&self) -> &Map<String, Value> {
        &self.root
    }

    /// The images in series order.
    pub fn images(&self) -> &[StoredImage] {
        &self.images
    }

    /// What the store says of its conversion; `None` in stores of other programs.
    pub fn conversion(&self) -> Option<Conversion<'_>> {
        Conversion::of(&self.root)
    }

    /// Opens the arrays of one image. Whoever looks at all images opens one after the other, so that the memory does not
    /// grow with their number.
    ///
    /// # Errors
    /// When an array is missing, or its metadata cannot be understood or cannot be true.
    pub fn open_image(&self, index: usize) -> Result<OpenImage<'_>, Error> {
        let stored = self
            .images
            .get(index)
            .ok_or_else(|| Error::NotAnImage(format!("{} holds no image {index}", self.store.location())))?;
        self.open_stored(index, stored)
    }

    /// The paths of all label images that the images list, by name, in the order of the images.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn label_paths(&self) -> Result<BTreeMap<String, Vec<String>>, Error> {
        let mut all = BTreeMap::<String, Vec<String>>::new();
        for image in &self.images {
            let group = join(&image.path, LABELS);
            let Some(attributes) = attributes(&self.store, &group)? else { continue };
            let members = attributes.get("ome").and_then(Value::as_object).unwrap_or(&attributes);
            let listed = members.get("labels").and_then(Value::as_array);
            for name in listed.into_iter().flatten().filter_map(Value::as_str) {
                all.entry(name.to_owned()).or_default().push(join(&group, name));
            }
        }
        Ok(all)
    }

    /// The label images at these paths as if they were the images of the store.
    ///
    /// # Errors
    /// When one is missing, or its metadata cannot be understood.
    pub fn of_labels(&self, paths: &[String]) -> Result<Self, Error> {
        let images = paths.iter().map(|path| self.label(path)).collect::<Result<_, _>>()?;
        Ok(Self { store: self.store.clone(), root: self.root.clone(), images })
    }

    /// The metadata of the label image at `path`.
    ///
    /// # Errors
    /// When there is none, or they cannot be understood.
    pub fn label(&self, path: &str) -> Result<StoredImage, Error> {
        image(&self.store, path.to_owned())
    }

    /// The paths of the arrays of all label images that were made of files, as far as their metadata can be read.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn label_arrays(&self) -> Result<Vec<String>, Error> {
        let mut paths = Vec::new();
        let labels = self.conversion().map(|conversion| conversion.labels()).unwrap_or_default();
        for label in labels.iter().flat_map(|labels| &labels.images) {
            match self.label(label.path) {
                Ok(image) => {
                    let levels = 0..image.multiscale.datasets.len();
                    paths.extend(levels.filter_map(|level| image.array_path(level)));
                }
                Err(error @ Error::Store(_)) => return Err(error),
                Err(_) => {}
            }
        }
        Ok(paths)
    }

    /// Opens the arrays of an image whose metadata are known, a label image for one; `index` is what it is called.
    ///
    /// # Errors
    /// As [`Self::open_image`].
    pub fn open_stored<'a>(&'a self, index: usize, stored: &'a StoredImage) -> Result<OpenImage<'a>, Error> {
        let levels = stored.multiscale.datasets.len();
        if levels > MOST_LEVELS {
            return Err(Error::NotAnImage(format!(
                "image {:?} has {levels} datasets, and at most {MOST_LEVELS} are read",
                stored.path
            )));
        }
        let paths = (0..stored.multiscale.datasets.len()).filter_map(|level| stored.array_path(level));
        let levels = paths.map(|path| StoredArray::open(&self.store, &path)).collect::<Result<_, _>>()?;
        Ok(OpenImage { index, stored, levels })
    }
}

/// Levels of one image; every halving ends far below that.
const MOST_LEVELS: usize = 1000;

impl OpenImage<'_> {
    /// The dimension of each of t, c, z, y, x in the image's arrays; `None` when it has no such axis.
    pub fn dimensions(&self) -> [Option<usize>; 5] {
        let axes = &self.stored.multiscale.axes;
        ["t", "c", "z", "y", "x"].map(|name| axes.iter().position(|axis| axis.name == name))
    }
}
