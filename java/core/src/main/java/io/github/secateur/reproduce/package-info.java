/**
 * Published accuracy tables, run again: what a paper reports beside what its protocol gives here.
 *
 * <p>In: a table (YAML: rows with recipes and what is expected of them), samples, seeds. Out: an
 * outcome a row and seed, means, spreads and verdicts. A run that was stopped goes on where it was.
 */
package io.github.secateur.reproduce;
