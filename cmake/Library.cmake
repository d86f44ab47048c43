# tm_library(NAME [PCH mlir|none] [DEPENDS target...] SOURCES file...)
#
# One object library a directory. Object libraries, because the parts are linked into one shared object and registration by
# static constructors must not be dropped. MLIR units share one precompiled header (13 to 16 s a unit without, 1.3 to 3.6 with).
# No exceptions and no RTTI, as LLVM's own code; a directory that faces Python says EXCEPTIONS.
set(TM_OBJECTS "" CACHE INTERNAL "object libraries of the core")

add_library(tm_pch_mlir OBJECT ${CMAKE_CURRENT_LIST_DIR}/pch/mlir.cpp)
target_precompile_headers(tm_pch_mlir PRIVATE ${CMAKE_CURRENT_LIST_DIR}/pch/mlir.h)
target_compile_options(tm_pch_mlir PRIVATE -fno-rtti -fno-exceptions)

function(tm_library name)
  cmake_parse_arguments(ARG "EXCEPTIONS;HOT" "PCH" "SOURCES;DEPENDS" ${ARGN})
  add_library(${name} OBJECT ${ARG_SOURCES})
  if(NOT ARG_EXCEPTIONS)
    target_compile_options(${name} PRIVATE -fno-rtti -fno-exceptions)
  endif()
  if(ARG_HOT)  # no MLIR inside: a precompiled header must have the unit's own -O
    target_compile_options(${name} PRIVATE -O2)
  endif()
  if(ARG_PCH STREQUAL "mlir")
    target_precompile_headers(${name} REUSE_FROM tm_pch_mlir)
  endif()
  add_dependencies(${name} tm_tablegen ${ARG_DEPENDS})
  set(TM_OBJECTS ${TM_OBJECTS} ${name} CACHE INTERNAL "object libraries of the core")
endfunction()
