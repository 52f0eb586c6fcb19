#!/usr/bin/env python3
"""Plates on an object store: how many requests describing and checking one takes, and what memory, as it grows.

python3 benches/plate.py [--work DIR] [--wells 96,192,384] [--fields 64] [--sample 1] [--write]
Needs numpy and tifffile for the input, and a build: cargo build --release -p fairzarr

Plates are converted to a directory, which a small server answers for in the S3 protocol, without signatures. It keeps the
names in memory, so that a listing costs as much as it lists; requests are counted where they arrive. Times are told for
comparison with each other: the server is a Python program on the same machine.
"""
import argparse
import bisect
import collections
import datetime
import http.server
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from xml.sax.saxutils import escape

HERE = pathlib.Path(__file__).resolve().parent
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--work", default=None)
parser.add_argument("--wells", default="96,192,384")
parser.add_argument("--fields", type=int, default=64)
parser.add_argument("--sample", default="1", help="per cent")
target = os.environ.get("CARGO_TARGET_DIR", HERE.parent / "target")
parser.add_argument("--binary", default=str(pathlib.Path(target) / "release" / "fairzarr"))
parser.add_argument("--write", action="store_true")
args = parser.parse_args()
work = pathlib.Path(args.work or tempfile.mkdtemp(prefix="fairzarr-plate-"))
work.mkdir(parents=True, exist_ok=True)

PAGE = 1000
root = work / "plate.ome.zarr"
names = []
asked = collections.Counter()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", headers.get("length", len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        if "list-type" in query:
            asked["list"] += 1
            return self.answer(200, listing(query))
        asked[self.command.lower()] += 1
        key = urllib.parse.unquote(url.path).removeprefix("/bucket/plate.ome.zarr/")
        path = root / key
        if not path.is_file():
            return self.answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        body = path.read_bytes()
        tags = {"ETag": f'"{len(body)}"', "Last_Modified": "Thu, 01 Jan 2026 00:00:00 GMT"}
        wanted = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        if self.command == "HEAD" or not wanted:
            return self.answer(200, body, **tags)
        first, last = wanted.groups()
        start = int(first) if first else max(0, len(body) - int(last))
        end = min(int(last) + 1, len(body)) if first and last else len(body)
        if start >= len(body):
            return self.answer(416)
        self.answer(206, body[start:end], Content_Range=f"bytes {start}-{end - 1}/{len(body)}", **tags)

    do_HEAD = do_GET


def listing(query):
    """One page of names, which are sorted, and of what they have in common up to the delimiter."""
    prefix = query.get("prefix", "").removeprefix("plate.ome.zarr/")
    delimiter = query.get("delimiter")
    at = max(bisect.bisect_left(names, prefix), int(query.get("continuation-token", 0)))
    parts, count = [], 0
    while at < len(names) and names[at].startswith(prefix) and count < PAGE:
        name, count = names[at], count + 1
        head, found, _ = name[len(prefix) :].partition(delimiter) if delimiter else (name, "", "")
        if found:
            parts.append(f"<CommonPrefixes><Prefix>plate.ome.zarr/{escape(prefix + head)}/</Prefix></CommonPrefixes>")
            at = bisect.bisect_left(names, prefix + head + chr(ord("/") + 1), at)
            continue
        size = (root / name).stat().st_size
        parts.append(f"<Contents><Key>plate.ome.zarr/{escape(name)}</Key><Size>{size}</Size><ETag>\"{size}\"</ETag>"
                     "<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>")
        at += 1
    more = at < len(names) and names[at].startswith(prefix)
    after = f"<IsTruncated>true</IsTruncated><NextContinuationToken>{at}</NextContinuationToken>" if more else ""
    return f"<?xml version='1.0'?><ListBucketResult>{after}{''.join(parts)}</ListBucketResult>".encode()


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
options = ["--store-option", f"aws_endpoint=http://127.0.0.1:{server.server_port}", "--store-option", "anonymous=true"]
rows = []
for wells in map(int, args.wells.split(",")):
    source = work / "plate.ome.tiff"
    plate = ["--plate", f"{wells},{args.fields}", "--side", "64", "--tile", "0"]
    subprocess.run([sys.executable, HERE / "make_input.py", source, *plate], check=True)
    shutil.rmtree(root, ignore_errors=True)
    subprocess.run([args.binary, "convert", source, root, "--durability", "none"], check=True, stdout=subprocess.DEVNULL)
    names[:] = sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
    for command in (["inspect"], ["validate"], ["check"], ["verify", "--sample", f"{args.sample}%"]):
        asked.clear()
        start = time.monotonic()
        child = subprocess.Popen([args.binary, command[0], "s3://bucket/plate.ome.zarr", *command[1:], *options],
                                 stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.monotonic() - start
        status = os.waitstatus_to_exitcode(status)
        if status not in (0, 1):
            raise SystemExit(f"{command} ended with {status}")
        total = sum(asked.values())
        rows.append(f"| {' '.join(command)} | {wells} | {wells * args.fields} | {len(names)} | {asked['get']} | {asked['head']} "
                    f"| {asked['list']} | {1000 * total / len(names):.0f} | {seconds:.1f} | {usage.ru_maxrss / 1024:.0f} |")
        print(rows[-1], flush=True)
title = f"# {datetime.date.today()}, {platform.machine()}, {os.cpu_count()} cores: requests for plates on an object store"
head = ["| | wells | images | objects | GET | HEAD | LIST | requests per 1,000 objects | wall s | peak MiB |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
text = "\n".join([title, "", *head, *rows, ""])
if args.write:
    (HERE / "results" / f"{datetime.date.today()}-plate.md").write_text(text)
