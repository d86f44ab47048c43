//===- ReservedNames.h - identifiers that a kernel may use --------------------------===//
#pragma once
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/StringSet.h"

#include <string>

namespace triton_metal::msl {

/// `name` with everything replaced that an identifier may not have, and with `_` behind it if the word is taken by C++, by Metal,
/// by a macro of its library, or by the prelude.
std::string legalName(llvm::StringRef name);

/// Names by block. A name is unique among those of the enclosing blocks; blocks side by side may use the same.
class NameScopes {
public:
  void push() { scopes.emplace_back(); }
  void pop() { scopes.pop_back(); }
  /// A legal name like `hint` that hides no other.
  std::string declare(llvm::StringRef hint);
  /// The same for the counter of a short loop: the next letter rather than a number.
  std::string declareCounter(llvm::StringRef hint);
  bool isTaken(llvm::StringRef name) const;

private:
  llvm::SmallVector<llvm::StringSet<>> scopes;
};

} // namespace triton_metal::msl
