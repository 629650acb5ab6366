"What if: what an edit may be, how questions are answered, what a page carries; and the page's model against torch in double precision."
import base64, copy, json, subprocess, sys, time
from pathlib import Path

import numpy as np, pandas as pd, pytest, torch

sys.path[:0] = [str(Path(__file__).parent/'tools')]
import cases, need
from mtl_explain import what_if
from mtl_explain.attributions import Attributions
from mtl_explain.concept_map import ConceptMap
from mtl_explain.schema import example
from mtl_explain.view import link, traits_of
from mtl_explain.what_if import WhatIf

FORWARD = Path(what_if.__file__).parent/'static/_forward.js'
ASK = f'''import {{forward, shares}} from '{FORWARD.as_uri()}';
let text = ''; for await (const part of process.stdin) text += part;
const arrays = w => Object.fromEntries(Object.entries(w.arrays).map(([n, a]) => {{ const b = Buffer.from(a, 'base64'); return [n, new Float32Array(b.buffer.slice(b.byteOffset, b.byteOffset + b.byteLength))]; }}));
console.log(JSON.stringify(JSON.parse(text).map(({{weights, ask}}) => {{ const m = forward({{header: weights.header, arrays: arrays(weights)}}); return {{values: ask.map(q => [...m.ask(...q)]), parts: shares((e, o) => m.ask(e, o), ask.at(-1)[0], ask.at(-1)[1])?.map(p => [...p.change]) ?? null}}; }})));'''


def in_node(jobs):
    "[(weights, [(edits, off, how)])] -> what the page's model says"
    sent = [dict(weights=dict(header=w['header'], arrays={n: base64.b64encode(a.tobytes()).decode() for n, a in w['arrays'].items()}), ask=q) for w, q in jobs]
    text = json.dumps(sent, default=lambda o: o.item())
    return json.loads(subprocess.run([need.node(), '--input-type=module', '-e', ASK], input=text, capture_output=True, text=True, check=True, timeout=60).stdout)


def by_torch(case, edits, off, how):
    "What torch says in double precision: from the model's modules alone, not through the room of cases"
    m, out = copy.deepcopy(case._tables[0].p.model).double(), []
    for k, t in enumerate(case._tables):
        task = t.p.task; codes = {c.name: task._codes[c.name][[t.at]].copy() for c in task.columns}; gaps = {task.features[i] for i, kind in zip(task.feature_of, task.kinds) if kind=='missing'}
        for name, v in edits.items():
            if v==case.features.value[name]: continue
            for c in task.columns:
                if c.name not in ([name] if k==0 else list(case.tied.other[case.tied.feature==name])): continue
                if v is None: codes[c.name][:] = np.nan if c.name in gaps else codes[c.name]
                elif not c.levels or v in c.levels: codes[c.name][:] = c.levels.index(v) if c.levels else v
        x = torch.as_tensor(task._wide(codes))
        on = torch.tensor([float(c not in off) for c in case.concepts], dtype=torch.float64) if case.concepts else None
        with torch.no_grad():
            for name, l in m.logits(task.name, m.scores(task.name, x, on, how)).items():
                o = next(o for o in m.outcomes if o['task']==task.name and o['name']==name)
                if o['kind']=='number': out += [(l*o['std'] + o['mean'])[0].item()]
                else: p = torch.softmax(l, -1)[0]; out += p.tolist() if o['kind']=='nominal' else [(p*torch.arange(len(p))).sum().item()]
    return np.array(out)


EDITS = [{}, {'age': 71}, {'age': 25.5, 'town': 'city'}, {'town': 'village', 'owner': 'yes'}, {'town': None, 'income': None}, {'income': 3., 'health': 'good', 'owner': 'no', 'age': 88}]
def questions(case): return [(e, off, how) for i, e in enumerate(EDITS) for off, how in (([], 'remove'), *([(case.concepts[:1 + i % 3], 'remove'), (case.concepts[-2:], 'average'), (case.concepts, 'remove')] if case.concepts else []))] + [({'age': 60, 'town': 'village', 'income': 5.}, case.concepts[:2], 'remove')]


def spread(case):
    "The range of each answer on training rows; where that is next to nothing, a hundredth of what it could be"
    std = {o['name']: o['std'] for t in case._tables for o in t.p.model.outcomes if o['task']==t.name and o['kind']=='number'}
    return np.maximum((case.range.high - case.range.low).values, [.01*std.get(o, 1.) for o in case.targets.outcome])


@pytest.fixture(scope='module')
def jobs():
    made = [cases.random_case(i, seed) for i in range(6) for seed in (0, 1)]
    asked = [questions(c) for c in made]
    return made, asked, in_node([(c.weights(), q) for c, q in zip(made, asked)])


def test_the_page_computes_what_torch_does(jobs):
    worst, moved = 0, 0
    for c, q, got in zip(*jobs):
        size = spread(c)
        for (edits, off, how), values in zip(q, got['values']):
            want = by_torch(c, edits, off, how); worst = max(worst, (np.abs(values - want)/size).max()); moved = max(moved, (np.abs(want - c.stored)/size).max())
    assert moved > .5 and worst < 1e-5, f'{worst:.1e} of the range'


def test_the_page_agrees_with_the_case_and_its_parts_add_up(jobs):
    for c, q, got in zip(*jobs):
        size = spread(c)
        assert max((np.abs(v - c.ask(*a))/size).max() for a, v in list(zip(q, got['values']))[::5]) < 1e-4
        edits, off, _ = q[-1]; parts = c.attributions(edits, off).pivot(index='target', columns='feature', values='change').reindex(index=c.targets.target, columns=[*edits, *off], fill_value=0.).values.T
        assert np.abs((np.array(got['parts']) - parts)/size).max() < 1e-4 and np.allclose(np.sum(got['parts'], 0), np.array(got['values'][-1]) - got['values'][0], atol=1e-9)


@pytest.fixture
def one(): return cases.random_case(0, immutable=['health'])


def test_edits_are_answered_and_parts_add_up(one):
    w = WhatIf(one); assert w._answer['values']==pytest.approx(list(one.stored)) and w.table().change.abs().max()==0 and w.tasks==['people'] and w.samples==['3']
    w.edits = {'age': 80, 'town': 'village'}; w.off = ['c02']; t = w.table()
    assert t.after.values==pytest.approx(one.ask({'age': 80, 'town': 'village'}, ['c02'])) and list(t.columns[-3:])==['by age', 'by town', 'by c02'] and np.allclose(t.filter(like='by ').sum(axis=1), t.change, atol=1e-6)
    w.how = 'average'; assert w.table().after.values==pytest.approx(one.ask({'age': 80, 'town': 'village'}, ['c02'], 'average'))
    w.edits = {}; w.off = []; assert w.table().change.abs().max()==0 and len(t)==len(one.targets)==6


@pytest.mark.parametrize('edits, word', [({'aeg': 3}, "did you mean 'age'"), ({'town': 'hamlet'}, "no level 'hamlet'"), ({'health': 'poor'}, 'immutable'), ({'age': np.inf}, 'no finite number'), ({'age': '40'}, 'no finite number'), ({'age': True}, 'no finite number'), ({'age': None}, 'never missing')])
def test_what_cannot_be_is_refused_and_changes_nothing(one, edits, word):
    if edits=={'health': 'poor'} and one.features.value['health']=='poor': edits = {'health': 'good'}
    w = WhatIf(one, edits={'income': 7})
    with pytest.raises(ValueError, match=word): w.edits = edits
    assert w.edits=={'income': 7}
    with pytest.raises(ValueError, match=word): WhatIf(one, edits=edits)


def test_pins_that_are_not_there_are_refused(one):
    w = WhatIf(one)
    for trait in ('off', 'tasks', 'samples', 'targets', 'features', 'concepts'):
        with pytest.raises(ValueError, match=f"{trait}: no 'nonsense'"): setattr(w, trait, ['nonsense'])
    with pytest.raises(TypeError, match='no keyword'): WhatIf(one, edit={})
    with pytest.raises(TypeError, match='WhatIf expects a case'): WhatIf({})
    with pytest.raises(ValueError, match='no target'): WhatIf(_without_targets())


def _without_targets(): c = cases.plain(); c.targets = c.targets.iloc[:0]; return c


def test_a_value_as_stored_is_no_edit_and_missing_is_one(one):
    stored = one.features.value
    w = WhatIf(one, edits={'age': float(stored['age']), 'owner': stored['owner'], 'income': np.nan, 'health': stored['health']}); assert w.edits==({'income': None} if stored['income'] is not None else {})
    assert type(WhatIf(one, edits={'age': np.int64(33)}).edits['age']) is int


def test_questions_of_the_page_are_numbered_and_answered_once(one, monkeypatch):
    asked = []; ask = one.ask; monkeypatch.setattr(one, 'ask', lambda *a, **k: asked.append(a) or ask(*a, **k)); w = WhatIf(one); asked.clear()
    w.set_state(dict(_request=dict(n=1, why=False), edits={'age': 60})); assert len(asked)==1 and w._answer['n']==1 and w._answer['why'] is None and w._answer['edits']=={'age': 60}
    w.edits = {'age': 59}; assert [x['feature'] for x in w._answer['why']]==['age'], 'Python asks for everything'
    w.set_state(dict(_request=dict(n=2, why=True), edits={'age': 60})); assert w._answer['n']==2 and [x['feature'] for x in w._answer['why']]==['age']
    w.edits = {'age': 61}; assert w._answer['n']==2 and w._answer['edits']=={'age': 61} and w._answer['why'] is not None
    n = len(asked); w.edits = {'age': 61}; assert len(asked)==n


def test_an_error_of_the_model_is_told_to_the_page_and_raised_in_python(one, monkeypatch):
    w = WhatIf(one); monkeypatch.setattr(one, 'ask', lambda *a, **k: 1/0)
    w.set_state(dict(_request=dict(n=1, why=True), edits={'age': 60})); assert w._answer['error'].startswith('ZeroDivisionError') and w._answer['n']==1 and len(w.table())==6
    with pytest.raises(ZeroDivisionError): w.edits = {'age': 61}


def test_suggestions(one):
    seen = {}
    def search(case, target, hold=None, off=(), progress=True): seen.update(target=target, hold=hold, off=off, progress=progress); return pd.DataFrame([dict(edits={'age': 30}, status='found')])
    first, second = one.targets.target[:2]
    w = WhatIf(one, targets=[second, first], off=['c01'], suggest=search); assert w._info['canSuggest']
    w.set_state(dict(_request=dict(n=1, why=True, find=first))); assert seen==dict(target=first, hold=[second], off=['c01'], progress=False)
    assert w.suggestion==dict(title=f'Smallest change that flips {first}', held=f'{second} held', edits={'age': 30}, off=['c01']) and w._answer['n']==1
    for found, word in ((None, 'No such change'), (pd.DataFrame([dict(edits={}, status='none within 3 features')]), 'none within 3'), (pd.DataFrame(), 'No such change')):
        w = WhatIf(one, suggest=lambda case, target, found=found: found); w.set_state(dict(_request=dict(n=1, why=True, find=first))); assert word in w.suggestion['none'] and w.suggestion['title'].startswith('No change')
    w.suggestion = dict(title='Try', edits={'age': 50}); assert w.suggestion['edits']=={'age': 50}
    with pytest.raises(ValueError, match='no feature'): w.suggestion = dict(edits={'aeg': 50})


def state_of(path): return json.loads(path.read_text(encoding='utf-8').split('<script type="application/json"')[1].split('>', 1)[1].split('</script>')[0])['state']


def test_a_page_carries_weights_only_if_asked(one, tmp_path, monkeypatch):
    w = WhatIf(one, edits={'age': 60}); bare, full = w.save_html(tmp_path/'a.html'), w.save_html(tmp_path/'b.html', weights=True)
    assert state_of(bare)['_weights']=={} and state_of(full)['_weights']['header']['concepts']==one.concepts and 'no weights' in state_of(bare)['_info']['carries'] and len(state_of(full)['_weights']['arrays']) > 10 and '1 tied row' in state_of(full)['_info']['carries']
    assert bare.stat().st_size < 2e5 < 1e6 > full.stat().st_size and 'weights' not in w.to_html().split('"_weights":')[1][:3]
    monkeypatch.setattr(what_if, 'LIMIT', 1000)
    with pytest.raises(ValueError, match='a page holds'): w.save_html(tmp_path/'c.html', weights=True)
    with pytest.raises(ValueError, match='cannot run in a page'): WhatIf(cases.plain()).save_html(tmp_path/'c.html', weights=True)
    assert not (tmp_path/'c.html').exists()


def test_any_object_with_the_face_of_a_case_will_do():
    w = WhatIf(cases.plain(), edits={'coffee': 9}); assert w.table().change[0] > 0 and w._info['hows'] is False and w._answer['why'] is None
    d = WhatIf(cases.dated(), edits={'born': pd.Timestamp('2021-05-06'), 'job': 'none'}); assert d.edits=={'born': '2021-05-06', 'job': 'none'} and d._info['features'][0]['low']==18262
    with pytest.raises(ValueError, match='no date'): d.edits = {'born': 'yesterday-ish'}
    h = WhatIf(cases.hostile()); assert None in h._answer['values'] and '</script><img' not in h.to_html().replace('\\u003c', '')
    assert len(WhatIf(cases.classes()).table())==100 and len(WhatIf(cases.wide())._info['features'])==60


def test_names_and_colours_of_concepts_come_from_a_result():
    ex = example(); c = cases.plain(concepts=[str(x) for x in ex['concepts'].concept.values][:4] + ['new'])
    w = WhatIf(c, ex); assert set(w._info['specificity'])<=set(c.concepts) and w._info['suggested'] and WhatIf(c)._info['suggested']=={}
    with pytest.raises(ValueError): WhatIf(c, ex['tasks'])


def test_linked_by_equal_names(one):
    ex = example(); m = ConceptMap(ex); shared = {n for n in traits_of(WhatIf(one)) if n in traits_of(m)}; assert {'tasks', 'concepts', 'names'}<=shared
    assert {'tasks', 'targets', 'samples', 'features', 'concepts', 'names'}<=set(traits_of(WhatIf(one))) & set(traits_of(Attributions(ex)))
    a, b = WhatIf(one), WhatIf(one); link(a, b); a.edits = {'age': 70}; b.off = ['c01']; assert b.edits=={'age': 70} and a.off==['c01'] and a._answer['values']==pytest.approx(b._answer['values'])


def test_an_edit_is_answered_in_time(one):
    w, spent = WhatIf(one), []
    for i in range(15): t = time.perf_counter(); w.set_state(dict(_request=dict(n=i+1, why=True), edits={'age': 30 + i, 'town': 'city'})); spent.append(time.perf_counter() - t)
    assert min(spent) < .15, f'{1000*min(spent):.0f} ms at best'


def test_what_is_outside_in_a_tied_table_is_said_there(one):
    w = WhatIf(one, edits={'age': 95}); assert len(one.outside({'age': 95}))==2 and [x['task'] for x in w._answer['outside']]==['trips'] and 'outside the training range' in w._answer['outside'][0]['text']
    w.edits = {'age': 50}; assert w._answer['outside']==[]


def test_another_case_in_the_same_view(one):
    other = cases.random_case(0, sample=7, immutable=['town']); w = WhatIf(one, edits={'age': 60, 'town': 'village'}, off=['c01'], targets=[one.targets.target[1]], names={'c01': 'n'}); w.set_state(dict(_request=dict(n=3, why=True))); w.show(other); assert w._answer['n']==3
    assert w.names=={'c01': 'n'} and w.samples==['7'] and w._info['sample']=='7' and w.edits=={'age': 60} and w.off==['c01'] and w.targets==[one.targets.target[1]] and w.table().after.values==pytest.approx(other.ask({'age': 60}, ['c01']))
    w.show(cases.plain()); assert w._answer['n']==3 and w.edits=={} and w.off==[] and w.targets==[] and len(w.table())==1
