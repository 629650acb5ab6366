// Colours: the tokens of both themes, mixing in OKLab, and the two ramps. Pure functions.

export const TOKENS = {
  light: {paper:'#ffffff', raised:'#f6f7f8', track:'#eceef0', line:'#d5d9dd', axis:'#8b9198', hatch:'#9aa0a6', ink:'#1c2024', muted:'#5b6269',
    shared:'#006b78', mid:'#87835a', private:'#b35a00', 'shared-text':'#00606c', 'private-text':'#8f4700',
    plus:'#1f5fbf', minus:'#c2274f', 'plus-text':'#1a52a6', 'minus-text':'#a81f43', 'warn-text':'#8f4700', 'error-text':'#b3261e', focus:'#1976d2'},
  dark: {paper:'#111111', raised:'#1b1d1f', track:'#24272a', line:'#393d42', axis:'#7c838b', hatch:'#6b7178', ink:'#eceef0', muted:'#a9b0b7',
    shared:'#2fbccb', mid:'#a09d78', private:'#f0a03c', 'shared-text':'#5fd3df', 'private-text':'#f7b765',
    plus:'#6aa5ff', minus:'#ff7590', 'plus-text':'#86b6ff', 'minus-text':'#ff90a6', 'warn-text':'#f7b765', 'error-text':'#ff8a80', focus:'#42a5f5'}};

/** '#abc', '#aabbcc' or 'rgb(1, 2, 3)' -> [r, g, b] in 0..1; null for anything else */
export function parse(css) {
  const c = String(css).trim();
  let m = /^#([0-9a-f]{3})$/i.exec(c);
  if (m) return [...m[1]].map(x => parseInt(x + x, 16)/255);
  m = /^#([0-9a-f]{6})$/i.exec(c);
  if (m) return [0, 2, 4].map(i => parseInt(m[1].slice(i, i + 2), 16)/255);
  m = /^rgba?\(\s*([\d.]+)[,\s]+([\d.]+)[,\s]+([\d.]+)\s*\)$/i.exec(c);
  return m ? [1, 2, 3].map(i => +m[i]/255) : null;
}
export const hex = rgb => '#' + rgb.map(x => Math.round(Math.min(1, Math.max(0, x))*255).toString(16).padStart(2, '0')).join('');

export const linear = x => x <= .04045 ? x/12.92 : ((x + .055)/1.055)**2.4;
export const gamma = x => x <= .0031308 ? 12.92*x : 1.055*x**(1/2.4) - .055;

/** linear rgb -> OKLab */
export function lab([r, g, b]) {
  const l = Math.cbrt(.4122214708*r + .5363325363*g + .0514459929*b), m = Math.cbrt(.2119034982*r + .6806995451*g + .1073969566*b), s = Math.cbrt(.0883024619*r + .2817188376*g + .6299787005*b);
  return [.2104542553*l + .793617785*m - .0040720468*s, 1.9779984951*l - 2.428592205*m + .4505937099*s, .0259040371*l + .7827717662*m - .808675766*s];
}
function unlab([L, a, b]) {
  const l = (L + .3963377774*a + .2158037573*b)**3, m = (L - .1055613458*a - .0638541728*b)**3, s = (L - .0894841775*a - 1.291485548*b)**3;
  return [4.0767416621*l - 3.3077115913*m + .2309699292*s, -1.2684380046*l + 2.6097574011*m - .3413193965*s, -.0041960863*l - .7034186147*m + 1.707614701*s];
}
const toLab = c => lab(parse(c).map(linear));

/** a for t = 0, b for t = 1, mixed in OKLab */
export function mix(a, b, t) {
  const p = toLab(a), q = toLab(b);
  return hex(unlab(p.map((x, i) => x + (q[i] - x)*t)).map(x => gamma(Math.max(0, x))));
}

/** Hue of a concept: specificity 0 (spread evenly) teal, 1 (one task) amber; NaN takes the middle */
export function hue(s, tk) {
  if (!(s >= 0)) s = .5;
  return s < .5 ? mix(tk.shared, tk.mid, (2*s)**1.7) : mix(tk.mid, tk.private, 1 - Math.max(0, 2 - 2*s)**1.7);
}
/** Lightness of a cell: size t in 0..1 of a hue */
export const tint = (h, t, tk) => mix(mix(tk.paper, h, .07), h, t);
/** n tints of a hue, from size 0 to 1 */
export function ramp(h, tk, n) {
  const a = toLab(mix(tk.paper, h, .07)), b = toLab(h);
  return Array.from({length: n}, (_, i) => hex(unlab(a.map((x, j) => x + (b[j] - x)*i/(n - 1))).map(x => gamma(Math.max(0, x)))));
}
/** Size t from a share and the largest share on the picture; the smallest shown is .16 */
export const size = (x, max) => max > 0 ? .16 + .84*Math.min(1, x/max) : .16;

export function luminance(c) { const [r, g, b] = parse(c).map(linear); return .2126*r + .7152*g + .0722*b; }
export function contrast(a, b) { const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p); return (x + .05)/(y + .05); }
/** Black or white, whichever reads better on a colour */
export const inkOn = c => contrast('#000000', c) >= contrast('#ffffff', c) ? '#000000' : '#ffffff';
/** 100 x OKLab distance of two colours, given as text or as linear rgb */
export function distance(a, b) { const [p, q] = [a, b].map(c => Array.isArray(c) ? lab(c) : toLab(c)); return 100*Math.hypot(...p.map((x, i) => x - q[i])); }
