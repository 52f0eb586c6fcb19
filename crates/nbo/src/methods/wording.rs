//! How a journal writes numbers, units and names: `63×`, `0.103 µm`, `5%`, `6 and 7`, `an upright`.

use super::phrase::{Phrase, gap, phrase, said};
use crate::catalogue::{self, Base};
use crate::record::Object;
use crate::unit;

/// What a field says, as it is.
pub(super) fn plain(object: Option<&Object>, field: &str) -> Option<Phrase> {
    said(object, field, |words, _| Some(words.to_owned()))
}

/// A number without needless decimals: `63`, `1.40`, but `100` for `100.0`.
pub(super) fn number(object: Option<&Object>, field: &str) -> Option<Phrase> {
    said(object, field, |digits, _| Some(tidy(digits)))
}

/// A number with its unit, scaled if it is unwieldy: `0.103 µm`, `540 MHz`. Without a unit nobody knows what it means.
pub(super) fn quantity(object: Option<&Object>, field: &str) -> Option<Phrase> {
    let mut said = said(object, field, |digits, unit| {
        Some(unit.map_or_else(|| tidy(digits), |unit| measure(digits, unit)))
    })?;
    if said.facts().any(|fact| fact.unit.is_none()) {
        said.add(phrase![" ", gap(&format!("unit of the {}", spaced(field)))]);
    }
    Some(said)
}

/// The name of an attribute in words: `PresetPinholeSize` is a preset pinhole size.
pub(super) fn spaced(field: &str) -> String {
    let mut words = String::new();
    for c in field.chars() {
        if c.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(c.to_lowercase());
    }
    words
}

/// A length as a wavelength is written, in nanometres where that is possible.
pub(super) fn wavelength(object: Option<&Object>, field: &str) -> Option<Phrase> {
    said(object, field, |digits, unit| {
        let nanometres = digits.parse().ok().zip(unit).and_then(|(n, unit)| unit::convert(n, unit, "nm"));
        Some(match nanometres {
            Some(n) if unit != Some("nm") => format!("{} nm", decimal(n)),
            _ => measure(digits, unit?),
        })
    })
}

/// A fraction or percentage, by what its attribute holds. Text such as `5%` stays.
pub(super) fn percent(object: Option<&Object>, field: &str) -> Option<Phrase> {
    let is_fraction = object
        .and_then(|o| catalogue::class(&o.class)?.attribute(field))
        .is_some_and(|a| a.base == Base::Fraction);
    // OME writes these as fractions, though NBO calls them percentages and gives no limit.
    let derived = object.and_then(|o| o.field(field)).is_some_and(|f| f.origin.kind.name() == "derived");
    said(object, field, |digits, _| {
        let digits = digits.trim_end_matches('%').trim_end();
        Some(match digits.parse::<f64>() {
            Ok(n) if (is_fraction || derived) && (0.0..=1.0).contains(&n) => {
                format!("{}%", decimal(n * 100.0))
            }
            Ok(_) => format!("{}%", tidy(digits)),
            Err(_) => digits.to_owned(),
        })
    })
}

/// A word of a value list, as prose has it: `HardCoated` is `hard-coated`. `Other` and `None` say nothing.
pub(super) fn word(object: Option<&Object>, field: &str) -> Option<Phrase> {
    said(object, field, |listed, _| prose(listed))
}

/// So many of one thing, or of several, in words below ten: `one channel`, `two channels`, `12 channels`.
pub(super) fn count(digits: &str, one: &str, several: &str) -> String {
    let number = tidy(digits);
    match number.parse::<usize>().ok().filter(|n| *n > 0).and_then(|n| BELOW_TEN.get(n - 1)) {
        Some(&"one") => format!("one {one}"),
        Some(word) => format!("{word} {several}"),
        None => format!("{number} {several}"),
    }
}

/// Small numbers as prose has them.
const BELOW_TEN: [&str; 9] = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

/// A number and a unit.
pub(super) fn measure(digits: &str, unit: &str) -> String {
    let value = digits.parse::<f64>().ok().filter(|v| v.is_finite());
    let is_unwieldy = value.is_some_and(|v| v != 0.0 && !(0.01..10_000.0).contains(&v.abs()));
    let is_usual = SCALES.iter().flat_map(|scale| scale.iter()).any(|known| *known == unit);
    if let Some(value) = value.filter(|_| is_unwieldy || !is_usual && !["min", "h", "d"].contains(&unit))
        && let Some((scaled, other)) = scale(value, unit)
    {
        return format!("{} {}", decimal(scaled), symbol(other));
    }
    match unit {
        "%" => format!("{}%", tidy(digits)),
        _ => format!("{} {}", tidy(digits), symbol(unit)),
    }
}

/// The units that a reader expects, the smallest first.
const SCALES: [&[&str]; 5] = [
    &["pm", "nm", "µm", "mm", "m"],
    &["ns", "µs", "ms", "s"],
    &["Hz", "kHz", "MHz", "GHz"],
    &["nW", "µW", "mW", "W"],
    &["µV", "mV", "V", "kV"],
];

/// A value in the unit of its kind in which it has one to three digits before the point.
fn scale(value: f64, unit: &str) -> Option<(f64, &'static str)> {
    let scale = SCALES.iter().find(|scale| unit::convert(1.0, unit, scale[0]).is_some())?;
    let steps = scale.iter().rev().filter_map(|to| Some((unit::convert(value, unit, to)?, *to)));
    // The largest unit does not help with what is beyond it.
    steps.into_iter().find(|(v, _)| v.abs() >= 1.0).filter(|(v, _)| v.abs() < 10_000.0)
}

/// The unit as it is printed.
fn symbol(unit: &str) -> String {
    match unit {
        "decibel (dB)" => "dB".to_owned(),
        "e-" => "e⁻".to_owned(),
        "Pixel" => "pixels".to_owned(),
        "fps" => "frames per second".to_owned(),
        _ => unit.replace("m2", "m²"),
    }
}

/// Digits as the source has them, without a fraction of zeros; thousands stay unseparated, as in SI below 10 000.
pub(super) fn tidy(digits: &str) -> String {
    let digits = digits.trim();
    match digits.split_once('.') {
        Some((whole, zeros)) if !whole.is_empty() && zeros.bytes().all(|b| b == b'0') => whole.to_owned(),
        _ if digits.contains(['e', 'E']) => digits.parse().map_or_else(|_| digits.to_owned(), decimal),
        _ => digits.to_owned(),
    }
    .replacen('-', "−", usize::from(digits.starts_with('-')))
}

/// A calculated number to six significant digits.
pub(super) fn decimal(value: f64) -> String {
    let rounded: f64 = format!("{value:.5e}").parse().unwrap_or(value);
    format!("{rounded}")
}

/// A word of a list in running text.
pub(super) fn prose(listed: &str) -> Option<String> {
    let listed = listed.trim();
    let known = WORDS.iter().find(|(from, _)| *from == listed);
    let words = match known {
        Some((_, "")) => return None,
        Some((_, words)) => return Some((*words).to_owned()),
        None => listed.replace('_', " "),
    };
    Some(words.split(' ').map(lower).collect::<Vec<_>>().join(" "))
}

/// A word in lower case, unless it is an abbreviation or a name within.
fn lower(word: &str) -> String {
    let mut letters = word.chars();
    letters.next();
    let rest: String = letters.collect();
    let is_plain = rest.chars().all(|c| !c.is_uppercase() && !c.is_ascii_digit());
    if is_plain && !rest.is_empty() { word.to_lowercase() } else { word.to_owned() }
}

/// Words of the lists that prose spells differently; the empty ones say nothing.
const WORDS: [(&str, &str); 34] = [
    ("Other", ""),
    ("None", ""),
    ("BandPass", "band-pass"),
    ("BandStop", "band-stop"),
    ("LongPass", "long-pass"),
    ("ShortPass", "short-pass"),
    ("MultiPass", "multi-band-pass"),
    ("HardCoated", "hard-coated"),
    ("SoftCoated", "soft-coated"),
    ("WholeOrganism", "whole organism"),
    ("Cell", "cells"),
    ("Sub-Cellular structure", "subcellular structure"),
    ("HightThroughputScreen", "high-throughput screening"),
    ("TimeLapse", "time-lapse imaging"),
    ("OpticalTrapping", "optical trapping"),
    ("PhotoAblation", "photoablation"),
    ("Objective heather", "objective heater"),
    ("Hardware based", "hardware-based"),
    ("Image based", "image-based"),
    ("Commercial-as is", "commercial"),
    ("Commercial-custom modified", "commercial, custom-modified"),
    ("VAREL", "VAREL"),
    ("VarelConrast", "VAREL contrast"),
    ("Differential Intensity Contrast (DIC)", "differential interference contrast (DIC)"),
    ("HoffmanModulation", "Hoffman modulation contrast"),
    ("ObliqueIllumination", "oblique illumination"),
    ("PhaseContrast", "phase contrast"),
    ("PolarizedLight", "polarized light"),
    ("Gallius arsenide", "gallium arsenide"),
    ("MetalVapor", "metal-vapour"),
    ("SolidState", "solid-state"),
    ("DiodePumpedSolidState (DPSS)", "diode-pumped solid-state (DPSS)"),
    ("SemiconductorLaserDiode", "semiconductor diode"),
    ("Glass slide", "glass slide"),
];

/// What an illumination type is called as a kind of microscopy.
pub(super) fn microscopy(listed: &str) -> Option<String> {
    let listed = listed.trim();
    let words = match listed {
        "Other" => return None,
        "4DPlus" => "4D+ microscopy",
        "Wide-field_Fluorescence" => "wide-field fluorescence microscopy",
        "Confocal_Fluorescence_array-raster-scan" => "array-scanning confocal fluorescence microscopy",
        "Confocal_Fluorescence_single-spot-raster-scan" => "laser scanning confocal fluorescence microscopy",
        "Confocal_Fluorescence_slit-raster-scan" => "slit-scanning confocal fluorescence microscopy",
        "Confocal_Fluorescence_spinning disk" => "spinning-disk confocal fluorescence microscopy",
        "Confocal_Fluorescence_swept-field" => "swept-field confocal fluorescence microscopy",
        "Confocal_Fluorescence_Two-photon laser scanning microscopy" => {
            "two-photon laser scanning microscopy"
        }
        "Confocal_Fluorescence_Multi-photon laser scanning microscopy" => {
            "multiphoton laser scanning microscopy"
        }
        "Light Sheet Fluorescence Microscopy (LSFM)" => "light sheet fluorescence microscopy (LSFM)",
        "SPIM (Selective or Single Plane Illumination Microscopy)"
        | "Widefield_Fluorescence_SPIM (Selective or Single Plane Illumination Microscopy)" => {
            "selective plane illumination microscopy (SPIM)"
        }
        "TIRF (Total Total Internal Reflection Fluorescence)"
        | "Widefield_Fluorescence_TIRF (Total Internal Reflection Fluorescence)" => {
            "total internal reflection fluorescence (TIRF) microscopy"
        }
        "Transmitted_Bright-field" => "transmitted-light bright-field microscopy",
        "Transmitted_Dark-field" => "transmitted-light dark-field microscopy",
        "Transmitted_Differential Intensity Contrast (DIC; Nomarski)" => {
            "differential interference contrast (DIC) microscopy"
        }
        "Transmitted_Hoffman modulation" => "Hoffman modulation contrast microscopy",
        "Transmitted_Phase contrast (Zernicke)" => "phase contrast microscopy",
        "Transmitted_Polarization" => "polarized-light microscopy",
        "Transmitted_Oblique illumination" => "oblique illumination microscopy",
        "Transmitted_Varel contrast" => "VAREL contrast microscopy",
        _ => return Some(other_microscopy(listed)),
    };
    Some(words.to_owned())
}

/// `Super-Resolution_STED (Stimulated Emission Depletion)` is STED (Stimulated Emission Depletion) super-resolution
/// microscopy; others keep their words.
fn other_microscopy(listed: &str) -> String {
    if let Some(method) = listed.strip_prefix("Super-Resolution_") {
        return format!("{method} super-resolution microscopy");
    }
    let method =
        listed.strip_prefix("Widefield_Fluorescence_").map(|m| format!("wide-field fluorescence {m}"));
    let words = method.unwrap_or_else(|| listed.replace('_', " "));
    if words.to_lowercase().contains("microscopy") { words } else { format!("{words} microscopy") }
}

/// Words with their article, by how the first of them is spoken.
pub(super) fn article(words: &str) -> &'static str {
    let first: String = words.chars().take_while(|c| c.is_alphanumeric()).collect();
    let mut letters = first.chars();
    let (Some(initial), next) = (letters.next(), letters.next()) else { return "a" };
    // Read out letter by letter: an LSM, an FT 395, an X-Cite, a CCD.
    let has_vowel = first.chars().any(|c| "AEIOUYaeiouy".contains(c));
    let is_short = first.chars().count() <= 3;
    let spelt = next.is_none_or(|c| !c.is_lowercase()) && (!has_vowel || is_short);
    if initial.is_ascii_digit() {
        let whole = first.trim_end_matches(|c: char| !c.is_ascii_digit());
        return if initial == '8' || whole == "11" || whole == "18" { "an" } else { "a" };
    }
    let vowel = match initial {
        'A' | 'E' | 'I' | 'O' | 'a' | 'e' | 'i' | 'o' => true,
        // An upright, but a UV filter, a UPlan, a unit.
        'U' | 'u' => next.is_some_and(|c| c.is_lowercase()) && !first.to_lowercase().starts_with("uni"),
        'F' | 'H' | 'L' | 'M' | 'N' | 'R' | 'S' | 'X' => spelt,
        _ => false,
    };
    if vowel { "an" } else { "a" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn articles_are_chosen_by_sound() {
        for (words, expected) in [
            ("upright", "an"),
            ("UPlanApo", "a"),
            ("LSM 880", "an"),
            ("LED", "an"),
            ("Leica", "a"),
            ("X-Cite", "an"),
            ("CCD", "a"),
            ("EMCCD", "an"),
            ("NIKON", "a"),
            ("8-bit", "an"),
            ("80×", "an"),
            ("16", "a"),
            ("FT 395", "an"),
            ("ET525", "an"),
            ("SP5", "an"),
            ("[not", "a"),
        ] {
            assert_eq!(article(words), expected, "{words}");
        }
    }

    #[test]
    fn numbers_keep_their_digits_and_unwieldy_ones_change_their_unit() {
        for (digits, unit, expected) in [
            ("0.103", "µm", "0.103 µm"),
            ("0.10", "µm", "0.10 µm"),
            ("100.0", "ms", "100 ms"),
            ("540000000", "Hz", "540 MHz"),
            ("10000.0", "µm", "10 mm"),
            ("1.5E-6", "s", "1.5 µs"),
            ("0.02", "s", "0.02 s"),
            ("-340.0", "µm", "−340 µm"),
            ("0", "s", "0 s"),
            ("7.4", "mW/µm2", "7.4 mW/µm²"),
            ("5", "reference frame", "5 reference frame"),
        ] {
            assert_eq!(measure(digits, unit), expected);
        }
    }

    #[test]
    fn words_of_lists_become_prose() {
        assert_eq!(prose("Mineral Oil").as_deref(), Some("mineral oil"));
        assert_eq!(prose("Ph1").as_deref(), Some("Ph1"));
        assert_eq!(prose("HardCoated").as_deref(), Some("hard-coated"));
        assert_eq!(prose(" Other"), None);
        assert_eq!(
            microscopy("Super-Resolution_STED (Stimulated Emission Depletion)").as_deref(),
            Some("STED (Stimulated Emission Depletion) super-resolution microscopy")
        );
    }
}
