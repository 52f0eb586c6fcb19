//! A record made ready to be looked things up in: a plate has thousands of images, each of which refers to tens of parts.

use std::collections::HashMap;

use crate::qc::{self, Index};
use crate::record::{Object, Record};

pub(super) struct Book<'a> {
    pub(super) record: &'a Record,
    pub(super) index: Index,
    /// The entry of every `Image` in the index, by where the object is.
    entries: HashMap<*const Object, usize>,
    by_id: HashMap<&'a str, Vec<&'a Object>>,
    samples: Vec<&'a Object>,
}

impl<'a> Book<'a> {
    pub(super) fn new(record: &'a Record) -> Self {
        let (index, entries) = qc::with_entries(record);
        let mut by_id: HashMap<&str, Vec<&Object>> = HashMap::new();
        let mut samples = Vec::new();
        for object in record.objects.iter().flat_map(Object::descendants) {
            if let Some(id) = object.id() {
                by_id.entry(id).or_default().push(object);
            }
            if object.class == "Sample" {
                samples.push(object);
            }
        }
        let images = record.objects.iter().filter(|o| o.class == "Image").map(std::ptr::from_ref);
        let entries = images.zip(entries).collect();
        Self { record, index, entries, by_id, samples }
    }

    /// The object of this identifier and one of these classes.
    pub(super) fn find(&self, id: &str, class: &str) -> Option<&'a Object> {
        self.by_id.get(id)?.iter().find(|object| object.class == class).copied()
    }

    /// A part of a microscope by its identifier.
    pub(super) fn part(&self, id: &str) -> Option<&'a Object> {
        self.by_id.get(id)?.first().copied()
    }

    /// The object that a child of an image refers to.
    pub(super) fn referred(&self, image: &Object, reference: &str, class: &str) -> Option<&'a Object> {
        self.find(image.child(reference)?.target()?, class)
    }

    /// All samples of the record.
    pub(super) fn samples(&self) -> &[&'a Object] {
        &self.samples
    }

    /// Whether the record describes one image and no other.
    pub(super) fn has_one_image(&self) -> bool {
        self.entries.len() == 1
    }

    /// The place of the entry of an image in the index; none for an object that is none of the record's images.
    pub(super) fn entry(&self, image: &Object) -> Option<usize> {
        self.entries.get(&std::ptr::from_ref(image)).copied()
    }
}
