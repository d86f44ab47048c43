//===- Semantics.h - what the language's operations mean, as `tt` operations --------===//
//
// The builder layer of the front end: promotion, broadcasting, casts, masks, and one method an operation of the language. It knows
// nothing of Python and throws nothing; it can be used from C++ alone. MLIR stays behind it: values and blocks are opaque, so that
// the units that face Python include no MLIR.
//
// Contract: an operation is created at the insertion point, at the current location. Methods that fail leave the module as it is or
// with dead operations, and the caller gives up the whole module.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "triton_metal/Frontend/Result.h"
#include "triton_metal/Frontend/Types.h"
#include "llvm/ADT/SmallVector.h"
#include <memory>

namespace triton_metal::frontend {

/// A value of the kernel: a scalar or a block.
struct Tensor {
  void *handle = nullptr; ///< of an mlir::Value
  Type type;

  explicit operator bool() const { return handle; }
  bool operator==(const Tensor &) const = default;
  bool isBlock() const { return type.isBlock(); }
  Elem elem() const { return type.elem(); }
};

/// A number of the source, or of a compile-time expression: weak where the language says so.
struct Number {
  Kind kind = Kind::Integral;
  __int128 integer = 0;
  double real = 0;
  bool tooWide = false; ///< an integer beyond 64 bits; `integer` has its sign, `text` its digits
  std::string text;

  static Number boolean(bool value) { return {Kind::Boolean, value, double(value), false, {}}; }
  static Number fromInt(int64_t value) { return {Kind::Integral, value, double(value), false, {}}; }
  static Number fromFloat(double value) { return {Kind::Floating, 0, value, false, {}}; }
  std::string str() const; ///< of integers and booleans
  bool isZero() const { return kind == Kind::Floating ? real == 0 : integer == 0 && !tooWide; }
  bool isNegative() const { return kind == Kind::Floating ? real < 0 : integer < 0; }
};

/// An operand: a tensor, or a number that has no type yet.
using Operand = std::variant<Tensor, Number>;

/// What of the compilation's options the language's meaning depends on.
struct SemanticOptions {
  bool debug = false;
  bool sanitizeOverflow = false;
  bool weakComparisons = false; ///< the meaning of Triton 3.9: numbers are weak everywhere, bf16 is kept
  std::string defaultInputPrecision = "ieee";
};

enum class BinaryOp : uint8_t { Add, Sub, Mul, Div, FloorDiv, Mod, And, Or, Xor, Shl, Shr };
enum class CompareOp : uint8_t { Eq, Ne, Lt, Le, Gt, Ge };
enum class MathOp : uint8_t { Exp, Exp2, Log, Log2, Sin, Cos, Sqrt, SqrtRn, Rsqrt, Erf, Floor, Ceil };
enum class AtomicOp : uint8_t { Add, Max, Min, And, Or, Xor, Xchg };
enum class Rounding : uint8_t { Default, NearestEven, TowardZero };

struct MemoryHints {
  std::string cache, eviction;
  bool isVolatile = false;
  std::string layout; ///< name of a member of MemoryLayout; empty for none
};

/// What selects along one dimension of a shared array.
struct SharedIndex {
  enum class Kind : uint8_t {
    Number, ///< `start`, a coordinate inside of the array
    Tensor, ///< `tensor`, integers
    Range   ///< `count` coordinates from `start` by `step`, inside of the array
  } kind = Kind::Range;
  int64_t start = 0, count = 0, step = 1;
  Tensor tensor;
};

class Semantics {
public:
  /// `context`: the mlir::MLIRContext to build in, with the tt dialect loaded.
  Semantics(void *context, SemanticOptions options);
  ~Semantics();
  const SemanticOptions &options() const;
  /// Hands over the module (an mlir::ModuleOp's operation); nothing may be built afterwards.
  void *releaseModule();
  /// Verifies the module; the text of MLIR's diagnostics if that fails.
  Result<Nothing> verifyModule();

  //===--- places ---------------------------------------------------------===//
  /// Where the next operations come from, in the file of the innermost function.
  void setPlace(unsigned line, unsigned column);
  /// The variable that the next operations are computed for; empty for none. Gives the previous one.
  std::string swapName(std::string name);
  /// The next places are in another function's file, called from the current place; `leaveFile` undoes it.
  void enterFile(llvm::StringRef path);
  void leaveFile();
  /// Names the operation or argument that defines `value`, unless it has a name.
  void nameValue(Tensor value, llvm::StringRef name);
  /// The same for one result of several, of a conditional or a loop: the first name stays.
  void nameResult(Tensor value, llvm::StringRef name) { nameValue(value, name); }

  //===--- functions ------------------------------------------------------===//
  void beginFunction(llvm::StringRef name, bool isPublic, bool noinlined, llvm::ArrayRef<Type> arguments,
                     llvm::ArrayRef<std::string> names, llvm::SmallVectorImpl<Tensor> &values);
  void setArgumentAttr(unsigned index, llvm::StringRef name, int64_t value);
  /// Ends the innermost function with `results`; insertion goes on where it was before.
  void endFunction(llvm::ArrayRef<Tensor> results);
  void call(llvm::StringRef name, llvm::ArrayRef<Tensor> arguments, llvm::ArrayRef<Type> results,
            llvm::SmallVectorImpl<Tensor> &values);

  //===--- control flow ---------------------------------------------------===//
  struct InsertPoint {
    void *block = nullptr, *before = nullptr;
  };
  InsertPoint savePoint() const;
  void restorePoint(InsertPoint point);
  void *newBlock();              ///< a block of no region; goes into an operation or is deleted
  void deleteBlock(void *block); ///< with all that is in it
  void setToEnd(void *block);
  bool isEmptyBlock(void *block) const;
  /// An scf.if of two blocks, each ended by `yield`; `elseBlock` may be null if there are no results.
  void createIf(Tensor condition, void *thenBlock, void *elseBlock, llvm::ArrayRef<Type> types,
                llvm::SmallVectorImpl<Tensor> &results);
  void yield(llvm::ArrayRef<Tensor> values);
  /// The branch taken, at build time unknown: poison of a type.
  Tensor poison(Type type);

  struct LoopOptions {
    std::optional<int64_t> numStages, unrollFactor;
    bool disallowAccMultiBuffer = false, flatten = false, warpSpecialize = false, disableLicm = false;
  };
  /// An scf.for; the insertion point moves into its body. Gives the induction variable and the carried values.
  Result<Tensor> beginFor(Operand start, Operand end, Operand step, llvm::ArrayRef<Tensor> inits, llvm::StringRef name,
                          llvm::ArrayRef<std::string> names, const LoopOptions &options, llvm::SmallVectorImpl<Tensor> &carried);
  void endFor(llvm::ArrayRef<Tensor> values, llvm::SmallVectorImpl<Tensor> &results);
  /// An scf.while; the insertion point moves into its condition, then into its body.
  void beginWhile(llvm::ArrayRef<Tensor> inits, llvm::ArrayRef<std::string> names, llvm::SmallVectorImpl<Tensor> &carried);
  void beginWhileBody(Tensor condition, bool disableLicm, llvm::ArrayRef<Tensor> forwarded, llvm::ArrayRef<std::string> names,
                      llvm::SmallVectorImpl<Tensor> &carried);
  void endWhile(llvm::ArrayRef<Tensor> values, llvm::SmallVectorImpl<Tensor> &results);

  //===--- numbers, promotion, broadcasting --------------------------------===//
  Result<Elem> numberType(const Number &number) const; ///< the type a number takes by itself
  Result<Tensor> toTensor(const Operand &operand);
  Result<Tensor> constant(const Number &number, Elem elem);
  Result<Elem> integerPromote(Elem a, Elem b) const;
  /// Both operands in the type of the result, and in one shape.
  Result<Nothing> promote(const Operand &a, const Operand &b, Tensor &x, Tensor &y, bool pointerA, bool pointerB,
                          bool arithmetic, bool division);
  Result<Nothing> broadcastTogether(Tensor &a, Tensor &b);
  Result<Nothing> broadcastAll(llvm::MutableArrayRef<Tensor> values);

  //===--- arithmetic ------------------------------------------------------===//
  Result<Tensor> binary(BinaryOp op, const Operand &a, const Operand &b, bool sanitize = true);
  Result<Tensor> compare(CompareOp op, const Operand &a, const Operand &b);
  Result<Tensor> logicalAnd(Tensor a, Tensor b);
  Result<Tensor> logicalOr(Tensor a, Tensor b);
  Result<Tensor> logicalNot(Tensor value);
  Result<Tensor> negate(Tensor value);
  Result<Tensor> invert(Tensor value);
  Result<Tensor> minMax(bool isMax, const Operand &a, const Operand &b, bool propagateNan);
  Result<Tensor> clamp(const Operand &x, const Operand &lo, const Operand &hi, bool propagateNan);
  Result<Tensor> where(Tensor condition, const Operand &x, const Operand &y);
  Result<Tensor> math(MathOp op, const Operand &x);
  Result<Tensor> abs(const Operand &x);
  Result<Tensor> fdiv(const Operand &x, const Operand &y, bool ieee);
  Result<Tensor> divRn(const Operand &x, const Operand &y);
  Result<Tensor> fma(const Operand &x, const Operand &y, const Operand &z);
  Result<Tensor> umulhi(const Operand &x, const Operand &y);

  //===--- casts -----------------------------------------------------------===//
  Result<Tensor> cast(Tensor value, Elem elem, Rounding rounding = Rounding::Default);
  Result<Tensor> bitcast(Tensor value, Elem elem);

  //===--- creation and shape ------------------------------------------------===//
  Result<Tensor> programId(int64_t axis);
  Result<Tensor> numPrograms(int64_t axis);
  Result<Tensor> arange(int64_t start, int64_t end);
  Result<Tensor> full(llvm::ArrayRef<int64_t> shape, const Operand &value, Elem elem);
  Result<Nothing> checkShape(llvm::ArrayRef<int64_t> shape) const;
  Result<Tensor> splat(Tensor value, llvm::ArrayRef<int64_t> shape);
  Result<Tensor> unsplat(Tensor value);
  Result<Tensor> expandDims(Tensor value, int64_t axis);
  Result<Tensor> broadcastTo(Tensor value, llvm::ArrayRef<int64_t> shape);
  Result<Tensor> reshape(Tensor value, llvm::ArrayRef<int64_t> shape, bool mayReorder);
  Result<Tensor> permute(Tensor value, llvm::ArrayRef<int64_t> order);
  Result<Tensor> join(Tensor a, Tensor b);
  Result<std::pair<Tensor, Tensor>> split(Tensor value);
  Result<Tensor> cat(Tensor a, Tensor b, int64_t dim);
  Result<Tensor> gather(Tensor source, Tensor index, int64_t axis);
  Result<Tensor> histogram(Tensor value, int64_t bins, std::optional<Tensor> mask);

  //===--- memory ------------------------------------------------------------===//
  Result<Tensor> load(Tensor pointer, std::optional<Operand> mask, std::optional<Operand> other, const MemoryHints &hints);
  Result<Nothing> store(Tensor pointer, const Operand &value, std::optional<Operand> mask, const MemoryHints &hints);
  Result<Tensor> atomic(AtomicOp op, Tensor pointer, const Operand &value, std::optional<Operand> mask, llvm::StringRef order,
                        llvm::StringRef scope);
  Result<Tensor> atomicCas(Tensor pointer, Tensor expected, Tensor value, llvm::StringRef order, llvm::StringRef scope);

  //===--- shared memory -------------------------------------------------------===//
  /// A new array in the program's own memory, called after the variable that is being computed; gives a pointer to its first element.
  Result<Tensor> sharedMemory(llvm::ArrayRef<int64_t> shape, Elem elem);
  /// Pointers to what `indices`, one for each dimension of `shape`, select. With `mask`, ranges may be of any length: they are rounded up
  /// to a power of two, and where one was, `mask` tells the elements that count.
  Result<Tensor> sharedPointer(Tensor base, llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<SharedIndex> indices,
                               std::optional<Tensor> *mask = nullptr);
  Result<Nothing> sharedBarrier();

  //===--- contraction, reduction, scan ----------------------------------------===//
  Result<Tensor> dot(Tensor a, Tensor b, std::optional<Tensor> acc, llvm::StringRef precision, std::optional<int64_t> imprecise,
                     std::optional<Elem> outElem);
  /// A reduction or a scan; the insertion point moves into its region, whose arguments are given.
  Result<Nothing> beginReduce(llvm::ArrayRef<Tensor> inputs, int64_t axis, llvm::SmallVectorImpl<Tensor> &arguments);
  Result<Nothing> beginScan(llvm::ArrayRef<Tensor> inputs, int64_t axis, bool reverse, llvm::SmallVectorImpl<Tensor> &arguments);
  Result<Nothing> endCombine(llvm::ArrayRef<Tensor> values, llvm::SmallVectorImpl<Tensor> &results);

  //===--- hints and debugging ---------------------------------------------------===//
  Result<Tensor> hint(llvm::StringRef attribute, llvm::StringRef function, Tensor value, llvm::ArrayRef<int64_t> values);
  Result<Nothing> assume(Tensor condition);
  Result<Nothing> debugBarrier();
  Result<Nothing> devicePrint(std::string prefix, llvm::ArrayRef<Tensor> values, bool hex);
  Result<Nothing> deviceAssert(Tensor condition, llvm::StringRef message, std::optional<Tensor> mask);
  Result<Tensor> externElementwise(llvm::StringRef library, llvm::StringRef path, llvm::StringRef symbol,
                                   llvm::ArrayRef<Tensor> arguments, Elem result, bool isPure);

  struct State;

private:
  std::unique_ptr<State> state;
};

} // namespace triton_metal::frontend
