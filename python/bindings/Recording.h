//===- Recording.h - launches that are recorded for a profile ----------------------===//
//
// While recording is on, every launch that ran to its end leaves a record: which kernel with which arguments on which grid (a "shape",
// kept once however often it is launched), on which thread, from when to when. Launches that failed leave nothing. Records lie in chunks
// that are never moved; beyond the limit launches are counted, and nothing of them is kept. Everything here is guarded by the GIL.
//
//===----------------------------------------------------------------------===//
#pragma once
#include <Python.h>
#include <cstddef>
#include <cstdint>

namespace triton_metal::python {

/// A launch that is being recorded, on the stack of its thread; null pointers stand for it where nobody records.
class LaunchRecord {
public:
  /// The launch begins. `compiled` is the CompiledKernel and is borrowed, as is `grid`. With the GIL.
  LaunchRecord(PyObject *compiled, const int32_t grid[3]);

  /// The launch ran to its end, with these packed parameters, in a block of a multiple of 8 bytes whose gaps are zero. With the GIL.
  void keep(const char *block, size_t bytes);

  uint64_t begin = 0, end = 0; ///< when the device ran it, by hostNanoseconds()

private:
  PyObject *compiled;
  const int32_t *grid;
  uint64_t session; ///< the recording that the launch is part of; another may be on when it ends
};

/// Whether launches are recorded. Read with the GIL.
extern bool recordsLaunches;

/// Whether this thread's launches are measurements of ours, which no recording and no launch hook sees.
bool isUnobserved();

} // namespace triton_metal::python
