"""`triton-metal inspect`: the kernels of a file, and what one becomes: parameters, facts, stages."""

from __future__ import annotations

import json

from ..compiler import compile
from ..compiler.compiler import CompiledKernel
from ..compiler.stages import STAGES
from ..devices import current_device, set_device
from ..errors import TritonError
from .scripts import Launched, recorded_launches, run_script
from .sources import UsageError, declaration, kernels_of, load_file, signature_of, source_of

EPILOG = """\
examples:
  triton-metal inspect examples/softmax.py
      the kernels of a file and their parameters
  triton-metal inspect examples/softmax.py:softmax_kernel -s "*fp32:16, *fp32:16, i32, i32, i32, 1024" -d metal
      one of them for these types: parameters, facts of the code, how long its stages are
  triton-metal inspect examples/softmax.py --launch
      run the script, and show each kernel that it launches, with the signature that the launch had
  triton-metal inspect --stage msl examples/matmul.py:matmul_kernel --launch --device metal
      the Metal text of what the script launches; all behind --launch goes to the script
  triton-metal inspect --explain examples/softmax.py --launch --device metal
      what became of each with the arguments that it was launched with: layouts, conversions, threadgroup memory, barriers, poor accesses
  triton-metal inspect kernel.ttir --stage llir,asm
      several stages of a file of TTIR

facts, of metal: threads of a threadgroup, threadgroup_bytes (at most 32768), barriers, estimated_registers (32-bit words a lane), matrix
  instructions, the least MSL version, and bytes and operations of one program where the compiler knows them.
"""


def stages_of(options) -> list[str]:
    """The stages asked for, and the device that follows from them where none is given. UsageError for an unknown one."""
    stages = [stage for text in options.stage or () for stage in text.split(",") if stage]
    known = dict.fromkeys(stage for stages in STAGES.values() for stage in stages)
    for stage in stages:
        if stage not in known:
            raise UsageError(f"there is no stage {stage}; there are {', '.join(known)}")
        if stage == "obj":
            raise UsageError("obj is binary: triton-metal compile --emit obj -o FILE writes it")
        homes = [device for device in STAGES if stage in STAGES[device]]
        if len(homes) == 1:
            if options.device not in (None, homes[0]):
                raise UsageError(f"{options.device} has the stages {', '.join(STAGES[options.device])}; {stage} is one of {homes[0]}")
            options.device = homes[0]
    return stages


def _parameters(kernel: CompiledKernel) -> list[dict]:
    return [{"name": param.name, "type": param.type, "offset": offset, "written": param.may_be_written}
            for param, offset in zip(kernel.signature.params, kernel.signature.offsets)]  # fmt: skip


def _facts(kernel: CompiledKernel) -> dict:
    return {key: value for key, value in kernel.metadata.facts.items() if key != "lines"}


def _lengths(kernel: CompiledKernel) -> dict[str, int]:
    """Lines of each stage; bytes of binary ones."""
    stages = {name: kernel.asm[name] for name in kernel.asm.keys()}
    return {name: len(text) if isinstance(text, bytes) else text.count("\n") for name, text in stages.items()}


def _as_json(kernel: CompiledKernel, launched: Launched | None, stages: list[str]) -> dict:
    found = {"name": kernel.name, "device": kernel.metadata.target, "num_warps": kernel.metadata.num_warps,
             "signature": signature_of(kernel), "params": _parameters(kernel), "facts": _facts(kernel),
             "stages": _lengths(kernel)}  # fmt: skip
    if launched is not None:
        found |= {"grid": list(launched.grid), "launches": launched.launches}
        if isinstance(launched.explanation, TritonError):
            found["explanation"] = str(launched.explanation)
        elif launched.explanation is not None:
            found["explanation"] = json.loads(launched.explanation.to_json())
    return found | {"text": {stage: kernel.asm[stage] for stage in stages}} if stages else found


def _print_facts(kernel: CompiledKernel) -> None:
    print("facts:")
    for key, value in _facts(kernel).items():
        print(f"  {key:28s} {value}")


def _print(kernel: CompiledKernel, launched: Launched | None, stages: list[str], facts: bool) -> None:
    if launched is not None or not stages:
        times = "" if launched is None else f": {launched.launches} launch{'es' * (launched.launches > 1)}, grid {launched.grid}"
        print(f"{kernel.name} on {kernel.metadata.target}, {kernel.metadata.num_warps} warps{times}")
    if facts:
        _print_facts(kernel)
    if launched is not None and launched.explanation is not None:
        print(launched.explanation)
    elif not stages and not facts:
        signature = signature_of(kernel)
        if launched is not None and signature is not None:
            print(f'signature: "{signature}"')
        print("parameters (offset in the block of arguments, type, name):")
        for param in _parameters(kernel):
            print(f"  {param['offset']:4d}  {param['type']:8s} {param['name']}{'  written' if param['written'] else ''}")
        _print_facts(kernel)
        lengths = (f"{name} ({size} {'bytes' if name == 'obj' else 'lines'})" for name, size in _lengths(kernel).items())
        print("stages: " + ", ".join(lengths))
    for stage in stages:
        print(kernel.asm[stage].rstrip("\n"))


def _list_kernels(options) -> int:
    kernels = kernels_of(load_file(options.file))
    if options.kernel is not None and options.kernel not in kernels:
        raise UsageError(f"there is no @jit function {options.kernel} in {options.file}; it has: {', '.join(kernels) or 'none'}")
    shown = {name: fn for name, fn in kernels.items() if options.kernel in (None, name)}
    if options.json:
        print(json.dumps({name: [param.name for param in fn.params] for name, fn in shown.items()}, indent=1))
    else:
        print("\n".join(map(declaration, shown.values())) or f"{options.file} defines no @jit function")
    return 0


def _launched(options, stages: list[str]) -> int:
    """Run the script, then show the kernels that it launched."""
    before = current_device()
    if options.device is not None:
        set_device(options.device)
    try:
        with recorded_launches(options.explain) as seen:
            status = run_script(options.file, options.launch)
    finally:
        set_device(before)
    launches = [launch for launch in seen.values() if options.kernel in (None, launch.kernel.name)]
    if not launches and status and not seen:  # it failed before
        return status
    if not launches:
        names = sorted({launch.kernel.name for launch in seen.values()})
        what = options.kernel or "kernel"
        raise UsageError(f"{options.file} launched no {what}; it launched: {', '.join(names) or 'nothing'}")
    shown = [launch for launch in launches if all(stage in STAGES[launch.kernel.metadata.target] for stage in stages)]
    if not shown:
        devices = sorted({launch.kernel.metadata.target for launch in launches})
        raise UsageError(f"no kernel with the stages {', '.join(stages)} was launched, all ran on {', '.join(devices)}; "
                         "the script chooses its devices itself")  # fmt: skip
    if options.json:
        print(json.dumps([_as_json(launch.kernel, launch, stages) for launch in shown], indent=1, default=str))
        return status
    for number, launch in enumerate(shown):
        if number:
            print()
        _print(launch.kernel, launch, stages, options.facts)
    return status


def inspect_command(options) -> int:
    """The exit status; UsageError for a wrong command line."""
    stages = stages_of(options)
    if options.launch is not None:
        if options.signature is not None or options.file.endswith(".ttir"):
            raise UsageError("--launch runs a script and takes signatures from its launches: leave --signature and .ttir files out")
        return _launched(options, stages)
    if options.explain:
        raise UsageError("--explain looks at the arguments of a launch: add --launch")
    if not options.file.endswith(".ttir") and options.signature is None and not stages and not options.facts:
        return _list_kernels(options)
    source = source_of(options.file, options.kernel, options.signature)
    kernel = compile(source, target=options.device, options={"num_warps": options.num_warps})
    if options.json:
        print(json.dumps(_as_json(kernel, None, stages), indent=1, default=str))
    else:
        _print(kernel, None, stages, options.facts)
    return 0
