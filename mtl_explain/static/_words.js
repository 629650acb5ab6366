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

const segments = s => typeof Intl !== 'undefined' && Intl.Segmenter ? [...new Intl.Segmenter().segment(s)].map(x => x.segment) : [...s];
/** One line of text: line breaks and control characters become a space */
export const oneLine = s => String(s).replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim();
/** Shortened in the middle to at most n characters, so that beginning and end stay */
export function middle(s, n) {
  const c = segments(s);
  if (c.length <= n) return s;
  const tail = Math.floor((n - 1)*.45), head = n - 1 - tail;
  return c.slice(0, head).join('') + '…' + (tail ? c.slice(-tail).join('') : '');
}

/** What the permutation tests say. -> {some, bold, rest, answer}: `answer` is '' or the sentence that the answer line must carry */
export function evidence({p, p_signed, permutations, families, shuffled} = {}, alpha = .05) {
  const has = Number.isFinite(p), signed = Number.isFinite(p_signed);
  if (!has && !signed) return {some: null, bold: 'Structure beyond chance: not tested', rest: ' (this explanation holds no p).', answer: ''};
  const P = x => pValue(x, permutations), times = permutations ? `${thousands(permutations)} times` : '', what = shuffled || 'labels';
  const how = /permuted|shuffled/.test(what) ? (times ? what.replace(/permuted|shuffled/, x => `${x} ${times}`) : what) : `${what} permuted${times && ' ' + times}`;
  const tail = ` (${how}${families > 1 && !/famil/.test(what) ? `, between ${thousands(families)} families of tables` : ''})`;
  const first = has ? p : p_signed, name = has ? '' : ' within one sign of the effect';
  if (first >= alpha) return {some: false, bold: `No evidence of structure beyond chance: ${P(first)}`, rest: `${tail}${has && signed ? `; within one sign of the effect ${P(p_signed)}` : ''}. Read single cells, not the pattern.`,
    answer: `No evidence of structure beyond chance (${P(first)}).`};
  if (has && signed && p_signed >= alpha) return {some: true, bold: `Structure beyond chance: ${P(p)}; within one sign of the effect no evidence: ${P(p_signed)}`,
    rest: `${tail}. What is shared is the direction of effects rather than meaning.`, answer: `Shared is the direction of effects (${P(p)}) rather than meaning (${P(p_signed)}).`};
  return {some: true, bold: `Structure beyond chance${name}: ${P(first)}${has && signed ? `, and within one sign of the effect: ${P(p_signed)}` : ''}`, rest: `${tail}.`, answer: ''};
}

/** Parts of a sentence -> plain text. A part is text, {b} bold, {m} muted, {n} a name, {i} a suggested name */
export const plain = parts => [].concat(parts).map(x => typeof x === 'string' ? x : Array.isArray(x) ? plain(x) : plain(x.b ?? x.m ?? x.n ?? x.i ?? '')).join('');
