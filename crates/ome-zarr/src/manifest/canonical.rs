//! The canonical form of a JSON document, by which two documents that say the same are the same. `docs/digests.md` has the
//! rules.

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::io::Write as _;

/// The canonical form of a JSON text; `without` is a member that is left out wherever it stands. `None` where the text is no
/// JSON, or gives a member twice, so that readers may differ in what it says.
pub(super) fn canonical(text: &[u8], without: Option<&str>) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut json = serde_json::Deserializer::from_slice(text);
    Canonical { out: &mut out, without }.deserialize(&mut json).ok()?;
    json.end().ok()?;
    Some(out)
}

/// Writes a value as it is read.
struct Canonical<'a> {
    out: &'a mut Vec<u8>,
    without: Option<&'a str>,
}

impl Canonical<'_> {
    fn text(&mut self, text: &str) {
        // Escaped as RFC 8785 has it, which is how this library escapes. Writing to a vector does not fail.
        let _ = serde_json::to_writer(&mut *self.out, text);
    }
}

impl<'de> DeserializeSeed<'de> for Canonical<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Canonical<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        let _ = write!(self.out, "{value}");
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        let _ = write!(self.out, "{value}");
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        /// Below it, every whole number is one that both forms of a number can hold.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        let _ = if value.fract() == 0.0 && value.abs() < EXACT {
            write!(self.out, "{}", value as i64)
        } else {
            write!(self.out, "x{:016x}", value.to_bits())
        };
        Ok(())
    }

    fn visit_str<E>(mut self, value: &str) -> Result<(), E> {
        self.text(value);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Self { out, without } = self;
        out.push(b'[');
        let start = out.len();
        loop {
            let end = out.len();
            if end > start {
                out.push(b',');
            }
            if items.next_element_seed(Canonical { out, without })?.is_none() {
                out.truncate(end);
                break;
            }
        }
        out.push(b']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let Self { out, without } = self;
        let mut members: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        while let Some(name) = object.next_key::<String>()? {
            let mut value = Vec::new();
            object.next_value_seed(Canonical { out: &mut value, without })?;
            if without == Some(name.as_str()) {
                continue;
            }
            match members.entry(name) {
                Entry::Vacant(place) => {
                    place.insert(value);
                }
                Entry::Occupied(_) => return Err(A::Error::custom("a member is there twice")),
            }
        }
        out.push(b'{');
        for (n, (name, value)) in members.into_iter().enumerate() {
            if n > 0 {
                out.push(b',');
            }
            Canonical { out, without }.text(&name);
            out.push(b':');
            out.extend_from_slice(&value);
        }
        out.push(b'}');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(json: &str) -> Option<String> {
        canonical(json.as_bytes(), None).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn what_changes_no_value_changes_nothing() {
        let expected = r#"{"a":[1,null,{"b":true}],"é":"\n\u0001/"}"#;
        for same in [
            r#"{"a":[1,null,{"b":true}],"é":"\n\u0001/"}"#,
            "{ \"\\u00e9\" : \"\\u000A\\u0001\\/\",\n\t\"a\": [1.0, null, {\"b\": true}]\r\n}\n",
            r#"{"a":[1e0,null,{"b":true}],"é":"\n\u0001/"}"#,
        ] {
            assert_eq!(text(same).as_deref(), Some(expected), "{same}");
        }
    }

    #[test]
    fn what_changes_a_value_changes_the_form() {
        let forms = [
            "[1,2]",
            "[2,1]",
            "[1]",
            "[]",
            "{}",
            "null",
            "false",
            "0",
            "1",
            "-1",
            "0.5",
            "0.50000000000000011",
            "1e300",
            "18446744073709551615",
            "18446744073709551614",
            "\"\"",
            "\"1\"",
            "\"a\"",
            "\"A\"",
            "[[1],2]",
            "[1,[2]]",
            "{\"a\":1}",
            "{\"a\":{}}",
            "{\"b\":1}",
        ];
        let mut seen = std::collections::BTreeSet::new();
        for form in forms {
            assert!(seen.insert(text(form).unwrap()), "{form}");
        }
    }

    #[test]
    fn numbers_are_their_values() {
        assert_eq!(
            text("[-0, -0.0, 1E2, 9007199254740991.0]").as_deref(),
            Some("[0,0,100,9007199254740991]")
        );
        assert_eq!(text("[0.1, 1e16]").as_deref(), Some("[x3fb999999999999a,x4341c37937e08000]"));
        // Beyond 64 bits a whole number is a double like any other.
        assert_eq!(text("100000000000000000000"), text("1e20"));
    }

    #[test]
    fn what_readers_could_understand_in_two_ways_has_no_form() {
        for broken in ["", "{", "[1,]", "{\"a\":1,\"a\":1}", "1 2", "NaN", "{\"a\":1}x", "\u{feff}{}"] {
            assert_eq!(text(broken), None, "{broken}");
        }
    }

    #[test]
    fn one_member_can_be_left_out() {
        let form = canonical(br#"{"a":1,"x":{"m":2},"b":[{"m":1,"c":0}]}"#, Some("m"));
        assert_eq!(form.as_deref(), Some(&br#"{"a":1,"b":[{"c":0}],"x":{}}"#[..]));
    }
}
