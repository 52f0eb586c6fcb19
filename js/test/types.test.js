// The committed types are those of the code, and a program that uses them compiles.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const package_ = fileURLToPath(new URL("../", import.meta.url));
const compiler = (() => {
  try {
    return createRequire(import.meta.url).resolve("typescript/bin/tsc");
  } catch {
    return undefined;
  }
})();
const run = promisify(execFile);

test("the committed types are those of the code", { skip: !compiler && "the compiler of TypeScript is not installed" }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "fairzarr-types-"));
  try {
    await cp(join(package_, "types/schemas"), join(folder, "schemas"), { recursive: true });
    await run(process.execPath, [compiler, "-p", package_, "--outDir", folder]);
    for (const file of await readdir(folder, { recursive: true })) {
      if (!file.endsWith(".d.ts")) continue;
      assert.equal(await readFile(join(folder, file), "utf8"), await readFile(join(package_, "types", file), "utf8"), file);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a program in TypeScript compiles", { skip: !compiler && "the compiler of TypeScript is not installed" }, async () => {
  const options = ["--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "--target", "es2022"];
  await run(process.execPath, [compiler, ...options, join(package_, "test/uses.ts")]).catch((error) => assert.fail(error.stdout));
});

test("the source is as small as the README says", async () => {
  const said = /(\d+) kB of source/.exec(await readFile(join(package_, "README.md"), "utf8"));
  let size = 0;
  for (const file of await readdir(join(package_, "src"), { recursive: true })) {
    if (file.endsWith(".js")) size += (await readFile(join(package_, "src", file))).length;
  }
  assert.ok(said && size <= Number(said[1]) * 1000, `${size} bytes`);
});
