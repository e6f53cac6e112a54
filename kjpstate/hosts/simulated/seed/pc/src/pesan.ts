/** Jawaban bot untuk satu pesan. */
export function balas(teks: string): string {
  const kata = teks.trim().toLowerCase();
  if (kata === 'ping') return 'pong';
  if (kata.startsWith('kjp')) return 'Data KJP Anda sudah kami terima.';
  return 'Ketik "kjp" untuk mengirim data.';
}
