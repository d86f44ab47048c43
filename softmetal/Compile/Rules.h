// What Metal forbids and clang's C++ allows.
#ifndef SOFTMETAL_COMPILE_RULES_H
#define SOFTMETAL_COMPILE_RULES_H

#include "softmetal/Compile/Compile.h"
#include "softmetal/Compile/Kernels.h"

namespace clang {
class ASTContext;
}

namespace softmetal {

inline constexpr uint64_t MaxThreadgroupBytes = 32768;

// Checks the declarations of a text (not those of the library) and reports errors at their places:
// casts that change the address space, stores to constant memory, double, functions without a body, program-scope variables outside the
// constant address space, and the parts of C++ that Metal leaves out (new, delete, goto, virtual, asm, thread_local).
void checkRules(clang::ASTContext &, llvm::ArrayRef<clang::Decl *> declarations);

// Threadgroup memory of each kernel, which is known once the module is made.
void checkThreadgroupMemory(const llvm::Module &, const KernelTable &, clang::DiagnosticsEngine &);

} // namespace softmetal

#endif
