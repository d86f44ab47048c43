"""`analyze_memory_access`: how a kernel's loads, stores and atomics go through memory on `metal`, and why they do no better.

Nothing is run: the compiler distributes the kernel as for a launch, and evaluates the addresses of one program with the actual arguments.
"""

from __future__ import annotations

import dataclasses
import json
import linecache
from dataclasses import dataclass, field

from .. import _core
from ..errors import UnsupportedOnDevice
from .bound import Bound, bind, grid_text


@dataclass(frozen=True)
class Reason:
    """Why an access is no better, and what to do about it."""

    what: str
    remedy: str
    #: Told last, apart from the others: an array starts inside of a transaction, and other things keep the kernel's accesses from being
    #: better, or it costs the access no more than one transaction in eight.
    is_note: bool = False


@dataclass(frozen=True)
class MemoryAccess:
    """One load, store or atomic of device memory, in program (0, 0, 0) of the launch."""

    kind: str  #: "load", "store" or "atomic"
    file: str
    line: int
    source: str  #: the text of the line
    element: str  #: as signatures spell it: "fp32", "i8", ...
    shape: tuple[int, ...]  #: of the tensor; () for a scalar
    #: "contiguous", "strided by 3", "rows of 64, 1000 apart", "uniform", "gather", ...
    pattern: str
    steps: tuple[int, ...] | None  #: elements from one to the next along each dimension; None where they follow no constant step
    vector: int  #: elements that a lane accesses at once
    vector_bytes: int
    lane_stride: int | None  #: elements from one lane to the next; None where it is not known
    masked: bool
    hint: str | None  #: layout= of the access, where it is followed
    runs: int  #: executions by the program
    accesses: int | None  #: of SIMD-groups, in all runs; None where addresses are not known, as in the fields below
    transactions: int | None  #: of 128 bytes, in all runs
    ideal_transactions: int | None  #: if the bytes of each access were packed and aligned
    bytes: int | None  #: of elements that are not masked, each element of the tensor once, in all runs
    exact: bool  #: whether every address, mask and number of runs is known
    unknown: str | None  #: what is not
    reasons: tuple[Reason, ...] = field(default=())

    @property
    def transactions_per_access(self) -> float | None:
        """Transactions of 128 bytes for one access of a SIMD-group, on average."""
        return self.transactions / self.accesses if self.accesses else None

    @property
    def ideal_per_access(self) -> float | None:
        return self.ideal_transactions / self.accesses if self.accesses else None

    @classmethod
    def from_record(cls, record: dict, has_others: bool) -> MemoryAccess:
        """From what `_core.inspect_for_metal` says of it. has_others: accesses of the kernel have reasons other than alignment."""
        file, line = record.get("file", ""), record.get("line", 0)
        is_note = has_others or 8 * (record.get("transactions") or 0) <= 9 * (record.get("ideal_transactions") or 0)
        return cls(
            kind=record["kind"],
            file=file,
            line=line,
            source=source_line(file, line),
            element=record["element"],
            shape=tuple(record["shape"]),
            pattern=record["pattern"],
            steps=tuple(record["steps"]) if "steps" in record else None,
            vector=record["vector"],
            vector_bytes=record["vector"] * record["element_bytes"],
            lane_stride=record.get("lane_stride"),
            masked=record["masked"],
            hint=record.get("hint"),
            runs=record["runs"],
            accesses=record.get("accesses"),
            transactions=record.get("transactions"),
            ideal_transactions=record.get("ideal_transactions"),
            bytes=record.get("bytes"),
            exact=record["exact"],
            unknown=record.get("unknown"),
            reasons=tuple(Reason(r["what"], r["remedy"], r["alignment"] and is_note) for r in record["reasons"]),
        )


def notes_of(accesses) -> list[str]:
    """Of each note of these accesses a line on it and the lines it is about, and one on the remedy."""
    lines: dict[Reason, dict[int, None]] = {}
    for access in accesses:
        for reason in access.reasons:
            if reason.is_note:
                lines.setdefault(reason, {})[access.line] = None
    return [
        text
        for note, where in lines.items()
        for text in (f"note, line{'s' * (len(where) > 1)} {', '.join(map(str, where))}: {note.what}", f"      {note.remedy}")
    ]


def source_line(file: str, line: int) -> str:
    return linecache.getline(file, line).strip() if file and line else ""


def inspect_launch(bound: Bound) -> dict:
    """What the compiler makes of a launch for `metal`: `_core.inspect_for_metal`, read."""
    compiled = bound.compiled
    text = _core.inspect_for_metal(
        compiled.asm["ttir"], bound.params, bound.grid, num_warps=compiled.metadata.num_warps, chip=compiled.metadata.chip
    )
    return json.loads(text)


_COLUMNS = ("line", "access", "element", "shape", "pattern", "vector", "lane step", "transactions", "ideal", "bytes", "runs")


def _text(number: float | None) -> str:
    return "?" if number is None else f"{number:.4g}"


def _row(access: MemoryAccess) -> tuple[str, ...]:
    return (
        str(access.line),
        access.kind + (", masked" if access.masked else ""),
        access.element,
        "x".join(map(str, access.shape)) or "scalar",
        access.pattern,
        f"{access.vector} ({access.vector_bytes} B)",
        "?" if access.lane_stride is None else str(access.lane_stride),
        _text(access.transactions_per_access),
        _text(access.ideal_per_access),
        "?" if access.bytes is None else str(access.bytes),
        str(access.runs),
    )


@dataclass(frozen=True)
class MemoryAccessReport:
    """What `analyze_memory_access` found; `print` shows it as a table."""

    kernel: str
    chip: str
    num_warps: int
    grid: tuple[int, int, int]
    accesses: tuple[MemoryAccess, ...]
    grid_is_assumed: bool = False  #: none was given

    @property
    def transactions(self) -> int | None:
        """Of all accesses of the program; None where some are not known."""
        counts = [access.transactions for access in self.accesses]
        return None if None in counts else sum(counts)

    @property
    def exact(self) -> bool:
        return all(access.exact for access in self.accesses)

    def to_json(self) -> str:
        return json.dumps({**dataclasses.asdict(self), "transactions": self.transactions, "exact": self.exact}, indent=1)

    def __str__(self) -> str:
        lines = [
            f"{self.kernel} on {self.chip}, {self.num_warps} warps: device memory of program (0, 0, 0), "
            f"{grid_text(self.grid, self.grid_is_assumed)}",
            "transactions: of 128 bytes, for one access of a SIMD-group; ideal: if its bytes were packed and aligned",
        ]
        rows = [_COLUMNS, *map(_row, self.accesses)]
        widths = [max(len(row[i]) for row in rows) for i in range(len(_COLUMNS))]
        file = None
        for access, row in zip((None, *self.accesses), rows):
            if access is not None and access.file != file:
                file = access.file
                lines.append(file or "<no source>")
            lines.append("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
            if access is None:
                continue
            if access.source:
                lines.append(f"      {access.source}")
            if access.unknown:
                lines.append(f"      not exact: {access.unknown}")
            for reason in (reason for reason in access.reasons if not reason.is_note):
                lines += [f"    - {reason.what}", f"      {reason.remedy}"]
        if self.transactions is not None:
            lines.append(f"{self.transactions} transaction{'' if self.transactions == 1 else 's'} in all")
        return "\n".join([*lines, *notes_of(self.accesses)])


def report_accesses(bound: Bound, records: list) -> MemoryAccessReport:
    """The report on a launch, from what inspect_launch said of its accesses."""
    compiled = bound.compiled
    has_others = any(not reason["alignment"] for record in records for reason in record["reasons"])
    accesses = tuple(MemoryAccess.from_record(record, has_others) for record in records)
    return MemoryAccessReport(compiled.name, compiled.metadata.chip, compiled.metadata.num_warps, tuple(bound.grid), accesses)


def analyze_memory_access(kernel, args, grid=None, device: str = "metal", **options) -> MemoryAccessReport:
    """How each load, store and atomic of `kernel[grid](*args, **options)` goes through device memory on `metal`, without running it.

    kernel: what `bind` takes: a jit function, tuned or not, or a CompiledKernel for metal.
    args: the arguments by position, or a mapping by name; constexprs among them. Addresses, strides and sizes are read, data is not.
    grid: as for a launch; (1,) where it is None. Program (0, 0, 0) is looked at.
    device: "metal". The `cpu` device has no SIMD-groups whose accesses fall into transactions.
    options: num_warps and the like. The chip is the one that TRITON_METAL_CHIP or knobs.metal.chip chooses, or a CompiledKernel is for.

    Transactions are lines of 128 bytes that one access of a SIMD-group touches, as the software Metal's counting mode counts them. They are
    computed from the addresses of every lane, in every iteration of loops. What depends on loaded data is None, and `unknown` says so.

    Raises what the launch would raise for its arguments and for the compilation; UnsupportedOnDevice for device="cpu".
    """
    bound = bind(kernel, args, grid, device, **options)
    if bound.compiled.metadata.target != "metal":
        raise UnsupportedOnDevice("analyze_memory_access", bound.compiled.metadata.target, "it has no SIMD-groups and no transactions",
                                  'pass device="metal", or see kernel.explain for what the code of the cpu device does')  # fmt: skip
    report = report_accesses(bound, inspect_launch(bound)["accesses"])
    return dataclasses.replace(report, grid_is_assumed=grid is None)
