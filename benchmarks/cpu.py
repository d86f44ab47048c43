"""The CPU device against PyTorch and NumPy, on as many threads as all may use. No allocation in the timed part but where it says so."""
from __future__ import annotations

import numpy as np

from kernels import aligned, load_example
from rounds import Row, compare, interleave


def measure(rounds: int) -> list[Row]:
    import torch
    import torch.nn.functional as F
    rng = np.random.default_rng(0)
    rows = []

    def array(*shape, dtype=np.float32):
        out = aligned(int(np.prod(shape)), dtype).reshape(shape)
        out[...] = rng.standard_normal(shape, dtype=np.float32)
        return out

    def both(*arrays):
        return [torch.from_numpy(a) for a in arrays]

    def report(name, ours, **peers):
        """Rows for ours against each peer, a function with its name in words and its target. NumPy has rounds of its own: what it
        allocates makes malloc forget the pages that PyTorch gets its results in."""
        for group in ([key for key in peers if key != "numpy"], [key for key in peers if key == "numpy"]):
            times = interleave({"ours": ours} | {key: peers[key][0] for key in group}, rounds) if group else {}
            for key in group:
                _, words, *least = peers[key]
                rows.append(compare("cpu", name, times["ours"], words, times[key], *least))

    example = load_example("vector_add")
    x, y, z = (array(16 << 20) for _ in range(3))
    tx, ty, tz = both(x, y, z)
    for block in (1024, 4096):
        report(f"add 64 MiB, BLOCK {block}", lambda: example.add(x, y, z, block=block, device="cpu"),
               torch=(lambda: torch.add(tx, ty, out=tz), "torch.add(out=)", 0.9), numpy=(lambda: np.add(x, y, out=z), "np.add(out=)"))

    softmax = load_example("softmax")
    x, z = array(4096, 1024), array(4096, 1024)
    (tx,) = both(x)
    report("softmax 4096x1024", lambda: softmax.softmax(x, z, device="cpu"), torch=(lambda: torch.softmax(tx, 1), "torch.softmax", 1.2),
           numpy=(lambda: softmax.reference(x), "NumPy"))

    layer_norm = load_example("layer_norm")
    weight, bias = array(1024), array(1024)
    tw, tb = both(weight, bias)
    out = torch.empty_like(tx), torch.empty(4096, 1), torch.empty(4096, 1)
    report("layer norm 4096x1024", lambda: layer_norm.layer_norm(x, weight, bias, z, device="cpu"),
           torch=(lambda: F.layer_norm(tx, (1024,), tw, tb), "F.layer_norm", 1.5),
           out=(lambda: torch.ops.aten.native_layer_norm.out(tx, (1024,), tw, tb, 1e-5, out0=out[0], out1=out[1], out2=out[2]),
                "native_layer_norm(out=)", 1.0),
           numpy=(lambda: layer_norm.reference(x, weight, bias), "NumPy"))

    matmul = load_example("matmul").matmul
    a, b, c = (array(1024, 1024) for _ in range(3))
    ta, tb, tc = both(a, b, c)
    tile = (128, 64, 64)

    def ours(p, q):
        return lambda: matmul(p, q, c, block=tile, device="cpu")
    report("matmul fp32 1024^3", ours(a, b), torch=(lambda: torch.mm(ta, tb, out=tc), "torch.mm", 0.7),
           numpy=(lambda: np.matmul(a, b, out=c), "np.matmul(out=)"))
    for name, (p, q) in {"fp16": (ta.half(), tb.half()), "bf16": (ta.bfloat16(), tb.bfloat16())}.items():
        report(f"matmul {name} 1024^3", ours(p, q), fp32=(ours(a, b), "ours in fp32", 0.6))

    attention = load_example("attention")
    q, k, v, out = (array(8, 1024, 64) for _ in range(4))
    tq, tk, tv = (t[None] for t in both(q, k, v))
    for causal in (False, True):
        report(f"attention 8x1024x64{', causal' if causal else ''}", lambda: attention.attention(q, k, v, out, causal, device="cpu"),
               torch=(lambda: F.scaled_dot_product_attention(tq, tk, tv, is_causal=causal), "scaled_dot_product_attention",
                      None if causal else 0.7),
               numpy=(lambda: attention.reference(q, k, v, causal), "NumPy, in float64"))
    return rows
