/**
 * Whether two descriptions are of one microscope: by UUID, or by maker and serial number. Makers and models are compared as
 * wholes; other names of the same are known.
 *
 * @module
 */

import { MAKERS, MODELS } from "./tables.js";

/** @typedef {import("../../types/schemas/nbo-qc.js").Microscope} Microscope */
/** @typedef {{ is: "same" } | { is: "different", why: string } | { is: "unclear" }} Sameness */

/**
 * @param {Microscope} a
 * @param {Microscope} b
 * @returns {Sameness}
 */
export function compare(a, b) {
  const makers = both(a.manufacturer, b.manufacturer, maker);
  const models = both(a.model, b.model, model);
  const serials = both(a.serialNumber, b.serialNumber, lower);
  const uuids = both(a.uuid, b.uuid, lower);
  if (makers === false) return different("their makers differ");
  if (serials === false) return different("their serial numbers differ");
  if ((serials && makers) || uuids) return { is: "same" };
  if (uuids === false) return different("their UUIDs differ");
  return models === false ? different("their models differ") : { is: "unclear" };
}

/**
 * Whether a microscope is the one that a result of quality control names: without a serial number on both sides it may also
 * give its name, or maker and model.
 * @param {Microscope} own
 * @param {Microscope} named
 * @returns {Sameness}
 */
export function answersTo(own, named) {
  const decided = compare(own, named);
  if (decided.is !== "unclear") return decided;
  const trimmed = (/** @type {string} */ text) => lower(text.trim());
  const isNamed =
    (both(own.manufacturer, named.manufacturer, maker) && both(own.model, named.model, model)) ||
    both(own.name, named.name, trimmed) ||
    both(own.serialNumber, named.serialNumber, trimmed);
  return isNamed ? { is: "same" } : decided;
}

/** @param {string} why @returns {Sameness} */
function different(why) {
  return { is: "different", why };
}

/**
 * Whether two values are the same in the spelling that `by` gives; undefined where one is not said.
 * @param {string | undefined} a
 * @param {string | undefined} b
 * @param {(text: string) => string} by
 */
function both(a, b, by) {
  return a === undefined || b === undefined ? undefined : by(a) === by(b);
}

const lower = (/** @type {string} */ text) => text.toLowerCase();
const maker = (/** @type {string} */ name) => known(MAKERS, name);
const model = (/** @type {string} */ name) => known(MODELS, name);

/** @param {string[][]} table @param {string} name */
function known(table, name) {
  const folded = fold(name);
  const line = table.find((line) => line.some((alias) => fold(alias) === folded));
  return line ? fold(line[0]) : folded;
}

/** Without regard to case, blanks and punctuation. @param {string} name */
function fold(name) {
  return name.replace(/[^\p{Alphabetic}\p{N}]/gu, "").toLowerCase();
}
