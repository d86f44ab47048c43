//===- ReservedNames.cpp - identifiers that a kernel may use ------------------------===//
#include "ReservedNames.h"
#include "triton_metal/Target/MSL/Print.h"

#include "llvm/ADT/StringExtras.h"

using namespace triton_metal::msl;

// Words of C++17, of the Metal Shading Language specification (§1.4.4, §2, §4), and macros of its library and of the compiler that a
// Python program might use as names. Macros with a common prefix are caught by the prefix.
static constexpr llvm::StringLiteral kReserved[] = {
    "alignas", "alignof", "and", "and_eq", "asm", "auto", "bitand", "bitor", "bool", "break", "case", "catch", "char", "char16_t",
    "char32_t", "class", "compl", "concept", "const", "const_cast", "constexpr", "continue", "decltype", "default", "delete", "do",
    "double", "dynamic_cast", "else", "enum", "explicit", "export", "extern", "false", "float", "for", "friend", "goto", "if",
    "inline", "int", "long", "mutable", "namespace", "new", "noexcept", "not", "not_eq", "nullptr", "operator", "or", "or_eq",
    "private", "protected", "public", "register", "reinterpret_cast", "requires", "return", "short", "signed", "sizeof", "static",
    "static_assert", "static_cast", "struct", "switch", "template", "this", "thread_local", "throw", "true", "try", "typedef", "typeid",
    "typename", "union", "unsigned", "using", "virtual", "void", "volatile", "wchar_t", "while", "xor", "xor_eq",
    // Metal
    "atomic_bool", "atomic_int", "atomic_uint", "bfloat", "constant", "depth2d", "device", "fragment", "half", "imageblock", "kernel",
    "main", "metal", "mesh", "object", "object_data", "patch", "ptrdiff_t", "ray_data", "sampler", "size_t", "texture1d", "texture2d",
    "texture3d", "texturecube", "thread", "threadgroup", "threadgroup_imageblock", "uchar", "uint", "ulong", "ushort", "vec", "vertex",
    "visible", "stage_in", "as_type", "Params", "simd", "matrix", "packed_float4",
    // macros
    "INFINITY", "NAN", "HUGE_VALF", "HUGE_VALH", "MAXFLOAT", "MAXHALF", "NULL", "assert", "linux", "unix", "i386"};

static constexpr llvm::StringLiteral kReservedPrefixes[] = {"M_",      "METAL_",  "TARGET_OS_", "INT_",   "UINT_",  "CHAR_", "SCHAR_",
                                                            "UCHAR_",  "SHRT_",   "USHRT_",     "LONG_",  "ULONG_", "FLT_",  "HALF_",
                                                            "BFLT_",   "FP_",     "simd_",      "quad_"};

static bool isVectorName(llvm::StringRef name) {
  for (llvm::StringRef type : {"float", "half", "bfloat", "int", "uint", "short", "ushort", "char", "uchar", "long", "ulong", "bool"})
    if (name.consume_front(type))
      return !name.empty() && llvm::isDigit(name.front());
  return false;
}

static bool isReserved(llvm::StringRef name) {
  static const llvm::StringSet<> words = [] {
    llvm::StringSet<> all;
    for (llvm::StringRef word : kReserved)
      all.insert(word);
    for (llvm::StringRef word : preludeNames())
      all.insert(word);
    return all;
  }();
  return words.contains(name) || isVectorName(name) ||
         llvm::any_of(kReservedPrefixes, [&](llvm::StringRef prefix) { return name.starts_with(prefix); });
}

std::string triton_metal::msl::legalName(llvm::StringRef name) {
  std::string result;
  for (char c : name) {
    char legal = llvm::isAlnum(c) ? c : '_';
    if (legal == '_' && !result.empty() && result.back() == '_') // two in a row belong to the implementation
      continue;
    result += legal;
  }
  if (result.empty() || llvm::isDigit(result.front()) || result.front() == '_')
    result = "v" + result;
  if (isReserved(result))
    result += "_";
  return result;
}

bool NameScopes::isTaken(llvm::StringRef name) const {
  return llvm::any_of(scopes, [&](const llvm::StringSet<> &scope) { return scope.contains(name); });
}

std::string NameScopes::declareCounter(llvm::StringRef hint) {
  static constexpr llvm::StringLiteral letters[] = {"i", "j", "k", "l", "m"};
  const auto *first = llvm::find(letters, hint);
  const auto *free = std::find_if(first, std::end(letters), [&](llvm::StringRef letter) { return !isTaken(letter); });
  return declare(free == std::end(letters) ? hint : llvm::StringRef(*free));
}

std::string NameScopes::declare(llvm::StringRef hint) {
  std::string name = legalName(hint);
  std::string unique = name;
  llvm::StringRef separator = llvm::StringRef(name).ends_with("_") ? "" : "_";
  for (unsigned number = 1; isTaken(unique); ++number)
    unique = (name + separator + llvm::Twine(number)).str();
  scopes.back().insert(unique);
  return unique;
}
