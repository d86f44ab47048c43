//===- Traffic.cpp - memory transactions of one access -----------------------------===//
#include "Traffic.h"
#include "triton_metal/Dialect/Triton/IR/ElementBytes.h"

#include <map>

using namespace mlir;
using namespace triton_metal;
using namespace triton_metal::ttm;

Operation *ttm::renamedInto(tt::LoadOp load) {
  bool isRenamed = false;
  Value value = load.getResult();
  while (value.hasOneUse()) {
    Operation *user = *value.getUsers().begin();
    if (user->getBlock() != load->getBlock())
      return nullptr;
    if (auto dot = dyn_cast<tt::DotOp>(user)) {
      auto kind = dot->getAttrOfType<StringAttr>(kDotKind);
      return isRenamed && value != dot.getC() && kind && kind == "simdgroup_matrix" ? user : nullptr;
    }
    bool renames = isa<tt::ExpandDimsOp, tt::BroadcastOp, tt::ReshapeOp, tt::TransOp, tt::JoinOp>(user);
    if (!renames && !isElementwise(user))
      return nullptr;
    isRenamed |= renames;
    value = user->getResult(0);
  }
  return nullptr;
}

AccessShape::AccessShape(Operation *op, ArrayRef<std::pair<LinearLayout, unsigned>> vectors)
    : op(op), layout(getLayout(op->getOperand(0))), vector(getAccessVector(op)),
      maskVector(getVectorAttribute(op, kMaskVector)), shape(tt::getShapeOf(op->getOperand(0).getType())),
      isLoad(isa<tt::LoadOp>(op)) {
  elementBytes = tt::getPointeeBytes(op->getOperand(0).getType());
  if (auto load = dyn_cast<tt::LoadOp>(op)) {
    dot = renamedInto(load);
    if (dot || !hasOneOther(load))
      vector = 1;
  }
  for (auto &[known, longest] : vectors)
    if (layout && known == *layout && longest != vector)
      vector = 1;
}

void Traffic::add(const Traffic &other, uint64_t times) {
  accesses += other.accesses * times;
  transactions += other.transactions * times;
  ideal += other.ideal * times;
  elements += other.elements * times;
}

namespace {

/// Counts at one position of the loops: addresses are moved by `offset`.
class Counter {
public:
  Counter(const AccessShape &access, const AccessVisit &visit) : access(access), visit(visit) {}

  Traffic count(int64_t moved) {
    offset = moved;
    traffic = Traffic();
    if (access.layout)
      countTensor(*access.layout);
    else
      countScalar();
    return traffic;
  }

private:
  bool isOn(uint32_t element) const { return visit.mask.empty() || visit.mask[element]; }
  int64_t addressOf(uint32_t element) const { return visit.addressOf(access.shape, element) + offset; }

  void countScalar() {
    if (!isOn(0))
      return;
    unsigned groups = access.isLoad ? getNumSimdgroups(access.op) : 1;
    for (unsigned group = 0; group < groups; ++group)
      finish({addressOf(0)}, access.elementBytes);
    traffic.elements = 1;
  }

  void countTensor(const LinearLayout &layout) {
    uint32_t groups = 1u << layout.getSimdgroupBases().size();
    uint32_t freeLanes = access.isLoad ? 0 : layout.getFreeLaneMask(), freeGroups = access.isLoad ? 0 : layout.getFreeSimdgroupMask();
    unsigned vector = access.vector;
    SmallVector<int64_t, 32> whole;
    SmallVector<SmallVector<int64_t, 32>, 4> parts(vector);
    for (uint32_t group = 0; group < groups; ++group) {
      if (group & freeGroups)
        continue;
      for (uint32_t reg = 0; reg < layout.getNumRegisters(); reg += vector) {
        whole.clear();
        for (auto &part : parts)
          part.clear();
        for (uint32_t lane = 0; lane < 32; ++lane) {
          if (lane & freeLanes)
            continue;
          // A vector is moved at once where all of it is wanted, else element by element.
          unsigned wanted = 0;
          for (unsigned i = 0; i < vector; ++i)
            wanted += isOn(layout.apply(reg + i, lane, group));
          if (wanted == vector) {
            whole.push_back(addressOf(layout.apply(reg, lane, group)));
            continue;
          }
          for (unsigned i = 0; i < vector; ++i)
            if (uint32_t element = layout.apply(reg + i, lane, group); isOn(element))
              parts[i].push_back(addressOf(element));
        }
        finish(whole, vector * access.elementBytes);
        for (auto &part : parts)
          finish(part, access.elementBytes);
      }
    }
    for (int64_t element = 0; element < int64_t(1) << layout.getNumElementBits(); ++element)
      traffic.elements += isOn(uint32_t(element));
  }

  /// One access of a SIMD-group: what each lane that takes part begins at.
  void finish(SmallVector<int64_t, 32> begins, int64_t bytes) {
    if (begins.empty())
      return;
    llvm::sort(begins);
    begins.erase(llvm::unique(begins), begins.end());
    uint64_t lines = 0, distinct = 0;
    int64_t last = INT64_MIN, end = INT64_MIN;
    for (int64_t begin : begins) {
      for (int64_t line = std::max(begin / kLineBytes, last + 1); line <= (begin + bytes - 1) / kLineBytes; ++line)
        ++lines, last = line;
      distinct += uint64_t(begin + bytes - std::max(begin, end));
      end = begin + bytes;
    }
    ++traffic.accesses;
    traffic.transactions += lines;
    traffic.ideal += llvm::divideCeil(distinct, uint64_t(kLineBytes));
  }

  const AccessShape &access;
  const AccessVisit &visit;
  int64_t offset = 0;
  Traffic traffic;
};

} // namespace

/// How often each offset within a line occurs at the positions of `visit`, beyond its base.
static std::array<uint64_t, kLineBytes> offsetsOf(const AccessVisit &visit) {
  std::array<uint64_t, kLineBytes> offsets{};
  offsets[0] = visit.repeats;
  for (const AccessVisit::Loop &loop : visit.loops) {
    std::array<uint64_t, kLineBytes> next{};
    auto trips = uint64_t(loop.end - loop.begin);
    int64_t step = ((loop.step % kLineBytes) + kLineBytes) % kLineBytes;
    // Multiples of the step come round after at most a line of them.
    for (uint64_t trip = 0; trip < std::min<uint64_t>(trips, kLineBytes); ++trip) {
      uint64_t times = (trips - trip + kLineBytes - 1) / kLineBytes;
      for (int64_t at = 0; at < kLineBytes; ++at)
        next[size_t((at + step * int64_t(trip)) % kLineBytes)] += offsets[size_t(at)] * times;
    }
    offsets = next;
  }
  return offsets;
}

std::optional<Traffic> ttm::countTraffic(const AccessShape &access, ArrayRef<const AccessVisit *> visits, int64_t effort) {
  int64_t elements = 1;
  if (access.layout)
    elements = (int64_t(access.layout->getNumRegisters()) * 32) << access.layout->getSimdgroupBases().size();
  constexpr int64_t kLoopEffort = 160; // a line of trips times a line of offsets
  // What is moved depends on nothing but the offset in a line, the steps and the mask.
  std::map<std::tuple<int64_t, std::vector<int64_t>, std::vector<bool>>, Traffic> known;
  Traffic total;
  for (const AccessVisit *visit : visits) {
    effort -= 1 + int64_t(visit->mask.size() / 64) + kLoopEffort * int64_t(visit->loops.size());
    Counter counter(access, *visit);
    for (auto [offset, times] : llvm::enumerate(offsetsOf(*visit))) {
      if (times == 0)
        continue;
      auto count = [&, offset = int64_t(offset)] {
        effort -= elements;
        return counter.count(offset);
      };
      if (effort < 0)
        return std::nullopt;
      if (visit->addresses) {
        total.add(count(), times);
        continue;
      }
      int64_t place = (visit->base % kLineBytes + kLineBytes + int64_t(offset)) % kLineBytes;
      auto [at, isNew] = known.try_emplace({place, {visit->strides.begin(), visit->strides.end()}, visit->mask});
      if (isNew)
        at->second = count();
      total.add(at->second, times);
    }
  }
  return total;
}
