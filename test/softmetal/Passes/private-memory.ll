; RUN: split-file %s %t
; RUN: softmetal-opt -private-memory %t/index.ll | FileCheck %s
; RUN: softmetal-opt -private-memory -report %t/index.ll | FileCheck %s --check-prefix=REPORT
; RUN: softmetal-opt -private-memory %t/inside.ll | FileCheck %s --check-prefix=INSIDE
; An access to a lane's own array at a place that is not known goes to a sink where it is outside; checked code reports it.

;--- index.ll
; CHECK: %[[SINK:.*]] = alloca [4 x i8]
; CHECK: icmp ult i64 %{{.*}}, 29
; CHECK: select i1 %{{.*}}, ptr %{{.*}}, ptr %[[SINK]]
; CHECK-NOT: softmetal_rt
; REPORT: call ptr @softmetal_rt_bounds_private(ptr %{{.*}}, i32 4, i32 1, i32 1, ptr %{{.*}}, i32 32)
; REPORT: ; site 1: kernel.metal:7:3
define void @k(ptr addrspace(1) %y, i32 %l) !dbg !22 {
  %a = alloca [8 x float]
  %p = getelementptr [8 x float], ptr %a, i32 0, i32 %l
  store float 1.0, ptr %p, align 4, !dbg !25
  %v = load float, ptr %a
  store float %v, ptr addrspace(1) %y
  ret void
}
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

;--- inside.ll
; INSIDE-NOT: select
define void @k(ptr addrspace(1) %y, i32 %l) {
  %a = alloca [8 x float]
  %p = getelementptr [8 x float], ptr %a, i32 0, i32 7
  store volatile float 1.0, ptr %p
  ret void
}
!air.kernel = !{!0}
!0 = !{ptr @k, !1, !2}
!1 = !{}
!2 = !{!3, !4}
!3 = !{i32 0, !"air.buffer", !"air.location_index", i32 0, i32 1, !"air.read_write"}
!4 = !{i32 1, !"air.thread_position_in_threadgroup"}
