//===- Divisions.cpp - integer divisions that a host traps on -----------------------------------------------------------===//
//
// A GPU's division by zero gives some value, and lanes behind a mask divide by whatever they hold. On x86-64 it is a signal, as is the
// least integer by -1. Such a divisor becomes 1: -1 of the least integer wraps to itself, and no remainder is left.
//
//===--------------------------------------------------------------------------------------------------------------------===//
#include "softmetal/Passes/Accesses.h"
#include "softmetal/Passes/Passes.h"
#include "llvm/IR/InstIterator.h"

using namespace llvm;

namespace softmetal {

PreservedAnalyses DivisionsPass::run(Module &module, ModuleAnalysisManager &) {
  for (Function &function : module)
    for (Instruction &instruction : instructions(function)) {
      unsigned opcode = instruction.getOpcode();
      bool isSigned = opcode == Instruction::SDiv || opcode == Instruction::SRem;
      if (!isSigned && opcode != Instruction::UDiv && opcode != Instruction::URem)
        continue;
      Value *divisor = instruction.getOperand(1);
      if (auto *constant = dyn_cast<ConstantInt>(divisor); constant && !constant->isZero() && !constant->isMinusOne())
        continue;
      IRBuilder<> builder(&instruction);
      Type *type = divisor->getType();
      Value *traps = builder.CreateICmpEQ(divisor, Constant::getNullValue(type));
      if (isSigned) {
        Constant *least = ConstantInt::get(type, APInt::getSignedMinValue(type->getScalarSizeInBits()));
        Value *overflows = builder.CreateAnd(builder.CreateICmpEQ(instruction.getOperand(0), least),
                                             builder.CreateICmpEQ(divisor, Constant::getAllOnesValue(type)));
        traps = builder.CreateOr(traps, overflows);
      }
      instruction.setOperand(1, builder.CreateSelect(traps, ConstantInt::get(type, 1), divisor));
    }
  return PreservedAnalyses::none();
}

} // namespace softmetal
