//! How a channel was detected: detector, exposure, gain, binning, read-out, pinhole and scanning.

use std::collections::HashSet;

use serde_json::Value as Json;

use super::channels::{Channel, mention};
use super::exposures::{LEFT_OUT, RANGES};
use super::hardware::{self, is_a, with_noun};
use super::phrase::{Details, Phrase, gap, kept, list, phrase, said};
use super::wording::{article, number, quantity, tidy};
use crate::record::Object;

/// The detector, in full where it is mentioned first.
pub(super) fn detector(channel: &Channel<'_>, seen: &mut HashSet<String>) -> Phrase {
    let all = detector_settings(channel);
    if all.is_empty() {
        return kept(Some(channel.object), "detector", str::to_owned).map_or_else(
            || gap("detector"),
            |named| phrase![article(&named.plain()), " ", with_noun(named, "detector")],
        );
    }
    let described = all.into_iter().map(|settings| {
        channel.part(settings).map_or_else(
            || gap("detector"),
            |part| {
                let (noun, details) = hardware::detector(part);
                mention(part, &noun, details, seen)
            },
        )
    });
    list(described.collect())
}

/// Exposure, gain, binning, read-out and, of a confocal microscope, pinhole and scanning.
pub(super) fn settings(channel: &Channel<'_>) -> Details {
    let mut details = Details::default();
    exposure(channel, &mut details);
    let settings = detector_settings(channel).into_iter().next();
    let part = settings.and_then(|s| channel.part(s));
    match (number(settings, "AnalogGain"), number(settings, "AmplificationGain")) {
        (None, None) => {
            let gain = kept(Some(channel.object), "gain", str::to_owned)
                .or_else(|| kept(settings, "OME:@Gain", tidy));
            details.need(with("a gain of ", gain), "gain");
        }
        (analog, amplification) => {
            details.need(with("an analogue gain of ", analog), "analogue gain");
            details.need(with("an amplification gain of ", amplification), "amplification gain");
        }
    }
    let is_point = settings.is_some_and(|s| s.class == "PointDetectorSettings")
        || part.is_some_and(|part| is_a(part, "PointDetector"));
    if is_point {
        details.need(with("a voltage of ", quantity(settings, "Voltage")), "detector voltage");
        let counting = "whether photons were counted";
        match settings {
            Some(settings) => {
                details.need_either(settings, "PhotonCounting", ["photon counting", ""], counting);
            }
            None => details.missing.push(counting.to_owned()),
        }
    } else if settings.is_some_and(|s| s.class == "CameraSettings") || !is_scanned(channel) {
        let binning = said(settings, "Binning", |b, _| (b != "Other").then(|| b.replace('x', "×")))
            .or_else(|| kept(settings, "OME:@Binning", |b| b.replace('x', "×")))
            .or_else(|| kept(Some(channel.object), "binning", |b| b.replace('x', "×")));
        details.need(binning.map(|b| phrase![b, " binning"]), "binning");
        details.need(with("a readout rate of ", quantity(settings, "PixelReadOutRate")), "readout rate");
        if settings.is_some_and(|s| s.class == "CameraSettings") {
            let shutter =
                said(settings, "SensorExposureMode", |m, _| (m != "Other").then(|| m.to_lowercase()));
            details.need(with("a ", shutter), "sensor exposure mode");
        }
    }
    let depth = said(settings, "EffectiveBitDepth", |d, _| Some(d.replace("bit", "-bit")));
    details.need(depth.map(|d| phrase![d, " digitization"]), "bit depth");
    confocal(channel, &mut details);
    details
}

/// The time that a pixel was exposed: of the planes of this channel, or of what stands for them.
fn exposure(channel: &Channel<'_>, details: &mut Details) {
    let (field, lead, name) = if is_scanned(channel) {
        ("PixelDwellTime", "a pixel dwell time of ", "pixel dwell time")
    } else {
        ("ExposureTime", "an exposure time of ", "exposure time")
    };
    let is_own = |plane: &&Object| plane.number("TheC") == Some(channel.index as f64);
    let planes: Vec<&Object> = channel.pixels.children_of("Plane").filter(is_own).collect();
    let mut times: Vec<(f64, Phrase)> = planes
        .iter()
        .filter_map(|plane| Some((plane.number(field)?, quantity(Some(plane), field)?)))
        .collect();
    times.sort_by(|a, b| a.0.total_cmp(&b.0));
    let range = match (times.first(), times.last()) {
        (Some((least, time)), Some((greatest, _))) if least.total_cmp(greatest).is_eq() => {
            Some(phrase![lead, time.clone()])
        }
        (Some((_, least)), Some((_, greatest))) => Some(between(lead, least.clone(), greatest.clone())),
        _ => None,
    };
    let summed = || summed_up(channel).filter(|_| field == "ExposureTime");
    let noted = || {
        let time = kept(Some(channel.object), "exposureTime", |t| {
            let (digits, unit) = t.split_once(' ').unwrap_or((t, ""));
            format!("{} {unit}", tidy(digits)).trim().to_owned()
        });
        with(lead, time).filter(|_| field == "ExposureTime")
    };
    details.need(summed().or(range).or_else(noted), name);
}

/// The exposure of a channel whose planes are too many for the record, which has their least and greatest.
fn summed_up(channel: &Channel<'_>) -> Option<Phrase> {
    let all = channel.pixels.extra.get(LEFT_OUT)?.get(RANGES)?.as_array()?;
    let own = all.iter().find(|e| e["TheC"].as_u64() == Some(channel.index as u64))?;
    let time = |key: &str| own[key].as_f64();
    let (least, greatest, unit) = (time("least")?, time("greatest")?, own["unit"].as_str()?);
    let end = |value: f64| {
        let mut plane = Object::new("Plane");
        let derived = || crate::record::Origin::of(crate::record::OriginKind::Computed);
        plane.push("ExposureTime", value, derived());
        plane.push("ExposureTimeUnit", Json::from(unit), derived());
        quantity(Some(&plane), "ExposureTime")
    };
    if least.total_cmp(&greatest).is_eq() {
        return with("an exposure time of ", end(least));
    }
    Some(between("an exposure time of ", end(least)?, end(greatest)?))
}

fn between(lead: &str, least: Phrase, greatest: Phrase) -> Phrase {
    phrase![
        lead.replace("an exposure time of", "exposure times from")
            .replace("a pixel dwell time of", "pixel dwell times from"),
        least,
        " to ",
        greatest
    ]
}

fn confocal(channel: &Channel<'_>, details: &mut Details) {
    let scanner = channel.path().and_then(|p| p.child("ConfocalScannerSettings"));
    let aperture = channel.path().and_then(|p| p.child("PinholeSettings"));
    let kind = channel.object.str("IlluminationType").unwrap_or_default();
    let is_confocal = kind.starts_with("Confocal") && !kind.contains("photon");
    if !is_confocal && scanner.is_none() && aperture.is_none() {
        return;
    }
    let size = quantity(scanner, "PresetPinholeSize").or_else(|| number(aperture, "Aperture"));
    let noted = || kept(Some(channel.object), "pinhole", str::to_owned);
    details.need(with("a pinhole of ", size.or_else(noted)), "pinhole size");
    if !is_scanned(channel) {
        return;
    }
    details.need(
        said(scanner, "ScanDirectionality", |d, _| Some(format!("{} scanning", d.to_lowercase()))),
        "scan direction",
    );
    let method = said(scanner, "IntegrationMethod", |m, _| match m {
        "Average" => Some("averaging".to_owned()),
        "Sum" => Some("summation".to_owned()),
        _ => None,
    });
    let times = said(scanner, "IntegrationNumber", |n, _| Some(format!("{}×", tidy(n))));
    details.need(
        match (times, method) {
            (Some(times), Some(method)) => Some(phrase![times, " ", method]),
            (Some(times), None) => Some(phrase![times, " integration"]),
            (None, method) => method,
        },
        "averaging or summation",
    );
    details.need(
        said(scanner, "EffectiveZoom", |z, _| Some(format!("{}×", tidy(z)))).map(|z| phrase![z, " zoom"]),
        "zoom",
    );
}

/// Whether a point is scanned over the sample, so that a dwell time stands for an exposure.
fn is_scanned(channel: &Channel<'_>) -> bool {
    let kind = channel.object.str("IlluminationType").unwrap_or_default();
    let by_kind = kind.contains("single-spot") || kind.contains("photon laser scanning");
    by_kind || detector_settings(channel).iter().any(|s| s.class == "PointDetectorSettings")
}

fn detector_settings<'a>(channel: &Channel<'a>) -> Vec<&'a Object> {
    let all = channel.path().into_iter().flat_map(|p| p.children.iter());
    all.filter(|c| is_a(c, "DetectorSettingsGroup")).collect()
}

fn with(lead: &str, said: Option<Phrase>) -> Option<Phrase> {
    said.map(|said| phrase![lead, said])
}
