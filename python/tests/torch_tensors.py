"""PyTorch tensors of random numbers, and their comparison, for tests of kernels as people write them."""
import numpy as np
import torch


def tensor(rng, *shape, dtype=torch.float32):
    return torch.from_numpy(rng.standard_normal(shape).astype(np.float32)).to(dtype)


def close(got, expected, rtol=1e-5, atol=1e-5):
    torch.testing.assert_close(got.double(), expected.double(), rtol=rtol, atol=atol)
