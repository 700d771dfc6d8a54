//! The order of the group, and the sizes of the two ladders.

/// The prime order n of the group (319 bits), 64-bit words, lowest first.
pub const ORDER: [u64; 5] = [
    0xe80f_d996_948b_ffe1,
    0xe888_5c39_d724_a09c,
    0x7fff_ffe6_cfb8_0639,
    0x7fff_fff1_0000_0016,
    0x7fff_fffd_8000_0007,
];

/// Bits of a challenge.
pub const CHALLENGE_BITS: usize = 128;
/// Bits of a digit of a challenge.
pub const DIGIT_BITS: usize = 4;
/// Digits of a challenge: points of the variable-base ladder.
pub const DIGITS: usize = CHALLENGE_BITS / DIGIT_BITS;
/// Values of a digit: multiples of a public key that its ladder chooses from.
pub const DIGIT_SIZE: usize = 1 << DIGIT_BITS;
/// Bits of a window of the fixed-base ladder.
pub const WINDOW_BITS: usize = 10;
/// Windows of a scalar: points of the fixed-base ladder.
pub const WINDOWS: usize = 32;
/// Digits of a window: points of one row of [`fixed_base_table`].
pub const WINDOW_SIZE: usize = 1 << WINDOW_BITS;
