//! Older schema versions brought to 2016-06.
//!
//! Names and places changed from version to version, but hardly ever came to mean something else. So one set of rules,
//! each harmless where its case does not arise, serves all versions: [`rename`] for what an element can do by itself,
//! [`moves`] for what concerns several, and [`fit`] to leave out and put in order what the 2016-06 schema demands.

mod fit;
mod moves;
mod rename;

use std::fmt;

use crate::schema::{NAMESPACE_2016_06, SchemaVersion};
use crate::tree::{Attr, Element, Node, Tree, local, namespace_prefix};

/// One thing that the upgrade did; serialised for reports.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize)]
pub struct Change {
    /// What was done.
    pub what: String,
    /// How often.
    pub count: usize,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.what, self.count)
    }
}

/// Brings one document to 2016-06 and keeps account.
#[derive(Clone, Debug)]
pub(crate) struct Upgrade {
    /// False where the document is 2016-06 already, in the schema's own spelling.
    needed: bool,
    /// Older than 2016-06: what has no place in that version goes.
    older: bool,
    /// Prefix of the root, to be that of all OME elements.
    prefix: String,
    changes: Vec<Change>,
}

impl Upgrade {
    pub(crate) fn new(tree: &Tree<'_>) -> Self {
        let schema = SchemaVersion::of_namespace(&tree.namespace);
        let older = schema < SchemaVersion::V2016_06;
        let needed = schema != SchemaVersion::V2016_06 || tree.root.name() != "OME" || !tree.strict;
        Self { needed, older, prefix: tree.root.prefix().to_owned(), changes: Vec::new() }
    }

    /// True where the document itself can stand as 2016-06.
    pub(crate) fn is_needed(&self) -> bool {
        self.needed
    }

    pub(crate) fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// The whole document but for the elements of runs.
    pub(crate) fn root<'a>(&mut self, mut root: Element<'a>) -> Element<'a> {
        self.names(&mut root, true);
        self.root_attributes(&mut root);
        if self.older {
            rename::descend(&mut root, self);
            moves::resolve(&mut root, self);
            fit::descend(&mut root, self);
        }
        root
    }

    /// A `Plane` or `TiffData` of a run.
    pub(crate) fn bulk<'a>(&mut self, mut element: Element<'a>) -> Element<'a> {
        if self.needed {
            self.names(&mut element, true);
            if self.older {
                rename::descend(&mut element, self);
                fit::descend(&mut element, self);
            }
        }
        element
    }

    fn note(&mut self, what: &str) {
        match self.changes.iter_mut().find(|c| c.what == what) {
            Some(change) => change.count += 1,
            None => self.changes.push(Change { what: what.to_owned(), count: 1 }),
        }
    }

    /// A new element in the document's namespace.
    fn make<'a>(&self, name: &str) -> Element<'a> {
        Element { name: self.qualify(name).into(), ..Element::default() }
    }

    /// A new reference, `<name ID="…"/>`.
    fn reference<'a>(&self, name: &str, id: &str) -> Element<'a> {
        Element { attrs: vec![Attr::new("ID", id.to_owned())], ..self.make(name) }
    }

    fn qualify(&self, name: &str) -> String {
        if self.prefix.is_empty() { name.to_owned() } else { format!("{}:{name}", self.prefix) }
    }

    /// One namespace, one prefix, and the schema's spelling of names. Content of XML annotations keeps its names.
    fn names(&mut self, element: &mut Element<'_>, known: bool) {
        if !element.foreign {
            let name = element.name().to_owned();
            let spelled =
                if known { crate::schema_2016_06::spelling(&name).filter(|s| *s != name) } else { None };
            if let Some(spelled) = spelled {
                self.note(&format!("`{name}` spelled `{spelled}`"));
            }
            let qualified = self.qualify(spelled.unwrap_or(&name));
            if element.name != qualified {
                element.name = qualified.into();
            }
            element
                .attrs
                .retain(|a| namespace_prefix(&a.name).is_none() || !crate::schema::is_ome_family(&a.value));
            if known {
                self.attribute_names(element);
            }
        }
        let known = known && (element.foreign || element.name() != "Value");
        for node in &mut element.nodes {
            match node {
                Node::Element(child) => self.names(child, known),
                Node::Text(text) | Node::CData(text)
                    if text.chars().any(|c| !crate::text::is_xml_char(c)) =>
                {
                    *text = clean(text).into();
                }
                _ => {}
            }
        }
    }

    fn attribute_names(&mut self, element: &mut Element<'_>) {
        let name = element.name().to_owned();
        for attr in &mut element.attrs {
            if attr.value.chars().any(|c| !crate::text::is_xml_char(c)) {
                attr.value = clean(&attr.value).into();
                self.note("characters that XML forbids replaced");
            }
            if crate::schema_2016_06::of(&name)
                .is_some_and(|(known, _)| known.split(' ').any(|k| k == attr.name))
            {
                continue;
            }
            // Older schemas have lower-case attributes of their own, which have their own rules.
            if !self.older
                && let Some(spelled) = crate::schema_2016_06::attribute_spelling(&name, &attr.name)
            {
                self.note(&format!("`{name}@{}` spelled `{spelled}`", attr.name));
                attr.name = spelled.into();
            }
        }
    }

    fn root_attributes(&mut self, root: &mut Element<'_>) {
        let declaration =
            if self.prefix.is_empty() { "xmlns".into() } else { format!("xmlns:{}", self.prefix) };
        root.attrs.retain(|a| a.name != declaration);
        root.attrs.insert(0, Attr::new(declaration, NAMESPACE_2016_06));
        for attr in &mut root.attrs {
            if local(&attr.name) == "schemaLocation" {
                attr.value = format!("{NAMESPACE_2016_06} {NAMESPACE_2016_06}/ome.xsd").into();
            }
        }
        self.note("namespace changed to OME 2016-06");
    }
}

fn clean(text: &str) -> String {
    text.chars().map(|c| if crate::text::is_xml_char(c) { c } else { char::REPLACEMENT_CHARACTER }).collect()
}

/// Tools for the rules.
impl<'a> Element<'a> {
    pub(crate) fn set(&mut self, name: &str, value: impl Into<std::borrow::Cow<'a, str>>) {
        match self.attrs.iter_mut().find(|a| a.name == name) {
            Some(attr) => attr.value = value.into(),
            None => self.attrs.push(Attr::new(name.to_owned(), value)),
        }
    }

    fn take(&mut self, name: &str) -> Option<std::borrow::Cow<'a, str>> {
        let at = self.attrs.iter().position(|a| a.name == name)?;
        Some(self.attrs.remove(at).value)
    }

    fn push_element(&mut self, child: Element<'a>) {
        self.nodes.push(Node::Element(Box::new(child)));
    }

    fn elements_mut(&mut self) -> impl Iterator<Item = &mut Element<'a>> {
        self.nodes.iter_mut().filter_map(|n| match n {
            Node::Element(e) => Some(&mut **e),
            _ => None,
        })
    }

    /// Takes out the OME children of a name, with the white space before each.
    fn take_children(&mut self, name: &str) -> Vec<Element<'a>> {
        let mut taken = Vec::new();
        let mut kept: Vec<Node<'a>> = Vec::with_capacity(self.nodes.len());
        for node in std::mem::take(&mut self.nodes) {
            match node {
                Node::Element(e) if !e.foreign && e.name() == name => {
                    if kept.last().is_some_and(Node::is_blank) {
                        kept.pop();
                    }
                    taken.push(*e);
                }
                node => kept.push(node),
            }
        }
        self.nodes = kept;
        taken
    }
}
