//! Numbers and members of JSON objects: what all models share in reading and writing.

use serde_json::{Map, Value};

use crate::Error;

/// A JSON number, or `fallback` for a value that JSON cannot hold (NaN and the infinities).
pub(crate) fn number(value: f64, fallback: f64) -> Value {
    Value::from(if value.is_finite() { value } else { fallback })
}

/// As [`number`], without a fraction when there is none: sample values read better so.
pub(crate) fn sample(value: f64, fallback: f64) -> Value {
    /// Above this, not every integer is an `f64`.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let value = if value.is_finite() { value } else { fallback };
    if value.fract() == 0.0 && value.abs() <= EXACT { Value::from(value as i64) } else { Value::from(value) }
}

pub(crate) fn insert_some(object: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        object.insert(name.into(), value.into());
    }
}

pub(crate) fn object<'a>(value: &'a Value, path: &str) -> Result<&'a Map<String, Value>, Error> {
    value.as_object().ok_or_else(|| unexpected(value, path, "an object"))
}

pub(crate) fn array<'a>(
    object: &'a Map<String, Value>,
    name: &str,
    path: &str,
) -> Result<&'a [Value], Error> {
    let path = format!("{path}/{name}");
    match object.get(name) {
        Some(Value::Array(items)) => Ok(items),
        Some(other) => Err(unexpected(other, &path, "an array")),
        None => Err(Error::Missing { path, expected: "an array" }),
    }
}

pub(crate) fn string<'a>(object: &'a Map<String, Value>, name: &str, path: &str) -> Result<&'a str, Error> {
    let path = format!("{path}/{name}");
    match object.get(name) {
        Some(Value::String(text)) => Ok(text),
        Some(other) => Err(unexpected(other, &path, "a string")),
        None => Err(Error::Missing { path, expected: "a string" }),
    }
}

pub(crate) fn numbers(value: &Value, path: &str) -> Result<Vec<f64>, Error> {
    let items = value.as_array().ok_or_else(|| unexpected(value, path, "an array of numbers"))?;
    items.iter().map(|item| item.as_f64().ok_or_else(|| unexpected(item, path, "a number"))).collect()
}

pub(crate) fn text(object: &Map<String, Value>, name: &str) -> Option<String> {
    object.get(name).and_then(Value::as_str).map(str::to_owned)
}

/// The members of `object` that are not among `known`, in their order.
pub(crate) fn others(object: &Map<String, Value>, known: &[&str]) -> Map<String, Value> {
    object
        .iter()
        .filter(|(name, _)| !known.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Adds members kept from reading, without replacing what the model itself wrote.
pub(crate) fn add_extra(object: &mut Map<String, Value>, extra: &Map<String, Value>) {
    for (name, value) in extra {
        if !object.contains_key(name) {
            object.insert(name.clone(), value.clone());
        }
    }
}

pub(crate) fn unexpected(value: &Value, path: &str, expected: &'static str) -> Error {
    Error::Unexpected { path: path.into(), found: shorten(value), expected }
}

/// A value for a message: attacker-sized values would make attacker-sized messages.
pub(crate) fn shorten(value: &Value) -> String {
    const LONGEST: usize = 60;
    match value {
        Value::Array(items) => format!("an array of {}", items.len()),
        Value::Object(members) => format!("an object of {}", members.len()),
        Value::String(text) if text.chars().count() > LONGEST => {
            format!("{:?}...", text.chars().take(LONGEST).collect::<String>())
        }
        other => other.to_string(),
    }
}
