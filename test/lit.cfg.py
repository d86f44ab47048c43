"""Configuration of the pass tests: lit and FileCheck, one file a pass. Run by `./dev test lit`."""
import os
import sys

import lit.formats

config.name = "triton-metal"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".ttir", ".metal", ".ll", ".test"]
config.excludes = ["Inputs", "ByHand"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.tm_build_dir, "test")
config.environment["PATH"] = os.pathsep.join(
    [os.path.join(config.tm_build_dir, "bin"), config.llvm_tools_dir, config.environment["PATH"]])
config.environment["PYTHONPATH"] = os.path.join(config.tm_build_dir, "python")
config.substitutions.append(("%python", sys.executable))
for variable in ("TRITON_METAL_OPT_WITHOUT", "SOFTMETAL_OPT_WITHOUT"):  # tools/empty_passes.py: run without one pass
    if variable in os.environ:
        config.environment[variable] = os.environ[variable]
