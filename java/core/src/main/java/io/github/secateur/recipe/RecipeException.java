package io.github.secateur.recipe;

/** A setting that is wrong; the message says which, where it stands, and the cure. */
public final class RecipeException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  /** One sentence. */
  public RecipeException(String message) {
    super(message);
  }

  /** One sentence, and what showed it. */
  public RecipeException(String message, Throwable cause) {
    super(message, cause);
  }
}
