// Serves the viewer and a folder of stores: npm start -- FOLDER [PORT]. Ranges of bytes are answered, as shards need them.
import { once } from "node:events";
import { readFile, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".json": "application/json" };

/**
 * Serves folders below prefixes; a prefix may also be a function of the path that gives JSON.
 * @param {Record<string, string | ((path: string) => unknown)>} mounts
 */
export async function serve(mounts, port = 0) {
  /** @type {string[]} */
  const asked = [];
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname);
    asked.push(path);
    const prefix = Object.keys(mounts).sort((a, b) => b.length - a.length).find((prefix) => path.startsWith(prefix));
    const headers = { "access-control-allow-origin": "*", "access-control-allow-headers": "*", "access-control-expose-headers": "*", "accept-ranges": "bytes" };
    const end = (code, more = {}, body) => response.writeHead(code, { ...headers, ...more }).end(request.method === "HEAD" ? undefined : body);
    if (request.method === "OPTIONS") return end(204);
    const mount = prefix !== undefined && mounts[prefix];
    if (!mount) return end(404);
    if (typeof mount === "function") return end(200, { "content-type": "application/json" }, JSON.stringify(mount(path.slice(prefix.length))));
    let file = normalize(join(mount, path.slice(prefix.length)));
    if (!file.startsWith(normalize(mount))) return end(403);
    let bytes;
    try {
      if ((await stat(file)).isDirectory()) file = join(file, "index.html");
      bytes = await readFile(file);
    } catch {
      return end(404);
    }
    const type = { "content-type": TYPES[extname(file)] ?? "application/octet-stream" };
    const range = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? "");
    if (!range) return end(200, { ...type, "content-length": bytes.length }, bytes);
    const from = range[1] === "" ? Math.max(0, bytes.length - Number(range[2])) : Number(range[1]);
    const to = range[1] === "" || range[2] === "" ? bytes.length : Math.min(bytes.length, Number(range[2]) + 1);
    if (from >= to) return end(416, { "content-range": `bytes */${bytes.length}` });
    return end(206, { ...type, "content-range": `bytes ${from}-${to - 1}/${bytes.length}`, "content-length": to - from }, bytes.subarray(from, to));
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return { url: `http://127.0.0.1:${/** @type {any} */ (server.address()).port}`, asked, close: () => server.close() };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = resolve(process.argv[2] ?? ".");
  const { url } = await serve({ "/": fileURLToPath(new URL("dist/", import.meta.url)), "/data/": `${folder}/` }, Number(process.argv[3] ?? 8000));
  console.log(`${url}/?source=data/NAME.ome.zarr shows a store of ${folder}`);
}
