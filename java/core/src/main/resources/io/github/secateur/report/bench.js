// The benchmark's figures.
(() => {
  'use strict';

  const {
    report, percent, figures, unique, usual, ink, line, bar, reference, axis, logAxis, config, choice,
    start,
  } = SecateurCharts;

  const results = report.results;
  const dense = (r) => r.products[0];
  const best = (r) => r.products.slice(1)
    .reduce((a, b) => (!a || b.micros.median < a.micros.median ? b : a), null);

  // A curve is a matrix under a pattern, over its sparsities and batch sizes.
  const curves = unique(results.map((r) => JSON.stringify([r.matrix, r.pattern])))
    .map((key) => JSON.parse(key));
  const onCurve = ([matrix, pattern]) => (r) => r.matrix === matrix && r.pattern === pattern;
  const curveName = ([matrix, pattern]) => (pattern === 'random' ? matrix : `${matrix}, ${pattern}`);
  const batches = unique(results.map((r) => r.batch)).sort((a, b) => a - b);
  const rounded = (s) => Math.round(1000 * s) / 1000;
  const sparsities = unique(results.map((r) => rounded(r.sparsity))).sort((a, b) => a - b);
  const formats = unique(results.flatMap((r) => r.products.slice(1).map((p) => p.format)));
  const curveChoice = () => choice('Matrix', curves, curveName, curves[0]);

  const points = (index, more = {}) => ({ ...line(index), borderDash: [], showLine: false, ...more });
  const level = (from, to, y, label) => ({
    label, data: [{ x: from, y }, { x: to, y }], showLine: true, ...reference(),
  });

  const FIGURES = {
    speedup: {
      controls: () => [curveChoice()],
      charts: (curve) => {
        const mine = results.filter(onCurve(curve)).filter(best);
        const series = batches.map((batch, i) => ({
          label: `batch ${batch}`,
          data: mine.filter((r) => r.batch === batch).sort((a, b) => a.sparsity - b.sparsity)
            .map((r) => ({ x: 100 * r.sparsity, y: best(r).speedup, name: best(r).format })),
          ...line(i),
          showLine: true,
        })).filter((d) => d.data.length);
        const crossings = report.breakEvens.filter(onCurve(curve))
          .filter((b) => b.sparsity !== null)
          .map((b) => ({ x: 100 * b.sparsity, y: 1, name: `batch ${b.batch}, ${percent(rounded(b.sparsity))}` }));
        const all = series.flatMap((d) => d.data).map((p) => p.x);
        const from = Math.min(...all) - 2;
        const to = Math.max(...all) + 2;
        return [config('scatter', null, [
          ...series,
          { label: 'break-even', data: crossings, ...points(0), borderColor: ink('ink'),
            pointStyle: 'crossRot', pointRadius: 9, borderWidth: 3 },
          level(from, to, 1, 'dense'),
        ], axis('Sparsity, %', { min: from, max: to, ticks: { includeBounds: false } }),
        logAxis('Dense over sparse time'), { format: (v) => `${figures(v, 3)}×` })];
      },
    },

    breakeven: {
      controls: () => [],
      charts: () => {
        const at = (curve, batch) => {
          const found = report.breakEvens.filter(onCurve(curve)).find((b) => b.batch === batch);
          return found && found.sparsity !== null ? 100 * found.sparsity : null;
        };
        const y = axis('Break-even sparsity, %', { suggestedMin: 0, max: 100 });
        const format = { format: (v) => `${figures(v, 3)} %` };
        // Few curves are lines over batch sizes, many are bars beside each other.
        if (curves.length > 6) {
          return [config('bar', curves.map(curveName), batches.map((batch, i) => ({
            label: `batch ${batch}`, data: curves.map((c) => at(c, batch)), ...bar(i),
          })), axis('Matrix'), y, format)];
        }
        return [config('line', batches, curves.map((curve, i) => ({
          label: curveName(curve), data: batches.map((batch) => at(curve, batch)), ...line(i),
        })).filter((d) => d.data.some((v) => v !== null)),
        axis('Batch size, samples'), y, format)];
      },
    },

    latency: {
      controls: () => [
        curveChoice(),
        choice('Sparsity', sparsities, percent, usual(sparsities)),
      ],
      charts: (curve, sparsity) => {
        const own = results.filter(onCurve(curve));
        const levels = unique(own.map((r) => r.sparsity));
        const near = levels.reduce((a, b) =>
          (Math.abs(b - sparsity) < Math.abs(a - sparsity) ? b : a), levels[0]);
        const mine = own.filter((r) => r.sparsity === near);
        const time = (format) => mine.map((r) => {
          const product = r.products.find((p) => p.format === format);
          return product ? product.micros.median : null;
        });
        const series = [
          { label: 'dense', data: time('dense'), ...reference(), pointRadius: 3, pointStyle: 'circle' },
          ...formats.map((format, i) => ({ label: format, data: time(format), ...line(i) })),
        ].filter((d) => d.data.some((v) => v !== null));
        return [config('line', mine.map((r) => r.batch), series, axis('Batch size, samples'),
          logAxis('Time, µs'), { title: `${curveName(curve)} at ${percent(rounded(near))}`,
            format: (v) => `${figures(v)} µs` })];
      },
    },

    roofline: {
      controls: () => [choice('Batch', ['all', ...batches], String, 'all')],
      charts: (batch) => {
        const mine = results.filter((r) => batch === 'all' || r.batch === batch);
        const name = (r) => `${r.matrix} ${r.pattern} ${percent(rounded(r.sparsity))} batch ${r.batch}`;
        const at = (r, p, rate) => ({ x: p.intensity, y: rate, name: name(r) });
        const of = (format) => mine.flatMap((r) => r.products
          .filter((p) => p.format === format && p.usefulGflops > 0)
          .map((p) => at(r, p, p.usefulGflops)));
        const series = [
          { label: 'dense', data: mine.map((r) => at(r, dense(r), dense(r).effectiveGflops)),
            ...points(5), ...reference(), pointRadius: 4, pointStyle: 'circle' },
          ...formats.map((format, i) => ({ label: format, data: of(format), ...points(i) })),
        ].filter((d) => d.data.length);
        const { peakGflops, bandwidthGBs } = report.roofline;
        const all = series.flatMap((d) => d.data);
        const ridge = peakGflops / bandwidthGBs;
        const from = Math.min(ridge, ...all.map((p) => p.x)) / 2;
        const to = 2 * Math.max(ridge, ...all.map((p) => p.x));
        const roof = [from, ridge, to].map((x) => ({ x, y: Math.min(peakGflops, x * bandwidthGBs) }));
        return [config('scatter', null, [
          ...series,
          { label: 'ceiling', data: roof, ...reference(), borderDash: [], borderWidth: 2, showLine: true },
        ], logAxis('FLOP a byte of memory', figures, { min: from, max: to }),
        logAxis('GFLOP/s'), { format: (v) => `${figures(v, 3)} GFLOP/s` })];
      },
    },
  };

  start(FIGURES);
})();
