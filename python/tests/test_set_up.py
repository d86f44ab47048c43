"""The entry script and the build's own messages."""
from __future__ import annotations

import pathlib
import re
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(not (ROOT / "dev").exists(), reason="no sources beside the tests")


def dev() -> str:
    return (ROOT / "dev").read_text()


def test_dev_alone_lists_each_of_its_commands():
    listed = subprocess.run([ROOT / "dev"], check=True, capture_output=True, text=True).stdout
    commands = re.findall(r"^command_(\w+)\(\)", dev(), re.MULTILINE)
    assert commands and not [name for name in commands if not re.search(rf"^  {name} ", listed, re.MULTILINE)]
    unknown = subprocess.run([ROOT / "dev", "nonsense"], capture_output=True, text=True)
    assert unknown.returncode == 2 and "unknown command 'nonsense'" in unknown.stdout


@pytest.mark.parametrize("script", ["dev", ".ci/run"])
def test_scripts_use_nothing_that_macos_lacks(script):
    """macOS has bash 3.2 and BSD's tools."""
    text = re.sub(r"(^|\s)# .*", "", (ROOT / script).read_text())
    newer = {"bash 4": r"\bmapfile\b|\breadarray\b|declare -[Ag]|\$\{\w+(,,|\^\^|@Q)|&>>|\|&|\bcoproc\b|wait -n",
             "GNU": r"readlink -[fem]|\bsed -i |\bdate -d|\bstat -c|\bnproc\b|\bgrep -\w*P|\bsort -V|\bmktemp --|\bxargs -r|\brealpath\b"}
    assert not [(kind, found.group()) for kind, pattern in newer.items() for found in re.finditer(pattern, text)]
    for array in set(re.findall(r"local (?:\w+ )*?(\w+)=\(\)", text)):  # an empty array is unset to bash 3.2: its length is asked first
        for line in text.splitlines():
            assert f'"${{{array}[@]}}"' not in line or f"${{#{array}[@]}}" in line, line


def test_a_step_that_fails_shows_its_log_and_its_status(tmp_path):
    step = re.search(r"^step\(\) \{.*?^\}", dev(), re.DOTALL | re.MULTILINE).group()
    script = f"set -euo pipefail\n{step}\nbad() {{ echo 'error: the reason'; return 3; }}\nstep good true\nstep bad bad\necho never\n"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", "TMPDIR": str(tmp_path)})
    assert done.returncode == 3 and "never" not in done.stdout
    assert re.search(r"^good \.\.\. +0 s$", done.stdout, re.MULTILINE) and "error: the reason" in done.stdout


def test_the_remedy_names_what_dev_installs():
    remedy = re.search(r'set\(TM_REMEDY "(.*?)"\)', (ROOT / "cmake" / "Compiler.cmake").read_text(), re.DOTALL).group(1)
    installed = set(re.search(r"^DEMO_PACKAGES=\((.*?)\)", dev(), re.DOTALL | re.MULTILINE).group(1).split())
    formulae = set(re.search(r"^DEMO_FORMULAE=\((.*?)\)", dev(), re.MULTILINE).group(1).split())
    assert set(re.search(r"apt install (.*)", remedy).group(1).split()) <= installed
    assert set(re.search(r"brew install (.*)", remedy).group(1).split()) <= formulae


@pytest.mark.skipif(sys.platform != "linux", reason="GCC is Apple's clang on a Mac")
@pytest.mark.parametrize("setting, complaint", [
    (("-DCMAKE_CXX_COMPILER=g++", "-DCMAKE_C_COMPILER=gcc"), "triton-metal is built with clang 22, and"),
    (("-DCMAKE_DISABLE_FIND_PACKAGE_MLIR=ON",), "MLIR 22 was not found"),
], ids=["compiler", "mlir"])
def test_a_build_says_what_is_missing_and_how_to_get_it(setting, complaint, tmp_path):
    if not shutil.which("cmake") or not shutil.which("g++"):
        pytest.skip("needs cmake and g++")
    done = subprocess.run(["cmake", "-G", "Ninja", "-S", ROOT, "-B", tmp_path, *setting], capture_output=True, text=True)
    message = " ".join(done.stderr.split())
    assert done.returncode != 0 and complaint in message
    assert "apt install clang-22" in message and "brew install llvm@22" in message
