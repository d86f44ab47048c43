; RUN: split-file %s %t
; RUN: softmetal-opt -initialisation %t/shared.ll | FileCheck %s
; RUN: softmetal-opt -initialisation %t/device.ll | FileCheck %s --check-prefix=DEVICE
; RUN: softmetal-opt -initialisation %t/word.ll | FileCheck %s --check-prefix=WORD
; Threadgroup memory is fresh for every threadgroup: what is written is remembered, what is read is asked for, with its line.

;--- shared.ll
; CHECK: call void @softmetal_rt_written_threadgroup(ptr %{{.*}}, i32 4)
; CHECK: call void @softmetal_rt_read_threadgroup(ptr {{.*}}, i32 4, i32 1)
; CHECK: ; site 1: kernel.metal:9:5
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

;--- device.ll
; DEVICE-NOT: softmetal_rt
define void @k(ptr addrspace(1) %y, i32 %l) {
  %v = load float, ptr addrspace(1) %y
  store float %v, ptr addrspace(1) %y
  ret void
}
!air.kernel = !{!0}
!0 = !{ptr @k, !1, !2}
!1 = !{}
!2 = !{!3, !4}
!3 = !{i32 0, !"air.buffer", !"air.location_index", i32 0, i32 1, !"air.read_write"}
!4 = !{i32 1, !"air.thread_position_in_threadgroup"}

;--- word.ll
; Of the word around an element of 16 bits, only the element must have been written.
; WORD: %[[ELEMENT:.*]] = addrspacecast ptr addrspace(3) %p to ptr
; WORD: call void @softmetal_rt_read_threadgroup(ptr %[[ELEMENT]], i32 2,
; WORD: call void @softmetal_rt_written_threadgroup(ptr %[[ELEMENT]], i32 2)
; WORD-NOT: call void @softmetal_rt_
@h = internal addrspace(3) global [4 x i16] undef, align 16
declare ptr addrspace(3) @air.element_in_word.local(ptr addrspace(3))
declare i32 @air.atomic.local.xchg.u.i32(ptr addrspace(3), i32, i32, i32, i1)
define void @k(ptr addrspace(1) %y, i32 %l) {
  %p = getelementptr i16, ptr addrspace(3) @h, i32 %l
  %e = call ptr addrspace(3) @air.element_in_word.local(ptr addrspace(3) %p)
  %back = sub i32 0, %l
  %w = getelementptr i16, ptr addrspace(3) %e, i32 %back
  %old = call i32 @air.atomic.local.xchg.u.i32(ptr addrspace(3) %w, i32 1, i32 0, i32 2, i1 true)
  ret void
}
!air.kernel = !{!0}
!0 = !{ptr @k, !1, !2}
!1 = !{}
!2 = !{!3, !4}
!3 = !{i32 0, !"air.buffer", !"air.location_index", i32 0, i32 1, !"air.read_write"}
!4 = !{i32 1, !"air.thread_position_in_threadgroup"}
