//===- Metallib.h - reader of the .metallib container -------------------------------------------------------------------===//
//
// A metallib (magic MTLB) holds one AIR module a kernel. The reader checks every offset and length against the file, copies
// nothing but the names, and never looks into the bitcode.
//
//===--------------------------------------------------------------------------------------------------------------------===//
#pragma once

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace softmetal {

struct MetallibFunction {
  std::string name;
  uint8_t type = 0;                          ///< 2 = kernel
  uint16_t airMajor = 0, airMinor = 0, languageMajor = 0, languageMinor = 0;
  std::array<uint8_t, 32> hash{};            ///< SHA-256 of the bitcode: the natural cache key
  llvm::StringRef bitcode;                   ///< points into the bytes given to parse()
};

class Metallib {
public:
  static constexpr uint8_t kernelType = 2;

  /// Reads the container in `bytes`, which must outlive the object. False and a message if it is not a whole metallib.
  bool parse(llvm::StringRef bytes, std::string &error);

  llvm::ArrayRef<MetallibFunction> functions() const { return list; }
  const MetallibFunction *find(llvm::StringRef name) const;
  /// The OS version of the header, such as 14.0.
  uint16_t osMajor = 0, osMinor = 0;

private:
  std::vector<MetallibFunction> list;
  llvm::StringMap<size_t> byName;
};

} // namespace softmetal
