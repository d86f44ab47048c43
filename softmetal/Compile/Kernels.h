// The kernels and function constants of a text, read from the AST, and their form in a module: !air.kernel and !air.function_constants.
#ifndef SOFTMETAL_COMPILE_KERNELS_H
#define SOFTMETAL_COMPILE_KERNELS_H

#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace clang {
class ASTContext;
class Decl;
class DiagnosticsEngine;
class FunctionDecl;
class MangleContext;
class NamedDecl;
class ParmVarDecl;
class SourceLocation;
class VarDecl;
} // namespace clang

namespace llvm {
class Module;
}

namespace softmetal {

struct KernelArgument {
  std::string kind;     // "buffer" or an id's name in Attributes.def
  std::string name, type;
  std::string constant; // name of the function constant that says whether the argument exists, or empty
  int index = -1;       // [[buffer(n)]], [[threadgroup(n)]]
  unsigned space = 0;   // of a buffer
  uint64_t size = 0, align = 0; // of what a buffer points to
  bool isReference = false, isReadOnly = false;
};

struct Kernel {
  std::string symbol;
  const clang::FunctionDecl *decl = nullptr;
  std::vector<KernelArgument> arguments;
  unsigned maxThreads = 0; // 0: not stated
};

struct FunctionConstant {
  std::string symbol, name, type;
  int index = 0;
  unsigned bytes = 0;
};

class KernelTable {
public:
  std::vector<Kernel> kernels;
  std::vector<FunctionConstant> constants;

  ~KernelTable();
  void start(clang::ASTContext &);
  // Takes in a declaration as soon as it is complete, checks it, and drops its attributes.
  void add(clang::Decl *);
  // Metadata of the module, and the constants' form in it.
  void write(llvm::Module &module, unsigned languageVersion) const;

private:
  clang::ASTContext *context = nullptr;
  std::unique_ptr<clang::MangleContext> mangler;

  std::string symbolOf(const clang::NamedDecl *) const;
  void addKernel(clang::FunctionDecl *);
  bool addArgument(Kernel &, const clang::ParmVarDecl *);
  void numberBuffers(Kernel &);
  void addConstant(clang::VarDecl *);
  // The integer argument of an attribute, at least 0 and at most `limit`, or -1 after an error.
  int integerOf(const clang::Decl *, llvm::StringRef attribute, int limit);
};

} // namespace softmetal

#endif
