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
//! | power at objective exit or focus, back focal plane | power at sample, at back of objective | none; mW |
//! | set point of all measurements of a light source | `PercentageNominalPowerSettings` | times 100 |
//! | wavelength of the light source | `NominalEx-Wavelength`, nm | none |
//! | valid beads, number of measurements | `SampleSize` | none |
//! | diameter of the beads, µm | `ColoredBeads` `Diameter` | none |
//! | software and its version | `CalibrationSoftware` | none |
//! | date and time | date | the day |
//!
//! Standard deviations, for which NBO has no field, stand in `extra` of the calibration by the name of the value that
//! they belong to, and in the index of quality control. Everything else stays in the source document. A serial number
//! is no catalogue number, and measuring places other than those have no field in NBO.

use serde_json::{Value as Json, json};

use super::not_mapped;
use crate::catalogue;
use crate::record::{Object, Origin, OriginKind, Record, value};
use crate::unit;

/// Whether JSON is a data set, with results or without.
pub(super) fn is_metrics(json: &Json) -> bool {
    measurements(json).is_some()
        || (json["microscope"].is_object()
            && json["processed"].is_boolean()
            && json.get("input_data").is_some())
}

/// YAML of a data set.
pub(super) fn from_yaml(text: &str) -> Option<Json> {
    // Anything is YAML; what has no such member is not worth reading as YAML.
    if !["key_measurements:", "processed:"].iter().any(|member| text.contains(member)) {
        return None;
    }
    serde_saphyr::from_str::<Json>(text).ok().filter(is_metrics)
}

/// Reads a data set: one calibration per channel or measurement.
pub fn metrics(json: &Json) -> Record {
    let mut record = Record::default();
    let stem =
        json["name"].as_str().or(json["id"].as_str()).unwrap_or("metrics").replace(char::is_whitespace, "_");
    let rows = measurements(json);
    if rows.is_none() {
        not_mapped(
            &mut record,
            format!("data set {stem} of microscope-metrics has not been processed: it holds no measurement"),
        );
    }
    let rows = rows.unwrap_or_default();
    let mut kept = Vec::new();
    for (i, row) in rows.into_iter().enumerate() {
        let found = calibrations(json, &row, &format!("{stem}:{i}"));
        if found.is_empty() {
            let keys: Vec<_> = row.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect();
            let why = format!(
                "measurement {i} of data set {stem} has nothing that NBO has a field for: {}",
                keys.join(", ")
            );
            not_mapped(&mut record, why);
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
    let [dx, dy, dz] = ["x", "y", "z"].map(|axis| number(row, &format!("fwhm_micron_{axis}_std")));
    // Of two axes the spread is the root of the mean square.
    if let (Some(x), Some(y)) = (dx, dy) {
        spread(&mut object, "MedianXYSpotSize_FWHM", nanometres((x * x + y * y).sqrt() / 2f64.sqrt()));
    }
    if let Some(z) = dz {
        spread(&mut object, "MedianZSpotSize_FWHM", nanometres(z));
    }
    if let Some(ratio) = number(row, "fwhm_lateral_asymmetry_ratio_std") {
        spread(&mut object, "LateralAsymmetry", ratio);
    }
    let beads = ["considered_valid_count", "total_bead_count"]
        .iter()
        .find_map(|key| Some((*key, row[*key].as_u64()?)));
    if let Some((key, n)) = beads.filter(|(_, n)| *n > 0) {
        object.push(
            "SampleSize",
            n,
            Origin::from(OriginKind::Computed, format!("microscope-metrics: {key}")),
        );
    }
    if let Some(slide) = bead_slide(dataset) {
        object.children.push(slide);
    }
    object.children.extend(software(dataset));
    Some(object)
}

/// The beads, as far as their diameter is said, and who made the slide.
fn bead_slide(dataset: &Json) -> Option<Object> {
    let places = [("sample", "bead_diameter_micron"), ("input_parameters", "bead_diameter_micron")];
    let (place, diameter) =
        places.iter().find_map(|(member, key)| Some((*member, number(&dataset[*member], key)?)))?;
    let mut slide = Object::new("ColoredBeadsSlide");
    if let Some(maker) = dataset["sample"]["manufacturer"].as_str() {
        slide.push("Manufacturer", maker, Origin::from(OriginKind::Explicit, "microscope-metrics: sample"));
    }
    let mut beads = Object::new("ColoredBeads");
    let from =
        || Origin::from(OriginKind::Explicit, format!("microscope-metrics: {place} bead_diameter_micron"));
    beads.push("Diameter", diameter, from());
    beads.push("DiameterUnit", "µm", from());
    slide.children.push(beads);
    Some(slide)
}

/// What the data set was processed with.
fn software(dataset: &Json) -> Option<Object> {
    let output = &dataset["output"];
    let name = output["processing_application"].as_str()?;
    let mut software = Object::new("CalibrationSoftware");
    software.push(
        "Name",
        name,
        Origin::from(OriginKind::Explicit, "microscope-metrics: processing_application"),
    );
    if let Some(version) = output["processing_version"].as_str() {
        software.push(
            "Version",
            version,
            Origin::from(OriginKind::Explicit, "microscope-metrics: processing_version"),
        );
    }
    Some(software)
}

/// The standard deviation of a value, in that value's unit.
fn spread(object: &mut Object, name: &str, deviation: f64) {
    let all = object.extra.entry("standardDeviation").or_insert_with(|| json!({}));
    if let Json::Object(all) = all {
        all.insert(name.to_owned(), deviation.into());
    }
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
    object.children.extend(software(dataset));
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
            Some("OBJECTIVE_EXIT" | "OBJECTIVE_FOCAL") => {
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
            if let Some(deviation) = number(row, "power_std_mw") {
                spread(&mut object, name, deviation);
            }
        }
    }
    light_source(dataset, row, &mut object);
    if let Some(n) = row["nr_of_measurements"].as_u64().filter(|n| *n > 0) {
        object.push(
            "SampleSize",
            n,
            Origin::from(OriginKind::Computed, "microscope-metrics: nr_of_measurements"),
        );
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
    object.children.extend(software(dataset));
    Some(object)
}

/// The wavelength, the set point and the power meter, which stand with the single measurements of the light source.
fn light_source(dataset: &Json, row: &Json, object: &mut Object) {
    let name = |json: &Json| json.as_str().or(json["name"].as_str()).map(str::to_owned);
    let source = name(&row["light_source"]);
    let single = dataset["input_data"]["power_measurements"].as_array().map_or(&[][..], Vec::as_slice);
    let own: Vec<&Json> =
        single.iter().filter(|m| source.is_some() && name(&m["light_source"]) == source).collect();
    let nm = number(&row["light_source"], "wavelength_nm")
        .or_else(|| own.iter().find_map(|m| number(&m["light_source"], "wavelength_nm")));
    if let Some(nm) = nm {
        measured(object, "NominalEx-Wavelength", nm, "wavelength_nm of the light source");
    }
    let points: Vec<f64> = own.iter().filter_map(|m| number(m, "power_set_point")).collect();
    // Of a series of set points none is that of the mean.
    if let [first, rest @ ..] = points.as_slice()
        && points.len() == own.len()
        && rest.iter().all(|point| point.total_cmp(first).is_eq())
    {
        // Fifteen digits: 0.29 are 29 %, not 28.999999999999996.
        let percent = format!("{:.14e}", first * 100.0).parse().unwrap_or(first * 100.0);
        measured(object, "PercentageNominalPowerSettings", percent, &format!("power_set_point {first}"));
    }
    if let Some(source) = source {
        object.extra.insert("lightSource".into(), source.into());
    }
    let meter = name(&row["power_meter"]);
    let known = own.iter().map(|m| &m["power_meter"]).find(|m| meter.is_none() || name(m) == meter);
    let words = known.into_iter().flat_map(|m| ["manufacturer", "model"].map(|key| m[key].as_str()));
    let made: Vec<&str> = words.flatten().collect();
    let method = match (meter, made.join(" ")) {
        (Some(meter), made) if made.is_empty() => format!("power meter {meter}"),
        (Some(meter), made) => format!("power meter {meter} ({made})"),
        (None, _) => return,
    };
    object.push("Method", method, Origin::from(OriginKind::Computed, "microscope-metrics: power_meter"));
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
    let emission = number(row, "emission_wavelength_nm").or_else(|| {
        let channels = &dataset["input_data"];
        let named = |channel: &&Json| {
            channel["name"].is_string() && channel["name"] == row["channel_name"]
                || channel["channel_name"].is_string() && channel["channel_name"] == row["channel_name"]
        };
        channel_series(channels).into_iter().find(named).and_then(|c| number(c, "emission_wavelength_nm"))
    });
    if let Some(nm) = emission {
        object.extra.insert("emission".into(), json!({"value": nm, "unit": "nm"}));
    }
    if !dataset["microscope"].is_null() {
        object.extra.insert("microscope".into(), dataset["microscope"].clone());
    }
    object
}

/// The channels that the images of a data set describe.
fn channel_series(input: &Json) -> Vec<&Json> {
    let images = input.as_object().into_iter().flatten().flat_map(|(_, images)| match images {
        Json::Array(list) => list.iter().collect::<Vec<_>>(),
        one => vec![one],
    });
    let channels =
        images.flat_map(|image| image["channel_series"]["channels"].as_array().into_iter().flatten());
    channels.collect()
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
