// RUN: not triton-metal-opt %s --msl-print-text -o /dev/null 2>&1 | FileCheck %s
// Text has one entry.
// CHECK: error: has no single kernel to print
module {
}
