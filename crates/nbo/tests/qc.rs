//! Whether an image was taken on a calibrated microscope: days, objectives, channels, and what nobody says.

#![allow(clippy::unwrap_used)]

use Outcome::{Fail, Pass, Unknown};
use fairzarr_nbo::ingest::ingest;
use fairzarr_nbo::qc::{self, Outcome, Requirement, Verdict};
use fairzarr_nbo::{Record, merge, xml};

const NS: &str = "http://www.NamespaceTest.org/Schemas/NBO/2020-11";

/// An image of this day and objective, and beads of these days and objectives whose calibration hangs on the beads.
fn record(day: &str, objective: &str, beads: &[(&str, &str)]) -> Record {
    use std::fmt::Write as _;
    let mut text = format!(
        r#"<OME xmlns="{NS}"><Instrument ID="Instrument:1"><Objective ID="Objective:1"/><Objective ID="Objective:2"/></Instrument>
        <Image ID="Image:1" AcquisitionDate="{day}"><InstrumentRef ID="Instrument:1"/>{objective}</Image>"#
    );
    for (n, (day, objective)) in beads.iter().enumerate() {
        write!(
            text,
            r#"<Image ID="Image:1{n}" AcquisitionDate="{day}"><InstrumentRef ID="Instrument:1"/>{objective}
            <OpticalCalibration ID="OpticalCalibration:{n}" Date="{day}" MedianXYSpotSize_FWHM="230" MedianXYSpotSize_FWHMUnit="nm"/></Image>"#
        )
        .unwrap();
    }
    text.push_str("</OME>");
    xml::read(&text).unwrap()
}

const FIRST: &str = r#"<ObjectiveSettings ID="Objective:1"/>"#;
const SECOND: &str = r#"<ObjectiveSettings ID="Objective:2"/>"#;

fn verdict(record: &Record, demand: &str) -> Verdict {
    let verdicts = qc::index(record).require(&demand.parse::<Requirement>().unwrap());
    verdicts.into_iter().find(|v| v.image == "Image:1").unwrap()
}

fn outcome(record: &Record, demand: &str) -> Outcome {
    verdict(record, demand).outcome
}

const DEMAND: &str = "OpticalCalibration within 90 days";

#[test]
fn the_last_day_counts_and_the_next_does_not() {
    for (image, calibration, expected, age) in [
        ("2024-05-01", "2024-05-01", Pass, 0),
        ("2024-05-01", "2024-02-01", Pass, 90),
        ("2024-05-01", "2024-01-31", Fail, 91),
        // Over the end of a year, and a leap day.
        ("2024-03-01", "2023-12-02", Pass, 90),
        ("2023-03-01", "2022-12-01", Pass, 90),
        ("2024-05-01", "2024-05-02", Fail, -1),
    ] {
        let found = verdict(&record(image, FIRST, &[(calibration, FIRST)]), DEMAND);
        assert_eq!((found.outcome, found.age_days), (expected, Some(age)), "{image} {calibration}");
    }
}

#[test]
fn a_day_is_the_one_that_is_written_whatever_its_zone() {
    for (image, calibration) in [
        ("2024-05-01Z", "2024-02-01"),
        ("2024-05-01+14:00", "2024-02-01-11:00"),
        ("2024-05-01", "2024-02-01+01:00"),
    ] {
        let found = verdict(&record(image, FIRST, &[(calibration, FIRST)]), DEMAND);
        assert_eq!((found.outcome, found.age_days), (Pass, Some(90)), "{image} {calibration}");
    }
    for ambiguous in ["2024", "2024-05", "01/05/2024", "2024-02-30", ""] {
        assert_eq!(
            outcome(&record(ambiguous, FIRST, &[("2024-04-30", FIRST)]), DEMAND),
            Unknown,
            "{ambiguous}"
        );
        assert_eq!(
            outcome(&record("2024-05-01", FIRST, &[(ambiguous, FIRST)]), DEMAND),
            Unknown,
            "{ambiguous}"
        );
    }
    // OME's date and time keeps its day.
    let ome = r#"<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:1"><AcquisitionDate>2024-03-14T23:30:00-05:00</AcquisitionDate></Image></OME>"#;
    let index = qc::index(&ingest("a.ome.xml", ome.as_bytes()).unwrap());
    assert_eq!(index.images[0].acquisition_date.as_deref(), Some("2024-03-14"));
}

#[test]
fn the_objective_in_use_is_the_one_that_counts() {
    let both = [("2024-04-30", SECOND), ("2024-01-01", FIRST)];
    assert_eq!(outcome(&record("2024-05-01", FIRST, &both), DEMAND), Fail, "the fresh one is of another");
    assert_eq!(outcome(&record("2024-05-01", SECOND, &both), DEMAND), Pass);
    assert_eq!(outcome(&record("2024-05-01", "", &both), DEMAND), Unknown, "nobody says which");
    assert_eq!(outcome(&record("2024-05-01", FIRST, &[("2024-04-30", "")]), DEMAND), Unknown);
    assert_eq!(outcome(&record("2024-05-01", FIRST, &[("2024-04-30", SECOND)]), DEMAND), Fail);
    // It hangs on this image, but the beads were seen through another objective.
    let nested = |measured: &str| {
        let text = format!(
            r#"<OME xmlns="{NS}"><Image ID="Image:1" AcquisitionDate="2024-05-01">{FIRST}<OpticalCalibration ID="OpticalCalibration:1" Date="2024-04-30">
            <OpticalCalibrationImageRef ID="Image:2"/></OpticalCalibration></Image><Image ID="Image:2">{measured}</Image></OME>"#
        );
        outcome(&xml::read(&text).unwrap(), DEMAND)
    };
    assert_eq!((nested(FIRST), nested(SECOND), nested("")), (Pass, Fail, Pass));
}

#[test]
fn an_image_of_unknown_instrument_answers_for_no_other() {
    let text = format!(
        r#"<OME xmlns="{NS}"><Image ID="Image:1" AcquisitionDate="2024-05-01"/>
        <Image ID="Image:2" AcquisitionDate="2024-05-01"><OpticalCalibration ID="OpticalCalibration:1" Date="2024-04-30" MedianXYSpotSize_FWHM="230"/></Image></OME>"#
    );
    let verdicts = qc::index(&xml::read(&text).unwrap()).require(&DEMAND.parse().unwrap());
    let found: Vec<_> = verdicts.iter().map(|v| (v.image.as_str(), v.outcome)).collect();
    assert_eq!(found, [("Image:1", Unknown), ("Image:2", Pass)]);
}

#[test]
fn channels_and_wavelengths_can_be_asked_for() {
    let channel = |name: &str, day: &str, wavelength: &str| {
        format!(
            r#"<Channel ID="Channel:{name}" Name="{name}"><ExcitationCalibration ID="ExcitationCalibration:{name}" Date="{day}" {wavelength}
            ObseredIlluminationPowerAtSample="7.4" ObseredIlluminationPowerAtSampleUnit="mW"/></Channel>"#
        )
    };
    let text = format!(
        r#"<OME xmlns="{NS}"><Image ID="Image:1" AcquisitionDate="2024-05-01"><Pixels ID="Pixels:1">{}{}{}</Pixels></Image></OME>"#,
        channel("GFP", "2024-04-30", r#"ObservedEx-Wavelength="0.4885" ObservedEx-WavelengthUnit="µm""#),
        channel("Alexa 561", "2024-01-01", r#"NominalEx-Wavelength="561""#),
        channel("Cy5", "2024-04-30", "")
    );
    let record = xml::read(&text).unwrap();
    for (light, expected) in [
        ("in channel gfp", Pass),
        ("in channel Alexa 561", Fail),
        ("in channel DAPI", Fail),
        ("at 488 nm", Pass),
        // The one at 561 nm is too old; that another does not say its wavelength changes nothing.
        ("at 561 nm", Fail),
        ("in channel Alexa 561 at 561 nm", Fail),
        ("in channel GFP at 561 nm", Fail),
        ("in channel Cy5 at 640 nm", Unknown),
    ] {
        let demand = format!("ExcitationCalibration {light} within 30 days");
        assert_eq!(outcome(&record, &demand), expected, "{demand}: {}", verdict(&record, &demand).reason);
    }
    let power = |limit: &str| {
        outcome(&record, &format!("ExcitationCalibration and ObseredIlluminationPowerAtSample {limit}"))
    };
    assert_eq!((power(">= 0.005 W"), power("> 8 mW"), power("> 8")), (Pass, Fail, Unknown));
}

#[test]
fn results_without_an_image_belong_to_the_instrument_that_they_name() {
    let widefield = |text: &str| ingest("widefield.xml", text.as_bytes()).unwrap();
    let data = |name: &str| {
        std::fs::read_to_string(format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    };
    // The document without its own calibration: what is known comes from microscope-metrics.
    let document = data("handmade-widefield-psf-xsdvalid.xml");
    let (from, to) = (
        document.find("<NBO:OpticalCalibration ").unwrap(),
        document.find("</NBO:OpticalCalibration>").unwrap(),
    );
    let bare = format!("{}{}", &document[..from], &document[to + "</NBO:OpticalCalibration>".len()..]);
    let beads = data("psf-beads.yaml");
    let ask = |microscope: &str, demand: &str| {
        let (record, _) = merge::merge(widefield(microscope), ingest("psf.yaml", beads.as_bytes()).unwrap());
        outcome(&record, demand)
    };
    assert_eq!(ask(&bare, DEMAND), Pass);
    assert_eq!(ask(&bare, "OpticalCalibration within 41 days"), Fail);
    assert_eq!(ask(&bare, "OpticalCalibration in channel GFP and MedianXYSpotSize_FWHM <= 250 nm"), Fail);
    assert_eq!(ask(&bare, "OpticalCalibration in channel DAPI and MedianXYSpotSize_FWHM <= 250 nm"), Pass);
    assert_eq!(
        ask(&bare.replace("Widefield 1", "Widefield 2"), DEMAND),
        Unknown,
        "of another microscope, or who knows"
    );
    let two =
        bare.replace("<NBO:Z-Drive ", r#"<NBO:Objective ID="Objective:2" Magnification="20"/><NBO:Z-Drive "#);
    assert_eq!(ask(&two, DEMAND), Unknown, "of which objective?");
}

#[test]
fn numbers_that_are_none_are_no_metrics() {
    let text = format!(
        r#"<OME xmlns="{NS}"><Image ID="Image:1"><OpticalCalibration ID="OpticalCalibration:1" MedianXYSpotSize_FWHM="NaN" MinXYSpotSize_FWHM="999" MaxXYSpotSize_FWHM="INF"/></Image></OME>"#
    );
    let index = qc::index(&xml::read(&text).unwrap());
    assert!(index.events[0].metrics.is_empty(), "{:?}", index.events[0].metrics);
    assert_eq!(qc::Index::from_json(&index.to_json()).unwrap(), index);
}
