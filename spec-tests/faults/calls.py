"""Fails calls of the system, one run after another: reading, writing, renaming, and all else that a machine can refuse.

    python calls.py --bin FAIRZARR [--seed 1] [--faults 60]

Needs numpy, tifffile and strace. Conversions of several kinds, `--overwrite`, verify, copy, export, embed, upgrade and migrate run with
one call (or all from one on) failing, drawn from the seed: EIO, ENOSPC, EINTR, ESTALE and what else that call can answer. Each has to
end with the bytes of an undisturbed run, or with a documented exit code and a sentence; then what is at the target must not look
complete unless it is, and the same command, with `--resume` where there is one, must end with the same bytes. `verify` must not pass
what is damaged nor call a sound store different. Prints a line for each run that went wrong, and the counts; the exit code is 1 if
anything was wrong.
"""

import argparse
import collections
import hashlib
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
import tifffile

READING = ("EIO", "EINTR", "ESTALE")
CALLS = {
    "write": ("ENOSPC", "EIO", "EDQUOT", "EINTR", "ESTALE"),
    "pwrite64": ("ENOSPC", "EIO", "EINTR"),
    "read": READING,
    "pread64": READING,
    "openat": ("EMFILE", "EACCES", "ENOSPC", "EIO", "EROFS", "EINTR", "ESTALE"),
    # Of a directory that cannot be closed the standard library of Rust makes an abort.
    "close": ("EINTR",),
    "rename": ("EIO", "ENOSPC", "ESTALE"),
    "renameat2": ("EIO", "ENOSPC", "EINVAL"),
    "link": ("EPERM", "EIO", "EMLINK"),
    "linkat": ("EPERM", "EIO", "ENOSPC"),
    "mkdir": ("ENOSPC", "EACCES", "EIO"),
    "unlink": ("EIO", "EACCES", "ESTALE"),
    "unlinkat": ("EIO", "EACCES"),
    "rmdir": ("EIO", "EBUSY"),
    "syncfs": ("EIO", "ENOSPC", "ENOSYS"),
    "fsync": ("EIO", "ENOSPC"),
    "fdatasync": ("EIO", "ENOSPC"),
    "ftruncate": ("EIO", "ENOSPC"),
    "flock": ("ENOLCK", "EINTR", "EOPNOTSUPP"),
    "statx": ("EIO", "EACCES", "ESTALE"),
    "newfstatat": ("EIO", "ESTALE"),
    "getdents64": ("EIO", "ESTALE"),
    "lseek": ("EIO",),
    "copy_file_range": ("EIO", "ENOSPC"),
    "clone3": ("EAGAIN",),
}
INPUT, OUTPUT, SOME_FAILED = 3, 4, 7
# The program was not loaded: that is before it.
NOT_STARTED = 127
SECONDS = 120


def digests(path):
    """What is at a place: of a folder every file, without the state of a migration, which has times in it."""
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    files = (file for file in sorted(path.rglob("*")) if file.is_file())
    return {str(file.relative_to(path)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files if "fairzarr-migration" not in file.name}


def other(target, whole, what):
    """In which files a target differs from what an undisturbed run leaves; nothing where in none."""
    found = digests(target)
    if found == whole or not isinstance(found, dict):
        return None if found == whole else f"{what}, with other bytes"
    # Whoever comes next takes away a lock that nobody holds.
    files = [file for file in sorted({*found, *whole}) if found.get(file) != whole.get(file) and not file.endswith(".fairzarr/lock")]
    return f"{what}, but for {files}" if files else None


class Bench:
    """A folder with sources, sound stores, and the place where every run writes."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.source, self.place = folder / "a.ome.tif", folder / "place"
        draw = numpy.random.default_rng(1)
        samples = draw.integers(0, 900, (2, 2, 96, 100)).astype("uint16")
        tifffile.imwrite(self.source, samples, ome=True, metadata={"axes": "CZYX"}, tile=(32, 32), compression="zlib")
        archive = folder / "archive"
        archive.mkdir()
        for name in "bc":
            tifffile.imwrite(archive / f"{name}.ome.tif", samples[:, :1], ome=True, metadata={"axes": "CZYX"})
        sidecar = '<NBO:OME xmlns:NBO="http://www.NamespaceTest.org/Schemas/NBO/2020-11"><NBO:Image ID="Image:1" Name="a" AcquisitionDate="2024-03-14"/></NBO:OME>'
        (folder / "sidecar.xml").write_text(sidecar)
        self.run("convert", self.source, folder / "good.zarr", "--chunk", "48")
        self.run("convert", self.source, folder / "old.zarr", "--chunk", "48", "--ngff", "0.4")
        self.run("convert", archive / "b.ome.tif", folder / "other.zarr")
        shutil.copytree(folder / "good.zarr", folder / "bad.zarr")
        chunk = next(file for file in sorted((folder / "bad.zarr/0/c").rglob("*")) if file.is_file())
        damaged = bytearray(chunk.read_bytes())
        damaged[len(damaged) // 2] ^= 1
        chunk.write_bytes(damaged)
        convert = ("convert", self.source)
        store, archived, tiff = self.place / "o.zarr", self.place / "o.ozx", self.place / "o.ome.tif"
        # What runs, where it writes, what is there before, and the words with which it goes on.
        self.commands = {
            "convert": ((*convert, store, "--chunk", "48"), store, None, ("--resume",)),
            "each": ((*convert, store, "--ngff", "0.4", "--durability", "each"), store, None, ("--resume",)),
            "shard": ((*convert, store, "--chunk", "24", "--shard", "48"), store, None, ("--resume",)),
            "ozx": ((*convert, archived, "--chunk", "48"), archived, None, ("--resume",)),
            "checksum": ((*convert, store, "--source-checksum", "sha256", "--jobs", "1"), store, None, ("--resume",)),
            "overwrite": ((*convert, store, "--chunk", "48", "--overwrite"), store, "other.zarr", ()),
            "copy": (("copy", folder / "good.zarr", store), store, None, ("--resume",)),
            "pack": (("copy", folder / "good.zarr", archived), archived, None, ("--resume",)),
            "export": (("export", folder / "good.zarr", tiff), tiff, None, ()),
            "embed": (("embed", store, "--nbo", folder / "sidecar.xml"), store, "good.zarr", ()),
            "upgrade": (("upgrade", store), store, "old.zarr", ()),
            "migrate": (("migrate", archive, self.place / "m"), self.place / "m", None, ()),
            "verify": (("verify", self.source, folder / "good.zarr"), None, None, ()),
            "verify a damaged store": (("verify", self.source, folder / "bad.zarr"), None, None, ()),
        }

    def run(self, *words, traced=()):
        """A command, with what strace does to it."""
        line = [*traced, self.program, *words]
        return subprocess.run([str(word) for word in line], capture_output=True, text=True, errors="replace", timeout=SECONDS, cwd=self.folder)

    def prepare(self, name):
        shutil.rmtree(self.place, ignore_errors=True)
        self.place.mkdir()
        _, target, before, _ = self.commands[name]
        if before:
            shutil.copytree(self.folder / before, target)

    def undisturbed(self, name):
        """What a command leaves, its exit code, and how often it makes each call."""
        self.prepare(name)
        words, target, _, _ = self.commands[name]
        counts = self.folder / "counts"
        done = self.run(*words, traced=("strace", "-f", "-c", "-U", "name,calls", "-o", counts))
        columns = (line.split() for line in counts.read_text().splitlines())
        calls = {line[0]: int(line[1]) for line in columns if len(line) == 2 and line[0] in CALLS and line[1].isdigit()}
        return digests(target) if target else None, done.returncode, calls

    def judge(self, name, done, whole, code, is_mute):
        """What is wrong with a run whose calls failed; nothing where all is as it should be."""
        words, target, before, resume = self.commands[name]
        told = done.stderr.strip()
        if done.returncode == code:
            return other(target, whole, "says that it is done") if target else None
        if done.returncode not in (INPUT, OUTPUT) and not (name == "migrate" and done.returncode == SOME_FAILED):
            return f"exit code {done.returncode}, expected {code}, {INPUT} or {OUTPUT}"
        if not told and not is_mute:
            return "failed without a word"
        # Nothing may be left to do but to say so, or to flush it to the disk.
        if target is None or target.exists() and digests(target) == whole:
            return None
        if target.is_file():
            return "failed, and something else is there"
        if target.is_dir() and name != "migrate" and any((target / root).exists() for root in ("zarr.json", ".zattrs")):
            sources = [self.source] + ([self.folder / "archive/b.ome.tif"] if name == "overwrite" else [])
            if all(self.run("verify", source, target).returncode for source in sources) and name not in ("embed", "upgrade"):
                return "failed, and what is there looks complete and is not"
        again = self.run(*words, *resume)
        if again.returncode not in (0, 9):
            return f"cannot be finished: {again.returncode} {again.stderr.strip()}"
        if fault := other(target, whole, "finished"):
            return fault
        left = [path.name for path in self.place.iterdir() if path != target]
        return f"left {left}" if left else None


def asked(what, how_many):
    """The program, so many faults as are asked for by the option `what`, and the numbers that they are drawn from."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(f"--{what}", type=int, default=how_many, dest="count")
    args = parser.parse_args()
    return Path(args.bin).resolve(), args.count, random.Random(args.seed)


def traced(call, fault):
    """The words before a command that make this of its calls."""
    return "strace", "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:{fault}"


def main():
    program, faults, draw = asked("faults", 60)
    counts, wrong = collections.Counter(), 0
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(program, Path(folder))
        known = {}
        for _ in range(faults):
            name = draw.choice(list(bench.commands))
            if name not in known:
                known[name] = bench.undisturbed(name)
            whole, code, calls = known[name]
            call = draw.choice(sorted(calls))
            error, at = draw.choice(CALLS[call]), draw.randint(1, calls[call])
            # A call that goes on being interrupted is one that never ends.
            lasting = draw.random() < 0.3 and error != "EINTR"
            when = f"{at}+" if lasting else str(at)
            bench.prepare(name)
            try:
                done = bench.run(*bench.commands[name][0], traced=traced(call, f"error={error}:when={when}"))
                fault = bench.judge(name, done, whole, code, lasting and call == "write")
                said = done.stderr.strip()
            except subprocess.TimeoutExpired:
                done, fault, said = None, f"not done after {SECONDS} s", ""
            if done is not None and done.returncode == NOT_STARTED:
                continue
            counts[call] += 1
            if fault:
                wrong += 1
                print(f"{name}: {call} {when} {error}: {fault}\n    {said[:400]}", flush=True)
    print(f"{sum(counts.values())} faults, {wrong} wrong:", ", ".join(f"{call} {count}" for call, count in sorted(counts.items())))
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main())
