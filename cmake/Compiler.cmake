# Read before project(): the compiler is clang 22 of the system's packages or of Homebrew, unless the caller names another.
# The precompiled headers and clang in process need that version; a plain `pip install .` or `cmake -B build` must find it as well.
set(TM_REMEDY "`./dev demo` installs what is needed and builds. By hand:
  Debian, Ubuntu: apt install clang-22 lld-22 llvm-22-dev libmlir-22-dev mlir-22-tools libclang-22-dev zlib1g-dev libzstd-dev
                  (where apt does not know them: https://apt.llvm.org)
  macOS:          brew install llvm@22 zstd")

foreach(language C CXX)
  if(language STREQUAL "C")
    set(environment CC)
    set(driver clang)
  else()
    set(environment CXX)
    set(driver clang++)
  endif()
  # scikit-build-core puts the compiler that Python was built with into the environment where the caller has none.
  set(named "$ENV{${environment}}")
  if(SKBUILD AND NOT named MATCHES "clang")
    set(named "")
  endif()
  if(NOT CMAKE_${language}_COMPILER AND named STREQUAL "")
    find_program(TM_${language} NAMES ${driver} NO_DEFAULT_PATH
                 PATHS /usr/lib/llvm-22/bin /opt/homebrew/opt/llvm@22/bin /usr/local/opt/llvm@22/bin)
    find_program(TM_${language} NAMES ${driver}-22 ${driver})
    if(NOT TM_${language})
      message(FATAL_ERROR "triton-metal is built with clang 22, and there is no ${driver}.\n${TM_REMEDY}")
    endif()
    set(CMAKE_${language}_COMPILER ${TM_${language}})
  endif()
endforeach()
