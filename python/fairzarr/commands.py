"""The program's commands as functions.

Each function takes the options of the command by their names, with underscores for hyphens, and gives what the program prints
with ``--json``. Options that a signature does not list are taken too: ``convert(a, b, take_over=True)`` is
``fairzarr convert a b --take-over``; a list repeats an option. All of them wait with the interpreter free, can be stopped by
Ctrl-C, and raise :class:`~fairzarr.FairzarrError` where the program would fail.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

from ._call import Answer, ProgressCallback, call
from ._place import PathLike, StoreOptions, resolve
from .reports import (
    CheckReport,
    ConversionReport,
    CopyReport,
    EmbedReport,
    ExportReport,
    PlanReport,
    QcReport,
    ValidationReport,
    VerificationReport,
)

Pair = tuple[int, int]


def convert(
    source: PathLike,
    target: PathLike,
    *,
    ngff: str | None = None,
    layout: str | None = None,
    preset: str | None = None,
    codec: str | None = None,
    chunk: Pair | str | None = None,
    shard: Pair | str | None = None,
    pyramid: str | None = None,
    nbo: Iterable[PathLike] | PathLike | None = None,
    policy: str | PathLike | None = None,
    overwrite: bool = False,
    resume: bool = False,
    jobs: int | None = None,
    memory: int | str | None = None,
    source_options: StoreOptions | None = None,
    target_options: StoreOptions | None = None,
    progress: ProgressCallback | None = None,
    **options: Any,
) -> ConversionReport:
    """Convert an OME-TIFF fileset to an OME-Zarr.

    Args:
        source: OME-TIFF file, or any file of a fileset.
        target: OME-Zarr to write; a name that ends with ``.ozx`` makes one file of it.
        ngff: ``"0.4"``, ``"0.5"`` (the default) or ``"0.6"``.
        layout: ``"auto"``, ``"image"`` or ``"bioformats2raw"``.
        preset: ``"fast"``, ``"balanced"`` or ``"small"`` compression.
        codec: Compression in detail, such as ``"zstd-3"``.
        chunk: Chunk height and width in pixels, or ``"source"``.
        shard: Shard height and width, ``"auto"`` or ``"none"``.
        pyramid: ``"computed"``, ``"source"`` or ``"none"``.
        nbo: Documents on microscope, acquisition or quality control.
        policy: Check the record by a policy that comes with the program, or by a policy file.
        overwrite: Replace the store at the target, which stays until the new one is whole.
        resume: Finish an interrupted conversion.
        jobs: Worker threads; one per core by default.
        memory: Bytes for pixels, or text such as ``"2G"``.
        source_options: Settings of the object store's client for the source.
        target_options: The same for the target.
        progress: Is called some ten times a second while there is progress; what it raises stops the conversion.
        options: Further options of ``fairzarr convert``.

    Raises:
        InputError: The source cannot be read.
        OutputError: The target cannot be written, or exists.
        UsageError: The options make no sense.
    """
    words = ["convert", *_places(source, source_options, target, target_options), "--json"]
    words += _options(
        ngff=ngff, layout=layout, preset=preset, codec=codec, chunk=chunk, shard=shard, pyramid=pyramid,
        nbo=_files(nbo), policy=policy, overwrite=overwrite, resume=resume, jobs=jobs, memory=memory, **options,
    )  # fmt: skip
    return ConversionReport.of(call(words, progress).result)


def plan(
    source: PathLike,
    target: PathLike,
    *,
    overwrite: bool = False,
    nbo: Iterable[PathLike] | PathLike | None = None,
    memory: int | str | None = None,
    source_options: StoreOptions | None = None,
    target_options: StoreOptions | None = None,
    **options: Any,
) -> PlanReport:
    """Write the plan of a conversion into its target, for :func:`run` and :func:`commit` by several processes.

    Takes the options of :func:`convert` that shape the output.
    """
    words = ["plan", *_places(source, source_options, target, target_options), "--json"]
    words += _options(overwrite=overwrite, nbo=_files(nbo), memory=memory, **options)
    return PlanReport.of(call(words).result)


def run(
    source: PathLike,
    target: PathLike,
    task: int,
    of: int,
    *,
    jobs: int | None = None,
    memory: int | str | None = None,
    source_options: StoreOptions | None = None,
    target_options: StoreOptions | None = None,
    progress: ProgressCallback | None = None,
    **options: Any,
) -> None:
    """Do task number ``task`` (counted from 1) of ``of`` tasks of a planned conversion.

    Tasks may run at the same time, anywhere, in any order, and more than once.
    """
    words = ["run", *_places(source, source_options, target, target_options), "--json", "--task", f"{task}/{of}"]
    call(words + _options(jobs=jobs, memory=memory, **options), progress)


def commit(
    source: PathLike,
    target: PathLike,
    *,
    source_options: StoreOptions | None = None,
    target_options: StoreOptions | None = None,
    progress: ProgressCallback | None = None,
    **options: Any,
) -> ConversionReport:
    """Check that every task of a planned conversion was done, and complete the target.

    Raises:
        NotReadyError: Tasks are missing.
    """
    words = ["commit", *_places(source, source_options, target, target_options), "--json"]
    return ConversionReport.of(call(words + _options(**options), progress).result)


def verify(
    source: PathLike,
    target: PathLike | None = None,
    *,
    sample: str | None = None,
    jobs: int | None = None,
    source_options: StoreOptions | None = None,
    target_options: StoreOptions | None = None,
    progress: ProgressCallback | None = None,
    **options: Any,
) -> VerificationReport:
    """Prove that an OME-Zarr holds all that its OME-TIFF holds; or, given the OME-Zarr alone, what can be proved of it.

    Args:
        source: OME-TIFF file, or the OME-Zarr to be proved on its own.
        target: OME-Zarr made from it.
        sample: Compare only so much of the pixels, such as ``"5%"``.
    """
    words = ["verify", *_places(source, source_options, target, target_options), "--json", *_options(sample=sample, jobs=jobs, **options)]
    return VerificationReport.of(call(words, progress, reads_only=True).result)


def validate(
    store: PathLike, *, deep: bool = False, store_options: StoreOptions | None = None, **options: Any
) -> ValidationReport:
    """Judge the metadata of an OME-Zarr of any origin by the specifications of NGFF and Zarr.

    Args:
        deep: Also look at the stored objects.
    """
    words = ["validate", *_places(store, store_options), "--json", *_options(deep=deep, **options)]
    return ValidationReport.of(call(words, reads_only=True).result)


def check(
    path: PathLike | Sequence[PathLike],
    *,
    tier: int | None = None,
    extension: Sequence[str] | str | None = None,
    level: str | None = None,
    policy: str | PathLike | None = None,
    store_options: StoreOptions | None = None,
    **options: Any,
) -> CheckReport:
    """Check how complete the description of microscope and acquisition is.

    Args:
        path: OME-Zarr, OME-TIFF, OME-XML, Micro-Meta App or NBO file; several are read together.
        tier: Highest tier asked for, 1 to 3.
        extension: Extensions asked for, such as ``"basic"``.
        level: ``"must"`` or ``"should"``.
        policy: A policy in place of those.
    """
    if isinstance(extension, Sequence) and not isinstance(extension, str):
        extension = ",".join(extension)
    words = ["check", *_several(path, store_options), "--json"]
    words += _options(tier=tier, extension=extension, level=level, policy=policy, **options)
    return CheckReport.of(call(words, reads_only=True).result)


def qc(
    store: PathLike,
    require: Iterable[str] | str = (),
    *,
    store_options: StoreOptions | None = None,
    **options: Any,
) -> QcReport:
    """Show the quality control that an OME-Zarr records, or ask whether it satisfies demands.

    Args:
        require: Demands such as ``"OpticalCalibration within 90 days"``.
    """
    demands = [require] if isinstance(require, str) else list(require)
    words = ["qc", *_places(store, store_options), "--json", *_options(require=demands, **options)]
    return QcReport.of(call(words, reads_only=True).result)


def embed(
    store: PathLike,
    *,
    nbo: Iterable[PathLike] | PathLike | None = None,
    qc: Iterable[PathLike] | PathLike | None = None,
    remove: bool = False,
    store_options: StoreOptions | None = None,
    **options: Any,
) -> EmbedReport:
    """Add microscope provenance and quality control to an OME-Zarr of any origin, or take it out again."""
    words = ["embed", *_places(store, store_options), "--json"]
    words += _options(nbo=_files(nbo), qc=_files(qc), remove=remove, **options)
    return EmbedReport.of(call(words).result)


def export(
    store: PathLike,
    target: str | os.PathLike[str],
    *,
    compression: str | None = None,
    overwrite: bool = False,
    jobs: int | None = None,
    store_options: StoreOptions | None = None,
    progress: ProgressCallback | None = None,
    **options: Any,
) -> ExportReport:
    """Write an OME-Zarr as one OME-TIFF on this machine: the same pixels, the same OME-XML.

    Args:
        compression: ``"none"``, ``"deflate"`` (the default) or ``"zstd"``.
    """
    words = ["export", *_places(store, store_options), os.fspath(target), "--json"]
    words += _options(compression=compression, overwrite=overwrite, jobs=jobs, **options)
    return ExportReport.of(call(words, progress).result)


def copy(
    source: PathLike,
    target: PathLike,
    *,
    verify: str | None = None,
    resume: bool = False,
    source_options: StoreOptions | None = None,
    target_options: StoreOptions | None = None,
    progress: ProgressCallback | None = None,
    **options: Any,
) -> CopyReport:
    """Copy an OME-Zarr to another place, metadata last, and prove the copy."""
    words = ["copy", *_places(source, source_options, target, target_options), "--json"]
    return CopyReport.of(call(words + _options(verify=verify, resume=resume, **options), progress).result)


def command(*words: str, progress: ProgressCallback | None = None) -> Answer:
    """Run any command of the program that knows ``--json``, by the words of its command line."""
    return call([*words, "--json"], progress)


def _places(
    source: PathLike,
    source_options: StoreOptions | None,
    target: PathLike | None = None,
    target_options: StoreOptions | None = None,
) -> list[str]:
    url, options = resolve(source, source_options)
    if target is None:
        return [url, *_settings("--store-option", options)]
    other, target_settings = resolve(target, target_options)
    return [url, other, *_settings("--source-option", options), *_settings("--store-option", target_settings)]


def _several(path: PathLike | Sequence[PathLike], options: StoreOptions | None) -> list[str]:
    paths = path if isinstance(path, (list, tuple)) else [path]
    urls: list[str] = []
    settings: dict[str, str] = {}
    for one in paths:
        url, brought = resolve(one, options)
        urls.append(url)
        settings.update(brought)
    return [*urls, *_settings("--store-option", settings)]


def _settings(flag: str, settings: dict[str, str]) -> list[str]:
    return [word for key, value in settings.items() for word in (flag, f"{key}={value}")]


def _files(files: Iterable[PathLike] | PathLike | None) -> list[str] | None:
    if files is None:
        return None
    if isinstance(files, (str, os.PathLike)):
        files = [files]
    return [resolve(file)[0] for file in files]


def _options(**options: Any) -> list[str]:
    words: list[str] = []
    for name, value in options.items():
        flag = "--" + name.rstrip("_").replace("_", "-")
        if value is None or value is False:
            continue
        if value is True:
            words.append(flag)
        elif isinstance(value, list):
            words += [word for one in value for word in (flag, str(one))]
        elif isinstance(value, tuple):
            words += [flag, ",".join(str(part) for part in value)]
        else:
            words += [flag, os.fspath(value) if isinstance(value, os.PathLike) else str(value)]
    return words
