//! The shard circuits of a profile, one for each shape.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use shardfold_contracts::Contracts;
use shardfold_protocol::shape::Shape;

use shardfold_recursion::plonk::{CommonData, PlonkParameters, VerifierKey};
use shardfold_recursion::profile::Profile;
use shardfold_recursion::security::{Bits, plonk_bits, stark_bits};
use shardfold_recursion::tree::{common_data, data_common_data, gate_set};

use crate::cache::{CircuitCache, Fingerprint, Listener};
use crate::circuit::{ShardCircuit, ShardCircuitError};
use crate::data::{DataCircuit, data_stark};
use crate::lazy::Lazy;
use crate::stark::{ShardStark, Stark, StarkError};

/// How many shard circuits a set holds at once, unless jobs of more shapes run: a gigabyte each at
/// `proven-100`.
pub const KEPT_CIRCUITS: usize = 2;

/// The circuits of one profile. Each is loaded from the cache, or built, when it is
/// asked for: a small batch does not wait for the large shape's circuit.
pub struct CircuitSet {
    contracts: &'static Contracts,
    profile: Profile,
    parameters: PlonkParameters,
    cache: CircuitCache,
    starks: Vec<Lazy<ShardStark>>,
    /// By shape, as long as anybody has it.
    shards: Vec<Mutex<Weak<ShardCircuit>>>,
    kept: Mutex<Latest<ShardCircuit>>,
    common: Lazy<CommonData>,
    data_stark: Lazy<Stark>,
    /// As long as anybody has it.
    data: Mutex<Weak<DataCircuit>>,
}

/// Why a circuit is not available.
#[derive(Debug, thiserror::Error)]
pub enum SetError {
    /// The profile has no circuit for the shape.
    #[error("the profile `{profile}` has no shape {found:?}, it has {expected:?}")]
    NoSuchShape {
        /// Name of the profile.
        profile: &'static str,
        /// The shape asked for.
        found: Shape,
        /// The shapes of the profile.
        expected: &'static [Shape],
    },
    /// The circuits have so many rows that the profile's promise is broken.
    #[error("circuits of 2^{degree_bits} rows do not keep what `{profile}` promises: {bits:?}")]
    TooLarge {
        /// Name of the profile.
        profile: &'static str,
        /// log2 of the rows of the circuits.
        degree_bits: usize,
        /// The bits of security that they give.
        bits: Box<Bits>,
    },
    /// The STARK over data does not keep the profile's promise.
    #[error("the STARK over data does not keep what `{profile}` promises: {bits:?}")]
    Data {
        /// Name of the profile.
        profile: &'static str,
        /// The bits of security that it gives.
        bits: Box<Bits>,
    },
    /// The STARK could not be set up.
    #[error(transparent)]
    Stark(#[from] StarkError),
    /// The shard circuit could not be built.
    #[error(transparent)]
    Shard(#[from] ShardCircuitError),
}

impl CircuitSet {
    /// Returns the circuits of `profile`, kept below the folder `cache`; nothing is built yet.
    #[must_use]
    pub fn new(contracts: &'static Contracts, profile: Profile, cache: &Path) -> Self {
        let shapes = profile.shapes();
        let parameters = profile.plonk();
        let description = format!(
            "{} {} {:?} {} {} {:?} {:?}",
            profile.degree_bits(),
            profile.data_degree_bits(),
            profile.data(),
            profile.last_degree_bits(),
            profile.arity(),
            profile.last(),
            shapes
                .iter()
                .map(|shape| (shape, profile.stark(shape)))
                .collect::<Vec<_>>()
        );
        // Another list of contracts has other circuits.
        let rules = format!("{:?} {:?}", contracts.layout(), contracts.steps());
        let parts = [description.as_bytes(), rules.as_bytes()];
        let fingerprint = Fingerprint::new(&parameters, &parts);
        Self {
            contracts,
            profile,
            parameters,
            cache: CircuitCache::new(cache, fingerprint),
            starks: shapes.iter().map(|_| Lazy::new()).collect(),
            shards: shapes.iter().map(|_| Mutex::default()).collect(),
            kept: Mutex::default(),
            common: Lazy::new(),
            data_stark: Lazy::new(),
            data: Mutex::default(),
        }
    }

    /// Reports loading and building to `listener` instead of as `tracing` events.
    #[must_use]
    pub fn with_listener(mut self, listener: Box<Listener>) -> Self {
        self.cache = self.cache.with_listener(listener);
        self
    }

    /// Returns the contracts whose transactions are proven.
    #[must_use]
    pub const fn contracts(&self) -> &'static Contracts {
        self.contracts
    }

    /// Returns the profile.
    #[must_use]
    pub const fn profile(&self) -> Profile {
        self.profile
    }

    /// Returns where the circuits are kept.
    #[must_use]
    pub const fn cache(&self) -> &CircuitCache {
        &self.cache
    }

    /// Returns the number of a shape among the profile's, which is that of its leaf key.
    ///
    /// # Errors
    /// If the profile has no such shape.
    pub fn position(&self, shape: &Shape) -> Result<usize, SetError> {
        let expected = self.profile.shapes();
        expected
            .iter()
            .position(|known| known == shape)
            .ok_or(SetError::NoSuchShape {
                profile: self.profile.name(),
                found: *shape,
                expected,
            })
    }

    /// Returns the STARK of a shape.
    ///
    /// # Errors
    /// If the profile has no such shape.
    pub fn stark(&self, shape: &Shape) -> Result<&ShardStark, SetError> {
        let slot = &self.starks[self.position(shape)?];
        slot.get_or_try(|| {
            let parameters = self.profile.stark(shape);
            Ok(ShardStark::new(self.contracts, *shape, parameters)?)
        })
    }

    /// Returns the circuit of a shape, from the cache or built. The set keeps the
    /// [`KEPT_CIRCUITS`] that were last asked for; one that is still used is not loaded again.
    ///
    /// # Errors
    /// If the profile has no such shape, or the circuit cannot be built.
    pub fn shard(&self, shape: &Shape) -> Result<Arc<ShardCircuit>, SetError> {
        let slot = &self.shards[self.position(shape)?];
        // Who asks while it is loaded waits. A thread that panicked has left nothing.
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        let circuit = match slot.upgrade() {
            Some(circuit) => circuit,
            None => Arc::new(self.load(shape)?),
        };
        *slot = Arc::downgrade(&circuit);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.keep(&circuit);
        Ok(circuit)
    }

    /// Lets the shard circuits go that nobody uses now: for who has proven all shards.
    pub fn release(&self) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = Latest::default();
    }

    fn load(&self, shape: &Shape) -> Result<ShardCircuit, SetError> {
        let name = format!("shard-{}", shape.transactions());
        self.cache.load_or_build(&name, || {
            let (stark, common) = (self.stark(shape)?, self.common()?);
            Ok(ShardCircuit::build(stark, &self.parameters, common)?)
        })
    }

    /// Returns the STARK over a batch's differences.
    ///
    /// # Errors
    /// If its parameters do not keep what the profile promises.
    pub fn data_stark(&self) -> Result<&Stark, SetError> {
        self.data_stark.get_or_try(|| {
            let stark = data_stark(self.profile)?;
            let bits = stark_bits(stark.parameters(), &stark.size());
            if !self.profile.is_kept_by(&bits) {
                return Err(SetError::Data {
                    profile: self.profile.name(),
                    bits: Box::new(bits),
                });
            }
            Ok(stark)
        })
    }

    /// Returns the circuit that verifies it, from the cache or built. One that is still used is not
    /// loaded again; none is kept.
    ///
    /// # Errors
    /// If it does not fit its rows.
    pub fn data(&self) -> Result<Arc<DataCircuit>, SetError> {
        // Who asks while it is loaded waits. A thread that panicked has left nothing.
        let mut slot = self.data.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(circuit) = slot.upgrade() {
            return Ok(circuit);
        }
        let circuit = self.cache.load_or_build("data", || {
            let common = data_common_data(self.profile);
            let stark = self.data_stark()?;
            Ok::<_, SetError>(DataCircuit::build(stark, &self.parameters, &common)?)
        })?;
        let circuit = Arc::new(circuit);
        *slot = Arc::downgrade(&circuit);
        Ok(circuit)
    }

    /// Returns the keys of all shapes' circuits, in the order of the shapes.
    ///
    /// # Errors
    /// If a circuit cannot be built.
    pub fn keys(&self) -> Result<Vec<VerifierKey>, SetError> {
        let shapes = self.profile.shapes().iter();
        shapes
            .map(|shape| Ok(self.shard(shape)?.key().clone()))
            .collect()
    }

    /// Returns the common data of all circuits but the last.
    ///
    /// # Errors
    /// If circuits of so many rows, the last one's too, do not keep what the profile promises.
    pub fn common(&self) -> Result<&CommonData, SetError> {
        self.common.get_or_try(|| {
            let (profile, degree_bits) = (self.profile, self.profile.degree_bits());
            let last = (profile.last(), profile.last_degree_bits());
            for (parameters, degree_bits) in [(self.parameters.clone(), degree_bits), last] {
                let bits = plonk_bits(&parameters, degree_bits);
                if !profile.is_kept_by(&bits) {
                    return Err(SetError::TooLarge {
                        profile: profile.name(),
                        degree_bits,
                        bits: Box::new(bits),
                    });
                }
            }
            let gates = gate_set(&self.parameters);
            Ok(common_data(&self.parameters, degree_bits, &gates))
        })
    }
}

/// The values last kept, the latest at the end.
struct Latest<T>(VecDeque<Arc<T>>);

impl<T> Default for Latest<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T> Latest<T> {
    /// Keeps a value as the latest; the oldest is let go if there are more than [`KEPT_CIRCUITS`].
    fn keep(&mut self, value: &Arc<T>) {
        self.0.retain(|kept| !Arc::ptr_eq(kept, value));
        self.0.push_back(Arc::clone(value));
        if self.0.len() > KEPT_CIRCUITS {
            self.0.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_are_kept() {
        let values = [0, 1, 2].map(Arc::new);
        let mut latest = Latest::default();
        let mut kept_after = |value: usize| {
            latest.keep(&values[value]);
            latest.0.iter().map(|kept| **kept).collect::<Vec<_>>()
        };
        assert_eq!(kept_after(0), [0]);
        assert_eq!(kept_after(1), [0, 1]);
        assert_eq!(kept_after(0), [1, 0]);
        assert_eq!(kept_after(2), [0, 2]);
        assert_eq!(kept_after(1), [2, 1]);
    }
}
