//! Each test breaks every rule at once and then repairs one after the other, so that it sees
//! each reason and the order in which they are checked.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::address::Address;
use shardfold_protocol::amount::{AMOUNT_LIMIT, FEE_LIMIT};
use shardfold_protocol::field::{F, MODULUS};
use shardfold_protocol::hash::Digest;
use shardfold_protocol::transaction::{Deposit, Transfer, Withdraw};

use super::steps::{Receipt, check_fee_vault, receive};
use super::*;

const FROM: Index = 3;
const TO: Index = 4;
const FEE_VAULT: Index = 5;
const ASSET: Asset = 7;

fn owner(number: u32) -> Digest {
    [F::from_u32(number); 4]
}

fn vault(owner_number: u32, balance: u64) -> Vault {
    Vault {
        owner: owner(owner_number),
        asset: ASSET,
        balance,
        nonce: 2,
    }
}

/// The records that a rule reads, each of which a test can spoil and repair.
struct Records {
    from: Record,
    to: Record,
    fee_vault: Record,
}

impl Records {
    fn good() -> Self {
        Self {
            from: vault(1, 100).into(),
            to: vault(2, 50).into(),
            fee_vault: vault(3, 10).into(),
        }
    }

    fn read(&self, index: Index) -> Record {
        match index {
            FROM => self.from,
            TO => self.to,
            FEE_VAULT => self.fee_vault,
            _ => Record::EMPTY,
        }
    }
}

fn good_transfer() -> Transfer {
    Transfer {
        from: FROM,
        to: TO,
        to_owner: owner(2),
        asset: ASSET,
        amount: 90,
        fee: FeePayment {
            amount: 10,
            vault: FEE_VAULT,
        },
        nonce: 2,
    }
}

const SIGNED: Authority = Authority {
    owner: [F::ONE; 4],
    has_signed: true,
};

/// A record of a kind that does not exist yet.
fn other_kind() -> Record {
    Record([F::TWO; 8])
}

#[test]
fn a_transfer_moves_amount_and_fee() {
    let records = Records::good();
    let effect = transfer::apply(&good_transfer(), &SIGNED, |i| records.read(i)).unwrap();
    assert_eq!(
        effect.sender,
        Some((
            FROM,
            Vault {
                nonce: 3,
                ..vault(1, 0)
            }
        ))
    );
    assert_eq!(effect.receiver, Some((TO, vault(2, 140))));
    assert_eq!(
        effect.fee,
        Some(FeePayment {
            amount: 10,
            vault: FEE_VAULT
        })
    );
}

#[test]
fn a_transfer_to_an_empty_index_opens_a_vault() {
    let records = Records {
        to: Record::EMPTY,
        ..Records::good()
    };
    let effect = transfer::apply(&good_transfer(), &SIGNED, |i| records.read(i)).unwrap();
    assert_eq!(
        effect.receiver,
        Some((
            TO,
            Vault {
                nonce: 0,
                ..vault(2, 90)
            }
        ))
    );
}

#[test]
fn a_transfer_is_rejected_for_the_first_rule_that_it_breaks() {
    let mut transfer = Transfer {
        to: FROM,
        amount: AMOUNT_LIMIT,
        fee: FeePayment {
            amount: FEE_LIMIT,
            vault: FEE_VAULT,
        },
        nonce: 9,
        ..good_transfer()
    };
    let mut authority = Authority {
        owner: owner(8),
        has_signed: false,
    };
    let mut records = Records {
        from: other_kind(),
        to: other_kind(),
        fee_vault: Record::EMPTY,
    };
    let expect = |transfer: &Transfer, authority: &Authority, records: &Records, reject| {
        let result = transfer::apply(transfer, authority, |i| records.read(i));
        assert_eq!(result, Err(reject));
    };
    expect(
        &transfer,
        &authority,
        &records,
        Reject::Amount {
            found: AMOUNT_LIMIT,
        },
    );
    transfer.amount = 90;
    expect(
        &transfer,
        &authority,
        &records,
        Reject::Fee { found: FEE_LIMIT },
    );
    transfer.fee.amount = 10;
    expect(
        &transfer,
        &authority,
        &records,
        Reject::SelfTransfer { index: FROM },
    );
    transfer.to = TO;
    expect(
        &transfer,
        &authority,
        &records,
        Reject::SenderMissing { index: FROM },
    );
    records.from = Vault {
        asset: 6,
        ..vault(1, 99)
    }
    .into();
    expect(
        &transfer,
        &authority,
        &records,
        Reject::SenderAsset {
            found: 6,
            expected: ASSET,
        },
    );
    records.from = vault(1, 99).into();
    let reject = Reject::SenderOwner {
        found: owner(8),
        expected: owner(1),
    };
    expect(&transfer, &authority, &records, reject);
    authority.owner = owner(1);
    expect(
        &transfer,
        &authority,
        &records,
        Reject::Nonce {
            found: 9,
            expected: 2,
        },
    );
    transfer.nonce = 2;
    expect(&transfer, &authority, &records, Reject::Signature);
    authority.has_signed = true;
    expect(
        &transfer,
        &authority,
        &records,
        Reject::Balance {
            found: 99,
            expected: 100,
        },
    );
    records.from = vault(1, 100).into();
    expect(
        &transfer,
        &authority,
        &records,
        Reject::ReceiverKind { index: TO },
    );
    let full = AMOUNT_LIMIT - 90;
    records.to = Vault {
        asset: 6,
        ..vault(4, full)
    }
    .into();
    let reject = Reject::ReceiverOwner {
        found: owner(4),
        expected: owner(2),
    };
    expect(&transfer, &authority, &records, reject);
    records.to = Vault {
        asset: 6,
        ..vault(2, full)
    }
    .into();
    expect(
        &transfer,
        &authority,
        &records,
        Reject::ReceiverAsset {
            found: 6,
            expected: ASSET,
        },
    );
    records.to = vault(2, full).into();
    expect(
        &transfer,
        &authority,
        &records,
        Reject::ReceiverBalance {
            found: AMOUNT_LIMIT,
        },
    );
    records.to = vault(2, full - 1).into();
    expect(
        &transfer,
        &authority,
        &records,
        Reject::FeeVaultMissing { index: FEE_VAULT },
    );
    let full = AMOUNT_LIMIT - 10;
    records.fee_vault = Vault {
        asset: 6,
        ..vault(3, full)
    }
    .into();
    expect(
        &transfer,
        &authority,
        &records,
        Reject::FeeVaultAsset {
            found: 6,
            expected: ASSET,
        },
    );
    records.fee_vault = vault(3, full).into();
    expect(
        &transfer,
        &authority,
        &records,
        Reject::FeeVaultBalance {
            found: AMOUNT_LIMIT,
        },
    );
    records.fee_vault = vault(3, full - 1).into();
    assert!(transfer::apply(&transfer, &authority, |i| records.read(i)).is_ok());
}

#[test]
fn the_fee_vault_is_checked_as_the_transfer_leaves_it() {
    // The receiver opens here and earns the fee at once.
    let mut transfer = good_transfer();
    transfer.fee.vault = TO;
    let opened = Records {
        to: Record::EMPTY,
        ..Records::good()
    };
    assert!(transfer::apply(&transfer, &SIGNED, |i| opened.read(i)).is_ok());
    // The amount fits into the receiver, amount and fee together do not.
    let full = Records {
        to: vault(2, AMOUNT_LIMIT - 100).into(),
        ..Records::good()
    };
    let result = transfer::apply(&transfer, &SIGNED, |i| full.read(i));
    assert_eq!(
        result,
        Err(Reject::FeeVaultBalance {
            found: AMOUNT_LIMIT
        })
    );
    // A full sender has room again after paying.
    transfer.fee.vault = FROM;
    let rich = Records {
        from: vault(1, AMOUNT_LIMIT - 1).into(),
        ..Records::good()
    };
    assert!(transfer::apply(&transfer, &SIGNED, |i| rich.read(i)).is_ok());
}

/// A state that was not checked may hold any field element as a balance.
#[test]
fn a_balance_near_the_modulus_does_not_wrap() {
    let full = vault(2, MODULUS - 1).into();
    let receipt = Receipt {
        to: TO,
        owner: owner(2),
        asset: ASSET,
        amount: AMOUNT_LIMIT - 1,
    };
    let found = u64::MAX;
    assert_eq!(
        receive(&receipt, &full),
        Err(Reject::ReceiverBalance { found })
    );
    let fee = FeePayment {
        amount: FEE_LIMIT - 1,
        vault: FEE_VAULT,
    };
    assert_eq!(
        check_fee_vault(&fee, ASSET, &full),
        Err(Reject::FeeVaultBalance { found })
    );
}

#[test]
fn without_a_fee_the_fee_vault_does_not_matter() {
    let mut transfer = good_transfer();
    transfer.fee.amount = 0;
    let records = Records {
        fee_vault: other_kind(),
        ..Records::good()
    };
    let effect = transfer::apply(&transfer, &SIGNED, |i| records.read(i)).unwrap();
    assert_eq!(effect.fee, None);
}

#[test]
fn a_deposit_is_rejected_for_the_first_rule_that_it_breaks() {
    let mut deposit = Deposit {
        to: TO,
        owner: owner(2),
        asset: ASSET,
        amount: AMOUNT_LIMIT,
        fee: FeePayment {
            amount: FEE_LIMIT,
            vault: FEE_VAULT,
        },
        nonce: 6,
    };
    let mut records = Records {
        to: other_kind(),
        fee_vault: Record::EMPTY,
        ..Records::good()
    };
    let expect = |deposit: &Deposit, records: &Records, reject| {
        assert_eq!(deposit::apply(deposit, 5, |i| records.read(i)), Err(reject));
    };
    expect(
        &deposit,
        &records,
        Reject::Amount {
            found: AMOUNT_LIMIT,
        },
    );
    deposit.amount = 90;
    expect(&deposit, &records, Reject::Fee { found: FEE_LIMIT });
    deposit.fee.amount = 10;
    expect(
        &deposit,
        &records,
        Reject::DepositOrder {
            found: 6,
            expected: 5,
        },
    );
    deposit.nonce = 5;
    expect(&deposit, &records, Reject::ReceiverKind { index: TO });
    records.to = vault(4, 0).into();
    expect(
        &deposit,
        &records,
        Reject::ReceiverOwner {
            found: owner(4),
            expected: owner(2),
        },
    );
    records.to = Record::EMPTY;
    expect(
        &deposit,
        &records,
        Reject::FeeVaultMissing { index: FEE_VAULT },
    );
    records.fee_vault = vault(3, 0).into();
    let effect = deposit::apply(&deposit, 5, |i| records.read(i)).unwrap();
    assert_eq!(effect.sender, None);
    assert_eq!(
        effect.receiver,
        Some((
            TO,
            Vault {
                nonce: 0,
                ..vault(2, 90)
            }
        ))
    );
}

#[test]
fn a_withdrawal_is_rejected_for_the_first_rule_that_it_breaks() {
    let mut withdraw = Withdraw {
        from: FROM,
        asset: 6,
        amount: AMOUNT_LIMIT,
        fee: FeePayment {
            amount: FEE_LIMIT,
            vault: FEE_VAULT,
        },
        nonce: 9,
        base_chain: 1,
        address: Address([9; 20]),
    };
    let mut authority = Authority {
        owner: owner(8),
        has_signed: false,
    };
    let mut records = Records {
        from: Record::EMPTY,
        fee_vault: other_kind(),
        ..Records::good()
    };
    let expect = |withdraw: &Withdraw, authority: &Authority, records: &Records, reject| {
        let result = withdraw::apply(withdraw, authority, |i| records.read(i));
        assert_eq!(result, Err(reject));
    };
    expect(
        &withdraw,
        &authority,
        &records,
        Reject::Amount {
            found: AMOUNT_LIMIT,
        },
    );
    withdraw.amount = 91;
    expect(
        &withdraw,
        &authority,
        &records,
        Reject::Fee { found: FEE_LIMIT },
    );
    withdraw.fee.amount = 10;
    expect(
        &withdraw,
        &authority,
        &records,
        Reject::SenderMissing { index: FROM },
    );
    records.from = vault(1, 100).into();
    expect(
        &withdraw,
        &authority,
        &records,
        Reject::SenderAsset {
            found: ASSET,
            expected: 6,
        },
    );
    withdraw.asset = ASSET;
    let reject = Reject::SenderOwner {
        found: owner(8),
        expected: owner(1),
    };
    expect(&withdraw, &authority, &records, reject);
    authority.owner = owner(1);
    expect(
        &withdraw,
        &authority,
        &records,
        Reject::Nonce {
            found: 9,
            expected: 2,
        },
    );
    withdraw.nonce = 2;
    expect(&withdraw, &authority, &records, Reject::Signature);
    authority.has_signed = true;
    expect(
        &withdraw,
        &authority,
        &records,
        Reject::Balance {
            found: 100,
            expected: 101,
        },
    );
    withdraw.amount = 90;
    expect(
        &withdraw,
        &authority,
        &records,
        Reject::FeeVaultMissing { index: FEE_VAULT },
    );
    records.fee_vault = vault(3, 0).into();
    let effect = withdraw::apply(&withdraw, &authority, |i| records.read(i)).unwrap();
    assert_eq!(
        effect.sender,
        Some((
            FROM,
            Vault {
                nonce: 3,
                ..vault(1, 0)
            }
        ))
    );
    assert_eq!(effect.receiver, None);
}
