// Seals standard input to an armored key, with the openpgp package set as TEE-Rex's SDK sets it.
//   node seal.mjs KEY_FILE [fallback|compressed]
import { readFileSync } from 'node:fs';
import * as openpgp from 'openpgp';

const [keyFile, way] = process.argv.slice(2);
openpgp.config.aeadProtect = true;
const key = await openpgp.readKey({ armoredKey: readFileSync(keyFile, 'utf8') });
// For a key that says nothing of the newer form, the client falls back to the older one.
if (way === 'fallback') key.users[0].selfCertifications[0].features[0] = 1;
let message = await openpgp.createMessage({ binary: new Uint8Array(readFileSync(0)) });
if (way === 'compressed') message = await message.compress(openpgp.enums.compression.zlib);
const sealed = await openpgp.encrypt({ message, encryptionKeys: key, format: 'binary' });
const { packets } = await openpgp.readMessage({ binaryMessage: sealed });
process.stdout.write(
  JSON.stringify({
    message: Buffer.from(sealed).toString('base64'),
    packets: packets.map((packet) => ({
      tag: packet.constructor.tag,
      version: packet.version,
      algorithm: packet.publicKeyAlgorithm ?? null,
      cipher: packet.cipherAlgorithm ?? null,
      aead: packet.aeadAlgorithm ?? null,
      chunk: packet.chunkSizeByte ?? null,
    })),
  }),
);
