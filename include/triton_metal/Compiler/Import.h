//===- Import.h - text of other releases, before it is parsed ------------------------===//
#pragma once
#include "triton_metal/Compiler/Error.h"

#include <string>
#include <string_view>

namespace triton_metal {

/// The text of a module of Triton 3.2 to 3.9 as our parser reads it, line for line: barriers of the GPU dialects become
/// tt.debug_barrier, hints without meaning here are dropped. Text that is no portable TTIR (a later stage, block pointers, descriptors,
/// operations that nothing here implements) is an error that says what it is and what to do instead.
Result<std::string> importText(std::string_view text, std::string_view name);

} // namespace triton_metal
