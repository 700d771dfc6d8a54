//! Waves: sets of transactions that may run at once.

use shardfold_protocol::transaction::{Kind, Transaction};

use super::table::Table;

/// The positions of a batch by wave. A transaction's wave is the first after those of all
/// earlier transactions with which it shares a record. Deposits are in one line, for each is
/// valid only after the one before it in the base chain's queue.
pub(super) struct Waves {
    /// Positions, wave by wave, in batch order within a wave.
    positions: Vec<u32>,
    /// Where each wave ends in `positions`.
    ends: Vec<usize>,
}

impl Waves {
    pub fn new(transactions: &[Transaction], table: &Table) -> Self {
        let mut next_wave_of = vec![0; table.len()];
        let mut next_wave_of_deposits = 0;
        let mut waves = Vec::with_capacity(transactions.len());
        for (position, transaction) in transactions.iter().enumerate() {
            let records = table.ordered(position).map(|slot| next_wave_of[slot]);
            let mut wave: u32 = records.max().unwrap_or(0);
            if transaction.kind() == Kind::Deposit {
                wave = wave.max(next_wave_of_deposits);
                next_wave_of_deposits = wave + 1;
            }
            for slot in table.ordered(position) {
                next_wave_of[slot] = wave + 1;
            }
            waves.push(wave);
        }
        Self::sorted(&waves)
    }

    pub fn iter(&self) -> impl Iterator<Item = &[u32]> {
        let starts = core::iter::once(0).chain(self.ends.iter().copied());
        starts
            .zip(&self.ends)
            .map(|(start, &end)| &self.positions[start..end])
    }

    /// A counting sort of the positions by wave.
    fn sorted(waves: &[u32]) -> Self {
        let count = waves.iter().max().map_or(0, |&last| last as usize + 1);
        let mut ends = vec![0; count];
        for &wave in waves {
            ends[wave as usize] += 1;
        }
        let mut total = 0;
        for end in &mut ends {
            // For now where the wave starts; placing its transactions moves it to the end.
            (*end, total) = (total, total + *end);
        }
        let mut positions = vec![0; waves.len()];
        for (position, &wave) in waves.iter().enumerate() {
            let end = &mut ends[wave as usize];
            positions[*end] = position as u32;
            *end += 1;
        }
        Self { positions, ends }
    }
}
