//! The typed view: the OME 2016-06 model, as far as pixels and their acquisition go. What has no type of its own here
//! is an [`Element`], whose attributes and children go by their schema names.

mod planes;

use crate::tree::Element;
use crate::unit::Quantity;

pub(crate) use planes::{ABSENT, FileRef, TiffDataRow};
pub use planes::{PlaneQuantity, Planes, TiffData, TiffDataList};

/// The root element, but for what documents may have by the million and no rule reads as a value: regions of interest and
/// annotations are in [`crate::Document::model`]. All indices elsewhere count in the order of these lists, which is document order.
#[derive(Clone, Debug, Default)]
pub struct Ome {
    /// `@UUID`, `urn:uuid:…`.
    pub uuid: Option<String>,
    /// `@Creator`.
    pub creator: Option<String>,
    /// Where the content is, if not here.
    pub binary_only: Option<BinaryOnly>,
    /// Images in document order.
    pub images: Vec<Image>,
    /// Plates in document order.
    pub plates: Vec<Plate>,
    /// `Instrument` elements.
    pub instruments: Vec<Element<'static>>,
    /// `Experimenter` elements.
    pub experimenters: Vec<Element<'static>>,
    /// `ExperimenterGroup` elements.
    pub experimenter_groups: Vec<Element<'static>>,
    /// `Experiment` elements, with their MicrobeamManipulations.
    pub experiments: Vec<Element<'static>>,
    /// `Project` elements.
    pub projects: Vec<Element<'static>>,
    /// `Dataset` elements.
    pub datasets: Vec<Element<'static>>,
    /// `Folder` elements.
    pub folders: Vec<Element<'static>>,
    /// `Screen` elements.
    pub screens: Vec<Element<'static>>,
    /// The `Rights` element.
    pub rights: Option<Element<'static>>,
}

impl Ome {
    /// The instrument of an ID.
    pub fn instrument(&self, id: &str) -> Option<&Element<'static>> {
        self.instruments.iter().find(|a| a.attr("ID") == Some(id))
    }

    /// The index of the Image of an ID.
    pub fn image_index(&self, id: &str) -> Option<usize> {
        self.images.iter().position(|i| i.id == id)
    }
}

/// `BinaryOnly`: this document only says where the real one is.
#[derive(Clone, Debug, PartialEq)]
pub struct BinaryOnly {
    /// `@MetadataFile`, a file name beside this file.
    pub metadata_file: String,
    /// `@UUID` of that file's document.
    pub uuid: Option<String>,
}

/// `Image`.
#[derive(Clone, Debug, Default)]
pub struct Image {
    /// `@ID`; empty where the document gives none.
    pub id: String,
    /// `@Name`.
    pub name: Option<String>,
    /// `Description`.
    pub description: Option<String>,
    /// `AcquisitionDate`, as written (xsd:dateTime where valid).
    pub acquisition_date: Option<String>,
    /// `InstrumentRef@ID`.
    pub instrument_ref: Option<String>,
    /// `ExperimenterRef@ID`.
    pub experimenter_ref: Option<String>,
    /// `ExperimenterGroupRef@ID`.
    pub experimenter_group_ref: Option<String>,
    /// `ExperimentRef@ID`.
    pub experiment_ref: Option<String>,
    /// `ObjectiveSettings`.
    pub objective_settings: Option<Element<'static>>,
    /// `ImagingEnvironment`.
    pub imaging_environment: Option<Element<'static>>,
    /// `StageLabel`.
    pub stage_label: Option<Element<'static>>,
    /// `Pixels`. Mandatory in the schema, not in the world.
    pub pixels: Option<Pixels>,
    /// `ROIRef@ID`.
    pub roi_refs: Vec<String>,
    /// `MicrobeamManipulationRef@ID`.
    pub microbeam_manipulation_refs: Vec<String>,
    /// `AnnotationRef@ID`.
    pub annotation_refs: Vec<String>,
}

/// `Pixels`. What cannot be read as the schema has it is `None`, and a warning says what stood there.
#[derive(Clone, Debug, Default)]
pub struct Pixels {
    /// `@ID`; empty where the document gives none.
    pub id: String,
    /// `@DimensionOrder`: how planes follow each other in the TIFF.
    pub dimension_order: Option<DimensionOrder>,
    /// `@Type`.
    pub pixel_type: Option<PixelType>,
    /// `@Type` as written.
    pub raw_type: Option<String>,
    /// `@SizeX`, in pixels.
    pub size_x: Option<u64>,
    /// `@SizeY`, in pixels.
    pub size_y: Option<u64>,
    /// `@SizeZ`, in sections.
    pub size_z: Option<u64>,
    /// `@SizeC`: channels times their samples.
    pub size_c: Option<u64>,
    /// `@SizeT`, in time points.
    pub size_t: Option<u64>,
    /// `@SignificantBits`.
    pub significant_bits: Option<u32>,
    /// `@Interleaved`.
    pub interleaved: Option<bool>,
    /// `@BigEndian`. A hint; the TIFF header rules.
    pub big_endian: Option<bool>,
    /// `@PhysicalSizeX`; positive and finite, `None` otherwise.
    pub physical_size_x: Option<Quantity>,
    /// `@PhysicalSizeY`; positive and finite, `None` otherwise.
    pub physical_size_y: Option<Quantity>,
    /// `@PhysicalSizeZ`; positive and finite, `None` otherwise.
    pub physical_size_z: Option<Quantity>,
    /// `@TimeIncrement`.
    pub time_increment: Option<Quantity>,
    /// `Channel` elements.
    pub channels: Vec<Channel>,
    /// `TiffData` elements.
    pub tiff_data: TiffDataList,
    /// `Plane` elements.
    pub planes: Planes,
    /// `MetadataOnly` is there.
    pub metadata_only: bool,
    /// `BinData` is there: pixels inside of the XML.
    pub has_bin_data: bool,
    /// `AnnotationRef@ID` directly in Pixels, where older schemas and some writers have them.
    pub annotation_refs: Vec<String>,
}

/// `Pixels@DimensionOrder`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[allow(missing_docs)]
pub enum DimensionOrder {
    XYZCT,
    XYZTC,
    XYCTZ,
    XYCZT,
    XYTCZ,
    XYTZC,
}

impl DimensionOrder {
    /// The order of a name; case does not matter.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|o| o.as_str().eq_ignore_ascii_case(text.trim()))
    }

    /// The order of a name in which the last axis is missing: whether that is the axis meant is for the caller to see.
    pub(crate) fn parse_without_last(text: &str) -> Option<(Self, Axis)> {
        let text = text.trim().to_ascii_uppercase();
        let order = Self::ALL.into_iter().find(|o| text.len() == 4 && o.as_str().starts_with(&text))?;
        Some((order, order.order()[2]))
    }

    /// The name as the schema spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::XYZCT => "XYZCT",
            Self::XYZTC => "XYZTC",
            Self::XYCTZ => "XYCTZ",
            Self::XYCZT => "XYCZT",
            Self::XYTCZ => "XYTCZ",
            Self::XYTZC => "XYTZC",
        }
    }

    /// The three plane axes, fastest first.
    pub fn order(self) -> [Axis; 3] {
        use Axis::{C, T, Z};
        match self {
            Self::XYZCT => [Z, C, T],
            Self::XYZTC => [Z, T, C],
            Self::XYCTZ => [C, T, Z],
            Self::XYCZT => [C, Z, T],
            Self::XYTCZ => [T, C, Z],
            Self::XYTZC => [T, Z, C],
        }
    }

    /// All six.
    pub const ALL: [Self; 6] = [Self::XYZCT, Self::XYZTC, Self::XYCTZ, Self::XYCZT, Self::XYTCZ, Self::XYTZC];
}

/// An axis along which planes follow each other.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[allow(missing_docs)]
pub enum Axis {
    T,
    C,
    Z,
}

/// `Pixels@Type`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[allow(missing_docs)]
pub enum PixelType {
    Int8,
    Int16,
    Int32,
    Uint8,
    Uint16,
    Uint32,
    Float,
    Double,
    /// `complex`: two floats.
    ComplexFloat,
    /// `double-complex`: two doubles.
    ComplexDouble,
    Bit,
}

impl PixelType {
    /// The type of a name, and whether the name is the schema's own. Tolerated are other case and the names that
    /// writers and older schemas use.
    pub fn parse(text: &str) -> Option<(Self, bool)> {
        if let Some(exact) = Self::ALL.into_iter().find(|t| t.as_str() == text) {
            return Some((exact, true));
        }
        let lower = text.trim().to_ascii_lowercase();
        let found = Self::ALL.into_iter().find(|t| t.as_str() == lower).or(match lower.as_str() {
            "byte" | "ubyte" => Some(Self::Uint8),
            "short" => Some(Self::Int16),
            "ushort" => Some(Self::Uint16),
            "int" => Some(Self::Int32),
            "uint" => Some(Self::Uint32),
            "float32" | "single" => Some(Self::Float),
            "float64" => Some(Self::Double),
            "complex64" => Some(Self::ComplexFloat),
            "complex128" | "doublecomplex" | "double complex" => Some(Self::ComplexDouble),
            "bool" | "boolean" | "binary" => Some(Self::Bit),
            _ => None,
        });
        found.map(|t| (t, false))
    }

    /// The name as the schema spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Int8 => "int8",
            Self::Int16 => "int16",
            Self::Int32 => "int32",
            Self::Uint8 => "uint8",
            Self::Uint16 => "uint16",
            Self::Uint32 => "uint32",
            Self::Float => "float",
            Self::Double => "double",
            Self::ComplexFloat => "complex",
            Self::ComplexDouble => "double-complex",
            Self::Bit => "bit",
        }
    }

    /// All eleven.
    pub const ALL: [Self; 11] = [
        Self::Int8,
        Self::Int16,
        Self::Int32,
        Self::Uint8,
        Self::Uint16,
        Self::Uint32,
        Self::Float,
        Self::Double,
        Self::ComplexFloat,
        Self::ComplexDouble,
        Self::Bit,
    ];
}

/// `Channel`.
#[derive(Clone, Debug, Default)]
pub struct Channel {
    /// `@ID`; empty where the document gives none.
    pub id: String,
    /// `@Name`.
    pub name: Option<String>,
    /// `@Fluor`.
    pub fluor: Option<String>,
    /// `@Color`: RGBA in one signed number, red in the high byte.
    pub color: Option<i32>,
    /// `@SamplesPerPixel`.
    pub samples_per_pixel: Option<u32>,
    /// `@EmissionWavelength`.
    pub emission_wavelength: Option<Quantity>,
    /// `@ExcitationWavelength`.
    pub excitation_wavelength: Option<Quantity>,
    /// `@AcquisitionMode`.
    pub acquisition_mode: Option<String>,
    /// `@ContrastMethod`.
    pub contrast_method: Option<String>,
    /// `@IlluminationType`.
    pub illumination_type: Option<String>,
    /// `@PinholeSize`.
    pub pinhole_size: Option<Quantity>,
    /// `@NDFilter`.
    pub nd_filter: Option<f64>,
    /// `@PockelCellSetting`.
    pub pockel_cell_setting: Option<i32>,
    /// `LightSourceSettings`.
    pub light_source_settings: Option<Element<'static>>,
    /// `DetectorSettings`.
    pub detector_settings: Option<Element<'static>>,
    /// `FilterSetRef@ID`.
    pub filter_set_ref: Option<String>,
    /// `LightPath`.
    pub light_path: Option<Element<'static>>,
    /// `AnnotationRef@ID`.
    pub annotation_refs: Vec<String>,
}

/// `Plate`.
#[derive(Clone, Debug, Default)]
pub struct Plate {
    /// `@ID`; empty where the document gives none.
    pub id: String,
    /// `@Name`.
    pub name: Option<String>,
    /// `@Status`.
    pub status: Option<String>,
    /// `@ExternalIdentifier`.
    pub external_identifier: Option<String>,
    /// `Description`.
    pub description: Option<String>,
    /// `@Rows`.
    pub rows: Option<u32>,
    /// `@Columns`.
    pub columns: Option<u32>,
    /// `@RowNamingConvention`: `letter` or `number`.
    pub row_naming: Option<String>,
    /// `@ColumnNamingConvention`: `letter` or `number`.
    pub column_naming: Option<String>,
    /// `@FieldIndex`.
    pub field_index: Option<u32>,
    /// `@WellOriginX`.
    pub well_origin_x: Option<Quantity>,
    /// `@WellOriginY`.
    pub well_origin_y: Option<Quantity>,
    /// `Well` elements.
    pub wells: Vec<Well>,
    /// `PlateAcquisition` elements.
    pub acquisitions: Vec<PlateAcquisition>,
    /// `AnnotationRef@ID`.
    pub annotation_refs: Vec<String>,
}

/// `Well`.
#[derive(Clone, Debug, Default)]
pub struct Well {
    /// `@ID`; empty where the document gives none.
    pub id: String,
    /// `@Row`, from 0.
    pub row: Option<u32>,
    /// `@Column`, from 0.
    pub column: Option<u32>,
    /// `@Type`.
    pub well_type: Option<String>,
    /// `@Color`, RGBA.
    pub color: Option<i32>,
    /// `@ExternalDescription`.
    pub external_description: Option<String>,
    /// `@ExternalIdentifier`.
    pub external_identifier: Option<String>,
    /// `ReagentRef@ID`.
    pub reagent_ref: Option<String>,
    /// `WellSample` elements: the fields of view.
    pub samples: Vec<WellSample>,
    /// `AnnotationRef@ID`.
    pub annotation_refs: Vec<String>,
}

/// `WellSample`.
#[derive(Clone, Debug, Default)]
pub struct WellSample {
    /// `@ID`; empty where the document gives none.
    pub id: String,
    /// `@Index`.
    pub index: Option<u64>,
    /// `ImageRef@ID`.
    pub image_ref: Option<String>,
    /// `@PositionX`.
    pub position_x: Option<Quantity>,
    /// `@PositionY`.
    pub position_y: Option<Quantity>,
    /// `@Timepoint`, as written.
    pub timepoint: Option<String>,
}

/// `PlateAcquisition`.
#[derive(Clone, Debug, Default)]
pub struct PlateAcquisition {
    /// `@ID`; empty where the document gives none.
    pub id: String,
    /// `@Name`.
    pub name: Option<String>,
    /// `Description`.
    pub description: Option<String>,
    /// `@StartTime`, as written.
    pub start_time: Option<String>,
    /// `@EndTime`, as written.
    pub end_time: Option<String>,
    /// `@MaximumFieldCount`.
    pub maximum_field_count: Option<u32>,
    /// `WellSampleRef@ID`.
    pub well_sample_refs: Vec<String>,
    /// `AnnotationRef@ID`.
    pub annotation_refs: Vec<String>,
}
