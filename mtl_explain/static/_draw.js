// Building blocks for pictures: elements, measured text, hatching. Text always goes in as a text node, never as markup.

const SVG = 'http://www.w3.org/2000/svg';
let made = 0;
export const unique = name => `mtl-${name}-${(made++).toString(36)}-${Math.random().toString(36).slice(2, 8)}`;

function fill(el, attrs, kids) {
  for (const [k, v] of Object.entries(attrs ?? {})) {
    if (v === undefined || v === null || v === false) continue;
    if (k.startsWith('on')) el.addEventListener(k.slice(2), v);
    else if (k === 'style') for (const [p, x] of Object.entries(v)) el.style.setProperty(p, x);
    else el.setAttribute(k, v === true ? '' : String(v));
  }
  for (const kid of kids.flat(Infinity)) if (kid !== null && kid !== undefined && kid !== false) el.append(kid instanceof Node ? kid : document.createTextNode(String(kid)));
  return el;
}
export const svg = (tag, attrs, ...kids) => fill(document.createElementNS(SVG, tag), attrs, kids);
export const html = (tag, attrs, ...kids) => fill(document.createElement(tag), attrs, kids);

/** Parts of a sentence -> nodes; names are isolated, so that right-to-left text does not turn its neighbours round */
export function rich(parts) {
  return [].concat(parts).flatMap(x => typeof x === 'string' ? [document.createTextNode(x)] : Array.isArray(x) ? rich(x)
    : 'b' in x ? [html('b', {}, rich(x.b))] : 'm' in x ? [html('span', {class: 'mtl-muted'}, rich(x.m))]
    : 'i' in x ? [html('bdi', {class: 'mtl-suggested'}, x.i)] : [html('bdi', {}, x.n)]);
}

const anyRTL = s => /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]/.test(s);
/** Text in a picture; right-to-left text does not turn its neighbours round */
export function text(x, y, s, font, attrs = {}) {
  return svg('text', {x, y, 'font-size': font.size, 'font-weight': font.weight, 'font-style': font.italic ? 'italic' : undefined, ...attrs, style: anyRTL(s) ? {'unicode-bidi': 'isolate'} : undefined}, s);
}

/** Append, arrays and all */
export const put = (el, ...kids) => fill(el, {}, kids);
/** Replace what an element holds */
export const refill = (el, ...kids) => { el.replaceChildren(); return fill(el, {}, kids); };

let context;
/** Width of a text in px; font = {size, weight, italic, family}. Digits are as wide as a 0: pictures set them so, a canvas does not */
export function measure(text, font) {
  context ??= document.createElement('canvas').getContext('2d');
  context.font = `${font.italic ? 'italic ' : ''}${font.weight ?? 400} ${font.size}px ${font.family}`;
  return context.measureText(String(text).replace(/\d/g, '0')).width;
}
/** The text, shortened in the middle by `cut` until it is at most `width` px wide */
export function fit(text, width, font, cut) {
  if (measure(text, font) <= width) return text;
  let lo = 1, hi = Math.min(text.length, 200);
  while (lo < hi) { const m = (lo + hi + 1) >> 1; if (measure(cut(text, m), font) <= width) lo = m; else hi = m - 1; }
  return cut(text, lo);
}
/** Lines of at most `width` px, broken at spaces; null if a single word does not fit */
export function wrap(text, width, font) {
  const lines = [];
  for (const word of text.split(/\s+/).filter(Boolean)) {
    if (measure(word, font) > width) return null;
    const last = lines.at(-1);
    if (last !== undefined && measure(`${last} ${word}`, font) <= width) lines[lines.length - 1] = `${last} ${word}`; else lines.push(word);
  }
  return lines;
}
/** The same, but words that are too wide are kept on lines of their own */
export function flow(text, width, font) {
  const lines = [];
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const last = lines.at(-1);
    if (last !== undefined && measure(`${last} ${word}`, font) <= width) lines[lines.length - 1] = `${last} ${word}`; else lines.push(word);
  }
  return lines;
}
/** The pattern that says "no evidence" */
export const hatch = (id, tk, step = 7) => svg('pattern', {id, width: step, height: step, patternUnits: 'userSpaceOnUse', patternTransform: 'rotate(45)'},
  svg('rect', {width: step, height: step, fill: tk.paper}), svg('line', {x1: .5, y1: 0, x2: .5, y2: step, stroke: tk.hatch, 'stroke-width': 1, opacity: .75}));
/** 95 % interval: an ink line with a halo of paper */
export const whisker = (x1, x2, y, tk) => [svg('line', {x1, x2, y1: y, y2: y, stroke: tk.paper, 'stroke-width': 3.6}), svg('line', {x1, x2, y1: y, y2: y, stroke: tk.ink, 'stroke-width': 1.5})];
/** The same with caps, for bars that are compared by their ends */
export const capped = (x1, x2, y, tk, h = 5) => [...whisker(x1, x2, y, tk), ...[x1, x2].map(x => svg('line', {x1: x, x2: x, y1: y - h/2, y2: y + h/2, stroke: tk.ink, 'stroke-width': 1.5}))];
/** Round numbers from lo to hi, at least n of them */
export function ticks(lo, hi, n = 3) {
  if (!(hi > lo)) return [];
  const raw = (hi - lo)/n, ten = 10**Math.floor(Math.log10(raw)), step = ten*[5, 2, 1].find(k => k*ten <= raw*1.001), out = [];
  for (let k = Math.ceil(lo/step - 1e-9); k*step <= hi + 1e-9*step; k++) out.push(k*step);
  return out;
}
/** The glyph at the label of what is pinned */
export const pin = (x, y, tk) => svg('g', {'aria-hidden': 'true', class: 'mtl-overlay'}, svg('circle', {cx: x, cy: y - 3, r: 4, fill: tk.ink}), svg('line', {x1: x, x2: x, y1: y, y2: y + 7, stroke: tk.ink, 'stroke-width': 1.5}));

/** {name: {shape, dtype, data}} with bytes -> typed arrays with a shape */
const TYPES = {float32: Float32Array, int32: Int32Array, uint16: Uint16Array, uint8: Uint8Array, int8: Int8Array};
export function unpack(arrays) {
  return Object.fromEntries(Object.entries(arrays ?? {}).map(([k, {shape, dtype, data}]) => {
    const view = ArrayBuffer.isView(data) ? data : new DataView(data), bytes = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
    return [k, Object.assign(new TYPES[dtype](bytes), {shape})];
  }));
}
