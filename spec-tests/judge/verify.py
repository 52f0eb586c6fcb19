"""Runs docs/verify.py over a sample of a corpus: each file is converted, and the verifier that shares no code judges the store.

    python verify.py --bin FAIRZARR [--seed 1] [--files 40] CORPUS

Files that do not convert, or that tifffile reads in another way than OME-XML says, are counted and named; a digest or an
object of the manifest that differs is an error. Exits with 1 if there is any.
"""

import argparse
import random
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

VERIFIER = Path(__file__).resolve().parents[2] / "docs" / "verify.py"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--files", type=int, default=40)
    parser.add_argument("corpus", type=Path)
    options = parser.parse_args()
    files = sorted(f for f in options.corpus.rglob("*.tif*") if f.is_file() and f.stat().st_size < 4 << 20)
    chosen = random.Random(options.seed).sample(files, min(options.files, len(files)))
    counts, wrong = Counter(), []
    for n, file in enumerate(chosen):
        with tempfile.TemporaryDirectory() as folder:
            store = f"{folder}/s.zarr"
            version = ["0.4", "0.5", "0.6"][n % 3]
            convert = [options.bin, "convert", str(file), store, "--ngff", version, "--progress", "none"]
            if subprocess.run(convert, capture_output=True).returncode:
                counts["not converted"] += 1
                continue
            alone = subprocess.run([sys.executable, VERIFIER, store], capture_output=True, text=True)
            if alone.returncode:
                wrong.append(f"WRONG {file}: {(alone.stdout + alone.stderr)[-400:]}")
                continue
            both = subprocess.run([sys.executable, VERIFIER, file, store], capture_output=True, text=True)
            counts["source and store" if both.returncode == 0 else "store alone"] += 1
    print(*wrong, f"seed {options.seed}: {dict(counts)}, {len(wrong)} wrong", sep="\n")
    return bool(wrong) or not counts["source and store"]


if __name__ == "__main__":
    sys.exit(main())
