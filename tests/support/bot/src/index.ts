import { connectToWhatsApp } from './wa';

process.on('unhandledRejection', (reason) => {
  console.error('Unhandled rejection:', reason);
});

console.log('🤖 Bot input data KJP mulai...');
connectToWhatsApp().catch((error: unknown) => {
  console.error('Gagal memulai bot:', error);
  process.exit(1);
});
