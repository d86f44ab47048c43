; RUN: split-file %s %t
; RUN: softmetal-opt -lower %t/calls.ll | FileCheck %s
; RUN: not softmetal-opt -lower %t/unknown.ll 2>&1 | FileCheck %s --check-prefix=UNKNOWN
; RUN: not softmetal-opt -lower %t/early.ll 2>&1 | FileCheck %s --check-prefix=EARLY
; RUN: softmetal-opt -lower %t/plain.ll | FileCheck %s --check-prefix=PLAIN
; Calls of air.* become operations, functions of the host or calls of the runtime. What is no such call stays.

;--- calls.ll
; CHECK-LABEL: define void @k
; CHECK-NOT: @air.
; CHECK: call float @tanhf(
; CHECK: call void @softmetal_rt_collective(
; CHECK: ; site 1: kernel.metal:7:3
define void @k(ptr addrspace(1) %y, i32 %l) !dbg !22 {
  %v = load float, ptr addrspace(1) %y
  %m = call float @air.fast_tanh.f32(float %v)
  %s = call float @air.simd_sum.f32(float %m), !dbg !25
  store float %s, ptr addrspace(1) %y
  ret void
}
declare float @air.fast_tanh.f32(float)
declare float @air.simd_sum.f32(float)
!air.kernel = !{!0}
!0 = !{ptr @k, !1, !2}
!1 = !{}
!2 = !{!3, !4}
!3 = !{i32 0, !"air.buffer", !"air.location_index", i32 0, i32 1, !"air.read_write"}
!4 = !{i32 1, !"air.thread_position_in_threadgroup"}
!llvm.dbg.cu = !{!20}
!llvm.module.flags = !{!23}
!20 = distinct !DICompileUnit(language: DW_LANG_C_plus_plus_14, file: !21, emissionKind: LineTablesOnly)
!21 = !DIFile(filename: "kernel.metal", directory: "")
!22 = distinct !DISubprogram(name: "k", file: !21, line: 1, type: !24, unit: !20, spFlags: DISPFlagDefinition)
!23 = !{i32 2, !"Debug Info Version", i32 3}
!24 = !DISubroutineType(types: !1)
!25 = !DILocation(line: 7, column: 3, scope: !22)
!26 = !DILocation(line: 9, column: 5, scope: !22)

;--- unknown.ll
; UNKNOWN: error: {{.*}}air.no_such_thing
define void @k(ptr addrspace(1) %y, i32 %l) {
  call void @air.no_such_thing(i32 %l)
  ret void
}
declare void @air.no_such_thing(i32)
!air.kernel = !{!0}
!0 = !{ptr @k, !1, !2}
!1 = !{}
!2 = !{!3, !4}
!3 = !{i32 0, !"air.buffer", !"air.location_index", i32 0, i32 1, !"air.read_write"}
!4 = !{i32 1, !"air.thread_position_in_threadgroup"}

;--- early.ll
; EARLY: error: air.simdgroup_matrix_8x8_init_filled.v64f32.f32 is still there when calls are lowered
define void @k(ptr addrspace(1) %y, i32 %l) {
  %m = call <64 x float> @air.simdgroup_matrix_8x8_init_filled.v64f32.f32(float 2.0)
  ret void
}
declare <64 x float> @air.simdgroup_matrix_8x8_init_filled.v64f32.f32(float)
!air.kernel = !{!0}
!0 = !{ptr @k, !1, !2}
!1 = !{}
!2 = !{!3, !4}
!3 = !{i32 0, !"air.buffer", !"air.location_index", i32 0, i32 1, !"air.read_write"}
!4 = !{i32 1, !"air.thread_position_in_threadgroup"}

;--- plain.ll
; PLAIN: call float @llvm.sqrt.f32(float %v)
define void @k(ptr addrspace(1) %y, i32 %l) {
  %v = load float, ptr addrspace(1) %y
  %r = call float @llvm.sqrt.f32(float %v)
  store float %r, ptr addrspace(1) %y
  ret void
}
declare float @llvm.sqrt.f32(float)
!air.kernel = !{!0}
!0 = !{ptr @k, !1, !2}
!1 = !{}
!2 = !{!3, !4}
!3 = !{i32 0, !"air.buffer", !"air.location_index", i32 0, i32 1, !"air.read_write"}
!4 = !{i32 1, !"air.thread_position_in_threadgroup"}
