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
export function ngff(attributes) {
  const { ome } = attributes;
  return ome !== null && typeof ome === "object" ? ome : attributes;
}

/**
 * Steps of coordinate transformations; those of a sequence one by one.
 * @param {Attributes[]} transformations
 * @returns {Attributes[]}
 */
export function steps(transformations) {
  return transformations.flatMap((t) => (t.type === "sequence" ? steps(t.transformations ?? []) : [t]));
}
