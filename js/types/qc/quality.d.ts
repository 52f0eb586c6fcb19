/** @typedef {import("./verdict.js").Verdict} Verdict */
/** @typedef {{ channel: string, metrics: { name: string, value: number }[] }} Counted */
/** @typedef {{ path: string, name?: string, channels: Counted[] }} Quality */
/**
 * What was counted of an image. A metric that could not be counted is missing.
 * @param {{ path: string, name?: string, statistics?: Record<string, any>, channels: Record<string, any>[] }} image
 * @returns {Quality}
 */
export function imageQuality({ path, name, statistics, channels }: {
    path: string;
    name?: string;
    statistics?: Record<string, any>;
    channels: Record<string, any>[];
}): Quality;
/**
 * The answers for images: one for all that pass, and one for each other.
 * @param {Quality[]} images
 * @param {import("./demand.js").Demand} demand
 * @returns {Verdict[]}
 */
export function judgeQuality(images: Quality[], demand: import("./demand.js").Demand): Verdict[];
export { IMAGE_QUALITY };
export type Verdict = import("./verdict.js").Verdict;
export type Counted = {
    channel: string;
    metrics: {
        name: string;
        value: number;
    }[];
};
export type Quality = {
    path: string;
    name?: string;
    channels: Counted[];
};
import { IMAGE_QUALITY } from "./demand.js";
