//===- cost.cpp - what a launch costs, seen from Python -----------------------------===//
#include "Bindings.h"
#include "triton_metal/Compiler/LaunchCost.h"

#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <vector>

namespace triton_metal::python {

static nb::dict asDict(const CountedCost &cost) {
  nb::dict result;
  result["bytes_loaded"] = cost.bytesLoaded;
  result["bytes_stored"] = cost.bytesStored;
  result["bytes_atomic"] = cost.bytesAtomic;
  result["float_operations"] = cost.floatOperations;
  result["special_operations"] = cost.specialOperations;
  result["dot_operations"] = cost.dotOperations;
  result["integer_operations"] = cost.integerOperations;
  nb::list reasons;
  for (const CountedCost::Reason &reason : cost.reasons)
    reasons.append(nb::make_tuple(reason.what, reason.where.file, reason.where.line));
  result["reasons"] = reasons;
  nb::list arguments;
  for (uint32_t number : cost.arguments)
    arguments.append(number);
  result["arguments"] = arguments;
  return result;
}

void bindCost(nb::module_ &m) {
  using Launch = std::tuple<nb::bytes, std::tuple<int32_t, int32_t, int32_t>>;
  m.def("launch_costs", [](std::string_view ttir, const std::vector<Launch> &launches) {
    std::vector<LaunchToCount> toCount;
    for (const auto &[params, grid] : launches) {
      auto [x, y, z] = grid;
      if (x < 0 || y < 0 || z < 0)
        throw nb::value_error("a grid has no negative dimension");
      toCount.push_back({std::string_view(static_cast<const char *>(params.data()), params.size()), {x, y, z}});
    }
    std::vector<CountedCost> costs = unwrap([&] {
      nb::gil_scoped_release release;
      return countLaunches(ttir, toCount);
    }());
    nb::list result;
    for (const CountedCost &cost : costs)
      result.append(asDict(cost));
    return result;
  }, nb::arg("ttir"), nb::arg("launches"),
     "Bytes and operations of each launch (block of parameters, grid), counted without running it. `reasons` holds (why it is not exact, "
     "file, line), `arguments` the numbers of the arguments that counts depend on.");
}

} // namespace triton_metal::python
