// RUN: triton-metal-opt %s -tt-plant-fault=kind=swap-sub | FileCheck %s --check-prefix=SUB
// RUN: triton-metal-opt %s -tt-plant-fault=kind=mask-off-by-one | FileCheck %s --check-prefix=MASK
// RUN: triton-metal-opt %s -tt-plant-fault=kind=select-swap | FileCheck %s --check-prefix=SELECT
// RUN: triton-metal-opt %s -tt-plant-fault=kind=shift-logical | FileCheck %s --check-prefix=SHIFT
// RUN: triton-metal-opt %s -tt-plant-fault=kind=reduce-drop | FileCheck %s --check-prefix=REDUCE
// RUN: not triton-metal-opt %s -tt-plant-fault=kind=other 2>&1 | FileCheck %s --check-prefix=UNKNOWN

// UNKNOWN: unknown fault 'other'; there are swap-sub
// SUB: (%[[A:.*]]: tensor<8xi32>, %[[B:.*]]: tensor<8xi32>)
// SUB: arith.subi %[[B]], %[[A]]
// MASK: arith.cmpi sle
// SELECT: (%[[A:.*]]: tensor<8xi32>, %[[B:.*]]: tensor<8xi32>)
// SELECT: arith.select %{{.*}}, %[[B]], %[[A]]
// SHIFT: arith.shrui
// SHIFT-NOT: arith.shrsi
// REDUCE: ^bb0(%[[X:.*]]: i32, %{{.*}}: i32)
// REDUCE: tt.reduce.return %[[X]]
tt.func @kernel(%a: tensor<8xi32>, %b: tensor<8xi32>) -> (tensor<8xi32>, tensor<8xi32>, tensor<8xi32>, i32) {
  %s = arith.subi %a, %b : tensor<8xi32>
  %c = arith.cmpi slt, %a, %b : tensor<8xi32>
  %t = arith.select %c, %a, %b : tensor<8xi1>, tensor<8xi32>
  %r = arith.shrsi %a, %b : tensor<8xi32>
  %u = "tt.reduce"(%a) <{axis = 0 : i32}> ({
  ^bb0(%x: i32, %y: i32):
    %z = arith.addi %x, %y : i32
    tt.reduce.return %z : i32
  }) : (tensor<8xi32>) -> i32
  tt.return %s, %t, %r, %u : tensor<8xi32>, tensor<8xi32>, tensor<8xi32>, i32
}
