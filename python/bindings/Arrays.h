//===- Arrays.h - arrays of other libraries, read without their help -------------===//
//
// Address, element type, device and writability of NumPy arrays (their C struct), PyTorch tensors and others with DLPack's C
// exchange API, everything with __dlpack__, and everything with data_ptr() and dtype. None of these libraries is imported or linked.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "triton_metal/Launch/Specialization.h"

#include <Python.h>
#include <cstdint>

namespace triton_metal::python {

/// Where the memory of an array is.
enum class Place : uint8_t {
  Host,
  Metal, ///< an Apple GPU's, as PyTorch's mps tensors and MLX arrays
  Other, ///< memory that we cannot reach
};

struct ArrayView {
  void *data = nullptr;
  DType type = DType::F32;
  Place place = Place::Host;
  bool readOnly = false;
  int rank = 0;
  const int64_t *shape = nullptr;   ///< owned by the array; null where it could not be read
  const int64_t *strides = nullptr; ///< in elements, or in bytes where `stridesInBytes`; null: contiguous
  bool stridesInBytes = false;
};

enum class ArrayRead : uint8_t {
  Ok,
  NotAnArray, ///< no Python exception is set
  Failed,     ///< an array that cannot be passed; a Python exception says why
};

/// Reads `object` if it is an array. Allocates nothing for NumPy and DLPack's C API.
ArrayRead readArray(PyObject *object, ArrayView &view);

/// First byte that the array's elements may touch, and how many bytes from there; nothing (0 bytes) where the shape is unknown.
void extentOf(const ArrayView &view, char *&begin, uint64_t &bytes);

} // namespace triton_metal::python
