use p3_field::PrimeCharacteristicRing;
use proptest::array::uniform5;
use proptest::prelude::*;

use super::testing::outside;
use super::*;
use crate::field::{F, MODULUS};

fn f5(words: [u64; 5]) -> F5 {
    F5::new(words.map(|word| crate::field::canonical(word).unwrap()))
}

fn decode(words: [u64; 5]) -> AffinePoint {
    AffinePoint::decode(f5(words)).unwrap()
}

fn arbitrary_f5() -> impl Strategy<Value = F5> {
    uniform5(0..MODULUS).prop_map(f5)
}

fn arbitrary_scalar() -> impl Strategy<Value = Scalar> {
    uniform5(any::<u64>()).prop_map(|mut words| {
        words[4] %= ORDER[4];
        Scalar::from_words(words).unwrap()
    })
}

fn arbitrary_point() -> impl Strategy<Value = AffinePoint> {
    arbitrary_f5().prop_filter_map("no encoding", AffinePoint::decode)
}

/// Points P1 .. P7 with P3 = P1 + P2, P4 = 2 P1, P5 = 2 P2, P6 = 2 P1 + P2, P7 = P1 + 2 P2.
/// Source: github.com/pornin/ecgfp5, rust/src/curve.rs, test `ecgfp5_ops` (made with Sage).
const POINTS: [[u64; 5]; 7] = [
    [
        12539254003028696409,
        15524144070600887654,
        15092036948424041984,
        11398871370327264211,
        10958391180505708567,
    ],
    [
        11001943240060308920,
        17075173755187928434,
        3940989555384655766,
        15017795574860011099,
        5548543797011402287,
    ],
    [
        246872606398642312,
        4900963247917836450,
        7327006728177203977,
        13945036888436667069,
        3062018119121328861,
    ],
    [
        8058035104653144162,
        16041715455419993830,
        7448530016070824199,
        11253639182222911208,
        6228757819849640866,
    ],
    [
        10523134687509281194,
        11148711503117769087,
        9056499921957594891,
        13016664454465495026,
        16494247923890248266,
    ],
    [
        12173306542237620,
        6587231965341539782,
        17027985748515888117,
        17194831817613584995,
        10056734072351459010,
    ],
    [
        9420857400785992333,
        4695934009314206363,
        14471922162341187302,
        13395190104221781928,
        16359223219913018041,
    ],
];

/// Field elements that encode nothing; same source.
const NOT_ENCODINGS: [[u64; 5]; 6] = [
    [
        13557832913345268708,
        15669280705791538619,
        8534654657267986396,
        12533218303838131749,
        5058070698878426028,
    ],
    [
        135036726621282077,
        17283229938160287622,
        13113167081889323961,
        1653240450380825271,
        520025869628727862,
    ],
    [
        6727960962624180771,
        17240764188796091916,
        3954717247028503753,
        1002781561619501488,
        4295357288570643789,
    ],
    [
        4578929270179684956,
        3866930513245945042,
        7662265318638150701,
        9503686272550423634,
        12241691520798116285,
    ],
    [
        16890297404904119082,
        6169724643582733633,
        9725973298012340311,
        5977049210035183790,
        11379332130141664883,
    ],
    [
        13777379982711219130,
        14715168412651470168,
        17942199593791635585,
        6188824164976547520,
        15461469634034461986,
    ],
];

#[test]
fn the_published_points_add_up_in_affine_form() {
    let [p1, p2, p3, p4, p5, p6, p7] = POINTS.map(decode);
    assert_eq!(p1.add_affine(&p2), Some(p3));
    assert_eq!(p1.double(), Some(p4));
    assert_eq!(p2.double(), Some(p5));
    assert_eq!(p4.add_affine(&p2), Some(p6));
    assert_eq!(p1.add_affine(&p5), Some(p7));
}

#[test]
fn the_published_points_add_up_in_fractional_coordinates() {
    let affine = POINTS.map(decode);
    let [p1, p2, p3, p4, p5, p6, p7] = affine.map(Point::from);
    assert_eq!((p1 + p2).to_affine(), Some(affine[2]));
    for (found, expected) in [
        (p1 + affine[1], p3),
        (p1 + p1, p4),
        (p1 + affine[0], p4),
        (p1.double(), p4),
        (p2.double(), p5),
        (p1.double() + p2, p6),
        (p1 + p2 + p2, p7),
        (Point::NEUTRAL + p1, p1),
        (p1 + Point::NEUTRAL, p1),
        (Point::NEUTRAL + affine[0], p1),
        (Point::NEUTRAL.double(), Point::NEUTRAL),
        (p1 + -affine[0], Point::NEUTRAL),
        (p1 + -p1, Point::NEUTRAL),
    ] {
        assert_eq!(found, expected);
    }
    assert_ne!(p1, p2);
    assert_ne!(p1, -p1);
    assert_ne!(p1, Point::NEUTRAL);
}

#[test]
fn the_published_multiple_comes_out() {
    // Source: github.com/pornin/ecgfp5, rust/src/curve.rs, test `ecgfp5_mul`.
    let point = decode([
        7534507442095725921,
        16658460051907528927,
        12417574136563175256,
        2750788641759288856,
        620002843272906439,
    ]);
    let factor = Scalar::from_bytes([
        0x1B, 0x18, 0x51, 0xC8, 0x1D, 0x22, 0xD4, 0x0D, 0x6D, 0x36, 0xEC, 0xCE, 0x54, 0x27, 0x41,
        0x66, 0x08, 0x14, 0x2F, 0x8F, 0xFF, 0x64, 0xB4, 0x76, 0x28, 0xCD, 0x3F, 0xF8, 0xAA, 0x25,
        0x16, 0xD4, 0xBA, 0xD0, 0xCC, 0x02, 0x1A, 0x44, 0x7C, 0x03,
    ]);
    let expected = decode([
        9486104512504676657,
        14312981644741144668,
        5159846406177847664,
        15978863787033795628,
        3249948839313771192,
    ]);
    assert_eq!(
        Point::from(point).mul(&factor.unwrap()).to_affine(),
        Some(expected)
    );
}

#[test]
fn the_generator_is_the_published_one() {
    // Source: github.com/pornin/ecgfp5, rust/src/curve.rs, `Point::GENERATOR`: the x of G + N,
    // so b over it is the x of G.
    let x_plus_n = f5([
        12883135586176881569,
        4356519642755055268,
        5248930565894896907,
        2165973894480315022,
        2448410071095648785,
    ]);
    assert_eq!(GENERATOR.x * x_plus_n, B);
    assert_eq!(GENERATOR.encode(), F5::from_u8(4));
    assert!(GENERATOR.is_in_group());
}

#[test]
fn what_encodes_nothing_does_not_decode() {
    for words in NOT_ENCODINGS {
        assert_eq!(AffinePoint::decode(f5(words)), None);
    }
    assert_eq!(AffinePoint::decode(F5::ZERO), None);
}

#[test]
fn the_order_annihilates_and_wraps() {
    let minus_one = -Scalar::ONE;
    assert_eq!(minus_one.words()[0], ORDER[0] - 1);
    assert_eq!(minus_one + Scalar::ONE, Scalar::ZERO);
    assert_eq!(minus_one * minus_one, Scalar::ONE);
    let g = Point::from(*GENERATOR);
    assert_eq!(g.mul(&minus_one), -g);
    assert_eq!(Point::mul_generator(&minus_one), -g);
    assert!((g.mul(&minus_one) + g).is_neutral());
    assert!(Point::mul_generator(&Scalar::ZERO).is_neutral());
    assert_eq!(Point::NEUTRAL.to_affine(), None);
    assert_eq!(batch_to_affine(&[g, Point::NEUTRAL]), None);
}

#[test]
fn a_scalar_at_or_above_the_order_is_refused() {
    let refused = |words| {
        assert_eq!(
            Scalar::from_words(words),
            Err(DecodeError::ScalarOutOfRange { found: words })
        );
        let bytes = bincode::serialize(&words).unwrap();
        assert!(bincode::deserialize::<Scalar>(&bytes).is_err());
    };
    refused(ORDER);
    refused([ORDER[0], ORDER[1], ORDER[2], ORDER[3] + 1, ORDER[4]]);
    refused([0, 0, 0, 0, ORDER[4] + 1]);
    refused([u64::MAX; 5]);
    let mut below = ORDER;
    below[0] -= 1;
    assert!(Scalar::from_words(below).is_ok());
}

#[test]
fn a_point_plus_n_is_on_the_curve_but_refused() {
    let bad = outside(&GENERATOR);
    assert!(bad.is_on_curve());
    assert!(!bad.is_in_group());
    let words = bad.to_words();
    assert!(matches!(
        AffinePoint::from_words(&words),
        Err(DecodeError::NotInGroup { .. })
    ));
    assert!(bincode::deserialize::<AffinePoint>(&bincode::serialize(&bad).unwrap()).is_err());
}

#[test]
fn x_zero_is_refused() {
    let mut words = GENERATOR.to_words();
    words[..5].fill(0);
    assert!(matches!(
        AffinePoint::from_words(&words),
        Err(DecodeError::NotInGroup { .. })
    ));
    assert!(
        !AffinePoint {
            x: F5::ZERO,
            y: F5::ZERO
        }
        .is_in_group()
    );
}

#[test]
fn each_element_at_or_above_the_modulus_is_refused() {
    let words = GENERATOR.to_words();
    assert_eq!(words[5..], [4, 0, 0, 0, 0]);
    for index in 0..10 {
        // The encoding's elements are small: with p added they stand for the same point.
        let same_point = words[index].checked_add(MODULUS);
        assert_eq!(same_point.is_some(), index >= 5);
        for found in [same_point.unwrap_or(MODULUS), u64::MAX] {
            let mut bad = words;
            bad[index] = found;
            let refusal = Err(DecodeError::NonCanonicalElement { index, found });
            assert_eq!(AffinePoint::from_words(&bad), refusal);
        }
    }
}

#[test]
fn an_encoding_that_does_not_belong_to_x_is_refused() {
    let mut words = GENERATOR.to_words();
    words[5] += 1;
    assert!(matches!(
        AffinePoint::from_words(&words),
        Err(DecodeError::NotOnCurve { .. })
    ));
    words[5..].fill(0);
    assert!(matches!(
        AffinePoint::from_words(&words),
        Err(DecodeError::NotOnCurve { .. })
    ));
    let off_curve = AffinePoint {
        y: GENERATOR.y + F5::ONE,
        ..*GENERATOR
    };
    assert!(!off_curve.is_in_group());
}

#[test]
fn text_of_the_wrong_length_is_refused() {
    assert!(serde_json::from_str::<Scalar>("\"00\"").is_err());
    assert!(serde_json::from_str::<AffinePoint>("\"zz\"").is_err());
}

#[test]
fn a_square_root_of_zero_is_zero() {
    assert_eq!(sqrt(&F5::ZERO), Some(F5::ZERO));
    assert!(!is_nonzero_square(&F5::ZERO));
    assert!(!is_nonzero_square(&B));
    assert_eq!(sqrt(&B), None);
}

#[test]
fn the_fixed_points_are_distinct_group_elements() {
    let mut points = vec![*GENERATOR, *VARIABLE_BASE_OFFSET, *LADDER_OFFSET];
    points.extend(WINDOW_OFFSETS.iter());
    for (i, point) in points.iter().enumerate() {
        assert!(point.is_in_group());
        assert!(points[..i].iter().all(|other| other.x != point.x));
    }
}

#[test]
fn the_hash_to_curve_is_the_first_candidate_that_decodes() {
    use crate::hash::{Domain, hash};
    let candidate = |counter: u64| {
        let block = |i| {
            hash(
                Domain::CurvePoint,
                &[F::ONE, F::from_u64(counter), F::from_u64(i)],
            )
        };
        let both = [block(0), block(1)].concat();
        AffinePoint::decode(F5::new(both[..5].try_into().unwrap()))
    };
    assert_eq!((0..64).find_map(candidate), Some(hash_to_curve(1)));
    assert_ne!(hash_to_curve(1), hash_to_curve(2));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_square_has_its_root_and_a_non_square_none(value in arbitrary_f5()) {
        let root = sqrt(&value.square()).unwrap();
        prop_assert!(root == value || root == -value);
        prop_assert_eq!(sqrt(&value).is_some(), is_nonzero_square(&value));
        prop_assert_eq!(sqrt(&(value.square() * B)), None);
        prop_assert_eq!(mul_b(&value), B * value);
    }

    #[test]
    fn encoding_and_decoding_round_trip(point in arbitrary_point()) {
        prop_assert!(point.is_in_group());
        prop_assert_eq!(AffinePoint::decode(point.encode()), Some(point));
        prop_assert_eq!(AffinePoint::from_words(&point.to_words()), Ok(point));
        prop_assert_eq!(-(-point), point);
        let bytes = bincode::serialize(&point).unwrap();
        prop_assert_eq!(bytes.len(), 80);
        prop_assert_eq!(&bytes[..8], &point.to_words()[0].to_le_bytes()[..]);
        prop_assert_eq!(bincode::deserialize::<AffinePoint>(&bytes).unwrap(), point);
        let text = serde_json::to_string(&point).unwrap();
        prop_assert_eq!(text.len(), 162);
        prop_assert_eq!(serde_json::from_str::<AffinePoint>(&text).unwrap(), point);
    }

    #[test]
    fn addition_is_associative_and_agrees_with_the_chord(
        p in arbitrary_point(), q in arbitrary_point(), r in arbitrary_point(),
    ) {
        let [fp, fq, fr] = [p, q, r].map(Point::from);
        prop_assert_eq!((fp + fq) + fr, fp + (fq + fr));
        prop_assert_eq!(fp + fq, fq + fp);
        let sum = p.add_affine(&q).unwrap();
        prop_assert!(sum.is_in_group());
        prop_assert_eq!((fp + fq).to_affine(), Some(sum));
        prop_assert_eq!(p.add_affine(&-p), None);
        prop_assert_eq!(p.add_affine(&p), None);
        let twice = p.double().unwrap();
        prop_assert_eq!(batch_to_affine(&[fp.double(), fp + fq]), Some(vec![twice, sum]));
    }

    #[test]
    fn the_order_annihilates_every_point(point in arbitrary_point()) {
        let point = Point::from(point);
        prop_assert!((point.mul(&-Scalar::ONE) + point).is_neutral());
        prop_assert!(point.mul(&Scalar::ZERO).is_neutral());
    }

    #[test]
    fn multiples_respect_the_scalar_field(
        k in arbitrary_scalar(), l in arbitrary_scalar(), e in any::<u128>(),
    ) {
        let g = Point::from(*GENERATOR);
        prop_assert_eq!(g.mul(&k), Point::mul_generator(&k));
        prop_assert_eq!(g.mul(&(k + l)), g.mul(&k) + g.mul(&l));
        prop_assert_eq!(g.mul(&(k - l)), g.mul(&k) + -g.mul(&l));
        prop_assert_eq!(g.mul(&(k * l)), g.mul(&k).mul(&l));
        prop_assert_eq!(g.mul_u128(e), g.mul(&Scalar::from(e)));
    }

    #[test]
    fn scalars_round_trip_and_split(k in arbitrary_scalar()) {
        prop_assert_eq!(Scalar::from_bytes(k.to_bytes()), Ok(k));
        let bytes = bincode::serialize(&k).unwrap();
        prop_assert_eq!(&bytes[..], &k.to_bytes()[..]);
        prop_assert_eq!(bincode::deserialize::<Scalar>(&bytes).unwrap(), k);
        let text = serde_json::to_string(&k).unwrap();
        prop_assert_eq!(serde_json::from_str::<Scalar>(&text).unwrap(), k);
        let words = k.words();
        let bits: [bool; 320] = core::array::from_fn(|i| words[i / 64] >> (i % 64) & 1 == 1);
        for w in 0..WINDOWS {
            let digit = (0..WINDOW_BITS).map(|i| u16::from(bits[WINDOW_BITS * w + i]) << i);
            prop_assert_eq!(k.window(w), digit.sum::<u16>());
        }
        let doubled = bits.iter().rev().fold(Scalar::ZERO, |sum, bit| {
            sum + sum + if *bit { Scalar::ONE } else { Scalar::ZERO }
        });
        prop_assert_eq!(doubled, k);
    }

    #[test]
    fn both_ladders_end_off_by_the_same_constant(
        s in arbitrary_scalar(), e in any::<u128>(), p in arbitrary_point(),
    ) {
        let table = fixed_base_table();
        let addend = |w: usize| table[w * WINDOW_SIZE + usize::from(s.window(w))];
        let sum = (1..WINDOWS).fold(addend(0), |acc, w| acc.add_affine(&addend(w)).unwrap());
        let offset = Point::from(*LADDER_OFFSET);
        prop_assert_eq!(Point::from(sum), Point::from(*GENERATOR).mul(&s) + offset);

        let multiple = |d: u128| {
            (Point::from(p).mul_u128(d) + *VARIABLE_BASE_OFFSET).to_affine().unwrap()
        };
        let digit = |i: usize| e >> (DIGIT_BITS * i) & (DIGIT_SIZE as u128 - 1);
        let product = (0..DIGITS - 1).rev().fold(multiple(digit(DIGITS - 1)), |acc, i| {
            let times_16 = (0..DIGIT_BITS).fold(acc, |acc, _| acc.double().unwrap());
            times_16.add_affine(&multiple(digit(i))).unwrap()
        });
        prop_assert_eq!(Point::from(product), Point::from(p).mul_u128(e) + offset);
    }
}

#[test]
fn the_table_holds_every_multiple_with_its_offset() {
    let table = fixed_base_table();
    assert_eq!(table.len(), WINDOWS * WINDOW_SIZE);
    let mut base = Point::from(*GENERATOR);
    for (w, row) in table.chunks_exact(WINDOW_SIZE).enumerate() {
        assert_eq!(Point::from(WINDOW_BASES[w]), base, "window {w}");
        for d in [0, 1, 2, 513, 1023] {
            let expected = base.mul_u128(d as u128) + WINDOW_OFFSETS[w];
            assert_eq!(Point::from(row[d]), expected, "window {w}, digit {d}");
        }
        assert!(row.iter().all(AffinePoint::is_on_curve));
        base = base.mul_u128(1024);
    }
}
