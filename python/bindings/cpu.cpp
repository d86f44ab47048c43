//===- cpu.cpp - compilation for the CPU device -----------------------------------===//
#include "Bindings.h"
#include "Launchable.h"

#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

namespace triton_metal::python {

void bindCPU(nb::module_ &m) {
  nb::class_<CPUCode>(m, "CPUCode", "A kernel as machine code.")
      .def_ro("signature", &CPUCode::signature)
      .def_ro("ttir", &CPUCode::ttir)
      .def_ro("llir", &CPUCode::llir)
      .def_prop_ro("object", [](const CPUCode &self) { return nb::bytes(self.object.data(), self.object.size()); })
      .def_ro("arena_bytes", &CPUCode::arenaBytes)
      .def_ro("checked", &CPUCode::checked)
      .def("assembly", [](const CPUCode &self) { return unwrap(disassembleForCPU(self)); })
      .def("launchable", [](const CPUCode &self) { return makeCPULaunchable(self); });

  m.def("compile_for_cpu", [](const Module &module, bool fpFusion, bool checked, const std::string &processor, bool verifyEach,
                             const std::string &plantedFault) {
    Result<CPUCode> code = [&] {
      nb::gil_scoped_release release;
      CPUOptions options;
      options.fpFusion = fpFusion;
      options.checked = checked;
      options.processor = processor;
      options.verifyEach = verifyEach;
      options.plantedFault = plantedFault;
      return compileForCPU(module, options);
    }();
    return unwrap(std::move(code));
  }, nb::arg("module"), nb::arg("fp_fusion") = true, nb::arg("checked") = false, nb::arg("processor") = "",
     nb::arg("verify_each") = false, nb::arg("planted_fault") = "");

  m.def(
      "load_for_cpu",
      [](const std::string &name, const std::vector<ParameterRow> &params, std::string ttir, std::string llir, nb::bytes object,
         uint64_t arenaBytes, bool checked, std::string processor) {
        CPUCode code;
        code.signature = makeSignature(name, params);
        code.ttir = std::move(ttir);
        code.llir = std::move(llir);
        code.object.assign(object.c_str(), object.size());
        code.arenaBytes = arenaBytes;
        code.checked = checked;
        code.processor = std::move(processor);
        if (std::optional<Error> error = loadForCPU(code))
          raise(*error);
        return code;
      },
      nb::arg("name"), nb::arg("params"), nb::arg("ttir"), nb::arg("llir"), nb::arg("object"), nb::arg("arena_bytes"),
      nb::arg("checked") = false, nb::arg("processor") = "");

  m.def("cpu_target_key", targetKey, nb::arg("processor") = "", "Processor, features and triple that objects are made for.");
}

} // namespace triton_metal::python
