"""`assert_close`: do two results agree?"""

from __future__ import annotations


def _to_numpy(value):
    import numpy as np

    if hasattr(value, "detach"):  # PyTorch; NumPy has no bfloat16
        value = value.detach().cpu()
        return (value.float() if str(value.dtype) == "torch.bfloat16" else value).numpy()
    return np.asarray(value)


def _tolerance(given, default: float, dtype) -> float:
    if given is None:
        return default
    return given(dtype) if callable(given) else given


def assert_close(x, y, atol=None, rtol=None, err_msg=""):
    """Raise AssertionError unless x and y agree within atol + rtol * |y|, by default 1e-2 and 0; NaNs agree with NaNs.

    Both may be arrays of any library, sequences or numbers; a tolerance may be a function of the dtype.
    """
    import numpy as np

    dtypes = [getattr(value, "dtype", None) for value in (x, y)]
    x, y = _to_numpy(x), _to_numpy(y)
    dtype = next((dtype for dtype in dtypes if dtype is not None), x.dtype)
    atol, rtol = _tolerance(atol, 1e-2, dtype), _tolerance(rtol, 0.0, dtype)
    np.testing.assert_allclose(x, y, atol=atol, rtol=rtol, equal_nan=True, err_msg=err_msg)
