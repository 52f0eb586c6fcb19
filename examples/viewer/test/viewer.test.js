// The page in headless Chromium: what it draws, and what the panel says, of stores that are served beside it.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { PNG } from "pngjs";
import { chromium, page as start } from "../browser.js";
import { serve } from "../serve.js";

const dist = fileURLToPath(new URL("../dist/", import.meta.url));
const golden = fileURLToPath(new URL("../../../spec-tests/data/golden/stores/", import.meta.url));
const absent = !chromium() ? "there is no Chromium" : !existsSync(dist) && "the page is not built: npm run build";

describe("the page", { skip: absent || false }, () => {
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let server;
  /** @type {Awaited<ReturnType<typeof start>>} */
  let browser;
  before(async () => {
    server = await serve({ "/": dist, "/data/": golden });
    browser = await start({ width: 1200, height: 800 });
  });
  after(async () => {
    await browser?.close();
    server?.close();
  });

  const show = async (query) => {
    await browser.page.goto("about:blank");
    browser.problems.length = 0;
    await browser.page.goto(`${server.url}/?source=data/${query}`);
    await browser.page.waitForSelector("body[data-drawn]");
    await browser.page.waitForTimeout(300);
    assert.deepEqual(browser.problems, []);
    return PNG.sync.read(await browser.page.screenshot());
  };
  const said = (label) => browser.page.locator(`dl > div:has(dt:text-is("${label}")) dd`).first().innerText();

  test("a calibrated image of a plate has a green light with its date and age", async () => {
    server.asked.length = 0;
    const png = await show("nbo-plate-0.4&image=A/1/0");
    const light = browser.page.locator('[data-kind="OpticalCalibration"]');
    assert.equal(await light.getAttribute("data-light"), "green");
    assert.match(await light.innerText(), /2024-02-01, 42 days before the acquisition; asked for within 90 days/);
    assert.equal(await said("Microscope"), "Example Optics Stand 7");
    assert.equal(await said("Serial number"), "S-1");
    assert.match(await browser.page.locator(".missing").innerText(), /immersion/);
    assert.match(await browser.page.locator("aside").innerText(), /Tier 1\s+78 of 108/);
    // Red and green of equal samples are yellow, and the samples grow downwards.
    const at = (y) => [...png.data.subarray((y * png.width + 400) * 4, (y * png.width + 400) * 4 + 3)];
    const [top, bottom] = [at(300), at(480)];
    assert.ok(bottom[0] > top[0] + 50, `${top} ${bottom}`);
    for (const [red, green, blue] of [top, bottom]) assert.ok(Math.abs(red - green) < 4 && blue < 4, `${top} ${bottom}`);
  });

  test("a calibration of another microscope is a red light, one of nobody knows which a grey one", async () => {
    await show("nbo-single-0.5");
    assert.equal(await browser.page.locator('[data-kind="OpticalCalibration"]').getAttribute("data-light"), "red");
    await show("embedded-0.5");
    const lights = await browser.page.locator("[data-light]").evaluateAll((all) => all.map((one) => one.dataset.light));
    assert.ok(lights.every((light) => light === "grey"), String(lights));
  });

  test("what nobody recorded is said to be unknown, and a store without a summary says so", async () => {
    await show("several-0.5");
    assert.equal(await said("Objective"), "unknown");
    await show("no-manifest-single-0.5");
    assert.match(await browser.page.locator("aside").innerText(), /says nothing of how the image was taken/);
  });

  test("stores of every version and layout are drawn, and their images can be chosen", async () => {
    for (const name of ["single-0.4", "sharded-0.5", "plate-0.6"]) {
      const png = await show(name);
      let bright = 0;
      for (let at = 0; at < png.data.length; at += 4) bright += png.data[at] + png.data[at + 1] + png.data[at + 2] > 60 && (at / 4) % 1200 < 800;
      assert.ok(bright > 5000, `${name}: ${bright}`);
    }
    await show("several-0.5");
    // Samples of one bit, which no graphics card knows.
    await browser.page.getByLabel("image", { exact: true }).selectOption("2");
    await browser.page.waitForSelector('body[data-drawn="2"]');
    assert.deepEqual(browser.problems, []);
  });

  test("what is no store is told", async () => {
    await browser.page.goto(`${server.url}/?source=data/nowhere`);
    assert.match(await browser.page.locator(".error").innerText(), /is not an OME-Zarr/);
  });
});
