//! The sponge in the circuit against Plonky3's, and its samples' one form.

use p3_challenger::{CanSample, CanSampleBits, GrindingChallenger};
use p3_field::{BasedVectorSpace, PrimeCharacteristicRing, PrimeField64};
use plonky2::field::types::Field;

use super::fixture::holds;
use crate::config::{Challenger, EF, F, permutation};
use crate::stark::transcript::{TargetTranscript, Transcript};
use crate::stark::{Word, word};

fn challenger() -> Challenger {
    Challenger::new(permutation())
}

/// Observes the values and samples, in runs of many lengths around the rate.
fn play<T: Transcript>(transcript: &mut T, values: &[T::Word]) -> Vec<T::Word> {
    let mut values = values.iter();
    let mut samples = Vec::new();
    for run in [1, 8, 3, 9, 0, 16, 7, 17, 2] {
        for &value in values.by_ref().take(run) {
            transcript.observe(value);
        }
        transcript.observe_constant(F::from_usize(run));
        samples.extend((0..(run * 5) % 11).map(|_| transcript.sample()));
    }
    assert!(values.next().is_none());
    samples
}

#[test]
fn it_samples_what_plonky3_samples() {
    let observed: Vec<F> = (0..63).map(|i| F::from_u64(i * i)).collect();
    let samples = play(&mut challenger(), &observed);
    assert!(samples.len() > 30);
    let inputs: Vec<Word> = observed.iter().chain(&samples).map(|&x| word(x)).collect();
    let accepted = |inputs: &[Word]| {
        holds(inputs, |circuit, targets| {
            let (observed, sampled) = targets.split_at(observed.len());
            let results = play(&mut TargetTranscript::new(circuit), observed);
            assert_eq!(results.len(), sampled.len());
            for (&x, &y) in results.iter().zip(sampled) {
                circuit.builder.connect(x, y);
            }
        })
    };
    assert!(accepted(&inputs));
    for i in [0, observed.len() - 1, observed.len(), inputs.len() - 1] {
        let mut other = inputs.clone();
        other[i] += Word::ONE;
        assert!(!accepted(&other), "input {i}");
    }
}

#[test]
fn it_draws_plonky3s_extension_elements_and_indices() {
    let mut native = challenger();
    Transcript::observe(&mut native, F::from_u64(77));
    let element: EF = CanSample::sample(&mut native);
    let index = native.sample_bits(19);
    let accepted = |index: usize| {
        let mut inputs = vec![Word::from_canonical_u64(77)];
        let coefficients: &[F] = element.as_basis_coefficients_slice();
        inputs.extend(coefficients.iter().map(|&x| word(x)));
        inputs.push(Word::from_canonical_usize(index));
        holds(&inputs, |circuit, targets| {
            let mut transcript = TargetTranscript::new(circuit);
            transcript.observe(targets[0]);
            let pair = transcript.sample_pair();
            let bits = transcript.sample_index(19);
            let builder = &mut *circuit.builder;
            builder.connect_array(pair, [targets[1], targets[2]]);
            let sum = builder.le_sum(bits.iter());
            builder.connect(sum, targets[3]);
        })
    };
    assert!(accepted(index));
    assert!(!accepted(index ^ 1));
}

#[test]
fn a_grinding_witness_must_do_the_work() {
    let bits = 6;
    let mut native = challenger();
    Transcript::observe(&mut native, F::from_u64(9));
    let witness = GrindingChallenger::grind(&mut native.clone(), bits);
    let accepted = |witness: F| {
        let inputs = [Word::from_canonical_u64(9), word(witness)];
        holds(&inputs, |circuit, targets| {
            let mut transcript = TargetTranscript::new(circuit);
            transcript.observe(targets[0]);
            transcript.check_grinding(bits, targets[1]).unwrap();
        })
    };
    assert!(accepted(witness));
    for i in 1..20 {
        let other = witness + F::from_u64(i);
        let expected = native.clone().check_witness(bits, other);
        assert_eq!(accepted(other), expected, "witness {other}");
    }
}

#[test]
fn the_second_representative_of_an_element_is_refused() {
    // The halves of x + p, which are also those of x in the field.
    let accepted = |low: u64, high: u64| {
        let inputs = [low, high].map(Word::from_canonical_u64);
        holds(&inputs, |circuit, targets| {
            circuit.assert_canonical(targets[0], targets[1]);
        })
    };
    let modulus = F::ORDER_U64;
    let halves = |value: u64| (value & 0xffff_ffff, value >> 32);
    for x in [0, 1, 5, (1 << 32) - 2] {
        let (low, high) = halves(x);
        assert!(accepted(low, high), "{x}");
        let (low, high) = halves(x + modulus);
        assert!(!accepted(low, high), "{x} + p");
    }
    let (low, high) = halves(modulus - 1);
    assert!(accepted(low, high), "p - 1");
}
