use std::sync::LazyLock;

use p3_field::PrimeCharacteristicRing;
use p3_field::PrimeField64 as _;
use plonky2::iop::witness::WitnessWrite as _;
use shardfold_protocol::data::{Evaluation, MOST_BLOCKS};
use shardfold_protocol::difference::extend_data;
use shardfold_recursion::config::StarkProof;
use shardfold_recursion::convert::{from_plonk, to_plonk};
use shardfold_recursion::plonk::prove;
use shardfold_recursion::security::stark_bits;
use shardfold_recursion::serializers::Cached as _;
use shardfold_recursion::tree::data_common_data;

use super::circuit::Targets;
use super::*;

const PROFILE: Profile = Profile::UnsoundTest;
const BEFORE: Digest = [F::TWO; 4];
const POINT: [u64; 2] = [(1 << 63) - 1, 5];

static STARK: LazyLock<Stark> = LazyLock::new(|| data_stark(PROFILE).unwrap());

static CIRCUIT: LazyLock<DataCircuit> = LazyLock::new(|| {
    DataCircuit::build(&STARK, &PROFILE.plonk(), &data_common_data(PROFILE)).unwrap()
});

fn differences(blocks: usize) -> Vec<F> {
    (0..4 * blocks as u64)
        .map(|i| F::from_u64(i << 33 | i))
        .collect()
}

static PROVEN: LazyLock<(StarkProof, DataStatement)> = LazyLock::new(|| {
    let (traces, statement) = data_traces(&BEFORE, &differences(40), POINT).unwrap();
    (STARK.prove(traces).unwrap(), statement)
});

#[test]
fn every_profile_keeps_its_promise_for_data() {
    for profile in Profile::ALL {
        let stark = data_stark(profile).unwrap();
        let bits = stark_bits(stark.parameters(), &stark.size());
        assert!(profile.is_kept_by(&bits), "{profile:?} {bits:?}");
    }
}

/// plonky2 takes a few hundred rows on top, for constants and public inputs.
#[test]
fn every_data_circuit_fits_the_least_rows() {
    for profile in Profile::ALL {
        let stark = data_stark(profile).unwrap();
        let (rows, cost) = DataCircuit::cost(&stark, &profile.plonk()).unwrap();
        println!("{}: {rows} rows, {cost:?}", profile.name());
        let capacity = 1 << profile.data_degree_bits();
        assert!(rows + 512 <= capacity, "{profile:?}: {rows} of {capacity}");
        assert!(rows > capacity / 4, "{profile:?}: {rows} of {capacity}");
    }
}

#[test]
fn as_much_as_fits_is_laid_out() {
    let all = differences(MOST_BLOCKS);
    let (traces, statement) = data_traces(&BEFORE, &all, POINT).unwrap();
    assert_eq!(statement.after, extend_data(&BEFORE, &all));
    for (trace, log_height) in traces.traces.iter().zip(STARK.log_heights()) {
        assert_eq!(trace.values.len(), trace.width << log_height);
    }
    assert!(data_traces(&BEFORE, &differences(MOST_BLOCKS + 1), POINT).is_err());
}

#[test]
fn a_proof_states_its_data_and_no_other() {
    let (proof, statement) = &*PROVEN;
    STARK.verify(proof, &public_values(statement)).unwrap();
    let made = CIRCUIT.prove(&STARK, proof, statement).unwrap();
    CIRCUIT.verify(&made).unwrap();
    let stated: Vec<F> = made
        .public_inputs()
        .iter()
        .map(|x| from_plonk(*x))
        .collect();
    assert_eq!(stated, statement.elements());
    for element in 0..DATA_STATEMENT_ELEMENTS {
        let mut altered = made.clone();
        altered.plonky2.public_inputs[element].0 ^= 1;
        assert!(CIRCUIT.verify(&altered).is_err(), "{element}");
    }
}

/// The STARK's proof is of one statement: natively, and in the circuit alone.
#[test]
fn another_statement_is_refused() {
    let (proof, statement) = &*PROVEN;
    let mut others = vec![*statement; 4];
    others[0].before[2] += F::ONE;
    others[1].after[3] += F::ONE;
    others[2].evaluation.point[1] ^= 1 << 62;
    others[3].evaluation.value[2] ^= 1 << 40;
    for other in &others {
        assert!(STARK.verify(proof, &public_values(other)).is_err());
        assert!(!is_proven(other, point_limbs(other.evaluation.point)));
    }
}

/// Whether the circuit alone takes a statement and limbs of its point, with the proof of
/// [`PROVEN`].
fn is_proven(statement: &DataStatement, limbs: [F; POINT_LIMBS]) -> bool {
    let (proof, proven) = &*PROVEN;
    let mut witness = CIRCUIT.witness(&STARK, proof, proven).unwrap();
    let elements = statement.elements();
    let targets = CIRCUIT
        .targets
        .statement
        .iter()
        .chain(&CIRCUIT.targets.limbs);
    for (&target, &value) in targets.zip(elements.iter().chain(&limbs)) {
        witness.target_values.insert(target, to_plonk(value));
    }
    let made = prove(&CIRCUIT.circuit, CIRCUIT.grinding, witness);
    made.is_ok_and(|made| CIRCUIT.verify(&made).is_ok())
}

/// The words of the point are those of the chip's limbs, which are ranged: a word is below 2^63.
#[test]
fn the_point_is_that_of_its_limbs() {
    let statement = PROVEN.1;
    let limbs = point_limbs(POINT);
    assert!(is_proven(&statement, limbs));
    for word in 0..2 {
        let mut other = statement;
        other.evaluation.point[word] -= 1;
        assert!(!is_proven(&other, limbs), "{word}");
    }
}

#[test]
fn a_limb_beyond_its_bits_is_refused() {
    // Proven of limbs that no word below 2^63 has: the chip does not look, the circuit does.
    for (limb, value) in [(3, 1 << 15), (7, 1 << 15), (0, 1 << 16), (5, 1 << 16)] {
        let mut limbs = point_limbs(POINT);
        limbs[limb] = F::from_u64(value);
        let word = |limbs: &[F]| {
            let limbs = limbs.iter().rev();
            limbs.fold(F::ZERO, |sum, limb| sum * F::from_u32(1 << 16) + *limb)
        };
        let point = [word(&limbs[..4]), word(&limbs[4..])].map(|w| w.as_canonical_u64());
        let (mut traces, mut statement) = data_traces(&BEFORE, &differences(3), POINT).unwrap();
        statement.evaluation = Evaluation {
            point,
            ..statement.evaluation
        };
        traces.public_values = public_values_of(&statement.elements(), &limbs);
        // A polynomial of zeros has the value 0 at every point.
        let zeros = vec![F::ZERO; 4 * 3];
        let (of_zeros, of_them) = data_traces(&BEFORE, &zeros, POINT).unwrap();
        statement.after = of_them.after;
        statement.evaluation.value = [0; 4];
        traces.traces = of_zeros.traces;
        traces.public_values = public_values_of(&statement.elements(), &limbs);
        let values = traces.public_values.clone();
        let proof = STARK.prove(traces).unwrap();
        STARK.verify(&proof, &values).unwrap();
        assert!(!is_taken(&proof, &statement, limbs, &values), "limb {limb}");
    }
}

/// Whether the circuit alone takes a proof of the STARK with these limbs.
fn is_taken(
    proof: &StarkProof,
    statement: &DataStatement,
    limbs: [F; POINT_LIMBS],
    public_values: &[Vec<F>],
) -> bool {
    let parts = STARK
        .verifier()
        .unwrap()
        .unpack(proof, public_values)
        .unwrap();
    let elements = statement.elements();
    let values = elements.iter().chain(&limbs).chain(parts.elements());
    let Targets {
        statement: stated,
        limbs,
        proof,
    } = &CIRCUIT.targets;
    let mut witness = plonky2::iop::witness::PartialWitness::new();
    for (&target, &value) in stated.iter().chain(limbs).chain(proof).zip(values) {
        witness.set_target(target, to_plonk(value)).unwrap();
    }
    let made = prove(&CIRCUIT.circuit, CIRCUIT.grinding, witness);
    made.is_ok_and(|made| CIRCUIT.verify(&made).is_ok())
}

#[test]
fn a_circuit_from_bytes_is_the_built_one() {
    let read = DataCircuit::from_bytes(&CIRCUIT.to_bytes().unwrap()).unwrap();
    assert!(read == *CIRCUIT);
    assert!(read.digest().is_some());
    let (proof, statement) = &*PROVEN;
    let made = read.prove(&STARK, proof, statement).unwrap();
    CIRCUIT.verify(&made).unwrap();
}
