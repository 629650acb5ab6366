"Frames of every shape give a suite whose every variable is finite, or a refusal that names table and column."
import datetime, decimal, re, warnings
import numpy as np, pandas as pd, pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from mtl_explain.data import KINDS, Column, Outcome, Table, TaskSuite, read_column

HOSTILE = ['</script><img src=x onerror=alert(1)>', '"quoted" and \'quoted\'', 'a/b\\c', 'two\nlines', '🦊 emoji', 'עברית', '\u202eturned', '..', ' ', 'é' * 80]
ROWS = 40
rng = np.random.default_rng(0)
quiet = pytest.mark.filterwarnings('ignore:table')


def frame(rows=ROWS, **more):
    r = np.random.default_rng(1)
    return pd.DataFrame(dict(a=r.normal(size=rows), b=r.choice(['x', 'y', 'z'], rows), t=r.normal(size=rows))).assign(**more)

def suite(f, target='t', name='wine', **kw): return TaskSuite({name: Table(f, target, **kw)})


# --- frames of every shape -------------------------------------------------------------------------------------------------------

names = st.one_of(st.sampled_from(HOSTILE), st.text(min_size=1, max_size=6))
texts = st.one_of(st.sampled_from(['red', 'white', 'missing', *HOSTILE[:4]]), st.text(max_size=4))
POOLS = dict(  # a few drawn values, of which the rows of a column are made
    floats=st.floats(allow_infinity=False), tame=st.floats(-1e3, 1e3), any_float=st.floats(), ints=st.integers(-2**63, 2**63 - 1), few=st.integers(0, 4), bools=st.booleans(),
    texts=texts, category=texts, ordered=st.sampled_from(['low', 'mid', 'high']), nullable=st.integers(0, 20), tiny=st.floats(-1e-300, 1e-300),
    dates=st.datetimes(datetime.datetime(1900, 1, 1), datetime.datetime(2100, 1, 1)), big=st.integers(-10**310, 10**310), decimals=st.decimals(allow_nan=False, allow_infinity=False),
    objects=st.one_of(st.none(), st.integers(), st.text(max_size=2), st.booleans(), st.tuples(st.integers())))
KINDS_OF_COLUMN = ['normal'] * 6 + list(POOLS) + ['few', 'bools', 'texts', 'ordered'] * 2

@st.composite
def columns(draw, n):
    kind = draw(st.sampled_from(KINDS_OF_COLUMN))
    r = np.random.default_rng(draw(st.integers(0, 99)))
    if kind == 'normal': s = pd.Series(r.normal(size=n) * draw(st.sampled_from([1, 1, 1e-9, 1e150])))
    else:
        pool = draw(st.lists(POOLS[kind], min_size=1 + (kind != 'floats'), max_size=8))
        v = [pool[i] for i in r.integers(0, len(pool), n)]
        if kind == 'ordered': s = pd.Series(pd.Categorical(v, ['low', 'mid', 'high', 'never'], ordered=True))
        else: s = pd.Series(v, dtype=dict(category='category', nullable='Int64', objects=object, big=object).get(kind))
    holes = draw(st.sampled_from([0, 0, 0, 0, 0, .1, .3, .9]))
    return s.mask(r.random(n) < holes) if holes else s

@st.composite
def tables(draw):
    n = draw(st.sampled_from([0, 2, 5, 12, *[30, 40, 60] * 5]))
    labels = draw(st.lists(names, min_size=2, max_size=6, unique=draw(st.sampled_from([True] * 9 + [False]))))
    f = pd.concat([draw(columns(n)) for _ in labels], axis=1)
    f.columns = labels
    target = draw(st.one_of(st.just(labels[-1]), st.just(labels[-1]), st.lists(st.sampled_from(labels), min_size=1, max_size=2)))
    return Table(f, target, draw(st.sampled_from([None] * 8 + [*KINDS])), draw(st.sampled_from([None] * 9 + [labels[0]])))

def check(s):
    for n in s:
        t = s[n]
        assert t.x.dtype == t.y.dtype == np.float32 and t.x.shape == (len(t), len(t.inputs)) == (len(t.frame), len(t.feature_of))
        assert np.isfinite(t.x).all() and not np.isinf(t.y).any() and len(t.index) == len(t) and t.index.is_unique
        assert np.array_equal(t.encode(t.frame), t.x) and t.values().shape == (len(t), len(t.features))
        assert all(isinstance(v, str) and v for v in t.values().flat)
        assert sum(o.scores for o in t.outcomes) == len(t.outputs) and set(t.split) == {'train', 'valid', 'test'}
        assert not t.x[:, ~t.trained].any()
        for o, y in zip(t.outcomes, t.y.T):
            train = y[t.rows('train')]
            train = train[~np.isnan(train)]
            assert set(range(len(o.levels))) == set(train) if o.levels else abs(train.mean()) < 1e-3 and abs(train.std() - 1) < 1e-3
    v = s.variables
    assert v.index.is_unique and list(v.index) == [i for n in s for i in s[n].inputs + s[n].outputs]
    assert np.isfinite(v[['mean', 'std']]).all(axis=None) and (v['std'] > 0).all()
    text = v.drop(columns=['mean', 'std'])
    assert text.map(lambda c: isinstance(c, str)).all(axis=None) and set(v.role) == {'input', 'target'} and set(v.kind) <= {*KINDS, 'missing'}
    assert isinstance(repr(s), str) and '<img' not in s._repr_html_() and '<script' not in s._repr_html_()

@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(names, tables(), min_size=1, max_size=2), st.integers(0, 5))
def test_any_frame_is_read_or_refused(tables, seed):
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        try: s = TaskSuite(tables, seed=seed)
        except ValueError as e:
            assert re.match(r'table .+: .+', str(e), re.S), e
            assert any(repr(n) in str(e) for n in tables) or 'name' in str(e)
        else: check(s)

@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_tame_frame_is_never_refused(data):
    "Without this the property above could be kept by refusing everything."
    n = data.draw(st.integers(30, 60))
    kinds = data.draw(st.lists(st.sampled_from(['number', 'category', 'ordered', 'boolean', 'holes']), min_size=1, max_size=6))
    r = np.random.default_rng(data.draw(st.integers(0, 9)))
    make = dict(number=lambda: r.normal(size=n), category=lambda: r.choice([*'abc'], n), boolean=lambda: np.arange(n) % 3 == 0,
                ordered=lambda: pd.Categorical(r.choice(['low', 'high', 'mid'], n), ['low', 'mid', 'high'], ordered=True),
                holes=lambda: np.where(r.random(n) < .3, np.nan, r.normal(size=n)))
    f = pd.DataFrame({f'{k}{i}': make[k]() for i, k in enumerate(kinds)})
    f['target'] = data.draw(st.sampled_from([lambda: r.normal(size=n), lambda: r.permutation(n) % 2 == 0, lambda: r.permutation(n) % 4]))()
    check(suite(f, 'target', data.draw(st.sampled_from(HOSTILE))))


# --- what becomes of a column -----------------------------------------------------------------------------------------------------

def test_kinds_of_inputs():
    f = frame(flag=rng.random(ROWS) < .5, size=pd.Categorical(rng.choice(['s', 'm', 'l'], ROWS), ['s', 'm', 'l'], ordered=True), n=pd.array([None, *range(ROWS - 1)], 'Int64'))
    t = suite(f)['wine']
    v = suite(f).variables
    assert [(a, b, c) for a, b, c in zip(v.feature, v.level, v.kind)] == [
        ('a', '', 'number'), ('b', 'x', 'nominal'), ('b', 'y', 'nominal'), ('b', 'z', 'nominal'), ('flag', '', 'binary'), ('size', '', 'ordered'),
        ('n', '', 'number'), ('n', 'missing', 'missing'), ('t', '', 'number')]
    assert list(t.feature_of) == [0, 1, 1, 1, 2, 3, 4, 4] and t.features == ['a', 'b', 'flag', 'size', 'n']
    assert t.x[0, 6] == 0 and t.x[:, 7].sum() == 1 and (t.x[:, 1:4].sum(1) == 1).all()
    train = t.x[t.rows('train')]
    assert np.allclose(train[:, [0, 4, 5]].mean(0), 0, atol=1e-5) and np.allclose(train[:, [0, 4, 5]].std(0), 1, atol=1e-5)
    assert list(t.values([0])[0]) == [f'{f.a[0]:.4g}', f.b[0], 'yes' if f.flag[0] else 'no', f['size'][0], 'missing']

@pytest.mark.parametrize('values, kind, levels', [
    ([True, False] * 20, 'binary', ('no', 'yes')), ([0., 1.] * 20, 'binary', ('0', '1')), (['Dole', 'Clinton'] * 20, 'binary', ('Clinton', 'Dole')),
    ([1, 2, 3, 4] * 10, 'ordered', ('1', '2', '3', '4')), ([1., np.nan, 2., 3.] * 10, 'ordered', ('1', '2', '3')),
    (np.arange(40), 'number', ()), ([.5, 1., 1.5, 2.] * 10, 'number', ()), (['a', 'b', 'c', None] * 10, 'nominal', ('a', 'b', 'c')),
    (pd.Categorical(['lo', 'hi', 'mid', 'hi'] * 10, ['lo', 'mid', 'hi'], ordered=True), 'ordered', ('lo', 'mid', 'hi')),
    (pd.Categorical(['u', 'v', 'w', 'v'] * 10, ['w', 'v', 'u', 'never']), 'nominal', ('w', 'v', 'u'))])
def test_kinds_of_targets(values, kind, levels):
    s = suite(frame().assign(t=values))
    o = s['wine'].outcomes[0]
    assert (o.kind, o.levels) == (kind, levels) and o.rule and f'[guessed: {o.rule}]' in repr(s) and f'[guessed: {o.rule}]' in s._repr_html_()

def test_a_stated_kind_is_not_called_a_guess():
    s = suite(frame(t=np.arange(ROWS) % 4), kind='nominal')
    assert s['wine'].outcomes[0].kind == 'nominal' and len(s['wine'].outputs) == 4 and 'guessed' not in repr(s)
    assert list(s.variables.level[-4:]) == ['0', '1', '2', '3']
    inputs = suite(frame(code=np.arange(ROWS) % 3), kind={'code': 'nominal'})['wine']
    assert [c.kind for c in inputs.columns] == ['number', 'nominal', 'nominal']

def test_scale_never_sees_test_rows():
    f = frame()
    rows = suite(f)['wine'].rows('train')
    outside = np.setdiff1d(np.arange(ROWS), rows)
    g = f.copy()
    g.loc[outside, ['a', 't']] += 100
    a, b = suite(f)['wine'], suite(g)['wine']
    assert np.array_equal(a.x[rows], b.x[rows]) and a.outcomes == b.outcomes and not np.array_equal(a.x, b.x)

def test_what_no_training_row_shows_is_off():
    f = frame()
    test = suite(f)['wine'].rows('test')
    f.loc[test[0], 'b'], f.loc[test[1], 'a'] = 'new', np.nan
    t = suite(f)['wine']
    off = [i for i, on in zip(t.inputs, t.trained) if not on]
    assert off == ['wine · a missing', 'wine · b = new'] and not t.x[test[0], 2:].any() and not t.x[test[1], :2].any()
    assert list(suite(f).with_fold(1).variables.index) == list(suite(f).variables.index)

def test_encode_new_rows():
    t = suite(frame(flag=np.arange(ROWS) % 3 == 0))['wine']
    new = pd.DataFrame(dict(b=['y', 'unseen', None], a=[1, 2, 3], flag=[True, False, True], other=0), index=[7, 7, 7])
    x = t.encode(new)
    assert x.shape == (3, 5) and list(x[:, 2]) == [1, 0, 0] and not x[1:, 1:4].any() and t.encode(new[:0]).shape == (0, 5)
    for problem, f in dict(a=new.drop(columns='a'), flag=new.assign(flag='perhaps'), b=None).items():
        if f is not None:
            with pytest.raises(ValueError, match=f"table 'wine', column '{problem}'"): t.encode(f)
    with pytest.raises(ValueError, match="table 'wine', column 'a'.*a number"): t.encode(new.assign(a='much'))

def test_missing_labels_keep_their_row():
    f = frame()
    f.loc[::3, 't'] = np.nan
    t = suite(f)['wine']
    assert len(t) == ROWS and np.isnan(t.y[::3]).all() and np.isfinite(np.delete(t.y, np.arange(0, ROWS, 3))).all()
    shares = [np.isnan(t.y[t.rows(p)]).mean() for p in ('train', 'valid', 'test')]
    assert max(shares) - min(shares) < .2

def test_sample_ids():
    for index, kept in [(range(5, 5 + ROWS), True), ([f'p{i}' for i in range(ROWS)], True), ([*range(ROWS - 1), 'x'], False), ([0] * ROWS, False),
                        (np.linspace(0, 1, ROWS), False), ([f'p\0{i}' for i in range(ROWS)], False)]:
        t = suite(frame().set_axis(list(index)))['wine']
        assert list(t.index) == (list(index) if kept else list(range(ROWS)))
    assert suite(frame().set_axis(pd.date_range('2020', periods=ROWS)))['wine'].index[0].startswith('2020-01-01')


# --- splits ------------------------------------------------------------------------------------------------------------------------

def test_splits_are_seeded_and_stratified():
    f = frame(200, t=np.repeat(['rare', 'common'], [20, 180]))
    a, b, c = (TaskSuite({'wine': Table(f, 't')}, seed=s)['wine'].split for s in (1, 1, 2))
    assert (a == b).all() and (a != c).any()
    assert pd.crosstab(a, f.t).rare.to_dict() == dict(test=4, train=12, valid=4)

def test_folds_test_every_row_once():
    for splits, folds in [((.6, .2, .2), 5), ((.8, .1, .1), 10), ((.5, .25, .25), 4)]:
        s = TaskSuite({'wine': Table(frame(), 't')}, splits)
        assert s.folds == folds
        tested = np.concatenate([s.with_fold(k)['wine'].rows('test') for k in range(folds)])
        assert sorted(tested) == list(range(ROWS))
        assert all(set(s.with_fold(k)['wine'].split) == {'train', 'valid', 'test'} for k in range(folds))
    assert (s.with_fold(2)['wine'].split == TaskSuite({'wine': Table(frame(), 't')}, splits, fold=2)['wine'].split).all() and s.fold == 0
    with pytest.raises(ValueError, match='fold must be 0 to 3'): s.with_fold(4)

@pytest.mark.parametrize('target', ['t', 'c'])
def test_groups_stay_together(target):
    f = frame(c=rng.random(ROWS) < .5, who=[f'p{i % 13}' for i in range(ROWS)])
    for k in range(5):
        t = TaskSuite({'wine': Table(f.drop(columns='tc'.replace(target, '')), target, groups='who')}, fold=k)['wine']
        assert pd.Series(t.split).groupby(f.who).nunique().max() == 1 and 'who' not in t.features and set(t.split) == {'train', 'valid', 'test'}

@pytest.mark.parametrize('splits', [(.6, .4), (.5, .5, .5), (1, 0, 0), (.2, .2, .6), (.1, .6, .3), 'abc', None, (.6, .2, np.nan)])
def test_bad_splits(splits):
    with pytest.raises(ValueError, match='splits'): TaskSuite({'wine': Table(frame(), 't')}, splits)


# --- refusals: each names the table and, where there is one, the column -------------------------------------------------------------------

half = frame().assign(t=['x', 'y'] * 20)
refusals = {
    'unknown target': (frame(), dict(target='quality'), 'quality', 'target names it'),
    'no target': (frame(), dict(target=[]), None, 'names no target'),
    'target twice': (frame(), dict(target=['t', 't']), 't', 'twice'),
    'target is groups': (frame(), dict(groups='t'), 't', 'twice'),
    'unknown groups': (frame(), dict(groups='who'), 'who', 'groups names it'),
    'unknown unit': (frame(), dict(units={'mass': 'kg'}), 'mass', 'units names it'),
    'unknown concept': (frame(), dict(concepts={'mass': 'size'}), 'mass', 'concepts names it'),
    'unit not text': (frame(), dict(units={'a': 3}), 'a', 'not text'),
    'unknown kind': (frame(), dict(kind='count'), 't', "'count' is none of number"),
    'kind of no column': (frame(), dict(kind={'mass': 'number'}), 'mass', 'kind names it'),
    'missing group': (frame(who=['p'] * 39 + [None]), dict(groups='who'), 'who', 'row 39'),
    'few groups': (frame(who=['p', 'q'] * 20), dict(groups='who'), None, '2 groups cannot be cut into 5 parts'),
    'duplicate names': (frame().set_axis(['a', 'a', 't'], axis=1), {}, 'a', 'more than one column'),
    'numbers as names': (frame().set_axis([0, 1, 't'], axis=1), {}, 0, 'int, not text'),
    'empty name': (frame().set_axis(['', 'b', 't'], axis=1), {}, '', 'empty'),
    'NUL in a name': (frame().set_axis(['a\0', 'b', 't'], axis=1), {}, 'a\0', 'NUL'),
    'half a character': (frame().set_axis(['a\ud800', 'b', 't'], axis=1), {}, 'a\ud800', 'half a character'),
    'NUL in a level': (frame(b=['x', 'y\0'] * 20), {}, 'b', 'NUL'),
    'no rows': (frame()[:0], {}, None, 'no rows'),
    'no inputs': (frame()[['t']], {}, None, 'no input column'),
    'no input left': (frame()[['t']].assign(k=1), {}, None, "'k' has the same value"),
    'one class only': (frame(t='x'), {}, 't', 'one value only'),
    'constant target': (frame(t=3.5), {}, 't', 'one value only'),
    'target all missing': (frame(t=np.nan), {}, 't', 'every value is missing'),
    'input all missing': (frame(b=None), {}, 'b', 'every value is missing'),
    'infinite input': (frame(a=[np.inf] + [0.] * 39), {}, 'a', '1 infinite'),
    'infinite target': (frame(t=[1., -np.inf] * 20), {}, 't', '20 infinite'),
    'beyond a float': (frame(a=pd.Series([10**400, *range(39)], dtype=object)), {}, 'a', 'infinite'),
    'beyond proportion': (frame(a=np.arange(ROWS) + 1e12 * (np.arange(ROWS) == suite(frame())['wine'].rows('test')[0])), {}, 'a', 'a million'),
    'complex': (frame(a=1j * np.arange(ROWS)), {}, 'a', 'complex'),
    'a mixture': (frame(a=pd.Series([1, 'x'] * 20, dtype=object)), {}, 'a', 'mixed'),
    'lists': (frame(a=pd.Series([[1]] * ROWS, dtype=object)), {}, 'a', 'mixed'),
    'bytes': (frame(a=pd.Series([b'x', b'y'] * 20, dtype=object)), {}, 'a', 'bytes'),
    'free text': (frame(b=[f'note {i}' for i in range(ROWS)]), {}, 'b', '40 levels in 40 rows'),
    'free text as target': (frame(t=[f'note {i}' for i in range(ROWS)]), {}, 't', '40 levels in 40 rows'),
    'levels that read alike': (frame(b=pd.Categorical([1, '1'] * 20)), {}, 'b', 'read \'1\''),
    'date as target': (frame(t=pd.date_range('2020', periods=ROWS)), {}, 't', 'dates'),
    'text as number': (half, dict(kind='number'), 't', 'to_numeric'),
    'boolean as number': (frame(t=[True, False] * 20), dict(kind='number'), 't', 'boolean'),
    'text as order': (half, dict(kind='ordered'), 't', 'order is not known'),
    'three as binary': (frame(t=[1, 2, 3, 4] * 10), dict(kind='binary'), 't', 'has 4 values'),
    'target among inputs': (frame().assign(copy=frame().t), {}, 'copy', "the target 't'"),
    'target in other words': (half.assign(code=[7, 9] * 20), {}, 'code', "the target 't'"),
    'a class untrained': (frame(t=['x'] * 20 + ['y'] * 19 + ['once']), dict(fold=None), 't', "'once'"),
    'no labels to test on': (frame(t=[1., 2.] + [np.nan] * 38), dict(kind='number'), 't', 'has a label'),
    'too few rows': (frame(3), {}, None, '3 rows cannot be cut into 5 parts'),
}

@quiet
@pytest.mark.parametrize('case', refusals)
def test_refused(case):
    f, kw, column, words = refusals[case]
    kw = dict(target='t') | kw
    every_fold = kw.pop('fold', 0) is None
    with pytest.raises(ValueError) as e:
        s = TaskSuite({'wine "x"': Table(f, **kw)})
        if every_fold: [s.with_fold(k) for k in range(5)]
    where = "table 'wine \"x\"'" + ('' if column is None else f', column {column!r}')
    assert str(e.value).startswith(where) and words in str(e.value)
    assert not column or isinstance(column, int) or '\n' not in str(e.value)

@pytest.mark.parametrize('make', [
    lambda: Table([[1, 2]], 't'), lambda: Table({'a': [1]}, 'a'), lambda: Table(frame(), 't', kind=3), lambda: Table(frame(), 't', units='kg'),
    lambda: TaskSuite({'wine': frame()}), lambda: TaskSuite([Table(frame(), 't')]), lambda: TaskSuite(frame())])
def test_wrong_types(make):
    with pytest.raises(TypeError, match='Table|TaskSuite'): make()

def test_names_of_tasks():
    for name in ['', 'a\0', 3, None]:
        with pytest.raises(ValueError, match=re.escape(f'table {name!r}')): TaskSuite({name: Table(frame(), 't')})
    with pytest.raises(ValueError, match='no table'): TaskSuite({})
    with pytest.raises(KeyError, match="'wine'"): suite(frame())['beer']

@pytest.mark.parametrize('column, values, words', [
    ('k', 3, 'same value'), ('k', [1.] + [np.nan] * 39, 'same value'), ('k', .1 + .2, 'same value'), ('id', range(ROWS), 'identifier'),
    ('patientId', [f'p{i}' for i in range(ROWS)], 'identifier'), ('row_id', range(5, 5 + ROWS), 'identifier'), ('Unnamed: 0', range(ROWS), 'identifier'),
    ('when', pd.date_range('2020', periods=ROWS), 'dates'), ('when', pd.Series([datetime.date(2020, 1, 1)] * ROWS, dtype=object), 'dates'),
    ('wait', pd.to_timedelta(range(ROWS), unit='h'), 'dates'), ('month', pd.period_range('2020', periods=ROWS, freq='M'), 'dates')])
def test_left_out_with_a_warning(column, values, words):
    with pytest.warns(UserWarning, match=f"table 'wine', column {column!r}: left out, because it .*{words}") as caught: s = suite(frame(**{column: values}))
    assert s['wine'].features == ['a', 'b'] and list(s['wine'].left_out) == [column] and column in repr(s) and len(caught) == 1
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        s.with_fold(1)

def test_what_looks_like_an_id_is_kept_where_it_is_none():
    kept = frame(id=np.arange(ROWS) // 2, acid=range(ROWS), grid=range(ROWS), index=np.arange(ROWS) / 2, stated_id=range(ROWS))
    assert suite(kept, kind={'stated_id': 'number'})['wine'].features == ['a', 'b', 'id', 'acid', 'grid', 'index', 'stated_id']


# --- hostile names ------------------------------------------------------------------------------------------------------------------------

def test_hostile_names_are_data():
    f = pd.DataFrame({n: rng.normal(size=ROWS) for n in HOSTILE}).assign(**{'level': rng.choice(HOSTILE[:3], ROWS), 'what?': rng.choice(HOSTILE[3:6], ROWS)})
    s = TaskSuite({n: Table(f, 'what?', units=dict.fromkeys(HOSTILE, HOSTILE[0]), concepts=dict.fromkeys(HOSTILE, HOSTILE[1]), family=HOSTILE[0]) for n in HOSTILE})
    check(s)
    assert s.tasks == HOSTILE and s['two\nlines'].features == [*HOSTILE, 'level'] and set(s['..'].outcomes[0].levels) == set(HOSTILE[3:6])
    page = s._repr_html_()
    assert '&lt;/script&gt;&lt;img' in page and '<img' not in page and '<bdi>' in page
    assert len(repr(s).splitlines()) == 2 + len(HOSTILE) and '\u202e' not in repr(s)

def test_ids_are_unique_even_where_names_conspire():
    f = frame(**{'b = x': range(ROWS)}, c=np.where(np.arange(ROWS) % 3, 1., np.nan) * np.arange(ROWS), **{'c missing': np.arange(ROWS) % 7})
    check(TaskSuite({'a': Table(f, 't'), 'a · b': Table(f.rename(columns={'b = x': 'x'}), 't')}))


# --- small promises --------------------------------------------------------------------------------------------------------------------------

def test_the_frame_of_the_user_is_left_alone():
    f = frame()
    g = f.copy()
    s = suite(f)
    f.loc[0, 'a'] = 1e9
    assert s['wine'].frame.equals(g) and s.with_fold(1)['wine'].frame.a[0] == g.a[0]

def test_number_like_objects():
    f = frame(d=pd.Series([decimal.Decimal(i) / 4 for i in range(ROWS)], dtype=object), m=pd.Series([1, 2.5] * 20, dtype=object), q=pd.Series([True, None, False, True] * 10, dtype=object))
    assert [c.kind for c in suite(f)['wine'].columns] == ['number', 'nominal', 'number', 'number', 'binary']
    assert suite(f, 'd', kind='number')['wine'].outcomes[0].kind == 'number'

def test_records():
    assert Outcome('t', 'nominal', ('a', 'b', 'c')).scores == 3 and Outcome('t', 'ordered', ('a', 'b', 'c')).scores == 1
    assert read_column(pd.Series([1, 1], name='k'), 'wine') is None and Column('a', 'number').levels == ()
    t = suite(frame())['wine']
    assert list(t.rows()) == list(range(ROWS)) and sum(len(t.rows(p)) for p in ('train', 'valid', 'test')) == ROWS
    with pytest.raises(ValueError, match="part must be 'train'"): t.rows('tests')
