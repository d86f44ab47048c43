; RUN: split-file %s %t
; RUN: softmetal-opt -interrupts %t/loop.ll | FileCheck %s
; RUN: softmetal-opt -interrupts %t/branch.ll | FileCheck %s --check-prefix=BRANCH
; RUN: softmetal-opt -interrupts %t/counted.ll | FileCheck %s --check-prefix=COUNTED
; A loop asks before each further iteration whether to go on, unless it ends by itself; the site is the loop that a time limit ends.

;--- loop.ll
; CHECK: loop:
; CHECK: call void @softmetal_rt_poll(i32 1)
; CHECK-NEXT: br i1 %c, label %loop, label %end
; CHECK: ; site 1: kernel.metal:7:3
define void @k(ptr addrspace(1) %y, i32 %l) !dbg !22 {
  %c = icmp eq i32 %l, 0
  br label %loop
loop:
  store volatile float 1.0, ptr addrspace(1) %y
  br i1 %c, label %loop, label %end, !dbg !25
end:
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

;--- branch.ll
; BRANCH-NOT: softmetal_rt
define void @k(ptr addrspace(1) %y, i32 %l) {
  %c = icmp eq i32 %l, 0
  br i1 %c, label %then, label %end
then:
  store volatile float 1.0, ptr addrspace(1) %y
  br label %end
end:
  ret void
}
!air.kernel = !{!0}
!0 = !{ptr @k, !1, !2}
!1 = !{}
!2 = !{!3, !4}
!3 = !{i32 0, !"air.buffer", !"air.location_index", i32 0, i32 1, !"air.read_write"}
!4 = !{i32 1, !"air.thread_position_in_threadgroup"}

;--- counted.ll
; The number of rounds is known where the loop begins.
; COUNTED-NOT: softmetal_rt
define void @k(ptr addrspace(1) %y, i32 %l) {
  br label %loop
loop:
  %i = phi i32 [ 0, %0 ], [ %next, %loop ]
  store volatile float 1.0, ptr addrspace(1) %y
  %next = add nuw i32 %i, 1
  %c = icmp ult i32 %next, %l
  br i1 %c, label %loop, label %end
end:
  ret void
}
!air.kernel = !{!0}
!0 = !{ptr @k, !1, !2}
!1 = !{}
!2 = !{!3, !4}
!3 = !{i32 0, !"air.buffer", !"air.location_index", i32 0, i32 1, !"air.read_write"}
!4 = !{i32 1, !"air.thread_position_in_threadgroup"}
