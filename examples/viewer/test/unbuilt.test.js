// The package in the browser as it is, without a build step, by the import map of docs/javascript.md.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium, page as start } from "../browser.js";
import { serve } from "../serve.js";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const packages = at("../node_modules/");
const absent = !chromium() ? "there is no Chromium" : !existsSync(packages) && "the packages are not installed";

test("the package needs no build step in the browser", { skip: absent || false }, async () => {
  const map = /<script type="importmap">([^]*?)<\/script>/.exec(readFileSync(at("../../../docs/javascript.md"), "utf8"))[0];
  const server = await serve({
    "/fairzarr/": at("../../../js/"),
    "/node_modules/": packages,
    "/data/": at("../../../spec-tests/data/golden/stores/"),
  });
  const browser = await start({ width: 200, height: 200 });
  try {
    await browser.page.route(`${server.url}/page.html`, (route) => route.fulfill({ contentType: "text/html", body: `<!doctype html>${map}` }));
    await browser.page.goto(`${server.url}/page.html`);
    const said = await browser.page.evaluate(async () => {
      const { open } = await import("fairzarr");
      const image = await (await open(new URL("/data/nbo-plate-0.4", location.href))).image("A/1/0");
      const { data, shape } = await image.read({ c: 1 });
      const planes = await image.planes();
      const sharded = await (await open(new URL("/data/sharded-0.5", location.href))).image();
      return {
        aperture: image.summary.objective.NA, type: data.constructor.name, shape, passes: (await image.store.qc("OpticalCalibration within 90 days")).passes,
        exposures: [...planes.columns.ExposureTime.data], sharded: (await sharded.read({ t: 0, c: 0, z: 0 })).data.length,
      };
    });
    assert.deepEqual(said, {
      aperture: 0.8, type: "Uint8Array", shape: [1, 1, 12, 16], passes: true, exposures: [0.015, 0.025], sharded: 40 * 36,
    });
    assert.deepEqual(browser.problems, []);
  } finally {
    await browser.close();
    server.close();
  }
});
