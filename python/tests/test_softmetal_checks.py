"""The software Metal runs MSL text, and each planted fault of a kernel is found, with its line."""
import time

import numpy as np
import pytest

import softmetal_native as sm

pytestmark = pytest.mark.skipif(sm.library_path() is None, reason="libsoftmetal is not built")

SOFTMAX = """#include <metal_stdlib>
struct P { const device float* x; device float* y; int n; };
kernel void k_softmax(constant P& p [[buffer(0)]], threadgroup float* s [[threadgroup(0)]],
                      uint row [[threadgroup_position_in_grid]], uint lid [[thread_position_in_threadgroup]],
                      uint nt [[threads_per_threadgroup]], uint lane [[thread_index_in_simdgroup]],
                      uint sg [[simdgroup_index_in_threadgroup]]) {
  const device float* x = p.x + row * p.n; device float* y = p.y + row * p.n;
  float m = -INFINITY;
  for (int i = lid; i < p.n; i += nt) m = metal::max(m, x[i]);
  m = metal::simd_max(m);
  if (lane == 0) s[sg] = m;
  metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
  m = s[0]; for (uint i = 1; i < nt / 32; i++) m = metal::max(m, s[i]);
  metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
  float t = 0;
  for (int i = lid; i < p.n; i += nt) t += metal::fast::exp(x[i] - m);
  t = metal::simd_sum(t);
  if (lane == 0) s[sg] = t;
  metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
  t = s[0]; for (uint i = 1; i < nt / 32; i++) t += s[i];
  for (int i = lid; i < p.n; i += nt) y[i] = metal::fast::exp(x[i] - m) / t;
}
"""
BARRIER = "metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);"


def softmax(text, checks=sm.ALL, shorten=0, **options):
    x = (np.random.default_rng(0).standard_normal((16, 500)) * 3).astype(np.float32)
    reference = np.exp(x - x.max(1, keepdims=True).astype(np.float64))
    reference /= reference.sum(1, keepdims=True)
    y = np.zeros_like(x)
    params = np.zeros(32, np.uint8)
    params.view(np.uint64)[:2] = x.ctypes.data, y.ctypes.data
    params.view(np.int32)[4] = 500
    kernel = sm.Library(text=text).kernel("k_softmax", checks=checks)
    kernel.run({0: params}, groups=(16,), threads=(128,), threadgroup=(128,), resources=(x, y.reshape(-1)[:y.size - shorten]), expect=None,
               **options)
    return kernel, np.abs(y - reference).max()


@pytest.mark.parametrize("seed", [0, 1, 7])
@pytest.mark.parametrize("checks", [0, sm.ALL])
def test_complete_kernel_is_silent(checks, seed):
    kernel, error = softmax(SOFTMAX, checks, seed=seed)
    assert kernel.status == sm.COMPLETED, kernel.message
    assert error < 1e-6


@pytest.mark.parametrize("dropped", [0, 1, 2])
def test_each_dropped_barrier_is_a_race(dropped):
    parts = SOFTMAX.split(BARRIER)
    text = "".join(part + ("" if i == dropped or i == len(parts) - 1 else BARRIER) for i, part in enumerate(parts))
    kernel, _ = softmax(text, seed=3)
    races = [report for report in kernel.reports if report["kind"] == "race"]
    assert kernel.status == sm.FAULT and races
    assert all(report["line"] and report["other_line"] for report in races)


def test_barrier_without_memory_flag_orders_nothing():
    kernel, _ = softmax(SOFTMAX.replace("mem_flags::mem_threadgroup", "mem_flags::mem_none"))
    assert any(report["kind"] == "race" for report in kernel.reports)


def test_overrun_of_a_registered_array_is_reported_and_harmless():
    kernel, _ = softmax(SOFTMAX, shorten=1)
    assert [report["kind"] for report in kernel.reports] == ["bounds"]
    assert kernel.reports[0]["count"] == 1 and kernel.reports[0]["line"] == 21
    assert kernel.reports[0]["offset"] == (16 * 500 - 1) * 4


def test_changing_a_constant_changes_the_result():
    _, error = softmax(SOFTMAX.replace("float t = 0;", "float t = 1;"), checks=0)
    assert error > 1e-3


def run_small(body, checks=sm.ALL, groups=(4,), threads=(64,), out=256, static="threadgroup float s[64];", expect=None, **options):
    text = ("#include <metal_stdlib>\nusing namespace metal;\n"
            "kernel void k(device float* y [[buffer(0)]], uint i [[thread_position_in_grid]], "
            "uint l [[thread_position_in_threadgroup]], uint g [[threadgroup_position_in_grid]]) {\n" + static + "\n" + body + "\n}\n")
    y = np.zeros(out, np.float32)
    kernel = sm.Library(text=text).kernel("k", checks=checks)
    kernel.run({0: y}, groups=groups, threads=threads, expect=expect, **options)
    return kernel, y


@pytest.mark.parametrize("kind, body, line", [
    ("uninitialised", "y[i] = s[l];", 5),
    ("threadgroup_bounds", "s[l + 1] = 1; threadgroup_barrier(mem_flags::mem_threadgroup);\ny[i] = 2;", 5),
    ("bounds", "s[l] = 0;\ny[i + 1] = s[l];", 6),
    ("device_race", "s[l] = 0; threadgroup_barrier(mem_flags::mem_device);\ny[l] = g;", 6),
    ("race", "s[l] = l; simd_sum(1.0f);\ny[i] = s[l ^ 1];", 6),
    ("divergence", "s[l] = 0;\nif (l < 32) { threadgroup_barrier(mem_flags::mem_none); }\n"
     "else { threadgroup_barrier(mem_flags::mem_none); }", None),
    ("inactive_lane", "s[l] = 0;\nif (l % 2 == 0) y[i] = simd_shuffle_xor(float(l), 1);", 6),
])
def test_planted_fault(kind, body, line):
    kernel, _ = run_small(body)
    found = [report for report in kernel.reports if report["kind"] == kind]
    assert kernel.status == sm.FAULT and found, kernel.message
    assert line is None or found[0]["line"] == line, kernel.message


@pytest.mark.parametrize("body", ["s[l] = l;\ny[i] = s[l];", "s[l] = l;\ns[l] = 2; y[i] = 0;",
                                  "s[l] = l; simdgroup_barrier(mem_flags::mem_threadgroup);\ny[i] = s[l ^ 1];"])
def test_array_order(body):
    """What Metal orders within a lane or a SIMD-group is a race where barriers alone order; with a barrier it is none."""
    assert run_small(body)[0].status == sm.COMPLETED
    kernel, _ = run_small(body, checks=sm.ALL | sm.ARRAY_ORDER)
    assert kernel.status == sm.FAULT and [report["line"] for report in kernel.reports if report["kind"] == "race"] == [6], kernel.message
    assert "of the threadgroup array s races with the write" in kernel.message
    ordered = body.replace("\n", " threadgroup_barrier(mem_flags::mem_threadgroup);\n")
    assert run_small(ordered, checks=sm.ALL | sm.ARRAY_ORDER)[0].status == sm.COMPLETED


def test_array_order_is_not_asked_of_arguments_and_atomics():
    pool = ("#include <metal_stdlib>\nkernel void k(device float *y [[buffer(0)]], threadgroup float *s [[threadgroup(0)]],\n"
            "uint l [[thread_position_in_threadgroup]]) { s[l] = l; y[l] = s[l]; }\n")
    y = np.zeros(64, np.float32)
    kernel = sm.Library(text=pool).kernel("k", checks=sm.ALL | sm.ARRAY_ORDER)
    kernel.run({0: y}, groups=(1,), threads=(64,), threadgroup=(256,))
    assert (y == np.arange(64)).all()
    counts = ("threadgroup uint c; if (l == 0) c = 0; threadgroup_barrier(mem_flags::mem_threadgroup);\n"
              "atomic_fetch_add_explicit((threadgroup atomic_uint*)&c, 1u, memory_order_relaxed);\n"
              "threadgroup_barrier(mem_flags::mem_threadgroup); y[i] = c;")
    kernel, y = run_small(counts, checks=sm.ALL | sm.ARRAY_ORDER, static="")
    assert kernel.status == sm.COMPLETED and (y == 64).all(), kernel.message


def test_checks_slow_elementwise_code_down_at_most_five_times():
    """In time of the processor, on one worker."""
    text = ("#include <metal_stdlib>\nkernel void k(const device float *x [[buffer(0)]], const device float *y [[buffer(1)]],\n"
            "device float *z [[buffer(2)]], uint i [[thread_position_in_grid]]) { z[i] = x[i] + y[i]; }\n")
    n = 1 << 17
    x, z = np.arange(n, dtype=np.float32), np.zeros(n, np.float32)
    library, best = sm.Library(text=text), []
    for checks in (0, sm.ALL):
        kernel, times = library.kernel("k", checks=checks), []
        for _ in range(12):
            begin = time.process_time()
            kernel.run({0: x, 1: x, 2: z}, groups=(n // 256,), threads=(256,), workers=1)
            times.append(time.process_time() - begin)
        best.append(min(times))
        assert (z == 2 * x).all()
    assert best[1] <= 5 * best[0]


def test_half_and_bfloat_convert_and_temporaries_have_thread_members():
    text = """#include <metal_stdlib>
    struct Twice { template <class T> T operator()(T x) thread { return x + x; } };
    template <class To, class From> To cast(From x) { return static_cast<To>(x); }
    kernel void k(device bfloat *y [[buffer(0)]], device half *z [[buffer(1)]], uint i [[thread_position_in_grid]]) {
      y[i] = Twice()(cast<bfloat>(half(i)));
      z[i] = static_cast<half>(y[i]);
    }"""
    y, z = np.zeros(32, np.uint16), np.zeros(32, np.float16)
    sm.Library(text=text).kernel("k").run({0: y, 1: z}, groups=(1,), threads=(32,))
    assert (z == np.arange(32) * 2).all() and ((y.astype(np.uint32) << 16).view(np.float32) == z).all()


def test_time_limit_ends_an_endless_loop():
    kernel, _ = run_small("s[l] = 0;\nvolatile int x = 1;\nwhile (x) { }\ny[i] = s[l];", timeout_ms=100)
    assert kernel.status == sm.TIMEOUT and "time limit" in kernel.message


def test_return_before_a_barrier_is_legal():
    kernel, y = run_small("if (l >= 40) return;\ns[l] = l;\nthreadgroup_barrier(mem_flags::mem_threadgroup);\ny[i] = s[39 - l];")
    assert kernel.status == sm.COMPLETED, kernel.message
    assert (y[:40] == np.arange(40)[::-1]).all()


def test_limits_of_metal():
    kernel, _ = run_small("y[i] = 1;", checks=0, groups=(1,), threads=(2048,))
    assert kernel.status == sm.ERROR and "1024" in kernel.message


def test_unknown_function_is_refused_by_name():
    text = "declare void @air.no_such_thing(float)\ndefine void @k() { call void @air.no_such_thing(float 1.0) ret void }\n"
    text += "!air.kernel = !{!0}\n!0 = !{ptr @k, !1, !1}\n!1 = !{}\n"
    with pytest.raises(sm.SoftMetalError, match="air.no_such_thing"):
        sm.Library(data=text.encode()).kernel("k")


def test_workers_and_seeds_do_not_change_results():
    results = [run_small("s[l] = l * 2;\nthreadgroup_barrier(mem_flags::mem_threadgroup);\ny[i] = s[63 - l] + g;", checks=0, groups=(64,),
                         out=4096, workers=workers, seed=seed)[1] for workers in (1, 2, 4) for seed in (0, 5)]
    assert all((result == results[0]).all() for result in results)


def test_damaged_metallib_is_refused():
    with pytest.raises(sm.SoftMetalError, match="metallib"):
        sm.Library(data=b"MTLB" + bytes(100))
