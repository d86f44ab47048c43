"""Each pass of the software Metal on a small AIR module: what it makes, and what it refuses."""
import re

import numpy as np
import pytest

import softmetal_native as sm

pytestmark = pytest.mark.skipif(sm.library_path() is None, reason="libsoftmetal is not built")


def module(body, declarations="", arguments="ptr addrspace(1) %y, i32 %l", records=None, extra=""):
    """A kernel k of a device buffer and the thread's position in the threadgroup."""
    records = records or ['!{i32 0, !"air.buffer", !"air.location_index", i32 0, i32 1, !"air.read_write"}',
                          '!{i32 1, !"air.thread_position_in_threadgroup"}']
    numbers = ", ".join(f"!{i + 10}" for i in range(len(records)))
    text = f"{declarations}\ndefine void @k({arguments}) {{\n{body}\n  ret void\n}}\n!air.kernel = !{{!0}}\n!0 = !{{ptr @k, !1, !2}}\n"
    text += f"!1 = !{{}}\n!2 = !{{{numbers}}}\n" + "".join(f"!{i + 10} = {record}\n" for i, record in enumerate(records)) + extra
    return sm.Library(data=text.encode())


def ir(*arguments, checks=0, count=False, constants={}, **options):
    return module(*arguments, **options).ir("k", constants, checks=checks, count=count)


STORE = "  %p = getelementptr float, ptr addrspace(1) %y, i32 %l\n  store float 1.0, ptr addrspace(1) %p, align 4"
SHARED = "@s = internal addrspace(3) global [8 x float] undef, align 4"
SHARED_BODY = ("  %q = getelementptr [8 x float], ptr addrspace(3) @s, i32 0, i32 %l\n  store float 1.0, ptr addrspace(3) %q, align 4\n"
               "  %o = xor i32 %l, 1\n  %n = getelementptr [8 x float], ptr addrspace(3) @s, i32 0, i32 %o\n"
               "  %v = load float, ptr addrspace(3) %n, align 4\n  %p = getelementptr float, ptr addrspace(1) %y, i32 %l\n"
               "  store float %v, ptr addrspace(1) %p, align 4")
CONSTANT = "@c = internal addrspace(2) externally_initialized constant i32 undef, section \"air.fc_initializer\""
CONSTANT_BODY = "  %v = load i32, ptr addrspace(2) @c\n  store i32 %v, ptr addrspace(1) %y, align 4"
CONSTANT_DATA = '!air.function_constants = !{!5}\n!5 = !{ptr addrspace(2) @c, !"int", !"width", i32 7, i1 true}\n'


def test_specialise_gives_constants_their_values():
    assert "store i32 42" in ir(CONSTANT_BODY, CONSTANT, extra=CONSTANT_DATA, constants={7: 42})


def test_specialise_refuses_a_constant_without_a_value():
    with pytest.raises(sm.SoftMetalError, match=r"function constant 7 \(width\) has no value"):
        ir(CONSTANT_BODY, CONSTANT, extra=CONSTANT_DATA)


def test_bounds_replaces_the_pointer_by_a_checked_one():
    text = ir(STORE, checks=sm.BOUNDS)
    assert re.search(r"call ptr @softmetal_rt_bounds_device\(ptr .*, i32 4, i32 1, i32 \d+, i32 0, i32 4\)", text)
    assert "softmetal_rt_bounds" not in ir(STORE)


PRIVATE = ("  %a = alloca [8 x float], align 4\n  %p = getelementptr inbounds [8 x float], ptr %a, i32 0, i32 %l\n"
           "  store float 1.0, ptr %p, align 4\n  %v = load float, ptr %a, align 4\n  store float %v, ptr addrspace(1) %y, align 4")


def test_private_memory_has_a_sink_in_fast_code_and_reports_in_checked_code():
    fast, checked = ir(PRIVATE), ir(PRIVATE, checks=sm.BOUNDS)
    assert "alloca [4 x i8]" in fast and re.search(r"icmp ult i64 .*, 29", fast) and "softmetal_rt_bounds_private" not in fast
    assert re.search(r"call ptr @softmetal_rt_bounds_private\(ptr .*, i32 4, i32 1, i32 \d+, ptr .*, i32 32\)", checked)


def test_private_memory_lets_alone_what_a_loop_keeps_inside():
    body = ("  %a = alloca [8 x float], align 4\n  br label %loop\nloop:\n  %i = phi i32 [ 0, %entry ], [ %n, %loop ]\n"
            "  %p = getelementptr [8 x float], ptr %a, i32 0, i32 %i\n  store volatile float 1.0, ptr %p, align 4\n"
            "  %n = add nuw nsw i32 %i, 1\n  %c = icmp eq i32 %n, LAST\n  br i1 %c, label %end, label %loop\nend:")
    enter = "  br label %entry\nentry:\n"
    assert "select" not in ir(enter + body.replace("LAST", "8")) and "select" in ir(enter + body.replace("LAST", "9"))


def test_races_name_what_the_kernel_may_write():
    arguments = "ptr addrspace(1) %y, i32 %l, ptr addrspace(1) %x"
    records = ['!{i32 0, !"air.buffer", !"air.location_index", i32 0, i32 1, !"air.read_write"}',
               '!{i32 1, !"air.thread_position_in_threadgroup"}',
               '!{i32 2, !"air.buffer", !"air.location_index", i32 1, i32 1, !"air.read"}']
    body = "  %v = load float, ptr addrspace(1) %x, align 4\n  store float %v, ptr addrspace(1) %y, align 4"
    kernel = module(body, arguments=arguments, records=records).kernel("k", checks=sm.ALL)
    x, y = np.zeros(1, np.float32), np.zeros(1, np.float32)
    kernel.run({0: y, 1: x}, groups=(2,), expect=sm.FAULT)  # both threadgroups write y
    assert {r["kind"] for r in kernel.reports} == {"device_race"} and len(kernel.reports) == 1
    kernel.run({0: y, 1: y}, groups=(2,), expect=sm.FAULT)  # what is read is written through the other argument
    assert len(kernel.reports) == 2


def test_races_and_initialisation_see_threadgroup_memory():
    text = ir(SHARED_BODY, SHARED, checks=sm.RACES | sm.INITIALISATION)
    assert text.count("call void @softmetal_rt_race_threadgroup") == 2 and text.count("call void @softmetal_rt_race_device") == 1
    assert "call void @softmetal_rt_written_threadgroup" in text and "call void @softmetal_rt_read_threadgroup" in text


def test_threadgroup_arrays_become_offsets():
    text = ir(SHARED_BODY, SHARED)
    assert "call ptr @softmetal_rt_threadgroup()" in text and "addrspace(3) global" not in text


def test_uniform_promises_become_a_comparison():
    body = "  %u = call i1 @air.is_uniform.i32(i32 %l)\n  call void @llvm.assume(i1 %u)\n" + STORE
    declarations = "declare i1 @air.is_uniform.i32(i32)\ndeclare void @llvm.assume(i1)"
    assert "softmetal_rt_collective" in ir(body, declarations, checks=sm.UNIFORM)
    assert "softmetal_rt_collective" not in ir(body, declarations)


def test_count_names_every_access():
    assert "call void @softmetal_rt_count_device" in ir(STORE, count=True)


def test_interrupts_poll_in_loops_that_may_not_end_and_in_all_of_checked_code():
    endless = "  %go = icmp eq i32 %l, 0\n  br label %loop\nloop:\n  store volatile float 1.0, ptr addrspace(1) %y, align 4\n"
    endless += "  br i1 %go, label %loop, label %end\nend:"
    counted = "  br label %loop\nloop:\n  %i = phi i32 [ 0, %0 ], [ %next, %loop ]\n"
    counted += "  store volatile float 1.0, ptr addrspace(1) %y, align 4\n"
    counted += "  %next = add nuw i32 %i, 1\n  %go = icmp ult i32 %next, %l\n  br i1 %go, label %loop, label %end\nend:"
    for body, polls in ((endless, True), (counted, False)):
        assert "call void @softmetal_rt_poll" in ir(body, checks=sm.BOUNDS)
        assert ("call void @softmetal_rt_poll" in ir(body)) == polls


def test_matrices_shrink_to_two_elements():
    matrix = "<64 x float>"
    name = "air.simdgroup_matrix_8x8_multiply_accumulate.v64f32.v64f32.v64f32.v64f32"
    body = (f"  %m = call {matrix} @air.simdgroup_matrix_8x8_init_filled.v64f32.f32(float 2.0)\n"
            f"  %r = call {matrix} @{name}({matrix} %m, {matrix} %m, {matrix} %m)\n"
            f"  %e = extractelement {matrix} %r, i32 1\n  store float %e, ptr addrspace(1) %y, align 4")
    text = ir(body, f"declare {matrix} @{name}({matrix}, {matrix}, {matrix})\n"
              f"declare {matrix} @air.simdgroup_matrix_8x8_init_filled.v64f32.f32(float)")
    assert "<64 x" not in text and "call void @softmetal_rt_collective" in text


@pytest.mark.parametrize("result, name, arguments, call, expected", [
    ("float", "air.fmax.f32", "float, float", "float 1.0, float 2.0", None),
    ("float", "air.fast_tanh.f32", "float", "float 1.0", "tanhf"),
    ("i32", "air.convert.s.i32.f.f32", "float", "float 1.0", None),
    ("float", "air.simd_sum.f32", "float", "float 1.0", "softmetal_rt_collective"),
])
def test_lower_leaves_no_call_of_air(result, name, arguments, call, expected):
    text = ir(f"  %v = call {result} @{name}({call})\n  store {result} %v, ptr addrspace(1) %y, align 4",
              f"declare {result} @{name}({arguments})")
    assert "@air." not in text and (expected is None or expected in text)


def test_a_known_name_of_another_type_is_refused():
    body = "  %v = call float @air.fmax.f32(float 1.0)\n  store float %v, ptr addrspace(1) %y, align 4"
    with pytest.raises(sm.SoftMetalError, match="air.fmax.f32 has the type"):
        ir(body, "declare float @air.fmax.f32(float)")


def test_entry_refuses_an_unknown_kind_of_argument():
    records = ['!{i32 0, !"air.buffer", !"air.location_index", i32 0, i32 1, !"air.read_write"}', '!{i32 1, !"air.phase_of_the_moon"}']
    with pytest.raises(sm.SoftMetalError, match="phase_of_the_moon"):
        ir(STORE, records=records)


def test_stack_size_refuses_recursion():
    function = "define internal void @f(i32 %n) noinline {\n  %c = icmp eq i32 %n, 0\n  br i1 %c, label %e, label %r\n"
    function += "r:\n  %m = sub i32 %n, 1\n  call void @g(i32 %m)\n  ret void\ne:\n  ret void\n}\n"
    function += "define internal void @g(i32 %n) noinline {\n  call void @f(i32 %n)\n  ret void\n}"
    with pytest.raises(sm.SoftMetalError, match="recursion"):
        ir("  call void @f(i32 %l)\n" + STORE, function)
