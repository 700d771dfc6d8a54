//! Transactions in JSON: exactly one kind each. In binary files the derived form stands.

use core::fmt;

use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Transaction;
use crate::text::excerpt;

/// The name of an object's only member.
#[derive(Clone, Copy, Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Name {
    Transfer,
    Deposit,
    Withdraw,
}

impl Serialize for Transaction {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Transaction {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_map(OneKind)
        } else {
            Self::deserialize(deserializer)
        }
    }
}

struct OneKind;

impl<'de> Visitor<'de> for OneKind {
    type Value = Transaction;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a transaction: an object with one of `transfer`, `deposit` and `withdraw`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Transaction, A::Error> {
        let Some(name) = map.next_key()? else {
            return Err(de::Error::invalid_length(0, &self));
        };
        let transaction = match name {
            Name::Transfer => Transaction::Transfer(map.next_value()?),
            Name::Deposit => Transaction::Deposit(map.next_value()?),
            Name::Withdraw => Transaction::Withdraw(map.next_value()?),
        };
        match map.next_key::<String>()? {
            None => Ok(transaction),
            Some(second) => Err(de::Error::custom(format_args!(
                "a transaction has one kind, found `{}` after `{}`",
                excerpt(&second),
                transaction.kind().name()
            ))),
        }
    }
}
