//===- frontend.cpp - a jit function and its signature to a module ----------------===//
#include "triton_metal/Frontend/Build.h"

#include "Bindings.h"

namespace triton_metal::python {

void bindFrontend(nb::module_ &m) {
  m.def("build_module", &frontend::buildModule, nb::arg("fn"), nb::arg("signature"), nb::arg("constants") = nb::dict(),
        nb::arg("attrs") = nb::dict(), nb::arg("options") = nb::dict(),
        "Build the tt module of a jit function.\n\n"
        "signature: a type for each parameter, such as '*fp32', 'i32' or 'constexpr'; a tuple for a tuple. A sequence, or a dict by name.\n"
        "constants: the values of constexpr parameters, by path: (2,) is the third parameter, (2, 0) its first element; names and\n"
        "indices are paths too.\n"
        "attrs: by path, the attributes of arguments: {'tt.divisibility': 16}, or a list of pairs.\n"
        "options: a dict; read are name, debug, sanitize_overflow, language_version, default_dot_input_precision and\n"
        "allow_non_constexpr_globals.");
}

} // namespace triton_metal::python
