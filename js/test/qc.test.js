// The program gives the same answers: crates/nbo/tests/qc_vectors.rs.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { Demand, imageQuality, judge, judgeOthers, judgeQuality, light, missing, open, panel } from "../src/index.js";
import { GOLDEN, serve } from "./support.js";

const vectors = JSON.parse(
  await readFile(new URL("../../crates/nbo/tests/vectors/qc.json", import.meta.url), "utf8"),
);

test("demands on calibrations are answered as the program does", () => {
  for (const { index, answers } of vectors.cases) {
    for (const { demand, verdicts, others } of answers) {
      assert.deepEqual(judge(index, Demand.parse(demand)), verdicts, demand);
      assert.deepEqual(judgeOthers(index, Demand.parse(demand)), others, demand);
    }
  }
});

test("demands on image quality are answered as the program does", () => {
  for (const { attributes, answers } of vectors.quality) {
    const { multiscales, omero } = attributes.ome;
    const quality = imageQuality({
      path: "", name: multiscales[0].name, statistics: attributes["fairzarr:statistics"], channels: omero.channels,
    });
    for (const { demand, verdicts } of answers) assert.deepEqual(judgeQuality([quality], Demand.parse(demand)), verdicts, demand);
  }
});

test("what the program refuses is refused", () => {
  for (const demand of vectors.refused) assert.throws(() => Demand.parse(demand), { name: "FairzarrError" }, demand);
});

test("nothing known never passes", () => {
  const demand = Demand.parse("OpticalCalibration within 90 days");
  for (const index of [undefined, { layout: 3, events: [], images: [], instruments: {} }, { events: [], images: [] }]) {
    assert.deepEqual(judge(index, demand).map((verdict) => verdict.outcome), ["unknown"]);
  }
});

describe("stores", () => {
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let server;
  before(async () => {
    server = await serve(GOLDEN);
  });
  after(() => server.close());

  test("the light of a summary is the answer of the index", async () => {
    const colours = { pass: "green", fail: "red", unknown: "grey" };
    for (const name of ["nbo-plate-0.4", "nbo-single-0.5", "single-0.5", "embedded-0.5"]) {
      const store = await open(`${server.url}/${name}`);
      for (const kind of ["OpticalCalibration", "ExcitationCalibration", "LightSensor"]) {
        for (const days of [10, 42, 400]) {
          const { verdicts } = await store.qc(`${kind} within ${days} days`);
          assert.equal(light((await store.image()).summary, kind, days), colours[verdicts[0].outcome], `${name} ${kind} ${days}`);
        }
      }
    }
  });

  test("image quality is asked of all images of a store", async () => {
    const { passes, verdicts } = await (await open(`${server.url}/plate-0.5`)).qc("ImageQuality and SaturatedFraction <= 1");
    assert.equal(passes, true);
    assert.equal(verdicts[0].images, 3);
  });
});

test("a panel says what is missing, and of which channels", () => {
  const summary = {
    schema: 1, size: { c: 2, z: 4, y: 8, x: 8 }, type: "uint8", root: ".",
    qc: [{ kind: "OpticalCalibration", outcome: "pass", date: "2024-02-01", ageDays: 42, text: "…" }],
    channels: [{ name: "GFP", emission: { written: "525 nm" } }, { name: "DAPI" }],
  };
  assert.ok(missing(summary).includes("emission of DAPI"));
  assert.ok(missing(summary).includes("excitation"));
  assert.ok(missing(summary).includes("distance of sections"));
  assert.ok(!missing(summary).includes("interval of time points"));
  const shown = panel(summary, { within: { OpticalCalibration: 30 } });
  assert.equal(shown.signals[0].light, "red");
  assert.equal(panel(summary).signals[0].light, "green");
  assert.equal(light({ ...summary, qc: [] }, "LightSensor", 3), "grey");
  assert.equal(light({ ...summary, qc: [], microscope: { id: "Instrument:1" } }, "LightSensor", 3), "red");
});
