//! Settling on a node of one's own, with a verifier that takes any statement for a proof.

mod blobs;
mod queue;
mod refusals;
mod scene;
mod settling;
mod snapshot;
