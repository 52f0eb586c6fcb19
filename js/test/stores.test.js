import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { open } from "../src/index.js";
import { GOLDEN, serve, unconsolidated } from "./support.js";

/** @type {Awaited<ReturnType<typeof serve>>} */
let server;
/** @type {Awaited<ReturnType<typeof serve>>} */
let plain;
before(async () => {
  server = await serve(GOLDEN);
  plain = await serve(GOLDEN, unconsolidated);
});
after(() => {
  server.close();
  plain.close();
});

describe("requests", () => {
  test("the summary of a single image takes one", async () => {
    for (const [name, options] of [["single-0.5", {}], ["single-0.6", {}], ["single-0.4", { zarrFormat: 2 }]]) {
      plain.asked.length = 0;
      const image = await (await open(`${plain.url}/${name}`, options)).image();
      assert.equal(image.summary.name, "golden single", name);
      assert.equal(plain.asked.length, 1, `${name}: ${plain.asked}`);
    }
  });

  test("that of any image of a plate or a collection takes two, consolidated or not", async () => {
    for (const [name, path, options] of [
      ["plate-0.5", "B/3/0", {}], ["plate-0.6", "A/1/1", {}], ["plate-0.4", "A/1/0", { zarrFormat: 2 }], ["several-0.5", "2", {}],
    ]) {
      for (const served of [server, plain]) {
        served.asked.length = 0;
        const image = await (await open(`${served.url}/${name}`, options)).image(path);
        assert.equal(image.summary.schema, 1, name);
        assert.ok(served.asked.length <= 2, `${name}: ${served.asked}`);
      }
    }
  });

  test("Zarr v2 that is not said to be takes one more", async () => {
    plain.asked.length = 0;
    await open(`${plain.url}/single-0.4`);
    assert.deepEqual(plain.asked, ["/single-0.4/zarr.json", "/single-0.4/.zattrs"]);
  });

  test("nothing is fetched twice, and consolidated metadata are used", async () => {
    server.asked.length = 0;
    const store = await open(`${server.url}/plate-0.5`);
    await store.images();
    await store.images();
    await store.ome();
    await (await store.image("A/1/0")).array();
    assert.deepEqual(server.asked, ["/plate-0.5/zarr.json"]);
  });
});

describe("every golden store", async () => {
  const names = (await readdir(GOLDEN)).filter((name) => !name.endsWith(".ozx"));
  for (const name of names) {
    test(`${name}: images, model and samples`, async () => {
      const store = await open(`${server.url}/${name}`);
      const images = await store.images();
      assert.equal(images.length, name.includes("plate") || /several|no-decode/.test(name) ? 3 : 1);
      assert.ok((await store.ome()).OME[0].Image.length >= images.length);
      assert.match(await store.omeXml(), /<OME /);
      for (const image of images) {
        const first = Object.fromEntries(image.axes.slice(0, -2).map((axis) => [axis.name, 0]));
        const { data, shape } = await image.read(first);
        assert.deepEqual(shape, (await image.array()).shape.slice(-2));
        assert.equal(data.length, shape[0] * shape[1]);
        assert.equal(image.levels[0].scale.length, image.axes.length);
        if (image.summary) {
          assert.deepEqual((await image.array()).shape, image.axes.map((axis) => image.summary.size[axis.name]));
        }
      }
    });
  }
});

test("samples are those that were counted", async () => {
  for (const name of ["single-0.4", "single-0.5", "sharded-0.5"]) {
    const image = await (await open(`${server.url}/${name}`)).image();
    for (const [c, channel] of image.statistics.channels.entries()) {
      const { data } = await image.read({ c });
      assert.ok(data instanceof Uint16Array);
      assert.equal(Math.max(...data), channel.max);
      assert.equal(Math.min(...data), channel.min);
    }
    const part = await image.read({ t: 1, c: 0, z: 2, y: [3, 7], x: [5, 8] });
    const whole = await image.read({ t: 1, c: 0, z: 2 });
    assert.deepEqual(part.shape, [4, 3]);
    assert.equal(part.data[0], whole.data[3 * whole.shape[1] + 5]);
    await assert.rejects(image.read({ q: 1 }), /no axis q/);
    await assert.rejects(image.array(9), /no level 9/);
  }
});

test("plane arrays are what the planes of the XML say", async () => {
  const store = await open(`${server.url}/single-0.5`);
  const { columns, constants, sizes } = await (await store.image()).planes();
  assert.deepEqual(sizes, { t: 2, c: 2, z: 3 });
  assert.ok(columns.DeltaT.data instanceof Float64Array);
  assert.deepEqual(columns.DeltaT.shape, [2, 2, 3]);
  assert.equal(columns.DeltaT.unit, "s");
  assert.equal(constants.PositionY, "-4");
  const planes = [...(await store.omeXml()).matchAll(/<Plane ([^>]*)>/g)].map(([, text]) =>
    Object.fromEntries([...text.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value])),
  );
  assert.equal(planes.length, 12);
  for (const plane of planes) {
    const at = (Number(plane.TheT) * 2 + Number(plane.TheC)) * 3 + Number(plane.TheZ);
    for (const name of ["DeltaT", "ExposureTime", "PositionX", "PositionZ"]) {
      const value = columns[name].data[at];
      assert.equal(value, plane[name] === undefined ? Number.NaN : Number(plane[name]), `${name} at ${at}`);
    }
  }
  const some = await (await store.image()).planes({ only: ["DeltaT"] });
  assert.deepEqual(Object.keys(some.columns), ["DeltaT"]);
});

test("a record is put together of the image's part and the common one", async () => {
  const plate = await open(`${server.url}/nbo-plate-0.4`);
  for (const image of await plate.images()) {
    const { image: described, find, graph } = await image.record();
    assert.equal(described["@type"], "Image");
    assert.equal(described.Name, image.name);
    assert.ok(!JSON.stringify(graph).includes("#/shared/"), "shared objects are in place");
    const instrument = find(described.InstrumentRef);
    assert.equal(instrument["@type"], "Instrument");
    assert.equal(find(image.summary.microscope.id), instrument);
  }
  assert.equal((await (await plate.image("A/1/0")).record()).find("Objective:0").LensNA, 0.8);
  const single = await (await (await open(`${server.url}/nbo-single-0.5`)).image()).record();
  assert.equal(single.image.Name, "golden single");
  for (const old of ["record-1-single-0.5", "record-1-plate-0.4", "record-2-single-0.5"]) {
    const image = await (await open(`${server.url}/${old}`)).image();
    assert.equal((await image.record()).image?.Name, image.name, old);
  }
});

test("what is no store, or broken, is told with its place", async () => {
  await assert.rejects(open(`${server.url}/nowhere`), /nowhere is not an OME-Zarr/);
  const broken = await serve(GOLDEN, (path, bytes) => (path.endsWith("zarr.json") ? Buffer.from("{") : bytes));
  await assert.rejects(open(`${broken.url}/single-0.5`), /zarr.json is not JSON/);
  broken.close();
  const store = await open(`${server.url}/plate-0.5`);
  await assert.rejects(store.image("A/9/9"), /no group at A\/9\/9/);
  await assert.rejects(store.image("A/1"), /is no image/);
});

test("an archive and a store in memory are read by zarrita's stores", async (t) => {
  const zip = await import("@zarrita/storage/zip").catch(() => undefined);
  if (!zip) return t.skip("the stores of zarrita are not installed");
  const bytes = await readFile(new URL("single-0.5.ozx", GOLDEN));
  const store = await open(zip.default.fromBlob(new Blob([bytes])));
  const image = await store.image();
  assert.equal(image.summary.name, "golden single");
  assert.equal((await image.read({ t: 0, c: 0, z: 0 })).data.length, 40 * 36);
});

test("labels are images of their own, with colours", async () => {
  const text = (value) => new TextEncoder().encode(JSON.stringify(value));
  const axes = [{ name: "y", type: "space" }, { name: "x", type: "space" }];
  const datasets = [{ path: "0", coordinateTransformations: [{ type: "scale", scale: [1, 1] }] }];
  const group = (ome) => text({ zarr_format: 3, node_type: "group", attributes: { ome: { version: "0.5", ...ome } } });
  const files = new Map([
    ["/zarr.json", group({ multiscales: [{ axes, datasets }] })],
    ["/labels/zarr.json", group({ labels: ["nuclei"] })],
    ["/labels/nuclei/zarr.json", group({ multiscales: [{ name: "nuclei", axes, datasets }], "image-label": { colors: [{ "label-value": 1, rgba: [255, 0, 0, 255] }] } })],
  ]);
  const image = await (await open({ get: async (key) => files.get(key) })).image();
  const [nuclei] = await image.labels();
  assert.equal(nuclei.path, "labels/nuclei");
  assert.deepEqual(nuclei.label.colors[0].rgba, [255, 0, 0, 255]);
  assert.equal(image.summary, undefined);
  assert.equal(await image.planes(), undefined);
  files.delete("/labels/zarr.json");
  assert.deepEqual(await (await (await open({ get: async (key) => files.get(key) })).image()).labels(), []);
});
