/* MacMetal.h: the table of Metal calls of a Mac. */
#ifndef TRITON_METAL_RUNTIME_METAL_MACMETAL_H
#define TRITON_METAL_RUNTIME_METAL_MACMETAL_H

#include "triton_metal/Runtime/Metal/MetalCalls.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Loads Metal.framework on first use. Null if this system has none. Defined on Apple systems only. */
const MetalCalls *macMetalCalls(void);

#ifdef __cplusplus
}
#endif
#endif
