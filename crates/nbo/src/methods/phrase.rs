//! Words of a paragraph together with where they come from: every value that is printed is a [`Fact`], and what the
//! record lacks is a gap. What is printed as text and what is given as JSON are the same pieces.

use serde::Serialize;
use serde_json::Value as Json;

use super::Markup;
use crate::catalogue;
use crate::record::value::{is_placeholder, is_uuid, text};
use crate::record::{Object, OriginKind};

/// A value that the paragraph prints.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Fact {
    /// As printed.
    pub text: String,
    /// NBO class of the object that says it.
    pub class: String,
    /// Identifier of the object, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// NBO attribute, or the name under which the record keeps what NBO has no attribute for.
    pub field: String,
    /// The record's value.
    pub value: Json,
    /// The record's unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// How the record came by it: the kind of its origin.
    pub origin: &'static str,
    /// The place or spelling in the document, where the record says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The document, where only one can have said it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

#[derive(Clone, Debug)]
pub(super) enum Piece {
    Words(String),
    Fact(Box<Fact>),
    /// Names of what is missing.
    Gap(Vec<String>),
}

/// A run of words, facts and gaps. Two are equal if they read alike, whoever says it.
#[derive(Clone, Debug, Default)]
pub(super) struct Phrase(pub(super) Vec<Piece>);

/// Puts words, phrases and lists of them in a row.
macro_rules! phrase {
    ($($part:expr),+ $(,)?) => {{
        let mut phrase = $crate::methods::phrase::Phrase::default();
        $( phrase.add($part); )+
        phrase
    }};
}
pub(super) use phrase;

impl PartialEq for Phrase {
    fn eq(&self, other: &Self) -> bool {
        self.plain() == other.plain()
    }
}

impl From<&str> for Phrase {
    fn from(words: &str) -> Self {
        Self(vec![Piece::Words(words.to_owned())])
    }
}

impl From<String> for Phrase {
    fn from(words: String) -> Self {
        Self(vec![Piece::Words(words)])
    }
}

impl Phrase {
    pub(super) fn add(&mut self, part: impl Into<Phrase>) {
        self.0.extend(part.into().0);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|piece| matches!(piece, Piece::Words(words) if words.is_empty()))
    }

    pub(super) fn render(&self, markup: Markup) -> String {
        self.0
            .iter()
            .map(|piece| match piece {
                Piece::Words(words) => words.clone(),
                Piece::Fact(fact) => escaped(&fact.text, markup),
                Piece::Gap(what) => match markup {
                    Markup::Plain => format!("[not recorded: {}]", enumerate(what)),
                    Markup::Markdown => format!("**[not recorded: {}]**", enumerate(what)),
                },
            })
            .collect()
    }

    /// As plain text.
    pub(super) fn plain(&self) -> String {
        self.render(Markup::Plain)
    }

    pub(super) fn facts(&self) -> impl Iterator<Item = &Fact> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Fact(fact) => Some(&**fact),
            _ => None,
        })
    }

    pub(super) fn gaps(&self) -> impl Iterator<Item = &str> {
        let gaps = self.0.iter().filter_map(|piece| match piece {
            Piece::Gap(what) => Some(what),
            _ => None,
        });
        gaps.flatten().map(String::as_str)
    }
}

/// What is marked as not recorded.
pub(super) fn gap(what: &str) -> Phrase {
    Phrase(vec![Piece::Gap(vec![what.to_owned()])])
}

/// Several things that are not recorded, in one mark.
pub(super) fn gaps(what: &[String]) -> Phrase {
    if what.is_empty() { Phrase::default() } else { Phrase(vec![Piece::Gap(what.to_vec())]) }
}

/// What a field says, in words that `write` makes of it; none if it says nothing, or holds a placeholder or an
/// identifier that means nothing to a reader.
pub(super) fn said(
    object: Option<&Object>,
    field: &str,
    write: impl FnOnce(&str, Option<&str>) -> Option<String>,
) -> Option<Phrase> {
    let object = object?;
    let found = object.field(field)?;
    let attribute = catalogue::class(&object.class).and_then(|class| class.attribute(field));
    let digits = found.text.clone().unwrap_or_else(|| text(&found.value));
    // A value with ends of lines would be a paragraph of its own, which this text never said.
    let digits = digits.split_whitespace().collect::<Vec<_>>().join(" ");
    let digits = digits.as_str();
    if digits.is_empty() || is_placeholder(attribute, &found.value) || is_identifier(digits) {
        return None;
    }
    let unit = attribute
        .and_then(|a| object.str(a.unit?).or(a.unit_default))
        .filter(|unit| !unit.trim().is_empty())
        .map(str::to_owned);
    let written = write(digits, unit.as_deref())?;
    Some(Phrase(vec![Piece::Fact(Box::new(Fact {
        text: written,
        class: object.class.clone(),
        id: object.id().map(str::to_owned),
        field: field.to_owned(),
        value: found.value.clone(),
        unit,
        origin: found.origin.kind.name(),
        from: found.origin.from.clone(),
        source: None,
    }))]))
}

/// What a source says that NBO has no attribute for (`extra`).
pub(super) fn kept(object: Option<&Object>, key: &str, write: impl FnOnce(&str) -> String) -> Option<Phrase> {
    let object = object?;
    let value = object.extra.get(key)?;
    let words = text(value);
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let words = words.as_str();
    let is_nothing = words.is_empty() || is_placeholder(None, value) || is_identifier(words);
    (!is_nothing && (value.is_string() || value.is_number())).then(|| {
        Phrase(vec![Piece::Fact(Box::new(Fact {
            text: write(words),
            class: object.class.clone(),
            id: object.id().map(str::to_owned),
            field: key.to_owned(),
            value: value.clone(),
            unit: None,
            origin: OriginKind::Explicit.name(),
            from: None,
            source: None,
        }))])
    })
}

/// Items with commas and `and`.
pub(super) fn list(items: Vec<Phrase>) -> Phrase {
    let last = items.len().saturating_sub(1);
    let mut all = Phrase::default();
    for (i, item) in items.into_iter().enumerate() {
        match i {
            0 => {}
            _ if i == last => all.add(" and "),
            _ => all.add(", "),
        }
        all.add(item);
    }
    all
}

/// Words with commas and `and`.
pub(super) fn enumerate(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

/// Details about something, to stand in brackets behind it, and those that are missing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Details {
    pub(super) said: Vec<Phrase>,
    pub(super) missing: Vec<String>,
}

impl Details {
    /// Adds what is said; what is not, is missing under this name.
    pub(super) fn need(&mut self, said: Option<Phrase>, name: &str) {
        match said {
            Some(said) => self.said.push(said),
            None => self.missing.push(name.to_owned()),
        }
    }

    /// Adds the words for a field that is true or false, of which one may go without saying; a field that says neither
    /// is missing under this name.
    pub(super) fn need_either(&mut self, object: &Object, field: &str, [yes, no]: [&str; 2], name: &str) {
        let mut is_said = false;
        self.may(said(Some(object), field, |value, _| {
            let words = match value {
                "true" => yes,
                "false" => no,
                _ => return None,
            };
            is_said = true;
            (!words.is_empty()).then(|| words.to_owned())
        }));
        if !is_said {
            self.missing.push(name.to_owned());
        }
    }

    /// Adds the words for a value of a list; one that goes without saying, such as `None`, is said in no words, and a
    /// field that holds no value is missing under this name.
    pub(super) fn need_listed(
        &mut self,
        object: &Object,
        field: &str,
        write: impl FnOnce(&str) -> Option<String>,
        name: &str,
    ) {
        let mut is_said = false;
        self.may(said(Some(object), field, |value, _| {
            is_said = true;
            write(value)
        }));
        if !is_said {
            self.missing.push(name.to_owned());
        }
    }

    /// Adds what is said, if anything is.
    pub(super) fn may(&mut self, said: Option<Phrase>) {
        self.said.extend(said);
    }

    /// What these have in common with all `others`.
    pub(super) fn common(&self, others: &[&Self]) -> Self {
        let in_all = |said: &&Phrase| others.iter().all(|other| other.said.contains(said));
        let lacks = |name: &&String| others.iter().all(|other| other.missing.contains(name));
        Self {
            said: self.said.iter().filter(in_all).cloned().collect(),
            missing: self.missing.iter().filter(lacks).cloned().collect(),
        }
    }

    /// What is not among `others`.
    pub(super) fn without(mut self, others: &Self) -> Self {
        self.said.retain(|said| !others.said.contains(said));
        self.missing.retain(|name| !others.missing.contains(name));
        self
    }

    /// ` (a, b, [not recorded: c and d])`, or nothing.
    pub(super) fn bracketed(self) -> Phrase {
        let items = self.items();
        if items.is_empty() { items } else { phrase![" (", items, ")"] }
    }

    /// The details with commas and `and` between them.
    pub(super) fn listed(mut self) -> Phrase {
        if !self.missing.is_empty() {
            self.said.push(gaps(&self.missing));
        }
        list(self.said)
    }

    /// The details with commas between them.
    pub(super) fn items(mut self) -> Phrase {
        if !self.missing.is_empty() {
            self.said.push(gaps(&self.missing));
        }
        let mut all = Phrase::default();
        for (i, item) in self.said.into_iter().enumerate() {
            if i > 0 {
                all.add(", ");
            }
            all.add(item);
        }
        all
    }
}

fn is_identifier(words: &str) -> bool {
    is_uuid(words.strip_prefix("urn:uuid:").unwrap_or(words))
}

/// In Markdown a value stays what it is, whatever signs it has.
fn escaped(words: &str, markup: Markup) -> String {
    let mut out = String::with_capacity(words.len());
    for c in words.chars() {
        if markup == Markup::Markdown && "\\`*_[]<>#|".contains(c) {
            out.push('\\');
        }
        // One paragraph is one paragraph.
        out.push(if c.is_control() { ' ' } else { c });
    }
    out
}
