//! From the element tree to JSON, tables and blobs.

use std::collections::{BTreeMap, HashMap};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value};

use super::attributes::{self, key};
use super::{Blob, Structured};
use crate::table::{Scope, TableBuilder};
use crate::tree::{Bulk, Element, Node, Run, Tree};

pub(super) fn encode(tree: &Tree<'_>) -> Structured {
    let images = tree.root.elements().filter(|e| !e.foreign && e.name() == "Image").count();
    let mut encoder = Encoder {
        builders: Vec::new(),
        shared: images > MOST_WITH_OWN_TABLES,
        blobs: Vec::new(),
        image: 0,
        pixels: 0,
    };
    let context = Context { prefix: "", verbatim: false };
    let mut content = Content::default();
    // Only comments and processing instructions stand around the root.
    encoder.nodes(&tree.before, context, &mut content);
    content.push(key(&tree.root), encoder.element(&tree.root, context));
    encoder.nodes(&tree.after, context, &mut content);
    let mut json = Map::new();
    content.write(&encoder.builders, &mut json);
    let tables = encoder.builders.into_iter().map(TableBuilder::finish).collect();
    Structured { json: Value::Object(json), tables, blobs: encoder.blobs }
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
struct Member {
    kind: Bulk,
    table: usize,
    /// The first of them.
    first: usize,
    /// Rows that fit no column, by their number among these rows.
    odd: Map<String, Value>,
}

/// What stands in one element, by name.
#[derive(Default)]
struct Content {
    order: Vec<(String, usize)>,
    lists: Vec<(String, Vec<Value>)>,
    by_name: HashMap<String, usize>,
    members: Vec<Member>,
}

impl Content {
    fn push(&mut self, key: &str, value: Value) {
        push_order(&mut self.order, key, 1);
        match self.by_name.get(key) {
            Some(at) => self.lists[*at].1.push(value),
            None => {
                self.by_name.insert(key.to_owned(), self.lists.len());
                self.lists.push((key.to_owned(), vec![value]));
            }
        }
    }

    fn write(self, builders: &[TableBuilder], object: &mut Map<String, Value>) {
        for (name, mut list) in self.lists {
            let lone_text = name == "#text" && self.order.len() == 1 && list.len() == 1;
            let value = if lone_text { list.remove(0) } else { Value::Array(list) };
            object.insert(name, value);
        }
        for Member { kind, table, first, odd } in self.members {
            let builder = &builders[table];
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
        if self.order.len() > 1 {
            object.insert("#order".into(), order_value(self.order));
        }
    }
}

struct Encoder {
    builders: Vec<TableBuilder>,
    /// All Images have their rows in the same tables.
    shared: bool,
    blobs: Vec<Blob>,
    /// Images read so far.
    image: usize,
    /// Pixels of the Image read so far: older schemas allow several.
    pixels: usize,
}

impl Encoder {
    fn element(&mut self, element: &Element<'_>, context: Context<'_>) -> Value {
        let mut object = Map::new();
        let inner = Context {
            prefix: if element.foreign && !element.prefix().is_empty() {
                context.prefix
            } else {
                element.prefix()
            },
            verbatim: element.keeps_blanks(context.verbatim),
        };
        if inner.prefix != context.prefix {
            object.insert("#prefix".into(), element.prefix().into());
        }
        attributes::read(element, &mut object);
        if let Some(blob) = self.blob(element) {
            object.insert("#blob".into(), blob);
        } else {
            let mut content = Content::default();
            self.nodes(&element.nodes, inner, &mut content);
            content.write(&self.builders, &mut object);
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
            return text;
        }
        Value::Object(object)
    }

    fn nodes(&mut self, nodes: &[Node<'_>], context: Context<'_>, content: &mut Content) {
        let has_elements = nodes.iter().any(|n| matches!(n, Node::Element(_) | Node::Run(_)));
        for node in nodes {
            match node {
                node if has_elements && !context.verbatim && node.is_blank() => {}
                Node::Element(child) => {
                    let value = self.element(child, context);
                    content.push(key(child), value);
                }
                Node::Text(text) => content.push("#text", text.as_ref().into()),
                Node::CData(text) => content.push("#cdata", text.as_ref().into()),
                Node::Comment(text) => content.push("#comment", text.as_ref().into()),
                Node::Pi(text) => content.push("#pi", text.as_ref().into()),
                Node::Run(run) => self.run(run, context, content),
            }
        }
    }

    fn run(&mut self, run: &Run<'_>, context: Context<'_>, content: &mut Content) {
        let at = match content.members.iter().position(|member| member.kind == run.kind) {
            Some(at) => at,
            None => {
                content.members.push(self.table(run.kind));
                content.members.len() - 1
            }
        };
        let member = &mut content.members[at];
        for element in run.read_elements() {
            if !self.builders[member.table].push(&element, self.image) {
                let row = self.builders[member.table].rows() - 1 - member.first;
                let odd = self.element(&element, context);
                member.odd.insert(row.to_string(), odd);
            }
        }
        push_order(&mut content.order, run.kind.name(), run.count);
    }

    /// The table for the rows of this kind of the Pixels at hand.
    fn table(&mut self, kind: Bulk) -> Member {
        let scope =
            if self.shared { Scope::All } else { Scope::One { image: self.image, pixels: self.pixels } };
        // Pixels have no table yet when their first row comes.
        let mut shared = self.shared.then(|| self.builders.iter()).into_iter().flatten();
        let table = shared.position(|builder| builder.is(kind, scope)).unwrap_or_else(|| {
            self.builders.push(TableBuilder::new(kind, scope));
            self.builders.len() - 1
        });
        Member { kind, table, first: self.builders[table].rows(), odd: Map::new() }
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

/// Images in a document beyond which they share their tables: a plate has thousands, each with few planes.
const MOST_WITH_OWN_TABLES: usize = 16;

/// Bytes of text below which `BinData` stays in the JSON.
const SMALLEST_BLOB: usize = 4096;
