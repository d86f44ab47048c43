// Exists so that CMake builds the precompiled header of mlir.h once, for all units that reuse it.
