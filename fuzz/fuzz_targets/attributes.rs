#![no_main]

use fairzarr_ngff::{classify, image_attributes, parse_image, validate};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

// Attributes of a group of any origin are judged without a panic; what is read as an image is written as one that reads alike.
fuzz_target!(|data: &[u8]| {
    let Ok(value) = serde_json::from_slice::<Value>(data) else { return };
    let findings = validate(None, &value, None);
    assert!(findings.iter().all(|finding| !finding.to_string().is_empty()));
    let Some(attributes) = value.as_object() else { return };
    let _ = classify(attributes);
    let Ok((version, image, omero)) = parse_image(attributes) else { return };
    let again = image_attributes(version, &image, omero.as_ref());
    let read = parse_image(&again).expect("an image that has been written");
    assert_eq!((read.0, &read.1), (version, &image));
});
