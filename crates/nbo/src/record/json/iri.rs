//! Identifiers as IRIs, so that records of several stores can stand in one graph of linked data.
//!
//! | Identifier in NBO | As `@id` |
//! |---|---|
//! | UUID | `urn:uuid:…`: the same thing in every store |
//! | of a microscope with maker and serial number | `urn:uuid:` of a UUID made of both (version 8, SHA-256), as long as the record has one such microscope; the table `identifiers` has the identifier that it stands for |
//! | `urn:lsid:…` | itself |
//! | any other, such as `Objective:1` | `#Objective:1`: relative to the store |
//!
//! A reader takes the root of the store for the base. What an IRI cannot have is percent-encoded.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::identity::{Microscope, maker};
use crate::record::value::is_uuid;
use crate::record::{Object, Record};

const UUID: &str = "urn:uuid:";
const LSID: &str = "urn:lsid:";

/// What the identifiers of microscopes in [`super`] are made in: so that they are those of nothing else.
const SPACE: &str = "4DN-BINA-OME microscope by maker and serial number";

/// The IRI of an identifier.
pub(crate) fn of(id: &str) -> String {
    let legal = id.bytes().all(|b| is_legal(b) && b != b'%');
    if is_uuid(id) {
        format!("{UUID}{id}")
    } else if id.starts_with(LSID) && legal && !id.contains('#') {
        id.to_owned()
    } else {
        let mut iri = String::with_capacity(id.len() + 1);
        iri.push('#');
        for (n, c) in id.char_indices() {
            // A stroke in front would make it a reference to what images share.
            let plain = !c.is_ascii() || (is_legal(c as u8) && c != '%' && c != '#' && !(n == 0 && c == '/'));
            if plain {
                iri.push(c);
            } else {
                let _ = write!(iri, "%{:02X}", c as u32);
            }
        }
        iri
    }
}

/// The identifier of an IRI.
pub(crate) fn identifier(iri: &str) -> String {
    if let Some(uuid) = iri.strip_prefix(UUID).filter(|uuid| is_uuid(uuid)) {
        return uuid.to_owned();
    }
    let Some(encoded) = iri.strip_prefix('#') else { return iri.to_owned() };
    let mut id = String::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some((before, after)) = rest.split_once('%') {
        id.push_str(before);
        let code = after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(u8::is_ascii);
        if let Some(code) = code {
            id.push(char::from(code));
            rest = after.get(2..).unwrap_or_default();
        } else {
            id.push('%');
            rest = after;
        }
    }
    id.push_str(rest);
    id
}

/// For microscopes that maker and serial number identify: their IRIs by the identifiers that they have in the record.
pub(crate) fn microscopes(objects: &[&Object]) -> BTreeMap<String, String> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for object in objects.iter().filter(|o| o.class == "Instrument") {
        let Some(id) = object.id().filter(|id| !is_uuid(id)) else { continue };
        let scope = Microscope::of(object);
        let Some((made_by, serial)) = scope.manufacturer.zip(scope.serial_number) else { continue };
        let name = format!("{SPACE}\n{}\n{}", maker(&made_by), serial.trim().to_lowercase());
        let iri = format!("{UUID}{}", uuid(&name));
        *counts.entry(iri.clone()).or_default() += 1;
        found.insert(id.to_owned(), iri);
    }
    // Two of one name would become one.
    found.retain(|_, iri| counts.get(iri) == Some(&1));
    found
}

/// The same for the common record of several.
pub(crate) fn of_record(record: &Record) -> BTreeMap<String, String> {
    microscopes(&record.objects.iter().collect::<Vec<_>>())
}

/// Puts the IRIs of microscopes in place of those of their identifiers, wherever they stand in a record.
pub(crate) fn name_microscopes(json: &mut Json, names: &BTreeMap<String, String>) {
    match json {
        Json::Object(members) => {
            for (key, value) in members.iter_mut() {
                match value {
                    Json::String(iri) if key == "@id" => {
                        let id = iri.starts_with('#').then(|| identifier(iri));
                        if let Some(name) = id.and_then(|id| names.get(&id)) {
                            iri.clone_from(name);
                        }
                    }
                    value => name_microscopes(value, names),
                }
            }
        }
        Json::Array(items) => items.iter_mut().for_each(|item| name_microscopes(item, names)),
        _ => {}
    }
}

/// A UUID of version 8 (RFC 9562) from the SHA-256 of a name.
fn uuid(name: &str) -> String {
    let digest = Sha256::digest(name.as_bytes());
    let mut bytes = [0u8; 16];
    for (byte, from) in bytes.iter_mut().zip(digest) {
        *byte = from;
    }
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut text = String::with_capacity(36);
    for (n, byte) in bytes.iter().enumerate() {
        if [4, 6, 8, 10].contains(&n) {
            text.push('-');
        }
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Whether RFC 3987 lets a byte stand in a fragment or name as it is.
fn is_legal(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte) && !b"[]".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_an_iri_and_back() {
        for id in [
            "Objective:1",
            "93efaebd-1042-43aa-994e-2f5bc2a92fb1",
            "urn:lsid:export.example.org:Image:7",
            "urn:uuid:93efaebd-1042-43aa-994e-2f5bc2a92fb1",
            "Objective 1 \"é\" 100 %",
            "#/shared/Image/0",
            "/@graph/1",
            "%41",
            "",
        ] {
            let iri = of(id);
            assert_eq!(identifier(&iri), id, "{iri}");
            assert!(!iri.contains([' ', '"']), "{iri}");
            assert!(!iri.starts_with("#/"), "{iri}");
        }
        assert_eq!(of("Objective:1"), "#Objective:1");
    }
}
