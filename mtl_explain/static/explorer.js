// Explorer: four views of one result as one page. They are pinned together, and what is pinned stands in one bar on top.
import * as map from './concept_map.js';
import * as flow from './concept_flow.js';
import * as compare from './task_compare.js';
import * as person from './attributions.js';
import {count, many, thousands, capital, middle, oneLine, list, plain} from './_words.js';
import {svg, html, rich, refill} from './_draw.js';
import {frame, menu, finder, chips, instead, usual, fillTable, exportSVG} from './_frame.js';

const VIEWS = {map, flow, compare, person};
/** What all views have in common; everything else is a view's own */
export const SHARED = ['concepts', 'tasks', 'variables', 'features', 'targets', 'samples', 'explainer', 'names'];
const KINDS = {concepts: 'concept', tasks: 'task', variables: 'variable', features: 'feature', targets: 'target', samples: 'row'}, TRAITS = Object.fromEntries(Object.entries(KINDS).map(([k, v]) => [v, k]));
/** From this width on there are two columns, each wide enough for the margins of the map and the ribbons of the flow */
export const TWO = 1160;

// ---- one state, seen by each view as a model of its own (pure but for the page's model) ----

/** What was sent, each piece once -> labels and arrays of one view */
export function assemble(info, arrays, key) {
  const view = info.views[key];
  return {info: Object.fromEntries(Object.entries(view.info).map(([k, i]) => [k, info.pool[i]])), arrays: Object.fromEntries(Object.entries(view.arrays).map(([k, i]) => [k, arrays[i]]))};
}
/** A view's model: what is shared comes from the page and goes to it, what is the view's own stays here. Changes reach the view once, however many there are: `later(f)` says when */
export class Part {
  constructor(page, key, host, later = f => f()) {
    Object.assign(this, {page, key, host, later, ears: new Map(), heard: new Map(), due: new Set(), own: {...(page.get('_info').views[key].state)}});
    this.isStatic = !!page.isStatic;
  }
  sent() { // the same objects as long as the page's are the same: a view may remember what it made of them
    const info = this.page.get('_info'), arrays = this.page.get('_arrays');
    if (this.was?.info !== info || this.was?.arrays !== arrays) { const made = info.views?.[this.key] ? assemble(info, arrays ?? {}, this.key) : {info: {}, arrays: {}}; this.was = {info, arrays, made: {...made, info: {...made.info, carries: info.carries, bare: info.bare}}}; }
    return this.was.made;
  }
  get(k) { return k === '_info' ? this.sent().info : k === '_arrays' ? this.sent().arrays : SHARED.includes(k) ? this.page.get(k) : this.own[k]; }
  set(k, v) {
    if (SHARED.includes(k)) { this.page.set(k, v); return; }
    if (Object.is(this.own[k], v)) return;
    this.own[k] = v; for (const f of this.heard.get('change:' + k) ?? []) f();
  }
  save_changes() { this.page.save_changes(); }
  send() {}
  on(names, f) {
    if (!this.ears.has(f)) this.ears.set(f, () => { const first = !this.due.size; this.due.add(f); if (first) this.later(() => { const all = [...this.due]; this.due.clear(); for (const g of all) g(); }); });
    const ear = this.ears.get(f);
    for (const n of names.split(/\s+/)) { const k = n.replace('change:', ''); if (k.startsWith('_') || SHARED.includes(k)) this.page.on(n, ear); else this.heard.set(n, [...(this.heard.get(n) ?? []), ear]); }
    return this;
  }
  off(names, f) {
    const ear = this.ears.get(f);
    for (const n of names.split(/\s+/)) { this.page.off(n, ear); this.heard.set(n, (this.heard.get(n) ?? []).filter(x => x !== ear)); }
    this.due.delete(f); return this;
  }
}

// ---- pins ----

/** What is pinned, in the order in which it was pinned: [{trait, id}]; `before` is the last such list */
export function pinsOf(get, before = []) {
  const now = Object.keys(KINDS).flatMap(trait => (get(trait) ?? []).map(id => ({trait, id}))), is = a => b => a.trait === b.trait && a.id === b.id;
  return [...before.filter(p => now.some(is(p))), ...now.filter(p => !before.some(is(p)))];
}
/** A pin as a part of a sentence */
export function naming({trait, id}, about, names = {}, n = 28) {
  if (trait === 'concepts') { const own = names[id], tip = about.suggested?.[id]; return own ? {n: middle(oneLine(own), n)} : tip ? {i: `${id} ${middle(oneLine(tip), n)}`} : {n: id}; }
  return {n: middle(oneLine(trait === 'variables' ? about.variables?.[id] ?? id : id), n)};
}
/** What the values of the shared traits are called: suggested names by concept, labels by variable */
export function about(info) {
  const of = k => { const v = info.views[k]; return v ? Object.fromEntries(Object.entries(v.info).map(([name, i]) => [name, info.pool[i]])) : null; }, f = of('flow') ?? of('compare'), m = of('map'), p = of('person'), zip = (a, b) => Object.fromEntries(a.map((x, i) => [x, b[i]]));
  return {suggested: f?.suggested ?? (m ? zip(m.concepts, m.suggested) : p?.suggested ?? {}), variables: f ? zip(f.variables, f.labels) : {}, concepts: m?.concepts ?? f?.concepts ?? [], tasks: m?.columns ?? f?.tasks ?? p?.tasks.map(x => x.name) ?? []};
}
export const question = n => n === 1 ? 'What did this task learn?' : `What did these ${count(n)} tasks learn to share?`;

/** Everything that has the text in its name: [{trait, id, parts, kind}], each once */
export function matches(parts, text) {
  const out = new Map(), add = (kind, id, parts) => { const trait = TRAITS[kind]; if (trait && !out.has(trait + '\0' + id)) out.set(trait + '\0' + id, {trait, id, parts, kind}); };
  if (!text.trim()) return [];
  const get = p => k => p.get(k);
  if (parts.flow) for (const m of flow.matches(flow.read(get(parts.flow)), text)) add(m.kind, m.id, m.parts);
  else if (parts.map) { const d = map.read(get(parts.map)); for (const k of map.matches(d, text)) add('concept', d.concepts[k], [map.naming(d, k)]); }
  if (parts.person) for (const m of person.matches(person.read(get(parts.person)), text)) add(m.kind, m.id, m.parts);
  return [...out.values()];
}
/** The trait after a pin: tasks, rows and targets gather, the last is shown; of the others the last stays */
export function pinned(get, {trait, id}) { const now = (get(trait) ?? []).filter(x => x !== id); return ['tasks', 'samples', 'targets'].includes(trait) ? [...now, id] : [id]; }

// ---- the page ----

function render({model, el, signal}) {
  const st = {pins: [], found: null, foundAt: 0, parts: {}, frames: {}, active: null, two: null, waiting: []};
  const set = (k, v) => { model.set(k, v); model.save_changes(); };
  const f = frame({model, el, signal, label: 'Explorer', hooks: {draw, escape: release, table: () => shown().map(k => st.frames[k].hooks.table()), picture, refocus() {}, fileName: 'explorer'}});
  f.root.classList.add('mtl-explorer'); f.answer.hidden = f.card.hidden = f.reading.hidden = true; f.question.setAttribute('aria-level', 2);
  const whoAt = menu(f, 'Explainer', v => set('explainer', v)), more = html('details', {class: 'mtl-more'}, html('summary', {}, 'All notes of the views'), html('div', {})), hint = html('span', {class: 'mtl-muted mtl-hint', role: 'status', 'aria-live': 'polite'});
  finder(f, 'Find a task, concept, variable or row', 'Find', {look, next, take, leave() { look(''); f.finder.blur(); }});
  const largeAt = html('button', {type: 'button', class: 'mtl-button', 'aria-pressed': 'false', onclick: () => set('large', !model.get('large'))}, 'Large type'), saveAt = html('button', {type: 'button', class: 'mtl-button', onclick: () => model.send({save: true})}, 'Save page');
  f.controls.append(hint, html('span', {class: 'mtl-right'}, largeAt, saveAt));
  const column = () => html('div', {class: 'mtl-column'}), left = column(), right = column(), box = {}, cardTitle = html('div', {class: 'mtl-q', role: 'heading', 'aria-level': 3}), cardSays = html('div', {class: 'mtl-beside mtl-muted'});
  f.picture.classList.add('mtl-columns'); f.picture.append(left, right);

  const shown = () => Object.keys(VIEWS).filter(k => st.frames[k]), get = k => model.get(k);
  function look(text) { st.found = text.trim() ? matches(st.parts, text) : null; st.foundAt = 0; tell(); }
  function next(by) { if (!st.found?.length) return; st.foundAt = (st.foundAt + by + st.found.length) % st.found.length; tell(); }
  function tell() { const m = st.found?.[st.foundAt]; refill(hint, rich(!st.found ? [`A click in any view pins in all${model.get('large') ? '' : '. Esc releases'}.`] : m ? [`${thousands(st.foundAt + 1)} of ${thousands(st.found.length)} found: ${m.kind} `, {b: m.parts}, '. Enter pins it, arrows go on.'] : ['Nothing here has that in its name.'])); }
  function take() { const m = st.found?.[st.foundAt]; if (!m) return false; look(''); set(m.trait, pinned(get, m)); return true; }
  function drop({trait, id}) { set(trait, (model.get(trait) ?? []).filter(x => x !== id)); }
  function release() { if (st.found) { f.finder.value = ''; look(''); return; } const last = pinsOf(get, st.pins).at(-1); if (last) drop(last); }

  /** The view under the hand is drawn at once, the others one after the other when the browser has time */
  function later(key) { return run => { if (st.active === key) queueMicrotask(() => { if (!signal?.aborted) run(); }); else queue(run); }; }
  function queue(run) { st.waiting.push(run); if (st.waiting.length === 1) painted(pump); }
  function pump() { const run = st.waiting[0]; if (!run || signal?.aborted) return; try { run(); } finally { st.waiting.shift(); if (st.waiting.length) painted(pump); } }
  /** After the next frame, or soon where there is none */
  function painted(run) { // a timer that is left running would hold a closed page for as long
    const stop = () => { cancelAnimationFrame(frame); clearTimeout(timer); signal?.removeEventListener('abort', stop); }, go = () => { stop(); setTimeout(run); };
    const frame = requestAnimationFrame(go), timer = setTimeout(go, 1000); signal?.addEventListener('abort', stop);
  }

  function start() {
    for (const key of Object.keys(VIEWS)) if (model.get('_info').views[key]) {
      box[key] = html('div', {class: `mtl-panel-of mtl-of-${key}`});
      for (const on of ['pointerdown', 'keydown', 'focusin']) box[key].addEventListener(on, () => { st.active = key; }, {capture: true});
      left.append(box[key]); // in the page before it is drawn, so that it can be measured
      st.parts[key] = new Part(model, key, {adopt(g) { st.frames[key] = g; g.hooks.refocus ??= () => {}; if (key === 'map') adoptCard(g); }, changed: () => soon()}, later(key));
    }
    arrange();
    Object.keys(st.parts).forEach((key, i) => { const run = () => VIEWS[key].default.render({model: st.parts[key], el: box[key], signal}); if (i) queue(run); else run(); }); // the first is there at once
  }
  function adoptCard(g) { box.card = html('div', {class: 'mtl-panel-of mtl-of-card'}, cardTitle, cardSays, g.card); box.card.addEventListener('keydown', () => { st.active = 'map'; }, {capture: true}); arrange(true); }
  /** What concepts are on the left, what they do on the right; in one column map, card, flow, compare, person */
  function arrange(again = false) {
    f.root.classList.toggle('mtl-slim-page', f.width < 900*f.theme.u);
    const two = f.width >= TWO*f.theme.u; if (two === st.two && !again) return; st.two = two;
    const some = keys => keys.map(k => box[k]).filter(Boolean), at = (col, keys) => some(keys).forEach((b, i) => { if (col.children[i] !== b) col.insertBefore(b, col.children[i] ?? null); });
    right.hidden = !two;
    if (two) { at(right, ['flow', 'person']); at(left, ['map', 'card', 'compare']); } else at(left, ['map', 'card', 'flow', 'compare', 'person']);
  }
  const soon = (() => { let due = false; return () => { if (!due) { due = true; queueMicrotask(() => { due = false; if (!signal?.aborted) notes(); }); } }; })();
  /** The foot: what is shown, in one line; all that the views say about themselves, on demand */
  function notes() {
    const a = st.about, keys = shown(), foots = keys.map(k => st.frames[k]?.text.foot ?? []), i = keys.indexOf('flow'), routes = foots[i]?.[0]?.find?.(x => x?.b)?.b, sources = [...new Set(foots.map(l => plain(l.at(-1) ?? [])).filter(Boolean))];
    f.setFoot([[{b: 'Shown:'}, ` ${many(a.tasks.length, 'task')}${a.concepts.length ? `, ${many(a.concepts.length, 'concept')}` : ''}. `, routes ? [routes, ' '] : '', ...(a.missing.length ? [{b: 'Not shown:'}, ' ', ...list(a.missing.map(([k, why]) => `${TITLE[k]} (${why})`)), '.'] : [])], [{m: sources.join(' · ')}]]);
    more.lastChild.replaceChildren(...keys.map((k, j) => html('div', {}, html('b', {}, plain(st.frames[k].text.question)), foots[j].slice(0, -1).map(l => html('div', {}, rich(l))))));
    f.lines.append(more); fillTable(f);
  }
  function draw() {
    if (!f.width) return;
    const info = model.get('_info') ?? {};
    if (info.instead) { instead(f, info.instead); return; }
    if (!info.views) return;
    usual(f); f.answer.hidden = f.card.hidden = f.reading.hidden = true;
    st.about = {...about(info), missing: Object.keys(TITLE).filter(k => info.missing?.[k]).map(k => [k, info.missing[k]])};
    const large = !!model.get('large'), names = model.get('names') ?? {};
    if ((f.root.style.getPropertyValue('--mtl-scale') || '1') !== (large ? '1.6' : '1')) { f.root.style.setProperty('--mtl-scale', large ? '1.6' : '1'); f.redraw(); for (const g of Object.values(st.frames)) g.redraw?.(); return; }
    largeAt.textContent = large ? 'Usual type' : 'Large type'; largeAt.setAttribute('aria-pressed', large); saveAt.hidden = !!model.isStatic;
    f.note.hidden = !model.isStatic; if (model.isStatic) f.note.replaceChildren(html('span', {'aria-hidden': 'true'}, '◇'), html('span', {}, rich([{b: 'Saved page, no kernel.'}, ` Hover, pin, find and table work, and the views stay linked; names you type stay in this tab. ${info.carries}`])));
    f.set('question', [question(st.about.tasks.length)]);
    st.pins = pinsOf(get, st.pins);
    chips(f, st.pins.map(p => ({kind: KINDS[p.trait], id: p.id, parts: [naming(p, st.about, names, 20)]})), (kind, id) => { drop({trait: TRAITS[kind], id}); f.finder.focus({preventScroll: true}); });
    const able = info.explainers ?? []; whoAt.el.hidden = able.length < 2; whoAt.fill(able.map(x => [x, middle(oneLine(x), 32)])); whoAt.set(model.get('explainer'));
    if (!st.found) tell();
    const last = st.pins.filter(p => p.trait === 'concepts' && st.about.concepts.includes(p.id)).at(-1);
    refill(cardTitle, rich(last ? ['What does ', naming(last, st.about, names, 40), ' stand for?'] : ['What does a concept stand for?'])); cardSays.textContent = last ? 'the pinned concept’s card' : 'pin one';
    arrange(); if (!st.started) { st.started = true; start(); }
  }
  /** All views on one sheet, as they stand on the page */
  function picture() {
    const sheets = key => exportSVG(st.frames[key]), cols = st.two ? [['map', 'compare'], ['flow', 'person']] : [['map', 'flow', 'compare', 'person']]; let x = 0, H = 0; const kids = [];
    for (const keys of cols) { let y = 0, w = 0; for (const k of keys) if (st.frames[k]) { const s = sheets(k), sw = +s.getAttribute('width'); s.setAttribute('x', x); s.setAttribute('y', y); kids.push(s); y += +s.getAttribute('height') + 8; w = Math.max(w, sw); } x += w + 8; H = Math.max(H, y); }
    return svg('svg', {width: Math.ceil(x), height: Math.ceil(H)}, kids);
  }
  const watched = [...SHARED, 'large', '_info', '_arrays'].map(n => 'change:' + n);
  const take_ = m => { if (m?.page) { const url = URL.createObjectURL(new Blob([m.page], {type: 'text/html'})), a = html('a', {href: url, download: m.name}); a.click(); setTimeout(() => URL.revokeObjectURL(url), 5000); } };
  for (const n of watched) model.on(n, draw);
  model.on('msg:custom', take_);
  signal?.addEventListener('abort', () => { for (const n of watched) model.off(n, draw); model.off('msg:custom', take_); });
  if (el.isConnected) f.width = Math.floor(f.root.getBoundingClientRect().width);
  draw();
}
const TITLE = {map: 'concept map', flow: 'concept flow', compare: 'comparison of two tasks', person: 'attributions'};
export default {render};
