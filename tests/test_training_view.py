"The view of a training run: what is sent equals the history, only what is new is sent, evidence follows the null, the table agrees; and what `fit` tells a monitor."
import sys, warnings
from types import SimpleNamespace

import numpy as np, pytest, traitlets as t, xarray as xr
from hypothesis import given, settings, strategies as st

import trees
from mtl_explain import training
from mtl_explain.model import MTLModel
from mtl_explain.schema import example, save, load
from mtl_explain.suites import planted
from mtl_explain.losses import SquaredError
from mtl_explain.train import fit
from mtl_explain.training import LIMIT, TrainingMonitor, evidence, kept_steps
from mtl_explain.view import link, traits_of

PAIR = ('task', 'task_2')


def history(tasks=('a', 'b', 'c'), n=8, seed=0, status='done', worse=(1,), blind=(2,), steps=None, **attrs):
    "Invented losses: they fall, but for the tasks in `worse`; those in `blind` have no validation rows"
    r, T, at = np.random.default_rng(seed), len(tasks), (np.arange(n)+1)*25
    end = r.uniform(.1, .8, T); end[[i for i in worse if i < T]] = 1.06
    valid = end + (1-end)*np.exp(-at[:, None]/120) + r.normal(0, .01, (n, T)); train = valid*.9
    valid[:, [i for i in blind if i < T]] = np.nan
    best = int(at[max(0, n-2)]) if n else 0
    return xr.Dataset(dict(train_loss=(('step', 'task'), train), validation_loss=(('step', 'task'), valid), learning_rate=('step', .005*np.sin(np.pi*at/(25*n+25))), attention_entropy=('step', 1-.5*at/(25*n+1)), dead_concepts=('step', (at > 100).astype(int))),
        coords=dict(step=at, task=np.array(tasks, dtype=str)), attrs=dict(status=status, best_step=best, best=.4, seconds=12., steps=steps or 25*n, evaluate=25, patience=0, concepts=12) | attrs)


def conflicts(tasks, seed=0, pairs=((0, 1, -.3),), null=.1, **more):
    "Invented cosines: `pairs` stand out of the band of their null"
    r, T = np.random.default_rng(seed), len(tasks)
    c = np.triu(r.uniform(-.09, .09, (T, T)), 1)
    for i, j, v in pairs: c[i, j] = v
    d = xr.Dataset(dict(conflict=(PAIR, c + c.T + np.eye(T))), coords=dict(task=np.array(tasks, dtype=str), task_2=np.array(tasks, dtype=str)), attrs=dict(null='rows permuted between tasks, 999 times'))
    if null: d = d.assign(null_low=(PAIR, np.full((T, T), -null)), null_high=(PAIR, np.full((T, T), null)))
    return d.assign({k: (PAIR, v) for k, v in more.items()})


def with_conflicts(h, **kw):
    c = conflicts(h.task.values, **kw)
    return h.merge(c, combine_attrs='override').assign_attrs(c.attrs)


def with_ledger(h, seed=0, terms=('momentum', 'weight decay'), scale=.03, looks=3):
    "Invented entries of a ledger that closes, and the course of the cosines"
    r, names = np.random.default_rng(seed), h.task.values; T = len(names); moved, rest, delta = scale*r.normal(size=(T, T)) - 2*scale*np.eye(T), scale*r.normal(size=(len(terms), T)), .01*scale*r.normal(size=T)
    at = np.stack([h.conflict.values*(1 - k/looks) for k in range(looks)]) if 'conflict' in h else np.full((looks, T, T), np.nan)
    return h.assign(moved=(PAIR, moved), rest=(('term', 'task_2'), rest), delta=('task_2', delta), measured=('task_2', moved.sum(0) + rest.sum(0) + delta), conflict_at=(('look', *PAIR), at), look_step=('look', np.arange(looks)*25)).assign_coords(task_2=names, term=list(terms), look=np.arange(looks))


def left_out(tasks, seed=0, runs=3):
    "Invented effects of leaving tasks out: the first one is sure to help the second, the second to hurt the first"
    r, T = np.random.default_rng(seed), len(tasks); e = r.uniform(-.02, .02, (T, T)); e[0, 1:2], e[1:2, 0] = .12, -.09; np.fill_diagonal(e, np.nan); half = np.full((T, T), .05 if runs > 1 else np.nan)
    return xr.Dataset(dict(effect=(PAIR, e), low=(PAIR, e - half), high=(PAIR, e + half)), coords=dict(task=np.array(tasks, str), task_2=np.array(tasks, str)), attrs=dict(kind='truth: trained without each task'))


def arrays(packed): return {k: np.frombuffer(a['data'], a['dtype']).reshape(a['shape']) for k, a in packed.items()}


@pytest.fixture
def wire(monkeypatch):
    "What views send: (names of traits, bytes)"
    sent = []
    monkeypatch.setattr(TrainingMonitor, '_send', lambda self, msg, buffers=None: sent.append((sorted(msg.get('state', {})), sum(len(memoryview(b).cast('B')) for b in buffers or []))))
    return sent


@pytest.fixture
def no_pause(monkeypatch): monkeypatch.setattr(training, 'PAUSE', 0)


# ---- keywords and sources

def test_keywords_labels_and_sources_are_checked():
    assert set(traits_of(TrainingMonitor))=={'tasks', 'panels', 'pairs'}
    h = history(); v = TrainingMonitor(h, tasks=['b', 'b', 'a']); assert v.tasks==['b', 'a'] and 'done' in repr(v)
    with pytest.raises(TypeError, match="no keyword 'task'; did you mean 'tasks'"): TrainingMonitor(h, task='a')
    with pytest.raises(ValueError, match="tasks: no 'd'"): v.tasks = ['d']
    with pytest.raises(t.TraitError): v.panels = 0
    with pytest.raises(TypeError, match='TrainingMonitor expects the history that `fit` returns.*not list'): TrainingMonitor([1])
    for bad, match in [(h.drop_vars('train_loss'), "history has no array 'train_loss'"), (h.assign(learning_rate=('task', [1., 2, 3])), r'history/learning_rate has dims \(task\); expected \(step\)'), (h.isel(step=slice(None, None, -1)), 'history/step does not rise'),
                       (h.drop_vars('task'), "history has no coordinate for dim 'task'"), (with_conflicts(h).drop_vars('task_2'), "no coordinate for dim 'task_2'")]:
        with pytest.raises(ValueError, match=match): TrainingMonitor(bad)
    assert TrainingMonitor(h.transpose('task', 'step'))._arrays==v._arrays


def test_a_tree_with_training(tmp_path):
    tree = trees.three(); empty = TrainingMonitor(tree); assert 'pairs of tasks in /interference' in str(empty._info['instead']['lines']) and empty._info['instead']['kind']=='empty' and not empty.trouble
    with pytest.raises(ValueError, match='does not say how the model was trained'): empty.table()
    h = history(); tree['training'] = h; tree['interference'] = conflicts(h.task.values)
    back = load(save(tree, tmp_path/'t.nc')); v = TrainingMonitor(back); assert v._arrays==TrainingMonitor(with_conflicts(h))._arrays and v._info['tested'] and v.tree is back
    assert v._info['nullWords']=='rows permuted between tasks, 999 times' and v.table().conflicts_with.tolist()==[['a'], ['b'], []]
    tree['training'] = h.drop_vars('learning_rate'); v = TrainingMonitor(tree); assert "/training has no array 'learning_rate'" in v.trouble and v._info['instead']['kind']=='error'
    with pytest.raises(ValueError, match='learning_rate'): v.table()
    tree['training'] = h; tree['interference'] = conflicts(h.task.values)[['conflict']].rename(task_2='other'); assert '/interference' in TrainingMonitor(tree).trouble


# ---- what the matrix can show

def test_the_matrix_has_a_switch_where_there_is_more_to_show():
    h = history(); assert TrainingMonitor(h)._info['pairs']==[] and TrainingMonitor(with_conflicts(h))._info['pairs']==['pulls']
    full = with_ledger(with_conflicts(h)); v = TrainingMonitor(full, pairs='moved'); a = arrays(v._arrays); assert v._info['pairs']==['pulls', 'moved'] and v._info['terms']==['momentum', 'weight decay'] and v._info['looks']==[1, 26, 51]
    for k in ('moved', 'rest', 'delta', 'measured'): np.testing.assert_allclose(a[k], full[k], rtol=1e-6)
    assert a['course'].dtype==np.int8 and a['course'].shape==(3, 3, 3) and a['course'][0, 0, 1]==-30 and a['course'][2, 0, 1]==-10
    with pytest.raises(ValueError, match="pairs='transfer': no task was left out.*There is: 'pulls', 'moved'"): v.pairs = 'transfer'
    with pytest.raises(ValueError, match="pairs='moved': no ledger of steps was kept"): TrainingMonitor(h, pairs='moved')
    with pytest.raises(ValueError, match='moved has dims'): TrainingMonitor(full.assign(moved=('task', [1., 2, 3])))
    live = TrainingMonitor(pairs='moved'); live.update(h.isel(step=[0]).assign_attrs(status='running')); live.update(full); assert live.pairs=='moved' and live._arrays==v._arrays  # chosen before there was any
    swapped = full.isel(task_2=[2, 0, 1]); assert TrainingMonitor(swapped)._arrays==v._arrays


def test_a_tree_shows_all_that_it_has(tmp_path):
    tree = trees.three(); h = history(); names = h.task.values; tree['training'], tree['interference'], tree['transfer'] = h, with_ledger(with_conflicts(h))[['conflict', 'null_low', 'null_high', 'moved', 'rest', 'delta', 'measured', 'conflict_at', 'look_step']], left_out(names)
    v = TrainingMonitor(load(save(tree, tmp_path/'t.nc')), pairs='transfer'); assert v._info['pairs']==['pulls', 'moved', 'transfer'] and v._info['leftWords']=='truth: trained without each task' and not v.trouble
    tree = trees.three(); tree['training'] = with_ledger(with_conflicts(h)); assert TrainingMonitor(tree)._info['pairs']==['pulls', 'moved']  # the history of a watched run, as it is
    tree['transfer'] = left_out(names).rename(task_2='other'); assert '/transfer/effect has dims' in TrainingMonitor(tree).trouble


def test_pairs_without_a_history(tmp_path):
    "What `interference` and `transfer` return can be looked at by itself, and in a tree without /training"
    h = with_ledger(with_conflicts(history())); pairs = h[['conflict', 'null_low', 'null_high', 'moved', 'rest', 'delta', 'measured']]; tree = trees.three(); tree['interference'] = pairs
    for v in (TrainingMonitor(pairs), TrainingMonitor(tree)): assert v._info['alone'] and v._info['pairs']==['pulls', 'moved'] and v._info['tasks']==['a', 'b', 'c'] and arrays(v._arrays)['step'].size==0 and v.table().shape[0]==6 and 'their pairs' in repr(v)
    v = TrainingMonitor(left_out(['a', 'b'])); assert v._info['pairs']==['transfer'] and v.table().effect.round(2).tolist()==[.12, -.09]
    live = TrainingMonitor(pairs); live.update(history(tasks=('a', 'b', 'c'), n=2)); assert 'alone' not in live._info


def test_the_table_of_pairs():
    h = with_ledger(with_conflicts(history())); d = TrainingMonitor(h, pairs='moved').table()
    assert d.part.value_counts().to_dict()=={'gradient': 9, 'other term': 6, 'left open': 3, 'measured': 3} and d[d.part.isin(['left open', 'measured'])].task.eq('').all()
    for x in 'abc': one = d[d.task_2==x]; assert np.isclose(one[one.part != 'measured'].change.sum(), one[one.part=='measured'].change.item())  # the column closes
    assert d[(d.task=='a') & (d.task_2=='b')].change.item()==float(h.moved.sel(task='a', task_2='b')) and d[d.part=='other term'].task.unique().tolist()==['momentum', 'weight decay']
    tree = trees.three(); tree['training'], tree['transfer'] = history(), left_out(['a', 'b', 'c']); d = TrainingMonitor(tree, pairs='transfer').table()
    assert d.columns.tolist()==['task', 'task_2', 'effect', 'low', 'high', 'evidence'] and len(d)==6 and d.evidence.sum()==2 and d[d.evidence].effect.round(2).tolist()==[.12, -.09]
    one = TrainingMonitor(left_out(['a', 'b', 'c'], runs=1)).table(); assert one.evidence.isna().all()
    d = TrainingMonitor(h[['conflict', 'null_low', 'null_high']]).table(); assert d.set_index(['task', 'task_2']).evidence.to_dict()[('a', 'b')] and d.evidence.sum()==2
    p = h[['conflict']].assign(p_corrected=h.conflict*0 + .5); p.p_corrected[0, 1] = np.nan; assert TrainingMonitor(p).table().evidence.isna().tolist()==[True, *[False]*5]


def test_a_bare_history_is_enough():
    "Without attributes the best step is the one with the lowest mean"
    h = history().drop_attrs()[['train_loss', 'validation_loss', 'learning_rate']]; now = TrainingMonitor(h)._info['now']
    assert now['status']=='done' and now['best_step']==int(h.step[int(h.validation_loss.mean('task').argmin('step'))]) and now['steps']==200 and now['concepts']==0
    assert TrainingMonitor(history(seconds=np.inf))._info['now']['seconds']==0


def test_links_by_equal_names():
    from mtl_explain.concept_map import ConceptMap
    ex = example(); m, v = ConceptMap(ex), TrainingMonitor(history(tasks=[str(x) for x in ex['tasks'].task.values])); link(m, v)
    v.tasks = ['vote']; assert m.tasks==['vote']; m.tasks = ['diabetes', 'vote']; assert v.tasks==['diabetes', 'vote']


# ---- what is sent

def test_what_is_sent_is_the_history():
    h = history(); a = arrays(TrainingMonitor(h)._arrays)
    for k, name in dict(train='train_loss', valid='validation_loss', lr='learning_rate', entropy='attention_entropy').items(): np.testing.assert_array_equal(a[k], h[name].values.astype('float32'))
    assert a['step'].tolist()==h.step.values.tolist() and a['dead'].tolist()==h.dead_concepts.values.tolist()


def test_only_what_is_new_is_sent(wire, no_pause):
    h = history(n=40); v = TrainingMonitor(); wire.clear()
    for n in range(1, 41): v.update(h.isel(step=slice(n)).assign_attrs(status='running'))
    first, pieces = wire[0], wire[1:]; assert first[0]==['_arrays', '_info', '_new'] and len(pieces)==39
    assert {tuple(names) for names, _ in pieces}=={('_new',)} and {size for _, size in pieces}=={4*(1+3+3+1+1+1)}  # one row of three tasks
    wire.clear(); v.update(h); assert [names for names, _ in wire]==[['_new'], ['_arrays', '_info']]
    assert v._arrays==TrainingMonitor(h)._arrays and v._info==TrainingMonitor(h)._info and arrays(v._new['arrays'])['step'].size==0


def test_a_few_times_a_second(wire, monkeypatch):
    clock = [100.]; monkeypatch.setattr(training.time, 'monotonic', lambda: clock[0]); h = history(n=30); v = TrainingMonitor(); pieces = []
    v.observe(lambda c: pieces.append(arrays(c.new['arrays'])['step'].tolist() if c.new else None), '_new')
    for n in range(1, 31): clock[0] += .1; v.update(h.isel(step=slice(n)).assign_attrs(status='running'))
    got = [p for p in pieces if p is not None]; assert 8 <= len(got) <= 12 and max(len(p) for p in got)==3
    v.update(h); got = [p for p in pieces if p is not None]; assert sum(got, [])==h.step.values[1:].tolist(), 'held-back rows are sent later, none twice'


def test_another_run_begins_anew(wire, no_pause):
    v = TrainingMonitor(tasks=['b', 'gone']); v.update(history(n=5, status='running')); assert v.tasks==['b']
    wire.clear(); v.update(history(n=1, seed=3, status='running')); assert '_arrays' in wire[0][0] and arrays(v._arrays)['step'].tolist()==[25]
    v.update(history(tasks=('x',), n=2, seed=3, blind=())); assert v._info['tasks']==['x'] and v.tasks==[]
    v.update(with_conflicts(history(n=3, status='running'))); assert v._info['tested'] and 'conflict' in v._arrays


def test_it_appears_under_a_running_cell(monkeypatch, no_pause):
    shown = []
    def display(data, raw, display_id=False): shown.append(sorted(data)); return SimpleNamespace(update=lambda data, raw: shown.append(data['text/html']))
    fake = lambda shell: SimpleNamespace(get_ipython=lambda: shell, display=SimpleNamespace(display=display))
    h = history(); live = lambda n: h.isel(step=slice(n)).assign_attrs(status='running'); outputs = [['application/vnd.jupyter.widget-view+json'], ['text/html', 'text/plain']]
    monkeypatch.delenv('IN_TEST', raising=False); monkeypatch.setitem(sys.modules, 'IPython', fake(None)); v = TrainingMonitor(); v.update(live(1)); assert shown==[]
    monkeypatch.setitem(sys.modules, 'IPython', fake(SimpleNamespace(kernel=1))); v.update(live(2)); v.update(live(3)); assert shown==outputs
    v.update(h); assert shown[:2]==outputs and len(shown)==3 and '"status":"done"' in shown[2] and f'data-mtl-live="{v.model_id}"' in shown[2], 'what is stored is the whole history'
    shown.clear(); v = TrainingMonitor(); v._ipython_display_(); v.update(live(1)); assert shown==outputs, 'it was shown before'
    v.update(h); assert len(shown)==3 and '"status":"done"' in shown[2]
    shown.clear(); v = TrainingMonitor(); v._repr_mimebundle_(); v.update(live(1)); v.update(h); assert shown==[], 'it was shown before, by other means'


@pytest.mark.parametrize('steps, tasks', [(10, 3), (10_000, 121), (0, 5), (500_000, 1)])
def test_long_runs_are_thinned(steps, tasks):
    k = kept_steps(steps, tasks, always=[steps//3, steps-1]); assert (np.diff(k) > 0).all() and len(k)*tasks*8 <= LIMIT + 16*tasks
    assert not steps or (k[0]==0 and k[-1]==steps-1 and steps//3 in k)


# ---- evidence and the table

def test_evidence_follows_the_null():
    c = conflicts(list('abc')); e = evidence(c); assert e[0, 1]==e[1, 0]==1 and e[0, 2]==e[1, 2]==0
    assert (evidence(c[['conflict']])==2).all() and evidence(c.assign(null_low=c.null_low.where(c.task != 'a')))[0].tolist()==[2, 2, 2]
    p = np.ones((3, 3)); p[1, 2] = p[2, 1] = .04; assert evidence(c.assign(p_corrected=(PAIR, p)))[np.triu_indices(3, 1)].tolist()==[0, 0, 1]
    h = history(); assert not TrainingMonitor(with_conflicts(h, null=None))._info['tested'] and TrainingMonitor(with_conflicts(h, null=None)).table().conflicts_with.tolist()==[[], [], []]
    swapped = with_conflicts(h).isel(task_2=[2, 0, 1]); assert TrainingMonitor(swapped)._arrays==TrainingMonitor(with_conflicts(h))._arrays


def test_the_table():
    h = history(); d = TrainingMonitor(with_conflicts(h, pairs=[(0, 1, -.3), (1, 2, .2)])).table()
    assert d.task.tolist()==['b', 'a', 'c'] and d.step.unique().tolist()==[175] and d.beats_guess.tolist()[:2]==[False, True] and d.beats_guess.isna()[2] and d.lowest_step.isna().tolist()==[False, False, True]
    a = d.set_index('task').loc['a']; assert a.validation==float(h.validation_loss.sel(task='a', step=175)) and a.lowest==float(h.validation_loss.sel(task='a').min()) and a['last']==float(h.validation_loss.sel(task='a')[-1])
    assert a.lowest_step==int(h.step[int(h.validation_loss.sel(task='a').argmin('step'))]) and d.conflicts_with.tolist()==[['a'], ['b'], []] and d.helped_by.tolist()==[['c'], [], ['b']]
    assert len(TrainingMonitor(history(n=0)).table())==3 and TrainingMonitor(history(n=0)).table().validation.isna().all()
    with pytest.raises(ValueError, match='Nothing is being trained'): TrainingMonitor().table()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 4), st.integers(0, 5), st.integers(0, 9), st.booleans())
def test_any_history_is_prepared(tasks, n, seed, more):
    h = history(tasks=tuple(f't{i}' for i in range(tasks)), n=n, seed=seed, worse=(0,) if seed % 2 else (), blind=(1,) if seed % 3==0 else ())
    if seed % 4==3 and h.train_loss.size: h.train_loss[0, 0] = np.inf; h.validation_loss[-1, 0] = np.inf
    v = TrainingMonitor(with_conflicts(h, pairs=()) if more else h); assert len(v.table())==tasks and v.to_html().count('data-mtl-state') >= 1


def test_a_page_carries_losses_alone(tmp_path):
    h = history(tasks=trees.HOSTILE, n=3, worse=(), blind=()); page = TrainingMonitor(h).save_html(tmp_path/'t.html').read_text()
    assert '<img src=x' not in page and 'no rows of data and no weights' in page
    big = TrainingMonitor(with_conflicts(history(tasks=[f'table {i}' for i in range(121)], n=24), pairs=())).save_html(tmp_path/'b.html'); assert big.stat().st_size < 1e6


# ---- what fit tells

@pytest.fixture(scope='module')
def suite(): return planted(seed=3, tables=2, rows=60)


def stop_at(call, what):
    class Stopping(SquaredError):
        left = call
        def __call__(self, logits, y):
            Stopping.left -= 1
            if not Stopping.left: raise what
            return super().__call__(logits, y)
    return Stopping()


def run(suite, monitor, **kw):
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        return fit(MTLModel(suite), suite, progress=False, monitor=monitor, **{**dict(steps=30, evaluate=10), **kw})


def test_fit_reports_every_evaluation_and_the_end(suite):
    seen = []; h = run(suite, seen.append); assert [(s.attrs['status'], len(s.step)) for s in seen]==[('running', 1), ('running', 2), ('running', 3), ('done', 3)]
    assert seen[-1].identical(h) and seen[0].identical(h.isel(step=[0]).assign_attrs(seen[0].attrs)) and {k: h.attrs[k] for k in ('steps', 'evaluate', 'patience', 'concepts')}==dict(steps=30, evaluate=10, patience=0, concepts=12)
    v = TrainingMonitor(); again = run(suite, v); assert again.drop_attrs().identical(h.drop_attrs()), 'looking on changes nothing'
    assert v._arrays==TrainingMonitor(h)._arrays and v._info['now']['best_step']==h.attrs['best_step']


def test_fit_reports_how_it_ended(suite):
    seen = []; h = run(suite, seen.append, loss=dict(number=stop_at(22, KeyboardInterrupt()))); assert seen[-1].attrs['status']==h.attrs['status']=='interrupted'
    seen.clear(); run(suite, seen.append, steps=4000, patience=1, lr=1e-30); assert seen[-1].attrs['status']=='stopped early' and seen[-1].attrs['patience']==1
    seen.clear()
    with pytest.raises(FloatingPointError): run(suite, seen.append, loss=dict(number=stop_at(22, FloatingPointError('too far'))))
    assert seen[-1].attrs['status']=='failed' and len(seen[-1].step) >= 1
    v = TrainingMonitor(); run(suite, v, loss=dict(number=stop_at(3, KeyboardInterrupt()))); assert v._info['now']['status']=='interrupted' and v._info['now']['evaluations']==0
    def late(h):
        if len(h.step)==2 and h.attrs['status']=='running': raise KeyboardInterrupt
    assert run(suite, late).attrs['status']=='interrupted', 'pressed while somebody looked on'
