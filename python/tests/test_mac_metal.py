"""The Mac-only file compiles and links for arm64 macOS without Apple's headers, SDK or tools."""
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STUB = """--- !tapi-tbd
tbd-version: 4
targets: [ arm64-macos ]
install-name: '/usr/lib/libSystem.B.dylib'
exports:
  - targets: [ arm64-macos ]
    symbols: [ _dlopen, _dlsym, _free, _malloc, _memcpy, _memset, _strlen, _usleep, dyld_stub_binder ]
...
"""


def tool(*names):
    for name in names:
        found = shutil.which(name) or shutil.which(name, path="/usr/lib/llvm-22/bin")
        if found:
            return found
    pytest.skip(f"{names[0]} is not installed")


def test_cross_compiles_and_links(tmp_path):
    clang, linker, dump = tool("clang++-22", "clang++"), tool("ld64.lld-22", "ld64.lld"), tool("llvm-objdump-22", "llvm-objdump")
    (tmp_path / "libSystem.tbd").write_text(STUB)
    subprocess.run([clang, "--target=arm64-apple-macos14", "-std=c++20", "-ffreestanding", "-nostdlibinc", "-fno-exceptions", "-fno-rtti",
                    "-Wall", "-Wextra", "-Werror", "-O2", f"-I{ROOT}/include", "-c", f"{ROOT}/lib/Runtime/Metal/MacMetal.cpp", "-o",
                    "mac.o"], cwd=tmp_path, check=True)
    subprocess.run([linker, "-dylib", "-arch", "arm64", "-platform_version", "macos", "14.0", "14.0", "-o", "mac.dylib", "mac.o",
                    "libSystem.tbd"], cwd=tmp_path, check=True)
    exports = subprocess.run([dump, "--macho", "--exports-trie", "mac.dylib"], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert "_macMetalCalls" in exports.stdout
    needed = subprocess.run([dump, "--macho", "--dylibs-used", "mac.dylib"], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert needed.stdout.count("/usr/lib/") == 1  # libSystem: Metal and the Objective-C runtime come by dlopen
