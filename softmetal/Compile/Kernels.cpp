// Reading kernels from the AST. Contract: every parameter of a kernel is a buffer in a named address space or an id, indices are unique and
// below Metal's limit of 31; anything else is an error at the parameter.
#include "softmetal/Compile/Kernels.h"

#include "softmetal/Compile/Attributes.h"
#include "softmetal/Compile/Target.h"

#include "clang/AST/ASTContext.h"
#include "clang/AST/Attr.h"
#include "clang/AST/GlobalDecl.h"
#include "clang/AST/Mangle.h"
#include "llvm/ADT/SmallBitVector.h"

using namespace clang;
using llvm::StringRef;

namespace softmetal {

namespace {

constexpr int MaxBuffers = 31, MaxThreads = 1024, MaxConstantIndex = 65535;

struct IdRow {
  llvm::StringLiteral name;
  unsigned components;
};
constexpr IdRow ids[] = {
#define MSL_ID(NAME, COMPONENTS) {#NAME, COMPONENTS},
#include "softmetal/Compile/Attributes.def"
};

// uint and ushort, alone or as a vector of at most `components`.
bool isIdType(QualType type, unsigned components) {
  if (auto *vector = type->getAs<ExtVectorType>()) {
    if (vector->getNumElements() > components)
      return false;
    type = vector->getElementType();
  }
  return type->isSpecificBuiltinType(BuiltinType::UInt) || type->isSpecificBuiltinType(BuiltinType::UShort);
}

// The name of a type as Metal has it: "uint3", "mlx::steel::GEMMParams".
std::string typeName(QualType type, const ASTContext &context) {
  type = type.getUnqualifiedType();
  if (auto *vector = type->getAs<ExtVectorType>())
    return typeName(vector->getElementType(), context) + std::to_string(vector->getNumElements());
  if (auto *builtin = type->getAs<BuiltinType>())
    switch (builtin->getKind()) {
    case BuiltinType::UChar:
      return "uchar";
    case BuiltinType::UShort:
      return "ushort";
    case BuiltinType::UInt:
      return "uint";
    case BuiltinType::ULong:
      return "ulong";
    case BuiltinType::SChar:
      return "char";
    case BuiltinType::Float16:
      return "half";
    case BuiltinType::BFloat16:
      return "bfloat";
    default:
      break;
    }
  PrintingPolicy policy = context.getPrintingPolicy();
  policy.SuppressTagKeyword = true;
  return type.getCanonicalType().getAsString(policy);
}

} // namespace

KernelTable::~KernelTable() = default;

void KernelTable::start(ASTContext &astContext) {
  context = &astContext;
  mangler.reset(astContext.createMangleContext());
}

std::string KernelTable::symbolOf(const NamedDecl *decl) const {
  if (auto *label = decl->getAttr<AsmLabelAttr>())
    return label->getLabel().str();
  if (!mangler->shouldMangleDeclName(decl))
    return decl->getNameAsString();
  std::string name;
  llvm::raw_string_ostream stream(name);
  mangler->mangleName(GlobalDecl(cast<ValueDecl>(decl)), stream);
  return name;
}

void KernelTable::add(Decl *decl) {
  if (auto *function = dyn_cast<FunctionDecl>(decl)) {
    if (function->isThisDeclarationADefinition() && !function->isDependentContext() && !function->getDescribedFunctionTemplate() &&
        findAttribute(function, "kernel")) {
      addKernel(function);
      for (ParmVarDecl *parameter : function->parameters())
        dropAttributes(parameter);
      dropAttributes(function);
    }
  } else if (auto *variable = dyn_cast<VarDecl>(decl)) {
    if (findAttribute(variable, "function_constant")) {
      addConstant(variable);
      dropAttributes(variable);
    }
  } else if (auto *scope = dyn_cast<NamespaceDecl>(decl)) {
    for (Decl *inner : scope->decls())
      add(inner);
  } else if (auto *linkage = dyn_cast<LinkageSpecDecl>(decl)) {
    for (Decl *inner : linkage->decls())
      add(inner);
  }
}

int KernelTable::integerOf(const Decl *decl, StringRef name, int limit) {
  const AnnotateAttr *attribute = findAttribute(decl, name);
  const Expr *expression = *attribute->args_begin();
  if (auto *constant = dyn_cast<ConstantExpr>(expression))
    expression = constant->getSubExpr();
  std::optional<llvm::APSInt> value;
  if (!expression->isValueDependent())
    value = expression->getIntegerConstantExpr(*context);
  DiagnosticsEngine &diagnostics = context->getDiagnostics();
  if (!value) {
    unsigned id = diagnostics.getCustomDiagID(DiagnosticsEngine::Error, "'%0' attribute requires an integer constant");
    diagnostics.Report(expression->getExprLoc(), id) << name;
    return -1;
  }
  if (*value < 0 || *value > limit) {
    unsigned id = diagnostics.getCustomDiagID(DiagnosticsEngine::Error,
                                              "'%0' attribute parameter is out of bounds: must be between 0 and %1");
    diagnostics.Report(expression->getExprLoc(), id) << name << limit;
    return -1;
  }
  return int(value->getExtValue());
}

void KernelTable::addKernel(FunctionDecl *function) {
  DiagnosticsEngine &diagnostics = context->getDiagnostics();
  Kernel kernel;
  kernel.symbol = symbolOf(function);
  kernel.decl = function;
  if (!function->getReturnType()->isVoidType()) {
    unsigned id = diagnostics.getCustomDiagID(DiagnosticsEngine::Error, "kernel must have void return type");
    diagnostics.Report(function->getLocation(), id);
    return;
  }
  if (findAttribute(function, "max_total_threads_per_threadgroup")) {
    int threads = integerOf(function, "max_total_threads_per_threadgroup", MaxThreads);
    kernel.maxThreads = threads > 0 ? threads : 0;
  }
  bool good = true;
  for (const ParmVarDecl *parameter : function->parameters())
    good &= addArgument(kernel, parameter);
  if (!good)
    return;
  numberBuffers(kernel);
  kernels.push_back(std::move(kernel));
}

bool KernelTable::addArgument(Kernel &kernel, const ParmVarDecl *parameter) {
  DiagnosticsEngine &diagnostics = context->getDiagnostics();
  KernelArgument argument;
  argument.name = parameter->getNameAsString();
  QualType type = parameter->getType();
  if (type->isPointerType() || type->isReferenceType()) {
    QualType pointee = type->getPointeeType();
    LangAS space = pointee.getAddressSpace();
    argument.kind = "buffer";
    argument.isReference = type->isReferenceType();
    argument.isReadOnly = pointee.isConstQualified() || space == LangAS::opencl_constant;
    argument.space = context->getTargetAddressSpace(space);
    argument.type = typeName(pointee, *context);
    if (argument.space == space::Thread) {
      unsigned id = diagnostics.getCustomDiagID(
          DiagnosticsEngine::Error, "%select{pointer|reference}0 parameter of a kernel must be in the 'device', 'constant' or "
                                    "'threadgroup' address space");
      diagnostics.Report(parameter->getLocation(), id) << argument.isReference;
      return false;
    }
    if (!pointee->isIncompleteType() && !pointee->isVoidType()) {
      argument.size = context->getTypeSizeInChars(pointee).getQuantity();
      argument.align = context->getTypeAlignInChars(pointee).getQuantity();
    }
    StringRef index = argument.space == space::Threadgroup ? "threadgroup" : "buffer";
    StringRef other = argument.space == space::Threadgroup ? "buffer" : "threadgroup";
    if (findAttribute(parameter, other)) {
      unsigned id = diagnostics.getCustomDiagID(DiagnosticsEngine::Error,
                                                "'%0' attribute cannot be applied to a parameter in the '%1' address space");
      diagnostics.Report(parameter->getLocation(), id) << other << addressSpaceName(space);
      return false;
    }
    if (findAttribute(parameter, index) && (argument.index = integerOf(parameter, index, MaxBuffers - 1)) < 0)
      return false;
    if (auto *attribute = findAttribute(parameter, "function_constant"))
      argument.constant = attribute->getAnnotation().rsplit(':').second.str();
    kernel.arguments.push_back(std::move(argument));
    return true;
  }
  argument.type = typeName(type, *context);
  for (const IdRow &row : ids) {
    if (!findAttribute(parameter, row.name))
      continue;
    if (!isIdType(type, row.components)) {
      unsigned id = diagnostics.getCustomDiagID(
          DiagnosticsEngine::Error, "invalid type '%0' of a parameter with attribute '%1': must be uint or ushort%select{, or a vector of "
                                    "2 or 3 of them|}2");
      diagnostics.Report(parameter->getLocation(), id) << argument.type << row.name << (row.components == 1);
      return false;
    }
    argument.kind = row.name.str();
    kernel.arguments.push_back(std::move(argument));
    return true;
  }
  unsigned id = diagnostics.getCustomDiagID(
      DiagnosticsEngine::Error, "parameter '%0' of a kernel has no attribute that says what it is, such as 'thread_position_in_grid'; "
                                "scalars are passed as 'constant %1 &'");
  diagnostics.Report(parameter->getLocation(), id) << argument.name << argument.type;
  return false;
}

// Buffers without an index take the lowest that is free after the one before, as in Apple's compiler; two with one index are an error.
void KernelTable::numberBuffers(Kernel &kernel) {
  DiagnosticsEngine &diagnostics = context->getDiagnostics();
  for (bool threadgroup : {false, true}) {
    llvm::SmallBitVector used(MaxBuffers + 1);
    int next = 0;
    for (auto [position, argument] : llvm::enumerate(kernel.arguments)) {
      if (argument.kind != "buffer" || (argument.space == space::Threadgroup) != threadgroup)
        continue;
      if (argument.index < 0)
        argument.index = next;
      const ParmVarDecl *parameter = kernel.decl->getParamDecl(position);
      if (argument.index >= MaxBuffers) {
        unsigned id = diagnostics.getCustomDiagID(DiagnosticsEngine::Error, "a kernel has at most %0 buffers");
        diagnostics.Report(parameter->getLocation(), id) << MaxBuffers;
        return;
      }
      // Arguments under function constants may share an index: at most one of them exists.
      if (used[argument.index] && argument.constant.empty()) {
        unsigned id = diagnostics.getCustomDiagID(DiagnosticsEngine::Error, "'%0' index %1 is used by an earlier parameter of this kernel");
        diagnostics.Report(parameter->getLocation(), id) << (threadgroup ? "threadgroup" : "buffer") << argument.index;
        return;
      }
      used.set(argument.index);
      next = argument.index + 1;
    }
  }
}

void KernelTable::addConstant(VarDecl *variable) {
  DiagnosticsEngine &diagnostics = context->getDiagnostics();
  if (variable->getType().getAddressSpace() != LangAS::opencl_constant) {
    unsigned id = diagnostics.getCustomDiagID(DiagnosticsEngine::Error,
                                              "'function_constant' attribute only applies to variables in the 'constant' address space");
    diagnostics.Report(variable->getLocation(), id);
    return;
  }
  int index = integerOf(variable, "function_constant", MaxConstantIndex);
  if (index >= 0)
    constants.push_back({symbolOf(variable), variable->getNameAsString(), typeName(variable->getType(), *context), index,
                         unsigned(context->getTypeSizeInChars(variable->getType()).getQuantity())});
}

} // namespace softmetal
