//! From a shard's witness to the traces of all chips.

use p3_field::PrimeCharacteristicRing;
use p3_matrix::dense::RowMajorMatrix;
use shardfold_protocol::head::{DATA_ELEMENTS, HEAD_ELEMENTS, STATEMENT_ELEMENTS, Statement};
use shardfold_protocol::witness::ShardWitness;

use shardfold_circuits::chips::signature::SignatureRequest;
use shardfold_circuits::chips::transaction::{RequiredSignature, TransactionRows};
use shardfold_circuits::chips::{
    Chip, fee, muldiv, node, poseidon2, range, record, signature, transaction, vault,
};
use shardfold_circuits::error::TraceError;
use shardfold_circuits::lookup_events::LookupEvents;
use shardfold_contracts::Contracts;
use shardfold_contracts::readings::Bus;
use shardfold_protocol::field::F;

/// The traces of a STARK's tables, in their order.
#[derive(Clone, Debug)]
pub struct Traces {
    /// One for each table.
    pub traces: Vec<RowMajorMatrix<F>>,
    /// The public values of each table.
    pub public_values: Vec<Vec<F>>,
}

/// Plays the transactions of a witness and lays out every chip's rows.
///
/// The witness comes from elsewhere: one that does not lead from its head before to its head
/// after gives traces whose proof does not verify, or an error here.
///
/// # Errors
/// If the witness is malformed, does not fit its shape, breaks a rule, or holds an invalid
/// signature.
pub fn shard_traces(
    contracts: &'static Contracts,
    witness: &ShardWitness,
) -> Result<Traces, TraceError> {
    let log_transactions = witness.shape.log_transactions as usize;
    let shape = &witness.shape;
    let rows = transaction::generate(contracts, witness, log_transactions)?;
    let signatures = signature_requests(witness, &rows.signatures);
    // The curve's traces and all others are independent but for the hashes that they ask for.
    let (curve, rest) = rayon::join(
        || {
            let mut events = LookupEvents::default();
            let chain_id = F::from_u64(witness.statement.chain_id);
            let (first, second) = shape.log_ladders();
            let ladders = [first].into_iter().chain(second).map(|log| 1 << log);
            let ladders: Vec<usize> = ladders.collect();
            let traces = signature::generate(
                &signatures,
                chain_id,
                log_transactions,
                &ladders,
                &mut events,
            )?;
            Ok::<_, TraceError>((traces, events))
        },
        || state_traces(contracts, witness, rows),
    );
    let (curve, curve_events) = curve?;
    let (rest, mut events) = rest?;
    events.merge(curve_events);

    let poseidon2 = poseidon2::generate(&events.hashes, shape.log_permutations as usize)?;
    let StateTraces {
        transactions,
        mut shared,
        fee,
        record,
        node,
    } = rest;
    let mut traces = vec![transactions];
    traces.append(&mut shared);
    traces.extend([fee, curve.signature, curve.variable_table]);
    traces.extend(curve.variable_base);
    traces.extend(curve.fixed_base);
    let range = range::generate(&events.range);
    traces.extend([record, node, poseidon2, curve.fixed_table, range]);
    let tables = Chip::tables(contracts, shape).into_iter();
    let chips: Vec<Chip> = tables.map(|(chip, _)| chip).collect();
    Ok(Traces {
        traces,
        public_values: public_values(&chips, &witness.statement),
    })
}

/// The traces of what changes records.
struct StateTraces {
    transactions: RowMajorMatrix<F>,
    /// The tables that only some lists of contracts have.
    shared: Vec<RowMajorMatrix<F>>,
    fee: RowMajorMatrix<F>,
    record: RowMajorMatrix<F>,
    node: RowMajorMatrix<F>,
}

/// The traces of what changes records, and what they ask of `poseidon2` and `range`.
fn state_traces(
    contracts: &Contracts,
    witness: &ShardWitness,
    rows: TransactionRows,
) -> Result<(StateTraces, LookupEvents), TraceError> {
    let mut events = rows.events;
    let shape = &witness.shape;
    let mut shared = vec![];
    if contracts.speaks(Bus::Vault) {
        let log_height = shape.log_vaults as usize;
        shared.push(vault::generate(&rows.vaults, log_height, &mut events)?);
    }
    if contracts.speaks(Bus::MulDiv) {
        let log_height = shape.log_divisions as usize;
        shared.push(muldiv::generate(&rows.divisions, log_height, &mut events)?);
    }
    let fee = fee::generate(&rows.fees, shape.log_transactions as usize, &mut events)?;
    let (data, log_records) = (
        &witness.statement.before.data_commitment,
        shape.log_records as usize,
    );
    let (record, leaves) = record::generate(&rows.records, data, log_records, &mut events)?;
    let log_nodes = shape.log_nodes as usize;
    let (node, _root) = node::generate(&leaves, &witness.siblings, log_nodes, &mut events)?;
    let traces = StateTraces {
        transactions: rows.trace,
        shared,
        fee,
        record,
        node,
    };
    Ok((traces, events))
}

/// Returns the signatures that the rules of a witness require, in order.
#[must_use]
pub fn signature_requests(
    witness: &ShardWitness,
    required: &[RequiredSignature],
) -> Vec<SignatureRequest> {
    required
        .iter()
        .filter_map(|required| {
            let transaction = witness.transactions.get(required.transaction)?;
            let authorization = transaction.authorization?;
            Some(SignatureRequest {
                key: authorization.public_key,
                exit_address: authorization.exit_address,
                signature: authorization.signature,
                message: required.digest,
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
/// all of them for the transactions, the chain id for the signatures, both commitments to
/// differences for the records.
///
/// # Panics
/// If there are fewer elements than a statement has.
pub(crate) fn public_values_of<T: Copy>(chips: &[Chip], statement: &[T]) -> Vec<Vec<T>> {
    assert_eq!(statement.len(), STATEMENT_ELEMENTS);
    let (before, after) = statement[1..].split_at(HEAD_ELEMENTS);
    let data = |head: &[T]| head[DATA_ELEMENTS].to_vec();
    chips
        .iter()
        .map(|chip| match chip {
            Chip::Transaction(_) => statement.to_vec(),
            Chip::Signature(_) => vec![statement[0]],
            Chip::Record(_) => [data(before), data(after)].concat(),
            _ => Vec::new(),
        })
        .collect()
}
