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
export function planes(documents: Documents, place: Place, { only }: {
    only?: string[];
}): Promise<Planes>;
export type Documents = import("./documents.js").Documents;
export type Place = {
    path: string;
    rows: number;
    first?: number;
    image?: number;
};
export type Values = Int32Array | BigInt64Array | Float64Array | (string | undefined)[];
/**
 * A column. Numbers are NaN, texts undefined, where a plane has none. `shape` is `[t, c, z]`, or `[row]` where the planes
 * lie on no grid.
 */
export type Column = {
    data: Values;
    shape: number[];
    unit?: string;
};
export type Planes = {
    /**
     * Of the grid; undefined where there is none.
     */
    sizes: {
        t: number;
        c: number;
        z: number;
    } | undefined;
    columns: Record<string, Column>;
    /**
     * Columns in which every plane has the same text.
     */
    constants: Record<string, string>;
};
