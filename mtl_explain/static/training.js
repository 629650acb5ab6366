// TrainingMonitor: is it learning, and who hurts whom? Small multiples of losses, worst first; what happens to the attention; and a matrix of pairs: the cosines with their null, the ledger of steps, or what leaving tasks out does.
import {tint, size, inkOn} from './_colour.js';
import {count, many, thousands, capital, fraction, list, middle, oneLine, plain, tiny, interval, signed, decimals, quantity, withUnit} from './_words.js';
import {svg, html, rich, text, measure, fit, flow, hatch, pin, unpack, unique, put} from './_draw.js';
import {frame, choice, finder, chips, instead, usual, fillTable} from './_frame.js';

export const MANY = 24; // up to so many tasks, every one has a panel

// ---- what was sent (pure) ----

function rowsOf(packed, T) {
  const a = unpack(packed);
  return Array.from(a.step ?? [], (step, i) => ({step, train: a.train.subarray(i*T, i*T + T), valid: a.valid.subarray(i*T, i*T + T), lr: a.lr[i], entropy: a.entropy[i], dead: a.dead[i]}));
}
const ROWS = ['step', 'train', 'valid', 'lr', 'entropy', 'dead'];
/** A whole history: {info, now, T, rows, and the matrices of pairs} */
export function open(info, packed) {
  const T = info.tasks?.length ?? 0, of = rows => Object.fromEntries(Object.entries(packed ?? {}).filter(([k]) => ROWS.includes(k) === rows));
  return {info, now: info.now ?? {}, T, rows: rowsOf(of(true), T), ...unpack(of(false))};
}
/** The same with the rows that are new; a piece that does not follow on the last row is left out: the whole comes when the run ends */
export function grow(h, piece) {
  if (!piece?.arrays || (h.rows.at(-1)?.step ?? 0) !== piece.after) return h;
  return {...h, now: piece.now, rows: [...h.rows, ...rowsOf(piece.arrays, h.T)]};
}
/** A history and the traits as one object: d.best is the row whose weights are kept, d.by the row that decides the order */
export function read(h, get) {
  const {info, now} = h, d = {...info, ...h, tasks: info.tasks ?? [], pinned: get('tasks') ?? [], panels: get('panels') ?? 12};
  if (info.instead) return d;
  const kinds = info.pairs ?? (h.conflict ? ['pulls'] : []), want = get('pairs') ?? 'pulls'; d.kinds = kinds; d.kind = kinds.includes(want) ? want : kinds[0];
  const n = d.rows.length, at = d.rows.findIndex(r => r.step === now.best_step);
  d.running = now.status === 'running'; d.best = at < 0 ? n - 1 : at; d.last = n - 1;
  d.by = d.running && n ? 2**Math.floor(Math.log2(n)) - 1 : d.best; // while it runs the order changes at the 1st, 2nd, 4th, 8th evaluation …, not under the reader's eyes
  d.pins = d.pinned.map(x => d.tasks.indexOf(x)).filter(t => t >= 0);
  d.ranked = ranking(d); d.every = d.T <= Math.max(MANY, d.panels);
  d.shown = d.every ? d.ranked : d.ranked.filter((t, i) => i < d.panels || d.pins.includes(t));
  d.end = Math.max(now.steps || 0, d.rows.at(-1)?.step ?? 0, 1);
  return d;
}
export const validAt = (d, t, k = d.best) => d.rows[k]?.valid[t] ?? NaN;
const trainAt = (d, t, k = d.best) => d.rows[k]?.train[t] ?? NaN;
/** Positions of the tasks, the largest validation loss first, those without one last */
export function ranking(d) {
  const v = Array.from({length: d.T}, (_, t) => { const x = validAt(d, t, d.by); return Number.isFinite(x) ? x : -Infinity; });
  return [...v.keys()].sort((a, b) => v[b] === v[a] ? a - b : v[b] - v[a]);
}
/** 'learns' | 'worse' (than a guess) | 'unknown' (no validation rows) */
export const judge = (d, t, k = d.best) => { const v = validAt(d, t, k); return !Number.isFinite(v) ? 'unknown' : v < 1 ? 'learns' : 'worse'; };
/** Upper end of the axis of losses: a few steps, so that it does not creep */
export function ladder(d) {
  const most = Math.max(1, ...d.rows.flatMap(r => [...r.valid].filter(Number.isFinite)));
  return [1.15, 1.5, 2].find(x => most <= x) ?? 3;
}
/** The cell of two tasks, of what the matrix shows. kind: 'helps' | 'hurts' | 'zero' | 'unclear' (inside its null) | 'untested' (no null) | 'none' */
export function cellOf(d, i, j, what = d.kind) {
  const k = i*d.T + j, a = {pulls: d.conflict, moved: d.moved, transfer: d.effect}[what], value = a?.[k] ?? NaN, none = !Number.isFinite(value);
  if (what === 'moved') return {value, kind: none ? 'none' : value < 0 ? 'helps' : value > 0 ? 'hurts' : 'zero'};
  if (what === 'transfer') { const lo = d.effect_low?.[k] ?? NaN, hi = d.effect_high?.[k] ?? NaN; return {value, lo, hi, kind: i === j || none ? 'none' : !Number.isFinite(lo + hi) ? 'untested' : lo <= 0 && hi >= 0 ? 'unclear' : value < 0 ? 'hurts' : 'helps'}; }
  const se = d.conflict_se?.[k], e = d.evidence[k], kind = i === j || none ? 'none' : e === 2 ? 'untested' : e === 0 ? 'unclear' : value < 0 ? 'hurts' : 'helps', cut = v => Math.min(1, Math.max(-1, v)); // no cosine lies beyond 1
  return {value, kind, lo: se > 0 ? cut(value - 1.96*se) : NaN, hi: se > 0 ? cut(value + 1.96*se) : NaN, low: cut(d.null_low?.[k] ?? NaN), high: cut(d.null_high?.[k] ?? NaN)};
}
/** All pairs, each once; where the matrix is no mirror of itself, in both directions */
export function pairs(d, what = d.kind) {
  const all = d.all ??= {}; if (all[what]) return all[what];
  const out = [];
  if (what) for (let i = 0; i < d.T; i++) for (let j = what === 'pulls' ? i + 1 : 0; j < d.T; j++) { const c = cellOf(d, i, j, what); if (i !== j && c.kind !== 'none') out.push({i, j, ...c}); }
  return all[what] = out;
}
/** The last rows of the ledger: what its column adds up to, beside the gradients */
export const RESTS = {rest: 'other terms', open: 'left open', measured: 'measured'};
export const restsOf = d => d.kind !== 'moved' ? [] : Object.keys(RESTS).filter(p => ({rest: d.rest, open: d.delta, measured: d.measured})[p]);
export const restAt = (d, part, j) => part === 'rest' ? (d.terms ?? []).reduce((s, _, k) => s + d.rest[k*d.T + j], 0) : (part === 'open' ? d.delta : d.measured)[j];
/** The power of ten that the numbers of a ledger are written in; 0 where two decimals say enough */
export function power(d) {
  if (d.kind !== 'moved') return 0;
  const most = Math.max(0, ...[...d.moved, ...restsOf(d).flatMap(p => Array.from({length: d.T}, (_, j) => restAt(d, p, j)))].map(Math.abs).filter(Number.isFinite));
  return most === 0 || most >= .95 && most < 9.95 ? 0 : Math.floor(Math.log10(most)) - 1;
}

// ---- what the numbers say (pure) ----

const name = (d, t, n = 28) => ({n: middle(oneLine(d.tasks[t]), n)});
/** A loss as a share of a guess's: '.42', '1.04', '<.01' */
export const share = v => !Number.isFinite(v) ? '–' : v > 0 && v < .005 ? '<.01' : v >= 99.995 ? thousands(v) : fraction(v);
/** A small number with its power of ten: '2 × 10⁻³' */
export const rate = v => !(v > 0) ? '0' : v < .01 ? v.toExponential(1).replace(/\.0?e/, 'e').replace(/e([+-])(\d+)/, (_, s, n) => ` × 10${s === '-' ? '⁻' : ''}${[...n].map(c => '⁰¹²³⁴⁵⁶⁷⁸⁹'[c]).join('')}`) : tiny(Number(v.toPrecision(1)));
/** Seconds in words: 'less than a second', '3 s', '2 min', '1 h 20 min' */
export function duration(s) {
  if (!Number.isFinite(s)) return '';
  if (s < 1) return 'less than a second';
  if (s < 99.5) return `${Math.round(s)} s`;
  const m = Math.round(s/60); return m < 60 ? `${m} min` : `${Math.floor(m/60)} h${m % 60 ? ` ${m % 60} min` : ''}`;
}
export const question = d => d.alone ? 'Who hurts whom?' : d.kind ? 'Is it learning, and who hurts whom?' : 'Is it learning?';

/** How far it is: {share, bold, rest, stop} */
export function progress(d, isStatic = false) {
  const {status, steps, seconds, best_step, evaluate, patience} = d.now, at = d.rows.at(-1)?.step ?? 0, whole = steps || at, spent = seconds > 0 ? ` in ${duration(seconds)}` : '', since = d.last - d.best;
  const kept = best_step > 0 ? ` · best at step ${thousands(best_step)}` : '';
  if (status === 'running') {
    const left = at && steps && seconds > 0 ? ` · ${duration(seconds/at*(steps - at))} left` : '', late = patience > 0 && since > 0 ? `, ${many(since, 'evaluation')} ago; stops after ${count(patience)}` : since > 0 ? `, ${many(since, 'evaluation')} ago` : '';
    return {share: at/whole, bold: `step ${thousands(at)} of ${thousands(whole)}`, rest: left + kept + late, stop: isStatic ? 'Saved while it ran.' : 'To stop: the notebook’s ■; the best is kept.'};
  }
  const keeps = best_step > 0 ? ' · the model keeps its best, ' + (best_step === at ? 'the last' : `step ${thousands(best_step)}`) : '';
  if (status === 'interrupted') return {share: at/whole, bold: `interrupted (■) after step ${thousands(at)} of ${thousands(whole)}`, rest: spent + keeps, stop: ''};
  if (status === 'stopped early') return {share: at/whole, bold: `stopped early at step ${thousands(at)} of ${thousands(whole)}`, rest: `${spent}: nothing better for ${many(patience || since, 'evaluation')}${keeps}`, stop: ''};
  if (status === 'failed') return {share: at/whole, bold: `failed after step ${thousands(at)} of ${thousands(whole)}`, rest: ': the error stands under the cell', stop: ''};
  return {share: 1, bold: `${thousands(at)} steps`, rest: spent + keeps, stop: ''};
}

/** One sentence, at most about 120 characters */
export function answer(d) {
  if (d.alone) return ofPairs(d);
  if (!d.rows.length) return [d.running ? 'Nothing is known before the first evaluation.' : 'It ended before the first evaluation: nothing is known.'];
  const seen = [...Array(d.T).keys()].filter(t => judge(d, t) !== 'unknown'), worse = d.ranked.filter(t => judge(d, t) === 'worse'), n = seen.length, beat = n - worse.length, yet = d.running ? ' yet' : '';
  if (!n) return ['No task has validation rows: whether it learns is not known.'];
  const some = worse.length === 1 ? [name(d, worse[0], 24), ` does not${yet}`] : worse.length === 2 && beat ? [...list(worse.map(t => name(d, t, 20))), ` do not${yet}`] : [`${count(worse.length)} do not${yet}`];
  const first = !worse.length ? [n === 1 ? 'The task beats a guess' : n === 2 ? 'Both tasks beat a guess' : `All ${count(n)} tasks beat a guess`] : !beat ? [n === 1 ? `The task does not beat a guess${yet}` : `No task of ${count(n)} beats a guess${yet}`] : [`${capital(count(beat))} of ${count(n)} tasks ${beat === 1 ? 'beats' : 'beat'} a guess; `, ...some];
  return [...first, ...against(d, worse)];
}
/** Where there is no history: what the pairs say */
function ofPairs(d) {
  const all = pairs(d), n = kind => all.filter(p => p.kind === kind).length, hurt = n('hurts'), help = n('helps'), of = `${thousands(all.length)} ${d.kind === 'pulls' ? all.length === 1 ? 'pair' : 'pairs' : all.length === 1 ? 'effect' : 'effects'}`;
  if (!all.length) return ['Nothing is known of any pair of tasks.'];
  if (d.kind === 'moved') return [`Of ${of} on another task’s loss, gradients raised it in ${thousands(hurt)} and lowered it in ${thousands(help)}.`];
  if (d.kind === 'pulls' && !d.tested || n('untested') === all.length) return [d.kind === 'pulls' ? 'The cosines were not held against a null.' : 'One run without each task: no effect has an interval.'];
  if (!hurt && !help) return ['No evidence that any task helps or hurts another.'];
  return [`Of ${of} of tasks, ${thousands(hurt)} hurt${d.kind === 'pulls' ? ' (they pull apart)' : ''} and ${thousands(help)} help, with evidence.`];
}
function against(d, worse) {
  if (!d.conflict) return ['.'];
  const all = pairs(d, 'pulls'), hurt = all.filter(p => p.kind === 'hurts'), on = worse.length === 1 ? hurt.filter(p => p.i === worse[0] || p.j === worse[0]).length : 0;
  if (!d.tested) return ['.'];
  if (!hurt.length) return ['. No evidence that any task hurts another.'];
  if (on) return [`, and ${many(on, 'task')} ${on === 1 ? 'pulls' : 'pull'} against it.`];
  if (hurt.length === 1) return ['; ', name(d, hurt[0].i, 20), ' and ', name(d, hurt[0].j, 20), ' pull against each other.'];
  return [`; ${count(hurt.length)} pairs of tasks pull against each other.`];
}

const signedShare = v => (v > 0 ? '+' : '') + fraction(v), within = (lo, hi) => `${signedShare(lo)} to ${signedShare(hi)}`;
const AXES = {entropy: 'attention entropy', dead: 'dead concepts', lr: 'learning rate'};
/** The marked panel, point, spark line or cell in words; k is a row of the history */
export function reading(d, m, k = null) {
  const at = k ?? d.best, r = d.rows[at];
  if (m?.what === 'cell') return ofPair(d, m.t, m.t2);
  if (m?.what === 'head') return ofTask(d, m.t);
  if (m?.what === 'rest') return ofRest(d, m.part, m.t);
  if (!m || !r) return [];
  const where = `step ${thousands(r.step)}`;
  if (m.what === 'spark') return [{b: `${capital(AXES[m.part])}, ${where}:`}, ' ', sparkWords(d, m.part, at)];
  const v = validAt(d, m.t, at), tr = trainAt(d, m.t, at), kind = judge(d, m.t, at), head = {b: [name(d, m.t, 1e6), `, ${where}:`]};
  if (kind === 'unknown') return [head, ` no validation rows with labels; training loss ${share(tr)} of a guess’s.`];
  return [head, ` validation loss ${share(v)} of a guess’s`, Number.isFinite(tr) ? `, training ${share(tr)}` : '', kind === 'worse' ? '; worse than a guess.' : '.', at === d.best ? (d.running ? ' Best step so far.' : ' Best step: its weights are kept.') : ''];
}
function sparkWords(d, part, k) {
  const r = d.rows[k];
  if (part === 'lr') return `${rate(r.lr)}; the largest is ${rate(Math.max(...d.rows.map(x => x.lr)))}.`;
  if (part === 'dead') return `${thousands(r.dead)} of ${thousands(d.now.concepts || 0)} get no attention worth the name.`;
  return `${fraction(r.entropy)} of its largest; 1 is uniform attention, which tells nothing.`;
}
/** A number of the matrix, as in a cell; an amount of loss in words, with its sign or without */
export const inCell = (d, v, e = power(d)) => d.kind !== 'moved' || !e || !Number.isFinite(v) ? signedShare(v) : signed(v/10**e, Math.abs(v/10**e) < 9.95 ? 1 : 0);
const amount = (v, sign = false) => (sign ? signed : quantity)(v, decimals(+Math.abs(v).toPrecision(2), 2));
function ofPair(d, i, j) {
  const c = cellOf(d, i, j), own = i === j, head = {b: [name(d, i, 60), d.kind === 'pulls' ? ' and ' : ' → ', name(d, j, 60), ':']}, est = Number.isFinite(c.lo) ? ` (${interval(c.lo, c.hi, within)})` : '', nul = Number.isFinite(c.low) && Number.isFinite(c.high) ? `two unrelated tasks: ${within(c.low, c.high)}` : '';
  if (d.kind === 'moved' && c.kind !== 'none') return [own ? {b: [name(d, i, 60), ':']} : head, own ? ' its own gradients ' : ' gradients of the first ', c.kind === 'zero' ? 'did not move ' : `${c.kind === 'helps' ? 'lowered' : 'raised'} `, own ? 'its loss' : 'the loss of the second', c.kind === 'zero' ? '.' : ` (${amount(c.value, true)}), in the steps that were looked at, to first order.`];
  if (c.kind === 'none') return [head, own ? ' the same task.' : ' does not apply.'];
  if (d.kind === 'transfer') {
    const by = ` without the first, the loss of the second is ${c.value < 0 ? 'lower' : 'higher'} by ${fraction(Math.abs(c.value))} of a guess’s${est}`;
    return [head, by, c.kind === 'untested' ? '; it has no interval, so nothing may be read from it.' : c.kind === 'unclear' ? ', no evidence that it helps or hurts.' : `: it ${c.kind === 'helps' ? 'helps' : 'hurts'}.`];
  }
  const said = ` their gradients have cosine ${signedShare(c.value)}${est}`, course = ofCourse(d, i, j);
  if (c.kind === 'untested') return [head, `${said}; it was not held against a null, so nothing may be read from it.`, course];
  if (c.kind === 'unclear') return [head, `${said}, no evidence that they help or hurt each other${nul ? ` (${nul})` : ''}.`, course];
  return [head, `${said}: they ${c.kind === 'hurts' ? 'pull against' : 'help'} each other${nul ? ` (${nul})` : ''}.`, course];
}
/** How a cosine went over the run: first, middle and last look */
export function ofCourse(d, i, j) {
  const n = d.course && d.looks?.length > 1 ? d.looks.length : 0, at = l => d.course[(l*d.T + i)*d.T + j], some = n ? [...new Set([0, n >> 1, n - 1])].filter(l => at(l) > -128) : [];
  return some.length > 1 ? ` Over the run: ${some.map(l => `${signedShare(at(l)/100)} at step ${thousands(d.looks[l])}`).join(', ')}.` : '';
}
function ofRest(d, part, j) {
  const head = {b: j === undefined ? [capital(RESTS[part]), ':'] : [capital(RESTS[part]), ', ', name(d, j, 60), ':']}, v = j === undefined ? NaN : restAt(d, part, j), says = x => x === 0 ? '0' : amount(x, true);
  if (j === undefined) return [head, {rest: ` ${(d.terms ?? []).join(', ')}, together.`, open: ' what no entry of the column explains.', measured: ' the change of each loss over the steps that were looked at; the column above adds up to it.'}[part]];
  if (!Number.isFinite(v)) return [head, ' does not apply.'];
  if (part === 'rest') return [head, ` ${d.terms.map((t, k) => `${oneLine(t)} ${says(d.rest[k*d.T + j])}`).join(', ')}; together ${says(v)}.`];
  return part === 'open' ? [head, ` ${says(v)} of the measured change is explained by no entry.`] : [head, v === 0 ? ' the loss did not change.' : ` the loss ${v < 0 ? 'fell' : 'rose'} by ${amount(Math.abs(v))} over the steps that were looked at; the column above adds up to it.`];
}
function ofTask(d, t) {
  const own = [...Array(d.T).keys()].filter(j => j !== t).map(j => ({j, ...cellOf(d, t, j)})), of = kind => own.filter(c => c.kind === kind).sort((a, b) => Math.abs(b.value) - Math.abs(a.value)), hurt = of('hurts'), help = of('helps'), head = {b: [name(d, t, 40), ':']};
  const some = found => [...list(found.slice(0, 3).map(c => [name(d, c.j, 24), ` ${d.kind === 'moved' ? amount(c.value, true) : signedShare(c.value)}`])), found.length > 3 ? ` and ${count(found.length - 3)} more` : ''];
  const [bad, good] = {pulls: ['conflicts with', 'helped by'], moved: ['its gradients raised the loss of', 'lowered that of'], transfer: ['it hurts', 'it helps']}[d.kind];
  if (!hurt.length && !help.length) return [head, d.kind === 'pulls' ? d.tested ? ' no evidence that any task helps or hurts it.' : ' its cosines were not held against a null.' : d.kind === 'moved' ? ' its gradients moved no other loss.' : ' no evidence that it helps or hurts any task.'];
  return [head, ...(hurt.length ? [` ${bad} `, ...some(hurt)] : []), ...(help.length ? [hurt.length ? `; ${good} ` : ` ${d.kind === 'moved' ? 'its gradients ' : ''}${good} `, ...some(help)] : []), '.'];
}

/** The lines under the picture */
export function foot(d, geo = {}) {
  if (d.alone) return [[{b: 'Shown:'}, ` ${many(d.T, 'task')}, their pairs alone: no history of training.`], evidenceLine(d), [{m: 'the history that fit returned, or a result with /training, shows the losses beside it'}]];
  const n = d.rows.length, each = d.now.evaluate > 0 ? ` (every ${d.now.evaluate === 1 ? 'step' : `${thousands(d.now.evaluate)} steps`})` : '', whole = d.every || d.shown.length === d.T;
  const shown = [{b: 'Shown:'}, whole ? ` ${d.T === 1 ? 'the one task' : `all ${thousands(d.T)} tasks`}` : ` ${thousands(d.shown.length)} of ${thousands(d.T)} tasks with a panel, all of them in the strip`, `, ${d.now.evaluations > n ? `${thousands(n)} of ${thousands(d.now.evaluations)} evaluations` : many(n, 'evaluation')}${each}. 1 is the loss of a guess, 0 none at all.`,
    geo.clipped ? ' Curves that leave a panel are cut at its top.' : '', d.blind ? ` ${capital(many(d.blind, 'task'))} without validation rows.` : '', d.now.concepts > 0 || !n ? '' : ' This model has no concepts.'];
  const aside = Object.entries(d.now.aside ?? {}), out = aside.length ? [[{b: 'Set aside:'}, ' ', ...list(aside.slice(0, 4).map(([t, step]) => [{i: middle(oneLine(t), 24)}, ` at step ${thousands(step)}`])), aside.length > 4 ? ` and ${many(aside.length - 4, 'more task', 'more tasks')}` : '', ', because the loss or gradient is no number.']] : [];
  const order = d.running && d.T > 1 && n ? ` · order of step ${thousands(d.rows[d.by].step)}, renewed as the run doubles` : '';
  return [shown, ...out, evidenceLine(d), [{m: `validation rows decide the best step; a task’s loss is the mean over its outcomes${order}`}]];
}
function evidenceLine(d) {
  const one = 'One run: no interval; a few per cent between tasks or steps may be noise.';
  if (!d.kind) return [one, {m: ' Who hurts whom was not measured.'}];
  if (d.kind === 'moved') return ledgerLine(d);
  const all = pairs(d), sure = all.filter(p => p.kind === 'hurts' || p.kind === 'helps'), hurt = sure.filter(p => p.kind === 'hurts'), out = [...Array(d.T).keys()].filter(t => d.T > 1 && !all.some(p => p.i === t || p.j === t)), gone = all.length && out.length ? [` Not in the matrix: `, ...list(out.slice(0, 4).map(t => name(d, t, 24))), out.length > 4 ? ` and ${thousands(out.length - 4)} more` : '', '.'] : '';
  if (d.kind === 'transfer' && all.every(p => p.kind === 'untested')) return [{b: 'The effects of leaving a task out have no interval:'}, ` ${d.leftWords ? `${oneLine(d.leftWords)}, ` : ''}one run; nothing may be read from a single one. `, gone];
  if (d.kind === 'transfer') return [{b: `${thousands(sure.length)} of ${thousands(all.length)} effects of leaving a task out have evidence`}, {m: ` (${d.leftWords ? `${oneLine(d.leftWords)}; ` : ''}95\u202f% intervals, each effect by itself).`}, gone];
  if (!d.tested) return [{b: 'The cosines were not held against a null:'}, ' about half of all pairs are negative by chance. ', gone, {m: one}];
  const common = hurt.length > 1 ? [...Array(d.T).keys()].find(t => hurt.every(p => p.i === t || p.j === t)) : undefined, again = typeof d.reliability === 'number' ? ` Reliability of the matrix: ${d.reliability < .005 ? 'none' : fraction(d.reliability)}.` : '';
  return [{b: sure.length ? `${thousands(sure.length)} of ${thousands(all.length)} ${all.length === 1 ? 'pair differs' : 'pairs differ'} from the null` : `No pair of ${thousands(all.length)} differs from the null`}, {m: d.nullWords ? ` (${oneLine(d.nullWords)}).` : '.'}, common !== undefined ? [` ${hurt.length === 2 ? 'Both' : `All ${count(hurt.length)}`} conflicts involve `, name(d, common, 24), '.'] : '', gone, again, {m: ` ${one}`}];
}
/** What the ledger is worth: what it leaves open beside what was measured */
function ledgerLine(d) {
  const most = a => Math.max(0, ...[...(a ?? [])].map(Math.abs).filter(Number.isFinite)), whole = most(d.measured), open = d.delta && whole > 0 ? `; left open is at most ${withUnit(most(d.delta)/whole)} of the largest measured change` : '';
  return [{b: 'A ledger of the steps that were looked at, no test'}, `: each column adds up to the measured change of a loss${open}.`, {m: ' One run: no interval.'}];
}

/** Positions of the tasks whose name holds the text, in the order shown */
export function matches(d, text_) { const want = text_.trim().toLowerCase(); return want ? d.ranked.filter(t => d.tasks[t].toLowerCase().includes(want)) : []; }

/** The same facts as a table; as two, where the matrix shows more than whom a task conflicts with */
export function tableOf(d) { const more = d.kind && (d.alone || d.kind !== 'pulls') ? [gridOf(d)] : []; return d.alone ? gridOf(d) : more.length ? [lossesOf(d), ...more] : lossesOf(d); }
function gridOf(d) {
  const names = d.tasks.map(oneLine), [caption, corner] = {pulls: ['Cosines of the tasks’ gradients; ○ no evidence', 'task'], moved: ['Change of each loss by each gradient, to first order, in the steps that were looked at', 'whose gradient'], transfer: ['By how much a task’s loss is higher without another one, as a share of a guess’s; ○ no evidence', 'left out']}[d.kind];
  const say = c => c.kind === 'none' ? '–' : d.kind === 'moved' ? c.value === 0 ? '0' : amount(c.value, true) : signedShare(c.value) + (Number.isFinite(c.lo) ? ` (${within(c.lo, c.hi)})` : '') + (c.kind === 'unclear' || c.kind === 'untested' ? ' ○' : '');
  return {caption, head: [corner, ...names], rows: [...d.tasks.map((_, i) => [names[i], ...names.map((_, j) => say(cellOf(d, i, j)))]), ...(restsOf(d).includes('rest') ? d.terms.map((t, k) => [oneLine(t), ...names.map((_, j) => say({value: d.rest[k*d.T + j]}))]) : []), ...restsOf(d).filter(p => p !== 'rest').map(p => [RESTS[p], ...names.map((_, j) => say({value: restAt(d, p, j)}))])]};
}
function lossesOf(d) {
  const pulls = d.kind === 'pulls', r = d.rows[d.best], low = t => { let at = -1; d.rows.forEach((x, k) => { if (Number.isFinite(x.valid[t]) && !(at >= 0 && d.rows[at].valid[t] <= x.valid[t])) at = k; }); return at; };
  const names = kind => t => [...Array(d.T).keys()].filter(j => j !== t && cellOf(d, t, j).kind === kind).map(j => `${oneLine(d.tasks[j])} ${signedShare(cellOf(d, t, j).value)}`).join(', ');
  return {caption: r ? `Loss as a share of a guess’s at step ${thousands(r.step)}, ${d.running ? 'the best so far' : 'whose weights are kept'}; worst first` : 'Nothing was evaluated', head: ['task', 'validation', 'training', 'beats a guess', 'its own lowest', 'at step', 'last', ...(pulls ? ['conflicts with', 'helped by'] : [])],
    rows: d.ranked.map(t => { const k = low(t); return [oneLine(d.tasks[t]), share(validAt(d, t)), share(trainAt(d, t)), {learns: 'yes', worse: 'no', unknown: 'no validation rows'}[judge(d, t)], k < 0 ? '–' : share(validAt(d, t, k)), k < 0 ? '–' : thousands(d.rows[k].step), share(validAt(d, t, d.last)), ...(pulls ? [names('hurts')(t), names('helps')(t)] : [])]; })};
}

// ---- where things stand (pure but for measuring text) ----

/** Sizes of panels and matrix: n panels of T tasks; `labelW` the widest name, `over` how far the last column head reaches to the right, `head` the width of the matrix's heading */
export function geometry({width, u, T, n, conflict, labelW, over, head = 0, alone = false}) {
  const narrow = width < 560*u, pad = 6*u, room = width - 2*pad, gap = (narrow ? 14 : 22)*u; let cell = 0, label = 0, reach = 0;
  let dense = T > 30; // no room for names: the matrix is painted
  if (conflict) {
    const size_ = (T <= 8 ? 40 : T <= 14 ? 32 : T <= 30 ? 19 : 4)*u;
    if (!dense) { label = Math.min(labelW + 8*u, (narrow ? 96 : 130)*u); cell = Math.min(size_, Math.max(0, room - label - over + 3*u)/(T - .5)); dense = cell < 14*u; reach = dense ? 0 : over; }
    if (dense) { label = 0; cell = Math.max(2.5*u, Math.min(size_, 14*u, room/T)); }
  }
  const matrix = Math.max(head, label + T*cell + reach), beside = !!conflict && !alone && !dense && !narrow && T <= 14 && room - matrix - 32*u >= 400*u, left = beside ? room - matrix - 32*u : room;
  const least = (n > 12 ? 138 : 150)*u, fits = Math.max(1, Math.floor((left + gap)/(least + gap))), lines = Math.max(1, Math.ceil(n/fits)), cols = Math.max(1, Math.ceil(n/lines));
  const w = Math.min(460*u, (left - (cols - 1)*gap)/cols), plot = (n <= 3 ? 120 : n <= 12 ? 80 : 56)*u, strip = Math.max(2.5*u, Math.min(14*u, left/Math.max(1, T)));
  return {width, u, narrow, pad, left, gap, cols, w, plot, cell, label, reach, dense, matrix, beside, strip, x0: pad, mx: beside ? pad + left + 32*u : pad, right: width - pad};
}
/** The next place for a key, given marks in rows, each with a box; null if the key does not move */
export function step(key, {r, c}, rows) {
  const mid = m => m.box.x + m.box.w/2, clamp = (v, hi) => Math.min(hi, Math.max(0, v)), there = k => { const now = rows[r]?.[c], to = rows[k]; return now ? to.reduce((best, m, i) => Math.abs(mid(m) - mid(now)) < Math.abs(mid(to[best]) - mid(now)) - 1e-6 ? i : best, 0) : 0; }, at = k => { const q = clamp(k, rows.length - 1); return {r: q, c: there(q)}; };
  if (!rows.length) return null;
  const moves = {ArrowUp: () => at(r - 1), ArrowDown: () => at(r + 1), ArrowLeft: () => ({r, c: clamp(c - 1, rows[r].length - 1)}), ArrowRight: () => ({r, c: clamp(c + 1, rows[r].length - 1)}), Home: () => ({r, c: 0}), End: () => ({r, c: rows[r].length - 1}), PageUp: () => at(0), PageDown: () => at(rows.length - 1)};
  return moves[key]?.() ?? null;
}
/** Points -> the path of a line that goes on over what is not known */
export const path = points => points.filter(([, y]) => Number.isFinite(y)).map(([x, y], i) => `${i ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`).join('');

// ---- the picture ----

const fonts = f => { const {family, s2, s1, s0} = f.theme, font = (size_, weight = 400) => ({size: size_, weight, family}); return {f1: font(s1), b1: font(s1, 600), f0: font(Math.max(11, s0)), b0: font(Math.max(11, s0), 600), h: font(s2, 600)}; };
const deco = (o, ...kids) => put(o.node, svg('g', {'aria-hidden': 'true', 'pointer-events': 'none'}, kids));
function row(o, kind) { const el = svg('g', {role: 'row', 'data-row': kind}), r = Object.assign([], {el, kind}); o.rows.push(r); put(o.node, el); return r; }
/** One place that can be read, focused and pinned. In rows of very many one element stands for all */
function mark(o, d, r, m, ...kids) {
  if (kids.length) put(r.el, svg('g', {'aria-hidden': 'true', 'pointer-events': 'none'}, kids));
  const data = {'data-r': o.rows.indexOf(r), 'data-c': r.length, 'data-what': m.what, 'data-task': d.tasks[m.t], 'data-task2': d.tasks[m.t2], 'data-part': m.part, 'data-kind': m.kind};
  if (r.dense && r.length) { r.push(Object.assign(m, {el: r[0].el})); return m; }
  const g = svg('g', {role: 'gridcell', tabindex: -1, ...data, 'aria-label': plain(reading(d, m))}, svg('rect', {x: m.box.x, y: m.box.y, width: Math.max(1, m.box.w), height: m.box.h, fill: 'transparent'}));
  r.push(Object.assign(m, {el: g})); put(r.el, g); return m;
}
function start(d, f, ids) {
  const {tk, u, family} = f.theme, fs = fonts(f), names = d.tasks.map(oneLine), head = 84*u, heads = d.T <= 30 ? names.map(x => fit(x, head, {...fs.f1, weight: 650}, middle)) : [], wide = heads.map(x => measure(x, {...fs.f1, weight: 650}));
  const [ask, unit] = headOf(d), rests = restsOf(d).map(p => measure(RESTS[p], fs.f1));
  const geo = geometry({width: f.width, u, T: d.T, n: d.shown.length, conflict: !!d.kind, labelW: Math.max(0, ...wide, ...rests), over: (wide.at(-1) ?? 0)*Math.SQRT1_2 + 6*u, head: d.kind === 'pulls' ? measure(ask, fs.h) + measure(unit, fs.f1) + 8*u : Math.max(measure(ask, fs.h), measure(unit, fs.f1)), alone: d.alone});
  const node = svg('svg', {role: 'grid', 'aria-label': question(d), width: f.width, height: 10, 'font-family': family, fill: tk.ink}), top = ladder(d);
  put(node, svg('defs', {}, hatch(ids.hatch, tk)));
  return {node, d, geo, tk, u, ...fs, ids, rows: [], panels: [], heads, wide, top, frames: []};
}
/** What the lines are, said once over the panels */
function key(o, d, y) {
  const {geo, tk, u, f1} = o, items = [['validation', x => svg('line', {x1: x, x2: x + 16*u, y1: 0, y2: 0, stroke: tk.ink, 'stroke-width': 2})], ['training', x => svg('line', {x1: x, x2: x + 16*u, y1: 0, y2: 0, stroke: tk.axis, 'stroke-width': 1})],
    ['a guess', x => svg('line', {x1: x, x2: x + 16*u, y1: 0, y2: 0, stroke: tk.axis, 'stroke-width': 1.5, 'stroke-dasharray': '4 3'})], [d.running ? 'best step so far, its loss beside the name' : 'best step, its loss beside the name', x => svg('circle', {cx: x + 8*u, cy: 0, r: 4*u, fill: tk.ink})],
    ...(d.ranked.some(t => judge(d, t) === 'worse') ? [['worse than a guess', x => svg('path', {d: `M${x + 8*u} ${-5*u}l${5*u} ${9*u}h${-10*u}z`, fill: tk.minus})]] : [])];
  let x = geo.x0;
  for (const [word, glyph] of items) {
    const w = measure(word, f1) + 38*u;
    if (x + w - 16*u > geo.x0 + geo.left && x > geo.x0) { x = geo.x0; y += 18*u; }
    deco(o, svg('g', {transform: `translate(0 ${y - 4*u})`}, glyph(x)), text(x + 22*u, y, word, f1, {fill: tk.muted})); x += w;
  }
  return y;
}
const scaleX = (d, x, w) => s => x + w*s/d.end;
function drawPanel(o, d, r, t, x, y, corner) {
  const {geo, tk, u, h: bold, f1, b1, f0} = o, {w, plot} = geo, kind = judge(d, t), v = validAt(d, t), said = kind === 'unknown' ? 'no validation rows' : kind === 'worse' ? `▲ ${share(v)}` : share(v), sw = measure(said, b1);
  const top = y + 22*u, bottom = top + plot, sx = scaleX(d, x, w), sy = z => bottom - plot*Math.max(0, Math.min(o.top, z))/o.top, line = d.rows.map(q => [sx(q.step), sy(q.valid[t])]), tone = kind === 'worse' ? tk.minus : tk.ink;
  const short = fit(oneLine(d.tasks[t]), w - sw - 8*u, {...bold, weight: 650}, middle), pinned = d.pins.includes(t);
  if (d.rows.some(q => Math.max(q.valid[t], q.train[t]) > o.top)) o.clipped = true;
  const ty = y + 14*u, best = d.rows[d.best], kids = [text(x, ty, short, {...bold, weight: pinned ? 650 : 600}, {fill: tk.ink}),
    text(x + w, ty, said, kind === 'unknown' ? f1 : b1, {'text-anchor': 'end', fill: kind === 'worse' ? tk['minus-text'] : kind === 'unknown' ? tk.muted : tk.ink}),
    svg('line', {x1: x, x2: x + w, y1: bottom, y2: bottom, stroke: tk.line}), svg('line', {x1: x, x2: x + w, y1: sy(1), y2: sy(1), stroke: tk.axis, 'stroke-width': 1.5, 'stroke-dasharray': '4 3'}),
    best && svg('line', {x1: sx(best.step), x2: sx(best.step), y1: top, y2: bottom, stroke: tk.line}),
    svg('path', {d: path(d.rows.map(q => [sx(q.step), sy(q.train[t])])), fill: 'none', stroke: tk.axis, 'stroke-width': 1}), svg('path', {d: path(line), fill: 'none', stroke: tone, 'stroke-width': 2, 'stroke-linejoin': 'round'}),
    best && Number.isFinite(v) && svg('circle', {cx: sx(best.step), cy: sy(v), r: 4*u, fill: tone, stroke: tk.paper, 'stroke-width': 1}), best && !Number.isFinite(v) && d.rows.length === 1 && Number.isFinite(trainAt(d, t)) && svg('circle', {cx: sx(best.step), cy: sy(trainAt(d, t)), r: 2.5*u, fill: tk.axis})];
  if (corner) kids.push(text(x, bottom + 14*u, '0', f0, {fill: tk.muted}), text(x + w, bottom + 14*u, `${thousands(d.end)} steps`, f0, {'text-anchor': 'end', fill: tk.muted}));
  o.frames.push({t, x: x - 4*u, y: y - 3*u, w: w + 8*u, h: bottom - y + 7*u});
  mark(o, d, r, {what: 'panel', t, kind, sx, sy, top, bottom, box: {x, y, w, h: bottom - y}}, kids);
  o.panels.push(r.at(-1));
}
function drawPanels(o, d, y) {
  const {geo, u} = o, down = geo.plot + 42*u;
  for (let i = 0; i < d.shown.length; i += geo.cols) {
    const r = row(o, 'panels');
    d.shown.slice(i, i + geo.cols).forEach((t, c) => drawPanel(o, d, r, t, geo.x0 + c*(geo.w + geo.gap), y, c === 0 && i + geo.cols >= d.shown.length));
    y += down;
  }
  return y;
}
/** Every task as one dot, worst first: where there are too many for panels */
function drawStrip(o, d, y) {
  const {geo, tk, u, f0} = o, r = row(o, 'strip'), h = 84*u, top = y, bottom = y + h, sy = z => bottom - h*Math.max(0, Math.min(o.top, z))/o.top, p = geo.strip, x = i => geo.x0 + (i + .5)*p, radius = Math.min(4*u, Math.max(1.4*u, p*.42)), dots = {learns: '', worse: '', train: ''};
  r.dense = true;
  d.ranked.forEach((t, i) => { const v = validAt(d, t), tr = trainAt(d, t), cx = x(i), q = radius;
    if (Number.isFinite(tr)) dots.train += `M${(cx - q).toFixed(1)} ${sy(tr).toFixed(1)}h${(2*q).toFixed(1)}`;
    if (judge(d, t) === 'learns') dots.learns += `M${(cx - q).toFixed(1)} ${sy(v).toFixed(1)}a${q} ${q} 0 1 0 ${2*q} 0a${q} ${q} 0 1 0 ${-2*q} 0`;
    if (judge(d, t) === 'worse') dots.worse += `M${cx.toFixed(1)} ${(sy(v) - 1.3*q).toFixed(1)}l${(1.2*q).toFixed(1)} ${(2.2*q).toFixed(1)}h${(-2.4*q).toFixed(1)}z`; });
  const end = geo.x0 + d.T*p;
  deco(o, svg('line', {x1: geo.x0, x2: end, y1: bottom, y2: bottom, stroke: tk.line}), svg('line', {x1: geo.x0, x2: end, y1: sy(1), y2: sy(1), stroke: tk.axis, 'stroke-width': 1.5, 'stroke-dasharray': '4 3'}), svg('path', {d: dots.train, stroke: tk.axis, fill: 'none'}), svg('path', {d: dots.learns, fill: tk.ink}), svg('path', {d: dots.worse, fill: tk.minus}),
    text(geo.x0, bottom + 14*u, 'worst', f0, {fill: tk.muted}), text(end, bottom + 14*u, 'best', f0, {fill: tk.muted, 'text-anchor': 'end'}));
  d.ranked.forEach((t, i) => { const box = {x: geo.x0 + i*p, y: top, w: p, h}; mark(o, d, r, {what: 'dot', t, kind: judge(d, t), box}); if (d.pins.includes(t)) o.frames.push({t, bare: true, ...box}); });
  return bottom + 24*u;
}
/** Attention entropy, dead concepts, learning rate, each with its last value */
function drawSparks(o, d, y) {
  const {geo, tk, u, f1, b1} = o, parts = ['entropy', 'dead', 'lr'].filter(p => p === 'lr' || d.now.concepts > 0 && d.rows.some(r => Number.isFinite(r.entropy))), n = parts.length, cols = geo.narrow ? 1 : n, gap = geo.gap, w = Math.min(460*u, (geo.left - (cols - 1)*gap)/cols), h = 26*u, last = d.rows[d.last];
  if (!last) return y;
  deco(o, svg('line', {x1: geo.x0, x2: geo.x0 + geo.left, y1: y, y2: y, stroke: tk.line})); y += 8*u;
  const most = {entropy: 1, dead: Math.max(1, d.now.concepts || 1), lr: Math.max(1e-300, ...d.rows.map(r => r.lr))}; let r = null;
  parts.forEach((part, i) => {
    if (!r || geo.narrow) r = row(o, 'sparks');
    const x = geo.x0 + (geo.narrow ? 0 : i*(w + gap)), top = y + 22*u, bottom = top + h, sx = scaleX(d, x, w), sy = z => bottom - h*z/most[part], value = {entropy: fraction(last.entropy), dead: `${thousands(last.dead)} of ${thousands(d.now.concepts || 0)}`, lr: rate(last.lr)}[part], vw = measure(value, b1);
    mark(o, d, r, {what: 'spark', part, sx, top, bottom, box: {x, y, w, h: bottom - y + 18*u}}, text(x, y + 14*u, fit(AXES[part], w - vw - 8*u, f1, middle), f1, {fill: tk.muted}), text(x + w, y + 14*u, value, b1, {'text-anchor': 'end', fill: tk.ink}), svg('line', {x1: x, x2: x + w, y1: bottom, y2: bottom, stroke: tk.line}),
      svg('path', {d: part === 'dead' ? stairs(d.rows.map(q => [sx(q.step), sy(q.dead)])) : path(d.rows.map(q => [sx(q.step), sy(q[part])])), fill: 'none', stroke: tk.ink, 'stroke-width': 1.5}), text(x, bottom + 15*u, fit(note(d, part), w, f1, middle), f1, {fill: tk.muted}));
    if (geo.narrow || i === n - 1) y = bottom + 26*u;
  });
  return y;
}
const stairs = points => points.map(([x, y], i) => i ? `H${x.toFixed(1)}V${y.toFixed(1)}` : `M${x.toFixed(1)} ${y.toFixed(1)}`).join('');
/** What a spark line says in a few words */
export function note(d, part) {
  const last = d.rows[d.last], first = d.rows[0];
  if (part === 'lr') return `largest ${rate(Math.max(...d.rows.map(r => r.lr)))}`;
  if (part === 'entropy') return last.entropy > d.uniform ? 'still uniform: concepts stand for nothing' : last.entropy < first.entropy - .01 ? '1 is uniform; falling' : '1 is uniform attention';
  if (!last.dead) return 'every concept is attended to';
  let k = d.last; while (k > 0 && d.rows[k - 1].dead === last.dead) k--;
  return `since step ${thousands(d.rows[k].step)}`;
}
/** What the matrix asks, and in what it answers */
export function headOf(d, numbers = true) {
  const e = numbers ? power(d) : 0, up = e ? `, × 10${e < 0 ? '⁻' : ''}${[...String(Math.abs(e))].map(c => '⁰¹²³⁴⁵⁶⁷⁸⁹'[c]).join('')}` : '';
  return {pulls: ['Do their gradients agree?', '(cosine)'], moved: ['Who helped whom?', `(row’s gradients, column’s loss${up})`], transfer: ['Who helps whom?', '(column’s loss without row)']}[d.kind] ?? ['', ''];
}
/** The matrix of pairs, in the tasks' own order */
function drawMatrix(o, d, y) {
  const {geo, tk, u, f1, f0, h: bold} = o, {cell, label, mx, dense} = geo, gap = cell >= 8*u && !dense ? 2*u : 0, w = cell - gap, x0 = mx + label, slant = dense ? 0 : Math.max(0, ...o.wide)*Math.SQRT1_2 + 12*u, numbers = cell >= 28*u;
  const [ask, unit] = headOf(d, numbers), pulls = d.kind === 'pulls', e = power(d);
  deco(o, svg('text', {x: mx, y: y + 14*u, 'font-size': bold.size}, svg('tspan', {'font-weight': 600, fill: tk.ink}, ask), pulls && svg('tspan', {fill: tk.muted, dx: 6*u, 'font-size': f1.size}, unit)));
  if (!pulls) { y += 18*u; deco(o, text(mx, y + 13*u, unit, f1, {fill: tk.muted})); }
  y += 22*u + slant; o.matrix = {x0, y, cell, w};
  if (!dense) deco(o, o.heads.map((s, j) => [text(0, 0, s, {...f1, weight: d.pins.includes(j) ? 650 : 400}, {fill: d.pins.includes(j) ? tk.ink : tk.muted, transform: `translate(${x0 + j*cell + w/2 + 3*u} ${y - 6*u}) rotate(-45)`}), null]));
  const most = Math.max(1e-9, ...pairs(d).filter(p => p.kind === 'hurts' || p.kind === 'helps').map(p => Math.abs(p.value)));
  if (dense) deco(o, svg('rect', {x: x0, y, width: d.T*cell, height: d.T*cell, fill: `url(#${o.ids.hatch})`, opacity: .55}), ...buckets(o, d, x0, y, cell, most));
  for (let i = 0; i < d.T; i++) {
    const r = row(o, 'matrix'), cy = y + i*cell; r.dense = dense;
    if (!dense) mark(o, d, r, {what: 'head', t: i, box: {x: mx, y: cy, w: label - 4*u, h: w}}, text(x0 - 8*u, cy + w/2 + f1.size*.36, fit(oneLine(d.tasks[i]), label - 8*u, {...f1, weight: 650}, middle), {...f1, weight: d.pins.includes(i) ? 650 : 400}, {'text-anchor': 'end', fill: d.pins.includes(i) ? tk.ink : tk.muted}));
    for (let j = 0; j < d.T; j++) {
      const c = cellOf(d, i, j), box = {x: x0 + j*cell, y: cy, w, h: w};
      if (dense) { mark(o, d, r, {what: 'cell', t: i, t2: j, kind: c.kind, box}); continue; }
      const sure = c.kind === 'helps' || c.kind === 'hurts', paint = sure ? tint(c.kind === 'hurts' ? tk.minus : tk.plus, size(Math.abs(c.value), most), tk) : c.kind === 'unclear' ? `url(#${o.ids.hatch})` : c.kind === 'untested' ? tk.raised : 'none';
      mark(o, d, r, {what: 'cell', t: i, t2: j, kind: c.kind, box}, svg('rect', {x: box.x, y: cy, width: w, height: w, fill: paint}), numbers && (sure || c.kind === 'untested') && text(box.x + w/2, cy + w/2 + f0.size*.36, inCell(d, c.value, e), f0, {fill: sure ? inkOn(paint) : tk.muted, 'text-anchor': 'middle'}),
        !numbers && sure && cell >= 14*u && text(box.x + w/2, cy + w/2 + f0.size*.36, c.value < 0 ? '−' : '+', f0, {fill: inkOn(paint), 'text-anchor': 'middle'}));
    }
    if (d.pins.includes(i)) o.frames.push({t: i, bare: true, x: x0, y: cy, w: d.T*cell - gap, h: w});
  }
  y = drawRests(o, d, y + d.T*cell, x0, e) + 18*u;
  const x1 = x0 + d.T*cell + Math.max(geo.reach, 32*u) + 8*u, side = !numbers && mx + geo.left - x1 >= 240*u; // beside the matrix, a list of its strongest cells
  const tested = d.kind === 'moved' || (pulls ? d.tested : !pairs(d).length || pairs(d).some(p => p.kind !== 'untested')), words = !tested ? [pulls ? 'not held against a null: numbers without evidence' : 'one run, no intervals: numbers without evidence'] : d.kind === 'moved' ? ['− lowers: helps', '+ raises: hurts', ...(dense ? [`below the line: ${restsOf(d).map(p => RESTS[p]).join(', ')}`] : [])] : ['+ helps', pulls ? '− conflicts' : '− hurts', 'hatched: no evidence'], colors = [tk['plus-text'], tk['minus-text'], tk.muted], room = geo.beside ? geo.matrix : side ? x1 - mx - 16*u : geo.left; let x = mx;
  words.forEach((s, i) => { const font = {...f1, weight: tested && i < 2 ? 600 : 400}, ink = tested ? colors[i] : tk.muted, sw = measure(s, font); if (x > mx && x + sw > mx + room) { x = mx; y += 17*u; } flow(s, room, font).forEach((line, k) => { if (k) y += 17*u; deco(o, text(x, y, line, font, {fill: ink})); }); x += sw + 14*u; });
  if (numbers) return y + 6*u;
  return side ? Math.max(y + 6*u, strongest(o, d, x1, o.matrix.y + 14*u, mx + geo.left)) : strongest(o, d, mx, y + 22*u, mx + geo.left);
}
/** The last rows of the ledger under the matrix: what is not a gradient, what stays open, what was measured */
function drawRests(o, d, y, x0, e) {
  const {geo, tk, u, f1, f0} = o, {cell, label, mx, dense} = geo, parts = restsOf(d), w = cell - (cell >= 8*u && !dense ? 2*u : 0), h = Math.max(w, 4*u); if (!parts.length) return y;
  y += 4*u; deco(o, svg('line', {x1: dense ? x0 : mx, x2: x0 + d.T*cell, y1: y, y2: y, stroke: tk.axis})); y += 4*u;
  const most = Math.max(1e-9, ...parts.flatMap(p => Array.from({length: d.T}, (_, j) => Math.abs(restAt(d, p, j)))).filter(Number.isFinite));
  for (const part of parts) {
    const r = row(o, 'rests'), tall = cell >= 28*u ? 22*u : h; r.dense = dense;
    if (!dense) mark(o, d, r, {what: 'rest', part, box: {x: mx, y, w: label - 4*u, h: tall}}, text(x0 - 8*u, y + tall/2 + f1.size*.36, fit(RESTS[part], label - 8*u, f1, middle), {...f1, weight: part === 'measured' ? 600 : 400}, {'text-anchor': 'end', fill: part === 'measured' ? tk.ink : tk.muted}));
    for (let j = 0; j < d.T; j++) {
      const v = restAt(d, part, j), box = {x: x0 + j*cell, y, w, h: tall}, sign = v < 0 ? '−' : '+', paint = v && Number.isFinite(v) ? tint(v < 0 ? tk.plus : tk.minus, size(Math.abs(v), most), tk) : 'none', bare = svg('rect', {x: box.x, y, width: w, height: tall, fill: cell >= 28*u ? 'none' : paint});
      if (dense) deco(o, bare);
      mark(o, d, r, {what: 'rest', part, t: j, box}, ...(dense ? [] : [bare, cell >= 28*u ? Number.isFinite(v) && text(box.x + w/2, y + tall/2 + f0.size*.36, inCell(d, v, e), f0, {fill: tk.ink, 'text-anchor': 'middle', 'font-weight': part === 'measured' ? 600 : 400}) : cell >= 14*u && paint !== 'none' && text(box.x + w/2, y + tall/2 + f0.size*.36, sign, f0, {fill: inkOn(paint), 'text-anchor': 'middle'})]));
    }
    y += tall + (dense ? 0 : 2*u);
  }
  return dense ? y + 6*u : y;
}
/** The cells of a large matrix as a few paths: one a colour */
function buckets(o, d, x0, y, cell, most) {
  const {tk} = o, paths = new Map(), add = (fill, i, j) => paths.set(fill, (paths.get(fill) ?? '') + `M${(x0 + j*cell).toFixed(1)} ${(y + i*cell).toFixed(1)}h${cell.toFixed(2)}v${cell.toFixed(2)}h${(-cell).toFixed(2)}z`);
  for (let i = 0; i < d.T; i++) for (let j = 0; j < d.T; j++) {
    const c = cellOf(d, i, j);
    if (c.kind === 'none' || c.kind === 'zero') add(tk.paper, i, j); else if (c.kind === 'untested') add(tk.raised, i, j); else if (c.kind !== 'unclear') add(tint(c.kind === 'hurts' ? tk.minus : tk.plus, size(Math.ceil(5*Math.min(1, Math.abs(c.value)/most))/5, 1), tk), i, j);
  }
  return [...paths].map(([fill, p]) => svg('path', {d: p, fill}));
}
/** Two names with a cross between them, or an arrow from one to the other, each shortened by itself */
function both(a, b, width, font, cross = ' × ') { const room = width - measure(cross, font), wa = measure(a, font), wb = measure(b, font), half = room/2; return fit(a, wb < half ? room - wb : half, font, middle) + cross + fit(b, wa < half ? room - wa : half, font, middle); }
/** Where cells are too small for numbers, the strongest conflicts in words */
function strongest(o, d, at, y, end) {
  const {tk, u, f1, h: bold} = o, hurt = pairs(d).filter(p => p.kind === 'hurts').sort((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, at > o.geo.mx ? 10 : 5), numbers = hurt.map(p => d.kind === 'moved' ? amount(p.value, true) : signedShare(p.value)), wide = Math.max(34*u, ...numbers.map(x => measure(x, {...f1, weight: 600})));
  if (!hurt.length) return y;
  deco(o, text(at, y, {pulls: 'Strongest conflicts', moved: 'Loss raised most', transfer: 'Strongest harm'}[d.kind], bold, {fill: tk.ink}));
  for (const [k, p] of hurt.entries()) { y += 18*u; deco(o, text(at + wide, y, numbers[k], {...f1, weight: 600}, {fill: tk['minus-text'], 'text-anchor': 'end'}), text(at + wide + 10*u, y, both(oneLine(d.tasks[p.i]), oneLine(d.tasks[p.j]), end - at - wide - 10*u, f1, d.kind === 'pulls' ? ' × ' : ' → '), f1, {fill: tk.ink})); }
  return y + 8*u;
}
export function picture(d, f, ids) {
  const o = start(d, f, ids), {geo, tk, u, h} = o; let y = 16*u;
  const end = () => { o.node.setAttribute('height', Math.ceil(y)); o.node.setAttribute('viewBox', `0 0 ${f.width} ${Math.ceil(y)}`); return o; };
  if (d.alone) { y = drawMatrix(o, d, 2*u); return end(); }
  if (!d.rows.length) { deco(o, text(geo.x0, y, 'The first evaluation is yet to come.', h, {fill: tk.muted})); o.node.setAttribute('height', 30*u); return o; }
  deco(o, text(geo.x0, y, `Validation loss ${d.T > 1 ? 'per task, worst first' : 'of the task'}`, h, {fill: tk.ink}));
  y = key(o, d, y + 20*u) + 12*u;
  if (!d.every) y = drawStrip(o, d, y) + 8*u;
  y = drawSparks(o, d, drawPanels(o, d, y) + 4*u);
  if (d.kind) y = Math.max(y, drawMatrix(o, d, geo.beside ? 2*u : y + 10*u));
  return end();
}

// ---- marks that come and go ----

const outline = (b, by, stroke, width, rx = 0, cls = '') => svg('rect', {x: b.x - by, y: b.y - by, width: Math.max(1, b.w + 2*by), height: Math.max(1, b.h + 2*by), fill: 'none', stroke, 'stroke-width': width, rx, class: cls});
function drawPins(o, d) {
  const {tk, u} = o, g = svg('g', {class: 'mtl-pins', 'pointer-events': 'none', 'aria-hidden': 'true'});
  for (const b of o.frames) if (d.pins.includes(b.t)) { put(g, outline(b, b.bare ? 1.5 : 0, tk.ink, 1.5, 3)); if (!b.bare) put(g, pin(b.x + b.w - 2*u, b.y + 4*u, tk)); }
  for (const x of g.querySelectorAll('.mtl-overlay')) x.classList.add('mtl-keep');
  return g;
}
function drawMarks(o, d, st) {
  const {tk, u} = o, g = svg('g', {class: 'mtl-overlay mtl-marks', 'pointer-events': 'none', 'aria-hidden': 'true'}), m = st.hover ?? (st.focused ? o.rows[st.at.r]?.[st.at.c] : null), r = d.rows[st.k ?? d.best];
  if (!m) return g;
  if (m.sx && r && st.k !== null) for (const p of [...o.panels, ...o.rows.flat().filter(x => x.what === 'spark')]) put(g, svg('line', {x1: p.sx(r.step), x2: p.sx(r.step), y1: p.top, y2: p.bottom, stroke: p === m ? tk.ink : tk.axis, 'stroke-width': 1}));
  if (m.sy && r && st.k !== null) for (const [v, fill] of [[r.train[m.t], tk.axis], [r.valid[m.t], tk.ink]]) if (Number.isFinite(v)) put(g, svg('circle', {cx: m.sx(r.step), cy: m.sy(v), r: 3.5*u, fill, stroke: tk.paper}));
  if (st.hover && m.what !== 'panel' && m.what !== 'spark') put(g, outline(m.box, m.box.w < 8*u ? 1 : 0, tk.ink, 2));
  if (m.what === 'cell') for (const k of [m.t, m.t2]) for (const p of o.panels.filter(x => x.t === k)) put(g, outline({x: p.box.x - 4*u, y: p.box.y - 3*u, w: p.box.w + 8*u, h: p.box.h + 7*u}, 0, tk.axis, 1, 3));
  if (m.what === 'dot') for (const p of o.panels.filter(x => x.t === m.t)) put(g, outline({x: p.box.x - 4*u, y: p.box.y - 3*u, w: p.box.w + 8*u, h: p.box.h + 7*u}, 0, tk.axis, 1, 3));
  if (st.ring && st.focused && o.rows[st.at.r]?.[st.at.c]) put(g, outline(o.rows[st.at.r][st.at.c].box, 3, tk.focus, 2, 2, 'mtl-ring'));
  return g;
}
/** What lies under a point. -> {r, c} | null */
export function locate(rows, x, y) {
  for (let r = 0; r < rows.length; r++) for (let c = 0; c < rows[r].length; c++) { const b = rows[r][c].box; if (rows[r].dense && (y < b.y || y >= b.y + b.h)) break; if (x >= b.x && x < b.x + b.w && y >= b.y && y < b.y + b.h) return {r, c}; }
  return null;
}
/** The row of the history that is nearest to a place on the axis of a panel */
export function nearest(rows, sx, x) { let best = 0; rows.forEach((r, k) => { if (Math.abs(sx(r.step) - x) < Math.abs(sx(rows[best].step) - x)) best = k; }); return best; }

// ---- the view ----

const PAIRS = [['pulls', 'pulls', 'do the gradients of two tasks agree?'], ['moved', 'who helped whom', 'what each task’s gradients did to each loss, in the steps that were looked at'], ['transfer', 'transfer', 'by how much a task is worse off without another one']];
function render({model, el, signal}) {
  const st = {at: {r: 0, c: 0}, hover: null, focused: false, ring: false, byKey: false, k: null, found: null, foundAt: 0, o: null, d: null, h: null, said: null}, ids = {hatch: unique('hatch')};
  const set = (k, v) => { model.set(k, v); model.save_changes(); };
  const f = frame({model, el, signal, label: 'Is it learning, and who hurts whom?', hooks: {draw, escape: release, table: () => tableOf(st.d), picture: () => st.o.node, refocus, fileName: 'training'}});
  f.card.hidden = true;
  const filled = html('span', {style: {background: 'var(--mtl-ink)', width: '0%'}}), bar = html('div', {class: 'mtl-bar', role: 'progressbar', 'aria-valuemin': 0, 'aria-valuemax': 100, style: {width: '14em', 'max-width': '100%'}}, filled), words = html('span', {class: 'mtl-progress'}), stop = html('span', {class: 'mtl-muted mtl-stop'});
  f.controls.append(html('div', {class: 'mtl-choice'}, bar), words, stop);
  finder(f, 'Find a task', 'Find', {look, next, take, leave() { look(''); refocus(); }});
  const pairsAt = choice(f, 'Pairs', PAIRS, v => set('pairs', v)), more = html('button', {type: 'button', class: 'mtl-button', onclick: () => set('panels', st.d.every ? 12 : st.d.T)}, ''); f.controls.append(more);

  const say = parts => { const s = plain(parts); if (s !== st.said) { st.said = s; f.say(parts); } }; // the same words are not read aloud again at every update
  function look(t) { st.found = t.trim() ? matches(st.d, t) : null; st.foundAt = 0; st.hover = null; show(); }
  function show() { const t = st.found?.[st.foundAt]; if (t !== undefined) st.hover = st.o.rows.flat().find(m => m.t === t && (m.what === 'panel' || m.what === 'dot')) ?? null; marks(); if (st.found) say(t === undefined ? ['No task has that in its name.'] : [`${thousands(st.foundAt + 1)} of ${thousands(st.found.length)} found. `, ...reading(st.d, {what: 'panel', t}), ' Enter pins it.']); else speak(); }
  function next(by) { if (!st.found?.length) return; st.foundAt = (st.foundAt + by + st.found.length) % st.found.length; show(); }
  function take() { const t = st.found?.[st.foundAt]; if (t === undefined) return false; st.found = null; st.hover = null; const id = st.d.tasks[t]; if (!st.d.pinned.includes(id)) set('tasks', [...st.d.pinned, id]); goTo({what: 'panel', t}); refocus(); return true; }
  function release() { if (st.found) { f.finder.value = ''; look(''); } else if (st.k !== null && st.stepped) { st.k = null; st.stepped = false; marks(); speak(); } else if (st.d?.pinned.length) set('tasks', st.d.pinned.slice(0, -1)); }
  function toggle(t, add) { const id = st.d.tasks[t], now = st.d.pinned; set('tasks', add ? (now.includes(id) ? now.filter(x => x !== id) : [...now, id]) : now.length === 1 && now[0] === id ? [] : [id]); }
  function pinAt(at, add) { const m = st.o.rows[at.r]?.[at.c]; if (!m || m.t === undefined) return; if (m.what === 'cell' && m.t2 !== m.t) { const ids_ = [m.t, m.t2].map(t => st.d.tasks[t]), same = st.d.pinned.length === 2 && ids_.every(x => st.d.pinned.includes(x)); set('tasks', same ? [] : ids_); } else toggle(m.t, add); }
  function goTo(want) { if (!st.o) return; st.o.rows.forEach((row_, r) => row_.forEach((m, c) => { if (m.what === want.what && m.t === want.t && m.t2 === want.t2 && m.part === want.part) st.at = {r, c}; })); }

  function target() { // in rows of very many, one element stands for all
    const row_ = st.o.rows[st.at.r], m = row_?.[st.at.c];
    if (m && row_.dense) { const b = m.box; for (const [a, v] of Object.entries({x: b.x, y: b.y, width: b.w, height: b.h})) m.el.firstChild.setAttribute(a, v); m.el.setAttribute('aria-label', plain(reading(st.d, m))); Object.assign(m.el.dataset, {c: st.at.c, task: st.d.tasks[m.t], ...(m.t2 === undefined ? {} : {task2: st.d.tasks[m.t2]})}); }
    return m?.el;
  }
  function rove() { if (!st.o) return; st.tab?.setAttribute('tabindex', -1); st.at.r = Math.max(0, Math.min(st.at.r, st.o.rows.length - 1)); st.at.c = Math.max(0, Math.min(st.at.c, (st.o.rows[st.at.r]?.length ?? 1) - 1)); st.tab = target(); st.tab?.setAttribute('tabindex', 0); }
  function refocus() { rove(); st.tab?.focus({preventScroll: true}); }
  function marks() { if (!st.o) return; const g = drawMarks(st.o, st.d, st); st.marks?.remove(); put(st.o.node, g); st.marks = g; }
  function speak() {
    const d = st.d, m = st.hover ?? (st.focused ? st.o?.rows[st.at.r]?.[st.at.c] : null) ?? (d.pins?.length ? {what: 'panel', t: d.pins.at(-1)} : null);
    say(m ? reading(d, m, m.sx ? st.k : null) : [{m: f.narrow() ? `Tap a ${d.alone ? 'cell' : 'panel'} to read and pin its task.` : `Hover to read; click or Enter pins a task, Esc releases,${d.alone ? '' : ' [ and ] go along the steps, / finds,'} t opens the table.`}]);
  }
  function move(at) { st.at = at; st.ring = true; st.hover = null; refocus(); marks(); speak(); }
  function along(by) { const n = st.d.rows.length; st.k = Math.min(n - 1, Math.max(0, (st.k ?? st.d.best) + by)); st.ring = st.stepped = true; st.hover = null; marks(); speak(); }

  function controls(d) {
    const p = progress(d, model.isStatic), part = Math.round(100*p.share);
    bar.setAttribute('aria-valuenow', part); bar.setAttribute('aria-label', 'steps done'); filled.style.width = part + '%'; words.replaceChildren(html('b', {}, p.bold), p.rest); stop.textContent = p.stop; stop.hidden = !p.stop; bar.parentNode.hidden = !d.running;
    words.hidden = !!d.alone; pairsAt.el.hidden = d.kinds.length < 2; pairsAt.only(d.kinds); pairsAt.set(d.kind);
    f.finder.parentNode.hidden = d.T < 2 || !!d.alone; more.hidden = d.T <= MANY; more.textContent = d.every ? 'Show the worst 12' : `Show all ${thousands(d.T)}`;
  }
  function draw() {
    if (!f.width || !st.h) return;
    const d = st.d = read(st.h, k => model.get(k)), key_ = m => m && {what: m.what, t: m.t, t2: m.t2, part: m.part}, was = key_(st.o?.rows[st.at.r]?.[st.at.c]), over = key_(st.hover);
    if (d.instead) { instead(f, d.instead); st.o = null; return; }
    usual(f); f.card.hidden = true;
    if (f.note.hidden === !!model.isStatic) { f.note.hidden = !model.isStatic; f.note.replaceChildren(html('span', {'aria-hidden': 'true'}, '◇'), html('span', {}, rich([{b: 'Saved page, no kernel.'}, ` Hover, pin${d.alone ? '' : ', find'} and table work. ${d.carries ?? ''}`]))); }
    f.set('question', [question(d)]); f.set('answer', answer(d)); controls(d);
    chips(f, d.pins.map(t => ({kind: 'task', id: d.tasks[t], parts: [name(d, t)]})), (_, id) => { set('tasks', st.d.pinned.filter(x => x !== id)); refocus(); });
    const had = f.picture.contains(document.activeElement);
    st.marks = st.tab = st.hover = null; if (st.k !== null && st.k > d.last) st.k = null;
    st.o = picture(d, f, ids); put(st.o.node, drawPins(st.o, d)); listen(st.o.node); f.picture.replaceChildren(st.o.node);
    if (was) goTo(was); if (over) st.hover = st.o.rows.flat().find(m => m.what === over.what && m.t === over.t && m.t2 === over.t2 && m.part === over.part) ?? null;
    rove(); if (had) st.tab?.focus({preventScroll: true});
    d.blind = d.rows.length ? [...Array(d.T).keys()].filter(t => judge(d, t) === 'unknown').length : 0;
    f.setFoot(foot(d, {clipped: st.o.clipped})); marks(); speak(); fillTable(f);
  }
  function listen(node) {
    const where = e => { const b = node.getBoundingClientRect(); return {x: e.clientX - b.left, y: e.clientY - b.top}; };
    node.addEventListener('pointermove', e => { const p = where(e), at = locate(st.o.rows, p.x, p.y), m = at && st.o.rows[at.r][at.c], k = m?.sx ? nearest(st.d.rows, m.sx, p.x) : null; if (m === st.hover && k === st.k) return; st.hover = m; st.k = k; st.stepped = false; marks(); speak(); });
    node.addEventListener('pointerleave', () => { st.hover = null; if (!st.stepped) st.k = null; marks(); speak(); });
    node.addEventListener('pointerdown', e => { const p = where(e), at = st.down = locate(st.o.rows, p.x, p.y); if (!at) return; e.preventDefault(); st.at = at; st.byKey = st.ring = false; refocus(); });
    node.addEventListener('click', e => { const p = where(e), at = st.down ?? locate(st.o.rows, p.x, p.y); st.down = null; if (at) pinAt(at, e.shiftKey || e.ctrlKey || e.metaKey); });
    node.addEventListener('focusin', e => { const {r, c} = e.target.dataset; if (r === undefined) return; st.at = {r: +r, c: +c}; st.focused = true; st.ring = st.byKey; marks(); speak(); });
    node.addEventListener('focusout', () => { st.focused = false; marks(); speak(); });
    node.addEventListener('keydown', e => {
      if (e.ctrlKey || e.metaKey || e.altKey) return;
      const to = step(e.key, st.at, st.o.rows);
      if (to) move(to); else if (e.key === '[' || e.key === ']') along(e.key === '[' ? -1 : 1); else if (e.key === 'Enter' || e.key === ' ') pinAt(st.at, e.shiftKey); else return;
      e.preventDefault(); e.stopPropagation();
    });
  }
  document.addEventListener('keydown', () => { st.byKey = true; }, {capture: true, signal}); // a ring shows where the keys are, not where the pointer was
  const whole = () => { st.h = grow(open(model.get('_info') ?? {}, model.get('_arrays')), model.get('_new')); draw(); }, piece = () => { st.h = grow(st.h, model.get('_new')); draw(); };
  const heard = [['change:tasks', draw], ['change:panels', draw], ['change:pairs', draw], ['change:_info', whole], ['change:_arrays', whole], ['change:_new', piece]];
  for (const [n, act] of heard) model.on(n, act);
  signal?.addEventListener('abort', () => { for (const [n, act] of heard) model.off(n, act); });
  if (el.isConnected) f.width = Math.floor(f.root.getBoundingClientRect().width);
  whole();
}
export default {render};
