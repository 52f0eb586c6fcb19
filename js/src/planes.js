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
  if (!arrays.includes(name)) return undefined;
  const array = await openArray(documents, join(place.path, name));
  const [{ data, shape }, list] = await Promise.all([part(array, place, sizes), texts(documents, place, arrays, name, array)]);
  const { unit } = /** @type {Record<string, any>} */ (array.attrs);
  return list
    ? { data: Array.from(data, (number) => list[Number(number)]), shape, unit }
    : { data: /** @type {Values} */ (data), shape, unit };
}

/**
 * The list of texts that the numbers of a column are places in; undefined of a column of numbers. Of more than 256 texts
 * the list is two arrays: their bytes one behind the other, and where each ends.
 * @param {Documents} documents
 * @param {Place} place
 * @param {string[]} arrays
 * @param {string} name
 * @param {{ attrs: Record<string, any> }} array
 * @returns {Promise<string[] | undefined>}
 */
async function texts(documents, place, arrays, name, array) {
  if (Array.isArray(array.attrs.values)) return array.attrs.values;
  if (!arrays.includes(`${name}._ends`)) return undefined;
  const [bytes, ends] = await Promise.all(
    ["_bytes", "_ends"].map(async (of) => zarr.get(await openArray(documents, join(place.path, `${name}.${of}`)))),
  );
  const decoder = new TextDecoder();
  let from = 0;
  return Array.from(/** @type {BigInt64Array} */ (ends.data), (end) => {
    const text = decoder.decode(/** @type {Uint8Array} */ (bytes.data).subarray(from, Number(end)));
    from = Number(end);
    return text;
  });
}

/**
 * The part of an array that is of this image.
 * @param {zarr.Array<any, Documents>} array
 * @param {Place} place
 * @param {number[] | undefined} sizes
 */
async function part(array, place, sizes) {
  const { first: row = 0, image = 0 } = place;
  const first = sizes?.length === 4 ? image : sizes ? null : zarr.slice(row, row + place.rows);
  const got = await zarr.get(array, [first, ...array.shape.slice(1).map(() => null)]);
  return /** @type {{ data: ArrayLike<any>, shape: number[] }} */ (got);
}
