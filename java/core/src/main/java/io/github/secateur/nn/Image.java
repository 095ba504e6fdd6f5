package io.github.secateur.nn;

/**
 * Size of the images that a convolutional network reads.
 *
 * @param channels 1 for gray, 3 for colour
 * @param height in pixels
 * @param width in pixels
 */
public record Image(int channels, int height, int width) {
  /** MNIST and Fashion-MNIST. */
  public static final Image GRAY_28 = new Image(1, 28, 28);

  /** Checks the ranges. */
  public Image {
    if (channels < 1 || height < 1 || width < 1) {
      throw new IllegalArgumentException(
          "an image needs 1 or more channels, rows and columns, got %dx%dx%d"
              .formatted(channels, height, width));
    }
  }

  /**
   * Reads CHANNELSxHEIGHTxWIDTH, such as {@code 3x32x32}.
   *
   * @throws IllegalArgumentException when it is none
   */
  static Image parse(String text) {
    if (!text.matches("[1-9][0-9]{0,5}x[1-9][0-9]{0,5}x[1-9][0-9]{0,5}")) {
      throw new IllegalArgumentException(
          "'%s' is no image size; use CHANNELSxHEIGHTxWIDTH such as 3x32x32".formatted(text));
    }
    String[] sizes = text.split("x", -1);
    return new Image(
        Integer.parseInt(sizes[0]), Integer.parseInt(sizes[1]), Integer.parseInt(sizes[2]));
  }
}
