#![allow(clippy::float_cmp, reason = "derived numbers are exact by design")]

use fairzarr_ome_xml::Document;
use fairzarr_zarr::SampleType;

use super::*;
use crate::{Error, RenderingModel, Version, Window, image_attributes, validate};

fn image(pixels_attributes: &str, channels: &str) -> ome_xml::Image {
    let xml = format!(
        r#"<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0"><Pixels ID="Pixels:0"
        DimensionOrder="XYZCT" Type="uint16" SizeX="64" SizeY="64" SizeZ="5" SizeC="1" SizeT="1" {pixels_attributes}
        >{channels}<MetadataOnly/></Pixels></Image></OME>"#
    );
    Document::parse(xml.into_bytes()).unwrap().ome().images[0].clone()
}

fn units_of(image: &ome_xml::Image) -> Vec<Option<String>> {
    axes(image).into_iter().map(|axis| axis.unit).collect()
}

fn samples(data_type: SampleType, per_pixel: usize) -> Samples {
    Samples { data_type, per_pixel, significant_bits: None, inverted: false }
}

#[test]
fn lengths_are_in_one_unit_exactly_converted() {
    let image = image(
        r#"PhysicalSizeX="100" PhysicalSizeXUnit="nm" PhysicalSizeY="0.1" PhysicalSizeZ="2" PhysicalSizeZUnit="Å"
           TimeIncrement="1.5" TimeIncrementUnit="min""#,
        "",
    );
    let nanometer = Some("nanometer");
    assert_eq!(
        units_of(&image),
        [Some("minute"), None, nanometer, nanometer, nanometer].map(|unit| unit.map(str::to_owned))
    );
    let levels = datasets(&image, &halving(3), "mean", [0.0; 5]);
    assert_eq!(levels[0].scale, [1.5, 1.0, 0.2, 100.0, 100.0]);
    assert_eq!(levels[0].translation, None);
    assert_eq!(levels[2].scale, [1.5, 1.0, 0.2, 400.0, 400.0]);
    assert_eq!(levels[2].translation.as_deref(), Some(&[0.0, 0.0, 0.0, 150.0, 150.0][..]));
}

#[test]
fn conversions_of_lengths_have_no_noise() {
    for (x, x_unit, y, y_unit, expected) in [
        ("0.065", "µm", "65", "nm", "[0.065, 0.065]"),
        ("65", "nm", "0.065", "µm", "[65.0, 65.0]"),
        ("0.1", "mm", "123.456789", "µm", "[0.1, 0.123456789]"),
        ("1", "µm", "0.001", "in", "[1.0, 25.4]"),
        ("1", "thou", "1", "µm", "[25.4, 1.0]"),
        ("2", "pixel", "3", "nm", "[2.0, 3.0]"),
    ] {
        let sizes = format!(
            r#"PhysicalSizeX="{x}" PhysicalSizeXUnit="{x_unit}" PhysicalSizeY="{y}" PhysicalSizeYUnit="{y_unit}""#
        );
        let scale = &datasets(&image(&sizes, ""), &halving(1), "mean", [0.0; 5])[0].scale;
        assert_eq!(format!("{:?}", [scale[4], scale[3]]), expected, "{sizes}");
    }
}

#[test]
fn windows_of_colour_samples_end_with_the_bits_that_carry_information() {
    let image = image("", r#"<Channel ID="Channel:0" SamplesPerPixel="3"/>"#);
    for (data_type, bits, expected) in [
        (SampleType::Uint16, Some(12), (0.0, 4095.0)),
        (SampleType::Uint16, None, (0.0, 65535.0)),
        (SampleType::Uint8, Some(12), (0.0, 255.0)),
        (SampleType::Int16, Some(12), (-2048.0, 2047.0)),
        (SampleType::Uint32, Some(20), (0.0, 1_048_575.0)),
    ] {
        let samples = Samples { significant_bits: bits, ..samples(data_type, 3) };
        let omero = omero(&image, 0, samples, 1, &[Window::full(3.0, 90.0); 3]);
        assert_eq!(omero.channels[0].window, Window::full(expected.0, expected.1), "{data_type:?} {bits:?}");
    }
    // Bits that are said not to carry information do so all the same.
    let twelve = Samples { significant_bits: Some(12), ..samples(SampleType::Uint16, 3) };
    let omero = omero(&image, 0, twelve, 1, &[Window::full(3.0, 9000.0); 3]);
    assert_eq!(omero.channels[0].window, Window::full(0.0, 9000.0));
}

#[test]
fn where_white_is_zero_channels_are_inverted() {
    let image = image("", r#"<Channel ID="Channel:0"/>"#);
    for inverted in [false, true] {
        let samples = Samples { inverted, ..samples(SampleType::Uint8, 1) };
        let omero = omero(&image, 0, samples, 1, &[Window::full(3.0, 90.0)]);
        let attributes =
            image_attributes(Version::V04, &multiscale(&image, 0, &halving(1), None, [0.0; 5]), Some(&omero));
        assert_eq!(attributes["omero"]["channels"][0]["inverted"], inverted);
    }
}

#[test]
fn units_without_a_name_are_converted_or_left_out() {
    let image = image(
        r#"PhysicalSizeX="3" PhysicalSizeXUnit="pixel" PhysicalSizeY="2" PhysicalSizeYUnit="thou"
           PhysicalSizeZ="4" PhysicalSizeZUnit="reference frame" TimeIncrement="2" TimeIncrementUnit="das""#,
        "",
    );
    assert_eq!(
        units_of(&image),
        [Some("second"), None, None, Some("micrometer"), None].map(|unit| unit.map(str::to_owned))
    );
    assert_eq!(datasets(&image, &halving(1), "mean", [0.0; 5])[0].scale, [20.0, 1.0, 4.0, 50.8, 3.0]);
}

#[test]
fn impossible_sizes_are_missing_sizes() {
    let image = image(r#"PhysicalSizeX="0" PhysicalSizeY="-1" PhysicalSizeZ="NaN" TimeIncrement="-3""#, "");
    assert_eq!(units_of(&image), [const { None }; 5]);
    let levels = datasets(&image, &halving(2), "mean", [0.0; 5]);
    assert_eq!(levels[1].scale, [1.0, 1.0, 1.0, 2.0, 2.0]);
    assert_eq!(levels[1].translation.as_deref(), Some(&[0.0, 0.0, 0.0, 0.5, 0.5][..]));
}

#[test]
fn labels_and_colours() {
    let image = image(
        "",
        r#"<Channel ID="Channel:0" Name="DAPI" Color="65535"/><Channel ID="Channel:1" Fluor="GFP" Color="-16776961"/>
           <Channel ID="Channel:2" EmissionWavelength="0.51" EmissionWavelengthUnit="µm"/>
           <Channel ID="Channel:3" Name=" " ExcitationWavelength="640"/><Channel ID="Channel:4"/>"#,
    );
    let channels = channels(&image, 6, 1);
    let labels: Vec<&str> = channels.iter().map(|channel| channel.label.as_str()).collect();
    assert_eq!(labels, ["DAPI", "GFP", "Channel 2", "Channel 3", "Channel 4", "Channel 5"]);
    let colors: Vec<[u8; 3]> = channels.iter().map(|channel| channel.color).collect();
    assert_eq!(colors, [[0, 0, 255], [255, 0, 0], [0, 255, 0], [255, 0, 255], [0, 255, 255], [255, 255, 0]]);
}

#[test]
fn colour_samples_are_channels() {
    let declared = image("", r#"<Channel ID="Channel:0" Name="HE" SamplesPerPixel="3"/>"#);
    let silent = image("", r#"<Channel ID="Channel:0" Name="HE"/>"#);
    for image in [declared, silent] {
        let omero = omero(&image, 0, samples(SampleType::Uint8, 3), 1, &[Window::full(3.0, 90.0); 3]);
        let labels: Vec<&str> = omero.channels.iter().map(|channel| channel.label.as_str()).collect();
        assert_eq!(labels, ["HE R", "HE G", "HE B"]);
        assert_eq!(omero.channels[0].window, Window::full(0.0, 255.0));
        assert_eq!(omero.model, RenderingModel::Color);
    }
    let mixed = image("", r#"<Channel ID="a" SamplesPerPixel="3"/><Channel ID="b" Name="IR"/>"#);
    assert_eq!(channels(&mixed, 4, 1).last().map(|channel| channel.label.as_str()), Some("IR"));
}

#[test]
fn numbers_of_samples_from_a_hostile_document_change_nothing() {
    let image = image("", r#"<Channel ID="a" SamplesPerPixel="4294967295"/><Channel ID="b"/>"#);
    assert_eq!(channels(&image, 2, usize::MAX).len(), 2);
    assert_eq!(channels(&image, 0, 1).len(), 0);
}

#[test]
fn one_channel_is_grey_and_windows_have_an_extent() {
    let image = image("", r#"<Channel ID="Channel:0"/>"#);
    let omero = omero(&image, 7, samples(SampleType::Uint16, 1), 5, &[Window::full(12.0, 12.0)]);
    assert_eq!(omero.name.as_deref(), Some("Series 7"));
    assert_eq!(omero.model, RenderingModel::Greyscale);
    assert_eq!(omero.channels[0].window, Window::full(12.0, 13.0));
    assert_eq!(omero.default_z, 2);
}

#[test]
fn what_is_derived_is_valid_in_every_version() {
    let image = image(r#"PhysicalSizeX="0.1" PhysicalSizeY="0.1""#, r#"<Channel ID="Channel:0"/>"#);
    let downscaling = Downscaling { method: "mean".into(), ..Downscaling::default() };
    let multiscale = multiscale(&image, 0, &halving(4), Some(downscaling), [0.0; 5]);
    let omero = omero(&image, 0, samples(SampleType::Uint16, 1), 5, &[Window::full(0.0, 9.0)]);
    for version in [Version::V04, Version::V05, Version::V06] {
        let attributes = image_attributes(version, &multiscale, Some(&omero));
        assert_eq!(validate(Some(version), &attributes.into(), Some(crate::NodeKind::Image)), []);
    }
}

fn plate_document(plate_attributes: &str, inside: &str) -> Document {
    let images = [0, 1, 2, 3].map(|i| format!(r#"<Image ID="Image:{i}"/>"#)).concat();
    let xml = format!(
        r#"<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">
        <Plate ID="Plate:0" {plate_attributes}>{inside}</Plate>{images}</OME>"#
    );
    Document::parse(xml.into_bytes()).unwrap()
}

#[test]
fn plates_list_all_rows_and_the_wells_with_images() {
    let document = plate_document(
        r#"Name="P" Rows="2""#,
        r#"<Well ID="W0" Row="0" Column="1"><WellSample ID="S0" Index="0"><ImageRef ID="Image:2"/></WellSample>
             <WellSample ID="S1" Index="1"><ImageRef ID="Image:0"/></WellSample><WellSample ID="S2" Index="2"/></Well>
           <Well ID="W1" Row="27" Column="0"><WellSample ID="S3" Index="3"><ImageRef ID="Image:1"/></WellSample>
             <WellSample ID="S4" Index="4"><ImageRef ID="Image:2"/></WellSample></Well>
           <Well ID="W2" Row="1" Column="1"/>
           <PlateAcquisition ID="A0" MaximumFieldCount="2"><WellSampleRef ID="S0"/></PlateAcquisition>
           <PlateAcquisition ID="A1" Name="second"><WellSampleRef ID="S1"/><WellSampleRef ID="S3"/></PlateAcquisition>"#,
    );
    let layout = plate(document.ome(), &document.ome().plates[0]).unwrap();
    assert_eq!((layout.plate.rows.len(), layout.plate.rows[27].as_str()), (28, "AB"));
    assert_eq!(layout.plate.columns, ["1", "2"]);
    let wells: Vec<(&str, &[usize])> =
        layout.wells.iter().map(|well| (well.path.as_str(), well.images.as_slice())).collect();
    assert_eq!(wells, [("A/2", &[2, 0][..]), ("AB/1", &[1])]);
    let acquisitions: Vec<Option<u64>> =
        layout.wells[0].well.images.iter().map(|image| image.acquisition).collect();
    assert_eq!(acquisitions, [Some(0), Some(1)]);
    assert_eq!(layout.plate.field_count, Some(2));
    for version in [Version::V04, Version::V05, Version::V06] {
        let must = |attributes: serde_json::Map<_, _>| {
            validate(Some(version), &attributes.into(), None)
                .into_iter()
                .filter(|finding| finding.severity == crate::Severity::Must)
                .collect::<Vec<_>>()
        };
        assert_eq!(must(layout.plate.attributes(version)), []);
        assert_eq!(must(layout.wells[0].well.attributes(version)), []);
    }
}

#[test]
fn impossible_plates_are_refused() {
    let document = plate_document(r#"Rows="4000000000""#, "");
    let error = plate(document.ome(), &document.ome().plates[0]).unwrap_err();
    assert!(matches!(error, Error::PlateTooLarge { member: "rows", .. }), "{error}");
}

#[test]
fn an_image_lies_where_its_first_plane_was_in_the_unit_of_its_axes() {
    let sizes = r#"PhysicalSizeX="0.5" PhysicalSizeY="0.5" PhysicalSizeXUnit="µm""#;
    let planes = r#"<Plane TheZ="0" TheC="0" TheT="1" PositionX="9" PositionXUnit="mm"/>
        <Plane TheZ="0" TheC="0" TheT="0" PositionX="1.5" PositionXUnit="mm" PositionY="-1000" PositionYUnit="nm"
               PositionZ="3" PositionZUnit="µm"/>"#;
    let image = image(sizes, planes);
    // There is no size in z, so that its axis has no unit.
    let origin = origin(None, &image);
    assert_eq!(origin, [0.0, 0.0, 0.0, -1.0, 1500.0]);
    let levels = datasets(&image, &halving(2), "mean", origin);
    assert_eq!(levels[0].translation.as_deref(), Some(&[0.0, 0.0, 0.0, -1.0, 1500.0][..]));
    assert_eq!(levels[1].translation.as_deref(), Some(&[0.0, 0.0, 0.0, -0.75, 1500.25][..]));
    let frame = r#"<Plane TheZ="0" TheC="0" TheT="0" PositionX="1.5" PositionXUnit="reference frame"/>"#;
    assert_eq!(self::origin(None, &self::image(sizes, frame)), [0.0; 5]);
}

#[test]
fn equal_steps_of_planes_are_a_time_scale() {
    let of = |attributes: &str, times: [&str; 4]| {
        let planes: String = times
            .iter()
            .enumerate()
            .map(|(t, time)| format!(r#"<Plane TheZ="0" TheC="0" TheT="{t}" DeltaT="{time}"/>"#))
            .collect();
        let sizes = attributes.to_owned();
        let mut image = image(&sizes, &planes);
        if let Some(pixels) = &mut image.pixels {
            pixels.size_t = Some(4);
        }
        let image = with_delta_t(image);
        datasets(&image, &halving(1), "mean", [0.0; 5])[0].scale[0]
    };
    assert_eq!(of("", ["1", "3.05", "5", "7"]), 2.0);
    assert_eq!(of("", ["1", "3.2", "5", "7"]), 1.0);
    assert_eq!(of("", ["1", "1", "1", "1"]), 1.0);
    assert_eq!(of("", ["7", "5", "3", "1"]), 1.0);
    assert_eq!(of("", ["0", "INF", "2", "3"]), 1.0);
    assert_eq!(of(r#"TimeIncrement="30""#, ["1", "3", "5", "7"]), 30.0);
}
