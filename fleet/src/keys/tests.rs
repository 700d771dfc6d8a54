use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use tempfile::TempDir;

use super::*;

/// The private key of RFC 8410, section 10.3, and its public key.
const RFC_8410: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
-----END PRIVATE KEY-----
";
const RFC_8410_PUBLIC: &str = "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1";

fn key_file(text: &str, mode: u32) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("key.pem");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    (folder, path)
}

fn result() -> ObjectName {
    ObjectName::of(b"result")
}

#[test]
fn a_key_is_read_back_from_its_file_which_only_the_owner_can_read() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("key.pem");
    let key = WorkerKey::generate().unwrap();
    key.to_file(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    assert_eq!(WorkerKey::from_file(&path).unwrap().public(), key.public());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn two_new_keys_differ() {
    let keys = [(); 2].map(|()| WorkerKey::generate().unwrap().public());
    assert_ne!(keys[0], keys[1]);
}

#[test]
fn a_key_file_is_never_written_over() {
    let (_folder, path) = key_file(RFC_8410, 0o600);
    let refused = WorkerKey::generate().unwrap().to_file(&path).unwrap_err();
    assert!(
        matches!(&refused, KeyError::Io { source, .. } if source.kind() == io::ErrorKind::AlreadyExists),
        "{refused}"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), RFC_8410);
}

#[test]
fn a_key_that_openssl_wrote_is_read() {
    let (_folder, path) = key_file(RFC_8410, 0o600);
    let key = WorkerKey::from_file(&path).unwrap();
    assert_eq!(key.public().to_string(), RFC_8410_PUBLIC);
    let claim = Claim::Registration {
        instance: "a",
        circuits: "b",
    };
    let public: PublicKey = RFC_8410_PUBLIC.parse().unwrap();
    assert!(public.verify(&claim, &key.sign(&claim)));
}

#[test]
fn a_key_file_that_others_can_read_is_refused() {
    for mode in [0o604, 0o644, 0o660, 0o602, 0o777] {
        let (_folder, path) = key_file(RFC_8410, mode);
        let refused = WorkerKey::from_file(&path).unwrap_err();
        assert!(
            matches!(refused, KeyError::Readable { mode: found, .. } if found == mode),
            "{mode:o}: {refused}"
        );
    }
    let (_folder, path) = key_file(RFC_8410, 0o400);
    WorkerKey::from_file(&path).unwrap();
}

#[test]
fn a_file_of_something_else_is_no_key() {
    let long = "x".repeat(1 << 16);
    let cut = &RFC_8410[..60];
    let altered = RFC_8410.replace("MC4C", "MC4D");
    for text in ["", "a key", long.as_str(), cut, altered.as_str()] {
        let (_folder, path) = key_file(text, 0o600);
        let refused = WorkerKey::from_file(&path).unwrap_err();
        assert!(matches!(refused, KeyError::Format { .. }), "{refused}");
    }
    let (_folder, path) = key_file(RFC_8410, 0o600);
    let refused = WorkerKey::from_file(&path.join("below")).unwrap_err();
    assert!(matches!(refused, KeyError::Io { .. }), "{refused}");
}

#[test]
fn a_secret_is_not_printed() {
    let (_folder, path) = key_file(RFC_8410, 0o600);
    let key = WorkerKey::from_file(&path).unwrap();
    assert_eq!(
        format!("{key:?}"),
        format!("WorkerKey(of {RFC_8410_PUBLIC})")
    );
}

#[test]
fn every_field_of_a_claim_is_signed() {
    let key = WorkerKey::generate().unwrap();
    let claims = [
        Claim::Result {
            batch: "batch",
            job: "job",
            result: result(),
        },
        Claim::Result {
            batch: "batch2",
            job: "job",
            result: result(),
        },
        Claim::Result {
            batch: "batch",
            job: "job2",
            result: result(),
        },
        Claim::Result {
            batch: "batch",
            job: "job",
            result: ObjectName::of(b"other"),
        },
        // The same letters, cut elsewhere.
        Claim::Result {
            batch: "batchj",
            job: "ob",
            result: result(),
        },
        Claim::Registration {
            instance: "batch",
            circuits: "job",
        },
        Claim::Registration {
            instance: "batch2",
            circuits: "job",
        },
        Claim::Registration {
            instance: "batch",
            circuits: "job2",
        },
        Claim::Registration {
            instance: "batchj",
            circuits: "ob",
        },
    ];
    for (i, signed) in claims.iter().enumerate() {
        let signature = key.sign(signed);
        for (j, claim) in claims.iter().enumerate() {
            assert_eq!(key.public().verify(claim, &signature), i == j, "{i} {j}");
        }
    }
}

#[test]
fn a_claim_has_the_bytes_that_older_workers_sign() {
    let message = Claim::Registration {
        instance: "ab",
        circuits: "",
    }
    .message();
    let expected = [
        &[25, 0, 0, 0, 0, 0, 0, 0],
        b"shardfold worker 1: hello".as_slice(),
        &[2, 0, 0, 0, 0, 0, 0, 0],
        b"ab",
        &[0; 8],
    ];
    assert_eq!(message, expected.concat());
}

#[test]
fn another_domain_of_the_same_fields_is_refused() {
    let key = WorkerKey::generate().unwrap();
    let claim = Claim::Result {
        batch: "batch",
        job: "job",
        result: result(),
    };
    let name = result();
    let fields: [&[u8]; 3] = [b"batch", b"job", name.as_bytes()];
    for domain in [
        "",
        "shardfold worker 2: result",
        "shardfold worker 1: hello",
    ] {
        let message = joined(&[domain.as_bytes(), fields[0], fields[1], fields[2]]);
        let signature = Signature(key.0.sign(&message));
        assert!(!key.public().verify(&claim, &signature), "{domain}");
    }
    // Without lengths.
    let plain = [b"shardfold worker 1: result".as_slice(), &fields.concat()].concat();
    assert!(!key.public().verify(&claim, &Signature(key.0.sign(&plain))));
}

#[test]
fn another_workers_signature_and_an_altered_one_are_refused() {
    let [mine, other] = [(); 2].map(|()| WorkerKey::generate().unwrap());
    let claim = Claim::Registration {
        instance: "a",
        circuits: "b",
    };
    let signature = mine.sign(&claim);
    assert!(mine.public().verify(&claim, &signature));
    assert!(!other.public().verify(&claim, &signature));
    for at in 0..64 {
        let mut bytes = signature.0.to_bytes();
        bytes[at] ^= 1;
        let altered = Signature(ed25519_dalek::Signature::from_bytes(&bytes));
        assert!(!mine.public().verify(&claim, &altered), "byte {at}");
    }
}

#[test]
fn keys_and_signatures_have_one_text_only() {
    let key = WorkerKey::generate().unwrap();
    let claim = Claim::Registration {
        instance: "a",
        circuits: "b",
    };
    let (public, signature) = (key.public().to_string(), key.sign(&claim).to_string());
    assert_eq!(public.parse::<PublicKey>().unwrap(), key.public());
    assert_eq!(signature.parse::<Signature>().unwrap(), key.sign(&claim));
    for wrong in [
        &public[1..],
        &format!("{public}0"),
        &format!(" {public}"),
        "",
    ] {
        assert!(wrong.parse::<PublicKey>().is_err(), "{wrong}");
    }
    for wrong in [&signature[1..], &signature.to_uppercase(), &public] {
        assert!(wrong.parse::<Signature>().is_err(), "{wrong}");
    }
    assert!(RFC_8410_PUBLIC.to_uppercase().parse::<PublicKey>().is_err());
}

#[test]
fn a_public_key_of_small_order_is_refused() {
    // The neutral element, and no point at all.
    let neutral = format!("01{}", "00".repeat(31));
    let no_point = format!("02{}", "00".repeat(31));
    for text in [neutral, no_point] {
        assert!(text.parse::<PublicKey>().is_err(), "{text}");
    }
}
