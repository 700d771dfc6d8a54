//! What is published: that it is the differences of the batch, whoever says what of it.
//!
//! Who changes what is published changes the point, so the tests state the point anew, with the value
//! that the real differences have there: as a settler does who proves honestly and publishes something
//! else.

pub mod case;

use alloy_primitives::{Bytes, U256};
use alloy_sol_types::SolEvent;
use ark_bls12_381::Fr;
use ark_ff::PrimeField as _;
use revm::primitives::hardfork::SpecId;
use shardfold_protocol::data::{COEFFICIENTS, Evaluation};
use shardfold_settlement::data::{
    BLOB_COEFFICIENTS, DataMode, OPENING_BYTES, from_calldata, point,
};
use shardfold_settlement::encoding::head_bytes;
use shardfold_settlement::interface::IRollup::{
    BothPublished, DataLength, HalfTooLarge, NoBlob, Settled, TooMuchData, WrongOpening,
    WrongPoint, WrongValue,
};

use self::case::Case;
use crate::common::chain::{FORKS, POINT_EVALUATION, forks_and_modes};

fn order() -> U256 {
    U256::from_limbs(Fr::MODULUS.0)
}

/// Bytes with one bit flipped.
fn flipped(bytes: &[u8], place: usize, bit: usize) -> Bytes {
    let mut bytes = bytes.to_vec();
    bytes[place] ^= 1 << bit;
    bytes.into()
}

#[test]
fn the_event_has_the_head_the_list_and_the_data_or_the_hashes_of_the_blobs() {
    for (fork, mode) in forks_and_modes() {
        let case = Case::small(fork, mode);
        let done = case.settle().expect("it is settled");
        let log = done.logs.first().expect("it says so");
        let event = Settled::decode_log(log).expect("it is this event").data;
        let head = head_bytes(&case.batch.statement.after);
        assert_eq!(event.head, Bytes::from(head));
        assert_eq!(event.withdrawals, case.call.withdrawals);
        assert_eq!(event.data, *case.publication.calldata());
        assert_eq!(event.blobs, case.publication.versioned_hashes());
        assert_eq!(event.data.is_empty(), mode == DataMode::Blobs);
        assert_eq!(event.blobs.is_empty(), mode == DataMode::Calldata);
    }
}

#[test]
fn a_proof_that_speaks_of_another_point_is_refused() {
    for (fork, mode) in forks_and_modes() {
        let case = Case::small(fork, mode);
        for bit in 0..128 {
            let failed = case.refused(|case| {
                let proof = flipped(&case.call.proof, 392 + bit / 8, bit % 8);
                case.call.proof = proof;
            });
            failed.error::<WrongPoint>();
        }
        // Points for other heads, or of nothing, with what is true there.
        let [before, after] = case.commitments();
        for (before, after) in [(after, before), (before, before), (after, after)] {
            let failed = case.refused(|case| {
                let other = point(&before, &after, &case.blobs, &case.call.data);
                case.state_at(other);
            });
            failed.error::<WrongPoint>();
        }
        let failed = case.refused(|case| case.state_at(point(&before, &after, &[], &[])));
        failed.error::<WrongPoint>();
    }
}

#[test]
fn a_proof_that_states_another_value_is_refused() {
    for (fork, mode) in forks_and_modes() {
        let case = Case::small(fork, mode);
        let Evaluation { point, value } = case.publication.evaluation();
        for bit in 0..256 {
            let mut value = value;
            value[bit / 64] ^= 1 << (bit % 64);
            let failed = case.refused(|case| case.state(Evaluation { point, value }));
            let stated = failed.error::<WrongValue>().expected;
            assert_eq!(stated, U256::from_limbs(value));
        }
        // The same in the field.
        let above = U256::from_limbs(value) + order();
        let value = above.into_limbs();
        let failed = case.refused(|case| case.state(Evaluation { point, value }));
        assert_eq!(failed.error::<WrongValue>().expected, above);
    }
}

/// A half of a word has 32 bits: else one value could be stated in many ways.
#[test]
fn a_half_of_more_than_32_bits_is_refused() {
    for (fork, mode) in forks_and_modes() {
        let case = Case::small(fork, mode);
        for half in 0..8 {
            for byte in 0..4 {
                let failed = case.refused(|case| {
                    let place = 408 + 8 * half + byte;
                    case.call.proof = flipped(&case.call.proof, place, half);
                });
                failed.error::<HalfTooLarge>();
            }
        }
        // The same number: one less in a half, 2^32 more in the one below.
        let failed = case.refused(|case| {
            let mut proof = case.call.proof.to_vec();
            let half: &mut [u8] = &mut proof[416..424];
            let word = u64::from_be_bytes(half.try_into().expect("8 bytes"));
            half.copy_from_slice(&(word - 1).to_be_bytes());
            proof[408 + 3] = 1;
            case.call.proof = proof.into();
        });
        failed.error::<HalfTooLarge>();
    }
}

#[test]
fn any_other_data_are_refused() {
    for fork in FORKS {
        let case = Case::large(fork, DataMode::Calldata, 3);
        let data = case.call.data.clone();
        for place in 0..data.len() {
            let other = flipped(&data, place, place % 8);
            let failed = case.refused(|case| case.call.data = other.clone());
            failed.error::<WrongPoint>();
            let failed = case.refused(|case| {
                case.call.data = other;
                case.restate();
            });
            failed.error::<WrongValue>();
        }
        // Less, more, another order, nothing.
        let zero: &[u8] = &[0; 32];
        let turned = data.chunks(32).rev().flatten().copied().collect();
        let others = [
            data.slice(32..),
            data.slice(..data.len() - 32),
            [zero, &data].concat().into(),
            turned,
            Bytes::new(),
        ];
        for other in others {
            let failed = case.refused(|case| {
                case.call.data = other;
                case.restate();
            });
            failed.error::<WrongValue>();
        }
    }
}

#[test]
fn coefficients_count_in_the_field_and_zeros_at_the_end_may_be_there() {
    for fork in FORKS {
        let case = Case::small(fork, DataMode::Calldata);
        let data = case.call.data.to_vec();
        let first = U256::from_be_slice(&data[..32]) + order();
        let above = [&first.to_be_bytes::<32>()[..], &data[32..]].concat();
        let zeros = [&data[..], &[0; 96]].concat();
        for data in [above, zeros] {
            let read = from_calldata(&data).expect("whole coefficients");
            let count = case.publication.coefficients().len();
            assert_eq!(read[..count], case.publication.coefficients());
            let settled = case.changed(|case| {
                case.call.data = data.into();
                case.restate();
            });
            settled.expect("they are the same");
        }
    }
}

#[test]
fn what_is_not_whole_or_too_much_is_refused() {
    for fork in FORKS {
        let case = Case::small(fork, DataMode::Calldata);
        for more in [1, 16, 31] {
            let data = [&case.call.data[..], &vec![0; more]].concat();
            let found = U256::from(data.len());
            let failed = case.refused(|case| {
                case.call.data = data.into();
                case.restate();
            });
            let error = failed.error::<DataLength>();
            assert_eq!((error.found, error.partBytes), (found, U256::from(32)));
        }
        let blobs = Case::small(fork, DataMode::Blobs);
        for more in [1, 127] {
            let openings = [&blobs.call.openings[..], &vec![0; more]].concat();
            let found = U256::from(openings.len());
            let failed = blobs.refused(|case| case.call.openings = openings.into());
            let error = failed.error::<DataLength>();
            assert_eq!((error.found, error.partBytes), (found, U256::from(128)));
        }
        let openings = vec![0; 9 * OPENING_BYTES];
        let failed = blobs.refused(|case| case.call.openings = openings.into());
        let found = U256::from(9 * BLOB_COEFFICIENTS);
        assert_eq!(failed.error::<TooMuchData>().found, found);
        let failed = blobs.refused(|case| {
            case.call.data = vec![0; 32].into();
            case.restate();
        });
        let error = failed.error::<BothPublished>();
        assert_eq!(error.dataBytes, U256::from(32));
    }
    // As calldata that has no room in a transaction of Amsterdam.
    let case = Case::small(SpecId::OSAKA, DataMode::Calldata);
    let failed = case.refused(|case| case.call.data = vec![0; 32 * (COEFFICIENTS + 1)].into());
    let found = U256::from(COEFFICIENTS + 1);
    assert_eq!(failed.error::<TooMuchData>().found, found);
}

#[test]
fn a_batch_that_changes_nothing_publishes_nothing() {
    for (fork, mode) in forks_and_modes() {
        let case = Case::large(fork, mode, 0);
        assert!(case.call.data.is_empty() && case.call.openings.is_empty());
        case.settle().expect("there is nothing to publish");
        let point = case.publication.evaluation().point;
        let value = [1, 0, 0, 0];
        let failed = case.refused(|case| case.state(Evaluation { point, value }));
        assert_eq!(failed.error::<WrongValue>().found, U256::ZERO);
        // And one that changes something cannot keep it back.
        let case = Case::small(fork, mode);
        let failed = case.refused(|case| {
            (case.call.data, case.call.openings) = Default::default();
            case.restate();
        });
        failed.error::<WrongValue>();
    }
}

#[test]
fn blobs_that_are_missing_or_stand_elsewhere_are_refused() {
    for fork in FORKS {
        let case = Case::blobs(fork);
        case.settle().expect("unchanged it is settled");
        for left in 0..3_usize {
            let failed = case.refused(|case| case.blobs.truncate(left));
            assert_eq!(failed.error::<NoBlob>().place, U256::from(left));
            // Without its opening, too.
            let failed = case.refused(|case| {
                case.blobs.truncate(left);
                case.call.openings = vec![0; left * OPENING_BYTES].into();
                case.restate();
                case.open(&[0, 1, 2][..left]);
            });
            failed.error::<WrongValue>();
        }
        for order in [[1, 0, 2], [0, 2, 1], [2, 1, 0], [0, 0, 2]] {
            let turn = |case: &mut Case| {
                let hashes = case.publication.versioned_hashes();
                case.blobs = order.map(|place| hashes[place]).to_vec();
            };
            case.refused(turn).error::<WrongPoint>();
            let failed = case.refused(|case| {
                turn(case);
                case.restate();
                case.open(&order);
            });
            failed.error::<WrongValue>();
        }
        // A blob more than there are openings changes nothing.
        let more = case.changed(|case| case.blobs.push(case.blobs[0]));
        more.expect("it is not looked at");
    }
}

#[test]
fn an_opening_that_is_not_one_of_its_blob_is_refused() {
    for fork in FORKS {
        let case = Case::blobs(fork);
        let openings = &case.call.openings;
        let of = |place: usize| &openings[place * OPENING_BYTES..][..OPENING_BYTES];
        let wrong = |place: usize, openings: Vec<u8>| {
            let failed = case.refused(|case| case.call.openings = openings.into());
            let expected = WrongOpening {
                place: U256::from(place),
                blob: case.blobs[place],
            };
            assert_eq!(failed.error::<WrongOpening>(), expected);
        };
        // Of another blob: all of it, or the value, the commitment or the proof alone.
        for part in [0..128, 0..32, 32..80, 80..128] {
            for (place, other) in [(0, 1), (1, 2), (2, 0)] {
                let mut openings = openings.to_vec();
                openings[place * OPENING_BYTES..][part.clone()]
                    .copy_from_slice(&of(other)[part.clone()]);
                wrong(place, openings);
            }
        }
        // The same value, beyond the field's order.
        let above = U256::from_be_slice(&openings[..32]) + order();
        wrong(
            0,
            [&above.to_be_bytes::<32>()[..], &openings[32..]].concat(),
        );
        // True of another point.
        let mut elsewhere = case.clone();
        elsewhere.blobs.swap(0, 1);
        elsewhere.open(&[0, 1, 2]);
        wrong(0, elsewhere.call.openings.to_vec());
    }
}

/// On a chain that cannot open blobs none is settled: also where something else stands there.
#[test]
fn a_chain_that_cannot_open_blobs_settles_none() {
    for fork in FORKS {
        let case = Case::small(fork, DataMode::Blobs);
        let without = |code: Vec<u8>| {
            let failed = case.refused(|case| {
                case.world.chain.opens_blobs = false;
                case.world.chain.replace_code(POINT_EVALUATION, code);
            });
            failed.error::<WrongOpening>();
        };
        without(vec![]);
        // The right answer, but as that of a call that fails.
        let mut code = vec![0x61, 0x10, 0x00, 0x5f, 0x52, 0x7f];
        code.extend(order().to_be_bytes::<32>());
        code.extend([0x60, 0x20, 0x52, 0x60, 0x40, 0x5f]);
        let answers = |last: u8| [&code[..], &[last]].concat();
        without(answers(0xfd));
        // The same of a call that works is believed: so the code is as it should be.
        let believed = case.changed(|case| {
            case.world.chain.opens_blobs = false;
            case.world
                .chain
                .replace_code(POINT_EVALUATION, answers(0xf3));
        });
        believed.expect("it answers as the precompile does");
    }
}

/// As many blobs as a transaction has (6), and as a batch has.
#[test]
fn a_batch_fills_up_to_eight_blobs() {
    for fork in FORKS {
        for blobs in [1, 2, 6, 8] {
            let case = Case::large(fork, DataMode::Blobs, blobs * BLOB_COEFFICIENTS / 32 * 31);
            assert_eq!(case.blobs.len(), blobs);
            case.settle().expect("it is settled");
        }
    }
}
