"""kernels/copy_box.cu"""
from common import *


def test(kernels):
    for shift in (0, 1):
        box(kernels, [7], [9], [8], shift)
        box(kernels, [3, 5], [4, 6], [5, 9], shift)
        box(kernels, [2, 3, 4, 5], [2, 4, 4, 7], [3, 3, 5, 6], shift)
        box(kernels, [2, 1, 2, 3, 1, 2, 3, 2], [3, 2, 2, 3, 1, 4, 3, 2], [2, 1, 4, 3, 2, 2, 3, 3], shift)
        box(kernels, [130, 33], [131, 34], [130, 33], shift)
    box(kernels, [64, 16], [64, 16], [64, 48], 0, vectors=True)
    box(kernels, [3, 5, 8], [4, 5, 12], [3, 7, 8], 0, vectors=True)


def box(kernels, size, source, target, shift, vectors=False):
    """The first box of a tensor to the last of another."""
    x = special(int(numpy.prod(source))).reshape(source)
    expected = normal(*target)
    out = Device(expected, shift)
    expected[tuple(slice(t - s, t) for s, t in zip(size, target))] = x[tuple(slice(0, s) for s in size)]
    width = 4 if vectors else 1
    to = [stride // width or 1 for stride in dense_strides(target)]
    last = sum((t - s) * stride for s, t, stride in zip(size, target, dense_strides(target)))
    size = size[:-1] + [size[-1] // width]
    axes = [[s, a // width or 1, b] for s, a, b in zip(size, dense_strides(source), to)]
    n = int(numpy.prod(size))
    blocks = blocks_for(n, 256, most=2)
    kernels.launch("secateur_copy_box" + ("_vectors" if vectors else ""), blocks, 256,
                   [n, strides(8, list(reversed(axes)), blocks * 256), Device(x.ravel(), shift),
                    numpy.uint64(out.pointer + 4 * last)])
    check_bits(out, expected, f"a box of {size} at {shift}, vectors {vectors}")


main("copy_box", test)
