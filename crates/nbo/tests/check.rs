//! The three-axis check against the counts of the published tables and the results for the example files.

#![allow(clippy::unwrap_used, clippy::panic, clippy::format_collect)]

use fairzarr_nbo::catalogue::{self, Extension, Kind};
use fairzarr_nbo::check::{Level, Policy, Report, Rule, Severity, Untiered, check, fields};
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
        ("generated-calibration-valid.xml", 3, &Extension::ALL, Level::Must, 0, 155, 1),
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

fn errors(report: &Report) -> impl Iterator<Item = &fairzarr_nbo::check::Finding> {
    report.findings.iter().filter(|f| f.severity == Severity::Error)
}

fn data(name: &str) -> String {
    format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> Record {
    xml::read(&std::fs::read_to_string(data(name)).unwrap()).unwrap()
}
