//! NBO as XML: instance documents and fragments of them, in and out.

use std::collections::{HashMap, HashSet};

use fairzarr_ome_xml::{self as ome_xml, Content as Part, Element, Namespaces};
use serde_json::{Value as Json, json};

use crate::Error;
use crate::catalogue::{self, Class, Content as ClassContent};
use crate::markup::{self, Attribute};
use crate::record::{Content, Object, Origin, OriginKind, Record, resolve, value};

/// Other namespaces under which NBO fragments are found in the wild.
pub const NAMESPACE_ALIASES: [&str; 2] =
    ["https://nbo.github.io/4DN-BINA-OME-Schema", "https://doi.org/10.5281/zenodo.4711426"];

/// Whether elements of this namespace are NBO.
pub fn is_nbo(namespace: &str) -> bool {
    namespace == catalogue::NAMESPACE || NAMESPACE_ALIASES.contains(&namespace)
}

/// Reads an instance document, or a single element of one.
///
/// # Errors
/// [`Error::Xml`] if it is not well-formed, [`Error::UnknownForm`] if its root is not NBO.
pub fn read(text: &str) -> Result<Record, Error> {
    let root = parse(text)?;
    let outside = Namespaces::default();
    if !is_nbo(outside.within(&root).of_element(&root)) {
        return Err(Error::UnknownForm { name: root.name().to_owned() });
    }
    Ok(record(&root, &outside))
}

/// The namespace of the root element, read without the rest of the document.
pub(crate) fn root_namespace(text: &str) -> Option<String> {
    ome_xml::root_namespace(text)
}

fn parse(text: &str) -> Result<Element<'_>, Error> {
    Element::parse(text).map_err(|error| match error {
        ome_xml::Error::NotWellFormed { offset, reason } => {
            Error::Xml { position: offset as u64, why: reason }
        }
        ome_xml::Error::Doctype { offset } => {
            Error::Xml { position: offset as u64, why: "document types are not accepted".into() }
        }
        ome_xml::Error::Limit { offset, .. } => {
            Error::Xml { position: offset as u64, why: error.to_string() }
        }
        error => Error::Xml { position: 0, why: error.to_string() },
    })
}

/// What becomes of things that the schema cannot hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Style {
    /// The record as it is: equal to its source if that was NBO XML.
    Verbatim,
    /// As far as possible valid by the published schema: children in its order, identifiers with its
    /// prefixes, and without the attributes that its defects leave no valid value for.
    Valid,
}

/// Writes the record as an instance document.
pub fn write(record: &Record, style: Style) -> String {
    let mut ids = HashMap::new();
    record.visit(&mut |object, class| {
        let attribute = class.and_then(|c| c.attribute("ID"));
        if let (Some(id), Some(attribute)) = (object.id().filter(|id| value::is_uuid(id)), attribute) {
            ids.entry(id.to_owned()).or_insert_with(|| lsid(attribute, &object.class, id));
        }
    });
    let mut writer = Writer { out: String::new(), style, ids };
    writer.object(&root(record), None, 0);
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}", writer.out)
}

/// Reads an element and what is below it, given the namespaces in force around it.
pub(crate) fn record<'e>(root: &'e Element<'_>, outer: &Namespaces<'e>) -> Record {
    let mut object = object(root, outer, None);
    if root.name() != "OME" {
        return Record { objects: vec![object], ..Record::default() };
    }
    let mut objects = std::mem::take(&mut object.children);
    if !object.fields.is_empty() || !object.extra.is_empty() {
        objects.insert(0, object);
    }
    Record { objects, ..Record::default() }
}

fn object<'e>(element: &'e Element<'_>, outer: &Namespaces<'e>, parent: Option<&'static Class>) -> Object {
    let class = resolve(parent, element.name());
    let inner = outer.within(element);
    let mut object = Object::new(element.name());
    for a in markup::attributes(element, &inner) {
        if a.namespace.is_empty() {
            let attribute = class.and_then(|c| c.attribute(a.name));
            object.fields.push(value::field(a.name, attribute, a.value));
        } else {
            object.extra.insert(format!("{{{}}}{}", a.namespace, a.name), json!(a.value));
        }
    }
    object.name_units(class);
    let parts = markup::content(element);
    if class.is_some_and(|c| c.content == ClassContent::Any) {
        if !parts.is_empty() {
            object.content = Content::Xml(written(&parts, &inner));
        }
        return object;
    }
    let mut foreign = Vec::new();
    let mut texts = Vec::new();
    for part in &parts {
        match part {
            Part::Element(child) if inner.within(child).of_element(child) == inner.of_element(element) => {
                object.children.push(self::object(child, &inner, class));
            }
            Part::Element(child) => {
                let mut xml = String::new();
                markup::write(child, &inner, "", &mut xml);
                foreign.push(Json::from(xml));
            }
            Part::Text(text) => texts.push(text.as_ref()),
        }
    }
    if !foreign.is_empty() {
        object.extra.insert(FOREIGN.into(), Json::Array(foreign));
    }
    let text = texts.concat();
    let has_text = class.is_some_and(|c| c.content == ClassContent::Text) || !text.trim().is_empty();
    if has_text && !texts.is_empty() {
        object.content = Content::Text(text);
    }
    object
}

/// Key in `extra` for child elements of other vocabularies.
const FOREIGN: &str = "#foreign";

fn written<'e>(parts: &[Part<'e, '_>], inner: &Namespaces<'e>) -> String {
    let mut xml = String::new();
    for part in parts {
        match part {
            Part::Element(child) => markup::write(child, inner, "", &mut xml),
            Part::Text(text) => xml.push_str(&markup::escape_text(text)),
        }
    }
    xml
}

/// The root element: an `OME` with the record's objects, or the only object if it cannot stand there. What cannot
/// stand there beside others, such as an objective of which an annotation of OME-XML spoke, is an annotation again.
fn root(record: &Record) -> Object {
    let (mut root, objects) = match record.objects.split_first() {
        Some((first, rest)) if first.class == "OME" => (first.clone(), rest),
        _ => (Object::new("OME"), record.objects.as_slice()),
    };
    let class = catalogue::class("OME");
    let fits = |object: &&Object| class.and_then(|c| c.child(&object.class)).is_some();
    match objects {
        [only] if root.fields.is_empty() && !fits(&only) => return only.clone(),
        _ => root.children = objects.iter().filter(fits).cloned().collect(),
    }
    let strays: Vec<_> = objects.iter().filter(|object| !fits(object)).collect();
    if strays.is_empty() {
        return root;
    }
    let taken: HashSet<_> = record.all("XMLAnnotation").filter_map(Object::id).map(str::to_owned).collect();
    let annotations = strays.into_iter().enumerate().map(|(n, stray)| {
        let said = stray.extra.get("annotation").and_then(Json::as_str).map(str::to_owned);
        let id = said.filter(|id| !taken.contains(id)).unwrap_or_else(|| format!("Annotation:NBO-{n}"));
        annotation(&id, stray.clone())
    });
    if let Some(holder) = root.children.iter_mut().find(|child| child.class == ANNOTATIONS) {
        holder.children.extend(annotations);
    } else {
        let mut holder = Object::new(ANNOTATIONS);
        holder.children.extend(annotations);
        // Of what may stand there only ROI comes later.
        let at = root.children.iter().position(|c| c.class == "ROI").unwrap_or(root.children.len());
        root.children.insert(at, holder);
    }
    root
}

const ANNOTATIONS: &str = "StructuredAnnotations";

fn annotation(id: &str, object: Object) -> Object {
    let mut value = Object::new("Value");
    value.children.push(object);
    let mut annotation = Object::new("XMLAnnotation");
    annotation.push("ID", id, Origin::of(OriginKind::Synthesised));
    annotation.push("Namespace", catalogue::NAMESPACE, Origin::of(OriginKind::Synthesised));
    annotation.children.push(value);
    annotation
}

struct Writer {
    out: String,
    style: Style,
    /// The identifiers that objects with a UUID have in a valid document.
    ids: HashMap<String, String>,
}

impl Writer {
    fn object(&mut self, object: &Object, parent: Option<&'static Class>, depth: usize) {
        let class = resolve(parent, &object.class);
        let mut texts = Vec::new();
        for field in &object.fields {
            if let Some(text) = self.attribute_text(class, &object.class, field) {
                texts.push((field.name.as_str(), text));
            }
        }
        let mut attributes: Vec<Attribute<'_>> =
            texts.iter().map(|(name, value)| Attribute { namespace: "", name, value }).collect();
        let mut foreign: &[Json] = &[];
        if self.style == Style::Verbatim {
            for (key, value) in &object.extra {
                let qualified = key.strip_prefix('{').and_then(|k| k.split_once('}'));
                if let (Some((namespace, name)), Json::String(value)) = (qualified, value) {
                    attributes.push(Attribute { namespace, name, value });
                }
            }
            foreign =
                object.extra.get(FOREIGN).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        }
        self.indent(depth);
        let namespace = if depth == 0 { catalogue::NAMESPACE } else { "" };
        markup::open(&object.class, namespace, "", attributes, &mut self.out);
        let closed = match &object.content {
            Content::Text(text) => Some(markup::escape_text(text).into_owned()),
            Content::Xml(xml) => Some(xml.clone()),
            Content::None => None,
        };
        if closed.is_none() && object.children.is_empty() && foreign.is_empty() {
            self.out.push_str("/>\n");
            return;
        }
        self.out.push('>');
        if let Some(content) = &closed {
            self.out.push_str(content);
        }
        let nested = !object.children.is_empty() || !foreign.is_empty();
        if nested {
            self.out.push('\n');
            let placeholder = Object::new("MetadataOnly");
            for child in self.sequence(object, class, &placeholder) {
                self.object(child, class, depth + 1);
            }
            for xml in foreign.iter().filter_map(Json::as_str) {
                self.indent(depth + 1);
                self.out.push_str(xml);
                self.out.push('\n');
            }
            self.indent(depth);
        }
        self.out.push_str("</");
        self.out.push_str(&object.class);
        self.out.push_str(">\n");
    }

    fn sequence<'o>(
        &self,
        object: &'o Object,
        class: Option<&'static Class>,
        metadata_only: &'o Object,
    ) -> Vec<&'o Object> {
        let mut children: Vec<_> = object.children.iter().collect();
        let Some(class) = class.filter(|c| self.style == Style::Valid && c.content != ClassContent::Any)
        else {
            return children;
        };
        children.retain(|child| class.child(&child.class).is_some());
        children.sort_by_key(|child| class.child(&child.class).map(|c| c.position));
        // OME allows several filters of a kind where NBO has one.
        let mut counts: HashMap<usize, usize> = HashMap::new();
        children.retain(|child| {
            class.child(&child.class).is_some_and(|c| {
                let count = counts.entry(c.position).or_default();
                *count += 1;
                c.slot.max == 0 || *count <= usize::from(c.slot.max)
            })
        });
        // The document says nothing of where the pixels are, which the schema wants to be said.
        let placed = ["BinData", "MetadataOnly", "NGFFData", "TiffData"];
        if class.name == "Pixels" && !children.iter().any(|child| placed.contains(&child.class.as_str())) {
            let at = class.child("MetadataOnly").map_or(0, |c| c.position);
            let after = |child: &&Object| class.child(&child.class).is_some_and(|c| c.position > at);
            let index = children.iter().position(after).unwrap_or(children.len());
            children.insert(index, metadata_only);
        }
        children
    }

    fn attribute_text(
        &self,
        class: Option<&'static Class>,
        name: &str,
        field: &crate::record::Field,
    ) -> Option<String> {
        let text = field.text.clone().unwrap_or_else(|| value::text(&field.value));
        if self.style == Style::Verbatim {
            return (field.origin != Origin::model_default()).then_some(text);
        }
        let Some(attribute) = class.map(|c| c.attribute(&field.name)) else { return Some(text) };
        let attribute = attribute?;
        let is_unit = attribute.kind != catalogue::Kind::Value;
        // Two units are typed as numbers, and a stray pattern leaves LightGuide@Geometry no value.
        if (is_unit && attribute.base.is_number()) || attribute.type_name == "LightGuideGeometry" {
            return None;
        }
        if attribute.is_id() && value::is_uuid(text.trim()) {
            let known = self.ids.get(text.trim()).cloned();
            return Some(known.unwrap_or_else(|| lsid(attribute, name, text.trim())));
        }
        Some(match value::state(attribute, &field.value) {
            value::State::NearlyListed(listed) => listed.to_owned(),
            value::State::Malformed(_)
                if attribute.base == catalogue::Base::Date && value::date(&text).is_some() =>
            {
                text.trim().get(..10)?.to_owned()
            }
            // A JSON writer may spell a whole number 1.0.
            _ if attribute.base.is_integer() => {
                let whole = field.value.as_f64().filter(|n| field.value.is_f64() && n.fract() == 0.0);
                whole.map_or(text, |n| format!("{n:.0}"))
            }
            _ => text,
        })
    }

    fn indent(&mut self, depth: usize) {
        self.out.extend(std::iter::repeat_n("  ", depth));
    }
}

/// A UUID in the form that the schema asks of identifiers.
fn lsid(attribute: &catalogue::Attribute, class: &str, uuid: &str) -> String {
    let prefix = attribute.id_type().and_then(|t| t.prefix).filter(|p| *p != r"\S+");
    format!("{}:{uuid}", prefix.unwrap_or(class))
}

/// Whether two documents say the same: elements, attributes and text by their expanded names,
/// regardless of prefixes, attribute order, comments and the blanks between elements.
///
/// # Errors
/// [`Error::Xml`] if one of them is not well-formed.
pub fn equal(a: &str, b: &str) -> Result<bool, Error> {
    let outside = Namespaces::default();
    Ok(markup::equal(&parse(a)?, &parse(b)?, [&outside, &outside]))
}
