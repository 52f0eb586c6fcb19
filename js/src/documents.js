/**
 * The documents of a store: attributes of groups, of Zarr v2 and v3, each fetched at most once.
 *
 * It is a store itself, so that zarrita opens arrays without fetching again what is known, be it from another call or
 * from consolidated metadata (which in v3 come with the root's own document).
 *
 * @module
 */

import { FairzarrError } from "./error.js";

/** @typedef {import("zarrita").AsyncReadable} Readable */
/** @typedef {import("zarrita").AbsolutePath} Key */
/** @typedef {Record<string, any>} Attributes */

const METADATA = /(^|\/)(zarr\.json|\.zarray|\.zattrs|\.zgroup)$/;

/** @implements {Readable} */
export class Documents {
  /** @type {Readable} */
  #store;
  /** @type {Map<string, Promise<Uint8Array | undefined>>} */
  #fetched = new Map();
  /** By key without the first slash.
   * @type {Map<string, unknown>} */
  #consolidated = new Map();
  /** @type {2 | 3 | undefined} */
  zarrFormat;

  /** @param {Readable} store @param {2 | 3} [zarrFormat] */
  constructor(store, zarrFormat) {
    this.#store = store;
    this.zarrFormat = zarrFormat;
  }

  /**
   * The attributes of the group or array at a path from the root; undefined where there is none.
   * @param {string} path
   * @returns {Promise<Attributes | undefined>}
   */
  async attributes(path) {
    if (this.zarrFormat !== 2) {
      const node = await this.#json(join(path, "zarr.json"));
      if (node) {
        this.zarrFormat = 3;
        if (path === "") this.#keep(node);
        return object(node.attributes ?? {}, join(path, "zarr.json"));
      }
      if (this.zarrFormat === 3) return undefined;
    }
    const attributes = await this.#json(join(path, ".zattrs"));
    if (attributes) this.zarrFormat = 2;
    return attributes;
  }

  /**
   * In Zarr v2: takes the root's `.zmetadata`, if there is one, so that further documents need no request.
   * In v3 they came with the root's document.
   */
  async consolidate() {
    if (this.zarrFormat !== 2 || this.#consolidated.size > 0) return;
    const all = await this.#json(".zmetadata");
    for (const [key, value] of Object.entries(all?.metadata ?? {})) this.#consolidated.set(key, value);
  }

  /**
   * A document of JSON.
   * @param {string} key
   * @returns {Promise<Attributes | undefined>}
   */
  async #json(key) {
    if (this.#consolidated.has(key)) return object(this.#consolidated.get(key), key);
    const bytes = await this.get(/** @type {Key} */ (`/${key}`));
    if (!bytes) return undefined;
    let value;
    try {
      value = JSON.parse(new TextDecoder().decode(bytes));
    } catch (cause) {
      throw new FairzarrError(`${key} is not JSON: ${/** @type {Error} */ (cause).message}`, { cause });
    }
    return object(value, key);
  }

  /** @param {Attributes} root */
  #keep(root) {
    const nodes = root.consolidated_metadata?.metadata;
    if (nodes === null || typeof nodes !== "object") return;
    for (const [path, node] of Object.entries(nodes)) this.#consolidated.set(join(path, "zarr.json"), node);
  }

  /**
   * The bytes of an object; undefined where there is none.
   * @param {Key} key
   * @param {any} [options]
   * @returns {Promise<Uint8Array | undefined>}
   */
  async get(key, options) {
    if (!METADATA.test(key)) return this.#store.get(key, options);
    const known = this.#consolidated.get(key.slice(1));
    if (known !== undefined) return new TextEncoder().encode(JSON.stringify(known));
    let found = this.#fetched.get(key);
    if (!found) {
      found = Promise.resolve(this.#store.get(key));
      this.#fetched.set(key, found);
      // A request that failed is made again when it is asked for again.
      found.catch(() => this.#fetched.delete(key));
    }
    return found;
  }

  /**
   * Part of an object, for shards.
   * @param {Key} key
   * @param {import("zarrita").RangeQuery} range
   * @param {any} [options]
   * @returns {Promise<Uint8Array | undefined>}
   */
  async getRange(key, range, options) {
    if (!this.#store.getRange) {
      throw new FairzarrError(`${key}: this store gives no ranges of bytes, which shards need`);
    }
    return this.#store.getRange(key, range, options);
  }
}

/**
 * A path below another; an empty one is the root.
 * @param {string[]} parts
 */
export function join(...parts) {
  return parts.filter((part) => part !== "").join("/");
}

/**
 * A relative path, `.` and `..` in it resolved.
 * @param {string} from
 * @param {string} relative
 */
export function resolve(from, relative) {
  /** @type {string[]} */
  const parts = [];
  for (const part of [...from.split("/"), ...relative.split("/")]) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.join("/");
}

/** @param {unknown} value @param {string} key @returns {Attributes} */
function object(value, key) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new FairzarrError(`${key} is not a JSON object`);
  }
  return value;
}
