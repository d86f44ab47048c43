//===- Program.h - one program of a kernel: what is computed where, and in which order -===//
//
// Walks the blocks of a tt.func and emits scf, arith, vector and LLVM memory operations. Scalars become SSA values at once. A tensor is
// not computed where it stands but where a *root* wants it: a store, a reduction, a dot, the value of a loop. Roots over one shape that
// do not depend on one another share a nest (Group). What a later nest wants again is kept in a buffer if it is dear to compute or if
// memory that it was loaded from may have changed.
//
//===----------------------------------------------------------------------------===//
#pragma once
#include "Buffers.h"
#include "Nest.h"

#include "triton_metal/Conversion/TritonToCPU/Dot.h"
#include "triton_metal/Dialect/Triton/IR/Dialect.h"
#include "triton_metal/Runtime/CPU/Callbacks.h"

namespace triton_metal::cpu {

/// A value that a nest has to produce.
struct Root {
  enum Kind {
    Store,  ///< tt.store
    Reduce, ///< tt.reduce
    Keep,   ///< `value` into `buffer`
  } kind;
  mlir::Operation *op = nullptr;
  mlir::Value value;
  Buffer *buffer = nullptr;
  bool remember = false;                  ///< Keep: from now on the value is read from the buffer
  llvm::SmallVector<Buffer *, 2> results; ///< Reduce: of rank > 0
};

/// Roots that share a nest.
struct Group {
  llvm::SmallVector<int64_t, 4> shape;
  int axis = -1; ///< reductions along this axis with lanes along others; -1: lanes along the last axis
  llvm::SmallVector<Root, 4> roots;
  bool stores() const {
    return llvm::any_of(roots, [](const Root &root) { return root.kind == Root::Store; });
  }
};

struct ProgramOptions {
  unsigned vectorBits = 256;
  bool checked = false; ///< accesses are compared with the arrays passed, loops ask whether to end
  DotMachine dot;
};

class Program {
public:
  Program(mlir::OpBuilder &builder, const ProgramOptions &options) : options(options), b(builder) {}

  /// What a tt function receives beside its arguments.
  struct Frame {
    mlir::Value programId[3], programCount[3], arena;
  };
  /// Emits the body of `func` into the region of `entry`, whose arguments are mapped by bindScalar already. Returns the bytes of the arena.
  mlir::FailureOr<int64_t> lower(tt::FuncOp func, mlir::Block *entry, const Frame &frame);

  void bindScalar(mlir::Value value, mlir::Value scalar) { scalars[value] = scalar; }
  mlir::Value scalar(mlir::Value value);
  /// The buffer that holds a tensor, or null. Counts as a use.
  Buffer *bufferOf(mlir::Value value);

  void refuse(mlir::Operation *op, mlir::Location loc, const llvm::Twine &reason);

  const ProgramOptions options;

private:
  friend class GroupEmitter;
  friend class Nest;

  // Program.cpp: order.
  void lowerBlock(mlir::Block &block);
  void keepForOtherBlocks(mlir::Block &source);
  void lowerTerminator(mlir::Operation *op, const llvm::DenseMap<mlir::Block *, mlir::Block *> &targets,
                       const llvm::DenseMap<mlir::Block *, llvm::SmallVector<Buffer *>> &carried);
  void lowerOp(mlir::Operation *op);
  void lowerScalarOp(mlir::Operation *op);
  void lowerScalarMemory(mlir::Operation *op);
  void lowerReduce(tt::ReduceOp op);
  void addRoot(Root root, llvm::ArrayRef<int64_t> shape, int axis = -1);
  void flush();
  /// Keeps what the plan of `group` says, then emits it.
  void emitPlanned(Group &group, llvm::ArrayRef<mlir::Value> before);
  void emit(Group &group);
  Buffer *keep(mlir::Value value, Buffer *into = nullptr);
  Buffer *newBuffer(mlir::Value like);
  void setBuffer(mlir::Value value, Buffer *buffer);
  Buffer *constantBuffer(mlir::Value value, mlir::DenseElementsAttr elements);

  // Expressions.cpp: what expressions need and cost.
  bool isLazy(mlir::Operation *op) const;
  bool isEager(tt::LoadOp load) const;
  unsigned cost(mlir::Value value);
  bool readsMemory(mlir::Value value);
  void prepare(mlir::ValueRange values);
  void keepBroadcast(mlir::Value value, llvm::DenseSet<mlir::Value> &visited, llvm::SmallVectorImpl<mlir::Value> &wanted);
  void keepForRegions(mlir::Operation *op);
  bool dependsOnPending(mlir::ValueRange values);
  bool mayOverlap(tt::StoreOp store, tt::LoadOp load);
  enum class Reads { No, Same, Other };
  Reads reads(mlir::Value value, Buffer *buffer, bool same = true);
  void visitLater(mlir::Operation *from, llvm::function_ref<void(mlir::Value)> visit);
  void planKeeps(Group &group, llvm::SmallVectorImpl<mlir::Value> &before);

  // ControlFlow.cpp
  void lowerFor(mlir::scf::ForOp op);
  void lowerIf(mlir::scf::IfOp op);
  void lowerWhile(mlir::scf::WhileOp op);
  void assign(mlir::ValueRange values, llvm::ArrayRef<Buffer *> buffers);
  llvm::SmallVector<mlir::Value> lowerRegionBlock(mlir::Block &source, mlir::Block *target, llvm::ArrayRef<Buffer *> yieldBuffers);

  // Contraction.cpp
  void lowerDot(tt::DotOp op);
  Buffer *accumulatorInPlace(tt::DotOp op);
  bool runsAlongRows(mlir::Value value);
  mlir::Value generate(Nest &outer, mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value, mlir::ValueRange indices,
                       unsigned lanesDim, int64_t width);

  // Ordered.cpp: what is done element by element, or by its own loops.
  void lowerScan(tt::ScanOp op);
  void lowerAtomic(mlir::Operation *op);
  void lowerHistogram(tt::HistogramOp op);
  void lowerCat(tt::CatOp op);
  void forEachElement(llvm::ArrayRef<int64_t> shape, mlir::Location loc, llvm::function_ref<void(Nest &, unsigned)> body,
                      int64_t width = 1);

  // SharedMemory.cpp
  void lowerSharedMemory(tt::SharedMemoryOp op);
  void lowerBarrier(mlir::Operation *op);

  // RuntimeCalls.cpp
  void callRuntime(mlir::OpBuilder &builder, mlir::Location loc, llvm::StringRef name, const Site &site, llvm::StringRef text,
                   mlir::ValueRange operands);
  void lowerPrint(tt::PrintOp op);
  void lowerAssert(tt::AssertOp op);

  // Checked.cpp
  std::optional<Site> accessSite(const Access &access, mlir::Type memory) const;
  std::optional<Site> sharedSite(const Access &access, mlir::Type memory) const;
  mlir::Value addressSlot();
  /// At the end of a loop's body: asks whether to go on, in checked code and in loops whose end depends on data.
  void pollInLoop(mlir::Block *body, mlir::Location loc, bool mayBeEndless);

  mlir::OpBuilder &here();

  mlir::OpBuilder &b;
  mlir::Block *block = nullptr; ///< where code goes, at its end
  Frame frame;
  Arena arena;
  std::deque<Buffer> constantBuffers; ///< beside the code, not in the arena
  llvm::DenseMap<mlir::Value, Buffer *> constants;
  std::string kernelName;
  mlir::Block *entryBlock = nullptr;
  llvm::DenseMap<mlir::Operation *, int32_t> sharedArrays; ///< the numbers of tt.shared_memory operations
  mlir::Value slot;                            ///< where the addresses of scattered lanes go that are checked; 64 of them
  llvm::StringMap<mlir::LLVM::GlobalOp> sites; ///< constants that callbacks get, by their bytes
  llvm::DenseMap<mlir::Value, mlir::Value> scalars;
  llvm::DenseMap<mlir::Value, Buffer *> buffers;
  llvm::SmallVector<mlir::Value> bufferTrail; ///< values with buffers, in order, to forget those of a left block
  llvm::DenseMap<mlir::Value, unsigned> costs;
  llvm::DenseSet<mlir::Operation *> loaded; ///< loads passed so far
  Group pending;
  llvm::DenseSet<mlir::Value> pendingResults;
  mlir::Operation *cursor = nullptr; ///< first operation not yet lowered
  bool failed = false;
};

/// The kernel's parameter or the shared array (tt.shared_memory) that all lanes of a tensor of pointers come from, or null if there
/// is no one.
mlir::Value pointerRoot(mlir::Value pointers);
/// Whether accesses through these pointers may meet in memory.
bool mayOverlap(mlir::Value pointers, mlir::Value others);

/// Makes a scf.for without terminator and without iteration arguments set up beyond `inits`.
mlir::scf::ForOp makeLoop(mlir::OpBuilder &b, mlir::Location loc, mlir::Value from, mlir::Value to, mlir::Value step,
                          mlir::ValueRange inits);
/// Ends `block` with scf.yield.
void closeBlock(mlir::OpBuilder &b, mlir::Location loc, mlir::Block *block, mlir::ValueRange yielded);

} // namespace triton_metal::cpu
