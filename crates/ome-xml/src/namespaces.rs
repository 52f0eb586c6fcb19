//! What prefixes stand for, on the way from the root to an element.

use crate::tree::{Element, namespace_prefix, prefix, same};

/// Namespace declarations in force, innermost last. An [`Element`] knows its name as it is written; a walk down the tree
/// carries this along, and asks it what namespace a name is in.
#[derive(Clone, Debug, Default)]
pub struct Namespaces<'e> {
    bindings: Vec<(&'e str, &'e str)>,
}

impl<'e> Namespaces<'e> {
    /// Those in force inside of an element, when these are in force around it.
    #[must_use]
    pub fn within(&self, element: &'e Element<'_>) -> Self {
        let mut inner = self.clone();
        for attr in &element.attrs {
            if let Some(prefix) = namespace_prefix(&attr.name) {
                inner.bind(prefix, &attr.value);
            }
        }
        inner
    }

    /// The namespace of an element's name, given those in force within it; empty where it is in none.
    pub fn of_element(&self, element: &Element<'_>) -> &'e str {
        self.of(element.prefix())
    }

    /// The namespace of an attribute's name; empty where it has no prefix.
    pub fn of_attribute(&self, name: &str) -> &'e str {
        match prefix(name) {
            "" => "",
            prefix => self.of(prefix),
        }
    }

    pub(crate) fn of(&self, prefix: &str) -> &'e str {
        match prefix {
            // Bound without being declared.
            "xml" => XML,
            prefix => self.bindings.iter().rev().find(|b| same(b.0, prefix)).map_or("", |b| b.1),
        }
    }

    pub(crate) fn bind(&mut self, prefix: &'e str, namespace: &'e str) {
        self.bindings.push((prefix, namespace));
    }
}

/// What the prefix `xml` always stands for.
const XML: &str = "http://www.w3.org/XML/1998/namespace";
