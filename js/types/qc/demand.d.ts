/**
 * @typedef {object} Condition
 * @property {string} metric
 * @property {"<" | "<=" | ">" | ">="} operator
 * @property {number} number What it is compared with, or the factor of `of`.
 * @property {string} [unit]
 * @property {string} [of] Another metric, whose multiple it is compared with.
 */
export const IMAGE_QUALITY: "ImageQuality";
/** What is counted of samples. */
export const QUALITY_METRICS: string[];
/** Kinds of calibration, in the order in which a summary lists them. */
export const KINDS: string[];
export class Demand {
    /**
     * Reads a demand, strictly: a kind, metric or unit that does not exist is an error.
     * @param {string} text
     * @returns {Demand}
     */
    static parse(text: string): Demand;
    /**
     * @param {string} kind
     * @param {{ channel?: string, wavelength?: { value: number, unit: string }, withinDays?: number, eitherSide?: boolean,
     *   conditions?: Condition[] }} [rest]
     */
    constructor(kind: string, { channel, wavelength, withinDays, eitherSide, conditions }?: {
        channel?: string;
        wavelength?: {
            value: number;
            unit: string;
        };
        withinDays?: number;
        eitherSide?: boolean;
        conditions?: Condition[];
    });
    kind: string;
    channel: string | undefined;
    /** Give or take 10 nm. */
    wavelength: {
        value: number;
        unit: string;
    } | undefined;
    withinDays: number | undefined;
    /** Whether a calibration after the acquisition counts too. */
    eitherSide: boolean;
    conditions: Condition[];
}
export type Condition = {
    metric: string;
    operator: "<" | "<=" | ">" | ">=";
    /**
     * What it is compared with, or the factor of `of`.
     */
    number: number;
    unit?: string | undefined;
    /**
     * Another metric, whose multiple it is compared with.
     */
    of?: string | undefined;
};
