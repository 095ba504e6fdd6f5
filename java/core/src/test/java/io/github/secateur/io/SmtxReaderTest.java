package io.github.secateur.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.secateur.tensor.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Patterns of the DLMC: what is read, and one sentence for whatever is not one. */
class SmtxReaderTest {
  private static final String GOOD = "3, 5, 4\n0 2 2 4\n1 4 0 3\n";

  @TempDir Path folder;

  private Path write(String text) throws IOException {
    return Files.writeString(folder.resolve("m.smtx"), text);
  }

  private String refused(String text) throws IOException {
    Path file = write(text);
    String sentence = assertThrows(FormatException.class, () -> SmtxReader.read(file)).getMessage();
    assertTrue(sentence.startsWith(file + ", line "), sentence);
    assertEquals(1, sentence.lines().count());
    return sentence.substring(file.toString().length() + 2);
  }

  private void check(String text) throws IOException {
    SmtxReader.Pattern pattern = SmtxReader.read(write(text));
    assertEquals(Shape.of(3, 5), pattern.shape());
    assertEquals(4, pattern.nonzeros());
    assertArrayEquals(new int[] {0, 2, 2, 4}, pattern.offsets());
    assertArrayEquals(new int[] {1, 4, 0, 3}, pattern.columns());
  }

  @Test
  void readsWhatTheCollectionHolds() throws IOException {
    check(GOOD);
    check("3,5,4\n0 2 2 4\n1 4 0 3");
    check("3 5 4 \r\n0 2 2 4 \r\n1 4 0 3 \r\n");
    check(GOOD + "\n\n");
  }

  @Test
  void readsAMatrixWithoutNonzeros() throws IOException {
    for (String text : new String[] {"2, 3, 0\n0 0 0\n\n", "2, 3, 0\n0 0 0\n"}) {
      assertEquals(0, SmtxReader.read(write(text)).nonzeros());
    }
    assertEquals(Shape.of(0, 0), SmtxReader.read(write("0, 0, 0\n0\n\n")).shape());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      textBlock =
          """
          ""                                | line 1: expected a number of rows, found the end of the file
          "3,        "                      | line 1: expected a number of columns, found the end of the file
          "3, 5/0 2 2 4/1 4 0 3/"           | line 1: expected a number of nonzeros, found the end of the line
          "3, 5, 4, 1/0 2 2 4/1 4 0 3/"     | line 1: expected the end of the line after rows, columns and nonzeros, found '1'
          "-3, 5, 4/0 2 2 4/1 4 0 3/"       | line 1: expected a number of rows, found '-'
          "3, 1, 4/0 2 2 4/0 0 0 0/"        | line 1: expected at most 3 nonzeros, found 4
          "2000000000, 5, 4/0 2/"           | line 1: expected a number of rows that fits a file of 21 bytes, found 2000000000
          "3, 5, 2000000000/0 2/"           | line 1: expected a number of nonzeros that fits a file of 21 bytes, found 2000000000
          "3, 99999999999, 4/0 2/"          | line 1: expected a number of columns of at most 2147483647, found more
          "3, 5, 4/0 2 2/1 4 0 3/"          | line 2: expected row offset 3 of 3, found the end of the line
          "3, 5, 4/0 2 2 4 4/1 4 0 3/"      | line 2: expected the end of the line after 4 row offsets, found '4'
          "3, 5, 4/1 2 2 4/1 4 0 3/"        | line 2: expected row offset 0 of 3 to be 0 to 0, found 1
          "3, 5, 4/0 2 1 4/1 4 0 3/"        | line 2: expected row offset 2 of 3 to be 2 to 4, found 1
          "3, 5, 4/0 2 9 4/1 4 0 3/"        | line 2: expected row offset 2 of 3 to be 2 to 4, found 9
          "3, 5, 4/0 2 2 3/1 4 0 3/"        | line 2: expected row offset 3 of 3 to be the 4 of line 1, found 3
          "3, 5, 4/0 2 2 4/1 4 0/"          | line 3: expected column index 3 of 4, found the end of the line
          "3, 5, 4/0 2 2 4/1 4 0"           | line 3: expected column index 3 of 4, found the end of the file
          "3, 5, 4/0 2 2 4/1 4 0 3 2/"      | line 3: expected the end of the line after 4 column indices, found '2'
          "3, 5, 4/0 2 2 4/4 1 0 3/"        | line 3: expected column index 1, in row 0, above 4 and below 5, found 1
          "3, 5, 4/0 2 2 4/1 1 0 3/"        | line 3: expected column index 1, in row 0, above 1 and below 5, found 1
          "3, 5, 4/0 2 2 4/1 5 0 3/"        | line 3: expected column index 1, in row 0, above 1 and below 5, found 5
          "3, 5, 4/0 2 2 4/1 -4 0 3/"       | line 3: expected column index 1 of 4, found '-'
          "3, 5, 4/0 2 2 4/1 4.5 0 3/"      | line 3: expected column index 2 of 4, found '.'
          "3, 5, 4/0 2 2 4/1 4 0 3/7/"      | line 4: expected the end of the file, found '7'
          """)
  void refusesWithOneSentence(String text, String sentence) throws IOException {
    assertEquals(sentence, refused(text.replace('/', '\n')));
  }

  @Test
  void refusesEveryTruncation() throws IOException {
    String whole = "3, 5, 4\n0 2 2 4\n1 4 0 33";
    for (int length = 0; length < whole.length() - 1; length++) {
      refused(whole.substring(0, length));
    }
    refused(whole);
  }

  @Test
  void refusesWhatIsNoText() throws IOException {
    assertEquals("line 1: expected a number of rows, found byte 0x0", refused("\0\0\0"));
  }
}
