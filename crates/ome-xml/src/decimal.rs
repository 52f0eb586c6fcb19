//! Numbers as people write them: digits and a power of ten. Products of these are exact, so that 65 nm and 0.065 µm are
//! the same number in either unit.

/// `digits * 10^exponent`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Decimal {
    digits: i128,
    exponent: i32,
}

impl Decimal {
    /// The number that a text spells: a sign, digits with a point, an exponent. `None` for other texts, and for more digits
    /// than fit.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (number, exponent) = match text.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        if !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let digits = format!("{whole}{part}").parse().ok()?;
        let exponent = exponent.checked_sub(i32::try_from(part.len()).ok()?)?;
        Some(Self { digits, exponent }.short())
    }

    /// The shortest number that is read as this one.
    pub(crate) fn of(value: f64) -> Option<Self> {
        Self::parse(&format!("{value:e}"))
    }

    /// The exact product.
    pub(crate) fn times(self, other: Self) -> Option<Self> {
        let digits = self.digits.checked_mul(other.digits)?;
        Some(Self { digits, exponent: self.exponent.checked_add(other.exponent)? }.short())
    }

    /// The exact quotient; only of powers of ten.
    pub(crate) fn over_power_of_ten(self, other: Self) -> Option<Self> {
        (other.digits == 1).then_some(())?;
        Some(Self { digits: self.digits, exponent: self.exponent.checked_sub(other.exponent)? })
    }

    /// The nearest number that the machine has.
    pub(crate) fn to_f64(self) -> Option<f64> {
        format!("{}e{}", self.digits, self.exponent).parse().ok()
    }

    /// Without zeros at the end.
    fn short(mut self) -> Self {
        while self.digits != 0 && self.digits % 10 == 0 && self.exponent < i32::MAX {
            self.digits /= 10;
            self.exponent += 1;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_are_written() {
        let read = |text: &str| Decimal::parse(text).and_then(Decimal::to_f64);
        for (text, value) in
            [("0.065", 0.065), (" 65 ", 65.0), ("-1.5e3", -1500.0), ("1E-7", 1e-7), ("0", 0.0)]
        {
            assert_eq!(read(text), Some(value), "{text}");
        }
        for text in ["", "NaN", "INF", "0,65", "1.-5", "1e", "1e99999999999", &"9".repeat(60)] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn products_have_no_noise() {
        let product = |a: &str, b: f64| {
            Decimal::parse(a).unwrap().times(Decimal::of(b).unwrap()).unwrap().to_f64().unwrap()
        };
        assert_eq!(product("0.001", 25_400.0).to_string(), "25.4");
        assert_eq!(product("2", 2.54e-5).to_string(), "0.0000508");
    }
}
