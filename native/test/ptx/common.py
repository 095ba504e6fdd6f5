"""Runs the PTX that nvcc makes of a kernel file on an emulator, with all its checks on, beside the CPU device.

A module here tests one file of kernels/:

    from common import *

    def test(kernels):                      # called for compute_75 and for compute_90
        x = special(1000)
        y = Device(numpy.zeros_like(x), shift=1)
        kernels.launch("secateur_unary", blocks=4, threads=256, args=[0, numpy.float32(0), 1000, Device(x), y])
        expected = numpy.empty_like(x)
        cpu.unary(0, 0.0, 1000, x, expected)
        check_bits(y, expected, "relu of 1000")

    main("unary", test)

`python3 unary.py` runs it; `python3 common.py` runs all modules of the folder. PTXEMU names the emulator's folder
(ptxemu.py), NVCC the compiler (default: on the path), SECATEUR_LIBRARY the library (default: of the release build).
Where one of them is missing, one line says so and the exit status is 77.
"""
import ctypes
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

try:
    import numpy
except ImportError:
    print("skipped: the PTX tests need python3 with numpy (Debian: python3-numpy, /usr/bin/python3)")
    sys.exit(77)

ROOT = pathlib.Path(__file__).resolve().parents[3]
KERNELS = ROOT / "kernels"
ARCHITECTURES = ("compute_75", "compute_90")
FLAGS = ["-std=c++17", "-fmad=false", "-ftz=false", "-prec-div=true", "-prec-sqrt=true", "-I", str(KERNELS)]
EDGE_SIZES = (0, 1, 31, 32, 33, 4095, 4096, 4097, 100003)
TILE = 4096  # of kernels/common/reduce.h


def skip(sentence):
    print("skipped: " + sentence)
    sys.exit(77)


def needed(path, what, cure):
    if path is None or not pathlib.Path(path).exists():
        skip(f"{what} is not there; {cure}")
    return pathlib.Path(path)


NVCC = needed(shutil.which(os.environ.get("NVCC", "nvcc")), "nvcc", "set NVCC to it")
PTXEMU = needed(os.environ.get("PTXEMU"), "the PTX emulator", "set PTXEMU to its folder")
LIBRARY = needed(os.environ.get("SECATEUR_LIBRARY", ROOT / "build/release/lib/libsecateur.so"),
                 "libsecateur.so", "build the preset release or set SECATEUR_LIBRARY")
sys.path.insert(0, str(PTXEMU))
import ptxemu  # noqa: E402


class Device:
    """A copy of an array in the emulator's memory, `shift` elements past an aligned address. Reads and writes past
    its end are errors of the emulator; what lies before it is checked by check_bits."""

    def __init__(self, array, shift=0, name=None):
        array = numpy.ascontiguousarray(array)
        self.shape = array.shape
        self.guard = shift
        self.buffer = ptxemu.Buf(array.size + shift, array.dtype, name)
        self.buffer.np.view(numpy.uint8)[:] = 0xA5
        self.buffer.np[shift:] = array.ravel()
        self.pointer = self.buffer.ptr + shift * array.dtype.itemsize

    @property
    def array(self):
        return self.buffer.np[self.guard:].reshape(self.shape)

    def guard_intact(self):
        return bool((self.buffer.np[:self.guard].view(numpy.uint8) == 0xA5).all())

    def __del__(self):
        if hasattr(self, "buffer"):
            self.buffer.free()


class KernelFile:
    """The kernels of one file, compiled for one architecture."""

    def __init__(self, stem, architecture):
        self.stem, self.architecture = stem, architecture
        with tempfile.TemporaryDirectory() as folder:
            ptx = pathlib.Path(folder) / "kernel.ptx"
            subprocess.run([str(NVCC), "-ptx", "-arch=" + architecture, *FLAGS, "-o", str(ptx),
                            str(KERNELS / (stem + ".cu"))], check=True)
            text = ptx.read_text()
        check("fma.rn" not in text or "fmaf" in (KERNELS / (stem + ".cu")).read_text(),
              f"{stem}.cu: a product and a sum were contracted to fma.rn")
        check(".local " not in text, f"{stem}.cu: a kernel keeps an array in local memory")
        self.module = ptxemu.Module(text, check_masks=True)
        check(not self.module.skipped, f"the emulator cannot run {self.module.skipped}")
        self.launched = set()

    def launch(self, kernel, blocks, threads, args, order=0, hands_over=False):
        """args: Device, None (a null pointer), int, numpy scalars (float32 for a float), ctypes structures. hands_over: blocks
        hand over by last_block (kernels/common/blocks.h), which the check between blocks does not know."""
        self.launched.add(kernel)
        if (numpy.asarray(blocks) == 0).any():
            return None
        values = []
        for arg in args:
            if isinstance(arg, Device):
                arg = numpy.uint64(arg.pointer)
            elif arg is None:
                arg = numpy.uint64(0)
            elif isinstance(arg, ctypes.Structure):
                arg = bytes(arg)
            values.append(arg)
        return self.module.launch(kernel, blocks, threads, values, racecheck=True,
                                  gridcheck=order == 0 and not hands_over, order=order)


class Cpu:
    """The CPU device through the C ABI: cpu.unary(...) calls secateur_unary(device, NULL, ...) and fails the test
    unless it returns OK. Arrays become pointers, None NULL, floats C floats and ints int64 - say ctypes.c_int32(x)
    where the ABI has another type."""

    def __init__(self):
        self.library = ctypes.CDLL(str(LIBRARY))
        self.library.secateur_last_error.restype = ctypes.c_char_p
        self.device = ctypes.c_void_p()
        check(self.library.secateur_device_open(0, 0, ctypes.byref(self.device)) == 0, "cannot open the CPU device")

    def call(self, name, *args):
        """The status."""
        values = []
        for arg in args:
            if isinstance(arg, numpy.ndarray):
                arg = ctypes.c_void_p(arg.ctypes.data)
            elif arg is None:
                arg = ctypes.c_void_p()
            elif isinstance(arg, ctypes.Structure):
                arg = ctypes.byref(arg)
            elif isinstance(arg, float):
                arg = ctypes.c_float(arg)
            elif isinstance(arg, int):
                arg = ctypes.c_int64(arg)
            values.append(arg)
        return getattr(self.library, "secateur_" + name)(self.device, None, *values)

    def __getattr__(self, name):
        def operation(*args):
            status = self.call(name, *args)
            check(status == 0, f"secateur_{name}: {self.library.secateur_last_error().decode()}")

        return operation


def check(condition, sentence):
    if not condition:
        raise AssertionError(sentence)


def check_bits(actual, expected, what):
    """Equal bit for bit; any NaN equals any NaN, as hardware differs in their payloads."""
    if isinstance(actual, Device):
        check(actual.guard_intact(), what + ": memory before the array was written")
        actual = actual.array
    actual, expected = numpy.asarray(actual).ravel(), numpy.asarray(expected).ravel()
    check(actual.dtype == expected.dtype and actual.size == expected.size, what + ": another type or size")
    bits = numpy.dtype(f"u{actual.dtype.itemsize}")
    differ = actual.view(bits) != expected.view(bits)
    if actual.dtype.kind == "f":
        differ &= ~(numpy.isnan(actual) & numpy.isnan(expected))
    where = numpy.flatnonzero(differ)
    if where.size:
        i = where[0]
        raise AssertionError(f"{what}: {where.size} of {actual.size} differ, first at {i}: "
                             f"{actual[i]!r} ({actual.view(bits)[i]:#x}), not {expected[i]!r} "
                             f"({expected.view(bits)[i]:#x})")


random = numpy.random.default_rng(20250713)

SPECIAL = numpy.array([0, 0x80000000, 1, 0x80000001, 0x007fffff, 0x807fffff, 0x00800000, 0x80800000, 0x3f800000,
                       0xbf800000, 0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00001],
                      numpy.uint32).view(numpy.float32)


def normal(*shape):
    return random.standard_normal(shape, dtype=numpy.float32)


def special(n):
    """Normal floats of many magnitudes, among them zeros of both signs, denormals, infinities and NaN."""
    x = normal(n) * (10.0 ** random.integers(-6, 6, n)).astype(numpy.float32)
    some = random.random(n) < 0.1
    x[some] = random.choice(SPECIAL, int(some.sum()))
    return x


def mask_words(bits):
    """The bit-packed mask of an array of booleans."""
    packed = numpy.packbits(numpy.asarray(bits, bool), bitorder="little")
    words = numpy.zeros((len(bits) + 31) // 32 * 4, numpy.uint8)
    words[:packed.size] = packed
    return words.view(numpy.uint32)


def blocks_for(n, threads, most=7):
    """A grid-stride grid, smaller than n needs so that threads take several steps."""
    return min(-(-n // threads), most)


def strides(most, axes, step):
    """Strides<arrays, most> of kernels/common/strides.h. axes: [extent, stride, ...] each, innermost first, a stride
    for every array; step: the elements that a walk advances by."""
    arrays = len(axes[0]) - 1 if axes else 1

    class Strides(ctypes.Structure):
        _fields_ = [("extent", ctypes.c_int64 * most), ("stride", ctypes.c_int64 * most * arrays),
                    ("step", ctypes.c_int64 * most), ("step_offset", ctypes.c_int64 * arrays),
                    ("rank", ctypes.c_int32), ("reserved", ctypes.c_int32)]

    result = Strides(rank=len(axes))
    for d, (extent, *offsets) in enumerate(axes):
        result.extent[d] = extent
        result.step[d] = step if d + 1 == len(axes) else step % extent
        step //= max(extent, 1)
        for a, offset in enumerate(offsets):
            result.stride[a][d] = offset
            result.step_offset[a] += result.step[d] * offset
    return result


def dense_strides(shape):
    result, stride = [], 1
    for extent in reversed(shape):
        result.insert(0, stride)
        stride *= extent
    return result


def main(stem, test):
    """Runs test(KernelFile) for every architecture; every kernel of the file must have been launched."""
    for architecture in ARCHITECTURES:
        start = time.time()
        kernels = KernelFile(stem, architecture)
        test(kernels)
        registered = set(re.findall(r"SECATEUR_REGISTER\((\w+)\)", (KERNELS / (stem + ".cu")).read_text()))
        check(registered == set(kernels.module.sigs), f"{stem}.cu: the registered kernels are {sorted(registered)}, "
              f"those of the PTX {sorted(kernels.module.sigs)}")
        check(kernels.launched == registered, f"{stem}.cu: not launched: {sorted(registered - kernels.launched)}")
        print(f"{stem}.cu {architecture}: {len(registered)} kernels right in {time.time() - start:.1f} s")


cpu = Cpu()

if __name__ == "__main__":
    failed = []
    for module in sorted(pathlib.Path(__file__).parent.glob("*.py")):
        if module.name == "common.py":
            continue
        if subprocess.run([sys.executable, str(module)]).returncode not in (0, 77):
            failed.append(module.name)
    sys.exit("failed: " + ", ".join(failed) if failed else 0)
