/**
 * @param {Attributes | undefined} own The image's record; undefined where it has none, or is the root itself.
 * @param {Attributes} root Attributes of the common record's group.
 * @param {boolean} isRoot Whether the image is the root.
 * @returns {ImageRecord | undefined}
 */
export function putTogether(own: Attributes | undefined, root: Attributes, isRoot: boolean): ImageRecord | undefined;
export type Attributes = import("./documents.js").Attributes;
export type ImageRecord = {
    /**
     * Objects of the image and of its common record, shared ones in place.
     */
    graph: Attributes[];
    /**
     * The object that describes the image; undefined where none is said to.
     */
    image: Attributes | undefined;
    /**
     * The object that `{"@id": …}` means, an `@id`, or an
     * identifier as summaries and the index of quality control have it (`Instrument:1`).
     */
    find: (reference: unknown) => Attributes | undefined;
};
