"""`triton-metal`: compile, run and look at kernels, and see what works on this machine."""

from __future__ import annotations

import argparse
import os
import sys
import time

from ..compiler.stages import STAGES
from ..errors import TritonError
from .doctor import EPILOG as DOCTOR_HELP
from .doctor import doctor_command
from .failures import ScriptError, UsageError, error_text
from .inspect_kernel import EPILOG as INSPECT_HELP
from .inspect_kernel import inspect_command
from .profile import EPILOG as PROFILE_HELP
from .profile import add_arguments as add_profile_arguments
from .profile import profile_command
from .sources import check_output, declaration, find_kernel, jit_function, source_of, split_kernel
from .tune import EPILOG as TUNE_HELP
from .tune import tune_command

MAIN_STAGE = {"cpu": "asm", "metal": "msl"}

EXAMPLES = """\
examples:
  triton-metal inspect examples/softmax.py
      the kernels of a file and their parameters; with --launch what each becomes when the script launches it
  triton-metal tune examples/elementwise.py
      run a script, and see what the tuner chose for its kernels
  triton-metal compile examples/softmax.py --signature "*fp32:16, *fp32:16, i32, i32, i32, 1024" --device metal
      a kernel as Metal Shading Language; --emit chooses another stage, -o a file
  triton-metal run examples/vector_add.py --grid 4 randn:fp32[4000] ones:fp32[4000] zeros:fp32[4000] 4000 BLOCK=1024
      launch a kernel on made-up arrays and see what it wrote
  triton-metal profile examples/softmax.py
      run a script and print what its kernels did: times, bytes, operations, and which roof bounds them
  triton-metal doctor
      what works on this machine, what is missing, and how to get it

`triton-metal COMMAND --help` says more. A .ttir file of Triton 3.2 to 3.9 can stand wherever a .py file can.
"""

SIGNATURE_HELP = """\
the signature has an item for each parameter, separated by commas:
  *fp32:16     a pointer to fp32 whose address is a multiple of 16 (what NumPy and PyTorch usually give)
  *fp16        a pointer with any address; types are fp16 bf16 fp32 fp64 i1 i8 i16 i32 i64 u8 u16 u32 u64
  i32          a number at run time; i32:16 a multiple of 16; i32:1 always 1, which makes it a constant
  1024         the value of a constexpr; parameters with a default may be left out
  BLOCK=1024   an item by name, in any place

stages: cpu has ttir (tile program), llir (LLVM), asm (assembly), obj (object file);
        metal has ttir, ttm (with layouts), msl (Metal Shading Language), air (LLVM bitcode of that text, as text).
"""

RUN_HELP = """\
arguments, one for each parameter, in order or as NAME=VALUE:
  4000, 1.5, True      numbers, and values of constexprs
  x.npy                an array from a file
  randn:fp32[64,1000]  a new array: zeros, ones, arange, rand, randn, randint (0 to 99) of fp16 fp32 fp64 i8 ... u64
  BLOCK=1024           an argument or an option of the launch by name
"""


def _formatter(prog: str):
    return argparse.RawDescriptionHelpFormatter(prog, max_help_position=28, width=110)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="triton-metal", description="Triton kernels on Apple GPUs and on every machine's CPU.", epilog=EXAMPLES,
        formatter_class=_formatter,
    )  # fmt: skip
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(name: str, help: str, epilog: str = "", file: str | None = "FILE") -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help, description=help, epilog=epilog, formatter_class=_formatter)
        if file:
            sub.add_argument("file", metavar="FILE[:KERNEL]", help="a .py file with @jit functions, or a .ttir file")
            sub.add_argument("-k", "--kernel", help="name of the kernel; may be left out where the file has one")
        return sub

    def device(sub) -> None:
        sub.add_argument("-d", "--device", choices=("cpu", "metal"), help="default: this machine's (see doctor)")
        sub.add_argument("--num-warps", type=int, default=4, help="SIMD groups a program has on metal (default: 4)")

    sub = command("compile", "compile a kernel and print one of its stages", SIGNATURE_HELP)
    sub.add_argument("-s", "--signature", help="types and constants of the parameters, see below")
    device(sub)
    sub.add_argument("-e", "--emit", metavar="STAGE", help="default: asm on cpu, msl on metal")
    sub.add_argument("-o", "--output", help="write there instead of printing")
    sub.set_defaults(run=compile_command)

    sub = command("run", "launch a kernel on numbers and arrays", RUN_HELP)
    sub.add_argument("arguments", nargs="*", metavar="ARGUMENT", help="see below")
    sub.add_argument("-g", "--grid", default="1", help="programs along x[,y[,z]] (default: 1)")
    device(sub)
    sub.add_argument("--seed", type=int, default=0, help="of rand, randn and randint (default: 0)")
    sub.add_argument("--repeat", type=int, default=1, help="launches; the median time is printed (default: 1)")
    sub.add_argument("--save", action="append", default=[], metavar="NAME=FILE.npy", help="write an array afterwards")
    sub.set_defaults(run=run_command)

    sub = command("inspect", "what kernels a file has, and what one becomes: parameters, facts, stages",
                  f"{SIGNATURE_HELP}\n{INSPECT_HELP}")  # fmt: skip
    sub.add_argument("-s", "--signature", help="types and constants of the parameters, see below")
    device(sub)
    sub.add_argument("--stage", action="append", metavar="STAGE[,...]", help="print these stages only")
    sub.add_argument("--facts", action="store_true", help="print the facts of the code only")
    sub.add_argument("--explain", action="store_true", help="with --launch: what the compiler made of it, and what could be better")
    sub.add_argument("--json", action="store_true", help="for programs")
    sub.add_argument("--launch", nargs=argparse.REMAINDER, metavar="ARGUMENT",
                     help="run FILE as a script, with all arguments that follow, and show what it launches")  # fmt: skip
    sub.set_defaults(run=inspect_command)

    sub = command("tune", "run a script, and show what the tuner chose for its kernels", TUNE_HELP, file=None)
    sub.add_argument("-d", "--device", choices=("cpu", "metal"), help="device of launches that name none (default: this machine's)")
    sub.add_argument("--fresh", action="store_true", help="search although winners are on disk, and replace them")
    sub.add_argument("--export", metavar="FILE.json", help="write the reports there too")
    sub.add_argument("file", metavar="SCRIPT", help="a Python script that launches kernels")
    sub.add_argument("arguments", nargs=argparse.REMAINDER, metavar="ARGUMENT", help="arguments of the script").required = False
    sub.set_defaults(run=tune_command)

    sub = command("profile", "run a script and print what its kernels did; also as JSON, trace and page", PROFILE_HELP, file=None)
    add_profile_arguments(sub)
    sub.set_defaults(run=profile_command)

    sub = command("doctor", "what works on this machine, what is missing, and how to get it", DOCTOR_HELP, file=None)
    sub.add_argument("--json", action="store_true", help="for programs")
    sub.set_defaults(run=doctor_command)
    return parser


def _check_chip() -> None:
    from ..devices import check_chip

    try:
        check_chip(os.environ.get("TRITON_METAL_CHIP", "apple-m1"))
    except ValueError as error:
        raise UsageError(f"TRITON_METAL_CHIP: {error}") from error


def _compile(options):
    from ..compiler import compile

    source = source_of(options.file, options.kernel, options.signature)
    return compile(source, target=options.device, options={"num_warps": options.num_warps})


def compile_command(options) -> int:
    from ..devices import current_device

    device = options.device or current_device()
    stage = options.emit or MAIN_STAGE[device]
    if stage not in STAGES[device]:
        elsewhere = [name for name, stages in STAGES.items() if stage in stages]
        hint = f"; {stage} is a stage of {elsewhere[0]}, ask for --device {elsewhere[0]}" if elsewhere else ""
        raise UsageError(f"{device} has the stages {', '.join(STAGES[device])}{hint}")
    if options.output:
        check_output(options.output)
    content = _compile(options).asm[stage]
    if options.output:
        with open(options.output, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
    elif isinstance(content, bytes):
        if sys.stdout.isatty():
            raise UsageError(f"{stage} is binary: write it to a file by -o")
        sys.stdout.buffer.write(content)
    else:
        print(content.rstrip("\n"))
    return 0


def _grid(text: str) -> tuple[int, ...]:
    try:
        grid = tuple(int(extent) for extent in text.split(","))
    except ValueError:
        grid = ()
    if not 1 <= len(grid) <= 3:
        raise UsageError(f"--grid {text!r}: one to three numbers, such as 64 or 8,8")
    return grid


def _bind_arguments(names: list[str], declared: str, texts: list[str], rng) -> tuple[dict, dict]:
    """Values of the parameters, and options of the launch."""
    from .arguments import parse_argument

    values: dict = {}
    launch: dict = {}
    place = 0
    for text in texts:
        name, equals, rest = text.partition("=")
        if equals and name.isidentifier():
            (values if name in names else launch)[name] = parse_argument(rest, rng)
            continue
        if place == len(names):
            raise UsageError(f"{text!r} is one argument more than {declared} takes")
        values[names[place]] = parse_argument(text, rng)
        place += 1
    return values, launch


def run_command(options) -> int:
    import numpy as np

    from ..devices import current_device, synchronize
    from .arguments import describe

    device = options.device or current_device()
    grid = _grid(options.grid)
    rng = np.random.default_rng(options.seed)
    compilation = 0.0
    if options.file.endswith(".ttir"):
        began = time.perf_counter()
        kernel = _compile_text(options, device)
        compilation = time.perf_counter() - began
        names = [param.name for param in kernel.signature.params]
        values, launch = _bind_arguments(names, f"{kernel.name}({', '.join(names)})", options.arguments, rng)
        missing = [name for name in names if name not in values]
        if missing or launch:
            raise UsageError(f"{kernel.name}({', '.join(names)}): missing {missing}, unknown {sorted(launch)}")
        ordered = [values[name] for name in names]

        def start():
            kernel[grid](*ordered)
    else:
        decorated = find_kernel(options.file, options.kernel)
        fn = jit_function(decorated)
        values, launch = _bind_arguments([param.name for param in fn.params], declaration(fn), options.arguments, rng)
        if decorated is fn:
            launch.setdefault("num_warps", options.num_warps)

        def start():
            decorated[grid](**values, device=device, **launch)

    arrays = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
    saved = dict(_save_target(text, arrays) for text in options.save)
    before = {name: array.copy() for name, array in arrays.items()}
    began = time.perf_counter()
    start()
    synchronize()
    first = compilation + time.perf_counter() - began
    lines = [describe(name, before[name], array) for name, array in arrays.items()]
    times = []
    for _ in range(options.repeat - 1):
        began = time.perf_counter()
        start()
        synchronize()
        times.append(time.perf_counter() - began)
    print("\n".join(lines))
    again = f", again {1e3 * sorted(times)[len(times) // 2]:.3f} ms (median of {len(times)})" if times else ""
    print(f"{device}: first launch with compilation {1e3 * first:.1f} ms{again}")
    for name, path in saved.items():
        np.save(path, arrays[name])
    return 0


def _save_target(text: str, arrays: dict) -> tuple[str, str]:
    name, _, path = text.partition("=")
    if name not in arrays or not path:
        raise UsageError(f"--save {text!r}: NAME=FILE.npy, with NAME one of {', '.join(arrays) or 'no array'}")
    check_output(path)
    return name, path


def _compile_text(options, device: str):
    from ..compiler import compile

    return compile(source_of(options.file, None, None), target=device, options={"num_warps": options.num_warps})


def main(arguments: list[str] | None = None) -> int:
    """Run the command line. 0: done, 1: the kernel or the machine is at fault, 2: the command line is."""
    parser = _parser()
    if not (sys.argv[1:] if arguments is None else arguments):  # who knows no command wants the list of them
        parser.print_help()
        return 0
    # Arguments of a kernel that follow an option are left over: argparse does not collect a list in several places.
    options, rest = parser.parse_known_args(arguments)
    unknown = [text for text in rest if options.command != "run" or text.startswith("--")]
    if unknown:
        parser.error(f"unrecognized: {' '.join(unknown)}; see triton-metal {options.command} --help")
    if rest:
        options.arguments += rest
    if hasattr(options, "kernel"):
        options.file, named = split_kernel(options.file)
        options.kernel = options.kernel or named
    try:
        if options.command != "doctor":
            _check_chip()
        return options.run(options)
    except UsageError as error:
        print(f"triton-metal {options.command}: {error}", file=sys.stderr)
        return 2
    except ScriptError as error:
        return error.status
    except TritonError as error:
        print(f"triton-metal {options.command}: {error_text(error)}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
