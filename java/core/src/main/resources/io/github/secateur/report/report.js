// Draws the report's charts from the JSON in the page. Each figure is a function that adds the
// charts it needs; changing the theme or a control draws the page's figures anew.
(() => {
  'use strict';

  const report = JSON.parse(document.getElementById('report-data').textContent);
  const root = document.documentElement;
  const prefersDark = window.matchMedia('(prefers-color-scheme: dark)');
  const drawn = new Map();

  // Words and numbers.

  const percent = (fraction) => `${+(100 * fraction).toFixed(4)} %`;
  const figures = (value, digits = 4) =>
    value === null || value === undefined ? '–'
      : Number(value).toLocaleString('en', { maximumSignificantDigits: digits });
  const bytes = (value) => {
    const units = ['B', 'kB', 'MB', 'GB', 'TB'];
    let unit = 0;
    while (value >= 999.5 && unit < units.length - 1) {
      value /= 1000;
      unit++;
    }
    return `${figures(value, 3)} ${units[unit]}`;
  };
  const unique = (values) => [...new Set(values)];
  const errorOf = (metrics) => (metrics ? 100 * (1 - metrics.accuracy) : null);
  const sizeOf = (shape) => shape.reduce((product, dim) => product * dim, 1);

  const strategies = unique(report.cells.map((c) => c.strategy));
  const sparsities = unique(report.cells.map((c) => c.requested)).sort((a, b) => a - b);
  const cellAt = (strategy, sparsity) =>
    report.cells.find((c) => c.strategy === strategy && c.requested === sparsity);
  // Where the reader starts: the sparsity nearest to 90 %.
  const usual = (list) =>
    list.reduce((best, s) => (Math.abs(s - 0.9) < Math.abs(best - 0.9) ? s : best), list[0]);

  // Colours. Series differ by colour, dash and marker, so that colour is never needed.

  const ink = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
  const MARKERS = ['circle', 'rectRot', 'triangle', 'rect', 'star', 'crossRot'];
  const DASHES = [[], [7, 3], [2, 3], [9, 3, 2, 3], [4, 4], [1, 2]];
  const line = (index) => ({
    borderColor: ink(`s${index % 6}`),
    backgroundColor: ink(`s${index % 6}`),
    borderDash: DASHES[index % 6],
    pointStyle: MARKERS[index % 6],
    borderWidth: 2,
    pointRadius: 4,
    spanGaps: true,
  });
  const bar = (index) => ({
    backgroundColor: ink(`s${index % 6}`),
    borderWidth: 0,
    maxBarThickness: 42,
  });
  const reference = () => ({
    borderColor: ink('reference'),
    backgroundColor: ink('reference'),
    borderDash: [5, 5],
    borderWidth: 1.5,
    pointRadius: 0,
    pointStyle: 'line',
  });

  const axis = (title, options = {}) => ({
    ...options,
    title: { display: true, text: title, color: ink('soft') },
    grid: { color: ink('grid') },
    border: { color: ink('line') },
    ticks: { color: ink('soft'), ...options.ticks },
  });
  // Logarithmic axes name 1, 2 and 5 of each decade, over many decades 1 only.
  const logAxis = (title, format = figures, options = {}) => axis(title, {
    type: 'logarithmic',
    ...options,
    ticks: {
      callback: (value, index, ticks) => {
        const lead = value / 10 ** Math.floor(Math.log10(value) + 1e-9);
        const wide = ticks[ticks.length - 1].value / ticks[0].value > 300;
        const named = wide ? [1] : [1, 2, 5];
        return named.includes(Math.round(lead * 1e6) / 1e6) ? format(value) : '';
      },
      autoSkip: false,
      maxRotation: 0,
    },
  });

  const config = (type, labels, datasets, x, y, more = {}) => ({
    type,
    data: { labels, datasets },
    options: {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      interaction: { mode: 'index', intersect: false },
      scales: { x, y },
      plugins: {
        title: {
          display: Boolean(more.title),
          text: more.title,
          color: ink('ink'),
          font: { weight: 600 },
        },
        legend: {
          display: datasets.length > 1,
          labels: { color: ink('ink'), usePointStyle: true, boxHeight: 7 },
        },
        tooltip: {
          callbacks: {
            label: (item) =>
              `${item.dataset.label}: ${(more.format || figures)(item.parsed.y)}`,
          },
        },
      },
    },
  });

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

  // Drawing.

  function choice(label, values, format, start) {
    return { label, values, format, start };
  }

  function addControls(figure, spec) {
    const place = figure.querySelector('.controls');
    spec.controls().filter((c) => c.values.length).forEach((control) => {
      const label = document.createElement('label');
      label.textContent = control.label;
      const select = document.createElement('select');
      control.values.forEach((value, i) => {
        const option = new Option(control.format(value), String(i));
        option.selected = value === control.start;
        select.append(option);
      });
      select.control = control;
      select.addEventListener('change', () => draw(figure, spec));
      label.append(select);
      place.append(label);
    });
  }

  function chosen(figure, spec) {
    const selects = [...figure.querySelectorAll('.controls select')];
    return spec.controls().map((control) => {
      const select = selects.find((s) => s.control.label === control.label);
      return select ? select.control.values[select.selectedIndex] : undefined;
    });
  }

  function draw(figure, spec) {
    (drawn.get(figure) || []).forEach((chart) => chart.destroy());
    const place = figure.querySelector('.charts');
    place.replaceChildren();
    const title = figure.querySelector('h3').textContent;
    const configs = spec.charts(...chosen(figure, spec));
    const charts = configs.map((c) => {
      const box = document.createElement('div');
      box.className = spec.small ? 'chart small' : 'chart';
      const canvas = document.createElement('canvas');
      canvas.setAttribute('role', 'img');
      const own = c.options.plugins.title.text;
      canvas.setAttribute('aria-label', `${title}${own ? `, ${own}` : ''}; data in the table below`);
      box.append(canvas);
      place.append(box);
      return new Chart(canvas, c);
    });
    drawn.set(figure, charts);
    addTables(figure, configs);
  }

  // The numbers of a figure's charts, for readers who cannot see them.
  function addTables(figure, configs) {
    const details = figure.querySelector('details');
    details.querySelectorAll('.scroll').forEach((old) => old.remove());
    configs.forEach((c) => {
      const box = document.createElement('div');
      box.className = 'scroll';
      box.tabIndex = 0;
      const table = document.createElement('table');
      const head = table.createTHead().insertRow();
      const own = c.options.plugins.title.text;
      const names = [c.options.scales.x.title.text, ...c.data.datasets.map((d) => d.label)];
      names.forEach((name) => {
        const th = document.createElement('th');
        th.scope = 'col';
        th.textContent = name;
        head.append(th);
      });
      const caption = table.createCaption();
      caption.textContent = [own, c.options.scales.y.title.text].filter(Boolean).join(': ');
      const body = table.createTBody();
      c.data.labels.forEach((label, i) => {
        const row = body.insertRow();
        const th = document.createElement('th');
        th.scope = 'row';
        th.textContent = label;
        row.append(th);
        c.data.datasets.forEach((d) => {
          row.insertCell().textContent = figures(d.data[i], 6);
        });
      });
      box.append(table);
      details.append(box);
    });
  }

  function drawAll() {
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    Object.entries(FIGURES).forEach(([id, spec]) => {
      const figure = document.getElementById(id);
      if (figure) {
        draw(figure, spec);
      }
    });
  }

  // Theme: the system's until the reader chooses; paper is light.

  const button = document.getElementById('theme');
  const isDark = () => (root.dataset.theme ? root.dataset.theme === 'dark' : prefersDark.matches);

  function show(theme) {
    if (theme) {
      root.dataset.theme = theme;
    } else {
      delete root.dataset.theme;
    }
    button.textContent = isDark() ? 'Light' : 'Dark';
    button.setAttribute('aria-label', `Switch to ${isDark() ? 'light' : 'dark'} colours`);
    drawAll();
  }

  Object.entries(FIGURES).forEach(([id, spec]) => {
    const figure = document.getElementById(id);
    if (figure) {
      addControls(figure, spec);
    }
  });
  button.hidden = false;
  button.addEventListener('click', () => show(isDark() ? 'light' : 'dark'));
  prefersDark.addEventListener('change', () => show(root.dataset.theme));
  let beforePrint;
  window.addEventListener('beforeprint', () => {
    beforePrint = root.dataset.theme;
    show('light');
  });
  window.addEventListener('afterprint', () => show(beforePrint));
  show(root.dataset.theme);
})();
