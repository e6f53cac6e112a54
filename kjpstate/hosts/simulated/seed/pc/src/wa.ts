import makeWASocket, { DisconnectReason, WASocket, useMultiFileAuthState } from '@whiskeysockets/baileys';
import { Boom } from '@hapi/boom';
import { balas } from './pesan';

let sock: WASocket | undefined;

/** Kirim teks ke satu nomor. */
export async function kirim(nomor: string, teks: string): Promise<void> {
  if (!sock) throw new Error('Belum terhubung ke WhatsApp');
  await sock.sendMessage(`${nomor}@s.whatsapp.net`, { text: teks });
}

export async function connectToWhatsApp(): Promise<void> {
  const { state, saveCreds } = await useMultiFileAuthState('auth_info_baileys');
  sock = makeWASocket({ auth: state, printQRInTerminal: false });

  sock.ev.on('creds.update', saveCreds);

  sock.ev.on('connection.update', (update) => {
    const { connection, lastDisconnect, qr } = update;
    if (qr) console.log('Pindai kode QR ini dengan WhatsApp di ponsel.');

    if (connection === 'close') {
      const statusCode = (lastDisconnect?.error as Boom)?.output?.statusCode;
      const shouldReconnect = statusCode !== DisconnectReason.loggedOut;
      console.log(`Koneksi terputus (${statusCode}).`, lastDisconnect?.error?.message);

      if (shouldReconnect) connectToWhatsApp();
      else console.log('⛔ Sesi logout. Hapus folder auth_info_baileys dan scan ulang.');
    } else if (connection === 'open') {
      console.log('✅ WhatsApp Terhubung! Siap menerima pesan.');
    }
  });

  sock.ev.on('messages.upsert', async ({ messages }) => {
    for (const pesan of messages) {
      const dari = pesan.key.remoteJid;
      const teks = pesan.message?.conversation;
      if (!dari || !teks || pesan.key.fromMe) continue;
      await sock?.sendMessage(dari, { text: balas(teks) });
    }
  });
}
