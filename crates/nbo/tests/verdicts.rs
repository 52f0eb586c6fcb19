//! The rules by which quality control is judged: one table over every combination, and a test for each rule, named
//! after it.

#![allow(clippy::unwrap_used, clippy::panic)]

use Outcome::{Fail, Pass, Unknown};
use fairzarr_nbo::ingest::ingest;
use fairzarr_nbo::qc::{self, Outcome, Requirement, Verdict};
use fairzarr_nbo::{Record, merge, xml};
use serde_json::json;

const NBO: &str = "http://www.NamespaceTest.org/Schemas/NBO/2020-11";
const DEMAND: &str = "OpticalCalibration within 90 days and MedianXYSpotSize_FWHM <= 250 nm";

fn document(body: &str) -> Record {
    xml::read(&format!(r#"<OME xmlns="{NBO}">{body}</OME>"#)).unwrap()
}

fn verdict(record: &Record, demand: &str) -> Verdict {
    let verdicts = qc::index(record).require(&demand.parse::<Requirement>().unwrap());
    verdicts.into_iter().find(|v| v.image == "Image:1").unwrap()
}

fn outcome(record: &Record, demand: &str) -> Outcome {
    verdict(record, demand).outcome
}

const SCOPES: &str = r#"<Instrument ID="Instrument:1" Name="A"><InvertedMicroscopeStand ID="Microscope:1" Manufacturer="Nikon" Model="Ti2-E" CatalogNumber="SN-1"/><Objective ID="Objective:1"/><Objective ID="Objective:2"/></Instrument>
    <Instrument ID="Instrument:2"><InvertedMicroscopeStand ID="Microscope:2" Manufacturer="Nikon" Model="Ti2-E" CatalogNumber="SN-2"/></Instrument>
    <Instrument ID="Instrument:3"><InvertedMicroscopeStand ID="Microscope:3" Manufacturer="Nikon"/></Instrument>"#;

/// What a calibration and the image that it hangs on say.
#[derive(Clone, Copy, Debug)]
struct Case {
    /// Whether it hangs on the image that is asked about, or on one of beads.
    own: bool,
    microscope: Option<u8>,
    objective: Option<u8>,
    /// 10 and 100 days before the acquisition, 10 after it, not said.
    days: Option<i64>,
    measured: Measured,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Measured {
    Good,
    Bad,
    /// A point spread function without this metric.
    OtherMetric,
    /// The uniformity of the field alone.
    Uniformity,
}

impl Case {
    fn record(&self) -> Record {
        let reference = |class: &str, kind: &str, n: Option<u8>| {
            n.map_or_else(String::new, |n| format!(r#"<{class} ID="{kind}:{n}"/>"#))
        };
        let taken = format!(
            "{}{}",
            reference("InstrumentRef", "Instrument", self.microscope),
            reference("ObjectiveSettings", "Objective", self.objective)
        );
        let date = match self.days {
            Some(10) => r#" Date="2024-04-21""#,
            Some(100) => r#" Date="2024-01-22""#,
            Some(-10) => r#" Date="2024-05-11""#,
            _ => "",
        };
        let (attributes, part) = match self.measured {
            Measured::Good => (r#" MedianXYSpotSize_FWHM="220" MedianXYSpotSize_FWHMUnit="nm""#, ""),
            Measured::Bad => (r#" MedianXYSpotSize_FWHM="0.6" MedianXYSpotSize_FWHMUnit="µm""#, ""),
            Measured::OtherMetric => (r#" LateralAsymmetry="0.9""#, ""),
            Measured::Uniformity => {
                ("", r#"<FieldUniformityEvaluation ID="F:1" MeanMaxtoCornerIntensityRatio="1.2"/>"#)
            }
        };
        let calibration = format!(
            r#"<OpticalCalibration ID="OpticalCalibration:1"{date}{attributes}><OpticalCalibrationImageRef ID="Image:2"/>{part}</OpticalCalibration>"#
        );
        let (on_image, on_beads) =
            if self.own { (calibration.as_str(), "") } else { ("", calibration.as_str()) };
        document(&format!(
            r#"{SCOPES}<Image ID="Image:1" AcquisitionDate="2024-05-01"><InstrumentRef ID="Instrument:1"/><ObjectiveSettings ID="Objective:1"/>{on_image}</Image>
            <Image ID="Image:2">{taken}{on_beads}</Image>"#
        ))
    }

    /// The rules in their order; the first that speaks of a case decides it.
    fn rule(&self) -> (Outcome, &'static str) {
        let own = self.own;
        let rules: [(bool, Outcome, &str); 12] = [
            (self.microscope == Some(2), Fail, "of another microscope"),
            (!own && self.microscope == Some(3), Unknown, "of a microscope that may be the same"),
            // Its own calibration is of it, unless what it was measured with is known to be something else.
            (own && self.microscope == Some(3), Fail, "of another microscope in the same record"),
            (!own && self.microscope.is_none(), Unknown, "of a microscope that is not said"),
            (self.objective == Some(2), Fail, "of another objective"),
            (!own && self.objective.is_none(), Unknown, "of an objective that is not said"),
            (self.measured == Measured::Uniformity, Fail, "no point spread function"),
            (self.days.is_none(), Unknown, "no date"),
            (self.days == Some(-10), Fail, "after the acquisition"),
            (self.days == Some(100), Fail, "too old"),
            (self.measured == Measured::Bad, Fail, "too wide"),
            (self.measured == Measured::OtherMetric, Unknown, "not measured"),
        ];
        let decided = rules.into_iter().find(|(applies, ..)| *applies);
        decided.map_or((Pass, "nothing against it"), |(_, outcome, why)| (outcome, why))
    }
}

#[test]
fn every_combination_is_judged_by_the_first_rule_that_speaks_of_it() {
    let mut counted = std::collections::BTreeMap::new();
    for own in [true, false] {
        for microscope in [Some(1), Some(2), Some(3), None] {
            for objective in [Some(1), Some(2), None] {
                for days in [Some(10), Some(100), Some(-10), None] {
                    for measured in
                        [Measured::Good, Measured::Bad, Measured::OtherMetric, Measured::Uniformity]
                    {
                        let case = Case { own, microscope, objective, days, measured };
                        let (expected, why) = case.rule();
                        let found = verdict(&case.record(), DEMAND);
                        assert_eq!(found.outcome, expected, "{case:?}: {why}; said: {}", found.reason);
                        *counted.entry(why).or_insert(0) += 1;
                    }
                }
            }
        }
    }
    // No rule is there for nothing.
    assert_eq!(counted.len(), 13, "{counted:?}");
}

/// Calibrations on images of beads: day, width, whether on the image itself.
fn several(calibrations: &[(&str, u32, bool)]) -> Record {
    let one = |n: usize, (day, width, _): &(&str, u32, bool)| {
        format!(
            r#"<OpticalCalibration ID="OpticalCalibration:{n}" Date="{day}" MedianXYSpotSize_FWHM="{width}" MedianXYSpotSize_FWHMUnit="nm"/>"#
        )
    };
    let own: String = calibrations.iter().enumerate().filter(|(_, c)| c.2).map(|(n, c)| one(n, c)).collect();
    let beads: String = calibrations
        .iter()
        .enumerate()
        .filter(|(_, c)| !c.2)
        .map(|(n, c)| {
            format!(
                r#"<Image ID="Image:{}"><InstrumentRef ID="Instrument:1"/><ObjectiveSettings ID="Objective:1"/>{}</Image>"#,
                n + 10,
                one(n, c)
            )
        })
        .collect();
    document(&format!(
        r#"{SCOPES}<Image ID="Image:1" AcquisitionDate="2024-05-01"><InstrumentRef ID="Instrument:1"/><ObjectiveSettings ID="Objective:1"/>{own}</Image>{beads}"#
    ))
}

#[test]
fn the_latest_applicable_calibration_decides_and_an_images_own_before_others() {
    for (calibrations, expected) in [
        (&[("2024-04-01", 220, false), ("2024-04-20", 600, false)][..], Fail),
        (&[("2024-04-01", 600, false), ("2024-04-20", 220, false)], Pass),
        (&[("2024-04-01", 600, true), ("2024-04-20", 220, false)], Fail),
        (&[("2024-04-01", 220, true), ("2024-04-20", 600, false)], Pass),
        (&[("2024-04-01", 220, true), ("2024-04-20", 600, true)], Fail),
        // One after the acquisition does not apply, as long as nobody says `either side`.
        (&[("2024-04-01", 220, false), ("2024-05-02", 600, false)], Pass),
        (&[("2024-04-01", 600, false), ("2024-05-02", 220, true)], Fail),
        // Too old on itself, whatever is known of others.
        (&[("2023-04-01", 220, true), ("2024-04-20", 220, false)], Fail),
        // Of two of one day neither is the later.
        (&[("2024-04-20", 220, false), ("2024-04-20", 600, false)], Fail),
    ] {
        let record = several(calibrations);
        assert_eq!(
            outcome(&record, DEMAND),
            expected,
            "{calibrations:?}: {}",
            verdict(&record, DEMAND).reason
        );
        // Whatever order they are recorded in.
        let reversed: Vec<_> = calibrations.iter().rev().copied().collect();
        assert_eq!(outcome(&several(&reversed), DEMAND), expected, "{reversed:?}");
    }
    let sides = several(&[("2024-04-01", 600, false), ("2024-05-02", 220, false)]);
    let demand = DEMAND.replace("90 days", "90 days either side");
    assert_eq!(outcome(&sides, &demand), Pass, "the nearer one");
}

/// An image of two channels, and results of microscope-metrics for channels of these widths in µm.
fn coloured(results: &[(&str, f64)]) -> Record {
    let ome = r#"<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Instrument ID="Instrument:0"><Microscope Manufacturer="Zeiss" Model="Axio Observer Z1"/><Objective ID="Objective:0"/></Instrument>
        <Image ID="Image:1"><AcquisitionDate>2024-05-01T00:00:00</AcquisitionDate><InstrumentRef ID="Instrument:0"/><ObjectiveSettings ID="Objective:0"/><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="1" SizeY="1" SizeZ="1" SizeC="2" SizeT="1">
        <Channel ID="Channel:0" Name="GFP"/><Channel ID="Channel:1" Name="RFP"/><MetadataOnly/></Pixels></Image></OME>"#;
    let rows: Vec<_> = results
        .iter()
        .map(|(name, width)| {
            let mut row = json!({"fwhm_micron_x_median": width, "fwhm_micron_y_median": width});
            if !name.is_empty() {
                row["channel_name"] = json!(name);
            }
            row
        })
        .collect();
    metrics(ome, &json!({"manufacturer": "Carl Zeiss", "model": "Axio Observer.Z1"}), &rows)
}

fn metrics(ome: &str, microscope: &serde_json::Value, rows: &[serde_json::Value]) -> Record {
    let results = json!({"name": "psf", "microscope": microscope, "acquisition_datetime": "2024-04-20T09:00:00",
        "output": {"key_measurements": rows}});
    let base = ingest("a.ome.xml", ome.as_bytes()).unwrap();
    merge::merge(base, ingest("psf.json", results.to_string().as_bytes()).unwrap()).0
}

#[test]
fn a_metric_is_asked_of_every_channel_and_one_good_colour_does_not_pass_for_all() {
    for (results, expected) in [
        (&[("GFP", 0.22), ("RFP", 0.24)][..], Pass),
        (&[("GFP", 0.22), ("RFP", 0.42)], Fail),
        (&[("GFP", 0.22)], Fail),
        (&[("GFP", 0.22), ("Cy5", 0.2)], Fail),
        // One that does not say its colour passes for none, and fails for all.
        (&[("", 0.22)], Unknown),
        (&[("", 0.42)], Fail),
    ] {
        let record = coloured(results);
        assert_eq!(outcome(&record, DEMAND), expected, "{results:?}: {}", verdict(&record, DEMAND).reason);
    }
    let record = coloured(&[("GFP", 0.22), ("RFP", 0.42)]);
    let found = verdict(&record, DEMAND);
    assert_eq!(found.channel.as_deref(), Some("RFP"));
    assert!(found.reason.contains("420 nm"), "{}", found.reason);
    // The question may name one.
    let named = |channel: &str| DEMAND.replace(" within", &format!(" in channel {channel} within"));
    assert_eq!((outcome(&record, &named("gfp")), outcome(&record, &named("RFP"))), (Pass, Fail));
}

#[test]
fn results_of_a_microscope_with_another_serial_number_do_not_apply() {
    let ome = |serial: &str| {
        format!(
            r#"<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Instrument ID="Instrument:0"><Microscope Manufacturer="Nikon" Model="Ti2-E"{serial}/><Objective ID="Objective:0"/></Instrument>
            <Image ID="Image:1"><AcquisitionDate>2024-05-01T00:00:00</AcquisitionDate><InstrumentRef ID="Instrument:0"/><ObjectiveSettings ID="Objective:0"/></Image></OME>"#
        )
    };
    let row = || vec![json!({"fwhm_micron_x_median": 0.2, "fwhm_micron_y_median": 0.2})];
    let named = |model: &str, serial: &str| json!({"name": "B", "manufacturer": "Nikon", "model": model, "serial_number": serial});
    let own = r#" SerialNumber="SN-1""#;
    for (own, microscope, expected) in [
        (own, named("Ti2-E", "SN-1"), Pass),
        (own, named("Ti2-E", "SN-2"), Fail),
        (own, named("Ti2-E", "unknown"), Pass),
        ("", named("Ti2-E", "SN-2"), Pass),
        (own, named("Ti", ""), Fail),
        (own, json!({"name": "somewhere"}), Unknown),
    ] {
        let record = metrics(&ome(own), &microscope, &row());
        assert_eq!(
            outcome(&record, DEMAND),
            expected,
            "{own} {microscope}: {}",
            verdict(&record, DEMAND).reason
        );
    }
}

#[test]
fn a_document_about_another_microscope_never_outranks_a_real_answer() {
    let beads = |n: u8, scope: u8, day: &str, width: u32| {
        format!(
            r#"<Image ID="Image:1{n}"><InstrumentRef ID="Instrument:{scope}"/><ObjectiveSettings ID="Objective:1"/>
            <OpticalCalibration ID="OpticalCalibration:{n}" Date="{day}" MedianXYSpotSize_FWHM="{width}"/></Image>"#
        )
    };
    let ask = |images: &str| {
        outcome(
            &document(&format!(
                r#"{SCOPES}<Image ID="Image:1" AcquisitionDate="2024-05-01"><InstrumentRef ID="Instrument:1"/><ObjectiveSettings ID="Objective:1"/></Image>{images}"#
            )),
            DEMAND,
        )
    };
    // A real failure stays one, a real pass too, whoever else is better, worse, newer or unclear.
    for other in [2, 3] {
        for (own, expected) in [(600, Fail), (220, Pass)] {
            for stranger in [220, 600] {
                let images = beads(1, 1, "2024-04-01", own) + &beads(2, other, "2024-04-20", stranger);
                assert_eq!(ask(&images), expected, "{other} {own} {stranger}");
            }
        }
    }
    assert_eq!((ask(&beads(1, 2, "2024-04-01", 220)), ask(&beads(1, 3, "2024-04-01", 220))), (Fail, Unknown));
}

#[test]
fn an_optical_calibration_needs_a_point_spread_function() {
    let ask = |inside: &str, attributes: &str, demand: &str| {
        outcome(
            &document(&format!(
                r#"{SCOPES}<Image ID="Image:1" AcquisitionDate="2024-05-01"><InstrumentRef ID="Instrument:1"/><ObjectiveSettings ID="Objective:1"/>
                <OpticalCalibration ID="OpticalCalibration:1" Date="2024-04-20" {attributes}>{inside}</OpticalCalibration></Image><Image ID="Image:2"/>"#
            )),
            demand,
        )
    };
    let field = r#"<FieldUniformityEvaluation ID="F:1" MeanMaxtoCornerIntensityRatio="1.2"/>"#;
    let colour = r#"<ChromaticRegistrationEvaluation ID="C:1" ReferenceWavelength="525" ReferenceWavelengthUnit="nm" TestWavelength="605" TestWavelengthUnit="nm"/>"#;
    let on_beads = r#"<OpticalCalibrationImageRef ID="Image:2"/>"#;
    let (optical, median) = ("OpticalCalibration within 90 days", r#"MedianXYSpotSize_FWHM="220""#);
    for (inside, attributes, expected) in [
        ("", median, Pass),
        (on_beads, "", Pass),
        (field, "", Fail),
        (colour, "", Fail),
        (&format!("{on_beads}{field}"), "", Fail),
        (&format!("{on_beads}{field}"), median, Pass),
        ("", "", Fail),
    ] {
        assert_eq!(ask(inside, attributes, optical), expected, "{inside} {attributes}");
    }
    assert_eq!(ask(field, "", "FieldUniformityEvaluation within 90 days"), Pass);
    assert_eq!(ask(colour, "", "ChromaticRegistrationEvaluation within 90 days"), Pass);
}

#[test]
fn the_wavelengths_of_a_registration_are_found_by_either() {
    let record = document(&format!(
        r#"{SCOPES}<Image ID="Image:1" AcquisitionDate="2024-05-01"><InstrumentRef ID="Instrument:1"/><ObjectiveSettings ID="Objective:1"/>
        <OpticalCalibration ID="OpticalCalibration:1" Date="2024-04-20"><ChromaticRegistrationEvaluation ID="C:1" ReferenceWavelength="525" ReferenceWavelengthUnit="nm" TestWavelength="605" TestWavelengthUnit="nm" XChromaticShift_RT="42"/>
        <ChromaticRegistrationEvaluation ID="C:2" ReferenceWavelength="0.525" ReferenceWavelengthUnit="µm" TestWavelength="680" TestWavelengthUnit="nm" XChromaticShift_RT="142"/></OpticalCalibration></Image>"#
    ));
    for (demand, expected) in [
        ("at 605 nm within 90 days", Pass),
        ("at 525 nm within 90 days", Pass),
        ("at 0.68 µm within 90 days", Pass),
        ("at 450 nm within 90 days", Fail),
        ("at 605 nm and XChromaticShift_RT < 100 nm", Pass),
        ("at 680 nm and XChromaticShift_RT < 100 nm", Fail),
        // Every pair is asked, as every channel is.
        ("within 90 days and XChromaticShift_RT < 100 nm", Fail),
        ("within 90 days and XChromaticShift_RT < 150 nm", Pass),
    ] {
        let demand = format!("ChromaticRegistrationEvaluation {demand}");
        assert_eq!(outcome(&record, &demand), expected, "{demand}: {}", verdict(&record, &demand).reason);
    }
}

#[test]
fn detectors_and_light_sources_are_those_that_the_image_used() {
    let path = |c: u8, detector: &str, light: &str, inside: &str| {
        format!(
            r#"<Channel ID="Channel:{c}" Name="C{c}">{inside}<LightPath ID="LightPath:{c}">{light}{detector}</LightPath></Channel>"#
        )
    };
    let detector = |n: u8| format!(r#"<CameraSettings ID="Detector:{n}"/>"#);
    let light = |n: u8| format!(r#"<LightSourceSettings ID="LightSource:{n}"/>"#);
    let record = |own: &str, beads: &str, on_beads: &str| {
        document(&format!(
            r#"{SCOPES}<Image ID="Image:1" AcquisitionDate="2024-05-01"><InstrumentRef ID="Instrument:1"/><Pixels ID="Pixels:1">{own}</Pixels></Image>
            <Image ID="Image:2"><InstrumentRef ID="Instrument:1"/>{on_beads}<Pixels ID="Pixels:2">{beads}</Pixels></Image>"#
        ))
    };
    let dark = r#"<DetectorCalibration ID="DetectorCalibration:1" Date="2024-04-20" SampleSize="10"/>"#;
    let camera = "DetectorCalibration within 90 days";
    for (own, beads, expected) in [
        (detector(2), detector(1), Fail),
        (detector(1), detector(1), Pass),
        (String::new(), detector(1), Unknown),
        (detector(1), String::new(), Unknown),
    ] {
        let record = record(&path(1, &own, "", ""), &path(2, &beads, "", ""), dark);
        assert_eq!(outcome(&record, camera), expected, "{own} {beads}: {}", verdict(&record, camera).reason);
    }
    // Two cameras, of which one is calibrated: what it measured is asked of both.
    let two = path(1, &detector(1), "", "") + &path(3, &detector(2), "", "");
    let record_of_two = record(&two, &path(2, &detector(1), "", ""), dark);
    assert_eq!(outcome(&record_of_two, "DetectorCalibration and SampleSize >= 10"), Fail);
    let power = |p: &str| {
        format!(
            r#"<ExcitationCalibration ID="ExcitationCalibration:1" Date="2024-04-20" ObseredIlluminationPowerAtSample="{p}"/>"#
        )
    };
    let demand = "ExcitationCalibration within 90 days and ObseredIlluminationPowerAtSample >= 5 mW";
    for (own, beads, expected) in [(1, 1, Pass), (2, 1, Fail)] {
        let record = record(&path(1, "", &light(own), ""), &path(2, "", &light(beads), &power("7")), "");
        assert_eq!(outcome(&record, demand), expected, "{own} {beads}: {}", verdict(&record, demand).reason);
    }
}

#[test]
fn a_misspelt_word_is_a_usage_error_that_names_the_nearest() {
    for (demand, said) in [
        ("OpticalCalbration within 9 days", "no kind of calibration; the nearest is OpticalCalibration"),
        ("DetectorCalibraton", "the nearest is DetectorCalibration"),
        ("OpticalCalibration and MedianXYSpotSize <= 250 nm", "the nearest is MedianXYSpotSize_FWHM"),
        (
            "OpticalCalibration and MedianXYSpotSize_FWHM <= 1.2 x TheoreticalXYSpotSize",
            "the nearest is TheoreticalXYSpotSize_FWHM",
        ),
        (
            "OpticalCalibration and MedianXYSpotSize_FWHM <= 250 nn",
            "no unit of MedianXYSpotSize_FWHM; the nearest is nm",
        ),
        ("OpticalCalibration and MedianXYSpotSize_FWHM <= 250 ms", "no unit of MedianXYSpotSize_FWHM"),
        ("OpticalCalibration at 488 n within 3 days", "no unit of a wavelength"),
        ("OpticalCalibration and ObseredIlluminationPowerAtSample >= 3 mW", "but of ExcitationCalibration"),
        ("OpticalCalibration and LateralAsymmetry >= 1 nm", "which has none"),
    ] {
        let error = demand.parse::<Requirement>().unwrap_err().to_string();
        assert!(error.contains(said), "{demand}: {error}");
    }
    assert!("OpticalCalibration and MedianXYSpotSize_FWHM <= 0.25 um".parse::<Requirement>().is_err());
}

#[test]
fn counts_can_be_asked_for() {
    let record = |n: &str| {
        document(&format!(
            r#"{SCOPES}<Image ID="Image:1" AcquisitionDate="2024-05-01"><InstrumentRef ID="Instrument:1"/><ObjectiveSettings ID="Objective:1"/>
            <OpticalCalibration ID="OpticalCalibration:1" Date="2024-04-20" MedianXYSpotSize_FWHM="220" {n}/></Image>"#
        ))
    };
    let demand = "OpticalCalibration and SampleSize >= 20";
    for (n, expected) in [(r#"SampleSize="25""#, Pass), (r#"SampleSize="19""#, Fail), ("", Unknown)] {
        assert_eq!(outcome(&record(n), demand), expected, "{n}");
    }
}

#[test]
fn a_unit_that_a_document_leaves_out_is_the_schemas_and_marked() {
    let record = document(&format!(
        r#"{SCOPES}<Image ID="Image:1" AcquisitionDate="2024-05-01"><InstrumentRef ID="Instrument:1"/><ObjectiveSettings ID="Objective:1"/>
        <OpticalCalibration ID="OpticalCalibration:1" Date="2024-04-20" MedianXYSpotSize_FWHM="220" MinXYSpotSize_FWHM="0.2" MinXYSpotSize_FWHMUnit="µm" MedianZSpotSize_FWHM="640" LateralAsymmetry="0.9"/></Image>"#
    ));
    let metrics = qc::index(&record).events.remove(0).metrics;
    let said: Vec<_> =
        metrics.iter().map(|m| (m.name.as_str(), m.unit.as_deref(), m.unit_from.as_deref())).collect();
    assert!(said.contains(&("MedianXYSpotSize_FWHM", Some("nm"), Some("schema"))), "{said:?}");
    assert!(said.contains(&("MedianZSpotSize_FWHM", Some("nm"), Some("schema"))), "{said:?}");
    assert!(said.contains(&("MinXYSpotSize_FWHM", Some("µm"), None)), "{said:?}");
    assert!(said.contains(&("LateralAsymmetry", None, None)), "{said:?}");
    assert_eq!(outcome(&record, "OpticalCalibration and MedianZSpotSize_FWHM <= 0.7 µm"), Pass);
    assert_eq!(outcome(&record, "OpticalCalibration and MinXYSpotSize_FWHM <= 190 nm"), Fail);
}

#[test]
fn images_of_the_store_alone_are_judged_and_one_that_nothing_is_known_of_is_unknown() {
    let mut record = several(&[("2024-04-20", 220, true), ("2024-04-25", 600, false)]);
    let ask = |record: &Record| {
        let index = qc::index(record);
        let outcomes = |verdicts: Vec<Verdict>| verdicts.iter().map(|v| v.outcome).collect::<Vec<_>>();
        let demand: Requirement = DEMAND.parse().unwrap();
        (outcomes(index.require(&demand)), outcomes(index.others(&demand)))
    };
    // Without a store all that is described is judged.
    assert_eq!(ask(&record), (vec![Pass, Unknown], vec![]));
    record.in_store = Some(vec![Some(0)]);
    assert_eq!(ask(&record), (vec![Pass], vec![Unknown]));
    record.in_store = Some(vec![Some(0), None, None]);
    assert_eq!(ask(&record).0, [Pass, Unknown]);
    record.in_store = Some(vec![None]);
    assert_eq!(ask(&record).0, [Unknown]);
    assert_eq!(ask(&Record::default()).0, [Unknown]);
    let index = qc::index(&record);
    assert_eq!(qc::Index::from_json(&index.to_json()).unwrap(), index);
}
