//===- Messages.h - findings in words ------------------------------------------------------------------------------------===//
#pragma once

#include "softmetal/Run/Launch.h"
#include "triton_metal/Runtime/Metal/MetalCalls.h"

namespace softmetal {

/// A finding as a report with lines and a sentence that stands alone.
MetalReport describe(const FindingDetail &finding, const CompiledKernel &kernel, const LaunchArguments &arguments,
                     const std::vector<BufferRange> &ranges);

/// A copy of `text` that freeMessage frees.
char *newMessage(const std::string &text);

} // namespace softmetal
