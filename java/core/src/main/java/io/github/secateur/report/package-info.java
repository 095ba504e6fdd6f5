/**
 * Reports: what a command measured, as data, terminal table, JSON and one self-contained page.
 *
 * <p>In: a {@link io.github.secateur.report.Report}, filled by a command from what training,
 * pruning, export and timing returned. Out: text and files. Nothing here measures a network; only
 * {@link io.github.secateur.report.FileSizes} and {@link io.github.secateur.report.Histograms}
 * count bytes and weights. Whatever a command did not measure is null and is shown as absent, never
 * as 0.
 */
package io.github.secateur.report;
