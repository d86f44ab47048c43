; RUN: split-file %s %t
; RUN: softmetal-opt -races %t/shared.ll | FileCheck %s
; RUN: softmetal-opt -races %t/constant.ll | FileCheck %s --check-prefix=CONSTANT
; RUN: not softmetal-opt -races %t/nobody.ll 2>&1 | FileCheck %s --check-prefix=NOBODY
; Every access of memory that others see is told to the runtime, those of the device only where it has a shadow.

;--- shared.ll
; CHECK: call void @softmetal_rt_race_threadgroup(ptr %{{.*}}, i32 4, i32 1, i32 1)
; CHECK: call void @softmetal_rt_race_threadgroup(ptr {{.*}}, i32 4, i32 0, i32 2)
; CHECK: br i1
; CHECK: call void @softmetal_rt_race_device(ptr %{{.*}}, i32 4, i32 1, i32 3, ptr
; CHECK: ; site 1: kernel.metal:7:3
; CHECK: ; site 2: kernel.metal:9:5
@s = internal addrspace(3) global [8 x float] undef, align 4
define void @k(ptr addrspace(1) %y, i32 %l) !dbg !22 {
  %q = getelementptr [8 x float], ptr addrspace(3) @s, i32 0, i32 %l
  store float 1.0, ptr addrspace(3) %q, align 4, !dbg !25
  %v = load float, ptr addrspace(3) @s, align 4, !dbg !26
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

;--- constant.ll
; Nobody writes constants, and a lane's own memory has no other reader.
; CONSTANT-NOT: softmetal_rt
define void @k(ptr addrspace(2) %y, i32 %l) {
  %a = alloca float
  %v = load float, ptr addrspace(2) %y
  store volatile float %v, ptr %a
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
