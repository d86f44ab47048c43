//===- Loader.cpp - objects in memory become callable code ----------------------===//
//
// JITLink without ORC: no session, no threads, no lookup by dlsym. One object is one graph; its external symbols come from the tables.
//
//===----------------------------------------------------------------------------===//
#include "triton_metal/Target/CPU/Loader.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/ExecutionEngine/JITLink/JITLink.h"
#include "llvm/Support/MemoryBuffer.h"

namespace jitlink = llvm::jitlink;
using namespace triton_metal::cpu;

namespace {

/// What all loaded code shares. Never destroyed: code may be dropped while the process exits.
struct Linker {
  std::shared_ptr<llvm::orc::SymbolStringPool> names = std::make_shared<llvm::orc::SymbolStringPool>();
  std::unique_ptr<jitlink::InProcessMemoryManager> memory;
  std::string error;

  Linker() {
    if (auto made = jitlink::InProcessMemoryManager::Create())
      memory = std::move(*made);
    else
      error = llvm::toString(made.takeError());
  }
  static Linker &get() {
    static Linker *linker = new Linker;
    return *linker;
  }
};

} // namespace

struct LoadedCode::Impl {
  jitlink::JITLinkMemoryManager::FinalizedAlloc memory;
  llvm::StringMap<void *> symbols;
  bool linked = false;
};

namespace {

/// One link. JITLink owns it and calls back before `link` returns, as nothing here is asynchronous.
class Link final : public jitlink::JITLinkContext {
public:
  Link(std::span<const RuntimeSymbol> extra, llvm::StringMap<void *> &symbols,
       jitlink::JITLinkMemoryManager::FinalizedAlloc &memory, bool &linked, std::string &error)
      : JITLinkContext(nullptr), extra(extra), symbols(symbols), memory(memory), linked(linked), error(error) {}

  jitlink::JITLinkMemoryManager &getMemoryManager() override { return *Linker::get().memory; }

  void notifyFailed(llvm::Error failure) override { error = llvm::toString(std::move(failure)); }

  void lookup(const LookupMap &wanted, std::unique_ptr<jitlink::JITLinkAsyncLookupContinuation> proceed) override {
    jitlink::AsyncLookupResult found;
    for (const auto &[name, flags] : wanted) {
      const void *address = find(*name);
      if (!address && flags == jitlink::SymbolLookupFlags::RequiredSymbol)
        return proceed->run(llvm::createStringError("compiled code calls '" + *name + "', which the CPU runtime does not provide"));
      found[name] = {llvm::orc::ExecutorAddr::fromPtr(const_cast<void *>(address)), llvm::JITSymbolFlags::Exported};
    }
    proceed->run(std::move(found));
  }

  llvm::Error notifyResolved(jitlink::LinkGraph &graph) override {
    for (jitlink::Symbol *symbol : graph.defined_symbols())
      if (symbol->hasName() && symbol->getScope() == jitlink::Scope::Default)
        symbols[*symbol->getName()] = symbol->getAddress().toPtr<void *>();
    return llvm::Error::success();
  }

  void notifyFinalized(jitlink::JITLinkMemoryManager::FinalizedAlloc alloc) override {
    memory = std::move(alloc);
    linked = true;
  }

private:
  const void *find(llvm::StringRef name) const {
    for (std::span<const RuntimeSymbol> table : {extra, runtimeSymbols()})
      for (const RuntimeSymbol &symbol : table)
        if (name == llvm::StringRef(symbol.name))
          return symbol.address;
    return nullptr;
  }

  std::span<const RuntimeSymbol> extra;
  llvm::StringMap<void *> &symbols;
  jitlink::JITLinkMemoryManager::FinalizedAlloc &memory;
  bool &linked;
  std::string &error;
};

} // namespace

LoadedCode::LoadedCode(std::unique_ptr<Impl> impl) : impl(std::move(impl)) {}

LoadedCode::~LoadedCode() {
  if (impl->linked)
    llvm::consumeError(Linker::get().memory->deallocate(std::move(impl->memory)));
}

std::unique_ptr<LoadedCode> LoadedCode::load(std::string_view object, std::span<const RuntimeSymbol> extra, std::string &error) {
  Linker &linker = Linker::get();
  if (!linker.memory) {
    error = linker.error;
    return nullptr;
  }
  auto graph = jitlink::createLinkGraphFromObject(llvm::MemoryBufferRef(llvm::StringRef(object), "kernel"), linker.names);
  if (!graph) {
    error = llvm::toString(graph.takeError());
    return nullptr;
  }
  auto impl = std::make_unique<Impl>();
  error.clear();
  jitlink::link(std::move(*graph), std::make_unique<Link>(extra, impl->symbols, impl->memory, impl->linked, error));
  if (!impl->linked) {
    if (error.empty())
      error = "the object could not be linked";
    return nullptr;
  }
  return std::unique_ptr<LoadedCode>(new LoadedCode(std::move(impl)));
}

void *LoadedCode::symbol(std::string_view name) const { return impl->symbols.lookup(llvm::StringRef(name)); }
