//! From a shard's witness to the traces of all chips.

use p3_field::PrimeCharacteristicRing;
use p3_matrix::dense::RowMajorMatrix;
use shardfold_protocol::head::{STATEMENT_ELEMENTS, Statement};
use shardfold_protocol::witness::ShardWitness;

use shardfold_circuits::chips::signature::SignatureRequest;
use shardfold_circuits::chips::{
    Chip, deposit, fee, ledger, node, poseidon2, range, record, signature, transfer, withdraw,
};
use shardfold_circuits::error::TraceError;
use shardfold_circuits::lookup_events::LookupEvents;
use shardfold_circuits::witness_rows::{WitnessRows, witness_rows};
use shardfold_protocol::field::F;

/// The traces of one shard, in the order of [`Chip::all`].
#[derive(Clone, Debug)]
pub struct ShardTraces {
    /// One for each chip.
    pub traces: Vec<RowMajorMatrix<F>>,
    /// The public values of each chip.
    pub public_values: Vec<Vec<F>>,
}

/// Generates the rows of a witness and lays out every chip's rows.
///
/// The witness comes from elsewhere: one that does not lead from its head before to its head
/// after gives traces whose proof does not verify, or an error here.
///
/// # Errors
/// If the witness is malformed, does not fit its shape, or holds an invalid signature.
pub fn shard_traces(witness: &ShardWitness) -> Result<ShardTraces, TraceError> {
    let rows = witness_rows(witness)?;
    let signatures = signature_requests(witness, &rows);
    let log_transactions = witness.shape.log_transactions as usize;
    // The curve's traces and all others are independent but for the hashes that they ask for.
    let (curve, rest) = rayon::join(
        || {
            let mut events = LookupEvents::default();
            let chain_id = F::from_u64(witness.statement.chain_id);
            let traces = signature::generate(&signatures, chain_id, log_transactions, &mut events)?;
            Ok::<_, TraceError>((traces, events))
        },
        || rule_and_state_traces(witness, &rows),
    );
    let (curve, curve_events) = curve?;
    let (rest, mut events) = rest?;
    events.merge(curve_events);

    let poseidon2 = poseidon2::generate(&events.hashes, witness.shape.log_permutations as usize)?;
    let [ledger, transfer, deposit, withdraw, fee, record, node] = rest;
    let traces = vec![
        ledger,
        transfer,
        deposit,
        withdraw,
        fee,
        curve.signature,
        curve.variable_table,
        curve.variable_base,
        curve.fixed_base,
        record,
        node,
        poseidon2,
        curve.fixed_table,
        range::generate(&events.range),
    ];
    Ok(ShardTraces {
        traces,
        public_values: public_values(&Chip::all(), &witness.statement),
    })
}

/// The traces of ledger, transfer, deposit, withdraw, fee, record and node, and what they
/// ask of `poseidon2` and `range`.
fn rule_and_state_traces(
    witness: &ShardWitness,
    rows: &WitnessRows,
) -> Result<([RowMajorMatrix<F>; 7], LookupEvents), TraceError> {
    let log = witness.shape.log_transactions as usize;
    let chain_id = F::from_u64(witness.statement.chain_id);
    let events = &mut LookupEvents::default();
    let Statement { before, after, .. } = &witness.statement;
    let ledger = ledger::generate(&rows.ledger, before, after.time, log, events)?;
    let transfer = transfer::generate(&rows.transfers, chain_id, log, events)?;
    let deposit = deposit::generate(&rows.deposits, chain_id, log, events)?;
    let withdraw = withdraw::generate(&rows.withdraws, chain_id, log, events)?;
    let fee = fee::generate(&rows.fees, log, events)?;
    let log_records = witness.shape.log_records as usize;
    let (record, leaves) = record::generate(&rows.records, log_records, events)?;
    let log_nodes = witness.shape.log_nodes as usize;
    let (node, _root) = node::generate(&leaves, &witness.siblings, log_nodes, events)?;
    let traces = [ledger, transfer, deposit, withdraw, fee, record, node];
    Ok((traces, core::mem::take(events)))
}

/// Returns the signatures that the rules of a generated witness require, in order.
#[must_use]
pub fn signature_requests(witness: &ShardWitness, rows: &WitnessRows) -> Vec<SignatureRequest> {
    rows.signatures
        .iter()
        .filter_map(|step| {
            let transaction = witness.transactions.get(step.transaction)?;
            let (key, exit_address, signature) = transaction.signed_by()?;
            Some(SignatureRequest {
                key: *key,
                exit_address: *exit_address,
                signature: *signature,
                message: step.digest,
            })
        })
        .collect()
}

/// The public values of each chip for a statement.
#[must_use]
pub(crate) fn public_values(chips: &[Chip], statement: &Statement) -> Vec<Vec<F>> {
    public_values_of(chips, &statement.elements())
}

/// The public values of each chip, given the elements of the statement as values or targets:
/// all of them for the ledger, the chain id for the rules and the signatures.
///
/// # Panics
/// If there are fewer elements than a statement has.
pub(crate) fn public_values_of<T: Copy>(chips: &[Chip], statement: &[T]) -> Vec<Vec<T>> {
    assert_eq!(statement.len(), STATEMENT_ELEMENTS);
    chips
        .iter()
        .map(|chip| match chip {
            Chip::Ledger(_) => statement.to_vec(),
            Chip::Transfer(_) | Chip::Deposit(_) | Chip::Withdraw(_) | Chip::Signature(_) => {
                vec![statement[0]]
            }
            _ => Vec::new(),
        })
        .collect()
}
