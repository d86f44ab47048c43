"""What entries of the disk cache say of a kernel's parameters, on every device: rows as `_core.load_for_...` takes them."""

from __future__ import annotations


def parameter_rows(signature) -> list[list]:
    """A row a parameter, for JSON."""
    return [[p.name, p.type, p.divisibility, p.may_be_written, p.may_be_read] for p in signature.params]


def read_parameter_rows(rows: list) -> list[tuple]:
    """The rows again, from JSON. Raises TypeError where they are none."""
    return [tuple(row) for row in rows]
