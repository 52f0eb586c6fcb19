//! A small XML tree with expanded names, for documents whose vocabulary is looked up at run time.
//!
//! Comments, processing instructions and the blanks between elements are not kept: the source bytes
//! are stored beside every record. Document types are refused, so that no entity can expand.

use quick_xml::NsReader;
use quick_xml::XmlVersion;
use quick_xml::escape::{escape, partial_escape};
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;

use crate::Error;

/// An element. An empty `namespace` is none.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Element {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) attributes: Vec<Attr>,
    pub(crate) nodes: Vec<Node>,
}

/// An attribute other than a namespace declaration.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Attr {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) value: String,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Element(Element),
    Text(String),
}

impl Element {
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|a| a.namespace.is_empty() && a.name == name).map(|a| a.value.as_str())
    }

    pub(crate) fn elements(&self) -> impl Iterator<Item = &Element> {
        self.nodes.iter().filter_map(|n| match n {
            Node::Element(e) => Some(e),
            Node::Text(_) => None,
        })
    }

    pub(crate) fn children<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.elements().filter(move |e| e.name == name)
    }

    pub(crate) fn child(&self, name: &str) -> Option<&Element> {
        self.elements().find(|e| e.name == name)
    }

    /// The text directly inside, joined.
    pub(crate) fn text(&self) -> String {
        self.nodes
            .iter()
            .filter_map(|n| match n {
                Node::Text(t) => Some(t.as_str()),
                Node::Element(_) => None,
            })
            .collect()
    }

    /// Writes the element with every namespace declared where it begins to apply.
    pub(crate) fn write(&self, outer: &str, out: &mut String) {
        out.push('<');
        out.push_str(&self.name);
        if self.namespace != outer {
            push_attribute(out, "xmlns", &self.namespace);
        }
        let mut prefixes = 0;
        for a in &self.attributes {
            match a.namespace.as_str() {
                "" => push_attribute(out, &a.name, &a.value),
                "http://www.w3.org/XML/1998/namespace" => {
                    push_attribute(out, &format!("xml:{}", a.name), &a.value);
                }
                namespace => {
                    prefixes += 1;
                    push_attribute(out, &format!("xmlns:n{prefixes}"), namespace);
                    push_attribute(out, &format!("n{prefixes}:{}", a.name), &a.value);
                }
            }
        }
        if self.nodes.is_empty() {
            out.push_str("/>");
            return;
        }
        out.push('>');
        for node in &self.nodes {
            match node {
                Node::Element(e) => e.write(&self.namespace, out),
                Node::Text(t) => out.push_str(&partial_escape(t.as_str())),
            }
        }
        out.push_str("</");
        out.push_str(&self.name);
        out.push('>');
    }
}

fn push_attribute(out: &mut String, name: &str, value: &str) {
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
    // Blanks other than the space would be normalised away by the next reader.
    out.push_str(&escape(value).replace('\n', "&#10;").replace('\t', "&#9;").replace('\r', "&#13;"));
    out.push('"');
}

/// Parses a document; the contents of elements named in `skip` are left out.
///
/// # Errors
/// [`Error::Xml`] where the text is not well-formed, nests deeper than [`MAX_DEPTH`] or has a document type.
pub(crate) fn parse(text: &str, skip: &[&str]) -> Result<Element, Error> {
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = NsReader::from_str(text);
    // The chain of open elements; the finished root ends up in `root`.
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    let mut skipped = 0_usize;
    loop {
        let position = reader.buffer_position();
        let fail = |why: String| Error::Xml { position, why };
        let (namespace, event) = match reader.read_resolved_event() {
            Ok((namespace, event)) => (resolved(&namespace), event),
            Err(e) => return Err(fail(e.to_string())),
        };
        match event {
            Event::Start(_) if skipped > 0 => skipped += 1,
            Event::End(_) if skipped > 0 => skipped -= 1,
            Event::Eof if skipped == 0 && open.is_empty() => break,
            Event::Eof => return Err(fail("the document ends inside an element".into())),
            _ if skipped > 0 => {}
            Event::Start(start) => {
                let element = element(&reader, namespace, &start).map_err(fail)?;
                if skip.contains(&element.name.as_str()) {
                    skipped = 1;
                } else if open.len() >= MAX_DEPTH {
                    return Err(fail(format!("elements nest deeper than {MAX_DEPTH}")));
                } else {
                    open.push(element);
                }
            }
            Event::Empty(start) => {
                let element = element(&reader, namespace, &start).map_err(fail)?;
                if !skip.contains(&element.name.as_str()) {
                    close(element, &mut open, &mut root).map_err(fail)?;
                }
            }
            Event::End(_) => {
                let Some(mut element) = open.pop() else {
                    return Err(fail("an element ends that did not begin".into()));
                };
                if element.nodes.iter().any(|n| matches!(n, Node::Element(_))) {
                    element.nodes.retain(|n| !matches!(n, Node::Text(t) if t.trim().is_empty()));
                }
                close(element, &mut open, &mut root).map_err(fail)?;
            }
            Event::Text(t) => push_text(&mut open, &t.xml10_content()),
            Event::CData(t) => push_text(&mut open, &t.xml10_content()),
            Event::GeneralRef(r) => {
                let text = if let Some(c) = r.resolve_char_ref().map_err(|e| fail(e.to_string()))? {
                    c.to_string()
                } else {
                    let name: &str = &r;
                    quick_xml::escape::resolve_xml_entity(name)
                        .ok_or_else(|| fail(format!("unknown entity '{name}'")))?
                        .to_owned()
                };
                push_text(&mut open, &text);
            }
            Event::DocType(_) => return Err(fail("document types are not accepted".into())),
            Event::Comment(_) | Event::PI(_) | Event::Decl(_) => {}
        }
    }
    root.ok_or(Error::Xml { position: 0, why: "there is no element".into() })
}

/// The namespace of the first element; `None` if there is no element.
pub(crate) fn root_namespace(text: &str) -> Option<String> {
    let mut reader = NsReader::from_str(text.trim_start_matches('\u{feff}'));
    loop {
        match reader.read_resolved_event().ok()? {
            (namespace, Event::Start(_) | Event::Empty(_)) => return Some(resolved(&namespace)),
            (_, Event::Eof | Event::DocType(_)) => return None,
            _ => {}
        }
    }
}

const MAX_DEPTH: usize = 200;

fn resolved(namespace: &ResolveResult) -> String {
    match namespace {
        ResolveResult::Bound(n) => n.as_ref().to_owned(),
        ResolveResult::Unbound | ResolveResult::Unknown(_) => String::new(),
    }
}

fn element(reader: &NsReader<&[u8]>, namespace: String, start: &BytesStart) -> Result<Element, String> {
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|e| e.to_string())?;
        if attribute.key.as_namespace_binding().is_some() {
            continue;
        }
        let (ns, name) = reader.resolver().resolve_attribute(attribute.key);
        attributes.push(Attr {
            namespace: resolved(&ns),
            name: name.as_ref().to_owned(),
            value: attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|e| e.to_string())?
                .into_owned(),
        });
    }
    Ok(Element { namespace, name: start.local_name().as_ref().to_owned(), attributes, nodes: Vec::new() })
}

fn push_text(open: &mut [Element], text: &str) {
    if let Some(parent) = open.last_mut() {
        match parent.nodes.last_mut() {
            Some(Node::Text(before)) => before.push_str(text),
            _ => parent.nodes.push(Node::Text(text.to_owned())),
        }
    }
}

fn close(element: Element, open: &mut [Element], root: &mut Option<Element>) -> Result<(), String> {
    if let Some(parent) = open.last_mut() {
        parent.nodes.push(Node::Element(element));
    } else if root.is_none() {
        *root = Some(element);
    } else {
        return Err("a second root element begins".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_form_reads_back_equal() {
        let text = r#"<?xml version="1.0"?><!-- c --><a:x xmlns:a="urn:a" xmlns:b="urn:b" k="1 &lt; 2&#10;" b:k="&quot;">
            <a:y>t &amp; <![CDATA[<u>]]></a:y><z xmlns=""/></a:x>"#;
        let tree = parse(text, &[]).unwrap();
        assert_eq!(tree.child("y").unwrap().text(), "t & <u>");
        let mut out = String::new();
        tree.write("", &mut out);
        assert_eq!(parse(&out, &[]).unwrap(), tree, "{out}");
    }

    #[test]
    fn refuses_what_is_not_well_formed_or_expands() {
        for text in ["", "<a>", "<a/><b/>", "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>", "<a>&e;</a>"] {
            assert!(parse(text, &[]).is_err(), "{text}");
        }
        let deep = "<a>".repeat(MAX_DEPTH + 1) + &"</a>".repeat(MAX_DEPTH + 1);
        assert!(parse(&deep, &[]).is_err());
    }
}
