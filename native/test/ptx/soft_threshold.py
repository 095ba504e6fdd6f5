"""kernels/soft_threshold.cu"""
from common import *
from optimizer import Adam, device_struct, on_device


def test(kernels):
    for n in EDGE_SIZES:
        for shifts in ((0, 0), (1, 1), (2, 3)):
            for masked in (False, True):
                one(kernels, n, shifts, masked)


def one(kernels, n, shifts, masked):
    what = f"soft threshold of {n} at {shifts}, masked {masked}"
    mask = mask_words(random.random(n) < 0.4) if masked else None
    blocks, level = blocks_for(n, 1024), numpy.array([0.7], numpy.float32)
    w = special(n)
    device = Device(w, shifts[0])
    kernels.launch("secateur_soft_threshold", blocks, 256, [n, Device(level), device, on_device(mask)])
    cpu.soft_threshold(n, level, w, mask)
    check_bits(device, w, what)

    w, v = special(n), numpy.abs(special(n))
    params = Adam(0.1, 0.9, 0.999, 1e-8, 0.01, 0, 0.19, 0.0447)
    device = Device(w, shifts[0])
    kernels.launch("secateur_soft_threshold_adam", blocks, 256,
                   [n, device_struct(params), Device(level), Device(v, shifts[1]), device, on_device(mask)])
    cpu.soft_threshold_adam(n, params, level, v, w, mask)
    check_bits(device, w, what + ", in the metric of Adam")


main("soft_threshold", test)
