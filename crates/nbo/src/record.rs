//! The NBO record: the objects of the model with their fields, where each value came from, and what
//! the source said beyond the model.
//!
//! [`Record::to_json`] writes it in the shape of the model: `@type` is the NBO class, `@id` its
//! identifier, fields and children carry their names verbatim, a reference is `{"@id": …}`. The
//! document is usable as JSON-LD. `docs/nbo-zarr-convention.md` describes it member by member.

pub(crate) mod json;
pub(crate) mod shared;
pub mod value;

use serde_json::{Map, Value as Json};

use crate::catalogue::{self, Class};

/// A set of NBO objects and the documents that they were read from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// What stands directly under the root of an NBO document. An object of class `OME`, if there is
    /// one, comes first and carries only the root's own attributes.
    pub objects: Vec<Object>,
    /// The documents.
    pub sources: Vec<Source>,
    /// What the documents said outside any object.
    pub extra: Map<String, Json>,
    /// For each image of the store (or file set) that the record is about, in series order, its number among the
    /// record's `Image` objects; none if nothing describes it. Other `Image` objects are of other images: beads, another
    /// acquisition. `None` for a document on its own, which is about no store.
    pub in_store: Option<Vec<Option<usize>>>,
}

/// An instance of a class of the model, or of a class that the model does not know.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Object {
    /// Class name, verbatim.
    pub class: String,
    /// Attributes, in source order.
    pub fields: Vec<Field>,
    /// Children, in source order.
    pub children: Vec<Object>,
    /// Content other than children.
    pub content: Content,
    /// What the source said about the object and the model has no name for.
    pub extra: Map<String, Json>,
}

/// What an object holds besides fields and children.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub enum Content {
    /// Nothing.
    #[default]
    None,
    /// Text.
    Text(String),
    /// Elements of a foreign vocabulary, as XML with its namespaces declared.
    Xml(String),
}

/// An attribute with its value.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Field {
    /// Attribute name, verbatim.
    pub name: String,
    /// String, number or boolean.
    pub value: Json,
    /// The source's spelling, where the value would be written differently (`1.40`, `1E-3`).
    pub text: Option<String>,
    /// Where the value came from.
    pub origin: Origin,
}

/// Where a value came from.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Origin {
    /// How.
    pub kind: OriginKind,
    /// The place or the original spelling, where it differs from what the field says by itself.
    pub from: Option<String>,
}

/// How a value came about.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum OriginKind {
    /// A source says it in these words.
    #[default]
    Explicit,
    /// Taken over from an OME-XML field of the same meaning.
    Derived,
    /// A default of the source's schema, made explicit.
    Defaulted,
    /// An identifier made up to connect objects.
    Synthesised,
    /// Spelt as the model's value list spells it; `from` is the source's spelling.
    Normalised,
    /// The nearest value of a list that has no exact one; `from` is the source's value.
    Guessed,
    /// A placeholder such as `999` or `NA`; kept, but no value.
    Sentinel,
    /// Calculated from several source values.
    Computed,
}

impl OriginKind {
    const NAMES: [(Self, &'static str); 8] = [
        (Self::Explicit, "explicit"),
        (Self::Derived, "derived"),
        (Self::Defaulted, "defaulted"),
        (Self::Synthesised, "synthesised"),
        (Self::Normalised, "normalised"),
        (Self::Guessed, "guessed"),
        (Self::Sentinel, "sentinel"),
        (Self::Computed, "computed"),
    ];

    /// The word that the JSON form uses.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(kind, _)| *kind == self).map_or("explicit", |(_, name)| name)
    }

    /// The kind of this word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, n)| *n == name).map(|(kind, _)| *kind)
    }
}

/// A document that the record was read from. Its bytes are stored beside the record.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Source {
    /// File name.
    pub name: String,
    /// The form it was read as, for example `micro-meta-microscope`.
    pub form: String,
    /// Media type.
    pub media_type: String,
    /// SHA-256 of the bytes, hexadecimal.
    pub sha256: String,
    /// Number of bytes.
    pub bytes: u64,
    /// Where the bytes are stored, relative to the root of the Zarr hierarchy.
    pub path: Option<String>,
}

impl Record {
    /// Whether nothing is recorded.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.sources.is_empty() && self.extra.is_empty()
    }

    /// The objects of this class anywhere in the record.
    pub fn all<'a>(&'a self, class: &'a str) -> impl Iterator<Item = &'a Object> {
        self.objects.iter().flat_map(Object::descendants).filter(move |o| o.class == class)
    }

    /// The object that has this identifier as its own and is of one of these classes.
    pub fn find(&self, id: &str, classes: &[&str]) -> Option<&Object> {
        self.objects
            .iter()
            .flat_map(Object::descendants)
            .find(|o| classes.contains(&o.class.as_str()) && o.id() == Some(id))
    }

    /// Calls `visit` with every object and its class in the model, parents first.
    pub fn visit<'a>(&'a self, visit: &mut impl FnMut(&'a Object, Option<&'static Class>)) {
        for object in &self.objects {
            object.visit(None, visit);
        }
    }
}

impl Object {
    /// An object without fields.
    pub fn new(class: impl Into<String>) -> Self {
        Self { class: class.into(), ..Self::default() }
    }

    /// Adds a field.
    pub fn push(&mut self, name: &str, value: impl Into<Json>, origin: Origin) {
        self.fields.push(Field { name: name.to_owned(), value: value.into(), text: None, origin });
    }

    /// Names the units that a document of the model leaves to the model: without it somebody might think of OME's
    /// defaults, which are others.
    pub(crate) fn name_units(&mut self, class: Option<&'static Class>) {
        let quantities =
            class.into_iter().flat_map(Class::attributes).filter(|a| self.field(a.name).is_some());
        let silent: Vec<_> = quantities
            .filter_map(|a| Some((a.unit?, a.unit_default?)))
            .filter(|(unit, _)| self.field(unit).is_none())
            .collect();
        for (unit, default) in silent {
            self.push(unit, default, Origin::model_default());
        }
    }

    /// The field of this name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|f| f.name == name)
    }

    /// The value of this field as text.
    pub fn str(&self, name: &str) -> Option<&str> {
        self.field(name)?.value.as_str()
    }

    /// The value of this field as a number, also where the source put it in quotes.
    pub fn number(&self, name: &str) -> Option<f64> {
        let value = &self.field(name)?.value;
        value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())
    }

    /// The object's own identifier: not that of something it points to.
    pub fn id(&self) -> Option<&str> {
        if catalogue::class(&self.class).is_none_or(Class::owns_id) { self.str("ID") } else { None }
    }

    /// The identifier that a reference or settings object points to.
    pub fn target(&self) -> Option<&str> {
        let reference = catalogue::class(&self.class).and_then(Class::reference);
        self.str(reference.map_or("ID", |r| r.attribute))
    }

    /// The first child of this class.
    pub fn child(&self, class: &str) -> Option<&Object> {
        self.children.iter().find(|c| c.class == class)
    }

    /// The children of this class.
    pub fn children_of<'a>(&'a self, class: &'a str) -> impl Iterator<Item = &'a Object> {
        self.children.iter().filter(move |c| c.class == class)
    }

    /// This object and everything below it, parents first.
    pub fn descendants(&self) -> Vec<&Object> {
        let mut found = vec![self];
        for child in &self.children {
            found.extend(child.descendants());
        }
        found
    }

    /// Its class in the model, which for some elements depends on the parent.
    pub fn class_in(&self, parent: Option<&'static Class>) -> Option<&'static Class> {
        resolve(parent, &self.class)
    }

    fn visit<'a>(
        &'a self,
        parent: Option<&'static Class>,
        visit: &mut impl FnMut(&'a Object, Option<&'static Class>),
    ) {
        let class = self.class_in(parent);
        visit(self, class);
        for child in &self.children {
            child.visit(class, visit);
        }
    }
}

impl Origin {
    /// An origin of this kind without further detail.
    pub fn of(kind: OriginKind) -> Self {
        Self { kind, from: None }
    }

    /// That of a default of the model itself, which a document of the model may leave out.
    pub(crate) fn model_default() -> Self {
        Self::from(OriginKind::Defaulted, format!("NBO {}", catalogue::VERSION))
    }

    /// An origin that names where the value came from or how it was spelt.
    pub fn from(kind: OriginKind, from: impl Into<String>) -> Self {
        Self { kind, from: Some(from.into()) }
    }
}

/// The class of a child element of this name under `parent`, or the global one.
pub(crate) fn resolve(parent: Option<&'static Class>, name: &str) -> Option<&'static Class> {
    parent.and_then(|p| p.child(name)).map(|c| c.class).or_else(|| catalogue::class(name))
}
