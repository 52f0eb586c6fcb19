//! What to fill in where nothing stands.

use crate::catalogue::{Attribute, Base};

/// In words: the first listed values, or the kind of value and its unit.
pub(super) fn hint(attribute: &Attribute) -> String {
    if let Some(list) = attribute.values() {
        // As many as fit a line.
        let mut room = 60_usize;
        let fits = |value: &&str| {
            room = room.saturating_sub(value.len());
            room > 0
        };
        let mut shown: Vec<_> = list.values.iter().map(|v| v.trim()).take_while(fits).take(4).collect();
        if shown.is_empty() {
            shown.extend(list.values.first());
        }
        let more = list.values.len().saturating_sub(shown.len());
        return if more == 0 {
            format!("fill in {}", shown.join(", "))
        } else {
            format!("fill in {} or one of {more} more", shown.join(", "))
        };
    }
    let what = match attribute.base {
        b if b.is_integer() => "a whole number",
        b if b.is_number() => "a number",
        Base::Bool => "true or false",
        Base::Date => "a date as yyyy-mm-dd",
        Base::Uri => "a web address",
        _ => "a text",
    };
    match (attribute.unit, attribute.unit_default) {
        (Some(_), Some(unit)) => format!("fill in {what} and its unit, such as {unit}"),
        (Some(_), None) => format!("fill in {what} and its unit"),
        _ => format!("fill in {what}"),
    }
}
