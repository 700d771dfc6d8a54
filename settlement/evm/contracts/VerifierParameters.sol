// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @notice Sizes and places that follow from a circuit: the first words of a verifier's data, made
/// by `recursion/src/plonk/onchain`, which documents each of them. Places are addresses in
/// memory, where the data begin at DATA.
struct Parameters {
    /// Bytes of a proof.
    uint256 proofLength;
    /// Elements of the statement.
    uint256 statement;
    /// Repetitions of the arguments over the base field.
    uint256 challenges;
    /// Bytes of a cap.
    uint256 capBytes;
    /// Polynomials of each oracle: preprocessed, wires, products, quotient.
    uint256 preprocessed;
    uint256 wires;
    uint256 products;
    uint256 quotient;
    /// log2 of the points of a codeword.
    uint256 logSize;
    /// Siblings on a path from a row of the oracles to the cap.
    uint256 depth;
    /// Folds, and log2 of the values that one joins.
    uint256 folds;
    uint256 logArity;
    /// Coefficients of the final polynomial.
    uint256 finalLength;
    /// Queries.
    uint256 queries;
    /// Bits that are ground before the point, the batching, each fold, and the queries.
    uint256 pointBits;
    uint256 batchBits;
    uint256 foldBits;
    uint256 queryBits;
    /// The generator of the trace's domain: the next row is the point times it.
    uint256 nextRow;
    /// The first point of a codeword's domain, and its inverse.
    uint256 shift;
    uint256 shiftInverse;
    /// 1 / arity.
    uint256 arityInverse;
    /// What the transcript begins with: parameters and circuit digest.
    uint256 prefixAt;
    uint256 prefixLength;
    /// The cap of the preprocessed polynomials.
    uint256 capAt;
    /// For each k from 1: a root of order 2^k, and its inverse; 8 bytes each.
    uint256 rootsAt;
    /// For each position in a group of values that a fold joins: its point over the first one's.
    uint256 positionsAt;
    /// For each pair of such values: the inverse of its point over the first one's.
    uint256 twiddlesAt;
    /// Constants of Poseidon2: of the first rounds, of the inner ones, of the last, the diagonal.
    uint256 poseidonAt;
    /// The program's constants, 8 bytes each.
    uint256 constantsAt;
    uint256 constants;
    /// The program.
    uint256 programAt;
    uint256 programLength;
    /// The program's slots, a word each, and where memory is free after them.
    uint256 slotsAt;
    uint256 freeAt;
}

// Where the data lie in memory: after the words that Solidity reserves, and the 24 words from 0x80
// on where Poseidon2 has its state and its diagonal.
uint256 constant DATA = 0x380;
// Bytes of a digest.
uint256 constant DIGEST = 26;

/// @notice What a proof is refused for: an element that is not below p stands in this part.
enum Part {
    Statement,
    Nonce,
    Opening,
    FinalPolynomial,
    Row,
    Fold
}

/// @notice A challenge before which a nonce stands.
enum Site {
    Point,
    Batch,
    Fold,
    Query
}

/// @notice The proof has another length.
error ProofLength(uint256 found, uint256 expected);
/// @notice An element of the proof is not below p.
error NotCanonical(Part part);
/// @notice A nonce does not answer: the response does not begin with so many zero bits.
error Grinding(Site site, uint256 response, uint256 bits);
/// @notice The out-of-domain point lies in the base field.
error PointInBaseField();
/// @notice The constraints do not hold: an equation of the program has two sides.
error Constraints();
/// @notice The program is damaged: it has a run of an unknown kind.
error Program(uint256 kind);
/// @notice A path does not lead to its cap: 0 to 3 are the oracles, then come the folds.
error Path(uint256 query, uint256 tree);
/// @notice A fold does not hold the value that it should.
error FoldedValue(uint256 query, uint256 fold);
/// @notice The final polynomial has another value.
error FinalValue(uint256 query);
