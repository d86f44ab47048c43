"""The command line: every command, its errors and its exit status, each in a process of its own."""
from __future__ import annotations

import json
import pathlib
import sys

import numpy as np
import pytest
from command_line import call, output, refused

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"
ADD = str(EXAMPLES / "vector_add.py")
SIGNATURE = "*fp32:16, *fp32:16, *fp32:16, i32, 128"


def test_help_teaches():
    text = output("--help")
    for word in ("compile", "run", "inspect", "tune", "profile", "doctor", "examples:"):
        assert word in text
    assert "*fp32:16" in output("compile", "--help")
    assert "zeros, ones, arange, rand" in output("run", "--help")
    for command in ("inspect", "tune", "profile", "doctor"):
        text = output(command, "--help")
        assert f"\nexamples:\n  triton-metal {command}" in text and max(map(len, text.splitlines())) <= 150


@pytest.mark.parametrize("device, stage, piece", [
    ("cpu", "ttir", "tt.func public @add_kernel"), ("cpu", "llir", "define"), ("cpu", "asm", "add_kernel:"),
    ("metal", "ttm", "#ttm."), ("metal", "msl", "[[kernel"), ("metal", "air", "air.kernel"),
])
def test_compile_emits_each_stage(device, stage, piece):
    assert piece in output("compile", ADD, "--kernel", "add_kernel", "--signature", SIGNATURE, "--device", device, "--emit", stage)


def test_compile_prints_the_main_stage_of_a_device():
    assert output("compile", ADD, "-s", SIGNATURE, "-d", "metal").startswith("#include <metal_stdlib>")
    assert ".globl" in output("compile", ADD, "-s", SIGNATURE, "-d", "cpu")


def test_compile_writes_an_object(tmp_path):
    target = tmp_path / "add.o"
    assert output("compile", ADD, "-s", SIGNATURE, "-d", "cpu", "-e", "obj", "-o", str(target)) == ""
    assert target.read_bytes()[:4] in (b"\x7fELF", b"\xcf\xfa\xed\xfe")


def test_signature_hints_constants_and_names():
    text = output("compile", ADD, "-s", "*fp32:16, *fp32, *fp32, i32:16, BLOCK=64", "-d", "cpu", "-e", "ttir")
    assert text.count("tt.divisibility = 16") == 2 and "tensor<64xf32>" in text
    text = output("compile", ADD, "-s", "*fp32, *fp32, *fp32, i32:1, 64", "-d", "cpu", "-e", "ttir")
    assert "%n" not in text.split("{")[0]


@pytest.mark.parametrize("words, message", [
    (("compile", "absent.py"), "there is no file absent.py"),
    (("compile", ADD), "add_kernel(x_ptr, y_ptr, out_ptr, n, BLOCK: constexpr) needs --signature"),
    (("compile", ADD, "-k", "other"), f"there is no @jit function other in {ADD}; it has: add_kernel"),
    (("compile", ADD, "-s", "*fp32, *fp32, *fp32, i32"), "says nothing of BLOCK"),
    (("compile", ADD, "-s", SIGNATURE + ", 1"), "6 items are more than the parameters of add_kernel"),
    (("compile", ADD, "-s", SIGNATURE + ", n=i32"), "n is given twice"),
    (("compile", ADD, "-s", "*fp32:8, *fp32, *fp32, i32, 64"), "'*fp32:8': what follows the colon is 16"),
    (("compile", ADD, "-s", SIGNATURE, "-d", "cpu", "-e", "msl"), "msl is a stage of metal, ask for --device metal"),
    (("compile", ADD, "--wrong"), "unrecognized: --wrong; see triton-metal compile --help"),
    (("run", ADD, "zeros:fp31[4]"), "there is no type fp31 here"),
    (("run", ADD, "1", "2", "3", "4", "5", "6"), "'6' is one argument more than add_kernel"),
    (("run", ADD, "--grid", "a"), "--grid 'a': one to three numbers"),
    (("run", ADD, "x_ptr=1", "--save", "x_ptr=a.npy"), "NAME=FILE.npy, with NAME one of no array"),
    (("compile", ADD, "-s", SIGNATURE, "-o", "absent/add.s"), "absent/add.s cannot be written: there is no folder "),
    (("run", ADD, "ones:fp32[4]", "--save", "x_ptr=absent/a.npy"), "cannot be written: there is no folder "),
    (("tune", "--export", "absent/reports.json", ADD), "cannot be written: there is no folder "),
    (("profile", "--html", str(EXAMPLES), ADD), "cannot be written: it is a folder"),
    (("run", ADD, "some text"), "is no number, True, False, None or quoted text"),
])
def test_wrong_command_lines(words, message):
    assert message in refused(2, *words)


def test_upstream_import_says_what_to_write(tmp_path):
    file = tmp_path / "kernel.py"
    file.write_text("import sys\nsys.modules['triton'] = None\nimport triton\n")
    assert "write `import triton_metal as triton`" in refused(2, "inspect", str(file))


def test_errors_of_kernels_come_without_a_traceback():
    text = refused(1, "compile", ADD, "-s", "*fp64, *fp64, *fp64, i32, 64", "-d", "metal")
    assert "UnsupportedOnDevice" in text and "remedy: compute in float32" in text


HELPERS = """\
import triton_metal as triton
import triton_metal.language as tl

@triton.jit
def inner(x):
    return tl.load(x, masc=1)

@triton.jit
def outer(x, y):
    tl.store(y, inner(x))
"""


@pytest.mark.parametrize("words", [("compile", "-s", "*fp32, *fp32"), ("inspect", "-s", "*fp32, *fp32"),
                                   ("run", "zeros:fp32[4]", "zeros:fp32[4]")])
def test_an_error_in_a_function_that_a_kernel_calls_is_told_first(words, tmp_path):
    file = tmp_path / "helpers.py"
    file.write_text(HELPERS)
    text = refused(1, words[0], f"{file}:outer", *words[1:])
    assert text == (
        f'triton-metal {words[0]}: CompilationError:\n  File "{file}", line 6, in inner\n'
        "at 2:11:\ndef inner(x):\n    return tl.load(x, masc=1)\n           ^\nload() got an unexpected keyword argument 'masc'\n"
        "remedy: help() of the function, as help(tl.load), lists its parameters\n"
        f'called from\n  File "{file}", line 10, in outer\nat 2:16:\ndef outer(x, y):\n    tl.store(y, inner(x))\n                ^\n')


@pytest.mark.parametrize("command", [("profile",), ("inspect",), ("tune",)])
@pytest.mark.parametrize("program, first", [
    ("1 / 0\n", "Traceback (most recent call last):"), ("def f(:\n", "  File "), ("import absent\n", "Traceback (most recent call last):")
])
def test_tracebacks_begin_in_the_script(command, program, first, tmp_path):
    file = tmp_path / "fails.py"
    file.write_text(program)
    done = call(*command, str(file))
    assert done.returncode == 1 and done.stderr.startswith(first)
    assert f'File "{file}", line 1' in done.stderr and "runpy" not in done.stderr and "triton_metal" not in done.stderr


def test_the_name_alone_lists_the_commands():
    assert output() == output("--help")
    for command in ("profile", "tune"):
        assert "required: SCRIPT\n" in refused(2, command)


@pytest.mark.parametrize("item", ["*f32", "f32:1", "half", "**", "*i24"])
def test_types_that_no_parameter_has(item):
    for command in ("compile", "inspect"):
        text = refused(2, command, ADD, "-s", f"{item}, *fp32, *fp32, i32, 64")
        assert item in text and ("there are i1, bf16, fp16, fp32, " in text or "is no number" in text)


@pytest.mark.parametrize("device", ["cpu", "metal"])
def test_run_makes_arrays_and_saves(device, tmp_path):
    x, out = tmp_path / "x.npy", tmp_path / "out.npy"
    np.save(x, np.arange(300, dtype=np.float32))
    text = output("run", ADD, "--grid", "3", str(x), "ones:fp32[300]", "zeros:fp32[300]", "300", "BLOCK=128", "-d", device,
                  "--repeat", "3", "--save", f"out_ptr={out}")
    assert np.array_equal(np.load(out), np.arange(300, dtype=np.float32) + 1)
    lines = text.splitlines()
    assert lines[0].startswith("x_ptr        float32[300] unchanged: min 0 max 299 mean 149.5")
    assert lines[2].startswith("out_ptr      float32[300] written: min 1 max 300 mean 150.5; first 1 2 3 4 5 6")
    assert lines[3].startswith(f"{device}: first launch with compilation")


def test_ttir_files_are_compiled_inspected_and_run(tmp_path):
    file, out = tmp_path / "add.ttir", tmp_path / "out.npy"
    output("compile", ADD, "-s", SIGNATURE, "-d", "cpu", "-e", "ttir", "-o", str(file))
    assert "[[kernel" in output("compile", str(file), "-d", "metal")
    assert "add_kernel on cpu" in output("inspect", str(file), "-d", "cpu")
    both = output("inspect", str(file), "--stage", "llir,asm")
    assert "define" in both and "add_kernel:" in both
    output("run", str(file), "arange:fp32[128]", "ones:fp32[128]", "zeros:fp32[128]", "128", "-d", "cpu", "--save", f"out_ptr={out}")
    assert np.array_equal(np.load(out), np.arange(128) + 1)
    assert "missing ['y_ptr', 'out_ptr', 'n']" in refused(2, "run", str(file), "ones:fp32[4]")


def test_inspect_lists_kernels_and_tells_facts():
    assert output("inspect", ADD) == "add_kernel(x_ptr, y_ptr, out_ptr, n, BLOCK: constexpr)\n"
    found = json.loads(output("inspect", ADD, "-s", SIGNATURE, "-d", "metal", "--json"))
    assert [(p["type"], p["offset"], p["written"]) for p in found["params"]] == [
        ("*fp32", 0, False), ("*fp32", 8, False), ("*fp32", 16, True), ("i32", 24, False)]
    assert found["facts"]["threads"] == 128 and set(found["stages"]) == {"ttir", "ttm", "msl", "air"}


SCRIPT = """
import sys
import numpy as np
import triton_metal as triton
import triton_metal.language as tl

@triton.jit(configs=[triton.Config({"BLOCK": size}) for size in (64, 256)], autotune=True, key=["n"])
def tuned(x_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(x_ptr + i, tl.load(x_ptr + i, mask=i < n) + 1, mask=i < n)

@triton.jit(configs=[triton.Config({"BLOCK": size}) for size in (32, 128)])
def first(x_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(x_ptr + i, tl.load(x_ptr + i, mask=i < n) * 2, mask=i < n)

if __name__ == "__main__":
    x = np.zeros(1000, np.float32)
    for kernel in (tuned, tuned, first):
        wrong = {"BLOCK": 64} if sys.argv[1:] == ["wrong"] else {}
        kernel[lambda meta: (triton.cdiv(1000, meta["BLOCK"]),)](x, 1000, **wrong)
    print("sum", x.sum(), sys.argv[1:])
    sys.exit(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
"""


@pytest.fixture
def script(tmp_path):
    file = tmp_path / "script.py"
    file.write_text(SCRIPT)
    return str(file)


def test_inspect_takes_the_kernel_behind_a_colon_and_prints_stages_or_facts(script):
    assert output("inspect", f"{script}:first") == "first(x_ptr, n, BLOCK: constexpr)\n"
    signature = ("-s", "*fp32:16, i32, 64")
    assert output("inspect", f"{ADD}:add_kernel", "-s", SIGNATURE, "--stage", "msl").startswith("#include <metal_stdlib>")
    both = output("inspect", f"{script}:first", *signature, "--stage", "ttir,llir")
    assert "tt.func public @first" in both and "define" in both
    facts = output("inspect", f"{script}:tuned", *signature, "-d", "metal", "--facts")
    assert facts.startswith("tuned on metal, 4 warps\nfacts:\n  threads                      128\n") and "#include" not in facts


def test_inspect_shows_what_a_script_launches_without_trials(script, tmp_path):
    text = output("inspect", script, "--launch", TRITON_METAL_CACHE_DIR=str(tmp_path))
    heads = [line for line in text.splitlines() if " on cpu, " in line]
    assert text.startswith("sum 4000.0 []\n") and len(heads) == 2
    assert heads[0].startswith("tuned on cpu, 4 warps: 2 launches, grid (")
    assert heads[1] == "first on cpu, 4 warps: 1 launch, grid (32, 1, 1)"
    assert 'signature: "*fp32:16, i32, 32"' in text
    text = output("inspect", "-d", "metal", "--stage", "msl", f"{script}:first", "--launch")
    assert text.count("[[kernel") == 1 and "void first(" in text


def test_inspect_gives_launches_to_programs_and_the_status_of_the_script(script, tmp_path):
    done = call("inspect", "--json", script, "--launch", "3", TRITON_METAL_CACHE_DIR=str(tmp_path))
    found = json.loads(done.stdout.partition("\n")[2])
    assert done.returncode == 3 and done.stdout.startswith("sum 4000.0 ['3']\n")
    assert [(kernel["name"], kernel["launches"], kernel["device"]) for kernel in found] == [("tuned", 2, "cpu"), ("first", 1, "cpu")]
    assert output("compile", f"{script}:tuned", "-s", found[0]["signature"], "-d", "cpu", "-e", "ttir").count("divisibility") == 1


def test_inspect_explains_launches_with_their_arguments(script, tmp_path):
    cache = {"TRITON_METAL_CACHE_DIR": str(tmp_path)}
    text = output("inspect", "--explain", "-d", "metal", f"{script}:first", "--launch", **cache)
    assert "first on apple-m1, 4 warps (128 threads): 0 bytes of threadgroup memory" in text and "facts:" not in text
    done = call("inspect", "--explain", "--json", script, "--launch", **cache)
    for kernel in json.loads(done.stdout.partition("\n")[2]):
        assert kernel["explanation"]["layouts"]
    file = tmp_path / "doubles.py"
    file.write_text(SCRIPT.replace("float32", "float64"))
    text = output("inspect", "--explain", f"{file}:first", "--launch", **cache)
    assert text.count("first on cpu, 4 warps: 1 launch") == 1 and "remedy: compute in float32" in text


@pytest.mark.parametrize("words, message", [
    (("--explain", "-s", "x"), "--explain looks at the arguments of a launch: add --launch"),
    (("--launch", "-s", "x"), "nothing.py launched no kernel; it launched: nothing"),
    (("-s", "*fp32", "--launch"), "leave --signature and .ttir files out"),
    (("--stage", "ptx"), "there is no stage ptx; there are ttir, llir, asm, obj, ttm, msl, air"),
    (("--stage", "obj"), "triton-metal compile --emit obj -o FILE writes it"),
    (("-d", "cpu", "--stage", "msl"), "cpu has the stages ttir, llir, asm, obj; msl is one of metal"),
])
def test_wrong_command_lines_of_inspect(words, message, tmp_path):
    file = tmp_path / "nothing.py"
    file.write_text("")
    assert message in refused(2, "inspect", str(file), *words)


def test_inspect_of_a_stage_that_no_launch_has(script, tmp_path):
    done = call("inspect", "--stage", "msl", f"{script}", "--launch", TRITON_METAL_DEVICE="cpu", TRITON_METAL_CACHE_DIR=str(tmp_path))
    assert done.returncode == 0 and "void tuned(" in done.stdout  # the stage chose the device
    file = tmp_path / "fixed.py"
    file.write_text(SCRIPT.replace("(x, 1000, **wrong)", "(x, 1000, device='cpu')"))
    done = call("inspect", "--stage", "msl", str(file), "--launch", TRITON_METAL_CACHE_DIR=str(tmp_path))
    assert done.returncode == 2 and "no kernel with the stages msl was launched, all ran on cpu" in done.stderr


def test_tune_reports_every_choice_and_finds_winners_again(script, tmp_path):
    cache = {"TRITON_METAL_CACHE_DIR": str(tmp_path)}
    text = output("tune", "--export", str(tmp_path / "reports.json"), script, **cache)
    assert text.startswith("sum 4000.0 []\n")
    assert "tuned on cpu, key (1000, 'float32', 'cpu')" in text and "first on cpu" in text and text.count("by measured time; search") == 2
    reports = json.loads((tmp_path / "reports.json").read_text())
    assert [report["kernel"] for report in reports] == ["tuned", "first"]
    assert [len(report["configurations"]) for report in reports] == [2, 2]
    assert all(row["ms"] > 0 for row in reports[0]["configurations"] if row["samples"])
    again = output("tune", script, **cache)
    assert again.count("kept from an earlier search") == 2 and "by measured time; search" not in again
    assert again.count("  chosen") == 2
    assert output("tune", "--fresh", script, **cache).count("by measured time; search") == 2


def test_tune_on_metal_says_that_nothing_was_timed(script, tmp_path):
    text = output("tune", "-d", "metal", script, TRITON_METAL_CACHE_DIR=str(tmp_path), TRITON_METAL_CHIP="apple-m3-pro")
    assert "tuned on metal (apple-m3-pro)" in text
    assert ("estimate from what the software Metal counts" in text) == (sys.platform != "darwin")


def test_tune_passes_on_what_scripts_do_wrong(script, tmp_path):
    cache = {"TRITON_METAL_CACHE_DIR": str(tmp_path)}
    assert call("tune", script, "4", **cache).returncode == 4
    done = call("tune", script, "wrong", **cache)
    assert done.returncode == 1 and "Conflicting meta-parameters: BLOCK" in done.stderr and "in <module>" in done.stderr
    done = call("tune", script, "no number", **cache)
    assert done.returncode == 1 and "ValueError: invalid literal" in done.stderr and "tuned on cpu, key" in done.stdout
    done = call("tune", ADD, "--device", "cpu", "--help", **cache)
    assert done.returncode == 1 and "launched no kernel with configurations" in done.stderr
    assert "there is no script absent.py" in refused(2, "tune", "absent.py")


def test_doctor_finds_everything_here_and_a_misspelt_variable(tmp_path):
    text = output("doctor", TRITON_METAL_CACHE_DIR=str(tmp_path), TRITON_CACHE_AUTOTUNING="1")
    for piece in ("ok       device cpu", "ok       device metal", "ok       Metal language", "ok       chip ", "ok       compiler",
                  "writable, ", "TRITON_CACHE_AUTOTUNING=1"):
        assert piece in text
    assert text.endswith("all that is needed is here\n")
    done = call("doctor", TRITON_METAL_CACHE_DIR=str(tmp_path), TRITON_METAL_CHEKED="1")
    assert done.returncode == 1 and "TRITON_METAL_CHEKED is set, and nothing reads it" in done.stdout


def test_doctor_tells_programs_and_says_how_to_get_what_is_missing(tmp_path):
    file = tmp_path / "file"
    file.touch()
    done = call("doctor", "--json", TRITON_METAL_CHIP="apple-m9", TRITON_METAL_CACHE_DIR=str(file / "below"))
    lines = {line["what"]: line for line in json.loads(done.stdout)}
    assert done.returncode == 1 and [line["what"] for line in lines.values() if line["state"] == "MISSING"] == ["chip"]
    assert lines["chip"]["remedy"] == "set TRITON_METAL_CHIP to one of them, or unset it"
    assert "Set TRITON_METAL_CACHE_DIR" in lines["disk cache"]["detail"] and "device metal" not in lines


def test_a_file_that_ends_itself_is_no_silent_success(tmp_path):
    file = tmp_path / "script.py"
    file.write_text("raise SystemExit(0)")
    assert "ended itself while it was imported" in refused(2, "inspect", str(file))


def test_an_unknown_chip_is_an_error_of_the_command_line():
    done = call("compile", ADD, "-s", SIGNATURE, "-d", "metal", TRITON_METAL_CHIP="apple-m9")
    assert done.returncode == 2 and done.stderr.startswith("triton-metal compile: TRITON_METAL_CHIP: there is no chip 'apple-m9'")
