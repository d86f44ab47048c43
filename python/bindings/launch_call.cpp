//===- launch_call.cpp - one call of a Launcher ------------------------------------===//
//
// Bind the arguments to the parameters, make the key, find or compile the specialisation, run it.
//
//===----------------------------------------------------------------------===//
#include "LaunchCall.h"
#include "Recording.h"
#include "triton_metal/Launch/Environment.h"

#include <nanobind/stl/shared_ptr.h>

#include <algorithm>

namespace triton_metal::python {

const char *text(PyObject *unicode) {
  const char *utf8 = PyUnicode_AsUTF8(unicode);
  return utf8 ? utf8 : "?";
}

nb::dict boundArguments(const Call &call) {
  nb::dict arguments;
  for (size_t i = 0; i < call.parameters(); ++i)
    if (call.bound[i])
      arguments[nb::borrow(call.data.parameters[i].name)] = nb::borrow(call.bound[i]);
  return arguments;
}

bool read(Call &call, size_t parameter) {
  if (call.isRead[parameter])
    return true;
  auto *value = new (&call.values[parameter]) ArgumentValue;
  call.isRead[parameter] = readArgument(call.data.parameters[parameter], call.bound[parameter], call.name(), *value);
  return call.isRead[parameter];
}

namespace {

//===----------------------------------------------------------------------===//
// Binding
//===----------------------------------------------------------------------===//

/// "(x_ptr, n, BLOCK)".
std::string parameterList(const KernelData &data) {
  std::string list = "(";
  for (const Parameter &parameter : data.parameters)
    list += (list.size() > 1 ? ", " : "") + std::string(text(parameter.name));
  return list + ")";
}

/// The plan of this call site; made at its first call. Null with an exception set.
const KeywordPlan *planFor(KernelData &data, PyObject *names) {
  for (const KeywordPlan &plan : data.plans)
    if (plan.names == names)
      return &plan;
  KeywordPlan plan;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); ++i) {
    PyObject *name = PyTuple_GET_ITEM(names, i);
    auto parameter = std::find_if(data.parameters.begin(), data.parameters.end(), [&](const Parameter &candidate) {
      return candidate.name == name || PyUnicode_Compare(candidate.name, name) == 0;
    });
    if (parameter != data.parameters.end()) {
      plan.targets.push_back({false, uint16_t(parameter - data.parameters.begin())});
      continue;
    }
    int option = findOption(name);
    if (option < 0) {
      setLaunchError(data.name + ": keyword argument '" + text(name) + "' was specified but unrecognised: it is neither a parameter of "
                     "the kernel " + parameterList(data) + " nor an option of a launch (num_warps, num_stages, device, ...)",
                     name, "UnknownArgument");
      return nullptr;
    }
    plan.targets.push_back({true, uint16_t(option)});
  }
  // A call site makes one tuple and keeps it; calls through **kwargs make new ones, which must not pile up.
  if (data.plans.size() >= 8) {
    Py_DECREF(data.plans.front().names);
    data.plans.erase(data.plans.begin());
  }
  Py_INCREF(names);
  plan.names = names;
  data.plans.push_back(std::move(plan));
  return &data.plans.back();
}

bool setDevice(Call &call, PyObject *value) {
  PyObject *name = PyObject_Str(value);
  const char *spelled = name ? PyUnicode_AsUTF8(name) : nullptr;
  bool known = true;
  if (spelled && std::string_view(spelled) == "cpu")
    call.device = Device::CPU;
  else if (spelled && std::string_view(spelled) == "metal")
    call.device = Device::Metal;
  else
    known = false;
  if (!known)
    setLaunchError(std::string(call.name()) + ": device=" + (spelled ? spelled : "?") + " is no device; there are 'cpu' and 'metal'",
                   optionName(kOptionDevice));
  Py_XDECREF(name);
  return known;
}

bool bind(Call &call, PyObject *const *args, size_t count, PyObject *names) {
  const size_t parameters = call.parameters();
  if (count > parameters) {
    setLaunchError(std::string(call.name()) + ": takes " + std::to_string(parameters) + " arguments, but " + std::to_string(count) +
                       " were given; its parameters are " + parameterList(call.data) + ", and options such as num_warps go by name",
                   nullptr, "ArgumentTypeError");
    return false;
  }
  call.positional = count;
  std::copy(args, args + count, call.bound);
  std::fill(call.bound + count, call.bound + parameters, nullptr);
  if (names && PyTuple_GET_SIZE(names)) {
    const KeywordPlan *plan = planFor(call.data, names);
    if (!plan)
      return false;
    for (size_t i = 0; i < plan->targets.size(); ++i) {
      KeywordPlan::Target target = plan->targets[i];
      PyObject *value = args[count + i];
      if (target.isOption) {
        if (target.index == kOptionDevice) {
          if (value != Py_None && !setDevice(call, value))
            return false;
        } else if (target.index == kOptionWarmup) {
          int truth = PyObject_IsTrue(value);
          if (truth < 0)
            return false;
          call.warmup = truth;
        } else {
          call.optionIndex[call.options] = target.index;
          call.optionValue[call.options++] = value;
        }
      } else if (call.bound[target.index]) {
        PyObject *name = call.data.parameters[target.index].name;
        setLaunchError(std::string(call.name()) + ": multiple values for argument '" + text(name) +
                           "': it was given by position and by name", name, "ArgumentTypeError");
        return false;
      } else {
        call.bound[target.index] = value;
      }
    }
  }
  return true;
}

/// Gives every parameter that has no value its default.
bool bindDefaults(Call &call) {
  for (size_t i = 0; i < call.parameters(); ++i)
    if (!call.bound[i] && !(call.bound[i] = call.data.parameters[i].defaultValue)) {
      PyObject *name = call.data.parameters[i].name;
      setLaunchError(std::string(call.name()) + ": missing a required argument: '" + text(name) + "'; the parameters are " +
                         parameterList(call.data), name, "ArgumentTypeError");
      return false;
    }
  return true;
}

/// Whether two arrays share memory; those of unknown size where they begin together.
bool sharesMemory(const ArgumentValue &a, const ArgumentValue &b) {
  if (a.bytes == 0 || b.bytes == 0)
    return a.bits == b.bits;
  return a.begin < b.begin + b.bytes && b.begin < a.begin + a.bytes;
}

/// The CPU device reads late and writes in any order where arrays are apart; that some are not is a part of the key.
void markOverlaps(Call &call) {
  if (call.device != Device::CPU)
    return;
  for (size_t i = 1; i < call.valueCount(); ++i) {
    ArgumentValue &a = call.value(i);
    if (a.key.kind() != ArgKey::Class::Pointer)
      continue;
    for (size_t j = 0; j < i; ++j) {
      ArgumentValue &b = call.value(j);
      if (b.key.kind() == ArgKey::Class::Pointer && sharesMemory(a, b)) {
        a.key = a.key.overlapping();
        b.key = b.key.overlapping();
      }
    }
  }
}

bool makeKey(Call &call) {
  uint64_t *word = call.words;
  *word++ = call.settings;
  *word++ = uint64_t(call.device);
  for (size_t i = 0; i < call.parameters(); ++i)
    if (!read(call, i))
      return false;
  for (size_t i = 0; i < call.parameters(); ++i)
    if (call.values[i].key.isCompound() && !readNested(call.data.parameters[i], i, call.bound[i], call.name(), call.nested))
      return false;
  if (call.nested.structure.size() + call.nested.values.size() > kMaxNestedWords) {
    setLaunchError(std::string(call.name()) + ": the tuples among the arguments hold more than " + std::to_string(kMaxNestedWords / 2) +
                       " values", nullptr);
    return false;
  }
  markOverlaps(call);
  for (size_t i = 0; i < call.valueCount(); ++i)
    *word++ = call.value(i).key.word();
  word = std::copy(call.nested.structure.begin(), call.nested.structure.end(), word);
  for (size_t i = 0; i < call.options; ++i) {
    ArgKey key;
    if (!internConstant(call.optionValue[i], key)) {
      setLaunchError(std::string(call.name()) + ": option '" + text(optionName(call.optionIndex[i])) + "' cannot be part of a key",
                     optionName(call.optionIndex[i]));
      return false;
    }
    *word++ = call.optionIndex[i];
    *word++ = key.word();
  }
  call.wordCount = size_t(word - call.words);
  return true;
}

//===----------------------------------------------------------------------===//
// Miss
//===----------------------------------------------------------------------===//


PyObject *incremented(PyObject *object) {
  Py_INCREF(object);
  return object;
}

/// The attributes of an argument, as upstream's signatures have them; empty where there are none.
nb::list attributesOf(ArgKey key) {
  nb::list all;
  auto add = [&](const char *name, int number) {
    nb::list attribute;
    attribute.append(name);
    attribute.append(number);
    all.append(attribute);
  };
  if (key.isDivisible())
    add("tt.divisibility", 16);
  if (key.overlaps())
    add("ttm.overlaps", 1);
  return all;
}

/// self._compile(device, signature, constants, attrs, options) of the JITFunction: a CompiledKernel.
nb::object callCompile(Call &call) {
  nb::dict signature, constants, attrs, options;
  auto describe = [&](nb::object path, ArgKey key, PyObject *object, bool isConstexpr) {
    if (key.kind() == ArgKey::Class::InlineConstant && !isConstexpr)
      constants[path] = nb::int_(key.inlineValue());
    else if (key.isConstant())
      constants[path] = nb::steal(unwrapConstexpr(object));
    else if (nb::list all = attributesOf(key); nb::len(all) != 0)
      attrs[path] = all;
  };
  size_t next = 0;
  for (size_t i = 0; i < call.parameters(); ++i) {
    ArgKey key = call.values[i].key;
    nb::object name = nb::borrow(call.data.parameters[i].name);
    if (!key.isCompound()) {
      signature[name] = nb::str(key.spelling().c_str());
      describe(nb::make_tuple(i), key, call.bound[i], call.data.parameters[i].isConstexpr);
      continue;
    }
    std::vector<int> path{int(i)};
    signature[name] = nb::steal(signatureOf(call.bound[i], call.nested, next, path, [&](const auto &whole, const NestedValue &leaf) {
      nb::list indices;
      for (int index : whole)
        indices.append(index);
      describe(nb::tuple(indices), leaf.value.key, leaf.object, false);
    }));
  }
  for (size_t i = 0; i < call.options; ++i)
    options[nb::borrow(optionName(call.optionIndex[i]))] = nb::steal(unwrapConstexpr(call.optionValue[i]));
  nb::object self = nb::borrow(reinterpret_cast<PyObject *>(call.kernel));
  return self.attr("_compile")(nameOf(call.device), signature, constants, attrs, options);
}

/// Compiles the specialisation of the call and remembers it. Null with an exception set.
Specialization *compile(Call &call) {
  try {
    nb::object compiled = callCompile(call);
    // Python code ran, so another thread may have been here.
    if (Specialization *found = call.data.cache.find(call.words, call.wordCount))
      return found;
    auto made = std::make_unique<Specialization>();
    made->code = nb::cast<std::shared_ptr<Launchable>>(compiled.attr("_launchable"));
    size_t next = call.parameters();
    auto needs = [&](size_t i) {
      if (!call.value(i).key.isConstant())
        made->sources.push_back(uint16_t(i));
    };
    for (size_t i = 0; i < call.parameters(); ++i) {
      if (!call.values[i].key.isCompound()) {
        needs(i);
        continue;
      }
      for (; next < call.valueCount() && call.nested.values[next - call.parameters()].parameter == i; ++next)
        needs(next);
    }
    const std::vector<ParamInfo> &expected = made->code->signature.params;
    bool agrees = expected.size() == made->sources.size();
    for (size_t i = 0; agrees && i < expected.size(); ++i)
      agrees = (call.value(made->sources[i]).key.kind() == ArgKey::Class::Pointer) == (expected[i].type == ParamType::Pointer);
    if (!agrees)
      raise(Error{Error::Kind::Internal, "the compiled kernel " + made->code->signature.name +
                                             " does not take the arguments that it was compiled for"});
    made->compiled = compiled.release().ptr();
    Specialization *result = made.get();
    call.data.specializations.push_back(std::move(made));
    call.data.cache.insert(call.words, call.wordCount, result);
    return result;
  } catch (nb::python_error &error) {
    error.restore();
  } catch (const std::exception &error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
  return nullptr;
}

//===----------------------------------------------------------------------===//
// Launch
//===----------------------------------------------------------------------===//

bool callGridFunction(Call &call, PyObject *function, int32_t grid[3]) {
  nb::dict arguments = boundArguments(call);
  PyObject *result = PyObject_CallOneArg(function, arguments.ptr());
  if (!result)
    return false;
  bool read = readGrid(result, call.name(), grid);
  Py_DECREF(result);
  return read;
}

bool checkArrays(const Call &call, const Specialization &specialization) {
  for (size_t i = 0; i < specialization.sources.size(); ++i) {
    const ArgumentValue &value = call.value(specialization.sources[i]);
    if (!value.readOnly && value.place == Place::Host)
      continue;
    nb::str spelled(call.valueName(specialization.sources[i]));
    PyObject *name = spelled.ptr();
    std::string where = std::string(call.name()) + ": argument '" + spelled.c_str() + "' ";
    if (value.place == Place::Other || (value.place == Place::Metal && call.device == Device::CPU)) {
      setLaunchError(where + "lies in memory that device '" + nameOf(call.device) + "' cannot reach; move it to the host first", name);
      return false;
    }
    if (value.readOnly && specialization.code->signature.params[i].mayBeWritten) {
      setLaunchError(where + "is a read-only array, but the kernel writes to it; pass a writable copy", name);
      return false;
    }
  }
  return true;
}

/// Globals that went into the code still have their values.
bool checkGlobals(const Call &call) {
  for (const WatchedGlobal &global : call.data.watched) {
    PyObject *now = PyDict_GetItemWithError(global.dictionary, global.name);
    if (now == global.value)
      continue;
    int equal = now ? PyObject_RichCompareBool(now, global.value, Py_EQ) : 0;
    if (equal > 0)
      continue;
    if (equal == 0 && !PyErr_Occurred())
      PyErr_Format(PyExc_RuntimeError,
                   "Global variable %U has value %R when compiling kernel %s, but its value has since changed to %R.", global.name,
                   global.value, call.name(), now ? now : Py_None);
    return false;
  }
  return true;
}

bool runHook(PyObject *hook, const Specialization &specialization, const Call &call, const int32_t grid[3]) {
  if (isUnobserved())
    return true;
  nb::object compiled = nb::borrow(specialization.compiled);
  try {
    nb::object metadata = compiled.attr("launch_metadata")(nb::make_tuple(grid[0], grid[1], grid[2]), nb::none(),
                                                           *nb::tuple(boundArguments(call).values()));
    nb::borrow(hook)(metadata);
    return true;
  } catch (nb::python_error &error) {
    error.restore();
  }
  return false;
}

bool runPreRunHooks(const Call &call) {
  PyObject *hooks = call.data.preRunHooks;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(hooks); ++i) {
    nb::dict arguments = boundArguments(call);
    PyObject *empty = PyTuple_New(0);
    PyObject *result = empty ? PyObject_Call(PyList_GET_ITEM(hooks, i), empty, arguments.ptr()) : nullptr;
    Py_XDECREF(empty);
    if (!result)
      return false;
    Py_DECREF(result);
  }
  return true;
}

/// What the code of `specialization` gets from the call, in the order of its parameters; the number of them.
size_t gatherArguments(const Call &call, const Specialization &specialization, RuntimeArgument *arguments) {
  size_t count = specialization.sources.size();
  for (size_t i = 0; i < count; ++i) {
    size_t source = specialization.sources[i];
    const ArgumentValue &value = call.value(source);
    arguments[i] = {call.object(source), value.bits, value.isDouble, call.valueName(source)};
  }
  return count;
}

[[gnu::always_inline]] inline bool run(const Call &call, Specialization &specialization, const int32_t grid[3], LaunchRecord *record) {
  RuntimeArgument arguments[kMaxParameters + kMaxNestedWords];
  size_t count = gatherArguments(call, specialization, arguments);
  // The cache may be cleared while the GIL is released.
  std::shared_ptr<Launchable> code = specialization.code;
  return code->launch({arguments, count}, grid, record);
}

/// While launches are recorded; apart, so that others pay for one branch.
[[gnu::noinline, gnu::cold]] bool runRecorded(const Call &call, Specialization &specialization, const int32_t grid[3]) {
  if (isUnobserved())
    return run(call, specialization, grid, nullptr);
  LaunchRecord record(specialization.compiled, grid);
  return run(call, specialization, grid, &record);
}

/// Reads the arguments of a call and finds the code for them, or compiles it. Null with an exception set.
Specialization *resolve(Call &call, LauncherObject *launcher, PyObject *const *args, size_t count, PyObject *names, bool runsHooks) {
  call.settings = environmentStamp() * 0x9e3779b97f4a7c15u ^ launchSettings().knobs * 0xff51afd7ed558ccdu ^ call.data.stamp;
  if (!bind(call, args, count, names))
    return nullptr;
  if (launcher->kernel->data->tuner && !choose(call, launcher))
    return nullptr;
  if (!bindDefaults(call) || !makeKey(call) || !checkGlobals(call))
    return nullptr;
  if (runsHooks && PyList_GET_SIZE(call.data.preRunHooks) != 0 && !runPreRunHooks(call))
    return nullptr;
  Specialization *specialization = call.data.cache.find(call.words, call.wordCount);
  return specialization ? specialization : compile(call);
}

/// The kernel whose parameters a call binds: a tuner launches another one.
KernelObject *launchedKernel(LauncherObject *launcher) {
  TunerData *tuner = launcher->kernel->data->tuner.get();
  return tuner ? tuner->kernel : launcher->kernel;
}

} // namespace

PyObject *launchKernel(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *names) {
  auto *launcher = reinterpret_cast<LauncherObject *>(self);
  Call call(launchedKernel(launcher), launchSettings().device);
  int32_t grid[3] = {launcher->grid[0], launcher->grid[1], launcher->grid[2]};
  Specialization *specialization = resolve(call, launcher, args, PyVectorcall_NARGS(nargsf), names, /*runsHooks=*/true);
  if (!specialization)
    return nullptr;
  PyObject *compiled = incremented(specialization->compiled);
  if (call.warmup)
    return compiled;
  bool done = !launcher->gridFunction || callGridFunction(call, launcher->gridFunction, grid);
  if (done && grid[0] != 0 && grid[1] != 0 && grid[2] != 0) {
    const LaunchSettings &settings = launchSettings();
    done = checkArrays(call, *specialization);
    if (done && settings.enterHook)
      done = runHook(settings.enterHook, *specialization, call, grid);
    done = done && (recordsLaunches ? runRecorded(call, *specialization, grid) : run(call, *specialization, grid, nullptr));
    if (done && settings.exitHook)
      done = runHook(settings.exitHook, *specialization, call, grid);
  }
  if (done)
    return compiled;
  Py_DECREF(compiled);
  return nullptr;
}

PyObject *bindLaunch(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
  auto *launcher = reinterpret_cast<LauncherObject *>(self);
  Call call(launchedKernel(launcher), launchSettings().device);
  call.warmup = true; // a tuner takes what it chose before, or the first that fits, and tries nothing
  int32_t grid[3] = {launcher->grid[0], launcher->grid[1], launcher->grid[2]};
  Specialization *specialization = resolve(call, launcher, args, size_t(count), names, /*runsHooks=*/false);
  if (!specialization)
    return nullptr;
  PyObject *compiled = incremented(specialization->compiled);
  std::shared_ptr<Launchable> code = specialization->code;
  RuntimeArgument arguments[kMaxParameters + kMaxNestedWords];
  size_t used = gatherArguments(call, *specialization, arguments);
  std::vector<char> block(code->layout.size);
  if ((launcher->gridFunction && !callGridFunction(call, launcher->gridFunction, grid)) || !code->pack({arguments, used}, block.data())) {
    Py_DECREF(compiled);
    return nullptr;
  }
  PyObject *params = PyBytes_FromStringAndSize(block.data(), Py_ssize_t(block.size()));
  return Py_BuildValue("(NN(iii))", compiled, params, grid[0], grid[1], grid[2]);
}

} // namespace triton_metal::python
