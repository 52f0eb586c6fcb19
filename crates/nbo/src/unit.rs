//! Conversion between unit symbols.

use fairzarr_ome_xml::{Quantity, Unit};

/// A value in another unit; `None` if the two do not measure the same, or nobody knows (`pixel`).
pub(crate) fn convert(value: f64, from: &str, to: &str) -> Option<f64> {
    if from == to {
        return Some(value);
    }
    let converted =
        units(from).find_map(|from| units(to).find_map(|to| Quantity::new(value, from).convert(to)))?;
    // Fifteen digits: 0.23 µm are 230 nm, not 229.99999999999997.
    format!("{converted:.14e}").parse().ok()
}

/// The units of this symbol; a few symbols belong to several kinds.
fn units(symbol: &str) -> impl Iterator<Item = Unit> {
    let symbol = symbol.trim().replace('\u{3bc}', "\u{b5}").replace('\u{212b}', "\u{c5}");
    Unit::all().iter().copied().filter(move |u| u.symbol() == symbol)
}

/// The symbols of units that measure the same as this one.
pub(crate) fn like(symbol: &str) -> impl Iterator<Item = &'static str> {
    let symbol = symbol.to_owned();
    let listed = Unit::all().iter().copied().map(Unit::symbol);
    listed.filter(move |other| convert(1.0, &symbol, other).is_some())
}

/// Whether there is a unit of this symbol.
pub(crate) fn is_known(symbol: &str) -> bool {
    units(symbol).next().is_some()
}

/// Whether two quantities are the same within what rounding to seven digits does.
pub(crate) fn same(a: f64, from: &str, b: f64, to: &str) -> Option<bool> {
    let a = convert(a, from, to)?;
    Some((a - b).abs() <= 1e-6 * a.abs().max(b.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn converts_within_a_kind_only() {
        assert_eq!(convert(0.23, "µm", "nm"), Some(230.0));
        assert_eq!(convert(0.23, "\u{3bc}m", "nm"), Some(230.0));
        assert_eq!(convert(2.0, "s", "ms"), Some(2000.0));
        assert_eq!(convert(2.0, "s", "nm"), None);
        assert_eq!(convert(2.0, "pixel", "nm"), None);
        assert_eq!(convert(2.0, "e-", "e-"), Some(2.0));
    }
}
