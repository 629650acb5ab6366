"Photograph the page of the demo in light and dark into pictures/; `--readme` keeps the two that the README shows."
import shutil, subprocess, sys
from pathlib import Path

from need import chromium

TOP = Path(__file__).resolve().parents[2]
ARGS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--no-first-run']


def shot(browser, page, out, scheme):
    "The view of a page with its largest cell clicked; an error in the page, or a request that leaves the machine, is an error here"
    tab = browser.new_page(viewport=dict(width=1180, height=900), color_scheme=scheme, device_scale_factor=1.5); wrong = []
    tab.on('console', lambda m: wrong.append(m.text) if m.type=='error' else None); tab.on('pageerror', lambda e: wrong.append(str(e)))
    tab.on('request', lambda r: wrong.append(r.url) if r.url.startswith(('http', 'ws')) else None)
    tab.goto(page.resolve().as_uri()); tab.wait_for_selector('[data-mtl-ready=yes]', timeout=20_000); tab.wait_for_timeout(500)
    cells = tab.locator('[role=gridcell][data-concept]'); sizes = [int('0'+''.join(c for c in t if c.isdigit())) for t in cells.all_text_contents()]
    cells.nth(sizes.index(max(sizes))).click(); tab.mouse.move(2, 2); tab.wait_for_timeout(300)
    tab.locator('[data-mtl-ready=yes]').first.screenshot(path=out); tab.close()
    if wrong: sys.exit(f'{page.name}, {scheme}: {wrong}')


def main():
    from playwright.sync_api import sync_playwright
    page, out = TOP/'demo.html', TOP/'pictures'; out.mkdir(exist_ok=True)
    if not page.exists(): subprocess.run([Path(sys.executable).parent/'mtl-explain', 'demo', '--no-browser', '--out', str(page)], check=True)
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=chromium(), args=ARGS)
        for scheme in ('light', 'dark'): shot(browser, page, out/f'concept-map-{scheme}.png', scheme)
        browser.close()
    if '--readme' in sys.argv:
        keep = TOP/'nbs/images'; keep.mkdir(exist_ok=True)
        for scheme in ('light', 'dark'): shutil.copy(out/f'concept-map-{scheme}.png', keep)
    print(f'pictures in {out}: {", ".join(sorted(p.name for p in out.glob("*.png")))}')


if __name__=='__main__': main()
