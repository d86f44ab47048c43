//===- Printer.cpp - statements and the kernel -------------------------------------===//
//
// The text of a kernel is: the library, the functions of the prelude that it calls, `Params`, the kernel. No comments: Apple's
// compiler caches by exact text, and a comment that changes costs a compilation.
//
//===----------------------------------------------------------------------===//
#include "Expressions.h"
#include "Spelling.h"
#include "triton_metal/Support/Chips.h"
#include "triton_metal/Support/SourcePosition.h"
#include "triton_metal/Target/MSL/Print.h"

using namespace mlir;
using namespace triton_metal::msl;

namespace {

class KernelPrinter {
public:
  explicit KernelPrinter(KernelOp kernel) : kernel(kernel) {}
  KernelText print(bool fpFusion);

private:
  void printBlock(Block &block);
  void printStatement(Operation &op);
  void printLoop(ForOp loop);
  void line(const Twine &text, Location location);
  void line(const Twine &text) { line(text, UnknownLoc::get(kernel.getContext())); }
  std::string named(Operation *op) { return cast<StringAttr>(op->getAttr(kNameAttr)).str(); }

  KernelOp kernel;
  ExpressionPrinter expressions;
  std::string body;
  unsigned depth = 1;
  unsigned lineNumber = 0; ///< of the body
  std::vector<LineOrigin> origins;
};

} // namespace

void KernelPrinter::line(const Twine &text, Location location) {
  ++lineNumber;
  std::string shown(2 * depth, ' ');
  SmallVector<FileLineColLoc> around; // the origins that hold here, the innermost last
  auto note = [&](uint32_t column) {
    if (FileLineColLoc source = around.back())
      origins.push_back({lineNumber, column, source.getFilename().str(), source.getLine(), source.getColumn()});
  };
  around.push_back(triton_metal::positionOf(location));
  note(0);
  std::string marked = text.str();
  for (size_t at = 0; at < marked.size(); ++at) {
    FileLineColLoc before = around.back();
    if (marked[at] == ExpressionPrinter::kOriginEnd) {
      around.pop_back();
    } else if (marked[at] == ExpressionPrinter::kOriginBegin) {
      size_t end = marked.find(ExpressionPrinter::kOriginIs, at);
      FileLineColLoc source = triton_metal::positionOf(expressions.origins[std::stoul(marked.substr(at + 1, end - at - 1))]);
      around.push_back(source ? source : before);
      at = end;
    } else {
      shown += marked[at];
      continue;
    }
    if (around.back() != before)
      note(uint32_t(shown.size() + 1));
  }
  body += shown + "\n";
}

void KernelPrinter::printLoop(ForOp loop) {
  std::string counter = named(loop);
  std::string type = spellType(loop.getCounter().getType());
  std::string lower = expressions.print(loop.getLower()).text;
  std::string step = expressions.print(loop.getStep()).text;
  auto constant = loop.getStep().getDefiningOp<arith::ConstantOp>();
  bool byOne = constant && cast<IntegerAttr>(constant.getValue()).getValue().isOne();
  std::string increment = byOne ? "++" + counter : counter + " += " + step;
  std::string condition;
  if (loop.getUnroll()) { // bounds are small constants, so the sign does not matter
    line("#pragma unroll");
    condition = counter + " < " + expressions.print(loop.getUpper()).text;
  } else {
    std::string sign = spellSigned(loop.getCounter().getType()).str();
    auto upper = loop.getUpper().getDefiningOp<arith::ConstantOp>();
    condition = sign + "(" + counter + ") < " +
                (upper ? spellSignedLiteral(cast<IntegerAttr>(upper.getValue()).getValue())
                       : expressions.asSigned(loop.getUpper()));
  }
  line("for (" + type + " " + counter + " = " + lower + "; " + condition + "; " + increment + ") {", loop.getLoc());
  printBlock(loop.getBody().front());
  line("}");
}

void KernelPrinter::printStatement(Operation &op) {
  llvm::TypeSwitch<Operation *>(&op)
      .Case([&](VarOp variable) {
        std::string text = spellDeclaration(cast<PointerType>(variable.getResult().getType()).getPointee(), named(variable));
        if (variable.getInit())
          text += " = " + expressions.print(variable.getInit()).text;
        line(text + ";", op.getLoc());
      })
      .Case([&](ThreadgroupArrayOp array) {
        Type element = cast<PointerType>(array.getType()).getPointee();
        line("alignas(" + Twine(triton_metal::kSharedAlignment) + ") threadgroup " + spellDeclaration(element, named(array)) + "[" +
                 Twine(array.getSize()) + "];",
             op.getLoc());
      })
      .Case([&](StoreOp store) {
        std::string text = expressions.printAssignment(store) + ";";
        if (!store.getMask())
          return line(text, op.getLoc());
        line("if (" + expressions.print(store.getMask()).text + ")", op.getLoc());
        ++depth;
        line(text, op.getLoc());
        --depth;
      })
      .Case([&](ForOp loop) { printLoop(loop); })
      .Case([&](IfOp branch) {
        line("if (" + expressions.print(branch.getCondition()).text + ") {", op.getLoc());
        printBlock(branch.getThen().front());
        if (!branch.getOtherwise().empty()) {
          line("} else {");
          printBlock(branch.getOtherwise().front());
        }
        line("}");
      })
      .Case([&](LoopOp loop) {
        line("while (true) {", op.getLoc());
        printBlock(loop.getBody().front());
        line("}");
      })
      .Case([&](BreakUnlessOp exit) {
        line("if (!" + expressions.print(exit.getCondition()).in(Precedence::Unary) + ")", op.getLoc());
        ++depth;
        line("break;", op.getLoc());
        --depth;
      })
      .Case([&](ReturnOp) { line("return;", op.getLoc()); })
      .Case([&](BarrierOp barrier) {
        static constexpr StringLiteral texts[] = {
            "metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);",
            "metal::threadgroup_barrier(metal::mem_flags(uint(metal::mem_flags::mem_device) | uint(metal::mem_flags::mem_threadgroup)));",
            "metal::simdgroup_barrier(metal::mem_flags::mem_threadgroup);", "metal::simdgroup_barrier(metal::mem_flags::mem_none);"};
        line(texts[unsigned(barrier.getScope())], op.getLoc());
      })
      .Case([&](MatrixMultiplyOp multiply) {
        line("metal::simdgroup_multiply_accumulate(" + expressions.printPlace(multiply.getD()) + ", " +
                 expressions.printPlace(multiply.getA()) + ", " + expressions.printPlace(multiply.getB()) + ", " +
                 expressions.printPlace(multiply.getC()) + ");",
             op.getLoc());
      })
      .Default([&](Operation *) {
        bool isValue = op.getNumResults() == 1;
        if (isValue && op.hasAttr(kNameAttr))
          return line(spellDeclaration(op.getResult(0).getType(), named(&op), op.hasAttr(kSignedAttr)) + " = " +
                          expressions.printDefinition(&op).text + ";",
                      op.getLoc());
        // A value without a name stands where it is used; without a use, only its effect is wanted.
        if (isa<AtomicOp, CallOp>(op) && op.use_empty() && !isMemoryEffectFree(&op))
          line(expressions.printDefinition(&op).text + ";", op.getLoc());
      });
}

void KernelPrinter::printBlock(Block &block) {
  ++depth;
  for (Operation &op : block)
    printStatement(op);
  --depth;
}

static std::string spellParams(KernelOp kernel) {
  std::string text = "struct Params {\n";
  for (auto [index, type] : llvm::enumerate(kernel.getArgumentTypes())) {
    StringRef name = cast<StringAttr>(kernel.getArgAttr(index, kNameAttr)).getValue();
    text += "  " + spellDeclaration(type, name, kernel.getArgAttr(index, kSignedAttr) != nullptr) + ";\n";
  }
  if (kernel.getArgumentTypes().empty())
    text += "  uint unused;\n";
  return text + "};\n";
}

static std::string spellSignature(KernelOp kernel) {
  bool used[9] = {};
  kernel.walk([&](BuiltinOp op) { used[unsigned(op.getKind())] = true; });
  SmallVector<std::string> parameters = {"constant Params& params [[buffer(0)]]"};
  if (kernel.getPool())
    parameters.push_back("threadgroup char* pool [[threadgroup(0)]]");
  if (used[0] || used[1] || used[2])
    parameters.push_back("uint3 program_id [[threadgroup_position_in_grid]]");
  if (used[3] || used[4] || used[5])
    parameters.push_back("uint3 num_programs [[threadgroups_per_grid]]");
  if (used[6])
    parameters.push_back("uint thread_index [[thread_index_in_threadgroup]]");
  if (used[7])
    parameters.push_back("uint lane [[thread_index_in_simdgroup]]");
  if (used[8])
    parameters.push_back("uint simdgroup [[simdgroup_index_in_threadgroup]]");
  // Never the attribute with 32 threads: Apple's compiler then corrupted rows of 8x8 tiles (cubek #645, cubecl #1636).
  std::string head = kernel.getThreads() > 32
                         ? "[[kernel, max_total_threads_per_threadgroup(" + std::to_string(kernel.getThreads()) + ")]] void "
                         : "kernel void ";
  return head + kernel.getSymName().str() + "(\n    " + llvm::join(parameters, ",\n    ") + ") {\n";
}

KernelText KernelPrinter::print(bool fpFusion) {
  depth = 0;
  printBlock(kernel.getBodyBlock());

  std::string head = "#include <metal_stdlib>\n\n";
  for (StringRef name : preludeNames())
    if (expressions.preludeUsed.contains(name))
      head += preludeFunction(name).str() + "\n";
  // After the prelude, whose functions say themselves where they fuse.
  if (!fpFusion)
    head += "#pragma clang fp contract(off)\n\n";
  head += spellParams(kernel) + "\n" + spellSignature(kernel);

  KernelText result;
  unsigned before = StringRef(head).count('\n');
  for (LineOrigin &origin : origins)
    origin.line += before;
  result.text = head + body + "}\n";
  result.entry = kernel.getSymName().str();
  result.lines = std::move(origins);
  if (auto sites = kernel->getAttrOfType<ArrayAttr>(kSitesAttr))
    for (auto site : sites.getAsRange<StringAttr>())
      result.sites.push_back(site.str());
  if (auto records = kernel->getAttrOfType<IntegerAttr>(kRecordsAttr))
    result.recordsPerProgram = records.getInt();
  result.facts = computeFacts(kernel);
  return result;
}

FailureOr<KernelText> triton_metal::msl::printKernel(ModuleOp module, bool fpFusion) {
  auto kernels = module.getOps<KernelOp>();
  if (kernels.empty() || std::next(kernels.begin()) != kernels.end())
    return module.emitError("has no single kernel to print");
  return KernelPrinter(*kernels.begin()).print(fpFusion);
}
