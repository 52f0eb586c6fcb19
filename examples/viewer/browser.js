// Headless Chromium for tests: where it is, and how it is started so that it draws without a graphics card.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";

/** The path of Chromium or Chrome; undefined where there is none. */
export function chromium() {
  const asked = process.env.CHROMIUM;
  if (asked) return asked;
  for (const name of ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]) {
    try {
      return execFileSync("which", [name], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    } catch {
      if (existsSync(`/usr/bin/${name}`)) return `/usr/bin/${name}`;
    }
  }
  return undefined;
}

/** A page of a browser, that asks nothing of other machines; `problems` collects what goes wrong in it. */
export async function page(viewport) {
  const { chromium: driver } = await import("playwright-core");
  const browser = await driver.launch({
    executablePath: chromium(),
    args: ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist",
      "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run", "--force-color-profile=srgb"],
  });
  const page = await browser.newPage({ viewport });
  /** @type {string[]} */
  const problems = [];
  page.on("pageerror", (error) => problems.push(error.message));
  await page.route((url) => url.hostname !== "127.0.0.1" && !["data:", "blob:"].includes(url.protocol), (route) => route.abort());
  return { page, problems, close: () => browser.close() };
}
