"""What the commands report: the program's JSON results, with their main members as attributes."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Report:
    """A result. ``json`` holds all that the program said."""

    json: dict[str, Any] = field(repr=False, compare=False)


@dataclass(frozen=True)
class ConversionReport(Report):
    """What a conversion wrote."""

    #: Paths of the images below the target; the root's is empty.
    images: list[str]
    #: Bytes of pixels, decoded.
    source_bytes: int
    #: Objects and bytes written.
    objects: int
    bytes: int
    seconds: float

    @classmethod
    def of(cls, json: dict[str, Any]) -> ConversionReport:
        """From the program's result."""
        return cls(
            json, json.get("images", []), json.get("source_bytes", 0), json.get("objects", 0),
            json.get("bytes", 0), json.get("seconds", 0.0),
        )  # fmt: skip


@dataclass(frozen=True)
class PlanReport(Report):
    """What a conversion will do."""

    #: Pieces of work that can be done apart: more tasks than that have nothing to do.
    units: int
    #: At most so many objects will be written.
    objects: int
    #: Bytes that are read (decoded).
    source_bytes: int

    @classmethod
    def of(cls, json: dict[str, Any]) -> PlanReport:
        """From the program's result."""
        return cls(json, json.get("units", 0), json.get("objects", 0), json.get("source_bytes", 0))


@dataclass(frozen=True)
class VerificationReport(Report):
    """What was proved. True when all of it holds."""

    holds: bool
    checks: list[dict[str, Any]]

    @classmethod
    def of(cls, json: dict[str, Any]) -> VerificationReport:
        """From the program's result."""
        return cls(json, bool(json.get("holds", False)), json.get("checks", []))

    def __bool__(self) -> bool:
        return self.holds

    def _repr_html_(self) -> str:
        head = "<b>equal</b>" if self.holds else "<b style='color:#b00'>different</b>"
        rows = "".join(
            "<tr>" + "".join(f"<td>{html.escape(str(value))}</td>" for value in one.values()) + "</tr>"
            for one in self.checks
        )
        return f"{head}<table>{rows}</table>"


@dataclass(frozen=True)
class Finding:
    """A clause of a specification that a store does not keep."""

    group: str
    severity: str
    path: str
    clause: str
    message: str
    remedy: str


@dataclass(frozen=True)
class ValidationReport(Report):
    """How a store stands to the specifications. True when it keeps all their demands."""

    valid: bool
    version: str | None
    findings: list[Finding]

    @classmethod
    def of(cls, json: dict[str, Any]) -> ValidationReport:
        """From the program's result."""
        names = ("group", "severity", "path", "clause", "message", "remedy")
        findings = [Finding(*(str(one.get(name) or "") for name in names)) for one in json.get("findings", [])]
        return cls(json, bool(json.get("valid", False)), json.get("version"), findings)

    def __bool__(self) -> bool:
        return self.valid


@dataclass(frozen=True)
class CheckReport(Report):
    """How complete a record is. True when it passes the policy."""

    passes: bool
    policy: str
    findings: list[dict[str, Any]]
    coverage: list[dict[str, Any]]

    @classmethod
    def of(cls, json: dict[str, Any]) -> CheckReport:
        """From the program's result."""
        return cls(
            json, bool(json.get("passes", False)), str(json.get("policy", "")),
            json.get("findings", []), json.get("coverage", []),
        )  # fmt: skip

    def __bool__(self) -> bool:
        return self.passes


@dataclass(frozen=True)
class Verdict:
    """What a demand on quality control comes to for some images of a store."""

    require: str
    #: The image's name in the record; empty where it is not described.
    image: str
    #: How many images it speaks for.
    images: int
    #: ``"pass"``, ``"fail"`` or ``"unknown"``.
    outcome: str
    reason: str
    age_days: float | None


@dataclass(frozen=True)
class QcReport(Report):
    """Quality control of a store. ``passes`` is ``None`` when nothing was asked."""

    passes: bool | None
    events: list[dict[str, Any]]
    verdicts: list[Verdict]

    @classmethod
    def of(cls, json: dict[str, Any]) -> QcReport:
        """From the program's result."""
        verdicts = [
            Verdict(
                answer.get("require", ""), one.get("image", ""), one.get("images", 0), one.get("outcome", ""),
                one.get("reason", ""), one.get("ageDays"),
            )
            for answer in json.get("answers", [])
            for one in answer.get("verdicts", [])
        ]  # fmt: skip
        return cls(json, json.get("passes"), json.get("qc", {}).get("events", []), verdicts)

    def __bool__(self) -> bool:
        return self.passes is True


@dataclass(frozen=True)
class EmbedReport(Report):
    """Which metadata documents were changed, and what contradicts each other."""

    documents: list[str]
    conflicts: list[Any]

    @classmethod
    def of(cls, json: dict[str, Any]) -> EmbedReport:
        """From the program's result."""
        return cls(json, json.get("documents", []), json.get("conflicts", []))


@dataclass(frozen=True)
class ExportReport(Report):
    """What an export wrote."""

    images: int
    planes: int
    bytes: int
    bigtiff: bool

    @classmethod
    def of(cls, json: dict[str, Any]) -> ExportReport:
        """From the program's result."""
        return cls(
            json, json.get("images", 0), json.get("planes", 0), json.get("bytes", 0), bool(json.get("bigtiff"))
        )


@dataclass(frozen=True)
class CopyReport(Report):
    """What a copy did."""

    objects: int
    bytes: int
    #: Objects that were there already.
    kept: int

    @classmethod
    def of(cls, json: dict[str, Any]) -> CopyReport:
        """From the program's result."""
        return cls(json, json.get("objects", 0), json.get("bytes", 0), json.get("kept", 0))
