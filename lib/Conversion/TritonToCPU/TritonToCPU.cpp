//===- TritonToCPU.cpp - kernels become functions that run a range of programs -----------===//
#include "triton_metal/Conversion/TritonToCPU/Passes.h"

#include "Program.h"
#include "triton_metal/Analysis/SharedArrays.h"
#include "triton_metal/Dialect/Triton/IR/ElementBytes.h"
#include "triton_metal/Dialect/Triton/Transforms/Passes.h"
#include "triton_metal/Launch/ParamsLayout.h"
#include "triton_metal/Support/Unsupported.h"

namespace triton_metal::cpu {
#define GEN_PASS_DEF_TRITONTOCPU
#include "triton_metal/Conversion/TritonToCPU/TritonToCPUPasses.h.inc"
} // namespace triton_metal::cpu

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::cpu;

namespace {

/// How an argument lies in the packed parameters.
static Type parameterType(Type type) { return type.isInteger(1) ? Type(IntegerType::get(type.getContext(), 8)) : registerType(type); }

static uint32_t parameterBytes(Type type) {
  return uint32_t(tt::getElementBytes(isa<tt::PointerType>(type) ? type : memoryType(registerType(type))));
}

struct TritonToCPU : public cpu::impl::TritonToCPUBase<TritonToCPU> {
  using Base::Base;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    SmallVector<tt::FuncOp> kernels;
    for (tt::FuncOp func : module.getOps<tt::FuncOp>()) {
      if (func.isExternal()) {
        (void)emitUnsupported(func, "cpu", "it has no body", "give the function a body");
        return signalPassFailure();
      }
      kernels.push_back(func);
    }
    for (tt::FuncOp func : kernels) {
      if (func.isKernel() && failed(lowerKernel(func)))
        return signalPassFailure();
      if (!func.isKernel() && !func.symbolKnownUseEmpty(module)) {
        (void)emitUnsupported(func, "cpu", "it is called and was not inlined", "remove noinline=True");
        return signalPassFailure();
      }
    }
    for (tt::FuncOp func : kernels)
      func.erase();
  }

  /// The kernel's own sums and products may be contracted or not; the flag stays with them down to the machine. What we make
  /// ourselves has no flag, and uses fma where it wants it.
  void setContraction(tt::FuncOp func) {
    func.walk([&](Operation *op) {
      TypeSwitch<Operation *>(op).Case<arith::AddFOp, arith::SubFOp, arith::MulFOp>([&](auto number) {
        auto flags = number.getFastmath() & ~arith::FastMathFlags::contract;
        number.setFastmath(fpFusion ? flags | arith::FastMathFlags::contract : flags);
      });
    });
  }

  LogicalResult lowerKernel(tt::FuncOp func) {
    MLIRContext *context = &getContext();
    // The limit is that of the other device: a kernel that only runs here would be of no use there.
    if (failed(checkSharedMemory(func, 0, "use smaller arrays, or a smaller dtype")))
      return failure();
    tt::carryOffsets(func);
    setContraction(func);
    OpBuilder b(func);
    Location loc = func.getLoc();
    Type pointer = LLVM::LLVMPointerType::get(context), i64 = b.getI64Type(), i32 = b.getI32Type();
    Type none = LLVM::LLVMVoidType::get(context);
    for (Type type : func.getArgumentTypes())
      if (!isa<tt::PointerType, IntegerType, FloatType>(type) || tt::isSharedPointer(type))
        return emitUnsupported(func, "cpu", "an argument of this type", "pass pointers and numbers");

    // One program: the arguments, its id and the grid, three numbers each, the arena.
    SmallVector<Type> types;
    for (Type type : func.getArgumentTypes())
      types.push_back(registerType(type));
    types.append(6, i32);
    types.push_back(pointer);
    std::string name = func.getName().str();
    auto program = LLVM::LLVMFuncOp::create(b, loc, name + ".program", LLVM::LLVMFunctionType::get(none, types), LLVM::Linkage::Internal);
    Block *body = program.addEntryBlock(b);
    ProgramOptions options;
    options.vectorBits = vectorBits;
    options.dot.fuse = fpFusion;
    options.checked = checked;
    options.dot.vectorBytes = vectorBits / 8;
    options.dot.vectorRegisters = vectorRegisters;
    Program lowering(b, options);
    unsigned count = func.getNumArguments();
    for (unsigned i = 0; i < count; ++i)
      lowering.bindScalar(func.getArgument(i), body->getArgument(i));
    Program::Frame frame;
    for (unsigned axis = 0; axis < 3; ++axis) {
      frame.programId[axis] = body->getArgument(count + axis);
      frame.programCount[axis] = body->getArgument(count + 3 + axis);
    }
    frame.arena = body->getArgument(count + 6);
    FailureOr<int64_t> arenaBytes = lowering.lower(func, body, frame);
    if (failed(arenaBytes))
      return failure();

    // The kernel: reads the parameters once, then runs the programs in rising order.
    b.setInsertionPointAfter(program);
    auto kernel = LLVM::LLVMFuncOp::create(b, loc, name, LLVM::LLVMFunctionType::get(none, {pointer, pointer, i64, i64, pointer}));
    kernel->setAttr(kArenaBytes, b.getI64IntegerAttr(*arenaBytes));
    Block *entry = kernel.addEntryBlock(b);
    b.setInsertionPointToStart(entry);
    Value params = entry->getArgument(0), grid = entry->getArgument(1);
    SmallVector<Value> arguments;
    ParamsLayoutBuilder layout;
    auto addressAt = [&](Value base, uint32_t offset) -> Value {
      return LLVM::GEPOp::create(b, loc, pointer, b.getI8Type(), base, ArrayRef<LLVM::GEPArg>{LLVM::GEPArg(int32_t(offset))});
    };
    for (Type type : func.getArgumentTypes()) {
      uint32_t bytes = parameterBytes(type);
      Value value = LLVM::LoadOp::create(b, loc, parameterType(type), addressAt(params, layout.add(bytes)), bytes);
      if (type.isInteger(1))
        value = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, value,
                                      arith::ConstantOp::create(b, loc, b.getI8IntegerAttr(0)));
      arguments.push_back(value);
    }
    Value extents[3];
    for (int axis = 0; axis < 3; ++axis)
      extents[axis] = LLVM::LoadOp::create(b, loc, i32, addressAt(grid, 4 * axis), 4);
    Value one = arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(1));
    Value width = arith::ExtSIOp::create(b, loc, i64, extents[0]), height = arith::ExtSIOp::create(b, loc, i64, extents[1]);
    auto loop = makeLoop(b, loc, entry->getArgument(2), entry->getArgument(3), one, {});
    LLVM::ReturnOp::create(b, loc, ValueRange());
    b.setInsertionPointToEnd(loop.getBody());
    // x runs fastest. Unsigned division: ids are not negative.
    Value id = loop.getInductionVar();
    Value rows = arith::DivUIOp::create(b, loc, id, width);
    Value ids[3] = {arith::RemUIOp::create(b, loc, id, width), arith::RemUIOp::create(b, loc, rows, height),
                    arith::DivUIOp::create(b, loc, rows, height)};
    for (Value value : ids)
      arguments.push_back(arith::TruncIOp::create(b, loc, i32, value));
    llvm::append_range(arguments, extents);
    arguments.push_back(entry->getArgument(4));
    LLVM::CallOp::create(b, loc, program, arguments);
    closeBlock(b, loc, loop.getBody(), {});
    return success();
  }
};

} // namespace
