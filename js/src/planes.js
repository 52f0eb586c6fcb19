/**
 * The plane arrays: what the OME model says of each plane, one array for each attribute (docs/ome-json.md, Tables).
 *
 * @module
 */

import * as zarr from "zarrita";
import { openArray } from "./arrays.js";
import { join } from "./documents.js";
import { FairzarrError } from "./error.js";

/** @typedef {import("./documents.js").Documents} Documents */
/** @typedef {{ path: string, rows: number, first?: number, image?: number }} Place */
/** @typedef {Int32Array | BigInt64Array | Float64Array | (string | undefined)[]} Values */

/**
 * A column. Numbers are NaN, texts undefined, where a plane has none. `shape` is `[t, c, z]`, or `[row]` where the planes
 * lie on no grid.
 * @typedef {{ data: Values, shape: number[], unit?: string }} Column
 */

/**
 * @typedef {object} Planes
 * @property {{ t: number, c: number, z: number } | undefined} sizes Of the grid; undefined where there is none.
 * @property {Record<string, Column>} columns
 * @property {Record<string, string>} constants Columns in which every plane has the same text.
 */

/**
 * Reads the plane arrays of an image.
 * @param {Documents} documents
 * @param {Place} place As in the image's summary.
 * @param {{ only?: string[] }} options
 * @returns {Promise<Planes>}
 */
export async function planes(documents, place, { only }) {
  const group = await documents.attributes(place.path);
  if (!group) throw new FairzarrError(`the plane arrays at ${place.path} are missing`);
  /** @type {string[]} */
  const arrays = group.arrays ?? [];
  /** @type {number[] | undefined} */
  const sizes = group.sizes;
  const wanted = (group.columns ?? []).filter((/** @type {string} */ name) => name !== "image" && (!only || only.includes(name)));
  const found = await Promise.all(wanted.map((/** @type {string} */ name) => read(documents, place, arrays, name, sizes)));
  /** @type {Record<string, Column>} */
  const columns = {};
  found.forEach((column, n) => {
    if (column) columns[wanted[n]] = column;
  });
  const [t, c, z] = sizes?.slice(-3) ?? [];
  return { sizes: sizes && { t, c, z }, columns, constants: group.constants ?? {} };
}

/**
 * @param {Documents} documents
 * @param {Place} place
 * @param {string[]} arrays
 * @param {string} name
 * @param {number[] | undefined} sizes
 * @returns {Promise<Column | undefined>} Undefined of a column that has no array.
 */
async function read(documents, place, arrays, name, sizes) {
  if (arrays.includes(name)) {
    const array = await openArray(documents, join(place.path, name));
    const { data, shape } = await part(array, place, sizes);
    const { values, unit } = /** @type {Record<string, any>} */ (array.attrs);
    return Array.isArray(values)
      ? { data: Array.from(data, (place) => values[Number(place)]), shape, unit }
      : { data: /** @type {Values} */ (data), shape, unit };
  }
  if (!arrays.includes(`${name}._ends`)) return undefined;
  return texts(documents, place, name, sizes);
}

/**
 * Texts of which there are too many for a list: their bytes one behind the other, and where each ends.
 * @param {Documents} documents
 * @param {Place} place
 * @param {string} name
 * @param {number[] | undefined} sizes
 * @returns {Promise<Column>}
 */
async function texts(documents, place, name, sizes) {
  const [bytes, ends] = await Promise.all(
    ["_bytes", "_ends"].map((of) => openArray(documents, join(place.path, `${name}.${of}`))),
  );
  const [all, until] = await Promise.all([zarr.get(bytes), zarr.get(ends)]);
  const flat = /** @type {BigInt64Array} */ (until.data);
  const size = until.shape.reduce((product, length) => product * length, 1);
  const decoder = new TextDecoder();
  /** @type {(string | undefined)[]} */
  const data = [];
  let from = 0;
  for (let row = 0; row < size; row++) {
    const to = Number(flat[row]);
    // An end of -1: no text.
    data.push(to < 0 ? undefined : decoder.decode(/** @type {Uint8Array} */ (all.data).subarray(from, to)));
    if (to >= 0) from = to;
  }
  const [start, length, shape] = rows(until.shape, place, sizes);
  return { data: data.slice(start, start + length), shape };
}

/**
 * The part of an array that is of this image.
 * @param {zarr.Array<any, Documents>} array
 * @param {Place} place
 * @param {number[] | undefined} sizes
 */
async function part(array, place, sizes) {
  const isOfMany = sizes?.length === 4;
  const first = isOfMany
    ? (place.image ?? 0)
    : !sizes && place.first !== undefined
      ? zarr.slice(place.first, place.first + place.rows)
      : null;
  const got = await zarr.get(array, [first, ...array.shape.slice(1).map(() => null)]);
  return /** @type {{ data: ArrayLike<any>, shape: number[] }} */ (got);
}

/**
 * Which of all values are of this image: the first, how many, and their shape.
 * @param {number[]} shape
 * @param {Place} place
 * @param {number[] | undefined} sizes
 * @returns {[number, number, number[]]}
 */
function rows(shape, place, sizes) {
  if (sizes?.length === 4) {
    const length = shape.slice(1).reduce((product, size) => product * size, 1);
    return [(place.image ?? 0) * length, length, shape.slice(1)];
  }
  if (!sizes && place.first !== undefined) return [place.first, place.rows, [place.rows]];
  return [0, shape.reduce((product, size) => product * size, 1), shape];
}
