//===- Accumulators.cpp - what a group's reductions carry, and their results ---===//
#include "GroupEmitter.h"

using namespace mlir;

namespace triton_metal::cpu {

/// One neutral element, or zero to be replaced by the first element, for each chunk of each operand of each reduction.
GroupEmitter::Values GroupEmitter::initialAccumulators() {
  Values accumulators;
  for (const Root &root : group.roots) {
    if (root.kind != Root::Reduce)
      continue;
    TypedAttr neutral = neutralElement(reduceOf(root).getCombineBlock());
    for (Value source : reduceOf(root).getSrcs()) {
      Type element = registerType(tt::getElementOf(source.getType()));
      TypedAttr attr = neutral && !needsFirst ? neutral : TypedAttr(cast<TypedAttr>(b.getZeroAttr(element)));
      if (nest.width > 1)
        attr = SplatElementsAttr::get(cast<ShapedType>(nest.laneType(element)), attr);
      Value value = arith::ConstantOp::create(nest.at(0), loc, attr);
      accumulators.append(chunks, value);
    }
  }
  return accumulators;
}

/// Results of a reduction with lanes across: they are where they belong already.
void GroupEmitter::storeAccumulators(Values accumulators, unsigned count) {
  unsigned next = 0;
  for (Root &root : group.roots) {
    if (root.kind != Root::Reduce)
      continue;
    unsigned operands = reduceOf(root).getSrcs().size();
    for (unsigned i = 0; i < operands; ++i)
      for (unsigned chunk = 0; chunk < count; ++chunk) {
        Value value = accumulators[next + i * count + chunk];
        Type element = getElementTypeOrSelf(value.getType());
        if (root.results.empty()) {
          program.bindScalar(root.op->getResult(i), value);
          continue;
        }
        Lanes lanes = nest.fromVector(element, value, nest.deepest());
        nest.store(nest.bufferPointer(root.results[i], indexOfChunk(chunk)), nullptr, lanes, nest.deepest());
      }
    next += operands * count;
  }
}

/// Combines the accumulators of a row: chunks first, then halves of the vector.
void GroupEmitter::finishRows(Values accumulators) {
  unsigned next = 0, depth = nest.deepest();
  for (Root &root : group.roots) {
    if (root.kind != Root::Reduce)
      continue;
    tt::ReduceOp reduce = reduceOf(root);
    Block &region = reduce.getCombineBlock();
    unsigned operands = reduce.getSrcs().size();
    SmallVector<Values> tuples;
    for (unsigned chunk = 0; chunk < chunks; ++chunk) {
      Values tuple;
      for (unsigned i = 0; i < operands; ++i)
        tuple.push_back(accumulators[next + i * chunks + chunk]);
      tuples.push_back(std::move(tuple));
    }
    next += operands * chunks;
    OpBuilder &at = nest.at(depth);
    Location where = root.op->getLoc();
    while (tuples.size() > 1) {
      SmallVector<Values> half;
      for (unsigned i = 0; i + 1 < tuples.size(); i += 2)
        half.push_back(combine(program, at, where, region, tuples[i], tuples[i + 1]));
      tuples = std::move(half);
    }
    Values tuple = tuples[0];
    for (int64_t lanes = nest.width; lanes > 1; lanes /= 2) {
      Values low, high;
      for (Value value : tuple) {
        if (lanes == 2) {
          low.push_back(vector::ExtractOp::create(at, where, value, int64_t(0)));
          high.push_back(vector::ExtractOp::create(at, where, value, int64_t(1)));
          continue;
        }
        SmallVector<int64_t> first, second;
        for (int64_t i = 0; i < lanes / 2; ++i) {
          first.push_back(i);
          second.push_back(lanes / 2 + i);
        }
        low.push_back(vector::ShuffleOp::create(at, where, value, value, first));
        high.push_back(vector::ShuffleOp::create(at, where, value, value, second));
      }
      tuple = combine(program, at, where, region, low, high);
    }
    for (unsigned i = 0; i < operands; ++i) {
      if (root.results.empty()) {
        program.bindScalar(root.op->getResult(i), tuple[i]);
        continue;
      }
      Nest::Index index;
      for (unsigned dim = 0; dim < outer.size(); ++dim)
        if (int(dim) != int(reduce.getAxis()))
          index.push_back(dim < laneDim ? outer[dim] : nest.integer(b.getI64Type(), 0));
      int64_t width = std::exchange(nest.width, 1);
      Lanes lanes = nest.uniform(tuple[i], depth);
      nest.store(nest.bufferPointer(root.results[i], nest.intern(std::move(index))), nullptr, lanes, depth);
      nest.width = width;
    }
  }
}

} // namespace triton_metal::cpu
