"""Calls of the command line for tests, each in a process of its own."""
from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import triton_metal

PACKAGE = pathlib.Path(triton_metal.__file__).parent


def call(*words: str, **environment: str) -> subprocess.CompletedProcess:
    env = {**os.environ, "PYTHONPATH": str(PACKAGE.parent), **environment}
    return subprocess.run([sys.executable, "-m", "triton_metal", *words], capture_output=True, text=True, env=env, timeout=300)


def output(*words: str, **environment: str) -> str:
    done = call(*words, **environment)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def refused(status: int, *words: str) -> str:
    done = call(*words)
    assert (done.returncode, done.stdout) == (status, ""), done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr
