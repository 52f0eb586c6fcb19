/**
 * What a panel beside a picture shows of an image's summary. No request is made.
 *
 * @module
 */

/** @typedef {import("../types/schemas/summary.js").Summary} Summary */
/** @typedef {"green" | "red" | "grey"} Light green is `pass`, red `fail`, grey `unknown` of `fairzarr qc --require`. */
/** @typedef {{ kind: string, light: Light, date?: string, ageDays?: number, text: string }} Signal */

/**
 * Whether the latest calibration of a kind was made at most so many days before the acquisition (docs/summary.md).
 * @param {Summary} summary
 * @param {string} kind
 * @param {number} days
 * @returns {Light}
 */
export function light(summary, kind, days) {
  const line = summary.qc.find((line) => line.kind === kind);
  // None is recorded for its microscope, or nobody knows which that is.
  if (!line) return summary.microscope ? "red" : "grey";
  if (line.outcome === "fail") return "red";
  if (line.outcome === "unknown" || line.ageDays === undefined) return "grey";
  // One after the acquisition does not count.
  return 0 <= line.ageDays && line.ageDays <= days ? "green" : "red";
}

/**
 * What a reader of a paper asks of every image, and how the summary answers it.
 * @type {[string, (summary: Summary) => unknown][]}
 */
export const FIRST_QUESTIONS = [
  ["date of acquisition", (s) => s.acquisitionDate],
  ["pixel size", (s) => s.pixelSize?.x && s.pixelSize.y],
  ["distance of sections", (s) => (s.size.z ?? 1) < 2 || s.pixelSize?.z],
  ["interval of time points", (s) => (s.size.t ?? 1) < 2 || s.pixelSize?.t],
  ["microscope", (s) => s.microscope?.manufacturer && s.microscope.model],
  ["serial number of the microscope", (s) => s.microscope?.serialNumber],
  ["objective", (s) => s.objective],
  ["numerical aperture", (s) => s.objective?.NA],
  ["magnification", (s) => s.objective?.magnification],
  ["immersion", (s) => s.objective?.immersion],
  ["fluorophore", (s) => s.channels.every((c) => c.fluorophore)],
  ["excitation", (s) => s.channels.every((c) => c.excitation)],
  ["emission", (s) => s.channels.every((c) => c.emission)],
  ["exposure", (s) => s.channels.every((c) => c.exposure)],
  ["light source", (s) => s.channels.every((c) => c.lightSource)],
  ["detector", (s) => s.channels.every((c) => c.detector)],
];

/**
 * What the summary does not say, in words; of channels with the names of those that lack it.
 * @param {Summary} summary
 * @returns {string[]}
 */
export function missing(summary) {
  const lacking = FIRST_QUESTIONS.filter(([, answer]) => !answer(summary)).map(([what]) => what);
  const ofChannels = ["fluorophore", "excitation", "emission", "exposure", "lightSource", "detector"];
  return lacking.map((what) => {
    const member = ofChannels.find((name) => what === (name === "lightSource" ? "light source" : name));
    if (!member) return what;
    const without = summary.channels.flatMap((channel, n) => (member in channel ? [] : [channel.name ?? `channel ${n}`]));
    return without.length === summary.channels.length ? what : `${what} of ${without.join(", ")}`;
  });
}

/**
 * Rows of label and text, signals of quality control, coverage, and what is missing. `within` are the greatest ages in
 * days by kind; without one, 365.
 * @param {Summary} summary
 * @param {{ within?: Record<string, number> }} [options]
 */
export function panel(summary, { within = {} } = {}) {
  const said = (/** @type {{ written: string } | undefined} */ quantity) => quantity?.written;
  const words = (/** @type {unknown[]} */ parts) => parts.filter((part) => part !== undefined && part !== "").join(" ") || undefined;
  const { microscope: m, objective: o, pixelSize: p } = summary;
  /** @type {[string, string | undefined][]} */
  const rows = [
    ["Image", summary.name],
    ["Acquired", summary.acquired ?? summary.acquisitionDate],
    ["Size", Object.entries(summary.size).map(([axis, length]) => `${axis} ${length}`).join(", ")],
    ["Pixel", p && ["x", "y", "z"].map((axis) => said(/** @type {any} */ (p)[axis])).filter(Boolean).join(" × ")],
    ["Microscope", words([m?.manufacturer, m?.model]) ?? m?.name],
    ["Serial number", m?.serialNumber],
    ["Objective", o && words([o.magnification !== undefined ? `${o.magnification}×` : undefined,
      o.NA !== undefined ? `NA ${o.NA}` : undefined, o.immersion, words([o.manufacturer, o.model])])],
  ];
  const channels = summary.channels.map((c, n) => ({
    name: c.name ?? `channel ${n}`,
    fluorophore: c.fluorophore,
    excitation: said(c.excitation),
    emission: said(c.emission),
    exposure: said(c.exposure),
    lightSource: c.lightSource,
    detector: c.detector,
  }));
  /** @type {Signal[]} */
  const signals = summary.qc.map(({ kind, date, ageDays, text }) => ({
    kind, date, ageDays, text, light: light(summary, kind, within[kind] ?? 365),
  }));
  return { rows, channels, channelsNotListed: summary.channelsNotListed ?? 0, signals, coverage: summary.coverage ?? [], missing: missing(summary) };
}
