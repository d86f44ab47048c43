; RUN: split-file %s %t
; RUN: softmetal-opt -uniform %t/promise.ll | FileCheck %s
; RUN: softmetal-opt -uniform %t/none.ll | FileCheck %s --check-prefix=NONE
; A promise that a value is the same in all lanes becomes a comparison of the lanes, which names its line.

;--- promise.ll
; CHECK: store i32 %l, ptr %[[SLOT:[a-z0-9]+]]
; CHECK: call void @softmetal_rt_collective({{.*}}ptr %[[SLOT]]
; CHECK: call void @llvm.assume(i1 true)
; CHECK-NOT: call i1 @air.is_uniform
; CHECK: ; site 1: kernel.metal:7:3
define void @k(ptr addrspace(1) %y, i32 %l) !dbg !22 {
  %u = call i1 @air.is_uniform.i32(i32 %l), !dbg !25
  call void @llvm.assume(i1 %u)
  ret void
}
declare i1 @air.is_uniform.i32(i32)
declare void @llvm.assume(i1)
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

;--- none.ll
; NONE-NOT: softmetal_rt
; NONE: call void @llvm.assume(i1 %c)
define void @k(ptr addrspace(1) %y, i32 %l) {
  %c = icmp ult i32 %l, 8
  call void @llvm.assume(i1 %c)
  ret void
}
declare void @llvm.assume(i1)
!air.kernel = !{!0}
!0 = !{ptr @k, !1, !2}
!1 = !{}
!2 = !{!3, !4}
!3 = !{i32 0, !"air.buffer", !"air.location_index", i32 0, i32 1, !"air.read_write"}
!4 = !{i32 1, !"air.thread_position_in_threadgroup"}
