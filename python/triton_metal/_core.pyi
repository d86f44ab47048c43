from collections.abc import Sequence
import types


class CPUCode:
    """A kernel as machine code."""

    @property
    def signature(self) -> KernelSignature: ...

    @property
    def ttir(self) -> str: ...

    @property
    def llir(self) -> str: ...

    @property
    def object(self) -> bytes: ...

    @property
    def arena_bytes(self) -> int: ...

    @property
    def checked(self) -> bool: ...

    def assembly(self) -> str: ...

    def launchable(self) -> Launchable: ...

def compile_for_cpu(module: Module, fp_fusion: bool = True, checked: bool = False, processor: str = '', verify_each: bool = False, planted_fault: str = '') -> CPUCode: ...

def load_for_cpu(name: str, params: Sequence[tuple[str, str, int, bool, bool]], ttir: str, llir: str, object: bytes, arena_bytes: int, checked: bool = False, processor: str = '') -> CPUCode: ...

def cpu_target_key(processor: str = '') -> str:
    """Processor, features and triple that objects are made for."""

class DiskCache:
    """Compiled kernels on disk; entries are whole or absent."""

    def __init__(self, directory: str, limit_bytes: int = 0) -> None: ...

    def load(self, key: str) -> object:
        """The files of the entry, or None."""

    def store(self, key: str, files: dict) -> str:
        """Write an entry; the empty string, or why it could not be written."""

    def clear(self) -> int:
        """Remove all entries but those that are being written; the bytes that they had."""

    def path(self, key: str) -> str: ...

def cache_key(bytes: bytes) -> str:
    """SHA-256 in base 32, as names of cache entries."""

class ParamInfo:
    """One argument of a kernel, as the launcher sees it."""

    @property
    def name(self) -> str: ...

    @property
    def type(self) -> str: ...

    @property
    def divisibility(self) -> int: ...

    @property
    def may_be_written(self) -> bool: ...

    @property
    def may_be_read(self) -> bool: ...

class KernelSignature:
    """Name and arguments of a kernel."""

    @property
    def name(self) -> str: ...

    @property
    def params(self) -> list[ParamInfo]: ...

    @property
    def offsets(self) -> list[int]: ...

    @property
    def params_size(self) -> int: ...

    def prepare(self) -> None:
        """Make the code runnable now, which the first launch does else."""

class Module:
    """A module of the tt dialect, in a context of its own."""

    @staticmethod
    def parse(text: str, name: str = '<ttir>') -> Module:
        """Read TTIR text of Triton 3.2 to 3.9, or of this package."""

    def __str__(self) -> str: ...

    def text(self, locations: bool = True) -> str:
        """The module as text in the form of Triton 3.8."""

    def verify(self) -> None:
        """Raise InvalidModule unless the module is well formed."""

    @property
    def signature(self) -> KernelSignature: ...

def launch_costs(ttir: str, launches: Sequence[tuple[bytes, tuple[int, int, int]]]) -> list:
    """
    Bytes and operations of each launch (block of parameters, grid), counted without running it. `reasons` holds (why it is not exact,
    file, line), `arguments` the numbers of the arguments that counts depend on.
    """

def build_module(fn: object, signature: object, constants: dict = {}, attrs: dict = {}, options: dict = {}) -> Module:
    """
    Build the tt module of a jit function.

    signature: a type for each parameter, such as '*fp32', 'i32' or 'constexpr'; a tuple for a tuple. A sequence, or a dict by name.
    constants: the values of constexpr parameters, by path: (2,) is the third parameter, (2, 0) its first element; names and
    indices are paths too.
    attrs: by path, the attributes of arguments: {'tt.divisibility': 16}, or a list of pairs.
    options: a dict; read are name, debug, sanitize_overflow, language_version, default_dot_input_precision and
    allow_non_constexpr_globals.
    """

class KernelBase:
    """
    Base of JITFunction: binds, specialises and launches without Python code.
    """

    def __getitem__(self, key, /):
        """Return self[key]."""

    pre_run_hooks: getset_descriptor = ...

    best_config: getset_descriptor = ...

class Launcher:
    """kernel[grid]: call it with the kernel's arguments."""

    def __call__(self, /, *args, **kwargs):
        """Call self as a function."""

    def _bind(self, *args, **kwargs) -> tuple[object, bytes, tuple[int, int, int]]:
        """
        (CompiledKernel, block of parameters, grid) of the launch with these arguments, which is not run.
        """

    __vectorcalloffset__: types.MemberDescriptorType = ...

class Launchable:
    """Compiled code of one kernel for one device."""

    @property
    def device(self) -> str: ...

    @property
    def signature(self) -> KernelSignature: ...

    @property
    def offsets(self) -> list[int]: ...

    @property
    def params_size(self) -> int: ...

def native_launchable(name: str, types: Sequence[str], address: int, arena_bytes: int = 0) -> Launchable:
    """A function of the CPU kernels' ABI that was compiled elsewhere."""

def option_names() -> list:
    """
    Keyword arguments that a launch accepts beside the kernel's parameters.
    """

def set_device(name: str) -> None:
    """The device of launches that name none."""

def get_device() -> str: ...

def set_knobs_stamp(stamp: int) -> None:
    """
    A number that stands for the knobs that were assigned; part of the key of every launch.
    """

def set_cpu_timeout(milliseconds: int) -> None: ...

def set_launch_hooks(enter: object | None, exit: object | None) -> None: ...

def environment_stamp() -> int: ...

def start_recording(limit: int) -> None:
    """
    Record launches from now on, at most so many; those beyond are counted.
    """

def stop_recording() -> dict:
    """
    What was recorded: began, ended (nanoseconds), dropped, threads (names), shapes (CompiledKernel, parameters, grid) and
    records, bytes of (shape: uint32, thread: uint32, begin: uint64, end: uint64); the highest bit of thread marks a trial.
    """

def recording_position() -> tuple[int, int, int]:
    """This moment of the recording that is on."""

def read_recording(since: tuple[int, int, int]) -> dict:
    """What was recorded since that position, as stop_recording() gives it. Recording goes on."""

def is_recording() -> bool: ...

def begin_search() -> None:
    """This thread's launches are a tuner's trials until end_search()."""

def end_search() -> None: ...

def begin_unobserved() -> None:
    """This thread's launches are not recorded, and launch hooks are not called for them, until end_unobserved()."""

def end_unobserved() -> None: ...
def is_searching() -> bool:
    """Whether this thread's launches are trials, not the program's own."""

OPERATIONS_PER_CORE: int
"""Operations of a core of Apple's GPUs and clock on floats of 32 or 16 bits."""

def chip_of_architecture(architecture: str) -> str | None: ...
def metal_device() -> dict: ...
def chip_names() -> list[str]:
    """Profiles of Apple's GPUs, oldest first."""

def chip_facts(name: str) -> dict:
    """What the table of chips says of one: published figures, most cores and bandwidth of those with this name."""

def take_metal_counters() -> dict[str, int]:
    """What counting launches have done since the last call; only the software Metal counts."""

def num_threads() -> int:
    """Threads that work on a launch of the CPU device."""

class MetalCode:
    """A kernel as Metal Shading Language."""

    @property
    def signature(self) -> KernelSignature: ...

    @property
    def ttir(self) -> str: ...

    @property
    def ttm(self) -> str: ...

    @property
    def msl(self) -> str: ...

    @property
    def entry(self) -> str: ...

    @property
    def lines(self) -> list:
        """
        (line and column of the text, file, line, column) of the source, in the order of the text: each holds up to the next one. Column 0 is the
        whole statement.
        """

    @property
    def facts(self) -> dict: ...

    @property
    def ignored_hints(self) -> list:
        """(message, file, line) of each layout hint that could not be followed."""

    def air(self) -> str:
        """The kernel's AIR as text; only the software Metal has it."""

    def with_text(self, text: str) -> MetalCode: ...
    def launchable(self, checked: bool = False) -> Launchable: ...
    def counting_launchable(self, sample: int = 0, checked: bool = False) -> Launchable:
        """
        Its launches count what they do, in so many threadgroups of a larger grid, and leave the rest undone; see take_metal_counters.
        """

def compile_for_metal(module: Module, num_warps: int = 4, chip: str = 'apple-m1', fp_fusion: bool = True, verify_each: bool = False, planted_fault: str = '') -> MetalCode: ...

def inspect_for_metal(ttir: str, params: bytes, grid: tuple[int, int, int], program: tuple[int, int, int] = (0, 0, 0), num_warps: int = 4, chip: str = 'apple-m1') -> str:
    """
    What the compiler makes of the kernel for a launch with this block of parameters, as JSON: the accesses of one program, layouts, conversions, threadgroup memory, barriers, dots.
    """

def load_for_metal(name: str, params: Sequence[tuple[str, str, int, bool, bool]], ttir: str, ttm: str, msl: str, entry: str, lines: Sequence[tuple[int, int, str, int, int]], facts: dict) -> MetalCode:
    """A kernel that was compiled before; facts and lines as MetalCode gives them."""

def softmetal_compile(text: str) -> None: ...
def set_softmetal_path(path: str) -> None:
    """Where libsoftmetal lies; it is loaded when it is first needed."""

def set_metal_run_options(seed: int, timeout_ms: int) -> None:
    """
    Schedule and time limit of the software Metal, from the next launch on.
    """

def synchronize() -> None:
    """
    Wait for all launches. Those of the CPU device have finished when they return.
    """
