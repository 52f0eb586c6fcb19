//! Calibration and quality control with their dates: what an image carries, or else the latest of each kind on its
//! microscope before it was taken.

use std::collections::HashMap;

use super::book::Book;
use super::phrase::{Details, Fact, Phrase, Piece, gap, phrase};
use super::wording::{decimal, measure};
use crate::qc::{Event, Index, KINDS, Metric, Wavelength};
use crate::record::{Object, OriginKind};

/// What a metric is called.
const NAMES: [(&str, &str); 24] = [
    ("MedianXYSpotSize_FWHM", "median lateral FWHM"),
    ("TheoreticalXYSpotSize_FWHM", "theoretical lateral FWHM"),
    ("MedianZSpotSize_FWHM", "median axial FWHM"),
    ("TheoreticaZSpotSize_FWHM", "theoretical axial FWHM"),
    ("LateralAsymmetry", "lateral asymmetry"),
    ("AxialAsymmetry", "axial asymmetry"),
    ("Planarity", "planarity"),
    ("XChromaticShift_RT", "chromatic shift in x"),
    ("YChromaticShift_RT", "chromatic shift in y"),
    ("AxialChromaticShift_RT", "axial chromatic shift"),
    ("MeanMaxtoCornerIntensityRatio", "ratio of maximal to corner intensity"),
    ("PercentageNominalPowerSettings", "power setting"),
    ("ObservedIlluminationPowerAtBackOfObjective", "power at the back of the objective"),
    ("ObseredIlluminationPowerAtSample", "power at the sample"),
    ("ShortTermIlluminationStability", "short-term stability"),
    ("LongTermIlluminationStability", "long-term stability"),
    ("IlluminationLinearity", "linearity"),
    ("ObservedIrradianceAtSample", "irradiance at the sample"),
    ("MeasuredXReproducibility", "reproducibility in x"),
    ("MeasuredYReproducibility", "reproducibility in y"),
    ("MeasuredFocalReproducibility", "focal reproducibility"),
    ("MeasuredXRepeatability", "repeatability in x"),
    ("MeasuredYRepeatability", "repeatability in y"),
    ("MeasuredFocalRepeatability", "focal repeatability"),
];

/// The sentences about the images of an entry of the index, or a mark that nothing is recorded.
pub(super) fn sentences(book: &Book<'_>, entry: Option<usize>) -> Vec<Phrase> {
    let sentences = said(book, events(&book.index, entry));
    if sentences.is_empty() {
        return vec![phrase![
            "The microscope was calibrated on ",
            gap("date, kind and result of calibration and quality control"),
            "."
        ]];
    }
    sentences
}

/// Whether an image without a sample carries a calibration of the day on which it was taken that names no other image to
/// have been measured on: it is the image of the beads, the flat field or the dark.
pub(super) fn is_measured_on_itself(image: &Object) -> bool {
    let day = |date: &str| date.get(..10).map(str::to_owned);
    let Some(taken) = image.str("AcquisitionDate").and_then(day) else { return false };
    let is_own = |o: &&Object| {
        KINDS.contains(&o.class.as_str())
            && o.str("Date").and_then(day).is_some_and(|date| date == taken)
            && !o.descendants().iter().any(|c| c.class.ends_with("ImageRef"))
    };
    image.descendants().iter().any(is_own)
}

/// The sentences about every calibration of a record that describes no image.
pub(super) fn all(book: &Book<'_>) -> Vec<Phrase> {
    said(book, book.index.events.iter().collect())
}

/// Sentences in the order of the kinds.
fn said(book: &Book<'_>, mut events: Vec<&Event>) -> Vec<Phrase> {
    events.sort_by_key(|event| KINDS.iter().position(|kind| *kind == event.kind));
    // Alike calibrations of several channels are one sentence for each date and kind.
    let mut sentences: Vec<(String, Phrase, Vec<Phrase>)> = Vec::new();
    for event in events {
        let Some(lead) = lead(book, event) else { continue };
        let detail = detail(book, event);
        match sentences.iter_mut().find(|(known, ..)| *known == lead.plain()) {
            Some((_, _, details)) if details.iter().all(|d| d.plain() != detail.plain()) => {
                details.push(detail);
            }
            Some(_) => {}
            None => sentences.push((lead.plain(), lead, vec![detail])),
        }
    }
    let joined = sentences.into_iter().map(|(_, lead, details)| {
        let mut all = lead;
        let details: Vec<Phrase> = details.into_iter().filter(|d| !d.is_empty()).collect();
        for (i, detail) in details.into_iter().enumerate() {
            all.add(if i == 0 { ": " } else { "; " });
            all.add(detail);
        }
        phrase![all, "."]
    });
    joined.collect()
}

/// What applies to an image: all that it carries, and of each kind and light that it does not the latest of its
/// microscope on or before its date.
fn events(index: &Index, entry: Option<usize>) -> Vec<&Event> {
    let Some(entry) = entry.and_then(|entry| index.images.get(entry)) else { return Vec::new() };
    // An event names the first image of every entry that carries it.
    let carries = |event: &&Event| event.images.iter().any(|image| entry.images.contains(image));
    let own: Vec<&Event> = index.events.iter().filter(carries).collect();
    let Some(instrument) = entry.instrument.as_deref() else { return own };
    let mut latest: HashMap<String, &Event> = HashMap::new();
    for event in &index.events {
        let is_optical = event.kind == "OpticalCalibration";
        let other_objective = event.objective.is_some() && event.objective != entry.objective;
        let is_later =
            event.date.as_deref().zip(entry.acquisition_date.as_deref()).is_some_and(|(e, a)| e > a);
        let is_own_kind = own.iter().any(|o| o.kind == event.kind);
        if event.instrument.as_deref() != Some(instrument)
            || is_optical && other_objective
            || is_later
            || is_own_kind
        {
            continue;
        }
        let key =
            format!("{} {:?} {:?} {:?}", event.kind, event.channels, event.wavelength, event.wavelengths);
        let known = latest.entry(key).or_insert(event);
        if event.date > known.date {
            *known = event;
        }
    }
    let applies = |event: &&Event| {
        own.iter().any(|o| std::ptr::eq(*o, *event)) || latest.values().any(|l| std::ptr::eq(*l, *event))
    };
    index.events.iter().filter(applies).collect()
}

fn lead(book: &Book<'_>, event: &Event) -> Option<Phrase> {
    let what = match event.kind.as_str() {
        "OpticalCalibration" if event.point_spread_function == Some(true) => {
            "The point spread function was measured"
        }
        // What is evaluated in it has a sentence of its own.
        "OpticalCalibration" if event.metrics.is_empty() => return None,
        "OpticalCalibration" => "The optics were calibrated",
        "ChromaticRegistrationEvaluation" => "The registration of colours was measured",
        "FieldUniformityEvaluation" => "The uniformity of the field was measured",
        "ExcitationCalibration" => "The illumination was calibrated",
        "DetectorCalibration" => "The detector was calibrated",
        "MechanicalCalibration" => "Stage and focus were calibrated",
        "IntensityCalibrationTool" | "LightSensor" if event.date.is_none() => return None,
        "IntensityCalibrationTool" | "LightSensor" => {
            "The instrument that measures illumination was calibrated"
        }
        _ => return None,
    };
    let date = event.date.clone().map(|date| fact(book, event, "Date", date.clone().into(), None, date));
    let date = phrase![" on ", date.unwrap_or_else(|| gap("date of the calibration"))];
    let mut details = Details::default();
    details
        .may(event.standard.as_ref().map(|s| fact(book, event, "Method", s.clone().into(), None, s.clone())));
    details.may(
        event
            .software
            .as_ref()
            .map(|s| fact(book, event, "CalibrationSoftware", s.clone().into(), None, s.clone())),
    );
    details.may(event.microscope.as_ref().and_then(|named| {
        let named = named.described()?;
        Some(phrase!["microscope ", fact(book, event, "microscope", named.clone().into(), None, named)])
    }));
    Some(phrase![what, date, details.bracketed()])
}

fn detail(book: &Book<'_>, event: &Event) -> Phrase {
    let mut at = Vec::new();
    if let [reference, test] = event.wavelengths.as_slice() {
        let (reference, test) = (light(book, event, reference), light(book, event, test));
        at.push(phrase!["between ", reference, " and ", test]);
    } else if let Some(wavelength) = &event.wavelength {
        at.push(phrase!["at ", light(book, event, wavelength)]);
    }
    let mut metrics = Details::default();
    for (name, words) in NAMES {
        for metric in event.metrics.iter().filter(|m| m.name == name) {
            metrics.said.push(phrase![words, " ", value(book, event, metric)]);
        }
    }
    let count = event.metrics.iter().find(|m| m.name == "SampleSize");
    if let Some(count) = count {
        metrics.said.push(phrase!["n = ", value(book, event, count)]);
    }
    let channels = match event.channels.as_slice() {
        [] => Phrase::default(),
        all => {
            let named: Vec<String> =
                all.iter().filter(|c| !c.contains(':')).map(|c| format!("“{c}”")).collect();
            match named.as_slice() {
                [] => Phrase::default(),
                [_] => format!("for channel {}", named[0]).into(),
                _ => format!("for channels {}", super::phrase::enumerate(&named)).into(),
            }
        }
    };
    let mut lead = channels;
    for part in at {
        if !lead.is_empty() {
            lead.add(" ");
        }
        lead.add(part);
    }
    let metrics = metrics.items();
    match (lead.is_empty(), metrics.is_empty()) {
        (_, true) => lead,
        (true, false) => metrics,
        (false, false) => phrase![lead, ", ", metrics],
    }
}

fn value(book: &Book<'_>, event: &Event, metric: &Metric) -> Phrase {
    let digits = decimal(metric.value);
    let mut text = metric.unit.as_deref().map_or_else(|| digits.clone(), |unit| measure(&digits, unit));
    if let Some(sd) = metric.sd {
        text = match metric.unit.as_deref() {
            Some(unit) => format!("{digits} ± {}", measure(&decimal(sd), unit)),
            None => format!("{digits} ± {}", decimal(sd)),
        };
    }
    fact(book, event, &metric.name, metric.value.into(), metric.unit.clone(), text)
}

fn light(book: &Book<'_>, event: &Event, wavelength: &Wavelength) -> Phrase {
    let text = measure(&decimal(wavelength.value), &wavelength.unit);
    fact(book, event, "Wavelength", wavelength.value.into(), Some(wavelength.unit.clone()), text)
}

/// A value of the index, with the origin that the record has for it.
fn fact(
    book: &Book<'_>,
    event: &Event,
    field: &str,
    value: serde_json::Value,
    unit: Option<String>,
    text: String,
) -> Phrase {
    let object = event.id.as_deref().and_then(|id| book.find(id, &event.kind));
    let origin = object.and_then(|object| object.field(field)).map(|found| &found.origin);
    Phrase(vec![Piece::Fact(Box::new(Fact {
        text,
        class: event.kind.clone(),
        id: event.id.clone(),
        field: field.to_owned(),
        value,
        unit,
        origin: origin.map_or(OriginKind::Explicit, |o| o.kind).name(),
        from: origin.and_then(|o| o.from.clone()),
        source: None,
    }))])
}
