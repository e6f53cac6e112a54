// What a bot keeps that has scanned its QR code; image.py runs `node whatsapp_login.js` in the bot's folder.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { createRequire } = require('node:module');

const fromBot = createRequire(path.join(process.cwd(), 'package.json'));
const { BufferJSON, initAuthCreds } = fromBot('@whiskeysockets/baileys');

const creds = { ...initAuthCreds(), registered: true, me: { id: '6281234567890:7@s.whatsapp.net', name: 'Bot KJP' } };
fs.mkdirSync('auth_info_baileys');
fs.writeFileSync('auth_info_baileys/creds.json', JSON.stringify(creds, BufferJSON.replacer));
