//===- Result.h - a value, or why there is none ------------------------------------===//
//
// The semantics layer has no exceptions. An error has the kind of the Python exception that upstream raises in the same case, so
// that the front end can raise that one, and the message without any place: places are added where syntax is known.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "llvm/Support/ErrorHandling.h"
#include <string>
#include <utility>
#include <variant>

namespace triton_metal::frontend {

enum class ErrorKind { Value, Type, Assertion, Runtime, Overflow, Name, Attribute, Index, NotImplemented };

struct Error {
  ErrorKind kind;
  std::string message;
};

template <typename T>
class [[nodiscard]] Result {
public:
  Result(T value) : state(std::move(value)) {}
  Result(Error error) : state(std::move(error)) {}
  explicit operator bool() const { return state.index() == 0; }
  T &operator*() { return std::get<0>(state); }
  const T &operator*() const { return std::get<0>(state); }
  T *operator->() { return &std::get<0>(state); }
  const Error &error() const { return std::get<1>(state); }

private:
  std::variant<T, Error> state;
};

struct Nothing {};

inline Error valueError(std::string message) { return {ErrorKind::Value, std::move(message)}; }
inline Error typeError(std::string message) { return {ErrorKind::Type, std::move(message)}; }
inline Error assertionError(std::string message) { return {ErrorKind::Assertion, std::move(message)}; }

} // namespace triton_metal::frontend

/// Declares `name` as the value of `expression`, or returns its error from the enclosing function.
#define TM_TRY(name, expression)                                                                                                 \
  auto name##Result = (expression);                                                                                              \
  if (!name##Result)                                                                                                             \
    return name##Result.error();                                                                                                 \
  auto name = std::move(*name##Result)
