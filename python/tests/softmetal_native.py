"""libsoftmetal's C interface (softmetal/softmetal.h) through ctypes, with NumPy arrays as buffers: for tests only."""
import ctypes as ct
import os
from pathlib import Path

import numpy as np

BOUNDS, RACES, INITIALISATION, DIVERGENCE, UNIFORM, ALL, ARRAY_ORDER = 1, 2, 4, 8, 16, 31, 32
COMPLETED, ERROR, FAULT, TIMEOUT, INTERRUPTED = 1, 2, 3, 4, 5
KINDS = ("bounds", "threadgroup_bounds", "race", "device_race", "uninitialised", "divergence", "inactive_lane", "uniform", "alignment",
         "deadlock", "timeout", "stack_overflow", "private_bounds", "trap")


def library_path():
    """TRITON_METAL_SOFTMETAL, or the build folder beside this checkout."""
    given = os.environ.get("TRITON_METAL_SOFTMETAL")
    root = Path(__file__).resolve().parents[2]
    candidates = [Path(given)] if given else [root / "build" / "softmetal" / "libsoftmetal.so", root / "build" / "python" / "triton_metal" /
                                              "libsoftmetal.so"]
    return next((path for path in candidates if path.exists()), None)


class Constant(ct.Structure):
    _fields_ = [("index", ct.c_uint32), ("type", ct.c_uint32), ("bits", ct.c_uint64)]


class PipelineOptions(ct.Structure):
    _fields_ = [("checks", ct.c_uint32), ("count", ct.c_uint32), ("sample", ct.c_uint32)]


class CompileOptions(ct.Structure):
    _fields_ = [("languageVersion", ct.c_uint32), ("mathMode", ct.c_uint32), ("lineTables", ct.c_uint32)]


class Buffer(ct.Structure):
    _fields_ = [("address", ct.c_void_p), ("bytes", ct.c_uint64)]


class RunOptions(ct.Structure):
    _fields_ = [("seed", ct.c_uint64), ("workers", ct.c_uint32), ("timeoutMs", ct.c_uint32), ("keepDenormals", ct.c_uint32),
                ("optLevel", ct.c_int32)]


class Dispatch(ct.Structure):
    _fields_ = [("buffers", ct.POINTER(Buffer)), ("bufferCount", ct.c_size_t), ("resources", ct.POINTER(Buffer)),
                ("resourceCount", ct.c_size_t), ("threadgroupBytes", ct.POINTER(ct.c_uint32)), ("threadgroupCount", ct.c_size_t),
                ("threadgroups", ct.c_uint64 * 3), ("threads", ct.c_uint32 * 3), ("gridThreads", ct.c_uint64 * 3), ("run", RunOptions)]


class Report(ct.Structure):
    _fields_ = [("kind", ct.c_uint32), ("line", ct.c_uint32), ("column", ct.c_uint32), ("otherLine", ct.c_uint32),
                ("otherColumn", ct.c_uint32), ("count", ct.c_uint64), ("buffer", ct.c_int32), ("offset", ct.c_int64),
                ("threadgroup", ct.c_uint32 * 3), ("address", ct.c_uint64), ("array", ct.c_char * 32),
                ("kernel", ct.c_char * 64), ("message", ct.c_char * 512)]


COUNTERS = ("switches collectives barriers lanes deviceAccesses deviceBytes deviceTransactions threadgroupAccesses threadgroupBytes "
            "bankConflicts matrixOperations floatOperations deviceLines distinctLoaded distinctStored distinctAtomic distinctFloat "
            "distinctSpecial distinctProducts").split()


class Counters(ct.Structure):
    _fields_ = [(name, ct.c_uint64) for name in COUNTERS]


class PipelineInfo(ct.Structure):
    _fields_ = [("maxThreads", ct.c_uint32), ("threadgroupBytes", ct.c_uint32), ("stackBytes", ct.c_uint32), ("reserved", ct.c_uint32),
                ("loadMs", ct.c_double), ("translateMs", ct.c_double), ("codeMs", ct.c_double)]


class SoftMetalError(Exception):
    """What the library refused, in its own words."""


_native = None


def native():
    global _native
    if _native is None:
        _native = ct.CDLL(str(library_path()))
        pointer = ct.c_void_p
        for name, result, arguments in (
            ("softmetalVersion", ct.c_char_p, []),
            ("softmetalFree", None, [pointer]),
            ("softmetalLibraryFromText", pointer, [ct.c_char_p, ct.c_size_t, pointer, pointer]),
            ("softmetalLibraryFromBytes", pointer, [ct.c_char_p, ct.c_size_t, pointer]),
            ("softmetalLibraryFromFile", pointer, [ct.c_char_p, pointer]),
            ("softmetalLibraryRelease", None, [pointer]),
            ("softmetalLibraryFunctions", pointer, [pointer]),
            ("softmetalLibraryAIR", pointer, [pointer, ct.c_char_p, pointer]),
            ("softmetalPipelineNew", pointer, [pointer, ct.c_char_p, pointer, ct.c_size_t, pointer, ct.c_int32, pointer]),
            ("softmetalPipelineRelease", None, [pointer]),
            ("softmetalPipelineInfo", None, [pointer, pointer]),
            ("softmetalPipelineIR", pointer, [pointer, ct.c_char_p, pointer, ct.c_size_t, pointer, ct.c_int32, pointer]),
            ("softmetalDispatch", ct.c_uint32, [pointer, pointer, pointer, pointer, pointer, pointer]),
        ):
            function = getattr(_native, name)
            function.restype, function.argtypes = result, arguments
    return _native


def _take(pointer):
    """The text at a pointer that the library allocated, which is freed."""
    if not pointer:
        return ""
    text = ct.string_at(pointer).decode(errors="replace")
    native().softmetalFree(pointer)
    return text


def _bits(value):
    if isinstance(value, float):
        return int(np.float32(value).view(np.uint32))
    return int(value) & (2**64 - 1)


class Library:
    """Kernels from MSL `text`, from the bytes of a .metallib or an AIR module, or from a file."""

    def __init__(self, text=None, data=None, path=None, lines=True, language=0):
        error = ct.c_void_p()
        if text is not None:
            raw = text.encode()
            options = CompileOptions(language, 0, int(lines))
            self.handle = native().softmetalLibraryFromText(raw, len(raw), ct.byref(options), ct.byref(error))
        elif data is not None:
            self.handle = native().softmetalLibraryFromBytes(data, len(data), ct.byref(error))
        else:
            self.handle = native().softmetalLibraryFromFile(os.fsencode(path), ct.byref(error))
        self.messages = _take(error.value)
        if not self.handle:
            raise SoftMetalError(self.messages)

    def __del__(self):
        if getattr(self, "handle", None):
            native().softmetalLibraryRelease(self.handle)

    def functions(self):
        return _take(native().softmetalLibraryFunctions(self.handle)).split()

    def air(self, name):
        error = ct.c_void_p()
        text = _take(native().softmetalLibraryAIR(self.handle, name.encode(), ct.byref(error)))
        if error.value:
            raise SoftMetalError(_take(error.value))
        return text

    def _constants(self, constants):
        return (Constant * max(1, len(constants)))(*(Constant(index, 0, _bits(value)) for index, value in constants.items()))

    def ir(self, name, constants={}, checks=0, count=False, level=0):
        error = ct.c_void_p()
        text = _take(native().softmetalPipelineIR(self.handle, name.encode(), self._constants(constants), len(constants),
                                                  ct.byref(PipelineOptions(checks, int(count))), level, ct.byref(error)))
        if error.value:
            raise SoftMetalError(_take(error.value))
        return text

    def kernel(self, name, constants={}, checks=0, count=False, level=0):
        return Kernel(self, name, constants, checks, count, level)


class Kernel:
    """`constants`: {index: value} of function constants."""

    def __init__(self, library, name, constants, checks, count, level):
        error = ct.c_void_p()
        self.library = library
        self.handle = native().softmetalPipelineNew(library.handle, name.encode(), library._constants(constants), len(constants),
                                                    ct.byref(PipelineOptions(checks, int(count))), level, ct.byref(error))
        if not self.handle:
            raise SoftMetalError(_take(error.value))
        self.info = PipelineInfo()
        native().softmetalPipelineInfo(self.handle, ct.byref(self.info))

    def __del__(self):
        if getattr(self, "handle", None):
            native().softmetalPipelineRelease(self.handle)

    def run(self, buffers, groups=None, threads=(1, 1, 1), grid=None, threadgroup=(), resources=(), seed=0, workers=0, timeout_ms=0,
            denormals=False, expect=COMPLETED):
        """buffers: {index: array or scalar}; groups: threadgroups, or grid: threads. Raises unless the status is `expect`."""
        three = lambda size: (tuple(size) + (1, 1, 1))[:3]
        threads = three(threads)
        if groups is None:
            grid = three(grid)
            groups = tuple(-(-n // t) for n, t in zip(grid, threads))
        groups = three(groups)
        count = max(buffers, default=-1) + 1
        table, keep = (Buffer * max(1, count))(), []
        for index, value in buffers.items():
            array = np.asarray(value)
            keep.append(array)
            table[index] = Buffer(array.ctypes.data, array.nbytes)
        extra = (Buffer * max(1, len(resources)))(*(Buffer(a.ctypes.data, a.nbytes) for a in resources))
        lengths = (ct.c_uint32 * max(1, len(threadgroup)))(*threadgroup)
        dispatch = Dispatch(table, count, extra, len(resources), lengths, len(threadgroup), (ct.c_uint64 * 3)(*groups),
                            (ct.c_uint32 * 3)(*threads), (ct.c_uint64 * 3)(*(grid or (0, 0, 0))),
                            RunOptions(seed, workers, timeout_ms, int(denormals), -1))
        reports, number, counters, error = ct.POINTER(Report)(), ct.c_size_t(), Counters(), ct.c_void_p()
        self.status = native().softmetalDispatch(self.handle, ct.byref(dispatch), ct.byref(reports), ct.byref(number),
                                                 ct.byref(counters), ct.byref(error))
        self.message = _take(error.value)
        self.counters = {name: getattr(counters, name) for name in COUNTERS}
        self.reports = []
        for i in range(number.value):
            report = reports[i]
            self.reports.append({"kind": KINDS[report.kind], "line": report.line, "column": report.column, "other_line": report.otherLine,
                                 "count": report.count, "buffer": report.buffer, "offset": report.offset,
                                 "message": report.message.decode(errors="replace")})
        if reports:
            native().softmetalFree(reports)
        if expect is not None and self.status != expect:
            raise SoftMetalError(f"status {self.status}: {self.message}")
        return self
