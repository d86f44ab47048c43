# Read before project(): the compiler is clang 22 of the system's packages or of Homebrew, unless the caller names another.
# The precompiled headers and clang in process need that version; a plain `pip install .` or `cmake -B build` must find it as well.
foreach(language C CXX)
  if(language STREQUAL "C")
    set(environment CC)
    set(driver clang)
  else()
    set(environment CXX)
    set(driver clang++)
  endif()
  if(NOT CMAKE_${language}_COMPILER AND NOT DEFINED ENV{${environment}})
    find_program(TM_${language} NAMES ${driver} NO_DEFAULT_PATH
                 PATHS /usr/lib/llvm-22/bin /opt/homebrew/opt/llvm@22/bin /usr/local/opt/llvm@22/bin)
    find_program(TM_${language} NAMES ${driver}-22 ${driver})
    if(TM_${language})
      set(CMAKE_${language}_COMPILER ${TM_${language}})
    endif()
  endif()
endforeach()
