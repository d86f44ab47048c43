// The files that clang sees: the library's headers from memory, the user's text, and the include directories, read through the rewriter.
#ifndef SOFTMETAL_COMPILE_FILESYSTEM_H
#define SOFTMETAL_COMPILE_FILESYSTEM_H

#include "softmetal/Compile/Reader.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/IntrusiveRefCntPtr.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/VirtualFileSystem.h"

#include <utility>

namespace softmetal {

// Where the library lies in the file system that clang sees. No such path exists on disk.
inline constexpr llvm::StringLiteral HeaderDir = "/softmetal/include";
inline constexpr llvm::StringLiteral PreludePath = "/softmetal/prelude.pch";

// The library's headers: name and text. Generated from softmetal/include.
llvm::ArrayRef<std::pair<llvm::StringRef, llvm::StringRef>> libraryHeaders();

class MetalFileSystem : public llvm::vfs::ProxyFileSystem {
public:
  MetalFileSystem();

  // `bytes` must outlive the file system.
  void addPrelude(llvm::StringRef bytes);
  // The user's text. Returns what clang must be given.
  llvm::StringRef addMain(llvm::StringRef name, llvm::StringRef text);

  // The line as its author wrote it, and the column there, for a place in what clang read.
  unsigned originalColumn(llvm::StringRef file, unsigned line, unsigned column) const;
  llvm::StringRef originalLine(llvm::StringRef file, unsigned line) const;

  llvm::ErrorOr<llvm::vfs::Status> status(const llvm::Twine &path) override;
  llvm::ErrorOr<std::unique_ptr<llvm::vfs::File>> openFileForRead(const llvm::Twine &path) override;

private:
  struct SourceFile {
    std::string original;
    Rewritten rewritten;
  };
  llvm::IntrusiveRefCntPtr<llvm::vfs::InMemoryFileSystem> memory;
  llvm::StringMap<SourceFile> sources;

  // True if the path is served from memory, after reading and rewriting it if need be.
  bool inMemory(const llvm::Twine &path);
};

} // namespace softmetal

#endif
