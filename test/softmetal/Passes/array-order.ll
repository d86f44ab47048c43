; RUN: split-file %s %t
; RUN: softmetal-opt -array-order %t/declared.ll | FileCheck %s
; RUN: softmetal-opt -array-order %t/argument.ll | FileCheck %s --check-prefix=ARGUMENT
; What a lane wrote itself is read again, and a write that another follows stays.

;--- declared.ll

; CHECK: store volatile float 1.0
; CHECK-NEXT: store volatile float 2.0
; CHECK-NEXT: load volatile float, ptr addrspace(3)
; CHECK-NEXT: store float %v, ptr addrspace(1)
@s = internal addrspace(3) global [8 x float] undef, align 4
define void @k(ptr addrspace(1) %y) {
  store float 1.0, ptr addrspace(3) @s, align 4
  store float 2.0, ptr addrspace(3) @s, align 4
  %v = load float, ptr addrspace(3) @s, align 4
  store float %v, ptr addrspace(1) %y
  ret void
}
!air.kernel = !{!0}
!0 = !{ptr @k, !1, !2}
!1 = !{}
!2 = !{!3}
!3 = !{i32 0, !"air.buffer", !"air.location_index", i32 0, i32 1, !"air.read_write"}

;--- argument.ll
; Without an array that the kernel declares nothing changes.
; ARGUMENT-NOT: volatile
define void @k(ptr addrspace(3) %pool) {
  store float 1.0, ptr addrspace(3) %pool, align 4
  ret void
}
!air.kernel = !{!0}
!0 = !{ptr @k, !1, !2}
!1 = !{}
!2 = !{!3}
!3 = !{i32 0, !"air.buffer", !"air.location_index", i32 0, i32 1, !"air.read_write"}
