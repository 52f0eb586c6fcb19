//! What a calibration measured, with the unit that the model means where a document leaves it out.

use super::{Metric, Wavelength};
use crate::catalogue::{self, Attribute, Class, Kind};
use crate::record::value::{self, state};
use crate::record::{Object, OriginKind};

/// Units that the published schema gives in words alone, or types as a number by mistake.
const KNOWN_UNITS: [(&str, &str); 5] = [
    ("MaxXYSpotSize_FWHM", "nm"),
    ("MedianZSpotSize_FWHM", "nm"),
    ("PercentageNominalPowerSettings", "%"),
    ("ShortTermIlluminationStability", "%"),
    ("LongTermIlluminationStability", "%"),
];

/// What [`Metric::unit_from`] says of a unit that the document does not say.
const SCHEMA: &str = "schema";

/// The metrics of a kind of calibration: every number that its class has, counts among them.
pub(super) fn of_class(class: &'static Class) -> impl Iterator<Item = &'static Attribute> {
    class.attributes().filter(|a| a.kind == Kind::Value && a.base.is_number() && !a.is_id())
}

/// The unit that the model means, for a metric that has one.
pub(super) fn schema_unit(class: &Class, attribute: &Attribute) -> Option<&'static str> {
    // A standard deviation has the unit of what it deviates from.
    let base = attribute.name.strip_suffix("_SD").and_then(|base| class.attribute(base));
    let known = KNOWN_UNITS.iter().find(|(name, _)| *name == attribute.name).map(|(_, unit)| *unit);
    base.and_then(|base| base.unit_default).or(attribute.unit_default).or(known)
}

/// What an object of a kind of calibration measured.
pub(super) fn of(object: &Object) -> Vec<Metric> {
    let Some(class) = catalogue::class(&object.class) else { return Vec::new() };
    let n = object.number("SampleSize").filter(|n| *n >= 0.0).map(|n| n as u64);
    of_class(class)
        .filter_map(|a| {
            let field = object.field(a.name)?;
            if state(a, &field.value) != value::State::Filled {
                return None;
            }
            let value = object.number(a.name).filter(|value| value.is_finite())?;
            let base = a.name.strip_suffix("_SD").and_then(|base| class.attribute(base));
            let unit_field = base.unwrap_or(a).unit.map_or_else(|| format!("{}Unit", a.name), str::to_owned);
            let said = object.field(&unit_field);
            let schema = schema_unit(class, a);
            let is_left_out = said.is_none_or(|field| field.origin.kind == OriginKind::Defaulted);
            let unit = said.and_then(|field| field.value.as_str()).or(schema);
            Some(Metric {
                name: a.name.to_owned(),
                value,
                unit: unit.map(str::to_owned),
                unit_from: (is_left_out && unit.is_some()).then(|| SCHEMA.to_owned()),
                statistic: statistic(a.name).map(str::to_owned),
                n: n.filter(|_| a.name != "SampleSize"),
                sd: object.extra.get("standardDeviation").and_then(|all| all.get(a.name)?.as_f64()),
            })
        })
        .collect()
}

/// A wavelength with its unit, the model's own if the record says none.
pub(super) fn wavelength(object: &Object, field: &str) -> Option<Wavelength> {
    let attribute = catalogue::class(&object.class)?.attribute(field)?;
    let filled = state(attribute, &object.field(field)?.value) == value::State::Filled;
    let value = object.number(field).filter(|value| filled && value.is_finite())?;
    let unit = attribute.unit.and_then(|unit| object.str(unit)).or(attribute.unit_default)?;
    Some(Wavelength { value, unit: unit.to_owned() })
}

fn statistic(name: &str) -> Option<&'static str> {
    match name {
        _ if name.starts_with("Median") => Some("median"),
        _ if name.starts_with("MeanMax") || name.starts_with("Mean") => Some("mean"),
        _ if name.starts_with("MinXY") => Some("minimum"),
        _ if name.starts_with("MaxXY") => Some("maximum"),
        _ if name.starts_with("SD") || name.ends_with("_SD") => Some("standard deviation"),
        _ => None,
    }
}
