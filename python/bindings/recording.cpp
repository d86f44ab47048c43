//===- recording.cpp - launches that are recorded for a profile --------------------===//
#include "Recording.h"

#include "Bindings.h"
#include "triton_metal/Launch/DispatchCache.h"
#include "triton_metal/Runtime/Clock.h"

#include <nanobind/stl/tuple.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

namespace triton_metal::python {

bool recordsLaunches = false;

namespace {

/// One launch as Python reads it: an array of these is a NumPy array. The highest bit of `thread` marks a tuner's trial.
struct Record {
  uint32_t shape, thread;
  uint64_t begin, end;
};
constexpr uint32_t kTrial = uint32_t(1) << 31;
static_assert(sizeof(Record) == 24);

struct Shape {
  PyObject *compiled; ///< owned
  uint32_t index;
  int32_t grid[3];
  std::vector<char> params;
};

constexpr size_t kChunkRecords = 4096;

struct Recording {
  ~Recording() {
    for (Shape &shape : shapes)
      Py_DECREF(shape.compiled);
    for (PyObject *name : threads)
      Py_DECREF(name);
  }

  uint64_t session = 0, began = 0, limit = 0;
  uint64_t kept = 0, dropped = 0;
  std::vector<std::unique_ptr<Record[]>> chunks;
  std::deque<Shape> shapes; // DispatchCache points into it
  DispatchCache<Shape> shapeOf;
  std::vector<PyObject *> threads; ///< names, owned
  std::vector<uint64_t> words;     ///< scratch: the key of a shape
};

Recording *current = nullptr; // of a program that ends without stopping it, nobody's: Python is gone before static objects are
uint64_t sessions = 0;
thread_local unsigned searches = 0; ///< of tuners that this thread is inside of
thread_local unsigned unobserved = 0;

/// What Python calls this thread; the thread may be gone when the report is made.
PyObject *threadName() {
  PyObject *module = PyImport_ImportModule("threading");
  PyObject *thread = module ? PyObject_CallMethod(module, "current_thread", nullptr) : nullptr;
  PyObject *name = thread ? PyObject_GetAttrString(thread, "name") : nullptr;
  Py_XDECREF(thread);
  Py_XDECREF(module);
  if (name)
    return name;
  PyErr_Clear();
  return PyUnicode_FromFormat("thread %lu", PyThread_get_thread_ident());
}

/// The number of this thread in the recording. Python code may run, and even end the recording: then false.
bool findThread(uint64_t session, uint32_t &index) {
  thread_local uint64_t knownIn = 0;
  thread_local uint32_t known = 0;
  if (knownIn != session) {
    PyObject *name = threadName();
    if (!current || current->session != session) {
      Py_XDECREF(name);
      return false;
    }
    knownIn = session;
    known = uint32_t(current->threads.size());
    current->threads.push_back(name);
  }
  index = known;
  return true;
}

void start(uint64_t limit) {
  if (current)
    throw nb::value_error("launches are being recorded already");
  current = new Recording;
  current->session = ++sessions;
  current->limit = limit;
  current->began = hostNanoseconds();
  recordsLaunches = true;
}

/// A moment of the recording that is on.
using Position = std::tuple<uint64_t, uint64_t, uint64_t>; // records, dropped ones, nanoseconds

Recording &recordingThatIsOn() {
  if (!current)
    throw nb::value_error("no launches are being recorded");
  return *current;
}

/// What was recorded since `from`.
nb::dict read(const Recording &recording, Position from) {
  auto [first, dropped, began] = from;
  nb::dict result;
  result["began"] = began;
  result["ended"] = hostNanoseconds();
  result["dropped"] = recording.dropped - dropped;
  nb::list shapes;
  for (const Shape &shape : recording.shapes)
    shapes.append(nb::make_tuple(nb::borrow(shape.compiled), nb::bytes(shape.params.data(), shape.params.size()),
                                 nb::make_tuple(shape.grid[0], shape.grid[1], shape.grid[2])));
  result["shapes"] = shapes;
  nb::list threads;
  for (PyObject *name : recording.threads)
    threads.append(nb::borrow(name));
  result["threads"] = threads;
  nb::bytes records(nullptr, (recording.kept - first) * sizeof(Record));
  char *to = PyBytes_AS_STRING(records.ptr());
  for (uint64_t at = first, end; at < recording.kept; at = end) {
    end = std::min(recording.kept, (at / kChunkRecords + 1) * kChunkRecords);
    std::memcpy(to, &recording.chunks[at / kChunkRecords][at % kChunkRecords], (end - at) * sizeof(Record));
    to += (end - at) * sizeof(Record);
  }
  result["records"] = records;
  return result;
}

nb::dict stop() {
  recordingThatIsOn();
  recordsLaunches = false;
  std::unique_ptr<Recording> recording(std::exchange(current, nullptr));
  return read(*recording, {0, 0, recording->began});
}

} // namespace

LaunchRecord::LaunchRecord(PyObject *compiled, const int32_t grid[3])
    : compiled(compiled), grid(grid), session(current ? current->session : 0) {}

/// The number of the shape, which is added where it is new.
static uint32_t findShape(Recording &recording, PyObject *compiled, const int32_t grid[3], const char *block, size_t bytes) {
  std::vector<uint64_t> &words = recording.words;
  words.resize(3 + bytes / sizeof(uint64_t));
  words[0] = reinterpret_cast<uintptr_t>(compiled);
  words[1] = uint64_t(uint32_t(grid[0])) << 32 | uint32_t(grid[1]);
  words[2] = uint32_t(grid[2]);
  std::memcpy(words.data() + 3, block, bytes / sizeof(uint64_t) * sizeof(uint64_t));
  if (Shape *known = recording.shapeOf.find(words.data(), words.size()))
    return known->index;
  Py_INCREF(compiled);
  uint32_t shape = uint32_t(recording.shapes.size());
  recording.shapes.push_back({compiled, shape, {grid[0], grid[1], grid[2]}, std::vector<char>(block, block + bytes)});
  recording.shapeOf.insert(words.data(), words.size(), &recording.shapes.back());
  return shape;
}

void LaunchRecord::keep(const char *block, size_t bytes) {
  uint32_t thread = 0;
  if (!current || current->session != session || !findThread(session, thread))
    return;
  Recording &recording = *current;
  if (recording.kept == recording.limit) {
    ++recording.dropped;
    return;
  }
  uint32_t shape = findShape(recording, compiled, grid, block, bytes);
  if (recording.kept % kChunkRecords == 0)
    recording.chunks.push_back(std::make_unique_for_overwrite<Record[]>(kChunkRecords));
  recording.chunks.back()[recording.kept++ % kChunkRecords] = {shape, thread | (searches ? kTrial : 0), begin, end};
}

bool isUnobserved() { return unobserved != 0; }

void bindRecording(nb::module_ &m) {
  m.def("start_recording", start, nb::arg("limit"), "Record launches from now on, at most so many; those beyond are counted.");
  m.def("stop_recording", stop,
        "What was recorded: began, ended (nanoseconds), dropped, threads (names), shapes (CompiledKernel, parameters, grid) and\n"
        "records, bytes of (shape: uint32, thread: uint32, begin: uint64, end: uint64); the highest bit of thread marks a trial.");
  m.def("recording_position", [] { return Position{recordingThatIsOn().kept, current->dropped, hostNanoseconds()}; },
        "This moment of the recording that is on.");
  m.def("read_recording", [](Position from) { return read(recordingThatIsOn(), from); }, nb::arg("since"),
        "What was recorded since that position, as stop_recording() gives it. Recording goes on.");
  m.def("is_recording", [] { return recordsLaunches; });
  m.def("begin_search", [] { ++searches; }, "This thread's launches are a tuner's trials until end_search().");
  m.def("end_search", [] { --searches; });
  m.def("begin_unobserved", [] { ++unobserved; },
        "This thread's launches are not recorded, and launch hooks are not called for them, until end_unobserved().");
  m.def("end_unobserved", [] { --unobserved; });
  m.def("is_searching", [] { return searches != 0; }, "Whether this thread's launches are trials, not the program's own.");
}

} // namespace triton_metal::python
