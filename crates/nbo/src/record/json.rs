//! The JSON form of a record, there and back.
//!
//! Fields and children share one JSON object, as they do in the model. Beside the graph stand
//! tables that point into it (JSON Pointer from the record): `origin`, `extra`, and `order` for
//! children that do not follow each other as the model has it. In a pointer `*` stands for the indices
//! of all arrays on its way: what holds for every channel is said once.

pub(crate) mod iri;
mod read;
mod write;

use serde_json::{Value as Json, json};

use super::{Field, Object, Record, Source, resolve};
use crate::Error;
use crate::catalogue::{self, Class, ReferenceKind};

pub(crate) use read::{Common, images};
pub(crate) use write::{Writing, image};

/// The version of the record's layout that is written. Readers take older ones, and of newer ones what they know;
/// newer ones are not rewritten.
pub(crate) const LAYOUT: u64 = 4;

/// The member that says which images of the graph are the store's.
pub(crate) const IMAGE: &str = "image";

/// How a reference to an image by its place in the graph begins.
pub(crate) const PLACE: &str = "#/@graph/";

/// The prefix of references to objects of the common record. No identifier begins with it ([`iri`]).
pub(crate) const SHARED: &str = "#/shared/";

impl Record {
    /// The JSON-LD context of a record: names are those of NBO, dates are dates.
    pub fn context() -> Json {
        let mut context = json!({
            "@version": 1.1,
            "@vocab": format!("{}#", catalogue::NAMESPACE),
            "xsd": "http://www.w3.org/2001/XMLSchema#",
            "ID": {"@type": "@id"},
            "#text": "http://www.w3.org/1999/02/22-rdf-syntax-ns#value",
            "#xml": null
        });
        for name in [
            "spec",
            "layout",
            "image",
            "shared",
            "imagesAt",
            "identifiers",
            "origin",
            "extra",
            "order",
            "sources",
            "common",
        ] {
            context[name] = Json::Null;
        }
        // A name that is a date in one class and a text in another cannot be said here, and there is none.
        for (base, kind) in [(catalogue::Base::Date, "xsd:date"), (catalogue::Base::DateTime, "xsd:dateTime")]
        {
            for attribute in catalogue::attributes().iter().filter(|a| a.base == base) {
                context[attribute.name] = json!({"@type": kind});
            }
        }
        context
    }

    /// The record as JSON.
    pub fn to_json(&self) -> Json {
        let microscopes = &iri::of_record(self);
        let objects = self.objects.iter().collect();
        let mut json = Writing { objects, extra: Some(&self.extra), shared: None, microscopes }.whole();
        if let Some(held) = &self.in_store {
            let refer = |number: &usize| write::image(&self.objects, *number);
            let mut images: Vec<Json> = held.iter().flatten().filter_map(refer).collect();
            json[IMAGE] = if images.len() == 1 { images.remove(0) } else { Json::Array(images) };
        }
        if !self.sources.is_empty() {
            json["sources"] = self.sources.iter().map(Source::to_json).collect();
        }
        json
    }

    /// Reads a record.
    ///
    /// # Errors
    /// [`Error::Shape`] where the JSON is not a record.
    pub fn from_json(record: &Json) -> Result<Self, Error> {
        read::record(record, None)
    }
}

impl Source {
    pub(crate) fn to_json(&self) -> Json {
        let mut source = json!({
            "name": self.name, "form": self.form, "mediaType": self.media_type,
            "sha256": self.sha256, "bytes": self.bytes
        });
        if let Some(path) = &self.path {
            source["path"] = json!(path);
        }
        source
    }

    pub(crate) fn from_json(source: &Json) -> Self {
        let text = |key: &str| source[key].as_str().unwrap_or_default().to_owned();
        Self {
            name: text("name"),
            form: text("form"),
            media_type: text("mediaType"),
            sha256: text("sha256"),
            bytes: source["bytes"].as_u64().unwrap_or_default(),
            path: source["path"].as_str().map(str::to_owned),
        }
    }
}

/// The JSON key and value of a field: an own identifier is `@id`, a pointing one `{"@id": …}`.
fn key_value<'a>(class: Option<&'static Class>, field: &'a Field) -> (&'a str, Json) {
    let reference = class.and_then(Class::reference);
    if reference.is_some_and(|r| r.attribute == field.name) && field.value.is_string() {
        (field.name.as_str(), json!({"@id": iri_of(&field.value)}))
    } else if field.name == "ID" && class.is_none_or(Class::owns_id) {
        ("@id", iri_of(&field.value))
    } else {
        (field.name.as_str(), field.value.clone())
    }
}

fn iri_of(id: &Json) -> Json {
    id.as_str().map_or_else(|| id.clone(), |id| iri::of(id).into())
}

fn is_plain_reference(class: &Class, attribute: &str) -> bool {
    class.reference().is_some_and(|r| r.kind == ReferenceKind::Ref && r.attribute == attribute)
}

fn is_text_child(parent: Option<&'static Class>, name: &str) -> bool {
    resolve(parent, name).is_some_and(|c| c.content == catalogue::Content::Text)
}

/// Where children of this name stand among their siblings: by content model, then by name.
fn place(class: Option<&'static Class>, name: &str) -> (usize, String) {
    let position = class.and_then(|c| c.child(name)).map_or(usize::MAX, |c| c.position);
    (position, name.to_owned())
}

/// Puts children into the sequence of names that the source had.
fn reorder(children: &mut Vec<Object>, order: &[Json]) {
    let mut rest = std::mem::take(children);
    for name in order.iter().filter_map(Json::as_str) {
        if let Some(i) = rest.iter().position(|c| c.class == name) {
            children.push(rest.remove(i));
        }
    }
    children.append(&mut rest);
}

fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// The pointer with `*` for every index.
fn star(pointer: &str) -> String {
    let mut out = String::with_capacity(pointer.len());
    for (n, token) in pointer.split('/').enumerate() {
        if n > 0 {
            out.push('/');
        }
        let index = !token.is_empty() && token.bytes().all(|b| b.is_ascii_digit());
        out.push_str(if index { "*" } else { token });
    }
    out
}
