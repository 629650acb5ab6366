"Write README.md from nbs/index.ipynb, without Quarto: `readme.py` writes, `readme.py --check` says whether it is in sync."
import json, re, sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
DOCS = re.search(r'^Documentation = "(.*?)/?"$', (TOP/'pyproject.toml').read_text(encoding='utf-8'), re.M)[1]


def links(md, docs=DOCS):
    "A picture beside the notebook lies in nbs/, another notebook is a page of the site"
    md = re.sub(r'(!\[[^\]]*\]\(|<img[^>]*?src="|srcset=")(?!https?:|data:|/)', r'\1nbs/', md)
    def page(m): return '](' + docs + '/' + re.sub(r'(^|/)[0-9]+[a-z]?_', r'\1', m[1]) + '.html' + (m[2] or '') + ')'
    return re.sub(r'\]\((?!https?:)([^)#\s]+)\.ipynb(#[^)]*)?\)', page, md)


def cell(c):
    "One cell as Markdown; `#| hide` drops it, `#| echo: false` drops its code, of the outputs only plain text is kept"
    src = ''.join(c['source']).strip()
    if c['cell_type']=='markdown': return links(src)
    if c['cell_type']!='code' or re.search(r'^#\|\s*(hide|default_exp|include: *false)', src, re.M): return ''
    code = '\n'.join(l for l in src.split('\n') if not l.startswith('#|')).strip()
    outs = [''.join(o.get('text') or o.get('data', {}).get('text/plain', '')).rstrip() for o in c.get('outputs', [])]
    shown = [] if re.search(r'^#\|\s*echo: *false', src, re.M) else [f'```python\n{code}\n```']
    if not re.search(r'^#\|\s*output: *false', src, re.M): shown += [f'```\n{o}\n```' for o in outs if o]
    return '\n\n'.join(shown)


def readme(path=TOP/'nbs/index.ipynb'):
    "The text of README.md"
    cells = json.loads(Path(path).read_text(encoding='utf-8'))['cells']
    return '<!-- Written from nbs/index.ipynb by `make readme`: edit the notebook. -->\n\n'+'\n\n'.join(filter(None, map(cell, cells)))+'\n'


if __name__=='__main__':
    out = TOP/'README.md'
    if '--check' in sys.argv:
        if not out.exists() or out.read_text(encoding='utf-8')!=readme(): sys.exit('README.md is not in sync with nbs/index.ipynb: run `make readme` and commit it')
    else: out.write_text(readme(), encoding='utf-8')
