use shardfold_contracts::set::standard;
use shardfold_fleet::worker::Work;
use shardfold_protocol::shape::Shape;
use shardfold_prover::ShardStark;
use shardfold_recursion::profile::Profile;

use super::*;
use crate::commands::cost::rates::Rate;

fn tables(shape: &Shape) -> Tables {
    let parameters = Profile::Proven100.stark(shape);
    Tables::of(&ShardStark::new(standard(), *shape, parameters).unwrap())
}

fn work(kind: Kind, first: usize) -> Work {
    Work {
        batch: String::new(),
        job: String::new(),
        kind,
        first,
        end: first + 1,
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn prove(meter: &Meter, shard: usize, times: [u64; 3]) {
    let work = work(Kind::Shard, shard);
    for (stage, took) in [Stage::Traces, Stage::Stark, Stage::Circuit]
        .into_iter()
        .zip(times)
    {
        let (work, took) = (work.clone(), seconds(took));
        meter.event(&Event::Stage { work, stage, took });
    }
    done(meter, Kind::Shard, shard, times.iter().sum(), false);
}

fn done(meter: &Meter, kind: Kind, first: usize, took: u64, found: bool) {
    let (work, took) = (work(kind, first), seconds(took));
    meter.event(&Event::Done { work, took, found });
}

fn meter() -> Meter {
    let (small, medium) = (tables(&Shape::SMALL), tables(&Shape::MEDIUM));
    Meter {
        shards: vec![medium, small, medium],
        jobs: 5,
        times: Mutex::default(),
    }
}

/// Two shards at once and one after them take as long as all of it, part for part.
#[test]
fn the_rates_add_up_to_the_time_that_passed() {
    let meter = meter();
    prove(&meter, 0, [2, 20, 6]);
    prove(&meter, 1, [1, 8, 6]);
    prove(&meter, 2, [3, 22, 6]);
    done(&meter, Kind::Aggregate, 0, 5, false);
    done(&meter, Kind::Finish, 0, 1, false);
    assert_eq!(meter.stages()["stark"], 50.0);
    assert_eq!(meter.stages()["shard_circuit"], 18.0);

    // 80 seconds of work in 40.
    let rates = meter.rates(seconds(40)).unwrap();
    let (small, medium) = (meter.shards[1].all as f64, meter.shards[0].all as f64);
    let near = |rate: Option<&Rate>, expected: f64| {
        let found = rate.unwrap().seconds;
        assert!((found / expected - 1.0).abs() < 1e-9, "{found} {expected}");
    };
    near(rates.stark.get(&8), 4.0 / small);
    near(rates.stark.get(&2), 21.0 / (2.0 * medium));
    near(rates.traces.as_ref(), 3.0 / (small + 2.0 * medium));
    near(rates.shard_circuit.as_ref(), 3.0);
    near(rates.aggregate.as_ref(), 2.5);
    near(rates.finish.as_ref(), 0.5);
}

#[test]
fn a_run_that_found_a_part_gives_no_rates() {
    let meter = meter();
    prove(&meter, 0, [2, 20, 6]);
    prove(&meter, 1, [1, 8, 6]);
    assert_eq!(meter.rates(seconds(40)), None);
    done(&meter, Kind::Shard, 2, 1, true);
    done(&meter, Kind::Aggregate, 0, 1, false);
    done(&meter, Kind::Finish, 0, 1, false);
    assert_eq!(meter.rates(seconds(40)), None);
}
