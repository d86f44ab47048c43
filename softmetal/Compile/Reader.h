// What clang reads instead of MSL where no C++ mode of clang accepts Metal's grammar.
//
// Contract: lines stay lines; columns shift only on rewritten lines, and Rewritten::column gives them back. Text that triton-metal's own
// printer emits is not changed at all.
#ifndef SOFTMETAL_COMPILE_READER_H
#define SOFTMETAL_COMPILE_READER_H

#include "llvm/ADT/StringRef.h"

#include <string>
#include <vector>

namespace softmetal {

struct Edit {
  unsigned line;         // 1-based
  unsigned before;       // column in the user's text where the replaced piece starts, 1-based
  unsigned beforeLength; // of the replaced piece
  unsigned after;        // column in the rewritten text
  unsigned afterLength;
};

struct Rewritten {
  std::string text;
  std::vector<Edit> edits; // in rising order; empty if text is the user's

  // The user's column for a column of the rewritten text.
  unsigned column(unsigned line, unsigned column) const;
};

Rewritten rewriteMetal(llvm::StringRef source);

} // namespace softmetal

#endif
