//===- Guard.cpp - diagnostics, crashes and reproducers as values -----------------===//
#include "triton_metal/Compiler/Guard.h"
#include "triton_metal/Support/Unsupported.h"

#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <csignal>
#include <cstdlib>
#include <mutex>

using namespace mlir;

namespace triton_metal {

SourceLocation toSourceLocation(Location location) {
  SourceLocation result;
  location->walk([&](Location loc) {
    if (auto file = dyn_cast<FileLineColLoc>(loc)) {
      result = {file.getFilename().str(), file.getLine(), file.getColumn()};
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return result;
}

//===----------------------------------------------------------------------===//
// Diagnostics
//===----------------------------------------------------------------------===//

DiagnosticCapture::DiagnosticCapture(MLIRContext *context)
    : handler(context, [this](Diagnostic &diagnostic) {
        handle(diagnostic);
        return success();
      }) {}

static std::string metadataString(const DiagnosticArgument &argument) {
  if (argument.getKind() != DiagnosticArgument::DiagnosticArgumentKind::Attribute)
    return {};
  auto text = dyn_cast<StringAttr>(argument.getAsAttribute());
  return text ? text.str() : std::string();
}

static int64_t metadataInteger(const DiagnosticArgument &argument) {
  if (argument.getKind() != DiagnosticArgument::DiagnosticArgumentKind::Attribute)
    return 0;
  auto value = dyn_cast<IntegerAttr>(argument.getAsAttribute());
  return value ? value.getInt() : 0;
}

void DiagnosticCapture::handle(Diagnostic &diagnostic) {
  auto &metadata = diagnostic.getMetadata();
  if (diagnostic.getSeverity() == DiagnosticSeverity::Warning && metadata.size() == 1 &&
      metadataString(metadata[0]) == kLayoutHintMetadata)
    hints.push_back({diagnostic.str(), toSourceLocation(diagnostic.getLocation())});
  if (diagnostic.getSeverity() != DiagnosticSeverity::Error || first)
    return;
  Error error;
  error.kind = Error::Kind::Invalid;
  error.message = diagnostic.str();
  error.where = toSourceLocation(diagnostic.getLocation());
  for (Diagnostic &note : diagnostic.getNotes())
    error.notes.push_back(note.str());
  if (metadata.size() == 5 && metadataString(metadata[0]) == kUnsupportedMetadata) {
    error.kind = Error::Kind::Unsupported;
    error.op = metadataString(metadata[1]);
    error.device = metadataString(metadata[2]);
    error.reason = metadataString(metadata[3]);
    error.remedy = metadataString(metadata[4]);
  } else if (metadata.size() == 5 && metadataString(metadata[0]) == kResourcesMetadata) {
    error.kind = Error::Kind::Resources;
    error.resource = metadataString(metadata[1]);
    error.required = metadataInteger(metadata[2]);
    error.limit = metadataInteger(metadata[3]);
    error.remedy = metadataString(metadata[4]);
  }
  first = std::move(error);
}

Error DiagnosticCapture::take(Error::Kind kind, std::string fallback) {
  Error error;
  if (first)
    error = std::move(*first);
  else
    error.message = std::move(fallback);
  if (error.kind != Error::Kind::Unsupported && error.kind != Error::Kind::Resources)
    error.kind = kind;
  first.reset();
  return error;
}

//===----------------------------------------------------------------------===//
// Crashes
//===----------------------------------------------------------------------===//

namespace {

thread_local std::string fatalMessage;

/// LLVM's handler of fatal errors: unwinds to the recovery point of this thread. Without one the default applies.
void onFatalError(void *, const char *reason, bool) {
  fatalMessage = reason;
  if (llvm::CrashRecoveryContext *current = llvm::CrashRecoveryContext::GetCurrent())
    current->HandleExit(SIGABRT + 128);
}

/// LLVM's signal handlers are installed only while some thread compiles: outside, faults belong to Python and the user.
class RecoveryScope {
public:
  RecoveryScope() {
    std::lock_guard lock(mutex());
    if (users()++ == 0) {
      llvm::CrashRecoveryContext::Enable();
      llvm::install_fatal_error_handler(onFatalError);
    }
  }
  ~RecoveryScope() {
    std::lock_guard lock(mutex());
    if (--users() == 0) {
      llvm::remove_fatal_error_handler();
      llvm::CrashRecoveryContext::Disable();
    }
  }

private:
  static std::mutex &mutex() {
    static std::mutex instance;
    return instance;
  }
  static unsigned &users() {
    static unsigned count = 0;
    return count;
  }
};

} // namespace

std::optional<Crash> runGuarded(llvm::function_ref<void()> work) {
  RecoveryScope scope;
  llvm::CrashRecoveryContext recovery;
  fatalMessage.clear();
  if (recovery.RunSafely(work))
    return std::nullopt;
  if (!fatalMessage.empty())
    return Crash{"fatal error: " + fatalMessage};
  int signal = recovery.RetCode > 128 ? recovery.RetCode - 128 : recovery.RetCode;
  return Crash{"the compiler crashed (signal " + std::to_string(signal) + ")"};
}

std::string writeReproducer(llvm::StringRef kernel, llvm::StringRef pipeline, llvm::StringRef text) {
  llvm::SmallString<128> pattern;
  if (const char *directory = std::getenv("TRITON_REPRODUCER_PATH"); directory && *directory)
    pattern = directory;
  else
    llvm::sys::path::system_temp_directory(/*ErasedOnReboot=*/true, pattern);
  llvm::sys::path::append(pattern, "triton-metal-" + (kernel.empty() ? "module" : kernel) + "-%%%%%%.ttir");
  int descriptor = -1;
  llvm::SmallString<128> path;
  if (llvm::sys::fs::createUniqueFile(pattern, descriptor, path))
    return {};
  llvm::raw_fd_ostream os(descriptor, /*shouldClose=*/true);
  os << "// Reproduce with: triton-metal-opt " << pipeline << " " << path << "\n" << text << "\n";
  return os.has_error() ? (os.clear_error(), std::string()) : path.str().str();
}

} // namespace triton_metal
