package io.github.secateur.cuda;

import io.github.secateur.device.abi.NativeCache;
import io.github.secateur.device.abi.NativeLibraries;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * Defines JCuda, and the package {@code device} that is written against it, a second time and over
 * native libraries from our own cache.
 *
 * <p>JCuda's own loader extracts its natives to a fixed name in the temporary folder and trusts a
 * file that is already there, whoever put it there. It asks {@link System#loadLibrary} first, which
 * asks the class loader of its caller: that is this one, and it answers with the cached file.
 * Everything else comes from the parent, so devices and buffers are of the types that others know.
 */
final class JCudaLoader extends ClassLoader {
  private static final String VERSION = "12.6.0";
  private static final List<String> OWN = List.of("jcuda.", "io.github.secateur.cuda.device.");

  static {
    registerAsParallelCapable();
  }

  private static JCudaLoader loader;

  private final List<Path> natives;

  private JCudaLoader(ClassLoader parent, List<Path> natives) {
    super("secateur-cuda", parent);
    this.natives = natives;
  }

  /**
   * The one of this process (a native library belongs to one class loader), made when first asked
   * for; throws UNAVAILABLE when JCuda's natives are not on the class path.
   */
  static synchronized JCudaLoader get() {
    if (loader == null) {
      loader = create();
    }
    return loader;
  }

  private static JCudaLoader create() {
    String platform = NativeLibraries.platform();
    List<String> names =
        Stream.of("JCudaDriver", "JCublas2", "JCusparse")
            .map(name -> System.mapLibraryName("%s-%s-%s".formatted(name, VERSION, platform)))
            .toList();
    return new JCudaLoader(
        JCudaLoader.class.getClassLoader(),
        NativeCache.standard()
            .unpack(
                "lib",
                names,
                "JCuda %s for %s is not on the class path; add org.jcuda:jcuda-natives, jcublas-natives and jcusparse-natives with classifier %s"
                    .formatted(VERSION, platform, platform)));
  }

  @Override
  protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
    if (OWN.stream().noneMatch(name::startsWith)) {
      return super.loadClass(name, resolve);
    }
    synchronized (getClassLoadingLock(name)) {
      Class<?> type = findLoadedClass(name);
      return type != null ? type : findClass(name);
    }
  }

  @Override
  protected Class<?> findClass(String name) throws ClassNotFoundException {
    String resource = name.replace('.', '/') + ".class";
    try (InputStream in = getParent().getResourceAsStream(resource)) {
      if (in == null) {
        throw new ClassNotFoundException(name);
      }
      byte[] code = in.readAllBytes();
      return defineClass(name, code, 0, code.length);
    } catch (IOException e) {
      throw new ClassNotFoundException(name, e);
    }
  }

  @Override
  protected String findLibrary(String name) {
    String file = System.mapLibraryName(name);
    return natives.stream()
        .filter(path -> path.getFileName().toString().equals(file))
        .map(Path::toString)
        .findFirst()
        .orElse(null);
  }
}
