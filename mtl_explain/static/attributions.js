// Attributions: why this answer? Bars with intervals and their ledger for one row; all rows; all targets; all explainers.
import {mix, tint, size, inkOn} from './_colour.js';
import {count, many, thousands, capital, fraction, interval, list, middle, oneLine, plain, decimals, quantity, signed, tiny, percent} from './_words.js';
import {svg, html, rich, text, measure, fit, hatch, whisker, capped, ticks, pin, unpack, unique, put} from './_draw.js';
import {frame, choice, menu, finder, chips, instead, usual, fillTable} from './_frame.js';

export const QUESTION = 'Why this answer?';
const PINS = {feature: 'features', variable: 'variables', concept: 'concepts'};
const NB = '\u00a0';

// ---- what was sent (pure) ----

const floats = (codes, top, inner, T) => Float64Array.from(codes, (c, i) => c === 0 ? NaN : (c - 32768)*top[Math.floor(i/(inner*T))*T + i % T]/32767);
/** Labels and flat arrays -> one object a task: arrays in row order (explainer, sample, player, target) */
export function decode(info, packed) {
  const raw = unpack(packed), at = {}, take = (name, n) => { if (!raw[name]) return null; const i = at[name] ?? 0; at[name] = i + n; return raw[name].subarray(i, i + n); };
  return info.tasks.map((x, i) => {
    const [E, S, P, T, F, N] = [x.explainers, x.samples, x.players, x.targets, x.features, x.sinks].map(a => a.length), one = E*S*T, all = one*P;
    const coded = (name, top) => floats(take(name, all), take(top, E*T), S*P, T), more = name => x.optional.includes(name);
    return {...x, i, E, S, P, T, F, N, table: info.tables[i], key: JSON.stringify(x.players), value: coded('value', 'top'), se: coded('se', 'se_top'), again: more('again') ? coded('again', 'again_top') : null, fit: more('fit') ? take('fit', one) : null,
      score: take('score', one), base: take('base', one), delta: take('delta', one), sink: take('sink', one*N), imp: take('imp', E*P*T), imp_se: take('imp_se', E*P*T), dir: take('dir', E*P*T), spread: take('spread', E*T),
      evaluations: take('evaluations', E*S), status: take('status', E*S), valueOf_: take('value_of', S*F), rank: take('rank', S*P), truth: take('truth', S*T), at: x.feature.map(f => x.features.indexOf(f))};
  });
}
const kept = new WeakMap();
function tasksIn(info, packed) {
  if (kept.get(packed)?.info !== info) kept.set(packed, {info, all: decode(info, packed)});
  return kept.get(packed).all;
}
const last = (pinned, there) => { for (let i = (pinned ?? []).length - 1; i >= 0; i--) { const k = there.indexOf(pinned[i]); if (k >= 0) return k; } return -1; };
export const explainerOf = (x, name) => Math.max(0, x.explainers.findIndex(e => e.name === name));

/** The traits as one object: d.x is the task shown, d.j its target, d.s its row, d.e its explainer */
export function read(get, others = []) {
  const info = get('_info') ?? {}, d = {...info, names: get('names') ?? {}, show: get('show'), order: get('order'), most: get('top') ?? 12, bare: !!info.bare};
  if (info.instead || !info.tasks) return d;
  d.all = tasksIn(info, get('_arrays') ?? {});
  d.x = d.all[Math.max(0, last(get('tasks'), info.tasks.map(x => x.name)))];
  const x = d.x, trait = PINS[info.kind];
  d.taskPinned = last(get('tasks'), [x.name]) >= 0;
  d.targetPinned = last(get('targets'), x.targets.map(y => y.id)) >= 0;
  d.j = Math.max(0, last(get('targets'), x.targets.map(y => y.id)));
  d.rowPinned = last(get('samples'), x.samples) >= 0;
  d.s = x.S && x.E && x.T ? Math.max(0, last(get('samples'), x.samples)) : -1; // -1: nothing was explained
  d.e = explainerOf(x, get('explainer'));
  d.wanted = get('explainer') && !x.explainers.some(e => e.name === get('explainer')) ? get('explainer') : '';
  d.trait = trait; d.pinned = (trait ? get(trait) : others) ?? [];
  d.pins = d.pinned.map(p => x.players.indexOf(p)).filter(p => p >= 0);
  if (d.s < 0) d.show = 'answer';
  if (d.show === 'explainers' && x.E < 2) d.show = 'answer';
  if (d.show === 'targets' && columns(d).length < 2) d.show = 'answer';
  if (d.show === 'rows' && x.S < 2) d.show = 'answer';
  return d;
}

// ---- what the numbers say (pure) ----

/** A number and its error. kind: 'effect' | 'unclear' (its interval includes 0) | 'zero' | 'none' (does not apply) */
export function judge(value, se) {
  const some = se > 0;
  return {value, se, lo: some ? value - 1.96*se : NaN, hi: some ? value + 1.96*se : NaN, kind: !Number.isFinite(value) ? 'none' : some && Math.abs(value) <= 1.96*se ? 'unclear' : value === 0 ? 'zero' : 'effect'};
}
export function fact(d, p, {x = d.x, e = d.e, s = d.s, j = d.j} = {}) { const i = ((e*x.S + s)*x.P + p)*x.T + j; return s < 0 ? judge(NaN, NaN) : judge(x.value[i], x.se[i]); }
/** Importance over all rows, in the target's unit */
export function overall(d, p, {x = d.x, e = d.e, j = d.j} = {}) { const i = (e*x.P + p)*x.T + j; return {...judge(x.imp[i], x.imp_se[i]), direction: x.dir[i]}; }
const book = (d, what, {x = d.x, e = d.e, s = d.s, j = d.j} = {}) => s < 0 ? NaN : x[what][(e*x.S + s)*x.T + j];
export const unitOf = (d, {x = d.x, e = d.e, j = d.j} = {}) => oneLine(x.units[e]?.[j] ?? '');
const sinkOf = (d, n) => d.x.sink[((d.e*d.x.S + d.s)*d.x.N + n)*d.x.T + d.j];
const method = d => d.x.explainers[d.e];

const NOUNS = {feature: ['feature', 'features'], variable: ['variable', 'variables'], concept: ['concept', 'concepts'], edge: ['edge', 'edges']};
export const noun = (d, n = 2) => (NOUNS[d.kind] ?? ['player', 'players'])[n === 1 ? 0 : 1];
/** The name of a player as a part of a sentence: a concept's kept name, else its id with the suggestion in italics */
export function naming(d, p, n = 28, x = d.x) {
  const c = x.concept[p], f = x.feature[p] && oneLine(x.level[p] ? `${x.feature[p]} = ${x.level[p]}` : x.feature[p]), own = c && d.names[c], tip = c && d.suggested[c];
  if (f && c) return {n: middle(`${f} → ${own ? oneLine(own) : c}`, n)};
  if (!c) return {n: middle(f || oneLine(x.players[p]), n)};
  return own ? {n: middle(oneLine(own), n)} : tip ? {i: `${c} ${middle(oneLine(tip), n)}`} : {n: c};
}
export const fullName = (d, p, x = d.x) => plain(naming(d, p, 1e6, x));
export const targetName = (x, j) => oneLine(x.targets[j]?.id ?? '');
const rowName = (d, s = d.s) => oneLine(d.x.samples[s] ?? '');

/** The value of a player in a row, as a person would write it; '' where it has none or the page does not carry it */
export function valueText(d, p, s = d.s, x = d.x) {
  const f = x.at[p];
  if (!x.valueOf_ || f < 0 || s < 0) return '';
  const v = x.valueOf_[s*x.F + f], k = x.digits[f], word = k < 0 ? x.words[v] ?? '' : Number.isFinite(v) ? String(k > 20 ? +v.toPrecision(6) : v.toFixed(k)).replace('-', '−') : '';
  if (x.level[p]) return word === x.level[p] ? 'yes' : 'no';
  const unit = oneLine(x.unit[p] ?? '');
  return oneLine(word) + (unit && /^[−-]?[\d.]/.test(word) ? NB + (/^\d/.test(unit) ? `(${unit})` : unit) : '');
}
/** What was observed; '' where it is not known or not carried */
export function observed(d) {
  if (!d.x.truth || d.s < 0) return '';
  const v = d.x.truth[d.s*d.x.T + d.j], kind = d.x.targets[d.j].kind;
  if (!Number.isFinite(v)) return '';
  if (kind === 'nominal' || kind === 'binary') return v ? 'observed: yes' : 'observed: no';
  if (kind === 'ordered') return `observed: place ${Math.round(v)} (0 is the lowest)`;
  return ''; // a number is written by the caller, in the unit of the ledger
}

/** Players in the order in which they are shown, and those that are summed. `weight(p)` says how much one matters */
export function arranged(d, weight, x = d.x) {
  const w = Array.from({length: x.P}, (_, p) => { const v = weight(p); return Number.isFinite(v) ? v : -1; }), by = [...w.keys()].sort((a, b) => w[b] - w[a] || a - b), shown = new Set([...by.slice(0, d.most), ...d.pins]);
  if (x.P - shown.size === 1) by.forEach(p => shown.add(p));
  const out = by.filter(p => shown.has(p)), rest = by.filter(p => !shown.has(p));
  if (d.order === 'name') out.sort((a, b) => fullName(d, a, x).localeCompare(fullName(d, b, x), undefined, {numeric: true}) || a - b);
  if (d.order === 'table') out.sort((a, b) => a - b);
  return {shown: out, rest};
}
const sum = values => { let s = 0, some = false; for (const v of values) if (Number.isFinite(v)) { s += v; some = true; } return some ? s : NaN; };
const byEffect = d => arranged(d, p => Math.abs(fact(d, p).value));
const byRows = d => arranged(d, p => { const v = overall(d, p).value; return Number.isFinite(v) ? v : spreadOf(d, p); });
const spreadOf = (d, p) => Math.sqrt(sum(Array.from({length: d.x.S}, (_, s) => fact(d, p, {s}).value**2))/Math.max(1, d.x.S));

/** The terms of the ledger from base to score, with what stands between; null where none may be drawn. `why` says so */
export function ledger(d) {
  const x = d.x, score = book(d, 'score'), base = book(d, 'base'), delta = book(d, 'delta'), {shown, rest} = byEffect(d);
  if (whyNoLedger(d)) return null;
  let at = base; const out = [{what: 'base', to: base}], go = (what, value, more) => { out.push({what, value, from: at, to: at + value, ...more}); at += value; };
  for (const p of shown) { const v = fact(d, p).value; go('player', Number.isFinite(v) ? v : 0, {p, kind: fact(d, p).kind}); }
  if (rest.length) go('rest', sum(rest.map(p => fact(d, p).value)) || 0, {n: rest.length});
  for (let n = 0; n < x.N; n++) { const v = sinkOf(d, n); if (Number.isFinite(v)) go('sink', v, {n}); }
  go('delta', delta); out.push({what: 'score', to: score});
  return out;
}
export function whyNoLedger(d) {
  const m = method(d);
  if (!m || d.s < 0) return 'No row of this table was explained.';
  if (d.x.P && !Array.from({length: d.x.P}, (_, p) => fact(d, p).value).some(Number.isFinite)) return `Row ${rowName(d)} was not reached: ${d.x.status[d.e*d.x.S + d.s] === 1 ? 'explaining was interrupted' : 'its attributions do not apply'}.`;
  if (m.closes === 'never') return `No ledger: what ${oneLine(m.name)} gives need not add up to the score.`;
  if (![book(d, 'base'), book(d, 'score'), book(d, 'delta')].every(Number.isFinite)) return 'No ledger: base, score or delta is missing for this row.';
  return '';
}

/** Spearman's rank correlation of two lists, over the places where both are numbers; NaN below three of them or without variation */
export function spearman(a, b) {
  const ok = a.map((_, i) => i).filter(i => Number.isFinite(a[i]) && Number.isFinite(b[i]));
  if (ok.length < 3) return NaN;
  const ranks = v => { const by = ok.map((_, k) => k).sort((p, q) => v[ok[p]] - v[ok[q]]), r = []; for (let i = 0; i < by.length;) { let k = i; while (k + 1 < by.length && v[ok[by[k + 1]]] === v[ok[by[i]]]) k++; for (let q = i; q <= k; q++) r[by[q]] = (i + k)/2; i = k + 1; } return r; };
  const p = ranks(a), q = ranks(b), m = (ok.length - 1)/2; let pq = 0, pp = 0, qq = 0;
  p.forEach((v, i) => { pq += (v - m)*(q[i] - m); pp += (v - m)**2; qq += (q[i] - m)**2; });
  return pp > 0 && qq > 0 ? pq/Math.sqrt(pp*qq) : NaN;
}
const effects = (d, e, s = d.s) => Array.from({length: d.x.P}, (_, p) => fact(d, p, {e, s}).value);
/** How two explainers agree on the row: rank correlation, largest gap (NaN if their units differ), signs that both are sure of and that differ; and the median over the rows that were sent */
export function agreement(d, a, b) {
  const x = d.x, u = effects(d, a), v = effects(d, b), same = unitOf(d, {e: a}) === unitOf(d, {e: b}) && x.explainers[a].closes !== 'never' && x.explainers[b].closes !== 'never', gaps = u.map((w, p) => Math.abs(w - v[p])).filter(Number.isFinite);
  const sure = [...Array(x.P).keys()].filter(p => fact(d, p, {e: a}).kind === 'effect' && fact(d, p, {e: b}).kind === 'effect'), rows = [...Array(x.S).keys()].map(s => spearman(effects(d, a, s), effects(d, b, s))).filter(Number.isFinite).sort((p, q) => p - q);
  return {rho: spearman(u, v), gap: same && gaps.length ? Math.max(...gaps) : NaN, sure: sure.length, opposite: sure.filter(p => u[p]*v[p] < 0).length, median: rows.length ? (rows[(rows.length - 1) >> 1] + rows[rows.length >> 1])/2 : NaN, rows: rows.length};
}
/** Rank agreement in words */
export const concord = rho => !Number.isFinite(rho) ? 'too few to rank' : rho >= .9 ? 'nearly the same order' : rho >= .7 ? 'a similar order' : rho >= .3 ? 'partly the same order' : rho > -.3 ? 'unrelated orders' : 'opposite orders';
export function agreementSentence(d, b, a = d.e) {
  const g = agreement(d, a, b), dec = decimals(Math.max(...effects(d, a).filter(Number.isFinite).map(Math.abs), 0)), unit = unitOf(d);
  const bits = [Number.isFinite(g.rho) ? `rank agreement ${fraction(g.rho)}, ${concord(g.rho)}` : `${concord(g.rho)}`, Number.isFinite(g.gap) ? `largest gap ${quantity(g.gap, dec)}${unit ? ' ' + unit : ''}` : '', g.opposite ? `opposite signs for ${thousands(g.opposite)} of ${thousands(g.sure)}` : ''];
  return [{n: middle(oneLine(d.x.explainers[b].name), 32)}, `, the same row: ${bits.filter(Boolean).join('; ')}.`, g.rows > 1 ? ` Over ${thousands(g.rows)} rows: median ${fraction(g.median)}.` : ''];
}

/** The columns of the heat map: the targets that read the same row, or, over all rows, those with the same players */
export function columns(d) {
  const whole = !d.rowPinned, tasks = d.all.filter(x => whole ? x.key === d.x.key : x.table === d.x.table), name = method(d)?.name, several = tasks.length > 1, one = !several && d.x.T > 1 && d.x.targets.every(y => y.level && y.outcome === d.x.targets[0].outcome);
  return tasks.flatMap(x => x.targets.map((y, j) => { const e = explainerOf(x, name); return {x, j, e, id: y.id, label: one ? oneLine(y.level) : several && !y.id.startsWith(x.name) ? `${oneLine(x.name)}: ${oneLine(y.id)}` : oneLine(y.id), unit: `${x.name}|${x.units[e]?.[j]}|${y.outcome}`}; }));
}
/** All cells of the heat map, once a draw. One outcome keeps its unit; several are measured in spreads of their own scores */
function grid(d) {
  if (d.grid) return d.grid;
  const whole = !d.rowPinned, cols = columns(d), mixed = whole || new Set(cols.map(c => c.unit)).size > 1;
  const of = c => { const s = c.x.spread[c.e*c.x.T + c.j], k = mixed ? s > 0 ? s : NaN : 1, n = Math.max(2, c.x.explained); return c.x.players.map((_, p) => { const g = whole ? overall(d, p, c) : fact(d, p, {...c, s: d.s}), q = judge(g.value/k, g.se/k); return {...q, sign: !whole ? Math.sign(q.value) : Math.abs(g.direction) >= 2/Math.sqrt(n) ? Math.sign(g.direction) : 0}; }); };
  cols.forEach(c => { c.cells = of(c); c.score = whole ? NaN : book(d, 'score', {...c, s: d.s}); });
  const weight = c => whole ? sum(c.cells.map(g => g.value)) : mixed ? Math.abs(c.score - book(d, 'base', {...c, s: d.s}))/(c.x.spread[c.e*c.x.T + c.j] || NaN) : c.score;
  cols.forEach(c => { const w = weight(c); c.weight = Number.isFinite(w) ? w : -Infinity; });
  const total = d.x.players.map((_, p) => sum(cols.map(c => Math.abs(c.cells[p].value)))), by = [...cols].sort((a, b) => b.weight - a.weight);
  return Object.assign(d, {grid: {whole, mixed, cols, by, total, named: [...cols].sort((a, b) => a.label.localeCompare(b.label, undefined, {numeric: true})), players: arranged(d, p => total[p])}}).grid;
}
/** The part of the heat map that is shown in `room` columns; the rest is summed */
export function heat(d, room = Infinity) {
  const {whole, mixed, cols, by, total, named, players} = grid(d), mine = c => c.x === d.x && c.j === d.j, first = new Set([...by.filter(mine), ...by].slice(0, Math.max(1, room)));
  if (cols.length - first.size === 1 && room > 1) for (const c of by) first.add(c);
  const shown = (d.order === 'size' ? by : d.order === 'name' ? named : cols).filter(c => first.has(c)), rest = cols.filter(c => !first.has(c)), at = (p, c) => c.cells[p], size_ = p => c => Math.abs(c.cells[p].value);
  const part = sum(players.shown.map(p => sum(shown.map(size_(p)))))/sum(total);
  return {whole, mixed, cols: shown, rest, players, at, mine, part, summed: c => sum(players.rest.map(p => c.cells[p].value)), mean: p => sum(rest.map(size_(p)))/rest.length, score: c => c.score};
}

/** Dots that do not cover one another: offsets across the line for places along it, radius r, at most `half` to each side */
export function swarm(xs, r, half) {
  const by = xs.map((_, i) => i).filter(i => Number.isFinite(xs[i])).sort((a, b) => xs[a] - xs[b]), out = xs.map(() => NaN), bins = new Map();
  for (const i of by) { const b = Math.round(xs[i]/(1.7*r)), n = bins.get(b) ?? 0; bins.set(b, n + 1); out[i] = (n % 2 ? 1 : -1)*Math.ceil(n/2)*1.7*r; }
  const far = Math.max(0, ...by.map(i => Math.abs(out[i])));
  return far > half ? out.map(y => y*half/far) : out.map(y => y + 0);
}

// ---- sentences (pure) ----

const withUnit = (s, unit) => unit ? `${s} ${unit}` : s;
const scaleOf = d => d.places ??= decimals(Math.max(...[...byEffect(d).shown.map(p => fact(d, p).value), book(d, 'score') - book(d, 'base')].filter(Number.isFinite).map(Math.abs), 0));
const wordFor = d => d.x.targets[d.j].kind === 'number' ? 'prediction' : unitOf(d) === 'probability' ? 'probability' : 'score';
const shortUnit = d => { const u = unitOf(d); return u === 'score' || u === 'probability' ? '' : u; };
export function question(d) {
  const y = {n: middle(targetName(d.x, d.j), 60)}, many_ = NOUNS[d.kind] ? noun(d) : 'players';
  if (!d.x.T) return [QUESTION];
  if (d.show === 'rows') return ['What moves ', y, ' from row to row?'];
  if (d.show === 'targets') return d.rowPinned ? [`Which ${many_} speak for which of ${thousands(columns(d).length)} targets in row `, {n: middle(rowName(d), 30)}, '?'] : [`Which ${many_} move which of ${thousands(columns(d).length)} targets?`];
  if (d.s < 0) return ['Why this answer for ', y, '?'];
  if (d.show === 'explainers') return ['Do the explainers agree on ', y, ' for row ', {n: middle(rowName(d), 30)}, '?'];
  const v = quantity(book(d, 'score'), Math.min(scaleOf(d), 3));
  return d.x.targets[d.j].kind === 'number' ? ['Why ', y, ` of ${v} for row `, {n: middle(rowName(d), 30)}, '?'] : [`Why a ${wordFor(d)} of ${v} for `, y, ', row ', {n: middle(rowName(d), 30)}, '?'];
}
const held = {bias: 'biases', identity: 'own embeddings', concepts: 'concepts', constant: 'constants'};
const heldBy = s => held[s] ?? oneLine(s);
/** The ten-second read */
export function answer(d) {
  if (!d.x.T) return ['This task has no targets.'];
  if (d.show === 'rows') return answerRows(d);
  if (d.show === 'targets') return answerTargets(d);
  if (d.show === 'explainers') return answerExplainers(d);
  const why = whyNoLedger(d), dec = scaleOf(d), unit = shortUnit(d), best = strongest(d);
  if (d.s < 0 || /not reached/.test(why)) return [why];
  const part = best ? [' ', naming(d, best.p, 32), best.value > 0 ? ' raises it by ' : ' lowers it by ', quantity(Math.abs(best.value), dec), '.'] : [` No ${noun(d, 1)} shows an effect of its own.`];
  if (why) return [best ? [`By ${oneLine(method(d).name)}, `, naming(d, best.p, 32), ` weighs most: ${signed(best.value, dec)}. `] : '', why];
  const score = book(d, 'score'), base = book(d, 'base'), sinks = [...Array(d.x.N).keys()].map(n => [d.x.sinks[n], sinkOf(d, n)]).filter(([, v]) => Math.abs(v) > 10**-dec/2), gap = score - base;
  if (sinks.length) return [`${capital(noun(d))} hold ${quantity(sum(effects(d, d.e)), dec)} of the ${withUnit(quantity(gap, dec), unit)}${base === 0 ? '' : ' between base and score'}; ${plain(list(sinks.map(([s]) => heldBy(s))))} hold ${quantity(sum(sinks.map(([, v]) => v)), dec)}.`];
  if (Math.abs(gap) < 10**-dec/2) return [`The ${wordFor(d)} equals the base of ${withUnit(quantity(base, dec), unit)}.`, ...part];
  return [`The ${wordFor(d)} is ${withUnit(quantity(Math.abs(gap), dec), unit)} ${gap > 0 ? 'above' : 'below'} the base of ${quantity(base, dec)};`, ...(best ? part : [` no ${noun(d, 1)} shows an effect of its own.`])];
}
function strongest(d) {
  let best = null;
  for (let p = 0; p < d.x.P; p++) { const g = fact(d, p); if (g.kind === 'effect' && (!best || Math.abs(g.value) > Math.abs(best.value))) best = {p, ...g}; }
  return best;
}
function answerRows(d) {
  const found = byRows({...d, order: 'size'}).shown, known = found.filter(p => Number.isFinite(overall(d, p).value)), top = (known.length ? known.filter(p => overall(d, p).kind === 'effect') : found).slice(0, 3), none = [...Array(d.x.P).keys()].filter(p => overall(d, p).kind === 'unclear').length;
  if (!top.length) return [`No ${noun(d, 1)} shows an effect over the rows that were explained.`];
  return [...cap(list(top.map(p => naming(d, p, 28)))), top.length === 1 ? ' moves it most' : ' move it most', none ? `; ${count(none)} of ${thousands(d.x.P)} ${noun(d, d.x.P)} ${none === 1 ? 'shows' : 'show'} no effect.` : '.'];
}
const cap = parts => { const [a, ...more] = parts; return [a.n ? {n: capital(a.n)} : a, ...more]; };
function answerTargets(d) {
  const h = heat(d), cells = h.players.shown.flatMap(p => h.cols.map(c => ({p, c, ...h.at(p, c)}))).filter(g => g.kind === 'effect').sort((a, b) => Math.abs(b.value) - Math.abs(a.value)), best = cells[0];
  if (!best) return [`No ${noun(d, 1)} shows an effect on any target.`];
  const dec = decimals(Math.abs(best.value), 2), where = [naming(d, best.p, 28), ' → ', {n: middle(best.c.label, 32)}];
  if (h.whole) return ['The largest: ', ...where, `, ${quantity(best.value, dec)} of the spread of its score.`];
  const top = h.mixed ? null : [...h.cols].sort((a, b) => h.score(b) - h.score(a))[0];
  return [...(top ? [{n: capital(middle(top.label, 32))}, ' has the highest score. '] : []), 'The largest effect: ', ...where, `, ${signed(best.value, dec)}${h.mixed ? ' spreads of its score' : ''}.`];
}
function answerExplainers(d) {
  const others = [...Array(d.x.E).keys()].filter(e => e !== d.e).map(e => [e, agreement(d, d.e, e).rho]).filter(([, r]) => Number.isFinite(r)).sort((a, b) => b[1] - a[1]), me = {n: middle(oneLine(method(d).name), 28)}, say = ([e, r]) => [{n: middle(oneLine(d.x.explainers[e].name), 28)}, ` (${concord(r)}, ${fraction(r)})`];
  if (!others.length) return [`Too few ${noun(d)} to compare orders.`];
  if (others.length === 1) return [...cap(say(others[0]).slice(0, 1)), ' gives ', concord(others[0][1]), ' as ', me, `: rank agreement ${fraction(others[0][1])}.`];
  return [...cap(say(others[0])), ' is closest to ', me, '; ', ...say(others.at(-1)), ' is farthest.'];
}

/** The marked place in words */
export function reading(d, m) {
  if (!m) return [];
  const unit = shortUnit(d), dec = scaleOf(d);
  if (m.what === 'player' && m.part !== 'ledger') return sayPlayer(d, m);
  if (m.what === 'player') return [{b: [naming(d, m.p, 60), ':']}, ` from ${quantity(m.from, dec)} to ${withUnit(quantity(m.to, dec), unit)}.`];
  if (m.what === 'rest') return [{b: `${thousands(m.n)} other ${noun(d, m.n)}, summed:`}, ` ${withUnit(signed(m.value, dec), unit)}; no interval is known for a sum.`];
  if (m.what === 'base') return [{b: 'base:'}, ` ${withUnit(quantity(book(d, 'base'), dec), unit)}, ${baseWords(d)}.`];
  if (m.what === 'sink') return m.n < 0 ? [{b: 'sinks:'}, ' ' + noSinks(d) + '.'] : [{b: [`sink `, {n: oneLine(d.x.sinks[m.n])}, ':']}, ` ${withUnit(signed(sinkOf(d, m.n), dec), unit)}, ${sinkWords(d, m.n)}.`];
  if (m.what === 'delta') return [{b: 'delta:'}, ` ${tiny(book(d, 'delta'))}, what the method fails to explain; it closes ${method(d).closes}.`];
  if (m.what === 'score') return [{b: 'score:'}, ` ${withUnit(quantity(book(d, 'score'), dec), unit)}.`, truthWords(d, dec) ? ` ${capital(truthWords(d, dec))}.` : ''];
  if (m.what === 'dot') { const v = valueText(d, m.p, m.s), g = fact(d, m.p, {s: m.s}); return [{b: ['row ', {n: middle(rowName(d, m.s), 40)}, ', ', naming(d, m.p, 60), v ? ` = ${middle(v, 40)}` : '', ':']}, sayAmount(g, dec, unit)]; }
  if (m.what === 'cell') return sayCell(d, m);
  if (m.what === 'col') return [{b: [{n: middle(m.c.label, 60)}, ':']}, m.whole ? ' all rows.' : ` score ${quantity(m.score, 2)}.`];
  if (m.what === 'explainer') { const x = d.x.explainers[m.e], [head, tail, more] = agreementSentence(d, m.e); return m.e === d.e ? [{b: [{n: oneLine(x.name)}, ':']}, ` closes ${x.closes}; the others are held against it.`] : [{b: head}, tail, more]; }
  if (m.what === 'line') return m.say;
  return [];
}
function sayAmount(g, dec, unit) {
  if (g.kind === 'none') return ' does not apply.';
  if (g.kind === 'zero') return ' no effect.';
  const more = Number.isFinite(g.lo) ? ` (${interval(g.lo, g.hi, (a, b) => `${signed(a, dec)} to ${signed(b, dec)}`)})` : '';
  return ` ${withUnit(signed(g.value, dec), unit)}${more}${g.kind === 'unclear' ? ', no evidence of an effect' : g.value > 0 ? ', raises' : ', lowers'}.`;
}
function sayPlayer(d, m) {
  const e = m.e ?? d.e, g = fact(d, m.p, {e}), v = valueText(d, m.p), dec = scaleOf(d), i = ((e*d.x.S + d.s)*d.x.P + m.p)*d.x.T + d.j, again = d.x.again?.[i], wide = again > 0 ? Math.hypot(g.se || 0, again) : NaN;
  const other = d.x.E > 1 && m.e === undefined ? nextExplainer(d) : -1, h = other >= 0 ? fact(d, m.p, {e: other}) : null;
  return [{b: [naming(d, m.p, 60), v ? ` = ${middle(v, 60)}` : '', m.e !== undefined ? [', ', {n: oneLine(d.x.explainers[m.e].name)}] : '', ':']}, sayAmount(g, dec, shortUnit(d)),
    Number.isFinite(wide) ? ` With other background rows: ${signed(g.value - 1.96*wide, dec)} to ${signed(g.value + 1.96*wide, dec)}.` : '', h && h.kind !== 'none' ? [' ', {n: middle(oneLine(d.x.explainers[other].name), 28)}, `: ${signed(h.value, dec)}.`] : ''];
}
function sayCell(d, m) {
  const g = m.g, dec = decimals(Math.abs(g.value), 2), unit = m.mixed ? 'of the spread of its score' : unitOf(d, m.c), head = {b: [m.p >= 0 ? naming(d, m.p, 60) : `${thousands(m.n)} other ${noun(d, m.n)}, summed`, m.c ? [' → ', {n: middle(m.c.label, 60)}] : ` → ${thousands(m.n)} other targets, mean size`, ':']};
  if (!m.c || m.p < 0) return [head, ` ${withUnit(m.c && !m.whole ? signed(g.value, dec) : quantity(g.value, dec), unit)}.`];
  if (!m.whole) return [head, sayAmount(g, dec, unit)];
  if (g.kind === 'none') return [head, ' does not apply.'];
  const more = Number.isFinite(g.lo) ? ` (${interval(Math.max(0, g.lo), g.hi, (a, b) => `${quantity(a, dec)} to ${quantity(b, dec)}`)})` : '';
  return [head, ` ${quantity(g.value, dec)} ${unit}${more}`, g.kind === 'unclear' ? ', no evidence of an effect.' : g.sign > 0 ? ', higher values raise it.' : g.sign < 0 ? ', higher values lower it.' : '.'];
}
const noSinks = d => `none: ${oneLine(method(d).name)} leaves nothing in biases`;
const sinkWords = (d, n) => ({bias: `held by biases, not by any ${noun(d, 1)}`, identity: 'held by the variables’ own embeddings', concepts: 'held by concepts', constant: 'held by constants of the model'})[d.x.sinks[n]] ?? `held by ${heldBy(d.x.sinks[n])}`;
export function baseWords(d) {
  const m = method(d), off = m.background === 'none' ? '' : oneLine(m.background);
  if (m.zero) return book(d, 'base') === 0 ? 'zero by definition' : 'a score of zero: the mean of the training rows';
  return /rows$/.test(off) ? `mean of ${off}` : `all ${noun(d)} off${off ? `: ${off}` : ''}`;
}
function truthWords(d, dec) {
  const said = observed(d);
  if (said || !d.x.truth || d.s < 0 || d.x.targets[d.j].kind !== 'number') return said;
  const v = d.x.truth[d.s*d.x.T + d.j];
  return Number.isFinite(v) ? `observed: ${withUnit(quantity(v, Math.min(dec, 3)), shortUnit(d))}` : '';
}
export const nextExplainer = d => d.x.E > 1 ? [...Array(d.x.E).keys()].find(e => e !== d.e) : -1;

/** The lines under the picture */
export function foot(d, geo = {}) {
  const x = d.x, m = method(d), {shown, rest} = geo.arranged ?? byEffect(d), all = rest.length ? `${thousands(shown.length)} of ${thousands(x.P)} ${noun(d)}` : x.P === 1 ? `the one ${noun(d, 1)}` : `all ${thousands(x.P)} ${noun(d)}`, allTargets = d.all.reduce((n, y) => n + y.T, 0);
  const rows = x.explained > x.S ? `${thousands(x.S)} of ${thousands(x.explained)} rows${x.S === x.stored ? ', those that the tree keeps' : ''}` : many(x.S, 'row');
  const what = d.show === 'targets' ? `${all} × ${geo.heat.rest.length ? `${thousands(geo.heat.cols.length)} of ${thousands(geo.heat.cols.length + geo.heat.rest.length)}` : thousands(geo.heat.cols.length)} targets${Number.isFinite(geo.heat.part) && geo.heat.part < .9995 ? `, ${percent(geo.heat.part)}\u202f% of the effect` : ''}` : `${all}, ${allTargets > 1 ? `1 of ${thousands(allTargets)} targets` : 'the one target'}${d.show === 'explainers' ? `, ${many(x.E, 'explainer')}` : ''}`;
  const restSaid = rest.length || geo.heat?.rest.length ? ' The rest is summed and named.' : '', unit = d.show === 'targets' && geo.heat.mixed ? ', in spreads of each target’s score' : '';
  const unclear = geo.unclear ? ` Hatched${geo.plain ? '' : ', “n.e.”'}: no evidence of an effect${d.show === 'targets' && !d.rowPinned ? '' : ' on this row'}.` : '';
  const dashed = x.again && d.show === 'answer' && d.s >= 0 && x.players.some((_, p) => x.again[((d.e*x.S + d.s)*x.P + p)*x.T + d.j] > 0) ? ' Dashed: with other background rows.' : '';
  const missing = x.S < x.stored ? ` The other ${thousands(x.stored - x.S)} rows stay in Python: w.table().` : '';
  const first = [{b: 'Shown:'}, ` ${what}${unit}${d.show === 'targets' && !d.rowPinned ? `, over ${rowsSaid(d)}` : `, ${rows}`}.${restSaid}${unclear}${dashed}${missing}`, geo.narrow && d.show === 'answer' ? [' ', {b: 'Hidden for width:'}, ' waterfall, beeswarm (Show: all rows).'] : '', d.bare ? ' Values of features are not carried by this page.' : ''];
  return [first, closing(d), [{m: source(d)}]].filter(l => l.length);
}
function closing(d) {
  if (d.show === 'rows' || (d.show === 'targets' && !d.rowPinned) || d.s < 0) return [];
  const m = method(d); if (!m) return [];
  const why = whyNoLedger(d), r2 = d.x.fit ? book(d, 'fit') : NaN, said = Number.isFinite(r2) ? ` Its local model fits with R² ${fraction(r2)}.` : '';
  if (/not reached/.test(why)) return [why];
  if (m.closes === 'never') return [{b: `${oneLine(m.name)} never closes:`}, ` its bars are not parts of the score, so no ledger is drawn.${said}`];
  if (d.show === 'targets') return [`The ledgers close ${m.closes}: the largest delta is ${tiny(Math.max(...columns(d).map(c => Math.abs(book(d, 'delta', {...c, s: d.s}))).filter(Number.isFinite), 0))}.`];
  return [...([, , 'the error asked was reached', 'the ledger closed to the tolerance promised'][d.x.status[d.e*d.x.S + d.s]] ? [{b: `The budget ended before ${[, , 'the error asked was reached', 'the ledger closed to the tolerance promised'][d.x.status[d.e*d.x.S + d.s]]}.`}, ' '] : []), `The ledger closes ${m.closes}: delta is ${tiny(book(d, 'delta'))}.${said}`];
}
const rowsSaid = d => { const n = d.show === 'rows' ? [d.x.explained] : [...new Set(columns(d).map(c => c.x.explained))].sort((a, b) => a - b); return n.length > 1 ? `${thousands(n[0])} to ${thousands(n.at(-1))} rows a task` : `${thousands(n[0] ?? 0)} rows`; };
export function source(d) {
  const m = method(d), used = d.s >= 0 ? d.x.evaluations[d.e*d.x.S + d.s] : 0, sure = d.s >= 0 && Array.from({length: d.x.P}, (_, p) => fact(d, p)).every(g => !(g.se > 0));
  const whole = d.show === 'targets' && !d.rowPinned || d.show === 'rows';
  return [d.wanted ? `${oneLine(d.wanted)} did not explain this task; ${oneLine(m.name)}` : oneLine(m?.name ?? ''), m?.background && m.background !== 'none' ? (/rows$/.test(m.background) ? `background: ${oneLine(m.background)}` : `off: ${oneLine(m.background)}`) : 'no background', used > 0 && !whole ? `${thousands(used)} ${used === 1 ? 'evaluation' : 'evaluations'}` : '',
    whole ? `${rowsSaid(d)} · 95\u202f% intervals` : /not reached|No row/.test(whyNoLedger(d)) ? '' : sure ? 'no sampling error: no interval' : '95\u202f% intervals for this background', d.x.name && d.all.length > 1 ? `task: ${oneLine(d.x.name)}` : ''].filter(Boolean).join(' · ');
}

/** Everything whose name holds the text: {kind, id, parts}, targets first */
export function matches(d, text_) {
  const want = text_.trim().toLowerCase(), has = s => s.toLowerCase().includes(want), x = d.x;
  if (!want) return [];
  const cols = columns({...d, rowPinned: true});
  const found = [...cols.filter(c => has(c.label)).map(c => ({kind: 'target', id: c.id, task: c.x.name, parts: [{n: middle(c.label, 40)}]})), ...x.players.map((id, p) => ({kind: noun(d, 1), player: true, id, parts: [naming(d, p, 40)], text: fullName(d, p) + ' ' + (x.concept[p] ?? '')})).filter(r => has(r.text)),
    ...d.all.filter(y => d.all.length > 1 && has(y.name)).map(y => ({kind: 'task', id: y.name, parts: [{n: middle(oneLine(y.name), 40)}]})), ...x.samples.filter(has).map(id => ({kind: 'row', id, parts: [{n: middle(oneLine(id), 40)}]}))];
  return found.sort((a, b) => (plain(b.parts).toLowerCase() === want) - (plain(a.parts).toLowerCase() === want));
}

/** The same facts as a table */
export function tableOf(d) {
  const unit = unitOf(d), dec = Math.max(scaleOf(d), 2), n = (v, k = dec) => Number.isFinite(v) ? signed(v, k) : '–', ends = g => Number.isFinite(g.lo) ? `${n(g.lo)} to ${n(g.hi)}` : '', ev = g => g.kind === 'none' ? 'does not apply' : g.kind === 'unclear' ? 'n.e.' : g.kind === 'zero' ? 'no effect' : 'yes';
  if (d.show === 'targets') {
    const h = heat(d), k = decimals(Math.max(0, ...h.players.shown.flatMap(p => h.cols.map(c => Math.abs(h.at(p, c).value))).filter(Number.isFinite)), 3), every = [...h.cols, ...h.rest];
    return {caption: h.whole ? 'Importance over all rows, in spreads of each target’s score; n.e.: no evidence of an effect' : `Effect on each target${h.mixed ? ', in spreads of its score' : unit ? `, in ${unit}` : ''}; n.e.: no evidence of an effect`, head: [noun(d, 1), ...every.map(c => c.label)],
      rows: [...[...h.players.shown, ...h.players.rest].map(p => [fullName(d, p), ...every.map(c => { const g = h.at(p, c); return g.kind === 'none' ? '–' : (h.whole ? quantity(g.value, k) : signed(g.value, k)) + (g.kind === 'unclear' ? ' n.e.' : ''); })]), ...(h.whole ? [] : [['score', ...every.map(c => quantity(h.score(c), 3))]])]};
  }
  if (d.show === 'rows') { const {shown, rest} = byRows(d), ps = [...shown, ...rest]; return {caption: `Effect on ${targetName(d.x, d.j)}${unit ? `, in ${unit}` : ''}; n.e.: no evidence of an effect`, head: ['row', ...ps.map(p => fullName(d, p))], rows: d.x.samples.map((id, s) => [oneLine(id), ...ps.map(p => { const g = fact(d, p, {s}); return n(g.value) + (g.kind === 'unclear' ? ' n.e.' : ''); })])}; }
  const {shown, rest} = byEffect(d), ps = [...shown, ...rest];
  if (d.show === 'explainers') return {caption: `Effect on ${targetName(d.x, d.j)}, row ${rowName(d)}; n.e.: no evidence of an effect`, head: [noun(d, 1), ...d.x.explainers.map(e => oneLine(e.name))], rows: [...ps.map(p => [fullName(d, p), ...d.x.explainers.map((_, e) => { const g = fact(d, p, {e}); return n(g.value) + (g.kind === 'unclear' ? ' n.e.' : ''); })]), ['rank agreement', ...d.x.explainers.map((_, e) => e === d.e ? '' : fraction(agreement(d, d.e, e).rho))]]};
  const q = v => Number.isFinite(v) ? quantity(v, dec) : '–', closes = !whyNoLedger(d);
  return {caption: `${targetName(d.x, d.j)}, row ${rowName(d)}${unit ? `, in ${unit}` : ''}; n.e.: no evidence of an effect`, head: ['term', 'value', 'effect', '95\u202f% interval', 'evidence'],
    rows: [['base', '', q(book(d, 'base')), '', ''], ...ps.map(p => { const g = fact(d, p); return [fullName(d, p), valueText(d, p), n(g.value), ends(g), ev(g)]; }), ...(closes ? [...Array(d.x.N).keys()].filter(k => Number.isFinite(sinkOf(d, k))).map(k => [`sink: ${oneLine(d.x.sinks[k])}`, '', n(sinkOf(d, k)), '', '']) : []), ...(closes ? [['delta', '', tiny(book(d, 'delta')), '', '']] : []), ['score', '', q(book(d, 'score')), '', '']]};
}

// ---- where things stand (pure but for measuring text) ----

/** A linear scale with a little room at both ends for what is written beside the bars */
export function scale(values, x0, x1, {zero = true, left = 0, right = 0} = {}) {
  const v = values.filter(Number.isFinite); if (zero) v.push(0);
  let lo = Math.min(...v), hi = Math.max(...v);
  if (!v.length) [lo, hi] = [0, 1]; else if (hi - lo < 1e-12*Math.max(1, Math.abs(hi))) { const by = Math.abs(hi) || 1; lo -= zero && lo === 0 ? 0 : by/2; hi += by/2; }
  const a = x0 + (lo < 0 || !zero ? left : 0), b = Math.max(a + 10, x1 - (hi > 0 || !zero ? right : 0)), by = (b - a)/(hi - lo), to = x => a + (x - lo)*by;
  return Object.assign(to, {lo, hi, x0, x1});
}
/** A scale through 0 that is as long as the labels at the ends of the bars allow: items {end, w}, w = room that is needed beyond the end */
export function balanced(items, x0, x1) {
  const ok = items.filter(i => Number.isFinite(i.end)), side = (by, sign) => Math.max(4, ...ok.filter(i => sign*i.end >= 0 && (i.end !== 0 || sign > 0)).map(i => by*Math.abs(i.end) + i.w)), need = by => side(by, -1) + side(by, 1), room = x1 - x0;
  const most = Math.max(...ok.map(i => Math.abs(i.end)), 0); let lo = 0, hi = most > 0 ? room/most : 0;
  for (let k = 0; k < 40; k++) { const m = (lo + hi)/2; if (need(m) <= room) lo = m; else hi = m; }
  const zero = Math.min(x0 + side(lo, -1), x1 - 4), to = v => zero + lo*v;
  return Object.assign(to, {lo: lo > 0 ? (x0 - zero)/lo : -1, hi: lo > 0 ? (x1 - zero)/lo : 1, x0, x1});
}
/** Widths of the parts of a picture */
export function geometry({width, u, labelWidth}) {
  const narrow = width < 560*u, pad = 6*u, label = Math.min(Math.max(labelWidth + 4*u, 70*u), narrow ? width*.42 : Math.max(width*.27, 200*u)), x0 = pad + label + 10*u, right = width - 8*u;
  const gap = 36*u, x1 = narrow ? right : x0 + (right - x0 - gap)*.56, x2 = x1 + gap;
  return {width, u, narrow, pad, label, x0, x1, x2, right, rowH: 26*u, dotH: narrow ? 30*u : 36*u};
}
/** The next place for a key, given marks in rows, each with a box; null if the key does not move */
export function step(key, {r, c}, rows) {
  const mid = m => m.box.x + m.box.w/2, there = k => { const now = rows[r]?.[c], to = rows[k]; if (!to?.length) return 0; if (!now) return 0; return to.reduce((best, m, i) => Math.abs(mid(m) - mid(now)) < Math.abs(mid(to[best]) - mid(now)) - 1e-6 ? i : best, 0); };
  const clamp = (v, hi) => Math.min(hi, Math.max(0, v)), at = k => { const q = clamp(k, rows.length - 1); return {r: q, c: there(q)}; };
  if (key === 'ArrowUp') return at(r - 1);
  if (key === 'ArrowDown') return at(r + 1);
  if (key === 'ArrowLeft') return {r, c: clamp(c - 1, rows[r].length - 1)};
  if (key === 'ArrowRight') return {r, c: clamp(c + 1, rows[r].length - 1)};
  if (key === 'Home') return {r, c: 0};
  if (key === 'End') return {r, c: rows[r].length - 1};
  if (key === 'PageUp') return at(0);
  return key === 'PageDown' ? at(rows.length - 1) : null;
}

// ---- the picture ----

const fonts = f => { const {family, s2, s1, s0} = f.theme, font = (size, weight = 400, italic = false) => ({size, weight, italic, family}); return {f1: font(s1), b1: font(s1, 600), f0: font(Math.max(11, s0)), h: font(s2, 600), m2: font(s2), i1: font(s1, 400, true), font}; };
function start(d, f, ids, label) {
  const {tk} = f.theme, node = svg('svg', {role: 'grid', 'aria-label': plain(question(d)), width: f.width, height: 10, 'font-family': f.theme.family});
  put(node, svg('defs', {}, hatch(ids.hatch, tk)));
  return {node, rows: [], labels: new Map(), frames: new Map(), deco: null, W: f.width, geo: geometry({width: f.width, u: f.theme.u, labelWidth: label}), tk, ...fonts(f), ids, unclear: false};
}
const mid = (o, y, h, font = o.f1) => y + h/2 + font.size*.36;
const deco = (o, ...kids) => put(o.node, svg('g', {'aria-hidden': 'true', 'pointer-events': 'none'}, kids));
function row(o, attrs = {}) { const el = svg('g', {role: 'row', 'aria-rowindex': o.rows.length + 1, ...attrs}), r = Object.assign([], {el}); o.rows.push(r); put(o.node, el); return r; }
/** One place that can be read, focused and pinned. What is seen of a cell is painted beside it, so that its label, which says more, is all that is read aloud; a head keeps its text */
function mark(o, d, r, m, ...kids) {
  const head = m.role === 'columnheader', said = plain(reading(d, m)).trim() || m.what, seen = head ? kids.flat().find(k => k?.tagName === 'text')?.textContent ?? '' : '';
  if (!head) put(r.el, svg('g', {'aria-hidden': 'true', 'pointer-events': 'none'}, kids));
  const g = svg('g', {role: m.role ?? 'gridcell', tabindex: -1, 'data-r': o.rows.indexOf(r), 'data-c': r.length, 'data-what': m.what, 'data-kind': m.g?.kind, 'data-player': m.p >= 0 ? d.x.players[m.p] : undefined, 'data-part': m.part, 'data-target': m.c?.id, 'data-explainer': m.e !== undefined ? d.x.explainers[m.e].name : undefined, 'aria-colindex': r.length + 1, 'aria-label': said.includes(seen) ? said : `${seen}: ${said}`},
    svg('rect', {x: m.box.x, y: m.box.y, width: Math.max(1, m.box.w), height: m.box.h, fill: 'transparent'}), head && kids);
  r.push(Object.assign(m, {el: g})); put(r.el, g); return m;
}
/** "name = value", the name muted and the value bold, right-aligned, both shortened until they fit */
function label(o, d, p, y, h, {value = true, s = d.s} = {}) {
  const {geo, tk, f1, b1, i1} = o, name = naming(d, p, 1e6), italic = 'i' in name, long = plain(name), v = value ? valueText(d, p, s) : '', bare = v.split(NB)[0], shortV = v ? measure(v, b1) + measure(long + ' = ', f1) <= geo.label || measure(v, b1) <= geo.label*.3 ? v : fit(bare, geo.label*.5, b1, middle) : '', room = geo.label - (v ? measure(' = ' + shortV, b1) + 4*geo.u : 0);
  const short = fit(long, room, italic ? i1 : {...f1, weight: 650}, middle), x = geo.pad + geo.label, el = svg('text', {x, y: mid(o, y, h), 'font-size': f1.size, 'text-anchor': 'end', fill: tk.muted, style: /[\u0590-\u08ff]/.test(long) ? {'unicode-bidi': 'isolate'} : undefined},
    svg('tspan', {'font-style': italic ? 'italic' : undefined, class: 'mtl-name-of'}, short), v && svg('tspan', {}, ' = '), v && svg('tspan', {'font-weight': 600, fill: tk.ink}, shortV));
  if (short !== long || shortV !== v) put(el, svg('title', {}, v ? `${long} = ${v}` : long));
  if (!o.labels.has(p)) o.labels.set(p, []);
  o.labels.get(p).push(el); return el;
}
function labelWidth(d, f, ps, value = true) {
  const {f1, b1} = fonts(f);
  return Math.max(measure('score', {...b1, size: f.theme.s2}), ps.length < d.x.P ? measure(`${thousands(d.x.P - ps.length)} others, summed`, fonts(f).i1) : 0, ...ps.map(p => { const v = value ? valueText(d, p) : ''; return measure(fullName(d, p), {...f1, weight: 650}) + (v ? measure(' = ' + v, b1) : 0) + 6; }));
}
const paint = (o, g) => g.kind === 'unclear' ? `url(#${o.ids.hatch})` : g.value < 0 ? o.tk.minus : o.tk.plus;
/** A bar from a to b: hatched and outlined where there is no evidence */
const bar = (o, a, b, y, h, g, fill) => svg('rect', {x: Math.min(a, b), y, width: Math.max(Math.abs(b - a), g.kind === 'zero' || g.kind === 'none' ? 0 : 1), height: h, fill: fill ?? paint(o, g), stroke: !fill && g.kind === 'unclear' ? o.tk.hatch : undefined});
const amount = (g, dec) => g.kind === 'none' ? '–' : g.kind === 'zero' ? '0' : signed(g.value, dec) + (g.kind === 'unclear' ? ' n.e.' : '');
const inkOf = (o, g) => g.kind === 'effect' ? o.tk[g.value < 0 ? 'minus-text' : 'plus-text'] : o.tk.muted;

/** "← lowers | raises →" over the zero line */
function direction(o, zero, y, x0, x1, word) {
  const {tk, b1, geo} = o, right = `raises the ${word} →`, w = measure(right, b1), wide = zero + 8*geo.u + w <= x1, short = wide ? right : 'raises →', at = Math.min(zero + 8*geo.u, x1 - measure(short, b1));
  deco(o, text(at - 16*geo.u, y, '← lowers', b1, {fill: tk['minus-text'], 'text-anchor': 'end'}), text(at, y, short, b1, {fill: tk['plus-text']}));
}

/** A sentence in place of bars: no row, or one that was not reached */
function drawSentence(d, f, ids, said) {
  const {u, tk} = f.theme, o = start(d, f, ids, labelWidth(d, f, byRows(d).shown, false)), {geo, m2, f1} = o, r = row(o), lines = wrapWords(said, geo.right - geo.pad, m2); let y = 10*u;
  Object.assign(o, {d, arranged: byRows(d), dec: scaleOf(d)});
  mark(o, d, r, {what: 'line', say: [said], box: {x: geo.pad, y, w: geo.right - geo.pad, h: lines.length*20*u}}, lines.map((s, i) => text(geo.pad, y + (14 + 20*i)*u, s, m2, {fill: tk.ink}))); y += lines.length*20*u + 4*u;
  if (d.s < 0) { deco(o, text(geo.pad, y + 14*u, 'explain(model, suite, samples=200)', {...f1, family: 'monospace'}, {fill: tk.muted, 'font-family': 'monospace'})); return finish(o, y + 24*u); }
  return finish(o, geo.narrow || d.x.S < 2 ? y : drawSwarm(o, d, y + 20*u, o.arranged.shown, true));
}
export function drawAnswer(d, f, ids) {
  const why = whyNoLedger(d); if (d.s < 0 || /not reached/.test(why)) return drawSentence(d, f, ids, why);
  const {tk, u} = f.theme, order = byEffect(d), o = start(d, f, ids, labelWidth(d, f, order.shown)), {geo, f1, b1, f0} = o, dec = scaleOf(d), facts = new Map(order.shown.map(p => { const a = d.x.again?.[((d.e*d.x.S + d.s)*d.x.P + p)*d.x.T + d.j], g = fact(d, p); return [p, {...g, wide: a > 0 ? 1.96*Math.hypot(g.se || 0, a) : NaN}]; })), restValue = order.rest.length ? sum(order.rest.map(p => fact(d, p).value)) : NaN;
  const led = ledger(d), second = comparable(d, order.shown), items = [...facts.values()].flatMap(g => ends(o, g, dec, b1)).concat({end: restValue, w: measure(signed(restValue, dec), f1) + 10*u}, second ? order.shown.map(p => ({end: fact(d, p, {e: second.e}).value, w: 6*u})) : []);
  const sx = balanced(items, geo.x0, geo.x1), zero = sx(0), lx = led && !geo.narrow ? scale(led.flatMap(t => [t.from, t.to]), geo.x2 + 4*u, geo.right - 4*u, {zero: false, left: 44*u, right: 44*u}) : null, steps = new Map((led ?? []).map(t => [`${t.what}${t.p ?? t.n ?? ''}`, t]));
  Object.assign(o, {d, sx, lx, zero, dec, led, facts, arranged: order, second}); let y = 18*u;
  const words = [baseWords(d), ...(led ? [d.x.N ? led.filter(t => t.what === 'sink').map(t => sinkLine(d, t, dec)) : noSinks(d), deltaLine(d)] : []), scoreLine(d, dec, !!lx)].flat(), most = Math.max(...words.map(s => measure(s, f1)));
  o.wordsX = Math.max(geo.x0, Math.min(zero + 8*u, geo.x1 - most));
  direction(o, zero, y, geo.x0, geo.narrow ? geo.x1 : geo.x2 - 12*u, wordFor(d));
  if (!geo.narrow) { const unit = shortUnit(d), title = led ? `Ledger${unit ? `, in ${unit}` : ''}` : 'No ledger'; deco(o, text(geo.x2, y, fit(title, geo.right - geo.x2, o.h, middle), o.b1, {fill: tk.ink})); if (!led) whyText(o, d, y + 26*u); }
  y += 10*u; const top = y;
  if (!geo.narrow) y = plainRow(o, d, y, {what: 'base'}, 'base', baseWords(d), lx && (t => baseTick(o, t, lx, y)), steps.get('base'), dec);
  for (const p of order.shown) y = playerRow(o, d, p, y, {lx, step: steps.get(`player${p}`)});
  if (order.rest.length) y = restRow(o, d, y, order.rest, restValue, lx, steps.get(`rest${order.rest.length}`));
  deco(o, svg('line', {x1: zero, x2: zero, y1: top + (geo.narrow ? 0 : geo.rowH), y2: y, stroke: tk.axis}));
  if (geo.narrow) y = ledgerCard(o, d, y + 14*u, led, order); else y = ledgerRows(o, d, y + 4*u, led, lx, steps);
  y = agreementLines(o, d, y + 6*u, second);
  if (!geo.narrow && d.x.S > 1) y = drawSwarm(o, d, y + 26*u, order.shown, true);
  return finish(o, y + 4*u);
}
function finish(o, y) { o.H = Math.ceil(y); for (const [k, v] of Object.entries({width: o.W, height: o.H, viewBox: `0 0 ${o.W} ${o.H}`})) o.node.setAttribute(k, v); return o; }
/** How far a bar with its interval and its number reaches, to both sides */
const outer = g => ({lo: Number.isFinite(g.wide) ? Math.min(g.value - g.wide, g.lo || 0) : g.lo, hi: Number.isFinite(g.wide) ? Math.max(g.value + g.wide, g.hi || 0) : g.hi});
function ends(o, g_, dec, font) { const g = {...g_, ...outer(g_)}, w = measure(amount(g, dec), font) + 12*o.geo.u, out = g.value < 0 ? [g.lo, g.hi] : [g.hi, g.lo]; return Number.isFinite(g.lo) ? [{end: out[0], w}, {end: out[1], w: 4*o.geo.u}] : [{end: g.kind === 'none' ? 0 : g.value, w}]; }
/** The second explainer is drawn as triangles where its unit and size can stand on the same axis */
function comparable(d, shown) {
  const e = nextExplainer(d); if (e < 0) return null;
  const most = k => Math.max(0, ...shown.map(p => Math.abs(fact(d, p, {e: k}).value)).filter(Number.isFinite));
  return unitOf(d, {e}) === unitOf(d) && most(e) > 0 && most(e) <= 2.5*Math.max(most(d.e), 1e-300) ? {e} : null;
}
function whyText(o, d, y) { const {geo, tk, f1} = o; wrapWords(capital(whyNoLedger(d).replace(/^No ledger: /, '')), geo.right - geo.x2, f1).forEach((line, i) => deco(o, text(geo.x2, y + i*17*geo.u, line, f1, {fill: tk.muted}))); }
function wrapWords(s, width, font) { const lines = []; for (const w of s.split(' ')) { const at = lines.at(-1); if (at !== undefined && measure(`${at} ${w}`, font) <= width) lines[lines.length - 1] = `${at} ${w}`; else lines.push(w); } return lines; }

function playerRow(o, d, p, y, {lx, step: t}) {
  const {geo, tk, b1, f1, sx, zero, dec} = o, u = geo.u, g = o.facts.get(p), h = geo.rowH, r = row(o), bh = 14*u, by = y + (h - bh)/2, cy = y + h/2, w = outer(g), end = g.value < 0 ? Math.min(sx(g.value), Number.isFinite(w.lo) ? sx(w.lo) : Infinity) : Math.max(sx(g.value || 0), Number.isFinite(w.hi) ? sx(w.hi) : -Infinity);
  if (g.kind === 'unclear') o.unclear = true;
  const said = amount(g, dec), left = g.value < 0, other = o.second ? fact(d, p, {e: o.second.e}).value : NaN;
  mark(o, d, r, {what: 'player', part: 'bar', p, g, box: {x: geo.pad, y, w: geo.x1 - geo.pad, h}}, label(o, d, p, y, h),
    g.kind === 'zero' && svg('rect', {x: zero - 4*u, y: by, width: 8*u, height: bh, fill: tk.track}), g.kind !== 'none' && bar(o, zero, sx(g.value), by, bh, g), again(o, g, cy), Number.isFinite(g.lo) && capped(sx(g.lo), sx(g.hi), cy, tk, 7*u),
    text(left ? end - 7*u : end + 7*u, mid(o, y, h, b1), said, {...b1, weight: g.kind === 'effect' ? 600 : 400}, {fill: inkOf(o, g), 'text-anchor': left ? 'end' : 'start'}), Number.isFinite(other) && triangle(sx(other), by + bh + 2*u, tk, u));
  if (lx && t) mark(o, d, r, {what: 'player', part: 'ledger', p, g, from: t.from, to: t.to, box: {x: geo.x2, y, w: geo.right - geo.x2, h}}, bar(o, lx(t.from), lx(t.to), by, bh, g), svg('line', {x1: lx(t.to), x2: lx(t.to), y1: by + bh, y2: by + h, stroke: tk.axis, 'stroke-dasharray': '2 2'}));
  o.frames.set(p, {x: geo.pad - 2*u, y: y + 1*u, w: (lx ? geo.right : geo.x1) - geo.pad + 2*u, h: h - 2*u});
  return y + h;
}
/** What drawing the background again would add to the interval: a thin line behind it */
function again(o, g, cy) {
  if (!Number.isFinite(g.wide + g.value)) return null;
  return svg('line', {x1: o.sx(g.value - g.wide), x2: o.sx(g.value + g.wide), y1: cy, y2: cy, stroke: o.tk.axis, 'stroke-width': 1, 'stroke-dasharray': '3 2'});
}
const triangle = (x, y, tk, u) => svg('path', {d: `M${x - 4*u} ${y + 6*u}L${x + 4*u} ${y + 6*u}L${x} ${y}Z`, fill: tk.paper, stroke: tk.ink, 'stroke-width': 1.2});
function restRow(o, d, y, rest, value, lx, t) {
  const {geo, tk, i1, f1, sx, zero, dec} = o, u = geo.u, h = geo.rowH, r = row(o), by = y + 6*u, bh = 14*u, g = {value, kind: 'unclear'}, name = `${thousands(rest.length)} others, summed`, left = value < 0, m = {what: 'rest', n: rest.length, value, box: {x: geo.pad, y, w: geo.x1 - geo.pad, h}};
  mark(o, d, r, m, text(geo.pad + geo.label, mid(o, y, h), fit(name, geo.label, i1, middle), i1, {fill: tk.muted, 'text-anchor': 'end'}), Number.isFinite(value) && bar(o, zero, sx(value), by, bh, g, tk.axis), text((Number.isFinite(value) ? sx(value) : zero) + (left ? -7 : 7)*u, mid(o, y, h), signed(value, dec), f1, {fill: tk.muted, 'text-anchor': left ? 'end' : 'start'}));
  if (lx && t) mark(o, d, r, {...m, box: {x: geo.x2, y, w: geo.right - geo.x2, h}}, bar(o, lx(t.from), lx(t.to), by, bh, g, tk.axis), svg('line', {x1: lx(t.to), x2: lx(t.to), y1: by + bh, y2: by + h, stroke: tk.axis, 'stroke-dasharray': '2 2'}));
  return y + h;
}
/** A row in words, with a step of the ledger beside it */
function plainRow(o, d, y, m, name, words, drawStep, t, dec, bold = false) {
  const {geo, tk, f1, b1, m2, h: hFont} = o, u = geo.u, h = geo.rowH, r = row(o), at = o.wordsX, shown = fit(words, geo.x1 - at, f1, middle);
  mark(o, d, r, {...m, box: {x: geo.pad, y, w: (drawStep ? geo.x1 : geo.right) - geo.pad, h}}, text(geo.pad + geo.label, mid(o, y, h), name, bold ? hFont : f1, {fill: bold ? tk.ink : tk.muted, 'text-anchor': 'end'}), text(at, mid(o, y, h), shown, f1, {fill: tk.muted}));
  if (drawStep && t) mark(o, d, r, {...m, box: {x: geo.x2, y, w: geo.right - geo.x2, h}}, drawStep(t));
  return y + h;
}
const dotted = (o, x, y0, y1) => svg('line', {x1: x, x2: x, y1: y0, y2: y1, stroke: o.tk.axis, 'stroke-dasharray': '2 2'});
/** A number beside a tick, or beside a bar that ends at `far`: on the left if there is room, else on the right, else nowhere */
function beside(o, x, y, h, s, font, fill, x0, x1, far = x) { const w = measure(s, font) + 8*o.geo.u, right = x - w < x0; return !right || far + w <= x1 ? text(right ? far + 7*o.geo.u : x - 7*o.geo.u, mid(o, y, h, font), s, font, {fill, 'text-anchor': right ? 'start' : 'end'}) : null; }
function baseTick(o, t, lx, y) { const {geo, tk, b1, dec} = o, u = geo.u, x = lx(t.to); return [svg('line', {x1: x, x2: x, y1: y + 4*u, y2: y + 22*u, stroke: tk.ink, 'stroke-width': 2}), dotted(o, x, y + 22*u, y + 32*u), beside(o, x, y, geo.rowH, quantity(t.to, dec), b1, tk.ink, geo.x2, geo.right)]; }
const sinkLine = (d, t, dec) => `${signed(t.value, dec)} ${sinkWords(d, t.n)}`, deltaLine = d => `${tiny(book(d, 'delta'))}: closes ${method(d).closes}`;
const scoreLine = (d, dec, drawn) => [drawn ? '' : withUnit(quantity(book(d, 'score'), dec), shortUnit(d)), truthWords(d, dec)].filter(Boolean).join(' · ');
function ledgerRows(o, d, y, led, lx, steps) {
  const {geo, tk, f1, dec} = o, u = geo.u, x = d.x, line = (at, color) => deco(o, svg('line', {x1: geo.pad, x2: geo.right, y1: at, y2: at, stroke: color})), unit = shortUnit(d);
  line(y, tk.line); y += 3*u;
  if (led) {
    const sinks = led.filter(t => t.what === 'sink');
    if (!sinks.length && lx) deco(o, dotted(o, lx(steps.get('delta').from), y - 8*u, y + 26*u));
    if (!sinks.length) y = plainRow(o, d, y, {what: 'sink', n: -1}, 'sinks', noSinks(d), null, null, dec);
    for (const t of sinks) { const at = y; y = plainRow(o, d, y, {what: 'sink', n: t.n, value: t.value}, fit(`sink: ${oneLine(x.sinks[t.n])}`, geo.label, f1, middle), sinkLine(d, t, dec), lx && (() => [svg('rect', {x: Math.min(lx(t.from), lx(t.to)), y: at + 6*u, width: Math.max(1, Math.abs(lx(t.to) - lx(t.from))), height: 14*u, fill: tk.axis}), dotted(o, lx(t.to), at + 20*u, at + 32*u), beside(o, Math.min(lx(t.from), lx(t.to)), at, geo.rowH, signed(t.value, dec), f1, tk.muted, geo.x2, geo.right, Math.max(lx(t.from), lx(t.to)))]), t, dec); }
    const t = steps.get('delta'), at = y, visible = Math.abs(lx(t.to) - lx(t.from)) >= 1;
    y = plainRow(o, d, y, {what: 'delta'}, 'delta', deltaLine(d), lx && (() => visible ? [svg('rect', {x: Math.min(lx(t.from), lx(t.to)), y: at + 6*u, width: Math.abs(lx(t.to) - lx(t.from)), height: 14*u, fill: 'none', stroke: tk.ink}), dotted(o, lx(t.to), at + 20*u, at + 32*u)] : dotted(o, lx(t.to), at - 6*u, at + 30*u)), t, dec);
  }
  line(y + 2*u, tk.axis); y += 5*u;
  const t = steps.get('score'), at = y, score = withUnit(quantity(book(d, 'score'), dec), unit), tick = lx && t && (() => { const sx = lx(t.to), w = geo.right - geo.x2, said = fit(score, Math.max(sx - geo.x2, geo.right - sx) - 10*u, o.h, middle); return [svg('line', {x1: sx, x2: sx, y1: at + 3*u, y2: at + 23*u, stroke: tk.ink, 'stroke-width': 3}), beside(o, sx, at, geo.rowH, w ? said : '', o.h, tk.ink, geo.x2, geo.right)]; });
  return plainRow(o, d, y, {what: 'score'}, 'score', scoreLine(d, dec, !!tick), tick, t, dec, true);
}
/** Where the waterfall does not fit: its four lines */
function ledgerCard(o, d, y, led, order) {
  const {geo, tk, f1, b1, dec} = o, u = geo.u, unit = shortUnit(d), x0 = geo.pad, x1 = geo.right, rest = led ? sum(led.filter(t => t.what === 'sink' || t.what === 'delta').map(t => t.value)) : 0, total = sum(effects(d, d.e));
  if (!led) { const lines = wrapWords(whyNoLedger(d), x1 - x0, f1); lines.forEach((s, i) => deco(o, text(x0, y + (12 + i*17)*u, s, f1, {fill: tk.muted}))); return y + (lines.length*17 + 4)*u; }
  const lines = [[{what: 'base'}, 'base', quantity(book(d, 'base'), dec), tk.ink, f1], [{what: 'line', say: [{b: `${thousands(d.x.P)} ${noun(d, d.x.P)}:`}, ` ${signed(total, dec)} together.`]}, `${thousands(d.x.P)} ${noun(d, d.x.P)}`, signed(total, dec), tk[total < 0 ? 'minus-text' : 'plus-text'], f1],
    [{what: 'delta'}, d.x.N ? 'sinks, delta' : 'delta', d.x.N ? signed(rest, dec) : tiny(rest), tk.muted, f1], [{what: 'score'}, fit(`score${unit ? `, ${unit}` : ''}`, (x1 - x0)*.66, b1, middle), quantity(book(d, 'score'), dec), tk.ink, b1]], h = 22*u;
  deco(o, svg('rect', {x: x0, y, width: x1 - x0, height: lines.length*h + 12*u, rx: 6, fill: tk.raised, stroke: tk.line}));
  lines.forEach(([m, name, value, ink, font], i) => { const r = row(o), at = y + 6*u + i*h; mark(o, d, r, {...m, box: {x: x0, y: at, w: x1 - x0, h}}, text(x0 + 12*u, mid(o, at, h, font), name, font, {fill: ink}), text(x1 - 12*u, mid(o, at, h, font), value, font, {fill: ink, 'text-anchor': 'end'})); });
  return y + lines.length*h + 16*u;
}
function agreementLines(o, d, y, second) {
  const {geo, tk, f1} = o, u = geo.u, others = [...Array(d.x.E).keys()].filter(e => e !== d.e).slice(0, 3);
  if (!others.length || d.s < 0 || /not reached/.test(whyNoLedger(d))) return y;
  for (const e of others) {
    const mine = second?.e === e, parts = plain(agreementSentence(d, e)), lines = wrapWords(parts, geo.right - geo.pad - (mine ? 16*u : 0), f1);
    lines.forEach((s, i) => { y += 17*u; deco(o, mine && i === 0 && triangle(geo.pad + 5*u, y - 9*u, tk, u), text(geo.pad + (mine ? 16*u : 0), y, s, f1, {fill: tk.ink})); });
    if (!mine && e === nextExplainer(d) && lines.length) o.offScale = e;
  }
  return y + 2*u;
}

/** Rows as dots: a line a player, the pinned row joined by a thin line */
function drawSwarm(o, d, y, ps, titled) {
  const {geo, tk, f1, b1, dec: k} = o, u = geo.u, x = d.x, unit = shortUnit(d), toned = !!x.rank && ps.some(p => x.rank[p] !== 255), all = ps.flatMap(p => Array.from({length: x.S}, (_, s) => fact(d, p, {s}).value)), sx = scale(all, geo.x0, geo.right, {left: 6*u, right: 6*u}), r = (x.S > 400 ? 1.8 : x.S > 60 ? 2.4 : 3)*u, half = geo.dotH/2 - r - 2*u, dec = k ?? scaleOf(d);
  const rest = `effect${unit ? ` in ${unit}` : ''}${toned ? '; pale = low value, strong = high value' : ''}`, head = titled ? `The same ${noun(d)} over ${thousands(x.S)} rows` : `${thousands(x.S)} rows`, w = measure(head, o.h);
  if (w + measure(' · ' + rest, f1) < geo.right - geo.pad) { deco(o, svg('text', {x: geo.pad, y, 'font-size': o.h.size}, svg('tspan', {'font-weight': 600, fill: tk.ink}, head), svg('tspan', {fill: tk.muted, 'font-size': f1.size}, ` · ${rest}`))); }
  else { deco(o, text(geo.pad, y, head, o.h, {fill: tk.ink})); for (const line of wrapWords(rest, geo.right - geo.pad, f1)) { y += 17*u; deco(o, text(geo.pad, y, line, f1, {fill: tk.muted})); } }
  y += 10*u; const top = y, h = geo.dotH, bottom = top + ps.length*h, marks = ticks(sx.lo, sx.hi, geo.narrow ? 2 : 3), gap = marks.length > 1 ? marks[1] - marks[0] : 1, places = Math.max(0, -Math.floor(Math.log10(gap) + 1e-9));
  deco(o, marks.map(v => [svg('line', {x1: sx(v), x2: sx(v), y1: top, y2: bottom, stroke: Math.abs(v) < gap/1e6 ? tk.axis : tk.line}), text(sx(v), bottom + 15*u, Math.abs(v) < gap/1e6 ? '0' : signed(v, places), o.f0, {fill: tk.muted, 'text-anchor': 'middle'})]));
  const tones = [0, 1, 2, 3, 4].map(i => mix(tk.axis, tk.ink, i/4)), place = new Map();
  for (const p of ps) { drawDots(o, d, p, y, {sx, r, half, h, tones, toned, place, dec}); y += h; }
  o.swarm = {place, ps, r, top, bottom, sx};
  return bottom + 20*u;
}
function drawDots(o, d, p, y, {sx, r, half, h, tones, toned, place}) {
  const {geo, tk} = o, x = d.x, cy = y + h/2, xs = Array.from({length: x.S}, (_, s) => { const v = fact(d, p, {s}).value; return Number.isFinite(v) ? sx(v) : NaN; }), off = swarm(xs, r, half), paths = new Map();
  xs.forEach((px, s) => { if (!Number.isFinite(px)) return; const k = toned ? x.rank[s*x.P + p] : 255, tone = k === 255 ? -1 : Math.min(4, Math.floor(k/51)), at = {x: px, y: cy + off[s]}; place.set(`${p},${s}`, at); paths.set(tone, (paths.get(tone) ?? '') + `M${(at.x - r).toFixed(1)} ${at.y.toFixed(1)}a${r} ${r} 0 1 0 ${2*r} 0a${r} ${r} 0 1 0 ${-2*r} 0`); });
  const line = row(o), cell = svg('g', {role: 'gridcell', tabindex: -1, 'data-r': o.rows.length - 1, 'data-c': 0, 'data-what': 'dots', 'data-player': x.players[p], 'aria-label': `${fullName(d, p)}: ${thousands(x.S)} rows`}, svg('rect', {x: geo.x0, y, width: geo.right - geo.x0, height: h, fill: 'transparent', class: 'mtl-place'}));
  put(line.el, label(o, d, p, y, h, {value: false}), [...paths].map(([tone, path]) => svg('path', {d: path, fill: tone < 0 ? tk.muted : tones[tone], stroke: tk.paper, 'stroke-width': .5})), cell);
  line.shared = cell; line.band = {x: geo.x0, y, w: geo.right - geo.x0, h, p};
  xs.map((px, s) => [px, s]).filter(([px]) => Number.isFinite(px)).sort((a, b) => a[0] - b[0]).forEach(([, s]) => { const at = place.get(`${p},${s}`); line.push({what: 'dot', p, s, el: cell, box: {x: at.x - r - 2, y: at.y - r - 2, w: 2*r + 4, h: 2*r + 4}}); });
  if (!line.length) line.push({what: 'line', say: [{b: [naming(d, p), ':']}, ' does not apply to any row.'], el: cell, box: {x: geo.x0, y, w: geo.right - geo.x0, h}});
}
export function drawRows(d, f, ids) {
  const order = byRows(d), o = start(d, f, ids, labelWidth(d, f, order.shown, false));
  Object.assign(o, {d, arranged: order, dec: scaleOf(d)});
  return finish(o, drawSwarm(o, d, 18*f.theme.u, order.shown, false));
}

/** Players × targets: sign as colour and character, size as lightness, the number in the cell */
export function drawTargets(d, f, ids) {
  const {tk, u} = f.theme, first = heat(d), names = labelWidth(d, f, first.players.shown), o = start(d, f, ids, names), {geo, f1, f0} = o, min = geo.narrow ? 30*u : 34*u, restW = 58*u, room = geo.right - geo.x0;
  const n = first.cols.length + first.rest.length, fits = Math.max(1, Math.floor(room/min)), k = n <= fits ? n : Math.max(1, Math.min(20, Math.floor((room - restW - 12*u)/min))), h = heat(d, k), heads = h.cols.map(c => fit(c.label, (geo.narrow ? 110 : 150)*u, {...f1, weight: 650}, middle)), wide = heads.map(s => measure(s, {...f1, weight: 650})), even = Math.min(58*u, (room - (h.rest.length ? restW + 24*u : 0))/Math.max(1, h.cols.length)), reach = h.rest.length ? restW + 24*u : 0;
  const pitch = Math.max(...wide) <= even - 4*u ? even : Math.max(20*u, Math.min(even, ...wide.map((s, i) => (room + 6*u - s*Math.SQRT1_2)/(i + .5) || even), (room - reach)/Math.max(1, h.cols.length)));
  const size_ = Math.max(1e-300, ...h.players.shown.flatMap(p => h.cols.map(c => Math.abs(h.at(p, c).value))).filter(Number.isFinite)), dec = Math.min(4, decimals(size_, 2)), flat = heads.every(s => measure(s, f1) <= pitch - 4*u), lean = flat ? 0 : Math.max(...wide)*Math.SQRT1_2, headH = flat ? (h.rest.length ? 36 : 24)*u : Math.max(lean + 18*u, 40*u);
  Object.assign(o, {d, heat: h, arranged: h.players, pitch, cell: {}}); const rh = geo.rowH, w = pitch - 2*u, at = i => geo.x0 + i*pitch; let y = headH; const top = row(o);
  h.cols.forEach((c, i) => { const cx = at(i) + w/2, mine = d.targetPinned && h.mine(c), font = {...f1, weight: mine ? 650 : 400}, full = c.label; mark(o, d, top, {what: 'col', c, whole: h.whole, score: h.score(c), role: 'columnheader', box: flat ? {x: at(i), y: 2*u, w, h: headH - 4*u} : {x: at(i), y: headH - 14*u, w, h: 12*u}, slant: flat ? 0 : lean},
    flat ? text(cx, headH - 8*u, heads[i], font, {fill: mine ? tk.ink : tk.muted, 'text-anchor': 'middle'}) : text(0, 0, heads[i], font, {fill: mine ? tk.ink : tk.muted, transform: `translate(${cx + 3*u} ${headH - 6*u}) rotate(-45)`}), heads[i] !== full && svg('title', {}, full)); });
  const rx = at(h.cols.length) + (flat ? 12 : 22)*u; if (h.rest.length) deco(o, text(rx + restW/2, headH - 20*u, `${thousands(h.rest.length)} others,`, {...o.f0, italic: true}, {fill: tk.muted, 'text-anchor': 'middle'}), text(rx + restW/2, headH - 7*u, 'mean size', {...o.f0, italic: true}, {fill: tk.muted, 'text-anchor': 'middle'}));
  const means = h.rest.length ? [...h.players.shown.map(p => h.mean(p))] : [], most = Math.max(1e-300, ...means.filter(Number.isFinite)), strip = v => /^[+−±]?0?\.?0*$/.test(v) ? '0' : v.replace(/^([+−±]?)0\./, '$1.'), toward = h.whole && h.players.shown.some(p => h.cols.some(c => h.at(p, c).sign));
  const write = (g, k) => strip(h.whole ? (!toward ? '' : g.sign > 0 ? '+' : g.sign < 0 ? '−' : '±') + quantity(g.value, k) : signed(g.value, k)), number = g => [dec, dec + 1, dec + 2].map(k => write(g, k)).find(t => t !== '0') ?? '0'; // a tint is a claim: no 0 on it
  const cells = (r, p, get, extra) => { h.cols.forEach((c, i) => { const g = get(c), hide = g.kind === 'none' || g.kind === 'zero', fill = hide ? tk.raised : g.kind === 'unclear' ? `url(#${ids.hatch})` : tint(h.whole && !g.sign ? tk.axis : g.sign < 0 ? tk.minus : tk.plus, size(Math.abs(g.value), size_), tk), said = g.kind === 'none' ? '–' : g.kind === 'zero' ? '' : number(g);
    if (g.kind === 'unclear') o.unclear = o.plain = true;
    mark(o, d, r, {what: 'cell', p, c, g, whole: h.whole, mixed: h.mixed, box: {x: at(i), y, w, h: rh - 2*u}, ...extra}, svg('rect', {x: at(i), y, width: w, height: rh - 2*u, fill}), g.kind !== 'unclear' && said && text(at(i) + w/2, mid(o, y, rh - 2*u, f0), fit(said, w - 2, f0, (s, n) => s.slice(0, n)), f0, {fill: hide ? tk.muted : inkOn(fill), 'text-anchor': 'middle'})); }); };
  for (const p of h.players.shown) {
    const r = row(o); put(r.el, label(o, d, p, y, rh - 2*u, {value: !h.whole})); cells(r, p, c => h.at(p, c), {}); o.frames.set(p, {x: geo.x0, y, w: h.cols.length*pitch - 2*u, h: rh - 2*u});
    if (h.rest.length) { const v = h.mean(p); mark(o, d, r, {what: 'cell', p, g: judge(v, NaN), n: h.rest.length, whole: h.whole, mixed: h.mixed, box: {x: rx, y, w: restW, h: rh - 2*u}}, svg('rect', {x: rx, y, width: restW, height: rh - 2*u, fill: tk.track}), Number.isFinite(v) && svg('rect', {x: rx, y: y + rh - 8*u, width: restW*v/most, height: 6*u, fill: tk.axis}), text(rx + restW/2, mid(o, y - 3*u, rh - 2*u, f0), strip(quantity(v, dec)), f0, {fill: tk.muted, 'text-anchor': 'middle'})); }
    y += rh;
  }
  if (h.players.rest.length) { y += 6*u; const r = row(o), name = `${thousands(h.players.rest.length)} others, summed`; put(r.el, text(geo.pad + geo.label, mid(o, y, rh - 2*u), fit(name, geo.label, o.i1, middle), o.i1, {fill: tk.muted, 'text-anchor': 'end'})); cells(r, -1, c => ({...judge(h.summed(c), NaN), sign: h.whole ? 0 : Math.sign(h.summed(c))}), {n: h.players.rest.length}); y += rh; }
  if (!h.whole) { y += 4*u; deco(o, svg('line', {x1: geo.pad, x2: at(h.cols.length), y1: y, y2: y, stroke: tk.axis})); const r = row(o), sd = decimals(Math.max(...h.cols.map(c => Math.abs(h.score(c))).filter(Number.isFinite), 0), 2); put(r.el, text(geo.pad + geo.label, mid(o, y, rh), 'score', o.h, {fill: tk.ink, 'text-anchor': 'end'}));
    h.cols.forEach((c, i) => mark(o, d, r, {what: 'col', c, whole: h.whole, score: h.score(c), box: {x: at(i), y: y + 2*u, w, h: rh - 2*u}}, text(at(i) + w/2, mid(o, y, rh, f0), fit(strip(quantity(h.score(c), Math.min(sd, 2))), pitch, f0, (s, n) => s.slice(0, n)), f0, {fill: tk.ink, 'text-anchor': 'middle', 'font-weight': d.targetPinned && h.mine(c) ? 650 : 400}))); y += rh; }
  const key = h.whole ? toward ? '+ higher values raise the score, − lower it, ± in no single direction' : `Size alone: a ${noun(d, 1)} has no value that could be high or low.` : '+ blue raises, − red lowers the score'; wrapWords(key, geo.right - geo.pad, f1).forEach(s => { y += 17*u; deco(o, text(geo.pad, y, s, f1, {fill: tk.muted})); });
  return finish(o, y + 6*u);
}

/** A column of bars an explainer, on one scale where they share their unit */
export function drawExplainers(d, f, ids) {
  const {tk, u} = f.theme, order = byEffect(d), o = start(d, f, ids, labelWidth(d, f, order.shown)), {geo, f1, b1, f0} = o, E = d.x.E, gap = 14*u, full = (geo.right - geo.x0 - gap*(E - 1))/E, tail = full >= 92*u ? 0 : Math.max(0, measure(fit(oneLine(d.x.explainers[E - 1].name), 90*u, b1, middle), b1)*Math.SQRT1_2 - full/2), w = full - tail/E, most = e => Math.max(0, ...order.shown.map(p => Math.abs(fact(d, p, {e}).value)).filter(Number.isFinite)), sizes = [...Array(E).keys()].map(most).filter(v => v > 0);
  const shared = new Set([...Array(E).keys()].map(e => unitOf(d, {e}))).size === 1 && (!sizes.length || Math.max(...sizes) <= 4*Math.min(...sizes)), numbers = w >= 92*u, dec = e => decimals(most(e));
  Object.assign(o, {d, arranged: order, shared}); const top = row(o), lean = numbers ? 0 : Math.max(...d.x.explainers.map(x => measure(fit(oneLine(x.name), 120*u, b1, middle), b1)))*Math.SQRT1_2; let y = numbers ? 46*u : lean + 18*u;
  const scales = [...Array(E).keys()].map(e => { const x0 = geo.x0 + e*(w + gap), of = k => order.shown.flatMap(p => { const g = fact(d, p, {e: k}), all = ends(o, g, dec(k), f0); return numbers ? all : all.map(i => ({...i, w: 4*u})); }); return balanced((shared ? [...Array(E).keys()] : [e]).flatMap(of), x0, x0 + w); });
  d.x.explainers.forEach((x, e) => { const x0 = geo.x0 + e*(w + gap), me = e === d.e, g = agreement(d, d.e, e), name = fit(oneLine(x.name), w, {...b1, weight: 650}, middle), under = fit(me ? 'others against it' : Number.isFinite(g.rho) ? `${fraction(g.rho)} · ${concord(g.rho)}` : concord(g.rho), w, f1, middle);
    if (!numbers) { const short = fit(oneLine(x.name), Math.min(120*u, Math.max(24*u, (o.W - x0 - w/2 - 2*u)*Math.SQRT2)), b1, middle), foot_ = lean + 8*u; mark(o, d, top, {what: 'explainer', e, role: 'columnheader', slant: lean, box: {x: x0, y: foot_ - 8*u, w, h: 14*u}}, text(0, 0, short, {...b1, weight: me ? 650 : 400}, {fill: me ? tk.ink : tk.muted, transform: `translate(${x0 + w/2} ${foot_}) rotate(-45)`}), short !== oneLine(x.name) && svg('title', {}, oneLine(x.name))); return; }
    mark(o, d, top, {what: 'explainer', e, role: 'columnheader', box: {x: x0, y: 2*u, w, h: 38*u}}, text(x0, 15*u, name, {...b1, weight: me ? 650 : 600}, {fill: tk.ink}), name !== oneLine(x.name) && svg('title', {}, oneLine(x.name)), me && svg('line', {x1: x0, x2: x0 + w, y1: 40*u, y2: 40*u, stroke: tk.ink, 'stroke-width': 2})); deco(o, text(x0, 32*u, under, f1, {fill: tk.muted})); });
  const from = y, h = geo.rowH;
  for (const p of order.shown) {
    const r = row(o); put(r.el, label(o, d, p, y, h));
    for (let e = 0; e < E; e++) { const x0 = geo.x0 + e*(w + gap), sx = scales[e], g = fact(d, p, {e}), end = g.value < 0 ? Math.min(sx(g.value), Number.isFinite(g.lo) ? sx(g.lo) : Infinity) : Math.max(sx(g.value || 0), Number.isFinite(g.hi) ? sx(g.hi) : -Infinity), left = g.value < 0; if (g.kind === 'unclear') o.unclear = true;
      mark(o, d, r, {what: 'player', p, e, g, box: {x: x0, y, w, h}}, g.kind !== 'none' && bar(o, sx(0), sx(g.value), y + 6*u, 14*u, g), Number.isFinite(g.lo) && capped(sx(g.lo), sx(g.hi), y + h/2, tk, 7*u), numbers && text(left ? end - 5*u : end + 5*u, mid(o, y, h, f0), amount(g, dec(e)), {...f0, weight: g.kind === 'effect' ? 600 : 400}, {fill: inkOf(o, g), 'text-anchor': left ? 'end' : 'start'})); }
    o.frames.set(p, {x: geo.pad - 2*u, y: y + u, w: geo.right - geo.pad + 2*u, h: h - 2*u}); y += h;
  }
  deco(o, scales.map(sx => svg('line', {x1: sx(0), x2: sx(0), y1: from, y2: y, stroke: tk.axis})));
  if (order.rest.length) { const r = row(o), name = `${thousands(order.rest.length)} others, summed`; put(r.el, text(geo.pad + geo.label, mid(o, y, h), fit(name, geo.label, o.i1, middle), o.i1, {fill: tk.muted, 'text-anchor': 'end'})); for (let e = 0; e < E; e++) { const v = sum(order.rest.map(p => fact(d, p, {e}).value)), x0 = geo.x0 + e*(w + gap); mark(o, d, r, {what: 'rest', n: order.rest.length, value: v, box: {x: x0, y, w, h}}, text(scales[e](0) + 5*u, mid(o, y, h), signed(v, dec(e)), f1, {fill: tk.muted})); } y += h; }
  const line = shared ? 'All columns on one scale.' : 'Each column on a scale of its own: compare orders and signs, not lengths.'; y += 20*u; deco(o, text(geo.pad, y, line, f1, {fill: tk.muted})); y += 6*u;
  for (let e = 0; e < E; e++) if (e !== d.e) for (const s of wrapWords(plain(agreementSentence(d, e)), geo.right - geo.pad, f1)) { y += 17*u; deco(o, text(geo.pad, y, s, f1, {fill: tk.ink})); }
  return finish(o, y + 8*u);
}
const DRAW = {answer: drawAnswer, rows: drawRows, targets: drawTargets, explainers: drawExplainers};

// ---- marks that come and go ----

const outline = (b, by, stroke, width, rx = 0, cls = '') => svg('rect', {x: b.x - by, y: b.y - by, width: Math.max(1, b.w + 2*by), height: Math.max(1, b.h + 2*by), fill: 'none', stroke, 'stroke-width': width, rx, class: cls});
/** The dots of one row, joined */
function trail(o, d, s, {strong = false} = {}) {
  if (!o.swarm || s < 0) return [];
  const {tk} = o, at = o.swarm.ps.map(p => [p, o.swarm.place.get(`${p},${s}`)]).filter(([, a]) => a), r = o.swarm.r + (strong ? 2 : 1.2)*o.geo.u;
  return [svg('polyline', {points: at.map(([, a]) => `${a.x.toFixed(1)},${a.y.toFixed(1)}`).join(' '), fill: 'none', stroke: tk.ink, 'stroke-width': 1, opacity: strong ? .75 : .45}),
    at.map(([p, a]) => { const g = fact(d, p, {s}); return svg('circle', {cx: a.x, cy: a.y, r, fill: g.kind === 'unclear' || g.kind === 'zero' ? tk.paper : g.value < 0 ? tk.minus : tk.plus, stroke: strong ? tk.paper : tk.ink, 'stroke-width': g.kind === 'unclear' || g.kind === 'zero' ? 1.5 : 1, ...(g.kind === 'unclear' || g.kind === 'zero' ? {stroke: tk.ink} : {})}); })];
}
function drawPins(o, d) {
  const {tk, geo, b1} = o, u = geo.u, g = svg('g', {class: 'mtl-pins', 'pointer-events': 'none', 'aria-hidden': 'true'});
  for (const p of d.pins) if (o.frames.has(p)) put(g, outline(o.frames.get(p), 0, tk.ink, 1.5, 3), pin(geo.pad + 6*u, o.frames.get(p).y + o.frames.get(p).h/2 - 3*u, tk));
  if (o.swarm) { put(g, trail(o, d, d.s, {strong: true})); const p = o.swarm.ps[0], at = p !== undefined && o.swarm.place.get(`${p},${d.s}`); if (at) { const s = `row ${middle(rowName(d), 20)}`, w = measure(s, b1), left = at.x + w + 12*u > geo.right; put(g, svg('text', {x: left ? at.x - 8*u : at.x + 8*u, y: at.y - 6*u, 'font-size': b1.size, 'font-weight': 600, 'text-anchor': left ? 'end' : 'start', fill: tk.ink, stroke: tk.paper, 'stroke-width': 3, 'paint-order': 'stroke'}, s)); } }
  if (o.heat) o.heat.cols.forEach((c, i) => { if (d.targetPinned && o.heat.mine(c)) { const f = [...o.frames.values()]; if (f.length) put(g, outline({x: geo.x0 + i*o.pitch, y: f[0].y, w: o.pitch - 2*u, h: f.at(-1).y + f.at(-1).h - f[0].y}, 2*u, tk.ink, 1.5, 3)); } });
  for (const x of g.querySelectorAll('.mtl-overlay')) x.classList.add('mtl-keep');
  return g;
}
function drawMarks(o, d, st) {
  const {tk, geo} = o, u = geo.u, g = svg('g', {class: 'mtl-overlay mtl-marks', 'pointer-events': 'none', 'aria-hidden': 'true'}), m = st.hover ?? (st.focused ? o.rows[st.at.r]?.[st.at.c] : null), found = st.found?.[st.foundAt];
  const bold = p => p >= 0 && (m?.p === p || d.pins.includes(p) || (found?.player && d.x.players[p] === found.id));
  for (const [p, els] of o.labels) for (const el of els) { const name = el.querySelector('.mtl-name-of'); name?.setAttribute('font-weight', bold(p) ? 650 : 400); name?.setAttribute('fill', bold(p) ? tk.ink : tk.muted); }
  if (!m) return g;
  if (m.what === 'dot') put(g, trail(o, d, m.s));
  if (st.hover && m.what !== 'dot') put(g, outline(m.box, m.what === 'cell' ? 0 : -1, tk.ink, m.what === 'cell' ? 2 : 1.5));
  if (m.what === 'dot') { const c = o.swarm.place.get(`${m.p},${m.s}`); put(g, svg('circle', {cx: c.x, cy: c.y, r: o.swarm.r + 3*u, fill: 'none', stroke: tk.ink, 'stroke-width': 2})); }
  if (st.ring && st.focused && o.rows[st.at.r]?.[st.at.c]) put(g, outline(o.rows[st.at.r][st.at.c].box, 3, tk.focus, 2, 2, 'mtl-ring'));
  return g;
}
/** What lies under a point. -> {r, c} | null */
export function locate(o, x, y) {
  const inside = b => x >= b.x && x < b.x + b.w && y >= b.y && y < b.y + b.h;
  for (let r = 0; r < o.rows.length; r++) {
    const line = o.rows[r];
    if (line.band) { if (y < line.band.y || y >= line.band.y + line.band.h) continue; let best = -1, far = 12*o.geo.u; line.forEach((m, c) => { const k = Math.hypot(m.box.x + m.box.w/2 - x, m.box.y + m.box.h/2 - y); if (k < far) { far = k; best = c; } }); return best < 0 ? null : {r, c: best}; }
    for (let c = 0; c < line.length; c++) { const m = line[c], b = m.box; if (inside(b) || (m.slant && y < b.y + b.h && y > b.y - m.slant && (px => px >= b.x && px < b.x + b.w)(x - (b.y + b.h - y)))) return {r, c}; }
  }
  return null;
}

// ---- the view ----

function render({model, el, signal}) {
  const st = {at: {r: 0, c: 0}, hover: null, hoverAt: null, focused: false, ring: false, byKey: false, found: null, foundAt: 0, o: null, d: null, others: []}, ids = {hatch: unique('hatch')};
  const set = (k, v) => { model.set(k, v); model.save_changes(); };
  const f = frame({model, el, signal, label: QUESTION, hooks: {draw, escape: release, table: () => tableOf(st.d), picture: () => st.o.node, refocus, fileName: 'attributions'}});
  f.card.hidden = true;
  const push = (trait, id) => set(trait, [...(model.get(trait) ?? []).filter(x => x !== id), id]), drop = (trait, id) => set(trait, (model.get(trait) ?? []).filter(x => x !== id));
  const SHOW = [['answer', 'one answer', 'bars and ledger of one row'], ['rows', 'all rows', 'every row a dot'], ['targets', 'all targets', 'players × targets'], ['explainers', 'explainers', 'side by side']];
  const kindAt = menu(f, 'Players', v => set('players', v)), taskAt = menu(f, 'Task', v => push('tasks', v)), targetAt = menu(f, 'Target', v => push('targets', v)), rowAt = menu(f, 'Row', v => v === ALL ? set('samples', (model.get('samples') ?? []).filter(s => !st.d.x.samples.includes(s))) : push('samples', v)), whoAt = menu(f, 'Explainer', v => set('explainer', v));
  const showAt = choice(f, 'Show', SHOW, v => set('show', v)), orderAt = menu(f, 'Order', v => set('order', v)), more = html('button', {type: 'button', class: 'mtl-button', onclick: () => set('top', st.d.most >= st.d.x.P ? 12 : Math.min(st.d.x.P, 200))}, '');
  orderAt.fill([['size', 'size'], ['name', 'A–Z'], ['table', 'table']]); f.controls.append(more);
  finder(f, 'Find a name', 'Find', {look, next, take, leave() { look(''); refocus(); }});

  function look(t) { st.found = t.trim() ? matches(st.d, t) : null; st.foundAt = 0; st.hover = null; marks(); if (st.found) tell(); else speak(); }
  function tell() { const m = st.found[st.foundAt]; f.say(m ? [`${thousands(st.foundAt + 1)} of ${thousands(st.found.length)} found: ${m.kind} `, {b: m.parts}, '. Enter pins it, arrows go on.'] : ['Nothing here has that in its name.']); }
  function next(by) { if (!st.found?.length) return; st.foundAt = (st.foundAt + by + st.found.length) % st.found.length; marks(); tell(); }
  function take() { const m = st.found?.[st.foundAt]; if (!m) return false; look(''); if (m.player) pinPlayer(m.id, true); else if (m.kind === 'target') { if (m.task !== st.d.x.name) push('tasks', m.task); push('targets', m.id); } else push(m.kind === 'task' ? 'tasks' : 'samples', m.id); refocus(); return true; }
  function pinPlayer(id, only = false) { const now = st.d.pinned, gone = now.includes(id) && !only, out = gone ? now.filter(x => x !== id) : [...now.filter(x => x !== id), id]; if (st.d.trait) set(st.d.trait, out); else { st.others = out; draw(); } }
  function release() {
    const d = st.d, p = d.pins.at(-1);
    if (st.found) { f.finder.value = ''; look(''); } else if (p !== undefined) pinPlayer(d.x.players[p]);
    else if (d.rowPinned) drop('samples', d.x.samples[d.s]); else if (d.targetPinned) drop('targets', d.x.targets[d.j].id); else if (d.taskPinned) drop('tasks', d.x.name);
  }
  function pinAt({r, c}) {
    const m = st.o.rows[r]?.[c], d = st.d; if (!m) return;
    if (m.what === 'dot') { const id = d.x.samples[m.s]; if (d.rowPinned && d.s === m.s) drop('samples', id); else push('samples', id); }
    else if (m.what === 'explainer') set('explainer', d.x.explainers[m.e].name);
    else if (m.what === 'col' || (m.what === 'cell' && m.c && m.p < 0)) pinTarget(m.c);
    else if (m.what === 'cell' && m.c) { pinTarget(m.c, true); pinPlayer(d.x.players[m.p], false); }
    else if (m.p >= 0) pinPlayer(d.x.players[m.p]);
  }
  function pinTarget(c, only = false) { const d = st.d; if (d.targetPinned && c.x === d.x && c.j === d.j) { if (!only) drop('targets', c.id); return; } if (c.x !== d.x) push('tasks', c.x.name); push('targets', c.id); }

  function target() { const m = st.o.rows[st.at.r]?.[st.at.c]; if (m && st.o.rows[st.at.r].shared) { const b = m.box, cell = m.el, [k] = cell.children; for (const [a, v] of Object.entries({x: b.x, y: b.y, width: b.w, height: b.h})) k.setAttribute(a, v); cell.setAttribute('aria-label', plain(reading(st.d, m))); cell.dataset.c = st.at.c; if (m.s !== undefined) cell.dataset.sample = st.d.x.samples[m.s]; } return m?.el; }
  function rove() { if (!st.o) return; st.tab?.setAttribute('tabindex', -1); st.at.r = Math.min(st.at.r, st.o.rows.length - 1); st.at.c = Math.max(0, Math.min(st.at.c, (st.o.rows[st.at.r]?.length ?? 1) - 1)); st.tab = target(); st.tab?.setAttribute('tabindex', 0); }
  function refocus() { rove(); st.tab?.focus({preventScroll: true}); }
  function marks() { if (!st.o) return; const g = drawMarks(st.o, st.d, st); st.marks?.remove(); put(st.o.node, g); st.marks = g; }
  function speak() {
    const d = st.d, p = d.pins?.at(-1), m = st.hover ?? (st.focused ? st.o.rows[st.at.r]?.[st.at.c] : null) ?? (p !== undefined ? st.o.rows.flat().find(x => x.p === p && x.what !== 'dot') : null);
    f.say(m ? reading(d, m) : [{m: f.narrow() ? `Tap a bar, cell or dot to read and pin it${d.show === 'answer' ? '' : '; tap again to release'}.` : `Hover to read; click or Enter pins a ${noun(d, 1)} or row, Esc releases, / finds, t opens the table.`}]);
  }
  function move(at) { st.at = at; st.ring = true; st.hover = null; refocus(); marks(); speak(); }

  function controls(d) {
    const x = d.x, opt = (id, s) => [id, middle(oneLine(s), 40)], some = (c, on) => { c.el.hidden = !on; };
    some(kindAt, d.kinds.length > 1 && !model.isStatic); kindAt.fill(d.kinds.map(k => opt(k, NOUNS[k]?.[1] ?? k))); kindAt.set(d.kind);
    some(taskAt, d.all.length > 1); taskAt.fill(d.all.map(y => opt(y.name, y.name))); taskAt.set(x.name);
    some(targetAt, x.T > 1 && (d.show !== 'targets' || d.x.T > 1)); targetAt.fill(x.targets.map(y => opt(y.id, y.id))); targetAt.set(x.targets[d.j]?.id);
    const whole = d.show === 'targets'; some(rowAt, x.S > 1 || whole); rowAt.fill([...(whole ? [[ALL, 'all rows']] : []), ...x.samples.map(s => opt(s, s))]); rowAt.set(whole && !d.rowPinned ? ALL : x.samples[d.s]);
    some(whoAt, x.E > 1); whoAt.fill(x.explainers.map(e => opt(e.name, e.name))); whoAt.set(method(d)?.name);
    const there = d.s < 0 ? ['answer'] : ['answer', ...(x.S > 1 ? ['rows'] : []), ...(columns(d).length > 1 ? ['targets'] : []), ...(x.E > 1 ? ['explainers'] : [])];
    showAt.el.hidden = there.length < 2; showAt.only(there); showAt.set(d.show); orderAt.set(d.order);
    more.hidden = x.P <= 13; more.textContent = d.most >= x.P ? 'Show the 12 largest' : `Show ${x.P <= 200 ? 'all ' + thousands(x.P) : '200'}`;
  }
  function draw() {
    if (!f.width) return;
    const d = st.d = read(k => model.get(k), st.others);
    if (d.instead) { instead(f, d.instead); return; }
    if (!d.all) return;
    usual(f); f.card.hidden = true;
    if (f.note.hidden === !!model.isStatic) { f.note.hidden = !model.isStatic; f.note.replaceChildren(html('span', {'aria-hidden': 'true'}, '◇'), html('span', {}, rich([{b: 'Saved page, no kernel.'}, ` Hover, pin, find and table work. ${d.carries}`]))); }
    f.set('question', question(d)); f.set('answer', answer(d)); controls(d);
    chips(f, d.pins.map(p => ({kind: noun(d, 1), id: d.x.players[p], parts: [naming(d, p)]})), (_, id) => { pinPlayer(id); refocus(); }); // what else is pinned stands in its menu
    const had = f.picture.contains(document.activeElement);
    st.hover = st.marks = st.tab = null;
    st.o = DRAW[d.show](d, f, ids); put(st.o.node, drawPins(st.o, d)); listen(st.o.node); f.picture.replaceChildren(st.o.node); rove(); if (had) st.tab?.focus({preventScroll: true});
    f.setFoot(foot(d, {narrow: f.narrow(), unclear: st.o.unclear, plain: st.o.plain, heat: st.o.heat, arranged: st.o.arranged})); marks(); speak(); fillTable(f);
  }
  function listen(node) {
    const where = e => { const b = node.getBoundingClientRect(); return locate(st.o, e.clientX - b.left, e.clientY - b.top); }, same = (a, b) => a === b || (a && b && a.r === b.r && a.c === b.c);
    node.addEventListener('pointermove', e => { const at = where(e); if (same(at, st.hoverAt) && st.hover) return; st.hoverAt = at; st.hover = at && st.o.rows[at.r][at.c]; marks(); speak(); });
    node.addEventListener('pointerleave', () => { st.hover = st.hoverAt = null; marks(); speak(); });
    node.addEventListener('pointerdown', e => { const at = st.down = where(e); if (!at) return; e.preventDefault(); st.at = at; st.byKey = st.ring = false; refocus(); });
    node.addEventListener('click', e => { const at = st.down ?? where(e); st.down = null; if (at) pinAt(at); }); // where it was pressed: a click rounds its place
    node.addEventListener('focusin', e => { const {r, c} = e.target.dataset; if (r === undefined) return; st.at = {r: +r, c: +c}; st.focused = true; st.ring = st.byKey; marks(); speak(); });
    node.addEventListener('focusout', () => { st.focused = false; marks(); speak(); });
    node.addEventListener('keydown', e => {
      if (e.ctrlKey || e.metaKey || e.altKey) return;
      const to = step(e.key, st.at, st.o.rows);
      if (to) move(to); else if (e.key === 'Enter' || e.key === ' ') pinAt(st.at); else return;
      e.preventDefault(); e.stopPropagation();
    });
  }
  document.addEventListener('keydown', () => { st.byKey = true; }, {capture: true, signal}); // a ring shows where the keys are, not where the pointer was
  const watched = ['tasks', 'targets', 'samples', 'explainer', 'features', 'variables', 'concepts', 'names', 'show', 'order', 'top', '_info', '_arrays'].map(n => 'change:' + n);
  for (const n of watched) model.on(n, draw);
  signal?.addEventListener('abort', () => { for (const n of watched) model.off(n, draw); });
  if (el.isConnected) f.width = Math.floor(f.root.getBoundingClientRect().width);
  draw();
}
const ALL = '\u0000all rows'; // no row can be called that: labels hold no NUL
export default {render};
