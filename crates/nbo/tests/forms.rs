//! What other people's forms say is mapped by meaning, or it is said that nothing is.

#![allow(clippy::unwrap_used)]

use fairzarr_nbo::Record;
use fairzarr_nbo::check::{Policy, check};
use fairzarr_nbo::ingest::{Form, detect, ingest, left_out};
use fairzarr_nbo::qc::{Wavelength, index};
use serde_json::json;

fn read(name: &str) -> Record {
    let path = format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"));
    ingest(name, &std::fs::read(path).unwrap()).unwrap()
}

fn passes(record: &Record) -> bool {
    check(record, &Policy::builtin("baseline").unwrap()).passes()
}

#[test]
fn metroloj_qc_is_read_by_channel_and_axis() {
    let record = read("metroloj-qc.csv");
    assert_eq!(record.sources[0].form, "metroloj");
    let found: Vec<_> = record.all("OpticalCalibration").collect();
    assert_eq!(found.len(), 2);
    assert_eq!(
        (found[0].number("MedianXYSpotSize_FWHM"), found[0].str("MedianXYSpotSize_FWHMUnit")),
        (Some(0.23), Some("µm"))
    );
    assert_eq!(found[0].number("TheoreticaZSpotSize_FWHM"), Some(0.56));
    assert_eq!(found[1].number("MedianZSpotSize_FWHM"), None, "n/a is no value");
    let index = index(&record);
    assert_eq!(index.events[0].date.as_deref(), Some("2024-02-01"));
    assert_eq!(index.events[0].wavelength, Some(Wavelength { value: 525.0, unit: "nm".into() }));
    assert_eq!(index.events[0].microscope.as_ref().unwrap().name.as_deref(), Some("W1"));
    assert!(!passes(&record));
}

#[test]
fn psfj_is_a_median_over_beads() {
    let record = read("psfj.csv");
    let found = record.all("OpticalCalibration").next().unwrap();
    assert_eq!(found.number("MedianXYSpotSize_FWHM"), Some(0.225));
    assert_eq!(found.number("MinXYSpotSize_FWHM"), Some(0.2));
    assert_eq!(found.number("MaxXYSpotSize_FWHM"), Some(0.25));
    assert_eq!(found.number("MedianZSpotSize_FWHM"), Some(0.64));
    assert_eq!(found.number("SampleSize"), Some(3.0));
    let metrics = &index(&record).events[0].metrics;
    assert!(metrics.iter().all(|m| m.n == Some(3) || m.name == "SampleSize"));
}

#[test]
fn methodsj2_is_an_image_with_channels_and_its_questions_are_none() {
    let record = read("methodsj2.csv");
    let channels: Vec<_> = record.all("Channel").map(|c| c.str("Name").unwrap()).collect();
    assert_eq!(channels, ["DAPI", "Phalloidin"]);
    let pixels = record.all("Pixels").next().unwrap();
    assert_eq!((pixels.number("SizeX"), pixels.number("PhysicalSizeX")), (Some(1012.0), Some(0.14)));
    assert_eq!(pixels.field("PhysicalSizeZ"), None);
    let objective = record.all("Objective").next().unwrap();
    assert_eq!((objective.number("LensNA"), objective.number("Magnification")), (Some(1.4), Some(63.0)));
    let exposure = record.all("Channel").nth(1).unwrap().extra["exposureTime"].clone();
    assert_eq!(exposure, json!("150.00 ms"));
    let questions = json!({"settings": [{"Dialog_Type": "addMessage", "message": "?"}]}).to_string();
    let record = ingest("structure.json", questions.as_bytes()).unwrap();
    assert!(left_out(&record).next().unwrap().contains("questions") && !passes(&record));
}

#[test]
fn portal_settings_become_a_microscope_and_channels() {
    let setting = json!([{"lab": "l", "award": "a", "uuid": "47e82a90-49e5-4c33-afab-9ec90d62a003", "tier_level": "A1",
        "image_pixel_size": 0.1, "image_channel_encoding": "xyztc", "microscope_model": "Leica SP5", "objective_na": 1.4,
        "objective_magnification": 100, "objective_working_distance": 0.13, "microscope_modality": "confocal",
        "ch00_light_source_type": "laser", "ch00_light_source_center_wl": 488, "ch00_power_output": "10 mW",
        "ch00_detector_type": "PMT", "ch00_filter_set": "BP 530-585"}]);
    let record = ingest("setting.json", setting.to_string().as_bytes()).unwrap();
    let objective = record.all("Objective").next().unwrap();
    assert_eq!(
        (objective.number("WorkingDistance"), objective.str("WorkingDistanceUnit")),
        (Some(0.13), Some("mm"))
    );
    let light = record.all("IlluminationWavelengthRange").next().unwrap();
    assert_eq!(light.number("PeakWavelength"), Some(488.0));
    assert_eq!(record.all("PhotoMultiplierTube").count(), 1);
    assert_eq!(record.all("Pixels").next().unwrap().str("DimensionOrder"), Some("XYZTC"));
    let path = record.all("LightPath").next().unwrap();
    assert!(
        path.children
            .iter()
            .all(|part| record.find(part.target().unwrap(), &["Laser", "PhotoMultiplierTube"]).is_some())
    );
    assert!(!passes(&record));
}

#[test]
fn portal_records_of_every_kind_are_mapped_or_said_to_hold_nothing() {
    let common = |more: serde_json::Value| {
        let mut item = json!({"lab": "l", "award": "a", "uuid": "40041e2f-3e43-4388-8bbb-e861f209c555"});
        item.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!([item]).to_string()
    };
    for (more, class) in [
        (json!({"fileset_type": "microscope qc", "bead_diameter": 200}), "OpticalCalibration"),
        (json!({"labeled_probe": "BAC", "labels": ["eGFP"]}), "Fluorophore"),
        (json!({"imaging_paths": []}), ""),
        (json!({"settings": {"some": "value"}}), ""),
        (json!({"file_format": "tiff", "file_type": "z-stack"}), ""),
    ] {
        let text = common(more);
        assert_eq!(detect(text.as_bytes()), Some(Form::Portal), "{text}");
        let record = ingest("item.json", text.as_bytes()).unwrap();
        assert_eq!(record.objects.first().map_or("", |o| o.class.as_str()), class, "{text}");
        assert_eq!(left_out(&record).count(), usize::from(class.is_empty()), "{text}");
        assert!(!passes(&record), "{text}");
    }
    let beads = common(json!({"fileset_type": "microscope qc", "bead_diameter": 200}));
    let record = ingest("qc.json", beads.as_bytes()).unwrap();
    assert_eq!(record.all("ColoredBeads").next().unwrap().str("DiameterUnit"), Some("nm"));
    assert_eq!(index(&record).events[0].date, None, "a set without a date answers nothing");
}

#[test]
fn microscope_metrics_keep_counts_spread_beads_light_and_software() {
    let psf = json!({"name": "psf", "sample": {"bead_diameter_micron": 0.1}, "microscope": {"name": "W1"},
        "input_data": {"images": [{"channel_series": {"channels": [{"name": "GFP", "emission_wavelength_nm": 525}]}}]},
        "output": {"processing_application": "microscope-metrics", "processing_version": "0.1.0", "key_measurements": [
            {"channel_name": "GFP", "considered_valid_count": 25, "fwhm_micron_x_median": 0.22, "fwhm_micron_y_median": 0.23,
             "fwhm_micron_x_std": 0.03, "fwhm_micron_y_std": 0.04, "fwhm_micron_z_median": 0.6, "fwhm_micron_z_std": 0.1}]}});
    let record = ingest("psf.json", psf.to_string().as_bytes()).unwrap();
    let event = &index(&record).events[0];
    assert_eq!(event.wavelength, Some(Wavelength { value: 525.0, unit: "nm".into() }));
    assert_eq!(event.software.as_deref(), Some("microscope-metrics 0.1.0"));
    let xy = event.metrics.iter().find(|m| m.name == "MedianXYSpotSize_FWHM").unwrap();
    assert_eq!((xy.value, xy.n), (225.0, Some(25)));
    assert!((xy.sd.unwrap() - 35.355).abs() < 1e-2, "{:?}", xy.sd);
    assert_eq!(record.all("ColoredBeads").next().unwrap().number("Diameter"), Some(0.1));

    let power = json!({"name": "power", "processed": true,
        "input_data": {"power_measurements": [
            {"light_source": {"name": "laser 488", "wavelength_nm": 488}, "power_set_point": 0.29, "power_mw": 2.1,
             "power_meter": {"name": "PM100", "manufacturer": "Thorlabs", "model": "PM100D"}}]},
        "output": {"key_measurements": [{"light_source": "laser 488", "power_meter": "PM100", "nr_of_measurements": 300,
            "measuring_location": "OBJECTIVE_FOCAL", "power_mean_mw": 2.1, "power_std_mw": 0.01}]}});
    let record = ingest("power.json", power.to_string().as_bytes()).unwrap();
    let found = record.all("ExcitationCalibration").next().unwrap();
    assert_eq!(found.number("NominalEx-Wavelength"), Some(488.0));
    assert_eq!(found.number("PercentageNominalPowerSettings"), Some(29.0));
    assert_eq!(found.str("Method"), Some("power meter PM100 (Thorlabs PM100D)"));
    let metrics = &index(&record).events[0].metrics;
    let power = metrics.iter().find(|m| m.name == "ObseredIlluminationPowerAtSample").unwrap();
    assert_eq!((power.n, power.sd), (Some(300), Some(0.01)));
}

#[test]
fn a_data_set_without_results_says_so() {
    let unprocessed = "name: d\nmicroscope:\n  name: W1\nprocessed: false\ninput_data: \"\"\n";
    let record = ingest("d.yaml", unprocessed.as_bytes()).unwrap();
    assert!(left_out(&record).next().unwrap().contains("not been processed") && !passes(&record));
    let table = "name: d\noutput:\n  key_measurements:\n    table_data:\n      value: 42\n";
    let record = ingest("d.yaml", table.as_bytes()).unwrap();
    assert!(left_out(&record).next().unwrap().contains("table_data") && !passes(&record));
}
