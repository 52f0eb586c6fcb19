//! The structured form in one piece, for whoever wants JSON and nothing beside it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Number, Value};
use std::ops::Range;

use crate::structured::Structured;
use crate::table::{Column, ColumnData, IMAGE, Table};

impl Structured {
    /// The JSON with tables and blobs in it: beside each `#table` its `columns`, a list of values by name with null
    /// where a row has none, and in each `#blob` its `content` in base64. This form is for reading; XML is made from
    /// the parts.
    pub fn to_json(&self) -> Value {
        self.inlined(&self.json)
    }

    fn inlined(&self, value: &Value) -> Value {
        match value {
            Value::Array(values) => values.iter().map(|value| self.inlined(value)).collect(),
            Value::Object(members) => {
                let mut object: Map<String, Value> =
                    members.iter().map(|(key, value)| (key.clone(), self.inlined(value))).collect();
                if let Some(path) = members.get("#table").and_then(Value::as_str)
                    && let Some(table) = self.tables.iter().find(|table| table.path() == path)
                {
                    object.insert("columns".into(), columns(table, &rows_of(members, table)));
                }
                if let Some(Value::Object(blob)) = object.get_mut("#blob")
                    && let Some(path) = blob.get("path").and_then(Value::as_str)
                    && let Some(found) = self.blobs.iter().find(|blob| blob.path == path)
                {
                    blob.insert("content".into(), BASE64.encode(&found.bytes).into());
                }
                Value::Object(object)
            }
            other => other.clone(),
        }
    }
}

/// The rows of a table that a member refers to.
fn rows_of(member: &Map<String, Value>, table: &Table) -> Range<usize> {
    let number = |name: &str| member.get(name).and_then(Value::as_u64).unwrap_or(0) as usize;
    let first = number("first").min(table.rows());
    first..first.saturating_add(number("rows")).min(table.rows())
}

fn columns(table: &Table, rows: &Range<usize>) -> Value {
    let of_all = |column: &&Column| table.image().is_some() || column.name != IMAGE;
    table
        .columns()
        .iter()
        .filter(of_all)
        .map(|column| (column.name.clone(), rows.clone().map(|row| value(column, row)).collect::<Value>()))
        .collect()
}

fn value(column: &Column, row: usize) -> Value {
    let text = || column.text(row).map_or(Value::Null, |text| text.as_ref().into());
    match &column.data {
        ColumnData::Integers(values) => values.get(row).map_or(Value::Null, |value| Value::from(*value)),
        // What is no number in JSON is text, as in attributes.
        ColumnData::Floats { values, .. } => {
            values.get(row).and_then(|value| Number::from_f64(*value)).map_or_else(text, Value::Number)
        }
        ColumnData::Texts { .. } => text(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Document;
    use serde_json::json;

    #[test]
    fn tables_and_blobs_come_into_the_json() {
        let data = BASE64.encode(vec![7_u8; 6000]);
        let xml = format!(
            r#"<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0"><Pixels ID="Pixels:0"
            DimensionOrder="XYZCT" Type="uint8" SizeX="1" SizeY="1" SizeZ="1" SizeC="1" SizeT="3"><BinData BigEndian="false"
            Length="8000">{data}</BinData><Plane TheZ="0" TheC="0" TheT="0" DeltaT="0.5"/><Plane TheZ="0" TheC="0"
            TheT="1"/><Plane TheZ="0" TheC="0" TheT="2" DeltaT="NaN"/></Pixels></Image></OME>"#
        );
        let document = Document::parse(xml.into_bytes()).unwrap();
        let json = Structured::from_document(&document).to_json();
        let pixels = &json["OME"][0]["Image"][0]["Pixels"][0];
        assert_eq!(pixels["Plane"]["columns"]["TheT"], json!([0, 1, 2]));
        assert_eq!(pixels["Plane"]["columns"]["DeltaT"], json!([0.5, null, "NaN"]));
        assert_eq!(pixels["BinData"][0]["#blob"]["content"], json!(data));
    }
}
