"use strict";

// Waveform and spectrogram of the clip, as the browser decodes it at 16 kHz.
async function draw(clip) {
  let samples;
  try {
    const context = new OfflineAudioContext(1, 1, 16000);
    samples = (await context.decodeAudioData(await clip.arrayBuffer())).getChannelData(0);
  } catch {
    return; // the server may still read it
  }
  drawWave(document.getElementById("wave"), samples);
  drawSpectrum(document.getElementById("spectrum"), samples);
}

function drawWave(canvas, samples) {
  const pen = canvas.getContext("2d");
  pen.clearRect(0, 0, canvas.width, canvas.height);
  pen.fillStyle = "#1f6feb";
  const loudest = samples.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-3);
  for (let x = 0; x < canvas.width; x++) {
    const part = samples.subarray(Math.floor((x * samples.length) / canvas.width), Math.ceil(((x + 1) * samples.length) / canvas.width));
    const peak = part.reduce((most, y) => Math.max(most, Math.abs(y)), 0) / loudest;
    pen.fillRect(x, (canvas.height * (1 - peak)) / 2, 1, Math.max(1, canvas.height * peak));
  }
}

const BANDS = 40, SIZE = 512;
const mel = (hz) => 2595 * Math.log10(1 + hz / 700);
const hertz = (m) => 700 * (10 ** (m / 2595) - 1);

// Power in mel bands by one Goertzel filter each: small, and fast enough for a few seconds of sound.
function drawSpectrum(canvas, samples) {
  const pen = canvas.getContext("2d");
  const columns = Math.min(320, Math.max(1, Math.floor(samples.length / 160)));
  const window = Float32Array.from({ length: SIZE }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / SIZE));
  const powers = [];
  for (let column = 0; column < columns; column++) {
    const start = Math.floor((column * Math.max(0, samples.length - SIZE)) / columns);
    for (let band = 0; band < BANDS; band++) {
      const centre = hertz(mel(80) + ((mel(7600) - mel(80)) * band) / (BANDS - 1));
      const turn = 2 * Math.cos((2 * Math.PI * centre) / 16000);
      let one = 0, two = 0;
      for (let i = 0; i < SIZE; i++) [one, two] = [(samples[start + i] || 0) * window[i] + turn * one - two, one];
      powers.push(Math.log10(one * one + two * two - turn * one * two + 1e-9));
    }
  }
  const most = powers.reduce((a, b) => Math.max(a, b), -9);
  const width = canvas.width / columns, height = canvas.height / BANDS;
  powers.forEach((power, i) => {
    const shade = Math.max(0, 1 + (power - most) / 6);
    pen.fillStyle = `hsl(${260 - 200 * shade} 80% ${8 + 60 * shade}%)`;
    pen.fillRect(Math.floor(i / BANDS) * width, canvas.height - ((i % BANDS) + 1) * height, width + 1, height + 1);
  });
}
