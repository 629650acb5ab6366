import {test} from 'node:test';
import assert from 'node:assert/strict';
import * as A from '../../mtl_explain/static/attributions.js';
import {plain, quantity, signed, tiny, decimals} from '../../mtl_explain/static/_words.js';
import {ticks} from '../../mtl_explain/static/_draw.js';

const wrap = (Type, dtype) => values => ({shape: [values.length], dtype, data: new DataView(new Type(values).buffer)}), f32 = wrap(Float32Array, 'float32'), u16 = wrap(Uint16Array, 'uint16'), u8 = wrap(Uint8Array, 'uint8'), i32 = wrap(Int32Array, 'int32'), i8 = wrap(Int8Array, 'int8');
const n = NaN, code = (values, top) => values.map(v => Number.isNaN(v) ? 0 : Math.round(v/top*32767) + 32768);
const EX = [{name: 'shapley', method: 'shapley', background: '100 training rows', closes: 'by construction', zero: false}, {name: 'lime', method: 'lime', background: '100 training rows', closes: 'never', zero: false}];
// one task, a number in visits: three features, two rows, two explainers; row r1 is 2.5 = 1 + 1 + .5 + 0, row r2 was not reached
function data({task = {}, info = {}, arrays = {}, ...traits} = {}) {
  const x = {name: 'doctor', players: ['age', 'income', 'job'], feature: ['age', 'income', 'job'], level: ['', '', ''], unit: ['years', '', ''], concept: ['', '', ''], targets: [{id: 'visits', outcome: 'visits', level: '', kind: 'number'}], units: [['visits a year'], ['visits a year']], samples: ['r1', 'r2'],
    stored: 2, explained: 9, explainers: EX, sinks: [], features: ['age', 'income', 'job'], words: ['clerk', 'none'], digits: [99, 99, -1], optional: [], ...task};
  const _info = {kind: 'feature', kinds: ['feature'], suggested: {}, tables: [0], tasks: [x], ...info};
  const _arrays = {value: u16(code([1, .5, 0, n, n, n, .9, -.2, .1, .4, .5, .6], 1)), top: f32([1, 1]), se: u16(code([.1, .4, 0, n, n, n, .05, .05, .2, .1, .1, .1], 1)), se_top: f32([1, 1]), score: f32([2.5, 3, 2.5, 3]), base: f32([1, 1, 1, 1]), delta: f32([2e-7, n, n, n]), sink: f32([]),
    imp: f32([.8, .4, .1, .5, .5, .5]), imp_se: f32([.1, .1, .1, .1, .1, .1]), dir: f32([.9, -.95, n, n, n, n]), spread: f32([2, 2]), evaluations: i32([64, 0, 64, 64]), status: i8([0, 1, 0, 0]), value_of: f32([41.5, 12, 1, 30, 13, 0]), rank: u8([254, 0, 255, 0, 254, 255]), truth: f32([6, n]), ...arrays};
  for (const k of Object.keys(_arrays)) if (!_arrays[k]) delete _arrays[k];
  const all = {_info, _arrays, tasks: [], targets: [], samples: [], explainer: 'shapley', features: [], names: {}, show: 'answer', order: 'size', top: 12, ...traits};
  return A.read(k => all[k]);
}
const flat = parts => plain(parts).replaceAll('\u202f', ' ').replaceAll('\u00a0', ' ');

test('quantities have one number of decimals on one axis', () => {
  assert.deepEqual([1.31, .242, 14.2, 142, 0, NaN].map(x => decimals(x)), [2, 3, 1, 0, 0, 0]);
  assert.deepEqual([quantity(20190, 0), quantity(-.48, 2), quantity(-.001, 2), quantity(NaN), quantity(-Infinity), quantity(2.4e-7, 9)], ['20,190', '−0.48', '0.00', '–', '−∞', '2.4 × 10⁻⁷']);
  assert.deepEqual([signed(1.31), signed(-.06), signed(.001), signed(0)], ['+1.31', '−0.06', '0.00', '0.00']);
  assert.deepEqual([0, 2e-7, .0003, -.02, 3, n].map(tiny), ['0', '2 × 10⁻⁷', '0.0003', '−0.02', '3', '–']);
  for (const [lo, hi] of [[-4, 4.9], [0, .03], [-1e6, 10], [-.2, .31]]) { const t = ticks(lo, hi); assert.ok(t.length >= 3 && t.length <= 9 && t[0] >= lo - 1e-9 && t.at(-1) <= hi*1.0001 + 1e-9, String(t)); }
  assert.deepEqual(ticks(1, 1), []);
});
test('what was sent is read back, NaN and all', () => {
  const d = data(); assert.ok(Math.abs(A.fact(d, 1).value - .5) < 2e-5); assert.equal(A.fact(d, 2).value, 0); assert.equal(A.fact(d, 0, {s: 1}).kind, 'none');
  assert.ok(Math.abs(A.fact(d, 1, {e: 1}).value + .2) < 2e-5); assert.equal(d.all[0].P, 3);
});
test('an interval that includes 0 is no evidence; without an error there is no interval', () => {
  const d = data(); assert.deepEqual([0, 1, 2].map(p => A.fact(d, p).kind), ['effect', 'unclear', 'zero']);
  assert.equal(A.judge(.3, 0).kind, 'effect'); assert.ok(Number.isNaN(A.judge(.3, NaN).lo)); assert.equal(A.judge(0, .1).kind, 'unclear'); assert.equal(A.judge(Infinity, 1).kind, 'none'); assert.equal(A.judge(-.3, .1).kind, 'effect');
});
test('the last pin that is there is shown', () => {
  assert.equal(data({samples: ['r2', 'elsewhere']}).s, 1); assert.equal(data({samples: ['elsewhere']}).rowPinned, false); assert.equal(data({explainer: 'lime'}).e, 1); assert.equal(data({explainer: 'gone'}).wanted, 'gone');
  assert.deepEqual(data({features: ['job', 'x']}).pins, [2]); assert.equal(data({show: 'targets'}).show, 'answer'); assert.equal(data({show: 'explainers'}).show, 'explainers');
});
test('values are read as a person writes them', () => {
  const d = data(); assert.deepEqual([0, 1, 2].map(p => A.valueText(d, p)).map(flat), ['41.5 years', '12', 'none']); assert.equal(A.valueText(d, 2, 1), 'clerk');
  assert.equal(A.valueText(data({arrays: {value_of: undefined}, task: {features: []}}), 0), ''); assert.equal(flat(A.valueText(data({task: {unit: ['1000 USD', '', '']}}), 0)), '41.5 (1000 USD)');
  const lev = data({task: {level: ['', '', 'none']}}); assert.equal(A.valueText(lev, 2), 'yes'); assert.equal(A.valueText(lev, 2, 1), 'no'); assert.equal(A.fullName(lev, 2), 'job = none');
});
test('the ledger runs from base to score, and is not drawn where it does not close', () => {
  const l = A.ledger(data()); assert.deepEqual(l.map(t => t.what), ['base', 'player', 'player', 'player', 'delta', 'score']); assert.ok(Math.abs(l.at(-2).to - 2.5) < 1e-4 && l.at(-1).to === 2.5 && l[0].to === 1);
  assert.equal(A.ledger(data({explainer: 'lime'})), null); assert.match(A.whyNoLedger(data({explainer: 'lime'})), /need not add up/); assert.match(A.whyNoLedger(data({samples: ['r2']})), /Row r2 was not reached: explaining was interrupted/);
  assert.match(A.whyNoLedger(data({arrays: {base: f32([n, n, n, n])}})), /missing for this row/); assert.match(A.whyNoLedger(data({task: {samples: []}, arrays: {value: u16([]), se: u16([])}})), /No row/);
  const sinks = data({task: {sinks: ['bias', 'odd <b>']}, arrays: {sink: f32([.3, n, n, n, n, n, n, n])}}), s = A.ledger(sinks); assert.deepEqual(s.filter(t => t.what === 'sink').map(t => t.n), [0]);
  const few = A.ledger(data({top: 1})); assert.deepEqual(few.map(t => t.what), ['base', 'player', 'rest', 'delta', 'score']); assert.equal(few[2].n, 2); assert.ok(Math.abs(few[2].value - .5) < 1e-4);
});
test('top players by size, pins besides, one left is no rest', () => {
  const d = data({top: 2}), w = p => [3, 2, 1][p]; assert.deepEqual(A.arranged(d, w), {shown: [0, 1, 2], rest: []}); assert.deepEqual(A.arranged(data({top: 1}), w), {shown: [0], rest: [1, 2]});
  assert.deepEqual(A.arranged(data({top: 1, features: ['job']}), w), {shown: [0, 1, 2], rest: []}); assert.deepEqual(A.arranged(data({order: 'name'}), p => -p).shown, [0, 1, 2]); assert.deepEqual(A.arranged(data({order: 'table'}), p => p).shown, [0, 1, 2]);
  assert.deepEqual(A.arranged(d, p => p === 2 ? n : p).shown, [1, 0, 2]);
});
test('rank agreement', () => {
  assert.equal(A.spearman([1, 2, 3, 4], [10, 20, 30, 99]), 1); assert.equal(A.spearman([1, 2, 3], [3, 2, 1]), -1); assert.ok(Number.isNaN(A.spearman([1, 2, n], [1, 2, 3]))); assert.ok(Number.isNaN(A.spearman([1, 1, 1], [1, 2, 3])));
  assert.ok(Math.abs(A.spearman([1, 2, 2, 3], [1, 2, 3, 4]) - .9487) < 1e-3);
  assert.deepEqual([1, .8, .5, 0, -.8, n].map(A.concord), ['nearly the same order', 'a similar order', 'partly the same order', 'unrelated orders', 'opposite orders', 'too few to rank']);
  const g = A.agreement(data(), 0, 1); assert.equal(g.rho, .5); assert.ok(Number.isNaN(g.gap)); assert.equal(g.rows, 1); assert.equal(g.sure, 1); assert.equal(g.opposite, 0);
  assert.match(flat(A.agreementSentence(data(), 1)), /^lime, the same row: rank agreement \.50, partly the same order\.$/);
  const both = EX.map(e => ({...e, closes: 'in the limit'})); assert.match(flat(A.agreementSentence(data({task: {explainers: both}}), 1)), /largest gap 0\.70 visits a year/);
});
test('question and answer', () => {
  assert.equal(flat(A.question(data())), 'Why visits of 2.50 for row r1?'); assert.equal(flat(A.answer(data())), 'The prediction is 1.50 visits a year above the base of 1.00; age raises it by 1.00.');
  assert.equal(flat(A.answer(data({explainer: 'lime'}))), 'By lime, age weighs most: +0.90. No ledger: what lime gives need not add up to the score.'); assert.match(flat(A.answer(data({samples: ['r2']}))), /^Row r2 was not reached/);
  assert.match(flat(A.answer(data({task: {sinks: ['bias', 'identity']}, arrays: {sink: f32([.5, .5, n, n, n, n, n, n])}}))), /^Features hold 1\.50 of the 1\.50 visits a year between base and score; biases and own embeddings hold 1\.00\.$/);
  assert.equal(flat(A.question(data({show: 'explainers'}))), 'Do the explainers agree on visits for row r1?'); assert.equal(flat(A.answer(data({show: 'explainers'}))), 'Lime gives partly the same order as shapley: rank agreement .50.');
  assert.equal(flat(A.question(data({show: 'rows'}))), 'What moves visits from row to row?'); assert.equal(flat(A.answer(data({show: 'rows'}))), 'Age and income move it most; one of 3 features shows no effect.');
  const none = data({arrays: {se: u16(code([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], 1))}}); assert.match(flat(A.answer(none)), /no feature shows an effect of its own\.$/);
  const long = data({task: {feature: ['x'.repeat(300), 'y', 'z'], targets: [{id: 'v'.repeat(300), outcome: 'v', level: '', kind: 'binary'}]}}); assert.ok(flat(A.answer(long)).length < 125); assert.match(flat(A.question(long)), /^Why a score of/);
});
test('the reading line', () => {
  const d = data(), say = m => flat(A.reading(d, m));
  assert.equal(say({what: 'player', p: 0}), 'age = 41.5 years: +1.00 visits a year (95 %: +0.80 to +1.20), raises. lime: +0.90.'); assert.match(say({what: 'player', p: 1}), /no evidence of an effect/); assert.match(say({what: 'player', p: 2}), /^job = none: no effect\./);
  assert.equal(say({what: 'base'}), 'base: 1.00 visits a year, mean of 100 training rows.'); assert.equal(say({what: 'delta'}), 'delta: 2 × 10⁻⁷, what the method fails to explain; it closes by construction.'); assert.equal(say({what: 'score'}), 'score: 2.50 visits a year. Observed: 6.00 visits a year.');
  assert.equal(say({what: 'rest', n: 4, value: -.5}), '4 other features, summed: −0.50 visits a year; no interval is known for a sum.'); assert.equal(say({what: 'sink', n: -1}), 'sinks: none: shapley leaves nothing in biases.');
  assert.match(say({what: 'dot', p: 0, s: 1}), /^row r2, age = 30 years: does not apply\.$/); assert.deepEqual(A.reading(d, null), []);
  const again = data({task: {optional: ['again']}, arrays: {again: u16(code(Array(12).fill(.2), 1)), again_top: f32([1, 1])}}); assert.match(flat(A.reading(again, {what: 'player', p: 0})), /With other background rows: \+0\.56 to \+1\.44\./);
});
test('base in words', () => {
  assert.equal(A.baseWords(data()), 'mean of 100 training rows'); const zero = [{...EX[0], zero: true}, EX[1]]; assert.equal(A.baseWords(data({task: {explainers: zero}})), 'a score of zero: the mean of the training rows');
  assert.equal(A.baseWords(data({task: {explainers: zero}, arrays: {base: f32([0, 0, 0, 0])}})), 'zero by definition'); assert.equal(A.baseWords(data({task: {explainers: [{...EX[0], background: 'concept taken away'}, EX[1]]}})), 'all features off: concept taken away');
});
test('the foot says what is shown, hidden, and how sure it is', () => {
  const lines = (o, geo) => A.foot(data(o), geo).map(flat);
  assert.deepEqual(lines({}, {unclear: true}), ['Shown: all 3 features, the one target, 2 of 9 rows, those that the tree keeps. Hatched, “n.e.”: no evidence of an effect on this row.', 'The ledger closes by construction: delta is 2 × 10⁻⁷.', 'shapley · background: 100 training rows · 64 evaluations · 95 % intervals for this background']);
  assert.match(lines({explainer: 'lime'})[1], /^lime never closes: its bars are not parts of the score, so no ledger is drawn\.$/); assert.match(lines({explainer: 'lime', task: {optional: ['fit']}, arrays: {fit: f32([n, n, .83, .8])}})[1], /R² \.83/);
  assert.match(lines({}, {narrow: true})[0], /Hidden for width: waterfall, beeswarm/); assert.match(lines({info: {bare: true}})[0], /not carried by this page/); assert.match(lines({task: {stored: 9}})[0], /The other 7 rows stay in Python/);
  assert.match(lines({arrays: {status: i8([2, 1, 0, 0])}})[1], /^The budget ended before the error asked was reached\./); assert.match(lines({arrays: {se: u16(code(Array(12).fill(0), 1))}})[2], /no sampling error: no interval/); assert.match(lines({explainer: 'gone'})[2], /^gone did not explain this task; shapley/);
  assert.match(lines({top: 1})[0], /^Shown: one of 3 features|^Shown: 1 of 3 features/);
});
// three classes of one outcome, two features, one row
function classes(traits = {}, more = {}) {
  return data({task: {targets: ['a', 'b', 'c'].map(l => ({id: `care: ${l}`, outcome: 'care', level: l, kind: 'nominal'})), units: [['score', 'score', 'score']], players: ['u', 'v'], feature: ['u', 'v'], level: ['', ''], unit: ['', ''], concept: ['', ''], samples: ['r1'], explainers: EX.slice(0, 1), features: [], words: [], digits: [], stored: 1, explained: 40, ...more.task},
    arrays: {value: u16(code([.5, -1, .2, .1, .1, 0], 1)), top: f32([1, 1, 1]), se: u16(code([.1, .1, .3, 0, 0, 0], 1)), se_top: f32([1, 1, 1]), score: f32([.7, -.8, .3]), base: f32([.1, .1, .1]), delta: f32([0, 0, 0]), sink: f32([]), imp: f32([1, 2, 3, .1, .2, .3]), imp_se: f32([.1, .1, 2, 0, 0, 0]), dir: f32([.9, -.9, .1, n, n, n]), spread: f32([2, 2, 2]), evaluations: i32([1]), status: i8([0]), value_of: undefined, rank: undefined, truth: undefined}, show: 'targets', ...traits});
}
test('the heat map: classes of one outcome by score, the rest summed and counted', () => {
  const d = classes({samples: ['r1']}), h = A.heat(d); assert.equal(h.mixed, false); assert.deepEqual(h.cols.map(c => c.label), ['a', 'c', 'b']); assert.equal(h.rest.length, 0); assert.equal(h.at(0, h.cols[1]).kind, 'unclear'); assert.equal(h.part, 1);
  assert.equal(flat(A.question(d)), 'Which features speak for which of 3 targets in row r1?'); assert.equal(flat(A.answer(d)), 'A has the highest score. The largest effect: u → b, −1.0.');
  const one = A.heat(d, 1); assert.deepEqual([one.cols.length, one.rest.length], [1, 2]); assert.ok(Math.abs(one.mean(0) - .6) < 1e-4 && one.part < 1); assert.deepEqual(A.heat(classes({samples: ['r1'], targets: ['care: b']}), 1).cols.map(c => c.label), ['b']);
  assert.deepEqual(A.heat(classes({samples: ['r1'], order: 'name'})).cols.map(c => c.label), ['a', 'b', 'c']); const t = A.tableOf(d); assert.deepEqual(t.head, ['feature', 'a', 'c', 'b']); assert.equal(t.rows[0][2], '+0.20 n.e.'); assert.equal(t.rows.at(-1)[0], 'score');
});
test('over all rows the heat map shows importance in spreads, with a direction where there is one', () => {
  const d = classes(), h = A.heat(d), c = h.cols.find(x => x.label === 'b'); assert.ok(h.whole && h.mixed); assert.deepEqual([h.at(0, c).value, h.at(0, c).sign, h.at(0, h.cols.find(x => x.label === 'c')).kind], [1, -1, 'unclear']); assert.equal(h.at(1, c).sign, 0); assert.equal(h.at(0, h.cols.find(x => x.label === 'c')).sign, 0); // a correlation of .1 over 40 rows could be chance
  assert.match(flat(A.reading(d, {what: 'cell', p: 0, c, g: h.at(0, c), whole: true, mixed: true})), /^u → b: 1\.0 of the spread of its score \(95 %: 0\.9 to 1\.1\), higher values lower it\.$/); assert.equal(flat(A.question(d)), 'Which features move which of 3 targets?'); assert.match(flat(A.source(d)), /40 rows/);
});
test('names of concepts: kept, suggested, id', () => {
  const task = {players: ['c01', 'c02', 'c03'], concept: ['c01', 'c02', 'c03'], feature: ['', '', ''], features: []}, d = data({info: {kind: 'concept', suggested: {c02: 'riches'}}, task, names: {c01: 'age'}});
  assert.deepEqual([0, 1, 2].map(p => A.naming(d, p)), [{n: 'age'}, {i: 'c02 riches'}, {n: 'c03'}]); assert.equal(A.noun(d, 1), 'concept'); const e = data({info: {kind: 'edge'}, task: {...task, feature: ['x', 'y', 'z']}, names: {c01: 'age'}}); assert.equal(A.fullName(e, 0), 'x → age');
});
test('find', () => {
  const d = data(), kinds = s => A.matches(d, s).map(m => `${m.kind} ${m.id}`); assert.deepEqual(kinds('inc'), ['feature income']); assert.deepEqual(kinds('R'), ['row r1', 'row r2']); assert.deepEqual(kinds(' '), []); assert.deepEqual(kinds('visits'), ['target visits']);
  assert.deepEqual(A.matches(classes({samples: ['r1']}), 'b').map(m => m.id), ['care: b']);
});
test('the tables of all pictures', () => {
  const t = A.tableOf(data()); assert.deepEqual(t.rows.map(r => r[0]), ['base', 'age', 'income', 'job', 'delta', 'score']); assert.deepEqual(t.rows[2].map(flat), ['income', '12', '+0.50', '−0.28 to +1.28', 'n.e.']); assert.deepEqual(A.tableOf(data({explainer: 'lime'})).rows.map(r => r[0]), ['base', 'age', 'income', 'job', 'score'].filter(x => x !== 'delta'));
  assert.deepEqual(A.tableOf(data({show: 'explainers'})).rows.at(-1), ['rank agreement', '', '.50']); const r = A.tableOf(data({show: 'rows'})); assert.equal(r.rows.length, 2); assert.equal(r.rows[1][1], '–');
});
test('dots do not cover one another and stay in their line', () => {
  const xs = Array(9).fill(50).concat(90, NaN), ys = A.swarm(xs, 3, 14); assert.ok(ys.slice(0, 10).every(y => Math.abs(y) <= 14)); assert.equal(new Set(ys.slice(0, 9)).size, 9); assert.equal(Math.abs(ys[9]), 0); assert.ok(Number.isNaN(ys[10])); assert.deepEqual(A.swarm([], 3, 14), []);
});
test('scales leave room for what is written at the ends', () => {
  const sx = A.balanced([{end: 2, w: 40}, {end: -1, w: 60}, {end: NaN, w: 900}], 100, 400); assert.ok(sx(2) + 40 <= 400.01 && sx(-1) - 60 >= 99.99 && sx(0) > 100 && sx(0) < 400); const none = A.balanced([{end: 0, w: 20}], 100, 400); assert.ok(none(0) >= 100 && none(0) <= 400);
  const all = A.balanced([{end: 3, w: 30}], 100, 400); assert.ok(all(3) + 30 <= 400.01 && all(0) <= 110); const s = A.scale([3, 5], 0, 100, {zero: false, left: 10, right: 10}); assert.ok(s(3) === 10 && s(5) === 90); assert.ok(Number.isFinite(A.scale([], 0, 10)(0)) && Number.isFinite(A.scale([2, 2], 0, 100, {zero: false})(2)));
});
test('keys move through rows of unlike length', () => {
  const m = (x, w = 10) => ({box: {x, y: 0, w, h: 10}}), rows = [[m(0, 100), m(200, 100)], [m(10), m(60), m(240), m(280)], []]; assert.deepEqual(A.step('ArrowDown', {r: 0, c: 1}, rows), {r: 1, c: 2}); assert.deepEqual(A.step('ArrowUp', {r: 1, c: 3}, rows), {r: 0, c: 1});
  assert.deepEqual(A.step('ArrowRight', {r: 1, c: 3}, rows), {r: 1, c: 3}); assert.deepEqual(A.step('End', {r: 1, c: 0}, rows), {r: 1, c: 3}); assert.deepEqual(A.step('PageDown', {r: 0, c: 0}, rows), {r: 2, c: 0}); assert.equal(A.step('x', {r: 0, c: 0}, rows), null); assert.deepEqual(A.step('Home', {r: 1, c: 2}, rows), {r: 1, c: 0});
});
test('parts of a picture', () => { const wide = A.geometry({width: 950, u: 1, labelWidth: 120}), slim = A.geometry({width: 376, u: 1, labelWidth: 400}); assert.ok(!wide.narrow && wide.x2 > wide.x1 && wide.right <= 950); assert.ok(slim.narrow && slim.label <= 376*.42 + .01 && slim.x1 <= 376); });
test('labels of columns, tasks and tables', () => {
  const two = data({info: {tables: [0, 0]}}); assert.equal(A.columns(two).length, 1); assert.equal(A.observed(data()), ''); assert.equal(A.locate({rows: [[{box: {x: 0, y: 0, w: 10, h: 10}}]], geo: {u: 1}}, 5, 5).r, 0); assert.equal(A.locate({rows: [], geo: {u: 1}}, 5, 5), null);
});
