//! The constants of the curve are initialised by whoever comes first: a plain thread beside
//! the workers of rayon, all of which need them at once. A test of its own binary, since a
//! process initialises them only once.

use std::sync::mpsc;
use std::time::Duration;

use rayon::prelude::*;
use shardfold_protocol::curve::{GENERATOR, Point, Scalar};

#[test]
fn constants_are_initialised_beside_busy_workers() {
    let (done, is_done) = mpsc::channel();
    std::thread::spawn(move || {
        let plain = std::thread::spawn(|| Point::mul_generator(&Scalar::ONE));
        // It is in the middle of the table, some 10 ms of work, when the workers come.
        std::thread::sleep(Duration::from_millis(2));
        let sum = |i: u128| Point::mul_generator(&Scalar::from(i));
        let workers: Vec<Point> = (0..256_u16)
            .into_par_iter()
            .map(|i| sum(i.into()))
            .collect();
        let plain = plain.join().expect("the thread does not panic");
        done.send((plain, workers)).expect("the test waits");
    });
    let found = is_done.recv_timeout(Duration::from_secs(60));
    let (plain, workers) = found.expect("initialised without waiting for each other");
    let generator = Point::from(*GENERATOR);
    assert_eq!(plain, generator);
    assert_eq!(workers[1], generator);
    assert!(workers[0].is_neutral());
}
