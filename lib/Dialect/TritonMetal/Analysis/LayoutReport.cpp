//===- LayoutReport.cpp - layouts, conversions, threadgroup memory, barriers, dots -------===//
#include "AccessReasons.h"
#include "triton_metal/Analysis/SharedArrays.h"
#include "triton_metal/Dialect/Triton/IR/ElementBytes.h"
#include "triton_metal/Dialect/Triton/IR/TypeNames.h"
#include "triton_metal/Support/SourcePosition.h"

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::ttm;

namespace json = llvm::json;

//===----------------------------------------------------------------------===//
// Places and names
//===----------------------------------------------------------------------===//

static json::Object placeOf(Operation *op) {
  json::Object place;
  if (FileLineColLoc position = positionOf(op->getLoc())) {
    place["file"] = position.getFilename().str();
    place["line"] = position.getLine();
  }
  if (auto name = dyn_cast<NameLoc>(op->getLoc()))
    place["name"] = name.getName().str();
  place["in_loop"] = bool(op->getParentOfType<scf::ForOp>() || op->getParentOfType<scf::WhileOp>());
  return place;
}

/// What the user calls the operation.
static std::string titleOf(Operation *op) {
  return TypeSwitch<Operation *, std::string>(op)
      .Case([](tt::LoadOp) { return "tl.load"; })
      .Case([](tt::StoreOp) { return "tl.store"; })
      .Case<tt::AtomicRMWOp, tt::AtomicCASOp>([](auto) { return "an atomic"; })
      .Case([](tt::DotOp) { return "tl.dot"; })
      .Case([](tt::ReduceOp) { return "a reduction"; })
      .Case([](tt::ScanOp) { return "a scan"; })
      .Case([](tt::TransOp) { return "tl.trans"; })
      .Case([](tt::JoinOp) { return "tl.join"; })
      .Case([](ReadAtOp) { return "tl.gather"; })
      .Case<scf::ForOp, scf::WhileOp, scf::YieldOp>([](auto) { return "a loop"; })
      .Default([](Operation *) { return "arithmetic"; });
}

static int64_t bytesOf(RankedTensorType type) { return type.getNumElements() * tt::getElementBytes(type.getElementType()); }

/// Bytes that all lanes together hold of a tensor, copies included.
static int64_t bytesHeld(RankedTensorType type) {
  LinearLayout layout = *getLayout(type);
  return (int64_t(layout.getNumRegisters()) * 32 << layout.getSimdgroupBases().size()) * tt::getElementBytes(type.getElementType());
}

//===----------------------------------------------------------------------===//
// Layouts
//===----------------------------------------------------------------------===//

static json::Array extents(const LinearLayout &layout, ArrayRef<uint32_t> bases) {
  json::Array list;
  for (unsigned dim = 0; dim < layout.getRank(); ++dim) {
    int64_t extent = 1;
    for (uint32_t basis : bases)
      extent *= layout.getCoordinate(basis, dim) ? 2 : 1;
    list.push_back(extent);
  }
  return list;
}

static json::Object layoutJson(const LinearLayout &layout) {
  // Neighbours of a lane along the dimension that its first register bit follows.
  unsigned vectorDim = 0;
  int64_t vector = 1;
  for (unsigned dim = 0; dim < layout.getRank(); ++dim)
    if (int64_t run = layout.getContiguousRegisters(dim); run > vector)
      vector = run, vectorDim = dim;
  return json::Object{
      {"kind", isMatrixFragment(layout) ? "matrix" : "blocked"},
      {"registers", extents(layout, layout.getRegisterBases())},
      {"lanes", extents(layout, layout.getLaneBases())},
      {"simdgroups", extents(layout, layout.getSimdgroupBases())},
      {"vector", vector},
      {"vector_dim", vectorDim},
      {"copies", int64_t(1) << (llvm::popcount(layout.getFreeLaneMask()) + llvm::popcount(layout.getFreeSimdgroupMask()))},
      {"text", layout.str()},
  };
}

namespace {
/// Tensors that a user would ask about, each once.
class Values {
public:
  void add(Operation *op, StringRef role, Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    std::optional<LinearLayout> layout = getLayout(value);
    if (!layout)
      return;
    json::Object record = placeOf(op);
    record["role"] = role.str();
    record["shape"] = json::Array(type.getShape());
    record["element"] = tt::nameOfType(tt::getElementOf(tt::getElementOf(type)));
    record["layout"] = layoutJson(*layout);
    json::Value made(std::move(record));
    if (!llvm::is_contained(list, made))
      list.push_back(std::move(made));
  }
  json::Array list;
};
} // namespace

static json::Array valuesOf(tt::FuncOp kernel) {
  Values values;
  kernel.walk<WalkOrder::PreOrder>([&](Operation *op) {
    auto role = [&](const std::string &access) { return access + (isOfDevice(op) ? "" : " of shared memory"); };
    if (auto load = dyn_cast<tt::LoadOp>(op))
      values.add(op, role("load"), load.getResult());
    else if (auto store = dyn_cast<tt::StoreOp>(op))
      values.add(op, role("store"), store.getValue());
    else if (auto atomic = dyn_cast<tt::AtomicRMWOp>(op))
      values.add(op, role("atomic"), atomic.getVal());
    else if (auto reduce = dyn_cast<tt::ReduceOp>(op))
      values.add(op, "reduction", reduce.getSrcs()[0]);
    else if (auto scan = dyn_cast<tt::ScanOp>(op))
      values.add(op, "scan", scan.getSrcs()[0]);
    else if (auto dot = dyn_cast<tt::DotOp>(op)) {
      values.add(op, "dot operand a", dot.getA());
      values.add(op, "dot operand b", dot.getB());
      values.add(op, "dot result", dot.getD());
    } else if (auto loop = dyn_cast<scf::ForOp>(op)) {
      for (Value argument : loop.getRegionIterArgs())
        values.add(op, "carried by the loop", argument);
    }
  });
  return std::move(values.list);
}

//===----------------------------------------------------------------------===//
// Conversions and threadgroup memory
//===----------------------------------------------------------------------===//

/// The first user of `value` that is no renaming of its elements.
static Operation *realUser(Value value) {
  for (Operation *user : value.getUsers())
    return isa<tt::ReshapeOp, tt::TransOp, tt::ExpandDimsOp, tt::BroadcastOp>(user) ? realUser(user->getResult(0)) : user;
  return nullptr;
}

static void addUser(json::Object &record, Value value) {
  if (Operation *user = realUser(value)) {
    record["used_by"] = titleOf(user);
    if (FileLineColLoc position = positionOf(user->getLoc()))
      record["used_at"] = position.getLine();
  }
}

/// Why an array in threadgroup memory is there.
static std::string purposeOf(WriteOp write, Operation *reader) {
  if (isa_and_nonnull<ReadAtOp>(reader))
    return "tl.gather";
  Operation *made = write.getValue().getDefiningOp();
  if (isa_and_nonnull<tt::AtomicRMWOp, tt::AtomicCASOp>(made))
    return "what an atomic gave";
  Operation *from = made;
  while (isa_and_nonnull<tt::ReshapeOp>(from))
    from = from->getOperand(0).getDefiningOp();
  Operation *user = reader ? realUser(reader->getResult(0)) : nullptr;
  if (isa_and_nonnull<tt::ReduceOp>(from) && isa_and_nonnull<tt::ReduceOp>(user) &&
      positionOf(from->getLoc()) == positionOf(user->getLoc()))
    return "parts of a reduction";
  return "another layout";
}

static json::Array conversionsOf(tt::FuncOp kernel) {
  json::Array list;
  kernel.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (auto convert = dyn_cast<ConvertLayoutOp>(op)) {
      LinearLayout from = *getLayout(convert.getSrc()), to = *getLayout(convert.getResult());
      LayoutConversion conversion = LayoutConversion::get(from, to);
      bool shuffles = conversion.kind == LayoutConversion::Kind::Shuffle;
      json::Object record = placeOf(op);
      record["how"] = shuffles ? "shuffle" : "register";
      record["purpose"] = "another layout";
      record["bytes"] = bytesOf(convert.getSrc().getType());
      record["bytes_moved"] = shuffles ? bytesHeld(convert.getResult().getType()) : 0;
      record["from"] = layoutJson(from);
      record["to"] = layoutJson(to);
      addUser(record, convert.getResult());
      list.push_back(std::move(record));
      return;
    }
    auto write = dyn_cast<WriteOp>(op);
    if (!write)
      return;
    for (Operation *reader : write.getMemory().getUsers()) {
      if (!isa<ReadOp, ReadAtOp>(reader))
        continue;
      auto type = write.getValue().getType();
      json::Object record = placeOf(op);
      record["how"] = "threadgroup memory";
      record["purpose"] = purposeOf(write, reader);
      record["bytes"] = bytesOf(type);
      record["bytes_moved"] = bytesOf(type) + bytesHeld(cast<RankedTensorType>(reader->getResult(0).getType()));
      record["from"] = layoutJson(*getLayout(type));
      record["to"] = layoutJson(*getLayout(reader->getResult(0)));
      addUser(record, reader->getResult(0));
      list.push_back(std::move(record));
    }
  });
  return list;
}

static json::Array memoryOf(tt::FuncOp kernel) {
  json::Array list;
  kernel.walk<WalkOrder::PreOrder>([&](AllocOp alloc) {
    WriteOp write;
    Operation *reader = nullptr;
    for (Operation *user : alloc->getUsers()) {
      if (auto found = dyn_cast<WriteOp>(user))
        write = found;
      else
        reader = user;
    }
    json::Object record = placeOf(alloc);
    record["owner"] = "compiler";
    record["purpose"] = write ? purposeOf(write, reader) : "not used";
    record["bytes"] = alloc.getType().getNumBytes();
    record["offset"] = int64_t(alloc.getOffset().value_or(0));
    record["shape"] = json::Array(alloc.getType().getShape());
    record["element"] = tt::nameOfType(alloc.getType().getElementType());
    record["padding"] = alloc.getType().getNumBytes() - alloc.getType().getNumElements() * alloc.getType().getElementBytes();
    list.push_back(std::move(record));
  });
  for (tt::SharedMemoryOp array : sharedArraysOf(kernel)) {
    json::Object record = placeOf(array);
    record["name"] = array.getName();
    record["owner"] = "kernel";
    record["purpose"] = "tl.shared_memory";
    record["bytes"] = array.getNumBytes();
    record["shape"] = json::Array(array.getShape());
    record["element"] = tt::nameOfType(array.getElementType());
    record["padding"] = 0;
    list.push_back(std::move(record));
  }
  return list;
}

//===----------------------------------------------------------------------===//
// Barriers and dots
//===----------------------------------------------------------------------===//

static json::Array barriersOf(tt::FuncOp kernel) {
  json::Array list;
  kernel.walk<WalkOrder::PreOrder>([&](BarrierOp barrier) {
    // The compiler puts its barriers before an access, at the place of the access.
    Operation *next = barrier->getNextNode();
    bool ours = isa_and_nonnull<WriteOp, ReadOp, ReadAtOp, tt::LoadOp, tt::StoreOp, tt::AtomicRMWOp, tt::AtomicCASOp>(next) &&
                next->getLoc() == barrier.getLoc();
    json::Object record = placeOf(barrier);
    record["scope"] = barrier.getScope() == Scope::Threadgroup ? "threadgroup" : "SIMD-group";
    record["owner"] = ours ? "compiler" : "kernel";
    record["why"] = !ours                          ? "asked for by the kernel"
                    : isa<WriteOp>(next)           ? "before threadgroup memory is written that others may still read"
                    : isa<ReadOp, ReadAtOp>(next) ? "before what other lanes wrote to threadgroup memory is read"
                                                   : "before device memory that other lanes accessed is accessed";
    list.push_back(std::move(record));
  });
  return list;
}

static json::Array dotsOf(tt::FuncOp kernel) {
  json::Array list;
  kernel.walk<WalkOrder::PreOrder>([&](tt::DotOp dot) {
    auto a = cast<RankedTensorType>(dot.getA().getType()), d = cast<RankedTensorType>(dot.getType());
    LinearLayout layout = *getLayout(d);
    unsigned rank = d.getRank();
    int64_t m = d.getDimSize(rank - 2), n = d.getDimSize(rank - 1), k = a.getDimSize(rank - 1);
    json::Object record = placeOf(dot);
    record["m"] = m, record["n"] = n, record["k"] = k;
    record["element"] = tt::nameOfType(a.getElementType());
    auto kind = dot->getAttrOfType<StringAttr>(kDotKind);
    record["kind"] = kind ? kind.getValue().str() : "";
    if (kind && kind == "scalar") {
      std::string small;
      for (auto [name, size] : {std::pair("M", m), std::pair("N", n), std::pair("K", k)})
        if (size < 8)
          small += (small.empty() ? "" : ", ") + std::string(name) + " = " + std::to_string(size);
      record["why"] = small + ": a side of a matrix fragment has 8 elements, so each lane sums for its own elements of the result";
      record["remedy"] = "pad the block to 8 or more, with masks";
    } else {
      int64_t tile[2] = {1, 1};
      for (ArrayRef<uint32_t> bases : {layout.getRegisterBases(), layout.getLaneBases()})
        for (uint32_t basis : bases)
          for (unsigned dim : {0u, 1u})
            tile[dim] *= layout.getCoordinate(basis, rank - 2 + dim) ? 2 : 1;
      record["tile"] = json::Array{tile[0], tile[1]};
      record["accumulator_registers"] = int64_t(layout.getNumRegisters());
    }
    list.push_back(std::move(record));
  });
  return list;
}

json::Object ttm::reportLayouts(tt::FuncOp kernel) {
  auto pool = kernel->getAttrOfType<IntegerAttr>(kPoolBytes);
  return json::Object{
      {"simdgroups", int64_t(getNumSimdgroups(kernel))}, {"pool_bytes", pool ? pool.getInt() : 0},
      {"values", valuesOf(kernel)},                      {"conversions", conversionsOf(kernel)},
      {"memory", memoryOf(kernel)},                      {"barriers", barriersOf(kernel)},
      {"dots", dotsOf(kernel)},
  };
}
