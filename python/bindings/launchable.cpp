//===- launchable.cpp - packing parameters, and the CPU device --------------------===//
#include "Launchable.h"

#include "Bindings.h"
#include "Recording.h"
#include "triton_metal/Runtime/Clock.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

namespace triton_metal::python {

uint32_t cpuTimeoutMilliseconds = 0;

const char *nameOf(Device device) { return device == Device::CPU ? "cpu" : "metal"; }

/// The exception that is set, taken away: PyErr_GetRaisedException of 3.12, for older versions as well.
static PyObject *takeException() {
  PyObject *type = nullptr, *value = nullptr, *traceback = nullptr;
  PyErr_Fetch(&type, &value, &traceback);
  if (!type)
    return nullptr;
  PyErr_NormalizeException(&type, &value, &traceback);
  if (traceback && value)
    PyException_SetTraceback(value, traceback);
  Py_XDECREF(type);
  Py_XDECREF(traceback);
  return value;
}

void setLaunchError(const std::string &message, PyObject *argument, const char *type) {
  PyObject *cause = takeException();
  PyObject *errors = PyImport_ImportModule("triton_metal.errors");
  PyObject *cls = errors ? PyObject_GetAttrString(errors, type) : nullptr;
  if (cls) {
    PyObject *text = PyUnicode_DecodeUTF8(message.data(), Py_ssize_t(message.size()), "replace");
    PyObject *exception = text ? PyObject_CallFunctionObjArgs(cls, text, argument ? argument : Py_None, nullptr) : nullptr;
    Py_XDECREF(text);
    if (exception) {
      if (cause)
        PyException_SetCause(exception, std::exchange(cause, nullptr)); // takes the reference
      PyErr_SetObject(cls, exception);
      Py_DECREF(exception);
    }
  }
  Py_XDECREF(cause);
  Py_XDECREF(cls);
  Py_XDECREF(errors);
}

//===----------------------------------------------------------------------===//
// Packing
//===----------------------------------------------------------------------===//

static uint16_t toHalf(double value) {
  // Round to nearest even from double in one step: through float it would round twice.
  uint64_t bits = std::bit_cast<uint64_t>(value);
  uint16_t sign = uint16_t(bits >> 48 & 0x8000);
  double magnitude = std::fabs(value);
  if (std::isnan(value))
    return sign | 0x7e00;
  if (magnitude >= 65520.0)
    return sign | 0x7c00;
  if (magnitude < 0x1p-14) // subnormal: a multiple of 2^-24
    return sign | uint16_t(std::nearbyint(magnitude * 0x1p24));
  int exponent;
  double fraction = std::frexp(magnitude, &exponent); // [0.5, 1)
  auto significand = uint32_t(std::nearbyint(fraction * 0x1p11)); // 11 bits, may carry to 0x800
  return sign | uint16_t(((exponent + 13) << 10) + significand);
}

static uint16_t toBFloat(double value) {
  auto single = float(value);
  uint32_t bits = std::bit_cast<uint32_t>(single);
  if (std::isnan(value))
    return uint16_t(bits >> 16 | 0x40);
  // Rounding to odd before rounding to even makes the two steps equal to one.
  if (double(single) != value && std::isfinite(single)) {
    if (std::fabs(double(single)) > std::fabs(value))
      --bits;
    bits |= 1;
  }
  return uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static double asDouble(const RuntimeArgument &argument) {
  return argument.isDouble ? std::bit_cast<double>(argument.bits) : double(int64_t(argument.bits));
}

bool Launchable::pack(std::span<const RuntimeArgument> arguments, char *block) const {
  for (size_t i = 0; i < arguments.size(); ++i) {
    const RuntimeArgument &argument = arguments[i];
    char *slot = block + layout.offsets[i];
    switch (signature.params[i].type) {
    case ParamType::Pointer:
    case ParamType::I64:
      std::memcpy(slot, &argument.bits, 8);
      break;
    case ParamType::I32:
      std::memcpy(slot, &argument.bits, 4);
      break;
    case ParamType::I16:
      std::memcpy(slot, &argument.bits, 2);
      break;
    case ParamType::I8:
    case ParamType::I1:
      std::memcpy(slot, &argument.bits, 1);
      break;
    case ParamType::F32: {
      auto value = float(asDouble(argument));
      std::memcpy(slot, &value, 4);
      break;
    }
    case ParamType::F64: {
      double value = asDouble(argument);
      std::memcpy(slot, &value, 8);
      break;
    }
    case ParamType::F16: {
      uint16_t value = toHalf(asDouble(argument));
      std::memcpy(slot, &value, 2);
      break;
    }
    case ParamType::BF16: {
      uint16_t value = toBFloat(asDouble(argument));
      std::memcpy(slot, &value, 2);
      break;
    }
    case ParamType::F8:
      setLaunchError("a scalar of an 8-bit floating-point type cannot be passed; pass a pointer to it, or a wider type", nullptr);
      return false;
    }
  }
  return true;
}

//===----------------------------------------------------------------------===//
// CPU
//===----------------------------------------------------------------------===//

namespace {

/// Signals are looked at on the launching thread, with the GIL for so long.
struct SignalPoll {
  PyThreadState *saved = nullptr;
};

bool signalPending(void *context) {
  auto *poll = static_cast<SignalPoll *>(context);
  PyEval_RestoreThread(poll->saved);
  bool raised = PyErr_CheckSignals() != 0;
  poll->saved = PyEval_SaveThread();
  return raised;
}

/// The bytes that a kernel may touch through an argument.
cpu::ArrayExtent extentOfArgument(const RuntimeArgument &argument) {
  cpu::ArrayExtent extent;
  extent.name = argument.name;
  extent.kind = cpu::ArrayExtent::Kind::Unknown;
  extent.address = argument.bits;
  ArrayView view;
  if (readArray(argument.object, view) != ArrayRead::Ok) {
    PyErr_Clear(); // an address or a wrapper that was accepted as it is
    return extent;
  }
  char *begin = nullptr;
  extentOf(view, begin, extent.bytes);
  extent.address = reinterpret_cast<uint64_t>(begin);
  if (extent.bytes || (view.shape && std::find(view.shape, view.shape + view.rank, 0) != view.shape + view.rank))
    extent.kind = cpu::ArrayExtent::Kind::Known;
  return extent;
}

/// A DeviceFault with this message, at the fault's place in the source. Always false.
bool setDeviceFault(const std::string &message, const cpu::Fault &fault) {
  PyObject *errors = PyImport_ImportModule("triton_metal.errors");
  PyObject *cls = errors ? PyObject_GetAttrString(errors, "DeviceFault") : nullptr;
  PyObject *exception = cls ? PyObject_CallFunction(cls, "s{s:s,s:I,s:I}", message.c_str(), "file", fault.file.c_str(), "line",
                                                    fault.line, "column", fault.column)
                            : nullptr;
  if (exception)
    PyErr_SetObject(cls, exception);
  Py_XDECREF(exception);
  Py_XDECREF(cls);
  Py_XDECREF(errors);
  return false;
}

class CPULaunchable final : public Launchable {
public:
  CPULaunchable(KernelSignature signature, CPUKernel entry, uint64_t arenaBytes, bool checked, std::shared_ptr<void> code,
                std::string whyNotHere)
      : Launchable(Device::CPU, std::move(signature)), entry(entry), arenaBytes(arenaBytes), checked(checked),
        code(std::move(code)), whyNotHere(std::move(whyNotHere)) {}

  bool launch(std::span<const RuntimeArgument> arguments, const int32_t grid[3], LaunchRecord *record) override {
    if (!entry) {
      setLaunchError("kernel " + signature.name + " cannot run here: " + whyNotHere, nullptr);
      return false;
    }
    alignas(16) char small[512];
    std::unique_ptr<char[]> large;
    char *block = small;
    if (layout.size > sizeof(small)) {
      large.reset(new char[layout.size]);
      block = large.get();
    }
    if (record) [[unlikely]]
      std::memset(block, 0, layout.size); // gaps between parameters
    if (!pack(arguments, block))
      return false;

    cpu::LaunchRequest request;
    request.entry = entry;
    request.params = block;
    for (int i = 0; i < 3; ++i)
      request.grid[i] = grid[i];
    request.arenaBytes = arenaBytes;
    request.cost = &cost;
    std::vector<cpu::ArrayExtent> arrays;
    if (checked) {
      for (size_t i = 0; i < arguments.size(); ++i)
        arrays.push_back(signature.params[i].type == ParamType::Pointer ? extentOfArgument(arguments[i]) : cpu::ArrayExtent());
      request.arrays = arrays;
    }
    SignalPoll poll;
    request.interrupt = {signalPending, &poll, cpuTimeoutMilliseconds};
    cpu::Fault fault;
    poll.saved = PyEval_SaveThread();
    if (record) [[unlikely]]
      record->begin = hostNanoseconds();
    cpu::LaunchStatus status = cpu::ThreadPool::shared().run(request, fault);
    if (record) [[unlikely]]
      record->end = hostNanoseconds();
    PyEval_RestoreThread(poll.saved);
    if (status != cpu::LaunchStatus::Finished)
      return raiseOutcome(status, fault);
    if (record) [[unlikely]]
      record->keep(block, layout.size);
    return true;
  }

private:
  bool raiseOutcome(cpu::LaunchStatus status, const cpu::Fault &fault) {
    if (status == cpu::LaunchStatus::Interrupted)
      return false; // the signal's handler has set the exception
    if (status == cpu::LaunchStatus::TimedOut)
      return setDeviceFault("kernel " + signature.name + " ran longer than knobs.cpu.timeout allows (" +
                            std::to_string(cpuTimeoutMilliseconds) + " ms)", fault);
    return raiseFault(signature.name, fault);
  }

  CPUKernel entry;
  uint64_t arenaBytes;
  bool checked;
  std::shared_ptr<void> code;
  std::string whyNotHere; ///< where there is no entry
  cpu::CostHint cost;
};

} // namespace

bool raiseFault(const std::string &kernel, const cpu::Fault &fault) {
  return setDeviceFault(fault.message + " [kernel " + kernel + ", program (" + std::to_string(fault.program[0]) + ", " +
                        std::to_string(fault.program[1]) + ", " + std::to_string(fault.program[2]) + ")]", fault);
}

std::shared_ptr<Launchable> makeCPULaunchable(CPUCode code) {
  return std::make_shared<CPULaunchable>(std::move(code.signature), code.entry, code.arenaBytes, code.checked,
                                         std::move(code.code), std::move(code.whyNotHere));
}

std::shared_ptr<Launchable> makeNativeLaunchable(KernelSignature signature, CPUKernel entry, uint64_t arenaBytes) {
  return std::make_shared<CPULaunchable>(std::move(signature), entry, arenaBytes, /*checked=*/false, nullptr, "");
}

} // namespace triton_metal::python
