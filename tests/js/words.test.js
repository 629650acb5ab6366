import {test} from 'node:test';
import assert from 'node:assert/strict';
import {count, thousands, many, capital, percent, withUnit, fraction, range, pValue, list, oneLine, middle, evidence, plain} from '../../mtl_explain/static/_words.js';

const nb = s => s.replaceAll(' ', '\u00a0');
test('numbers', () => {
  assert.equal(count(4), 'four'); assert.equal(count(31), '31'); assert.equal(thousands(20190), '20,190'); assert.equal(many(1, 'concept'), 'one concept'); assert.equal(many(3, 'concept'), 'three concepts');
  assert.deepEqual([.214, .004, 0, -.004, -.21, NaN, 1].map(percent), ['21', '<1', '0', '<1', '−21', '–', '100']); assert.equal(withUnit(.21), '21\u202f%');
  assert.deepEqual([.161, .0, 1, -.3, NaN].map(fraction), ['.16', '.00', '1.00', '−.30', '–']); assert.equal(range(-.1, .26), '0–26');
});
test('a p value is never 0 and has no leading zero', () => {
  assert.deepEqual([.41, .4, .004, .013, .001, .0001, 1].map(p => pValue(p, 999)), ['p = .41', 'p = .40', 'p = .004', 'p = .013', 'p = .001', 'p = .0001', 'p = 1.00'].map(nb));
  assert.equal(pValue(0, 999), nb('p < .001')); assert.equal(pValue(0), nb('p < .001'));
});
test('names', () => {
  assert.equal(capital('age'), 'Age'); assert.equal(capital('über'), 'über'); assert.equal(oneLine('a\n\u2028b\u0000'), 'a b'); assert.equal(middle('household income per head', 15), 'househol…r head');
  assert.equal(middle('😀😀😀😀😀', 3), '😀😀…'.slice(0, -1) + '…'); assert.ok([...new Intl.Segmenter().segment(middle('👩‍👩‍👧'.repeat(9), 5))].length <= 5);
  assert.deepEqual(list(['a', 'b', 'c']), ['a', ', ', 'b', ' and ', 'c']); assert.deepEqual(list(['a']), ['a']);
  assert.equal(plain(['x ', {b: [{n: 'name'}, ':']}, {i: 'c01'}, {m: 'm'}]), 'x name:c01m');
});
test('evidence is said in words, and its absence in the answer', () => {
  const e = o => evidence({permutations: 999, families: 5, shuffled: 'task labels', ...o}), text = x => (x.bold + x.rest).replaceAll('\u00a0', ' ');
  assert.equal(text(e({p: .004})), 'Structure beyond chance: p = .004 (task labels permuted 999 times, between 5 families of tables).'); assert.equal(e({p: .004}).answer, '');
  assert.match(text(e({p: .41})), /^No evidence of structure beyond chance: p = .41 .*Read single cells, not the pattern\.$/); assert.match(e({p: .41}).answer, /No evidence/);
  assert.match(text(e({p: .004, p_signed: .01})), /^Structure beyond chance: p = .004, and within one sign of the effect: p = .01 \(/);
  const signs = e({p: .041, p_signed: .153, shuffled: 'names permuted among the features; pairs between families of tables'});
  assert.equal(text(signs), 'Structure beyond chance: p = .041; within one sign of the effect no evidence: p = .15 (names permuted 999 times among the features; pairs between families of tables). What is shared is the direction of effects rather than meaning.');
  assert.equal(signs.answer.replaceAll('\u00a0', ' '), 'Shared is the direction of effects (p = .041) rather than meaning (p = .15).');
  assert.match(text(e({p: .041, p_signed: 1, clear_signs: 0})), /^Structure beyond chance: p = .041 \(.*No effect has a clear sign, so direction and meaning were not told apart\.$/); assert.match(text(e({p: .041, p_signed: .15, clear_signs: 9})), /direction of effects rather/);
  assert.match(text(e({p: null})), /not tested/); assert.equal(e({}).answer, ''); assert.match(text(evidence()), /not tested/);
  assert.equal(text(e({p: .002, families: 1, shuffled: 'names shuffled between tables'})), 'Structure beyond chance: p = .002 (names shuffled 999 times between tables).');
});
