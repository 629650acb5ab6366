"The tools of the house themselves: a broken link is seen, a README is what the notebook says."
import json, subprocess, sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP/'tests/tools'))
import docs, links, need, readme


def site(at, **pages):
    for name, body in pages.items():
        p = at/(name.replace('__', '/')+'.html'); p.parent.mkdir(parents=True, exist_ok=True); p.write_text(f'<!doctype html><html><body>{body}</body></html>', encoding='utf-8')
    return at


def test_good_links_pass(tmp_path):
    (tmp_path/'a.png').write_bytes(b''); (tmp_path/'x y.css').write_text('')
    site(tmp_path, index='''<a href="sub/b.html#here">b</a><a href="#top">t</a><a href="sub/">s</a><img src="a.png"><link rel="stylesheet" href="x%20y.css">
         <a href="https://example.org/nowhere">out</a><a href="mailto:a@b.c">m</a><img src="data:image/png;base64,AA"><a href="/base/sub/b.html">abs</a><a href="https://my.site/base/index.html#i">me</a><p id=i>''',
         sub__b='<h2 id="here">x</h2><a href="../index.html">up</a>', sub__index='<a name="old"></a><a href="#old">o</a>')
    assert links.problems(tmp_path, base='/base', url='https://my.site/base/')==[]


@pytest.mark.parametrize('body, why', [('<a href="no.html">x</a>', 'no such file'), ('<img src="no.png">', 'no such file'), ('<picture><source srcset="no.png 2x"></picture>', 'no such file'), ('<a href="#no">x</a>', 'no such anchor'), ('<a href="b.html#no">x</a>', 'no such anchor'),
    ('<script src="https://cdn.example/x.js"></script>', 'from elsewhere'), ('<link rel="stylesheet" href="//cdn.example/x.css">', 'from elsewhere'), ('<img src="http://e.org/a.png">', 'from elsewhere'),
    ('<a href="https://my.site/base/gone.html">x</a>', 'no such file'), ('<a href="https://my.site/base/b.html#gone">x</a>', 'no such anchor'), ('<a href="/base/gone.html">x</a>', 'no such file')])
def test_a_bad_link_is_seen(tmp_path, body, why):
    site(tmp_path, index=body, b='b'); found = links.problems(tmp_path, base='/base', url='https://my.site/base')
    assert len(found)==1 and found[0].startswith('index.html') and why in found[0]


def test_an_empty_site_is_no_success(tmp_path): assert links.problems(tmp_path)==[f'{tmp_path} holds no page']


def test_readme_is_in_sync_with_its_notebook():
    assert (TOP/'README.md').read_text(encoding='utf-8')==readme.readme(), 'run `make readme` and commit README.md'


def test_readme_is_what_the_notebook_says(tmp_path):
    def code(src, *outs): return dict(cell_type='code', source=src, outputs=list(outs))
    cells = [dict(cell_type='markdown', source=['# T\n', '![map](images/a.png) <img src="b.png"> [room](01_data.ipynb#x) [t](tutorials/first.ipynb) [o](https://a.b/c.ipynb)']), code('#| hide\nsecret'),
             code('#| eval: false\n1+1', dict(output_type='execute_result', data={'text/plain': ['2']})), code('#| echo: false\nhidden', dict(output_type='stream', text=['shown\n']))]
    (tmp_path/'index.ipynb').write_text(json.dumps(dict(cells=cells))); got = readme.readme(tmp_path/'index.ipynb')
    assert '![map](nbs/images/a.png) <img src="nbs/b.png">' in got and f'[room]({readme.DOCS}/data.html#x)' in got and f'[t]({readme.DOCS}/tutorials/first.html)' in got and 'https://a.b/c.ipynb' in got
    assert 'secret' not in got and '```python\n1+1\n```\n\n```\n2\n```' in got and 'hidden' not in got and '```\nshown\n```' in got


def test_readme_says_how_to_begin():
    text = (TOP/'README.md').read_text(encoding='utf-8'); commands = [l.strip() for l in text.splitlines() if l.strip().startswith('make ')]
    assert commands[0].startswith('make demo') and commands[1].startswith('make test')
    for word in ('TORCH=cpu', 'whl/cpu', 'python -m venv', 'mtl-explain demo', '-c constraints.txt', ' MB', 'Python 3.11'): assert word in text, word


def test_pictures_of_the_readme_are_there():
    import re
    text = (TOP/'README.md').read_text(encoding='utf-8'); shown = [s for s in re.findall(r'(?:src="|srcset="|!\[[^\]]*\]\()([^")\s]+)', text) if not s.startswith('http')]
    assert shown and all((TOP/s).is_file() for s in shown), shown


def test_formulas_need_no_script():
    page = '<link rel="stylesheet" href="https://cdn/katex.min.css"><script src="https://cdn/katex.min.js" defer></script><p><span class="math inline">\\(a &lt; b_i\\)</span> <span class="math display">\\[\\sum_k a_k\\]</span>'
    got = docs.mathml(page); assert 'katex' not in got and got.count('<math ')==2 and 'display="block"' in got and '\\(' not in got


def test_sidebar_has_a_section_a_stage(tmp_path):
    import yaml
    for n in ('index', '00_schema', '12_model', '62_cli', 'tutorials/first', 'how_to/own_data', 'about'): p = tmp_path/f'{n}.ipynb'; p.parent.mkdir(exist_ok=True); p.write_text('{}')
    contents = yaml.safe_load(docs.sidebar(tmp_path))['website']['sidebar']['contents']
    assert contents[:2]==['index.ipynb', 'about.ipynb'] and [(c['section'], c['contents']) for c in contents[2:]]==[('How-to', ['how_to/own_data.ipynb']), ('Tutorials', ['tutorials/first.ipynb']),
        ('Data', ['00_schema.ipynb']), ('Models', ['12_model.ipynb']), ('Words and commands', ['62_cli.ipynb'])]


def test_what_is_missing_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv('CHROMIUM', str(tmp_path/'no')); monkeypatch.setattr(need, 'debian', lambda *p: False); monkeypatch.setattr(need, 'works', lambda *a: None); monkeypatch.setattr(need, 'run', lambda *a: False)
    with pytest.raises(SystemExit, match='is no browser that runs'): need.chromium()
    monkeypatch.delenv('CHROMIUM'); monkeypatch.setattr(need, 'playwright', lambda: None)
    with pytest.raises(SystemExit, match='install Chromium or Chrome'): need.chromium()
    with pytest.raises(SystemExit, match='install node 18 or newer'): need.node()
    (tmp_path/'package.json').write_text('{"devDependencies": {"axe-core": "1.2.3"}}'); monkeypatch.setattr(need, 'JS', tmp_path); monkeypatch.setattr(need, 'npm', lambda: None)
    with pytest.raises(SystemExit, match='no axe-core 1.2.3'): need.axe()


@pytest.mark.parametrize('python, word', [('no-such-python', 'There is no `no-such-python`'), ('old', 'too old'), ('bare', 'python3-venv')])
def test_make_says_what_to_do(tmp_path, python, word):
    "A Python that is missing, too old, or without venv"
    old, bare = tmp_path/'old', tmp_path/'bare'
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2\nexit 1\n'); bare.write_text('#!/bin/sh\n[ "$1" = -c ]\n'); old.chmod(0o755); bare.chmod(0o755)
    run = subprocess.run(['make', '-C', TOP, f'VENV={tmp_path}/venv', f'PYTHON={python if "no" in python else tmp_path/python}', 'demo'], capture_output=True, text=True)
    assert run.returncode and word in run.stdout+run.stderr and not (tmp_path/'venv').exists()
