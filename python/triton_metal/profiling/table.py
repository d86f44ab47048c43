"""A report as text."""

from __future__ import annotations

_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def number(value: float | None, digits: int = 3) -> str:
    """With so many significant digits and no exponent; '-' where there is none."""
    if value is None:
        return "-"
    if value >= 10 ** (digits - 1) or value == 0:
        return f"{value:.0f}"
    return f"{value:.{digits}g}" if value >= 1e-3 else f"{value:.1g}"


def amount(value: float | None, unit: str = "") -> str:
    """With a decimal prefix: 12.6 MB."""
    if value is None:
        return "-"
    for factor, prefix in _PREFIXES:
        if value >= factor:
            return f"{number(value / factor)} {prefix}{unit}"
    return f"{number(value)} {unit}".rstrip()


def percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}" if value >= 0.1 else f"{value:.1%}"


def _launches(count: int) -> str:
    return f"{count} launch{'' if count == 1 else 'es'}"


def _was(count: int) -> str:
    return "was" if count == 1 else "were"


def _about(row) -> str:
    return "" if row.is_exact or row.bytes is None else "~"


COLUMNS = (
    ("kernel", lambda row: row.label),
    ("device", lambda row: row.device),
    ("launches", lambda row: str(row.launches)),
    ("total ms", lambda row: number(row.total_us / 1e3)),
    ("median us", lambda row: number(row.median_us)),
    ("p95 us", lambda row: number(row.p95_us)),
    ("bytes", lambda row: _about(row) + amount(row.bytes, "B")),
    ("operations", lambda row: _about(row) + amount(row.operations)),
    ("GB/s", lambda row: number(row.gbs)),
    ("GFLOP/s", lambda row: number(row.gflops)),
    ("FLOP/B", lambda row: number(row.intensity)),
    ("bound by", lambda row: row.bound or "-"),
    ("of roof", lambda row: percent(row.roof_fraction)),
    ("occupancy", lambda row: str(row.occupancy or "-")),
)
_LEFT = {"kernel", "device", "bound by", "occupancy"}
_WIDEST_LABEL = 56


def inexact(report) -> list[tuple]:
    """(row, why) for costs that are not exact."""
    return [
        (report.kernels[shape.kernel], reason)
        for shape in report.shapes
        if shape.cost
        for reason in shape.cost.reasons
    ]


def notes(report) -> list[str]:
    """What a reader of the numbers must know, a sentence each."""
    said = []
    for device in report.devices.values():
        roofs = device.roofs
        if roofs is not None:
            said.append(
                f"{device.name}: roofs of {number(roofs.bandwidth_gbs)} GB/s and {number(roofs.gflops)} GFLOP/s "
                f"({number(roofs.gflops / roofs.bandwidth_gbs)} FLOP/B), {roofs.how}."
            )
        if device.is_software:
            said.append(
                f"{device.name}: run by the software Metal on this machine's CPU; its times and rates say nothing about a GPU. "
                f"What bounds a kernel, and its occupancy, are told for {device.chip}."
            )
        if device.chip:
            said.append(f"{device.name}: occupancy is estimated from the kernel's facts, nothing of it was measured.")
    if any(row.roof_fraction and row.roof_fraction > 1.05 for row in report.kernels):
        said.append("Above 100 % of a roof: bytes are those that a kernel asks for, and caches answered some of them.")
    reasons = {f"{row.name}: {reason}" for row, reason in inexact(report)}
    if reasons:
        shown = "; ".join(sorted(reasons)[:3]) + (f"; and {len(reasons) - 3} more" if len(reasons) > 3 else "")
        said.append(f"~ is not exact: {shown}.")
    unknown = sum(shape.cost is None for shape in report.shapes)
    if unknown:
        said.append(
            f"Bytes and operations of {unknown} different launch{'' if unknown == 1 else 'es'} are not known: to tell would have taken too "
            "long, or only a sample of their programs ran."
        )
    if report.trials and not report.has_trials:
        trials = "was a trial" if report.trials == 1 else "were trials"
        said.append(f"{_launches(report.trials)} {trials} of tuners ({number(report.trials_us / 1e3)} ms), left out.")
    if report.dropped:
        said.append(f"{_launches(report.dropped)} beyond the limit {_was(report.dropped)} not kept; start_profiling(limit=...) keeps more.")
    return said


def text(report, top: int | None = None) -> str:
    """The table of a report, with its notes. ValueError for less than one row."""
    if top is not None and top < 1:
        raise ValueError(f"top is a number of rows, at least 1, or None for all, not {top}")
    if not report.is_complete:
        return "profiling is on; the report can be read when it has stopped"
    if not report.kernels:
        return f"no kernel was launched in {number(report.duration_us / 1e3)} ms"
    rows = [[name for name, _ in COLUMNS]] + [[show(row) for _, show in COLUMNS] for row in report.kernels[:top]]
    for row in rows:
        if len(row[0]) > _WIDEST_LABEL:
            row[0] = row[0][: _WIDEST_LABEL - 3] + "..."
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) if name in _LEFT else cell.rjust(width) for cell, width, (name, _) in zip(row, widths, COLUMNS)]
        lines.append("  ".join(cells).rstrip())
    lines.insert(1, "-" * max(map(len, lines)))
    if top is not None and len(report.kernels) > top:
        lines.append(f"and {len(report.kernels) - top} more")
    total = sum(row.total_us for row in report.kernels)
    lines.append(f"{_launches(len(report.launches))} ran {number(total / 1e3)} ms of {number(report.duration_us / 1e3)} ms.")
    return "\n".join([*lines, *notes(report)])
