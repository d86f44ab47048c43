"""Questions about the target that fold at compile time. It is never a GPU of NVIDIA or AMD."""

from ..runtime.jit import constexpr_function


@constexpr_function
def is_cuda():
    """Whether this is compiled for a GPU of NVIDIA."""
    return False


@constexpr_function
def cuda_capability_geq(major, minor=0):
    """Whether this is compiled for a GPU of NVIDIA of at least this capability."""
    return False


@constexpr_function
def is_hip():
    """Whether this is compiled for a GPU of AMD."""
    return False


@constexpr_function
def is_hip_cdna3():
    """Whether this is compiled for a GPU of AMD's CDNA3."""
    return False


@constexpr_function
def is_hip_cdna4():
    """Whether this is compiled for a GPU of AMD's CDNA4."""
    return False


@constexpr_function
def is_hip_gfx1250():
    """Whether this is compiled for a GPU of AMD's gfx1250."""
    return False
