; RUN: split-file %s %t
; RUN: softmetal-opt -bounds %t/store.ll | FileCheck %s
; RUN: softmetal-opt -bounds %t/constant.ll | FileCheck %s --check-prefix=CONSTANT
; RUN: not softmetal-opt -bounds %t/nobody.ll 2>&1 | FileCheck %s --check-prefix=NOBODY
; An access whose place is not inside its buffer goes where the runtime says, which reports it.

;--- store.ll
; CHECK: br i1 %{{.*}}, label %[[ASTRAY:[0-9]+]], label %[[GO:[0-9]+]],
; CHECK: [[ASTRAY]]:
; CHECK: call ptr @softmetal_rt_bounds_device(ptr %{{.*}}, i32 4, i32 1, i32 1, i32 0, i32 4)
; CHECK: [[GO]]:
; CHECK: %[[PLACE:.*]] = phi ptr addrspace(1)
; CHECK: store float 1.000000e+00, ptr addrspace(1) %[[PLACE]]
; CHECK: ; site 1: kernel.metal:7:3
define void @k(ptr addrspace(1) %y, i32 %l) !dbg !22 {
  %p = getelementptr float, ptr addrspace(1) %y, i32 %l
  store float 1.0, ptr addrspace(1) %p, align 4, !dbg !25
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

;--- constant.ll
; A constant of the program is sized by its type.
; CONSTANT-NOT: softmetal_rt_bounds
; CONSTANT: load float, ptr addrspace(2) @c
; CONSTANT-NOT: softmetal_rt_bounds
@c = internal addrspace(2) constant float 3.0
define void @k(ptr addrspace(1) %y, i32 %l) {
  %v = load float, ptr addrspace(2) @c
  ret void
}
!air.kernel = !{!0}
!0 = !{ptr @k, !1, !2}
!1 = !{}
!2 = !{!3, !4}
!3 = !{i32 0, !"air.buffer", !"air.location_index", i32 0, i32 1, !"air.read_write"}
!4 = !{i32 1, !"air.thread_position_in_threadgroup"}

;--- nobody.ll
; NOBODY: error: the metadata of k describes an argument that does not exist
define void @k(ptr addrspace(1) %y) {
  store float 1.0, ptr addrspace(1) %y
  ret void
}
!air.kernel = !{!0}
!0 = !{ptr @k, !1, !2}
!1 = !{}
!2 = !{!3, !4}
!3 = !{i32 0, !"air.buffer", !"air.location_index", i32 0, i32 1, !"air.read_write"}
!4 = !{i32 1, !"air.thread_position_in_threadgroup"}
