//! Transactions in JSON: an object with one member, named for the contract, whose members are the
//! parts of body and authorization. In binary files the derived form stands.

use core::fmt;

use p3_field::{PrimeCharacteristicRing, PrimeField64};
use serde::de::{self, DeserializeSeed, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::form::{self, Field, FieldForm, Form};
use super::{Authorization, Transaction};
use crate::address::Address;
use crate::field::F;
use crate::hash::Digest;
use crate::signature::{PublicKey, Signature};
use crate::text::element::Element;
use crate::text::{digest, excerpt};

const PUBLIC_KEY: &str = "public_key";
const EXIT_ADDRESS: &str = "exit_address";
const SIGNATURE: &str = "signature";
/// Elements beyond the fields.
const MORE: &str = "more";

impl Serialize for Transaction {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return Self::serialize(self, serializer);
        }
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(&self.kind.name(), &Members(self))?;
        map.end()
    }
}

/// A transaction without its name.
struct Members<'a>(&'a Transaction);

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let transaction = self.0;
        let form = form::of(transaction.kind);
        let mut rest = &transaction.words[..];
        let mut map = serializer.serialize_map(None)?;
        let words = rest.len();
        for (field, length) in form.iter().flat_map(|form| form.lengths(words)) {
            // A body that is too short has all that there is of it in `more`.
            let Some((elements, others)) = rest.split_at_checked(length) else {
                break;
            };
            if !serialize_field(&mut map, field, elements)? {
                break;
            }
            rest = others;
        }
        if !rest.is_empty() {
            let more: Vec<_> = rest.iter().copied().map(Element).collect();
            map.serialize_entry(MORE, &more)?;
        }
        if let Some(authorization) = &transaction.authorization {
            map.serialize_entry(PUBLIC_KEY, &authorization.public_key)?;
            map.serialize_entry(EXIT_ADDRESS, &authorization.exit_address)?;
            map.serialize_entry(SIGNATURE, &authorization.signature)?;
        }
        map.end()
    }
}

/// Writes a field; returns whether its elements have its form.
fn serialize_field<M: SerializeMap>(
    map: &mut M,
    field: Field,
    elements: &[F],
) -> Result<bool, M::Error> {
    let name = field.name;
    match (field.form, elements) {
        (FieldForm::Small, [element]) => {
            let Ok(number) = u32::try_from(element.as_canonical_u64()) else {
                return Ok(false);
            };
            map.serialize_entry(name, &number)?;
        }
        (FieldForm::Number, [element]) => map.serialize_entry(name, &Element(*element))?,
        (FieldForm::Digest, &[a, b, c, d]) => {
            map.serialize_entry(name, &digest::Text([a, b, c, d]))?;
        }
        (FieldForm::Address, &[a, b, c]) => {
            let Some(address) = Address::from_elements([a, b, c]) else {
                return Ok(false);
            };
            map.serialize_entry(name, &address)?;
        }
        (FieldForm::List(1), elements) => {
            let texts: Vec<_> = elements.iter().copied().map(Element).collect();
            map.serialize_entry(name, &texts)?;
        }
        (FieldForm::List(entry), elements) if entry > 0 => {
            let texts = |entry: &[F]| -> Vec<_> { entry.iter().copied().map(Element).collect() };
            let entries: Vec<Vec<_>> = elements.chunks(entry).map(texts).collect();
            map.serialize_entry(name, &entries)?;
        }
        _ => return Ok(false),
    }
    Ok(true)
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
        let names = form::names();
        write!(f, "a transaction: an object with one member, of {names}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Transaction, A::Error> {
        let Some(form) = map.next_key_seed(KindName)? else {
            return Err(de::Error::invalid_length(0, &self));
        };
        let transaction = map.next_value_seed(Body(form))?;
        match map.next_key::<String>()? {
            None => Ok(transaction),
            Some(second) => Err(de::Error::custom(format_args!(
                "a transaction has one kind, found `{}` after `{}`",
                excerpt(&second),
                transaction.kind.name()
            ))),
        }
    }
}

/// The name of a contract that is known.
struct KindName;

impl<'de> DeserializeSeed<'de> for KindName {
    type Value = Form;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Form, D::Error> {
        let name = String::deserialize(deserializer)?;
        form::named(&name).ok_or_else(|| {
            let (found, known) = (excerpt(&name), form::names());
            de::Error::custom(format_args!(
                "unknown kind of transaction `{found}`, expected one of {known}"
            ))
        })
    }
}

/// The members of a transaction of a known form.
struct Body(Form);

impl<'de> DeserializeSeed<'de> for Body {
    type Value = Transaction;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Transaction, D::Error> {
        deserializer.deserialize_map(self)
    }
}

/// What was read of a transaction so far.
#[derive(Default)]
struct Parts {
    fields: Vec<Option<Vec<F>>>,
    more: Option<Vec<F>>,
    public_key: Option<PublicKey>,
    exit_address: Option<Address>,
    signature: Option<Signature>,
}

impl<'de> Visitor<'de> for Body {
    type Value = Transaction;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(form) = self;
        let names: Vec<_> = form.fields.iter().map(|field| field.name).collect();
        write!(f, "an object with {}", names.join(", "))?;
        if form.is_signed {
            write!(f, ", {PUBLIC_KEY}, {EXIT_ADDRESS}, {SIGNATURE}")?;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Transaction, A::Error> {
        let Self(form) = self;
        let mut parts = Parts {
            fields: vec![None; form.fields.len()],
            ..Parts::default()
        };
        while let Some(name) = map.next_key::<String>()? {
            let position = form.fields.iter().position(|field| field.name == name);
            if let Some(position) = position {
                let field = form.fields[position];
                let slot = &mut parts.fields[position];
                once(slot, field.name, || {
                    map.next_value_seed(Elements(field.form))
                })?;
                continue;
            }
            match name.as_str() {
                MORE => once(&mut parts.more, MORE, || {
                    let more: Vec<Element> = map.next_value()?;
                    Ok(more.into_iter().map(|Element(word)| word).collect())
                })?,
                PUBLIC_KEY if form.is_signed => {
                    once(&mut parts.public_key, PUBLIC_KEY, || map.next_value())?;
                }
                EXIT_ADDRESS if form.is_signed => {
                    once(&mut parts.exit_address, EXIT_ADDRESS, || map.next_value())?;
                }
                SIGNATURE if form.is_signed => {
                    once(&mut parts.signature, SIGNATURE, || map.next_value())?;
                }
                _ => {
                    let found = excerpt(&name);
                    let expected = Body(form);
                    return Err(de::Error::custom(format_args!(
                        "unknown member `{found}`, expected {}",
                        Expected(&expected)
                    )));
                }
            }
        }
        parts.into_transaction(&form)
    }
}

/// What a visitor expects, for messages.
struct Expected<'a>(&'a Body);

impl fmt::Display for Expected<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Visitor::expecting(self.0, f)
    }
}

fn once<T, E: de::Error>(
    slot: &mut Option<T>,
    name: &'static str,
    read: impl FnOnce() -> Result<T, E>,
) -> Result<(), E> {
    if slot.is_some() {
        return Err(E::duplicate_field(name));
    }
    *slot = Some(read()?);
    Ok(())
}

impl Parts {
    fn into_transaction<E: de::Error>(self, form: &Form) -> Result<Transaction, E> {
        let mut words = vec![];
        for (part, field) in self.fields.into_iter().zip(form.fields) {
            words.extend(part.ok_or_else(|| E::missing_field(field.name))?);
        }
        words.extend(self.more.unwrap_or_default());
        let authorization = if form.is_signed {
            Some(Authorization {
                public_key: self
                    .public_key
                    .ok_or_else(|| E::missing_field(PUBLIC_KEY))?,
                exit_address: self
                    .exit_address
                    .ok_or_else(|| E::missing_field(EXIT_ADDRESS))?,
                signature: self.signature.ok_or_else(|| E::missing_field(SIGNATURE))?,
            })
        } else {
            None
        };
        Ok(Transaction {
            kind: form.kind,
            words,
            authorization,
        })
    }
}

/// The elements of a field.
struct Elements(FieldForm);

impl<'de> DeserializeSeed<'de> for Elements {
    type Value = Vec<F>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<F>, D::Error> {
        match self.0 {
            FieldForm::Small => {
                let number = u32::deserialize(deserializer)?;
                Ok(vec![F::from_u32(number)])
            }
            FieldForm::Number => {
                let Element(element) = Element::deserialize(deserializer)?;
                Ok(vec![element])
            }
            FieldForm::Digest => {
                let digest: Digest = digest::deserialize(deserializer)?;
                Ok(digest.to_vec())
            }
            FieldForm::Address => {
                let address = Address::deserialize(deserializer)?;
                Ok(address.elements().to_vec())
            }
            FieldForm::List(1) => {
                let elements: Vec<Element> = Vec::deserialize(deserializer)?;
                Ok(elements.into_iter().map(|Element(word)| word).collect())
            }
            FieldForm::List(entry) => {
                let entries: Vec<Vec<Element>> = Vec::deserialize(deserializer)?;
                if let Some(wrong) = entries.iter().find(|found| found.len() != entry) {
                    let (found, expected) = (wrong.len(), entry);
                    return Err(de::Error::custom(format_args!(
                        "found an entry of {found} numbers, expected {expected}"
                    )));
                }
                let elements = entries.into_iter().flatten();
                Ok(elements.map(|Element(word)| word).collect())
            }
        }
    }
}
