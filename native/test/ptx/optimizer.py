"""kernels/optimizer.cu"""
from common import *


class Sgd(ctypes.Structure):
    _fields_ = [("lr", ctypes.c_float), ("momentum", ctypes.c_float), ("weight_decay", ctypes.c_float),
                ("nesterov", ctypes.c_int32), ("step", ctypes.c_int32)]


class Adam(ctypes.Structure):
    _fields_ = [(name, ctypes.c_float) for name in ("lr", "beta1", "beta2", "epsilon", "weight_decay")] + \
               [("decoupled", ctypes.c_int32), ("correction1", ctypes.c_float), ("correction2_sqrt", ctypes.c_float)]


def device_struct(params):
    return Device(numpy.frombuffer(bytes(params), numpy.uint8))


def test(kernels):
    for n in EDGE_SIZES:
        for shifts in ((0, 0, 0, 0), (1, 1, 1, 1), (3, 3, 3, 3), (0, 1, 2, 0)):
            for masked in (False, True):
                sgd(kernels, n, shifts, masked, Sgd(0.1, 0.9, 0.01, n & 1, 1 + (n >> 1 & 1)))
                adam(kernels, n, shifts, masked, Adam(0.1, 0.9, 0.999, 1e-8, 0.01, n & 1, 0.19, 0.0447))
    for nesterov in (0, 1):
        for step in (1, 2):
            sgd(kernels, 1000, (0, 0, 0, 0), True, Sgd(0.1, 0.9, 0.01, nesterov, step))


def arrays(n, masked):
    """w, g, a mask or None."""
    return special(n), special(n), mask_words(random.random(n) < 0.4) if masked else None


def on_device(mask):
    return None if mask is None else Device(mask)


def sgd(kernels, n, shifts, masked, params):
    for has_buffer in (True, False):
        what = f"SGD of {n} at {shifts}, masked {masked}, buffer {has_buffer}"
        w, g, mask = arrays(n, masked)
        buf = special(n) if has_buffer else None
        if not has_buffer:
            params.momentum = 0
        device_w = Device(w, shifts[0])
        device_buf = Device(buf, shifts[2]) if has_buffer else None
        kernels.launch("secateur_sgd_step", blocks_for(n, 1024), 256,
                       [n, device_struct(params), device_w, Device(g, shifts[1]), device_buf, on_device(mask)])
        cpu.sgd_step(n, params, w, g, buf, mask)
        check_bits(device_w, w, what)
        if has_buffer:
            check_bits(device_buf, buf, what + ", the buffer")


def adam(kernels, n, shifts, masked, params):
    what = f"Adam of {n} at {shifts}, masked {masked}"
    w, g, mask = arrays(n, masked)
    m, v = special(n), numpy.abs(special(n))
    state = [Device(array, shift) for array, shift in zip((w, m, v), shifts[:1] + shifts[2:])]
    kernels.launch("secateur_adam_step", blocks_for(n, 1024), 256,
                   [n, device_struct(params), state[0], Device(g, shifts[1]), *state[1:], on_device(mask)])
    cpu.adam_step(n, params, w, g, m, v, mask)
    for device, array, name in zip(state, (w, m, v), "wmv"):
        check_bits(device, array, f"{what}: {name}")


if __name__ == "__main__":
    main("optimizer", test)
