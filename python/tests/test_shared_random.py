"""Random kernels on two shared arrays, with a barrier after each statement, against the same text run on NumPy arrays."""
import random

import numpy as np
import pytest

import triton_metal as triton

from arrays import kernel_from_text, needs_softmetal

pytestmark = [pytest.mark.never_refused, needs_softmetal]
SHAPES = [(3, 5), (8, 8), (4, 17), (16, 33), (1, 64), (6, 40)]


class Language:
    """What the kernels use of the language, on NumPy arrays."""

    int32 = np.int32
    barrier = staticmethod(lambda: None)
    sum = staticmethod(lambda x: x.sum())

    @staticmethod
    def arange(start, end):
        return np.arange(start, end)

    @staticmethod
    def shared_memory(shape, dtype):
        return np.zeros(shape, dtype).view(Array)


class Array(np.ndarray):

    def load(self, *indices, mask, other=0):
        *places, mask = np.broadcast_arrays(*indices, mask)
        result = np.full(mask.shape, other)
        result[mask] = np.asarray(self)[tuple(place[mask] for place in places)]
        return result

    def store(self, *arguments, mask):
        *places, value, mask = np.broadcast_arrays(*arguments, mask)
        self[tuple(place[mask] for place in places)] = value[mask]

    def atomic_add(self, *arguments, mask):
        *places, value, mask = np.broadcast_arrays(*arguments, mask)
        np.add.at(self, tuple(place[mask] for place in places), value[mask])


class Generator:
    """One kernel: `lines` of its body, `size` of what it stores."""

    def __init__(self, seed):
        self.rng = rng = random.Random(seed)
        self.rows, self.columns = rng.choice(SHAPES)
        self.number, self.lines = 0, []
        below = [1 << size.bit_length() - 1 for size in (self.rows, self.columns)]
        above = [1 << (size - 1).bit_length() for size in (self.rows, self.columns)]
        self.r, self.c = below
        self.all = f"tl.arange(0, {above[0]})[:, None], tl.arange(0, {above[1]})[None, :]"
        self.inside = f"(tl.arange(0, {above[0]})[:, None] < {self.rows}) & (tl.arange(0, {above[1]})[None, :] < {{}})"
        self.many = above[1]
        self.emit(0, f"s, t = tl.shared_memory(({self.rows}, {self.columns}), tl.int32), "
                     f"tl.shared_memory(({self.rows}, {self.columns}), tl.int32)")
        for name in "st":
            self.emit(0, f"{name}.store({self.all}, u, mask={self.inside.format(self.columns)})")
        self.emit(0, "tl.barrier()")
        self.emit(0, "total = u")
        for _ in range(rng.randrange(3, 9)):
            self.statement(0)

    def emit(self, depth, text):
        self.lines.append("    " * (depth + 1) + text)

    def index(self):
        """A subscript and the shape that it selects."""
        rng, width, height = self.rng, min(self.rng.choice((1, 2, 4)), self.c), min(self.rng.choice((1, 2, 4)), self.r)
        left, top = rng.randrange(self.columns - width + 1), rng.randrange(self.rows - height + 1)
        r, c = f"tl.arange(0, {self.r})", f"tl.arange(0, {self.c})"
        return rng.choice([
            (f"[{rng.randrange(self.rows)}, {left}:{left + width}]", (width,)),
            (f"[{top}:{top + height}, {left}:{left + width}]", (height, width)),
            (f"[u % {self.rows}, {c}]", (self.c,)),
            (f"[{r}, {rng.randrange(self.columns)}]", (self.r,)),
            (f"[{r}[:, None], {c}[None, :]]", (self.r, self.c)),
            (f"[{r}[None, :], {c}[:, None]]", (self.c, self.r)),
            (f"[{top}:{top + height}, ({c} + {rng.randrange(self.columns)}) % {self.columns}]", (height, self.c)),
            (f"[{self.rows - 1} - {r}, :{self.c}]", (self.r, self.c)),
            (f"[u % {self.rows}, v % {self.columns}]", ()),
        ])

    def value(self, shape):
        """An expression that can be stored in the shape."""
        choices = [f"u * {self.rng.randrange(5)} + {self.rng.randrange(9)}"]
        if shape:
            choices.append(f"tl.arange(0, {shape[-1]}) * {self.rng.randrange(1, 4)} + v")
        loads = [index for index, selected in (self.index() for _ in range(8)) if selected == shape]
        choices += [f"{self.rng.choice('st')}{index} * 3 + 1" for index in loads]
        return self.rng.choice(choices)

    def statement(self, depth):
        rng, name, kind = self.rng, self.rng.choice("st"), self.rng.randrange(10)
        if kind < 5:
            index, shape = self.index()
            if kind < 4:
                value = f"x{self.number}"
                self.number += 1
                self.emit(depth, f"{value} = {self.value(shape)}")
                self.emit(depth, "tl.barrier()")
                self.emit(depth, f"{name}{index} = {value}")
            else:
                self.emit(depth, f"total += tl.sum({name}{index})" if shape else f"total += {name}{index}")
        elif kind == 5:
            i = f"tl.arange(0, {self.many})"
            place = f"{i} % {self.rows}, {i} // 2 % {self.columns}"
            self.emit(depth, f"{name}.atomic_add({place}, {i} + u, mask={i} < {rng.randrange(self.many)})")
        elif kind == 6:
            self.emit(depth, f"y = {name}.load({self.all}, mask={self.inside.format(self.columns)}, other=7)")
            self.emit(depth, "tl.barrier()")
            bound = rng.randrange(1, self.columns + 1)
            self.emit(depth, f"{rng.choice('st')}.store({self.all}, y + v, mask={self.inside.format(bound)})")
        elif depth < 2:
            loops = kind < 9
            self.emit(depth, f"for i{depth} in range({rng.choice('n23')}):" if loops else f"if u > {rng.randrange(5)}:")
            for _ in range(rng.randrange(1, 4)):
                self.statement(depth + 1)
            if loops and rng.random() < 0.3:
                self.emit(depth + 1, "s, t = t, s")
            self.emit(depth + 1, f"v = v + i{depth}" if loops else "total += 1")
        self.emit(depth, "tl.barrier()")

    def text(self, stores):
        return "def kernel(out_ptr, u, v, n):\n" + "\n".join(self.lines + stores) + "\n"

    def for_devices(self):
        count, inside = self.rows * self.columns, self.inside.format(self.columns)
        rows, columns = self.all.split("], ")
        place = f"{rows}] * {self.columns} + {columns}"
        return self.text(["    tl.store(out_ptr, total)"] + [
            f"    tl.store(out_ptr + {1 + at * count} + {place}, {name}.load({self.all}, mask={inside}), mask={inside})"
            for at, name in enumerate("st")])

    def for_numpy(self):
        return self.text(["    return np.concatenate([[total], s.ravel(), t.ravel()])"])


@pytest.mark.parametrize("seed", range(20))
def test_random_kernel(device, seed):
    generator = Generator(seed)
    u, v, n = seed % 7, 2 + seed % 5, seed % 3
    namespace = {"tl": Language, "np": np}
    exec(generator.for_numpy(), namespace)
    expected = namespace["kernel"](None, np.int64(u), np.int64(v), n)
    out = np.zeros(expected.size, np.int32)
    kernel_from_text(generator.for_devices())[(1,)](out, u, v, n, device=device, num_warps=(1, 4)[seed % 2])
    np.testing.assert_array_equal(out, expected.astype(np.int32))
