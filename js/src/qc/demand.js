/**
 * Demands on quality control: `KIND [in channel NAME] [at N UNIT] [within N days [either side]] [and METRIC <= LIMIT]…`.
 *
 * @module
 */

import { FairzarrError } from "../error.js";
import { METRICS } from "./tables.js";
import { convert } from "./units.js";

/**
 * @typedef {object} Condition
 * @property {string} metric
 * @property {"<" | "<=" | ">" | ">="} operator
 * @property {number} number What it is compared with, or the factor of `of`.
 * @property {string} [unit]
 * @property {string} [of] Another metric, whose multiple it is compared with.
 */

export const IMAGE_QUALITY = "ImageQuality";

/** What is counted of samples. */
export const QUALITY_METRICS = [
  "SaturatedFraction", "DynamicRangeUsed", "Background", "NoiseSD", "SignalToNoise", "FocusScore", "Uniformity",
];

/** Kinds of calibration, in the order in which a summary lists them. */
export const KINDS = Object.keys(METRICS);

const GRAMMAR =
  "KIND [in channel NAME] [at N nm] [within N days [either side]] [and METRIC <= LIMIT [UNIT]], for example 'OpticalCalibration within 90 days'";

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const MOST_DAYS = 4294967295;

export class Demand {
  /**
   * @param {string} kind
   * @param {{ channel?: string, wavelength?: { value: number, unit: string }, withinDays?: number, eitherSide?: boolean,
   *   conditions?: Condition[] }} [rest]
   */
  constructor(kind, { channel, wavelength, withinDays, eitherSide = false, conditions = [] } = {}) {
    this.kind = kind;
    this.channel = channel;
    /** Give or take 10 nm. */
    this.wavelength = wavelength;
    this.withinDays = withinDays;
    /** Whether a calibration after the acquisition counts too. */
    this.eitherSide = eitherSide;
    this.conditions = conditions;
  }

  /**
   * Reads a demand, strictly: a kind, metric or unit that does not exist is an error.
   * @param {string} text
   * @returns {Demand}
   */
  static parse(text) {
    const fail = () => new FairzarrError(`quality-control demand '${text}': expected ${GRAMMAR}`);
    const [head, ...clauses] = text.split(" and ");
    const [kind, ...words] = head.trim().split(/\s+/);
    if (!KINDS.includes(kind) && kind !== IMAGE_QUALITY) {
      throw new FairzarrError(`quality-control demand '${text}': no kind ${kind}; there are ${[...KINDS, IMAGE_QUALITY].join(", ")}`);
    }
    let rest = words;
    /** @type {string | undefined} */
    let channel;
    if (rest[0] === "in" && rest[1] === "channel") {
      // Names may be of several words.
      const after = rest.slice(2);
      const found = after.findIndex((word) => word === "at" || word === "within");
      const end = found < 0 ? after.length : found;
      channel = after.slice(0, end).join(" ");
      if (!channel) throw fail();
      rest = after.slice(end);
    }
    let wavelength;
    if (rest[0] === "at" && rest.length >= 3) {
      if (!NUMBER.test(rest[1])) throw fail();
      wavelength = { value: Number(rest[1]), unit: rest[2] };
      if (convert(wavelength.value, wavelength.unit, "nm") === undefined) throw fail();
      rest = rest.slice(3);
    }
    let withinDays;
    let eitherSide = false;
    if (rest.length > 0) {
      const isWithin = rest[0] === "within" && /^\+?\d+$/.test(rest[1] ?? "") && ["day", "days"].includes(rest[2]);
      eitherSide = rest.length === 5 && rest[3] === "either" && rest[4] === "side";
      withinDays = Number(rest[1]);
      if (!isWithin || withinDays > MOST_DAYS || (rest.length !== 3 && !eitherSide)) throw fail();
    }
    const conditions = clauses.map((clause) => {
      const condition = read(clause);
      if (!condition) throw fail();
      return condition;
    });
    conditions.forEach((condition) => check(text, kind, condition));
    if (kind === IMAGE_QUALITY && (withinDays !== undefined || wavelength)) {
      throw new FairzarrError(`quality-control demand '${text}': ${IMAGE_QUALITY} is of the image itself: without days and wavelength`);
    }
    return new Demand(kind, { channel, wavelength, withinDays, eitherSide, conditions });
  }
}

/** @param {string} clause @returns {Condition | undefined} */
function read(clause) {
  const [metric, operator, number, ...rest] = clause.trim().split(/\s+/);
  if (!["<", "<=", ">", ">="].includes(operator) || !NUMBER.test(number ?? "")) return undefined;
  const condition = { metric, operator: /** @type {Condition["operator"]} */ (operator), number: Number(number) };
  if (rest.length === 2 && ["x", "*", "×"].includes(rest[0])) return { ...condition, of: rest[1] };
  return rest.length > 0 ? { ...condition, unit: rest.join(" ") } : condition;
}

/** Whether the kind has such metrics, and they can have such a unit. @param {string} text @param {string} kind @param {Condition} condition */
function check(text, kind, { metric, of, unit }) {
  const refuse = (/** @type {string} */ why) => new FairzarrError(`quality-control demand '${text}': ${why}`);
  const known = kind === IMAGE_QUALITY ? QUALITY_METRICS : METRICS[kind] && Object.keys(METRICS[kind]);
  if (!known) return;
  for (const name of of === undefined ? [metric] : [metric, of]) {
    if (!known.includes(name)) throw refuse(`${name} is no metric of ${kind}; there are ${known.join(", ")}`);
  }
  if (unit === undefined) return;
  const [kinds, symbols] = METRICS[kind]?.[metric] ?? [[], []];
  if (!symbols.includes(unit) && !kinds.some((of) => isOf(of, unit))) throw refuse(`${unit} is no unit of ${metric}`);
}

/** A unit by which each kind is known. @type {Record<string, string>} */
const BASES = {
  Length: "m", Time: "s", Pressure: "Pa", Angle: "rad", Temperature: "K", ElectricPotential: "V", Power: "W", Frequency: "Hz",
};

/** @param {string} kind @param {string} unit */
function isOf(kind, unit) {
  return convert(1, unit, BASES[kind]) !== undefined;
}
