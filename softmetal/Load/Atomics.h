//===- Atomics.h - the read-modify-write operations of AIR ---------------------------------------------------------------===//
#pragma once

namespace softmetal {

/// Detail of Operation::AtomicUpdate.
enum AtomicUpdateKind : unsigned { AtomicAdd, AtomicSub, AtomicMin, AtomicMax, AtomicAnd, AtomicOr, AtomicXor, AtomicExchange };

} // namespace softmetal
