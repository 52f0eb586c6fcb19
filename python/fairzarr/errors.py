"""What fairzarr raises and warns of."""

from __future__ import annotations

from typing import Any


class FairzarrError(Exception):
    """A command failed.

    Attributes:
        message: What is wrong, in one sentence.
        code: The exit code that the program would have ended with.
        fields: The fields of the program's JSON error, where it gives one.
    """

    def __init__(self, message: str, code: int = 1, fields: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.fields = fields or {}

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions travel between the processes of a cluster.
        return type(self), (self.message, self.code, self.fields)


class DifferenceError(FairzarrError):
    """What was asked for does not hold (exit code 1)."""


class NotReadyError(DifferenceError):
    """An earlier step is missing: a plan, tasks, the end of an interrupted run (exit code 12)."""


class RefusedError(DifferenceError):
    """The record falls short of a policy that refuses (exit code 13)."""


class UsageError(FairzarrError, ValueError):
    """The request makes no sense (exit code 2)."""


class InputError(FairzarrError, OSError):
    """The input cannot be read (exit code 3)."""


class OutputError(FairzarrError, OSError):
    """The output cannot be written (exit code 4)."""


class ExistsError(OutputError):
    """Something is at the target already: something else (exit code 8), or the same conversion, complete (9)."""


class BusyError(OutputError):
    """Another process is writing to the target (exit code 10)."""


class AgainError(OutputError):
    """A server did not answer as it should; later it may (exit code 11)."""


class InterruptedWork(FairzarrError):
    """The work was stopped; run again with ``resume=True``, a task as it is (exit code 5)."""


class FairzarrWarning(UserWarning):
    """Something was tolerated or left out that a person should know of."""


#: The exit code of work that was stopped.
INTERRUPTED = 5


def of_code(code: int, message: str, fields: dict[str, Any] | None = None) -> FairzarrError:
    """The exception for an exit code."""
    kinds: dict[int, type[FairzarrError]] = {
        1: DifferenceError,
        2: UsageError,
        3: InputError,
        4: OutputError,
        5: InterruptedWork,
        8: ExistsError,
        9: ExistsError,
        10: BusyError,
        11: AgainError,
        12: NotReadyError,
        13: RefusedError,
    }
    return kinds.get(code, FairzarrError)(message, code, fields)
