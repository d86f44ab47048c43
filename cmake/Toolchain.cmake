# Language level, warnings, visibility, linker and compiler cache.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# The precompiled headers and clang in process need LLVM's clang (Apple's is numbered differently), of the archives' version or later.
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang" OR CMAKE_CXX_COMPILER_VERSION VERSION_LESS 22)
  message(FATAL_ERROR "triton-metal is built with clang 22, and ${CMAKE_CXX_COMPILER} is ${CMAKE_CXX_COMPILER_ID} "
                      "${CMAKE_CXX_COMPILER_VERSION}. Name clang by CC and CXX, or -DCMAKE_CXX_COMPILER.\n${TM_REMEDY}")
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
  # Homebrew's clang prefers headers of its own C++ library, which name functions that the system's library lacks; what is built here
  # is linked with the system's.
  execute_process(COMMAND xcrun --show-sdk-path OUTPUT_VARIABLE sdk OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(EXISTS ${sdk}/usr/include/c++/v1)
    add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-nostdinc++> "$<$<COMPILE_LANGUAGE:CXX>:SHELL:-isystem ${sdk}/usr/include/c++/v1>")
  endif()
  add_link_options(-Wl,-dead_strip)
else()
  find_program(TM_LLD NAMES ld.lld-22 ld.lld)
  if(TM_LLD)
    add_link_options(-fuse-ld=${TM_LLD} -Wl,--gc-sections -Wl,-O2 -Wl,--icf=all -Wl,--exclude-libs,ALL)
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
