//===- TypeNames.h - types as signatures spell them --------------------------------===//
#pragma once
#include "mlir/IR/Types.h"

#include <string>

namespace triton_metal::tt {

/// The name that signatures use: "fp32", "i32", "*bf16".
std::string nameOfType(mlir::Type type);

} // namespace triton_metal::tt
