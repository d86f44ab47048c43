; RUN: split-file %s %t
; RUN: softmetal-opt -count %t/accesses.ll | FileCheck %s
; RUN: softmetal-opt -count %t/integers.ll | FileCheck %s --check-prefix=INTEGERS
; Accesses of shared memory are counted one by one, with their place in the source, floating-point operations block by block.

;--- accesses.ll
; CHECK: call void @softmetal_rt_count_device(ptr %{{.*}}, i32 4, i32 0, i32 1, i32 0)
; CHECK: call void @softmetal_rt_count_device(ptr %{{.*}}, i32 4, i32 1, i32 2, i32 0)
; CHECK: call void @softmetal_rt_count_distinct(i32 96, i32 0, i32 0, i32 0)
; CHECK: call void @softmetal_rt_count_operations(i32 3)
; CHECK: ; site 1: kernel.metal:7:3
; CHECK: ; site 2: kernel.metal:9:5
define void @k(ptr addrspace(1) %y, i32 %l) !dbg !22 {
  %v = load float, ptr addrspace(1) %y, !dbg !25
  %w = fadd float %v, %v
  %x = call float @llvm.fmuladd.f32(float %w, float %w, float %v)
  store float %x, ptr addrspace(1) %y, !dbg !26
  ret void
}
declare float @llvm.fmuladd.f32(float, float, float)
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

;--- integers.ll
; INTEGERS-NOT: softmetal_rt
define void @k(ptr addrspace(1) %y, i32 %l) {
  %a = alloca i32
  %n = mul i32 %l, 3
  store volatile i32 %n, ptr %a
  ret void
}
!air.kernel = !{!0}
!0 = !{ptr @k, !1, !2}
!1 = !{}
!2 = !{!3, !4}
!3 = !{i32 0, !"air.buffer", !"air.location_index", i32 0, i32 1, !"air.read_write"}
!4 = !{i32 1, !"air.thread_position_in_threadgroup"}
