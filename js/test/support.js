// A web server for tests: files of a folder, ranges of bytes, and a list of what was asked for.
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";

export const GOLDEN = new URL("../../spec-tests/data/golden/stores/", import.meta.url);

/**
 * Serves a folder. `change` may replace what is answered for a path: with bytes, or with null for nothing.
 * @param {URL} folder
 * @param {(path: string, bytes: Buffer) => Buffer | null} [change]
 */
export async function serve(folder, change = (_, bytes) => bytes) {
  /** @type {string[]} */
  const asked = [];
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname);
    asked.push(path);
    let bytes = null;
    try {
      bytes = change(path, await readFile(fileURLToPath(new URL(`.${path}`, folder))));
    } catch {
      bytes = null;
    }
    if (!bytes) return response.writeHead(404).end();
    const range = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? "");
    if (!range || request.method === "HEAD") {
      return response.writeHead(200, { "content-length": bytes.length, "accept-ranges": "bytes" }).end(bytes);
    }
    const from = range[1] === "" ? bytes.length - Number(range[2]) : Number(range[1]);
    const to = range[1] === "" || range[2] === "" ? bytes.length : Number(range[2]) + 1;
    response.writeHead(206, { "content-range": `bytes ${from}-${to - 1}/${bytes.length}` }).end(bytes.subarray(from, to));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return { url: `http://127.0.0.1:${port}`, asked, close: () => server.close() };
}

/** The document of a root without the others' that are consolidated in it. */
export function unconsolidated(path, bytes) {
  if (path.endsWith("/.zmetadata")) return null;
  if (!path.endsWith("zarr.json")) return bytes;
  const { consolidated_metadata: _, ...node } = JSON.parse(bytes.toString());
  return Buffer.from(JSON.stringify(node));
}
