//! Writing: the graph, what images share, and the tables that point into both.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value as Json, json};

use super::{
    IMAGE, LAYOUT, PLACE, SHARED, escape, iri, iri_of, is_plain_reference, is_text_child, key_value, place,
    star,
};
use crate::catalogue::{self, Class};
use crate::record::shared::Shared;
use crate::record::{Content, Field, Object, Origin, OriginKind, Record, resolve};

/// What is written as one record.
pub(crate) struct Writing<'a> {
    /// The graph.
    pub(crate) objects: Vec<&'a Object>,
    /// What belongs to no object.
    pub(crate) extra: Option<&'a Map<String, Json>>,
    /// What several records say, and the common one says for them.
    pub(crate) shared: Option<&'a Shared<'a>>,
    /// The IRIs of microscopes that are known by more than an identifier ([`iri::microscopes`]).
    pub(crate) microscopes: &'a BTreeMap<String, String>,
}

/// What the member `image` says of the image of this number among those of a graph: its identifier, or its place if
/// that is no identifier of one image alone.
pub(crate) fn image<'a>(graph: impl IntoIterator<Item = &'a Object>, number: usize) -> Option<Json> {
    let graph: Vec<&Object> = graph.into_iter().collect();
    let images = graph.iter().enumerate().filter(|(_, o)| o.class == "Image");
    let (place, image) = images.clone().nth(number)?;
    let alone = |id: &&str| images.filter(|(_, o)| o.id() == Some(*id)).count() == 1;
    let id = image.id().filter(alone).map_or_else(|| format!("{PLACE}{place}"), iri::of);
    Some(json!({"@id": id}))
}

impl Writing<'_> {
    /// A record that stands for itself, or the common one of several.
    pub(crate) fn whole(&self) -> Json {
        let mut tables = Tables::new(self.shared);
        let mut record = json!({
            "@context": Record::context(),
            "spec": {
                "name": "4DN-BINA-OME", "version": catalogue::VERSION,
                "namespace": catalogue::NAMESPACE, "sha256": catalogue::SCHEMA_SHA256
            },
            "layout": LAYOUT,
            "@graph": self.graph(&mut tables),
        });
        let shared: Map<_, _> = self
            .shared
            .into_iter()
            .flat_map(Shared::classes)
            .map(|(class, objects)| {
                let written = objects.iter().enumerate().map(|(i, (object, parent))| {
                    let pointer = format!("/shared/{}/{i}", escape(class));
                    tables.object(object, *parent, &pointer, OriginKind::Explicit)
                });
                (class.to_owned(), written.collect())
            })
            .collect();
        if !shared.is_empty() {
            record["shared"] = Json::Object(shared);
        }
        if !self.microscopes.is_empty() {
            let names = self.microscopes.iter().map(|(id, iri)| (iri.clone(), Json::from(id.as_str())));
            record["identifiers"] = Json::Object(names.collect());
        }
        self.finish(tables, record)
    }

    /// The record of one image, beside the common one that `common` points to.
    pub(crate) fn part(&self, common: &Json) -> Json {
        let mut tables = Tables::new(self.shared);
        let mut record = json!({"layout": LAYOUT, "common": common, "@graph": self.graph(&mut tables)});
        if let Some(image) = image(self.objects.iter().copied(), 0) {
            record[IMAGE] = image;
        }
        self.finish(tables, record)
    }

    fn graph(&self, tables: &mut Tables) -> Json {
        let objects = self.objects.iter().enumerate();
        objects
            .map(|(i, object)| tables.object(object, None, &format!("/@graph/{i}"), OriginKind::Explicit))
            .collect()
    }

    fn finish(&self, tables: Tables, mut record: Json) -> Json {
        if !self.microscopes.is_empty() {
            for member in ["@graph", "shared"] {
                if let Some(objects) = record.get_mut(member) {
                    iri::name_microscopes(objects, self.microscopes);
                }
            }
        }
        let mut extra = tables.extra.finish();
        if let Some(said) = self.extra.filter(|said| !said.is_empty()) {
            extra.insert(String::new(), Json::Object(said.clone()));
        }
        for (name, table) in
            [("origin", tables.origin.finish()), ("extra", extra), ("order", tables.order.finish())]
        {
            if !table.is_empty() {
                record[name] = Json::Object(table);
            }
        }
        record
    }
}

/// What a record says beside its graph.
struct Tables<'a> {
    shared: Option<&'a Shared<'a>>,
    origin: Table,
    extra: Table,
    order: Table,
}

impl<'a> Tables<'a> {
    fn new(shared: Option<&'a Shared<'a>>) -> Self {
        Self { shared, origin: Table::default(), extra: Table::default(), order: Table::default() }
    }

    fn object(
        &mut self,
        object: &Object,
        parent: Option<&'static Class>,
        pointer: &str,
        inherited: OriginKind,
    ) -> Json {
        let class = resolve(parent, &object.class);
        let kind = self.usual(object, inherited);
        self.origin.push(pointer, (kind != inherited).then(|| json!({"kind": kind.name()})));
        let mut json = Map::new();
        json.insert("@type".into(), json!(object.class));
        for field in &object.fields {
            let (key, value) = key_value(class, field);
            self.field_origin(field, &format!("{pointer}/{}", escape(key)), kind);
            json.insert(key.to_owned(), value);
        }
        match &object.content {
            Content::None => {}
            Content::Text(text) => _ = json.insert("#text".into(), json!(text)),
            Content::Xml(xml) => _ = json.insert("#xml".into(), json!(xml)),
        }
        self.children(object, class, pointer, kind, &mut json);
        self.extra.push(pointer, (!object.extra.is_empty()).then(|| Json::Object(object.extra.clone())));
        Json::Object(json)
    }

    fn children(
        &mut self,
        object: &Object,
        class: Option<&'static Class>,
        pointer: &str,
        inherited: OriginKind,
        json: &mut Map<String, Json>,
    ) {
        let mut sequence: Vec<_> = object.children.iter().map(|c| c.class.as_str()).collect();
        let found = sequence.clone();
        sequence.sort_by_key(|name| place(class, name));
        self.order.push(pointer, (found != sequence).then(|| json!(found)));
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
                let short = self.short_child(child, class, &at, inherited);
                items.push(short.unwrap_or_else(|| self.object(child, class, &at, inherited)));
            }
            let value = if alone { items.remove(0) } else { Json::Array(items) };
            json.insert(name.to_owned(), value);
        }
    }

    /// `{"@id": …}` for a plain reference and for what the common record says, a string for an element of plain text.
    fn short_child(
        &mut self,
        child: &Object,
        parent: Option<&'static Class>,
        pointer: &str,
        inherited: OriginKind,
    ) -> Option<Json> {
        let class = resolve(parent, &child.class)?;
        let short = if let Some((name, index)) = self.shared.and_then(|shared| shared.place(child)) {
            json!({"@id": format!("{SHARED}{}/{index}", escape(name))})
        } else if !child.children.is_empty() || !child.extra.is_empty() {
            return None;
        } else {
            match (child.fields.as_slice(), &child.content) {
                ([id], Content::None) if is_plain_reference(class, &id.name) && id.value.is_string() => {
                    self.field_origin(id, &format!("{pointer}/@id"), inherited);
                    json!({"@id": iri_of(&id.value)})
                }
                ([], Content::Text(text)) if is_text_child(parent, &child.class) => json!(text),
                _ => return None,
            }
        };
        for table in [&mut self.origin, &mut self.extra, &mut self.order] {
            table.push(pointer, None);
        }
        Some(short)
    }

    /// The origin that most values in an object have: what is said of the object holds for all below it that have
    /// no entry of their own.
    fn usual(&self, object: &Object, inherited: OriginKind) -> OriginKind {
        let mut counts: HashMap<OriginKind, usize> = HashMap::new();
        self.count(object, &mut counts);
        let here = counts.get(&inherited).copied().unwrap_or_default();
        // The entry has to be worth more than itself; of equals the first in the order of the names.
        let most = counts.iter().max_by_key(|(kind, n)| (**n, std::cmp::Reverse(kind.name())));
        most.filter(|(_, n)| **n > here + 1).map_or(inherited, |(kind, _)| *kind)
    }

    fn count(&self, object: &Object, counts: &mut HashMap<OriginKind, usize>) {
        for field in object.fields.iter().filter(|f| f.text.is_none() && f.origin.from.is_none()) {
            *counts.entry(field.origin.kind).or_default() += 1;
        }
        for child in object.children.iter().filter(|c| self.shared.and_then(|s| s.place(c)).is_none()) {
            self.count(child, counts);
        }
    }

    fn field_origin(&mut self, field: &Field, pointer: &str, inherited: OriginKind) {
        let plain = field.origin == Origin::of(inherited) && field.text.is_none();
        let entry = || {
            let mut entry = json!({"kind": field.origin.kind.name()});
            if let Some(from) = &field.origin.from {
                entry["from"] = json!(from);
            }
            if let Some(text) = &field.text {
                entry["text"] = json!(text);
            }
            entry
        };
        self.origin.push(pointer, (!plain).then(entry));
    }
}

/// A table by pointer: every place that could have an entry, with the entry it has.
#[derive(Default)]
struct Table {
    places: Vec<(String, Option<Json>)>,
}

impl Table {
    fn push(&mut self, pointer: &str, entry: Option<Json>) {
        self.places.push((pointer.to_owned(), entry));
    }

    /// The entries: one for all places that differ in their indices alone, where all of them have the same.
    fn finish(self) -> Map<String, Json> {
        let mut alike: HashMap<String, (usize, Option<&Json>)> = HashMap::new();
        for (pointer, entry) in &self.places {
            let group = alike.entry(star(pointer)).or_insert((0, entry.as_ref()));
            group.0 += 1;
            group.1 = group.1.filter(|first| Some(*first) == entry.as_ref());
        }
        let mut table = Map::new();
        for (pointer, entry) in &self.places {
            let Some(entry) = entry else { continue };
            let starred = star(pointer);
            let several = alike.get(&starred).is_some_and(|(count, same)| *count > 1 && same.is_some());
            table.insert(if several { starred } else { pointer.clone() }, entry.clone());
        }
        table
    }
}
