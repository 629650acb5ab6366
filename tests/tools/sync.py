"Are the modules the export of the notebooks, and the notebooks clean? Looked at in a copy: the tree is not touched. `sync.py export|clean`"
import ast, filecmp, json, re, shutil, subprocess, sys, tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
WORK = dict(export=('nbdev-export', 'mtl_explain', '*.py'), clean=('nbdev-clean', 'nbs', '*.ipynb'))


def copied(top, to):
    "What nbdev reads, in a folder of its own"
    for d in ('nbs', 'mtl_explain'): shutil.copytree(top/d, to/d, symlinks=True, ignore=shutil.ignore_patterns('__pycache__', '.ipynb_checkpoints'))
    for f in ('pyproject.toml', '_quarto.yml', 'README.md', 'LICENSE'):
        if (top/f).exists(): shutil.copy(top/f, to/f)
    return to


def different(what, top=TOP):
    "The files under `top` that nbdev would write differently"
    command, folder, glob = WORK[what]
    with tempfile.TemporaryDirectory() as d:
        to = copied(Path(top), Path(d))
        run = subprocess.run([Path(sys.executable).parent/command], cwd=to, capture_output=True, text=True)
        if run.returncode: return [f'{command} failed: {run.stderr[-2000:]}']
        names = {p.relative_to(r) for r in (Path(top), to) for p in (r/folder).rglob(glob) if '.ipynb_checkpoints' not in p.parts}
        return sorted(str(n) for n in names if not ((top/n).exists() and (to/n).exists() and filecmp.cmp(top/n, to/n, shallow=False)))


def notebooks(top=TOP):
    "Every notebook of the library and its documentation"
    return sorted(p for p in (Path(top)/'nbs').rglob('*.ipynb') if not any(d[0] in '._' for d in p.relative_to(top).parts))


def mixed(top=TOP):
    "The cells that hold an import beside other code and are not exported: building the documentation would run all of each"
    found = []
    for p in notebooks(top):
        for c in json.loads(p.read_text(encoding='utf-8'))['cells']:
            src = ''.join(c['source'])
            if c['cell_type']!='code' or src[:1] in '%!' or re.search(r'^#\| *(exports?|exporti|exec_doc|eval: *false)\b', src, re.M): continue
            tree = ast.parse(src); imports = (ast.Import, ast.ImportFrom)
            if any(isinstance(n, imports) for n in ast.walk(tree)) and not all(isinstance(n, imports) for n in tree.body):
                found.append(f'  {p.relative_to(top)}: {src.splitlines()[0]} …')
    return found


if __name__=='__main__':
    what = sys.argv[1]; bad = different(what)
    if bad: sys.exit(f'not in sync: run {WORK[what][0]} and commit\n  '+'\n  '.join(bad))
    print({'export': 'the modules are the export of the notebooks', 'clean': 'the notebooks are clean'}[what])
