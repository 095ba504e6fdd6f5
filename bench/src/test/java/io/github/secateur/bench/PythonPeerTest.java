package io.github.secateur.bench;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The exchange of lines, with a shell script in the place of Python. */
class PythonPeerTest {
  @TempDir Path folder;

  @Test
  void asksForVersionsSidesAndTimes() throws IOException {
    try (PythonPeer peer =
        peer("{\"NumPy\": \"1.2\"}", "{\"names\": [\"a\", \"b\"]}", "{\"micros\": [1.5, 2]}")) {
      assertEquals(Map.of("NumPy", "1.2"), peer.versions());
      List<Contestant> sides = peer.setUp(PythonPeer.request("product").put("threads", 2));
      assertEquals(List.of("a", "b"), sides.stream().map(Contestant::name).toList());
      assertArrayEquals(new double[] {1.5, 2}, sides.get(1).block(0.25));
    }
    assertEquals(
        List.of(
            "{\"op\":\"versions\"}",
            "{\"op\":\"product\",\"threads\":2}",
            "{\"op\":\"block\",\"name\":\"b\",\"seconds\":0.25}"),
        Files.readAllLines(folder.resolve("asked")));
  }

  @Test
  void passesErrorsOn() throws IOException {
    try (PythonPeer peer = peer("{}", "{\"error\": \"ValueError: no such file\"}")) {
      IOException e =
          assertThrows(IOException.class, () -> peer.setUp(PythonPeer.request("product")));
      assertTrue(e.getMessage().contains("no such file"), e.getMessage());
    }
  }

  @Test
  void saysWhenItEnds() throws IOException {
    try (PythonPeer peer = peer("{}")) {
      IOException e = assertThrows(IOException.class, () -> peer.ask(PythonPeer.request("block")));
      assertTrue(e.getMessage().contains("ended"), e.getMessage());
    }
  }

  /** Writes down what it is asked and gives these answers, then ends after one question more. */
  private PythonPeer peer(String... answers) throws IOException {
    StringBuilder script = new StringBuilder();
    for (String answer : answers) {
      script.append("read -r line; printf '%s\\n' \"$line\" >>'");
      script.append(folder.resolve("asked")).append("'\n");
      script.append("printf '%s\\n' '").append(answer).append("'\n");
    }
    script.append("read -r line\n");
    Path file = Files.writeString(folder.resolve("script"), script);
    return new PythonPeer("sh", file);
  }
}
