//===- Metallib.cpp - reader of the .metallib container -----------------------------------------------------------------===//
#include "softmetal/Load/Metallib.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/Endian.h"
#include <cstring>

using namespace llvm;
using namespace llvm::support;

namespace softmetal {
namespace {

constexpr size_t headerBytes = 0x58;

/// A cursor over part of the file that refuses to run past its end: a failed read yields zeros and clears `ok`.
class Cursor {
public:
  Cursor(StringRef bytes, uint64_t begin, uint64_t end) : bytes(bytes), at(begin), end(end) {
    ok = begin <= end && end <= bytes.size();
  }
  template <class T> T number() {
    StringRef field = take(sizeof(T));
    return ok ? endian::read<T, endianness::little>(field.data()) : T(0);
  }
  StringRef take(uint64_t length) {
    if (!ok || length > end - at) {
      ok = false;
      return {};
    }
    StringRef field = bytes.substr(at, length);
    at += length;
    return field;
  }
  bool ok = true;
  uint64_t position() const { return at; }

private:
  StringRef bytes;
  uint64_t at, end;
};

} // namespace

bool Metallib::parse(StringRef bytes, std::string &error) {
  auto refuse = [&](const Twine &why) {
    error = ("not a readable metallib: " + why).str();
    return false;
  };
  if (bytes.size() < headerBytes || !bytes.starts_with("MTLB"))
    return refuse("no MTLB header");
  Cursor header(bytes, 4, headerBytes);
  header.number<uint16_t>(); // platform
  header.number<uint16_t>(); // container major and minor
  header.number<uint16_t>();
  header.number<uint8_t>(); // type
  header.number<uint8_t>(); // os
  osMajor = header.number<uint16_t>();
  osMinor = header.number<uint16_t>();
  if (uint64_t size = header.number<uint64_t>(); size != bytes.size())
    return refuse("its header says " + Twine(size) + " bytes, the file has " + Twine(bytes.size()));
  struct Section {
    uint64_t offset, size;
  } section[4]; // function list, public metadata, private metadata, bitcode
  for (Section &part : section) {
    part.offset = header.number<uint64_t>();
    part.size = header.number<uint64_t>();
    if (part.offset > bytes.size() || part.size > bytes.size() - part.offset)
      return refuse("a section lies outside the file");
  }
  StringRef code = bytes.substr(section[3].offset, section[3].size);

  Cursor cursor(bytes, section[0].offset, bytes.size());
  uint32_t count = cursor.number<uint32_t>();
  for (uint32_t index = 0; index < count; ++index) {
    uint64_t begin = cursor.position();
    uint32_t size = cursor.number<uint32_t>();
    MetallibFunction function;
    uint64_t offset = 0, length = 0;
    for (;;) {
      StringRef tag = cursor.take(4);
      if (!cursor.ok)
        return refuse("function " + Twine(index) + " is cut off");
      if (tag == "ENDT")
        break;
      uint64_t payload = cursor.number<uint16_t>();
      uint64_t at = cursor.position();
      StringRef field = cursor.take(payload);
      if (!cursor.ok)
        return refuse("function " + Twine(index) + " is cut off");
      Cursor value(bytes, at, at + payload);
      if (tag == "NAME")
        function.name = field.take_until([](char c) { return c == 0; }).str();
      else if (tag == "TYPE")
        function.type = value.number<uint8_t>();
      else if (tag == "HASH" && payload == function.hash.size())
        memcpy(function.hash.data(), field.data(), payload);
      else if (tag == "OFFT") {
        value.take(16); // into the public and private metadata
        offset = value.number<uint64_t>();
      } else if (tag == "VERS") {
        function.airMajor = value.number<uint16_t>();
        function.airMinor = value.number<uint16_t>();
        function.languageMajor = value.number<uint16_t>();
        function.languageMinor = value.number<uint16_t>();
      } else if (tag == "MDSZ")
        length = value.number<uint64_t>();
      if (!value.ok)
        return refuse("field " + tag + " of function " + Twine(index) + " is cut off");
    }
    if (cursor.position() != begin + size)
      return refuse("function " + Twine(index) + " does not end where it says");
    if (offset > code.size() || length > code.size() - offset)
      return refuse("the bitcode of " + function.name + " lies outside its section");
    function.bitcode = code.substr(offset, length);
    byName.try_emplace(function.name, list.size());
    list.push_back(std::move(function));
  }
  return true;
}

const MetallibFunction *Metallib::find(StringRef name) const {
  auto it = byName.find(name);
  return it == byName.end() ? nullptr : &list[it->second];
}

} // namespace softmetal
