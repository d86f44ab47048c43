// Diagnostics: clang's message in Metal's words, at the user's line and column.
#include "softmetal/Compile/Diagnostics.h"

#include "clang/Basic/SourceManager.h"

using namespace clang;
using llvm::StringRef;

namespace softmetal {

namespace {

// clang spells Metal's address spaces as OpenCL does, and types of 16 bits by its own names.
std::string inMetalWords(StringRef message) {
  static constexpr std::pair<StringRef, StringRef> words[] = {
      {"__global", "device"}, {"__local", "threadgroup"}, {"__constant", "constant"}, {"_Float16", "half"}, {"__bf16", "bfloat"},
      {"C++ for OpenCL version 2021", "Metal"}, {"C++ for OpenCL", "Metal"}, {"msl_", ""},
  };
  std::string text;
  while (!message.empty()) {
    bool found = false;
    for (auto [from, to] : words)
      if (message.consume_front(from)) {
        text += to;
        found = true;
        break;
      }
    if (!found) {
      text += message.front();
      message = message.drop_front();
    }
  }
  return text;
}

const char *name(Severity severity) {
  switch (severity) {
  case Severity::Note:
    return "note";
  case Severity::Warning:
    return "warning";
  case Severity::Error:
    return "error";
  }
  return "error";
}

} // namespace

void addDiagnostic(CompileResult &result, CompileDiagnostic diagnostic) {
  std::string &log = result.log;
  log += diagnostic.file;
  if (diagnostic.line)
    log += ":" + std::to_string(diagnostic.line) + ":" + std::to_string(diagnostic.column);
  log += std::string(": ") + name(diagnostic.severity) + ": " + diagnostic.message + "\n";
  if (diagnostic.line && !diagnostic.sourceLine.empty()) {
    log += diagnostic.sourceLine + "\n";
    for (unsigned i = 1; i < diagnostic.column && i <= diagnostic.sourceLine.size(); ++i)
      log += diagnostic.sourceLine[i - 1] == '\t' ? '\t' : ' ';
    log += "^\n";
  }
  result.diagnostics.push_back(std::move(diagnostic));
}

void DiagnosticCollector::HandleDiagnostic(DiagnosticsEngine::Level level, const Diagnostic &info) {
  DiagnosticConsumer::HandleDiagnostic(level, info);
  if (level == DiagnosticsEngine::Ignored || level == DiagnosticsEngine::Remark)
    return;
  CompileDiagnostic diagnostic;
  diagnostic.severity = level == DiagnosticsEngine::Note      ? Severity::Note
                        : level == DiagnosticsEngine::Warning ? Severity::Warning
                                                              : Severity::Error;
  llvm::SmallString<256> message;
  info.FormatDiagnostic(message);
  diagnostic.message = inMetalWords(message);
  if (info.hasSourceManager() && info.getLocation().isValid()) {
    const SourceManager &sources = info.getSourceManager();
    PresumedLoc place = sources.getPresumedLoc(sources.getExpansionLoc(info.getLocation()));
    if (place.isValid()) {
      diagnostic.file = place.getFilename();
      diagnostic.line = place.getLine();
      diagnostic.column = files.originalColumn(diagnostic.file, place.getLine(), place.getColumn());
      diagnostic.sourceLine = files.originalLine(diagnostic.file, place.getLine()).str();
    }
  }
  if (diagnostic.file.empty())
    diagnostic.file = "softmetal";
  addDiagnostic(result, std::move(diagnostic));
}

} // namespace softmetal
