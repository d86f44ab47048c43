; RUN: split-file %s %t
; RUN: softmetal-opt -entry %t/kernel.ll | FileCheck %s
; RUN: not softmetal-opt -entry %t/unknown.ll 2>&1 | FileCheck %s --check-prefix=UNKNOWN
; RUN: softmetal-opt -entry %t/helper.ll | FileCheck %s --check-prefix=HELPER
; The runtime calls one function with the ids of a lane; it reads what the kernel's arguments ask for and calls the kernel.

;--- kernel.ll
; CHECK: define internal void @k(ptr addrspace(1) %y, i32 %l) [[ATTRIBUTES:#[0-9]+]]
; CHECK: define void @softmetal.entry(ptr %{{.*}})
; CHECK: call void @k(ptr addrspace(1) %{{.*}}, i32 %{{.*}})
; CHECK: attributes [[ATTRIBUTES]] = {{.*}}alwaysinline
define void @k(ptr addrspace(1) %y, i32 %l) {
  ret void
}
!air.kernel = !{!0}
!0 = !{ptr @k, !1, !2}
!1 = !{}
!2 = !{!3, !4}
!3 = !{i32 0, !"air.buffer", !"air.location_index", i32 0, i32 1, !"air.read_write"}
!4 = !{i32 1, !"air.thread_position_in_threadgroup"}

;--- unknown.ll
; UNKNOWN: error: the kernel k has an argument of the kind phase_of_the_moon
define void @k(ptr addrspace(1) %y, i32 %l) {
  ret void
}
!air.kernel = !{!0}
!0 = !{ptr @k, !1, !2}
!1 = !{}
!2 = !{!3, !4}
!3 = !{i32 0, !"air.buffer", !"air.location_index", i32 0, i32 1, !"air.read_write"}
!4 = !{i32 1, !"air.phase_of_the_moon"}
;--- helper.ll
; Functions that the kernel calls are not its entry.
; HELPER: define internal void @helper(i32 %{{.*}}) {
define internal void @helper(i32 %n) {
  ret void
}
define void @k(ptr addrspace(1) %y, i32 %l) {
  call void @helper(i32 %l)
  ret void
}
!air.kernel = !{!0}
!0 = !{ptr @k, !1, !2}
!1 = !{}
!2 = !{!3, !4}
!3 = !{i32 0, !"air.buffer", !"air.location_index", i32 0, i32 1, !"air.read_write"}
!4 = !{i32 1, !"air.thread_position_in_threadgroup"}
