//! What security is claimed, and for which keys; and that the profile for tests is used by
//! nobody by mistake.

use std::sync::OnceLock;

use plonky2::field::types::PrimeField64 as _;
use plonky2::gates::noop::NoopGate;
use plonky2::iop::witness::{PartialWitness, WitnessWrite as _};
use shardfold_aggregator::encode_proof;
use shardfold_aggregator::flatten_key;
use shardfold_protocol::envelope::{Envelope, FileKind};
use shardfold_protocol::hash::ZERO_DIGEST;
use shardfold_protocol::head::{Head, STATEMENT_ELEMENTS, Statement};
use shardfold_recursion::convert::statement_to_plonk;
use shardfold_recursion::plonk::{Builder, Circuit, PlonkConfig, PlonkParameters, prove};
use shardfold_recursion::tree::key_elements;
use shardfold_recursion::tree::{common_data, gate_set};

use crate::common::{ALLOW_UNSOUND, PROFILE, Sandbox, key, printed};

/// log2 of the rows of a circuit that checks nothing: the fewest of a key.
const DEGREE_BITS: u8 = 10;

/// A circuit with the gates and parameters of `proven-100` and no constraint on its public
/// inputs: it proves every statement.
fn careless_circuit() -> &'static Circuit {
    static CIRCUIT: OnceLock<Circuit> = OnceLock::new();
    CIRCUIT.get_or_init(|| {
        let parameters = PlonkParameters::PROVEN_100;
        let gates = gate_set(&parameters);
        let mut builder = Builder::new(parameters.circuit_config());
        for gate in &gates {
            builder.add_gate_to_gate_set(gate.clone());
        }
        let inputs = builder.add_virtual_targets(STATEMENT_ELEMENTS + key_elements(&parameters));
        builder.register_public_inputs(&inputs);
        while builder.num_gates() <= 1 << (DEGREE_BITS - 1) {
            builder.add_gate(NoopGate, vec![]);
        }
        let circuit = builder.build::<PlonkConfig>();
        let common = common_data(&parameters, DEGREE_BITS.into(), &gates);
        assert!(circuit.common == common, "the circuit has another shape");
        circuit
    })
}

/// Its key as a file, labelled proven-100.
fn careless_key() -> Vec<u8> {
    let mut bytes = b"\x0aproven-100".to_vec();
    bytes.push(DEGREE_BITS);
    for element in flatten_key(&careless_circuit().verifier_only) {
        bytes.extend(element.to_canonical_u64().to_le_bytes());
    }
    file(FileKind::Key, &bytes)
}

/// A file of this kind.
fn file(kind: FileKind, content: &[u8]) -> Vec<u8> {
    let envelope = Envelope {
        kind,
        version: 3,
        max_bytes: 1 << 24,
    };
    envelope.seal(content)
}

/// A valid proof, as a file, that so many transactions became so many others.
fn careless_proof(before: u64, after: u64) -> Vec<u8> {
    let head = |tx_count| Head {
        tx_count,
        ..Head::genesis(ZERO_DIGEST)
    };
    let statement = Statement {
        chain_id: 1,
        before: head(before),
        after: head(after),
    };
    let circuit = careless_circuit();
    let slot = flatten_key(&circuit.verifier_only);
    let values = statement_to_plonk(&statement).into_iter().chain(slot);
    let mut witness = PartialWitness::new();
    for (&target, value) in circuit.prover_only.public_inputs.iter().zip(values) {
        witness.set_target(target, value).expect("it is free");
    }
    let grinding = PlonkParameters::PROVEN_100.grinding;
    let proof = prove(circuit, grinding, witness).expect("nothing is checked");
    file(FileKind::Proof, &encode_proof(&proof))
}

/// A folder with that key and a proof of a million transactions.
fn with_careless_proof() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("careless.key", &careless_key());
    sandbox.write("proof.bin", &careless_proof(0, 1_000_000));
    sandbox
}

const VERIFY: [&str; 4] = ["verify", "proof.bin", "--key", "careless.key"];

/// The id of the key, as `inspect` prints it.
fn id(sandbox: &Sandbox) -> String {
    let facts = sandbox.ok(&["inspect", "careless.key", "--json"]).json();
    assert_eq!(facts["profile"], "proven-100");
    assert_eq!(facts["known to this build"], "false");
    facts["id"].as_str().expect("an id").to_owned()
}

#[test]
fn a_key_of_a_circuit_that_checks_nothing_gets_no_bits() {
    let sandbox = with_careless_proof();
    let id = id(&sandbox);
    let plain = sandbox.ok(&VERIFY);
    let first = plain.out.lines().next().expect("a line");
    assert_eq!(
        first,
        format!("valid under the key {id}, which this build does not know: no security is claimed")
    );
    assert_eq!(plain.count("bits"), 0, "{plain:?}");
    let report = sandbox.ok(&[&VERIFY[..], &["--json"]].concat()).json();
    assert_eq!(report["key_known"], "unknown");
    assert_eq!(report["transactions"], 1_000_000);
    for field in ["proven_bits", "conjectured_bits"] {
        assert!(report[field].is_null(), "{report}");
    }
}

/// Not even zero bits are claimed for it, and that another key is trusted changes nothing.
#[test]
fn a_key_of_a_circuit_that_checks_nothing_fails_every_demand() {
    let sandbox = with_careless_proof();
    let other = "0f".repeat(32);
    let demands: [&[&str]; 4] = [
        &["--min-security", "100"],
        &["--min-security", "100", "--json"],
        &["--min-security", "0"],
        &["--min-security", "100", "--trust-key", &other],
    ];
    for demand in demands {
        let output = sandbox.command(&[&VERIFY[..], demand].concat()).output();
        let (code, printed) = printed(output.expect("it starts"));
        assert_eq!(code, Some(1), "{demand:?}: {printed:?}");
        assert_eq!(printed.out, "", "{demand:?}");
        assert_eq!(printed.count("no security is claimed"), 1, "{printed:?}");
        assert_eq!(printed.count("bits proven"), 0, "{printed:?}");
    }
}

#[test]
fn a_key_that_is_named_has_the_bits_of_its_profile_if_it_is_that() {
    let sandbox = with_careless_proof();
    let (id, other) = (id(&sandbox), "0f".repeat(32));
    let trusted = [
        "--trust-key",
        &other,
        "--trust-key",
        &id,
        "--min-security",
        "100",
    ];
    let plain = sandbox.ok(&[&VERIFY[..], &trusted].concat());
    assert_eq!(
        plain.count("if the key is that of this profile, 10"),
        1,
        "{plain:?}"
    );
    let report = sandbox
        .ok(&[&VERIFY[..], &trusted, &["--json"]].concat())
        .json();
    assert_eq!(report["key_known"], "named");
    assert!(report["proven_bits"].as_f64().unwrap() >= 100.0, "{report}");
    let error = sandbox.refused(&[&VERIFY[..], &trusted[..5], &["200"]].concat());
    assert!(error.contains("200 are asked for"), "{error}");
}

#[test]
fn a_statement_whose_transactions_fall_is_refused() {
    let sandbox = with_careless_proof();
    sandbox.write("proof.bin", &careless_proof(7, 3));
    let error = sandbox.refused(&VERIFY);
    assert!(
        error.contains("states 3 transactions after 7 before"),
        "{error}"
    );
}

#[test]
fn ids_to_trust_are_whole_and_go_with_a_key() {
    let sandbox = Sandbox::new();
    let whole = "0f".repeat(32);
    let wrong: [&[&str]; 3] = [
        &["--key", "careless.key", "--trust-key", "0f"],
        &["--key", "careless.key", "--trust-key", "proven-100"],
        &["--trust-key", &whole],
    ];
    for arguments in wrong {
        let arguments = [&["verify", "proof.bin"], arguments].concat();
        let output = sandbox.command(&arguments).output().expect("it starts");
        assert_eq!(printed(output).0, Some(2), "{arguments:?}");
    }
}

#[test]
fn the_unsound_profile_must_be_allowed() {
    let sandbox = Sandbox::with_batch(1);
    sandbox.prove("proof.bin", &[]);
    sandbox.write(
        "shardfold.toml",
        format!("[worker]\nkey = 'worker.key'\nprofile = '{PROFILE}'\n").as_bytes(),
    );
    let key = key().to_str().expect("plain names");
    let commands: [&[&str]; 7] = [
        &[
            "prove",
            "batch.bin",
            "-o",
            "other.bin",
            "--profile",
            PROFILE,
        ],
        &["key", "-o", "other.key", "--profile", PROFILE],
        &["setup", "--profile", PROFILE],
        &["submit", "batch.bin", "--profile", PROFILE],
        &["worker", "--key", "worker.key", "--profile", PROFILE],
        &["worker"],
        &["verify", "proof.bin", "--key", key],
    ];
    let before = sandbox.files();
    for arguments in commands {
        for refusal in [None, Some("0"), Some("")] {
            let mut command = sandbox.command(arguments);
            match refusal {
                None => command.env_remove(ALLOW_UNSOUND),
                Some(value) => command.env(ALLOW_UNSOUND, value),
            };
            let (code, printed) = printed(command.output().expect("it starts"));
            assert_eq!(code, Some(2), "{arguments:?}: {printed:?}");
            assert_eq!(printed.out, "", "{arguments:?}");
            let error = "error: proofs of the profile `unsound-test` prove nothing";
            assert_eq!(printed.count(error), 1, "{printed:?}");
            assert_eq!(printed.count("--allow-unsound"), 1, "{printed:?}");
        }
    }
    assert!(before == sandbox.files(), "files changed");

    let arguments = ["verify", "proof.bin", "--key", key, "--allow-unsound"];
    let mut command = sandbox.command(&arguments);
    command.env_remove(ALLOW_UNSOUND);
    let (code, printed) = printed(command.output().expect("it starts"));
    assert_eq!(code, Some(0), "{printed:?}");
    assert_eq!(
        printed.count("warning: the profile `unsound-test` proves nothing"),
        1
    );
}
