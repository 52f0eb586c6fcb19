#!/usr/bin/env python3
"""Object stores that fail: outages, silence, writers that come back late, and sources that change between a kill and --resume.

    python spec-tests/judge/cloud.py --bin target/release/fairzarr --server target/debug/examples/s3_server \
        --proxy ../shared/cases/cloud/proxy.py [--work DIR] [--only NAME]

An S3 server on this machine, behind a proxy that holds every request back and does to it what a file of settings says. A case is
right when the program ends as docs/exit-codes.md has it, what looks complete is proven against its source by another run, and
what does not look complete has no root document. Prints a line a case with the seconds it took, and ends with 1 if one is wrong.
Needs numpy and tifffile; the server is `cargo build -p fairzarr-store --example s3_server`. Takes some two minutes, most of it
waiting, several cases at the same time.
"""
import argparse, concurrent.futures, json, os, pathlib, shutil, signal, subprocess, sys, tempfile, threading, time

import numpy
import tifffile

from ports import free_port, until_listening

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--bin", required=True)
parser.add_argument("--server", required=True)
parser.add_argument("--proxy", required=True)
parser.add_argument("--work")
parser.add_argument("--only", help="cases whose names contain this")
args = parser.parse_args()
WORK = pathlib.Path(args.work or tempfile.mkdtemp(prefix="fairzarr-cloud-")).resolve()
BIN, SERVER, PROXY = (str(pathlib.Path(path).resolve()) for path in (args.bin, args.server, args.proxy))
# The signatures of a loaded machine's clock and the profiles of its user are no part of the cases.
CLEAN = {name: value for name, value in os.environ.items()
         if not name.startswith("AWS_") and not name.lower().endswith("_proxy") and name != "SSL_CERT_FILE"}


class Site:
    """A server with one bucket, and the proxy before it, of one case."""

    def __init__(self, name):
        self.home = WORK / name
        shutil.rmtree(self.home, ignore_errors=True)
        (self.home / "served" / "bucket").mkdir(parents=True)
        self.ports = free_port(), free_port()
        self.settings = self.home / "settings.json"
        self.children = {}
        self.fault("none")
        self.start_server()
        self.start_proxy()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for child in self.children.values():
            child.kill()
            child.wait()
        shutil.rmtree(self.home / "served")

    def fault(self, mode, **more):
        """What happens to requests from now on; 20 ms pass before each."""
        new = self.settings.with_suffix(".new")
        new.write_text(json.dumps({"delay": 0.02, "mode": mode, "p": 1, **more}))
        new.rename(self.settings)

    def start_server(self):
        served = [SERVER, str(self.ports[0]), str(self.home / "served")]
        self.children["server"] = subprocess.Popen(served, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until_listening(self.ports[0])

    def start_proxy(self):
        proxy = [sys.executable, PROXY, *map(str, (self.ports[1], self.ports[0], self.settings, self.home / "proxy.log"))]
        self.children["proxy"] = subprocess.Popen(proxy, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until_listening(self.ports[1])

    def stop(self, which):
        self.children[which].kill()
        self.children[which].wait()

    def start(self, *arguments):
        """The program, with this site's credentials."""
        keys = {"AWS_ACCESS_KEY_ID": "AKIDH", "AWS_SECRET_ACCESS_KEY": "SECRETH", "AWS_REGION": "us-east-1",
                "AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.ports[1]}"}
        return subprocess.Popen([BIN, *map(str, arguments)], env={**CLEAN, **keys}, stdin=subprocess.DEVNULL, text=True,
                                errors="replace", stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run(self, *arguments, limit=180):
        """Ends with the code that it ends with, or None if it does not end; what it printed; and its seconds."""
        began = time.monotonic()
        code, said = ended(self.start(*arguments), limit)
        return code, said, time.monotonic() - began

    def stored(self, key):
        return {str(path.relative_to(self.home / "served/bucket" / key))
                for path in (self.home / "served/bucket" / key).rglob("*") if path.is_file()}

    def until(self, key, part, count, limit=60):
        """Waits until so many objects below a key have this in their names."""
        began = time.monotonic()
        while sum(part in name for name in self.stored(key)) < count:
            if time.monotonic() - began > limit:
                raise Wrong(f"no {count} objects with {part} in {limit} s")
            time.sleep(0.02)


class Wrong(Exception):
    """What a case found that is not right."""


def ended(child, limit):
    try:
        said = child.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        child.kill()
        return None, "".join(child.communicate())
    return child.returncode, "".join(said)


def expect(code, outcome, what):
    if outcome[0] != code:
        raise Wrong(f"{what}: ended with {outcome[0]} instead of {code}: {outcome[1][-400:]}")


def proven(site, source, key, alike):
    """The store is proven against its source, and nothing is in it that the same conversion at rest does not make."""
    expect(0, site.run("verify", source, f"s3://bucket/{key}"), "verify")
    more = site.stored(key) ^ {str(path.relative_to(alike)) for path in pathlib.Path(alike).rglob("*") if path.is_file()}
    if more:
        raise Wrong(f"objects that are left or lacking: {sorted(more)[:5]}")


def made(name, seed=1, side=2560):
    path = WORK / name
    rng = numpy.random.default_rng(seed)
    tifffile.imwrite(path, rng.integers(0, 4000, (side, side)).astype("u2"), tile=(256, 256), metadata={"axes": "YX"}, ome=True)
    return path


def outage(seconds, begin, end):
    """A fault that lasts this long, some time into a conversion, is waited for."""
    def case(site):
        child = site.start("convert", MID, "s3://bucket/x.ome.zarr", "--shard", "none", "--chunk", "256", "--codec", "zstd-3")
        site.until("x.ome.zarr", "/c/", 4)
        begin(site)
        time.sleep(seconds)
        end(site)
        outcome = ended(child, 120)
        expect(0, outcome, f"an outage of {seconds} s")
        if seconds > 10 and "wait" not in outcome[1].lower() and "again" not in outcome[1].lower():
            raise Wrong(f"nothing is told of {seconds} s of waiting: {outcome[1][-300:]}")
        proven(site, MID, "x.ome.zarr", LIKE)
    return case


def refusing(site):
    site.fault("503")


def healed(site):
    site.fault("none")


def stall(command):
    """A server that accepts and answers nothing more ends the command in about the time that it may take, with its code."""
    def case(site):
        key = "s3://bucket/x.ome.zarr"
        given = {"convert": [MID, key, "--shard", "none", "--chunk", "256"], "copy": ["s3://bucket/y.ome.zarr", key],
                 "verify": [MID, "s3://bucket/y.ome.zarr"], "export": ["s3://bucket/y.ome.zarr", site.home / "x.tif"]}[command]
        if command != "convert":
            expect(0, site.run("convert", MID, "s3://bucket/y.ome.zarr", "--shard", "none", "--chunk", "256"), "convert")
        # So slow that no machine is done before the silence.
        site.fault("none", delay=0.3)
        began = time.monotonic()
        child = site.start(command, *given, "--retry-for", "8s")
        time.sleep(0.8)
        site.fault("stall", stall=10**5)
        outcome = ended(child, 90)
        took = time.monotonic() - began
        expect(11, outcome, f"silence after {took:.0f} s")
        if took > 40:
            raise Wrong(f"it took {took:.0f} s to give up, asked for 8")
        if (site.home / "served/bucket/x.ome.zarr/zarr.json").exists():
            raise Wrong("what was given up looks complete")
        if command == "convert":
            site.fault("none")
            expect(0, site.run("convert", *given, "--resume"), "--resume")
            proven(site, MID, "x.ome.zarr", LIKE)
    return case


def stopped(command):
    """SIGTERM is heeded within two seconds while nothing is answered, and a conversion goes on afterwards."""
    def case(site):
        expect(0, site.run("convert", MID, "s3://bucket/y.ome.zarr", "--shard", "none", "--chunk", "256"), "convert")
        given = {"convert": [MID, "s3://bucket/x.ome.zarr"], "copy": ["s3://bucket/y.ome.zarr", "s3://bucket/x.ome.zarr"],
                 "verify": [MID, "s3://bucket/y.ome.zarr"]}[command]
        site.fault("none", delay=0.3)
        child = site.start(command, *given)
        time.sleep(0.5)
        site.fault("stall", stall=10**5)
        time.sleep(1)
        child.send_signal(signal.SIGTERM)
        began = time.monotonic()
        expect(5, ended(child, 60), f"{command} at SIGTERM")
        if time.monotonic() - began > 2:
            raise Wrong(f"SIGTERM took {time.monotonic() - began:.1f} s")
    return case


def late_task(site):
    """A task that was stopped, taken over and comes back writes nothing into what another conversion has finished since."""
    key = "s3://bucket/x.ome.zarr"
    how = ["--shard", "none", "--chunk", "256"]
    expect(0, site.run("plan", MID, key, *how), "plan")
    late = site.start("run", MID, key, "--task", "1/1", "--jobs", "1")
    site.until("x.ome.zarr", "/c/", 3)
    late.send_signal(signal.SIGSTOP)
    try:
        expect(0, site.run("run", MID, key, "--task", "1/1", "--take-over"), "the task, taken over")
        expect(0, site.run("commit", MID, key, "--take-over"), "commit")
        expect(0, site.run("convert", OTHER, key, *how, "--codec", "zstd-3", "--overwrite"), "another conversion")
    finally:
        late.send_signal(signal.SIGCONT)
    expect(6, ended(late, 60), "the late task")
    proven(site, OTHER, "x.ome.zarr", OTHER_LIKE)
    expect(0, site.run("copy", key, "s3://bucket/copied.ome.zarr"), "copy")


def changed_source(site):
    """The same name and length with other samples, between a kill and --resume: refused, and nothing that looks complete."""
    source = site.home / "s.ome.tif"
    shutil.copy(MID, source)
    for target in ("s3://bucket/x.ome.zarr", str(site.home / "x.ome.zarr")):
        how = ["convert", source, target, "--jobs", "1", "--codec", "zstd-9", "--shard", "none", "--chunk", "256"]
        child = site.start(*how)
        if target.startswith("s3:"):
            site.until("x.ome.zarr", "/c/", 5)
        else:
            while child.poll() is None and not any((pathlib.Path(target) / "0/c").rglob("*")):
                time.sleep(0.002)
        child.kill()
        child.wait()
        shutil.copy(OTHER, source)
        assert source.stat().st_size == MID.stat().st_size
        expect(3, site.run(*how, "--resume"), f"--resume of another source at {target}")
        root = site.home / ("served/bucket/x.ome.zarr" if target.startswith("s3:") else "x.ome.zarr") / "zarr.json"
        if root.exists():
            raise Wrong(f"{target} looks complete")
        shutil.copy(MID, source)


def simultaneous(site):
    """Of eight that start at the same time one wins, never none, and what it makes is proven."""
    children = [site.start("convert", MID, "s3://bucket/x.ome.zarr", "--shard", "none", "--chunk", "256") for _ in range(8)]
    codes = [ended(child, 120)[0] for child in children]
    if codes.count(0) != 1 or not set(codes) <= {0, 8, 9, 10}:
        raise Wrong(f"ended with {codes}")
    proven(site, MID, "x.ome.zarr", LIKE)


def two_copies(site):
    """Of two copies of different stores to one place, one is refused."""
    for name, source in (("a", MID), ("b", OTHER)):
        expect(0, site.run("convert", source, f"s3://bucket/{name}.ome.zarr", "--shard", "none", "--chunk", "256"), "convert")
    children = [site.start("copy", f"s3://bucket/{name}.ome.zarr", "s3://bucket/x.ome.zarr") for name in "ab"]
    codes = [ended(child, 120)[0] for child in children]
    if codes.count(0) != 1:
        raise Wrong(f"ended with {codes}")
    proven(site, (MID, OTHER)[codes.index(0)], "x.ome.zarr", (LIKE, OTHER_LIKE)[codes.index(0)])


CASES = {
    "503 for 2 s": outage(2, refusing, healed),
    "503 for 30 s": outage(30, refusing, healed),
    "connections refused for 30 s": outage(30, lambda site: site.stop("proxy"), lambda site: site.start_proxy()),
    "server restarted under load": outage(3, lambda site: site.stop("server"), lambda site: site.start_server()),
    "silent server, convert": stall("convert"),
    "silent server, copy": stall("copy"),
    "silent server, verify": stall("verify"),
    "silent server, export": stall("export"),
    "stopped in silence, convert": stopped("convert"),
    "stopped in silence, copy": stopped("copy"),
    "stopped in silence, verify": stopped("verify"),
    "late task": late_task,
    "source changed before --resume": changed_source,
    "eight starts at once": simultaneous,
    "two copies to one place": two_copies,
}


def judged(name):
    began = time.monotonic()
    try:
        with Site(name.replace(" ", "-").replace(",", "")) as site:
            CASES[name](site)
        told = None
    except Wrong as wrong:
        told = str(wrong).replace("\n", " | ")
    print(f"{'WRONG' if told else 'right'} {name} ({time.monotonic() - began:.0f} s){': ' + told if told else ''}", flush=True)
    return told is None


WORK.mkdir(parents=True, exist_ok=True)
MID, OTHER = made("mid.ome.tif"), made("other.ome.tif", seed=2)
LIKE, OTHER_LIKE = WORK / "like.ome.zarr", WORK / "other-like.ome.zarr"
for made_of, like in ((MID, LIKE), (OTHER, OTHER_LIKE)):
    shutil.rmtree(like, ignore_errors=True)
    subprocess.run([BIN, "convert", made_of, like, "--shard", "none", "--chunk", "256"], check=True, stdout=subprocess.DEVNULL)
chosen = [name for name in CASES if args.only is None or args.only in name]
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    outcomes = list(pool.map(judged, chosen))
print(f"{sum(outcomes)} of {len(outcomes)} cases of object stores that fail are right")
sys.exit(0 if outcomes and all(outcomes) else 1)
