//! The structured form: a document as JSON, tables and blobs, and back.
//!
//! The mapping is described in `docs/ome-json.md`. In short: an attribute is a member with a scalar value; the child
//! elements of one name are a member with an array; members that start with `#` say what JSON cannot. Elements of OME's
//! namespaces go by their names alone, others by their prefixed names. `Plane` and `TiffData` are in [`Table`]s, large
//! `BinData` in [`Blob`]s.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Number, Value};

use crate::document::Document;
use crate::error::{Error, Warnings};
use crate::parser;
use crate::table::{Scope, Table, TableBuilder};
use crate::text::is_name;
use crate::tree::{self, Attr, Bulk, Element, Node};
use crate::write;

/// A document in parts that a store can hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Structured {
    /// Everything but what is in the other members.
    pub json: Value,
    /// `Plane` and `TiffData`, at most one table of each for an Image.
    pub tables: Vec<Table>,
    /// Large binary content.
    pub blobs: Vec<Blob>,
}

/// Binary content of one element.
#[derive(Clone, Debug, PartialEq)]
pub struct Blob {
    /// Its place under the group of the structured model, `blobs/0`.
    pub path: String,
    /// The content.
    pub bytes: Vec<u8>,
}

impl Structured {
    /// Takes a document apart.
    ///
    /// # Errors
    ///
    /// None that parsing has not found.
    pub fn from_document(document: &Document) -> Result<Self, Error> {
        let tree = parser::parse(document.text(), &mut Warnings::default())?;
        let images = tree.root.elements().filter(|e| !e.foreign && e.name() == "Image").count();
        let mut parts = Taker {
            builders: Vec::new(),
            shared: images > MOST_WITH_OWN_TABLES,
            blobs: Vec::new(),
            image: 0,
            pixels: 0,
        };
        let mut nodes = tree.before;
        nodes.push(Node::Element(Box::new(tree.root)));
        nodes.extend(tree.after);
        let mut json = Map::new();
        parts.nodes(&nodes, Context { prefix: "", verbatim: false }, &mut json)?;
        let tables = parts.builders.into_iter().map(TableBuilder::finish).collect();
        Ok(Self { json: Value::Object(json), tables, blobs: parts.blobs })
    }

    /// Makes the document again, canonically equal to the one it came from but for white space between elements.
    ///
    /// # Errors
    ///
    /// [`Error::Json`] and [`Error::Columns`] where the parts are not what [`Self::from_document`] gives.
    pub fn to_xml(&self) -> Result<String, Error> {
        let mut out = write::DECLARATION.to_owned();
        let tables = self.tables.iter().map(|table| (table.path(), table)).collect();
        Giver { tables, blobs: &self.blobs }.document(&self.json, &mut out)?;
        out.push('\n');
        Ok(out)
    }
}

/// What an element takes from those around it.
#[derive(Clone, Copy)]
struct Context<'c> {
    /// Prefix that OME elements have without saying so.
    prefix: &'c str,
    /// White space counts.
    verbatim: bool,
}

/// Rows that one element has put into a table.
struct Taken {
    kind: Bulk,
    table: usize,
    /// The first of them.
    first: usize,
    /// Those that have no shape, by their number among these rows.
    odd: Map<String, Value>,
}

struct Taker {
    builders: Vec<TableBuilder>,
    /// All Images have their rows in the same tables.
    shared: bool,
    blobs: Vec<Blob>,
    /// Images read so far.
    image: usize,
    /// Pixels of the Image read so far: older schemas allow several.
    pixels: usize,
}

impl Taker {
    fn element(&mut self, element: &Element<'_>, context: Context<'_>) -> Result<Value, Error> {
        let mut object = Map::new();
        let inner = Context {
            prefix: if element.foreign && !element.prefix().is_empty() {
                context.prefix
            } else {
                element.prefix()
            },
            verbatim: keeps_blanks(element, context.verbatim),
        };
        if inner.prefix != context.prefix {
            object.insert("#prefix".into(), element.prefix().into());
        }
        take_attributes(element, &mut object);
        if let Some(blob) = self.blob(element) {
            object.insert("#blob".into(), blob);
        } else {
            self.nodes(&element.nodes, inner, &mut object)?;
        }
        if !element.foreign && !context.verbatim {
            match element.name() {
                "Pixels" => self.pixels += 1,
                "Image" => (self.image, self.pixels) = (self.image + 1, 0),
                _ => {}
            }
        }
        // Text alone needs no object around it.
        if object.len() == 1
            && let Some(Value::String(_)) = object.get("#text")
            && let Some(text) = object.remove("#text")
        {
            return Ok(text);
        }
        Ok(Value::Object(object))
    }

    fn nodes(
        &mut self,
        nodes: &[Node<'_>],
        context: Context<'_>,
        object: &mut Map<String, Value>,
    ) -> Result<(), Error> {
        let mut order: Vec<(String, usize)> = Vec::new();
        let mut lists: Vec<(String, Vec<Value>)> = Vec::new();
        let mut members: Vec<Taken> = Vec::new();
        let has_elements = nodes.iter().any(|n| matches!(n, Node::Element(_) | Node::Run(_)));
        for node in nodes {
            let (key, value) = match node {
                node if has_elements && !context.verbatim && node.is_blank() => continue,
                Node::Element(child) => (Cow::Borrowed(key(child)), self.element(child, context)?),
                Node::Text(text) => (Cow::Borrowed("#text"), text.as_ref().into()),
                Node::CData(text) => (Cow::Borrowed("#cdata"), text.as_ref().into()),
                Node::Comment(text) => (Cow::Borrowed("#comment"), text.as_ref().into()),
                Node::Pi(text) => (Cow::Borrowed("#pi"), text.as_ref().into()),
                Node::Run(run) => {
                    let at = match members.iter().position(|taken| taken.kind == run.kind) {
                        Some(at) => at,
                        None => {
                            members.push(self.table(run.kind));
                            members.len() - 1
                        }
                    };
                    let table = members[at].table;
                    for element in run.elements() {
                        let element = element?;
                        if !self.builders[table].push(&element, self.image) {
                            let odd = self.element(&element, context)?;
                            let row = self.builders[table].rows() - 1 - members[at].first;
                            members[at].odd.insert(row.to_string(), odd);
                        }
                    }
                    push_order(&mut order, run.kind.name(), run.count);
                    continue;
                }
            };
            push_order(&mut order, &key, 1);
            match lists.iter_mut().find(|(name, _)| *name == *key) {
                Some((_, list)) => list.push(value),
                None => lists.push((key.into_owned(), vec![value])),
            }
        }
        for (name, mut list) in lists {
            let lone_text = name == "#text" && order.len() == 1 && list.len() == 1;
            let value = if lone_text { list.remove(0) } else { Value::Array(list) };
            object.insert(name, value);
        }
        for Taken { kind, table, first, odd } in members {
            let builder = &self.builders[table];
            let mut member = Map::new();
            member.insert("#table".into(), builder.path().into());
            member.insert("rows".into(), (builder.rows() - first).into());
            if first > 0 {
                member.insert("first".into(), first.into());
            }
            if !odd.is_empty() {
                member.insert("#rows".into(), Value::Object(odd));
            }
            object.insert(kind.name().into(), Value::Object(member));
        }
        if order.len() > 1 {
            object.insert("#order".into(), order_value(order));
        }
        Ok(())
    }

    /// The table for the rows of this kind of the Pixels at hand.
    fn table(&mut self, kind: Bulk) -> Taken {
        let scope =
            if self.shared { Scope::All } else { Scope::One { image: self.image, pixels: self.pixels } };
        // Pixels have no table yet when their first row comes.
        let mut shared = self.shared.then(|| self.builders.iter()).into_iter().flatten();
        let table = shared.position(|builder| builder.is(kind, scope)).unwrap_or_else(|| {
            self.builders.push(TableBuilder::new(kind, scope));
            self.builders.len() - 1
        });
        Taken { kind, table, first: self.builders[table].rows(), odd: Map::new() }
    }

    /// Takes out the text of a large `BinData`.
    fn blob(&mut self, element: &Element<'_>) -> Option<Value> {
        let [Node::Text(text)] = element.nodes.as_slice() else { return None };
        if element.foreign || element.name() != "BinData" || text.len() < SMALLEST_BLOB {
            return None;
        }
        let decoded = BASE64.decode(text.as_bytes()).ok().filter(|bytes| BASE64.encode(bytes) == **text);
        let (encoding, bytes) = match decoded {
            Some(bytes) => ("base64", bytes),
            None => ("text", text.as_bytes().to_vec()),
        };
        let path = format!("blobs/{}", self.blobs.len());
        let mut member = Map::new();
        member.insert("path".into(), path.clone().into());
        member.insert("encoding".into(), encoding.into());
        member.insert("length".into(), bytes.len().into());
        self.blobs.push(Blob { path, bytes });
        Some(Value::Object(member))
    }
}

fn take_attributes(element: &Element<'_>, object: &mut Map<String, Value>) {
    let mut digits = Map::new();
    let children: Vec<&str> = element.elements().map(key).collect();
    for attr in &element.attrs {
        let (value, exact) = scalar(element.foreign, attr);
        if !exact {
            digits.insert(attr.name.to_string(), attr.value.as_ref().into());
        }
        // A child of the same name has the name.
        let name = if children.iter().any(|c| *c == attr.name) {
            format!("@{}", attr.name)
        } else {
            attr.name.to_string()
        };
        object.insert(name, value);
    }
    if !digits.is_empty() {
        object.insert("#digits".into(), Value::Object(digits));
    }
}

/// True where white space in an element is content: in other namespaces and in the XML of annotations.
pub(crate) fn keeps_blanks(element: &Element<'_>, outer: bool) -> bool {
    outer
        || element.foreign
        || element.name() == "CustomAttributes"
        || (element.name() == "Value" && element.elements().any(|e| e.foreign || e.name() != "M"))
}

/// OME elements go by name, others by prefixed name.
fn key<'e>(element: &'e Element<'_>) -> &'e str {
    if element.foreign { &element.name } else { element.name() }
}

fn push_order(order: &mut Vec<(String, usize)>, key: &str, count: usize) {
    match order.last_mut() {
        Some((name, n)) if name == key => *n += count,
        _ => order.push((key.to_owned(), count)),
    }
}

/// Names in order; with a count where one stands in several places.
fn order_value(order: Vec<(String, usize)>) -> Value {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, _) in &order {
        *places.entry(name).or_default() += 1;
    }
    let once: Vec<bool> = order.iter().map(|(name, _)| places[name.as_str()] == 1).collect();
    let entries = order.into_iter().zip(once).map(|((name, count), once)| {
        if once { Value::String(name) } else { Value::Array(vec![name.into(), count.into()]) }
    });
    Value::Array(entries.collect())
}

/// The value of an attribute, and whether its text can be had from it.
fn scalar(foreign: bool, attr: &Attr<'_>) -> (Value, bool) {
    let text = attr.value.as_ref();
    let name = attr.name.as_ref();
    if foreign {
        return (text.into(), true);
    }
    if BOOLEANS.binary_search(&name).is_ok() {
        return match text {
            "true" | "false" => (Value::Bool(text == "true"), true),
            "1" | "0" => (Value::Bool(text == "1"), false),
            _ => (text.into(), true),
        };
    }
    if NUMBERS.binary_search(&name).is_err() {
        return (text.into(), true);
    }
    let number = match text.parse::<i64>() {
        Ok(integer) => Some(Number::from(integer)),
        Err(_) if text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.')) => {
            text.parse().ok().and_then(Number::from_f64)
        }
        Err(_) => None,
    };
    match number {
        None => (text.into(), true),
        Some(number) => {
            let exact = number_text(&number) == text;
            (Value::Number(number), exact)
        }
    }
}

/// The digits that a JSON number stands for.
fn number_text(number: &Number) -> String {
    match (number.is_f64(), number.as_f64()) {
        (true, Some(value)) if value.fract() == 0.0 && value.abs() < 1e16 => format!("{value:.1}"),
        (true, Some(value)) => value.to_string(),
        _ => number.to_string(),
    }
}

struct Giver<'p> {
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

impl<'p> Giver<'p> {
    fn document(&self, json: &'p Value, out: &mut String) -> Result<(), Error> {
        let Some(object) = json.as_object() else { return Err(wrong("", "not an object")) };
        let root = object.iter().find(|(key, _)| key.eq_ignore_ascii_case("OME")).map(|(_, value)| value);
        if root.and_then(Value::as_array).is_none_or(|elements| elements.len() != 1) {
            return Err(wrong("", "no member `OME` with one element"));
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
        if depth > tree::Limits::DEPTH {
            return Err(wrong(path, "nested too deep"));
        }
        let empty = Map::new();
        let (object, text) = match value {
            Value::Object(object) => (Some(object), None),
            Value::String(text) => (None, Some(text.as_str())),
            _ => return Err(wrong(path, "an element is an object or a string")),
        };
        let own = match object.and_then(|o| o.get("#prefix")) {
            None => prefix,
            Some(Value::String(own)) if own.is_empty() || is_name(own) => own,
            Some(_) => return Err(wrong(path, "`#prefix` is not a prefix")),
        };
        let name = if own.is_empty() || key.contains(':') {
            Cow::Borrowed(key)
        } else {
            Cow::Owned(format!("{own}:{key}"))
        };
        if !is_name(&name) {
            return Err(wrong(path, &format!("`{name}` is not a name")));
        }
        out.push('<');
        out.push_str(&name);
        attributes(object.unwrap_or(&empty), path, out)?;
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
                return Err(wrong(path, &format!("`#order` names `{key}`, which is not there")));
            };
            for (n, value) in list.by_ref().take(count).enumerate() {
                if n > 0 {
                    out.push_str(between);
                }
                self.item(key, value, prefix, path, depth, out)?;
            }
        }
        if let Some((key, _)) = lists.iter().find(|(_, list)| list.len() > 0) {
            return Err(wrong(path, &format!("`#order` leaves out some of `{key}`")));
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
            return Err(wrong(path, &format!("`{key}` holds more than text")));
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
            return Err(wrong(path, &format!("`{key}` holds what would end it")));
        }
        match key {
            "#text" => crate::text::escape_text(text, out),
            "#cdata" => write::cdata(text, out),
            "#comment" => write::comment(text, out),
            "#pi" => write::pi(text, out),
            _ => return Err(wrong(path, &format!("`{key}` is not a member of this form"))),
        }
        Ok(())
    }

    fn rows(&self, member: &'p Map<String, Value>, path: &str) -> Result<Rows<'p>, Error> {
        let Some(name) = member.get("#table").and_then(Value::as_str) else {
            return Err(wrong(path, "an object where an array of elements or a `#table` is expected"));
        };
        let Some(&table) = self.tables.get(name) else {
            return Err(Error::Columns { name: name.to_owned(), reason: "the table is missing".into() });
        };
        let number = |name: &str| match member.get(name) {
            None => Ok(0),
            Some(value) => value
                .as_u64()
                .and_then(|n| usize::try_from(n).ok())
                .ok_or_else(|| wrong(path, &format!("`{name}` is not a count"))),
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
            _ => return Err(wrong(path, "`#blob` names no encoding of this form")),
        }
        Ok(())
    }
}

fn attributes(object: &Map<String, Value>, path: &str, out: &mut String) -> Result<(), Error> {
    let digits = object.get("#digits").and_then(Value::as_object);
    for (key, value) in object {
        if key.starts_with('#') {
            continue;
        }
        let name = key.strip_prefix('@').unwrap_or(key);
        let text = match (digits.and_then(|d| d.get(name)), value) {
            (_, Value::Array(_) | Value::Object(_)) => continue,
            (Some(Value::String(text)), _) | (None, Value::String(text)) => Cow::Borrowed(text.as_str()),
            (None, Value::Number(number)) => Cow::Owned(number_text(number)),
            (None, Value::Bool(value)) => Cow::Borrowed(if *value { "true" } else { "false" }),
            _ => return Err(wrong(path, &format!("`{key}` has no value"))),
        };
        if !is_name(name) {
            return Err(wrong(path, &format!("`{name}` is not a name")));
        }
        out.push(' ');
        out.push_str(name);
        out.push_str("=\"");
        crate::text::escape_attribute(&text, out);
        out.push('"');
    }
    Ok(())
}

fn read_order<'o>(order: &'o Value, path: &str) -> Result<Vec<(&'o str, usize)>, Error> {
    let entry = |entry: &'o Value| match entry {
        Value::String(name) => Some((name.as_str(), usize::MAX)),
        Value::Array(pair) => Some((pair.first()?.as_str()?, usize::try_from(pair.get(1)?.as_u64()?).ok()?)),
        _ => None,
    };
    let entries = order.as_array().and_then(|order| order.iter().map(entry).collect());
    entries.ok_or_else(|| wrong(path, "`#order` is not a list of names and counts"))
}

fn wrong(path: &str, reason: &str) -> Error {
    Error::Json {
        path: if path.is_empty() { "/".into() } else { path.to_owned() },
        reason: reason.to_owned(),
    }
}

/// Images in a document beyond which they share their tables: a plate has thousands, each with few planes.
const MOST_WITH_OWN_TABLES: usize = 16;

/// Bytes of text below which `BinData` stays in the JSON.
const SMALLEST_BLOB: usize = 4096;

/// Attributes of 2016-06 whose type is boolean, sorted.
const BOOLEANS: [&str; 7] =
    ["BigEndian", "Interleaved", "Iris", "Locked", "PockelCell", "Tuneable", "Visible"];

/// Attributes of 2016-06 whose type is a number, sorted.
#[rustfmt::skip]
const NUMBERS: [&str; 88] = [
    "A00", "A01", "A02", "A10", "A11", "A12", "AirPressure", "AmplificationGain", "Attenuation",
    "CO2Percent", "CalibratedMagnification", "Color", "Column", "Columns", "CorrectionCollar", "CutIn",
    "CutInTolerance", "CutOut", "CutOutTolerance", "DeltaT", "EmissionWavelength", "ExcitationWavelength",
    "ExposureTime", "FieldIndex", "FillColor", "FirstC", "FirstT", "FirstZ", "FontSize",
    "FrequencyMultiplication", "Gain", "Height", "Humidity", "IFD", "Index", "Integration", "LensNA",
    "MaximumFieldCount", "NDFilter", "NominalMagnification", "Offset", "PhysicalSizeX", "PhysicalSizeY",
    "PhysicalSizeZ", "PinholeSize", "PlaneCount", "PockelCellSetting", "PositionX", "PositionY",
    "PositionZ", "Power", "RadiusX", "RadiusY", "ReadOutRate", "RefractiveIndex", "RepetitionRate", "Row",
    "Rows", "SamplesPerPixel", "SignificantBits", "Size", "SizeC", "SizeT", "SizeX", "SizeY", "SizeZ",
    "StrokeColor", "StrokeWidth", "Temperature", "TheC", "TheT", "TheZ", "TimeIncrement", "Transmittance",
    "Voltage", "Wavelength", "WellOriginX", "WellOriginY", "Width", "WorkingDistance", "X", "X1", "X2", "Y",
    "Y1", "Y2", "Z", "Zoom",
];
