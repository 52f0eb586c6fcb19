//! `zarr.json`.

use serde_json::{Map, Value};

use super::{Judge, Node, has_owner, shorten};

/// An extension point's value: a bare name, or an object with a name.
pub(super) struct Named<'a> {
    pub(super) name: &'a str,
    pub(super) configuration: Option<&'a Map<String, Value>>,
}

impl Judge {
    pub(super) fn v3(&mut self, node: Node, members: &Map<String, Value>) {
        let (clause, node_type, known) = match node {
            Node::Array => (ARRAY, "array", ARRAY_MEMBERS),
            Node::Group => (GROUP, "group", GROUP_MEMBERS),
        };
        self.member("", members, "zarr_format", clause, "the number 3", |value| {
            (value.as_u64() == Some(3)).then_some(())
        });
        self.member("", members, "node_type", clause, &format!("{node_type:?}"), |value| {
            (value.as_str() == Some(node_type)).then_some(())
        });
        if let Some(attributes) = members.get("attributes").filter(|attributes| !attributes.is_object()) {
            self.wrong("/attributes", clause, attributes, "an object");
        }
        self.unknown(members, known);
        if node == Node::Array {
            self.array(members);
        }
    }

    /// Members that the core does not know stop a reader unless they say that they need not be understood.
    fn unknown(&mut self, members: &Map<String, Value>, known: &[&str]) {
        for (name, value) in members.iter().filter(|(name, _)| !known.contains(&name.as_str())) {
            let ignorable = value.get("must_understand") == Some(&Value::Bool(false));
            // zarr-python writes null where there is no consolidated metadata.
            if !ignorable && (name != "consolidated_metadata" || !value.is_null()) {
                self.must(
                    &format!("/{name}"),
                    EXTENSIONS,
                    "this member is not part of Zarr 3, expected an object with \"must_understand\": false",
                );
            }
        }
    }

    fn array(&mut self, members: &Map<String, Value>) {
        let shape = self.shape(members, ARRAY);
        let dimensions = shape.as_ref().map(Vec::len);
        let data_type = self.data_type(members);
        if let Some(grid) = self.named("", members, "chunk_grid", GRIDS) {
            self.chunk_grid(&grid, dimensions);
        }
        if let Some(encoding) = self.named("", members, "chunk_key_encoding", KEYS) {
            self.chunk_key_encoding(&encoding);
        }
        match members.get("fill_value") {
            None => self.must("/fill_value", FILL, "missing, expected a value of the data type"),
            Some(value) => self.fill_value(data_type, value),
        }
        let chunk = crate::read::integers(
            members.get("chunk_grid").and_then(|grid| grid.pointer("/configuration/chunk_shape")),
        );
        self.codecs("", members, "codecs", data_type, dimensions, chunk.as_deref());
        if let Some(names) = members.get("dimension_names") {
            self.dimension_names(names, dimensions);
        }
        if let Some(transformers) = members.get("storage_transformers").filter(|value| !value.is_array()) {
            self.wrong("/storage_transformers", ARRAY, transformers, "an array");
        }
    }

    /// A value with a name: an extension point.
    pub(super) fn named<'a>(
        &mut self,
        at: &str,
        object: &'a Map<String, Value>,
        name: &str,
        clause: &'static str,
    ) -> Option<Named<'a>> {
        let value = self.member(at, object, name, clause, "a name or an object with a name", Some)?;
        self.named_value(&format!("{at}/{name}"), value, clause)
    }

    pub(super) fn named_value<'a>(
        &mut self,
        at: &str,
        value: &'a Value,
        clause: &'static str,
    ) -> Option<Named<'a>> {
        let name = value.as_str().or_else(|| value.get("name")?.as_str()).filter(|name| !name.is_empty());
        let Some(name) = name else {
            self.wrong(at, clause, value, "a name or an object with a name");
            return None;
        };
        let configuration = value.get("configuration");
        if let Some(configuration) = configuration.filter(|configuration| !configuration.is_object()) {
            self.wrong(&format!("{at}/configuration"), clause, configuration, "an object");
        }
        Some(Named { name, configuration: configuration.and_then(Value::as_object) })
    }

    fn chunk_grid(&mut self, grid: &Named<'_>, dimensions: Option<usize>) {
        match grid.name {
            "regular" => {
                let empty = Map::new();
                let configuration = grid.configuration.unwrap_or(&empty);
                self.chunk_shape(
                    "/chunk_grid/configuration",
                    configuration,
                    "chunk_shape",
                    GRIDS,
                    dimensions,
                );
            }
            "rectilinear" | "rectangular" => {}
            name if has_owner(name) => {}
            name => self.must(
                "/chunk_grid/name",
                GRIDS,
                format!("{name:?} is no chunk grid of Zarr 3, expected \"regular\""),
            ),
        }
    }

    fn chunk_key_encoding(&mut self, encoding: &Named<'_>) {
        match encoding.name {
            "default" | "v2" => {
                let separator =
                    encoding.configuration.and_then(|configuration| configuration.get("separator"));
                if let Some(separator) = separator
                    && !matches!(separator.as_str(), Some("/" | "."))
                {
                    self.wrong(
                        "/chunk_key_encoding/configuration/separator",
                        KEYS,
                        separator,
                        "\"/\" or \".\"",
                    );
                }
            }
            "fanout" | "suffix" => {}
            name if has_owner(name) => {}
            name => self.must(
                "/chunk_key_encoding/name",
                KEYS,
                format!("{name:?} is no chunk key encoding of Zarr 3, expected \"default\" or \"v2\""),
            ),
        }
    }

    fn dimension_names(&mut self, names: &Value, dimensions: Option<usize>) {
        let listed =
            names.as_array().filter(|names| names.iter().all(|name| name.is_string() || name.is_null()));
        match (listed, dimensions) {
            (None, _) if names.is_null() => {}
            (None, _) => self.wrong("/dimension_names", ARRAY, names, "an array of strings and null"),
            (Some(listed), Some(dimensions)) if listed.len() != dimensions => {
                let message = format!("{} names, expected {dimensions}, one per dimension", listed.len());
                self.must("/dimension_names", ARRAY, message);
            }
            _ => {}
        }
    }

    pub(super) fn range(
        &mut self,
        at: &str,
        configuration: &Map<String, Value>,
        name: &str,
        allowed: std::ops::RangeInclusive<i64>,
    ) {
        let expected = format!("an integer from {} to {}", allowed.start(), allowed.end());
        self.member(at, configuration, name, CODECS, &expected, |value| {
            value.as_i64().filter(|value| allowed.contains(value))
        });
    }

    pub(super) fn unknown_name(&mut self, at: &str, clause: &'static str, what: &str, value: &Value) {
        let message =
            format!("{} is no {what} of Zarr 3, expected a name that is registered", shorten(value));
        self.must(at, clause, message);
    }
}

const ARRAY: &str = "zarr-v3/array-metadata";
const GROUP: &str = "zarr-v3/group-metadata";
const EXTENSIONS: &str = "zarr-v3/extension-points";
const GRIDS: &str = "zarr-v3/chunk-grids";
const KEYS: &str = "zarr-v3/chunk-key-encodings";
const FILL: &str = "zarr-v3/fill-value";
pub(super) const CODECS: &str = "zarr-v3/codecs";

const ARRAY_MEMBERS: &[&str] = &[
    "zarr_format",
    "node_type",
    "shape",
    "data_type",
    "chunk_grid",
    "chunk_key_encoding",
    "fill_value",
    "codecs",
    "attributes",
    "storage_transformers",
    "dimension_names",
];
const GROUP_MEMBERS: &[&str] = &["zarr_format", "node_type", "attributes"];
