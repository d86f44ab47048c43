//===- CodeGen.h - LLVM dialect or LLVM IR to machine code ----------------------===//
//
// The input is vectorised already, so the pipeline over LLVM IR is short and has no vectoriser. Contexts and target machines are pooled;
// any number of threads may compile at once. Nothing here runs code: see Loader.h.
//
//===----------------------------------------------------------------------------===//
#pragma once
#include "triton_metal/Target/CPU/TargetSpec.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

#include <string>

namespace triton_metal::cpu {

enum class CodeKind {
  Object,   ///< relocatable ELF object
  Assembly, ///< text for `.asm["asm"]` and tests
  LLVMIR,   ///< text after our passes, for `.asm["llir"]`; accepted by compileLLVMIR
};

/// Makes the translation interfaces of the LLVM and builtin dialects known; call before the context compiles its first module.
void registerCodeGenDialects(mlir::DialectRegistry &);

/// Compiles a module of the LLVM dialect. Public functions become symbols of the object. On failure an error stands at the module.
mlir::LogicalResult compileModule(mlir::ModuleOp, const TargetSpec &, CodeKind, llvm::SmallVectorImpl<char> &out);

/// Both forms at once: `text` as of CodeKind::LLVMIR, and the object.
mlir::LogicalResult compileModule(mlir::ModuleOp, const TargetSpec &, llvm::SmallVectorImpl<char> &text,
                                  llvm::SmallVectorImpl<char> &object);

/// The same from LLVM IR text, which has been through our passes if it comes from CodeKind::LLVMIR (`optimise` false) or not.
/// On failure returns false and says why.
bool compileLLVMIR(llvm::StringRef text, const TargetSpec &, CodeKind, bool optimise, llvm::SmallVectorImpl<char> &out,
                   std::string &error);

} // namespace triton_metal::cpu
