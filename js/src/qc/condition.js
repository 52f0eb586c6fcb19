/**
 * Conditions on measured values.
 *
 * @module
 */

import { convert } from "./units.js";

/** @typedef {{ name: string, value: number, unit?: string }} Metric */
/** @typedef {{ holds: boolean, found: string } | { holds: undefined, why: string }} Answer */

/**
 * Whether a condition holds, and what was measured; or why that cannot be said.
 * @param {import("./demand.js").Condition} condition
 * @param {Metric[]} metrics
 * @returns {Answer}
 */
export function judgeCondition({ metric, operator, number, unit, of }, metrics) {
  const find = (/** @type {string} */ name) => metrics.find((m) => m.name === name);
  const measured = find(metric);
  if (!measured) return { holds: undefined, why: "was not measured" };
  const to = measured.unit;
  const other = of === undefined ? undefined : find(of);
  if (of !== undefined && !other) return { holds: undefined, why: `cannot be compared: there is no ${of}` };
  const [value, from] = other ? [other.value, other.unit] : [number, unit];
  let limit;
  if (from !== undefined && to !== undefined) {
    limit = convert(value, from, to);
    if (limit === undefined) return { holds: undefined, why: `is recorded in ${to}, not ${from}` };
  } else if (from === undefined && to === undefined) {
    limit = value;
  } else {
    const why = to !== undefined ? `is recorded in ${to}, and the demand names no unit` : `is recorded without unit, not in ${from}`;
    return { holds: undefined, why };
  }
  if (other) limit *= number;
  const holds = COMPARE[operator](measured.value, limit);
  const symbol = to === undefined ? "" : ` ${to}`;
  return { holds, found: `${plain(measured.value)}${symbol}, not ${operator} ${plain(limit)}${symbol}` };
}

/** @type {Record<import("./demand.js").Condition["operator"], (a: number, b: number) => boolean>} */
const COMPARE = { "<": (a, b) => a < b, "<=": (a, b) => a <= b, ">": (a, b) => a > b, ">=": (a, b) => a >= b };

/** A number in decimal notation, however small or great. @param {number} value */
function plain(value) {
  const [digits, exponent] = String(value).split("e");
  if (exponent === undefined) return digits;
  const sign = digits.startsWith("-") ? "-" : "";
  const [whole, rest = ""] = digits.replace("-", "").split(".");
  const point = whole.length + Number(exponent);
  const all = whole + rest;
  return point <= 0 ? `${sign}0.${"0".repeat(-point)}${all}` : `${sign}${all.padEnd(point, "0")}`;
}
