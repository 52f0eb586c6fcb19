#!/usr/bin/env python3
"""Conversion straight to an S3 server on this machine, against upload of the same objects by the object_store client
alone, at equal concurrency, in turns; once as fast as the machine goes, once over a line of limited rate.

python3 benches/upload.py [--work DIR] [--mib 256] [--runs 5] [--rate 40] [--write]
Needs numpy and tifffile (for the input), and release builds:
cargo build --release -p fairzarr && cargo bench --no-run -p fairzarr-store --bench upload

Over the limited line, throughput shows whether uploads overlap with the work. Without a limit it says little: server,
converter and client share the machine's cores, the server hashes every byte, and decoding and compressing take turns with
that. What can be told there is whether straight to the server costs more CPU time than its two halves, a conversion to
memory and an upload by the client alone, and whether the cores were ever left idle.
"""
import argparse
import datetime
import os
import pathlib
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--work", default=None)
parser.add_argument("--target", default=os.environ.get("CARGO_TARGET_DIR", HERE.parent / "target"))
parser.add_argument("--mib", type=int, default=256)
parser.add_argument("--runs", type=int, default=5)
parser.add_argument("--rate", type=float, default=40, help="MB/s of the limited line")
parser.add_argument("--memory", default="256M")
parser.add_argument("--bench", help="the built bench, if it is not the newest below the target directory")
parser.add_argument("--write", action="store_true")
args = parser.parse_args()

work = pathlib.Path(args.work or tempfile.mkdtemp(prefix="fairzarr-upload-"))
work.mkdir(parents=True, exist_ok=True)
release = pathlib.Path(args.target) / "release"
fairzarr = str(release / "fairzarr")
bench = args.bench or str(max((p for p in (release / "deps").glob("upload-*") if os.access(p, os.X_OK) and not p.suffix),
                key=lambda p: p.stat().st_mtime))


class Line:
    """A proxy that lets so many bytes a second through to the server, over all connections together."""

    def __init__(self, server, rate):
        self.server, self.rate, self.free, self.lock = server, rate, time.monotonic(), threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            server = socket.create_connection(self.server)
            for source, sink, limited in [(client, server, True), (server, client, False)]:
                threading.Thread(target=self.move, args=(source, sink, limited), daemon=True).start()

    def move(self, source, sink, limited):
        try:
            while data := source.recv(1 << 16):
                if limited:
                    with self.lock:
                        self.free = max(self.free, time.monotonic()) + len(data) / self.rate
                        pause = self.free - time.monotonic()
                    if pause > 0.001:
                        time.sleep(pause)
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass


class Server:
    """A server of its own for each measurement: listings of s3s-fs cost as much as the bucket holds."""

    def __init__(self, rate):
        self.child = subprocess.Popen([bench, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.address = self.child.stdout.readline().strip()
        host, port = self.address.rsplit(":", 1)
        if rate:
            self.address = Line((host, int(port)), rate * 1e6).address

    def end(self):
        """CPU seconds that it took. It removes its data."""
        self.child.stdin.close()
        _, _, usage = os.wait4(self.child.pid, 0)
        return usage.ru_utime + usage.ru_stime


def run(command, address=""):
    """Wall seconds, CPU seconds and peak MiB of a process."""
    environment = {**os.environ, "AWS_ENDPOINT_URL": f"http://{address}", "AWS_ACCESS_KEY_ID": "AKIATEST",
                   "AWS_SECRET_ACCESS_KEY": "a secret for tests", "AWS_REGION": "us-east-1"}
    start = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"{command} ended with status {status}")
    return time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def medians(rows):
    return [statistics.median(column) for column in zip(*rows)]


source = work / "source.ome.tiff"
if not source.exists():
    subprocess.run([sys.executable, HERE / "make_input.py", source, "--mib", str(args.mib)], check=True)
local = work / "local.ome.zarr"
shutil.rmtree(local, ignore_errors=True)
subprocess.run([fairzarr, "convert", source, local], check=True, stdout=subprocess.DEVNULL)
files = [p for p in local.rglob("*") if p.is_file()]
size = sum(p.stat().st_size for p in files) / 1e6

memory = pathlib.Path("/dev/shm") / f"fairzarr-upload-{os.getpid()}.ome.zarr"
lines = []
for name, rate in [("no limit", None), (f"{args.rate:g} MB/s", args.rate)]:
    figures = {"convert": [], "client alone": [], "convert to memory": []}
    for turn in range(args.runs + 1):
        convert = [fairzarr, "convert", str(source)]
        for kind, command in [
            ("convert", [*convert, "s3://bucket/x.ome.zarr", "--memory", args.memory]),
            ("client alone", None),
            ("convert to memory", [*convert, str(memory), "--memory", args.memory, "--durability", "none"]),
        ]:
            if kind == "convert to memory":
                measured = (*run(command), 0)
                shutil.rmtree(memory)
            else:
                server = Server(rate)
                measured = run(command or [bench, "files", server.address, str(local)], server.address)
                measured = (*measured, server.end())
            if turn:
                figures[kind].append(measured)
    figures = {kind: medians(rows) for kind, rows in figures.items()}
    for kind, (wall, cpu, peak, server) in figures.items():
        lines.append(f"| {name}: {kind} | {wall:.2f} | {size / wall:.0f} | {cpu:.2f} | {server:.2f} | {peak:.0f} |")
    ours, client, local_only = (figures[kind] for kind in ("convert", "client alone", "convert to memory"))
    lines.append(f"| {name}: throughput, convert / client alone | | {100 * client[0] / ours[0]:.0f} % | | | |")
    halves = 100 * ours[1] / (client[1] + local_only[1])
    lines.append(f"| {name}: CPU time, convert / (client alone + convert to memory) | | | {halves:.0f} % | | |")
    if not rate:
        busy = 100 * (ours[1] + ours[3]) / (ours[0] * os.cpu_count())
        lines.append(f"| {name}: cores at work for converter and server | | | {busy:.0f} % | | |")

title = (f"# {datetime.date.today()}, {platform.machine()}, {os.cpu_count()} cores: {args.mib} MiB of pixels to "
         f"{len(files)} objects of {size:.0f} MB, --memory {args.memory}, median of {args.runs}")
text = "\n".join([title, "", "| | wall s | MB/s of objects | CPU s | CPU s of the server | peak MiB |",
                  "| --- | ---: | ---: | ---: | ---: | ---: |",
                  *lines, ""])
print(text)
if args.write:
    (HERE / "results" / f"{datetime.date.today()}-upload.md").write_text(text)
