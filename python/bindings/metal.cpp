//===- metal.cpp - compilation for Metal and launches through the driver -----------===//
#include "Bindings.h"
#include "Launchable.h"
#include "Recording.h"
#include "triton_metal/Compiler/CompileMetal.h"
#include "triton_metal/Runtime/CPU/Callbacks.h"
#include "triton_metal/Runtime/Metal/Driver.h"
#include "triton_metal/Runtime/Metal/Log.h"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <mutex>
#include <optional>
#include <utility>

namespace triton_metal::python {

namespace {

std::string &softmetalPath() {
  static std::string path;
  return path;
}

void setException(const char *type, nb::tuple arguments) {
  nb::object cls = nb::module_::import_("triton_metal.errors").attr(type);
  nb::object exception = cls(*arguments);
  PyErr_SetObject(cls.ptr(), exception.ptr());
}

/// Where in the Python source a place of the text comes from: the nearest place at or before it that says so.
const msl::LineOrigin *originOf(const msl::KernelText &kernel, uint32_t line, uint32_t column) {
  auto after = std::upper_bound(kernel.lines.begin(), kernel.lines.end(), std::pair(line, column),
                                [](std::pair<uint32_t, uint32_t> place, const msl::LineOrigin &origin) {
                                  return place < std::pair(origin.line, origin.column);
                                });
  return line && after != kernel.lines.begin() ? &*std::prev(after) : nullptr;
}

nb::dict place(const msl::LineOrigin *origin) {
  nb::dict where;
  if (origin) {
    where["file"] = origin->file;
    where["line"] = origin->sourceLine;
    where["column"] = origin->sourceColumn;
  }
  return where;
}

/// How the software Metal runs; given to the driver before the next launch.
struct RunSettings {
  uint64_t seed = 0;
  uint32_t timeoutMilliseconds = 0;
  bool changed = false;
};
RunSettings &runSettings() {
  static RunSettings settings;
  return settings;
}

/// Taken without the GIL. A launch and the wait for it are one: the errors that the wait gives are those of this launch.
std::mutex &launchTurn() {
  static std::mutex turn;
  return turn;
}

metal::Driver *usedDriver = nullptr; // set by the first launch: asking for the driver would load it

/// What to do about a finding in a shared array: there the kernel itself says where barriers are.
std::string remedyOf(const MetalReport &report, const msl::KernelText *kernel) {
  if (!kernel || report.buffer < 0 || (report.kind != MetalReportRace && report.kind != MetalReportUninitialised))
    return "";
  std::string text = "; ";
  if (report.kind == MetalReportUninitialised)
    return text + "store to the shared array before it is read, and put tl.barrier() between";
  if (const msl::LineOrigin *other = originOf(*kernel, report.otherLine, report.otherColumn))
    text += "the other access is at " + other->file + ":" + std::to_string(other->sourceLine) + ", ";
  return text + "put tl.barrier() between them";
}

/// What a launch was given, for the words of its errors.
struct Launched {
  const KernelSignature &signature;
  const std::vector<metal::ArrayArgument> &arrays;
  const std::vector<size_t> &positions; ///< of the arrays among the parameters

  /// The arguments whose memory begins there: `'x_ptr'`, or `'x_ptr' or 'y_ptr'` where one array was passed twice. Empty if none does.
  std::string argumentsAt(uint64_t address) const {
    std::string names;
    for (size_t i = 0; i < positions.size(); ++i)
      if (reinterpret_cast<uint64_t>(arrays[i].host) == address) // only the software Metal reports: there addresses are the host's
        names += (names.empty() ? "'" : " or '") + signature.params[positions[i]].name + "'";
    return names;
  }
};

/// The message of a report, in the words of the launch and of the source where they are known.
std::string messageOf(const MetalReport &report, const msl::KernelText *kernel, const Launched *launched) {
  std::string message = report.message;
  if (std::string names = launched && report.address ? launched->argumentsAt(report.address) : ""; !names.empty())
    if (size_t at = message.find(report.array); at != std::string::npos)
      message.replace(at, strlen(report.array), "array " + names);
  if (report.line)
    message += " (line " + std::to_string(report.line) + " of the Metal text)";
  const uint32_t *program = report.threadgroup;
  message += " [kernel " + (launched ? launched->signature.name : std::string(report.kernel)) + ", program (" + std::to_string(program[0]) +
             ", " + std::to_string(program[1]) + ", " + std::to_string(program[2]) + ")]";
  return message + remedyOf(report, kernel);
}

/// The Python exception of an error of the driver. Always false.
bool raiseDriverError(const metal::Error &error, const msl::KernelText *kernel, const Launched *launched = nullptr) {
  try {
    switch (error.kind) {
    case metal::ErrorKind::None:
      return false;
    case metal::ErrorKind::NoDevice:
      setException("UnsupportedOnDevice", nb::make_tuple("launch", "metal", error.message, "launch with device=\"cpu\""));
      return false;
    case metal::ErrorKind::CompileFailed:
    case metal::ErrorKind::MissingFunction:
      setException("InternalCompilerError", nb::make_tuple("Metal refused the kernel's text: " + error.message));
      return false;
    case metal::ErrorKind::OutOfResources:
      setException("OutOfResources", nb::make_tuple(!error.required && kernel && error.resource == "threadgroup memory"
                                                        ? kernel->facts.threadgroupBytes
                                                        : error.required,
                                                    error.limit, error.resource,
                                                    "Fewer warps or smaller blocks may help (" + error.message + ")."));
      return false;
    case metal::ErrorKind::LaunchFailed:
      setException("LaunchError", nb::make_tuple(error.message));
      return false;
    case metal::ErrorKind::Interrupted:
      if (!PyErr_Occurred())
        PyErr_SetNone(PyExc_KeyboardInterrupt);
      return false;
    case metal::ErrorKind::DeviceFault:
    case metal::ErrorKind::Timeout: {
      const MetalReport *first = error.reports.empty() ? nullptr : &error.reports.front();
      std::string message = first ? messageOf(*first, kernel, launched) : error.message;
      setException("DeviceFault",
                   nb::make_tuple(message, place(kernel && first ? originOf(*kernel, first->line, first->column) : nullptr)));
      return false;
    }
    }
  } catch (nb::python_error &raised) {
    raised.restore();
  }
  return false;
}

/// The same out of a function that Python calls through nanobind.
[[noreturn]] void throwDriverError(const metal::Error &error, const msl::KernelText *kernel = nullptr) {
  raiseDriverError(error, kernel);
  throw nb::python_error();
}

/// Waits for everything that was launched. Called without the GIL, whose state is `saved`.
metal::Error waitForDriver(metal::Driver &driver, PyThreadState *&saved) {
  return driver.synchronize([&saved] {
    PyEval_RestoreThread(saved);
    bool raised = PyErr_CheckSignals() != 0;
    saved = PyEval_SaveThread();
    return raised;
  });
}

/// Waits for everything that was launched. Called with the GIL. False with an exception set.
bool synchronizeDriver(metal::Driver &driver) {
  PyThreadState *saved = PyEval_SaveThread();
  metal::Error error = waitForDriver(driver, saved);
  PyEval_RestoreThread(saved);
  return !error || raiseDriverError(error, nullptr);
}

/// Asks for the pipeline of a kernel's text.
metal::PipelineRequest requestOf(const msl::KernelText &kernel) {
  metal::PipelineRequest request;
  request.text = kernel.text;
  request.function = kernel.entry;
  request.languageVersion = kernel.languageVersion / 10 << 16 | kernel.languageVersion % 10;
  return request;
}

/// Records that a log takes: at least, and at most however many programs print.
constexpr uint64_t kLeastRecords = 1u << 16, kMostRecords = 1u << 22;

/// What the kernel said in one launch. Prints are out when this is made.
struct Said {
  std::optional<cpu::Fault> failure; ///< the first assertion that does not hold
  uint64_t lost = 0, held = 0; ///< records that found no room, and for how many there was room

  Said() = default;
  Said(const metal::LogContents &contents, const std::vector<std::string> &sites) : lost(contents.lost) {
    for (const metal::LogRecord &record : contents.records) {
      if (record.site > sites.size()) // another text than ours wrote here
        continue;
      const Site &site = *reinterpret_cast<const Site *>(sites[record.site - 1].data());
      int32_t x = int32_t(record.program[0]), y = int32_t(record.program[1]), z = int32_t(record.program[2]);
      int64_t bits = int64_t(record.bits());
      if (record.step == 0) {
        if (!failure)
          failure = cpu::failureOf(site, x, y, z);
        continue;
      }
      if (site.value == Site::Value::Float)
        bits = std::bit_cast<int64_t>(double(std::bit_cast<float>(record.low)));
      cpu::printText(cpu::printedLine(site, x, y, z, record.element, bits));
    }
  }
};

class MetalLaunchable final : public Launchable {
public:
  MetalLaunchable(KernelSignature signature, std::shared_ptr<const MetalCode> code, bool checked)
      : Launchable(Device::Metal, std::move(signature)), code(std::move(code)), checked(checked), blockBytes(layout.size) {
    if (!hasLog())
      return;
    ParamsLayoutBuilder builder;
    for (const ParamInfo &param : this->signature.params)
      builder.add(param.type);
    logOffset = builder.add(ParamType::Pointer);
    blockBytes = builder.total();
  }

  /// Launches count from now on, in `sample` threadgroups of a grid that has more.
  void setCounting(uint32_t threadgroups) {
    counting = true;
    sample = threadgroups;
  }

  bool launch(std::span<const RuntimeArgument> arguments, const int32_t grid[3], LaunchRecord *record) override {
    if (!prepare())
      return false;
    if (std::exchange(runSettings().changed, false)) {
      MetalRunOptions options{};
      options.seed = runSettings().seed;
      options.timeoutMs = runSettings().timeoutMilliseconds;
      options.optLevel = -1;
      driver->setRunOptions(options);
    }
    std::vector<char> block(blockBytes);
    if (!pack(arguments, block.data()))
      return false;
    std::vector<metal::ArrayArgument> arrays;
    std::vector<size_t> positions;
    for (size_t i = 0; i < arguments.size(); ++i) {
      if (signature.params[i].type == ParamType::Pointer && !addArray(arguments[i], i, arrays))
        return false;
      if (arrays.size() > positions.size())
        positions.push_back(i);
    }
    metal::LaunchRequest request;
    request.params = block.data();
    request.paramsBytes = block.size();
    request.arrays = arrays.data();
    request.arrayCount = arrays.size();
    for (int i = 0; i < 3; ++i)
      request.grid[i] = uint32_t(grid[i]);
    request.threads = code->kernel.facts.threads;
    request.threadgroupBytes = code->kernel.facts.poolBytes;
    metal::LaunchTimes times;
    request.times = record ? &times : nullptr;
    PyThreadState *saved = PyEval_SaveThread();
    metal::Error error;
    Said said;
    {
      std::lock_guard turn(launchTurn());
      if (hasLog()) {
        error = addLog(uint64_t(grid[0]) * uint64_t(grid[1]) * uint64_t(grid[2]), arrays);
        request.arrays = arrays.data();
        request.arrayCount = arrays.size();
      }
      if (!error)
        error = driver->launch(*pipeline, request);
      // Every array is the host's so far, and host arrays are complete when the launch returns.
      if (!error) {
        error = waitForDriver(*driver, saved);
        if (hasLog()) {
          said = Said(metal::takeRecords(log->contents()), code->kernel.sites);
          said.held = log->size() / sizeof(metal::LogRecord) - 1;
          needed = said.lost ? said.held + said.lost : needed;
        }
      }
    }
    PyEval_RestoreThread(saved);
    Launched launched{signature, arrays, positions};
    if (error)
      return raiseDriverError(error, &code->kernel, &launched);
    if (!report(said))
      return false;
    if (record) {
      record->begin = times.begin;
      record->end = times.end;
      record->keep(block.data(), layout.size);
    }
    return true;
  }

  bool prepare() override {
    if (pipeline)
      return true;
    metal::Driver *found = nullptr;
    const metal::Pipeline *made = nullptr;
    PyThreadState *saved = PyEval_SaveThread();
    metal::Error error = metal::Driver::shared(softmetalPath(), found);
    if (!error) {
      metal::PipelineRequest request = requestOf(code->kernel);
      request.checks = checked ? uint32_t(MetalCheckAll | MetalCheckArrayOrder) : 0;
      request.threads = code->kernel.facts.threads;
      request.count = counting;
      request.sample = sample;
      error = found->pipeline(request, made);
    }
    PyEval_RestoreThread(saved);
    usedDriver = driver = found;
    if (error)
      return raiseDriverError(error, &code->kernel);
    pipeline = made;
    return true;
  }

private:
  bool addArray(const RuntimeArgument &argument, size_t index, std::vector<metal::ArrayArgument> &arrays) {
    ArrayView view;
    std::string who = signature.name + ": argument '" + argument.name + "' ";
    nb::str name(argument.name);
    if (readArray(argument.object, view) != ArrayRead::Ok) {
      setLaunchError(who + "must be an array on the metal device", name.ptr());
      return false;
    }
    char *begin = nullptr;
    uint64_t bytes = 0;
    extentOf(view, begin, bytes);
    bool empty = view.rank && view.shape && std::find(view.shape, view.shape + view.rank, 0) != view.shape + view.rank;
    if (bytes == 0 && !empty) {
      setLaunchError(who + "does not say how large it is, which the metal device must know; pass a NumPy array or a tensor", name.ptr());
      return false;
    }
    if (empty)
      return true; // no address is valid, and the block holds the host's
    metal::ArrayArgument array;
    array.host = begin;
    array.bytes = bytes;
    array.addressOffset = uint64_t(static_cast<char *>(view.data) - begin);
    array.paramsOffset = layout.offsets[index];
    array.written = signature.params[index].mayBeWritten;
    arrays.push_back(array);
    return true;
  }

  bool hasLog() const { return !code->kernel.sites.empty(); }

  /// Makes room for what `programs` may say, and more after a launch that said more. Launches take turns, so one log will do.
  metal::Error addLog(uint64_t programs, std::vector<metal::ArrayArgument> &arrays) {
    uint64_t perProgram = std::max<uint64_t>(code->kernel.recordsPerProgram, 1);
    uint64_t expected = programs > kMostRecords / perProgram ? kMostRecords : programs * perProgram;
    uint64_t records = std::clamp(std::max(expected, needed), kLeastRecords, kMostRecords);
    if (!log || log->size() < metal::logBytes(records)) {
      if (metal::Error error = driver->allocate(metal::logBytes(records), log))
        return error;
      metal::initializeLog(log->contents(), uint32_t(records));
    }
    metal::ArrayArgument array;
    array.buffer = log.get();
    array.bytes = log->size();
    array.paramsOffset = logOffset;
    arrays.push_back(array);
    return {};
  }

  /// False with an exception set where an assertion does not hold.
  bool report(const Said &said) {
    if (said.lost) {
      std::string message = "kernel " + signature.name + " printed " + std::to_string(said.held + said.lost) + " values; the last " +
                            std::to_string(said.lost) + " found no room and are lost" +
                            (said.held < kMostRecords ? ", the next launch has more" : ": print fewer, or run it with device=\"cpu\"");
      if (PyErr_WarnEx(PyExc_RuntimeWarning, message.c_str(), 1))
        return false;
    }
    return !said.failure || raiseFault(signature.name, *said.failure);
  }

  std::shared_ptr<const MetalCode> code;
  bool checked, counting = false;
  uint32_t sample = 0;
  size_t blockBytes;
  uint32_t logOffset = 0;             ///< of the log's address in the block
  std::unique_ptr<metal::Buffer> log; ///< made at the first launch of a kernel that has one
  uint64_t needed = 0;                ///< records of the launch that said most
  metal::Driver *driver = nullptr;
  const metal::Pipeline *pipeline = nullptr;
};

/// What counting launches have done since the last call.
nb::dict takeCounters() {
  MetalCounters counters = usedDriver ? usedDriver->takeCounters() : MetalCounters{};
  nb::dict result;
  result["barriers"] = counters.barriers;
  result["collectives"] = counters.collectives;
  result["lanes"] = counters.lanes;
  result["device_accesses"] = counters.deviceAccesses;
  result["device_bytes"] = counters.deviceBytes;
  result["device_transactions"] = counters.deviceTransactions;
  result["device_lines"] = counters.deviceLines;
  result["threadgroup_accesses"] = counters.threadgroupAccesses;
  result["threadgroup_bytes"] = counters.threadgroupBytes;
  result["bank_conflicts"] = counters.bankConflicts;
  result["matrix_operations"] = counters.matrixOperations;
  result["float_operations"] = counters.floatOperations;
  result["distinct_bytes_loaded"] = counters.distinctLoaded;
  result["distinct_bytes_stored"] = counters.distinctStored;
  result["distinct_bytes_atomic"] = counters.distinctAtomic;
  result["distinct_float_operations"] = counters.distinctFloat;
  result["distinct_special_operations"] = counters.distinctSpecial;
  result["distinct_dot_operations"] = counters.distinctProducts;
  return result;
}

/// The device behind "metal". Loads the driver.
nb::dict describeDevice() {
  metal::Driver *driver = nullptr;
  metal::Error error;
  {
    nb::gil_scoped_release release;
    error = metal::Driver::shared(softmetalPath(), driver);
  }
  if (error)
    throwDriverError(error);
  const MetalDeviceInfo &info = driver->deviceInfo();
  nb::dict result;
  result["name"] = info.name;
  result["architecture"] = info.architecture;
  result["is_software"] = driver->isSoftware();
  result["max_buffer_bytes"] = info.maxBufferLength;
  result["max_threadgroup_bytes"] = info.maxThreadgroupMemory;
  result["max_threads"] = info.maxThreadsPerThreadgroup;
  result["simd_width"] = info.threadExecutionWidth;
  result["language_version"] = std::to_string(info.languageVersion >> 16) + "." + std::to_string(info.languageVersion & 0xffff);
  return result;
}

/// The facts that are numbers, or none, under their names in Python; `code` may be constant.
template <class Code, class Visit> void visitFacts(Code &code, Visit visit) {
  auto &facts = code.kernel.facts;
  visit("threads", facts.threads);
  visit("threadgroup_bytes", facts.threadgroupBytes);
  visit("pool_bytes", facts.poolBytes);
  visit("barriers", facts.barriers);
  visit("simd_operations", facts.simdOperations);
  visit("matrix_operations", facts.matrixOperations);
  visit("device_loads", facts.deviceLoads);
  visit("device_stores", facts.deviceStores);
  visit("atomics", facts.atomics);
  visit("estimated_registers", facts.estimatedRegisters);
  visit("bytes_per_program", facts.bytesPerProgram);
  visit("operations_per_program", facts.operationsPerProgram);
  visit("language_version", code.kernel.languageVersion);
}

nb::dict factsOf(const MetalCode &code) {
  nb::dict result;
  visitFacts(code, [&](const char *name, const auto &value) { result[name] = value; });
  nb::list dots;
  for (const DotShape &shape : code.dots)
    dots.append(nb::make_tuple(shape.rows, shape.columns, shape.operandBits));
  nb::list arrays;
  for (const msl::SharedArray &array : code.kernel.facts.sharedArrays)
    arrays.append(nb::make_tuple(array.name, array.type, array.bytes));
  result["shared_arrays"] = arrays;
  result["dot_tiles"] = dots; // of a SIMD-group: rows, columns, bits of an operand
  return result;
}

/// The facts again from what factsOf made of them.
void readFacts(const nb::dict &from, MetalCode &code) {
  visitFacts(code, [&](const char *name, auto &value) {
    value = nb::cast<std::remove_reference_t<decltype(value)>>(nb::object(from[name]));
  });
  for (nb::handle array : nb::object(from["shared_arrays"])) {
    auto [name, type, bytes] = nb::cast<std::tuple<std::string, std::string, uint32_t>>(array);
    code.kernel.facts.sharedArrays.push_back({name, type, bytes});
  }
  for (nb::handle tile : nb::object(from["dot_tiles"])) {
    auto [rows, columns, bits] = nb::cast<std::tuple<unsigned, unsigned, unsigned>>(tile);
    code.dots.push_back({rows, columns, bits});
  }
}

using LineRow = std::tuple<uint32_t, uint32_t, std::string, uint32_t, uint32_t>;

std::shared_ptr<MetalCode> loadForMetal(const std::string &name, const std::vector<ParameterRow> &params, std::string ttir,
                                        std::string ttm, std::string text, std::string entry, const std::vector<LineRow> &lines,
                                        const nb::dict &facts) {
  auto code = std::make_shared<MetalCode>();
  code->signature = makeSignature(name, params);
  code->ttir = std::move(ttir);
  code->ttm = std::move(ttm);
  code->kernel.text = std::move(text);
  code->kernel.entry = std::move(entry);
  for (const auto &[line, column, file, sourceLine, sourceColumn] : lines)
    code->kernel.lines.push_back({line, column, file, sourceLine, sourceColumn});
  readFacts(facts, *code);
  return code;
}

std::string airOf(const MetalCode &code) {
  metal::Driver *driver = nullptr;
  const metal::Pipeline *pipeline = nullptr;
  std::string text;
  metal::Error error = metal::Driver::shared(softmetalPath(), driver);
  if (!error) {
    error = driver->pipeline(requestOf(code.kernel), pipeline);
  }
  if (!error)
    error = driver->air(*pipeline, text);
  if (error)
    throwDriverError(error, &code.kernel);
  return text;
}

} // namespace

void bindMetal(nb::module_ &m) {
  nb::class_<MetalCode>(m, "MetalCode", "A kernel as Metal Shading Language.")
      .def_ro("signature", &MetalCode::signature)
      .def_ro("ttir", &MetalCode::ttir)
      .def_ro("ttm", &MetalCode::ttm)
      .def_prop_ro("msl", [](const MetalCode &self) { return self.kernel.text; })
      .def_prop_ro("entry", [](const MetalCode &self) { return self.kernel.entry; })
      .def_prop_ro("lines", [](const MetalCode &self) {
        nb::list lines;
        for (const msl::LineOrigin &origin : self.kernel.lines)
          lines.append(nb::make_tuple(origin.line, origin.column, origin.file, origin.sourceLine, origin.sourceColumn));
        return lines;
      }, "(line and column of the text, file, line, column) of the source, in the order of the text: each holds up to the next one. Column "
         "0 is the whole statement.")
      .def_prop_ro("facts", factsOf)
      .def_prop_ro("ignored_hints", [](const MetalCode &self) {
        nb::list hints;
        for (const Remark &hint : self.hints)
          hints.append(nb::make_tuple(hint.message, hint.where.file, hint.where.line));
        return hints;
      }, "(message, file, line) of each layout hint that could not be followed.")
      .def("with_text", [](const MetalCode &self, const std::string &text) {
        auto code = std::make_shared<MetalCode>(self);
        code->kernel.text = text;
        return code;
      }, nb::arg("text"), "The same kernel with another text: same entry, parameters and threads.")
      .def("air", airOf, "The kernel's AIR as text; only the software Metal has it.")
      .def("launchable", [](std::shared_ptr<MetalCode> self, bool checked) -> std::shared_ptr<Launchable> {
        return std::make_shared<MetalLaunchable>(self->signature, self, checked);
      }, nb::arg("checked") = false)
      .def("counting_launchable", [](std::shared_ptr<MetalCode> self, uint32_t sample, bool checked) -> std::shared_ptr<Launchable> {
        auto made = std::make_shared<MetalLaunchable>(self->signature, self, checked);
        made->setCounting(sample);
        return made;
      }, nb::arg("sample") = 0, nb::arg("checked") = false,
         "Its launches count what they do, in so many threadgroups of a larger grid, and leave the rest undone; see take_metal_counters.");

  m.def("metal_device", describeDevice, "Name, architecture and limits of the device behind \"metal\".");
  m.def("take_metal_counters", takeCounters, "What counting launches have done since the last call; only the software Metal counts.");

  m.def("compile_for_metal", [](const Module &module, unsigned numWarps, const std::string &chip, bool fpFusion, bool verifyEach,
                               const std::string &plantedFault) {
    Result<MetalCode> code = [&] {
      nb::gil_scoped_release release;
      MetalOptions options;
      options.numWarps = numWarps;
      options.chip = chip;
      options.fpFusion = fpFusion;
      options.verifyEach = verifyEach;
      options.plantedFault = plantedFault;
      return compileForMetal(module, options);
    }();
    return std::make_shared<MetalCode>(unwrap(std::move(code)));
  }, nb::arg("module"), nb::arg("num_warps") = 4, nb::arg("chip") = "apple-m1", nb::arg("fp_fusion") = true,
     nb::arg("verify_each") = false, nb::arg("planted_fault") = "");

  m.def("load_for_metal", loadForMetal, nb::arg("name"), nb::arg("params"), nb::arg("ttir"), nb::arg("ttm"), nb::arg("msl"),
        nb::arg("entry"), nb::arg("lines"), nb::arg("facts"),
        "A kernel that was compiled before; facts and lines as MetalCode gives them.");

  m.def("softmetal_compile", [](const std::string &text) {
    metal::Driver *driver = nullptr;
    metal::Error error;
    {
      nb::gil_scoped_release release;
      error = metal::Driver::shared(softmetalPath(), driver);
      metal::PipelineRequest request;
      request.text = text;
      if (!error)
        error = driver->compileOnce(request);
    }
    if (error)
      throwDriverError(error);
  }, nb::arg("text"), "Compile the first kernel of a Metal text to runnable code, past all caches, and throw it away: for benchmarks.");

  m.def("set_softmetal_path", [](const std::string &path) { softmetalPath() = path; }, nb::arg("path"),
        "Where libsoftmetal lies; it is loaded when it is first needed.");

  m.def("set_metal_run_options", [](uint64_t seed, uint32_t timeoutMilliseconds) {
    RunSettings &settings = runSettings();
    settings.changed |= settings.seed != seed || settings.timeoutMilliseconds != timeoutMilliseconds;
    settings.seed = seed;
    settings.timeoutMilliseconds = timeoutMilliseconds;
  }, nb::arg("seed"), nb::arg("timeout_ms"), "Schedule and time limit of the software Metal, from the next launch on.");

  m.def("synchronize", [] {
    if (usedDriver && !synchronizeDriver(*usedDriver))
      throw nb::python_error();
  }, "Wait for all launches. Those of the CPU device have finished when they return.");
}

} // namespace triton_metal::python
