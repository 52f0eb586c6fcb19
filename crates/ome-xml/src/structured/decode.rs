//! From JSON, tables and blobs to XML.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value};

use super::{Blob, Structured, attributes};
use crate::error::Error;
use crate::table::Table;
use crate::text::is_name;
use crate::tree::Limits;
use crate::write;

pub(super) fn decode(parts: &Structured) -> Result<String, Error> {
    let mut out = write::DECLARATION.to_owned();
    let tables = parts.tables.iter().map(|table| (table.path(), table)).collect();
    Decoder { tables, blobs: &parts.blobs }.document(&parts.json, &mut out)?;
    out.push('\n');
    Ok(out)
}

struct Decoder<'p> {
    /// By their paths.
    tables: HashMap<String, &'p Table>,
    blobs: &'p [Blob],
}

/// Rows of a table in use.
struct Rows<'p> {
    table: &'p Table,
    places: Vec<Vec<usize>>,
    odd: Option<&'p Map<String, Value>>,
    first: usize,
    count: usize,
    /// Rows given so far.
    given: usize,
}

impl<'p> Decoder<'p> {
    fn document(&self, json: &'p Value, out: &mut String) -> Result<(), Error> {
        let Some(object) = json.as_object() else { return Err(Error::json("", "not an object")) };
        let root = object.iter().find(|(key, _)| key.eq_ignore_ascii_case("OME")).map(|(_, value)| value);
        if root.and_then(Value::as_array).is_none_or(|elements| elements.len() != 1) {
            return Err(Error::json("", "no member `OME` with one element"));
        }
        self.content(object, "", "", 0, "\n", out)
    }

    fn element(
        &self,
        key: &str,
        value: &'p Value,
        prefix: &str,
        path: &str,
        depth: usize,
        out: &mut String,
    ) -> Result<(), Error> {
        if depth > Limits::DEPTH {
            return Err(Error::json(path, "nested too deep"));
        }
        let empty = Map::new();
        let (object, text) = match value {
            Value::Object(object) => (Some(object), None),
            Value::String(text) => (None, Some(text.as_str())),
            _ => return Err(Error::json(path, "an element is an object or a string")),
        };
        let own = match object.and_then(|o| o.get("#prefix")) {
            None => prefix,
            Some(Value::String(own)) if own.is_empty() || is_name(own) => own,
            Some(_) => return Err(Error::json(path, "`#prefix` is not a prefix")),
        };
        let name = if own.is_empty() || key.contains(':') {
            Cow::Borrowed(key)
        } else {
            Cow::Owned(format!("{own}:{key}"))
        };
        if !is_name(&name) {
            return Err(Error::json(path, &format!("`{name}` is not a name")));
        }
        out.push('<');
        out.push_str(&name);
        attributes::write(object.unwrap_or(&empty), path, out)?;
        let start = out.len();
        out.push('>');
        match (object, text) {
            (_, Some(text)) => crate::text::escape_text(text, out),
            (Some(object), _) => self.content(object, own, path, depth, "", out)?,
            (None, None) => {}
        }
        if out.len() == start + 1 {
            out.truncate(start);
            out.push_str("/>");
        } else {
            write::end_tag(&name, out);
        }
        Ok(())
    }

    /// Everything in an element, in its order.
    fn content(
        &self,
        object: &'p Map<String, Value>,
        prefix: &str,
        path: &str,
        depth: usize,
        between: &str,
        out: &mut String,
    ) -> Result<(), Error> {
        if let Some(blob) = object.get("#blob") {
            return self.blob(blob, path, out);
        }
        let mut lists: BTreeMap<&str, std::slice::Iter<'p, Value>> = BTreeMap::new();
        let mut tables: BTreeMap<&str, Rows<'p>> = BTreeMap::new();
        let mut keys = Vec::new();
        for (key, value) in object {
            match value {
                _ if matches!(key.as_str(), "#order" | "#prefix" | "#digits") => continue,
                Value::Array(list) => {
                    lists.insert(key, list.iter());
                }
                Value::String(_) if key == "#text" => {
                    lists.insert(key, std::slice::from_ref(value).iter());
                }
                Value::Object(member) => {
                    tables.insert(key, self.rows(member, &format!("{path}/{key}"))?);
                }
                _ => continue,
            }
            keys.push((key.as_str(), usize::MAX));
        }
        let order = match object.get("#order") {
            None => keys,
            Some(order) => read_order(order, path)?,
        };
        let mut first = true;
        for (key, count) in order {
            if !std::mem::take(&mut first) {
                out.push_str(between);
            }
            if let Some(rows) = tables.get_mut(key) {
                self.table(rows, count, prefix, path, depth, out)?;
                continue;
            }
            let Some(list) = lists.get_mut(key) else {
                return Err(Error::json(path, &format!("`#order` names `{key}`, which is not there")));
            };
            for (n, value) in list.by_ref().take(count).enumerate() {
                if n > 0 {
                    out.push_str(between);
                }
                self.item(key, value, prefix, path, depth, out)?;
            }
        }
        if let Some((key, _)) = lists.iter().find(|(_, list)| list.len() > 0) {
            return Err(Error::json(path, &format!("`#order` leaves out some of `{key}`")));
        }
        Ok(())
    }

    fn item(
        &self,
        key: &str,
        value: &'p Value,
        prefix: &str,
        path: &str,
        depth: usize,
        out: &mut String,
    ) -> Result<(), Error> {
        if !key.starts_with('#') {
            return self.element(key, value, prefix, &format!("{path}/{key}"), depth + 1, out);
        }
        let Value::String(text) = value else {
            return Err(Error::json(path, &format!("`{key}` holds more than text")));
        };
        let ends_early = match key {
            "#cdata" => text.contains("]]>"),
            "#comment" => text.contains("--") || text.ends_with('-'),
            "#pi" => {
                let target = text.split(|c: char| c.is_ascii_whitespace()).next().unwrap_or_default();
                text.contains("?>") || !is_name(target) || target.eq_ignore_ascii_case("xml")
            }
            _ => false,
        };
        if ends_early {
            return Err(Error::json(path, &format!("`{key}` holds what would end it")));
        }
        match key {
            "#text" => crate::text::escape_text(text, out),
            "#cdata" => write::cdata(text, out),
            "#comment" => write::comment(text, out),
            "#pi" => write::pi(text, out),
            _ => return Err(Error::json(path, &format!("`{key}` is not a member of this form"))),
        }
        Ok(())
    }

    fn rows(&self, member: &'p Map<String, Value>, path: &str) -> Result<Rows<'p>, Error> {
        let Some(name) = member.get("#table").and_then(Value::as_str) else {
            return Err(Error::json(path, "an object where an array of elements or a `#table` is expected"));
        };
        let Some(&table) = self.tables.get(name) else {
            return Err(Error::Columns { name: name.to_owned(), reason: "the table is missing".into() });
        };
        let number = |name: &str| match member.get(name) {
            None => Ok(0),
            Some(value) => value
                .as_u64()
                .and_then(|n| usize::try_from(n).ok())
                .ok_or_else(|| Error::json(path, &format!("`{name}` is not a count"))),
        };
        let (first, count) = (number("first")?, number("rows")?);
        let end = first.checked_add(count);
        let shared = table.image().is_none();
        if end.is_none_or(|end| end > table.rows || (end < table.rows && !shared)) {
            return Err(
                table.error(format!("{} rows, but {count} from row {first} on in the JSON", table.rows))
            );
        }
        let odd = member.get("#rows").and_then(Value::as_object);
        Ok(Rows { table, places: table.places()?, odd, first, count, given: 0 })
    }

    fn table(
        &self,
        rows: &mut Rows<'p>,
        count: usize,
        prefix: &str,
        path: &str,
        depth: usize,
        out: &mut String,
    ) -> Result<(), Error> {
        let end = rows.given.saturating_add(count).min(rows.count);
        for row in rows.given..end {
            let odd = rows.odd.and_then(|odd| odd.get(&row.to_string()));
            match odd {
                Some(value) => {
                    let name = rows.table.element();
                    self.element(name, value, prefix, &format!("{path}/{name}"), depth + 1, out)?;
                }
                None => rows.table.write_row(rows.first + row, &rows.places, out)?,
            }
        }
        rows.given = end;
        Ok(())
    }

    fn blob(&self, member: &Value, path: &str, out: &mut String) -> Result<(), Error> {
        let name = member.get("path").and_then(Value::as_str).unwrap_or_default();
        let Some(blob) = self.blobs.iter().find(|b| b.path == name) else {
            return Err(Error::Columns { name: name.to_owned(), reason: "the blob is missing".into() });
        };
        match member.get("encoding").and_then(Value::as_str) {
            Some("base64") => BASE64.encode_string(&blob.bytes, out),
            Some("text") => match std::str::from_utf8(&blob.bytes) {
                Ok(text) => crate::text::escape_text(text, out),
                Err(_) => return Err(Error::Columns { name: name.to_owned(), reason: "not UTF-8".into() }),
            },
            _ => return Err(Error::json(path, "`#blob` names no encoding of this form")),
        }
        Ok(())
    }
}

fn read_order<'o>(order: &'o Value, path: &str) -> Result<Vec<(&'o str, usize)>, Error> {
    let entry = |entry: &'o Value| match entry {
        Value::String(name) => Some((name.as_str(), usize::MAX)),
        Value::Array(pair) => Some((pair.first()?.as_str()?, usize::try_from(pair.get(1)?.as_u64()?).ok()?)),
        _ => None,
    };
    let entries = order.as_array().and_then(|order| order.iter().map(entry).collect());
    entries.ok_or_else(|| Error::json(path, "`#order` is not a list of names and counts"))
}
