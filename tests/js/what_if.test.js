import {test} from 'node:test';
import assert from 'node:assert/strict';
import * as W from '../../mtl_explain/static/what_if.js';
import {plain} from '../../mtl_explain/static/_words.js';

const wrap = (Type, dtype) => values => ({shape: [values.length], dtype, data: new DataView(new Type(values).buffer)}), f32 = wrap(Float32Array, 'float32'), i32 = wrap(Int32Array, 'int32');
const flat = parts => plain(parts).replaceAll('\u202f', ' ').replaceAll('\u00a0', ' ');
const F = [{name: 'age', kind: 'whole', unit: 'years', value: 47, low: 19, high: 91, missing: false, immutable: false, levels: [], texts: [], bins: 2}, {name: 'income', kind: 'number', unit: '1000 USD', value: 38.4, low: 1.5, high: 105, missing: true, immutable: false, levels: [], texts: [], bins: 3},
  {name: 'party', kind: 'choice', unit: '', value: 'D', missing: false, immutable: true, levels: ['D', 'I', 'R'], texts: ['D', 'I', 'R'], bins: 3}, {name: 'seen', kind: 'date', unit: '', value: 19000, low: 18000, high: 19500, missing: false, immutable: false, levels: [], texts: [], bins: 0}];
const T = [{id: 'votes Dole', task: 'vote', outcome: 'votes Dole', level: '', kind: 'binary', unit: 'probability', sample: '417', low: .01, high: .99}, {id: 'income', task: 'vote', outcome: 'income', level: '', kind: 'number', unit: 'USD', sample: '417', low: 100, high: 900},
  ...['car', 'bus', 'train'].map((l, i) => ({id: `mode: ${l}`, task: 'travel', outcome: 'mode', level: l, kind: 'nominal', unit: 'probability', sample: '131', low: [.1, 0, 0][i], high: .9}))];
const STORED = [.38, 212, .6, .3, .1];
function data({edits = {}, off = [], values = STORED, why = null, answer, n = 0, mode = 'kernel', info = {}, ...traits} = {}) {
  const all = {_info: {task: 'vote', sample: '417', features: F, targets: T, concepts: ['c01', 'c02'], tied: [{feature: 'age', task: 'travel', sample: '131', other: 'age'}], stored: STORED, suggested: {c02: 'faith'}, specificity: {c01: .1}, ...info}, _arrays: {edges: f32([19, 50, 91, 1, 30, 60, 105]), counts: i32([4, 6, 1, 2, 3, 5, 3, 2])},
    edits, off, names: {}, tasks: ['vote'], targets: [], features: [], concepts: [], _request: {n}, ...traits};
  return Object.assign(W.read(k => all[k], answer === undefined ? {n, edits, off, values, why} : answer), {mode, offMode: 'remove'});
}

test('what was sent is read back: edges and counts by feature', () => {
  const d = data(); assert.deepEqual([...d.features[0].edges], [19, 50, 91]); assert.deepEqual([...d.features[1].counts], [1, 2, 3]); assert.deepEqual([...d.features[2].counts], [5, 3, 2]); assert.deepEqual(d.features[2].edges, []);
  assert.ok(d.known && !d.edited && d.j === 0 && !d.targetPinned); assert.equal(data({tasks: ['travel'], info: {stored: [.38, 212, .2, .7, .1]}}).j, 3, 'of classes the most probable one');
});
test('an answer counts only if it is the one to the last question', () => {
  const edits = {age: 60}, yes = {n: 3, edits, off: ['c01'], values: [1]}; assert.ok(W.fresh(yes, {n: 3}, edits, ['c01']));
  for (const bad of [{...yes, n: 2}, {...yes, edits: {}}, {...yes, edits: {age: 61}}, {...yes, off: []}, {...yes, error: 'no'}, null]) assert.equal(W.fresh(bad, {n: 3}, edits, ['c01']), false);
  const late = data({edits, n: 3, answer: {n: 2, edits: {age: 59}, off: [], values: [.9, 1, 1, 0, 0]}}); assert.equal(late.known, false); assert.equal(flat(W.answer(late)), 'Age 47 → 60: waiting for the answer.');
  assert.match(flat(W.answer(data({edits, n: 3, answer: {n: 3, edits, off: [], error: 'ValueError: gone'}}))), /no answer\. ValueError: gone/);
});
test('a value as stored is no edit', () => {
  const d = data({edits: {age: 60}}); assert.deepEqual(W.withEdit(d, 'age', 47), {}); assert.deepEqual(W.withEdit(d, 'income', null), {age: 60, income: null}); assert.deepEqual(W.withEdit(d, 'age', 61), {age: 61}); assert.deepEqual(d.edits, {age: 60});
});
test('steps are round, about a hundredth of the range; whole numbers stay whole', () => {
  assert.deepEqual([[0, 100, 'number'], [1.5, 105, 'number'], [0, .3, 'number'], [0, 1, 'whole'], [0, 20000, 'whole'], [5, 5, 'number'], [-1e-6, 1e-6, 'number']].map(([low, high, kind]) => W.niceStep({low, high, kind})), [1, 2, .005, 1, 200, 1, 2e-8]);
  assert.equal(W.snap(38.49, .5), 38.5); assert.equal(W.snap(.30000004, .1), .3); assert.equal(W.stepped(38.4, 1, 2), 40); assert.equal(W.stepped(38.4, -1, 2), 38); assert.equal(W.stepped(40, 1, 2), 42); assert.equal(W.stepped(.3, 1, .1), .4);
});
test('keys move a slider: by a step, by ten, to the ends; it stops where the picture does', () => {
  const f = {...data().features[0]}; assert.equal(W.slid('ArrowRight', f, 47), 48); assert.equal(W.slid('ArrowLeft', f, 47, true), 37); assert.equal(W.slid('PageUp', f, 47), 57); assert.equal(W.slid('PageDown', f, 20), 19); assert.equal(W.slid('Home', f, 47), 19); assert.equal(W.slid('End', f, 47), 91); assert.equal(W.slid('x', f, 47), undefined);
  assert.equal(W.slid('ArrowRight', f, 96), 96); assert.equal(W.slid('ArrowRight', {...f, value: null}, null), 56); // from the middle where nothing is known
});
test('outside the training range is said in words', () => {
  const [age, income, party, seen] = data().features; assert.ok(W.isOutside(age, 95) && W.isOutside(age, 18) && !W.isOutside(age, 91) && !W.isOutside(party, 'X') && !W.isOutside(age, null));
  assert.equal(flat(W.outsideWords(age, 95)), '95 is outside the training range 19–91: extrapolation'); assert.equal(flat(W.outsideWords({...age, low: -5}, 95)), '95 is outside the training range −5 to 91: extrapolation');
  assert.equal(W.valueText(seen, 19000), '2022-01-08'); assert.equal(W.valueText(income, null), 'missing'); assert.equal(W.valueText(income, 38.4), '38'); assert.equal(W.valueText(party, 'R'), 'R');
  const [lo, hi] = W.domain(age, [95, 120]); assert.ok(lo < 19 && hi > 120);
});
test('a date travels as text and is a place on an axis', () => { const d = data({edits: {seen: '2022-01-18'}}); assert.equal(d.edits.seen, 19010); assert.ok(d.known); assert.match(flat(W.answer(d)), /^Seen 2022-01-08 → 2022-01-18 leaves/); });
test('an axis of answers grows by quarters of its training range', () => {
  assert.deepEqual(W.axis(T[1], [212, 500]), {lo: 100, hi: 900, low: 100, high: 900}); assert.equal(W.axis(T[1], [1000]).hi, 1100); assert.equal(W.axis(T[1], [1101]).hi, 1300); assert.equal(W.axis(T[1], [-50]).lo, -100); assert.equal(W.axis(T[1], [-150]).lo, -300);
  assert.deepEqual(W.axis(T[0], [.2]), {lo: 0, hi: 1, low: 0, high: 1}); assert.ok(W.axis({kind: 'number', low: null, high: null}, [5]).hi >= 5); assert.ok(W.axis({kind: 'number', low: 2, high: 2}, [2]).hi > 2);
});
test('numbers in their unit', () => { assert.equal(W.amount(T[0], .384), '.38'); assert.equal(W.amount(T[1], 212.4), '212'); assert.equal(W.amount({kind: 'ordered', low: 1.1, high: 1.3}, 1.23456), '1.235'); assert.equal(W.difference(T[0], .19), '+.19'); assert.equal(W.difference(T[0], -.004), '0'); assert.equal(W.difference(T[1], -3.2), '−3'); assert.equal(W.difference(T[0], NaN), '0'); });
test('a change too small for the digits shown is not called none', () => {
  assert.deepEqual([0, .004, NaN].map(v => W.small(T[0], v)), ['no change', 'under .01', 'not known']); assert.deepEqual([0, .004, -.004, .02].map(v => W.part(T[0], v)), ['0', 'under .01', 'under .01', '+.02']); assert.equal(W.small(T[1], .3), 'under 1'); const d = data({edits: {age: 60}, values: [.384, 212, .6, .3, .1]}); assert.equal(flat(W.answer(d)), 'Age 47 → 60 leaves votes Dole near .38 for row 417.'); assert.match(flat(W.foot(d)[1]), /^No answer moves by a digit that is shown\./);
});
test('the ten-second read', () => {
  assert.equal(flat(W.answer(data())), 'As stored, votes Dole is .38 for row 417: move a value or switch a concept.'); assert.equal(flat(W.answer(data({mode: 'stored'}))), 'As stored, votes Dole is .38 for row 417.');
  assert.equal(flat(W.answer(data({edits: {age: 60}, values: [.57, 212, .6, .3, .1]}))), 'Age 47 → 60 raises votes Dole from .38 to .57, past one half.'); assert.equal(flat(W.answer(data({off: ['c02'], values: [.3, 212, .6, .3, .1]}))), 'C02 faith off lowers votes Dole from .38 to .30.'.replace('C02', 'c02'));
  assert.equal(flat(W.answer(data({edits: {age: 60, income: null}, off: ['c01']}))), 'Three changes leave votes Dole at .38 for row 417.'); assert.equal(flat(W.answer(data({edits: {age: 60}, targets: ['income'], values: [.57, 300, .6, .3, .1]}))), 'Age 47 → 60 raises income from 212 to 300 USD.');
  assert.equal(flat(W.answer(data({edits: {age: 60}, tasks: ['vote', 'travel'], values: [.57, 300, .2, .7, .1]}))), 'Age 47 → 60 lowers mode: car from .60 to .20, and bus is now most probable.');
  const long = data({edits: {age: 60}, values: [.9, 1, 1, 0, 0], info: {targets: T.map(t => ({...t, id: t.id + 'x'.repeat(300)}))}}); assert.ok(flat(W.answer(long)).length < 121);
});
test('answers stand by row and outcome; who is tied is somebody else', () => {
  const g = W.groups(data()); assert.deepEqual(g.map(x => [x.task, x.sample, x.own, x.ties, x.outcomes.map(o => o.all)]), [['vote', '417', true, [], [[0], [1]]], ['travel', '131', false, ['age'], [[2, 3, 4]]]]);
  const many = data({info: {targets: Array.from({length: 100}, (_, i) => ({...T[2], id: `m${i}`, level: `l${i}`})), stored: Array.from({length: 100}, (_, i) => i === 70 ? .5 : .005)}, answer: null, targets: ['m9']}), [o] = W.groups(many)[0].outcomes; assert.ok(o.shown.includes(70) && o.shown.includes(9) && o.shown.length <= 6 && o.rest.length === 100 - o.shown.length);
  const heads = data({info: {targets: Array.from({length: 30}, (_, i) => ({...T[1], id: `y${i}`, outcome: `y${i}`})), stored: Array(30).fill(1)}, answer: null, targets: ['y29']}), gs = W.groups(heads); assert.equal(gs[0].outcomes.length, 11); assert.equal(gs.hidden.length, 19); assert.ok(gs[0].outcomes.some(x => x.all[0] === 29));
  heads.open = new Set(['heads']); assert.equal(W.groups(heads).hidden.length, 0);
});
test('many features, levels and concepts: the first ones, what is changed, what is pinned', () => {
  const features = Array.from({length: 40}, (_, i) => ({...F[0], name: `f${i}`, bins: 0})), d = data({info: {features}, edits: {f30: 5}, features: ['f35']}); assert.deepEqual(W.shownFeatures(d).slice(-3).map(f => f.name), ['f13', 'f30', 'f35']); d.open = new Set(['features']); assert.equal(W.shownFeatures(d).length, 40);
  const f = {...F[2], levels: Array.from({length: 50}, (_, i) => `l${i}`), value: 'l49', counts: Array.from({length: 50}, (_, i) => i)}, e = data(); assert.equal(W.shownLevels(e, f).length, 12); assert.ok(W.shownLevels({...e, edits: {party: 'l0'}}, f).some(x => x.level === 'l0'));
  const c = data({info: {concepts: Array.from({length: 128}, (_, i) => `k${i}`)}, off: ['k100'], concepts: ['k101']}); assert.deepEqual(W.shownConcepts(c).slice(-2), ['k100', 'k101']); assert.equal(W.shownConcepts(c).length, 26);
});
test('what made the difference: parts with intervals; one change made all of it', () => {
  const why = [{feature: 'age', change: [.12, 1, 0, 0, 0], se: [.01, 0, 0, 0, 0]}, {concept: 'c02', change: [-.02, 0, 0, 0, 0], se: [.05, 0, 0, 0, 0]}], d = data({edits: {age: 60}, off: ['c02'], values: [.48, 213, .6, .3, .1], why}), [a, b] = W.parts(d);
  assert.deepEqual([a.g.unclear, b.g.unclear], [false, true]); assert.match(flat(W.reading(d, {what: 'why', ...a})), /^age 47 → 60: \+\.12 of \+\.10 \(95 %: \+\.10 to \+\.14\)\.$/); assert.match(flat(W.reading(d, {what: 'why', ...b})), /^c02 faith off: −\.02 .*no evidence of an effect\.$/);
  assert.equal(W.parts(data({edits: {age: 60}, values: [.5, 1, 1, 0, 0]}))[0].g.change, .5 - .38); assert.equal(W.parts(data({edits: {age: 60}, off: ['c01']}))[0].g, null);
});
test('places in words', () => {
  const d = data({edits: {age: 95}, off: ['c02'], values: [.57, 212, .6, .3, .1]}), say = m => flat(W.reading(d, m));
  assert.equal(say({what: 'slider', f: d.features[0]}), 'age: 95 now, 47 stored, training rows: 19 to 91 years. Outside them the model extrapolates. Tied to travel.'); assert.match(say({what: 'feature', f: d.features[2]}), /Locked/);
  assert.equal(say({what: 'chip', f: d.features[2], level: 'I'}), 'party = I: not now. 30 % of the training rows.'); assert.equal(say({what: 'concept', id: 'c02', s: -1}), 'c02 faith: off: removed, and nothing stands in for it.'); assert.match(say({what: 'concept', id: 'c01', s: .1}), /Shared: specificity \.10/);
  assert.equal(say({what: 'head', j: 0}), 'votes Dole, row 417: .38 → .57, +.19, past one half.'); assert.match(say({what: 'head', j: 1}), /no change\. On training rows: 100 to 900\.$/); assert.match(say({what: 'person', group: W.groups(d)[1]}), /another person, .*: age\.$/); assert.match(say({what: 'rest', rest: [3, 4], top: 3}), /^2 other classes, summed: \.40 → \.40; the largest now: bus/);
  assert.deepEqual(W.reading(d, null), []);
});
test('the foot says what is shown, what moves, and where the model runs', () => {
  const lines = W.foot(data({edits: {age: 60}, values: [.57, 212, .6, .3, .1]}), {hatched: true}).map(flat); assert.equal(lines[0], 'Shown: all 5 answers; all 4 features of this case; all 2 concepts.'); assert.match(lines[1], /^One of 5 answers moves\. What the model would answer is not what would happen/); assert.match(lines[2], /runs in the kernel · hatched: outside the training rows · one other person, with a row/);
  assert.match(flat(W.foot(data({edits: {age: 60}, values: STORED.map(v => v + 5)}))[1]), /^All 5 answers move/); assert.match(flat(W.foot(data({edits: {age: 60}}))[1]), /^No answer moves\./); assert.match(flat(W.foot(data({info: {targets: Array.from({length: 100}, (_, i) => ({...T[2], id: `m${i}`})), stored: Array(100).fill(.01)}, answer: null}))[0]), /^Shown: 5 of 100 answers; .* The other 95 classes are summed\.$/);
  assert.match(flat(W.foot(data({mode: 'stored'})).at(-1)), /stored case, no model/); assert.match(flat(W.foot(data({mode: 'weights'})).at(-1)), /runs in this page/);
});
test('the table says the same', () => {
  const t = W.tableOf(data({edits: {age: 60}, values: [.57, 212, .6, .3, .1], why: [{feature: 'age', change: [.19, 0, 0, 0, 0], se: []}]})); assert.equal(t.head.at(-1), 'by age 47 → 60'); assert.deepEqual(t.rows[0], ['votes Dole', '417', 'probability', '.38', '.57', '+.19', '+.19']); assert.equal(t.rows.length, 5);
});
test('a suggestion: what would change, how much, and whether it stays inside', () => {
  const say = s => W.suggestionLines(data({suggestion: s}))?.map(flat); assert.deepEqual(say({edits: {income: 71, age: 30}}), ['income 38 → 71, age 47 → 30', 'Two features, both inside the data’s range']); assert.deepEqual(say({edits: {age: 130}, off: ['c02'], note: 'others held'}), ['age 47 → 130, c02 faith off', 'One feature and one concept, not all inside the data’s range; others held']); assert.equal(say({}), undefined); assert.equal(say({none: 'x'}), undefined);
});
test('keys stay in their half of the picture', () => {
  const m = x => ({box: {x, w: 10}}), rows = [Object.assign([m(0), m(50)], {group: 0}), Object.assign([m(200)], {group: 1}), Object.assign([m(0), m(40), m(80)], {group: 0})];
  assert.deepEqual(W.step('ArrowDown', {r: 0, c: 1}, rows), {r: 2, c: 1}); assert.deepEqual(W.step('ArrowUp', {r: 0, c: 1}, rows), {r: 0, c: 1}); assert.deepEqual(W.step('ArrowDown', {r: 1, c: 0}, rows), {r: 1, c: 0}); assert.deepEqual(W.step('ArrowRight', {r: 2, c: 2}, rows), {r: 2, c: 2}); assert.equal(W.step('x', {r: 0, c: 0}, rows), null);
});
test('names are found in features, answers and concepts', () => { const d = data(); assert.deepEqual(W.matches(d, 'INCOME').map(m => m.kind), ['feature', 'answer']); assert.deepEqual(W.matches(d, 'faith').map(m => m.id), ['c02']); assert.deepEqual(W.matches(d, 'zzz'), []); assert.deepEqual(W.matches(data({names: {c01: 'years'}}), 'C01').map(m => m.id), ['c01']); });
