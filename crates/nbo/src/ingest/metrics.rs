//! Results of microscope-metrics: YAML or JSON data sets, one per analysis.
//!
//! Measurements are mapped by meaning, with the conversion in the origin of each value:
//!
//! | There | In NBO | Conversion |
//! |---|---|---|
//! | FWHM in x and y, median, µm | `MedianXYSpotSize_FWHM`, nm | mean of the two, times 1000 |
//! | FWHM in z, median, µm | `MedianZSpotSize_FWHM`, nm | times 1000 |
//! | four corners ÷ maximum (≤ 1) | `Mean`/`SDMaxtoCornerIntensityRatio` (≥ 1) | of the four inverses |
//! | R² of power linearity | `IlluminationLinearity`, r | square root; the sign is not known |
//! | power at objective exit, back focal plane | power at sample, at back of objective | none; mW |
//! | date and time | date | the day |
//!
//! Everything else stays in the source document. A serial number is no catalogue number, and
//! measuring places other than those two have no field in NBO.

use serde_json::{Value as Json, json};

use crate::catalogue;
use crate::record::{Object, Origin, OriginKind, Record, value};
use crate::unit;

/// Whether JSON is a data set with results.
pub(super) fn is_metrics(json: &Json) -> bool {
    measurements(json).is_some()
}

/// YAML of a data set with results.
pub(super) fn from_yaml(text: &str) -> Option<Json> {
    // Anything is YAML; what has no such member is not worth reading as YAML.
    if !text.contains("key_measurements") {
        return None;
    }
    serde_saphyr::from_str::<Json>(text).ok().filter(is_metrics)
}

/// Reads a data set: one calibration per channel or measurement.
pub fn metrics(json: &Json) -> Record {
    let mut record = Record::default();
    let stem =
        json["name"].as_str().or(json["id"].as_str()).unwrap_or("metrics").replace(char::is_whitespace, "_");
    let rows = measurements(json).unwrap_or_default();
    let mut kept = Vec::new();
    for (i, row) in rows.into_iter().enumerate() {
        let found = calibrations(json, &row, &format!("{stem}:{i}"));
        if found.is_empty() {
            kept.push(row);
        }
        record.objects.extend(found);
    }
    let about: serde_json::Map<_, _> =
        ["microscope", "sample", "experimenter", "input_parameters", "acquisition_datetime"]
            .iter()
            .filter_map(|key| Some(((*key).to_owned(), json.get(*key)?.clone())))
            .collect();
    record
        .extra
        .insert("microscope-metrics".into(), json!({"dataset": stem, "about": about, "notMapped": kept}));
    record
}

/// The measurements, one row per channel or item.
fn measurements(json: &Json) -> Option<Vec<Json>> {
    let key = json["output"].get("key_measurements").or_else(|| json.get("key_measurements"))?;
    match key {
        Json::Array(rows) => Some(rows.iter().filter(|r| r.is_object()).cloned().collect()),
        // Columns of equal length, one entry per channel.
        Json::Object(columns) if columns.values().any(Json::is_array) => {
            let rows = columns.values().filter_map(Json::as_array).map(Vec::len).max().unwrap_or(0);
            let row = |i: usize| {
                columns.iter().map(|(k, v)| (k.clone(), v.get(i).unwrap_or(v).clone())).collect::<Json>()
            };
            Some((0..rows).map(row).collect())
        }
        Json::Object(_) => Some(vec![key.clone()]),
        _ => None,
    }
}

fn calibrations(dataset: &Json, row: &Json, id: &str) -> Vec<Object> {
    [optical(dataset, row, id), uniformity(dataset, row, id), excitation(dataset, row, id)]
        .into_iter()
        .flatten()
        .collect()
}

fn optical(dataset: &Json, row: &Json, id: &str) -> Option<Object> {
    let [x, y, z] = ["x", "y", "z"].map(|axis| number(row, &format!("fwhm_micron_{axis}_median")));
    if x.is_none() && y.is_none() && z.is_none() {
        return None;
    }
    let mut object = calibration("OpticalCalibration", dataset, row, id);
    if let (Some(x), Some(y)) = (x, y) {
        measured(
            &mut object,
            "MedianXYSpotSize_FWHM",
            nanometres(f64::midpoint(x, y)),
            &format!("mean of fwhm_micron_x_median {x} µm and fwhm_micron_y_median {y} µm"),
        );
    }
    if let Some(z) = z {
        measured(&mut object, "MedianZSpotSize_FWHM", nanometres(z), &format!("fwhm_micron_z_median {z} µm"));
        object.push("MedianZSpotSize_FWHMUnit", "nm", Origin::of(OriginKind::Computed));
    }
    if let Some(ratio) = number(row, "fwhm_lateral_asymmetry_ratio_mean") {
        measured(&mut object, "LateralAsymmetry", ratio, "fwhm_lateral_asymmetry_ratio_mean");
    }
    Some(object)
}

fn uniformity(dataset: &Json, row: &Json, id: &str) -> Option<Object> {
    let corners: Option<Vec<f64>> = ["top_left", "top_right", "bottom_left", "bottom_right"]
        .iter()
        .map(|corner| number(row, &format!("{corner}_intensity_ratio")).filter(|r| *r > 0.0))
        .collect();
    let inverse: Vec<f64> = corners?.iter().map(|ratio| 1.0 / ratio).collect();
    let mean = inverse.iter().sum::<f64>() / 4.0;
    let deviation = (inverse.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / 3.0).sqrt();
    let mut object = calibration("OpticalCalibration", dataset, row, id);
    let mut field = Object::new("FieldUniformityEvaluation");
    field.push("ID", format!("FieldUniformityEvaluation:{id}"), Origin::of(OriginKind::Synthesised));
    measured(
        &mut field,
        "MeanMaxtoCornerIntensityRatio",
        mean,
        "mean of the inverses of the four corner ratios",
    );
    measured(
        &mut field,
        "SDMaxtoCornerIntensityRatio",
        deviation,
        "standard deviation of the inverses of the four corner ratios",
    );
    for (name, key) in [
        ("MaxIntensityPixelXCoordinate", "max_intensity_pos_x"),
        ("MaxIntensityPixelYCoordinate", "max_intensity_pos_y"),
    ] {
        if let Some(position) = number(row, key) {
            measured(&mut field, name, position, key);
        }
    }
    object.children.push(field);
    Some(object)
}

fn excitation(dataset: &Json, row: &Json, id: &str) -> Option<Object> {
    let power = number(row, "power_mean_mw");
    let stability = ["short_term_power_stability", "long_term_power_stability"].map(|key| number(row, key));
    let r_squared =
        number(row, "power_linearity_coefficient_of_determination").filter(|r| (0.0..=1.0).contains(r));
    if power.is_none() && stability == [None, None] && r_squared.is_none() {
        return None;
    }
    let mut object = calibration("ExcitationCalibration", dataset, row, id);
    let place =
        row["measuring_location"].as_str().or(row["measurement_device"]["measuring_location"].as_str());
    if let Some(power) = power {
        let (name, unit) = match place {
            Some("OBJECTIVE_EXIT") => {
                ("ObseredIlluminationPowerAtSample", "ObseredIlluminationPowerAtSampleUnit")
            }
            Some("OBJECTIVE_BACKFOCAL") => {
                ("ObservedIlluminationPowerAtBackOfObjective", "ObservedIlluminationPowerAtBackObjectiveUnit")
            }
            _ => ("", ""),
        };
        if name.is_empty() {
            object.extra.insert("power_mean_mw".into(), json!(power));
        } else {
            measured(&mut object, name, power, "power_mean_mw");
            object.fields.retain(|f| f.name != unit);
            object.push(unit, "mW", Origin::of(OriginKind::Computed));
        }
    }
    if let Some(place) = place {
        object.extra.insert("measuring_location".into(), place.into());
    }
    // NBO counts in percent, 100 being perfectly stable; how the data set counts is not said there.
    for (key, value) in ["short_term_power_stability", "long_term_power_stability"].into_iter().zip(stability)
    {
        if let Some(value) = value {
            object.extra.insert(key.into(), json!(value));
        }
    }
    if let Some(r_squared) = r_squared {
        measured(
            &mut object,
            "IlluminationLinearity",
            r_squared.sqrt(),
            &format!("square root of R² {r_squared}"),
        );
    }
    Some(object)
}

fn calibration(class: &str, dataset: &Json, row: &Json, id: &str) -> Object {
    let mut object = Object::new(class);
    object.push("ID", format!("{class}:{id}"), Origin::of(OriginKind::Synthesised));
    let time =
        row["acquisition_datetime"].as_str().or(dataset["acquisition_datetime"].as_str()).map(str::trim);
    if let Some(day) = time.and_then(|t| t.get(..10)).filter(|day| value::is_date(day)) {
        object.push("Date", day, Origin::from(OriginKind::Computed, time.unwrap_or_default()));
    }
    if let Some(channel) = row["channel_name"].as_str().or(row["channel"].as_str()) {
        object.extra.insert("channel".into(), channel.into());
    }
    if !dataset["microscope"].is_null() {
        object.extra.insert("microscope".into(), dataset["microscope"].clone());
    }
    object
}

fn measured(object: &mut Object, name: &str, number: f64, from: &str) {
    object.push(name, number, Origin::from(OriginKind::Computed, format!("microscope-metrics: {from}")));
    let attribute = catalogue::class(&object.class).and_then(|c| c.attribute(name));
    if let Some((unit, default)) = attribute.and_then(|a| a.unit.zip(a.unit_default)) {
        object.push(unit, default, Origin::of(OriginKind::Computed));
    }
}

fn nanometres(micrometres: f64) -> f64 {
    unit::convert(micrometres, "µm", "nm").unwrap_or(micrometres * 1000.0)
}

fn number(row: &Json, key: &str) -> Option<f64> {
    row[key].as_f64().filter(|n| n.is_finite())
}
