"""Every atomic operation of the library, by the names that Apple's compiler gives them in AIR; lanes that wait for one another."""
import re

import numpy as np
import pytest

import softmetal_native as sm

pytestmark = pytest.mark.skipif(sm.library_path() is None, reason="libsoftmetal is not built")
CHECKS = [pytest.param(0, id="fast"), pytest.param(sm.ALL, id="checked")]
HEAD = "#include <metal_stdlib>\nusing namespace metal;\n"


def library(body, scalar, static=""):
    return sm.Library(text=HEAD + f"kernel void k(device atomic<{scalar}>* a [[buffer(0)]], device {scalar}* y [[buffer(1)]],\n"
                      f"uint i [[thread_position_in_grid]], uint l [[thread_position_in_threadgroup]]) {{\n{static}\n{body}\n}}\n")


def run(lib, cell, scalar, checks, groups=2, threads=64, **options):
    dtype = {"int": np.int32, "uint": np.uint32, "float": np.float32}[scalar]
    a, y = np.array(cell, dtype).reshape(-1), np.zeros(groups * threads, dtype)
    kernel = lib.kernel("k", checks=checks)
    kernel.run({0: a, 1: y}, groups=(groups,), threads=(threads,), **options)
    return a, y


N = 128
UPDATES = {"add": lambda c, v: c + v.sum(), "sub": lambda c, v: c - v.sum(), "min": lambda c, v: min(c, v.min()),
           "max": lambda c, v: max(c, v.max()),
           "and": lambda c, v: c & np.bitwise_and.reduce(v), "or": lambda c, v: c | np.bitwise_or.reduce(v),
           "xor": lambda c, v: c ^ np.bitwise_xor.reduce(v)}


@pytest.mark.parametrize("checks", CHECKS)
@pytest.mark.parametrize("scalar", ["int", "uint"])
@pytest.mark.parametrize("name", UPDATES)
def test_update_of_device_memory(name, scalar, checks):
    lib = library(f"y[i] = atomic_fetch_{name}_explicit(&a[0], {scalar}(i * 37 + 5) - 1000, memory_order_relaxed);", scalar)
    sign = ("s." if scalar == "int" else "u.")
    assert f"@air.atomic.global.{name}.{sign}i32(" in lib.air("k")
    dtype = np.int32 if scalar == "int" else np.uint32
    values = (np.arange(N, dtype=np.int64) * 37 + 5 - 1000).astype(dtype)
    a, y = run(lib, 12345, scalar, checks)
    with np.errstate(over="ignore"):
        assert a[0] == dtype(UPDATES[name](dtype(12345), values))
    assert 12345 in y  # the first one saw what was there


@pytest.mark.parametrize("checks", CHECKS)
@pytest.mark.parametrize("scalar", ["int", "uint"])
@pytest.mark.parametrize("name", UPDATES)
def test_update_of_threadgroup_memory(name, scalar, checks):
    body = ("if (l == 0) atomic_store_explicit(&s, 77, memory_order_relaxed);\nthreadgroup_barrier(mem_flags::mem_threadgroup);\n"
            f"atomic_fetch_{name}_explicit(&s, {scalar}(l * 3 + 1), memory_order_relaxed);\n"
            "threadgroup_barrier(mem_flags::mem_threadgroup);\n"
            "y[i] = atomic_load_explicit(&s, memory_order_relaxed);")
    lib = library(body, scalar, f"threadgroup atomic<{scalar}> s;")
    text = lib.air("k")
    assert f"@air.atomic.local.{name}.{'s.' if scalar == 'int' else 'u.'}i32(" in text
    assert "@air.atomic.local.store.i32(" in text and "@air.atomic.local.load.i32(" in text
    dtype = np.int32 if scalar == "int" else np.uint32
    _, y = run(lib, 0, scalar, checks)
    with np.errstate(over="ignore"):
        assert (y == dtype(UPDATES[name](dtype(77), (np.arange(64) * 3 + 1).astype(dtype)))).all()


@pytest.mark.parametrize("checks", CHECKS)
@pytest.mark.parametrize("name, sign", [("add", 1), ("sub", -1)])
def test_float_update(name, sign, checks):
    lib = library(f"y[i] = atomic_fetch_{name}_explicit(&a[0], float(i), memory_order_relaxed);", "float")
    assert f"@air.atomic.global.{name}.f32(" in lib.air("k")
    a, _ = run(lib, 0.5, "float", checks)
    assert a[0] == 0.5 + sign * N * (N - 1) / 2


@pytest.mark.parametrize("checks", CHECKS)
@pytest.mark.parametrize("scalar", ["int", "uint", "float"])
def test_exchange_load_and_store(scalar, checks):
    lib = library("y[i] = atomic_exchange_explicit(&a[0], %s(i + 1), memory_order_relaxed);\n"
                  "atomic_store_explicit(&a[1 + i], atomic_load_explicit(&a[1 + i], memory_order_relaxed) + 1, "
                  "memory_order_relaxed);" % scalar, scalar)
    kind = "f32" if scalar == "float" else "i32"
    assert all(f"@air.atomic.global.{name}.{kind}(" in lib.air("k") for name in ("xchg", "load", "store"))
    a, y = run(lib, np.arange(N + 1), scalar, checks)
    assert sorted([*y, a[0]]) == list(range(N + 1))  # every value was handed on once
    assert (a[1:] == np.arange(1, N + 1) + 1).all()


@pytest.mark.parametrize("checks", CHECKS)
@pytest.mark.parametrize("scalar", ["int", "float"])
def test_compare_exchange_loop(scalar, checks):
    body = (f"{scalar} old = atomic_load_explicit(&a[0], memory_order_relaxed);\n"
            "while (!atomic_compare_exchange_weak_explicit(&a[0], &old, old * 1 + 2, memory_order_relaxed, memory_order_relaxed)) { }\n"
            "y[i] = old;")
    lib = library(body, scalar)
    assert re.search(r"@air\.atomic\.global\.cmpxchg\.weak\.", lib.air("k"))
    a, y = run(lib, 0, scalar, checks)
    assert a[0] == 2 * N and sorted(y) == list(range(0, 2 * N, 2))


@pytest.mark.parametrize("seed", [0, 3])
@pytest.mark.parametrize("checks", CHECKS)
@pytest.mark.parametrize("wait", ["atomic_load_explicit(&s, memory_order_relaxed) != l",
                                  "atomic_fetch_or_explicit(&s, 0, memory_order_relaxed) != l"])
def test_lanes_that_spin_on_another_lane_of_their_threadgroup(wait, checks, seed):
    """Lane 63 goes first and hands on downwards: in order, every lane but the last would spin for ever."""
    body = ("if (l == 0) atomic_store_explicit(&s, 63, memory_order_relaxed);\nthreadgroup_barrier(mem_flags::mem_threadgroup);\n"
            f"while ({wait}) {{ }}\ny[i] = atomic_fetch_add_explicit(&a[0], 1, memory_order_relaxed) + 1;\n"
            "atomic_store_explicit(&s, l - 1, memory_order_relaxed);")
    lib = library(body, "uint", "threadgroup atomic_uint s;")
    _, y = run(lib, 0, "uint", checks, groups=1, seed=seed, timeout_ms=20000)
    assert (y == 64 - np.arange(64)).all()


def test_a_spin_that_nobody_ends_meets_the_time_limit():
    lib = library("while (atomic_load_explicit(&a[0], memory_order_relaxed) == 0) { }\ny[i] = 1;", "uint")
    kernel = lib.kernel("k")
    kernel.run({0: np.zeros(1, np.uint32), 1: np.zeros(64, np.uint32)}, groups=(1,), threads=(64,), timeout_ms=200, expect=sm.TIMEOUT)


def test_plain_and_atomic_accesses_race():
    lib = library("atomic_fetch_add_explicit(&a[0], 1, memory_order_relaxed);\nif (i == 5) y[0] = ((device int*)a)[0];", "int")
    kernel = lib.kernel("k", checks=sm.ALL)
    kernel.run({0: np.zeros(1, np.int32), 1: np.zeros(64, np.int32)}, groups=(1,), threads=(64,), expect=sm.FAULT)
    assert any(r["kind"] == "device_race" for r in kernel.reports)
