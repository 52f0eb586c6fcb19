/**
 * Conversion between unit symbols.
 *
 * @module
 */

import { UNITS } from "./tables.js";

/** Base units begin at other places: 0 °C and 0 °F in kelvin. @type {Record<string, number>} */
const OFFSETS = { "°C": 273.15, "°F": 273.15 - (32 * 5) / 9 };

/**
 * A value in another unit; undefined if the two do not measure the same, or nobody knows (`pixel`).
 * @param {number} value
 * @param {string} from
 * @param {string} to
 * @returns {number | undefined}
 */
export function convert(value, from, to) {
  if (from === to) return value;
  const [a, b] = [fold(from), fold(to)];
  for (const factors of Object.values(UNITS)) {
    const [into, out] = [factors[a], factors[b]];
    if (typeof into !== "number" || typeof out !== "number") continue;
    const converted = a === b ? value : (value * into) / out + ((OFFSETS[a] ?? 0) - (OFFSETS[b] ?? 0)) / out;
    // Fifteen digits: 0.23 µm are 230 nm, not 229.99999999999997.
    return Number(converted.toPrecision(15));
  }
  return undefined;
}

/** `µ` and `Å` have two code points each. @param {string} symbol */
function fold(symbol) {
  return symbol.trim().replaceAll("\u03bc", "\u00b5").replaceAll("\u212b", "\u00c5");
}

/**
 * A wavelength in nanometres, if its unit is one of length.
 * @param {{ value: number, unit: string } | undefined} wavelength
 * @returns {number | undefined}
 */
export function nanometres(wavelength) {
  return wavelength && convert(wavelength.value, wavelength.unit, "nm");
}
