//! A worker of the test's own, registered and signed, and as false as a scenario wants.

use std::path::Path;
use std::time::Duration;

use shardfold_fleet::keys::{Claim, WorkerKey};
use shardfold_fleet::manifest::Manifest;
use shardfold_fleet::objects::{Folder, MAX_PART_BYTES, MAX_WITNESS_BYTES, ObjectName, Objects};
use shardfold_fleet::queue::model::Kind;
use shardfold_fleet::queue::{
    Claimed, Completion, CompletionOutcome, JobLease, Lease, Queue, QueueError, Registration,
    Wanted,
};
use shardfold_fleet::submit::{self, Executed};
use shardfold_protocol::files;
use shardfold_protocol::witness::ShardWitness;
use shardfold_recursion::profile::Profile;
use tokio::runtime::Runtime;

use crate::common::PROFILE;
use crate::fleet::harness::Fleet;
use crate::fleet::postgres::Postgres;

/// The test's own access to queue and store.
pub struct Access {
    runtime: Runtime,
    queue: Queue,
    objects: Objects,
}

impl Access {
    /// To a fleet whose store is its S3 server: the folder behind it.
    pub fn to(fleet: &Fleet) -> Self {
        let url = Postgres::url(fleet.postgres.port());
        Self::open(&url, &fleet.s3.path(""))
    }

    fn open(database: &str, store: &Path) -> Self {
        let runtime = Runtime::new().expect("threads");
        let store = store.to_str().expect("plain names");
        let (queue, objects) = runtime.block_on(async {
            let queue = Queue::connect(database).await.expect("it is there");
            (queue, Objects::create(store).await.expect("a folder"))
        });
        Self {
            runtime,
            queue,
            objects,
        }
    }

    /// Submits shards as a batch that dead-letters what fails three times: its id.
    pub fn submit(&self, circuits: [u8; 32], label: &str, shards: &[ShardWitness]) -> String {
        let executed = Executed {
            profile: Profile::named(PROFILE).expect("it is known"),
            circuits,
            source: &ObjectName::of(label.as_bytes()).to_string(),
            label,
            shards,
            data: None,
            max_failures: 3,
        };
        let submit = submit::submit(&self.queue, &self.objects, &executed);
        let (id, _) = self.runtime.block_on(submit).expect("it is submitted");
        id.to_string()
    }

    /// The result of a job that is in the store.
    pub fn part(&self, job: &str, result: &str) -> Vec<u8> {
        let name = result.parse().expect("a name");
        let get = self.objects.get(Folder::Part { job }, name, MAX_PART_BYTES);
        self.runtime.block_on(get).expect("it is there")
    }
}

/// The shards of batch.bin, and the id of the circuits' key: `submit` to another place, which
/// is then read.
pub fn executed(fleet: &Fleet) -> (Vec<ShardWitness>, [u8; 32]) {
    let aside = ["submit", "batch.bin", "--profile", PROFILE];
    let places = ["--database", "sqlite://aside.db", "--store", "aside"];
    let printed = fleet.sandbox.ok(&[aside, places].concat());
    let database = format!("sqlite://{}", fleet.sandbox.path("aside.db").display());
    let access = Access::open(&database, &fleet.sandbox.path("aside"));
    access.runtime.block_on(async {
        let objects = &access.objects;
        let manifest: Manifest = submit::manifest(objects, printed.out.trim())
            .await
            .expect("it is there");
        let mut shards = Vec::new();
        for shard in manifest.shards() {
            let bytes = objects.get(Folder::Witness, shard.witness, MAX_WITNESS_BYTES);
            let bytes = bytes.await.expect("it is there");
            shards.push(files::from_bytes(&bytes).expect("a witness"));
        }
        let circuits = hex::decode(manifest.circuits()).expect("digits");
        (shards, circuits.try_into().expect("32 bytes"))
    })
}

/// A worker that does what it is told.
pub struct Liar {
    access: Access,
    key: WorkerKey,
    instance: String,
}

impl Liar {
    /// Enrols a worker and presents it with circuits of this key.
    pub fn new(fleet: &Fleet, name: &str, circuits: &str) -> Self {
        let access = Access::to(fleet);
        let key = WorkerKey::generate().expect("randomness");
        let public_key = key.public();
        let register = access.queue.register(name, &public_key);
        access.runtime.block_on(register).expect("a new name");
        let liar = Self {
            access,
            key,
            instance: format!("{name}-1"),
        };
        liar.register_instance(circuits).expect("it is registered");
        liar
    }

    /// Presents itself.
    pub fn register_instance(&self, circuits: &str) -> Result<String, QueueError> {
        let instance = &self.instance;
        let signature = self.key.sign(&Claim::Registration { instance, circuits });
        let registration = Registration {
            instance,
            key: &self.key.public(),
            signature: &signature,
            host: "liar",
            profile: PROFILE,
            circuits,
            kinds: &Kind::ALL,
            slots: 1,
            memory: u64::MAX,
        };
        let registration = self.access.queue.register_instance(&registration);
        self.access.runtime.block_on(registration)
    }

    /// Takes a job of a kind, for long enough.
    pub fn claim(&self, kind: Kind) -> Option<Claimed> {
        let lease = Lease(Duration::from_secs(600));
        let queue = &self.access.queue;
        let wanted = Wanted {
            kinds: std::slice::from_ref(&kind),
            memory: u64::MAX,
            batch: None,
        };
        let claim = queue.claim(&self.instance, &wanted, lease);
        self.access.runtime.block_on(claim).expect("it answers")
    }

    /// What the queue says to a worker that asks for more.
    pub fn refusal(&self) -> QueueError {
        let public_key = self.key.public();
        let ask = self.access.queue.worker_of(&public_key);
        self.access.runtime.block_on(ask).expect_err("a refusal")
    }

    /// Stores a result and hands it in.
    pub fn deliver(&self, claimed: &Claimed, bytes: &[u8]) {
        self.deliver_signed_by(&self.key, claimed, bytes);
    }

    /// The same, with a signature of this key.
    pub fn deliver_signed_by(&self, key: &WorkerKey, claimed: &Claimed, bytes: &[u8]) {
        let Access {
            runtime,
            queue,
            objects,
        } = &self.access;
        let held = JobLease {
            batch: claimed.batch.clone(),
            job: claimed.job.clone(),
            attempt: claimed.attempt,
        };
        let folder = Folder::Part { job: &held.job };
        let done = runtime.block_on(async {
            let result = objects.put(folder, bytes.to_vec()).await.expect("a store");
            let signature = key.sign(&Claim::Result {
                batch: &held.batch,
                job: &held.job,
                result,
            });
            let completion = Completion {
                held: &held,
                instance: &self.instance,
                result,
                signature: &signature,
                took: Some(Duration::from_secs(1)),
            };
            queue.complete(&completion).await.expect("it answers")
        });
        assert_eq!(done, CompletionOutcome::Accepted);
    }

    /// The test's own access to queue and store.
    pub const fn access(&self) -> &Access {
        &self.access
    }
}
