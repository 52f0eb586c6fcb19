/**
 * Opens a store by its address, or any store of zarrita's kind (`ZipFileStore` for an `.ozx`, `FileSystemStore`). One
 * request; two where the store is of Zarr v2 and `zarrFormat` does not say so.
 *
 * @param {string | URL | Readable} location
 * @param {{ zarrFormat?: 2 | 3, fetch?: (request: Request) => Promise<Response> }} [options]
 *   `fetch`: what makes the requests, for credentials and signed addresses.
 * @returns {Promise<Store>}
 */
export function open(location: string | URL | Readable, options?: {
    zarrFormat?: 2 | 3;
    fetch?: (request: Request) => Promise<Response>;
}): Promise<Store>;
export class Store {
    /** @param {Documents} documents @param {Attributes} attributes @param {string} name */
    constructor(documents: Documents, attributes: Attributes, name: string);
    /** @type {Documents} */
    documents: Documents;
    /** Attributes of the root. */
    attributes: import("./documents.js").Attributes;
    /** Address, for messages. */
    name: string;
    /** NGFF metadata of the root, whatever its version. */
    ngff: import("./documents.js").Attributes;
    /** @type {Kind} */
    kind: Kind;
    /** Version of NGFF; undefined where the root does not say it. @returns {string | undefined} */
    get version(): string | undefined;
    /**
     * Paths of all images, from the root; `""` of a store that is one image. Of a plate or a collection this takes one
     * request more, none where metadata are consolidated with the root.
     * @returns {Promise<string[]>}
     */
    paths(): Promise<string[]>;
    /** Wells of a plate: path and names of row and column; empty for others. */
    get wells(): {
        path: string;
        row: string;
        column: string;
    }[];
    /**
     * The image at a path; without one, that of a store with one image, or the first. One request, none where the store
     * is the image.
     * @param {string} [path]
     * @returns {Promise<Image>}
     */
    image(path?: string): Promise<Image>;
    /** All images, in the order of the series. @returns {Promise<Image[]>} */
    images(): Promise<Image[]>;
    /**
     * The OME model as JSON (docs/ome-json.md), or undefined. One request.
     * @returns {Promise<import("../types/schemas/ome-json.js").OmeJson | undefined>}
     */
    ome(): Promise<import("../types/schemas/ome-json.js").OmeJson | undefined>;
    /**
     * The text of OME/METADATA.ome.xml (2016-06), or undefined. One request.
     * @returns {Promise<string | undefined>}
     */
    omeXml(): Promise<string | undefined>;
    /** The record of hardware and, of a single image, its acquisition, as it stands at the root.
     * @returns {Attributes | undefined} */
    get record(): Attributes | undefined;
    /** Index of quality control (section 5 of docs/nbo-zarr-convention.md).
     * @returns {import("../types/schemas/nbo-qc.js").NboQc | undefined} */
    get qcIndex(): import("../types/schemas/nbo-qc.js").NboQc | undefined;
    /** How complete the record is, by policy. @returns {Attributes[]} */
    get coverage(): Attributes[];
    /**
     * Answers a demand such as `OpticalCalibration within 90 days` for the images of the store, as `fairzarr qc --require`
     * does. No request, but for `ImageQuality`, whose numbers stand with the images.
     * @param {string | Demand} demand
     * @returns {Promise<{ passes: boolean, verdicts: Verdict[] }>} `passes` only where there is a verdict and all are.
     */
    qc(demand: string | Demand): Promise<{
        passes: boolean;
        verdicts: Verdict[];
    }>;
    #private;
}
export type Attributes = import("./documents.js").Attributes;
export type Readable = import("zarrita").AsyncReadable;
export type Verdict = import("./qc/verdict.js").Verdict;
export type Kind = "image" | "collection" | "plate";
import { Documents } from "./documents.js";
import { Image } from "./image.js";
import { Demand } from "./qc/demand.js";
