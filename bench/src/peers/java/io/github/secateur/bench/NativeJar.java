package io.github.secateur.bench;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.net.JarURLConnection;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;

/** Shared libraries out of a jar on the class path, and handles to their C functions. */
@SuppressWarnings("restricted")
final class NativeJar {
  private static final Linker LINKER = Linker.nativeLinker();

  private final SymbolLookup lookup;

  /**
   * Unpacks what a resource folder holds, once, and loads one library of it.
   *
   * @param folder of the jar, such as {@code org/bytedeco/mkl/linux-x86_64}
   * @param library file name in it
   * @param preloaded libraries of the folder that it looks for by name, loaded first
   */
  NativeJar(Path cache, String folder, String library, String... preloaded) throws IOException {
    URL url = NativeJar.class.getClassLoader().getResource(folder + "/" + library);
    if (url == null) {
      throw new IOException(
          "no " + folder + "/" + library + " on the class path; build with mvn -Ppeers");
    }
    Path target = cache.resolve(folder);
    unpack(((JarURLConnection) url.openConnection()).getJarFile(), folder + "/", target);
    for (String name : preloaded) {
      load(target.resolve(name));
    }
    lookup = load(target.resolve(library));
  }

  private static SymbolLookup load(Path library) throws IOException {
    try {
      return SymbolLookup.libraryLookup(library, Arena.global());
    } catch (IllegalArgumentException e) {
      throw new IOException(
          library + " does not load; does it lack a library? (ldd " + library + ")", e);
    }
  }

  private static void unpack(JarFile jar, String folder, Path target) throws IOException {
    Files.createDirectories(target);
    for (JarEntry entry : jar.stream().toList()) {
      String name = entry.getName();
      if (!name.startsWith(folder) || !name.contains(".so") || entry.isDirectory()) {
        continue;
      }
      String file = name.substring(folder.length());
      Path path = target.resolve(file);
      boolean there = Files.exists(path) && Files.size(path) == entry.getSize();
      if (!there && !file.contains("/")) {
        Files.copy(jar.getInputStream(entry), path, StandardCopyOption.REPLACE_EXISTING);
      }
    }
  }

  /** A function that answers a status, 0 for success. */
  MethodHandle status(String name, Class<?>... parameters) {
    return handle(name, FunctionDescriptor.of(ValueLayout.JAVA_INT, layouts(parameters)));
  }

  /** A function that answers an address. */
  MethodHandle address(String name, Class<?>... parameters) {
    return handle(name, FunctionDescriptor.of(ValueLayout.ADDRESS, layouts(parameters)));
  }

  /** A function that answers nothing. */
  MethodHandle nothing(String name, Class<?>... parameters) {
    return handle(name, FunctionDescriptor.ofVoid(layouts(parameters)));
  }

  /** A function of any shape. */
  MethodHandle handle(String name, FunctionDescriptor descriptor) {
    return LINKER.downcallHandle(lookup.findOrThrow(name), descriptor);
  }

  private static ValueLayout[] layouts(Class<?>... parameters) {
    ValueLayout[] layouts = new ValueLayout[parameters.length];
    for (int i = 0; i < layouts.length; i++) {
      Class<?> p = parameters[i];
      layouts[i] =
          p == int.class
              ? ValueLayout.JAVA_INT
              : p == long.class
                  ? ValueLayout.JAVA_LONG
                  : p == float.class ? ValueLayout.JAVA_FLOAT : ValueLayout.ADDRESS;
    }
    return layouts;
  }

  /** Calls a function that answers a status. */
  static void check(String name, MethodHandle handle, Object... arguments) {
    int status;
    try {
      status = (int) handle.invokeWithArguments(arguments);
    } catch (Throwable e) {
      throw new IllegalStateException(name + " could not be called", e);
    }
    if (status != 0) {
      throw new IllegalStateException(name + " answered status " + status);
    }
  }

  /** What stands at a pointer that a function wrote. */
  static MemorySegment pointed(MemorySegment holder) {
    return holder.get(ValueLayout.ADDRESS, 0);
  }
}
