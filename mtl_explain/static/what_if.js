// WhatIf: what if this value, this concept, were different? One row: values to move, concepts to switch, and every answer that follows.
import {hue} from './_colour.js';
import {capital, count, decimals, fraction, many, middle, oneLine, plain, quantity, signed, thousands} from './_words.js';
import {svg, html, rich, text, measure, fit, flow, hatch, whisker, unpack, unique, put} from './_draw.js';
import {frame, finder, instead, usual, fillTable} from './_frame.js';
import {forward, shares} from './_forward.js';

export const QUESTION = 'What if this value, this concept, were different?';
const NB = '\u00a0', ARROW = ' → ', GO = '\u00a0→\u00a0', FEW = {features: 14, levels: 12, concepts: 24, heads: 10, classes: 5};

// ---- what was sent (pure) ----

export const isNumber = f => f.kind !== 'choice';
export const same = (a, b) => (a ?? null) === (b ?? null);
const sameList = (a, b) => a.length === b.length && a.every(x => b.includes(x));
export const sameEdits = (a, b) => { const k = Object.keys(a), l = Object.keys(b); return k.length === l.length && k.every(x => Object.hasOwn(b, x) && same(a[x], b[x])); };
/** Is an answer the one to the present question? Late ones are not */
export const fresh = (answer, request, edits, off) => !!answer && !answer.error && (answer.n ?? 0) === (request?.n ?? 0) && sameEdits(answer.edits ?? {}, edits) && sameList(answer.off ?? [], off);
/** Edits with one more; a value as stored is no edit */
export function withEdit(d, feature, value) { const f = d.features.find(x => x.name === feature), out = {...d.edits}; if (same(value, f.value)) delete out[feature]; else { if (!Object.hasOwn(out, feature)) delete out[feature]; out[feature] = value; } return out; }
const last = (pinned, there) => { for (let i = (pinned ?? []).length - 1; i >= 0; i--) { const k = there.indexOf(pinned[i]); if (k >= 0) return k; } return -1; };

/** The traits as one object: d.now and d.before are the answers, d.j the target whose change is taken apart, d.why its parts (null: not known) */
export function read(get, answer, open = new Set()) {
  const info = get('_info') ?? {}, wire = get('edits') ?? {}, d = {...info, edits: wire, off: get('off') ?? [], names: get('names') ?? {}, open, suggestion: get('suggestion') ?? {}};
  if (info.instead || !info.features) return d;
  const raw = unpack(get('_arrays') ?? {}); let e = 0, c = 0;
  d.features = info.features.map((f, i) => { const n = f.bins, k = n + (n && isNumber(f) ? 1 : 0), out = {...f, i, edges: isNumber(f) ? raw.edges.subarray(e, e + k) : [], counts: raw.counts.subarray(c, c + n)}; if (isNumber(f)) e += k; c += n; return {...out, step: niceStep(f)}; });
  d.edits = Object.fromEntries(Object.entries(wire).map(([k, v]) => [k, typeof v === 'string' && d.features.find(f => f.name === k)?.kind === 'date' ? Date.parse(v)/864e5 : v]));
  d.before = info.stored.map(v => v ?? NaN);
  d.known = fresh(answer, get('_request'), wire, d.off); d.answer = answer;
  const some = answer?.values ?? info.stored; d.now = some.map(v => v ?? NaN);
  d.changed = d.features.filter(f => Object.hasOwn(d.edits, f.name));
  const ids = info.targets.map(t => t.id), byTarget = last(get('targets'), ids), byTask = last(get('tasks'), info.targets.map(t => t.task)), firstOf = k => info.targets.findIndex(t => t.task === info.targets[k].task);
  d.j = byTarget >= 0 ? byTarget : byTask >= 0 ? firstOf(byTask) : 0; d.targetPinned = byTarget >= 0; if (!d.targetPinned && d.targets[d.j]?.kind === 'nominal') d.j = topOf(d, d.targets[d.j], d.before); // of classes the most probable one
  d.held = d.targetPinned ? (get('targets') ?? []).map(x => ids.indexOf(x)).filter(k => k >= 0 && k !== d.j) : [];
  d.why = d.known ? answer?.why ?? null : null;
  d.pins = {features: get('features') ?? [], concepts: get('concepts') ?? []};
  d.edited = Object.keys(d.edits).length + d.off.length;
  return d;
}

// ---- numbers and places (pure) ----

/** A round step of about a hundredth of the training range; whole numbers move by ones and more */
export function niceStep({low, high, kind}) {
  const w = high - low; if (!(w > 0)) return 1;
  const raw = w/100, ten = 10**Math.floor(Math.log10(raw)), s = ten*[1, 2, 5, 10].find(k => k*ten >= raw*.999);
  return kind === 'number' ? s : Math.max(1, Math.round(s));
}
const trim = x => +x.toPrecision(12);
export const snap = (v, step) => trim(Math.round(v/step)*step);
/** The next value on the grid of steps, n steps on */
export function stepped(v, n, step) { const at = v/step, near = Math.round(at); return trim((Math.abs(at - near) < 1e-6 ? near + n : n > 0 ? Math.floor(at) + n : Math.ceil(at) + n)*step); }
export const isOutside = (f, v) => isNumber(f) && Number.isFinite(v) && (v < f.low - 1e-9*Math.abs(f.low) || v > f.high + 1e-9*Math.abs(f.high));
/** From where to where a slider goes: the training range with room at both ends, and all that is marked on it */
export function domain(f, values = []) {
  const w = f.high - f.low || Math.abs(f.high) || 1; let lo = f.low - .07*w, hi = f.high + .07*w;
  for (const v of values) if (Number.isFinite(v)) { if (v < lo) lo = v - .04*w; if (v > hi) hi = v + .04*w; }
  return [lo, hi];
}
/** An axis of answers: its training range, made longer by quarters until it holds what is marked */
export function axis(t, values) {
  const prob = isProbability(t), low = prob ? 0 : t.low, high = prob ? 1 : t.high, w = high - low || Math.abs(high) || 1; let lo = low, hi = high;
  if (!Number.isFinite(low) || !Number.isFinite(high)) return {lo: Math.min(0, ...values.filter(Number.isFinite)), hi: Math.max(1, ...values.filter(Number.isFinite)), low: NaN, high: NaN};
  for (const v of values) if (Number.isFinite(v)) { if (v < lo) lo = low - Math.ceil((low - v)/(w/4))*w/4; if (v > hi) hi = high + Math.ceil((v - high)/(w/4))*w/4; }
  return {lo, hi: hi > lo ? hi : lo + 1, low, high};
}

// ---- words (pure) ----

export const isProbability = t => t.kind === 'binary' || t.kind === 'nominal';
const places = f => Math.max(0, Math.min(6, -Math.floor(Math.log10(f.step) + 1e-9)));
const dateText = v => { const t = new Date(v*864e5); return Number.isNaN(+t) ? '–' : t.toISOString().slice(0, 10); };
/** A value as a person would write it */
export function valueText(f, v) {
  if (v === null || v === undefined || (typeof v === 'number' && Number.isNaN(v))) return 'missing';
  if (f.kind === 'date') return dateText(v);
  if (isNumber(f)) return quantity(+v, f.kind === 'whole' && Number.isInteger(+v) ? 0 : f.kind === 'whole' ? 1 : places(f));
  const i = f.levels.findIndex(l => same(l, v));
  return oneLine(i >= 0 ? f.texts[i] : v);
}
const decOf = t => isProbability(t) ? 2 : Math.min(decimals(Math.abs(t.high - t.low), 3), decimals(Math.max(Math.abs(t.high), Math.abs(t.low)), 4)); // three digits of the range, four of the number
export const amount = (t, v) => isProbability(t) ? fraction(v) : quantity(v, decOf(t));
export function difference(t, v) { const s = isProbability(t) ? fraction(v) : quantity(v, decOf(t)); return !/[1-9∞]/.test(s) ? '0' : v > 0 ? '+' + s : s; }
const still = (t, v) => !Number.isFinite(v) || difference(t, v) === '0';
export const unitOf = t => t.kind === 'ordered' ? oneLine(t.unit || 'place in its order') : isProbability(t) ? 'probability' : oneLine(t.unit ?? '');
/** A change that is none, or too small for the digits that are shown */
export const small = (t, v) => !Number.isFinite(v) ? 'not known' : Math.abs(v) <= 1e-9*(Math.abs(t.high - t.low) || 1) ? 'no change' : `under ${isProbability(t) ? '.01' : quantity(10**-decOf(t), decOf(t))}`;
/** A part of a change: what the digits cannot show is not called nothing */
export const part = (t, v) => still(t, v) && small(t, v) !== 'no change' ? small(t, v) : difference(t, v);
const full = t => oneLine(t.label ?? t.id);
const withUnit = (s, u) => u ? s + NB + u : s;
export const conceptName = (d, id, n = 28) => d.names[id] ? {n: middle(oneLine(d.names[id]), n)} : d.suggested?.[id] ? {i: `${id} ${middle(oneLine(d.suggested[id]), n)}`} : {n: id};
const rowOf = (sample, n = 20) => ({n: middle(oneLine(sample), n)});
/** One change in words: 'age 47 → 95', 'faith off' */
export function changeParts(d, player, n = 24) {
  if (player.concept !== undefined) return [conceptName(d, player.concept, n), ' off'];
  const f = d.features.find(x => x.name === player.feature); if (!f) return [{n: middle(oneLine(player.feature), n)}];
  const value = Object.hasOwn(player, 'value') ? player.value : d.edits[f.name];
  return [{n: middle(oneLine(f.name), n)}, ` ${middle(valueText(f, f.value), n)}${ARROW}${middle(valueText(f, value), n)}`];
}
export const playersOf = d => [...d.changed.map(f => ({feature: f.name})), ...d.off.map(concept => ({concept}))];
const ofOutcome = (d, t) => d.targets.map((x, i) => [x, i]).filter(([x]) => x.task === t.task && x.outcome === t.outcome);
const topOf = (d, t, values) => ofOutcome(d, t).reduce((best, [, i]) => best < 0 || values[i] > values[best] ? i : best, -1);
/** What an answer turns into: '' or ', past one half', ', and bus is now most probable' */
export function tipping(d, j = d.j) {
  const t = d.targets[j];
  if (t.kind === 'binary') return (d.before[j] - .5)*(d.now[j] - .5) < 0 ? [d.now[j] > .5 ? ', past one half' : ', below one half'] : [];
  if (t.kind !== 'nominal') return [];
  const a = topOf(d, t, d.before), b = topOf(d, t, d.now);
  return a === b || a < 0 ? [] : [', and ', {n: middle(oneLine(d.targets[b].level), 20)}, ' is now most probable'];
}
/** The ten-second read */
export function answer(d) {
  const t = d.targets[d.j]; if (!t) return ['This case has no answers.'];
  const name = {n: middle(full(t), 32)}, who = [' for row ', rowOf(t.sample ?? d.sample)];
  if (!d.edited) return ['As stored, ', name, ' is ', withUnit(amount(t, d.before[d.j]), isProbability(t) ? '' : middle(unitOf(t), 24)), ...who, d.mode === 'stored' ? '.' : `: move a value${d.concepts.length ? ' or switch a concept' : ''}.`];
  const players = playersOf(d), subject = players.length === 1 ? changeParts(d, players[0], 20) : players.length === 2 ? [...changeParts(d, players[0], 14), ' and ', ...changeParts(d, players[1], 14)] : [capital(many(players.length, 'change'))], some = players.length > 1;
  if (!d.known) return [...capped(subject), d.answer?.error ? ': no answer. ' : ': waiting for the answer.', d.answer?.error ? oneLine(d.answer.error) : ''];
  const v = d.now[d.j] - d.before[d.j];
  if (still(t, v)) return [...capped(subject), some ? ' leave ' : ' leaves ', name, ` ${small(t, v) === 'no change' ? 'at' : 'near'} ${amount(t, d.now[d.j])}`, ...who, '.'];
  return [...capped(subject), v > 0 ? (some ? ' raise ' : ' raises ') : some ? ' lower ' : ' lowers ', name, ` from ${amount(t, d.before[d.j])} to ${withUnit(amount(t, d.now[d.j]), isProbability(t) ? '' : middle(unitOf(t), 20))}`, ...tipping(d), '.'];
}
const capped = ([a, ...more]) => [typeof a === 'string' ? capital(a) : a.n ? {n: capital(a.n)} : a, ...more];
export const outsideWords = (f, v) => `${valueText(f, v)} is outside the training range ${valueText(f, f.low)}${f.low < 0 || f.high < 0 || f.kind === 'date' ? ' to ' : '–'}${valueText(f, f.high)}: extrapolation`;

/** The marked place in words */
export function reading(d, m) {
  if (!m) return [];
  if (m.what === 'feature' || m.what === 'slider') { const f = m.f, v = valueNow(d, f), u = oneLine(f.unit ?? ''), where = isNumber(f) ? `, training rows: ${valueText(f, f.low)} to ${withUnit(valueText(f, f.high), u)}` : ''; return [{b: [{n: middle(oneLine(f.name), 60)}, ':']}, ` ${valueText(f, v)}${same(v, f.value) ? ' as stored' : ` now, ${valueText(f, f.value)} stored`}${where}.`, isOutside(f, v) ? ' Outside them the model extrapolates.' : '', f.immutable ? ' Locked: it was said not to change.' : '', tiesOf(d, f)]; }
  if (m.what === 'chip') { const n = m.f.counts.reduce((s, x) => s + x, 0), k = m.level === null ? -1 : m.f.levels.findIndex(l => same(l, m.level)), c = m.f.kind === 'choice' && k >= 0 && n > 0 ? ` ${Math.round(100*m.f.counts[k]/n) || '<1'}\u202f% of the training rows.` : ''; return [{b: [{n: middle(oneLine(m.f.name), 40)}, ' = ', {n: middle(valueText(m.f, m.level), 40)}, ':']}, same(valueNow(d, m.f), m.level) ? ' now' : ' not now', same(m.f.value, m.level) ? ', stored.' : '.', c]; }
  if (m.what === 'more') return [m.say];
  if (m.what === 'concept') return [{b: [conceptName(d, m.id, 60), ':']}, d.off.includes(m.id) ? ` off: ${offWords(d)}.` : ' on.', m.s >= 0 ? ` ${m.s < 1/3 ? 'Shared' : m.s > 2/3 ? 'Private' : 'In between'}: specificity ${fraction(m.s)}.` : ''];
  if (m.what === 'head') return sayHead(d, m.j);
  if (m.what === 'rest') return [{b: `${thousands(m.rest.length)} other ${m.rest.length === 1 ? 'class' : 'classes'}, summed:`}, ` ${fraction(sumOf(d.before, m.rest))}${ARROW}${fraction(sumOf(d.now, m.rest))}; the largest now: `, {n: middle(oneLine(d.targets[m.top].level), 40)}, ` (${fraction(d.now[m.top])}).`];
  if (m.what === 'why') { const t = d.targets[d.j], g = m.g; return [{b: [changeParts(d, m.player, 60), ':']}, !g ? ' not known yet.' : ` ${withUnit(difference(t, g.change), isProbability(t) ? '' : unitOf(t))} of ${difference(t, d.now[d.j] - d.before[d.j])}${g.se > 0 ? ` (95\u202f%: ${difference(t, g.change - 1.96*g.se)} to ${difference(t, g.change + 1.96*g.se)})` : ''}${g.unclear ? ', no evidence of an effect' : ''}.`]; }
  if (m.what === 'person') return [{b: [m.group.own ? 'this case, row ' : 'row ', rowOf(m.group.sample, 40), ' of ', {n: middle(oneLine(m.group.task), 40)}, ':']}, m.group.own ? ' its values are the ones on the left.' : [' another person, with values of their own; what is changed here is changed there: ', ...names(m.group.ties), '.']];
  return [];
}
const names = (items, n = 20) => items.flatMap((x, i) => [i ? (i === items.length - 1 ? ' and ' : ', ') : '', {n: middle(oneLine(x), n)}]);
const sumOf = (v, at) => at.reduce((s, i) => s + (Number.isFinite(v[i]) ? v[i] : 0), 0);
const valueNow = (d, f) => Object.hasOwn(d.edits, f.name) ? d.edits[f.name] : f.value;
const offWords = d => d.offMode === 'average' ? 'each variable takes the mean attention of its table for it' : d.offMode === 'remove' ? 'removed, and nothing stands in for it' : 'switched off';
function tiesOf(d, f) { const t = d.tied.filter(x => x.feature === f.name); return t.length ? [' Tied to ', ...names([...new Set(t.map(x => x.task))]), '.'] : ''; }
function sayHead(d, j) {
  const t = d.targets[j], v = d.now[j] - d.before[j], u = isProbability(t) ? '' : unitOf(t);
  return [{b: [{n: middle(full(t), 60)}, ', row ', rowOf(t.sample, 30), ':']}, !d.edited ? ` ${withUnit(amount(t, d.before[j]), u)} as stored` : !d.known ? ' waiting for the answer' : ` ${amount(t, d.before[j])}${ARROW}${withUnit(amount(t, d.now[j]), u)}${still(t, v) ? `, ${small(t, v)}` : `, ${difference(t, v)}`}`, ...(d.known && d.edited ? tipping(d, j) : []), '.', isProbability(t) || !Number.isFinite(t.low) ? '' : ` On training rows: ${amount(t, t.low)} to ${amount(t, t.high)}.`];
}

// ---- what is shown (pure) ----

/** Features that are shown: the first ones, what is changed and what is pinned; the rest is behind a button */
export function shownFeatures(d) {
  if (d.open.has('features') || d.features.length <= FEW.features + 1) return d.features;
  return d.features.filter((f, i) => i < FEW.features || Object.hasOwn(d.edits, f.name) || d.pins.features.includes(f.name));
}
export function shownLevels(d, f) {
  const all = f.levels.map((l, i) => ({level: l, i}));
  if (d.open.has('level ' + f.name) || all.length <= FEW.levels + 1) return all;
  const by = [...all].sort((a, b) => (f.counts[b.i] ?? 0) - (f.counts[a.i] ?? 0) || a.i - b.i).slice(0, FEW.levels).map(x => x.i), keep = new Set(by);
  return all.filter(x => keep.has(x.i) || same(x.level, f.value) || same(x.level, d.edits[f.name]));
}
export function shownConcepts(d) {
  if (d.open.has('concepts') || d.concepts.length <= FEW.concepts + 3) return d.concepts;
  return d.concepts.filter((c, i) => i < FEW.concepts || d.off.includes(c) || d.pins.concepts.includes(c));
}
/** Answers by row and outcome: [{task, sample, own, ties, outcomes: [{name, kind, shown: [target], rest: [target]}]}]; rows that are left out are in `.hidden` */
export function groups(d) {
  const out = [], at = new Map();
  d.targets.forEach((t, j) => {
    const ties = d.tied.filter(x => x.task === t.task), own = !ties.length, who = own ? '' : t.task, key = own ? `own ${t.task}` : who;
    if (!at.has(key)) { at.set(key, {task: t.task, sample: t.sample, own, ties: [...new Set(ties.map(x => x.feature))], outcomes: []}); out.push(at.get(key)); }
    const g = at.get(key); let o = g.outcomes.find(x => x.name === t.outcome);
    if (!o) g.outcomes.push(o = {name: t.outcome, kind: t.kind, all: []});
    o.all.push(j);
  });
  for (const g of out) for (const o of g.outcomes) {
    const few = d.open.has(`classes ${g.task} ${o.name}`) || o.all.length <= FEW.classes + 1, by = few ? o.all : [...o.all].sort((a, b) => d.before[b] - d.before[a]).slice(0, FEW.classes);
    o.shown = o.all.filter(j => by.includes(j) || (d.targetPinned && j === d.j)); o.rest = o.all.filter(j => !o.shown.includes(j));
  }
  let n = 0; const hidden = [];
  if (!d.open.has('heads')) for (const g of out) { const mine = g.outcomes.some(o => o.all.includes(d.j)); g.outcomes = g.outcomes.filter(o => { const keep = n < FEW.heads || (mine && o.all.includes(d.j)); if (keep) n++; else hidden.push(...o.all); return keep; }); }
  return Object.assign(out.filter(g => g.outcomes.length), {hidden});
}
/** The parts of the change of the target that is taken apart, one for each player; null where they are not known */
export function parts(d) {
  const all = playersOf(d); if (all.length === 1 && !d.why) return [{player: all[0], g: d.known ? {change: d.now[d.j] - d.before[d.j], se: NaN, unclear: false} : null}]; // one change made all of it
  return all.map(p => { const w = d.why?.find(x => p.feature !== undefined ? x.feature === p.feature : x.concept === p.concept), change = w?.change[d.j], se = w?.se?.[d.j]; return {player: p, g: w && Number.isFinite(change) ? {change, se: se > 0 ? se : NaN, unclear: se > 0 && Math.abs(change) <= 1.96*se} : null}; });
}
/** The lines under the picture */
export function foot(d, geo = {}) {
  const f = shownFeatures(d).length, gs = groups(d), heads = gs.flatMap(g => g.outcomes.flatMap(o => o.shown)).length, summed = gs.flatMap(g => g.outcomes.flatMap(o => o.rest)).length, people = gs.filter(g => !g.own).length, one = (n, of, word) => n === of ? (of === 1 ? `the one ${word}` : `all ${thousands(of)} ${word}s`) : `${thousands(n)} of ${thousands(of)} ${word}s`, lines = [];
  lines.push([{b: 'Shown:'}, ` ${one(heads, d.targets.length, 'answer')}; ${one(f, d.features.length, 'feature')} of this case${d.concepts.length ? `; ${one(shownConcepts(d).length, d.concepts.length, 'concept')}` : ''}.`, summed ? ` The other ${thousands(summed)} classes are summed.` : '', gs.hidden.length || f < d.features.length ? ' The rest is behind its button and in the table.' : '']);
  if (d.edited && d.known) { const n = d.targets.filter((t, j) => !still(t, d.now[j] - d.before[j])).length, T = d.targets.length; lines.push([{b: n === 0 ? (d.targets.every((t, j) => small(t, d.now[j] - d.before[j]) === 'no change') ? 'No answer moves.' : 'No answer moves by a digit that is shown.') : n === T && T > 1 ? `All ${thousands(T)} answers move.` : `${capital(count(n))} of ${thousands(T)} ${T === 1 ? 'answer' : 'answers'} ${n === 1 ? 'moves' : 'move'}.`}, ' What the model would answer is not what would happen: other things stay as they are.']); }
  else lines.push(['What the model would answer is not what would happen: other things stay as they are.']);
  const runs = {kernel: 'the model runs in the kernel', weights: 'the model runs in this page', stored: 'the stored case, no model behind it'}[d.mode];
  lines.push([{m: [runs, geo.hatched ? 'hatched: outside the training rows' : '', people ? (people === 1 ? 'one other person, with a row of their own' : `${count(people)} other persons, each with a row of their own`) : '', 'one row has one answer: no interval' + (d.edited && geo.se ? ' but on its parts' : ''), oneLine(d.source ?? '')].filter(Boolean).join(' · ')}]);
  return lines;
}
/** Everything as text */
export function tableOf(d) {
  const players = d.why ? playersOf(d).map(p => [p, d.why.find(x => p.feature !== undefined ? x.feature === p.feature : x.concept === p.concept)]) : [];
  return {caption: `Answers as stored and now${d.edited ? `: ${playersOf(d).map(p => plain(changeParts(d, p))).join(', ')}` : ''}`, head: ['answer', 'row', 'unit', 'stored', 'now', 'change', ...players.map(([p]) => `by ${plain(changeParts(d, p))}`)],
    rows: d.targets.map((t, j) => [full(t), oneLine(t.sample), unitOf(t), amount(t, d.before[j]), d.known || !d.edited ? amount(t, d.now[j]) : '…', d.known && d.edited ? difference(t, d.now[j] - d.before[j]) : d.edited ? '…' : '0', ...players.map(([, w]) => w ? difference(t, w.change[j]) : '–')])};
}
/** What a suggestion says: what would change, and what that keeps to */
export function suggestionLines(d) {
  const s = d.suggestion, edits = Object.entries(s.edits ?? {}), off = s.off ?? [], n = edits.length + off.length; if (!n) return null;
  const inside = edits.every(([k, v]) => { const f = d.features.find(x => x.name === k); return f && !isOutside(f, v); });
  return [[...edits.map(([feature, value]) => changeParts(d, {feature, value}, 24)), ...off.map(concept => changeParts(d, {concept}))].flatMap((p, i) => i ? [', ', ...p] : p), [`${capital(many(edits.length, 'feature'))}${off.length ? ` and ${many(off.length, 'concept')}` : ''}, ${inside ? (edits.length === 1 ? 'inside the data’s range' : edits.length === 2 ? 'both inside the data’s range' : 'all inside the data’s range') : 'not all inside the data’s range'}${s.note ? '; ' + oneLine(s.note) : ''}`]];
}
/** Names that hold a text: features, answers, concepts */
export function matches(d, typed) {
  const t = typed.trim().toLowerCase(), hit = s => oneLine(s).toLowerCase().includes(t);
  return [...d.features.filter(f => hit(f.name)).map(f => ({kind: 'feature', id: f.name, parts: [{n: oneLine(f.name)}]})), ...d.targets.flatMap((x, j) => hit(full(x)) ? [{kind: 'answer', id: x.id, j, parts: [{n: oneLine(full(x))}]}] : []), ...d.concepts.filter(c => hit(plain(conceptName(d, c, 1e6))) || hit(c)).map(c => ({kind: 'concept', id: c, parts: [conceptName(d, c)]}))];
}

// ---- the picture ----

const fonts = f => { const {family, s2, s1, s0} = f.theme, font = (size, weight = 400, italic = false) => ({size, weight, italic, family}); return {f1: font(s1), b1: font(s1, 600), f0: font(Math.max(11, s0)), h: font(s2, 600), m2: font(s2), i1: font(s1, 400, true)}; };
const deco = (o, ...kids) => put(o.node, svg('g', {'aria-hidden': 'true', 'pointer-events': 'none'}, kids));
function row(o, group) { const r = Object.assign([], {group}); o.rows.push(r); return r; }
/** One place that can be read, focused and, where the case can be asked, acted on. What is seen is painted beside it, so that its label is all that is read aloud */
function mark(o, d, r, m, attrs, ...kids) {
  const at = o.rows.indexOf(r);
  deco(o, kids);
  const el = svg('g', {tabindex: -1, 'data-r': at, 'data-c': r.length, 'data-what': m.what, 'data-feature': m.f?.name, 'data-concept': m.id, 'data-target': m.what === 'head' ? d.targets[m.j].id : undefined, 'data-level': m.what === 'chip' ? (m.level === null ? '' : String(m.level)) : undefined, 'aria-label': plain(reading(d, m)).trim(), role: 'img', ...attrs},
    svg('rect', {x: m.box.x, y: m.box.y, width: Math.max(1, m.box.w), height: m.box.h, fill: 'transparent', style: {cursor: m.act ? 'pointer' : 'default'}}));
  r.push(Object.assign(m, {el})); put(o.groups[r.group], el); return m;
}
const live = d => d.mode !== 'stored';
function words(o, x, y, s, font, fill, anchor = 'start') { return text(x, y, s, font, {fill, 'text-anchor': anchor}); }
/** Width of a text whose figures are all as wide as a 0 */
const figures = (s, font) => measure(s.replace(/\d/g, '0'), font);
/** 'before → after' ending at x, the second bold */
function fromTo(o, x, y, a, b, muted) { const {b1, f1, tk} = o, w = figures(b, b1); return [words(o, x, y, b, b1, muted ? tk.muted : tk.ink, 'end'), a !== null && words(o, x - w - 3*o.u, y, a + NB + '→', f1, tk.muted, 'end')]; }
const person = (x, y, u, tk, filled) => svg('g', {fill: filled ? tk.ink : tk.paper, stroke: tk.ink, 'stroke-width': 1.4*u}, svg('circle', {cx: x + 6*u, cy: y - 9*u, r: 3*u}), svg('path', {d: `M${x + .6*u} ${y + 1*u}c0 ${-6.5*u} ${10.8*u} ${-6.5*u} ${10.8*u} 0z`}));
const lock = (x, y, u, tk) => svg('g', {fill: 'none', stroke: tk.muted, 'stroke-width': 1.3*u}, svg('rect', {x, y: y - 6*u, width: 8*u, height: 6.5*u, fill: tk.muted, rx: 1}), svg('path', {d: `M${x + 1.8*u} ${y - 6*u}v${-2*u}a${2.2*u} ${2.2*u} 0 0 1 ${4.4*u} 0v${2*u}`}));

function start(d, f, ids) {
  const {tk, u} = f.theme, node = svg('svg', {role: 'group', 'aria-label': QUESTION, width: f.width, height: 10, 'font-family': f.theme.family}), narrow = f.narrow(), pad = 6*u, W = f.width;
  const groups_ = [svg('g', {role: 'group', 'aria-label': live(d) ? 'What may be changed: arrows up and down go on, left and right change' : 'The case as it is stored'}), svg('g', {role: 'group', 'aria-label': 'What follows'})];
  put(node, svg('defs', {}, hatch(ids.hatch, tk)));
  const gap = 36*u, L1 = narrow ? W - 8*u : pad + (W - pad - 8*u - gap)*.51;
  return {node, groups: groups_, rows: [], W, u, tk, narrow, pad, L0: pad, L1, R0: narrow ? pad : L1 + gap, R1: W - 8*u, ids, hatched: false, se: false, ...fonts(f)};
}
function heading(o, x, y, s, more, x1) { const w = measure(s, o.h) + 6*o.u, m = fit(more, x1 - x - w, o.f1, middle); deco(o, words(o, x, y, s, o.h, o.tk.ink), measure(m, o.f1) <= x1 - x - w && words(o, x + w, y, m, o.f1, o.tk.muted)); }

export function draw(d, f, ids) {
  const o = start(d, f, ids), gs = groups(d); o.d = d;
  if (o.narrow) { let y = answersOf(o, d, gs.filter(g => g.own), 16*o.u, 'own'); y = values(o, d, y + 22*o.u); y = concepts(o, d, y); y = answersOf(o, d, gs.filter(g => !g.own), y + 18*o.u, 'tied', gs.hidden); y = why(o, d, y); return finish(o, y); }
  const left = concepts(o, d, values(o, d, 16*o.u)); let y = answersOf(o, d, gs.filter(g => g.own), 16*o.u, 'own'); y = answersOf(o, d, gs.filter(g => !g.own), y, 'tied', gs.hidden); y = why(o, d, y);
  return finish(o, Math.max(left, y));
}
function finish(o, y) { o.H = Math.ceil(y + 6*o.u); put(o.node, o.groups); for (const [k, v] of Object.entries({width: o.W, height: o.H, viewBox: `0 0 ${o.W} ${o.H}`})) o.node.setAttribute(k, v); return o; }

// -- left: what may be changed

function values(o, d, y) {
  const {u, f1, L0, L1} = o, shown = shownFeatures(d);
  heading(o, L0, y, 'Values,', live(d) ? 'on the training rows' : d.edited ? 'stored and now, on the training rows' : 'as stored, on the training rows', L1); y += 10*u;
  const most = Math.max(0, ...shown.map(f => Math.max(measure(oneLine(f.name), {...f1, weight: 650}), measure(unitLine(f), f1)))); o.labelW = Math.min(most + 4*u, (L1 - L0)*(o.narrow ? .32 : .3)); o.x0 = L0 + o.labelW + 12*u; o.valueW = Math.min(112*u, (L1 - L0)*.24);
  for (const f of shown) y = isNumber(f) ? numberRow(o, d, f, y) : choiceRow(o, d, f, y);
  if (shown.length < d.features.length || d.open.has('features')) y = more(o, d, 0, L0, y + 4*u, shown.length < d.features.length ? `Show all ${thousands(d.features.length)} features` : `Show ${FEW.features} features`, 'features') + 4*u;
  return y;
}
const unitLine = f => [f.unit && oneLine(f.unit), f.immutable && 'locked'].filter(Boolean).join(' · ');
/** Name and unit of a feature, bold where it is changed, with a line under it where it is pinned and a lock where it stays; a long name without a unit takes both lines */
function label(o, d, r, f, y) {
  const {u, tk, f1, L0, labelW} = o, on = Object.hasOwn(d.edits, f.name), pinned = d.pins.features.includes(f.name), font = {...f1, weight: on || pinned ? 650 : 400}, name = oneLine(f.name), line = unitLine(f), broken = line ? [] : flow(name, labelW, font), two = broken.length > 1 && measure(broken[0], font) <= labelW, shown = two ? [broken[0], fit(broken.slice(1).join(' '), labelW, font, middle)] : [fit(name, labelW, font, middle)], indent = f.immutable ? 12*u : 0;
  const at = shown.map((s, i) => words(o, L0, y + (12 + 15*i)*u, s, font, tk.ink)); if (shown.join(' ') !== name) put(at[0], svg('title', {}, name));
  deco(o, at, pinned && svg('line', {x1: L0, x2: L0 + measure(shown[0], font), y1: y + 16*u, y2: y + 16*u, stroke: tk.ink, 'stroke-width': 1.5}), f.immutable && lock(L0, y + 29*u, u, tk), line && words(o, L0 + indent, y + 29*u, fit(line, labelW - indent, f1, middle), f1, tk.muted));
  return mark(o, d, r, {what: 'feature', f, act: 'pin', box: {x: L0, y: y - 2*u, w: labelW + 4*u, h: (line || two ? 34 : 24)*u}}, {role: 'button', 'aria-pressed': String(pinned)});
}
function numberRow(o, d, f, y) {
  const {u, tk, f1, b1, x0, L1} = o, x1 = L1 - o.valueW - 10*u, v = valueNow(d, f), on = Object.hasOwn(d.edits, f.name), nums = [f.value, v].filter(Number.isFinite), [lo, hi] = domain(f, nums), to = x => x0 + (x - lo)/(hi - lo)*(x1 - x0), base = y + 38*u, top = y + 4*u, most = Math.max(1, ...f.counts), r = row(o, 0), can = live(d) && !f.immutable;
  const bars = []; f.counts.forEach((c, i) => { if (c > 0) { const a = to(f.edges[i]), b = to(f.edges[i + 1]), h = Math.max(1, c/most*(base - top)); bars.push(svg('rect', {x: a, y: base - h, width: Math.max(.8, b - a - 1), height: h, fill: tk.line})); } });
  const edge = (a, b) => b - a > 1 && svg('rect', {x: a, y: top, width: b - a, height: base - top, fill: `url(#${o.ids.hatch})`}), a = Number.isFinite(f.value) ? to(f.value) : null, b = Number.isFinite(v) ? to(v) : null, far = isOutside(f, v);
  o.hatched = true;
  const knob = f.immutable ? [b !== null && svg('line', {x1: b, x2: b, y1: base - 5*u, y2: base + 9*u, stroke: tk.ink, 'stroke-width': 2})] : on ? [a !== null && b !== null && svg('line', {x1: a, x2: b, y1: base + 2.5*u, y2: base + 2.5*u, stroke: tk.ink, 'stroke-width': 4*u}), a !== null && svg('circle', {cx: a, cy: base + 2.5*u, r: 4.5*u, fill: tk.paper, stroke: tk.axis, 'stroke-width': 2.2*u}), b !== null && svg('circle', {cx: b, cy: base + 2.5*u, r: 7*u, fill: tk.ink})]
    : [a !== null && svg('circle', {cx: a, cy: base + 2.5*u, r: 6.5*u, fill: tk.paper, stroke: tk.ink, 'stroke-width': 2*u})];
  const now = valueText(f, v), was = valueText(f, f.value), two = on && figures(now, b1) + figures(was + GO, f1) + 4*u > o.valueW, nowS = fit(now, o.valueW, b1, middle), wasS = on ? fit(was, o.valueW - measure(GO, f1), f1, middle) : null;
  label(o, d, r, f, y + 6*u);
  const box = {x: x0 - 8*u, y: y, w: x1 - x0 + 16*u, h: 50*u}, m = {what: 'slider', f, act: can ? 'slide' : undefined, box, from: p => snap(lo + (Math.min(x1, Math.max(x0, p)) - x0)/(x1 - x0)*(hi - lo), f.step), lo, hi};
  mark(o, d, r, m, can ? {role: 'slider', 'aria-label': oneLine(f.name), 'aria-valuemin': lo, 'aria-valuemax': hi, 'aria-valuenow': Number.isFinite(v) ? v : lo, 'aria-valuetext': `${now}${f.unit ? ' ' + oneLine(f.unit) : ''}${on ? `, stored ${was}` : ''}${far ? ', outside the training range' : ''}`, 'aria-orientation': 'horizontal'} : {},
    edge(x0, to(f.low)), edge(to(f.high), x1), bars, svg('rect', {x: x0, y: base, width: x1 - x0, height: 5*u, fill: tk.track}), knob, two ? [words(o, L1, y + 13*u, wasS + NB + '→', f1, tk.muted, 'end'), words(o, L1, y + 29*u, nowS, b1, tk.ink, 'end')] : fromTo(o, L1, y + 21*u, wasS, nowS));
  if (f.missing) chip(o, d, r, f, null, 'missing', L1 - measure('missing', o.b1) - 20*u, y + (two ? 36 : 28)*u, can, true);
  y += (two && f.missing ? 60 : 52)*u;
  if (far) { for (const s of flow(outsideWords(f, v), L1 - x0, b1)) { y += 16*u; deco(o, words(o, x0, y - 2*u, s, b1, tk['warn-text'])); } y += 5*u; }
  return y;
}
/** A level as a chip; the stored one has a double border, the chosen one is filled */
function chip(o, d, r, f, level, said, x, y, can, small = false) {
  const {u, tk, b1, f1} = o, chosen = same(valueNow(d, f), level), stored = same(f.value, level), font = chosen ? b1 : f1, w = measure(said, b1) + (small ? 16 : 19)*u, h = (small ? 20 : 24)*u;
  mark(o, d, r, {what: 'chip', f, level, act: can ? 'choose' : undefined, box: {x: x - 1*u, y: y - (small ? 2 : 0)*u, w: w + 2*u, h: 24*u}}, can ? {role: 'radio', 'aria-checked': String(chosen), 'aria-label': `${oneLine(f.name)}: ${said}${stored ? ', stored' : ''}`} : {},
    stored && svg('rect', {x: x - 2.5*u, y: y - 2.5*u, width: w + 5*u, height: h + 5*u, rx: h/2 + 2.5*u, fill: 'none', stroke: tk.axis, 'stroke-width': 1.5*u}), svg('rect', {x, y, width: w, height: h, rx: h/2, fill: chosen ? tk.ink : tk.paper, stroke: chosen ? tk.ink : can ? tk.axis : tk.line}), words(o, x + w/2, y + h/2 + font.size*.36, said, font, chosen ? tk.paper : can ? tk.ink : tk.muted, 'middle'));
  return w;
}
function choiceRow(o, d, f, y) {
  const {u, L1, x0, b1} = o, can = live(d) && !f.immutable, r = row(o, 0), all = shownLevels(d, f), known = f.value === null || f.levels.some(l => same(l, f.value)), items = [...all.map(x => [x.level, oneLine(f.texts[x.i])]), ...(known ? [] : [[f.value, oneLine(f.value)]]), ...(f.missing || f.value === null ? [[null, 'missing']] : [])], shown = can ? items : items.filter(([l]) => same(l, valueNow(d, f)) || same(l, f.value));
  y += 8*u; label(o, d, r, f, y); let x = x0, at = y - 4*u; const room = L1 - x0;
  for (const [level, said_] of shown) { const said = fit(said_, room - 24*u, b1, middle), w = measure(said, b1) + 19*u; if (x + w > L1 + 1 && x > x0) { x = x0; at += 30*u; } x += chip(o, d, r, f, level, said, x, at, can) + 8*u; }
  const hidden = f.levels.length - all.length;
  if (can && (hidden || d.open.has('level ' + f.name))) { const said = hidden ? `+ ${thousands(hidden)} more` : 'fewer', w = measure(said, b1) + 12*u; if (x + w > L1) { x = x0; at += 30*u; } button(o, d, r, x, at, said, 'level ' + f.name, hidden ? `Show ${thousands(hidden)} more levels of ${oneLine(f.name)}` : 'Show fewer levels'); }
  return Math.max(at + 33*u, y + (unitLine(f) || flow(oneLine(f.name), o.labelW, o.f1).length > 1 ? 38 : 26)*u);
}
function button(o, d, r, x, y, said, open, long) { const {u, tk, f1} = o, w = measure(said, f1); mark(o, d, r, {what: 'more', act: 'open', open, say: `${long}.`, box: {x: x - 4*u, y, w: w + 8*u, h: 24*u}}, {role: 'button', 'aria-label': long}, words(o, x, y + 16*u, said, f1, tk.ink), svg('line', {x1: x, x2: x + w, y1: y + 18.5*u, y2: y + 18.5*u, stroke: tk.axis})); }
function more(o, d, group, x, y, said, open) { button(o, d, row(o, group), x, y, said, open, said); return y + 26*o.u; }

function concepts(o, d, y) {
  const {u, tk, f1, i1, L0, L1, h} = o, shown = shownConcepts(d); if (!shown.length) return y;
  y += 26*u; heading(o, L0, y, 'Concepts,', `all on${d.off.length ? ` but ${count(d.off.length)}` : ''}`, L1); y += 12*u;
  const names_ = shown.map(c => conceptName(d, c, 40)), font = n => 'i' in n ? i1 : f1, off = measure('· off', f1) + 5*u, wide = Math.max(...names_.map(n => measure(plain(n), font(n)))) + off + 52*u, cols = Math.max(1, Math.min(o.narrow ? 3 : 4, Math.floor((L1 - L0 + 8*u)/Math.max(84*u, Math.min(wide, 170*u))))), w = (L1 - L0)/cols; let r;
  shown.forEach((id, i) => {
    if (i % cols === 0) r = row(o, 0);
    const on = !d.off.includes(id), x = L0 + (i % cols)*w, at = y + Math.floor(i/cols)*28*u, name = names_[i], s = d.specificity?.[id], color = Number.isFinite(s) ? hue(s, tk) : tk.muted, pinned = d.pins.concepts.includes(id), ft = {...font(name), weight: pinned ? 650 : 400}, label_ = fit(plain(name), w - 46*u - (on ? 0 : off), ft, middle), can = live(d);
    mark(o, d, r, {what: 'concept', id, s: Number.isFinite(s) ? s : -1, act: can ? 'switch' : undefined, box: {x: x - 2*u, y: at, w: w - 6*u, h: 26*u}}, can ? {role: 'switch', 'aria-checked': String(on), 'aria-label': `${plain(conceptName(d, id, 1e6))}: concept`} : {},
      svg('rect', {x: x + .5, y: at + 5*u, width: 29*u, height: 16*u, rx: 8*u, fill: on ? color : tk.paper, stroke: on ? color : tk.axis, 'stroke-width': 1.4*u}), svg('circle', {cx: x + (on ? 21 : 8.5)*u, cy: at + 13*u, r: 5*u, fill: on ? tk.paper : tk.axis}), words(o, x + 38*u, at + 17*u, label_, ft, on ? tk.ink : tk.muted), !on && words(o, x + 42*u + measure(label_, ft), at + 17*u, '· off', f1, tk.muted), pinned && svg('line', {x1: x + 38*u, x2: x + 38*u + measure(label_, ft), y1: at + 20.5*u, y2: at + 20.5*u, stroke: tk.ink, 'stroke-width': 1.5}));
  });
  y += Math.ceil(shown.length/cols)*28*u;
  if (shown.length < d.concepts.length || d.open.has('concepts')) y = more(o, d, 0, L0, y + 2*u, shown.length < d.concepts.length ? `Show all ${thousands(d.concepts.length)} concepts` : `Show ${FEW.concepts} concepts`, 'concepts');
  return y;
}

// -- right: what follows

function answersOf(o, d, gs, y, which, hidden = []) {
  const {u, tk, R0, R1} = o;
  if (which === 'own') { heading(o, R0, y, live(d) || d.edited ? 'Answers,' : 'Answers', live(d) || d.edited ? 'before ○ → after ●' : 'as stored', R1); y += 8*u; }
  else if (gs.length) { deco(o, svg('line', {x1: R0, x2: R1, y1: y + 4*u, y2: y + 4*u, stroke: tk.line})); y += 24*u; heading(o, R0, y, 'Tied features travel to other persons', '', R1); y += 4*u; }
  for (const g of gs) y = personRows(o, d, g, y);
  if (which === 'tied' && (hidden.length || d.open.has('heads'))) y = more(o, d, 1, R0, y + 2*u, hidden.length ? `Show all ${thousands(d.targets.length)} answers` : 'Show fewer answers', 'heads');
  return y;
}
function personRows(o, d, g, y) {
  const {u, tk, f1, b1, R0, R1} = o, r = row(o, 1), name = oneLine(g.task), id = middle(oneLine(g.sample), 18), said = g.own ? `${NB}· row ${id}, this case` : `${NB}· row ${id} · ${g.ties.map(t => middle(oneLine(t), 16)).join(', ')} tied`, room = R1 - R0 - 20*u, short = fit(name, Math.max(room*.5, room - measure(said, f1)), b1, middle), x = R0 + 20*u, w = Math.max(figures(short, b1), measure(short, b1)) + 2*u;
  y += 6*u; mark(o, d, r, {what: 'person', group: g, box: {x: R0, y, w: R1 - R0, h: 22*u}}, {}, person(R0, y + 17*u, u, tk, g.own), words(o, x, y + 16*u, short, b1, tk.ink), words(o, x + w, y + 16*u, fit(said, room - w, f1, middle), f1, tk.muted)); y += 22*u;
  if (d.edited && d.known) for (const {text: said_} of (d.answer?.outside ?? []).filter(x => x.task === g.task)) { for (const line of flow(oneLine(said_), R1 - R0, b1)) { deco(o, words(o, R0, y + 14*u, line, b1, tk['warn-text'])); y += 16*u; } y += 2*u; }
  for (const out of g.outcomes) y = out.all.length > 1 ? classRows(o, d, g, out, y) : oneRow(o, d, out.shown[0], y);
  return y;
}
const tracks = o => { const w = o.R1 - o.R0, vw = Math.min(118*o.u, w*.34), x0 = o.R0 + w*(o.narrow ? .3 : .31); return {x0, x1: o.R1 - vw - 10*o.u, valueW: vw, nameW: x0 - o.R0 - 12*o.u}; };
/** The track of one answer: before hollow, after filled, coloured by the sign of the change */
function track(o, d, j, cy, {x0, x1}) {
  const {u, tk} = o, t = d.targets[j], a = d.before[j], b = d.now[j], ax = axis(t, d.edited && d.known ? [a, b] : [a]), to = v => x0 + (v - ax.lo)/(ax.hi - ax.lo)*(x1 - x0), moved = d.edited && d.known && !still(t, b - a), known = Number.isFinite(ax.low), l = known ? to(ax.low) : x0, h = known ? to(ax.high) : x1, edge = (p, q) => q - p > 1 && (o.hatched = true, svg('rect', {x: p, y: cy - 5*u, width: q - p, height: 10*u, fill: `url(#${o.ids.hatch})`}));
  const color = moved ? (b > a ? tk.plus : tk.minus) : tk.axis;
  return {ax, kids: [edge(x0, l), edge(h, x1), svg('rect', {x: l, y: cy - 2.5*u, width: Math.max(1, h - l), height: 5*u, fill: tk.track}), moved && svg('line', {x1: to(a), x2: to(b), y1: cy, y2: cy, stroke: color, 'stroke-width': 4*u}), Number.isFinite(a) && svg('circle', {cx: to(a), cy, r: 5*u, fill: tk.paper, stroke: tk.axis, 'stroke-width': 2.2*u}), d.edited && d.known && Number.isFinite(b) && svg('circle', {cx: to(b), cy, r: 5.5*u, fill: color})]};
}
function numbers(o, d, j, y, y2) {
  const {u, tk, R1, b1, f1} = o, t = d.targets[j], a = amount(t, d.before[j]), v = d.now[j] - d.before[j];
  if (!d.edited) return [words(o, R1, y, a, b1, tk.ink, 'end')];
  if (!d.known) return fromTo(o, R1, y, a, '…', true);
  const none = still(t, v), tint = none ? tk.muted : tk[v > 0 ? 'plus-text' : 'minus-text'];
  const b = amount(t, d.now[j]), fits = figures(a + GO, f1) + figures(b, b1) + 4*u <= tracks(o).valueW; // where both do not fit, the reading line has the first one
  return [fits ? fromTo(o, R1, y, a, b) : words(o, R1, y, fit(b, tracks(o).valueW, b1, middle), b1, tk.ink, 'end'), y2 !== null && words(o, R1, y2, none ? small(t, v) : difference(t, v), none ? f1 : b1, tint, 'end')];
}
function headAttrs(d, j) { return {role: 'button', 'aria-pressed': String(d.targetPinned && d.j === j)}; }
function frameOf(o, d, j, box) { if (d.targetPinned && d.j === j) o.frame = {box}; }
function ends(o, t, ax, y, {x0, x1}) {
  const {u, tk, f0} = o, [lo, hi] = isProbability(t) ? ['0', '1'] : [amount(t, ax.lo), amount(t, ax.hi)], unit = unitOf(t), room = x1 - x0 - measure(lo + hi, f0) - 14*u, mid = (x0 + measure(lo, f0) + x1 - measure(hi, f0))/2, short = fit(unit, room, f0, middle), said = short !== unit && short.length < 8 ? '' : short; // a unit that is all but dots says nothing
  return [words(o, x0, y, lo, f0, tk.muted), words(o, x1, y, hi, f0, tk.muted, 'end'), said && measure(said, f0) <= room && words(o, mid, y, said, f0, tk.muted, 'middle')];
}
function oneRow(o, d, j, y) {
  const {u, tk, f1, R0, R1} = o, t = d.targets[j], g = tracks(o), r = row(o, 1), name = oneLine(t.outcome || full(t)), on = d.targetPinned && d.j === j, font = {...f1, weight: on ? 650 : 400}, cy = y + 12*u, {ax, kids} = track(o, d, j, cy, g), lines = flow(name, g.nameW, font), two = lines.length > 1 && measure(lines[0], font) <= g.nameW ? [lines[0], fit(lines.slice(1).join(' '), g.nameW, font, middle)] : [fit(name, g.nameW, font, middle)], box = {x: R0 - 3*u, y: y - 3*u, w: R1 - R0 + 6*u, h: 40*u};
  const at = two.map((s, i) => words(o, R0, y + (16 + 15*i)*u, s, font, tk.ink)); if (two.join(' ') !== name) put(at[0], svg('title', {}, name));
  mark(o, d, r, {what: 'head', j, act: 'target', box}, headAttrs(d, j), at, kids, ends(o, t, ax, y + 31*u, g), numbers(o, d, j, y + 16*u, y + 32*u)); frameOf(o, d, j, box);
  return y + 42*u;
}
function classRows(o, d, g_, out, y) {
  const {u, tk, f1, i1, R0, R1} = o, g = tracks(o), h = 25*u; let ax;
  deco(o, words(o, R0, y + 14*u, fit(oneLine(out.name), R1 - R0, f1, middle), f1, tk.muted)); y += 19*u;
  const line = (name, font, kids, m, attrs, box) => { const at = words(o, R0 + 8*u, y + 16*u, fit(name, g.nameW - 8*u, font, middle), font, m.what === 'rest' ? tk.muted : tk.ink); if (fit(name, g.nameW - 8*u, font, middle) !== name) put(at, svg('title', {}, name)); mark(o, d, row(o, 1), {...m, box}, attrs, at, kids); y += h; };
  for (const j of out.shown) { const t = d.targets[j], box = {x: R0 - 3*u, y, w: R1 - R0 + 6*u, h: 24*u}, tr = track(o, d, j, y + 12*u, g), on = d.targetPinned && d.j === j; ax = tr.ax; frameOf(o, d, j, box); line(oneLine(t.level || full(t)), {...f1, weight: on ? 650 : 400}, [tr.kids, numbers(o, d, j, y + 16*u, null)], {what: 'head', j, act: 'target'}, headAttrs(d, j), box); }
  if (out.rest.length) {
    const top = out.rest.reduce((p, q) => d.now[q] > d.now[p] ? q : p), a = sumOf(d.before, out.rest), b = sumOf(d.now, out.rest), to = v => g.x0 + Math.min(1, Math.max(0, v))*(g.x1 - g.x0), cy = y + 12*u;
    line(`${thousands(out.rest.length)} others, summed`, i1, [svg('rect', {x: g.x0, y: cy - 2.5*u, width: g.x1 - g.x0, height: 5*u, fill: tk.track}), svg('circle', {cx: to(a), cy, r: 5*u, fill: tk.paper, stroke: tk.axis, 'stroke-width': 2.2*u}), d.edited && d.known && svg('circle', {cx: to(b), cy, r: 5.5*u, fill: tk.axis}), d.edited ? fromTo(o, R1, y + 16*u, fraction(a), d.known ? fraction(b) : '…') : words(o, R1, y + 16*u, fraction(a), o.b1, tk.ink, 'end')], {what: 'rest', rest: out.rest, top, act: 'open', open: `classes ${g_.task} ${out.name}`}, {role: 'button'}, {x: R0 - 3*u, y, w: R1 - R0 + 6*u, h: 24*u});
  }
  if (ax) deco(o, ends(o, d.targets[out.shown[0]], ax, y + 9*u, g));
  return y + 16*u;
}
function why(o, d, y) {
  const {u, tk, f1, b1, h, R0, R1} = o, t = d.targets[d.j]; if (!d.edited || !t || (!live(d) && !d.why)) return y;
  const all = parts(d), v = d.now[d.j] - d.before[d.j], total = d.known ? difference(t, v) : '…', head = 'What made the difference for ', name = fit(full(t), Math.max(60*u, R1 - R0 - measure(head + ': ' + total, h)), h, middle), unknown = all.every(p => !p.g);
  deco(o, svg('line', {x1: R0, x2: R1, y1: y + 8*u, y2: y + 8*u, stroke: tk.line})); y += 28*u;
  for (const s of flow(`${head}${name}: ${total}`, R1 - R0, h)) { deco(o, words(o, R0, y, s, h, tk.ink)); y += 18*u; }
  if (d.whyNot && unknown && d.known) { for (const s of flow(d.whyNot, R1 - R0, f1)) { deco(o, words(o, R0, y, s, f1, tk.muted)); y += 17*u; } return y; }
  y -= 8*u; const w = R1 - R0, numW = Math.max(56*u, ...all.map(p => p.g ? measure(part(t, p.g.change) + (p.g.unclear ? ' n.e.' : ''), b1) + 8*u : 0)), x0 = R0 + w*.42, x1 = R1 - numW, reach = all.flatMap(p => p.g ? [p.g.change, ...(p.g.se > 0 ? [p.g.change - 1.96*p.g.se, p.g.change + 1.96*p.g.se] : [])] : []), least = (isProbability(t) ? 1 : t.high - t.low || 0)*.02, lo = Math.min(0, ...reach), hi = Math.max(0, lo + least, ...reach), to = x => hi > lo ? x0 + (x - lo)/(hi - lo)*(x1 - x0 - 8*u) : x0, zero = to(0), top = y + 4*u;
  for (const {player, g} of all) {
    const room = w*.42 - 10*u, said = [30, 16, 11, 8].map(n => plain(changeParts(d, player, n))).find((s, i) => i === 3 || measure(s, f1) <= room), short = fit(said, room, f1, middle), cy = y + 13*u; if (g?.se > 0) o.se = true;
    mark(o, d, row(o, 1), {what: 'why', player, g, box: {x: R0, y, w, h: 25*u}}, {}, words(o, R0, y + 17*u, short, f1, tk.ink), g ? [svg('rect', {x: Math.min(zero, to(g.change)), y: y + 6*u, width: difference(t, g.change) === '0' ? 0 : Math.max(1, Math.abs(to(g.change) - zero)), height: 14*u, fill: g.unclear ? `url(#${o.ids.hatch})` : g.change > 0 ? tk.plus : tk.minus, stroke: g.unclear ? tk.hatch : undefined}), g.se > 0 && whisker(to(g.change - 1.96*g.se), to(g.change + 1.96*g.se), cy, tk)] : svg('rect', {x: zero, y: y + 6*u, width: (x1 - zero)*.3, height: 14*u, fill: tk.track}),
      words(o, R1, y + 17*u, g ? part(t, g.change) + (g.unclear ? ' n.e.' : '') : '…', g && !g.unclear && difference(t, g.change) !== '0' ? b1 : f1, !g || g.unclear || difference(t, g.change) === '0' ? tk.muted : tk[g.change > 0 ? 'plus-text' : 'minus-text'], 'end')); y += 25*u;
  }
  deco(o, svg('line', {x1: zero, x2: zero, y1: top, y2: y, stroke: tk.axis}));
  return y + 4*u;
}

// ---- marks that come and go ----

const outline = (b, by, stroke, width, rx = 0, cls = '') => svg('rect', {x: b.x - by, y: b.y - by, width: b.w + 2*by, height: b.h + 2*by, fill: 'none', stroke, 'stroke-width': width, rx, class: cls});
function drawMarks(o, st) {
  const g = svg('g', {class: 'mtl-overlay mtl-marks', 'pointer-events': 'none', 'aria-hidden': 'true'}), m = st.focused ? o.rows[st.at.r]?.[st.at.c] : null;
  if (st.hover && !['slider', 'person', 'why'].includes(st.hover.what)) put(g, outline(st.hover.box, 0, o.tk.axis, 1.2, 4));
  if (st.ring && m) put(g, outline(m.box, 2, o.tk.focus, 2, 4, 'mtl-ring'));
  return g;
}
export function locate(o, x, y) { for (let r = 0; r < o.rows.length; r++) for (let c = 0; c < o.rows[r].length; c++) { const b = o.rows[r][c].box; if (x >= b.x && x < b.x + b.w && y >= b.y && y < b.y + b.h) return {r, c}; } return null; }
/** The next place for a key, within its half of the picture; null if the key does not move */
export function step(key, {r, c}, rows) {
  const group = rows[r]?.group, of = rows.map((x, i) => i).filter(i => rows[i].group === group && rows[i].length), k = of.indexOf(r), mid = m => m.box.x + m.box.w/2, there = i => { const now = rows[r][c], to = rows[i]; return to.reduce((best, m, q) => Math.abs(mid(m) - mid(now)) < Math.abs(mid(to[best]) - mid(now)) - 1e-6 ? q : best, 0); }, at = i => { const q = of[Math.min(of.length - 1, Math.max(0, i))]; return {r: q, c: q === r ? c : there(q)}; };
  if (key === 'ArrowUp') return at(k - 1);
  if (key === 'ArrowDown') return at(k + 1);
  if (key === 'ArrowLeft') return {r, c: Math.max(0, c - 1)};
  if (key === 'ArrowRight') return {r, c: Math.min(rows[r].length - 1, c + 1)};
  return null;
}
/** The value that a key gives a slider; undefined if it gives none */
export function slid(key, f, v, big = false) {
  const at = Number.isFinite(v) ? v : Number.isFinite(f.value) ? f.value : snap((f.low + f.high)/2, f.step), go = n => stepped(at, n*(big ? 10 : 1), f.step), [lo, hi] = domain(f, [f.value, at]), cut = x => x < lo || x > hi ? at : x;
  return {ArrowRight: cut(go(1)), ArrowLeft: cut(go(-1)), PageUp: Math.min(f.high, stepped(at, 10, f.step)), PageDown: Math.max(f.low, stepped(at, -10, f.step)), Home: f.low, End: f.high}[key];
}

// ---- the view ----

const WAIT = 300, SETTLE = 160; // ms before it is said that an answer is awaited; after the last edit before its parts are asked for
function render({model, el, signal}) {
  const st = {at: {r: 0, c: 1}, tabs: [], hover: null, focused: false, ring: false, byKey: false, o: null, d: null, open: new Set(), answer: model.get('_answer'), drag: null, typed: null, found: null, foundAt: 0, asked: 0, took: null, timers: {}}, ids = {hatch: unique('hatch')};
  const packed = model.get('_weights'), weights = model.isStatic && packed?.header ? forward({header: packed.header, arrays: unpack(packed.arrays)}) : null, mode = weights ? 'weights' : model.isStatic ? 'stored' : 'kernel';
  const set = values => { model.set(values); model.save_changes(); }, later = (name, ms, f) => { clearTimeout(st.timers[name]); st.timers[name] = setTimeout(f, ms); };
  const f = frame({model, el, signal, label: QUESTION, hooks: {draw: paint, escape: release, table: () => tableOf(st.d), picture: () => st.o.node, refocus: () => refocus(), fileName: 'what-if'}});
  const where = html('span', {class: 'mtl-what-case'}), undo = html('button', {type: 'button', class: 'mtl-chip', onclick: () => { change({}, [], true); refocus(); }}), status = html('span', {class: 'mtl-muted', 'aria-live': 'off'});
  const hows = [['remove', 'removed'], ['average', 'average']].map(([value, said]) => html('button', {type: 'button', class: 'mtl-segment', 'data-value': value, onclick: () => ask({how: value}, true)}, said)), how = html('div', {class: 'mtl-choice', role: 'group', 'aria-label': 'A concept that is off is'}, html('span', {class: 'mtl-muted', style: {display: 'inline'}}, 'A concept that is off is'), html('div', {class: 'mtl-segments', style: {display: 'inline-flex'}}, hows));
  f.controls.append(where, undo, how, status); finder(f, 'Find a name', 'Find', {look, next, take, leave() { look(''); refocus(); }}); f.card.style.flexBasis = '100%'; f.card.style.maxWidth = 'none'; f.chips.hidden = true;

  // -- asking
  /** New edits: one number for every question, so that a late answer is known as one */
  function ask({find, ...values}, settle) { const n = (model.get('_request')?.n ?? 0) + 1; st.asked = performance.now(); set({_request: {n, why: !!settle, ...(find ? {find} : {})}, ...values}); if (weights && !Object.keys(values).length) asked(); if (mode === 'kernel' && !find) later('wait', WAIT, tellWait); }
  const wire = edits => Object.fromEntries(Object.entries(edits).map(([k, v]) => [k, st.d.features.find(x => x.name === k)?.kind === 'date' && Number.isFinite(v) ? dateText(v) : v]));
  function change(edits, off, settle) { const e = wire(edits); if (sameEdits(e, model.get('edits') ?? {}) && sameList(off, model.get('off') ?? [])) return; ask({edits: e, off}, settle); if (!settle) later('settle', SETTLE, () => { if (Object.keys(model.get('edits') ?? {}).length) ask({}, true); }); else clearTimeout(st.timers.settle); }
  const put_ = (feature, value, settle = true) => change(withEdit(st.d, feature, value), model.get('off') ?? [], settle);
  function toggle(id) { const off = model.get('off') ?? []; change(st.d.edits, off.includes(id) ? off.filter(x => x !== id) : [...off, id], true); }
  /** The page's own model */
  function think() {
    const edits = model.get('edits') ?? {}, off = model.get('off') ?? [], how_ = model.get('how'), n = model.get('_request')?.n ?? 0; if (!weights) return;
    const t = performance.now(), before = [...weights.ask({}, [])], values = [...weights.ask(edits, off, how_)].map((v, j) => st.d.before[j] + v - before[j]); st.took = performance.now() - t; // the difference is the page's; what is stored stays as it was answered
    st.answer = {n, edits, off, values, why: null, outside: weights.outside(edits)}; later('why', 30, () => { const all = shares((e, o) => weights.ask(e, o, how_), edits, off); st.answer.why = all; st.whyNot = all ? '' : 'More than seven changes at once: their parts are not worked out in this page.'; paint(); });
  }
  function heard() { const a = model.get('_answer'); if (!a || (a.n ?? 0) < (model.get('_request')?.n ?? 0)) return; st.answer = a.error ? {...a, values: st.answer?.values} : a; clearTimeout(st.timers.wait); if (st.asked) { st.took = performance.now() - st.asked; st.asked = 0; } st.whyNot = st.stale = ''; paint(); }
  function tellWait() { if (fresh(st.answer, model.get('_request'), model.get('edits') ?? {}, model.get('off') ?? [])) return; st.stale = true; status.textContent = 'waiting for the kernel …'; paint(); }
  function asked() { if (weights) think(); paint(); }

  // -- pins, keys
  const pinned = (trait, id, only = false) => { const now = model.get(trait) ?? [], gone = now.includes(id) && !only; set({[trait]: gone ? now.filter(x => x !== id) : [...now.filter(x => x !== id), id]}); };
  function release() {
    const d = st.d, drop = (trait, id) => set({[trait]: model.get(trait).filter(x => x !== id)}), there = (trait, ids_) => (model.get(trait) ?? []).filter(x => ids_.includes(x)).at(-1);
    if (st.typed) { st.typed = null; speak(); return; }
    if (st.found) { f.finder.value = ''; look(''); return; }
    const t = there('targets', d.targets.map(x => x.id)), k = there('features', d.features.map(x => x.name)), c = there('concepts', d.concepts);
    if (t !== undefined) drop('targets', t); else if (k !== undefined) drop('features', k); else if (c !== undefined) drop('concepts', c); else if (live(d)) { const off = model.get('off') ?? [], e = Object.keys(d.edits); if (off.length) change(d.edits, off.slice(0, -1), true); else if (e.length) { const { [e.at(-1)]: _, ...rest } = d.edits; change(rest, off, true); } }
  }
  function act(m) {
    if (!m?.act) return;
    if (m.act === 'pin') pinned('features', m.f.name); else if (m.act === 'choose') put_(m.f.name, m.level); else if (m.act === 'switch') toggle(m.id); else if (m.act === 'target') pinned('targets', st.d.targets[m.j].id);
    else if (m.act === 'open') { if (st.open.has(m.open)) st.open.delete(m.open); else st.open.add(m.open); paint(); refocus(); }
  }
  function key(e) {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const m = st.o.rows[st.at.r]?.[st.at.c], slide = m?.act === 'slide', v = slide && slid(e.key, m.f, valueNow(st.d, m.f), e.shiftKey);
    if (slide && /^[\d.,−-]$/.test(e.key)) { st.typed = (st.typed ?? '') + e.key.replace(',', '.').replace('−', '-'); f.say([{b: [{n: oneLine(m.f.name)}, ` = ${st.typed}`]}, ' – Enter takes it, Esc does not.']); }
    else if (slide && st.typed && e.key === 'Enter') { const x = Number(st.typed); st.typed = null; if (Number.isFinite(x)) put_(m.f.name, m.f.kind === 'whole' ? Math.round(x) : x); else f.say(['That is not a number.']); }
    else if (slide && st.typed && e.key === 'Backspace') { st.typed = st.typed.slice(0, -1) || null; if (st.typed) f.say([{b: [{n: oneLine(m.f.name)}, ` = ${st.typed}`]}]); else speak(); }
    else if (slide && v !== undefined) { st.typed = null; put_(m.f.name, v, false); }
    else if ((m?.f) && live(st.d) && !m.f.immutable && (e.key === 'Backspace' || e.key === 'Delete')) put_(m.f.name, m.f.value);
    else if ((e.key === 'Enter' || e.key === ' ') && m?.act) act(m);
    else { const to = step(e.key, st.at, st.o.rows); if (!to) return; st.typed = null; move(to); }
    e.preventDefault(); e.stopPropagation();
  }
  function look(t) { st.found = t.trim() ? matches(st.d, t) : null; st.foundAt = 0; if (st.found) tell(); else speak(); }
  function tell() { const m = st.found[st.foundAt]; f.say(m ? [`${thousands(st.foundAt + 1)} of ${thousands(st.found.length)} found: ${m.kind} `, {b: m.parts}, '. Enter goes there, arrows go on.'] : ['Nothing here has that in its name.']); }
  function next(by) { if (!st.found?.length) return; st.foundAt = (st.foundAt + by + st.found.length) % st.found.length; tell(); }
  function take() { const m = st.found?.[st.foundAt]; if (!m) return false; look(''); pinned(m.kind === 'feature' ? 'features' : m.kind === 'concept' ? 'concepts' : 'targets', m.id, true); st.ring = true; for (const [r, line] of st.o.rows.entries()) for (const [c, x] of line.entries()) if (m.kind === 'feature' ? x.f?.name === m.id && x.what !== 'feature' : m.kind === 'concept' ? x.id === m.id : x.what === 'head' && x.j === m.j) { move({r, c}); return true; } refocus(); return true; }

  // -- focus, hover, words
  function rove() { if (!st.o) return; st.at.r = Math.min(st.at.r, st.o.rows.length - 1); st.at.c = Math.max(0, Math.min(st.at.c, (st.o.rows[st.at.r]?.length ?? 1) - 1)); for (const g of [0, 1]) { const mine = st.o.rows[st.at.r]?.group === g, first = st.o.rows.findIndex(r => r.group === g && r.length), at = mine ? st.at : first < 0 ? null : {r: first, c: Math.min(g === 0 ? 1 : 0, st.o.rows[first].length - 1)}; if (at) { const m = st.o.rows[at.r][at.c]; m.el.setAttribute('tabindex', 0); if (mine) st.tab = m.el; } } }
  function refocus() { st.tab?.focus({preventScroll: true}); }
  function move(at) { st.at = at; st.ring = true; st.hover = null; for (const r of st.o.rows) for (const m of r) m.el.setAttribute('tabindex', -1); rove(); refocus(); marks(); speak(); }
  function marks() { if (!st.o) return; st.marks?.remove(); put(st.o.node, st.marks = drawMarks(st.o, st)); }
  function speak() {
    const d = st.d, m = st.hover ?? (st.focused ? st.o.rows[st.at.r]?.[st.at.c] : null);
    f.say(m ? reading(d, m) : d.targetPinned ? reading(d, {what: 'head', j: d.j}) : [{m: !live(d) ? 'Hover to read; t opens the table.' : f.narrow() ? 'Drag a handle, tap a level or a concept: every answer follows.' : 'Drag a handle or type a number, choose a level, switch a concept: every answer follows. Backspace puts back, Esc undoes, / finds, t opens the table.'}]);
  }

  // -- suggestion
  function card(d) {
    const s = d.suggestion, lines = suggestionLines(d), t = d.targets[d.j], can = live(d), wanted = d.canSuggest && mode === 'kernel' && isProbability(t), held = d.held.map(j => ({n: middle(full(d.targets[j]), 30)}));
    f.card.hidden = !lines && !(s.none && can) && !wanted; if (f.card.hidden) { f.card.replaceChildren(); return; }
    const find = wanted && html('button', {type: 'button', class: 'mtl-button', 'data-what': 'suggest', onclick: () => { status.hidden = false; status.textContent = 'searching …'; ask({find: t.id}); }}, lines || s.none ? 'Search again' : 'Search'), try_ = lines && can && html('button', {type: 'button', class: 'mtl-button', 'data-what': 'try', onclick: () => { change({...s.edits}, s.off ?? [], true); refocus(); }}, html('b', {}, 'Try it'));
    const title = lines ? [{b: oneLine(s.title || 'A small change')}, s.held ? `, ${oneLine(s.held)}` : ''] : s.none ? [{b: oneLine(s.title || 'No such change')}] : [{b: ['Which smallest change flips ', {n: middle(full(t), 40)}, '?']}];
    const how_ = s.none ? [oneLine(s.none)] : ['Few features, inside the data’s range', held.length ? ['; held as they are: ', ...held.flatMap((x, i) => i ? [', ', x] : [x]), '.'] : '. What else is pinned is held as it is.'];
    f.card.replaceChildren(html('div', {class: 'mtl-strip'}, html('div', {}, html('p', {}, rich(title)), lines ? lines.map((x, i) => html('p', {class: i ? 'mtl-muted' : undefined}, rich(x))) : html('p', {class: 'mtl-muted'}, rich(how_))), html('div', {class: 'mtl-buttons'}, find || [], try_ || [])));
  }

  // -- drawing
  function paint() {
    if (!f.width) return;
    const get = k => model.get(k), d = st.d = read(get, st.answer, st.open);
    if (d.instead) { instead(f, d.instead); return; }
    if (!d.features) return;
    Object.assign(d, {mode, offMode: get('how'), whyNot: st.whyNot, soft: !d.known && !d.answer?.error && mode === 'kernel' && !st.stale}); d.known ||= d.soft; usual(f); // for a moment the last numbers stay, so that nothing flickers
    if (f.note.hidden === !!model.isStatic) { f.note.hidden = !model.isStatic; f.note.replaceChildren(html('span', {'aria-hidden': 'true'}, '◇'), html('span', {}, rich([{b: weights ? 'Saved page, no kernel: the model itself runs here.' : 'Saved page, no kernel and no model: one stored case.'}, ` ${weights ? 'Values and concepts can be changed, every answer follows.' : 'Hover, pin, find and table work; values and concepts cannot be changed.'} ${d.carries}`]))); }
    f.set('question', [d.concepts.length ? QUESTION : 'What if this value were different?']); if (!d.soft || !f.text.answer.length) f.set('answer', answer(d));
    where.replaceChildren(html('span', {class: 'mtl-muted'}, 'Case '), ...rich([{b: [{n: middle(oneLine(d.task), 32)}, ' · row ', rowOf(d.sample, 28)]}]));
    undo.hidden = !d.edited || !live(d); undo.replaceChildren(html('b', {}, many(d.edited, 'change')), html('span', {class: 'mtl-muted', 'aria-hidden': 'true'}, ' undo all ✕')); undo.setAttribute('aria-label', `${many(d.edited, 'change')}, undo all`);
    how.hidden = !d.concepts.length || !d.hows || !live(d) || (!d.off.length && f.narrow()); for (const b of hows) b.setAttribute('aria-pressed', b.dataset.value === get('how'));
    status.hidden = !live(d); status.textContent = d.answer?.error ? 'no answer' : d.known && d.edited && st.took !== null ? `answered in ${Math.max(1, Math.round(st.took))} ms` : d.known || !d.edited ? '' : status.textContent;
    const had = f.picture.contains(document.activeElement), scroll = f.picture.scrollLeft; st.hover = null; st.marks = st.tab = null;
    st.o = draw(d, f, ids); if (st.o.frame) put(st.o.node, svg('g', {class: 'mtl-pins mtl-overlay mtl-keep', 'pointer-events': 'none', 'aria-hidden': 'true'}, outline(st.o.frame.box, 0, st.o.tk.ink, 1.5, 3)));
    f.picture.replaceChildren(st.o.node); f.picture.scrollLeft = scroll; rove(); if (had && !f.picture.contains(document.activeElement)) refocus();
    f.setFoot(foot(d, {narrow: st.o.narrow, hatched: st.o.hatched, se: st.o.se})); card(d); marks(); if (!st.typed && !st.found) speak(); fillTable(f);
  }
  const at = e => { const b = st.o.node.getBoundingClientRect(); return {x: e.clientX - b.left, y: e.clientY - b.top}; };
  f.picture.addEventListener('pointermove', e => {
    if (!st.o) return; const p = at(e);
    if (st.drag) { put_(st.drag.f.name, st.drag.from(p.x), false); return; }
    const k = locate(st.o, p.x, p.y), m = k && st.o.rows[k.r][k.c]; if (m === st.hover) return; st.hover = m; marks(); speak();
  });
  f.picture.addEventListener('pointerleave', () => { if (!st.drag) { st.hover = null; marks(); speak(); } });
  f.picture.addEventListener('pointerdown', e => {
    if (!st.o || e.button) return; const p = at(e), k = locate(st.o, p.x, p.y); if (!k) return;
    const m = st.o.rows[k.r][k.c]; e.preventDefault(); st.byKey = st.ring = false; st.at = k; st.typed = null; for (const r of st.o.rows) for (const x of r) x.el.setAttribute('tabindex', -1); rove(); refocus();
    if (m.act === 'slide') { st.drag = m; f.picture.setPointerCapture?.(e.pointerId); put_(m.f.name, m.from(p.x), false); } else st.down = m;
  });
  const drop = () => { if (!st.drag) return; st.drag = null; clearTimeout(st.timers.settle); ask({}, true); };
  f.picture.addEventListener('pointerup', drop); f.picture.addEventListener('pointercancel', drop);
  f.picture.addEventListener('click', e => { const m = st.down; st.down = null; if (m && !st.drag) act(m); else if (!m && e.detail === 0) { const t = e.target.closest?.('[data-r]'); if (t) act(st.o.rows[+t.dataset.r][+t.dataset.c]); } }); // a click without a pointer comes from a screen reader
  f.picture.addEventListener('focusin', e => { const {r, c} = e.target.closest('[data-r]')?.dataset ?? {}; if (r === undefined) return; st.at = {r: +r, c: +c}; st.focused = true; st.ring = st.byKey; marks(); if (!st.typed) speak(); });
  f.picture.addEventListener('focusout', () => { st.focused = false; marks(); });
  f.picture.addEventListener('keydown', key);
  document.addEventListener('keydown', () => { st.byKey = true; }, {capture: true, signal});
  const on = {paint: ['tasks', 'targets', 'features', 'concepts', 'names', 'suggestion', '_arrays'], asked: ['edits', 'off', 'how'], heard: ['_answer']}, whole = () => { st.answer = model.get('_answer'); paint(); };
  const watched = [...on.paint.map(n => ['change:' + n, paint]), ...on.asked.map(n => ['change:' + n, asked]), ['change:_answer', heard], ['change:_info', whole]];
  for (const [n, g] of watched) model.on(n, g);
  signal?.addEventListener('abort', () => { for (const [n, g] of watched) model.off(n, g); Object.values(st.timers).forEach(clearTimeout); });
  if (el.isConnected) f.width = Math.floor(f.root.getBoundingClientRect().width);
  paint(); if (weights && st.d?.edited && !st.d.known) asked();
}
export default {render};
