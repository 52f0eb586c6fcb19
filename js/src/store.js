/**
 * A store: one image, a collection of images (bioformats2raw layout), or a plate.
 *
 * @module
 */

import { FetchStore } from "zarrita";
import { Documents, join } from "./documents.js";
import { FairzarrError } from "./error.js";
import { Image } from "./image.js";
import { ngff } from "./ngff.js";
import { Demand } from "./qc/demand.js";
import { IMAGE_QUALITY, imageQuality, judgeQuality } from "./qc/quality.js";
import { judge } from "./qc/verdict.js";

/** @typedef {import("./documents.js").Attributes} Attributes */
/** @typedef {import("zarrita").AsyncReadable} Readable */
/** @typedef {import("./qc/verdict.js").Verdict} Verdict */
/** @typedef {"image" | "collection" | "plate"} Kind */

/** How many groups are asked for at once. */
const AT_ONCE = 16;

/**
 * Opens a store by its address, or any store of zarrita's kind (`ZipFileStore` for an `.ozx`, `FileSystemStore`). One
 * request; two where the store is of Zarr v2 and `zarrFormat` does not say so.
 *
 * @param {string | URL | Readable} location
 * @param {{ zarrFormat?: 2 | 3, fetch?: (request: Request) => Promise<Response> }} [options]
 *   `fetch`: what makes the requests, for credentials and signed addresses.
 * @returns {Promise<Store>}
 */
export async function open(location, options = {}) {
  const isAddress = typeof location === "string" || location instanceof URL;
  const name = isAddress ? String(location) : "the store";
  const readable = isAddress
    ? new FetchStore(String(location).replace(/\/+$/, ""), { fetch: options.fetch })
    : location;
  const documents = new Documents(readable, options.zarrFormat);
  const attributes = await documents.attributes("");
  if (!attributes) {
    throw new FairzarrError(`${name} is not an OME-Zarr: there is no zarr.json or .zattrs at its root`);
  }
  return new Store(documents, attributes, name);
}

export class Store {
  /** @type {Map<string, Promise<Image>>} */
  #images = new Map();

  /** @param {Documents} documents @param {Attributes} attributes @param {string} name */
  constructor(documents, attributes, name) {
    /** @type {Documents} */
    this.documents = documents;
    /** Attributes of the root. */
    this.attributes = attributes;
    /** Address, for messages. */
    this.name = name;
    /** NGFF metadata of the root, whatever its version. */
    this.ngff = ngff(attributes);
    /** @type {Kind} */
    this.kind = this.ngff.plate ? "plate" : this.ngff.multiscales ? "image" : "collection";
  }

  /** Version of NGFF; undefined where the root does not say it. @returns {string | undefined} */
  get version() {
    return this.ngff.version ?? this.ngff.multiscales?.[0]?.version ?? this.ngff.plate?.version;
  }

  /**
   * Paths of all images, from the root; `""` of a store that is one image. Of a plate or a collection this takes one
   * request more, none where metadata are consolidated with the root.
   * @returns {Promise<string[]>}
   */
  async paths() {
    if (this.kind === "image") return [""];
    await this.documents.consolidate();
    const listed = await this.documents.attributes("OME");
    const series = listed && ngff(listed).series;
    if (Array.isArray(series)) return series.filter((path) => typeof path === "string");
    if (this.kind === "plate") return this.#fields();
    const paths = [];
    while (await this.documents.attributes(String(paths.length))) paths.push(String(paths.length));
    return paths;
  }

  /** Wells of a plate: path and names of row and column; empty for others. */
  get wells() {
    const { wells = [], rows = [], columns = [] } = this.ngff.plate ?? {};
    return /** @type {Attributes[]} */ (wells).map((well) => {
      const [row, column] = String(well.path).split("/");
      return {
        path: String(well.path),
        row: String(rows[well.rowIndex]?.name ?? row),
        column: String(columns[well.columnIndex]?.name ?? column),
      };
    });
  }

  /** Fields of all wells, where no series lists them: a request for each well. */
  async #fields() {
    const of = await inOrder(this.wells, async ({ path }) => {
      const well = await this.documents.attributes(path);
      const images = (well && ngff(well).well?.images) ?? [];
      return /** @type {Attributes[]} */ (images).map((image) => join(path, String(image.path)));
    });
    return of.flat();
  }

  /**
   * The image at a path; without one, that of a store with one image, or the first. One request, none where the store
   * is the image.
   * @param {string} [path]
   * @returns {Promise<Image>}
   */
  async image(path) {
    const place = path ?? (await this.#first());
    let image = this.#images.get(place);
    if (!image) {
      image = this.#open(place);
      this.#images.set(place, image);
      image.catch(() => this.#images.delete(place));
    }
    return image;
  }

  async #first() {
    const first = (await this.paths())[0];
    if (first === undefined) throw new FairzarrError(`${this.name} holds no image`);
    return first;
  }

  /** @param {string} path */
  async #open(path) {
    const attributes = path === "" ? this.attributes : await this.documents.attributes(path);
    if (!attributes) throw new FairzarrError(`${this.name} has no group at ${path}`);
    return new Image(this, path, attributes);
  }

  /** All images, in the order of the series. @returns {Promise<Image[]>} */
  async images() {
    return inOrder(await this.paths(), (path) => this.image(path));
  }

  /**
   * The OME model as JSON (docs/ome-json.md), or undefined. One request.
   * @returns {Promise<import("../types/schemas/ome-json.js").OmeJson | undefined>}
   */
  async ome() {
    return (await this.documents.attributes("OME"))?.["fairzarr:ome"];
  }

  /**
   * The text of OME/METADATA.ome.xml (2016-06), or undefined. One request.
   * @returns {Promise<string | undefined>}
   */
  async omeXml() {
    const bytes = await this.documents.get("/OME/METADATA.ome.xml");
    return bytes && new TextDecoder().decode(bytes);
  }

  /** The record of hardware and, of a single image, its acquisition, as it stands at the root.
   * @returns {Attributes | undefined} */
  get record() {
    return this.attributes["nbo:record"];
  }

  /** Index of quality control (section 5 of docs/nbo-zarr-convention.md).
   * @returns {import("../types/schemas/nbo-qc.js").NboQc | undefined} */
  get qcIndex() {
    return this.attributes["nbo:qc"];
  }

  /** How complete the record is, by policy. @returns {Attributes[]} */
  get coverage() {
    return this.attributes["nbo:coverage"] ?? [];
  }

  /**
   * Answers a demand such as `OpticalCalibration within 90 days` for the images of the store, as `fairzarr qc --require`
   * does. No request, but for `ImageQuality`, whose numbers stand with the images.
   * @param {string | Demand} demand
   * @returns {Promise<{ passes: boolean, verdicts: Verdict[] }>} `passes` only where there is a verdict and all are.
   */
  async qc(demand) {
    const asked = typeof demand === "string" ? Demand.parse(demand) : demand;
    const verdicts =
      asked.kind === IMAGE_QUALITY
        ? judgeQuality((await this.images()).map((image) => imageQuality(image)), asked)
        : judge(this.qcIndex, asked);
    return { passes: verdicts.length > 0 && verdicts.every((v) => v.outcome === "pass"), verdicts };
  }
}

/**
 * Results in the order of the items, some requests at a time.
 * @template T, R
 * @param {T[]} items
 * @param {(item: T) => Promise<R>} ask
 * @returns {Promise<R[]>}
 */
async function inOrder(items, ask) {
  /** @type {R[]} */
  const results = new Array(items.length);
  let next = 0;
  const work = async () => {
    while (next < items.length) {
      const at = next++;
      results[at] = await ask(items[at]);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, work));
  return results;
}
