//! `OME/METADATA.ome.xml`: the document without data, in 2016-06, with the Images of the store in the store's order
//! (bioformats2raw layout, "OME-XML metadata"). What need not change is copied from the source text.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use crate::error::Error;
use crate::part;
use crate::tree::{Bulk, Element, Node, Tree};
use crate::upgrade::Upgrade;
use crate::write;

/// The order of the bytes of a sample, where it is stored.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ByteOrder {
    /// The lowest first.
    Little,
    /// The highest first.
    Big,
}

impl ByteOrder {
    /// What `Pixels@BigEndian` says of it.
    pub(crate) fn is_big(self) -> &'static str {
        match self {
            Self::Little => "false",
            Self::Big => "true",
        }
    }
}

/// See [`crate::Document::metadata_of_part`]. `upgraded` is the root in terms of 2016-06 where it is not as it is written.
pub(crate) fn metadata_of_part(
    text: &str,
    tree: &Tree<'_>,
    upgraded: Option<(&Element<'_>, Upgrade)>,
    images: &[(usize, ByteOrder)],
    times: Option<&[u32]>,
) -> Result<String, Error> {
    let root = upgraded.as_ref().map_or(&tree.root, |(root, _)| *root);
    let without_images = images.len() < root.nodes.iter().filter(|node| is_image(node)).count();
    let made = metadata_only(text, tree, upgraded, images)?;
    if without_images || times.is_some() { part::of_part(&made, without_images, times) } else { Ok(made) }
}

/// The Images that are asked for, without their data.
fn metadata_only(
    text: &str,
    tree: &Tree<'_>,
    upgraded: Option<(&Element<'_>, Upgrade)>,
    images: &[(usize, ByteOrder)],
) -> Result<String, Error> {
    if let Some(only) = tree.root.child("BinaryOnly") {
        let metadata_file = only.attr("MetadataFile").unwrap_or_default().to_owned();
        return Err(Error::BinaryOnly { metadata_file });
    }
    match upgraded {
        Some((root, mut upgrade)) => {
            check(root, images)?;
            let mut root = root.clone();
            select(&mut root, images);
            Ok(write::document(tree, &root, &mut upgrade))
        }
        None => {
            check(&tree.root, images)?;
            Ok(edited(text, tree, images))
        }
    }
}

fn check(root: &Element<'_>, images: &[(usize, ByteOrder)]) -> Result<(), Error> {
    let count = root.nodes.iter().filter(|n| is_image(n)).count();
    let mut seen = BTreeSet::new();
    for &(index, _) in images {
        let reason = if index >= count {
            format!("the document has {count}")
        } else if !seen.insert(index) {
            "it is asked for twice".to_owned()
        } else {
            continue;
        };
        return Err(Error::Image { index, reason });
    }
    Ok(())
}

pub(crate) fn is_image(node: &Node<'_>) -> bool {
    matches!(node, Node::Element(e) if !e.foreign && e.name() == "Image")
}

fn is_data(node: &Node<'_>) -> bool {
    match node {
        Node::Run(run) => run.kind == Bulk::TiffData,
        Node::Element(e) => !e.foreign && matches!(e.name(), "BinData" | "MetadataOnly"),
        _ => false,
    }
}

/// The 2016-06 text with as few characters changed as can be.
fn edited(text: &str, tree: &Tree<'_>, images: &[(usize, ByteOrder)]) -> String {
    let found: Vec<&Element<'_>> =
        tree.root.elements().filter(|e| !e.foreign && e.name() == "Image").collect();
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    if let Some(declaration) = unlike_utf8(text, tree) {
        out.push_str(write::DECLARATION.trim_end());
        done = declaration.end;
    }
    for (slot, element) in found.iter().enumerate() {
        out.push_str(&text[done..element.span.start]);
        match images.get(slot) {
            Some(&(index, order)) => image(text, found[index], order, &mut out),
            None => out.truncate(out.trim_end().len()),
        }
        done = element.span.end;
    }
    out.push_str(&text[done..]);
    out
}

/// Where the declaration names another encoding than that of what is written.
pub(crate) fn unlike_utf8(text: &str, tree: &Tree<'_>) -> Option<Range<usize>> {
    let range = tree.declaration.clone()?;
    let declared = text[range.clone()].to_ascii_lowercase();
    (declared.contains("encoding") && !declared.contains("utf-8")).then_some(range)
}

fn image(text: &str, image: &Element<'_>, order: ByteOrder, out: &mut String) {
    let mut done = image.span.start;
    for pixels in image.elements().filter(|e| !e.foreign && e.name() == "Pixels") {
        for (range, replacement) in pixels_edits(text, pixels, order) {
            out.push_str(&text[done..range.start]);
            out.push_str(&replacement);
            done = range.end;
        }
    }
    out.push_str(&text[done..image.span.end]);
}

/// What to replace in a `Pixels`, in order.
fn pixels_edits(text: &str, pixels: &Element<'_>, order: ByteOrder) -> Vec<(Range<usize>, String)> {
    let mut edits: Vec<_> = order_edit(text, pixels, order).into_iter().collect();
    edits.extend(data_edits(text, pixels, &|prefix| format!("<{prefix}MetadataOnly/>"), "MetadataOnly"));
    edits
}

/// `BigEndian` as the samples are stored now, if it says otherwise or nothing.
pub(crate) fn order_edit(
    text: &str,
    pixels: &Element<'_>,
    order: ByteOrder,
) -> Option<(Range<usize>, String)> {
    let wanted = order.is_big();
    let start = pixels.span.start;
    match value_range(&text[start..pixels.span.open_end], "BigEndian") {
        Some(range) if &text[start + range.start..start + range.end] == wanted => None,
        Some(range) => Some((start + range.start..start + range.end, wanted.to_owned())),
        None => {
            let after_name = start + "<".len() + pixels.name.len();
            Some((after_name..after_name, format!(r#" BigEndian="{wanted}""#)))
        }
    }
}

/// Where the value of an attribute stands in a start tag.
pub(crate) fn value_range(tag: &str, name: &str) -> Option<Range<usize>> {
    let mut at = tag.find(char::is_whitespace)?;
    loop {
        let equals = at + tag[at..].find('=')?;
        let quote_at = equals + tag[equals..].find(['"', '\''])?;
        let value = quote_at + 1;
        let quote = &tag[quote_at..value];
        let end = value + tag[value..].find(quote)?;
        if tag[at..equals].trim() == name {
            return Some(value..end);
        }
        at = end + 1;
    }
}

/// What stands for the data in a `Pixels`, given its prefix with the colon, in place of what does now; an only element
/// that is `kept` already stays.
pub(crate) fn data_edits(
    text: &str,
    pixels: &Element<'_>,
    marker: &dyn Fn(&str) -> String,
    kept: &str,
) -> Vec<(Range<usize>, String)> {
    let prefix = pixels.prefix();
    let marker = marker(&if prefix.is_empty() { String::new() } else { format!("{prefix}:") });
    let data: Vec<Range<usize>> = pixels
        .nodes
        .iter()
        .filter(|n| is_data(n))
        .filter_map(|n| match n {
            Node::Run(run) => Some(run.range.clone()),
            Node::Element(e) => Some(e.span.start..e.span.end),
            _ => None,
        })
        .collect();
    match data.split_first() {
        // It may hold more than its name.
        Some((only, [])) if pixels.child(kept).is_some() => {
            debug_assert!(text.get(only.clone()).is_some());
            Vec::new()
        }
        Some((first, rest)) => {
            let mut edits = vec![(first.clone(), marker)];
            for range in rest {
                let blank = text[..range.start].len() - text[..range.start].trim_end().len();
                edits.push((range.start - blank..range.end, String::new()));
            }
            edits
        }
        None if pixels.span.open_end == pixels.span.end => {
            let start = pixels.span.end - 2;
            vec![(start..pixels.span.end, format!(">{marker}</{}>", pixels.name))]
        }
        None => {
            let channels = pixels.children("Channel").last();
            let at = channels.map_or(pixels.span.open_end, |c| c.span.end);
            vec![(at..at, marker)]
        }
    }
}

/// The same on a tree that is to be written anew.
fn select(root: &mut Element<'_>, images: &[(usize, ByteOrder)]) {
    let mut taken: Vec<Option<Node<'_>>> = Vec::new();
    let mut slots = Vec::new();
    for (at, node) in root.nodes.iter_mut().enumerate() {
        if is_image(node) {
            slots.push(at);
            taken.push(Some(std::mem::replace(node, Node::Text(Cow::Borrowed("")))));
        }
    }
    for (slot, (index, order)) in slots.into_iter().zip(images) {
        let Some(Node::Element(mut image)) = taken.get_mut(*index).and_then(Option::take) else { continue };
        for node in &mut image.nodes {
            if let Node::Element(pixels) = node
                && pixels.name() == "Pixels"
                && !pixels.foreign
            {
                without_data(pixels);
                pixels.set("BigEndian", order.is_big());
            }
        }
        root.nodes[slot] = Node::Element(image);
    }
}

fn without_data(pixels: &mut Element<'_>) {
    let prefix = pixels.prefix();
    let name = if prefix.is_empty() { "MetadataOnly".to_owned() } else { format!("{prefix}:MetadataOnly") };
    let marker = Node::Element(Box::new(Element { name: name.into(), ..Element::default() }));
    let after_channels = pixels
        .nodes
        .iter()
        .rposition(|n| matches!(n, Node::Element(e) if !e.foreign && e.name() == "Channel"))
        .map_or(0, |n| n + 1);
    let at = pixels.nodes.iter().position(is_data).unwrap_or(after_channels);
    pixels.nodes.insert(at, marker);
    let mut n = 0;
    pixels.nodes.retain(|node| {
        n += 1;
        n - 1 == at || !is_data(node)
    });
}
