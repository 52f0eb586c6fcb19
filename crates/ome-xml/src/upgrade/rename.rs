//! Rules that need no more than one element and its children.

use std::borrow::Cow;

use crate::tree::{Element, Node};
use crate::unit::{Unit, default_unit};
use crate::upgrade::Upgrade;

/// Applies the rules from the root down. Content of XML annotations is not OME's.
pub(super) fn descend(element: &mut Element<'_>, upgrade: &mut Upgrade) {
    if element.foreign || element.name() == "Value" {
        return;
    }
    unwrapped(element, upgrade);
    rename(element, upgrade);
    enumerations(element, upgrade);
    numbers(element, upgrade);
    for child in element.elements_mut() {
        descend(child, upgrade);
    }
}

fn rename(element: &mut Element<'_>, upgrade: &mut Upgrade) {
    if let Some((from, to)) = ELEMENTS.iter().find(|(from, _)| element.name() == *from) {
        element.name = upgrade.qualify(to).into();
        upgrade.note(&format!("`{from}` renamed to `{to}`"));
    }
    let name = element.name().to_owned();
    for (_, from, to) in ATTRIBUTES.iter().filter(|(on, ..)| *on == name) {
        if let Some(value) = element.take(from) {
            upgrade.note(&format!("`{name}@{from}` renamed to `{to}`"));
            if element.attr(to).is_none() {
                element.set(to, value);
            }
        }
    }
    for (_, from, to) in CHILD_TO_ATTRIBUTE.iter().filter(|(on, ..)| *on == name) {
        for child in element.take_children(from) {
            upgrade.note(&format!("`{from}` of `{name}` made its attribute `{to}`"));
            element.set(to, child.text().trim().to_owned());
        }
    }
    for (_, from, to) in ATTRIBUTE_TO_CHILD.iter().filter(|(on, ..)| *on == name) {
        if let Some(value) = element.take(from) {
            upgrade.note(&format!("`{name}@{from}` made an element `{to}`"));
            let child = if to.ends_with("Ref") {
                upgrade.reference(to, &value)
            } else {
                Element { nodes: vec![Node::Text(value)], ..upgrade.make(to) }
            };
            element.push_element(child);
        }
    }
    if name == "Plane" {
        for part in ["PlaneTiming", "StagePosition"] {
            for child in element.take_children(part) {
                upgrade.note(&format!("attributes of `{part}` moved to `Plane`"));
                for attr in child.attrs {
                    element.set(&attr.name, attr.value);
                }
            }
        }
    }
    if name == "ExperimenterGroup" || name.ends_with("GroupRef") {
        group_id(element, upgrade);
    }
}

/// `Group:1` of older schemas is `ExperimenterGroup:1`.
fn group_id(element: &mut Element<'_>, upgrade: &mut Upgrade) {
    let Some(id) = element.attr("ID") else { return };
    let new = match id.strip_prefix("Group:") {
        Some(rest) => format!("ExperimenterGroup:{rest}"),
        None if id.starts_with("urn:lsid:") => id.replacen(":Group:", ":ExperimenterGroup:", 1),
        None => return,
    };
    if new != id {
        element.set("ID", new);
        upgrade.note("ID form `Group:…` changed to `ExperimenterGroup:…`");
    }
}

fn enumerations(element: &mut Element<'_>, upgrade: &mut Upgrade) {
    let name = element.name().to_owned();
    for attr in &mut element.attrs {
        if !ENUMERATIONS.contains(&&*attr.name) || (name == "Pixels" && attr.name != "Type") {
            continue;
        }
        let new = match VALUES.iter().find(|(from, _)| *from == attr.value) {
            Some((_, to)) => (*to).to_owned(),
            None if name == "Pixels" => attr.value.to_ascii_lowercase(),
            None if attr.value == "Unknown" => "Other".to_owned(),
            // Terms of 2003 have blanks and hyphens.
            None if name != "Experiment" && name != "MicrobeamManipulation" => attr.value.replace(' ', ""),
            None => continue,
        };
        if new != attr.value {
            upgrade.note(&format!("`{name}@{}` `{}` is now `{new}`", attr.name, attr.value));
            attr.value = Cow::Owned(new);
        }
    }
}

fn numbers(element: &mut Element<'_>, upgrade: &mut Upgrade) {
    let name = element.name().to_owned();
    element.attrs.retain(|attr| {
        let drop = match &*attr.name {
            "PhysicalSizeX" | "PhysicalSizeY" | "PhysicalSizeZ" => {
                attr.value.parse().is_ok_and(|v: f64| v <= 0.0)
            }
            "RepetitionRate" => attr.value.parse::<f64>().is_err(),
            "Timepoint" => attr.value.parse::<f64>().is_ok(),
            _ => false,
        };
        if drop {
            upgrade
                .note(&format!("`{name}@{}` `{}` left out: not a value of 2016-06", attr.name, attr.value));
        }
        !drop
    });
    for attr in &mut element.attrs {
        if let Some(unit) = attr.name.strip_suffix("Unit").and_then(|base| default_unit(&name, base))
            && let Some((unit, false)) = Unit::parse(unit.kind(), &attr.value)
        {
            upgrade.note(&format!("unit `{}` spelled `{unit}`", attr.value));
            attr.value = Cow::Borrowed(unit.symbol());
        }
        let new = match &*attr.name {
            "Color" | "FillColor" | "StrokeColor" | "Fill" | "Stroke" => attr
                .value
                .parse::<u32>()
                .ok()
                .filter(|v| *v > i32::MAX as u32)
                .map(|v| v.cast_signed().to_string()),
            "Transmittance" | "Attenuation" if name != "LightSourceSettings" => {
                attr.value.parse::<f64>().ok().filter(|v| *v > 1.0).map(|v| (v / 100.0).to_string())
            }
            _ => None,
        };
        if let Some(new) = new {
            upgrade.note(&format!("`{name}@{}` brought to its 2016-06 range", attr.name));
            attr.value = Cow::Owned(new);
        }
    }
}

/// Light sources and shapes: attributes of the wrapper and of what it holds become one.
fn unwrapped(element: &mut Element<'_>, upgrade: &mut Upgrade) {
    if element.name() == "LightSource" {
        *element = unwrap(element, &LIGHT_SOURCES, "GenericExcitationSource", upgrade);
    }
    if element.name() != "Shape" {
        return;
    }
    let options = element.take_children("ShapeDisplayOptions");
    for attr in options.into_iter().flat_map(|o| o.attrs) {
        element.set(&attr.name, attr.value);
    }
    let mut shape = unwrap(element, &SHAPES, "Path", upgrade);
    for (from, to) in SHAPE_ATTRIBUTES {
        if let Some(value) = shape.take(from)
            && shape.attr(to).is_none()
        {
            shape.set(to, value);
        }
    }
    match shape.name() {
        "Circle" => {
            if let Some(radius) = shape.take("r") {
                shape.set("RadiusX", radius.clone());
                shape.set("RadiusY", radius);
            }
            shape.name = upgrade.qualify("Ellipse").into();
            upgrade.note("`Circle` made an `Ellipse`");
        }
        "Polyline" if shape.attr("Closed") == Some("true") => {
            shape.name = upgrade.qualify("Polygon").into();
            upgrade.note("closed `Polyline` made a `Polygon`");
        }
        "Text" => {
            shape.name = upgrade.qualify("Label").into();
            for value in shape.take_children("Value") {
                shape.set("Text", value.text().into_owned());
            }
            upgrade.note("`Text` renamed to `Label`");
        }
        "Mask" => mask(&mut shape, upgrade),
        _ => {}
    }
    shape.take("Closed");
    for marker in ["MarkerStart", "MarkerEnd"] {
        if shape.attr(marker).is_some_and(|m| m != "Arrow") {
            shape.set(marker, "Arrow");
            upgrade.note("markers of shapes made `Arrow`, the only one of 2016-06");
        }
    }
    if let Some(transform) = shape.take("Transform").and_then(|t| matrix(&t, upgrade)) {
        shape.push_element(transform);
    }
    *element = shape;
}

/// The one child of a wrapper that says what it is, with the wrapper's attributes and other children.
fn unwrap<'a>(wrapper: &mut Element<'a>, kinds: &[&str], other: &str, upgrade: &mut Upgrade) -> Element<'a> {
    let mut wrapper = std::mem::take(wrapper);
    let found = kinds.iter().find_map(|kind| wrapper.take_children(kind).into_iter().next());
    let mut inner = found.unwrap_or_else(|| upgrade.make(other));
    upgrade.note(&format!("`{}` taken off from around `{}`", wrapper.name(), inner.name()));
    inner.span = wrapper.span;
    for attr in wrapper.attrs {
        if inner.attr(&attr.name).is_none() {
            inner.attrs.push(attr);
        }
    }
    inner.nodes.extend(wrapper.nodes.into_iter().filter(|n| !n.is_blank()));
    inner
}

fn mask(mask: &mut Element<'_>, upgrade: &mut Upgrade) {
    for pixels in mask.take_children("MaskPixels") {
        for (from, to) in [("SizeX", "Width"), ("SizeY", "Height")] {
            if let Some(size) = pixels.attr(from)
                && mask.attr(to).is_none()
            {
                mask.set(to, size.to_owned());
            }
        }
        let big_endian = pixels.attr("BigEndian").unwrap_or("false").to_owned();
        for node in pixels.nodes {
            if let Node::Element(mut data) = node
                && data.name() == "BinData"
            {
                if data.attr("BigEndian").is_none() {
                    data.set("BigEndian", big_endian.clone());
                }
                mask.push_element(*data);
            }
        }
        upgrade.note("`MaskPixels` taken off from around `BinData`");
    }
    for (name, default) in [("X", "0"), ("Y", "0"), ("Width", "1"), ("Height", "1")] {
        if mask.attr(name).is_none() {
            mask.set(name, default);
            upgrade.note(&format!("`Mask@{name}`, mandatory in 2016-06, made explicit as {default}"));
        }
    }
}

/// `a, b, c, d, e, f` or `matrix(a b c d e f)`, column by column, as a `Transform` element.
fn matrix<'a>(text: &str, upgrade: &mut Upgrade) -> Option<Element<'a>> {
    let inner = text.trim().trim_start_matches("matrix").trim_matches(['(', ')', ' ']);
    let numbers: Vec<&str> = inner.split([',', ' ']).filter(|n| !n.is_empty()).collect();
    if numbers.len() != 6 || numbers.iter().any(|n| n.parse::<f64>().is_err()) {
        upgrade.note(&format!("shape transform `{text}` left out: not a matrix"));
        return None;
    }
    let mut transform = upgrade.make("Transform");
    for (name, value) in ["A00", "A10", "A01", "A11", "A02", "A12"].into_iter().zip(numbers) {
        transform.set(name, value.to_owned());
    }
    upgrade.note("transform of a shape made an element");
    Some(transform)
}

const ELEMENTS: [(&str, &str); 13] = [
    ("AcquiredDate", "AcquisitionDate"),
    ("CreationDate", "AcquisitionDate"),
    ("Group", "ExperimenterGroup"),
    ("Contact", "Leader"),
    ("StringAnnotation", "CommentAnnotation"),
    ("XmlAnnotation", "XMLAnnotation"),
    ("ObjectiveRef", "ObjectiveSettings"),
    ("ObjectiveSettingsRef", "ObjectiveSettings"),
    ("LightSourceRef", "LightSourceSettings"),
    ("DetectorRef", "DetectorSettings"),
    ("Rect", "Rectangle"),
    ("ChannelInfo", "LogicalChannel"),
    ("ScreenAcquisition", "PlateAcquisition"),
];

/// Element, attribute, its new name.
const ATTRIBUTES: [(&str, &str, &str); 21] = [
    ("Pixels", "PixelType", "Type"),
    ("TiffData", "NumPlanes", "PlaneCount"),
    ("LogicalChannel", "Mode", "AcquisitionMode"),
    ("LogicalChannel", "ExWave", "ExcitationWavelength"),
    ("LogicalChannel", "EmWave", "EmissionWavelength"),
    ("LogicalChannel", "NdFilter", "NDFilter"),
    ("LogicalChannel", "NDfilter", "NDFilter"),
    ("Channel", "NdFilter", "NDFilter"),
    ("LightSourceSettings", "AuxAttenuation", "Attenuation"),
    ("LightSourceSettings", "AuxWavelength", "Wavelength"),
    ("WellSample", "PosX", "PositionX"),
    ("WellSample", "PosY", "PositionY"),
    ("Well", "Status", "Type"),
    ("Plate", "ExternRef", "ExternalIdentifier"),
    ("Laser", "Tunable", "Tuneable"),
    ("Laser", "Medium", "LaserMedium"),
    ("Objective", "Magnification", "CalibratedMagnification"),
    ("Channel", "SecondaryExcitationFilter", "ExcitationFilterRef"),
    ("Channel", "SecondaryEmissionFilter", "EmissionFilterRef"),
    ("FilterSet", "ExFilterRef", "ExcitationFilterRef"),
    ("FilterSet", "EmFilterRef", "EmissionFilterRef"),
];

const CHILD_TO_ATTRIBUTE: [(&str, &str, &str); 14] = [
    ("Experimenter", "FirstName", "FirstName"),
    ("Experimenter", "MiddleName", "MiddleName"),
    ("Experimenter", "LastName", "LastName"),
    ("Experimenter", "Email", "Email"),
    ("Experimenter", "Institution", "Institution"),
    ("Experimenter", "OMEName", "UserName"),
    ("Objective", "Correction", "Correction"),
    ("Objective", "Immersion", "Immersion"),
    ("Objective", "LensNA", "LensNA"),
    ("Objective", "NominalMagnification", "NominalMagnification"),
    ("Objective", "CalibratedMagnification", "CalibratedMagnification"),
    ("Objective", "Magnification", "CalibratedMagnification"),
    ("Objective", "WorkingDistance", "WorkingDistance"),
    ("Objective", "Iris", "Iris"),
];

const ATTRIBUTE_TO_CHILD: [(&str, &str, &str); 5] = [
    ("Plate", "Description", "Description"),
    ("Reagent", "Description", "Description"),
    ("FilterSet", "ExcitationFilterRef", "ExcitationFilterRef"),
    ("FilterSet", "DichroicRef", "DichroicRef"),
    ("FilterSet", "EmissionFilterRef", "EmissionFilterRef"),
];

const ENUMERATIONS: [&str; 13] = [
    "Type",
    "LaserMedium",
    "Medium",
    "Correction",
    "Immersion",
    "AcquisitionMode",
    "ContrastMethod",
    "IlluminationType",
    "Pulse",
    "FillRule",
    "FontFamily",
    "FontStyle",
    "Binning",
];

const VALUES: [(&str, &str); 46] = [
    ("Multi-Photon Microscopy", "MultiPhotonMicroscopy"),
    ("Fluorescence-Lifetime", "FluorescenceLifetime"),
    ("Spectral-Imaging", "SpectralImaging"),
    ("Time-lapse", "TimeLapse"),
    ("4-D+", "FourDPlus"),
    ("Ion-Imaging", "IonImaging"),
    ("PGI/Documentation", "PGIDocumentation"),
    ("Regular", "Normal"),
    ("EM-CCD", "EMCCD"),
    ("Intensified-CCD", "IntensifiedCCD"),
    ("Analog-Video", "AnalogVideo"),
    ("Life-time-Imaging", "LifetimeImaging"),
    ("Correlation-Spectroscopy", "CorrelationSpectroscopy"),
    ("Hg-Xe", "HgXe"),
    ("Q-Switched", "QSwitched"),
    ("Mode-Locked", "ModeLocked"),
    ("Nitrogen", "N"),
    ("Argon", "Ar"),
    ("Krypton", "Kr"),
    ("Xenon", "Xe"),
    ("Nd-Glass", "NdGlass"),
    ("Nd-YAG", "NdYAG"),
    ("Er-Glass", "ErGlass"),
    ("Er-YAG", "ErYAG"),
    ("Ho-YLF", "HoYLF"),
    ("Ho-YAG", "HoYAG"),
    ("Ti-Sapphire", "TiSapphire"),
    ("Rhodamine-6G", "Rhodamine6G"),
    ("Coumarin-C30", "CoumarinC30"),
    ("e-", "EMinus"),
    ("LaserScanningMicroscopy", "LaserScanningConfocalMicroscopy"),
    ("LaserScanningConfocal", "LaserScanningConfocalMicroscopy"),
    ("Laser Scanning Microscopy", "LaserScanningConfocalMicroscopy"),
    ("Laser Scanning Confocal", "LaserScanningConfocalMicroscopy"),
    ("Wide-field", "WideField"),
    ("even-odd", "EvenOdd"),
    ("Even-Odd", "EvenOdd"),
    ("evenodd", "EvenOdd"),
    ("Non-Zero", "NonZero"),
    ("Nonzero", "NonZero"),
    ("nonzero", "NonZero"),
    ("non-zero", "NonZero"),
    ("Arial", "sans-serif"),
    ("Helvetica", "sans-serif"),
    ("Courier", "monospace"),
    ("TimesNewRoman", "serif"),
];

/// Names of 2008 and before, and of shapes before 2012.
const SHAPE_ATTRIBUTES: [(&str, &str); 20] = [
    ("theZ", "TheZ"),
    ("theT", "TheT"),
    ("theC", "TheC"),
    ("Fill", "FillColor"),
    ("Stroke", "StrokeColor"),
    ("Label", "Text"),
    ("cx", "X"),
    ("cy", "Y"),
    ("rx", "RadiusX"),
    ("ry", "RadiusY"),
    ("x", "X"),
    ("y", "Y"),
    ("x1", "X1"),
    ("x2", "X2"),
    ("y1", "Y1"),
    ("y2", "Y2"),
    ("width", "Width"),
    ("height", "Height"),
    ("points", "Points"),
    ("transform", "Transform"),
];

const SHAPES: [&str; 12] = [
    "Line",
    "Rectangle",
    "Rect",
    "Mask",
    "Ellipse",
    "Circle",
    "Point",
    "Polyline",
    "Polygon",
    "Label",
    "Text",
    "Path",
];

const LIGHT_SOURCES: [&str; 5] =
    ["Laser", "Arc", "Filament", "LightEmittingDiode", "GenericExcitationSource"];
