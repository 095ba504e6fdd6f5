package io.github.secateur.bench;

import io.github.secateur.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * oneDNN: its dense matmul primitive, with the weights reordered beforehand into the layout that it
 * asks for, as an inference engine does.
 */
@SuppressWarnings("restricted")
final class OneDnnPeer {
  private static final int CPU = 1; // dnnl_cpu
  private static final int F32 = 3; // dnnl_f32
  private static final int ANY = 1; // dnnl_format_tag_any
  private static final int ROW_MAJOR = 3; // dnnl_ab
  private static final int COLUMN_MAJOR = 14; // dnnl_ba
  private static final int WEIGHTS_MD = 131; // dnnl_query_weights_md
  private static final int ARG_SRC = 1; // also DNNL_ARG_FROM
  private static final int ARG_DST = 17; // also DNNL_ARG_TO
  private static final int ARG_WEIGHTS = 33;
  private static final int MAX_DIMS = 12; // DNNL_MAX_NDIMS
  private static final int ARG_BYTES = 16; // sizeof(dnnl_exec_arg_t)
  private static final int SPIN_MILLIS = 10; // of libgomp

  private final NativeJar dnnl;
  private final NativeJar openMp;
  private final MethodHandle execute;
  private final MethodHandle await;
  private final MemorySegment engine;
  private final MemorySegment stream;

  /** Loads it. */
  OneDnnPeer(Path cache) throws IOException {
    String folder = "org/bytedeco/dnnl/linux-x86_64";
    openMp = new NativeJar(cache, folder, "libgomp.so.1");
    dnnl = new NativeJar(cache, folder, "libdnnl.so.3");
    execute =
        dnnl.status(
            "dnnl_primitive_execute",
            MemorySegment.class,
            MemorySegment.class,
            int.class,
            MemorySegment.class);
    await = dnnl.status("dnnl_stream_wait", MemorySegment.class);
    Arena arena = Arena.global();
    MemorySegment holder = arena.allocate(ValueLayout.ADDRESS);
    call("dnnl_engine_create", types(MemorySegment.class, int.class, long.class), holder, CPU, 0L);
    engine = NativeJar.pointed(holder);
    call(
        "dnnl_stream_create",
        types(MemorySegment.class, MemorySegment.class, int.class),
        holder,
        engine,
        1);
    stream = NativeJar.pointed(holder);
  }

  /** Its version. */
  String version() {
    try {
      MemorySegment v = (MemorySegment) dnnl.address("dnnl_version").invoke();
      MemorySegment numbers = v.reinterpret(12);
      return numbers.getAtIndex(ValueLayout.JAVA_INT, 0)
          + "."
          + numbers.getAtIndex(ValueLayout.JAVA_INT, 1)
          + "."
          + numbers.getAtIndex(ValueLayout.JAVA_INT, 2);
    } catch (Throwable e) {
      throw new IllegalStateException("oneDNN does not say its version", e);
    }
  }

  /** For the calling thread, and what is made on it afterwards. */
  void setThreads(int threads) {
    try {
      openMp.nothing("omp_set_num_threads", int.class).invoke(threads);
    } catch (Throwable e) {
      throw new IllegalStateException("omp_set_num_threads failed", e);
    }
  }

  /** y = x Wᵀ for x [batch, in], W [out, in], y [batch, out]. */
  Contestant dense(Tensor weight, Tensor x, Tensor y) {
    long out = weight.shape().dim(0);
    long in = weight.shape().dim(1);
    long batch = x.shape().dim(0);
    Arena arena = Arena.ofAuto();
    MemorySegment xLayout = layout(arena, ROW_MAJOR, batch, in);
    MemorySegment stored = layout(arena, COLUMN_MAJOR, in, out);
    MemorySegment anyLayout = layout(arena, ANY, in, out);
    MemorySegment yLayout = layout(arena, ROW_MAJOR, batch, out);
    MemorySegment holder = arena.allocate(ValueLayout.ADDRESS);
    MemorySegment none = MemorySegment.NULL;
    call(
        "dnnl_matmul_primitive_desc_create",
        addresses(7),
        holder,
        engine,
        xLayout,
        anyLayout,
        none,
        yLayout,
        none);
    MemorySegment description = NativeJar.pointed(holder);
    MemorySegment wanted = weightLayout(description);
    call("dnnl_primitive_create", addresses(2), holder, description);
    MemorySegment matmul = NativeJar.pointed(holder);
    MemorySegment packed = memory(holder, wanted, MemorySegment.ofAddress(-1)); // it allocates
    reorder(arena, holder, stored, wanted, memory(holder, stored, weight.data()), packed);
    MemorySegment arguments = arena.allocate(3L * ARG_BYTES, 8);
    argument(arguments, 0, ARG_SRC, memory(holder, xLayout, x.data()));
    argument(arguments, 1, ARG_WEIGHTS, packed);
    argument(arguments, 2, ARG_DST, memory(holder, yLayout, y.data()));
    return new Owned(
        Contestant.of("onednn dense", SPIN_MILLIS, () -> run(matmul, arguments, 3)),
        () -> {
          call("dnnl_primitive_destroy", addresses(1), matmul);
          call("dnnl_primitive_desc_destroy", addresses(1), description);
          for (int i = 0; i < 3; i++) {
            call(
                "dnnl_memory_destroy",
                addresses(1),
                arguments.get(ValueLayout.ADDRESS, (long) i * ARG_BYTES + 8));
          }
        });
  }

  private void reorder(
      Arena arena,
      MemorySegment holder,
      MemorySegment from,
      MemorySegment to,
      MemorySegment source,
      MemorySegment target) {
    call(
        "dnnl_reorder_primitive_desc_create",
        addresses(6),
        holder,
        from,
        engine,
        to,
        engine,
        MemorySegment.NULL);
    MemorySegment description = NativeJar.pointed(holder);
    call("dnnl_primitive_create", addresses(2), holder, description);
    MemorySegment primitive = NativeJar.pointed(holder);
    MemorySegment arguments = arena.allocate(2L * ARG_BYTES, 8);
    argument(arguments, 0, ARG_SRC, source);
    argument(arguments, 1, ARG_DST, target);
    run(primitive, arguments, 2);
    call("dnnl_primitive_destroy", addresses(1), primitive);
    call("dnnl_primitive_desc_destroy", addresses(1), description);
    call("dnnl_memory_destroy", addresses(1), source);
  }

  private void run(MemorySegment primitive, MemorySegment arguments, int count) {
    int status;
    try {
      status = (int) execute.invokeExact(primitive, stream, count, arguments);
      status |= (int) await.invokeExact(stream);
    } catch (Throwable e) {
      throw new IllegalStateException("a oneDNN primitive could not be run", e);
    }
    if (status != 0) {
      throw new IllegalStateException("a oneDNN primitive answered status " + status);
    }
  }

  private MemorySegment layout(Arena arena, int tag, long rows, long cols) {
    MemorySegment dims = arena.allocate(8L * MAX_DIMS, 8);
    dims.setAtIndex(ValueLayout.JAVA_LONG, 0, rows);
    dims.setAtIndex(ValueLayout.JAVA_LONG, 1, cols);
    MemorySegment holder = arena.allocate(ValueLayout.ADDRESS);
    call(
        "dnnl_memory_desc_create_with_tag",
        types(MemorySegment.class, int.class, MemorySegment.class, int.class, int.class),
        holder,
        2,
        dims,
        F32,
        tag);
    return NativeJar.pointed(holder);
  }

  private MemorySegment weightLayout(MemorySegment description) {
    try {
      return (MemorySegment)
          dnnl.address("dnnl_primitive_desc_query_md", MemorySegment.class, int.class, int.class)
              .invoke(description, WEIGHTS_MD, 0);
    } catch (Throwable e) {
      throw new IllegalStateException("oneDNN does not say the layout of its weights", e);
    }
  }

  private MemorySegment memory(MemorySegment holder, MemorySegment layout, MemorySegment data) {
    call("dnnl_memory_create", addresses(4), holder, layout, engine, data);
    return NativeJar.pointed(holder);
  }

  private static void argument(MemorySegment list, int i, int key, MemorySegment memory) {
    list.set(ValueLayout.JAVA_INT, (long) i * ARG_BYTES, key);
    list.set(ValueLayout.ADDRESS, (long) i * ARG_BYTES + 8, memory);
  }

  private void call(String name, Class<?>[] types, Object... arguments) {
    NativeJar.check(name, dnnl.status(name, types), arguments);
  }

  private static Class<?>[] types(Class<?>... types) {
    return types;
  }

  private static Class<?>[] addresses(int count) {
    Class<?>[] types = new Class<?>[count];
    Arrays.fill(types, MemorySegment.class);
    return types;
  }
}
