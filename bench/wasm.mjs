// What one would otherwise use: the same proof by @aztec/bb.js and its WebAssembly, in Node.
// Reads {acir, witness, points, g2, rounds, threads} (base64) from standard input, prints the
// milliseconds of each proof. The points are given: bb.js would ask for many more than are needed.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { BackendType, Barretenberg, UltraHonkBackend } from "@aztec/bb.js";

const POINT_BYTES = 64;
const input = JSON.parse(readFileSync(0, "utf8"));
const bytes = (name) => new Uint8Array(Buffer.from(input[name], "base64"));
const points = bytes("points");
const api = await Barretenberg.new({
  backend: BackendType.Wasm,
  threads: input.threads,
  skipSrsInit: true,
});
await api.srsInitSrs({
  pointsBuf: points,
  numPoints: points.length / POINT_BYTES,
  g2Point: bytes("g2"),
});
const backend = new UltraHonkBackend(gzipSync(bytes("acir")).toString("base64"), api);
const witness = gzipSync(bytes("witness"));
const times = [];
for (let round = 0; round < input.rounds; round += 1) {
  const start = performance.now();
  await backend.generateProof(witness, { verifierTarget: "evm" });
  times.push(performance.now() - start);
}
console.log(JSON.stringify(times));
await api.destroy();
