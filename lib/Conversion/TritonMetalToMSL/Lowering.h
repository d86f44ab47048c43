//===- Lowering.h - one kernel from ttm to msl ---------------------------------------===//
//
// How tensors become loops. A lane holds 2^n registers of a tensor; what it computes with them is printed as a nest of short loops
// over the bits of the register number, one loop for each run of bits that walk along a dimension.
//
// A value is one of three things:
//  - lazy: cheap and made of ranges, splats and constants only. It has no registers; wherever it is used it is computed again from
//    the coordinates of the element (`x_ptr + offsets`, masks).
//  - a renaming (expand_dims, broadcast, trans, ..) of another value: read with its bits mapped onto those of that value.
//  - eager: computed where it stands. Eager operations on one layout, in a row, share a nest. A value that is used outside of its
//    nest is stored in a local array, all others live in the loop's body.
//
// A store ends its nest if loads stand in it and the nest has more than one round: all elements are loaded before any is stored.
//
// A View says, for each bit of a tensor's row-major element index, where the lane finds it: in a loop counter, in its own number, or
// fixed. All addresses are sums of such bits with weights.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "triton_metal/Analysis/AxisInfo.h"
#include "triton_metal/Dialect/MSL/IR/Dialect.h"
#include "triton_metal/Dialect/TritonMetal/IR/Dialect.h"

#include "mlir/IR/Builders.h"

#include <optional>

namespace triton_metal {
struct Site;
} // namespace triton_metal

namespace triton_metal::lane {

/// One bit of an element index.
struct BitSource {
  enum class Kind : uint8_t { Zero, One, Thread, Counter };
  Kind kind = Kind::Zero;
  uint8_t index = 0;    ///< Thread: bit of the thread's number (lane bits first). Counter: level of the loop
  uint8_t position = 0; ///< Counter: bit of the counter

  bool operator==(const BitSource &other) const {
    return kind == other.kind && index == other.index && position == other.position;
  }
};
using View = llvm::SmallVector<BitSource, 12>;

struct Term {
  BitSource bit;
  uint64_t weight;
};

/// A value and the loop in whose body it lives; 0 is outside of the nest.
struct Located {
  mlir::Value value;
  unsigned level = 0;
};

/// The registers of a tensor in a local variable.
struct Storage {
  mlir::Value variable;
  LinearLayout layout;
  unsigned packBits = 0; ///< low register bits that are the elements of a vector, or of a lane's part of a matrix
  bool isMatrix = false;
};

/// A vector that was loaded as a whole: the variable that holds it, and its indices in the array that may hold all of them.
struct VectorLocal {
  msl::VarOp variable;
  llvm::SmallVector<mlir::Value, 3> indices;
};

/// The mask of a vector access: one value for all elements, or one for each.
struct VectorMask {
  llvm::SmallVector<mlir::Value, 4> elements;
  mlir::Value all; ///< true where all elements are wanted; null: where each of them is
  unsigned level = 0;
};

/// A vector from memory: a value, or the variable in which it was put together.
struct LoadedVector {
  mlir::Value value;
  msl::VarOp variable;
  unsigned level = 0;
};

/// Register bits [first, first + count) walk along one dimension, each twice as far as the one before. Runs make loops, and the
/// dimensions of local arrays.
struct RegisterRun {
  unsigned first, count;
};
/// The runs of bits from `first` on that are not in `skip` (an element mask); a run ends before bit `cut`, if that is not 0.
llvm::SmallVector<RegisterRun> registerRuns(const LinearLayout &layout, unsigned first, unsigned cut, uint32_t skip);

/// Whether two layouts hold the same row-major element in every place; their shapes may differ.
inline bool holdsSame(const LinearLayout &a, const LinearLayout &b) {
  return a.getRegisterBases() == b.getRegisterBases() && a.getLaneBases() == b.getLaneBases() &&
         a.getSimdgroupBases() == b.getSimdgroupBases();
}

/// The loops that are being filled.
struct Nest {
  struct Level {
    mlir::Block *block = nullptr;
    mlir::Operation *next = nullptr; ///< the inner loop, null in the innermost body
    mlir::Value counter;
    unsigned bits = 0;
  };
  LinearLayout domain;
  llvm::SmallVector<Level, 4> levels;
  View identity;
  llvm::SmallVector<View, 4> views;
  llvm::DenseMap<std::pair<mlir::Value, unsigned>, Located> memo;
  llvm::SmallVector<mlir::Value> defined;
  llvm::DenseMap<mlir::Value, VectorLocal> vectors; ///< values loaded as a vector in this nest
  llvm::DenseSet<mlir::Operation *> inside;
  llvm::DenseSet<mlir::Value> crossReads; ///< variables read at another index than that of the element
  bool readsDevice = false, readsShared = false, sealed = false;

  unsigned depth() const { return levels.size() - 1; }
};

class KernelLowering {
public:
  KernelLowering(tt::FuncOp source, unsigned numSimdgroups);
  /// Builds the kernel before `source`; fails with a diagnostic.
  mlir::LogicalResult run();

private:
  using Value = mlir::Value;
  using Operation = mlir::Operation;

  //===--- the kernel, blocks, scalars (TritonMetalToMSL.cpp) ---===//
  mlir::LogicalResult refuseTypes();
  mlir::LogicalResult lowerBlock(mlir::Block &block);
  mlir::LogicalResult lower(Operation *op);
  mlir::LogicalResult lowerScalar(Operation *op);
  mlir::LogicalResult lowerEager(Operation *op);
  void findFragments();

  //===--- elementwise operations on scalars (Elementwise.cpp) ---===//
  mlir::Type convertType(mlir::Type type);
  /// `op` on numbers; null with a diagnostic where Metal has no such operation.
  Value createScalar(Operation *op, mlir::ValueRange operands, mlir::Type type);
  /// The results of a combine region on `arguments`.
  mlir::FailureOr<llvm::SmallVector<Value>> inlineRegion(mlir::Block &block, mlir::ValueRange arguments);
  /// `value` of a type that lies in memory, as a value of `type`, and back: an i1 takes a byte.
  Value fromMemory(Value value, mlir::Type type);
  Value toMemory(Value value);

  //===--- nests (Nests.cpp) ---===//
  Nest &nestFor(mlir::Type tensor);
  /// Opens a nest over the registers of `domain`; bits in `skip` (as an element mask) get no loop and read as zero.
  Nest &openNest(const LinearLayout &domain, uint32_t skip = 0);
  /// One more loop inside, over `bits` bits from `first`; its level is nest->depth() until leaveLoop.
  void enterLoop(unsigned bits, unsigned first);
  void leaveLoop();
  void closeNest();
  void setLevel(unsigned level);
  /// Where scalar code goes: before the loops of an open nest.
  void setScalarPoint();
  Located evaluate(Value value, const View &view);
  std::optional<View> firstOfConstantBlock(Value value, const View &view);
  Located compute(Value value, const View &view);
  /// Makes `value`, of layout and nest, what the eager tensor `tensor` is in this nest.
  void define(Value tensor, Located located);
  Located linear(llvm::ArrayRef<Term> terms);
  Value constant(int64_t value);
  /// A view of the nest with the innermost loop's bits fixed to those of `value`.
  View withInnermost(unsigned value);
  /// The bits of the lane and SIMD-group that `layout` gives to elements, and zero for its registers.
  View threadView(const LinearLayout &layout);

  //===--- values (Nests.cpp, Values.cpp) ---===//
  bool isLazy(Value value);
  unsigned costOf(Value value);
  bool isRenaming(Operation *op);
  View sourceView(Operation *renaming, const View &view);
  bool needsStorage(Value tensor);
  /// Whether `value` is held in `variable`, or is computed from what is where it is used.
  bool readsVariable(Value value, Value variable);
  /// Whether `value` is computed, where it is used, from a tensor that the open nest makes.
  bool readsOpenNest(Value value);
  /// Closes the nest if one of `values` is: they are asked for at other elements than the nest's own, of which it keeps none.
  void closeNestRead(mlir::ValueRange values);
  bool isReadLater(Value tensor, const llvm::DenseSet<Operation *> &besides);
  Storage makeStorage(Value tensor, bool matrix);
  Storage targetFor(Value tensor);
  /// Indices of the register that `view` selects in a local array whose elements hold 2^packBits registers.
  llvm::SmallVector<Located, 3> arrayIndices(const LinearLayout &layout, unsigned packBits, const View &view);
  /// The register that `view` selects; of a packed array the vector that holds it, if `whole`.
  Located place(const Storage &storage, const View &view, bool whole = false);
  /// Copies the registers of `tensor` into `target`.
  void copyInto(const Storage &target, Value tensor);
  unsigned registersOf(Value tensor) { return ttm::getLayout(tensor)->getNumRegisters(); }
  bool isScalarLike(mlir::Type type);
  /// Whether the open nest has loaded from the memory that `pointer` points into.
  bool &readsMemoryOf(Value pointer) { return tt::isSharedPointer(pointer.getType()) ? nest->readsShared : nest->readsDevice; }

  //===--- memory (Memory.cpp) ---===//
  mlir::LogicalResult lowerLoad(tt::LoadOp op);
  mlir::LogicalResult lowerStore(tt::StoreOp op);
  mlir::LogicalResult lowerAtomic(Operation *op, Value ptr, Value mask, Value result);
  mlir::LogicalResult lowerWrite(ttm::WriteOp op);
  mlir::LogicalResult lowerRead(ttm::ReadOp op);
  mlir::LogicalResult lowerReadAt(ttm::ReadAtOp op);
  /// Whether `vector` elements are loaded at once.
  bool loadsVectors(tt::LoadOp op, unsigned vector);
  VectorMask vectorMask(Operation *op, Value mask, unsigned vector, llvm::function_ref<View(unsigned)> element);
  Value wantsAll(const VectorMask &mask);
  Value zeroOf(mlir::Type memory);
  Value createLoad(Value pointer, Value mask, Value other, mlir::Type element);
  /// The vector of the elements element(0), element(1), .., loaded at `level` or deeper.
  LoadedVector loadWhole(tt::LoadOp op, unsigned vector, llvm::function_ref<View(unsigned)> element, unsigned level);
  /// One element, loaded where the nest stands.
  Located loadElement(tt::LoadOp op, const View &view);
  void loadVector(tt::LoadOp op, unsigned vector);
  void storeVector(tt::StoreOp op, unsigned vector);
  Value memoryBase(Value memory);
  Located memoryPlace(ttm::MemoryType type, const View &view);
  Value canonicalTest(const LinearLayout &layout);
  Value conjunction(Value a, Value b);

  //===--- what crosses lanes (Reductions.cpp, Shuffles.cpp) ---===//
  mlir::LogicalResult lowerReduce(tt::ReduceOp op);
  mlir::LogicalResult lowerScan(tt::ScanOp op);
  mlir::LogicalResult lowerShuffle(ttm::ConvertLayoutOp op);
  mlir::LogicalResult reduceLanes(mlir::Block &combine, llvm::SmallVectorImpl<Value> &values, unsigned laneMask);

  //===--- dot (Dot.cpp) ---===//
  mlir::LogicalResult lowerDot(tt::DotOp op);
  mlir::LogicalResult lowerScalarDot(tt::DotOp op);
  void findStreams();
  bool collectStream(Value value, tt::DotOp dot, llvm::SmallVectorImpl<Operation *> &made);
  void streamFragment(Value operand, Located matrix, View view);
  Storage fragmentsOf(Value operand);
  Storage accumulatorOf(tt::DotOp op, bool matrix);

  //===--- printing and assertions (Records.cpp) ---===//
  /// Whether the kernel has a log: its last argument.
  bool keepsLog();
  mlir::LogicalResult lowerPrint(tt::PrintOp op);
  mlir::LogicalResult lowerAssert(tt::AssertOp op);
  void appendRecord(const Site &site, llvm::StringRef text, Value step, Value element, Value bits);
  Value recordedBits(Value value, bool isSigned);
  Value isFirstThread();

  //===--- control flow (ControlFlow.cpp) ---===//
  mlir::LogicalResult lowerFor(mlir::scf::ForOp op);
  mlir::LogicalResult lowerIf(mlir::scf::IfOp op);
  mlir::LogicalResult lowerWhile(mlir::scf::WhileOp op);
  /// Variables for the values of `tensors` (of a loop or an if), and what they are called.
  void declareCarried(mlir::ValueRange values, mlir::ValueRange initial);
  void readCarried(mlir::ValueRange values);
  void assignCarried(mlir::ValueRange targets, mlir::ValueRange values);

  tt::FuncOp source;
  AxisInfoAnalysis axis;
  unsigned simdgroupBits;
  msl::KernelOp kernel;
  mlir::OpBuilder builder;
  mlir::Location loc;
  mlir::Block *current = nullptr;
  std::optional<Nest> nest;

  llvm::DenseMap<Value, Value> scalars;    ///< of numbers, and of tensors with one register
  llvm::DenseMap<Value, Storage> stored;   ///< of tensors in local arrays
  llvm::DenseMap<Value, Value> carried;    ///< variables of carried numbers
  llvm::DenseMap<Value, Storage> targets;  ///< yielded tensors: the variable that they are wanted in
  llvm::DenseMap<Value, Value> carriedArg; ///< yielded tensors: the loop's argument that lives in that variable
  llvm::DenseSet<Operation *> done;
  llvm::DenseSet<Value> fragments;         ///< tensors that live in matrices
  llvm::DenseSet<Value> streamed;          ///< operands of dots that are loaded fragment by fragment
  llvm::DenseSet<Operation *> madeAtUse;   ///< operations that such operands are made by, at the dot
  llvm::DenseMap<Value, unsigned> costs;
  llvm::SmallVector<std::pair<LinearLayout, unsigned>> vectors; ///< longest vector access by layout
  Value steps;                                ///< the variable that counts prints
  llvm::SmallVector<mlir::Attribute> sites;   ///< of records
  int64_t records = 0;                        ///< that a program appends where each loop runs once
};

llvm::StringRef sourceName(mlir::Location location);
/// What a reduction gives is called after its operand and what is done with it.
std::string reductionName(tt::ReduceOp op);

} // namespace triton_metal::lane
