#!/usr/bin/env python3
"""Object stores at a distance: time, requests and bytes of reading, remote files, tasks and plates, by two programs in turns.

python3 benches/cloud.py --before OLD --after NEW --server S3_SERVER --proxy PROXY [--delay 0.05] [--only PART] [--write NAME]

PROXY is ../shared/cases/cloud/proxy.py, S3_SERVER is `cargo build --release -p fairzarr-store --example s3_server`. Every request
passes the proxy, which holds it back for the delay and keeps a list; requests and bytes are those of the list. Needs numpy and
tifffile. What does not end within --limit seconds is told as that. Times are of a machine that does other things as well, and
of a proxy that is a Python program: they compare the two programs, no more. The line `download` is what the same objects take
when they are fetched 32 at a time and thrown away.
"""
import argparse
import collections
import concurrent.futures
import datetime
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

import numpy
import tifffile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "spec-tests/judge"))
from ports import free_port, until_listening  # noqa: E402

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--before", required=True)
parser.add_argument("--after", required=True)
parser.add_argument("--server", required=True)
parser.add_argument("--proxy", required=True)
parser.add_argument("--work")
parser.add_argument("--delay", type=float, default=0.05)
parser.add_argument("--limit", type=float, default=180)
parser.add_argument("--only", default="", help="reading, files, tasks or plates")
parser.add_argument("--write", help="the name of a file in results/")
args = parser.parse_args()
work = pathlib.Path(args.work or tempfile.mkdtemp(prefix="fairzarr-cloud-")).resolve()
bucket = work / "served" / "bucket"
bucket.mkdir(parents=True, exist_ok=True)
programs = {"before": args.before, "after": args.after}
KEY, SECRET = "AKIDH", "SECRETH"


inner, port = free_port(), free_port()
settings, log = work / "settings.json", work / "requests.log"
settings.write_text(json.dumps({"delay": args.delay, "mode": "none"}))
children = [subprocess.Popen([args.server, str(inner), str(bucket.parent)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL),
            subprocess.Popen([sys.executable, args.proxy, str(port), str(inner), str(settings), str(log)])]
for each in (inner, port):
    until_listening(each)
environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
environment |= {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "us-east-1",
                "AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
rows = []


def requests_since(offset):
    """Requests by method, and bytes that came down, after a place in the proxy's list."""
    time.sleep(0.2)
    with log.open() as lines:
        lines.seek(offset)
        seen = [json.loads(line) for line in lines if line.endswith("\n")]
    return collections.Counter(one["m"] for one in seen), sum(max(0, one.get("down", 0)) for one in seen)


def here():
    return log.stat().st_size if log.exists() else 0


def run(program, *arguments, direct=False):
    """How a command ended, its seconds, its requests and bytes, and the most memory that it had."""
    began, at = time.monotonic(), here()
    own = environment | ({"AWS_ENDPOINT_URL": f"http://127.0.0.1:{inner}"} if direct else {})
    child = subprocess.Popen([program, *map(str, arguments)], env=own, stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace")
    said = []
    reader = threading.Thread(target=lambda: said.append(child.stderr.read()))
    reader.start()
    timer = threading.Timer(args.limit, child.kill)
    timer.start()
    _, status, usage = os.wait4(child.pid, 0)
    timer.cancel()
    seconds = time.monotonic() - began
    reader.join()
    child.returncode = code = os.waitstatus_to_exitcode(status)
    counted, down = requests_since(at)
    return {"code": code, "seconds": seconds, "counted": counted, "down": down, "rss": usage.ru_maxrss / 1024, "said": "".join(said)}


def told(name, *, before=None, after=None, note=""):
    cells = [name]
    for each in (before, after):
        if each is None:
            cells += ["", "", "", ""]
            continue
        time_ = f"{each['seconds']:.1f}" if each["code"] >= 0 else f"not ended after {args.limit:.0f}"
        if each["code"] not in (0, 1) and each["code"] >= 0:
            time_ += f" (ended with {each['code']})"
        cells += [time_, str(sum(each["counted"].values())), f"{each['down'] / 1e6:.1f}", f"{each['rss']:.0f}"]
    rows.append("| " + " | ".join([*cells, note]) + " |")
    print(rows[-1], flush=True)


def both(name, *arguments, fresh=None, note=""):
    """The same command by both, `fresh` makes its target anew."""
    seen = {}
    for which, program in programs.items():
        if fresh:
            fresh(which)
        seen[which] = run(program, *[str(a).replace("WHICH", which) for a in arguments])
        if seen[which]["code"] > 1:
            print(which, name, seen[which]["code"], seen[which]["said"][-300:], file=sys.stderr)
    told(name, **seen, note=note)


def signed(path):
    """The headers of a signed GET."""
    now = datetime.datetime.now(datetime.timezone.utc)
    day, stamp = now.strftime("%Y%m%d"), now.strftime("%Y%m%dT%H%M%SZ")
    empty = hashlib.sha256(b"").hexdigest()
    head = {"host": f"127.0.0.1:{port}", "x-amz-content-sha256": empty, "x-amz-date": stamp}
    canonical = "\n".join(["GET", path, "", *(f"{name}:{head[name]}" for name in sorted(head)), "", ";".join(sorted(head)), empty])
    scope = f"{day}/us-east-1/s3/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + SECRET).encode()
    for part in (day, "us-east-1", "s3", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    head["authorization"] = (f"AWS4-HMAC-SHA256 Credential={KEY}/{scope}, SignedHeaders={';'.join(sorted(head))}, "
                             f"Signature={signature}")
    return head


def download(key, name):
    """All objects below a key, 32 at a time."""
    root = bucket / key
    files = [root] if root.is_file() else [path for path in root.rglob("*") if path.is_file()]
    local = threading.local()

    def fetch(path):
        if not hasattr(local, "connection"):
            local.connection = http.client.HTTPConnection("127.0.0.1", port)
        target = urllib.parse.quote(f"/bucket/{path.relative_to(bucket)}")
        local.connection.request("GET", target, headers=signed(target))
        answer = local.connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{target}: {answer.status} {body[:200]}")

    began, at = time.monotonic(), here()
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        list(pool.map(fetch, files))
    seconds = time.monotonic() - began
    counted, down = requests_since(at)
    told(f"download {name}", after={"code": 0, "seconds": seconds, "counted": counted, "down": down, "rss": 0}, note="32 at a time")


def removed(path):
    return lambda which: shutil.rmtree(str(path).replace("WHICH", which), ignore_errors=True)


def reading():
    source = work / "image.ome.tif"
    subprocess.run([sys.executable, HERE / "make_input.py", source, "--mib", "96", "--side", "4096"], check=True)
    for key in ("image.ome.zarr",):
        shutil.rmtree(bucket / key, ignore_errors=True)
        subprocess.run([args.before, "convert", source, bucket / key, "--shard", "none"], check=True, stdout=subprocess.DEVNULL)
    store = "s3://bucket/image.ome.zarr"
    download("image.ome.zarr", "of the store")
    both("verify SOURCE STORE", "verify", source, store)
    both("verify STORE", "verify", store)
    both("verify STORE --sample 1%", "verify", store, "--sample", "1%")
    both("validate STORE", "validate", store)
    both("export STORE", "export", store, work / "WHICH.ome.tif", "--overwrite")
    both("copy STORE to disk", "copy", store, work / "WHICH.copied.ome.zarr", fresh=removed(work / "WHICH.copied.ome.zarr"))


def files():
    plane = (2000 + 100 * numpy.random.default_rng(1).standard_normal((64, 64))).astype("u2")
    metadata = {"axes": "TZYX"}
    contiguous, between = bucket / "contiguous.ome.tif", bucket / "between.ome.tif"
    pages = lambda: (plane + numpy.uint16(n % 500) for n in range(10000))
    with tifffile.TiffWriter(contiguous, ome=True) as writer:
        writer.write(pages(), shape=(100, 100, 64, 64), dtype="uint16", metadata=metadata, photometric="minisblack")
    with tifffile.TiffWriter(between, ome=True) as writer:
        writer.write(pages(), shape=(100, 100, 64, 64), dtype="uint16", metadata=metadata, photometric="minisblack", compression="zlib")
    for file, how in ((contiguous, "10,000 planes one after the other"), (between, "10,000 planes with directories between")):
        download(file.name, f"of {how}")
        both(f"inspect {how}", "inspect", f"s3://bucket/{file.name}")
        target = work / "WHICH.planes.ome.zarr"
        both(f"convert {how}", "convert", f"s3://bucket/{file.name}", target, fresh=removed(target))


def tasks():
    small = work / "small.ome.tif"
    tifffile.imwrite(small, numpy.zeros((180, 200), "u2"), ome=True)
    both("convert an image of 72 KB", "convert", small, "s3://bucket/WHICH.small.ome.zarr", fresh=removed(bucket / "WHICH.small.ome.zarr"))
    both("verify it", "verify", small, "s3://bucket/WHICH.small.ome.zarr")
    # Many objects: empty chunks of 64 x 64 samples, 65,536 at full resolution.
    many = work / "many.ome.tif"
    tifffile.imwrite(many, numpy.random.default_rng(2).integers(0, 9, (16384, 16384)).astype("u1"), tile=(512, 512), ome=True, compression="zlib")
    for which, program in programs.items():
        shutil.rmtree(bucket / f"{which}.many.ome.zarr", ignore_errors=True)
        planned = run(program, "plan", many, bucket / f"{which}.many.ome.zarr", "--chunk", "64", "--shard", "none")
        for number in range(1, 9):
            run(program, "run", many, bucket / f"{which}.many.ome.zarr", "--task", f"{number}/8")
        if planned["code"]:
            raise SystemExit(planned["said"])
    both("a ninth task, which has nothing to do", "run", many, "s3://bucket/WHICH.many.ome.zarr", "--task", "8/8")
    both("commit of 87,381 objects by 8 tasks", "commit", many, "s3://bucket/WHICH.many.ome.zarr")


def plates():
    source = work / "plate.ome.tif"
    subprocess.run([sys.executable, HERE / "make_input.py", source, "--plate", "384,9", "--side", "64", "--tile", "0"], check=True)
    for which, program in programs.items():
        shutil.rmtree(bucket / f"{which}.plate.ome.zarr", ignore_errors=True)
        subprocess.run([program, "convert", source, bucket / f"{which}.plate.ome.zarr", "--durability", "none"], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for command in (["inspect"], ["check"], ["validate"], ["verify", "--sample", "1%"]):
        both(f"{' '.join(command)} of 384 x 9 fields", command[0], "s3://bucket/WHICH.plate.ome.zarr", *command[1:])


try:
    for part in (reading, files, tasks, plates):
        if part.__name__.startswith(args.only):
            part()
finally:
    for child in children:
        child.kill()
        child.wait()
head = ["| | before: s | requests | MB | peak MiB | after: s | requests | MB | peak MiB | |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |"]
title = f"# {datetime.date.today()}, {platform.machine()}, {os.cpu_count()} cores: an object store at {1000 * args.delay:.0f} ms"
text = "\n".join([title, "", *head, *rows, ""])
if args.write:
    (HERE / "results" / args.write).write_text(text)
if not args.work:
    shutil.rmtree(work)
