//! Joining what several sources say of the same microscope and image.
//!
//! Two objects of two documents are one only where something identifies both ([`crate::identity`]); that there is one
//! of each is no reason. What stays apart is said.
//!
//! * **Images** are one by UUID, or by name where date, sizes, channels and microscope do not contradict. Of the
//!   store's images their OME-XML is the authority on name, date, sizes and channels: a document can add, and never
//!   replaces or appends.
//! * **Microscopes** are one by UUID, by maker and serial number, or because one image was taken with both.
//! * **Parts** of one microscope are one by UUID, by maker and serial number, by what the settings of one image or
//!   channel refer to, or by maker and model if each side has one of it; at last by an identifier that both use, where
//!   nothing contradicts.
//!
//! Nothing is dropped: where two sources give the same field different values, one stands in the field and the other
//! beside it (`extra["conflict"]`), and the difference is reported. Values are compared in one unit; `0.19 mm` and
//! `190 µm` are no conflict. OME-XML goes first for what describes the pixels (`Pixels`, `Plane`, and of images and
//! channels the name and the date); the document for everything else, because a person or a core facility wrote it
//! about this microscope. A placeholder never wins, and neither does a guess against a statement.
//!
//! ```
//! use fairzarr_nbo::ingest::ingest;
//! use fairzarr_nbo::merge::merge;
//!
//! let ome = br#"<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0" Name="cells"/></OME>"#;
//! let document = br#"<OME xmlns="http://www.NamespaceTest.org/Schemas/NBO/2020-11"><Image ID="Image:0" Name="beads"/></OME>"#;
//! let (record, differences) = merge(ingest("cells.ome.xml", ome)?, ingest("beads.xml", document)?);
//! // The identifier is the same, and means nothing outside of its document.
//! assert_eq!(record.all("Image").count(), 2);
//! assert!(differences[0].to_string().contains("another image"));
//! # Ok::<(), fairzarr_nbo::Error>(())
//! ```

mod identifiers;
mod images;
mod microscopes;
mod parts;
mod spread;
mod values;

use std::collections::HashSet;
use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use crate::catalogue::{Class, Kind, ReferenceKind};
use crate::record::{Content, Field, Object, OriginKind, Record, resolve};

pub use images::{StoreImage, identify};

use identifiers::Identifiers;
use values::beside;

/// Something that two sources do not say alike.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Conflict {
    /// What kind of difference it is.
    pub kind: ConflictKind,
    /// The object: classes and identifiers from the top of the record down.
    pub at: String,
    /// The attribute; of objects that stay apart, why they do.
    pub field: String,
    /// The value that stands in the field, with its unit; of objects that stay apart, the first.
    pub kept: String,
    /// The value beside it; of objects that stay apart, the other.
    pub other: String,
}

/// Kinds of difference.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ConflictKind {
    /// Two values for one field.
    Value,
    /// An image that a document describes and that is none of those known before.
    AnotherImage,
    /// A microscope that is another one than those known before, or may be.
    AnotherMicroscope,
    /// A channel of a document for which the image has none.
    NoSuchChannel,
    /// Something that a document says and NBO has no place for.
    NoPlace,
}

impl Conflict {
    /// What a document says that has no place in NBO, a sentence each; `document` is its name.
    pub fn no_place(document: &str, said: &Record) -> Vec<Self> {
        let told = |why: &str| Self {
            kind: ConflictKind::NoPlace,
            at: document.to_owned(),
            field: why.to_owned(),
            kept: String::new(),
            other: String::new(),
        };
        crate::ingest::left_out(said).map(told).collect()
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, field, kept, other, .. } = self;
        match self.kind {
            ConflictKind::Value => {
                write!(f, "{at}/{field}: the sources differ; {kept} is kept, {other} is recorded beside it")
            }
            ConflictKind::AnotherImage => {
                write!(f, "the document's {other} is another image than {kept}: {field}")
            }
            ConflictKind::AnotherMicroscope => {
                write!(f, "the document's {other} stays a microscope of its own beside {kept}: {field}")
            }
            ConflictKind::NoPlace => write!(f, "{at}: {field}"),
            ConflictKind::NoSuchChannel => write!(f, "{at}: {other} is none of {kept}: {field}"),
        }
    }
}

/// Joins a document's record into the one derived from OME-XML, or into what was joined before.
pub fn merge(base: Record, document: Record) -> (Record, Vec<Conflict>) {
    let Record { mut objects, mut sources, mut extra, in_store } = base;
    sources.extend(document.sources);
    add(&mut extra, document.extra);
    let mut said = document.objects;
    // What stands alone keeps its order and its identifiers.
    if objects.is_empty() {
        return (Record { objects: said, sources, extra, in_store }, Vec::new());
    }
    let mut merge = Merge { identifiers: Identifiers::mark(&objects, &mut said), conflicts: Vec::new() };
    let mut images = images::pair(&objects, &mut said, in_store.as_deref(), &mut merge.conflicts);
    merge.identifiers.follow(&said, &objects, &images);
    merge.microscopes(&mut objects, &mut said, &images);
    let mut place = 0;
    let mut claimed = Claimed::new();
    for mut object in said {
        merge.identifiers.redirect(std::slice::from_mut(&mut object));
        if object.class != "Image" {
            merge.place(&mut objects, None, object, &mut claimed, "");
            continue;
        }
        let pair = images.remove(&place);
        place += 1;
        let is_image = |(_, o): &(usize, &Object)| o.class == "Image";
        let known = pair.and_then(|n| objects.iter().enumerate().filter(is_image).nth(n)).map(|(at, _)| at);
        match known {
            Some(at) => merge.join(&mut objects[at], None, object, ""),
            None if merge.spread(&mut objects, in_store.as_deref(), &object) => {
                // Its settings went where they belong, and the image itself is none of the store's.
                let other = named(&object);
                merge.conflicts.retain(|c| c.kind != ConflictKind::AnotherImage || c.other != other);
            }
            None => objects.push(object),
        }
    }
    merge.identifiers.settle(&mut objects);
    (Record { objects, sources, extra, in_store }, merge.conflicts)
}

/// Adds what belongs to no object; what several documents said under one key becomes a list.
fn add(extra: &mut Map<String, Json>, other: Map<String, Json>) {
    for (key, value) in other {
        match extra.get_mut(&key) {
            None => _ = extra.insert(key, value),
            Some(before) if *before == value => {}
            Some(Json::Array(list)) => match value {
                Json::Array(more) => list.extend(more),
                one => list.push(one),
            },
            Some(before) => *before = json!([before.take(), value]),
        }
    }
}

struct Merge {
    identifiers: Identifiers,
    conflicts: Vec<Conflict>,
}

/// Which children of the first object are spoken for already: two things of one document are never one.
type Claimed = HashSet<usize>;

impl Merge {
    /// Merges `object` with its counterpart among `others`, or adds it.
    fn place(
        &mut self,
        others: &mut Vec<Object>,
        parent: Option<&'static Class>,
        object: Object,
        claimed: &mut Claimed,
        at: &str,
    ) {
        let class = resolve(parent, &object.class);
        if class.and_then(Class::reference).is_some_and(|r| r.kind == ReferenceKind::Ref) {
            let known = others.iter().any(|o| o.class == object.class && o.target() == object.target());
            if !known {
                others.push(object);
            }
            return;
        }
        let free: Vec<usize> = (0..others.len()).filter(|n| !claimed.contains(n)).collect();
        match parts::counterpart(others, &free, parent, &object) {
            Some(index) => {
                claimed.insert(index);
                self.join(&mut others[index], parent, object, at);
            }
            // The attributes of the root come first.
            None if object.class == "OME" => {
                others.insert(0, object);
                *claimed = claimed.drain().map(|place| place + 1).collect();
                claimed.insert(0);
            }
            None => {
                claimed.insert(others.len());
                others.push(object);
            }
        }
    }

    fn join(&mut self, object: &mut Object, parent: Option<&'static Class>, other: Object, at: &str) {
        parts::specialise(object, &other);
        let class = resolve(parent, &object.class);
        let at = format!("{at}/{} {}", object.class, object.id().unwrap_or_default());
        let Object { fields, children, content, extra, class: other_class } = other;
        let said = Object { class: other_class, fields, ..Object::default() };
        self.fields(object, class, &said, &at);
        if object.content == Content::None {
            object.content = content;
        }
        for (key, value) in extra {
            object.extra.entry(key).or_insert(value);
        }
        let channels = images::channels(object, &children);
        let mut claimed = Claimed::new();
        for (n, child) in children.into_iter().enumerate() {
            match channels.as_ref().and_then(|channels| channels.get(&n)) {
                Some(Some(index)) => self.join(&mut object.children[*index], class, child, &at),
                Some(None) => self.no_such_channel(object, &child, &at),
                None if self.refers_otherwise(object, class, &child, &at) => {}
                None => self.place(&mut object.children, class, child, &mut claimed, &at),
            }
        }
    }

    fn fields(&mut self, object: &mut Object, class: Option<&'static Class>, said: &Object, at: &str) {
        let before = object.clone();
        for field in &said.fields {
            let attribute = class.and_then(|c| c.attribute(&field.name));
            if field.name == "ID" && class.is_none_or(Class::owns_id) {
                self.identifiers.same(object, field);
            } else if class
                .and_then(Class::reference)
                .is_some_and(|r| r.kind != ReferenceKind::Attribute && r.attribute == field.name)
            {
                self.target(object, field, at);
            } else if attribute.is_none_or(|a| a.kind == Kind::Value) {
                self.conflicts.extend(values::join(object, &before, class, field, said, at));
            } else if object.field(&field.name).is_none()
                && before.fields.iter().all(|f| f.name != field.name)
            {
                object.fields.push(field.clone());
            }
        }
    }

    /// Settings of one part stay those of that part.
    fn target(&mut self, object: &mut Object, field: &Field, at: &str) {
        let Some(own) = object.field(&field.name) else {
            object.fields.push(field.clone());
            return;
        };
        if own.value == field.value {
            return;
        }
        let [kept, other] = [own, field].map(|f| identifiers::plain(f.value.as_str().unwrap_or_default()));
        let (kept, other) = (kept.to_owned(), other.to_owned());
        beside(object, &field.name, &other);
        self.conflicts.push(Conflict {
            kind: ConflictKind::Value,
            at: at.to_owned(),
            field: field.name.clone(),
            kept,
            other,
        });
    }

    /// Where the model has room for one reference and the document's is another, that takes the place.
    fn refers_otherwise(
        &mut self,
        object: &mut Object,
        class: Option<&'static Class>,
        reference: &Object,
        at: &str,
    ) -> bool {
        let Some(child) = class.and_then(|c| c.child(&reference.class)) else { return false };
        let is_one =
            child.slot.max == 1 && child.class.reference().is_some_and(|r| r.kind == ReferenceKind::Ref);
        let before = object.children.iter_mut().find(|c| is_one && c.class == reference.class);
        let Some(before) = before.filter(|before| before.target() != reference.target()) else {
            return false;
        };
        let [kept, other] =
            [reference, &*before].map(|r| identifiers::plain(r.target().unwrap_or_default()).to_owned());
        *before = reference.clone();
        beside(object, &reference.class, &other);
        self.conflicts.push(Conflict {
            kind: ConflictKind::Value,
            at: at.to_owned(),
            field: reference.class.clone(),
            kept,
            other,
        });
        true
    }

    /// The channels of an image are those of its pixels; what a document says of another one is kept beside them.
    fn no_such_channel(&mut self, pixels: &mut Object, channel: &Object, at: &str) {
        let names: Vec<_> = pixels.children_of("Channel").filter_map(|c| c.str("Name")).collect();
        let kept = if names.is_empty() {
            format!("{} channels", pixels.children_of("Channel").count())
        } else {
            names.join(", ")
        };
        let mut alone = vec![channel.clone()];
        identifiers::unmark(&mut alone);
        let said = Record { objects: alone, ..Record::default() }.to_json();
        let list = pixels.extra.entry("channelsNotPlaced").or_insert_with(|| json!([]));
        if let Json::Array(list) = list {
            list.push(said["@graph"][0].clone());
        }
        let name = channel.str("Name").map_or_else(String::new, |name| format!(" {name}"));
        self.conflicts.push(Conflict {
            kind: ConflictKind::NoSuchChannel,
            at: at.to_owned(),
            field: "it is kept beside them".into(),
            kept,
            other: format!("the document's channel{name}"),
        });
    }
}

/// Whether a value was made up to connect objects.
fn is_made_up(field: &Field) -> bool {
    field.origin.kind == OriginKind::Synthesised
}

/// An object as messages name it: its identifier, which tells its class, and its name.
fn named(object: &Object) -> String {
    let id = object.id().map_or(object.class.as_str(), identifiers::plain);
    object.str("Name").map_or_else(|| id.to_owned(), |name| format!("{id} \"{name}\""))
}
