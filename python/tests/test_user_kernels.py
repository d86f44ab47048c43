"""Kernels as people write them, on both devices, at odd sizes and with 1, 4 and 8 warps, against NumPy and PyTorch."""
import math

import numpy as np
import pytest

import triton_metal as triton
import triton_metal.language as tl

torch = pytest.importorskip("torch")
from torch_tensors import close, tensor  # noqa: E402  needs PyTorch


@pytest.fixture
def rng():
    return np.random.default_rng(7)


# Elementwise ---------------------------------------------------------------------------------------------------------------


@triton.jit
def add_relu_kernel(x_ptr, y_ptr, output_ptr, n_elements, BLOCK_SIZE: tl.constexpr):
    pid = tl.program_id(axis=0)
    block_start = pid * BLOCK_SIZE
    offsets = block_start + tl.arange(0, BLOCK_SIZE)
    mask = offsets < n_elements
    x = tl.load(x_ptr + offsets, mask=mask)
    y = tl.load(y_ptr + offsets, mask=mask)
    output = tl.maximum(x + y, 0.0)
    tl.store(output_ptr + offsets, output, mask=mask)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_add_relu(device, warps, rng, dtype):
    x, y = tensor(rng, 1021, dtype=dtype), tensor(rng, 1021, dtype=dtype)
    out = torch.empty_like(x)
    grid = lambda meta: (triton.cdiv(x.numel(), meta["BLOCK_SIZE"]), )
    add_relu_kernel[grid](x, y, out, x.numel(), BLOCK_SIZE=128, num_warps=warps, device=device)
    close(out, torch.relu(x + y), atol=0, rtol=0)


@triton.jit
def _sigmoid(x):
    return 1 / (1 + tl.exp(-x))


@triton.jit
def _silu(x):
    return x * _sigmoid(x)


@triton.jit
def swiglu_kernel(ab_ptr, c_ptr, stride, n_cols: tl.constexpr, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    ab_ptr += row * stride
    c_ptr += row * n_cols
    cols = tl.arange(0, BLOCK)
    mask = cols < n_cols
    a = tl.load(ab_ptr + cols, mask=mask, other=0).to(tl.float32)
    b = tl.load(ab_ptr + n_cols + cols, mask=mask, other=0)
    tl.store(c_ptr + cols, _silu(a).to(b.dtype) * b, mask=mask)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_swiglu(device, warps, rng, dtype):
    ab = tensor(rng, 5, 202, dtype=dtype)
    out = torch.empty(5, 101, dtype=dtype)
    swiglu_kernel[(5, )](ab, out, ab.stride(0), n_cols=101, BLOCK=128, num_warps=warps, device=device)
    a, b = ab.chunk(2, dim=1)
    close(out, torch.nn.functional.silu(a.float()).to(dtype) * b, rtol=2e-3 if dtype == torch.float16 else 1e-5, atol=1e-3)


@triton.jit
def dropout_backward_kernel(dy_ptr, dx_ptr, n, p, seed, BLOCK: tl.constexpr):
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offs < n
    keep = tl.rand(seed, offs) > p
    dy = tl.load(dy_ptr + offs, mask=mask)
    tl.store(dx_ptr + offs, tl.where(keep, dy / (1 - p), 0.0), mask=mask)


def test_dropout_backward(device, warps, rng):
    dy = tensor(rng, 1500)
    dx, again = torch.empty_like(dy), torch.empty_like(dy)
    dropout_backward_kernel[(6, )](dy, dx, 1500, 0.25, 123, BLOCK=256, num_warps=warps, device=device)
    dropout_backward_kernel[(3, )](dy, again, 1500, 0.25, 123, BLOCK=512, num_warps=warps, device="cpu")
    assert torch.equal(dx != 0, again != 0) and 0.7 < (dx != 0).float().mean() < 0.8
    close(dx, torch.where(dx != 0, dy / 0.75, 0.0))


@triton.jit
def clamp_scalars_kernel(x_ptr, o_ptr, lo: float, hi: float, flag: bool, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, i < n)
    if flag:
        x = tl.clamp(x, lo, hi)
    else:
        x = tl.minimum(x, hi)
    tl.store(o_ptr + i, x, i < n)


@pytest.mark.parametrize("flag", [True, False])
def test_scalar_arguments(device, rng, flag):
    x = tensor(rng, 333)
    out = torch.empty_like(x)
    clamp_scalars_kernel[(6, )](x, out, -0.5, 0.75, flag, 333, BLOCK=64, device=device)
    close(out, x.clamp(-0.5, 0.75) if flag else x.clamp(max=0.75), 0, 0)


# Rows ----------------------------------------------------------------------------------------------------------------------


@triton.jit
def rms_norm_fwd(X, Y, W, Rstd, stride_x_row, stride_y_row, N, eps, BLOCK_N: tl.constexpr, HAS_RSTD: tl.constexpr):
    row = tl.program_id(0)
    X += row * stride_x_row
    Y += row * stride_y_row
    cols = tl.arange(0, BLOCK_N)
    x = tl.load(X + cols, mask=cols < N, other=0.0).to(tl.float32)
    var = tl.sum(x * x, axis=0) / N
    rstd = 1 / tl.sqrt(var + eps)
    if HAS_RSTD:
        tl.store(Rstd + row, rstd)
    w = tl.load(W + cols, mask=cols < N).to(tl.float32)
    tl.store(Y + cols, x * rstd * w, mask=cols < N)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_rms_norm(device, warps, rng, dtype):
    x, w = tensor(rng, 7, 133, dtype=dtype), tensor(rng, 133, dtype=dtype)
    y, rstd = torch.empty_like(x), torch.empty(7)
    rms_norm_fwd[(7, )](x, y, w, rstd, x.stride(0), y.stride(0), 133, 1e-6, BLOCK_N=256, HAS_RSTD=True, num_warps=warps,
                        device=device)
    expected = torch.rsqrt(x.float().pow(2).mean(-1) + 1e-6)
    close(rstd, expected)
    close(y, x.float() * expected[:, None] * w.float(), *((1e-5, 1e-5) if dtype == torch.float32 else (1e-2, 1e-2)))
    rms_norm_fwd[(7, )](x, y, w, None, x.stride(0), y.stride(0), 133, 1e-6, BLOCK_N=256, HAS_RSTD=False, num_warps=warps,
                        device=device)
    close(y, x.float() * expected[:, None] * w.float(), *((1e-5, 1e-5) if dtype == torch.float32 else (1e-2, 1e-2)))


@triton.jit
def cross_entropy_kernel(logits_ptr, labels_ptr, loss_ptr, lse_ptr, stride, V, ignore_index, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    label = tl.load(labels_ptr + row)
    if label == ignore_index:
        tl.store(loss_ptr + row, 0.0)
        return
    logits_ptr += row * stride
    m = float("-inf")
    d = 0.0
    for start in range(0, V, BLOCK):
        offs = start + tl.arange(0, BLOCK)
        x = tl.load(logits_ptr + offs, mask=offs < V, other=float("-inf"))
        block_max = tl.max(x)
        m_new = tl.maximum(m, block_max)
        d = d * tl.exp(m - m_new) + tl.sum(tl.exp(x - m_new))
        m = m_new
    lse = m + tl.log(d)
    picked = tl.load(logits_ptr + label)
    tl.store(lse_ptr + row, lse)
    tl.store(loss_ptr + row, lse - picked)


def test_cross_entropy(device, warps, rng):
    logits = tensor(rng, 9, 307) * 3
    labels = torch.from_numpy(rng.integers(0, 307, 9))
    labels[4] = -100
    loss, lse = torch.full((9, ), 7.0), torch.zeros(9)
    cross_entropy_kernel[(9, )](logits, labels, loss, lse, logits.stride(0), 307, -100, BLOCK=128, num_warps=warps, device=device)
    close(loss, torch.nn.functional.cross_entropy(logits, labels, reduction="none", ignore_index=-100))
    expected = torch.logsumexp(logits, -1)
    expected[4] = 0
    close(lse, expected)


@triton.jit
def log_softmax_kernel(out, inp, M, N, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr):
    pid = tl.program_id(0)
    m = pid * BLOCK_M + tl.arange(0, BLOCK_M)
    n = tl.arange(0, BLOCK_N)
    offset = m[:, None] * N + n[None, :]
    mask = (m[:, None] < M) & (n[None, :] < N)
    x = tl.load(inp + offset, mask=mask, other=-float("inf")).to(tl.float32)
    z = x - tl.max(x, axis=1)[:, None]
    result = z - tl.log(tl.sum(tl.exp(z), axis=1, keep_dims=True))
    tl.store(out + offset, result, mask=mask)


def test_log_softmax(device, warps, rng):
    x = tensor(rng, 13, 61)
    out = torch.empty_like(x)
    log_softmax_kernel[(triton.cdiv(13, 4), )](out, x, 13, 61, BLOCK_M=4, BLOCK_N=64, num_warps=warps, device=device)
    close(out, torch.log_softmax(x, -1))


@triton.jit
def softmax_columns_kernel(x_ptr, y_ptr, M, N, BM: tl.constexpr, BN: tl.constexpr):
    rm = tl.arange(0, BM)[:, None]
    rn = (tl.program_id(0) * BN + tl.arange(0, BN))[None, :]
    mask = (rm < M) & (rn < N)
    x = tl.load(x_ptr + rm * N + rn, mask=mask, other=float("-inf"))
    x = tl.where(rn < N, x, 0.0)
    e = tl.exp(x - tl.max(x, axis=0)[None, :])
    tl.store(y_ptr + rm * N + rn, e / tl.sum(e, 0)[None, :], mask=mask)


def test_softmax_over_columns(device, warps, rng):
    x = tensor(rng, 50, 37)
    out = torch.empty_like(x)
    softmax_columns_kernel[(3, )](x, out, 50, 37, BM=64, BN=16, num_warps=warps, device=device)
    close(out, torch.softmax(x, 0))


@triton.jit
def group_norm_kernel(x_ptr, y_ptr, w_ptr, b_ptr, C, HW, groups, eps, BLOCK: tl.constexpr):
    pid = tl.program_id(0)
    n, g = pid // groups, pid % groups
    per_group = C // groups
    size = per_group * HW
    base = n * C * HW + g * size
    total = tl.zeros((BLOCK, ), dtype=tl.float32)
    for off in range(0, size, BLOCK):
        i = off + tl.arange(0, BLOCK)
        total += tl.load(x_ptr + base + i, mask=i < size, other=0.)
    mean = tl.sum(total) / size
    square = tl.zeros_like(total)
    for off in range(0, size, BLOCK):
        i = off + tl.arange(0, BLOCK)
        x = tl.load(x_ptr + base + i, mask=i < size, other=0.)
        x = tl.where(i < size, x - mean, 0.)
        square += x * x
    rstd = tl.rsqrt(tl.sum(square) / size + eps)
    for off in range(0, size, BLOCK):
        i = off + tl.arange(0, BLOCK)
        mask = i < size
        c = g * per_group + i // HW
        x = tl.load(x_ptr + base + i, mask=mask)
        w = tl.load(w_ptr + c, mask=mask)
        b = tl.load(b_ptr + c, mask=mask)
        tl.store(y_ptr + base + i, (x - mean) * rstd * w + b, mask=mask)


def test_group_norm(device, warps, rng):
    x, w, b = tensor(rng, 2, 6, 7, 5), tensor(rng, 6), tensor(rng, 6)
    y = torch.empty_like(x)
    group_norm_kernel[(2 * 3, )](x, y, w, b, 6, 35, 3, 1e-5, BLOCK=32, num_warps=warps, device=device)
    close(y, torch.nn.functional.group_norm(x, 3, w, b))


@triton.jit
def welford_combine(mean_1, m2_1, weight_1, mean_2, m2_2, weight_2):
    delta = mean_2 - mean_1
    new_weight = weight_1 + weight_2
    w2_over_w = tl.where(new_weight == 0.0, 0.0, weight_2 / new_weight)
    return mean_1 + delta * w2_over_w, m2_1 + m2_2 + delta * delta * weight_1 * w2_over_w, new_weight


@triton.jit
def welford_kernel(in_ptr, mean_ptr, var_ptr, xnumel, rnumel, XBLOCK: tl.constexpr, RBLOCK: tl.constexpr):
    xindex = tl.program_id(0) * XBLOCK + tl.arange(0, XBLOCK)[:, None]
    xmask = xindex < xnumel
    rindex = tl.arange(0, RBLOCK)[None, :]
    rmask = rindex < rnumel
    x = tl.load(in_ptr + (rindex + rnumel * xindex), rmask & xmask, other=0.0)
    weight = tl.where(rmask & xmask, 1.0, 0.0)
    mean, m2, count = tl.reduce((x, tl.zeros_like(x), weight), 1, welford_combine)
    tl.store(mean_ptr + xindex, mean[:, None], xmask)
    tl.store(var_ptr + xindex, (m2 / (count - 1))[:, None], xmask)


def test_welford(device, warps, rng):
    x = tensor(rng, 11, 100) + 5
    mean, var = torch.empty(11), torch.empty(11)
    welford_kernel[(3, )](x, mean, var, 11, 100, XBLOCK=4, RBLOCK=128, num_warps=warps, device=device)
    close(mean, x.mean(1))
    close(var, x.var(1))


@triton.jit
def masked_mean_kernel(x_ptr, keep_ptr, out_ptr, n_cols, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    cols = tl.arange(0, BLOCK)
    inside = cols < n_cols
    keep = tl.load(keep_ptr + row * n_cols + cols, mask=inside, other=0).to(tl.int1)
    x = tl.load(x_ptr + row * n_cols + cols, mask=inside & keep, other=0.0)
    count = tl.sum(keep.to(tl.int32))
    mean = tl.sum(x) / tl.maximum(count, 1)
    tl.store(out_ptr + row, mean)


def test_masked_mean(device, warps, rng):
    x = tensor(rng, 6, 77)
    keep = torch.from_numpy(rng.random((6, 77)) > 0.4)
    keep[2] = False
    out = torch.empty(6)
    masked_mean_kernel[(6, )](x, keep, out, 77, BLOCK=128, num_warps=warps, device=device)
    close(out, (x * keep).sum(1) / keep.sum(1).clamp(min=1))


@triton.jit
def argmax_kernel(x_ptr, index_ptr, value_ptr, n, BLOCK: tl.constexpr):
    i = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + tl.program_id(0) * n + i, mask=i < n, other=-float("inf"))
    value, index = tl.max(x, axis=0, return_indices=True)
    tl.store(index_ptr + tl.program_id(0), tl.argmax(x, axis=0) + index)
    tl.store(value_ptr + tl.program_id(0), value)


def test_argmax_with_ties(device, warps, rng):
    x = torch.from_numpy(rng.integers(0, 4, (9, 99)).astype(np.float32))
    index, value = torch.empty(9, dtype=torch.int64), torch.empty(9)
    argmax_kernel[(9, )](x, index, value, 99, BLOCK=128, num_warps=warps, device=device)
    assert np.array_equal(index.numpy(), 2 * x.numpy().argmax(1))
    assert torch.equal(value, x.max(1).values)


@triton.jit
def topk_by_sort_kernel(x_ptr, y_ptr, n, K: tl.constexpr, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    i = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * n + i, mask=i < n, other=float("-inf"))
    s = tl.sort(x, descending=True)
    tl.store(y_ptr + row * K + i, s, mask=i < K)


def test_topk_by_sort(device, warps, rng):
    x = tensor(rng, 4, 45)
    out = torch.empty(4, 5)
    topk_by_sort_kernel[(4, )](x, out, 45, K=5, BLOCK=64, num_warps=warps, device=device)
    assert torch.equal(out, x.topk(5).values)


@triton.jit
def moe_topk_kernel(x_ptr, w_ptr, id_ptr, n, K: tl.constexpr, BLOCK: tl.constexpr):
    """The top k by repeated argmax, as routers of mixtures of experts do it."""
    row = tl.program_id(0)
    i = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * n + i, mask=i < n, other=float("-inf"))
    for k in tl.static_range(K):
        best = tl.argmax(x, 0)
        tl.store(w_ptr + row * K + k, tl.max(x, 0))
        tl.store(id_ptr + row * K + k, best)
        x = tl.where(i == best, float("-inf"), x)


def test_moe_topk(device, warps, rng):
    x = tensor(rng, 5, 27)
    w, ids = torch.empty(5, 3), torch.empty(5, 3, dtype=torch.int32)
    moe_topk_kernel[(5, )](x, w, ids, 27, K=3, BLOCK=32, num_warps=warps, device=device)
    expected = x.topk(3)
    assert torch.equal(w, expected.values) and torch.equal(ids.long(), expected.indices)


# Gathers, scatters, atomics ------------------------------------------------------------------------------------------------


@triton.jit
def rotary_kernel(q_ptr, cos_ptr, sin_ptr, out_ptr, seq_len, stride_b, stride_s, stride_h, HALF: tl.constexpr, H: tl.constexpr):
    b, s = tl.program_id(0), tl.program_id(1)
    heads = tl.arange(0, H)[:, None]
    half = tl.arange(0, HALF)[None, :]
    base = b * stride_b + s * stride_s
    offs = base + heads * stride_h + half
    q1 = tl.load(q_ptr + offs)
    q2 = tl.load(q_ptr + offs + HALF)
    cos = tl.load(cos_ptr + s * HALF + half)
    sin = tl.load(sin_ptr + s * HALF + half)
    tl.store(out_ptr + offs, q1 * cos - q2 * sin)
    tl.store(out_ptr + offs + HALF, q2 * cos + q1 * sin)


def test_rotary(device, warps, rng):
    q = tensor(rng, 2, 5, 4, 16)
    angle = torch.arange(5)[:, None] / 100**(torch.arange(8) / 8)
    cos, sin = angle.cos().float().contiguous(), angle.sin().float().contiguous()
    out = torch.empty_like(q)
    rotary_kernel[(2, 5)](q, cos, sin, out, 5, q.stride(0), q.stride(1), q.stride(2), HALF=8, H=4, num_warps=warps, device=device)
    q1, q2 = q.chunk(2, -1)
    c, s = cos[None, :, None], sin[None, :, None]
    close(out, torch.cat([q1 * c - q2 * s, q2 * c + q1 * s], -1))


@triton.jit
def embedding_kernel(ids_ptr, table_ptr, out_ptr, n_ids, dim, BLOCK_N: tl.constexpr, BLOCK_D: tl.constexpr):
    rows = tl.program_id(0) * BLOCK_N + tl.arange(0, BLOCK_N)
    cols = tl.program_id(1) * BLOCK_D + tl.arange(0, BLOCK_D)
    ids = tl.load(ids_ptr + rows, mask=rows < n_ids, other=0)
    mask = (rows < n_ids)[:, None] & (cols < dim)[None, :]
    e = tl.load(table_ptr + ids[:, None] * dim + cols[None, :], mask=mask)
    tl.store(out_ptr + rows[:, None] * dim + cols[None, :], e, mask=mask)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_embedding(device, warps, rng, dtype):
    table = tensor(rng, 50, 21, dtype=dtype)
    ids = torch.from_numpy(rng.integers(0, 50, 19))
    out = torch.empty(19, 21, dtype=dtype)
    embedding_kernel[(3, 2)](ids, table, out, 19, 21, BLOCK_N=8, BLOCK_D=16, num_warps=warps, device=device)
    assert torch.equal(out, table[ids])


@triton.jit
def embedding_backward_kernel(ids_ptr, grad_ptr, table_ptr, dim, BLOCK_D: tl.constexpr):
    row = tl.program_id(0)
    cols = tl.arange(0, BLOCK_D)
    index = tl.load(ids_ptr + row)
    g = tl.load(grad_ptr + row * dim + cols, mask=cols < dim)
    tl.atomic_add(table_ptr + index * dim + cols, g, mask=cols < dim)


def test_embedding_backward(device, warps, rng):
    grad = tensor(rng, 40, 21)
    ids = torch.from_numpy(rng.integers(0, 6, 40))
    table = torch.zeros(6, 21)
    embedding_backward_kernel[(40, )](ids, grad, table, 21, BLOCK_D=32, num_warps=warps, device=device)
    close(table, torch.zeros(6, 21).index_add_(0, ids, grad))


@triton.jit
def histogram_atomics_kernel(x_ptr, counts_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    b = tl.load(x_ptr + i, mask=i < n, other=0)
    tl.atomic_add(counts_ptr + b, 1, mask=i < n)


@triton.jit
def histogram_kernel(x_ptr, counts_ptr, n, BINS: tl.constexpr, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    b = tl.load(x_ptr + i, mask=i < n, other=0)
    h = tl.histogram(b, BINS, mask=i < n)
    tl.atomic_add(counts_ptr + tl.arange(0, BINS), h)


def test_histogram_by_atomics(device, warps, rng):
    x = rng.integers(0, 16, 777).astype(np.int32)
    counts = np.zeros(16, np.int32)
    histogram_atomics_kernel[(4, )](x, counts, 777, BLOCK=256, num_warps=warps, device=device)
    np.testing.assert_array_equal(counts, np.bincount(x, minlength=16))


@pytest.mark.never_refused
@pytest.mark.parametrize("bins, low", [(1, 0), (16, 0), (16, -8), (128, 100)])
def test_histogram(device, warps, rng, bins, low):
    """Values that are no bin are not counted."""
    x = rng.integers(low, low + 40, 777).astype(np.int32)
    counts = np.zeros(bins, np.int32)
    histogram_kernel[(4, )](x, counts, 777, BINS=bins, BLOCK=256, num_warps=warps, device=device)
    np.testing.assert_array_equal(counts, np.bincount(x[(x >= 0) & (x < bins)], minlength=bins))


@triton.jit
def prefix_sum_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr, REVERSE: tl.constexpr):
    row = tl.program_id(0)
    i = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * n + i, mask=i < n, other=0)
    tl.store(y_ptr + row * n + i, tl.cumsum(x, axis=0, reverse=REVERSE), mask=i < n)


@pytest.mark.parametrize("reverse", [False, True])
def test_prefix_sum(device, warps, rng, reverse):
    x = rng.integers(-9, 9, (3, 201)).astype(np.int32)
    y = np.zeros_like(x)
    prefix_sum_kernel[(3, )](x, y, 201, BLOCK=256, REVERSE=reverse, num_warps=warps, device=device)
    np.testing.assert_array_equal(y, x[:, ::-1].cumsum(1)[:, ::-1] if reverse else x.cumsum(1))


@triton.jit
def linear_recurrence(a1, b1, a2, b2):
    return a1 * a2, b1 * a2 + b2


@triton.jit
def ssm_scan_kernel(a_ptr, b_ptr, y_ptr, n, BLOCK: tl.constexpr):
    i = tl.arange(0, BLOCK)
    a = tl.load(a_ptr + i, mask=i < n, other=1.0)
    b = tl.load(b_ptr + i, mask=i < n, other=0.0)
    _, y = tl.associative_scan((a, b), 0, linear_recurrence)
    tl.store(y_ptr + i, y, mask=i < n)


def test_linear_recurrence(device, warps, rng):
    a, b = rng.random(100).astype(np.float32), rng.standard_normal(100).astype(np.float32)
    y = np.zeros_like(a)
    ssm_scan_kernel[(1, )](a, b, y, 100, BLOCK=128, num_warps=warps, device=device)
    state, expected = 0.0, []
    for p, q in zip(a, b):
        state = state * float(p) + float(q)
        expected.append(state)
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-5)
