//! Values that physics forbids, whatever the schema's number types allow: they are errors at every tier.

use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

use super::context::{Context, Found, Place};
use super::report::{Rule, Severity};
use crate::catalogue::{Attribute, Base, Class};
use crate::record::value::{self, is_placeholder};
use crate::record::{Object, Record};
use crate::unit;

/// What a quantity cannot be outside of.
#[derive(Clone, Copy)]
enum Limit {
    /// Above 0.
    Positive,
    /// 0 or above: widths, durations, powers, deviations, counts.
    NotNegative,
    /// Above the first, and up to the second.
    Above(f64, f64),
    /// From the first to the second.
    Within(f64, f64),
    /// Above absolute zero.
    Temperature,
}

/// By name. The numerical aperture is the sine of an angle times a refractive index; no immersion reaches 2.
const NAMED: [(&str, Limit); 21] = [
    ("LensNA", Limit::Above(0.0, 2.0)),
    ("NumericalAperture", Limit::Above(0.0, 2.0)),
    ("RefractiveIndex", Limit::Within(1.0, 5.0)),
    ("MeasuredRefractiveIndex", Limit::Within(1.0, 5.0)),
    ("CO2Percent", Limit::Within(0.0, 100.0)),
    ("Humidity", Limit::Within(0.0, 100.0)),
    ("AmbientOperatingHumidity", Limit::Within(0.0, 100.0)),
    ("PercentageNominalPowerSettings", Limit::Within(0.0, 100.0)),
    ("ShortTermIlluminationStability", Limit::Within(0.0, 100.0)),
    ("LongTermIlluminationStability", Limit::Within(0.0, 100.0)),
    // A correlation coefficient.
    ("IlluminationLinearity", Limit::Within(-1.0, 1.0)),
    // Fraction or percent: the schema does not say which.
    ("QuantumEfficiency", Limit::Within(0.0, 100.0)),
    ("Transmittance", Limit::Within(0.0, 100.0)),
    ("Reflectance", Limit::Within(0.0, 100.0)),
    // The maximum over a corner.
    ("MeanMaxtoCornerIntensityRatio", Limit::Within(1.0, f64::INFINITY)),
    ("CalibratedMagnification", Limit::Positive),
    ("TotalEffectiveMagnification", Limit::Positive),
    ("EffectiveZoom", Limit::Positive),
    ("AbbeNumber", Limit::Positive),
    ("TemperatureAccuracy", Limit::NotNegative),
    ("MinTemberature", Limit::Temperature),
];

/// Lengths and times that have a direction or an origin, so that they may be negative.
const SIGNED: [&str; 10] = [
    "Position",
    "Offset",
    "Shift",
    "Origin",
    "RadiusOfCurvature",
    "FocalLength",
    "Timestamp",
    "ImageDistance",
    "Linearity",
    "Stroke",
];

/// Parts of the names of numbers without a unit that cannot be negative.
const UNSIGNED: [&str; 27] = [
    "_SD",
    "SDMax",
    "Noise",
    "DarkCurrent",
    "ConversionFactor",
    "FWHM",
    "Asymmetry",
    "NyquistRate",
    "Ratio",
    "Width",
    "Height",
    "Radius",
    "Aperture",
    "Viscosity",
    "OpticalDensity",
    "AttenuationCoefficient",
    "Power",
    "Size",
    "Thickness",
    "Diameter",
    "FieldNumber",
    "ViewField",
    "NrOf",
    "NumberOf",
    "Number",
    "Capacity",
    "Variance",
];

fn limit(class: &Class, attribute: &Attribute) -> Option<Limit> {
    let name = attribute.name;
    if let Some((_, limit)) = NAMED.iter().find(|(n, _)| *n == name) {
        return Some(*limit);
    }
    if name == "Magnification" && class.name == "Objective" {
        return Some(Limit::Positive);
    }
    if name.contains("Temperature") {
        return Some(Limit::Temperature);
    }
    if !attribute.base.is_number() {
        return None;
    }
    if name.contains("Wavelength") || matches!(name, "PixelWidth" | "PixelHeight") {
        return Some(Limit::Positive);
    }
    let has = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    let point = attribute.unit.is_none() || ["X", "Y", "Z"].contains(&name);
    let measures = attribute.unit.and_then(|unit| class.attribute(unit)).map_or("", |unit| unit.type_name);
    let quantity = [
        "UnitsLength",
        "UnitsTime",
        "UnitsFrequency",
        "UnitsPower",
        "UnitsPressure",
        "UnitsConcentration",
        "UnitsVelocity",
        "UnitsVolume",
        "UnitsDensity",
        "UnitsIrradiance",
        "UnitsElectricCharge",
    ]
    .contains(&measures);
    // Whole numbers count something, but for colours: their four bytes are read as one signed number.
    let counts = attribute.base.is_integer() && attribute.type_name != "Color";
    let unsigned = (quantity && !point) || has(&UNSIGNED) || counts;
    (unsigned && !has(&SIGNED)).then_some(Limit::NotNegative)
}

/// Why a number cannot be.
fn forbidden(limit: Limit, number: f64, unit: Option<&str>) -> Option<String> {
    let wrong = match limit {
        Limit::Positive => (number <= 0.0).then(|| "has to be above 0".to_owned()),
        Limit::NotNegative => (number < 0.0).then(|| "cannot be negative".to_owned()),
        Limit::Above(low, high) => {
            (number <= low || number > high).then(|| format!("has to be above {low}, and at most {high}"))
        }
        Limit::Within(low, high) if high.is_infinite() => {
            (number < low).then(|| format!("has to be at least {low}"))
        }
        Limit::Within(low, high) => {
            (number < low || number > high).then(|| format!("has to be from {low} to {high}"))
        }
        Limit::Temperature => {
            let zero = match unit.map(str::trim) {
                Some("K" | "°R") => 0.0,
                Some("°F") => -459.67,
                Some("°C") => -273.15,
                _ => return None,
            };
            (number < zero).then(|| "is below absolute zero".to_owned())
        }
    };
    wrong.map(|why| format!("{number}{} {why}", unit.map_or(String::new(), |u| format!(" {u}"))))
}

/// The values of one object.
pub(super) fn object(context: &mut Context, object: &Object, class: &'static Class, place: &Place) {
    for field in &object.fields {
        let Some(attribute) = class.attribute(&field.name) else { continue };
        if let Some(message) = impossible(object, class, attribute) {
            let found = Found::of(Severity::Error, Rule::Impossible, attribute, message);
            context.push(place, found);
        }
    }
    for (low, high) in [
        ("CutOn", "CutOff"),
        ("MinXYSpotSize_FWHM", "MedianXYSpotSize_FWHM"),
        ("MedianXYSpotSize_FWHM", "MaxXYSpotSize_FWHM"),
    ] {
        if let Some((attribute, message)) = reversed(object, class, low, high) {
            context.push(place, Found::of(Severity::Error, Rule::Impossible, attribute, message));
        }
    }
    let in_air = object.str("ImmersionType") == Some("Air");
    if let (true, Some(na), Some(attribute)) = (in_air, object.number("LensNA"), class.attribute("LensNA"))
        && na > 1.0
        && na <= 2.0
    {
        let message = format!("{na} is above 1, which no objective has in air");
        context.push(place, Found::of(Severity::Warning, Rule::Impossible, attribute, message));
    }
}

fn impossible(object: &Object, class: &'static Class, attribute: &'static Attribute) -> Option<String> {
    let value = &object.field(attribute.name)?.value;
    if is_placeholder(Some(attribute), value) {
        return None;
    }
    let text = value::text(value);
    let number = object.number(attribute.name);
    if attribute.base.is_number() && number.is_some_and(f64::is_nan) {
        return Some(format!("{text} is no measured value"));
    }
    let unit = attribute.unit.and_then(|unit| object.str(unit)).or(attribute.unit_default);
    // The forms of PositiveFloat, PositiveInt and fractions are in the schema, and judged as forms.
    let judged = matches!(
        attribute.base,
        Base::PositiveFloat | Base::Fraction | Base::PositiveInt | Base::NonNegativeInt
    );
    match (limit(class, attribute), number) {
        (Some(limit), Some(number)) if !judged => forbidden(limit, number, unit),
        _ => None,
    }
}

/// The lower of two values is above the higher one.
fn reversed(
    object: &Object,
    class: &'static Class,
    low: &str,
    high: &str,
) -> Option<(&'static Attribute, String)> {
    let (lower, higher) = (class.attribute(low)?, class.attribute(high)?);
    let unit = |attribute: &Attribute| {
        let said = attribute.unit.and_then(|unit| object.str(unit));
        said.or(attribute.unit_default).unwrap_or("nm")
    };
    let (a, b) = (object.number(low)?, object.number(high)?);
    let same = unit::convert(a, unit(lower), unit(higher)).unwrap_or(a);
    (same > b).then(|| (lower, format!("{a} {} is above {high}, {b} {}", unit(lower), unit(higher))))
}

type Day = (i32, u32, u32);

/// Dates: none lies in the future; a part was bought, and a slide of beads made, before it was used; a calibration
/// after the acquisition says what the microscope became, which is worth a warning.
pub(super) fn dates(context: &mut Context, record: &Record) {
    let tomorrow = tomorrow();
    let mut first_use: HashMap<&str, Day> = HashMap::new();
    for image in record.objects.iter().filter(|o| o.class == "Image") {
        let Some(acquired) = image.str("AcquisitionDate").and_then(value::date) else { continue };
        for used in image.descendants().into_iter().filter_map(Object::target) {
            let first = first_use.entry(used).or_insert(acquired);
            *first = acquired.min(*first);
        }
    }
    for object in &record.objects {
        let acquired =
            object.str("AcquisitionDate").filter(|_| object.class == "Image").and_then(value::date);
        walk(context, object, &Times { acquired, measured: None, tomorrow }, "", &first_use);
    }
}

#[derive(Clone, Copy)]
struct Times {
    /// When the image was taken that the object belongs to.
    acquired: Option<Day>,
    /// When the calibration was made that it belongs to.
    measured: Option<Day>,
    tomorrow: Option<i64>,
}

fn walk(context: &mut Context, object: &Object, times: &Times, above: &str, first_use: &HashMap<&str, Day>) {
    let at = match object.id().or_else(|| object.target()) {
        Some(id) => format!("{above}/{} {id}", object.class),
        None => format!("{above}/{}", object.class),
    };
    let place = Place { object: Some(object), at: &at, class: &object.class };
    let own = object.str("Date").and_then(value::date);
    for field in &object.fields {
        let Some(day) = field.value.as_str().filter(|_| field.name.contains("Date")).and_then(value::date)
        else {
            continue;
        };
        let used = object.id().and_then(|id| first_use.get(id));
        let is_slide = times.measured.is_some();
        let (severity, why) = match field.name.as_str() {
            _ if times.tomorrow.is_some_and(|tomorrow| value::day_number(day) > tomorrow) => {
                (Severity::Error, "lies in the future".to_owned())
            }
            "PurchaseDate" if used.is_some_and(|used| day > *used) => {
                (Severity::Error, "is after the acquisition of an image that it was used for".to_owned())
            }
            "Date" if is_slide && times.measured.is_some_and(|measured| day > measured) => {
                (Severity::Error, "is after the measurement that was made with it".to_owned())
            }
            "Date" if !is_slide && times.acquired.is_some_and(|acquired| day > acquired) => {
                (Severity::Warning, "is after the acquisition of the image".to_owned())
            }
            _ => continue,
        };
        let message = format!("{} {why}", value::text(&field.value));
        context.push(&place, Found::new(severity, Rule::Impossible, &field.name, message));
    }
    let below = Times { measured: times.measured.or(own), ..*times };
    for child in &object.children {
        walk(context, child, &below, &at, first_use);
    }
}

/// The latest day that it is anywhere on earth, as [`value::day_number`] counts them; `None` where the clock says nothing.
fn tomorrow() -> Option<i64> {
    let today = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs() / (24 * 60 * 60);
    Some(value::day_number((1970, 1, 1)) + i64::try_from(today).ok()? + 1)
}
