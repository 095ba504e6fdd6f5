"""kernels/boxes.cu"""
from common import *


class Boxes(ctypes.Structure):
    _fields_ = [("shape", ctypes.c_int64 * 3), ("box", ctypes.c_int64 * 3)]


CUTS = [((1, 1, 1), (1, 1, 1)), ((1, 8, 8), (1, 4, 1)), ((1, 10, 7), (1, 4, 2)), ((1, 33, 65), (1, 33, 1)),
        ((1, 33, 65), (1, 1, 65)), ((6, 5, 9), (6, 1, 9)), ((3, 40, 11), (1, 16, 4)), ((5, 7, 3), (2, 3, 2)),
        ((1, 70, 130), (1, 64, 64)), ((3, 2, 9000), (3, 1, 9000))]


def test(kernels):
    for shape, box in CUTS:
        boxes = Boxes((ctypes.c_int64 * 3)(*shape), (ctypes.c_int64 * 3)(*box))
        n, count = int(numpy.prod(shape)), int(numpy.prod([-(-s // b) for s, b in zip(shape, box)]))
        for pooling in range(4):
            for masked in (False, True):
                score(kernels, boxes, n, count, pooling, masked)
        mask(kernels, boxes, n, count)


def score(kernels, boxes, n, count, pooling, masked):
    x = special(n) if pooling % 2 else normal(n)
    kept = mask_words(numpy.random.default_rng(n).random(n) < 0.3) if masked else None
    pooled, live = numpy.zeros(count, numpy.float32), numpy.zeros(-(-count // 32), numpy.uint32)
    cpu.score_boxes(ctypes.c_int32(pooling), boxes, x, kept, pooled, live)
    out, bits = Device(numpy.zeros_like(pooled), 1), Device(numpy.zeros_like(live))
    kernels.launch("secateur_score_boxes", blocks_for(count, 8, most=3), 256,
                   [boxes, pooling, Device(x, 1), None if kept is None else Device(kept), out, bits])
    what = f"pooling {pooling} of {list(boxes.box)} in {list(boxes.shape)}"
    check_bits(out, pooled, what)
    check_bits(bits, live, what + ", live")


def mask(kernels, boxes, n, count):
    random = numpy.random.default_rng(n)
    kept, before = mask_words(random.random(count) < 0.6), mask_words(random.random(n) < 0.8)
    expected = before.copy()
    cpu.mask_boxes(boxes, kept, expected)
    out = Device(before)
    kernels.launch("secateur_mask_boxes", blocks_for(len(before), 256, most=2), 256, [boxes, Device(kept), out])
    check_bits(out, expected, f"mask of {list(boxes.box)} in {list(boxes.shape)}")


main("boxes", test)
