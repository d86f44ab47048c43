//===- Shared.cpp - the driver of this process ---------------------------------------------------------------------------===//
//
// A Mac's GPU where there is one, else the software Metal, mapped when first used: it brings its own clang and LLVM.
//
//===--------------------------------------------------------------------------------------------------------------------===//
#include "triton_metal/Runtime/Metal/Driver.h"
#include "triton_metal/Runtime/Metal/MacMetal.h"
#include <dlfcn.h>
#include <mutex>

namespace triton_metal::metal {
namespace {

#ifdef __APPLE__
constexpr char libraryName[] = "libsoftmetal.dylib";
#else
constexpr char libraryName[] = "libsoftmetal.so";
#endif

/// The folder of the library or program that holds this function.
std::string ownFolder() {
  Dl_info info;
  if (!dladdr(reinterpret_cast<const void *>(&ownFolder), &info) || !info.dli_fname)
    return {};
  std::string path = info.dli_fname;
  size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash + 1);
}

const MetalCalls *loadSoftware(const std::string &path, std::string &error) {
  std::string names[] = {path, ownFolder() + libraryName, libraryName};
  for (const std::string &name : names) {
    if (name.empty())
      continue;
    // Local: LLVM's symbols of the two libraries must not meet.
    void *library = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) {
      error += std::string("\n  ") + dlerror();
      continue;
    }
    if (void *symbol = dlsym(library, "softmetalMetalCalls"))
      return reinterpret_cast<const MetalCalls *(*)()>(symbol)();
    error += "\n  " + name + " has no softmetalMetalCalls";
  }
  return nullptr;
}

} // namespace

Error Driver::shared(const std::string &softmetalPath, Driver *&driver) {
  static std::mutex mutex;
  static Driver *made = nullptr; // never destroyed: launches may end after static destructors
  std::lock_guard lock(mutex);
  if (made) {
    driver = made;
    return {};
  }
  std::unique_ptr<Driver> fresh;
#ifdef __APPLE__
  if (const MetalCalls *mac = macMetalCalls())
    if (!create(mac, fresh)) {
      driver = made = fresh.release();
      return {};
    }
#endif
  std::string tried;
  const MetalCalls *calls = loadSoftware(softmetalPath, tried);
  if (!calls)
    return {ErrorKind::NoDevice, "there is no Metal GPU, and the software Metal was not found:" + tried, {}};
  if (Error error = create(calls, fresh))
    return error;
  driver = made = fresh.release();
  return {};
}

} // namespace triton_metal::metal
