/**
 * Whether a calibration applies to images: by their microscope, and by kind their objective, detector, light. The rules are
 * those of docs/nbo-zarr-convention.md, section 5, Answers.
 *
 * @module
 */

import { answersTo, compare } from "./microscope.js";
import { nanometres } from "./units.js";

/** @typedef {import("../../types/schemas/nbo-qc.js").NboQc} Index */
/** @typedef {Index["events"][number]} Event */
/** @typedef {Index["images"][number]} Images */
/** @typedef {NonNullable<Images["channels"]>[number]} Channel */
/** @typedef {{ is: "not", why: string } | { is: "unclear", why: string } | { is: "applies", how: string, isOwn: boolean }} Relation */

/** How many nanometres a wavelength may be away from the one that is asked for: the width of a line or of a band. */
export const NEAR = 10;

/** Kinds that depend on the objective. */
const OPTICAL = ["OpticalCalibration", "ChromaticRegistrationEvaluation", "FieldUniformityEvaluation"];

/**
 * How a calibration stands to images.
 * @param {Index} index
 * @param {Event} event
 * @param {Images} images
 * @returns {Relation}
 */
export function relation(index, event, images) {
  const isOptical = OPTICAL.includes(event.kind);
  const isOfDetector = event.kind === "DetectorCalibration";
  /** @type {string[]} */
  const detectors = (images.channels ?? []).flatMap((c) => (c.detector === undefined ? [] : [c.detector]));
  /** @type {string[]} */
  const measured = event.detectors ?? [];
  const ofOtherDetector =
    isOfDetector && detectors.length > 0 && measured.length > 0 && !measured.some((/** @type {string} */ d) => detectors.includes(d));
  if (event.images?.some((image) => images.images.includes(image))) {
    // It may have been measured on another image, and that one was taken otherwise.
    if (isOptical && differ(event.objective, images.objective)) {
      return not("the calibration of this image was measured with another objective");
    }
    if ((isOptical || isOfDetector) && differ(event.instrument, images.instrument)) {
      return not("the calibration of this image was measured on another microscope");
    }
    return ofOtherDetector ? not("the calibration of this image is of another detector") : applies("a calibration of this image", true);
  }
  const same = sameMicroscope(index, event, images);
  if (same.is === "different") return not(`it is of another microscope: ${same.why}`);
  if (same.is === "unclear") {
    const isKnown = images.instrument !== undefined && (event.instrument !== undefined || event.microscope !== undefined);
    return unclear(
      isKnown
        ? "the record does not say whether it was made on the same microscope"
        : "the record does not say which microscope was used",
    );
  }
  if (isOfDetector) {
    if (ofOtherDetector) return not("it is of another detector");
    return detectors.length === 0 || measured.length === 0
      ? unclear("the record does not say which detector was used")
      : applies("a calibration of the same detector", false);
  }
  if (!isOptical) return applies("a calibration of the same instrument", false);
  if (event.objective === undefined || images.objective === undefined) {
    return unclear("the record does not say which objective was used");
  }
  return event.objective === images.objective
    ? applies("a calibration of the same instrument and objective", false)
    : not("it is of another objective");
}

/** @param {Index} index @param {Event} event @param {Images} images @returns {import("./microscope.js").Sameness} */
function sameMicroscope(index, event, images) {
  if (event.instrument !== undefined && event.instrument === images.instrument) return { is: "same" };
  const known = (/** @type {string | undefined} */ id) =>
    id !== undefined && Object.hasOwn(index.instruments ?? {}, id) ? index.instruments[id] : undefined;
  const own = known(images.instrument);
  if (!own) return { is: "unclear" };
  const other = known(event.instrument);
  if (other) return compare(own, other);
  if (!event.microscope) return { is: "unclear" };
  // The record has several that answer to it, or this would have been found.
  const named = answersTo(own, event.microscope);
  return named.is === "same" ? { is: "unclear" } : named;
}

/**
 * Whether a calibration is of a channel: by light source or detector, name, or wavelength, whatever both say first;
 * undefined where it does not say.
 * @param {Event} event
 * @param {Channel} channel
 * @returns {boolean | undefined}
 */
export function covers(event, channel) {
  if (event.kind === "DetectorCalibration") {
    const detectors = event.detectors ?? [];
    return channel.detector !== undefined && detectors.length > 0 ? detectors.includes(channel.detector) : undefined;
  }
  if (event.kind === "ExcitationCalibration" && event.lightSource !== undefined && channel.lightSource !== undefined) {
    return event.lightSource === channel.lightSource;
  }
  if (event.kind === "ChromaticRegistrationEvaluation") {
    const light = nanometres(channel.emission);
    const pair = lights(event.wavelengths);
    return light === undefined || pair.length === 0 ? undefined : pair.some((measured) => isNear(measured, light));
  }
  const name = channel.name;
  if (name !== undefined && event.channels?.length) return event.channels.some((own) => sameName(own, name));
  const light = nanometres(event.kind === "ExcitationCalibration" ? channel.excitation : channel.emission);
  const measured = nanometres(event.wavelength);
  return light === undefined || measured === undefined ? undefined : isNear(measured, light);
}

/**
 * Wavelengths in nanometres; those that are none are left out.
 * @param {{ value: number, unit: string }[] | undefined} wavelengths
 */
export function lights(wavelengths) {
  return (wavelengths ?? []).map(nanometres).filter((light) => light !== undefined);
}

/** @param {number} a @param {number} b */
export function isNear(a, b) {
  return Math.abs(a - b) <= NEAR;
}

/** Without regard to the case of ASCII letters. @param {string} a @param {string} b */
export function sameName(a, b) {
  const fold = (/** @type {string} */ text) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  return fold(a) === fold(b);
}

/** @param {string | undefined} a @param {string | undefined} b */
function differ(a, b) {
  return a !== undefined && b !== undefined && a !== b;
}

/** @param {string} why @returns {Relation} */
function not(why) {
  return { is: "not", why };
}

/** @param {string} why @returns {Relation} */
function unclear(why) {
  return { is: "unclear", why };
}

/** @param {string} how @param {boolean} isOwn @returns {Relation} */
function applies(how, isOwn) {
  return { is: "applies", how, isOwn };
}
