//! XML that is not OME's, such as NBO documents and fragments, into the same tree.

use quick_xml::events::Event;
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;

use crate::error::{Error, Warnings};
use crate::parser;
use crate::tree::Element;

impl<'a> Element<'a> {
    /// Reads a document of any vocabulary. Unlike an OME document, which is read as well as can be, it must be
    /// well-formed.
    ///
    /// # Errors
    ///
    /// [`Error::NotXml`] and [`Error::NotWellFormed`] where it is not, [`Error::Doctype`] for a document type with
    /// declarations, [`Error::Limit`] where reading on would be unsafe.
    pub fn parse(text: &'a str) -> Result<Self, Error> {
        let mut warnings = Warnings::default();
        let tree = parser::parse_any(text, &mut warnings)?;
        if tree.strict {
            return Ok(tree.root);
        }
        let first = warnings.finish().into_iter().next();
        let (offset, reason) = first.map_or((None, String::new()), |w| (w.offset, w.message));
        Err(Error::NotWellFormed { offset: offset.unwrap_or_default(), reason })
    }
}

/// The namespace of a document's root element, read without the rest of it; empty where it is in none, `None` where
/// there is no element.
pub fn root_namespace(text: &str) -> Option<String> {
    let mut reader = NsReader::from_str(text.trim_start_matches('\u{feff}'));
    loop {
        match reader.read_resolved_event().ok()? {
            (namespace, Event::Start(_) | Event::Empty(_)) => {
                return Some(match namespace {
                    ResolveResult::Bound(namespace) => namespace.as_ref().to_owned(),
                    ResolveResult::Unbound | ResolveResult::Unknown(_) => String::new(),
                });
            }
            (_, Event::Eof | Event::DocType(_)) => return None,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Namespaces;

    #[test]
    fn any_vocabulary_is_read_with_its_namespaces() {
        let text = "\u{feff}<?xml version='1.0'?><!-- c --><a:x xmlns:a='urn:a' xmlns:b='urn:b' b:k='1'><a:y/><z/></a:x>";
        let root = Element::parse(text).unwrap();
        let namespaces = Namespaces::default().within(&root);
        assert_eq!((root.name(), namespaces.of_element(&root)), ("x", "urn:a"));
        assert_eq!(namespaces.of_attribute("b:k"), "urn:b");
        assert_eq!(namespaces.of_attribute("k"), "");
        let children: Vec<_> = root.elements().map(|e| namespaces.within(e).of_element(e)).collect();
        assert_eq!(children, ["urn:a", ""]);
        assert_eq!(root_namespace(text).as_deref(), Some("urn:a"));
    }

    #[test]
    fn what_is_not_well_formed_or_expands_is_refused() {
        let hostile = "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>";
        for text in
            ["", "<a>", "<a/><b/>", hostile, "<!DOCTYPE a><a/>", "<a>&e;</a>", "<a><b></a>", "<a></b></a>"]
        {
            assert!(Element::parse(text).is_err(), "{text}");
        }
        let deep = "<a>".repeat(201) + &"</a>".repeat(201);
        assert!(matches!(Element::parse(&deep), Err(Error::Limit { .. })));
        let fits = "<a>".repeat(200) + &"</a>".repeat(200);
        assert!(Element::parse(&fits).is_ok());
    }
}
