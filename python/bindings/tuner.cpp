//===- tuner.cpp - launches whose meta-parameters somebody chose --------------------===//
//
// A tuner is a KernelBase with another kernel behind it. Its launches differ from plain ones by one more look-up: from the types of the
// arguments and the values of the tuning keys to what was chosen for them. Python is asked only for keys that are new.
//
//===----------------------------------------------------------------------===//
#include "LaunchCall.h"

#include <bit>
#include <utility>

namespace triton_metal::python {

namespace {

/// What a tuning key says of one argument: the type of arrays and, where it is a key, the value.
constexpr uint64_t kNotGiven = UINT64_MAX;

uint64_t typeWord(const ArgumentValue &value) {
  return value.key.kind() == ArgKey::Class::Pointer ? uint64_t(value.key.type()) + 1 : 0;
}

/// Equal for equal values; a size may stand for all up to it.
uint64_t valueWord(const ArgumentValue &value, TunerData::Keys keys) {
  if (value.key.kind() == ArgKey::Class::InternedConstant)
    return value.key.word();
  if (value.key.kind() == ArgKey::Class::Pointer)
    return 0;
  if (value.isDouble)
    return keys == TunerData::Keys::SizesOnly ? 0 : value.bits;
  uint64_t bits = value.key.isConstant() ? uint64_t(value.key.inlineValue()) : value.bits;
  return keys != TunerData::Keys::Exact && int64_t(bits) > 1 ? std::bit_ceil(bits) : bits;
}

size_t makeTuningKey(Call &call, const TunerData &tuner, uint64_t *words) {
  uint64_t *word = words;
  *word++ = call.settings;
  *word++ = uint64_t(call.device);
  for (size_t i = 0; i < call.parameters(); ++i)
    *word++ = call.bound[i] ? typeWord(call.values[i]) : kNotGiven;
  for (uint16_t key : tuner.keys)
    *word++ = call.bound[key] ? valueWord(call.values[key], tuner.comparison) : kNotGiven;
  return size_t(word - words);
}

nb::dict optionsOf(const Call &call) {
  nb::dict options;
  for (size_t i = 0; i < call.options; ++i)
    options[nb::borrow(optionName(call.optionIndex[i]))] = nb::borrow(call.optionValue[i]);
  return options;
}

/// Reads what Python chose: (config, pre-hook or None, {name of a parameter or an option: value}).
std::unique_ptr<TunedChoice> readChoice(const Call &call, nb::object answer) {
  auto choice = std::make_unique<TunedChoice>();
  nb::tuple parts = nb::cast<nb::tuple>(answer);
  for (auto [name, value] : nb::cast<nb::dict>(parts[2])) {
    TunedChoice::Value made{false, 0, value.ptr()};
    size_t i = 0;
    while (i < call.parameters() && PyUnicode_Compare(call.data.parameters[i].name, name.ptr()) != 0)
      ++i;
    if (i < call.parameters()) {
      made.index = uint16_t(i);
    } else if (int option = findOption(name.ptr()); option >= 0) {
      made.isOption = true;
      made.index = uint16_t(option);
    } else {
      setLaunchError(std::string(call.name()) + ": the configuration sets '" + text(name.ptr()) +
                         "', which is neither a parameter of the kernel nor an option of a launch", name.ptr(), "UnknownArgument");
      return nullptr;
    }
    Py_INCREF(made.value);
    choice->values.push_back(made);
  }
  choice->config = nb::object(parts[0]).release().ptr();
  if (!nb::object(parts[1]).is_none())
    choice->preHook = nb::object(parts[1]).release().ptr();
  return choice;
}

/// Asks self._choose(device, arguments, positional, options, grid, warmup), where the first `positional` parameters were given by position.
/// Null with an exception set.
std::unique_ptr<TunedChoice> ask(Call &call, LauncherObject *launcher) {
  try {
    nb::object grid = launcher->gridFunction
                          ? nb::borrow(launcher->gridFunction)
                          : nb::object(nb::make_tuple(launcher->grid[0], launcher->grid[1], launcher->grid[2]));
    nb::object self = nb::borrow(reinterpret_cast<PyObject *>(launcher->kernel));
    return readChoice(call, self.attr("_choose")(nameOf(call.device), boundArguments(call), call.positional, optionsOf(call), grid,
                                               call.warmup));
  } catch (nb::python_error &error) {
    error.restore();
  } catch (const std::exception &error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
  return nullptr;
}

bool give(Call &call, const TunedChoice &choice) {
  for (const TunedChoice::Value &value : choice.values) {
    if (!value.isOption) {
      if (call.bound[value.index]) {
        PyErr_Format(PyExc_ValueError, "Conflicting meta-parameters: %U. Make sure that you don't re-define auto-tuned symbols.",
                     call.data.parameters[value.index].name);
        return false;
      }
      call.bound[value.index] = value.value;
      continue;
    }
    bool given = std::find(call.optionIndex, call.optionIndex + call.options, value.index) != call.optionIndex + call.options;
    if (given) // the caller knows better
      continue;
    call.optionIndex[call.options] = value.index;
    call.optionValue[call.options++] = value.value;
  }
  return true;
}

bool compute(Call &call, const TunerData &tuner) {
  try {
    nb::dict arguments;
    for (size_t i = 0; i < call.parameters(); ++i)
      if (PyObject *value = call.bound[i] ? call.bound[i] : call.data.parameters[i].defaultValue)
        arguments[nb::borrow(call.data.parameters[i].name)] = nb::borrow(value);
    arguments.update(optionsOf(call));
    for (const TunerData::Heuristic &heuristic : tuner.heuristics) {
      nb::object value = nb::steal(PyObject_CallOneArg(heuristic.function, arguments.ptr()));
      if (!value.is_valid())
        return false;
      arguments[nb::borrow(call.data.parameters[heuristic.parameter].name)] = value;
      call.bound[heuristic.parameter] = value.ptr();
      call.isRead[heuristic.parameter] = false;
      call.computed.push_back(value.release().ptr());
    }
    return true;
  } catch (nb::python_error &error) {
    error.restore();
  }
  return false;
}

bool runPreHook(Call &call, PyObject *hook) {
  nb::dict arguments = boundArguments(call);
  arguments.update(optionsOf(call));
  PyObject *result = PyObject_CallOneArg(hook, arguments.ptr());
  Py_XDECREF(result);
  std::fill_n(call.isRead, call.parameters(), false); // it may have changed what arguments are
  return result != nullptr;
}

TunedChoice *findOrAsk(Call &call, TunerData &tuner, LauncherObject *launcher, std::unique_ptr<TunedChoice> &transient) {
  uint64_t words[2 * kMaxParameters + 2];
  for (size_t i = 0; i < call.parameters(); ++i)
    if (call.bound[i] && !read(call, i))
      return nullptr;
  size_t count = makeTuningKey(call, tuner, words);
  if (TunedChoice *found = tuner.cache.find(words, count))
    return found;
  std::unique_ptr<TunedChoice> made = ask(call, launcher);
  TunedChoice *choice = made.get();
  if (!choice || call.warmup) { // what was compiled without running says nothing of the best
    transient = std::move(made);
    return choice;
  }
  // Python code ran, so another thread may have been here.
  if (!tuner.cache.find(words, count))
    tuner.cache.insert(words, count, choice);
  tuner.choices.push_back(std::move(made));
  return choice;
}

} // namespace

bool choose(Call &call, LauncherObject *launcher) {
  TunerData &tuner = *launcher->kernel->data->tuner;
  std::unique_ptr<TunedChoice> transient;
  TunedChoice *choice = nullptr;
  if (tuner.chooses) {
    choice = findOrAsk(call, tuner, launcher, transient);
    if (!choice || !give(call, *choice))
      return false;
    if (!call.warmup && tuner.best != choice->config) { // the configuration of the last launch
      PyObject *old = tuner.best;
      Py_INCREF(choice->config);
      tuner.best = choice->config;
      Py_XDECREF(old);
    }
    if (transient) { // lives as long as the call
      for (TunedChoice::Value &value : transient->values)
        call.computed.push_back(std::exchange(value.value, nullptr));
    }
  }
  if (!tuner.heuristics.empty() && !compute(call, tuner))
    return false;
  return !choice || !choice->preHook || call.warmup || runPreHook(call, choice->preHook);
}

//===----------------------------------------------------------------------===//
// What Python sees
//===----------------------------------------------------------------------===//

TunedChoice::~TunedChoice() {
  Py_XDECREF(config);
  Py_XDECREF(preHook);
  for (Value &value : values)
    Py_XDECREF(value.value);
}

TunerData::~TunerData() { clear(); }

void TunerData::clear() {
  cache.clear();
  std::exchange(choices, {}).clear();
  for (Heuristic &heuristic : std::exchange(heuristics, {}))
    Py_DECREF(heuristic.function);
  Py_CLEAR(best);
  PyObject *old = reinterpret_cast<PyObject *>(std::exchange(kernel, nullptr));
  Py_XDECREF(old);
}

int traverseTuner(TunerData &tuner, visitproc visit, void *arg) {
  Py_VISIT(tuner.kernel);
  Py_VISIT(tuner.best);
  for (TunerData::Heuristic &heuristic : tuner.heuristics)
    Py_VISIT(heuristic.function);
  for (auto &choice : tuner.choices) {
    Py_VISIT(choice->config);
    Py_VISIT(choice->preHook);
    for (TunedChoice::Value &value : choice->values)
      Py_VISIT(value.value);
  }
  return 0;
}

/// _tune(kernel, chooses, [index of key], TunerData::Keys as a number, [(index of parameter, heuristic)])
PyObject *tune(PyObject *self, PyObject *args) {
  PyObject *kernel = nullptr, *keys = nullptr, *heuristics = nullptr;
  int chooses = 0, comparison = 0;
  if (!PyArg_ParseTuple(args, "OpO!iO!", &kernel, &chooses, &PyList_Type, &keys, &comparison, &PyList_Type, &heuristics))
    return nullptr;
  KernelData &data = *reinterpret_cast<KernelObject *>(self)->data;
  auto *base = reinterpret_cast<PyTypeObject *>(PyObject_GetAttrString(PyImport_AddModule("triton_metal._core"), "KernelBase"));
  bool fits = base && PyObject_TypeCheck(kernel, base) && !reinterpret_cast<KernelObject *>(kernel)->data->tuner && !data.tuner;
  Py_XDECREF(base);
  if (!fits) {
    PyErr_SetString(PyExc_TypeError, "_tune takes a kernel that is no tuner, once");
    return nullptr;
  }
  auto tuner = std::make_unique<TunerData>();
  const size_t parameters = reinterpret_cast<KernelObject *>(kernel)->data->parameters.size();
  tuner->chooses = chooses;
  tuner->comparison = TunerData::Keys(comparison);
  auto inRange = [&](size_t index) {
    if (index < parameters)
      return true;
    if (!PyErr_Occurred())
      PyErr_SetString(PyExc_IndexError, "_tune: no such parameter");
    return false;
  };
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(keys); ++i) {
    size_t index = PyLong_AsSize_t(PyList_GET_ITEM(keys, i));
    if (!inRange(index))
      return nullptr;
    tuner->keys.push_back(uint16_t(index));
  }
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(heuristics); ++i) {
    Py_ssize_t index = 0;
    PyObject *function = nullptr;
    if (!PyArg_ParseTuple(PyList_GET_ITEM(heuristics, i), "nO", &index, &function) || !inRange(size_t(index)))
      return nullptr;
    Py_INCREF(function);
    tuner->heuristics.push_back({uint16_t(index), function});
  }
  Py_INCREF(kernel);
  tuner->kernel = reinterpret_cast<KernelObject *>(kernel);
  data.name = tuner->kernel->data->name;
  data.tuner = std::move(tuner);
  Py_RETURN_NONE;
}

PyObject *forgetChoices(PyObject *self, PyObject *) {
  if (TunerData *tuner = reinterpret_cast<KernelObject *>(self)->data->tuner.get())
    tuner->cache.clear(); // the choices themselves stay: a launch may use one
  Py_RETURN_NONE;
}

PyObject *bestConfig(PyObject *self, void *) {
  TunerData *tuner = reinterpret_cast<KernelObject *>(self)->data->tuner.get();
  PyObject *best = tuner && tuner->best ? tuner->best : Py_None;
  Py_INCREF(best);
  return best;
}

} // namespace triton_metal::python
