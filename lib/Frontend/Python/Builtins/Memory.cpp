//===- Memory.cpp - loads, stores, atomics -------------------------------------------------===//
#include "Builtins.h"

using namespace triton_metal::frontend;

/// Options of block pointers say nothing about plain pointers.
static void refuseBoundaryCheck(const Value &check, const char *what) {
  if (!check.isDefined() || check.isNone() || (check.isTuple() && check.elements().empty()))
    return;
  fail(ErrorKind::Value, std::string("`boundary_check` argument is not supported for ") + what +
                             " a tensor of pointers or a scalar. Because the compiler does not know the boundary; please use block "
                             "pointers (defined by `make_block_ptr`) instead");
}

static Value load(CallArguments &args) {
  if (args[0].kind == Value::Kind::BlockPointer)
    return loadBlockPointer(args);
  refuseBoundaryCheck(args[3], "loading");
  if (!args.text(4, "", "padding_option").empty())
    fail(ErrorKind::Value, "`padding_option` argument is not supported for loading a tensor of pointers or loading a scalar");
  MemoryHints hints{args.text(5, "", "cache_modifier"), args.text(6, "", "eviction_policy"), args.flag(7, false), args.memoryLayout(8)};
  return get(args.sem.load(args.tensor(0), args.optionalOperand(1), args.optionalOperand(2), hints));
}

static Value store(CallArguments &args) {
  if (args[0].kind == Value::Kind::BlockPointer)
    return storeBlockPointer(args);
  refuseBoundaryCheck(args[3], "storing");
  MemoryHints hints{args.text(4, "", "cache_modifier"), args.text(5, "", "eviction_policy"), false, args.memoryLayout(6)};
  get(args.sem.store(args.tensor(0), args.operand(1), args.optionalOperand(2), hints));
  return Value::none();
}

template <AtomicOp op>
static Value atomic(CallArguments &args) {
  return get(args.sem.atomic(op, args.tensor(0), args.operand(1), args.optionalOperand(2), args.text(3, "", "sem"),
                             args.text(4, "", "scope")));
}

static Value atomicCas(CallArguments &args) {
  return get(args.sem.atomicCas(args.tensor(0), args.tensor(1), args.tensor(2), args.text(3, "", "sem"), args.text(4, "", "scope")));
}

std::span<const Builtin> triton_metal::frontend::memoryBuiltins() {
  static constexpr Builtin table[] = {
      {"load", "pointer mask= other= boundary_check= padding_option= cache_modifier= eviction_policy= volatile= layout=", load},
      {"store", "pointer value mask= boundary_check= cache_modifier= eviction_policy= layout=", store},
      {"atomic_add", "pointer val mask= sem= scope=", atomic<AtomicOp::Add>},
      {"atomic_max", "pointer val mask= sem= scope=", atomic<AtomicOp::Max>},
      {"atomic_min", "pointer val mask= sem= scope=", atomic<AtomicOp::Min>},
      {"atomic_and", "pointer val mask= sem= scope=", atomic<AtomicOp::And>},
      {"atomic_or", "pointer val mask= sem= scope=", atomic<AtomicOp::Or>},
      {"atomic_xor", "pointer val mask= sem= scope=", atomic<AtomicOp::Xor>},
      {"atomic_xchg", "pointer val mask= sem= scope=", atomic<AtomicOp::Xchg>},
      {"atomic_cas", "pointer cmp val sem= scope=", atomicCas},
  };
  return table;
}
