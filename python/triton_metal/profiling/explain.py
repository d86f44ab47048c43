"""`kernel.explain(args)`: what the compiler made of a kernel: layouts, conversions, threadgroup memory, barriers, products."""

from __future__ import annotations

import dataclasses
import json
import re
from collections import Counter
from dataclasses import dataclass

from ..compiler.compiler import CompiledKernel
from ..errors import AutotunerError, OutOfResources, UnsupportedOnDevice
from .bound import Bound, bind
from .memory_access import MemoryAccess, inspect_launch, notes_of, report_accesses, source_line


@dataclass(frozen=True)
class Layout:
    """Who holds which element of a tensor. The product of registers, lanes and SIMD-groups along a dimension is its size."""

    kind: str  #: "blocked", or "matrix" for 8x8 fragments of simdgroup_matrix
    registers: tuple[int, ...]  #: elements of a lane along each dimension
    lanes: tuple[int, ...]  #: lanes of a SIMD-group along each dimension
    simdgroups: tuple[int, ...]
    vector: int  #: neighbours of a lane along `vector_dim`
    vector_dim: int
    copies: int  #: holders of each element
    text: str  #: the linear map: what each bit of the register, the lane and the SIMD-group number adds to the coordinates

    @classmethod
    def from_record(cls, record: dict) -> Layout:
        return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in record.items()})

    def __str__(self) -> str:
        text = "8x8 fragments, " if self.kind == "matrix" else ""
        text += f"registers {_by(self.registers)}, lanes {_by(self.lanes)}, SIMD-groups {_by(self.simdgroups)}"
        if self.vector > 1 and self.kind != "matrix":
            text += f", vectors of {self.vector}" + (f" along dimension {self.vector_dim}" if len(self.registers) > 1 else "")
        return text + (f", {self.copies} copies" if self.copies > 1 else "")


@dataclass(frozen=True)
class _Place:
    """Where in the Python source."""

    file: str
    line: int  #: 0 where it is not known
    source: str
    name: str  #: the variable that is computed; empty where there is none
    in_loop: bool


@dataclass(frozen=True)
class TensorLayout(_Place):
    """A tensor of a load, store, product, reduction, or one that a loop carries."""

    role: str
    shape: tuple[int, ...]
    element: str
    layout: Layout


@dataclass(frozen=True)
class Conversion(_Place):
    """A tensor that goes from one layout to another."""

    how: str  #: "register" (within a lane), "shuffle" (within a SIMD-group) or "threadgroup memory"
    purpose: str  #: "another layout", "parts of a reduction", "tl.gather", ...
    bytes: int  #: of the tensor
    bytes_moved: int  #: shuffled, or written to and read from threadgroup memory by all lanes
    used_by: str
    used_at: int  #: line, 0 where it is not known
    source_layout: Layout
    result_layout: Layout


@dataclass(frozen=True)
class MemoryBlock(_Place):
    """An array in threadgroup memory. Those of the compiler share its pool: arrays that are not alive together may overlap."""

    owner: str  #: "compiler", or "kernel" for tl.shared_memory
    purpose: str
    shape: tuple[int, ...]
    element: str
    bytes: int
    offset: int | None  #: in the pool
    padding: int  #: bytes of it that keep lanes off each other's banks


@dataclass(frozen=True)
class Barrier(_Place):
    scope: str  #: "threadgroup" or "SIMD-group"
    owner: str  #: "compiler" or "kernel"
    why: str


@dataclass(frozen=True)
class Product(_Place):
    """A tl.dot."""

    m: int
    n: int
    k: int
    element: str  #: of the operands as they are multiplied
    kind: str  #: "simdgroup_matrix" or "scalar"
    tile: tuple[int, int] | None  #: rows and columns of the result that a SIMD-group holds
    accumulator_registers: int | None  #: of a lane
    why: str  #: why it is scalar
    remedy: str


@dataclass(frozen=True)
class ProcessorCode:
    """What the code for the `cpu` device does, counted in its LLVM text: statements, not executions."""

    vector_bytes: int  #: of the widest access
    plain: int  #: loads and stores of vectors that lie together
    masked: int  #: the same under a mask
    gathers: int
    scatters: int
    multiply_adds: int  #: fused, of vectors
    arena_bytes: int  #: of scratch memory of a program

    @classmethod
    def of(cls, compiled) -> ProcessorCode:
        text = compiled.asm["llir"]
        calls = Counter(re.findall(r"call [^@\n]*@llvm\.(masked\.[a-z]+|fma)\.v", text))
        vector = r"<(\d+) x (float|double|half|bfloat|i8|i16|i32|i64)>"
        moved = re.findall(rf"(?:= load|\bstore|@llvm\.masked\.store[^(]*\(|call) {vector}", text)
        widths = [int(count) * _BYTES[kind] for count, kind in moved]
        plain = len(re.findall(r"= load <|\bstore <", text))
        return cls(
            vector_bytes=max(widths, default=0),
            plain=plain,
            masked=calls["masked.load"] + calls["masked.store"],
            gathers=calls["masked.gather"],
            scatters=calls["masked.scatter"],
            multiply_adds=calls["fma"],
            arena_bytes=compiled.metadata.facts["arena_bytes"],
        )


_BYTES = {"float": 4, "double": 8, "half": 2, "bfloat": 2, "i8": 1, "i16": 2, "i32": 4, "i64": 8}


def _by(sizes) -> str:
    return "x".join(map(str, sizes)) or "1"


def _place(record: dict) -> dict:
    file, line = record.get("file", ""), record.get("line", 0)
    return {"file": file, "line": line, "source": source_line(file, line), "name": record.get("name", ""), "in_loop": record["in_loop"]}


def _sum(count: int, what: str) -> str:
    return f"{count or 'no'} {what}{'' if count == 1 else 's'}"


@dataclass(frozen=True)
class Explanation:
    """What `kernel.explain` found; `print` shows it as text."""

    kernel: str
    device: str  #: that was asked about
    processor: ProcessorCode | None  #: for the `cpu` device
    #: Why there is nothing to tell of `metal`: the kernel runs on the `cpu` device alone. Then what follows is None or empty.
    no_metal: str | None = None
    chip: str | None = None
    num_warps: int | None = None
    threads: int | None = None
    registers: int | None = None  #: of 32 bits, a lane; estimated
    threadgroup_bytes: int | None = None
    layouts: tuple[TensorLayout, ...] = ()
    conversions: tuple[Conversion, ...] = ()
    memory: tuple[MemoryBlock, ...] = ()
    barriers: tuple[Barrier, ...] = ()
    dots: tuple[Product, ...] = ()
    accesses: tuple[MemoryAccess, ...] = ()

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), indent=1)

    def __str__(self) -> str:
        sections = _SECTIONS if self.no_metal is None else (_processor, _no_metal)
        return "\n".join(line for section in sections for line in section(self))


def _at(place: _Place) -> str:
    return f"  line {place.line}" if place.line else "  no line"


def _loop(place: _Place) -> str:
    return ", in a loop" if place.in_loop else ""


def _counted(count: int, one: str, many: str | None = None) -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"


def _processor(found: Explanation):
    if found.processor is not None:
        code = found.processor
        yield f"{found.kernel} on cpu: vectors of {code.vector_bytes} bytes, {code.arena_bytes} bytes of scratch memory a program"
        yield (
            f"  statements of its LLVM text: {_counted(code.plain, 'plain access', 'plain accesses')} of vectors, {code.masked} masked, "
            f"{_counted(code.gathers, 'gather')}, {_counted(code.scatters, 'scatter')}, "
            f"{_counted(code.multiply_adds, 'vector multiply-add')}"
        )
        if found.dots:
            yield "  every tl.dot is a register-blocked kernel over packed operands; layouts do not exist there"


def _no_metal(found: Explanation):
    yield f"Nothing can be told of it on metal: {found.no_metal}"


def _head(found: Explanation):
    if found.processor is not None:
        yield f"The rest is what the kernel is on metal, compiled for {found.chip}:"
    yield (
        f"{found.kernel} on {found.chip}, {found.num_warps} warps ({found.threads} threads): {found.threadgroup_bytes} bytes of "
        f"threadgroup memory, about {found.registers} registers a lane"
    )


def _layouts(found: Explanation):
    yield "layouts (elements of a lane, lanes, SIMD-groups, along each dimension)"
    for value in found.layouts:
        name = f" ({value.name})" if value.name else ""
        yield f"{_at(value)}: {value.role}{name}, {_by(value.shape)} {value.element}: {value.layout}"


def _dots(found: Explanation):
    for dot in found.dots:
        size = f"{dot.m}x{dot.n}x{dot.k} of {dot.element}"
        if dot.kind == "scalar":
            yield f"{_at(dot)}: tl.dot {size}{_loop(dot)} falls back to scalar sums: {dot.why}"
            yield f"      {dot.remedy}"
        else:
            yield f"{_at(dot)}: tl.dot {size} on simdgroup_matrix, a tile of {_by(dot.tile)} for each SIMD-group{_loop(dot)}"


def _conversions(found: Explanation):
    total = sum(each.bytes_moved for each in found.conversions)
    moved = f", {total} bytes moved where each runs once" if found.conversions else ""
    yield _sum(len(found.conversions), "conversion") + moved
    for each in found.conversions:
        user = f" for {each.used_by} at line {each.used_at}" if each.used_at and each.purpose == "another layout" else ""
        name = f" ({each.name})" if each.name else ""
        yield f"{_at(each)}: {each.purpose}{name}{user}, {each.bytes} bytes by {each.how}, {each.bytes_moved} moved{_loop(each)}"


def _memory(found: Explanation):
    pool = [block for block in found.memory if block.owner == "compiler"]
    kernel = [block for block in found.memory if block.owner == "kernel"]
    yield f"threadgroup memory: {found.threadgroup_bytes} bytes"
    for owner, blocks in (("the compiler's pool", pool), ("tl.shared_memory", kernel)):
        for block in blocks:
            where = "" if block.offset is None else f" at {block.offset}"
            padding = f", {block.padding} of them padding" if block.padding else ""
            name = f" {block.name}" if block.name else ""
            purpose = f", {block.purpose}" if owner != block.purpose else ""
            yield f"{_at(block)}: {owner}{name}: {_by(block.shape)} {block.element}, {block.bytes} bytes{where}{padding}{purpose}"


def _barriers(found: Explanation):
    yield _sum(len(found.barriers), "barrier")
    for barrier in found.barriers:
        yield f"{_at(barrier)}: {barrier.scope}, {barrier.why}{_loop(barrier)}"


def _accesses(found: Explanation):
    explained: dict[tuple, list[MemoryAccess]] = {}  # those with the same reasons together
    for access in found.accesses:
        if reasons := tuple(reason for reason in access.reasons if not reason.is_note):
            explained.setdefault(reasons, []).append(access)
    if explained:
        yield "accesses that could be better"
    for reasons, accesses in explained.items():
        for access in accesses:
            yield f"  line {access.line}: {access.kind} of {access.element}, {access.pattern}, vectors of {access.vector}"
        for reason in reasons:
            yield f"    - {reason.what}"
            yield f"      {reason.remedy}"
    yield from notes_of(found.accesses)


_SECTIONS = (_processor, _head, _layouts, _dots, _conversions, _memory, _barriers, _accesses)


def _explanation(bound: Bound, device: str, processor: ProcessorCode | None) -> Explanation:
    found = inspect_launch(bound)
    layouts, metadata = found["layouts"], bound.compiled.metadata
    accesses = report_accesses(bound, found["accesses"])
    return Explanation(
        kernel=bound.compiled.name,
        device=device,
        chip=accesses.chip,
        num_warps=metadata.num_warps,
        threads=metadata.facts["threads"],
        registers=metadata.facts["estimated_registers"],
        threadgroup_bytes=metadata.facts["threadgroup_bytes"],
        layouts=tuple(
            TensorLayout(**_place(r), role=r["role"], shape=tuple(r["shape"]), element=r["element"], layout=Layout.from_record(r["layout"]))
            for r in layouts["values"]
        ),
        conversions=tuple(
            Conversion(
                **_place(r), how=r["how"], purpose=r["purpose"], bytes=r["bytes"], bytes_moved=r["bytes_moved"],
                used_by=r.get("used_by", ""), used_at=r.get("used_at", 0),
                source_layout=Layout.from_record(r["from"]), result_layout=Layout.from_record(r["to"]),
            )
            for r in layouts["conversions"]
        ),
        memory=tuple(
            MemoryBlock(
                **_place(r), owner=r["owner"], purpose=r["purpose"], shape=tuple(r["shape"]), element=r["element"], bytes=r["bytes"],
                offset=r.get("offset"), padding=r["padding"],
            )
            for r in layouts["memory"]
        ),
        barriers=tuple(Barrier(**_place(r), scope=r["scope"], owner=r["owner"], why=r["why"]) for r in layouts["barriers"]),
        dots=tuple(
            Product(
                **_place(r), m=r["m"], n=r["n"], k=r["k"], element=r["element"], kind=r["kind"],
                tile=tuple(r["tile"]) if "tile" in r else None, accumulator_registers=r.get("accumulator_registers"),
                why=r.get("why", ""), remedy=r.get("remedy", ""),
            )
            for r in layouts["dots"]
        ),
        accesses=accesses.accesses,
        processor=processor,
    )  # fmt: skip


def explain(kernel, args, grid=None, device: str | None = None, **options) -> Explanation:
    """What the compiler makes of `kernel[grid](*args, device=device, **options)`, without running it.

    kernel: what `bind` takes: a jit function, tuned or not.
    args: the arguments by position, or a mapping by name; constexprs among them.
    device: "metal" or "cpu"; the current one where it is None. The `cpu` device has no layouts, conversions and barriers: for it the
        explanation says what its code does, and what the kernel would be on metal, or why it would not compile there.
    options: num_warps and the like. The chip is the one that TRITON_METAL_CHIP or knobs.metal.chip chooses, or a CompiledKernel is for.

    Raises what the launch would raise for its arguments and for the compilation for `device`.
    """
    bound = bind(kernel, args, grid, device, **options)
    if bound.compiled.metadata.target == "metal":
        return _explanation(bound, "metal", None)
    name, processor = bound.compiled.name, ProcessorCode.of(bound.compiled)
    if isinstance(kernel, CompiledKernel):
        return Explanation(name, "cpu", processor, "it was compiled for the cpu device")
    try:
        return _explanation(bind(kernel, args, grid, "metal", **options), "cpu", processor)
    except (UnsupportedOnDevice, OutOfResources, AutotunerError) as error:
        return Explanation(name, "cpu", processor, str(error))
