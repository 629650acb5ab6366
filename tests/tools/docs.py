"Build the documentation: Quarto where it is installed, else smalldocs, from the same staged notebooks; then check the links."
import argparse, html, re, shutil, subprocess, sys
from pathlib import Path

import yaml
from nbdev.config import get_config, nbpath2html
from nbdev.quarto import refresh_quarto_yml
from nbdev.serve import proc_nbs

sys.path.insert(0, str(Path(__file__).parent))
from links import problems
from sync import mixed

STAGES = {0: 'Data', 1: 'Models', 2: 'Training', 3: 'Explaining', 4: 'Trust', 5: 'Views', 6: 'Words and commands'}


def sidebar(nbs):
    "The sidebar as Quarto reads it: the README, the unnumbered folders, then one section for each tens digit"
    rel = sorted(str(p.relative_to(nbs)) for p in nbs.rglob('*.ipynb') if not any(d[0] in '._' for d in p.relative_to(nbs).parts))
    parts = {'': [n for n in rel if n=='index.ipynb']}
    for n in (n for n in rel if '/' in n): parts.setdefault(n.split('/')[0].replace('_', '-').capitalize(), []).append(n)
    for n in (n for n in rel if re.match(r'\d\d_', n)): parts.setdefault(STAGES.get(int(n[0]), 'More'), []).append(n)
    parts[''] += [n for n in rel if '/' not in n and n!='index.ipynb' and not re.match(r'\d\d_', n)]
    contents = parts.pop('') + [{'section': k, 'contents': v} for k, v in parts.items()]
    return yaml.safe_dump({'website': {'sidebar': {'contents': contents}}}, sort_keys=False)


def mathml(page):
    "Turn TeX into MathML, so that a page with formulas needs no script from elsewhere (Quarto does the same by its own option)"
    from latex2mathml.converter import convert
    def one(m): return f'<span class="math {m[1]}">{convert(html.unescape(m[2]).strip(), display="block" if m[1]=="display" else "inline")}</span>'
    page = re.sub(r'<span class="math (inline|display)">\\[(\[](.*?)\\[)\]]</span>', one, page, flags=re.S)
    return re.sub(r'<(script|link)\b[^>]*katex[^>]*>(</script>)?', '', page)


def links(source):
    "Links to notebooks under their published names"
    def one(m): return m[1]+nbpath2html(Path(m[2])).stem+'.ipynb'+m[3]
    return re.sub(r'(\]\((?!https?:)(?:[^)\s#"]*/)?)([^)\s#"/]+)\.ipynb([)#])', one, source)


def smalldocs(stage, out):
    "smalldocs reads the names of files, not nbdev's `output-file`: give the staged notebooks their published names first"
    bar = stage/'sidebar.yml'; txt = bar.read_text()
    for nb in sorted(stage.rglob('*.ipynb')):
        nb.write_text(links(nb.read_text(encoding='utf-8')), encoding='utf-8'); new = nb.with_name(nbpath2html(nb).stem+'.ipynb')
        if new!=nb: nb.rename(new); txt = txt.replace(str(nb.relative_to(stage)), str(new.relative_to(stage)))
    bar.write_text(txt)
    quarto = yaml.safe_load((stage/'_quarto.yml').read_text()); quarto['format']['html'].pop('html-math-method', None)
    (stage/'_quarto.yml').write_text(yaml.safe_dump(quarto, sort_keys=False))
    subprocess.run([Path(sys.executable).parent/'smalldocs', 'render', str(stage)], check=True)
    for p in (stage/out.name).rglob('*.html'): p.write_text(mathml(p.read_text(encoding='utf-8')), encoding='utf-8')
    shutil.rmtree(out, ignore_errors=True); shutil.move(str(stage/out.name), out)


def main():
    ap = argparse.ArgumentParser(description=__doc__); ap.add_argument('--engine', choices=['auto', 'quarto', 'smalldocs'], default='auto')
    engine = ap.parse_args().engine
    if engine=='auto': engine = 'quarto' if shutil.which('quarto') else 'smalldocs'
    if bad := mixed(): sys.exit('staging would run more than imports; give them a cell of their own:\n'+'\n'.join(bad))
    cfg = get_config(); out = Path(cfg.doc_path)
    refresh_quarto_yml(); (cfg.nbs_path/'sidebar.yml').write_text(sidebar(cfg.nbs_path))
    if engine=='quarto': subprocess.run([Path(sys.executable).parent/'nbdev-docs'], check=True)
    else: smalldocs(proc_nbs(force=True, n_workers=2), out)
    wrong = problems(out, base=cfg.doc_baseurl, url=cfg.doc_url)
    for w in wrong: print('  '+w)
    if wrong: sys.exit(f'{len(wrong)} links of the site do not resolve')
    print(f"site in {out} ({len(list(out.rglob('*.html')))} pages, {engine}), every internal link resolves")


if __name__=='__main__': main()
