// ConceptMap: which concepts are shared, which private? Concepts are rows, tasks are columns.
import {hue, tint, ramp, size, inkOn} from './_colour.js';
import {count, many, thousands, capital, percent, withUnit, fraction, interval, list, middle, oneLine, evidence, plain, pValue} from './_words.js';
import {svg, html, rich, text, measure, fit, wrap, hatch, whisker, pin, unpack, unique, put, refill} from './_draw.js';
import {frame, choice, slider, finder, chips, instead, waiting, usual, fillTable, toggleTable} from './_frame.js';

export const QUESTION = 'Which concepts are shared, which private?';

// ---- what the numbers say (pure) ----

/** More cells than this are painted, and cut by mass */
export const MANY = 2500;
const kept = new WeakMap(); // what was sent, unpacked once
const unpacked = packed => { if (!packed) return {}; if (!kept.has(packed)) kept.set(packed, {arrays: unpack(packed), known: new Map()}); return kept.get(packed); };
/** The traits as one object of labels and typed arrays */
export function read(get) {
  const info = get('_info') ?? {}, {arrays, known} = unpacked(get('_arrays')), d = {...info, ...arrays, known, names: get('names') ?? {}, pins: get('concepts') ?? [], pinnedTasks: get('tasks') ?? [], shade: get('shade'), mass: get('mass') ?? 1};
  d.K = d.concepts?.length ?? 0; d.T = d.columns?.length ?? 0; d.e = Math.max(0, (d.explainers ?? []).indexOf(get('explainer'))); d.missing = get('explainer') && d.explainers && !d.explainers.includes(get('explainer')) ? get('explainer') : '';
  d.effect = d.shade === 'importance' && (d.explainers ?? []).length > 0;
  d.many = d.K*d.T > MANY; d.least = d.many && d.usage ? cutAt(d).least : 0;
  return d;
}
/** What holds of all cells together, worked out once for each explainer and shading: the largest share, whether any is unclear, and shares from the largest on with their running sum */
function overall(d) {
  const key = `${d.e} ${d.effect}`;
  if (d.known?.has(key)) return d.known.get(key);
  const all = {largest: 0, unclear: false, sorted: new Float32Array(d.K*d.T)}; let n = 0;
  for (let t = 0; t < d.T; t++) for (let k = 0; k < d.K; k++) {
    const i = d.effect ? (d.e*d.T + t)*d.K + k : t*d.K + k, share = d.effect ? d.share[i] : d.usage[i]; if (!(share > 0)) continue;
    const unclear = d.effect && share - 1.96*d.share_se[i] <= 0;
    all.sorted[n++] = share; if (unclear) all.unclear = true; else if (share > all.largest) all.largest = share;
  }
  all.sorted = all.sorted.subarray(0, n).sort().reverse(); all.sums = new Float64Array(n); let sum = 0; for (let i = 0; i < n; i++) all.sums[i] = sum += all.sorted[i];
  d.known?.set(key, all); return all;
}
/** The largest cells that together hold the mass. -> {least, n, of, share}: the smallest that is drawn, how many are, of how many, what they hold */
export function cutAt(d) {
  const {sorted, sums} = overall(d), of = sorted.length, total = of ? sums[of - 1] : 0; let lo = 0, hi = of - 1;
  if (d.mass >= 1 || !of) return {least: 0, n: of, of, share: 1};
  while (lo < hi) { const m = (lo + hi) >> 1; if (sums[m] >= d.mass*total*(1 - 1e-9)) hi = m; else lo = m + 1; }
  while (lo + 1 < of && sorted[lo + 1] === sorted[lo]) lo++; // equal cells stay together
  return {least: sorted[lo], n: lo + 1, of, share: sums[lo]/total};
}
/** A cell: share of concept k in task t, its interval, and what may be said. kind: 'effect' | 'unclear' | 'zero' | 'none' */
export function cell(d, k, t) {
  if (!d.effect) { const share = d.usage[t*d.K + k]; return {share, lo: NaN, hi: NaN, kind: Number.isFinite(share) ? (share === 0 ? 'zero' : 'effect') : 'none'}; }
  const i = (d.e*d.T + t)*d.K + k, share = d.share[i], se = d.share_se[i], lo = share - 1.96*se, hi = share + 1.96*se;
  return {share, lo, hi, kind: !Number.isFinite(share) ? 'none' : share === 0 ? 'zero' : lo <= 0 ? 'unclear' : 'effect'};
}
/** What stays in a task although every concept is off; NaN where attention is shown */
export const rest = (d, t) => d.effect ? d.none[d.e*d.T + t] : NaN;

/** The name of a concept as a part of a sentence: kept name, else its id with the suggestion in italics, else its id */
export function naming(d, k, n = 28) {
  const id = d.concepts[k], kept = d.names[id], tip = d.suggested[k];
  return kept ? {n: middle(oneLine(kept), n)} : tip ? {i: `${id} ${middle(oneLine(tip), n)}`} : {n: id};
}
export const hasName = (d, k) => !!(d.names[d.concepts[k]] || d.suggested[k]);
export const fullName = (d, k) => { const id = d.concepts[k]; return d.names[id] ? oneLine(d.names[id]) : d.suggested[k] ? `${id} ${oneLine(d.suggested[k])}` : id; };
const taskName = (d, t, n = 28) => ({n: middle(oneLine(d.columns[t]), n)});

/** Band of every row, from the runs that Python sends */
export const bandRows = d => d.bands.reduce((out, b) => { const from = out.length ? out.at(-1).to : 0; return [...out, {...b, from, to: from + b.n}]; }, []);

/** One sentence, at most about 120 characters: names only where there are names */
export function answer(d) {
  const rows = bandRows(d), get = name => rows.find(b => b.name === name) ?? {n: 0, from: 0, to: 0}, [S, G, P, U] = ['Shared', 'Grouped', 'Private', 'Unused'].map(get);
  const ids = [...Array(S.n).keys()].map(i => S.from + i), verb = (n, one, more) => n === 1 ? one : more;
  const ev = evidence(d.evidence).answer, tail = [P.n && `${count(P.n)} ${verb(P.n, 'serves', 'serve')} one task`, U.n && `${count(U.n)} ${verb(U.n, 'is', 'are')} unused`].filter(Boolean).join('; ');
  const mid = G.n ? `${count(G.n)} ${verb(G.n, 'serves', 'serve')} ${G.serve}` : '', close = ev ? ' ' + ev : '';
  const counted = [S.n ? `${S.n === d.K && S.n > 1 ? `All ${count(S.n)} concepts` : capital(many(S.n, 'concept'))} ${verb(S.n, 'serves', 'serve')} ${S.serve}` : d.bands.length && d.sharedServe ? `No concept serves ${d.sharedServe}` : 'No concept is shared', mid, tail].filter(Boolean).join('; ') + '.' + close;
  if (!S.n || S.n > 6 || !ids.every(k => hasName(d, k))) return [counted];
  const names = list(ids.map(k => naming(d, k, 20))), first = names[0];
  if (first.n) names[0] = {n: capital(first.n)};
  const named = [...names, ` ${verb(S.n, 'serves', 'serve')} ${S.serve}.`, tail ? ` ${capital(tail)}.` : '', close].filter(x => x !== '');
  return plain(named).length <= 120 + close.length ? named : [counted];
}

const ordinal = n => ['', 'its largest share', 'second', 'third'][n];
/** The marked cell, row or column in words */
export function reading(d, at) {
  if (!at) return [];
  const {row, col} = at, whole = d.effect ? 'the task’s effect' : 'the task’s attention';
  if (row === d.K && col >= 0) { const x = rest(d, col); return [{b: ['no concept → ', taskName(d, col), ':']}, Number.isFinite(x) ? ` ${withUnit(x)} of ${whole} stays although every concept is off.` : d.effect ? ' does not apply.' : ' attention is spread over concepts alone.']; }
  if (row === d.K) return [{b: 'no concept:'}, ' what varies in a task although every concept is off.'];
  if (row < 0) {
    const best = [...Array(d.K).keys()].map(k => [k, cell(d, k, col)]).filter(([, c]) => c.kind === 'effect').sort((a, b) => b[1].share - a[1].share), top = best.slice(0, 3);
    if (!top.length) return [{b: [taskName(d, col), ':']}, ' no concept shows an effect on it.'];
    return [{b: [taskName(d, col), ':']}, ' ', ...list(top.map(([k, c]) => [naming(d, k), ' ' + withUnit(c.share)])), best.length > 3 ? `, and ${many(best.length - 3, 'other concept')}` : '', Number.isFinite(rest(d, col)) ? `; ${withUnit(rest(d, col))} in no concept.` : '.'];
  }
  if (col < 0) {
    const s = d.specificity[row], e = d.specificity_se[row];
    if (!d.degree[row]) return [{b: [naming(d, row), ':']}, ' serves no task.'];
    return [{b: [naming(d, row), ':']}, ` ${thousands(d.degree[row])} of ${thousands(d.T)} tasks, specificity ${fraction(s)}`, Number.isFinite(e) ? ` (${interval(s - 1.96*e, s + 1.96*e, clipped)}).` : '.'];
  }
  const c = cell(d, row, col), head = {b: [naming(d, row), ' → ', taskName(d, col), ':']};
  if (c.kind === 'none') return [head, ' does not apply: this task was not explained.'];
  if (c.kind === 'zero') return [head, d.effect ? ' no effect.' : ' no attention.'];
  const said = ` ${withUnit(c.share)} of ${whole}` + (Number.isFinite(c.lo) && d.effect ? ` (${interval(c.lo, c.hi)})` : '');
  if (c.kind === 'unclear') return [head, said + ', no evidence that it differs from 0.'];
  if (c.share < d.least) return [head, said + ', one of the smaller cells that are not drawn.'];
  if (!d.effect) return [head, said + ', mean over its variables; attention has no interval and is not an effect.'];
  const better = [...Array(d.T).keys()].filter(t => t !== col).map(t => [t, cell(d, row, t)]).filter(([, x]) => x.kind === 'effect' && x.share > c.share).sort((a, b) => b[1].share - a[1].share);
  const place = better.length === 0 ? (d.T > 1 ? `, ${ordinal(1)}.` : '.') : null;
  return place ? [head, said + place] : better.length === 1 ? [head, said + ', second only to ', taskName(d, better[0][0]), '.'] : [head, `${said}; more in `, taskName(d, better[0][0]), ` and ${many(better.length - 1, 'other task')}.`];
}
const clipped = (lo, hi) => `${fraction(Math.max(0, lo))}–${fraction(Math.min(1, hi))}`;

/** The three lines under the picture */
export function foot(d, geo) {
  const unclear = d.effect && overall(d).unclear, ev = evidence(d.evidence), hidden = geo?.narrow ? [' ', {b: 'Hidden for width:'}, ' the two margins (on the card).'] : [];
  const what = d.effect ? 'in % of each task’s effect' : 'in % of each task’s attention, which is not its effect';
  const part = d.many ? cutAt(d) : null, left = part ? part.of - part.n : 0;
  const shown = [{b: 'Shown:'}, part ? ` ${left ? `${thousands(part.n)} of ${thousands(part.of)}` : `all ${thousands(part.of)}`} cells that hold anything, ${withUnit(part.share)} of the ${d.effect ? 'effect' : 'attention'}, of` : ' all', ` ${thousands(d.K)} ${d.K === 1 ? 'concept' : 'concepts'} × ${thousands(d.T)} ${d.T === 1 ? 'task' : 'tasks'}, ${what}.`, ...(left ? [' ', {b: 'Hidden:'}, ` ${many(left, 'smaller cell')}.`] : []), unclear ? geo?.numbers === false ? ' Hatched: no evidence that it differs from 0.' : ' Hatched, “n.e.”: no evidence that it differs from 0.' : '', d.served ? ` A concept serves ${oneLine(d.served).replace(/(\d)\s%/g, '$1\u202f%')}.` : '', italics(d), ...hidden];
  return [shown, [{b: ev.bold}, {m: ev.rest}], [{m: source(d)}]];
}
/** What names in italics are, if there are any; and whether one of them fits beyond chance, where that was tested */
export function italics(d) {
  const tips = [...Array(d.K).keys()].filter(k => d.suggested[k] && !d.names[d.concepts[k]]), tested = d.matches && tips.filter(k => d.matches[k]);
  if (!tips.length) return '';
  return ` Italic: suggested ${tips.length === 1 ? 'name' : 'names'}${tested?.length && tested.every(k => !(d.matches[k].p < .05)) ? ', no fit beyond chance' : ''}.`;
}
export function source(d) {
  if (!d.effect) return `attention weights of the model: mean over the variables of a task${(d.explainers ?? []).length ? ' · bands and margins by effect' : ' · concepts were not explained, so there are no effects to show'}`;
  return (d.missing ? `${oneLine(d.missing)} did not play with concepts; shown is ` : '') + oneLine(d.sources[d.e]);
}
export const largest = d => overall(d).largest;

/** Positions of the concepts whose name or id holds the text */
export function matches(d, text) {
  const want = text.trim().toLowerCase();
  return want ? [...Array(d.K).keys()].filter(k => `${d.concepts[k]} ${d.names[d.concepts[k]] ?? ''} ${d.suggested[k]}`.toLowerCase().includes(want)) : [];
}

/** Places of the concepts and tasks that have the text in their name */
export function places(d, text) {
  const want = text.trim().toLowerCase();
  return [...matches(d, text).map(k => ({row: k, col: -1})), ...(want ? d.columns.flatMap((x, t) => oneLine(x).toLowerCase().includes(want) ? [{row: -1, col: t}] : []) : [])];
}

/** Rows of the card: the strongest variables of concept k, task by task. -> {rows: [{t, first, variable, target, size, sign}], more} */
export function stands(d, k, most = 8) {
  const n = d.top_variable.shape[3], serves = [...Array(d.T).keys()].map(t => [t, cell(d, k, t)]).filter(([, c]) => c.kind === 'effect');
  const kept = serves.length > most ? [...serves].sort((a, b) => b[1].share - a[1].share).slice(0, 5) : serves, rows = [];
  for (const [t] of kept) for (let j = 0; j < n; j++) {
    const i = ((d.e*d.K + k)*d.T + t)*n + j, v = d.top_variable[i];
    if (v < 0 || (j > 0 && d.top_size[i] < .4*d.top_size[i - j])) break;
    rows.push({t, first: j === 0, variable: d.variables[v], target: d.targets[d.top_target[i]] ?? '', size: d.top_size[i], sign: d.top_sign[i]});
  }
  return {rows, more: serves.length - kept.length};
}
export function matchLine(d, k) {
  const m = d.matches?.[k];
  if (!m) return null;
  const p = pValue(m.p, d.matching.permutations), how = [d.matching.corrected ? 'corrected for the number of names and concepts' : '', d.matching.shuffled, d.matching.permutations ? `${thousands(d.matching.permutations)} times` : ''].filter(Boolean).join('; ').replace(/; (?=[\d,]+ times)/, ', ');
  return m.p < .05 ? [[{b: ['Closest named concept: ', {n: middle(oneLine(m.named), 30)}]}], [`More than chance: ${p}`], [{m: how}]]
    : [[{b: 'No evidence'}, ` that it matches a named concept (best ${p}).`], [{m: how}]];
}

/** The same facts as a table */
export function tableOf(d) {
  const text = c => c.kind === 'none' ? '–' : c.kind === 'zero' ? '0' : percent(c.share) + (d.effect && Number.isFinite(c.lo) ? ` (${percent(Math.max(0, c.lo))}–${percent(c.hi)})` : '') + (c.kind === 'unclear' ? ' n.e.' : '');
  const rows = bandRows(d).flatMap(b => [...Array(b.n).keys()].map(i => b.from + i).map(k => [fullName(d, k), d.concepts[k], b.name, String(d.degree[k]),
    fraction(d.specificity[k]) + (Number.isFinite(d.specificity_se[k]) ? ` (${clipped(d.specificity[k] - 1.96*d.specificity_se[k], d.specificity[k] + 1.96*d.specificity_se[k])})` : ''), ...[...Array(d.T).keys()].map(t => text(cell(d, k, t)))]));
  if (d.effect) rows.push(['no concept', '', '', '', '', ...[...Array(d.T).keys()].map(t => percent(rest(d, t)))]);
  return {caption: d.effect ? 'Share of each task’s effect in % (95 % interval); n.e.: no evidence that it differs from 0' : 'Mean attention of each task’s variables in %', head: ['concept', 'id', 'band', 'tasks', 'specificity', ...d.columns.map(oneLine)], rows};
}

// ---- where things stand (pure but for measuring text) ----

/** Sizes and positions. The caller measures: `labelWidth` the widest row label, `flat(pitch)` whether column heads fit as they are, `overhang` how far a slanted head t reaches to the right */
export function geometry({width, u, K, T, labelWidth, flat, overhang, bands = 1, alone = false}) {
  const narrow = width < 560*u, tall = K > 48, pad = 6*u, rowH = tall ? Math.max(4, Math.min(14, Math.floor(640/K)))*u : 26*u;
  const label = tall ? 76*u : Math.min(Math.max(labelWidth + 32*u, 84*u), narrow ? Math.max(width*.44, 110*u) : Math.max(width*.22, 200*u));
  const margins = narrow ? 0 : tall ? 142*u : 176*u, cardW = (tall ? 206 : 264)*u + 28*u, room = width - 2*pad - label - margins, most = 56*u;
  const high = 60*u + bands*40*u + (K + 1)*rowH, card = (230 + 38*Math.min(T, 8))*u; // a tall card beside a small map would leave a white space under the map
  const beside = !narrow && !alone && width >= 800*u && (tall || high >= .7*card) && Math.min(most, (room - cardW)/T) >= (T > 24 ? 4*u : 33*u);
  let pitch = Math.min(most, (beside ? room - cardW : room)/T), heads = pitch < 13*u ? 'none' : pitch >= 33*u && !narrow && flat(pitch) ? 'flat' : 'slanted';
  if (heads === 'slanted' && narrow) pitch = Math.max(13*u, Math.min(pitch, ...overhang.map((w, t) => (room - w)/(t + .5))));
  pitch = Math.max(pitch, heads === 'slanted' && T <= 24 ? 22*u : 4*u);
  if (pitch < 20*u) pitch = Math.floor(pitch*2)/2;
  const numbers = pitch >= 21*u && !tall, gapX = pitch >= 8*u ? Math.min(2*u, pitch*.1) : 0, gapY = rowH >= 12*u ? 2*u : 0;
  return {width, u, narrow, tall, pad, rowH, label, margins, beside, pitch, heads, numbers, gapX, gapY, x0: pad + label, x1: pad + label + T*pitch, degreeX: pad + label + T*pitch + (tall ? 22 : 42)*u, barX: pad + label + T*pitch + (tall ? 74 : 76)*u};
}
/** Vertical positions, once the height of the column heads is known */
export function rowsOf(geo, bands, K, headH) {
  const {u, rowH, tall} = geo, y = new Array(K + 1), heads = []; let at = headH;
  for (const b of bands) {
    heads.push(at); at += tall ? 0 : 26*u;
    for (let k = b.from; k < b.to; k++) { y[k] = at; at += rowH; }
    at += tall ? Math.max(14*u, (b.n*rowH < 34*u ? 34*u - b.n*rowH : 0)) : 14*u;
  }
  const ruleY = at - (tall ? 6 : 4)*u; y[K] = ruleY + 4*u;
  return {y, heads, ruleY, height: y[K] + Math.max(rowH, 26*u) + 4*u};
}

// ---- the picture ----

function shown(d, tk, st) {
  const max = largest(d), hues = [...Array(d.K).keys()].map(k => hue(d.specificity[k], tk));
  return {hues, fill: (k, c) => tint(hues[k], size(c.share, max), tk), max};
}
/** Draws everything that does not depend on the pointer. -> {node, geo, at: {y, heads, ruleY, height}, cells} */
export function picture(d, f, ids) {
  const {tk, u, family, s2, s1, s0} = f.theme, font = (size, weight = 400, italic = false) => ({size, weight, italic, family}), bands = bandRows(d);
  const f1 = font(s1), f0 = font(s0 < 11 ? 11 : s0), heading = font(s2, 600), label = k => naming(d, k, 60);
  const labelWidth = d.K > 48 ? 0 : Math.max(...[...Array(d.K).keys()].map(k => measure(plain(label(k)), font(s2, 650, 'i' in label(k)))), measure('no concept', f1));
  const names = d.columns.map(oneLine), flat = p => { const w = names.map(n => wrap(n, p + 2*u, f1)); return w.every(x => x && x.length <= 3); };
  const slant = Math.SQRT1_2, tilted = d.T <= 60 ? names.map(n => fit(n, 104*u, f1, middle)) : [];
  const geo = geometry({width: f.width, u, K: d.K, T: d.T, labelWidth, flat, overhang: tilted.map(n => measure(n, f1)*slant + 6*u), bands: bands.length, alone: !!f.model.host}), {x0, x1, pitch, rowH, pad} = geo;
  const slanted = geo.heads === 'slanted' ? tilted : [], longest = Math.max(0, ...slanted.map(n => measure(n, f1)));
  const brackets = familyRuns(d), withBrackets = brackets.length > 0 && geo.heads !== 'slanted', bracketH = withBrackets ? 22*u : 0;
  const lines = geo.heads === 'flat' ? names.map(n => wrap(n, pitch + 2*u, f1)) : [], deepest = Math.max(1, ...lines.map(x => x.length));
  const headH = pad + (geo.heads === 'flat' ? deepest*17*u + 8*u : geo.heads === 'slanted' ? longest*slant + 16*u : 24*u) + bracketH, at = rowsOf(geo, bands, d.K, headH);
  const right = geo.narrow ? Math.max(0, ...slanted.map((n, t) => x0 + (t + .5)*pitch + measure(n, f1)*slant + 4*u - x1)) : geo.margins, W = Math.ceil(x1 + Math.max(right, 4*u) + pad), H = Math.ceil(at.height + pad);
  const node = svg('svg', {width: W, height: H, viewBox: `0 0 ${W} ${H}`, role: 'grid', 'aria-label': QUESTION, 'aria-rowcount': d.K + 2, 'aria-colcount': d.T + 1, 'font-family': family, fill: tk.ink});
  put(node, svg('defs', {}, hatch(ids.hatch, tk)));
  const out = {node, geo, at, headH, W, H, cells: new Map(), heads: [], labels: [], x: t => x0 + t*pitch};
  drawHeads(out, d, {tk, u, f1, lines, slanted, slant, headY: headH - 8*u - bracketH, brackets: withBrackets ? brackets : [], names});
  const {hues, fill} = shown(d, tk);
  const dense = d.K*d.T > 2500 || !geo.numbers && d.K*d.T > 600; out.dense = dense;
  if (dense) paint(out, d, tk, hues, ids);
  for (const [i, b] of bands.entries()) {
    const rows = svg('g', geo.tall && dense ? {'aria-hidden': 'true'} : {role: 'rowgroup', 'aria-label': `${b.name}: ${b.rule}`}), ink = b.name === 'Shared' ? tk['shared-text'] : b.name === 'Private' ? tk['private-text'] : tk.muted;
    if (geo.tall) put(rows, text(x0 - 10*u, at.heads[i] + 12*u, b.name, heading, {fill: ink, 'text-anchor': 'end'}), text(x0 - 10*u, at.heads[i] + 28*u, thousands(b.n), f1, {fill: tk.muted, 'text-anchor': 'end'}));
    else put(rows, svg('text', {x: pad, y: at.heads[i] + 15*u, 'font-size': s2}, svg('tspan', {'font-weight': 600, fill: ink}, b.name), svg('tspan', {fill: tk.muted, dx: 8*u, 'font-size': s1}, b.rule)),
      svg('line', {x1: pad, x2: geo.narrow ? x1 : x1 + geo.margins, y1: at.heads[i] + 22*u, y2: at.heads[i] + 22*u, stroke: tk.line}));
    for (let k = b.from; k < b.to; k++) put(rows, drawRow(out, d, k, {tk, u, s2, f0, f1, font, hues, fill, ids, dense}));
    put(node, rows);
  }
  drawRest(out, d, {tk, u, f0, f1, dense});
  return out;
}

/** The layout in grey, before the numbers are there */
function skeleton(d, f) {
  const {tk, u} = f.theme, K = Math.max(d.K, 1), T = Math.max(d.T, 1), geo = geometry({width: f.width, u, K, T, labelWidth: 120*u, flat: () => true, overhang: Array(T).fill(0), bands: d.bands?.length ?? 1, alone: !!f.model.host}), at = rowsOf(geo, d.bands?.length ? bandRows(d) : [{from: 0, to: K, n: K}], K, 40*u);
  return svg('svg', {width: Math.ceil(geo.x1 + geo.margins), height: Math.ceil(at.height), 'aria-hidden': 'true', class: 'mtl-skeleton'}, Array.from({length: K}, (_, k) => svg('rect', {x: geo.x0, y: at.y[k], width: geo.x1 - geo.x0, height: Math.max(1, geo.rowH - geo.gapY), fill: tk.track})));
}
/** Neighbouring tasks of one family, where a family has more than one */
export function familyRuns(d) {
  const runs = []; d.families.forEach((x, t) => { const last = runs.at(-1); if (last && last.name === x) last.n++; else runs.push({name: x, from: t, n: 1}); });
  return runs.filter(r => r.n > 1);
}
function drawHeads(o, d, {tk, u, f1, lines, slanted, slant, headY, brackets, names}) {
  const {geo} = o, row = svg('g', geo.heads === 'none' ? {'aria-hidden': 'true'} : {role: 'row', 'aria-rowindex': 1});
  if (o.geo.heads !== 'none') d.columns.forEach((name, t) => {
    const cx = o.x(t) + (geo.pitch - geo.gapX)/2, g = svg('g', {role: 'columnheader', tabindex: -1, 'data-row': -1, 'data-col': t, 'data-task': name, 'aria-label': oneLine(name), 'aria-colindex': t + 2});
    if (geo.heads === 'flat') lines[t].forEach((line, i) => put(g, text(cx, headY - (lines[t].length - 1 - i)*16*u, line, f1, {fill: tk.muted, 'text-anchor': 'middle'})));
    else put(g, text(0, 0, slanted[t], f1, {fill: tk.muted, transform: `translate(${cx + 2*u} ${headY}) rotate(-45)`}));
    if (geo.heads === 'slanted' && slanted[t] !== oneLine(name)) put(g, svg('title', {}, oneLine(name))); o.heads.push(g); put(row, g);
  });
  for (const r of brackets) {
    const a = o.x(r.from) + 1, b = o.x(r.from + r.n) - geo.gapX - 1;
    put(row, svg('line', {x1: a, x2: b, y1: o.headH - 5*u, y2: o.headH - 5*u, stroke: tk.axis, 'stroke-width': 2}));
  }
  const taken = []; // the largest families are named first, as far as there is room
  for (const r of [...brackets].sort((p, q) => q.n - p.n)) {
    const a = o.x(r.from) + 1, b = o.x(r.from + r.n), name = middle(oneLine(r.name), 24), w = measure(name, f1);
    if (a + w > Math.max(b, geo.x1 - 8*u) || taken.some(([p, q]) => a < q + 10*u && a + w > p - 10*u)) continue;
    taken.push([a, a + w]); put(row, text(a, o.headH - 10*u, name, f1, {fill: tk.muted}));
  }
  const alone = d.T - brackets.reduce((n, r) => n + r.n, 0), far = Math.max(brackets.length ? o.x(brackets.at(-1).from + brackets.at(-1).n) : 0, ...taken.map(x => x[1])), said = `${thousands(alone)} other tables, a family each`;
  if (brackets.length && alone > 1 && far + measure(said, f1) + 12*u < geo.x1) put(row, text(geo.x1 - geo.gapX, o.headH - 10*u, said, f1, {fill: tk.muted, 'text-anchor': 'end'}));
  if (!geo.narrow) put(row, text(geo.degreeX, o.headH - 8*u, 'tasks', f1, {fill: tk.muted, 'text-anchor': geo.tall ? 'start' : 'middle'}), text(geo.barX, o.headH - 8*u, 'specificity', f1, {fill: tk.muted}));
  put(o.node, row);
}
function describe(d, k, t) {
  const c = cell(d, k, t), unit = d.effect ? ' %' : ' % attention';
  return `${fullName(d, k)}, ${oneLine(d.columns[t])}: ${c.kind === 'none' ? 'does not apply' : c.kind === 'zero' ? '0' + unit : c.kind === 'unclear' ? `${percent(c.share)} %, n.e. (no evidence)` : percent(c.share) + unit}`;
}
function drawRow(o, d, k, {tk, u, s2, f0, f1, font, hues, fill, ids, dense}) {
  const {geo, at} = o, y = at.y[k], h = geo.rowH - geo.gapY, mid = y + h/2, row = svg('g', geo.tall && dense ? {'data-concept': d.concepts[k]} : {role: 'row', 'aria-rowindex': k + 2, 'data-concept': d.concepts[k]}), w = geo.pitch - geo.gapX, name = naming(d, k, 60);
  if (!geo.tall) {
    const italic = 'i' in name, fnt = font(s2, 400, italic), short = fit(plain(name), geo.label - 30*u, font(s2, 650, italic), middle), unused = !(d.degree[k] > 0), g = svg('g', {role: 'rowheader', tabindex: -1, 'data-row': k, 'data-col': -1, 'aria-label': fullName(d, k), 'aria-colindex': 1});
    put(g, svg('rect', {x: geo.pad, y, width: geo.label - 6*u, height: h, fill: 'transparent'}), text(geo.x0 - 10*u, mid + s2*.35, short, fnt, {fill: italic || unused ? tk.muted : tk.ink, 'text-anchor': 'end'}), short !== fullName(d, k) && svg('title', {}, fullName(d, k)));
    o.labels[k] = g; put(row, g);
  }
  if (!dense) for (let t = 0; t < d.T; t++) {
    const c = cell(d, k, t), paint = c.kind === 'effect' ? fill(k, c) : c.kind === 'unclear' ? `url(#${ids.hatch})` : tk.raised;
    const g = svg('g', {role: 'gridcell', tabindex: -1, 'data-row': k, 'data-col': t, 'data-concept': d.concepts[k], 'data-task': d.columns[t], 'data-kind': c.kind, 'aria-label': describe(d, k, t), 'aria-colindex': t + 2}, svg('rect', {x: o.x(t), y, width: w, height: h, fill: paint}));
    const ink = c.kind === 'effect' ? inkOn(paint) : tk.muted;
    if (geo.numbers && c.kind !== 'zero') {
      if (c.kind === 'unclear' && w > 24*u) put(g, svg('rect', {x: o.x(t) + w/2 - 11*u, y: mid - 7*u, width: 22*u, height: 14*u, fill: tk.paper}));
      put(g, text(o.x(t) + w/2, mid + f0.size*.36, c.kind === 'unclear' ? (w > 24*u ? 'n.e.' : '') : percent(c.share), f0, {fill: ink, 'text-anchor': 'middle'}));
    }
    o.cells.set(k*d.T + t, g); put(row, g);
  }
  if (!geo.narrow) margins(row, o, d, k, {tk, u, s2, f1, font, h, mid, hue: hues[k]});
  return row;
}
function margins(row, o, d, k, {tk, u, f1, h, mid, hue}) {
  const {geo} = o, x = geo.degreeX, bx = geo.barX, bw = 58*u, s = d.specificity[k], e = d.specificity_se[k], n = d.degree[k];
  if (geo.tall) { const most = Math.max(1, ...d.degree); if (n) put(row, svg('rect', {x: geo.degreeX, y: o.at.y[k], width: 36*u*n/most, height: Math.max(1, geo.rowH - 1), fill: tk.axis})); }
  else put(row, text(x, mid + f1.size*.36, String(n), f1, {fill: n ? tk.ink : tk.muted, 'text-anchor': 'middle', class: 'mtl-degree'}));
  const bh = geo.tall ? Math.max(1, geo.rowH - 1) : 7*u, y = geo.tall ? o.at.y[k] : mid - bh/2, px = v => bx + bw*Math.min(1, Math.max(0, v));
  if (!geo.tall) put(row, svg('rect', {x: bx, y, width: bw, height: bh, fill: tk.track}));
  if (Number.isFinite(s)) put(row, svg('rect', {x: bx, y, width: bw*Math.min(1, Math.max(0, s)), height: bh, fill: hue}));
  if (geo.tall) return;
  if (Number.isFinite(s) && Number.isFinite(e)) put(row, whisker(px(s - 1.96*e), px(s + 1.96*e), mid, tk));
  put(row, text(bx + bw + 34*u, mid + f1.size*.36, fraction(s), f1, {fill: tk.muted, 'text-anchor': 'end'}));
}
function drawRest(o, d, {tk, u, f0, f1, dense}) {
  const {geo, at} = o, y = at.y[d.K], mid = y + 13*u, row = svg('g', {role: 'row', 'aria-rowindex': d.K + 2}), w = geo.pitch - geo.gapX;
  put(o.node, svg('line', {x1: geo.pad, x2: geo.narrow ? geo.x1 : geo.x1 + geo.margins, y1: at.ruleY, y2: at.ruleY, stroke: tk.axis}));
  const g = svg('g', {role: 'rowheader', tabindex: -1, 'data-row': d.K, 'data-col': -1, 'aria-label': 'no concept', 'aria-colindex': 1}, text(geo.x0 - 10*u, mid + f1.size*.36, 'no concept', f1, {fill: tk.muted, 'text-anchor': 'end'}));
  o.labels[d.K] = g; put(row, g);
  for (let t = 0; t < d.T && !dense; t++) {
    const x = rest(d, t), c = svg('g', {role: 'gridcell', tabindex: -1, 'data-row': d.K, 'data-col': t, 'data-task': d.columns[t], 'aria-label': `no concept, ${oneLine(d.columns[t])}: ${withUnit(x)}`, 'aria-colindex': t + 2},
      svg('rect', {x: o.x(t), y, width: w, height: 24*u, fill: 'transparent'}), geo.numbers && text(o.x(t) + w/2, mid + f0.size*.36, percent(x), f0, {fill: tk.muted, 'text-anchor': 'middle'}));
    o.cells.set(d.K*d.T + t, c); put(row, c);
  }
  if (!geo.narrow && d.effect) put(row, text(geo.tall ? geo.degreeX : geo.barX, mid + f1.size*.36, 'all concepts off', f1, {fill: tk.muted}));
  put(o.node, row);
}
/** Many cells: painted on a canvas that lies under the picture */
function paint(o, d, tk, hues, ids) {
  const {geo, at} = o, y0 = o.headH, h = at.ruleY - y0, w = d.T*geo.pitch, r = 2, key = JSON.stringify([d.stamp, d.e, d.shade, d.least, tk, geo, at.y]);
  o.canvas = ids.canvas ??= html('canvas', {class: 'mtl-cells', 'aria-hidden': 'true'}); o.canvasAt = {x: geo.x0, y: y0, width: Math.ceil(w*r)/r, height: Math.ceil((h + 26*geo.u)*r)/r};
  for (const [k, v] of Object.entries({left: o.canvasAt.x, top: o.canvasAt.y, width: o.canvasAt.width, height: o.canvasAt.height})) o.canvas.style[k] = v + 'px';
  if (ids.painted === key) return;
  ids.painted = key; o.canvas.width = o.canvasAt.width*r; o.canvas.height = o.canvasAt.height*r;
  const c = o.canvas.getContext('2d'), {largest: max} = overall(d), pitch = geo.pitch, cw = pitch - geo.gapX, ch = geo.rowH - geo.gapY; c.scale(r, r);
  for (const b of bandRows(d)) { c.fillStyle = tk.raised; c.fillRect(0, at.y[b.from] - y0, w, b.n*geo.rowH); }
  for (let k = 0; k < d.K; k++) {
    const name = `${hues[k]} ${tk.paper}`, py = at.y[k] - y0; ids.ramps ??= new Map(); let tints = ids.ramps.get(name); if (!tints) ids.ramps.set(name, tints = ramp(hues[k], tk, 17));
    for (let t = 0; t < d.T; t++) {
      const i = d.effect ? (d.e*d.T + t)*d.K + k : t*d.K + k, share = d.effect ? d.share[i] : d.usage[i]; if (!(share > 0) || share < d.least) continue;
      if (d.effect && share - 1.96*d.share_se[i] <= 0) { c.fillStyle = tk.paper; c.fillRect(t*pitch, py, cw, ch); c.strokeStyle = tk.hatch; c.lineWidth = .8; c.beginPath(); c.moveTo(t*pitch, py + ch); c.lineTo(t*pitch + cw, py); c.stroke(); }
      else { c.fillStyle = tints[Math.round(16*size(share, max))]; c.fillRect(t*pitch, py, cw, ch); }
    }
  }
  for (let t = 0; t < d.T; t++) { const x = rest(d, t); if (x > 0) { c.globalAlpha = .16 + .84*x; c.fillStyle = tk.axis; c.fillRect(t*pitch, at.y[d.K] - y0 + 6*geo.u, cw, 14*geo.u); c.globalAlpha = 1; } }
}
/** The picture to save: what was painted goes in as an image, made only then */
function whole(o) {
  if (!o.canvas) return o.node;
  const copy = o.node.cloneNode(true); copy.prepend(svg('image', {href: o.canvas.toDataURL(), ...o.canvasAt, preserveAspectRatio: 'none'})); return copy;
}

// ---- marks that come and go ----

const box = (o, d, row, col) => ({x: o.x(col), y: o.at.y[row], w: o.geo.pitch - o.geo.gapX, h: row === d.K ? 24*o.geo.u : o.geo.rowH - o.geo.gapY});
const outline = (r, by, stroke, width, rx = 0, cls = '') => svg('rect', {x: r.x - by, y: r.y - by, width: r.w + 2*by, height: r.h + 2*by, fill: 'none', stroke, 'stroke-width': width, rx, class: cls});

/** Frames and pins of what is pinned; they are part of a saved picture */
function drawPins(o, d, tk) {
  const g = svg('g', {class: 'mtl-pins', 'pointer-events': 'none'}), {geo, at} = o, u = geo.u, by = geo.tall ? 1 : 3*u;
  for (const id of d.pins) { const k = d.concepts.indexOf(id); if (k < 0) continue;
    put(g, outline({x: geo.x0, y: at.y[k], w: d.T*geo.pitch - geo.gapX, h: geo.rowH - geo.gapY}, by, tk.ink, 1.5, 3), pin(geo.tall ? geo.x1 + 10*u : geo.pad + 6*u, at.y[k] + geo.rowH/2 - 3*u, tk)); }
  for (const name of d.pinnedTasks) { const t = d.columns.indexOf(name); if (t < 0) continue;
    for (const b of bandRows(d)) put(g, outline({x: o.x(t), y: at.y[b.from], w: geo.pitch - geo.gapX, h: at.y[b.to - 1] - at.y[b.from] + geo.rowH - geo.gapY}, geo.tall ? 1 : 2*u, tk.ink, 1.5, geo.tall ? 0 : 3)); }
  for (const x of g.querySelectorAll('.mtl-overlay')) x.classList.add('mtl-keep');
  return g;
}
/** A name on ink, where the label itself is not drawn */
function flag(x, y, s, anchor, f, tk, u, W) {
  const w = measure(s, f) + 14*u, left = Math.max(2, Math.min(anchor === 'end' ? x - w : x - w/2, W - w - 2));
  return [svg('rect', {x: left, y: y - 9*u, width: w, height: 18*u, rx: 3, fill: tk.ink}), text(left + w/2, y + f.size*.36, s, f, {fill: tk.paper, 'text-anchor': 'middle'})];
}
function drawMarks(o, d, st, f) {
  const {tk, u, family, s1} = f.theme, g = svg('g', {class: 'mtl-overlay mtl-marks', 'pointer-events': 'none', 'aria-hidden': 'true'}), {geo, at} = o, bold = {size: s1, weight: 600, family};
  const rows = st.found?.flatMap(at => at.row >= 0 ? [at.row] : []), found = rows?.length || st.found?.length === 0 ? new Set(rows) : null;
  if (found) for (let k = 0; k < d.K; k++) if (!found.has(k)) put(g, svg('rect', {x: geo.x0, y: at.y[k] - geo.gapY/2, width: d.T*geo.pitch, height: geo.rowH, fill: tk.paper, opacity: .3}));
  const mark = st.hover ?? (st.focused ? st.at : null);
  const strong = (el, on, faint = false) => { for (const x of el?.querySelectorAll('text') ?? []) { x.dataset.fill ??= x.getAttribute('fill'); x.setAttribute('font-weight', on ? 650 : 400); x.setAttribute('fill', faint ? tk.muted : on ? tk.ink : x.dataset.fill); } };
  o.labels.forEach((el, k) => strong(el, mark?.row === k || d.pins.includes(d.concepts[k]) || found?.has(k), found && !found.has(k)));
  o.heads.forEach((el, t) => strong(el, mark?.col === t || d.pinnedTasks.includes(d.columns[t])));
  if (!mark) return g;
  const {row, col} = mark, cellMark = row >= 0 && col >= 0;
  if (geo.heads === 'none' && col >= 0) put(g, svg('line', {x1: o.x(col) + geo.pitch/2, x2: o.x(col) + geo.pitch/2, y1: 16*u, y2: o.headH, stroke: tk.ink}), outline({x: o.x(col), y: o.headH, w: geo.pitch - geo.gapX, h: at.ruleY - o.headH}, 1, tk.ink, 1), flag(o.x(col) + geo.pitch/2, 11*u, middle(oneLine(d.columns[col]), 40), 'middle', bold, tk, u, o.W));
  if (geo.tall && row >= 0 && row < d.K) put(g, outline({x: geo.x0, y: at.y[row], w: d.T*geo.pitch, h: geo.rowH}, 1, tk.ink, 1), flag(geo.x0 - 6*u, at.y[row] + geo.rowH/2, middle(fullName(d, row), 16), 'end', bold, tk, u, o.W));
  if (cellMark && st.hover) put(g, outline(box(o, d, row, col), 0, tk.ink, 2));
  if (st.ring && st.focused && st.at) {
    const {row: r, col: c} = st.at, el = c < 0 ? o.labels[r] : r < 0 ? o.heads[c] : null;
    const b = el ? el.getBBox() : r >= 0 && c >= 0 ? box(o, d, r, c) : r >= 0 ? {x: geo.x0, y: at.y[r], width: d.T*geo.pitch, height: geo.rowH} : {x: o.x(c), y: o.headH - 4*u, width: geo.pitch, height: 4*u};
    put(g, outline({x: b.x, y: b.y, w: b.w ?? b.width, h: b.h ?? b.height}, 3, tk.focus, 2, 2, 'mtl-ring'));
  }
  return g;
}
/** What lies under a point of the picture. -> {row, col} | null; col −1 = the label, row −1 = the column head */
export function locate(o, d, x, y) {
  const {geo, at, headH} = o, u = geo.u;
  const colAt = px => { const t = Math.floor((px - geo.x0)/geo.pitch); return t >= 0 && t < d.T ? t : -1; };
  if (y < headH) { const col = geo.heads === 'slanted' ? colAt(x - Math.max(0, headH - 8*u - y)) : colAt(x); return col >= 0 ? {row: -1, col} : null; }
  let row = -1; for (let k = 0; k <= d.K; k++) if (y >= at.y[k] - geo.gapY/2 && y < at.y[k] + (k === d.K ? 26*u : geo.rowH)) { row = k; break; }
  return row < 0 ? null : {row, col: colAt(x)};
}
/** The next place for a key; null if the key does not move */
export function step(key, {row, col}, d, heads = true) {
  const top = heads ? -1 : 0, clamp = (v, lo, hi) => Math.min(hi, Math.max(lo, v));
  const to = {ArrowUp: [row - 1, col], ArrowDown: [row + 1, col], ArrowLeft: [row, col - 1], ArrowRight: [row, col + 1], Home: [row, -1], End: [row, d.T - 1], PageUp: [0, col], PageDown: [d.K, col]}[key];
  if (!to) return null;
  const r = clamp(to[0], col < 0 && key.startsWith('Arrow') && to[1] < 0 ? 0 : top, d.K), c = clamp(to[1], r < 0 ? 0 : -1, d.T - 1);
  return {row: r, col: c};
}

// ---- the card ----

function card(d, f, st, act) {
  const id = d.pins.at(-1), k = d.concepts.indexOf(id), {tk} = f.theme;
  f.card.className = 'mtl-card' + (k < 0 ? ' mtl-none' : '') + (f.large() ? ' mtl-few' : f.model.host ? ' mtl-own' : st.o.geo.beside ? st.o.geo.tall ? ' mtl-slim' : '' : ' mtl-below'); f.card.setAttribute('aria-label', k < 0 ? 'Concept card' : `Concept card: ${fullName(d, k)}`);
  if (k < 0) { refill(f.card, html('p', {}, 'Click a concept, or press Enter on it: its card lists its strongest variables and takes a name.')); st.input = null; return; }
  if (f.large()) { fewWords(d, f, k); st.input = null; return; }
  if (f.narrow() && !st.open && !f.model.host) {
    const line = rich([{b: naming(d, k)}, ` · ${d.degree[k]} of ${d.T} tasks · specificity ${fraction(d.specificity[k])}`]);
    refill(f.card, html('div', {class: 'mtl-strip'}, html('span', {}, line), html('button', {type: 'button', class: 'mtl-button', onclick: () => { st.open = true; card(d, f, st, act); st.input?.focus(); }}, 'Open card'))); st.input = null; return;
  }
  const {rows, more} = stands(d, k), widest = Math.max(...rows.map(r => r.size), 1e-12), color = hue(d.specificity[k], tk), s = d.specificity[k], e = d.specificity_se[k], m = matchLine(d, k), kept = d.names[id] ?? '';
  const input = nameField(d, k, st, act), tip = d.suggested[k];
  const signs = {1: ['mtl-plus', '+', 'raises'], '-1': ['mtl-minus', '−', 'lowers'], 2: ['mtl-sign', '±', 'no clear direction'], 0: ['mtl-sign', '·', 'direction unknown']};
  const grid = rows.flatMap(r => { const [cls, mark, say] = signs[r.sign], to = r.target ? ` → ${oneLine(r.target)}` : '', task = oneLine(d.columns[r.t]), v = oneLine(r.variable);
    return [html('span', {class: 'mtl-muted', title: task}, r.first ? html('bdi', {}, middle(task, 28)) : ''), html('span', {title: `${v}${to}: ${say}`}, html('bdi', {}, middle(v, 34)), r.target ? html('span', {class: 'mtl-muted'}, ' → ', html('bdi', {}, middle(oneLine(r.target), 18))) : ''),
      html('span', {class: cls, 'aria-label': say, role: 'img'}, mark), html('span', {class: 'mtl-bar', 'aria-hidden': 'true'}, html('span', {style: {width: `${Math.max(2, 100*r.size/widest)}%`, background: color}}))]; });
  const group = (...kids) => html('div', {class: 'mtl-group'}, kids), top = html('div', {class: 'mtl-card-top'}, html('span', {}, `${id} · ${k + 1}\u00a0of\u00a0${d.K} · pinned`), f.narrow() && !f.model.host ? html('button', {type: 'button', class: 'mtl-link', onclick: () => { st.open = false; card(d, f, st, act); }}, 'Close') : html('span', {}, st.o.geo.beside && st.o.geo.tall ? '' : 'Esc releases'));
  const tipLine = html('div', {class: 'mtl-tip'}, tip ? [html('span', {}, 'suggested: ', html('bdi', {class: 'mtl-suggested'}, oneLine(tip))), kept === tip ? '' : html('button', {type: 'button', class: 'mtl-link', onclick: () => act.name(id, tip)}, 'keep it')] : kept ? 'no suggested name' : 'no name yet: type one');
  const basis = d.basis[d.e] === 'importance' ? 'Bar: attention × the variable’s share of the task’s effect. + raises, − lowers the score, ± neither clearly.' : 'Bar: attention alone; this explanation has no importance of single variables.';
  refill(f.card, group(top, input, tipLine, html('div', {class: 'mtl-h'}, d.degree[k] ? `serves ${d.degree[k]} of ${d.T} tasks` : 'serves no task'),
      Number.isFinite(s) && html('div', {}, `specificity ${fraction(s)} `, Number.isFinite(e) && html('span', {class: 'mtl-muted'}, `(${interval(s - 1.96*e, s + 1.96*e, clipped)})`))),
    rows.length > 0 && group(html('div', {class: 'mtl-h'}, more ? 'Strongest five tasks' : 'Strongest variables, by task'), html('div', {class: 'mtl-stands'}, grid), more > 0 && html('div', {class: 'mtl-small', style: {'margin-top': '6px'}}, `and ${count(more)} more: Table, t`), html('div', {class: 'mtl-small', style: {'margin-top': '8px'}}, basis)),
    m && html('div', {class: 'mtl-group mtl-evidence'}, m.map(x => html('div', {}, rich(x)))));
}
/** The card in large type: its name, how far it reaches, where it is strongest */
function fewWords(d, f, k) {
  const {tk} = f.theme, color = hue(d.specificity[k], tk), best = [...Array(d.T).keys()].map(t => [t, cell(d, k, t)]).filter(([, c]) => c.kind === 'effect').sort((a, b) => b[1].share - a[1].share).slice(0, 3), most = Math.max(...best.map(([, c]) => c.share), 1e-12), ev = evidence(d.evidence);
  refill(f.card, html('div', {class: 'mtl-big'}, rich(naming(d, k))), html('div', {}, `${thousands(d.degree[k])} of ${many(d.T, 'task')}`), Number.isFinite(d.specificity[k]) && html('div', {}, `specificity ${fraction(d.specificity[k])}`),
    best.length > 0 && [html('div', {class: 'mtl-muted mtl-strongest'}, 'strongest in'), best.map(([t, c]) => html('div', {}, html('div', {class: 'mtl-strip'}, html('bdi', {title: oneLine(d.columns[t])}, middle(oneLine(d.columns[t]), 24)), html('b', {}, withUnit(c.share))), html('span', {class: 'mtl-bar', 'aria-hidden': 'true', style: {display: 'block'}}, html('span', {style: {width: `${100*c.share/most}%`, background: color}}))))],
    html('div', {class: 'mtl-strongest'}, html('b', {}, rich(ev.bold))));
}
function nameField(d, k, st, act) {
  const id = d.concepts[k], kept = d.names[id] ?? '', hint = html('span', {class: 'mtl-muted', 'aria-hidden': 'true'}, 'Enter keeps');
  const input = html('input', {type: 'text', value: kept, 'aria-label': `Name of concept ${id}. Enter keeps, Escape reverts`, placeholder: 'name it', spellcheck: 'false', autocomplete: 'off', dir: 'auto'});
  const dirty = () => input.value !== kept;
  input.addEventListener('input', () => { hint.textContent = dirty() ? 'Enter keeps' : ''; });
  input.addEventListener('keydown', e => {
    if (e.key === 'Enter') { act.name(id, input.value); } else if (e.key === 'Escape') { if (dirty()) { input.value = kept; hint.textContent = ''; } else act.refocus(); } else { e.stopPropagation(); return; }
    e.preventDefault(); e.stopPropagation();
  });
  if (!dirty() && kept) hint.textContent = '';
  st.input = input; st.dirty = dirty; st.inputId = id;
  return html('div', {class: 'mtl-name'}, input, hint);
}

// ---- the view ----

function render({model, el, signal}) {
  const st = {at: {row: 0, col: 0}, hover: null, focused: false, ring: false, byKey: false, found: null, foundAt: 0, o: null, d: null, open: false, stamp: 0, input: null}, ids = {hatch: unique('hatch')};
  const set = (k, v) => { model.set(k, v); model.save_changes(); };
  const f = frame({model, el, signal, label: QUESTION, hooks: {draw, escape: release, table: () => tableOf(st.d), picture: () => whole(st.o), refocus, fileName: 'concept-map'}});
  const shadeBy = choice(f, 'Shade by', [['importance', 'importance', 'share of the task’s effect'], ['attention', 'attention', 'share of the task’s attention: not an effect']], v => set('shade', v));
  let explain = null;
  const massAt = slider(f, 'Share of the effect that is drawn', v => set('mass', v), {Escape: () => release(), '/': () => f.finder.focus(), t: () => toggleTable(f)});
  const act = {refocus, name(id, v) { const was = model.get('names') ?? {}, names = {...was}, clean = oneLine(v); if (clean) names[id] = clean; else delete names[id]; st.renamed = id; if (st.input) st.input.value = names[id] ?? ''; st.dirty = () => false; set('names', names); if (was === model.get('names')) draw(); }};
  finder(f, 'Find a concept or task', 'Find', {look, next, take() { const at = st.found?.[st.foundAt]; if (!at) return false; look(''); if (at.row < 0) toggle('tasks', d().columns[at.col], true); else toggle('concepts', d().concepts[at.row], false); st.at = at; refocus(); return true; }, leave() { look(''); refocus(); }});
  const d = () => st.d;

  function look(text) { st.found = text.trim() ? places(st.d, text) : null; st.foundAt = 0; tell(); }
  function next(by) { if (!st.found?.length) return; st.foundAt = (st.foundAt + by + st.found.length) % st.found.length; tell(); }
  function tell() { const at = st.hover = st.found?.[st.foundAt] ?? null; mark(); if (st.found) f.say(at ? [`${thousands(st.foundAt + 1)} of ${thousands(st.found.length)} found: ${at.row < 0 ? 'task' : 'concept'}. `, ...reading(st.d, at), ' Enter pins it.'] : ['No concept or task has that in its name.']); else speak(); }
  function toggle(trait, id, add) { const now = model.get(trait) ?? []; set(trait, add ? (now.includes(id) ? now.filter(x => x !== id) : [...now, id]) : now.length === 1 && now[0] === id ? [] : [id]); }
  function release() { const c = model.get('concepts') ?? [], t = model.get('tasks') ?? []; if (c.length) set('concepts', c.slice(0, -1)); else if (t.length) set('tasks', t.slice(0, -1)); else if (st.found) { f.finder.value = ''; look(''); } }
  function pinAt(at, add) { if (!at) return; if (at.row < 0) toggle('tasks', st.d.columns[at.col], add); else if (at.row < st.d.K) toggle('concepts', st.d.concepts[at.row], add); }

  function target() { const {row, col} = st.at; return col < 0 ? st.o.labels[row] ?? st.roving : row < 0 ? st.o.heads[col] ?? st.roving : st.o.cells.get(row*st.d.T + col) ?? st.roving; }
  function rove() { if (!st.o) return; st.tab?.setAttribute('tabindex', -1); if (st.roving) placeRoving(); st.tab = target(); st.tab?.setAttribute('tabindex', 0); }
  function placeRoving() { // where cells are painted, one focusable cell stands for all of them
    const {row, col} = st.at, r = row >= 0 && col >= 0 ? box(st.o, st.d, row, col) : {x: st.o.geo.x0, y: row >= 0 ? st.o.at.y[row] : st.o.headH - 6, w: st.d.T*st.o.geo.pitch, h: 6};
    for (const [k, v] of Object.entries({x: r.x, y: r.y, width: r.w, height: r.h})) st.roving.firstChild.setAttribute(k, v);
    st.roving.setAttribute('aria-label', plain(reading(st.d, st.at))); st.roving.setAttribute('aria-colindex', col + 2); st.roving.parentNode.setAttribute('aria-rowindex', row + 2);
    st.roving.dataset.row = row; st.roving.dataset.col = col;
  }
  function refocus() { rove(); st.tab?.focus({preventScroll: true}); }
  function mark() { if (!st.o) return; const g = drawMarks(st.o, st.d, st, f); st.marks?.remove(); put(st.o.node, g); st.marks = g; }
  function speak() { const id = st.d.pins.at(-1), k = st.d.concepts.indexOf(id), now = st.hover ?? (st.focused ? st.at : k >= 0 ? {row: k, col: -1} : null);
    f.say(now ? reading(st.d, now) : [{m: f.narrow() ? 'Tap a cell to read it; tap its row to pin.' : 'Hover to read a cell; click or Enter pins its concept, Esc releases, / finds, t opens the table.'}]); }
  function move(at, ring) { st.at = at; st.ring = ring; st.hover = null; refocus(); mark(); speak(); }

  function draw() {
    if (!f.width) return;
    st.d = read(k => model.get(k)); st.d.stamp = st.stamp; const D = st.d;
    if (D.instead) { instead(f, D.instead); return; }
    if (!D.usage) { waiting(f, D.K ? [`${capital(many(D.K, 'concept'))} × ${many(D.T, 'task')} on their way.`] : ['On its way.'], () => skeleton(D, f)); return; }
    usual(f);
    if (f.note.hidden === !!model.isStatic) { f.note.hidden = !model.isStatic; f.note.replaceChildren(html('span', {'aria-hidden': 'true'}, '◇'), html('span', {}, rich([{b: 'Saved page, no kernel.'}, ` Hover, pin, find and table work; names you type stay in this tab. ${D.carries}`]))); }
    f.set('question', [QUESTION]); f.set('answer', answer(D));
    shadeBy.el.hidden = !D.explainers.length; shadeBy.set(D.shade); massAt.el.hidden = !D.many; if (D.many) massAt.set(D.mass, cutAt(D).share, D.effect ? 'the effect' : 'the attention');
    if (D.explainers.length > 1 && !explain) { explain = choice(f, 'Explainer', D.explainers.map(x => [x, middle(oneLine(x), 24), oneLine(x)]), v => set('explainer', v)); f.finder.parentNode.before(explain.el); }
    explain?.set(D.explainers[D.e]); if (explain) explain.el.hidden = !D.effect;
    chips(f, [...D.pinnedTasks.filter(x => D.columns.includes(x)).map(x => ({kind: 'task', id: x, parts: [{n: middle(oneLine(x), 28)}]})), ...D.pins.filter(x => D.concepts.includes(x)).map(x => ({kind: 'concept', id: x, parts: [naming(D, D.concepts.indexOf(x))]}))],
      (kind, id) => { const trait = kind === 'task' ? 'tasks' : 'concepts'; set(trait, model.get(trait).filter(x => x !== id)); refocus(); });
    const had = f.picture.contains(document.activeElement), dirty = st.input && st.inputId === D.pins.at(-1) && document.activeElement === st.input && st.dirty();
    st.at = {row: Math.min(st.at.row, D.K), col: Math.min(st.at.col, D.T - 1)}; st.hover = null; st.marks = null; st.roving = null; st.tab = null;
    st.o = picture(D, f, ids); put(st.o.node, drawPins(st.o, D, f.theme.tk));
    if (st.o.dense) { st.roving = svg('g', {role: 'gridcell', tabindex: -1, class: 'mtl-overlay'}, svg('rect', {fill: 'transparent'})); put(st.o.node, svg('g', {role: 'row'}, st.roving)); }
    listen(st.o.node); f.picture.replaceChildren(...(st.o.canvas ? [st.o.canvas] : []), st.o.node); rove(); if (had) st.tab?.focus({preventScroll: true});
    const inCard = document.activeElement === st.input && !!st.input;
    if (!dirty) { card(D, f, st, act); if (inCard) { st.input?.focus(); } }
    f.setFoot(foot(D, st.o.geo)); mark(); speak(); fillTable(f);
  }
  function listen(node) {
    const where = e => { const r = node.getBoundingClientRect(); return locate(st.o, st.d, e.clientX - r.left, e.clientY - r.top); };
    const same = (a, b) => a === b || (a && b && a.row === b.row && a.col === b.col);
    node.addEventListener('pointermove', e => { const at = where(e); if (same(at, st.hover)) return; st.hover = at; mark(); speak(); });
    node.addEventListener('pointerleave', () => { st.hover = null; mark(); speak(); });
    node.addEventListener('pointerdown', e => { const at = where(e); if (!at) return; e.preventDefault(); st.at = at; st.byKey = st.ring = false; refocus(); });
    node.addEventListener('click', e => { const at = where(e); if (at) pinAt(at, e.shiftKey || e.ctrlKey || e.metaKey); });
    node.addEventListener('focusin', e => { const {row, col} = e.target.dataset; if (row === undefined) return; st.at = {row: +row, col: +col}; st.focused = true; st.ring = st.byKey; mark(); speak(); });
    node.addEventListener('focusout', () => { st.focused = false; mark(); speak(); });
    node.addEventListener('keydown', e => {
      if (e.ctrlKey || e.metaKey || e.altKey) return;
      const to = step(e.key, st.at, st.d);
      if (to) move(to, true); else if (e.key === 'Enter' || e.key === ' ') pinAt(st.at, e.shiftKey); else return;
      e.preventDefault(); e.stopPropagation();
    });
  }
  document.addEventListener('keydown', () => { st.byKey = true; }, {capture: true, signal}); // a ring shows where the keys are, not where the pointer was
  let due = false; // drawn after what was changed is on its way to Python, and once for several changes
  const soon = () => { if (due) return; due = true; queueMicrotask(() => { due = false; if (!signal?.aborted) draw(); }); };
  const changed = () => { st.stamp++; soon(); }, watched = 'change:concepts change:tasks change:explainer change:shade change:mass change:names', data = 'change:_info change:_arrays';
  for (const n of watched.split(' ')) model.on(n, soon);
  for (const n of data.split(' ')) model.on(n, changed);
  const stop = () => { for (const n of watched.split(' ')) model.off(n, soon); for (const n of data.split(' ')) model.off(n, changed); };
  signal?.addEventListener('abort', stop);
  if (el.isConnected) { f.width = Math.floor(f.root.getBoundingClientRect().width); }
  draw();
}
export default {render};
