//===- errors.cpp - errors of the compiler as Python exceptions -------------------===//
#include "Bindings.h"

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

namespace triton_metal::python {

void raise(const Error &error) {
  nb::module_ errors = nb::module_::import_("triton_metal.errors");
  nb::object exception;
  nb::dict where;
  where["file"] = error.where.file;
  where["line"] = error.where.line;
  where["column"] = error.where.column;
  switch (error.kind) {
  case Error::Kind::Parse:
  case Error::Kind::Invalid:
    exception = errors.attr("InvalidModule")(error.message, where, error.notes);
    break;
  case Error::Kind::Unsupported:
    exception = errors.attr("UnsupportedOnDevice")(error.op, error.device, error.reason, error.remedy, where);
    break;
  case Error::Kind::Resources:
    exception = errors.attr("OutOfResources")(error.required, error.limit, error.resource, error.remedy);
    break;
  case Error::Kind::Internal:
    exception = errors.attr("InternalCompilerError")(error.message, error.reproducer, where);
    break;
  }
  PyErr_SetObject(exception.type().ptr(), exception.ptr());
  throw nb::python_error();
}

} // namespace triton_metal::python
