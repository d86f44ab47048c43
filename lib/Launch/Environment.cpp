//===- Environment.cpp - a cheap look at the environment's switches ---------------===//
#include "triton_metal/Launch/Environment.h"

#include <cstring>
#include <vector>

#ifdef __APPLE__
#include <crt_externs.h>
#define environ (*_NSGetEnviron())
#else
extern "C" char **environ;
#endif

namespace triton_metal {

namespace {

struct Look {
  std::vector<const char *> pointers; // of environ, when last read
  std::vector<const char *> ours;     // those that begin with TRITON
};

thread_local Look look;

/// Sum over the strings, so that the order of environ does not matter.
uint64_t stampOf(const std::vector<const char *> &strings) {
  uint64_t sum = 0;
  for (const char *text : strings) {
    uint64_t h = 0xcbf29ce484222325u;
    for (const char *c = text; *c; ++c)
      h = (h ^ uint8_t(*c)) * 0x100000001b3u;
    h ^= h >> 29;
    sum += h * 0xbf58476d1ce4e5b9u;
  }
  return sum;
}

} // namespace

uint64_t environmentStamp() {
  char **variables = environ;
  if (!variables)
    return 0;
  Look &seen = look;
  size_t count = 0;
  bool same = true;
  for (; variables[count]; ++count)
    same &= count < seen.pointers.size() && seen.pointers[count] == variables[count];
  if (!same || count != seen.pointers.size()) {
    seen.pointers.assign(variables, variables + count);
    seen.ours.clear();
    for (const char *text : seen.pointers)
      if (std::strncmp(text, "TRITON", 6) == 0)
        seen.ours.push_back(text);
  }
  // The strings are read every time: setenv of some C libraries overwrites a value in place.
  return stampOf(seen.ours);
}

} // namespace triton_metal
