// Exists so that CMake builds the precompiled header of llvm.h once, for all units that reuse it.
