import {test} from 'node:test';
import assert from 'node:assert/strict';
import * as F from '../../mtl_explain/static/_forward.js';

const near = (a, b, by = 1e-12) => assert.ok(Math.abs(a - b) <= by, `${a} is not ${b}`), all = (a, b, by) => { assert.equal(a.length, b.length); [...a].forEach((x, i) => near(x, b[i], by)); };
const f32 = (...v) => Float32Array.from(v);

test('the error function, on both sides of where its two formulas meet', () => {
  for (const [x, y] of [[0, 0], [.1, .1124629160182849], [.5, .5204998778130465], [1, .8427007929497149], [2, .9953222650189527], [2.5, .999593047982555], [3, .9999779095030014], [4, .9999999845827421], [7, 1]]) { near(F.erf(x), y, 3e-16); near(F.erf(-x), -y, 3e-16); }
  assert.ok(F.erf(2.4999999999) <= F.erf(2.5000000001) && Number.isNaN(F.erf(NaN)) && F.erf(Infinity) === 1);
});
test('activations', () => {
  near(F.ACTIVATIONS.gelu(1), .8413447460685429); near(F.ACTIVATIONS.gelu(-3), -.00404969409489031); near(F.ACTIVATIONS.silu(1), .7310585786300049); assert.equal(F.ACTIVATIONS.relu(-2), 0); near(F.ACTIVATIONS.tanh(.5), Math.tanh(.5));
});
test('a layer is W x + b, with W in row order', () => all(F.linear([1, 2, 3, 4, 5, 6], [10, 20], [1, 0, -1]), [8, 18]));
test('a concept that is off leaves nothing, or the mean of its table', () => {
  const a = f32(.5, .5, .25, .75), v = f32(1, 0, 0, 2); // two inputs, two concepts, embeddings of two numbers
  assert.deepEqual(F.mixture(a, v, [true, true]).map(z => [...z]), [[.5, 1], [.25, 1.5]]); assert.deepEqual(F.mixture(a, v, [true, false]).map(z => [...z]), [[.5, 0], [.25, 0]]);
  assert.deepEqual(F.mixture(a, v, [true, false], 'average').map(z => [...z]), [[.5, 1.25], [.25, 1.25]]); assert.deepEqual(F.mixture(a, v, [false, false]).map(z => [...z]), [[0, 0], [0, 0]]);
});
test('scores become answers: numbers in their unit, classes as probabilities, an order as its expected place', () => {
  all(F.answers({kind: 'number', mean: 100, std: 20}, [.5]), [110]);
  all(F.answers({kind: 'binary', slope: [-1, 1], threshold: [0, 0], sharpness: .5}, [2]), [1/(1 + Math.exp(-2))]);
  all(F.answers({kind: 'nominal', slope: [1, 1, 1], threshold: [0, 0, Math.log(2)], sharpness: 1}, [1, 1, 1]), [.25, .25, .5]);
  all(F.answers({kind: 'ordered', slope: [-1, 0, 1], threshold: [0, 0, 0], sharpness: 1}, [0]), [1]); near(F.answers({kind: 'ordered', slope: [-1, 0, 1], threshold: [0, 0, 0], sharpness: 1}, [900])[0], 2);
});
const own = {stored: [40, 1, null], features: [{name: 'age', levels: [], missing: false}, {name: 'job', levels: ['clerk', 'none'], missing: true}, {name: 'income', levels: [], missing: true}], links: []};
test('values become codes, and codes variables', () => {
  assert.deepEqual(own.features.map((f, i) => F.code(f, [41, 'clerk', null][i])), [41, 0, NaN]);
  const inputs = [{feature: 0, kind: 'number', level: -1, mean: 40, std: 2, scale: 1}, {feature: 1, kind: 'nominal', level: 0, mean: 0, std: 1, scale: 1}, {feature: 1, kind: 'nominal', level: 1, mean: 0, std: 1, scale: 0}, {feature: 1, kind: 'missing', level: -1, mean: 0, std: 1, scale: 1}, {feature: 2, kind: 'number', level: -1, mean: 5, std: 1, scale: 1}, {feature: 2, kind: 'missing', level: -1, mean: 0, std: 1, scale: 1}];
  assert.deepEqual([...F.variables(inputs, [44, 0, NaN])], [2, 1, 0, 0, 0, 1]); assert.deepEqual([...F.variables(inputs, [40, NaN, 6])], [0, 0, 0, 1, 1, 0]); assert.equal(F.variables(inputs, [40, 1, 6])[2], 0, 'an untrained level stays off');
});
test('an edit travels where it can arrive', () => {
  const other = {stored: [70, 0, 3], features: [{missing: false}, {missing: false}, {missing: true}], links: [[0, 0, null], [1, 1, [null, 2]], [2, 2, null]]};
  assert.deepEqual(F.travelled(own, own, {0: 44}), [44, 1, NaN]); assert.deepEqual(F.travelled(other, own, {}), [70, 0, 3]); assert.deepEqual(F.travelled(other, own, {0: 44}), [44, 0, 3]);
  assert.deepEqual(F.travelled(other, own, {1: 0}), [70, 0, 3], 'a level that the other table does not have'); assert.deepEqual(F.travelled(other, own, {1: 1}), [70, 2, 3]);
  assert.deepEqual(F.travelled(other, own, {0: NaN, 2: NaN}), [70, 0, NaN], 'a gap travels only where there may be one');
});
test('what lies beyond the training rows of tied tables is said', () => {
  const features = [{name: 'years', kind: 'whole', levels: [], missing: false, unit: 'years', gaps: false, seen: [], low: 19, high: 78}, {name: 'place', kind: 'choice', levels: ['town', 'moon'], missing: true, unit: '', gaps: false, seen: [0]}], say = changed => F.beyond({tables: [own, {task: 'trips', sample: 98, features, links: [[0, 0, null], [1, 1, [null, 1]]]}]}, changed).map(x => x.text);
  assert.deepEqual(say({}), []); assert.deepEqual(say({0: 70, 2: 5}), []); assert.deepEqual(F.beyond({tables: [own]}, {0: 900}), []);
  assert.deepEqual(say({0: 150}), ["150 is outside the training range of 'years' in 'trips', 19 to 78 years."]); assert.deepEqual(say({0: 20.5}), ["20.5 is between the whole numbers that 'years' in 'trips' has in training rows."]);
  assert.deepEqual(say({0: NaN, 1: 0}), ["'years' in 'trips' cannot be missing: sample 98 stays as stored.", "'place' in 'trips' cannot be clerk: sample 98 stays as stored."]); assert.deepEqual(say({1: 1}), ["No training row has 'place' in 'trips' = moon."]); assert.deepEqual(say({1: NaN}), ["No training row has 'place' in 'trips' missing."]);
  assert.deepEqual([19, .25, 20190.4, -7.123456, 1234, 2.5e-7, 1e15, -0, 12345678].map(F.numberText), ['19', '0.25', '20,190', '-7.123', '1234', '2.5e-07', '1e+15', '0', '12,345,678']);
});
/** A model of one number, width 1 everywhere: relu(scale*x*w + shift), summed, read */
function small() {
  const film = {'encoder.film.weight': f32(1, 0), 'encoder.film.bias': f32(0, .25), 'encoder.gate': f32(), 'core.gate': f32(), 'decoder.gate': f32(), 'decoder.film.weight': f32(), 'decoder.film.bias': f32(), 'readout.gate': f32(), 'readout.film.weight': f32(1, 0), 'readout.film.bias': f32(0, 0)};
  const arrays = {...film, 'encoder.first.weight': f32(2), 'encoder.first.bias': f32(1), 'readout.first.weight': f32(3), 'readout.first.bias': f32(.5), '0/output': f32(1), '0/attention': f32(1, 0, .5, .5), values: f32(1, 2)};
  const inputs = [0, 1].map(feature => ({feature, kind: 'number', level: -1, mean: 0, std: 1, scale: 1}));
  return {header: {activation: 'relu', concepts: ['c1', 'c2'], tables: [{stored: [1, -1], features: [{name: 'a', levels: [], missing: false}, {name: 'b', levels: [], missing: false}], inputs, links: [], outcomes: [{kind: 'number', scores: 1, mean: 0, std: 10}]}]}, arrays};
}
test('a model that can be worked out by hand', () => {
  const m = F.forward(small()); // z = 1, 1.5; encoding relu(z(2x + 1) + .25): 3.25 and 0; answer 10(3·3.25 + .5)
  all(m.ask(), [102.5]); all(m.ask({b: 1}), [10*(3*(3.25 + 4.75) + .5)]); all(m.ask({b: 1}, ['c2']), [10*(3*(3.25 + 1.75) + .5)]); all(m.ask({}, ['c1']), [12.5]); all(m.ask({a: 1}), [102.5]); all(m.ask(), [102.5]);
  all(m.ask({b: 1}, ['c1'], 'average'), [10*(3*(3*.75 + .25 + 3*1.75 + .25) + .5)]);
});
test('parts of a change add up to it, and nobody else’s change is in a part', () => {
  const ask = (e, off) => [(e.a ?? 0) + 2*(e.a ?? 0)*(e.b ?? 0) + (off.includes('c') ? 5 : 0), 7], s = F.shares(ask, {a: 1, b: 3}, ['c']);
  assert.deepEqual(s.map(p => [p.feature ?? p.concept, ...p.change].map(x => typeof x === 'number' ? Math.round(x*1e9)/1e9 : x)), [['a', 4, 0], ['b', 3, 0], ['c', 5, 0]]);
  const three = F.shares(e => [e.a && e.b && e.c ? 6 : 0], {a: 1, b: 1, c: 1}, []); all(three.map(p => p.change[0]), [2, 2, 2]); // what needs all three is shared by all three
  assert.deepEqual(F.shares(ask, {}, []), []); assert.equal(F.shares(ask, Object.fromEntries('abcdefgh'.split('').map(k => [k, 1])), []), null);
});
