/** @typedef {import("../../types/schemas/nbo-qc.js").Microscope} Microscope */
/** @typedef {{ is: "same" } | { is: "different", why: string } | { is: "unclear" }} Sameness */
/**
 * @param {Microscope} a
 * @param {Microscope} b
 * @returns {Sameness}
 */
export function compare(a: Microscope, b: Microscope): Sameness;
/**
 * Whether a microscope is the one that a result of quality control names: without a serial number on both sides it may also
 * give its name, or maker and model.
 * @param {Microscope} own
 * @param {Microscope} named
 * @returns {Sameness}
 */
export function answersTo(own: Microscope, named: Microscope): Sameness;
export type Microscope = import("../../types/schemas/nbo-qc.js").Microscope;
export type Sameness = {
    is: "same";
} | {
    is: "different";
    why: string;
} | {
    is: "unclear";
};
