; RUN: split-file %s %t
; RUN: softmetal-opt -prepare %t/copy.ll | FileCheck %s
; RUN: softmetal-opt -prepare -bounds %t/copy.ll | FileCheck %s --check-prefix=SITE
; RUN: softmetal-opt -prepare %t/volatile.ll | FileCheck %s --check-prefix=VOLATILE
; Calls are inlined, variables become values, generic pointers get their address space; what has an effect stays.

;--- copy.ll
; CHECK-LABEL: define void @k
; CHECK-NOT: alloca
; CHECK-NOT: call
; CHECK: store float 1.000000e+00, ptr addrspace(1)
; A report names the line of the helper that was inlined.
; SITE: ; site 1: kernel.metal:7:3
define internal void @set(ptr %p) !dbg !22 {
  store float 1.0, ptr %p, !dbg !25
  ret void
}
define void @k(ptr addrspace(1) %y, i32 %l) {
  %slot = alloca ptr
  %q = addrspacecast ptr addrspace(1) %y to ptr
  store ptr %q, ptr %slot
  %p = load ptr, ptr %slot
  call void @set(ptr %p)
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

;--- volatile.ll
; VOLATILE: load volatile float, ptr addrspace(1)
define void @k(ptr addrspace(1) %y, i32 %l) {
  %v = load volatile float, ptr addrspace(1) %y
  ret void
}
!air.kernel = !{!0}
!0 = !{ptr @k, !1, !2}
!1 = !{}
!2 = !{!3, !4}
!3 = !{i32 0, !"air.buffer", !"air.location_index", i32 0, i32 1, !"air.read_write"}
!4 = !{i32 1, !"air.thread_position_in_threadgroup"}
