; RUN: softmetal-opt -divisions %s | FileCheck %s
; A division that a processor traps on divides by one; a divisor that cannot trap stays. The pass has nothing to report.

; CHECK-LABEL: define void @k
; CHECK: %[[ZERO:.*]] = icmp eq i32 %l, 0
; CHECK: icmp eq i32 %l, -1
; CHECK: %[[D:.*]] = select i1 %{{.*}}, i32 1, i32 %l
; CHECK: sdiv i32 %v, %[[D]]
; CHECK: urem i32 %q, 7
define void @k(ptr addrspace(1) %y, i32 %l) {
  %v = load i32, ptr addrspace(1) %y
  %q = sdiv i32 %v, %l
  %r = urem i32 %q, 7
  store i32 %r, ptr addrspace(1) %y
  ret void
}
!air.kernel = !{!0}
!0 = !{ptr @k, !1, !2}
!1 = !{}
!2 = !{!3, !4}
!3 = !{i32 0, !"air.buffer", !"air.location_index", i32 0, i32 1, !"air.read_write"}
!4 = !{i32 1, !"air.thread_position_in_threadgroup"}
