package io.github.secateur.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A Python process that times NumPy, SciPy and PyTorch when asked: one JSON object a line each way
 * ({@code bench/peers/peer.py}).
 */
final class PythonPeer implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Process process;
  private final Writer requests;
  private final BufferedReader replies;
  private final JsonNode versions;

  /** Starts it. */
  PythonPeer(String python, Path script) throws IOException {
    process =
        new ProcessBuilder(python, script.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    requests = process.outputWriter(StandardCharsets.UTF_8);
    replies =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    versions = ask(request("versions"));
  }

  /** A request with this name. */
  static ObjectNode request(String op) {
    return JSON.createObjectNode().put("op", op);
  }

  /** The answer to a request. */
  JsonNode ask(ObjectNode request) throws IOException {
    requests.write(request + "\n");
    requests.flush();
    String line = replies.readLine();
    if (line == null) {
      throw new IOException("the Python peer ended at " + request + "; its error is shown above");
    }
    JsonNode reply = JSON.readTree(line);
    if (reply.has("error")) {
      throw new IOException("the Python peer failed: " + reply.get("error").asText());
    }
    return reply;
  }

  /** Versions of its libraries by name. */
  Map<String, String> versions() {
    return JSON.convertValue(
        versions, JSON.getTypeFactory().constructMapType(Map.class, String.class, String.class));
  }

  /** Sets up work and gives its sides; each reads the files that the request names. */
  List<Contestant> setUp(ObjectNode request) throws IOException {
    List<Contestant> sides = new ArrayList<>();
    for (JsonNode name : ask(request).get("names")) {
      sides.add(new Side(name.asText()));
    }
    return sides;
  }

  @Override
  public void close() {
    process.destroy();
  }

  private final class Side implements Contestant {
    private final String name;

    Side(String name) {
      this.name = name;
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public double[] block(double seconds) throws IOException {
      JsonNode micros =
          ask(request("block").put("name", name).put("seconds", seconds)).get("micros");
      double[] samples = new double[micros.size()];
      for (int i = 0; i < samples.length; i++) {
        samples[i] = micros.get(i).asDouble();
      }
      return samples;
    }
  }
}
