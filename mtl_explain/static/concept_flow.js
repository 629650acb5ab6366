// ConceptFlow: by what route does a variable reach a task? Variables, concepts and tasks; a ribbon is as wide as what it carries.
import {hue} from './_colour.js';
import {count, many, thousands, capital, percent, withUnit, interval, list, middle, oneLine, evidence, plain} from './_words.js';
import {svg, html, rich, text, measure, fit, hatch, whisker, pin, unpack, unique, put} from './_draw.js';
import {frame, choice, menu, finder, chips, instead, usual, fillTable, toggleTable} from './_frame.js';

export const QUESTION = 'By what route does a variable reach a task?';
const KINDS = {variable: 'variables', concept: 'concepts', task: 'tasks'};
/** What one picture holds: more ribbons are no picture, more variables no page */
export const ROOM = {routes: 160, variables: 44};

// ---- what was sent (pure) ----

/** The traits as one object; d.set is the measure shown, routes are positions from d.set.from to d.set.to */
export function read(get) {
  const info = get('_info') ?? {}, d = {...info, ...unpack(get('_arrays')), names: get('names') ?? {}, width: get('width'), mass: get('mass') ?? .9};
  if (info.instead || !info.sets) return d;
  [d.V, d.K, d.T] = [info.variables.length, info.concepts.length, info.tasks.length];
  let from = 0; d.sets = info.sets.map((s, i) => { const out = {...s, i, from, to: from + s.n}; from += s.n; return out; });
  const wanted = get('explainer') ?? '', able = d.sets.filter(s => s.measure !== 'attention');
  d.set = d.width === 'attention' || !able.length ? d.sets.at(-1) : able.find(s => s.explainer === wanted) ?? able[0];
  d.missing = d.set.measure !== 'attention' && wanted && d.set.explainer !== wanted ? wanted : '';
  const at = (ids, there) => new Set((ids ?? []).map(x => there.indexOf(x)).filter(i => i >= 0));
  d.pins = {variable: at(get('variables'), d.variables), concept: at(get('concepts'), d.concepts), task: at(get('tasks'), d.tasks)};
  d.any = Object.values(d.pins).some(s => s.size > 0);
  return d;
}
export const routeOf = (d, r) => ({r, v: d.v[r], c: d.c[r], t: d.of[d.v[r]], flow: d.flow[r], se: d.se[r]});
const cell = (d, t, c) => (d.set.i*d.T + t)*d.K + c;
/** What a concept holds of a task, with its interval where it has one. kind: 'effect' | 'unclear' | 'zero' */
export function held(d, t, c) { const i = cell(d, t, c), share = d.held[i], se = d.held_se[i]; return {share, lo: share - 1.96*se, hi: share + 1.96*se, kind: !(share > 0) ? 'zero' : share - 1.96*se <= 0 ? 'unclear' : 'effect'}; }
export const rest = (d, t) => d.none[d.set.i*d.T + t];
/** No evidence for a route: its own interval includes 0, or, where it has none, that of what its concept holds */
export const doubtful = (d, g) => g.se > 0 ? g.flow - 1.96*g.se <= 0 : held(d, g.t, g.c).kind === 'unclear';

// ---- what is shown (pure) ----

/** Does a route pass through what is pinned: any of the concepts, and any of the tasks, and any of the variables */
export const passes = (d, g) => (!d.pins.variable.size || d.pins.variable.has(g.v)) && (!d.pins.concept.size || d.pins.concept.has(g.c)) && (!d.pins.task.size || d.pins.task.has(g.t));

/** How many routes pass through what is pinned (into one task), and what they carry in all, also those that were not sent */
export function whole(d, only) {
  const {variable, concept, task} = d.pins, wanted = t => (only === undefined || t === only) && (!task.size || task.has(t));
  if (!d.any && only === undefined) return {count: d.set.count, total: d.set.total};
  let count = 0, total = 0;
  if (variable.size && concept.size) for (let r = d.set.from; r < d.set.to; r++) { const g = routeOf(d, r); if (passes(d, g) && wanted(g.t)) { count++; total += g.flow; } }
  else if (variable.size) for (const v of variable) { if (!wanted(d.of[v])) continue; count += d.variable_routes[d.set.i*d.V + v]; total += d.variable_flow[d.set.i*d.V + v]; }
  else for (let t = 0; t < d.T; t++) for (let c = 0; c < d.K; c++) { if ((concept.size && !concept.has(c)) || !wanted(t)) continue; count += d.routes[cell(d, t, c)]; total += Math.max(0, d.held[cell(d, t, c)]); }
  return {count, total};
}
/** The widest routes that pass `ok`, until they carry their mass or the picture is full; `fits`: the share of the flow that the picture has room for */
function cut(d, ok, total, room) {
  const out = [], vs = new Set(), want = d.mass*total*(1 - 1e-5); let sum = 0, fits = 0, n = 0;
  for (let r = d.set.from; r < d.set.to; r++) {
    const g = routeOf(d, r); if (!ok(g)) continue;
    if (n >= room.routes || (vs.size >= room.variables && !vs.has(g.v))) break;
    n++; vs.add(g.v); fits += g.flow;
    if (!out.length || sum < want) { out.push(g); sum += g.flow; }
  }
  return {routes: out, sum, full: sum < want, fits: total > 0 ? Math.min(1, fits/total + 1e-5) : 1};
}
/** Routes of the picture. `lit`: those that pass through what is pinned; `focus`: the others would not fit beside them and are not counted */
export function choose(d, room = ROOM) {
  const all = cut(d, () => true, d.set.total, room);
  if (!d.any) return {...all, count: d.set.count, total: d.set.total, lit: null, focus: false};
  const of = whole(d), lit = cut(d, g => passes(d, g), of.total, room), is = new Set(lit.routes.map(g => g.r));
  if (all.full && lit.routes.length) return {...lit, ...of, lit: is, focus: true};
  const more = lit.routes.filter(g => !all.routes.some(x => x.r === g.r)), routes = [...all.routes, ...more].sort((a, b) => a.r - b.r);
  return {routes, sum: all.sum + more.reduce((s, g) => s + g.flow, 0), full: all.full, fits: all.fits, count: d.set.count, total: d.set.total, lit: is, focus: false};
}

// ---- what the numbers say (pure) ----

/** The name of a concept as a part of a sentence: the user's, else its id with the suggestion in italics */
export function naming(d, c, n = 28) { const id = d.concepts[c], own = d.names[id], tip = d.suggested[id]; return own ? {n: middle(oneLine(own), n)} : tip ? {i: `${id} ${middle(oneLine(tip), n)}`} : {n: id}; }
const taskName = (d, t, n = 28) => ({n: middle(oneLine(d.tasks[t]), n)}), variable = (d, v, n = 32) => ({n: middle(oneLine(d.labels[v]), n)});
const inTable = (d, v) => [variable(d, v), ' (', taskName(d, d.of[v]), ')'];
export const nameOf = (d, kind, i) => plain(kind === 'variable' ? oneLine(d.labels[i]) : kind === 'task' ? oneLine(d.tasks[i]) : naming(d, i, 1e6));
const whole_ = d => d.set.measure === 'attention' ? 'the task’s attention' : 'the task’s effect';
const notEffect = d => d.set.measure === 'attention' ? ', which is not its effect' : d.set.measure === 'concept' ? ', divided by attention, which is not effect' : '';
const add = xs => xs.reduce((a, b) => a + b, 0);
const range = (flow, se) => Number.isFinite(se) && se > 0 ? ` (${interval(flow - 1.96*se, flow + 1.96*se)})` : '';
/** A name in front: its first letter large where it is a plain word */
const first = part => 'n' in part ? {n: capital(part.n)} : part;

/** Tasks of a concept, widest first: [{t, share}] */
export const tasksOf = (d, c) => [...Array(d.T).keys()].map(t => ({t, ...held(d, t, c)})).filter(x => x.share > .005).sort((a, b) => b.share - a.share);
const conceptsOf = (d, t) => [...Array(d.K).keys()].map(c => ({c, ...held(d, t, c)})).filter(x => x.share > 0).sort((a, b) => b.share - a.share);
function routesOf(d, ok) { const out = []; for (let r = d.set.from; r < d.set.to; r++) { const g = routeOf(d, r); if (ok(g)) out.push(g); } return out; }
const flowOf = (d, v) => d.variable_flow[d.set.i*d.V + v];

/** One sentence, at most about 120 characters */
export function answer(d, ch) {
  const {variable: pv, concept: pc, task: pt} = d.pins, what = d.set.measure === 'attention' ? 'attention' : 'effect', one = (s, n = 1) => s.size === n;
  const of = whole(d);
  if (!of.count) return d.any ? ['No route passes through all that is pinned.'] : ['No route carries anything: nothing here depends on a concept.'];
  const most = ch.routes.find(g => passes(d, g)) ?? ch.routes[0];
  if (one(pc) && !pv.size && !pt.size) {
    const [c] = pc, ts = tasksOf(d, c), to = [` reaches ${ts.length === d.T && d.T > 1 ? `all ${many(d.T, 'task')}` : many(ts.length, 'task')}`];
    if (!ts.length) return [first(naming(d, c)), ' reaches no task.'];
    return [first(naming(d, c, 20)), ...to, '. It weighs most in ', taskName(d, ts[0].t, 20), ` (${withUnit(ts[0].share)}${d.set.measure === 'attention' ? ' of its attention' : ''})`, ts.length > 1 ? [', least in ', taskName(d, ts.at(-1).t, 20), ` (${withUnit(ts.at(-1).share)}).`] : '.'];
  }
  if (one(pv) && !pc.size && !pt.size) {
    const [v] = pv; return [first(variable(d, v, 24)), ` reaches `, taskName(d, d.of[v], 20), ` through ${many(of.count, 'concept')}, most through `, naming(d, most.c, 20), `: ${withUnit(most.flow)} of its ${what}.`];
  }
  if (one(pt) && !pc.size && !pv.size) {
    const [t] = pt, cs = conceptsOf(d, t); return [first(taskName(d, t, 20)), ` is reached through ${many(cs.length, 'concept')}, most through `, naming(d, cs[0].c, 20), ` (${withUnit(cs[0].share)}). The widest route starts at `, variable(d, most.v, 20), '.'];
  }
  if (d.any) return [`${capital(many(of.count, 'route'))} ${of.count === 1 ? 'passes' : 'pass'} through what is pinned; the widest is `, ...path(d, most, 18), `: ${withUnit(most.flow)} of its ${what}.`];
  const ev = evidence(d.evidence).answer, share = withUnit(ch.sum/ch.total), n = ch.routes.length;
  return [n === ch.count ? `${capital(many(n, 'route'))} ${n === 1 ? 'carries' : 'carry'} all of the flow` : `The ${thousands(n)} widest of ${thousands(ch.count)} routes carry ${share} of the flow`, '; the widest is ', ...path(d, most, 16), ` (${withUnit(most.flow)} of its ${what}).`, ev ? ' ' + ev : ''];
}
const path = (d, g, n = 28) => [variable(d, g.v, n), ' → ', naming(d, g.c, n), ' → ', taskName(d, g.t, n)];

/** The hovered or focused mark in words. m: {kind: 'variable' | 'concept' | 'task', i} | {kind: 'route', g} | {kind: 'link', c, t} | {kind: 'rest', count, mass} */
export function reading(d, m) {
  if (!m) return [];
  if (m.kind === 'rest') return [{b: `${capital(many(m.count, 'smaller route'))}:`}, ` ${withUnit(m.mass)} of ${m.focus ? 'what passes through the pins' : 'the flow'}, each narrower than any that is drawn.`];
  if (m.kind === 'route') return [{b: [...path(d, m.g), ':']}, ` ${withUnit(m.g.flow)} of ${whole_(d)}${notEffect(d)}${range(m.g.flow, m.g.se)}${doubtful(d, m.g) ? ', no evidence that it differs from 0' : ''}.`];
  if (m.kind === 'link') { const h = held(d, m.t, m.c), n = d.routes[cell(d, m.t, m.c)]; return [{b: [naming(d, m.c), ' → ', taskName(d, m.t), ':']}, ` ${withUnit(h.share)} of ${whole_(d)}${range(h.share, d.held_se[cell(d, m.t, m.c)])}${h.kind === 'unclear' ? ', no evidence that it differs from 0' : ''}, from ${many(n, 'variable')}.`]; }
  const top = (xs, name, flow) => [...list(xs.slice(0, 3).map(x => [name(x), ' ' + withUnit(flow(x))])), xs.length > 3 ? ` and ${many(xs.length - 3, 'other')}` : '', '.'];
  if (m.kind === 'variable') { const gs = routesOf(d, g => g.v === m.i), n = d.variable_routes[d.set.i*d.V + m.i]; return [{b: [...inTable(d, m.i), ':']}, ` ${withUnit(flowOf(d, m.i))} of ${whole_(d)}${notEffect(d)}, through `, ...(gs.length ? [...list(gs.slice(0, 3).map(x => [naming(d, x.c), ' ' + withUnit(x.flow)])), n > 3 ? ` and ${many(n - 3, 'other')}` : '', '.'] : ['no concept.'])]; }
  if (m.kind === 'concept') { const ts = tasksOf(d, m.i); return [{b: [naming(d, m.i), ':']}, ...(ts.length ? [` reaches ${many(ts.length, 'task')}: `, ...top(ts, x => taskName(d, x.t), x => x.share)] : [' reaches no task.'])]; }
  const cs = conceptsOf(d, m.i), r = rest(d, m.i);
  return [{b: [taskName(d, m.i), ':']}, ...(cs.length ? [` ${withUnit(add(cs.map(x => x.share)))} of its ${d.set.measure === 'attention' ? 'attention' : 'effect'} runs through concepts: `, ...top(cs, x => naming(d, x.c), x => x.share), r > .005 ? ` ${withUnit(r)} stays although every concept is off.` : ''] : [' no route reaches it: it was not explained with concepts.'])];
}

/** The lines under the picture */
export function foot(d, ch, {narrow, cutStrip, hatched} = {}) {
  const n = ch.routes.length, left = ch.count - n, share = withUnit(ch.sum/ch.total), among = ch.focus ? ' through what is pinned' : '', flow = ch.focus ? 'their flow' : 'the flow';
  const shown = !ch.count ? [{b: 'Shown:'}, ' no route.'] : left ? [{b: `Showing ${thousands(n)} of ${thousands(ch.count)} routes${among}, ${share} of ${flow}.`}, ` The other ${left === 1 ? 'one is a' : `${thousands(left)} are one`} hatched strip${cutStrip ? ', drawn shorter than its size' : ''}${ch.full ? '; more would not fit' : ''}.`] : [{b: `Showing all ${thousands(n)} routes${among}.`}];
  if (ch.lit && !ch.focus && n) shown.push(` ${ch.lit.size ? capital(count(ch.lit.size)) : 'None'} of ${left ? `the ${thousands(n)}` : 'them'} ${ch.lit.size === 1 ? 'is' : 'are'} pinned.`);
  if (hatched) shown.push(' Hatched ribbons: no evidence that they differ from 0.');
  if (narrow) shown.push(' ', {b: 'Hidden for width:'}, ' the ribbons; routes are a list.');
  const ev = evidence(d.evidence), said = {edge: 'A width is the share of the task’s effect that was measured for this variable and concept.', concept: 'A width is what the concept holds of the task’s effect, divided among variables by their attention to it: attention is not effect.', attention: 'A width is attention, divided by the number of the task’s variables. Attention is not effect.'}[d.set.measure];
  return [shown, [said, d.missing ? ` ${capital(oneLine(d.missing))} did not play with concepts: ${oneLine(d.set.explainer)} is shown.` : ''], [{b: ev.bold}, {m: ev.rest}], [{m: oneLine(d.set.source)}]];
}

/** What holds the text in its name */
export function matches(d, want) {
  want = want.trim().toLowerCase(); if (!want) return [];
  const all = [...d.variables.map((id, i) => ({kind: 'variable', i, id, text: nameOf(d, 'variable', i), parts: inTable(d, i)})), ...d.concepts.map((id, i) => ({kind: 'concept', i, id, text: `${id} ${nameOf(d, 'concept', i)}`, parts: [naming(d, i)]})), ...d.tasks.map((id, i) => ({kind: 'task', i, id, text: oneLine(id), parts: [taskName(d, i)]}))];
  return all.filter(x => x.text.toLowerCase().includes(want)).sort((a, b) => (b.text.toLowerCase() === want) - (a.text.toLowerCase() === want));
}

/** The routes of the picture as a table */
export function tableOf(d, ch) {
  const left = ch.count - ch.routes.length, what = d.set.measure === 'attention' ? 'attention, which is not its effect' : 'effect', row = g => [nameOf(d, 'variable', g.v), nameOf(d, 'concept', g.c), oneLine(d.tasks[g.t]), percent(g.flow), Number.isFinite(g.se) && g.se > 0 ? `${percent(Math.max(0, g.flow - 1.96*g.se))}–${percent(g.flow + 1.96*g.se)}${doubtful(d, g) ? ' n.e.' : ''}` : '', ch.lit ? ch.lit.has(g.r) ? 'yes' : 'no' : ''];
  const rows = ch.routes.map(row); if (left) rows.push([`${thousands(left)} smaller ${left === 1 ? 'route' : 'routes'}`, '', '', `${percent((ch.total - ch.sum)/ch.total)} of the flow`, '', '']);
  return {caption: `Share of each task’s ${what}, in %; the widest routes first`, head: ['variable', 'concept', 'task', 'share', '95\u202f% interval', 'pinned'], rows};
}

// ---- where things stand (pure but for measuring text) ----

/** Columns of the picture. `wide`: widths of the widest labels {table, variable, concept, task} */
export function geometry(width, u, wide) {
  const pad = 6*u, beside = width >= 820*u, table = beside ? Math.min(wide.table, 120*u) + 14*u : 0, bar = 10*u;
  const name = Math.min(Math.max(wide.variable, 60*u), beside ? 190*u : width*.24), task = Math.min(Math.max(wide.task, 60*u), Math.max(90*u, width*.17));
  const x1 = pad + table + name + 8*u, x3 = width - pad - task - 8*u - bar, x2 = (x1 + x3)/2 - bar/2;
  return {width, u, pad, beside, table, name, task, bar, x1, x2, x3, concept: Math.min(wide.concept, (x3 - x2)*.62)};
}
/** Heights and places: nodes of each column, ribbons between them. -> {vars, concepts, tasks, links, height, scale, strip} */
export function layout(d, ch, u, {beside = true, twoLines = true} = {}) {
  const row = 24*u, gap = 12*u, head = 28*u, by = (kind, key) => { const m = new Map(); for (const g of ch.routes) { const k = key(g); if (!m.has(k)) m.set(k, {kind, i: k, flow: 0}); m.get(k).flow += g.flow; } return m; };
  const V = by('variable', g => g.v), C = by('concept', g => g.c), T = by('task', g => g.t), sum = Math.max(ch.sum, 1e-12);
  const vars = [...V.values()].sort((a, b) => d.of[a.i] - d.of[b.i] || a.i - b.i), tasks = [...T.values()].sort((a, b) => a.i - b.i), groups = tasks.length;
  const base = Math.max(vars.length*row + groups*gap, C.size*26*u, groups*44*u, 180*u), scale = .5*base/sum, size = (n, least, air) => { n.h = Math.max(n.flow*scale, 1); n.room = Math.max(least, n.h + air); };
  vars.forEach(n => size(n, row, 5*u)); tasks.forEach(n => size(n, twoLines ? 40*u : 24*u, 10*u)); C.forEach(n => size(n, 24*u, 8*u));
  const titled = beside ? 0 : 18*u, need = (ns, extra) => add(ns.map(n => n.room)) + extra, inner = Math.max(need(vars, groups*(gap + titled)), need(tasks, 0), need([...C.values()], 0));
  const place = (ns, air, startsGroup) => { let y = head; ns.forEach((n, k) => { if (startsGroup?.(n, k)) y += (k ? gap + air : air/2) + titled; n.y = y + (n.room - n.h)/2; n.top = y; y += n.room; }); };
  place(vars, (inner - need(vars, groups*(gap + titled)))/Math.max(groups, 1), (n, k) => k === 0 || d.of[n.i] !== d.of[vars[k - 1].i]);
  const spread = ns => { const air = (inner - need(ns, 0))/Math.max(ns.length, 1); let y = head; for (const n of ns) { n.y = y + air/2 + (n.room - n.h)/2; n.top = y + air/2; y += n.room + air; } };
  spread(tasks);
  const mid = n => n.y + n.h/2, at = new Map(); for (const g of ch.routes) { const a = at.get(g.c) ?? [0, 0]; a[0] += g.flow*(mid(V.get(g.v)) + mid(T.get(g.t)))/2; a[1] += g.flow; at.set(g.c, a); }
  const concepts = [...C.values()].sort((a, b) => at.get(a.i)[0]/at.get(a.i)[1] - at.get(b.i)[0]/at.get(b.i)[1] || a.i - b.i);
  spread(concepts);
  return {vars, concepts, tasks, V, C, T, scale, head, height: head + inner, ...ribbons(ch, V, C, T, scale)};
}
/** Where each ribbon leaves and arrives: left (variable → concept) one a route, right (concept → task) one a pair, what is pinned on top */
function ribbons(ch, V, C, T, scale) {
  const order = (a, b) => a - b, left = ch.routes.map(g => ({kind: 'route', g, h: g.flow*scale})), stack = (items, node, key, end) => { const at = new Map(); for (const x of [...items].sort(key)) { const n = node(x), y = at.get(n) ?? n.y; x[end] = y; at.set(n, y + x.h); } };
  stack(left, x => V.get(x.g.v), (a, b) => order(C.get(a.g.c).y, C.get(b.g.c).y), 'from'); stack(left, x => C.get(x.g.c), (a, b) => order(V.get(a.g.v).y, V.get(b.g.v).y), 'to');
  const pairs = new Map(); for (const x of left) { const k = `${x.g.c},${x.g.t}`; if (!pairs.has(k)) pairs.set(k, {kind: 'link', c: x.g.c, t: x.g.t, h: 0, lit: 0, routes: []}); const p = pairs.get(k); p.h += x.h; p.routes.push(x); if (!ch.lit || ch.lit.has(x.g.r)) p.lit += x.h; }
  const right = [...pairs.values()];
  stack(right, x => C.get(x.c), (a, b) => order(T.get(a.t).y, T.get(b.t).y), 'from'); stack(right, x => T.get(x.t), (a, b) => order(C.get(a.c).y, C.get(b.c).y), 'to');
  return {left, right};
}
/** The outline of a ribbon from (x0, y0) to (x1, y1), h high */
export function ribbon(x0, y0, x1, y1, h) { const m = (x0 + x1)/2, p = n => n.toFixed(1); return `M${p(x0)} ${p(y0)}C${p(m)} ${p(y0)} ${p(m)} ${p(y1)} ${p(x1)} ${p(y1)}V${p(y1 + h)}C${p(m)} ${p(y1 + h)} ${p(m)} ${p(y0 + h)} ${p(x0)} ${p(y0 + h)}Z`; }

/** The next place for a key, among columns of marks; each mark knows what it leads to on either side */
export function step(key, {r, c}, cols) {
  const now = cols[r]?.[c], clamp = (v, hi) => Math.min(hi, Math.max(0, v)), find = m => { for (let i = 0; i < cols.length; i++) { const k = cols[i].indexOf(m); if (k >= 0) return {r: i, c: k}; } return null; };
  if (!now) return key.startsWith('Arrow') ? {r: 0, c: 0} : null;
  if (key === 'ArrowUp' || key === 'ArrowDown') return {r, c: clamp(c + (key === 'ArrowUp' ? -1 : 1), cols[r].length - 1)};
  if (key === 'ArrowLeft' || key === 'ArrowRight') return find(key === 'ArrowLeft' ? now.before : now.after) ?? {r, c};
  if (key === 'Home' || key === 'End') return {r, c: key === 'Home' ? 0 : cols[r].length - 1};
  if (key === 'PageUp' || key === 'PageDown') { const to = key === 'PageUp' ? 0 : cols.length - 1; return {r: to, c: clamp(c, cols[to].length - 1)}; }
  return null;
}

// ---- the picture ----

const fonts = f => { const {family, s2, s1, s0} = f.theme, font = (size, weight = 400, italic = false) => ({size, weight, italic, family}); return {f1: font(s1), b1: font(s1, 650), i1: font(s1, 400, true), f0: font(Math.max(11, s0)), h: font(s2, 600)}; };
const halo = tk => ({stroke: tk.paper, 'stroke-width': 3.5, 'paint-order': 'stroke', 'stroke-linejoin': 'round'});
/** A place that can be read, focused and pinned */
function mark(o, d, col, m, box, shape) {
  const said = plain(reading(d, m)), g = svg('g', {role: 'gridcell', tabindex: -1, 'data-r': col, 'data-c': o.cols[col].length, 'data-kind': m.kind, 'data-id': m.kind === 'variable' ? d.variables[m.i] : m.kind === 'concept' ? d.concepts[m.i] : m.kind === 'task' ? d.tasks[m.i] : undefined, 'aria-label': said}, shape ?? svg('rect', {x: box.x, y: box.y, width: box.w, height: box.h, fill: 'transparent'}));
  o.cols[col].push(Object.assign(m, {el: g, box, place: {r: col, c: o.cols[col].length}})); put(o.rows[col], g); return m;
}
function canvas(f, ids, names) {
  const {tk} = f.theme, node = svg('svg', {role: 'grid', 'aria-label': QUESTION, width: f.width, height: 10, 'font-family': f.theme.family, fill: tk.ink}), layer = () => svg('g', {'aria-hidden': 'true', 'pointer-events': 'none'});
  const o = {node, tk, ...fonts(f), ids, u: f.theme.u, W: f.width, cols: names.map(() => []), rows: names.map((n, i) => svg('g', {role: 'row', 'aria-label': n, 'aria-rowindex': i + 1})), flow: layer(), over: layer(), bars: layer(), labels: new Map()};
  put(node, svg('defs', {}, hatch(ids.hatch, tk)), o.flow, o.over, o.bars, o.rows.filter((_, i) => i % 2), o.rows.filter((_, i) => i % 2 === 0)); return o; // names lie over ribbons
}
function finish(o, y) { o.H = Math.ceil(y); for (const [k, v] of Object.entries({width: Math.ceil(o.W), height: o.H, viewBox: `0 0 ${Math.ceil(o.W)} ${o.H}`})) o.node.setAttribute(k, v); return o; }

export function drawFlow(d, f, ids, ch) {
  const o = canvas(f, ids, ['variables', 'routes into concepts', 'concepts', 'routes into tasks', 'tasks']), {tk, u, f1, b1, i1, h} = o, hues = d.concepts.map((_, c) => hue(d.specificity[c], tk));
  const own = new Set(ch.routes.map(g => g.v)), used = new Set(ch.routes.map(g => g.c)), ts = new Set(ch.routes.map(g => g.t)), widest = (xs, font, name) => Math.max(0, ...[...xs].map(x => measure(name(x), font)));
  const geo = o.geo = geometry(f.width, u, {table: widest(ts, f1, t => oneLine(d.tasks[t])), variable: Math.max(widest(own, b1, v => oneLine(d.labels[v])), ch.count > ch.routes.length ? measure(left_(ch), i1) - (f.width >= 820*u ? 40*u : 0) : 0), concept: widest(used, {...b1, italic: true}, c => nameOf(d, 'concept', c)) + 4*u, task: Math.max(widest(ts, b1, t => oneLine(d.tasks[t])), measure('100 % of its effect', f1))});
  const l = o.l = layout(d, ch, u, {beside: geo.beside, twoLines: !!ch.lit}), {x1, x2, x3, bar} = geo, title = (x, s, anchor) => put(o.bars, text(x, 14*u, s, h, {'text-anchor': anchor}));
  if (!ch.routes.length) { put(o.bars, text(geo.pad, 20*u, 'Nothing flows.', f1, {fill: tk.muted})); return finish(o, 36*u); }
  title(x1 + bar, 'variable', 'end'); title(x2, 'concept'); title(x3, 'task');
  for (const x of l.left) paintRoute(o, d, ch, x, hues);
  for (const x of l.right) paintLink(o, d, ch, x, hues);
  let last = -1;
  for (const n of l.vars) {
    const t = d.of[n.i], on = !ch.lit || l.left.some(x => x.g.v === n.i && ch.lit.has(x.g.r)), name = oneLine(d.labels[n.i]), short = fit(name, geo.name, b1, middle), mid = n.y + n.h/2;
    if (t !== last) { const table = fit(oneLine(d.tasks[t]), geo.beside ? geo.table - 14*u : x1 - geo.pad, f1, middle); put(o.bars, text(geo.pad, geo.beside ? mid + f1.size*.36 : n.top - 5*u, table, f1, {fill: tk.muted})); last = t; }
    put(o.bars, svg('rect', {x: x1, y: n.y, width: bar, height: n.h, fill: ch.lit && on ? mixed(d, l.left.filter(x => x.g.v === n.i), hues) : tk.axis}), label(o, n, x1 - 8*u, mid, short, ch.lit && on ? b1 : f1, {'text-anchor': 'end', fill: ch.lit && on ? tk.ink : tk.muted}));
    mark(o, d, 0, n, {x: x1 - 8*u - geo.name, y: n.top, w: geo.name + 8*u + bar + 2*u, h: n.room});
  }
  for (const n of l.concepts) {
    const on = !ch.lit || l.left.some(x => x.g.c === n.i && ch.lit.has(x.g.r)), part = naming(d, n.i, 1e6), font = {...(ch.lit && on ? b1 : f1), italic: 'i' in part}, short = fit(plain(part), geo.concept, {...b1, italic: 'i' in part}, middle), mid = n.y + n.h/2;
    put(o.bars, svg('rect', {x: x2, y: n.y, width: bar, height: n.h, fill: hues[n.i], opacity: on ? 1 : .6}), label(o, n, x2 + bar + 8*u, mid, short, font, {fill: ch.lit && on ? tk.ink : on ? tk.ink : tk.muted, ...halo(tk)}));
    mark(o, d, 2, n, {x: x2 - 4*u, y: n.top, w: bar + 12*u + measure(short, font), h: n.room});
  }
  for (const n of l.tasks) {
    const mine = l.right.filter(x => x.t === n.i), lit = ch.lit && mine.some(x => x.lit > 0), short = fit(oneLine(d.tasks[n.i]), geo.task, b1, middle), mid = n.y + n.h/2, share = lit && whole(d, n.i).total;
    put(o.bars, svg('rect', {x: x3, y: n.y, width: bar, height: n.h, fill: tk.axis}), lit && mine.filter(x => x.lit > 0).map(x => svg('rect', {x: x3, y: x.to, width: bar, height: Math.max(x.lit, .75), fill: hues[x.c]})),
      label(o, n, x3 + bar + 8*u, lit ? mid - 8*u : mid, short, lit ? b1 : f1, {fill: lit || !ch.lit ? tk.ink : tk.muted}), lit && text(x3 + bar + 8*u, mid + 8*u + f1.size*.36, fit(`${withUnit(share)} of its ${d.set.measure === 'attention' ? 'attention' : 'effect'}`, geo.task + geo.pad, f1, middle), f1, {fill: tk.muted}));
    mark(o, d, 4, n, {x: x3 - 2*u, y: n.top, w: bar + 8*u + geo.task, h: n.room});
  }
  for (const r of [1, 3]) o.cols[r].sort((a, b) => a.from - b.from).forEach((m, c) => { m.place = {r, c}; m.el.setAttribute('data-c', c); });
  connect(o);
  return finish(o, drawStrip(o, d, ch, l.height + 14*u));
}
/** The colour of a bar that feeds several concepts: that of the widest */
const mixed = (d, xs, hues) => hues[[...xs].sort((a, b) => b.h - a.h)[0].g.c];
function label(o, n, x, y, s, font, attrs) { const el = text(x, y + font.size*.36, s, font, attrs); o.labels.set(n, el); return el; }
const shape = d => svg('path', {d, fill: 'transparent', stroke: 'transparent', 'stroke-width': 5, 'pointer-events': 'all'});
/** No evidence is hatched, never pale */
const vague = (o, d) => svg('path', {d, fill: `url(#${o.ids.hatch})`, stroke: o.tk.hatch, 'stroke-width': .75});
function paintRoute(o, d, ch, x, hues) {
  const {x1, x2, bar} = o.geo, path = ribbon(x1 + bar, x.from, x2, x.to, Math.max(x.h, .75)), on = !ch.lit || ch.lit.has(x.g.r);
  if (on && doubtful(d, x.g)) o.hatched = true;
  put(o.flow, on && doubtful(d, x.g) ? vague(o, path) : svg('path', {d: path, fill: on ? hues[x.g.c] : o.tk.axis, 'fill-opacity': ch.lit ? on ? .62 : .17 : .35}));
  x.d = path; mark(o, d, 1, x, {x: x1 + bar, y: x.from, w: x2 - x1 - bar, h: x.h}, shape(path));
}
function paintLink(o, d, ch, x, hues) {
  const {x2, x3, bar} = o.geo, part = (dy, h) => ribbon(x2 + bar, x.from + dy, x3, x.to + dy, Math.max(h, .75)), doubt = held(d, x.t, x.c).kind === 'unclear';
  if (doubt && x.lit > 0) o.hatched = true;
  if (x.lit > 0) put(o.flow, doubt ? vague(o, part(0, x.lit)) : svg('path', {d: part(0, x.lit), fill: hues[x.c], 'fill-opacity': ch.lit ? .62 : .35}));
  if (x.h - x.lit > 1e-6) put(o.flow, svg('path', {d: part(x.lit, x.h - x.lit), fill: o.tk.axis, 'fill-opacity': .17}));
  x.part = part; mark(o, d, 3, x, {x: x2 + bar, y: x.from, w: x3 - x2 - bar, h: x.h}, shape(part(0, x.h)));
}
/** What each mark leads to when the arrows go left and right: the widest */
function connect(o) {
  const {l} = o, best = xs => xs.reduce((a, b) => !a || b.h > a.h ? b : a, null);
  for (const n of l.vars) n.after = best(l.left.filter(x => x.g.v === n.i));
  for (const x of l.left) { x.before = l.V.get(x.g.v); x.after = l.C.get(x.g.c); }
  for (const n of l.concepts) { n.before = best(l.left.filter(x => x.g.c === n.i)); n.after = best(l.right.filter(x => x.c === n.i)); }
  for (const x of l.right) { x.before = l.C.get(x.c); x.after = l.T.get(x.t); }
  for (const n of l.tasks) n.before = best(l.right.filter(x => x.t === n.i));
}
const left_ = ch => { const n = ch.count - ch.routes.length; return `${thousands(n)} smaller ${n === 1 ? 'route' : 'routes'}`; };
/** The rest: one hatched strip at its true size, or cut visibly where it would be higher than 110 px */
function drawStrip(o, d, ch, y) {
  const {tk, u, geo, f1, i1} = o, left = ch.count - ch.routes.length;
  if (!left || !ch.routes.length) return y;
  const mass = Math.max(0, ch.total - ch.sum), true_ = Math.max(mass*o.l.scale, 3*u), h = Math.min(true_, 110*u), x0 = geo.x1, w = geo.x3 + geo.bar - x0, said = fit(left_(ch), x0 - 8*u - geo.pad, i1, middle), mid = y + h/2 + f1.size*.36;
  o.cutStrip = true_ > h + 1; o.rest = {kind: 'rest', count: left, mass: mass/ch.total, focus: ch.focus};
  put(o.flow, svg('rect', {x: x0, y, width: w, height: h, fill: `url(#${o.ids.hatch})`}));
  if (o.cutStrip) { let p = `M${x0} ${y + h/2}`; for (let k = 0; k < 24; k++) p += `l${w/48} ${-9*u}l${w/48} ${9*u}`; put(o.flow, svg('path', {d: p, fill: 'none', stroke: tk.paper, 'stroke-width': 8*u})); }
  put(o.bars, text(x0 - 8*u, mid, said, i1, {fill: tk.muted, 'text-anchor': 'end'}), text(geo.x3 + geo.bar + 8*u, mid, fit(`${withUnit(mass/ch.total)} of ${ch.focus ? 'their' : 'the'} flow`, geo.task, f1, middle), f1, {fill: tk.muted}));
  mark(o, d, 4, o.rest, {x: x0, y: y - Math.max(0, 24*u - h)/2, w, h: Math.max(24*u, h)});
  return y + Math.max(h, 18*u) + 10*u;
}
/** For little room: routes as a list, names above bars */
export function drawList(d, f, ids, ch, most = 24) {
  const o = canvas(f, ids, ['routes']), {tk, u, f1, i1} = o, x0 = 6*u, lit = ch.lit ? ch.routes.filter(g => ch.lit.has(g.r)) : ch.routes, gs = lit.slice(0, most), max = Math.max(...gs.map(g => g.flow + (g.se > 0 ? 1.96*g.se : 0)), 1e-12), said = g => withUnit(g.flow) + (doubtful(d, g) ? ' n.e.' : ''), x1 = f.width - 14*u - Math.max(whole(d).count > gs.length ? measure(`99\u202f% of all`, f1) : 0, ...gs.map(g => measure(said(g), f1))); let y = 4*u;
  o.list = true;
  for (const g of gs) {
    const w = (x1 - x0)*g.flow/max, h = 8*u, parts = path(d, g, 1e6), cy = y + 26*u, name = fit(plain(parts), f.width - 12*u, f1, middle);
    if (doubtful(d, g)) o.hatched = true;
    put(o.bars, text(x0, y + 14*u, name, f1, {fill: tk.ink}), svg('rect', {x: x0, y: cy - h/2, width: Math.max(1, w), height: h, fill: doubtful(d, g) ? `url(#${ids.hatch})` : hue(d.specificity[g.c], tk)}), g.se > 0 && whisker(x0 + (x1 - x0)*Math.max(0, g.flow - 1.96*g.se)/max, x0 + (x1 - x0)*(g.flow + 1.96*g.se)/max, cy, tk));
    put(o.bars, text(f.width - 6*u, cy + f1.size*.36, said(g), f1, {fill: tk.muted, 'text-anchor': 'end'}));
    mark(o, d, 0, {kind: 'route', g}, {x: 0, y, w: f.width, h: 36*u}); y += 38*u;
  }
  const all = whole(d), left = all.count - gs.length, mass = Math.max(0, all.total - add(gs.map(g => g.flow)));
  if (left > 0 && gs.length) {
    o.rest = {kind: 'rest', count: left, mass: mass/all.total, focus: d.any}; const w = (x1 - x0)*Math.min(1, mass/max); o.cutStrip = mass > max;
    put(o.bars, text(x0, y + 14*u, `${thousands(left)} smaller ${left === 1 ? 'route' : 'routes'}, summed`, i1, {fill: tk.muted}), svg('rect', {x: x0, y: y + 22*u, width: Math.max(1, w), height: 8*u, fill: `url(#${ids.hatch})`}), o.cutStrip && svg('path', {d: `M${x1 - 12*u} ${y + 32*u}l${6*u} ${-12*u}`, stroke: tk.paper, 'stroke-width': 4*u}), text(f.width - 6*u, y + 26*u + f1.size*.36, percent(mass/all.total) + '\u202f% of all', f1, {fill: tk.muted, 'text-anchor': 'end'}));
    mark(o, d, 0, o.rest, {x: 0, y, w: f.width, h: 36*u}); y += 38*u;
  }
  o.shown = {...ch, routes: gs, sum: add(gs.map(g => g.flow)), count: all.count, total: all.total, focus: d.any, full: gs.length < lit.length, lit: null};
  return finish(o, y + 4*u);
}

// ---- marks that come and go ----

const outline = (b, by, stroke, width, rx = 0, cls = '') => svg('rect', {x: b.x - by, y: b.y - by, width: Math.max(1, b.w + 2*by), height: Math.max(1, b.h + 2*by), fill: 'none', stroke, 'stroke-width': width, rx, class: cls});
const barOf = (o, m) => ({x: m.kind === 'variable' ? o.geo.x1 : m.kind === 'concept' ? o.geo.x2 : o.geo.x3, y: m.y, w: o.geo.bar, h: m.h});
function drawPins(o, d) {
  const {tk, u} = o, g = svg('g', {class: 'mtl-pins', 'pointer-events': 'none', 'aria-hidden': 'true'});
  if (o.list) return g;
  for (const n of [...o.l.vars, ...o.l.concepts, ...o.l.tasks]) if (d.pins[n.kind].has(n.i)) { const el = o.labels.get(n), b = barOf(o, n); put(g, outline(b, 3*u, tk.ink, 1.5, 3), n.kind === 'concept' && pin(b.x - 12*u, b.y + b.h/2 - 2*u, tk)); el.setAttribute('font-weight', 650); el.setAttribute('fill', tk.ink); }
  for (const x of g.querySelectorAll('.mtl-overlay')) x.classList.add('mtl-keep');
  return g;
}
/** The routes that a mark is about */
export const about = (m, routes) => routes.filter(x => m.kind === 'route' ? x.g.r === m.g.r : m.kind === 'link' ? x.g.c === m.c && x.g.t === m.t : m.kind === 'variable' ? x.g.v === m.i : m.kind === 'concept' ? x.g.c === m.i : m.kind === 'task' && x.g.t === m.i);
function drawMarks(o, d, st) {
  const {tk} = o, g = svg('g', {class: 'mtl-overlay mtl-marks', 'pointer-events': 'none', 'aria-hidden': 'true'}), m = st.hover ?? (st.focused ? o.cols[st.at.r]?.[st.at.c] : null);
  o.over.replaceChildren(); o.over.setAttribute('class', 'mtl-overlay');
  for (const [, el] of o.labels) { el.dataset.was ??= JSON.stringify([el.getAttribute('font-weight'), el.getAttribute('fill')]); const [w, c] = JSON.parse(el.dataset.was); el.setAttribute('font-weight', w); el.setAttribute('fill', c); }
  const strong = n => { const el = o.labels.get(n); el?.setAttribute('font-weight', 650); el?.setAttribute('fill', tk.ink); };
  if (m && !o.list && m.kind !== 'rest') {
    const on = about(m, o.l.left), sums = new Map();
    for (const x of on) { put(o.over, svg('path', {d: x.d, fill: hue(d.specificity[x.g.c], tk), 'fill-opacity': .62, stroke: m.kind === 'route' ? tk.ink : undefined, 'stroke-width': 1})); const k = `${x.g.c},${x.g.t}`; sums.set(k, (sums.get(k) ?? 0) + x.h); strong(x.before); strong(x.after); }
    for (const x of o.l.right) { const h = sums.get(`${x.c},${x.t}`); if (h) { put(o.over, svg('path', {d: x.part(0, h), fill: hue(d.specificity[x.c], tk), 'fill-opacity': .62, stroke: m.kind === 'link' ? tk.ink : undefined, 'stroke-width': 1})); strong(x.after); } }
    if ('y' in m) put(g, outline(barOf(o, m), 1, tk.ink, 2));
  }
  if (m && (o.list || m.kind === 'rest') && st.hover) put(g, outline(m.box, -1, tk.ink, 1.5, 3));
  if (st.ring && st.focused && m) put(g, m.d || m.part ? svg('path', {d: m.d ?? m.part(0, m.h), fill: 'none', stroke: tk.focus, 'stroke-width': 2.5, class: 'mtl-ring'}) : outline(m.box, 0, tk.focus, 2, 2, 'mtl-ring'));
  return g;
}

// ---- the view ----

/** A slider for the share of the flow that is drawn */
function slider(f, pick, keys) {
  const input = html('input', {type: 'range', class: 'mtl-range', min: 5, max: 100, step: 1, 'aria-label': 'Share of the flow that is drawn'}), said = html('span', {}), at = html('label', {class: 'mtl-choice mtl-slide'}, html('span', {class: 'mtl-muted'}, 'Show'), input, said);
  input.addEventListener('input', () => pick(+input.value/100)); input.addEventListener('keydown', keys); f.controls.append(at);
  return {el: at, set(mass, fits, share) { input.max = Math.max(5, Math.floor(100*fits + 1e-9)); input.value = Math.min(Math.round(100*mass), +input.max); said.textContent = `${withUnit(share)} of the flow`; input.setAttribute('aria-valuetext', said.textContent); }};
}

function render({model, el, signal}) {
  const st = {at: {r: 0, c: 0}, hover: null, focused: false, ring: false, byKey: false, found: null, foundAt: 0, o: null, d: null, ch: null}, ids = {hatch: unique('hatch')};
  const set = (k, v) => { model.set(k, v); model.save_changes(); };
  const f = frame({model, el, signal, label: QUESTION, hooks: {draw, escape: release, table: () => tableOf(st.d, st.ch), picture: () => st.o.node, refocus, fileName: 'concept-flow'}});
  f.card.hidden = true;
  const widthAt = choice(f, 'Width', [['importance', 'importance', 'share of the task’s effect'], ['attention', 'attention', 'share of the task’s attention: not an effect']], v => set('width', v)), whoAt = menu(f, 'Explainer', v => set('explainer', v));
  const massAt = slider(f, v => set('mass', v), e => { const act = {Escape: release, '/': () => f.finder.focus(), t: () => toggleTable(f)}[e.key]; if (act && !e.ctrlKey && !e.metaKey && !e.altKey) { act(); e.preventDefault(); e.stopPropagation(); } });
  finder(f, 'Find a name', 'Find', {look, next, take, leave() { look(''); refocus(); }});

  function look(t) { st.found = t.trim() ? matches(st.d, t) : null; st.foundAt = 0; show(); }
  function next(by) { if (!st.found?.length) return; st.foundAt = (st.foundAt + by + st.found.length) % st.found.length; show(); }
  function show() { const x = st.found?.[st.foundAt]; st.hover = x ? st.o.cols.flat().find(m => m.kind === x.kind && m.i === x.i) ?? null : null; marks(); if (!st.found) speak(); else f.say(x ? [`${thousands(st.foundAt + 1)} of ${thousands(st.found.length)} found: ${x.kind} `, {b: x.parts}, '. Enter pins it, arrows go on.'] : ['Nothing here has that in its name.']); }
  function take() { const x = st.found?.[st.foundAt]; if (!x) return false; look(''); toggle(x.kind, x.id, false, true); refocus(); return true; }
  function toggle(kind, id, more, only) { const trait = KINDS[kind], now = model.get(trait) ?? [], has = now.includes(id); set(trait, has && !only ? (more ? now.filter(x => x !== id) : now.length === 1 ? [] : [id]) : more ? [...now, id] : [id]); }
  function pinned(kind, id) { return (model.get(KINDS[kind]) ?? []).includes(id); }
  function pinAt(m, more) {
    const d = st.d; if (!m || m.kind === 'rest') return;
    const ends = m.kind === 'route' ? [['variable', d.variables[m.g.v]], ['concept', d.concepts[m.g.c]]] : m.kind === 'link' ? [['concept', d.concepts[m.c]], ['task', d.tasks[m.t]]] : [[m.kind, {variable: d.variables, concept: d.concepts, task: d.tasks}[m.kind][m.i]]];
    if (ends.length === 1) toggle(...ends[0], more); else if (ends.every(e => pinned(...e))) for (const [k] of ends) set(KINDS[k], []); else for (const [k, id] of ends) set(KINDS[k], [id]);
  }
  function release() { if (st.found) { f.finder.value = ''; look(''); return; } for (const trait of ['variables', 'concepts', 'tasks']) { const now = model.get(trait) ?? []; if (now.length) { set(trait, now.slice(0, -1)); return; } } }

  function rove() { if (!st.o) return; st.tab?.setAttribute('tabindex', -1); const cols = st.o.cols; if (!cols[st.at.r]?.length) st.at = {r: Math.max(0, cols.findIndex(c => c.length)), c: 0}; st.at.c = Math.min(st.at.c, Math.max(0, (cols[st.at.r]?.length ?? 1) - 1)); st.tab = cols[st.at.r]?.[st.at.c]?.el; st.tab?.setAttribute('tabindex', 0); }
  function refocus() { rove(); st.tab?.focus({preventScroll: true}); }
  function marks() { if (!st.o) return; const g = drawMarks(st.o, st.d, st); st.marks?.remove(); put(st.o.node, g); st.marks = g; }
  function speak() {
    const m = st.hover ?? (st.focused ? st.o.cols[st.at.r]?.[st.at.c] : null), only = m ? null : st.o.cols.flat().filter(x => st.d.pins[x.kind]?.has(x.i)).at(-1);
    f.say(m || only ? reading(st.d, m ?? only) : [{m: f.narrow() ? 'Tap a route to read it and pin its variable and concept.' : 'Hover to read a ribbon or a name; click or Enter pins it, Esc releases, / finds, t opens the table.'}]);
  }
  function move(at) { st.at = at; st.ring = true; st.hover = null; refocus(); marks(); speak(); }

  function controls(d, ch) {
    const able = d.sets.filter(s => s.measure !== 'attention');
    widthAt.el.hidden = !able.length; widthAt.set(d.set.measure === 'attention' ? 'attention' : 'importance');
    whoAt.el.hidden = able.length < 2 || d.set.measure === 'attention'; whoAt.fill(able.map(s => [s.explainer, middle(oneLine(s.explainer), 32)])); whoAt.set(d.set.explainer);
    massAt.el.hidden = ch.count < 2; massAt.set(d.mass, ch.fits, ch.total > 0 ? ch.sum/ch.total : 0);
    const chip = (kind, ids, parts) => [...d.pins[kind]].map(i => ({kind, id: ids[i], parts: parts(i)}));
    chips(f, [...chip('task', d.tasks, t => [taskName(d, t)]), ...chip('concept', d.concepts, c => [naming(d, c)]), ...chip('variable', d.variables, v => inTable(d, v))], (kind, id) => { set(KINDS[kind], model.get(KINDS[kind]).filter(x => x !== id)); refocus(); });
  }
  function draw() {
    if (!f.width) return;
    const d = st.d = read(k => model.get(k));
    if (d.instead) { instead(f, d.instead); return; }
    if (!d.sets) return;
    usual(f); f.card.hidden = true;
    if (f.note.hidden === !!model.isStatic) { f.note.hidden = !model.isStatic; f.note.replaceChildren(html('span', {'aria-hidden': 'true'}, '◇'), html('span', {}, rich([{b: 'Saved page, no kernel.'}, ` Hover, pin, slider, find and table work. ${d.carries}`]))); }
    const ch = st.ch = choose(d), had = f.picture.contains(document.activeElement);
    f.set('question', [QUESTION]); f.set('answer', answer(d, ch)); controls(d, ch);
    st.hover = st.marks = st.tab = null;
    st.o = f.narrow() ? drawList(d, f, ids, ch) : drawFlow(d, f, ids, ch);
    put(st.o.node, drawPins(st.o, d)); listen(st.o.node); f.picture.replaceChildren(st.o.node); rove(); if (had) st.tab?.focus({preventScroll: true});
    f.setFoot(foot(d, st.o.shown ?? ch, {narrow: f.narrow(), cutStrip: st.o.cutStrip, hatched: st.o.hatched})); marks(); speak(); fillTable(f);
  }
  function listen(node) {
    const of = e => { const g = e.target.closest?.('[data-r]'); return g ? st.o.cols[+g.dataset.r][+g.dataset.c] : null; };
    node.addEventListener('pointermove', e => { const m = of(e); if (m === st.hover) return; st.hover = m; marks(); speak(); });
    node.addEventListener('pointerleave', () => { st.hover = null; marks(); speak(); });
    node.addEventListener('pointerdown', e => { const m = of(e); if (!m) return; e.preventDefault(); st.at = m.place; st.byKey = st.ring = false; refocus(); });
    node.addEventListener('click', e => pinAt(of(e), e.shiftKey || e.ctrlKey || e.metaKey));
    node.addEventListener('focusin', e => { const m = of(e); if (!m) return; st.at = m.place; st.focused = true; st.ring = st.byKey; marks(); speak(); });
    node.addEventListener('focusout', () => { st.focused = false; marks(); speak(); });
    node.addEventListener('keydown', e => {
      if (e.ctrlKey || e.metaKey || e.altKey) return;
      const to = step(e.key, st.at, st.o.cols);
      if (to) move(to); else if (e.key === 'Enter' || e.key === ' ') pinAt(st.o.cols[st.at.r]?.[st.at.c], e.shiftKey); else return;
      e.preventDefault(); e.stopPropagation();
    });
  }
  document.addEventListener('keydown', () => { st.byKey = true; }, {capture: true, signal}); // a ring shows where the keys are, not where the pointer was
  const watched = ['concepts', 'tasks', 'variables', 'explainer', 'width', 'mass', 'names', '_info', '_arrays'].map(n => 'change:' + n);
  for (const n of watched) model.on(n, draw);
  signal?.addEventListener('abort', () => { for (const n of watched) model.off(n, draw); });
  if (el.isConnected) f.width = Math.floor(f.root.getBoundingClientRect().width);
  draw();
}
export default {render};
