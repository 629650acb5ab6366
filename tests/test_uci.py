"The tasks of UCI-121 from a folder: both layouts, what is reported, what is refused; small made-up tasks, no data of others."
import json, shutil
from pathlib import Path
import numpy as np, pandas as pd, pytest
from hypothesis import given, settings, strategies as st
from mtl_explain.uci import FAMILIES, NOTES, family, uci121


def tidy(folder, tasks, names=None, concepts=None):
    "tasks: name -> (values, labels, rows of the train file, first fold)"
    for d in ('data', 'splits'): (folder/d).mkdir(parents=True, exist_ok=True)
    for n, (x, y, train, fold) in tasks.items():
        pd.DataFrame(x, columns=[f'f{i+1}' for i in range(x.shape[1])]).assign(label=y).to_csv(folder/'data'/f'{n}.csv', index=False)
        (folder/'splits'/f'{n}.json').write_text(json.dumps(dict(n_train_file=train, n_test_file=len(y)-train, kfold=[dict(train=[], test=fold)])))
    for f, d in dict(names=names, concepts=concepts).items():
        if d is not None: (folder/f'{f}.json').write_text(json.dumps(d))
    return folder

def theirs(folder, name, x, y, train, folds):
    d = folder/name; d.mkdir(parents=True); f = pd.DataFrame(x, columns=[f'f{i+1}' for i in range(x.shape[1])], index=range(1, len(x)+1)).assign(clase=y)
    for part, g in ([('', f)] if train==len(x) else [('_train', f[:train]), ('_test', f[train:])]): g.to_csv(d/f'{name}{part}_R.dat', sep='\t')
    (d/f'{name}.txt').write_text(f'n_entradas= {x.shape[1]}\nn_clases= {y.max()+1}\nn_arquivos= {1+(train<len(x))}\nfich1= {name}{"_train"*(train<len(x))}_R.dat\nn_patrons1= {train}\n' + f'n_patrons2= {len(x)-train}\n'*(train<len(x))); (d/'conxuntos_kfold.dat').write_text('\n'.join(' '.join(map(str, l)) for l in folds)); return folder

def at_line(path, i, change): lines = path.read_text().splitlines(); lines[i] = change(lines[i]); path.write_text(''.join(l + '\n' for l in lines if l))

def split(folder, **more): path = folder/'splits'/'one.json'; path.write_text(json.dumps(json.loads(path.read_text()) | more))

def made(rows=80, features=4, classes=3, seed=0):
    r = np.random.default_rng(seed); return r.normal(size=(rows, features)).round(5), np.arange(rows) % classes


def test_both_layouts_say_the_same(tmp_path):
    (x, y), (u, v) = made(), made(60, 2, 2, 1); fold = list(range(0, 80, 4))
    a = tidy(tmp_path/'a', {'one': (x, y, 80, fold), 'two': (u, v, 40, [])})
    b = theirs(theirs(tmp_path/'b', 'one', x, y, 80, [[k for k in range(80) if k % 4], fold]), 'two', u, v, 40, [[], []])
    a, b = uci121(a), uci121(b); assert a.tasks==b.tasks==['one', 'two']
    for n in a: assert np.allclose(a[n].x, b[n].x, atol=1e-6) and (a[n].split==b[n].split).all() and (a[n].y==b[n].y).all()
    assert np.flatnonzero(a['one'].split=='test').tolist()==fold and (a['two'].split=='test').tolist()==[False]*40 + [True]*20
    assert (a['one'].split=='valid').sum()==12 and a['one'].outcomes[0].kind=='nominal' and a['two'].outcomes[0].kind=='binary'


def test_scaled_by_training_rows_and_clamped(tmp_path):
    x, y = made(); x[3, 0] = 1e4; s = uci121(tidy(tmp_path, {'one': (x, y, 60, [])}))['one']
    teach = s.x[s.split=='train']; assert np.abs(s.x).max() <= 5 and np.allclose(teach[:, 1].mean(), 0, atol=1e-6) and np.allclose(teach[:, 1].std(), 1, atol=1e-5)


def test_names_units_and_concepts(tmp_path):
    x, y = made(); names = dict(one=dict(features=['a', 'b', '</script>', 'd'], classes=['x', 'y', 'z'], raw_mean=[10, None, 0, 0], raw_std=[2, None, 1, 1]))
    s = uci121(tidy(tmp_path, {'one': (x, y, 60, [])}, names, dict(size=[dict(dataset='one', index=0, feature='a'), dict(dataset='other', index=0, feature='b')])))
    v = s.variables; assert v[v.role=='input'].feature.tolist()==['a', 'b', '</script>', 'd'] and v[v.concept=='size'].feature.tolist()==['a'] and s['one'].outcomes[0].levels==('x', 'y', 'z')
    assert np.allclose(s['one'].frame['a'], x[:, 0]*2+10) and np.allclose(s['one'].frame['b'], x[:, 1])


def test_what_one_must_know_is_said(tmp_path):
    x, y = made(); z = x.copy(); z[:, 2] = 1.; w = y.copy(); w[70:] = 3
    s = uci121(tidy(tmp_path, {'lenses': (x, y, 60, []), 'monks-1': (z, y, 60, []), 'monks-2': (x, w, 60, [])}))
    assert NOTES['lenses'] in repr(s) and '1 columns never vary' in s['monks-1'].table.note and s['monks-1'].x.shape[1]==3
    assert '10 test rows are of a class that no other row has' in s['monks-2'].table.note and len(s['monks-2'])==70 and s['monks-1'].family==s['monks-2'].family=='monks'


@given(st.lists(st.integers(0, 5), min_size=24, max_size=40), st.integers(0, 9))
@settings(max_examples=30, deadline=None)
def test_every_class_teaches_however_rare(y, seed):
    from tempfile import TemporaryDirectory
    y = np.array(y + [0, 1]*8); y[0], y[1] = 0, 1; x = np.random.default_rng(seed).normal(size=(len(y), 2)); train = len(y) - 6
    with TemporaryDirectory() as d: t = uci121(tidy(Path(d), {'one': (x, y, train, [])}), seed=seed)['one']
    assert set(t.y[t.split=='train', 0])==set(t.y[:, 0]) and (t.split=='valid').any() and (t.split=='test').sum() <= 6


@pytest.mark.parametrize('harm, words', [
    (lambda d: (d/'data'/'one.csv').write_text((d/'data'/'one.csv').read_text()[:-40]), r'one\.csv.*(cut short|holds no number)'),
    (lambda d: (d/'data'/'one.csv').write_text('\n'.join((d/'data'/'one.csv').read_text().splitlines()[:-5])), r'one\.csv has 75 rows.*one\.json counts 80.*cut short'),
    (lambda d: (d/'splits'/'one.json').unlink(), r'one\.json is missing'),
    (lambda d: (d/'names.json').write_text(json.dumps(dict(one=dict(features=list('abcd'), classes=['x', 'y'])))), r'label 2 is outside the range 0 to 1'),
    (lambda d: (d/'data'/'one.csv').write_text((d/'data'/'one.csv').read_text().replace(',2\n', ',-2\n')), r'label -2.* is no class'),
    (lambda d: (d/'data'/'one.csv').write_text((d/'data'/'one.csv').read_text().replace('label', 'lable')), "no column 'label'"),
    (lambda d: (d/'splits'/'one.json').write_text(json.dumps(dict(n_train_file=80, n_test_file=0, kfold=[dict(test=[99])]))), r'one\.json: .*names rows that are not there'),
    (lambda d: (d/'data'/'one.csv').write_text(''), r'one\.csv is damaged.*No columns'), (lambda d: (d/'data'/'one.csv').write_bytes(b'\xff\xfe\x00\x81'), r'one\.csv is damaged.*decode'),
    (lambda d: (d/'data'/'one.csv').write_text('f1,f2,f3,f4,label\n'), r'one\.csv has no rows'),
    (lambda d: at_line(d/'data'/'one.csv', 6, lambda l: l + ',7'), r'one\.csv is damaged.*Expected 5 fields in line 7, saw 6'), (lambda d: at_line(d/'data'/'one.csv', 0, lambda l: l[3:]), r'one\.csv: its rows have more cells'),
    (lambda d: at_line(d/'data'/'one.csv', 4, lambda l: l[:-1] + 'inf'), r"one\.csv, row 3 .*'label' holds no number, but 'inf'"), (lambda d: at_line(d/'data'/'one.csv', 4, lambda l: 'x' + l), r"one\.csv, row 3 .*'f1' holds no number, but 'x"),
    (lambda d: split(d, kfold=None), r'one\.json has no folds \(kfold\)'), (lambda d: split(d, kfold=[{}]), r"one\.json is damaged.*'test'"), (lambda d: split(d, kfold=[dict(test=['1'])]), r'one\.json: .*names rows that are not there'),
    (lambda d: split(d, kfold=[dict(train=list(range(20, 79)), test=list(range(20)))]), r'one\.json: fold 0 has 59 rows to train and 20 to test, and they should be all 80'),
    (lambda d: split(d, n_train_file=None), r'one\.json is damaged'), (lambda d: (d/'splits'/'one.json').write_text('{"n_test_file": 0}'), r"one\.json is damaged.*'n_train_file'"), (lambda d: (d/'splits'/'one.json').write_text('[]'), r'one\.json is damaged'),
    *[(lambda d, f=f, text=text: (d/f).write_text(text), f.replace('.', r'\.') + ' is damaged') for f in ('splits/one.json', 'names.json', 'concepts.json', 'index.json') for text in ('{"one": [1,', '[1]')],
    (lambda d: (d/'names.json').write_text(json.dumps(dict(one=dict(features=list('abc'))))), r'one: the rows have 4 features, and names\.json has 3 features'), (lambda d: (d/'names.json').write_text(json.dumps(dict(one=dict(features=list('abcd'), raw_mean=[0])))), 'names.json has 1 raw_mean')])
def test_damage_is_named(tmp_path, harm, words):
    "Each with the name of the file"
    x, y = made(); harm(tidy(tmp_path, {'one': (x, y, 80, list(range(20)))}))
    with pytest.raises(ValueError, match=words): uci121(tmp_path)


def facts(folder, **more):
    "An index.json that is true, but for what is said"
    (folder/'index.json').write_text(json.dumps([dict(name=t, rows=80, features=4, classes=3) | more for t in ('one', 'two')])); return folder

@pytest.mark.parametrize('harm, words', [
    (lambda d: (d/'data'/'two.csv').unlink(), r'data.two\.csv is missing, and the folder has a task'), (lambda d: (d/'splits'/'two.json').unlink(), r'splits.two\.json is missing, and the folder has a task'),
    (lambda d: [(d/'splits'/'two.json').unlink(), (d/'data'/'two.csv').unlink()], r'data.two\.csv is missing, and the folder has a task'), (lambda d: [(d/'index.json').unlink(), (d/'data'/'two.csv').unlink()], r'data.two\.csv is missing, and the folder has a task'), (lambda d: shutil.rmtree(d/'data'), r'data.one\.csv is missing, and the folder has a task'),
    (lambda d: [at_line(d/'data'/'two.csv', i, lambda l: l[l.index(',')+1:]) for i in range(81)], r'two\.csv has 3 features, and .*index\.json counts 4'),
    (lambda d: at_line(d/'data'/'two.csv', 80, lambda l: ''), r'two\.csv has 79 rows, and .*index\.json counts 80'), (lambda d: at_line(d/'data'/'two.csv', 5, lambda l: l[:-1] + '3'), r'two\.csv, row 4: the label 3 is outside the range 0 to 2.*index\.json counts 3 classes'),
    (lambda d: facts(d, rows=81), 'has 80 rows, and .*index.json counts 81'), (lambda d: facts(d, classes=None), r'index\.json is damaged'), (lambda d: (d/'index.json').write_text('[{}]'), r"index\.json is damaged.*'name'")])
def test_no_task_is_lost_and_what_the_index_tells_is_so(tmp_path, harm, words):
    x, y = made(); d = facts(tidy(tmp_path, {t: (x, y, 80, list(range(20))) for t in ('one', 'two')})); assert uci121(d).tasks==['one', 'two']
    harm(d)
    with pytest.raises(ValueError, match=words): uci121(d)
    if (d/'data').exists() and not 'index' in words: assert uci121(d, 'one').tasks==['one']  # what is not asked for does no harm


@pytest.mark.parametrize('harm, words', [
    (lambda d: (d/'one'/'one_R.dat').unlink(), r'one_R\.dat is missing'), (lambda d: (d/'two'/'two_train_R.dat').unlink(), r'two_train_R\.dat is missing'), (lambda d: (d/'two'/'two_test_R.dat').unlink(), r'two_test_R\.dat is missing'),
    (lambda d: [(d/'two'/'two_test_R.dat').unlink(), (d/'two'/'two_train_R.dat').unlink()], r'two_train_R\.dat is missing'), (lambda d: [(d/'one'/'one_R.dat').unlink(), (d/'one'/'one.txt').unlink()], r'one_R\.dat is missing'),
    (lambda d: at_line(d/'two'/'two_test_R.dat', 20, lambda l: ''), r'two_test_R\.dat has 19 rows, and .*two\.txt counts 20'), (lambda d: at_line(d/'two'/'two_train_R.dat', 40, lambda l: ''), r'two_train_R\.dat has 39 rows, and .*two\.txt counts 40'),
    (lambda d: (d/'one'/'one.txt').write_text('n_entradas= 9\n'), r'one_R\.dat has 4 features, and .*one\.txt counts 9'),
    (lambda d: at_line(d/'one'/'one_R.dat', 7, lambda l: l[:-1] + '9'), r'one_R\.dat, row 6: the label 9 is outside the range 0 to 2.*one\.txt counts 3 classes'), (lambda d: at_line(d/'one'/'one_R.dat', 7, lambda l: l[:-1] + 'inf'), r"one_R\.dat, row 6 .*'clase' holds no number, but 'inf'"),
    (lambda d: [at_line(d/'one'/'one_R.dat', i, lambda l: l + '\t1') for i in range(1, 81)], r'one_R\.dat: its rows have more cells'), (lambda d: [(d/'two'/'two.txt').unlink(), at_line(d/'two'/'two_test_R.dat', 0, lambda l: l.replace('f2', 'f9'))], r'two_test_R\.dat has other columns than .*two_train_R\.dat'),
    (lambda d: (d/'one'/'conxuntos_kfold.dat').write_text('1 2'), r'conxuntos_kfold\.dat has 1 lines, and a fold has two'), (lambda d: (d/'one'/'conxuntos_kfold.dat').write_text(''), r'conxuntos_kfold\.dat has no folds'),
    (lambda d: at_line(d/'one'/'conxuntos_kfold.dat', 1, lambda l: l[:-9]), r'conxuntos_kfold\.dat: fold 0 has 60 rows to train and 17 to test, and they should be all 80'), (lambda d: at_line(d/'one'/'conxuntos_kfold.dat', 1, lambda l: l + ' x'), r"conxuntos_kfold\.dat, line 2 .*'x'"),
    (lambda d: at_line(d/'one'/'conxuntos_kfold.dat', 1, lambda l: l + ' 80'), r'conxuntos_kfold\.dat: .*names rows that are not there'), (lambda d: (d/'one'/'conxuntos_kfold.dat').unlink(), r'conxuntos_kfold\.dat is missing')])
def test_damage_in_the_layout_of_the_authors_is_named(tmp_path, harm, words):
    (x, y), (u, v) = made(), made(60, 2, 2, 1); fold = list(range(0, 80, 4)); d = theirs(theirs(tmp_path, 'one', x, y, 80, [[k for k in range(80) if k % 4], fold]), 'two', u, v, 40, [[0], [1]])
    (d/'notes').mkdir(); (d/'notes'/'read me.txt').write_text(''); assert uci121(d).tasks==['one', 'two']
    harm(d)
    with pytest.raises(ValueError, match=words): uci121(d)
    other = 'two' if 'one' in words or 'conxuntos' in words else 'one'; assert uci121(d, other).tasks==[other]


def test_what_is_not_there(tmp_path):
    with pytest.raises(ValueError, match='there is no folder'): uci121(tmp_path/'none')
    with pytest.raises(ValueError, match='holds neither'): uci121(tmp_path)
    x, y = made(); tidy(tmp_path, {'one': (x, y, 80, list(range(20)))})
    with pytest.raises(ValueError, match="no task 'two'.*there are one"): uci121(tmp_path, ['two'])
    theirs(tmp_path/'b', 'one', x, y, 80, [[0], list(range(20))]); (tmp_path/'b'/'one'/'conxuntos_kfold.dat').unlink()
    with pytest.raises(ValueError, match='conxuntos_kfold.dat is missing'): uci121(tmp_path/'b')
    (tmp_path/'b'/'one'/'one.txt').write_text('n_entradas= 9\n')


def test_families_cover_what_they_name(): assert all(family(n)==f for f, n in {'heart': 'heart-va', 'SPECT': 'spect', 'waveform': 'waveform-noise', 'plant leaves': 'plant-shape', 'Australian credit': 'credit-approval'}.items()) and family('spectra')=='spectra' and len(FAMILIES) > 10
