//! A plate of 384 wells with 9 fields and all that can be said of it: small attributes, and nothing lost.

#![allow(clippy::unwrap_used)]

#[path = "support/plate.rs"]
mod support;

use fairzarr_nbo::ingest::ingest;
use fairzarr_nbo::placement::{self, Images, Placement};
use fairzarr_nbo::{Record, merge};
use serde_json::{Map, Value as Json, json};
use support::Plate;

fn record(plate: &Plate) -> Record {
    let ome = ingest("plate.ome.xml", plate.ome().as_bytes()).unwrap();
    let (record, conflicts) = merge::merge(ome, ingest("plate.xml", plate.nbo().as_bytes()).unwrap());
    assert!(conflicts.is_empty(), "{conflicts:?}");
    record
}

/// The attributes of the root and of every image.
fn place(record: &Record, images: usize) -> (Map<String, Json>, Vec<Map<String, Json>>) {
    let placement = Placement::new(record, Images::InGroups);
    (placement.root(&[]), (0..images).map(|image| placement.image(image, "../../..")).collect())
}

fn size(attributes: &Map<String, Json>) -> usize {
    attributes
        .iter()
        .filter(|(key, _)| key.starts_with("nbo:"))
        .map(|(_, value)| value.to_string().len())
        .sum()
}

#[test]
fn everything_said_of_3456_images_stays_small_and_comes_back() {
    let plate = Plate { wells: 384, fields: 9 };
    let record = record(&plate);
    assert_eq!(record.all("ExcitationCalibration").count(), 4 * 3456);
    assert_eq!(record.all("MechanicalCalibration").count(), 3456);
    let (root, images) = place(&record, plate.images());
    let largest = images.iter().map(size).max().unwrap();
    println!("{largest} bytes at most per image, {} at the root", size(&root));
    assert!(largest < 10_000, "{largest} bytes for an image");
    assert!(size(&root) < 64_000, "{} bytes at the root", size(&root));
    // Every twentieth image is enough to see that each comes back as it was, after the rest of the record.
    let some: Vec<usize> = (0..images.len()).step_by(20).collect();
    let stored = placement::read(&root, some.iter().map(|n| &images[*n])).unwrap();
    assert_eq!(stored.record.in_store, Some((0..some.len()).map(Some).collect::<Vec<_>>()));
    let (shots, rest): (Vec<_>, Vec<_>) = record.objects.iter().partition(|object| object.class == "Image");
    let expected = rest.into_iter().chain(some.iter().map(|n| shots[*n]));
    assert!(stored.record.objects.iter().eq(expected), "the record is not what it was");
}

#[test]
fn what_differs_is_not_shared() {
    let plate = Plate { wells: 2, fields: 2 };
    let mut record = record(&plate);
    let image = record.objects.iter_mut().filter(|o| o.class == "Image").nth(3).unwrap();
    let optical = image.children.iter_mut().find(|c| c.class == "OpticalCalibration").unwrap();
    let date = optical.fields.iter_mut().find(|f| f.name == "Date").unwrap();
    date.value = json!("2024-02-02");
    let (root, images) = place(&record, 4);
    let calibration = |image: usize| &images[image]["nbo:record"]["@graph"][0]["OpticalCalibration"][0];
    assert_eq!(calibration(0), &json!({"@id": "#/shared/OpticalCalibration/0"}));
    assert_eq!(calibration(3)["Date"], "2024-02-02");
    assert_eq!(root["nbo:record"]["shared"]["OpticalCalibration"][0]["Date"], "2024-02-01");
    assert_eq!(placement::read(&root, &images).unwrap().record.objects.len(), record.objects.len());
}

#[test]
fn an_identifier_that_looks_like_a_reference_stays_one() {
    let mut record = record(&Plate { wells: 1, fields: 2 });
    for image in record.objects.iter_mut().filter(|o| o.class == "Image") {
        let reference = image.children.iter_mut().find(|c| c.class == "InstrumentRef").unwrap();
        reference.fields[0].value = json!("#/shared/OpticalCalibration/0");
    }
    let (root, images) = place(&record, 2);
    let back = placement::read(&root, &images).unwrap().record;
    assert_eq!(back.all("InstrumentRef").count(), 2);
    assert_eq!(back.all("OpticalCalibration").count(), 2);
}

#[test]
fn references_without_end_are_refused() {
    let (mut root, _) = place(&record(&Plate { wells: 1, fields: 2 }), 2);
    let objects: Vec<Json> =
        (0..1000).map(|n| json!({"@type": "StageLabel", "Name": n.to_string()})).collect();
    root["nbo:record"]["shared"]["Image"] = json!([{"@type": "Image", "StageLabel": objects}]);
    let references = vec![json!({"@id": "#/shared/Image/0"}); 1000];
    let image = json!({"layout": 2, "@graph": [{"@type": "Image", "Image": references}]});
    let image = Map::from_iter([("nbo:record".to_owned(), image)]);
    assert!(placement::read(&root, [&image]).is_err());
    // What is shared refers to nothing shared itself.
    root["nbo:record"]["shared"]["Image"] =
        json!([{"@type": "Image", "Image": [{"@id": "#/shared/Image/0"}]}]);
    assert!(placement::read(&root, [&image]).is_ok());
}
