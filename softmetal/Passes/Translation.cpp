//===- Translation.cpp - sites, and the kernel's record in the metadata --------------------------------------------------===//
#include "softmetal/Passes/Translation.h"
#include "softmetal/Load/Load.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/DebugInfoMetadata.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace softmetal {

/// The line to show for an instruction: the innermost inlined frame that lies in the file that was compiled, so that a library
/// function shows its caller; else the outermost frame.
static const DILocation *userLocation(const Instruction &instruction) {
  const DILocation *location = instruction.getDebugLoc().get();
  if (!location)
    return nullptr;
  const DICompileUnit *unit = nullptr;
  if (const DISubprogram *program = location->getScope()->getSubprogram())
    unit = program->getUnit();
  const DILocation *outermost = location;
  for (; location; location = location->getInlinedAt()) {
    if (unit && location->getFilename() == unit->getFilename() && location->getLine())
      return location;
    outermost = location;
  }
  return outermost;
}

unsigned Translation::addSite(const Instruction &instruction) {
  Site site;
  if (const DILocation *location = userLocation(instruction)) {
    site.file = sys::path::filename(location->getFilename()).str();
    site.line = location->getLine();
    site.column = location->getColumn();
    site.text = site.file + ":" + std::to_string(site.line) + ":" + std::to_string(site.column);
  } else {
    raw_string_ostream out(site.text);
    instruction.print(out);
    StringRef text = StringRef(site.text).ltrim();
    text = text.substr(0, text.find(", !")).substr(0, 160);
    site.text = text.str();
  }
  sites.push_back(std::move(site));
  return sites.size() - 1;
}

static uint64_t number(const Metadata *metadata) {
  auto *constant = mdconst::dyn_extract_or_null<ConstantInt>(metadata);
  return constant ? constant->getZExtValue() : 0;
}

bool readAirKernel(Module &module, AirKernel &record, std::string &error) {
  record.function = findKernel(module, "");
  const NamedMDNode *kernels = module.getNamedMetadata("air.kernel");
  if (!record.function || kernels->getOperand(0)->getNumOperands() < 3) {
    error = "the module does not describe exactly one kernel";
    return false;
  }
  const MDNode *node = kernels->getOperand(0);
  for (unsigned i = 3; i < node->getNumOperands(); ++i)
    if (auto *options = dyn_cast_or_null<MDNode>(node->getOperand(i).get()))
      for (unsigned k = 0; k + 1 < options->getNumOperands(); ++k)
        if (auto *key = dyn_cast_or_null<MDString>(options->getOperand(k).get()); key && key->getString() == "air.max_work_group_size")
          record.maxThreads = number(options->getOperand(k + 1).get());
  // The options may also lie in the record itself.
  for (unsigned i = 3; i + 1 < node->getNumOperands(); ++i)
    if (auto *key = dyn_cast_or_null<MDString>(node->getOperand(i).get()); key && key->getString() == "air.max_work_group_size")
      record.maxThreads = number(node->getOperand(i + 1).get());

  auto *list = dyn_cast_or_null<MDNode>(node->getOperand(2).get());
  for (const MDOperand &operand : list ? list->operands() : ArrayRef<MDOperand>()) {
    auto *keys = dyn_cast_or_null<MDNode>(operand.get());
    if (!keys || keys->getNumOperands() < 2)
      continue;
    AirArgument argument;
    argument.index = number(keys->getOperand(0).get());
    for (unsigned i = 1; i < keys->getNumOperands(); ++i) {
      auto *key = dyn_cast_or_null<MDString>(keys->getOperand(i).get());
      if (!key)
        continue;
      StringRef text = key->getString();
      if (text == "air.arg_name" || text == "air.arg_type_name") // names may look like anything
        ++i;
      else if (text == "air.location_index" && i + 1 < keys->getNumOperands())
        argument.location = number(keys->getOperand(i + 1).get());
      else if (argument.kind.empty() && text != "air.function_constant" && text.consume_front("air."))
        argument.kind = text.str();
    }
    if (argument.index >= record.function->arg_size()) {
      error = "the metadata of " + record.function->getName().str() + " describes an argument that does not exist";
      return false;
    }
    record.arguments.push_back(std::move(argument));
  }
  return true;
}

} // namespace softmetal
