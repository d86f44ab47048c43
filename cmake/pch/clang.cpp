// Exists so that CMake builds the precompiled header of clang.h once, for all units that reuse it.
