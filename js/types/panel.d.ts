/**
 * What a panel beside a picture shows of an image's summary. No request is made.
 *
 * @module
 */
/** @typedef {import("../types/schemas/summary.js").Summary} Summary */
/** @typedef {"green" | "red" | "grey"} Light green is `pass`, red `fail`, grey `unknown` of `fairzarr qc --require`. */
/** @typedef {{ kind: string, light: Light, date?: string, ageDays?: number, text: string }} Signal */
/**
 * Whether the latest calibration of a kind was made at most so many days before the acquisition (docs/summary.md).
 * @param {Summary} summary
 * @param {string} kind
 * @param {number} days
 * @returns {Light}
 */
export function light(summary: Summary, kind: string, days: number): Light;
/**
 * What the summary does not say, in words; of channels with the names of those that lack it.
 * @param {Summary} summary
 * @returns {string[]}
 */
export function missing(summary: Summary): string[];
/**
 * Rows of label and text, signals of quality control, coverage, and what is missing. `within` are the greatest ages in
 * days by kind; without one, 365.
 * @param {Summary} summary
 * @param {{ within?: Record<string, number> }} [options]
 */
export function panel(summary: Summary, { within }?: {
    within?: Record<string, number>;
}): {
    rows: [string, string | undefined][];
    channels: {
        name: string;
        fluorophore: string | undefined;
        excitation: string | undefined;
        emission: string | undefined;
        exposure: string | undefined;
        lightSource: string | undefined;
        detector: string | undefined;
    }[];
    channelsNotListed: number;
    signals: Signal[];
    coverage: {
        policy: import("../types/schemas/summary.js").Text;
        errors: number;
        warnings: number;
        tiers: {
            tier: number;
            filled: number;
            of: number;
        }[];
    }[];
    missing: string[];
};
/**
 * What a reader of a paper asks of every image, and how the summary answers it.
 * @type {[string, (summary: Summary) => unknown][]}
 */
export const FIRST_QUESTIONS: [string, (summary: Summary) => unknown][];
export type Summary = import("../types/schemas/summary.js").Summary;
/**
 * green is `pass`, red `fail`, grey `unknown` of `fairzarr qc --require`.
 */
export type Light = "green" | "red" | "grey";
export type Signal = {
    kind: string;
    light: Light;
    date?: string;
    ageDays?: number;
    text: string;
};
