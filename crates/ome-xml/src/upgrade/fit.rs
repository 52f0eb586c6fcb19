//! What 2016-06 has no place for goes, and children take the schema's order.

use crate::schema_2016_06;
use crate::tree::{Element, Node, namespace_prefix, prefix};
use crate::upgrade::Upgrade;

pub(super) fn descend(element: &mut Element<'_>, upgrade: &mut Upgrade) {
    if element.foreign {
        return;
    }
    let name = element.name().to_owned();
    let Some((attributes, children)) = schema_2016_06::of(&name) else { return };
    element.attrs.retain(|a| {
        let fits = attributes.split(' ').any(|known| known == a.name)
            || namespace_prefix(&a.name).is_some()
            || !prefix(&a.name).is_empty();
        if !fits {
            upgrade.note(&format!("`{name}@{}` left out: 2016-06 does not have it", a.name));
        }
        fits
    });
    identify(element, &name, upgrade);
    // Any XML may stand in the value of an annotation.
    if name == "Value" {
        return;
    }
    let mut groups: Vec<(usize, Vec<Node<'_>>)> = Vec::new();
    let mut before = Vec::new();
    for node in std::mem::take(&mut element.nodes) {
        let child = match &node {
            Node::Element(e) if e.foreign => None,
            Node::Element(e) => Some(e.name()),
            Node::Run(run) => Some(run.kind.name()),
            _ => {
                before.push(node);
                continue;
            }
        };
        let rank = match child {
            // Foreign elements stay behind what they follow.
            None => groups.last().map_or(0, |g| g.0),
            Some(child) => match schema_2016_06::rank(children, child) {
                Some(rank) => rank,
                None => {
                    upgrade.note(&format!("`{child}` of `{name}` left out: 2016-06 does not have it"));
                    before.retain(|n| !n.is_blank());
                    continue;
                }
            },
        };
        let mut group = std::mem::take(&mut before);
        group.push(node);
        groups.push((rank, group));
    }
    if !groups.is_sorted_by_key(|g| g.0) {
        groups.sort_by_key(|g| g.0);
        upgrade.note(&format!("children of `{name}` put in the order of 2016-06"));
    }
    element.nodes = groups.into_iter().flat_map(|g| g.1).chain(before).collect();
    for child in element.elements_mut() {
        descend(child, upgrade);
    }
}

/// IDs and references take the form `<kind>:<anything>` that the schema demands since 2008.
fn identify(element: &mut Element<'_>, name: &str, upgrade: &mut Upgrade) {
    let kind = id_kind(name);
    for attr in &mut element.attrs {
        let kind = match &*attr.name {
            "ID" => kind,
            "Annotator" => "Experimenter",
            _ => continue,
        };
        let blank = attr.value.contains(char::is_whitespace);
        let kind_first =
            attr.value.strip_prefix(kind).is_some_and(|rest| rest.len() > 1 && rest.starts_with(':'));
        let lsid = attr.value.starts_with("urn:lsid:") && attr.value.contains(&format!(":{kind}:"));
        if blank || !(kind_first || lsid) {
            let id = attr.value.replace(char::is_whitespace, "_");
            attr.value = if kind_first || lsid { id } else { format!("{kind}:{id}") }.into();
            upgrade.note(&format!("ID form changed to `{kind}:…`"));
        }
    }
}

/// What an `ID` of an element identifies.
fn id_kind(name: &str) -> &str {
    match name {
        "Laser"
        | "Arc"
        | "Filament"
        | "LightEmittingDiode"
        | "GenericExcitationSource"
        | "LightSourceSettings"
        | "Pump" => "LightSource",
        "Line" | "Ellipse" | "Label" | "Mask" | "Point" | "Polygon" | "Rectangle" | "Polyline" => "Shape",
        "ObjectiveSettings" => "Objective",
        "DetectorSettings" => "Detector",
        "Leader" => "Experimenter",
        "ExcitationFilterRef" | "EmissionFilterRef" => "Filter",
        name if name.ends_with("Annotation") => "Annotation",
        name => name.strip_suffix("Ref").unwrap_or(name),
    }
}
