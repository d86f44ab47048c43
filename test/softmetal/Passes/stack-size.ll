; RUN: split-file %s %t
; RUN: softmetal-opt -entry -stack-size %t/array.ll | FileCheck %s
; RUN: not softmetal-opt -entry -stack-size %t/recursion.ll 2>&1 | FileCheck %s --check-prefix=RECURSION
; RUN: not softmetal-opt -entry -stack-size %t/huge.ll 2>&1 | FileCheck %s --check-prefix=HUGE
; RUN: softmetal-opt -entry -stack-size %t/none.ll | FileCheck %s --check-prefix=NONE
; A lane's stack holds the arrays of the deepest chain of calls, and what the runtime needs.

;--- array.ll
; CHECK: ; stack 126976
define void @k(ptr addrspace(1) %y, i32 %l) {
  %a = alloca [100000 x i8]
  store volatile i8 0, ptr %a
  ret void
}
!air.kernel = !{!0}
!0 = !{ptr @k, !1, !2}
!1 = !{}
!2 = !{!3, !4}
!3 = !{i32 0, !"air.buffer", !"air.location_index", i32 0, i32 1, !"air.read_write"}
!4 = !{i32 1, !"air.thread_position_in_threadgroup"}

;--- none.ll
; NONE: ; stack 28672
define void @k(ptr addrspace(1) %y, i32 %l) {
  ret void
}
!air.kernel = !{!0}
!0 = !{ptr @k, !1, !2}
!1 = !{}
!2 = !{!3, !4}
!3 = !{i32 0, !"air.buffer", !"air.location_index", i32 0, i32 1, !"air.read_write"}
!4 = !{i32 1, !"air.thread_position_in_threadgroup"}

;--- huge.ll
; HUGE: error: a lane would need {{[0-9]+}} bytes of stack
define void @k(ptr addrspace(1) %y, i32 %l) {
  %a = alloca [100000000 x i8]
  store volatile i8 0, ptr %a
  ret void
}
!air.kernel = !{!0}
!0 = !{ptr @k, !1, !2}
!1 = !{}
!2 = !{!3, !4}
!3 = !{i32 0, !"air.buffer", !"air.location_index", i32 0, i32 1, !"air.read_write"}
!4 = !{i32 1, !"air.thread_position_in_threadgroup"}

;--- recursion.ll
; RECURSION: error: the function {{[fgk]}} calls itself; Metal has no recursion
define internal void @f(i32 %n) {
  call void @g(i32 %n)
  ret void
}
define internal void @g(i32 %n) {
  %c = icmp eq i32 %n, 0
  br i1 %c, label %end, label %more
more:
  call void @f(i32 %n)
  br label %end
end:
  ret void
}
define void @k(ptr addrspace(1) %y, i32 %l) {
  call void @f(i32 %l)
  ret void
}
!air.kernel = !{!0}
!0 = !{ptr @k, !1, !2}
!1 = !{}
!2 = !{!3, !4}
!3 = !{i32 0, !"air.buffer", !"air.location_index", i32 0, i32 1, !"air.read_write"}
!4 = !{i32 1, !"air.thread_position_in_threadgroup"}
