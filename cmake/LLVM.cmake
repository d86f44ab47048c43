# MLIR, LLVM and clang 22, linked statically by archive path.
#
# Debian and Homebrew build LLVM with LLVM_LINK_LLVM_DYLIB, so every exported MLIR target names the LLVM dylib in its link
# interface; linking those targets beside the archives gives two copies of LLVM's option registry and an abort at load.
# Hence paths, never targets, and a linker group on Linux.
find_package(MLIR CONFIG QUIET HINTS /usr/lib/llvm-22 /opt/homebrew/opt/llvm@22 /usr/local/opt/llvm@22)
if(NOT MLIR_FOUND)
  message(FATAL_ERROR "MLIR 22 was not found; if it is somewhere else, pass -DMLIR_DIR=.../lib/cmake/mlir.\n${TM_REMEDY}")
endif()
if(NOT LLVM_VERSION_MAJOR EQUAL 22)
  message(FATAL_ERROR "LLVM 22 is needed, found ${LLVM_VERSION} in ${LLVM_DIR}. "
                      "AIR's typed pointers and clang's in-process interface pin the version.\n${TM_REMEDY}")
endif()
foreach(library MLIRIR LLVMCore clangAST)
  if(NOT EXISTS ${LLVM_LIBRARY_DIR}/lib${library}.a)
    message(FATAL_ERROR "${LLVM_LIBRARY_DIR} has no lib${library}.a: LLVM, MLIR and clang are linked statically.\n${TM_REMEDY}")
  endif()
endforeach()
list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
include(TableGen)
include(AddLLVM)
include(AddMLIR)

include_directories(SYSTEM ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
separate_arguments(TM_LLVM_DEFINITIONS NATIVE_COMMAND "${LLVM_DEFINITIONS}")
add_definitions(${TM_LLVM_DEFINITIONS})

find_program(TM_LLVM_CONFIG NAMES llvm-config-22 llvm-config HINTS ${LLVM_TOOLS_BINARY_DIR} REQUIRED)

# tm_llvm_archives(VAR component...): full paths of the archives of LLVM components.
function(tm_llvm_archives var)
  execute_process(COMMAND ${TM_LLVM_CONFIG} --link-static --libfiles ${ARGN}
                  OUTPUT_VARIABLE files OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  separate_arguments(files NATIVE_COMMAND "${files}")
  list(FILTER files EXCLUDE REGEX "Polly")  # named by LLVM's list of extensions; Debian ships it as a plugin only
  set(${var} ${files} PARENT_SCOPE)
endfunction()

# What the core needs of LLVM. Backends of the CPU device: this machine's, or with TRITON_METAL_CROSS both; one is 8 MB of the core.
set(TM_CPU_COMPONENTS asmparser core orcjit passes)
foreach(backend x86 aarch64)
  string(TOUPPER TM_${backend} flag)
  string(REGEX MATCH "^(aarch64|arm64)$" arm "${CMAKE_SYSTEM_PROCESSOR}")
  if(TRITON_METAL_CROSS OR (arm AND backend STREQUAL "aarch64") OR (NOT arm AND backend STREQUAL "x86"))
    set(${flag} 1)
    list(APPEND TM_CPU_COMPONENTS ${backend})
  else()
    set(${flag} 0)
  endif()
endforeach()

# All of MLIR but what exists for its own tests and C interface; --gc-sections keeps what is used.
file(GLOB TM_MLIR_ARCHIVES ${LLVM_LIBRARY_DIR}/libMLIR*.a)
list(FILTER TM_MLIR_ARCHIVES EXCLUDE REGEX "libMLIR(CAPI|.*Test|Mlir|.*Python)")
file(GLOB TM_CLANG_ARCHIVES ${LLVM_LIBRARY_DIR}/libclang[A-Z]*.a)

# What LLVM itself needs. On a Mac zstd is Homebrew's, which a user of the package need not have: the archive.
find_package(ZLIB)
if(APPLE)
  find_library(TM_ZSTD NAMES libzstd.a zstd)
else()
  find_library(TM_ZSTD zstd)
endif()
if(NOT ZLIB_FOUND OR NOT TM_ZSTD)
  message(FATAL_ERROR "zlib or zstd was not found, which LLVM needs.\n${TM_REMEDY}")
endif()

# tm_link_llvm(TARGET [CLANG] [MLIR] COMPONENTS c...): links archives in one group.
function(tm_link_llvm target)
  cmake_parse_arguments(ARG "CLANG;MLIR" "" "COMPONENTS" ${ARGN})
  tm_llvm_archives(archives ${ARG_COMPONENTS})
  if(ARG_CLANG)
    list(APPEND archives ${TM_CLANG_ARCHIVES})
  endif()
  if(ARG_MLIR)
    list(APPEND archives ${TM_MLIR_ARCHIVES})
  endif()
  if(APPLE)
    target_link_libraries(${target} PRIVATE ${archives} ZLIB::ZLIB ${TM_ZSTD})
  else()
    target_link_libraries(${target} PRIVATE -Wl,--start-group ${archives} -Wl,--end-group ZLIB::ZLIB ${TM_ZSTD} dl pthread m)
  endif()
endfunction()
