//! Field values: from the source's text to JSON, and whether what stands there is a value at all.

use serde_json::{Number, Value as Json};

use super::{Field, Origin, OriginKind};
use crate::catalogue::{Attribute, Base};

/// Whether a field says something.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum State {
    /// A value of the right form.
    Filled,
    /// Nothing, or blanks.
    Empty,
    /// A placeholder: `999`, `NA`, `unknown`, `TBD`, `-` (R10).
    Sentinel,
    /// Spelt-out "not applicable": a statement, but no value.
    NotApplicable,
    /// Equal to a listed value but for blanks, case or a known misspelling; the listed spelling.
    NearlyListed(&'static str),
    /// Something of the wrong form, and what is wrong with it.
    Malformed(String),
}

/// Turns the text of an XML attribute into a field. Numbers and booleans become JSON numbers and
/// booleans; the text is kept where they would be written differently.
pub fn field(name: &str, attribute: Option<&Attribute>, text: &str) -> Field {
    let value = attribute.map_or_else(|| Json::from(text), |a| typed(a.base, text));
    let text = (self::text(&value) != text).then(|| text.to_owned());
    let kind = if is_placeholder(attribute, &value) { OriginKind::Sentinel } else { OriginKind::Explicit };
    Field { name: name.to_owned(), value, text, origin: Origin::of(kind) }
}

/// The text that an XML attribute of this value has.
pub fn text(value: &Json) -> String {
    match value {
        Json::String(s) => s.clone(),
        other => other.to_string(),
    }
}

/// Judges a value by what the model says about its attribute, and by R10.
pub fn state(attribute: &Attribute, value: &Json) -> State {
    let text = text(value);
    let trimmed = text.trim();
    if value.is_null() || trimmed.is_empty() {
        return State::Empty;
    }
    if is_placeholder(Some(attribute), value) {
        return State::Sentinel;
    }
    if let Some(list) = attribute.values() {
        return listed(list.values, list.is_units(), &text, attribute.base);
    }
    if is_not_applicable(trimmed) && attribute.base == Base::Str {
        return State::NotApplicable;
    }
    if attribute.is_id() {
        return id_state(attribute, trimmed);
    }
    match form_error(attribute.base, value, trimmed) {
        Some(why) => State::Malformed(why),
        None => State::Filled,
    }
}

/// Whether a value is a placeholder (R10), whatever it is a value of: nothing but three or more nines, or words and
/// signs by which people say that they have nothing to say. An attribute may know better: see [`is_placeholder`].
pub fn is_sentinel(value: &Json) -> bool {
    let text = text(value);
    let text = text.trim();
    if is_nines(text) {
        return true;
    }
    if !value.is_string() || text.is_empty() {
        return false;
    }
    // Nothing but signs: "-", "--", "?", "...".
    if text.chars().all(|c| "-?.…_*/#~=–—".contains(c)) {
        return true;
    }
    let bare = text.trim_matches(|c: char| "[](){}<>\"'".contains(c)).trim();
    // `Unknown manufacturer` says no more than `unknown`, in whatever field it stands.
    let of_what = bare.get(..8).filter(|start| start.eq_ignore_ascii_case("unknown ")).and(bare.get(8..));
    let says_what = |what: &str| WHAT.iter().any(|word| what.trim().eq_ignore_ascii_case(word));
    let is_crossed_out = bare.len() >= 3 && bare.bytes().all(|b| b.eq_ignore_ascii_case(&b'x'));
    is_crossed_out
        || of_what.is_some_and(says_what)
        || PLACEHOLDERS.iter().any(|word| bare.eq_ignore_ascii_case(word))
}

/// What people say is unknown in so many words.
const WHAT: [&str; 14] = [
    "brand",
    "catalog number",
    "catalogue number",
    "company",
    "maker",
    "make",
    "manufacturer",
    "model",
    "name",
    "number",
    "type",
    "value",
    "vendor",
    "version",
];

/// Whether a value of this attribute is a placeholder. What stands in its value list is a value (`None` of
/// `ContrastModulation`), and so is 999 where the image itself counts: a time series may have a plane 999.
pub fn is_placeholder(attribute: Option<&Attribute>, value: &Json) -> bool {
    let excused = attribute.is_some_and(|a| match a.values() {
        Some(list) => list.values.iter().any(|v| v.trim().eq_ignore_ascii_case(text(value).trim())),
        None => is_count_of_image(a) && is_nines(text(value).trim()),
    });
    // Where a number should be, NaN is a wrong one; elsewhere it is what a table has for nothing.
    let is_nan =
        attribute.is_some_and(|a| !a.base.is_number()) && text(value).trim().eq_ignore_ascii_case("nan");
    !excused && (is_nan || is_sentinel(value))
}

/// Words that stand where a value should. `ND`, `X` and the like are not among them: they occur as values.
const PLACEHOLDERS: [&str; 41] = [
    "na",
    "n/a",
    "n.a.",
    "n.a",
    "n\\a",
    "#n/a",
    "n.d.",
    "nil",
    "none",
    "null",
    "unknown",
    "unkown",
    "unspecified",
    "undefined",
    "undetermined",
    "tbd",
    "t.b.d.",
    "t.b.d",
    "tba",
    "tbc",
    "to be determined",
    "to be defined",
    "to be added",
    "to be announced",
    "to be confirmed",
    "to do",
    "todo",
    "fixme",
    "missing",
    "placeholder",
    "not available",
    "not known",
    "not specified",
    "not given",
    "not provided",
    "not recorded",
    "not determined",
    "not set",
    "no data",
    "no value",
    // What tables of other programs leave where a number was missing.
    "#value!",
];

/// Three or more nines, as a number or in quotes; a sign before them or zeros behind a point change nothing.
fn is_nines(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    whole.len() >= 3 && whole.bytes().all(|b| b == b'9') && fraction.bytes().all(|b| b == b'0')
}

/// Whether the attribute is a size, an index or a count that the image has by itself.
fn is_count_of_image(attribute: &Attribute) -> bool {
    attribute.base.is_integer()
        && ["Pixels", "Plane", "TiffData", "Shape", "Plate", "PlateAcquisition", "Well", "WellSample"]
            .contains(&attribute.owner)
}

fn is_not_applicable(text: &str) -> bool {
    text.eq_ignore_ascii_case("not applicable")
}

/// Whether an identifier has the form of a UUID, which Micro-Meta App uses for all of them.
pub fn is_uuid(id: &str) -> bool {
    let groups: Vec<_> = id.split('-').collect();
    groups.iter().map(|g| g.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|g| g.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Whether text is an xsd:date: `2024-03-14`, a zone allowed, no time.
pub fn is_date(text: &str) -> bool {
    date(text).is_some() && without_zone(text).len() == 10
}

/// Year, month and day of an xsd:date or xsd:dateTime; `None` if the date does not exist.
pub fn date(text: &str) -> Option<(i32, u32, u32)> {
    let text = without_zone(text.trim());
    if text.len() > 10 && text.as_bytes().get(10) != Some(&b'T') {
        return None;
    }
    let part = |range: std::ops::Range<usize>| -> Option<u32> {
        let s = text.get(range)?;
        s.bytes().all(|b| b.is_ascii_digit()).then(|| s.parse().ok())?
    };
    let (year, month, day) = (part(0..4)?, part(5..7)?, part(8..10)?);
    let separators = text.as_bytes().get(4) == Some(&b'-') && text.as_bytes().get(7) == Some(&b'-');
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let length = *days.get(month.checked_sub(1)? as usize)?;
    (separators && (1..=length).contains(&day)).then_some((year as i32, month, day))
}

/// Days since an epoch, by the Gregorian calendar.
pub(crate) fn day_number((year, month, day): (i32, u32, u32)) -> i64 {
    // Years begin in March, so that the leap day is the last.
    let (year, month) =
        if month > 2 { (i64::from(year), month - 3) } else { (i64::from(year) - 1, month + 9) };
    let leap = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    365 * year + leap + i64::from((153 * month + 2) / 5 + day)
}

fn without_zone(text: &str) -> &str {
    if let Some(utc) = text.strip_suffix('Z') {
        return utc;
    }
    // A zone is ±hh:mm after at least a whole date.
    match text.len().checked_sub(6).and_then(|at| Some((text.get(..at)?, text.get(at..)?))) {
        Some((rest, zone))
            if rest.len() >= 10 && zone.starts_with(['+', '-']) && zone.as_bytes().get(3) == Some(&b':') =>
        {
            rest
        }
        _ => text,
    }
}

fn typed(base: Base, text: &str) -> Json {
    let trimmed = text.trim();
    match base {
        Base::Bool => match trimmed {
            "true" | "1" => Json::Bool(true),
            "false" | "0" => Json::Bool(false),
            _ => Json::from(text),
        },
        base if base.is_number() => number(trimmed).map_or_else(|| Json::from(text), Json::Number),
        _ => Json::from(text),
    }
}

/// A JSON number for a decimal text; not for NaN or INF, which JSON does not have.
pub(crate) fn number(text: &str) -> Option<Number> {
    if let Ok(integer) = text.parse::<i64>() {
        return Some(integer.into());
    }
    let plausible = text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
    plausible.then(|| text.parse::<f64>().ok()).flatten().and_then(Number::from_f64)
}

fn listed(values: &[&'static str], units: bool, text: &str, base: Base) -> State {
    if values.contains(&text) {
        return State::Filled;
    }
    if units {
        // Case matters in units; the micro sign has two code points and the ångström too.
        let folded = text.trim().replace('\u{3bc}', "\u{b5}").replace('\u{212b}', "\u{c5}");
        return match values.iter().find(|v| **v == folded) {
            Some(v) => State::NearlyListed(v),
            None => State::Malformed("not a unit of the list".into()),
        };
    }
    let fold = |s: &str| s.trim().to_lowercase();
    if let Some(v) = values.iter().find(|v| fold(v) == fold(text)) {
        return State::NearlyListed(v);
    }
    if let Some((_, listed)) = MISSPELT.iter().find(|(meant, _)| fold(meant) == fold(text))
        && let Some(v) = values.iter().find(|v| *v == listed)
    {
        return State::NearlyListed(v);
    }
    if is_not_applicable(text.trim()) && base == Base::Str {
        return State::NotApplicable;
    }
    State::Malformed("not in the value list".into())
}

/// Listed values that the standard misspells, by their meant spelling (findings E4).
const MISSPELT: [(&str, &str); 9] = [
    ("Calcium Fluoride (CaF2)", "Calcium Fluoride (CaF2"),
    ("Hyperboloidal", "Hyeprboloidal"),
    ("Gallium arsenide", "Gallius arsenide"),
    ("HighThroughputScreen", "HightThroughputScreen"),
    (
        "Super-Resolution_DOPI (Defocussed Orientation and Position Imaging)",
        "Super-Resolution_DOPI (Defocussed Oorientation and Position Imaging)",
    ),
    ("TIRF (Total Internal Reflection Fluorescence)", "TIRF (Total Total Internal Reflection Fluorescence)"),
    ("Transmitted_Phase contrast (Zernike)", "Transmitted_Phase contrast (Zernicke)"),
    ("VarelContrast", "VarelConrast"),
    ("Optical distortion", "Optical distorsion"),
];

fn id_state(attribute: &Attribute, id: &str) -> State {
    let prefix = attribute.id_type().and_then(|t| t.prefix).filter(|p| *p != r"\S+");
    let local = match id.strip_prefix("urn:lsid:") {
        // authority:Prefix:rest
        Some(rest) => rest.split_once(':').map_or("", |(_, local)| local),
        None => id,
    };
    let valid = !id.contains(char::is_whitespace)
        && match (prefix, local.split_once(':')) {
            (Some(prefix), Some((found, rest))) => found == prefix && !rest.is_empty(),
            (None, Some((found, rest))) => !found.is_empty() && !rest.is_empty(),
            (_, None) => false,
        };
    if valid || is_uuid(id) {
        State::Filled
    } else {
        State::Malformed(format!("identifier is not of the form {}:…", prefix.unwrap_or("x")))
    }
}

fn form_error(base: Base, value: &Json, text: &str) -> Option<String> {
    let expected = |what: &str| Some(format!("expected {what}"));
    let number = || value.as_f64().or_else(|| text.parse::<f64>().ok());
    match base {
        Base::Bool if !value.is_boolean() && !matches!(text, "true" | "false" | "1" | "0") => {
            expected("true or false")
        }
        Base::Float | Base::PositiveFloat | Base::Fraction => {
            let special = matches!(text, "NaN" | "INF" | "-INF");
            match number() {
                _ if special => None,
                None => expected("a number"),
                Some(n) if base == Base::PositiveFloat && n <= 0.0 => expected("a number above 0"),
                Some(n) if base == Base::Fraction && !(0.0..=1.0).contains(&n) => {
                    expected("a number from 0 to 1")
                }
                Some(_) => None,
            }
        }
        Base::Int | Base::NonNegativeInt | Base::PositiveInt => match text.parse::<i64>().ok() {
            // A JSON writer may spell a whole number 1.0.
            None if number().is_some_and(|n| n.fract() == 0.0) => None,
            None => expected("a whole number"),
            Some(n) if base == Base::NonNegativeInt && n < 0 => expected("a whole number of at least 0"),
            Some(n) if base == Base::PositiveInt && n < 1 => expected("a whole number of at least 1"),
            Some(_) => None,
        },
        Base::Date if !is_date(text) => expected("a date as yyyy-mm-dd"),
        Base::DateTime if date(text).is_none() || !text.contains('T') => expected("a date and time"),
        Base::UuidUrn if !text.strip_prefix("urn:uuid:").is_some_and(is_uuid) => expected("urn:uuid:…"),
        Base::Hex if !text.len().is_multiple_of(2) || !text.bytes().all(|b| b.is_ascii_hexdigit()) => {
            expected("hexadecimal digits")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;
    use serde_json::json;

    fn judge(class: &str, attribute: &str, value: impl Into<Json>) -> State {
        state(catalogue::class(class).unwrap().attribute(attribute).unwrap(), &value.into())
    }

    #[test]
    fn placeholders_are_not_values() {
        for placeholder in
            [json!("999"), json!(999), json!("999999"), json!("NA"), json!("n/a"), json!("Unknown")]
        {
            assert_eq!(
                judge("Objective", "CatalogNumber", placeholder.clone()),
                State::Sentinel,
                "{placeholder}"
            );
        }
        assert_eq!(judge("Objective", "CatalogNumber", json!("99")), State::Filled);
        assert_eq!(judge("Objective", "CatalogNumber", json!("  ")), State::Empty);
        assert_eq!(judge("Sample", "Organism", json!("not applicable")), State::NotApplicable);
    }

    #[test]
    fn lists_forgive_case_blanks_and_the_standards_own_misspellings() {
        assert!(matches!(judge("Objective", "ImmersionType", json!("Oil")), State::Malformed(_)));
        assert_eq!(
            judge("Objective", "ImmersionType", json!("mineral oil")),
            State::NearlyListed("Mineral Oil")
        );
        assert_eq!(judge("Sample", "SampleType", json!("Other")), State::NearlyListed(" Other"));
        assert_eq!(judge("Sample", "SampleType", json!(" Other")), State::Filled);
        assert!(matches!(judge("Objective", "WorkingDistanceUnit", json!("MM")), State::Malformed(_)));
        assert_eq!(judge("Objective", "WorkingDistanceUnit", json!("\u{3bc}m")), State::NearlyListed("µm"));
    }

    #[test]
    fn identifiers_are_lsids_or_uuids() {
        assert_eq!(judge("Laser", "ID", json!("LightSource:1")), State::Filled);
        assert!(matches!(judge("Laser", "ID", json!("Laser:1")), State::Malformed(_)));
        assert_eq!(judge("Laser", "ID", json!("93efaebd-1042-43aa-994e-2f5bc2a92fb1")), State::Filled);
        assert_eq!(judge("Image", "ID", json!("urn:lsid:export.example.org:Image:7")), State::Filled);
    }

    #[test]
    fn a_date_has_no_time_and_a_day() {
        for good in ["2024-02-29", "2024-03-14Z", "2024-03-14+01:00"] {
            assert_eq!(judge("OpticalCalibration", "Date", json!(good)), State::Filled, "{good}");
        }
        for bad in ["2010", "2023-02-29", "2024-01-15T10:00:00", "15/01/2024"] {
            assert!(matches!(judge("OpticalCalibration", "Date", json!(bad)), State::Malformed(_)), "{bad}");
        }
    }

    #[test]
    fn digits_survive() {
        let na = catalogue::class("Objective").unwrap().attribute("LensNA").unwrap();
        for (given, text) in
            [("1.4", None), ("1.40", Some("1.40")), ("1.0", None), ("63", None), ("1E-3", Some("1E-3"))]
        {
            let field = field("LensNA", Some(na), given);
            assert_eq!((field.text.as_deref(), field.value.is_number()), (text, true), "{given}");
        }
        assert_eq!(field("LensNA", Some(na), "NaN").value, json!("NaN"));
    }

    #[test]
    fn days_between_dates() {
        let days = |a, b| day_number(b) - day_number(a);
        assert_eq!(days((2024, 2, 1), (2024, 3, 14)), 42);
        assert_eq!(days((2023, 2, 28), (2023, 3, 1)), 1);
        assert_eq!(days((1999, 12, 31), (2000, 12, 31)), 366);
    }
}
