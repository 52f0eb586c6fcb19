//! JSON values compared by what they say: numbers by their value, members in any order.

use serde_json::Value;
use std::cmp::Ordering;

use crate::report::Difference;

/// Longest text of a value in a report.
const SHOWN: usize = 120;
/// Doubles hold every whole number up to here.
const WHOLE: f64 = 9_007_199_254_740_992.0;

/// Adds where `found` differs from `expected`; `place` is what the whole value is called.
pub(crate) fn compare(
    place: &str,
    expected: Option<&Value>,
    found: Option<&Value>,
    out: &mut Vec<Difference>,
) -> usize {
    match (expected, found) {
        (Some(Value::Object(expected)), Some(Value::Object(found))) => {
            let new = found.keys().filter(|name| !expected.contains_key(*name));
            expected
                .keys()
                .chain(new)
                .map(|name| compare(&format!("{place}/{name}"), expected.get(name), found.get(name), out))
                .sum()
        }
        (Some(Value::Array(expected)), Some(Value::Array(found))) => (0..expected.len().max(found.len()))
            .map(|n| compare(&format!("{place}/{n}"), expected.get(n), found.get(n), out))
            .sum(),
        (expected, found) => {
            let same = match (expected.and_then(Value::as_f64), found.and_then(Value::as_f64)) {
                // Whole numbers beyond the doubles may differ though their doubles are the same.
                (Some(a), Some(b)) => {
                    a.partial_cmp(&b) == Some(Ordering::Equal) && (a.abs() < WHOLE || expected == found)
                }
                _ => expected == found,
            };
            if !same {
                out.push(Difference::new(place, shown(expected), shown(found)));
            }
            1
        }
    }
}

/// A value as reports show it.
fn shown(value: Option<&Value>) -> String {
    let Some(value) = value else { return "nothing".into() };
    let text = value.to_string();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text,
    }
}
