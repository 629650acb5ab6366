"One browser and one JupyterLab server for the whole session. Nothing here skips: without a browser the tests fail and say what to install."
import json, os, secrets, socket, subprocess, sys, time, urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent/'tools'), str(HERE)]
import need

ARGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage', '--disable-features=BackForwardCache']
LOCAL = ('http://127.0.0.1', 'http://localhost', 'ws://127.0.0.1', 'ws://localhost', 'data:', 'blob:', 'file:', 'about:')


@pytest.fixture(scope='session')
def browser():
    from playwright.sync_api import sync_playwright
    try: path = need.chromium()
    except SystemExit as e: pytest.fail(str(e.code))
    with sync_playwright() as p:
        b = p.chromium.launch(executable_path=path, headless=True, args=ARGS)
        yield b
        b.close()


def _listen(page):
    page.errors = []
    page.on('console', lambda m: page.errors.append(m.text) if m.type=='error' else None)
    page.on('pageerror', lambda e: page.errors.append(str(e)))
    return page


def _context(browser, hosts=(), **kw):
    c = browser.new_context(viewport={'width': 1280, 'height': 1000}, **kw)
    c.outside = []
    def route(r):
        if r.request.url.startswith(LOCAL): r.continue_()
        elif r.request.url.startswith(hosts or '-'): r.fulfill(body='', content_type='text/javascript')
        else: c.outside.append(r.request.url); r.abort()
    c.route('**/*', route)
    return c


@pytest.fixture(scope='session')
def context(browser):
    c = _context(browser)
    yield c
    c.close()


@pytest.fixture(scope='session')
def tabs(browser):
    "The tabs that pages are opened in, by the hosts that they may ask: a new tab takes three times as long as another page in an old one"
    tabs = {}
    yield tabs
    for c, _ in tabs.values(): c.close()


@pytest.fixture
def open_page(browser, tabs):
    "open_page(path, width=1000, theme='light') -> a page, in place of the one before; its errors and outside requests are looked at when another one comes or the test ends"
    used = set()
    def look(hosts):
        c, page = tabs[hosts]
        if page.errors or c.outside: tabs.pop(hosts); c.close(); assert page.errors==[] and c.outside==[]
    def go(path, width=1000, height=900, theme='light', ready='.mtl-picture > *', hosts=()):
        if hosts not in tabs: c = _context(browser, hosts, accept_downloads=True); c.set_default_timeout(30_000); tabs[hosts] = c, _listen(c.new_page())
        c, page = tabs[hosts]
        if hosts in used: look(hosts)
        page.mouse.move(0, 0); page.goto('about:blank'); page.errors.clear(); c.outside.clear(); used.add(hosts)
        page.emulate_media(color_scheme=theme); page.set_viewport_size({'width': width, 'height': height})
        page.goto(Path(path).as_uri()); page.wait_for_selector(ready)
        return page
    yield go
    for hosts in used & set(tabs): look(hosts)


def pytest_collection_modifyitems(items):
    "For `--dist loadgroup`: what needs a JupyterLab shares one, every other file stays together; what takes longest comes first"
    group = lambda i: 'lab' if {'lab', 'notebook7'} & set(i.fixturenames) else i.path.stem
    for i in items: i.add_marker(pytest.mark.xdist_group(group(i)))
    items.sort(key=lambda i: {'lab': 0, 'test_every_view': 1}.get(group(i), 2))


class Lab:
    "Drives notebooks through `window.jupyterapp` rather than menus: no dialogs, no guesses about timing"
    def __init__(self, page, root): self.page, self.root = page, root

    def run(self, cells, name):
        nb = dict(cells=[dict(cell_type='code', id=f'c{i}', metadata={}, source=s, execution_count=None, outputs=[]) for i, s in enumerate(cells)],
                  metadata=dict(kernelspec=dict(name='python3', display_name='Python 3', language='python')), nbformat=4, nbformat_minor=5)
        (self.root/name).write_text(json.dumps(nb))
        outs = self.page.evaluate('''async path => { const app = window.jupyterapp; await app.restored;
          const w = await app.commands.execute('docmanager:open', {path, factory: 'Notebook'});
          await w.context.ready; await w.sessionContext.ready; await w.sessionContext.session.kernel.info; await w.revealed; window.nbw = w;
          await app.commands.execute('notebook:run-all-cells');
          return w.content.widgets.map(c => c.model.toJSON().outputs ?? []) }''', name)
        bad = [o for c in outs for o in c if o['output_type']=='error']
        assert not bad, bad
        return outs

    def kernel(self, code):
        "Run code in the kernel, return what it printed"
        return self.page.evaluate('''async code => { const f = window.nbw.sessionContext.session.kernel.requestExecute({code}); let out = '', bad = null;
          f.onIOPub = m => { if (m.header.msg_type === 'stream') out += m.content.text; if (m.header.msg_type === 'error') bad = m.content.evalue; };
          await f.done; if (bad) throw new Error(bad); return out.trim() }''', code)

    def until(self, code, want, timeout=30):
        "Ask until the answer is there: a second change from the page waits until the kernel is idle again"
        end = time.time() + timeout
        while (got:=self.kernel(code))!=want and time.time() < end: time.sleep(.05)
        assert got==want, (got, want)

    def save(self): self.page.evaluate('async () => { await window.nbw.context.save() }')
    def close(self): self.page.evaluate('async () => { if (window.nbw) { await window.nbw.sessionContext.shutdown(); window.nbw.dispose(); window.nbw = null } }')


@contextmanager
def serve(home):
    "A JupyterLab of its own, with its settings under `home`: (url, token, folder of the notebooks)"
    root = home/'root'; root.mkdir()
    d = home/'set/@jupyterlab/apputils-extension'; d.mkdir(parents=True)
    (d/'notification.jupyterlab-settings').write_text(json.dumps({'fetchNews': 'false', 'checkForUpdates': False, 'doNotDisturbMode': True}))
    with socket.socket() as s: s.bind(('127.0.0.1', 0)); port = s.getsockname()[1]
    token = secrets.token_hex(16)
    env = dict(os.environ, JUPYTER_CONFIG_DIR=f'{home}/cfg', JUPYTER_DATA_DIR=f'{home}/data', JUPYTER_RUNTIME_DIR=f'{home}/rt', JUPYTERLAB_SETTINGS_DIR=f'{home}/set', JUPYTERLAB_WORKSPACES_DIR=f'{home}/ws',
               IPYTHONDIR=f'{home}/ipy', PYTHONPATH=os.pathsep.join([str(HERE.parents[1]), str(HERE.parent), os.environ.get('PYTHONPATH', '')]))
    env.pop('IN_TEST', None)
    p = subprocess.Popen([sys.executable, '-m', 'jupyterlab', '--no-browser', '--allow-root', '--ip=127.0.0.1', f'--port={port}', '--ServerApp.port_retries=0', f'--IdentityProvider.token={token}',
        f'--ServerApp.root_dir={root}', '--LabApp.expose_app_in_browser=True', '--JupyterNotebookApp.expose_app_in_browser=True', '--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate', '--LabApp.extension_manager=readonly'],
        env=env, stdout=(home/'log').open('w'), stderr=subprocess.STDOUT)
    url = f'http://127.0.0.1:{port}'
    for _ in range(600):
        if p.poll() is not None: raise RuntimeError((home/'log').read_text()[-3000:])
        try: urllib.request.urlopen(f'{url}/api/status?token={token}', timeout=1); break
        except OSError: time.sleep(.1)
    try: yield url, token, root
    finally: p.terminate(); p.wait(30)


@pytest.fixture(scope='session')
def lab_server(tmp_path_factory):
    with serve(tmp_path_factory.mktemp('lab')) as s: yield s


@pytest.fixture(scope='session')
def lab_url(lab_server): return f'{lab_server[0]}/lab?token={lab_server[1]}&reset'


@pytest.fixture(scope='session')
def lab_page(lab_url, context):
    page = _listen(context.new_page()); page.set_default_timeout(30_000)
    page.goto(lab_url); page.wait_for_function('window.jupyterapp')
    yield page
    page.close()


@pytest.fixture
def lab(lab_server, lab_page, context):
    lab_page.errors.clear(); context.outside.clear()
    l = Lab(lab_page, lab_server[2])
    yield l
    l.close()
    assert lab_page.errors==[] and context.outside==[]


@pytest.fixture
def notebook7(lab_server, context):
    "notebook7(name) -> a notebook of the same server, opened in Notebook 7 and run"
    url, token, root = lab_server; page = _listen(context.new_page()); page.set_default_timeout(30_000); context.outside.clear(); l = Lab(page, root)
    def go(name):
        page.goto(f'{url}/notebooks/{name}?token={token}'); page.wait_for_function('window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel')
        page.evaluate('async () => { window.nbw = jupyterapp.shell.currentWidget; await nbw.context.ready; await nbw.sessionContext.ready; await nbw.sessionContext.session.kernel.info; await jupyterapp.restored }')
        page.errors.clear()  # Notebook 7 itself stumbles over a setting while it starts
        page.evaluate("() => jupyterapp.commands.execute('notebook:run-all-cells')"); return l
    yield go
    l.close(); page.close(); assert page.errors==[] and context.outside==[]
