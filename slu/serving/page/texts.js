"use strict";

// What the page says, in two languages. `refused` is by status: what the server itself says is English.
const TEXTS = {
  en: {
    title: "Say an order", model: "Recogniser", key: "API key", drop: "Choose a recording, or drop one here",
    heard: "What was heard", waiting: "Nothing yet. Press the button and speak.", sound: "The sound",
    history: "This session", noHistory: "What is heard appears here until the page is closed.",
    record: "Record", stop: "Stop", recording: "Recording. Press the button again to stop.", other: "Bahasa Indonesia",
    asking: "Listening…", not: "Not understood", confidence: "Confidence", perhaps: "Or perhaps", level: "Level of the microphone",
    denied: "The microphone was not allowed. Allow it in the browser's settings for this page, or choose a recording.",
    missing: "There is no microphone that can be used. Choose a recording instead.",
    insecure: "Browsers give the microphone only to pages on https or localhost, and this is neither. Choose a recording instead.",
    offline: "The server does not answer. Is it running, and is this device on its network?",
    needsKey: "This server asks for an API key: enter it beside the recogniser.",
    wave: "Waveform of the recording", spectrum: "Log-mel spectrogram of the recording", scale: "{s} s across; {low} Hz to {high} kHz upwards, on the mel scale",
    right: "What was right?", comment: "Comment", send: "Send", thanks: "Thank you, it is stored.", none: "not mentioned",
    stores: "Stored with it: what was heard, and a code in place of your network address.",
    keeps: "What you send here keeps the recording with it, for {days} days.",
    heads: {}, reasons: {}, refused: {},
  },
  id: {
    title: "Ucapkan pesanan", model: "Pengenal", key: "Kunci API", drop: "Pilih rekaman, atau jatuhkan di sini",
    heard: "Yang terdengar", waiting: "Belum ada. Tekan tombol lalu bicara.", sound: "Suaranya",
    history: "Sesi ini", noHistory: "Yang terdengar muncul di sini sampai halaman ditutup.",
    record: "Rekam", stop: "Berhenti", recording: "Merekam. Tekan tombol lagi untuk berhenti.", other: "English",
    asking: "Mendengarkan…", not: "Tidak dimengerti", confidence: "Keyakinan", perhaps: "Atau mungkin", level: "Tingkat suara mikrofon",
    denied: "Mikrofon tidak diizinkan. Izinkan di setelan peramban untuk halaman ini, atau pilih rekaman.",
    missing: "Tidak ada mikrofon yang bisa dipakai. Pilih rekaman saja.",
    insecure: "Peramban memberi mikrofon hanya kepada halaman https atau localhost, dan ini bukan keduanya. Pilih rekaman saja.",
    offline: "Server tidak menjawab. Apakah sedang berjalan, dan apakah perangkat ini satu jaringan dengannya?",
    needsKey: "Server ini meminta kunci API: isilah di dekat pengenal.",
    wave: "Bentuk gelombang rekaman", spectrum: "Spektrogram log-mel rekaman", scale: "{s} detik mendatar; {low} Hz sampai {high} kHz ke atas, skala mel",
    right: "Apa yang benar?", comment: "Komentar", send: "Kirim", thanks: "Terima kasih, sudah disimpan.", none: "tidak disebut",
    stores: "Ikut disimpan: apa yang terdengar, dan sebuah kode sebagai pengganti alamat jaringan Anda.",
    keeps: "Bersama koreksi ini rekamannya ikut disimpan selama {days} hari.",
    heads: { product: "produk", quantity: "jumlah", gender: "suara", digit: "angka" },
    reasons: {
      "silence": "hening", "noise": "derau", "too short": "terlalu pendek", "too long": "terlalu panjang",
      "not sure": "tidak yakin", "ambiguous": "bermakna ganda", "not on the menu": "tidak ada di menu",
    },
    refused: {
      401: "Kunci API salah atau belum diisi.", 404: "Pengenal itu sudah tidak ada; muat ulang halaman.",
      408: "Pengiriman terlalu lama.", 413: "Rekaman terlalu besar.", 422: "Rekaman tidak bisa dipakai.",
      429: "Terlalu banyak permintaan; coba lagi nanti.", 500: "Ada yang salah di server.",
      503: "Server sedang sibuk; coba lagi sebentar.", 504: "Server terlalu lama menjawab.",
    },
  },
};
