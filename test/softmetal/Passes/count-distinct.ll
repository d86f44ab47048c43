; RUN: split-file %s %t
; RUN: softmetal-opt -count %t/values.ll | FileCheck %s --check-prefix=VALUES
; RUN: softmetal-opt -count %t/control.ll | FileCheck %s --check-prefix=CONTROL
; RUN: softmetal-opt -count %t/bound.ll | FileCheck %s --check-prefix=BOUND
; RUN: softmetal-opt -count %t/reduction.ll | FileCheck %s --check-prefix=REDUCTION
; RUN: softmetal-opt -count %t/function.ll | FileCheck %s --check-prefix=FUNCTION
; RUN: softmetal-opt -count %t/array.ll | FileCheck %s --check-prefix=ARRAY
; The last operand of the distinct counts says which bits of a lane's position an access or an operation depends on: 1 to 16 are those
; of the lane in its SIMD-group, 32 to 512 those of the SIMD-group in its threadgroup. Arithmetic is in 32nds of an operation.

;--- values.ll
; What is loaded depends on what the address does: here on the lane's low bits, on the group, on neither.
; VALUES: call void @softmetal_rt_count_device({{.*}}, i32 3)
; VALUES: call void @softmetal_rt_count_device({{.*}}, i32 992)
; VALUES: call void @softmetal_rt_count_device({{.*}}, i32 0)
; VALUES: call void @softmetal_rt_count_distinct(i32 32, i32 0, i32 0, i32 995)
; VALUES: call void @softmetal_rt_count_distinct(i32 32, i32 1, i32 0, i32 3)
; VALUES: call void @softmetal_rt_count_distinct(i32 64, i32 0, i32 0, i32 0)
define void @k(ptr addrspace(1) %y, i32 %lane, i32 %group) {
  %low = and i32 %lane, 3
  %place = shl i32 %low, 4
  %p = getelementptr float, ptr addrspace(1) %y, i32 %place
  %a = load float, ptr addrspace(1) %p
  %q = getelementptr float, ptr addrspace(1) %y, i32 %group
  %b = load float, ptr addrspace(1) %q
  %c = load float, ptr addrspace(1) %y
  %sum = fadd float %a, %b
  %square = fmul float %a, %a
  %exp = call float @air.exp.f32(float %a)
  %uniform = call float @air.fma.f32(float %c, float %c, float %c)
  ret void
}
declare float @air.exp.f32(float)
declare float @air.fma.f32(float, float, float)
!air.kernel = !{!0}
!0 = !{ptr @k, !1, !2}
!1 = !{}
!2 = !{!3, !4, !5}
!3 = !{i32 0, !"air.buffer", !"air.location_index", i32 0, i32 1, !"air.read_write"}
!4 = !{i32 1, !"air.thread_index_in_simdgroup"}
!5 = !{i32 2, !"air.simdgroup_index_in_threadgroup"}

;--- control.ll
; One lane stores, whatever the address; which of two values is chosen depends on the lane.
; CONTROL: call void @softmetal_rt_count_device({{.*}}, i32 31)
; CONTROL: call void @softmetal_rt_count_distinct(i32 32, i32 0, i32 0, i32 31)
define void @k(ptr addrspace(1) %y, i32 %lane, i32 %group) {
  %first = icmp eq i32 %lane, 0
  br i1 %first, label %then, label %end
then:
  store float 1.0, ptr addrspace(1) %y
  br label %end
end:
  %either = phi float [ 1.0, %then ], [ 2.0, %0 ]
  %sum = fadd float %either, %either
  ret void
}
!air.kernel = !{!0}
!0 = !{ptr @k, !1, !2}
!1 = !{}
!2 = !{!3, !4, !5}
!3 = !{i32 0, !"air.buffer", !"air.location_index", i32 0, i32 1, !"air.read_write"}
!4 = !{i32 1, !"air.thread_index_in_simdgroup"}
!5 = !{i32 2, !"air.simdgroup_index_in_threadgroup"}

;--- bound.ll
; A bound is no guard: lanes inside of it still do alike what is the same for all. Half of the lanes is half of the position bits.
; BOUND: call void @softmetal_rt_count_distinct(i32 32, i32 0, i32 0, i32 0)
; BOUND: call void @softmetal_rt_count_distinct(i32 32, i32 0, i32 0, i32 16)
define void @k(ptr addrspace(1) %y, i32 %lane, i32 %group, i32 %n) {
  %inside = icmp ult i32 %lane, %n
  br i1 %inside, label %then, label %end
then:
  %v = load float, ptr addrspace(1) %y
  %a = fadd float %v, %v
  br label %end
end:
  %half = icmp ult i32 %lane, 16
  br i1 %half, label %low, label %last
low:
  %w = load float, ptr addrspace(1) %y
  %b = fadd float %w, %w
  br label %last
last:
  ret void
}
!air.kernel = !{!0}
!0 = !{ptr @k, !1, !2}
!1 = !{}
!2 = !{!3, !4, !5, !6}
!3 = !{i32 0, !"air.buffer", !"air.location_index", i32 0, i32 1, !"air.read_write"}
!4 = !{i32 1, !"air.thread_index_in_simdgroup"}
!5 = !{i32 2, !"air.simdgroup_index_in_threadgroup"}
!6 = !{i32 3, !"air.simdgroups_per_threadgroup"}

;--- reduction.ll
; The first of the loop's additions adds to nothing, a SIMD-group's sum is 31 additions, and neighbours that exchange add alike.
; REDUCTION: call void @softmetal_rt_count_distinct(i32 -32, i32 0, i32 0, i32 31)
; REDUCTION: call void @softmetal_rt_count_distinct(i32 32, i32 0, i32 0, i32 31)
; REDUCTION: call void @softmetal_rt_count_distinct(i32 31, i32 0, i32 0, i32 31)
; REDUCTION: call void @softmetal_rt_count_distinct(i32 32, i32 0, i32 0, i32 30)
; REDUCTION: call void @softmetal_rt_count_distinct(i32 32, i32 0, i32 0, i32 0)
define void @k(ptr addrspace(1) %y, i32 %lane, i32 %group) {
entry:
  br label %loop
loop:
  %i = phi i32 [ 0, %entry ], [ %next, %loop ]
  %partial = phi float [ -0.0, %entry ], [ %sum, %loop ]
  %p = getelementptr float, ptr addrspace(1) %y, i32 %lane
  %v = load float, ptr addrspace(1) %p
  %sum = fadd float %partial, %v
  %next = add i32 %i, 1
  %more = icmp ult i32 %next, 8
  br i1 %more, label %loop, label %end
end:
  %all = call float @air.simd_sum.f32(float %sum)
  %other = call float @air.simd_shuffle_xor.f32(float %sum, i16 1)
  %both = fadd float %sum, %other
  %twice = fadd float %all, %all
  ret void
}
declare float @air.simd_sum.f32(float)
declare float @air.simd_shuffle_xor.f32(float, i16)
!air.kernel = !{!0}
!0 = !{ptr @k, !1, !2}
!1 = !{}
!2 = !{!3, !4, !5}
!3 = !{i32 0, !"air.buffer", !"air.location_index", i32 0, i32 1, !"air.read_write"}
!4 = !{i32 1, !"air.thread_index_in_simdgroup"}
!5 = !{i32 2, !"air.simdgroup_index_in_threadgroup"}

;--- function.ll
; Nothing is known of a function that is called.
; FUNCTION: call void @softmetal_rt_count_distinct(i32 32, i32 0, i32 0, i32 1023)
; FUNCTION-NEXT: call void @softmetal_rt_count_operations
define internal float @twice(float %x) noinline {
  %sum = fadd float %x, %x
  ret float %sum
}
define void @k(ptr addrspace(1) %y) {
  %v = call float @twice(float 3.0)
  store float %v, ptr addrspace(1) %y
  ret void
}
!air.kernel = !{!0}
!0 = !{ptr @k, !1, !2}
!1 = !{}
!2 = !{!3}
!3 = !{i32 0, !"air.buffer", !"air.location_index", i32 0, i32 1, !"air.read_write"}

;--- array.ll
; A lane's own array holds what was stored into it.
; ARRAY: call void @softmetal_rt_count_distinct(i32 32, i32 0, i32 0, i32 992)
define void @k(ptr addrspace(1) %y, i32 %lane, i32 %group) {
  %a = alloca [4 x float]
  %q = getelementptr float, ptr addrspace(1) %y, i32 %group
  %v = load float, ptr addrspace(1) %q
  %place = getelementptr [4 x float], ptr %a, i32 0, i32 2
  store float %v, ptr %place
  %w = load float, ptr %a
  %sum = fadd float %w, %w
  ret void
}
!air.kernel = !{!0}
!0 = !{ptr @k, !1, !2}
!1 = !{}
!2 = !{!3, !4, !5}
!3 = !{i32 0, !"air.buffer", !"air.location_index", i32 0, i32 1, !"air.read_write"}
!4 = !{i32 1, !"air.thread_index_in_simdgroup"}
!5 = !{i32 2, !"air.simdgroup_index_in_threadgroup"}
