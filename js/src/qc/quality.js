/**
 * Image quality (docs/quality.md): what was counted of samples while they were converted, and answers to demands on it.
 *
 * @module
 */

import { judgeCondition } from "./condition.js";
import { IMAGE_QUALITY, QUALITY_METRICS } from "./demand.js";
import { sameName } from "./relation.js";

export { IMAGE_QUALITY };

/** @typedef {import("./verdict.js").Verdict} Verdict */
/** @typedef {{ channel: string, metrics: { name: string, value: number }[] }} Counted */
/** @typedef {{ path: string, name?: string, channels: Counted[] }} Quality */

/**
 * What was counted of an image. A metric that could not be counted is missing.
 * @param {{ path: string, name?: string, statistics?: Record<string, any>, channels: Record<string, any>[] }} image
 * @returns {Quality}
 */
export function imageQuality({ path, name, statistics, channels }) {
  /** @type {Record<string, any>[]} */
  const counted = statistics?.channels ?? [];
  return {
    path,
    name,
    channels: counted.map((channel, n) => ({
      channel: channels[n]?.label || String(n),
      metrics: QUALITY_METRICS.flatMap((name) => {
        const value = channel.quality?.[name];
        return typeof value === "number" ? [{ name, value }] : [];
      }),
    })),
  };
}

/**
 * The answers for images: one for all that pass, and one for each other.
 * @param {Quality[]} images
 * @param {import("./demand.js").Demand} demand
 * @returns {Verdict[]}
 */
export function judgeQuality(images, demand) {
  /** @type {Verdict[]} */
  const verdicts = [];
  /** @type {Verdict | undefined} */
  let passing;
  for (const verdict of images.map((image) => judgeImage(image, demand))) {
    if (verdict.outcome === "pass" && passing) {
      passing.images += 1;
      continue;
    }
    if (verdict.outcome === "pass") passing = verdict;
    verdicts.push(verdict);
  }
  return verdicts;
}

/** @param {Quality} image @param {import("./demand.js").Demand} demand @returns {Verdict} */
function judgeImage(image, demand) {
  /** @returns {Verdict} */
  const answer = (
    /** @type {Verdict["outcome"]} */ outcome,
    /** @type {string | undefined} */ channel,
    /** @type {string} */ reason,
  ) => ({
    image: image.name || image.path || "the image",
    images: 1,
    outcome,
    reason: channel === undefined ? reason : `channel ${channel}: ${reason}`,
    ...(channel === undefined ? {} : { channel }),
    ageDays: null,
    date: null,
    event: null,
  });
  const asked = image.channels.filter(({ channel }) => demand.channel === undefined || sameName(demand.channel, channel));
  if (asked.length === 0) {
    const isOther = demand.channel !== undefined && image.channels.length > 0;
    return answer("unknown", undefined, isOther ? `the image has no channel ${demand.channel}` : "nothing was counted of this image");
  }
  /** @type {Verdict | undefined} */
  let unknown;
  for (const { channel, metrics } of asked) {
    const place = image.channels.length > 1 ? channel : undefined;
    if (metrics.length === 0) unknown ??= answer("unknown", place, "nothing was counted");
    for (const condition of demand.conditions) {
      const judged = judgeCondition(condition, metrics);
      if (judged.holds === undefined) unknown ??= answer("unknown", place, `${condition.metric} ${judged.why}`);
      else if (!judged.holds) return answer("fail", place, `${condition.metric} is ${judged.found}`);
    }
  }
  return unknown ?? answer("pass", undefined, "counted in every channel that is asked for");
}
