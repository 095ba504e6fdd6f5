package io.github.secateur.cli;

final class Main {
  private Main() {}

  public static void main(String[] a) {
    System.out.println("x");
  }
}
