// TaskCompare: what do two tasks share, where do they part? Concepts in the middle, a bar for each task outwards.
import {many, count, thousands, capital, percent, withUnit, interval, list, middle, oneLine, evidence, pValue, plain} from './_words.js';
import {svg, html, rich, text, measure, fit, hatch, whisker, pin, unpack, unique, put} from './_draw.js';
import {frame, choice, menu, finder, chips, instead, usual, fillTable} from './_frame.js';

/** Rows of concepts before the rest is summed; variables below an open concept */
export const MOST = {concepts: 24, variables: 5};

// ---- what was sent (pure) ----

/** The two tasks that are compared: the last two that are pinned; one alone brings its partner */
export function pairOf(tasks, info) {
  const at = [...new Set(tasks ?? [])].map(x => info.tasks.indexOf(x)).filter(i => i >= 0).slice(-2);
  return at.length === 2 ? at : at.length === 1 ? [at[0], info.partner[at[0]]] : info.pair;
}
/** The traits as one object; d.pair are the two tasks, d.set is the measure shown */
export function read(get) {
  const info = get('_info') ?? {}, d = {...info, ...unpack(get('_arrays')), names: get('names') ?? {}, width: get('width'), sort: get('sort') ?? 'shared'};
  if (info.instead || !info.sets) return d;
  [d.V, d.K, d.T] = [info.variables.length, info.concepts.length, info.tasks.length];
  let from = 0; d.sets = info.sets.map((s, i) => { const out = {...s, i, from, to: from + s.n}; from += s.n; return out; });
  const wanted = get('explainer') ?? '', able = d.sets.filter(s => s.measure !== 'attention');
  d.set = d.width === 'attention' || !able.length ? d.sets.at(-1) : able.find(s => s.explainer === wanted) ?? able[0];
  d.missing = d.set.measure !== 'attention' && wanted && d.set.explainer !== wanted ? wanted : '';
  d.effect = d.set.measure !== 'attention'; d.pair = pairOf(get('tasks'), info);
  const at = (ids, there) => (ids ?? []).map(x => there.indexOf(x)).filter(i => i >= 0);
  d.open = at(get('concepts'), d.concepts); d.marked = at(get('variables'), d.variables);
  return d;
}
const cell = (d, t, c) => (d.set.i*d.T + t)*d.K + c;
/** What a concept holds of a task, with its interval where it has one. kind: 'effect' | 'unclear' | 'zero' */
export function held(d, t, c) { const i = cell(d, t, c), share = d.held[i], se = d.held_se[i]; return {share: share > 0 ? share : 0, lo: share - 1.96*se, hi: share + 1.96*se, kind: !(share > 0) ? 'zero' : share - 1.96*se <= 0 ? 'unclear' : 'effect'}; }
export const rest = (d, t) => d.none[d.set.i*d.T + t];
/** Variables of task t that reach it through concept c, the widest first */
export function through(d, t, c) {
  const out = []; for (let r = d.set.from; r < d.set.to; r++) if (d.c[r] === c && d.of[d.v[r]] === t) out.push({v: d.v[r], flow: d.flow[r], se: d.se[r], sign: d.sign[d.set.i*d.V + d.v[r]]});
  return {list: out.sort((a, b) => b.flow - a.flow), count: d.routes[cell(d, t, c)]};
}

// ---- what the numbers say (pure) ----

/** What both get: the smaller share, added up over concepts */
export function overlap(d) { const [a, b] = d.pair; let sum = 0; for (let c = 0; c < d.K; c++) sum += Math.min(held(d, a, c).share, held(d, b, c).share); return sum; }
/** Interval, null and p of the overlap, where the tree has them for what is shown; {} where it has none, {other: true} where they belong to other numbers */
export function test(d) {
  if (!d.test?.length || !d.effect) return {};
  const [a, b] = d.pair, get = k => d[`test_${k}`] ? d[`test_${k}`][a*d.T + b] : NaN, own = overlap(d), all = Object.fromEntries(['overlap', 'low', 'high', 'null', 'null_low', 'null_high', 'p'].map(k => [k, get(k)]));
  if (!Number.isFinite(all.overlap)) return {};
  return Math.abs(all.overlap - own) > .02 ? {other: true} : all;
}
/** Concepts of the two tasks: {c, a, b, both, group}; group: 'both' | 'a' | 'b' | 'unclear' (no evidence in either) | 'none' */
export function compare(d) {
  const [ta, tb] = d.pair;
  return [...Array(d.K).keys()].map(c => { const a = held(d, ta, c), b = held(d, tb, c), [A, B] = [a, b].map(x => x.kind === 'effect');
    return {c, a, b, both: Math.min(a.share, b.share), group: A && B ? 'both' : A ? 'a' : B ? 'b' : a.kind === 'zero' && b.kind === 'zero' ? 'none' : 'unclear'}; });
}
/** Rows in their order, by group where that is the order, and what is summed. -> {groups: [{name, rows}], rest, hidden} */
export function arrange(d, most = MOST.concepts) {
  const all = compare(d), used = all.filter(x => x.group !== 'none'), big = x => Math.max(x.a.share, x.b.share), keep = new Set([...[...used].sort((x, y) => big(y) - big(x)).slice(0, most), ...used.filter(x => d.open.includes(x.c))]);
  if (used.length - keep.size === 1) used.forEach(x => keep.add(x));
  const rows = used.filter(x => keep.has(x)), left = used.filter(x => !keep.has(x)), hidden = all.length - used.length, open = all.filter(x => x.group === 'none' && d.open.includes(x.c));
  if (d.sort === 'name') return {groups: [{name: '', rows: rows.sort((x, y) => nameOf(d, x.c).localeCompare(nameOf(d, y.c), undefined, {numeric: true}) || x.c - y.c)}], rest: left, hidden};
  if (d.sort === 'largest') return {groups: [{name: '', rows: rows.sort((x, y) => big(y) - big(x) || x.c - y.c)}], rest: left, hidden};
  const by = {both: x => x.both, a: big, b: big, unclear: big};
  return {groups: Object.entries(by).map(([name, f]) => ({name, rows: rows.filter(x => x.group === name).sort((x, y) => f(y) - f(x) || x.c - y.c)})).filter(g => g.rows.length), rest: left, hidden, open};
}

export function naming(d, c, n = 28) { const id = d.concepts[c], own = d.names[id], tip = d.suggested[id]; return own ? {n: middle(oneLine(own), n)} : tip ? {i: `${id} ${middle(oneLine(tip), n)}`} : {n: id}; }
export const nameOf = (d, c) => plain(naming(d, c, 1e6));
const task = (d, i, n = 28) => ({n: middle(oneLine(d.tasks[d.pair[i]]), n)}), variable = (d, v, n = 32) => ({n: middle(oneLine(d.labels[v]), n)});
const whole = d => d.effect ? 'effect' : 'attention';
const range = (x, n = 1) => Number.isFinite(x.lo) && x.hi > x.lo ? ` (${interval(x.lo, x.hi)})` : '';
export const SAY = {1: ['+', 'raises the score', 'plus-text'], '-1': ['−', 'lowers the score', 'minus-text'], 2: ['±', 'no clear direction', 'muted'], 0: ['', 'direction not known', 'muted']};

export const question = d => d.pair ? ['What do ', task(d, 0), ' and ', task(d, 1), ' share, where do they part?'] : ['What do two tasks share, where do they part?'];
/** One sentence, names only as long as they fit */
export function answer(d) {
  const all = compare(d), x = overlap(d), t = test(d), both = all.filter(r => r.group === 'both').sort((p, q) => q.both - p.both), gap = r => Math.abs(r.a.share - r.b.share), part = all.filter(r => ['a', 'b', 'both'].includes(r.group) && gap(r) > .03).sort((p, q) => gap(q) - gap(p));
  const close = Number.isFinite(t.p) && t.p >= .05 ? ` No evidence that it is more than chance (${pValue(t.p)}).` : '';
  if (all.every(r => r.group === 'none')) return ['No concept moves either task.'];
  const head = d.effect ? `They share ${withUnit(x)} of what moves them` : `They share ${withUnit(x)} of their attention, which is not effect`;
  if (!both.length) return [`${head}: no concept moves both beyond doubt.`, close];
  const room = d.effect ? 3 : 2, some = (rows, k, n) => list(rows.slice(0, k).map(r => naming(d, r.c, n)));
  for (const [k, m, n] of [[room, 2, 20], [room, 1, 20], [2, 1, 16], [1, 1, 14]]) {
    const named = new Set(both.slice(0, k).map(r => r.c)), apart = part.filter(r => !named.has(r.c)), said = [head, both.length > k ? ', most through ' : ': ', ...some(both, k, n), '.', ...(apart.length ? [' They part at ', ...some(apart, m, n), '.'] : [])];
    if (plain(said).length <= 120 || k === 1) return [...said, close];
  }
}
/** The hovered or focused mark in words. m: {what: 'sum', part} | {what: 'bar', row, side} | {what: 'name', row} | {what: 'variable', c, side, x} | {what: 'rest' | 'more', …} */
export function reading(d, m) {
  if (!m) return [];
  const T = i => task(d, i), other = m.side === 0 ? 1 : 0;
  if (m.what === 'sum') {
    const x = overlap(d), t = test(d);
    if (m.part === 'both') return [{b: 'Both:'}, ` ${withUnit(x)} of each task’s ${whole(d)} comes from concepts in equal measure`, Number.isFinite(t.low) ? ` (${interval(t.low, t.high)})` : '', Number.isFinite(t.null) ? `; two unrelated tasks would share ${withUnit(t.null)}.` : '.'];
    const r = rest(d, d.pair[m.side]); return [{b: [T(m.side), ' alone:']}, ` ${withUnit(1 - x)} of its ${whole(d)}`, r > .005 ? `, ${withUnit(r)} of it in no concept.` : '.'];
  }
  if (m.what === 'rest') return [{b: `${capital(many(m.n, 'other concept'))}, summed:`}, ` ${withUnit(m.share[0])} of `, T(0), `, ${withUnit(m.share[1])} of `, T(1), '.'];
  if (m.what === 'more') return [{b: [naming(d, m.c), ' → ', T(m.side), ':']}, ` ${many(m.n, 'other variable')}`, m.share > 0 ? `, ${withUnit(m.share)} of the task’s ${whole(d)} together.` : '.'];
  if (m.what === 'variable') { const {x} = m, lo = x.flow - 1.96*x.se, doubt = x.se > 0 && lo <= 0; return [{b: [variable(d, x.v), ' (', T(m.side), '):']}, ` ${withUnit(x.flow)} of the task’s ${whole(d)} through `, naming(d, m.c), x.se > 0 ? range({lo, hi: x.flow + 1.96*x.se}) : d.set.measure === 'concept' ? ', divided by attention' : '', doubt ? ', no evidence that it differs from 0' : '', `; ${(SAY[x.sign] ?? SAY[0])[1]}.`]; }
  const {row} = m, A = row.a, B = row.b;
  if (m.what === 'name') return [{b: [naming(d, row.c), ':']}, ` ${withUnit(A.share)} of `, T(0), `, ${withUnit(B.share)} of `, T(1), `; ${withUnit(row.both)} in both.`, m.open ? ' Enter closes it.' : ' Enter opens its variables.'];
  const x = m.side ? B : A, y = m.side ? A : B;
  if (x.kind === 'zero') return [{b: [naming(d, row.c), ' → ', T(m.side), ':']}, d.effect ? ' no effect.' : ' no attention.'];
  return [{b: [naming(d, row.c), ' → ', T(m.side), ':']}, ` ${withUnit(x.share)} of the task’s ${whole(d)}${range(x)}`, x.kind === 'unclear' ? ', no evidence that it differs from 0.' : d.effect ? `; ${y.kind === 'zero' ? 'nothing' : withUnit(y.share)} of ` : `, which is not its effect; ${withUnit(y.share)} of `, ...(x.kind === 'unclear' ? [] : [T(other), '.'])];
}
/** The lines under the picture */
export function foot(d, ar, {narrow, hatched, signs} = {}) {
  const n = ar.groups.reduce((s, g) => s + g.rows.length, 0), r = d.pair.map(t => rest(d, t)), t = test(d), x = overlap(d);
  const shown = [{b: 'Shown:'}, ` ${thousands(n)} of ${thousands(d.K)} concepts, in % of each task’s ${whole(d)}${d.effect ? '' : ', which is not its effect'}.`, ...(ar.hidden ? [' ', {b: 'Hidden:'}, ` ${thousands(ar.hidden)} that neither task uses.`] : []), ar.rest.length ? ` ${capital(many(ar.rest.length, 'smaller one'))} ${ar.rest.length === 1 ? 'is' : 'are'} summed.` : '', r.some(v => v > .005) ? ` “Alone” includes what no concept holds: ${withUnit(r[0])} and ${withUnit(r[1])}.` : '', hatched ? ' Hatched, “n.e.”: no evidence that it differs from 0.' : ''];
  const opened = signs ? [`Variables: ${d.set.measure === 'edge' ? 'measured' : d.set.measure === 'concept' ? 'what the concept holds, divided by attention, which is not effect' : 'attention'}. + raises, − lowers the score, ± neither clearly.`] : null;
  const told = Number.isFinite(t.p) ? [{b: t.p < .05 ? `Overlap beyond chance: ${pValue(t.p, +d.tested?.permutations)}` : `No evidence of overlap beyond chance: ${pValue(t.p, +d.tested?.permutations)}`}, {m: `: ${withUnit(x)}${Number.isFinite(t.low) ? ` (${interval(t.low, t.high)})` : ''}${Number.isFinite(t.null) ? ` against ${withUnit(t.null)} between unrelated tasks` : ''}${d.tested?.null ? `, ${oneLine(d.tested.null)}` : ''}.`}]
    : Number.isFinite(t.low) ? [{b: `Overlap: ${withUnit(x)}`}, {m: ` (${interval(t.low, t.high)})${Number.isFinite(t.null) ? `; two unrelated tasks: ${withUnit(t.null)}` : '; not tested against chance'}.`}]
    : [{b: 'Overlap beyond chance: not tested'}, {m: t.other ? ' (the test in this explanation belongs to another explainer).' : ` (this explanation holds no interval and no null of an overlap). ${structure(d)}`}];
  return [shown, ...(opened ? [opened] : []), told, [{m: `${oneLine(d.set.source)}${d.missing ? ` · ${oneLine(d.missing)} did not play with concepts` : ''}`}]];
}
const structure = d => { const ev = evidence(d.evidence); return ev.some === null ? '' : `For the map as a whole: ${ev.bold[0].toLowerCase()}${ev.bold.slice(1)}.`; };

export function matches(d, want) {
  want = want.trim().toLowerCase(); if (!want) return [];
  const all = [...d.concepts.map((id, c) => ({kind: 'concept', id, c, text: `${id} ${nameOf(d, c)}`, parts: [naming(d, c)]})), ...d.tasks.map(id => ({kind: 'task', id, text: oneLine(id), parts: [{n: middle(oneLine(id), 28)}]})),
    ...d.variables.flatMap((id, v) => d.pair.includes(d.of[v]) ? [{kind: 'variable', id, v, text: oneLine(d.labels[v]), parts: [variable(d, v), ` (`, task(d, d.pair.indexOf(d.of[v])), ')']}] : [])];
  return all.filter(x => x.text.toLowerCase().includes(want)).sort((a, b) => (b.text.toLowerCase() === want) - (a.text.toLowerCase() === want));
}
/** The same facts as a table */
export function tableOf(d) {
  const ar = arrange(d, Infinity), [a, b] = d.pair, n = x => x.kind === 'zero' ? '0' : percent(x.share) + (Number.isFinite(x.lo) && x.hi > x.lo ? ` (${percent(Math.max(0, x.lo))}–${percent(x.hi)})` : '') + (x.kind === 'unclear' ? ' n.e.' : '');
  const group = {both: 'shared by both', a: `only ${oneLine(d.tasks[a])}`, b: `only ${oneLine(d.tasks[b])}`, unclear: 'no evidence'}, rows = [['all', '', '', '', percent(overlap(d)), '']];
  for (const g of ar.groups) for (const r of g.rows) { rows.push([nameOf(d, r.c), '', n(r.a), n(r.b), percent(r.both), group[r.group]]); if (d.open.includes(r.c)) for (const [i, t] of d.pair.entries()) for (const x of through(d, t, r.c).list) rows.push([nameOf(d, r.c), `${(SAY[x.sign] ?? SAY[0])[0]} ${oneLine(d.labels[x.v])}`, ...(i ? ['', percent(x.flow)] : [percent(x.flow), '']), '', '']); }
  if (d.effect) rows.push(['no concept', '', percent(rest(d, a)), percent(rest(d, b)), '', '']);
  return {caption: `Share of each task’s ${whole(d)} in %${d.effect ? ' (95\u202f% interval); n.e.: no evidence that it differs from 0' : ', which is not its effect'}`, head: ['concept', 'variable', oneLine(d.tasks[a]), oneLine(d.tasks[b]), 'both', 'where'], rows};
}

// ---- where things stand (pure but for measuring text) ----

export function geometry(width, u, names) {
  const narrow = width < 560*u, pad = 6*u, mid = narrow ? 0 : Math.min(Math.max(names + 44*u, 120*u), width*.28), room = (width - 2*pad - mid)/2, value = Math.min(narrow ? 58*u : 130*u, room*.42);
  return {width, u, narrow, pad, mid, room, value, long: room - value, xa: pad + room, xb: pad + room + mid};
}
/** The next place for a key, given marks in rows, each with a box; null if the key does not move */
export function step(key, {r, c}, rows) {
  const at = (q, c2) => ({r: q, c: c2}), clamp = (v, hi) => Math.min(hi, Math.max(0, v)), mid = m => m.box.x + m.box.w/2, near = q => rows[q].reduce((best, m, i) => Math.abs(mid(m) - mid(rows[r][c])) < Math.abs(mid(rows[q][best]) - mid(rows[r][c])) - 1e-6 ? i : best, 0);
  if (!rows[r]?.[c]) return key.startsWith('Arrow') && rows.length ? at(0, 0) : null;
  if (key === 'ArrowUp' || key === 'ArrowDown') { const q = clamp(r + (key === 'ArrowUp' ? -1 : 1), rows.length - 1); return at(q, near(q)); }
  if (key === 'ArrowLeft' || key === 'ArrowRight') return at(r, clamp(c + (key === 'ArrowLeft' ? -1 : 1), rows[r].length - 1));
  if (key === 'Home' || key === 'End') return at(r, key === 'Home' ? 0 : rows[r].length - 1);
  return key === 'PageUp' || key === 'PageDown' ? (q => at(q, near(q)))(key === 'PageUp' ? 0 : rows.length - 1) : null;
}

// ---- the picture ----

function start(d, f, ids) {
  const {tk, u, family, s2, s1} = f.theme, font = (size, weight = 400, italic = false) => ({size, weight, italic, family}), f1 = font(s1), node = svg('svg', {role: 'grid', 'aria-label': plain(question(d)), width: f.width, height: 10, 'font-family': family, fill: tk.ink});
  const names = Math.max(0, ...[...Array(d.K).keys()].map(c => measure(nameOf(d, c), font(s1, 650)))), seen = svg('g', {'aria-hidden': 'true', 'pointer-events': 'none'}), o = {node, seen, tk, u, f1, b1: font(s1, 600), i1: font(s1, 400, true), h: font(s2, 600), ids, rows: [], labels: new Map(), frames: new Map(), W: f.width, geo: geometry(f.width, u, names)};
  put(node, svg('defs', {}, hatch(ids.hatch, tk)), seen); return o;
}
function row(o, attrs) { const el = svg('g', {role: 'row', 'aria-rowindex': o.rows.length + 1, ...attrs}), r = Object.assign([], {el}); o.rows.push(r); put(o.node, el); return r; }
function mark(o, d, r, m, box) {
  const el = svg('g', {role: m.what === 'name' ? 'rowheader' : 'gridcell', tabindex: -1, 'data-r': o.rows.indexOf(r), 'data-c': r.length, 'data-what': m.what, 'data-concept': m.row ? d.concepts[m.row.c] : undefined, 'data-side': m.side, 'data-kind': m.row && m.side !== undefined ? (m.side ? m.row.b : m.row.a).kind : undefined, 'data-variable': m.x ? d.variables[m.x.v] : undefined, 'aria-expanded': m.what === 'name' ? String(!!m.open) : undefined, 'aria-label': plain(reading(d, m))}, svg('rect', {x: box.x, y: box.y, width: Math.max(1, box.w), height: box.h, fill: 'transparent'}));
  r.push(Object.assign(m, {el, box, place: {r: o.rows.indexOf(r), c: r.length}})); put(r.el, el); return m;
}
const show = (o, ...kids) => put(o.seen, kids);
const base = (o, y, font = o.f1) => y + font.size*.36;

export function draw_(d, f, ids, ar) {
  const o = start(d, f, ids), {u, tk, geo} = o, rows = ar.groups.flatMap(g => g.rows);
  o.max = Math.max(1e-9, ...rows.flatMap(r => [r.a, r.b]).map(x => Number.isFinite(x.hi) ? Math.min(1, Math.max(x.hi, x.share)) : x.share));
  let y = drawSum(o, d, 4*u);
  if (!geo.narrow) { const name = i => fit(oneLine(d.tasks[d.pair[i]]), geo.room - 8*u, o.h, middle); show(o, text(geo.xa, y + 14*u, name(0), o.h, {'text-anchor': 'end'}), text(geo.xb, y + 14*u, name(1), o.h)); y += 24*u; }
  const top = y, heads = {both: ['Shared by both', 'shared-text'], a: [`Only in ${oneLine(d.tasks[d.pair[0]])}`, 'private-text'], b: [`Only in ${oneLine(d.tasks[d.pair[1]])}`, 'private-text'], unclear: ['No evidence in either', 'muted']};
  for (const g of ar.groups) {
    if (g.name) { const [s, ink] = heads[g.name]; show(o, svg('line', {x1: geo.pad, x2: o.W - geo.pad, y1: y + 4*u, y2: y + 4*u, stroke: tk.line}), text(geo.pad, y + 20*u, fit(s, geo.narrow ? o.W - 12*u : geo.room - 12*u, o.b1, middle), o.b1, {fill: tk[ink]})); y += 26*u; }
    for (const r of g.rows) y = drawRow(o, d, r, y);
    y += 6*u;
  }
  if (ar.rest.length) y = drawRest(o, d, ar.rest, y);
  if (!geo.narrow) for (const x of [geo.xa, geo.xb]) o.seen.prepend(svg('line', {x1: x, x2: x, y1: top, y2: y, stroke: tk.axis})); else o.seen.prepend(svg('line', {x1: geo.xa, x2: geo.xa, y1: top, y2: y, stroke: tk.line}));
  o.H = Math.ceil(y + 4*u); for (const [k, v] of Object.entries({width: Math.ceil(o.W), height: o.H, viewBox: `0 0 ${Math.ceil(o.W)} ${o.H}`})) o.node.setAttribute(k, v);
  return o;
}
/** One bar over the whole width: one alone, both, the other alone; under it what two unrelated tasks would share */
function drawSum(o, d, y) {
  const {tk, u, geo, b1, f1} = o, x = overlap(d), t = test(d), w = o.W - 2*geo.pad, per = w/(2 - x), h = 18*u, gap = 2*u, xa = geo.pad + per*(1 - x), xb = xa + per*x, names = [0, 1].map(i => oneLine(d.tasks[d.pair[i]])), both = `both ${withUnit(x)}`, alone = ` alone ${withUnit(1 - x)}`;
  const bw = measure(both, b1), bx = Math.min(Math.max((xa + xb)/2, geo.pad + bw/2), o.W - geo.pad - bw/2), below = geo.narrow, room = (below ? w/2 - 8*u : Math.min(bx - bw/2 - geo.pad, o.W - geo.pad - bx - bw/2) - 12*u) - measure(alone, b1), name = s => fit(s, Math.max(room, 24*u), b1, middle) + alone;
  show(o, text(geo.pad, y + 14*u, name(names[0]), b1, {fill: tk['private-text']}), text(o.W - geo.pad, y + 14*u, name(names[1]), b1, {fill: tk['private-text'], 'text-anchor': 'end'}), text(bx, below ? y + 56*u : y + 14*u, both, b1, {fill: tk['shared-text'], 'text-anchor': 'middle'}));
  const by = y + 22*u, r = row(o, {'aria-label': 'overlap'}), part = (from, to, fill) => svg('rect', {x: from, y: by, width: Math.max(0, to - from), height: h, fill});
  show(o, part(geo.pad, xa - gap/2, tk.private), part(xa + gap/2, xb - gap/2, tk.shared), part(xb + gap/2, o.W - geo.pad, tk.private));
  if (Number.isFinite(t.low)) { const c = (xa + xb)/2, at = s => c + per*s/2; show(o, [[at(t.low), at(t.high)], [2*c - at(t.high), 2*c - at(t.low)]].map(([p, q]) => whisker(p, q, by + h/2, tk))); }
  mark(o, d, r, {what: 'sum', part: 'alone', side: 0}, {x: geo.pad, y: by - 2*u, w: xa - geo.pad, h: 24*u}); mark(o, d, r, {what: 'sum', part: 'both'}, {x: xa, y: by - 2*u, w: Math.max(xb - xa, 2), h: 24*u}); mark(o, d, r, {what: 'sum', part: 'alone', side: 1}, {x: xb, y: by - 2*u, w: o.W - geo.pad - xb, h: 24*u});
  let end = by + h + (below ? 28*u : 8*u);
  if (Number.isFinite(t.null)) {
    const c = (xa + xb)/2, said = `two unrelated tasks: ${withUnit(t.null)}${Number.isFinite(t.null_low) ? ` (${percent(t.null_low)}–${percent(t.null_high)})` : ''}`, half = measure(said, f1)/2;
    show(o, svg('rect', {x: c - per*t.null/2, y: end - 2*u, width: per*t.null, height: 3*u, fill: tk.axis}), text(Math.min(Math.max(c, geo.pad + half), o.W - geo.pad - half), end + 15*u, said, f1, {fill: tk.muted, 'text-anchor': 'middle'})); end += 22*u;
  }
  return end + 10*u;
}
/** One concept: name, two bars, and its variables where it is open */
function drawRow(o, d, r, y) {
  const {tk, u, geo, f1} = o, open = d.open.includes(r.c), h = 26*u, name = naming(d, r.c, 1e6), font = {...(open ? o.b1 : f1), italic: 'i' in name}, glyph = open ? '▾ ' : '▸ ', short = fit(plain(name), (geo.narrow ? o.W - 44*u : geo.mid - 20*u) - measure(glyph, f1), {...font, weight: 650}, middle), line = row(o, {'data-concept': d.concepts[r.c]});
  const ny = geo.narrow ? y + 14*u : base(o, y + h/2), cy = geo.narrow ? y + 30*u : y + h/2, label = svg('text', {x: geo.narrow ? geo.pad + 6*u : geo.xa + geo.mid/2, y: ny, 'font-size': f1.size, 'text-anchor': geo.narrow ? 'start' : 'middle', 'font-style': font.italic ? 'italic' : undefined, 'font-weight': open ? 600 : 400, fill: tk.ink, style: {'unicode-bidi': 'isolate'}}, glyph + short);
  o.labels.set(r.c, label); show(o, label);
  const box = side => ({x: side ? geo.xb : geo.pad, y: geo.narrow ? y + 20*u : y, w: geo.room, h: geo.narrow ? 20*u : h}), nameBox = geo.narrow ? {x: geo.pad, y, w: 2*geo.room, h: 20*u} : {x: geo.xa, y, w: geo.mid, h};
  bar(o, d, r, 0, cy); bar(o, d, r, 1, cy);
  const a = [{what: 'bar', row: r, side: 0}, box(0)], n = [{what: 'name', row: r, open}, nameBox], b = [{what: 'bar', row: r, side: 1}, box(1)];
  for (const [m, at] of geo.narrow ? [n, a, b] : [a, n, b]) mark(o, d, line, m, at);
  const bottom = y + (geo.narrow ? 44*u : 30*u); o.frames.set(r.c, {x: geo.pad, y, w: o.W - 2*geo.pad, h: geo.narrow ? 42*u : h});
  return open ? drawVariables(o, d, r.c, bottom) : bottom;
}
const px = (o, share) => o.geo.long*Math.min(1, share/o.max);
function bar(o, d, r, side, cy) {
  const {tk, u, geo, f1} = o, x = side ? r.b : r.a, dir = side ? 1 : -1, x0 = side ? geo.xb : geo.xa, h = geo.narrow ? 12*u : 16*u, end = px(o, x.share), same = px(o, r.both), rect = (from, to, fill, more) => svg('rect', {x: Math.min(x0 + dir*from, x0 + dir*to), y: cy - h/2, width: Math.max(Math.abs(to - from), x.kind === 'zero' ? 0 : 1), height: h, fill, ...more});
  if (x.kind === 'zero') return;
  if (x.kind === 'unclear') { o.hatched = true; show(o, rect(0, end, `url(#${o.ids.hatch})`, {stroke: tk.hatch})); }
  else show(o, r.both > 0 && rect(0, same, tk.shared), end - same > 1 && rect(same + (same > 0 ? 1.5*u : 0), end, tk.private));
  const hi = Number.isFinite(x.hi) && x.hi > x.lo ? px(o, x.hi) : end, lo = px(o, Math.max(0, x.lo));
  if (hi > end) show(o, whisker(...[x0 + dir*lo, x0 + dir*hi].sort((p, q) => p - q), cy, tk));
  show(o, text(x0 + dir*(Math.max(hi, end) + 8*u), base(o, cy), withUnit(x.share) + (x.kind === 'unclear' ? ' n.e.' : ''), f1, {fill: x.kind === 'unclear' ? tk.muted : tk.ink, 'text-anchor': side ? 'start' : 'end'}));
}
function drawVariables(o, d, c, y) {
  const {tk, u, geo, f1, i1} = o, sides = d.pair.map(t => through(d, t, c)), n = Math.max(...sides.map((s, i) => Math.min(MOST.variables, s.list.filter((x, k) => !k || x.flow >= .05*held(d, d.pair[i], c).share).length))), h = geo.narrow ? 34*u : 24*u, more = sides.map((s, i) => ({n: s.count - Math.min(n, s.list.length), share: d.set.measure === 'edge' ? NaN : Math.max(0, held(d, d.pair[i], c).share - s.list.slice(0, n).reduce((a, x) => a + x.flow, 0))}));
  o.signs = true;
  if (!geo.narrow) show(o, text(geo.xa + geo.mid/2, base(o, y + h/2), n ? 'its variables' : 'no variable', f1, {fill: tk.muted, 'text-anchor': 'middle'}));
  for (let k = 0; k < n; k++) { const line = row(o, {}); sides.forEach((s, side) => { const x = s.list[k]; if (x) { drawVariable(o, d, x, side, y, h); mark(o, d, line, {what: 'variable', c, side, x}, {x: side ? geo.xb : geo.pad, y, w: geo.room, h}); } }); if (!line.length) { o.rows.pop(); line.el.remove(); } else y += h; }
  if (more.some(m => m.n > 0)) {
    const line = row(o, {}); more.forEach((m, side) => { if (m.n <= 0) return; const said = `and ${thousands(m.n)} other${m.n === 1 ? '' : 's'}${m.share > 0 ? `, ${withUnit(m.share)}` : ''}`; show(o, text(side ? geo.xb + 8*u : geo.xa - 8*u, base(o, y + 10*u), said, i1, {fill: tk.muted, 'text-anchor': side ? 'start' : 'end'})); mark(o, d, line, {what: 'more', c, side, ...m}, {x: side ? geo.xb : geo.pad, y, w: geo.room, h: 24*u}); }); y += 24*u;
  }
  return y + 8*u;
}
function drawVariable(o, d, x, side, y, h) {
  const {tk, u, geo, f1, b1} = o, dir = side ? 1 : -1, x0 = side ? geo.xb : geo.xa, long = px(o, x.flow), cy = geo.narrow ? y + 24*u : y + h/2, bh = 8*u, doubt = x.se > 0 && x.flow - 1.96*x.se <= 0, [sign, , ink] = SAY[x.sign] ?? SAY[0], value = ` ${withUnit(x.flow)}${doubt ? ' n.e.' : ''}`;
  const from = geo.narrow ? 4*u : Math.max(long, x.se > 0 ? px(o, x.flow + 1.96*x.se) : 0) + 8*u, room = geo.room - from - measure(value, f1) - measure('+ ', b1) - 2*u, name = fit(oneLine(d.labels[x.v]), Math.max(room, 12*u), f1, middle), marked = d.marked.includes(x.v);
  if (doubt) o.hatched = true;
  show(o, svg('rect', {x: side ? x0 : x0 - long, y: cy - bh/2, width: Math.max(1, long), height: bh, fill: doubt ? `url(#${o.ids.hatch})` : tk.axis}), x.se > 0 && whisker(...[x0 + dir*px(o, Math.max(0, x.flow - 1.96*x.se)), x0 + dir*px(o, x.flow + 1.96*x.se)].sort((p, q) => p - q), cy, tk),
    svg('text', {x: x0 + dir*from, y: geo.narrow ? y + 13*u : base(o, cy), 'font-size': f1.size, 'text-anchor': side ? 'start' : 'end', fill: marked ? tk.ink : tk.muted, 'font-weight': marked ? 650 : 400, style: {'unicode-bidi': 'isolate'}}, sign && svg('tspan', {fill: tk[ink], 'font-weight': 600}, sign + ' '), svg('tspan', {}, name), svg('tspan', {}, value)));
}
/** All smaller concepts, summed: true size, or cut visibly where that is longer than the scale */
function drawRest(o, d, left, y) {
  const {tk, u, geo, i1, f1} = o, share = [0, 1].map(i => left.reduce((s, r) => s + (i ? r.b : r.a).share, 0)), h = 26*u, cy = geo.narrow ? y + 30*u : y + h/2, said = `${thousands(left.length)} others, summed`, line = row(o, {}), m = side => ({what: 'rest', n: left.length, share, side});
  show(o, text(geo.narrow ? geo.pad : geo.xa + geo.mid/2, geo.narrow ? y + 14*u : base(o, cy), said, i1, {fill: tk.muted, 'text-anchor': geo.narrow ? 'start' : 'middle'}));
  share.forEach((s, side) => { const long = px(o, s), x0 = side ? geo.xb : geo.xa, dir = side ? 1 : -1; show(o, svg('rect', {x: side ? x0 : x0 - long, y: cy - 6*u, width: long, height: 12*u, fill: `url(#${o.ids.hatch})`, stroke: tk.hatch}), s > o.max && svg('path', {d: `M${x0 + dir*(long - 14*u)} ${cy + 9*u}l${6*u} ${-18*u}`, stroke: tk.paper, 'stroke-width': 5*u}), text(x0 + dir*(long + 8*u), base(o, cy), withUnit(s), f1, {fill: tk.muted, 'text-anchor': side ? 'start' : 'end'}));
    mark(o, d, line, m(side), {x: side ? geo.xb : geo.pad, y, w: geo.room, h: geo.narrow ? 40*u : h}); });
  return y + (geo.narrow ? 44*u : 30*u);
}

// ---- marks that come and go ----

const outline = (b, by, stroke, width, rx = 0, cls = '') => svg('rect', {x: b.x - by, y: b.y - by, width: Math.max(1, b.w + 2*by), height: Math.max(1, b.h + 2*by), fill: 'none', stroke, 'stroke-width': width, rx, class: cls});
function drawPins(o, d) {
  const {tk, u, geo} = o, g = svg('g', {class: 'mtl-pins', 'pointer-events': 'none', 'aria-hidden': 'true'});
  for (const c of d.open) { const b = o.frames.get(c); if (b) put(g, outline(b, 0, tk.ink, 1.5, 3), pin(geo.narrow ? o.W - 14*u : geo.pad + 8*u, b.y + (geo.narrow ? 10*u : b.h/2 - 2*u), tk)); }
  for (const m of o.rows.flat()) if (m.what === 'variable' && d.marked.includes(m.x.v)) put(g, outline(m.box, -1, tk.ink, 1.5, 3));
  for (const x of g.querySelectorAll('.mtl-overlay')) x.classList.add('mtl-keep');
  return g;
}
function drawMarks(o, d, st) {
  const {tk} = o, g = svg('g', {class: 'mtl-overlay mtl-marks', 'pointer-events': 'none', 'aria-hidden': 'true'}), m = st.hover ?? (st.focused ? o.rows[st.at.r]?.[st.at.c] : null);
  for (const [c, el] of o.labels) el.setAttribute('font-weight', d.open.includes(c) || m?.row?.c === c ? 650 : 400);
  if (m && st.hover) put(g, outline(m.box, -1, tk.ink, 2, 2));
  if (m && st.ring && st.focused) put(g, outline(m.box, 1, tk.focus, 2, 2, 'mtl-ring'));
  return g;
}

// ---- the view ----

function render({model, el, signal}) {
  const st = {at: {r: 0, c: 0}, hover: null, focused: false, ring: false, byKey: false, found: null, foundAt: 0, o: null, d: null}, ids = {hatch: unique('hatch')};
  const set = (k, v) => { model.set(k, v); model.save_changes(); };
  const f = frame({model, el, signal, label: 'What do two tasks share, where do they part?', hooks: {draw, escape: release, table: () => tableOf(st.d), picture: () => st.o.node, refocus, fileName: 'task-compare'}});
  f.card.hidden = true;
  const swap = (i, v) => { const now = st.d.pair.map(t => st.d.tasks[t]), to = [...now]; to[i] = v; if (to[0] === to[1]) to[1 - i] = now[i]; set('tasks', to); };
  const aAt = menu(f, 'Compare', v => swap(0, v)), bAt = menu(f, 'with', v => swap(1, v)), whoAt = menu(f, 'Explainer', v => set('explainer', v));
  const widthAt = choice(f, 'Width', [['importance', 'importance', 'share of the task’s effect'], ['attention', 'attention', 'share of the task’s attention: not an effect']], v => set('width', v));
  const sortAt = choice(f, 'Order', [['shared', 'shared first', 'shared by both, only in one, only in the other'], ['largest', 'largest', 'the larger of the two shares'], ['name', 'A–Z', 'by name']], v => set('sort', v));
  finder(f, 'Find a name', 'Find', {look, next, take, leave() { look(''); refocus(); }});

  function look(t) { st.found = t.trim() ? matches(st.d, t) : null; st.foundAt = 0; show_(); }
  function next(by) { if (!st.found?.length) return; st.foundAt = (st.foundAt + by + st.found.length) % st.found.length; show_(); }
  function show_() { const x = st.found?.[st.foundAt]; st.hover = x ? st.o.rows.flat().find(m => x.kind === 'concept' ? m.what === 'name' && m.row.c === x.c : x.kind === 'variable' && m.x?.v === x.v) ?? null : null; marks(); if (!st.found) speak(); else f.say(x ? [`${thousands(st.foundAt + 1)} of ${thousands(st.found.length)} found: ${x.kind} `, {b: x.parts}, x.kind === 'task' ? '. Enter compares with it, arrows go on.' : '. Enter pins it, arrows go on.'] : ['Nothing here has that in its name.']); }
  function take() { const x = st.found?.[st.foundAt]; if (!x) return false; look(''); if (x.kind === 'task') { const a = st.d.tasks[st.d.pair[0]]; if (x.id !== a) set('tasks', [a, x.id]); } else set(x.kind + 's', [x.id]); refocus(); return true; }
  function toggle(trait, id, more) { const now = model.get(trait) ?? [], has = now.includes(id); set(trait, has ? (more ? now.filter(x => x !== id) : now.length === 1 ? [] : [id]) : more ? [...now, id] : [id]); }
  function pinAt(m, more) { if (!m) return; if (m.row) toggle('concepts', st.d.concepts[m.row.c], more); else if (m.what === 'variable') toggle('variables', st.d.variables[m.x.v], more); }
  function release() { if (st.found) { f.finder.value = ''; look(''); return; } for (const trait of ['variables', 'concepts']) { const now = model.get(trait) ?? []; if (now.length) { set(trait, now.slice(0, -1)); return; } } }

  function rove() { if (!st.o) return; st.tab?.setAttribute('tabindex', -1); st.at.r = Math.min(st.at.r, st.o.rows.length - 1); st.at.c = Math.max(0, Math.min(st.at.c, (st.o.rows[st.at.r]?.length ?? 1) - 1)); st.tab = st.o.rows[st.at.r]?.[st.at.c]?.el; st.tab?.setAttribute('tabindex', 0); }
  function refocus() { rove(); st.tab?.focus({preventScroll: true}); }
  function marks() { if (!st.o) return; const g = drawMarks(st.o, st.d, st); st.marks?.remove(); put(st.o.node, g); st.marks = g; }
  function speak() { const m = st.hover ?? (st.focused ? st.o.rows[st.at.r]?.[st.at.c] : null) ?? st.o.rows.flat().find(x => x.what === 'name' && x.row.c === st.d.open.at(-1)); f.say(m ? reading(st.d, m) : [{m: f.narrow() ? 'Tap a bar to read it; its concept opens.' : 'Hover to read a bar; click or Enter opens a concept into its variables, Esc closes it, / finds, t opens the table.'}]); }
  function move(at) { st.at = at; st.ring = true; st.hover = null; refocus(); marks(); speak(); }

  function draw() {
    if (!f.width) return;
    const d = st.d = read(k => model.get(k));
    if (d.instead) { instead(f, d.instead); return; }
    if (!d.sets) return;
    usual(f); f.card.hidden = true;
    if (f.note.hidden === !!model.isStatic) { f.note.hidden = !model.isStatic; f.note.replaceChildren(html('span', {'aria-hidden': 'true'}, '◇'), html('span', {}, rich([{b: 'Saved page, no kernel.'}, ` All tasks may be compared; hover, open, find and table work. ${d.carries}`]))); }
    f.set('question', question(d)); f.set('answer', answer(d));
    const able = d.sets.filter(s => s.measure !== 'attention'), opts = d.tasks.map(x => [x, middle(oneLine(x), 40)]);
    aAt.fill(opts); bAt.fill(opts); aAt.set(d.tasks[d.pair[0]]); bAt.set(d.tasks[d.pair[1]]);
    whoAt.el.hidden = able.length < 2 || !d.effect; whoAt.fill(able.map(s => [s.explainer, middle(oneLine(s.explainer), 32)])); whoAt.set(d.set.explainer);
    widthAt.el.hidden = !able.length; widthAt.set(d.effect ? 'importance' : 'attention'); sortAt.set(d.sort);
    chips(f, [...d.open.map(c => ({kind: 'concept', id: d.concepts[c], parts: [naming(d, c)]})), ...d.marked.map(v => ({kind: 'variable', id: d.variables[v], parts: [variable(d, v)]}))], (kind, id) => { set(kind + 's', model.get(kind + 's').filter(x => x !== id)); refocus(); });
    const had = f.picture.contains(document.activeElement), ar = arrange(d), was = had ? st.o?.rows[st.at.r]?.[st.at.c] : null;
    st.hover = st.marks = st.tab = null; st.o = draw_(d, f, ids, ar); put(st.o.node, drawPins(st.o, d));
    if (was) { const same = st.o.rows.flat().find(m => m.what === was.what && m.side === was.side && m.row?.c === was.row?.c && m.x?.v === was.x?.v && m.c === was.c && m.part === was.part); if (same) st.at = same.place; }
    listen(st.o.node); f.picture.replaceChildren(st.o.node); rove(); if (had) st.tab?.focus({preventScroll: true});
    f.setFoot(foot(d, ar, {narrow: f.narrow(), hatched: st.o.hatched, signs: st.o.signs})); marks(); speak(); fillTable(f);
  }
  function listen(node) {
    const of = e => { const g = e.target.closest?.('[data-r]'); return g ? st.o.rows[+g.dataset.r][+g.dataset.c] : null; };
    node.addEventListener('pointermove', e => { const m = of(e); if (m === st.hover) return; st.hover = m; marks(); speak(); });
    node.addEventListener('pointerleave', () => { st.hover = null; marks(); speak(); });
    node.addEventListener('pointerdown', e => { const m = of(e); if (!m) return; e.preventDefault(); st.at = m.place; st.byKey = st.ring = false; refocus(); });
    node.addEventListener('click', e => pinAt(of(e), e.shiftKey || e.ctrlKey || e.metaKey));
    node.addEventListener('focusin', e => { const m = of(e); if (!m) return; st.at = m.place; st.focused = true; st.ring = st.byKey; marks(); speak(); });
    node.addEventListener('focusout', () => { st.focused = false; marks(); speak(); });
    node.addEventListener('keydown', e => {
      if (e.ctrlKey || e.metaKey || e.altKey) return;
      const to = step(e.key, st.at, st.o.rows);
      if (to) move(to); else if (e.key === 'Enter' || e.key === ' ') pinAt(st.o.rows[st.at.r]?.[st.at.c], e.shiftKey); else return;
      e.preventDefault(); e.stopPropagation();
    });
  }
  document.addEventListener('keydown', () => { st.byKey = true; }, {capture: true, signal}); // a ring shows where the keys are, not where the pointer was
  const watched = ['tasks', 'concepts', 'variables', 'explainer', 'width', 'sort', 'names', '_info', '_arrays'].map(n => 'change:' + n);
  for (const n of watched) model.on(n, draw);
  signal?.addEventListener('abort', () => { for (const n of watched) model.off(n, draw); });
  if (el.isConnected) f.width = Math.floor(f.root.getBoundingClientRect().width);
  draw();
}
export default {render};
