#!/usr/bin/env bash
# Runs the error tests and the fuzzer with AddressSanitizer and UndefinedBehaviorSanitizer on our own code.
# usage: sanitize.sh ROOT LLVM_PREFIX VENV [SECONDS of fuzzing]
#
# LLVM's archives are not instrumented, so container checks across the boundary are off; leaks are not looked for, because Python
# and LLVM keep much until the process ends.
set -euo pipefail
root=$1 llvm=$2 venv=$3 seconds=${4:-60}
build=$root/build-sanitize
[ -f "$build/CMakeCache.txt" ] || CC=$llvm/bin/clang CXX=$llvm/bin/clang++ cmake -G Ninja -S "$root" -B "$build" \
  -DTRITON_METAL_SANITIZE=address,undefined -DTRITON_METAL_TESTS=OFF -DMLIR_DIR="$llvm/lib/cmake/mlir" \
  -DPython_EXECUTABLE="$venv/bin/python"
ninja -C "$build" product
runtime=$("$llvm/bin/clang" -print-file-name=libclang_rt.asan-$(uname -m).so)
export LD_PRELOAD=$runtime PYTHONPATH=$build/python
export ASAN_OPTIONS=detect_leaks=0:detect_container_overflow=0:use_sigaltstack=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
"$venv/bin/python" -m pytest -q -p no:xdist "$root/python/tests/test_errors.py"
"$venv/bin/python" "$root/fuzz/run.py" --seconds "$seconds"
