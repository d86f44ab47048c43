"""The kernels K of the compile-time figures, once for us and once for upstream Triton, from the files in examples/."""
from __future__ import annotations

import importlib.util
import pathlib
import sys
from dataclasses import dataclass, field

import numpy as np

EXAMPLES = pathlib.Path(__file__).parent.parent / "examples"


def load_example(name: str, package: str = "triton_metal"):
    """An example's module whose kernels are those of `package`: ours, or `triton` for upstream's compiler."""
    key = f"{package}_example_{name}"
    if key in sys.modules:
        return sys.modules[key]
    import importlib
    root, language = importlib.import_module(package), importlib.import_module(f"{package}.language")
    ours = {k: sys.modules.get(k) for k in ("triton_metal", "triton_metal.language")}
    sys.modules["triton_metal"], sys.modules["triton_metal.language"] = root, language
    try:
        spec = importlib.util.spec_from_file_location(key, EXAMPLES / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[key] = module
        spec.loader.exec_module(module)
    finally:
        for k, v in ours.items():
            if v is None:
                sys.modules.pop(k, None)
            else:
                sys.modules[k] = v
    return module


@dataclass
class Kernel:
    """One kernel of K: where it is defined, its run-time arguments and its compile-time ones."""
    name: str
    example: str
    function: str
    arguments: dict
    constants: dict = field(default_factory=dict)

    def ours(self, fresh: bool = True):
        """Our JIT function; `fresh` gives one that has compiled and parsed nothing yet."""
        import triton_metal
        function = getattr(load_example(self.example), self.function)
        return triton_metal.jit(function.fn) if fresh else function

    def compile_ours(self, device: str, **options):
        """Compile without launching, from nothing: what the first call does before it launches."""
        return self.ours().warmup(*self.arguments.values(), **self.constants, grid=(1,), device=device, **options)

    def compile_upstream(self):
        """Upstream's way from the same source to a cubin for sm_90."""
        import triton
        from triton.backends.compiler import GPUTarget
        from triton.compiler import ASTSource
        function = triton.jit(getattr(load_example(self.example, "triton"), self.function).fn)
        constants = dict(self.constants)
        constants.update({k: 1 for k, v in self.arguments.items() if type(v) is int and v == 1})
        signature, attributes = {}, {}
        for i, name in enumerate(function.arg_names):
            value = self.arguments.get(name)
            if name in constants:
                signature[name] = "constexpr"
            elif isinstance(value, np.ndarray):
                signature[name] = {"float32": "*fp32", "float16": "*fp16"}[str(value.dtype)]
                attributes[(i,)] = [["tt.divisibility", 16]]
            elif isinstance(value, int):
                signature[name] = "i32" if abs(value) < 2**31 else "i64"
                if value % 16 == 0:
                    attributes[(i,)] = [["tt.divisibility", 16]]
            else:
                signature[name] = "fp32"
        indices = {(function.arg_names.index(k),): v for k, v in constants.items()}
        source = ASTSource(function, signature, constexprs=indices, attrs=attributes)
        return triton.compile(source, target=GPUTarget("cuda", 90, 32))


def aligned(n: int, dtype=np.float32) -> np.ndarray:
    """n elements at an address divisible by 64."""
    raw = np.zeros(n * np.dtype(dtype).itemsize + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start:start + n * np.dtype(dtype).itemsize].view(dtype)


def kernels() -> list[Kernel]:
    x, y, z, w = (aligned(1 << 16) for _ in range(4))
    half = aligned(1 << 16, np.float16)

    def matmul(a):
        return dict(a_ptr=a, b_ptr=a, bias_ptr=x, c_ptr=y, M=256, N=256, K=256, stride_am=256, stride_ak=1, stride_bk=256,
                    stride_bn=1, stride_cm=256, stride_cn=1)
    tile = dict(BLOCK_M=64, BLOCK_N=64, BLOCK_K=32, EPILOGUE=False)
    return [
        Kernel("add", "vector_add", "add_kernel", dict(x_ptr=x, y_ptr=y, out_ptr=z, n=4096), dict(BLOCK=1024)),
        Kernel("softmax 1024", "softmax", "softmax_kernel",
               dict(x_ptr=x, out_ptr=y, x_stride=1024, out_stride=1024, n_cols=1024), dict(BLOCK=1024)),
        Kernel("layer norm 1024", "layer_norm", "layer_norm_kernel",
               dict(x_ptr=x, weight_ptr=y, bias_ptr=z, out_ptr=w, stride=1024, n_cols=1024, eps=1e-5), dict(BLOCK=1024)),
        Kernel("two-pass sum", "sum", "partial_sum_kernel", dict(x_ptr=x, partial_ptr=y, n=1 << 16), dict(BLOCK=4096)),
        Kernel("matmul fp32", "matmul", "matmul_kernel", matmul(x), tile),
        Kernel("matmul fp16", "matmul", "matmul_kernel", matmul(half), tile),
        Kernel("dropout", "dropout", "dropout_kernel",
               dict(x_ptr=x, out_ptr=y, n=1 << 16, p=0.5, seed=1 << 40), dict(BLOCK=1024)),
        Kernel("attention 64x64", "attention", "attention_kernel",
               dict(q_ptr=x, k_ptr=y, v_ptr=z, out_ptr=w, head_stride=8192, n=128, scale=0.125),
               dict(HEAD=64, BLOCK_M=64, BLOCK_N=64, CAUSAL=False)),
        Kernel("blur", "image_filters", "blur_kernel", dict(image_ptr=x, weight_ptr=y, out_ptr=z, height=256, width=256),
               dict(RADIUS=3, BLOCK_Y=16, BLOCK_X=64)),
        Kernel("sobel", "image_filters", "sobel_kernel", dict(image_ptr=x, out_ptr=z, height=256, width=256),
               dict(BLOCK_Y=16, BLOCK_X=64)),
    ]
