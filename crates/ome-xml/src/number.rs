//! Decimal digits that survive as numbers: a value and the manner in which it was written.

/// How a number was written; with it the value gives the text back exactly.
pub(crate) type Style = u8;

/// As Rust writes it: the shortest digits, no exponent. (1 to 40 are that many fixed decimals.)
pub(crate) const SHORTEST: Style = 0;
const MOST_DECIMALS: Style = 40;
/// `1.0E-4`, as Java writes very small and large numbers.
const JAVA: Style = 50;
/// `1E-4`.
const UPPER: Style = 51;
/// `1e-4`.
const LOWER: Style = 52;
/// `1e-05`, as C and Python write it.
const TWO_DIGITS: Style = 53;

/// The value of a text and the style that gives the text back; `None` where there is none.
pub(crate) fn classify(text: &str) -> Option<(f64, Style)> {
    if text.is_empty()
        || !text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'))
    {
        return None;
    }
    let value: f64 = text.parse().ok().filter(|v: &f64| v.is_finite())?;
    let candidates: &[Style] = if text.contains(['e', 'E']) {
        &[JAVA, UPPER, LOWER, TWO_DIGITS]
    } else {
        let decimals = text.split_once('.').map_or(0, |(_, d)| d.len());
        &[
            SHORTEST,
            u8::try_from(decimals).ok().filter(|d| (1..=MOST_DECIMALS).contains(d)).unwrap_or(SHORTEST),
        ]
    };
    candidates.iter().find(|&&style| render(value, style) == text).map(|&style| (value, style))
}

/// The text of a value in a style.
pub(crate) fn render(value: f64, style: Style) -> String {
    match style {
        1..=MOST_DECIMALS => format!("{value:.*}", usize::from(style)),
        JAVA => {
            let text = format!("{value:E}");
            match text.split_once('E') {
                Some((mantissa, exponent)) if !mantissa.contains('.') => format!("{mantissa}.0E{exponent}"),
                _ => text,
            }
        }
        UPPER => format!("{value:E}"),
        LOWER => format!("{value:e}"),
        TWO_DIGITS => {
            let text = format!("{value:e}");
            let Some((mantissa, exponent)) = text.split_once('e') else { return text };
            let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
            format!("{mantissa}e{sign}{digits:0>2}")
        }
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back() {
        for text in [
            "0",
            "5",
            "-5",
            "5.0",
            "0.65",
            "0.650",
            "-0",
            "-0.0",
            "1.0E-4",
            "1.5E-4",
            "1E-4",
            "1e-4",
            "1e-05",
            "1.5e-07",
            "1e+16",
            "123456.789000",
            "0.10000000000000001",
            "1e308",
            "100000000000000000000",
        ] {
            let (value, style) = classify(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(render(value, style), text);
        }
        for text in ["", "+5", "NaN", "INF", "inf", "05", "5.", ".5", "1e400", "5 ", "0x10"] {
            assert!(classify(text).is_none(), "{text}");
        }
    }
}
