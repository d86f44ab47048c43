; RUN: split-file %s %t
; RUN: softmetal-opt -matrices %t/multiply.ll | FileCheck %s
; RUN: not softmetal-opt -matrices %t/argument.ll 2>&1 | FileCheck %s --check-prefix=ARGUMENT
; RUN: softmetal-opt -matrices %t/vector.ll | FileCheck %s --check-prefix=VECTOR
; A lane holds two of a matrix' 64 elements. Other vectors stay.

;--- multiply.ll
; CHECK-LABEL: define void @k
; CHECK-NOT: <64 x float>
; CHECK: call void @softmetal_rt_collective(
; CHECK: load <2 x float>
define void @k(ptr addrspace(1) %y, i32 %l) {
  %m = call <64 x float> @air.simdgroup_matrix_8x8_init_filled.v64f32.f32(float 2.0)
  %r = call <64 x float> @air.simdgroup_matrix_8x8_multiply_accumulate.v64f32.v64f32.v64f32.v64f32(<64 x float> %m, <64 x float> %m, <64 x float> %m)
  %e = extractelement <64 x float> %r, i32 1
  store float %e, ptr addrspace(1) %y
  ret void
}
declare <64 x float> @air.simdgroup_matrix_8x8_multiply_accumulate.v64f32.v64f32.v64f32.v64f32(<64 x float>, <64 x float>, <64 x float>)
declare <64 x float> @air.simdgroup_matrix_8x8_init_filled.v64f32.f32(float)
!air.kernel = !{!0}
!0 = !{ptr @k, !1, !2}
!1 = !{}
!2 = !{!3, !4}
!3 = !{i32 0, !"air.buffer", !"air.location_index", i32 0, i32 1, !"air.read_write"}
!4 = !{i32 1, !"air.thread_position_in_threadgroup"}

;--- argument.ll
; ARGUMENT: error: matrix value that cannot be held by a lane's two elements: <64 x float> %m
define internal float @take(<64 x float> %m) {
  %e = extractelement <64 x float> %m, i32 0
  ret float %e
}
define void @k(ptr addrspace(1) %y, i32 %l) {
  %m = call <64 x float> @air.simdgroup_matrix_8x8_init_filled.v64f32.f32(float 2.0)
  %e = call float @take(<64 x float> %m)
  store float %e, ptr addrspace(1) %y
  ret void
}
declare <64 x float> @air.simdgroup_matrix_8x8_init_filled.v64f32.f32(float)
!air.kernel = !{!0}
!0 = !{ptr @k, !1, !2}
!1 = !{}
!2 = !{!3, !4}
!3 = !{i32 0, !"air.buffer", !"air.location_index", i32 0, i32 1, !"air.read_write"}
!4 = !{i32 1, !"air.thread_position_in_threadgroup"}

;--- vector.ll
; VECTOR: load <4 x float>
define void @k(ptr addrspace(1) %y, i32 %l) {
  %v = load <4 x float>, ptr addrspace(1) %y
  store <4 x float> %v, ptr addrspace(1) %y
  ret void
}
!air.kernel = !{!0}
!0 = !{ptr @k, !1, !2}
!1 = !{}
!2 = !{!3, !4}
!3 = !{i32 0, !"air.buffer", !"air.location_index", i32 0, i32 1, !"air.read_write"}
!4 = !{i32 1, !"air.thread_position_in_threadgroup"}
