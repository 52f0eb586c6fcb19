/**
 * A path below another; an empty one is the root.
 * @param {string[]} parts
 */
export function join(...parts: string[]): string;
/**
 * A relative path, `.` and `..` in it resolved.
 * @param {string} from
 * @param {string} relative
 */
export function resolve(from: string, relative: string): string;
/** @implements {Readable} */
export class Documents implements Readable {
    /** @param {Readable} store @param {2 | 3} [zarrFormat] */
    constructor(store: Readable, zarrFormat?: 2 | 3);
    /** @type {2 | 3 | undefined} */
    zarrFormat: 2 | 3 | undefined;
    /**
     * The attributes of the group or array at a path from the root; undefined where there is none.
     * @param {string} path
     * @returns {Promise<Attributes | undefined>}
     */
    attributes(path: string): Promise<Attributes | undefined>;
    /**
     * In Zarr v2: takes the root's `.zmetadata`, if there is one, so that further documents need no request.
     * In v3 they came with the root's document.
     */
    consolidate(): Promise<void>;
    /**
     * The bytes of an object; undefined where there is none.
     * @param {Key} key
     * @param {any} [options]
     * @returns {Promise<Uint8Array | undefined>}
     */
    get(key: Key, options?: any): Promise<Uint8Array | undefined>;
    /**
     * Part of an object, for shards.
     * @param {Key} key
     * @param {import("zarrita").RangeQuery} range
     * @param {any} [options]
     * @returns {Promise<Uint8Array | undefined>}
     */
    getRange(key: Key, range: import("zarrita").RangeQuery, options?: any): Promise<Uint8Array | undefined>;
    #private;
}
export type Readable = import("zarrita").AsyncReadable;
export type Key = import("zarrita").AbsolutePath;
export type Attributes = Record<string, any>;
