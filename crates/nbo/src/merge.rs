//! Joining what several sources say of the same microscope and image.
//!
//! Nothing is dropped: where two sources give the same field different values, one stands in the field
//! and the other beside it (`extra["conflict"]`), and the difference is reported. Values are compared in
//! one unit; `0.19 mm` and `190 µm` are no conflict.
//!
//! Precedence: OME-XML for what describes the pixels (`Pixels`, `Plane`: the file is there to be
//! measured); the sidecar for everything else, because a person or a core facility wrote it about this
//! microscope. A placeholder never wins, and neither does a guess against a statement.

use std::collections::{HashMap, HashSet};

use serde::Serialize;
use serde_json::json;

use crate::catalogue::{self, Class, Kind, ReferenceKind};
use crate::record::{Field, Object, OriginKind, Record, resolve};
use crate::unit;

/// Two values for one field.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Conflict {
    /// The object: classes and identifiers from the top of the record down.
    pub at: String,
    /// The attribute.
    pub field: String,
    /// The value that stands in the field, with its unit.
    pub kept: String,
    /// The value beside it.
    pub other: String,
}

/// Joins a sidecar's record into the one derived from OME-XML.
pub fn merge(ome: Record, sidecar: Record) -> (Record, Vec<Conflict>) {
    // What stands alone keeps its order.
    if ome.objects.is_empty() {
        let Record { sources, mut extra, .. } = ome;
        extra.extend(sidecar.extra);
        let sources = sources.into_iter().chain(sidecar.sources).collect();
        return (Record { objects: sidecar.objects, sources, extra }, Vec::new());
    }
    let objects = sidecar.objects.iter().flat_map(Object::descendants);
    let sidecar_ids = objects.filter_map(Object::id).map(str::to_owned).collect();
    let one_image = sidecar.objects.iter().filter(|o| o.class == "Image").count() == 1;
    let mut merge = Merge { ids: HashMap::new(), sidecar_ids, one_image, conflicts: Vec::new() };
    let Record { mut objects, mut sources, mut extra } = ome;
    sources.extend(sidecar.sources);
    extra.extend(sidecar.extra);
    // Hardware first: what refers to it follows it to its new identifier.
    let (hardware, rest): (Vec<_>, Vec<_>) = sidecar.objects.into_iter().partition(|o| o.class != "Image");
    for object in hardware {
        merge.place(&mut objects, None, object, "");
    }
    merge.redirect(&mut objects);
    for mut object in rest {
        merge.redirect(std::slice::from_mut(&mut object));
        merge.place(&mut objects, None, object, "");
    }
    merge.redirect(&mut objects);
    (Record { objects, sources, extra }, merge.conflicts)
}

struct Merge {
    /// Identifiers that gave way to another for the same object.
    ids: HashMap<String, String>,
    /// Identifiers of the sidecar's own objects: it says of no two of them that they are one.
    sidecar_ids: HashSet<String>,
    /// Whether the sidecar describes one image: of several, none is taken for the only one of the OME-XML.
    one_image: bool,
    conflicts: Vec<Conflict>,
}

impl Merge {
    /// Merges `object` with its counterpart among `others`, or adds it.
    fn place(&mut self, others: &mut Vec<Object>, parent: Option<&'static Class>, object: Object, at: &str) {
        if resolve(parent, &object.class)
            .and_then(Class::reference)
            .is_some_and(|r| r.kind == ReferenceKind::Ref)
        {
            let known = others.iter().any(|o| o.class == object.class && o.target() == object.target());
            if !known {
                others.push(object);
            }
            return;
        }
        match self.counterpart(others, &object) {
            Some(index) => self.join(&mut others[index], parent, object, at),
            // The attributes of the root come first.
            None if object.class == "OME" => others.insert(0, object),
            None => others.push(object),
        }
    }

    fn join(&mut self, object: &mut Object, parent: Option<&'static Class>, other: Object, at: &str) {
        let class = resolve(parent, &object.class);
        let at = format!("{at}/{} {}", object.class, object.id().unwrap_or_default());
        let before = object.clone();
        for field in &other.fields {
            let attribute = class.and_then(|c| c.attribute(&field.name));
            if field.name == "ID" && class.is_none_or(Class::owns_id) {
                self.same_as(object, field);
            } else if attribute.is_none_or(|a| a.kind == Kind::Value) {
                self.field(object, &before, class, field, &other, &at);
            } else if object.field(&field.name).is_none()
                && before.fields.iter().all(|f| f.name != field.name)
            {
                object.fields.push(field.clone());
            }
        }
        if object.content == crate::record::Content::None {
            object.content = other.content;
        }
        for (key, value) in other.extra {
            object.extra.entry(key).or_insert(value);
        }
        for child in other.children {
            self.place(&mut object.children, class, child, &at);
        }
    }

    /// One identifier remains; the other is remembered, and references to it follow.
    fn same_as(&mut self, object: &mut Object, other: &Field) {
        let Some(index) = object.fields.iter().position(|f| f.name == "ID") else {
            object.fields.insert(0, other.clone());
            return;
        };
        let made_up = object.fields[index].origin.kind == OriginKind::Synthesised;
        let (Some(own), Some(new)) = (object.fields[index].value.as_str(), other.value.as_str()) else {
            return;
        };
        if own == new {
            return;
        }
        let (kept, gone) =
            if made_up { (new.to_owned(), own.to_owned()) } else { (own.to_owned(), new.to_owned()) };
        if made_up {
            object.fields[index] = other.clone();
        } else {
            object.extra.insert("sameAs".into(), json!(gone));
        }
        self.ids.insert(gone, kept);
    }

    fn field(
        &mut self,
        object: &mut Object,
        before: &Object,
        class: Option<&'static Class>,
        field: &Field,
        other: &Object,
        at: &str,
    ) {
        let unit_name = class.and_then(|c| c.attribute(&field.name)).and_then(|a| a.unit);
        let unit_of = |o: &Object| unit_name.and_then(|u| o.field(u)).cloned();
        let Some(own) = before.field(&field.name) else {
            // The value brings its unit along.
            object.fields.push(field.clone());
            if let Some(unit) = unit_of(other) {
                object.fields.retain(|f| f.name != unit.name);
                object.fields.push(unit);
            }
            return;
        };
        let default = class.and_then(|c| c.attribute(&field.name)).and_then(|a| a.unit_default);
        let symbol = |o: &Object| {
            unit_of(o).and_then(|u| u.value.as_str().map(str::to_owned)).or(default.map(str::to_owned))
        };
        let (own_unit, other_unit) = (symbol(before), symbol(other));
        let replaces = outranks(&object.class, field, own);
        if same(own, own_unit.as_deref(), field, other_unit.as_deref()) {
            // The same said twice; the better origin stays.
            if replaces && own.value == field.value {
                replace(object, field, None);
            }
            return;
        }
        let (kept, gone) = if replaces {
            (other_pair(field, other_unit), other_pair(own, own_unit))
        } else {
            (other_pair(own, own_unit), other_pair(field, other_unit))
        };
        if replaces {
            replace(object, field, unit_of(other).as_ref());
        }
        let conflicts = object.extra.entry("conflict").or_insert_with(|| json!({}));
        conflicts[&field.name] = json!(gone);
        // A placeholder contradicts nothing.
        if own.origin.kind != OriginKind::Sentinel && field.origin.kind != OriginKind::Sentinel {
            self.conflicts.push(Conflict { at: at.to_owned(), field: field.name.clone(), kept, other: gone });
        }
    }

    /// The object that says of the same thing: by identifier, by model and maker, by position in the stack, or
    /// because there is only one of its class on either side.
    fn counterpart(&self, others: &[Object], object: &Object) -> Option<usize> {
        let alike: Vec<_> = others.iter().enumerate().filter(|(_, o)| comparable(o, object)).collect();
        let by = |test: &dyn Fn(&Object) -> bool| alike.iter().find(|(_, o)| test(o)).map(|(i, _)| *i);
        if let Some(index) = object.id().and_then(|id| by(&|o| o.id() == Some(id))) {
            return Some(index);
        }
        // What another object of the sidecar stands for already is not this one.
        let alike: Vec<_> =
            alike.into_iter().filter(|(_, o)| object.id().is_none() || !self.is_taken(o)).collect();
        let by = |test: &dyn Fn(&Object) -> bool| alike.iter().find(|(_, o)| test(o)).map(|(i, _)| *i);
        if object.class == "Plane" {
            let place =
                |o: &Object| ["TheZ", "TheC", "TheT"].map(|axis| o.field(axis).map(|f| f.value.clone()));
            return by(&|o| place(o) == place(object));
        }
        let marks: &[&str] = match object.class.as_str() {
            "Image" | "Channel" | "Experimenter" | "Experiment" => &["Name"],
            _ => &["Manufacturer", "Model"],
        };
        let mark =
            |o: &Object| marks.iter().map(|m| o.str(m).map(str::to_lowercase)).collect::<Option<Vec<_>>>();
        if let Some(index) = mark(object).and_then(|m| by(&|o| mark(o).as_ref() == Some(&m))) {
            return Some(index);
        }
        let single = [
            "Image",
            "Instrument",
            "Pixels",
            "Channel",
            "LightPath",
            "Fluorophore",
            "ObjectiveSettings",
            "ImagingEnvironment",
        ];
        let settings = catalogue::class(&object.class)
            .and_then(Class::reference)
            .is_some_and(|r| r.kind == ReferenceKind::Settings);
        match alike.as_slice() {
            [(index, only)]
                if settings
                    || single.contains(&object.class.as_str())
                        && (object.class != "Image" || self.one_image)
                    || only.target().is_some() && only.target() == object.target() =>
            {
                Some(*index)
            }
            // One stand each, whatever is known of it, and one root.
            [(index, _)] if is_stand(&object.class) || object.class == "OME" => Some(*index),
            _ => None,
        }
    }

    fn is_taken(&self, object: &Object) -> bool {
        let also = object.extra.get("sameAs").and_then(serde_json::Value::as_str);
        object.id().into_iter().chain(also).any(|id| self.sidecar_ids.contains(id))
    }

    /// Points references to the identifiers that remain.
    fn redirect(&self, objects: &mut [Object]) {
        for object in objects {
            if let Some(reference) = catalogue::class(&object.class).and_then(Class::reference) {
                for field in object.fields.iter_mut().filter(|f| f.name == reference.attribute) {
                    if let Some(kept) = field.value.as_str().and_then(|id| self.ids.get(id)) {
                        field.value = json!(kept);
                    }
                }
            }
            self.redirect(&mut object.children);
        }
    }
}

fn replace(object: &mut Object, field: &Field, unit: Option<&Field>) {
    for new in std::iter::once(field).chain(unit) {
        match object.fields.iter_mut().find(|f| f.name == new.name) {
            Some(old) => *old = new.clone(),
            None => object.fields.push(new.clone()),
        }
    }
}

fn other_pair(field: &Field, unit: Option<String>) -> String {
    let value = crate::record::value::text(&field.value);
    unit.map_or_else(|| value.clone(), |unit| format!("{value} {unit}"))
}

/// Whether a sidecar's value takes the place of the one from OME-XML.
fn outranks(class: &str, sidecar: &Field, ome: &Field) -> bool {
    use OriginKind::{Guessed, Sentinel};
    match (sidecar.origin.kind, ome.origin.kind) {
        (Sentinel, _) => false,
        (_, Sentinel | Guessed) => true,
        (Guessed, _) => false,
        _ => class != "Pixels" && class != "Plane",
    }
}

fn same(a: &Field, a_unit: Option<&str>, b: &Field, b_unit: Option<&str>) -> bool {
    let number = |f: &Field| f.value.as_f64().or_else(|| f.value.as_str()?.trim().parse().ok());
    if let (Some(x), Some(y)) = (number(a), number(b)) {
        unit::same(x, a_unit.unwrap_or_default(), y, b_unit.unwrap_or_default()).unwrap_or(false)
    } else {
        let text = |f: &Field| crate::record::value::text(&f.value).trim().to_lowercase();
        text(a) == text(b)
    }
}

/// Whether two objects can be the same: of one class, or one of them of the head of the other's group.
fn comparable(a: &Object, b: &Object) -> bool {
    let is = |x: &Object, head: &str| catalogue::class(&x.class).is_some_and(|c| c.is_a(head));
    a.class == b.class || is(a, &b.class) || is(b, &a.class)
}

fn is_stand(class: &str) -> bool {
    catalogue::class(class).is_some_and(|c| c.is_a("MicroscopeStandGroup"))
}
