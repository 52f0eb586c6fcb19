//! Documents of every schema version come out as 2016-06 that its official schema accepts.

// Helpers of tests may unwrap as tests do.
#![allow(clippy::unwrap_used)]

use fairzarr_ome_xml::{ByteOrder, Document, Error, SchemaVersion, Unit};
use xsd_schema::validation::{CollectingValidationSink, SchemaValidator, ValidationFlags, drive_quick_xml};
use xsd_schema::{SchemaSet, SchemaSetBuilder};

fn schema() -> SchemaSet {
    let source = include_str!("data/ome-2016-06.xsd");
    SchemaSetBuilder::new().add_source(source, "ome.xsd").unwrap().compile().unwrap().into_schema_set()
}

/// What the schema says against a document.
fn errors(schema: &SchemaSet, xml: &str) -> Vec<String> {
    let validator = SchemaValidator::new(schema, ValidationFlags::default());
    let (mut errors, mut warnings) = (Vec::new(), Vec::new());
    let mut run =
        validator.start_run(CollectingValidationSink { errors: &mut errors, warnings: &mut warnings });
    let driven = drive_quick_xml(xml.as_bytes(), &mut run, schema).map(|_| ());
    drop(run);
    let mut found: Vec<String> = errors.iter().map(|e| format!("{e:?}")).collect();
    found.extend(driven.err().map(|e| e.to_string()));
    found
}

fn metadata(document: &Document) -> String {
    let images = (0..document.ome().images.len()).map(|index| (index, ByteOrder::Little));
    document.metadata_only(&images.collect::<Vec<_>>()).unwrap()
}

/// Reads a document, checks what it becomes, and returns both as read.
fn upgraded(xml: &str, version: &str) -> (Document, Document) {
    let document = Document::parse(xml.as_bytes()).unwrap();
    assert_eq!(document.schema().as_str(), version);
    assert_ne!(document.changes(), []);
    let metadata = metadata(&document);
    assert_eq!(errors(&schema(), &metadata), [""; 0], "{metadata}");
    let again = Document::parse(metadata.into_bytes()).unwrap();
    assert_eq!(again.schema(), SchemaVersion::V2016_06);
    (document, again)
}

#[test]
fn version_2003_fc() {
    let (document, _) = upgraded(
        r#"<OME xmlns="http://www.openmicroscopy.org/XMLschemas/OME/FC/ome.xsd"
                xmlns:Bin="http://www.openmicroscopy.org/XMLschemas/BinaryFile/RC1/BinaryFile.xsd">
          <Instrument ID="urn:lsid:a.b:Instrument:1">
            <Objective ID="1" Manufacturer="m"><LensNA>1.4</LensNA><Magnification>60</Magnification></Objective>
            <Detector ID="2" Type="EM-CCD"/></Instrument>
          <Image ID="i 1" Name="n" PixelSizeX="0.1" PixelSizeY="0.1" TimeIncrement="2" DefaultPixels="p">
            <CreationDate>2003-01-02T03:04:05</CreationDate>
            <ChannelInfo ID="LogicalChannel:0" Mode="Multi-Photon Microscopy" ExWave="488" NDfilter="0.5">
              <ChannelComponent Pixels="p" Index="0" ColorDomain="Red"/></ChannelInfo>
            <Pixels ID="p" DimensionOrder="XYZCT" PixelType="Uint8" SizeX="4" SizeY="4" SizeZ="1" SizeC="1" SizeT="1"
                BigEndian="false"><TiffData/></Pixels></Image></OME>"#,
        "2003-FC",
    );
    let image = &document.ome().images[0];
    assert_eq!(
        (image.id.as_str(), image.acquisition_date.as_deref()),
        ("Image:i_1", Some("2003-01-02T03:04:05"))
    );
    let pixels = image.pixels.as_ref().unwrap();
    assert_eq!(pixels.physical_size_x.as_ref().unwrap().to_string(), "0.1 µm");
    assert_eq!(pixels.channels[0].acquisition_mode.as_deref(), Some("MultiPhotonMicroscopy"));
    assert_eq!((pixels.channels[0].color, pixels.channels[0].nd_filter), (Some(-16_776_961), Some(0.5)));
}

#[test]
fn version_2008_09() {
    let (document, again) = upgraded(
        r#"<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2008-09"
                xmlns:SPW="http://www.openmicroscopy.org/Schemas/SPW/2008-09"
                xmlns:SA="http://www.openmicroscopy.org/Schemas/SA/2008-09"
                xmlns:CA="http://www.openmicroscopy.org/Schemas/CA/2008-09">
          <Project ID="Project:0" Name="p"/>
          <Dataset ID="Dataset:0" Locked="true" Name="d"><ProjectRef ID="Project:0"/></Dataset>
          <SPW:Plate ID="Plate:0" Description="d" ExternalIdentifier="e"><SPW:ScreenRef ID="Screen:0"/>
            <SPW:Well ID="Well:0" Row="1" Column="2" Type="control"><SPW:WellSample ID="WellSample:0" PosX="1.5">
              <ImageRef ID="Image:0"/></SPW:WellSample></SPW:Well></SPW:Plate>
          <SPW:Screen ID="Screen:0" Name="s"><SPW:ScreenAcquisition ID="ScreenAcquisition:0">
            <SPW:WellSampleRef ID="WellSample:0"/></SPW:ScreenAcquisition></SPW:Screen>
          <Experimenter ID="Experimenter:0"><FirstName>A</FirstName><LastName>B</LastName><Email>a@b.org</Email>
            <OMEName>ab</OMEName><GroupRef ID="Group:0"/></Experimenter>
          <Group ID="Group:0" Name="g"><Leader ID="Experimenter:0"/><Contact ID="Experimenter:0"/></Group>
          <Instrument ID="Instrument:0">
            <LightSource ID="LightSource:0" Manufacturer="m"><Laser Type="Unknown" LaserMedium="Unknown"/></LightSource>
            <Detector ID="Detector:0" Type="EM-CCD"/>
            <Filter ID="Filter:0"><TransmittanceRange CutIn="500" Transmittance="80"/></Filter>
            <FilterSet ID="FilterSet:0" ExFilterRef="Filter:0"/>
            <Objective ID="Objective:0"><Correction>Unknown</Correction><Immersion>Oil</Immersion>
              <LensNA>1.4</LensNA></Objective></Instrument>
          <Image ID="Image:0" DefaultPixels="Pixels:0"><CreationDate>2008-09-01T00:00:00</CreationDate>
            <CA:CustomAttributes><Note xmlns="urn:x">kept</Note></CA:CustomAttributes>
            <DatasetRef ID="Dataset:0"/><InstrumentRef ID="Instrument:0"/><ObjectiveRef ID="Objective:0"/>
            <LogicalChannel ID="LogicalChannel:0" SamplesPerPixel="3" PhotometricInterpretation="RGB" EmWave="520">
              <DetectorRef ID="Detector:0" Gain="1"/>
              <ChannelComponent Pixels="Pixels:0" Index="0" ColorDomain="R"/>
              <ChannelComponent Pixels="Pixels:0" Index="1" ColorDomain="G"/></LogicalChannel>
            <Pixels ID="Pixels:0" DimensionOrder="XYCZT" PixelType="uint16" BigEndian="true" SizeX="4" SizeY="4"
                SizeZ="1" SizeC="2" SizeT="1" PhysicalSizeX="0.5" PhysicalSizeZ="0.0">
              <TiffData IFD="3" NumPlanes="2"/>
              <Plane TheZ="0" TheC="1" TheT="0"><PlaneTiming DeltaT="1.50" ExposureTime="0.1"/>
                <StagePosition PositionX="10" PositionY="20"/></Plane></Pixels>
            <ROI ID="ROI:0"><Union><Shape ID="1" theZ="0" theT="0">
              <Rect x="1" y="2" width="3" height="4" transform="matrix(1 0 0 1 5 6)"/></Shape>
              <Shape ID="2" theZ="0" theT="0"><Circle cx="1" cy="2" r="3"/></Shape></Union></ROI></Image>
          <SA:StructuredAnnotations><SA:XmlAnnotation ID="Annotation:0"><SA:Value><x xmlns="urn:x">v</x></SA:Value>
            <SA:Link>Image:0</SA:Link></SA:XmlAnnotation></SA:StructuredAnnotations></OME>"#,
        "2008-09",
    );
    let ome = document.ome();
    let pixels = ome.images[0].pixels.as_ref().unwrap();
    assert_eq!(
        pixels.channels.iter().map(|c| c.id.as_str()).collect::<Vec<_>>(),
        ["Channel:0:1", "Channel:0:2"]
    );
    assert_eq!(pixels.channels[1].color, Some(16_711_935));
    assert_eq!(pixels.tiff_data.get(0).unwrap().plane_count, Some(2));
    assert_eq!(pixels.planes.delta_t.get(0).map(|(v, u)| (v, u.symbol())), Some((1.5, "s")));
    assert_eq!(pixels.planes.position_y.get(0).map(|(v, _)| v), Some(20.0));
    assert_eq!(pixels.physical_size_z, None);
    assert_eq!(ome.images[0].annotation_refs, ["Annotation:CustomAttributes1", "Annotation:0"]);
    assert_eq!(ome.images[0].roi_refs, ["ROI:0"]);
    assert_eq!(ome.datasets[0].child("ImageRef").unwrap().attr("ID"), Some("Image:0"));
    assert_eq!(ome.projects[0].child("DatasetRef").unwrap().attr("ID"), Some("Dataset:0"));
    assert_eq!(ome.screens[0].child("PlateRef").unwrap().attr("ID"), Some("Plate:0"));
    assert_eq!(ome.plates[0].acquisitions[0].well_sample_refs, ["WellSample:0"]);
    assert_eq!(ome.plates[0].wells[0].well_type.as_deref(), Some("control"));
    assert_eq!(ome.experimenters[0].attr("UserName"), Some("ab"));
    let union = document.model().child("ROI").unwrap().child("Union").unwrap();
    let shapes: Vec<_> = union.elements().map(|s| (s.name(), s.attr("ID").unwrap())).collect();
    assert_eq!(shapes, [("Rectangle", "Shape:1"), ("Ellipse", "Shape:2")]);
    assert_eq!(union.child("Rectangle").unwrap().child("Transform").unwrap().attr("A02"), Some("5"));
    // What was written down is what is read again.
    assert_eq!(again.ome().images[0].pixels.as_ref().unwrap().planes.delta_t, pixels.planes.delta_t);
    assert_eq!(again.model().children("ROI").count(), document.model().children("ROI").count());
}

#[test]
fn versions_2010_to_2015() {
    for version in ["2010-06", "2011-06", "2012-06", "2013-06", "2015-01"] {
        let family = |part: &str| format!("http://www.openmicroscopy.org/Schemas/{part}/{version}");
        let date = if version < "2012" { "AcquiredDate" } else { "AcquisitionDate" };
        let (fill, unit) = if version < "2012" { ("Fill", "") } else { ("FillColor", "") };
        let unit = if version == "2015-01" { " PhysicalSizeXUnit=\"nm\"" } else { unit };
        let (ome, roi, sa) = (family("OME"), family("ROI"), family("SA"));
        let (document, again) = upgraded(
            &format!(
                "<OME:OME xmlns:OME=\"{ome}\" xmlns:ROI=\"{roi}\" xmlns:SA=\"{sa}\"><OME:Instrument ID=\"Instrument:0\">\
                 <OME:LightSource ID=\"LightSource:0\" Power=\"5\"><OME:Arc Type=\"Hg\"/></OME:LightSource></OME:Instrument>\
                 <OME:Image ID=\"Image:0\" Name=\"n\"><OME:{date}>2010-01-01T00:00:00</OME:{date}>\
                 <OME:Pixels ID=\"Pixels:0\" DimensionOrder=\"XYZCT\" Type=\"float\" SizeX=\"1\" SizeY=\"1\" SizeZ=\"1\" \
                 SizeC=\"1\" SizeT=\"1\" PhysicalSizeX=\"2.50\"{unit}><OME:Channel ID=\"Channel:0\"/><OME:TiffData/>\
                 <SA:AnnotationRef ID=\"Annotation:0\"/></OME:Pixels></OME:Image>\
                 <SA:StructuredAnnotations><SA:CommentAnnotation ID=\"Annotation:0\"><SA:Value>c</SA:Value>\
                 </SA:CommentAnnotation></SA:StructuredAnnotations>\
                 <ROI:ROI ID=\"ROI:0\" Namespace=\"x\"><ROI:Union><ROI:Shape ID=\"Shape:0\" {fill}=\"255\" Visible=\"true\">\
                 <ROI:Polyline Points=\"0,0 1,1\" Closed=\"true\"/></ROI:Shape></ROI:Union></ROI:ROI></OME:OME>"
            ),
            version,
        );
        let size = |d: &Document| d.ome().images[0].pixels.as_ref().unwrap().physical_size_x.clone().unwrap();
        assert_eq!(size(&document), size(&again), "{version}");
        let expected: Unit = if version == "2015-01" {
            Unit::Length(fairzarr_ome_xml::Length::Nanometer)
        } else {
            Unit::Length(fairzarr_ome_xml::Length::Micrometer)
        };
        assert_eq!((size(&document).text.as_str(), size(&document).unit), ("2.50", expected), "{version}");
        assert_eq!(again.ome().instruments[0].child("Arc").unwrap().attr("Power"), Some("5"));
        assert_eq!(again.ome().images[0].annotation_refs, ["Annotation:0"]);
        assert!(
            again.model().child("ROI").unwrap().child("Union").unwrap().child("Polygon").is_some(),
            "{version}"
        );
    }
}

#[test]
fn a_2016_06_document_changes_only_where_it_must() {
    let head = "<?xml version='1.0' encoding='ISO-8859-1'?>";
    let body = "<OME xmlns=\"http://www.openmicroscopy.org/Schemas/OME/2016-06\" >\r\n\
        <!-- A --><Image  ID='Image:0'/><Image ID=\"Image:1\"><Pixels  ID='Pixels:1' DimensionOrder=\"XYZCT\" \
        Type=\"uint8\" SizeX=\"1\" SizeY=\"1\" SizeZ=\"1\" SizeC=\"1\" SizeT=\"1\"><Channel ID=\"Channel:1:0\"/>";
    let rest = "<Plane TheZ=\"0\" TheT='0'   TheC=\"0\"/></Pixels></Image>\n <x:y xmlns:x='urn:x'><![CDATA[<]]>&#181;</x:y></OME>";
    let little = |index| (index, ByteOrder::Little);
    let tiff_data = "<TiffData/>\n <TiffData IFD=\"1\"><UUID>urn:uuid:1</UUID></TiffData>";
    let document = Document::parse(format!("{head}{body}{tiff_data}{rest}").into_bytes()).unwrap();
    assert_eq!(
        document.metadata_only(&[little(0), little(1)]).unwrap(),
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>{body}<MetadataOnly/>{rest}")
            .replace("<Pixels ", "<Pixels BigEndian=\"false\" ")
    );
    let swapped = document.metadata_only(&[little(1), little(0)]).unwrap();
    assert!(swapped.find("Image:1") < swapped.find("Image:0"));
    assert!(!document.metadata_only(&[little(1)]).unwrap().contains("Image:0"));
    assert!(matches!(document.metadata_only(&[little(2)]), Err(Error::Image { index: 2, .. })));
    assert!(matches!(document.metadata_only(&[little(0), little(0)]), Err(Error::Image { index: 0, .. })));
}

#[test]
fn the_byte_order_is_that_of_the_store() {
    let document = |attributes: &str| {
        format!(
            "<OME xmlns=\"http://www.openmicroscopy.org/Schemas/OME/2016-06\"><Image ID=\"Image:0\"><Pixels {attributes} \
             DimensionOrder=\"XYZCT\" Type=\"uint8\" SizeX=\"1\" SizeY=\"1\" SizeZ=\"1\" SizeC=\"1\" SizeT=\"1\">\
             <MetadataOnly/></Pixels></Image></OME>"
        )
    };
    let stored = |attributes: &str, order| {
        Document::parse(document(attributes).into_bytes()).unwrap().metadata_only(&[(0, order)]).unwrap()
    };
    let odd = "ID=\"a BigEndian='x' b\"";
    for (given, order, found) in [
        ("BigEndian=\"true\" ID=\"Pixels:0\"", ByteOrder::Big, "BigEndian=\"true\" ID=\"Pixels:0\""),
        ("BigEndian=\"true\" ID=\"Pixels:0\"", ByteOrder::Little, "BigEndian=\"false\" ID=\"Pixels:0\""),
        ("ID=\"Pixels:0\"\n BigEndian = 'false'", ByteOrder::Big, "ID=\"Pixels:0\"\n BigEndian = 'true'"),
        (odd, ByteOrder::Little, &format!("BigEndian=\"false\" {odd}")),
    ] {
        assert_eq!(stored(given, order), document(found));
    }
}

/// Documents that are not valid in their own version, and what is wrong with them.
const INVALID: [(&str, &str); 4] = [
    ("c090fa8c", "a reference to a light source that is not there"),
    ("170918_tn_neutrophil", "IDs in a form of their own"),
    ("MMStack", "IDs in a form of their own"),
    ("bad.ome.xml", "an ID in a form of its own"),
];

#[test]
fn corpus_documents_become_valid() {
    let Some(folder) = fairzarr_spec_tests::corpus("open/ome-xml") else { return };
    let schema = schema();
    let mut checked = 0;
    let mut pending = vec![folder];
    while let Some(path) = pending.pop() {
        if let Ok(entries) = std::fs::read_dir(&path) {
            pending.extend(entries.flatten().map(|e| e.path()));
            continue;
        }
        let name = path.display().to_string();
        let Ok(document) =
            std::fs::read(&path).map_err(|_| ()).and_then(|b| Document::parse(b).map_err(|_| ()))
        else {
            continue;
        };
        if document.ome().binary_only.is_some() || INVALID.iter().any(|(part, _)| name.contains(part)) {
            continue;
        }
        let found = errors(&schema, &metadata(&document));
        assert!(found.is_empty(), "{name}: {}", found[0]);
        checked += 1;
    }
    assert!(checked > 0, "a corpus without a document that can be checked");
}
