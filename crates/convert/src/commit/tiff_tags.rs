//! What TIFF tags say beside the pixels, as a JSON document: `OME/tiff-tags.json`, see `docs/ome-json.md`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use fairzarr_ome_tiff::{Fileset, PageTags, Tag, TagValue};
use serde_json::{Map, Value, json};

use crate::error::Error;

/// The document: pages with tags, the first of each image whole, others by what differs from it. A page whose tags
/// are damaged says so; its pixels may be sound.
///
/// # Errors
/// When a file cannot be read: no failure of a disk or server becomes part of the document.
pub(crate) fn document(source: &Fileset) -> Result<Vec<u8>, Error> {
    // A page a line, made one by one: there may be a hundred thousand.
    let mut document = b"{\"pages\": [".to_vec();
    for (n, page) in source.original_metadata().enumerate() {
        document.extend_from_slice(if n == 0 { b"\n" } else { b",\n" });
        let page = match page {
            Ok(page) => page_object(source, &page),
            Err(error @ fairzarr_ome_tiff::Error::Damaged { .. }) => json!({"error": error.to_string()}),
            Err(error) => return Err(error.into()),
        };
        document.extend_from_slice(page.to_string().as_bytes());
    }
    document.extend_from_slice(b"\n]}\n");
    Ok(document)
}

fn page_object(source: &Fileset, page: &PageTags) -> Value {
    let file = source.files().get(page.file).map(|file| file.name.as_str());
    json!({
        "image": page.image, "file": file, "ifd": page.ifd, "complete": page.complete,
        "tags": page.tags.iter().map(tag_object).collect::<Vec<_>>(),
    })
}

fn tag_object(tag: &Tag) -> Value {
    let mut object = Map::new();
    object.insert("code".into(), tag.code.into());
    if let Some(name) = tag.name {
        object.insert("name".into(), name.into());
    }
    object.insert("type".into(), type_name(tag.field_type).into());
    let (member, value) = match &tag.value {
        TagValue::Ascii(bytes) => match ascii(bytes) {
            Some(text) => ("value", text.into()),
            None => ("base64", BASE64.encode(bytes).into()),
        },
        TagValue::Bytes(bytes) => ("base64", BASE64.encode(bytes).into()),
        TagValue::Unsigned(values) => ("value", one_or_all(values, |v| (*v).into())),
        TagValue::Signed(values) => ("value", one_or_all(values, |v| (*v).into())),
        TagValue::Rational(values) => ("value", one_or_all(values, |(n, d)| json!([n, d]))),
        TagValue::SignedRational(values) => ("value", one_or_all(values, |(n, d)| json!([n, d]))),
        TagValue::Float(values) => ("value", one_or_all(values, |v| float(f64::from(*v)))),
        TagValue::Double(values) => ("value", one_or_all(values, |v| float(*v))),
        _ => return Value::Object(object),
    };
    object.insert(member.into(), value);
    Value::Object(object)
}

/// The text of a tag that ends in the one NUL that TIFF asks for; others keep their bytes.
fn ascii(bytes: &[u8]) -> Option<&str> {
    let text = bytes.strip_suffix(b"\0")?;
    std::str::from_utf8(text).ok().filter(|text| !text.contains('\0'))
}

fn one_or_all<T>(values: &[T], value: impl Fn(&T) -> Value) -> Value {
    match values {
        [only] => value(only),
        values => values.iter().map(value).collect(),
    }
}

/// As Zarr writes numbers that JSON has not.
fn float(value: f64) -> Value {
    match value {
        v if v.is_nan() => "NaN".into(),
        f64::INFINITY => "Infinity".into(),
        f64::NEG_INFINITY => "-Infinity".into(),
        v => v.into(),
    }
}

/// Field types by their numbers in TIFF 6.0 and `BigTIFF`.
fn type_name(number: u16) -> &'static str {
    const NAMES: [&str; 14] = [
        "",
        "BYTE",
        "ASCII",
        "SHORT",
        "LONG",
        "RATIONAL",
        "SBYTE",
        "UNDEFINED",
        "SSHORT",
        "SLONG",
        "SRATIONAL",
        "FLOAT",
        "DOUBLE",
        "IFD",
    ];
    match number {
        16 => "LONG8",
        17 => "SLONG8",
        18 => "IFD8",
        other => NAMES.get(usize::from(other)).copied().unwrap_or(""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_text_only_where_nothing_is_lost() {
        assert_eq!(ascii(b"ImageJ\0"), Some("ImageJ"));
        for bytes in [&b"ImageJ"[..], b"Image\0J\0", b"ImageJ\0\0", b"\xB5m\0", b""] {
            assert_eq!(ascii(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn single_values_stand_alone() {
        assert_eq!(one_or_all(&[1_u64], |v| (*v).into()), json!(1));
        assert_eq!(one_or_all(&[(1, 2), (3, 4)], |(n, d)| json!([n, d])), json!([[1, 2], [3, 4]]));
        assert_eq!(float(f64::NAN), json!("NaN"));
    }
}
