"""What batch_norm.py and batch_norm_grad.py share; no test of its own."""
from common import *

EPSILON, MOMENTUM = 1e-5, 0.9
SHAPES = ((1, 1, 1), (3, 2, 1), (2, 5, 16), (4, 7, 49), (2, 2, 4096), (1, 2, 4097), (300, 3, 28))


class CShape(ctypes.Structure):
    """secateur_norm_shape"""
    _fields_ = [("batch", ctypes.c_int64), ("channels", ctypes.c_int64), ("spatial", ctypes.c_int64),
                ("epsilon", ctypes.c_float), ("momentum", ctypes.c_float)]


class NormShape(ctypes.Structure):
    """NormShape of kernels/common/norm_channels.h"""
    _fields_ = [("batch", ctypes.c_int64), ("channels", ctypes.c_int64), ("spatial", ctypes.c_int64),
                ("tiles", ctypes.c_int64)]


def shapes(batch, channels, spatial):
    return (CShape(batch, channels, spatial, EPSILON, MOMENTUM),
            NormShape(batch, channels, spatial, -(-batch * spatial // TILE)))


def walk(batch, channels, spatial, vectors):
    """n, the axes of for_channels and blocks of 256 threads."""
    spatial //= 4 if vectors else 1
    n = batch * channels * spatial
    blocks = blocks_for(n, 256, most=2)
    return n, strides(3, [[spatial, 0], [channels, 1], [batch, 0]], blocks * 256), blocks


def halves(channels):
    """Channels in two slices, as where the scratch does not hold all their sums."""
    half = channels // 2
    return [part for part in ((0, half), (half, channels - half)) if part[1]]
