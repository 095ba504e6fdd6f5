/**
 * Recipes: what to prune and how, as text. The same names whether they stand in a YAML file or on a
 * command line, one parser for both, and messages that say where a wrong value stands.
 *
 * <p>In: a file, or names with values. Out: {@link io.github.secateur.prune.PruneOptions}, and all
 * settings as they took effect, defaults included, to repeat the run by.
 */
package io.github.secateur.recipe;
