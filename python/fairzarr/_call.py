"""Calls of the program's commands, watched and interruptible."""

from __future__ import annotations

import json
import logging
import threading
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from . import _fairzarr, errors

log = logging.getLogger("fairzarr")

#: Seconds between two looks at the progress, and at Ctrl-C.
PAUSE = 0.1


@dataclass(frozen=True)
class Progress:
    """How far a command has come."""

    #: Bytes of the source, decoded, that are done, those of earlier runs included.
    done: int
    #: Bytes of the source in all; 0 until that is known.
    total: int
    #: Bytes written to the target.
    written: int
    #: Objects written to the target.
    objects: int


ProgressCallback = Callable[[Progress], None]


@dataclass(frozen=True)
class Answer:
    """What came of a command that did not fail."""

    code: int
    result: dict[str, Any]


def call(
    words: Sequence[str], progress: ProgressCallback | None = None, *, reads_only: bool = False
) -> Answer:
    """Run a command and give its JSON result.

    The work is done on a thread of its own, so that this one can look at the progress and at Ctrl-C. Whatever is raised here
    meanwhile, by Ctrl-C or by the callback, first stops the command, as Ctrl-C stops the program. A command that only reads and
    that has not begun work which heeds that is left to end by itself.
    """
    native = _fairzarr.Call()
    outcome: list[tuple[int, str | None, bytes, list[str]]] = []
    failed: list[BaseException] = []
    ended = threading.Event()

    def work() -> None:
        try:
            outcome.append(native.run(words))
        except BaseException as error:  # A panic of the native part comes as one.
            failed.append(error)
        finally:
            ended.set()

    threading.Thread(target=work, name="fairzarr", daemon=True).start()
    try:
        told: Progress | None = None
        while not ended.wait(PAUSE):
            told = _tell(native, progress, told)
    except BaseException:
        if native.stop() or not reads_only:
            ended.wait()
        raise
    if failed:
        raise failed[0]
    code, failure, results, notes = outcome[0]
    return _answer(code, failure, results, notes)


def _tell(
    native: _fairzarr.Call, progress: ProgressCallback | None, told: Progress | None
) -> Progress | None:
    if progress is None:
        return None
    found = native.progress()
    if found is None:
        return told
    now = Progress(*found)
    if now != told:
        progress(now)
    return now


def _answer(code: int, failure: str | None, results: bytes, notes: list[str]) -> Answer:
    if failure is None and code == errors.INTERRUPTED:
        failure = "interrupted"
    for note in notes:
        text = note.removeprefix("fairzarr: ")
        if text.startswith("warning: "):
            warnings.warn(text.removeprefix("warning: "), errors.FairzarrWarning, stacklevel=4)
        else:
            log.info("%s", text)
    documents = _documents(results.decode())
    if failure is not None:
        told = documents[-1] if documents else {}
        raise errors.of_code(code, failure, told)
    return Answer(code, documents[-1] if documents else {})


def _documents(text: str) -> list[dict[str, Any]]:
    """The JSON objects that a command printed, one or several after each other."""
    decoder = json.JSONDecoder()
    found: list[dict[str, Any]] = []
    place = 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        document, place = decoder.raw_decode(text, place)
        found.append(document)
    return found
