//! What is asked of calibrations and of image quality.

use serde_json::{Value, json};
use std::path::PathBuf;

use super::{attributes, convert, data, fairzarr, image, text};

#[test]
fn quality_control_is_asked_of_the_store() {
    let directory = tempfile::tempdir().unwrap();
    let source = image(directory.path());
    let store = directory.path().join("a.zarr");
    convert(&source, &store, &[]).done();
    let demand = "OpticalCalibration within 90 days";
    let unknown = fairzarr(&["qc", text(&store), "--require", demand]).ends_with(1);
    assert!(!unknown.text().contains("pass"), "{}", unknown.text());
    // A document that names the image, and is of another size and channel: it is of another image, and said so.
    let document = std::fs::read_to_string(data("handmade-widefield-psf-xsdvalid.xml")).unwrap();
    let other = directory.path().join("other.zarr");
    let told =
        convert(&source, &other, &["--nbo", text(&data("handmade-widefield-psf-xsdvalid.xml"))]).done();
    assert!(told.err.contains("another image than Image:0 \"cells_01\": its SizeX is 2048"), "{}", told.err);
    let answer = fairzarr(&["qc", text(&other), "--require", demand]).ends_with(1).text();
    assert!(answer.starts_with("unknown") && answer.contains("not of this store"), "{answer}");
    // The same document about this image.
    let calibrated = directory.path().join("b.zarr");
    let fitting = directory.path().join("fitting.xml");
    let of_this = document
        .replace(r#"SizeX="2048" SizeY="2048""#, r#"SizeX="2" SizeY="2""#)
        .replace(r#"<NBO:Channel ID="Channel:1" Name="GFP""#, r#"<NBO:Channel ID="Channel:1" Name="DAPI""#);
    std::fs::write(&fitting, of_this).unwrap();
    convert(&source, &calibrated, &["--nbo", text(&fitting)]).done();
    let root = attributes(&calibrated, "");
    assert_eq!(
        (&root["nbo:record"]["layout"], &root["nbo:record"]["image"]),
        (&json!(4), &json!({"@id": "#Image:0"}))
    );
    let index = fairzarr(&["qc", text(&calibrated), "--json"]).done().json();
    assert_eq!(index["passes"], Value::Null, "nothing asked is no pass");
    assert!(index["qc"]["events"].as_array().unwrap().iter().any(|e| e["kind"] == "OpticalCalibration"));
    let held: Vec<_> =
        index["qc"]["images"].as_array().unwrap().iter().map(|i| i["inStore"].clone()).collect();
    assert_eq!(held, [json!(true), json!(false)]);
    let verdicts = fairzarr(&["qc", text(&calibrated), "--require", demand, "--json"]).done().json();
    assert_eq!(
        (&verdicts["passes"], &verdicts["answers"][0]["verdicts"][0]["outcome"]),
        (&json!(true), &json!("pass"))
    );
    assert_eq!(verdicts["answers"][0]["notOfThisStore"][0]["image"], "Image:2");
    let misspelt =
        fairzarr(&["qc", text(&calibrated), "--require", "OpticalCalbration within 90 days"]).ends_with(2);
    assert!(misspelt.err.contains("the nearest is OpticalCalibration"), "{}", misspelt.err);
    fairzarr(&["qc", text(&calibrated), "--require", "Optical within 90 days"]).ends_with(2);
    // Results of microscope-metrics name their microscope, and so they count for it.
    fairzarr(&["embed", text(&calibrated), "--qc", text(&data("psf-beads.yaml"))]).done();
    assert_eq!(attributes(&calibrated, "")["nbo:record"]["image"], json!({"@id": "#Image:0"}));
    let index = fairzarr(&["qc", text(&calibrated), "--json"]).done().json();
    let beads: Vec<_> = index["qc"]["events"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|e| e["channels"] == json!(["DAPI"]) && e["kind"] == "OpticalCalibration")
        .collect();
    assert_eq!(beads.len(), 1, "{index:#}");
    assert!(beads[0]["instrument"].is_string(), "{:#}", beads[0]);
    let demand = "OpticalCalibration in channel DAPI within 90 days and MedianZSpotSize_FWHM <= 650 nm";
    fairzarr(&["qc", text(&calibrated), "--require", demand]).done();
    // A record of an older layout does not say which image is the store's; it began with the image's OME-XML.
    let document = std::fs::read_to_string(calibrated.join("zarr.json")).unwrap();
    let mut json: Value = serde_json::from_str(&document).unwrap();
    let ours = json["attributes"].as_object_mut().unwrap();
    ours["nbo:record"]["layout"] = json!(2);
    ours["nbo:record"].as_object_mut().unwrap().remove("image");
    ours["nbo:qc"] = json!({"events": [], "images": []});
    std::fs::write(calibrated.join("zarr.json"), json.to_string()).unwrap();
    fairzarr(&["qc", text(&calibrated), "--require", demand]).done();
}

#[test]
fn image_quality_is_counted_asked_of_every_channel_and_proven() {
    let directory = tempfile::tempdir().unwrap();
    let source = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/data/cells.ome.tiff"));
    let store = directory.path().join("cells.zarr");
    // Chunks of 100 columns hold runs of four.
    convert(&source, &store, &["--chunk", "100"]).done();
    let listed = fairzarr(&["qc", text(&store)]).done().text();
    assert!(
        listed.contains("ImageQuality  ") && listed.contains("channel GFP: SaturatedFraction 0"),
        "{listed}"
    );
    let told = fairzarr(&["qc", text(&store), "--json"]).done().json();
    let channels = told["imageQuality"][0]["channels"].as_array().unwrap().clone();
    assert_eq!(
        channels.iter().map(|c| c["channel"].clone()).collect::<Vec<_>>(),
        [json!("DAPI"), json!("GFP")]
    );
    let of = |channel: usize, name: &str| {
        let metrics = channels[channel]["metrics"].as_array().unwrap();
        metrics.iter().find(|m| m["name"] == name).unwrap()["value"].as_f64().unwrap()
    };
    for name in fairzarr_nbo::qc::IMAGE_QUALITY_METRICS {
        let (low, high) = (of(0, name).min(of(1, name)), of(0, name).max(of(1, name)));
        let ask = |demand: String| fairzarr(&["qc", text(&store), "--require", &demand]);
        ask(format!("ImageQuality and {name} >= {low}")).done();
        ask(format!("ImageQuality and {name} <= {high}")).done();
        if low < high {
            let failed = ask(format!("ImageQuality and {name} >= {high}")).ends_with(1).text();
            assert!(failed.starts_with("fail") && failed.contains(&format!("{name} is {low}")), "{failed}");
        }
    }
    let unknown = fairzarr(&["qc", text(&store), "--require", "ImageQuality in channel Cy5"]).ends_with(1);
    assert!(unknown.text().starts_with("unknown"), "{}", unknown.text());
    fairzarr(&["qc", text(&store), "--require", "ImageQuality and FocusScores >= 1"]).ends_with(2);
    for command in [&["verify", text(&source), text(&store)][..], &["verify", text(&store)]] {
        let proven = fairzarr(command).done().text();
        assert!(proven.contains("statistics equal"), "{proven}");
    }
    // What was not looked at is unknown.
    let unseen = directory.path().join("foreign.zarr");
    convert(&source, &unseen, &[]).done();
    let document = unseen.join(told["imageQuality"][0]["path"].as_str().unwrap()).join("zarr.json");
    let mut edited: Value = serde_json::from_slice(&std::fs::read(&document).unwrap()).unwrap();
    edited["attributes"].as_object_mut().unwrap().remove("fairzarr:statistics");
    std::fs::write(&document, edited.to_string()).unwrap();
    let unknown = fairzarr(&["qc", text(&unseen), "--require", "ImageQuality"]).ends_with(1);
    assert!(unknown.text().contains("nothing was counted of this image"), "{}", unknown.text());
}
