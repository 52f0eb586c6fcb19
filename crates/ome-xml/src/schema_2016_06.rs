//! What the 2016-06 schema allows where: attributes and children of every element, children in their order.
//!
//! Taken from `ome.xsd` of 2016-06; a check against the schema itself is in this crate's tests. Children joined by `|`
//! may stand in any order among each other.

/// Attributes and children of an element, each a list separated by blanks; `None` for names the schema does not have.
pub(crate) fn of(element: &str) -> Option<(&'static str, &'static str)> {
    let at = ELEMENTS.binary_search_by_key(&element, |e| e.0).ok()?;
    Some((ELEMENTS[at].1, ELEMENTS[at].2))
}

/// The place of a child among its siblings; `None` if it may not stand there.
pub(crate) fn rank(children: &str, child: &str) -> Option<usize> {
    children.split(' ').position(|group| group.split('|').any(|name| name == child))
}

/// The schema's spelling of a name that differs in case.
pub(crate) fn spelling(name: &str) -> Option<&'static str> {
    ELEMENTS.iter().map(|e| e.0).find(|n| n.eq_ignore_ascii_case(name))
}

/// The schema's spelling of an attribute that differs in case.
pub(crate) fn attribute_spelling(element: &str, attribute: &str) -> Option<&'static str> {
    of(element)?.0.split(' ').find(|n| n.eq_ignore_ascii_case(attribute))
}

#[rustfmt::skip]
const ELEMENTS: &[(&str, &str, &str)] = &[
    ("AcquisitionDate", "", ""),
    ("AnnotationRef", "ID", ""),
    ("Arc", "ID LotNumber Manufacturer Model Power PowerUnit SerialNumber Type", "AnnotationRef"),
    ("BinData", "BigEndian Compression Length", ""),
    ("BinaryFile", "FileName MIMEType Size", "External|BinData"),
    ("BinaryOnly", "MetadataFile UUID", ""),
    ("BooleanAnnotation", "Annotator ID Namespace", "Description AnnotationRef Value"),
    (
        "Channel",
        "AcquisitionMode Color ContrastMethod EmissionWavelength EmissionWavelengthUnit \
         ExcitationWavelength ExcitationWavelengthUnit Fluor ID IlluminationType NDFilter Name \
         PinholeSize PinholeSizeUnit PockelCellSetting SamplesPerPixel",
        "LightSourceSettings DetectorSettings FilterSetRef AnnotationRef LightPath",
    ),
    ("CommentAnnotation", "Annotator ID Namespace", "Description AnnotationRef Value"),
    ("Dataset", "ID Name", "Description ExperimenterRef ExperimenterGroupRef ImageRef AnnotationRef"),
    ("DatasetRef", "ID", ""),
    ("Description", "", ""),
    (
        "Detector",
        "AmplificationGain Gain ID LotNumber Manufacturer Model Offset SerialNumber Type Voltage \
         VoltageUnit Zoom",
        "AnnotationRef",
    ),
    (
        "DetectorSettings",
        "Binning Gain ID Integration Offset ReadOutRate ReadOutRateUnit Voltage VoltageUnit Zoom",
        "",
    ),
    ("Dichroic", "ID LotNumber Manufacturer Model SerialNumber", "AnnotationRef"),
    ("DichroicRef", "ID", ""),
    ("DoubleAnnotation", "Annotator ID Namespace", "Description AnnotationRef Value"),
    (
        "Ellipse",
        "FillColor FillRule FontFamily FontSize FontSizeUnit FontStyle ID Locked RadiusX RadiusY \
         StrokeColor StrokeDashArray StrokeWidth StrokeWidthUnit Text TheC TheT TheZ X Y",
        "Transform AnnotationRef",
    ),
    ("EmissionFilterRef", "ID", ""),
    ("ExcitationFilterRef", "ID", ""),
    ("Experiment", "ID Type", "Description ExperimenterRef MicrobeamManipulation"),
    ("ExperimentRef", "ID", ""),
    ("Experimenter", "Email FirstName ID Institution LastName MiddleName UserName", "AnnotationRef"),
    ("ExperimenterGroup", "ID Name", "Description ExperimenterRef Leader AnnotationRef"),
    ("ExperimenterGroupRef", "ID", ""),
    ("ExperimenterRef", "ID", ""),
    ("External", "Compression SHA1 href", ""),
    ("Filament", "ID LotNumber Manufacturer Model Power PowerUnit SerialNumber Type", "AnnotationRef"),
    ("FileAnnotation", "Annotator ID Namespace", "Description AnnotationRef BinaryFile"),
    (
        "Filter",
        "FilterWheel ID LotNumber Manufacturer Model SerialNumber Type",
        "TransmittanceRange AnnotationRef",
    ),
    (
        "FilterSet",
        "ID LotNumber Manufacturer Model SerialNumber",
        "ExcitationFilterRef DichroicRef EmissionFilterRef",
    ),
    ("FilterSetRef", "ID", ""),
    ("Folder", "ID Name", "Description FolderRef ImageRef ROIRef AnnotationRef"),
    ("FolderRef", "ID", ""),
    (
        "GenericExcitationSource",
        "ID LotNumber Manufacturer Model Power PowerUnit SerialNumber",
        "AnnotationRef Map",
    ),
    ("HashSHA1", "", ""),
    (
        "Image",
        "ID Name",
        "AcquisitionDate ExperimenterRef Description ExperimentRef ExperimenterGroupRef InstrumentRef \
         ObjectiveSettings ImagingEnvironment StageLabel Pixels ROIRef MicrobeamManipulationRef \
         AnnotationRef",
    ),
    ("ImageRef", "ID", ""),
    (
        "ImagingEnvironment",
        "AirPressure AirPressureUnit CO2Percent Humidity Temperature TemperatureUnit",
        "Map",
    ),
    (
        "Instrument",
        "ID",
        "Microscope Arc|GenericExcitationSource|Laser|LightEmittingDiode|Filament Detector Objective \
         FilterSet Filter Dichroic AnnotationRef",
    ),
    ("InstrumentRef", "ID", ""),
    (
        "Label",
        "FillColor FillRule FontFamily FontSize FontSizeUnit FontStyle ID Locked StrokeColor \
         StrokeDashArray StrokeWidth StrokeWidthUnit Text TheC TheT TheZ X Y",
        "Transform AnnotationRef",
    ),
    (
        "Laser",
        "FrequencyMultiplication ID LaserMedium LotNumber Manufacturer Model PockelCell Power PowerUnit \
         Pulse RepetitionRate RepetitionRateUnit SerialNumber Tuneable Type Wavelength WavelengthUnit",
        "AnnotationRef Pump",
    ),
    ("Leader", "ID", ""),
    ("LightEmittingDiode", "ID LotNumber Manufacturer Model Power PowerUnit SerialNumber", "AnnotationRef"),
    ("LightPath", "", "ExcitationFilterRef DichroicRef EmissionFilterRef AnnotationRef"),
    ("LightSourceSettings", "Attenuation ID Wavelength WavelengthUnit", ""),
    (
        "Line",
        "FillColor FillRule FontFamily FontSize FontSizeUnit FontStyle ID Locked MarkerEnd MarkerStart \
         StrokeColor StrokeDashArray StrokeWidth StrokeWidthUnit Text TheC TheT TheZ X1 X2 Y1 Y2",
        "Transform AnnotationRef",
    ),
    ("ListAnnotation", "Annotator ID Namespace", "Description AnnotationRef"),
    ("LongAnnotation", "Annotator ID Namespace", "Description AnnotationRef Value"),
    ("M", "K", ""),
    ("Map", "", "M"),
    ("MapAnnotation", "Annotator ID Namespace", "Description AnnotationRef Value"),
    (
        "Mask",
        "FillColor FillRule FontFamily FontSize FontSizeUnit FontStyle Height ID Locked StrokeColor \
         StrokeDashArray StrokeWidth StrokeWidthUnit Text TheC TheT TheZ Width X Y",
        "Transform AnnotationRef BinData",
    ),
    ("MetadataOnly", "", ""),
    ("MicrobeamManipulation", "ID Type", "Description ROIRef ExperimenterRef LightSourceSettings"),
    ("MicrobeamManipulationRef", "ID", ""),
    ("Microscope", "LotNumber Manufacturer Model SerialNumber Type", ""),
    (
        "OME",
        "Creator UUID",
        "Rights Project Dataset Folder Experiment Plate Screen Experimenter ExperimenterGroup Instrument \
         Image StructuredAnnotations ROI BinaryOnly",
    ),
    (
        "Objective",
        "CalibratedMagnification Correction ID Immersion Iris LensNA LotNumber Manufacturer Model \
         NominalMagnification SerialNumber WorkingDistance WorkingDistanceUnit",
        "AnnotationRef",
    ),
    ("ObjectiveSettings", "CorrectionCollar ID Medium RefractiveIndex", ""),
    (
        "Pixels",
        "BigEndian DimensionOrder ID Interleaved PhysicalSizeX PhysicalSizeXUnit PhysicalSizeY \
         PhysicalSizeYUnit PhysicalSizeZ PhysicalSizeZUnit SignificantBits SizeC SizeT SizeX SizeY SizeZ \
         TimeIncrement TimeIncrementUnit Type",
        "Channel BinData|TiffData|MetadataOnly Plane",
    ),
    (
        "Plane",
        "DeltaT DeltaTUnit ExposureTime ExposureTimeUnit PositionX PositionXUnit PositionY PositionYUnit \
         PositionZ PositionZUnit TheC TheT TheZ",
        "HashSHA1 AnnotationRef",
    ),
    (
        "Plate",
        "ColumnNamingConvention Columns ExternalIdentifier FieldIndex ID Name RowNamingConvention Rows \
         Status WellOriginX WellOriginXUnit WellOriginY WellOriginYUnit",
        "Description Well AnnotationRef PlateAcquisition",
    ),
    (
        "PlateAcquisition",
        "EndTime ID MaximumFieldCount Name StartTime",
        "Description WellSampleRef AnnotationRef",
    ),
    ("PlateRef", "ID", ""),
    (
        "Point",
        "FillColor FillRule FontFamily FontSize FontSizeUnit FontStyle ID Locked StrokeColor \
         StrokeDashArray StrokeWidth StrokeWidthUnit Text TheC TheT TheZ X Y",
        "Transform AnnotationRef",
    ),
    (
        "Polygon",
        "FillColor FillRule FontFamily FontSize FontSizeUnit FontStyle ID Locked Points StrokeColor \
         StrokeDashArray StrokeWidth StrokeWidthUnit Text TheC TheT TheZ",
        "Transform AnnotationRef",
    ),
    (
        "Polyline",
        "FillColor FillRule FontFamily FontSize FontSizeUnit FontStyle ID Locked MarkerEnd MarkerStart \
         Points StrokeColor StrokeDashArray StrokeWidth StrokeWidthUnit Text TheC TheT TheZ",
        "Transform AnnotationRef",
    ),
    ("Project", "ID Name", "Description ExperimenterRef ExperimenterGroupRef DatasetRef AnnotationRef"),
    ("Pump", "ID", ""),
    ("ROI", "ID Name", "Union AnnotationRef Description"),
    ("ROIRef", "ID", ""),
    ("Reagent", "ID Name ReagentIdentifier", "Description AnnotationRef"),
    ("ReagentRef", "ID", ""),
    (
        "Rectangle",
        "FillColor FillRule FontFamily FontSize FontSizeUnit FontStyle Height ID Locked StrokeColor \
         StrokeDashArray StrokeWidth StrokeWidthUnit Text TheC TheT TheZ Width X Y",
        "Transform AnnotationRef",
    ),
    ("Rights", "", "RightsHolder RightsHeld"),
    ("RightsHeld", "", ""),
    ("RightsHolder", "", ""),
    (
        "Screen",
        "ID Name ProtocolDescription ProtocolIdentifier ReagentSetDescription ReagentSetIdentifier Type",
        "Description Reagent PlateRef AnnotationRef",
    ),
    ("StageLabel", "Name X XUnit Y YUnit Z ZUnit", ""),
    (
        "StructuredAnnotations",
        "",
        "XMLAnnotation|FileAnnotation|ListAnnotation|LongAnnotation|DoubleAnnotation|CommentAnnotation|\
         BooleanAnnotation|TimestampAnnotation|TagAnnotation|TermAnnotation|MapAnnotation",
    ),
    ("TagAnnotation", "Annotator ID Namespace", "Description AnnotationRef Value"),
    ("TermAnnotation", "Annotator ID Namespace", "Description AnnotationRef Value"),
    ("TiffData", "FirstC FirstT FirstZ IFD PlaneCount", "UUID"),
    ("TimestampAnnotation", "Annotator ID Namespace", "Description AnnotationRef Value"),
    ("Transform", "A00 A01 A02 A10 A11 A12", ""),
    (
        "TransmittanceRange",
        "CutIn CutInTolerance CutInToleranceUnit CutInUnit CutOut CutOutTolerance CutOutToleranceUnit \
         CutOutUnit Transmittance",
        "",
    ),
    ("UUID", "FileName", ""),
    ("Union", "", "Point|Polygon|Rectangle|Polyline|Line|Label|Ellipse|Mask"),
    ("Value", "", "M"),
    (
        "Well",
        "Color Column ExternalDescription ExternalIdentifier ID Row Type",
        "WellSample ReagentRef AnnotationRef",
    ),
    ("WellSample", "ID Index PositionX PositionXUnit PositionY PositionYUnit Timepoint", "ImageRef"),
    ("WellSampleRef", "ID", ""),
    ("XMLAnnotation", "Annotator ID Namespace", "Description AnnotationRef Value"),
];
