//! Files that the metadata attach to images and that are not in the document: `BinaryFile` without `BinData`.

use std::fmt;

use fairzarr_ome_xml::{Document, Element};

/// A file that a FileAnnotation names, and whose content is elsewhere.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct AttachedFile {
    /// ID of the annotation.
    pub annotation: String,
    /// `BinaryFile@FileName`.
    pub name: String,
    /// `External@href`: where it is.
    pub href: Option<String>,
    /// `BinaryFile@Size`, in bytes.
    pub size: Option<u64>,
}

impl fmt::Display for AttachedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the file {:?} ({})", self.name, self.annotation)?;
        match &self.href {
            Some(href) => write!(f, " at {href:?}"),
            None => Ok(()),
        }
    }
}

pub(crate) fn find(document: &Document) -> Vec<AttachedFile> {
    let annotations = document.model().children("StructuredAnnotations").flat_map(Element::elements);
    annotations.filter(|annotation| annotation.name() == "FileAnnotation").filter_map(attached).collect()
}

fn attached(annotation: &Element<'_>) -> Option<AttachedFile> {
    let file = annotation.child("BinaryFile").filter(|file| file.child("BinData").is_none())?;
    Some(AttachedFile {
        annotation: annotation.attr("ID").unwrap_or_default().to_owned(),
        name: file.attr("FileName").unwrap_or_default().to_owned(),
        href: file.child("External").and_then(|external| external.attr("href")).map(str::to_owned),
        size: file.attr("Size").and_then(|size| size.trim().parse().ok()),
    })
}
