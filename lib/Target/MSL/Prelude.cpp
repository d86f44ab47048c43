//===- Prelude.cpp - functions that a kernel's text may bring with it -------------===//
//
// What Metal leaves undefined and Triton defines, and what Metal has under another name or not at all. A function is printed only
// with a kernel that calls it. Integers are unsigned here as in the kernels; a name says what the function reads as signed.
//
//===----------------------------------------------------------------------===//
#include "triton_metal/Target/MSL/Print.h"

using namespace mlir;
using namespace triton_metal;

namespace {
struct PreludeEntry {
  llvm::StringLiteral name;
  llvm::StringLiteral text;
};
} // namespace

// clang-format off
#define COMPARE_AND_SWAP(NAME, SPACE) "inline uint " NAME "(" SPACE R"( uint* p, uint expected, uint value) {
  )" SPACE " metal::atomic_uint* word = (" SPACE R"( metal::atomic_uint*)p;
  uint seen = expected;
  while (!metal::atomic_compare_exchange_weak_explicit(word, &seen, value, metal::memory_order_relaxed,
                                                       metal::memory_order_relaxed)) {
    if (seen != expected)
      break;
  }
  return seen;
}
)"
#define FLOAT_UPDATE(NAME, SPACE, NEXT) "inline float " NAME "(" SPACE R"( float* p, float value) {
  )" SPACE " metal::atomic_uint* word = (" SPACE R"( metal::atomic_uint*)p;
  uint seen = metal::atomic_load_explicit(word, metal::memory_order_relaxed);
  while (true) {
    float old = as_type<float>(seen);
    float next = )" NEXT R"(;
    if (metal::atomic_compare_exchange_weak_explicit(word, &seen, as_type<uint>(next), metal::memory_order_relaxed,
                                                     metal::memory_order_relaxed))
      return old;
  }
}
)"
// The software Metal's library has the macro, and its checks then ask for the element instead of the word around it.
#define UPDATE_IN_WORD(NAME, SPACE, PLACE, ARGUMENTS, NEXT) "inline ushort " NAME "(" SPACE " ushort* p, " ARGUMENTS R"() {
#ifdef SOFTMETAL_ELEMENT_IN_WORD
  p = SOFTMETAL_ELEMENT_IN_WORD(p);
#endif
  uint odd = )" PLACE R"( & 1u, shift = odd * 16u;
  )" SPACE " metal::atomic_uint* word = (" SPACE R"( metal::atomic_uint*)(p - odd);
  uint seen = metal::atomic_load_explicit(word, metal::memory_order_relaxed);
  while (true) {
    ushort old = ushort(seen >> shift);
    )" NEXT R"(
    uint changed = (seen & ~(65535u << shift)) | uint(next) << shift;
    if (metal::atomic_compare_exchange_weak_explicit(word, &seen, changed, metal::memory_order_relaxed,
                                                     metal::memory_order_relaxed))
      return old;
  }
}
)"
// Arrays in threadgroup memory begin with a word, and an element is in the half that its place in the array tells. No number is made of a
// pointer there: whether Apple's compiler takes that is not known.
#define IN_EITHER(NAME, ARGUMENTS, NEXT) \
  {NAME, UPDATE_IN_WORD(NAME, "device", "uint(ulong(p) >> 1)", ARGUMENTS, NEXT)}, \
  {"shared_" NAME, UPDATE_IN_WORD("shared_" NAME, "threadgroup", "place", "uint place, " ARGUMENTS, NEXT)}
static constexpr PreludeEntry kPrelude[] = {
// Division: a zero divisor and the one overflow are replaced by a division by 1, so that masked lanes stay harmless.
{"div_signed_32", R"(inline uint div_signed_32(uint a, uint b) {
  return uint(int(a) / (b == 0u || (a == 2147483648u && b == 4294967295u) ? 1 : int(b)));
}
)"},
{"rem_signed_32", R"(inline uint rem_signed_32(uint a, uint b) {
  return a - uint(int(a) / (b == 0u || (a == 2147483648u && b == 4294967295u) ? 1 : int(b))) * b;
}
)"},
{"div_unsigned_32", R"(inline uint div_unsigned_32(uint a, uint b) {
  return a / (b == 0u ? 1u : b);
}
)"},
{"rem_unsigned_32", R"(inline uint rem_unsigned_32(uint a, uint b) {
  return a % (b == 0u ? 1u : b);
}
)"},
{"div_signed_64", R"(inline ulong div_signed_64(ulong a, ulong b) {
  return ulong(long(a) / (b == 0ul || (a == 9223372036854775808ul && b == 18446744073709551615ul) ? 1l : long(b)));
}
)"},
{"rem_signed_64", R"(inline ulong rem_signed_64(ulong a, ulong b) {
  return a - ulong(long(a) / (b == 0ul || (a == 9223372036854775808ul && b == 18446744073709551615ul) ? 1l : long(b))) * b;
}
)"},
{"div_unsigned_64", R"(inline ulong div_unsigned_64(ulong a, ulong b) {
  return a / (b == 0ul ? 1ul : b);
}
)"},
{"rem_unsigned_64", R"(inline ulong rem_unsigned_64(ulong a, ulong b) {
  return a % (b == 0ul ? 1ul : b);
}
)"},
{"mulhi_unsigned_32", R"(inline uint mulhi_unsigned_32(uint a, uint b) {
  return uint((ulong(a) * ulong(b)) >> 32);
}
)"},
{"mulhi_unsigned_64", R"(inline ulong mulhi_unsigned_64(ulong a, ulong b) {
  ulong low = (a & 4294967295ul) * (b & 4294967295ul);
  ulong left = (a >> 32) * (b & 4294967295ul) + (low >> 32);
  ulong right = (a & 4294967295ul) * (b >> 32) + (left & 4294967295ul);
  return (a >> 32) * (b >> 32) + (left >> 32) + (right >> 32);
}
)"},
// Conversions: toward zero, saturating, a NaN gives 0.
{"float_to_signed_32", R"(inline uint float_to_signed_32(float x) {
  return x != x ? 0u : x >= 2147483648.0f ? 2147483647u : x <= -2147483648.0f ? 2147483648u : uint(int(x));
}
)"},
{"small_float_to_signed_32", R"(inline uint small_float_to_signed_32(float x) {
  return uint(int(x));
}
)"},
{"float_to_unsigned_32", R"(inline uint float_to_unsigned_32(float x) {
  return !(x > 0.0f) ? 0u : x >= 4294967296.0f ? 4294967295u : uint(x);
}
)"},
{"float_to_signed_64", R"(inline ulong float_to_signed_64(float x) {
  return x != x ? 0ul
         : x >= 9223372036854775808.0f  ? 9223372036854775807ul
         : x <= -9223372036854775808.0f ? 9223372036854775808ul
                                        : ulong(long(x));
}
)"},
{"float_to_unsigned_64", R"(inline ulong float_to_unsigned_64(float x) {
  return !(x > 0.0f) ? 0ul : x >= 18446744073709551616.0f ? 18446744073709551615ul : ulong(x);
}
)"},
// Rounds to nearest first, then steps back where that went away from zero.
{"half_toward_zero", R"(inline half half_toward_zero(float x) {
  half nearest = half(x);
  if (x != x || metal::fabs(x) == INFINITY || !(metal::fabs(float(nearest)) > metal::fabs(x)))
    return nearest;
  return as_type<half>(ushort(as_type<ushort>(nearest) - 1));
}
)"},
// Minimum and maximum that keep a NaN; metal::fmin and metal::fmax drop it.
{"fmin_or_nan", R"(inline float fmin_or_nan(float a, float b) {
  return a != a ? a : b != b ? b : metal::fmin(a, b);
}
)"},
{"fmax_or_nan", R"(inline float fmax_or_nan(float a, float b) {
  return a != a ? a : b != b ? b : metal::fmax(a, b);
}
)"},
// The error function: two polynomials, one for small arguments and one in the exponent; error below 1 ulp but for that of exp.
{"error_function", R"(inline float error_function(float x) {
  float t = metal::fabs(x);
  float s = x * x;
  float small = metal::fma(s, -5.96761703e-4f, 4.99119423e-3f);
  small = metal::fma(small, s, -2.67681349e-2f);
  small = metal::fma(small, s, 1.12819925e-1f);
  small = metal::fma(small, s, -3.76125336e-1f);
  small = metal::fma(small, s, 1.28379166e-1f);
  small = metal::fma(small, x, x);
  float large = metal::fma(metal::fma(-1.72853470e-5f, t, 3.83197126e-4f), s, metal::fma(-3.88396438e-3f, t, 2.42546219e-2f));
  large = metal::fma(large, t, -1.06777877e-1f);
  large = metal::fma(large, t, -6.34846687e-1f);
  large = metal::fma(large, t, -1.28717512e-1f);
  large = metal::fma(large, t, -t);
  large = metal::copysign(1.0f - metal::precise::exp(large), x);
  return t > 0.927734375f ? large : small;
}
)"},
// Words of 64 bits and other types that SIMD shuffles lack.
{"shuffle_xor_64", R"(inline ulong shuffle_xor_64(ulong x, ushort lane) {
  uint low = metal::simd_shuffle_xor(uint(x), lane);
  uint high = metal::simd_shuffle_xor(uint(x >> 32), lane);
  return ulong(high) << 32 | ulong(low);
}
)"},
{"shuffle_64", R"(inline ulong shuffle_64(ulong x, ushort lane) {
  uint low = metal::simd_shuffle(uint(x), lane);
  uint high = metal::simd_shuffle(uint(x >> 32), lane);
  return ulong(high) << 32 | ulong(low);
}
)"},
{"shuffle_up_64", R"(inline ulong shuffle_up_64(ulong x, ushort lane) {
  uint low = metal::simd_shuffle_up(uint(x), lane);
  uint high = metal::simd_shuffle_up(uint(x >> 32), lane);
  return ulong(high) << 32 | ulong(low);
}
)"},
{"shuffle_down_64", R"(inline ulong shuffle_down_64(ulong x, ushort lane) {
  uint low = metal::simd_shuffle_down(uint(x), lane);
  uint high = metal::simd_shuffle_down(uint(x >> 32), lane);
  return ulong(high) << 32 | ulong(low);
}
)"},
// Atomics that Metal has only as a weak compare and exchange, or on floats in threadgroup memory not at all. `value` is
// stored where `expected` stood, by bits.
{"atomic_cas_32", COMPARE_AND_SWAP("atomic_cas_32", "device")},
{"shared_atomic_cas_32", COMPARE_AND_SWAP("shared_atomic_cas_32", "threadgroup")},
{"atomic_fmax_32", FLOAT_UPDATE("atomic_fmax_32", "device", "metal::fmax(old, value)")},
{"shared_atomic_fmax_32", FLOAT_UPDATE("shared_atomic_fmax_32", "threadgroup", "metal::fmax(old, value)")},
{"atomic_fmin_32", FLOAT_UPDATE("atomic_fmin_32", "device", "metal::fmin(old, value)")},
{"shared_atomic_fmin_32", FLOAT_UPDATE("shared_atomic_fmin_32", "threadgroup", "metal::fmin(old, value)")},
{"shared_atomic_fadd_32", FLOAT_UPDATE("shared_atomic_fadd_32", "threadgroup", "old + value")},
// Words of 16 bits: compare and exchange on the 32 bits around them, whose other half keeps what it holds.
IN_EITHER("atomic_cas_16", "ushort expected, ushort next", "if (old != expected)\n      return old;"),
IN_EITHER("atomic_add_half", "half value", "ushort next = as_type<ushort>(half(as_type<half>(old) + value));"),
IN_EITHER("atomic_add_bfloat", "bfloat value", "ushort next = as_type<ushort>(bfloat(float(as_type<bfloat>(old)) + float(value)));"),
// Printing and assertions: a record of 8 words at the next place of the log, whose first two words are the number of records so far
// and how many it takes (Runtime/Metal/Log.h). The site comes last: where it is 0 the record is not whole.
{"append_record", R"(inline void append_record(device uint* log, uint site, uint step, uint x, uint y, uint z, uint element, ulong bits) {
  uint place = metal::atomic_fetch_add_explicit((device metal::atomic_uint*)log, 1u, metal::memory_order_relaxed);
  if (place >= log[1])
    return;
  device uint* record = log + 8 + ulong(place) * 8ul;
  record[1] = step;
  record[2] = x;
  record[3] = y;
  record[4] = z;
  record[5] = element;
  record[6] = uint(bits);
  record[7] = uint(bits >> 32);
  record[0] = site;
}
)"},
};
// clang-format on

StringRef msl::preludeFunction(StringRef name) {
  for (const PreludeEntry &entry : kPrelude)
    if (entry.name == name)
      return entry.text;
  return {};
}

ArrayRef<llvm::StringLiteral> msl::preludeNames() {
  static const SmallVector<llvm::StringLiteral, 0> names = [] {
    SmallVector<llvm::StringLiteral, 0> all;
    for (const PreludeEntry &entry : kPrelude)
      all.push_back(entry.name);
    return all;
  }();
  return names;
}
