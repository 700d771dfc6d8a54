//! What contracts call the amounts that their transactions move.

/// What a contract calls something that its transactions move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Total {
    /// What leaves the vault that a field of the body names, the fee apart.
    Loss {
        /// What it is called.
        name: &'static str,
        /// The name of the field.
        vault: &'static str,
    },
    /// What comes into the vault that a field of the body names.
    Gain {
        /// What it is called.
        name: &'static str,
        /// The name of the field.
        vault: &'static str,
    },
    /// What comes into all vaults that gain.
    Gains {
        /// What it is called.
        name: &'static str,
    },
}
