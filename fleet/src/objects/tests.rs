use std::fs;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::*;
use crate::testing::S3Server;

const LIMIT: u64 = 1 << 20;
const PART: Folder<'_> = Folder::Part { job: "0123-fold-2" };

/// A store in a folder, which is below another that stays.
async fn local() -> (TempDir, PathBuf, Objects) {
    let above = TempDir::new().unwrap();
    let path = above.path().join("store");
    let objects = Objects::create(path.to_str().unwrap()).await.unwrap();
    (above, path, objects)
}

async fn remote(server: &S3Server) -> Objects {
    let url = server.url("some/prefix");
    let opened = Objects::create_with(&url, &server.options()).await;
    opened.unwrap()
}

fn is_missing<T>(result: Result<T, ObjectsError>) -> bool {
    matches!(result, Err(ObjectsError::Missing { .. }))
}

fn is_unavailable<T>(result: Result<T, ObjectsError>) -> bool {
    matches!(&result, Err(error @ ObjectsError::Unavailable { .. }) if error.is_transient())
}

/// What any store does.
async fn check_store(objects: &Objects) {
    let bytes = b"some bytes".to_vec();
    let name = ObjectName::of(&bytes);
    for folder in [Folder::Manifest, Folder::Witness, PART, Folder::Proof] {
        assert!(is_missing(objects.get(folder, name, LIMIT).await));
        objects.remove(folder, name).await.unwrap();
        // Twice the same is the same.
        for _ in 0..2 {
            assert_eq!(objects.put(folder, bytes.clone()).await.unwrap(), name);
        }
        assert_eq!(objects.get(folder, name, LIMIT).await.unwrap(), bytes);
        assert_eq!(objects.list(folder).await.unwrap(), [name]);
    }
    objects.remove(Folder::Proof, name).await.unwrap();
    assert!(is_missing(objects.get(Folder::Proof, name, LIMIT).await));
    assert_eq!(objects.get(PART, name, LIMIT).await.unwrap(), bytes);

    let mut names = vec![name];
    for byte in 0..5 {
        names.push(objects.put(PART, vec![byte]).await.unwrap());
    }
    names.sort_unstable();
    assert_eq!(objects.list(PART).await.unwrap(), names);
    let other = Folder::Part {
        job: "0123-fold-20",
    };
    objects.put(other, vec![9]).await.unwrap();
    for _ in 0..2 {
        objects.remove_all(PART).await.unwrap();
        assert!(objects.list(PART).await.unwrap().is_empty());
    }
    assert_eq!(objects.list(other).await.unwrap().len(), 1);
    assert_eq!(
        objects.get(Folder::Witness, name, LIMIT).await.unwrap(),
        bytes
    );

    let large = vec![7; 4 << 20];
    let name = objects.put(Folder::Witness, large.clone()).await.unwrap();
    let exact = large.len() as u64;
    let refused = objects.get(Folder::Witness, name, exact - 1).await;
    let Err(ObjectsError::TooLarge { found, limit, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!((found, limit), (exact, exact - 1));
    assert_eq!(
        objects.get(Folder::Witness, name, exact).await.unwrap(),
        large
    );
}

/// What happens to an object whose file someone else writes.
async fn check_tampering(objects: &Objects, root: PathBuf) {
    let bytes = b"a proof of something".to_vec();
    let name = objects.put(PART, bytes.clone()).await.unwrap();
    let file = root.join("part/0123-fold-2").join(name.to_string());
    assert_eq!(fs::read(&file).unwrap(), bytes);
    let mut flipped = bytes.clone();
    flipped[3] ^= 1;
    for altered in [
        flipped,
        bytes[..19].to_vec(),
        [&bytes[..], b"!"].concat(),
        vec![],
    ] {
        fs::write(&file, &altered).unwrap();
        let refused = objects.get(PART, name, LIMIT).await.unwrap_err();
        assert!(!refused.is_transient());
        let ObjectsError::Altered {
            found, expected, ..
        } = refused
        else {
            panic!("{refused}");
        };
        assert_eq!((found, expected), (ObjectName::of(&altered), name));
    }
    // Whoever has the right bytes can repair it.
    objects.put(PART, bytes.clone()).await.unwrap();
    assert_eq!(objects.get(PART, name, LIMIT).await.unwrap(), bytes);
    // What is not named by a hash is not listed.
    fs::write(file.with_file_name("notes.txt"), "mine").unwrap();
    assert_eq!(objects.list(PART).await.unwrap(), [name]);
}

#[tokio::test]
async fn a_local_folder_keeps_objects() {
    let (_above, _, objects) = local().await;
    check_store(&objects).await;
}

#[tokio::test]
async fn an_s3_server_keeps_objects() {
    let server = S3Server::start().await;
    check_store(&remote(&server).await).await;
}

#[tokio::test]
async fn an_altered_object_of_a_local_folder_is_detected() {
    let (_above, path, objects) = local().await;
    check_tampering(&objects, path).await;
}

#[tokio::test]
async fn an_altered_object_of_an_s3_server_is_detected() {
    let server = S3Server::start().await;
    let objects = remote(&server).await;
    check_tampering(&objects, server.bucket().join("some/prefix")).await;
}

#[tokio::test]
async fn a_store_opened_again_has_what_was_put() {
    let (_above, path, objects) = local().await;
    let name = objects.put(Folder::Proof, vec![1]).await.unwrap();
    let url = format!("file://{}", path.display());
    for again in [path.to_str().unwrap(), &url] {
        let again = Objects::create(again).await.unwrap();
        assert_eq!(again.get(Folder::Proof, name, LIMIT).await.unwrap(), [1]);
    }
}

#[tokio::test]
async fn a_folder_that_is_away_has_no_missing_objects_and_is_not_made_anew() {
    let (above, path, objects) = local().await;
    let name = objects.put(PART, vec![1]).await.unwrap();
    let away = above.path().join("away");
    fs::rename(&path, &away).unwrap();
    // Not there, and there but empty as a mount point is.
    for mount_point in [false, true] {
        if mount_point {
            fs::create_dir(&path).unwrap();
        }
        assert!(is_unavailable(objects.get(PART, name, LIMIT).await));
        assert!(is_unavailable(objects.put(PART, vec![2]).await));
        assert!(is_unavailable(objects.list(PART).await));
        assert!(is_unavailable(objects.remove(PART, name).await));
        assert!(is_unavailable(objects.remove_all(PART).await));
        assert!(!path.join("part").exists());
    }
    assert!(fs::read_dir(&path).unwrap().next().is_none());
    fs::remove_dir(&path).unwrap();
    fs::rename(&away, &path).unwrap();
    assert_eq!(objects.get(PART, name, LIMIT).await.unwrap(), [1]);
    assert!(is_missing(
        objects.get(PART, ObjectName::of(&[2]), LIMIT).await
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_put_while_a_folder_went_away_is_there_when_it_is_back() {
    let (above, path, objects) = local().await;
    let away = above.path().join("away");
    let writer = objects.clone();
    let puts = tokio::spawn(async move {
        let (mut kept, mut refused) = (Vec::new(), 0);
        let end = Instant::now() + Duration::from_millis(500);
        for number in 0_u64.. {
            if Instant::now() > end {
                break;
            }
            match writer.put(PART, number.to_le_bytes().to_vec()).await {
                Ok(name) => kept.push(name),
                Err(error) if error.is_transient() => refused += 1,
                Err(error) => panic!("{error}"),
            }
        }
        (kept, refused)
    });
    while !puts.is_finished() {
        tokio::time::sleep(Duration::from_millis(10)).await;
        fs::rename(&path, &away).unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
        // A put between its two looks at the marker may have made the folder, with no marker.
        if path.exists() {
            assert!(!path.join(MARKER).exists());
            fs::remove_dir_all(&path).unwrap();
        }
        fs::rename(&away, &path).unwrap();
    }
    let (kept, refused) = puts.await.unwrap();
    assert!(!kept.is_empty() && refused > 0, "{} {refused}", kept.len());
    for name in kept {
        objects.get(PART, name, LIMIT).await.unwrap();
    }
}

#[tokio::test]
async fn a_folder_is_rid_of_what_killed_processes_left() {
    let (_above, path, objects) = local().await;
    let name = objects.put(PART, vec![1]).await.unwrap();
    let witness = objects.put(Folder::Witness, vec![2]).await.unwrap();
    let part = path.join(format!("part/0123-fold-2/{name}#1"));
    let witness_file = path.join(format!("witness/{witness}#1"));
    fs::write(&part, "half").unwrap();
    fs::write(&witness_file, "half").unwrap();
    assert_eq!(objects.list(PART).await.unwrap(), [name]);
    objects.remove_all(PART).await.unwrap();
    objects.remove(Folder::Witness, witness).await.unwrap();
    assert!(!part.exists() && !witness_file.exists());
    assert!(path.join(MARKER).exists());
}

#[tokio::test]
async fn what_others_put_into_a_store_stays() {
    let (_above, path, objects) = local().await;
    objects.put(PART, vec![1]).await.unwrap();
    objects.put(Folder::Witness, vec![2]).await.unwrap();
    let mine = [
        "notes",
        "part/notes",
        "part/0123-fold-2/notes#1",
        "witness/cafe",
    ];
    for name in mine {
        fs::write(path.join(name), "mine").unwrap();
    }
    objects.remove_all(PART).await.unwrap();
    assert!(objects.list(PART).await.unwrap().is_empty());
    assert!(!objects.remove_store().unwrap());
    for name in mine {
        assert_eq!(fs::read(path.join(name)).unwrap(), b"mine", "{name}");
        fs::remove_file(path.join(name)).unwrap();
    }
    // It is a store as before, and goes when nothing else is in it.
    objects.put(PART, vec![1]).await.unwrap();
    assert!(objects.remove_store().unwrap());
    assert!(!path.exists());
}

#[tokio::test]
async fn a_folder_with_a_name_of_a_store_is_not_made_one() {
    let above = TempDir::new().unwrap();
    for name in ["manifest", "witness", "part", "proof"] {
        let path = above.path().join(format!("with {name}"));
        fs::create_dir_all(path.join(name)).unwrap();
        let refused = Objects::create(path.to_str().unwrap()).await.unwrap_err();
        let ObjectsError::Foreign { found } = refused else {
            panic!("{refused}");
        };
        assert_eq!(found, path.join(name));
        assert_eq!(fs::read_dir(&path).unwrap().count(), 1);
    }
}

#[tokio::test]
async fn a_job_is_one_folder_whatever_its_id_is() {
    let (above, path, objects) = local().await;
    let name = objects.put(PART, vec![1]).await.unwrap();
    for job in ["", ".", "..", "../..", "a/b", "/", "0123-fold-2/.."] {
        let folder = Folder::Part { job };
        assert!(is_missing(objects.get(folder, name, LIMIT).await), "{job}");
        let other = objects.put(folder, vec![2]).await.unwrap();
        assert_eq!(objects.list(folder).await.unwrap(), [other], "{job}");
        objects.remove_all(folder).await.unwrap();
        assert!(is_missing(objects.get(folder, other, LIMIT).await), "{job}");
        assert_eq!(objects.list(PART).await.unwrap(), [name], "{job}");
    }
    assert_eq!(fs::read_dir(above.path()).unwrap().count(), 1);
    assert!(path.join(MARKER).exists());
}

#[tokio::test]
async fn a_server_that_is_away_is_unavailable_at_once_and_used_again_when_it_is_back() {
    let mut server = S3Server::start().await;
    let objects = remote(&server).await;
    let name = objects.put(PART, vec![1]).await.unwrap();
    server.stop().await;
    let start = Instant::now();
    assert!(is_unavailable(objects.get(PART, name, LIMIT).await));
    assert!(is_unavailable(objects.put(PART, vec![2]).await));
    assert!(is_unavailable(objects.list(PART).await));
    assert!(is_unavailable(objects.remove(PART, name).await));
    assert!(is_unavailable(objects.remove_all(PART).await));
    let opened = Objects::create_with(&server.url("some/prefix"), &server.options()).await;
    assert!(is_unavailable(opened));
    assert!(
        start.elapsed() < Duration::from_secs(12),
        "{:?}",
        start.elapsed()
    );
    server.resume().await;
    assert_eq!(objects.get(PART, name, LIMIT).await.unwrap(), [1]);
    assert!(is_missing(
        objects.get(PART, ObjectName::of(&[2]), LIMIT).await
    ));
}

#[tokio::test]
async fn an_emptied_or_removed_bucket_has_no_missing_objects() {
    let server = S3Server::start().await;
    let objects = remote(&server).await;
    let name = objects.put(PART, vec![1]).await.unwrap();
    fs::remove_dir_all(server.bucket().join("some")).unwrap();
    assert!(is_unavailable(objects.get(PART, name, LIMIT).await));
    assert!(is_unavailable(objects.list(PART).await));
    fs::remove_dir_all(server.bucket()).unwrap();
    assert!(is_unavailable(objects.get(PART, name, LIMIT).await));
    assert!(is_unavailable(objects.put(PART, vec![2]).await));
}

#[tokio::test]
async fn a_wrong_credential_is_worth_waiting_for() {
    let server = S3Server::start().await;
    let mut options = server.options();
    options.retain(|(name, _)| name != "AWS_SECRET_ACCESS_KEY");
    options.push(("AWS_SECRET_ACCESS_KEY".into(), "another".into()));
    let opened = Objects::create_with(&server.url(""), &options).await;
    assert!(is_unavailable(opened));
}

#[tokio::test]
async fn a_url_of_no_store_is_refused() {
    for url in [
        "memory:///",
        "http://host/path",
        "s3://",
        "file://host/path",
        "what://x/y",
    ] {
        let refused = Objects::create_with(url, &Vec::new()).await.unwrap_err();
        assert!(
            matches!(refused, ObjectsError::Url { .. }),
            "{url}: {refused}"
        );
        assert!(!refused.is_transient());
    }
    let plain_http = [("AWS_ENDPOINT".into(), "not a url".into())].to_vec();
    let refused = Objects::create_with("s3://bucket/x", &plain_http).await;
    assert!(refused.is_err());
}

#[tokio::test]
async fn a_path_that_cannot_be_a_folder_is_unavailable() {
    let above = TempDir::new().unwrap();
    let file = above.path().join("file");
    fs::write(&file, "mine").unwrap();
    assert!(is_unavailable(
        Objects::create(file.to_str().unwrap()).await
    ));
    let below = file.join("store");
    assert!(is_unavailable(
        Objects::create(below.to_str().unwrap()).await
    ));
}

#[test]
fn a_name_is_the_sha_256_in_lowercase_digits() {
    let name = ObjectName::of(b"abc");
    let text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(name.to_string(), text);
    assert_eq!(text.parse(), Ok(name));
    assert_eq!(serde_json::to_value(name).unwrap(), text);
    let read: ObjectName = serde_json::from_value(text.into()).unwrap();
    assert_eq!(read, name);
    for wrong in [&text[1..], &text.to_uppercase(), "", "../x"] {
        assert!(wrong.parse::<ObjectName>().is_err(), "{wrong}");
        assert!(serde_json::from_value::<ObjectName>(wrong.into()).is_err());
    }
}

#[tokio::test]
async fn a_store_that_nobody_has_made_is_away_and_not_empty() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("store");
    let place = place.to_str().unwrap();
    assert!(is_unavailable(Objects::open(place).await));
    assert!(!folder.path().join("store").exists());
    // A mount point with nothing mounted on it.
    std::fs::create_dir(place).unwrap();
    assert!(is_unavailable(Objects::open(place).await));
    Objects::create(place).await.unwrap();
    Objects::open(place).await.unwrap();
}
