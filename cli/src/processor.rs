//! Whether this processor has the instructions that the program was compiled for.
//!
//! `is_x86_feature_detected!` is of no use here: whatever the compiler was told to use, it takes
//! for granted without asking the processor. What runs before the answer must not need those
//! instructions itself, so the code here is a few tests of single bits.

/// A set of instructions.
struct Feature {
    /// As the compiler calls it.
    name: &'static str,
    /// Whether the compiler was told to use it.
    is_used: bool,
    /// Which register shows it.
    register: usize,
    /// By which bit.
    mask: u32,
}

/// Leaf 1 of `cpuid`, ECX.
const BASIC: usize = 0;
/// Leaf 7, EBX.
const EXTENDED_B: usize = 1;
/// Leaf 7, ECX.
const EXTENDED_C: usize = 2;
/// Leaf 7, subleaf 1, EAX.
const EXTENDED_1A: usize = 3;
/// Leaf 0x8000_0001, ECX.
const AMD: usize = 4;

const fn feature(name: &'static str, is_used: bool, register: usize, bit: u32) -> Feature {
    Feature {
        name,
        is_used,
        register,
        mask: 1 << bit,
    }
}

/// What the compiler may use for plain code or Plonky3 and plonky2 for their fields.
static FEATURES: [Feature; 34] = [
    feature("sse3", cfg!(target_feature = "sse3"), BASIC, 0),
    feature("pclmulqdq", cfg!(target_feature = "pclmulqdq"), BASIC, 1),
    feature("ssse3", cfg!(target_feature = "ssse3"), BASIC, 9),
    feature("fma", cfg!(target_feature = "fma"), BASIC, 12),
    feature("sse4.1", cfg!(target_feature = "sse4.1"), BASIC, 19),
    feature("sse4.2", cfg!(target_feature = "sse4.2"), BASIC, 20),
    feature("movbe", cfg!(target_feature = "movbe"), BASIC, 22),
    feature("popcnt", cfg!(target_feature = "popcnt"), BASIC, 23),
    feature("aes", cfg!(target_feature = "aes"), BASIC, 25),
    // Not whether there are AVX registers, but whether the operating system keeps them.
    feature("avx", cfg!(target_feature = "avx"), BASIC, 27),
    feature("avx", cfg!(target_feature = "avx"), BASIC, 28),
    feature("f16c", cfg!(target_feature = "f16c"), BASIC, 29),
    feature("bmi1", cfg!(target_feature = "bmi1"), EXTENDED_B, 3),
    feature("avx2", cfg!(target_feature = "avx2"), EXTENDED_B, 5),
    feature("bmi2", cfg!(target_feature = "bmi2"), EXTENDED_B, 8),
    feature("avx512f", cfg!(target_feature = "avx512f"), EXTENDED_B, 16),
    feature(
        "avx512dq",
        cfg!(target_feature = "avx512dq"),
        EXTENDED_B,
        17,
    ),
    feature("adx", cfg!(target_feature = "adx"), EXTENDED_B, 19),
    feature(
        "avx512ifma",
        cfg!(target_feature = "avx512ifma"),
        EXTENDED_B,
        21,
    ),
    feature(
        "avx512cd",
        cfg!(target_feature = "avx512cd"),
        EXTENDED_B,
        28,
    ),
    feature("sha", cfg!(target_feature = "sha"), EXTENDED_B, 29),
    feature(
        "avx512bw",
        cfg!(target_feature = "avx512bw"),
        EXTENDED_B,
        30,
    ),
    feature(
        "avx512vl",
        cfg!(target_feature = "avx512vl"),
        EXTENDED_B,
        31,
    ),
    feature(
        "avx512vbmi",
        cfg!(target_feature = "avx512vbmi"),
        EXTENDED_C,
        1,
    ),
    feature(
        "avx512vbmi2",
        cfg!(target_feature = "avx512vbmi2"),
        EXTENDED_C,
        6,
    ),
    feature("gfni", cfg!(target_feature = "gfni"), EXTENDED_C, 8),
    feature("vaes", cfg!(target_feature = "vaes"), EXTENDED_C, 9),
    feature(
        "vpclmulqdq",
        cfg!(target_feature = "vpclmulqdq"),
        EXTENDED_C,
        10,
    ),
    feature(
        "avx512vnni",
        cfg!(target_feature = "avx512vnni"),
        EXTENDED_C,
        11,
    ),
    feature(
        "avx512bitalg",
        cfg!(target_feature = "avx512bitalg"),
        EXTENDED_C,
        12,
    ),
    feature(
        "avx512vpopcntdq",
        cfg!(target_feature = "avx512vpopcntdq"),
        EXTENDED_C,
        14,
    ),
    feature("avxvnni", cfg!(target_feature = "avxvnni"), EXTENDED_1A, 4),
    feature("lzcnt", cfg!(target_feature = "lzcnt"), AMD, 5),
    feature("sse4a", cfg!(target_feature = "sse4a"), AMD, 6),
];

/// Returns the first set of instructions that the program uses and this processor lacks.
#[inline(never)]
pub fn missing() -> Option<&'static str> {
    first_missing(std::hint::black_box(&FEATURES), &register)
}

#[inline(never)]
fn first_missing(
    features: &'static [Feature],
    register: &dyn Fn(usize) -> u32,
) -> Option<&'static str> {
    for feature in features {
        if feature.is_used && register(feature.register) & feature.mask == 0 {
            return Some(feature.name);
        }
    }
    None
}

/// One register of `cpuid`; 0 if this processor has no such leaf.
#[cfg(target_arch = "x86_64")]
fn register(index: usize) -> u32 {
    use std::arch::x86_64::{__cpuid, __cpuid_count};

    match index {
        BASIC => __cpuid(1).ecx,
        AMD if __cpuid(0x8000_0000).eax > 0x8000_0000 => __cpuid(0x8000_0001).ecx,
        EXTENDED_B if __cpuid(0).eax >= 7 => __cpuid_count(7, 0).ebx,
        EXTENDED_C if __cpuid(0).eax >= 7 => __cpuid_count(7, 0).ecx,
        EXTENDED_1A if __cpuid(0).eax >= 7 && __cpuid_count(7, 0).eax > 0 => {
            __cpuid_count(7, 1).eax
        }
        _ => 0,
    }
}

/// None of the features above is used on other processors.
#[cfg(not(target_arch = "x86_64"))]
fn register(_: usize) -> u32 {
    u32::MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_processor_has_what_these_tests_were_compiled_for() {
        assert_eq!(missing(), None);
    }

    /// An older processor is this one without one of the bits.
    #[test]
    fn an_older_processor_lacks_what_is_used_and_nothing_else() {
        for feature in &FEATURES {
            let older = |index| match index == feature.register {
                true => register(index) & !feature.mask,
                false => register(index),
            };
            let expected = feature.is_used.then_some(feature.name);
            assert_eq!(
                first_missing(&FEATURES, &older),
                expected,
                "{}",
                feature.name
            );
        }
        let used = FEATURES.iter().find(|feature| feature.is_used);
        assert_eq!(
            first_missing(&FEATURES, &|_| 0),
            used.map(|feature| feature.name)
        );
    }
}
