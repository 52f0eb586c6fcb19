//! Reading the elements of a run: `Plane` and `TiffData`, one at a time.

use std::ops::Range;
use std::sync::Arc;

use quick_xml::events::BytesStart;

use crate::error::{Error, Warnings};
use crate::parser::Parser;
use crate::tree::{Bulk, Element, Node, Run, local};

impl<'a> Run<'a> {
    /// Reads the run's elements one at a time. Blank text between them is passed over.
    pub(crate) fn elements(&self) -> RunElements<'a> {
        let text = &self.text[..self.range.end];
        let parser = Parser::new(text, self.range.start, Arc::clone(&self.scope), self.case_blind);
        RunElements { parser, left: self.count }
    }

    /// The elements of a run in a document that parsing has accepted, which has read each of them once.
    pub(crate) fn read_elements(&self) -> impl Iterator<Item = Element<'a>> {
        self.elements().map_while(|element| {
            debug_assert!(element.is_ok(), "parsing accepted the run");
            element.ok()
        })
    }
}

/// The elements of a run, in order.
pub(crate) struct RunElements<'a> {
    parser: Parser<'a>,
    /// How many are still to come.
    left: usize,
}

impl RunElements<'_> {
    /// What was noticed while reading.
    pub(crate) fn warnings(self) -> Warnings {
        self.parser.warnings
    }
}

impl<'a> Iterator for RunElements<'a> {
    type Item = Result<Element<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.parser.next_element().transpose();
        // Where one is not closed, or holds its like, it is not clear where it ends.
        match (&next, self.left.checked_sub(1)) {
            (Some(Ok(_)), None) | (None, Some(_)) => {
                self.left = 0;
                Some(Err(self.parser.unclosed()))
            }
            (_, left) => {
                self.left = left.unwrap_or(0);
                next
            }
        }
    }
}

/// Finding runs.
impl<'a> Parser<'a> {
    /// The bulk kind of a tag in `Pixels`.
    pub(crate) fn bulk(&self, tag: &BytesStart<'a>) -> Option<Bulk> {
        let is = |element: &Element<'_>, name: &str| {
            !element.foreign
                && (element.name() == name || (self.case_blind && element.name().eq_ignore_ascii_case(name)))
        };
        // Only there: what looks like it in the XML of an annotation is something else.
        let [_, image, pixels] = self.open.as_slice() else { return None };
        if !self.collects {
            return None;
        }
        let name = tag.name();
        let kind = Bulk::of(local(name.as_ref()))?;
        let spelled = self.case_blind || local(name.as_ref()) == kind.name();
        (spelled && is(image, "Image") && is(pixels, "Pixels")).then_some(kind)
    }

    pub(crate) fn extend_run(&mut self, kind: Bulk, range: Range<usize>) {
        let Some(parent) = self.open.last_mut() else { return };
        let last = parent.nodes.iter().rposition(|n| !n.is_blank());
        if let Some(at) = last
            && let Node::Run(run) = &mut parent.nodes[at]
            && run.kind == kind
        {
            run.range.end = range.end;
            run.count += 1;
            parent.nodes.truncate(at + 1);
            return;
        }
        let scope = Arc::from(self.scope.as_slice());
        let run = Run { kind, range, count: 1, text: self.text, scope, case_blind: self.case_blind };
        parent.nodes.push(Node::Run(Box::new(run)));
    }
}
