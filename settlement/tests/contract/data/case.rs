//! A batch that is settled as it is, or in another way than it should be.

use alloy_primitives::{B256, U256};
use ark_bls12_381::Fr;
use ark_ff::{AdditiveGroup as _, BigInt, Field as _, PrimeField as _};
use c_kzg::{Blob, Bytes32, ethereum_kzg_settings};
use p3_field::PrimeCharacteristicRing;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use revm::primitives::hardfork::SpecId;
use shardfold_contracts::transfer::Transfer;
use shardfold_protocol::data::{COEFFICIENTS, Evaluation, Settlement as Stated};
use shardfold_protocol::field::{F, MODULUS};
use shardfold_protocol::hash::Digest;
use shardfold_protocol::head::extend_chain;
use shardfold_settlement::data::{DataMode, OPENING_BYTES, Publication, point};
use shardfold_settlement::encoding::settlement_bytes;
use shardfold_settlement::interface::IRollup::settleCall;

use crate::common::batch::Settlement;
use crate::common::chain::{Done, Failed};
use crate::common::world::{COIN, FREE, OPERATOR, World, account, owner, signed};

/// A batch that waits to be settled, with all that is published of it.
#[derive(Clone)]
pub struct Case {
    pub world: World,
    pub batch: Settlement,
    pub publication: Publication,
    pub call: settleCall,
    pub blobs: Vec<B256>,
}

impl Case {
    /// Two vaults change, of three: one coefficient.
    pub fn small(fork: SpecId, mode: DataMode) -> Self {
        let mut world = World::with_mode(fork, mode);
        for i in 0..3 {
            world.deposit(i, 1_000, 0);
        }
        world.settle((0..3).map(|i| world.taking(i, i as u32)).collect());
        let transfer = Transfer {
            from: 0,
            to: 1,
            to_owner: owner(1),
            asset: COIN.into(),
            amount: 10,
            fee: FREE,
            nonce: 0,
        };
        let batch = world.execute(vec![signed(&account(0), &transfer)]);
        Self::of(world, batch)
    }

    /// So many blocks of differences: any elements, since these tests prove nothing.
    pub fn large(fork: SpecId, mode: DataMode, blocks: usize) -> Self {
        let Self {
            world, mut batch, ..
        } = Self::small(fork, mode);
        let mut rng = StdRng::seed_from_u64(11);
        let mut chain = batch.statement.before.data_commitment;
        batch.data.clear();
        for _ in 0..blocks {
            let block = core::array::from_fn(|_| F::from_u64(rng.random_range(0..MODULUS)));
            chain = extend_chain(&chain, &block);
            batch.data.extend(block);
        }
        batch.statement.after.data_commitment = chain;
        Self::of(world, batch)
    }

    fn of(world: World, batch: Settlement) -> Self {
        let publication = batch.publication();
        Self {
            call: batch.call_with(&publication),
            blobs: publication.versioned_hashes().to_vec(),
            world,
            batch,
            publication,
        }
    }

    /// Three blobs.
    pub fn blobs(fork: SpecId) -> Self {
        let case = Self::large(fork, DataMode::Blobs, 9_000);
        assert_eq!(case.blobs.len(), 3);
        case
    }

    /// The data commitments before and after the batch.
    pub fn commitments(&self) -> [Digest; 2] {
        let statement = &self.batch.statement;
        [statement.before, statement.after].map(|head| head.data_commitment)
    }

    /// Has the proof say what is true of the real differences at a point.
    pub fn state_at(&mut self, point: [u64; 2]) {
        let x = field_point(point);
        let coefficients = self.publication.coefficients();
        let sum = coefficients.iter().fold(Fr::ZERO, |sum, words| {
            sum * x + Fr::from(BigInt::new(*words))
        });
        let value = sum * x.pow([(COEFFICIENTS - coefficients.len()) as u64]);
        let value = value.into_bigint().0;
        self.state(Evaluation { point, value });
    }

    /// Has the proof say something of the data.
    pub fn state(&mut self, evaluation: Evaluation) {
        let statement = self.batch.statement;
        let stated = Stated {
            statement,
            evaluation,
        };
        self.call.proof = settlement_bytes(&stated).into();
    }

    /// The point that the contract finds for what the call publishes.
    fn point(&self) -> [u64; 2] {
        let [before, after] = self.commitments();
        let count = self.call.openings.len() / OPENING_BYTES;
        point(&before, &after, &self.blobs[..count], &self.call.data)
    }

    /// Has the proof say what is true of the real differences at the point of what is published.
    pub fn restate(&mut self) {
        self.state_at(self.point());
    }

    /// Opens blobs of the publication at the point of what is published, whichever they are.
    pub fn open(&mut self, places: &[usize]) {
        let x = field_point(self.point());
        let x = Bytes32::new(U256::from_limbs(x.into_bigint().0).to_be_bytes());
        let mut openings = vec![];
        for &place in places {
            let blob = Blob::from_bytes(&self.publication.blobs()[place]).expect("a blob");
            let opened = ethereum_kzg_settings(0).compute_kzg_proof(&blob, &x);
            let (proof, y) = opened.expect("it has values");
            openings.extend(y.as_slice());
            openings.extend(self.publication.commitments()[place]);
            openings.extend(proof.to_bytes().as_slice());
        }
        self.call.openings = openings.into();
    }

    pub fn settle(&self) -> Result<Done, Failed> {
        let mut chain = self.world.chain.clone();
        chain.blobs.clone_from(&self.blobs);
        let sent = chain.send(OPERATOR, self.world.rollup, U256::ZERO, &self.call);
        sent.map(|(_, done)| done)
    }

    /// Changes a copy and settles it.
    pub fn changed(&self, change: impl FnOnce(&mut Self)) -> Result<Done, Failed> {
        let mut case = self.clone();
        change(&mut case);
        case.settle()
    }

    /// Changes a copy, and expects that it is refused.
    #[track_caller]
    pub fn refused(&self, change: impl FnOnce(&mut Self)) -> Failed {
        self.changed(change).expect_err("it is not the batch")
    }
}

fn field_point([low, high]: [u64; 2]) -> Fr {
    Fr::from(BigInt::new([low, high, 0, 0]))
}
