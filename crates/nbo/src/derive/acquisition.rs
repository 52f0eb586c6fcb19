//! `Image`, its pixels and channels.

use fairzarr_ome_xml::{Channel, Element, Image, Pixels, Quantity};
use serde_json::{Value as Json, json};

use super::hardware::{DETECTOR_SETTINGS, detector_class};
use super::{
    Context, MAX_PLANES, copy, keep, map, push_description, push_listed, push_text, push_unit, reference,
};
use crate::catalogue;
use crate::record::{Object, Origin, OriginKind};

impl Context<'_> {
    pub(super) fn image(&self, image: &Image) -> Object {
        let mut object = Object::new("Image");
        if !image.id.is_empty() {
            push_text(&mut object, "ID", &image.id, None);
        }
        if let Some(name) = &image.name {
            push_text(&mut object, "Name", name, None);
        }
        if let Some(date) = &image.acquisition_date {
            // NBO keeps the day; the time stays in the origin.
            match date.trim().get(..10).filter(|day| crate::record::value::is_date(day)) {
                Some(day) => object.push("AcquisitionDate", day, Origin::from(OriginKind::Derived, date)),
                None => push_text(&mut object, "AcquisitionDate", date, None),
            }
        }
        for (class, id) in [
            ("InstrumentRef", &image.instrument_ref),
            ("ExperimentRef", &image.experiment_ref),
            ("ExperimenterRef", &image.experimenter_ref),
            ("ExperimenterGroupRef", &image.experimenter_group_ref),
        ] {
            object.children.extend(id.as_ref().map(|id| reference(class, id)));
        }
        if let Some(text) = &image.description {
            push_description(&mut object, text);
        }
        if let Some(element) = &image.imaging_environment {
            object.children.push(environment(image, element));
        }
        if let Some(element) = &image.objective_settings {
            object.children.push(objective_settings(image, element));
        }
        if let Some(element) = &image.stage_label {
            object.children.push(copy(
                element,
                "StageLabel",
                &[("XUnit", "XUnits"), ("YUnit", "YUnits"), ("ZUnit", "ZUnits")],
            ));
        }
        object.children.extend(image.pixels.as_ref().map(|p| self.pixels(p)));
        object.children.extend(image.annotation_refs.iter().map(|id| reference("AnnotationRef", id)));
        object
    }

    fn pixels(&self, pixels: &Pixels) -> Object {
        let mut object = Object::new("Pixels");
        let sizes = [
            ("SizeX", pixels.size_x),
            ("SizeY", pixels.size_y),
            ("SizeZ", pixels.size_z),
            ("SizeC", pixels.size_c),
            ("SizeT", pixels.size_t),
        ];
        if !pixels.id.is_empty() {
            push_text(&mut object, "ID", &pixels.id, None);
        }
        if let Some(order) = pixels.dimension_order {
            push_text(&mut object, "DimensionOrder", order.as_str(), None);
        }
        for (name, size) in sizes {
            if let Some(size) = size {
                object.push(name, size, Origin::of(OriginKind::Derived));
            }
        }
        for (name, size) in [
            ("PhysicalSizeX", &pixels.physical_size_x),
            ("PhysicalSizeY", &pixels.physical_size_y),
            ("PhysicalSizeZ", &pixels.physical_size_z),
            ("TimeIncrement", &pixels.time_increment),
        ] {
            push_quantity(&mut object, name, size.as_ref(), None);
        }
        match (pixels.pixel_type, &pixels.raw_type) {
            (Some(kind), _) => {
                push_text(&mut object, "PixelType", kind.as_str(), Some("OME:Pixels@Type".into()));
            }
            (None, Some(raw)) => keep(&mut object, "Type", raw),
            (None, None) => {}
        }
        if let Some(bits) = pixels.significant_bits {
            object.push("SignificantBits", bits, Origin::of(OriginKind::Derived));
        }
        if let Some(interleaved) = pixels.interleaved {
            object.push("Interleaved", interleaved, Origin::of(OriginKind::Derived));
        }
        if let Some(big) = pixels.big_endian {
            object.push("BigEndian", big, Origin::of(OriginKind::Derived));
        }
        let described = pixels.planes.len().min(MAX_PLANES);
        object.children.extend((0..described).map(|i| plane(pixels, i)));
        if described < pixels.planes.len() {
            object
                .extra
                .insert("OME:Plane".into(), json!({"count": pixels.planes.len(), "described": described}));
        }
        object.children.extend(pixels.channels.iter().enumerate().map(|(i, c)| self.channel(i, c)));
        object
    }

    fn channel(&self, index: usize, channel: &Channel) -> Object {
        let mut object = Object::new("Channel");
        let id = if channel.id.is_empty() { index.to_string() } else { channel.id.clone() };
        if !channel.id.is_empty() {
            push_text(&mut object, "ID", &channel.id, None);
        }
        if let Some(name) = &channel.name {
            push_text(&mut object, "Name", name, None);
        }
        // What OME calls AcquisitionMode is IlluminationType in NBO; OME's IlluminationType has no place.
        if let Some(mode) = &channel.acquisition_mode {
            push_listed(&mut object, "IlluminationType", ("Channel", "AcquisitionMode"), mode);
        }
        if let Some(text) = &channel.illumination_type {
            keep(&mut object, "IlluminationType", text);
        }
        if let Some(method) = &channel.contrast_method {
            push_listed(&mut object, "ContrastMethod", ("Channel", "ContrastMethod"), method);
        }
        if let Some(color) = channel.color {
            object.push("Color", color, Origin::of(OriginKind::Derived));
        }
        if let Some(samples) = channel.samples_per_pixel {
            object.push("SamplesPerPixel", samples, Origin::of(OriginKind::Derived));
        }
        if let Some(filter) = channel.nd_filter {
            object.extra.insert("OME:@NDFilter".into(), json!(filter));
        }
        if let Some(setting) = channel.pockel_cell_setting {
            object.extra.insert("OME:@PockelCellSetting".into(), json!(setting));
        }
        object.children.extend(fluorophore(channel, &id));
        object.children.extend(self.light_path(channel, &id));
        object.children.extend(channel.annotation_refs.iter().map(|id| reference("AnnotationRef", id)));
        object
    }

    fn light_path(&self, channel: &Channel, id: &str) -> Option<Object> {
        let mut path = Object::new("LightPath");
        if let Some(element) = &channel.light_source_settings {
            path.children.push(copy(
                element,
                "LightSourceSettings",
                &[("Wavelength", ""), ("WavelengthUnit", "")],
            ));
        }
        for element in channel.light_path.iter().flat_map(fairzarr_ome_xml::Element::elements) {
            match element.name() {
                "DichroicRef" => path.children.push(copy(element, "StandardDichroicRef", &[])),
                name @ ("ExcitationFilterRef" | "EmissionFilterRef" | "AnnotationRef") => {
                    path.children.push(copy(element, name, &[]));
                }
                other => _ = path.extra.insert(format!("OME:{other}"), super::raw(element)),
            }
        }
        if let Some(set) = &channel.filter_set_ref {
            path.children.push(self.filter_set(set, id));
        }
        if let Some(element) = &channel.detector_settings {
            path.children.push(self.detector_settings(element));
        }
        if let Some(pinhole) = &channel.pinhole_size {
            // Of the two places for a pinhole this one has a unit.
            let mut scanner = Object::new("ConfocalScannerSettings");
            push_quantity(&mut scanner, "PresetPinholeSize", Some(pinhole), Some("OME:Channel@PinholeSize"));
            path.children.push(scanner);
        }
        if path.children.is_empty() && path.extra.is_empty() {
            return None;
        }
        path.fields.insert(0, synthesised("LightPath", id));
        Some(path)
    }

    /// A filter set is hardware in OME. In NBO it is what a light path is composed of.
    fn filter_set(&self, id: &str, channel: &str) -> Object {
        let mut set = Object::new("FilterSet");
        set.fields.push(synthesised("FilterSet", channel));
        set.extra.insert("OME:FilterSetRef".into(), json!(id));
        for part in self.hardware.get(id).into_iter().flat_map(|e| e.elements()) {
            let class = if part.name() == "DichroicRef" { "StandardDichroicRef" } else { part.name() };
            set.children.push(copy(part, class, &[]));
        }
        set
    }

    fn detector_settings(&self, element: &Element<'static>) -> Object {
        let hardware = element.attr("ID").and_then(|id| self.hardware.get(id)).copied();
        let (detector, ..) = detector_class(hardware.and_then(|h| h.attr("Type")));
        let class = catalogue::class(detector).and_then(|c| c.settings).unwrap_or("GenericDetectorSettings");
        let renames = [
            ("Gain", "AnalogGain"),
            ("ReadOutRate", "PixelReadOutRate"),
            ("ReadOutRateUnit", "PixelReadOutRateUnit"),
        ];
        let mut settings = copy(element, class, &renames);
        // What OME says of the detector holds for a channel that says nothing else.
        for name in DETECTOR_SETTINGS {
            let Some(text) = hardware.and_then(|h| h.attr(name)) else { continue };
            let target = if name == "Gain" { "AnalogGain" } else { name };
            let said = settings.field(target).is_some() || element.attr(name).is_some();
            let Some(attribute) = catalogue::class(class).and_then(|c| c.attribute(target)).filter(|_| !said)
            else {
                continue;
            };
            push_text(&mut settings, target, text, Some(format!("OME:Detector@{name}")));
            if name == "Voltage" {
                push_unit(&mut settings, attribute, hardware.and_then(|h| h.attr("VoltageUnit")), "V");
            }
        }
        settings
    }
}

fn environment(image: &Image, element: &Element<'static>) -> Object {
    let mut object = copy(element, "ImagingEnvironment", &[]);
    if catalogue::class("ImagingEnvironment").is_some_and(|c| c.attribute("ID").is_some()) {
        object.fields.insert(0, synthesised("ImagingEnvironment", &image.id));
    }
    if let Some(pairs) = element.child("Map") {
        object.extra.insert("OME:Map".into(), map(pairs));
    }
    object
}

fn objective_settings(image: &Image, element: &Element<'static>) -> Object {
    let renames = [("CorrectionCollar", "CorrectionCollarPosition"), ("Medium", ""), ("RefractiveIndex", "")];
    let mut settings = copy(element, "ObjectiveSettings", &renames);
    let (medium, index) = (element.attr("Medium"), element.attr("RefractiveIndex"));
    // Air is no liquid.
    let wet = medium.is_some_and(|m| m != "Air");
    if wet || (medium.is_none() && index.is_some()) {
        let mut liquid = Object::new("ImmersionLiquid");
        liquid.fields.push(synthesised("ImmersionLiquid", &image.id));
        settings.extra.shift_remove("OME:@Medium");
        settings.extra.shift_remove("OME:@RefractiveIndex");
        if let Some(medium) = medium {
            push_listed(&mut liquid, "Type", ("ObjectiveSettings", "Medium"), medium);
        }
        if let Some(index) = index {
            push_text(
                &mut liquid,
                "RefractiveIndex",
                index,
                Some("OME:ObjectiveSettings@RefractiveIndex".into()),
            );
        }
        settings.children.push(liquid);
    }
    settings
}

fn plane(pixels: &Pixels, index: usize) -> Object {
    let planes = &pixels.planes;
    let mut object = Object::new("Plane");
    for (name, column) in [("TheZ", &planes.the_z), ("TheT", &planes.the_t), ("TheC", &planes.the_c)] {
        if let Some(value) = column.get(index) {
            object.push(name, *value, Origin::of(OriginKind::Derived));
        }
    }
    for (name, ome, column) in [
        ("Timestamp", "DeltaT", &planes.delta_t),
        ("ExposureTime", "ExposureTime", &planes.exposure_time),
        ("PositionX", "PositionX", &planes.position_x),
        ("PositionY", "PositionY", &planes.position_y),
        ("PositionZ", "PositionZ", &planes.position_z),
    ] {
        let Some((value, unit)) = column.get(index) else { continue };
        // Columns do not remember who named the unit; it is explicit from here on.
        let from = if name == ome {
            Origin::of(OriginKind::Derived)
        } else {
            Origin::from(OriginKind::Derived, format!("OME:Plane@{ome}"))
        };
        object.push(name, number(value), from);
        if let Some(attribute) = catalogue::class("Plane").and_then(|c| c.attribute(name)) {
            push_unit(&mut object, attribute, Some(unit.symbol()), unit.symbol());
        }
    }
    object
}

fn fluorophore(channel: &Channel, id: &str) -> Option<Object> {
    let (excitation, emission) =
        (channel.excitation_wavelength.as_ref(), channel.emission_wavelength.as_ref());
    if channel.fluor.is_none() && excitation.is_none() && emission.is_none() {
        return None;
    }
    let mut object = Object::new("Fluorophore");
    object.fields.push(synthesised("Fluorophore", id));
    if let Some(name) = &channel.fluor {
        push_text(&mut object, "Name", name, Some("OME:Channel@Fluor".into()));
    }
    push_quantity(&mut object, "ExcitationWavelength", excitation, Some("OME:Channel@ExcitationWavelength"));
    push_quantity(&mut object, "EmissionWavelength", emission, Some("OME:Channel@EmissionWavelength"));
    Some(object)
}

fn push_quantity(object: &mut Object, name: &str, quantity: Option<&Quantity>, from: Option<&str>) {
    let Some(quantity) = quantity else { return };
    push_text(object, name, quantity.text.trim(), from.map(str::to_owned));
    if let Some(attribute) = catalogue::class(&object.class).and_then(|c| c.attribute(name)) {
        let said = quantity.unit_explicit.then(|| quantity.unit.symbol());
        push_unit(object, attribute, said, quantity.unit.symbol());
    }
}

fn synthesised(prefix: &str, id: &str) -> crate::record::Field {
    let value = Json::from(format!("{prefix}:{id}"));
    crate::record::Field { name: "ID".into(), value, text: None, origin: Origin::of(OriginKind::Synthesised) }
}

/// A whole number without `.0`.
fn number(value: f64) -> Json {
    if value.fract() == 0.0 && value.abs() < 9e15 { json!(value as i64) } else { json!(value) }
}
