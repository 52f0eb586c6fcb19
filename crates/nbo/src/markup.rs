//! Elements by their expanded names: what stands in them, whether two say the same, and how they are written where they
//! are kept as text.
//!
//! Comments, processing instructions and the blanks between elements are passed over: the source bytes are stored beside
//! every record.

use std::borrow::Cow;

use fairzarr_ome_xml::{Content, Element, Namespaces};

/// What stands in an element; blank text only where there are no elements.
pub(crate) fn content<'e, 'a>(element: &'e Element<'a>) -> Vec<Content<'e, 'a>> {
    let mut parts = element.content();
    if parts.iter().any(|part| matches!(part, Content::Element(_))) {
        parts.retain(|part| !matches!(part, Content::Text(text) if text.trim().is_empty()));
    }
    parts
}

/// An attribute other than a namespace declaration.
#[derive(Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Attribute<'e> {
    pub(crate) namespace: &'e str,
    pub(crate) name: &'e str,
    pub(crate) value: &'e str,
}

/// The attributes of an element, given the namespaces in force within it.
pub(crate) fn attributes<'e>(element: &'e Element<'_>, inner: &Namespaces<'e>) -> Vec<Attribute<'e>> {
    let is_declaration = |name: &str| name == "xmlns" || name.starts_with("xmlns:");
    let mut list = Vec::new();
    for (name, value) in element.attributes().filter(|(name, _)| !is_declaration(name)) {
        let local = name.split_once(':').map_or(name, |(_, local)| local);
        list.push(Attribute { namespace: inner.of_attribute(name), name: local, value });
    }
    list
}

/// Writes an element, with every namespace declared where it begins to apply. `outer` are the namespaces in force around
/// it where it was read, `around` is the default namespace where it is written.
pub(crate) fn write<'e>(element: &'e Element<'_>, outer: &Namespaces<'e>, around: &str, out: &mut String) {
    let inner = outer.within(element);
    let namespace = inner.of_element(element);
    open(element.name(), namespace, around, attributes(element, &inner), out);
    let parts = content(element);
    if parts.is_empty() {
        out.push_str("/>");
        return;
    }
    out.push('>');
    for part in &parts {
        match part {
            Content::Element(child) => write(child, &inner, namespace, out),
            Content::Text(text) => out.push_str(&escape_text(text)),
        }
    }
    out.push_str("</");
    out.push_str(element.name());
    out.push('>');
}

/// Writes a start tag up to the bracket that closes it.
pub(crate) fn open<'e>(
    name: &str,
    namespace: &str,
    around: &str,
    attributes: impl IntoIterator<Item = Attribute<'e>>,
    out: &mut String,
) {
    out.push('<');
    out.push_str(name);
    if namespace != around {
        push_attribute(out, "xmlns", namespace);
    }
    let mut prefixes = 0;
    for a in attributes {
        match a.namespace {
            "" => push_attribute(out, a.name, a.value),
            "http://www.w3.org/XML/1998/namespace" => {
                push_attribute(out, &format!("xml:{}", a.name), a.value);
            }
            namespace => {
                prefixes += 1;
                push_attribute(out, &format!("xmlns:n{prefixes}"), namespace);
                push_attribute(out, &format!("n{prefixes}:{}", a.name), a.value);
            }
        }
    }
}

/// Text as it stands between tags.
pub(crate) fn escape_text(text: &str) -> Cow<'_, str> {
    escape(text, |c| match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        _ => None,
    })
}

fn push_attribute(out: &mut String, name: &str, value: &str) {
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
    out.push_str(&escape(value, |c| match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '\'' => Some("&apos;"),
        '"' => Some("&quot;"),
        // Blanks other than the space would be normalised away by the next reader.
        '\n' => Some("&#10;"),
        '\t' => Some("&#9;"),
        '\r' => Some("&#13;"),
        _ => None,
    }));
    out.push('"');
}

fn escape(text: &str, replacement: impl Fn(char) -> Option<&'static str>) -> Cow<'_, str> {
    if !text.contains(|c| replacement(c).is_some()) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match replacement(c) {
            Some(escaped) => out.push_str(escaped),
            None => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Whether two elements say the same by expanded names, whatever the order of their attributes.
pub(crate) fn equal<'e>(a: &'e Element<'_>, b: &'e Element<'_>, outer: [&Namespaces<'e>; 2]) -> bool {
    let (inner_a, inner_b) = (outer[0].within(a), outer[1].within(b));
    let sorted = |element: &'e Element<'_>, inner: &Namespaces<'e>| {
        let mut list = attributes(element, inner);
        list.sort();
        list
    };
    let (parts_a, parts_b) = (content(a), content(b));
    a.name() == b.name()
        && inner_a.of_element(a) == inner_b.of_element(b)
        && sorted(a, &inner_a) == sorted(b, &inner_b)
        && parts_a.len() == parts_b.len()
        && parts_a.iter().zip(&parts_b).all(|pair| match pair {
            (Content::Element(a), Content::Element(b)) => equal(a, b, [&inner_a, &inner_b]),
            (Content::Text(a), Content::Text(b)) => a == b,
            _ => false,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_form_reads_back_equal() {
        let text = r#"<?xml version="1.0"?><!-- c --><a:x xmlns:a="urn:a" xmlns:b="urn:b" k="1 &lt; 2&#10;" b:k="&quot;">
            <a:y>t &amp; <!-- c --><![CDATA[<u>]]></a:y><z xmlns=""/></a:x>"#;
        let tree = Element::parse(text).unwrap();
        let outside = Namespaces::default();
        let mut out = String::new();
        write(&tree, &outside, "", &mut out);
        assert_eq!(
            out,
            "<x xmlns=\"urn:a\" k=\"1 &lt; 2&#10;\" xmlns:n1=\"urn:b\" n1:k=\"&quot;\"><y>t &amp; &lt;u&gt;</y>\
             <z xmlns=\"\"/></x>"
        );
        assert!(equal(&Element::parse(&out).unwrap(), &tree, [&outside, &outside]), "{out}");
    }
}
