/**
 * Arrays, opened by zarrita.
 *
 * @module
 */

import * as zarr from "zarrita";

/**
 * An array of the store, in the version of Zarr that the store has.
 * @param {import("./documents.js").Documents} documents
 * @param {string} path
 */
export async function openArray(documents, path) {
  const place = zarr.root(documents).resolve(path);
  const open = documents.zarrFormat === 2 ? zarr.open.v2 : zarr.open.v3;
  return open(place, { kind: "array" });
}
