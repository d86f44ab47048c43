"""The tuner: how good its choice is beside an exhaustive run, also on a machine with a busy core, and what a tuned launch costs.

    python benchmarks/tuner.py            ten pairs of kernel and shape on the cpu device
    python benchmarks/tuner.py --pairs add blur
    python benchmarks/tuner.py --held-out # ten others, which no constant of the tuner was chosen on

An exhaustive run measures every configuration in many interleaved rounds; a level is the mean of the fastest quarter of samples. The
choice is good if its level is within 5 % of the best one. With a busy core another process computes while the tuner searches; levels are
always those of the exhaustive run without it, half of which comes before the searches and half after, because machines change their speed.
"""
from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

import numpy as np

import triton_metal as triton
from kernels import aligned, load_example
from rounds import Row, Times, compare, interleave
from tuner_held_out import held_out

WITHIN, ENOUGH = 1.05, 9
SAMPLE_SECONDS = 4e-4


@dataclass
class Pair:
    """A kernel with its arguments, the grid of a configuration, and the configurations."""
    name: str
    kernel: object
    arguments: dict
    grid: object
    configs: list

    def tuned(self):
        """A tuner that has seen nothing and keeps nothing."""
        return triton.autotune(self.configs, key=[], cache_results=False)(triton.jit(self.kernel.fn))

    def calls(self) -> list:
        return [self._call(config) for config in self.configs]

    def _call(self, config):
        launcher = self.kernel[self.grid(config.kwargs)]
        return lambda: launcher(**self.arguments, **config.kwargs, device="cpu")


def _configs(**values) -> list:
    return [triton.Config(dict(zip(values, choice))) for choice in itertools.product(*values.values())]


def _powers(first: int, last: int) -> list[int]:
    return [1 << i for i in range(first, last + 1)]


def _line(name, example, function, arguments, n, blocks, grid=None) -> Pair:
    return Pair(name, getattr(load_example(example), function), arguments,
                grid or (lambda meta: (triton.cdiv(n, meta["BLOCK"]),)), _configs(BLOCK=blocks))


def _product(name, m, n, k, dtype, configs) -> Pair:
    a, b, c = aligned(m * k, dtype).reshape(m, k), aligned(k * n, dtype).reshape(k, n), aligned(m * n, dtype).reshape(m, n)
    a[:], b[:] = 0.5, 0.25
    strides = dict(stride_am=k, stride_ak=1, stride_bk=n, stride_bn=1, stride_cm=n, stride_cn=1)
    arguments = dict(a_ptr=a, b_ptr=b, bias_ptr=c, c_ptr=c, M=m, N=n, K=k, **strides, EPILOGUE=False)
    return Pair(name, load_example("matmul").matmul_kernel, arguments,
                lambda meta: (triton.cdiv(m, meta["BLOCK_M"]), triton.cdiv(n, meta["BLOCK_N"])), configs)


def _image(name, function, side, arguments, configs) -> Pair:
    return Pair(name, getattr(load_example("image_filters"), function), arguments,
                lambda meta: (triton.cdiv(side, meta["BLOCK_X"]), triton.cdiv(side, meta["BLOCK_Y"])), configs)


def pairs() -> list[Pair]:
    n = 1 << 20
    x, y, z = (aligned(n) for _ in range(3))
    small = n >> 4  # in cache, and one block may hold all of it
    x[:], y[:] = 1.5, 2.5
    q, k, v, out = (aligned(4 * 256 * 64).reshape(4, 256, 64) for _ in range(4))
    weights = load_example("image_filters").gaussian()
    square = [16, 32, 64, 128]
    heads = dict(q_ptr=q, k_ptr=k, v_ptr=v, out_ptr=out, head_stride=256 * 64, n=256, scale=0.125, HEAD=64, CAUSAL=False)
    tiles = _configs(BLOCK_Y=[1, 4, 16, 64], BLOCK_X=[8, 32, 128])
    return [
        _line("add", "vector_add", "add_kernel", dict(x_ptr=x, y_ptr=y, out_ptr=z, n=small), small, _powers(2, 16)),
        _line("dropout", "dropout", "dropout_kernel", dict(x_ptr=x, out_ptr=z, n=small, p=0.5, seed=7), small, _powers(2, 16)),
        _line("sum, many programs", "sum", "partial_sum_kernel", dict(x_ptr=x, partial_ptr=z, n=n), n, _powers(5, 16)),
        _line("sum, one program", "sum", "total_kernel", dict(partial_ptr=x, out_ptr=z, count=n >> 2), n, _powers(3, 14),
              lambda meta: (1,)),
        _product("matmul 256", 256, 256, 256, np.float32, _configs(BLOCK_M=[8, *square], BLOCK_N=[8, 32, 128], BLOCK_K=[32])),
        _product("matmul 512", 512, 512, 512, np.float32, _configs(BLOCK_M=[8, 32, 64, 128], BLOCK_N=[16, 64, 128], BLOCK_K=[32])),
        _product("matmul 16x1024x512", 16, 1024, 512, np.float32, _configs(BLOCK_M=[16], BLOCK_N=[8, 64, 128, 512], BLOCK_K=[8, 32, 128])),
        Pair("attention 256x64", load_example("attention").attention_kernel, heads, lambda meta: (triton.cdiv(256, meta["BLOCK_M"]), 4),
             _configs(BLOCK_M=[4, 16, 64, 128], BLOCK_N=[8, 32, 128])),
        _image("blur 256", "blur_kernel", 256, dict(image_ptr=x, weight_ptr=weights, out_ptr=z, height=256, width=256, RADIUS=3), tiles),
        _image("sobel 512", "sobel_kernel", 512, dict(image_ptr=x, out_ptr=z, height=512, width=512), tiles),
    ]


def exhaustive(pair: Pair, rounds: int) -> list[Times]:
    """Times of every configuration, none of them left out."""
    calls = pair.calls()
    repeats = []
    for call in calls:
        call()
        start = time.perf_counter()
        call()
        repeats.append(max(1, int(SAMPLE_SECONDS / (time.perf_counter() - start))))
    times = [Times([]) for _ in calls]
    order = list(range(len(calls)))
    for i in range(rounds):
        turn = i % len(order)
        for j in order[turn:] + order[:turn] if i % 2 == 0 else reversed(order):
            start = time.perf_counter()
            for _ in range(repeats[j]):
                calls[j]()
            times[j].seconds.append((time.perf_counter() - start) / repeats[j])
    return times


def level(times: Times) -> float:
    ordered = sorted(times.seconds)
    return float(np.mean(ordered[:(len(ordered) + 3) // 4]))


@contextlib.contextmanager
def busy_core(busy: bool):
    """Another process that computes all the time."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"]) if busy else None
    try:
        yield
    finally:
        if process:
            process.kill()
            process.wait()


def choose(pair: Pair, busy: bool) -> tuple[int, float]:
    """The number of the configuration that the tuner chooses, and how long its search takes."""
    tuned = pair.tuned()
    with busy_core(busy):
        tuned[pair.grid](**pair.arguments, device="cpu")
    return pair.configs.index(tuned.best_config), tuned.report.seconds


def judge(pair: Pair, rounds: int) -> tuple[list[Times], dict[bool, int], float]:
    """Times of all configurations, the number of the tuner's choice without and with a busy core, and seconds of a search."""
    times = exhaustive(pair, (rounds + 1) // 2)
    choices = {busy: choose(pair, busy) for busy in (False, True)}
    for half, more in zip(times, exhaustive(pair, rounds // 2)):
        half.seconds += more.seconds
    return times, {busy: chosen for busy, (chosen, _) in choices.items()}, choices[False][1]


def launch_calls() -> dict:
    """A plain and a tuned launch of the kernel of launch.py."""
    add = load_example("vector_add").add_kernel
    same = [triton.Config({"BLOCK": 16}, num_stages=stages) for stages in (2, 3)]
    tuned = triton.autotune(same, key=["n"], cache_results=False)(add)
    x, y, out = (np.ones(16, np.float32) for _ in range(3))
    grid = (1,)
    return {"plain": lambda: add[grid](x, y, out, 16, BLOCK=16, device="cpu"), "tuned": lambda: tuned[grid](x, y, out, 16, device="cpu")}


def trials_of_a_second_process() -> int:
    """Launches beyond the one that is asked for, of a process whose question another one has answered."""
    script = ("import numpy as np, triton_metal as triton, kernels\n"
              "kernel = kernels.load_example('vector_add').add_kernel\n"
              "tuned = triton.autotune([triton.Config({'BLOCK': 1 << i}) for i in range(5, 9)], key=['n'])(kernel)\n"
              "launches = []\n"
              "kernel.add_pre_run_hook(lambda **arguments: launches.append(1))\n"
              "x, y, out = (np.ones(1000, np.float32) for _ in range(3))\n"
              "tuned[lambda meta: (triton.cdiv(1000, meta['BLOCK']),)](x, y, out, 1000, device='cpu')\n"
              "print(len(launches) - 1)\n")
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "TRITON_METAL_CACHE_DIR": folder}
        runs = [subprocess.run([sys.executable, "-c", script], env=environment, cwd=pathlib.Path(__file__).parent, check=True,
                               capture_output=True, text=True).stdout for _ in range(2)]
    return int(runs[1])


def measure(rounds: int) -> list[Row]:
    """The rows of run.py: the choice beside the best of an exhaustive run, then launches."""
    rows = []
    for pair in pairs():
        times, choices, _ = judge(pair, 4 * rounds)
        best = min(times, key=level)
        for busy, chosen in choices.items():
            row = compare("tuner", pair.name + (", a core busy" if busy else ""), times[chosen], "best of all", best, 1 / WITHIN)
            row.ours_median, row.peer_median = level(times[chosen]) * 1e3, level(best) * 1e3
            rows.append(row)
    times = interleave(launch_calls(), rounds, repeat=2000, warm_up=2000)
    rows.append(compare("tuner", "tuned launch", times["tuned"], "plain launch", times["plain"], most=times["plain"].median * 1e6 + 0.3,
                        unit="us"))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=60, help="of the exhaustive runs (default: %(default)s)")
    parser.add_argument("--pairs", nargs="+", help="names of pairs (default: all)")
    parser.add_argument("--held-out", action="store_true", help="ten other pairs")
    options = parser.parse_args()
    all_pairs = held_out(Pair, _configs, _powers, _product) if options.held_out else pairs()
    chosen_pairs = [pair for pair in all_pairs if not options.pairs or pair.name in options.pairs]
    print(f"{'pair':27}{'configs':>8}{'best ms':>9}{'worst':>7}  {'choice: quiet':>14}{'core busy':>11}{'search s':>10}  best")
    good = {False: 0, True: 0}
    for pair in chosen_pairs:
        times, choices, seconds = judge(pair, options.rounds)
        levels = [level(one) for one in times]
        ratios = {busy: levels[chosen] / min(levels) for busy, chosen in choices.items()}
        for busy, ratio in ratios.items():
            good[busy] += ratio <= WITHIN
        best = pair.configs[levels.index(min(levels))]
        print(f"{pair.name:27}{len(levels):8}{min(levels) * 1e3:9.4f}{max(levels) / min(levels):6.1f}x  {ratios[False]:13.3f}x"
              f"{ratios[True]:10.3f}x{seconds:10.2f}  {best.kwargs}", flush=True)
    for busy, count in good.items():
        print(f"{'a core busy' if busy else 'quiet'}: {count} of {len(chosen_pairs)} within {WITHIN:.2f}x of the best"
              + (f" (goal: {ENOUGH} of 10)" if not options.pairs else ""))
    times = interleave(launch_calls(), 30, repeat=3000, warm_up=3000)
    extra = (times["tuned"].median - times["plain"].median) * 1e6
    print(f"tuned launch {times['tuned'].median * 1e6:.3f} us, plain {times['plain'].median * 1e6:.3f} us: {extra:+.3f} us "
          "(goal: at most 0.3)")
    print(f"trials of a second process: {trials_of_a_second_process()} (goal: 0)")


if __name__ == "__main__":
    main()
