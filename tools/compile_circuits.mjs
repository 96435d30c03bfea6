// Compiles the circuits: writes artifact.json and verification_key beside each Nargo.toml.
//
//   node tools/compile_circuits.mjs                  every circuit, into circuits/
//   node tools/compile_circuits.mjs --out DIR NAME   some circuits, into DIR/NAME/
//   node tools/compile_circuits.mjs --sources DIR    circuits from elsewhere, into DIR/
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

const CIRCUITS = join(dirname(fileURLToPath(import.meta.url)), '..', 'circuits');
// What proofs are made with: Keccak for the transcript, and zero knowledge on.
const SETTINGS = {
  ipaAccumulation: false,
  oracleHashType: 'keccak',
  disableZk: false,
  optimizedSolidityVerifier: false,
};

// The compiler announces each file on standard output, by its path on this machine.
console.log = () => {};

async function circuits(sources) {
  const names = [];
  for (const entry of await readdir(sources, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const manifest = await readFile(join(sources, entry.name, 'Nargo.toml'), 'utf8');
    if (manifest.includes('type = "bin"')) names.push(entry.name);
  }
  return names.sort();
}

async function compile(sources, name) {
  const files = createFileManager(resolve(sources, name));
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
  options: { sources: { type: 'string', default: CIRCUITS }, out: { type: 'string' } },
  allowPositionals: true,
});
const { sources, out = sources } = values;
const prover = await Barretenberg.new({ backend: BackendType.NativeUnixSocket });
try {
  for (const name of positionals.length ? positionals : await circuits(sources)) {
    const folder = join(out, name);
    const artifact = await compile(sources, name);
    const key = await verificationKey(prover, name, artifact);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'artifact.json'), `${JSON.stringify(artifact)}\n`);
    await writeFile(join(folder, 'verification_key'), key);
    process.stdout.write(`${name}\n`);
  }
} finally {
  await prover.destroy();
}
