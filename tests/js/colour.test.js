import {test} from 'node:test';
import assert from 'node:assert/strict';
import {TOKENS, parse, hex, linear, mix, hue, tint, size, contrast, inkOn, distance} from '../../mtl_explain/static/_colour.js';

const close = (a, b, by = 2) => { const [x, y] = [a, b].map(parse); assert.ok(x.every((v, i) => Math.abs(v - y[i])*255 <= by), `${a} is not ${b}`); };

test('colours are read in the three ways in which a browser writes them', () => {
  assert.deepEqual(parse('#fff'), [1, 1, 1]); assert.equal(hex(parse('#1c2024')), '#1c2024'); assert.equal(hex(parse(' rgb(17, 17, 17)')), '#111111');
  for (const bad of ['', 'transparent', 'rgba(0, 0, 0, 0.5)', 'var(--x)', '#12']) assert.equal(parse(bad), null);
});
test('the hue ramp runs from shared over mid to private', () => {
  const want = {light: ['#006b78', '#407371', '#87835a', '#a7682c', '#b35a00'], dark: ['#2fbccb', '#65b3b2', '#a09d78', '#d8a054', '#f0a03c']};
  for (const theme of ['light', 'dark']) want[theme].forEach((c, i) => close(hue(i/4, TOKENS[theme]), c));
  assert.equal(hue(NaN, TOKENS.light), hue(.5, TOKENS.light));
});
test('the size ramp starts at a visible tint', () => {
  const want = {light: {shared: ['#cddde0', '#a1c0c5', '#75a3ab', '#478791', '#006b78'], private: ['#f1dacd', '#e3baa1', '#d49b75', '#c47b47', '#b35a00']},
    dark: {shared: ['#1e3134', '#275156', '#2d737b', '#3097a2', '#2fbccb'], private: ['#3b2d1d', '#644827', '#90642f', '#bf8136', '#f0a03c']}};
  for (const theme in want) for (const band in want[theme]) want[theme][band].forEach((c, i) => close(tint(TOKENS[theme][band], .16 + .21*i, TOKENS[theme]), c));
  assert.equal(size(0, .4), .16); assert.equal(size(.4, .4), 1); assert.equal(size(.4, 0), .16);
});
test('text keeps 4.5 : 1 and marks 3 : 1 on paper; text in any cell keeps 4.5 : 1', () => {
  for (const tk of Object.values(TOKENS)) {
    for (const k of ['ink', 'muted', 'shared-text', 'private-text', 'plus-text', 'minus-text', 'warn-text', 'error-text']) { assert.ok(contrast(tk[k], tk.paper) >= 4.5, k); assert.ok(contrast(tk[k], tk.raised) >= 4.5, k); }
    for (const k of ['shared', 'mid', 'private', 'plus', 'minus', 'axis', 'focus']) assert.ok(contrast(tk[k], tk.paper) >= 3, k);
    for (let s = 0; s <= 1; s += .05) for (let t = .16; t <= 1.001; t += .04) { const c = tint(hue(s, tk), t, tk); assert.ok(contrast(inkOn(c), c) >= 4.5, `${s} ${t}`); }
  }
});
test('shared and private, raises and lowers can be told apart under every colour blindness', () => {
  const kinds = {none: [[1, 0, 0], [0, 1, 0], [0, 0, 1]], // Machado, Oliveira and Fernandes 2009, severity 1, on linear rgb
    protan: [[.152286, 1.052583, -.204868], [.114503, .786281, .099216], [-.003882, -.048116, 1.051998]], deutan: [[.367322, .860646, -.227968], [.280085, .672501, .047413], [-.01182, .04294, .968881]],
    tritan: [[1.255528, -.076749, -.178779], [-.078411, .930809, .147602], [.004733, .691367, .3039]]};
  const see = (c, m) => m.map(r => Math.min(1, Math.max(0, r.reduce((s, x, i) => s + x*linear(parse(c)[i]), 0))));
  for (const tk of Object.values(TOKENS)) for (const [name, m] of Object.entries(kinds)) for (const [a, b] of [['shared', 'private'], ['plus', 'minus']]) {
    const d = distance(see(tk[a], m), see(tk[b], m)); assert.ok(d >= 12, `${a}–${b}, ${name}: ${d}`); }
});
test('mixing ends where it should', () => { assert.equal(mix('#123456', '#fedcba', 0), '#123456'); assert.equal(mix('#123456', '#fedcba', 1), '#fedcba'); });
