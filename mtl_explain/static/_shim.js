// Runs a view without a kernel: as much of the widget model as `render` needs, fed from saved traits.

export class StaticModel {
  constructor(state) { this._state = {...state}; this._listeners = new Map(); this.isStatic = true; }
  get(k) { return this._state[k]; }
  set(k, v) {
    if (typeof k === 'object') { for (const [a, b] of Object.entries(k)) this.set(a, b); return; }
    if (Object.is(this._state[k], v)) return;
    this._state[k] = v; this._emit('change:' + k, this, v); this._emit('change', this);
  }
  save_changes() {}
  send() {}
  on(names, f) { for (const n of names.split(/\s+/)) this._listeners.set(n, [...(this._listeners.get(n) ?? []), f]); return this; }
  off(names, f) { for (const n of names ? names.split(/\s+/) : [...this._listeners.keys()]) this._listeners.set(n, f ? (this._listeners.get(n) ?? []).filter(x => x !== f) : []); return this; }
  _emit(n, ...args) { for (const f of this._listeners.get(n) ?? []) f.apply(this, args); }
}

function bytes(text) {
  if (Uint8Array.fromBase64) return new DataView(Uint8Array.fromBase64(text).buffer);
  const raw = atob(text), out = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) out[i] = raw.charCodeAt(i);
  return new DataView(out.buffer);
}
/** Bytes travel as {$b64: text}; everything else as JSON */
export function revive(x) {
  if (x === null || typeof x !== 'object') return x;
  if (Array.isArray(x)) return x.map(revive);
  return '$b64' in x ? bytes(x.$b64) : Object.fromEntries(Object.entries(x).map(([k, v]) => [k, revive(v)]));
}

/** A page may hold the same script many times over: it is read once */
function load(esm) {
  const scripts = globalThis.mtlScripts ??= new Map();
  if (!scripts.has(esm)) { const url = URL.createObjectURL(new Blob([esm], {type: 'text/javascript'})); scripts.set(esm, import(url).finally(() => URL.revokeObjectURL(url))); }
  return scripts.get(esm);
}
export async function mount(el, {esm, css, state}, signal = new AbortController().signal) {
  try {
    const {default: view} = await load(esm), model = new StaticModel(revive(state));
    if (signal.aborted) return;
    const style = document.createElement('style'); style.textContent = css;
    const at = document.createElement('div'); el.replaceChildren(style, at);
    await view.render({model, el: at, signal});
    el.dataset.mtlReady = 'yes'; el.mtlModel = model;
  } catch (e) { el.textContent = 'This view could not be started: ' + e.message; console.error(e); }
}

const LOADING = /^Loading widget/, DEAD = /^Error displaying widget/, PATIENCE = 2500; // what JupyterLab writes where a live view should be; ms until it is no longer waited for
/** Beside a live view: drawn only where that one does not come, as in a notebook that is opened again, and gone as soon as it comes */
export function standBy(el, draw, patience = PATIENCE) {
  const own = el.closest('.jp-OutputArea-child') ?? el, other = own === el ? null : own.previousElementSibling, end = new AbortController(), show = (e, yes) => { if (e) e.style.display = yes ? '' : 'none'; };
  const said = () => other?.textContent.trim() ?? '', running = () => !!el.closest('.jp-Cell')?.querySelector('.jp-InputPrompt')?.textContent.includes('*');
  const live = () => !!document.querySelector(`[data-mtl-of="${CSS.escape(el.dataset.mtlLive)}"]`) || !!other?.querySelector('.jp-OutputArea-output .jupyter-widgets');
  let since = Date.now(), drawn = false;
  const leave = () => { clearInterval(timer); watch.disconnect(); end.abort(); window.removeEventListener('mtl-live', heard); el.replaceChildren(); show(own, false); show(other, true); };
  const heard = e => { if (e.detail === el.dataset.mtlLive) leave(); };
  function look() {
    if (live()) { leave(); return; }
    if (running()) since = Date.now();
    if (drawn || (LOADING.test(said()) && Date.now() - since < patience)) return;
    drawn = true; clearInterval(timer); show(own, true); if (LOADING.test(said()) || DEAD.test(said())) show(other, false);
    draw(end.signal);
  }
  const timer = setInterval(look, 100), watch = new MutationObserver(look);
  show(own, false); window.addEventListener('mtl-live', heard); if (other) watch.observe(other, {childList: true, subtree: true}); look();
}

/** Fill every place that waits for the state `id`. An output may be attached a little later than its script runs, so look again for a while. */
export function start(id, tries = 50) {
  const source = document.querySelector(`script[data-mtl-state="${id}"]`), places = [...document.querySelectorAll(`[data-mtl="${id}"]:not([data-mtl-ready])`)];
  if (!source || !places.length) { if (tries) setTimeout(start, 100, id, tries - 1); return; }
  const draw = (el, signal) => mount(el, JSON.parse(source.textContent), signal);
  for (const el of places) { el.dataset.mtlReady = 'soon'; if (el.dataset.mtlLive) standBy(el, signal => draw(el, signal)); else draw(el); }
}
