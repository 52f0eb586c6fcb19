//! The little that must be known of a document before, or instead of, parsing it: whether its root is OME, and
//! the UUID there. A set of a thousand files holds a thousand copies of its document.

/// What the start of a document says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Root {
    pub(crate) uuid: Option<String>,
}

/// The root element, if it is OME's: by local name, in any case, after any declaration, comment or text.
pub(crate) fn ome_root(document: &[u8]) -> Option<Root> {
    let ascii;
    let text = if is_utf16(document) {
        // The names that matter here are ASCII.
        ascii = document.iter().copied().filter(|b| *b != 0).take(HEAD).collect::<Vec<_>>();
        &ascii
    } else {
        document
    };
    let tag = root_tag(text)?;
    let ends = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'/' | b'>' | 0);
    let name_len = tag.iter().position(ends).unwrap_or(tag.len());
    let (name, attributes) = tag.split_at(name_len);
    let local = name.rsplit(|b| *b == b':').next()?;
    local.eq_ignore_ascii_case(b"OME").then(|| Root { uuid: attribute(attributes, b"UUID") })
}

/// Whether a document is in UTF-16: it says so with a byte order mark, or begins as only UTF-16 can, with a character of
/// ASCII and the zero that is its other byte.
pub(crate) fn is_utf16(document: &[u8]) -> bool {
    match document {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => true,
        [a, 0, b, 0, ..] | [0, a, 0, b, ..] => a.is_ascii() && b.is_ascii() && *a != 0 && *b != 0,
        _ => false,
    }
}

/// Whether a text names the schema of OME, in whatever encoding.
pub(crate) fn mentions_ome(text: &[u8]) -> bool {
    let ascii: Vec<u8> = text.iter().copied().filter(|b| *b != 0).take(HEAD).collect();
    ascii.windows(SCHEMAS.len()).any(|part| part.eq_ignore_ascii_case(SCHEMAS))
}

const SCHEMAS: &[u8] = b"openmicroscopy.org/schemas/ome";

/// Bytes that are enough to look at in a file that may not belong here; the root element of a document with many
/// namespaces is some hundreds long.
pub(crate) const HEAD: usize = 64 << 10;

/// The first start tag, from its name to before its `>`.
fn root_tag(mut text: &[u8]) -> Option<&[u8]> {
    loop {
        let start = text.iter().position(|b| *b == b'<')?;
        text = &text[start + 1..];
        let end: &[u8] = match text {
            [b'?', ..] => b"?>",
            [b'!', b'-', b'-', ..] => b"-->",
            [b'!', ..] => {
                let plain = find(text, b">")?;
                if text[..plain].contains(&b'[') { b"]>" } else { b">" }
            }
            _ => return Some(&text[..find(text, b">").unwrap_or(text.len())]),
        };
        text = &text[find(text, end)? + end.len()..];
    }
}

fn attribute(tag: &[u8], name: &[u8]) -> Option<String> {
    let mut rest = tag;
    loop {
        let equals = rest.iter().position(|b| *b == b'=')?;
        let key = rest[..equals].trim_ascii();
        let value = rest[equals + 1..].trim_ascii_start();
        let quote = *value.first().filter(|b| matches!(b, b'"' | b'\''))?;
        let len = value[1..].iter().position(|b| *b == quote)?;
        if key == name {
            return Some(String::from_utf8_lossy(value[1..=len].trim_ascii()).into_owned());
        }
        rest = &value[len + 2..];
    }
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_root_behind_prologue_and_text() {
        let uuid = |text: &[u8]| ome_root(text).map(|root| root.uuid);
        assert_eq!(uuid(b"<OME UUID='a'/>"), Some(Some("a".into())));
        assert_eq!(
            uuid(b"\xef\xbb\xbf<?xml version='1.0'?><!-- <html> --><ome:OME xmlns:ome=\"x\">"),
            Some(None)
        );
        assert_eq!(
            uuid(b"text <!DOCTYPE OME [<!ENTITY a 'b'>]><OME x='1' UUID=\" b \">"),
            Some(Some("b".into()))
        );
        assert_eq!(uuid(b"\xff\xfe<\0O\0M\0E\0>\0"), Some(None));
        assert_eq!(uuid(b"<\0O\0M\0E\0>\0"), Some(None));
        assert_eq!(uuid(b"\0<\0O\0M\0E\0>"), Some(None));
        assert_eq!(uuid(b"\0\0<OME>"), Some(None));
        assert_eq!(uuid(b"<OME"), Some(None));
        assert_eq!(uuid(b"<OME\0"), Some(None));
        assert_eq!(uuid(b"<Image/>"), None);
        assert_eq!(uuid(b"<html><OME/></html>"), None);
        assert_eq!(uuid(b"ImageJ=1.52"), None);
        assert_eq!(uuid(b""), None);
    }
}
