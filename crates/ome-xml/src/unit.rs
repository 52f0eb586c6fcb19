//! The units of the OME 2016-06 model, and quantities that carry one.

use std::fmt;

use crate::decimal::Decimal;

/// A number with its unit. Conversions exist only within a kind: a time never becomes a length.
///
/// ```
/// use fairzarr_ome_xml::{Length, Quantity, Time, Unit};
/// let size = Quantity::new(0.65, Unit::Length(Length::Micrometer));
/// assert_eq!(size.convert(Unit::Length(Length::Nanometer)).unwrap(), 650.0);
/// assert_eq!(size.convert(Unit::Time(Time::Second)), None);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Quantity {
    /// The value, in `unit`.
    pub value: f64,
    /// The digits as the document spells them.
    pub text: String,
    /// The unit.
    pub unit: Unit,
    /// False where the document names no unit and the schema's default applies.
    pub unit_explicit: bool,
}

impl Quantity {
    /// A quantity with the shortest digits that name the value.
    pub fn new(value: f64, unit: Unit) -> Self {
        Self { value, text: value.to_string(), unit, unit_explicit: true }
    }

    /// The value in another unit of the same kind; `None` between kinds, and for `pixel` and `reference frame`, whose
    /// size nobody knows.
    pub fn convert(&self, to: Unit) -> Option<f64> {
        if self.unit == to {
            return Some(self.value);
        }
        let (from, into) = (self.unit.scale()?, to.scale()?);
        (self.unit.kind() == to.kind()).then(|| {
            let scaled = self.scaled(from.factor, into.factor);
            let scaled = scaled.unwrap_or_else(|| self.value * (from.factor / into.factor));
            scaled + (from.offset - into.offset) / into.factor
        })
    }

    /// `value * from / into` without any rounding but the last, where the factors allow it: between decimal prefixes, and
    /// from inches and the like.
    fn scaled(&self, from: f64, into: f64) -> Option<f64> {
        // The text may be what another unit or spelling was made from.
        let value = Decimal::parse(&self.text).filter(|text| text.to_f64() == Some(self.value));
        let value = value.or_else(|| Decimal::of(self.value))?;
        value.times(Decimal::of(from)?)?.over_power_of_ten(Decimal::of(into)?)?.to_f64()
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.text, self.unit)
    }
}

/// What a unit measures.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[allow(missing_docs)]
pub enum UnitKind {
    Length,
    Time,
    Pressure,
    Angle,
    Temperature,
    ElectricPotential,
    Power,
    Frequency,
}

/// `value in the kind's base unit = value * factor + offset`.
#[derive(Clone, Copy)]
struct Scale {
    factor: f64,
    offset: f64,
}

macro_rules! units {
    ($($kind:ident { $($name:ident $symbol:literal $factor:expr;)* })*) => {
        /// A unit of the 2016-06 schema, by kind.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        pub enum Unit {
            $(#[allow(missing_docs)] $kind($kind),)*
        }

        $(
            #[doc = concat!("Units of kind ", stringify!($kind), ", as the schema's `Units", stringify!($kind), "` lists them.")]
            #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
            #[allow(missing_docs)]
            pub enum $kind { $($name,)* }
        )*

        impl Unit {
            /// The symbol as the schema spells it (`µ` is U+00B5, `Å` U+00C5).
            pub fn symbol(self) -> &'static str {
                match self { $($(Unit::$kind($kind::$name) => $symbol,)*)* }
            }

            /// What it measures.
            pub fn kind(self) -> UnitKind {
                match self { $(Unit::$kind(_) => UnitKind::$kind,)* }
            }

            fn factor(self) -> f64 {
                match self { $($(Unit::$kind($kind::$name) => $factor,)*)* }
            }

            fn exact(kind: UnitKind, symbol: &str) -> Option<Unit> {
                match kind { $(UnitKind::$kind => match symbol { $($symbol => Some(Unit::$kind($kind::$name)),)* _ => None },)* }
            }

            /// Every unit of the schema.
            pub fn all() -> &'static [Unit] {
                &[$($(Unit::$kind($kind::$name),)*)*]
            }
        }
    };
}

units! {
    Length {
        Yottameter "Ym" 1e24; Zettameter "Zm" 1e21; Exameter "Em" 1e18; Petameter "Pm" 1e15; Terameter "Tm" 1e12;
        Gigameter "Gm" 1e9; Megameter "Mm" 1e6; Kilometer "km" 1e3; Hectometer "hm" 1e2; Decameter "dam" 1e1;
        Meter "m" 1.0; Decimeter "dm" 1e-1; Centimeter "cm" 1e-2; Millimeter "mm" 1e-3; Micrometer "µm" 1e-6;
        Nanometer "nm" 1e-9; Picometer "pm" 1e-12; Femtometer "fm" 1e-15; Attometer "am" 1e-18; Zeptometer "zm" 1e-21;
        Yoctometer "ym" 1e-24; Angstrom "Å" 1e-10; Thou "thou" 2.54e-5; Line "li" 0.0254 / 12.0; Inch "in" 0.0254;
        Foot "ft" 0.3048; Yard "yd" 0.9144; Mile "mi" 1609.344; AstronomicalUnit "ua" 149_597_870_700.0;
        LightYear "ly" 9_460_730_472_580_800.0; Parsec "pc" 3.085_677_581_491_367e16; Point "pt" 0.0254 / 72.0;
        Pixel "pixel" f64::NAN; ReferenceFrame "reference frame" f64::NAN;
    }
    Time {
        Yottasecond "Ys" 1e24; Zettasecond "Zs" 1e21; Exasecond "Es" 1e18; Petasecond "Ps" 1e15; Terasecond "Ts" 1e12;
        Gigasecond "Gs" 1e9; Megasecond "Ms" 1e6; Kilosecond "ks" 1e3; Hectosecond "hs" 1e2; Decasecond "das" 1e1;
        Second "s" 1.0; Decisecond "ds" 1e-1; Centisecond "cs" 1e-2; Millisecond "ms" 1e-3; Microsecond "µs" 1e-6;
        Nanosecond "ns" 1e-9; Picosecond "ps" 1e-12; Femtosecond "fs" 1e-15; Attosecond "as" 1e-18;
        Zeptosecond "zs" 1e-21; Yoctosecond "ys" 1e-24; Minute "min" 60.0; Hour "h" 3600.0; Day "d" 86400.0;
    }
    Pressure {
        Yottapascal "YPa" 1e24; Zettapascal "ZPa" 1e21; Exapascal "EPa" 1e18; Petapascal "PPa" 1e15;
        Terapascal "TPa" 1e12; Gigapascal "GPa" 1e9; Megapascal "MPa" 1e6; Kilopascal "kPa" 1e3; Hectopascal "hPa" 1e2;
        Decapascal "daPa" 1e1; Pascal "Pa" 1.0; Decipascal "dPa" 1e-1; Centipascal "cPa" 1e-2; Millipascal "mPa" 1e-3;
        Micropascal "µPa" 1e-6; Nanopascal "nPa" 1e-9; Picopascal "pPa" 1e-12; Femtopascal "fPa" 1e-15;
        Attopascal "aPa" 1e-18; Zeptopascal "zPa" 1e-21; Yoctopascal "yPa" 1e-24; Bar "bar" 1e5; Megabar "Mbar" 1e11;
        Kilobar "kbar" 1e8; Decibar "dbar" 1e4; Centibar "cbar" 1e3; Millibar "mbar" 1e2; Atmosphere "atm" 101_325.0;
        Psi "psi" 6_894.757_293_168_361; Torr "Torr" 101_325.0 / 760.0; Millitorr "mTorr" 101.325 / 760.0;
        MillimeterOfMercury "mm Hg" 133.322_387_415;
    }
    Angle { Degree "deg" std::f64::consts::PI / 180.0; Radian "rad" 1.0; Gradian "gon" std::f64::consts::PI / 200.0; }
    Temperature { Celsius "°C" 1.0; Fahrenheit "°F" 5.0 / 9.0; Kelvin "K" 1.0; Rankine "°R" 5.0 / 9.0; }
    ElectricPotential {
        Yottavolt "YV" 1e24; Zettavolt "ZV" 1e21; Exavolt "EV" 1e18; Petavolt "PV" 1e15; Teravolt "TV" 1e12;
        Gigavolt "GV" 1e9; Megavolt "MV" 1e6; Kilovolt "kV" 1e3; Hectovolt "hV" 1e2; Decavolt "daV" 1e1; Volt "V" 1.0;
        Decivolt "dV" 1e-1; Centivolt "cV" 1e-2; Millivolt "mV" 1e-3; Microvolt "µV" 1e-6; Nanovolt "nV" 1e-9;
        Picovolt "pV" 1e-12; Femtovolt "fV" 1e-15; Attovolt "aV" 1e-18; Zeptovolt "zV" 1e-21; Yoctovolt "yV" 1e-24;
    }
    Power {
        Yottawatt "YW" 1e24; Zettawatt "ZW" 1e21; Exawatt "EW" 1e18; Petawatt "PW" 1e15; Terawatt "TW" 1e12;
        Gigawatt "GW" 1e9; Megawatt "MW" 1e6; Kilowatt "kW" 1e3; Hectowatt "hW" 1e2; Decawatt "daW" 1e1; Watt "W" 1.0;
        Deciwatt "dW" 1e-1; Centiwatt "cW" 1e-2; Milliwatt "mW" 1e-3; Microwatt "µW" 1e-6; Nanowatt "nW" 1e-9;
        Picowatt "pW" 1e-12; Femtowatt "fW" 1e-15; Attowatt "aW" 1e-18; Zeptowatt "zW" 1e-21; Yoctowatt "yW" 1e-24;
    }
    Frequency {
        Yottahertz "YHz" 1e24; Zettahertz "ZHz" 1e21; Exahertz "EHz" 1e18; Petahertz "PHz" 1e15; Terahertz "THz" 1e12;
        Gigahertz "GHz" 1e9; Megahertz "MHz" 1e6; Kilohertz "kHz" 1e3; Hectohertz "hHz" 1e2; Decahertz "daHz" 1e1;
        Hertz "Hz" 1.0; Decihertz "dHz" 1e-1; Centihertz "cHz" 1e-2; Millihertz "mHz" 1e-3; Microhertz "µHz" 1e-6;
        Nanohertz "nHz" 1e-9; Picohertz "pHz" 1e-12; Femtohertz "fHz" 1e-15; Attohertz "aHz" 1e-18;
        Zeptohertz "zHz" 1e-21; Yoctohertz "yHz" 1e-24;
    }
}

impl Unit {
    /// The unit of a kind that a text names, and whether the text is the schema's own spelling. Tolerated are other
    /// code points of `µ` and `Å`, `u` for `µ`, UTF-8 decoded twice, and white space around. Case always counts:
    /// `Mm` is not `mm`.
    pub fn parse(kind: UnitKind, text: &str) -> Option<(Unit, bool)> {
        if let Some(unit) = Self::exact(kind, text) {
            return Some((unit, true));
        }
        let mut symbol =
            text.trim().replace("&micro;", "µ").replace("Âµ", "µ").replace("Â°", "°").replace("Ã…", "Å");
        symbol = symbol.replace('\u{3bc}', "µ").replace('\u{212b}', "Å").replace("A\u{30a}", "Å");
        let found = Self::exact(kind, &symbol)
            .or_else(|| Self::exact(kind, &format!("µ{}", symbol.strip_prefix('u')?)))
            .or_else(|| {
                Self::exact(kind, ALIASES.iter().find(|(k, alias, _)| *k == kind && *alias == symbol)?.2)
            });
        found.map(|unit| (unit, false))
    }

    fn scale(self) -> Option<Scale> {
        let factor = self.factor();
        let offset = match self {
            Unit::Temperature(Temperature::Celsius) => 273.15,
            Unit::Temperature(Temperature::Fahrenheit) => 273.15 - 32.0 * 5.0 / 9.0,
            _ => 0.0,
        };
        factor.is_finite().then_some(Scale { factor, offset })
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.symbol())
    }
}

/// Kind and default unit of an attribute that is a quantity.
pub(crate) fn default_unit(element: &str, attribute: &str) -> Option<Unit> {
    let unit = match attribute {
        "PhysicalSizeX" | "PhysicalSizeY" | "PhysicalSizeZ" | "PinholeSize" | "WorkingDistance" => {
            Unit::Length(Length::Micrometer)
        }
        "TimeIncrement" | "DeltaT" | "ExposureTime" => Unit::Time(Time::Second),
        "PositionX" | "PositionY" | "PositionZ" | "WellOriginX" | "WellOriginY" => {
            Unit::Length(Length::ReferenceFrame)
        }
        "X" | "Y" | "Z" if element == "StageLabel" => Unit::Length(Length::ReferenceFrame),
        "ExcitationWavelength"
        | "EmissionWavelength"
        | "Wavelength"
        | "CutIn"
        | "CutOut"
        | "CutInTolerance"
        | "CutOutTolerance" => Unit::Length(Length::Nanometer),
        "Temperature" => Unit::Temperature(Temperature::Celsius),
        "AirPressure" => Unit::Pressure(Pressure::Millibar),
        "Voltage" => Unit::ElectricPotential(ElectricPotential::Volt),
        "Power" => Unit::Power(Power::Milliwatt),
        "RepetitionRate" => Unit::Frequency(Frequency::Hertz),
        "ReadOutRate" => Unit::Frequency(Frequency::Megahertz),
        "StrokeWidth" => Unit::Length(Length::Pixel),
        "FontSize" => Unit::Length(Length::Point),
        _ => return None,
    };
    Some(unit)
}

/// Names found in files beside the schema's symbols.
const ALIASES: [(UnitKind, &str, &str); 10] = [
    (UnitKind::Length, "micron", "µm"),
    (UnitKind::Length, "microns", "µm"),
    (UnitKind::Length, "micrometer", "µm"),
    (UnitKind::Length, "nanometer", "nm"),
    (UnitKind::Length, "millimeter", "mm"),
    (UnitKind::Time, "sec", "s"),
    (UnitKind::Time, "second", "s"),
    (UnitKind::Time, "seconds", "s"),
    (UnitKind::Time, "msec", "ms"),
    (UnitKind::Temperature, "C", "°C"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        let micrometer = Unit::Length(Length::Micrometer);
        assert_eq!(Unit::parse(UnitKind::Length, "µm"), Some((micrometer, true)));
        for text in ["um", "\u{3bc}m", "Âµm", " µm", "micron"] {
            assert_eq!(Unit::parse(UnitKind::Length, text), Some((micrometer, false)), "{text}");
        }
        for text in ["\u{212b}", "A\u{30a}"] {
            assert_eq!(Unit::parse(UnitKind::Length, text), Some((Unit::Length(Length::Angstrom), false)));
        }
        assert_eq!(Unit::parse(UnitKind::Length, "Mm").map(|u| u.0), Some(Unit::Length(Length::Megameter)));
        assert_eq!(Unit::parse(UnitKind::Time, "µm"), None);
        assert_eq!(Unit::parse(UnitKind::Length, "UM"), None);
    }

    #[test]
    fn every_symbol_reads_back() {
        for &unit in Unit::all() {
            assert_eq!(Unit::parse(unit.kind(), unit.symbol()), Some((unit, true)));
        }
        assert_eq!(Unit::all().len(), 34 + 24 + 32 + 3 + 4 + 21 + 21 + 21);
    }

    #[test]
    fn conversion_stays_within_a_kind() {
        let celsius = Quantity::new(37.0, Unit::Temperature(Temperature::Celsius));
        assert!((celsius.convert(Unit::Temperature(Temperature::Kelvin)).unwrap() - 310.15).abs() < 1e-9);
        assert!((celsius.convert(Unit::Temperature(Temperature::Fahrenheit)).unwrap() - 98.6).abs() < 1e-9);
        assert_eq!(
            Quantity::new(1.0, Unit::Length(Length::Pixel)).convert(Unit::Length(Length::Meter)),
            None
        );
        assert_eq!(
            Quantity::new(3.0, Unit::Time(Time::Minute)).convert(Unit::Time(Time::Second)),
            Some(180.0)
        );
        assert_eq!(
            Quantity::new(500.0, Unit::Length(Length::Nanometer)).convert(Unit::Length(Length::Micrometer)),
            Some(0.5)
        );
    }
}
