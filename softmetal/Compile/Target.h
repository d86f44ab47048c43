// The target "air64" of clang: Metal's address spaces, AIR's data layout, native half and bfloat.
#ifndef SOFTMETAL_COMPILE_TARGET_H
#define SOFTMETAL_COMPILE_TARGET_H

#include "clang/Basic/TargetInfo.h"
#include "llvm/ADT/IntrusiveRefCntPtr.h"

namespace softmetal {

// Address spaces of AIR, as they stand in pointers of a module.
namespace space {
enum : unsigned { Thread = 0, Device = 1, Constant = 2, Threadgroup = 3 };
}

// What a module compiled from text names as its target, and the layout that goes with it.
extern const char AirTriple[];
extern const char AirDataLayout[];

// "thread", "device", ..., for messages.
const char *addressSpaceName(clang::LangAS);

clang::TargetInfo *createAirTarget();

} // namespace softmetal

#endif
