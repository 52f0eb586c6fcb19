//! Text of files, stores and servers as people are shown it: nothing in it moves a cursor, rings, ends a line, or changes the order
//! in which a line is read. A name could otherwise print a verdict of its own.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text on one line, with each character that acts instead of being seen written as an escape: `\n`, `\r`, `\t`, and
/// `\u{1b}` for the others. These are the controls (C0, DEL, C1), line and paragraph separators, marks, embeddings, overrides and
/// isolates of bidirectional text, characters without width, annotations, tags, and noncharacters. Backslashes stay as they are:
/// this is for reading, not for taking apart again.
#[must_use]
pub fn shown(text: &str) -> Cow<'_, str> {
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if acts(character) => {
                // Writing to memory does not fail.
                let _ = write!(out, "\\u{{{:x}}}", u32::from(character));
            }
            _ => out.push(character),
        }
    }
    Cow::Owned(out)
}

/// The same JSON with those characters as `\uXXXX`: equal values, and nothing that acts. JSON has them in strings alone, but for
/// the ends of lines and the spaces of its own layout, which stay.
#[must_use]
pub fn shown_json(json: &str) -> Cow<'_, str> {
    let acts = |character: char| character != '\n' && acts(character);
    if !json.contains(acts) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 16);
    for character in json.chars() {
        if acts(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(character);
        }
    }
    Cow::Owned(out)
}

/// Whether a character does something where it is shown.
fn acts(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_is_shown_as_an_escape() {
        let cases = [
            ("\u{1b}[2K\u{7}", "\\u{1b}[2K\\u{7}"),
            ("a\r\nb\tc", "a\\r\\nb\\tc"),
            ("\u{9b}1A\u{7f}", "\\u{9b}1A\\u{7f}"),
            ("x\u{202e}fit.emo\u{2066}", "x\\u{202e}fit.emo\\u{2066}"),
            ("a\u{200b}b\u{feff}c\u{ad}", "a\\u{200b}b\\u{feff}c\\u{ad}"),
            ("\u{2028}\u{2029}", "\\u{2028}\\u{2029}"),
            ("\u{e0041}", "\\u{e0041}"),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(text), expected);
        }
    }

    #[test]
    fn what_people_write_stays() {
        for text in
            ["", "0.065 µm", r"C:\data\новый файл.tif", "細胞 1", "e\u{301} naïve – “quoted”", "עברית", "🔬"]
        {
            assert!(matches!(shown(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    #[test]
    fn json_keeps_its_values() {
        let json = "{\n  \"name\": \"a\u{9b}b\u{202e}c\u{e0041}\"\n}";
        assert_eq!(shown_json(json), "{\n  \"name\": \"a\\u009bb\\u202ec\\udb40\\udc41\"\n}");
    }
}
