//! Bytes to text: byte order marks, declared and undeclared encodings, NULs, and what stands before the XML.
//!
//! TIFF says that ImageDescription is ASCII; writers put UTF-8, Latin-1 and UTF-16 there. The bytes are never changed,
//! only read as well as can be; every liberty taken is a warning that names the byte.

use std::ops::Range;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::error::{Error, Warnings};

/// Where the text of a document is.
#[derive(Clone, Debug)]
pub(crate) enum Text {
    /// These bytes of the document, known to be UTF-8.
    Bytes(Range<usize>),
    /// Decoded from something else.
    Owned(String),
}

/// Finds and decodes the XML in `bytes`.
pub(crate) fn decode(bytes: &[u8], warnings: &mut Warnings) -> Result<Text, Error> {
    if let Some((encoding, width)) = byte_order_mark(bytes) {
        if encoding != UTF_8 {
            warnings
                .at(0, format!("{} byte order mark; the document is read in that encoding", encoding.name()));
            return decode_utf16(&bytes[width..], encoding, warnings);
        }
        warnings.at(0, "UTF-8 byte order mark before the XML");
    }
    // UTF-16 without a mark: `<` with a NUL beside it.
    match bytes {
        [b'<', 0, ..] => return decode_utf16(bytes, UTF_16LE, warnings),
        [0, b'<', ..] => return decode_utf16(bytes, UTF_16BE, warnings),
        _ => {}
    }

    let Some(start) = bytes.iter().position(|&b| b == b'<') else {
        return Err(Error::NotXml { len: bytes.len() });
    };
    let before = bytes[..start].strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes[..start]);
    let declared_here = bytes[start..].starts_with(b"<?xml");
    if !before.iter().all(u8::is_ascii_whitespace) {
        warnings.at(start, format!("XML starts after {start} bytes of other text, which are passed over"));
    } else if !before.is_empty() && declared_here {
        warnings.at(start, format!("{} bytes of white space before the XML declaration", before.len()));
    }
    // TIFF strings end at their first NUL.
    let end = bytes[start..].iter().position(|&b| b == 0).map_or(bytes.len(), |n| start + n);
    if bytes[end..].iter().any(|&b| b != 0) {
        warnings.at(end, format!("{} bytes after a NUL are passed over", bytes.len() - end));
    }
    let range = start..end;
    let body = &bytes[range.clone()];

    let declared = declared_encoding(body);
    let encoding = match &declared {
        None => UTF_8,
        Some(label) => match Encoding::for_label(label.as_bytes()) {
            // The declaration is readable byte by byte, so it is not UTF-16 whatever it says.
            Some(e) if e == UTF_16LE || e == UTF_16BE => {
                warnings.at(
                    start,
                    format!("declares encoding {label}, but is written byte by byte; read as UTF-8"),
                );
                UTF_8
            }
            Some(e) => e,
            None => {
                warnings.at(start, format!("declares unknown encoding `{label}`; read as UTF-8"));
                UTF_8
            }
        },
    };
    match std::str::from_utf8(body) {
        Ok(_) if encoding == UTF_8 || body.is_ascii() => Ok(Text::Bytes(range)),
        _ if encoding != UTF_8 => {
            let (text, errors) = encoding.decode_without_bom_handling(body);
            if errors {
                warnings.at(start, format!("bytes that are not {}; each is read as U+FFFD", encoding.name()));
            }
            Ok(Text::Owned(text.into_owned()))
        }
        _ => decode_mixed(body, start, declared.is_some(), warnings).map(Text::Owned),
    }
}

fn byte_order_mark(bytes: &[u8]) -> Option<(&'static Encoding, usize)> {
    Encoding::for_bom(bytes)
}

fn decode_utf16(bytes: &[u8], encoding: &'static Encoding, warnings: &mut Warnings) -> Result<Text, Error> {
    let (text, errors) = encoding.decode_without_bom_handling(bytes);
    if errors {
        warnings.say(format!("invalid {} sequences are read as U+FFFD", encoding.name()));
    }
    let text = text.split('\0').next().unwrap_or_default();
    match text.find('<') {
        Some(start) => Ok(Text::Owned(text[start..].to_owned())),
        None => Err(Error::NotXml { len: bytes.len() }),
    }
}

/// The encoding that the XML declaration names.
fn declared_encoding(body: &[u8]) -> Option<String> {
    let head = &body[..body.len().min(256)];
    let end = head.windows(2).position(|w| w == b"?>")?;
    let declaration = head[..end].strip_prefix(b"<?xml")?;
    let declaration = String::from_utf8_lossy(declaration);
    let value = declaration.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    Some(value[1..].split(quote).next()?.to_owned())
}

/// UTF-8 where it is UTF-8; each other byte as Windows-1252, which is what such writers use.
fn decode_mixed(body: &[u8], start: usize, declared: bool, warnings: &mut Warnings) -> Result<String, Error> {
    let mut text = String::with_capacity(body.len() + body.len() / 16);
    let mut at = start;
    let mut first = None;
    let mut count = 0_usize;
    for chunk in body.utf8_chunks() {
        text.push_str(chunk.valid());
        at += chunk.valid().len();
        let invalid = chunk.invalid();
        if invalid.is_empty() {
            continue;
        }
        if invalid[0] == 0xed && body.get(at - start + 1).is_some_and(|b| (0xa0..=0xbf).contains(b)) {
            return Err(Error::Encoding {
                offset: at,
                reason: "half of a surrogate pair, encoded on its own".into(),
            });
        }
        first.get_or_insert(at);
        count += invalid.len();
        text.push_str(&WINDOWS_1252.decode_without_bom_handling(invalid).0);
        at += invalid.len();
    }
    if let Some(first) = first {
        let says = if declared { "declared as UTF-8" } else { "without a declared encoding" };
        warnings
            .at(first, format!("{says}, but {count} bytes are not UTF-8; these are read as Windows-1252"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> (String, usize) {
        let mut warnings = Warnings::default();
        let text = match decode(bytes, &mut warnings).unwrap() {
            Text::Bytes(r) => std::str::from_utf8(&bytes[r]).unwrap().to_owned(),
            Text::Owned(s) => s,
        };
        (text, warnings.finish().len())
    }

    #[test]
    fn encodings_are_read_as_well_as_can_be() {
        assert_eq!(text("<a>µ</a>".as_bytes()), ("<a>µ</a>".into(), 0));
        assert_eq!(text(b"<a>\xb5</a>"), ("<a>µ</a>".into(), 1));
        assert_eq!(text(b"<a>\xb5 \xc2\xb5</a>"), ("<a>µ µ</a>".into(), 1));
        assert_eq!(
            text(b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xb5</a>").0,
            "<?xml version='1.0' encoding='ISO-8859-1'?><a>µ</a>"
        );
        assert_eq!(text(b"\xef\xbb\xbf<a/>"), ("<a/>".into(), 1));
        assert_eq!(text(b"junk <a/>\0\0more"), ("<a/>".into(), 2));
        assert_eq!(text(b"<a/>\0\0"), ("<a/>".into(), 0));
        assert_eq!(text(b"\xff\xfe<\0a\0/\0>\0"), ("<a/>".into(), 1));
        assert_eq!(text(b"\0<\0a\0/\0>"), ("<a/>".into(), 0));
    }

    #[test]
    fn surrogates_and_nothing_are_errors() {
        let mut w = Warnings::default();
        assert!(matches!(decode(b"<a>\xed\xa0\x80</a>", &mut w), Err(Error::Encoding { offset: 3, .. })));
        assert!(matches!(decode(b"no xml", &mut w), Err(Error::NotXml { len: 6 })));
        assert!(matches!(decode(b"", &mut w), Err(Error::NotXml { len: 0 })));
    }
}
