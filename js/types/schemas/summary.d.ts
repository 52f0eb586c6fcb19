// Written by scripts/schema-types.mjs from docs/schemas/summary.schema.json; not to be edited.

/**
 * One line.
 */
export type Text = string;
export type Day = string;

/**
 * What most readers ask of an image, among the attributes of its group. See docs/summary.md.
 */
export interface Summary {
  schema: 1;
  name?: Text;
  acquisitionDate?: Day;
  acquired?: Text;
  /**
   * Samples of the full resolution along each axis.
   */
  size: {
    [k: string]: number;
  };
  /**
   * Data type of the samples, by its name in Zarr v3.
   */
  type: string;
  pixelSize?: {
    x?: Quantity;
    y?: Quantity;
    z?: Quantity;
    t?: Quantity;
  };
  microscope?: {
    id: Text;
    uuid?: string;
    name?: Text;
    manufacturer?: Text;
    model?: Text;
    serialNumber?: Text;
  };
  objective?: {
    id: Text;
    name?: Text;
    manufacturer?: Text;
    model?: Text;
    NA?: number;
    magnification?: number;
    immersion?: Text;
  };
  /**
   * Relative path from the image's group to the root of the store.
   */
  root: string;
  planes?: {
    /**
     * Group of the arrays, from the root of the store.
     */
    path: string;
    rows: number;
    first?: number;
    image?: number;
  };
  record?: {
    attribute: "nbo:record";
    image: string;
  };
  /**
   * @maxItems 8
   */
  qc: {
    kind: string;
    outcome: "pass" | "fail" | "unknown";
    date?: Day;
    ageDays?: number;
    text: Text;
  }[];
  coverage?: {
    policy: Text;
    errors: number;
    warnings: number;
    tiers: {
      tier: number;
      filled: number;
      of: number;
    }[];
  }[];
  channels: {
    name?: Text;
    fluorophore?: Text;
    excitation?: Quantity;
    emission?: Quantity;
    exposure?: {
      min: number;
      max: number;
      unit: "s";
      written: string;
    };
    lightSource?: Text;
    detector?: Text;
  }[];
  channelsNotListed?: number;
  [k: string]: unknown;
}
export interface Quantity {
  value?: number;
  unit?: "m" | "s";
  written: Text;
}
