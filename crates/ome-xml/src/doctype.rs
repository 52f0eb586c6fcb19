//! Declarations of a document type are not read. Here is what they could change of a document.

use crate::tree::{Element, Node, local};

/// Whether a document type gives attributes values of its own: sizes and planes could be among them.
pub(crate) fn declares_attributes(doctype: &str) -> bool {
    doctype.contains("<!ATTLIST") || doctype.contains('%')
}

/// Entities that a document type may declare, but not change.
const PREDEFINED: [&str; 5] = ["lt", "gt", "amp", "apos", "quot"];

/// Whether what the planes depend on refers to an entity of a document type: anything in `Pixels`, where the document says that
/// it lies elsewhere, and text where elements are expected.
pub(crate) fn uses_entities(text: &str, root: &Element<'_>, doctype: &str) -> bool {
    let declared = doctype.split("<!ENTITY").skip(1);
    let names = declared.filter_map(|declaration| declaration.split_whitespace().next());
    let entities: Vec<&str> = names.filter(|name| !PREDEFINED.contains(name)).collect();
    let refers = |part: &str| {
        let mut names = part.split('&').skip(1).map(|rest| rest.split(';').next().unwrap_or_default());
        names.any(|name| entities.contains(&name))
    };
    let is_image = |element: &Element<'_>| local(element.name()).eq_ignore_ascii_case("Image");
    let decides = |element: &Element<'_>| {
        ["Pixels", "BinaryOnly"].iter().any(|name| local(element.name()).eq_ignore_ascii_case(name))
    };
    let uses = |element: &Element<'_>| refers(text.get(element.span.start..element.span.end).unwrap_or(text));
    // What stands between elements can become elements.
    let in_text = |element: &Element<'_>| {
        element.nodes.iter().any(|node| matches!(node, Node::Text(text) if refers(text)))
    };
    let mut below = root.elements().flat_map(Element::elements);
    in_text(root)
        || root
            .elements()
            .any(|element| (is_image(element) && in_text(element)) || (decides(element) && uses(element)))
        || below.any(|element| decides(element) && uses(element))
}
