"""The CPU device against PyTorch, on as many threads as both may use. No allocation in the timed part but where it says so."""
from __future__ import annotations

import numpy as np

from kernels import aligned, load_example
from rounds import Row, compare, interleave


def measure(rounds: int) -> list[Row]:
    import torch
    import torch.nn.functional as F
    rng = np.random.default_rng(0)

    def array(*shape, dtype=np.float32):
        out = aligned(int(np.prod(shape)), dtype).reshape(shape)
        out[...] = rng.standard_normal(shape, dtype=np.float32)
        return out

    def both(*arrays):
        return [torch.from_numpy(a) for a in arrays]
    rows = []

    add = load_example("vector_add").add
    x, y, z, z2 = (array(16 << 20) for _ in range(4))
    tx, ty, tz = both(x, y, z2)
    for block in (1024, 4096):
        times = interleave({"ours": lambda: add(x, y, z, block=block, device="cpu"),
                            "torch": lambda: torch.add(tx, ty, out=tz)}, rounds)
        rows.append(compare("cpu", f"add 64 MiB, BLOCK {block}", times["ours"], "torch.add(out=)", times["torch"], 0.9))

    softmax = load_example("softmax").softmax
    x, z = array(4096, 1024), array(4096, 1024)
    (tx,) = both(x)
    times = interleave({"ours": lambda: softmax(x, z, device="cpu"), "torch": lambda: torch.softmax(tx, 1)}, rounds)
    rows.append(compare("cpu", "softmax 4096x1024", times["ours"], "torch.softmax", times["torch"], 1.2))

    layer_norm = load_example("layer_norm").layer_norm
    weight, bias = array(1024), array(1024)
    tw, tb = both(weight, bias)
    out = torch.empty_like(tx), torch.empty(4096, 1), torch.empty(4096, 1)
    times = interleave({"ours": lambda: layer_norm(x, weight, bias, z, device="cpu"),
                        "torch": lambda: F.layer_norm(tx, (1024,), tw, tb),
                        "out": lambda: torch.ops.aten.native_layer_norm.out(tx, (1024,), tw, tb, 1e-5, out0=out[0], out1=out[1],
                                                                           out2=out[2])}, rounds)
    rows.append(compare("cpu", "layer norm 4096x1024", times["ours"], "F.layer_norm", times["torch"], 1.5))
    rows.append(compare("cpu", "layer norm 4096x1024", times["ours"], "native_layer_norm(out=)", times["out"], 1.0))

    matmul = load_example("matmul").matmul
    a, b, c = array(1024, 1024), array(1024, 1024), array(1024, 1024)
    ta, tb, tc = both(a, b, np.empty_like(c))
    tile = (128, 64, 64)
    times = interleave({"ours": lambda: matmul(a, b, c, block=tile, device="cpu"),
                        "torch": lambda: torch.mm(ta, tb, out=tc)}, rounds)
    rows.append(compare("cpu", "matmul fp32 1024^3", times["ours"], "torch.mm", times["torch"], 0.7))
    halves = {"fp16": [torch.from_numpy(v).half() for v in (a, b)], "bf16": [torch.from_numpy(v).bfloat16() for v in (a, b)]}
    for name, (p, q) in halves.items():
        times = interleave({"ours": lambda: matmul(p, q, c, block=tile, device="cpu"),
                            "fp32": lambda: matmul(a, b, c, block=tile, device="cpu")}, rounds)
        rows.append(compare("cpu", f"matmul {name} 1024^3", times["ours"], "ours in fp32", times["fp32"], 0.6))

    attention = load_example("attention").attention
    q, k, v, out = (array(8, 1024, 64) for _ in range(4))
    tq, tk, tv = (t[None] for t in both(q, k, v))
    for causal in (False, True):
        times = interleave({"ours": lambda: attention(q, k, v, out, causal, device="cpu"),
                            "torch": lambda: F.scaled_dot_product_attention(tq, tk, tv, is_causal=causal)}, rounds)
        rows.append(compare("cpu", f"attention 8x1024x64{', causal' if causal else ''}", times["ours"],
                            "scaled_dot_product_attention", times["torch"], None if causal else 0.7))
    return rows
