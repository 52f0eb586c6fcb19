// Written by scripts/schema-types.mjs from docs/schemas/ome-json.schema.json; not to be edited.

/**
 * @minItems 1
 */
export type Texts = string[];
/**
 * Names of children in the order of the document, with a count where one stands in several places.
 *
 * @minItems 2
 */
export type Order = (string | unknown[])[];
/**
 * An element: a string where it holds text and nothing else, an object otherwise.
 */
export type Element =
  | string
  | {
      /**
       * Prefix of the name, where it is not that of the OME element around it.
       */
      "#prefix"?: string;
      /**
       * Text of attributes whose number or boolean does not give it back.
       */
      "#digits"?: {
        [k: string]: string;
      };
      "#text"?: string | Texts;
      "#cdata"?: Texts;
      "#comment"?: Texts;
      "#pi"?: Texts;
      "#order"?: Order;
      /**
       * Where the text of the element is instead.
       */
      "#blob"?: {
        path: string;
        encoding: "base64" | "text";
        length: number;
      };
      /**
       * This interface was referenced by `undefined`'s JSON-Schema definition
       * via the `patternProperty` "^[^#]".
       */
      [k: string]: (string | number | boolean) | Element[] | Table;
    };

/**
 * See docs/ome-json.md. Plane and TiffData are in tables, large BinData in blobs beside this.
 */
export interface OmeJson {
  "#comment"?: Texts;
  "#pi"?: Texts;
  "#order"?: Order;
  /**
   * The root element; `OME` unless the document spells it otherwise.
   *
   * @minItems 1
   * @maxItems 1
   *
   * This interface was referenced by `OmeJson`'s JSON-Schema definition
   * via the `patternProperty` "^[Oo][Mm][Ee]$".
   */
  [k: string]: Element[];
}
/**
 * Elements that are in a table instead.
 */
export interface Table {
  "#table": string;
  rows: number;
  /**
   * The first of these rows, in a table of all Images; 0 if absent.
   */
  first?: number;
  /**
   * Rows that have comments or the like in them, by number, counted from the first.
   */
  "#rows"?: {
    [k: string]: Element;
  };
}
