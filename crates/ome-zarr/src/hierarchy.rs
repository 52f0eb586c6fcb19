//! A store that was opened: what its root says, which images it holds, and their arrays, each opened once.

use fairzarr_store::Store;
use serde_json::{Map, Value};

use crate::arrays::StoredArray;
use crate::images::{StoredImage, images};
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
