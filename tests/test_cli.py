"The demo's arithmetic against plain loops, and the command as a person would run it."
import json, os, re, subprocess, sys
from pathlib import Path

import numpy as np, pandas as pd, pytest
from fastcore.script import CliError
from hypothesis import given, settings, strategies as st

from mtl_explain.cli import QUICK, advantage, judge, lab, pooled, quick_start, said, show, window

TOP = Path(__file__).resolve().parents[1]
METRIC = ['value', 'guess', 'loss', 'guess_loss']


def folds(draw, n=5, outcomes=(('a', 'x', 500), ('a', 'y', 500), ('b', 'x', 199), ('c', 'z', 200))):
    "Scores of `n` folds"
    rows = [dict(task=t, outcome=o, kind='number', rows=r, test_rows=draw(1, 99), metric='R²', **{m: draw(1, 99)/50 for m in METRIC}) for _ in range(n) for t, o, r in outcomes]
    frame = pd.DataFrame(rows); k = len(outcomes)
    return [frame[i*k:(i+1)*k].drop(columns='skill', errors='ignore') for i in range(n)]


def made(seed, **kw): r = np.random.default_rng(seed); return folds(lambda a, b: int(r.integers(a, b)), **kw)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 6))
def test_pooled_is_the_mean_over_rows(seed, n):
    fs = made(seed, n=n); got = pooled(fs)
    assert list(got.index)==[('a', 'x'), ('a', 'y'), ('b', 'x'), ('c', 'z')]
    for i, key in enumerate(got.index):
        cells = [f.iloc[i] for f in fs]; total = sum(c.test_rows for c in cells)
        assert got.loc[key, 'test_rows']==total
        for m in METRIC: assert np.isclose(got.loc[key, m], sum(c[m]*c.test_rows for c in cells)/total)
        assert np.isclose(got.loc[key, 'skill'], 1 - sum(c.loss*c.test_rows for c in cells)/sum(c.guess_loss*c.test_rows for c in cells))
    assert pooled(fs[::-1])['loss'].to_numpy()==pytest.approx(got['loss'].to_numpy())


def test_a_fold_does_not_change_what_it_is_given():
    fs = made(0); before = [f.copy() for f in fs]; pooled(fs)
    assert all(a.equals(b) for a, b in zip(fs, before))


def test_judged_from_200_rows_and_no_signal_is_said():
    good = [f.assign(loss=.5, guess_loss=1.) for f in made(0)]; bad = [f.assign(loss=[1.2, .5, 1.2, 1.], guess_loss=1.) for f in made(0)]
    assert list(judge(good, bad).remark)==['', '', 'not judged', '']
    t = judge(bad, good)
    assert list(t.remark)==['no signal found', '', 'not judged', 'no signal found'] and list(t.judged)==[True, True, False, True]
    assert t.skill[0]==pytest.approx(-.2) and t.classical_skill[0]==pytest.approx(.5)


def test_unlike_folds_are_refused():
    with pytest.raises(ValueError, match='same outcomes and test rows'): judge(made(0), made(1))
    with pytest.raises(ValueError, match='same outcomes and test rows'): judge(made(0), [f[:2] for f in made(0)])


def test_advantage_is_paired_and_covers():
    r = np.random.default_rng(0); inside = 0
    for i in range(200):
        d, c = r.normal(.05, .1, 15), r.normal(.3, 1, 15)
        mean, low, high, n = advantage(pd.DataFrame(dict(skill=c+d, classical_skill=c, judged=True)), draws=500, seed=i)
        assert np.isclose(mean, d.mean()) and low<=mean<=high and n==15
        inside += low<=.05<=high
    assert .85<inside/200<.99
    t = pd.DataFrame(dict(skill=[.1, 9.], classical_skill=[.0, 0.], judged=[True, False]))
    assert advantage(t)==pytest.approx((.1, .1, .1, 1)) and advantage(t)==advantage(t)
    assert np.isnan(advantage(t.assign(judged=False))[0]) and advantage(t.assign(judged=False))[3]==0


def test_what_is_said():
    t = judge([f.assign(loss=.5, guess_loss=1., value=.8) for f in made(0)], [f.assign(loss=.6, guess_loss=1., value=.7) for f in made(0)])
    s = said(t, 31.4, 5)
    assert 'Mean skill minus that of one classical model per outcome: +0.100 (95 % interval +0.100 to +0.100, bootstrap over the 3 judged outcomes)' in s
    assert 'Training took 31 s for 5 folds' in s and s.count('not judged')==1
    for word in ('task', 'outcome', 'rows', 'metric', 'guess', 'classical', 'test rows', 'skill'): assert word in s.splitlines()[0]
    assert all(line==line.rstrip() or len(line)<200 for line in s.splitlines())
    assert 'No outcome has enough rows' in said(t.assign(judged=False), 1., 1)


@pytest.mark.parametrize('env, platform, want', [({}, 'linux', False), ({'DISPLAY': ':0'}, 'linux', True), ({'WAYLAND_DISPLAY': 'w'}, 'linux', True), ({}, 'darwin', True),
                                                 ({}, 'win32', True), ({'SSH_CONNECTION': 'a'}, 'darwin', False), ({'DISPLAY': ':0', 'CI': 'true'}, 'linux', False)])
def test_where_a_window_can_appear(env, platform, want): assert window(env, platform)==want


def test_a_browser_that_breaks_breaks_nothing(monkeypatch, tmp_path):
    import webbrowser
    monkeypatch.setattr('mtl_explain.cli.window', lambda: True); page = tmp_path/'a b.html'
    def fail(url): raise webbrowser.Error('no browser')
    monkeypatch.setattr(webbrowser, 'open', fail); assert 'open it in a browser' in show(page) and 'a%20b.html' in show(page)
    monkeypatch.setattr(webbrowser, 'open', lambda url: False); assert 'open it in a browser' in show(page)
    monkeypatch.setattr(webbrowser, 'open', lambda url: True); assert 'is open in your browser' in show(page) and 'open it in a browser' in show(page, browser=False)


def command(*args, **env):
    run = subprocess.run([Path(sys.executable).parent/'mtl-explain', *args], capture_output=True, text=True, env={**os.environ, **env}, timeout=600)
    return run.returncode, run.stdout, run.stderr


def test_the_command_says_what_is_wrong(tmp_path):
    assert command('--help')[0]==0 and 'demo.html' in command('--help')[1]
    for args, word in ((('dmo',), 'demo'), ((), 'command'), (('demo', '--sedes', '3'), '--sedes'), (('demo', '--seeds', '0'), 'at least 1'), (('demo', '--out', f'{tmp_path}/no/x.html'), 'make it first')):
        code, _, err = command(*args); assert code and word in err and 'Traceback' not in err


def test_quick_start_is_written_once_and_is_the_readmes(tmp_path):
    import nbformat
    path = quick_start(tmp_path/'q.ipynb'); nb = nbformat.read(path, 4); nbformat.validate(nb)
    assert [c.source for c in nb.cells if c.cell_type=='code']==QUICK.splitlines() and len(QUICK.splitlines())==6
    path.write_text('mine'); quick_start(path); assert path.read_text()=='mine'
    assert f'```python\n{QUICK}\n```' in (TOP/'README.md').read_text(encoding='utf-8')


def test_lab_without_jupyterlab_says_what_to_install(monkeypatch):
    monkeypatch.setattr('importlib.util.find_spec', lambda name: None)
    with pytest.raises(CliError, match='pip install jupyterlab'): lab()


@pytest.fixture(scope='module')
def demo(tmp_path_factory):
    at = tmp_path_factory.mktemp('demo'); return *command('demo', '--seeds', '1', '--out', str(at/'page.html')), at/'page.html'


def test_demo_ends_with_the_table_and_the_page(demo):
    code, out, err, page = demo
    assert code==0, err
    lines = out.splitlines(); head = next(i for i, l in enumerate(lines) if 'guess' in l and 'classical' in l)
    tasks = {l.strip() for l in lines[head+1:head+40]}
    for task in ('vote', 'marriage', 'doctor visits', 'card spending', 'travel mode', 'diabetes'): assert any(t.startswith(task) for t in tasks), task
    assert re.search(r'Mean skill minus that of one classical model per outcome: [+-]\d\.\d{3} \(95 % interval', out) and re.search(r'Training took \d+ s for 1 fold\.', out)
    assert lines[-1].startswith(str(page)) and page.resolve().as_uri() in lines[-1]


def test_the_page_needs_no_network(demo):
    html = demo[3].read_text(encoding='utf-8')
    assert html.lstrip().lower().startswith('<!doctype html') and not re.search(r'''(src|href)\s*=\s*["']https?://''', html) and json.dumps('vote')[1:-1] in html
