// Compiles the circuits: writes artifact.json and verification_key beside each Nargo.toml.
//
//   node tools/compile_circuits.mjs                  every circuit, into circuits/
//   node tools/compile_circuits.mjs --out DIR NAME   some circuits, into DIR/NAME/
//
// An artifact keeps what solving and proving need: the compiler's version, the ABI, the bytecode.
// Debug symbols and the file map are left out: they hold paths of this machine. Same sources and
// packages, same bytes: a test compares. A tool for developers; nothing of it runs in a worker.

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';

import { BackendType, Barretenberg } from '@aztec/bb.js';
import { compile_program, createFileManager } from '@noir-lang/noir_wasm';

const SOURCES = join(dirname(fileURLToPath(import.meta.url)), '..', 'circuits');
// What proofs are made with: Keccak for the transcript, and zero knowledge on.
const SETTINGS = {
  ipaAccumulation: false,
  oracleHashType: 'keccak',
  disableZk: false,
  optimizedSolidityVerifier: false,
};

// The compiler announces each file on standard output, by its path on this machine.
console.log = () => {};

async function circuits() {
  const names = [];
  for (const entry of await readdir(SOURCES, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const manifest = await readFile(join(SOURCES, entry.name, 'Nargo.toml'), 'utf8');
    if (manifest.includes('type = "bin"')) names.push(entry.name);
  }
  return names.sort();
}

async function compile(name) {
  const files = createFileManager(resolve(SOURCES, name));
  const quiet = () => {};
  const { program } = await compile_program(files, undefined, quiet, quiet);
  return { noir_version: program.noir_version, abi: program.abi, bytecode: program.bytecode };
}

async function verificationKey(prover, name, artifact) {
  const bytecode = gunzipSync(Buffer.from(artifact.bytecode, 'base64'));
  const circuit = { name, bytecode };
  const { bytes } = await prover.circuitComputeVk({ circuit, settings: SETTINGS });
  return bytes;
}

const { values, positionals } = parseArgs({
  options: { out: { type: 'string', default: SOURCES } },
  allowPositionals: true,
});
const prover = await Barretenberg.new({ backend: BackendType.NativeUnixSocket });
try {
  for (const name of positionals.length ? positionals : await circuits()) {
    const folder = join(values.out, name);
    const artifact = await compile(name);
    const key = await verificationKey(prover, name, artifact);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'artifact.json'), `${JSON.stringify(artifact)}\n`);
    await writeFile(join(folder, 'verification_key'), key);
    process.stdout.write(`${name}\n`);
  }
} finally {
  await prover.destroy();
}
