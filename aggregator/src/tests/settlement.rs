//! Settlement proofs: made of validity proofs, refused when altered anywhere.

use super::*;
use crate::wire::{WireError, decode_proof};
use crate::{
    JointCircuit, NarrowCircuit, OuterCircuit, SettlementError, SettlementKey, SettlementKeyError,
    SettlementProof, SettlementProver, SettlementVerifyError, verify, verify_settlement,
};
use p3_field::PrimeCharacteristicRing as _;
use shardfold_protocol::data::{DATA_STATEMENT_ELEMENTS, DataStatement, Evaluation};
use shardfold_protocol::envelope::HEADER_BYTES;
use shardfold_protocol::field::MODULUS;
use shardfold_recursion::convert::to_plonk;
use shardfold_recursion::plonk::{
    PlonkProof, PlonkVerifyError, VerifierKey, verify as verify_plonk,
};
use shardfold_recursion::serializers::Cached as _;
use shardfold_recursion::tree::{data_common_data, finish, joint_common_data, narrow_common_data};

/// Stands where the data circuit will: it states anything.
struct DataLeaf {
    circuit: Circuit,
    statement: [Target; DATA_STATEMENT_ELEMENTS],
}

impl DataLeaf {
    /// `difference` tells keys apart.
    fn build(difference: u64) -> Self {
        let common = data_common_data(PROFILE);
        let mut builder = Builder::new(common.config.clone());
        let statement: [Target; DATA_STATEMENT_ELEMENTS] = builder.add_virtual_target_arr();
        builder.register_public_inputs(&statement);
        let constant = builder.constant(PlonkField::from_canonical_u64(difference));
        let zero = builder.sub(statement[0], constant);
        let _ = builder.mul(zero, statement[1]);
        let circuit = finish(builder, &common).unwrap();
        Self { circuit, statement }
    }

    fn key(&self) -> VerifierKey {
        self.circuit.verifier_only.clone()
    }

    fn prove(&self, statement: &DataStatement) -> PlonkProof {
        let mut witness = PartialWitness::new();
        let elements = statement.elements().map(to_plonk);
        witness.set_target_arr(&self.statement, &elements).unwrap();
        prove(&self.circuit, PROFILE.plonk().grinding, witness).unwrap()
    }
}

static DATA: LazyLock<DataLeaf> = LazyLock::new(|| DataLeaf::build(1));

static PROVER: LazyLock<SettlementProver> = LazyLock::new(|| {
    SettlementProver::build(TREE.aggregator.verification_key().clone(), DATA.key()).unwrap()
});

/// What the data of the batch of [`VALID`] state.
fn data_statement() -> DataStatement {
    DataStatement {
        before: head(0).data_commitment,
        after: head(11).data_commitment,
        evaluation: Evaluation {
            point: [3, 1 << 40],
            value: [u64::MAX, 0, 5 << 32, 7],
        },
    }
}

static OF_DATA: LazyLock<PlonkProof> = LazyLock::new(|| DATA.prove(&data_statement()));

static PROOF: LazyLock<SettlementProof> = LazyLock::new(|| PROVER.prove(&VALID, &OF_DATA).unwrap());

/// What the verifier says to these bytes; a caught panic of plonky2 fails the test as well.
fn refusal(bytes: Vec<u8>) -> Option<SettlementVerifyError> {
    let proof = SettlementProof::from_calldata(bytes);
    match verify_settlement(&PROVER.key(), &proof) {
        Ok(_) => None,
        Err(SettlementVerifyError::Invalid(PlonkVerifyError::Panicked)) => {
            panic!("plonky2 panicked")
        }
        Err(error) => Some(error),
    }
}

#[test]
fn it_states_what_both_proofs_state() {
    let stated = verify_settlement(&PROVER.key(), &PROOF).unwrap();
    let of_validity = verify(TREE.aggregator.verification_key(), &VALID).unwrap();
    assert_eq!(stated.statement, of_validity);
    assert_eq!(stated.statement, statement(CHAIN, 0, 11));
    assert_eq!(stated.evaluation, data_statement().evaluation);
    // The chain reads it off the first bytes.
    let elements = stated.elements().map(to_plonk);
    let bytes: Vec<u8> = elements
        .iter()
        .flat_map(|element| element.0.to_be_bytes())
        .collect();
    assert_eq!(PROOF.calldata()[..bytes.len()], bytes);
}

#[test]
fn a_file_survives_the_round_trip_and_says_what_it_is() {
    let file = PROOF.to_bytes();
    assert_eq!(SettlementProof::from_bytes(&file).unwrap(), *PROOF);
    assert_eq!(&file[HEADER_BYTES..], PROOF.calldata());
    assert!(SettlementProof::from_bytes(&file[1..]).is_err());
    assert!(SettlementProof::from_bytes(&VALID.to_bytes()).is_err());
    assert!(ValidityProof::from_bytes(&file).is_err());
}

#[test]
fn no_byte_can_be_changed() {
    let bytes = PROOF.calldata();
    // All of the statement and the caps, and one of each few bytes after them.
    let places = (0..1700).chain((1700..bytes.len()).step_by(61));
    for place in places {
        let mut altered = bytes.to_vec();
        altered[place] ^= 1 << (place % 8);
        assert!(refusal(altered).is_some(), "byte {place}");
    }
}

#[test]
fn other_lengths_and_elements_that_are_not_canonical_are_refused() {
    let bytes = PROOF.calldata();
    for length in [0, 1, 471, bytes.len() - 1, bytes.len() + 1] {
        let mut altered = bytes.to_vec();
        altered.resize(length, 0);
        let expected = WireError::Length {
            found: length,
            expected: bytes.len(),
        };
        let Some(SettlementVerifyError::Malformed(error)) = refusal(altered) else {
            panic!("{length} bytes")
        };
        assert_eq!(error, expected);
    }
    // The same statement, written another way.
    let mut altered = bytes.to_vec();
    let value = u64::from_be_bytes(altered[..8].try_into().unwrap()) + MODULUS;
    altered[..8].copy_from_slice(&value.to_be_bytes());
    let Some(SettlementVerifyError::Malformed(error)) = refusal(altered) else {
        panic!("an element of p or more")
    };
    assert_eq!(error, WireError::NotCanonical { offset: 0, value });
}

#[test]
fn false_proofs_are_not_wrapped() {
    let mut bytes = VALID.to_bytes();
    let last = bytes.len() - 1_000;
    bytes[last] ^= 1;
    let altered = ValidityProof::from_bytes(&bytes).unwrap();
    assert!(matches!(
        PROVER.prove(&altered, &OF_DATA),
        Err(SettlementError::Refused(_))
    ));
    let mut altered = OF_DATA.clone();
    altered.plonky2.public_inputs[9] += PlonkField::ONE;
    assert!(matches!(
        PROVER.prove(&VALID, &altered),
        Err(SettlementError::Data(_))
    ));
}

/// Valid proofs, of which one is not of the other's batch.
#[test]
fn data_of_another_batch_are_not_joined() {
    for element in 0..8 {
        let mut statement = data_statement();
        let (before, after) = (&mut statement.before, &mut statement.after);
        *before.iter_mut().chain(after).nth(element).unwrap() += F::ONE;
        let other = DATA.prove(&statement);
        assert!(
            matches!(
                PROVER.prove(&VALID, &other),
                Err(SettlementError::Prove {
                    circuit: "joint",
                    ..
                })
            ),
            "{element}"
        );
    }
}

/// Whether the joint circuit alone takes two proofs, which no native verifier has looked at, and its
/// proof is valid.
fn is_joined(validity: &PlonkProof, data: &PlonkProof) -> bool {
    let (common, grinding) = (joint_common_data(PROFILE), PROFILE.joint().grinding);
    let joint = &PROVER.joint;
    let witness = joint.witness(validity, data).unwrap();
    let proof = prove(&joint.circuit, grinding, witness);
    proof.is_ok_and(|proof| verify_plonk(joint.key(), &common, grinding, &proof).is_ok())
}

/// The native verifier is passed by: the circuit alone refuses what is no proof, and another statement
/// than the proof's.
#[test]
fn what_is_no_proof_of_the_key_does_not_satisfy_the_joint_circuit() {
    let key = TREE.aggregator.verification_key();
    let last = decode_proof(VALID.proof(), &key.common).unwrap();
    assert!(is_joined(&last, &OF_DATA));
    for change in damages() {
        let mut other = last.clone();
        change(&mut other);
        assert!(!is_joined(&other, &OF_DATA));
        let mut other = OF_DATA.clone();
        change(&mut other);
        assert!(!is_joined(&last, &other));
    }
    // Valid proofs under other keys.
    let other = DataLeaf::build(2).prove(&data_statement());
    assert!(!is_joined(&last, &other));
}

fn damages() -> [fn(&mut PlonkProof); 3] {
    [
        |proof| proof.plonky2.public_inputs[8] += PlonkField::ONE,
        |proof| proof.plonky2.proof.openings.wires[0].0[0] += PlonkField::ONE,
        |proof| proof.nonces.batch += PlonkField::ONE,
    ]
}

#[test]
fn what_is_no_proof_of_the_key_does_not_satisfy_the_narrow_circuit() {
    let last = decode_proof(VALID.proof(), &TREE.aggregator.verification_key().common).unwrap();
    let witness = PROVER.joint.witness(&last, &OF_DATA).unwrap();
    let joint = prove(&PROVER.joint.circuit, PROFILE.joint().grinding, witness).unwrap();
    let (common, grinding) = (narrow_common_data(PROFILE), PROFILE.narrow().grinding);
    let circuit = &PROVER.narrow;
    let is_proven = |joint: &PlonkProof| {
        let witness = circuit.witness(joint).unwrap();
        let proof = prove(&circuit.circuit, grinding, witness);
        proof.is_ok_and(|proof| verify_plonk(circuit.key(), &common, grinding, &proof).is_ok())
    };
    assert!(is_proven(&joint));
    for change in damages() {
        let mut other = joint.clone();
        change(&mut other);
        assert!(!is_proven(&other));
    }
}

#[test]
fn the_outer_key_pins_both_keys() {
    let last = TREE.aggregator.verification_key();
    let mut other_last = last.clone();
    other_last.key.circuit_digest.elements[0] += PlonkField::ONE;
    let other = SettlementProver::build(other_last, DATA.key()).unwrap();
    assert_ne!(other.key(), PROVER.key());
    assert!(verify_settlement(&other.key(), &PROOF).is_err());
    assert!(matches!(
        other.prove(&VALID, &OF_DATA),
        Err(SettlementError::Refused(_))
    ));
    let other = SettlementProver::build(last.clone(), DataLeaf::build(2).key()).unwrap();
    assert_ne!(other.key(), PROVER.key());
    assert!(verify_settlement(&other.key(), &PROOF).is_err());
    assert!(matches!(
        other.prove(&VALID, &OF_DATA),
        Err(SettlementError::Data(_))
    ));
}

#[test]
fn circuits_from_bytes_are_the_built_ones_and_prove() {
    let joint = JointCircuit::from_bytes(&PROVER.joint.to_bytes().unwrap()).unwrap();
    let narrow = NarrowCircuit::from_bytes(&PROVER.narrow.to_bytes().unwrap()).unwrap();
    let outer = OuterCircuit::from_bytes(&PROVER.outer.to_bytes().unwrap()).unwrap();
    assert_eq!(joint.digest(), PROVER.joint.digest());
    assert_eq!(narrow.digest(), PROVER.narrow.digest());
    assert_eq!(outer.digest(), PROVER.outer.digest());
    assert!(outer.digest().is_some());
    let prover = SettlementProver {
        last: PROVER.last.clone(),
        data: PROVER.data.clone(),
        joint,
        narrow,
        outer,
    };
    assert_eq!(prover.key(), PROVER.key());
    let proof = prover.prove(&VALID, &OF_DATA).unwrap();
    let stated = verify_settlement(&PROVER.key(), &proof).unwrap();
    assert_eq!(stated.statement, statement(CHAIN, 0, 11));
}

#[test]
fn a_key_survives_the_round_trip_and_no_other_bytes_are_it() {
    let key = PROVER.key();
    let file = key.to_bytes();
    assert_eq!(SettlementKey::from_bytes(&file).unwrap(), key);
    let mut altered = file.clone();
    *altered.last_mut().unwrap() ^= 1;
    assert_eq!(
        SettlementKey::from_bytes(&altered),
        Err(SettlementKeyError::Digest)
    );
    for end in 0..file.len() {
        assert!(SettlementKey::from_bytes(&file[..end]).is_err());
    }
    let longer = [file.as_slice(), &[0; 26]].concat();
    assert!(SettlementKey::from_bytes(&longer).is_err());
}
