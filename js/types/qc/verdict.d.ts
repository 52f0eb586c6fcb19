/**
 * Answers a demand for the images of a store. Where none is known the one answer is unknown. An index of a layout below 3
 * does not say which images are the store's: `fairzarr qc` makes it anew, and here the answer is unknown.
 * @param {Index | undefined} index
 * @param {Demand} demand
 * @returns {Verdict[]}
 */
export function judge(index: Index | undefined, demand: Demand): Verdict[];
/**
 * The answers for images that the record describes and the store does not hold, such as those of beads. They count for
 * nothing.
 * @param {Index | undefined} index
 * @param {Demand} demand
 * @returns {Verdict[]}
 */
export function judgeOthers(index: Index | undefined, demand: Demand): Verdict[];
export type Index = import("./relation.js").Index;
export type Event = import("./relation.js").Event;
export type Images = import("./relation.js").Images;
export type Channel = import("./relation.js").Channel;
export type Demand = import("./demand.js").Demand;
export type Outcome = "pass" | "fail" | "unknown";
/**
 * The answer for images that share what decides about it.
 */
export type Verdict = {
    /**
     * The first of the images; empty where nothing is known of them.
     */
    image: string;
    /**
     * How many images it holds for.
     */
    images: number;
    outcome: Outcome;
    reason: string;
    /**
     * The channel that decided, where each is asked.
     */
    channel?: string | undefined;
    /**
     * Age of the calibration that decided.
     */
    ageDays: number | null;
    /**
     * Its day.
     */
    date: string | null;
    /**
     * Its identifier.
     */
    event: string | null;
};
export type Answer = {
    outcome: Outcome;
    reason: string;
    age?: number;
    event?: Event;
};
/**
 * Empty: the images as a whole.
 */
export type Part = {
    channel?: Channel;
    pair?: {
        value: number;
        unit: string;
    }[];
};
export type Candidate = {
    event: Event;
    how: string;
    isOwn: boolean;
    age: number | undefined;
    isSaid: boolean;
};
