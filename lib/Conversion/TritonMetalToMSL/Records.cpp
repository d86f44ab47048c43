//===- Records.cpp - printing and assertions --------------------------------------------===//
//
// A kernel that prints or asserts has one parameter more, the log, to which lanes append records (Runtime/Metal/Log.h). Lanes append in
// any order; what a person wants is that of the program. So each print has a number, its step, which is counted where all lanes
// go the same way: the host sorts by program, step, site and element.
//
// An assertion that does not hold ends its program: all lanes know the condition (PrepareForMetal reduces tensors), one of them says
// so, all return.
//
//===----------------------------------------------------------------------------===//
#include "Lowering.h"
#include "triton_metal/Runtime/Site.h"
#include "triton_metal/Support/SourcePosition.h"
#include "triton_metal/Support/Unsupported.h"

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::lane;

bool KernelLowering::keepsLog() {
  return source.walk([](Operation *op) { return isa<tt::PrintOp, tt::AssertOp>(op) ? WalkResult::interrupt() : WalkResult::advance(); })
      .wasInterrupted();
}

void KernelLowering::appendRecord(const Site &site, StringRef text, Value step, Value element, Value bits) {
  sites.push_back(builder.getStringAttr(encodeAt(loc, site, text)));
  auto program = [&](msl::Builtin which) -> Value { return msl::BuiltinOp::create(builder, loc, which); };
  Value none = arith::ConstantOp::create(builder, loc, builder.getI64IntegerAttr(0));
  msl::CallOp::create(builder, loc, TypeRange(), "append_record",
                      ValueRange{kernel.getBodyBlock().getArguments().back(), constant(sites.size()), step ? step : constant(0),
                                 program(msl::Builtin::ProgramX), program(msl::Builtin::ProgramY), program(msl::Builtin::ProgramZ),
                                 element ? element : constant(0), bits ? bits : none});
}

/// A number as a record holds it: floats as the bits of a float, pointers as addresses, integers extended.
Value KernelLowering::recordedBits(Value value, bool isSigned) {
  Type i64 = builder.getI64Type(), type = value.getType();
  if (isa<msl::PointerType>(type))
    return msl::PtrToIntOp::create(builder, loc, i64, value);
  if (isa<FloatType>(type)) {
    if (!type.isF32())
      value = arith::ExtFOp::create(builder, loc, builder.getF32Type(), value);
    value = arith::BitcastOp::create(builder, loc, builder.getI32Type(), value);
    return arith::ExtUIOp::create(builder, loc, i64, value);
  }
  if (type == i64)
    return value;
  return isSigned ? arith::ExtSIOp::create(builder, loc, i64, value).getResult() : arith::ExtUIOp::create(builder, loc, i64, value);
}

Value KernelLowering::isFirstThread() {
  Value thread = msl::BuiltinOp::create(builder, loc, msl::Builtin::Thread);
  return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, thread, constant(0));
}

LogicalResult KernelLowering::lowerPrint(tt::PrintOp op) {
  if (op.getArgs().size() > 255)
    return emitUnsupported(op, "metal", "a print of more than 255 values", "print them one by one", "device_print");
  closeNest();
  if (!steps) { // at the head of the kernel, so that loops count on
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&kernel.getBodyBlock());
    auto type = msl::PointerType::get(builder.getI32Type(), msl::AddressSpace::Thread);
    auto variable = msl::VarOp::create(builder, loc, type, constant(0));
    variable->setAttr(msl::kNameAttr, builder.getStringAttr("step"));
    steps = variable;
  }
  auto step = [&]() -> Value { return msl::LoadOp::create(builder, loc, steps); };
  // Appends where `test` holds, or everywhere; then goes back to where the loops go on.
  auto appendIf = [&](Value test, function_ref<void()> append) {
    if (!test)
      return append();
    auto branch = msl::IfOp::create(builder, loc, test, /*withElse=*/false);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToEnd(&branch.getThen().front());
    append();
  };

  msl::StoreOp::create(builder, loc, arith::AddIOp::create(builder, loc, step(), constant(1)), steps);
  Site site;
  site.hex = op.getHex();
  site.operands = op.getArgs().size();
  if (op.getArgs().empty()) {
    appendIf(isFirstThread(), [&] { appendRecord(site, op.getPrefix(), step(), {}, {}); });
    ++records;
    return success();
  }
  for (auto [number, operand] : llvm::enumerate(op.getArgs())) {
    auto tensor = dyn_cast<RankedTensorType>(operand.getType());
    Type element = tt::getElementOf(operand.getType());
    bool isSigned = op.getIsSigned()[number] != 0;
    site.operand = number;
    site.value = isa<tt::PointerType>(element) ? Site::Value::Pointer
                 : isa<FloatType>(element)     ? Site::Value::Float
                 : isSigned                    ? Site::Value::Signed
                                               : Site::Value::Unsigned;
    site.bits = isa<tt::PointerType>(element) ? 64 : element.getIntOrFloatBitWidth();
    site.rank = 0;
    if (!tensor) {
      Value value = scalars.lookup(operand);
      appendIf(isFirstThread(), [&] { appendRecord(site, op.getPrefix(), step(), {}, recordedBits(value, isSigned)); });
      ++records;
      continue;
    }
    if (tensor.getRank() > int64_t(kMaxPrintRank))
      return emitUnsupported(op, "metal", "a print of a tensor of more than " + Twine(kMaxPrintRank) + " dimensions", "reshape it",
                             "device_print");
    for (int64_t extent : tensor.getShape())
      site.shape[site.rank++] = extent;
    openNest(*ttm::getLayout(operand));
    setLevel(0);
    Value canonical = canonicalTest(nest->domain);
    Located value = evaluate(operand, nest->identity);
    SmallVector<Term> terms;
    for (auto [bit, source] : llvm::enumerate(nest->identity))
      terms.push_back({source, uint64_t(1) << bit});
    Value place = linear(terms).value;
    setLevel(nest->depth());
    appendIf(canonical, [&] { appendRecord(site, op.getPrefix(), step(), place, recordedBits(value.value, isSigned)); });
    closeNest();
    records += tensor.getNumElements();
  }
  return success();
}

LogicalResult KernelLowering::lowerAssert(tt::AssertOp op) {
  closeNest();
  Value yes = arith::ConstantOp::create(builder, loc, builder.getBoolAttr(true));
  Value fails = arith::XOrIOp::create(builder, loc, scalars.lookup(op.getCondition()), yes);
  auto branch = msl::IfOp::create(builder, loc, fails, /*withElse=*/false);
  builder.setInsertionPointToEnd(&branch.getThen().front());
  auto first = msl::IfOp::create(builder, loc, isFirstThread(), /*withElse=*/false);
  builder.setInsertionPointToEnd(&first.getThen().front());
  appendRecord(Site(), op.getMessage(), {}, {}, {});
  builder.setInsertionPointToEnd(&branch.getThen().front());
  msl::ReturnOp::create(builder, loc);
  builder.setInsertionPointToEnd(current);
  ++records;
  return success();
}
