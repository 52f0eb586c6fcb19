/**
 * Reads OME-Zarr stores and what they say of microscope, acquisition and quality control.
 *
 * ```js
 * import { open } from "fairzarr";
 * const store = await open("https://example.org/cells.ome.zarr");
 * const image = await store.image();
 * image.summary?.objective?.NA;
 * ```
 *
 * @module
 */

export { FairzarrError } from "./error.js";
export { Image } from "./image.js";
export { FIRST_QUESTIONS, light, missing, panel } from "./panel.js";
export { Demand } from "./qc/demand.js";
export { imageQuality, judgeQuality } from "./qc/quality.js";
export { judge, judgeOthers } from "./qc/verdict.js";
export { open, Store } from "./store.js";
