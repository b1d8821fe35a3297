"use strict";

const RATE = 16000, SIZE = 512, BANDS = 64, LOW = 60, HIGH = 8000, COLUMNS = 320, RANGE_DB = 60;
const mel = (hz) => 2595 * Math.log10(1 + hz / 700);
const hertz = (m) => 700 * (10 ** (m / 2595) - 1);

// Waveform and log-mel spectrogram of the clip, as the browser decodes it at 16 kHz; its seconds, or 0 if it cannot.
async function draw(clip) {
  let samples;
  try {
    const context = new OfflineAudioContext(1, 1, RATE);
    samples = (await context.decodeAudioData(await clip.arrayBuffer())).getChannelData(0);
  } catch {
    samples = new Float32Array(0); // the server may still read it
  }
  drawWave(document.getElementById("wave"), samples);
  drawSpectrum(document.getElementById("spectrum"), samples);
  return samples.length / RATE;
}

function drawWave(canvas, samples) {
  const pen = canvas.getContext("2d");
  pen.clearRect(0, 0, canvas.width, canvas.height);
  if (!samples.length) return;
  pen.fillStyle = "#3b82f6";
  const loudest = samples.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-3);
  for (let x = 0; x < canvas.width; x++) {
    const part = samples.subarray(Math.floor((x * samples.length) / canvas.width), Math.ceil(((x + 1) * samples.length) / canvas.width));
    const peak = part.reduce((most, y) => Math.max(most, Math.abs(y)), 0) / loudest;
    pen.fillRect(x, (canvas.height * (1 - peak)) / 2, 1, Math.max(1, canvas.height * peak));
  }
}

// Triangles that overlap by half on the mel scale: [first bin, weights] of each band.
function filterBank() {
  const edges = Array.from({ length: BANDS + 2 }, (_, i) => hertz(mel(LOW) + ((mel(HIGH) - mel(LOW)) * i) / (BANDS + 1)));
  return Array.from({ length: BANDS }, (_, band) => {
    const [left, centre, right] = edges.slice(band, band + 3);
    const weights = Array.from({ length: SIZE / 2 + 1 }, (_, bin) => {
      const hz = (bin * RATE) / SIZE;
      return Math.max(0, Math.min((hz - left) / (centre - left), (right - hz) / (right - centre)));
    });
    const first = weights.findIndex((weight) => weight > 0);
    if (first < 0) return [Math.round((centre * SIZE) / RATE), [1]]; // narrower than a bin: the nearest one
    return [first, weights.slice(first).filter((weight) => weight > 0)];
  });
}

// In place, radix 2; `real` and `imaginary` are as long as a power of two.
function transform(real, imaginary) {
  const n = real.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) [real[i], real[j], imaginary[i], imaginary[j]] = [real[j], real[i], imaginary[j], imaginary[i]];
  }
  for (let half = 1; half < n; half *= 2) {
    for (let k = 0; k < half; k++) {
      const c = Math.cos((-Math.PI * k) / half), s = Math.sin((-Math.PI * k) / half);
      for (let i = k; i < n; i += 2 * half) {
        const j = i + half;
        const x = real[j] * c - imaginary[j] * s, y = real[j] * s + imaginary[j] * c;
        [real[j], imaginary[j]] = [real[i] - x, imaginary[i] - y];
        [real[i], imaginary[i]] = [real[i] + x, imaginary[i] + y];
      }
    }
  }
}

// dB of each band, column by column.
function logMel(samples) {
  const bank = filterBank();
  const window = Float64Array.from({ length: SIZE }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / SIZE));
  const columns = Math.min(COLUMNS, Math.max(1, Math.floor(samples.length / 160)));
  return Array.from({ length: columns }, (_, column) => {
    const start = Math.floor((column * Math.max(0, samples.length - SIZE)) / Math.max(1, columns - 1));
    const real = window.map((weight, i) => weight * (samples[start + i] || 0)), imaginary = new Float64Array(SIZE);
    transform(real, imaginary);
    return bank.map(([first, weights]) => {
      const power = weights.reduce((sum, weight, i) => sum + weight * (real[first + i] ** 2 + imaginary[first + i] ** 2), 0);
      return 10 * Math.log10(power + 1e-10);
    });
  });
}

function drawSpectrum(canvas, samples) {
  const pen = canvas.getContext("2d");
  pen.clearRect(0, 0, canvas.width, canvas.height);
  if (!samples.length) return;
  const columns = logMel(samples);
  const most = columns.flat().reduce((a, b) => Math.max(a, b), -100);
  const width = canvas.width / columns.length, height = canvas.height / BANDS;
  columns.forEach((bands, x) => bands.forEach((db, band) => {
    pen.fillStyle = shade(Math.max(0, 1 + (db - most) / RANGE_DB));
    pen.fillRect(Math.floor(x * width), Math.floor(canvas.height - (band + 1) * height), Math.ceil(width), Math.ceil(height));
  }));
}

// Viridis: its lightness grows evenly, so that no step is seen that the sound does not have, by the colour-blind either.
const STOPS = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];
function shade(level) {
  const place = level * (STOPS.length - 1), below = Math.min(STOPS.length - 2, Math.floor(place));
  const part = STOPS[below].map((value, i) => Math.round(value + (place - below) * (STOPS[below + 1][i] - value)));
  return `rgb(${part.join(" ")})`;
}
