/**
 * How a calibration stands to images.
 * @param {Index} index
 * @param {Event} event
 * @param {Images} images
 * @returns {Relation}
 */
export function relation(index: Index, event: Event, images: Images): Relation;
/**
 * Whether a calibration is of a channel: by light source or detector, name, or wavelength, whatever both say first;
 * undefined where it does not say.
 * @param {Event} event
 * @param {Channel} channel
 * @returns {boolean | undefined}
 */
export function covers(event: Event, channel: Channel): boolean | undefined;
/**
 * Wavelengths in nanometres; those that are none are left out.
 * @param {{ value: number, unit: string }[] | undefined} wavelengths
 */
export function lights(wavelengths: {
    value: number;
    unit: string;
}[] | undefined): number[];
/** @param {number} a @param {number} b */
export function isNear(a: number, b: number): boolean;
/** Without regard to the case of ASCII letters. @param {string} a @param {string} b */
export function sameName(a: string, b: string): boolean;
/** @typedef {import("../../types/schemas/nbo-qc.js").NboQc} Index */
/** @typedef {Index["events"][number]} Event */
/** @typedef {Index["images"][number]} Images */
/** @typedef {NonNullable<Images["channels"]>[number]} Channel */
/** @typedef {{ is: "not", why: string } | { is: "unclear", why: string } | { is: "applies", how: string, isOwn: boolean }} Relation */
/** How many nanometres a wavelength may be away from the one that is asked for: the width of a line or of a band. */
export const NEAR: 10;
export type Index = import("../../types/schemas/nbo-qc.js").NboQc;
export type Event = Index["events"][number];
export type Images = Index["images"][number];
export type Channel = NonNullable<Images["channels"]>[number];
export type Relation = {
    is: "not";
    why: string;
} | {
    is: "unclear";
    why: string;
} | {
    is: "applies";
    how: string;
    isOwn: boolean;
};
