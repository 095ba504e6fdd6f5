package io.github.secateur.device;

import java.util.Map;

/**
 * Describes an open device.
 *
 * @param name the name it was asked for by: {@code cpu}, {@code cuda}
 * @param description one line for people, such as {@code AMD EPYC, 2 threads, avx512}
 * @param details facts for provenance in a fixed order: instruction set, threads, BLAS core and
 *     version, library paths
 */
public record DeviceInfo(String name, String description, Map<String, String> details) {}
