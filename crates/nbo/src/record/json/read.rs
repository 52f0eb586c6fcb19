//! Reading: the graph, with what the tables and the common record say of it.

use std::cell::Cell;

use serde_json::{Map, Value as Json};

use super::{IMAGE, PLACE, SHARED, escape, iri, is_text_child, place, reorder, star};
use crate::Error;
use crate::catalogue::Class;
use crate::record::{Content, Field, Object, Origin, OriginKind, Record, Source, resolve};

/// What the records of images refer to.
pub(crate) struct Common<'a> {
    objects: Option<&'a Map<String, Json>>,
    tables: Tables<'a>,
    /// How many more of its objects may be read: each reference is one more copy.
    left: Cell<usize>,
}

impl<'a> Common<'a> {
    /// Of the record at the root.
    pub(crate) fn of(record: &'a Json) -> Self {
        let objects = record["shared"].as_object();
        Self { objects, tables: Tables::of(record, None), left: Cell::new(MAX_SHARED) }
    }

    /// Reads the record of an image.
    ///
    /// # Errors
    /// [`Error::Shape`] where the JSON is not a record.
    pub(crate) fn record(&self, image: &Json) -> Result<Record, Error> {
        record(image, Some(self))
    }

    /// The object that `{"@id": "#/shared/CLASS/N"}` stands for.
    fn object(&self, reference: &str, parent: Option<&'static Class>) -> Option<Result<Object, Error>> {
        let (class, index) = reference.strip_prefix(SHARED)?.rsplit_once('/')?;
        let class = class.replace("~1", "/").replace("~0", "~");
        let json = self.objects?.get(&class)?.get(index.parse::<usize>().ok()?)?;
        let pointer = format!("/shared/{}/{index}", escape(&class));
        Some(self.tables.object(json, Some(&class), parent, &pointer, OriginKind::Explicit, 0).and_then(
            |object| {
                let copied = object.descendants().len();
                let left = self.left.get().checked_sub(copied);
                self.left.set(left.ok_or_else(|| shape(reference, "fewer references to what images share"))?);
                Ok(object)
            },
        ))
    }
}

pub(super) fn record(record: &Json, common: Option<&Common>) -> Result<Record, Error> {
    if !record["layout"].is_u64() {
        return Err(shape("/layout", "a layout version"));
    }
    let tables = Tables::of(record, common);
    let graph = record["@graph"].as_array().ok_or_else(|| shape("/@graph", "an array"))?;
    let mut objects = Vec::with_capacity(graph.len());
    for (i, object) in graph.iter().enumerate() {
        let pointer = format!("/@graph/{i}");
        objects.push(tables.object(object, None, None, &pointer, OriginKind::Explicit, 0)?);
    }
    let sources = record["sources"].as_array().map(Vec::as_slice).unwrap_or_default();
    Ok(Record {
        objects,
        sources: sources.iter().map(Source::from_json).collect(),
        extra: record["extra"][""].as_object().cloned().unwrap_or_default(),
        in_store: images(record),
    })
}

/// The numbers, among the images of a graph, of those that its member `image` says are the store's; `None` where it
/// says nothing. Those that point nowhere are left out.
pub(crate) fn images(record: &Json) -> Option<Vec<Option<usize>>> {
    let said = record.get(IMAGE)?;
    let references = said.as_array().map_or(std::slice::from_ref(said), Vec::as_slice);
    let graph = record["@graph"].as_array().map(Vec::as_slice).unwrap_or_default();
    let images: Vec<(usize, &Json)> =
        graph.iter().enumerate().filter(|(_, object)| object["@type"] == "Image").collect();
    let number = |reference: &Json| {
        let id = reference["@id"].as_str()?;
        let place = id.strip_prefix(PLACE).and_then(|place| place.parse::<usize>().ok());
        images.iter().position(|(at, object)| place.map_or(object["@id"] == id, |place| *at == place))
    };
    Some(references.iter().filter_map(number).map(Some).collect())
}

struct Tables<'a> {
    origin: Option<&'a Map<String, Json>>,
    extra: Option<&'a Map<String, Json>>,
    order: Option<&'a Map<String, Json>>,
    common: Option<&'a Common<'a>>,
    /// Since layout 4 identifiers are IRIs.
    iris: bool,
    /// Identifiers of microscopes by their IRIs.
    names: Option<&'a Map<String, Json>>,
}

/// Records nest a dozen levels; anything much deeper is not one.
const MAX_DEPTH: usize = 100;
/// A plate of 3456 images with four fully calibrated channels copies 200,000 objects, of about 750 bytes each.
const MAX_SHARED: usize = 1_000_000;

fn shape(at: &str, expected: &'static str) -> Error {
    Error::Shape { at: at.to_owned(), expected }
}

impl<'a> Tables<'a> {
    fn of(record: &'a Json, common: Option<&'a Common<'a>>) -> Self {
        let table = |name: &str| record[name].as_object();
        let names = table("identifiers").or_else(|| common?.tables.names);
        let iris = record["layout"].as_u64().is_some_and(|layout| layout >= 4);
        Self { origin: table("origin"), extra: table("extra"), order: table("order"), common, iris, names }
    }

    fn object(
        &self,
        json: &Json,
        key: Option<&str>,
        parent: Option<&'static Class>,
        pointer: &str,
        inherited: OriginKind,
        depth: usize,
    ) -> Result<Object, Error> {
        let members = json.as_object().ok_or_else(|| shape(pointer, "an object"))?;
        if depth > MAX_DEPTH {
            return Err(shape(pointer, "no deeper nesting"));
        }
        let inherited = self.kind(pointer).unwrap_or(inherited);
        let name = match members.get("@type") {
            Some(name) => name.as_str().ok_or_else(|| shape(pointer, "a string as @type"))?,
            None => key.ok_or_else(|| shape(pointer, "an object with @type"))?,
        };
        let class = resolve(parent, name);
        let mut object = Object::new(name);
        object.extra = entry(self.extra, pointer).and_then(Json::as_object).cloned().unwrap_or_default();
        let plain_reference = !members.contains_key("@type");
        for (key, value) in members {
            let at = format!("{pointer}/{}", escape(key));
            match (key.as_str(), value) {
                ("@type", _) => {}
                ("@id", id) => {
                    let attribute = class.and_then(Class::reference).filter(|_| plain_reference);
                    object.fields.push(self.field(
                        attribute.map_or("ID", |r| r.attribute),
                        &self.identifier(id),
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
        if let Some(order) = entry(self.order, pointer).and_then(Json::as_array) {
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
            Json::Object(o) => {
                let reference = o.get("@id").filter(|_| o.len() == 1);
                let shared = reference.and_then(|id| self.common?.object(id.as_str()?, class));
                match (shared, reference, attribute) {
                    (Some(shared), ..) => object.children.push(shared?),
                    (None, Some(id), Some(_)) => {
                        object.fields.push(self.field(key, &self.identifier(id), at, inherited));
                    }
                    _ => {
                        let own = self.object(item, Some(key), class, at, inherited, depth + 1)?;
                        object.children.push(own);
                    }
                }
            }
            Json::String(text) if attribute.is_none() && is_text_child(class, key) => {
                let mut child = Object::new(key);
                child.content = Content::Text(text.clone());
                object.children.push(child);
            }
            Json::Array(_) => {
                return Err(shape(at, "no array inside an array"));
            }
            // The field of a name that is also a child stands first in the array, at the bare pointer.
            scalar => {
                let at = at.strip_suffix("/0").unwrap_or(at);
                object.fields.push(self.field(key, scalar, at, inherited));
            }
        }
        Ok(())
    }

    /// The identifier that `@id` stands for.
    fn identifier(&self, iri: &Json) -> Json {
        let Some(text) = iri.as_str().filter(|_| self.iris) else { return iri.clone() };
        let named = self.names.and_then(|names| names.get(text)).cloned();
        named.unwrap_or_else(|| iri::identifier(text).into())
    }

    fn field(&self, name: &str, value: &Json, pointer: &str, inherited: OriginKind) -> Field {
        let said = entry(self.origin, pointer);
        let text = |key: &str| said.and_then(|said| said[key].as_str()).map(str::to_owned);
        let kind = self.kind(pointer).unwrap_or(inherited);
        Field {
            name: name.to_owned(),
            value: value.clone(),
            text: text("text"),
            origin: Origin { kind, from: text("from") },
        }
    }

    fn kind(&self, pointer: &str) -> Option<OriginKind> {
        OriginKind::from_name(entry(self.origin, pointer)?["kind"].as_str()?)
    }
}

/// What a table says of a place, by itself or for all of its kind.
fn entry<'a>(table: Option<&'a Map<String, Json>>, pointer: &str) -> Option<&'a Json> {
    let table = table?;
    table.get(pointer).or_else(|| table.get(&star(pointer)))
}
