//===- Error.h - errors of the compiler as values ---------------------------------===//
//
// Nothing of the compiler throws or ends the process: a call gives a Result, which is a value or an Error. The kinds map one
// to one onto Python's exception types (python/bindings/errors.cpp).
//
//===----------------------------------------------------------------------===//
#pragma once
#include <cassert>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace triton_metal {

struct SourceLocation {
  std::string file;
  unsigned line = 0; ///< 1-based; 0 where unknown
  unsigned column = 0;
};

/// Something that the user should know of a kernel that was compiled.
struct Remark {
  std::string message;
  SourceLocation where{};
};

struct Error {
  enum class Kind : uint8_t {
    Parse,       ///< text is not a module of ours
    Invalid,     ///< a module that the verifier, or the API's own contract, refuses
    Unsupported, ///< right program, wrong device: op, device, reason and remedy are set
    Resources,   ///< too much of `resource`: required and limit are set
    Internal,    ///< a fault of the compiler: reproducer is the path of a file that shows it, where one could be written
  };
  Kind kind = Kind::Internal;
  std::string message; ///< the whole message, without the location
  SourceLocation where{};
  std::string op{}, device{}, reason{}, remedy{};
  std::string resource{};
  int64_t required = 0, limit = 0;
  std::string reproducer{};
  std::vector<std::string> notes{};
};

template <typename T> class [[nodiscard]] Result {
public:
  Result(T value) : stored(std::move(value)) {}
  Result(Error error) : failure(std::move(error)) {}

  explicit operator bool() const { return stored.has_value(); }
  T &operator*() { return *stored; }
  const T &operator*() const { return *stored; }
  T *operator->() { return &*stored; }
  const T *operator->() const { return &*stored; }
  /// Only where the result is no value.
  Error &error() {
    assert(!stored && "no error in a result that has a value");
    return failure;
  }

private:
  std::optional<T> stored;
  Error failure;
};

} // namespace triton_metal
