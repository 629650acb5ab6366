"Checks that run inside a page: what must hold for every view. Each is the text of a JavaScript function."

# Every piece of text that overlaps another one, leaves its picture or its view, or is cut off; [] if there is none. Turned text counts with its turned box.
LABELS = r'''() => {
  const bad = [], short = s => s.trim().replace(/\s+/g, ' ').slice(0, 60);
  const poly = (x, y, w, h, m) => [[x, y], [x + w, y], [x + w, y + h], [x, y + h]].map(([a, b]) => m ? [m.a*a + m.c*b + m.e, m.b*a + m.d*b + m.f] : [a, b]);
  const span = (p, [x, y]) => { const v = p.map(q => q[0]*x + q[1]*y); return [Math.min(...v), Math.max(...v)]; };
  const apart = (p, q) => [p, q].some(r => r.some((a, i) => { const b = r[(i + 1) % 4], n = [a[1] - b[1], b[0] - a[0]], [l, h] = span(p, n), [l2, h2] = span(q, n); return h <= l2 || h2 <= l; }));
  const inner = (x, y, w, h) => [x + 1, y + h*.22, Math.max(0, w - 2), h*.56]; // letters do not fill their line, and may touch
  const shown = e => { const s = getComputedStyle(e); return e.checkVisibility() && s.visibility !== 'hidden' && s.display !== 'none' && +s.opacity > .05; };
  for (const root of document.querySelectorAll('.mtl')) {
    const edge = root.getBoundingClientRect(), boxes = []; if (!edge.width) continue;
    for (const t of root.querySelectorAll('.mtl-picture svg text')) {
      if (!t.textContent.trim() || t.closest('.mtl-marks') || !shown(t)) continue;
      const b = t.getBBox(), m = t.getScreenCTM(); if (!b.width || !m) continue;
      boxes.push([t.textContent, poly(...inner(b.x, b.y, b.width, b.height), m), t]);
      const svg = t.ownerSVGElement.getBoundingClientRect(), all = poly(b.x + 1, b.y + b.height*.2, b.width - 2, b.height*.6, m), [l, r] = span(all, [1, 0]), [u, d] = span(all, [0, 1]);
      if (l < svg.left - 2 || r > svg.right + 2 || u < svg.top - 2 || d > svg.bottom + 2) bad.push(`outside its picture: ${short(t.textContent)}`);
    }
    const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    for (let n; (n = walk.nextNode());) {
      const e = n.parentElement; if (!n.data.trim() || !e || e.closest('svg, .mtl-panel, option, script, style') || !shown(e)) continue;
      const range = document.createRange(); range.selectNodeContents(n);
      for (const r of range.getClientRects()) {
        let [l, t, R, B] = [r.left, r.top, r.right, r.bottom];
        for (let p = e; p !== root; p = p.parentElement) { const s = getComputedStyle(p); if (s.overflowX === 'visible') continue; const q = p.getBoundingClientRect();
          if (s.textOverflow !== 'ellipsis' && s.overflowX !== 'auto' && (l < q.left - 2 || R > q.right + 2)) bad.push(`cut off: ${short(n.data)}`);
          l = Math.max(l, q.left); t = Math.max(t, q.top); R = Math.min(R, q.right); B = Math.min(B, q.bottom); }
        if (R - l < 2 || B - t < 2) continue;
        if (l < edge.left - 2 || R > edge.right + 2 || B > edge.bottom + 2) bad.push(`outside its view: ${short(n.data)}`);
        boxes.push([n.data, poly(...inner(l, t, R - l, B - t)), n]);
      }
    }
    for (const e of root.querySelectorAll('button, .mtl-q, .mtl-a, .mtl-lines, .mtl-note, .mtl-reading')) if (e.clientWidth && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).textOverflow !== 'ellipsis') bad.push(`too wide for its place: ${short(e.textContent)}`);
    const rows = boxes.map(([s, p, n]) => [s, p, ...span(p, [0, 1]), n]).sort((a, b) => a[2] - b[2]);
    for (let i = 0; i < rows.length; i++) for (let j = i + 1; j < rows.length && rows[j][2] < rows[i][3]; j++)
      if (rows[i][4] !== rows[j][4] && !apart(rows[i][1], rows[j][1])) bad.push(`${short(rows[i][0])} | ${short(rows[j][0])}`);
  }
  if (document.querySelector('.mtl') && !document.querySelector('.jp-Notebook') && document.documentElement.scrollWidth > innerWidth) bad.push(`the page is ${document.documentElement.scrollWidth} px wide in a window of ${innerWidth}`);
  return [...new Set(bad)];
}'''

# Text in pictures that has less than 4.5 : 1 contrast to what is painted under it; [] if there is none (axe-core looks at text outside of pictures)
CONTRAST = r'''() => {
  const rgb = c => (m => m ? [m[1], m[2], m[3], m[4] ?? 1].map(Number) : null)(/^rgba?\(([\d.]+), ([\d.]+), ([\d.]+)(?:, ([\d.]+))?\)$/.exec(c)), over = (a, b, t) => a.slice(0, 3).map((x, i) => b[i] + (x - b[i])*t);
  const light = c => c.slice(0, 3).map(x => x/255).map(x => x <= .04045 ? x/12.92 : ((x + .055)/1.055)**2.4).reduce((s, x, i) => s + x*[.2126, .7152, .0722][i], 0), ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + .05)/(y + .05); };
  const strength = e => { let o = 1; for (let p = e; p && !p.matches('.mtl'); p = p.parentElement) o *= +getComputedStyle(p).opacity; return o; };
  const bad = [];
  for (const root of document.querySelectorAll('.mtl')) for (const svg of root.querySelectorAll('.mtl-picture svg')) {
    const paper = rgb(getComputedStyle(root).backgroundColor), all = [...svg.querySelectorAll('rect, path, circle, ellipse, polygon, text, tspan')].filter(e => !e.closest('defs, pattern, clipPath, .mtl-marks'));
    const shapes = all.map((e, i) => [e, i]).filter(([e]) => !/^(text|tspan)$/.test(e.tagName)).map(([e, i]) => { const s = getComputedStyle(e), c = rgb(s.fill); return c && c[3] && {e, i, c, t: c[3]*s.fillOpacity*strength(e), b: e.getBoundingClientRect()}; }).filter(x => x && x.t > .01);
    all.forEach((t, at) => {
      if (!/^(text|tspan)$/.test(t.tagName) || ![...t.childNodes].some(n => n.nodeType === 3 && n.data.trim())) return;
      const s = getComputedStyle(t), ink = rgb(s.fill), b = t.getBoundingClientRect(); if (!ink || !b.width || s.visibility === 'hidden') return;
      const x = b.left + b.width/2, y = b.top + b.height/2, halo = rgb(s.stroke); let ground = paper;
      if (halo && s.paintOrder.startsWith('stroke') && parseFloat(s.strokeWidth) >= 2) ground = halo;
      else for (const q of shapes) if (q.i < at && x >= q.b.left && x <= q.b.right && y >= q.b.top && y <= q.b.bottom) { const m = q.e.getScreenCTM().inverse(), p = svg.createSVGPoint(); p.x = x; p.y = y; if (q.e.isPointInFill(p.matrixTransform(m))) ground = over(q.c, ground, q.t); }
      const k = ratio(over(ink, ground, ink[3]*s.fillOpacity*strength(t)), ground); if (k < 4.49) bad.push(`${k.toFixed(2)} : 1, ${t.textContent.trim().slice(0, 60)}`);
    });
  }
  return [...new Set(bad)];
}'''

# Text and attributes that no reader should meet: the traces of a number that is none, or of an object that was written as text
TRACES = r'''() => [...[...document.querySelectorAll('.mtl-picture, .mtl-lines, .mtl-q, .mtl-a, .mtl-panel, .mtl-reading, .mtl-controls, .mtl-card')].map(e => e.textContent).filter(s => /\bNaN\b|undefined|\[object|Infinity/.test(s)).map(s => s.slice(0, 200)),
  ...[...document.querySelectorAll('.mtl-picture svg *')].filter(e => [...e.attributes].some(a => !/^(aria-label|data-)/.test(a.name) && /NaN|undefined|Infinity/.test(a.value))).map(e => e.outerHTML.slice(0, 200)),
  ...[...document.querySelectorAll('[data-mtl]')].map(e => e.textContent).filter(s => s.startsWith('This view could not be started'))]'''

# Counts what is held on to from now on by scripts that came from a blob, as every view does: `held()` tells what is left
HOLDS = r'''() => {
  if (window.held) return;
  const live = new Map(), ours = () => new Error().stack.includes('blob:'), key = (...a) => a.join(' '), ids = new WeakMap(); let next = 0;
  const id = o => { if (!ids.has(o)) ids.set(o, ++next); return ids.get(o); }, name = o => o === window ? 'window' : o === document ? 'document' : o.constructor.name;
  const wide = o => !(o instanceof Element) || o === document.documentElement || o === document.body, add = EventTarget.prototype.addEventListener, remove = EventTarget.prototype.removeEventListener;
  EventTarget.prototype.addEventListener = function (type, f, how) {
    const t = this ?? window;
    if (f && wide(t) && !(t instanceof AbortSignal) && ours()) { const k = key('listener', id(t), type, id(f), !!(how?.capture ?? how)); live.set(k, `${type} on ${name(t)}`); if (how?.signal) add.call(how.signal, 'abort', () => live.delete(k)); }
    return add.call(t, type, f, how);
  };
  EventTarget.prototype.removeEventListener = function (type, f, how) { const t = this ?? window; if (f) live.delete(key('listener', id(t), type, id(f), !!(how?.capture ?? how))); return remove.call(t, type, f, how); };
  for (const n of ['ResizeObserver', 'MutationObserver', 'IntersectionObserver']) {
    const Was = window[n];
    window[n] = class extends Was {
      observe(...a) { if (ours()) live.set(key(n, id(this)), n); return super.observe(...a); }
      disconnect() { live.delete(key(n, id(this))); return super.disconnect(); }
    };
  }
  const every = window.setInterval, stop = window.clearInterval, frame = window.requestAnimationFrame, cancel = window.cancelAnimationFrame;
  window.setInterval = (...a) => { const i = every(...a); if (ours()) live.set(key('timer', i), 'setInterval'); return i; };
  window.clearInterval = i => { live.delete(key('timer', i)); return stop(i); };
  window.requestAnimationFrame = f => { const mine = ours(), i = frame(t => { live.delete(key('frame', i)); f(t); }); if (mine) live.set(key('frame', i), 'requestAnimationFrame'); return i; };
  window.cancelAnimationFrame = i => { live.delete(key('frame', i)); return cancel(i); };
  window.held = () => [...live.values()].sort();
}'''

# Renders the view of a saved page anew, `times` times, each with a model of its own (or all with one), closes it again, and counts listeners before, while it is there, and after
RENDER = r'''async ([shim, times, shared]) => {
  const module = text => { const url = URL.createObjectURL(new Blob([text], {type: 'text/javascript'})); return import(url).finally(() => URL.revokeObjectURL(url)); };
  const {StaticModel, revive} = await module(shim), {esm, state} = JSON.parse(document.querySelector('script[data-mtl-state]').textContent), {default: view} = await module(esm);
  const heard = m => [...m._listeners.values()].reduce((n, a) => n + a.length, 0), soon = () => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  const before = held().length, nodes = document.querySelectorAll('*').length, models = [], most = [], open = [];
  for (let i = 0; i < times; i++) {
    const model = shared && models[0] ? models[0] : new StaticModel(revive(state)), end = new AbortController(), el = document.createElement('div'); models.push(model); document.body.append(el);
    const clean = await view.render({model, el, signal: end.signal}); await soon();
    if (!el.querySelector('.mtl-picture > *')) throw new Error('nothing was drawn');
    most.push([held().length - before, heard(model)]); open.push([end, el, clean]);
    if (!shared) close();
  }
  function close() { const [end, el, clean] = open.pop(); clean?.(); end.abort(); el.remove(); }
  while (open.length) close();
  for (const m of models) for (const k of Object.keys(m._state)) if (!k.startsWith('_')) m._emit('change:' + k, m, m.get(k)); // nobody listens, so nothing happens
  await soon();
  return {most, left: held().slice(before), heard: models.map(heard), nodes: document.querySelectorAll('*').length - nodes};
}'''

# Does a text stand there, whole, or cut in its middle where a font is wide? At least half of it must be left.
READS = r'''([where, want]) => [...document.querySelectorAll(where)].some(e => { const s = e.textContent, i = s.indexOf('…'); return s.includes(want) || i >= 0 && 2*(s.length - 1) >= want.length && want.startsWith(s.slice(0, i)) && want.endsWith(s.slice(i + 1)); })'''
