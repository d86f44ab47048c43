#!/usr/bin/env bash
# Runs the error tests and the fuzzer with AddressSanitizer and UndefinedBehaviorSanitizer on our own code.
# usage: sanitize.sh ROOT LLVM_PREFIX VENV [SECONDS of fuzzing]
#
# What is instrumented: the extension, that is the front end, all passes, both code generators, launch and the CPU device's runtime.
# What is not, and why:
# * LLVM's and MLIR's archives come built, so checks of containers across that boundary are off.
# * The software Metal. Its lanes are fibres that switch stacks, which AddressSanitizer cannot follow without annotations at every switch;
#   the ordinary build's library is used, so that the Metal path runs to its end. It has checks of its own for the code that it runs.
# * Memory pools that LLVM poisons by hand: its archives, which are not instrumented, hand it out without a word. Those checks are off.
# * Leaks are not looked for, because Python and LLVM keep much until the process ends.
# * Machine code made at run time is not instrumented.
set -euo pipefail
root=$1 llvm=$2 venv=$3 seconds=${4:-60}
build=$root/build-sanitize
[ -f "$build/CMakeCache.txt" ] || CC=$llvm/bin/clang CXX=$llvm/bin/clang++ cmake -G Ninja -S "$root" -B "$build" \
  -DTRITON_METAL_SANITIZE=address,undefined -DTRITON_METAL_TESTS=OFF -DTRITON_METAL_SOFTMETAL=OFF -DMLIR_DIR="$llvm/lib/cmake/mlir" \
  -DPython_EXECUTABLE="$venv/bin/python"
ninja -C "$build" product
suffix=so; [ "$(uname)" = Darwin ] && suffix=dylib
ln -sf "${TRITON_METAL_BUILD_DIR:-$root/build}/softmetal/libsoftmetal.$suffix" "$build/python/triton_metal/"
runtime=$("$llvm/bin/clang" -print-file-name=libclang_rt.asan-$(uname -m).so)
export LD_PRELOAD=$runtime PYTHONPATH=$build/python
export ASAN_OPTIONS=detect_leaks=0:allow_user_poisoning=0:detect_container_overflow=0:use_sigaltstack=0
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
"$venv/bin/python" -m pytest -q -p no:xdist "$root/python/tests/test_errors.py"
"$venv/bin/python" "$root/fuzz/run.py" --seconds "$seconds"
