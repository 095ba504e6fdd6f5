// What the pages' charts have in common: words, colours, axes, controls, tables, themes. A page
// gives its figures to SecateurCharts.start; changing the theme or a control draws them anew.
const SecateurCharts = (() => {
  'use strict';

  const report = JSON.parse(document.getElementById('report-data').textContent);
  const root = document.documentElement;
  const prefersDark = window.matchMedia('(prefers-color-scheme: dark)');
  const drawn = new Map();
  let figuresById = {};

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
    pointStyle: MARKERS[(index + Math.floor(index / 6)) % 6],
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

  // Without labels, data are points {x, y, name}.
  const config = (type, labels, datasets, x, y, more = {}) => ({
    type,
    data: labels ? { labels, datasets } : { datasets },
    options: {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      interaction: labels ? { mode: 'index', intersect: false } : { mode: 'nearest' },
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
            label: (item) => {
              const name = item.raw && item.raw.name ? `, ${item.raw.name}` : '';
              return `${item.dataset.label}${name}: ${(more.format || figures)(item.parsed.y)}`;
            },
          },
        },
      },
    },
  });

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
      const x = c.options.scales.x.title.text;
      const names = c.data.labels ? [x, ...c.data.datasets.map((d) => d.label)]
        : ['Series', 'Point', x, c.options.scales.y.title.text];
      names.forEach((name) => {
        const th = document.createElement('th');
        th.scope = 'col';
        th.textContent = name;
        head.append(th);
      });
      const caption = table.createCaption();
      caption.textContent = [own, c.options.scales.y.title.text].filter(Boolean).join(': ');
      const body = table.createTBody();
      const addRow = (label, cells) => {
        const row = body.insertRow();
        const th = document.createElement('th');
        th.scope = 'row';
        th.textContent = label;
        row.append(th);
        cells.forEach((cell) => { row.insertCell().textContent = cell; });
      };
      if (c.data.labels) {
        c.data.labels.forEach((label, i) =>
          addRow(label, c.data.datasets.map((d) => figures(d.data[i], 6))));
      } else {
        c.data.datasets.forEach((d) => d.data.forEach((p) =>
          addRow(d.label, [p.name || '', figures(p.x, 6), figures(p.y, 6)])));
      }
      box.append(table);
      details.append(box);
    });
  }

  function drawAll() {
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    Object.entries(figuresById).forEach(([id, spec]) => {
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

  // Draws the page's figures: by element id, what controls and charts each has.
  function start(specs) {
    figuresById = specs;
    Object.entries(figuresById).forEach(([id, spec]) => {
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
  }

  return {
    report, percent, figures, bytes, unique, usual, ink, line, bar, reference, axis, logAxis,
    config, choice, start,
  };
})();
