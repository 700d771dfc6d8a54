//! The form of a program that a machine reads.
//!
//! A program is a row of runs. A run begins with 3 bytes, its [`Kind`] and how many groups follow,
//! and a group holds as many instructions as its kind says. An instruction is three slots x, y, z
//! of 2 bytes each, the numbers of words of 32 bytes in the machine's memory. All numbers are
//! big-endian. Each instruction of arithmetic writes its result to the slot after the last one
//! written, so no instruction names it.
//!
//! | kind | instruction | instructions in a group |
//! | --- | --- | --- |
//! | 0 | `x * y + z`, where x lies in the base field | 5 |
//! | 1 | `x * y + z` | 5 |
//! | 2 | `x / y` | 1 |
//! | 3 | x and y must be equal | 1 |

use super::ProgramError;

/// Instructions of a group that are done at once: as many as fit a word of 32 bytes.
pub(super) const GROUP: usize = 5;
/// Bytes of an instruction.
const INSTRUCTION: usize = 6;
/// Bytes before a run.
const HEADER: usize = 3;

/// What the instructions of a run do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `x * y + z`, where x lies in the base field.
    Scale,
    /// `x * y + z`.
    Product,
    /// `x / y`.
    Quotient,
    /// x and y are equal.
    Equal,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Scale, Self::Product, Self::Quotient, Self::Equal];

    fn code(self) -> u8 {
        match self {
            Self::Scale => 0,
            Self::Product => 1,
            Self::Quotient => 2,
            Self::Equal => 3,
        }
    }

    /// Instructions of a group.
    pub const fn group(self) -> usize {
        match self {
            Self::Scale | Self::Product => GROUP,
            Self::Quotient | Self::Equal => 1,
        }
    }
}

/// The slots x, y, z, counted from the first input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Instruction(pub [usize; 3]);

/// Instructions of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub kind: Kind,
    pub instructions: Vec<Instruction>,
}

impl Run {
    fn groups(&self) -> usize {
        self.instructions.len().div_ceil(self.kind.group())
    }

    /// Instructions that fill up the last group.
    pub fn padding(&self) -> usize {
        self.groups() * self.kind.group() - self.instructions.len()
    }
}

/// Returns the bytes of these runs for a machine whose first slot is this word of memory.
pub(super) fn encode(runs: &[Run], first: usize) -> Result<Vec<u8>, ProgramError> {
    let number =
        |value: usize| u16::try_from(value).map_err(|_| ProgramError::TooLarge { found: value });
    let mut bytes = Vec::new();
    for run in runs {
        bytes.push(run.kind.code());
        bytes.extend(number(run.groups())?.to_be_bytes());
        let padding = core::iter::repeat_n(Instruction::default(), run.padding());
        for Instruction(slots) in run.instructions.iter().copied().chain(padding) {
            for slot in slots {
                bytes.extend(number(first + slot)?.to_be_bytes());
            }
        }
    }
    Ok(bytes)
}

/// Reads the runs that [`encode`] wrote, padding included.
pub(super) fn decode(mut bytes: &[u8], first: usize) -> Result<Vec<Run>, ProgramError> {
    let mut runs = Vec::new();
    while !bytes.is_empty() {
        let header = take(&mut bytes, HEADER)?;
        let kind = Kind::ALL.into_iter().find(|kind| kind.code() == header[0]);
        let kind = kind.ok_or(ProgramError::UnknownKind { found: header[0] })?;
        let groups = usize::from(u16::from_be_bytes([header[1], header[2]]));
        let instructions = (0..groups * kind.group()).map(|_| {
            let slots = take(&mut bytes, INSTRUCTION)?;
            let slot = |i: usize| {
                let word = usize::from(u16::from_be_bytes([slots[2 * i], slots[2 * i + 1]]));
                word.checked_sub(first)
            };
            match [slot(0), slot(1), slot(2)] {
                [Some(x), Some(y), Some(z)] => Ok(Instruction([x, y, z])),
                _ => Err(ProgramError::Slot),
            }
        });
        let instructions = instructions.collect::<Result<_, _>>()?;
        runs.push(Run { kind, instructions });
    }
    Ok(runs)
}

/// The next so many bytes.
fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Result<&'a [u8], ProgramError> {
    let found = bytes.len();
    let (part, rest) = bytes.split_at_checked(count).ok_or(ProgramError::Cut {
        found,
        expected: count,
    })?;
    *bytes = rest;
    Ok(part)
}
