"The rules of the house: who may import whom, what is generated is in sync, what is shipped is complete, what is public is documented."
import ast, configparser, inspect, json, os, re, subprocess, sys, tomllib, zipfile
from dataclasses import is_dataclass
from importlib import import_module
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[1]
LIB = TOP/'mtl_explain'
sys.path.insert(0, str(TOP/'tests/tools'))
import sync

HAND_WRITTEN = {'__init__', '_modidx'}
MODULES = sorted(p.stem for p in LIB.glob('*.py') if p.stem not in HAND_WRITTEN)


def text(module): return (LIB/f'{module}.py').read_text(encoding='utf-8')


def notebook(module):
    "The notebook that a module says it was written from, as (number, path)"
    m = re.search(r'File to edit: \.\./nbs/((\d\d)\w*_(\w+)\.ipynb)', text(module))
    assert m, f'mtl_explain/{module}.py was not exported from a notebook'
    return int(m[2]), TOP/'nbs'/m[1]


def lazy():
    "Name -> module, as mtl_explain/__init__.py says it"
    return import_module('mtl_explain')._module


def imported(source):
    "The modules of this library that some source imports, at any depth, function bodies too"
    for n in ast.walk(ast.parse(source)):
        if isinstance(n, ast.Import): names = [a.name for a in n.names if a.name.split('.')[0]=='mtl_explain']
        elif isinstance(n, ast.ImportFrom) and (n.level or (n.module or '').split('.')[0]=='mtl_explain'):
            base = (n.module or '').removeprefix('mtl_explain').strip('.')
            names = [base] if base else [lazy().get(a.name, a.name) for a in n.names]
        else: continue
        yield from (m.removeprefix('mtl_explain').strip('.').split('.')[0] for m in names)


def allowed(me, other):
    "May notebook number `me` import notebook number `other`?"
    if other>=me: return False
    if me//10==5: return other in (0, 50) or (me==58 and 51<=other<=56)
    return not (30<=me<=41 and 20<=other<=23)


@pytest.mark.parametrize('me, other, ok', [(12, 11, True), (11, 12, False), (12, 12, False), (34, 12, True), (34, 20, False), (41, 23, False), (34, 30, True),
                                           (51, 0, True), (51, 50, True), (51, 34, False), (58, 51, True), (52, 51, False), (62, 20, True)])
def test_the_rule_itself(me, other, ok): assert allowed(me, other)==ok


def test_imports_are_found_wherever_they_stand():
    source = 'import mtl_explain.data as d\nfrom .model import MTLModel\nfrom mtl_explain import fit\ndef f():\n  from .schema import check\n  import numpy\nfrom . import view'
    assert sorted(imported(source))==['data', 'model', 'schema', 'train', 'view']


@pytest.mark.parametrize('module', MODULES)
def test_imports_point_to_lower_stages(module):
    me, path = notebook(module)
    assert path.exists(), f'{path} is gone, its module is left'
    for other in set(imported(text(module)))-{'__version__'}:
        assert other in MODULES, f'mtl_explain/{module}.py imports mtl_explain.{other}, which is no module of a notebook'
        assert allowed(me, notebook(other)[0]), f'{path.name} must not import {notebook(other)[1].name}'


def test_modules_are_the_export_of_the_notebooks(): assert sync.different('export')==[]
def test_notebooks_are_clean(): assert sync.different('clean')==[]
def test_imports_of_lessons_stand_in_cells_of_their_own(): assert sync.mixed()==[]


FETCH = re.compile(r'(?:\bsrc=|<link[^>]*href=|url\(|\bimport\()\s*["\']?((?:https?:)?//[^"\'\s>)]+)|((?:https?:)?//(?:cdn\.|unpkg\.|esm\.|cdnjs\.)[^"\'\s>]+)')

def fetches(outputs):
    "Addresses that the html of some outputs would ask the network for"
    return [a or b for o in outputs for kind, text in o.get('data', {}).items() if kind in ('text/html', 'image/svg+xml') for a, b in FETCH.findall(''.join(text))]


@pytest.mark.parametrize('path', sync.notebooks(), ids=lambda p: p.stem)
def test_a_notebook_opens_as_a_page(path):
    nb = json.loads(path.read_text(encoding='utf-8')); first = next(c for c in nb['cells'] if c['cell_type']=='markdown'); lines = [l for l in ''.join(first['source']).splitlines() if l]
    assert lines[0].startswith('# ') and (path.name=='index.ipynb' or lines[1].startswith('> ')), f'{path.name}: begin with a title and one line that starts with >'
    assert all(l.startswith(('# ', '> ', '- ')) for l in lines), f'{path.name}: text after the title in its cell is lost in the pages; give it a cell of its own'
    assert nb['metadata']['kernelspec']['name']=='python3'
    for c in nb['cells']:
        assert not [o for o in c.get('outputs', []) if o['output_type']=='error'], f'{path.name} holds a traceback'
        assert not (hit:=fetches(c.get('outputs', []))), f'{path.name}: an output would fetch {hit[0]}; let the picture be drawn here, alt.renderers.enable(\'svg\')'


@pytest.mark.parametrize('html, found', [('<script src="https://a.b/c.js">', 1), ('"vega": "https://cdn.jsdelivr.net/npm/vega@6?noext"', 1), ("import('https://esm.sh/d3')", 1), ('<link href="//a.b/c.css">', 1), ('<a href="https://arxiv.org/abs/2405.06330">', 0), ('<svg xmlns="http://www.w3.org/2000/svg">', 0)])
def test_what_an_output_would_fetch_is_found(html, found): assert len(fetches([dict(output_type='display_data', data={'text/html': [html]})]))==found


def test_sync_sees_what_is_out_of_sync(tmp_path):
    top = sync.copied(TOP, tmp_path/'top')
    (top/'mtl_explain/schema.py').write_text(text('schema')+'\nx = 1\n', encoding='utf-8'); (top/'nbs/00_schema.ipynb').write_text((TOP/'nbs/00_schema.ipynb').read_text(encoding='utf-8').replace('"execution_count": null', '"execution_count": 3'), encoding='utf-8')
    assert 'mtl_explain/schema.py' in sync.different('export', top) and 'nbs/00_schema.ipynb' in sync.different('clean', top)


def test_settings_ini_agrees_with_nbdev():
    from nbdev.config import get_config
    cfg, ini = get_config(TOP), configparser.ConfigParser(interpolation=None); ini.read(TOP/'settings.ini', encoding='utf-8')
    def plain(v): return str(v.relative_to(TOP)) if isinstance(v, Path) and v.is_absolute() else str(v)
    assert dict(ini['DEFAULT'])=={k: plain(cfg[k] if k in cfg else getattr(cfg, k)) for k in ini['DEFAULT']}
    assert set(ini['DEFAULT'])>={'lib_name', 'lib_path', 'nbs_path', 'doc_path', 'tst_flags', 'branch'}
    assert (TOP/'nbs/_quarto.yml').resolve()==TOP/'_quarto.yml'


def test_static_files_need_no_network():
    for p in (LIB/'static').glob('**/*'):
        if p.suffix not in ('.js', '.css', '.html'): continue
        outside = [u for u in re.findall(r'''(?:https?:|wss?:)?//[a-z0-9-]+\.[a-z0-9.-]+''', re.sub(r'(?m)^\s*(//|\*|/\*).*$', '', p.read_text(encoding='utf-8'))) if 'www.w3.org' not in u]
        assert not outside, f'{p.name} names {outside}'


def fresh(code, **env):
    "What a fresh Python prints"
    run = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, cwd=TOP, env={**os.environ, **env})
    assert run.returncode==0, run.stderr
    return run.stdout.strip()


def test_import_loads_no_torch():
    heavy = "[m for m in ('torch', 'pandas', 'xarray', 'sklearn', 'altair', 'IPython') if m in sys.modules]"
    assert fresh(f'import sys, mtl_explain; dir(mtl_explain); print({heavy})')=='[]'
    for module in ('cli', 'schema'): assert fresh(f"import sys, mtl_explain.{module}; print('torch' in sys.modules)")=='False', module


def test_import_is_quick():
    times = [float(fresh('import time; t = time.perf_counter(); import mtl_explain; print(time.perf_counter()-t)')) for _ in range(5)]
    assert min(times)<.5


def test_table_of_names_is_true():
    "A name per room that is there, in its own words; a name whose room is missing fails"
    for name, module in lazy().items():
        assert module in MODULES, f'mtl_explain/__init__.py looks for {name} in mtl_explain.{module}, which does not exist'
        assert name in re.search(r'^__all__ = (\[.*?\])', text(module), re.M|re.S)[1], f'{name} is not exported by mtl_explain.{module}'
    assert fresh('from mtl_explain import *; import mtl_explain as m; print(sorted(n for n in m.__all__ if n not in globals() or globals()[n] is not getattr(m, n)))')=='[]'
    assert set(lazy())<=set(import_module('mtl_explain').__all__)<=set(dir(import_module('mtl_explain')))


def test_a_function_keeps_its_name_beside_its_module():
    for n in (n for n, m in lazy().items() if n==m):
        ends = f'print(mtl_explain.{n}.__module__, callable(mtl_explain.{n}))'
        assert fresh(f'import mtl_explain.{n}; {ends}; from mtl_explain import *; {ends}')==f'mtl_explain.{n} True\nmtl_explain.{n} True'


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"): import_module('mtl_explain').nonsense  # noqa: B018


@pytest.fixture(scope='module')
def wheel(tmp_path_factory):
    at = tmp_path_factory.mktemp('wheel'); src = sync.copied(TOP, at/'src')
    subprocess.run([sys.executable, '-m', 'pip', 'wheel', '-q', '--no-deps', '--no-build-isolation', '-w', at, src], check=True)
    return zipfile.ZipFile(next(at.glob('*.whl')))


def test_wheel_is_complete(wheel):
    names = set(wheel.namelist()); shipped = {p.relative_to(TOP).as_posix() for d in ('static', 'data') for p in (LIB/d).glob('**/*') if p.is_file()}
    assert shipped<=names, f'not in the wheel: {sorted(shipped-names)}'
    assert {f'mtl_explain/{m}.py' for m in MODULES}<=names and any(n.endswith('licenses/LICENSE') for n in names)
    assert [n for n in names if n.endswith('.js')] and [n for n in names if n.endswith('.css')]
    assert not [n for n in names if not n.startswith('mtl_explain')], 'something beside the library is in the wheel'


def test_stored_explanation_is_small():
    files = list((LIB/'data').glob('*.nc.gz')); assert files and sum(p.stat().st_size for p in files)<300_000


def test_dependencies_are_what_is_imported():
    from importlib.metadata import packages_distributions
    deps = tomllib.loads((TOP/'pyproject.toml').read_text(encoding='utf-8'))['project']; names = [re.match(r'[\w.-]+', d)[0].lower() for d in deps['dependencies']+deps['optional-dependencies']['dev']]
    assert len(names)==len(set(names)) and re.search(r'^torch==', (TOP/'constraints.txt').read_text(), re.M)
    needed = {n.split('.')[0] for m in MODULES for t in ast.walk(ast.parse(text(m))) for n in ([a.name for a in t.names] if isinstance(t, ast.Import) else [t.module] if isinstance(t, ast.ImportFrom) and not t.level else [])}
    of = packages_distributions(); undeclared = {n for n in needed-set(sys.stdlib_module_names)-{'mtl_explain'} if not {d.lower() for d in of.get(n, [n])} & set(names)}
    assert not undeclared, f'imported, but not among the dependencies: {sorted(undeclared)}'


def public(module):
    "The public functions and classes of a module, and the constructors of its classes: (name, object)"
    mod = import_module(f'mtl_explain.{module}')
    for name in mod.__all__:
        o = getattr(mod, name)
        if getattr(o, '__module__', None)!=mod.__name__: continue
        if inspect.isclass(o):
            yield name, o
            if '__init__' in vars(o) and o.__init__.__module__==mod.__name__ and not is_dataclass(o): yield f'{name}.__init__', o.__init__
        elif inspect.isfunction(o): yield name, o


@pytest.mark.parametrize('module', MODULES)
def test_what_is_public_is_documented(module):
    from fastcore.docments import docments
    wrong = []
    for name, o in public(module):
        doc = (o.__doc__ or '').strip()
        if not name.endswith('.__init__') and (not doc or '\n' in doc): wrong.append(f'{name}: one line of docstring')
        if inspect.isclass(o): continue
        given = docments(inspect.unwrap(o), full=True, returns=False, args_kwargs=True)
        bare = [p for p, d in given.items() if p not in ('self', 'cls') and not (d.docment or '').strip()]
        if bare: wrong.append(f'{name}: a comment for {", ".join(bare)}')
    assert not wrong, f'{notebook(module)[1].name} lacks\n  '+'\n  '.join(wrong)
