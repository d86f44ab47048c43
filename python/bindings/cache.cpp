//===- cache.cpp - the disk cache, seen from Python --------------------------------===//
#include "Bindings.h"
#include "triton_metal/Launch/DiskCache.h"

#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>

namespace triton_metal::python {

void bindCache(nb::module_ &m) {
  nb::class_<DiskCache>(m, "DiskCache", "Compiled kernels on disk; entries are whole or absent.")
      .def(nb::init<std::string, uint64_t>(), nb::arg("directory"), nb::arg("limit_bytes") = 0)
      .def(
          "load",
          [](DiskCache &self, const std::string &key) -> nb::object {
            std::optional<CacheFiles> files = [&] {
              nb::gil_scoped_release release;
              return self.load(key);
            }();
            if (!files)
              return nb::none();
            nb::dict result;
            for (const auto &[name, bytes] : *files)
              result[name.c_str()] = nb::bytes(bytes.data(), bytes.size());
            return result;
          },
          nb::arg("key"), "The files of the entry, or None.")
      .def(
          "store",
          [](DiskCache &self, const std::string &key, nb::dict files) {
            CacheFiles contents;
            for (auto [name, bytes] : files) {
              nb::bytes data = nb::cast<nb::bytes>(bytes);
              contents.emplace_back(nb::cast<std::string>(name), std::string(data.c_str(), data.size()));
            }
            nb::gil_scoped_release release;
            return self.store(key, contents);
          },
          nb::arg("key"), nb::arg("files"), "Write an entry; the empty string, or why it could not be written.")
      .def("clear", &DiskCache::clear, nb::call_guard<nb::gil_scoped_release>(),
           "Remove all entries but those that are being written; the bytes that they had.")
      .def("path", [](const DiskCache &self, const std::string &key) { return self.pathOf(key); }, nb::arg("key"));
  m.def("cache_key", [](nb::bytes bytes) { return cacheKey(std::string_view(bytes.c_str(), bytes.size())); }, nb::arg("bytes"),
        "SHA-256 in base 32, as names of cache entries.");
}

} // namespace triton_metal::python
