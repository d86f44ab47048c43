//===- RegionScope.h - building a branch in a block of its own ------------------------===//
#pragma once
#include "Walker.h"

namespace triton_metal::frontend {

/// Runs `body` with insertion in a new block and names as they are now; names are restored afterwards.
template <typename Body>
Walker::Region Walker::openRegion(Body body) {
  Region region;
  region.block = sem.newBlock();
  region.scope = frame().scope;
  continueRegion(region, body);
  return region;
}

/// Goes on with a region where it ended.
template <typename Body>
void Walker::continueRegion(Region &region, Body body) {
  Semantics::InsertPoint point = sem.savePoint();
  std::swap(frame().scope, region.scope);
  std::swap(frame().defined, region.defined);
  std::map<int, bool> pending = frame().pending;
  sem.setToEnd(region.block);
  try {
    region.outcome = body();
  } catch (...) {
    // The module is given up; the block belongs to nobody else.
    sem.deleteBlock(std::exchange(region.block, nullptr));
    throw;
  }
  std::swap(frame().scope, region.scope);
  std::swap(frame().defined, region.defined);
  frame().pending = std::move(pending);
  sem.restorePoint(point);
}

} // namespace triton_metal::frontend
