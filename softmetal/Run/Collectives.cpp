//===- Collectives.cpp - SIMD and quad operations ------------------------------------------------------------------------===//
//
// `mask` says which lanes take part. A result that would come from a lane that does not is poison (0xCB), and reported in checked
// runs. Reductions go from lane 0 upwards; half and bfloat accumulate in float.
//
//===--------------------------------------------------------------------------------------------------------------------===//
#include "softmetal/Run/Machine.h"
#include "softmetal/Run/Matrix.h"
#include "softmetal/Run/Numbers.h"
#include <bit>
#include <cstring>
#include <type_traits>

namespace softmetal {
namespace {

constexpr int poison = 0xCB;

template <class T> T combine(Collective operation, T x, T y) {
  switch (operation) {
  case Collective::Sum:
  case Collective::QuadSum:
  case Collective::PrefixInclusiveSum:
  case Collective::PrefixExclusiveSum: return static_cast<T>(x + y);
  case Collective::Product:
  case Collective::QuadProduct:
  case Collective::PrefixInclusiveProduct:
  case Collective::PrefixExclusiveProduct: return static_cast<T>(x * y);
  case Collective::Max:
  case Collective::QuadMax:
    if constexpr (std::is_floating_point_v<T>) // a NaN loses, as in fmax
      return x != x ? y : y > x ? y : x;
    return y > x ? y : x;
  case Collective::Min:
  case Collective::QuadMin:
    if constexpr (std::is_floating_point_v<T>)
      return x != x ? y : y < x ? y : x;
    return y < x ? y : x;
  default: break;
  }
  if constexpr (std::is_integral_v<T>) {
    if (operation == Collective::And || operation == Collective::QuadAnd)
      return static_cast<T>(x & y);
    if (operation == Collective::Or || operation == Collective::QuadOr)
      return static_cast<T>(x | y);
    return static_cast<T>(x ^ y);
  }
  return x;
}

/// One element of a reduction or a prefix operation. Integers are added without sign, so that they wrap.
template <class Value, class Get, class Put>
void reduce(Lane **lanes, uint32_t mask, Collective operation, Get get, Put put) {
  bool inclusive = operation == Collective::PrefixInclusiveSum || operation == Collective::PrefixInclusiveProduct;
  bool exclusive = operation == Collective::PrefixExclusiveSum || operation == Collective::PrefixExclusiveProduct;
  if (inclusive || exclusive) {
    bool sum = operation == Collective::PrefixInclusiveSum || operation == Collective::PrefixExclusiveSum;
    Value total = sum ? Value(0) : Value(1);
    for (uint32_t rest = mask; rest; rest &= rest - 1) {
      void *slot = lanes[std::countr_zero(rest)]->a;
      Value next = combine(operation, total, static_cast<Value>(get(slot)));
      put(slot, inclusive ? next : total);
      total = next;
    }
    return;
  }
  bool quads = operation >= Collective::QuadSum && operation <= Collective::QuadXor;
  for (uint32_t part = 0; part < (quads ? 8u : 1u); ++part) {
    uint32_t members = quads ? mask & (15u << 4 * part) : mask;
    if (!members)
      continue;
    Value total = get(lanes[std::countr_zero(members)]->a);
    for (uint32_t rest = members & (members - 1); rest; rest &= rest - 1)
      total = combine(operation, total, static_cast<Value>(get(lanes[std::countr_zero(rest)]->a)));
    for (uint32_t rest = members; rest; rest &= rest - 1)
      put(lanes[std::countr_zero(rest)]->a, total);
  }
}

template <class Stored> void reduceIntegers(Lane **lanes, uint32_t mask, Collective operation, uint32_t element) {
  // Sums wrap, but order needs the sign: min and max work on the stored type, the rest on its unsigned twin.
  auto get = [=](void *slot) { return static_cast<Stored *>(slot)[element]; };
  auto put = [=](void *slot, auto value) { static_cast<Stored *>(slot)[element] = static_cast<Stored>(value); };
  bool ordered = operation == Collective::Max || operation == Collective::Min || operation == Collective::QuadMax ||
                 operation == Collective::QuadMin;
  if (ordered)
    reduce<Stored>(lanes, mask, operation, get, put);
  else
    reduce<uint64_t>(lanes, mask, operation, get, put);
}

void reduceElement(Lane **lanes, uint32_t mask, Collective operation, Scalar type, uint32_t element) {
  switch (type) {
  case Scalar::F32:
  case Scalar::F16:
  case Scalar::BF16:
    return reduce<float>(
        lanes, mask, operation, [=](void *slot) { return readFloat(slot, type, element); },
        [=](void *slot, float value) { writeFloat(slot, type, element, value); });
  case Scalar::S8: return reduceIntegers<int8_t>(lanes, mask, operation, element);
  case Scalar::Bool:
  case Scalar::U8: return reduceIntegers<uint8_t>(lanes, mask, operation, element);
  case Scalar::S16: return reduceIntegers<int16_t>(lanes, mask, operation, element);
  case Scalar::U16: return reduceIntegers<uint16_t>(lanes, mask, operation, element);
  case Scalar::S32: return reduceIntegers<int32_t>(lanes, mask, operation, element);
  case Scalar::U32: return reduceIntegers<uint32_t>(lanes, mask, operation, element);
  case Scalar::S64: return reduceIntegers<int64_t>(lanes, mask, operation, element);
  case Scalar::U64: return reduceIntegers<uint64_t>(lanes, mask, operation, element);
  }
}

/// The lane that lane `at` reads in a shuffle: -1 if there is none. `fill` says whether it reads the filling data.
int sourceLane(const Lane &lane, int at, uint32_t mask, bool &fill) {
  int amount = static_cast<int>(static_cast<int16_t>(lane.immediate)), quad = at & ~3;
  int width = lane.immediate2 ? static_cast<int>(lane.immediate2) : 32;
  int blockBegin = at / width * width, source;
  switch (lane.operation) {
  case Collective::Shuffle:
  case Collective::Broadcast: return static_cast<int>(lane.immediate);
  case Collective::ShuffleXor: return at ^ static_cast<int>(lane.immediate);
  case Collective::ShuffleUp: return at - amount < 0 ? at : at - amount;
  case Collective::ShuffleDown: return at + amount > 31 ? at : at + amount;
  case Collective::ShuffleRotateUp: return (at - amount) & 31;
  case Collective::ShuffleRotateDown: return (at + amount) & 31;
  case Collective::BroadcastFirst: return std::countr_zero(mask);
  case Collective::ShuffleFillUp:
    source = at - amount;
    fill = source < blockBegin;
    return fill ? source + width : source;
  case Collective::ShuffleFillDown:
    source = at + amount;
    fill = source >= blockBegin + width;
    return fill ? source - width : source;
  case Collective::QuadShuffle:
  case Collective::QuadBroadcast: return quad | static_cast<int>(lane.immediate & 3);
  case Collective::QuadShuffleXor: return quad | ((at ^ static_cast<int>(lane.immediate)) & 3);
  case Collective::QuadShuffleUp: return (at & 3) - amount < 0 ? at : at - amount;
  case Collective::QuadShuffleDown: return (at & 3) + amount > 3 ? at : at + amount;
  case Collective::QuadShuffleRotateUp: return quad | ((at - amount) & 3);
  case Collective::QuadShuffleRotateDown: return quad | ((at + amount) & 3);
  default: return -1;
  }
}

} // namespace

void Machine::resolveShuffle(Lane **lanes, uint32_t mask, const Lane &first) {
  alignas(16) char values[32][slotBytes];
  uint32_t bytes = first.bytes;
  for (uint32_t rest = mask; rest; rest &= rest - 1) {
    int i = std::countr_zero(rest);
    memcpy(values[i], lanes[i]->a, bytes);
  }
  for (uint32_t rest = mask; rest; rest &= rest - 1) {
    int i = std::countr_zero(rest);
    bool fill = false;
    int source = sourceLane(*lanes[i], i, mask, fill);
    if (source < 0 || source > 31 || !(mask >> source & 1)) {
      memset(lanes[i]->a, poison, bytes);
      if (kernel->checked) {
        FindingDetail detail{Finding::InactiveLane, first.site, 0};
        detail.offset = source;
        detail.lane = lanes[i]->ids.threadIndex;
        report(detail);
      }
      continue;
    }
    memcpy(lanes[i]->a, fill ? lanes[source]->b : values[source], bytes);
  }
}

void Machine::resolve(uint32_t group, Lane **lanes, uint32_t mask) {
  const Lane &first = *lanes[std::countr_zero(mask)];
  auto each = [&](auto &&action) {
    for (uint32_t rest = mask; rest; rest &= rest - 1)
      action(*lanes[std::countr_zero(rest)]);
  };
  auto truth = [](void *slot) { return (*static_cast<uint8_t *>(slot) & 1) != 0; };
  switch (first.operation) {
  case Collective::Barrier:
    if (first.immediate & memThreadgroup)
      ++groups[group].threadgroupEpoch;
    if (first.immediate & memDevice)
      ++groups[group].deviceEpoch;
    return;
  case Collective::Any:
  case Collective::All:
  case Collective::QuadAny:
  case Collective::QuadAll: {
    bool all = first.operation == Collective::All || first.operation == Collective::QuadAll;
    bool quads = first.operation == Collective::QuadAny || first.operation == Collective::QuadAll;
    bool results[8];
    for (uint32_t part = 0; part < 8; ++part) {
      results[part] = all;
      for (uint32_t rest = quads ? mask & (15u << 4 * part) : mask; rest; rest &= rest - 1) {
        bool value = truth(lanes[std::countr_zero(rest)]->a);
        results[part] = all ? results[part] && value : results[part] || value;
      }
    }
    each([&](Lane &lane) { *static_cast<uint8_t *>(lane.a) = results[lane.ids.lane / 4]; });
    return;
  }
  case Collective::Ballot:
  case Collective::ActiveMask: {
    uint64_t bits = 0;
    each([&](Lane &lane) {
      bits |= uint64_t(first.operation == Collective::ActiveMask || truth(lane.b)) << lane.ids.lane;
    });
    each([&](Lane &lane) { memcpy(lane.a, &bits, 8); });
    return;
  }
  case Collective::IsFirst:
    each([&](Lane &lane) { *static_cast<uint8_t *>(lane.a) = &lane == &first; });
    return;
  case Collective::Uniform:
    each([&](Lane &lane) {
      if (memcmp(lane.a, first.a, first.bytes) == 0)
        return;
      FindingDetail detail{Finding::Uniform, first.site, 0};
      detail.lane = lane.ids.threadIndex;
      report(detail);
    });
    return;
  case Collective::MatrixMultiply:
  case Collective::TensorMultiply:
    if (mask != ~0u) {
      FindingDetail detail{Finding::Divergence, first.site, 0};
      detail.lane = first.ids.threadIndex;
      report(detail);
    }
    ++counters.matrixOperations;
    if (first.operation == Collective::MatrixMultiply)
      multiplyMatrices(lanes, mask);
    else
      multiplyTensors(lanes, mask);
    return;
  default:
    break;
  }
  bool shuffle = first.operation <= Collective::BroadcastFirst ||
                 (first.operation >= Collective::QuadShuffle && first.operation <= Collective::QuadBroadcast);
  if (shuffle)
    return resolveShuffle(lanes, mask, first);
  auto type = static_cast<Scalar>(first.types & 15);
  for (uint32_t element = 0; element <= first.types >> 4; ++element)
    reduceElement(lanes, mask, first.operation, type, element);
}

} // namespace softmetal
