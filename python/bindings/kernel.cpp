//===- kernel.cpp - the types KernelBase and Launcher -----------------------------===//
#include "Kernel.h"

#include <algorithm>
#include <cstddef>
#include <structmember.h>

namespace triton_metal::python {

namespace {

PyTypeObject *launcherType = nullptr;

KernelObject *asKernel(PyObject *object) { return reinterpret_cast<KernelObject *>(object); }

//===----------------------------------------------------------------------===//
// Launcher
//===----------------------------------------------------------------------===//

PyObject *makeLauncher(KernelObject *kernel) {
  auto *launcher = PyObject_GC_New(LauncherObject, launcherType);
  if (!launcher)
    return nullptr;
  Py_INCREF(kernel);
  launcher->call = launchKernel;
  launcher->kernel = kernel;
  launcher->gridFunction = nullptr;
  std::fill_n(launcher->grid, 3, 1);
  PyObject_GC_Track(reinterpret_cast<PyObject *>(launcher));
  return reinterpret_cast<PyObject *>(launcher);
}

int traverseLauncher(PyObject *self, visitproc visit, void *arg) {
  auto *launcher = reinterpret_cast<LauncherObject *>(self);
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(launcher->kernel);
  Py_VISIT(launcher->gridFunction);
  return 0;
}

int clearLauncher(PyObject *self) {
  auto *launcher = reinterpret_cast<LauncherObject *>(self);
  Py_CLEAR(launcher->gridFunction);
  return 0;
}

void destroyLauncher(PyObject *self) {
  auto *launcher = reinterpret_cast<LauncherObject *>(self);
  PyTypeObject *type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  Py_XDECREF(launcher->gridFunction);
  Py_XDECREF(launcher->kernel);
  PyObject_GC_Del(self);
  Py_DECREF(type);
}

/// kernel[grid]: the recycled Launcher where nobody else holds it.
PyObject *subscript(PyObject *self, PyObject *grid) {
  KernelData &data = *asKernel(self)->data;
  int32_t sizes[3] = {1, 1, 1};
  bool isFunction = !PyTuple_Check(grid) && !PyLong_Check(grid) && PyCallable_Check(grid);
  if (!isFunction && !readGrid(grid, data.name.c_str(), sizes))
    return nullptr;
  PyObject *object = nullptr;
  if (data.launcher && Py_REFCNT(data.launcher) == 1) {
    object = data.launcher;
    Py_INCREF(object);
  } else {
    object = makeLauncher(asKernel(self));
    if (!object)
      return nullptr;
    if (!data.launcher) {
      Py_INCREF(object);
      data.launcher = object;
    }
  }
  auto *launcher = reinterpret_cast<LauncherObject *>(object);
  std::copy_n(sizes, 3, launcher->grid);
  PyObject *old = launcher->gridFunction;
  launcher->gridFunction = isFunction ? grid : nullptr;
  Py_XINCREF(launcher->gridFunction);
  Py_XDECREF(old);
  return object;
}

//===----------------------------------------------------------------------===//
// KernelBase
//===----------------------------------------------------------------------===//

PyObject *newKernel(PyTypeObject *type, PyObject *, PyObject *) {
  PyObject *self = type->tp_alloc(type, 0);
  if (!self)
    return nullptr;
  asKernel(self)->data = new KernelData;
  asKernel(self)->data->preRunHooks = PyList_New(0);
  if (!asKernel(self)->data->preRunHooks) {
    Py_DECREF(self);
    return nullptr;
  }
  return self;
}

int traverseKernel(PyObject *self, visitproc visit, void *arg) {
  Py_VISIT(Py_TYPE(self));
  if (KernelData *data = asKernel(self)->data) {
    for (Parameter &parameter : data->parameters)
      Py_VISIT(parameter.defaultValue);
    for (auto &specialization : data->specializations)
      Py_VISIT(specialization->compiled);
    for (auto &specialization : data->retired)
      Py_VISIT(specialization->compiled);
    Py_VISIT(data->launcher);
    Py_VISIT(data->preRunHooks);
    if (data->tuner)
      return traverseTuner(*data->tuner, visit, arg);
  }
  return 0;
}

void dropSpecializations(std::vector<std::unique_ptr<Specialization>> &list) {
  std::vector<std::unique_ptr<Specialization>> dropped = std::move(list);
  list.clear();
  for (auto &specialization : dropped)
    Py_CLEAR(specialization->compiled);
}

void dropWatched(KernelData &data) {
  std::vector<WatchedGlobal> dropped = std::move(data.watched);
  data.watched.clear();
  for (WatchedGlobal &global : dropped) {
    Py_DECREF(global.dictionary);
    Py_DECREF(global.name);
    Py_DECREF(global.value);
  }
}

int clearKernel(PyObject *self) {
  if (KernelData *data = asKernel(self)->data) {
    data->cache.clear();
    dropSpecializations(data->specializations);
    dropSpecializations(data->retired);
    dropWatched(*data);
    Py_CLEAR(data->launcher);
    if (data->tuner)
      data->tuner->clear();
  }
  return 0;
}

void destroyKernel(PyObject *self) {
  PyTypeObject *type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  clearKernel(self);
  if (KernelData *data = asKernel(self)->data) {
    for (Parameter &parameter : data->parameters) {
      Py_XDECREF(parameter.name);
      Py_XDECREF(parameter.defaultValue);
    }
    for (KeywordPlan &plan : data->plans)
      Py_XDECREF(plan.names);
    Py_XDECREF(data->preRunHooks);
    delete data;
  }
  type->tp_free(self);
  Py_DECREF(type);
}

/// _configure(name, rows): the parameters of the kernel, see readParameter.
PyObject *configure(PyObject *self, PyObject *args) {
  const char *name = nullptr;
  PyObject *rows = nullptr;
  if (!PyArg_ParseTuple(args, "sO!", &name, &PyList_Type, &rows))
    return nullptr;
  KernelData &data = *asKernel(self)->data;
  if (!data.parameters.empty() || PyList_GET_SIZE(rows) > Py_ssize_t(kMaxParameters)) {
    PyErr_Format(PyExc_ValueError, "a kernel has at most %zu parameters, which are set once", kMaxParameters);
    return nullptr;
  }
  data.name = name;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(rows); ++i) {
    Parameter parameter;
    bool read = readParameter(PyList_GET_ITEM(rows, i), parameter);
    if (parameter.name)
      data.parameters.push_back(parameter);
    if (!read)
      return nullptr;
  }
  Py_RETURN_NONE;
}

/// _forget(): compiled specialisations are not used again; the source has changed.
PyObject *forget(PyObject *self, PyObject *) {
  KernelData &data = *asKernel(self)->data;
  data.cache.clear();
  ++data.stamp;
  for (auto &specialization : data.specializations)
    data.retired.push_back(std::move(specialization));
  data.specializations.clear();
  Py_RETURN_NONE;
}

/// _compiled(): the CompiledKernels of the cache, oldest first.
PyObject *compiledKernels(PyObject *self, PyObject *) {
  KernelData &data = *asKernel(self)->data;
  PyObject *list = PyList_New(0);
  for (auto &specialization : data.specializations)
    if (list && PyList_Append(list, specialization->compiled) != 0)
      Py_CLEAR(list);
  return list;
}

/// _watch([(dictionary, name, value)]): launches fail when one of these globals has another value.
PyObject *watch(PyObject *self, PyObject *rows) {
  KernelData &data = *asKernel(self)->data;
  dropWatched(data);
  if (!PyList_Check(rows)) {
    PyErr_SetString(PyExc_TypeError, "_watch takes a list");
    return nullptr;
  }
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(rows); ++i) {
    WatchedGlobal global;
    if (!PyArg_ParseTuple(PyList_GET_ITEM(rows, i), "O!UO", &PyDict_Type, &global.dictionary, &global.name, &global.value))
      return nullptr;
    Py_INCREF(global.dictionary);
    Py_INCREF(global.name);
    Py_INCREF(global.value);
    data.watched.push_back(global);
  }
  Py_RETURN_NONE;
}

PyObject *hooksOf(PyObject *self, void *) {
  PyObject *hooks = asKernel(self)->data->preRunHooks;
  Py_INCREF(hooks);
  return hooks;
}

} // namespace

static std::string spelled(PyObject *object) {
  PyObject *text = PyObject_Str(object);
  const char *utf8 = text ? PyUnicode_AsUTF8(text) : nullptr;
  std::string result = utf8 ? utf8 : "?";
  Py_XDECREF(text);
  PyErr_Clear();
  return result;
}

bool readGrid(PyObject *object, const char *kernel, int32_t grid[3]) {
  grid[0] = grid[1] = grid[2] = 1;
  auto refuse = [&](const std::string &what) {
    setLaunchError(std::string(kernel) + ": the grid " + what, PyUnicode_InternFromString("grid"));
    return false;
  };
  PyObject *one[1] = {object};
  PyObject *const *items = one;
  Py_ssize_t count = 1;
  if (PyTuple_Check(object) || PyList_Check(object)) {
    count = PySequence_Fast_GET_SIZE(object);
    items = PySequence_Fast_ITEMS(object);
    if (count < 1 || count > 3)
      return refuse("has " + std::to_string(count) + " dimensions; it has 1 to 3" +
                    (count > 3 ? ": fold the others into one, and take it apart in the kernel" : ""));
  }
  for (Py_ssize_t i = 0; i < count; ++i) {
    PyObject *item = items[i];
    PyObject *converted = nullptr;
    if (!PyLong_Check(item)) {
      item = converted = PyNumber_Index(item); // NumPy's integers
      if (!item)
        return refuse(std::string("holds a ") + Py_TYPE(items[i])->tp_name +
                      "; it is a tuple of 1 to 3 integers, or a function that returns one");
    }
    int overflow = 0;
    long long value = PyLong_AsLongLongAndOverflow(item, &overflow);
    Py_XDECREF(converted);
    if (overflow || value < 0 || value > INT32_MAX)
      return refuse("has a dimension that is not between 0 and 2147483647: number " + std::to_string(i) + " is " + spelled(items[i]) +
                    "; compute it as triton.cdiv(n, BLOCK) of sizes that are not negative");
    grid[i] = int32_t(value);
  }
  return true;
}

bool addKernelTypes(PyObject *module) {
  static PyMemberDef launcherMembers[] = {
      {"__vectorcalloffset__", T_PYSSIZET, offsetof(LauncherObject, call), READONLY, nullptr}, {}};
  static PyMethodDef launcherMethods[] = {
      {"_bind", reinterpret_cast<PyCFunction>(reinterpret_cast<void *>(bindLaunch)), METH_FASTCALL | METH_KEYWORDS,
       "(CompiledKernel, block of parameters, grid) of the launch with these arguments, which is not run."},
      {}};
  static PyType_Slot launcherSlots[] = {
      {Py_tp_call, reinterpret_cast<void *>(PyVectorcall_Call)},
      {Py_tp_members, launcherMembers},
      {Py_tp_methods, launcherMethods},
      {Py_tp_traverse, reinterpret_cast<void *>(traverseLauncher)},
      {Py_tp_clear, reinterpret_cast<void *>(clearLauncher)},
      {Py_tp_dealloc, reinterpret_cast<void *>(destroyLauncher)},
      {Py_tp_doc, const_cast<char *>("kernel[grid]: call it with the kernel's arguments.")},
      {0, nullptr}};
  static PyType_Spec launcherSpec = {
      "triton_metal._core.Launcher", sizeof(LauncherObject), 0,
      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_DISALLOW_INSTANTIATION, launcherSlots};
  static PyMethodDef kernelMethods[] = {
      {"_tune", tune, METH_VARARGS, "Choose values for another kernel and launch that."},
      {"_forget_choices", forgetChoices, METH_NOARGS, "Ask again for every choice."},
      {"_configure", configure, METH_VARARGS, "Set the name and the parameters."},
      {"_forget", forget, METH_NOARGS, "Use no specialisation compiled so far again."},
      {"_watch", watch, METH_O, "Refuse launches once one of these globals has changed."},
      {"_compiled", compiledKernels, METH_NOARGS, "The compiled specialisations."},
      {}};
  static PyGetSetDef kernelProperties[] = {{"pre_run_hooks", hooksOf, nullptr, "Functions called before every launch.", nullptr},
                                           {"best_config", bestConfig, nullptr, "A tuner's configuration of the last launch.", nullptr},
                                           {}};
  static PyType_Slot kernelSlots[] = {
      {Py_tp_new, reinterpret_cast<void *>(newKernel)},
      {Py_mp_subscript, reinterpret_cast<void *>(subscript)},
      {Py_tp_methods, kernelMethods},
      {Py_tp_getset, kernelProperties},
      {Py_tp_traverse, reinterpret_cast<void *>(traverseKernel)},
      {Py_tp_clear, reinterpret_cast<void *>(clearKernel)},
      {Py_tp_dealloc, reinterpret_cast<void *>(destroyKernel)},
      {Py_tp_doc, const_cast<char *>("Base of JITFunction: binds, specialises and launches without Python code.")},
      {0, nullptr}};
  static PyType_Spec kernelSpec = {"triton_metal._core.KernelBase", sizeof(KernelObject), 0,
                                   Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE, kernelSlots};
  launcherType = reinterpret_cast<PyTypeObject *>(PyType_FromSpec(&launcherSpec));
  PyObject *kernelType = PyType_FromSpec(&kernelSpec);
  return launcherType && kernelType && PyModule_AddObject(module, "KernelBase", kernelType) == 0 &&
         PyModule_AddObjectRef(module, "Launcher", reinterpret_cast<PyObject *>(launcherType)) == 0;
}

} // namespace triton_metal::python
