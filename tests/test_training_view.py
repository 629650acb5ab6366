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
    assert set(traits_of(TrainingMonitor))=={'tasks', 'panels'}
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
    tree = trees.three(); empty = TrainingMonitor(tree); assert empty._info['instead']['kind']=='empty' and not empty.trouble
    with pytest.raises(ValueError, match='does not say how the model was trained'): empty.table()
    h = history(); tree['training'] = h; tree['interference'] = conflicts(h.task.values)
    back = load(save(tree, tmp_path/'t.nc')); v = TrainingMonitor(back); assert v._arrays==TrainingMonitor(with_conflicts(h))._arrays and v._info['tested'] and v.tree is back
    assert v._info['nullWords']=='rows permuted between tasks, 999 times' and v.table().conflicts_with.tolist()==[['a'], ['b'], []]
    tree['training'] = h.drop_vars('learning_rate'); v = TrainingMonitor(tree); assert "/training has no array 'learning_rate'" in v.trouble and v._info['instead']['kind']=='error'
    with pytest.raises(ValueError, match='learning_rate'): v.table()
    tree['training'] = h; tree['interference'] = conflicts(h.task.values)[['conflict']].rename(task_2='other'); assert '/interference' in TrainingMonitor(tree).trouble


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
    seen.clear(); run(suite, seen.append, steps=4000, patience=1, lr=0.); assert seen[-1].attrs['status']=='stopped early' and seen[-1].attrs['patience']==1
    seen.clear()
    with pytest.raises(FloatingPointError): run(suite, seen.append, loss=dict(number=stop_at(22, FloatingPointError('too far'))))
    assert seen[-1].attrs['status']=='failed' and len(seen[-1].step) >= 1
    v = TrainingMonitor(); run(suite, v, loss=dict(number=stop_at(3, KeyboardInterrupt()))); assert v._info['now']['status']=='interrupted' and v._info['now']['evaluations']==0
    def late(h):
        if len(h.step)==2 and h.attrs['status']=='running': raise KeyboardInterrupt
    assert run(suite, late).attrs['status']=='interrupted', 'pressed while somebody looked on'
