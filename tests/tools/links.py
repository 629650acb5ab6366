"Every link inside a site resolves, anchors too, and no page needs a script or a style sheet from elsewhere."
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

LINK = {'a': 'href', 'area': 'href', 'link': 'href', 'img': 'src', 'script': 'src', 'iframe': 'src', 'source': 'src', 'video': 'src', 'object': 'data'}
NEEDED = {'script', 'iframe', 'img', 'source', 'video', 'object'}


class Page(HTMLParser):
    "The links of a page as (tag, url), and the anchors it offers"
    def __init__(self, text): super().__init__(); self.links, self.ids, self.base = [], {'', 'top'}, ''; self.feed(text)
    def handle_starttag(self, tag, attrs):
        a = {k: v or '' for k, v in attrs}
        self.ids |= {a[k] for k in ('id', 'name') if a.get(k)}
        if tag=='link' and not set(a.get('rel', '').split()) & {'stylesheet', 'icon', 'shortcut', 'next', 'prev', 'preload', 'modulepreload'}: return
        self.links += [(tag, u.split()[0]) for u in a.get('srcset', '').split(', ') if u.strip() and not u.startswith('data:')]
        if tag in LINK and a.get(LINK[tag]): self.links.append(('stylesheet' if tag=='link' and 'stylesheet' in a.get('rel', '') else tag, a[LINK[tag]]))


def resolve(site, page, link, base, url):
    "The file and the anchor a link means, or None if it leaves the site"
    if url and link.startswith(url.rstrip('/')): link = base+link[len(url.rstrip('/')):] or '/'
    parts = urlsplit(link)
    if parts.scheme or parts.netloc: return None
    path = unquote(urlsplit(urljoin('/'+page.relative_to(site).as_posix(), link)).path)
    if base and link.startswith('/'): path = path.removeprefix(base) or '/'
    file = site/path.lstrip('/')
    return (file/'index.html' if file.is_dir() else file), unquote(parts.fragment)


def problems(site, base='', url=''):
    "One line for each link of the HTML pages under `site` that leads nowhere, and for each outside file that a page needs"
    site = Path(site).resolve(); pages = {p: Page(p.read_text(encoding='utf-8')) for p in sorted(site.rglob('*.html'))}; found = []
    if not pages: return [f'{site} holds no page']
    for page, seen in pages.items():
        for tag, link in dict.fromkeys(seen.links):
            where = f'{page.relative_to(site)}: <{tag}> {link}'; to = resolve(site, page, link, base, url)
            if to is None:
                if (tag in NEEDED or tag=='stylesheet') and not link.startswith(('data:', 'blob:')): found.append(f'{where}: needs a file from elsewhere')
            elif not to[0].exists(): found.append(f'{where}: no such file')
            elif to[1] and to[0] in pages and to[1] not in pages[to[0]].ids: found.append(f'{where}: no such anchor')
    return found


if __name__=='__main__':
    bad = problems(sys.argv[1]); print('\n'.join(bad) or 'every internal link resolves'); sys.exit(bool(bad))
