// Writes types/schemas/*.d.ts from docs/schemas. `npm run types` runs it.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { compile } from "json-schema-to-typescript";

const schemas = new URL("../../docs/schemas/", import.meta.url);
const types = new URL("../types/schemas/", import.meta.url);
const named = { summary: "Summary", "nbo-qc": "NboQc", "ome-json": "OmeJson" };

await mkdir(types, { recursive: true });
for (const [file, name] of Object.entries(named)) {
  const schema = JSON.parse(await readFile(new URL(`${file}.schema.json`, schemas), "utf8"));
  const text = await compile({ ...schema, title: name }, name, {
    bannerComment: `// Written by scripts/schema-types.mjs from docs/schemas/${file}.schema.json; not to be edited.`,
    ignoreMinAndMaxItems: true,
  });
  await writeFile(new URL(`${file}.d.ts`, types), text);
}
