import {test} from 'node:test';
import assert from 'node:assert/strict';
import * as X from '../../mtl_explain/static/explorer.js';
import {plain} from '../../mtl_explain/static/_words.js';
import {StaticModel} from '../../mtl_explain/static/_shim.js';

const f32 = (shape, values) => ({shape, dtype: 'float32', data: new DataView(new Float32Array(values).buffer)}), u16 = (shape, values) => ({shape, dtype: 'uint16', data: new DataView(new Uint16Array(values).buffer)});
// two views that share the list of concepts (0) and the numbers ('0')
const info = {pool: [['c1', 'c2'], ['a', 'b'], {c2: 'riches'}, ['v1'], ['age of it'], ['', 'riches']], views: {
  map: {info: {concepts: 0, columns: 1, suggested: 5}, arrays: {share: '0'}, state: {shade: 'importance', mass: .9}}, flow: {info: {concepts: 0, tasks: 1, suggested: 2, variables: 3, labels: 4}, arrays: {held: '0', of: '1'}, state: {mass: .9, width: 'importance'}}}};
const arrays = {0: f32([2, 2], [1, 2, 3, 4]), 1: u16([1], [0])};
const page = (more = {}) => new StaticModel({_info: info, _arrays: arrays, concepts: [], tasks: [], names: {}, ...more});
const wait = () => new Promise(done => setTimeout(done));

test('every piece is sent once and put together for each view', () => {
  const {info: i, arrays: a} = X.assemble(info, arrays, 'flow'); assert.deepEqual(i, {concepts: ['c1', 'c2'], tasks: ['a', 'b'], suggested: {c2: 'riches'}, variables: ['v1'], labels: ['age of it']});
  assert.equal(a.held, X.assemble(info, arrays, 'map').arrays.share); assert.deepEqual(Object.keys(a), ['held', 'of']);
});
test('views are linked by equal names: what is shared is the page’s, the rest a view’s own', () => {
  const m = page(), map = new X.Part(m, 'map'), flow = new X.Part(m, 'flow'); let drawn = 0, other = 0; flow.on('change:concepts', () => drawn++); flow.on('change:mass', () => other++);
  map.set('concepts', ['c2']); assert.deepEqual(flow.get('concepts'), ['c2']); assert.equal(drawn, 1);
  map.set('mass', .5); assert.deepEqual([map.get('mass'), flow.get('mass'), other], [.5, .9, 0]); flow.set('mass', .7); assert.equal(other, 1);
  map.set('explainer', 'nobody has it'); assert.equal(flow.get('explainer'), 'nobody has it'); assert.equal(map.isStatic, true); // a view that cannot show a value leaves it
});
test('a view gets the same objects again as long as nothing was sent', () => {
  const m = page(), map = new X.Part(m, 'map'), a = map.get('_arrays'), i = map.get('_info'); map.set('tasks', ['a']); assert.equal(map.get('_arrays'), a); assert.equal(map.get('_info'), i);
  m.set('_arrays', {...arrays}); assert.notEqual(map.get('_arrays'), a);
});
test('several changes reach a view once, and none after it let go', async () => {
  const m = page(), runs = [], flow = new X.Part(m, 'flow', null, f => runs.push(f)); let drawn = 0; const draw = () => drawn++;
  flow.on('change:concepts change:tasks', draw); m.set('concepts', ['c1']); m.set('tasks', ['a']); assert.equal(runs.length, 1); runs[0](); assert.equal(drawn, 1);
  m.set('tasks', []); flow.off('change:concepts change:tasks', draw); runs[1](); assert.equal(drawn, 1); m.set('concepts', []); await wait(); assert.equal(runs.length, 2);
  assert.deepEqual([...m._listeners.values()].flat(), []);
});
test('pins stand in the order in which they were pinned', () => {
  const state = {concepts: ['c1'], tasks: []}, get = k => state[k]; let pins = X.pinsOf(get); state.tasks = ['b']; pins = X.pinsOf(get, pins); state.concepts = ['c2', 'c1']; pins = X.pinsOf(get, pins);
  assert.deepEqual(pins.map(p => p.id), ['c1', 'b', 'c2']); state.concepts = ['c2']; assert.deepEqual(X.pinsOf(get, pins).map(p => p.id), ['b', 'c2']);
});
test('pins have names', () => {
  const a = X.about(info); assert.deepEqual(a.tasks, ['a', 'b']); assert.deepEqual(a.concepts, ['c1', 'c2']);
  assert.deepEqual(X.naming({trait: 'concepts', id: 'c2'}, a), {i: 'c2 riches'}); assert.deepEqual(X.naming({trait: 'concepts', id: 'c2'}, a, {c2: 'money'}), {n: 'money'}); assert.deepEqual(X.naming({trait: 'concepts', id: 'c1'}, a), {n: 'c1'});
  assert.deepEqual(X.naming({trait: 'variables', id: 'v1'}, a), {n: 'age of it'}); assert.deepEqual(X.naming({trait: 'variables', id: 'gone'}, a), {n: 'gone'}); assert.deepEqual(X.naming({trait: 'samples', id: '<b>12\n'}, a), {n: '<b>12'});
  const only = X.about({pool: [['c1'], ['x'], ['']], views: {map: {info: {concepts: 0, columns: 1, suggested: 2}, arrays: {}}}}); assert.deepEqual(only.suggested, {c1: ''}); assert.deepEqual(X.about({pool: [[{name: 'z'}]], views: {person: {info: {tasks: 0}, arrays: {}}}}).tasks, ['z']);
});
test('the question counts the tasks', () => { assert.equal(X.question(6), 'What did these six tasks learn to share?'); assert.equal(X.question(121), 'What did these 121 tasks learn to share?'); assert.equal(X.question(1), 'What did this task learn?'); });
test('what is found is pinned: tasks, rows and targets gather, of the others the last stays', () => {
  const get = k => ({tasks: ['a', 'b'], concepts: ['c1']})[k]; assert.deepEqual(X.pinned(get, {trait: 'tasks', id: 'a'}), ['b', 'a']); assert.deepEqual(X.pinned(get, {trait: 'concepts', id: 'c2'}), ['c2']); assert.deepEqual(X.pinned(get, {trait: 'samples', id: '7'}), ['7']);
});
test('find looks in all views and finds each thing once', () => {
  const pool = [...info.pool, [{measure: 'attention', explainer: '', n: 1, count: 1, total: 1, source: ''}]], views = {flow: {...info.views.flow, info: {...info.views.flow.info, sets: 6}, arrays: {of: '1', v: '1', c: '1', flow: '2', se: '2', held: '0', held_se: '0', none: '2', variable_routes: '1', variable_flow: '2', routes: '3', specificity: '2'}}};
  const m = new StaticModel({_info: {pool, views}, _arrays: {...arrays, 2: f32([1], [1]), 3: u16([4], [1, 0, 0, 0])}, names: {c1: 'riches too'}}), parts = {flow: new X.Part(m, 'flow')};
  assert.deepEqual(X.matches(parts, 'RICHES').map(x => `${x.trait} ${x.id}`), ['concepts c1', 'concepts c2']); assert.deepEqual(X.matches(parts, 'age').map(x => plain(x.parts)), ['age of it (a)']); assert.deepEqual(X.matches(parts, ' '), []);
});
