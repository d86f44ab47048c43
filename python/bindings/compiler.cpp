//===- compiler.cpp - modules and compilation -------------------------------------===//
#include "triton_metal/Compiler/Compiler.h"

#include "Bindings.h"

#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

namespace triton_metal::python {

void bindCompiler(nb::module_ &m) {
  nb::class_<ParamInfo>(m, "ParamInfo", "One argument of a kernel, as the launcher sees it.")
      .def_ro("name", &ParamInfo::name)
      .def_ro("type", &ParamInfo::spelling)
      .def_ro("divisibility", &ParamInfo::divisibility)
      .def_ro("may_be_written", &ParamInfo::mayBeWritten)
      .def_ro("may_be_read", &ParamInfo::mayBeRead);

  nb::class_<KernelSignature>(m, "KernelSignature", "Name and arguments of a kernel.")
      .def_ro("name", &KernelSignature::name)
      .def_ro("params", &KernelSignature::params)
      .def_prop_ro("offsets", [](const KernelSignature &self) { return self.layout().offsets; })
      .def_prop_ro("params_size", [](const KernelSignature &self) { return self.layout().size; });

  nb::class_<Module>(m, "Module", "A module of the tt dialect, in a context of its own.")
      .def_static(
          "parse",
          [](std::string_view text, std::string_view name) {
            Result<Module> module = [&] {
              nb::gil_scoped_release release;
              return parse(text, name);
            }();
            return unwrap(std::move(module));
          },
          nb::arg("text"), nb::arg("name") = "<ttir>", "Read TTIR text of Triton 3.2 to 3.9, or of this package.")
      .def("__str__", [](const Module &self) { return print(self, /*locations=*/false); })
      .def(
          "text", [](const Module &self, bool locations) { return print(self, locations); }, nb::arg("locations") = true,
          "The module as text in the form of Triton 3.8.")
      .def(
          "verify",
          [](const Module &self) {
            if (std::optional<Error> error = verify(self))
              raise(*error);
          },
          "Raise InvalidModule unless the module is well formed.")
      .def_prop_ro("signature", [](const Module &self) { return unwrap(kernelSignature(self)); });
}

} // namespace triton_metal::python
