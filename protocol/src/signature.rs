//! Keys and signatures (arrives with the curve).

use serde::{Deserialize, Serialize};

use crate::field::F;

/// A public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicKey(pub [F; 5]);

/// A signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature(pub [F; 5]);
