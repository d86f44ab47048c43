"""Kernels on matrices as people write them, on both devices, at odd sizes and with 1, 4 and 8 warps, against PyTorch."""
import numpy as np
import pytest

import triton_metal as triton
import triton_metal.language as tl

torch = pytest.importorskip("torch")
from torch_tensors import close, tensor  # noqa: E402  needs PyTorch


@pytest.fixture
def rng():
    return np.random.default_rng(11)


@triton.jit
def batched_matmul_kernel(A, B, C, M, N, K, sab, sam, sak, sbb, sbk, sbn, scb, scm, scn, BM: tl.constexpr, BN: tl.constexpr,
                          BK: tl.constexpr, GROUP_M: tl.constexpr):
    pid_m, pid_n, batch = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    pid_m, pid_n = tl.swizzle2d(pid_m, pid_n, tl.num_programs(0), tl.num_programs(1), GROUP_M)
    rm = pid_m * BM + tl.arange(0, BM)
    rn = pid_n * BN + tl.arange(0, BN)
    rk = tl.arange(0, BK)
    a_ptrs = A + batch * sab + (rm[:, None] * sam + rk[None, :] * sak)
    b_ptrs = B + batch * sbb + (rk[:, None] * sbk + rn[None, :] * sbn)
    acc = tl.zeros((BM, BN), dtype=tl.float32)
    for k in range(0, tl.cdiv(K, BK)):
        a = tl.load(a_ptrs, mask=(rm[:, None] < M) & (rk[None, :] < K - k * BK), other=0.0)
        b = tl.load(b_ptrs, mask=(rk[:, None] < K - k * BK) & (rn[None, :] < N), other=0.0)
        acc += tl.dot(a, b)
        a_ptrs += BK * sak
        b_ptrs += BK * sbk
    c = acc.to(C.dtype.element_ty)
    c_ptrs = C + batch * scb + scm * rm[:, None] + scn * rn[None, :]
    tl.store(c_ptrs, c, mask=(rm[:, None] < M) & (rn[None, :] < N))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_batched_matmul(device, warps, rng, dtype):
    a = tensor(rng, 2, 37, 29, dtype=dtype)
    b = tensor(rng, 2, 45, 29, dtype=dtype).transpose(1, 2)  # not contiguous
    c = torch.empty(2, 37, 45, dtype=dtype)
    batched_matmul_kernel[(3, 3, 2)](a, b, c, 37, 45, 29, *a.stride(), *b.stride(), *c.stride(), BM=16, BN=16, BK=16, GROUP_M=2,
                                     num_warps=warps, device=device)
    expected = a.double() @ b.double()
    close(c, expected, *((1e-4, 1e-4) if dtype == torch.float32 else (2e-2, 2e-2)))


@triton.jit
def matmul_splitk_kernel(a_ptr, b_ptr, c_ptr, M, N, K, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr,
                         SPLIT_K: tl.constexpr, GROUP_M: tl.constexpr):
    pid, pid_z = tl.program_id(0), tl.program_id(1)
    grid_m, grid_n = tl.cdiv(M, BLOCK_M), tl.cdiv(N, BLOCK_N)
    width = GROUP_M * grid_n
    group_id = pid // width
    group_size = min(grid_m - group_id * GROUP_M, GROUP_M)
    pid_m = group_id * GROUP_M + (pid % group_size)
    pid_n = (pid % width) // group_size
    rm = pid_m * BLOCK_M + tl.arange(0, BLOCK_M)
    rn = pid_n * BLOCK_N + tl.arange(0, BLOCK_N)
    ram = tl.max_contiguous(tl.multiple_of(rm % M, BLOCK_M), BLOCK_M)
    rbn = tl.max_contiguous(tl.multiple_of(rn % N, BLOCK_N), BLOCK_N)
    rk = pid_z * BLOCK_K + tl.arange(0, BLOCK_K)
    A = a_ptr + (ram[:, None] * K + rk[None, :])
    B = b_ptr + (rk[:, None] * N + rbn[None, :])
    acc = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.float32)
    for k in range(0, tl.cdiv(K, BLOCK_K * SPLIT_K)):
        k_remaining = K - k * (BLOCK_K * SPLIT_K)
        a = tl.load(A, mask=rk[None, :] < k_remaining, other=0.)
        b = tl.load(B, mask=rk[:, None] < k_remaining, other=0.)
        acc = tl.dot(a, b, acc, input_precision="ieee")
        A += BLOCK_K * SPLIT_K
        B += BLOCK_K * SPLIT_K * N
    C = c_ptr + (rm[:, None] * N + rn[None, :])
    mask = (rm < M)[:, None] & (rn < N)[None, :]
    if SPLIT_K == 1:
        tl.store(C, acc, mask=mask)
    else:
        tl.atomic_add(C, acc, mask=mask)


@pytest.mark.parametrize("split", [1, 3])
def test_matmul_split_k(device, warps, rng, split):
    m, n, k = 64, 32, 101
    a, b, c = tensor(rng, m, k), tensor(rng, k, n), torch.zeros(m, n)
    matmul_splitk_kernel[(4 * 2, split)](a, b, c, m, n, k, BLOCK_M=16, BLOCK_N=16, BLOCK_K=16, SPLIT_K=split, GROUP_M=8,
                                         num_warps=warps, device=device)
    close(c, a @ b, 1e-4, 1e-4)


@triton.jit
def int8_matvec_kernel(w_ptr, scale_ptr, x_ptr, y_ptr, N, K, GROUP: tl.constexpr, BLOCK_N: tl.constexpr):
    rows = tl.program_id(0) * BLOCK_N + tl.arange(0, BLOCK_N)
    acc = tl.zeros([BLOCK_N], dtype=tl.float32)
    groups = K // GROUP
    for g in range(groups):
        k = g * GROUP + tl.arange(0, GROUP)
        w = tl.load(w_ptr + rows[:, None] * K + k[None, :], mask=rows[:, None] < N, other=0).to(tl.float32)
        s = tl.load(scale_ptr + rows * groups + g, mask=rows < N, other=0.0).to(tl.float32)
        x = tl.load(x_ptr + k).to(tl.float32)
        acc += tl.sum(w * x[None, :], axis=1) * s
    tl.store(y_ptr + rows, acc.to(y_ptr.dtype.element_ty), mask=rows < N)


def test_int8_matvec(device, warps, rng):
    w = torch.from_numpy(rng.integers(-128, 128, (37, 96)).astype(np.int8))
    scale, x = tensor(rng, 37, 3, dtype=torch.float16), tensor(rng, 96, dtype=torch.float16)
    y = torch.empty(37, dtype=torch.float16)
    int8_matvec_kernel[(3, )](w, scale, x, y, 37, 96, GROUP=32, BLOCK_N=16, num_warps=warps, device=device)
    expected = ((w.double().view(37, 3, 32) * scale.double()[:, :, None]).view(37, 96) @ x.double())
    close(y, expected, 2e-3, 1e-2)


@triton.jit
def int4_matmul_kernel(a_ptr, b_ptr, s_ptr, c_ptr, M, N, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    """Weights of four bits, eight an int32 along K."""
    rm, rn, rk = tl.program_id(0) * BM + tl.arange(0, BM), tl.program_id(1) * BN + tl.arange(0, BN), tl.arange(0, BK)
    shifter = (rk % 8) * 4
    acc = tl.zeros((BM, BN), tl.float32)
    for k in range(0, K, BK):
        a = tl.load(a_ptr + rm[:, None] * K + (k + rk)[None, :], mask=rm[:, None] < M, other=0.0)
        packed = tl.load(b_ptr + ((k + rk) // 8)[:, None] * N + rn[None, :], mask=rn[None, :] < N, other=0)
        q = (packed >> shifter[:, None]) & 0xF
        s = tl.load(s_ptr + rn, mask=rn < N, other=0.0)
        b = ((q - 8) * s[None, :]).to(a.dtype)
        acc += tl.dot(a, b)
    tl.store(c_ptr + rm[:, None] * N + rn[None, :], acc, mask=(rm[:, None] < M) & (rn[None, :] < N))


def test_int4_matmul(device, warps, rng):
    m, n, k = 19, 21, 64
    q = rng.integers(0, 16, (k, n)).astype(np.int64)
    packed = np.zeros((k // 8, n), np.uint32)
    for i in range(8):
        packed |= (q[i::8] << (4 * i)).astype(np.uint32)
    a, s, c = tensor(rng, m, k, dtype=torch.float16), tensor(rng, n).abs() + 0.1, torch.empty(m, n)
    int4_matmul_kernel[(2, 2)](a, torch.from_numpy(packed.view(np.int32)), s, c, m, n, k, BM=16, BN=16, BK=32, num_warps=warps,
                               device=device)
    close(c, a.double() @ ((torch.from_numpy(q) - 8) * s).half().double(), 1e-3, 1e-2)


@triton.jit
def transposed_copy_kernel(x_ptr, y_ptr, M, N, sxm, sxn, sym, syn, B: tl.constexpr):
    rm = tl.program_id(0) * B + tl.arange(0, B)
    rn = tl.program_id(1) * B + tl.arange(0, B)
    x = tl.load(x_ptr + rm[:, None] * sxm + rn[None, :] * sxn, mask=(rm[:, None] < M) & (rn[None, :] < N))
    tl.store(y_ptr + rn[:, None] * sym + rm[None, :] * syn, x.T, mask=(rn[:, None] < N) & (rm[None, :] < M))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.int8, torch.int64])
def test_transposed_copy(device, warps, rng, dtype):
    base = torch.from_numpy(rng.integers(-100, 100, (60, 90))).to(dtype)
    x = base[3:50:2, 1:80:3]  # strided view with an offset
    y = torch.zeros(x.shape[1], x.shape[0], dtype=dtype)
    grid = (triton.cdiv(x.shape[0], 16), triton.cdiv(x.shape[1], 16))
    transposed_copy_kernel[grid](x, y, *x.shape, *x.stride(), *y.stride(), B=16, num_warps=warps, device=device)
    assert torch.equal(y, x.T)


@triton.jit
def conv1d_kernel(x_ptr, w_ptr, b_ptr, y_ptr, C_in, L, C_out, KW: tl.constexpr, PAD: tl.constexpr, BLOCK_C: tl.constexpr,
                  BLOCK_L: tl.constexpr):
    n = tl.program_id(0)
    co = tl.program_id(1) * BLOCK_C + tl.arange(0, BLOCK_C)
    lo = tl.program_id(2) * BLOCK_L + tl.arange(0, BLOCK_L)
    acc = tl.zeros((BLOCK_C, BLOCK_L), dtype=tl.float32)
    for ci in range(C_in):
        for k in tl.static_range(KW):
            li = lo + k - PAD
            x = tl.load(x_ptr + (n * C_in + ci) * L + li, mask=(li >= 0) & (li < L), other=0.0)
            w = tl.load(w_ptr + (co * C_in + ci) * KW + k, mask=co < C_out, other=0.0)
            acc += w[:, None] * x[None, :]
    acc += tl.load(b_ptr + co, mask=co < C_out, other=0.0)[:, None]
    mask = (co < C_out)[:, None] & (lo < L)[None, :]
    tl.store(y_ptr + (n * C_out + co)[:, None] * L + lo[None, :], acc, mask=mask)


def test_conv1d(device, warps, rng):
    x, w, b = tensor(rng, 2, 3, 37), tensor(rng, 5, 3, 3), tensor(rng, 5)
    y = torch.empty(2, 5, 37)
    conv1d_kernel[(2, 2, 2)](x, w, b, y, 3, 37, 5, KW=3, PAD=1, BLOCK_C=4, BLOCK_L=32, num_warps=warps, device=device)
    close(y, torch.nn.functional.conv1d(x, w, b, padding=1), 1e-4, 1e-4)


@triton.jit
def _attn_inner(acc, l_i, m_i, q, K, V, start_m, qk_scale, N_CTX, stride_kn, stride_vn, BLOCK_M: tl.constexpr,
                HEAD_DIM: tl.constexpr, BLOCK_N: tl.constexpr, STAGE: tl.constexpr, offs_m, offs_n):
    if STAGE == 1:
        lo, hi = 0, start_m * BLOCK_M // BLOCK_N * BLOCK_N
    elif STAGE == 2:
        lo, hi = start_m * BLOCK_M // BLOCK_N * BLOCK_N, tl.minimum((start_m + 1) * BLOCK_M, N_CTX)
        lo = tl.multiple_of(lo, BLOCK_N)
    else:
        lo, hi = 0, N_CTX
    d = tl.arange(0, HEAD_DIM)
    for start_n in tl.range(lo, hi, BLOCK_N):
        start_n = tl.multiple_of(start_n, BLOCK_N)
        cols = start_n + offs_n
        k = tl.load(K + cols[None, :] * stride_kn + d[:, None], mask=cols[None, :] < N_CTX, other=0.0)
        qk = tl.dot(q, k)
        keep = cols[None, :] < N_CTX
        if STAGE == 2:
            keep = keep & (offs_m[:, None] >= cols[None, :])
        qk = qk * qk_scale + tl.where(keep, 0, -1.0e6)
        m_ij = tl.maximum(m_i, tl.max(qk, 1))
        p = tl.math.exp2(qk - m_ij[:, None])
        alpha = tl.math.exp2(m_i - m_ij)
        l_i = l_i * alpha + tl.sum(p, 1)
        acc = acc * alpha[:, None]
        v = tl.load(V + cols[:, None] * stride_vn + d[None, :], mask=cols[:, None] < N_CTX, other=0.0)
        acc = tl.dot(p.to(v.dtype), v, acc)
        m_i = m_ij
    return acc, l_i, m_i


@triton.jit
def flash_attention_kernel(Q, K, V, Out, L, sm_scale, H, N_CTX, stride_z, stride_h, stride_n, HEAD_DIM: tl.constexpr,
                           BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, STAGE: tl.constexpr):
    start_m = tl.program_id(0)
    off_hz = tl.program_id(1)
    base = (off_hz // H).to(tl.int64) * stride_z + (off_hz % H).to(tl.int64) * stride_h
    offs_m = start_m * BLOCK_M + tl.arange(0, BLOCK_M)
    offs_n = tl.arange(0, BLOCK_N)
    d = tl.arange(0, HEAD_DIM)
    m_i = tl.zeros([BLOCK_M], dtype=tl.float32) - float("inf")
    l_i = tl.zeros([BLOCK_M], dtype=tl.float32) + 1.0
    acc = tl.zeros([BLOCK_M, HEAD_DIM], dtype=tl.float32)
    qk_scale = sm_scale * 1.44269504
    q = tl.load(Q + base + offs_m[:, None] * stride_n + d[None, :], mask=offs_m[:, None] < N_CTX, other=0.0)
    if STAGE & 1:
        acc, l_i, m_i = _attn_inner(acc, l_i, m_i, q, K + base, V + base, start_m, qk_scale, N_CTX, stride_n, stride_n, BLOCK_M,
                                    HEAD_DIM, BLOCK_N, 4 - STAGE, offs_m, offs_n)
    if STAGE & 2:
        acc, l_i, m_i = _attn_inner(acc, l_i, m_i, q, K + base, V + base, start_m, qk_scale, N_CTX, stride_n, stride_n, BLOCK_M,
                                    HEAD_DIM, BLOCK_N, 2, offs_m, offs_n)
    tl.store(L + off_hz * N_CTX + offs_m, m_i + tl.math.log2(l_i), mask=offs_m < N_CTX)
    acc = acc / l_i[:, None]
    tl.store(Out + base + offs_m[:, None] * stride_n + d[None, :], acc.to(Out.type.element_ty), mask=offs_m[:, None] < N_CTX)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("blocks", [(32, 16), (16, 16), (16, 32)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_flash_attention(device, warps, rng, causal, blocks, dtype):
    q, k, v = (tensor(rng, 1, 2, 75, 16, dtype=dtype) for _ in range(3))
    out, lse = torch.empty_like(q), torch.empty(1, 2, 75)
    block_m, block_n = blocks
    flash_attention_kernel[(triton.cdiv(75, block_m), 2)](q, k, v, out, lse, 0.25, 2, 75, q.stride(0), q.stride(1), q.stride(2),
                                                          HEAD_DIM=16, BLOCK_M=block_m, BLOCK_N=block_n,
                                                          STAGE=3 if causal else 1, num_warps=warps, device=device)
    expected = torch.nn.functional.scaled_dot_product_attention(q.double(), k.double(), v.double(), is_causal=causal, scale=0.25)
    close(out, expected, *((1e-4, 1e-4) if dtype == torch.float32 else (2e-2, 2e-2)))


@triton.jit
def block_pointer_matmul_kernel(a_ptr, b_ptr, c_ptr, M, N, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    pm, pn = tl.program_id(0), tl.program_id(1)
    a = tl.make_block_ptr(base=a_ptr, shape=(M, K), strides=(K, 1), offsets=(pm * BM, 0), block_shape=(BM, BK), order=(1, 0))
    b = tl.make_block_ptr(base=b_ptr, shape=(K, N), strides=(N, 1), offsets=(0, pn * BN), block_shape=(BK, BN), order=(1, 0))
    acc = tl.zeros((BM, BN), dtype=tl.float32)
    for _ in range(0, K, BK):
        acc += tl.dot(tl.load(a, boundary_check=(0, 1)), tl.load(b, boundary_check=(0, 1), padding_option="zero"))
        a = tl.advance(a, (0, BK))
        b = b.advance((BK, 0))
    c = tl.make_block_ptr(c_ptr, (M, N), (N, 1), (pm * BM, pn * BN), (BM, BN), (1, 0))
    tl.store(c, acc, boundary_check=(0, 1))


def test_block_pointer_matmul(device, warps, rng):
    a, b, c = tensor(rng, 35, 27), tensor(rng, 27, 41), torch.zeros(35, 41)
    block_pointer_matmul_kernel[(3, 2)](a, b, c, 35, 41, 27, BM=16, BN=32, BK=16, num_warps=warps, device=device)
    close(c, a @ b, 1e-4, 1e-4)


@triton.jit
def descriptor_copy_kernel(x_ptr, y_ptr, M, N, BM: tl.constexpr, BN: tl.constexpr):
    x = tl.make_tensor_descriptor(x_ptr, shape=[M, N], strides=[N, 1], block_shape=[BM, BN])
    y = tl.make_tensor_descriptor(y_ptr, shape=[M, N], strides=[N, 1], block_shape=[BM, BN])
    i, j = tl.program_id(0) * BM, tl.program_id(1) * BN
    y.store([i, j], x.load([i, j]) * 2)


def test_descriptor_copy(device, warps, rng):
    x, y = tensor(rng, 19, 44), torch.zeros(19, 44)
    descriptor_copy_kernel[(3, 3)](x, y, 19, 44, BM=8, BN=16, num_warps=warps, device=device)
    assert torch.equal(y, x * 2)


@triton.jit
def descriptor_matmul_kernel(a_ptr, b_ptr, c_ptr, M, N, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    a_desc = tl.make_tensor_descriptor(a_ptr, shape=[M, K], strides=[K, 1], block_shape=[BM, BK])
    b_desc = tl.make_tensor_descriptor(b_ptr, shape=[N, K], strides=[K, 1], block_shape=[BN, BK], padding_option="zero")
    c_desc = tl.make_tensor_descriptor(c_ptr, shape=[M, N], strides=[N, 1], block_shape=[BM, BN])
    m, n = tl.program_id(0) * BM, tl.program_id(1) * BN
    acc = tl.zeros((BM, BN), dtype=tl.float32)
    for k in range(0, K, BK):
        acc = tl.dot(a_desc.load([m, k]), b_desc.load([n, k]).T, acc)
    tl.store_tensor_descriptor(c_desc, [m, n], acc.to(c_desc.dtype))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_descriptor_matmul(device, warps, rng, dtype):
    a, b, c = tensor(rng, 35, 27, dtype=dtype), tensor(rng, 41, 27, dtype=dtype), torch.zeros(35, 41, dtype=dtype)
    descriptor_matmul_kernel[(3, 2)](a, b, c, 35, 41, 27, BM=16, BN=32, BK=16, num_warps=warps, device=device)
    close(c, a.double() @ b.double().T, *((1e-4, 1e-4) if dtype == torch.float32 else (2e-2, 2e-2)))


@triton.jit
def descriptor_padding_kernel(x_ptr, y_ptr, N, B: tl.constexpr):
    x = tl.make_tensor_descriptor(x_ptr, [N], [1], [B], padding_option="nan")
    tl.store(y_ptr + tl.arange(0, B), tl.load_tensor_descriptor(x, [-2]))


def test_descriptor_padding(device, rng):
    x, y = tensor(rng, 9), torch.zeros(16)
    descriptor_padding_kernel[(1, )](x, y, 9, B=16, device=device)
    assert y[:2].isnan().all() and torch.equal(y[2:11], x) and y[11:].isnan().all()


@triton.jit
def layer_norm_backward_kernel(dx_ptr, dy_ptr, dw_ptr, x_ptr, w_ptr, mean_ptr, rstd_ptr, lock_ptr, N, GROUP: tl.constexpr,
                               BLOCK: tl.constexpr):
    """dw is summed by groups of rows under a spin lock, as in upstream's tutorial."""
    row = tl.program_id(0)
    cols = tl.arange(0, BLOCK)
    mask = cols < N
    lock_id = row % GROUP
    lock_ptr += lock_id
    count_ptr = lock_ptr + GROUP
    dw_ptrs = dw_ptr + lock_id * N + cols
    x = tl.load(x_ptr + row * N + cols, mask=mask, other=0).to(tl.float32)
    dy = tl.load(dy_ptr + row * N + cols, mask=mask, other=0).to(tl.float32)
    w = tl.load(w_ptr + cols, mask=mask).to(tl.float32)
    mean, rstd = tl.load(mean_ptr + row), tl.load(rstd_ptr + row)
    xhat = tl.where(mask, (x - mean) * rstd, 0.)
    wdy = tl.where(mask, w * dy, 0.)
    c1 = tl.sum(xhat * wdy, axis=0) / N
    c2 = tl.sum(wdy, axis=0) / N
    tl.store(dx_ptr + row * N + cols, (wdy - (xhat * c1 + c2)) * rstd, mask=mask)
    partial = (dy * xhat).to(w.dtype)
    while tl.atomic_cas(lock_ptr, 0, 1) == 1:
        pass
    count = tl.load(count_ptr)
    if count == 0:
        tl.atomic_xchg(count_ptr, 1)
    else:
        partial += tl.load(dw_ptrs, mask=mask)
    tl.store(dw_ptrs, partial, mask=mask)
    tl.debug_barrier()
    tl.atomic_xchg(lock_ptr, 0)


def test_layer_norm_backward(device, warps, rng):
    if device == "metal" and triton.knobs.metal.checked:
        pytest.skip("Metal's atomics are relaxed, so checked mode calls accesses under a spin lock a race")
    x, dy, w = tensor(rng, 13, 50), tensor(rng, 13, 50), tensor(rng, 50)
    x.requires_grad_()
    w.requires_grad_()
    torch.nn.functional.layer_norm(x, (50, ), w).backward(dy)
    mean, rstd = x.detach().mean(1), torch.rsqrt(x.detach().var(1, unbiased=False) + 1e-5)
    dx, dw, lock = torch.empty(13, 50), torch.zeros(4, 50), torch.zeros(8, dtype=torch.int32)
    layer_norm_backward_kernel[(13, )](dx, dy, dw, x.detach(), w.detach(), mean, rstd, lock, 50, GROUP=4, BLOCK=64,
                                       num_warps=warps, device=device)
    close(dx, x.grad, 1e-4, 1e-4)
    close(dw.sum(0), w.grad, 1e-4, 1e-4)
