//===- Messages.cpp - findings in words ----------------------------------------------------------------------------------===//
#include "softmetal/MetalCalls/Messages.h"
#include "llvm/Demangle/Demangle.h"
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace softmetal {
namespace {

constexpr uint32_t byRange = 4; ///< bit of FindingDetail::access: `buffer` counts registered memory, not arguments

uint32_t reportKind(Finding kind) {
  switch (kind) {
  case Finding::Bounds: return MetalReportBounds;
  case Finding::ThreadgroupBounds: return MetalReportThreadgroupBounds;
  case Finding::Race: return MetalReportRace;
  case Finding::DeviceRace: return MetalReportDeviceRace;
  case Finding::Uninitialised: return MetalReportUninitialised;
  case Finding::Divergence: return MetalReportDivergence;
  case Finding::InactiveLane: return MetalReportInactiveLane;
  case Finding::Uniform: return MetalReportUniform;
  case Finding::Alignment: return MetalReportAlignment;
  case Finding::Deadlock: return MetalReportDeadlock;
  case Finding::Timeout: return MetalReportTimeout;
  case Finding::StackOverflow: return MetalReportStackOverflow;
  case Finding::PrivateBounds: return MetalReportPrivateBounds;
  case Finding::Trap: return MetalReportTrap;
  }
  return 0;
}

const char *verb(uint32_t access) {
  if (access & accessAtomic)
    return access & accessWrite ? "atomic update" : "atomic load";
  return access & accessWrite ? "write" : "read";
}

std::string number(int64_t value) { return std::to_string(value); }
std::string hexadecimal(uint64_t value) {
  char text[32];
  snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

/// A declared threadgroup array, as the source calls it.
std::string nameOf(const ThreadgroupObject &object) {
  std::string name = llvm::demangle(object.name);
  size_t scope = name.rfind("::");
  return scope == std::string::npos ? name : name.substr(scope + 2);
}

/// The declared array that an offset of threadgroup memory lies in, or -1.
int32_t objectAt(const CompiledKernel &kernel, int64_t offset) {
  const std::vector<ThreadgroupObject> &objects = kernel.facts.objects;
  for (size_t i = 0; i < objects.size(); ++i)
    if (offset >= objects[i].begin && offset < objects[i].end)
      return static_cast<int32_t>(i);
  return -1;
}

/// `offset 12 of the threadgroup array tile`, or of threadgroup memory.
std::string threadgroupPlace(const CompiledKernel &kernel, int64_t offset) {
  if (int32_t index = objectAt(kernel, offset); index >= 0) {
    const ThreadgroupObject &object = kernel.facts.objects[static_cast<size_t>(index)];
    return "offset " + number(offset - object.begin) + " of the threadgroup array " + nameOf(object);
  }
  return "offset " + number(offset) + " of threadgroup memory";
}

/// The argument that a registered range is bound to, or -1.
int32_t argumentOf(const BufferRange &range, const LaunchArguments &arguments) {
  for (size_t i = 0; i < arguments.buffers.size(); ++i)
    if (arguments.buffers[i].address == range.address)
      return static_cast<int32_t>(i);
  return -1;
}

} // namespace

char *newMessage(const std::string &text) {
  auto copy = static_cast<char *>(malloc(text.size() + 1));
  memcpy(copy, text.c_str(), text.size() + 1);
  return copy;
}

MetalReport describe(const FindingDetail &finding, const CompiledKernel &kernel, const LaunchArguments &arguments,
                     const std::vector<BufferRange> &ranges) {
  const Site &site = kernel.facts.sites[finding.site], &other = kernel.facts.sites[finding.otherSite];
  MetalReport report{};
  report.kind = reportKind(finding.kind);
  report.line = site.line;
  report.column = site.column;
  report.otherLine = other.line;
  report.otherColumn = other.column;
  report.count = finding.count;
  report.offset = finding.offset;
  report.buffer = finding.buffer;
  std::copy(std::begin(finding.threadgroup), std::end(finding.threadgroup), report.threadgroup);
  std::string what, where = "device memory";
  if (finding.access & byRange) {
    report.buffer = -1;
    if (finding.buffer >= 0) {
      report.buffer = argumentOf(ranges[static_cast<size_t>(finding.buffer)], arguments);
      where = report.buffer >= 0 ? "buffer(" + number(report.buffer) + ")" : "registered array " + number(finding.buffer);
      if (report.buffer < 0) {
        report.address = reinterpret_cast<uint64_t>(ranges[static_cast<size_t>(finding.buffer)].address);
        strncpy(report.array, where.c_str(), sizeof report.array - 1);
      }
    }
  } else if (finding.buffer >= 0)
    where = "buffer(" + number(finding.buffer) + ")";
  switch (finding.kind) {
  case Finding::Bounds:
    what = std::string(verb(finding.access)) + " of " + number(finding.bytes) + " bytes ";
    if (finding.buffer >= 0)
      what += "at offset " + number(finding.offset) + " of " + where + ", which has " + number(int64_t(finding.length)) + " bytes";
    else
      what += "outside every buffer that is bound or resident (a GPU reads zeros there)";
    break;
  case Finding::ThreadgroupBounds:
    what = std::string(verb(finding.access)) + " of " + number(finding.bytes) + " bytes at offset " + number(finding.offset);
    if (finding.buffer >= 0 && static_cast<size_t>(finding.buffer) < kernel.facts.objects.size())
      what += " of the threadgroup array " + nameOf(kernel.facts.objects[static_cast<size_t>(finding.buffer)]) + ", which has " +
              number(int64_t(finding.length)) + " bytes";
    else
      what += " of threadgroup memory, outside every array in it";
    report.buffer = -1;
    break;
  case Finding::Race:
  case Finding::DeviceRace:
    what = std::string(verb(finding.access)) + " of " +
           (finding.kind == Finding::Race ? threadgroupPlace(kernel, finding.offset) : where + " at offset " + number(finding.offset)) +
           " races with the " + verb(finding.otherAccess) + " at " + other.text;
    if (finding.kind == Finding::Race)
      report.buffer = objectAt(kernel, finding.offset);
    break;
  case Finding::Uninitialised:
    what = threadgroupPlace(kernel, finding.offset) + " is read before this threadgroup wrote it";
    report.buffer = objectAt(kernel, finding.offset);
    break;
  case Finding::Divergence:
    what = finding.otherSite ? "lanes of one threadgroup wait at different barriers; the other is at " + other.text
                             : "SIMD operation that not all live lanes of the SIMD-group reach";
    break;
  case Finding::InactiveLane:
    what = "value of lane " + number(finding.offset) + ", which is not active or does not exist";
    break;
  case Finding::Uniform:
    what = "a value that was promised to be uniform differs between the lanes of a SIMD-group";
    break;
  case Finding::Alignment:
    what = "access at offset " + number(finding.offset) + " needs an alignment of " + number(finding.bytes);
    break;
  case Finding::Deadlock:
    what = "lanes wait for others that will not come";
    if (finding.otherSite)
      what += "; some wait at " + other.text;
    break;
  case Finding::Timeout: what = "the time limit passed in this loop"; break;
  case Finding::PrivateBounds:
    what = std::string(verb(finding.access)) + " of " + number(finding.bytes) + " bytes at offset " + number(finding.offset) +
           " of an array in thread memory, which has " + number(int64_t(finding.length)) + " bytes";
    report.buffer = -1;
    break;
  case Finding::Trap:
    if (finding.access == SIGFPE)
      what = "integer division by zero, or a quotient that does not fit";
    else if (finding.access == SIGILL)
      what = "an instruction that the processor does not have: the kernel reached code that it must not reach";
    else
      what = "memory access outside every buffer, near the address " + hexadecimal(static_cast<uint64_t>(finding.offset)) +
             "; a checked run names the line";
    report.buffer = -1;
    break;
  case Finding::StackOverflow:
    what = finding.access ? "a lane needs more stack than it has" : "no memory for the lanes' stacks";
    break;
  }
  std::string text = std::string(findingName(finding.kind)) + ": " + (site.text.empty() ? kernel.name : site.text) + ": " + what +
                     " (thread " + number(finding.lane) + " of threadgroup " + number(finding.threadgroup[0]) + "," +
                     number(finding.threadgroup[1]) + "," + number(finding.threadgroup[2]) + "; " + number(int64_t(finding.count)) +
                     (finding.count == 1 ? " time" : " times") + ")";
  strncpy(report.kernel, kernel.name.c_str(), sizeof report.kernel - 1);
  strncpy(report.message, text.c_str(), sizeof report.message - 1);
  return report;
}

} // namespace softmetal
