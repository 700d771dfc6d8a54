//! Whether a transaction has a row: its constraints, filled whatever the checks say, and what the row
//! asks of other tables.

use std::collections::BTreeSet;

use p3_field::{PrimeCharacteristicRing, PrimeField64};
use shardfold_protocol::amount::AMOUNT_LIMIT;
use shardfold_protocol::field::F;
use shardfold_protocol::hash::{ZERO_DIGEST, compress_block};
use shardfold_protocol::record::{Index, Record};
use shardfold_protocol::transaction::Transaction;

use super::{Ledger, Who};
use crate::law::nothing;
use crate::layout::{Cursor, prefix, public};
use crate::readings::{
    Authority, Bus, Effect, Expr, Fill, Message, Notes, PREPARED, Prepared, Run,
};
use crate::set::standard;
use crate::testing::value;

pub fn is_provable(ledger: &Ledger, transaction: &Transaction, who: Who) -> bool {
    let contracts = standard();
    let plan = contracts.path(transaction).expect("a body of its length");
    let prepared = Prepared {
        digests: [ZERO_DIGEST; PREPARED],
        authority: Authority {
            owner: who.owner(),
            has_signed: true,
        },
    };
    let context = ledger.context();
    let read = |index| *ledger.records.get(&index).unwrap_or(&Record::EMPTY);
    let mut effect = Effect::default();
    let mut run = Run::new(
        &transaction.words,
        &context,
        (&prepared, 0),
        &read,
        &mut effect,
    );
    run.make_lenient();

    let mut row = vec![F::ZERO; contracts.layout().width()];
    row[prefix::CLOCK] = F::ONE;
    let (cursor, mut notes) = (Cursor::new(contracts.layout()), Notes::default());
    let last_clock = |_| 0;
    let mut fill = Fill::new(run, &mut row, cursor, &last_clock, &mut notes);
    let filled = plan.law.fill(0, &mut fill, nothing());
    assert!(filled.is_ok(), "nothing is checked");

    let mut public_values = vec![F::ZERO; public::NOW + 1];
    public_values[public::CHAIN_ID] = context.chain_id;
    public_values[public::NOW] = F::from_u64(context.time);
    let step = &contracts.steps()[plan.first];
    let of = |expression: &Expr| value(expression, &row, &public_values);
    let mut taken = BTreeSet::new();
    let mut is_served = |message: &Message| {
        let fields: Vec<F> = message.fields.iter().map(of).collect();
        let count = of(&message.count);
        serves(message.bus, count, &fields, &read, who, &mut taken)
    };
    let holds = step.zeros.iter().all(|zero| of(zero) == F::ZERO);
    holds && step.messages.iter().all(&mut is_served)
}

/// Whether another table has a row for a message.
fn serves(
    bus: Bus,
    count: F,
    fields: &[F],
    read: &dyn Fn(Index) -> Record,
    who: Who,
    taken: &mut BTreeSet<Index>,
) -> bool {
    let numbers: Vec<u64> = fields.iter().map(F::as_canonical_u64).collect();
    match bus {
        Bus::State => {
            let Ok(index) = Index::try_from(numbers[0]) else {
                return false;
            };
            count == F::ONE || (taken.insert(index) && read(index).0 == fields[2..])
        }
        Bus::Hash => {
            let block: &[F; 8] = fields[..8].try_into().expect("a block");
            compress_block(block) == fields[8..]
        }
        Bus::Range => numbers[0] < 1 << 16,
        Bus::Signature => fields[..4] == who.owner(),
        Bus::Fee => count == F::ZERO || Index::try_from(numbers[0]).is_ok(),
        Bus::MulDiv => {
            let &[a, b, d, quotient, up] = &numbers[..] else {
                return false;
            };
            let is_bounded = a.max(b).max(quotient) < AMOUNT_LIMIT && d <= AMOUNT_LIMIT && d > 0;
            let product = u128::from(a) * u128::from(b);
            let dividend = product + u128::from(up * (d.max(1) - 1));
            is_bounded && dividend / u128::from(d) == u128::from(quotient)
        }
        other => panic!("a message on {other:?}"),
    }
}
