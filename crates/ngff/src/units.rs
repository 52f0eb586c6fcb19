//! Units that NGFF lists, by their UDUNITS-2 names.

/// Names of lengths that NGFF recommends for axes in space.
pub const SPACE: [&str; 26] = [
    "angstrom",
    "attometer",
    "centimeter",
    "decimeter",
    "exameter",
    "femtometer",
    "foot",
    "gigameter",
    "hectometer",
    "inch",
    "kilometer",
    "megameter",
    "meter",
    "micrometer",
    "mile",
    "millimeter",
    "nanometer",
    "parsec",
    "petameter",
    "picometer",
    "terameter",
    "yard",
    "yoctometer",
    "yottameter",
    "zeptometer",
    "zettameter",
];

/// Names of durations that NGFF recommends for axes in time.
pub const TIME: [&str; 23] = [
    "attosecond",
    "centisecond",
    "day",
    "decisecond",
    "exasecond",
    "femtosecond",
    "gigasecond",
    "hectosecond",
    "hour",
    "kilosecond",
    "megasecond",
    "microsecond",
    "millisecond",
    "minute",
    "nanosecond",
    "petasecond",
    "picosecond",
    "second",
    "terasecond",
    "yoctosecond",
    "yottasecond",
    "zeptosecond",
    "zettasecond",
];

/// The NGFF name for a unit of OME-XML, and the factor by which a value in the OME unit is multiplied to be in
/// the named one: 1, except for the units that NGFF does not list. `None` for what is no length or duration
/// (`pixel`, `reference frame`) or not a unit of the OME model.
///
/// `symbol` is spelled as in the 2016-06 schema. Case matters: `Mm` is not `mm`.
pub fn from_ome_symbol(symbol: &str) -> Option<(&'static str, f64)> {
    OME.iter().find(|(ome, ..)| *ome == symbol).map(|&(_, name, factor)| (name, factor))
}

/// The symbol in OME-XML of a unit that NGFF names.
pub fn ome_symbol(name: &str) -> Option<&'static str> {
    OME.iter()
        .find(|(_, ngff, factor)| *ngff == name && (*factor - 1.0).abs() < f64::EPSILON)
        .map(|(ome, ..)| *ome)
}

/// OME-XML symbol, NGFF name, factor.
const OME: &[(&str, &str, f64)] = &[
    ("Ym", "yottameter", 1.0),
    ("Zm", "zettameter", 1.0),
    ("Em", "exameter", 1.0),
    ("Pm", "petameter", 1.0),
    ("Tm", "terameter", 1.0),
    ("Gm", "gigameter", 1.0),
    ("Mm", "megameter", 1.0),
    ("km", "kilometer", 1.0),
    ("hm", "hectometer", 1.0),
    ("dam", "meter", 10.0),
    ("m", "meter", 1.0),
    ("dm", "decimeter", 1.0),
    ("cm", "centimeter", 1.0),
    ("mm", "millimeter", 1.0),
    ("\u{b5}m", "micrometer", 1.0),
    ("nm", "nanometer", 1.0),
    ("pm", "picometer", 1.0),
    ("fm", "femtometer", 1.0),
    ("am", "attometer", 1.0),
    ("zm", "zeptometer", 1.0),
    ("ym", "yoctometer", 1.0),
    ("\u{c5}", "angstrom", 1.0),
    ("thou", "micrometer", 25.4),
    // A line is a twelfth of an inch, a point a seventy-second.
    ("li", "inch", 1.0 / 12.0),
    ("in", "inch", 1.0),
    ("ft", "foot", 1.0),
    ("yd", "yard", 1.0),
    ("mi", "mile", 1.0),
    ("ua", "meter", 149_597_870_700.0),
    ("ly", "meter", 9_460_730_472_580_800.0),
    ("pc", "parsec", 1.0),
    ("pt", "inch", 1.0 / 72.0),
    ("Ys", "yottasecond", 1.0),
    ("Zs", "zettasecond", 1.0),
    ("Es", "exasecond", 1.0),
    ("Ps", "petasecond", 1.0),
    ("Ts", "terasecond", 1.0),
    ("Gs", "gigasecond", 1.0),
    ("Ms", "megasecond", 1.0),
    ("ks", "kilosecond", 1.0),
    ("hs", "hectosecond", 1.0),
    ("das", "second", 10.0),
    ("s", "second", 1.0),
    ("ds", "decisecond", 1.0),
    ("cs", "centisecond", 1.0),
    ("ms", "millisecond", 1.0),
    ("\u{b5}s", "microsecond", 1.0),
    ("ns", "nanosecond", 1.0),
    ("ps", "picosecond", 1.0),
    ("fs", "femtosecond", 1.0),
    ("as", "attosecond", 1.0),
    ("zs", "zeptosecond", 1.0),
    ("ys", "yoctosecond", 1.0),
    ("min", "minute", 1.0),
    ("h", "hour", 1.0),
    ("d", "day", 1.0),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_listed_and_every_listed_name_is_reached() {
        for (symbol, name, _) in OME {
            assert!(SPACE.contains(name) || TIME.contains(name), "{symbol} -> {name}");
        }
        for name in SPACE.iter().chain(&TIME) {
            assert!(
                OME.iter().any(|(_, ngff, factor)| ngff == name && (*factor - 1.0).abs() < f64::EPSILON),
                "{name}"
            );
        }
    }

    #[test]
    fn case_and_pixels() {
        assert_eq!(from_ome_symbol("Mm"), Some(("megameter", 1.0)));
        assert_eq!(from_ome_symbol("mm"), Some(("millimeter", 1.0)));
        assert_eq!(from_ome_symbol("thou"), Some(("micrometer", 25.4)));
        assert_eq!(from_ome_symbol("pixel"), None);
        assert_eq!(from_ome_symbol("reference frame"), None);
    }
}
