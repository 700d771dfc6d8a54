//! Random choices that stay the same in every version of every library.

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
}

impl Random {
    /// Returns the stream of a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Any 64 bits.
    pub const fn word(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns an integer below `limit`, which is not zero; not exactly uniform.
    pub const fn below(&mut self, limit: u64) -> u64 {
        self.word() % limit
    }

    /// Puts items into a random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }

    /// Any bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        core::array::from_fn(|_| self.word() as u8)
    }
}

/// Draws 0, 1, 2, ... with probabilities in proportion to 1, 1/2, 1/3, ...
#[derive(Clone, Debug)]
pub struct Zipf {
    /// 1 + 1/2 + ... + 1/(i + 1).
    sums: Vec<f64>,
}

impl Zipf {
    /// Over the numbers below `count`, which is not zero.
    #[must_use]
    pub fn new(count: usize) -> Self {
        let mut sum = 0.0;
        let terms = (1..=count).map(|rank| {
            sum += 1.0 / rank as f64;
            sum
        });
        Self {
            sums: terms.collect(),
        }
    }

    /// Returns the next number.
    pub fn draw(&self, random: &mut Random) -> usize {
        // 53 bits: each such fraction is a double.
        let fraction = (random.word() >> 11) as f64 / (1u64 << 53) as f64;
        let last = self.sums.len() - 1;
        let target = fraction * self.sums[last];
        self.sums.partition_point(|&sum| sum <= target).min(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_the_published_stream() {
        // The first outputs for seed 0 of the reference implementation,
        // https://prng.di.unimi.it/splitmix64.c
        let mut random = Random::new(0);
        assert_eq!(random.word(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(random.word(), 0x6e78_9e6a_a1b9_65f4);
        assert_eq!(random.word(), 0x06c4_5d18_8009_454f);
    }

    #[test]
    fn shuffling_loses_nothing() {
        let mut items: Vec<u32> = (0..100).collect();
        Random::new(1).shuffle(&mut items);
        assert!(!items.is_sorted());
        items.sort_unstable();
        assert!(items.into_iter().eq(0..100));
    }

    #[test]
    fn zipf_draws_the_first_twice_as_often_as_the_second() {
        let (zipf, mut random) = (Zipf::new(10), Random::new(1));
        let mut counts = [0; 10];
        for _ in 0..30_000 {
            counts[zipf.draw(&mut random)] += 1;
        }
        // 30,000 / (1 + 1/2 + ... + 1/10) = 10,242.
        assert!((9_900..10_600).contains(&counts[0]), "{counts:?}");
        assert!((4_850..5_400).contains(&counts[1]), "{counts:?}");
        assert!((900..1_150).contains(&counts[9]), "{counts:?}");
    }
}
