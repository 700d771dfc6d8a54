// What is generated before anything is compiled: path from the folder above, and text.

import { poseidon2 } from "./poseidon2.mjs";

/** Every generated source. */
export function generated() {
  return [["contracts/Poseidon2.sol", poseidon2()]];
}
