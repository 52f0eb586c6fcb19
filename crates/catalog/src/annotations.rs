//! Annotations and regions of interest of the OME-XML, by the images that refer to them.

use fairzarr_ome_xml::{Document, Element};
use rusqlite::types::Value;
use std::collections::HashMap;

use crate::row::{Writer, row, text, whole};

/// Rows of images by the identifiers that they refer to.
type Referring<'a> = HashMap<&'a str, Vec<i64>>;

impl Writer<'_> {
    /// `images` are the rows of the store's images, which are those of the document in its order.
    pub(crate) fn annotations(&self, document: &Document, images: &[i64]) -> rusqlite::Result<()> {
        let described = &document.ome().images;
        let (mut noted, mut drawn) = (Referring::new(), Referring::new());
        for (image, row) in described.iter().zip(images) {
            for id in &image.annotation_refs {
                noted.entry(id).or_default().push(*row);
            }
            for id in &image.roi_refs {
                drawn.entry(id).or_default().push(*row);
            }
        }
        for list in document.model().children("StructuredAnnotations") {
            for annotation in list.elements() {
                self.annotation(annotation, &noted)?;
            }
        }
        // Regions of a document of one image that nobody refers to are meant for that image.
        let only = if described.len() == 1 && drawn.is_empty() { images.first().copied() } else { None };
        for roi in document.model().children("ROI") {
            self.roi(roi, &drawn, only)?;
        }
        Ok(())
    }

    /// A row for each image and each pair; one that no image refers to is about the store.
    fn annotation(&self, annotation: &Element<'_>, noted: &Referring<'_>) -> rusqlite::Result<()> {
        let id = annotation.attr("ID");
        let value = annotation.child("Value");
        let pairs: Vec<(Option<String>, Option<String>)> = match annotation.name() {
            "MapAnnotation" => value
                .into_iter()
                .flat_map(|value| value.children("M"))
                .map(|pair| (pair.attr("K").map(str::to_owned), Some(pair.text().into_owned())))
                .collect(),
            // What is XML is in the document; as a value it would be unreadable.
            "XMLAnnotation" => vec![(None, None)],
            _ => vec![(None, value.map(|value| value.text().into_owned()))],
        };
        let none = Vec::new();
        let images = id.and_then(|id| noted.get(id)).unwrap_or(&none);
        let images: Vec<Option<i64>> =
            if images.is_empty() { vec![None] } else { images.iter().copied().map(Some).collect() };
        for image in images {
            for (key, value) in &pairs {
                self.add(
                    "annotations",
                    &[
                        ("store_id", Value::Integer(self.store)),
                        ("image_id", row(image)),
                        ("ome_id", text(id)),
                        ("kind", text(Some(annotation.name()))),
                        ("namespace", text(annotation.attr("Namespace"))),
                        ("key", text(key.as_deref())),
                        ("value", text(value.as_deref())),
                    ],
                )?;
            }
        }
        Ok(())
    }

    fn roi(&self, roi: &Element<'_>, drawn: &Referring<'_>, only: Option<i64>) -> rusqlite::Result<()> {
        let id = roi.attr("ID");
        let shapes: Vec<&str> =
            roi.child("Union").into_iter().flat_map(Element::elements).map(Element::name).collect();
        let mut kinds = shapes.clone();
        kinds.sort_unstable();
        kinds.dedup();
        let images: Vec<Option<i64>> = match id.and_then(|id| drawn.get(id)) {
            Some(images) => images.iter().copied().map(Some).collect(),
            None => vec![only],
        };
        for image in images {
            self.add(
                "rois",
                &[
                    ("store_id", Value::Integer(self.store)),
                    ("image_id", row(image)),
                    ("ome_id", text(id)),
                    ("name", text(roi.attr("Name"))),
                    ("shapes", whole(Some(shapes.len() as u64))),
                    ("shape_kinds", text(Some(kinds.join(", ").as_str()).filter(|kinds| !kinds.is_empty()))),
                ],
            )?;
        }
        Ok(())
    }
}
