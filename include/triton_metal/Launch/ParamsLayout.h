//===- ParamsLayout.h - where each argument lies in the packed parameters ---------===//
//
// Every device gets the arguments of a kernel as one block of bytes: in the order of the tt.func, each at the next multiple
// of its own size, the total rounded up to 16. On Metal the block is `constant Params &` at buffer 0, on the CPU it is the
// first argument of the compiled function. Compilers and launchers compute the offsets with this header and nothing else.
// No dependency, so that generated-code tests and the runtimes can include it.
//
//===----------------------------------------------------------------------===//
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace triton_metal {

/// What an argument is once it has arrived: the signedness of integers lives in the operations, as in the tt dialect.
enum class ParamType : uint8_t { Pointer, I1, I8, I16, I32, I64, F8, F16, BF16, F32, F64 };

/// Bytes of one argument, which are its alignment as well.
constexpr uint32_t sizeOf(ParamType type) {
  switch (type) {
  case ParamType::Pointer:
  case ParamType::I64:
  case ParamType::F64:
    return 8;
  case ParamType::I32:
  case ParamType::F32:
    return 4;
  case ParamType::I16:
  case ParamType::F16:
  case ParamType::BF16:
    return 2;
  case ParamType::I1:
  case ParamType::I8:
  case ParamType::F8:
    return 1;
  }
  return 8;
}

/// Hands out offsets one argument after the other.
class ParamsLayoutBuilder {
public:
  /// The offset of the next argument, which has `size` bytes (1, 2, 4 or 8).
  constexpr uint32_t add(uint32_t size) {
    uint32_t offset = (end + size - 1) / size * size;
    end = offset + size;
    return offset;
  }
  constexpr uint32_t add(ParamType type) { return add(sizeOf(type)); }
  /// Bytes of the whole block: a multiple of 16, at least 16.
  constexpr uint32_t total() const { return end == 0 ? 16 : (end + 15) / 16 * 16; }

private:
  uint32_t end = 0;
};

/// The finished layout of one kernel's parameters.
struct ParamsLayout {
  std::vector<uint32_t> offsets;
  uint32_t size = 16;

  ParamsLayout() = default;
  template <typename Range> explicit ParamsLayout(const Range &types) {
    ParamsLayoutBuilder builder;
    for (ParamType type : types)
      offsets.push_back(builder.add(type));
    size = builder.total();
  }
};

} // namespace triton_metal
