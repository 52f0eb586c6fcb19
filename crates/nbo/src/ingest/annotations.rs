//! NBO in the structured annotations of OME-XML: XML fragments, OMERO.mde maps, key-value pairs.

use std::collections::HashMap;

use fairzarr_ome_xml::{Document, Element, Namespaces};
use serde_json::{Map, Value as Json, json};

use crate::catalogue;
use crate::record::{Object, Origin, OriginKind, Record, value};
use crate::xml;

/// Namespace of maps that OMERO.mde writes.
const MDE: &str = "MDE";

/// Adds to the record what the document's annotations say of NBO. Fragments and maps become objects, with
/// the annotation's identifier in `extra`; key-value pairs are kept, and mapped where a name is unambiguous
/// ([`super::pairs`]).
pub(super) fn annotations(document: &Document, record: &mut Record) {
    let root = document.root();
    let at_root = Namespaces::default().within(root);
    let mut pairs = Map::new();
    for list in root.children("StructuredAnnotations") {
        let at_list = at_root.within(list);
        for annotation in list.elements() {
            let id = annotation.attr("ID").unwrap_or_default();
            let namespace = annotation.attr("Namespace");
            let Some(content) = annotation.child("Value") else { continue };
            match annotation.name() {
                "XMLAnnotation" => {
                    let namespaces = at_list.within(annotation).within(content);
                    fragments(content, &namespaces, namespace.is_some_and(xml::is_nbo), id, record);
                }
                "MapAnnotation" if namespace == Some(MDE) => record.objects.extend(mde(content, id)),
                "MapAnnotation" => {
                    let list: Vec<_> = content
                        .children("M")
                        .map(|m| json!([m.attr("K").unwrap_or_default(), m.text()]))
                        .collect();
                    let said: Vec<(String, String)> = content
                        .children("M")
                        .map(|m| (m.attr("K").unwrap_or_default().to_owned(), m.text().into_owned()))
                        .collect();
                    let (mut objects, used) = super::pairs::objects(&said);
                    for object in &mut objects {
                        mark(object, id);
                    }
                    record.objects.extend(objects);
                    let mut kept = json!({"namespace": namespace, "pairs": list});
                    if !used.is_empty() {
                        kept["mapped"] = used.into();
                    }
                    pairs.insert(id.to_owned(), kept);
                }
                _ => {}
            }
        }
    }
    if !pairs.is_empty() {
        record.extra.insert("keyValuePairs".into(), pairs.into());
    }
}

/// NBO elements in the value of an XML annotation. Where the annotation is `named` as NBO, elements of NBO's names are
/// NBO in whatever namespace.
fn fragments<'e>(
    content: &'e Element<'_>,
    namespaces: &Namespaces<'e>,
    named: bool,
    annotation: &str,
    record: &mut Record,
) {
    for fragment in content.elements() {
        let known = catalogue::class(fragment.name()).is_some();
        let namespace = namespaces.within(fragment).of_element(fragment);
        if xml::is_nbo(namespace) || (named && known) {
            let mut found = xml::record(fragment, namespaces).objects;
            for object in &mut found {
                mark(object, annotation);
            }
            record.objects.extend(found);
        }
    }
}

fn mark(object: &mut Object, annotation: &str) {
    object.extra.insert("annotation".into(), annotation.into());
}

/// `OME:Image | OME:Objective | Working Distance` = `190.0 µm`. The unit is in the value, so that no
/// default comes into play; tags are OME attributes with blanks.
fn mde(content: &Element<'_>, annotation: &str) -> Vec<Object> {
    let mut objects: Vec<Object> = Vec::new();
    let mut by_class: HashMap<String, usize> = HashMap::new();
    for pair in content.children("M") {
        let (key, text) = (pair.attr("K").unwrap_or_default(), pair.text());
        let parts: Vec<_> = key.split('|').map(str::trim).collect();
        let [.., node, tag] = parts.as_slice() else { continue };
        let class = node.strip_prefix("OME:").unwrap_or(node);
        let class = match class {
            _ if tag.starts_with("User::") => format!("{class}Settings"),
            "Detector" => "GenericDetector".to_owned(),
            "Filter" => "GenericFilter".to_owned(),
            other => other.to_owned(),
        };
        let position = *by_class.entry(class).or_insert_with_key(|class| {
            let mut object = Object::new(class);
            mark(&mut object, annotation);
            objects.push(object);
            objects.len() - 1
        });
        let element = node.strip_prefix("OME:").unwrap_or(node);
        let element =
            if tag.starts_with("User::") { format!("{element}Settings") } else { element.to_owned() };
        push(&mut objects[position], &element, tag.trim_start_matches("User::"), &text, key);
    }
    objects
}

/// Adds the value of a tag, which is an attribute of this OME element.
fn push(object: &mut Object, element: &str, tag: &str, text: &str, key: &str) {
    let name: String = tag.split_whitespace().collect();
    let default = crate::derive::ome_unit(element, &name);
    let name = match name.as_str() {
        "NominalMagnification" => "Magnification",
        "SerialNumber" => "CatalogNumber",
        "Type" if object.class == "Pixels" => "PixelType",
        other => other,
    };
    let attribute = catalogue::class(&object.class).and_then(|c| c.attribute(name));
    let Some(attribute) = attribute else {
        object.extra.insert(key.to_owned(), Json::from(text));
        return;
    };
    let (number, unit) = text.trim().split_once(char::is_whitespace).unwrap_or((text.trim(), ""));
    let from = Origin::from(OriginKind::Derived, key);
    let has_unit = attribute.unit.filter(|_| !unit.is_empty());
    let mut field = value::field(name, Some(attribute), if has_unit.is_some() { number } else { text });
    field.origin = from.clone();
    object.fields.push(field);
    match (has_unit, attribute.unit, default) {
        (Some(unit_name), ..) => object.push(unit_name, unit.trim(), from),
        // The tag is OME's, and so is what it means without a unit.
        (None, Some(unit_name), Some(default)) => {
            object.push(unit_name, default, Origin::from(OriginKind::Defaulted, "OME 2016-06"));
        }
        _ => {}
    }
}
