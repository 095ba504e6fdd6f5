/**
 * The data that comes with the command line.
 *
 * <p>In: resources of the jar. Out: {@link io.github.secateur.io.Samples}.
 */
package io.github.secateur.cli.data;
