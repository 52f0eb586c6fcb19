//! The NBO record of OME-XML: the unit traps one by one, and what is marked.

#![allow(clippy::unwrap_used, clippy::panic, clippy::format_collect)]

use fairzarr_nbo::Record;
use fairzarr_nbo::ingest::{Mapping, ingest};
use fairzarr_nbo::record::{Field, Object, OriginKind};
use fairzarr_nbo::xml::{Style, equal, write};

fn derive(body: &str) -> Record {
    let text = format!(r#"<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">{body}</OME>"#);
    ingest("test.ome.xml", text.as_bytes()).unwrap()
}

fn image(pixels: &str, channel: &str, settings: &str) -> String {
    format!(
        r#"<Image ID="Image:0"><InstrumentRef ID="Instrument:0"/>{settings}<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8"
           SizeX="2" SizeY="2" SizeZ="1" SizeC="1" SizeT="1" {pixels}>{channel}<MetadataOnly/></Pixels></Image>"#
    )
}

fn first<'a>(record: &'a Record, class: &'a str) -> &'a Object {
    record.all(class).next().unwrap_or_else(|| panic!("no {class} in {:#}", record.to_json()))
}

/// The value, its unit and how the unit came about.
fn quantity(object: &Object, name: &str, unit: &str) -> (f64, String, OriginKind) {
    let unit: &Field = object.field(unit).unwrap_or_else(|| panic!("{unit} is missing in {object:?}"));
    (object.number(name).unwrap(), unit.value.as_str().unwrap().to_owned(), unit.origin.kind)
}

#[test]
fn exposure_in_seconds_stays_in_seconds() {
    let record = derive(&image(
        "",
        r#"<Channel ID="Channel:0:0"/><Plane TheZ="0" TheC="0" TheT="0" ExposureTime="0.1" DeltaT="3"/>"#,
        "",
    ));
    let plane = first(&record, "Plane");
    let (value, unit, _) = quantity(plane, "ExposureTime", "ExposureTimeUnit");
    assert_eq!((value, unit.as_str()), (0.1, "s"), "NBO's default would make it 0.1 ms");
    let (value, unit, _) = quantity(plane, "Timestamp", "TimestampUnit");
    assert_eq!((value, unit.as_str()), (3.0, "s"));
}

#[test]
fn physical_size_z_stays_in_micrometres() {
    let record = derive(&image(r#"PhysicalSizeX="0.1" PhysicalSizeZ="0.5""#, "", ""));
    let pixels = first(&record, "Pixels");
    assert_eq!(
        quantity(pixels, "PhysicalSizeZ", "PhysicalSizeZUnit"),
        (0.5, "µm".into(), OriginKind::Defaulted)
    );
    assert_eq!(
        quantity(pixels, "PhysicalSizeX", "PhysicalSizeXUnit"),
        (0.1, "µm".into(), OriginKind::Defaulted)
    );
}

#[test]
fn an_explicit_unit_is_kept_as_it_is() {
    let record = derive(&image(r#"PhysicalSizeZ="500" PhysicalSizeZUnit="nm""#, "", ""));
    let pixels = first(&record, "Pixels");
    assert_eq!(
        quantity(pixels, "PhysicalSizeZ", "PhysicalSizeZUnit"),
        (500.0, "nm".into(), OriginKind::Derived)
    );
}

#[test]
fn working_distance_stays_in_micrometres() {
    let record = derive(
        r#"<Instrument ID="Instrument:0"><Microscope Manufacturer="M" SerialNumber="S-1"/><Objective ID="Objective:0" WorkingDistance="190"/></Instrument>"#,
    );
    let objective = first(&record, "Objective");
    assert_eq!(
        quantity(objective, "WorkingDistance", "WorkingDistanceUnit"),
        (190.0, "µm".into(), OriginKind::Defaulted)
    );
}

#[test]
fn voltage_and_read_out_rate_keep_volt_and_megahertz() {
    let instrument = |kind: &str, attributes: &str| {
        format!(
            r#"<Instrument ID="Instrument:0"><Detector ID="Detector:0" Type="{kind}" {attributes}/></Instrument>"#
        )
    };
    let channel = |attributes: &str| {
        image(
            "",
            &format!(
                r#"<Channel ID="Channel:0:0"><DetectorSettings ID="Detector:0" {attributes}/></Channel>"#
            ),
            "",
        )
    };
    let record = derive(&(instrument("PMT", "") + &channel(r#"Voltage="600""#)));
    assert_eq!(
        quantity(first(&record, "PointDetectorSettings"), "Voltage", "VoltageUnit"),
        (600.0, "V".into(), OriginKind::Defaulted)
    );
    // From the hardware, where the settings are silent.
    let record = derive(&(instrument("PMT", r#"Voltage="0.6" VoltageUnit="kV""#) + &channel("")));
    assert_eq!(
        quantity(first(&record, "PointDetectorSettings"), "Voltage", "VoltageUnit"),
        (0.6, "kV".into(), OriginKind::Derived)
    );
    let record = derive(&(instrument("CCD", "") + &channel(r#"ReadOutRate="20""#)));
    assert_eq!(
        quantity(first(&record, "CameraSettings"), "PixelReadOutRate", "PixelReadOutRateUnit"),
        (20.0, "MHz".into(), OriginKind::Defaulted)
    );
}

#[test]
fn stage_positions_without_unit_are_in_the_reference_frame() {
    let record = derive(&image(
        "",
        r#"<Plane TheZ="0" TheC="0" TheT="0" PositionX="12"/>"#,
        r#"<StageLabel Name="A" X="3"/>"#,
    ));
    let plane = first(&record, "Plane");
    assert_eq!(plane.str("PositionXUnit"), Some("reference frame"));
    assert_eq!(first(&record, "StageLabel").str("XUnits"), Some("reference frame"));
}

#[test]
fn stroke_width_and_pixel_are_spelt_as_nbo_does() {
    let record = derive(&image(r#"PhysicalSizeX="1" PhysicalSizeXUnit="pixel""#, "", ""));
    let unit = first(&record, "Pixels").field("PhysicalSizeXUnit").unwrap();
    assert_eq!((unit.value.as_str(), unit.origin.kind), (Some("Pixel"), OriginKind::Normalised));
}

#[test]
fn names_that_mean_something_else() {
    let record = derive(&image(
        "",
        r#"<Channel ID="Channel:0:0" AcquisitionMode="WideField" IlluminationType="Epifluorescence" ContrastMethod="Phase"/>"#,
        "",
    ));
    let channel = first(&record, "Channel");
    assert_eq!(channel.str("IlluminationType"), Some("Wide-field_Fluorescence"), "from AcquisitionMode");
    assert_eq!(channel.extra["OME:@IlluminationType"], "Epifluorescence");
    assert_eq!(channel.str("ContrastMethod"), Some("PhaseContrast"));
    let record = derive(
        r#"<Instrument ID="Instrument:0"><Laser ID="LightSource:0" Pulse="CW" Power="20" Wavelength="488"/></Instrument>"#,
    );
    let laser = first(&record, "Laser");
    assert_eq!(laser.field("Pulse").unwrap().value, false);
    let range = laser.child("IlluminationWavelengthRange").unwrap();
    assert_eq!(
        quantity(range, "IlluminationPower", "IlluminationPowerUnit"),
        (20.0, "mW".into(), OriginKind::Defaulted)
    );
    assert_eq!(range.number("PeakWavelength"), Some(488.0));
}

#[test]
fn guesses_and_inventions_are_marked() {
    let record = derive(
        r#"<Instrument ID="Instrument:0"><Microscope Type="Inverted" Model="M" SerialNumber="7"/>
           <Objective ID="Objective:0" Immersion="Oil"/></Instrument>"#,
    );
    let oil = first(&record, "Objective").field("ImmersionType").unwrap();
    assert_eq!(
        (oil.value.as_str(), oil.origin.kind, oil.origin.from.as_deref()),
        (Some("Mineral Oil"), OriginKind::Guessed, Some("Oil"))
    );
    let stand = first(&record, "InvertedMicroscopeStand");
    assert_eq!(stand.field("ID").unwrap().origin.kind, OriginKind::Synthesised);
    assert_eq!(
        stand.field("CatalogNumber").unwrap().origin.from.as_deref(),
        Some("OME:Microscope@SerialNumber")
    );
    assert_eq!(stand.field("Type"), None, "upright or inverted says nothing of compound or stereo");
    let json = record.to_json();
    assert_eq!(Record::from_json(&json).unwrap(), record);
}

#[test]
fn the_day_of_a_date_with_time() {
    let record = derive(&image("", "", "<AcquisitionDate>2024-03-14T23:30:00-08:00</AcquisitionDate>"));
    let date = first(&record, "Image").field("AcquisitionDate").unwrap();
    assert_eq!(
        (date.value.as_str(), date.origin.from.as_deref()),
        (Some("2024-03-14"), Some("2024-03-14T23:30:00-08:00"))
    );
}

#[test]
fn band_pass_edges_become_centre_and_width() {
    let record = derive(
        r#"<Instrument ID="Instrument:0"><Filter ID="Filter:0" Type="BandPass"><TransmittanceRange CutIn="450" CutOut="530" CutInTolerance="5"/></Filter>
           <Filter ID="Filter:1" Type="LongPass"><TransmittanceRange CutIn="590"/></Filter></Instrument>"#,
    );
    let ranges: Vec<_> = record.all("TransmittanceRange").collect();
    assert_eq!(
        (ranges[0].number("Wavelength"), ranges[0].number("FWHMBandwidth")),
        (Some(490.0), Some(80.0))
    );
    assert_eq!(ranges[0].field("Wavelength").unwrap().origin.kind, OriginKind::Computed);
    assert_eq!(ranges[0].extra["OME:@CutInTolerance"], "5");
    assert_eq!((ranges[1].number("Wavelength"), ranges[1].number("FWHMBandwidth")), (Some(590.0), None));
}

#[test]
fn the_sample_files_derive_and_survive_json() {
    let folder = format!("{}/tests/data/ome", env!("CARGO_MANIFEST_DIR"));
    let mut read = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let record = ingest("x", &std::fs::read(&path).unwrap()).unwrap();
        assert!(
            record.all("Image").next().is_some()
                || record.all("Instrument").next().is_some()
                || !record.extra.is_empty(),
            "{path:?}"
        );
        let text = serde_json::to_string(&record.to_json()).unwrap();
        let back = Record::from_json(&serde_json::from_str(&text).unwrap()).unwrap();
        assert_eq!(back.to_json(), record.to_json(), "{path:?}");
        read += 1;
    }
    assert_eq!(read, 10);
}

#[test]
fn filters_get_their_role_from_who_refers_to_them() {
    let text =
        std::fs::read(format!("{}/tests/data/ome/filter.ome.xml", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let record = ingest("filter.ome.xml", &text).unwrap();
    let count = |class| record.all(class).count();
    assert_eq!((count("ExcitationFilter"), count("EmissionFilter"), count("FilterCube")), (4, 2, 2));
    assert_eq!((count("GenericFilter"), count("StandardDichroic"), count("GenericDichroic")), (1, 2, 1));
}

#[test]
fn many_planes_are_summed_up() {
    let planes: String = (0..1000).map(|t| format!(r#"<Plane TheZ="0" TheC="0" TheT="{t}"/>"#)).collect();
    let record = derive(&image("", &planes, ""));
    assert_eq!(record.all("Plane").count(), fairzarr_nbo::derive::MAX_PLANES);
    assert_eq!(first(&record, "Pixels").extra["OME:Plane"]["count"], 1000);
}

/// A sidecar's number without a unit means NBO's; it never takes over the unit of the value that it replaces.
#[test]
fn a_number_that_replaces_another_brings_its_own_unit() {
    let ome = derive(
        r#"<Instrument ID="Instrument:0"><Microscope Manufacturer="M" SerialNumber="S-1"/><Objective ID="Objective:0" WorkingDistance="190"/></Instrument>"#,
    );
    let sidecar = |attributes: &str| {
        fairzarr_nbo::xml::read(&format!(
            r#"<OME xmlns="http://www.NamespaceTest.org/Schemas/NBO/2020-11"><Instrument ID="Instrument:0"><InvertedMicroscopeStand ID="Microscope:0" Manufacturer="M" CatalogNumber="S-1"/>
            <Objective ID="Objective:0" {attributes}/></Instrument></OME>"#
        ))
        .unwrap()
    };
    let merged = |attributes: &str| {
        let (record, conflicts) = fairzarr_nbo::merge::merge(ome.clone(), sidecar(attributes));
        let (value, unit, _) =
            quantity(first(&record, "Objective"), "WorkingDistance", "WorkingDistanceUnit");
        (format!("{value} {unit}"), conflicts.len())
    };
    assert_eq!(merged(r#"WorkingDistance="0.19""#), ("190 µm".into(), 0), "the same distance");
    assert_eq!(merged(r#"WorkingDistance="0.28""#), ("0.28 mm".into(), 1));
    assert_eq!(merged(r#"WorkingDistance="280" WorkingDistanceUnit="µm""#), ("280 µm".into(), 1));
    // A unit without a value, as Micro-Meta App writes it, is not the unit of the next value.
    let record = sidecar(r#"WorkingDistanceUnit="mm""#);
    let (record, _) = fairzarr_nbo::merge::merge(record, ome.clone());
    let (value, unit, _) = quantity(first(&record, "Objective"), "WorkingDistance", "WorkingDistanceUnit");
    assert_eq!((value, unit.as_str()), (190.0, "µm"));
}

#[test]
fn documents_of_nbo_mean_the_units_of_nbo() {
    let text = r#"<Objective xmlns="http://www.NamespaceTest.org/Schemas/NBO/2020-11" ID="Objective:1" WorkingDistance="0.19"/>"#;
    let record = fairzarr_nbo::xml::read(text).unwrap();
    assert_eq!(
        quantity(first(&record, "Objective"), "WorkingDistance", "WorkingDistanceUnit"),
        (0.19, "mm".into(), OriginKind::Defaulted)
    );
    // Said in the record, and in a document that is to be valid; not in one that is to be as it was.
    assert!(equal(text, &write(&record, Style::Verbatim)).unwrap());
    assert!(write(&record, Style::Valid).contains("WorkingDistanceUnit=\"mm\""));
}

#[test]
fn tags_of_omero_mde_mean_the_units_of_ome() {
    let annotation = |value: &str| {
        derive(&format!(
            r#"<StructuredAnnotations><MapAnnotation ID="Annotation:1" Namespace="MDE"><Value>
            <M K="OME:Image | OME:Objective | Working Distance">{value}</M></Value></MapAnnotation></StructuredAnnotations>"#
        ))
    };
    for (value, unit, kind) in [("190", "µm", OriginKind::Defaulted), ("0.19 mm", "mm", OriginKind::Derived)]
    {
        let record = annotation(value);
        let (_, found, how) = quantity(first(&record, "Objective"), "WorkingDistance", "WorkingDistanceUnit");
        assert_eq!((found.as_str(), how), (unit, kind));
    }
}

#[test]
fn a_column_of_a_table_has_to_say_its_unit() {
    let mapping = |rest: &str| {
        Mapping::from_json(&format!(
            r#"{{"fields": [{{"from": "WD", "to": "Objective@WorkingDistance"{rest}}}]}}"#
        ))
    };
    assert!(mapping("").is_err());
    assert!(mapping(r#", "unit": "µm""#).is_ok());
    assert!(mapping(r#"}, {"from": "WD unit", "to": "Objective@WorkingDistanceUnit""#).is_ok());
}
