"""Conversions on a cluster of Dask.

The workers share nothing but the places: source and target must be the same for all of them, on a shared file system or in an
object store. A worker that dies loses nothing but time, because tasks may be done again, late, or twice at the same time.

>>> from dask.distributed import Client
>>> import fairzarr.dask
>>> client = Client("tcp://scheduler:8786")  # doctest: +SKIP
>>> fairzarr.dask.convert(client, "s3://in/brain.ome.tif", "s3://out/brain.ome.zarr", tasks=400)  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import commands, store
from ._place import PathLike, StoreOptions, resolve
from .errors import FairzarrError, OutputError
from .reports import ConversionReport, VerificationReport

if TYPE_CHECKING:
    from distributed import Client

#: How often a task is given to a worker again after it failed or its worker died.
RETRIES = 5


def convert(
    client: Client,
    source: PathLike,
    target: PathLike,
    *,
    tasks: int | None = None,
    jobs: int = 1,
    retries: int = RETRIES,
    source_options: StoreOptions | None = None,
    target_options: StoreOptions | None = None,
    **options: Any,
) -> ConversionReport:
    """Convert one image by many tasks. The bytes are those of a conversion by one process.

    Args:
        client: The cluster.
        source: OME-TIFF file, or any file of a fileset, as the workers see it.
        target: OME-Zarr to write, as the workers see it.
        tasks: How many; four for each thread of the cluster by default.
        jobs: Threads of each task. A worker does as many tasks at a time as it has threads.
        retries: How often a task is tried again.
        options: Options of :func:`fairzarr.convert` that shape the output.
    """
    places = _places(source, source_options, target, target_options)
    planned = commands.plan(**places, **options)
    threads = client.nthreads()
    count = tasks if tasks is not None else max(1, 4 * sum(threads.values()))
    count = max(1, min(count, planned.units))
    futures = client.map(
        _run, range(1, count + 1), of=count, places=places, jobs=jobs, retries=retries, pure=False,
        key="fairzarr-run",
    )  # fmt: skip
    client.gather(futures)
    committed = client.submit(_commit, places=places, retries=retries, pure=False, key=None)
    report: ConversionReport = committed.result()
    return report


@dataclass(frozen=True)
class Converted:
    """What came of one image of many."""

    source: str
    target: str
    report: ConversionReport | None
    #: ``None`` where it was not asked for, or the conversion failed.
    proof: VerificationReport | None
    error: FairzarrError | None

    def __bool__(self) -> bool:
        return self.error is None and (self.proof is None or self.proof.holds)


def convert_all(
    client: Client,
    images: Mapping[Any, Any] | Iterable[tuple[PathLike, PathLike]],
    *,
    verify: bool = True,
    jobs: int = 1,
    retries: int = RETRIES,
    source_options: StoreOptions | None = None,
    target_options: StoreOptions | None = None,
    **options: Any,
) -> list[Converted]:
    """Convert many images, one task each, and prove each against its source.

    An image that cannot be converted does not end the others: its error is in the result. What a worker that died had begun
    is finished by the next one.

    Args:
        client: The cluster.
        images: Source and target of each.
        verify: Whether each is proved.
        jobs: Threads of each conversion.
        options: Options of :func:`fairzarr.convert`.
    """
    pairs = list(images.items() if isinstance(images, Mapping) else images)
    places = [_places(source, source_options, target, target_options) for source, target in pairs]
    futures = client.map(
        _convert, places, verify=verify, options={"jobs": jobs, **options}, retries=retries, pure=False,
        key="fairzarr-convert",
    )  # fmt: skip
    found: list[Converted] = client.gather(futures)
    return found


def _places(
    source: PathLike, source_options: StoreOptions | None, target: PathLike, target_options: StoreOptions | None
) -> dict[str, Any]:
    """The places as text, which travels to the workers."""
    url, brought = resolve(source, source_options)
    other, settings = resolve(target, target_options)
    return {"source": url, "target": other, "source_options": brought, "target_options": settings}


def _run(task: int, of: int, places: dict[str, Any], jobs: int) -> int:
    commands.run(task=task, of=of, jobs=jobs, **places)
    return task


def _commit(places: dict[str, Any]) -> ConversionReport:
    return commands.commit(**places)


def _convert(places: dict[str, Any], verify: bool, options: dict[str, Any]) -> Converted:
    source, target = places["source"], places["target"]
    report = proof = None
    try:
        try:
            # What a worker that died has begun is finished; on an empty place this is a conversion from the beginning.
            report = commands.convert(**places, **{"resume": True, **options})
        except OutputError:
            # It may have died between the end of the conversion and its answer. Only the proof can tell.
            if not (verify and _is_complete(places)):
                raise
        proof = commands.verify(jobs=options["jobs"], **places) if verify else None
    except FairzarrError as error:
        return Converted(source, target, report, proof, error)
    return Converted(source, target, report, proof, None)


def _is_complete(places: dict[str, Any]) -> bool:
    try:
        store.open(places["target"], store_options=places["target_options"])
    except FairzarrError:
        return False
    return True
