// A stand-in for web.whatsapp.com: TLS, WebSocket, the Noise handshake, a login that always succeeds.
// network.py runs `node whatsapp.js BOT FOLDER ADDRESS`; BOT lends its Baileys, FOLDER has tls.key and tls.pem.
// FOLDER/whatsapp.mode: ok, or down (new connections are cut). Each login is a line in FOLDER/whatsapp.log.
// Ends when its standard input does.
'use strict';
const fs = require('node:fs');
const https = require('node:https');
const path = require('node:path');
const { createRequire } = require('node:module');

const [bot, folder, address] = process.argv.slice(2);
const fromBot = createRequire(path.join(bot, 'package.json'));
const { WebSocketServer } = fromBot('ws');
const { proto, encodeBinaryNode, decodeBinaryNode } = fromBot('@whiskeysockets/baileys');
const { aesDecryptGCM, aesEncryptGCM, hkdf, sha256, Curve } = fromBot('@whiskeysockets/baileys/lib/Utils/crypto');
const { NOISE_MODE, NOISE_WA_HEADER, WA_CERT_DETAILS } = fromBot('@whiskeysockets/baileys/lib/Defaults');

const file = (name) => path.join(folder, name);
const isDown = () => fs.readFileSync(file('whatsapp.mode'), 'utf8').trim() === 'down';

/** Noise_XX_25519_AESGCM_SHA256, the side that answers. */
class Noise {
  constructor(clientKey) {
    this.own = Curve.generateKeyPair();
    this.fixed = Curve.generateKeyPair();
    this.clientKey = clientKey;
    this.hash = this.salt = this.key = Buffer.from(NOISE_MODE);
    this.count = 0;
    this.mix(NOISE_WA_HEADER);
    this.mix(clientKey);
  }

  mix(data) {
    this.hash = sha256(Buffer.concat([this.hash, data]));
  }

  async mixKey(secret) {
    const both = await hkdf(Buffer.from(secret), 64, { salt: this.salt, info: '' });
    this.salt = both.slice(0, 32);
    this.key = both.slice(32);
    this.count = 0;
  }

  seal(plain) {
    const sealed = aesEncryptGCM(plain, this.key, nonce(this.count++), this.hash);
    this.mix(sealed);
    return sealed;
  }

  unseal(sealed) {
    const plain = aesDecryptGCM(sealed, this.key, nonce(this.count++), this.hash);
    this.mix(sealed);
    return plain;
  }

  async hello() {
    this.mix(this.own.public);
    await this.mixKey(Curve.sharedKey(this.own.private, this.clientKey));
    const fixed = this.seal(this.fixed.public);
    await this.mixKey(Curve.sharedKey(this.fixed.private, this.clientKey));
    const details = proto.CertChain.NoiseCertificate.Details.encode({ issuerSerial: WA_CERT_DETAILS.SERIAL }).finish();
    const payload = this.seal(proto.CertChain.encode({ intermediate: { details } }).finish());
    const serverHello = { ephemeral: this.own.public, static: fixed, payload };
    return proto.HandshakeMessage.encode({ serverHello }).finish();
  }

  async finish({ static: sealedKey, payload }) {
    const key = this.unseal(sealedKey);
    await this.mixKey(Curve.sharedKey(this.own.private, key));
    const client = proto.ClientPayload.decode(this.unseal(payload));
    const both = await hkdf(Buffer.alloc(0), 64, { salt: this.salt, info: '' });
    return { client, reads: both.slice(0, 32), writes: both.slice(32) };
  }
}

function nonce(counter) {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt32BE(counter, 8);
  return bytes;
}

/** One connection: hello, finish, then binary nodes. */
class Session {
  constructor(socket) {
    this.socket = socket;
    this.bytes = Buffer.alloc(0);
    this.started = false;
    this.turn = Promise.resolve();
    this.sent = this.received = 0;
    socket.on('message', (data) => {
      this.turn = this.turn.then(() => this.take(data)).catch((error) => {
        console.error('whatsapp.js:', error);
        socket.terminate();
      });
    });
    socket.on('error', () => socket.terminate());
  }

  async take(data) {
    this.bytes = Buffer.concat([this.bytes, data]);
    if (!this.started) {
      this.bytes = this.bytes.subarray(NOISE_WA_HEADER.length);
      this.started = true;
    }
    while (this.bytes.length >= 3) {
      const size = this.bytes.readUIntBE(0, 3);
      if (this.bytes.length < size + 3) return;
      const frame = this.bytes.subarray(3, size + 3);
      this.bytes = this.bytes.subarray(size + 3);
      await this.frame(frame);
    }
  }

  async frame(frame) {
    if (this.keys) {
      const plain = aesDecryptGCM(frame, this.keys.reads, nonce(this.received++), Buffer.alloc(0));
      return this.node(await decodeBinaryNode(plain));
    }
    const message = proto.HandshakeMessage.decode(frame);
    if (message.clientHello) {
      this.noise = new Noise(message.clientHello.ephemeral);
      return this.send(await this.noise.hello());
    }
    this.keys = await this.noise.finish(message.clientFinish);
    fs.appendFileSync(file('whatsapp.log'), `${this.keys.client.username}\n`);
    return this.reply({ tag: 'success', attrs: { t: `${Math.floor(Date.now() / 1000)}` } });
  }

  node({ tag, attrs, content }) {
    if (tag !== 'iq' || attrs.type === 'result') return;
    const asks = Array.isArray(content) && content[0] ? content[0].tag : '';
    const answer = asks === 'count' ? [{ tag: 'count', attrs: { value: '500' } }] : undefined;
    this.reply({ tag: 'iq', attrs: { id: attrs.id, type: 'result', from: 's.whatsapp.net' }, content: answer });
  }

  reply(node) {
    this.send(aesEncryptGCM(encodeBinaryNode(node), this.keys.writes, nonce(this.sent++), Buffer.alloc(0)));
  }

  send(data) {
    const size = Buffer.alloc(3);
    size.writeUIntBE(data.length, 0, 3);
    this.socket.send(Buffer.concat([size, data]));
  }
}

const server = https.createServer({ key: fs.readFileSync(file('tls.key')), cert: fs.readFileSync(file('tls.pem')) });
server.on('connection', (socket) => isDown() && socket.destroy());
server.on('tlsClientError', () => {});
const sockets = new WebSocketServer({ server });
sockets.on('connection', (socket) => new Session(socket));
setInterval(() => isDown() && sockets.clients.forEach((socket) => socket.terminate()), 200);
server.listen(443, address);
process.stdin.on('end', () => process.exit(0)).resume();
