/** Factors to the base unit of each kind, by symbol; null where nobody knows the size.
 * @type {Record<string, Record<string, number | null>>} */
export const UNITS: Record<string, Record<string, number | null>>;
/** Metrics of each kind of calibration: the kinds of units that one may have, and further symbols;
 * null where any name is one.
 * @type {Record<string, Record<string, [string[], string[]]> | null>} */
export const METRICS: Record<string, Record<string, [string[], string[]]> | null>;
/** Names of makers: a line is one, the first name that it is compared by. */
export const MAKERS: string[][];
/** Names of models of stands: a line is one, the first name that it is compared by. */
export const MODELS: string[][];
