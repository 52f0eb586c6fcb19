/** @typedef {import("./documents.js").Attributes} Attributes */
/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("../types/schemas/summary.js").Summary} Summary */
/** @typedef {{ name: string, type?: string, unit?: string }} Axis */
/** @typedef {{ path: string, scale?: number[], translation?: number[] }} Level Path from the image's group. */
export class Image {
    /** @param {Store} store @param {string} path @param {Attributes} attributes */
    constructor(store: Store, path: string, attributes: Attributes);
    /** @type {Store} */
    store: Store;
    /** Path of its group from the root; empty for the root. */
    path: string;
    attributes: import("./documents.js").Attributes;
    /** NGFF metadata, whatever their version. */
    ngff: import("./documents.js").Attributes;
    /** @type {Attributes} */
    multiscale: Attributes;
    /** @returns {string | undefined} */
    get name(): string | undefined;
    /** What most readers ask first (docs/summary.md); undefined in stores of others that nothing was embedded in.
     * @returns {Summary | undefined} */
    get summary(): Summary | undefined;
    /** Statistics of samples by channel (docs/quality.md). @returns {Attributes | undefined} */
    get statistics(): Attributes | undefined;
    /** Of a label image: colours and properties by value. @returns {Attributes | undefined} */
    get label(): Attributes | undefined;
    /** Axes, in the order of the array's dimensions. @returns {Axis[]} */
    get axes(): Axis[];
    /** Levels of resolution, the full one first. @returns {Level[]} */
    get levels(): Level[];
    /** Channels as viewers show them: label, colour, window. @returns {Attributes[]} */
    get channels(): Attributes[];
    /**
     * The array of a level, opened by zarrita. One request for its document, none where metadata are consolidated.
     * @param {number} [level]
     * @returns {Promise<zarr.Array<zarr.DataType, import("./documents.js").Documents>>}
     */
    array(level?: number): Promise<zarr.Array<zarr.DataType, import("./documents.js").Documents>>;
    /**
     * Samples of a level: along each axis one place, a range `[from, to)`, or, where none is given, all.
     *
     * ```js
     * const { data, shape } = await image.read({ t: 0, c: 1, z: 15 });       // a plane: shape is [y, x]
     * const part = await image.read({ t: 0, c: 1, z: 15, y: [0, 256], x: [0, 256] }, { level: 1 });
     * ```
     * @param {Record<string, number | [number, number]>} [at]
     * @param {{ level?: number, signal?: AbortSignal }} [options]
     * @returns {Promise<{ data: ArrayLike<any>, shape: number[], stride: number[] }>} `data` is a typed array.
     */
    read(at?: Record<string, number | [number, number]>, { level, signal }?: {
        level?: number;
        signal?: AbortSignal;
    }): Promise<{
        data: ArrayLike<any>;
        shape: number[];
        stride: number[];
    }>;
    /**
     * Timing, position and exposure of every plane, as typed arrays on the grid t, c, z (docs/ome-json.md); undefined where
     * the store has none.
     * @param {{ only?: string[] }} [options] `only`: names of columns, the others are not fetched.
     */
    planes(options?: {
        only?: string[];
    }): Promise<import("./planes.js").Planes | undefined>;
    /**
     * The NBO record of this image: its own graph and the common one, shared objects in place.
     * @returns {Promise<import("./record.js").ImageRecord | undefined>}
     */
    record(): Promise<import("./record.js").ImageRecord | undefined>;
    /**
     * Label images. One request for their list, one for each.
     * @returns {Promise<Image[]>}
     */
    labels(): Promise<Image[]>;
}
export type Attributes = import("./documents.js").Attributes;
export type Store = import("./store.js").Store;
export type Summary = import("../types/schemas/summary.js").Summary;
export type Axis = {
    name: string;
    type?: string;
    unit?: string;
};
/**
 * Path from the image's group.
 */
export type Level = {
    path: string;
    scale?: number[];
    translation?: number[];
};
import * as zarr from "zarrita";
