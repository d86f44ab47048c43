// One walk over the AST of a text. Templates are checked as they were instantiated.
#include "softmetal/Compile/Rules.h"

#include "softmetal/Compile/Target.h"

#include "clang/AST/ASTContext.h"
#include "clang/AST/Attr.h"
#include "clang/AST/DynamicRecursiveASTVisitor.h"
#include "llvm/ADT/DenseSet.h"

using namespace clang;

namespace softmetal {

namespace {

/// The address space of an object's type. Temporaries are private by name and by default: both are Metal's thread.
LangAS spaceOf(QualType type) {
  LangAS space = type.getAddressSpace();
  return space == LangAS::opencl_private ? LangAS::Default : space;
}

class RuleVisitor : public DynamicRecursiveASTVisitor {
public:
  explicit RuleVisitor(ASTContext &context) : diagnostics(context.getDiagnostics()) {
    ShouldVisitTemplateInstantiations = true;
  }

  // --- Address spaces.
  //
  // The target lets any space convert to thread, so that members that clang declares itself work in all spaces. Here that is taken back:
  // only such members (and those of the library), and references to const (to which Metal binds a copy), may convert.

  bool VisitCXXMemberCallExpr(CXXMemberCallExpr *call) override {
    if (const CXXMethodDecl *method = call->getMethodDecl()) {
      const Expr *object = call->getImplicitObjectArgument();
      (isImplicitMember(method) ? freeArguments : objects).insert(object);
    }
    return true;
  }

  bool VisitCXXOperatorCallExpr(CXXOperatorCallExpr *call) override {
    auto *method = dyn_cast_or_null<CXXMethodDecl>(call->getDirectCallee());
    if (!method || !call->getNumArgs())
      return true;
    if (!isImplicitMember(method)) {
      objects.insert(call->getArg(0));
      return true;
    }
    for (const Expr *argument : call->arguments())
      freeArguments.insert(argument);
    if (!method->isConst())
      checkStore(call->getArg(0), call->getOperatorLoc());
    return true;
  }

  bool VisitCXXConstructExpr(CXXConstructExpr *construct) override {
    if (isImplicitMember(construct->getConstructor()))
      for (const Expr *argument : construct->arguments())
        freeArguments.insert(argument);
    return true;
  }

  bool VisitCastExpr(CastExpr *cast) override {
    const Expr *operand = cast->getSubExpr();
    QualType from = operand->getType(), to = cast->getType();
    if (from.isNull() || to.isNull() || from->isDependentType() || to->isDependentType() || cast->getCastKind() == CK_LValueToRValue)
      return true;
    bool pointers = from->isPointerType() && to->isPointerType() && !cast->isGLValue();
    bool references = cast->isGLValue() && operand->isGLValue();
    if (!pointers && !references)
      return true;
    QualType fromObject = pointers ? from->getPointeeType() : from, toObject = pointers ? to->getPointeeType() : to;
    LangAS source = spaceOf(fromObject), target = spaceOf(toObject);
    if (source == target)
      return true;
    if (isPartOfExplicitCast(cast)) {
      if (auto id = once(cast->getExprLoc(), "cast from %0 to %1 changes the address space from '%2' to '%3'"))
        diagnostics.Report(cast->getExprLoc(), *id) << from << to << addressSpaceName(source) << addressSpaceName(target);
      return true;
    }
    if (target != LangAS::Default || freeArguments.contains(cast))
      return true;
    if (references && toObject.isConstQualified() && !objects.contains(cast))
      return true;
    if (objects.contains(cast)) {
      if (auto id = once(cast->getExprLoc(),
                         "member function of the 'thread' address space is called on an object in the '%0' address space"))
        diagnostics.Report(cast->getExprLoc(), *id) << addressSpaceName(source);
      return true;
    }
    if (auto id = once(cast->getExprLoc(), "%select{reference to|pointer of}0 type %1 in the '%2' address space cannot be converted to "
                                           "%select{reference to|pointer of}0 type %3 in the 'thread' address space"))
      diagnostics.Report(cast->getExprLoc(), *id) << pointers << from << addressSpaceName(source) << to;
    return true;
  }

  bool VisitBinaryOperator(BinaryOperator *op) override {
    if (op->isAssignmentOp())
      checkStore(op->getLHS(), op->getOperatorLoc());
    return true;
  }

  bool VisitUnaryOperator(UnaryOperator *op) override {
    if (op->isIncrementDecrementOp())
      checkStore(op->getSubExpr(), op->getOperatorLoc());
    return true;
  }

  // --- Types.

  bool VisitBuiltinTypeLoc(BuiltinTypeLoc type) override {
    checkScalar(type.getType(), type.getBeginLoc());
    return true;
  }

  // 1.0h is read as long double and converted at compile time.
  bool TraverseUserDefinedLiteral(UserDefinedLiteral *) override { return true; }

  bool VisitFloatingLiteral(FloatingLiteral *literal) override {
    // A literal without a suffix is read as double and cast to float at once.
    if (literal->getType()->isSpecificBuiltinType(BuiltinType::LongDouble))
      checkScalar(literal->getType(), literal->getLocation());
    return true;
  }

  // --- Functions and variables.

  bool VisitDeclRefExpr(DeclRefExpr *reference) override {
    auto *function = dyn_cast<FunctionDecl>(reference->getDecl());
    if (!function || function->isDependentContext() || !function->isUsed(false) || function->isDefined() ||
        function->hasAttr<AsmLabelAttr>() || function->getBuiltinID() || function->isImplicit() || function->isDefaulted() ||
        function->isDeleted() || reference->isNonOdrUse())
      return true;
    if (auto id = once(reference->getLocation(), "function %0 is declared but has no definition"))
      diagnostics.Report(reference->getLocation(), *id) << function;
    return true;
  }

  bool VisitVarDecl(VarDecl *variable) override {
    QualType type = variable->getType();
    if (isa<ParmVarDecl>(variable) || type->isDependentType() || variable->isInvalidDecl())
      return true;
    if (variable->getTSCSpec() != TSCS_unspecified)
      unsupported(variable->getLocation(), "thread_local variables are not supported in Metal");
    LangAS space = type.getAddressSpace();
    if (variable->hasGlobalStorage() && !variable->isStaticLocal() && space != LangAS::opencl_constant)
      unsupported(variable->getLocation(), "a variable at program scope must be in the 'constant' address space");
    else if (variable->isStaticLocal() && space == LangAS::Default)
      unsupported(variable->getLocation(), "a static variable must be in the 'constant' address space");
    if (space == LangAS::opencl_local && variable->hasInit() && !isa<CXXConstructExpr>(variable->getInit()->IgnoreImplicit()))
      unsupported(variable->getLocation(), "a variable in the 'threadgroup' address space cannot have an initializer");
    return true;
  }

  bool VisitCXXMethodDecl(CXXMethodDecl *method) override {
    if (method->isVirtual())
      unsupported(method->getLocation(), "virtual functions are not supported in Metal");
    return true;
  }

  bool VisitCXXNewExpr(CXXNewExpr *expression) override {
    return unsupported(expression->getBeginLoc(), "'new' is not supported in Metal");
  }
  bool VisitCXXDeleteExpr(CXXDeleteExpr *expression) override {
    return unsupported(expression->getBeginLoc(), "'delete' is not supported in Metal");
  }
  bool VisitGotoStmt(GotoStmt *statement) override { return unsupported(statement->getGotoLoc(), "'goto' is not supported in Metal"); }
  bool VisitIndirectGotoStmt(IndirectGotoStmt *statement) override {
    return unsupported(statement->getGotoLoc(), "'goto' is not supported in Metal");
  }
  bool VisitGCCAsmStmt(GCCAsmStmt *statement) override {
    return unsupported(statement->getAsmLoc(), "inline assembly is not supported in Metal");
  }

private:
  DiagnosticsEngine &diagnostics;
  llvm::DenseSet<const Expr *> freeArguments; // of members that clang declares itself: any address space
  llvm::DenseSet<const Expr *> objects;       // on which a member of the user is called
  llvm::DenseSet<SourceLocation> reported;    // a template's line is reported for its first instantiation only

  // Members that clang declares itself, and those of the library, work in every address space.
  static bool isImplicitMember(const CXXMethodDecl *method) {
    return method->isImplicit() || method->isDefaulted() || method->isFromASTFile();
  }

  template <unsigned N> std::optional<unsigned> once(SourceLocation place, const char (&format)[N]) {
    if (!reported.insert(place).second)
      return std::nullopt;
    return diagnostics.getCustomDiagID(DiagnosticsEngine::Error, format);
  }

  template <unsigned N> bool unsupported(SourceLocation place, const char (&format)[N]) {
    if (auto id = once(place, format))
      diagnostics.Report(place, *id);
    return true;
  }

  static bool isPartOfExplicitCast(const CastExpr *cast) {
    auto *implicit = dyn_cast<ImplicitCastExpr>(cast);
    return !implicit || implicit->isPartOfExplicitCast();
  }

  void checkStore(const Expr *target, SourceLocation place) {
    const Expr *object = target;
    while (auto *cast = dyn_cast<ImplicitCastExpr>(object))
      object = cast->getSubExpr();
    if (object->getType().isNull() || object->getType().getAddressSpace() != LangAS::opencl_constant)
      return;
    if (auto id = once(place, "cannot assign to an object in the 'constant' address space"))
      diagnostics.Report(place, *id) << target->getSourceRange();
  }

  void checkScalar(QualType type, SourceLocation place) {
    auto *builtin = type->getAs<BuiltinType>();
    if (!builtin)
      return;
    switch (builtin->getKind()) {
    case BuiltinType::Double:
      unsupported(place, "'double' is not supported in Metal");
      break;
    case BuiltinType::LongDouble:
      unsupported(place, "'long double' is not supported in Metal");
      break;
    case BuiltinType::LongLong:
    case BuiltinType::ULongLong:
      unsupported(place, "'long long' is not supported in Metal; 'long' has 64 bits");
      break;
    case BuiltinType::Int128:
    case BuiltinType::UInt128:
      unsupported(place, "integers of 128 bits are not supported in Metal");
      break;
    default:
      break;
    }
  }
};

} // namespace

void checkRules(ASTContext &context, llvm::ArrayRef<Decl *> declarations) {
  RuleVisitor visitor(context);
  for (Decl *decl : declarations)
    visitor.TraverseDecl(decl);
}

} // namespace softmetal
