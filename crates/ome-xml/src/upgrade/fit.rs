//! What 2016-06 has no place for goes, and children take the schema's order.

use crate::allowed;
use crate::tree::{Element, Node, namespace_prefix, prefix};
use crate::upgrade::Upgrade;

pub(super) fn descend(element: &mut Element<'_>, upgrade: &mut Upgrade) {
    if element.foreign {
        return;
    }
    let name = element.name().to_owned();
    let Some((attributes, children)) = allowed::of(&name) else { return };
    element.attrs.retain(|a| {
        let fits = attributes.split(' ').any(|known| known == a.name)
            || namespace_prefix(&a.name).is_some()
            || !prefix(&a.name).is_empty();
        if !fits {
            upgrade.note(&format!("`{name}@{}` left out: 2016-06 does not have it", a.name));
        }
        fits
    });
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
            Some(child) => match allowed::rank(children, child) {
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
