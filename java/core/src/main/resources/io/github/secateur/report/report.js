// The report's figures: each is a function that gives the charts it needs.
(() => {
  'use strict';

  const {
    report, percent, figures, bytes, unique, usual, ink, line, bar, reference, axis, logAxis,
    config, choice, start,
  } = SecateurCharts;

  const errorOf = (metrics) => (metrics ? 100 * (1 - metrics.accuracy) : null);
  const sizeOf = (shape) => shape.reduce((product, dim) => product * dim, 1);

  const strategies = unique(report.cells.map((c) => c.strategy));
  const sparsities = unique(report.cells.map((c) => c.requested)).sort((a, b) => a - b);
  const cellAt = (strategy, sparsity) =>
    report.cells.find((c) => c.strategy === strategy && c.requested === sparsity);

  // Figures: each returns the list of its charts' configurations.

  const FIGURES = {
    error: {
      controls: () => [],
      charts: () => {
        const dense = errorOf(report.dense && report.dense.test);
        const datasets = strategies.map((strategy, i) => ({
          label: strategy,
          data: sparsities.map((s) => {
            const cell = cellAt(strategy, s);
            return cell ? errorOf(cell.test) : null;
          }),
          ...line(i),
        }));
        if (dense !== null) {
          datasets.push({ label: 'dense', data: sparsities.map(() => dense), ...reference() });
        }
        const all = datasets.flatMap((d) => d.data).filter((v) => v !== null);
        const wide = Math.min(...all) > 0 && Math.max(...all) / Math.min(...all) > 8;
        const name = 'Test error, %';
        const chart = (y, title) => config('line', sparsities.map(percent), datasets,
          axis('Sparsity asked for, over prunable weights'), y,
          { title, format: (v) => `${figures(v)} %` });
        if (!wide) {
          return [chart(axis(name))];
        }
        // One scale cannot show a collapse and a tenth of a point: the second chart looks closer.
        const near = Math.min(...all) + 2;
        return [
          chart(logAxis(`${name} (logarithmic)`), 'All networks'),
          chart(axis(name, { max: near, ticks: { includeBounds: false } }), `Up to ${figures(near, 3)} % error`),
        ];
      },
    },

    curves: {
      controls: () => [
        choice('Sparsity', sparsities, percent, usual(sparsities)),
        choice('Show', Object.keys(METRICS), (name) => METRICS[name].title, firstMetric()),
      ],
      charts: (sparsity, metric) => {
        const runs = [];
        if (report.dense && report.dense.history.length) {
          runs.push({ label: 'dense', history: report.dense.history, style: reference() });
        }
        strategies.forEach((strategy, i) => {
          const cell = cellAt(strategy, sparsity);
          if (cell && cell.history.length) {
            runs.push({ label: strategy, history: cell.history, style: line(i) });
          }
        });
        return [metric, 'sparsity'].filter((m, i, list) => list.indexOf(m) === i)
          .map((name) => curve(runs, METRICS[name]));
      },
    },

    layers: {
      controls: () => [choice('Sparsity', sparsities, percent, usual(sparsities))],
      charts: (sparsity) => {
        const cells = report.cells.filter((c) => c.requested === sparsity && c.layers.length);
        const names = unique(cells.flatMap((c) => c.layers.map((l) => l.layer)));
        const datasets = cells.map((cell) => ({
          label: cell.strategy,
          data: names.map((name) => {
            const layer = cell.layers.find((l) => l.layer === name);
            return layer ? (100 * layer.pruned) / sizeOf(layer.shape) : null;
          }),
          ...bar(strategies.indexOf(cell.strategy)),
        }));
        return [config('bar', names, datasets, axis('Layer'),
          axis('Pruned weights, %', { min: 0, max: 100 }),
          { format: (v) => `${v.toFixed(2)} %` })];
      },
    },

    histograms: {
      small: true,
      controls: () => [],
      charts: () => report.histograms.map((h) => {
        const centres = h.before.map((_, i) => (h.edges[i] + h.edges[i + 1]) / 2);
        const filled = { grouped: false, barPercentage: 1, categoryPercentage: 1 };
        return config('bar', centres.map((c) => Number(c.toPrecision(4))), [
          { label: 'after', data: h.after, ...bar(1), ...filled },
          { label: 'before', data: h.before, ...bar(0), ...filled,
            backgroundColor: `${ink('s0')}66` },
        ], axis('Weight', { type: 'linear', offset: false, min: h.edges[0],
          max: h.edges[h.edges.length - 1], ticks: { maxTicksLimit: 7, includeBounds: false } }),
        logAxis('Weights in bin', figures, { min: 0.5 }), {
          title: `${h.parameter} (${figures(h.prunedZeros, 9)} pruned)`,
        });
      }),
    },

    latency: {
      small: true,
      controls: () => {
        const levels = unique(report.latencies.map((l) => l.sparsity))
          .sort((a, b) => (a ?? -1) - (b ?? -1));
        const format = (s) => (s === null ? 'not pruned here' : percent(s));
        return [choice('Sparsity', levels, format, usual(levels))];
      },
      charts: (sparsity) => {
        const rows = report.latencies.filter((l) => l.sparsity === sparsity);
        return unique(rows.map((l) => l.model)).map((model) => {
          const mine = rows.filter((l) => l.model === model).sort((a, b) => a.batch - b.batch);
          const variants = ['dense', 'sparse', 'shrunk']
            .map((name, i) => ({
              label: name,
              data: mine.map((l) => (l[name] ? l[name].median : null)),
              ...(name === 'dense' ? { ...line(i), ...reference(), pointRadius: 3,
                pointStyle: 'circle' } : line(i - 1)),
            }))
            .filter((d) => d.data.some((v) => v !== null));
          return config('line', mine.map((l) => l.batch), variants,
            axis('Batch size, samples'), logAxis('Time, µs a batch'),
            { title: model, format: (v) => `${figures(v)} µs` });
        });
      },
    },

    sizes: {
      small: true,
      controls: () => [],
      charts: () => {
        const dense = report.dense && report.dense.files;
        const kinds = [['withZeros', 'with zeros'], ['gzipped', 'gzipped'],
          ['sparse', 'sparse'], ['shrunk', 'shrunk']];
        return strategies.map((strategy) => {
          const cells = sparsities.map((s) => cellAt(strategy, s)).filter((c) => c && c.files);
          const labels = cells.map((c) => percent(c.requested));
          const series = kinds.map(([key, label], i) => ({
            label,
            data: cells.map((c) => (c.files[key] === null ? null : c.files[key] / 1000)),
            ...bar(i),
          })).filter((d) => d.data.some((v) => v !== null));
          if (dense && dense.dense !== null) {
            labels.unshift('dense');
            series.forEach((d) => d.data.unshift(
              d.label === 'with zeros' ? dense.dense / 1000
                : d.label === 'gzipped' && dense.gzipped !== null ? dense.gzipped / 1000 : null));
          }
          return config('bar', labels, series, axis('Sparsity'),
            axis('Size, kB', { beginAtZero: true }),
            { title: strategy, format: (v) => bytes(1000 * v) });
        });
      },
    },
  };

  // What a training history holds.

  const METRICS = {
    error: {
      title: 'Validation error, %',
      of: (e) => (e.validationAccuracy === null ? null : 100 * (1 - e.validationAccuracy)),
    },
    trainLoss: { title: 'Training loss, nats', of: (e) => e.trainLoss },
    validationLoss: { title: 'Validation loss, nats', of: (e) => e.validationLoss },
    rate: { title: 'Learning rate', of: (e) => e.learningRate },
    sparsity: { title: 'Sparsity, %', of: (e) => 100 * e.sparsity },
  };

  function firstMetric() {
    const histories = [report.dense, ...report.cells].filter(Boolean).flatMap((r) => r.history);
    return histories.some((e) => e.validationAccuracy !== null) ? 'error' : 'trainLoss';
  }

  function curve(runs, metric) {
    const length = Math.max(0, ...runs.map((r) => r.history.length));
    const epochs = Array.from({ length }, (_, i) => i + 1);
    const datasets = runs.map((run) => ({
      label: run.label,
      data: epochs.map((_, i) => (run.history[i] ? metric.of(run.history[i]) : null)),
      ...run.style,
      pointRadius: run.style.pointRadius && 2.5,
    }));
    return config('line', epochs, datasets, axis('Epoch'), axis(metric.title),
      { title: metric.title });
  }

  start(FIGURES);
})();
