//! Tags of the source's pages that an export has again: what shows the samples as they were shown, and who made them.
//!
//! They are in `OME/tiff-tags.json` by image; the first page of an image speaks for all of its pages.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use fairzarr_ome_tiff::ExtraTag;
use fairzarr_ome_zarr::keys::TIFF_TAGS;
use fairzarr_store::Store;
use serde_json::Value;

use crate::error::Error;

/// The tags of all images.
#[derive(Default)]
pub(crate) struct SourceTags {
    by_image: BTreeMap<u64, Vec<ExtraTag>>,
    left_behind: BTreeSet<String>,
}

impl SourceTags {
    /// Those that the store keeps; none in stores of other programs.
    pub(crate) fn read(store: &Store) -> Result<Self, Error> {
        let mut found = Self::default();
        let Some(bytes) = store.get(TIFF_TAGS).map_err(fairzarr_ome_zarr::Error::from)? else {
            return Ok(found);
        };
        let document: Value = serde_json::from_slice(&bytes)
            .map_err(|error| Error::Unfit { place: TIFF_TAGS.to_owned(), reason: error.to_string() })?;
        for page in document.get("pages").and_then(Value::as_array).into_iter().flatten() {
            let Some(image) = page.get("image").and_then(Value::as_u64) else { continue };
            let is_first =
                page.get("complete") == Some(&Value::Bool(true)) && !found.by_image.contains_key(&image);
            let tags: Vec<&Value> =
                page.get("tags").and_then(Value::as_array).into_iter().flatten().collect();
            let kept: Vec<ExtraTag> = tags.iter().filter_map(|tag| extra_tag(tag)).collect();
            for tag in tags {
                let code = tag.get("code").and_then(Value::as_u64).unwrap_or_default();
                if is_first && kept.iter().any(|kept| u64::from(kept.code) == code) || OWN.contains(&code) {
                    continue;
                }
                let name =
                    tag.get("name").and_then(Value::as_str).map_or_else(|| code.to_string(), str::to_owned);
                found.left_behind.insert(name);
            }
            if is_first {
                found.by_image.insert(image, kept);
            }
        }
        Ok(found)
    }

    /// Those of an image whose pages have so many samples, of so many bytes.
    pub(crate) fn of(&self, image: usize, samples: u16, bytes: usize) -> Vec<ExtraTag> {
        let tags = self.by_image.get(&(image as u64)).map(Vec::as_slice).unwrap_or_default();
        let number = |tag: &ExtraTag| u16::from_le_bytes([tag.bytes[0], *tag.bytes.get(1).unwrap_or(&0)]);
        let photometric = tags.iter().find(|tag| tag.code == PHOTOMETRIC).map(number);
        let has_map = tags.iter().any(|tag| tag.code == COLOR_MAP && tag.count == 3 << (8 * bytes.min(4)));
        let fits = |tag: &&ExtraTag| match tag.code {
            PHOTOMETRIC => match number(tag) {
                WHITE_IS_ZERO | BLACK_IS_ZERO => samples < 3,
                RGB => samples >= 3,
                PALETTE => samples == 1 && has_map,
                // Of YCbCr the samples are RGB by now.
                _ => false,
            },
            COLOR_MAP => samples == 1 && has_map && photometric == Some(PALETTE),
            EXTRA_SAMPLES => u64::from(samples) == tag.count + if samples >= 3 { 3 } else { 1 },
            _ => true,
        };
        tags.iter().filter(fits).cloned().collect()
    }

    /// Names of the tags that an export does not have.
    pub(crate) fn left_behind(self) -> Vec<String> {
        self.left_behind.into_iter().collect()
    }
}

/// A tag that is kept, as it stands in a little-endian file.
fn extra_tag(tag: &Value) -> Option<ExtraTag> {
    let code = u16::try_from(tag.get("code")?.as_u64()?).ok()?;
    if !KEPT.contains(&code) {
        return None;
    }
    let value = tag.get("value");
    let list = |value: &Value| value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
    let numbers = |value: &Value| list(value).iter().map(Value::as_u64).collect::<Option<Vec<u64>>>();
    let (field_type, count, bytes) = match tag.get("type")?.as_str()? {
        "ASCII" => {
            let bytes = match value {
                Some(text) => [text.as_str()?.as_bytes(), &[0]].concat(),
                None => BASE64.decode(tag.get("base64")?.as_str()?).ok()?,
            };
            (2, bytes.len(), bytes)
        }
        kind @ ("BYTE" | "UNDEFINED") => {
            let bytes = BASE64.decode(tag.get("base64")?.as_str()?).ok()?;
            (if kind == "BYTE" { 1 } else { 7 }, bytes.len(), bytes)
        }
        "SHORT" => {
            let numbers = numbers(value?)?;
            let bytes = numbers.iter().map(|n| u16::try_from(*n).ok()).collect::<Option<Vec<u16>>>()?;
            (3, numbers.len(), bytes.iter().flat_map(|n| n.to_le_bytes()).collect())
        }
        "LONG" => {
            let numbers = numbers(value?)?;
            let bytes = numbers.iter().map(|n| u32::try_from(*n).ok()).collect::<Option<Vec<u32>>>()?;
            (4, numbers.len(), bytes.iter().flat_map(|n| n.to_le_bytes()).collect())
        }
        "RATIONAL" => {
            // One fraction; no tag that is kept has several.
            let parts = numbers(value?)?;
            let parts = parts.iter().map(|n| u32::try_from(*n).ok()).collect::<Option<Vec<u32>>>()?;
            (parts.len() == 2).then_some(())?;
            (5, 1, parts.iter().flat_map(|n| n.to_le_bytes()).collect())
        }
        _ => return None,
    };
    (!bytes.is_empty()).then_some(ExtraTag { code, field_type, count: count as u64, bytes })
}

const PHOTOMETRIC: u16 = 262;
const COLOR_MAP: u16 = 320;
const EXTRA_SAMPLES: u16 = 338;
const WHITE_IS_ZERO: u16 = 0;
const BLACK_IS_ZERO: u16 = 1;
const RGB: u16 = 2;
const PALETTE: u16 = 3;

/// What is kept: how samples are shown, how large pixels are, who made the file with what, and when.
const KEPT: [u16; 14] = [
    PHOTOMETRIC,
    271, // Make
    272, // Model
    274, // Orientation
    282, // XResolution
    283, // YResolution
    296, // ResolutionUnit
    305, // Software
    306, // DateTime
    315, // Artist
    COLOR_MAP,
    33432, // Copyright
    EXTRA_SAMPLES,
    34675, // ICC profile
];

/// What an export says by itself: the layout of pages, and the description, which is the OME-XML.
const OWN: [u64; 24] = [
    254, 255, 256, 257, 258, 259, 266, 270, 273, 277, 278, 279, 284, 288, 289, 317, 322, 323, 324, 325, 330,
    339, 347, 530,
];

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tags_are_as_they_stood_in_the_file() {
        for (tag, expected) in [
            (json!({"code": 305, "type": "ASCII", "value": "µM"}), (2, 4, b"\xc2\xb5M\0".to_vec())),
            (json!({"code": 262, "type": "SHORT", "value": 0}), (3, 1, vec![0, 0])),
            (json!({"code": 338, "type": "SHORT", "value": [2, 1]}), (3, 2, vec![2, 0, 1, 0])),
            (
                json!({"code": 282, "type": "RATIONAL", "value": [72, 1]}),
                (5, 1, vec![72, 0, 0, 0, 1, 0, 0, 0]),
            ),
            (json!({"code": 34675, "type": "UNDEFINED", "base64": "AQI="}), (7, 2, vec![1, 2])),
        ] {
            let found = extra_tag(&tag).map(|tag| (tag.field_type, tag.count, tag.bytes));
            assert_eq!(found, Some(expected), "{tag}");
        }
        for tag in [
            json!({"code": 262, "type": "SHORT", "value": 70000}),
            json!({"code": 262, "type": "SHORT"}),
            json!({"code": 34675, "type": "UNDEFINED", "base64": "*"}),
            json!({"code": 282, "type": "RATIONAL", "value": [1]}),
            json!({"code": 256, "type": "LONG", "value": 1}),
            json!({"type": "LONG", "value": 1}),
        ] {
            assert_eq!(extra_tag(&tag), None, "{tag}");
        }
    }

    #[test]
    fn what_does_not_fit_the_samples_is_not_kept() {
        let short = |code, values: &[u16]| ExtraTag {
            code,
            field_type: 3,
            count: values.len() as u64,
            bytes: values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        };
        let codes = |tags: Vec<ExtraTag>, samples, bytes| {
            let tags = SourceTags { by_image: [(0, tags)].into(), ..SourceTags::default() };
            tags.of(0, samples, bytes).iter().map(|tag| tag.code).collect::<Vec<u16>>()
        };
        let palette = || vec![short(PHOTOMETRIC, &[3]), short(COLOR_MAP, &[7; 768])];
        assert_eq!(codes(palette(), 1, 1), [262, 320]);
        assert!(codes(palette(), 1, 2).is_empty() && codes(palette(), 3, 1).is_empty());
        assert!(codes(vec![short(PHOTOMETRIC, &[6])], 3, 1).is_empty());
        assert_eq!(codes(vec![short(PHOTOMETRIC, &[0])], 1, 2), [262]);
        assert_eq!(codes(vec![short(EXTRA_SAMPLES, &[2])], 4, 1), [338]);
        assert!(codes(vec![short(EXTRA_SAMPLES, &[2])], 3, 1).is_empty());
    }
}
