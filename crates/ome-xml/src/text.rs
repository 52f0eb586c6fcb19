//! Escapes: from the text of a document to what it means, and back.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Resolves references and line ends; in attributes also white space (XML 1.0, 2.11 and 3.3.3). References that XML
/// does not know and characters that it forbids are left as they stand and named in the second value.
pub(crate) fn unescape(raw: &str, attribute: bool) -> (Cow<'_, str>, Option<String>) {
    let special = |b: &u8| *b == b'&' || (*b < 0x20 && (attribute || (*b != b'\n' && *b != b'\t')));
    let Some(first) = raw.bytes().position(|b| special(&b)) else {
        return (Cow::Borrowed(raw), None);
    };
    let mut out = String::with_capacity(raw.len());
    let mut fault = None;
    out.push_str(&raw[..first]);
    let mut rest = &raw[first..];
    while let Some(c) = rest.chars().next() {
        let mut taken = c.len_utf8();
        match c {
            '\r' => {
                if rest[1..].starts_with('\n') {
                    taken = 2;
                }
                out.push(if attribute { ' ' } else { '\n' });
            }
            '\n' | '\t' if attribute => out.push(' '),
            '&' => match reference(rest) {
                Some((c, len)) => {
                    out.push(c);
                    taken = len;
                    if !is_xml_char(c) {
                        fault.get_or_insert_with(|| {
                            format!("character U+{:04X}, which XML forbids, is kept", c as u32)
                        });
                    }
                }
                None => {
                    out.push('&');
                    let name: String = rest.chars().take(12).take_while(|c| !c.is_whitespace()).collect();
                    fault.get_or_insert_with(|| {
                        format!("reference `{name}` is not defined and is kept as it stands")
                    });
                }
            },
            c => {
                if !is_xml_char(c) {
                    fault.get_or_insert_with(|| {
                        format!("character U+{:04X}, which XML forbids, is kept", c as u32)
                    });
                }
                out.push(c);
            }
        }
        rest = &rest[taken..];
        let plain = rest.bytes().position(|b| special(&b)).unwrap_or(rest.len());
        out.push_str(&rest[..plain]);
        rest = &rest[plain..];
    }
    (Cow::Owned(out), fault)
}

/// Line ends as XML reads them.
pub(crate) fn lines(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.contains('\r') { Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n")) } else { text }
}

/// Appends character data. `\r` would be read back as a line end.
pub(crate) fn escape_text(text: &str, out: &mut String) {
    escape(text, out, |c| match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '\r' => Some("&#xD;"),
        _ => None,
    });
}

/// Appends an attribute value, for double quotes.
pub(crate) fn escape_attribute(text: &str, out: &mut String) {
    escape(text, out, |c| match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '"' => Some("&quot;"),
        '\t' => Some("&#x9;"),
        '\n' => Some("&#xA;"),
        '\r' => Some("&#xD;"),
        _ => None,
    });
}

/// XML 1.0, production 2.
pub(crate) fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// True for what can stand as a name: one prefix at most. Of letters beyond ASCII all are taken.
pub(crate) fn is_name(name: &str) -> bool {
    let part = |part: &str| {
        let first =
            part.bytes().next().is_some_and(|b| !b.is_ascii() || b.is_ascii_alphabetic() || b == b'_');
        first
            && part
                .bytes()
                .all(|b| !b.is_ascii() || b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
    };
    match name.split_once(':') {
        Some((prefix, local)) => part(prefix) && part(local),
        None => part(name),
    }
}

fn escape(text: &str, out: &mut String, replacement: impl Fn(char) -> Option<&'static str>) {
    let mut start = 0;
    for (at, c) in text.char_indices() {
        if let Some(escaped) = replacement(c) {
            let _ = write!(out, "{}{escaped}", &text[start..at]);
            start = at + c.len_utf8();
        }
    }
    out.push_str(&text[start..]);
}

/// The character that a reference at the start of `text` stands for, and the reference's length.
fn reference(text: &str) -> Option<(char, usize)> {
    // The longest is `&#x0010FFFF;`, with some zeros to spare.
    let end = text.bytes().take(32).position(|b| b == b';')?;
    let c = match &text[1..end] {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        name => {
            let number = name.strip_prefix('#')?;
            let digits = |s: &str, radix| {
                (s.bytes().all(|b| b.is_ascii_alphanumeric()))
                    .then(|| u32::from_str_radix(s, radix).ok())
                    .flatten()
            };
            let code = match number.strip_prefix('x') {
                Some(hex) => digits(hex, 16)?,
                None => digits(number, 10)?,
            };
            char::from_u32(code).filter(|&c| c != '\0')?
        }
    };
    Some((c, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_and_line_ends() {
        assert_eq!(
            unescape("a&lt;&#181;&#xB5;\r\nb\rc\td", false),
            (Cow::Owned("a<µµ\nb\nc\td".into()), None)
        );
        assert_eq!(unescape("a\r\n\tb&#10;", true).0, "a  b\n");
        let (text, fault) = unescape("&micro;m & \u{1}", false);
        assert_eq!(text, "&micro;m & \u{1}");
        assert!(fault.unwrap().contains("&micro;"));
        assert_eq!(unescape("&#0;&#xD800;", false).0, "&#0;&#xD800;");
    }

    #[test]
    fn escaping_reads_back() {
        let value = "a<b>&\"'\t\r\n µ ]]>";
        let (mut text, mut attribute) = (String::new(), String::new());
        escape_text(value, &mut text);
        escape_attribute(value, &mut attribute);
        assert_eq!(unescape(&text, false).0, value);
        assert_eq!(unescape(&attribute, true).0, value);
    }
}
