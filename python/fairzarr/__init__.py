"""OME-TIFF to OME-Zarr with nothing lost, and proof of it.

>>> import fairzarr
>>> fairzarr.convert("cells.ome.tiff", "cells.ome.zarr")  # doctest: +SKIP
>>> fairzarr.open("cells.ome.zarr").image.channels[0].label  # doctest: +SKIP
'DAPI'
"""

from ._call import Answer, Progress, ProgressCallback
from ._fairzarr import VERSION as __version__
from ._lazy import LazyArray
from ._model import Objective, PlaneValues, Quantity
from .commands import check, command, commit, convert, copy, embed, export, plan, qc, run, validate, verify
from .errors import (
    AgainError,
    BusyError,
    DifferenceError,
    ExistsError,
    FairzarrError,
    FairzarrWarning,
    InputError,
    InterruptedWork,
    NotReadyError,
    OutputError,
    RefusedError,
    UsageError,
)
from .reports import (
    CheckReport,
    ConversionReport,
    CopyReport,
    EmbedReport,
    ExportReport,
    Finding,
    PlanReport,
    QcReport,
    ValidationReport,
    Verdict,
    VerificationReport,
)
from .store import Axis, Channel, Image, Level, Store, open
from .tiff import TiffFile, open_tiff, read_tiff

__all__ = [
    "AgainError", "Answer", "Axis", "BusyError", "Channel", "CheckReport", "ConversionReport", "CopyReport",
    "DifferenceError", "EmbedReport", "ExistsError", "ExportReport", "FairzarrError", "FairzarrWarning", "Finding",
    "Image", "InputError", "InterruptedWork", "LazyArray", "Level", "NotReadyError", "Objective", "OutputError",
    "PlanReport", "PlaneValues", "Progress", "ProgressCallback", "QcReport", "Quantity", "RefusedError", "Store",
    "TiffFile", "UsageError", "ValidationReport", "Verdict", "VerificationReport", "__version__", "check", "command",
    "commit", "convert", "copy", "embed", "export", "open", "open_tiff", "plan", "qc", "read_tiff", "run", "validate",
    "verify",
]  # fmt: skip
