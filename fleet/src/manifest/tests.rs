use shardfold_protocol::field::MODULUS;

use super::*;
use crate::memory;
use crate::queue::model::Kind;
use crate::testing::batch::{
    CIRCUITS, POINT, manifest, manifest_for, name, outline, settled_manifest,
};

/// Kinds and shards covered, in order.
fn covered(jobs: &[Job]) -> Vec<(Kind, usize, usize)> {
    jobs.iter()
        .map(|job| (job.kind, job.first, job.end))
        .collect()
}

/// The aggregations of a batch of so many shards, two neighbours at a time.
fn aggregations(shards: usize) -> Vec<(usize, usize)> {
    let jobs = manifest(shards, 1).jobs(2);
    let aggregations = jobs.iter().filter(|job| job.kind == Kind::Aggregate);
    aggregations.map(|job| (job.first, job.end)).collect()
}

#[test]
fn neighbours_are_folded_level_by_level() {
    assert_eq!(aggregations(2), [(0, 2)]);
    assert_eq!(aggregations(3), [(0, 2), (0, 3)]);
    assert_eq!(aggregations(5), [(0, 2), (2, 4), (0, 4), (0, 5)]);
    let of_eight = [(0, 2), (2, 4), (4, 6), (6, 8), (0, 4), (4, 8), (0, 8)];
    assert_eq!(aggregations(8), of_eight);
}

#[test]
fn the_proof_of_a_single_shard_goes_to_the_finish_as_it_is() {
    let jobs = manifest(1, 1).jobs(2);
    let expected = [(Kind::Shard, 0, 1), (Kind::Finish, 0, 1)];
    assert_eq!(covered(&jobs), expected);
}

#[test]
fn every_job_has_its_neighbours_as_children_and_one_parent() {
    for (shards, arity) in [
        (1, 2),
        (2, 2),
        (3, 2),
        (5, 2),
        (8, 2),
        (13, 2),
        (9, 3),
        (10, 3),
        (7, 8),
    ] {
        let jobs = manifest(shards, 1).jobs(arity);
        for (place, job) in jobs.iter().enumerate() {
            let mut children: Vec<_> = jobs[..place]
                .iter()
                .filter(|child| child.parent == Some(job.id))
                .collect();
            children.sort_by_key(|child| child.first);
            assert_eq!(children.len(), job.children);
            if job.kind == Kind::Shard {
                assert_eq!((job.end, job.children), (job.first + 1, 0));
                continue;
            }
            // They come before it, and cover its range without a gap.
            let mut next = job.first;
            for child in &children {
                assert_eq!(child.first, next);
                next = child.end;
            }
            assert_eq!(next, job.end);
            let most = if job.kind == Kind::Finish { 1 } else { arity };
            assert!((1..=most).contains(&children.len()), "{job:?}");
        }
        let (finish, others) = jobs.split_last().unwrap();
        assert_eq!(
            (finish.kind, finish.first, finish.end),
            (Kind::Finish, 0, shards)
        );
        assert_eq!(finish.parent, None);
        assert!(others.iter().all(|job| job.parent.is_some()));
        let leaves = jobs.iter().filter(|job| job.kind == Kind::Shard);
        assert!(leaves.map(|job| job.first).eq(0..shards));
    }
}

#[test]
fn a_shard_has_its_witness_and_size_and_each_job_its_memory() {
    let manifest = manifest(3, 1);
    for job in manifest.jobs(2) {
        let (input, size, memory) = match job.kind {
            Kind::Shard => {
                let shard = &manifest.shards()[job.first];
                assert_eq!(shard.witness, name(job.first, 1));
                let memory = memory::of_shard(Profile::UnsoundTest, &shard.shape);
                (
                    Some(shard.witness),
                    shard.shape.transactions() as u64,
                    memory,
                )
            }
            Kind::Aggregate => (None, 0, memory::of_aggregation(Profile::UnsoundTest)),
            Kind::Finish => (None, 0, memory::of_last(Profile::UnsoundTest)),
            Kind::Wrap => panic!("nothing is published"),
        };
        assert_eq!((job.input, job.size, job.memory), (input, size, memory));
    }
}

#[test]
fn a_jobs_id_depends_on_circuits_kind_and_every_input() {
    let ids = |manifest: &Manifest| -> Vec<[u8; 32]> {
        manifest.jobs(2).iter().map(|job| job.id).collect()
    };
    let base = ids(&manifest(3, 1));
    assert_eq!(ids(&manifest(3, 1)), base);
    let mut all = base.clone();
    all.extend(ids(&manifest_for([8; 32], 3, 1)));
    all.extend(ids(&manifest(3, 2)));
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count);

    // Another last shard: the shards and the aggregation before it stay as they are.
    let outline = outline(3, 1);
    let names = [name(0, 1), name(1, 1), name(2, 2)];
    let shards: Vec<_> = names.into_iter().zip(&outline).collect();
    let other = ids(&Manifest::new(Profile::UnsoundTest, CIRCUITS, &shards).unwrap());
    let same: Vec<_> = base.iter().zip(&other).map(|(a, b)| a == b).collect();
    // Three shards, the aggregation of two, the aggregation of all, the finish.
    assert_eq!(same, [true, true, false, true, false, false]);
}

#[test]
fn a_manifest_is_read_back_from_its_bytes() {
    let manifest = manifest(3, 1);
    let bytes = manifest.to_bytes().unwrap();
    assert_eq!(Manifest::from_bytes(&bytes).unwrap(), manifest);
    assert_eq!(manifest.profile(), "unsound-test");
    assert_eq!(manifest.circuits(), hex::encode(CIRCUITS));
    assert_eq!(manifest.transactions(), 9);
}

#[test]
fn the_statement_of_neighbours_leads_from_the_first_to_the_last() {
    let (manifest, outline) = (manifest(3, 1), outline(3, 1));
    let of = |shard: usize| outline[shard].statement;
    assert_eq!(manifest.statement(1, 2), Some(of(1)));
    let whole = Statement {
        after: of(2).after,
        ..of(0)
    };
    assert_eq!(manifest.statement(0, 3), Some(whole));
    assert_eq!(manifest.whole(), Some(whole));
    for (first, end) in [(0, 4), (2, 2), (2, 1), (3, 4), (usize::MAX, 0)] {
        assert_eq!(manifest.statement(first, end), None, "{first} {end}");
    }
}

#[test]
fn shards_that_do_not_follow_one_another_make_no_manifest() {
    let outline = outline(3, 1);
    let make = |places: &[usize]| {
        let shards = places
            .iter()
            .map(|&place| (name(place, 1), &outline[place]));
        let shards: Vec<_> = shards.collect();
        Manifest::new(Profile::UnsoundTest, CIRCUITS, &shards)
    };
    make(&[0, 1, 2]).unwrap();
    make(&[1, 2]).unwrap();
    for (places, gap) in [
        (&[0_usize, 2] as &[usize], 1),
        (&[0, 1, 0], 2),
        (&[1, 0], 1),
        (&[0, 0], 1),
    ] {
        let refused = make(places).unwrap_err();
        assert!(
            matches!(refused, ManifestError::Gap { shard } if shard == gap),
            "{refused}"
        );
    }
    let refused = make(&[]).unwrap_err();
    assert!(
        matches!(
            refused,
            ManifestError::Heads {
                heads: 0,
                shards: 0
            }
        ),
        "{refused}"
    );

    let mut other_chain = outline.clone();
    other_chain[1].statement.chain_id = 2;
    let shards = [(name(0, 1), &other_chain[0]), (name(1, 1), &other_chain[1])];
    let refused = Manifest::new(Profile::UnsoundTest, CIRCUITS, &shards).unwrap_err();
    assert!(
        matches!(refused, ManifestError::Gap { shard: 1 }),
        "{refused}"
    );
}

#[test]
fn bytes_that_are_no_manifest_are_refused() {
    let text = String::from_utf8(manifest(2, 1).to_bytes().unwrap()).unwrap();
    let changed = |from: &str, to: &str| {
        assert!(text.contains(from), "{from} is not in {text}");
        Manifest::from_bytes(text.replacen(from, to, 1).as_bytes()).unwrap_err()
    };
    let refused = changed(r#""version": 4"#, r#""version": 3"#).to_string();
    let expected = "found version 3 of shardfold-manifest, expected 4: submit the batch again";
    assert!(refused.contains(expected), "{refused}");
    let refused = changed("shardfold-manifest", "shardfold-batch").to_string();
    assert!(refused.contains("shardfold-batch"), "{refused}");
    let refused = changed("unsound-test", "sound-test");
    assert!(
        matches!(refused, ManifestError::Profile { .. }),
        "{refused}"
    );
    let refused = changed(r#""chain_id""#, r#""chain""#);
    assert!(matches!(refused, ManifestError::File(_)), "{refused}");
    // Integers that another one stands for as a field element.
    let alias = format!(r#""tx_count": "{MODULUS}""#);
    let refused = changed(r#""tx_count": "1003""#, &alias);
    assert!(matches!(refused, ManifestError::File(_)), "{refused}");
    let refused = changed(r#""tx_count": "1003""#, r#""tx_count": "1000""#);
    assert!(
        matches!(refused, ManifestError::Order { shard: 0, .. }),
        "{refused}"
    );
    // 2^200 transactions.
    let refused = changed(r#""log_transactions": 2"#, r#""log_transactions": 200"#);
    assert!(
        matches!(refused, ManifestError::Shape { shard: 0, .. }),
        "{refused}"
    );
    for length in 0..text.trim_end().len() {
        Manifest::from_bytes(&text.as_bytes()[..length]).unwrap_err();
    }
}

#[test]
fn a_manifest_without_a_head_for_each_shard_is_refused() {
    let text = String::from_utf8(manifest(2, 1).to_bytes().unwrap()).unwrap();
    let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let heads = value["content"]["heads"].as_array_mut().unwrap();
    heads.pop();
    let refused = Manifest::from_bytes(value.to_string().as_bytes()).unwrap_err();
    assert!(
        matches!(
            refused,
            ManifestError::Heads {
                heads: 2,
                shards: 2
            }
        ),
        "{refused}"
    );
}

#[test]
fn the_same_shards_can_be_proven_with_other_circuits() {
    let manifest = manifest(2, 1);
    assert_eq!(manifest.with_circuits(CIRCUITS), manifest);
    assert_eq!(manifest.with_circuits([8; 32]), manifest_for([8; 32], 2, 1));
}

#[test]
fn a_settlement_proof_is_one_job_more() {
    for shards in [1, 3] {
        let (plain, settled) = (manifest(shards, 1), settled_manifest(shards, 1));
        let (expected, jobs) = (plain.jobs(2), settled.jobs(2));
        let (wrap, others) = jobs.split_last().unwrap();
        let (finish, _) = others.split_last().unwrap();
        assert_eq!((wrap.kind, wrap.first, wrap.end), (Kind::Wrap, 0, shards));
        assert_eq!((wrap.children, wrap.parent), (1, None));
        assert_eq!(finish.parent, Some(wrap.id));
        assert_eq!(wrap.input, settled.published().map(|data| data.differences));
        assert_eq!(wrap.memory, memory::of_wrap(Profile::UnsoundTest));
        // The others are those of a batch without, so that their results are found.
        let ids = |jobs: &[Job]| jobs.iter().map(|job| job.id).collect::<Vec<_>>();
        assert_eq!(ids(others), ids(&expected));
        assert_eq!(settled.without_settlement(), plain);
    }
}

#[test]
fn the_id_of_a_wrap_depends_on_all_that_is_published() {
    let other = ObjectName::of(b"other differences");
    let published = [
        Published::new(ObjectName::of(b"differences"), POINT),
        Published::new(other, POINT),
        Published::new(other, [POINT[1], POINT[0]]),
    ];
    let id = |published| {
        let settled = manifest(2, 1).with_settlement(published).unwrap();
        settled.jobs(2).pop().unwrap().id
    };
    let [first, second, third] = published.map(id);
    assert!(first != second && second != third && first != third);
}

#[test]
fn what_is_published_is_read_back_and_a_point_of_no_data_refused() {
    let settled = settled_manifest(2, 1);
    let bytes = settled.to_bytes().unwrap();
    let read = Manifest::from_bytes(&bytes).unwrap();
    assert_eq!(read, settled);
    assert_eq!(read.published().unwrap().point(), POINT);
    assert_eq!(manifest(2, 1).published(), None);

    let text = String::from_utf8(bytes).unwrap();
    let beyond = 1_u64 << 63;
    let word = format!("\"{}\"", POINT[1]);
    assert!(text.contains(&word), "{text}");
    let text = text.replacen(&word, &format!("\"{beyond}\""), 1);
    let refused = Manifest::from_bytes(text.as_bytes()).unwrap_err();
    assert!(
        matches!(refused, ManifestError::Point { found } if found == [POINT[0], beyond]),
        "{refused}"
    );
    let published = Published::new(ObjectName::of(b"differences"), [beyond, 0]);
    let refused = manifest(2, 1).with_settlement(published).unwrap_err();
    assert!(matches!(refused, ManifestError::Point { .. }), "{refused}");
}
