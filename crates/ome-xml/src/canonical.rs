//! Equality of documents: Canonical XML 1.0 with comments, its hash, and a readable list of differences.
//!
//! Both ways read one element at a time where elements come in bulk, so that memory does not grow with the number of
//! planes.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::bulk::RunElements;
use crate::error::{Error, Warnings};
use crate::namespaces::Namespaces;
use crate::parser;
use crate::text::{escape_attribute, escape_text};
use crate::tree::{self, Element, Node, Run, Tree, namespace_prefix, prefix};

/// What is not counted as a difference.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Normalisations {
    /// White space between the child elements of an OME element, where the schema gives it no meaning. White space in
    /// text, in other namespaces and in the XML of annotations always counts.
    pub blanks_between_elements: bool,
}

impl Normalisations {
    /// Canonical XML to the letter.
    pub const NONE: Self = Self { blanks_between_elements: false };
    /// What the structured form does not keep, see `docs/lossless.md`.
    pub const STRUCTURED: Self = Self { blanks_between_elements: true };
}

/// One difference between two documents.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Difference {
    /// Where: `/OME/Image[2]/Pixels/@SizeX`. Positions count elements of one name from 1.
    pub path: String,
    /// What the first document has there, if anything.
    pub left: Option<String>,
    /// What the second document has there, if anything.
    pub right: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |s: &Option<String>| s.as_ref().map_or("nothing".to_owned(), |s| format!("{s:?}"));
        write!(f, "{}: {} in the first, {} in the second", self.path, side(&self.left), side(&self.right))
    }
}

/// SHA-256 of a document's canonical form, in lower-case hexadecimal digits.
///
/// # Errors
///
/// As [`crate::Document::parse`] for text that is no OME document.
pub fn canonical_hash(text: &str, normalisations: Normalisations) -> Result<String, Error> {
    let mut hash = Sha256::new();
    canonicalise(text, normalisations, &mut |part| hash.update(part))?;
    let mut hex = String::with_capacity(64);
    for byte in hash.finalize() {
        let _ = write!(hex, "{byte:02x}");
    }
    Ok(hex)
}

/// A document in Canonical XML 1.0, with comments.
///
/// # Errors
///
/// As [`canonical_hash`].
pub fn canonical(text: &str, normalisations: Normalisations) -> Result<String, Error> {
    let mut out = String::with_capacity(text.len());
    canonicalise(text, normalisations, &mut |part| out.push_str(part))?;
    Ok(out)
}

/// Lists where two documents differ, at most a thousand places; an empty list says that they are canonically equal.
///
/// # Errors
///
/// As [`canonical_hash`], for either document.
pub fn compare(left: &str, right: &str, normalisations: Normalisations) -> Result<Vec<Difference>, Error> {
    let left = parser::parse(left, &mut Warnings::default())?;
    let right = parser::parse(right, &mut Warnings::default())?;
    differences(&left, &right, normalisations)
}

/// See [`compare`].
pub(crate) fn differences(
    left: &Tree<'_>,
    right: &Tree<'_>,
    normalisations: Normalisations,
) -> Result<Vec<Difference>, Error> {
    let mut comparison = Comparison { normalisations, found: Vec::new() };
    let outside = [&Namespaces::default(), &Namespaces::default()];
    comparison.children("", Children::of_document(left), Children::of_document(right), outside)?;
    Ok(comparison.found)
}

/// Attributes as Canonical XML orders them: declarations that say something new by prefix, then the others by namespace
/// and name. The declarations come into force.
fn enter<'e>(namespaces: &mut Namespaces<'e>, element: &'e Element<'_>) -> Vec<(&'e str, &'e str)> {
    let mut declared = Vec::new();
    let mut others = Vec::new();
    for attr in &element.attrs {
        match namespace_prefix(&attr.name) {
            Some(prefix) if namespaces.of(prefix) != attr.value => {
                declared.push((prefix, &*attr.name, &*attr.value));
            }
            Some(_) => {}
            None => others.push((&*attr.name, &*attr.value)),
        }
    }
    for (prefix, _, uri) in &declared {
        namespaces.bind(prefix, uri);
    }
    declared.sort_unstable();
    others.sort_unstable_by_key(|(name, _)| {
        // No namespace comes first.
        let uri = Some(prefix(name)).filter(|p| !p.is_empty()).map(|p| namespaces.of(p));
        (uri, tree::local(name))
    });
    declared.into_iter().map(|(_, name, value)| (name, value)).chain(others).collect()
}

/// The children of an element, those in runs one at a time, text in one piece.
struct Children<'t, 'a> {
    /// For those of a document: its root and what follows it.
    then: Option<(&'t Element<'a>, &'t [Node<'a>])>,
    nodes: std::iter::Peekable<std::slice::Iter<'t, Node<'a>>>,
    run: Option<(&'t Run<'a>, RunElements<'a>)>,
    /// End of the run's last element, and the next element where white space came before it.
    last_end: Option<usize>,
    held: Option<Element<'a>>,
    skip_blanks: bool,
    verbatim: bool,
}

/// What stands between two tags.
#[derive(Clone, Debug)]
enum Child<'t, 'a> {
    Element(Cow<'t, Element<'a>>),
    Text(Cow<'t, str>),
    Comment(&'t str),
    Pi(Cow<'t, str>),
}

impl<'t, 'a> Children<'t, 'a> {
    fn new(nodes: &'t [Node<'a>], skip_blanks: bool, verbatim: bool) -> Self {
        let has_elements = nodes.iter().any(|n| matches!(n, Node::Element(_) | Node::Run(_)));
        Self {
            then: None,
            nodes: nodes.iter().peekable(),
            run: None,
            last_end: None,
            held: None,
            skip_blanks: skip_blanks && has_elements,
            verbatim,
        }
    }

    fn of_document(tree: &'t Tree<'a>) -> Self {
        Self {
            then: Some((&tree.root, &tree.after)),
            skip_blanks: true,
            ..Self::new(&tree.before, true, false)
        }
    }

    fn of(element: &'t Element<'a>, outer_verbatim: bool, normalisations: Normalisations) -> Self {
        let verbatim = element.keeps_blanks(outer_verbatim);
        Self::new(&element.nodes, normalisations.blanks_between_elements && !verbatim, verbatim)
    }

    fn next(&mut self) -> Result<Option<Child<'t, 'a>>, Error> {
        loop {
            if let Some(element) = self.held.take() {
                return Ok(Some(Child::Element(Cow::Owned(element))));
            }
            if let Some((run, elements)) = &mut self.run {
                let Some(element) = elements.next().transpose()? else {
                    self.run = None;
                    continue;
                };
                let gap =
                    self.last_end.replace(element.span.end).map(|end| run.blank(end..element.span.start));
                return Ok(Some(match gap.filter(|gap| !gap.is_empty() && !self.skip_blanks) {
                    Some(gap) => {
                        self.held = Some(element);
                        Child::Text(gap)
                    }
                    None => Child::Element(Cow::Owned(element)),
                }));
            }
            let Some(node) = self.nodes.next() else {
                let Some((root, after)) = self.then.take() else { return Ok(None) };
                self.nodes = after.iter().peekable();
                return Ok(Some(Child::Element(Cow::Borrowed(root))));
            };
            return Ok(Some(match node {
                node if self.skip_blanks && node.is_blank() => continue,
                Node::Element(element) => Child::Element(Cow::Borrowed(element)),
                Node::Run(run) => {
                    self.run = Some((run, run.elements()));
                    self.last_end = None;
                    continue;
                }
                Node::Text(text) | Node::CData(text) => {
                    let mut text: Cow<'t, str> = Cow::Borrowed(text);
                    while let Some(Node::Text(more) | Node::CData(more)) = self.nodes.peek() {
                        if !(self.skip_blanks && self.nodes.peek().is_some_and(|n| n.is_blank())) {
                            text.to_mut().push_str(more);
                        }
                        self.nodes.next();
                    }
                    if text.is_empty() {
                        continue;
                    }
                    Child::Text(text)
                }
                Node::Comment(text) => Child::Comment(text),
                Node::Pi(text) => Child::Pi(one_blank(text)),
            }));
        }
    }
}

/// One blank between target and content.
fn one_blank(pi: &str) -> Cow<'_, str> {
    match pi.split_once(|c: char| c.is_ascii_whitespace()) {
        Some((target, rest)) => match rest.trim_start() {
            "" => Cow::Borrowed(target),
            content => Cow::Owned(format!("{target} {content}")),
        },
        None => Cow::Borrowed(pi),
    }
}

fn canonicalise(text: &str, normalisations: Normalisations, out: &mut dyn FnMut(&str)) -> Result<(), Error> {
    let tree = parser::parse(text, &mut Warnings::default())?;
    let mut writer = CanonicalWriter { normalisations, buffer: String::new(), out };
    let outside = |nodes| Children::new(nodes, false, false);
    let mut before = outside(&tree.before);
    while let Some(child) = before.next()? {
        writer.child(&child, &Namespaces::default(), false)?;
        writer.buffer.push('\n');
    }
    writer.element(&tree.root, &Namespaces::default(), false)?;
    let mut after = outside(&tree.after);
    while let Some(child) = after.next()? {
        writer.buffer.push('\n');
        writer.child(&child, &Namespaces::default(), false)?;
    }
    (writer.out)(&writer.buffer);
    Ok(())
}

struct CanonicalWriter<'o> {
    normalisations: Normalisations,
    buffer: String,
    out: &'o mut dyn FnMut(&str),
}

impl CanonicalWriter<'_> {
    fn element(
        &mut self,
        element: &Element<'_>,
        outer: &Namespaces<'_>,
        verbatim: bool,
    ) -> Result<(), Error> {
        let mut scope = outer.clone();
        let attributes = enter(&mut scope, element);
        self.buffer.push('<');
        self.buffer.push_str(&element.name);
        for (name, value) in attributes {
            self.buffer.push(' ');
            self.buffer.push_str(name);
            self.buffer.push_str("=\"");
            escape_attribute(value, &mut self.buffer);
            self.buffer.push('"');
        }
        self.buffer.push('>');
        let mut children = Children::of(element, verbatim, self.normalisations);
        while let Some(child) = children.next()? {
            self.child(&child, &scope, children.verbatim)?;
        }
        crate::write::end_tag(&element.name, &mut self.buffer);
        if self.buffer.len() > FLUSH {
            (self.out)(&self.buffer);
            self.buffer.clear();
        }
        Ok(())
    }

    fn child(&mut self, child: &Child<'_, '_>, scope: &Namespaces<'_>, verbatim: bool) -> Result<(), Error> {
        match child {
            Child::Element(element) => self.element(element, scope, verbatim)?,
            Child::Text(text) => escape_text(text, &mut self.buffer),
            Child::Comment(text) => crate::write::comment(text, &mut self.buffer),
            Child::Pi(text) => crate::write::pi(text, &mut self.buffer),
        }
        Ok(())
    }
}

struct Comparison {
    normalisations: Normalisations,
    found: Vec<Difference>,
}

impl Comparison {
    fn elements(
        &mut self,
        path: &str,
        left: &Element<'_>,
        right: &Element<'_>,
        outer: [&Namespaces<'_>; 2],
        verbatim: [bool; 2],
    ) -> Result<(), Error> {
        let (mut left_scope, mut right_scope) = (outer[0].clone(), outer[1].clone());
        let (left_attributes, right_attributes) =
            (enter(&mut left_scope, left), enter(&mut right_scope, right));
        if left_attributes != right_attributes {
            self.attributes(path, &left_attributes, &right_attributes);
        }
        let left = Children::of(left, verbatim[0], self.normalisations);
        let right = Children::of(right, verbatim[1], self.normalisations);
        self.children(path, left, right, [&left_scope, &right_scope])
    }

    fn attributes(&mut self, path: &str, left: &[(&str, &str)], right: &[(&str, &str)]) {
        let value =
            |list: &[(&str, &str)], name: &str| list.iter().find(|a| a.0 == name).map(|a| a.1.to_owned());
        for (name, here) in left {
            let there = value(right, name);
            if there.as_deref() != Some(here) {
                self.note(format!("{path}/@{name}"), Some((*here).to_owned()), there);
            }
        }
        for (name, there) in right {
            if value(left, name).is_none() {
                self.note(format!("{path}/@{name}"), None, Some((*there).to_owned()));
            }
        }
    }

    fn children(
        &mut self,
        path: &str,
        left: Children<'_, '_>,
        right: Children<'_, '_>,
        scopes: [&Namespaces<'_>; 2],
    ) -> Result<(), Error> {
        let verbatim = [left.verbatim, right.verbatim];
        let (mut left, mut right) = (Ahead::new(left), Ahead::new(right));
        let mut counts: HashMap<String, usize> = HashMap::new();
        while self.found.len() < MOST_DIFFERENCES {
            left.fill(1)?;
            right.fill(1)?;
            let (Some(a), Some(b)) = (left.queue.front(), right.queue.front()) else { break };
            if !a.same_name(b) {
                // Whichever side sees the other's child sooner has something in between that the other lacks.
                left.fill(LOOK_AHEAD)?;
                right.fill(LOOK_AHEAD)?;
                let (Some(a), Some(b)) = (left.queue.front(), right.queue.front()) else { break };
                let in_left = left.queue.iter().position(|c| c.same_name(b));
                let in_right = right.queue.iter().position(|c| c.same_name(a));
                match (in_left, in_right) {
                    (Some(l), r) if r.is_none_or(|r| l <= r) => self.lone(path, &mut left, &mut counts, true),
                    (_, Some(_)) => self.lone(path, &mut right, &mut counts, false),
                    _ => {
                        self.lone(path, &mut left, &mut counts, true);
                        self.lone(path, &mut right, &mut counts, false);
                    }
                }
                continue;
            }
            let (Some(a), Some(b)) = (left.queue.pop_front(), right.queue.pop_front()) else { break };
            match (&a, &b) {
                (Child::Element(x), Child::Element(y)) => {
                    let count = counts.entry(x.name.to_string()).or_insert(0);
                    *count += 1;
                    let path = format!("{path}/{}[{count}]", x.name);
                    self.elements(&path, x, y, scopes, verbatim)?;
                }
                _ if a.content() != b.content() => {
                    self.note(format!("{path}/{}", a.kind()), Some(a.content()), Some(b.content()));
                }
                _ => {}
            }
        }
        while self.found.len() < MOST_DIFFERENCES {
            left.fill(1)?;
            right.fill(1)?;
            match (left.queue.is_empty(), right.queue.is_empty()) {
                (true, true) => break,
                (false, _) => self.lone(path, &mut left, &mut counts, true),
                (true, false) => self.lone(path, &mut right, &mut counts, false),
            }
        }
        Ok(())
    }

    /// Reports the next child of one side, which the other lacks.
    fn lone(
        &mut self,
        path: &str,
        side: &mut Ahead<'_, '_>,
        counts: &mut HashMap<String, usize>,
        is_left: bool,
    ) {
        let Some(child) = side.queue.pop_front() else { return };
        let place = match &child {
            Child::Element(element) => {
                let count = counts.get(element.name.as_ref()).copied().unwrap_or(0) + 1;
                format!("{path}/{}[{count}]", element.name)
            }
            other => format!("{path}/{}", other.kind()),
        };
        let content = Some(child.content());
        let (left, right) = if is_left { (content, None) } else { (None, content) };
        self.note(place, left, right);
    }

    fn note(&mut self, path: String, left: Option<String>, right: Option<String>) {
        let short = |text: String| match text.char_indices().nth(LONGEST_CONTENT) {
            Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
            None => text,
        };
        self.found.push(Difference { path, left: left.map(short), right: right.map(short) });
    }
}

/// Children with some read in advance.
struct Ahead<'t, 'a> {
    children: Children<'t, 'a>,
    queue: VecDeque<Child<'t, 'a>>,
}

impl<'t, 'a> Ahead<'t, 'a> {
    fn new(children: Children<'t, 'a>) -> Self {
        Self { children, queue: VecDeque::new() }
    }

    fn fill(&mut self, count: usize) -> Result<(), Error> {
        while self.queue.len() < count {
            let Some(child) = self.children.next()? else { break };
            self.queue.push_back(child);
        }
        Ok(())
    }
}

impl Child<'_, '_> {
    fn same_name(&self, other: &Child<'_, '_>) -> bool {
        match (self, other) {
            (Self::Element(a), Child::Element(b)) => a.name == b.name,
            _ => self.kind() == other.kind(),
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Element(_) => "element()",
            Self::Text(_) => "text()",
            Self::Comment(_) => "comment()",
            Self::Pi(_) => "processing-instruction()",
        }
    }

    fn content(&self) -> String {
        match self {
            Self::Element(element) => format!("<{}>", element.name),
            Self::Text(text) | Self::Pi(text) => text.to_string(),
            Self::Comment(text) => (*text).to_owned(),
        }
    }
}

const MOST_DIFFERENCES: usize = 1000;
const LOOK_AHEAD: usize = 32;
/// Characters of a text that a difference shows.
const LONGEST_CONTENT: usize = 120;
/// Bytes of canonical form handed on at a time.
const FLUSH: usize = 1 << 16;
