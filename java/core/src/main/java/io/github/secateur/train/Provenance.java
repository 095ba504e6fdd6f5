package io.github.secateur.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.secateur.device.Device;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * Where numbers come from; part of every checkpoint and report.
 *
 * @param secateur version of this engine
 * @param java Java version and virtual machine
 * @param os operating system and processor architecture
 * @param device the device's description
 * @param deviceDetails facts about it: instruction set, threads, BLAS core and version
 * @param seed of the run
 * @param options of the run, by name
 * @param data SHA-256 of the samples by their use
 * @param time when the record was made, ISO 8601, UTC
 */
public record Provenance(
    String secateur,
    String java,
    String os,
    String device,
    Map<String, String> deviceDetails,
    long seed,
    Map<String, String> options,
    Map<String, String> data,
    String time) {
  /** Copies the maps, in their order. */
  public Provenance {
    deviceDetails = Collections.unmodifiableMap(new LinkedHashMap<>(deviceDetails));
    options = Collections.unmodifiableMap(new LinkedHashMap<>(options));
    data = Collections.unmodifiableMap(new LinkedHashMap<>(data));
  }

  /** The record of a training run that starts now. */
  public static Provenance of(Device device, TrainOptions options, DataSplit data) {
    return of(device, options.seed(), options.describe(), data.hashes());
  }

  /**
   * The record of anything that starts now.
   *
   * @param options by name, in the order they are to be shown
   * @param data SHA-256 by use
   */
  public static Provenance of(
      Device device, long seed, Map<String, String> options, Map<String, String> data) {
    return new Provenance(
        version(),
        property("java.version")
            + ", "
            + property("java.vm.name")
            + " "
            + property("java.vm.version"),
        property("os.name") + " " + property("os.version") + ", " + property("os.arch"),
        device.info().name() + ": " + device.info().description(),
        device.info().details(),
        seed,
        options,
        data,
        Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
  }

  /** Version of this engine, {@code development} when it does not run from a jar. */
  public static String version() {
    return Objects.requireNonNullElse(
        Provenance.class.getPackage().getImplementationVersion(), "development");
  }

  /** As JSON, keys in the order of the components. */
  public ObjectNode toJson() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("secateur", secateur).put("java", java).put("os", os).put("device", device);
    json.set("deviceDetails", object(deviceDetails));
    json.put("seed", seed);
    json.set("options", object(options));
    json.set("data", object(data));
    return json.put("time", time);
  }

  /**
   * Takes back what {@link #toJson} gave.
   *
   * @throws IllegalArgumentException naming what is missing
   */
  public static Provenance fromJson(JsonNode json) {
    return new Provenance(
        text(json, "secateur"),
        text(json, "java"),
        text(json, "os"),
        text(json, "device"),
        map(json, "deviceDetails"),
        Long.parseLong(text(json, "seed")),
        map(json, "options"),
        map(json, "data"),
        text(json, "time"));
  }

  private static String text(JsonNode json, String key) {
    if (!json.hasNonNull(key)) {
      throw new IllegalArgumentException("provenance lacks '" + key + "'");
    }
    return json.get(key).asText();
  }

  private static Map<String, String> map(JsonNode json, String key) {
    Map<String, String> map = new LinkedHashMap<>();
    json.path(key).properties().forEach(e -> map.put(e.getKey(), e.getValue().asText()));
    return map;
  }

  private static ObjectNode object(Map<String, String> map) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    map.forEach(json::put);
    return json;
  }

  private static String property(String name) {
    return System.getProperty(name, "unknown");
  }
}
