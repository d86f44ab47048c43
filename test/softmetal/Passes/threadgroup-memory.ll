; RUN: split-file %s %t
; RUN: softmetal-opt -threadgroup-memory %t/arrays.ll | FileCheck %s
; RUN: softmetal-opt -threadgroup-memory -report %t/arrays.ll | FileCheck %s --check-prefix=REPORT
; RUN: not softmetal-opt -threadgroup-memory %t/huge.ll 2>&1 | FileCheck %s --check-prefix=HUGE
; RUN: softmetal-opt -threadgroup-memory %t/none.ll | FileCheck %s --check-prefix=NONE
; Arrays become offsets from the threadgroup's base; checked code has red zones between them.

;--- arrays.ll
; CHECK-NOT: addrspace(3) global
; CHECK: call ptr @softmetal_rt_threadgroup()
; CHECK: store float 1.000000e+00, ptr addrspace(3) %{{.*}}
; CHECK: ; array s: 0 to 32
; CHECK: ; array t: 32 to 48
; REPORT: ; array s: 0 to 32
; REPORT: ; array t: 96 to 112
@s = internal addrspace(3) global [8 x float] undef, align 4
@t = internal addrspace(3) global [4 x float] undef, align 4
define void @k(ptr addrspace(1) %y, i32 %l) {
  store float 1.0, ptr addrspace(3) @s
  store float 2.0, ptr addrspace(3) @t
  ret void
}
!air.kernel = !{!0}
!0 = !{ptr @k, !1, !2}
!1 = !{}
!2 = !{!3, !4}
!3 = !{i32 0, !"air.buffer", !"air.location_index", i32 0, i32 1, !"air.read_write"}
!4 = !{i32 1, !"air.thread_position_in_threadgroup"}

;--- huge.ll
; HUGE: error: the threadgroup array s has 4194304 bytes; 32768 is the most
@s = internal addrspace(3) global [1048576 x float] undef
define void @k(ptr addrspace(1) %y, i32 %l) {
  store float 1.0, ptr addrspace(3) @s
  ret void
}
!air.kernel = !{!0}
!0 = !{ptr @k, !1, !2}
!1 = !{}
!2 = !{!3, !4}
!3 = !{i32 0, !"air.buffer", !"air.location_index", i32 0, i32 1, !"air.read_write"}
!4 = !{i32 1, !"air.thread_position_in_threadgroup"}

;--- none.ll
; NONE-NOT: softmetal_rt
define void @k(ptr addrspace(1) %y, i32 %l) {
  store float 1.0, ptr addrspace(1) %y
  ret void
}
!air.kernel = !{!0}
!0 = !{ptr @k, !1, !2}
!1 = !{}
!2 = !{!3, !4}
!3 = !{i32 0, !"air.buffer", !"air.location_index", i32 0, i32 1, !"air.read_write"}
!4 = !{i32 1, !"air.thread_position_in_threadgroup"}
