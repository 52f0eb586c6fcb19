//! The element tree of a document, borrowed from its text.
//!
//! The two elements that come by the hundred thousand, `Plane` and `TiffData` in `Pixels`, are not expanded: a [`Run`]
//! remembers where in the text they stand, and `Run::elements` (in `bulk`) reads them one at a time. All else is small
//! and becomes [`Element`]s. Nothing is lost: comments, CDATA, processing instructions and white space are nodes.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use crate::error::Warning;
use crate::text::unescape;

/// An element with everything in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Element<'a> {
    pub(crate) name: Cow<'a, str>,
    pub(crate) foreign: bool,
    pub(crate) attrs: Vec<Attr<'a>>,
    pub(crate) nodes: Vec<Node<'a>>,
    pub(crate) span: Span,
}

/// Where an element stands in the text; all zero for elements that were made.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Span {
    pub(crate) start: usize,
    /// After the `>` of the start tag.
    pub(crate) open_end: usize,
    /// Before the `<` of the end tag; `open_end` and `end` again for an empty-element tag.
    pub(crate) close_start: usize,
    pub(crate) end: usize,
}

/// A part of what stands in an element.
#[derive(Clone, Debug, PartialEq)]
pub enum Content<'e, 'a> {
    /// A child element.
    Element(&'e Element<'a>),
    /// Text, unescaped.
    Text(Cow<'e, str>),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Attr<'a> {
    pub(crate) name: Cow<'a, str>,
    /// Normalised and unescaped.
    pub(crate) value: Cow<'a, str>,
}

/// What can stand in an element.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node<'a> {
    Element(Box<Element<'a>>),
    Run(Box<Run<'a>>),
    /// Unescaped.
    Text(Cow<'a, str>),
    CData(Cow<'a, str>),
    Comment(Cow<'a, str>),
    Pi(Cow<'a, str>),
}

/// Consecutive elements of one bulk kind, with white space only between them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Run<'a> {
    pub(crate) kind: Bulk,
    pub(crate) range: Range<usize>,
    pub(crate) count: usize,
    pub(crate) text: &'a str,
    pub(crate) scope: Arc<[Binding<'a>]>,
    pub(crate) case_blind: bool,
}

/// The elements that come in bulk.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Bulk {
    Plane,
    TiffData,
}

impl Bulk {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Plane => "Plane",
            Self::TiffData => "TiffData",
        }
    }

    pub(crate) fn of(local: &str) -> Option<Self> {
        match local {
            _ if local.eq_ignore_ascii_case("Plane") => Some(Self::Plane),
            _ if local.eq_ignore_ascii_case("TiffData") => Some(Self::TiffData),
            _ => None,
        }
    }
}

/// A whole document.
#[derive(Clone, Debug)]
pub(crate) struct Tree<'a> {
    /// Comments and processing instructions before the root.
    pub(crate) before: Vec<Node<'a>>,
    pub(crate) root: Element<'a>,
    pub(crate) after: Vec<Node<'a>>,
    /// The text from the root's end on, and what stands before the root.
    pub(crate) declaration: Option<Range<usize>>,
    /// False where reading had to overlook what XML forbids.
    pub(crate) strict: bool,
    /// What was not read at all, though it is OME's own document.
    pub(crate) passed_over: Vec<Warning>,
    /// Namespace of the root, empty where it has none.
    pub(crate) namespace: String,
}

/// A prefix and what it stands for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Binding<'a> {
    pub(crate) depth: usize,
    pub(crate) prefix: &'a str,
    pub(crate) ome: bool,
}

/// What hostile input may not exceed.
pub(crate) struct Limits;

impl Limits {
    pub(crate) const BYTES: u64 = 1 << 30;
    /// JSON nests two levels for each, and common readers of JSON stop at 128.
    pub(crate) const DEPTH: usize = 60;
    /// In documents that never become JSON.
    pub(crate) const DEPTH_OF_ANY: usize = 200;
    /// Each element looks its prefix up among them.
    pub(crate) const NAMESPACES: usize = 100;
    pub(crate) const ATTRIBUTES: usize = 1024;
    pub(crate) const NAME: usize = 1024;
    /// Elements outside of runs; each costs about two hundred bytes.
    pub(crate) const ELEMENTS: usize = 4_000_000;
}

impl<'a> Element<'a> {
    /// The name without prefix.
    pub fn name(&self) -> &str {
        local(&self.name)
    }

    /// The value of an attribute.
    pub fn attr(&self, name: &str) -> Option<&str> {
        self.attrs.iter().find(|a| a.name == name).map(|a| &*a.value)
    }

    /// Attributes in document order, namespace declarations included.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.attrs.iter().map(|a| (&*a.name, &*a.value))
    }

    /// Child elements in document order.
    pub fn elements(&self) -> impl Iterator<Item = &Element<'a>> {
        self.nodes.iter().filter_map(|n| match n {
            Node::Element(e) => Some(&**e),
            _ => None,
        })
    }

    /// Child elements of a name (without prefix).
    pub fn children<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s Element<'a>> {
        self.elements().filter(move |e| e.name() == name)
    }

    /// The first child element of a name (without prefix).
    pub fn child(&self, name: &str) -> Option<&Element<'a>> {
        self.elements().find(|e| e.name() == name)
    }

    /// The text directly in the element, CDATA included, comments left out.
    pub fn text(&self) -> Cow<'_, str> {
        let mut parts = self.nodes.iter().filter_map(|n| match n {
            Node::Text(t) | Node::CData(t) => Some(&**t),
            _ => None,
        });
        match (parts.next(), parts.next()) {
            (None, _) => Cow::Borrowed(""),
            (Some(only), None) => Cow::Borrowed(only),
            (Some(a), Some(b)) => Cow::Owned([a, b].into_iter().chain(parts).collect()),
        }
    }

    /// What stands in the element, in order: child elements, and text in one piece where nothing or only a comment stands
    /// between its parts.
    pub fn content(&self) -> Vec<Content<'_, 'a>> {
        let mut parts: Vec<Content<'_, 'a>> = Vec::new();
        for node in &self.nodes {
            match (node, parts.last_mut()) {
                (Node::Element(element), _) => parts.push(Content::Element(element)),
                (Node::Text(more) | Node::CData(more), Some(Content::Text(text))) => {
                    text.to_mut().push_str(more);
                }
                (Node::Text(text) | Node::CData(text), _) => parts.push(Content::Text(Cow::Borrowed(text))),
                (Node::Comment(_) | Node::Pi(_) | Node::Run(_), _) => {}
            }
        }
        parts
    }

    /// True where the element is in a namespace that is not OME's.
    pub fn is_foreign(&self) -> bool {
        self.foreign
    }

    /// True where white space in the element is content: in other namespaces and in the XML of annotations. `outer` says
    /// whether it is in the element around.
    pub(crate) fn keeps_blanks(&self, outer: bool) -> bool {
        outer
            || self.foreign
            || self.name() == "CustomAttributes"
            || (self.name() == "Value" && self.elements().any(|e| e.foreign || e.name() != "M"))
    }

    pub(crate) fn prefix(&self) -> &str {
        prefix(&self.name)
    }

    /// A copy that outlives the text; without runs, which stay with their text.
    pub(crate) fn to_static(&self) -> Element<'static> {
        let owned = |text: &Cow<'_, str>| Cow::Owned(text.clone().into_owned());
        let attr = |a: &Attr<'_>| Attr { name: owned(&a.name), value: owned(&a.value) };
        Element {
            name: owned(&self.name),
            foreign: self.foreign,
            attrs: self.attrs.iter().map(attr).collect(),
            nodes: self.nodes.iter().filter_map(Node::to_static).collect(),
            span: self.span,
        }
    }
}

impl<'a> Attr<'a> {
    pub(crate) fn new(name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

impl Node<'_> {
    pub(crate) fn is_blank(&self) -> bool {
        matches!(self, Node::Text(t) if t.bytes().all(|b| b.is_ascii_whitespace()))
    }

    fn to_static(&self) -> Option<Node<'static>> {
        let owned = |text: &Cow<'_, str>| Cow::Owned(text.clone().into_owned());
        Some(match self {
            Node::Element(e) => Node::Element(Box::new(e.to_static())),
            Node::Run(_) => return None,
            Node::Text(t) => Node::Text(owned(t)),
            Node::CData(t) => Node::CData(owned(t)),
            Node::Comment(t) => Node::Comment(owned(t)),
            Node::Pi(t) => Node::Pi(owned(t)),
        })
    }
}

impl<'a> Run<'a> {
    /// The white space between two elements, by where it stands in the text.
    pub(crate) fn blank(&self, range: Range<usize>) -> Cow<'a, str> {
        unescape(self.text.get(range).unwrap_or_default(), false).0
    }
}

/// The name without its prefix.
pub(crate) fn local(name: &str) -> &str {
    name.split_once(':').map_or(name, |(_, local)| local)
}

/// The prefix, empty where there is none.
pub(crate) fn prefix(name: &str) -> &str {
    name.split_once(':').map_or("", |(prefix, _)| prefix)
}

/// Equality that is quick for empty strings too: comparing no bytes at an address that is not mapped, where Rust's empty
/// strings are, costs some processors a microsecond.
pub(crate) fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && (a.is_empty() || a == b)
}

/// `Some("p")` for `xmlns:p`, `Some("")` for `xmlns`.
pub(crate) fn namespace_prefix(key: &str) -> Option<&str> {
    match key.strip_prefix("xmlns") {
        Some("") => Some(""),
        Some(rest) => rest.strip_prefix(':'),
        None => None,
    }
}
