import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Entry {
  pengirim: string;
  nomorKartu: string;
  nama: string;
}

// Data milik bot sendiri; tinggal di samping kode hasil build.
const FILE = join(__dirname, 'db.json');

export function readEntries(): Entry[] {
  if (!existsSync(FILE)) return [];
  return JSON.parse(readFileSync(FILE, 'utf8')) as Entry[];
}

export function addEntry(entry: Entry): number {
  const entries = [...readEntries(), entry];
  writeFileSync(FILE, JSON.stringify(entries, null, 2));
  return entries.length;
}
