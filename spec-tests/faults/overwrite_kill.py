"""Kills `convert --overwrite` at every call of a kind, by strace. At any moment the old or the new store must open whole, and the
same command run again must end with the bytes of an undisturbed conversion, and with nothing beside it.

usage: overwrite_kill.py FAIRZARR OLD.ome.tiff NEW.ome.tiff [EVERY] (each EVERY-th call, default all; needs strace)
"""

import collections
import hashlib
import pathlib
import shutil
import subprocess
import sys
import tempfile

CALLS = ("renameat2", "rename", "unlink", "rmdir", "mkdir", "openat", "write", "syncfs", "flock", "link")


def tree(path):
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    return {str(f.relative_to(path)): hashlib.sha256(f.read_bytes()).hexdigest() for f in path.rglob("*") if f.is_file()}


def main():
    program, old, new = sys.argv[1:4]
    every = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    failed, counts = 0, collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for ending in ("zarr", "ozx"):
            first, whole, target = (folder / f"{name}.{ending}" for name in ("first", "whole", "x"))
            convert = [program, "convert", "--progress", "none", "--jobs", "1", "--chunk", "64"]

            def run(*words):
                return subprocess.run([str(word) for word in words], capture_output=True, text=True, errors="replace")

            assert run(*convert, old, first).returncode == 0
            assert run(*convert, new, whole).returncode == 0
            before, after = tree(first), tree(whole)

            def prepare():
                for left in folder.glob(f"*x.{ending}*"):
                    shutil.rmtree(left) if left.is_dir() else left.unlink()
                shutil.copytree(first, target) if first.is_dir() else shutil.copy(first, target)

            overwrite = [*convert, new, target, "--overwrite"]
            for call in CALLS:
                n = 1
                while True:
                    prepare()
                    done = run("strace", "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={n}", *overwrite)
                    if done.returncode == 0:
                        break
                    counts[ending, call] += 1
                    places = [target, folder / f".x.{ending}.fairzarr-new", folder / f".x.{ending}.fairzarr-old"]
                    proofs = [run(program, "verify", source, place).returncode for source in (old, new) for place in places]
                    again = run(*overwrite)
                    left = [path.name for path in folder.glob(f".*x.{ending}*")]
                    if 0 not in proofs[0::3] or again.returncode != 0 or tree(target) != after or left:
                        failed += 1
                        print(f"{ending}: killed at {call} {n}: proofs {proofs}, again {again.returncode} {again.stderr.strip()}, left {left}")
                    n += every
            assert before
    print(f"{sum(counts.values())} kills, {failed} failed:", ", ".join(f"{a} {b} {n}" for (a, b), n in sorted(counts.items())))
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
