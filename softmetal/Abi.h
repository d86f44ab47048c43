//===- Abi.h - what generated code and the runtime share ----------------------------------------------------------------===//
//
// The passes write calls of the functions below and read the identifiers by offset; the runtime defines them. No LLVM here:
// this is the whole contract between Passes/ and Run/.
//
//===--------------------------------------------------------------------------------------------------------------------===//
#pragma once

#include <cstddef>
#include <cstdint>

namespace softmetal {

/// Scalar types as collectives see them.
enum class Scalar : uint32_t { F32, F16, BF16, S8, U8, S16, U16, S32, U32, S64, U64, Bool };

/// Operations that the lanes of a SIMD-group carry out together.
enum class Collective : uint32_t {
  Shuffle, ShuffleXor, ShuffleUp, ShuffleDown, ShuffleRotateUp, ShuffleRotateDown, ShuffleFillUp, ShuffleFillDown,
  Broadcast, BroadcastFirst,
  Sum, Product, Max, Min, And, Or, Xor,
  PrefixInclusiveSum, PrefixExclusiveSum, PrefixInclusiveProduct, PrefixExclusiveProduct,
  Any, All, Ballot, ActiveMask, IsFirst,
  QuadShuffle, QuadShuffleXor, QuadShuffleUp, QuadShuffleDown, QuadShuffleRotateUp, QuadShuffleRotateDown, QuadBroadcast,
  QuadSum, QuadProduct, QuadMax, QuadMin, QuadAnd, QuadOr, QuadXor, QuadAny, QuadAll,
  MatrixMultiply, ///< 8x8: a = {c0, c1} in and out, b = {a0, a1, then at 16 bytes b0, b1}; types c | a << 4 | b << 8
  TensorMultiply, ///< cooperative matmul2d: a = three pointers, b = the descriptor
  Barrier,        ///< simdgroup_barrier, flags in `immediate`
  Uniform,        ///< a promise: all lanes hold the same bytes in a
};

/// Bytes of a lane's operand in a rendezvous. Code that needs more is refused.
constexpr uint32_t slotBytes = 64;

/// Flags of barriers.
constexpr uint32_t memDevice = 1, memThreadgroup = 2;

/// Kinds of access: bits.
constexpr uint32_t accessWrite = 1, accessAtomic = 2;

/// No buffer argument is known for a pointer.
constexpr uint32_t anyBuffer = ~0u;

/// A site number that names nothing: the tensor functions, which are linked and not lowered.
constexpr uint32_t noSite = 0;

/// What a lane is. The generated entry reads its kernel's arguments from here.
struct LaneIds {
  uint32_t threadInGrid[4], threadInThreadgroup[4], threadgroupInGrid[4];
  uint32_t threadsPerThreadgroup[4], threadsPerGrid[4], threadgroupsPerGrid[4];
  uint32_t lane, simdgroup, threadIndex, simdgroups, quadLane, quadgroup;
  void *const *buffers;            ///< device and constant arguments by buffer index
  void *const *threadgroupBuffers; ///< threadgroup arguments by index
};

class DeviceShadow;

/// A registered range of device memory, or an array in threadgroup memory, as generated code reads it: by offset, in this order.
struct MemoryRange {
  char *begin = nullptr;
  uint64_t bytes = 0;
  DeviceShadow *shadow = nullptr; ///< null where nobody writes in this launch, so that no race is possible
};

} // namespace softmetal

// The functions that generated code calls.
extern "C" {
void softmetal_rt_barrier(uint32_t flags, uint32_t site);
void softmetal_rt_collective(uint32_t operation, uint32_t types, uint32_t site, void *a, void *b, uint32_t immediate,
                             uint32_t immediate2, uint32_t bytes);
char *softmetal_rt_threadgroup();
uint32_t softmetal_rt_lane();
void softmetal_rt_poll(uint32_t site); ///< loop back-edges: time limit and interrupts
void softmetal_rt_yield();             ///< after atomics whose result is used: the lane may wait for another one
// Checks. The bounds functions return the pointer to use: their argument, or a sink that reads as zeros.
void *softmetal_rt_bounds_device(void *pointer, uint32_t bytes, uint32_t access, uint32_t site, uint32_t buffer, uint32_t align);
void *softmetal_rt_bounds_threadgroup(void *pointer, uint32_t bytes, uint32_t access, uint32_t site, uint32_t align);
void *softmetal_rt_bounds_private(void *pointer, uint32_t bytes, uint32_t access, uint32_t site, void *object, uint32_t length);
// The range that a pointer points into: of a kernel argument the bound buffer, else what is registered there. Never null.
const softmetal::MemoryRange *softmetal_rt_device_range(void *pointer, uint32_t buffer);
const softmetal::MemoryRange *softmetal_rt_threadgroup_range(void *pointer);
void softmetal_rt_race_device(void *pointer, uint32_t bytes, uint32_t access, uint32_t site, const softmetal::MemoryRange *range);
void softmetal_rt_race_threadgroup(void *pointer, uint32_t bytes, uint32_t access, uint32_t site);
void softmetal_rt_written_threadgroup(void *pointer, uint32_t bytes);
void softmetal_rt_read_threadgroup(void *pointer, uint32_t bytes, uint32_t site);
// Counting.
// `positions`: the bits of a lane's position that the access or the operations depend on (Passes/Dependence.h).
void softmetal_rt_count_device(void *pointer, uint32_t bytes, uint32_t access, uint32_t site, uint32_t positions);
void softmetal_rt_count_threadgroup(void *pointer, uint32_t bytes, uint32_t access, uint32_t site);
void softmetal_rt_count_operations(uint32_t arithmetic);
void softmetal_rt_count_distinct(int32_t arithmetic, uint32_t special, uint32_t products, uint32_t positions); ///< arithmetic in 32nds
}
