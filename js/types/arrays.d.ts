/**
 * An array of the store, in the version of Zarr that the store has.
 * @param {import("./documents.js").Documents} documents
 * @param {string} path
 */
export function openArray(documents: import("./documents.js").Documents, path: string): Promise<zarr.Array<zarr.DataType, import("./documents.js").Documents>>;
import * as zarr from "zarrita";
