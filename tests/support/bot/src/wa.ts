import makeWASocket, { DisconnectReason, useMultiFileAuthState } from '@whiskeysockets/baileys';
import type { WASocket, proto } from '@whiskeysockets/baileys';
import type { Boom } from '@hapi/boom';
import { existsSync, readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import pino from 'pino';
import { addEntry, readEntries } from './db';

const AUTH_FOLDER = 'auth_info_baileys';
const EXTRA_CA = 'ca.pem';
const FORMAT = /^KJP\s+(\d{6,16})\s+(.+)$/i;

let socket: WASocket | undefined;

// Jaringan kantor memakai sertifikat sendiri: taruh ca.pem di folder bot.
function agent(): Agent | undefined {
  return existsSync(EXTRA_CA) ? new Agent({ ca: readFileSync(EXTRA_CA) }) : undefined;
}

function textOf(message: proto.IWebMessageInfo): string {
  return message.message?.conversation ?? message.message?.extendedTextMessage?.text ?? '';
}

async function answer(sock: WASocket, message: proto.IWebMessageInfo): Promise<void> {
  const jid = message.key.remoteJid;
  const text = textOf(message).trim();
  if (!jid || message.key.fromMe || !text) return;
  if (text.toLowerCase() === 'cek') {
    await sock.sendMessage(jid, { text: `📋 Total data: ${readEntries().length}` });
    return;
  }
  const match = FORMAT.exec(text);
  if (!match) {
    await sock.sendMessage(jid, { text: 'Format: KJP <nomor kartu> <nama>' });
    return;
  }
  const total = addEntry({ pengirim: jid, nomorKartu: match[1], nama: match[2] });
  await sock.sendMessage(jid, { text: `✅ Tersimpan. Total data: ${total}` });
}

export async function connectToWhatsApp(): Promise<void> {
  const { state, saveCreds } = await useMultiFileAuthState(AUTH_FOLDER);
  const sock = makeWASocket({
    auth: state,
    logger: pino({ level: 'silent' }),
    agent: agent(),
    connectTimeoutMs: 20_000,
    markOnlineOnConnect: false,
    syncFullHistory: false,
  });
  socket = sock;

  sock.ev.on('creds.update', saveCreds);

  sock.ev.on('connection.update', (update) => {
    const { connection, lastDisconnect, qr } = update;

    if (qr) {
      console.log('📱 Scan QR code ini dengan WhatsApp');
    }

    if (connection === 'close') {
      const statusCode = (lastDisconnect?.error as Boom | undefined)?.output?.statusCode;
      const shouldReconnect = statusCode !== DisconnectReason.loggedOut;
      console.log('❌ Koneksi terputus:', lastDisconnect?.error?.message ?? 'tanpa alasan');

      if (shouldReconnect) connectToWhatsApp();
      else console.log('⛔ Sesi logout. Hapus folder auth_info_baileys dan scan ulang.');
    } else if (connection === 'open') {
      console.log('✅ WhatsApp Terhubung! Siap menerima pesan.');
    }
  });

  sock.ev.on('messages.upsert', async ({ messages, type }) => {
    if (type !== 'notify') return;
    for (const message of messages) {
      try {
        await answer(sock, message);
      } catch (error) {
        console.error('Gagal menjawab pesan:', error);
      }
    }
  });
}

export function currentSocket(): WASocket | undefined {
  return socket;
}
