package io.github.secateur.tensor;

enum X {
  A
}
