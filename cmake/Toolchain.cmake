# Language level, warnings, visibility, linker and compiler cache.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  message(FATAL_ERROR "triton-metal is built with clang 22 (found ${CMAKE_CXX_COMPILER_ID}): the precompiled headers "
                      "and the in-process clang need it. Configure by ./dev, or pass -DCMAKE_CXX_COMPILER=clang++-22.")
endif()

# -O1 for units that include MLIR: half the build time of -O2, and compile time of kernels is bound by MLIR's own -O2 code.
# Hot runtime paths (launch, fibres, thread pool) ask for -O2 themselves by tm_hot().
set(CMAKE_CXX_FLAGS_RELEASE "-O1")
set(CMAKE_C_FLAGS_RELEASE "-O2")
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
add_compile_options(-Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers -ffunction-sections -fdata-sections)
if(TRITON_METAL_SANITIZE)
  add_compile_options(-fsanitize=${TRITON_METAL_SANITIZE} -fno-sanitize=vptr -fno-omit-frame-pointer -g1)
  add_link_options(-fsanitize=${TRITON_METAL_SANITIZE})
endif()

if(APPLE)
  add_link_options(-Wl,-dead_strip)
else()
  find_program(TM_LLD NAMES ld.lld-22 ld.lld)
  if(TM_LLD)
    add_link_options(-fuse-ld=${TM_LLD} -Wl,--gc-sections -Wl,--icf=all -Wl,--exclude-libs,ALL)
    # Relative relocations take megabytes in LLVM's tables; their packed form is understood from glibc 2.36 on.
    include(CheckCXXSourceCompiles)
    check_cxx_source_compiles("#include <features.h>\n#if !__GLIBC_PREREQ(2, 36)\n#error older\n#endif\nint main() {}" TM_GLIBC_RELR)
    if(TM_GLIBC_RELR)
      add_link_options(-Wl,-z,pack-relative-relocs)
    endif()
  endif()
endif()

find_program(TM_CCACHE ccache)
if(TM_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # A precompiled header defeats ccache without these: the header's time stamp and the macros it defines.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${TM_CCACHE})
endif()
add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -fno-pch-timestamp>")
