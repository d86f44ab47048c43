//===- inspect.cpp - what the compiler makes of a kernel, seen from Python ----------===//
#include "Bindings.h"
#include "triton_metal/Compiler/InspectMetal.h"

#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/tuple.h>

namespace triton_metal::python {

void bindInspect(nb::module_ &m) {
  m.def("inspect_for_metal", [](std::string_view ttir, nb::bytes params, std::tuple<int32_t, int32_t, int32_t> grid,
                                std::tuple<int32_t, int32_t, int32_t> program, unsigned numWarps, const std::string &chip) {
    auto triple = [](auto numbers) { return std::array<int32_t, 3>{std::get<0>(numbers), std::get<1>(numbers), std::get<2>(numbers)}; };
    MetalOptions options;
    options.numWarps = numWarps;
    options.chip = chip;
    std::string_view block(static_cast<const char *>(params.data()), params.size());
    return unwrap([&] {
      nb::gil_scoped_release release;
      return inspectForMetal(ttir, options, block, triple(grid), triple(program));
    }());
  }, nb::arg("ttir"), nb::arg("params"), nb::arg("grid"), nb::arg("program") = std::make_tuple(0, 0, 0), nb::arg("num_warps") = 4,
     nb::arg("chip") = "apple-m1",
     "What the compiler makes of the kernel for a launch with this block of parameters, as JSON: the accesses of one program, layouts, "
     "conversions, threadgroup memory, barriers, dots.");
}

} // namespace triton_metal::python
