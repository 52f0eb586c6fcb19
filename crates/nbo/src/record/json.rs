//! The JSON form of a record, there and back.
//!
//! Fields and children share one JSON object, as they do in the model. Beside the graph stand
//! tables that point into it (JSON Pointer from the record): `origin` for values that no source says
//! in these words, `extra` for what the model has no name for, `order` for children whose sequence
//! is not that of the content model.

use serde_json::{Map, Value as Json, json};

use super::{Content, Field, Object, Origin, OriginKind, Record, Source, resolve};
use crate::Error;
use crate::catalogue::{self, Class, ReferenceKind};

/// The version of the record's layout. Readers take older ones; newer ones they keep and do not rewrite.
pub(crate) const LAYOUT: u64 = 1;

impl Record {
    /// The JSON-LD context of a record.
    pub fn context() -> Json {
        json!({
            "@vocab": format!("{}#", catalogue::NAMESPACE),
            "ID": {"@type": "@id"},
            "#text": "http://www.w3.org/1999/02/22-rdf-syntax-ns#value",
            "spec": null, "layout": null, "origin": null, "extra": null, "order": null, "sources": null, "common": null
        })
    }

    /// The record as JSON.
    pub fn to_json(&self) -> Json {
        let mut tables = Tables::default();
        let graph: Vec<_> = self
            .objects
            .iter()
            .enumerate()
            .map(|(i, object)| {
                let pointer = format!("/@graph/{i}");
                tables.object_origin(object, &pointer);
                tables.object(object, None, &pointer)
            })
            .collect();
        if !self.extra.is_empty() {
            tables.extra.insert(String::new(), Json::Object(self.extra.clone()));
        }
        let mut record = json!({
            "@context": Self::context(),
            "spec": {
                "name": "4DN-BINA-OME", "version": catalogue::VERSION,
                "namespace": catalogue::NAMESPACE, "sha256": catalogue::SCHEMA_SHA256
            },
            "layout": LAYOUT,
            "@graph": graph,
        });
        for (name, table) in [("origin", tables.origin), ("extra", tables.extra), ("order", tables.order)] {
            if !table.is_empty() {
                record[name] = Json::Object(table);
            }
        }
        if !self.sources.is_empty() {
            record["sources"] = self.sources.iter().map(Source::to_json).collect();
        }
        record
    }

    /// Reads a record.
    ///
    /// # Errors
    /// [`Error::Shape`] where the JSON is not a record, or one of a newer layout.
    pub fn from_json(record: &Json) -> Result<Self, Error> {
        let shape = |at: &str, expected| Error::Shape { at: at.to_owned(), expected };
        if record["layout"].as_u64().is_none_or(|layout| layout > LAYOUT) {
            return Err(shape("/layout", "a layout version that this release knows"));
        }
        let empty = Map::new();
        let table = |name: &str| record[name].as_object().unwrap_or(&empty);
        let tables = ReadTables { origin: table("origin"), extra: table("extra"), order: table("order") };
        let graph = record["@graph"].as_array().ok_or_else(|| shape("/@graph", "an array"))?;
        let mut objects = Vec::with_capacity(graph.len());
        for (i, object) in graph.iter().enumerate() {
            let pointer = format!("/@graph/{i}");
            objects.push(tables.object(object, None, None, &pointer, OriginKind::Explicit, 0)?);
        }
        let sources = record["sources"].as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(Self {
            objects,
            sources: sources.iter().map(Source::from_json).collect(),
            extra: tables.extra.get("").and_then(Json::as_object).cloned().unwrap_or_default(),
        })
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

/// What a record says beside its graph.
#[derive(Default)]
struct Tables {
    origin: Map<String, Json>,
    extra: Map<String, Json>,
    order: Map<String, Json>,
    /// The origin that holds below the graph object in hand.
    inherited: OriginKind,
}

impl Tables {
    /// A record derived from OME-XML would name nearly every value. One entry for a graph object
    /// stands for all below it that have none of their own.
    fn object_origin(&mut self, object: &Object, pointer: &str) {
        let derived = object
            .descendants()
            .iter()
            .any(|o| o.fields.iter().any(|f| f.origin == Origin::of(OriginKind::Derived)));
        self.inherited = if derived { OriginKind::Derived } else { OriginKind::Explicit };
        if derived {
            self.origin.insert(pointer.to_owned(), json!({"kind": OriginKind::Derived.name()}));
        }
    }

    fn object(&mut self, object: &Object, parent: Option<&'static Class>, pointer: &str) -> Json {
        let class = resolve(parent, &object.class);
        let mut json = Map::new();
        json.insert("@type".into(), json!(object.class));
        for field in &object.fields {
            let (key, value) = key_value(class, field);
            self.field_origin(field, &format!("{pointer}/{}", escape(key)));
            json.insert(key.to_owned(), value);
        }
        match &object.content {
            Content::None => {}
            Content::Text(text) => _ = json.insert("#text".into(), json!(text)),
            Content::Xml(xml) => _ = json.insert("#xml".into(), json!(xml)),
        }
        self.children(object, class, pointer, &mut json);
        if !object.extra.is_empty() {
            self.extra.insert(pointer.to_owned(), Json::Object(object.extra.clone()));
        }
        Json::Object(json)
    }

    fn children(
        &mut self,
        object: &Object,
        class: Option<&'static Class>,
        pointer: &str,
        json: &mut Map<String, Json>,
    ) {
        let mut sequence: Vec<_> = object.children.iter().map(|c| c.class.as_str()).collect();
        let found = sequence.clone();
        sequence.sort_by_key(|name| place(class, name));
        if found != sequence {
            self.order.insert(pointer.to_owned(), json!(found));
        }
        sequence.dedup();
        for name in sequence {
            // The model has one name that is both an attribute and a child: the field comes first.
            let mut items: Vec<Json> = json.remove(name).into_iter().collect();
            let slot = class.and_then(|c| c.child(name)).map(|c| c.slot);
            let alone =
                items.is_empty() && object.children_of(name).count() == 1 && slot.is_some_and(|s| s.max == 1);
            for child in object.children_of(name) {
                let at = if alone {
                    format!("{pointer}/{}", escape(name))
                } else {
                    format!("{pointer}/{}/{}", escape(name), items.len())
                };
                let short = self.short_child(child, class, &at);
                items.push(short.unwrap_or_else(|| self.object(child, class, &at)));
            }
            let value = if alone { items.remove(0) } else { Json::Array(items) };
            json.insert(name.to_owned(), value);
        }
    }

    /// `{"@id": …}` for a plain reference, a string for an element of plain text.
    fn short_child(&mut self, child: &Object, parent: Option<&'static Class>, pointer: &str) -> Option<Json> {
        let class = resolve(parent, &child.class)?;
        if !child.children.is_empty() || !child.extra.is_empty() {
            return None;
        }
        match (child.fields.as_slice(), &child.content) {
            ([id], Content::None) if is_plain_reference(class, &id.name) && id.value.is_string() => {
                self.field_origin(id, &format!("{pointer}/@id"));
                Some(json!({"@id": id.value}))
            }
            ([], Content::Text(text)) if is_text_child(parent, &child.class) => Some(json!(text)),
            _ => None,
        }
    }

    fn field_origin(&mut self, field: &Field, pointer: &str) {
        if field.origin == Origin::of(self.inherited) && field.text.is_none() {
            return;
        }
        let mut entry = json!({"kind": field.origin.kind.name()});
        if let Some(from) = &field.origin.from {
            entry["from"] = json!(from);
        }
        if let Some(text) = &field.text {
            entry["text"] = json!(text);
        }
        self.origin.insert(pointer.to_owned(), entry);
    }
}

struct ReadTables<'a> {
    origin: &'a Map<String, Json>,
    extra: &'a Map<String, Json>,
    order: &'a Map<String, Json>,
}

/// Records nest a dozen levels; anything much deeper is not one.
const MAX_DEPTH: usize = 100;

impl ReadTables<'_> {
    fn object(
        &self,
        json: &Json,
        key: Option<&str>,
        parent: Option<&'static Class>,
        pointer: &str,
        inherited: OriginKind,
        depth: usize,
    ) -> Result<Object, Error> {
        let shape = |expected| Error::Shape { at: pointer.to_owned(), expected };
        let members = json.as_object().ok_or_else(|| shape("an object"))?;
        if depth > MAX_DEPTH {
            return Err(shape("no deeper nesting"));
        }
        let inherited = self.kind(pointer).unwrap_or(inherited);
        let name = match members.get("@type") {
            Some(name) => name.as_str().ok_or_else(|| shape("a string as @type"))?,
            None => key.ok_or_else(|| shape("an object with @type"))?,
        };
        let class = resolve(parent, name);
        let mut object = Object::new(name);
        object.extra = self.extra.get(pointer).and_then(Json::as_object).cloned().unwrap_or_default();
        let plain_reference = !members.contains_key("@type");
        for (key, value) in members {
            let at = format!("{pointer}/{}", escape(key));
            match (key.as_str(), value) {
                ("@type", _) => {}
                ("@id", id) => {
                    let attribute = class.and_then(Class::reference).filter(|_| plain_reference);
                    object.fields.push(self.field(
                        attribute.map_or("ID", |r| r.attribute),
                        id,
                        &at,
                        inherited,
                    ));
                }
                ("#text", Json::String(text)) => object.content = Content::Text(text.clone()),
                ("#xml", Json::String(xml)) => object.content = Content::Xml(xml.clone()),
                (key, Json::Array(items)) => {
                    for (i, item) in items.iter().enumerate() {
                        let at = format!("{at}/{i}");
                        self.member(&mut object, class, key, item, &at, inherited, depth)?;
                    }
                }
                (key, item) => self.member(&mut object, class, key, item, &at, inherited, depth)?,
            }
        }
        object.children.sort_by_key(|a| place(class, &a.class));
        if let Some(order) = self.order.get(pointer).and_then(Json::as_array) {
            reorder(&mut object.children, order);
        }
        Ok(object)
    }

    #[allow(clippy::too_many_arguments)]
    fn member(
        &self,
        object: &mut Object,
        class: Option<&'static Class>,
        key: &str,
        item: &Json,
        at: &str,
        inherited: OriginKind,
        depth: usize,
    ) -> Result<(), Error> {
        let attribute = class.and_then(|c| c.attribute(key));
        match item {
            Json::Object(o) if o.len() == 1 && o.contains_key("@id") && attribute.is_some() => {
                object.fields.push(self.field(key, &o["@id"], at, inherited));
            }
            Json::Object(_) => {
                object.children.push(self.object(item, Some(key), class, at, inherited, depth + 1)?);
            }
            Json::String(text) if attribute.is_none() && is_text_child(class, key) => {
                let mut child = Object::new(key);
                child.content = Content::Text(text.clone());
                object.children.push(child);
            }
            Json::Array(_) => {
                return Err(Error::Shape { at: at.to_owned(), expected: "no array inside an array" });
            }
            // The field of a name that is also a child stands first in the array, at the bare pointer.
            scalar => {
                let at = at.strip_suffix("/0").unwrap_or(at);
                object.fields.push(self.field(key, scalar, at, inherited));
            }
        }
        Ok(())
    }

    fn field(&self, name: &str, value: &Json, pointer: &str, inherited: OriginKind) -> Field {
        let entry = self.origin.get(pointer);
        let text = |key: &str| entry.and_then(|e| e[key].as_str()).map(str::to_owned);
        let kind = self.kind(pointer).unwrap_or(inherited);
        Field {
            name: name.to_owned(),
            value: value.clone(),
            text: text("text"),
            origin: Origin { kind, from: text("from") },
        }
    }

    fn kind(&self, pointer: &str) -> Option<OriginKind> {
        OriginKind::from_name(self.origin.get(pointer)?["kind"].as_str()?)
    }
}

/// The JSON key and value of a field: an own identifier is `@id`, a pointing one `{"@id": …}`.
fn key_value<'a>(class: Option<&'static Class>, field: &'a Field) -> (&'a str, Json) {
    let reference = class.and_then(Class::reference);
    if reference.is_some_and(|r| r.attribute == field.name) && field.value.is_string() {
        (field.name.as_str(), json!({"@id": field.value}))
    } else if field.name == "ID" && class.is_none_or(Class::owns_id) {
        ("@id", field.value.clone())
    } else {
        (field.name.as_str(), field.value.clone())
    }
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
