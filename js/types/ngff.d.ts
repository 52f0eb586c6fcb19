/**
 * NGFF metadata of groups.
 *
 * @module
 */
/** @typedef {import("./documents.js").Attributes} Attributes */
/**
 * NGFF metadata among attributes: below `ome` since 0.5, at the top before.
 * @param {Attributes} attributes
 * @returns {Attributes}
 */
export function ngff(attributes: Attributes): Attributes;
/**
 * Steps of coordinate transformations; those of a sequence one by one.
 * @param {Attributes[]} transformations
 * @returns {Attributes[]}
 */
export function steps(transformations: Attributes[]): Attributes[];
export type Attributes = import("./documents.js").Attributes;
