# sm_library(NAME [PCH clang|llvm|none] [HOT] [DEPENDS target...] SOURCES file...)
#
# One object library a directory of the software Metal, linked into libsoftmetal.so (and nothing else: it knows nothing of the core, and
# the core reaches it by dlopen). Units on clang's AST share one precompiled header: 25 s a unit without it.
set(SM_OBJECTS "" CACHE INTERNAL "object libraries of the software Metal")

# What clang's front end and code generator need of LLVM.
set(SM_CLANG_COMPONENTS core bitreader bitwriter coverage frontenddriver frontendhlsl frontendoffloading frontendopenmp hipstdpar ipo irreader
    linker lto objcarcopts option passes windowsdriver)

include_directories(SYSTEM ${LLVM_INCLUDE_DIRS})
add_library(sm_pch_clang OBJECT ${CMAKE_CURRENT_LIST_DIR}/pch/clang.cpp)
target_precompile_headers(sm_pch_clang PRIVATE ${CMAKE_CURRENT_LIST_DIR}/pch/clang.h)
target_compile_options(sm_pch_clang PRIVATE -fno-rtti -fno-exceptions)
add_library(sm_pch_llvm OBJECT ${CMAKE_CURRENT_LIST_DIR}/pch/llvm.cpp)
target_precompile_headers(sm_pch_llvm PRIVATE ${CMAKE_CURRENT_LIST_DIR}/pch/llvm.h)
target_compile_options(sm_pch_llvm PRIVATE -fno-rtti -fno-exceptions)

function(sm_library name)
  cmake_parse_arguments(ARG "HOT" "PCH" "SOURCES;DEPENDS" ${ARGN})
  add_library(${name} OBJECT ${ARG_SOURCES})
  target_compile_options(${name} PRIVATE -fno-rtti -fno-exceptions)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  if(ARG_HOT)
    target_compile_options(${name} PRIVATE -O2)
  endif()
  if(ARG_PCH MATCHES "^(clang|llvm)$")
    target_precompile_headers(${name} REUSE_FROM sm_pch_${ARG_PCH})
  endif()
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
  set(SM_OBJECTS ${SM_OBJECTS} ${name} CACHE INTERNAL "object libraries of the software Metal")
endfunction()
