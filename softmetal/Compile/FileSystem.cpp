// Files of memory and disk. A file of an include directory is read and rewritten once a compilation, when clang first asks for it.
#include "softmetal/Compile/FileSystem.h"

#include "llvm/Support/MemoryBuffer.h"

using llvm::StringRef;

namespace softmetal {

MetalFileSystem::MetalFileSystem()
    : ProxyFileSystem(llvm::vfs::getRealFileSystem()), memory(llvm::makeIntrusiveRefCnt<llvm::vfs::InMemoryFileSystem>()) {
  for (auto &[name, text] : libraryHeaders())
    memory->addFile(HeaderDir + "/" + name, 0, llvm::MemoryBuffer::getMemBuffer(text, name));
}

void MetalFileSystem::addPrelude(StringRef bytes) {
  memory->addFile(PreludePath, 0, llvm::MemoryBuffer::getMemBuffer(bytes, PreludePath, /*RequiresNullTerminator=*/false));
}

StringRef MetalFileSystem::addMain(StringRef name, StringRef text) {
  SourceFile &file = sources[name];
  file.original = text.str();
  file.rewritten = rewriteMetal(file.original);
  return file.rewritten.text;
}

bool MetalFileSystem::inMemory(const llvm::Twine &twine) {
  llvm::SmallString<256> storage;
  StringRef path = twine.toStringRef(storage);
  if (path == "/softmetal" || path.starts_with("/softmetal/") || sources.contains(path))
    return true;
  auto status = getUnderlyingFS().status(path);
  if (!status || !status->isRegularFile())
    return false;
  auto buffer = getUnderlyingFS().getBufferForFile(path);
  if (!buffer)
    return false;
  SourceFile &file = sources[path];
  file.original = (*buffer)->getBuffer().str();
  file.rewritten = rewriteMetal(file.original);
  memory->addFile(path, 0, llvm::MemoryBuffer::getMemBuffer(file.rewritten.text, path));
  return true;
}

llvm::ErrorOr<llvm::vfs::Status> MetalFileSystem::status(const llvm::Twine &path) {
  return inMemory(path) ? memory->status(path) : getUnderlyingFS().status(path);
}

llvm::ErrorOr<std::unique_ptr<llvm::vfs::File>> MetalFileSystem::openFileForRead(const llvm::Twine &path) {
  return inMemory(path) ? memory->openFileForRead(path) : getUnderlyingFS().openFileForRead(path);
}

unsigned MetalFileSystem::originalColumn(StringRef file, unsigned line, unsigned column) const {
  auto found = sources.find(file);
  return found == sources.end() ? column : found->second.rewritten.column(line, column);
}

StringRef MetalFileSystem::originalLine(StringRef file, unsigned line) const {
  StringRef text;
  if (auto found = sources.find(file); found != sources.end()) {
    text = found->second.original;
  } else if (file.consume_front(HeaderDir) && file.consume_front("/")) {
    for (auto &[name, header] : libraryHeaders())
      if (file == name)
        text = header;
  }
  for (; line > 1 && !text.empty(); --line)
    text = text.split('\n').second;
  return text.split('\n').first.rtrim('\r');
}

} // namespace softmetal
