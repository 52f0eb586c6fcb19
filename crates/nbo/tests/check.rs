//! The three-axis check against the counts of the published tables and the results for the example files.

#![allow(clippy::unwrap_used, clippy::panic, clippy::format_collect)]

use fairzarr_nbo::catalogue::{self, Extension, Kind};
use fairzarr_nbo::check::{Level, Policy, Report, Rule, Severity, Untiered, check, fields};
use fairzarr_nbo::record::value::{self, State};
use fairzarr_nbo::{Record, xml};

use Extension::{Basic, Calibration};

fn policy(tier: u8, extensions: &[Extension], level: Level) -> Policy {
    Policy::new(tier, extensions, level).unwrap()
}

#[test]
fn the_catalogue_is_complete() {
    let classes = catalogue::classes();
    assert_eq!(classes.iter().filter(|c| c.global && !c.is_abstract).count(), 245);
    assert_eq!(classes.iter().filter(|c| c.is_abstract).count(), 29);
    assert_eq!(catalogue::attributes().len(), 1063);
    assert_eq!(catalogue::attributes().iter().filter(|a| a.kind == Kind::Unit).count(), 188);
    assert_eq!(catalogue::enums().iter().map(|e| e.values.len()).sum::<usize>(), 1049);
    assert_eq!(catalogue::errata().len(), 488);
}

#[test]
fn table_3_field_counts() {
    for (tier, extensions, level, with_untiered, without) in [
        (1, &[Basic][..], Level::Must, 187, 127),
        (2, &[Basic, Calibration], Level::Must, 298, 238),
        (3, &Extension::ALL, Level::Should, 873, 740),
        (3, &[Basic, Calibration], Level::Should, 753, 620),
        (1, &[], Level::Must, 121, 61),
        (1, &[Basic], Level::Should, 332, 199),
        (2, &[Basic, Calibration], Level::Should, 592, 459),
    ] {
        let mut policy = policy(tier, extensions, level);
        assert_eq!(fields(&policy).count(), without, "{}", policy.name);
        policy.untiered = Untiered::Tier1;
        assert_eq!(fields(&policy).count(), with_untiered, "{}, untiered as Tier 1", policy.name);
    }
    let builtin: Vec<_> = Policy::builtin_names().collect();
    for (name, expected) in [
        ("baseline", 61),
        ("materials-and-methods", 199),
        ("table-3-experiment-1", 127),
        ("table-3-experiment-2", 238),
        ("table-3-experiment-3", 740),
        ("table-3-experiment-4", 620),
    ] {
        assert!(builtin.contains(&name));
        assert_eq!(fields(&Policy::builtin(name).unwrap()).count(), expected, "{name}");
    }
    assert!(builtin.iter().all(|name| Policy::builtin(name).is_some()));
}

#[test]
fn the_objective_example() {
    let of_objective = |policy: &Policy| {
        let objective = catalogue::class("Objective").unwrap();
        fields(policy).filter(|f| objective.attribute(f.name).is_some_and(|a| std::ptr::eq(a, *f))).count()
    };
    for (tier, extensions, level, expected) in [
        (1, &[][..], Level::Must, 8),
        (1, &[Basic], Level::Must, 11),
        (2, &[Basic], Level::Must, 13),
        (3, &Extension::ALL, Level::Must, 15),
        (3, &Extension::ALL, Level::Should, 26),
    ] {
        assert_eq!(
            of_objective(&policy(tier, extensions, level)),
            expected,
            "Tier {tier} {extensions:?} {level:?}"
        );
    }
    let record = xml::read(
        r#"<Objective xmlns="http://www.NamespaceTest.org/Schemas/NBO/2020-11" Manufacturer="M" Model="P" Magnification="63"
           LensNA="1.4" CatalogNumber="999" Correction="PlanApo" ImmersionType="Oil"/>"#,
    )
    .unwrap();
    let report = check(&record, &policy(1, &[], Level::Must));
    let errors: Vec<_> = errors(&report).map(|f| (f.field.as_str(), f.rule)).collect();
    assert_eq!(
        errors,
        [("ID", Rule::Missing), ("ImmersionType", Rule::Malformed), ("CatalogNumber", Rule::Sentinel)]
    );
}

#[test]
fn extensions_are_those_of_the_element_where_it_has_its_own() {
    let of = |class: &catalogue::Class| class.extension_of(class.attribute("ID").unwrap());
    for (name, extension) in [("FilterRef", Basic), ("ExcitationFilterRef", Extension::Core)] {
        assert_eq!(of(catalogue::class(name).unwrap()), extension, "{name}");
    }
    let condenser = catalogue::class("Condenser").unwrap();
    assert_eq!(of(condenser.child("FilterRef").unwrap().class), Extension::Core);
}

#[test]
fn the_colored_beads_example() {
    let class = catalogue::class("ColoredBeads").unwrap();
    let names = |must: catalogue::Requirement| {
        let mut names: Vec<_> = class
            .attributes()
            .filter(|a| a.kind == Kind::Value && a.requirement == must)
            .map(|a| (a.name, a.tier))
            .collect();
        names.sort_unstable();
        names
    };
    assert_eq!(
        names(catalogue::Requirement::Must),
        [
            ("CatalogNumber", 1),
            ("Concentration", 2),
            ("Diameter", 2),
            ("ID", 2),
            ("Manufacturer", 1),
            ("Model", 1)
        ]
    );
    assert_eq!(names(catalogue::Requirement::Should), [("LotNumber", 3), ("Material", 2), ("Type", 2)]);
}

#[test]
fn example_documents() {
    for (file, tier, extensions, level, error, warning, beyond) in [
        ("handmade-widefield-psf-tier2.xml", 1, &[][..], Level::Must, 0, 14, 160),
        ("handmade-widefield-psf-tier2.xml", 2, &[Basic, Calibration], Level::Must, 0, 122, 7),
        ("handmade-widefield-psf-tier2.xml", 2, &[Basic, Calibration], Level::Should, 120, 2, 7),
        ("handmade-widefield-psf-tier2.xml", 3, &Extension::ALL, Level::Must, 8, 196, 5),
        ("handmade-widefield-psf-xsdvalid.xml", 3, &Extension::ALL, Level::Must, 0, 193, 5),
        // Generated from the schema, which allows light of 1 nm and plane 1 of one.
        ("generated-calibration-valid.xml", 3, &Extension::ALL, Level::Must, 10, 155, 1),
    ] {
        let report = check(&read(file), &policy(tier, extensions, level));
        let beyond_scope = report.findings.iter().filter(|f| f.rule == Rule::BeyondScope).count();
        let found = (report.count(Severity::Error), report.count(Severity::Warning), beyond_scope);
        let odd: Vec<_> = report
            .findings
            .iter()
            .filter(|f| f.severity > Severity::Info && f.rule != Rule::Missing)
            .map(|f| format!("{} {} {}@{}: {}", f.severity, f.at, f.class, f.field, f.message))
            .collect();
        assert_eq!(found, (error, warning, beyond), "{file} at {}: {odd:#?}", report.policy);
    }
}

#[test]
fn at_tier_3_the_errors_are_those_of_schema_validation() {
    let report = check(&read("handmade-widefield-psf-tier2.xml"), &policy(3, &Extension::ALL, Level::Must));
    let mut found: Vec<_> = errors(&report).map(|f| format!("{}@{}", f.class, f.field)).collect();
    found.sort();
    let expected = [
        "CMOS@MaximumFrameRate",
        "CMOS@MaximumReadoutRate",
        "CMOS@PixelWellCapacity",
        "CameraSettings@FrameRate",
        "CameraSettings@FrameRate",
        "Objective@ImageDistance",
        "Objective@ObjectiveViewField",
        "StandardDichroic@MirrorType",
    ];
    assert_eq!(found, expected);
}

#[test]
fn references_and_identifiers() {
    let text = std::fs::read_to_string(data("handmade-widefield-psf-tier2.xml")).unwrap();
    let policy = policy(1, &[], Level::Must);
    for (from, to, rule) in [
        (r#"SampleRef ID="Sample:1""#, r#"SampleRef ID="Software:1""#, Rule::Reference),
        (r#"CameraSettings ID="Detector:1""#, r#"CameraSettings ID="Detector:7""#, Rule::Reference),
        (r#"EmissionFilterRef ID="Filter:2""#, r#"EmissionFilterRef ID="Filter:1""#, Rule::Reference),
        (r#"ID="Filter:2" Name"#, r#"ID="Filter:1" Name"#, Rule::Identity),
        (
            r#"OpticalCalibrationImageRef ID="Image:2""#,
            r#"OpticalCalibrationImageRef ID="Image:9""#,
            Rule::Reference,
        ),
        (r#"AcquisitionDate="2024-03-14""#, r#"AcquisitionDate="2024""#, Rule::Malformed),
    ] {
        assert!(text.contains(from));
        let record = xml::read(&text.replacen(from, to, 1)).unwrap();
        let report = check(&record, &policy);
        assert!(report.findings.iter().any(|f| f.rule == rule && f.severity > Severity::Info), "{to}");
    }
}

/// The example without findings at Tier 1, one piece of it changed.
fn changed(from: &str, to: &str) -> Report {
    let text = std::fs::read_to_string(data("handmade-widefield-psf-tier2.xml")).unwrap();
    assert!(text.contains(from), "{from}");
    check(&xml::read(&text.replacen(from, to, 1)).unwrap(), &policy(1, &[], Level::Must))
}

#[test]
fn nothing_asked_or_nothing_found_never_passes() {
    let all = policy(3, &Extension::ALL, Level::Should);
    let report = check(&Record::default(), &all);
    assert!(!report.passes() && report.findings[0].message.contains("no NBO record"), "{report:?}");
    // A calibration has no field of Tier 1.
    let calibration = r#"<OpticalCalibration xmlns="http://www.NamespaceTest.org/Schemas/NBO/2020-11" ID="OpticalCalibration:1" Date="2024-01-01"/>"#;
    let report = check(&xml::read(calibration).unwrap(), &policy(1, &[], Level::Must));
    assert!(
        report.findings.iter().any(|f| f.rule == Rule::Policy && f.message.contains("0 of 0")),
        "{report:?}"
    );
}

#[test]
fn leaving_out_an_essential_part_never_passes() {
    let text = std::fs::read_to_string(data("handmade-widefield-psf-tier2.xml")).unwrap();
    let record = xml::read(&text).unwrap();
    let policy = policy(1, &[], Level::Must);
    assert!(check(&record, &policy).passes());
    let whole = check(&record, &policy).coverage[0];
    for (class, head) in [
        ("InvertedMicroscopeStand", "MicroscopeStandGroup"),
        ("LightEmittingDiode", "LightSourceGroup"),
        ("Objective", "Objective"),
        ("CMOS", "DetectorGroup"),
    ] {
        let mut without = record.clone();
        for object in &mut without.objects {
            object.children.retain(|child| child.class != class);
        }
        let report = check(&without, &policy);
        assert!(errors(&report).any(|f| f.rule == Rule::Structure && f.field == head), "{class}");
        assert!(report.coverage[0].must_filled < whole.must_filled, "{class}");
        // It has no fewer errors than a part that says nothing of itself.
        let mut bare = record.clone();
        let parts = bare.objects.iter_mut().flat_map(|o| o.children.iter_mut());
        for part in parts.filter(|part| part.class == class) {
            part.fields.retain(|f| f.name == "ID");
            part.children.clear();
        }
        let (left_out, bare) = (report.count(Severity::Error), check(&bare, &policy).count(Severity::Error));
        assert!(left_out >= bare, "{class}: {left_out} errors, {bare} of a bare one");
        let mut waiving = policy.clone();
        waiving.waive.push(head.into());
        assert!(!errors(&check(&without, &waiving)).any(|f| f.field == head), "{head} is waived");
    }
    let mut without = record;
    without.objects.retain(|object| object.class != "Instrument");
    let report = check(&without, &policy);
    assert_eq!(errors(&report).filter(|f| f.rule == Rule::Structure && f.class == "Instrument").count(), 4);
}

#[test]
fn a_dangling_reference_is_an_error_whatever_else_is_missing() {
    let image = r#"<Image xmlns="http://www.NamespaceTest.org/Schemas/NBO/2020-11" ID="Image:1"><InstrumentRef ID="Instrument:7"/></Image>"#;
    let report = check(&xml::read(image).unwrap(), &policy(1, &[], Level::Must));
    assert!(errors(&report).any(|f| f.rule == Rule::Reference && f.class == "InstrumentRef"), "{report:?}");
}

#[test]
fn placeholders_in_all_spellings_are_no_values() {
    for placeholder in [
        "TBD",
        "tbd",
        "-",
        "--",
        "?",
        "none",
        "None",
        "null",
        "n.a.",
        "N/A",
        "unknown",
        "999",
        "9999",
        "-999",
        "999.0",
        "[unknown]",
        "not specified",
        "Unknown manufacturer",
        "unknown model",
        "XXXX",
        "nan",
        "#VALUE!",
        "…",
        "—",
        "(n/a)",
        "T.B.D.",
    ] {
        let report = changed(r#"Model="Plan-Apo 63x/1.4""#, &format!(r#"Model="{placeholder}""#));
        assert!(errors(&report).any(|f| f.rule == Rule::Sentinel && f.field == "Model"), "{placeholder}");
    }
    // What the value list has is a value, and so is the index of a plane.
    let modulation = catalogue::attributes().iter().find(|a| a.type_name == "LaserModulation");
    let state = |text: &str| modulation.map(|attribute| value::state(attribute, &text.into()));
    assert_eq!(state("None"), Some(State::Filled));
    assert_eq!(state("none"), Some(State::NearlyListed("None")));
    assert_eq!(state("null"), Some(State::Sentinel));
    let text = std::fs::read_to_string(data("handmade-widefield-psf-tier2.xml")).unwrap();
    let long =
        text.replacen(r#"SizeT="1""#, r#"SizeT="1000""#, 1).replacen(r#"TheT="0""#, r#"TheT="999""#, 1);
    let report = check(&xml::read(&long).unwrap(), &policy(1, &[], Level::Must));
    assert!(report.passes(), "{:?}", errors(&report).collect::<Vec<_>>());
}

#[test]
fn values_that_physics_forbids_are_errors() {
    for (from, to, field) in [
        (r#"LensNA="1.4""#, r#"LensNA="-0.1""#, "LensNA"),
        (r#"LensNA="1.4""#, r#"LensNA="2.1""#, "LensNA"),
        (r#"LensNA="1.4""#, r#"LensNA="NaN""#, "LensNA"),
        (r#"Magnification="63""#, r#"Magnification="0""#, "Magnification"),
        (r#"WorkingDistance="0.19""#, r#"WorkingDistance="-1""#, "WorkingDistance"),
        (r#"PixelWidth="6.5""#, r#"PixelWidth="-6.5""#, "PixelWidth"),
        (r#"ExposureTime="100""#, r#"ExposureTime="-5""#, "ExposureTime"),
        (r#"RefractiveIndex="1.518""#, r#"RefractiveIndex="0.5""#, "RefractiveIndex"),
        (r#"Date="2024-01-15""#, r#"Date="2024-02-15""#, "Date"),
        (r#"AcquisitionDate="2024-03-14""#, r#"AcquisitionDate="9024-03-14""#, "AcquisitionDate"),
    ] {
        let report = changed(from, to);
        assert!(errors(&report).any(|f| f.rule == Rule::Impossible && f.field == field), "{to}");
    }
    let late = changed(r#"Date="2024-02-01""#, r#"Date="2024-04-01""#);
    assert!(late.findings.iter().any(|f| f.rule == Rule::Impossible && f.severity == Severity::Warning));
}

/// One change to the example without findings at Tier 1 for every rule, and what it makes of it.
#[test]
fn every_rule_has_a_change_that_breaks_it() {
    use Severity::{Error, Warning};
    let stand = r#"Type="Compound" Manufacturer="Example Optics" Model="Stand 7" CatalogNumber="EX-0001"/>"#;
    let objective = r#"<NBO:ObjectiveSettings ID="Objective:1">"#;
    for (rule_of_the_house, from, to, rule, severity, field) in [
        ("a MUST field is there", r#" LensNA="1.4""#, "", Rule::Missing, Error, "LensNA"),
        ("blanks are nothing", r#"LensNA="1.4""#, r#"LensNA="  ""#, Rule::Missing, Error, "LensNA"),
        ("a part without its fields is a part without them", stand, "/>", Rule::Missing, Error, "Type"),
        ("a placeholder is no value", r#"LensNA="1.4""#, r#"LensNA="999""#, Rule::Sentinel, Error, "LensNA"),
        ("a number is a number", r#"LensNA="1.4""#, r#"LensNA="one""#, Rule::Malformed, Error, "LensNA"),
        (
            "a listed value is listed",
            r#"Binning="1x1""#,
            r#"Binning="3x""#,
            Rule::Malformed,
            Error,
            "Binning",
        ),
        ("a date is a day", r#""2024-03-14""#, r#""2024-02-31""#, Rule::Malformed, Error, "AcquisitionDate"),
        (
            "a date has one form",
            r#""2024-03-14""#,
            r#""14/03/2024""#,
            Rule::Malformed,
            Error,
            "AcquisitionDate",
        ),
        (
            "a fraction is one",
            r#"Attenuation="0.8""#,
            r#"Attenuation="80""#,
            Rule::Malformed,
            Error,
            "Attenuation",
        ),
        (
            "a reference finds",
            r#"Ref ID="Experiment:1""#,
            r#"Ref ID="Experiment:9""#,
            Rule::Reference,
            Error,
            "ID",
        ),
        (
            "settings find their part",
            objective,
            r#"<NBO:ObjectiveSettings ID="Objective:9">"#,
            Rule::Reference,
            Error,
            "ID",
        ),
        (
            "a reference finds its kind",
            r#"Ref ID="Instrument:1""#,
            r#"Ref ID="Objective:1""#,
            Rule::Reference,
            Error,
            "ID",
        ),
        (
            "an identifier is of one",
            r#"ID="Filter:2" Name"#,
            r#"ID="Filter:1" Name"#,
            Rule::Identity,
            Error,
            "ID",
        ),
        ("no aperture is infinite", r#"LensNA="1.4""#, r#"LensNA="INF""#, Rule::Impossible, Error, "LensNA"),
        (
            "nothing is colder than nothing",
            objective,
            r#"<NBO:ImagingEnvironment Temperature="-400" TemperatureUnit="°C" CO2Percent="5" Humidity="50"/><NBO:ObjectiveSettings ID="Objective:1">"#,
            Rule::Impossible,
            Error,
            "Temperature",
        ),
        (
            "no calibration is of tomorrow",
            r#""2024-02-01""#,
            r#""2099-02-01""#,
            Rule::Impossible,
            Error,
            "Date",
        ),
        ("a plane is one of the image's", r#"TheC="0""#, r#"TheC="3""#, Rule::Impossible, Error, "TheC"),
        (
            "there are no more channels than the image has",
            "<NBO:Channel ",
            r#"<NBO:Channel ID="Channel:8" Name="RFP" IlluminationType="Wide-field_Fluorescence" ContrastMethod="Fluorescence"/><NBO:Channel "#,
            Rule::Impossible,
            Error,
            "SizeC",
        ),
        (
            "light has the wavelength of light",
            r#"EmissionWavelength="525""#,
            r#"EmissionWavelength="525000""#,
            Rule::Impossible,
            Error,
            "EmissionWavelength",
        ),
        (
            "what is emitted has the longer wavelength",
            r#"EmissionWavelength="525""#,
            r#"EmissionWavelength="400""#,
            Rule::Impossible,
            Warning,
            "EmissionWavelength",
        ),
        (
            "no dry objective has an aperture above 1",
            r#""Mineral Oil""#,
            r#""Air""#,
            Rule::Impossible,
            Warning,
            "LensNA",
        ),
    ] {
        let report = changed(from, to);
        let is_it =
            |f: &&fairzarr_nbo::check::Finding| f.rule == rule && f.severity == severity && f.field == field;
        assert!(
            report.findings.iter().any(|f| is_it(&f)),
            "{rule_of_the_house}: {:#?}",
            errors(&report).collect::<Vec<_>>()
        );
        assert_eq!(report.passes(), severity == Warning, "{rule_of_the_house}");
    }
    // Several photons excite with less energy each.
    let text = std::fs::read_to_string(data("handmade-widefield-psf-tier2.xml")).unwrap();
    let photons = "Confocal_Fluorescence_Two-photon laser scanning microscopy";
    let text = text.replacen("Wide-field_Fluorescence", photons, 1).replacen(
        r#"EmissionWavelength="525""#,
        r#"EmissionWavelength="400""#,
        1,
    );
    let report = check(&xml::read(&text).unwrap(), &policy(1, &[], Level::Must));
    assert!(!report.findings.iter().any(|f| f.field == "EmissionWavelength" && f.rule == Rule::Impossible));
}

#[test]
fn numbers_that_may_be_negative_are_no_findings() {
    // Opaque white, the schema's default, is -1 as a signed number; a position has an origin.
    for (from, to) in [
        ("<NBO:Channel ", r#"<NBO:Channel Color="-1" "#),
        (r#"PositionX="1250.5""#, r#"PositionX="-1250.5""#),
    ] {
        let report = changed(from, to);
        assert!(!report.findings.iter().any(|f| f.rule == Rule::Impossible), "{to}: {report:?}");
    }
}

#[test]
fn findings_name_the_part_by_name_and_maker() {
    let report = changed(r#"CatalogNumber="EX-0003""#, "");
    let finding = errors(&report).next().unwrap();
    assert_eq!(finding.part, r#"Objective "63x oil" (Example Optics Plan-Apo 63x/1.4)"#);
}

#[test]
fn the_same_finding_on_every_plane_is_one_line_with_a_count() {
    let planes: String = (0..50).map(|t| format!(r#"<Plane TheZ="0" TheT="{t}"/>"#)).collect();
    let text = format!(
        r#"<Image xmlns="http://www.NamespaceTest.org/Schemas/NBO/2020-11" ID="Image:1"><Pixels ID="Pixels:1">{planes}</Pixels></Image>"#
    );
    let report = check(&xml::read(&text).unwrap(), &policy(1, &[], Level::Must));
    let lines: Vec<_> =
        report.lines(Severity::Error).into_iter().filter(|line| line.finding.field == "TheC").collect();
    assert_eq!(lines.iter().map(|line| line.count).collect::<Vec<_>>(), [50]);
}

#[test]
fn a_wrong_spelling_offers_the_nearest_listed_value() {
    for (from, to, nearest) in [
        (r#"ImmersionType="Mineral Oil""#, r#"ImmersionType="Oil""#, "Mineral Oil"),
        (r#"WorkingDistanceUnit="mm""#, r#"WorkingDistanceUnit="um""#, "µm"),
    ] {
        let report = changed(from, to);
        assert!(errors(&report).any(|f| f.nearest == Some(nearest)), "{to}");
    }
}

fn errors(report: &Report) -> impl Iterator<Item = &fairzarr_nbo::check::Finding> {
    report.findings.iter().filter(|f| f.severity == Severity::Error)
}

fn data(name: &str) -> String {
    format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> Record {
    xml::read(&std::fs::read_to_string(data(name)).unwrap()).unwrap()
}
