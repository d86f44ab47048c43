"""The fuzzer finds each planted miscompilation within its time, and finds nothing without one."""
import pathlib
import subprocess
import sys

import pytest

RUN = pathlib.Path(__file__).parents[2] / "fuzz" / "run.py"
FAULTS = ("swap-sub", "mask-off-by-one", "select-swap", "shift-logical", "reduce-drop")


def fuzz(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, str(RUN), *arguments], capture_output=True, text=True, timeout=600)


@pytest.mark.parametrize("device", ["cpu", "metal"])
@pytest.mark.parametrize("fault", FAULTS)
def test_planted_fault(fault, device):
    done = fuzz("--plant", fault, "--seconds", "60", "--device", device)
    assert done.returncode == 0 and f"the planted fault {fault} was found" in done.stdout, done.stdout + done.stderr


def test_unknown_fault_is_an_error():
    done = fuzz("--plant", "no-such-fault", "--count", "1", "--device", "cpu")
    assert "unknown fault 'no-such-fault'" in done.stdout + done.stderr


@pytest.mark.parametrize("device", ["cpu", "metal"])
def test_finds_nothing(device):
    done = fuzz("--seconds", "30", "--device", device)
    print("\n".join(line for line in done.stdout.splitlines() if line.startswith("seed ")))
    assert done.returncode == 0, done.stdout[-20000:] + done.stderr[-5000:]
