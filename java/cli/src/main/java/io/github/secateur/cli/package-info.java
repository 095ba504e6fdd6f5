/**
 * The command line. One class a command; each reads its options, calls the engine, prints the
 * result.
 *
 * <p>In: arguments, files. Out: files, a result on standard output (a table, or JSON with {@code
 * --json}), progress and errors on standard error, an exit code: 0 done, 1 the work failed or the
 * input was wrong, 2 the command line was wrong, 70 an error of Secateur's own, 130 interrupted.
 */
package io.github.secateur.cli;
