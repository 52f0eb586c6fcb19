//! Reading text into the tree.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use quick_xml::Reader;
use quick_xml::events::attributes::{AttrError, Attributes};
use quick_xml::events::{BytesStart, Event};

use crate::doctype::{declares_attributes, uses_entities};
use crate::error::{Error, Warning, Warnings};
use crate::schema;
use crate::text::{is_name, lines, unescape};
use crate::tree::{Attr, Binding, Element, Limits, Node, Span, Tree, local, namespace_prefix, prefix, same};

/// Reads a whole OME document.
pub(crate) fn parse<'a>(text: &'a str, warnings: &mut Warnings) -> Result<Tree<'a>, Error> {
    #[cfg(test)]
    tests::COUNT.set(tests::COUNT.get() + 1);
    let mut parser = Parser::new(text, 0, Arc::default(), false);
    parser.collects = true;
    parser.document(warnings)
}

/// Reads a whole document of any vocabulary.
pub(crate) fn parse_any<'a>(text: &'a str, warnings: &mut Warnings) -> Result<Tree<'a>, Error> {
    let text = text.trim_start_matches('\u{feff}');
    let mut parser = Parser::new(text, 0, Arc::default(), false);
    parser.any_root = true;
    parser.deepest = Limits::DEPTH_OF_ANY;
    parser.document(warnings)
}

#[expect(clippy::struct_excessive_bools, reason = "independent settings of one parser")]
pub(crate) struct Parser<'a> {
    pub(crate) text: &'a str,
    base: usize,
    reader: Reader<&'a [u8]>,
    pub(crate) warnings: Warnings,
    /// Bindings from outside of what is read, then those of open elements.
    outer: Arc<[Binding<'a>]>,
    pub(crate) scope: Vec<Binding<'a>>,
    pub(crate) open: Vec<Element<'a>>,
    /// Raw text seen since the last markup.
    pending: Range<usize>,
    elements: usize,
    strict: bool,
    pub(crate) case_blind: bool,
    /// Elements that come in bulk become runs. Not within a run, where damaged documents may have more of them.
    pub(crate) collects: bool,
    /// What was not read, the first of many.
    passed_over: Vec<Warning>,
    /// Any vocabulary, not only OME's.
    any_root: bool,
    /// How many elements may be open.
    deepest: usize,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(text: &'a str, base: usize, outer: Arc<[Binding<'a>]>, case_blind: bool) -> Self {
        let mut reader = Reader::from_str(&text[base..]);
        reader.config_mut().allow_dangling_amp = true;
        // Checked in `close`, which can go on after some mistakes.
        reader.config_mut().check_end_names = false;
        Self {
            text,
            base,
            reader,
            warnings: Warnings::default(),
            outer,
            scope: Vec::new(),
            open: Vec::new(),
            pending: 0..0,
            elements: 0,
            strict: true,
            case_blind,
            collects: false,
            passed_over: Vec::new(),
            any_root: false,
            deepest: Limits::DEPTH,
        }
    }

    fn document(mut self, warnings: &mut Warnings) -> Result<Tree<'a>, Error> {
        let tree = self.tree();
        warnings.append(self.warnings);
        tree
    }

    fn tree(&mut self) -> Result<Tree<'a>, Error> {
        if self.text.len() as u64 > Limits::BYTES {
            return Err(limit("bytes", self.text.len() as u64, Limits::BYTES, 0));
        }
        let mut tree = Tree {
            before: Vec::new(),
            root: Element::default(),
            after: Vec::new(),
            declaration: None,
            strict: true,
            passed_over: Vec::new(),
            namespace: String::new(),
        };
        let mut found = None;
        let mut declared = None;
        loop {
            let start = self.position();
            let event = match self.read(start) {
                Ok(event) => event,
                // What follows the root is not ours to judge.
                Err(Error::NotWellFormed { offset, reason }) if found.is_some() => {
                    self.warnings.at(offset, format!("after the root element: {reason}; passed over"));
                    self.strict = false;
                    break;
                }
                Err(e) => return Err(e),
            };
            let end = self.position();
            let node = match event {
                Event::Eof => break,
                Event::Decl(_) => {
                    if tree.declaration.is_none() {
                        tree.declaration = Some(start..end);
                    }
                    continue;
                }
                Event::DocType(doctype) => {
                    if doctype.contains('[') {
                        if self.any_root || declares_attributes(&doctype) {
                            return Err(Error::Doctype { offset: start });
                        }
                        declared = Some((start, doctype.into_inner()));
                        self.pass_over(
                            start,
                            "the declarations of its document type are not read".to_owned(),
                        );
                    }
                    self.warnings.at(start, "document type declaration passed over");
                    self.strict = false;
                    continue;
                }
                Event::Start(_) | Event::Empty(_) if found.is_some() => {
                    self.warnings.at(start, "a second root element and all that follows are passed over");
                    self.strict = false;
                    break;
                }
                Event::Start(tag) => {
                    self.check_root(&tag, start, &mut tree)?;
                    self.begin(&tag, start, end)?;
                    found = Some(self.finish_element()?);
                    continue;
                }
                Event::Empty(tag) => {
                    self.check_root(&tag, start, &mut tree)?;
                    found = Some(self.empty(&tag, start, end)?);
                    continue;
                }
                Event::End(_) => return Err(not_well_formed(start, "an end tag without its start tag")),
                Event::Text(_) | Event::CData(_) | Event::GeneralRef(_) => {
                    if !self.text[start..end].trim().is_empty() {
                        self.warnings.at(start, "text outside of the root element is passed over");
                        self.strict = false;
                    }
                    continue;
                }
                Event::Comment(text) => self.comment(text.into_inner(), start),
                Event::PI(text) => match self.pi(text.into_inner(), start) {
                    Some(node) => node,
                    None => continue,
                },
            };
            if found.is_some() { &mut tree.after } else { &mut tree.before }.push(node);
        }
        tree.root = found.ok_or(Error::NotXml { len: self.text.len() })?;
        if let Some((offset, doctype)) = declared
            && uses_entities(self.text, &tree.root, &doctype)
        {
            // What is where in the files must not depend on what is not read.
            return Err(Error::Doctype { offset });
        }
        tree.strict = self.strict;
        tree.passed_over = std::mem::take(&mut self.passed_over);
        Ok(tree)
    }

    /// The next element at the top level of a run.
    pub(crate) fn next_element(&mut self) -> Result<Option<Element<'a>>, Error> {
        loop {
            let start = self.position();
            match self.read(start)? {
                Event::Eof => return Ok(None),
                Event::Start(tag) => {
                    let end = self.position();
                    self.begin(&tag, start, end)?;
                    return self.finish_element().map(Some);
                }
                Event::Empty(tag) => {
                    let end = self.position();
                    return self.empty(&tag, start, end).map(Some);
                }
                _ => {}
            }
        }
    }

    /// That elements of a run are not where they were counted.
    pub(crate) fn unclosed(&self) -> Error {
        not_well_formed(self.position(), "one of the elements before is not closed")
    }

    /// Reads until the first open element is closed.
    fn finish_element(&mut self) -> Result<Element<'a>, Error> {
        loop {
            let start = self.position();
            let event = self.read(start)?;
            let end = self.position();
            if matches!(event, Event::Text(_) | Event::GeneralRef(_)) {
                if self.pending.is_empty() {
                    self.pending = start..end;
                } else {
                    self.pending.end = end;
                }
                continue;
            }
            self.flush_text();
            match event {
                Event::Start(tag) => match self.bulk(&tag) {
                    Some(kind) => {
                        let name = tag.to_end().into_owned();
                        self.reader.read_to_end(name.name()).map_err(|e| self.syntax(start, &e))?;
                        let end = self.position();
                        self.extend_run(kind, start..end);
                    }
                    None => {
                        if let Err(reason) = self.begin(&tag, start, end) {
                            self.pass_element_over(&tag, start, reason)?;
                            let name = tag.to_end().into_owned();
                            self.reader.read_to_end(name.name()).map_err(|e| self.syntax(start, &e))?;
                        }
                    }
                },
                Event::Empty(tag) => match self.bulk(&tag) {
                    Some(kind) => self.extend_run(kind, start..end),
                    None => match self.empty(&tag, start, end) {
                        Ok(element) => self.push(Node::Element(Box::new(element))),
                        Err(reason) => self.pass_element_over(&tag, start, reason)?,
                    },
                },
                Event::End(tag) => {
                    if let Some(done) = self.close(tag.name().as_ref(), start, end)? {
                        return Ok(done);
                    }
                }
                Event::CData(text) => self.push(Node::CData(lines(text.into_inner()))),
                Event::Comment(text) => {
                    let node = self.comment(text.into_inner(), start);
                    self.push(node);
                }
                Event::PI(text) => {
                    if let Some(node) = self.pi(text.into_inner(), start) {
                        self.push(node);
                    }
                }
                Event::Eof => {
                    let name = self.open.last().map(|e| e.name.clone()).unwrap_or_default();
                    return Err(not_well_formed(start, format!("the document ends inside of `{name}`")));
                }
                Event::Decl(_) => {
                    self.warnings.at(start, "XML declaration inside of the document passed over");
                    self.strict = false;
                }
                Event::DocType(_) => return Err(Error::Doctype { offset: start }),
                Event::Text(_) | Event::GeneralRef(_) => {}
            }
        }
    }

    /// Leaves out an element that cannot be read, with all that is in it. No plane depends on what is outside of `Image`, or
    /// nested too deep; elsewhere the reason stands, since what is where in the files must not depend on what was left out.
    fn pass_element_over(&mut self, tag: &BytesStart<'a>, start: usize, reason: Error) -> Result<(), Error> {
        let is_deep = self.open.len() >= self.deepest;
        let name = tag.name().into_inner();
        let part = self.open.get(1).map_or(name, |element| &*element.name);
        let decides = ["Image", "BinaryOnly"].iter().any(|name| local(part).eq_ignore_ascii_case(name));
        if !self.collects || (decides && !is_deep) {
            return Err(reason);
        }
        // Namespaces that its start tag declared end with it.
        let depth = self.open.len();
        self.scope.truncate(self.scope.iter().rposition(|b| b.depth <= depth).map_or(0, |n| n + 1));
        let name: String = name.chars().take(100).collect();
        self.pass_over(start, format!("`{name}` is not read: {reason}"));
        Ok(())
    }

    /// Leaves out a part that no plane depends on.
    fn pass_over(&mut self, offset: usize, message: String) {
        self.warnings.at(offset, message.clone());
        self.strict = false;
        if self.passed_over.len() < MOST_PASSED_OVER {
            self.passed_over.push(Warning { offset: Some(offset), message });
        }
    }

    fn check_root(&mut self, tag: &BytesStart<'a>, start: usize, tree: &mut Tree<'a>) -> Result<(), Error> {
        if self.any_root {
            return Ok(());
        }
        let name = tag.name().as_ref().to_owned();
        if !local(&name).eq_ignore_ascii_case("OME") {
            return Err(Error::NotOme { root: name.chars().take(100).collect() });
        }
        self.case_blind = local(&name) != "OME";
        if self.case_blind {
            self.warnings
                .at(0, format!("the root element is `{name}`; names are read without regard to case"));
        }
        let declaration = match prefix(&name) {
            "" => "xmlns".to_owned(),
            prefix => format!("xmlns:{prefix}"),
        };
        for attribute in tag.attributes().with_checks(false).flatten() {
            if attribute.key.as_ref() == declaration {
                unescape(&attribute.value, true).0.trim().clone_into(&mut tree.namespace);
            }
        }
        if tree.namespace.is_empty() {
            self.warnings.at(0, "the root element has no namespace; read as OME 2016-06");
        } else if !schema::is_ome_family(&tree.namespace) {
            self.warnings
                .at(0, format!("the root element is in namespace `{}`; read as OME 2016-06", tree.namespace));
        }
        // Whatever it is called, and declared or not, the root's namespace is the document's own.
        let prefix = &self.text[start + 1..start + 1 + prefix(&name).len()];
        self.scope.push(Binding {
            depth: 0,
            prefix: "",
            ome: prefix.is_empty() && tree.namespace.is_empty(),
        });
        if !prefix.is_empty() {
            self.scope.push(Binding { depth: 0, prefix, ome: true });
        }
        Ok(())
    }

    fn begin(&mut self, tag: &BytesStart<'a>, start: usize, end: usize) -> Result<(), Error> {
        let depth = self.open.len() + 1;
        if depth > self.deepest {
            return Err(limit("nested elements", depth as u64, self.deepest as u64, start));
        }
        let element = self.element(tag, depth, start, end)?;
        self.open.push(element);
        Ok(())
    }

    fn empty(&mut self, tag: &BytesStart<'a>, start: usize, end: usize) -> Result<Element<'a>, Error> {
        let depth = self.open.len() + 1;
        let mut element = self.element(tag, depth, start, end)?;
        self.scope.truncate(self.scope.iter().rposition(|b| b.depth < depth).map_or(0, |n| n + 1));
        element.span.close_start = end;
        element.span.end = end;
        Ok(element)
    }

    /// Closes the innermost open element of a name. Those inside of it that were left open end here as well: some
    /// released sample files have them.
    fn close(&mut self, name: &str, start: usize, end: usize) -> Result<Option<Element<'a>>, Error> {
        let Some(at) = self.open.iter().rposition(|e| e.name == name) else {
            return Err(not_well_formed(start, format!("an end tag of `{name}`, which is not open")));
        };
        while let Some(mut element) = self.open.pop() {
            let depth = self.open.len();
            let unclosed = depth > at;
            element.span.close_start = start;
            element.span.end = if unclosed { start } else { end };
            if self.collects {
                element.nodes.shrink_to_fit();
            }
            if unclosed {
                self.warnings
                    .at(element.span.start, format!("`{}` is not closed before `{name}` is", element.name));
                self.strict = false;
            }
            self.scope.truncate(self.scope.iter().rposition(|b| b.depth <= depth).map_or(0, |n| n + 1));
            if self.open.is_empty() {
                return Ok(Some(element));
            }
            self.push(Node::Element(Box::new(element)));
            if !unclosed {
                break;
            }
        }
        Ok(None)
    }

    fn element(
        &mut self,
        tag: &BytesStart<'a>,
        depth: usize,
        start: usize,
        end: usize,
    ) -> Result<Element<'a>, Error> {
        self.elements += 1;
        if self.elements > Limits::ELEMENTS {
            return Err(limit("elements", self.elements as u64, Limits::ELEMENTS as u64, start));
        }
        let name_len = tag.name().as_ref().len();
        if name_len > Limits::NAME {
            return Err(limit("bytes in an element name", name_len as u64, Limits::NAME as u64, start));
        }
        let content = &self.text[start + 1..start + 1 + tag.len()];
        let (name, _) = content.split_at(name_len);
        if !is_name(name) {
            return Err(not_well_formed(start, format!("`{name}` is not a name")));
        }
        let mut attrs = Vec::new();
        for attribute in Attributes::new(content, name_len) {
            let attribute = match attribute {
                Ok(attribute) => attribute,
                Err(AttrError::Duplicated(at, _)) => {
                    let offset = start + 1 + at;
                    self.warnings.at(offset, format!("`{name}` has an attribute twice; the first is read"));
                    self.strict = false;
                    continue;
                }
                Err(e) => return Err(not_well_formed(start, format!("in the start tag of `{name}`: {e}"))),
            };
            if attrs.len() >= Limits::ATTRIBUTES {
                let found = attrs.len() as u64 + 1;
                return Err(limit("attributes on one element", found, Limits::ATTRIBUTES as u64, start));
            }
            let key = attribute.key.into_inner();
            if !is_name(key) {
                return Err(not_well_formed(start, format!("`{key}` in `{name}` is not a name")));
            }
            let raw = match attribute.value {
                Cow::Borrowed(raw) => raw,
                Cow::Owned(_) => {
                    return Err(not_well_formed(start, "an attribute that does not stand in the text"));
                }
            };
            let (value, fault) = unescape(raw, true);
            self.note(fault, start, key);
            if let Some(prefix) = namespace_prefix(key) {
                let ome = schema::is_ome_family(value.trim())
                    || (depth == 1 && prefix == crate::tree::prefix(name));
                self.scope.push(Binding { depth, prefix, ome });
                let count = self.outer.len() + self.scope.len();
                if count > Limits::NAMESPACES {
                    return Err(limit("namespaces in force", count as u64, Limits::NAMESPACES as u64, start));
                }
            }
            attrs.push(Attr { name: Cow::Borrowed(key), value });
        }
        // Vectors grow by more than they need, which is much in a document of a million small elements.
        if self.collects {
            attrs.shrink_to_fit();
        }
        let prefix = prefix(name);
        let bound = self.bound(prefix);
        if bound.is_none() && !prefix.is_empty() && prefix != "xml" && !self.any_root {
            self.warnings.at(start, format!("prefix `{prefix}` of `{name}` stands for no namespace"));
            self.strict = false;
        }
        Ok(Element {
            name: Cow::Borrowed(name),
            foreign: bound != Some(true),
            attrs,
            nodes: Vec::new(),
            span: Span { start, open_end: end, close_start: end, end },
        })
    }

    /// Whether a prefix stands for a namespace of OME's; `None` where it stands for nothing.
    fn bound(&self, prefix: &str) -> Option<bool> {
        let mut all = self.outer.iter().chain(&self.scope).rev();
        all.find(|binding| same(binding.prefix, prefix)).map(|binding| binding.ome)
    }

    fn push(&mut self, node: Node<'a>) {
        if let Some(parent) = self.open.last_mut() {
            parent.nodes.push(node);
        }
    }

    /// Two hyphens would end a comment when it is written again.
    fn comment(&mut self, text: Cow<'a, str>, start: usize) -> Node<'a> {
        let mut text = lines(text);
        if text.contains("--") || text.ends_with('-') {
            self.warnings.at(start, "two hyphens in a comment are read with a blank between them");
            self.strict = false;
            while text.contains("--") {
                text = text.replace("--", "- -").into();
            }
            if text.ends_with('-') {
                text.to_mut().push(' ');
            }
        }
        Node::Comment(text)
    }

    /// `None` for what has no name, or the name of the XML declaration.
    fn pi(&mut self, text: Cow<'a, str>, start: usize) -> Option<Node<'a>> {
        let text = lines(text);
        let target = text.split(|c: char| c.is_ascii_whitespace()).next().unwrap_or_default();
        if is_name(target) && !target.eq_ignore_ascii_case("xml") {
            return Some(Node::Pi(text));
        }
        self.warnings.at(start, format!("processing instruction `{target}` passed over: not a name for one"));
        self.strict = false;
        None
    }

    fn flush_text(&mut self) {
        let range = std::mem::take(&mut self.pending);
        if range.is_empty() {
            return;
        }
        let (text, fault) = unescape(&self.text[range.clone()], false);
        self.note(fault, range.start, "text");
        self.push(Node::Text(text));
    }

    fn note(&mut self, fault: Option<String>, offset: usize, place: &str) {
        if let Some(fault) = fault {
            self.warnings.at(offset, format!("{place}: {fault}"));
            self.strict = false;
        }
    }

    fn position(&self) -> usize {
        self.base + self.reader.buffer_position() as usize
    }

    fn read(&mut self, start: usize) -> Result<Event<'a>, Error> {
        self.reader.read_event().map_err(|e| self.syntax(start, &e))
    }

    fn syntax(&self, start: usize, error: &quick_xml::Error) -> Error {
        let offset = (self.base + self.reader.error_position() as usize).max(start);
        not_well_formed(offset, error.to_string())
    }
}

/// Parts that are named one by one.
const MOST_PASSED_OVER: usize = 100;

fn limit(what: &'static str, found: u64, limit: u64, offset: usize) -> Error {
    Error::Limit { what, found, limit, offset }
}

fn not_well_formed(offset: usize, reason: impl Into<String>) -> Error {
    Error::NotWellFormed { offset, reason: reason.into() }
}
