// The forward pass of a model with shared embeddings, for a page without a kernel: embed, encode, sum, core, decode. Pure functions; numbers are doubles.

const TAIL = 2.5, ROOT = 2/Math.sqrt(Math.PI);
/** The error function, to 1e-15: a series of positive terms near 0, a continued fraction beyond */
export function erf(x) {
  const a = Math.abs(x); if (a > 6) return Math.sign(x);
  if (Number.isNaN(a)) return NaN;
  if (a < TAIL) { let term = a, sum = a; for (let n = 1; term > 1e-17*sum; n++) sum += term *= 2*a*a/(2*n + 1); return Math.sign(x)*ROOT*Math.exp(-a*a)*sum; }
  let f = 0; for (let n = 60; n; n--) f = n/2/(a + f);
  return Math.sign(x)*(1 - Math.exp(-a*a)/(Math.sqrt(Math.PI)*(a + f)));
}
export const ACTIVATIONS = {gelu: x => x*.5*(1 + erf(x*Math.SQRT1_2)), relu: x => x > 0 ? x : 0, tanh: Math.tanh, silu: x => x/(1 + Math.exp(-x))};

/** y = W x + b; W in row order (out, in) */
export function linear(W, b, x) {
  const n = x.length, y = new Float64Array(b.length);
  for (let o = 0, at = 0; o < y.length; o++) { let s = b[o]; for (let i = 0; i < n; i++) s += W[at++]*x[i]; y[o] = s; }
  return y;
}
const layers = (w, name) => { const out = []; for (let i = 0; w[`${name}.layers.${i}.weight`]; i++) out.push([w[`${name}.layers.${i}.weight`], w[`${name}.layers.${i}.bias`]]); return out; };
/** A stack of layers, each scaled and shifted by an embedding. -> {film(z), run(x, film)} */
function stack(w, name, act) {
  const first = w[`${name}.first.weight`], more = layers(w, name), gate = w[`${name}.gate`], F = w[`${name}.film.weight`], Fb = w[`${name}.film.bias`], bias = w[`${name}.first.bias`];
  const bend = (y, film, k) => { const n = y.length, at = 2*k*n; for (let i = 0; i < n; i++) y[i] = act(film[at + n + i] + film[at + i]*y[i]); return y; };
  return {film: z => linear(F, Fb, z), run(x, film) {
    let k = 0; if (first) x = bend(linear(first, bias, x), film, k++);
    more.forEach(([W, b], l) => { const y = bend(linear(W, b, x), film, k++), a = gate[l], z = new Float64Array(y.length); for (let i = 0; i < z.length; i++) z[i] = x[i] + a*y[i]; x = z; });
    return x;
  }};
}
function core(w, act) {
  const all = layers(w, 'core'), gate = w['core.gate'];
  return x => { all.forEach(([W, b], l) => { const y = linear(W, b, x), z = new Float64Array(y.length); for (let i = 0; i < z.length; i++) z[i] = x[i] + gate[l]*act(y[i]); x = z; }); return x; };
}

/** Embeddings of the inputs of a table with some concepts off: z(s) = sum over k of [s_k a_ik + (1 - s_k) bar_k] v_k; bar is 0, or the mean of the table's inputs */
export function mixture(a, v, on, how = 'remove') {
  const K = on.length, C = v.length/K, n = a.length/K, bar = on.map((_, k) => { if (how !== 'average') return 0; let s = 0; for (let i = 0; i < n; i++) s += a[i*K + k]; return s/n; });
  return Array.from({length: n}, (_, i) => { const z = new Float64Array(C); for (let k = 0; k < K; k++) { const m = on[k] ? a[i*K + k] : bar[k]; if (m) for (let c = 0; c < C; c++) z[c] += m*v[k*C + c]; } return z; });
}
const softmax = l => { const top = Math.max(...l), e = l.map(x => Math.exp(x - top)), s = e.reduce((p, q) => p + q, 0); return e.map(x => x/s); };
/** The scores of an outcome in the unit of its targets: a number in its own, classes as probabilities, an order as the expected place */
export function answers(o, score) {
  if (o.kind === 'number') return [score[0]*o.std + o.mean];
  const p = softmax(o.slope.map((l, i) => (l*score[o.kind === 'nominal' ? i : 0] + o.threshold[i])*o.sharpness));
  return o.kind === 'nominal' ? p : [p.reduce((s, x, i) => s + i*x, 0)];
}
const none = v => v === null || v === undefined || Number.isNaN(v);
/** A value as its code: a number as it is, a level as its place, NaN = missing */
export const code = (f, v) => none(v) ? NaN : f.levels.length ? f.levels.indexOf(v) : +v;
/** The codes of a table's row after some edits of the case's own row: {place: code} of the own features that are changed. What the other table cannot be, it is not */
export function travelled(table, own, changed) {
  const codes = table.stored.map(c => none(c) ? NaN : c); if (table === own) { for (const [j, c] of Object.entries(changed)) codes[j] = c; return codes; }
  for (const [i, j, carried] of table.links) if (i in changed) { const c = changed[i], to = Number.isNaN(c) ? (table.features[j].missing ? NaN : null) : carried ? carried[c] ?? null : c; if (to !== null) codes[j] = to; }
  return codes;
}
const grouped = s => s.replace(/\B(?=(\d{3})+$)/g, ',');
/** A number in a sentence, as Python writes it there: '19', '0.25', '20,190' */
export const numberText = v => { const a = Math.abs(v), s = a >= 1e15 || (a > 0 && a < 1e-4) ? v.toExponential(3).replace(/\.?0+e/, 'e').replace(/e([+-])(\d)$/, 'e$10$2') : a >= 1e4 ? (v < 0 ? '-' : '') + grouped(a.toFixed(0)) : String(+v.toPrecision(Number.isInteger(v) ? 17 : 4)); return s === '-0' ? '0' : s; };
const told = (f, c) => Number.isNaN(c) ? 'missing' : f.levels.length ? String(f.levels[c]) : numberText(c);
/** What lies beyond the training rows of the tables that edits travel to: [{task, text}] */
export function beyond({tables}, changed) {
  const [own, ...others] = tables;
  return others.flatMap(t => t.links.flatMap(([i, j, carried]) => {
    if (!(i in changed)) return [];
    const f = t.features[j], c = changed[i], here = `'${f.name}' in '${t.task}'`, to = Number.isNaN(c) ? (f.missing ? NaN : null) : carried ? carried[c] ?? null : c, unit = f.unit ? ` ${f.unit}` : '', out = [];
    if (to === null) out.push(`${here} cannot be ${told(own.features[i], c)}: sample ${typeof t.sample === 'number' ? t.sample : `'${t.sample}'`} stays as stored.`);
    else if (Number.isNaN(to)) { if (!f.gaps) out.push(`No training row has ${here} missing.`); }
    else if (f.levels.length) { if (!f.seen.includes(to)) out.push(`No training row has ${here} = ${told(f, to)}.`); }
    else {
      if (!(to >= f.low && to <= f.high)) out.push(`${told(f, to)} is outside the training range of ${here}, ${told(f, f.low)} to ${told(f, f.high)}${unit}.`);
      if (f.kind === 'whole' && to % 1) out.push(`${told(f, to)} is between the whole numbers that ${here} has in training rows.`);
    }
    return out.map(text => ({task: t.task, text}));
  }));
}
/** Codes as the variables of a table */
export const variables = (inputs, codes) => Float64Array.from(inputs, ({feature, kind, level, mean, std, scale}) => { const c = codes[feature]; return scale*(kind === 'missing' ? +Number.isNaN(c) : kind === 'nominal' ? +(c === level) : Number.isNaN(c) ? 0 : (c - mean)/std); });

/** A model that answers for one row and for the rows tied to it. -> {ask(edits, off, how) -> Float64Array (target), outside(edits)}; encodings of what did not change are kept */
export function forward({header, arrays: w}) {
  const act = ACTIVATIONS[header.activation], enc = stack(w, 'encoder', act), h = core(w, act), dec = stack(w, 'decoder', act), read = stack(w, 'readout', x => x), {tables} = header, own = tables[0];
  const films = new Map(), cells = new Map(), keep = (map, key, make, most) => { if (!map.has(key)) { if (map.size > most) map.clear(); map.set(key, make()); } return map.get(key); }, cut = (a, n) => { const C = a.length/n; return Array.from({length: n}, (_, i) => a.subarray(i*C, (i + 1)*C)); };
  const filmsOf = (t, mask, on, how) => keep(films, `${t} ${mask}`, () => (header.concepts.length ? mixture(w[`${t}/attention`], w.values, on, how) : cut(w[`${t}/embedding`], tables[t].inputs.length)).map(enc.film), 64);
  const count = t => tables[t].outcomes.reduce((n, o) => n + o.scores, 0), heads = tables.map((_, t) => cut(w[`${t}/output`], count(t)).map(z => [dec.film(z), read.film(z)]));
  function scores(t, changed, mask, on, how) {
    const film = filmsOf(t, mask, on, how), x = variables(tables[t].inputs, travelled(tables[t], own, changed)); let total = null;
    x.forEach((v, i) => { const c = keep(cells, `${t} ${mask} ${i} ${v}`, () => enc.run([v], film[i]), 20000); total ??= new Float64Array(c.length); for (let j = 0; j < c.length; j++) total[j] += c[j]; });
    const top = h(total); return heads[t].map(([d, r]) => read.run(dec.run(top, d), r)[0]);
  }
  const changes = edits => Object.fromEntries(own.features.flatMap((f, j) => { if (!Object.hasOwn(edits, f.name)) return []; const c = code(f, edits[f.name]), was = own.stored[j] ?? NaN; return Object.is(c, was) ? [] : [[j, c]]; }));
  return {outside: edits => beyond(header, changes(edits)), ask(edits = {}, off = [], how = 'remove') {
    const on = header.concepts.map(c => !off.includes(c)), mask = on.map(Number).join('') + how, changed = changes(edits);
    return Float64Array.from(tables.flatMap((table, t) => { const s = scores(t, changed, mask, on, how); let at = 0; return table.outcomes.flatMap(o => answers(o, s.slice(at, at += o.scores))); }));
  }};
}

/** What each change did to every target: Shapley values of the change from stored to edited, exact over at most `most` players; null beyond. `ask` is as in `forward`. -> [{feature | concept, change: Float64Array}] */
export function shares(ask, edits, off, most = 7) {
  const players = [...Object.keys(edits).map(feature => ({feature})), ...off.map(concept => ({concept}))], n = players.length; if (n > most) return null;
  const value = Array.from({length: 2**n}, (_, m) => ask(Object.fromEntries(players.flatMap((p, i) => p.feature !== undefined && m >> i & 1 ? [[p.feature, edits[p.feature]]] : [])), players.flatMap((p, i) => p.concept !== undefined && m >> i & 1 ? [p.concept] : [])));
  const fact = k => k < 2 ? 1 : k*fact(k - 1), bits = m => { let c = 0; for (; m; m &= m - 1) c++; return c; };
  return players.map((p, i) => { const change = new Float64Array(value[0].length); for (let m = 0; m < 2**n; m++) if (!(m >> i & 1)) { const k = bits(m), wt = fact(k)*fact(n - k - 1)/fact(n); change.forEach((_, j) => { change[j] += wt*(value[m | 1 << i][j] - value[m][j]); }); } return {...p, change}; });
}
