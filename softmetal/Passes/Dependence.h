//===- Dependence.h - which bits of a lane's position its values depend on -----------------------------------------------===//
//
// Lanes that differ only in bits that a value does not depend on hold the same value: an operation on it, or an access to it, is one
// that is repeated. Position bits are those of the lane in its SIMD-group (0 to 4) and of the SIMD-group in its threadgroup (5 to 9).
// The answer is an upper bound of the dependence: what is not understood depends on all bits, and so does what is in functions that
// were not inlined. Behind `lane == 0` and the like a position bit has one value, so nothing is repeated along it.
//
//===--------------------------------------------------------------------------------------------------------------------===//
#pragma once

#include "softmetal/Passes/Translation.h"
#include "llvm/ADT/DenseMap.h"
#include <array>

namespace llvm {
class AllocaInst;
class BasicBlock;
class CallInst;
class Function;
class Instruction;
class Value;
} // namespace llvm

namespace softmetal {

using PositionBits = uint16_t;
constexpr PositionBits laneBits = 0x1f, groupBits = 0x3e0, allBits = laneBits | groupBits;

class LaneDependence {
public:
  explicit LaneDependence(const AirKernel &record);

  /// Of the operands of an instruction, with the bits that have one value where it is executed.
  PositionBits ofExecution(const llvm::Instruction &instruction) const;
  /// The same of an address that `instruction` uses.
  PositionBits ofAccess(const llvm::Instruction &instruction, const llvm::Value *address) const;
  /// Of the operands in the slots of a collective.
  PositionBits ofCollective(const llvm::CallInst &call) const;

private:
  /// For the low bits of an integer each its own dependence; of the others, and of all else, one.
  struct Dependence {
    std::array<PositionBits, 32> bits{};
    PositionBits rest = 0;
    PositionBits all() const;
    void add(PositionBits more);
    void add(const Dependence &other);
    bool operator==(const Dependence &other) const { return bits == other.bits && rest == other.rest; }
  };
  Dependence get(const llvm::Value *value) const;
  Dependence transfer(const llvm::Instruction &instruction) const;
  Dependence transferInteger(const llvm::Instruction &instruction) const;
  Dependence transferCall(const llvm::CallInst &call) const;
  /// The bits that have one value where `condition` is `truth`.
  PositionBits fixedBy(const llvm::Value *condition, bool truth) const;
  bool visitMemory(const llvm::Instruction &instruction);
  bool store(const llvm::Value *pointer, PositionBits bits);
  PositionBits privateContents(const llvm::Value *pointer) const;
  PositionBits ofOperands(const llvm::Instruction &instruction) const;
  /// Bits that a commutative operation of a value and its neighbour's by `simd_shuffle_xor` no longer depends on.
  static PositionBits removed(const llvm::Instruction &instruction);

  const llvm::Function *kernel;
  llvm::DenseMap<const llvm::Value *, Dependence> values;
  llvm::DenseMap<const llvm::AllocaInst *, PositionBits> contents; ///< of a lane's own arrays
  llvm::DenseMap<const llvm::BasicBlock *, PositionBits> executed; ///< what decides whether a block is executed
  llvm::DenseMap<const llvm::BasicBlock *, PositionBits> fixed;    ///< bits that have one value in it
};

} // namespace softmetal
