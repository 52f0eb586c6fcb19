/**
 * A value in another unit; undefined if the two do not measure the same, or nobody knows (`pixel`).
 * @param {number} value
 * @param {string} from
 * @param {string} to
 * @returns {number | undefined}
 */
export function convert(value: number, from: string, to: string): number | undefined;
/**
 * A wavelength in nanometres, if its unit is one of length.
 * @param {{ value: number, unit: string } | undefined} wavelength
 * @returns {number | undefined}
 */
export function nanometres(wavelength: {
    value: number;
    unit: string;
} | undefined): number | undefined;
