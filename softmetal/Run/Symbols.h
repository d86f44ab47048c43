//===- Symbols.h - what generated code may link to -----------------------------------------------------------------------===//
#pragma once

#include <string>
#include <vector>

namespace softmetal {

struct Symbol {
  std::string name;
  void *address;
};

/// The runtime's functions, the tensor functions, and the C library's functions on floats. Nothing else of the process is visible.
const std::vector<Symbol> &runtimeSymbols();

} // namespace softmetal
