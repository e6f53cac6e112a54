import { connectToWhatsApp } from './wa';

process.on('unhandledRejection', (reason) => console.error('Kesalahan tak tertangani:', reason));

void connectToWhatsApp();
