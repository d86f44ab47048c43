# tm_unittest(NAME SOURCES file... [LIBRARIES lib...] [MLIR]): one gtest program, linked with the whole core.
# ./dev test unit runs every program of build/unittests whose name ends in Tests.
find_package(GTest REQUIRED)

function(tm_unittest name)
  cmake_parse_arguments(ARG "MLIR;NO_CORE" "" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/unittests)
  target_compile_options(${name} PRIVATE -fno-rtti -fno-exceptions -fPIC)
  if(ARG_MLIR)  # -fPIE would differ from the precompiled header's -fPIC
    target_precompile_headers(${name} REUSE_FROM tm_pch_mlir)
  endif()
  add_dependencies(${name} tm_tablegen)
  if(NOT ARG_NO_CORE)
    target_link_libraries(${name} PRIVATE ${TM_OBJECTS})
    tm_link_llvm(${name} MLIR COMPONENTS ${TM_CPU_COMPONENTS})
  endif()
  target_link_libraries(${name} PRIVATE ${ARG_LIBRARIES} GTest::gtest GTest::gtest_main)
endfunction()
