//===- cost.cpp - what a launch costs, seen from Python -----------------------------===//
#include "Bindings.h"
#include "triton_metal/Compiler/LaunchCost.h"

#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/tuple.h>

namespace triton_metal::python {

void bindCost(nb::module_ &m) {
  m.def("launch_cost", [](std::string_view ttir, nb::bytes params, std::tuple<int32_t, int32_t, int32_t> grid) {
    auto [x, y, z] = grid;
    if (x < 0 || y < 0 || z < 0)
      throw nb::value_error("a grid has no negative dimension");
    std::string_view block(static_cast<const char *>(params.data()), params.size());
    CountedCost cost = unwrap([&] {
      nb::gil_scoped_release release;
      return countLaunch(ttir, block, {x, y, z});
    }());
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
  }, nb::arg("ttir"), nb::arg("params"), nb::arg("grid"),
     "Bytes and operations of a launch with this block of parameters, counted without running it. `reasons` holds (why it is not exact, "
     "file, line), `arguments` the numbers of the arguments that counts depend on.");
}

} // namespace triton_metal::python
