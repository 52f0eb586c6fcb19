/**
 * One image of a store: what is said of it, and its samples.
 *
 * @module
 */

import * as zarr from "zarrita";
import { openArray } from "./arrays.js";
import { join, resolve } from "./documents.js";
import { FairzarrError } from "./error.js";
import { ngff, steps } from "./ngff.js";
import { planes } from "./planes.js";
import { putTogether } from "./record.js";

/** @typedef {import("./documents.js").Attributes} Attributes */
/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("../types/schemas/summary.js").Summary} Summary */
/** @typedef {{ name: string, type?: string, unit?: string }} Axis */
/** @typedef {{ path: string, scale?: number[], translation?: number[] }} Level Path from the image's group. */

export class Image {
  /** @param {Store} store @param {string} path @param {Attributes} attributes */
  constructor(store, path, attributes) {
    /** @type {Store} */
    this.store = store;
    /** Path of its group from the root; empty for the root. */
    this.path = path;
    this.attributes = attributes;
    /** NGFF metadata, whatever their version. */
    this.ngff = ngff(attributes);
    if (!Array.isArray(this.ngff.multiscales) || this.ngff.multiscales.length === 0) {
      throw new FairzarrError(`${path || "the root"} of ${store.name} is no image: it has no multiscales`);
    }
    /** @type {Attributes} */
    this.multiscale = this.ngff.multiscales[0];
  }

  /** @returns {string | undefined} */
  get name() {
    return this.multiscale.name ?? undefined;
  }

  /** What most readers ask first (docs/summary.md); undefined in stores of others that nothing was embedded in.
   * @returns {Summary | undefined} */
  get summary() {
    return this.attributes["fairzarr:summary"];
  }

  /** Statistics of samples by channel (docs/quality.md). @returns {Attributes | undefined} */
  get statistics() {
    return this.attributes["fairzarr:statistics"];
  }

  /** Of a label image: colours and properties by value. @returns {Attributes | undefined} */
  get label() {
    return this.ngff["image-label"];
  }

  /** Axes, in the order of the array's dimensions. @returns {Axis[]} */
  get axes() {
    const { axes, coordinateSystems = [], datasets = [] } = this.multiscale;
    if (axes) return axes;
    const output = datasets[0]?.coordinateTransformations?.[0]?.output;
    const name = typeof output === "object" ? output?.name : output;
    const system = coordinateSystems.find((/** @type {Attributes} */ s) => s.name === name) ?? coordinateSystems[0];
    return system?.axes ?? [];
  }

  /** Levels of resolution, the full one first. @returns {Level[]} */
  get levels() {
    const { datasets = [], coordinateTransformations = [] } = this.multiscale;
    const common = coordinateTransformations.find((/** @type {Attributes} */ t) => t.type === "scale" && !t.input)?.scale;
    return datasets.map((/** @type {Attributes} */ dataset) => {
      const all = steps(dataset.coordinateTransformations ?? []);
      const scale = all.find((t) => t.type === "scale")?.scale;
      const translation = all.find((t) => t.type === "translation")?.translation;
      const scaled = common ? scale?.map((/** @type {number} */ s, /** @type {number} */ i) => s * common[i]) : scale;
      return { path: String(dataset.path), scale: scaled, translation };
    });
  }

  /** Channels as viewers show them: label, colour, window. @returns {Attributes[]} */
  get channels() {
    return this.ngff.omero?.channels ?? [];
  }

  /**
   * The array of a level, opened by zarrita. One request for its document, none where metadata are consolidated.
   * @param {number} [level]
   * @returns {Promise<zarr.Array<zarr.DataType, import("./documents.js").Documents>>}
   */
  async array(level = 0) {
    const place = this.levels[level];
    if (!place) throw new FairzarrError(`${this.path || "the image"} has ${this.levels.length} levels, and no level ${level}`);
    return openArray(this.store.documents, join(this.path, place.path));
  }

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
  async read(at = {}, { level = 0, signal } = {}) {
    const names = this.axes.map((axis) => axis.name);
    const unknown = Object.keys(at).find((name) => !names.includes(name));
    if (unknown) throw new FairzarrError(`there is no axis ${unknown}: the image has ${names.join(", ")}`);
    const array = await this.array(level);
    const selection = names.map((name) => {
      const place = at[name];
      return Array.isArray(place) ? zarr.slice(place[0], place[1]) : (place ?? null);
    });
    const got = await zarr.get(array, selection, { opts: { signal } });
    if (got !== null && typeof got === "object" && "shape" in got) {
      return /** @type {any} */ ({ data: got.data, shape: got.shape, stride: got.stride });
    }
    return { data: [got], shape: [], stride: [] };
  }

  /**
   * Timing, position and exposure of every plane, as typed arrays on the grid t, c, z (docs/ome-json.md); undefined where
   * the store has none.
   * @param {{ only?: string[] }} [options] `only`: names of columns, the others are not fetched.
   */
  async planes(options = {}) {
    const place = this.summary?.planes;
    return place && planes(this.store.documents, place, options);
  }

  /**
   * The NBO record of this image: its own graph and the common one, shared objects in place.
   * @returns {Promise<import("./record.js").ImageRecord | undefined>}
   */
  async record() {
    const own = this.attributes["nbo:record"];
    const path = own?.common?.path;
    const at = typeof path === "string" ? resolve(this.path, path) : "";
    const common = at === "" ? this.store.attributes : await this.store.documents.attributes(at);
    return putTogether(own, common ?? {}, this.path === "");
  }

  /**
   * Label images. One request for their list, one for each.
   * @returns {Promise<Image[]>}
   */
  async labels() {
    const group = await this.store.documents.attributes(join(this.path, "labels"));
    const names = (group && ngff(group).labels) ?? [];
    return Promise.all(names.map((/** @type {string} */ name) => this.store.image(join(this.path, "labels", name))));
  }
}
