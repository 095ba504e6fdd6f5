"""What the modules of kernels on images share; no test of its own."""
from common import *


class CWindow(ctypes.Structure):
    """secateur_window"""
    _fields_ = ([(name, ctypes.c_int64) for name in ("batch", "channels", "in_h", "in_w", "out_h", "out_w")] +
                [(name, ctypes.c_int32) for name in ("kernel_h", "kernel_w", "stride_h", "stride_w", "dilation_h",
                                                     "dilation_w", "pad_top", "pad_left")])

    def kernel(self):
        """Window of kernels/common/window.h."""
        return (ctypes.c_int32 * 12)(self.in_h, self.out_h, self.kernel_h, self.stride_h, self.dilation_h, self.pad_top,
                                     self.in_w, self.out_w, self.kernel_w, self.stride_w, self.dilation_w,
                                     self.pad_left)

    def planes(self):
        return self.batch * self.channels

    def inputs(self):
        return self.planes() * self.in_h * self.in_w

    def outputs(self):
        return self.planes() * self.out_h * self.out_w


class Packed(ctypes.Structure):
    """A Window as an argument: common.py passes structures by their bytes."""
    _fields_ = [("axes", ctypes.c_int32 * 12)]


def packed(window):
    return Packed(window.kernel())


def window(batch, channels, h, w):
    """h and w: (in, kernel, stride, dilation, pad before, pad after)."""
    def out(axis):
        extent, kernel, stride, dilation, before, after = axis
        return (extent + before + after - (kernel - 1) * dilation - 1) // stride + 1

    return CWindow(batch, channels, h[0], w[0], out(h), out(w), h[1], w[1], h[2], w[2], h[3], w[3], h[4], w[4])


WINDOWS = [
    window(1, 1, (1, 1, 1, 1, 0, 0), (1, 1, 1, 1, 0, 0)),
    window(2, 3, (7, 3, 1, 1, 1, 1), (5, 3, 1, 1, 1, 1)),
    window(3, 2, (8, 2, 2, 1, 0, 0), (8, 2, 2, 1, 0, 0)),
    window(2, 5, (13, 5, 3, 1, 2, 0), (11, 3, 2, 1, 0, 2)),
    window(1, 3, (17, 3, 2, 3, 4, 3), (19, 4, 3, 2, 1, 5)),
    window(2, 2, (5, 1, 3, 1, 0, 0), (5, 1, 2, 1, 0, 0)),
    window(1, 2, (3, 2, 1, 1, 4, 4), (3, 2, 3, 1, 5, 2)),
    window(1, 2, (4, 3, 1, 2, 3, 3), (2, 2, 2, 5, 6, 6)),
    window(2, 3, (16, 3, 1, 1, 1, 1), (17, 3, 1, 1, 1, 1)),
]


def image(n):
    """Normal numbers with ties, zeros of both signs, infinities and NaN."""
    x = normal(n)
    some = random.random(n) < 0.2
    x[some] = random.choice(SPECIAL, int(some.sum()))
    return x
