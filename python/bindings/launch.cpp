//===- launch.cpp - launching, seen from Python -----------------------------------===//
#include "Bindings.h"
#include "Kernel.h"
#include "triton_metal/Launch/Environment.h"

#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

namespace triton_metal::python {

static void assign(PyObject *&slot, nb::object value) {
  PyObject *old = slot;
  slot = value.is_none() ? nullptr : value.release().ptr();
  Py_XDECREF(old);
}

KernelSignature makeSignature(const std::string &name, const std::vector<std::string> &types) {
  KernelSignature signature;
  signature.name = name;
  for (const std::string &spelling : types) {
    ParamInfo info;
    info.name = "arg" + std::to_string(signature.params.size());
    info.spelling = spelling;
    if (!spelling.starts_with('*')) {
      std::optional<DType> type = dtypeNamed(spelling);
      if (!type)
        throw nb::value_error(("no type of an argument: " + spelling).c_str());
      switch (*type) {
      case DType::I1: info.type = ParamType::I1; break;
      case DType::I8: case DType::U8: info.type = ParamType::I8; break;
      case DType::I16: case DType::U16: info.type = ParamType::I16; break;
      case DType::I32: case DType::U32: info.type = ParamType::I32; break;
      case DType::I64: case DType::U64: info.type = ParamType::I64; break;
      case DType::F16: info.type = ParamType::F16; break;
      case DType::BF16: info.type = ParamType::BF16; break;
      case DType::F32: info.type = ParamType::F32; break;
      case DType::F64: info.type = ParamType::F64; break;
      default: info.type = ParamType::F8; break;
      }
    }
    signature.params.push_back(std::move(info));
  }
  return signature;
}

KernelSignature makeSignature(const std::string &name, const std::vector<ParameterRow> &rows) {
  std::vector<std::string> types;
  for (const ParameterRow &row : rows)
    types.push_back(std::get<1>(row));
  KernelSignature signature = makeSignature(name, types);
  for (size_t i = 0; i < rows.size(); ++i) {
    signature.params[i].name = std::get<0>(rows[i]);
    signature.params[i].divisibility = std::get<2>(rows[i]);
    signature.params[i].mayBeWritten = std::get<3>(rows[i]);
    signature.params[i].mayBeRead = std::get<4>(rows[i]);
  }
  return signature;
}

void bindLaunch(nb::module_ &m) {
  if (!addKernelTypes(m.ptr()))
    throw nb::python_error();

  nb::class_<Launchable>(m, "Launchable", "Compiled code of one kernel for one device.")
      .def_prop_ro("device", [](const Launchable &self) { return nameOf(self.device); })
      .def_prop_ro("signature", [](const Launchable &self) { return self.signature; })
      .def_prop_ro("offsets", [](const Launchable &self) { return self.layout.offsets; })
      .def("prepare", [](Launchable &self) {
        if (!self.prepare())
          throw nb::python_error();
      }, "Make the code runnable now, which the first launch does else.")
      .def_prop_ro("params_size", [](const Launchable &self) { return self.layout.size; });

  m.def(
      "native_launchable",
      [](const std::string &name, const std::vector<std::string> &types, uint64_t address, uint64_t arenaBytes) {
        return makeNativeLaunchable(makeSignature(name, types), reinterpret_cast<CPUKernel>(uintptr_t(address)), arenaBytes);
      },
      nb::arg("name"), nb::arg("types"), nb::arg("address"), nb::arg("arena_bytes") = 0,
      "A function of the CPU kernels' ABI that was compiled elsewhere.");

  m.def("option_names", [] {
    nb::list names;
    for (size_t i = 0; i < optionCount(); ++i)
      names.append(nb::borrow(optionName(i)));
    return names;
  }, "Keyword arguments that a launch accepts beside the kernel's parameters.");

  m.def("set_device", [](const std::string &name) {
    if (name != "cpu" && name != "metal")
      throw nb::value_error(("there are the devices 'cpu' and 'metal', not '" + name + "'").c_str());
    launchSettings().device = name == "cpu" ? Device::CPU : Device::Metal;
  }, nb::arg("name"), "The device of launches that name none.");
  m.def("get_device", [] { return nameOf(launchSettings().device); });
  m.def("set_knobs_stamp", [](uint64_t stamp) { launchSettings().knobs = stamp; }, nb::arg("stamp"),
        "A number that stands for the knobs that were assigned; part of the key of every launch.");
  m.def("set_cpu_timeout", [](uint32_t milliseconds) { cpuTimeoutMilliseconds = milliseconds; }, nb::arg("milliseconds"));
  m.def("set_launch_hooks", [](nb::object enter, nb::object exit) {
    assign(launchSettings().enterHook, std::move(enter));
    assign(launchSettings().exitHook, std::move(exit));
  }, nb::arg("enter").none(), nb::arg("exit").none());
  m.def("environment_stamp", environmentStamp);
  m.def("num_threads", [] { return cpu::ThreadPool::shared().threads(); }, "Threads that work on a launch of the CPU device.");
}

} // namespace triton_metal::python
