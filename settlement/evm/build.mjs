// Compiles the Solidity of the settlement contracts with the pinned compiler.
//
//   node build.mjs           writes artefacts/ and test/artefacts/
//   node build.mjs --check   builds anew and compares with what is checked in
//
// An artefact is JSON: the contract's name, compiler and settings, the digests of its sources,
// ABI, creation code, deployed code, and where that has the values of immutable variables. It has no path and no date: two builds give the same bytes.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import solc from "solc";
import { generated } from "./generate/index.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));

/** Where sources lie, and where what they compile to goes. Tests' contracts are no product. */
const FOLDERS = [
  { sources: "contracts", artefacts: "artefacts" },
  { sources: "test", artefacts: "test/artefacts" },
];

/** Cancun has all that the contracts use (MCOPY, transient storage) and runs on Osaka too. */
const SETTINGS = {
  evmVersion: "cancun",
  viaIR: false,
  optimizer: { enabled: true, runs: 200 },
  metadata: { appendCBOR: false, bytecodeHash: "none" },
};

/**
 * Sources whose contracts are made for least gas rather than least code: the verifier does some
 * hundred thousand times the same, and a constant that the compiler computes costs each time.
 */
const HOT_SOURCES = ["contracts/Verifier.sol", "test/VerifierHarness.sol"];
const HOT_SETTINGS = { ...SETTINGS, optimizer: { enabled: true, runs: 1_000_000 } };

const OUTPUTS = [
  "abi",
  "metadata",
  "evm.bytecode.object",
  "evm.deployedBytecode.object",
  "evm.deployedBytecode.immutableReferences",
];

/** Every Solidity file of the folders, by its path from here. */
function readSources() {
  const sources = {};
  for (const { sources: folder } of FOLDERS) {
    for (const name of readdirSync(join(HERE, folder)).sort()) {
      if (!name.endsWith(".sol")) continue;
      const path = `${folder}/${name}`;
      sources[path] = { content: readFileSync(join(HERE, path), "utf8") };
    }
  }
  return sources;
}

/** What the contracts of a source are compiled with. */
const settingsOf = (path) => (HOT_SOURCES.includes(path) ? HOT_SETTINGS : SETTINGS);

/** Runs the compiler; ends the process with its messages if there are any. */
function compile(sources, paths, chosen) {
  const selection = { "*": OUTPUTS, "": ["ast"] };
  const outputSelection = Object.fromEntries(paths.map((path) => [path, selection]));
  const settings = { ...chosen, outputSelection };
  const input = { language: "Solidity", sources, settings };
  const output = JSON.parse(solc.compile(JSON.stringify(input)));
  const messages = output.errors ?? [];
  for (const { formattedMessage } of messages) console.error(formattedMessage);
  if (messages.length > 0) {
    console.error(`found ${messages.length} messages of the compiler, expected none`);
    process.exit(1);
  }
  const names = Object.values(output.sources).map(({ ast }) => immutables(ast));
  return { contracts: output.contracts, names: new Map(names.flat()) };
}

/** The immutable variables of a syntax tree: number of the declaration, and name. */
function immutables(node) {
  if (node === null || typeof node !== "object") return [];
  const inner = Object.values(node).flatMap(immutables);
  const { nodeType, mutability, id, name } = node;
  const isOne = nodeType === "VariableDeclaration" && mutability === "immutable";
  return isOne ? [[String(id), name], ...inner] : inner;
}

/** Where the deployed code has the value of each immutable variable, by the variable's name. */
function places(contract, names) {
  const references = Object.entries(contract.evm.deployedBytecode.immutableReferences ?? {});
  const byName = references.map(([id, found]) => [names.get(id), found.map(({ start }) => start)]);
  return Object.fromEntries(byName.sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** The artefact of one contract, as text. */
function artefact(name, contract, immutables, sources, settings) {
  const used = Object.keys(JSON.parse(contract.metadata).sources).sort();
  const digest = (path) => createHash("sha256").update(sources[path].content).digest("hex");
  const content = {
    contract: name,
    compiler: solc.version(),
    settings,
    sources: Object.fromEntries(used.map((path) => [path, digest(path)])),
    abi: contract.abi,
    creation: contract.evm.bytecode.object,
    deployed: contract.evm.deployedBytecode.object,
    immutables,
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

/** All files that a build makes: path to text. */
function build() {
  const files = new Map(generated());
  const sources = readSources();
  for (const [path, content] of files) sources[path] = { content };
  const others = Object.keys(sources).filter((path) => !HOT_SOURCES.includes(path));
  for (const paths of [others, HOT_SOURCES]) {
    const { contracts, names } = compile(sources, paths, settingsOf(paths[0]));
    for (const [path, ofFile] of Object.entries(contracts)) {
      const folder = FOLDERS.find(({ sources: folder }) => dirname(path) === folder);
      for (const [name, contract] of Object.entries(ofFile)) {
        // Interfaces and abstract contracts have no code, libraries of internal functions no interface.
        const isUsable = contract.abi.some(({ type }) => type === "function");
        if (contract.evm.bytecode.object === "" || !isUsable) continue;
        const immutables = places(contract, names);
        const text = artefact(name, contract, immutables, sources, settingsOf(path));
        files.set(`${folder.artefacts}/${name}.json`, text);
      }
    }
  }
  return files;
}

/** The artefacts that lie on disk. */
function artefactsOnDisk() {
  const folders = FOLDERS.map(({ artefacts }) => artefacts).filter((f) => existsSync(join(HERE, f)));
  return folders.flatMap((f) => readdirSync(join(HERE, f)).map((name) => `${f}/${name}`));
}

/** Writes what was built, and removes artefacts of contracts that are gone. */
function write(files) {
  for (const path of artefactsOnDisk()) if (!files.has(path)) rmSync(join(HERE, path));
  for (const [path, text] of files) {
    mkdirSync(dirname(join(HERE, path)), { recursive: true });
    writeFileSync(join(HERE, path), text);
    const match = /"deployed": "([0-9a-f]*)"/.exec(text);
    console.log(match ? `${path}: ${match[1].length / 2} bytes of code` : path);
  }
}

/** Compares what was built with what lies on disk; returns what differs. */
function differences(files) {
  const differ = [...files].filter(([path, text]) => {
    const file = join(HERE, path);
    return !existsSync(file) || readFileSync(file, "utf8") !== text;
  });
  const gone = artefactsOnDisk().filter((path) => !files.has(path));
  return [...differ.map(([path]) => path), ...gone];
}

const files = build();
if (process.argv.includes("--check")) {
  const found = differences(files);
  for (const path of found) console.error(`${path} is not what its sources make`);
  if (found.length > 0) process.exit(1);
  console.log(`${files.size} files are what their sources make`);
} else {
  write(files);
}
