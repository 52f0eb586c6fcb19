//! Changes to members of JSON objects in a document whose other bytes stay as they are.
//!
//! The text must be JSON that a parser has accepted.

use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::Range;

/// A member of an object, by its places in the text.
struct Member {
    name: String,
    key: Range<usize>,
    value: Range<usize>,
}

/// The text of the member `name` of the object at `path`.
pub(crate) fn get<'t>(text: &'t str, path: &[String], name: &str) -> Option<&'t str> {
    let (_, members) = object(text, path)?;
    members.into_iter().find(|member| member.name == name).and_then(|member| text.get(member.value))
}

/// The document with `value` in place of the member's, or with a new last member, laid out like the others. `None`
/// if there is no object at `path`.
pub(crate) fn set(text: &str, path: &[String], name: &str, value: &str) -> Option<String> {
    let (open, members) = object(text, path)?;
    if let Some(member) = members.iter().find(|member| member.name == name) {
        return Some([text.get(..member.value.start)?, value, text.get(member.value.end..)?].concat());
    }
    let new = format!("{}: {value}", Value::from(name));
    Some(match (members.first(), members.last()) {
        (Some(first), Some(last)) => {
            let gap = text.get(open + 1..first.key.start)?;
            [text.get(..last.value.end)?, ",", gap, &new, text.get(last.value.end..)?].concat()
        }
        _ => [text.get(..=open)?, &new, text.get(open + 1..)?].concat(),
    })
}

/// The document without the member. What [`set`] added is taken away to the byte.
pub(crate) fn remove(text: &str, path: &[String], name: &str) -> Option<String> {
    let (open, members) = object(text, path)?;
    let Some(index) = members.iter().position(|member| member.name == name) else {
        return Some(text.to_owned());
    };
    let gone = match (index.checked_sub(1).and_then(|before| members.get(before)), members.get(index + 1)) {
        (Some(before), _) => before.value.end..members[index].value.end,
        (None, Some(after)) => members[index].key.start..after.key.start,
        (None, None) => open + 1..members[index].value.end,
    };
    Some([text.get(..gone.start)?, text.get(gone.end..)?].concat())
}

/// The names of the members of the object at `path`, and where their values lie in the text. `None` if there is no object.
pub(crate) fn values(text: &str, path: &[String]) -> Option<Vec<(String, Range<usize>)>> {
    let (_, members) = object(text, path)?;
    Some(members.into_iter().map(|member| (member.name, member.value)).collect())
}

/// The document with other values of those members of the object at `path` that have a new one. `None` if there is no object.
pub(crate) fn set_all(text: &str, path: &[String], new: &BTreeMap<String, String>) -> Option<String> {
    let mut changed = String::with_capacity(text.len());
    let mut done = 0;
    for (name, place) in values(text, path)? {
        if let Some(value) = new.get(&name) {
            changed.push_str(text.get(done..place.start)?);
            changed.push_str(value);
            done = place.end;
        }
    }
    changed.push_str(text.get(done..)?);
    Some(changed)
}

/// Where the object at `path` opens, and its members.
fn object(text: &str, path: &[String]) -> Option<(usize, Vec<Member>)> {
    let mut open = skip_space(text.as_bytes(), 0);
    let mut members = members(text, open)?;
    for name in path {
        open = members.iter().find(|member| member.name == *name)?.value.start;
        members = self::members(text, open)?;
    }
    Some((open, members))
}

fn members(text: &str, open: usize) -> Option<Vec<Member>> {
    let bytes = text.as_bytes();
    if bytes.get(open) != Some(&b'{') {
        return None;
    }
    let mut members = Vec::new();
    let mut at = skip_space(bytes, open + 1);
    while bytes.get(at)? != &b'}' {
        let key = at..end_of_string(bytes, at)?;
        let name = serde_json::from_str(text.get(key.clone())?).ok()?;
        // A colon stands between the key and its value.
        let start = skip_space(bytes, skip_space(bytes, key.end) + 1);
        let value = start..end_of_value(bytes, start)?;
        at = skip_space(bytes, value.end);
        if bytes.get(at)? == &b',' {
            at = skip_space(bytes, at + 1);
        }
        members.push(Member { name, key, value });
    }
    Some(members)
}

fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
        at += 1;
    }
    at
}

fn end_of_string(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

fn end_of_value(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    let mut depth = 0_u32;
    loop {
        match bytes.get(at) {
            Some(b'"') => at = end_of_string(bytes, at)?,
            Some(b'{' | b'[') => {
                depth += 1;
                at += 1;
            }
            Some(b'}' | b']') if depth > 0 => {
                depth -= 1;
                at += 1;
            }
            // The end of a number or word at the top.
            Some(b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t') | None if depth == 0 => return Some(at),
            Some(_) => {
                at += 1;
                continue;
            }
            None => return None,
        }
        if depth == 0 {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENTS: [&str; 6] = [
        r#"{"attributes":{}}"#,
        r#"{"attributes": { } , "b": [1, 2]}"#,
        "{\n    \"z\": 1.50,\n    \"attributes\": {\n        \"ome\": {\"a\": \"}\\\"{\"},\n        \"n\": null\n    }\n}\n",
        r#"{"attributes":{"ome":1e3}}"#,
        "\t{\"attributes\"\t:\t{\"a\" : [ {} , \"]\" ]\t}}",
        r#"{"attributes":{"\u0061":true,"b":{}}}"#,
    ];

    #[test]
    fn what_is_set_is_removed_to_the_byte() {
        let path = ["attributes".to_owned()];
        for document in DOCUMENTS {
            let one = set(document, &path, "x:y", r#"{"k": [1, "\\"]}"#).unwrap();
            let two = set(&one, &path, "x:z", "[]").unwrap();
            let value: Value = serde_json::from_str(&two).unwrap();
            assert_eq!(value["attributes"]["x:y"]["k"][0], 1, "{two}");
            assert_eq!(get(&two, &path, "x:z"), Some("[]"));
            for order in [["x:y", "x:z"], ["x:z", "x:y"]] {
                let removed =
                    order.iter().fold(two.clone(), |text, name| remove(&text, &path, name).unwrap());
                assert_eq!(removed, document);
            }
        }
    }

    #[test]
    fn several_members_are_replaced_at_once() {
        let path = ["a".to_owned()];
        let document = r#"{"a": {"x": {"k": 1}, "y": [2] , "z":3}, "b": 4}"#;
        let places = values(document, &path).unwrap();
        let found: Vec<_> =
            places.iter().map(|(name, place)| (name.as_str(), &document[place.clone()])).collect();
        assert_eq!(found, [("x", r#"{"k": 1}"#), ("y", "[2]"), ("z", "3")]);
        let new = [("x", "{}"), ("z", "33"), ("none", "5")];
        let new = new.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!(set_all(document, &path, &new).unwrap(), r#"{"a": {"x": {}, "y": [2] , "z":33}, "b": 4}"#);
        assert_eq!((values(document, &["b".to_owned()]), set_all("1", &[], &new)), (None, None));
    }

    #[test]
    fn values_are_replaced_in_place() {
        let document = DOCUMENTS[2];
        let path = ["attributes".to_owned()];
        let changed = set(document, &path, "n", "[true]").unwrap();
        assert_eq!(set(&changed, &path, "n", "null").unwrap(), document);
        assert_eq!(get(document, &[], "z"), Some("1.50"));
        assert_eq!(set(document, &["none".to_owned()], "n", "1"), None);
        assert_eq!(set("[1]", &[], "n", "1"), None);
    }
}
