// Kernels and function constants as they stand in a module by Apple's compiler (AIR 2.6): what the loader reads.
#include "softmetal/Compile/Kernels.h"
#include "softmetal/Compile/Target.h"

#include "llvm/IR/Constants.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Module.h"

using namespace llvm;

namespace softmetal {

namespace {

class Writer {
public:
  explicit Writer(Module &module) : module(module), context(module.getContext()) {}

  Metadata *string(StringRef text) { return MDString::get(context, text); }
  Metadata *integer(int64_t value) { return ConstantAsMetadata::get(ConstantInt::get(Type::getInt32Ty(context), value)); }
  Metadata *value(Constant *constant) { return ConstantAsMetadata::get(constant); }
  MDNode *node(ArrayRef<Metadata *> operands) { return MDNode::get(context, operands); }
  void named(StringRef name, ArrayRef<Metadata *> operands) { module.getOrInsertNamedMetadata(name)->addOperand(node(operands)); }

  Module &module;
  LLVMContext &context;
};

MDNode *argumentRecord(Writer &writer, const KernelArgument &argument, unsigned position, const KernelTable &table) {
  SmallVector<Metadata *, 16> record{writer.integer(position)};
  if (!argument.constant.empty())
    for (const FunctionConstant &constant : table.constants)
      if (constant.name == argument.constant)
        if (GlobalVariable *variable = writer.module.getGlobalVariable(constant.symbol, true)) {
          record.push_back(writer.string("air.function_constant"));
          record.push_back(writer.node({writer.value(variable), writer.string(constant.type), writer.string(constant.name)}));
        }
  record.push_back(writer.string("air." + argument.kind));
  if (argument.kind == "buffer") {
    if (argument.isReference)
      record.append({writer.string("air.buffer_size"), writer.integer(argument.size)});
    record.append({writer.string("air.location_index"), writer.integer(argument.index), writer.integer(1),
                   writer.string(argument.isReadOnly ? "air.read" : "air.read_write"), writer.string("air.address_space"),
                   writer.integer(argument.space), writer.string("air.arg_type_size"), writer.integer(argument.size),
                   writer.string("air.arg_type_align_size"), writer.integer(argument.align)});
  }
  record.append({writer.string("air.arg_type_name"), writer.string(argument.type), writer.string("air.arg_name"),
                 writer.string(argument.name)});
  return writer.node(record);
}

// A constant is undefined until the function is specialised: its initialiser is then set and `externally_initialized` dropped.
void makeConstant(GlobalVariable &variable) {
  variable.setLinkage(GlobalValue::InternalLinkage);
  variable.setInitializer(UndefValue::get(variable.getValueType()));
  variable.setConstant(true);
  variable.setExternallyInitialized(true);
  variable.setSection("air.fc_initializer");
}

} // namespace

void KernelTable::write(Module &module, unsigned languageVersion) const {
  Writer writer(module);
  for (const FunctionConstant &constant : constants) {
    GlobalVariable *variable = module.getGlobalVariable(constant.symbol, true);
    if (!variable) {
      // Declared but not read: kept, since the host may still set it and arguments may depend on it.
      Type *type = Type::getIntNTy(module.getContext(), 8 * constant.bytes);
      variable = new GlobalVariable(module, type, true, GlobalValue::InternalLinkage, UndefValue::get(type), constant.symbol, nullptr,
                                    GlobalValue::NotThreadLocal, space::Constant);
    }
    makeConstant(*variable);
    writer.named("air.function_constants",
                 {writer.value(variable), writer.string(constant.type), writer.string(constant.name), writer.integer(constant.index),
                  writer.value(ConstantInt::getTrue(module.getContext()))});
  }
  for (const Kernel &kernel : kernels) {
    Function *function = module.getFunction(kernel.symbol);
    if (!function || function->isDeclaration())
      continue;
    SmallVector<Metadata *, 8> arguments;
    for (auto [position, argument] : enumerate(kernel.arguments))
      arguments.push_back(argumentRecord(writer, argument, position, *this));
    SmallVector<Metadata *, 4> record{writer.value(function), writer.node({}), writer.node(arguments)};
    if (kernel.maxThreads)
      record.push_back(writer.node({writer.string("air.max_work_group_size"), writer.integer(kernel.maxThreads)}));
    writer.named("air.kernel", record);
  }
  writer.named("air.version", {writer.integer(2), writer.integer(6), writer.integer(0)});
  writer.named("air.language_version", {writer.string("Metal"), writer.integer(languageVersion / 100),
                                        writer.integer(languageVersion / 10 % 10), writer.integer(0)});
  for (StringRef option : {"air.compile.denorms_disable", "air.compile.fast_math_disable"})
    writer.named("air.compile_options", {writer.string(option)});
}

} // namespace softmetal
