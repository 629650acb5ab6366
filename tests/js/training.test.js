import {test} from 'node:test';
import assert from 'node:assert/strict';
import * as M from '../../mtl_explain/static/training.js';
import {plain} from '../../mtl_explain/static/_words.js';

const f32 = (shape, values) => ({shape, dtype: 'float32', data: new DataView(new Float32Array(values).buffer)}), i32 = values => ({shape: [values.length], dtype: 'int32', data: new DataView(new Int32Array(values).buffer)}), u8 = (shape, values) => ({shape, dtype: 'uint8', data: new DataView(new Uint8Array(values).buffer)});
const n = NaN, words = parts => plain(parts).replaceAll('\u202f', ' ').replaceAll('\u00a0', ' ');
// three tasks, four evaluations: a learns, b is worse than a guess, c has no validation rows
const VALID = [[1, 1.1, n], [.6, 1.05, n], [.4, 1.04, n], [.42, 1.2, n]], TRAIN = [[.9, 1, .8], [.5, .7, .6], [.3, .5, .5], [.2, .3, .4]];
function packed(from = 0, to = 4, T = 3) { const cut = a => a.slice(from, to).flatMap(r => r.slice(0, T)), k = to - from; return {step: i32([25, 50, 75, 100].slice(from, to)), train: f32([k, T], cut(TRAIN)), valid: f32([k, T], cut(VALID)), lr: f32([k], [.002, .005, .003, .001].slice(from, to)), entropy: f32([k], [.99, .9, .7, .6].slice(from, to)), dead: i32([0, 0, 1, 1].slice(from, to))}; }
const NOW = {status: 'done', best_step: 75, seconds: 8, steps: 100, evaluate: 25, patience: 0, concepts: 12, evaluations: 4};
const MATRIX = {conflict: f32([3, 3], [1, -.2, .04, -.2, 1, -.3, .04, -.3, 1]), evidence: u8([3, 3], [1, 1, 0, 1, 1, 1, 0, 1, 1]), null_low: f32([3, 3], Array(9).fill(-.1)), null_high: f32([3, 3], Array(9).fill(.1))};
function history({now = {}, info = {}, arrays = packed(), more = {}} = {}) { return M.open({tasks: ['a', 'b', 'c'], uniform: .98, ...info, now: {...NOW, ...now}}, {...arrays, ...more}); }
const view = (h, traits = {}) => M.read(h, k => ({tasks: [], panels: 12, ...traits})[k]);
const data = (o, traits) => view(history(o), traits), withMatrix = (info = {}) => ({more: MATRIX, info: {tested: true, nullWords: 'rows permuted', ...info}});

test('pieces make the whole, and a piece that does not follow is left out', () => {
  let h = history({arrays: packed(0, 1), now: {status: 'running'}}); h = M.grow(h, {after: 25, now: {...NOW, status: 'running'}, arrays: packed(1, 3)}); assert.deepEqual(h.rows.map(r => r.step), [25, 50, 75]);
  assert.equal(M.grow(h, {after: 50, now: NOW, arrays: packed(2, 4)}), h); assert.equal(M.grow(h, {}), h); assert.equal(M.grow(h, undefined), h);
  const all = M.grow(h, {after: 75, now: NOW, arrays: packed(3, 4)}); assert.deepEqual(all.rows.map(r => [...r.valid]), history().rows.map(r => [...r.valid])); assert.equal(all.now.status, 'done');
  assert.deepEqual(M.grow(all, {after: 100, now: {...NOW, status: 'interrupted'}, arrays: packed(4, 4)}).now.status, 'interrupted');
});
test('worst first, by the best step; while it runs the order changes as the run doubles', () => {
  assert.deepEqual(data().ranked, [1, 0, 2]); assert.equal(data().best, 2);
  assert.equal(data({arrays: packed(0, 3), now: {status: 'running'}}).by, 1); assert.equal(data({now: {status: 'running'}}).by, 3); assert.equal(data({arrays: packed(0, 1), now: {status: 'running', best_step: 25}}).by, 0);
});
test('panels for all, or for the worst and the pinned', () => {
  const T = 121, rows = [Array.from({length: T}, (_, t) => t/200)], many = M.open({tasks: rows[0].map((_, t) => `t${t}`), now: NOW}, {step: i32([75]), train: f32([1, T], rows[0]), valid: f32([1, T], rows[0]), lr: f32([1], [.1]), entropy: f32([1], [1]), dead: i32([0])});
  const d = view(many, {tasks: ['t3', 'gone']}); assert.equal(d.shown.length, 13); assert.equal(d.shown.at(-1), 3); assert.equal(d.shown[0], 120); assert.equal(view(many, {panels: 121}).shown.length, 121); assert.deepEqual(d.pins, [3]);
});
test('a task learns, is worse than a guess, or is not known', () => {
  const d = data(); assert.deepEqual([0, 1, 2].map(t => M.judge(d, t)), ['learns', 'worse', 'unknown']); assert.equal(M.ladder(d), 1.5); assert.equal(M.ladder(data({arrays: packed(0, 4, 1), info: {tasks: ['a']}})), 1.15);
});
test('the answer', () => {
  assert.equal(words(M.answer(data())), 'One of two tasks beats a guess; b does not.'); assert.equal(words(M.answer(data({now: {status: 'running'}}))), 'One of two tasks beats a guess; b does not yet.');
  assert.equal(words(M.answer(data(withMatrix()))), 'One of two tasks beats a guess; b does not, and two tasks pull against it.');
  assert.equal(words(M.answer(data({...withMatrix(), more: {...MATRIX, evidence: u8([3, 3], Array(9).fill(0))}}))), 'One of two tasks beats a guess; b does not. No evidence that any task hurts another.');
  assert.equal(words(M.answer(data({...withMatrix({tested: false}), more: {...MATRIX, evidence: u8([3, 3], Array(9).fill(2))}}))), 'One of two tasks beats a guess; b does not.');
  assert.equal(words(M.answer(data({arrays: packed(0, 0)}))), 'It ended before the first evaluation: nothing is known.'); assert.equal(words(M.answer(data({arrays: packed(0, 4, 1), info: {tasks: ['a']}}))), 'The task beats a guess.');
  assert.ok(words(M.answer(data({info: {tasks: ['a', 'x'.repeat(300), 'c']}}))).length < 120);
});
test('how far it is, and what ■ does', () => {
  const at = (now, s) => { const p = M.progress(data({now, arrays: packed(0, now.status === 'running' ? 3 : 4)}), s); return [p.bold + p.rest, p.stop]; };
  assert.deepEqual(at({status: 'running', seconds: 6}), ['step 75 of 100 · 2 s left · best at step 75', 'To stop: the notebook’s ■; the best is kept.']); assert.equal(at({status: 'running'}, true)[1], 'Saved while it ran.');
  assert.match(at({status: 'running', best_step: 50, patience: 5})[0], /best at step 50, one evaluation ago; stops after five$/);
  assert.deepEqual(at({status: 'interrupted'}), ['interrupted (■) after step 100 of 100 in 8 s · the model keeps its best, step 75', '']); assert.match(at({status: 'stopped early', patience: 5, steps: 400})[0], /^stopped early at step 100 of 400 in 8 s: nothing better for five evaluations/);
  assert.match(at({status: 'failed'})[0], /^failed after step 100/); assert.equal(at({best_step: 100})[0], '100 steps in 8 s · the model keeps its best, the last');
  assert.deepEqual([.2, 3.4, 98, 130, 4000, 7200].map(M.duration), ['less than a second', '3 s', '98 s', '2 min', '1 h 7 min', '2 h']);
});
test('the reading line', () => {
  const d = data(withMatrix()), say = (m, k) => words(M.reading(d, m, k));
  assert.equal(say({what: 'panel', t: 0}), 'a, step 75: validation loss .40 of a guess’s, training .30. Best step: its weights are kept.'); assert.equal(say({what: 'panel', t: 1}, 3), 'b, step 100: validation loss 1.20 of a guess’s, training .30; worse than a guess.');
  assert.equal(say({what: 'dot', t: 2}), 'c, step 75: no validation rows with labels; training loss .50 of a guess’s.');
  assert.equal(say({what: 'spark', part: 'dead'}), 'Dead concepts, step 75: 1 of 12 get no attention worth the name.'); assert.match(say({what: 'spark', part: 'entropy'}, 0), /^Attention entropy, step 25: \.99 of its largest/); assert.equal(say({what: 'spark', part: 'lr'}, 0), 'Learning rate, step 25: 2 × 10⁻³; the largest is 5 × 10⁻³.');
  assert.equal(say({what: 'cell', t: 0, t2: 1}), 'a and b: their gradients have cosine −.20: they pull against each other (two unrelated tasks: −.10 to +.10).'); assert.match(say({what: 'cell', t: 0, t2: 2}), /cosine \+\.04, no evidence that they help or hurt each other/); assert.equal(say({what: 'cell', t: 1, t2: 1}), 'b and b: the same task.');
  assert.equal(say({what: 'head', t: 1}), 'b: conflicts with c −.30 and a −.20.'); assert.deepEqual(M.reading(d, null), []);
  assert.match(words(M.reading(data({...withMatrix({tested: false}), more: {...MATRIX, evidence: u8([3, 3], Array(9).fill(2))}}), {what: 'cell', t: 0, t2: 1})), /nothing may be read from it/);
  assert.match(words(M.reading(data({...withMatrix(), more: {...MATRIX, conflict_se: f32([3, 3], Array(9).fill(.05))}}), {what: 'cell', t: 0, t2: 1})), /\(95 %: −\.30 to −\.10\)/);
});
test('tasks that were set aside are named', () => {
  const lines = M.foot(data({now: {aside: {'<b>': 7, two: 1200}}})).map(words); assert.equal(lines[1], 'Set aside: <b> at step 7 and two at step 1,200, because the loss or gradient is no number.'); assert.equal(M.foot(data()).length + 1, lines.length);
});

test('the foot says what is shown, and what it is worth', () => {
  const d = data(); d.blind = 1; let lines = M.foot(d).map(words); assert.equal(lines[0], 'Shown: all 3 tasks, four evaluations (every 25 steps). 1 is the loss of a guess, 0 none at all. One task without validation rows.'); assert.match(lines[1], /^One run: no interval.*Who hurts whom was not measured/);
  lines = M.foot(data(withMatrix())).map(words); assert.match(lines[1], /^2 of 3 pairs differ from the null \(rows permuted\)\. Both conflicts involve b\./); assert.match(M.foot(data({now: {evaluations: 900}})).map(words)[0], /4 of 900 evaluations/);
  assert.match(M.foot(data({now: {status: 'running'}})).map(words)[2], /order of step 100, renewed as the run doubles/); assert.match(M.foot(data({...withMatrix({tested: false})})).map(words)[1], /not held against a null: about half/);
});
test('the table', () => {
  const {head, rows} = M.tableOf(data(withMatrix())); assert.deepEqual(head, ['task', 'validation', 'training', 'beats a guess', 'its own lowest', 'at step', 'last', 'conflicts with', 'helped by']);
  assert.deepEqual(rows[0], ['b', '1.04', '.50', 'no', '1.04', '75', '1.20', 'a −.20, c −.30', '']); assert.deepEqual(rows[2].slice(0, 7), ['c', '–', '.50', 'no validation rows', '–', '–', '–']);
});
// a ledger of three tasks that closes, cosines at three looks, and what leaving a task out does
const MOVED = [-.06, .012, -.004, .02, -.05, .03, -.01, 0, -.04], REST = [-.01, -.01, -.01, .002, 0, .001], MEASURED = [-.06, -.05, -.02], DELTA = [0, 1, 2].map(j => MEASURED[j] - MOVED[j] - MOVED[3 + j] - MOVED[6 + j] - REST[j] - REST[3 + j]);
const i8 = (shape, values) => ({shape, dtype: 'int8', data: new DataView(new Int8Array(values).buffer)});
const LEDGER = {moved: f32([3, 3], MOVED), rest: f32([2, 3], REST), delta: f32([3], DELTA), measured: f32([3], MEASURED), course: i8([3, 3, 3], [100, -40, 4, -40, 100, -30, 4, -30, 100, 100, -20, 4, -20, 100, -30, 4, -30, 100, 100, -3, 4, -3, 100, -128, 4, -128, 100])}, SEEN = {pairs: ['pulls', 'moved', 'transfer'], terms: ['momentum', 'weight decay'], looks: [1, 26, 51], leftWords: 'truth: trained without each task'};
const EFFECT = {effect: f32([3, 3], [n, .12, .01, -.09, n, .02, .03, n, n]), effect_low: f32([3, 3], [n, .05, -.04, -.14, n, -.03, n, n, n]), effect_high: f32([3, 3], [n, .19, .06, -.04, n, .07, n, n, n])};
const full = (kind, more = {}, info = {}) => data({more: {...MATRIX, ...LEDGER, ...EFFECT, ...more}, info: {tested: true, nullWords: 'rows permuted', ...SEEN, ...info}}, {pairs: kind});

test('the matrix shows what was chosen, else what there is', () => {
  assert.deepEqual([full('moved').kind, full('transfer').kind, data(withMatrix(), {pairs: 'moved'}).kind, data().kind], ['moved', 'transfer', 'pulls', undefined]); assert.equal(M.pairs(full('moved')).length, 6); assert.equal(M.pairs(full('pulls')).length, 3); assert.equal(M.pairs(full('transfer')).length, 5);
  assert.deepEqual([0, 1, 2].map(j => M.cellOf(full('moved'), j, 1).kind), ['hurts', 'helps', 'zero']); assert.deepEqual([[0, 1], [0, 2], [1, 0], [2, 0], [2, 1], [1, 1]].map(([i, j]) => M.cellOf(full('transfer'), i, j).kind), ['helps', 'unclear', 'hurts', 'untested', 'none', 'none']);
  assert.equal(words(M.answer(full('moved'))), words(M.answer(full('pulls')))); // what is found does not hang on what is looked at
});
test('the ledger in words and numbers', () => {
  const d = full('moved'), say = m => words(M.reading(d, m)); assert.equal(M.power(d), -3); assert.deepEqual([-.052, .0004, -.00001, n].map(v => M.inCell(d, v)), ['−52', '+0.4', '0.0', '–']); assert.deepEqual(M.headOf(d), ['Who helped whom?', '(row’s gradients, column’s loss, × 10⁻³)']);
  assert.equal(say({what: 'cell', t: 0, t2: 1}), 'a → b: gradients of the first raised the loss of the second (+0.012), in the steps that were looked at, to first order.'); assert.match(say({what: 'cell', t: 1, t2: 1}), /^b: its own gradients lowered its loss \(−0\.050\)/); assert.equal(say({what: 'cell', t: 2, t2: 1}), 'c → b: gradients of the first did not move the loss of the second.');
  assert.equal(say({what: 'head', t: 1}), 'b: its gradients raised the loss of c +0.030 and a +0.020.'); assert.equal(say({what: 'head', t: 2}), 'c: its gradients lowered that of a −0.010.');
  assert.equal(say({what: 'rest', part: 'rest', t: 0}), 'Other terms, a: momentum −0.010, weight decay +0.0020; together −0.0080.'); assert.equal(say({what: 'rest', part: 'measured', t: 1}), 'Measured, b: the loss fell by 0.050 over the steps that were looked at; the column above adds up to it.'); assert.match(say({what: 'rest', part: 'open', t: 0}), /^Left open, a: −0\.0020 of the measured change/); assert.equal(say({what: 'rest', part: 'rest'}), 'Other terms: momentum, weight decay, together.');
  for (let j = 0; j < 3; j++) assert.ok(Math.abs([0, 1, 2].reduce((s, i) => s + d.moved[3*i + j], 0) + M.restAt(d, 'rest', j) + M.restAt(d, 'open', j) - M.restAt(d, 'measured', j)) < 1e-6);
  assert.match(M.foot(d).map(words)[1], /^A ledger of the steps that were looked at, no test: each column adds up to the measured change of a loss; left open is at most 5 % of the largest/); assert.deepEqual([.5, 2, 500, 1e14].map(v => M.power(full('moved', {measured: f32([3], [v, n, 0])}))), [-2, 0, 1, 13]);
});
test('what leaving a task out does, in words', () => {
  const d = full('transfer'), say = (i, j) => words(M.reading(d, {what: 'cell', t: i, t2: j}));
  assert.equal(say(0, 1), 'a → b: without the first, the loss of the second is higher by .12 of a guess’s (95 %: +.05 to +.19): it helps.'); assert.match(say(1, 0), /is lower by \.09 of a guess’s \(95 %: −\.14 to −\.04\): it hurts\.$/); assert.match(say(0, 2), /no evidence that it helps or hurts\.$/); assert.match(say(2, 0), /has no interval, so nothing may be read/); assert.match(say(2, 1), /does not apply/); assert.match(say(1, 1), /the same task/);
  assert.equal(words(M.reading(d, {what: 'head', t: 1})), 'b: it hurts a −.09.'); assert.match(M.foot(d).map(words)[1], /^2 of 5 effects of leaving a task out have evidence \(truth: trained without each task; 95 % intervals, each effect by itself\)\./);
});
test('a cosine over the run, its band within what a cosine can be, a reliability that is none', () => {
  const wide = full('pulls', {null_low: f32([3, 3], Array(9).fill(-2.63)), null_high: f32([3, 3], Array(9).fill(2.63)), conflict_se: f32([3, 3], Array(9).fill(.9))}, {reliability: -1.4857}), said = words(M.reading(wide, {what: 'cell', t: 0, t2: 1}));
  assert.match(said, /\(95 %: −1\.00 to \+1\.00\)/); assert.match(said, /\(two unrelated tasks: −1\.00 to \+1\.00\)/); assert.match(said, / Over the run: −\.40 at step 1, −\.20 at step 26, −\.03 at step 51\.$/); assert.match(words(M.reading(wide, {what: 'cell', t: 1, t2: 2})), /Over the run: −\.30 at step 1, −\.30 at step 26\.$/);
  assert.match(M.foot(wide).map(words)[1], /Reliability of the matrix: none\./); assert.match(M.foot(full('pulls', {}, {reliability: .412})).map(words)[1], /Reliability of the matrix: \.41\./); assert.doesNotMatch(M.foot(full('pulls')).map(words)[1], /Reliability/);
  assert.match(M.foot(full('pulls', {conflict: f32([3, 3], [n, n, n, n, 1, -.3, n, -.3, 1])})).map(words)[1], /Not in the matrix: a\./);
});
test('the tables of the matrix', () => {
  const [losses, grid] = M.tableOf(full('moved')); assert.equal(losses.head.length, 7); assert.deepEqual(grid.head, ['whose gradient', 'a', 'b', 'c']); assert.deepEqual(grid.rows.map(r => r[0]), ['a', 'b', 'c', 'momentum', 'weight decay', 'left open', 'measured']); assert.deepEqual(grid.rows[0], ['a', '−0.060', '+0.012', '−0.0040']); assert.deepEqual(grid.rows[6].slice(1), ['−0.060', '−0.050', '−0.020']);
  const g = M.tableOf(full('transfer'))[1]; assert.deepEqual(g.rows[0].map(x => words(x)), ['a', '–', '+.12 (+.05 to +.19)', '+.01 (−.04 to +.06) ○']); assert.equal(g.rows[2][1], '+.03 ○');
});
test('pairs without a history', () => {
  const d = kind => view(M.open({tasks: ['a', 'b', 'c'], alone: true, tested: true, ...SEEN, now: {status: 'done', evaluations: 0}}, {...packed(0, 0), ...MATRIX, ...LEDGER, ...EFFECT}), {pairs: kind});
  assert.equal(M.question(d('pulls')), 'Who hurts whom?'); assert.equal(words(M.answer(d('pulls'))), 'Of 3 pairs of tasks, 2 hurt (they pull apart) and 0 help, with evidence.'); assert.match(words(M.answer(d('moved'))), /raised it in 3 and lowered it in 2/); assert.match(words(M.answer(d('transfer'))), /^Of 5 effects of tasks, 1 hurt and 1 help/);
  assert.equal(M.tableOf(d('pulls')).head[0], 'task'); assert.equal(words(M.foot(d('pulls'))[0]), 'Shown: three tasks, their pairs alone: no history of training.');
});
test('numbers', () => {
  assert.deepEqual([.42, 1.04, .001, 0, n, 250].map(M.share), ['.42', '1.04', '<.01', '.00', '–', '250']); assert.deepEqual([.002, .0005, .01, .05, 0, 1e-12].map(M.rate), ['2 × 10⁻³', '5 × 10⁻⁴', '0.01', '0.05', '0', '1 × 10⁻¹²']);
  assert.equal(M.path([[0, 1], [1, n], [2, 3]]), 'M0.0 1.0L2.0 3.0'); assert.equal(M.note(data(), 'dead'), 'since step 75'); assert.equal(M.note(data(), 'entropy'), '1 is uniform; falling');
});
test('find and move', () => {
  const d = data({info: {tasks: ['Vote', 'visits', 'mode']}}); assert.deepEqual(M.matches(d, 'V'), [1, 0]); assert.deepEqual(M.matches(d, ' '), []);
  const box = x => ({box: {x, y: 0, w: 10, h: 10}}), rows = [[box(0), box(20), box(40)], [box(0), box(38)]];
  assert.deepEqual(M.step('ArrowDown', {r: 0, c: 2}, rows), {r: 1, c: 1}); assert.deepEqual(M.step('End', {r: 0, c: 0}, rows), {r: 0, c: 2}); assert.deepEqual(M.step('ArrowUp', {r: 0, c: 1}, rows), {r: 0, c: 1}); assert.equal(M.step('x', {r: 0, c: 0}, rows), null); assert.equal(M.step('Home', {r: 0, c: 0}, []), null);
  assert.equal(M.nearest(d.rows, s => s, 60), 1); assert.deepEqual(M.locate(rows, 25, 5), {r: 0, c: 1}); assert.equal(M.locate(rows, 15, 5), null);
});
test('sizes', () => {
  const at = (width, T, k, conflict = true) => M.geometry({width, u: 1, T, n: k, conflict, labelW: 80, over: 50}), inside = g => g.pad + g.cols*g.w + (g.cols - 1)*g.gap <= g.width && g.mx + g.label + (g.cell ? 1 : 0) <= g.width;
  const six = at(952, 6, 6); assert.ok(six.beside && six.cols === 3 && six.cell === 40 && inside(six)); const slim = at(376, 6, 6); assert.ok(!slim.beside && slim.cols === 2 && inside(slim) && slim.label + 6*slim.cell < 376);
  const big = at(952, 121, 12); assert.ok(!big.beside && big.label === 0 && big.cell*121 < 952 && big.strip*121 <= big.left && inside(big)); const tiny = at(376, 121, 12); assert.ok(tiny.cell >= 2.5 && tiny.cell*121 < 376 && tiny.strip*121 < 376);
  assert.ok(at(952, 1, 1, false).w <= 460 && at(952, 0, 0, false).cols === 1);
});
