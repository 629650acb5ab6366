import {test} from 'node:test';
import assert from 'node:assert/strict';
import * as M from '../../mtl_explain/static/concept_map.js';
import {plain} from '../../mtl_explain/static/_words.js';
import {unpack} from '../../mtl_explain/static/_draw.js';
import {StaticModel, revive} from '../../mtl_explain/static/_shim.js';

const f32 = (shape, values) => ({shape, dtype: 'float32', data: new DataView(new Float32Array(values).buffer)}), i32 = (shape, values) => ({shape, dtype: 'int32', data: new DataView(new Int32Array(values).buffer)});
const n = NaN;
// three concepts, two tasks: c01 in both, c02 in b (without evidence in a), c03 in none
function data(more = {}, traits = {}) {
  const info = {concepts: ['c01', 'c02', 'c03'], suggested: ['', 'riches', ''], columns: ['a', 'b'], families: ['a', 'b'], explainers: ['shapley'], sources: ['shapley on concepts'], sharedServe: 'both tasks',
    bands: [{name: 'Shared', rule: 'both tasks', serve: 'both tasks', n: 1}, {name: 'Private', rule: 'one task', serve: 'one task', n: 1}, {name: 'Unused', rule: 'none', serve: 'none', n: 1}],
    evidence: {p: .01, permutations: 999}, variables: ['x', 'y'], targets: [''], basis: ['importance'], ...more};
  const arrays = {share: f32([1, 2, 3], [.5, .1, 0, .3, .4, 0]), share_se: f32([1, 2, 3], [.05, .1, 0, .05, .05, 0]), none: f32([1, 2], [.4, .3]), usage: f32([2, 3], [.6, .4, 0, .5, .5, 0]),
    degree: i32([3], [2, 1, 0]), specificity: f32([3], [.1, .9, n]), specificity_se: f32([3], [.05, n, n]), top_variable: i32([1, 3, 2, 2], [0, 1, 1, -1, 0, -1, 1, -1, -1, -1, -1, -1]),
    top_size: f32([1, 3, 2, 2], [.9, .5, .4, 0, .3, 0, .2, 0, 0, 0, 0, 0]), top_sign: {shape: [1, 3, 2, 2], dtype: 'int8', data: new DataView(new Int8Array([1, -1, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0]).buffer)}, top_target: i32([1, 3, 2, 2], Array(12).fill(0))};
  const all = {_info: info, _arrays: arrays, names: {c01: 'age'}, concepts: [], tasks: [], explainer: 'shapley', shade: 'importance', ...traits};
  return M.read(k => all[k]);
}
const say = (d, row, col) => plain(M.reading(d, {row, col})).replaceAll('\u202f', ' ');

test('a cell says what it may', () => {
  const d = data(); assert.deepEqual([M.cell(d, 0, 0).kind, M.cell(d, 1, 0).kind, M.cell(d, 2, 0).kind], ['effect', 'unclear', 'zero']);
  assert.equal(M.cell(data({}, {shade: 'attention'}), 1, 0).kind, 'effect'); assert.ok(Number.isNaN(M.rest(data({}, {shade: 'attention'}), 0)));
});
test('the answer names concepts only where all of them have names', () => {
  assert.equal(plain(M.answer(data())), 'Age serves both tasks. One serves one task; one is unused.');
  assert.equal(plain(M.answer(data({}, {names: {}}))), 'One concept serves both tasks; one serves one task; one is unused.');
  assert.match(plain(M.answer(data({evidence: {p: .5, permutations: 999}}))), /No evidence of structure beyond chance/);
  assert.equal(plain(M.answer(data({bands: [{name: 'Private', rule: 'one task', serve: 'one task', n: 3}]}))), 'No concept serves both tasks; three serve one task.');
  const long = plain(M.answer(data({}, {names: {c01: 'x'.repeat(400)}}))); assert.ok(long.length < 125);
});
test('the reading line', () => {
  const d = data();
  assert.equal(say(d, 0, 0), 'age → a: 50 % of the task’s effect (95 %: 40–60), its largest share.'); assert.equal(say(d, 0, 1), 'age → b: 30 % of the task’s effect (95 %: 20–40), second only to a.');
  assert.equal(say(d, 1, 0), 'c02 riches → a: 10 % of the task’s effect (95 %: 0–30), no evidence that it differs from 0.'); assert.equal(say(d, 2, 0), 'c03 → a: no effect.');
  assert.equal(say(d, 3, 0), 'no concept → a: 40 % of the task’s effect stays although every concept is off.'); assert.equal(say(d, -1, 1), 'b: c02 riches 40 % and age 30 %; 30 % in no concept.');
  assert.equal(say(d, 0, -1), 'age: 2 of 2 tasks, specificity .10 (95 %: .00–.20).'); assert.equal(say(d, 1, -1), 'c02 riches: 1 of 2 tasks, specificity .90.'); assert.equal(say(d, 2, -1), 'c03: serves no task.');
  assert.match(say(data({}, {shade: 'attention'}), 0, 0), /attention, mean over its variables; attention has no interval and is not an effect/); assert.deepEqual(M.reading(d, null), []);
});
test('the foot', () => {
  const lines = M.foot(data(), {narrow: false}).map(plain); assert.match(lines[0], /^Shown: all 3 concepts × 2 tasks, in % of each task’s effect\. Hatched, “n\.e\.”/); assert.match(lines[1], /^Structure beyond chance/); assert.equal(lines[2], 'shapley on concepts');
  assert.match(plain(M.foot(data(), {narrow: true})[0]), /Hidden for width: the two margins/); assert.match(plain(M.foot(data({}, {shade: 'attention'}))[0]), /attention, which is not its effect/);
  assert.match(lines[0], / Italic: suggested name\.$/); assert.equal(M.italics(data({suggested: ['', '', '']})), ''); assert.equal(M.italics(data({}, {names: {c02: 'riches'}})), '');
  const tested = p => M.italics(data({suggested: ['', 'riches', 'x'], matches: [null, {named: 'a', p}, {named: 'b', p: .9}]})); assert.equal(tested(.2), ' Italic: suggested names, no fit beyond chance.'); assert.equal(tested(.01), ' Italic: suggested names.');
  assert.match(plain(M.foot(data({explainers: []}, {shade: 'attention', explainer: ''}))[2]), /were not explained/);
  assert.match(M.source(data({}, {explainer: 'lime'})), /^lime did not play with concepts; shown is shapley/); assert.equal(M.source(data({}, {explainer: 'shapley'})), 'shapley on concepts');
});
test('the card lists the strongest variables of the tasks that a concept serves', () => {
  const {rows, more} = M.stands(data(), 0); assert.deepEqual(rows.map(r => [r.t, r.first, r.variable, r.sign]), [[0, true, 'x', 1], [0, false, 'y', -1], [1, true, 'y', 2]]); assert.equal(more, 0);
  assert.deepEqual(M.stands(data(), 1).rows.map(r => r.t), [1]); assert.equal(M.matchLine(data(), 0), null);
  const d = data({matches: [{named: 'age', p: .004}, {named: 'x', p: .4}, null], matching: {corrected: true, shuffled: 'names shuffled', permutations: 999}});
  assert.match(M.matchLine(d, 0).map(plain).join(' '), /Closest named concept: age More than chance: p.=..004 corrected for the number of names and concepts; names shuffled, 999 times/); assert.match(plain(M.matchLine(d, 1)[0]), /No evidence that it matches/);
});
test('the table holds every cell and the rest', () => {
  const {head, rows} = M.tableOf(data()); assert.deepEqual(head, ['concept', 'id', 'band', 'tasks', 'specificity', 'a', 'b']); assert.deepEqual(rows[1], ['c02 riches', 'c02', 'Private', '1', '.90', '10 (0–30) n.e.', '40 (30–50)']); assert.equal(rows.at(-1)[5], '40');
});
test('find and move', () => {
  const d = data(); assert.deepEqual(M.matches(d, 'RICH'), [1]); assert.deepEqual(M.matches(d, 'c0'), [0, 1, 2]); assert.deepEqual(M.matches(d, ' '), []);
  assert.deepEqual(M.step('ArrowRight', {row: 0, col: 1}, d), {row: 0, col: 1}); assert.deepEqual(M.step('ArrowUp', {row: 0, col: 1}, d), {row: -1, col: 1}); assert.deepEqual(M.step('ArrowUp', {row: 0, col: -1}, d), {row: 0, col: -1});
  assert.deepEqual(M.step('ArrowLeft', {row: 0, col: 0}, d), {row: 0, col: -1}); assert.deepEqual(M.step('PageDown', {row: 0, col: 0}, d), {row: 3, col: 0}); assert.equal(M.step('x', {row: 0, col: 0}, d), null);
});
test('sizes', () => {
  const at = (width, K = 12, T = 6, flat = () => true) => M.geometry({width, u: 1, K, T, labelWidth: 90, flat, overhang: Array(T).fill(50)});
  assert.ok(at(950).beside && at(950).numbers && at(950).heads === 'flat'); assert.ok(!at(700).beside); const s = at(376); assert.ok(s.narrow && s.heads === 'slanted' && s.x1 <= 376 && s.numbers);
  const big = at(950, 128, 121); assert.ok(big.tall && big.pitch >= 4 && !big.numbers && big.heads === 'none' && big.beside);
  assert.deepEqual(M.familyRuns({families: ['a', 'a', 'b', 'a']}), [{name: 'a', from: 0, n: 2}]);
});
test('arrays and the stand-in model', () => {
  const bytes = new Uint8Array(9); new DataView(bytes.buffer).setFloat32(1, 2.5, true); const {x} = unpack({x: {shape: [1], dtype: 'float32', data: new DataView(bytes.buffer, 1, 4)}}); assert.equal(x[0], 2.5);
  const m = new StaticModel(revive({a: {$b64: 'AAE='}, list: [1, {$b64: ''}]})), seen = []; assert.equal(m.get('a').getUint8(1), 1);
  const f = () => seen.push(m.get('n')); m.on('change:n', f); m.set('n', 1); m.set('n', 1); m.off('change:n', f); m.set('n', 2); assert.deepEqual(seen, [1]);
});
test('concepts and tasks are found by name', () => {
  const d = data(); assert.deepEqual(M.places(d, 'rich'), [{row: 1, col: -1}]); assert.deepEqual(M.places(d, 'B'), [{row: -1, col: 1}]); assert.deepEqual(M.places(d, 'a'), [{row: 0, col: -1}, {row: -1, col: 0}]); assert.deepEqual(M.places(d, ' '), []);
});
// fifty tasks, sixty concepts: cells of 1, 2, 3 … per mille, the last concept holds nothing
function big(traits = {}) {
  const T = 50, K = 60, share = new Float32Array(T*K).map((_, i) => i % K === K - 1 ? 0 : (1 + i % 10)/1000), zero = n => f32([n], Array(n).fill(0)), all = {_info: {concepts: Array.from({length: K}, (_, k) => `c${k}`), suggested: Array(K).fill(''), columns: Array.from({length: T}, (_, t) => `t${t}`), families: Array(T).fill(''), explainers: ['s'], sources: ['s'], bands: [], evidence: {}},
    _arrays: {share: f32([1, T, K], share), share_se: f32([1, T, K], share.map(x => x === .001 ? 1 : 0)), none: zero(T), usage: f32([T, K], share), degree: i32([K], Array(K).fill(1)), specificity: zero(K), specificity_se: zero(K)}, explainer: 's', shade: 'importance', concepts: [], tasks: [], ...traits};
  return M.read(k => all[k]);
}
test('a map of many cells is cut by mass, and says what it hides', () => {
  const d = big({mass: .9}), c = M.cutAt(d), n = 50*59; assert.equal(c.of, n); assert.ok(c.share >= .9 && c.n < n && c.n > n/2); const held = [...Array(50*60).keys()].map(i => d.share[i]).filter(x => x >= c.least); assert.equal(held.length, c.n); assert.ok(Math.abs(held.reduce((a, b) => a + b, 0)/[...d.share].reduce((a, b) => a + b, 0) - c.share) < 1e-6);
  assert.deepEqual([M.cutAt(big({mass: 1})).n, M.cutAt(big({mass: 1})).share], [n, 1]); assert.ok(M.cutAt(big({mass: .05})).n < c.n); assert.equal(d.least, c.least); assert.equal(data().least, 0); // small maps are whole
  const f = plain(M.foot(d)[0]); assert.ok(f.startsWith(`Shown: ${c.n.toLocaleString('en')} of 2,950 cells that hold anything`), f); assert.ok(f.includes(`Hidden: ${n - c.n} smaller cells.`)); assert.ok(!plain(M.foot(big({mass: 1}))[0]).includes('Hidden')); assert.ok(Math.abs(M.largest(d) - .01) < 1e-6);
  const at = [...Array(60).keys()].find(k => d.share[k] < c.least && d.share[k] > .0015); assert.match(say(d, at, 0), /one of the smaller cells that are not drawn/);
});
test('before the numbers there is no cut', () => { const d = M.read(k => ({_info: {concepts: Array(100).fill('c'), columns: Array(100).fill('t'), explainers: []}, _arrays: {}})[k]); assert.equal(d.least, 0); assert.equal(d.usage, undefined); });
