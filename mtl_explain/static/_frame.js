// The frame that every view has: question, answer, controls, picture, reading line, foot; and what goes with it: theme, width, keys, table, saving.
import {TOKENS, parse, hex, contrast} from './_colour.js';
import {html, svg, rich, measure} from './_draw.js';
import {plain, withUnit} from './_words.js';

const NARROW = 560, LARGE = 1.4; // px of width below which there is little room; times the usual size of type from which it is large

export function isDark(el) {
  const at = el.closest('[data-jp-theme-light]');
  return at ? at.getAttribute('data-jp-theme-light') === 'false' : matchMedia('(prefers-color-scheme: dark)').matches;
}
export function readTheme(root) {
  const name = isDark(root) ? 'dark' : 'light', tk = {...TOKENS[name]}, css = getComputedStyle(root);
  const jp = parse(css.getPropertyValue('--jp-layout-color0'));
  if (jp && root.closest('[data-jp-theme-light]') && contrast(hex(jp), tk.ink) > 10) tk.paper = hex(jp);
  root.dataset.theme = name;
  for (const [k, v] of Object.entries(tk)) root.style.setProperty('--mtl-' + k, v);
  const base = parseFloat(css.fontSize) || 13;
  return {name, tk, u: base/13, family: css.fontFamily, q: base*1.385, a: base*1.077, s2: base, s1: base*.923, s0: base*.846};
}
const typing = e => /^(INPUT|SELECT|TEXTAREA)$/.test(e.target.tagName);

/** `draw()` is called when width or theme change; `escape()` when Esc is pressed; `table()` -> {caption, head, rows}; `picture()` -> the svg to save */
export function frame({model, el, signal, label, hooks}) {
  const part = (cls, attrs = {}, tag = 'div') => html(tag, {class: 'mtl-' + cls, ...attrs});
  const f = {model, signal, width: 0, hooks, text: {question: [], answer: [], foot: []},
    question: part('q', {role: 'heading', 'aria-level': 3}), answer: part('a'), note: part('note', {hidden: true}), controls: part('controls'), chips: part('chips'), picture: part('picture'),
    card: part('card', {}, 'aside'), reading: part('reading', {role: 'status', 'aria-live': 'polite'}), panel: part('panel', {hidden: true}), foot: part('foot'), lines: part('lines'), buttons: part('buttons')};
  f.body = html('div', {class: 'mtl-body'}, html('div', {class: 'mtl-left'}, f.picture, f.reading), f.card);
  f.foot.append(f.lines, f.buttons); f.controls.append(f.chips);
  f.root = html('section', {class: 'mtl', 'aria-label': label, 'data-lm-suppress-shortcuts': 'true'}, f.question, f.answer, f.note, f.controls, f.body, f.panel, f.foot);
  el.append(f.root);
  f.theme = readTheme(f.root);
  f.say = parts => f.reading.replaceChildren(...rich(parts));
  f.set = (name, parts) => { f.text[name] = parts; f[name].replaceChildren(...rich(parts)); };
  f.setFoot = lines => { f.text.foot = lines; f.lines.replaceChildren(...lines.map(x => html('div', {}, rich(x)))); };
  f.narrow = () => f.width < NARROW*f.theme.u;
  f.large = () => f.theme.u >= LARGE;
  f.canType = typing;
  addButtons(f); addFold(f); addKeys(f); watch(f);
  if (model.host) embed(f, model.host); else announce(f);
  return f;
}

/** A live view says that it is there, so that the kernel-less one beside it can go */
function announce({model, root}) {
  const key = model.isStatic ? '' : model.get('_key'); if (!key) return;
  root.dataset.mtlOf = key; window.dispatchEvent(new CustomEvent('mtl-live', {detail: key}));
}
/** A view inside a page of views: question, answer, evidence, picture and reading line stay, the page has the rest. `host.adopt(f)` is told about it */
function embed(f, host) {
  const {say, setFoot} = f, sayEvidence = html('div', {class: 'mtl-beside mtl-muted'}); f.answer.after(sayEvidence); f.root.classList.add('mtl-part');
  f.say = parts => say(parts.length === 1 && parts[0].m ? [] : parts); // how to use a view is said once, by the page
  f.setFoot = lines => { setFoot(lines); const line = lines.at(-2) ?? [], bold = [].concat(line).find(x => x?.b); sayEvidence.replaceChildren(...rich(bold ? bold.b : line)); host.changed?.(f); };
  host.adopt(f);
}
/** In large type controls and foot are folded away; one button brings them back */
function addFold(f) {
  const button = html('button', {type: 'button', class: 'mtl-button mtl-fold', 'aria-expanded': 'false', onclick: () => { const open = f.root.classList.toggle('mtl-open'); button.setAttribute('aria-expanded', open); button.textContent = open ? 'Fold away' : 'Controls and notes'; }}, 'Controls and notes');
  f.root.append(button);
}

function watch(f) {
  const suit = () => { f.root.classList.toggle('mtl-narrow', f.narrow()); f.root.classList.toggle('mtl-large', f.large()); f.finder?.setAttribute('placeholder', f.narrow() ? f.findShort : f.findLabel); };
  const redraw = () => { f.theme = readTheme(f.root); suit(); if (f.width > 0) f.hooks.draw(); };
  const sizes = new ResizeObserver(([e]) => { const w = Math.floor(e.contentRect.width); if (Math.abs(w - f.width) > 4) { f.width = w; redraw(); } else suit(); }); // a view measured itself with its 2 px of padding on each side: no reason to draw it twice
  const themes = new MutationObserver(redraw), media = matchMedia('(prefers-color-scheme: dark)');
  sizes.observe(f.root); themes.observe(document.documentElement, {attributes: true, subtree: true, attributeFilter: ['data-jp-theme-light']});
  media.addEventListener('change', redraw); f.redraw = redraw;
  f.signal?.addEventListener('abort', () => { sizes.disconnect(); themes.disconnect(); media.removeEventListener('change', redraw); clearTimeout(f.soon); });
}

function addKeys(f) {
  f.root.addEventListener('keydown', e => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    if (f.model.host) return; // the keys of a page are the page's
    if (e.key === 'Escape' && !typing(e)) { if (!f.panel.hidden) toggleTable(f, false); else f.hooks.escape?.(); }
    else if (e.key === '/' && !typing(e) && f.finder) f.finder.focus();
    else if (e.key === 't' && !typing(e) && f.hooks.table) toggleTable(f);
    else return;
    e.preventDefault(); e.stopPropagation();
  });
}

/** One of a few: buttons, or a menu where there is little room. Returns {el, set(value)} */
export function choice(f, label, options, pick) {
  const buttons = options.map(([value, text, why]) => html('button', {type: 'button', class: 'mtl-segment', 'data-value': value, title: why, onclick: () => pick(value)}, text));
  const menu = html('select', {class: 'mtl-menu', 'aria-label': label, onchange: e => pick(e.target.value)}, options.map(([value, text]) => html('option', {value}, text)));
  const at = html('div', {class: 'mtl-choice', role: 'group', 'aria-label': label}, html('span', {class: 'mtl-muted'}, label), html('div', {class: 'mtl-segments'}, buttons), menu);
  f.controls.append(at);
  return {el: at, set(value) { for (const b of buttons) b.setAttribute('aria-pressed', b.dataset.value === value); menu.value = value; },
    /** Offer these values alone */
    only(values) { for (const b of [...buttons, ...menu.options]) b.hidden = b.disabled = !values.includes(b.dataset.value ?? b.value); }};
}

/** One of many: a menu whose entries may change. Returns {el, fill(options), set(value)}; an option is [value, text] */
export function menu(f, label, pick) {
  const select = html('select', {class: 'mtl-menu mtl-many', 'aria-label': label, onchange: e => pick(e.target.value)}), at = html('label', {class: 'mtl-choice'}, html('span', {class: 'mtl-muted'}, label), select);
  let now = '';
  f.controls.append(at);
  return {el: at, set(value) { select.value = value; }, fill(options) {
    const key = JSON.stringify(options); if (key === now) return; now = key;
    select.replaceChildren(...options.map(([value, text]) => html('option', {value}, text)));
  }};
}

/** A slider for a share of what there is. Returns {el, set(mass, share, of)}: where it stands, what that is, and in words of what */
export function slider(f, label, pick, keys) {
  const input = html('input', {type: 'range', class: 'mtl-range', min: 5, max: 100, step: 1, 'aria-label': label}), said = html('span', {}), at = html('label', {class: 'mtl-choice mtl-slide'}, html('span', {class: 'mtl-muted'}, 'Show'), input, said);
  input.addEventListener('input', () => pick(+input.value/100)); input.addEventListener('keydown', e => { if (!e.ctrlKey && !e.metaKey && !e.altKey && keys[e.key]) { keys[e.key](); e.preventDefault(); e.stopPropagation(); } }); f.controls.append(at);
  return {el: at, set(mass, share, of) { input.value = Math.round(100*mass); said.textContent = `${withUnit(share)} of ${of}`; input.setAttribute('aria-valuetext', said.textContent); }};
}

/** Type to find: `look(text)` while typing, `take()` on Enter, `next(step)` on the arrows, `leave()` on Esc */
export function finder(f, label, short, {look, take, next, leave}) {
  const input = html('input', {type: 'text', class: 'mtl-find-field', placeholder: label, 'aria-label': label, spellcheck: 'false', autocomplete: 'off'});
  input.addEventListener('input', () => look(input.value));
  input.addEventListener('keydown', e => {
    if (e.key === 'Enter') { if (take()) input.value = ''; } else if (e.key === 'ArrowDown' || e.key === 'ArrowUp') next(e.key === 'ArrowDown' ? 1 : -1);
    else if (e.key === 'Escape') { input.value = ''; leave(); } else { e.stopPropagation(); return; }
    e.preventDefault(); e.stopPropagation();
  });
  Object.assign(f, {finder: input, findLabel: label, findShort: short});
  f.controls.append(html('label', {class: 'mtl-find', style: {'--mtl-find': `${Math.max(8.5, .56*label.length).toFixed(1)}em`}}, input, html('kbd', {'aria-hidden': 'true'}, '/')));
  return input;
}

/** What is pinned, each with a way to release it */
export function chips(f, items, release) {
  f.chips.replaceChildren(...items.map(({kind, parts, id}, i) => html('button', {type: 'button', class: 'mtl-chip', 'data-kind': kind, 'data-id': id, 'aria-label': `${kind}: ${plain(parts)} ✕${i === items.length - 1 ? ' Esc' : ''}, release`, onclick: () => release(kind, id)},
    html('b', {}, kind + ': ', rich(parts)), html('span', {class: 'mtl-muted', 'aria-hidden': 'true'}, ' ✕' + (i === items.length - 1 ? ' Esc' : '')))));
  f.chips.hidden = !items.length;
}

/** A state instead of a picture: empty or error */
export function instead(f, {kind, title, lines, code}) {
  f.root.dataset.state = kind;
  f.set('question', [title]); f.set('answer', lines[0] ?? []);
  const box = html('div', {class: 'mtl-instead', role: kind === 'error' ? 'alert' : undefined}, lines.slice(1).map(x => html('div', {}, rich(x))), code && html('pre', {}, html('code', {}, code)));
  f.picture.replaceChildren(box); f.card.hidden = f.controls.hidden = f.reading.hidden = f.foot.hidden = f.panel.hidden = true;
}
/** While numbers are on their way: nothing for 300 ms, then the layout in grey and its size in words */
export function waiting(f, words, paint) {
  f.controls.hidden = f.foot.hidden = f.card.hidden = true;
  const show = () => { f.root.dataset.state = 'loading'; f.set('question', []); f.set('answer', words); f.picture.replaceChildren(paint()); };
  if (f.root.dataset.state === 'loading') show(); else { clearTimeout(f.soon); f.soon = setTimeout(show, 300); f.root.dataset.state = 'soon'; }
}
export function usual(f) { clearTimeout(f.soon); if (!f.root.dataset.state) return; delete f.root.dataset.state; f.picture.replaceChildren(); f.card.hidden = f.controls.hidden = f.reading.hidden = f.foot.hidden = false; }

function addButtons(f) {
  const button = (text, key, act, attrs) => html('button', {type: 'button', class: 'mtl-button', onclick: act, ...attrs}, text, key && html('kbd', {'aria-hidden': 'true'}, key));
  f.tableButton = button('Table', 't', () => toggleTable(f), {'aria-expanded': 'false'});
  f.buttons.append(f.tableButton, button('Save PNG', '', () => save(f, 'png')), button('SVG', '', () => save(f, 'svg'), {'aria-label': 'Save SVG'}));
}
export function toggleTable(f, open = f.panel.hidden) {
  f.panel.hidden = !open; f.tableButton.setAttribute('aria-expanded', open);
  fillTable(f);
  if (open) { f.panel.tabIndex = 0; f.panel.focus(); } else f.hooks.refocus?.();
}
export function fillTable(f) {
  if (f.panel.hidden) { f.panel.replaceChildren(); return; }
  const one = ({caption, head, rows}) => html('table', {class: 'mtl-table'}, html('caption', {}, caption), html('thead', {}, html('tr', {}, head.map(x => html('th', {scope: 'col'}, html('bdi', {}, x))))),
    html('tbody', {}, rows.map(([first, ...rest]) => html('tr', {}, html('th', {scope: 'row'}, html('bdi', {}, first)), rest.map(x => html('td', {}, html('bdi', {}, x)))))));
  f.panel.replaceChildren(...[].concat(f.hooks.table()).map(one));
}

/** Parts -> pieces of text with a weight and a colour */
function pieces(parts, st) {
  return [].concat(parts).flatMap(x => typeof x === 'string' ? [{text: x, ...st}] : Array.isArray(x) ? pieces(x, st) : 'b' in x ? pieces(x.b, {...st, weight: 600}) : 'm' in x ? pieces(x.m, {...st, fill: st.muted})
    : 'i' in x ? [{text: x.i, ...st, italic: true}] : [{text: x.n, ...st}]);
}
/** Lines of pieces, broken at spaces, at most `width` px wide */
function breakLines(parts, width, st) {
  const lines = [[]]; let used = 0;
  for (const p of pieces(parts, st)) for (const word of p.text.split(/(?<=[ \n])/)) {
    const w = measure(word, p);
    if (used + measure(word.trimEnd(), p) > width && used > 0) { lines.push([]); used = 0; }
    const last = lines.at(-1).at(-1); // words of one style stay one piece of text
    if (last?.from === p) last.text += word; else lines.at(-1).push({...p, text: word, from: p});
    used += w;
  }
  return lines;
}

/** The whole view as one SVG: question, answer, picture, foot; text stays text, colours are written out */
export function exportSVG(f) {
  const {tk, family, q, a, s1, u} = f.theme, pic = f.hooks.picture(), pad = 16*u, w = Math.max(Math.min(f.width, 660*u), +pic.getAttribute('width') - 12*u), kids = []; let y = pad;
  const write = (parts, size, lead, weight, fill) => {
    for (const line of breakLines(parts, w, {size, weight, fill, muted: tk.muted, family})) {
      y += lead;
      kids.push(svg('text', {x: pad, y: y - lead*.25, 'font-size': size, 'xml:space': 'preserve'}, line.map(p => svg('tspan', {'font-weight': p.weight, fill: p.fill, 'font-style': p.italic ? 'italic' : undefined}, p.text))));
    }
  };
  write(f.text.question, q, 24*u, 650, tk.ink); write(f.text.answer, a, 20*u, 400, tk.ink); y += 12*u;
  const copy = pic.cloneNode(true); for (const x of copy.querySelectorAll('.mtl-overlay:not(.mtl-keep)')) x.remove();
  for (const x of [copy, ...copy.querySelectorAll('*')]) for (const n of ['tabindex', 'class', 'role', 'style']) x.removeAttribute(n);
  copy.setAttribute('x', pad - 6*u); copy.setAttribute('y', y); kids.push(copy); y += +pic.getAttribute('height') + 12*u;
  kids.push(svg('line', {x1: pad, x2: pad + w, y1: y, y2: y, stroke: tk.line})); y += 6*u;
  for (const line of f.text.foot) write(line, s1, 18*u, 400, tk.ink);
  const W = w + 2*pad, H = y + pad;
  return svg('svg', {xmlns: 'http://www.w3.org/2000/svg', width: W, height: H, viewBox: `0 0 ${W} ${H}`, 'font-family': family, style: {'font-variant-numeric': 'tabular-nums'}}, svg('rect', {width: W, height: H, fill: tk.paper}), kids);
}
function download(blob, name) {
  const url = URL.createObjectURL(blob), a = html('a', {href: url, download: name});
  document.body.append(a); a.click(); a.remove(); setTimeout(() => URL.revokeObjectURL(url), 5000);
}
async function save(f, kind) {
  const node = exportSVG(f), text = new XMLSerializer().serializeToString(node), name = (f.hooks.fileName ?? 'view') + '.' + kind;
  if (kind === 'svg') return download(new Blob([text], {type: 'image/svg+xml'}), name);
  const img = new Image(), scale = 2; img.src = 'data:image/svg+xml;charset=utf-8,' + encodeURIComponent(text); await img.decode();
  const canvas = html('canvas', {width: Math.ceil(node.getAttribute('width')*scale), height: Math.ceil(node.getAttribute('height')*scale)});
  const c = canvas.getContext('2d'); c.scale(scale, scale); c.drawImage(img, 0, 0);
  download(await new Promise(done => canvas.toBlob(done, 'image/png')), name);
}
