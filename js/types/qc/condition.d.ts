/** @typedef {{ name: string, value: number, unit?: string }} Metric */
/** @typedef {{ holds: boolean, found: string } | { holds: undefined, why: string }} Answer */
/**
 * Whether a condition holds, and what was measured; or why that cannot be said.
 * @param {import("./demand.js").Condition} condition
 * @param {Metric[]} metrics
 * @returns {Answer}
 */
export function judgeCondition({ metric, operator, number, unit, of }: import("./demand.js").Condition, metrics: Metric[]): Answer;
export type Metric = {
    name: string;
    value: number;
    unit?: string;
};
export type Answer = {
    holds: boolean;
    found: string;
} | {
    holds: undefined;
    why: string;
};
