"A suite goes into a folder of CSV and JSON and comes back the same; damage is named."
import datetime, json, os, re, warnings
from contextlib import contextmanager
import numpy as np, pandas as pd, pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from mtl_explain.data import Table, TaskSuite
from mtl_explain.folders import column_back, column_text, file_name, read_cells, read_folder
from mtl_explain.suites import people, planted
from mtl_explain.uci import uci121
from test_data import HOSTILE, ROWS, frame, names, tables
from test_uci import made, tidy


def same(a, b):
    "Two suites that nobody could tell apart"
    assert a.tasks==b.tasks and a.variables.equals(b.variables) and (a.splits, a.seed, a.fold)==(b.splits, b.seed, b.fold)
    for n in a:
        p, q = a[n], b[n]
        assert np.array_equal(p.x, q.x) and np.array_equal(p.y, q.y, equal_nan=True) and (p.split==q.split).all() and list(p.index)==list(q.index)
        assert p.outcomes==q.outcomes and p.columns==q.columns and list(p.left_out.items())==list(q.left_out.items()) and (p.values()==q.values()).all() and (p.trained==q.trained).all()
        assert (p.family, p.table.groups, p.table.note, p.table.labels, p.table.targets, p.table.kinds)==(q.family, q.table.groups, q.table.note, q.table.labels, q.table.targets, q.table.kinds)

def again(s, path, **kw):
    with warnings.catch_warnings(): warnings.simplefilter('error'); back = TaskSuite.from_folder(s.to_folder(path, **kw))
    same(s, back); return back


# --- there and back ------------------------------------------------------------------------------------------------------------

@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(names, tables(), min_size=1, max_size=2), st.integers(0, 4))
def test_any_suite_comes_back(tmp_path_factory, tables, fold):
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        try: s = TaskSuite(tables, fold=fold)
        except ValueError: return
    try: again(s, tmp_path_factory.mktemp('suite')/'there')
    except ValueError as e: assert 'which a folder cannot keep' in str(e) or 'lone surrogate' in str(e), e

def test_suites_of_the_library(tmp_path):
    p = again(people(fold=1), tmp_path/'people')
    same(people(fold=3), p.with_fold(3))
    again(planted(kinds=('number', 'binary', 'ordered', 'nominal'), copies=1), tmp_path/'planted')
    f = p['vote'].table.frame
    assert f.equals(people()['vote'].table.frame) and list(f['party'].cat.categories)[0]=='strong Democrat'

def test_the_bare_layout_is_read_and_comes_back(tmp_path):
    x, y = made(); told = dict(lenses=dict(features=['a', 'b', '</script>', 'd'], classes=['x', 'y', 'z']))
    folder = tidy(tmp_path/'bare', {'lenses': (x, y, 60, []), 'monks-1': (x, y % 2, 80, list(range(20)))}, told, dict(size=[dict(dataset='lenses', index=0, feature='a')]))
    s = TaskSuite.from_folder(folder)
    assert s.variables.concept['lenses · a']=='size' and s['lenses'].outcomes[0].levels==('x', 'y', 'z') and s.tasks==['lenses', 'monks-1']
    u = uci121(folder); again(u, tmp_path/'full'); again(s, tmp_path/'plain')
    assert all((u[t].x==s[t].x).all() for t in s) and u['monks-1'].family=='monks'!=s['monks-1'].family
    same(u, uci121(tmp_path/'full'))
    assert TaskSuite.from_folder(tmp_path/'full', 'monks-1').tasks==['monks-1']

def test_everything_that_can_be_said_of_a_table(tmp_path):
    n, r = 60, np.random.default_rng(0)
    f = frame(n, who=[f'p{i % 17}' for i in range(n)], ill=np.arange(n) % 7==0, cough=np.where(np.arange(n) % 2, 'yes', 'no'), fever=pd.array([True, False, None]*20, 'boolean'), row_id=range(n), born=pd.Series([datetime.date(2000, 1, 1)]*n, dtype=object),
              size=pd.cut(r.normal(size=n), [-9, -1, 0, 1, 9]), wait=pd.to_timedelta(range(n), unit='h'), month=pd.period_range('2020', periods=n, freq='M'), seen=pd.date_range('2020', periods=n, tz='Europe/Vienna'), same=1)
    f.index = [f'\u202e{i}, "x"\n' for i in range(n)]; split = np.array(['']*50 + ['test']*10, object); f['who'] = [f'g{i//10}' if i >= 50 else f'p{i % 17}' for i in range(n)]
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        s = TaskSuite({'a/b\\c:*?"<>|': Table(f, ['t', {'symptoms': ['cough', 'fever']}], dict(ill='nominal'), 'who', units=dict(t='kg', a=''), concepts=dict(a='</b>', t='mass'), family='fam', split=split, clip=np.float64(3), note='é\n"'),
                       'plain': Table(frame(a=np.float32(np.arange(ROWS)/7)), 'b', scale=False)}, (.5, .25, .25), seed=7, fold=2)
    back = again(s, tmp_path/'x')
    t = back['a/b\\c:*?"<>|']
    assert [o.group for o in t.outcomes]==['', 'symptoms', 'symptoms'] and t.table.split.tolist()==split.tolist() and list(t.left_out)==['row_id', 'born', 'wait', 'month', 'seen', 'same']
    assert sorted(p.name for p in (tmp_path/'x'/'data').iterdir())==['a_b_c.csv', 'plain.csv']

def test_hostile_names_stay_inside(tmp_path):
    f = pd.DataFrame({n: np.random.default_rng(0).normal(size=ROWS) for n in HOSTILE}).assign(**{'level': HOSTILE[:4]*10, 'what?': HOSTILE[3:5]*20})
    s = TaskSuite({n: Table(f, 'what?', concepts={'level': n}, family=n) for n in [*HOSTILE, 'CON', 'con', '../../up', 'nul.txt', '.', '-']})
    again(s, tmp_path/'x'); found = [p for p in tmp_path.rglob('*') if p.is_file()]
    assert len(found)==2*len(s) + 2 and all(re.fullmatch(r'[A-Za-z0-9_-][\w.-]*', p.name, re.A) and p.stem.split('.')[0].lower() not in ('con', 'nul') for p in found)
    assert len({p.name.lower() for p in (tmp_path/'x'/'data').iterdir()})==len(s)

@pytest.mark.parametrize('values, kind', [
    ([1., -0., 5e-324, 1.7e308, None, .1], 'number'), ([2**63, 1], 'integer'), (pd.array([2**62, None], 'Int64'), 'integer'), (pd.array([2**63, None], 'UInt64'), 'integer'), (['NA', 'nan', '', None, 'missing', 'null'], 'text'), ([True, False], 'boolean'),
    (pd.Categorical([1, 3, None], [1, 2, 3], ordered=True), 'category'), (pd.Categorical(['', None, 'x']), 'category'), (pd.to_datetime(['1700-01-01 00:00:00.5', None], format='ISO8601'), 'datetime64[us]'), (['a\rb', 'c\r\n', ' d '], 'text')])
def test_columns(values, kind):
    s = pd.Series(values); facts, cells = column_text(s, 'c'); back = column_back(cells, json.loads(json.dumps(facts)), 'c')
    assert facts['type']==kind and all(isinstance(c, str) for c in cells); pd.testing.assert_series_equal(s, back, check_freq=False)
    assert not kind=='number' or np.signbit(back[1])

def test_file_names():
    used = set(); got = [file_name(n, used) for n in ('heart-va', 'Heart-VA', 'a'*300, 'com1', 'x. ', '...', '🦊', '-rf')]
    assert got==['heart-va', 'Heart-VA_2', 'a'*60, 'table_com1', 'x', 'table', 'table_2', '-rf']


# --- refusals -------------------------------------------------------------------------------------------------------------------

def cars(tmp_path):
    f = frame(mark=np.arange(ROWS) % 5 + 3, size=pd.Categorical(['S', 'L']*20)); s = TaskSuite({'cars': Table(f, 'mark', concepts=dict(a='mass'))}); s.to_folder(tmp_path/'x'); return tmp_path/'x', s

def edit(path, old, new, count=1):
    text = path.read_text(); assert old in text; path.write_text(text.replace(old, new, count))

def last_line(p): return p.write_text(p.read_text()[:p.read_text()[:-1].rindex('\n') + 1])

@pytest.mark.parametrize('harm, words', [
    (lambda d: (d/'data/cars.csv').unlink(), r'cars\.csv is missing'), (lambda d: (d/'splits/cars.json').unlink(), r'splits.cars\.json is missing'), (lambda d: (d/'concepts.json').unlink(), r'concepts\.json is missing'),
    (lambda d: (d/'data/cars.csv').write_text((d/'data/cars.csv').read_text()[:-1]), r'cars\.csv: the last line has no end.*cut short'), (lambda d: (d/'data/cars.csv').write_text((d/'data/cars.csv').read_text()[:-9]), r'cars\.csv.*cut short'),
    (lambda d: last_line(d/'data/cars.csv'), r'cars\.csv has 39 rows, and cars\.json counts 40'), (lambda d: (d/'data/cars.csv').write_text(''), r'cars\.csv is empty'), (lambda d: (d/'data/cars.csv').write_bytes(b'\xff\xfe'), r'cars\.csv is damaged'),
    (lambda d: edit(d/'data/cars.csv', ',7,S', ',70,S'), r"column 'mark': holds '70', which .* does not know among its levels, '3', '4'"), (lambda d: edit(d/'data/cars.csv', ',S\n', ',XL\n'), r"cars\.csv, column 'size', row 0: 'XL' is none of the categories 'L', 'S'"),
    (lambda d: edit(d/'data/cars.csv', ',7,', ',seven,'), r"column 'mark', row 4: 'seven' is no integer"), (lambda d: edit(d/'data/cars.csv', 'mark', 'marks'), r"its columns are .*'marks'.*knows .*'mark'"),
    (lambda d: edit(d/'data/cars.csv', ',7,', ',7,7,'), r'row 4: has 6 cells of 5'), (lambda d: edit(d/'data/cars.csv', ',7,', ',"7,'), r'cars\.csv is damaged or cut short'),
    (lambda d: edit(d/'suite.json', '"version": 1', '"version": 2'), r'suite\.json is of version 2; this library reads version 1'), (lambda d: edit(d/'suite.json', 'mtl_explain folder', 'other'), r'suite\.json is no mtl_explain folder'),
    (lambda d: (d/'suite.json').write_text((d/'suite.json').read_text()[:99]), r'suite\.json is damaged or cut short'), (lambda d: edit(d/'suite.json', '"columns"', '"column"'), r"damaged: .*'columns'"), (lambda d: (d/'suite.json').write_text('[]'), r'suite\.json is no'),
    (lambda d: edit(d/'suite.json', '"file": "cars"', '"file": "../cars"'), r"'\.\./cars' is no file name"), (lambda d: edit(d/'suite.json', '"type": "integer"', '"type": "pickle"'), r"type 'pickle' is not known"),
    (lambda d: edit(d/'splits/cars.json', '"train": [0', '"train": [99'), r'train names row 99, and there are rows 0 to 39'), (lambda d: edit(d/'splits/cars.json', '"train": [0, ', '"train": ['), r'row 0 is in no part'),
    (lambda d: edit(d/'splits/cars.json', '"train": [0', '"train": [0, 0'), r'row 0 is named twice'), (lambda d: edit(d/'concepts.json', '"feature": "a"', '"feature": "q"'), r"column 'q': concepts names it"), (lambda d: edit(d/'suite.json', '"target"', '"aim"'), r"damaged: .*'target'")])
def test_damage_is_named(tmp_path, harm, words):
    d, s = cars(tmp_path); same(s, TaskSuite.from_folder(d)); harm(d)
    with pytest.raises(ValueError, match=words): TaskSuite.from_folder(d)

def test_a_level_that_is_lost_is_noticed(tmp_path):
    d, _ = cars(tmp_path); p = d/'data/cars.csv'; p.write_text(p.read_text().replace(',7,', ',6,'))
    with pytest.raises(ValueError, match=r"column 'mark': is ordered \(3, 4, 5, 6\), and .* says ordered \(3, 4, 5, 6, 7\)"): TaskSuite.from_folder(d)

def test_a_stored_split_is_kept(tmp_path):
    d, s = cars(tmp_path); at = d/'splits/cars.json'; told = json.loads(at.read_text())
    told['train'][0], told['valid'][0] = told['valid'][0], told['train'][0]; at.write_text(json.dumps(told))
    with pytest.warns(UserWarning, match="the splits of 'cars' are kept as they are stored"): back = TaskSuite.from_folder(d)
    assert {p: sorted(told[p]) for p in ('train', 'valid', 'test')}=={p: back['cars'].rows(p).tolist() for p in ('train', 'valid', 'test')} and (back['cars'].split!=s['cars'].split).sum()==2

def test_where_it_is_written(tmp_path):
    d, s = cars(tmp_path)
    with pytest.raises(ValueError, match='is not empty.*overwrite=True'): s.to_folder(d)
    again(s, d, overwrite=True); (tmp_path/'file').write_text('')
    with pytest.raises(ValueError, match='is a file'): s.to_folder(tmp_path/'file')
    with pytest.raises(ValueError, match='there is no folder'): TaskSuite.from_folder(tmp_path/'none')
    (tmp_path/'empty').mkdir()
    with pytest.raises(ValueError, match=r'holds neither suite\.json nor'): TaskSuite.from_folder(tmp_path/'empty')
    with pytest.raises(ValueError, match="no task 'bikes'.*there are cars"): TaskSuite.from_folder(d, ['bikes'])

def files(d): return {str(p.relative_to(d)): p.read_bytes() for p in d.rglob('*') if p.is_file()}

@contextmanager
def no_file_above(size):
    "As on a full disk: no file may grow beyond `size` bytes"
    import resource, signal
    old, _ = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, old[1]))
    try: yield
    finally: resource.setrlimit(resource.RLIMIT_FSIZE, old)

def test_a_full_disk_leaves_the_former_folder(tmp_path):
    d, s = cars(tmp_path); before = files(d); more = s.with_table('bikes', Table(frame(), 't')); sizes = sorted(map(len, files(more.to_folder(tmp_path/'more')).values()))
    for size in [0, *(n - 1 for n in sizes)]:  # no file, some files, all but one
        with no_file_above(size), pytest.raises(OSError): more.to_folder(d, overwrite=True)
        assert files(d)==before; same(s, TaskSuite.from_folder(d))
    with no_file_above(sizes[-1] - 1), pytest.raises(OSError): more.to_folder(tmp_path/'new')
    assert not any((tmp_path/'new').iterdir()); again(more, tmp_path/'new'); again(more, d, overwrite=True)

@pytest.mark.parametrize('at', range(8))
def test_files_take_the_place_of_others_all_or_none(tmp_path, monkeypatch, at):
    import mtl_explain.folders as f
    d, s = cars(tmp_path); before = files(d); real, calls = os.replace, []
    def replace(a, b):
        calls.append(a)
        if len(calls)==at + 1: raise OSError(5, 'Input/output error')
        real(a, b)
    monkeypatch.setattr(f.os, 'replace', replace)
    with pytest.raises(OSError, match='Input/output'): s.with_table('bikes', Table(frame(), 't')).to_folder(d, overwrite=True)
    monkeypatch.undo(); assert files(d)==before and not [*d.glob('.*')]; same(s, TaskSuite.from_folder(d)); again(s, d, overwrite=True); assert files(d)==before

def test_files_of_others_stay(tmp_path):
    d, s = cars(tmp_path); theirs = {'notes.txt': b'x', 'data/own.csv': b'a\n', 'data/deep/x': b'y', 'splits/own.json': b'{}'}; (d/'data/deep').mkdir()
    for p, b in theirs.items(): (d/p).write_bytes(b)
    before = files(d); again(s, d, overwrite=True); assert files(d)==before

def test_a_run_that_was_killed_is_told(tmp_path):
    d, s = cars(tmp_path); (d/'.old').mkdir(); (d/'suite.json').rename(d/'.old'/'suite.json')
    with pytest.raises(ValueError, match=r'writing was stopped.*\.old: move them back'): TaskSuite.from_folder(d)
    again(s, d, overwrite=True); assert not (d/'.old').exists()

def test_what_a_folder_cannot_keep(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter('ignore'); s = TaskSuite({'x': Table(frame(row_id=[f'\ud800{i}' for i in range(ROWS)]), 't')})
    with pytest.raises(ValueError, match="table 'x', column 'row_id': holds half a character"): s.to_folder(tmp_path/'x')
    assert not (tmp_path/'x').exists()

def test_cells_are_read_strictly(tmp_path):
    (tmp_path/'a.csv').write_text('a,a\n1,2\n')
    with pytest.raises(ValueError, match='two columns have the same name'): read_cells(tmp_path/'a.csv')
    (tmp_path/'a.csv').write_text('a,b\n'); assert read_cells(tmp_path/'a.csv')==dict(a=[], b=[])
    assert read_folder.__module__=='mtl_explain.folders'


# --- labels that belong together --------------------------------------------------------------------------------------------------

def clinic(n=60): return frame(n, cough=np.arange(n) % 2==0, fever=np.resize(['yes', 'no', None], n), rash=np.arange(n) % 3 // 2)

def test_labels_are_binary_outcomes_of_a_group():
    s = TaskSuite({'c': Table(clinic(), ['t', {'symptoms': ['cough', 'fever', 'rash']}])}); t = s['c']
    assert [(o.name, o.kind, o.group) for o in t.outcomes]==[('t', 'number', ''), ('cough', 'binary', 'symptoms'), ('fever', 'binary', 'symptoms'), ('rash', 'binary', 'symptoms')]
    assert np.isnan(t.y[:, 2]).sum()==20 and len(t.outputs)==4 and 'symptoms: 3 labels (cough, fever, rash)' in repr(t) and 'symptoms: 3 labels' in repr(s) and 'symptoms: 3 labels' in s._repr_html_()
    assert list(s.variables.query("role=='target'").group)==['', 'symptoms', 'symptoms', 'symptoms'] and set(s.variables.query("role=='input'").group)=={''}
    alone = TaskSuite({'c': Table(clinic(), {'symptoms': ['cough', 'fever', 'rash']})})
    assert [o.name for o in alone['c'].outcomes]==['cough', 'fever', 'rash'] and 't' in alone['c'].features

@pytest.mark.parametrize('target, error, words', [
    ({'s': ['cough', 't']}, ValueError, "column 't': is one of the labels 's', so it must be yes or no, and was read as number"), ({'s': ['cough', 'b']}, ValueError, "column 'b': is one of the labels 's'.*nominal"), ({'s': []}, ValueError, "labels 's' name no column"),
    ({'s': 'cough'}, TypeError, "labels 's' must be a list"), (['cough', {'cough': ['fever', 'rash']}], ValueError, "labels called 'cough'"), ({'s': ['cough', 'cough']}, ValueError, 'twice'), ({'s': ['cough'], 'r': ['cough']}, ValueError, 'twice'), ({'s': ['gone']}, ValueError, "column 'gone': target names it"), ({'': ['cough']}, ValueError, 'empty')])
def test_labels_that_cannot_be(target, error, words):
    with pytest.raises(error, match=words): TaskSuite({'c': Table(clinic(), target)})


def test_with_table():
    s = TaskSuite({'a': Table(frame(), 't'), 'b': Table(frame(), 't', split=['train']*20 + ['valid']*10 + ['test']*10)}, seed=3, fold=1); more = s.with_table('c', Table(clinic(), 't'))
    assert more.tasks==['a', 'b', 'c'] and s.tasks==['a', 'b'] and list(more.variables.index[:len(s.variables)])==list(s.variables.index); same(more, TaskSuite(s.tables | {'c': Table(clinic(), 't')}, seed=3, fold=1))
    with pytest.raises(ValueError, match="there is a task 'a' already"): s.with_table('a', Table(clinic(), 't'))
    with pytest.warns(UserWarning, match="'id': left out"): s.with_table('d', Table(frame(id=range(ROWS)), 't'))
