//! The typed view: the OME 2016-06 model, as far as pixels and their acquisition go. What has no type of its own here
//! is an [`Element`], whose attributes and children go by their schema names.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::tree::Element;
use crate::unit::{Quantity, Unit};

/// The root element. All indices elsewhere count in the order of these lists, which is document order.
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
    /// `ROI` elements.
    pub rois: Vec<Element<'static>>,
    /// The annotations in `StructuredAnnotations`, of every kind.
    pub annotations: Vec<Element<'static>>,
    /// The `Rights` element.
    pub rights: Option<Element<'static>>,
}

impl Ome {
    /// The annotation of an ID.
    pub fn annotation(&self, id: &str) -> Option<&Element<'static>> {
        self.annotations.iter().find(|a| a.attr("ID") == Some(id))
    }

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

/// One `TiffData`: where planes lie.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TiffData {
    /// `@IFD`.
    pub ifd: Option<u64>,
    /// `@FirstZ`, 0 where absent.
    pub first_z: u64,
    /// `@FirstC`, 0 where absent.
    pub first_c: u64,
    /// `@FirstT`, 0 where absent.
    pub first_t: u64,
    /// `@PlaneCount`.
    pub plane_count: Option<u64>,
    /// `UUID`, `urn:uuid:…`.
    pub uuid: Option<Arc<str>>,
    /// `UUID@FileName`.
    pub file_name: Option<Arc<str>>,
}

/// The `TiffData` of one Pixels, in document order; 40 bytes each.
#[derive(Clone, Debug, Default)]
pub struct TiffDataList {
    pub(crate) rows: Vec<TiffDataRow>,
    pub(crate) files: Vec<FileRef>,
}

/// UUID and FileName.
pub(crate) type FileRef = (Option<Arc<str>>, Option<Arc<str>>);

/// [`ABSENT`] stands for no value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TiffDataRow {
    pub(crate) ifd: u64,
    pub(crate) first: [u32; 3],
    pub(crate) file: u32,
    pub(crate) plane_count: u64,
}

pub(crate) const ABSENT: u64 = u64::MAX;

impl TiffDataList {
    /// Number of `TiffData`.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// One of them.
    pub fn get(&self, index: usize) -> Option<TiffData> {
        self.rows.get(index).map(|row| self.expand(row))
    }

    /// All of them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = TiffData> + '_ {
        self.rows.iter().map(|row| self.expand(row))
    }

    fn expand(&self, row: &TiffDataRow) -> TiffData {
        let (uuid, file_name) = self.files.get(row.file as usize).cloned().unwrap_or_default();
        let [z, c, t] = row.first.map(u64::from);
        TiffData {
            ifd: (row.ifd != ABSENT).then_some(row.ifd),
            first_z: z,
            first_c: c,
            first_t: t,
            plane_count: (row.plane_count != ABSENT).then_some(row.plane_count),
            uuid,
            file_name,
        }
    }
}

/// The `Plane` elements of one Pixels, in document order, as columns of equal length (or empty: no plane has it).
/// NaN is absence. The document's digits are in the structured view's columns.
#[derive(Clone, Debug, Default)]
pub struct Planes {
    /// `@TheZ`.
    pub the_z: Vec<u32>,
    /// `@TheC`.
    pub the_c: Vec<u32>,
    /// `@TheT`.
    pub the_t: Vec<u32>,
    /// `@DeltaT`.
    pub delta_t: PlaneQuantity,
    /// `@ExposureTime`.
    pub exposure_time: PlaneQuantity,
    /// `@PositionX`.
    pub position_x: PlaneQuantity,
    /// `@PositionY`.
    pub position_y: PlaneQuantity,
    /// `@PositionZ`.
    pub position_z: PlaneQuantity,
    /// `AnnotationRef@ID` of the planes that have any, by plane.
    pub annotation_refs: BTreeMap<usize, Vec<String>>,
}

impl Planes {
    /// Number of planes.
    pub fn len(&self) -> usize {
        self.the_z.len()
    }

    /// True if no plane is described.
    pub fn is_empty(&self) -> bool {
        self.the_z.is_empty()
    }
}

/// A quantity of every plane.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlaneQuantity {
    /// A value each, NaN where the plane has none; empty if no plane has one.
    pub values: Vec<f64>,
    /// The unit of all planes but those in `other_units`.
    pub unit: Option<Unit>,
    /// Units that differ from `unit`, by plane.
    pub other_units: BTreeMap<usize, Unit>,
}

impl PlaneQuantity {
    /// Value and unit of one plane.
    pub fn get(&self, plane: usize) -> Option<(f64, Unit)> {
        let value = *self.values.get(plane)?;
        let unit = self.other_units.get(&plane).copied().or(self.unit)?;
        (!value.is_nan()).then_some((value, unit))
    }
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
