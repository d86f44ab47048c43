; RUN: split-file %s %t
; RUN: softmetal-opt -specialise -constant=7=42 %t/constant.ll | FileCheck %s
; RUN: not softmetal-opt -specialise %t/constant.ll 2>&1 | FileCheck %s --check-prefix=MISSING
; RUN: softmetal-opt -specialise %t/plain.ll | FileCheck %s --check-prefix=PLAIN
; A function constant becomes a constant of the module; other variables stay.

;--- constant.ll
; CHECK: @c = internal addrspace(2) constant i32 42
; MISSING: error: function constant 7 (width) has no value
@c = internal addrspace(2) externally_initialized constant i32 undef, section "air.fc_initializer"
define void @k(ptr addrspace(1) %y, i32 %l) {
  %v = load i32, ptr addrspace(2) @c
  store i32 %v, ptr addrspace(1) %y
  ret void
}
!air.function_constants = !{!5}
!5 = !{ptr addrspace(2) @c, !"int", !"width", i32 7, i1 true}
!air.kernel = !{!0}
!0 = !{ptr @k, !1, !2}
!1 = !{}
!2 = !{!3, !4}
!3 = !{i32 0, !"air.buffer", !"air.location_index", i32 0, i32 1, !"air.read_write"}
!4 = !{i32 1, !"air.thread_position_in_threadgroup"}

;--- plain.ll
; PLAIN: @c = internal addrspace(2) constant i32 5
@c = internal addrspace(2) constant i32 5
define void @k(ptr addrspace(1) %y, i32 %l) {
  %v = load i32, ptr addrspace(2) @c
  store i32 %v, ptr addrspace(1) %y
  ret void
}
!air.kernel = !{!0}
!0 = !{ptr @k, !1, !2}
!1 = !{}
!2 = !{!3, !4}
!3 = !{i32 0, !"air.buffer", !"air.location_index", i32 0, i32 1, !"air.read_write"}
!4 = !{i32 1, !"air.thread_position_in_threadgroup"}
