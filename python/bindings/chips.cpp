//===- chips.cpp - the table of Apple GPUs, seen from Python -----------------------===//
#include "Bindings.h"
#include "triton_metal/Support/Chips.h"

#include <nanobind/stl/string.h>

namespace triton_metal::python {

static nb::dict factsOf(const Chip &chip) {
  nb::list tiles;
  for (const DotTile &tile : getDotTiles(chip))
    tiles.append(nb::make_tuple(tile.rows, tile.columns, tile.maxElementBits));
  nb::dict facts;
  facts["name"] = chip.name.str();
  facts["architecture"] = chip.architecture.str();
  facts["generation"] = chip.generation;
  facts["cores_min"] = chip.coresMin;
  facts["cores"] = chip.coresMax;
  facts["bandwidth_gbs"] = chip.bandwidthGBs;
  facts["clock_mhz"] = chip.clockMHz;
  facts["native_bfloat"] = chip.nativeBfloat;
  facts["dynamic_registers"] = chip.dynamicRegisters;
  facts["matrix_units"] = chip.matrixUnits;
  facts["simd_width"] = kSimdWidth;
  facts["max_threads"] = kMaxThreads;
  facts["max_threadgroup_bytes"] = kMaxThreadgroupBytes;
  facts["dot_tiles"] = tiles;
  return facts;
}

void bindChips(nb::module_ &m) {
  m.attr("OPERATIONS_PER_CORE") = kOperationsPerCore;
  m.def("chip_of_architecture", [](const std::string &architecture) -> nb::object {
    const Chip *chip = chipOfArchitecture(architecture);
    return chip ? nb::object(nb::str(chip->name.data(), chip->name.size())) : nb::none();
  }, nb::arg("architecture"), "The least chip with the architecture that a Mac's device has, or None.");
  m.def("chip_names", [] {
    nb::list names;
    for (const Chip &chip : getChips())
      names.append(nb::str(chip.name.data(), chip.name.size()));
    return names;
  }, "Profiles of Apple's GPUs, oldest first.");
  m.def("chip_facts", [](const std::string &name) {
    const Chip *chip = findChip(name);
    if (!chip)
      throw nb::value_error(("there is no chip called '" + name + "'; see chip_names()").c_str());
    return factsOf(*chip);
  }, nb::arg("name"), "What the table of chips says of one: published figures, most cores and bandwidth of those with this name.");
}

} // namespace triton_metal::python
