"""Kills `convert --overwrite` at calls of the system, by strace. At any moment the old or the new store must open whole, and the same
command run again must end with the bytes of an undisturbed conversion, and with nothing beside it.

    python overwrite_kill.py --bin FAIRZARR [--seed 1] [--kills 30]

Needs numpy, tifffile and strace. Which call ends the process is drawn from the seed: any that changes a name, or writes. Prints a line
for each kill that went wrong, and the counts; the exit code is 1 if anything was wrong.
"""

import collections
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
import tifffile

from calls import asked, digests, traced

CALLS = ("renameat2", "rename", "unlink", "unlinkat", "rmdir", "mkdir", "openat", "write", "syncfs", "flock", "link", "linkat")
ENDINGS = ("zarr", "ozx")


class Bench:
    """Two sources, the store of each, and the place where the one takes the other's."""

    def __init__(self, program, folder):
        self.folder = folder
        self.place = folder / "place"
        self.program = program
        draw = numpy.random.default_rng(1)
        for name, shape in (("old", (2, 80, 90)), ("new", (3, 96, 100))):
            samples = draw.integers(0, 900, shape).astype("uint16")
            tifffile.imwrite(folder / f"{name}.ome.tif", samples, ome=True, metadata={"axes": "ZYX"}, compression="zlib")
        for ending in ENDINGS:
            for name in ("old", "new"):
                made = self.run("convert", folder / f"{name}.ome.tif", folder / f"{name}.{ending}", "--chunk", "64")
                assert made.returncode == 0, made.stderr

    def run(self, *words, traced=()):
        return subprocess.run([str(word) for word in (*traced, self.program, *words)], capture_output=True, text=True, errors="replace")

    def overwrite(self, ending, traced=()):
        words = ("convert", self.folder / "new.ome.tif", self.place / f"x.{ending}", "--chunk", "64", "--jobs", "1", "--overwrite")
        return self.run(*words, traced=traced)

    def prepare(self, ending):
        """Only the old store is there."""
        shutil.rmtree(self.place, ignore_errors=True)
        self.place.mkdir()
        old, target = self.folder / f"old.{ending}", self.place / f"x.{ending}"
        shutil.copytree(old, target) if old.is_dir() else shutil.copy(old, target)

    def counts(self, ending):
        """How often an undisturbed run makes each call."""
        self.prepare(ending)
        told = self.folder / "counts"
        done = self.overwrite(ending, ("strace", "-f", "-c", "-U", "name,calls", "-o", told))
        assert done.returncode == 0, done.stderr
        columns = (line.split() for line in told.read_text().splitlines())
        return {line[0]: int(line[1]) for line in columns if len(line) == 2 and line[0] in CALLS}

    def judge(self, ending):
        """What is wrong after a kill; nothing where all is as it should be."""
        target = self.place / f"x.{ending}"
        # While two directories change places where nothing can exchange them, the old one is aside.
        places = [target, self.place / f".x.{ending}.fairzarr-old"]
        sources = [self.folder / f"{name}.ome.tif" for name in ("old", "new")]
        if not any(place.exists() and self.run("verify", source, place).returncode == 0 for place in places for source in sources):
            return "neither store is whole"
        again = self.overwrite(ending)
        if again.returncode:
            return f"cannot be finished: {again.returncode} {again.stderr.strip()}"
        if digests(target) != digests(self.folder / f"new.{ending}"):
            return "finished with other bytes"
        left = [path.name for path in self.place.iterdir() if path != target]
        return f"left {left}" if left else None


def main():
    program, kills, draw = asked("kills", 30)
    done, wrong = collections.Counter(), 0
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(program, Path(folder))
        counts = {ending: bench.counts(ending) for ending in ENDINGS}
        for _ in range(kills):
            ending = draw.choice(ENDINGS)
            call = draw.choice(sorted(counts[ending]))
            at = draw.randint(1, counts[ending][call])
            bench.prepare(ending)
            bench.overwrite(ending, traced(call, f"signal=KILL:when={at}"))
            done[ending, call] += 1
            if fault := bench.judge(ending):
                wrong += 1
                print(f"{ending}: killed at {call} {at}: {fault}", flush=True)
    print(f"{sum(done.values())} kills, {wrong} wrong:", ", ".join(f"{ending} {call} {n}" for (ending, call), n in sorted(done.items())))
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main())
