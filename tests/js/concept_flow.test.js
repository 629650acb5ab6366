import {test} from 'node:test';
import assert from 'node:assert/strict';
import * as F from '../../mtl_explain/static/concept_flow.js';
import {plain} from '../../mtl_explain/static/_words.js';

const wrap = (Type, dtype) => values => ({shape: [values.length], dtype, data: new DataView(new Type(values).buffer)}), f32 = wrap(Float32Array, 'float32'), u16 = wrap(Uint16Array, 'uint16');
const n = NaN;
// two tasks: vote reads age and income, trip reads cost; three concepts, the third serves nobody. First measured by edges, then attention
function data({info = {}, arrays = {}, ...traits} = {}) {
  const _info = {variables: ['v1', 'v2', 'v3'], labels: ['age', 'income', 'cost'], tasks: ['vote', 'trip'], concepts: ['c1', 'c2', 'c3'], suggested: {c2: 'money'}, evidence: {p: .004, permutations: 999},
    sets: [{measure: 'edge', explainer: 'shapley', n: 4, count: 5, total: 1.5, source: 'shapley on edges'}, {measure: 'attention', explainer: '', n: 2, count: 2, total: 2, source: 'weights'}], ...info};
  const _arrays = {of: u16([0, 0, 1]), specificity: f32([.1, .9, n]), v: u16([2, 0, 1, 0, 0, 2]), c: u16([1, 0, 0, 1, 0, 1]), flow: f32([.6, .5, .2, .1, 1, 1]), se: f32([.05, .05, .02, .09, n, n]),
    held: f32([.7, .1, 0, .1, .6, 0, 1, 0, 0, 0, 1, 0]), held_se: f32([n, n, n, n, n, n, n, n, n, n, n, n]), none: f32([.2, .3, n, n]), variable_routes: u16([2, 1, 2, 1, 0, 1]), variable_flow: f32([.6, .2, .7, 1, 0, 1]), routes: u16([2, 1, 0, 1, 1, 0, 1, 0, 0, 0, 1, 0]), ...arrays};
  const all = {_info, _arrays, concepts: [], tasks: [], variables: [], explainer: 'shapley', width: 'importance', mass: 1, names: {c1: 'years'}, ...traits};
  return F.read(k => all[k]);
}
const flat = parts => plain(parts).replaceAll('\u202f', ' ').replaceAll('\u00a0', ' '), room = F.ROOM, ids = ch => ch.routes.map(g => g.r);

test('what was sent is read back: the measure that was asked for, and its part of the routes', () => {
  const d = data(); assert.deepEqual([d.V, d.K, d.T, d.set.measure, d.set.from, d.set.to, d.missing], [3, 3, 2, 'edge', 0, 4, '']);
  const a = data({width: 'attention'}); assert.deepEqual([a.set.measure, a.set.from, a.set.to], ['attention', 4, 6]); assert.equal(F.held(a, 0, 0).share, 1);
  const other = data({explainer: 'lime'}); assert.equal(other.missing, 'lime'); assert.match(flat(F.foot(other, F.choose(other))[1]), /Lime did not play with concepts: shapley is shown/);
  assert.equal(data({info: {instead: {}}}).set, undefined);
});
test('mass: the widest routes until they carry it, and the rest is counted', () => {
  assert.deepEqual(ids(F.choose(data())), [0, 1, 2, 3]); assert.deepEqual(ids(F.choose(data({mass: .7}))), [0, 1]); assert.deepEqual(ids(F.choose(data({mass: .05}))), [0]);
  const ch = F.choose(data({mass: .7})); assert.ok(Math.abs(ch.sum - 1.1) < 1e-6 && ch.count === 5 && !ch.full); assert.match(flat(F.foot(data({mass: .7}), ch)[0]), /^Showing 2 of 5 routes, 73 % of the flow\. The other 3 are one hatched strip\.$/);
  const exact = F.choose(data({mass: .4})); assert.deepEqual(ids(exact), [0]);
});
test('a full picture stops, and says what would fit', () => {
  const ch = F.choose(data(), {routes: 2, variables: 9}); assert.deepEqual(ids(ch), [0, 1]); assert.ok(ch.full && Math.abs(ch.fits - 1.1/1.5) < 1e-4); assert.match(flat(F.foot(data(), ch)[0]), /more would not fit/);
  assert.deepEqual(ids(F.choose(data(), {routes: 9, variables: 1})), [0]); assert.equal(F.choose(data({mass: .3}), {routes: 2, variables: 9}).full, false);
});
test('pins: any of a kind, and all kinds together', () => {
  const lit = d => [...F.choose(d).lit].sort(); assert.deepEqual(lit(data({concepts: ['c1']})), [1, 2]); assert.deepEqual(lit(data({concepts: ['c1', 'c2']})), [0, 1, 2, 3]); assert.deepEqual(lit(data({concepts: ['c2'], tasks: ['vote']})), [3]);
  assert.deepEqual(lit(data({variables: ['v3'], tasks: ['vote']})), []); assert.deepEqual(lit(data({variables: ['v1', 'gone']})), [1, 3]); assert.equal(F.choose(data()).lit, null); assert.equal(data({concepts: ['gone']}).any, false);
  const small = F.choose(data({variables: ['v1'], mass: .05})); assert.deepEqual(ids(small), [0, 1]); // what is pinned is there, however thin
  assert.match(flat(F.foot(data({variables: ['v1'], mass: .9}), F.choose(data({variables: ['v1'], mass: .9})))[0]), /Two of the 4 are pinned\.$/);
});
test('what passes through the pins is counted in full, also where it was not sent', () => {
  const of = t => { const w = F.whole(data(t)); return [w.count, Math.round(w.total*100)/100]; };
  assert.deepEqual(of({}), [5, 1.5]); assert.deepEqual(of({variables: ['v3']}), [2, .7]); assert.deepEqual(of({concepts: ['c1']}), [3, .8]); assert.deepEqual(of({tasks: ['trip']}), [2, .7]); assert.deepEqual(of({concepts: ['c2'], tasks: ['trip']}), [1, .6]);
  assert.deepEqual(of({variables: ['v1'], concepts: ['c1']}), [1, .5]); assert.deepEqual(of({variables: ['v1'], tasks: ['trip']}), [0, 0]); assert.ok(Math.abs(F.whole(data({concepts: ['c1']}), 0).total - .7) < 1e-6);
});
test('where not all fits, a pin is the picture', () => {
  const d = data({variables: ['v1']}), ch = F.choose(d, {routes: 2, variables: 1}); assert.ok(ch.focus); assert.deepEqual(ids(ch), [1, 3]); assert.deepEqual([ch.count, Math.round(ch.total*10)/10], [2, .6]);
  assert.match(flat(F.foot(d, ch)[0]), /^Showing all 2 routes through what is pinned\.$/);
  const none = data({variables: ['v3'], tasks: ['vote']}); assert.equal(F.choose(none, {routes: 2, variables: 1}).focus, false); assert.equal(flat(F.answer(none, F.choose(none))), 'No route passes through all that is pinned.');
});
test('answers', () => {
  const say = t => { const d = data(t); return flat(F.answer(d, F.choose(d))); };
  assert.equal(say({mass: .7}), 'The 2 widest of 5 routes carry 73 % of the flow; the widest is cost → c2 money → trip (60 % of its effect).');
  assert.equal(say({concepts: ['c1']}), 'Years reaches all two tasks. It weighs most in vote (70 %), least in trip (10 %).');
  assert.equal(say({variables: ['v1']}), 'Age reaches vote through two concepts, most through years: 50 % of its effect.'); assert.equal(say({tasks: ['vote']}), 'Vote is reached through two concepts, most through years (70 %). The widest route starts at age.');
  assert.equal(say({variables: ['v1'], concepts: ['c1']}), 'One route passes through what is pinned; the widest is age → years → vote: 50 % of its effect.');
  assert.match(flat(F.answer(data({info: {evidence: {p: .41}}}), F.choose(data()))), /No evidence of structure beyond chance \(p = \.41\)\.$/); assert.match(say({width: 'attention', concepts: ['c1']}), /reaches one task.*100 % of its attention/);
  assert.equal(say({concepts: ['c3']}), 'No route passes through all that is pinned.');
});
test('the reading line', () => {
  const d = data(), say = (m, x = d) => flat(F.reading(x, m)), g = r => ({kind: 'route', g: F.routeOf(d, r)});
  assert.equal(say(g(0)), 'cost → c2 money → trip: 60 % of the task’s effect (95 %: 50–70).'); assert.match(say(g(3)), /10 % .*\(95 %: 0–28\), no evidence that it differs from 0\.$/);
  assert.equal(say({kind: 'link', c: 0, t: 0}), 'years → vote: 70 % of the task’s effect, from two variables.'); assert.equal(say({kind: 'variable', i: 0}), 'age (vote): 60 % of the task’s effect, through years 50 % and c2 money 10 %.');
  assert.equal(say({kind: 'concept', i: 1}), 'c2 money: reaches two tasks: trip 60 % and vote 10 %.'); assert.equal(say({kind: 'concept', i: 2}), 'c3: reaches no task.'); assert.match(say({kind: 'task', i: 0}), /80 % of its effect runs through concepts: years 70 % and c2 money 10 %\. 20 % stays although every concept is off\.$/);
  assert.match(say({kind: 'rest', count: 3, mass: .27}), /^Three smaller routes: 27 % of the flow/); const a = data({width: 'attention'}); assert.match(say({kind: 'route', g: F.routeOf(a, 4)}, a), /100 % of the task’s attention, which is not its effect\.$/);
});
test('the foot names the measure, and says that attention is not effect where it is used', () => {
  const lines = d => F.foot(d, F.choose(d)).map(flat); assert.match(lines(data())[1], /measured for this variable and concept/); assert.match(lines(data({width: 'attention'}))[1], /Attention is not effect/);
  const d = data({info: {sets: [{measure: 'concept', explainer: 'shapley', n: 4, count: 4, total: 1.4, source: ''}]}}); assert.match(lines(d)[1], /divided among variables by their attention to it: attention is not effect/); assert.match(lines(data())[2], /^Structure beyond chance: p = \.004/);
  assert.match(flat(F.foot(data(), F.choose(data()), {hatched: true, narrow: true, cutStrip: true})[0]), /drawn shorter than its size.*Hatched ribbons.*Hidden for width/);
});
test('names are found, exact ones first, and the table has every drawn route', () => {
  const d = data(); assert.deepEqual(F.matches(d, 'e').map(x => x.id), ['v1', 'v2', 'c1', 'c2', 'vote']); assert.equal(F.matches(d, 'vote')[0].id, 'vote'); assert.deepEqual(F.matches(d, ' '), []); assert.equal(F.matches(d, 'MONEY')[0].id, 'c2'); assert.equal(F.matches(data({info: {labels: ['wage', 'age', 'cost']}}), 'age')[0].id, 'v2');
  const t = F.tableOf(d, F.choose(d)); assert.equal(t.rows.length, 5); assert.deepEqual(t.rows[0].slice(0, 4), ['cost', 'c2 money', 'trip', '60']); assert.match(t.rows[3][4], /n\.e\./); assert.match(t.rows[4][0], /1 smaller route/); assert.ok(t.rows.every(r => r.length === t.head.length));
});
test('places: ribbons fill their nodes, nodes do not overlap', () => {
  for (const traits of [{}, {concepts: ['c1']}, {mass: .3}, {width: 'attention'}]) {
    const d = data(traits), ch = F.choose(d), l = F.layout(d, ch, 1);
    for (const ns of [l.vars, l.concepts, l.tasks]) for (let i = 1; i < ns.length; i++) assert.ok(ns[i].top >= ns[i - 1].top + ns[i - 1].room - 1e-6, 'overlap');
    for (const x of l.left) { const a = l.V.get(x.g.v), b = l.C.get(x.g.c); assert.ok(x.from >= a.y - 1e-6 && x.from + x.h <= a.y + a.h + 1e-6 && x.to >= b.y - 1e-6 && x.to + x.h <= b.y + b.h + 1e-6); }
    for (const x of l.right) { const b = l.T.get(x.t); assert.ok(x.to >= b.y - 1e-6 && x.to + x.h <= b.y + b.h + 1e-6 && x.lit <= x.h + 1e-9); }
    for (const [ends, key] of [['from', x => 'v' + x.g.v], ['to', x => 'c' + x.g.c]]) { const at = {}; for (const x of l.left) (at[key(x)] ??= []).push([x[ends], x.h]); for (const rs of Object.values(at)) { rs.sort((p, q) => p[0] - q[0]); for (let i = 1; i < rs.length; i++) assert.ok(rs[i][0] >= rs[i - 1][0] + rs[i - 1][1] - 1e-6, 'ribbons lie on each other'); } }
    assert.ok([...l.vars, ...l.concepts, ...l.tasks].every(x => x.room >= 24), 'a name needs its line');
    assert.ok(l.height > 0 && l.concepts.every(c => c.y + c.h <= l.height + 1)); assert.ok(Math.abs(l.tasks.reduce((s, t) => s + t.flow, 0) - ch.sum) < 1e-6);
  }
  const none = F.layout(data(), {routes: [], sum: 0, lit: null}, 1); assert.deepEqual([none.vars.length, none.left.length], [0, 0]); assert.ok(!/NaN/.test(F.ribbon(0, 1, 2, 3, 4)));
  for (const w of [560, 820, 1100]) { const g = F.geometry(w, 1, {table: 300, variable: 400, concept: 300, task: 400}); assert.ok(g.x1 < g.x2 && g.x2 + g.bar + g.concept < g.x3 && g.x3 + g.bar + 8 + g.task <= w, String(w)); }
});
test('arrows go up and down a column, and along the widest ribbon', () => {
  const a = {}, r = {before: a}, c = {before: r}; a.after = r; r.after = c; const cols = [[{}, a], [r], [c]], go = (k, at) => F.step(k, at, cols);
  assert.deepEqual(go('ArrowRight', {r: 0, c: 1}), {r: 1, c: 0}); assert.deepEqual(go('ArrowLeft', {r: 1, c: 0}), {r: 0, c: 1}); assert.deepEqual(go('ArrowUp', {r: 0, c: 1}), {r: 0, c: 0}); assert.deepEqual(go('ArrowRight', {r: 2, c: 0}), {r: 2, c: 0});
  assert.deepEqual(go('End', {r: 0, c: 0}), {r: 0, c: 1}); assert.deepEqual(go('PageDown', {r: 0, c: 1}), {r: 2, c: 0}); assert.equal(go('x', {r: 0, c: 0}), null);
});
