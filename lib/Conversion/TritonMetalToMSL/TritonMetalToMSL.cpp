//===- TritonMetalToMSL.cpp - the pass, the kernel, its blocks --------------------------===//
#include "triton_metal/Conversion/TritonMetalToMSL/Passes.h"
#include "Lowering.h"
#include "triton_metal/Support/Unsupported.h"

namespace triton_metal {
#define GEN_PASS_DEF_CONVERTTRITONMETALTOMSL
#include "triton_metal/Conversion/TritonMetalToMSL/TritonMetalToMSLPasses.h.inc"
} // namespace triton_metal

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::lane;

KernelLowering::KernelLowering(tt::FuncOp source, unsigned numSimdgroups)
    : source(source), axis(source), simdgroupBits(llvm::Log2_32(numSimdgroups)), builder(source), loc(source.getLoc()) {}

/// Types that Metal lacks are refused where they first appear, with the way out.
LogicalResult KernelLowering::refuseTypes() {
  auto refuse = [&](Operation *op, Type type) -> LogicalResult {
    Type element = tt::getElementOf(type);
    while (auto pointer = dyn_cast<tt::PointerType>(element))
      element = pointer.getPointeeType();
    if (element.isF64())
      return emitUnsupported(op, "metal", "Metal has no 64-bit floating-point numbers",
                             "use float32, or run the kernel with device=\"cpu\"", "float64");
    if (isa<FloatType>(element) && element.getIntOrFloatBitWidth() == 8)
      return emitUnsupported(op, "metal", "Metal has no 8-bit floating-point numbers",
                             "store the bits as uint8 and convert them, or run the kernel with device=\"cpu\"", "float8");
    return success();
  };
  for (Type type : source.getArgumentTypes()) {
    if (failed(refuse(source, type)))
      return failure();
    if (tt::isSharedPointer(type))
      return emitUnsupported(source, "metal", "an argument points into shared memory", "make the array in the kernel");
  }
  WalkResult result = source.walk([&](Operation *op) {
    for (Type type : op->getResultTypes())
      if (failed(refuse(op, type)))
        return WalkResult::interrupt();
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

/// Operands and results of dots on matrices live in matrices, and with them the variables that loops carry them in.
void KernelLowering::findFragments() {
  source.walk([&](tt::DotOp dot) {
    auto kind = dot->getAttrOfType<StringAttr>(ttm::kDotKind);
    if (!kind || kind.getValue() != "simdgroup_matrix")
      return;
    for (Value value : {dot.getA(), dot.getB(), dot.getC(), dot.getD()})
      if (ttm::getLayout(value)->getNumRegisters() > 1)
        fragments.insert(value);
  });
  bool grows = true;
  auto share = [&](ValueRange values) {
    if (llvm::any_of(values, [&](Value value) { return fragments.contains(value); }))
      for (Value value : values)
        grows |= fragments.insert(value).second;
  };
  while (grows) {
    grows = false;
    source.walk([&](Operation *op) {
      if (auto loop = dyn_cast<scf::ForOp>(op))
        for (auto [argument, result, yielded] :
             llvm::zip_equal(loop.getRegionIterArgs(), loop.getResults(), loop.getBody()->getTerminator()->getOperands()))
          share({argument, result, yielded});
    });
  }
}

LogicalResult KernelLowering::lowerScalar(Operation *op) {
  setScalarPoint();
  if (auto constantOp = dyn_cast<arith::ConstantOp>(op)) {
    scalars[op->getResult(0)] = arith::ConstantOp::create(builder, loc, constantOp.getValue());
    return success();
  }
  if (isa<ub::PoisonOp>(op)) {
    Type type = convertType(op->getResult(0).getType());
    if (isa<msl::PointerType>(type)) {
      Value zero = arith::ConstantOp::create(builder, loc, builder.getI64IntegerAttr(0));
      scalars[op->getResult(0)] = msl::IntToPtrOp::create(builder, loc, type, zero);
    } else {
      scalars[op->getResult(0)] = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type));
    }
    return success();
  }
  if (auto id = dyn_cast<tt::GetProgramIdOp>(op)) {
    scalars[id] = msl::BuiltinOp::create(builder, loc, msl::Builtin(unsigned(msl::Builtin::ProgramX) + unsigned(id.getAxis())));
    return success();
  }
  if (auto count = dyn_cast<tt::GetNumProgramsOp>(op)) {
    scalars[count] = msl::BuiltinOp::create(builder, loc, msl::Builtin(unsigned(msl::Builtin::ProgramsX) + unsigned(count.getAxis())));
    return success();
  }
  SmallVector<Value> operands;
  for (Value operand : op->getOperands())
    operands.push_back(scalars.lookup(operand));
  Value result = createScalar(op, operands, convertType(op->getResult(0).getType()));
  if (!result)
    return failure();
  scalars[op->getResult(0)] = result;
  return success();
}

LogicalResult KernelLowering::lowerEager(Operation *op) {
  nestFor(op->getResult(0).getType());
  unsigned level = 0;
  SmallVector<Value> operands;
  for (Value operand : op->getOperands()) {
    Located part = evaluate(operand, nest->identity);
    operands.push_back(part.value);
    level = std::max(level, part.level);
  }
  setLevel(level);
  Value result = createScalar(op, operands, convertType(tt::getElementOf(op->getResult(0).getType())));
  if (!result)
    return failure();
  define(op->getResult(0), {result, level});
  return success();
}

LogicalResult KernelLowering::lower(Operation *op) {
  loc = op->getLoc();
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](tt::LoadOp load) { return lowerLoad(load); })
      .Case([&](tt::StoreOp store) { return lowerStore(store); })
      .Case([&](tt::AtomicRMWOp rmw) { return lowerAtomic(op, rmw.getPtr(), rmw.getMask(), rmw.getResult()); })
      .Case([&](tt::AtomicCASOp cas) { return lowerAtomic(op, cas.getPtr(), Value(), cas.getResult()); })
      .Case([&](tt::ReduceOp reduce) { return lowerReduce(reduce); })
      .Case([&](tt::ScanOp scan) { return lowerScan(scan); })
      .Case([&](tt::DotOp dot) { return lowerDot(dot); })
      .Case([&](ttm::WriteOp write) { return lowerWrite(write); })
      .Case([&](ttm::ReadOp read) { return lowerRead(read); })
      .Case([&](ttm::ReadAtOp read) { return lowerReadAt(read); })
      .Case([&](ttm::AllocOp) { return success(); })
      .Case([&](tt::SharedMemoryOp array) {
        OpBuilder::InsertionGuard guard(builder);
        auto place = kernel.getBodyBlock().begin(); // Metal wants it in the outermost scope
        while (place != kernel.getBodyBlock().end() && isa<msl::ThreadgroupArrayOp>(*place))
          ++place;
        builder.setInsertionPoint(&kernel.getBodyBlock(), place);
        Location where = NameLoc::get(array.getNameAttr(), loc);
        auto made = msl::ThreadgroupArrayOp::create(builder, where, convertType(array.getType()),
                                                    builder.getI32IntegerAttr(array.getNumElements()));
        made->setAttr(msl::kNameAttr, array.getNameAttr());
        made->setAttr(msl::kSourceTypeAttr, builder.getStringAttr(array.describeType()));
        scalars[array] = made;
        return success();
      })
      .Case([&](ttm::BarrierOp barrier) {
        closeNest();
        auto scope = barrier.getScope() == ttm::Scope::Simdgroup ? msl::BarrierScope::SimdGroup
                     : barrier.getDevice()                       ? msl::BarrierScope::ThreadgroupAndDevice
                                                                 : msl::BarrierScope::Threadgroup;
        msl::BarrierOp::create(builder, loc, scope);
        return success();
      })
      .Case([&](tt::DebugBarrierOp) {
        closeNest();
        msl::BarrierOp::create(builder, loc, msl::BarrierScope::ThreadgroupAndDevice);
        return success();
      })
      .Case([&](ttm::ConvertLayoutOp convert) { return isRenaming(op) ? success() : lowerShuffle(convert); })
      .Case([&](scf::ForOp loop) { return lowerFor(loop); })
      .Case([&](scf::IfOp branch) { return lowerIf(branch); })
      .Case([&](scf::WhileOp loop) { return lowerWhile(loop); })
      .Case([&](tt::UnsplatOp unsplat) {
        closeNest();
        openNest(*ttm::getLayout(unsplat.getSrc()));
        scalars[unsplat] = evaluate(unsplat.getSrc(), nest->identity).value;
        closeNest();
        return success();
      })
      .Case([&](tt::ReturnOp) { return success(); })
      .Case([&](tt::PrintOp print) { return lowerPrint(print); })
      .Case([&](tt::AssertOp assertion) { return lowerAssert(assertion); })
      .Default([&](Operation *) -> LogicalResult {
        bool isTensor = llvm::any_of(op->getResultTypes(), llvm::IsaPred<RankedTensorType>);
        if (isTensor) {
          if (isRenaming(op) || (op->getNumResults() == 1 && isLazy(op->getResult(0))))
            return success(); // computed where it is used
          if (auto join = dyn_cast<tt::JoinOp>(op)) {
            // The halves of a split are read at other registers than the nest's own: those must lie in an array.
            if (readsOpenNest(join.getLhs()) || readsOpenNest(join.getRhs()))
              closeNest();
            nestFor(join.getType());
            View view(nest->identity.begin() + 1, nest->identity.end());
            Located lhs = evaluate(join.getLhs(), view), rhs = evaluate(join.getRhs(), view);
            Located bit = linear({{nest->identity.front(), 1}});
            unsigned level = std::max({lhs.level, rhs.level, bit.level});
            setLevel(level);
            Value second = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, bit.value, constant(0));
            define(join, {arith::SelectOp::create(builder, loc, second, rhs.value, lhs.value), level});
            return success();
          }
          if (ttm::isElementwise(op) && op->getNumResults() == 1)
            return lowerEager(op);
        } else if (op->getNumResults() == 1 && op->getNumRegions() == 0 && isMemoryEffectFree(op)) {
          return lowerScalar(op);
        }
        return emitUnsupported(op, "metal", "there is no Metal code for it", "run the kernel with device=\"cpu\"");
      });
}

LogicalResult KernelLowering::lowerBlock(Block &block) {
  for (Operation &op : block) {
    if (isa<scf::YieldOp, scf::ConditionOp>(op) || madeAtUse.contains(&op))
      continue;
    if (failed(lower(&op)))
      return failure();
    done.insert(&op);
    if (auto dot = dyn_cast<tt::DotOp>(op); dot && (streamed.contains(dot.getA()) || streamed.contains(dot.getB())))
      done.insert(madeAtUse.begin(), madeAtUse.end());
  }
  closeNest();
  return success();
}

LogicalResult KernelLowering::run() {
  if (!source.getBody().hasOneBlock())
    return emitUnsupported(source, "metal", "a return in the middle of the kernel is not structured control flow",
                           "put the rest of the kernel under the opposite condition", "return");
  if (failed(refuseTypes()))
    return failure();
  vectors = ttm::longestVectors(source);
  findFragments();
  findStreams();

  SmallVector<Type> types;
  SmallVector<Location> locations;
  for (BlockArgument argument : source.getArguments()) {
    types.push_back(convertType(argument.getType()));
    locations.push_back(argument.getLoc());
  }
  bool hasLog = keepsLog();
  if (hasLog) {
    types.push_back(msl::PointerType::get(builder.getI32Type(), msl::AddressSpace::Device));
    locations.push_back(source.getLoc());
  }
  auto pool = source->getAttrOfType<IntegerAttr>(ttm::kPoolBytes);
  builder.setInsertionPoint(source);
  kernel = msl::KernelOp::create(builder, source.getLoc(), builder.getStringAttr(source.getName()),
                                 TypeAttr::get(builder.getFunctionType(types, {})), ArrayAttr(), ArrayAttr(),
                                 builder.getI32IntegerAttr(32 << simdgroupBits), builder.getI32IntegerAttr(pool ? pool.getInt() : 0));
  current = builder.createBlock(&kernel.getBody(), {}, types, locations);
  for (auto [index, argument] : llvm::enumerate(source.getArguments())) {
    StringRef name = sourceName(argument.getLoc());
    std::string text = name.empty() ? "arg" + std::to_string(index) : name.str();
    kernel.setArgAttr(index, msl::kNameAttr, builder.getStringAttr(text));
    scalars[argument] = current->getArgument(index);
  }
  if (hasLog)
    kernel.setArgAttr(types.size() - 1, msl::kNameAttr, builder.getStringAttr("log"));
  builder.setInsertionPointToEnd(current);
  if (failed(lowerBlock(source.getBody().front())))
    return failure();
  if (hasLog) {
    kernel->setAttr(msl::kSitesAttr, builder.getArrayAttr(sites));
    kernel->setAttr(msl::kRecordsAttr, builder.getI64IntegerAttr(records));
  }
  return success();
}

namespace {
struct ConvertTritonMetalToMSL : public triton_metal::impl::ConvertTritonMetalToMSLBase<ConvertTritonMetalToMSL> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    unsigned numSimdgroups = 4;
    if (auto attribute = module->getAttrOfType<IntegerAttr>(ttm::kNumSimdgroups))
      numSimdgroups = attribute.getInt();
    for (tt::FuncOp function : llvm::make_early_inc_range(module.getOps<tt::FuncOp>())) {
      if (failed(KernelLowering(function, numSimdgroups).run()))
        return signalPassFailure();
      function.erase();
    }
  }
};
} // namespace
