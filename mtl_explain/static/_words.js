// Words and numbers: everything that a view says is put together here. Pure functions.

const NUMBERS = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve'];
const THIN = '\u202f', MINUS = '\u2212', NB = '\u00a0';

/** 3 -> 'three', 31 -> '31' */
export const count = n => NUMBERS[n] ?? thousands(n);
export const thousands = n => String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, ',');
export const many = (n, one, more = one + 's') => `${count(n)} ${n === 1 ? one : more}`;
export const capital = s => /^[a-z]/.test(s) ? s[0].toUpperCase() + s.slice(1) : s;

/** A share in whole per cent, without the sign: '21', '<1', '0', '–' where it does not apply */
export function percent(x) {
  if (!Number.isFinite(x)) return '–';
  const p = Math.round(100*Math.abs(x));
  if (p === 0 && x !== 0) return '<1';
  return (x < 0 && p ? MINUS : '') + p;
}
export const withUnit = x => percent(x) + (Number.isFinite(x) ? THIN + '%' : '');
/** A number in 0..1 to two digits, without the leading zero: '.16', '1.00' */
export function fraction(x) { return Number.isFinite(x) ? (x < 0 ? MINUS : '') + Math.abs(x).toFixed(2).replace(/^0\./, '.') : '–'; }
/** An interval in per cent, cut at 0: '16–26' */
export const range = (lo, hi) => `${percent(Math.max(0, lo))}–${percent(hi)}`;
export const interval = (lo, hi, f = range) => `95${THIN}%: ${f(lo, hi)}`;

/** A p value: two digits that matter, no leading zero, never 0 */
export function pValue(p, permutations) {
  const least = permutations > 0 ? 1/(permutations + 1) : 0, short = x => { const d = x < .1 ? Math.max(2, 1 - Math.floor(Math.log10(x))) : 2; return x.toFixed(d).replace(/^0\./, '.').replace(/(\.\d\d+?)0+$/, '$1'); };
  if (!(p > 0)) return `p${NB}<${NB}${short(least || .001)}`;
  return `p${NB}=${NB}${short(p)}`;
}

/** ['a', 'b', 'c'] -> 'a, b and c', kept as parts so that every name stays a name */
export function list(items) {
  return items.flatMap((x, i) => i === 0 ? [x] : [i === items.length - 1 ? ' and ' : ', ', x]);
}

const segmenter = typeof Intl !== 'undefined' && Intl.Segmenter ? new Intl.Segmenter() : null, segments = s => segmenter ? [...segmenter.segment(s)].map(x => x.segment) : [...s];
/** One line of text: line breaks and control characters become a space */
export const oneLine = s => String(s).replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim();
/** Shortened in the middle to at most n characters, so that beginning and end stay */
export function middle(s, n) {
  if (s.length <= n) return s; // no more characters than code units
  const c = segments(s);
  if (c.length <= n) return s;
  const tail = Math.floor((n - 1)*.45), head = n - 1 - tail;
  return c.slice(0, head).join('') + '…' + (tail ? c.slice(-tail).join('') : '');
}

/** What the permutation tests say. -> {some, bold, rest, answer}: `answer` is '' or the sentence that the answer line must carry */
export function evidence({p, p_signed, permutations, families, shuffled, clear_signs} = {}, alpha = .05) {
  const has = Number.isFinite(p), unasked = clear_signs === 0, signed = Number.isFinite(p_signed) && !unasked;
  if (!has && !signed) return {some: null, bold: 'Structure beyond chance: not tested', rest: ' (this explanation holds no p).', answer: ''};
  const P = x => pValue(x, permutations), times = permutations ? `${thousands(permutations)} times` : '', what = shuffled || 'labels';
  const how = /permuted|shuffled/.test(what) ? (times ? what.replace(/permuted|shuffled/, x => `${x} ${times}`) : what) : `${what} permuted${times && ' ' + times}`;
  const tail = ` (${how}${families > 1 && !/famil/.test(what) ? `, between ${thousands(families)} families of tables` : ''})`;
  const first = has ? p : p_signed, name = has ? '' : ' within one sign of the effect';
  if (first >= alpha) return {some: false, bold: `No evidence of structure beyond chance: ${P(first)}`, rest: `${tail}${has && signed ? `; within one sign of the effect ${P(p_signed)}` : ''}. Read single cells, not the pattern.`,
    answer: `No evidence of structure beyond chance (${P(first)}).`};
  if (has && signed && p_signed >= alpha) return {some: true, bold: `Structure beyond chance: ${P(p)}; within one sign of the effect no evidence: ${P(p_signed)}`,
    rest: `${tail}. What is shared is the direction of effects rather than meaning.`, answer: `Shared is the direction of effects (${P(p)}) rather than meaning (${P(p_signed)}).`};
  return {some: true, bold: `Structure beyond chance${name}: ${P(first)}${has && signed ? `, and within one sign of the effect: ${P(p_signed)}` : ''}`, rest: `${tail}.${unasked ? ' No effect has a clear sign, so direction and meaning were not told apart.' : ''}`, answer: ''};
}

/** Parts of a sentence -> plain text. A part is text, {b} bold, {m} muted, {n} a name, {i} a suggested name */
export const plain = parts => [].concat(parts).map(x => typeof x === 'string' ? x : Array.isArray(x) ? plain(x) : plain(x.b ?? x.m ?? x.n ?? x.i ?? '')).join('');

// ---- quantities with a unit ----

const UP = '⁰¹²³⁴⁵⁶⁷⁸⁹', power = n => (n < 0 ? '⁻' : '') + [...String(Math.abs(n))].map(c => UP[c]).join('');
/** Decimals that give the largest of some numbers `digits` digits that matter; one rule for everything that stands on one axis */
export const decimals = (max, digits = 3) => max > 0 && Number.isFinite(max) ? Math.min(12, Math.max(0, digits - 1 - Math.floor(Math.log10(max)))) : 0;
/** A number with so many decimals: '20,190', '0.48', '−1.31'; where that would be mostly zeros, '2.4 × 10⁻⁷' */
export function quantity(x, dec = 2) {
  if (!Number.isFinite(x)) return x === Infinity ? '∞' : x === -Infinity ? MINUS + '∞' : '–';
  const a = Math.abs(x), minus = x < 0 ? MINUS : '';
  if (a >= 1e7 || dec > 5) {
    if (a === 0) return '0';
    if (a >= .1 && a < 1e7) return quantity(x, 4); // large beside what is tiny
    const e = Math.floor(Math.log10(a)); return `${minus}${(a/10**e).toFixed(1)} × 10${power(e)}`;
  }
  const [whole, part] = a.toFixed(dec).split('.'), text = whole.replace(/\B(?=(\d{3})+$)/g, ',') + (part ? '.' + part : '');
  return (Number(a.toFixed(dec)) === 0 ? '' : minus) + text;
}
/** The same with its sign: '+1.31', '−0.06'; what rounds to nothing has none */
export const signed = (x, dec = 2) => { const s = quantity(x, dec); return x > 0 && /[1-9∞]/.test(s) ? '+' + s : s; };
/** One digit, for what should be 0: '0', '0.0002', '3 × 10⁻⁸' */
export function tiny(x) {
  if (!Number.isFinite(x)) return '–';
  if (x === 0) return '0';
  const a = Math.abs(x), e = Math.floor(Math.log10(a)), one = Math.round(a/10**e);
  return (x < 0 ? MINUS : '') + (e < -6 || e > 6 ? `${one % 10 || 1} × 10${power(one === 10 ? e + 1 : e)}` : e < 0 ? a.toFixed(-e) : quantity(a, 0));
}
