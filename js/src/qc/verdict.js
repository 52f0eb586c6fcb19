/**
 * The answers to demands on calibrations, by the rules of docs/nbo-zarr-convention.md, section 5, Answers. The program
 * answers by the same; test/vectors.json is checked on both sides.
 *
 * @module
 */

import { judgeCondition } from "./condition.js";
import { covers, isNear, lights, relation, sameName } from "./relation.js";
import { convert } from "./units.js";

/** @typedef {import("./relation.js").Index} Index */
/** @typedef {import("./relation.js").Event} Event */
/** @typedef {import("./relation.js").Images} Images */
/** @typedef {import("./relation.js").Channel} Channel */
/** @typedef {import("./demand.js").Demand} Demand */
/** @typedef {"pass" | "fail" | "unknown"} Outcome */

/**
 * The answer for images that share what decides about it.
 * @typedef {object} Verdict
 * @property {string} image The first of the images; empty where nothing is known of them.
 * @property {number} images How many images it holds for.
 * @property {Outcome} outcome
 * @property {string} reason
 * @property {string} [channel] The channel that decided, where each is asked.
 * @property {number | null} ageDays Age of the calibration that decided.
 * @property {string | null} date Its day.
 * @property {string | null} event Its identifier.
 */

/** @typedef {{ outcome: Outcome, reason: string, age?: number, event?: Event }} Answer */
/** @typedef {{ channel?: Channel, pair?: { value: number, unit: string }[] }} Part Empty: the images as a whole. */
/** @typedef {{ event: Event, how: string, isOwn: boolean, age: number | undefined, isSaid: boolean }} Candidate */

/** The layout of the index that says which images are the store's. */
const LAYOUT = 3;

/** @type {Record<Outcome, number>} */
const RANK = { fail: 2, unknown: 1, pass: 0 };

/**
 * Answers a demand for the images of a store. Where none is known the one answer is unknown. An index of a layout below 3
 * does not say which images are the store's: `fairzarr qc` makes it anew, and here the answer is unknown.
 * @param {Index | undefined} index
 * @param {Demand} demand
 * @returns {Verdict[]}
 */
export function judge(index, demand) {
  if (index && !((index.layout ?? 0) >= LAYOUT)) {
    return [unknown(undefined, "the index is of a layout that does not say which images the store holds")];
  }
  const judged = (index?.images ?? []).filter((images) => images.inStore !== false);
  if (!index || judged.length === 0) return [unknown(undefined, "the record says nothing about any image of the store")];
  return judged.map((images) => verdict(index, images, demand));
}

/**
 * The answers for images that the record describes and the store does not hold, such as those of beads. They count for
 * nothing.
 * @param {Index | undefined} index
 * @param {Demand} demand
 * @returns {Verdict[]}
 */
export function judgeOthers(index, demand) {
  const others = (index?.images ?? []).filter((images) => images.inStore === false);
  return index ? others.map((images) => verdict(index, images, demand)) : [];
}

/** @param {Index} index @param {Images} images @param {Demand} demand @returns {Verdict} */
function verdict(index, images, demand) {
  if (images.images.length === 0) return unknown(images, "the record says nothing about this image of the store");
  /** @type {{ part: Part, answer: Answer } | undefined} */
  let worst;
  for (const part of parts(index, images, demand)) {
    const answer = answerOf(index, images, demand, part);
    if (!worst || RANK[answer.outcome] > RANK[worst.answer.outcome]) worst = { part, answer };
  }
  if (!worst) return unknown(images, "the record says nothing that could be asked");
  const { part, answer } = worst;
  const channel = (images.channels?.length ?? 0) > 1 ? part.channel?.name : undefined;
  return {
    image: images.images[0] ?? "",
    images: images.count,
    outcome: answer.outcome,
    reason: channel === undefined ? answer.reason : `channel ${channel}: ${answer.reason}`,
    ...(channel === undefined ? {} : { channel }),
    ageDays: answer.age ?? null,
    date: answer.event?.date ?? null,
    event: answer.event?.id ?? null,
  };
}

const OF_CHANNELS = ["OpticalCalibration", "FieldUniformityEvaluation", "ExcitationCalibration", "DetectorCalibration"];

/**
 * A question about a metric is asked of every channel that the kind concerns, unless it names one; a question about a
 * calibration as such of the images as a whole.
 * @param {Index} index @param {Images} images @param {Demand} demand @returns {Part[]}
 */
function parts(index, images, demand) {
  const channels = images.channels ?? [];
  const isNarrowed = demand.channel !== undefined || demand.wavelength !== undefined;
  if (demand.conditions.length === 0) return [{}];
  if (OF_CHANNELS.includes(demand.kind) && !isNarrowed && channels.length > 0) return channels.map((channel) => ({ channel }));
  return demand.kind === "ChromaticRegistrationEvaluation" ? pairs(index, images, demand, isNarrowed) : [{}];
}

/**
 * Every pair of wavelengths that was registered, and every channel of an image of several.
 * @param {Index} index @param {Images} images @param {Demand} demand @param {boolean} isNarrowed @returns {Part[]}
 */
function pairs(index, images, demand, isNarrowed) {
  /** @type {Part[]} */
  const found = [];
  for (const event of index.events) {
    if (event.kind !== "ChromaticRegistrationEvaluation") continue;
    if (relation(index, event, images).is !== "applies" || isInLightOf(demand, event) !== true) continue;
    const pair = event.wavelengths ?? [];
    if (!found.some((part) => samePair(part.pair ?? [], pair))) found.push({ pair });
  }
  const channels = images.channels ?? [];
  if (!isNarrowed && channels.length > 1) {
    found.push(...channels.filter((channel) => channel.emission).map((channel) => ({ channel })));
  }
  return found.length > 0 ? found : [{}];
}

/** @param {Index} index @param {Images} images @param {Demand} demand @param {Part} part @returns {Answer} */
function answerOf(index, images, demand, part) {
  /** @type {Candidate[]} */
  const candidates = [];
  /** @type {string | undefined} */
  let unclear;
  /** @type {string | undefined} */
  let not;
  for (const event of index.events) {
    if (event.kind !== demand.kind) continue;
    const stands = relation(index, event, images);
    if (stands.is === "not") {
      not ??= stands.why;
      continue;
    }
    if (stands.is === "unclear") {
      unclear ??= stands.why;
      continue;
    }
    const { how, isOwn } = stands;
    if (event.pointSpreadFunction === false) {
      not ??= "it holds no point spread function";
      continue;
    }
    const isInLight = isInLightOf(demand, event);
    if (isInLight === false) {
      not ??= "it is of another channel or wavelength";
      continue;
    }
    if (isInLight === undefined) {
      unclear ??= `${how} does not say its channel or wavelength`;
      continue;
    }
    const covered = part.channel
      ? covers(event, part.channel)
      : part.pair
        ? samePair(part.pair, event.wavelengths ?? [])
        : true;
    if (covered === false) {
      not ??= "it is of another channel, wavelength or part";
      continue;
    }
    const isSaid = covered === true || isOwn || (images.channels?.length ?? 0) < 2;
    candidates.push({ event, how, isOwn, age: age(event, images), isSaid });
  }
  candidates.sort((a, b) => order(a, b, demand));
  if (candidates.length === 0) return nothing(demand, images, part, unclear, not);
  // Of several of one day none is the later.
  const first = candidates.filter((candidate) => order(candidate, candidates[0], demand) === 0);
  const measuring = first.filter((candidate) => measures(candidate, demand));
  const answers = (measuring.length > 0 ? measuring : first).map((candidate) => judgeOne(candidate, images, demand));
  // Of equally bad ones the last.
  return answers.reduce((worst, answer) => (RANK[answer.outcome] >= RANK[worst.outcome] ? answer : worst));
}

/**
 * The answer where no calibration applies.
 * @param {Demand} demand @param {Images} images @param {Part} part
 * @param {string | undefined} unclear @param {string | undefined} not @returns {Answer}
 */
function nothing({ kind }, images, part, unclear, not) {
  if (unclear !== undefined) return { outcome: "unknown", reason: unclear };
  if (not !== undefined) return { outcome: "fail", reason: `no ${kind} that is recorded applies: ${not}` };
  if (images.instrument === undefined) {
    return { outcome: "unknown", reason: `no ${kind} is recorded, nor which microscope was used` };
  }
  const name = (images.channels?.length ?? 0) > 1 ? part.channel?.name : undefined;
  const of = name === undefined ? "the instrument" : `channel ${name}`;
  return { outcome: "fail", reason: `no ${kind} is recorded for ${of}` };
}

/** @param {Images | undefined} images @param {string} reason @returns {Verdict} */
function unknown(images, reason) {
  return {
    image: images?.images[0] ?? "", images: images?.count ?? 0, outcome: "unknown", reason, ageDays: null, date: null, event: null,
  };
}

/**
 * Whether two pairs are of the same two wavelengths, in either order.
 * @param {{ value: number, unit: string }[]} a @param {{ value: number, unit: string }[]} b
 */
function samePair(a, b) {
  const [left, right] = [a, b].map((pair) => lights(pair).sort((x, y) => x - y));
  return left.length === right.length && left.every((light, n) => isNear(light, right[n]));
}

/** Whole days from the calibration to the acquisition. @param {Event} event @param {Images} images */
function age(event, images) {
  const [taken, made] = [dayNumber(images.acquisitionDate), dayNumber(event.date)];
  return taken === undefined || made === undefined ? undefined : taken - made;
}

const ZONE = /(Z|[+-]..:..)$/;
const DAY = 86_400_000;

/**
 * Days since an epoch of a day as it is written, in its own time zone; undefined of what is none.
 * @param {string | null | undefined} text
 */
function dayNumber(text) {
  if (typeof text !== "string") return undefined;
  const trimmed = text.trim();
  const rest = trimmed.endsWith("Z") || trimmed.length >= 16 ? trimmed.replace(ZONE, "") : trimmed;
  const found = /^(\d{4})-(\d{2})-(\d{2})(T.*)?$/s.exec(rest);
  if (!found) return undefined;
  const [year, month, day] = found.slice(1, 4).map(Number);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const isDay = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return isDay ? Math.round(date.getTime() / DAY) : undefined;
}

/**
 * Which goes first: one that counts by its date, the image's own, the nearest in time; of those without an age the later.
 * @param {Candidate} a @param {Candidate} b @param {Demand} demand
 */
function order(a, b, demand) {
  const isAfter = (/** @type {Candidate} */ { age }) => age !== undefined && age < 0 && !demand.eitherSide;
  return (
    Number(isAfter(a)) - Number(isAfter(b)) ||
    Number(!a.isOwn) - Number(!b.isOwn) ||
    Number(a.age === undefined) - Number(b.age === undefined) ||
    Math.abs(a.age ?? 0) - Math.abs(b.age ?? 0) ||
    later(a.event.date, b.event.date)
  );
}

/** @param {string | undefined} a @param {string | undefined} b */
function later(a, b) {
  if (a === b) return 0;
  if (a === undefined) return 1;
  return b === undefined || a > b ? -1 : 1;
}

/** Whether it measured what is asked. @param {Candidate} candidate @param {Demand} demand */
function measures({ event }, { conditions }) {
  return conditions.every(({ metric }) => event.metrics?.some((m) => m.name === metric));
}

/** @param {Candidate} candidate @param {Images} images @param {Demand} demand @returns {Answer} */
function judgeOne({ event, how, age, isSaid }, images, demand) {
  const answer = (/** @type {Outcome} */ outcome, /** @type {string} */ reason) => ({ outcome, reason, age, event });
  const limit = demand.withinDays;
  if (limit !== undefined) {
    if (age === undefined) {
      const lacking = images.acquisitionDate === null || images.acquisitionDate === undefined ? "the acquisition" : "the calibration";
      return answer("unknown", `${lacking} has no date`);
    }
    if (age < 0 && !demand.eitherSide) return answer("fail", `${how} was made ${-age} days after the acquisition`);
    if (Math.abs(age) > limit) {
      return answer("fail", `${how} is ${Math.abs(age)} days from the acquisition, more than ${limit}`);
    }
  }
  for (const condition of demand.conditions) {
    const judged = judgeCondition(condition, event.metrics ?? []);
    if (judged.holds === undefined) return answer("unknown", `${condition.metric} ${judged.why}`);
    if (!judged.holds) return answer("fail", `${condition.metric} is ${judged.found}`);
  }
  if (!isSaid && demand.conditions.length > 0) return answer("unknown", `${how} does not say its channel or wavelength`);
  if (age === undefined) return answer("pass", how);
  return answer("pass", age < 0 ? `${how}, ${-age} days after the acquisition` : `${how}, ${age} days before the acquisition`);
}

/**
 * Whether a calibration was made in the channel and at the wavelength that is asked for; undefined if it does not say. Of the
 * two wavelengths of a registration either will do.
 * @param {Demand} demand @param {Event} event @returns {boolean | undefined}
 */
function isInLightOf({ channel, wavelength }, event) {
  if (channel !== undefined) {
    if (!event.channels?.length) return undefined;
    if (!event.channels.some((name) => sameName(name, channel))) return false;
  }
  if (!wavelength) return true;
  const asked = convert(wavelength.value, wavelength.unit, "nm");
  const isPair = event.kind === "ChromaticRegistrationEvaluation";
  const measured = lights(isPair ? event.wavelengths : event.wavelength && [event.wavelength]);
  return asked === undefined || measured.length === 0 ? undefined : measured.some((light) => isNear(light, asked));
}
