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

export async function mount(el, {esm, css, state}) {
  const url = URL.createObjectURL(new Blob([esm], {type: 'text/javascript'}));
  try {
    const {default: view} = await import(url), model = new StaticModel(revive(state)), signal = new AbortController().signal;
    const style = document.createElement('style'); style.textContent = css;
    const at = document.createElement('div'); el.replaceChildren(style, at);
    await view.render({model, el: at, signal});
    el.dataset.mtlReady = 'yes'; el.mtlModel = model;
  } catch (e) { el.textContent = 'This view could not be started: ' + e.message; console.error(e); }
  finally { URL.revokeObjectURL(url); }
}

/** Fill every place that waits for the state `id`. An output may be attached a little later than its script runs, so look again for a while. */
export function start(id, tries = 50) {
  const source = document.querySelector(`script[data-mtl-state="${id}"]`), places = [...document.querySelectorAll(`[data-mtl="${id}"]:not([data-mtl-ready])`)];
  if (!source || !places.length) { if (tries) setTimeout(start, 100, id, tries - 1); return; }
  for (const el of places) { el.dataset.mtlReady = 'soon'; mount(el, JSON.parse(source.textContent)); }
}
