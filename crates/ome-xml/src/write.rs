//! From the tree to text. Used only for what cannot stand as it was.

use crate::text::{escape_attribute, escape_text};
use crate::tree::{Element, Node, Tree};
use crate::upgrade::Upgrade;

/// The declaration that made documents start with.
pub(crate) const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// Writes a root with the comments and processing instructions that the tree has before and after its own.
pub(crate) fn document(tree: &Tree<'_>, root: &Element<'_>, upgrade: &mut Upgrade) -> String {
    let mut out = DECLARATION.to_owned();
    for node in &tree.before {
        self::node(node, upgrade, &mut out);
        out.push('\n');
    }
    element(root, upgrade, &mut out);
    for node in &tree.after {
        out.push('\n');
        self::node(node, upgrade, &mut out);
    }
    out.push('\n');
    out
}

pub(crate) fn start_tag<'s>(
    name: &str,
    attributes: impl Iterator<Item = (&'s str, &'s str)>,
    empty: bool,
    out: &mut String,
) {
    out.push('<');
    out.push_str(name);
    for (name, value) in attributes {
        out.push(' ');
        out.push_str(name);
        out.push_str("=\"");
        escape_attribute(value, out);
        out.push('"');
    }
    out.push_str(if empty { "/>" } else { ">" });
}

pub(crate) fn end_tag(name: &str, out: &mut String) {
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

pub(crate) fn cdata(text: &str, out: &mut String) {
    out.push_str("<![CDATA[");
    out.push_str(text);
    out.push_str("]]>");
}

pub(crate) fn comment(text: &str, out: &mut String) {
    out.push_str("<!--");
    out.push_str(text);
    out.push_str("-->");
}

pub(crate) fn pi(text: &str, out: &mut String) {
    out.push_str("<?");
    out.push_str(text);
    out.push_str("?>");
}

fn element(element: &Element<'_>, upgrade: &mut Upgrade, out: &mut String) {
    start_tag(&element.name, element.attributes(), element.nodes.is_empty(), out);
    if !element.nodes.is_empty() {
        for node in &element.nodes {
            self::node(node, upgrade, out);
        }
        end_tag(&element.name, out);
    }
}

fn node(node: &Node<'_>, upgrade: &mut Upgrade, out: &mut String) {
    match node {
        Node::Element(child) => element(child, upgrade, out),
        Node::Run(run) => {
            for (n, child) in run.read_elements().enumerate() {
                if n > 0 {
                    out.push('\n');
                }
                element(&upgrade.bulk(child), upgrade, out);
            }
        }
        Node::Text(text) => escape_text(text, out),
        Node::CData(text) => cdata(text, out),
        Node::Comment(text) => comment(text, out),
        Node::Pi(text) => pi(text, out),
    }
}
