//! Which listed value somebody may have meant.

use strsim::damerau_levenshtein;

use crate::catalogue::EnumList;

/// The nearest value of a list, where one is near enough to be offered.
pub(super) fn nearest(list: &EnumList, text: &str) -> Option<&'static str> {
    let text = text.trim();
    if list.is_units() { unit(list.values, text) } else { word(list.values, text) }
}

/// What is often said for a listed value, and in no way resembles it.
const SAID_FOR: [(&str, &str); 14] = [
    ("oil", "Mineral Oil"),
    ("immersion oil", "Mineral Oil"),
    ("waterdipping", "Dipping"),
    ("dry", "Air"),
    ("widefield", "Wide-field_Fluorescence"),
    ("wide-field", "Wide-field_Fluorescence"),
    ("epifluorescence", "Wide-field_Fluorescence"),
    ("phase", "PhaseContrast"),
    ("dic", "Differential Intensity Contrast (DIC)"),
    ("sim", "Super-Resolution_SIM (Structured Illumination Microscopy)"),
    ("excimer", "Other"),
    ("freeelectron", "Other"),
    ("incandescent", "Standard"),
    ("semiconductor", "SemiconductorLaserDiode"),
];

fn word(values: &'static [&'static str], text: &str) -> Option<&'static str> {
    let given = text.to_lowercase();
    let listed = |name: &str| values.iter().find(|v| v.trim() == name).copied();
    if let Some(found) = SAID_FOR.iter().filter(|(said, _)| *said == given).find_map(|(_, v)| listed(v)) {
        return Some(found);
    }
    // A slip of the pen changes at most a third of the letters.
    let letters = |s: &str| s.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    let given = letters(text);
    let distance = |value: &&&'static str| damerau_levenshtein(&letters(value), &given);
    if let Some(found) = values.iter().min_by_key(distance)
        && distance(&found) * 3 <= given.chars().count()
    {
        return Some(*found);
    }
    // Part of a longer name: of several the shortest says least beyond what was said.
    let part_of = |value: &&&'static str| given.chars().count() >= 3 && letters(value).contains(&given);
    values.iter().filter(part_of).min_by_key(|v| v.len()).copied()
}

/// Names of units for which the lists have symbols only.
const NAMES: [(&str, &str); 22] = [
    ("micron", "µm"),
    ("microns", "µm"),
    ("micrometer", "µm"),
    ("micrometre", "µm"),
    ("nanometer", "nm"),
    ("nanometre", "nm"),
    ("millimeter", "mm"),
    ("millimetre", "mm"),
    ("sec", "s"),
    ("second", "s"),
    ("seconds", "s"),
    ("msec", "ms"),
    ("millisecond", "ms"),
    ("milliseconds", "ms"),
    ("usec", "µs"),
    ("minutes", "min"),
    ("hour", "h"),
    ("hours", "h"),
    ("c", "°C"),
    ("celsius", "°C"),
    ("degree", "deg"),
    ("degrees", "deg"),
];

fn unit(values: &'static [&'static str], text: &str) -> Option<&'static str> {
    let listed = |symbol: &str| values.iter().find(|v| **v == symbol).copied();
    // The micro sign is not on every keyboard.
    if let Some(found) = text.strip_prefix('u').and_then(|rest| listed(&format!("µ{rest}"))) {
        return Some(found);
    }
    let lower = text.to_lowercase();
    if let Some(found) = NAMES.iter().filter(|(name, _)| *name == lower).find_map(|(_, v)| listed(v)) {
        return Some(found);
    }
    if lower == "a" || lower == "angstrom" {
        return listed("Å");
    }
    // Case matters in symbols, so MM may be mm or Mm: microscopes measure small things.
    let mut same = values.iter().filter(|v| v.to_lowercase() == lower).copied().collect::<Vec<_>>();
    same.sort_by_key(|v| v.chars().filter(|c| c.is_uppercase()).count());
    same.first().copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;

    #[test]
    fn a_wrong_spelling_offers_the_nearest_listed_value() {
        let offer = |class: &str, attribute: &str, text: &str| {
            nearest(catalogue::class(class)?.attribute(attribute)?.values()?, text)
        };
        for (class, attribute, text, expected) in [
            ("Objective", "ImmersionType", "Oil", Some("Mineral Oil")),
            ("Objective", "ImmersionType", "Watr", Some("Water")),
            ("Objective", "Correction", "Plan Apo", Some("PlanApo")),
            ("Objective", "WorkingDistanceUnit", "um", Some("µm")),
            ("Objective", "WorkingDistanceUnit", "MM", Some("mm")),
            ("Objective", "WorkingDistanceUnit", "microns", Some("µm")),
            ("Objective", "WorkingDistanceUnit", "furlong", None),
            ("Plane", "ExposureTimeUnit", "msec", Some("ms")),
            ("Channel", "ContrastMethod", "Flourescence", Some("Fluorescence")),
            ("Channel", "IlluminationType", "widefield", Some("Wide-field_Fluorescence")),
            ("Objective", "ImmersionType", "qqqqqqqq", None),
        ] {
            assert_eq!(offer(class, attribute, text), expected, "{class}@{attribute} {text}");
        }
    }
}
