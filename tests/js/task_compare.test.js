import {test} from 'node:test';
import assert from 'node:assert/strict';
import * as C from '../../mtl_explain/static/task_compare.js';
import {plain} from '../../mtl_explain/static/_words.js';

const wrap = (Type, dtype) => values => ({shape: [values.length], dtype, data: new DataView(new Type(values).buffer)}), f32 = wrap(Float32Array, 'float32'), u16 = wrap(Uint16Array, 'uint16'), i8 = wrap(Int8Array, 'int8');
const n = NaN;
// three tasks, five concepts: c1 both, c2 only vote, c3 only trip, c4 no evidence in vote, c5 nobody; the third task like the first
function data({info = {}, arrays = {}, ...traits} = {}) {
  const _info = {variables: ['v1', 'v2', 'v3'], labels: ['age', 'income', 'cost'], tasks: ['vote', 'trip', 'third'], concepts: ['c1', 'c2', 'c3', 'c4', 'c5'], suggested: {c2: 'left–right'}, pair: [0, 2], partner: [2, 0, 0], test: [], tested: {}, evidence: {p: .004, permutations: 999},
    sets: [{measure: 'concept', explainer: 'shapley', n: 4, source: 'shapley on concepts'}, {measure: 'attention', explainer: '', n: 1, source: 'weights'}], ...info};
  const held = [.3, .4, 0, .06, 0, .2, 0, .5, 0, 0, .3, .4, 0, .06, 0], se = [.02, .02, n, .05, n, .05, n, .05, n, n, .02, .02, n, .05, n];
  const _arrays = {of: u16([0, 0, 1]), v: u16([0, 1, 0, 2, 0]), c: u16([0, 0, 1, 0, 0]), flow: f32([.2, .1, .4, .2, 1]), se: f32([n, n, n, n, n]), sign: i8([1, -1, 2, 0, 0, 0]), held: f32([...held, ...Array(15).fill(.2)]), held_se: f32([...se, ...Array(15).fill(n)]), none: f32([.24, .3, .24, n, n, n]),
    routes: u16([3, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, ...Array(15).fill(1)]), ...arrays};
  const all = {_info, _arrays, tasks: ['vote', 'trip'], concepts: [], variables: [], explainer: 'shapley', width: 'importance', sort: 'shared', names: {c1: 'income'}, ...traits};
  return C.read(k => all[k]);
}
const flat = parts => plain(parts).replaceAll('\u202f', ' ').replaceAll('\u00a0', ' '), grid = x => f32([...Array(9).fill(x)]);
const tested = (x = {}) => data({info: {test: ['overlap', 'low', 'high', 'null', 'null_low', 'null_high', 'p'], tested: {permutations: 999, null: '999 shuffles'}}, arrays: Object.fromEntries(Object.entries({overlap: .2, low: .15, high: .25, null: .12, null_low: .08, null_high: .18, p: .03, ...x}).map(([k, v]) => [`test_${k}`, grid(v)]))});

test('the pair: the last two pinned, one with its partner, none with the two that share most', () => {
  const p = tasks => C.pairOf(tasks, {tasks: ['a', 'b', 'c'], pair: [0, 1], partner: [2, 0, 0]});
  assert.deepEqual(p(['a', 'b', 'c']), [1, 2]); assert.deepEqual(p(['a']), [0, 2]); assert.deepEqual(p([]), [0, 1]); assert.deepEqual(p(['b', 'b', 'gone']), [1, 0]); assert.deepEqual(p(undefined), [0, 1]);
});
test('overlap is the smaller share, added up', () => {
  assert.ok(Math.abs(C.overlap(data()) - .2) < 1e-6); assert.ok(Math.abs(C.overlap(data({tasks: ['vote', 'third']})) - .76) < 1e-6); assert.ok(Math.abs(C.overlap(data({width: 'attention'})) - 1) < 1e-6);
  const c = C.compare(data()); assert.deepEqual(c.map(x => x.group), ['both', 'a', 'b', 'unclear', 'none']); assert.ok(Math.abs(c[0].both - .2) < 1e-6 && c[1].both === 0);
});
test('rows: groups, orders, the rest summed, what is open stays', () => {
  const names = d => C.arrange(d).groups.map(g => [g.name, g.rows.map(r => r.c)]); assert.deepEqual(names(data()), [['both', [0]], ['a', [1]], ['b', [2]], ['unclear', [3]]]); assert.equal(C.arrange(data()).hidden, 1);
  assert.deepEqual(names(data({sort: 'largest'})), [['', [2, 1, 0, 3]]]); assert.deepEqual(names(data({sort: 'name'})), [['', [1, 2, 3, 0]]]);
  const few = C.arrange(data({concepts: ['c4']}), 1); assert.deepEqual([few.groups.flatMap(g => g.rows.map(r => r.c)), few.rest.map(r => r.c)], [[2, 3], [0, 1]]); assert.deepEqual(C.arrange(data(), 3).rest, []); // one left is no rest
});
test('interval and null only where the tree has them for these numbers', () => {
  assert.deepEqual(C.test(data()), {}); assert.ok(Math.abs(C.test(tested()).null - .12) < 1e-6); assert.deepEqual(C.test(tested({overlap: .5})), {other: true}); assert.deepEqual(C.test({...tested(), effect: false}), {}); assert.deepEqual(C.test(tested({overlap: n})), {});
  const line = d => flat(C.foot(d, C.arrange(d))[1]); assert.equal(line(tested()), 'Overlap beyond chance: p = .03: 20 % (95 %: 15–25) against 12 % between unrelated tasks, 999 shuffles.'); assert.match(line(tested({p: .4})), /^No evidence of overlap beyond chance: p = \.40/);
  assert.match(line(tested({p: n})), /^Overlap: 20 % \(95 %: 15–25\); two unrelated tasks: 12 %\.$/); assert.match(line(data()), /not tested.*holds no interval and no null.*For the map as a whole: structure beyond chance/); assert.match(line(tested({overlap: .9})), /belongs to another explainer/);
});
test('answers', () => {
  assert.equal(flat(C.answer(data())), 'They share 20 % of what moves them: income. They part at c3 and c2 left–right.'); assert.match(flat(C.answer(tested({p: .4}))), /No evidence that it is more than chance \(p = \.40\)\.$/);
  assert.equal(flat(C.answer(data({arrays: {held: f32([.6, 0, 0, 0, 0, .2, ...Array(24).fill(0)])}}))), 'They share 20 % of what moves them: income.'); // what is named as shared is not named again
  assert.match(flat(C.answer(data({width: 'attention'}))), /^They share 100 % of their attention, which is not effect/); assert.equal(flat(C.answer(data({arrays: {held: f32(Array(30).fill(0))}}))), 'No concept moves either task.');
  assert.match(flat(C.answer(data({arrays: {held_se: f32(Array(30).fill(1))}}))), /no concept moves both beyond doubt/); assert.equal(flat(C.question(data())), 'What do vote and trip share, where do they part?');
  const long = data({names: Object.fromEntries(['c1', 'c2', 'c3'].map(k => [k, 'x'.repeat(300)]))}); assert.ok(flat(C.answer(long)).length < 125);
});
test('the reading line', () => {
  const d = data(), rows = C.compare(d), say = m => flat(C.reading(d, m));
  assert.equal(say({what: 'bar', row: rows[0], side: 0}), 'income → vote: 30 % of the task’s effect (95 %: 26–34); 20 % of trip.'); assert.match(say({what: 'bar', row: rows[3], side: 0}), /no evidence that it differs from 0\.$/); assert.equal(say({what: 'bar', row: rows[1], side: 1}), 'c2 left–right → trip: no effect.');
  assert.match(say({what: 'bar', row: rows[1], side: 0}), /; nothing of trip\.$/); assert.equal(say({what: 'name', row: rows[0]}), 'income: 30 % of vote, 20 % of trip; 20 % in both. Enter opens its variables.');
  assert.match(say({what: 'sum', part: 'both'}), /^Both: 20 % of each/); assert.match(say({what: 'sum', part: 'alone', side: 1}), /^trip alone: 80 % of its effect, 30 % of it in no concept\.$/); assert.match(say({what: 'rest', n: 2, share: [.1, .2]}), /^Two other concepts, summed: 10 % of vote, 20 % of trip\.$/);
  const {list, count} = C.through(d, 0, 0); assert.deepEqual([list.map(x => x.v), count], [[0, 1], 3]); assert.equal(say({what: 'variable', c: 0, side: 0, x: list[0]}), 'age (vote): 20 % of the task’s effect through income, divided by attention; raises the score.'); assert.match(say({what: 'variable', c: 0, side: 0, x: {...list[1], se: .09}}), /\(95 %: 0–28\), no evidence that it differs from 0; lowers the score\.$/);
  assert.match(say({what: 'more', c: 0, side: 0, n: 1, share: .03}), /one other variable, 3 % of the task’s effect together\.$/);
});
test('the foot says what is hidden, what alone holds, and that attention is not effect', () => {
  const line = (d, more) => C.foot(d, C.arrange(d), more).map(flat); assert.equal(line(data())[0], 'Shown: 4 of 5 concepts, in % of each task’s effect. Hidden: 1 that neither task uses. “Alone” includes what no concept holds: 24 % and 30 %.');
  assert.match(line(data(), {signs: true, hatched: true})[1], /divided by attention, which is not effect\. \+ raises, − lowers/); assert.match(line(data({width: 'attention'}))[0], /attention, which is not its effect\.$/); assert.match(line(data({explainer: 'lime'})).at(-1), /lime did not play with concepts/);
});
test('names are found, tasks too, and the table holds every concept and open variables', () => {
  assert.deepEqual(C.matches(data(), 'c').map(x => x.id), ['c1', 'c2', 'c3', 'c4', 'c5', 'v2', 'v3']); assert.equal(C.matches(data(), 'third')[0].kind, 'task'); assert.deepEqual(C.matches(data({tasks: ['vote', 'third']}), 'cost'), []);
  const t = C.tableOf(data({concepts: ['c1']})); assert.equal(t.rows.length, 1 + 4 + 3 + 1); assert.ok(t.rows.every(r => r.length === t.head.length)); assert.deepEqual(t.rows[0].slice(4), ['20', '']); assert.equal(t.rows.at(-1)[0], 'no concept'); assert.ok(t.rows.some(r => r[1] === '+ age') && t.rows.some(r => /n\.e\./.test(r[2])));
});
test('geometry leaves room for numbers on both sides', () => {
  for (const w of [340, 400, 560, 800, 1200]) for (const names of [20, 900]) { const g = C.geometry(w, 1, names); assert.ok(g.long > 60 && Math.abs(g.xa - g.pad - g.room) < 1e-9 && Math.abs(g.xb + g.room + g.pad - w) < 1e-9 && g.value >= 50, `${w} ${names}`); }
});
test('arrows move to the nearest mark', () => {
  const m = x => ({box: {x, w: 10, y: 0, h: 1}}), rows = [[m(0), m(50), m(100)], [m(100)], [m(0), m(100)]], go = (k, at) => C.step(k, at, rows);
  assert.deepEqual(go('ArrowDown', {r: 0, c: 0}), {r: 1, c: 0}); assert.deepEqual(go('ArrowDown', {r: 1, c: 0}), {r: 2, c: 1}); assert.deepEqual(go('ArrowRight', {r: 0, c: 2}), {r: 0, c: 2}); assert.deepEqual(go('End', {r: 0, c: 0}), {r: 0, c: 2}); assert.deepEqual(go('PageDown', {r: 0, c: 2}), {r: 2, c: 1}); assert.equal(go('x', {r: 0, c: 0}), null); assert.equal(C.step('ArrowUp', {r: 0, c: 0}, []), null);
});
