//! From the 2016-06 element tree to the typed view. Nothing here fails on a value: what cannot be read is `None` and a
//! warning.

mod values;

use std::collections::HashMap;
use std::sync::Arc;

use crate::error::{Error, Warnings};
use crate::model::{
    ABSENT, Axis, BinaryOnly, Channel, DimensionOrder, FileRef, Image, Ome, PixelType, Pixels, PlaneQuantity,
    Planes, Plate, PlateAcquisition, TiffDataList, TiffDataRow, Well, WellSample,
};
use crate::tree::{Bulk, Element, Node, Run};
use crate::unit::{Unit, default_unit};
use crate::upgrade::Upgrade;

use values::{boolean, color, float, number, physical_size, quantity, reference, references, string, text};

/// Reads the whole view. `upgrade` brings the elements of runs to 2016-06 one at a time.
pub(crate) fn read(root: &Element<'_>, upgrade: &mut Upgrade, warnings: &mut Warnings) -> Result<Ome, Error> {
    let mut ome = Ome {
        uuid: string(root, "UUID"),
        creator: string(root, "Creator"),
        binary_only: root.child("BinaryOnly").map(|b| BinaryOnly {
            metadata_file: string(b, "MetadataFile").unwrap_or_default(),
            uuid: string(b, "UUID"),
        }),
        ..Ome::default()
    };
    for element in root.elements().filter(|element| !element.foreign) {
        match element.name() {
            "Image" => ome.images.push(image(element, upgrade, warnings)?),
            "Plate" => ome.plates.push(plate(element, warnings)),
            "Instrument" => ome.instruments.push(element.to_static()),
            "Experimenter" => ome.experimenters.push(element.to_static()),
            "ExperimenterGroup" => ome.experimenter_groups.push(element.to_static()),
            "Experiment" => ome.experiments.push(element.to_static()),
            "Project" => ome.projects.push(element.to_static()),
            "Dataset" => ome.datasets.push(element.to_static()),
            "Folder" => ome.folders.push(element.to_static()),
            "Screen" => ome.screens.push(element.to_static()),
            "Rights" => ome.rights = Some(element.to_static()),
            _ => {}
        }
    }
    Ok(ome)
}

fn image(element: &Element<'_>, upgrade: &mut Upgrade, warnings: &mut Warnings) -> Result<Image, Error> {
    let child = |name| element.child(name).map(Element::to_static);
    let pixels = match element.child("Pixels") {
        Some(pixels) => Some(self::pixels(pixels, upgrade, warnings)?),
        None => {
            warnings.at(
                element.span.start,
                format!("Image `{}` has no Pixels", element.attr("ID").unwrap_or_default()),
            );
            None
        }
    };
    Ok(Image {
        id: string(element, "ID").unwrap_or_default(),
        name: string(element, "Name"),
        description: text(element, "Description"),
        acquisition_date: text(element, "AcquisitionDate"),
        instrument_ref: reference(element, "InstrumentRef"),
        experimenter_ref: reference(element, "ExperimenterRef"),
        experimenter_group_ref: reference(element, "ExperimenterGroupRef"),
        experiment_ref: reference(element, "ExperimentRef"),
        objective_settings: child("ObjectiveSettings"),
        imaging_environment: child("ImagingEnvironment"),
        stage_label: child("StageLabel"),
        pixels,
        roi_refs: references(element, "ROIRef"),
        microbeam_manipulation_refs: references(element, "MicrobeamManipulationRef"),
        annotation_refs: references(element, "AnnotationRef"),
    })
}

fn pixels(element: &Element<'_>, upgrade: &mut Upgrade, warnings: &mut Warnings) -> Result<Pixels, Error> {
    let raw_type = string(element, "Type");
    let pixel_type = raw_type.as_deref().and_then(|raw| match PixelType::parse(raw) {
        Some((pixel_type, exact)) => {
            if !exact {
                warnings
                    .at(element.span.start, format!("Pixels Type `{raw}` read as `{}`", pixel_type.as_str()));
            }
            Some(pixel_type)
        }
        None => {
            warnings.at(element.span.start, format!("Pixels Type `{raw}` is not a type of the schema"));
            None
        }
    });
    let mut size = |name| number(element, name, warnings);
    let (size_x, size_y, size_z, size_c, size_t) =
        (size("SizeX"), size("SizeY"), size("SizeZ"), size("SizeC"), size("SizeT"));
    let dimension_order = element.attr("DimensionOrder").and_then(|raw| {
        // An axis of one may stand anywhere, so it may be missing.
        let completed = DimensionOrder::parse_without_last(raw).filter(|(_, axis)| {
            let size = match axis {
                Axis::T => size_t,
                Axis::C => size_c,
                Axis::Z => size_z,
            };
            size.is_none_or(|size| size == 1)
        });
        let order = DimensionOrder::parse(raw).or(completed.map(|(order, _)| order));
        if order.is_none_or(|o| o.as_str() != raw) {
            let read =
                order.map_or_else(|| "not read".to_owned(), |order| format!("read as {}", order.as_str()));
            warnings.at(
                element.span.start,
                format!("Pixels DimensionOrder `{raw}` is not of the schema; {read}"),
            );
        }
        order
    });
    let mut pixels = Pixels {
        id: string(element, "ID").unwrap_or_default(),
        dimension_order,
        pixel_type,
        raw_type,
        size_x,
        size_y,
        size_z,
        size_c,
        size_t,
        significant_bits: number(element, "SignificantBits", warnings),
        interleaved: boolean(element, "Interleaved", warnings),
        big_endian: boolean(element, "BigEndian", warnings),
        physical_size_x: physical_size(element, "PhysicalSizeX", warnings),
        physical_size_y: physical_size(element, "PhysicalSizeY", warnings),
        physical_size_z: physical_size(element, "PhysicalSizeZ", warnings),
        time_increment: quantity(element, "TimeIncrement", warnings),
        metadata_only: element.child("MetadataOnly").is_some(),
        has_bin_data: element.child("BinData").is_some(),
        annotation_refs: references(element, "AnnotationRef"),
        ..Pixels::default()
    };
    for channel in element.children("Channel") {
        pixels.channels.push(self::channel(channel, warnings));
    }
    let mut planes = PlanesBuilder::default();
    let mut tiff_data = TiffDataBuilder::default();
    for node in &element.nodes {
        let Node::Run(run) = node else { continue };
        match run.kind {
            Bulk::Plane => planes.read(run, upgrade, warnings)?,
            Bulk::TiffData => tiff_data.read(run, upgrade, warnings)?,
        }
    }
    pixels.planes = planes.planes;
    pixels.tiff_data = tiff_data.list;
    Ok(pixels)
}

fn channel(element: &Element<'_>, warnings: &mut Warnings) -> Channel {
    let child = |name| element.child(name).map(Element::to_static);
    Channel {
        id: string(element, "ID").unwrap_or_default(),
        name: string(element, "Name"),
        fluor: string(element, "Fluor"),
        color: color(element, "Color", warnings),
        samples_per_pixel: number(element, "SamplesPerPixel", warnings),
        emission_wavelength: quantity(element, "EmissionWavelength", warnings),
        excitation_wavelength: quantity(element, "ExcitationWavelength", warnings),
        acquisition_mode: string(element, "AcquisitionMode"),
        contrast_method: string(element, "ContrastMethod"),
        illumination_type: string(element, "IlluminationType"),
        pinhole_size: quantity(element, "PinholeSize", warnings),
        nd_filter: number(element, "NDFilter", warnings),
        pockel_cell_setting: number(element, "PockelCellSetting", warnings),
        light_source_settings: child("LightSourceSettings"),
        detector_settings: child("DetectorSettings"),
        filter_set_ref: reference(element, "FilterSetRef"),
        light_path: child("LightPath"),
        annotation_refs: references(element, "AnnotationRef"),
    }
}

fn plate(element: &Element<'_>, warnings: &mut Warnings) -> Plate {
    Plate {
        id: string(element, "ID").unwrap_or_default(),
        name: string(element, "Name"),
        status: string(element, "Status"),
        external_identifier: string(element, "ExternalIdentifier"),
        description: text(element, "Description"),
        rows: number(element, "Rows", warnings),
        columns: number(element, "Columns", warnings),
        row_naming: string(element, "RowNamingConvention"),
        column_naming: string(element, "ColumnNamingConvention"),
        field_index: number(element, "FieldIndex", warnings),
        well_origin_x: quantity(element, "WellOriginX", warnings),
        well_origin_y: quantity(element, "WellOriginY", warnings),
        wells: element.children("Well").map(|well| self::well(well, warnings)).collect(),
        acquisitions: element.children("PlateAcquisition").map(|a| acquisition(a, warnings)).collect(),
        annotation_refs: references(element, "AnnotationRef"),
    }
}

fn well(element: &Element<'_>, warnings: &mut Warnings) -> Well {
    let sample = |sample: &Element<'_>, warnings: &mut Warnings| WellSample {
        id: string(sample, "ID").unwrap_or_default(),
        index: number(sample, "Index", warnings),
        image_ref: reference(sample, "ImageRef"),
        position_x: quantity(sample, "PositionX", warnings),
        position_y: quantity(sample, "PositionY", warnings),
        timepoint: string(sample, "Timepoint"),
    };
    Well {
        id: string(element, "ID").unwrap_or_default(),
        row: number(element, "Row", warnings),
        column: number(element, "Column", warnings),
        well_type: string(element, "Type"),
        color: color(element, "Color", warnings),
        external_description: string(element, "ExternalDescription"),
        external_identifier: string(element, "ExternalIdentifier"),
        reagent_ref: reference(element, "ReagentRef"),
        samples: element.children("WellSample").map(|s| sample(s, warnings)).collect(),
        annotation_refs: references(element, "AnnotationRef"),
    }
}

fn acquisition(element: &Element<'_>, warnings: &mut Warnings) -> PlateAcquisition {
    PlateAcquisition {
        id: string(element, "ID").unwrap_or_default(),
        name: string(element, "Name"),
        description: text(element, "Description"),
        start_time: string(element, "StartTime"),
        end_time: string(element, "EndTime"),
        maximum_field_count: number(element, "MaximumFieldCount", warnings),
        well_sample_refs: references(element, "WellSampleRef"),
        annotation_refs: references(element, "AnnotationRef"),
    }
}

#[derive(Default)]
struct TiffDataBuilder {
    list: TiffDataList,
    known: HashMap<FileRef, u32>,
}

impl TiffDataBuilder {
    fn read(&mut self, run: &Run<'_>, upgrade: &mut Upgrade, warnings: &mut Warnings) -> Result<(), Error> {
        self.list.rows.reserve(run.count);
        let mut elements = run.elements();
        for element in elements.by_ref() {
            let element = upgrade.bulk(element?);
            let uuid = element.child("UUID");
            let file_name = uuid.and_then(|u| u.attr("FileName")).map(Arc::from);
            let uuid = uuid.map(|u| u.text()).filter(|t| !t.trim().is_empty()).map(|t| Arc::from(t.trim()));
            let next = self.list.files.len() as u32;
            let files = &mut self.list.files;
            let file = *self.known.entry((uuid, file_name)).or_insert_with_key(|key| {
                files.push(key.clone());
                next
            });
            let mut first = |name| {
                let value = number::<u64>(&element, name, warnings).unwrap_or(0);
                u32::try_from(value).unwrap_or_else(|_| {
                    warnings.at(element.span.start, format!("TiffData {name} `{value}` is beyond any image"));
                    u32::MAX
                })
            };
            let first = [first("FirstZ"), first("FirstC"), first("FirstT")];
            self.list.rows.push(TiffDataRow {
                ifd: number(&element, "IFD", warnings).unwrap_or(ABSENT),
                first,
                file,
                plane_count: number(&element, "PlaneCount", warnings).unwrap_or(ABSENT),
            });
        }
        warnings.append(elements.warnings());
        Ok(())
    }
}

#[derive(Default)]
struct PlanesBuilder {
    planes: Planes,
}

impl PlanesBuilder {
    fn read(&mut self, run: &Run<'_>, upgrade: &mut Upgrade, warnings: &mut Warnings) -> Result<(), Error> {
        let mut elements = run.elements();
        let planes = &mut self.planes;
        for list in [&mut planes.the_z, &mut planes.the_c, &mut planes.the_t] {
            list.reserve(run.count);
        }
        for element in elements.by_ref() {
            let element = upgrade.bulk(element?);
            let at = planes.the_z.len();
            let mut index = |name| {
                number(&element, name, warnings).unwrap_or_else(|| {
                    warnings.at(element.span.start, format!("Plane {at} has no usable {name}; read as 0"));
                    0
                })
            };
            planes.the_z.push(index("TheZ"));
            planes.the_c.push(index("TheC"));
            planes.the_t.push(index("TheT"));
            push_quantity(&mut planes.delta_t, at, &element, "DeltaT", warnings);
            push_quantity(&mut planes.exposure_time, at, &element, "ExposureTime", warnings);
            push_quantity(&mut planes.position_x, at, &element, "PositionX", warnings);
            push_quantity(&mut planes.position_y, at, &element, "PositionY", warnings);
            push_quantity(&mut planes.position_z, at, &element, "PositionZ", warnings);
            let refs = references(&element, "AnnotationRef");
            if !refs.is_empty() {
                planes.annotation_refs.insert(at, refs);
            }
        }
        let count = planes.the_z.len();
        for quantity in [
            &mut planes.delta_t,
            &mut planes.exposure_time,
            &mut planes.position_x,
            &mut planes.position_y,
            &mut planes.position_z,
        ] {
            if !quantity.values.is_empty() {
                quantity.values.resize(count, f64::NAN);
            }
        }
        warnings.append(elements.warnings());
        Ok(())
    }
}

fn push_quantity(
    column: &mut PlaneQuantity,
    at: usize,
    plane: &Element<'_>,
    name: &str,
    warnings: &mut Warnings,
) {
    let Some(raw) = plane.attr(name) else { return };
    let Some(value) = float(raw) else {
        warnings.at(plane.span.start, format!("Plane {name} `{raw}` is not a number"));
        return;
    };
    let Some(default) = default_unit("Plane", name) else { return };
    let unit = match plane.attrs.iter().find(|a| a.name.strip_suffix("Unit") == Some(name)) {
        None => default,
        Some(unit) => match Unit::parse(default.kind(), &unit.value) {
            Some((unit, _)) => unit,
            None => {
                warnings.at(
                    plane.span.start,
                    format!("Plane {} `{}` is not a unit of the schema", unit.name, unit.value),
                );
                return;
            }
        },
    };
    if column.unit.is_none() {
        column.unit = Some(unit);
    } else if column.unit != Some(unit) {
        column.other_units.insert(at, unit);
    }
    column.values.resize(at, f64::NAN);
    column.values.push(value);
}
