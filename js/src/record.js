/**
 * The NBO record of an image, put together from its own attributes and the common ones (sections 2 and 3 of
 * docs/nbo-zarr-convention.md).
 *
 * @module
 */

/** @typedef {import("./documents.js").Attributes} Attributes */

/**
 * @typedef {object} ImageRecord
 * @property {Attributes[]} graph Objects of the image and of its common record, shared ones in place.
 * @property {Attributes | undefined} image The object that describes the image; undefined where none is said to.
 * @property {(reference: unknown) => Attributes | undefined} find The object that `{"@id": …}` means, an `@id`, or an
 *   identifier as summaries and the index of quality control have it (`Instrument:1`).
 */

const SHARED = /^#?\/shared\/([^/]+)\/(\d+)$/;
const PLACE = /^#\/@graph\/(\d+)$/;

/**
 * @param {Attributes | undefined} own The image's record; undefined where it has none, or is the root itself.
 * @param {Attributes} root Attributes of the common record's group.
 * @param {boolean} isRoot Whether the image is the root.
 * @returns {ImageRecord | undefined}
 */
export function putTogether(own, root, isRoot) {
  /** @type {Attributes | undefined} */
  const common = root["nbo:record"];
  if (!own && !common) return undefined;
  const shared = common?.shared ?? {};
  /** @type {Attributes[]} */
  const first = (isRoot ? common : own)?.["@graph"] ?? [];
  const objects = first.map((object) => place(object, shared));
  const graph = isRoot ? objects : [...objects, ...(common?.["@graph"] ?? [])];
  /** @type {Map<string, Attributes>} */
  const known = new Map();
  for (const object of graph) index(object, known);
  const table = common?.identifiers ?? {};
  /** @type {Map<string, Attributes>} */
  const named = new Map();
  for (const [iri, object] of known) {
    const name = Object.hasOwn(table, iri) ? String(table[iri]) : identifier(iri);
    if (!named.has(name)) named.set(name, object);
  }
  const find = (/** @type {unknown} */ reference) => {
    const id = typeof reference === "string" ? reference : /** @type {any} */ (reference)?.["@id"];
    if (typeof id !== "string") return undefined;
    const at = PLACE.exec(id);
    return at ? objects[Number(at[1])] : (known.get(id) ?? named.get(id));
  };
  return { graph, image: imageOf((isRoot ? common : own) ?? {}, root, isRoot, objects, find), find };
}

/**
 * @param {Attributes} record @param {Attributes} root @param {boolean} isRoot
 * @param {Attributes[]} objects @param {(reference: unknown) => Attributes | undefined} find
 */
function imageOf(record, root, isRoot, objects, find) {
  if (record.image) return find(record.image);
  // Layouts 1 and 2 do not say it: the rules of the convention's section on versions.
  const isOfOmeXml = root["nbo:sources"]?.[0]?.form === "ome-xml";
  const isOld = typeof record.layout === "number" && record.layout < 3;
  return isOld && (!isRoot || isOfOmeXml) ? objects.find((object) => object["@type"] === "Image") : undefined;
}

/**
 * The identifier that an `@id` is made of, where the record's table does not say it: without `urn:uuid:` or `#`, and
 * percent-decoded.
 * @param {string} iri
 */
function identifier(iri) {
  if (!iri.startsWith("#")) return iri.replace(/^urn:uuid:/, "");
  return iri.slice(1).replace(/%([0-9A-F]{2})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 16)));
}

/**
 * An object with shared ones in place of what refers to them.
 * @param {any} value
 * @param {Record<string, Attributes[]>} shared
 * @returns {any}
 */
function place(value, shared) {
  if (Array.isArray(value)) return value.map((item) => place(item, shared));
  if (value === null || typeof value !== "object") return value;
  const reference = typeof value["@id"] === "string" && SHARED.exec(value["@id"]);
  if (reference) return shared[reference[1]]?.[Number(reference[2])] ?? value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, place(inner, shared)]));
}

/**
 * Objects by identifier. A reference has nothing but its `@id`, and is no object; of several, the first in the order of
 * the graphs holds.
 * @param {any} value
 * @param {Map<string, Attributes>} known
 */
function index(value, known) {
  if (Array.isArray(value)) return value.forEach((item) => index(item, known));
  if (value === null || typeof value !== "object") return;
  const id = value["@id"];
  if (typeof id === "string" && "@type" in value && !known.has(id)) known.set(id, value);
  for (const inner of Object.values(value)) index(inner, known);
}
