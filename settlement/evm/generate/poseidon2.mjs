// Writes contracts/Poseidon2.sol: the permutation of width 8 over Goldilocks, unrolled.
//
// Values are integers of 256 bits that are reduced as rarely as can be. The generator knows an
// upper bound of each value, and stops where an operation could pass 2^256 or fall below zero.

const P = 2n ** 64n - 2n ** 32n + 1n;
const WORD = 2n ** 256n;

/** Plonky3's round constants (p3-goldilocks, GOLDILOCKS_POSEIDON2_RC_8_*). */
const EXTERNAL_INITIAL = [
  "dd5743e7f2a5a5d9 cb3a864e58ada44b ffa2449ed32f8cdc 42025f65d6bd13ee 7889175e25506323 34b98bb03d24b737 bdcc535ecc4faa2a 5b20ad869fc0d033",
  "f1dda5b9259dfcb4 27515210be112d59 4227d1718c766c3f 26d333161a5bd794 49b938957bf4b026 4a56b5938b213669 1120426b48c8353d 6b323c3f10a56cad",
  "ce57d6245ddca6b2 b1fc8d402bba1eb1 b5c5096ca959bd04 6db55cd306d31f7f c49d293a81cb9641 1ce55a4fe979719f a92e60a9d178a4d1 002cc64973bcfd8c",
  "cea721cce82fb11b e5b55eb8098ece81 4e30525c6f1ddd66 43c6702827070987 aca68430a7b5762a 3674238634df9c93 88cee1c825e33433 de99ae8d74b57176",
];
const EXTERNAL_FINAL = [
  "014ef1197d341346 9725e20825d07394 fdb25aef2c5bae3b be5402dc598c971e 93a5711f04cdca3d c45a9a5b2f8fb97b fe8946a924933545 2af997a27369091c",
  "aa62c88e0b294011 058eb9d810ce9f74 b3cb23eced349ae4 a3648177a77b4a84 43153d905992d95d f4e2a97cda44aa4b 5baa2702b908682f 082923bdf4f750d1",
  "98ae09a325893803 f8a6475077968838 ceb0735bf00b2c5f 0a1a5d953888e072 2fcb190489f94475 b5be06270dec69fc 739cb934b09acf8b 537750b75ec7f25b",
  "e9dd318bae1f3961 f7462137299efe1a b1f6b8eee9adb940 bdebcc8a809dfe6b 40fc1f791b178113 3ac1c3362d014864 9a016184bdb8aeba 95f2394459fbc25e",
];
const INTERNAL =
  "488897d85ff51f56 1140737ccb162218 a7eeb9215866ed35 9bd2976fee49fcc9 c0c8f0de580a3fcc 4fb2dae6ee8fc793 343a89f35f37395b 223b525a77ca72c8 " +
  "56ccb62574aaa918 c4d507d8027af9ed a080673cf0b7e95c f0184884eb70dcf8 044f10b0cb3d5c69 e9e3f7993938f186 1b761c80e772f459 606cec607a1b5fac " +
  "14a0c2e1d45f03cd 4eace8855398574f f905ca7103eff3e6 f8c8f8d20862c059 b524fe8bdd678e5a fbb7865901a1ec41";

const constants = (line) => line.split(" ").map((hex) => BigInt(`0x${hex}`));

/** The permutation as lines of Yul over s0 to s7, with the bound of each. */
class Permutation {
  lines = [];
  /** Each value is at most its bound. What goes in may be any 64 bits. */
  bounds = Array(8).fill(2n ** 64n - 1n);

  /** Notes a bound; no value may need more than a word. */
  bound(i, value) {
    if (value >= WORD) throw new Error(`s${i} may pass 2^256`);
    this.bounds[i] = value;
  }

  /** s_i := (s_i + constant)^7, reduced. */
  sbox(i, constant) {
    const most = this.bounds[i] + constant;
    // The square is not reduced where it fits a word.
    const square = most * most < WORD ? "mul(x, x)" : "mulmod(x, x, P)";
    if (most >= WORD) throw new Error(`s${i} may pass 2^256 with its constant`);
    this.lines.push(
      `{ let x := add(s${i}, 0x${constant.toString(16)}) let y := mulmod(${square}, x, P) s${i} := mulmod(mul(y, y), x, P) }`,
    );
    this.bound(i, P - 1n);
  }

  /** The external matrix: circ(2 M, M) with M the 4 x 4 matrix of the Poseidon2 paper's variant. */
  external() {
    const before = [...this.bounds];
    for (const first of [0, 4]) {
      const [a, b, c, d] = [0, 1, 2, 3].map((k) => `s${first + k}`);
      this.lines.push(
        `{ let t := add(${a}, ${b}) let u := add(${c}, ${d}) let v := add(t, u) let w := add(v, ${b}) v := add(v, ${d})`,
        `  ${d} := add(v, shl(1, ${a})) ${b} := add(w, shl(1, ${c})) ${a} := add(w, t) ${c} := add(v, u) }`,
      );
      const [w, x, y, z] = before.slice(first, first + 4);
      this.bound(first, 2n * w + 3n * x + y + z);
      this.bound(first + 1, w + 2n * x + 3n * y + z);
      this.bound(first + 2, w + x + 2n * y + 3n * z);
      this.bound(first + 3, 3n * w + x + y + 2n * z);
    }
    for (let k = 0; k < 4; k++) {
      this.lines.push(
        `{ let t := add(s${k}, s${k + 4}) s${k} := add(s${k}, t) s${k + 4} := add(s${k + 4}, t) }`,
      );
      const [low, high] = [this.bounds[k], this.bounds[k + 4]];
      this.bound(k, 2n * low + high);
      this.bound(k + 4, low + 2n * high);
    }
  }

  /** The internal matrix: the sum of all, and of each its multiple by -2, 1, 2, 1/2, 3, -1/2, -3, -4. */
  internal() {
    // What is subtracted below is at most 4 times the largest: the sum gets a multiple of p that
    // is at least as large, so nothing falls below zero.
    const largest = this.bounds.reduce((a, b) => (a > b ? a : b));
    let multiple = P;
    while (multiple < 4n * largest) multiple *= 2n;
    const sum = this.bounds.reduce((a, b) => a + b) + multiple;
    if (sum >= WORD) throw new Error("the sum may pass 2^256");
    const half = (P + 1n) / 2n;
    const hex = (value) => `0x${value.toString(16)}`;
    this.lines.push(
      `{ let q := add(add(add(add(s0, s1), add(s2, s3)), add(add(s4, s5), add(s6, s7))), ${hex(multiple)})`,
      `  s0 := sub(q, shl(1, s0)) s1 := add(q, s1) s2 := add(q, shl(1, s2)) s3 := add(q, mulmod(s3, ${hex(half)}, P))`,
      `  s4 := add(q, mul(s4, 3)) s5 := add(q, mulmod(s5, ${hex(half - 1n)}, P)) s6 := sub(q, mul(s6, 3)) s7 := sub(q, shl(2, s7)) }`,
    );
    const most = [0n, 1n, 2n, 0n, 3n, 0n, 0n, 0n].map((k, i) => sum + k * this.bounds[i]);
    most[3] += P - 1n;
    most[5] += P - 1n;
    most.forEach((value, i) => this.bound(i, value));
  }

  full(line) {
    constants(line).forEach((constant, i) => this.sbox(i, constant));
    this.external();
  }

  partial(constant) {
    this.sbox(0, constant);
    this.internal();
  }
}

/** All rounds. */
function permutation() {
  const rounds = new Permutation();
  rounds.external();
  EXTERNAL_INITIAL.forEach((line) => rounds.full(line));
  constants(INTERNAL).forEach((constant) => rounds.partial(constant));
  EXTERNAL_FINAL.forEach((line) => rounds.full(line));
  return rounds.lines.map((line) => `            ${line.replaceAll("P)", "0xffffffff00000001)")}`).join("\n");
}

/** The source of the library. */
export function poseidon2() {
  return `// SPDX-License-Identifier: MIT OR Apache-2.0
// Generated by generate/poseidon2.mjs: change that, not this.
pragma solidity 0.8.37;

/// @title Poseidon2 of width 8 over Goldilocks, with Plonky3's constants
/// @notice The compression of every tree and chain of the ledger. A digest is four elements, each of
/// 64 bits, the first in the highest. What comes out is below p = 2^64 - 2^32 + 1; what goes in may
/// be any 64 bits and counts modulo p, so whoever takes it from outside checks it (Elements).
library Poseidon2 {
    /// @notice Compresses two digests: the first four elements of P(x) + x, where x is both.
    /// @param left The first digest.
    /// @param right The second digest.
    /// @return digest Their parent.
    function compress(uint256 left, uint256 right) internal pure returns (uint256 digest) {
        assembly ("memory-safe") {
            let s0 := shr(192, left)
            let s1 := and(shr(128, left), 0xffffffffffffffff)
            let s2 := and(shr(64, left), 0xffffffffffffffff)
            let s3 := and(left, 0xffffffffffffffff)
            let s4 := shr(192, right)
            let s5 := and(shr(128, right), 0xffffffffffffffff)
            let s6 := and(shr(64, right), 0xffffffffffffffff)
            let s7 := and(right, 0xffffffffffffffff)
${permutation()}
            s0 := mod(add(s0, shr(192, left)), 0xffffffff00000001)
            s1 := mod(add(s1, and(shr(128, left), 0xffffffffffffffff)), 0xffffffff00000001)
            s2 := mod(add(s2, and(shr(64, left), 0xffffffffffffffff)), 0xffffffff00000001)
            s3 := mod(add(s3, and(left, 0xffffffffffffffff)), 0xffffffff00000001)
            digest := or(or(shl(192, s0), shl(128, s1)), or(shl(64, s2), s3))
        }
    }
}
`;
}
