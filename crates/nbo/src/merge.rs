//! Joining what several sources say of the same microscope and image.
//!
//! Nothing is dropped: where two sources give the same field different values, one stands in the field
//! and the other beside it (`extra["conflict"]`), and the difference is reported. Values are compared in
//! one unit; `0.19 mm` and `190 µm` are no conflict.
//!
//! An instrument of the sidecar is that of the OME-XML by its UUID, or if there is one each and maker and model of
//! their stands do not contradict. Another microscope stays one of its own, whatever identifiers the two have in
//! common. The settings that Micro-Meta App wrote for one image hold for all images of a plate that have the same
//! instrument and channels.
//!
//! Precedence: OME-XML for what describes the pixels (`Pixels`, `Plane`: the file is there to be
//! measured); the sidecar for everything else, because a person or a core facility wrote it about this
//! microscope. A placeholder never wins, and neither does a guess against a statement.

mod instruments;

use std::collections::{HashMap, HashSet};

use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use crate::catalogue::{self, Class, Kind, ReferenceKind};
use crate::record::{Field, Object, Origin, OriginKind, Record, resolve};
use crate::unit;

use instruments::{contradict, is_stand, other_instruments, rename};

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
        add(&mut extra, sidecar.extra);
        let sources = sources.into_iter().chain(sidecar.sources).collect();
        return (Record { objects: sidecar.objects, sources, extra }, Vec::new());
    }
    let Record { mut objects, mut sources, mut extra } = ome;
    let mut sidecar = sidecar;
    let others = other_instruments(&objects, &sidecar.objects);
    if !others.is_empty() {
        rename(&mut sidecar.objects, &ids(&objects));
    }
    let one_image = sidecar.objects.iter().filter(|o| o.class == "Image").count() == 1;
    let mut merge =
        Merge { ids: same_ids(&objects), sidecar_ids: ids(&sidecar.objects), one_image, conflicts: others };
    sources.extend(sidecar.sources);
    add(&mut extra, sidecar.extra);
    // Hardware first: what refers to it follows it to its new identifier.
    let (hardware, rest): (Vec<_>, Vec<_>) = sidecar.objects.into_iter().partition(|o| o.class != "Image");
    for object in hardware {
        merge.place(&mut objects, None, object, "");
    }
    merge.redirect(&mut objects);
    for mut object in rest {
        merge.redirect(std::slice::from_mut(&mut object));
        if one_image && merge.counterpart(&objects, &object).is_none() && merge.spread(&mut objects, &object)
        {
            continue;
        }
        merge.place(&mut objects, None, object, "");
    }
    merge.redirect(&mut objects);
    (Record { objects, sources, extra }, merge.conflicts)
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

/// The identifiers of objects.
fn ids(objects: &[Object]) -> HashSet<String> {
    objects.iter().flat_map(Object::descendants).filter_map(Object::id).map(str::to_owned).collect()
}

/// Other identifiers that objects are known by, as earlier merging left them.
fn same_ids(objects: &[Object]) -> HashMap<String, String> {
    let also = |o: &&Object| Some((o.extra.get("sameAs")?.as_str()?.to_owned(), o.id()?.to_owned()));
    objects.iter().flat_map(Object::descendants).filter_map(|o| also(&o)).collect()
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
            if !self.refers_otherwise(object, class, &child, &at) {
                self.place(&mut object.children, class, child, &at);
            }
        }
    }

    /// Where the model has room for one reference and the sidecar's is another, that takes the place.
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
        let [kept, other] = [reference, &*before].map(|r| r.target().unwrap_or_default().to_owned());
        *before = reference.clone();
        beside(object, &reference.class, &other);
        self.conflicts.push(Conflict { at: at.to_owned(), field: reference.class.clone(), kept, other });
        true
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
        let default = class.and_then(|c| c.attribute(&field.name)).and_then(|a| a.unit_default);
        // A value brings its unit along, and never takes over that of another.
        let bring_unit = |object: &mut Object| {
            let Some(name) = unit_name else { return };
            object.fields.retain(|f| f.name != name);
            match (unit_of(other), default) {
                (Some(unit), _) => object.fields.push(unit),
                (None, Some(default)) => object.push(name, default, Origin::model_default()),
                (None, None) => {}
            }
        };
        let Some(own) = before.field(&field.name) else {
            object.fields.push(field.clone());
            bring_unit(object);
            return;
        };
        let symbol = |o: &Object| {
            unit_of(o).and_then(|u| u.value.as_str().map(str::to_owned)).or(default.map(str::to_owned))
        };
        let (own_unit, other_unit) = (symbol(before), symbol(other));
        let replaces = outranks(&object.class, field, own);
        if same(own, own_unit.as_deref(), field, other_unit.as_deref()) {
            // The same said twice; the better origin stays.
            if replaces && own.value == field.value {
                replace(object, field);
            }
            return;
        }
        let (kept, gone) = if replaces {
            (other_pair(field, other_unit), other_pair(own, own_unit))
        } else {
            (other_pair(own, own_unit), other_pair(field, other_unit))
        };
        if replaces {
            replace(object, field);
            bring_unit(object);
        }
        beside(object, &field.name, &gone);
        // A placeholder contradicts nothing.
        if own.origin.kind != OriginKind::Sentinel && field.origin.kind != OriginKind::Sentinel {
            self.conflicts.push(Conflict { at: at.to_owned(), field: field.name.clone(), kept, other: gone });
        }
    }

    /// Settings of one image hold for all that were taken with the same instrument in the same channels, if none of them
    /// is that image. What is of the one image alone (name, day, planes, sizes) stays out.
    fn spread(&mut self, objects: &mut [Object], settings: &Object) -> bool {
        let instrument = settings.child("InstrumentRef").and_then(Object::target);
        // Settings files name their instrument; an image of another document is one of its own.
        if !settings.extra.contains_key("InstrumentID") || instrument.is_none() {
            return false;
        }
        let channels = |image: &Object| -> Option<Vec<String>> {
            let channels = image.child("Pixels")?.children_of("Channel");
            channels.map(|channel| channel.str("Name").map(str::to_lowercase)).collect()
        };
        let names = channels(settings).filter(|names| !names.is_empty());
        let fits = |image: &&mut Object| {
            image.class == "Image"
                && image.child("InstrumentRef").and_then(Object::target) == instrument
                && names.is_some()
                && channels(image) == names
        };
        let mut shot = settings.clone();
        shot.fields.clear();
        shot.extra.clear();
        shot.children.retain(|c| c.class != "StageLabel");
        for pixels in shot.children.iter_mut().filter(|c| c.class == "Pixels") {
            pixels.fields.clear();
            pixels.children.retain(|c| c.class != "Plane");
        }
        let mut found = false;
        for image in objects.iter_mut().filter(fits) {
            self.join(image, None, shot.clone(), "");
            found = true;
        }
        found
    }

    /// The object that says of the same thing: by identifier, by model and maker, by position in the stack, or
    /// because there is only one of its class on either side.
    fn counterpart(&self, others: &[Object], object: &Object) -> Option<usize> {
        let alike: Vec<_> = others.iter().enumerate().filter(|(_, o)| comparable(o, object)).collect();
        let by = |test: &dyn Fn(&Object) -> bool| alike.iter().find(|(_, o)| test(o)).map(|(i, _)| *i);
        let same_id = |o: &Object| {
            let known = object.id().and_then(|id| self.ids.get(id)).map(String::as_str);
            o.id().is_some() && (o.id() == object.id() || o.id() == known)
        };
        if let Some(index) = by(&same_id) {
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
            [(_, only)] if object.class == "Instrument" && contradict(only, object) => None,
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
        let also = object.extra.get("sameAs").and_then(Json::as_str);
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

/// Records a value that gave way; of several sources there may be several.
fn beside(object: &mut Object, field: &str, value: &str) {
    let conflicts = object.extra.entry("conflict").or_insert_with(|| json!({}));
    match &mut conflicts[field] {
        Json::Array(values) => values.push(json!(value)),
        said if said.is_null() || said == value => *said = json!(value),
        said => *said = json!([said.take(), value]),
    }
}

fn replace(object: &mut Object, field: &Field) {
    match object.fields.iter_mut().find(|f| f.name == field.name) {
        Some(old) => *old = field.clone(),
        None => object.fields.push(field.clone()),
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
