// Metal's attributes, as attributes of clang registered in process.
#include "softmetal/Compile/Attributes.h"

#include "clang/AST/ASTContext.h"
#include "clang/AST/Attr.h"
#include "clang/Basic/ParsedAttrInfo.h"
#include "clang/Sema/Lookup.h"
#include "clang/Sema/ParsedAttr.h"
#include "clang/Sema/Sema.h"

using namespace clang;
using llvm::StringRef;

namespace softmetal {

namespace {

constexpr StringRef AnnotationPrefix = "msl.";

enum class Subject { Function, Parameter, VariableOrParameter };

struct AttributeRow {
  llvm::StringLiteral name;
  Subject subject;
  unsigned arguments;
};

constexpr AttributeRow rows[] = {
#define MSL_ATTRIBUTE(NAME, SUBJECT, ARGUMENTS) {#NAME, Subject::SUBJECT, ARGUMENTS},
#include "softmetal/Compile/Attributes.def"
};

// [[NAME]] as Metal writes it; msl_NAME is written by the reader and by the macro `kernel`.
constexpr ParsedAttrInfo::Spelling spellings[] = {
#define MSL_ATTRIBUTE(NAME, SUBJECT, ARGUMENTS)                                                                                            \
  {AttributeCommonInfo::AS_CXX11, #NAME}, {AttributeCommonInfo::AS_GNU, "msl_" #NAME},
#include "softmetal/Compile/Attributes.def"
    {AttributeCommonInfo::AS_CXX11, "msl_kernel"},
    {AttributeCommonInfo::AS_CXX11, "__local"}, // [[threadgroup(n)]], whose name is a macro
};

const AttributeRow &rowOf(const ParsedAttr &attribute) {
  StringRef name = attribute.getAttrName()->getName();
  name.consume_front("msl_");
  if (name == "__local")
    name = "threadgroup";
  return *llvm::find_if(rows, [&](const AttributeRow &row) { return row.name == name; });
}

class MetalAttribute : public ParsedAttrInfo {
public:
  MetalAttribute() {
    OptArgs = 1;
    Spellings = spellings;
  }

  bool diagAppertainsToDecl(Sema &sema, const ParsedAttr &attribute, const Decl *decl) const override {
    const AttributeRow &row = rowOf(attribute);
    bool parameter = isa<ParmVarDecl>(decl), variable = isa<VarDecl>(decl) && !parameter;
    bool fits = row.subject == Subject::Function    ? isa<FunctionDecl>(decl)
                : row.subject == Subject::Parameter ? parameter
                                                    : parameter || variable;
    if (!fits) {
      unsigned id = sema.Diags.getCustomDiagID(DiagnosticsEngine::Error, "attribute '%0' only applies to %1");
      sema.Diag(attribute.getLoc(), id) << row.name
                                        << (row.subject == Subject::Function    ? "functions"
                                            : row.subject == Subject::Parameter ? "parameters of a kernel"
                                                                                : "program-scope variables and parameters of a kernel");
    }
    return fits;
  }

  AttrHandling handleDeclAttribute(Sema &sema, Decl *decl, const ParsedAttr &attribute) const override {
    const AttributeRow &row = rowOf(attribute);
    StringRef name = row.name;
    if (attribute.getNumArgs() != row.arguments) {
      unsigned id = sema.Diags.getCustomDiagID(DiagnosticsEngine::Error, "'%0' attribute takes %select{no argument|one argument}1");
      sema.Diag(attribute.getLoc(), id) << name << row.arguments;
      return AttributeNotApplied;
    }
    ASTContext &context = sema.Context;
    llvm::SmallVector<Expr *, 1> arguments;
    std::string annotation = (AnnotationPrefix + name).str();
    if (attribute.getNumArgs()) {
      if (name == "host_name")
        return hostName(sema, decl, attribute);
      if (name == "function_constant" && isa<ParmVarDecl>(decl)) {
        // The name of a constant, which must not be evaluated: kept as text.
        annotation += ":" + constantName(attribute);
      } else if (attribute.isArgExpr(0)) {
        arguments.push_back(attribute.getArgAsExpr(0));
      } else if (Expr *named = namedValue(sema, attribute)) {
        arguments.push_back(named);
      } else {
        unsigned id = sema.Diags.getCustomDiagID(DiagnosticsEngine::Error, "'%0' attribute requires an integer constant");
        sema.Diag(attribute.getLoc(), id) << name;
        return AttributeNotApplied;
      }
    }
    if (name == "function_constant" && !isa<ParmVarDecl>(decl)) {
      // Declared, not defined: its value comes when the function is specialised.
      auto *variable = cast<VarDecl>(decl);
      variable->setStorageClass(SC_Extern);
      variable->setConstexpr(false);
    }
    if (name == "kernel")
      nameByHost(context, cast<FunctionDecl>(decl));
    decl->addAttr(AnnotateAttr::Create(context, annotation, arguments.data(), arguments.size(), attribute));
    return AttributeApplied;
  }

private:
  // An argument that is one name is parsed as a name only: looked up here.
  static Expr *namedValue(Sema &sema, const ParsedAttr &attribute) {
    const IdentifierLoc *name = attribute.getArgAsIdent(0);
    LookupResult result(sema, name->getIdentifierInfo(), name->getLoc(), Sema::LookupOrdinaryName);
    if (!sema.LookupName(result, sema.getCurScope()) || !result.isSingleResult())
      return nullptr;
    ExprResult value = sema.BuildDeclarationNameExpr(CXXScopeSpec(), result, /*NeedsADL=*/false);
    return value.isInvalid() ? nullptr : value.get();
  }

  static std::string constantName(const ParsedAttr &attribute) {
    if (attribute.isArgIdent(0))
      return attribute.getArgAsIdent(0)->getIdentifierInfo()->getName().str();
    if (auto *reference = dyn_cast<DeclRefExpr>(attribute.getArgAsExpr(0)->IgnoreParenImpCasts()))
      return reference->getDecl()->getName().str();
    return "";
  }

  AttrHandling hostName(Sema &sema, Decl *decl, const ParsedAttr &attribute) const {
    auto *literal = attribute.isArgExpr(0) ? dyn_cast<StringLiteral>(attribute.getArgAsExpr(0)->IgnoreParenImpCasts()) : nullptr;
    if (!literal) {
      sema.Diag(attribute.getLoc(), sema.Diags.getCustomDiagID(DiagnosticsEngine::Error, "'host_name' attribute requires a string"));
      return AttributeNotApplied;
    }
    decl->dropAttr<AsmLabelAttr>();
    decl->addAttr(AsmLabelAttr::CreateImplicit(sema.Context, literal->getString()));
    return AttributeApplied;
  }

  // The host finds a kernel by its name in the text, not by its mangled one.
  static void nameByHost(ASTContext &context, FunctionDecl *function) {
    bool plain = !function->hasAttr<AsmLabelAttr>() && !function->isTemplated() && !function->getDescribedFunctionTemplate() &&
                 function->getTemplateSpecializationKind() == TSK_Undeclared && function->getDeclName().isIdentifier();
    if (plain)
      function->addAttr(AsmLabelAttr::CreateImplicit(context, function->getQualifiedNameAsString()));
  }
};

// Covers every local variable of a text (LocalsPragmaPush).
class LocalVariables : public ParsedAttrInfo {
public:
  LocalVariables() {
    static constexpr Spelling spelling[] = {{AttributeCommonInfo::AS_GNU, "msl_locals"}};
    Spellings = spelling;
    IsSupportedByPragmaAttribute = 1;
  }

  void getPragmaAttributeMatchRules(llvm::SmallVectorImpl<std::pair<attr::SubjectMatchRule, bool>> &rules,
                                    const LangOptions &) const override {
    rules.push_back({attr::SubjectMatchRule_variable_is_local, true});
    rules.push_back({attr::SubjectMatchRule_variable, true});
  }

  AttrHandling handleDeclAttribute(Sema &, Decl *decl, const ParsedAttr &) const override {
    auto *variable = dyn_cast<VarDecl>(decl);
    if (!variable || isa<ParmVarDecl>(variable) || !variable->isLocalVarDecl() || !variable->hasLocalStorage())
      return AttributeApplied;
    LangAS space = variable->getType().getAddressSpace();
    if (space == LangAS::opencl_local || space == LangAS::opencl_constant)
      variable->setStorageClass(SC_Static);
    return AttributeApplied;
  }
};

ParsedAttrInfoRegistry::Add<MetalAttribute> metalAttribute("msl", "Metal's attributes");
ParsedAttrInfoRegistry::Add<LocalVariables> localVariables("msl_locals", "variables in function scope");

} // namespace

const AnnotateAttr *findAttribute(const Decl *decl, StringRef name) {
  for (const AnnotateAttr *attribute : decl->specific_attrs<AnnotateAttr>()) {
    StringRef annotation = attribute->getAnnotation();
    if (annotation.consume_front(AnnotationPrefix) && annotation.split(':').first == name)
      return attribute;
  }
  return nullptr;
}

void dropAttributes(Decl *decl) {
  if (decl->hasAttr<AnnotateAttr>())
    decl->dropAttr<AnnotateAttr>();
}

} // namespace softmetal
