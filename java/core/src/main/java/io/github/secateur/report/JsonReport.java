package io.github.secateur.report;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.secateur.io.AtomicFile;
import io.github.secateur.tensor.Shape;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Reports as JSON: the components of the records under their names and in their order, {@code
 * schema} first. NaN and infinite numbers are written as null; where a record has a number that
 * cannot be null, null is read as NaN. Shapes are arrays of dimensions.
 */
public final class JsonReport {
  /** Version of the schema that is written and read; raised when a name or a meaning changes. */
  public static final int SCHEMA = 1;

  private static final ObjectMapper MAPPER =
      new ObjectMapper()
          .registerModule(
              new SimpleModule()
                  .addSerializer(double.class, new DoubleWriter())
                  .addSerializer(Double.class, new DoubleWriter())
                  .addDeserializer(double.class, new DoubleReader())
                  .addSerializer(Shape.class, new ShapeWriter())
                  .addDeserializer(Shape.class, new ShapeReader()))
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(SerializationFeature.INDENT_OUTPUT);

  private JsonReport() {}

  /**
   * Writes a report; the file appears whole or not at all.
   *
   * @throws IOException naming the file that cannot be written
   */
  public static void write(Report report, Path file) throws IOException {
    AtomicFile.write(file, toText(report) + "\n");
  }

  /** The report as indented text. */
  public static String toText(Report report) {
    try {
      return MAPPER.writeValueAsString(toTree(report));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("cannot write report '" + report.title() + "' as JSON", e);
    }
  }

  /** The report as a tree. */
  public static ObjectNode toTree(Report report) {
    ObjectNode tree = MAPPER.createObjectNode().put("schema", SCHEMA);
    return tree.setAll((ObjectNode) MAPPER.valueToTree(report));
  }

  /** Any record of a report, or of what reports are made of, as a tree by the same rules. */
  public static JsonNode tree(Object value) {
    return MAPPER.valueToTree(value);
  }

  /**
   * Reads a report.
   *
   * @throws IOException naming the file and what is wrong: not JSON, another schema, a bad value
   */
  public static Report read(Path file) throws IOException {
    String text = Files.readString(file, StandardCharsets.UTF_8);
    try {
      JsonNode tree = MAPPER.readTree(text);
      int schema = tree.path("schema").asInt(-1);
      if (schema != SCHEMA) {
        throw new IOException(
            "%s: schema %s; wanted a report of schema %d"
                .formatted(file, tree.path("schema"), SCHEMA));
      }
      return MAPPER.treeToValue(tree, Report.class);
    } catch (JsonProcessingException e) {
      String where =
          e.getLocation() == null
              ? ""
              : " at line %d, column %d"
                  .formatted(e.getLocation().getLineNr(), e.getLocation().getColumnNr());
      throw new IOException(
          "%s%s: not a report: %s".formatted(file, where, e.getOriginalMessage()), e);
    }
  }

  private static final class DoubleWriter extends JsonSerializer<Double> {
    @Override
    public void serialize(Double value, JsonGenerator out, SerializerProvider provider)
        throws IOException {
      if (Double.isFinite(value)) {
        out.writeNumber(value);
      } else {
        out.writeNull();
      }
    }
  }

  private static final class DoubleReader extends JsonDeserializer<Double> {
    @Override
    public Double deserialize(JsonParser in, DeserializationContext context) throws IOException {
      return in.getDoubleValue();
    }

    @Override
    public Double getNullValue(DeserializationContext context) {
      return Double.NaN;
    }

    @Override
    public Object getAbsentValue(DeserializationContext context) {
      return Double.NaN;
    }
  }

  private static final class ShapeWriter extends JsonSerializer<Shape> {
    @Override
    public void serialize(Shape shape, JsonGenerator out, SerializerProvider provider)
        throws IOException {
      out.writeArray(shape.dims(), 0, shape.rank());
    }
  }

  private static final class ShapeReader extends JsonDeserializer<Shape> {
    @Override
    public Shape deserialize(JsonParser in, DeserializationContext context) throws IOException {
      return Shape.of(context.readValue(in, long[].class));
    }
  }
}
