"""What `compare_binaries.py` does with each kind of input: commands, in the order in which a user would type them.

A step is a command line of the program, or one that starts with `@` and changes what the steps before have made.
`{in}` is the input; `{sample}`, `{microscope}`, `{settings}` and `{psf}` are files of this repository; every other path is
relative to an empty folder that each scenario starts in. All that lies in that folder at the end is compared.
"""

import dataclasses

TIFF, DOCUMENT, STORE, NOTHING = "tiff", "document", "store", "nothing"


@dataclasses.dataclass(frozen=True)
class Scenario:
    """Steps for one kind of input."""

    name: str
    kind: str
    steps: tuple


def convert(options="", target="out.zarr"):
    """A conversion of the input. The disk is not waited for: nothing of that can be seen in the store."""
    return f"convert {{in}} {target} --durability none {options}"


EVIDENCE = "--nbo {microscope} --nbo {settings}"
EXTRACTS = ("ome-xml", "original", "json", "nbo-xml", "nbo-json", "micro-meta")


def read(store):
    """Every command that only reads a store."""
    return [
        f"inspect {store}",
        f"inspect {store} --json",
        f"inspect {store} --metadata",
        *(f"extract {store} --as {form}" for form in EXTRACTS),
        f"check {store} --all",
        f"check {store} --tier 3 --extension all --level should --json",
        f"qc {store}",
        f"qc {store} --json",
        f"qc {store} --require OpticalCalibration",
        f"methods {store}",
        f"methods {store} --as markdown",
    ]


def tiff():
    """Scenarios for an OME-TIFF, good or bad."""
    yield "inspect-source", [
        "inspect {in}",
        "inspect {in} --json",
        "inspect {in} --metadata",
        "check {in} --all",
        "methods {in}",
    ]
    yield "default", [convert(), "verify {in} out.zarr", "verify out.zarr", "validate out.zarr"]
    yield "read", [convert(), *read("out.zarr")]
    yield "json", [
        convert("--json"),
        "verify {in} out.zarr --json",
        "verify out.zarr --json",
        "validate out.zarr --json",
        "verify {in} out.zarr --sample 30%",
    ]
    for version in ("0.4", "0.6"):
        yield f"ngff-{version}", [
            convert(f"--ngff {version}"),
            "verify {in} out.zarr",
            "verify out.zarr",
            "validate out.zarr",
            *read("out.zarr"),
        ]
    yield "bioformats2raw", [convert("--layout bioformats2raw"), "verify {in} out.zarr", "inspect out.zarr"]
    yield "bioformats2raw-0.4", [convert("--layout bioformats2raw --ngff 0.4"), "validate out.zarr", "inspect out.zarr"]
    yield "layout-image", [convert("--layout image"), "validate out.zarr"]
    yield "sharded", [convert("--chunk 64,32 --shard 256,128 --preset small"), "verify {in} out.zarr", "verify out.zarr"]
    yield "sharded-0.6", [convert("--chunk 64 --shard 256 --ngff 0.6 --codec zstd-3"), "verify out.zarr", "validate out.zarr"]
    yield "unsharded", [convert("--chunk 100,130 --shard none --omit-empty"), "verify {in} out.zarr", "verify out.zarr"]
    yield "fast", [convert("--preset fast"), "verify {in} out.zarr"]
    yield "source-chunks", [convert("--chunk source"), "verify {in} out.zarr", "inspect out.zarr --json"]
    yield "source-chunks-0.4", [convert("--chunk source --ngff 0.4"), "verify {in} out.zarr", "validate out.zarr"]
    yield "source-levels", [convert("--chunk source --pyramid source"), "verify {in} out.zarr", "verify out.zarr"]
    yield "levels-encoded", [convert("--pyramid source --chunk 128"), "verify {in} out.zarr"]
    yield "no-decode", [convert("--chunk source --no-decode"), "verify {in} out.zarr", "verify out.zarr", "inspect out.zarr"]
    yield "no-pyramid", [convert("--pyramid none --codec none"), "verify {in} out.zarr"]
    for codec in ("gzip-6", "zstd-1-nochecksum", "blosc-lz4hc-9-noshuffle", "blosc-zlib-3-shuffle", "blosc-blosclz-5-bitshuffle"):
        yield f"codec-{codec}", [convert(f"--codec {codec} --pyramid none"), "verify out.zarr"]
    yield "codec-zlib", [convert("--codec zlib-6 --ngff 0.4 --pyramid none"), "verify out.zarr"]
    yield "bit-bool", [convert("--bit bool"), "verify {in} out.zarr", "inspect out.zarr"]
    yield "missing-filled", [convert("--on-missing fill --json"), "verify {in} out.zarr", "inspect out.zarr"]
    yield "checksums", [
        convert("--source-checksum blake3"),
        "verify {in} out.zarr",
        convert("--source-checksum none --overwrite"),
        "verify {in} out.zarr",
    ]
    yield "little-memory", [convert("--memory 1M --jobs 2"), "verify {in} out.zarr"]
    yield "dry-run", [convert("--dry-run"), convert("--dry-run --json --chunk source"), convert("--dry-run --shard 512 --chunk 128")]
    yield "nbo", [
        convert(f"{EVIDENCE} --policy materials-and-methods --policy-level warn"),
        *read("out.zarr"),
        "verify {in} out.zarr",
        "verify out.zarr",
    ]
    yield "nbo-0.4-images", [convert(f"{EVIDENCE} --nbo {{psf}} --ngff 0.4 --layout bioformats2raw"), *read("out.zarr")]
    yield "policy-refuses", [convert("--policy materials-and-methods --policy-level refuse")]
    yield "sidecars-auto", [convert("--sidecars auto"), "extract out.zarr --as nbo-json"]
    yield "split", [
        "plan {in} out.zarr --chunk 128",
        "run {in} out.zarr --task 2/3 --durability none",
        "commit {in} out.zarr",
        "run {in} out.zarr --task 1/3 --durability none",
        "run {in} out.zarr --task 1/3 --durability none --chunk 64",
        "run {in} out.zarr --task 3/3 --durability none",
        "commit {in} out.zarr --durability none",
        "verify {in} out.zarr",
    ]
    yield "split-nbo", [
        f"plan {{in}} out.zarr --json --ngff 0.6 --chunk 64 --shard 128 {EVIDENCE}",
        "run {in} out.zarr --task 2/2 --durability none",
        "run {in} out.zarr --task 1/2 --durability none --jobs 1",
        "commit {in} out.zarr --json --durability none",
    ]
    yield "refused", [
        convert(),
        convert(),
        convert("--resume"),
        convert("--chunk 64 --overwrite"),
        "run {in} out.zarr --task 1/1",
        "commit {in} out.zarr",
        "plan {in} out.zarr",
    ]
    yield "archive", [
        convert(target="out.ozx"),
        "verify {in} out.ozx",
        "verify out.ozx",
        "inspect out.ozx",
        convert(target="out.ozx"),
        "copy out.ozx out.zarr --durability none",
    ]
    yield "copy", [
        convert(),
        "copy out.zarr b.zarr --durability none",
        "copy out.zarr c.ozx --json --durability none",
        "copy c.ozx d.zarr --verify size --durability none",
        "copy out.zarr b.zarr",
        "@remove-object b.zarr",
        "copy out.zarr b.zarr --resume --durability none",
    ]
    yield "export", [
        convert(),
        "export out.zarr back.ome.tiff",
        "verify back.ome.tiff out.zarr",
        "export out.zarr back.ome.tiff",
        "export out.zarr plain.ome.tiff --compression none --no-pyramid --json",
        "inspect plain.ome.tiff",
        "export out.zarr zstd.ome.tiff --compression zstd --overwrite",
    ]
    yield "export-0.4", [convert("--ngff 0.4 --chunk 100"), "export out.zarr back.ome.tiff", "inspect back.ome.tiff --metadata"]
    yield "embed", [
        convert("--ngff 0.4"),
        "embed out.zarr --nbo {microscope} --qc {psf}",
        "embed out.zarr --nbo {settings} --json",
        *read("out.zarr"),
        "verify out.zarr",
        "validate out.zarr",
    ]
    yield "embed-and-remove", [
        convert("--layout bioformats2raw"),
        "embed out.zarr --nbo {microscope} --nbo {settings} --qc {psf} --json",
        "verify {in} out.zarr",
        "embed out.zarr --remove",
        "embed out.zarr --remove",
        "verify out.zarr",
    ]
    yield "damaged-object", [convert("--chunk 64"), "@damage-object out.zarr", "verify {in} out.zarr", "verify out.zarr"]
    yield "lost-object", [convert("--chunk 64"), "@remove-object out.zarr", "verify {in} out.zarr", "verify out.zarr", "export out.zarr x.ome.tiff"]
    yield "damaged-metadata", [convert(), "@damage-metadata out.zarr", "verify {in} out.zarr", "verify out.zarr", "validate out.zarr", "inspect out.zarr"]


def document():
    """Scenarios for a document on microscope, acquisition or quality control, or something that only looks like one."""
    sample = "convert {sample} out.zarr --durability none --pyramid none --codec none --source-checksum none"
    yield "document-alone", [
        "check {in} --all",
        "check {in} --tier 2 --extension basic --level should --json",
        "check {in} {microscope} --policy materials-and-methods",
        "methods {in}",
        "methods {in} --as markdown",
    ]
    yield "document-converted", [f"{sample} --nbo {{in}} --policy baseline --policy-level warn", *read("out.zarr"), "verify out.zarr"]
    yield "document-embedded", [
        sample,
        "embed out.zarr --nbo {in} --qc {in} --json",
        "embed out.zarr --nbo {microscope}",
        *read("out.zarr"),
        "verify out.zarr",
    ]
    yield "document-taken-out", [sample, "embed out.zarr --nbo {in}", "embed out.zarr --remove --json", "verify out.zarr"]


def store():
    """Scenarios for an OME-Zarr of any origin."""
    yield "store-read", ["validate {in}", "validate {in} --json", "verify {in}", "verify {in} --json", *read("{in}")]
    yield "store-copied", ["copy {in} a.zarr --durability none", "copy {in} b.ozx", "verify b.ozx"]
    yield "store-exported", ["export {in} back.ome.tiff", "verify back.ome.tiff {in}", "inspect back.ome.tiff --json"]
    yield "store-embedded", [
        "copy {in} a.zarr --durability none",
        "embed a.zarr --nbo {microscope} --qc {psf} --json",
        *read("a.zarr"),
        "validate a.zarr",
    ]
    yield "store-embedded-and-back", ["copy {in} a.zarr --durability none", "embed a.zarr --nbo {microscope}", "embed a.zarr --remove"]


def nothing():
    """What needs no input."""
    commands = "convert plan run commit copy export inspect validate verify extract check qc embed methods nbo".split()
    yield "help", ["--version", "--help", "-h", *(f"{c} {h}" for c in commands for h in ("--help", "-h")), "nbo fields --help"]
    yield "catalogue", ["nbo fields", "nbo fields --json", "nbo fields --tier 2 --extension basic --level should"]
    yield "usage", [
        "",
        "convert",
        "convert a b --ngff 0.3",
        "convert a b --chunk 0",
        "convert a b --codec lzma",
        "convert a b --overwrite --resume",
        "convert {sample} out.zarr --codec zlib-6",
        "convert {sample} out.zarr --shard 100 --chunk 64",
        "convert {sample} out.zarr --ngff 0.4 --shard 512",
        "convert {sample} out.zarr --no-decode",
        "convert {sample} out.zarr --memory 10",
        "convert {sample} out.zarr --policy nonsense",
        "convert {sample} out.zarr --nbo missing.json",
        "convert missing.tiff out.zarr",
        "run {sample} out.zarr --task 0/2",
        "run {sample} out.zarr --task 1/2",
        "commit {sample} out.zarr",
        "embed missing.zarr --nbo {microscope}",
        "embed missing.zarr",
        "copy missing.zarr b.zarr",
        "verify missing.zarr",
        "verify {sample} missing.zarr",
        "export missing.zarr x.tiff",
        "export missing.zarr s3://bucket/x.tiff",
        "validate {sample}",
        "extract missing.zarr --as ome-xml",
        "qc {sample}",
        "qc missing.zarr --require nonsense",
        "check missing.xml --tier 9",
        "methods missing.xml",
        "inspect missing",
    ]


SCENARIOS = [
    Scenario(name, kind, tuple(steps))
    for kind, group in ((TIFF, tiff), (DOCUMENT, document), (STORE, store), (NOTHING, nothing))
    for name, steps in group()
]
