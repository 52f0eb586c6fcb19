// Viewers of others open a store of each kind, in headless Chromium, and their pictures are held against what the samples of
// the source have to look like: orientation, colours, contrast.
//
//     node spec-tests/judge/viewers.mjs --bin target/release/fairzarr --work target/ci/viewers
//
// The sources are grids of cells that spec-tests/data/viewers/patterns.py makes; the formulas are repeated here, so that
// nothing that the program wrote decides what is expected. Needs `npm ci` in examples/viewer. Where node, Chromium or one of the
// viewers is missing, a sentence says so. Exit code 1 if a picture is wrong.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { chromium, page as start } from "../../examples/viewer/browser.js";
import { serve } from "../../examples/viewer/serve.js";

const { values: asked } = parseArgs({ options: { bin: { type: "string" }, work: { type: "string", default: "target/ci/viewers" } } });
const here = fileURLToPath(new URL(".", import.meta.url));
const patterns = join(here, "../data/viewers");
const example = fileURLToPath(new URL("../../examples/viewer/", import.meta.url));

const VIZARR = {
  package: "@galaxyproject/vizarr@0.1.8",
  integrity: "aNqs+Im0T4hospAIMG8kG71lzosrWYjKGRQUjF0h/ydqpWqDJ0S59adT8gH2HNJJZoq9GHhGALFpHF0DRs4eFQ==",
};

const CELL = { columns: 8, rows: 6 };
/** Greatest difference of a colour that is right, of 255: contrast limits are percentiles of a sample of rows. */
const TOLERANCE = 10;

/** In one colour at least, every cell is brighter than this, and the background is not. */
const DARK = 60;
/** Width of the example's panel, right of its picture. */
const PANEL = 400;

/** Colours of a cell, from 0 to 255, as patterns.py has them; x and y are fractions of the grid. */
const EXPECTED = {
  "two-channel": (x, y) => [255 * x, 255 * (1 - x) * (0.5 + 0.5 * y), 0],
  rgb: (x, y) => [255 * x, 255 * y, 255 * (1 - x * y)],
};

/** Each kind of store: source, options, place of the image in it, and the viewers that know the kind. */
const KINDS = [
  { name: "v04", source: "two-channel", options: ["--ngff", "0.4"], viewers: ["example", "viv", "vizarr"] },
  { name: "v05", source: "two-channel", options: [], viewers: ["example", "viv", "vizarr"] },
  { name: "v06", source: "two-channel", options: ["--ngff", "0.6"], viewers: ["example"] },
  { name: "sharded", source: "two-channel", options: ["--shard", "128,128", "--chunk", "64,64"], viewers: ["example", "viv", "vizarr"] },
  { name: "rgb", source: "rgb", options: [], viewers: ["example", "viv", "vizarr"] },
  { name: "plate", source: "plate", pattern: "two-channel", options: [], image: "A/1/0", viewers: ["example", "viv", "vizarr"] },
];

function skip(why) {
  console.log(`${why}: viewers are not tried`);
  process.exit(0);
}

if (!chromium()) skip("there is no Chromium");
const packages = createRequire(join(example, "package.json"));
try {
  packages.resolve("pngjs");
} catch {
  skip("the packages of examples/viewer are not installed");
}
const { PNG } = packages("pngjs");

const work = resolve(asked.work);
rmSync(work, { recursive: true, force: true });
mkdirSync(join(work, "stores"), { recursive: true });
for (const { name, source, options } of KINDS) {
  execFileSync(resolve(asked.bin), ["convert", "-q", join(patterns, `${source}.ome.tiff`), join(work, "stores", `${name}.ome.zarr`), ...options]);
}

/** Viv's page, built with the packages of the example. */
async function buildViv() {
  const esbuild = packages("esbuild");
  await esbuild.build({
    entryPoints: { viv: join(here, "viewers.jsx") }, bundle: true, format: "esm", splitting: true, target: "es2022", jsx: "automatic",
    nodePaths: [join(example, "node_modules")], outdir: join(work, "pages"), logLevel: "error", define: { "process.env.NODE_ENV": '"production"' },
  });
  const html = '<!doctype html><style>body{margin:0;background:#000}</style><div id="app"></div><script type="module" src="viv.js"></script>';
  writeFileSync(join(work, "pages/viv.html"), html);
}

/** Vizarr's page; false where npm does not give it. */
function unpackVizarr() {
  try {
    const folder = join(work, "vizarr");
    mkdirSync(folder);
    const file = execFileSync("npm", ["pack", "--silent", VIZARR.package, "--pack-destination", folder], { encoding: "utf8" }).trim();
    const bytes = readFileSync(join(folder, file));
    if (createHash("sha512").update(bytes).digest("base64") !== VIZARR.integrity) throw new Error("its digest is another");
    execFileSync("tar", ["xzf", join(folder, file), "-C", folder]);
  } catch (error) {
    console.log(`${VIZARR.package} cannot be had (${error.message.split("\n")[0]}): it is not tried`);
    return false;
  }
  return true;
}

await buildViv();
if (!existsSync(join(example, "dist/main.js"))) execFileSync("npm", ["run", "--silent", "build"], { cwd: example });
const hasVizarr = unpackVizarr();
/** Which store vizarr is told to open, when it asks the server for its data set. */
let opened = "";
const server = await serve({
  "/example/": join(example, "dist/"),
  "/pages/": join(work, "pages/"),
  "/vizarr/": join(work, "vizarr/package/static/"),
  "/data/": join(work, "stores/"),
  "/api/": () => ({ id: "store", name: "store", state: "deferred", sources: [{ source_uri: opened }] }),
});

const VIEWERS = {
  example: (store, image) => `${server.url}/example/?source=/data/${store}${image ? `&image=${image}` : ""}`,
  viv: (store, image) => `${server.url}/pages/viv.html?source=/data/${store}${image ? `/${image}` : ""}`,
  vizarr: (store) => {
    opened = `${server.url}/data/${store}`;
    return `${server.url}/pages/vizarr.html`;
  },
};
const incoming = JSON.stringify({ root: `${server.url}/`, visualization_config: { dataset_id: "store" } });
writeFileSync(join(work, "pages/vizarr.html"), `<!doctype html><style>body{margin:0;background:#000} #app{height:100vh} [class*=Mui]{visibility:hidden!important}</style>
<div id="app" data-incoming='${incoming}'></div><script type="module" src="/vizarr/index.js"></script>`);

const browser = await start({ width: 1000, height: 640 });
// Vizarr loads a decoder of JPEG 2000 from elsewhere before it begins; none of the stores needs one.
const none = { contentType: "text/javascript", body: "export class JpxImage {}", headers: { "access-control-allow-origin": "*" } };
await browser.page.route("**/jpx.js", (route) => route.fulfill(none));
const problems = [];
for (const { name, source, pattern = source, image, viewers } of KINDS) {
  for (const viewer of viewers.filter((viewer) => viewer !== "vizarr" || hasVizarr)) {
    const asked = VIEWERS[viewer](`${name}.ome.zarr`, image);
    const shot = join(work, `${viewer}-${name}.png`);
    const why = await judge(asked, shot, EXPECTED[pattern], viewer === "example" ? PANEL : 0);
    console.log(`${why ? "WRONG" : "right"}  ${viewer} ${name}${why ? `: ${why}; see ${shot}` : ""}`);
    if (why) problems.push(name);
  }
}
await browser.close();
server.close();
console.log(`${problems.length} wrong`);
process.exit(problems.length > 0 ? 1 : 0);

/** Why a picture is wrong; undefined where it is right. It is looked at until it is right, at most 20 seconds. */
async function judge(url, shot, expected, panel) {
  await browser.page.goto("about:blank");
  await browser.page.goto(url);
  const until = Date.now() + 20_000;
  let why;
  do {
    await browser.page.waitForTimeout(400);
    const bytes = await browser.page.screenshot();
    writeFileSync(shot, bytes);
    why = compare(PNG.sync.read(bytes), expected, panel);
  } while (why && Date.now() < until);
  return why;
}

/** Compares the middle of each cell of the picture, which is all that is not dark. */
function compare(png, expected, panel) {
  const at = (x, y) => [...png.data.subarray((y * png.width + x) * 4, (y * png.width + x) * 4 + 3)];
  const isPicture = (colour) => Math.max(...colour) > DARK;
  let [left, right, top, bottom] = [Infinity, -1, Infinity, -1];
  for (let y = 0; y < png.height; y += 1) {
    for (let x = 0; x < png.width - panel; x += 1) {
      if (!isPicture(at(x, y))) continue;
      [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
    }
  }
  const [width, height] = [right - left + 1, bottom - top + 1];
  if (right < 0) return "nothing is drawn";
  if (Math.abs(width / height - CELL.columns / CELL.rows) > 0.05) return `the picture is ${width} by ${height}`;
  for (let row = 0; row < CELL.rows; row += 1) {
    for (let column = 0; column < CELL.columns; column += 1) {
      const [x, y] = [(column + 0.5) / CELL.columns, (row + 0.5) / CELL.rows];
      const found = at(Math.round(left + x * width), Math.round(top + y * height));
      const right = expected(column / (CELL.columns - 1), row / (CELL.rows - 1));
      if (found.some((value, n) => Math.abs(value - right[n]) > TOLERANCE)) {
        return `the cell of column ${column} and row ${row} is ${found}, and should be ${right.map(Math.round)}`;
      }
    }
  }
  return undefined;
}
